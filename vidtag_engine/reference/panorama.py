"""Pictures that show all around, cut into views as an ordinary camera would have taken them: what place recognition learnt from."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from ..types import InputError
from .images import ReferenceImage


@dataclass(frozen=True)
class View:
    """One view of a panorama.

    Args:
        picture: (size, size, 3) uint8 RGB.
        heading_deg: where its middle looks, clockwise from north, 0 to 360; NaN where the panorama's is not known.
        offset_deg: the same from the panorama's middle.
    """

    picture: NDArray[np.uint8]
    heading_deg: float
    offset_deg: float


def views(
    panorama: NDArray[np.uint8], heading_deg: float = math.nan, *, count: int = 6, field_of_view_deg: float = 90.0, size_px: int = 518
) -> list[View]:
    """Cut a panorama into views that look level, evenly around, the first one along its middle.

    Args:
        panorama: (H, W, 3) uint8 RGB, equirectangular, 360 by 180 degrees: its columns go evenly from 180 degrees left of its middle to 180 degrees right of
            it, its rows from straight up to straight down.
        heading_deg: of its middle; NaN where that is not known.
        count: of views.
        field_of_view_deg: of each, across and up.
        size_px: of each, across and up.

    Raises:
        InputError: the picture is not twice as wide as high, or a number is out of its range.
    """
    height, width = panorama.shape[:2]
    if abs(width - 2 * height) > 0.02 * width:
        raise InputError(f"A panorama of {width} × {height} pixels does not show all around; it would have to be twice as wide as high.")
    if count < 1 or size_px < 1 or not 0.0 < field_of_view_deg < 180.0:
        raise InputError("Views need a field of view between 0 and 180°, and at least one pixel and one view.")
    source = torch.from_numpy(np.ascontiguousarray(panorama)).permute(2, 0, 1)[None].float()
    source = _no_finer(source, width, field_of_view_deg, size_px)
    # A pixel of either side beyond the seam, at which left and right meet.
    source = torch.cat([source[..., -1:], source, source[..., :1]], dim=-1)
    offsets = [number * 360.0 / count for number in range(count)]
    grid = torch.stack([_where(offset, field_of_view_deg, size_px, source.shape[-1] - 2) for offset in offsets])
    with torch.inference_mode():
        cut = torch.cat(
            [
                torch.nn.functional.grid_sample(source, one[None], mode="bilinear", padding_mode="border", align_corners=False)
                for one in grid
            ]
        )
    pictures = cut.round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
    return [View(picture, (heading_deg + offset) % 360.0, offset) for picture, offset in zip(pictures, offsets, strict=True)]


def view_of(image: ReferenceImage, view: View, field_of_view_deg: float) -> ReferenceImage:
    """The record of a view: its panorama's, with its own id, heading and field of view, and nothing to fetch."""
    return replace(
        image,
        image_id=f"{image.image_id}@{view.offset_deg:g}",
        heading_deg=view.heading_deg,
        field_of_view_deg=field_of_view_deg,
        panorama=False,
        files=(),
    )


def _no_finer(source: torch.Tensor, width: int, field_of_view_deg: float, size_px: int) -> torch.Tensor:
    """The panorama (1, 3, H, W) averaged down where it has several pixels for one of a view's middle, which would else flicker."""
    in_view = size_px / (2.0 * math.tan(math.radians(field_of_view_deg) / 2.0)) * math.tau  # pixels a turn, as fine as a view's middle is
    factor = int(width / in_view)
    if factor <= 1:
        return source
    return torch.nn.functional.interpolate(source, size=(source.shape[2] // factor, source.shape[3] // factor), mode="area")


def _where(offset_deg: float, field_of_view_deg: float, size_px: int, width: int) -> torch.Tensor:
    """Of each pixel of a view, (size, size, 2), the place in the panorama with a pixel more at either side, as grid_sample wants it: -1 to 1 from edge to edge."""
    reach = math.tan(math.radians(field_of_view_deg) / 2.0)
    steps = (torch.arange(size_px, dtype=torch.float64) + 0.5) / size_px * 2.0 - 1.0
    right, down = steps[None, :] * reach, steps[:, None] * reach
    turn = (torch.rad2deg(torch.atan(right)) + offset_deg + 180.0) % 360.0 - 180.0
    tilt = -torch.rad2deg(torch.atan2(down, torch.sqrt(1.0 + right**2)))
    column = (turn.expand_as(tilt) / 360.0 + 0.5) * width + 1.0
    return torch.stack([column / (width + 2) * 2.0 - 1.0, -tilt / 90.0], dim=-1).float()
