"""What training saw, kept: each training frame in its context and where it was taken (not in the paper).

A network that learns places by heart from few views forgets detail that its own first layer still has. Both are evidence of a place, and they err differently;
the decoder reads their weighted sum.

Frames are compared in context: the mean over their neighbours in the video, and by how much they differ from it. Light, weather and camera alter all frames of a
drive alike, so the difference is the same on another day, while the mean tells towns and quarters apart.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ..geodesy import EARTH_RADIUS_M, unit_vectors
from ..types import FloatArray

MOST_FRAMES = 100_000
CONTEXT_FRAMES = 5
_FAR = 0.5  # of cosine, that a remembered frame loses at the end of its reach
_MOST_SPACINGS = 12.0
_AT_ONCE = 8_000_000  # pairs of a frame and a remembered one near a place


def in_context(z: Tensor) -> Tensor:
    """A video's projected features (T, D) to (T, 2 D) unit-normalised: the mean over ``CONTEXT_FRAMES`` neighbours (fewer at the ends), and what is beyond it."""
    mean = F.avg_pool1d(z.T[None], CONTEXT_FRAMES, stride=1, padding=CONTEXT_FRAMES // 2, count_include_pad=False)[0].T
    return F.normalize(torch.cat([mean, z - mean], dim=1), dim=1)


class Memory(nn.Module):
    """Remembered frames.

    Args:
        frames: N.
        width: K of their embeddings.
    """

    embeddings: Tensor
    lat_lon_deg: Tensor

    def __init__(self, frames: int, width: int) -> None:
        super().__init__()
        self.register_buffer("embeddings", torch.zeros(frames, width))
        self.register_buffer("lat_lon_deg", torch.zeros(frames, 2))

    def over(self, lat_lon_deg: FloatArray, spacing_m: float, reach_m: float) -> Callable[[Tensor], Tensor]:
        """What tells how much frames look like what was seen at places.

        A place's score is the highest cosine of the frame with any remembered one within reach, less what grows with the square of the way between, to a half at
        the end of the reach. Places without one in reach have the frame's mean over the others: nothing is known of them.

        Args:
            lat_lon_deg: (M, 2) places in degrees.
            spacing_m: of them; the reach is at least one spacing, which leaves every remembered frame a place, and at most twelve, as memory grows with
                its square.
            reach_m: metres over which a remembered frame speaks for places around it.

        Returns:
            From (B, K) unit-normalised embeddings to (B, M) scores; where nothing is in reach of any place, zeros.
        """
        reach_m = float(np.clip(reach_m, spacing_m, _MOST_SPACINGS * spacing_m))
        places = cKDTree(unit_vectors(*np.asarray(lat_lon_deg, dtype=np.float64).T) * EARTH_RADIUS_M)
        seen = cKDTree(unit_vectors(*self.lat_lon_deg.cpu().double().numpy().T) * EARTH_RADIUS_M)
        near = places.sparse_distance_matrix(seen, reach_m, output_type="coo_matrix")
        order = np.argsort(near.row, kind="stable")
        device = self.embeddings.device
        row, column = (torch.from_numpy(one[order].astype(np.int64)).to(device) for one in (near.row, near.col))
        lost = torch.from_numpy((_FAR * (near.data[order] / reach_m) ** 2).astype(np.float32)).to(device)
        known, number = torch.unique_consecutive(row, return_inverse=True)
        count = len(lat_lon_deg)

        def score(frames: Tensor) -> Tensor:
            result = torch.zeros(len(frames), count, device=device)
            if not len(known):
                return result
            rows = max(1, _AT_ONCE // len(row))
            for begin in range(0, len(frames), rows):
                part = slice(begin, begin + rows)
                alike = (frames[part].to(device) @ self.embeddings.T)[:, column] - lost
                best = torch.full((len(alike), len(known)), -torch.inf, device=device)
                best.scatter_reduce_(1, number.expand(len(alike), -1), alike, "amax")
                result[part] = best.mean(dim=1, keepdim=True)
                result[part, known] = best
            return result

        return score
