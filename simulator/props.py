"""Trees, lamps, fences, parked cars and the odd things that make a corner recognisable."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import textures as tex
from .mesh import QuadBuilder, blob, box, lifted, prism, tile_uv
from .streets import Floats

LEAF_GREENS = ((0.34, 0.52, 0.2), (0.42, 0.58, 0.24), (0.28, 0.46, 0.22), (0.5, 0.6, 0.26))
BLOSSOM = {"jacaranda": (0.55, 0.42, 0.78), "flame": (0.85, 0.28, 0.12), "olive": (0.5, 0.56, 0.42)}
BARK = np.array([0.36, 0.28, 0.2])


def _leafy(build: QuadBuilder, centre: Floats, radii: Floats, colour: Floats, rng: np.random.Generator) -> None:
    """A lump of foliage, darker below."""
    points, normals = blob(centre, radii, rng.uniform(0.78, 1.15, (5, 8)))
    shade = 0.75 + 0.35 * np.clip(normals[..., 2:] * 0.6 + 0.6, 0, 1)
    build.add(points, tile_uv(np.full(len(points), tex.LEAVES)), colour * shade, normals)


def add_tree(build: QuadBuilder, kind: str, base: Floats, size: float, rng: np.random.Generator) -> None:
    """Add a tree of a kind ("round", "jacaranda", "flame", "olive", "cypress", "pine", "palm", "bush"); ``size`` is about 1."""
    green = np.array(BLOSSOM.get(kind, LEAF_GREENS[rng.integers(len(LEAF_GREENS))])) * rng.uniform(0.85, 1.15)
    if kind == "palm":
        _add_palm(build, base, size, rng)
        return
    if kind == "bush":
        radii = size * rng.uniform(0.7, 1.2, 3)
        _leafy(build, lifted(base, 0.6 * radii[2]), radii, green, rng)
        return
    if kind == "cypress":
        height = size * rng.uniform(6, 9)
        _leafy(build, lifted(base, 0.5 * height + 0.4), np.array([0.95, 0.95, 0.52 * height]), 0.85 * green, rng)
        return
    height = size * rng.uniform(5, 8)
    trunk = height * (0.3 if kind == "pine" else 0.5)
    build.add_tiled(prism(lifted(base, -0.3), 0.16 * size + 0.05, 0.12 * size, trunk + 0.6, 5), tex.HEDGE, BARK)
    if kind == "pine":
        for level in range(3):
            low, wide = base[2] + trunk + level * 0.24 * height, (1 - 0.25 * level) * 2.1 * size
            cone = prism(np.array([base[0], base[1], low]), wide, 0.15, 0.42 * height, 7)
            build.add_tiled(cone, tex.LEAVES, np.array([0.24, 0.42, 0.26]) * rng.uniform(0.8, 1.2))
        return
    for _ in range(int(rng.integers(1, 4))):
        offset = rng.uniform(-0.8, 0.8, 3) * (1, 1, 0.5) * size
        _leafy(build, lifted(base, trunk + 1.2 * size) + offset, size * rng.uniform(1.4, 2.2, 3) * (1, 1, 0.85), green, rng)


def _add_palm(build: QuadBuilder, base: Floats, size: float, rng: np.random.Generator) -> None:
    height = size * rng.uniform(6, 10)
    build.add_tiled(prism(lifted(base, -0.3), 0.24, 0.14, height + 0.3, 5), tex.GARAGE, np.array([0.55, 0.45, 0.33]))
    green = np.array([0.34, 0.46, 0.16]) * rng.uniform(0.8, 1.15)
    angle = np.linspace(0, 2 * np.pi, 10)[:-1] + rng.uniform(0, 6)
    out = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=1)
    side = np.stack([-np.sin(angle), np.cos(angle), np.zeros_like(angle)], axis=1)
    top = lifted(base, height)
    reach = 2.4 * size * rng.uniform(0.8, 1.2, 9)[:, None]
    middle = top + out * 0.5 * reach + np.array([0, 0, 0.45])
    tip = top + out * reach - np.array([0, 0, 0.9])
    wide = 0.38 * side
    inner = np.stack([top - 0.3 * wide, top + 0.3 * wide, middle + wide, middle - wide], axis=1)
    outer = np.stack([middle - wide, middle + wide, tip + 0.1 * wide, tip - 0.1 * wide], axis=1)
    up = np.broadcast_to(np.array([0, 0, 1.0]), (9, 4, 3))
    for quads in (inner, outer):
        build.add(quads, tile_uv(np.full(9, tex.PALM)), green, up)


def add_lamp(build: QuadBuilder, kind: int, base: Floats, yaw_rad: float) -> None:
    """Add a street lamp: 0 modern mast, 1 lantern, 2 wooden pole; ``yaw_rad`` points to the carriageway."""
    toward = np.array([np.cos(yaw_rad), np.sin(yaw_rad), 0])
    if kind == 0:
        grey = np.array([0.6, 0.62, 0.64])
        build.add_tiled(prism(base, 0.09, 0.06, 8.0, 4), tex.PLAIN, grey)
        build.add_tiled(box(base + 0.8 * toward + (0, 0, 7.9), np.array([1.8, 0.2, 0.12]), yaw_rad), tex.PLAIN, grey)
    elif kind == 1:
        black = np.array([0.1, 0.12, 0.12])
        build.add_tiled(prism(base, 0.1, 0.05, 3.6, 4), tex.PLAIN, black)
        build.add_tiled(box(lifted(base, 3.6), np.array([0.4, 0.4, 0.6]), yaw_rad, 0.6), tex.PLAIN, np.array([0.95, 0.9, 0.7]))
    else:
        wood = np.array([0.4, 0.32, 0.24])
        build.add_tiled(prism(base, 0.14, 0.1, 8.5, 5), tex.HEDGE, wood)
        build.add_tiled(box(lifted(base, 7.6), np.array([0.14, 2.2, 0.14]), yaw_rad), tex.PLAIN, wood)


def add_car(build: QuadBuilder, base: Floats, yaw_rad: float, rng: np.random.Generator) -> None:
    """Add a parked car, van or pick-up."""
    palette = (
        (0.9, 0.9, 0.9),
        (0.12, 0.12, 0.13),
        (0.6, 0.62, 0.65),
        (0.65, 0.1, 0.1),
        (0.12, 0.22, 0.5),
        (0.75, 0.7, 0.6),
        (0.15, 0.35, 0.25),
    )
    paint = np.array(palette[rng.integers(len(palette))]) * rng.uniform(0.85, 1.1)
    length, width = rng.uniform(3.9, 4.7), 1.75
    van = rng.random() < 0.15
    build.add_tiled(box(lifted(base, 0.28), np.array([length, width, 0.55]), yaw_rad), tex.PLAIN, paint)
    cabin = box(lifted(base, 0.83), np.array([length * (0.9 if van else 0.58), width * 0.94, 1.1 if van else 0.62]), yaw_rad, 0.82)
    build.add_tiled(cabin[:4], tex.CAR_SIDE, paint)
    build.add_tiled(cabin[4:], tex.PLAIN, paint)
    axes = np.array([[np.cos(yaw_rad), np.sin(yaw_rad), 0], [-np.sin(yaw_rad), np.cos(yaw_rad), 0]])
    for along in (-0.31, 0.31):
        wheels = box(base + along * length * axes[0], np.array([0.62, width * 1.02, 0.6]), yaw_rad)
        build.add_tiled(wheels, tex.PLAIN, np.array([0.07, 0.07, 0.07]))
    shadow = box(lifted(base, 0.03), np.array([length * 1.03, width * 1.1, 0.01]), yaw_rad)
    build.add_tiled(shadow[4:], tex.PLAIN, np.array([0.12, 0.12, 0.12]))


def _vivid(rng: np.random.Generator) -> Floats:
    colour = rng.uniform(0.05, 0.35, 3)
    colour[rng.integers(3)] = rng.uniform(0.7, 1.0)
    if rng.random() < 0.5:
        colour[rng.integers(3)] = rng.uniform(0.5, 1.0)
    return colour


def _kiosk(build: QuadBuilder, base: Floats, yaw: float, rng: np.random.Generator) -> None:
    size = rng.uniform(1.8, 3.0)
    body = box(base, np.array([size, size, 2.5]), yaw)
    build.add_tiled(body[:4], tex.FIRST_SHOP + int(rng.integers(16)), _vivid(rng))
    build.add_tiled(box(lifted(base, 2.5), np.array([size + 0.8, size + 0.8, rng.uniform(0.5, 1.4)]), yaw, 0.3), tex.STRIPES, _vivid(rng))


def _statue(build: QuadBuilder, base: Floats, yaw: float, rng: np.random.Generator) -> None:
    tone = np.array(((0.85, 0.84, 0.8), (0.35, 0.42, 0.36), (0.5, 0.38, 0.2))[rng.integers(3)])
    high = rng.uniform(1.0, 3.0)
    build.add_tiled(box(base, np.array([1.6, 1.6, high]), yaw, 0.85), tex.FIRST_WALL + 4, np.array([0.75, 0.73, 0.7]))
    build.add_tiled(prism(lifted(base, high), 0.45, 0.3, rng.uniform(1.2, 2.0), 6), tex.PLAIN, tone)
    points, normals = blob(lifted(base, high + 2.1), np.array([0.35, 0.35, 0.4]))
    build.add(points, tile_uv(np.full(len(points), tex.PLAIN)), tone, normals)


def _sphere(build: QuadBuilder, base: Floats, yaw: float, rng: np.random.Generator) -> None:
    radius = rng.uniform(0.7, 1.5)
    points, normals = blob(lifted(base, radius + 0.3), np.full(3, radius))
    build.add(points, tile_uv(np.full(len(points), (tex.STRIPES, tex.PLAIN, tex.FIRST_MURAL)[rng.integers(3)])), _vivid(rng), normals)
    build.add_tiled(box(base, np.array([1.0, 1.0, 0.6]), yaw), tex.PLAIN, np.array([0.6, 0.6, 0.6]))


def _billboard(build: QuadBuilder, base: Floats, yaw: float, rng: np.random.Generator) -> None:
    """Turned along the street, so that it is read by who drives up."""
    turned = yaw + np.pi / 2 * (1 if rng.random() < 0.5 else -1)
    for side in (-1.4, 1.4):
        foot = base + side * np.array([-np.sin(turned), np.cos(turned), 0])
        build.add_tiled(prism(foot, 0.09, 0.09, 3.2, 4), tex.PLAIN, np.array([0.3, 0.3, 0.3]))
    board = box(lifted(base, 2.0), np.array([0.15, 4.2, 2.6]), turned)
    picture = tex.FIRST_MURAL + int(rng.integers(16)) if rng.random() < 0.6 else tex.FIRST_SIGN + int(rng.integers(32))
    build.add_tiled(board[:2], picture, np.ones(3) if picture >= tex.FIRST_MURAL else _vivid(rng))
    build.add_tiled(board[2:], tex.PLAIN, np.array([0.4, 0.4, 0.4]))


def _shelter(build: QuadBuilder, base: Floats, yaw: float, rng: np.random.Generator) -> None:
    colour = _vivid(rng)
    build.add_tiled(box(lifted(base, 2.4), np.array([1.8, 4.0, 0.15]), yaw), tex.PLAIN, colour)
    away = np.array([np.cos(yaw), np.sin(yaw), 0])
    build.add_tiled(box(base - 0.75 * away, np.array([0.08, 3.8, 2.4]), yaw), tex.FIRST_SIGN + int(rng.integers(32)), 0.6 + 0.4 * colour)
    build.add_tiled(box(base - 0.3 * away + (0, 0, 0.4), np.array([0.4, 3.0, 0.1]), yaw), tex.PLAIN, colour)


def _post(build: QuadBuilder, base: Floats, yaw: float, rng: np.random.Generator) -> None:
    colour = np.array(((0.8, 0.1, 0.1), (0.95, 0.75, 0.1), (0.1, 0.25, 0.6))[rng.integers(3)])
    if rng.random() < 0.5:
        build.add_tiled(prism(base, 0.35, 0.35, 1.5, 8), tex.PLAIN, colour)
        build.add_tiled(prism(lifted(base, 1.5), 0.4, 0.05, 0.25, 8), tex.PLAIN, 0.8 * colour)
    else:
        build.add_tiled(box(base, np.array([1.0, 1.0, 2.4]), yaw), tex.FIRST_WINDOW + 6, colour)
        build.add_tiled(box(lifted(base, 2.4), np.array([1.1, 1.1, 0.25]), yaw, 0.8), tex.PLAIN, colour)


def _flags(build: QuadBuilder, base: Floats, yaw: float, rng: np.random.Generator) -> None:
    along = np.array([-np.sin(yaw), np.cos(yaw), 0])
    for k in range(int(rng.integers(2, 5))):
        foot = base + (k - 1) * 1.8 * along
        build.add_tiled(prism(foot, 0.06, 0.04, 7.0, 4), tex.PLAIN, np.array([0.85, 0.85, 0.85]))
        cloth = np.array([[lifted(foot, 5.6), foot + 1.6 * along + (0, 0, 5.4), foot + 1.6 * along + (0, 0, 6.6), lifted(foot, 6.8)]])
        build.add_tiled(cloth, tex.STRIPES if rng.random() < 0.4 else tex.PLAIN, _vivid(rng))


def _flowers(build: QuadBuilder, base: Floats, yaw: float, rng: np.random.Generator) -> None:
    colour = _vivid(rng)
    build.add_tiled(box(base, np.array([1.4, 4.5, 0.55]), yaw), tex.FIRST_WALL + 4, np.array([0.7, 0.68, 0.62]))
    along = np.array([-np.sin(yaw), np.cos(yaw), 0])
    for k in range(4):
        _leafy(
            build,
            base + (k - 1.5) * 1.1 * along + (0, 0, 0.75),
            np.array([0.6, 0.6, 0.45]),
            colour if k % 2 else np.array([0.3, 0.45, 0.2]),
            rng,
        )


def _stall(build: QuadBuilder, base: Floats, yaw: float, rng: np.random.Generator) -> None:
    along = np.array([-np.sin(yaw), np.cos(yaw), 0])
    for k in range(int(rng.integers(1, 4))):
        at = base + (k - 1) * 3.0 * along
        build.add_tiled(box(at, np.array([1.4, 2.4, 0.9]), yaw), tex.CRATES, np.array([0.7, 0.55, 0.35]))
        build.add_tiled(prism(at, 0.04, 0.04, 2.3, 4), tex.PLAIN, np.array([0.8, 0.8, 0.8]))
        build.add_tiled(prism(lifted(at, 2.1), 1.7, 0.05, 0.7, 8), tex.STRIPES, _vivid(rng))


def _boat(build: QuadBuilder, base: Floats, yaw: float, rng: np.random.Generator) -> None:
    hull = box(lifted(base, 0.5), np.array([1.4, 4.6, 0.9]), yaw, 1.25)
    build.add_tiled(hull, tex.PLAIN, _vivid(rng))
    build.add_tiled(box(lifted(base, 1.4), np.array([1.0, 1.4, 0.8]), yaw, 0.8), tex.PLAIN, np.array([0.95, 0.95, 0.95]))
    build.add_tiled(box(base, np.array([0.8, 3.0, 0.5]), yaw), tex.CRATES, np.array([0.4, 0.35, 0.3]))


def _tank(build: QuadBuilder, base: Floats, _yaw: float, rng: np.random.Generator) -> None:
    colour = _vivid(rng) * 0.6 + 0.4
    build.add_tiled(prism(base, 0.5, 0.4, 7.0, 6), tex.FIRST_WALL + 3, np.array([0.8, 0.8, 0.78]))
    build.add_tiled(prism(lifted(base, 7.0), 0.8, 2.2, 1.2, 8), tex.PLAIN, 0.8 * colour)
    build.add_tiled(prism(lifted(base, 8.2), 2.2, 2.2, 2.2, 8), tex.STRIPES if rng.random() < 0.3 else tex.PLAIN, colour)
    build.add_tiled(prism(lifted(base, 10.4), 2.2, 0.1, 0.8, 8), tex.PLAIN, 0.7 * colour)


Landmark = Callable[[QuadBuilder, Floats, float, np.random.Generator], None]
LANDMARKS: tuple[Landmark, ...] = (
    _kiosk,
    _statue,
    _sphere,
    _billboard,
    _shelter,
    _post,
    _flags,
    _flowers,
    _stall,
    _boat,
    _billboard,
    _tank,
)


def add_tower(build: QuadBuilder, kind: int, base: Floats, rng: np.random.Generator) -> None:
    """Add one of the few things seen from afar: 0 church tower, 1 lighthouse, 2 mast."""
    if kind == 0:
        wall = np.array([0.85, 0.78, 0.65]) * rng.uniform(0.8, 1.1)
        build.add_tiled(box(base, np.array([6.0, 6.0, 24.0])), tex.FIRST_WALL + 4, wall)
        build.add_tiled(box(lifted(base, 24.0), np.array([6.6, 6.6, 11.0]), 0.0, 0.02), tex.FIRST_ROOF + 1, np.array([0.3, 0.45, 0.42]))
    elif kind == 1:
        for k in range(5):
            tone = np.array([0.95, 0.95, 0.93]) if k % 2 else _vivid(np.random.default_rng(7))
            build.add_tiled(prism(lifted(base, 6.0 * k), 3.4 - 0.3 * k, 3.1 - 0.3 * k, 6.0, 10), tex.PLAIN, tone)
        build.add_tiled(prism(lifted(base, 30.0), 1.2, 1.2, 2.2, 8), tex.FIRST_WINDOW + 6, np.array([0.9, 0.9, 0.6]))
    else:
        for k in range(8):
            tone = np.array([0.8, 0.15, 0.12]) if k % 2 else np.array([0.92, 0.92, 0.92])
            build.add_tiled(prism(lifted(base, 6.0 * k), 1.0 - 0.1 * k, 0.9 - 0.1 * k, 6.0, 4), tex.FENCE, tone)
