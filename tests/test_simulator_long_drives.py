"""Long drives: the roads they go on, the map that a user has of them, the drives, and what an odometer says of them."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from itertools import islice, pairwise
from pathlib import Path

import geopandas
import numpy as np
import pytest
from scipy.spatial import cKDTree
from shapely import LineString, linestrings, points, unary_union

from simulator.drive_motion import EXACT, observed_motion
from simulator.long_drives import LongDrive, count_turns, plan_long_drives
from simulator.road_details import DEAD_END_SHARE, FOOTWAY_SHARE, ONEWAY_SHARE
from simulator.road_layer import OFFSET_STD_M, VERTEX_STD_M, MapFeature, noisy_map, write_roads
from simulator.road_map import Roads, build_roads, right_angle_share
from simulator.road_patterns import PATTERNS, all_joined
from simulator.towns.builder import TownBuilder
from simulator.towns.long_videos import DrivesOrder, make_drives, truth_of
from simulator.towns.long_views import Bonnet, LongRenderer, LongTownDrive, SteadyTraffic
from simulator.towns.render import far_config
from vidtag_engine.types import InputError

ISLE = "frisland"


@cache
def roads_of(pattern: str) -> Roads:
    return build_roads(1, ISLE, pattern=pattern)


@cache
def drives_of(pattern: str) -> tuple[LongDrive, ...]:
    return tuple(plan_long_drives(roads_of(pattern), 24, 5))


def share(roads: Roads, chosen: list[bool]) -> float:
    return sum(edge.length_m for edge, is_one in zip(roads.edges, chosen, strict=True) if is_one) / roads.length_m


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_town_is_as_dense_as_stated(pattern: str) -> None:
    roads = roads_of(pattern)
    km = roads.length_m / 1000
    assert (300 < km < 360) if pattern == "regular_grid" else (120 < km < 200)
    degree = np.array([len(arms) for arms in roads.arms])
    assert (degree == 1).mean() == pytest.approx(DEAD_END_SHARE, abs=0.015)
    assert share(roads, [edge.oneway and not edge.roundabout for edge in roads.edges]) == pytest.approx(ONEWAY_SHARE, abs=0.01)
    assert share(roads, [not edge.driven for edge in roads.edges]) == pytest.approx(FOOTWAY_SHARE, abs=0.01)
    assert sum(edge.bridge for edge in roads.edges) >= 2
    assert {edge.highway for edge in roads.edges} == {"primary", "secondary", "residential", "footway"}
    names = [edge.name for edge in roads.edges if edge.name]
    assert 1.2 < len(names) / len(set(names)) < 12


@pytest.mark.parametrize("pattern", PATTERNS)
def test_lines_meet_at_nodes_and_everywhere_can_be_reached(pattern: str) -> None:
    roads = roads_of(pattern)
    for edge in roads.edges:
        np.testing.assert_allclose(edge.line_m[[0, -1]], roads.nodes_m[[edge.start, edge.end]], atol=1e-6)
    driven = [edge for edge in roads.edges if edge.driven]
    starts = [edge.start for edge in driven] + [edge.end for edge in driven if not edge.oneway]
    ends = [edge.end for edge in driven] + [edge.start for edge in driven if not edge.oneway]
    assert all_joined(starts, ends, len(roads.nodes_m), sorted({*starts, *ends}))


def test_roundabouts_are_driven_counterclockwise() -> None:
    roads = roads_of("organic")
    rings = [edge for edge in roads.edges if edge.roundabout]
    assert len(rings) > 20
    assert all(edge.oneway for edge in rings)
    for edge in rings:
        ahead = np.diff(edge.line_m, axis=0)
        assert (ahead[:-1, 0] * ahead[1:, 1] - ahead[:-1, 1] * ahead[1:, 0] > 0).all()


def test_bridges_cross_without_meeting() -> None:
    roads = roads_of("radial")
    for bridge in (edge for edge in roads.edges if edge.bridge):
        under = [edge for edge in roads.edges if edge is not bridge and LineString(edge.line_m).crosses(LineString(bridge.line_m))]
        assert under
        for edge in under:
            assert {edge.start, edge.end}.isdisjoint({bridge.start, bridge.end})
            assert cKDTree(edge.line_m).query(bridge.line_m)[0].min() > 0.01


def test_only_the_regular_grid_is_right_angled() -> None:
    assert right_angle_share(roads_of("regular_grid")) > 0.9
    shares = {pattern: right_angle_share(roads_of(pattern)) for pattern in PATTERNS}
    assert max(shares["organic"], shares["radial"]) < shares["grid"] < shares["regular_grid"]


def test_the_same_seed_makes_the_same_town_map_and_drives() -> None:
    first, again, other = (build_roads(seed, size_m=2000.0) for seed in (3, 3, 4))
    assert [edge.name for edge in first.edges] == [edge.name for edge in again.edges]
    np.testing.assert_array_equal(np.concatenate([e.line_m for e in first.edges]), np.concatenate([e.line_m for e in again.edges]))
    assert len(first.edges) != len(other.edges) or not np.allclose(first.nodes_m, other.nodes_m)
    maps = [noisy_map(first, 1), noisy_map(again, 1)]
    np.testing.assert_array_equal(*(np.concatenate([feature.line_m for feature in one]) for one in maps))
    two, more = plan_long_drives(first, 2, 8), plan_long_drives(again, 3, 8)
    for one, same in zip(two, more, strict=False):
        np.testing.assert_array_equal(one.x_m, same.x_m)


def test_unknown_isles_and_patterns_are_refused() -> None:
    with pytest.raises(ValueError, match="atlantis"):
        build_roads(1, "atlantis")
    with pytest.raises(ValueError, match="spiral"):
        build_roads(1, ISLE, pattern="spiral")


def test_the_map_is_off_as_stated() -> None:
    roads = roads_of("organic")
    features = [feature for feature in noisy_map(roads, 2) if feature.edge >= 0]
    ends = {}
    for feature in features:
        edge = roads.edges[feature.edge]
        one, other = feature.line_m[[0, -1]]
        if np.hypot(*(one - roads.nodes_m[edge.start])) > np.hypot(*(one - roads.nodes_m[edge.end])):
            one, other = other, one
        ends[edge.start], ends[edge.end] = one - roads.nodes_m[edge.start], other - roads.nodes_m[edge.end]
    offset = np.array(list(ends.values()))
    assert offset.std() == pytest.approx(np.hypot(OFFSET_STD_M, VERTEX_STD_M), rel=0.15)
    at = roads.nodes_m[list(ends)]
    near = cKDTree(at).query_pairs(40.0, output_type="ndarray")  # neighbours share the smooth part of the error
    assert np.diff(offset[near], axis=1).std() < 0.75 * offset.std() * np.sqrt(2)
    true = unary_union([LineString(edge.line_m) for edge in roads.edges])
    vertices = np.concatenate([feature.line_m for feature in features])
    assert true.distance(points(vertices)).max() < 16


def test_the_map_has_gaps_and_streets_that_are_not_there() -> None:
    for pattern in PATTERNS:
        roads = roads_of(pattern)
        features = noisy_map(roads, 2)
        mapped = {feature.edge for feature in features}
        assert share(roads, [number not in mapped for number in range(len(roads.edges))]) == pytest.approx(0.04, abs=0.004)
        invented = sum(LineString(feature.line_m).length for feature in features if feature.edge < 0)
        assert invented / roads.length_m == pytest.approx(0.04, abs=0.006)
        whole = [set(drive.edges) <= mapped for drive in drives_of(pattern)]
        assert np.mean(whole) > 0.55, "most drives can still be found on the map"


def direction_kept(feature: MapFeature, roads: Roads) -> bool:
    edge = roads.edges[feature.edge]
    start, end = roads.nodes_m[edge.start], roads.nodes_m[edge.end]
    return bool(np.hypot(*(feature.line_m[0] - start)) < np.hypot(*(feature.line_m[0] - end)))


def test_attributes_are_like_open_street_map(tmp_path: Path) -> None:
    roads = roads_of("organic")
    features = noisy_map(roads, 2)
    for feature in features:
        if feature.edge >= 0:
            edge = roads.edges[feature.edge]
            assert (feature.junction == "roundabout") == edge.roundabout
            assert (feature.bridge == "yes") == edge.bridge == (feature.layer == "1")
            assert (feature.highway == "footway") == (not edge.driven)
            if edge.oneway and not edge.roundabout:
                assert feature.oneway == ("yes" if direction_kept(feature, roads) else "-1")
            elif not edge.roundabout:
                assert feature.oneway in {None, "no"}
    path = tmp_path / "roads.gpkg"
    write_roads(features, path)
    table = geopandas.read_file(path, layer="roads")
    assert table.crs.to_epsg() == 4326
    assert len(table) == len(features)
    assert {"name", "highway", "oneway", "bridge", "layer", "junction", "foot"} <= set(table.columns)
    west, south, east, north = table.total_bounds
    assert west < roads.longitude_deg < east
    assert south < roads.latitude_deg < north
    length = table.to_crs(f"+proj=aeqd +lat_0={roads.latitude_deg} +lon_0={roads.longitude_deg}").length.sum()
    assert length == pytest.approx(sum(LineString(feature.line_m).length for feature in features), rel=1e-3)


def test_lines_at_the_antimeridian_are_cut(tmp_path: Path) -> None:
    write_roads(noisy_map(build_roads(1, "plover-land", size_m=2000.0), 1), tmp_path / "roads.gpkg")
    bounds = geopandas.read_file(tmp_path / "roads.gpkg").explode(index_parts=False).bounds
    assert (bounds.maxx - bounds.minx).max() < 1


@pytest.mark.parametrize("pattern", PATTERNS)
def test_drives_stay_on_their_roads_and_keep_to_the_rules(pattern: str) -> None:
    roads = roads_of(pattern)
    for drive in drives_of(pattern):
        edges = [roads.edges[number] for number in drive.edges]
        assert all(edge.driven for edge in edges)
        assert all(forward or not edge.oneway for edge, forward in zip(edges, drive.forward, strict=True))
        ends = [(edge.start, edge.end) if forward else (edge.end, edge.start) for edge, forward in zip(edges, drive.forward, strict=True)]
        assert all(one[1] == other[0] or drive.turns_back for one, other in pairwise(ends))
        lines = unary_union(
            linestrings(np.concatenate([e.line_m for e in edges]), indices=np.repeat(range(len(edges)), [len(e.line_m) for e in edges]))
        )
        assert lines.distance(points(np.stack([drive.x_m, drive.y_m], axis=1))).max() < 3.6
        assert 119.9 <= drive.duration_s <= 360.1
        assert drive.turns >= 3


def test_cars_keep_to_the_right_and_move_as_cars_do() -> None:
    roads = roads_of("organic")
    for drive in drives_of("organic"):
        assert np.diff(drive.time_s) == pytest.approx(0.1)
        assert drive.speed_mps.max() < 15.5
        assert np.abs(np.diff(drive.speed_mps)).max() * 10 < 3.5
        turn = np.diff(np.unwrap(np.deg2rad(drive.heading_deg)))
        assert np.rad2deg(np.abs(turn)).max() * 10 < 110
        step = np.stack([np.diff(drive.x_m), np.diff(drive.y_m)], axis=1)
        moving = (np.hypot(*step.T) > 0.3) & (drive.speed_mps[1:] > 0)
        toward = np.rad2deg(np.arctan2(step[:, 0], step[:, 1]))
        off = (toward - drive.heading_deg[1:] + 180) % 360 - 180
        assert np.abs(off[moving]).max() < 12
    edge = next(roads.edges[number] for drive in drives_of("organic") for number in drive.edges[1:-1] if not roads.edges[number].oneway)
    line = LineString(edge.line_m)
    for drive in drives_of("organic"):
        for number, forward in zip(drive.edges, drive.forward, strict=True):
            if roads.edges[number] is edge:
                at = np.stack([drive.x_m, drive.y_m], axis=1)
                way = line.project(points(at))
                inner = (line.distance(points(at)) < 3) & (way > 0.3 * line.length) & (way < 0.7 * line.length)
                right = LineString(edge.line_m if forward else edge.line_m[::-1]).offset_curve(-1.75)
                assert right.distance(points(at[inner])).max() < 0.9


def test_stops_and_speeds_are_like_in_a_town() -> None:
    drives = drives_of("organic")
    standing = np.mean([(np.abs(drive.speed_mps) < 0.1).mean() for drive in drives])
    assert 0.05 < standing < 0.25
    assert 5 < np.mean([drive.speed_mps.mean() for drive in drives]) < 11


def test_turns_are_counted() -> None:
    along = np.arange(0.0, 400.0, 0.5)
    heading = np.where(along > 100, np.pi / 2, 0.0) + np.where(along > 250, -np.pi / 2, 0.0)
    assert count_turns(along, heading) == 2
    assert count_turns(along, np.deg2rad(along / 4)) == 0, "a long bend is no turn"
    assert count_turns(along, np.deg2rad(40.0) * (along > 200)) == 0


def test_some_drives_turn_back_or_go_backwards() -> None:
    drives = plan_long_drives(roads_of("ribbon"), 150, 9)
    turning, reversing = [d for d in drives if d.turns_back], [d for d in drives if d.reverses]
    assert 1 <= len(turning) <= 12
    assert 1 <= len(reversing) <= 9
    for drive in turning:
        assert any(a == b for a, b in pairwise(drive.edges))
    for drive in reversing:
        assert -2.5 < drive.speed_mps.min() < -0.5
        assert 3 < (np.maximum.accumulate(drive.along_m) - drive.along_m).max() < 12
    assert all(drive.speed_mps.min() > -0.05 for drive in drives if not drive.reverses)


def test_short_drives_and_large_towns() -> None:
    roads = build_roads(2, size_m=8000.0)
    assert 350 < roads.length_m / 1000 < 470
    for drive in plan_long_drives(roads, 5, 1, least_s=20, most_s=20, least_turns=0):
        assert drive.duration_s == pytest.approx(20)
    with pytest.raises(RuntimeError, match="90 turns"):
        plan_long_drives(build_roads(2, size_m=2000.0), 1, 1, least_s=20, most_s=20, least_turns=90)


def test_observed_motion_is_true_but_for_its_unit_without_noise() -> None:
    drive = drives_of("grid")[0]
    silent = replace(EXACT, turn_std_deg=0.0, drift_dps=0.0, gain_std=0.0, speed_std=0.0, scale_drift=0.0)
    motion = observed_motion(drive, silent, np.random.default_rng(1))
    assert len(motion.turn_deg) == int(drive.duration_s)
    assert not motion.metric
    true = np.diff(np.rad2deg(np.unwrap(np.deg2rad(drive.heading_deg)))[::10])[: len(motion.turn_deg)]
    np.testing.assert_allclose(motion.turn_deg, true, atol=1e-6)
    mps = np.diff(drive.along_m[::10])[: len(motion.speed)]
    units = (mps / np.where(motion.speed == 0, np.nan, motion.speed))[np.abs(mps) > 1]
    assert np.ptp(units) < 1e-6
    assert 1 / np.sqrt(3) <= units[0] <= np.sqrt(3)


def test_observed_motion_is_off_as_stated() -> None:
    drive = drives_of("grid")[0]
    rng = np.random.default_rng(2)
    motions = [observed_motion(drive, EXACT, rng) for _ in range(60)]
    silent = replace(EXACT, turn_std_deg=0.0, drift_dps=0.0, gain_std=0.0, speed_std=0.0, scale_drift=0.0)
    true = observed_motion(drive, silent, rng)
    errors = np.array([motion.turn_deg - true.turn_deg for motion in motions])
    still = np.abs(true.turn_deg) < 1
    assert errors[:, still].std() == pytest.approx(EXACT.turn_std_deg, rel=0.05)
    logs = np.log(np.array([motion.speed for motion in motions])[:, true.speed > 1] / true.speed[true.speed > 1])
    assert np.diff(logs, axis=1).std() == pytest.approx(EXACT.speed_std * np.sqrt(2), rel=0.1)
    assert np.ptp(logs.mean(axis=1)) > 0.5, "the unit differs"
    assert (motions[0].turn_std_deg == EXACT.turn_std_deg).all()
    assert (motions[0].speed_std == EXACT.speed_std).all()


@cache
def order_of(folder: Path) -> DrivesOrder:
    return DrivesOrder(folder, 31, count=1, isles=(ISLE,), width_px=192)


@cache
def town() -> tuple[TownBuilder, LongTownDrive]:
    builder = order_of(Path()).builder(ISLE)
    return builder, order_of(Path()).plan(builder, 0)


def test_a_drive_on_an_isle_follows_its_streets(tmp_path: Path) -> None:
    builder, drive = town()
    order = order_of(tmp_path)
    assert 120 <= drive.plan.duration_s <= 180
    assert len(drive.time_s) == int(10 * drive.plan.duration_s + 1e-6) + 1
    assert builder.network.nearest_street(drive.position_m)[0].max() < 3.7
    at = np.stack([np.interp(drive.along, np.arange(len(drive.path_m)), drive.path_m[:, axis]) for axis in (0, 1)], axis=1)
    assert np.hypot(*(at - drive.position_m).T).max() < 0.3
    assert [builder.network.neighbours[one][other] for one, other in pairwise(drive.route)] == list(drive.plan.edges)
    truth = json.loads(json.dumps(truth_of(order, builder, drive)))
    values = [truth[key] for key in ("time_s", "lat_deg", "lon_deg", "heading_deg", "speed_mps")]
    assert {len(one) for one in values} == {len(drive.plan.time_s)}
    assert truth["camera"]["field_of_view_deg"] > 40


def test_traffic_moves_steadily_and_the_bonnet_stays() -> None:
    builder, drive = town()
    drive = replace(drive, lead_car=True)
    traffic = SteadyTraffic(builder.network, drive, 1.0)
    ahead = [traffic.at(index).quads()[0].reshape(-1, 3)[:40].mean(axis=0) for index in (50, 51)]
    assert np.hypot(*(ahead[1] - ahead[0])[:2]) < 2.5
    pictures = np.random.default_rng(1).integers(0, 255, (2, 108, 192, 3)).astype(np.uint8)
    bonnet = Bonnet(192, 108, 3)
    covered = [bonnet.cover(picture) for picture in pictures]
    assert (covered[0][:80] == pictures[0][:80]).all()
    assert (
        np.abs(covered[0][-4:].astype(int) - covered[1][-4:]).mean() < 0.4 * np.abs(pictures[0][-4:].astype(int) - pictures[1][-4:]).mean()
    )


def test_a_run_goes_on_and_refuses_other_drives(tmp_path: Path) -> None:
    order = order_of(tmp_path)
    (tmp_path / "drive_00.json").write_text("{}")  # a finished drive is kept
    assert make_drives(order, lambda _: None) == ["drive_00"]
    assert (tmp_path / "drive_00.json").read_text() == "{}"
    assert len(geopandas.read_file(tmp_path / f"roads_{ISLE}.gpkg", layer="roads")) > 200
    assert json.loads((tmp_path / "drives.json").read_text())["drives"][0]["turns"] >= 3
    with pytest.raises(InputError, match="another --output"):
        make_drives(replace(order, seed=32), lambda _: None)


@pytest.mark.slow
def test_pictures_of_a_long_drive() -> None:
    builder, drive = town()
    order = order_of(Path())
    with LongRenderer(builder, far_config(order.width_px, order.height_px)) as renderer:
        pictures = [picture.astype(float) for picture in islice(renderer.drive(drive), 3)]
        path = drive.position_m[::60]
        assert set(builder.near_pieces(path, 100)) <= set(renderer._pieces._kept), "streets far along the drive are there too"
    assert {picture.shape for picture in pictures} == {(108, 192, 3)}
    assert min(picture.std() for picture in pictures) > 15
    assert np.abs(pictures[2] - pictures[1]).mean() < 40, "a tenth of a second later all is nearly where it was"
