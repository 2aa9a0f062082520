"""What videos like those of training look like, and how strange held-out ones are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from ..trajectory.novelty import NoveltyDetector, unit
from ..types import FloatArray

_MOST_FRAMES = 20_000
_ROUNDS = 12
_LEAST_VARIANCE = 1e-9  # of the first axis'
_FEW = 8  # fewer held-out videos do not say how strange videos are: each of all videos is then asked what it is to the others
_LEFT_OUT = 24  # of them at most
_BLOCK, _BLOCKS = 8, 8  # frames of a block, and blocks of a video, where there are hardly any videos


def fit_novelty(
    training: Sequence[FloatArray],
    held_out: Sequence[FloatArray],
    *,
    axes: FloatArray | None = None,
    width: int = 64,
    centres: int = 512,
    seed: int = 0,
) -> NoveltyDetector:
    """Summarise training features, and see how strange held-out videos are.

    Where fewer than eight are held out, every video, or every block where there are fewer than three videos, is compared with all others instead, along principal
    axes: those that tell places apart are fitted to the training's own frames, and make all else look alike where these are few (five and 18 drives of the
    isles, simulated: no foreign drive was told by them).

    Args:
        training: (T, D) a video.
        held_out: likewise; of the same kind, not trained on; may be none.
        axes: (K, D) directions that tell places apart, as training found them; None takes the principal axes, which hold light and weather, too.
        width: of the whitened features, at most.
        centres: of k-means.
        seed: of its start.
    """
    if len(held_out) < _FEW and axes is not None:
        return fit_novelty(training, held_out, width=width, centres=centres, seed=seed)
    if len(held_out) < _FEW:
        videos = [*training, *held_out]
        parts = videos if len(videos) > 2 else [part for one in videos for part in _blocks_of(one)]
        left_out = parts[:: -(-len(parts) // _LEFT_OUT)] if len(parts) > 2 else []
        strange = [_summary([one for one in parts if one is not part], axes, width, centres, seed).novelty_score(part) for part in left_out]
        return replace(_summary(videos, axes, width, centres, seed), held_out=np.sort(np.array(strange)))
    summary = _summary(training, axes, width, centres, seed)
    return replace(summary, held_out=np.sort([summary.novelty_score(part) for part in held_out]))


def _blocks_of(video: FloatArray) -> list[FloatArray]:
    """Blocks of frames that follow each other, in a video's order."""
    return np.array_split(video, max(1, min(_BLOCKS, len(video) // _BLOCK)))


def _summary(training: Sequence[FloatArray], axes: FloatArray | None, width: int, centres: int, seed: int) -> NoveltyDetector:
    """Of training features, without held-out videos."""
    total = sum(map(len, training))
    stride = -(-total // _MOST_FRAMES)
    data = np.concatenate([np.asarray(part, dtype=np.float32) for part in training])[::stride]
    mean = data.mean(axis=0)
    along = _principal(data - mean, width) if axes is None else np.asarray(axes, dtype=np.float64)[:width]
    # Kept small and in half precision: scaled so that it fits.
    along = along / np.abs(along).max() * 100.0
    mean16, axes16 = mean.astype(np.float16).astype(np.float32), along.astype(np.float16).astype(np.float32)
    white = unit((data - mean16) @ axes16.T)
    found = _k_means(white, centres, seed).astype(np.float16).astype(np.float32)
    return NoveltyDetector(mean16, axes16, found, np.zeros(0))


def _principal(data: FloatArray, width: int) -> FloatArray:
    """(K, D) principal axes, whitened; along those that hold next to nothing of the variance nothing can be told."""
    if not np.ptp(data, axis=0).any():  # copies of one picture: any axis does
        return np.eye(1, data.shape[1])
    found = PCA(min(width, *data.shape)).fit(data)
    held = found.explained_variance_ > _LEAST_VARIANCE * found.explained_variance_[0]
    axes: FloatArray = found.components_[held] / np.sqrt(found.explained_variance_[held])[:, None]
    return axes


def _k_means(data: FloatArray, count: int, seed: int) -> FloatArray:
    """(count, K) unit centres of unit vectors."""
    if count >= len(data):
        return data
    found = KMeans(count, init="random", n_init=1, max_iter=_ROUNDS, random_state=seed).fit(data)
    return unit(found.cluster_centers_)
