"""Classes that stand for places: what the classification methods predict, and where a class says that a frame is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vidtag_engine.types import FloatArray, InputError, IntArray

_MISSING = "S2 cells need the package s2cell: pip install s2cell."


@dataclass(frozen=True)
class Cells:
    """Classes of one partition of the training places.

    Args:
        names: of the classes, sorted; S2 tokens, or numbers of cities.
        centres_deg: (C, 2) lat, lon: the answer that a class stands for (App. F.2: the cell's centre).
        level: of S2; None for other classes.
    """

    names: tuple[str, ...]
    centres_deg: FloatArray
    level: int | None = None

    def __len__(self) -> int:
        return len(self.names)

    def classes(self, lat_lon_deg: FloatArray) -> IntArray:
        """Class of every place, (N, 2) to (N,); -1 where no training place was."""
        if self.level is None:
            nearest = np.abs(lat_lon_deg[:, None, :] - self.centres_deg[None]).sum(axis=-1)
            return np.where(nearest.min(axis=1) < 1e-9, nearest.argmin(axis=1), -1)
        number = {name: place for place, name in enumerate(self.names)}
        return np.array([number.get(token, -1) for token in s2_tokens(lat_lon_deg, self.level)], dtype=np.int64)


def s2_cells(lat_lon_deg: FloatArray, level: int) -> Cells:
    """The S2 cells of one level that hold training places (App. F.2); cells without any are no classes.

    PlaNet's own partition splits and drops cells by their number of photos; VidTAG's authors compare at fixed levels, and so do we.

    Args:
        lat_lon_deg: (N, 2) training places.
        level: 0 to 30; 13 has cells of about 1.2 km.
    """
    tokens = sorted(set(s2_tokens(lat_lon_deg, level)))
    library = _library()
    return Cells(tuple(tokens), np.array([library.token_to_lat_lon(token) for token in tokens]), level)


def point_cells(lat_lon_deg: FloatArray) -> Cells:
    """A class for each different place, such as city centres (Table 3), found again by the very same coordinates."""
    points = np.unique(lat_lon_deg, axis=0)
    return Cells(tuple(map(str, range(len(points)))), points)


def s2_tokens(lat_lon_deg: FloatArray, level: int) -> list[str]:
    """S2 tokens of places (N, 2). Raises InputError where the library is not installed."""
    library = _library()
    return [library.lat_lon_to_token(lat, lon, level) for lat, lon in np.asarray(lat_lon_deg, dtype=np.float64).tolist()]


def parents(cells: Cells, coarser: Cells) -> IntArray:
    """Which coarser cell each cell lies in, (C,)."""
    library = _library()
    number = {name: place for place, name in enumerate(coarser.names)}
    return np.array([number[library.token_to_parent_token(name, coarser.level)] for name in cells.names], dtype=np.int64)


def hierarchy(lat_lon_deg: FloatArray, levels: Sequence[int]) -> list[Cells]:
    """Cells of several levels, coarse to fine."""
    return [s2_cells(lat_lon_deg, level) for level in sorted(levels)]


def _library() -> Any:
    try:
        import s2cell
    except ImportError as error:
        raise InputError(_MISSING) from error
    return s2cell
