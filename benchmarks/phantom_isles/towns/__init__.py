"""The world of issue "many isles": eleven towns of 5 to 25 km, drives on their streets, in three layouts. Everything is simulated.

The demo's isle (``phantom_isles.world``) is built whole; these towns are built piece by piece round the camera.

Way through: ``config`` (difficulty), ``isles`` (who is where) → ``network`` → ``looks`` → ``houses``, ``greenery``, ``ground``,
gathered by ``builder`` → ``conditions``, ``traffic``, ``drives`` (plans) → ``render`` → ``labels``, ``layouts`` → ``make``.
"""
