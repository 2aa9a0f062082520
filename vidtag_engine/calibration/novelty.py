"""What videos like those of training look like, and how novel held-out ones are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from ..trajectory.novelty import NoveltyDetector
from ..types import FloatArray

_MOST_FRAMES = 20_000
_ROUNDS = 12
_FEW = 8  # fewer held-out videos do not say how novel videos are: each of all videos is then asked what it is to the others
_LEFT_OUT = 24  # of them at most
_PIECES = (1, 2, 4, 8, 16)  # frames
_BLOCK, _BLOCKS = 8, 8  # frames of a block, and blocks of a video, where there are hardly any videos


def fit_novelty(
    training: Sequence[FloatArray],
    held_out: Sequence[FloatArray],
    *,
    names: Sequence[str] | None = None,
    width: int = 64,
    centres: int = 512,
    seed: int = 0,
) -> NoveltyDetector:
    """Summarise training features, and see how novel held-out videos are.

    Where fewer than eight are held out, every video is compared with all others instead; of two videos each one's blocks with the other, of a single video
    each block with the others. Parts of one video are never compared with each other where there is another: they are of one day.

    Args:
        training: (T, D) a video.
        held_out: likewise; of the same kind, not trained on; may be none.
        names: of the videos that they are of, training first, as :meth:`.TrainingSequence.part` names parts; None: each is a video of its own.
        width: principal axes, at most.
        centres: of k-means.
        seed: of its start.
    """
    videos = [*training, *held_out]
    of = [name.partition("[")[0] for name in names] if names is not None else [str(number) for number in range(len(videos))]
    if len(set(of[len(training) :]) - set(of[: len(training)])) >= _FEW:
        return with_held_out(summary_of(training, width, centres, seed), held_out)
    judged = [(summary_of(others, width, centres, seed), part) for part, others in _left_out(videos, of)]
    return _with_scores(summary_of(videos, width, centres, seed), judged)


def with_held_out(detector: NoveltyDetector, held_out: Sequence[FloatArray]) -> NoveltyDetector:
    """The same summary of training, with the scores of held-out videos (T, D)."""
    return _with_scores(detector, [(detector, part) for part in held_out])


def _with_scores(detector: NoveltyDetector, judged: Sequence[tuple[NoveltyDetector, FloatArray]]) -> NoveltyDetector:
    """With the scores of videos, each by a detector, whole and of the frames in their middle."""
    whole = np.sort(np.array([by.novelty_score(part) for by, part in judged]))
    pieces = []
    for length in _PIECES:
        starts = [(by, part, (len(part) - length) // 2) for by, part in judged if len(part) >= length]
        pieces.append((length, np.sort(np.array([by.novelty_score(part[start : start + length]) for by, part, start in starts]))))
    return replace(detector, held_out=whole, pieces=tuple(pieces))


def _left_out(parts: Sequence[FloatArray], of: Sequence[str]) -> list[tuple[FloatArray, list[FloatArray]]]:
    """What is compared with what, where hardly any videos are held out: (part, the others)."""
    videos = len(set(of))
    pairs = [(piece, name) for part, name in zip(parts, of, strict=True) for piece in ([part] if videos > 2 else _blocks_of(part))]
    if len(pairs) < 3:
        return []
    if videos == 1:
        return [(block, [other for place, (other, _) in enumerate(pairs) if place != number]) for number, (block, _) in enumerate(pairs)]
    chosen = pairs[:: -(-len(pairs) // _LEFT_OUT)]
    return [(part, [other for other, name in zip(parts, of, strict=True) if name != mine]) for part, mine in chosen]


def _blocks_of(video: FloatArray) -> list[FloatArray]:
    """Blocks of frames that follow each other, in a video's order."""
    return np.array_split(video, max(1, min(_BLOCKS, len(video) // _BLOCK)))


def summary_of(training: Sequence[FloatArray], width: int = 64, centres: int = 512, seed: int = 0) -> NoveltyDetector:
    """Of training features, without held-out videos; rounded as a checkpoint keeps it."""
    total = sum(map(len, training))
    data = np.concatenate([np.asarray(part, dtype=np.float32) for part in training])[:: -(-total // _MOST_FRAMES)]
    mean = _rounded(data.mean(axis=0))
    axes = _rounded(_principal(data, width))
    along = (data - mean) @ axes.T
    if centres < len(along):
        along = KMeans(centres, init="random", n_init=1, max_iter=_ROUNDS, random_state=seed).fit(along).cluster_centers_
    return NoveltyDetector(mean, axes, _rounded(along), np.zeros(0))


def _principal(data: FloatArray, width: int) -> FloatArray:
    """(K, D) principal axes."""
    if not np.ptp(data, axis=0).any():  # copies of one picture: any axis does
        return np.eye(1, data.shape[1])
    axes: FloatArray = PCA(min(width, *data.shape)).fit(data).components_
    return axes


def _rounded(values: FloatArray) -> FloatArray:
    """In half precision, to be reckoned with in single."""
    result: FloatArray = np.asarray(values).astype(np.float16).astype(np.float32)
    return result
