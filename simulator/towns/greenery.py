"""Trees that may shed their leaves, groves and hedges beside the road."""

from __future__ import annotations

import numpy as np

from .. import props
from .. import textures as tex
from ..mesh import QuadBuilder, blob, lifted, prism, tile_uv
from ..streets import Floats

DECIDUOUS = ("round", "birch", "jacaranda", "flame")


class Greens:
    """Where the quads of plants go: wood and what stays, evergreen leaves, leaves that fall.

    Args:
        solid: wood and everything else of the piece.
    """

    def __init__(self, solid: QuadBuilder) -> None:
        self.solid, self.evergreen, self.leaves = solid, QuadBuilder(), QuadBuilder()

    def tree(self, kind: str, base: Floats, size: float, rng: np.random.Generator) -> None:
        """Plant a tree; the deciduous have branches to show in winter."""
        if kind not in DECIDUOUS:
            props.add_tree(self.evergreen, kind, base, size, rng)
            return
        if kind == "birch":
            self._birch(base, size, rng)
        else:
            props.add_tree(self.leaves, kind, base, size, rng)
        bark = np.array([0.82, 0.8, 0.76]) if kind == "birch" else props.BARK
        trunk = size * 3.2
        self.solid.add_tiled(prism(lifted(base, -0.3), 0.15 * size + 0.04, 0.09 * size, trunk + 0.3, 4), tex.HEDGE, bark)
        for angle in rng.uniform(0, 2 * np.pi) + np.arange(4) * np.pi / 2:
            limb = prism(np.zeros(3), 0.06 * size, 0.015, size * rng.uniform(2.4, 3.4), 3)
            lean = np.array([np.cos(angle), np.sin(angle)]) * rng.uniform(0.3, 0.75)
            limb[..., :2] += limb[..., 2:] * lean
            self.solid.add_tiled(limb + lifted(base, trunk * 0.9), tex.PLAIN, 0.8 * bark)

    def _birch(self, base: Floats, size: float, rng: np.random.Generator) -> None:
        """A slender crown of a light green."""
        green = np.array([0.44, 0.58, 0.24]) * rng.uniform(0.85, 1.15)
        height = size * rng.uniform(5.5, 8.0)
        for level in (0.5, 0.78):
            radii = np.array([1.25, 1.25, 0.28 * height]) * (1.3 - 0.5 * level) * (size, size, 1)
            points, normals = blob(lifted(base, level * height + 0.6), radii, rng.uniform(0.75, 1.15, (5, 8)))
            self.leaves.add(
                points, tile_uv(np.full(len(points), tex.LEAVES)), green * (0.75 + 0.3 * np.clip(normals[..., 2:], 0, 1)), normals
            )
