"""How sure CityGuessr is to be, and when a video is of no city that it knows: fitted on held-out videos."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from torch import Tensor

from ..inference.city_guess import CityCalibration, ForeignDetector
from ..trajectory import LEAST_VIDEOS
from ..types import FloatArray, IntArray
from .novelty import summary_of
from .reliability import brier, ece

_TEMPERATURES = (0.25, 50.0)  # below, held-out videos that are all right would make it certain
_AXES = 64
_LEAST_FOREIGN = 16  # held-out videos that say how far known places' videos lie
_FOLDS = 4
_SPREAD = 1e-3  # least deviation of logarithms: copies of one video have none


def fit_cities(scores: Tensor, cities: IntArray) -> CityCalibration:
    """The temperature at which held-out videos' cities are likeliest; not fitted where fewer than eight of known cities are held out.

    Args:
        scores: (V, C) of :meth:`.city_guess.CityGuesser.scores`.
        cities: (V,) true ones; below 0 where the checkpoint does not know the city.
    """
    known = cities >= 0
    if int(known.sum()) < LEAST_VIDEOS:
        return CityCalibration()
    own, truth = scores[torch.from_numpy(known)].double(), torch.from_numpy(cities[known])

    def loss(log_temperature: float) -> float:
        return float(-(own / math.exp(log_temperature)).log_softmax(dim=1).gather(1, truth[:, None]).mean())

    found = minimize_scalar(loss, bounds=tuple(math.log(value) for value in _TEMPERATURES), method="bounded")
    fitted = CityCalibration(math.exp(float(found.x)), int(known.sum()))
    best = fitted.log_probabilities(own).exp().max(dim=1)
    said, right = best.values.numpy(), (best.indices == truth).numpy()
    return CityCalibration(fitted.temperature, fitted.videos, None, ece(said, right), brier(said, right))


def fit_foreign(training: Sequence[FloatArray], places: IntArray, held_out: Sequence[FloatArray], seed: int = 0) -> ForeignDetector | None:
    """How to tell videos of other places; None where too few are held out, or all training is of one place.

    How far away videos of known places usually lie is measured on the held-out videos, and on the training videos too: each by a detector of the other folds'
    (cross-fitting). Some dozens of held-out videos alone say too little of how often one in twenty happens.

    Args:
        training: (T, D) features a video.
        places: (V,) of the training videos: what is told apart. Neighbouring districts of a town blend, so the level above is the better one where it has two.
        held_out: of the same places, not trained on.
        seed: of k-means, and of the folds.
    """
    if len(held_out) < _LEAST_FOREIGN or len(np.unique(places)) < 2:
        return None
    detector = _detector(training, places, seed)
    rows = [detector.distances(video) for video in held_out]
    fold = np.random.default_rng([seed, 25]).permutation(len(training)) % _FOLDS
    for number in range(_FOLDS):
        others, own = np.flatnonzero(fold != number).tolist(), np.flatnonzero(fold == number).tolist()
        known = np.unique(places[others])
        if len(known) < 2:
            continue
        other = _detector([training[video] for video in others], places[others], seed)
        # With fewer videos axes have other lengths, and all lies farther away: by as much as the held-out videos do.
        more = np.mean([other.distances(video) - row for video, row in zip(held_out, rows, strict=False)], axis=0)
        rows += [other.distances(training[video]) - more for video in own if places[video] in known]
    distances = np.stack(rows)
    usual = np.stack([distances.mean(axis=0), np.maximum(distances.std(axis=0, ddof=1), _SPREAD)])
    total = ((distances - usual[0]) / usual[1]).sum(axis=1)
    return replace(detector, usual=usual, spread=max(float(total.std(ddof=1)), _SPREAD), videos=len(distances))


def _detector(training: Sequence[FloatArray], places: IntArray, seed: int) -> ForeignDetector:
    """The two distances from some videos, without what is usual."""
    means = np.stack([np.asarray(video, dtype=np.float32).mean(axis=0) for video in training])
    axes, centres = _discriminant(means, places)
    return ForeignDetector(summary_of(training, seed=seed), axes, centres, np.array([[0.0, 0.0], [1.0, 1.0]]), 1.0, 0)


def _discriminant(means: FloatArray, places: IntArray) -> tuple[FloatArray, FloatArray]:
    """(K, D) axes that tell the places apart, and (P, K) their centres along them."""
    width = min(_AXES, *means.shape)
    reduced = PCA(width, random_state=0).fit(means)
    told = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto").fit(reduced.transform(means), places)
    rank = min(len(np.unique(places)) - 1, width)
    axes = (told.scalings_[:, :rank].T @ reduced.components_).astype(np.float32)
    along = means @ axes.T
    return axes, np.stack([along[places == place].mean(axis=0) for place in np.unique(places)])
