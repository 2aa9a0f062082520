"""Rendered drives placed from their videos, end to end, as a user does it: ``python -m simulator make-drives`` makes them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from vidtag_engine.cli.terminal import progress_bar
from vidtag_engine.command_arguments import GeolocateArguments
from vidtag_engine.export import read_geopackage
from vidtag_engine.geodesy import WGS84, haversine_m
from vidtag_engine.geolocation import run_geolocate
from vidtag_engine.motion import Motion, video_motion
from vidtag_engine.types import FloatArray, FrameState, InputError, Progress, Trajectory
from vidtag_engine.vectors import open_vector

from .by_split import Record, figures
from .odometry_drives import RADIUS_M, share_within

_TURNS_DEG, _LEAST_TURN_DEG, _LONGEST_S = 4.0, 30.0, 12
_MOVES_MPS = 1.0
_HALF_DEG = 180.0


def rendered(folder: Path, checkpoint: str | None, rows: str | None = None, count: int | None = None) -> dict[str, Any]:
    """Every drive of a folder: by roads alone, and with a checkpoint with and without roads.

    Args:
        folder: of the drives.
        checkpoint: that knows the isles, none of whose streets it was trained on; None leaves it out.
        rows: some of ``rendered``, ``never`` and ``never_without_roads``, with commas; None: all.
        count: the first so many drives; None: all.

    Raises:
        InputError: there are no drives.
    """
    drives = sorted(folder.glob("drive_*.json"))[:count]
    if not drives:
        raise InputError(f"{folder} holds no drives: make them with 'python -m simulator make-drives --output {folder}'.")
    runs: dict[str, tuple[str, bool]] = {"rendered": ("none", True)}
    if checkpoint is not None:
        runs |= {"never_without_roads": (checkpoint, False), "never": (checkpoint, True)}
    if rows is not None:
        runs = {name: run for name, run in runs.items() if name in rows.split(",")}
    result: dict[str, Any] = {"rendered_drives": len(drives)}
    with progress_bar() as bar, tempfile.TemporaryDirectory() as work:
        for name, (source, roads) in runs.items():
            found = []
            for number, one in enumerate(drives):
                bar(Progress(number / len(drives), name, one.stem))
                found.append(_placed(one, source, roads=roads, output=Path(work) / f"{name}-{one.stem}.gpkg"))
            result[name] = figures(found) | share_within(found)
            print(f"{name}: {result[name]['a500m']:.1%} within 500 m")
    return result


def _truth(file: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return values | values.get("truth", {})


def _box(roads: Path) -> str:
    """The area that the roads of an isle lie in, as the command line takes it; in two parts where the isle lies across 180°."""
    source = open_vector(str(roads), roads.name)
    (layer,) = source.layers
    corners = shapely.get_coordinates([one for one in source.read(layer) if not isinstance(one, dict)])
    (west, south), (east, north) = corners.min(axis=0), corners.max(axis=0)
    if east - west < _HALF_DEG:
        return str(shapely.box(west, south, east, north).wkt)
    lon = corners[:, 0]
    parts = [shapely.box(lon[lon > 0].min(), south, 180.0, north), shapely.box(-180.0, south, lon[lon < 0].max(), north)]
    return str(shapely.MultiPolygon(parts).wkt)


def _placed(file: Path, checkpoint: str, *, roads: bool, output: Path) -> Record:
    truth = _truth(file)
    layer = file.parent / truth["roads"]
    given = GeolocateArguments(
        str(output),
        aoi=_box(layer),
        videos=[str(file.with_name(truth["video"]))],
        checkpoint=checkpoint,
        roads=str(layer) if roads else None,
    )
    run_geolocate(given)
    (result,), _ = read_geopackage(output)
    return record_of_trajectory(file.stem, result.trajectory, truth)


def record_of_trajectory(name: str, of: Trajectory, truth: dict[str, Any]) -> Record:
    """A video's answer beside its truth, the internal posterior counted also where the answer is withheld."""
    hypotheses = of.hypotheses
    if hypotheses is None:
        raise ValueError(f"{name} has no posterior")
    true = np.stack([np.interp(of.time_s, truth["time_s"], truth[key]) for key in ("lat_deg", "lon_deg")], axis=1)
    error_m = haversine_m(hypotheses.best_lat_deg, hypotheses.best_lon_deg, *true.T)
    held = [
        np.mean([_covers(region, point) for region, point in zip(one, true, strict=True)])
        for one in (hypotheses.region50, hypotheses.region90)
    ]
    middle = hypotheses.region90[len(true) // 2]
    km2 = abs(WGS84.geometry_area_perimeter(middle)[0]) / 1e6 if middle is not None else float("nan")
    state = of.verdict.state if of.verdict else FrameState.LOCATED
    return Record(
        name, 0, "never_driven", hypotheses.within, error_m, float(held[0]), float(held[1]), km2, state is not FrameState.LOCATED,
        "answered" if state is FrameState.LOCATED else state.value,
    )  # fmt: skip


def _covers(region: Any, lat_lon_deg: FloatArray) -> bool:
    return region is not None and bool(shapely.covers(region, shapely.Point(lat_lon_deg[1], lat_lon_deg[0])))


def errors(folder: Path) -> dict[str, Any]:
    """What odometry gets wrong on rendered drives: heading change over turns of 30° and more, and speed after one factor a video."""
    turns: list[float] = []
    speeds: list[float] = []
    for file in sorted(folder.glob("drive_*.json")):
        truth = _truth(file)
        motion = video_motion(file.with_name(truth["video"]))
        wrong, off = _compared(motion, truth)
        turns += wrong
        speeds += off
        print(f"{file.stem}: turns {np.round(wrong, 1).tolist()}, speed {np.median(off):.3f}")
    return {
        "turns": len(turns),
        "turn_error_deg": round(float(np.nanmedian(turns)), 2),
        "turns_unknown": int(np.isnan(turns).sum()),
        "speed_error_share": round(float(np.median(speeds)), 4),
    }


def _compared(motion: Motion, truth: dict[str, Any]) -> tuple[list[float], list[float]]:
    """Errors of turns, degrees, and of speeds, as shares."""
    time_s, speed = np.array(truth["time_s"]), np.array(truth["speed_mps"])
    heading = np.degrees(np.unwrap(np.radians(truth["heading_deg"])))
    turn = np.diff(np.interp(motion.time_s, time_s, heading))
    way = np.concatenate([[0.0], np.cumsum((speed[1:] + speed[:-1]) / 2 * np.diff(time_s))])
    mps = np.diff(np.interp(motion.time_s, time_s, way)) / np.diff(motion.time_s)
    wrong = [
        abs(float(motion.turn_deg[begin:end].sum() - turn[begin:end].sum()))
        for begin, end in _turning(np.abs(turn) > _TURNS_DEG)
        if abs(turn[begin:end].sum()) > _LEAST_TURN_DEG and end - begin <= _LONGEST_S + 1
    ]
    moves = np.isfinite(motion.speed) & (mps > _MOVES_MPS)
    factor = np.exp(np.median(np.log(np.maximum(motion.speed[moves], 1e-6) / mps[moves])))
    return wrong, np.abs(motion.speed[moves] / factor / mps[moves] - 1.0).tolist()


def _turning(turns: np.ndarray[Any, np.dtype[np.bool_]]) -> Iterator[tuple[int, int]]:
    """Begin and end of each run of turning intervals, with one to either side."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], turns, [False]]).astype(int)))
    for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        yield max(0, begin - 1), min(len(turns), end + 1)


def keys(result: dict[str, Any]) -> dict[str, float]:
    """The figures that are asked for by name."""
    names = {"rendered": "rendered_a05km", "never": "never_a05km", "never_without_roads": "never_a05km_before"}
    return {key: result[row]["a500m"] for row, key in names.items() if row in result} | {"radius_m": RADIUS_M}
