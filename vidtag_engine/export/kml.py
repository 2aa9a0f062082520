"""KML for Google Earth and its kin: a line coloured by confidence, and a gx:Track that the time slider moves along."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

from ..atomic import write_text
from ..file_marks import mark_of
from ..trajectory.steps import parts
from ..types import Provenance, VideoResult
from .colours import CLASS_COLOURS, NOT_RATED, NOT_RATED_WORDS, REGION_COLOURS, class_label, class_of
from .columns import Table, clean, course_text, iso_texts, time_known, utc_times
from .confidence_tables import frame_regions, region_spots, video_regions
from .matches_table import attribution
from .place_names import place_text, places_of
from .tables import check_names, located_mask, steps_table
from .verdict_text import verdict_sentence


def write_kml(path: Path | str, results: Sequence[VideoResult], provenance: Provenance, *, overwrite: bool = False) -> None:
    """Write a folder a video: first and last place, the line in the colours of confidence, a gx:Track where the time is known, regions.

    Steps of the same colour that follow each other make one line; what crosses ±180° is cut. Lines and tracks lie on the ground.

    Raises:
        InputError: it cannot be written, would replace what is not this tool's own (unless ``overwrite``), or two videos share a name.
    """
    import simplekml

    check_names(results)
    kml = simplekml.Kml(name="VidTAG")
    said = f"Estimated from the pictures of {len(results)} video(s); written {provenance.created_utc:%Y-%m-%d %H:%M} UTC"
    kml.document.description = " ".join(filter(None, [f"{said}." if attribution(results) else said, attribution(results)]))
    styles = [_line_style(simplekml, colour) for colour in CLASS_COLOURS]
    kml.document.styles.extend(styles)
    schema = kml.newschema(name="frames")
    schema.newgxsimplearrayfield(name="confidence", type=simplekml.Types.float, displayname="Confidence")
    schema.newgxsimplearrayfield(name="course_deg", type=simplekml.Types.float, displayname="Course over ground (degrees)")
    schema.newgxsimplearrayfield(name="street", type=simplekml.Types.string, displayname="Street")
    for result in results:
        folder = kml.newfolder(name=clean(result.info.name))
        if said := verdict_sentence(result):
            folder.description = said
        if result.pinned:
            folder.description = "Corrected with pins set by a person."
        _add_ends(simplekml, folder, result)
        _add_lines(simplekml, folder, result, styles)
        if time_known(result):
            _add_track(simplekml, folder, result, schema)
        add_regions(simplekml, folder, result)
    write_text(
        path,
        f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- Generator: {mark_of("kml")} -->\n{kml.kml(format=False)}\n',
        "kml",
        overwrite=overwrite,
    )


def _line_style(simplekml: Any, colour: str) -> Any:
    style = simplekml.Style()
    style.linestyle.width = 4
    style.linestyle.color = f"ff{colour[5:7]}{colour[3:5]}{colour[1:3]}"  # KML writes alpha, blue, green, red
    return style


def _add_ends(simplekml: Any, folder: Any, result: VideoResult) -> None:
    """Markers at the first and last place known; one where they are the same frame."""
    t = result.trajectory
    rows = located_mask(t).nonzero()[0]
    ends = [("Start", rows[0]), ("End", rows[-1])] if len(rows) > 1 else [("Place", row) for row in rows]
    times, places = iso_texts(utc_times(result, t.time_s)), places_of(t.lat_deg, t.lon_deg)
    for name, row in ends:
        point = folder.newpoint(name=name, coords=[(float(t.lon_deg[row]), float(t.lat_deg[row]))])
        point.description = _joined(
            f"Frame {int(t.frame_index[row])}, {_sure(float(t.confidence[row]))}", place_text(places[row], t.street[row])
        )
        if time_known(result):
            point.timestamp = simplekml.TimeStamp(when=times[row])


def _add_lines(simplekml: Any, folder: Any, result: VideoResult, styles: list[Any]) -> None:
    table, t = steps_table(result), result.trajectory
    starts, ends = iso_texts(table["start_time"]), iso_texts(table["end_time"])
    place_at = dict(zip(t.frame_index.tolist(), map(place_text, places_of(t.lat_deg, t.lon_deg), t.street), strict=True))
    for first, last, number in _same_colour(table):
        lines = folder.newmultigeometry(name=NOT_RATED_WORDS if number == NOT_RATED else f"Confidence {class_label(number)}")
        for coordinates in _chained(table["geometry"][first : last + 1]):
            line = lines.newlinestring(coords=coordinates)
            line.tessellate = 1
            line.altitudemode = simplekml.AltitudeMode.clamptoground
        lines.style = styles[number]
        lowest = float(table["confidence"][first : last + 1].min())
        from_index, to_index = int(table["from_index"][first]), int(table["to_index"][last])
        named = " to ".join(dict.fromkeys(filter(None, (place_at[from_index], place_at[to_index]))))
        lines.description = _joined(f"Frames {from_index} to {to_index}, {_sure(lowest, 'lowest confidence')}", named)
        if time_known(result):
            lines.timespan = simplekml.TimeSpan(begin=starts[first], end=ends[last])


def _same_colour(table: Table) -> Iterator[tuple[int, int, int]]:
    """First step, last step and class of every stretch of joined steps in one colour."""
    classes = [class_of(float(value)) for value in table["confidence"]]
    first = 0
    for i in range(1, len(classes) + 1):
        if i == len(classes) or classes[i] != classes[first] or table["from_index"][i] != table["to_index"][i - 1]:
            yield first, i - 1, classes[first]
            first = i


def _chained(steps: Any) -> list[list[tuple[float, float]]]:
    """Steps' parts joined end to end, apart only at ±180°."""
    chains: list[list[tuple[float, float]]] = []
    for step in steps:
        for part_number, part in enumerate(step.geoms):
            coordinates = list(part.coords)
            if chains and part_number == 0:
                chains[-1] += coordinates[1:]
            else:
                chains.append(coordinates)
    return chains


def _add_track(simplekml: Any, folder: Any, result: VideoResult, schema: Any) -> None:
    """A gx:MultiTrack with a gx:Track for every unbroken run: nothing is made up in between.

    A frame without a course has empty angles: a viewer that turns its icon takes those of the frames beside it. Whether there is one the array tells.
    """
    t = result.trajectory
    runs = parts(t)
    if not runs:
        return
    times = iso_texts(utc_times(result, t.time_s))
    multi = folder.newgxmultitrack(name=clean(result.info.name), gxinterpolate=0)
    multi.style.linestyle.width = 0  # the coloured line is drawn already
    for run in runs:
        track = multi.newgxtrack(altitudemode=simplekml.AltitudeMode.clamptoground)
        track.newwhen(times[run])
        track.newgxcoord([(float(x), float(y), 0.0) for x, y in zip(t.lon_deg[run], t.lat_deg[run], strict=True)])
        track.extendeddata.schemadata.schemaurl = schema.id
        confidence = [round(float(value), 4) if math.isfinite(value) else "" for value in t.confidence[run]]
        track.extendeddata.schemadata.newgxsimplearraydata("confidence", confidence)
        course = [course_text(value) if math.isfinite(value) else "" for value in t.course_deg[run]]
        track.extendeddata.schemadata.newgxsimplearraydata("course_deg", course)
        streets = [escape(clean(name), quote=False) for name in t.street[run]]  # simplekml writes an array as it is
        track.extendeddata.schemadata.newgxsimplearraydata("street", streets)
        if any(course):
            track.newgxangle([(text, 0, 0) if text else () for text in course])


def add_regions(simplekml: Any, folder: Any, result: VideoResult) -> None:
    """Where the truth lies with 50 and 90 %: of the video, and of each frame. Switched off: they would cover the line."""
    t = result.trajectory
    times = iso_texts(utc_times(result, t.time_s)) if time_known(result) else None
    shapes: list[tuple[str, int | None, int, Any]] = [
        (f"Frame {int(t.frame_index[row])}, {level} %", row, level, shape) for row, level, shape in frame_regions(t)
    ]
    shapes += [(f"Video, {level} %", None, level, shape) for level, shape in video_regions(t)]
    if not shapes:
        return
    regions = folder.newfolder(name="Regions", visibility=0)
    styles = {level: _region_style(simplekml, colour) for level, colour in REGION_COLOURS.items()}
    marks = zip(shapes, places_of(*region_spots(t)), strict=True)
    for (name, row, level, shape), place in sorted(marks, key=lambda one: one[0][1] is not None):  # the video's before the frames'
        mark = regions.newmultigeometry(name=name, visibility=0)
        if place is not None:
            mark.description = place_text(place)
        for part in shape.geoms:
            mark.newpolygon(outerboundaryis=list(part.exterior.coords), innerboundaryis=[list(ring.coords) for ring in part.interiors])
        mark.style = styles[level]
        if times and row is not None:
            mark.timestamp = simplekml.TimeStamp(when=times[row])


def _region_style(simplekml: Any, colour: str) -> Any:
    style = simplekml.Style()
    style.linestyle.color = f"ff{colour[5:7]}{colour[3:5]}{colour[1:3]}"
    style.polystyle.color = f"66{colour[5:7]}{colour[3:5]}{colour[1:3]}"
    return style


def _joined(said: str, named: str) -> str:
    return f"{said}; {named}" if named else said


def _sure(value: float, what: str = "confidence") -> str:
    return f"{what} {value * 100:.0f} %" if math.isfinite(value) else NOT_RATED_WORDS.lower()
