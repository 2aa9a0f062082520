"""Lines laid on roads: on them, nearer to the truth, and wrong layers told by name."""

from __future__ import annotations

import sqlite3
import zipfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import Geod, Transformer

from tests.export_cases import NAN, PROVENANCE, video
from vidtag_engine.commands.match import _spread, run_match
from vidtag_engine.export import write_geopackage
from vidtag_engine.export.edits import changes_by_a_person
from vidtag_engine.feedback import Feedback
from vidtag_engine.trajectory import with_course
from vidtag_engine.trajectory.roads import match_roads, spread_m
from vidtag_engine.types import CancelledError, Hypotheses, InputError

ROOT = Path(__file__).resolve().parents[1]
GEOD = Geod(ellps="WGS84")
UTM = "EPSG:32633"
TO_DEG = Transformer.from_crs(UTM, "EPSG:4326", always_xy=True)
X0, Y0, BLOCK, BLOCKS = 500_000.0, 6_000_000.0, 150.0, 8
STREETS = [shapely.LineString([(X0 + i * BLOCK, Y0), (X0 + i * BLOCK, Y0 + BLOCKS * BLOCK)]) for i in range(BLOCKS + 1)]
STREETS += [shapely.LineString([(X0, Y0 + i * BLOCK), (X0 + BLOCKS * BLOCK, Y0 + i * BLOCK)]) for i in range(BLOCKS + 1)]
STD_M = 30.0


def truth():
    """A drive through the grid with three turns, every 40 m."""
    corners = np.array([(1, 1), (1, 4), (5, 4), (5, 6), (7, 6)]) * BLOCK + (X0, Y0)
    line = shapely.LineString(corners)
    return np.array([line.interpolate(d).coords[0] for d in np.arange(0, line.length, 40.0)])


def noisy(seed):
    true = truth()
    rng = np.random.default_rng(seed)
    shared = np.cumsum(rng.normal(0, 6, true.shape), axis=0)
    return true, true + rng.normal(0, STD_M, true.shape) + shared - shared.mean(axis=0)


def result_of(xy, seed=0, gap=()):
    lon, lat = TO_DEG.transform(xy[:, 0], xy[:, 1])
    lat, lon = lat.copy(), lon.copy()
    lat[list(gap)] = lon[list(gap)] = NAN
    chance = 1 - np.exp(-(100.0**2) / (2 * STD_M**2))  # of lying within the result's 100 m
    made = video(f"drive{seed}.mp4", lat, lon, np.where(np.isfinite(lat), chance, NAN), time_s=np.arange(len(xy)) * 4.0)
    return replace(made, trajectory=with_course(made.trajectory, 2.0 * STD_M))


def write_roads(path, lines, crs=UTM, **more):
    pyogrio.write_dataframe(geopandas.GeoDataFrame({"name": ["x"] * len(lines)}, geometry=list(lines), crs=crs), path, **more)
    return path


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "r.gpkg"
    write_geopackage(path, [result_of(noisy(seed)[1], seed, gap=(10,) if seed else ()) for seed in range(2)], PROVENANCE)
    return path


def frechet_m(a, b):
    return shapely.frechet_distance(shapely.LineString(a), shapely.LineString(b))


def test_spread_is_that_of_a_round_normal_error():
    rng = np.random.default_rng(0)
    errors = np.hypot(*rng.normal(0, 70.0, (2, 100_000)))
    assert spread_m(np.array([(errors <= 100).mean()]), 100.0)[0] == pytest.approx(70, rel=0.01)
    assert np.isfinite(spread_m(np.array([0.0, 1.0, NAN]), 100.0)).all()


@pytest.mark.parametrize("seed", range(3))
def test_the_matched_line_lies_on_roads_and_follows_the_truth_better(seed):
    true, seen = noisy(seed)
    net = shapely.union_all(STREETS)
    segments = np.concatenate([shapely.get_coordinates(part)[None] for part in shapely.get_parts(net)])
    found = match_roads(seen, np.full(len(seen), STD_M), segments)
    roads = net.buffer(0.2)
    assert sorted(found.ways) == list(range(len(seen) - 1))
    for way in found.ways.values():
        assert roads.covers(shapely.LineString(way)) or np.ptp(way, axis=0).max() < 1e-6
    line = np.concatenate([found.ways[row] for row in range(len(seen) - 1)])
    # Errors along the road stay; those across it go.
    off, before = (shapely.distance(shapely.LineString(true), shapely.points(xy)) for xy in (found.xy_m, seen))
    assert off.mean() < 0.5 * before.mean()
    assert np.hypot(*(found.xy_m - true).T).mean() < np.hypot(*(seen - true).T).mean()
    assert frechet_m(line, true) < frechet_m(seen, true)


def test_roads_out_of_reach_break_the_line():
    seen = np.column_stack([np.arange(20) * 20.0, np.zeros(20)])
    roads = np.array([[[0, 5], [100, 5]], [[280, 5], [400, 5]]], dtype=float)
    found = match_roads(seen, np.full(20, 10.0), roads)
    on = np.isfinite(found.xy_m[:, 0])
    assert on[:6].all()
    assert on[14:].all()
    assert not on[8:12].any()
    assert not set(found.ways) & {7, 8, 9, 10, 11}
    nothing = match_roads(seen, np.full(20, 10.0), roads + 5000)
    assert not nothing.ways
    assert np.isnan(nothing.xy_m).all()


def test_layer_beside_the_models_own(written, tmp_path):
    with closing(sqlite3.connect(written)) as database:
        before = {name: database.execute(f"SELECT * FROM {name}").fetchall() for name in ("trajectory", "frames", "videos")}
    roads = write_roads(tmp_path / "roads.gpkg", STREETS)
    said = run_match(written, roads)
    assert [one["matched"] for one in said["videos"]] == [len(truth()), len(truth()) - 1]
    assert all(5 < one["median_moved_m"] < 60 for one in said["videos"])
    run_match(written, roads)  # again: the layer is exchanged, not doubled
    with closing(sqlite3.connect(written)) as database:
        assert {name: database.execute(f"SELECT * FROM {name}").fetchall() for name in before} == before
    matched, own = (pyogrio.read_dataframe(written, layer=name) for name in ("trajectory_matched", "trajectory"))
    assert set(matched.columns) == {*own.columns, "course_deg"}
    assert not changes_by_a_person(written)
    assert list(matched.from_index) == list(own.from_index)  # the gap breaks this line too
    assert matched.geometry.is_valid.all()
    net = shapely.union_all(STREETS).buffer(0.5)
    flat = matched.to_crs(UTM)
    assert flat.geometry.within(net).all()
    check_course(matched, pyogrio.read_dataframe(written, layer="frames"))
    lengths = [GEOD.geometry_length(one) for one in matched.geometry]
    np.testing.assert_allclose(matched.length_m, lengths, atol=1e-3)
    np.testing.assert_allclose(matched.speed_mps, matched.length_m / 4.0)
    true = truth()
    mine = np.concatenate([shapely.get_coordinates(one) for one in flat[flat.video == "drive0.mp4"].geometry])
    theirs = np.concatenate([shapely.get_coordinates(one) for one in own[own.video == "drive0.mp4"].to_crs(UTM).geometry])
    assert frechet_m(mine, true) < frechet_m(theirs, true)


def check_course(matched, frames):
    """Each step's is the road's where it begins, the way that the frame goes there; where that is not known there is none."""
    of_frame = frames.set_index(["video", "frame_index"]).course_deg
    line = np.array([of_frame[video, index] for video, index in zip(matched.video, matched.from_index, strict=True)])
    known = matched.course_deg.notna()
    assert known.any()
    assert not known[np.isnan(line)].any()
    for course, geometry, seen in zip(matched.course_deg[known], matched.geometry[known], line[known], strict=True):
        (x, y), (x2, y2), *_ = shapely.get_coordinates(geometry)
        assert abs((course - GEOD.inv(x, y, x2, y2)[0] + 180) % 360 - 180) < 0.5
        assert abs((course - seen + 180) % 360 - 180) < 90
    # Streets go north and east here, but for the plane's own turn against the meridian.
    assert np.abs((matched.course_deg[known] + 45) % 90 - 45).max() < 2


def test_a_copy_gets_the_layer_and_a_stop_leaves_nothing(written, tmp_path):
    roads, before, output, steps = write_roads(tmp_path / "roads.gpkg", STREETS), written.read_bytes(), tmp_path / "copy.gpkg", []
    with pytest.raises(CancelledError):
        run_match(written, roads, output=output, feedback=Feedback(cancelled=lambda: True))
    assert not output.exists()
    said = run_match(written, roads, output=output, feedback=Feedback(progress=steps.append))
    assert written.read_bytes() == before
    assert said["output"] == str(output)
    assert [step.message for step in steps] == ["drive0.mp4", "drive1.mp4"]
    assert len(pyogrio.read_dataframe(output, layer="trajectory_matched")) > 0
    assert not (tmp_path / "copy.scores").exists()


def test_wrong_roads_are_told_by_name(written, tmp_path):
    far = [shapely.transform(one, lambda c: c + np.array([200_000.0, 0.0])) for one in STREETS]
    points = [shapely.Point(X0, Y0)]
    two = write_roads(tmp_path / "two.gpkg", STREETS, layer="streets")
    write_roads(two, STREETS, layer="paths")
    (tmp_path / "no.gpkg").write_bytes(b"no database")
    cases = [
        (tmp_path / "none.gpkg", {}, "none.gpkg are not there"),
        (tmp_path / "no.gpkg", {}, "not a vector file"),
        (write_roads(tmp_path / "points.gpkg", points), {}, "hold no lines .*Point"),
        (write_roads(tmp_path / "far.gpkg", far), {}, "another place"),
        (two, {}, "several layers of lines .*--layer"),
        (two, {"layer": "rivers"}, "no layer 'rivers'"),
        (write_roads(tmp_path / "bare.shp", STREETS, crs=None), {}, "do not name their coordinate system.*--crs"),
        (tmp_path / "bare.shp", {"crs": "EPSG:0"}, "'EPSG:0' is unknown"),
        (tmp_path / "bare.shp", {"crs": "EPSG:3857"}, "another place"),
    ]
    before = written.read_bytes()
    for path, more, says in cases:
        with pytest.raises(InputError, match=says):
            run_match(written, path, **more)
        assert written.read_bytes() == before
    assert run_match(written, tmp_path / "bare.shp", crs=UTM)["videos"][0]["matched"] == len(truth())
    assert run_match(written, two, layer="paths")["videos"][0]["matched"] == len(truth())
    write_geopackage(tmp_path / "nothing.gpkg", [video("v", [NAN], [NAN], [NAN])], PROVENANCE)
    with pytest.raises(InputError, match="no line to lay on roads"):
        run_match(tmp_path / "nothing.gpkg", two, layer="paths")


def test_roads_inside_an_archive_are_read_as_typed(written, tmp_path):
    write_roads(tmp_path / "roads.shp", STREETS)
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for path in tmp_path.glob("roads.*"):
            archive.write(path, f"in/{path.name}")
    said = run_match(written, f"zip://{tmp_path}/many.zip!in/roads.shp", output=tmp_path / "copy.gpkg")
    assert said["videos"][0]["matched"] == len(truth())
    with pytest.raises(InputError, match=r"none.shp cannot be opened at this address"):
        run_match(written, f"zip://{tmp_path}/many.zip!in/none.shp")


def test_a_frames_error_is_read_where_its_chance_is_even():
    """Beyond the radius that holds it, a chance says no more of the error than that the fit allows no higher one."""
    result = result_of(truth()[:2]).trajectory
    radii_m, within = (25.0, 100.0, 500.0, 1000.0), np.array([[0.7, 0.95, 0.95, 0.95], [0.05, 0.2, 0.6, 0.95]])
    nothing = np.full(2, NAN)
    known = Hypotheses(radii_m, within, nothing, nothing, nothing, nothing, nothing, (None,) * 2, (None,) * 2, nothing, nothing)
    sure = replace(result, confidence=np.full(2, 0.95), confidence_radius_m=250.0, hypotheses=known)
    assert _spread(sure) == pytest.approx([25 / np.sqrt(-2 * np.log(0.3)), 500 / np.sqrt(-2 * np.log(0.4))])
    assert _spread(replace(sure, hypotheses=None)) == pytest.approx(250 / np.sqrt(-2 * np.log(0.05)))


@pytest.mark.slow
def test_the_demos_line_stays_on_its_own_road(tmp_path):
    """Its frames lie within a few metres of the street; the matched line must not lag behind."""
    from vidtag_engine.geolocation import geolocate
    from vidtag_engine.grid import load_aoi
    from vidtag_engine.settings import GeolocateSettings, validated

    demo, made = ROOT / "resources" / "demo", tmp_path / "drive.gpkg"
    settings = validated(GeolocateSettings, {"resolution_m": 25.0})
    geolocate([demo / "drive.mp4"], load_aoi(str(demo / "aoi.geojson")), str(demo / "checkpoint"), made, settings)
    track = pyogrio.read_dataframe(demo / "drive.gpx", layer="tracks").geometry.explode()
    (said,) = run_match(made, write_roads(tmp_path / "road.gpkg", track, crs="EPSG:4326"))["videos"]
    own, matched = (pyogrio.read_dataframe(made, layer=layer)["length_m"].sum() for layer in ("trajectory", "trajectory_matched"))
    assert said["matched"] == said["located"] == 40
    assert said["median_moved_m"] < 5
    assert matched == pytest.approx(own, rel=0.05)
