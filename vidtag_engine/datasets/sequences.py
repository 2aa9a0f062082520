"""What a data set gives: sequences of frames with known places, and a count of what was left out and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..types import FloatArray, Track


@dataclass(frozen=True)
class PlaceLabels:
    """A city and what it lies in, as numbers or names, whichever the data set uses (never compared between data sets)."""

    city: int | str
    state: int | str
    country: int | str
    continent: int | str


@dataclass(frozen=True)
class LabelledSequence:
    """One sequence of a data set: a list of images, each with its place, or a video with its track.

    Args:
        name: unique within the data set.
        root: folder that ``files`` are relative to.
        files: images in order (T of them), or the one video.
        kind: ``"images"`` or ``"video"``.
        time_s: (T,) seconds after the first image; of a video, (N,) seconds after its start at which its track has fixes.
        lat_lon_deg: (T, 2) places of the images; of a video, (N, 2) the fixes.
        region: the city or area it belongs to, "" where the data set names none.
        labels: of CityGuessr68k, else None.
        scene: (16,) soft Places2 labels of CityGuessr68k, else None.
        text: (512,) float16, how the names of CityGuessr68k's labels read to a text encoder, else None.
    """

    name: str
    root: Path
    files: tuple[str, ...]
    kind: str
    time_s: FloatArray
    lat_lon_deg: FloatArray
    region: str = ""
    labels: PlaceLabels | None = None
    scene: FloatArray | None = None
    text: NDArray[np.float16] | None = None

    def __len__(self) -> int:
        return len(self.time_s)

    @property
    def paths(self) -> list[Path]:
        """The images or the video; made when asked for, since a million paths are heavy."""
        return [self.root / file for file in self.files]

    @property
    def track(self) -> Track:
        """The places as a track on the sequence's own clock."""
        return Track(self.time_s, self.lat_lon_deg[:, 0], self.lat_lon_deg[:, 1], absolute=False, source=self.region or "data set")


@dataclass
class Skips:
    """What was left out: how many of what, why, and one example each."""

    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, reason: str, example: str, count: int = 1) -> None:
        """Count something left out. ``reason`` says what it is: "images whose file is missing"."""
        if count:
            self.counts[reason] = self.counts.get(reason, 0) + count
            self.examples.setdefault(reason, example)

    def lines(self) -> Iterator[str]:
        """Sentences for people."""
        for reason, count in self.counts.items():
            yield f"{count:,} {reason} (for example {self.examples[reason]})."

    def to_dict(self) -> dict[str, dict[str, int | str]]:
        """Plain JSON values."""
        return {reason: {"count": count, "example": self.examples[reason]} for reason, count in self.counts.items()}


def usable_place(lat_deg: float, lon_deg: float) -> bool:
    """Whether a latitude and longitude can be a place: finite, on the globe, and not the (0, 0) or -1 that stands for "unknown"."""
    on_globe = abs(lat_deg) <= 90.0 and abs(lon_deg) <= 180.0  # false for NaN too
    return on_globe and not (lat_deg == 0.0 and lon_deg == 0.0) and lat_deg != -1.0 and lon_deg != -1.0


def clock(captured_s: list[float | None]) -> FloatArray:
    """(T,) seconds after the first image: true times where every image has one and they rise, else one second apart in the given order."""
    if captured_s and all(moment is not None for moment in captured_s):
        times = np.asarray(captured_s, dtype=np.float64)
        if len(times) == 1 or (np.diff(times) > 0).all():
            return times - times[0]
    return np.arange(len(captured_s), dtype=np.float64)
