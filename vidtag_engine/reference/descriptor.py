"""What frames are compared by: each in its context, whitened (not in the paper).

Frames are compared by bands of the video: its features' mean over a stretch of neighbours, and how shorter means differ from longer ones. Light, weather and camera
alter all frames of a drive alike, so the differences are the same on another day, while the longest mean tells towns and quarters apart. Each band is whitened by
itself: what is strong in one says little in another. (The idea of taking a sequence's slow part away before comparing is SeqSLAM's, Milford and Wyeth 2012, there
for pictures.) Where the encoder also says what stands where in the picture, that is compared likewise, and counts as much.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

SCALES = (1, 3, 7, 15)  # frames of the means
LAYOUT_GRID = (4, 6)
"""Rows and columns of the picture that what follows the features is told of, channel by channel."""


def bands(features: Tensor) -> list[Tensor]:
    """A video's features (T, D) in bands, each (T, D), fine to coarse: differences of means over ``SCALES`` frames (fewer at the ends), then the longest mean."""
    means = [F.avg_pool1d(features.T[None], frames, stride=1, padding=frames // 2, count_include_pad=False)[0].T for frames in SCALES]
    return [*(short - long for short, long in itertools.pairwise(means)), means[-1]]


SAMPLED = 1_000  # references that chance is told by
_CHANCE = 2.0  # standard deviations


def evenly(rows: Tensor, most: int = SAMPLED) -> Tensor:
    """So many of some rows, evenly out of all."""
    return rows[torch.linspace(0, len(rows) - 1, most).round().long()] if len(rows) > most else rows


def chance_level(frames: Tensor, references: Tensor) -> Tensor:
    """(T,) similarity that chance finds for each frame: two standard deviations above its mean over references.

    To a blurred picture everything looks more alike than to another. References are those of a whole database, or evenly out of it, wherever a frame is sought:
    the same frame would else count otherwise in a small area.

    Args:
        frames: (T, D) descriptors.
        references: (N, D) likewise; of none the level is 0.
    """
    if not len(references):
        return torch.zeros(len(frames), device=frames.device)
    alike = frames @ references.T
    return alike.mean(dim=1) + _CHANCE * alike.std(dim=1, correction=0)


class Descriptor(nn.Module):
    """Features to descriptors.

    Args:
        feature_dim: D of the features that they are made from.
        width: K of a band's embedding.
        layout_dim: L of what follows the features; 0: nothing.
    """

    def __init__(self, feature_dim: int, width: int, layout_dim: int = 0) -> None:
        super().__init__()
        self._parts = (feature_dim, layout_dim) if layout_dim else (feature_dim,)
        layers = [nn.Linear(part, width) for part in self._parts for _ in SCALES]
        self.whitening = nn.ModuleList(layers).requires_grad_(requires_grad=False)

    @classmethod
    def of(cls, whitening: Sequence[nn.Linear]) -> Descriptor:
        """By what whitens each band, fine to coarse, to a mean norm of 1; of the features, then of what follows them, if anything does."""
        layout_dim = whitening[-1].in_features if len(whitening) > len(SCALES) else 0
        made = cls(whitening[0].in_features, whitening[0].out_features, layout_dim)
        made.whitening.load_state_dict(nn.ModuleList(whitening).state_dict())
        return made

    @property
    def feature_dim(self) -> int:
        """D."""
        return self._parts[0]

    @property
    def layout_dim(self) -> int:
        """Width of what follows the features, or 0."""
        return sum(self._parts[1:])

    @property
    def dim(self) -> int:
        """Numbers of a descriptor."""
        return sum(layer.out_features for layer in self.whitening)  # type: ignore[misc]

    def mirrored(self, features: Tensor) -> Tensor | None:
        """As :meth:`in_context`, with the picture's columns in the order from right to left; None where nothing says what stands where.

        Who drives a street the other way has on the left what stood on the right. Differences of means are the same whichever way a drive is run through.
        """
        if not self.layout_dim:
            return None
        plain, layout = features.split(self._parts, dim=1)
        return self.in_context(torch.cat([plain, layout.unflatten(1, (-1, *LAYOUT_GRID)).flip(-1).flatten(1)], dim=1))

    @torch.no_grad()
    def in_context(self, features: Tensor) -> Tensor:
        """A whole video's features (T, D), or (T, D + L), as reference images are compared: whitened bands side by side, (T, 4 K) or (T, 8 K) unit-normalised."""
        found, layers = [], iter(self.whitening)
        for part in features.float().split(self._parts, dim=1):
            white = [next(layers)(band) for band in bands(part)]
            found.append(F.normalize(torch.cat(white, dim=1), dim=1))
        return torch.cat(found, dim=1) / math.sqrt(len(found))
