"""What training saw, kept: each training frame in its context and where it was taken (not in the paper).

A network that learns places by heart from few views forgets detail that the backbones' features still have. Both are evidence of a place, and they err differently;
the decoder reads their weighted sum.

How they are compared is said in :mod:`vidtag_engine.reference.descriptor`. Trained checkpoints keep them as a database on disk
(:mod:`.checkpoint_references`); this one, in memory, is what a training fits with, and what checkpoints made before have among their weights.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor, nn

from ..directions import Directions
from ..geodesy import EARTH_RADIUS_M, courses_deg, unit_vectors
from ..local_features import LocalRows
from ..reference.along import Ways
from ..reference.codes import CodeSearch, encode, scale_of
from ..reference.descriptor import SCALES, Descriptor, chance_level, evenly
from ..reference.similarity import FAR, NearestReferences, reach_of
from ..types import FloatArray, IntArray

MOST_FRAMES = 1_000_000
MOST_WIDTH = 512  # of a band
_AT_ONCE = 8_000_000  # pairs of a frame and a reference image near a place


def thinned_by(frames: int) -> int:
    """One of how many frames is kept of so many, of each video from its first one on."""
    return max(1, -(-frames // MOST_FRAMES))


class ReferenceDatabase(Descriptor):
    """Remembered frames.

    Args:
        frames: N.
        feature_dim: D of the features that they are made from.
        width: K of a band's embedding.
        layout_dim: L of what follows the features; 0: nothing.
    """

    embeddings: Tensor
    lat_lon_deg: Tensor

    def __init__(self, frames: int, feature_dim: int, width: int, layout_dim: int = 0) -> None:
        super().__init__(feature_dim, width, layout_dim)
        self.register_buffer("embeddings", torch.zeros(frames, self.dim))
        self.register_buffer("lat_lon_deg", torch.zeros(frames, 2))
        # Of which drive each is, and where it looks: known as long as a training runs. Stored databases keep them for good.
        self.drive: IntArray = np.full(frames, -1)
        self.heading_deg: FloatArray = np.full(frames, np.nan)
        self.local: LocalRows | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Remembered frames, and the width of each of their bands."""
        return len(self.embeddings), self.embeddings.shape[1] // len(self.whitening)

    @property
    def places_deg(self) -> FloatArray:
        """(N, 2) where they were taken, latitude and longitude."""
        return self.lat_lon_deg.cpu().double().numpy()

    def chance(self, frames: Tensor) -> Tensor:
        """(T,) similarity that chance finds for frames (T, D) in context, on their device; see :func:`.descriptor.chance_level`."""
        return chance_level(frames, evenly(self.embeddings).to(frames))

    @classmethod
    def remembering(
        cls, whitening: Sequence[nn.Linear], videos: Sequence[tuple[Tensor, Tensor]], local: Sequence[LocalRows | None] = ()
    ) -> ReferenceDatabase:
        """Remember videos, evenly out of very many frames.

        Args:
            whitening: of each band, fine to coarse, to a mean norm of 1; of the features, then of what follows them, if anything does.
            videos: features (T, D), or (T, D + L), of plain views and (T, 2) where they were taken, in degrees, of each.
            local: (T,) what tells details of each video's pictures; they are kept where all videos have them.
        """
        stride = thinned_by(sum(len(features) for features, _ in videos))
        count = sum(len(range(0, len(features), stride)) for features, _ in videos)
        layout_dim = whitening[-1].in_features if len(whitening) > len(SCALES) else 0
        memory = cls(count, whitening[0].in_features, whitening[0].out_features, layout_dim)
        memory.whitening.load_state_dict(nn.ModuleList(whitening).state_dict())
        memory.embeddings.copy_(torch.cat([memory.in_context(features)[::stride].clone() for features, _ in videos]))
        memory.lat_lon_deg.copy_(torch.cat([places[::stride] for _, places in videos]))
        kept = [places[::stride] for _, places in videos]
        memory.drive = np.repeat(np.arange(len(kept)), [len(places) for places in kept])
        memory.heading_deg = np.concatenate([courses_deg(*places.cpu().double().numpy().T)[::stride] for _, places in videos])
        details = [one.take(np.arange(0, len(one), stride)) for one in local if one is not None]
        memory.local = LocalRows.joined(details) if details and len(details) == len(videos) else None
        return memory

    def near(self, lat_lon_deg: FloatArray, radius_m: float) -> Tensor:
        """(N,) which reference images were taken within a radius of any of the places (T, 2), in degrees."""
        seen, places = (
            cKDTree(unit_vectors(*np.asarray(one, dtype=np.float64).T) * EARTH_RADIUS_M) for one in (self.places_deg, lat_lon_deg)
        )
        found = torch.zeros(len(self.lat_lon_deg), dtype=torch.bool)
        for frames in places.query_ball_tree(seen, radius_m):
            found[frames] = True
        return found

    def over(
        self,
        lat_lon_deg: FloatArray,
        spacing_m: float,
        reach_m: float,
        neighbours: int | None = None,
        *,
        either_way: bool = False,
        directions: Directions | None = None,
    ) -> PlaceSimilarity | NearestReferences:
        """What tells how much frames look like what was seen at places.

        By each frame's nearest reference images (:class:`.similarity.NearestReferences`), or by all of them: then a place's score is the highest cosine of the
        frame with any reference image within reach, less what grows with the square of the way between, to a half at
        the end of the reach. Places without one in reach have the frame's mean over the others: nothing is known of them.

        Args:
            lat_lon_deg: (M, 2) places in degrees.
            spacing_m: of them; the reach is at least one spacing, which leaves every reference image a place, and at most twelve, as memory grows with
                its square.
            reach_m: metres over which a reference image speaks for places around it.
            neighbours: nearest reference images of a frame; None reads all, which costs with every place and every one of them.
            either_way: by the nearest, frames are also compared as a street's other way would show them.
            directions: by the nearest, that are told apart.

        Returns:
            What gives scores.
        """
        if neighbours is not None:
            return NearestReferences(
                self._searched(), self.places_deg, lat_lon_deg, spacing_m, reach_m, neighbours, either_way=either_way, directions=directions,
                heading_deg=self.heading_deg, ways=self._ways, local=self.local,
            )  # fmt: skip
        reach_m = reach_of(reach_m, spacing_m)
        places = cKDTree(unit_vectors(*np.asarray(lat_lon_deg, dtype=np.float64).T) * EARTH_RADIUS_M)
        seen = cKDTree(unit_vectors(*self.places_deg.T) * EARTH_RADIUS_M)
        near = places.sparse_distance_matrix(seen, reach_m, output_type="coo_matrix")
        order = np.argsort(near.row, kind="stable")
        device = self.embeddings.device
        row, column = (torch.from_numpy(one[order].astype(np.int64)).to(device) for one in (near.row, near.col))
        lost = torch.from_numpy((FAR * (near.data[order] / reach_m) ** 2).astype(np.float32)).to(device)
        return PlaceSimilarity(self.embeddings, len(lat_lon_deg), row, column, lost)

    def _ways(self) -> Ways | None:
        """The order in which drives took the images; None in checkpoints made before that was kept."""
        known = len(self.drive) and self.drive[0] >= 0
        return Ways(self.places_deg, self.drive, np.arange(len(self.drive))) if known else None

    def _searched(self) -> CodeSearch:
        """The reference images as codes."""
        embeddings = self.embeddings.cpu().numpy()
        scale = scale_of(embeddings)
        return CodeSearch([encode(embeddings, scale)], scale)


class PlaceSimilarity:
    """Tells how much frames look like what was seen at places; see :meth:`ReferenceDatabase.over`.

    Args:
        embeddings: (N, K) of the reference images.
        count: M, of places.
        row, column: (P,) place and reference image of each pair in reach, by place.
        lost: (P,) what a pair's cosine loses for the way between.
    """

    def __init__(self, embeddings: Tensor, count: int, row: Tensor, column: Tensor, lost: Tensor) -> None:
        self._embeddings, self._count, self._column, self._lost = embeddings, count, column, lost
        self._known, self._number, pairs = torch.unique_consecutive(row, return_inverse=True, return_counts=True)
        self._first = (pairs.cumsum(0) - pairs).cpu().numpy()  # each place's first pair

    def __call__(self, frames: Tensor, hidden: Tensor | None = None) -> Tensor:
        """Scores (B, M) of frames (B, K) as :meth:`ReferenceDatabase.in_context` gives them; where nothing is in reach of any place, zeros.

        Args:
            frames: unit-normalised.
            hidden: (N,) reference images that are left out, as if their street had never been driven.
        """
        device = self._embeddings.device
        result = torch.zeros(len(frames), self._count, device=device)
        lost = self._lost if hidden is None else self._lost.masked_fill(hidden.to(device)[self._column], torch.inf)
        if not bool(torch.isfinite(lost).any()):
            return result
        # On a CPU pairs are looked up a frame at a time, and many frames share one reading of the database.
        rows = max(1, _AT_ONCE // len(self._embeddings if device.type == "cpu" else lost))
        for begin in range(0, len(frames), rows):
            part = slice(begin, begin + rows)
            find = self._best_by_frame if device.type == "cpu" else self._best_at_once
            best = find(frames[part].to(device) @ self._embeddings.T, lost)
            unknown = torch.isneginf(best)
            middling = best.masked_fill(unknown, 0.0).sum(dim=1, keepdim=True) / (~unknown).sum(dim=1, keepdim=True)
            result[part] = middling
            result[part, self._known] = torch.where(unknown, middling, best)
        return result

    def _best_at_once(self, cosines: Tensor, lost: Tensor) -> Tensor:
        """The highest of each place's pairs, (B, places with a pair), of cosines (B, N) less what the pairs lose."""
        best = torch.full((len(cosines), len(self._known)), -torch.inf, device=cosines.device)
        return best.scatter_reduce_(1, self._number.expand(len(cosines), -1), cosines[:, self._column] - lost, "amax")

    def _best_by_frame(self, cosines: Tensor, lost: Tensor) -> Tensor:
        """The same on a CPU, in memory that stays in its cache: much faster than all frames at once."""
        best, alike = torch.empty(len(cosines), len(self._known)), torch.empty(len(lost))
        for frame, found in zip(cosines, best.numpy(), strict=True):
            torch.index_select(frame, 0, self._column, out=alike)
            np.maximum.reduceat(alike.sub_(lost).numpy(), self._first, out=found)
        return best
