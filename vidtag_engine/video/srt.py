"""Subtitles with positions, as DJI's drones write them beside a video."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from ..types import InputError, Track

if TYPE_CHECKING:
    from pathlib import Path

# A decimal comma is one where a digit follows it at once.
_NUMBER = r"([-+]?\d+(?:[.,]\d+)?)"
_START = re.compile(r"(\d+):(\d\d):(\d\d)[,.](\d{1,3})\s*-->")
# [latitude: 41.03] [longitude: -83.30], also "longtitude" as some models write; older ones GPS(lon,lat,alt), some GPS(W: 83.30, N: 41.03, 12m)
_LAT = re.compile(rf"\blat(?:itude)?\s*[:=]\s*{_NUMBER}", re.IGNORECASE)
_LON = re.compile(rf"\blon(?:g?t?itude|gtitude|g)?\s*[:=]\s*{_NUMBER}", re.IGNORECASE)
_OLD = re.compile(r"GPS\s*\(\s*([^)]*)\)", re.IGNORECASE)
_LETTERED = re.compile(rf"([NSEW])\s*[:=]?\s*{_NUMBER}", re.IGNORECASE)


def read(path: Path) -> Track:
    """One position a subtitle; ``time_s`` since the video's start.

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
    """Latitude and longitude."""
    lat, lon = _LAT.search(block), _LON.search(block)
    if lat is not None and lon is not None:
        return _float(lat[1]), _float(lon[1])
    old = _OLD.search(block)
    return _bracketed(old[1].strip()) if old is not None else None


def _bracketed(text: str) -> tuple[float, float] | None:
    """What stands in GPS(...): longitude first, unless letters say which is which."""
    lettered = {letter.upper(): _float(number) for letter, number in _LETTERED.findall(text)}
    if lettered:
        lat = lettered.get("N", -lettered["S"] if "S" in lettered else None)
        lon = lettered.get("E", -lettered["W"] if "W" in lettered else None)
        return None if lat is None or lon is None else (lat, lon)
    if "." in text:
        parts = re.split(r"[,;\s]+", text)
    elif re.search(r";|,\s", text):  # decimal commas, apart by semicolons or by commas and spaces
        parts = re.split(r";\s*|,\s+", text)
    else:
        parts = text.split(",")
        if len(parts) > 4:  # 13,1,55,6,20: decimal commas and nothing else between
            parts = [f"{parts[0]}.{parts[1]}", f"{parts[2]}.{parts[3]}"]
    try:
        return _float(parts[1]), _float(parts[0])
    except (IndexError, ValueError):
        return None


def _float(text: str) -> float:
    return float(text.replace(",", "."))
