"""Places from reference images alone: nothing is trained, each frame is looked up among pictures whose places are known (visual place recognition)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor, nn

from ..geodesy import EARTH_RADIUS_M, unit_vectors
from ..reference.database import StoredReferences
from ..types import FloatArray, IntArray
from .reference_database import ReferenceDatabase


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
        references: a database, opened, or what an older checkpoint keeps among its weights.
        reach_m: metres over which a reference image speaks for places around it.
        frame_encoder: preset of it, where the references do not say.
    """

    has_refiner = False

    def __init__(self, references: StoredReferences | ReferenceDatabase, reach_m: float, frame_encoder: str = "") -> None:
        super().__init__()
        preset = references.store.manifest.frame_encoder if isinstance(references, StoredReferences) else frame_encoder
        self.config = PlaceRecognizerConfig(preset, references.feature_dim, references.layout_dim)
        self.memory = references
        self._reach_m = reach_m
        self._tree = cKDTree(unit_vectors(*references.places_deg.T) * EARTH_RADIUS_M)

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
        if self._tree.n:
            apart_m, nearest = self._tree.query(unit_vectors(*places.T) * EARTH_RADIUS_M, distance_upper_bound=self._reach_m)
            known = np.isfinite(apart_m)
            found[known] = self._descriptors(nearest[known])
        return torch.from_numpy(found).reshape(*lat_lon_deg.shape[:-1], -1).to(self.device)

    def _descriptors(self, numbers: IntArray) -> FloatArray:
        """(n, E) of reference images, counted among those that are there."""
        if isinstance(self.memory, ReferenceDatabase):
            return np.asarray(self.memory.embeddings.cpu().numpy()[numbers], dtype=np.float32)
        return self.memory.store.descriptors(np.flatnonzero(self.memory.store.there)[numbers])
