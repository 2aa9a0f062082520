"""What the quarters of a town look like, and how one look fades into the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .config import IsleConfig
from .streets import Floats, Network, SmoothField

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Look:
    """A way of building. Ranges are (least, most).

    Args:
        walls, roofs, trims: palettes.
        materials, windows, coverings: numbers of wall material, window style, roof covering in the atlas.
        roof: "gable", "hip" or "flat".
        storeys, width_m, depth_m, setback_m, gap_m: of its houses.
        shop_share: share of houses with a shop on the ground floor.
        trees: kinds of trees; tree_spacing_m along the pavement and garden_trees a house.
        fence: "none", "hedge", "fence" or "wall" along the pavement, of height fence_height_m.
        grass, paving, asphalt: colours of the ground; paving_tile: number of the paving pattern.
        lamp: 0 modern mast, 1 lantern, 2 wooden pole with wires.
    """

    name: str
    walls: tuple[Colour, ...]
    roofs: tuple[Colour, ...]
    trims: tuple[Colour, ...]
    materials: tuple[int, ...]
    windows: tuple[int, ...]
    coverings: tuple[int, ...]
    roof: str
    storeys: tuple[int, int]
    width_m: tuple[float, float]
    depth_m: tuple[float, float]
    setback_m: tuple[float, float]
    gap_m: tuple[float, float]
    shop_share: float
    trees: tuple[str, ...]
    tree_spacing_m: float
    garden_trees: float
    fence: str
    fence_height_m: float
    grass: Colour
    paving: Colour
    paving_tile: int
    asphalt: Colour
    lamp: int


LOOKS = (
    Look(
        "harbour", ((0.75, 0.86, 0.92), (0.95, 0.95, 0.9), (0.5, 0.7, 0.8), (0.95, 0.8, 0.6)),
        ((0.35, 0.5, 0.6), (0.7, 0.35, 0.3), (0.75, 0.77, 0.8)), ((0.15, 0.35, 0.6), (0.9, 0.9, 0.9), (0.8, 0.3, 0.2)),
        (2, 0, 5), (0, 4, 1), (6, 2), "gable", (1, 2), (8, 14), (8, 11), (1.0, 3.0), (1.5, 6.0), 0.3,
        ("palm",), 20.0, 1.0, "fence", 0.9, (0.5, 0.52, 0.3), (0.8, 0.76, 0.66), 0, (0.36, 0.36, 0.37), 2,
    ),
    Look(
        "old town", ((0.9, 0.72, 0.45), (0.85, 0.55, 0.42), (0.93, 0.85, 0.68), (0.8, 0.62, 0.55), (0.72, 0.76, 0.6)),
        ((0.62, 0.3, 0.2), (0.55, 0.32, 0.25)), ((0.3, 0.45, 0.35), (0.45, 0.2, 0.15), (0.85, 0.82, 0.75)),
        (0, 6), (3, 1, 5), (0,), "hip", (3, 4), (9, 15), (10, 13), (0.0, 0.3), (0.0, 0.3), 0.7,
        ("round",), 40.0, 0.1, "none", 0.0, (0.42, 0.45, 0.28), (0.72, 0.66, 0.58), 2, (0.42, 0.4, 0.38), 1,
    ),
    Look(
        "terraces", ((0.74, 0.42, 0.32), (0.82, 0.5, 0.36), (0.68, 0.42, 0.36), (0.8, 0.62, 0.46)),
        ((0.3, 0.31, 0.35), (0.25, 0.25, 0.28)), ((0.92, 0.92, 0.9), (0.15, 0.2, 0.3)),
        (1,), (0, 7, 4), (1,), "gable", (2, 3), (6, 8), (9, 11), (1.5, 3.0), (0.0, 0.4), 0.15,
        ("round", "cypress"), 20.0, 0.5, "wall", 0.8, (0.33, 0.45, 0.22), (0.6, 0.6, 0.62), 0, (0.3, 0.3, 0.32), 1,
    ),
    Look(
        "gardens", ((0.95, 0.93, 0.85), (0.8, 0.88, 0.75), (0.95, 0.82, 0.82), (0.98, 0.92, 0.65), (0.78, 0.8, 0.92)),
        ((0.5, 0.3, 0.28), (0.35, 0.42, 0.38), (0.45, 0.4, 0.38)), ((0.98, 0.98, 0.98), (0.3, 0.5, 0.45)),
        (2, 6), (0, 4, 2), (5, 0), "hip", (1, 1), (12, 18), (10, 13), (6.0, 9.0), (5.0, 11.0), 0.02,
        ("jacaranda", "round", "flame"), 24.0, 3.0, "hedge", 1.1, (0.28, 0.5, 0.18), (0.74, 0.74, 0.72), 3, (0.33, 0.33, 0.34), 2,
    ),
    Look(
        "new centre", ((0.85, 0.86, 0.88), (0.62, 0.68, 0.74), (0.5, 0.52, 0.55), (0.92, 0.9, 0.86)),
        ((0.55, 0.55, 0.57),), ((0.25, 0.3, 0.35), (0.75, 0.15, 0.15), (0.95, 0.95, 0.95)),
        (7, 3), (2, 6), (4,), "flat", (4, 7), (18, 30), (14, 18), (2.0, 6.0), (3.0, 9.0), 0.55,
        ("round", "palm"), 22.0, 0.3, "none", 0.0, (0.4, 0.5, 0.3), (0.85, 0.84, 0.82), 3, (0.25, 0.25, 0.27), 0,
    ),
    Look(
        "works", ((0.6, 0.62, 0.6), (0.45, 0.55, 0.6), (0.68, 0.6, 0.48), (0.6, 0.35, 0.28)),
        ((0.6, 0.62, 0.62), (0.5, 0.4, 0.35)), ((0.6, 0.62, 0.6), (0.35, 0.48, 0.4)),
        (5, 3, 1), (6, 7), (6,), "gable", (2, 2), (22, 38), (16, 22), (4.0, 10.0), (5.0, 14.0), 0.05,
        ("cypress", "bush"), 45.0, 0.8, "fence", 1.9, (0.52, 0.48, 0.34), (0.62, 0.6, 0.57), 3, (0.4, 0.38, 0.36), 0,
    ),
    Look(
        "villas", ((0.97, 0.96, 0.93), (0.95, 0.9, 0.8), (0.9, 0.85, 0.78)),
        ((0.75, 0.72, 0.68), (0.7, 0.4, 0.28)), ((0.2, 0.45, 0.65), (0.55, 0.35, 0.2)),
        (6, 4), (2, 5, 3), (4, 0), "flat", (2, 3), (11, 17), (10, 14), (4.0, 7.0), (4.0, 9.0), 0.03,
        ("cypress", "palm", "olive"), 28.0, 2.4, "wall", 1.5, (0.5, 0.52, 0.3), (0.82, 0.76, 0.68), 2, (0.45, 0.43, 0.4), 1,
    ),
    Look(
        "pines", ((0.62, 0.48, 0.34), (0.5, 0.42, 0.34), (0.72, 0.32, 0.24), (0.9, 0.82, 0.62)),
        ((0.3, 0.36, 0.3), (0.35, 0.25, 0.2)), ((0.95, 0.93, 0.85), (0.9, 0.75, 0.3)),
        (2, 4), (7, 0, 5), (3, 1), "gable", (1, 2), (9, 13), (8, 11), (4.0, 7.0), (6.0, 12.0), 0.05,
        ("pine", "pine", "bush"), 22.0, 3.0, "fence", 1.0, (0.4, 0.4, 0.24), (0.58, 0.54, 0.48), 3, (0.37, 0.36, 0.36), 2,
    ),
)  # fmt: skip


class Quarters:
    """Which look rules where.

    Looks are dealt round to centres spread over the streets; a place's weights fall off smoothly from the centres, along a warped
    map so that borders are not straight.
    """

    def __init__(self, config: IsleConfig, network: Network, rng: np.random.Generator) -> None:
        self._reach_m = config.quarter_reach_m
        places = np.concatenate([street.line_m for street in network.streets])
        centres = [places[rng.integers(len(places))]]
        while len(centres) < config.quarter_count:  # farthest of a few: spread, yet not regular
            tries = places[rng.integers(len(places), size=12)]
            distance = np.linalg.norm(tries[:, None] - np.array(centres), axis=2).min(axis=1)
            centres.append(tries[int(distance.argmax())])
        self.centres_m = np.array(centres)
        deal = [rng.permutation(len(LOOKS)) for _ in range(-(-config.quarter_count // len(LOOKS)))]
        self.centre_looks = np.concatenate(deal)[: config.quarter_count]
        self._warp = (SmoothField(rng, 420.0), SmoothField(rng, 420.0))

    def weights(self, xy_m: Floats) -> Floats:
        """Shares (..., looks) of every look at points (..., 2), summing to 1."""
        warped = xy_m + 60.0 * np.stack([field(xy_m) for field in self._warp], axis=-1)
        squared = ((warped[..., None, :] - self.centres_m) ** 2).sum(axis=-1) / (2 * self._reach_m**2)
        share = np.exp(-(squared - squared.min(axis=-1, keepdims=True)))
        share /= share.sum(axis=-1, keepdims=True)
        out = np.zeros((*xy_m.shape[:-1], len(LOOKS)))
        for centre, look in enumerate(self.centre_looks):
            out[..., look] += share[..., centre]
        return out

    def look(self, xy_m: Floats, rng: np.random.Generator) -> Look:
        """A look drawn by the shares at one point; sharpened, so that quarters keep a core of their own."""
        share = self.weights(xy_m) ** 2
        return LOOKS[int(rng.choice(len(LOOKS), p=share / share.sum()))]

    def blend(self, attribute: str, xy_m: Floats) -> Floats:
        """A colour of the ground blended over the looks at points (..., 2)."""
        table: NDArray[np.float64] = np.array([getattr(look, attribute) for look in LOOKS])
        return self.weights(xy_m) @ table


def tinted(colour: Colour, rng: np.random.Generator, spread: float = 0.05) -> Floats:
    """A colour of a palette, a little off in hue and value, so that no two houses are quite the same."""
    return np.clip(np.array(colour) * rng.normal(1, spread) + rng.normal(0, 0.6 * spread, 3), 0.03, 1.0)
