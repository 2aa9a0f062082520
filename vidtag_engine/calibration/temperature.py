"""One temperature, fitted on validation frames, that makes the mass within R a probability.

The softmax mass within R of a pick should equal P(truth within R of the pick), at every R asked about at once. There is one number to
fit, the temperature, by log loss against targets smoothed as in Platt (1999): with n frames of which all are right the target is
(n+1)/(n+2), so that few frames cannot drive the temperature to zero. Nothing here depends on the gallery's size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..types import FloatArray, InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
from ..trajectory.calibration import Calibration, RadiusFit, add_one
from .reliability import brier, cross_entropy, ece, log_loss

MassAt = Callable[[FloatArray], FloatArray]
# Cosines differ by 1e-4 between neighbours of a fine grid and by 1 at most: outside these bounds softmax is one-hot or flat.
TEMPERATURE_BOUNDS = (1e-4, 10.0)
_COARSE, _FINE, _FINE_ROUNDS = 26, 9, 2


def fit_temperature(
    mass_at: MassAt,
    correct: NDArray[np.bool_],
    *,
    radii_m: ArrayLike | None = None,
    similarity: str = "phase1",
    bounds: tuple[float, float] = TEMPERATURE_BOUNDS,
) -> Calibration:
    """Fit the temperature at which the mass within each radius matches how often the truth lies there.

    Args:
        mass_at: takes (K,) temperatures and gives (K, n_frames, n_radii) masses around the picks; called three times.
        correct: (n_frames, n_radii), whether the truth lies within each radius of the pick.
        radii_m: (n_radii,) for the record.
        similarity: what the scores are, for the record: "phase1" or "phase2".
        bounds: of the temperature.

    Raises:
        InputError: no frame has a mass and a truth.
        ValueError: the shapes do not fit.
    """
    correct = np.asarray(correct, dtype=bool)
    if correct.ndim != 2:
        raise ValueError(f"correct must be (n_frames, n_radii), not {correct.shape}")
    radii = np.full(correct.shape[1], np.nan) if radii_m is None else np.asarray(radii_m, dtype=np.float64)
    if radii.shape != correct.shape[1:]:
        raise ValueError(f"{radii.size} radii for {correct.shape[1]} columns")

    temperatures = np.geomspace(*bounds, _COARSE)
    best, mass = _lowest_loss(mass_at, temperatures, correct)
    for _ in range(_FINE_ROUNDS):
        low, high = temperatures[max(best - 1, 0)], temperatures[min(best + 1, len(temperatures) - 1)]
        temperatures = np.geomspace(low, high, _FINE)
        best, mass = _lowest_loss(mass_at, temperatures, correct)

    known = np.isfinite(mass).all(axis=1)
    mass, correct = mass[known], correct[known]
    said = add_one(np.clip(mass, 0.0, 1.0), len(mass))
    fits = tuple(
        RadiusFit(float(radii[r]), float(correct[:, r].mean()), float(said[:, r].mean()), brier(said[:, r], correct[:, r]))
        for r in range(len(radii))
    )
    return Calibration(
        temperature=float(temperatures[best]),
        similarity=similarity,
        n_frames=len(mass),
        ece=ece(said, correct),
        brier=brier(said, correct),
        log_loss=log_loss(said, correct),
        by_radius=fits,
    )


def _lowest_loss(mass_at: MassAt, temperatures: FloatArray, correct: NDArray[np.bool_]) -> tuple[int, FloatArray]:
    """Index of the best temperature, and the masses (n_frames, n_radii) there."""
    mass = np.asarray(mass_at(temperatures), dtype=np.float64)
    if mass.shape != (len(temperatures), *correct.shape):
        raise ValueError(f"mass_at gave {mass.shape} where {(len(temperatures), *correct.shape)} is needed")
    known = np.isfinite(mass).all(axis=(0, 2))
    n_frames = int(known.sum())
    if not n_frames or not correct.shape[1]:
        raise InputError("There is no validation frame with both a position and a truth to fit the confidence on: give a longer track.")
    right = correct[known].sum(axis=0)
    # Platt's targets, then the same add-one that the confidence gets: the optimum is where the mass itself equals Platt's target.
    target = np.where(correct[known], (right + 1.0) / (right + 2.0), 1.0 / (n_frames - right + 2.0))
    said = add_one(np.clip(mass[:, known], 0.0, 1.0), n_frames)
    loss = cross_entropy(said, add_one(target, n_frames)[None]).mean(axis=(1, 2))
    # A flat stretch (every radius holds the whole gallery) says nothing: take its middle, not its most confident end.
    tied = np.flatnonzero(loss <= loss.min() + 1e-12)
    best = int(tied[len(tied) // 2])
    return best, mass[best]
