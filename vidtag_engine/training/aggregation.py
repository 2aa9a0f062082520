"""How much each axis of the descriptor counts, learned from the training's own drives (not in the paper).

Whitening brings all axes to like size, whether or not another drive would see the same there. Here each axis gets a factor, so that a drive that is seen again is
found among the frames around it: a short stretch of it, as queries are, from places between its frames, where another drive's camera would be. The loss is InfoNCE
(van den Oord et al. 2018). Descriptors stay linear in each band, and are stored as before.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ..datasets.training_sequence import TrainingSequence
from ..feedback import Feedback
from ..geodesy import EARTH_RADIUS_M, unit_vectors
from ..reference.descriptor import LAYOUT_GRID, SCALES, bands
from ..types import FloatArray

# Rate, temperature and how far queries are moved: the best for nearest neighbours of the isles' dev seed's validation drives (simulated).
_STEPS = 150
_RATE = 1e-2
_TEMPERATURE = 0.1
_STRETCHES = 12  # a step
_STRETCH_FRAMES = (7, 16)  # least, most
_CANDIDATES = 400  # frames around a place that a step's queries are sought among
_BETWEEN = 0.5  # of the way to the next frame, that a query is moved by at most: farther, it would be nearer to that one
_MOST_FRAMES = 5_000  # as many codes of all bands are held, a few times
_LEAST_FRAMES = 200  # fewer say nothing about thousands of axes


def aggregated(
    whitening: Sequence[nn.Linear], sequences: Sequence[TrainingSequence], near_m: float, seed: int = 0, feedback: Feedback = Feedback()
) -> list[nn.Linear]:
    """The same whitening layers, each of their axes times a learned factor.

    Args:
        whitening: of each band of the features (D to K), fine to coarse, then of the layouts, if there are any.
        sequences: of the training, of T frames each.
        near_m: metres within which two frames show one place; farther frames are what a query must not be found as.
        seed: of what is drawn; the same one gives the same factors.
        feedback: progress, and cancellation.

    Returns:
        New layers; the given ones where fewer than two drives, or too few frames, are long enough to be seen again in part.

    Raises:
        CancelledError: feedback said so.
    """
    least = _STRETCH_FRAMES[0]
    long = [s for s in sequences if len(s) >= least]
    long = long[:: max(1, -(-sum(map(len, long)) // _MOST_FRAMES))]
    if len(long) < 2 or sum(map(len, long)) < _LEAST_FRAMES:
        return list(whitening)
    # Streets as they are and, where the layout says what stands where, with left and right swapped: no side is to count for itself.
    worlds = [_Drives(whitening, long, mirrored=mirrored) for mirrored in (False, True)[: len(whitening) // len(SCALES)]]
    rng = np.random.default_rng([seed, 9])
    log_factor = nn.Parameter(torch.zeros(len(whitening), whitening[0].out_features))
    optimizer = torch.optim.Adam([log_factor], lr=_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _STEPS)
    for step in range(_STEPS):
        feedback.check()
        feedback.tell(step / _STEPS, "aggregation")
        with torch.enable_grad():
            loss = _info_nce(*worlds[rng.integers(len(worlds))].drawn(rng, near_m), log_factor.exp())
            optimizer.zero_grad()
            loss.backward()
        optimizer.step()
        schedule.step()
    return [_scaled(layer, factor) for layer, factor in zip(whitening, log_factor.detach().exp(), strict=True)]


class _Drives:
    """Drives as each band's layer sees their single frames, from which bands of any stretch follow: whitening and means are both linear.

    Args:
        whitening: as of :func:`aggregated`.
        sequences: likewise.
        mirrored: their layouts' columns are swapped.
    """

    def __init__(self, whitening: Sequence[nn.Linear], sequences: Sequence[TrainingSequence], *, mirrored: bool) -> None:
        self._bias = torch.stack([layer.bias.detach() for layer in whitening])
        self._frames = [_frames_whitened(whitening, s, mirrored=mirrored) for s in sequences]
        self._first = np.concatenate([[0], np.cumsum([len(s) for s in sequences])])
        self._places_m: FloatArray = EARTH_RADIUS_M * unit_vectors(*np.concatenate([s.lat_lon_deg for s in sequences]).T)
        self._tree = cKDTree(self._places_m)
        self._references = torch.cat([self._banded(frames) for frames in self._frames])

    def drawn(self, rng: np.random.Generator, near_m: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """A step's queries (Q, B, K) and candidates (C, B, K), which candidate each query is (Q,), and (Q, C) which are elsewhere."""
        _, about = self._tree.query(self._places_m[rng.integers(len(self._places_m))], min(_CANDIDATES, len(self._places_m)))
        around = np.unique(np.searchsorted(self._first, about, side="right") - 1)
        seen, rows = zip(*[self._seen_again(rng, int(rng.choice(around))) for _ in range(_STRETCHES)], strict=True)
        row = np.concatenate(rows)
        candidates = np.union1d(about, row)
        apart_m = np.linalg.norm(self._places_m[row][:, None] - self._places_m[candidates][None], axis=-1)
        right = torch.from_numpy(np.searchsorted(candidates, row))
        return torch.cat(seen), self._references[torch.from_numpy(candidates)], right, torch.from_numpy(apart_m > near_m)

    def _seen_again(self, rng: np.random.Generator, drive: int) -> tuple[Tensor, FloatArray]:
        """A stretch of a drive (T, B, K) from between its frames, and the frames' numbers."""
        frames = self._frames[drive]
        least, most = _STRETCH_FRAMES
        count = min(int(rng.integers(least, most + 1)), len(frames))
        rows = rng.integers(len(frames) - count + 1) + np.arange(count)
        moved = float(rng.uniform(-_BETWEEN, _BETWEEN))
        beside = (rows + (1 if moved > 0 else -1)).clip(0, len(frames) - 1)
        return self._banded(torch.lerp(frames[rows], frames[beside], abs(moved))), self._first[drive] + rows

    def _banded(self, frames: Tensor) -> Tensor:
        """Whitened single frames of a stretch (T, B, K) to its whitened bands (T, B, K)."""
        means = torch.stack(bands(torch.eye(len(frames)))).repeat(len(self._bias) // len(SCALES), 1, 1)
        return torch.einsum("bts,sbk->tbk", means, frames) + self._bias


@torch.no_grad()
def _frames_whitened(whitening: Sequence[nn.Linear], sequence: TrainingSequence, *, mirrored: bool) -> Tensor:
    """(T, B, K) plain views by each band's layer, without what it adds."""
    parts = [torch.from_numpy(sequence.features[0]).float()]
    if len(whitening) > len(SCALES) and sequence.layout is not None:
        layout = torch.from_numpy(sequence.layout).float()
        parts.append(layout.unflatten(1, (-1, *LAYOUT_GRID)).flip(-1).flatten(1) if mirrored else layout)
    seen = [part for part in parts for _ in SCALES]
    return torch.stack([F.linear(one, layer.weight) for one, layer in zip(seen, whitening, strict=True)], dim=1)


def _info_nce(queries: Tensor, candidates: Tensor, right: Tensor, elsewhere: Tensor, factor: Tensor) -> Tensor:
    """How unlike the right candidate each query is, over what is elsewhere."""
    alike = _descriptors(queries, factor) @ _descriptors(candidates, factor).T / _TEMPERATURE
    own = alike.gather(1, right[:, None])[:, 0]
    others = alike.masked_fill(~elsewhere, -torch.inf).logsumexp(dim=1)
    return F.softplus(others - own).mean()


def _descriptors(codes: Tensor, factor: Tensor) -> Tensor:
    """Whitened bands (N, B, K) as :class:`.descriptor.Descriptor` puts them together, to a norm of 1."""
    parts = (codes * factor).split(len(SCALES), dim=1)
    return torch.cat([F.normalize(part.flatten(1), dim=1) for part in parts], dim=1) / len(parts) ** 0.5


@torch.no_grad()
def _scaled(layer: nn.Linear, factor: Tensor) -> nn.Linear:
    made = nn.Linear(layer.in_features, layer.out_features)
    made.weight.copy_(layer.weight * factor[:, None])
    made.bias.copy_(layer.bias * factor)
    return made
