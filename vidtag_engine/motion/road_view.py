"""The road seen from above, before and after a step: how far it has moved along, by correlation.

Single points of a road are lost at speed: asphalt is poor in corners, and what is near moves by tens of pixels. Seen from above all of the road moves by one
length, so that its correlation over lengths tells it, as far as it has any texture at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..types import FloatArray
from .solve import Lens, Mount, mount_of, solved
from .steps import Step, overlay_cells
from .tracker import opencv
from .two_views import rotation_matrices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# In camera heights: a cell along and across, how far ahead and to the sides the road is looked at, and the least and the most way of one step.
_ALONG, _ACROSS = 0.04, 0.12
_NEAREST, _FARTHEST, _ASIDE = 2.0, 9.0, 1.7
LEAST_WAY, MOST_WAY = -0.6, 2.6
WAYS = np.arange(round(LEAST_WAY / _ALONG), round(MOST_WAY / _ALONG) + 1) * _ALONG
"""(K,) camera heights that a step may have gone, by the lens it was looked at with."""
_LEAST_ROWS = 30
# A cell of the road shows something else after a step unless it is no road.
_MOVING_PX = 1.5
_LEAST_MOVING = 8
_SAME = 0.4
_LEAST_SEEN = 0.12
_BATCH = 32
_MOST_WAITING = 96
_REMEMBERED = 600
_BLUR_CELLS = (11, 7)


@dataclass(frozen=True)
class _Waiting:
    number: int
    step: Step
    before: NDArray[np.uint8]
    after: NDArray[np.uint8]


class RoadMeter:
    """Measures steps as they come, while their pictures are there; those that come before it is known where the camera goes wait.

    Args:
        size_px: width and height of the pictures.
        lens: the usual one; lengths are in heights by this lens.
    """

    def __init__(self, size_px: tuple[int, int], lens: Lens) -> None:
        self.size_px, self.lens = size_px, lens
        self._cv2 = opencv()
        self._waiting: list[_Waiting] = []
        self._courses: list[tuple[Any, ...]] = []
        self._recent: list[Step] = []
        self._fresh = 0
        self._same: FloatArray | None = None
        self.curves: dict[int, NDArray[np.float16]] = {}

    def add(self, number: int, step: Step, before: NDArray[np.uint8], after: NDArray[np.uint8]) -> None:
        """Take a step with its first and its last picture."""
        self._waiting.append(_Waiting(number, step, before, after))
        self._fresh += 1
        if self._fresh >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Measure what waits, as far as it is known where the camera goes."""
        if not self._waiting:
            return
        self._recent = [*self._recent, *(one.step for one in self._waiting[-self._fresh :])][-_REMEMBERED:]
        overlay = overlay_cells(self._recent, self.size_px)
        turns = []
        for part in solved([one.step for one in self._waiting], self.size_px, self.lens, overlay=overlay):
            movement = part.movement
            turns.append(movement.turn)
            self._courses.append(
                (movement.course, movement.course_deviation, part.along_px, movement.turn[:, 1], part.share(part.inlier) > 0.5)
            )
        self._fresh = 0
        mount = mount_of(*(np.concatenate(column) for column in zip(*self._courses[-40:], strict=True)))
        if not mount.known:
            self._waiting = self._waiting[-_MOST_WAITING:]
            return
        points = self._points(mount)
        if points is not None:
            moving = np.concatenate([column[2] for column in self._courses])[-len(self._waiting) :] > _MOVING_PX
            seen = [(self._seen(one.before, points @ matrix), self._seen(one.after, points)) for one, matrix in self._turned(turns)]
            fixed = self._fixed(seen, moving)
            for one, (before, after) in zip(self._waiting, seen, strict=True):
                self.curves[one.number] = _correlations(before, after, fixed)
        self._waiting = []

    def _turned(self, turns: list[FloatArray]) -> Iterator[tuple[_Waiting, FloatArray]]:
        yield from zip(self._waiting, rotation_matrices(np.concatenate(turns)), strict=True)

    def _fixed(self, seen: list[tuple[FloatArray, FloatArray]], moving: NDArray[np.bool_]) -> FloatArray:
        """What each cell is worth, 0..1: nothing where it shows the same before and after though the camera moves: the bonnet, a car that is followed."""
        chosen = [pair for pair, goes in zip(seen, moving, strict=True) if goes]
        if len(chosen) >= _LEAST_MOVING:
            alike = np.mean([a * b for a, b in chosen], axis=0)
            power = np.mean([0.5 * (a * a + b * b) for a, b in chosen], axis=0)
            alike, power = (self._cv2.blur(one.astype(np.float32), (5, 9)) for one in (alike, power))
            same = alike / (power + 0.05)
            self._same = same if self._same is None or self._same.shape != same.shape else 0.5 * (self._same + same)
        if self._same is None or self._same.shape != seen[0][0].shape:
            return np.ones_like(seen[0][0])
        worth: FloatArray = np.clip((_SAME - self._same) / (0.5 * _SAME), 0.0, 1.0)
        return worth if worth.mean() > _LEAST_SEEN else np.zeros_like(worth)

    def _points(self, mount: Mount) -> FloatArray | None:
        """(rows, columns, 3) places on the road in the camera's axes, camera heights; None where too little of it is in the picture."""
        course, down = mount.prior.course, mount.down
        lowest = (self.size_px[1] - 1) / 2 / self.lens.focal_px
        # The nearest road that the picture's lower edge shows: course and down at this depth fall on that edge.
        nearest = max((down[1] - lowest * down[2]) / max(lowest * course[2] - course[1], 1e-3), _NEAREST)
        rows = np.arange(nearest, _FARTHEST, _ALONG)
        if len(rows) < 3 * _LEAST_ROWS:
            return None
        across = np.arange(-_ASIDE, _ASIDE + 1e-6, _ACROSS)
        points: FloatArray = rows[:, None, None] * course + across[None, :, None] * np.cross(down, course) + down
        return points

    def _seen(self, picture: NDArray[np.uint8], points: FloatArray) -> FloatArray:
        """Brightness at points of the road, without what changes slowly; NaN outside the picture."""
        x, y = (points[..., i] / points[..., 2] * self.lens.focal_px + (self.size_px[i] - 1) / 2 for i in (0, 1))
        seen: Any = self._cv2.remap(picture.astype(np.float32), x.astype(np.float32), y.astype(np.float32), self._cv2.INTER_LINEAR)
        fine = seen - self._cv2.blur(seen, (_BLUR_CELLS[1], _BLUR_CELLS[0]))
        spread = np.sqrt(np.maximum(self._cv2.blur(fine**2, (_BLUR_CELLS[1], 3 * _BLUR_CELLS[0])), 0.0)) + 1.5
        outside = (x < 0) | (y < 0) | (x > self.size_px[0] - 1) | (y > self.size_px[1] - 1)
        fine /= spread
        fine[outside] = 0.0
        flat: FloatArray = fine
        return flat


def _correlations(first: FloatArray, second: FloatArray, worth: FloatArray) -> NDArray[np.float16]:
    """(K,) by :data:`WAYS`; 0 where too little overlaps."""
    count = len(first)
    values = np.zeros(len(WAYS), dtype=np.float16)
    for i, way in enumerate(WAYS):
        shift = round(way / _ALONG)
        if count - abs(shift) < _LEAST_ROWS:
            continue
        here, there = slice(max(shift, 0), count + min(shift, 0)), slice(max(-shift, 0), count - max(shift, 0))
        weight = worth[here] * worth[there]
        if weight.mean() < _LEAST_SEEN:
            continue
        a, b = first[here], second[there]
        values[i] = float((weight * a * b).sum() / np.sqrt((weight * a * a).sum() * (weight * b * b).sum() + 1e-6))
    return values
