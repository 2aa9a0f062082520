"""Houses along the streets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from . import textures as tex
from .mesh import QuadBuilder, axes_of, box, tile_uv
from .quarters import Look, Quarters, tinted
from .streets import Floats, Network, resample

PAVEMENT_M = 2.4
STOREY_M = 3.1


@dataclass(frozen=True)
class Plot:
    """Where a house stands.

    Args:
        front_m: middle of its front (2,); the house lies to the left of ``yaw_rad`` turned by 90°.
        yaw_rad: direction away from the street.
        width_m, depth_m: along the street and away from it.
        setback_m: from the pavement's edge to its front.
        look: how it is built.
        key: seeds its details.
    """

    front_m: Floats
    yaw_rad: float
    width_m: float
    depth_m: float
    setback_m: float
    look: Look
    key: int

    @property
    def centre_m(self) -> Floats:
        """Middle of its footprint."""
        return self.front_m + 0.5 * self.depth_m * np.array([np.cos(self.yaw_rad), np.sin(self.yaw_rad)])

    def outline_m(self, grid: int = 5) -> Floats:
        """Points over its footprint (grid², 2)."""
        away, along = axes_of(self.yaw_rad)[:2, :2].astype(np.float64)
        u, v = np.meshgrid(np.linspace(0, self.depth_m, grid), np.linspace(-0.5, 0.5, grid) * self.width_m)
        return self.front_m + u.reshape(-1, 1) * away + v.reshape(-1, 1) * along


def plan_plots(network: Network, quarters: Quarters, rng: np.random.Generator) -> list[Plot]:
    """Plots side by side along both sides of every street; none on a street, none on another."""
    plots: list[Plot] = []
    clear_of = np.concatenate([resample(street.line_m, 3.0) for street in network.streets])
    halves = np.concatenate([np.full(len(resample(s.line_m, 3.0)), s.half_width_m) for s in network.streets])
    tree = cKDTree(clear_of)
    taken: dict[tuple[int, int], list[Floats]] = {}
    for index in rng.permutation(len(network.streets)):
        street = network.streets[index]
        for side in (1, -1):
            line = resample(street.line_m if side > 0 else street.line_m[::-1], 1.0)
            at = 8.0 + rng.uniform(0, 6)
            while at < len(line) - 9:
                plot = _try_plot(line, at, street.half_width_m, quarters, rng)
                at += plot.width_m / 2
                outline = plot.outline_m()
                distance, nearest = tree.query(outline)
                on_land = network.terrain.inland_m(plot.centre_m) > 70
                if on_land and (distance > halves[nearest] + PAVEMENT_M - 0.35).all() and _is_free(plot, taken):
                    plots.append(plot)
                    _take(plot, taken)
                    at += plot.width_m / 2 + rng.uniform(*plot.look.gap_m)
                else:
                    at += 2.0 - plot.width_m / 2 if plot.width_m > 12 else 1.0
    return plots


def _try_plot(line: Floats, at: float, half_width_m: float, quarters: Quarters, rng: np.random.Generator) -> Plot:
    """A plot whose near end lies ``at`` metres along the (1 m) line, on its right."""
    index = int(min(at, len(line) - 2))
    look = quarters.look(line[index], rng)
    width, depth = rng.uniform(*look.width_m), rng.uniform(*look.depth_m)
    setback = rng.uniform(*look.setback_m)
    middle = int(min(at + width / 2, len(line) - 2))
    ahead = line[min(middle + 3, len(line) - 1)] - line[max(middle - 3, 0)]
    yaw = float(np.arctan2(ahead[1], ahead[0]) - np.pi / 2)
    front = line[middle] + (half_width_m + PAVEMENT_M + setback) * np.array([np.cos(yaw), np.sin(yaw)])
    return Plot(front, yaw, width, depth, setback, look, int(rng.integers(2**31)))


def _cell(point: Floats) -> tuple[int, int]:
    return int(point[0] // 50), int(point[1] // 50)


def _take(plot: Plot, taken: dict[tuple[int, int], list[Floats]]) -> None:
    for point in plot.outline_m(7):
        taken.setdefault(_cell(point), []).append(point)


def _is_free(plot: Plot, taken: dict[tuple[int, int], list[Floats]]) -> bool:
    """Whether no point of another footprint lies in this one."""
    cx, cy = _cell(plot.centre_m)
    near = [point for i in (-1, 0, 1) for j in (-1, 0, 1) for point in taken.get((cx + i, cy + j), ())]
    if not near:
        return True
    away, along = axes_of(plot.yaw_rad)[:2, :2]
    offset = np.array(near) - plot.centre_m
    return not ((np.abs(offset @ away) < plot.depth_m / 2) & (np.abs(offset @ along) < plot.width_m / 2)).any()


@dataclass(frozen=True)
class _Frame:
    """The house's own axes: x along the front (to the right as one faces it), y away from the street, z up."""

    origin: Floats
    axes: Floats

    def place(self, points: NDArray[np.floating]) -> Floats:
        return np.asarray(points, np.float64) @ self.axes + self.origin


def add_house(build: QuadBuilder, plot: Plot, ground_m: float, base_m: float) -> None:
    """Add one house: walls of bays and storeys, roof, shop sign, awning, chimney.

    Args:
        build: gathers its quads.
        plot: where and how.
        ground_m: height of the doorstep.
        base_m: lowest ground under the footprint.
    """
    rng = np.random.default_rng(plot.key)
    look = plot.look
    storeys = int(rng.integers(look.storeys[0], look.storeys[1] + 1))
    storey_m = STOREY_M * rng.uniform(0.95, 1.12)
    away, along = axes_of(plot.yaw_rad)[:2].astype(np.float64)
    frame = _Frame(np.array([*plot.front_m, ground_m]), np.stack([along * -1, away, np.array([0, 0, 1.0])]))
    wall = tinted(look.walls[rng.integers(len(look.walls))], rng)
    trim = tinted(look.trims[rng.integers(len(look.trims))], rng)
    material = int(rng.choice(look.materials))
    window = int(rng.choice(look.windows))
    is_shop = rng.random() < look.shop_share
    w, d, h = plot.width_m, plot.depth_m, storeys * storey_m
    half = w / 2
    sides = [  # start and end of each wall's foot, counter-clockwise seen from above: front, right end, back, left end
        ((-half, 0.0), (half, 0.0)), ((half, 0.0), (half, d)), ((half, d), (-half, d)), ((-half, d), (-half, 0.0)),
    ]  # fmt: skip
    for number, (a, b) in enumerate(sides):
        tiles, counts = _wall_tiles(rng, number, a, b, storeys, material, window, is_shop)
        _add_wall(build, frame, (a, b), (base_m - ground_m - 0.6, h), tiles, counts, wall, material)
    _add_roof(build, frame, plot, h, rng, wall, material)
    if is_shop:
        _add_shop_front(build, frame, w, storey_m, rng)
    elif storeys > 1 and rng.random() < 0.5:  # a string course in the trim colour
        course = box(np.array([0, -0.06, storey_m - 0.15]), np.array([w, 0.14, 0.22]))
        build.add_tiled(frame.place(course), tex.PLAIN, trim)
    if rng.random() < 0.06 and look.name in {"terraces", "works", "new centre", "old town"}:
        _add_mural(build, frame, w, d, h, rng)


def _wall_tiles(
    rng: np.random.Generator,
    number: int,
    a: tuple[float, float],
    b: tuple[float, float],
    storeys: int,
    material: int,
    window: int,
    is_shop: bool,
) -> tuple[NDArray[np.int64], tuple[int, int]]:
    """Tiles (storeys, bays) of one wall."""
    length = float(np.hypot(b[0] - a[0], b[1] - a[1]))
    bays = max(1, round(length / 3.2))
    tiles = np.full((storeys, bays), tex.FIRST_WINDOW + material * tex.WINDOW_STYLES + window)
    if number == 0:
        if is_shop:
            tiles[0] = tex.FIRST_SHOP + rng.integers(16)
        door = int(rng.integers(bays))
        tiles[0, door] = tex.FIRST_DOOR + 2 * int(rng.integers(8) if is_shop else material) + int(rng.integers(2))
        if not is_shop and bays > 2 and rng.random() < 0.25:
            tiles[0, (door + 1) % bays] = tex.GARAGE
    else:  # ends and backs have fewer windows
        blank = rng.random((1, bays)) < (0.55 if number != 2 else 0.3)
        tiles = np.where(blank, tex.FIRST_WALL + material, tiles)
    return tiles, (storeys, bays)


def _add_wall(
    build: QuadBuilder,
    frame: _Frame,
    ends: tuple[tuple[float, float], tuple[float, float]],
    heights: tuple[float, float],
    tiles: NDArray[np.int64],
    counts: tuple[int, int],
    wall: Floats,
    material: int,
) -> None:
    """One wall as a lattice of bays, and its foot down into the ground; darker near the ground."""
    storeys, bays = counts
    foot, top = heights
    a, b = (np.array(end) for end in ends)
    xy = a + np.linspace(0, 1, bays + 1)[:, None] * (b - a)
    z = np.linspace(0, top, storeys + 1)
    grid = np.concatenate(
        [np.broadcast_to(xy, (storeys + 1, bays + 1, 2)), np.broadcast_to(z[:, None, None], (storeys + 1, bays + 1, 1))], axis=2
    )
    quads = np.stack([grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]], axis=2).reshape(-1, 4, 3)
    shade = np.ones((storeys, bays, 4))
    shade[0, :, :2] = 0.72
    shade[-1, :, 2:] = 0.88
    build.add(frame.place(quads), tile_uv(tiles.ravel()), wall * shade.reshape(-1, 4, 1))
    skirt = np.array([[[*a, foot], [*b, foot], [*b, 0.0], [*a, 0.0]]])
    build.add_tiled(frame.place(skirt), tex.FIRST_WALL + material, 0.6 * wall)


def _add_roof(build: QuadBuilder, frame: _Frame, plot: Plot, h: float, rng: np.random.Generator, wall: Floats, material: int) -> None:
    """Gable (ridge along the street or across it), hip, or flat with a parapet."""
    look = plot.look
    colour = tinted(look.roofs[rng.integers(len(look.roofs))], rng, 0.08)
    covering = tex.FIRST_ROOF + int(rng.choice(look.coverings))
    w, d = plot.width_m, plot.depth_m
    if look.roof == "flat":
        parapet = box(np.array([0, d / 2, h]), np.array([w + 0.3, d + 0.3, rng.uniform(0.3, 0.9)]))
        build.add_tiled(frame.place(parapet), tex.PLAIN, 0.92 * wall)
        if rng.random() < 0.6:
            hut = box(np.array([rng.uniform(-0.25, 0.25) * w, d * 0.5, h + 0.3]), np.array([3.5, 3.0, 2.6]))
            build.add_tiled(frame.place(hut), tex.FIRST_WALL + material, 0.85 * wall)
        return
    eave = 0.35
    x, y0, y1 = w / 2 + eave, -eave, d + eave
    across = look.roof == "gable" and (w < d * 1.1 and rng.random() < 0.6)
    rise = rng.uniform(0.25, 0.5) * min(w, d) * (0.45 if look.name == "works" else 1.0)
    inset = 0.0 if look.roof == "gable" else min(w, d) * 0.42
    base = np.array([[x, y0, h - 0.1], [-x, y0, h - 0.1], [-x, y1, h - 0.1], [x, y1, h - 0.1]])
    if across:
        ridge = np.array([[0, y0 + inset, h + rise], [0, y1 - inset, h + rise]])
        slopes = [[base[0], base[3], ridge[1], ridge[0]], [base[2], base[1], ridge[0], ridge[1]]]
        ends = [[base[1], base[0], ridge[0], ridge[0]], [base[3], base[2], ridge[1], ridge[1]]]
    else:
        ridge = np.array([[x - inset, d / 2, h + rise], [-x + inset, d / 2, h + rise]])
        slopes = [[base[1], base[0], ridge[0], ridge[1]], [base[3], base[2], ridge[1], ridge[0]]]
        ends = [[base[0], base[3], ridge[0], ridge[0]], [base[2], base[1], ridge[1], ridge[1]]]
    build.add_tiled(frame.place(np.array(slopes)), covering, colour)
    if look.roof == "gable":
        build.add_tiled(frame.place(np.array(ends)), tex.FIRST_WALL + material, 0.9 * wall)
    else:
        build.add_tiled(frame.place(np.array(ends)), covering, 0.92 * colour)
    if rng.random() < 0.5 and look.name not in {"works", "harbour"}:
        stack = box(np.array([rng.uniform(-0.3, 0.3) * w, d * 0.35, h]), np.array([0.9, 0.7, rise + 1.0]))
        build.add_tiled(frame.place(stack), tex.FIRST_WALL + 1, np.array([0.6, 0.35, 0.28]))


def _add_shop_front(build: QuadBuilder, frame: _Frame, w: float, storey_m: float, rng: np.random.Generator) -> None:
    """Sign above the window, an awning for some, a small sign standing out."""
    vivid = np.clip(rng.uniform(0.1, 1.0, 3) ** 1.3, 0.08, 1)
    sign = tex.FIRST_SIGN + int(rng.integers(len(tex.SHOP_NAMES)))
    width = min(w * 0.8, 5.0)
    at = rng.uniform(-0.5, 0.5) * (w - width) * 0.8
    z0, z1 = storey_m - 0.15, storey_m + 0.85
    board = np.array([[[at - width / 2, -0.12, z0], [at + width / 2, -0.12, z0], [at + width / 2, -0.12, z1], [at - width / 2, -0.12, z1]]])
    build.add_tiled(frame.place(board), sign, np.clip(vivid * 1.2, 0, 1))
    if rng.random() < 0.55:
        cloth = np.clip(rng.uniform(0.15, 1.0, 3), 0, 1)
        a = w * 0.42
        low, high = storey_m - 0.75, storey_m - 0.2
        awning = np.array([[[-a, -1.5, low], [a, -1.5, low], [a, -0.05, high], [-a, -0.05, high]]])
        build.add_tiled(frame.place(awning), tex.STRIPES if rng.random() < 0.5 else tex.PLAIN, cloth)
        under = awning[:, ::-1]
        build.add_tiled(frame.place(under), tex.PLAIN, 0.5 * cloth)
    if rng.random() < 0.6:
        edge = (w / 2 - 0.6) * (1 if rng.random() < 0.5 else -1)
        blade = np.array([[[edge, -1.2, 3.0], [edge, -0.2, 3.0], [edge, -0.2, 4.0], [edge, -1.2, 4.0]]])
        build.add_tiled(frame.place(blade), sign, vivid)
        build.add_tiled(frame.place(blade[:, [1, 0, 3, 2]]), sign, vivid)


def _add_mural(build: QuadBuilder, frame: _Frame, w: float, d: float, h: float, rng: np.random.Generator) -> None:
    """A painting over an end wall."""
    mural = tex.FIRST_MURAL + int(rng.integers(16))
    x = w / 2 + 0.05
    left = np.array([[[x, d * 0.05, 0.5], [x, d * 0.95, 0.5], [x, d * 0.95, h - 0.3], [x, d * 0.05, h - 0.3]]])
    right = np.array([[[-x, d * 0.95, 0.5], [-x, d * 0.05, 0.5], [-x, d * 0.05, h - 0.3], [-x, d * 0.95, h - 0.3]]])
    build.add_tiled(frame.place(left), mural, np.ones(3))
    build.add_tiled(frame.place(right), mural, np.ones(3))
