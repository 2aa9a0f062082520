"""The world of many isles: the same from the same seed, splits that share what they should and no more, layouts that read back."""

from __future__ import annotations

import csv
import dataclasses
import json
from datetime import UTC, datetime
from itertools import pairwise

import av
import gpxpy
import numpy as np
import pandas as pd
import pytest
from pyproj import Geod, Transformer
from shapely.geometry import Point

from benchmarks.isles_world import calibration_frames
from simulator.__main__ import main as phantom_isles_main
from simulator.drives import route_line
from simulator.towns import conditions
from simulator.towns.builder import TownBuilder
from simulator.towns.config import SEEDS, SIZES, WorldConfig, WorldSize, config_sha256, seed_of
from simulator.towns.drives import plan_town
from simulator.towns.isles import TONGUES, WORLD_ISLES
from simulator.towns.labels import SCENES, Geography, scene_shares, text_vector
from simulator.towns.layouts import LAYOUTS, picture_key, record_of, write_cityguessr_tables, write_drive, write_msls_tables
from simulator.towns.make import Order, batches, make_calibration, make_world
from simulator.towns.network import build_town_network, unseen_streets
from simulator.towns.skyline import SHAPES, build_skyline
from simulator.towns.ways import WAYS
from vidtag_engine.types import InputError

SEED = 5
GEOD = Geod(ellps="WGS84")


@pytest.fixture(scope="module")
def builder():
    return TownBuilder(WORLD_ISLES["plover-land"], WorldConfig(), SEED)


@pytest.fixture(scope="module")
def plans(builder):
    return plan_town(builder, 320, 40, 160)


def streets_of(builder, drive):
    """Streets whose middle line the camera comes within a lane of, judged by position alone."""
    _, owner = builder.network.nearest_street(drive.position_m)
    return set(owner.tolist())


def test_there_are_isles_in_the_north_and_south_and_one_across_the_antimeridian():
    assert len(WORLD_ISLES) >= 10
    latitudes = [isle.latitude_deg for isle in WORLD_ISLES.values()]
    assert min(latitudes) < -50
    assert max(latitudes) > 80
    assert sum(latitude < 0 for latitude in latitudes) >= 3
    assert any(abs(isle.longitude_deg) == 180 for isle in WORLD_ISLES.values())
    assert len({isle.continent for isle in WORLD_ISLES.values()}) >= 4
    assert sum(len(isle.cities) for isle in WORLD_ISLES.values()) >= 10
    assert set(TONGUES) == {isle.country for isle in WORLD_ISLES.values()}
    assert all(len(words) == 16 for words in TONGUES.values())


@pytest.mark.parametrize("name", sorted(WORLD_ISLES))
def test_towns_are_wide_joined_and_on_land(name):
    config = WorldConfig()
    network, centres = build_town_network(WORLD_ISLES[name], config, SEED)
    lines = np.concatenate([street.line_m for street in network.streets])
    assert 4000 < np.ptp(lines, axis=0).max() < 25_000
    assert 0.75 * config.street_length_m < network.length_m < 1.3 * config.street_length_m
    assert network.terrain.inland_m(lines).min() > 50
    assert network.terrain.height_m(lines).min() > 0.5
    seen, todo = {0}, [0]
    while todo:
        for node in network.neighbours[todo.pop()]:
            if node not in seen:
                seen.add(node)
                todo.append(node)
    assert seen == set(range(len(network.crossings_m)))
    assert len(centres) == len(WORLD_ISLES[name].cities)


def test_every_isle_lies_alone_at_sea():
    """Far from every other, so that the nearest isle is never in doubt."""
    places = [(isle.longitude_deg, isle.latitude_deg) for isle in WORLD_ISLES.values()]
    for index, one in enumerate(places):
        for other in places[:index]:
            assert GEOD.inv(*one, *other)[2] > 400_000


def test_same_seed_same_pieces_and_plans(builder, plans):
    again = TownBuilder(WORLD_ISLES["plover-land"], WorldConfig(), SEED)
    key = builder.pieces[0][7]
    again.piece(builder.pieces[0][3])  # what was built before makes no difference
    for one, other in zip(builder.piece(key), again.piece(key), strict=True):
        np.testing.assert_array_equal(one.points, other.points)
        np.testing.assert_array_equal(one.albedo, other.albedo)
    for one, other in zip(plans, plan_town(again, 320, 40, 160), strict=True):
        assert (one.name, one.route, one.conditions, one.camera, one.traffic_seed) == (
            other.name, other.route, other.conditions, other.camera, other.traffic_seed,
        )  # fmt: skip
        np.testing.assert_array_equal(one.position_m, other.position_m)


def test_drives_for_confidence_are_drawn_like_held_out_ones_and_leave_the_others_as_they_are(builder, plans):
    more = plan_town(builder, 320, 40, 160, 60)
    assert [drive.name for drive in more[: len(plans)]] == [drive.name for drive in plans]
    added = more[len(plans) :]
    assert {drive.split for drive in added} == {"calibration"}
    assert 60 <= sum(len(drive.time_s) for drive in added) < 60 + builder.config.test_frames[1]
    trained = set().union(*(streets_of(builder, drive) for drive in plans if drive.split == "train"))
    for drive in added:
        assert streets_of(builder, drive) <= trained
    assert not {drive.traffic_seed for drive in added} & {drive.traffic_seed for drive in plans}


def test_another_seed_is_another_town(builder):
    other = TownBuilder(WORLD_ISLES["plover-land"], WorldConfig(), SEED + 1)
    one = {tuple(np.round(point)) for point in builder.network.crossings_m}
    assert len(one & {tuple(np.round(point)) for point in other.network.crossings_m}) == 0


def test_unseen_streets_are_driven_by_no_training(builder, plans):
    closed = unseen_streets(builder.network, builder.config.unseen_street_share, builder.generator(8))
    length = sum(builder.network.streets[number].length_m for number in closed)
    assert 0.08 < length / builder.network.length_m < 0.3
    trained = set().union(*(streets_of(builder, drive) for drive in plans if drive.split == "train"))
    halves = np.array([street.half_width_m for street in builder.network.streets])
    for drive in plans:
        distance, owner = builder.network.nearest_street(drive.position_m)
        assert (distance < halves[owner] + 0.5).all(), drive.name  # on the carriageway
        if drive.split == "test_unseen":
            assert set(owner.tolist()) <= closed
        elif drive.split != "train":
            assert not set(drive.route) - {node for other in plans if other.split == "train" for node in other.route}
    crossings = builder.network.crossings_m
    for number in trained & closed:  # only while it turns a corner where such a street begins
        near = [drive.position_m for drive in plans if drive.split == "train"]
        at = np.concatenate([xy[builder.network.nearest_street(xy)[1] == number] for xy in near])
        assert np.linalg.norm(at[:, None] - crossings, axis=2).min(axis=1).max() < 20


def test_test_drives_share_stretches_with_training_but_no_light_or_traffic(builder, plans):
    trained = np.concatenate([drive.path_m[int(drive.along[0]) : int(drive.along[-1]) + 1] for drive in plans if drive.split == "train"])
    for drive in plans:
        if drive.split in {"val", "test"}:
            nearest = np.linalg.norm(drive.position_m[:, None] - trained, axis=2).min(axis=1)
            assert nearest.max() < 12, drive.name  # the other lane at most
    moments = [drive.start_time for drive in plans]
    assert len(set(moments)) == len(plans)
    assert len({drive.traffic_seed for drive in plans}) == len(plans)
    assert len({drive.light for drive in plans}) == len(plans)


def test_drives_are_as_long_and_as_fast_as_said(builder, plans):
    config = builder.config
    for split, wanted in (("train", 320), ("val", 40), ("test", 128), ("test_unseen", 32)):
        frames = [len(drive.time_s) for drive in plans if drive.split == split]
        least, most = config.train_frames if split == "train" else config.test_frames
        assert wanted <= sum(frames) < wanted + most
        assert max(frames) <= most
        if split != "train":
            assert min(frames) >= least == 8
    for drive in plans:
        step = np.hypot(*np.diff(drive.position_m, axis=0).T)
        assert (step * drive.frame_rate_hz).max() < 21, drive.name
        assert drive.light.sun_elevation_deg > config.lowest_sun_deg


def test_a_full_world_has_enough_drives_to_calibrate_on():
    size = SIZES["full"]
    least, most = WorldConfig().test_frames
    assert size.train_frames >= 15_000
    assert size.test_frames >= 10_000
    assert size.test_frames / ((least + most) / 2) >= 900
    assert size.width_px >= 448
    assert size.height_px >= 336


def test_truth_wraps_at_the_antimeridian(builder):
    plans = plan_town(builder, 1400, 0, 0)
    local = np.concatenate([drive.position_m for drive in plans])
    lat_lon = builder.network.to_lat_lon(local)
    assert np.abs(lat_lon[:, 1]).max() <= 180
    np.testing.assert_array_equal(
        lat_lon[np.abs(local[:, 0]) > 1, 1] > 0, local[np.abs(local[:, 0]) > 1, 0] < 0
    )  # west of the line: positive
    crossing = [drive for drive in plans if np.ptp(np.sign(drive.position_m[:, 0])) == 2]
    assert crossing, "some drives go over it"
    for drive in crossing:
        lat, lon = builder.network.to_lat_lon(drive.position_m).T
        assert np.abs(np.diff(lon)).max() > 350
        _, _, step = GEOD.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])
        np.testing.assert_allclose(step, np.hypot(*np.diff(drive.position_m, axis=0).T), rtol=2e-3, atol=0.01)
    area = builder.area()
    assert area.geom_type == "MultiPolygon"
    assert area.bounds[0] == -180
    assert area.bounds[2] == 180
    assert all(area.contains(Point(lon, lat)) for lat, lon in lat_lon[::15])


def test_houses_leave_streets_and_water_free(builder):
    from simulator.towns.houses import Stretch, plan_row

    halves = np.array([street.half_width_m for street in builder.network.streets])
    count = 0
    for key in builder.pieces[0][::9]:
        line = builder._slice(key)
        rng = np.random.default_rng(1)
        for plot in plan_row(builder.network, builder.field, Stretch(key[0], line, halves[key[0]]), 1, [], rng, None):
            distance, owner = builder.network.nearest_street(plot.outline_m(9))
            assert (distance > halves[owner] + 1).all()
            assert (owner == key[0]).all()
            assert builder.network.terrain.inland_m(plot.centre_m) > 70
            count += 1
    assert count > 20


def test_pieces_of_a_street_join(builder):
    for street in range(3):
        parts = [builder._slice((street, k)) for k in range(builder.piece_count(street))]
        for one, other in pairwise(parts):
            np.testing.assert_array_equal(one[-1], other[0])
        np.testing.assert_allclose([parts[0][0], parts[-1][-1]], builder.network.streets[street].line_m[[0, -1]], atol=1e-6)


def test_looks_fade_smoothly_and_repeat_across_towns(builder):
    line = np.stack([np.linspace(-3000, 3000, 3001), np.zeros(3001)], axis=1)
    weights = builder.field.weights(line)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert np.abs(np.diff(weights, axis=0)).max() < 0.05
    named = [look for isle in WORLD_ISLES.values() for look in isle.looks]
    assert set(named) <= {look.name for look in builder.field.looks}
    assert len(named) > 3 * len(set(named))  # every look is at home on several isles


def test_every_isle_has_ways_of_its_own():
    assert set(WAYS) == set(WORLD_ISLES)
    shown = [(ways.road, ways.pavement, ways.walls, ways.roofs, ways.kerbs) for ways in WAYS.values()]
    for index, one in enumerate(shown):
        for other in shown[:index]:
            assert np.abs(np.array(one[0]) - other[0]).max() + np.abs(np.array(one[1]) - other[1]).max() > 0.1
            assert one[2] != other[2]
    angle = np.linspace(0, 2 * np.pi, 721)
    for ways in WAYS.values():
        height = SHAPES[ways.skyline](angle)
        assert 0 <= height.min() < height.max() <= 1.001
        assert height[0] == pytest.approx(height[-1], abs=1e-6)  # it closes


def test_ways_rule_as_far_as_isles_are_told_apart():
    """Roads, walls and light of two isles differ with strength 1 and are drawn from the same without."""
    here = np.zeros((1, 2))
    for strength, differ in ((1.0, True), (0.0, False)):
        config = WorldConfig(isle_strength=strength, drift_strength=0.0)
        one, other = (TownBuilder(WORLD_ISLES[name], config, SEED) for name in ("dougherty", "bermeja"))
        bright = [float(builder.field.blend("asphalt", here).mean()) for builder in (one, other)]
        assert (bright[1] - bright[0] > 0.4) is differ
        walls = [{builder.field.look(here[0], np.random.default_rng(k)).walls for k in range(30)} for builder in (one, other)]
        assert [WAYS[builder.town.name].walls in found for builder, found in zip((one, other), walls, strict=True)] == [differ, differ]
        assert (conditions.climate_air(one.town, config) != conditions.climate_air(other.town, config)) is differ
        assert (build_skyline(one.field.ways, strength) is not None) is differ


def test_strengths_of_nothing_switch_off():
    plain = WorldConfig(isle_strength=0.0, drift_strength=0.0, weather_strength=0.0, season_strength=0.0, light_strength=0.0)
    one, other = (TownBuilder(WORLD_ISLES[name], plain, SEED) for name in ("crocker-land", "bermeja"))
    here = np.zeros((1, 2))
    np.testing.assert_allclose(one.field.wall_tint(here), 1)
    np.testing.assert_array_equal(one.field._bias, other.field._bias)
    drawn = [conditions.draw_conditions(one.town, plain, np.random.default_rng(index)) for index in range(20)]
    assert {condition.weather for condition in drawn} == {"fair"}
    assert all(condition.season.snow == 0 and not condition.season.bare for condition in drawn)
    assert {condition.light.contrast for condition in drawn} == {1.05}


def test_seasons_follow_latitude_and_date():
    def share(latitude, month, what):
        rng = np.random.default_rng(0)
        return np.mean([getattr(conditions.season_of(latitude, datetime(2026, month, 15, tzinfo=UTC), 1.0, rng), what) for _ in range(50)])

    assert share(83, 4, "snow") > 0.8
    assert share(22, 1, "snow") == 0
    assert share(61, 1, "snow") > share(61, 7, "snow")
    assert share(53, 10, "autumn") > 0.5 > share(53, 6, "autumn")
    assert share(-42, 4, "autumn") > 0.5 > share(-42, 10, "autumn")  # the other way round in the south
    assert share(53, 1, "bare") > 0.9
    assert share(53, 7, "bare") == 0


def test_labels_have_one_parent_each():
    geography = Geography()
    city, state, country = geography.mappings()
    assert set(city) == {str(number) for number in range(len(geography.cities))}
    assert len(geography.cities) >= 10
    for isle in WORLD_ISLES.values():
        for name in isle.cities:
            labels = geography.labels(isle, name)
            assert city[str(labels[0])] == labels[1]
            assert state[str(labels[1])] == labels[2]
            assert country[str(labels[2])] == labels[3]
            assert geography.continents[labels[3]] == isle.continent


def test_scenes_are_shares_and_differ_between_town_and_country(builder, plans):
    shares = np.array([scene_shares(builder, drive.position_m) for drive in plans])
    assert shares.shape == (len(plans), len(SCENES)) == (len(plans), 16)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    centre = scene_shares(builder, builder.centres_m[:1] + np.arange(3)[:, None])
    assert centre[SCENES.index("tundra")] < shares[:, SCENES.index("tundra")].max()


def test_text_vectors_are_units_and_repeatable():
    vector = text_vector("Ansolli, Antillia")
    assert vector.shape == (512,)
    assert np.linalg.norm(vector) == pytest.approx(1)
    np.testing.assert_array_equal(vector, text_vector("Ansolli, Antillia"))
    assert abs(vector @ text_vector("Aira, Antillia")) < 0.2


def test_configuration_has_one_hash():
    assert config_sha256(WorldConfig()) == config_sha256(WorldConfig())
    changed = {field.name for field in dataclasses.fields(WorldConfig)}
    assert config_sha256(WorldConfig()) != config_sha256(dataclasses.replace(WorldConfig(), look_sharpness=9.0))
    assert len(changed) > 20
    assert seed_of("dev") == SEEDS["dev"]
    assert seed_of("7") == 7


@pytest.fixture(scope="module")
def written(builder, plans, tmp_path_factory):
    """One drive a split in all layouts, from blank pictures."""
    output = tmp_path_factory.mktemp("world")
    chosen = [next(drive for drive in plans if drive.split == split) for split in ("train", "val", "test", "test_unseen")]
    blank = np.full((48, 64, 3), 90, np.uint8)
    for drive in chosen:
        write_drive(output, builder, drive, (blank for _ in drive.time_s), LAYOUTS)
    records = [json.loads((output / drive.split / f"{drive.name}.json").read_text()) for drive in chosen]
    write_msls_tables(output, records)
    write_cityguessr_tables(output, records)
    return output, chosen


def test_gpx_equals_the_plan(written, builder):
    output, chosen = written
    for drive in chosen:
        fixes = gpxpy.parse((output / drive.split / f"{drive.name}.gpx").read_text()).tracks[0].segments[0].points
        assert len(fixes) == len(drive.time_s)
        exact = builder.network.to_lat_lon(drive.position_m)
        given = np.array([(fix.longitude, fix.latitude) for fix in fixes])
        _, _, error = GEOD.inv(exact[:, 1], exact[:, 0], given[:, 0], given[:, 1])
        if drive.split == "train":
            assert 0.3 < error.mean() < 10
        else:
            assert error.max() < 0.01
        seconds = [(fix.time - drive.start_time).total_seconds() for fix in fixes]
        np.testing.assert_allclose(seconds, drive.time_s, atol=2e-3)


def test_msls_layout_reads_back(written, builder):
    output, chosen = written
    places = {"train": "train_val/{}/database", "val": "train_val/{}/query", "test": "test/{}/query", "test_unseen": "test/{}/database"}
    for drive in chosen:
        folder = output / "msls" / places[drive.split].format(drive.isle)
        raw, sequence, processed = (pd.read_csv(folder / f"{name}.csv", index_col=0) for name in ("raw", "seq_info", "postprocessed"))
        assert list(raw.columns) == ["key", "lon", "lat", "ca", "captured_at", "pano"]
        assert list(sequence.columns) == ["key", "sequence_key", "frame_number"]
        assert list(processed.columns) == ["key", "easting", "northing", "unique_cluster", "control_panel", "night", "view_direction"]
        assert list(raw.key) == list(sequence.key) == list(processed.key) == [picture_key(drive.name, k) for k in range(len(drive.time_s))]
        assert {path.stem for path in (folder / "images").glob("*.jpg")} == set(raw.key)
        np.testing.assert_allclose(raw.ca, drive.heading_deg, atol=0.01)
        np.testing.assert_allclose(raw.captured_at / 1000, drive.start_time.timestamp() + drive.time_s, atol=0.01)
        back = Transformer.from_crs("EPSG:32660", "EPSG:4326", always_xy=True).transform(processed.easting, processed.northing)
        assert GEOD.inv(*back, raw.lon.to_numpy(), raw.lat.to_numpy())[2].max() < 0.05
        assert (sequence.sequence_key == drive.name).all()


def test_cityguessr_layout_reads_back(written):
    output, chosen = written
    mappings = json.loads((output / "cityguessr" / "hierarchy_mappings.json").read_text())
    assert len(mappings) == 3
    for drive in chosen:
        rows = list(csv.reader((output / "cityguessr" / f"{drive.split}.txt").open()))
        assert len(rows) == 1
        folder, *labels = rows[0][:5]
        assert len(rows[0]) == 5 + 512 + 16
        assert len(list((output / "cityguessr" / folder).glob("*.jpg"))) == len(drive.time_s)
        for level, mapping in enumerate(mappings):
            assert mapping[labels[level]] == int(labels[level + 1])
        assert sum(map(float, rows[0][-16:])) == pytest.approx(1, abs=1e-3)


def test_records_are_what_the_tables_need(builder, plans):
    record = record_of(builder, plans[0])
    assert record["city"] in builder.town.cities
    assert json.loads(json.dumps(record)) == record


def test_finished_drives_are_not_rendered_again(builder, plans, tmp_path):
    order = Order(tmp_path, SEED, ("plover-land",), WorldSize())
    names = {name for _, batch in batches(order, "plover-land", plans) for name in batch}
    assert names == {drive.name for drive in plans}
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / f"{plans[0].name}.json").write_text("{}")
    assert names - {name for _, batch in batches(order, "plover-land", plans) for name in batch} == {plans[0].name}


def test_a_folder_of_another_seed_is_refused(tmp_path):
    (tmp_path / "settings.json").write_text('{"seed": 1}')
    with pytest.raises(InputError, match="another --output"):
        make_world(Order(tmp_path, SEED, ("bermeja",), WorldSize()), 1, lambda _: None)


def test_more_drives_need_a_world_of_this_version(tmp_path):
    with pytest.raises(InputError, match="make it with make-world first"):
        make_calibration(tmp_path, 10, 1, lambda _: None)
    (tmp_path / "settings.json").write_text(json.dumps({"config_sha256": config_sha256(WorldConfig(look_count=3))}))
    (tmp_path / "world.json").write_text("{}")
    with pytest.raises(InputError, match="made by another version"):
        make_calibration(tmp_path, 10, 1, lambda _: None)


def test_routes_end_where_windows_say(builder, plans):
    for drive in plans:
        length = len(route_line(builder.network, drive.route)) - 1
        low, high = drive.window_m
        assert 0 <= low < high <= length


@pytest.mark.slow
def test_small_world_end_to_end(tmp_path):
    """Rendered in a worker process; pictures with something in them; a second run renders nothing."""
    size = WorldSize(train_frames=22, val_frames=11, test_frames=22, width_px=112, height_px=84)
    order = Order(tmp_path, SEED, ("bermeja",), size)
    made = make_world(order, 1, lambda _: None)
    assert made["simulated"] is True
    assert made["rendered_frames"] == sum(made["frames"].values())
    pictures = sorted((tmp_path / "msls").rglob("*.jpg"))
    assert len(pictures) == made["rendered_frames"] == len(list((tmp_path / "cityguessr").rglob("*.jpg")))
    from PIL import Image

    assert np.mean([np.asarray(Image.open(path)).std() for path in pictures]) > 15
    assert make_world(order, 1, lambda _: None)["rendered_frames"] == 0

    before = (tmp_path / "world.json").read_bytes()
    more = make_calibration(tmp_path, 22, 1, lambda _: None)
    assert more == json.loads((tmp_path / "calibration.json").read_text())
    assert {row["split"] for row in more["drives"]} == {"calibration"}
    for row in more["drives"]:
        with av.open(str(tmp_path / row["video"])) as video:
            assert sum(1 for _ in video.decode(video=0)) == row["frames"]
    assert (tmp_path / "world.json").read_bytes() == before

    # More of them are the same ones and then others: what was rendered is kept.
    assert calibration_frames(tmp_path) == 22
    kept = {row["video"]: (tmp_path / row["video"]).stat().st_mtime_ns for row in more["drives"]}
    further = make_calibration(tmp_path, 220, 1, lambda _: None)["drives"]
    assert calibration_frames(tmp_path) == 220
    assert further[: len(kept)] == more["drives"]
    assert len(further) > len(kept)
    assert all((tmp_path / video).stat().st_mtime_ns == moment for video, moment in kept.items())

    from simulator.towns.pictures import write_page

    page = write_page(tmp_path, tmp_path / "docs").read_text()
    assert "simulated" in page
    assert (tmp_path / "docs" / "phantom-isles" / "bermeja.jpg").stat().st_size < 200_000


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--seed", "soon"], "'soon' is no seed"),
        (["--isles", "atlantis"], "atlantis not known"),
        (["--layouts", "videos,film"], "film not known"),
        (["--train-frames", "-5"], "'-5' is not usable"),
        (["--workers", "0"], "at least 1"),
    ],
)
def test_a_command_that_cannot_be_followed_says_why_and_makes_nothing(tmp_path, capsys, options, said):
    with pytest.raises(SystemExit) as ended:
        phantom_isles_main(["make-world", "--output", str(tmp_path / "world"), *options])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "world").exists()


def test_a_page_of_no_world_is_one_sentence(tmp_path, capsys):
    assert phantom_isles_main(["picture-page", "--world", str(tmp_path), "--docs", str(tmp_path / "docs")]) == 2
    assert "Error:" in capsys.readouterr().err
    assert not (tmp_path / "docs").exists()
