"""GPX tracks."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING

import gpxpy
import numpy as np

from ..types import InputError, Track

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


# White space about a time, which XML schema's dateTime allows and gpxpy does not; a comma or a small z within.
_TIME = re.compile(rb"(<(?:\w+:)?time\s*>)\s*([^<]*?)\s*(</)")


def read(path: Path) -> Track:
    """Every timed track point (else timed way points) as Unix time. Raises InputError where the file is no GPX or has no times."""
    try:
        gpx = gpxpy.parse(_TIME.sub(_plain_time, path.read_bytes()))
    except (gpxpy.gpx.GPXException, ValueError, LookupError) as error:
        raise InputError(f"{path} is not a GPX file that can be read; export the track again.") from error
    points = [p for track in gpx.tracks for segment in track.segments for p in segment.points]
    points = points or [p for route in gpx.routes for p in route.points] or list(gpx.waypoints)
    if not points:
        raise InputError(f"{path} is a GPX file without a single point; export the track again.")
    timed = [p for p in points if p.time is not None]
    if not timed:
        raise InputError(f"The points in {path} have no times, so they cannot be matched with frames; export the track with times.")
    table = np.array([[_unix_s(p.time), p.latitude, p.longitude] for p in timed], dtype=np.float64).reshape(-1, 3)
    table = table[np.argsort(table[:, 0], kind="stable")]
    untimed = len(points) - len(timed)
    note = f"{untimed} of {len(points)} points of {path.name} have no time that can be read and were left out." if untimed else ""
    return Track(table[:, 0], table[:, 1], table[:, 2], absolute=True, source="GPX", note=note)


def _plain_time(found: re.Match[bytes]) -> bytes:
    return found[1] + found[2].replace(b",", b".").replace(b"z", b"Z") + found[3]


def _unix_s(moment: datetime) -> float:
    """GPX times are UTC; one without a zone is taken so."""
    return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).timestamp()
