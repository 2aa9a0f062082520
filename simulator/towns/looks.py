"""Ways of building shared by all isles, and the smooth fields that say which of them rules where in a town."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..quarters import LOOKS as DEMO_LOOKS
from ..quarters import Look
from ..streets import Floats, SmoothField
from .config import WorldConfig
from .isles import TownConfig
from .network import isle_number, urban_density
from .ways import WAYS

_MORE = (
    Look(
        "timber", ((0.62, 0.2, 0.15), (0.85, 0.66, 0.3), (0.92, 0.9, 0.84), (0.35, 0.42, 0.4), (0.5, 0.3, 0.2)),
        ((0.2, 0.2, 0.22), (0.45, 0.2, 0.16)), ((0.96, 0.96, 0.94), (0.85, 0.85, 0.8)),
        (2,), (0, 7, 5), (2, 1), "gable", (1, 2), (8, 12), (8, 10), (2.0, 5.0), (3.0, 9.0), 0.1,
        ("birch", "pine"), 30.0, 1.2, "fence", 0.9, (0.38, 0.46, 0.22), (0.6, 0.58, 0.54), 3, (0.34, 0.34, 0.35), 0,
    ),
    Look(
        "adobe", ((0.82, 0.58, 0.38), (0.88, 0.68, 0.48), (0.72, 0.46, 0.3), (0.92, 0.8, 0.64)),
        ((0.66, 0.5, 0.36),), ((0.2, 0.42, 0.55), (0.5, 0.3, 0.18)),
        (6, 0), (7, 5, 1), (4,), "flat", (1, 2), (9, 15), (9, 13), (0.0, 2.0), (0.0, 3.0), 0.25,
        ("palm", "bush"), 40.0, 0.4, "wall", 1.7, (0.6, 0.52, 0.32), (0.74, 0.6, 0.44), 2, (0.5, 0.46, 0.4), 2,
    ),
    Look(
        "colonial", ((0.55, 0.75, 0.78), (0.95, 0.78, 0.5), (0.92, 0.6, 0.55), (0.75, 0.85, 0.62), (0.96, 0.94, 0.9)),
        ((0.6, 0.32, 0.24), (0.5, 0.28, 0.22)), ((0.98, 0.97, 0.94), (0.25, 0.4, 0.3)),
        (0,), (3, 1), (0,), "hip", (2, 3), (10, 16), (11, 14), (0.3, 1.6), (0.0, 1.5), 0.45,
        ("palm", "flame"), 26.0, 0.3, "none", 0.0, (0.42, 0.5, 0.24), (0.78, 0.7, 0.6), 2, (0.42, 0.41, 0.4), 1,
    ),
    Look(
        "prefab", ((0.75, 0.74, 0.7), (0.62, 0.66, 0.7), (0.8, 0.76, 0.62), (0.7, 0.62, 0.58)),
        ((0.5, 0.5, 0.5),), ((0.7, 0.35, 0.25), (0.3, 0.45, 0.6)),
        (7, 3), (2, 0, 4), (4,), "flat", (5, 9), (26, 44), (12, 14), (6.0, 14.0), (8.0, 22.0), 0.12,
        ("round", "birch"), 24.0, 1.6, "none", 0.0, (0.36, 0.48, 0.24), (0.68, 0.67, 0.65), 3, (0.36, 0.36, 0.36), 0,
    ),
    Look(
        "stone village", ((0.6, 0.58, 0.54), (0.52, 0.5, 0.46), (0.7, 0.66, 0.58), (0.9, 0.9, 0.86)),
        ((0.3, 0.32, 0.34), (0.4, 0.38, 0.35)), ((0.2, 0.3, 0.5), (0.6, 0.15, 0.12), (0.9, 0.9, 0.9)),
        (4,), (5, 7, 0), (1, 3), "gable", (1, 2), (8, 13), (7, 9), (0.5, 3.0), (0.5, 6.0), 0.18,
        ("round", "bush"), 50.0, 0.6, "wall", 1.0, (0.3, 0.5, 0.2), (0.56, 0.55, 0.52), 2, (0.36, 0.36, 0.37), 1,
    ),
    Look(
        "market", ((0.9, 0.5, 0.3), (0.3, 0.55, 0.6), (0.85, 0.75, 0.35), (0.75, 0.35, 0.4), (0.5, 0.62, 0.4)),
        ((0.5, 0.46, 0.42), (0.58, 0.32, 0.24)), ((0.95, 0.9, 0.7), (0.15, 0.2, 0.25)),
        (0, 3, 6), (6, 2, 0), (6, 4), "flat", (2, 4), (6, 10), (11, 15), (0.0, 0.6), (0.0, 0.5), 0.9,
        ("round",), 45.0, 0.1, "none", 0.0, (0.44, 0.46, 0.3), (0.7, 0.66, 0.62), 0, (0.38, 0.37, 0.36), 0,
    ),
    Look(
        "arctic", ((0.75, 0.2, 0.18), (0.2, 0.4, 0.65), (0.9, 0.75, 0.2), (0.3, 0.55, 0.4), (0.9, 0.9, 0.92)),
        ((0.75, 0.76, 0.78), (0.35, 0.37, 0.4)), ((0.95, 0.95, 0.95), (0.2, 0.2, 0.22)),
        (5, 2), (7, 5, 4), (6, 2), "gable", (1, 2), (9, 16), (8, 10), (3.0, 8.0), (6.0, 16.0), 0.1,
        ("bush",), 90.0, 0.2, "none", 0.0, (0.46, 0.42, 0.3), (0.5, 0.48, 0.45), 3, (0.42, 0.41, 0.4), 2,
    ),
    Look(
        "farmstead", ((0.94, 0.93, 0.88), (0.62, 0.28, 0.2), (0.7, 0.64, 0.54)),
        ((0.5, 0.28, 0.22), (0.34, 0.36, 0.36), (0.6, 0.55, 0.4)), ((0.2, 0.4, 0.25), (0.85, 0.85, 0.85)),
        (6, 2, 4), (0, 5, 7), (3, 5, 6), "gable", (1, 2), (12, 24), (9, 13), (6.0, 16.0), (16.0, 40.0), 0.02,
        ("round", "pine"), 36.0, 2.4, "hedge", 1.0, (0.34, 0.5, 0.2), (0.58, 0.54, 0.46), 3, (0.4, 0.39, 0.38), 2,
    ),
)  # fmt: skip

# Mixed, so that the first few of them are different from each other.
LOOKS: tuple[Look, ...] = tuple(look for pair in zip(DEMO_LOOKS, _MORE, strict=True) for look in pair)

# How much a way of building likes the middle of a district (1) or the country (-1).
_CENTRALITY = {
    "old town": 1.0, "new centre": 1.0, "market": 0.9, "colonial": 0.5, "terraces": 0.4, "prefab": 0.2, "adobe": 0.1, "stone village": -0.1,
    "harbour": 0.0, "timber": -0.1, "villas": -0.3, "gardens": -0.3, "works": -0.4, "arctic": -0.1, "pines": -0.7, "farmstead": -1.1,
}  # fmt: skip


class LookField:
    """Which ways of building rule where, and how colours and measures drift; smooth over the town.

    Args:
        town: its family resemblance.
        config: strengths and wavelengths.
        centres_m: of the districts.
        seed: of the world.
    """

    def __init__(self, town: TownConfig, config: WorldConfig, centres_m: Floats, seed: int) -> None:
        rng = np.random.default_rng([seed, isle_number(town), 3])
        self._town, self._config, self._centres_m = town, config, centres_m
        self.looks = LOOKS[: config.look_count]
        self._scores = [SmoothField(rng, config.look_wavelength_m) for _ in LOOKS][: config.look_count]
        home = np.array([1.0 if look.name in town.looks else -1.0 for look in self.looks])
        self._bias = config.isle_strength * home
        self._central = np.array([_CENTRALITY[look.name] for look in self.looks])
        self._drifts = [SmoothField(rng, config.drift_wavelength_m) for _ in range(7)]
        self._noise = SmoothField(rng, 700.0)
        table = {name: np.array([getattr(look, name) for look in self.looks]) for name in ("grass", "paving", "asphalt")}
        own = np.array(town.grass)
        self.ways, self.strength = WAYS[town.name], config.isle_strength
        self.pull = pull = min(0.9 * config.isle_strength, 1.0)
        self.greens = 1 + pull * (np.array(self.ways.greens) - 1)
        self.soil = np.array(town.soil)
        owns = {"grass": own, "asphalt": np.array(self.ways.road), "paving": np.array(self.ways.pavement)}
        self._colours = {name: (1 - pull) * table[name] + pull * owns[name] for name in table}

    def density(self, xy_m: Floats) -> Floats:
        """How built-up points (..., 2) are, 0..1."""
        return np.clip(urban_density(xy_m, self._centres_m, self._config.district_reach_m) + 0.1 * self._noise(xy_m), 0, 1)

    def drift(self, xy_m: Floats, which: int) -> Floats:
        """One of seven smooth fields (...), about −1..1, times its strength: 0–2 wall colour, 3 height, 4 gaps, 5 greenery, 6 ground."""
        return self._config.drift_strength * np.tanh(self._drifts[which](xy_m))

    def weights(self, xy_m: Floats) -> Floats:
        """Shares (..., looks) of every look at points (..., 2), summing to 1."""
        field = np.stack([score(xy_m) for score in self._scores], axis=-1)
        central = 2 * self.density(xy_m)[..., None] - 0.8
        score = self._config.look_sharpness * (field + self._bias + 0.8 * self._central * central)
        share = np.exp(score - score.max(axis=-1, keepdims=True))
        return share / share.sum(axis=-1, keepdims=True)

    def look(self, xy_m: Floats, rng: np.random.Generator) -> Look:
        """A way of building drawn by the shares at one point, with the place's drift in height and gaps and the isle's trees and lamps."""
        look = self.looks[int(rng.choice(len(self.looks), p=self.weights(xy_m)))]
        higher = 1 + 0.3 * float(self.drift(xy_m, 3))
        wider = float(np.exp(0.5 * self.drift(xy_m, 4)))
        storeys = (max(1, round(look.storeys[0] * higher)), max(1, round(look.storeys[1] * higher)))
        own = rng.random() < 0.8 * self._config.isle_strength
        if rng.random() < self.pull:
            look = self._in_own_ways(look)
            storeys = self.ways.storeys
        return replace(
            look,
            storeys=storeys,
            gap_m=(look.gap_m[0] * wider, look.gap_m[1] * wider + 1.5 * max(wider - 1, 0.0)),
            setback_m=(look.setback_m[0] * wider, look.setback_m[1] * wider),
            tree_spacing_m=look.tree_spacing_m * float(np.exp(-0.6 * self.drift(xy_m, 5))),
            garden_trees=look.garden_trees * float(np.exp(0.6 * self.drift(xy_m, 5))) * min(1.0, 0.25 + 2 * self._town.forest),
            trees=self.trees(xy_m, rng) if own else look.trees,
            lamp=self._town.lamp if own else look.lamp,
        )

    def _in_own_ways(self, look: Look) -> Look:
        """A way of building in the country's walls and roofs."""
        ways = self.ways
        return replace(look, walls=ways.walls, roofs=ways.roofs, roof=ways.roof, materials=(ways.material,), coverings=(ways.covering,))

    def trees(self, xy_m: Floats, rng: np.random.Generator) -> tuple[str, ...]:
        """Two of the isle's kinds; which of them are common changes over the town."""
        kinds = self._town.trees
        chance = np.exp(
            -0.7 * np.arange(len(kinds)) + 1.5 * self._config.drift_strength * np.sin(2 * np.arange(len(kinds)) + self.drift(xy_m, 6))
        )
        return tuple(str(kind) for kind in rng.choice(kinds, 2, p=chance / chance.sum()))

    def blend(self, name: str, xy_m: Floats) -> Floats:
        """A colour of the ground ("grass", "paving", "asphalt") at points (..., 2), with its drift."""
        colour = self.weights(xy_m) @ self._colours[name]
        return colour * (1 + 0.12 * self.drift(xy_m, 6)[..., None])

    def wall_tint(self, xy_m: Floats) -> Floats:
        """What walls and roofs are multiplied by at points (..., 2): the isle's tint and the place's drift."""
        isle = 1 + self._config.isle_strength * (np.array(self._town.wall_tint) - 1)
        value, warm, green = (self.drift(xy_m, index)[..., None] for index in range(3))
        return isle * (1 + 0.09 * value + np.concatenate([0.07 * warm, 0.05 * green, -0.09 * warm], axis=-1))
