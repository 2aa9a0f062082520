"""When a drive takes place, and what sun, weather and season that means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from ..drives import sun_position
from ..mesh import Floats
from ..render import Light
from .config import WorldConfig
from .isles import TownConfig
from .parts import EVERGREEN, GRASS, LEAF, ROAD, SOIL, SOLID
from .ways import WAYS

WEATHERS = ("fair", "overcast", "rain", "fog", "snowfall")
SNOW = np.array([0.9, 0.92, 0.96], np.float32)


@dataclass(frozen=True)
class ClimateLight(Light):
    """Light under a climate of its own; ``air`` multiplies the colours (3,) of sky and haze."""

    air: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def sky_colours(self) -> tuple[Floats, Floats]:
        """Horizon and zenith (3,), 0..1."""
        air = np.array(self.air, np.float32)
        horizon, zenith = super().sky_colours()
        return np.minimum(horizon * air, 1), np.minimum(zenith * air, 1)


@dataclass(frozen=True)
class Season:
    """What the date does to plants and ground; shares 0..1.

    Args:
        snow: of the ground that is white.
        autumn: of the leaves that have turned.
        bare: whether the deciduous have shed.
        dry: of the grass that is withered.
        wet: of the ground that is wet.
    """

    snow: float
    autumn: float
    bare: bool
    dry: float
    wet: float

    def dress(self, albedo: Floats, normals: Floats, kind: NDArray[np.uint8]) -> Floats:
        """Albedo (n, 3) as the season has it."""
        out = albedo
        for which, colour, share in (
            (GRASS, (0.62, 0.54, 0.32), 0.75 * self.dry),
            (LEAF, (0.78, 0.46, 0.12), 0.8 * self.autumn),
            (EVERGREEN, (0.34, 0.36, 0.22), 0.3 * self.dry),
        ):
            if share > 0.02 and (mask := kind == which).any():
                out = out.copy() if out is albedo else out
                # Leaves that are lighter turn yellow, darker ones red: trees keep differing from each other.
                lean = 1 + (0.9 * (out[mask] - out[mask].mean(axis=0)) if which == LEAF else 0)
                out[mask] = (1 - share) * out[mask] + share * np.asarray(colour, np.float32) * lean
        if self.wet > 0.02:
            damp = np.array([1 - 0.12 * self.wet, 1 - 0.2 * self.wet, 1 - 0.4 * self.wet, 1, 1, 1 - 0.3 * self.wet], np.float32)
            out = out * damp[kind][:, None]
        if self.snow > 0.02:
            lies = np.zeros(6, np.float32)
            lies[[SOLID, GRASS, ROAD, LEAF, EVERGREEN, SOIL]] = 0.85, 0.97, 0.5, 0.8, 0.7, 0.95
            share = (self.snow * lies[kind] * np.clip((normals[:, 2] - 0.35) / 0.4, 0, 1))[:, None]
            out = out * (1 - share) + SNOW * share
        return out


@dataclass(frozen=True)
class Conditions:
    """Moment, light, weather and season of a drive.

    Args:
        start_time: UTC.
        light: sun, sky, camera response.
        season: of plants and ground.
        weather: one of ``WEATHERS``.
        falling: 0 dry to 1 pouring or snowing hard.
        shutter_s: exposure time; longer in poor light.
    """

    start_time: datetime
    light: Light
    season: Season
    weather: str
    falling: float
    shutter_s: float


def temperature_c(latitude_deg: float, day: int) -> float:
    """A rough mean temperature of a day of the year at sea level."""
    mean = 27 - 0.0062 * latitude_deg**2
    phase = np.cos(2 * np.pi * (day - 25) / 365.24) * (1 if latitude_deg >= 0 else -1)
    return float(mean - 0.16 * abs(latitude_deg) * phase)


def season_of(latitude_deg: float, when: datetime, strength: float, rng: np.random.Generator) -> Season:
    """The season at a latitude and date, with the luck of the year."""
    day = when.timetuple().tm_yday
    warm = temperature_c(latitude_deg, day) + rng.normal(0, 2.5)
    local_day = day if latitude_deg >= 0 else (day + 182) % 365
    snow = float(np.clip((0.5 - warm) / 5 + rng.normal(0, 0.15), 0, 1))
    sheds = abs(latitude_deg) > 36
    autumn = float(np.exp(-(((local_day - 290) / 22) ** 2))) if sheds else 0.0
    bare = sheds and strength > 0 and (local_day > 315 or local_day < 100) and warm < 11
    withered = 0.75 * np.clip((abs(latitude_deg) - 50) / 10, 0, 1) * (warm < 3)  # the grass of a cold winter
    dry = max(float(rng.beta(1.2, 1.8)) * float(warm > 16), float(withered))
    return Season(min(1, snow * strength), min(1, autumn * strength), bool(bare), min(1, dry * strength), 0.0)


def _weather(config: WorldConfig, warm_c: float, rng: np.random.Generator) -> tuple[str, float, float, float]:
    """Weather, cloud cover, visibility in metres, how hard it falls."""
    k = config.weather_strength
    chance = np.array([1.0, 0.45 * k, 0.22 * k, 0.1 * k])
    weather = WEATHERS[int(rng.choice(4, p=chance / chance.sum()))]
    clear = float(np.exp(rng.uniform(np.log(900), np.log(4000))))
    if weather == "fair":
        return weather, float(rng.beta(0.8, 1.8)), clear, 0.0
    if weather == "overcast":
        return weather, float(rng.uniform(0.75, 1)), 0.6 * clear, 0.0
    if weather == "fog":
        return weather, float(rng.uniform(0.6, 1)), float(np.exp(rng.uniform(np.log(110), np.log(420)))), 0.0
    falling = float(rng.uniform(0.25, 1))
    if warm_c < 0.5:
        return "snowfall", float(rng.uniform(0.85, 1)), 420 - 250 * falling, falling
    return weather, float(rng.uniform(0.8, 1)), 1100 - 700 * falling, falling


def climate_air(town: TownConfig, config: WorldConfig) -> tuple[float, float, float]:
    """What an isle's climate multiplies sky and haze by."""
    red, green, blue = (float(1 + min(config.isle_strength, 1.5) * (value - 1)) for value in WAYS[town.name].air)
    return red, green, blue


def draw_conditions(town: TownConfig, config: WorldConfig, rng: np.random.Generator) -> Conditions:
    """A moment of the year 2026 in daylight or dusk, and what it is like."""
    while True:
        start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=int(rng.integers(365 * 86400)))
        azimuth, elevation = sun_position(start, town.latitude_deg, town.longitude_deg)
        if elevation > config.lowest_sun_deg:
            break
    season = season_of(town.latitude_deg, start, config.season_strength, rng)
    warm = temperature_c(town.latitude_deg, start.timetuple().tm_yday)
    weather, cover, visibility, falling = _weather(config, warm, rng)
    wet = falling if weather == "rain" else float(rng.random() < 0.1 * config.weather_strength) * float(rng.uniform(0.2, 0.6))
    season = Season(season.snow, season.autumn, season.bare, season.dry, wet * (season.snow < 0.3))
    k = config.light_strength
    light = ClimateLight(
        sun_azimuth_deg=azimuth,
        sun_elevation_deg=elevation,
        cloud_cover=cover,
        visibility_m=visibility,
        exposure_ev=float(rng.normal(0.05, 0.28 * k)),
        warmth=float(rng.normal(0, 0.6 * k)),
        contrast=float(1.05 + k * rng.uniform(-0.2, 0.2)),
        saturation=float(0.97 + k * rng.uniform(-0.27, 0.25)),
        noise=float(0.5 + k * rng.uniform(0, 5)),
        cloud_shift=(float(rng.random()), float(rng.random())),
        air=climate_air(town, config),
    )
    dim = 1 + 2.5 * light.low_sun() * (0.4 + cover)
    return Conditions(start, light, season, weather, falling, float(config.blur_strength * dim * rng.uniform(0.002, 0.008)))
