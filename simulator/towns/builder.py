"""An isle as pieces of street and tiles of ground that are built when a camera comes near; the same for the same seed."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree
from shapely import affinity
from shapely.geometry import LineString, MultiPolygon, Polygon, box
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from .. import props
from .. import textures as tex
from ..mesh import ATLAS_TILES, QuadBuilder
from ..streets import Floats, Street, resample
from .config import WorldConfig
from .furniture import OWN_SIGNS, Roadside, add_garden, add_groves, add_lamps, add_landmarks, add_signs, add_street_trees
from .greenery import Greens
from .ground import COUNTRY_DENSITY, TILE_M, Land, add_crossing
from .houses import Stretch, add_lane, back_row_m, build_house, lanes_of, plan_row
from .isles import TONGUES, TownConfig
from .looks import LookField
from .network import build_town_network, isle_number
from .parts import EVERGREEN, LEAF, ROAD, SOLID, Part, part_of
from .roadway import add_barrier, add_carriageway, add_wires

Key = tuple[int, int]


class TownBuilder:
    """Everything that stands on one isle.

    Args:
        town: the isle.
        config: difficulty.
        seed: of the world.
    """

    def __init__(self, town: TownConfig, config: WorldConfig, seed: int) -> None:
        self.town, self.config, self.seed = town, config, seed
        self.network, self.centres_m = build_town_network(town, config, seed)
        self.field = LookField(town, config, self.centres_m, seed)
        self.land = Land(town, self.network, self.field, self.generator(5))

    def generator(self, *keys: int) -> np.random.Generator:
        """A random generator of its own for every thing on the isle."""
        return np.random.default_rng([self.seed, isle_number(self.town), *keys])

    @cached_property
    def textures(self) -> tex.Textures:
        """The pictures: walls and windows common to all isles, half of the boards in the country's tongue."""
        base = tex.build_textures(self.seed)
        atlas = base.atlas.copy()
        for index, word in enumerate(TONGUES[self.town.country][:OWN_SIGNS]):
            row, column = divmod(tex.FIRST_SIGN + index, ATLAS_TILES)
            board = np.clip(255 * tex.sign(word, light=index % 3 > 0), 0, 255).astype(np.uint8)
            atlas[row * tex.TILE_PX : (row + 1) * tex.TILE_PX, column * tex.TILE_PX : (column + 1) * tex.TILE_PX] = board
        return tex.Textures(atlas, base.ground, base.clouds)

    @cached_property
    def _lines(self) -> list[Floats]:
        return [resample(street.line_m, 1.0) for street in self.network.streets]

    def piece_count(self, street: int) -> int:
        """Into how many pieces a street is cut."""
        return max(1, round(self.network.streets[street].length_m / self.config.piece_m))

    @cached_property
    def pieces(self) -> tuple[list[Key], cKDTree]:
        """All pieces (street, number), and where their middles are."""
        keys = [(street, k) for street in range(len(self.network.streets)) for k in range(self.piece_count(street))]
        return keys, cKDTree([self._slice(key)[len(self._slice(key)) // 2] for key in keys])

    def _slice(self, key: Key) -> Floats:
        """Centre line (n, 2) of a piece, a point a metre; neighbours share an end."""
        line, count = self._lines[key[0]], self.piece_count(key[0])
        cuts = np.linspace(0, len(line) - 1, count + 1).round().astype(int)
        return line[cuts[key[1]] : cuts[key[1] + 1] + 1]

    def near_pieces(self, path_m: Floats, reach_m: float) -> list[Key]:
        """Pieces that come within about ``reach_m`` of a path (n, 2)."""
        keys, tree = self.pieces
        found = tree.query_ball_point(path_m, reach_m + self.config.piece_m / 2)
        return [keys[index] for index in sorted({index for some in found for index in some})]

    def near_tiles(self, path_m: Floats, reach_m: float) -> list[Key]:
        """Ground tiles whose middle comes within ``reach_m`` of a path."""
        low, high = (
            np.floor((edge + sign * reach_m) / TILE_M).astype(int) for edge, sign in ((path_m.min(axis=0), -1), (path_m.max(axis=0), 1))
        )
        cells = np.stack(np.meshgrid(np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1)), axis=-1).reshape(-1, 2)
        distance, _ = cKDTree(path_m).query((cells + 0.5) * TILE_M)
        return [(int(x), int(y)) for x, y in cells[distance < reach_m]]

    def piece(self, key: Key) -> list[Part]:
        """Road, houses, things and plants along a piece of street."""
        number, index = key
        street = self.network.streets[number]
        rng = self.generator(6, number, index)
        line = self._slice(key)
        stretch = Stretch(number, line, street.half_width_m)
        middle = line[len(line) // 2]
        road, solid, tinted = QuadBuilder(), QuadBuilder(), QuadBuilder()
        greens = Greens(solid)
        ends = (index == 0, index == self.piece_count(number) - 1)
        part = Street(street.start, street.end, resample(line, 6.0), street.half_width_m, street.is_main)
        add_carriageway(road, solid, self.network, self.field, part, ends)
        for is_end, node in zip(ends, (street.start, street.end), strict=True):
            if is_end and min(self.network.neighbours[node].values()) == number:  # one of its streets brings a crossing along
                add_crossing(road, solid, self.network, self.field, node)
        self._add_sides(stretch, ends, road, solid, tinted, greens, rng)
        tint = self.field.wall_tint(middle) * (1 + 0.16 * self.config.block_strength * rng.normal(0, [0.5, 0.35, 0.5]))
        parts = (
            part_of([(road, ROAD)], on_ground=True),
            part_of([(tinted, SOLID)], tints={SOLID: tint}),
            part_of([(solid, SOLID), (greens.evergreen, EVERGREEN)], tints={EVERGREEN: self.field.greens}),
            part_of([(greens.leaves, LEAF)], sheds=True, tints={LEAF: self.field.greens}),
        )
        return [part for part in parts if part is not None]

    def _add_sides(
        self,
        stretch: Stretch,
        ends: tuple[bool, bool],
        road: QuadBuilder,
        solid: QuadBuilder,
        houses: QuadBuilder,
        greens: Greens,
        rng: np.random.Generator,
    ) -> None:
        """What stands on both sides of a piece."""
        network, field, config = self.network, self.field, self.config
        middle = stretch.line_m[len(stretch.line_m) // 2]
        density = float(field.density(middle))
        country = density < COUNTRY_DENSITY
        own_way = rng.random() < 0.5 * config.block_strength
        favoured = field.look(middle, rng)
        kinds = favoured.trees if own_way else field.trees(middle, rng)
        lanes = lanes_of(stretch, density, rng)
        taken: list[Floats] = []
        add_wires(solid, network, field, stretch.line_m, stretch.half_width_m)
        for side in (1, -1):
            for at in lanes[side]:
                add_lane(road, network, field, stretch, side, at)
            plots = plan_row(network, field, stretch, side, lanes[side], rng, favoured if own_way else None)
            behind = [] if country else plan_row(network, field, stretch, side, lanes[side], rng, None, back_row_m(plots, rng))
            for plot in [*plots, *behind]:
                build_house(houses, network, plot)
                taken.append(plot.outline_m(4))
            for plot in plots:
                add_garden(solid, greens, network, plot, rng)
            roadside = Roadside(network, stretch, side)
            add_lamps(solid, roadside, favoured, country=country, left=side > 0)
            add_street_trees(greens, field, roadside, kinds, rng, country=country)
            add_barrier(solid, greens.evergreen, network, field, roadside.line, stretch.half_width_m, lanes[side])
            add_landmarks(solid, roadside, config.landmark_spacing_m, rng)
            add_signs(solid, roadside, self.town, config, rng, crossing=ends[1] if side > 0 else ends[0])
        add_groves(greens, network, field, self.land, stretch, np.concatenate(taken) if taken else np.zeros((0, 2)), rng)

    def towers(self) -> Part | None:
        """A few things seen from afar, one or two a district."""
        rng, build = self.generator(7), QuadBuilder()
        for centre in self.centres_m:
            for _ in range(2):
                for _ in range(200):
                    at = centre + rng.normal(0, 420, 2)
                    street_m, _ = self.network.nearest_street(at)
                    if 60 < street_m < 220 and self.network.terrain.inland_m(at) > 90:
                        props.add_tower(build, int(rng.integers(3)), np.array([*at, float(self.network.terrain.height_m(at)) - 0.5]), rng)
                        break
        return part_of([(build, SOLID)])

    def area(self, margin_m: float = 250.0) -> BaseGeometry:
        """Outline of the driven streets with a margin, longitude and latitude; cut in two at ±180°."""
        town = unary_union([LineString(street.line_m) for street in self.network.streets])
        outline = np.array(town.buffer(400).buffer(margin_m - 400).convex_hull.simplify(30).exterior.coords)
        lat_lon = self.network.to_lat_lon(outline)
        if np.ptp(lat_lon[:, 1]) < 180:
            return Polygon(lat_lon[:, ::-1])
        whole = Polygon(np.stack([lat_lon[:, 1] % 360, lat_lon[:, 0]], axis=1))
        east, west = whole.intersection(box(0, -90, 180, 90)), whole.intersection(box(180, -90, 360, 90))
        return MultiPolygon([east, affinity.translate(west, xoff=-360)])
