"""The plane of the location encoder.

It is the *spherical* Equal Earth projection (Šavrič, Patterson and Jenny 2019), geodetic latitude taken as if on a sphere, as GeoCLIP does;
``+proj=eqearth +R=6371000`` is its oracle.
"""

from __future__ import annotations

import math

import torch

A1, A2, A3, A4 = 1.340264, -0.081106, 0.000893, 0.003796
_ROOT3 = math.sqrt(3.0)
# GeoCLIP divides degrees by 180 after scaling by 66.50336, so that x spans ±1.
_SCALE = 66.50336 / 180.0
# One unit of the plane in metres on the ground, near the equator.
UNIT_M = 6_371_000.0 / _SCALE


def equal_earth(lat_lon_deg: torch.Tensor) -> torch.Tensor:
    """Project to the plane of the location encoder (GeoCLIP's scaling).

    Args:
        lat_lon_deg: (..., 2) latitude, longitude in degrees, any float type; computed in float64.

    Returns:
        (..., 2) float64 x, y; x spans ±1, one unit is about 17,244 km.
    """
    radians = torch.deg2rad(lat_lon_deg.double())
    lat, lon = radians[..., 0], radians[..., 1]
    theta = torch.asin(_ROOT3 / 2.0 * torch.sin(lat))
    t2 = theta * theta
    t6 = t2 * t2 * t2
    x = 2.0 * _ROOT3 * lon * torch.cos(theta) / (3.0 * (9.0 * A4 * t6 * t2 + 7.0 * A3 * t6 + 3.0 * A2 * t2 + A1))
    y = theta * (A4 * t6 * t2 + A3 * t6 + A2 * t2 + A1)
    return torch.stack([x, y], dim=-1) * _SCALE
