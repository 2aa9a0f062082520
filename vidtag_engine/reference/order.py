"""The order in which a database keeps its images, and the narrowest box about them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..types import FloatArray, IntArray

_CURVE_BITS = 16  # of each coordinate: 600 m of the globe, and what lies nearer keeps the order that it came in


def narrowest_lon_deg(lon_deg: FloatArray) -> tuple[float, float]:
    """The west and east end of the narrowest stretch that holds longitudes (N,); over the antimeridian the first is the greater."""
    ordered = np.unique(lon_deg)
    gaps = np.diff(ordered, append=ordered[0] + 360.0)
    widest = int(gaps.argmax())
    return float(ordered[(widest + 1) % len(ordered)]), float(ordered[widest])


def along_curve(lat_deg: FloatArray, lon_deg: FloatArray) -> IntArray:
    """(N,) an order in which neighbours are mostly near each other: along a Z-curve (Morton 1966) over latitude and longitude, fine enough for a street's block."""
    if not len(lat_deg):
        return np.zeros(0, dtype=np.int64)
    low = np.array([lat_deg.min(), lon_deg.min()])
    size = max(float(np.ptp(lat_deg)), float(np.ptp(lon_deg)), 1e-9)
    cells = [((one - least) / size * (2**_CURVE_BITS - 1)).astype(np.uint64) for one, least in zip((lat_deg, lon_deg), low, strict=True)]
    order: IntArray = np.argsort(_spread(cells[0]) << np.uint64(1) | _spread(cells[1]), kind="stable")
    return order


def _spread(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A zero between each two bits of numbers of 16 bits."""
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        values = (values | (values << np.uint64(shift))) & np.uint64(mask)
    return values
