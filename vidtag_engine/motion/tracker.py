"""Points followed through a video: corners (Shi and Tomasi 1994) by the pyramidal method of Lucas and Kanade (Bouguet 2001), looked at forwards and backwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..types import FloatArray, InputError
from .steps import Gap, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from ..types import Frame

# A step ends once half of its points moved so far: then parallax stands well above the error of a tenth of a pixel. Slow motion is looked at over longer.
_ENOUGH_PX = 7.0
_LONGEST_S = 0.4
# Half of the points moved less than the one from one picture to the next, or more than the other: the camera stands, or it goes.
_STANDS_PX, _GOES_PX = 0.12, 0.5
# Pictures farther apart are no moving pictures: what lies between them is not guessed.
MOST_BETWEEN_S = 0.5
# Corners by region: three above and three below, the middle one below with more, for the road ahead is poor in corners and carries the scale.
_CORNERS = ((50, 50, 50), (55, 90, 55))
_QUALITY = 0.01
_APART_PX = 8
_WINDOW_PX = 17
_LEVELS = 4
_BACK_PX = 0.7
_LEAST_POINTS = 16
# A cut: pictures that do not resemble each other, and of whose corners hardly any is found again.
_ALIKE = 0.75
_CUT_SHARE = 0.15


def opencv() -> Any:
    """OpenCV, which only odometry needs. Raises InputError where it is absent."""
    try:
        import cv2
    except ImportError as error:
        raise InputError(
            "Odometry needs OpenCV: pip install opencv-python-headless, or press Create environment… in QGIS's options, page VidTAG."
        ) from error
    return cv2


def follow(
    frames: Iterable[Frame], took: Callable[[Step, NDArray[np.uint8], NDArray[np.uint8]], None] | None = None
) -> Iterator[Step | Gap]:
    """Steps and gaps of a video, one after the other, without holes between them.

    A step runs from a key picture to the first later one that is far enough from it; the next step begins there. Each picture is compared with the key
    picture itself, so that errors do not add up within a step. Rolling shutter is not undone: within one picture's reading a car that turns at 30° a second
    turns by half a degree, the same in the next picture, so that it hardly changes the turn; it bends the flow of near points, which speed pays for.

    Args:
        frames: gray pictures, all of one size, in order.
        took: given each step with its first and its last picture, before the step is.

    Raises:
        InputError: OpenCV is not there.
    """
    cv2 = opencv()
    key: _Key | None = None
    for frame in frames:
        gray: Any = frame.image
        if gray is None:  # damaged: the next good picture begins anew
            continue
        if key is None:
            key = _Key(cv2, frame.time_s, gray)
            continue
        if key.changes(frame.time_s, gray):
            yield _told(key, key.close(), took)
            key = key.next()
        found = key.advance(frame.time_s, gray)
        if found is not None:
            yield _told(key, found, took)
            key = key.next() if key.latest_s == frame.time_s else _Key(cv2, frame.time_s, gray)
    if key is not None and key.latest_s > key.time_s:
        yield _told(key, key.close(), took)


def _told(key: _Key, found: Step | Gap, took: Callable[[Step, NDArray[np.uint8], NDArray[np.uint8]], None] | None) -> Step | Gap:
    if took is not None and isinstance(found, Step):
        took(found, key.picture, key.latest)
    return found


class _Key:
    """The picture that a step begins with, its corners, and where they are by now."""

    def __init__(self, cv2: Any, time_s: float, gray: NDArray[np.uint8]) -> None:
        self._cv2 = cv2
        self.time_s = self.latest_s = time_s
        self.picture = self.latest = gray
        self._thumbnail = self._thumbnail_of(gray)
        self._corners = self._corners_of(gray)
        self._now = self._corners
        self._kept = np.ones(len(self._corners), dtype=bool)
        self._moved_px = 0.0  # by the latest picture

    def next(self) -> _Key:
        """The latest picture as the key picture of the next step."""
        return _Key(self._cv2, self.latest_s, self.latest)

    def changes(self, time_s: float, gray: NDArray[np.uint8]) -> bool:
        """Whether the camera begins to move with this picture or stands still from the one before, so that the step must end there."""
        begun = self.latest_s > self.time_s and time_s - self.latest_s <= MOST_BETWEEN_S and gray.shape == self.latest.shape
        if not begun or len(self._corners) < _LEAST_POINTS or self._kept.sum() < _LEAST_POINTS:
            return False
        moved, found = self._found(self.latest, gray, self._now[self._kept], self._now[self._kept])
        if found.sum() < _LEAST_POINTS:
            return False
        now_px = float(np.median(np.hypot(*(moved - self._now[self._kept])[found].T)))
        return min(now_px, self._moved_px) < _STANDS_PX and max(now_px, self._moved_px) > _GOES_PX

    def advance(self, time_s: float, gray: NDArray[np.uint8]) -> Step | Gap | None:
        """Follow the corners into the next picture; what ended with it, if anything did."""
        between_s = time_s - self.latest_s
        if gray.shape != self.latest.shape or between_s > MOST_BETWEEN_S:
            return Gap(self.time_s, time_s, cut=False)
        thumbnail = self._thumbnail_of(gray)
        alike, self._thumbnail = _correlation(thumbnail, self._thumbnail), thumbnail
        self.latest_s, self.latest = time_s, gray
        if len(self._corners) < _LEAST_POINTS:
            # Without texture nothing can be followed; a picture beside it that resembles it not at all is a cut nevertheless.
            return Gap(self.time_s, time_s, cut=alike < _ALIKE / 2)
        before = self._now
        self._now, self._kept = self._found(self.picture, gray, self._corners, before)
        self._moved_px = float(np.median(np.hypot(*(self._now - before).T)))
        moved = np.hypot(*(self._now - self._corners).T)[self._kept]
        far = len(moved) < 0.5 * len(self._corners) or float(np.median(moved)) >= _ENOUGH_PX
        if alike >= _ALIKE and not far and time_s - self.time_s < _LONGEST_S:
            return None
        return self.close(alike)

    def close(self, alike: float = 1.0) -> Step | Gap:
        """The step from the key picture to the latest: the corners that are found back from there as well."""
        if len(self._corners) < _LEAST_POINTS:
            return Gap(self.time_s, self.latest_s, cut=False)
        back, found = self._found(self.latest, self.picture, self._now, self._corners)
        high, wide = self.latest.shape
        inside = ((self._now >= 0) & (self._now <= np.array([wide - 1, high - 1]))).all(axis=1)
        kept = self._kept & found & inside & (np.hypot(*(back - self._corners).T) < _BACK_PX)
        share = float(kept.mean())
        if kept.sum() < _LEAST_POINTS or (share < _CUT_SHARE and alike < _ALIKE):
            return Gap(self.time_s, self.latest_s, cut=share < _CUT_SHARE and alike < _ALIKE)
        return Step.of(self.time_s, self.latest_s, self._corners[kept], self._now[kept], share)

    def _thumbnail_of(self, gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        small: NDArray[np.float32] = self._cv2.resize(gray, (32, 18), interpolation=self._cv2.INTER_AREA).astype(np.float32)
        return small

    def _corners_of(self, gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, 2) corners by region, so that a tree does not take them all."""
        high, wide = gray.shape
        down = (0, round(0.55 * high), high)
        across = (0, round(0.3 * wide), round(0.7 * wide), wide)
        found = [np.zeros((0, 2), dtype=np.float32)]
        for i, row in enumerate(_CORNERS):
            for j, most in enumerate(row):
                region = gray[down[i] : down[i + 1], across[j] : across[j + 1]]
                corners = self._cv2.goodFeaturesToTrack(region, most, _QUALITY, _APART_PX)
                if corners is not None:
                    found.append(corners.reshape(-1, 2) + np.array([across[j], down[i]], dtype=np.float32))
        return np.concatenate(found)

    def _found(self, here: Any, there: Any, points: NDArray[np.float32], guess: NDArray[np.float32]) -> tuple[NDArray[np.float32], Any]:
        criteria = (self._cv2.TERM_CRITERIA_EPS | self._cv2.TERM_CRITERIA_COUNT, 20, 0.02)
        flags = self._cv2.OPTFLOW_USE_INITIAL_FLOW
        moved, status, _ = self._cv2.calcOpticalFlowPyrLK(
            here, there, points, guess.copy(), winSize=(_WINDOW_PX, _WINDOW_PX), maxLevel=_LEVELS, criteria=criteria, flags=flags
        )
        return moved.reshape(-1, 2), status.ravel().astype(bool)


def _correlation(one: FloatArray, other: FloatArray) -> float:
    """Of two small pictures, -1..1; 1 where either is of one brightness."""
    one, other = one - one.mean(), other - other.mean()
    norm = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / norm if norm > 1e-6 else 1.0
