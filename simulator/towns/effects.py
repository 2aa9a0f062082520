"""What moving lenses and weather add to a finished picture: motion blur, rain, falling snow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .drives import TownDrive

Bytes = NDArray[np.uint8]
NEAR_M = 9.0  # what is blurred is judged as if this far beside the road


class Lens:
    """Blurs and rains on the pictures of one drive.

    Args:
        width_px, height_px: of the pictures.
        drive: its speeds, shutter and weather.
    """

    def __init__(self, width_px: int, height_px: int, drive: TownDrive) -> None:
        self._drive = drive
        self._focal_px = width_px / 2 / np.tan(np.deg2rad(drive.camera.field_of_view_deg) / 2)
        x, y = np.meshgrid(np.arange(width_px) - width_px / 2, np.arange(height_px) - height_px / 2)
        centre = self._focal_px * np.tan(np.deg2rad([-drive.camera.yaw_deg, drive.camera.pitch_deg]))
        self._x, self._y = (x - centre[0]).astype(np.float32), (y - centre[1]).astype(np.float32)
        self._size = (width_px, height_px)
        self._drops = self._draw_drops(np.random.default_rng([drive.traffic_seed, 7]))

    def _draw_drops(self, rng: np.random.Generator) -> NDArray[np.float32] | None:
        """A layer (2h, w) of streaks or flakes, slid along from picture to picture."""
        conditions, (width, height) = self._drive.conditions, self._size
        if conditions.falling <= 0:
            return None
        layer = np.zeros((2 * height, width), np.float32)
        is_snow = conditions.weather == "snowfall"
        count = int((500 if is_snow else 420) * conditions.falling)
        x, y, size = rng.integers(2, width - 8, count), rng.integers(2, 2 * height - 30, count), rng.integers(1, 4, count)
        for left, top, big in zip(x, y, size, strict=True):
            if is_snow:
                layer[top : top + big, left : left + big] = 0.25 + 0.2 * big
            else:
                layer[top : top + 6 * big, left : left + 1] = 0.1 + 0.06 * big
        return layer

    def apply(self, picture: Bytes, index: int, rng: np.random.Generator) -> Bytes:
        """The picture (h, w, 3) as the camera gives it."""
        picture = self._blur(picture, index)
        if self._drops is None:
            return np.ascontiguousarray(picture)
        height = self._size[1]
        top = int(rng.integers(height))
        share = self._drops[top : top + height, :: -1 if rng.random() < 0.5 else 1, None]
        return (picture * (1 - share) + 225 * share).astype(np.uint8)

    def _blur(self, picture: Bytes, index: int) -> Bytes:
        """A mean of three pictures zoomed about the vanishing point and shifted, as far as the shutter is open."""
        conditions, speed, turn = self._drive.conditions, float(self._drive.speed_mps[index]), float(self._drive.turn_dps[index])
        zoom = speed * conditions.shutter_s / NEAR_M
        shift = np.deg2rad(turn) * conditions.shutter_s * self._focal_px
        if zoom * self._size[0] / 2 < 1.0 and abs(shift) < 1.0:
            return picture
        total = picture.astype(np.uint16)
        rows, columns = np.indices(self._x.shape, np.int32)
        for step in (-0.5, 0.5):
            at_x = columns + np.rint(step * (zoom * self._x + shift)).astype(np.int32)
            at_y = rows + np.rint(step * zoom * self._y).astype(np.int32)
            np.clip(at_x, 0, self._size[0] - 1, out=at_x)
            np.clip(at_y, 0, self._size[1] - 1, out=at_y)
            total += picture[at_y, at_x]
        return (total // 3).astype(np.uint8)
