"""Softmax mass within radii, frame by frame in float64: what the engine's running sums are held against."""

import numpy as np

from vidtag_engine.geodesy import EARTH_RADIUS_M, unit_vectors
from vidtag_engine.types import FloatArray


def mass_within(
    scores: FloatArray,
    gallery_lat_lon_deg: FloatArray,
    centres_lat_lon_deg: FloatArray,
    radii_m: FloatArray,
    temperatures: FloatArray,
) -> FloatArray:
    """Softmax mass within each radius of each frame's centre, for a gallery whose scores fit in memory.

    Args:
        scores: (T, N) similarity of each frame to each gallery point.
        gallery_lat_lon_deg: (N, 2).
        centres_lat_lon_deg: (T, 2), each frame's pick.
        radii_m: (R,) great-circle metres.
        temperatures: (K,) > 0; the softmax is over ``scores / temperature``.

    Returns:
        (K, T, R) float64 shares in 0..1; NaN for a frame whose centre is NaN.
    """
    points = unit_vectors(gallery_lat_lon_deg[:, 0], gallery_lat_lon_deg[:, 1])
    centres = unit_vectors(centres_lat_lon_deg[:, 0], centres_lat_lon_deg[:, 1])
    radii_m = np.atleast_1d(np.asarray(radii_m, dtype=np.float64))
    temperatures = np.atleast_1d(np.asarray(temperatures, dtype=np.float64))
    mass = np.full((len(temperatures), len(centres), len(radii_m)), np.nan)
    for frame, centre in enumerate(centres):
        if not np.isfinite(centre).all():
            continue
        # Differences, not dot products: 1 - cos loses everything below a decimetre.
        chords = np.sqrt(np.sum((points - centre) ** 2, axis=1))
        reach_m = radii_m - 2.0 * EARTH_RADIUS_M * np.arcsin(np.minimum(chords / 2.0, 1.0))[:, None]
        inside = (reach_m >= 0).astype(np.float64)
        logits = np.asarray(scores[frame], dtype=np.float64) - np.max(scores[frame])
        weights = np.exp(logits / temperatures[:, None])
        mass[:, frame] = weights @ inside / weights.sum(axis=1, keepdims=True)
    return mass
