"""How sure the engine is, as columns: of frames, of videos, and of regions where the truth may lie."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from shapely.geometry.polygon import orient

from ..geodesy import WGS84
from ..types import FloatArray, Hypotheses, Trajectory, Verdict, VideoResult
from .columns import Table, clean, utc_times
from .place_names import place_columns, spot_in

# Radii of the columns p_25m, p_100m ...; a probability within another radius has no column.
RADII_M = (25.0, 100.0, 500.0, 1000.0)
WITHIN = tuple(f"p_{radius:g}m" for radius in RADII_M)
LEVELS = (50, 90)
_SHAPES = 4096  # regions whose area and form are remembered: a video that is solved again has most of them still
HYPOTHESIS_COLUMNS = {
    "entropy_bits": "entropy_bits",
    "runner_up_lat_deg": "runner_up_lat_deg",
    "runner_up_lon_deg": "runner_up_lon_deg",
    "runner_up_share": "runner_up_share",
    "position_share": "position_share",
    "best_lat_deg": "best_lat_deg",
    "best_lon_deg": "best_lon_deg",
}
"""Columns of ``frames`` that are fields of Hypotheses as they are."""
FRAME_COLUMNS = (*WITHIN, *HYPOTHESIS_COLUMNS)


def frame_columns(trajectory: Trajectory) -> dict[str, FloatArray]:
    """(T,) columns of ``frames``; all NaN where there are no hypotheses.

    Raises:
        ValueError: the hypotheses are not a row a frame.
    """
    count, found = len(trajectory.state), trajectory.hypotheses
    if found is None:
        return {name: np.full(count, np.nan) for name in FRAME_COLUMNS}
    if len(found.entropy_bits) != count:
        raise ValueError(f"hypotheses have {len(found.entropy_bits)} rows for {count} frames")
    within = {name: np.asarray(found.within, dtype=np.float64)[:, column] for name, column in _columns_of(found.radii_m)}
    columns = {name: within.get(name, np.full(count, np.nan)) for name in WITHIN}
    return columns | {name: np.asarray(getattr(found, field), dtype=np.float64) for name, field in HYPOTHESIS_COLUMNS.items()}


def verdict_columns(verdict: Verdict | None, radii_m: Sequence[float]) -> dict[str, Any]:
    """Values of ``videos``: unknown where there is no verdict.

    Args:
        verdict: of the video.
        radii_m: of ``verdict.within``.
    """
    if verdict is None:
        return (
            {"state": None, "inside": math.nan, "familiarity": math.nan, "unknown_share": math.nan}
            | dict.fromkeys((*WITHIN, "entropy_bits"), math.nan)
            | {"why": None}
        )
    within = {name: float(verdict.within[column]) for name, column in _columns_of(radii_m)}
    return (
        {
            "state": verdict.state.value,
            "inside": float(verdict.inside),
            "familiarity": float(verdict.familiarity),
            "unknown_share": float(verdict.unknown_share),
        }
        | {name: within.get(name, math.nan) for name in WITHIN}
        | {"entropy_bits": float(verdict.entropy_bits), "why": verdict.why or None}
    )


def regions_table(results: Sequence[VideoResult], aoi: Any | None = None, named: Mapping[str, Any] | None = None) -> Table:
    """A row a frame and level, then a row a video and level (``frame_index`` and times unknown); ``geometry`` holds MultiPolygons.

    Args:
        results: those without regions give no row.
        aoi: the searched area (shapely); None leaves ``aoi_share`` unknown.
        named: the areas of videos that were searched for in one of their own.
    """
    import pandas as pd

    rows: list[tuple[str, int | None, float, np.datetime64, int, shapely.MultiPolygon]] = []
    named_by: Table = place_columns(np.zeros(0), np.zeros(0))
    for result in results:
        name, t = clean(result.info.name), result.trajectory
        times = utc_times(result, t.time_s)
        for row, level, shape in frame_regions(t):
            rows.append((name, int(t.frame_index[row]), float(t.time_s[row]), times[row], level, shape))
        rows += [(name, None, math.nan, np.datetime64("NaT"), level, shape) for level, shape in video_regions(t)]
        for column, values in place_columns(*region_spots(t)).items():
            named_by[column] += values
    columns: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) if rows else [()] * 6
    videos, index, time_s, moments, levels, shapes = columns
    areas_km2 = np.array([area_km2(shape) for shape in shapes], dtype=np.float64)
    sizes_km2 = {None: math.nan if aoi is None else area_km2(aoi)} | {name: area_km2(shape) for name, shape in (named or {}).items()}
    own = {clean(one.info.name): one.own.area for one in results if one.own and one.own.area in sizes_km2}
    whole_km2 = np.array([sizes_km2[own.get(video)] for video in videos], dtype=np.float64)
    geometry = np.empty(len(shapes), dtype=object)
    geometry[:] = shapes
    return {
        "video": list(videos),
        "frame_index": pd.Series(index, dtype="Int64"),
        "time_s": np.array(time_s, dtype=np.float64),
        "time": np.array(moments, dtype="datetime64[ms]"),
        "level": np.array(levels, dtype=np.int64),
        "parts": np.array([len(shape.geoms) for shape in shapes], dtype=np.int64),
        "area_km2": areas_km2,
        "aoi_share": areas_km2 / whole_km2,
        **named_by,
        "geometry": geometry,
    }


def frame_regions(trajectory: Trajectory) -> Iterator[tuple[int, int, shapely.MultiPolygon]]:
    """(row, level, region) of every frame and level that has one, the larger first: so the smaller is drawn on top."""
    found = trajectory.hypotheses
    if found is None:
        return
    for row in range(len(trajectory.state)):
        for level, regions in ((90, found.region90), (50, found.region50)):
            if (shape := multi(regions[row])) is not None:
                yield row, level, shape


def video_regions(trajectory: Trajectory) -> Iterator[tuple[int, shapely.MultiPolygon]]:
    """(level, region) of the whole video, the larger first."""
    found = trajectory.verdict
    if found is not None:
        for level, region in ((90, found.region90), (50, found.region50)):
            if (shape := multi(region)) is not None:
                yield level, shape


def are_rated(trajectory: Trajectory) -> bool:
    """Whether anything has calibrated what regions hold: a share that nothing has is not to be told beside one."""
    found = trajectory.hypotheses
    return found is not None and bool(np.isfinite(found.within).any())


def region_spots(trajectory: Trajectory) -> tuple[FloatArray, FloatArray]:
    """lat_deg and lon_deg of the places that the rows of ``regions`` are named by, those of frames first; NaN where the answer is withheld.

    A frame's region is named by the frame's position, a video's by that of its surest frame, where that lies in the region.
    """
    t, nowhere = trajectory, (math.nan, math.nan)
    answered = np.isfinite(t.lat_deg)
    spots = [spot_in(shape, t.lat_deg[row], t.lon_deg[row]) if answered[row] else nowhere for row, _, shape in frame_regions(t)]
    if answered.any():
        sure = np.isfinite(t.confidence) & answered
        surest = int(np.argmax(np.where(sure, t.confidence, -np.inf) if sure.any() else np.where(answered, t.score, -np.inf)))
        spots += [spot_in(shape, t.lat_deg[surest], t.lon_deg[surest]) for _, shape in video_regions(t)]
    else:
        spots += [nowhere for _ in video_regions(t)]
    lat_deg, lon_deg = np.array(spots, dtype=np.float64).reshape(-1, 2).T
    return lat_deg, lon_deg


@lru_cache(maxsize=_SHAPES)
def multi(region: Any) -> shapely.MultiPolygon | None:
    """The region as a MultiPolygon with rings the way RFC 7946 wants them; None where there is none."""
    if region is None or region.is_empty:
        return None
    parts = [orient(part) for part in shapely.get_parts(region) if part.geom_type == "Polygon" and not part.is_empty]
    return shapely.MultiPolygon(parts) if parts else None


@lru_cache(maxsize=_SHAPES)
def area_km2(shape: Any) -> float:
    """Area on WGS 84's ellipsoid; ``shape`` is a polygon or several, in degrees."""
    rings, part = shapely.get_rings(shapely.get_parts(shape), return_index=True)
    rim = np.diff(part, prepend=-1) > 0  # of each part the first, its holes after it
    areas_m2 = [abs(WGS84.polygon_area_perimeter(*shapely.get_coordinates(ring).T)[0]) for ring in rings]
    return float(np.where(rim, areas_m2, np.negative(areas_m2)).sum()) / 1e6


def _columns_of(radii_m: Sequence[float]) -> Iterator[tuple[str, int]]:
    """Name and number of each radius that has a column."""
    for column, radius in enumerate(radii_m):
        if float(radius) in RADII_M:
            yield f"p_{radius:g}m", column


def read_hypotheses(
    columns: dict[str, FloatArray], regions: dict[tuple[int | None, int], Any], frame_index: Sequence[int]
) -> Hypotheses | None:
    """Hypotheses of a video as they were written; None where nothing is known.

    Args:
        columns: (T,) by the names of FRAME_COLUMNS.
        regions: geometries by frame number and level.
        frame_index: (T,) of the frames.
    """
    if not any(np.isfinite(values).any() for values in columns.values()) and not any(index is not None for index, _ in regions):
        return None
    return Hypotheses(
        radii_m=RADII_M,
        within=np.stack([columns[name] for name in WITHIN], axis=1),
        region50=tuple(regions.get((int(index), 50)) for index in frame_index),
        region90=tuple(regions.get((int(index), 90)) for index in frame_index),
        **{field: columns[name] for name, field in HYPOTHESIS_COLUMNS.items()},
    )
