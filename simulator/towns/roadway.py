"""Carriageways with their paint, pavements and kerbs, and what runs along them, after the country's ways."""

from __future__ import annotations

import numpy as np

from .. import textures as tex
from ..buildings import PAVEMENT_M
from ..mesh import QuadBuilder, box, lifted, prism, tile_uv
from ..streets import Floats, Network, Street, resample
from ..world import PAINT_LIFT_M, PAVEMENT_LIFT_M, ROAD_LIFT_M, offset_line, planar_uv, ribbon
from .ground import COUNTRY_DENSITY
from .looks import LookField
from .ways import Ways

KERB_M = 2.0  # length of a kerb stone's colour


def add_carriageway(
    road: QuadBuilder, solid: QuadBuilder, network: Network, field: LookField, street: Street, cut: tuple[bool, bool]
) -> None:
    """Road, kerbs, pavements and paint of a piece of street; ``cut``: whether its ends are crossings, where no paint is."""
    half, line, ways = street.half_width_m, street.line_m, field.ways
    country = float(field.density(line[len(line) // 2])) < COUNTRY_DENSITY
    surface = ribbon(network, line, half, -half, ROAD_LIFT_M)
    road.add(surface, planar_uv(surface), field.blend("asphalt", surface[..., :2]))
    for side in (1, -1):
        inner, outer = side * (half + 0.22), side * (half + (1.1 if country else PAVEMENT_M))
        strip = ribbon(network, line, max(inner, outer), min(inner, outer), PAVEMENT_LIFT_M)
        if country:
            road.add(strip, planar_uv(strip), field.soil)
            continue
        tiles = np.full(len(strip), tex.PAVINGS[ways.pavement_tile])
        if field.strength < 0.5:
            tiles = np.array([tex.PAVINGS[field.looks[index].paving_tile] for index in field.weights(strip[:, 0, :2]).argmax(axis=1)])
        solid.add(strip, tile_uv(tiles), field.blend("paving", strip[..., :2]))
        _add_kerb(solid, network, field, line, inner, side * (half - 0.05))
    inside = line[2 if cut[0] else 0 : len(line) - (2 if cut[1] else 0)]
    if len(inside) >= 3:
        _add_paint(solid, network, ways, inside, half, main=street.is_main)


def _add_kerb(solid: QuadBuilder, network: Network, field: LookField, line: Floats, inner: float, outer: float) -> None:
    """Stones in the country's colours in turn."""
    stones = np.array(field.ways.kerbs)
    fine = resample(line, KERB_M if len(stones) > 1 else 6.0)
    kerb = ribbon(network, fine, max(inner, outer), min(inner, outer), ROAD_LIFT_M - 0.03)
    pull = field.pull
    solid.add_tiled(kerb, tex.PLAIN, pull * stones[np.arange(len(kerb)) % len(stones)] + (1 - pull) * np.array([0.78, 0.77, 0.74]))


def _shortened(quads: Floats, share: float) -> Floats:
    """Quads of a ribbon that end after a share of their length."""
    out = quads.copy()
    out[:, 1] = quads[:, 0] + share * (quads[:, 1] - quads[:, 0])
    out[:, 2] = quads[:, 3] + share * (quads[:, 2] - quads[:, 3])
    return out


def _add_paint(solid: QuadBuilder, network: Network, ways: Ways, line: Floats, half: float, *, main: bool) -> None:
    """Middle line, side lines, joints between slabs."""
    fine = resample(line, 6.0)

    def stripe(kind: str, at: float, paint: tuple[float, float, float]) -> None:
        wide = 0.09 if main else 0.07
        offsets = (at - 0.17, at + 0.17) if kind == "double" else (at,)
        for offset in offsets if kind != "none" else ():
            quads = ribbon(network, fine, offset + wide, offset - wide, PAINT_LIFT_M)
            solid.add_tiled(_shortened(quads, 0.45) if kind == "dashes" else quads, tex.PLAIN, np.array(paint))

    stripe(ways.centre, 0.0, ways.centre_paint)
    for side in (1, -1):
        stripe(ways.edge, side * (half - 0.4), ways.edge_paint)
    if ways.joints:
        slabs = ribbon(network, resample(line, 4.5), half - 0.05, 0.05 - half, PAINT_LIFT_M - 0.015)
        solid.add_tiled(_shortened(slabs, 0.035), tex.PLAIN, 0.45 * np.array(ways.road))


def _upright(network: Network, line: Floats, low_m: float, high_m: float) -> Floats:
    """Quads (n, 4, 3) of an upright band along a line."""
    ground = network.terrain.height_m(line)[:, None] + PAVEMENT_LIFT_M
    low, high = (np.concatenate([line, ground + lift], axis=1) for lift in (low_m, high_m))
    return np.stack([low[:-1], low[1:], high[1:], high[:-1]], axis=1)


def add_barrier(
    solid: QuadBuilder, greens: QuadBuilder, network: Network, field: LookField, line: Floats, half: float, lanes: list[float]
) -> None:
    """What the country sets between road and pavement, on the right of a line with a point a metre; open where lanes leave and near the ends."""
    ways, high = field.ways, field.ways.barrier_m
    if ways.barrier == "none" or field.pull < 0.3 or len(line) < 30:
        return
    colour = np.array(ways.barrier_colour)
    whole = offset_line(line, -(half + 0.45))
    along = np.arange(len(line))
    shut = (along > 8) & (along < len(line) - 8)
    for lane in lanes:
        shut &= np.abs(along - lane) > 5
    runs = np.split(along[shut], np.flatnonzero(np.diff(along[shut]) > 1) + 1)
    for run in runs:
        if len(run) < 8:
            continue
        path = resample(whole[run], 4.0)
        if ways.barrier == "rail":
            solid.add_tiled(_upright(network, path, 0.55 * high, high), tex.PLAIN, colour)
        elif ways.barrier in {"boards", "wall"}:
            tile = tex.FENCE if ways.barrier == "boards" else tex.FIRST_WALL + 4
            solid.add_tiled(_upright(network, path, 0.0, high), tile, colour)
        elif ways.barrier == "hedge":
            greens.add_tiled(_upright(network, path, 0.0, high), tex.HEDGE, colour)
        if ways.barrier in {"rail", "posts", "bollards"}:
            _add_posts(solid, network, resample(whole[run], {"rail": 4.0, "posts": 14.0, "bollards": 3.5}[ways.barrier]), ways)


def _add_posts(solid: QuadBuilder, network: Network, points: Floats, ways: Ways) -> None:
    """Posts, bollards with dark heads, or what carries a rail."""
    colour, thick = np.array(ways.barrier_colour), 0.13 if ways.barrier == "bollards" else 0.07
    for point in points:
        foot = np.array([*point, float(network.terrain.height_m(point)) + PAVEMENT_LIFT_M - 0.1])
        solid.add_tiled(prism(foot, thick, thick, ways.barrier_m, 4), tex.PLAIN, colour)
        if ways.barrier != "rail":
            solid.add_tiled(
                prism(lifted(foot, 0.75 * ways.barrier_m), 1.1 * thick, 1.1 * thick, 0.2 * ways.barrier_m, 4), tex.PLAIN, 0.2 * colour
            )


def add_wires(solid: QuadBuilder, network: Network, field: LookField, line: Floats, half: float) -> None:
    """Poles with cross-bars on the right of a line with a point a metre, and four wires between them."""
    if not field.ways.wires or field.pull < 0.3 or len(line) < 40:
        return
    stops = np.linspace(3, len(line) - 4, max(2, round(len(line) / 32) + 1)).astype(int)
    points = offset_line(line, -(half + 0.9))[stops]
    tangent = np.gradient(points, axis=0)
    feet = np.concatenate([points, network.terrain.height_m(points)[:, None]], axis=1)
    for foot, (east, north) in zip(feet, tangent, strict=True):
        solid.add_tiled(prism(lifted(foot, -0.2), 0.16, 0.12, 8.6, 5), tex.PLAIN, np.array([0.3, 0.23, 0.17]))
        for up in (7.0, 7.9):
            solid.add_tiled(
                box(lifted(foot, up), np.array([0.14, 2.2, 0.14]), float(np.arctan2(north, east))), tex.PLAIN, np.array([0.26, 0.2, 0.15])
            )
    across = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1) / (np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-9)
    for off in (-1.0, 1.0):
        for up in (7.15, 8.05):
            held = feet + np.concatenate([off * across, np.full((len(feet), 1), up)], axis=1)
            low, high = held[:-1], held[1:]
            thick = np.array([0, 0, 0.06])
            solid.add_tiled(np.stack([low, high, high + thick, low + thick], axis=1), tex.PLAIN, np.array([0.08, 0.08, 0.08]))
