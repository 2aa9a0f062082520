"""What is added to a database of reference images at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..local_features import LocalRows
from ..types import FloatArray
from .images import ReferenceImage

ROW = np.dtype([("time_s", "<f8"), ("heading_deg", "<f4"), ("drive", "<i4"), ("sequence", "<i4"), ("number", "<i4")])
"""Of one reference: when it was taken, where it looks (NaN: not known), of which drive and of which sequence of the database it is, and its number in that. The
views of a panorama that look the same way along a drive are a sequence; other drives have one."""


@dataclass(frozen=True)
class Addition:
    """References to add, all of one frame encoder.

    Args:
        descriptors: (N, D) of length 1.
        lat_lon_deg: (N, 2) places.
        rows: (N,) ``ROW``; drives and sequences are numbered from 0 on within the addition.
        images: (N,) what is known of each; the same picture may stand several times, as views of a panorama do.
        thumbnails: (N,) JPEG of each, or None.
        local: (N,) local features of each, where the database keeps them.
    """

    descriptors: FloatArray
    lat_lon_deg: FloatArray
    rows: NDArray[np.void]
    images: Sequence[ReferenceImage]
    thumbnails: Sequence[bytes | None]
    local: LocalRows | None = None

    def __post_init__(self) -> None:
        counts = {len(self.descriptors), len(self.lat_lon_deg), len(self.rows), len(self.images), len(self.thumbnails)}
        counts |= {len(self.local)} if self.local is not None else set()
        if len(counts) != 1:
            raise ValueError(f"an addition's parts differ in length: {sorted(counts)}")
