"""What stands behind a town: a ring of far land that goes along with the camera, so that it tells the isle and not the place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .. import textures as tex
from ..mesh import QuadBuilder, tile_uv
from ..streets import Floats, smoothstep
from .parts import SOLID, Part, part_of
from .ways import Ways

RADIUS_M = 700.0
FOOT_M = 90.0  # how far it reaches down below the camera
SECTORS = 180


def _wave(angle: Floats, *counts: int) -> Floats:
    """A sum of waves that closes round the horizon, about −1..1."""
    return np.asarray(sum(np.sin(count * angle + 1.7 * count**2) for count in counts) / len(counts), np.float64)


def _peaks(angle: Floats, number: int, slope: float) -> Floats:
    """Cones at equal distances, 0..1."""
    away = np.abs((angle * number / (2 * np.pi)) % 1 - 0.5) * 2
    return np.clip(1 - away * slope, 0, 1)


# Height of the silhouette, 0..1, by direction.
SHAPES: dict[str, Callable[[Floats], Floats]] = {
    "flat": lambda angle: 0.8 + 0.2 * _wave(angle, 9, 14),
    "volcano": lambda angle: 0.12 + 0.88 * np.minimum(_peaks(angle, 3, 1.5) ** 1.4, 0.86),
    "downs": lambda angle: 0.55 + 0.45 * _wave(angle, 5, 8, 11),
    "mesas": lambda angle: 0.2 + 0.8 * smoothstep(-0.1, 0.1, _wave(angle, 6, 9, 13)),
    "table": lambda angle: 0.25 + 0.75 * smoothstep(-0.5, 0.1, np.cos(4 * angle)),
    "teeth": lambda angle: 0.3 + 0.7 * np.maximum(_peaks(angle, 17, 1.2), 0.8 * _peaks(angle + 0.2, 29, 1.2)),
    "cliffs": lambda angle: 0.7 + 0.3 * smoothstep(-0.05, 0.05, _wave(angle, 11, 16)),
    "cones": lambda angle: 0.1 + 0.9 * np.maximum(_peaks(angle, 8, 1.9), 0.6 * _peaks(angle + 0.4, 11, 2.2)),
    "ridges": lambda angle: 0.65 + 0.35 * (np.abs(_wave(angle, 7, 12, 19)) * 2 - 0.6).clip(-1, 1),
}


def build_skyline(ways: Ways, strength: float) -> Part | None:
    """The ring about the origin, its zero at the height of the eye; nothing where isles are not told apart."""
    if strength <= 0:
        return None
    angle = np.linspace(0, 2 * np.pi, SECTORS + 1)
    top = RADIUS_M * np.tan(np.deg2rad(ways.skyline_deg * min(strength, 1.5))) * SHAPES[ways.skyline](angle)
    ring = RADIUS_M * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    levels = np.stack([np.full_like(top, -FOOT_M), np.zeros_like(top), 0.6 * top, top])
    points = np.concatenate([np.broadcast_to(ring, (4, *ring.shape)), levels[..., None]], axis=-1)
    foot, peak = np.array(ways.skyline_foot), np.array(ways.skyline_top)
    colours = np.stack([foot, foot, 0.6 * foot + 0.4 * peak, peak])[:, None] * (1 + 0.12 * _wave(angle, 23, 37, 51))[:, None]

    def quads(grid: Floats) -> Floats:
        return np.stack([grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]], axis=2).reshape(-1, 4, 3)

    corners = quads(points)
    normals = -corners * np.array([0.8, 0.8, 0]) / RADIUS_M + np.array([0, 0, 0.6])
    build = QuadBuilder()
    build.add(corners, tile_uv(np.full(len(corners), tex.PLAIN)), np.clip(quads(colours), 0, 1), normals)
    return part_of([(build, SOLID)])
