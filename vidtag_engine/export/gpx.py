"""GPX 1.1: a track a video, a segment an unbroken run of frames; confidence, course and street, which the format itself has not, as extensions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC
from html import escape
from pathlib import Path
from xml.etree import ElementTree as ET  # writes alone  # nosec B405

import numpy as np

from ..atomic import write_text
from ..trajectory.steps import parts
from ..types import Provenance, VideoResult
from .columns import clean, course_text, time_known, utc_times
from .tables import check_names
from .verdict_text import verdict_sentence

NAMESPACE = "urn:vidtag:gpx"
TRACK_POINT = "http://www.garmin.com/xmlschemas/TrackPointExtension/v2"
"""Where GPX 1.1 has what 1.0 called ``course``: a common extension that other programs read."""


def write_gpx(path: Path | str, results: Sequence[VideoResult], provenance: Provenance, *, overwrite: bool = False) -> None:
    """Write all videos' tracks. Points carry a time only where the video's start is known.

    Raises:
        InputError: it cannot be written, would replace what is not this tool's own (unless ``overwrite``), or two videos share a name.
    """
    from gpxpy.gpx import GPX

    check_names(results)
    gpx = GPX()
    gpx.creator = "VidTAG"
    gpx.time = provenance.created_utc
    gpx.nsmap |= {"vidtag": NAMESPACE, "gpxtpx": TRACK_POINT}
    gpx.tracks = [_track(result) for result in results]
    write_text(path, gpx.to_xml(version="1.1"), "gpx", overwrite=overwrite)


def _track(result: VideoResult) -> object:
    from gpxpy.gpx import GPXTrack, GPXTrackPoint, GPXTrackSegment

    t = result.trajectory
    times = utc_times(result, t.time_s).astype("datetime64[us]").tolist() if time_known(result) else [None] * len(t.time_s)
    track = GPXTrack(name=clean(result.info.name))
    track.source = "VidTAG, estimated from the pictures" + (" and from pins set by a person" if result.pinned else "")
    if said := verdict_sentence(result):
        track.description = said
    for run in parts(t):
        segment = GPXTrackSegment()
        for row in range(run.start, run.stop):
            moment = times[row]
            point = GPXTrackPoint(
                latitude=float(t.lat_deg[row]), longitude=float(t.lon_deg[row]), time=moment and moment.replace(tzinfo=UTC)
            )
            point.extensions = [_extension("frame", str(int(t.frame_index[row])))]
            if math.isfinite(t.confidence[row]):
                point.extensions.append(_extension("confidence", f"{np.float64(t.confidence[row]):.4f}"))
            if math.isfinite(t.course_deg[row]):
                more = ET.Element(f"{{{TRACK_POINT}}}TrackPointExtension")
                ET.SubElement(more, f"{{{TRACK_POINT}}}course").text = course_text(t.course_deg[row])
                point.extensions.append(more)
            if street := clean(t.street[row]):
                point.extensions.append(_extension("street", street))
            segment.points.append(point)
        track.segments.append(segment)
    return track


def _extension(name: str, text: str) -> ET.Element:
    element = ET.Element(f"{{{NAMESPACE}}}{name}")
    element.text = escape(text, quote=False)  # gpxpy writes it as it is
    return element
