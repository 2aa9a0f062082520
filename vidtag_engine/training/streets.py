"""Streets that a calibration model does not see, so that what is said on streets that nobody drove can be learned.

Held-out videos mostly go where training videos went. Hiding the reference images near them is not enough: the networks were trained on those very streets. So some
held-out videos' streets are taken out of the training of a second, like model, which confidence is then fitted with.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..datasets.training_sequence import TrainingSequence
from ..geodesy import EARTH_RADIUS_M, unit_vectors
from ..types import FloatArray

BLOCK_M = 300.0
UNDRIVEN_M = 50.0  # a frame with no training frame so near is on a street that nobody drove
_MOST_HIDDEN = 0.15  # of the training frames


def hold_out_streets(
    training: Sequence[TrainingSequence], held_out: Sequence[TrainingSequence], seed: int, block_m: float = BLOCK_M
) -> tuple[list[TrainingSequence], NDArray[np.bool_]]:
    """Take the streets of some held-out videos out of the training.

    Args:
        training: videos that a model is trained on.
        held_out: that it is not trained on.
        seed: of which are chosen.
        block_m: along and across, of what is taken out about each frame.

    Returns:
        The training without them, cut where frames are missing, and (V,) which held-out videos mostly have no training frame within 50 m now. At most 15 % of
        the frames are taken out: a video whose streets would be more than that is passed over.
    """
    places = [_points_m(s.lat_lon_deg) for s in training]
    tree, total = cKDTree(np.concatenate(places)), sum(map(len, places))
    hidden = np.zeros(total, dtype=bool)
    for number in np.random.default_rng([seed, 8]).permutation(len(held_out)):
        near = hidden.copy()
        for found in tree.query_ball_point(_points_m(held_out[number].lat_lon_deg), block_m / 2.0):
            near[found] = True
        if near.sum() <= _MOST_HIDDEN * total:
            hidden = near
    if not hidden.any():
        return list(training), _undriven(training, held_out)
    kept: list[TrainingSequence] = []
    for sequence, gone in zip(training, np.split(hidden, np.cumsum([len(one) for one in places])[:-1]), strict=True):
        edges = np.flatnonzero(np.diff(np.concatenate([[True], gone, [True]]).astype(int)))
        kept += [sequence.part(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True) if stop - start > 1]
    return kept, _undriven(kept, held_out)


def _undriven(training: Sequence[TrainingSequence], held_out: Sequence[TrainingSequence]) -> NDArray[np.bool_]:
    tree = cKDTree(np.concatenate([_points_m(s.lat_lon_deg) for s in training]))
    return np.array(
        [np.isinf(tree.query(_points_m(s.lat_lon_deg), distance_upper_bound=UNDRIVEN_M)[0]).mean() > 0.5 for s in held_out], dtype=bool
    )


def _points_m(lat_lon_deg: FloatArray) -> FloatArray:
    found: FloatArray = unit_vectors(*lat_lon_deg.T) * EARTH_RADIUS_M
    return found
