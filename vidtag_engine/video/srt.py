"""Subtitles with positions, as DJI's drones write them beside a video."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from ..types import InputError, Track

if TYPE_CHECKING:
    from pathlib import Path

_NUMBER = r"([-+]?\d+(?:\.\d+)?)"
_START = re.compile(r"(\d+):(\d\d):(\d\d)[,.](\d{1,3})\s*-->")
# [latitude: 41.03] [longitude: -83.30], also "longtitude" as some models write; older ones GPS(lon,lat,alt)
_LAT = re.compile(rf"\blat(?:itude)?\s*[:=]\s*{_NUMBER}", re.IGNORECASE)
_LON = re.compile(rf"\blon(?:g?t?itude|gtitude)?\s*[:=]\s*{_NUMBER}", re.IGNORECASE)
_OLD = re.compile(rf"GPS\s*\(\s*{_NUMBER}\s*,\s*{_NUMBER}", re.IGNORECASE)


def read(path: Path) -> Track:
    """One position a subtitle; ``time_s`` since the video's start. Positions of 0, 0 (no lock) are left out.

    Raises:
        InputError: no subtitle with a position.
    """
    rows = []
    for block in re.split(r"\n\s*\n", path.read_bytes().decode("utf-8", errors="replace").replace("\r", "")):
        start, position = _START.search(block), _position(block)
        if start is None or position is None:
            continue
        hours, minutes, seconds, fraction = start.groups()
        rows.append((int(hours) * 3600 + int(minutes) * 60 + int(seconds) + int(fraction.ljust(3, "0")) / 1000, *position))
    if not rows:
        raise InputError(f"{path} holds no subtitle with a position; give the SRT file that the drone wrote, or a GPX or CSV track.")
    table = np.array(sorted(rows), dtype=np.float64)
    return Track(table[:, 0], table[:, 1], table[:, 2], absolute=False, source="SRT")


def _position(block: str) -> tuple[float, float] | None:
    lat, lon = _LAT.search(block), _LON.search(block)
    if lat is not None and lon is not None:
        position = float(lat.group(1)), float(lon.group(1))
    elif (old := _OLD.search(block)) is not None:
        position = float(old.group(2)), float(old.group(1))
    else:
        return None
    usable = abs(position[0]) <= 90 and abs(position[1]) <= 180 and position != (0.0, 0.0)
    return position if usable else None
