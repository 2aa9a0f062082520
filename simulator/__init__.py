"""Phantom Isles: a simulated world in which street-level drives can be rendered again and again from a seed.

Every isle lies where sea charts once showed land that never was, so nobody takes a result for a real place. The first isle is a
small town on Sandy Island; more isles are more entries in :data:`config.ISLES`.

Way through: ``config`` → ``streets`` (network, terrain) → ``world`` (``quarters``, ``buildings``, ``props`` on ``mesh`` and
``textures``) → ``drives`` (plans) → ``render`` (pictures) → ``write`` (videos, GPX, manifest).
"""
