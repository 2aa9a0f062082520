"""How lines are sought through videos' posteriors: what finds held-out videos' streets most often."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from ..feedback import Feedback
from ..geodesy import haversine_m
from ..trajectory.decoder import Decoder, EmissionModel
from ..trajectory.transition import TransitionModel
from ..types import FloatArray, IntArray
from .posteriors import FitVideo, each_marginal, on_each

_NEAR = (2.5, 5.0)  # spacings within which lines should be right
_FINE = (0.2, 0.5, 1.0)  # spacings within which lines moved to reference images should be right
ACCURACIES = (2.0, 5.0, 10.0, 20.0)  # spacings
_STEADY = (0.1, 1.0, 10.0, 100.0)  # s^3 / m^2
_SHARPER = (2.0, 8.0, 32.0)  # times as sharp an emission model, that the line is sought by
_SOUGHT = 150  # videos, that how lines are sought is chosen on: what is said of them needs more


def some_seen(videos: Sequence[FitVideo]) -> list[int]:
    """Numbers of those that are not unseen, evenly out of very many."""
    numbers = [number for number, video in enumerate(videos) if not video.unseen]
    return numbers[:: -(-len(numbers) // _SOUGHT)]


def sought(
    decoder: Decoder,
    videos: Sequence[FitVideo],
    emission: EmissionModel,
    marginals: Sequence[sparse.csr_matrix],
    feedback: Feedback = Feedback(),
) -> tuple[Lines, EmissionModel | None]:
    """What makes lines that are right most often, and a sharper emission model than the posteriors' where that finds them better.

    Args:
        decoder: of the cover.
        videos: whose streets the checkpoint saw.
        emission: of the posteriors.
        marginals: by it.
        feedback: told between half and nine tenths of a fit.
    """
    feedback.tell(0.5, "confidence", "fitting lines, regions and chances")
    best, sharper = _best_line(decoder, videos, marginals), None
    emissions = [replace(emission, temperature=emission.temperature / factor) for factor in _SHARPER]
    for number, (other, found) in enumerate(zip(emissions, each_marginal(decoder, videos, emissions, feedback), strict=True)):
        feedback.tell(0.6 + 0.1 * number, "confidence", "fitting lines, regions and chances")
        feedback.check()
        lines = _best_line(decoder, videos, found)
        if lines.right > best.right:
            best, sharper = lines, other
    return best, sharper


def moved_to_references(
    spacing_m: float,
    videos: Sequence[FitVideo],
    lines: Sequence[FloatArray],
    recognised: Sequence[int],
    feedback: Feedback = Feedback(),
) -> tuple[list[FloatArray], int | None]:
    """The lines moved to the reference images beside them in the way that is right most often for recognised videos, and its number; else as they are, and None.

    Right is within a fifth, a half and one spacing of the truth, on average over the frames that are placed within two and a half by any way: elsewhere it does
    not matter. Of equals the first.
    """
    ways = min(len(video.refined) for video in videos)
    of = [list(lines), *([] for _ in range(ways))]
    for video, line in zip(videos, lines, strict=True):
        feedback.check()
        for way, moved in enumerate(of[1:]):
            moved.append(video.refined[way](line))
    error = np.stack([np.concatenate([haversine_m(*one[number].T, *videos[number].lat_lon_deg.T) for number in recognised]) for one in of])
    near = error.min(axis=0) <= _NEAR[0] * spacing_m
    right = [sum(int((one[near] <= reach * spacing_m).sum()) for reach in _FINE) for one in error]
    best = int(np.argmax(right))
    return of[best], best - 1 if best else None


@dataclass(frozen=True)
class Lines:
    """The accuracy and motion that make lines of videos, and how often these are right; NaN where that was not asked."""

    accuracy_m: float
    transition: TransitionModel
    right: float = math.nan


def right_share(decoder: Decoder, video: FitVideo, line: FloatArray) -> float:
    """Mean share of a video's frames within 2.5 and within 5 spacings of the truth."""
    error = haversine_m(*line.T, *video.lat_lon_deg.T)
    return float(np.mean([error <= reach * decoder.spacing_m for reach in _NEAR]))


def _best_line(decoder: Decoder, videos: Sequence[FitVideo], marginals: Sequence[sparse.csr_matrix]) -> Lines:
    """The accuracy, then the steadiness, whose lines are within 2.5 and 5 spacings of the truth most often.

    Of accuracies that do as well as the best but for chance the finest is taken: by it what counts as another place is told, too. By mean log error a far wider
    accuracy wins where most lines are wrong: it makes the wrong ones less so, at the cost of the right ones.
    """
    accuracies_m = [factor * decoder.spacing_m for factor in ACCURACIES]

    def by_accuracy(number: int) -> list[tuple[IntArray, float]]:
        video, held = videos[number], decoder.held(marginals[number])
        paths = [decoder.path(held, video.time_s, frozenset(), accuracy_m) for accuracy_m in accuracies_m]
        lines = [
            decoder.settled(held, path, video.time_s, (), accuracy_m, decoder.transition.inverse_process_noise)
            for path, accuracy_m in zip(paths, accuracies_m, strict=True)
        ]
        return [(path, right_share(decoder, video, line)) for path, line in zip(paths, lines, strict=True)]

    found = on_each(len(videos), by_accuracy)
    right = np.array([[share for _, share in of_video] for of_video in found])
    chosen = first_of_the_best(right)
    best = Lines(accuracies_m[chosen], decoder.transition, float(right[:, chosen].mean()))

    def by_steadiness(number: int) -> list[float]:
        video, held, path = videos[number], decoder.held(marginals[number]), found[number][chosen][0]
        lines = [decoder.settled(held, path, video.time_s, (), best.accuracy_m, inverse_process_noise) for inverse_process_noise in _STEADY]
        return [right_share(decoder, video, line) for line in lines]

    for inverse_process_noise, share in zip(_STEADY, np.array(on_each(len(videos), by_steadiness)).mean(axis=0).tolist(), strict=True):
        if share > best.right:
            best = Lines(accuracies_m[chosen], replace(decoder.transition, inverse_process_noise=inverse_process_noise), share)
    return best


def first_of_the_best(right: FloatArray) -> int:
    """The first of several ways (V, W) to treat videos that is right as often as the best of them, but for chance (one standard error of the difference)."""
    lost = right[:, [right.mean(axis=0).argmax()]] - right
    spare = lost.std(axis=0) / math.sqrt(len(right)) - lost.mean(axis=0)
    return int(np.flatnonzero(spare >= 0.0)[0])


def final_line(decoder: Decoder, video: FitVideo, marginal: sparse.csr_matrix, best: Lines) -> FloatArray:
    """(T, 2) a video's line, as the best are made."""
    held = decoder.held(marginal)
    path = decoder.path(held, video.time_s, frozenset(), best.accuracy_m)
    return decoder.settled(held, path, video.time_s, (), best.accuracy_m, best.transition.inverse_process_noise)
