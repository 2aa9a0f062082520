"""Pictures that show what the last encoded one showed: a camera at a red light, a slide that stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from ..types import FloatArray

# Of 255 grey levels. The networks see noise and compression too: within both limits the features stayed within cosine 0.991 of the picture's own
# (`python -m benchmarks repeats`). A standing camera's pictures differ by 0.0 to 0.1 until the codec starts anew, then by 0.5 to 1.5: one is encoded again.
MEAN_LIMIT = 0.7
# And in no block of the picture by more than this: a car of 3 % of the width may pass, one of 6 % not; nor 2 cm towards a house 10 m away.
BLOCK_LIMIT = 2.5
_BLOCKS = 8  # a side


class Repeats:
    """Compares pictures with the last one that was no repeat, so that many small steps never add up unseen.

    Args:
        std: (3,) the deviation that the pictures were divided by, on a scale of 0..1.
    """

    def __init__(self, std: Sequence[float]) -> None:
        self._levels = 255.0 * np.asarray(std, np.float32)[:, None, None]
        self._last: NDArray[np.float32] | None = None

    def repeats(self, prepared: Tensor) -> bool:
        """Whether a (3,h,w) prepared picture shows what the last new one showed; if not, it is the new one."""
        picture: NDArray[np.float32] = prepared.numpy()
        if self._last is not None and self._last.shape == picture.shape:
            mean, block = differences(picture * self._levels, self._last * self._levels)
            if mean <= MEAN_LIMIT and block <= BLOCK_LIMIT:
                return True
        self._last = picture
        return False


def differences(first: FloatArray, second: FloatArray) -> tuple[float, float]:
    """How much two (3,h,w) pictures differ: the mean over all pixels, and the largest of the means over 8 x 8 blocks; in the pictures' units."""
    each = np.abs(first - second).mean(axis=0)
    high, wide = each.shape[0] // _BLOCKS, each.shape[1] // _BLOCKS
    blocks = each[: high * _BLOCKS, : wide * _BLOCKS].reshape(_BLOCKS, high, _BLOCKS, wide).mean(axis=(1, 3))
    return float(each.mean()), float(blocks.max())
