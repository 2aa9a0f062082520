"""Times and angles as cells of tables and tags write them."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

from .container import parse_time

_DURATION = re.compile(r"(?:(?:(\d+):)?(\d{1,3}):)?(\d+(?:[.,]\d+)?)\s*(?:s|sec|seconds)?$")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:Z|UTC|GMT|[-+]\d{2}:?\d{2})?$", re.IGNORECASE)
_DAY = re.compile(r"(\d{4})[-/.:](\d{1,2})[-/.:](\d{1,2})|(\d{1,2})\.(\d{1,2})\.(\d{4})|(\d{4})(\d{2})(\d{2})")
_ZONE_WORD = re.compile(r"\s*\(?(?:UTC|GMT)\)?(?=$|[-+]\d)", re.IGNORECASE)
_WIDE_ZONE = re.compile(r"\s*([-+]\d{1,2})(?::?(\d{2}))?$")
_ANGLE = re.compile(
    r"([-+]?\d+(?:[.,]\d+)?)\s*(?:(?:deg|[°d:])\s*(?:(\d+(?:[.,]\d+)?)\s*(?:['′’m:]\s*(?:(\d+(?:[.,]\d+)?)\s*(?:\"|″|”|''|s)?\s*)?)?)?)?([NSEW])?[a-z]*$",
    re.IGNORECASE,
)


def number_of(text: str) -> float | None:
    """A finite number with a decimal point, or a decimal comma where that was the cell."""
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def moment_of(text: str) -> datetime | None:
    """A date with a time of day as UTC; one without a zone is taken so. None for what is none, or has no time of day.

    ISO 8601, exiftool's ``2026:05:01 12:00:00.5+02:00``, ``2026/05/01 12:00``, ``1.5.2026 12:00``, ``20260501 12:00:00``; a zone as Z, UTC, GMT
    or an offset. Days written as 05/01/2026 are not guessed at.
    """
    text = text.strip().strip("\0")
    day = _DAY.match(text)
    if day is None:
        return None
    year, month, date = (day[1], day[2], day[3]) if day[1] else (day[6], day[5], day[4]) if day[6] else (day[7], day[8], day[9])
    clock = text[day.end() :].strip().lstrip("Tt,").strip()
    clock = _ZONE_WORD.sub("Z" if not re.search(r"[-+]\d", clock) else "", clock).replace("z", "Z")
    if not re.match(r"\d{1,2}:\d{2}|\d{6}", clock):
        return None
    if len(clock) > 1 and clock[1] == ":":
        clock = f"0{clock}"
    if (zone := _WIDE_ZONE.search(clock)) is not None:
        clock = f"{clock[: zone.start()]}{zone[1][0]}{zone[1][1:].zfill(2)}:{zone[2] or '00'}"
    return parse_time(f"{year}-{month.zfill(2)}-{date.zfill(2)}T{clock.replace(' ', '')}")


def is_time_of_day(text: str) -> bool:
    """Whether the cell is a time of day without its date."""
    return _CLOCK.match(text.strip()) is not None


def has_date(text: str) -> bool:
    """Whether the cell begins with a date."""
    return _DAY.match(text.strip()) is not None and not re.fullmatch(r"\d+(?:\.\d+)?", text.strip())


def duration_s(text: str) -> float | None:
    """``12.5``, ``12.5 s``, ``0:01:12`` or ``01:12.5`` in seconds."""
    found = _DURATION.match(text.strip())
    if found is None:
        return None
    return int(found[1] or 0) * 3600 + int(found[2] or 0) * 60 + float(found[3].replace(",", "."))


def angle_deg(text: str) -> float | None:
    """``51.5``, ``51,5``, ``51.5 N`` or ``51 deg 30' 0.00" N`` in degrees; south and west are negative."""
    number = number_of(text)
    if number is not None:
        return number
    found = _ANGLE.match(text.strip())
    if found is None:
        return None
    degrees, minutes, seconds = (float((part or "0").replace(",", ".")) for part in found.group(1, 2, 3))
    size = abs(degrees) + minutes / 60 + seconds / 3600
    return -size if found[1].startswith("-") or (found[4] or "").upper() in {"S", "W"} else size


def utc(unix_s: float) -> str:
    """Unix seconds for people."""
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
