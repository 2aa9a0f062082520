"""Lay the lines of a result on roads that the user gives. The model's own line stays as it is; the matched one stands beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import Transformer

from ..batch import check_output
from ..export import read_answers
from ..export.columns import Table, clean, joined
from ..export.corrections import with_layers
from ..export.geopackage_read import COURSE
from ..export.lines import cut_line
from ..export.scores_file import share_scores
from ..export.tables import ends_of, steps_table
from ..feedback import Feedback
from ..geodesy import WGS84, centroid_deg
from ..outputs import check_files
from ..roads.layer import RoadLayer, open_roads
from ..trajectory.course import way_course_deg
from ..trajectory.roads import match_roads, reach_m, spread_m
from ..trajectory.steps import parts
from ..types import FloatArray, InputError, Trajectory, VideoResult

LAYER = "trajectory_matched"
_MOST_SEGMENTS = 400_000


def run_match(
    result: Path,
    roads: Path | str,
    *,
    output: Path | None = None,
    layer: str | None = None,
    crs: str | None = None,
    answer: str = "auto",
    overwrite: bool = False,
    feedback: Feedback = Feedback(),
) -> dict[str, Any]:
    """Match every video's line and write the layer ``trajectory_matched``.

    Args:
        result: GeoPackage that geolocate wrote.
        roads: vector file with lines, or an address of one, such as ``zip+https://example.org/roads.zip!roads.shp``.
        output: a copy of the result that gets the layer; None puts it into the result itself.
        layer: of ``roads``, where several hold lines.
        crs: of ``roads``, where it does not say.
        answer: which line, as for ``read_answers``.
        overwrite: replace what is at ``output`` also where it is no result.
        feedback: of the whole.

    Returns:
        ``output``, ``layers`` and ``videos``: name, located frames, those on a road, how far a frame was moved, in the middle, and ``pinned`` where it is
        the line that was solved with pins.

    Raises:
        InputError: there is no line to match, or the roads are no lines, of another place or in an unknown coordinate system.
        CancelledError: stopped; nothing was written.
    """
    if output is not None:
        check_output(output)
        check_files("match", {"result": result, "roads": roads, "output": output, "overwrite": overwrite})
        output = None if output.exists() and result.exists() and output.samefile(result) else output
    results = [one for one in read_answers(result, answer)[0] if any(run.stop - run.start > 1 for run in parts(one.trajectory))]
    if not results:
        raise InputError(f"{result.name} has no line to lay on roads: none of its videos has two neighbouring frames with an answer.")
    opened = open_roads(roads, layer, crs)
    tables: list[Table] = []
    said: list[dict[str, Any]] = []
    for number, one in enumerate(results):
        feedback.check("Stopped; nothing was written.")
        feedback.tell(number / len(results), "match", one.info.name)
        plane = _plane(one.trajectory)
        table, moved_m = _match(one, plane, _roads_near(opened, one.trajectory, plane))
        tables.append(table)
        located = int(np.isfinite(one.trajectory.lat_deg).sum())
        middle_m = round(float(np.median(moved_m)), 1) if len(moved_m) else None
        said.append({"name": clean(one.info.name), "located": located, "matched": len(moved_m), "median_moved_m": middle_m})
        if one.pinned:
            said[-1]["pinned"] = True
    if not any(len(table["video"]) for table in tables):
        raise InputError(
            f"No line of {result.name} could be laid on the roads of {opened.called}: none leads from frame to frame; check the layer."
        )
    with_layers(result, {LAYER: (joined(tables), "trajectory")}, output, overwrite=overwrite)
    if output is not None:
        share_scores(result, output)
    return {"output": str(output or result), "layers": [LAYER], "videos": said}


def _plane(trajectory: Trajectory) -> Transformer:
    """A plane of metres around a video's line."""
    known = np.isfinite(trajectory.lat_deg)
    lat, lon = centroid_deg(trajectory.lat_deg[known], trajectory.lon_deg[known])
    return Transformer.from_crs("EPSG:4326", f"+proj=laea +lat_0={lat} +lon_0={lon} +ellps=WGS84", always_xy=True)


def _spread(trajectory: Trajectory) -> FloatArray:
    """(T,) standard deviation of each frame's error, metres, read off the radius within which it lies with nearly even chances.

    A probability near one is as large as the fit allows at every radius: read at a wide one it would make a frame that is right to metres one that may lie
    anywhere, and the matched line would lag behind. A frame that is not rated lies within the confidence radius with even chances.
    """
    radii_m, chances = [trajectory.confidence_radius_m], trajectory.confidence[:, None]
    if trajectory.hypotheses is not None:
        radii_m = [*trajectory.hypotheses.radii_m, *radii_m]
        chances = np.hstack([trajectory.hypotheses.within, chances])
    order = np.argsort(radii_m, kind="stable")
    radius = np.asarray(radii_m)[order]
    chances = chances[:, order]
    nearest = np.argmin(np.nan_to_num(np.abs(chances - 0.5), nan=np.inf), axis=1)
    rows = np.arange(len(chances))
    rated = np.isfinite(chances).any(axis=1)
    return spread_m(chances[rows, nearest], np.where(rated, radius[nearest], trajectory.confidence_radius_m))


def _match(result: VideoResult, plane: Transformer, segments_m: FloatArray) -> tuple[Table, FloatArray]:
    """Rows of the layer, and how far each matched frame was moved, metres."""
    t = result.trajectory
    std_m = _spread(t)
    xy_m = np.column_stack(plane.transform(t.lon_deg, t.lat_deg))
    on_road = np.full((len(t.state), 2), np.nan)
    ways: dict[int, FloatArray] = {}
    for run in parts(t):
        if run.stop - run.start > 1:
            found = match_roads(xy_m[run], std_m[run], segments_m)
            on_road[run] = found.xy_m
            ways |= {int(t.frame_index[run.start + row]): way for row, way in found.ways.items()}
    known = np.isfinite(on_road[:, 0])
    lon, lat = np.full(len(known), np.nan), np.full(len(known), np.nan)
    lon[known], lat[known] = plane.transform(on_road[known, 0], on_road[known, 1], direction="INVERSE")
    table = steps_table(replace(result, trajectory=replace(t, lat_deg=lat, lon_deg=lon)))
    rows = [row for row, index in enumerate(table["from_index"]) if int(index) in ways]
    table = {name: values[rows] if isinstance(values, np.ndarray) else [values[row] for row in rows] for name, values in table.items()}
    course_of = dict(zip(t.frame_index.tolist(), t.course_deg.tolist(), strict=True))
    courses = np.full(len(rows), np.nan)
    for row, index in enumerate(table["from_index"]):
        way = ways[int(index)]
        x, y = plane.transform(way[:, 0], way[:, 1], direction="INVERSE")
        table["geometry"][row] = shapely.MultiLineString(cut_line(np.asarray(y), np.asarray(x)))
        table["length_m"][row] = WGS84.line_length(x, y)
        courses[row] = way_course_deg(np.asarray(y), np.asarray(x), course_of[int(index)])
    table["ends"] = ends_of(len(rows))  # of what could be matched
    table[COURSE] = courses
    passed_s = table["to_time_s"] - table["from_time_s"]
    table["speed_mps"] = np.divide(table["length_m"], passed_s, out=np.full(len(rows), np.nan), where=passed_s > 0)
    return table, np.linalg.norm(on_road[known] - xy_m[known], axis=1)


def _roads_near(roads: RoadLayer, trajectory: Trajectory, plane: Transformer) -> FloatArray:
    """(S, 2, 2) straight pieces of the roads near a video's line, on its plane, joined where roads meet or cross.

    Crossings count as junctions, bridges too: a layer need not be cut at its junctions.
    """
    known = np.isfinite(trajectory.lat_deg)
    reach = reach_m(_spread(trajectory)[known])
    line = shapely.MultiPoint(np.column_stack(plane.transform(trajectory.lon_deg[known], trajectory.lat_deg[known])))
    near = line.buffer(2.0 * reach).envelope
    to_roads = Transformer.from_crs(plane.target_crs, roads.system, always_xy=True)
    box = to_roads.transform_bounds(*near.bounds)
    shapes = [
        shape for shape in roads.source.read(roads.layer, box if box[0] < box[2] else None) if not isinstance(shape, dict)
    ]  # a dict is broken: no road

    def flat(c: FloatArray) -> FloatArray:
        return np.column_stack(to_roads.transform(c[:, 0], c[:, 1], direction="INVERSE"))

    lines = [
        part
        for part in shapely.get_parts([shapely.transform(shape, flat) for shape in shapes if not shape.is_empty])
        if part.geom_type == "LineString"
    ]
    lines = [one for one in lines if np.isfinite(shapely.get_coordinates(one)).all() and one.intersects(near)]
    if not lines:
        raise InputError(
            f"No road of {roads.called} lies within {2 * reach:,.0f} m of the line: it is of another place, or its coordinate system is not the one"
            f" that it states ({roads.system.name}); give the roads of this place, or their right system."
        )
    # Short pieces: the library finds roads near the first frame by their ends.
    whole = shapely.segmentize(shapely.union_all(lines), reach)
    coordinates = [shapely.get_coordinates(part) for part in shapely.get_parts(whole)]
    segments = np.concatenate([np.stack([one[:-1], one[1:]], axis=1) for one in coordinates])
    if len(segments) > _MOST_SEGMENTS:
        raise InputError(f"{roads.called} has {len(segments):,} pieces of road near the line: give a smaller layer.")
    return segments
