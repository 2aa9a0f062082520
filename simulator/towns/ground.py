"""Carriageways, pavements, side lanes and the land beside them."""

from __future__ import annotations

import numpy as np

from .. import textures as tex
from ..buildings import PAVEMENT_M
from ..mesh import QuadBuilder
from ..streets import Floats, Network, SmoothField, resample, smoothstep
from ..world import PAINT_LIFT_M, ROAD_LIFT_M, planar_uv, ribbon
from .isles import TownConfig
from .looks import LookField
from .parts import GRASS, SOIL, Part, placed

TILE_M = 240.0
FINE_CELL_M = 12.0
BACKDROP_SINK_M = 3.0
COUNTRY_DENSITY = 0.22


class Land:
    """Colours and heights of the open ground of an isle.

    Args:
        town: its colours.
        network: streets and terrain.
        field: looks.
        rng: patches and fields.
    """

    def __init__(self, town: TownConfig, network: Network, field: LookField, rng: np.random.Generator) -> None:
        self._town, self._network, self._field = town, network, field
        self._patches, self._moist = SmoothField(rng, 90.0), SmoothField(rng, 1300.0)
        self._wood = SmoothField(rng, 520.0)
        self._turn, self._crops = rng.uniform(0, np.pi), rng.uniform(0, 1, (64, 64))

    def wooded(self, xy_m: Floats) -> Floats:
        """How thick trees stand at points (..., 2), 0..1, before streets and houses are cut out."""
        field = 0.6 * self._wood(xy_m) + 0.5 * self._field.drift(xy_m, 5) + 2.2 * (self._town.forest - 0.5)
        return smoothstep(-0.4, 1.1, field) * smoothstep(60, 140, self._network.terrain.inland_m(xy_m))

    def farmed(self, xy_m: Floats) -> Floats:
        """Share of fields at points (..., 2), 0..1."""
        country = 1 - smoothstep(0.08, 0.3, self._field.density(xy_m))
        return country * smoothstep(0.1, 0.5, self._town.fields + 0.3 * self._moist(xy_m) - 0.15) * (1 - self.wooded(xy_m))

    def colour(self, xy_m: Floats) -> Floats:
        """Albedo (..., 3) of open ground."""
        town = self._town
        patches = self._patches(xy_m)[..., None]
        grass = self._field.blend("grass", xy_m) * (1 + 0.13 * patches + 0.1 * self._moist(xy_m)[..., None])
        soil = np.array(town.soil)
        bare = smoothstep(0.7, 1.6, 0.8 * patches - self._moist(xy_m)[..., None])
        colour = grass * (1 - 0.7 * bare) + soil * 0.7 * bare
        c, s = np.cos(self._turn), np.sin(self._turn)
        cell = np.floor((xy_m @ np.array([[c, -s], [s, c]])) / np.array([110.0, 190.0])).astype(int) % 64
        kind = self._crops[cell[..., 0], cell[..., 1]][..., None]
        crop = np.where(
            kind < 0.3,
            np.array([0.72, 0.62, 0.3]),
            np.where(kind < 0.55, soil, np.where(kind < 0.7, 1.15 * grass, np.array([0.36, 0.5, 0.18]))),
        )
        share = 0.8 * self.farmed(xy_m)[..., None]
        colour = colour * (1 - share) + crop * share
        shore = np.clip((self._network.terrain.inland_m(xy_m)[..., None] - 45) / 45 + 0.3 * patches, 0, 1)
        return np.clip(np.array(town.sand) * (1 - shore) + colour * shore, 0.02, 1)

    def tile(self, cell: tuple[int, int]) -> Part | None:
        """A square of ``TILE_M``, finely cut, sunk a little under the streets so that it never shows through them."""
        steps = np.arange(round(TILE_M / FINE_CELL_M) + 3) - 1  # a cell more on every side for the slopes
        x, y = ((cell[axis] * TILE_M + steps * FINE_CELL_M) for axis in (0, 1))
        xy = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1)
        distance, owner = self._network.nearest_street(xy)
        halves = np.array([street.half_width_m for street in self._network.streets])[owner]
        sunk = 0.5 * (distance < halves + PAVEMENT_M + FINE_CELL_M * 0.5)
        return _lattice(
            xy, self._network.terrain.height_m(xy) - sunk, self.colour(xy), self._network.terrain.inland_m(xy), (slice(1, -1),) * 2
        )

    def backdrop(self, cell_m: float = 100.0) -> Part | None:
        """The whole isle, coarsely, a little lower: what stands behind the near tiles."""
        reach = np.array([self._town.half_length_m, self._town.half_width_m]) * 1.45 + self._town.coast_margin_m
        xy = np.stack(np.meshgrid(*(np.arange(-r, r, cell_m) for r in reach), indexing="ij"), axis=-1)
        inland = self._network.terrain.inland_m(xy)
        wood = 0.85 * self.wooded(xy)[..., None]
        colour = self.colour(xy) * (1 - wood) + 0.6 * np.array([0.3, 0.42, 0.2]) * wood
        town = 0.5 * smoothstep(0.3, 0.7, self._field.density(xy))[..., None]
        colour = colour * (1 - town) + 0.62 * self._field.wall_tint(xy) * town
        return _lattice(xy, self._network.terrain.height_m(xy) - BACKDROP_SINK_M * (inland > 120), colour, inland, (slice(None),) * 2)


def _lattice(xy: Floats, z: Floats, colour: Floats, inland: Floats, inner: tuple[slice, slice]) -> Part | None:
    """A height field as quads; only what is not far out at sea."""
    spacing = float(xy[1, 0, 0] - xy[0, 0, 0])
    dx, dy = np.gradient(z, spacing)
    normals = np.stack([-dx, -dy, np.ones_like(dx)], axis=-1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    grid = np.concatenate([xy, z[..., None]], axis=-1)[inner]

    def cells(values: Floats) -> Floats:
        return np.stack([values[:-1, :-1], values[1:, :-1], values[1:, 1:], values[:-1, 1:]], axis=2).reshape(-1, 4, values.shape[-1])

    keep = cells(inland[inner][..., None]).max(axis=(1, 2)) > -40
    if not keep.any():
        return None
    corners = cells(grid)[keep]
    kind = np.where(cells(inland[inner][..., None])[keep].reshape(-1) > 70, GRASS, SOIL).astype(np.uint8)
    sides = (corners, cells(normals[inner])[keep], planar_uv(corners), cells(colour[inner])[keep])
    points, slopes, uv, albedo = (values.reshape(-1, values.shape[-1]).astype(np.float32) for values in sides)
    return placed(points, slopes, uv, albedo, kind, on_ground=True)


def add_crossing(road: QuadBuilder, solid: QuadBuilder, network: Network, field: LookField, node: int) -> None:
    """A disc of asphalt, and zebra stripes in built-up places."""
    centre = network.crossings_m[node]
    arms = [network.streets[index] for index in network.neighbours[node].values()]
    radius = max(arm.half_width_m for arm in arms) + 1.2
    angle = np.linspace(0, 2 * np.pi, 13)
    ring = centre + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    middle = np.broadcast_to(centre, (12, 2))
    xy = np.stack([middle, ring[:-1], ring[1:], middle], axis=1)
    disc = np.concatenate([xy, network.terrain.height_m(xy)[..., None] + ROAD_LIFT_M + 0.005], axis=2)
    up = np.broadcast_to(np.array([0, 0, 1.0]), disc.shape)
    road.add(disc, planar_uv(disc), field.blend("asphalt", disc[..., :2]), up)
    if field.density(centre) < 0.4:
        return
    for arm in arms:
        line = arm.line_m if arm.start == node else arm.line_m[::-1]
        ends = resample(line, 1.0)[int(radius) + 2 : int(radius) + 5]
        for offset in np.arange(-arm.half_width_m + 0.8, arm.half_width_m - 0.4, 1.1):
            solid.add_tiled(ribbon(network, ends, offset + 0.28, offset - 0.28, PAINT_LIFT_M), tex.PLAIN, np.array([0.9, 0.9, 0.87]))
