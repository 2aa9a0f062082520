"""The likely places among those that the engine's GeoPackage of guessed places holds: the fewest that together have a probability."""

from __future__ import annotations

import pathlib
import sqlite3
from contextlib import closing

LAYER = "places"
_ROUNDING = 1e-12


def likely_rows(geopackage: str, level: str, share: float) -> list[int]:
    """Ids of the fewest places of each video of a known city that together have a probability.

    Args:
        geopackage: what the engine has written: of each video and level the likeliest places, best first.
        level: city, state, country or continent.
        share: of all probability. Where places have none, as they are not rated, or too little, all that are there are taken.
    """
    uri = f"{pathlib.Path(geopackage).resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as database:
        rows = database.execute("SELECT fid, rank, probability FROM places WHERE level = ? AND known ORDER BY fid", (level,)).fetchall()
    chosen: list[int] = []
    held = 0.0
    for fid, rank, probability in rows:
        if rank == 1:  # another video
            held = 0.0
        if held < share - _ROUNDING:
            chosen.append(fid)
        held += probability or 0.0
    return chosen
