"""Any number of frames in bounded memory: overlapping windows, blended so that their seams do not show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

if TYPE_CHECKING:
    from collections.abc import Callable


def window_starts(count: int, window: int, overlap: int) -> list[int]:
    """First frames of windows of ``window`` frames that cover ``count`` frames, evenly, each two sharing at least ``overlap``."""
    if count <= window:
        return [0]
    number = -(-(count - overlap) // (window - overlap))
    return [round(i * (count - window) / (number - 1)) for i in range(number)]


def blend_windows(count: int, window: int, overlap: int, run: Callable[[slice], Tensor]) -> Tensor:
    """Unit vectors of a whole sequence from those of its windows.

    In the overlap one window fades out as the next fades in (a raised cosine), so neither jumps. One window at a time is in memory.

    Args:
        count: frames in all.
        window: frames at once.
        overlap: frames that two windows share at least; 0 < overlap < window.
        run: gives the (n,E) unit vectors of a slice of n frames.

    Returns:
        (count, E) unit vectors; exactly ``run(slice(0, count))`` where one window holds everything.
    """
    if count <= window:
        return run(slice(0, count))
    if not 0 < overlap < window:
        raise ValueError(f"overlap {overlap} must lie between 0 and the window's {window} frames")
    ramp = torch.sin(torch.linspace(0.0, torch.pi / 2, overlap + 2)[1:-1]) ** 2
    total: Tensor | None = None
    for start in window_starts(count, window, overlap):
        part = run(slice(start, start + window))
        weight = torch.ones(window)
        if start:
            weight[:overlap] *= ramp
        if start + window < count:
            weight[-overlap:] *= ramp.flip(0)
        if total is None:
            total = part.new_zeros(count, part.shape[-1])
        total[start : start + window] += weight.to(part)[:, None] * part
    assert total is not None  # for the type checker  # nosec B101
    return F.normalize(total, dim=-1)
