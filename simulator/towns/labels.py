"""Names of places above the street, and what kind of scene a picture shows. All names are invented; continents are seas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..streets import Floats, smoothstep
from .builder import TownBuilder
from .isles import WORLD_ISLES, TownConfig

SCENES = (
    "residential_neighborhood", "downtown", "old_town_street", "apartment_blocks", "industrial_area", "harbor", "coast_road", "forest_road",
    "field_road", "park", "highway", "village", "market_street", "hill_road", "tundra", "crossroads",
)  # fmt: skip
TEXT_DIMENSIONS = 512

# What a way of building says about the scene.
_SCENE_OF_LOOK = {
    "gardens": "residential_neighborhood", "villas": "residential_neighborhood", "terraces": "residential_neighborhood", "timber": "village",
    "new centre": "downtown", "old town": "old_town_street", "colonial": "old_town_street", "prefab": "apartment_blocks", "works": "industrial_area",
    "harbour": "harbor", "stone village": "village", "farmstead": "village", "adobe": "village", "arctic": "industrial_area",
    "market": "market_street", "pines": "park",
}  # fmt: skip


class Geography:
    """Numbers of all cities, states, countries and continents, in the order of their names, and who belongs to whom.

    The same whatever isles are rendered.
    """

    def __init__(self, isles: Sequence[TownConfig] = tuple(WORLD_ISLES.values())) -> None:
        self.cities = sorted({city for isle in isles for city in isle.cities})
        self.states = sorted({isle.state for isle in isles})
        self.countries = sorted({isle.country for isle in isles})
        self.continents = sorted({isle.continent for isle in isles})
        self._isles = isles

    def labels(self, isle: TownConfig, city: str) -> tuple[int, int, int, int]:
        """Numbers of city, state, country, continent."""
        return (
            self.cities.index(city), self.states.index(isle.state), self.countries.index(isle.country), self.continents.index(isle.continent),
        )  # fmt: skip

    def mappings(self) -> list[dict[str, int]]:
        """City → state, state → country, country → continent; keys are numbers as text."""
        rows = [self.labels(isle, city) for isle in self._isles for city in isle.cities]
        return [{str(key): value for key, value in sorted({(row[level], row[level + 1]) for row in rows})} for level in range(3)]

    def names(self) -> dict[str, list[str]]:
        """All names, in the order of their numbers."""
        return {"city": self.cities, "state": self.states, "country": self.countries, "continent": self.continents}


def city_of(builder: TownBuilder, position_m: Floats) -> str:
    """The district that most of some positions (n, 2) are nearest to."""
    distance = np.hypot(*np.moveaxis(position_m[:, None] - builder.centres_m, -1, 0))
    return builder.town.cities[int(np.bincount(distance.argmin(axis=1)).argmax())]


def text_vector(label: str) -> Floats:
    """A unit vector (512,) for a label: random, but always the same for the same words. It stands in for a text encoder's output."""
    rng = np.random.default_rng(list(label.encode()))
    vector = rng.normal(size=TEXT_DIMENSIONS)
    return vector / np.linalg.norm(vector)


def scene_shares(builder: TownBuilder, position_m: Floats) -> Floats:
    """Soft scene labels (16,) of a drive, summing to 1, from what stands round its positions (n, 2)."""
    field, land, network = builder.field, builder.land, builder.network
    density = field.density(position_m)
    built = smoothstep(0.1, 0.5, density)
    share = np.zeros((len(position_m), len(SCENES)))
    weights = field.weights(position_m)
    for index, look in enumerate(field.looks):
        share[:, SCENES.index(_SCENE_OF_LOOK[look.name])] += 2.0 * built * weights[:, index]
    inland = network.terrain.inland_m(position_m)
    slope = np.abs(np.gradient(network.terrain.height_m(position_m))) if len(position_m) > 2 else np.zeros(len(position_m))
    street = network.nearest_street(position_m)[1]
    is_main = np.array([network.streets[int(number)].is_main for number in street])
    crossing = np.hypot(*np.moveaxis(position_m[:, None] - network.crossings_m, -1, 0)).min(axis=1)
    cold = abs(builder.town.latitude_deg) > 66
    wooded, farmed, country = land.wooded(position_m), land.farmed(position_m), 1 - built
    for name, value in (
        ("coast_road", 1.2 * (1 - smoothstep(250, 600, inland))),
        ("harbor", 0.6 * built * (1 - smoothstep(200, 450, inland))),
        ("forest_road", 1.5 * country * wooded),
        ("field_road", country * (0.3 + 1.2 * farmed) * (not cold)),
        ("tundra", 1.5 * country * cold),
        ("park", 0.4 * built * wooded),
        ("highway", 0.8 * country * is_main),
        ("downtown", 1.2 * smoothstep(0.75, 0.98, density)),
        ("hill_road", 0.8 * smoothstep(0.6, 2.0, slope)),
        ("crossroads", 0.8 * (1 - smoothstep(15, 45, crossing))),
    ):
        share[:, SCENES.index(name)] += value
    total = share.sum(axis=0) + 1e-6
    return total / total.sum()
