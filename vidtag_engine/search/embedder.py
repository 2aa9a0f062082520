"""Embeddings of places by number, computed when first asked for."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..types import FloatArray, IntArray

if TYPE_CHECKING:
    from .embedding_cache import LocationModel

MOST_EMBEDDED = 100_000  # places held with their embeddings
_PIECE = 2_048


class Embedder:
    """Places to unit vectors in pieces, in single or double precision, counted.

    Args:
        model: gives the embeddings.
        device: where it is.
    """

    def __init__(self, model: LocationModel, device: torch.device) -> None:
        self._model, self._device = model, device
        self._double: LocationModel | None = None
        self.count = 0

    @torch.inference_mode()
    def __call__(self, lat_lon_deg: FloatArray, *, double: bool = False) -> torch.Tensor:
        """(n, 2) degrees to (n, E) on the device; float64 where ``double`` (and the device has it), else float32."""
        self.count += len(lat_lon_deg)
        double = double and self._device.type != "mps"
        model = self._precise() if double else self._model
        places = torch.from_numpy(np.ascontiguousarray(lat_lon_deg, dtype=np.float64))
        places = places if self._device.type == "mps" else places.to(self._device)
        kind = torch.float64 if double else torch.float32
        return torch.cat([model.embed_locations(piece).to(kind) for piece in places.split(_PIECE)])

    def scorer(self, lat_lon_deg: FloatArray) -> Callable[[torch.Tensor], torch.Tensor]:
        """For (Q, 2) degrees, what gives their scores (B, Q) with queries (B, E); at most ``MOST_EMBEDDED`` places."""
        embeddings = self(lat_lon_deg)
        return lambda queries: queries @ embeddings.T

    def _precise(self) -> LocationModel:
        """The location encoder in float64: where neighbours' scores differ by less than float32 can tell."""
        if self._double is None:
            self._double = double_of(self._model)
        return self._double


class _Precise:
    """A location encoder in float64 behind a model's interface."""

    def __init__(self, encoder: torch.nn.Module) -> None:
        self._encoder = encoder

    def embed_locations(self, lat_lon_deg: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.normalize(self._encoder(lat_lon_deg), dim=-1)

    def parameters(self) -> object:
        return self._encoder.parameters()


def double_of(model: LocationModel) -> LocationModel:
    """A model's location encoder with its weights as float64; a model without one of ours is given back as it is."""
    encoder = getattr(model, "location_encoder", None)
    return model if encoder is None else _Precise(copy.deepcopy(encoder).double())  # type: ignore[return-value]


class PointStore:
    """Embeddings under whole numbers, each computed once.

    Args:
        places: numbers (n,) to (n, 2) degrees.
        embed: degrees to unit vectors.
    """

    def __init__(self, places: Callable[[IntArray], FloatArray], embed: Callable[[FloatArray], torch.Tensor]) -> None:
        self._places, self._embed = places, embed
        self._keys = np.zeros(0, np.int64)
        self._slots = np.zeros(0, np.int64)
        self._parts: list[torch.Tensor] = []
        self._where: list[FloatArray] = []

    @property
    def size(self) -> int:
        """How many are held."""
        return len(self._keys)

    def slots(self, keys: IntArray) -> IntArray:
        """Places in ``embeddings`` of any shape of keys; what is new is embedded."""
        wanted, back = np.unique(keys, return_inverse=True)
        new = wanted[~np.isin(wanted, self._keys, assume_unique=True)]
        if len(new):
            places = self._places(new)
            self._where.append(places)
            self._parts.append(self._embed(places))
            self._keys = np.concatenate([self._keys, new])
            self._slots = np.concatenate([self._slots, np.arange(len(self._slots), len(self._slots) + len(new))])
            order = np.argsort(self._keys, kind="stable")
            self._keys, self._slots = self._keys[order], self._slots[order]
        found: IntArray = self._slots[np.searchsorted(self._keys, wanted)][back.reshape(keys.shape)]
        return found

    @property
    def embeddings(self) -> torch.Tensor:
        """(S, E) by slot."""
        if len(self._parts) > 1:
            self._parts = [torch.cat(self._parts)]
        return self._parts[0]

    @property
    def lat_lon_deg(self) -> FloatArray:
        """(S, 2) by slot."""
        if len(self._where) > 1:
            self._where = [np.concatenate(self._where)]
        return self._where[0]
