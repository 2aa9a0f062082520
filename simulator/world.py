"""A whole isle: streets, ground, houses, trees and things, ready to be rendered; the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from shapely.geometry import LineString, Polygon
from shapely.ops import unary_union

from . import props
from . import textures as tex
from .buildings import PAVEMENT_M, Plot, add_house, plan_plots
from .config import IsleConfig, RenderConfig
from .mesh import Chunk, QuadBuilder, box, tile_uv
from .quarters import LOOKS, Quarters
from .streets import Floats, Network, SmoothField, Street, build_network, resample

PAVEMENT_LIFT_M, ROAD_LIFT_M, PAINT_LIFT_M = 0.12, 0.2, 0.24
GROUND_REPEAT_M = 9.0


@dataclass(frozen=True)
class World:
    """An isle that can be looked at.

    Args:
        config: its settings.
        seed: it was made from.
        network: streets and terrain.
        quarters: looks.
        plots: where the houses stand.
        ground: terrain and roads in chunks, textured with the ground noise.
        built: everything else in chunks, textured with the atlas.
        textures: the pictures.
    """

    config: IsleConfig
    seed: int
    network: Network
    quarters: Quarters
    plots: tuple[Plot, ...]
    ground: tuple[Chunk, ...]
    built: tuple[Chunk, ...]
    textures: tex.Textures

    def area_of_interest(self, margin_m: float = 160.0) -> Polygon:
        """Outline of the town with a margin, longitude and latitude."""
        town = unary_union([LineString(street.line_m) for street in self.network.streets])
        outline = np.array(town.buffer(300).buffer(margin_m - 300).convex_hull.simplify(20).exterior.coords)
        return Polygon(self.network.to_lat_lon(outline)[:, ::-1])


def build_world(config: IsleConfig, seed: int, render: RenderConfig | None = None) -> World:
    """Make an isle from a seed."""
    render = render or RenderConfig()
    network = build_network(config, seed)
    rng = np.random.default_rng([seed, config.world_seed, 3])
    quarters = Quarters(config, network, rng)
    ground, built = QuadBuilder(), QuadBuilder()
    _add_terrain(ground, network, quarters, rng)
    for street in network.streets:
        _add_street(ground, built, network, quarters, street)
    _add_crossings(ground, built, network, quarters)
    plots = plan_plots(network, quarters, rng)
    for plot in plots:
        heights = network.terrain.height_m(plot.outline_m(3))
        front = float(network.terrain.height_m(plot.front_m)) + 0.25
        add_house(built, plot, max(front, float(heights.mean())), float(heights.min()))
    _add_gardens(built, network, plots, rng)
    _add_groves(built, network, quarters, plots, rng)
    for index, street in enumerate(network.streets):
        _add_street_furniture(built, network, quarters, street, np.random.default_rng([seed, config.world_seed, 4, index]))
    _add_towers(built, network, plots, rng)
    return World(
        config, seed, network, quarters, tuple(plots),
        tuple(ground.chunks(2 * render.chunk_m)), tuple(built.chunks(render.chunk_m)), tex.build_textures(seed),
    )  # fmt: skip


def planar_uv(corners: Floats) -> Floats:
    """Texture coordinates (..., 2) on the ground's noise."""
    return corners[..., :2] / GROUND_REPEAT_M


def _add_terrain(build: QuadBuilder, network: Network, quarters: Quarters, rng: np.random.Generator, cell_m: float = 12.0) -> None:
    """Grass, sand at the shore, dry patches; sunk a little under the streets so that it never shows through them."""
    config = network.config
    reach_x, reach_y = (1.55 * (half + config.coast_margin_m) for half in (config.half_length_m, config.half_width_m))
    xs, ys = np.arange(-reach_x, reach_x, cell_m), np.arange(-reach_y, reach_y, cell_m)
    xy = np.stack(np.meshgrid(xs, ys, indexing="ij"), axis=-1)
    inland = network.terrain.inland_m(xy)
    distance, owner = network.nearest_street(xy)
    halves = np.array([street.half_width_m for street in network.streets])[owner]
    z = network.terrain.height_m(xy) - 0.5 * (distance < halves + PAVEMENT_M + cell_m * 0.5)
    patches = SmoothField(rng, 70.0)(xy)[..., None]
    grass = quarters.blend("grass", xy) * (1 + 0.13 * patches)
    sand = np.array([0.86, 0.79, 0.6])
    share = np.clip((inland[..., None] - 40) / 40 + 0.3 * patches, 0, 1)
    colour = np.clip(sand * (1 - share) + grass * share, 0, 1)
    grid = np.concatenate([xy, z[..., None]], axis=-1)

    def cells(values: Floats) -> Floats:
        return np.stack([values[:-1, :-1], values[1:, :-1], values[1:, 1:], values[:-1, 1:]], axis=2).reshape(-1, 4, values.shape[-1])

    keep = cells(inland[..., None]).max(axis=(1, 2)) > -40
    dx, dy = np.gradient(z, cell_m)
    normals = np.stack([-dx, -dy, np.ones_like(dx)], axis=-1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    corners = cells(grid)[keep]
    build.add(corners, planar_uv(corners), cells(colour)[keep], cells(normals)[keep])


def ribbon(network: Network, line_m: Floats, left_m: float, right_m: float, lift_m: float) -> Floats:
    """Quads (n, 4, 3) along a line between two offsets (positive to the left), draped over the ground."""
    left, right = (offset_line(line_m, offset) for offset in (left_m, right_m))

    def draped(xy: Floats) -> Floats:
        return np.concatenate([xy, network.terrain.height_m(xy)[:, None] + lift_m], axis=1)

    a, b = draped(right), draped(left)
    return np.stack([a[:-1], a[1:], b[1:], b[:-1]], axis=1)


def offset_line(line_m: Floats, left_m: float) -> Floats:
    """A polyline (n, 2) moved to its left."""
    tangent = np.gradient(line_m, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-9
    return line_m + left_m * np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)


def _add_street(ground: QuadBuilder, built: QuadBuilder, network: Network, quarters: Quarters, street: Street) -> None:
    """Carriageway, kerbs, pavements and centre line; the carriageway lies above, so that crossings cut pavements by themselves."""
    half = street.half_width_m
    road = ribbon(network, street.line_m, half, -half, ROAD_LIFT_M)
    ground.add(road, planar_uv(road), quarters.blend("asphalt", road[..., :2]))
    for side in (1, -1):
        inner, outer = side * (half + 0.22), side * (half + PAVEMENT_M)
        strip = ribbon(network, street.line_m, max(inner, outer), min(inner, outer), PAVEMENT_LIFT_M)
        share = quarters.weights(strip[:, 0, :2])
        tiles = np.array([tex.PAVINGS[LOOKS[index].paving_tile] for index in share.argmax(axis=1)])
        built.add(strip, tile_uv(tiles), quarters.blend("paving", strip[..., :2]))
        kerb = ribbon(network, street.line_m, max(inner, side * (half - 0.05)), min(inner, side * (half - 0.05)), ROAD_LIFT_M - 0.03)
        built.add_tiled(kerb, tex.PLAIN, np.array([0.78, 0.77, 0.74]))
    _add_patches(built, network, street)
    inside = street.line_m[2:-2]
    if street.is_main:
        line = resample(inside, 3.0)
        dashes = ribbon(network, line, 0.08, -0.08, PAINT_LIFT_M)[::2]
        for offset in (half - 0.5, 0.5 - half):
            built.add_tiled(ribbon(network, inside, offset + 0.06, offset - 0.06, PAINT_LIFT_M), tex.PLAIN, np.array([0.9, 0.9, 0.86]))
    else:
        dashes = ribbon(network, resample(inside, 2.5), 0.06, -0.06, PAINT_LIFT_M)[::4]
    built.add_tiled(dashes, tex.PLAIN, np.array([0.92, 0.92, 0.88]))


def _add_patches(built: QuadBuilder, network: Network, street: Street) -> None:
    """Mended spots and manhole covers on the carriageway."""
    rng = np.random.default_rng([int(abs(v) * 10) for v in street.line_m[0]])
    line = resample(street.line_m, 1.0)
    for at in np.arange(12 + rng.uniform(0, 15), len(line) - 14, 17.0):
        start, middle = int(at), rng.uniform(-0.6, 0.6) * street.half_width_m
        wide, long = rng.uniform(0.35, 1.2), int(rng.integers(2, 8))
        patch = ribbon(network, line[start : start + long], middle + wide, middle - wide, ROAD_LIFT_M + 0.02)
        built.add_tiled(patch, tex.PAVINGS[3], rng.uniform(0.2, 0.5) * np.ones(3))


def _add_crossings(ground: QuadBuilder, built: QuadBuilder, network: Network, quarters: Quarters) -> None:
    """Round each crossing off with a disc of asphalt; zebra stripes and stop lines where main streets meet."""
    for node, centre in enumerate(network.crossings_m):
        arms = [network.streets[index] for index in network.neighbours[node].values()]
        radius = max(arm.half_width_m for arm in arms) + 1.2
        angle = np.linspace(0, 2 * np.pi, 13)
        ring = centre + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        middle = np.broadcast_to(centre, (12, 2))
        xy = np.stack([middle, ring[:-1], ring[1:], middle], axis=1)
        disc = np.concatenate([xy, network.terrain.height_m(xy)[..., None] + ROAD_LIFT_M + 0.005], axis=2)
        up = np.broadcast_to(np.array([0, 0, 1.0]), disc.shape)
        ground.add(disc, planar_uv(disc), quarters.blend("asphalt", disc[..., :2]), up)
        for arm in arms:
            if not arm.is_main and node % 3:
                continue
            line = arm.line_m if arm.start == node else arm.line_m[::-1]
            ends = resample(line, 1.0)[int(radius) + 2 : int(radius) + 5]
            for offset in np.arange(-arm.half_width_m + 0.8, arm.half_width_m - 0.4, 1.1):
                stripe = ribbon(network, ends, offset + 0.28, offset - 0.28, PAINT_LIFT_M)
                built.add_tiled(stripe, tex.PLAIN, np.array([0.9, 0.9, 0.87]))


def _add_gardens(build: QuadBuilder, network: Network, plots: list[Plot], rng: np.random.Generator) -> None:
    """Trees around houses, hedges and fences in front of them."""
    clear = cKDTree(np.concatenate([plot.outline_m(5) for plot in plots]))
    for plot in plots:
        look = plot.look
        away = np.array([np.cos(plot.yaw_rad), np.sin(plot.yaw_rad)])
        along = np.array([-away[1], away[0]])
        for _ in range(rng.poisson(look.garden_trees)):
            at = (
                plot.front_m
                + rng.uniform(-0.5, 0.5) * (plot.width_m + 6) * along
                + rng.uniform(-plot.setback_m + 1, plot.depth_m + 14) * away
            )
            street_m, owner = network.nearest_street(at)
            if clear.query(at)[0] > 2.2 and street_m > network.streets[int(owner)].half_width_m + PAVEMENT_M + 0.8:
                base = np.array([*at, float(network.terrain.height_m(at))])
                props.add_tree(build, str(rng.choice(look.trees)), base, rng.uniform(0.7, 1.25), rng)
        if look.fence != "none" and plot.setback_m > 0.8 and rng.random() < 0.85:
            _add_fence(build, network, plot, rng)


def _add_groves(
    build: QuadBuilder, network: Network, quarters: Quarters, plots: list[Plot], rng: np.random.Generator, tries: int = 2600
) -> None:
    """Trees inside the blocks and out to the shore, in clumps of their quarter's kinds."""
    clear = cKDTree(np.concatenate([plot.outline_m(5) for plot in plots]))
    axes = np.array([network.config.half_length_m, network.config.half_width_m]) + network.config.coast_margin_m
    places = rng.uniform(-1.15, 1.15, (tries, 2)) * axes
    thick = SmoothField(rng, 160.0)(places) + rng.normal(0, 0.5, tries) > 0.1
    street_m, _ = network.nearest_street(places)
    suits = thick & (street_m > 16) & (street_m < 260) & (clear.query(places)[0] > 3) & (network.terrain.inland_m(places) > 75)
    for at in places[suits]:
        base = np.array([*at, float(network.terrain.height_m(at))])
        props.add_tree(build, str(rng.choice(quarters.look(at, rng).trees)), base, rng.uniform(0.9, 1.6), rng)


def _add_fence(build: QuadBuilder, network: Network, plot: Plot, rng: np.random.Generator) -> None:
    """A hedge, fence or wall between garden and pavement, with a gap for the path."""
    look = plot.look
    away = np.array([np.cos(plot.yaw_rad), np.sin(plot.yaw_rad)])
    along = np.array([-away[1], away[0]])
    tile, colour = {
        "hedge": (tex.HEDGE, np.array([0.25, 0.42, 0.15])),
        "fence": (tex.FENCE, np.array(look.trims[plot.key % len(look.trims)])),
        "wall": (tex.FIRST_WALL + int(look.materials[0]), np.array(look.walls[plot.key % len(look.walls)])),
    }[look.fence]
    colour = colour * rng.uniform(0.8, 1.1)
    thick = 0.8 if look.fence == "hedge" else 0.15
    length = (plot.width_m + 2.0 - 2.4) / 2
    height = look.fence_height_m * rng.uniform(0.85, 1.15) + 0.4
    panels = max(1, round(length / 3.0))
    for offset in (np.arange(panels) + 0.5) * length / panels + 1.2:
        for side in (-1, 1):
            at = plot.front_m - (plot.setback_m - 0.5) * away + side * offset * along
            base = np.array([*at, float(network.terrain.height_m(at)) - 0.4])
            build.add_tiled(box(base, np.array([thick, length / panels, height]), plot.yaw_rad), tile, colour)


def _add_street_furniture(build: QuadBuilder, network: Network, quarters: Quarters, street: Street, rng: np.random.Generator) -> None:
    """Lamps, street trees, name plates and landmarks on the pavements of one street."""
    config = network.config
    for side in (1, -1):
        line = resample(street.line_m if side > 0 else street.line_m[::-1], 1.0)
        kerb = offset_line(line, -(street.half_width_m + 0.75))
        back = offset_line(line, -(street.half_width_m + PAVEMENT_M - 0.2))
        tangent = np.gradient(line, axis=0)
        yaw = np.arctan2(tangent[:, 1], tangent[:, 0]) + np.pi / 2  # to the carriageway

        def base(points: Floats, at: float) -> Floats:
            point = points[int(at)]
            return np.array([*point, float(network.terrain.height_m(point)) + PAVEMENT_LIFT_M - 0.02])

        end = len(line) - 12
        look = quarters.look(line[len(line) // 2], rng)
        for at in np.arange(18 + 12 * (side > 0), end, 34.0):
            props.add_lamp(build, look.lamp, base(kerb, at), yaw[int(at)])
        at = 14 + rng.uniform(0, look.tree_spacing_m)
        while at < end:
            local = quarters.look(line[int(at)], rng)
            props.add_tree(build, str(rng.choice(local.trees)), base(kerb, at), rng.uniform(0.55, 1.0), rng)
            at += local.tree_spacing_m * rng.uniform(0.5, 1.6)
        at = rng.uniform(12, config.landmark_spacing_m)
        while at < end:
            landmark = props.LANDMARKS[rng.integers(len(props.LANDMARKS))]
            landmark(build, base(back, at), yaw[int(at)], rng)
            at += 2 * config.landmark_spacing_m * rng.uniform(0.5, 1.3)  # both sides together give the spacing


def _add_towers(build: QuadBuilder, network: Network, plots: list[Plot], rng: np.random.Generator) -> None:
    """A church tower, a lighthouse, a mast and another tower in block interiors."""
    clear = cKDTree(np.concatenate([plot.outline_m(4) for plot in plots]))
    for kind in (0, 1, 2, 0):
        for _ in range(400):
            at = rng.uniform(-1, 1, 2) * (network.config.half_length_m, network.config.half_width_m)
            street_m, _ = network.nearest_street(at)
            if 18 < street_m < 90 and clear.query(at)[0] > 6 and network.terrain.inland_m(at) > 60:
                props.add_tower(build, kind, np.array([*at, float(network.terrain.height_m(at)) - 0.5]), rng)
                break
