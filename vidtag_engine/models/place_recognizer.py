"""Places from reference images alone: nothing is trained, each frame is looked up among pictures whose places are known (visual place recognition)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor, nn

from ..geodesy import EARTH_RADIUS_M, unit_vectors
from ..reference.database import StoredReferences


@dataclass(frozen=True)
class PlaceRecognizerConfig:
    """What fixes its shape.

    Args:
        frame_encoder: preset of the frame encoder whose features it takes.
        feature_dim: width of those features.
        remembered_layout: width of what follows them.
    """

    frame_encoder: str
    feature_dim: int
    remembered_layout: int


class PlaceRecognizer(nn.Module):
    """A database of reference images behind the interface that the trained models have.

    A place is embedded as the descriptor of the reference image nearest to it, by which candidates are listed for each frame; whole videos are decoded by each
    frame's nearest references alone.

    Args:
        references: opened.
        reach_m: metres over which a reference image speaks for places around it.
    """

    has_refiner = False

    def __init__(self, references: StoredReferences, reach_m: float) -> None:
        super().__init__()
        of = references.store.manifest
        self.config = PlaceRecognizerConfig(of.frame_encoder, of.feature_dim, of.layout_dim)
        self.memory = references
        self._reach_m = reach_m
        self._kept = np.flatnonzero(references.store.there)
        self._tree = cKDTree(unit_vectors(*references.store.lat_lon_deg[self._kept].T) * EARTH_RADIUS_M)

    @property
    def device(self) -> torch.device:
        """Where the whitening is."""
        return next(self.memory.parameters()).device

    @torch.no_grad()
    def embed_video(self, features: Tensor) -> Tensor:
        """A whole video's features (T, D), or (T, D + L), to descriptors (T, E) on the model's device."""
        return self.memory.in_context(features.to(self.device))

    @torch.no_grad()
    def embed_locations(self, lat_lon_deg: Tensor) -> Tensor:
        """(..., 2) latitude, longitude in degrees to (..., E); zeros where no reference image was taken within reach."""
        places = lat_lon_deg.reshape(-1, 2).double().cpu().numpy()
        found = np.zeros((len(places), self.memory.dim), dtype=np.float32)
        if len(self._kept):
            apart_m, nearest = self._tree.query(unit_vectors(*places.T) * EARTH_RADIUS_M, distance_upper_bound=self._reach_m)
            known = np.isfinite(apart_m)
            found[known] = self.memory.store.descriptors(self._kept[nearest[known]])
        return torch.from_numpy(found).reshape(*lat_lon_deg.shape[:-1], -1).to(self.device)
