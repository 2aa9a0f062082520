"""A video's stored features and truth, as training, calibration and evaluation read them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..local_features import LocalRows
from ..types import FloatArray, IntArray


@dataclass(frozen=True)
class TrainingSequence:
    """One video's stored features and truth.

    Args:
        name: of the video.
        features: (V, T, D) unit-normalised backbone features; view 0 is the plain picture, the others are augmented.
        lat_lon_deg: (T, 2) truth.
        time_s: (T,) seconds after the video's start.
        layout: (T, L) of the plain pictures: what stands where in them; None where the encoder does not say.
        thumbnails: (T,) JPEG of each, where they were asked for; a part of a sequence has none.
        local: (T,) what tells details of the plain pictures, where it was asked for; read when it is asked for.
        numbers: (T,) which of a list's images these are, where damaged ones were left out; None: all, in order.
    """

    name: str
    features: FloatArray
    lat_lon_deg: FloatArray
    time_s: FloatArray
    layout: FloatArray | None = None
    thumbnails: tuple[bytes, ...] = ()
    numbers: IntArray | None = None
    local: LocalRows | None = None

    def __len__(self) -> int:
        return int(self.features.shape[1])

    @property
    def seen(self) -> FloatArray:
        """(T, D) features of the plain pictures, with the layout after them, (T, D + L), where there is one: what the frame encoder gives."""
        plain = np.asarray(self.features[0], dtype=np.float32)
        return plain if self.layout is None else np.concatenate([plain, self.layout.astype(np.float32)], axis=1)

    def part(self, start: int, stop: int) -> TrainingSequence:
        """The frames from ``start`` to ``stop`` as a sequence of their own."""
        window = slice(start, stop)
        layout = None if self.layout is None else self.layout[window]
        features, places, times = self.features[:, window], self.lat_lon_deg[window], self.time_s[window]
        local = None if self.local is None else self.local.take(np.arange(len(self))[window])
        return TrainingSequence(f"{self.name}[{start}:{stop}]", features, places, times, layout, local=local)
