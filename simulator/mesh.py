"""Quads with colours, normals and texture coordinates, gathered by the thousand and cut into square chunks of ground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

ATLAS_TILES = 16  # the atlas is a square of 16 × 16 tiles


@dataclass(frozen=True)
class Chunk:
    """Quads of one square of ground and one texture.

    Args:
        centre_m: middle of its square, east and north.
        points (4n, 3), normals (4n, 3), uv (4n, 2), albedo (4n, 3): four vertices a quad, albedo in 0..1 with the baked shade of
            corners and undersides.
    """

    centre_m: tuple[float, float]
    points: Floats
    normals: Floats
    uv: Floats
    albedo: Floats


def _tile_table() -> Floats:
    """Texture corners (256, 4, 2) of every tile: lower left, lower right, upper right, upper left, a little inside the tile."""
    tiles = np.arange(ATLAS_TILES**2)
    inset = 0.02
    u0 = (tiles % ATLAS_TILES + inset) / ATLAS_TILES
    v1 = 1 - (tiles // ATLAS_TILES + inset) / ATLAS_TILES
    u1, v0 = u0 + (1 - 2 * inset) / ATLAS_TILES, v1 - (1 - 2 * inset) / ATLAS_TILES
    corners = [np.stack([u, v], axis=-1) for u, v in ((u0, v0), (u1, v0), (u1, v1), (u0, v1))]
    return np.stack(corners, axis=-2).astype(np.float32)


_TILES = _tile_table()


def tile_uv(tiles: NDArray[np.int64]) -> Floats:
    """Texture corners (n, 4, 2) of atlas tiles (n,)."""
    return _TILES[tiles]


class QuadBuilder:
    """Gathers quads; corners run counter-clockwise as seen from outside, starting at the lower left."""

    def __init__(self) -> None:
        self._parts: list[tuple[Floats, Floats | None, Floats, Floats]] = []

    def add(
        self,
        corners: NDArray[np.floating],
        uv: NDArray[np.floating],
        albedo: NDArray[np.floating],
        normals: NDArray[np.floating] | None = None,
    ) -> None:
        """Add quads.

        Args:
            corners: (n, 4, 3) metres.
            uv: (n, 4, 2).
            albedo: (3,), (n, 3) or (n, 4, 3).
            normals: (n, 4, 3); flat ones are made if None.
        """
        corners = np.asarray(corners, np.float32)
        albedo = np.asarray(albedo, np.float32)
        if albedo.ndim == 2:
            albedo = albedo[:, None]
        shape = (len(corners), 4, 3)
        soft = None if normals is None else np.asarray(normals, np.float32)
        self._parts.append((corners, soft, np.asarray(uv, np.float32), np.broadcast_to(albedo, shape)))

    def add_tiled(self, corners: NDArray[np.floating], tile: int | NDArray[np.int64], albedo: NDArray[np.floating]) -> None:
        """Add quads (n, 4, 3) that each show one atlas tile."""
        tiles = np.full(len(corners), tile) if np.ndim(tile) == 0 else np.asarray(tile)
        self.add(corners, _TILES[tiles], albedo)

    def quads(self) -> tuple[Floats, Floats, Floats, Floats]:
        """All quads: corners (n, 4, 3), normals, uv (n, 4, 2), albedo."""
        if not self._parts:
            return tuple(np.zeros((0, 4, size), np.float32) for size in (3, 3, 2, 3))  # type: ignore[return-value]
        corners, uv, albedo = (np.concatenate([part[k] for part in self._parts]) for k in (0, 2, 3))
        flat = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
        flat /= np.linalg.norm(flat, axis=1, keepdims=True) + 1e-9
        normals = np.repeat(flat[:, None], 4, axis=1)
        start = 0
        for part, soft, _, _ in self._parts:
            if soft is not None:
                normals[start : start + len(part)] = soft
            start += len(part)
        return corners, normals, uv, albedo

    def chunks(self, chunk_m: float) -> list[Chunk]:
        """Everything gathered, by squares of ground."""
        corners, normals, uv, albedo = self.quads()
        cells = np.floor(corners[..., :2].mean(axis=1) / chunk_m).astype(np.int64)
        keys, owner = np.unique(cells, axis=0, return_inverse=True)
        order = np.argsort(owner.ravel(), kind="stable")
        bounds = np.searchsorted(owner.ravel()[order], np.arange(len(keys) + 1))
        found = []
        for index, key in enumerate(keys):
            pick = order[bounds[index] : bounds[index + 1]]
            centre = (float((key[0] + 0.5) * chunk_m), float((key[1] + 0.5) * chunk_m))
            parts = (corners[pick].reshape(-1, 3), normals[pick].reshape(-1, 3), uv[pick].reshape(-1, 2), albedo[pick].reshape(-1, 3))
            found.append(Chunk(centre, *parts))
        return found


def lifted(point: NDArray[np.floating], up_m: float) -> NDArray[np.float64]:
    """The point (3,) so much higher."""
    return np.asarray(point, np.float64) + np.array([0.0, 0.0, up_m])


def axes_of(yaw_rad: float) -> Floats:
    """Rows: forward and left in the plane, up."""
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    return np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]], np.float32)


def box(centre: NDArray[np.floating], size: NDArray[np.floating], yaw_rad: float = 0.0, taper: float = 1.0) -> Floats:
    """Five quads (5, 4, 3) of a box without its underside: front, back, left, right, top.

    Args:
        centre: (3,) middle of the underside.
        size: (3,) along forward, left, up.
        yaw_rad: heading of forward, counter-clockwise from east.
        taper: size of the top as a share of the base.
    """
    x, y, z = np.asarray(size, np.float64) / (2, 2, 1)
    u, v = x * taper, y * taper
    base = np.array([[x, -y, 0], [x, y, 0], [-x, y, 0], [-x, -y, 0]])
    top = np.array([[u, -v, z], [u, v, z], [-u, v, z], [-u, -v, z]])
    sides = [(0, 1), (2, 3), (1, 2), (3, 0)]
    quads = [np.stack([base[a], base[b], top[b], top[a]]) for a, b in sides] + [top]
    return (np.stack(quads) @ axes_of(yaw_rad) + np.asarray(centre)).astype(np.float32)


def prism(base: NDArray[np.floating], bottom_radius: float, top_radius: float, height: float, sides: int = 6) -> Floats:
    """Side quads (sides, 4, 3) of an upright (truncated) cone on the point ``base``."""
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    ring = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=1)
    low, high = ring * bottom_radius, ring * top_radius + (0, 0, height)
    return (np.stack([low[:-1], low[1:], high[1:], high[:-1]], axis=1) + np.asarray(base)).astype(np.float32)


def blob(centre: NDArray[np.floating], radii: NDArray[np.floating], rough: NDArray[np.floating] | None = None) -> tuple[Floats, Floats]:
    """A rounded lump: quads (32, 4, 3) and their soft normals.

    Args:
        centre, radii: (3,).
        rough: (5, 8) factors on the radius at its rings, for foliage.
    """
    rings, sectors = 4, 8
    elevation = np.linspace(-np.pi / 2, np.pi / 2, rings + 1)
    azimuth = np.linspace(0, 2 * np.pi, sectors + 1)
    unit = np.stack(
        [
            np.cos(elevation)[:, None] * np.cos(azimuth),
            np.cos(elevation)[:, None] * np.sin(azimuth),
            np.sin(elevation)[:, None] * np.ones_like(azimuth),
        ],
        axis=-1,
    )
    factor = np.ones((rings + 1, sectors + 1)) if rough is None else np.concatenate([rough, rough[:, :1]], axis=1)
    factor[0], factor[-1] = factor[0, 0], factor[-1, 0]
    points = unit * np.asarray(radii) * factor[..., None] + np.asarray(centre)
    normals = unit / np.asarray(radii)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)

    def quads(grid: NDArray[np.floating]) -> Floats:
        cells = np.stack([grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]], axis=2)
        return cells.reshape(-1, 4, 3).astype(np.float32)

    return quads(points), quads(normals)
