"""How smooth a location encoder is: the cosine of two places by their distance, measured, by place and at its worst.

Below its smooth length an encoder can be searched from a coarse grid: neighbours look alike, and what lies between them is foreseen from
them. The length differs from place to place, since training shapes it: one number for the whole world would be a guess.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..geodesy import wrap_lon
from ..grid.ellipsoid import lat_of_arc_deg, meridian_arc_m, parallel_radius_m
from ..types import FloatArray, InputError

if TYPE_CHECKING:
    from .embedding_cache import LocationModel

# The worst cosine that still counts as smooth: below it a peak's neighbours may miss it (measured: `benchmarks search`).
LEVEL = 0.94
_LONGEST_M = 64_000.0
_USUAL_FAR_LOSS = 0.7  # what a trained encoder loses between far places
_PIECE = 2_048


@dataclass(frozen=True)
class Smoothness:
    """What was measured.

    Args:
        distances_m: (D,) ascending.
        mean, worst: (D,) cosine over all pairs so far apart, over all places.
        places: (south, west, north, east, smooth length in metres) a tile; degrees; east may exceed 180.
        level: the worst cosine that counted as smooth.
    """

    distances_m: tuple[float, ...]
    mean: tuple[float, ...]
    worst: tuple[float, ...]
    places: tuple[tuple[float, float, float, float, float], ...]
    level: float = LEVEL

    @property
    def length_m(self) -> float:
        """The smooth length at the worst place measured."""
        return min(place[4] for place in self.places)

    def length_at_m(self, south: float, west: float, north: float, east: float) -> float | None:
        """The smooth length at the worst tile that touches a box (degrees); None where the box is not wholly inside what was measured."""
        tiles = np.array(self.places)
        inside = tiles[:, 0].min() <= south and tiles[:, 2].max() >= north and tiles[:, 1].min() <= west and tiles[:, 3].max() >= east
        touched = (tiles[:, 0] <= north) & (tiles[:, 2] >= south) & (tiles[:, 1] <= east) & (tiles[:, 3] >= west)
        return float(tiles[touched, 4].min()) if inside and touched.any() else None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Smoothness:
        """Read what ``to_dict`` wrote.

        Raises:
            InputError: it cannot be read.
        """
        try:
            rows = tuple(tuple(float(number) for number in place) for place in values["places"])
            distances, mean, worst = (tuple(float(number) for number in values[name]) for name in ("distances_m", "mean", "worst"))
            found = cls(distances, mean, worst, rows, float(values["level"]))  # type: ignore[arg-type]
            usable = bool(rows) and all(len(place) == 5 and place[4] > 0 and np.isfinite(place).all() for place in rows)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"The checkpoint's smoothness cannot be read ({type(error).__name__}: {error}); train it again.") from error
        if not usable:
            raise InputError("The checkpoint's smoothness names no place with a positive length; train it again.")
        return found


def measure_smoothness(
    model: LocationModel,
    extent_deg: tuple[float, float, float, float],
    *,
    level: float = LEVEL,
    tiles: int = 6,
    pairs: int = 24,
    shortest_m: float = 0.25,
    seed: int = 0,
) -> Smoothness:
    """Measure an encoder over an extent: pairs in all directions at distances that double, tile by tile.

    Args:
        model: on the device where it should run.
        extent_deg: minx, miny, maxx, maxy; maxx may exceed 180.
        level: the worst cosine that counts as smooth in an encoder whose far places have about .3; others' levels keep its share of the loss.
        tiles: a side of the extent.
        pairs: places a tile, each with partners in a direction of its own.
        shortest_m: the first distance.
        seed: of places and directions.

    Returns:
        The measurement; a tile's length is where its worst cosine falls through ``level``, interpolated between distances.
    """
    west, south, east, north = extent_deg
    rng = np.random.default_rng(seed)
    lon_edges, lat_edges = np.linspace(west, east, tiles + 1), np.linspace(south, north, tiles + 1)
    boxes = [(s, w, n, e) for (s, n), (w, e) in itertools.product(itertools.pairwise(lat_edges), itertools.pairwise(lon_edges))]
    corners = np.repeat(np.array(boxes), pairs, axis=0)
    shares = rng.random((len(corners), 2))
    start = np.stack(
        [corners[:, 0] + shares[:, 0] * (corners[:, 2] - corners[:, 0]), corners[:, 1] + shares[:, 1] * (corners[:, 3] - corners[:, 1])], 1
    )
    angle = 2 * math.pi * (np.arange(len(start)) / pairs + rng.random(len(start)) / pairs)
    here = _embed(model, start)
    # All embeddings may share a direction: what counts is the loss beside that between any two places of the extent.
    far = float((here * here[rng.permutation(len(here))]).sum(axis=1).mean())
    level = 1 - (1 - level) * min(1.0, (1 - far) / _USUAL_FAR_LOSS)
    distances, cosines = [], []
    distance_m = shortest_m
    while distance_m <= _LONGEST_M:
        there = _moved(start, angle, distance_m)
        cosine = (here * _embed(model, there)).sum(axis=1)
        cosine[np.abs(there[:, 1] - start[:, 1]) > 180] = np.nan  # across the plane's seam nothing is near
        distances.append(distance_m)
        cosines.append(cosine.reshape(len(boxes), pairs))
        if np.nanmin(cosine.reshape(len(boxes), -1), axis=1).max() < level:
            break
        distance_m *= 2
    table = np.array(cosines)
    places = tuple((float(s), float(w), float(n), float(e), _length(distances, table[:, i], level)) for i, (s, w, n, e) in enumerate(boxes))
    mean, worst = np.nanmean(table, axis=(1, 2)), np.nanmin(table, axis=(1, 2))
    return Smoothness(tuple(distances), tuple(mean.tolist()), tuple(worst.tolist()), places, level)


def _length(distances: list[float], cosines: FloatArray, level: float) -> float:
    """Where the worst cosine (a running minimum over distance) falls through the level; squares of distances, as near a maximum."""
    worst = np.minimum.accumulate(np.nanmin(cosines, axis=1))
    below = int(np.searchsorted(-worst, -level, side="right"))
    if below == 0:
        return distances[0] / 2
    if below == len(distances):
        return distances[-1]
    share = (worst[below - 1] - level) / (worst[below - 1] - worst[below])
    return math.sqrt(distances[below - 1] ** 2 * (1 - share) + distances[below] ** 2 * share)


def _moved(lat_lon_deg: FloatArray, angle: FloatArray, distance_m: float) -> FloatArray:
    lat = lat_of_arc_deg(meridian_arc_m(lat_lon_deg[:, 0]) + distance_m * np.cos(angle))
    lon = lat_lon_deg[:, 1] + np.degrees(distance_m * np.sin(angle) / np.maximum(parallel_radius_m(lat_lon_deg[:, 0]), distance_m))
    return np.stack([lat, wrap_lon(lon)], axis=1)


@torch.inference_mode()
def _embed(model: LocationModel, lat_lon_deg: FloatArray) -> FloatArray:
    device = next(model.parameters()).device
    places = torch.from_numpy(np.stack([lat_lon_deg[:, 0], wrap_lon(lat_lon_deg[:, 1])], axis=1))
    places = places if device.type == "mps" else places.to(device)
    return torch.cat([model.embed_locations(piece).double().cpu() for piece in places.split(_PIECE)]).numpy()
