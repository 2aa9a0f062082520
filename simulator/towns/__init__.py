"""The world of many isles: eleven towns of 5 to 25 km, drives on their streets, in three layouts. Everything is simulated.

The demo's isle (``simulator.world``) is built whole; these towns are built piece by piece round the camera.

Way through: ``config`` (difficulty), ``isles`` and ``ways`` (who is where, and what is done its own way there) → ``network`` → ``looks`` →
``houses``, ``greenery``, ``ground``, ``roadway``, ``furniture``, ``skyline``, gathered by ``builder`` → ``conditions``, ``traffic``,
``drives`` (plans) → ``render`` → ``labels``, ``layouts`` → ``make``.
"""
