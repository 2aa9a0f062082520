"""Lamps, street trees, signs, boards, hedges and landmarks along a piece of street."""

from __future__ import annotations

import numpy as np

from .. import props
from .. import textures as tex
from ..buildings import PAVEMENT_M, Plot
from ..mesh import QuadBuilder, box, lifted, prism
from ..quarters import Look
from ..streets import Floats, Network
from ..world import PAVEMENT_LIFT_M, offset_line
from .config import WorldConfig
from .greenery import Greens
from .ground import COUNTRY_DENSITY, Land
from .houses import Stretch
from .isles import TownConfig
from .looks import LookField

OWN_SIGNS = 16  # of the atlas's 32 boards, how many are in the country's tongue


class Roadside:
    """One side of a piece: where its kerb and the back of its pavement run."""

    def __init__(self, network: Network, stretch: Stretch, side: int) -> None:
        self.line = stretch.side(side)
        self.kerb = offset_line(self.line, -(stretch.half_width_m + 0.75))
        self.back = offset_line(self.line, -(stretch.half_width_m + PAVEMENT_M - 0.2))
        tangent = np.gradient(self.line, axis=0)
        self.yaw = np.arctan2(tangent[:, 1], tangent[:, 0]) + np.pi / 2  # to the carriageway
        self._network = network

    def foot(self, points: Floats, at: float) -> Floats:
        """Position (3,) on the ground beside the ``at``-th metre."""
        point = points[int(at)]
        return np.array([*point, float(self._network.terrain.height_m(point)) + PAVEMENT_LIFT_M - 0.02])


def sign_tile(config: WorldConfig, rng: np.random.Generator) -> int:
    """A lettered board: in the country's tongue or one that is common to all."""
    own = rng.random() < config.language_strength
    return tex.FIRST_SIGN + int(rng.integers(OWN_SIGNS)) + (0 if own else OWN_SIGNS)


def add_lamps(solid: QuadBuilder, side: Roadside, look: Look, *, country: bool, left: bool) -> None:
    """Lamps; in the country wooden poles, on one side only."""
    if country and not left:
        return
    for at in np.arange(12 + 16 * left, len(side.line) - 8, 50.0 if country else 34.0):
        props.add_lamp(solid, 2 if country else look.lamp, side.foot(side.kerb, at), float(side.yaw[int(at)]))


def add_street_trees(
    greens: Greens, field: LookField, side: Roadside, kinds: tuple[str, ...], rng: np.random.Generator, *, country: bool
) -> None:
    """Trees at the kerb, of the block's kinds; few in the country."""
    at = 6 + rng.uniform(0, 30)
    while at < len(side.line) - 6:
        look = field.look(side.line[int(at)], rng)
        if not country or rng.random() < 0.15 + 0.5 * field.pull:
            own = rng.random() < field.pull
            greens.tree(str(rng.choice(field.ways.row if own else kinds)), side.foot(side.kerb, at), rng.uniform(0.55, 1.0), rng)
        at += (look.tree_spacing_m * (1 - field.pull) + field.ways.row_m * field.pull) * rng.uniform(0.7, 1.3)


def add_landmarks(solid: QuadBuilder, side: Roadside, spacing_m: float, rng: np.random.Generator) -> None:
    """Odd things that make a corner recognisable; both sides together give the spacing."""
    at = rng.uniform(0, 2 * spacing_m)
    while at < len(side.line) - 3:
        landmark = props.LANDMARKS[rng.integers(len(props.LANDMARKS))]
        landmark(solid, side.foot(side.back, at), float(side.yaw[int(at)]), rng)
        at += 2 * spacing_m * rng.uniform(0.5, 1.5)


def add_signs(
    solid: QuadBuilder, side: Roadside, town: TownConfig, config: WorldConfig, rng: np.random.Generator, *, crossing: bool
) -> None:
    """A traffic sign here and there, and a direction board in the country's colour before a crossing."""
    if rng.random() < 0.45:
        at = rng.uniform(5, len(side.line) - 5)
        foot, yaw = side.foot(side.kerb, at), float(side.yaw[int(at)]) - np.pi / 2
        solid.add_tiled(prism(foot, 0.04, 0.04, 2.9, 4), tex.PLAIN, np.array([0.6, 0.6, 0.6]))
        face = np.array(((0.8, 0.1, 0.1), (0.1, 0.25, 0.65), (0.95, 0.95, 0.95), (0.95, 0.75, 0.1))[rng.integers(4)])
        turned = yaw + np.pi / 4 * (rng.random() < 0.4)
        disc = prism(np.zeros(3), 0.38, 0.38, 0.06, 8)[..., [2, 1, 0]]
        turn = np.array([[np.cos(turned), np.sin(turned), 0], [-np.sin(turned), np.cos(turned), 0], [0, 0, 1]])
        solid.add_tiled(disc @ turn + lifted(foot, 2.6), tex.PLAIN, face)
        solid.add_tiled(box(lifted(foot, 2.25), np.array([0.05, 0.7, 0.7]), yaw), tex.PLAIN, face)
    if crossing and rng.random() < 0.7:
        at = len(side.line) - min(22, len(side.line) // 2)
        foot, yaw = side.foot(side.back, at), float(side.yaw[int(at)]) - np.pi / 2
        along = np.array([-np.sin(yaw), np.cos(yaw), 0])
        for offset in (-1.0, 1.0):
            solid.add_tiled(prism(foot + offset * along, 0.06, 0.06, 3.4, 4), tex.PLAIN, np.array([0.5, 0.5, 0.5]))
        board = box(lifted(foot, 2.2), np.array([0.08, 3.0, 1.5]), yaw)
        colour = np.array(town.shade_of_signs) * config.isle_strength + 0.4 * (1 - min(config.isle_strength, 1))
        solid.add_tiled(board[:2], sign_tile(config, rng), colour * 1.6)
        solid.add_tiled(board[2:], tex.PLAIN, colour)


def add_garden(solid: QuadBuilder, greens: Greens, network: Network, plot: Plot, rng: np.random.Generator) -> None:
    """A plot's trees, and its hedge, fence or wall along the pavement."""
    look = plot.look
    away = np.array([np.cos(plot.yaw_rad), np.sin(plot.yaw_rad)])
    along = np.array([-away[1], away[0]])
    for _ in range(rng.poisson(look.garden_trees)):
        behind = rng.random() < 0.6 or plot.setback_m < 3.5
        depth = plot.depth_m + rng.uniform(2.5, 10) if behind else -rng.uniform(1.5, plot.setback_m - 1)
        at = plot.front_m + rng.uniform(-0.6, 0.6) * plot.width_m * along + depth * away
        greens.tree(str(rng.choice(look.trees)), np.array([*at, float(network.terrain.height_m(at))]), rng.uniform(0.6, 1.2), rng)
    if look.fence != "none" and plot.setback_m > 0.8 and rng.random() < 0.85:
        _add_fence(solid, greens, network, plot, rng)


def _add_fence(solid: QuadBuilder, greens: Greens, network: Network, plot: Plot, rng: np.random.Generator) -> None:
    """Panels left and right of the path to the door."""
    look = plot.look
    away = np.array([np.cos(plot.yaw_rad), np.sin(plot.yaw_rad)])
    along = np.array([-away[1], away[0]])
    is_hedge = look.fence == "hedge"
    tile, colour = {
        "hedge": (tex.HEDGE, np.array([0.25, 0.42, 0.15])),
        "fence": (tex.FENCE, np.array(look.trims[plot.key % len(look.trims)])),
        "wall": (tex.FIRST_WALL + int(look.materials[0]), np.array(look.walls[plot.key % len(look.walls)])),
    }[look.fence]
    colour = colour * rng.uniform(0.8, 1.1)
    length, height = (plot.width_m - 0.4) / 2, look.fence_height_m * rng.uniform(0.85, 1.15) + 0.4
    panels = max(1, round(length / 3.5))
    for offset in (np.arange(panels) + 0.5) * length / panels + 1.2:
        for side in (-1, 1):
            at = plot.front_m - (plot.setback_m - 0.5) * away + side * offset * along
            base = np.array([*at, float(network.terrain.height_m(at)) - 0.4])
            quads = box(base, np.array([0.8 if is_hedge else 0.15, length / panels, height]), plot.yaw_rad)
            (greens.evergreen if is_hedge else solid).add_tiled(quads, tile, colour)


def add_groves(
    greens: Greens, network: Network, field: LookField, land: Land, stretch: Stretch, taken: Floats, rng: np.random.Generator
) -> None:
    """Trees and bushes of the open land beside the road, clear of houses (``taken``: points (n, 2) of their footprints)."""
    middle = stretch.line_m[len(stretch.line_m) // 2]
    open_share = 1 - float(field.density(middle)) if float(field.density(middle)) > COUNTRY_DENSITY else 1.0
    tries = int(150 * len(stretch.line_m) / 140 * open_share)
    places = stretch.line_m[rng.integers(len(stretch.line_m), size=tries)] + rng.normal(0, 42, (tries, 2))
    distance, owner = network.nearest_street(places)
    suits = (distance > 9.0) & (distance < 120) & (owner == stretch.street) & (rng.random(tries) < 0.75 * land.wooded(places) + 0.015)
    if len(taken):
        suits &= np.hypot(*(places[:, None] - taken[None]).T).min(axis=0) > 4
    for at in places[suits]:
        base = np.array([*at, float(network.terrain.height_m(at))])
        greens.tree(str(rng.choice(field.trees(at, rng))), base, rng.uniform(0.8, 1.7), rng)
