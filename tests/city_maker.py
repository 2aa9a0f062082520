"""Made-up videos of cities for tests: each city's frames lie about a direction of their own."""

from __future__ import annotations

import numpy as np

from vidtag_engine.training.city_data import LabelledVideo

CHAINS = (
    ("Aby", "North", "Land", "Sea"), ("Bel", "North", "Land", "Sea"), ("Cor", "South", "Land", "Sea"), ("Dun", "West", "Other", "Sea"),
    ("Eze", "East", "Third", "Ocean"), ("Fyn", "East", "Third", "Ocean"),
)  # fmt: skip
CENTRES = np.array([[10.0, 20.0], [10.1, 20.05], [11.0, 20.0], [30.0, 40.0], [-20.0, 160.0], [-20.05, 160.1]])
WIDTH = 2560


def direction(number: int) -> np.ndarray:
    """Of a city, or of a foreign one from 100 on."""
    return np.random.default_rng([7, number]).normal(0, 1.0, WIDTH)


def video(city: int, number: int, frames: int = 20, noise: float = 1.0) -> LabelledVideo:
    """A video of a city; from 100 on of one that nobody knows, which takes the names of city 0."""
    rng = np.random.default_rng([city, number])
    features = np.abs(direction(city) + rng.normal(0, noise, WIDTH) + rng.normal(0, noise, (frames, WIDTH))) + 0.5
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    known = city if city < 100 else 0
    places = CENTRES[known] + rng.normal(0, 0.002, (frames, 2))
    return LabelledVideo(f"{city}-{number}", features.astype(np.float16), frames, CHAINS[known], places)


def videos(count: int, start: int = 0, cities: int = len(CHAINS)) -> list[LabelledVideo]:
    """So many of each city."""
    return [video(city, number) for city in range(cities) for number in range(start, start + count)]
