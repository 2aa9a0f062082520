"""Fits how a checkpoint's videos are decoded and how sure to be, on held-out videos, each of which weighs the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..directions import Directions
from ..feedback import Feedback
from ..geodesy import haversine_m
from ..trajectory.decoder import Decoder, EmissionModel
from ..trajectory.decoder_calibration import PathCalibration, RadiusMap, log_odds
from ..trajectory.hypotheses import RADII_M, mass_about
from ..trajectory.regions import mass_before
from ..trajectory.score_margin import NO_RIVAL, recognition, rivals_from_m, score_margin
from ..trajectory.transition import TransitionModel
from ..types import FloatArray, InputError
from .conformal import conformal_level, frame_weights
from .fit_lines import ACCURACIES, Lines, final_line, moved_to_references, right_share, some_seen, sought
from .local_mass import LocalMass
from .logistic import fit_logistic
from .posteriors import FitVideo, each_marginal, each_posterior, on_each

_RADII = (2.5, 5.0, 10.0, 20.0)  # spacings within which the truth should have much mass
_TEMPERATURES = (0.1, 0.3, 1.0)  # times what is given, that a weight is tried at
_STEP = 1.6  # between temperatures
_SHARED = (0.0, 0.1, 0.3, 1.0)
_BLIND = (0.005, 0.02, 0.1)
_PIECES = (8, 16)  # frames: how errors are shared shows in videos of several lengths
_SEARCHED = 24  # videos
_MOST_HELD = 32_000_000  # scores of these: 128 MB
_LEAST = 1e-6
_LEAST_HITS = 8  # videos: fewer cannot tell which frames are right
_LEAST_OF_A_KIND = 10  # videos: fewer have no level of 90 %
_TAKEN_FOR_KNOWN = 0.1  # share of the videos on streets that training did not see, that count as recognised all the same
_USUAL = (0.01, 0.99)  # share of the frames' margins below the least and the greatest that are told apart


def typical_speed_mps(tracks: Sequence[tuple[FloatArray, FloatArray]]) -> float:
    """Mean speed between neighbouring frames of tracks, each (time_s (T,), lat_lon_deg (T, 2)); NaN where nothing moves or no time passes."""
    metres = seconds = 0.0
    for time_s, places in tracks:
        passed = np.diff(time_s)
        known = passed > 0
        metres += float(haversine_m(*places[:-1].T, *places[1:].T)[known].sum())
        seconds += float(passed[known].sum())
    return metres / seconds if metres > 0 and seconds > 0 else float("nan")


def fit_path(
    lat_lon_deg: FloatArray,
    spacing_m: float,
    videos: Sequence[FitVideo],
    *,
    temperature: float,
    speed_mps: float,
    directions: Directions | None = None,
    refine_mps: Sequence[float | None] = (None,),
    like: PathCalibration | None = None,
    apart_m: float | None = None,
    feedback: Feedback = Feedback(),
) -> PathCalibration:
    """Fit everything.

    Args:
        lat_lon_deg: (M, 2) an even cover of the area.
        spacing_m: of the cover.
        videos: held out.
        temperature: where the search for one begins.
        speed_mps: that cameras are driven at.
        directions: of the states that the videos' scores are of.
        refine_mps: usual speed that sequences are compared at in each of the videos' ways to move a line; None compares as what is decoded.
        like: whose reading of scores and search for lines is taken over, so that what they mean is fitted alone; None fits them, too.
        apart_m: from a line: beyond, it is another place; None is one and a half accuracies.
        feedback: told roughly how much of it is done; asked to stop between videos.

    Raises:
        InputError: there is no video.
        CancelledError: as ``feedback`` said.
    """
    if not videos:
        raise InputError("There is no held-out video to fit the confidence on: give more videos.")
    transition = like.transition if like else _motion(speed_mps)
    decoder = Decoder(lat_lon_deg, spacing_m, transition, directions=directions)
    emission = like.emission if like else fit_evidence(decoder, videos, temperature, feedback)
    feedback.tell(0.4, "confidence", "fitting lines, regions and chances")
    [marginals] = each_marginal(decoder, videos, [emission], feedback)
    feedback.tell(0.5, "confidence", "fitting lines, regions and chances")
    if like is None:
        seen = some_seen(videos)
        best, line_emission = sought(decoder, [videos[n] for n in seen], emission, [marginals[n] for n in seen], feedback)
    else:
        best, line_emission = Lines(like.accuracy_m, like.transition), like.line_emission
    of_lines = marginals
    if line_emission is not None:
        [of_lines] = each_marginal(decoder, videos, [line_emission], feedback)
    feedback.tell(0.9, "confidence", "fitting lines, regions and chances")
    lines = on_each(len(videos), lambda number: final_line(decoder, videos[number], of_lines[number], best))
    weights = [video.weight for video in videos]
    another_m = rivals_from_m(decoder, best.accuracy_m, apart_m)
    clearly = np.array([recognition(decoder, video.similarity, line, another_m) for video, line in zip(videos, lines, strict=True)])
    recognised_from, kinds = kinds_of(clearly, np.array([video.unseen for video in videos]))
    margins = [score_margin(decoder, video.scores, line, another_m) for video, line in zip(videos, lines, strict=True)]
    if like is None:
        lines, way = moved_to_references(spacing_m, videos, lines, kinds[0], feedback)
    else:
        way = refine_mps.index(like.refine_mps) if like.at_references and like.refine_mps in refine_mps else None
        lines = lines if way is None else [video.refined[way](line) for video, line in zip(videos, lines, strict=True)]
    truths = [truth_levels(decoder, marginal, video.lat_lon_deg) for video, marginal in zip(videos, marginals, strict=True)]
    levels = [fit_levels(truths, kind, weights) for kind in kinds]
    radii = sorted({*RADII_M, *(factor * spacing_m for factor in (5.0, 10.0, 20.0))})
    masses = on_each(len(videos), lambda number: mass_about(marginals[number], decoder, lines[number], np.asarray(radii)))
    errors = [haversine_m(*line.T, *video.lat_lon_deg.T) for video, line in zip(videos, lines, strict=True)]
    rivalled = np.concatenate(margins)
    rivalled = rivalled[rivalled < NO_RIVAL]
    low, high = np.quantile(rivalled, _USUAL) if len(rivalled) else (0.0, 0.0)
    margins = [np.clip(margin, low, high) for margin in margins]
    reached = [sum(bool((error <= radius_m).any()) for error in errors) >= min(_LEAST_HITS, len(videos)) for radius_m in radii]
    maps = [
        tuple(
            fit_map(
                [masses[number][:, column] for number in kind],
                [np.asarray(errors[number] <= radius_m, dtype=np.float64) for number in kind],
                radius_m,
                [margins[number] for number in kind],
                [weights[number] for number in kind],
            )
            for column, radius_m in enumerate(radii)
            if reached[column]
        )
        for kind in kinds
    ]
    return PathCalibration(
        emission,
        best.transition,
        best.accuracy_m,
        spacing_m,
        len(videos),
        maps[0],
        *levels[0],
        line_emission=line_emission,
        margin_range=(float(low), float(high)),
        unrecognised_maps=maps[1] if recognised_from is not None else (),
        unrecognised50=levels[-1][0],
        unrecognised90=levels[-1][1],
        recognised_from=recognised_from,
        at_references=way is not None,
        refine_mps=None if way is None else refine_mps[way],
        apart_m=apart_m,
    )


def kinds_of(clearly: FloatArray, unseen: NDArray[np.bool_]) -> tuple[float | None, list[list[int]]]:
    """Which videos are recognised, and which videos each kind is fitted on.

    The bar is what a tenth of the videos exceed whose ways are hidden from the checkpoint. Of those below it one cannot know whether their street was driven in
    training; so that nobody is sure of what cannot be known, they are taken for videos of streets that were not, and fitted on these alone where there are enough.

    Args:
        clearly: (V,) how clearly each video's places are recognised; NaN where nothing tells.
        unseen: (V,) whose ways are hidden.

    Returns:
        The bar, and numbers of the videos for recognised and unrecognised ones; None and all videos where there are too few of either.
    """
    known = np.flatnonzero(np.isfinite(clearly) & unseen)
    every = list(range(len(clearly)))
    if len(known) < _LEAST_OF_A_KIND:
        return None, [every]
    bar = float(np.quantile(clearly[known], 1.0 - _TAKEN_FOR_KNOWN))
    above = clearly >= bar
    below = ~above & unseen if (~above & unseen).sum() >= _LEAST_OF_A_KIND else ~above
    if min(above.sum(), below.sum()) < _LEAST_OF_A_KIND:
        return None, [every]
    return bar, [np.flatnonzero(above).tolist(), np.flatnonzero(below).tolist()]


def fit_levels(levels: Sequence[FloatArray], kind: Sequence[int], weights: Sequence[float]) -> tuple[float, float]:
    """Masses of the regions that hold the truth with 50 and 90 %, of a kind of video (Mondrian conformal prediction, Vovk, Gammerman and Shafer 2005, Sec. 4.5).

    Args:
        levels: (T,) a video, as :func:`truth_levels` gives them.
        kind: numbers of the videos of the kind.
        weights: (V,) how much each counts.
    """
    found = [conformal_level([levels[n] for n in kind], share, [weights[n] for n in kind]) for share in (0.5, 0.9)]
    level50, level90 = (1.0 if level is None else level for level in found)
    return level50, level90


def best_weight(
    lat_lon_deg: FloatArray,
    spacing_m: float,
    videos: Callable[[float], Sequence[FitVideo]],
    weights: Sequence[float],
    *,
    temperature: float,
    speed_mps: float,
    directions: Directions | None = None,
    feedback: Feedback = Feedback(),
) -> float:
    """The greatest weight of a second kind of evidence whose lines are right as often as the best weight's, but for chance (one standard error); 0 where that does.

    A weight is judged over all temperatures together: which one suits it is settled later, and not by lines. A second kind that adds nothing to the first is not
    read; one that does is read so far that the first must add something, too.

    Args:
        lat_lon_deg, spacing_m, temperature, speed_mps, feedback: as for :func:`fit_path`.
        directions: of the states that scores are of where they have any weight's share in them.
        videos: gives those whose scores have a weight's share of it.
        weights: to choose from; of one, that.
    """
    if len(weights) == 1:
        return weights[0]
    motion = _motion(speed_mps)
    plain, directed = Decoder(lat_lon_deg, spacing_m, motion), Decoder(lat_lon_deg, spacing_m, motion, directions=directions)
    found: list[tuple[float, FloatArray]] = []

    def right_of(given: Sequence[FitVideo]) -> Callable[[int, sparse.csr_matrix], float]:
        """How often a video's line is right."""
        return lambda number, marginal: right_share(
            plain, given[number], plain.line(marginal, given[number].time_s, (), ACCURACIES[1] * spacing_m)[1]
        )

    for weight in weights:
        given = videos(weight)
        given = [given[number] for number in some_seen(given)]
        feedback.tell(len(found) / len(weights), "confidence", "weighing the reference database")
        emissions = [EmissionModel(factor * (1.0 + weight) * temperature, error_correlation=_SHARED[1]) for factor in _TEMPERATURES]
        right = each_posterior(directed if weight else plain, given, emissions, right_of(given), feedback.check)
        found.append((weight, np.mean(right, axis=0)))
    _, best = max(found, key=lambda one: one[1].mean())
    spare = [float(np.std(best - right) / math.sqrt(len(right)) - (best - right).mean()) for _, right in found]
    as_good = [weight for (weight, _), left in zip(found, spare, strict=True) if left >= 0.0]
    return min(as_good) if min(as_good) == 0.0 else max(as_good)


def _motion(speed_mps: float) -> TransitionModel:
    return TransitionModel(speed_mps=speed_mps) if np.isfinite(speed_mps) and speed_mps > 0 else TransitionModel()


def fit_evidence(decoder: Decoder, videos: Sequence[FitVideo], temperature: float, feedback: Feedback = Feedback()) -> EmissionModel:
    """How scores are read: the emission model under which the truths have most mass about them (mean log over radii, frames and videos)."""
    # Evenly by weight, so that those chosen weigh the same.
    so_far = np.cumsum([video.weight for video in videos])
    chosen = np.unique(np.searchsorted(so_far, (np.arange(_SEARCHED) + 0.5) / _SEARCHED * so_far[-1]))
    some = _with_scores([videos[number] for number in chosen], decoder.states)
    # The same truths are asked for under every emission model.
    about = [LocalMass.about(decoder, video.lat_lon_deg, np.asarray(_RADII) * decoder.spacing_m) for video in some]
    pieces = [(n, video.rows_of_middle(length)) for n, video in enumerate(some) for length in _PIECES if len(video.time_s) >= 1.5 * length]
    whole = [*some, *(some[number].part(rows) for number, rows in pieces)]
    about += [about[number].part(rows) for number, rows in pieces]
    seen: dict[EmissionModel, float] = {}

    def log_mass(number: int, marginal: sparse.csr_matrix) -> float:
        return float(np.log(np.maximum(about[number].of(marginal), _LEAST)).mean())

    def worth(emission: EmissionModel) -> float:
        if emission not in seen:
            [found] = each_posterior(decoder, whole, [emission], log_mass, feedback.check)
            seen[emission] = float(np.mean(found))
        return seen[emission]

    best = EmissionModel(temperature)
    for shared in _SHARED[::-1]:
        best = max(best, _climbed(replace(best, error_correlation=shared), worth), key=worth)
    for outlier_probability in _BLIND:
        best = max(best, replace(best, outlier_probability=outlier_probability), key=worth)
    return best


def _climbed(emission: EmissionModel, worth: Callable[[EmissionModel], float]) -> EmissionModel:
    """The best temperature, found by steps in the direction that helps."""
    for factor in (_STEP, 1.0 / _STEP):
        moved = False
        while worth(further := replace(emission, temperature=emission.temperature * factor)) > worth(emission):
            emission, moved = further, True
        if moved:
            break
    return emission


def _with_scores(videos: Sequence[FitVideo], places: int) -> list[FitVideo]:
    """Videos that are read many times: with their scores, while there is room for these."""
    held, room = [], _MOST_HELD
    for video in videos:
        room -= len(video.time_s) * places
        held.append(replace(video, scores=video.scores(slice(0, len(video.time_s))).__getitem__) if room >= 0 else video)
    return held


def truth_levels(decoder: Decoder, marginal: sparse.csr_matrix, lat_lon_deg: FloatArray) -> FloatArray:
    """(T,) level of the smallest region that holds each frame's truth; 1 where the posterior left its place out."""
    home = decoder.nearest(lat_lon_deg)
    levels = np.ones(len(home))
    for row, place in enumerate(home):
        begin, end = marginal.indptr[row : row + 2]
        at = np.flatnonzero(marginal.indices[begin:end] == place)
        if len(at):
            levels[row] = mass_before(marginal.data[begin:end].astype(np.float64))[at[0]]
    return levels


def fit_map(
    masses: Sequence[FloatArray],
    right: Sequence[FloatArray],
    radius_m: float,
    margins: Sequence[FloatArray] | None = None,
    weights: Sequence[float] | None = None,
) -> RadiusMap:
    """A logistic from mass and margin to P(right) by log loss; slopes are drawn towards 0 (the base rate) as by one video, and never negative.

    Args:
        masses: (T,) a video.
        right: (T,) a video, whether the truth lay within.
        radius_m: within.
        margins: (T,) a video, of the line over other places; None makes nothing of them.
        weights: of the videos; None is 1 of each.
    """
    odds = log_odds(np.concatenate(masses))
    over = np.zeros(len(odds)) if margins is None else np.concatenate(margins)
    target = np.concatenate([np.asarray(one, dtype=np.float64) for one in right])
    weight = frame_weights(masses, weights)
    videos = float(weight.sum())
    # Leads have a scale of their own, which the prior must not depend on.
    spread = float(np.sqrt(weight @ np.square(over - weight @ over / videos) / videos)) if np.ptp(over) > 0 else 1.0
    (slope, margin), intercept = fit_logistic(np.stack([odds, over / spread]), target, weight)
    return RadiusMap(float(radius_m), slope, intercept, margin / spread)
