"""Values from a server, whatever they are: as text of one line, as numbers, as times."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

_LONGEST_TEXT = 300
WRONG = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)
"""What reading an answer may raise that is not as it should be."""


def text(value: Any) -> str:
    """One line of text; empty where it is none."""
    return (
        " ".join("".join(sign if sign.isprintable() else " " for sign in value).split())[:_LONGEST_TEXT] if isinstance(value, str) else ""
    )


def number(value: Any) -> float:
    """A finite number; NaN where it is none."""
    found = float(value) if isinstance(value, int | float) else math.nan
    return found if math.isfinite(found) else math.nan


def time_s(value: Any) -> float:
    """Seconds since 1970 of an ISO date and time, in UTC where it names no offset; NaN where it is none."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return math.nan
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
