"""Which pictures are taken: the newest of each spot, direction and sequence, whatever order they came in; one licence."""

import math
import random

import numpy as np
import pytest

from vidtag_engine.geodesy import geodesic_m
from vidtag_engine.reference.consent import NOT_STATED
from vidtag_engine.reference.images import ReferenceImage
from vidtag_engine.reference.sampling import Sampling, sample
from vidtag_engine.types import InputError

NOW_S = 1_800_000_000.0
YEAR_S = 365.25 * 86400
DEG_A_M = 1 / 111_195


def image(name, *, north_m=0.0, east_m=0.0, heading=0.0, age_years=1.0, sequence="s", licence="CC-BY-SA-4.0", lat=0.0, **more):
    lon = east_m * DEG_A_M / math.cos(math.radians(lat))
    return ReferenceImage(
        "panoramax", name, sequence, lat + north_m * DEG_A_M, lon, heading, NOW_S - age_years * YEAR_S, licence=licence, files=((2048, "https://a.org"),), **more
    )  # fmt: skip


def names(images, how=Sampling()):
    return [one.image_id for one in sample(images, how, now_s=NOW_S)]


def test_the_newest_of_a_spot_and_a_direction():
    images = [
        image("old", north_m=1, age_years=3), image("new", north_m=2, age_years=1), image("other way", north_m=3, heading=180, age_years=2),
        image("next spot", north_m=11, age_years=4), image("nearly the same way", north_m=3, heading=44, age_years=2), image("just past", north_m=3, heading=46),
    ]  # fmt: skip
    assert set(names(images)) == {"new", "other way", "next spot", "just past"}
    assert names(images)[-1] == "next spot"
    assert set(names(images, Sampling(spot_m=50, heading_deg=360))) == {"just past"}


def test_the_order_that_they_came_in_is_no_matter():
    rng = random.Random(0)
    images = [
        image(str(n), north_m=rng.uniform(0, 60), east_m=rng.uniform(0, 60), heading=rng.uniform(0, 360), age_years=rng.choice([1, 2, 3]), sequence=str(n % 7))
        for n in range(400)
    ]  # fmt: skip
    first = names(images, Sampling(per_sequence=30, per_spot=2))
    rng.shuffle(images)
    assert names(images, Sampling(per_sequence=30, per_spot=2)) == first


def test_of_each_spot_several_only_if_they_are_of_other_days():
    images = [image(f"{sequence}{n}", age_years=1 + n, sequence=sequence) for sequence in "abc" for n in range(3)]
    assert names(images) == ["a0"]
    assert names(images, Sampling(per_spot=2)) == ["a0", "b0"]
    assert names(images, Sampling(per_spot=9)) == ["a0", "b0", "c0"]


def test_a_long_sequence_has_a_cap_and_its_spots_go_to_others():
    long = [image(f"long {n}", north_m=15 * n, age_years=1) for n in range(10)]
    short = [image(f"short {n}", north_m=15 * n, age_years=2, sequence="t") for n in range(10)]
    chosen = names([*long, *short], Sampling(per_sequence=4))
    assert sum(name.startswith("long") for name in chosen) == 4
    assert sum(name.startswith("short") for name in chosen) == 4
    assert len(set(chosen)) == 8


def test_panoramas_and_unknown_headings_are_directions_of_their_own():
    images = [
        image("ahead", heading=10), image("panorama", heading=10, panorama=True), image("panorama 2", heading=200, panorama=True, age_years=2),
        image("unknown", heading=math.nan), image("unknown 2", heading=math.nan, age_years=2), image("timeless", heading=100, age_years=math.nan),
    ]  # fmt: skip
    assert set(names(images)) == {"ahead", "panorama", "unknown", "timeless"}
    assert names(images)[-1] == "timeless"


def test_the_age_counts():
    images = [image("new", age_years=1), image("old", age_years=6, north_m=20), image("timeless", age_years=math.nan, north_m=40)]
    assert names(images, Sampling(oldest_years=5)) == ["new"]
    assert len(names(images)) == 3


def test_spots_are_as_wide_as_high_at_every_latitude():
    for lat in (0.0, 48.0, -75.0):
        images = [image(f"{n}", east_m=float(n), lat=lat) for n in range(400)]
        chosen = sorted(int(name) for name in names(images))
        assert 40 <= len(chosen) <= 41
        gap = geodesic_m(*(np.array(value) for value in (lat, images[chosen[3]].lon_deg, lat, images[chosen[4]].lon_deg)))
        assert 8.5 < float(gap) < 11.5


def test_mixed_licences_are_refused_unless_asked_for():
    images = [image("a"), image("b", north_m=20), image("c", north_m=40, licence="etalab-2.0"), image("d", north_m=60, licence="")]
    with pytest.raises(
        InputError, match=r"several licences, CC-BY-SA-4.0 \(2\), etalab-2.0 \(1\), no licence stated \(1\): choose which to take"
    ):
        names(images)
    assert len(names(images, Sampling(mixed_licences=True))) == 4
    assert names(images, Sampling(licences=("etalab-2.0",))) == ["c"]
    assert names(images, Sampling(licences=(NOT_STATED,))) == ["d"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"spot_m": 0},
        {"spot_m": math.nan},
        {"heading_deg": 50},
        {"heading_deg": 0},
        {"per_spot": 0},
        {"per_sequence": 0},
        {"oldest_years": 0},
    ],
)
def test_rules_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InputError):
        Sampling(**wrong)
