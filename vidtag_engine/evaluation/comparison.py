"""A video's answer beside its truth."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..types import FloatArray, IntArray


@dataclass(frozen=True)
class Comparison:
    """One video's frames that have both an answer and a truth: arrays (n,) and (n, 2); ``rows`` (n,) are their rows in the trajectory."""

    predicted: FloatArray
    truth: FloatArray
    phase1: FloatArray
    confidence: FloatArray
    radius_m: float
    left_out: dict[str, int] = field(default_factory=dict)
    note: str = ""
    why_none: str = ""
    frames: int = 0
    rows: IntArray | None = None
