"""Held-out videos, and their posteriors under any number of emission models: scores are read once a video, and many are decoded at once on several cores."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import numpy as np
from scipy import sparse
from threadpoolctl import ThreadpoolController

from ..feedback import Feedback
from ..trajectory.decoder import Decoder, EmissionModel, Scores
from ..trajectory.together import marginals_together
from ..types import FloatArray

_CORES = max(1, min(4, os.cpu_count() or 1))
_CHAINS = 36  # videos times emission models decoded together: more gain little
_NUMBERS = 48_000_000  # likelihoods held at once, on all cores: 192 MB, and as much again of their posteriors

T = TypeVar("T")


@dataclass(frozen=True)
class FitVideo:
    """A held-out video.

    Args:
        scores: gives the (B, M) scores of a slice of its frames over the cover.
        time_s: (T,).
        lat_lon_deg: (T, 2) truth.
        unseen: what the checkpoint knows of its way was hidden. It counts for how sure to be, not for how lines are sought: there is hardly one to be found.
        weight: how much it counts beside the others, for how sure to be.
        similarity: gives the (B, M) similarity of a slice of its frames to what is kept of the cover's places; None where nothing is.
        refined: ways to move a line (T, 2) to the reference images beside it; as many of every video, none where there are none.
    """

    scores: Scores
    time_s: FloatArray
    lat_lon_deg: FloatArray
    unseen: bool = False
    weight: float = 1.0
    similarity: Scores | None = None
    refined: tuple[Callable[[FloatArray], FloatArray], ...] = ()

    def middle(self, frames: int) -> FitVideo:
        """So many frames out of the middle."""
        return self.part(self.rows_of_middle(frames))

    def rows_of_middle(self, frames: int) -> slice:
        """Those that :meth:`middle` takes."""
        start = (len(self.time_s) - frames) // 2
        return slice(start, start + frames)

    def part(self, rows: slice) -> FitVideo:
        """Some frames, one after the other."""

        def scores(of_these: slice) -> FloatArray:
            return self.scores(slice(of_these.start + rows.start, of_these.stop + rows.start))

        return FitVideo(scores, self.time_s[rows], self.lat_lon_deg[rows], self.unseen, self.weight)


def each_posterior(
    decoder: Decoder,
    videos: Sequence[FitVideo],
    emissions: Sequence[EmissionModel],
    use: Callable[[int, sparse.csr_matrix], T],
    before_each: Callable[[], None] = lambda: None,
) -> list[list[T]]:
    """What is made of each video's marginal under each emission model, a list of videos an emission model.

    A video that is too long for this is decoded by itself, as :meth:`.decoder.Decoder.marginals` does it.

    Args:
        decoder: over M places.
        videos: whose scores are read here, one video after the other.
        emissions: how scores are read.
        use: makes something of a video's number and its (T, M) marginal, in another thread.
        before_each: called before a video is read; may raise.
    """
    found: list[dict[int, T]] = [{} for _ in emissions]
    running: deque[Future[None]] = deque()

    def decode(numbers: Sequence[int], scores: deque[FloatArray]) -> None:
        chains = [(model, number) for number in numbers for model in range(len(emissions))]
        likely: list[FloatArray] = []
        for number in numbers:
            given, time_s = scores.popleft(), videos[number].time_s  # and let go of them
            likely += [emission.likelihood(given, emission.weights(time_s)) for emission in emissions]
        marginals = marginals_together(decoder, likely, [videos[number].time_s for _, number in chains])
        for (model, number), marginal in zip(chains, marginals, strict=True):
            found[model][number] = use(number, marginal)

    with _one_thread_a_product(), ThreadPoolExecutor(_CORES) as pool:
        for numbers in _batches(decoder, videos, len(emissions)):
            scores: deque[FloatArray] = deque()
            for number in numbers:
                before_each()
                time_s = videos[number].time_s
                for seconds in np.diff(time_s):  # before two threads ask for them
                    decoder.transitions(float(seconds))
                if not _fits(decoder, len(time_s), len(emissions)):
                    for model, emission in enumerate(emissions):
                        found[model][number] = use(number, decoder.marginals(videos[number].scores, time_s, emission)[0])
                else:
                    scores.append(videos[number].scores(slice(0, len(time_s))))
            if len(running) >= _CORES:
                running.popleft().result()
            if scores:
                running.append(pool.submit(decode, numbers, scores))
        while running:
            running.popleft().result()
    return [[one[number] for number in range(len(videos))] for one in found]


def each_marginal(
    decoder: Decoder, videos: Sequence[FitVideo], emissions: Sequence[EmissionModel], feedback: Feedback
) -> list[list[sparse.csr_matrix]]:
    """Each video's marginal under each emission model, a list of videos an emission model; ``feedback`` may stop between videos."""
    return each_posterior(decoder, videos, emissions, lambda _, marginal: marginal, feedback.check)


def on_each(count: int, make: Callable[[int], T]) -> list[T]:
    """What is made of each number below a count, on several cores."""
    with _one_thread_a_product(), ThreadPoolExecutor(_CORES) as pool:
        return list(pool.map(make, range(count)))


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


def _one_thread_a_product() -> AbstractContextManager[Any]:
    """While cores are shared out by videos: NumPy's products of matrices would each take all of them again, and wait for each other longer than they compute."""
    limited: AbstractContextManager[Any] = _libraries().select(internal_api="openblas").limit(limits=1)
    return limited


def _fits(decoder: Decoder, frames: int, emissions: int) -> bool:
    """Whether so many frames' likelihoods are no more than one core's share of what is held."""
    return frames * decoder.states * emissions <= _NUMBERS // _CORES


def _batches(decoder: Decoder, videos: Sequence[FitVideo], emissions: int) -> Iterator[list[int]]:
    """Numbers of videos that are decoded together: of like steps and lengths, as only what steps alike is moved together; one that does not fit alone."""

    def kind(number: int) -> tuple[int, int]:
        time_s = videos[number].time_s
        return (decoder.step(float(np.median(np.diff(time_s)))) if len(time_s) > 1 else 0), len(time_s)

    batch: list[int] = []
    frames = 0
    for number in sorted(range(len(videos)), key=kind):
        length = len(videos[number].time_s)
        if batch and (len(batch) >= max(1, _CHAINS // emissions) or not _fits(decoder, frames + length, emissions)):
            yield batch
            batch, frames = [], 0
        batch.append(number)
        frames += length
    if batch:
        yield batch
