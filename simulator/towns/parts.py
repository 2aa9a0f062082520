"""Geometry ready for the graphics card, with a kind for every vertex, so that seasons can dress it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..mesh import Floats, QuadBuilder

SOLID, GRASS, ROAD, LEAF, EVERGREEN, SOIL = range(6)


@dataclass(frozen=True)
class Part:
    """Quads of one texture, four vertices each.

    Args:
        centre_m: (2,); radius_m: round it, on the ground.
        points, normals, albedo: (4n, 3); uv: (4n, 2).
        kind: (4n,) of SOLID, GRASS, ...
        on_ground: textured with the ground noise, else with the atlas.
        sheds: leaves that fall in winter.
    """

    centre_m: tuple[float, float]
    radius_m: float
    points: Floats
    normals: Floats
    uv: Floats
    albedo: Floats
    kind: NDArray[np.uint8]
    on_ground: bool
    sheds: bool = False


def part_of(
    builders: list[tuple[QuadBuilder, int]],
    *,
    on_ground: bool = False,
    sheds: bool = False,
    tints: Mapping[int, NDArray[np.floating]] | None = None,
) -> Part | None:
    """Everything gathered in some builders, each of one kind; None if there is nothing. ``tints`` multiply what is of a kind."""
    gathered = [(builder.quads(), kind) for builder, kind in builders]
    gathered = [(quads, kind) for quads, kind in gathered if len(quads[0])]
    if not gathered:
        return None
    corners, normals, uv, albedo = (np.concatenate([quads[k].reshape(-1, quads[k].shape[-1]) for quads, _ in gathered]) for k in range(4))
    kind = np.concatenate([np.full(4 * len(quads[0]), kind, np.uint8) for quads, kind in gathered])
    for which, tint in (tints or {}).items():
        albedo = np.where((kind == which)[:, None], np.clip(albedo * tint, 0, 1), albedo)
    return placed(
        corners.astype(np.float32),
        normals.astype(np.float32),
        uv.astype(np.float32),
        albedo.astype(np.float32),
        kind,
        on_ground=on_ground,
        sheds=sheds,
    )


def placed(
    points: Floats, normals: Floats, uv: Floats, albedo: Floats, kind: NDArray[np.uint8], *, on_ground: bool = False, sheds: bool = False
) -> Part:
    """A part, with the circle on the ground that holds it."""
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    centre = (low + high) / 2
    return Part(
        (float(centre[0]), float(centre[1])), float(np.hypot(*(high - low)) / 2), points, normals, uv, albedo, kind, on_ground, sheds
    )
