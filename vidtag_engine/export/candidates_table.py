"""The layer ``candidates``: which ways through a road network fit a video's motion, written and read."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..geodesy import geodesic_m
from ..types import CandidateWay, FloatArray, VideoResult
from .columns import Table, clean
from .lines import cut_line
from .point_blob import wkb_of

_BETWEEN_NAMES = "; "


def candidates_table(results: Sequence[VideoResult]) -> Table:
    """A row a way, those of a video by rank; ``geometry`` holds its MultiLineStrings, None where a way has no places."""
    rows = [(clean(result.info.name), one) for result in results for one in sorted(result.candidates, key=lambda one: one.rank)]
    geometry = np.empty(len(rows), dtype=object)
    geometry[:] = [_line(one) for _, one in rows]
    return {
        "video": [video for video, _ in rows],
        "rank": np.array([one.rank for _, one in rows], dtype=np.int32),
        "share": np.array([one.share for _, one in rows], dtype=np.float64),
        "streets": [streets_text(one.streets) or None for _, one in rows],
        "length_m": np.array([_length_m(one) for _, one in rows], dtype=np.float64),
        "geometry": geometry,
    }


def streets_text(streets: Sequence[str]) -> str:
    """Names of streets in one line, in their order; empty for none. What parts names is in none of them."""
    return _BETWEEN_NAMES.join(name.replace(_BETWEEN_NAMES, ", ") for name in map(clean, streets) if name)


def read_candidates(database: sqlite3.Connection) -> dict[str, tuple[CandidateWay, ...]]:
    """Ways by video; none in a result that has no such layer, as before schema 4.6."""
    if database.execute("SELECT 1 FROM gpkg_contents WHERE table_name = 'candidates'").fetchone() is None:
        return {}
    found: dict[str, list[CandidateWay]] = {}
    for video, rank, share, streets, geom in database.execute("SELECT video, rank, share, streets, geom FROM candidates ORDER BY fid"):
        lat_deg, lon_deg = _places(geom)
        names = tuple(streets.split(_BETWEEN_NAMES)) if streets else ()
        found.setdefault(video, []).append(CandidateWay(int(rank), float(share), lat_deg, lon_deg, names))
    return {video: tuple(ways) for video, ways in found.items()}


def _known(way: CandidateWay) -> tuple[FloatArray, FloatArray]:
    """The way's places that are known, as float64."""
    lat_deg, lon_deg = np.asarray(way.lat_deg, dtype=np.float64), np.asarray(way.lon_deg, dtype=np.float64)
    known = np.isfinite(lat_deg) & np.isfinite(lon_deg)
    return lat_deg[known], lon_deg[known]


def _line(way: CandidateWay) -> Any | None:
    from shapely import MultiLineString

    lat_deg, lon_deg = _known(way)
    if len(lat_deg) == 0:
        return None
    if len(lat_deg) == 1:
        lat_deg, lon_deg = np.repeat(lat_deg, 2), np.repeat(lon_deg, 2)
    return MultiLineString(cut_line(lat_deg, lon_deg))


def _length_m(way: CandidateWay) -> float:
    lat_deg, lon_deg = _known(way)
    return float(geodesic_m(lat_deg[:-1], lon_deg[:-1], lat_deg[1:], lon_deg[1:]).sum())


def _places(geom: bytes | None) -> tuple[FloatArray, FloatArray]:
    """(lat_deg, lon_deg) of a line's vertices, without those that it got where it was cut at ±180°."""
    import shapely

    if geom is None:
        return np.zeros(0), np.zeros(0)
    parts = [shapely.get_coordinates(part) for part in shapely.get_parts(shapely.from_wkb(wkb_of(geom)))]
    cut = [abs(before[-1, 0]) == 180.0 and after[0, 0] == -before[-1, 0] for before, after in pairwise(parts)]
    whole = [part[int(begun) : len(part) - int(ends)] for part, begun, ends in zip(parts, [False, *cut], [*cut, False], strict=True)]
    xy = np.concatenate(whole)
    return xy[:, 1].copy(), xy[:, 0].copy()
