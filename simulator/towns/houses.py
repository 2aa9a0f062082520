"""Plots along a piece of street, side lanes between them and houses behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..buildings import PAVEMENT_M, Plot, add_house
from ..mesh import QuadBuilder
from ..quarters import Look
from ..streets import Floats, Network
from ..world import offset_line, planar_uv, ribbon
from .looks import LookField

LANE_HALF_M = 2.7
SHORE_M = 75.0


@dataclass(frozen=True)
class Stretch:
    """A piece of street as houses see it.

    Args:
        street: its number.
        line_m: (n, 2) centre line, a point a metre, from the piece's start to its end.
        half_width_m: of the carriageway.
    """

    street: int
    line_m: Floats
    half_width_m: float

    def side(self, side: int) -> Floats:
        """The line as one walks with the houses of that side (1, -1) on the right."""
        return self.line_m if side > 0 else self.line_m[::-1]


def lanes_of(stretch: Stretch, density: float, rng: np.random.Generator) -> dict[int, list[float]]:
    """Where side lanes leave on either side, in metres along that side's line."""
    lanes: dict[int, list[float]] = {1: [], -1: []}
    for side in (1, -1):
        if len(stretch.line_m) > 70 and rng.random() < 0.75 * density:
            lanes[side].append(float(rng.uniform(24, len(stretch.line_m) - 24)))
    return lanes


def add_lane(road: QuadBuilder, network: Network, field: LookField, stretch: Stretch, side: int, at_m: float) -> None:
    """A lane of asphalt that leads away between the houses."""
    line = stretch.side(side)
    index = int(at_m)
    right = (offset_line(line, -1.0) - line)[index]
    reach = np.arange(stretch.half_width_m - 0.3, stretch.half_width_m + 85.0, 5.0)
    path = line[index] + reach[:, None] * right
    strip = ribbon(network, path, LANE_HALF_M, -LANE_HALF_M, 0.15)
    road.add(strip, planar_uv(strip), field.blend("asphalt", strip[..., :2]))


def _yaw(line: Floats, middle: int) -> float:
    ahead = line[min(middle + 3, len(line) - 1)] - line[max(middle - 3, 0)]
    return float(np.arctan2(ahead[1], ahead[0]) - np.pi / 2)


def plan_row(
    network: Network,
    field: LookField,
    stretch: Stretch,
    side: int,
    lanes: list[float],
    rng: np.random.Generator,
    favoured: Look | None,
    back_m: float = 0.0,
) -> list[Plot]:
    """Plots side by side along one side of a piece.

    Args:
        network, field, stretch, side: where.
        lanes: to be left free, in metres along the side's line.
        rng: draws.
        favoured: the look of most houses of this block, if it goes its own way.
        back_m: how far behind the front row.
    """
    line = stretch.side(side)
    halves = np.array([street.half_width_m for street in network.streets])
    plots: list[Plot] = []
    at = rng.uniform(0, 6)
    while at < len(line) - 6:
        here = line[int(at)]
        density = float(field.density(here)) * (0.8 if back_m else 1.0)
        if rng.random() > np.clip(1.5 * density + 0.02, 0, 0.97):
            at += rng.uniform(8, 26)
            continue
        look = favoured if favoured is not None and rng.random() < 0.8 else field.look(here, rng)
        width, depth, setback = rng.uniform(*look.width_m), rng.uniform(*look.depth_m), rng.uniform(*look.setback_m)
        middle = int(at + width / 2)
        if at + width > len(line) - 1:
            break
        if any(abs(at + width / 2 - lane) < width / 2 + LANE_HALF_M + 1.2 for lane in lanes):
            at += 2.0
            continue
        yaw = _yaw(line, middle)
        front = line[middle] + (stretch.half_width_m + PAVEMENT_M + setback + back_m) * np.array([np.cos(yaw), np.sin(yaw)])
        plot = Plot(front, yaw, width, depth, setback, look, int(rng.integers(2**31)))
        distance, owner = network.nearest_street(plot.outline_m(4))
        free = (distance > halves[owner] + PAVEMENT_M - 0.3) & (owner == stretch.street)
        if free.all() and network.terrain.inland_m(plot.centre_m) > SHORE_M:
            plots.append(plot)
            at += width + rng.uniform(*look.gap_m)
        else:
            at += 3.0
    return plots


def back_row_m(plots: list[Plot], rng: np.random.Generator) -> float:
    """Distance of the houses behind from the front row's line."""
    return float(max((plot.setback_m + plot.depth_m for plot in plots), default=16.0) + rng.uniform(8, 16))


def build_house(build: QuadBuilder, network: Network, plot: Plot) -> None:
    """A house on its plot, its doorstep above the ground's height in front of it."""
    heights = network.terrain.height_m(plot.outline_m(3))
    front = float(network.terrain.height_m(plot.front_m)) + 0.25
    add_house(build, plot, max(front, float(heights.mean())), float(heights.min()))
