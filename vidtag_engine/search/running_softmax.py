"""Softmax mass about places, summed over a stream of samples."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from ..types import FloatArray

_ALL = slice(None)


class RunningSoftmax:
    """Sums of weight × exp(score / temperature), of all samples and of those near, relative to the highest score so far.

    So no temperature over- or underflows, whatever comes later. Everything is float64.

    Args:
        frames: T, that samples are scored for.
        radii: R, that nearness is told for.
        temperatures: (K,).
        device: of the sums.
    """

    def __init__(self, frames: int, radii: int, temperatures: FloatArray, device: torch.device | str = "cpu") -> None:
        self._temperatures = [float(one) for one in temperatures]
        self._top = torch.full((frames,), -math.inf, dtype=torch.float64, device=device)
        self._all = torch.zeros(len(self._temperatures), frames, dtype=torch.float64, device=device)
        self._near = torch.zeros(len(self._temperatures), radii, frames, dtype=torch.float64, device=device)

    def add(self, score: torch.Tensor, near: Sequence[torch.Tensor], weight: torch.Tensor | None = None, rows: slice = _ALL) -> None:
        """More samples.

        Args:
            score: (B, n).
            near: (B, n) a radius, whether a sample lies within it, or how much of it does.
            weight: (n,) or (B, n); None is 1.
            rows: B of the frames.
        """
        if not score.shape[1]:
            return
        score = score.double()
        top = torch.maximum(self._top[rows], score.amax(dim=1))
        for number, temperature in enumerate(self._temperatures):
            fade = torch.exp((self._top[rows] - top) / temperature)
            value = torch.exp((score - top[:, None]) / temperature)
            if weight is not None:
                value *= weight
            self._all[number, rows] = self._all[number, rows] * fade + value.sum(dim=1)
            for place, share in enumerate(near):
                self._near[number, place, rows] = self._near[number, place, rows] * fade + (value * share).sum(dim=1)
        self._top[rows] = top

    def mass(self) -> FloatArray:
        """(K, R, T) in 0..1."""
        result: FloatArray = (self._near / self._all[:, None].clamp_min(1e-300)).clamp(0.0, 1.0).cpu().numpy()
        return result
