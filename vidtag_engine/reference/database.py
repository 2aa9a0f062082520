"""A database of reference images as a model reads it: in place of the training frames that a checkpoint keeps, or with no checkpoint at all."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..directions import Directions
from ..geodesy import EARTH_RADIUS_M, unit_vectors
from ..local_features import LocalRows
from ..types import FloatArray, IntArray
from .along import Ways
from .cell_index import CellIndex
from .codes import CodeSearch
from .descriptor import Descriptor, chance_level, evenly
from .indexing import indices
from .similarity import NEIGHBOURS, NearestReferences, reach_of
from .store import Store

_IN_MEMORY = 0.5  # share of the database that an area's references are at most where they are read at once; of more all are mapped


class StoredReferences(Descriptor):
    """A database on disk, opened; only what lies about the searched places is read.

    Args:
        store: opened.
    """

    def __init__(self, store: Store) -> None:
        of = store.manifest
        super().__init__(of.feature_dim, of.width, of.layout_dim)
        self.load_state_dict(store.descriptor.state_dict())
        self.store = store
        self._lat_lon_deg = store.lat_lon_deg

    def __len__(self) -> int:
        return int(self.store.there.sum())

    @cached_property
    def indices(self) -> list[CellIndex | None]:
        """Of each addition its index, where it has one."""
        return indices(self.store)

    @cached_property
    def ways(self) -> Ways:
        """The order in which drives took them."""
        rows = self.store.rows
        return Ways(self._lat_lon_deg, rows["sequence"], rows["number"])

    def chance(self, frames: torch.Tensor) -> torch.Tensor:
        """(T,) similarity that chance finds for frames (T, D) in context, on their device; see :func:`.descriptor.chance_level`."""
        return chance_level(frames, self._sample.to(frames))

    @cached_property
    def _sample(self) -> torch.Tensor:
        rows = evenly(torch.from_numpy(np.flatnonzero(self.store.there)))
        return torch.from_numpy(self.store.descriptors(rows.numpy()))

    @property
    def local(self) -> LocalRows | None:
        """(N,) what tells details of all pictures, removed ones too; None where that is not kept."""
        return self.store.local

    @property
    def places_deg(self) -> FloatArray:
        """(N, 2) where those that are there were taken, latitude and longitude."""
        return self._lat_lon_deg[self.store.there]

    def near(self, lat_lon_deg: FloatArray, radius_m: float) -> torch.Tensor:
        """(N,) which references, removed ones too, were taken within a radius of any of the places (T, 2), in degrees."""
        found = torch.zeros(len(self._lat_lon_deg), dtype=torch.bool)
        about = self.rows_about(lat_lon_deg, radius_m)
        if len(about):
            seen, places = (cKDTree(unit_vectors(*one.T) * EARTH_RADIUS_M) for one in (self._lat_lon_deg[about], np.asarray(lat_lon_deg)))
            apart_m, _ = places.query(seen.data, distance_upper_bound=radius_m)
            found[torch.from_numpy(about[np.isfinite(apart_m)])] = True
        return found

    def reached(self, lat_lon_deg: FloatArray, radius_m: float) -> NDArray[np.bool_]:
        """(M,) whether a reference that is there was taken within a radius of each place (M, 2), in degrees."""
        about = self.rows_about(lat_lon_deg, radius_m)
        if not len(about):
            return np.zeros(len(lat_lon_deg), dtype=bool)
        seen = cKDTree(unit_vectors(*self._lat_lon_deg[about].T) * EARTH_RADIUS_M)
        apart_m, _ = seen.query(unit_vectors(*np.asarray(lat_lon_deg).T) * EARTH_RADIUS_M, distance_upper_bound=radius_m)
        found: NDArray[np.bool_] = np.isfinite(apart_m)
        return found

    def rows_about(self, lat_lon_deg: FloatArray, radius_m: float) -> IntArray:
        """References that are there and lie in the box about places (M, 2) and a radius around it: more than the ones within reach, and soon told."""
        lat, lon = np.asarray(lat_lon_deg, dtype=np.float64).T
        if not len(lat):
            return np.zeros(0, dtype=np.int64)
        more_deg = np.degrees(radius_m / EARTH_RADIUS_M)
        south, north = float(lat.min() - more_deg), float(lat.max() + more_deg)
        # Toward a pole a metre is ever more degrees of longitude.
        widest = max(abs(south), abs(north))
        wide_deg = more_deg / np.cos(np.radians(widest)) if widest < 89.0 else 360.0
        middle = float(np.degrees(np.angle(np.exp(1j * np.radians(lon)).mean())))
        aside = (lon - middle + 180.0) % 360.0 - 180.0
        west, east = float(aside.min() - wide_deg), float(aside.max() + wide_deg)
        if east - west >= 360.0:
            return self.store.within((-180.0, south, 180.0, north))
        return self.store.within(((middle + west + 180.0) % 360.0 - 180.0, south, (middle + east + 180.0) % 360.0 - 180.0, north))

    def over(
        self,
        lat_lon_deg: FloatArray,
        spacing_m: float,
        reach_m: float,
        neighbours: int | None = None,
        *,
        either_way: bool = False,
        directions: Directions | None = None,
    ) -> NearestReferences:
        """As :meth:`.reference_database.ReferenceDatabase.over`; by the nearest references always."""
        rows = self.rows_about(lat_lon_deg, reach_of(reach_m, spacing_m))
        scale = self.store.manifest.scale
        if len(rows) <= _IN_MEMORY * len(self._lat_lon_deg):
            search = CodeSearch([self.store.codes_of(rows)], scale, numbers=rows)
        else:
            search = CodeSearch(self.store.codes, scale, rows, indices=self.indices)
        return NearestReferences(
            search, self._lat_lon_deg, lat_lon_deg, spacing_m, reach_m, neighbours or NEIGHBOURS, either_way=either_way, directions=directions,
            heading_deg=self.store.rows["heading_deg"] if directions else None, ways=lambda: self.ways, local=self.store.local,
        )  # fmt: skip
