"""The simulated isle: the same from the same seed, drives on its streets, truths where the cameras were."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime

import av
import gpxpy
import numpy as np
import pytest
from pyproj import Geod
from shapely.geometry import Point, shape

from simulator import drives as planning
from simulator.config import ISLES, DrivesConfig, RenderConfig
from simulator.streets import build_network
from simulator.world import build_world
from simulator.write import truth_lat_lon, write_isle

# A hamlet: the same code, a tenth of the town.
HAMLET = dataclasses.replace(ISLES["sandy-island"], name="hamlet", half_length_m=560.0, half_width_m=480.0, quarter_count=4)
SHORT = DrivesConfig(train_frames=10, validation_count=1, test_count=2)


@pytest.fixture(scope="module")
def world():
    return build_world(HAMLET, seed=3)


@pytest.fixture(scope="module")
def plans(world):
    return planning.plan_drives(world, SHORT, seed=3)


@pytest.fixture(scope="module")
def town():
    return build_network(ISLES["sandy-island"], seed=0)


def test_streets_are_connected_without_dead_ends(town):
    neighbours = town.neighbours
    seen, todo = {0}, [0]
    while todo:
        for node in neighbours[todo.pop()]:
            if node not in seen:
                seen.add(node)
                todo.append(node)
    assert seen == set(range(len(town.crossings_m)))
    assert min(len(others) for others in neighbours.values()) >= 2
    for street in town.streets:
        np.testing.assert_allclose(street.line_m[[0, -1]], town.crossings_m[[street.start, street.end]], atol=1e-6)


def test_town_is_a_few_kilometres_across_and_above_the_sea(town):
    assert 2000 < np.ptp(town.crossings_m, axis=0).max() < 3200
    assert 12_000 < town.length_m < 30_000
    lines = np.concatenate([street.line_m for street in town.streets])
    assert town.terrain.height_m(lines).min() > 1
    assert town.terrain.inland_m(lines).min() > 60


def test_local_metres_are_geodesic_metres(town):
    geod = Geod(ellps="WGS84")
    lat_lon = town.to_lat_lon(town.crossings_m)
    config = town.config
    _, _, distance = geod.inv(
        np.full(len(lat_lon), config.longitude_deg), np.full(len(lat_lon), config.latitude_deg), lat_lon[:, 1], lat_lon[:, 0]
    )
    np.testing.assert_allclose(distance, np.hypot(*town.crossings_m.T), atol=0.01)


def test_same_seed_same_world_and_drives(world, plans):
    again = build_world(HAMLET, seed=3)
    for one, other in zip([*world.built, *world.ground], [*again.built, *again.ground], strict=True):
        np.testing.assert_array_equal(one.points, other.points)
        np.testing.assert_array_equal(one.albedo, other.albedo)
        np.testing.assert_array_equal(one.uv, other.uv)
    np.testing.assert_array_equal(world.textures.atlas, again.textures.atlas)
    for one, other in zip(plans, planning.plan_drives(again, SHORT, seed=3), strict=True):
        assert (one.name, one.route, one.start_time, one.light, one.camera) == (
            other.name, other.route, other.start_time, other.light, other.camera,
        )  # fmt: skip
        np.testing.assert_array_equal(one.position_m, other.position_m)


def test_another_seed_is_another_place():
    one, other = build_network(HAMLET, seed=3), build_network(HAMLET, seed=4)
    assert one.crossings_m.shape != other.crossings_m.shape or not np.allclose(one.crossings_m, other.crossings_m)


def test_houses_leave_the_streets_free(world):
    halves = np.array([street.half_width_m for street in world.network.streets])
    assert len(world.plots) > 40
    for plot in world.plots:
        distance, owner = world.network.nearest_street(plot.outline_m(9))
        assert (distance > halves[owner] + 0.5).all()


def test_looks_fade_smoothly(world):
    line = np.stack([np.linspace(-300, 300, 601), np.zeros(601)], axis=1)
    weights = world.quarters.weights(line)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert np.abs(np.diff(weights, axis=0)).max() < 0.05  # a metre further, hardly another look


def test_drives_stay_on_the_carriageway_and_their_side(world, plans):
    halves = np.array([street.half_width_m for street in world.network.streets])
    for drive in plans:
        distance, owner = world.network.nearest_street(drive.position_m)
        assert (distance < halves[owner]).all(), drive.name
        line = planning.route_line(world.network, drive.route)
        # Right of the centre line nearly everywhere (corners are rounded off).
        nearest = np.linalg.norm(line[None] - drive.position_m[:, None], axis=2).argmin(axis=1)
        tangent = np.gradient(line, axis=0)[nearest]
        offset = drive.position_m - line[nearest]
        side = tangent[:, 0] * offset[:, 1] - tangent[:, 1] * offset[:, 0]
        assert (side < 0).mean() > 0.9, drive.name


def test_headings_follow_the_way_and_speeds_are_a_cars(plans):
    for drive in plans:
        step = np.diff(drive.position_m, axis=0)
        length = np.hypot(*step.T)
        speed = length * drive.frame_rate_hz
        assert speed.max() < 21, drive.name
        moving = length > 0.5
        toward = np.deg2rad(drive.heading_deg[:-1])
        along = (step * np.stack([np.sin(toward), np.cos(toward)], axis=1)).sum(axis=1)[moving] / length[moving]
        assert np.median(along) > 0.99, drive.name


def test_training_covers_every_street_in_both_directions(world, plans):
    driven = {pair for drive in plans if drive.split == "train" for pair in zip(drive.route[:-1], drive.route[1:], strict=True)}
    assert driven == {(a, b) for a, others in world.network.neighbours.items() for b in others}


def test_every_drive_has_its_own_light(plans):
    signatures = [(drive.light.sun_azimuth_deg, drive.light.sun_elevation_deg, drive.light.cloud_cover) for drive in plans]
    assert len(set(signatures)) == len(plans)
    assert len({drive.traffic_seed for drive in plans}) == len(plans)
    train = {signature for signature, drive in zip(signatures, plans, strict=True) if drive.split == "train"}
    assert not train & {signature for signature, drive in zip(signatures, plans, strict=True) if drive.split != "train"}
    assert all(drive.light.sun_elevation_deg > 5 for drive in plans)


@pytest.mark.parametrize(
    ("when", "azimuth_deg", "elevation_deg"),
    [
        (datetime(2026, 12, 21, 1, 20, tzinfo=UTC), 180.0, 90 - (23.44 - 19.22)),  # solar noon, the sun south of the zenith
        (datetime(2026, 6, 21, 1, 22, tzinfo=UTC), 0.0, 90 - (23.44 + 19.22)),  # solar noon in winter, to the north
        (datetime(2026, 3, 20, 19, 25, tzinfo=UTC), 90.0, 0.0),  # sunrise at the equinox
    ],
)
def test_sun_stands_where_the_almanac_says(when, azimuth_deg, elevation_deg):
    azimuth, elevation = planning.sun_position(when, -19.22, 159.93)
    assert elevation == pytest.approx(elevation_deg, abs=2.5)
    assert (azimuth - azimuth_deg + 180) % 360 - 180 == pytest.approx(0, abs=12 if elevation > 80 else 3)


def test_demo_drive_is_short_and_turns_twice(town):
    for seed in range(6):
        route, _ = planning.demo_route(town, np.random.default_rng(seed))
        assert (planning.turns_deg(town, route) > 45).sum() >= 2


def test_truth_is_exact_but_in_training(world, plans):
    for drive in plans:
        exact = world.network.to_lat_lon(drive.position_m)
        given = truth_lat_lon(world, drive, SHORT)
        _, _, error = Geod(ellps="WGS84").inv(exact[:, 1], exact[:, 0], given[:, 1], given[:, 0])
        if drive.split == "train":
            assert 0.2 < error.mean() < 5
            assert error.max() < 12
        else:
            assert error.max() < 1e-6


def test_area_holds_every_drive_with_a_margin(world, plans):
    area = world.area_of_interest()
    assert area.is_valid
    for drive in plans:
        for lat, lon in world.network.to_lat_lon(drive.position_m):
            assert area.contains(Point(lon, lat))
            assert area.exterior.distance(Point(lon, lat)) * 111_000 > 100


@pytest.mark.slow
def test_rendered_isle_reads_back(tmp_path, world, monkeypatch):
    """Pictures with something in them, videos that start when the manifest says, truths that fit their frames."""
    monkeypatch.setattr("simulator.write.plan_drives", lambda *_: planning.plan_drives(world, SHORT, 3)[-2:])
    made = write_isle(tmp_path, world, SHORT, RenderConfig(width_px=224, height_px=168), progress=lambda _: None)
    assert json.loads((tmp_path / "drives.json").read_text()) == json.loads(json.dumps(made))
    area = shape(json.loads((tmp_path / "aoi.geojson").read_text())["features"][0]["geometry"])
    assert not list(tmp_path.rglob(".*.part"))
    for row in made["drives"]:
        with av.open(str(tmp_path / row["video"])) as container:
            assert container.metadata["creation_time"].startswith(row["start_time"][:19])
            pictures = [(frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
        fixes = gpxpy.parse((tmp_path / row["truth"]).read_text()).tracks[0].segments[0].points
        start = datetime.fromisoformat(row["start_time"])
        assert len(pictures) == len(fixes) == row["frames"]
        np.testing.assert_allclose([(fix.time - start).total_seconds() for fix in fixes], [time for time, _ in pictures], atol=2e-3)
        assert all(area.contains(Point(fix.longitude, fix.latitude)) for fix in fixes)
        assert np.mean([picture.std() for _, picture in pictures]) > 20
        upper, lower = pictures[0][1][:40].astype(float).mean(axis=(0, 1)), pictures[0][1][-40:].astype(float).mean(axis=(0, 1))
        assert upper[2] > lower[2]  # sky above, road below
    demo = next(row for row in made["drives"] if row["name"] == "demo")
    assert (demo["frames"] - 1) / demo["frame_rate_hz"] <= 40
    assert demo["length_m"] >= 350
