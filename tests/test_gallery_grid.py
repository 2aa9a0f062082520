"""The grid: count against the area, cover against brute force, nothing outside, over shapes of every kind and everywhere."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pyproj
import pytest
import shapely
import shapely.affinity
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from vidtag_engine.grid.aoi import load_aoi
from vidtag_engine.grid.grid import Grid, check_size, make_grid
from vidtag_engine.grid.scanline import chords
from vidtag_engine.types import InputError

GEOD = pyproj.Geod(ellps="WGS84")
UTM_SQUARE = shapely.box(500_000, 5_000_000, 505_000, 5_005_000)


def ecef(lat_lon):
    """pyproj's, not ours."""
    return np.stack(
        pyproj.Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True).transform(
            lat_lon[:, 1], lat_lon[:, 0], np.zeros(len(lat_lon))
        ),
        -1,
    )


def geod_area(geometry):
    densified = shapely.segmentize(shapely.orient_polygons(geometry), 0.1)
    return abs(GEOD.geometry_area_perimeter(densified)[0])


def places_inside(geometry, number, seed=0):
    """Random places in the area, evenly by area, and on its border."""
    rng = np.random.default_rng(seed)
    found = []
    for part in shapely.get_parts(geometry):
        west, south, east, north = part.bounds
        low, high = np.sin(np.radians([south, north]))
        lat, lon = np.degrees(np.arcsin(rng.uniform(low, high, number))), rng.uniform(west, east, number)
        inside = shapely.contains_xy(part, lon, lat)
        border = shapely.get_coordinates(shapely.line_interpolate_point(part.boundary, rng.uniform(0, 1, number // 4), normalized=True))
        found += [np.stack([lat, lon], -1)[inside], border[:, ::-1]]
    return np.concatenate(found)


def all_points(grid):
    points = np.concatenate(list(grid.chunks(1000)))
    assert points.shape == (grid.count, 2)
    return points


def assert_good(aoi, grid, *, samples=20_000, area=None, compact=True):
    """Everything the grid promises; ``compact``: the area is at least some eight steps wide on average."""
    points = all_points(grid)
    assert shapely.contains_xy(aoi.geometry, points[:, 1], points[:, 0]).all()
    assert np.abs(points[:, 1]).max() <= 180
    area = area or geod_area(aoi.geometry)
    if grid.count > 1000:
        ratio = grid.count * grid.resolution_m**2 / area
        assert 0.99 <= ratio <= (1.01 if compact else 1.8)
    tree = cKDTree(ecef(points))
    distance, _ = tree.query(ecef(places_inside(aoi.geometry, samples)))
    assert distance.max() <= 0.803 * grid.resolution_m  # 0.8, and what the plane it is planned in differs from the ellipsoid
    if grid.count > 1:
        nearest, _ = tree.query(tree.data, k=2)
        assert nearest[:, 1].min() > 0.2 * grid.resolution_m  # no doubles, at borders of parts either
    return points


BOXES = {
    "equator": ("10,0,10.1,0.1", 150),
    "just over 1000 points": ("10,45,10.04,45.03", 97),
    "70 north": ("10,70,10.6,70.2", 200),
    "83 north, far west": ("-101,83,-99.5,83.2", 200),
    "83 south": ("20,-83.3,22,-83", 300),
    "across 180": ("179,-17,182,-15", 2500),
    "across 180, far north": ("170,82,190,83", 2000),
    "two degrees to the north pole": ("-180,88,180,90", 4000),
    "a wedge to the south pole": ("20,-90,80,-88", 2500),
    "around the world": ("-180,60,180,61", 20_000),
}


@pytest.mark.parametrize("kind", BOXES)
def test_boxes(kind):
    text, resolution_m = BOXES[kind]
    aoi = load_aoi(text)
    grid = make_grid(aoi, resolution_m)
    assert grid.count > 1000
    assert_good(aoi, grid, area=aoi.area_m2 if "pole" in kind else None)


def test_the_world():
    aoi = load_aoi("-180,-90,180,90")
    assert_good(aoi, make_grid(aoi, 150_000), area=aoi.area_m2)


@pytest.mark.parametrize("turn", [0, 1, 3, 10, 30, 45, 89])
def test_turned_squares(turn):
    aoi = load_aoi(shapely.affinity.rotate(UTM_SQUARE, turn).wkt, crs="EPSG:32633")
    assert_good(aoi, make_grid(aoi, 120))


SHAPES = {
    "disc": shapely.Point(500_000, 5_000_000).buffer(3000),
    "ring": shapely.Point(500_000, 5_000_000).buffer(4000).difference(shapely.Point(500_300, 5_000_200).buffer(2300)),
    "star": shapely.Polygon(
        [
            (5e5 + r * np.cos(a), 5e6 + r * np.sin(a))
            for r, a in zip([6000, 2500] * 7, np.linspace(0, 2 * np.pi, 14, endpoint=False), strict=True)
        ]
    ),
    "two parts that touch": shapely.MultiPolygon(
        [shapely.box(5e5, 5e6, 503_000, 5_003_000), shapely.box(503_000, 5_003_000, 506_000, 5_006_000)]
    ),
    "sieve": shapely.box(5e5, 5e6, 508_000, 5_008_000).difference(
        shapely.union_all([shapely.Point(5e5 + 1000 * i, 5e6 + 1000 * j).buffer(300) for i in range(9) for j in range(9)])
    ),
    "street": shapely.LineString([(5e5, 5e6), (500_900, 5_004_000), (520_000, 5_010_000), (510_000, 5_012_000)]).buffer(500),
}


@pytest.mark.parametrize("kind", SHAPES)
def test_shapes(kind):
    aoi = load_aoi(SHAPES[kind].wkt, crs="EPSG:32633")
    assert_good(aoi, make_grid(aoi, 100))


@pytest.mark.parametrize("width_m", [500, 120, 60, 10, 0.5])
def test_narrow_areas_are_covered_whatever_their_count(width_m):
    line = shapely.LineString([(5e5, 5e6), (500_900, 5_004_000), (505_000, 5_004_100)])
    aoi = load_aoi(line.buffer(width_m / 2).wkt, crs="EPSG:32633")
    grid = make_grid(aoi, 100)
    points = all_points(grid)
    assert shapely.contains_xy(aoi.geometry, points[:, 1], points[:, 0]).all()
    distance, _ = cKDTree(ecef(points)).query(ecef(places_inside(aoi.geometry, 20_000)))
    assert distance.max() <= 80
    assert grid.count < 2 * aoi.area_m2 / 1e4 + 1.2 * line.length / 50


# Of 1,200 at random these had tips too far from every point.
@pytest.mark.parametrize("number", [393, 499, 1090, 1110])
def test_the_tip_of_a_needle_is_covered(number):
    half, length_m, turn_deg = np.random.default_rng(0).uniform((0.01, 300.0, 0.0), (0.2, 900.0, 360.0), (1200, 3))[number]
    needle = shapely.Polygon([(-10, -length_m * half), (length_m, 0), (-10, length_m * half)])
    shape = shapely.affinity.rotate(shapely.box(-800, -400, 0, 400).union(needle), turn_deg, origin=(0, 0))
    aoi = load_aoi(shapely.affinity.translate(shape, 5e5, 5e6).wkt, crs="EPSG:32633")
    points = all_points(make_grid(aoi, 100))
    assert shapely.contains_xy(aoi.geometry, points[:, 1], points[:, 0]).all()
    corners = shapely.get_coordinates(aoi.geometry)[:, ::-1]
    assert cKDTree(ecef(points)).query(ecef(corners))[0].max() <= 80.3


@pytest.mark.parametrize("kind", ["equal-earth", "latlon"])
@pytest.mark.parametrize(
    "text", ["10,45,10.00001,45.00001", "10,45,10.1,45.0000001", "POLYGON ((0 0, 1e-4 1e-4, 0 1e-4, 0 0))", "0,89.9999,1,90"]
)
def test_smaller_than_a_cell_still_gives_a_point(text, kind):
    aoi = load_aoi(text)
    points = all_points(make_grid(aoi, 20_000, kind))
    assert len(points) >= 1
    assert shapely.contains_xy(aoi.geometry, points[:, 1], points[:, 0]).all()


@st.composite
def areas(draw):
    """Random areas anywhere: blobs with holes and several parts, up to 83° and at the poles, across ±180°; and a resolution."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    lat, lon = draw(st.sampled_from([0, 30, -45, 60, -70, 78, 83, 89.9, -90])), draw(st.sampled_from([0, 12.3, 179.99, -180, -100]))
    radius_m = draw(st.sampled_from([500.0, 5_000.0, 60_000.0]))
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        corners = draw(st.integers(3, 12))
        angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
        blob = shapely.Polygon(np.stack([np.cos(angle), np.sin(angle)], -1) * rng.uniform(0.4, 1, (corners, 1)) * radius_m)
        blob = shapely.affinity.translate(shapely.make_valid(blob), *(rng.uniform(-1, 1, 2) * radius_m))
        if draw(st.booleans()):
            centre = blob.representative_point()
            blob = blob.difference(centre.buffer(rng.uniform(0.1, 0.4) * radius_m, 3))
        parts.append(blob)
    joined = shapely.union_all([p for part in parts for p in shapely.get_parts(part) if p.geom_type == "Polygon" and p.area > 0])
    crs = f"+proj=laea +lat_0={lat} +lon_0={lon} +datum=WGS84"
    return joined, crs, draw(st.sampled_from([1500, 3000, 6000]))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(areas())
def test_random_areas(area):
    shape, crs, wanted = area
    if shape.area < 1e4:
        return
    aoi = load_aoi(shape.wkt, crs=crs)
    assert aoi.area_m2 == pytest.approx(shape.area, rel=2e-4)  # an equal-area projection is the oracle
    resolution_m = float(np.sqrt(shape.area / wanted))
    compact = shape.area / (shape.length * resolution_m) > 4
    assert_good(aoi, make_grid(aoi, resolution_m), samples=4000, area=shape.area, compact=compact)


def test_chords_agree_with_shapely():
    shape = SHAPES["sieve"]
    rows = np.linspace(5_000_001.3, 5_007_999.1, 57)
    cut = chords(shapely.MultiPolygon([shape]), rows)
    for number, y in enumerate(rows):
        expected = shapely.intersection(shape, shapely.LineString([(0, y), (1e6, y)]))
        mine = cut.east_deg[cut.row == number] - cut.west_deg[cut.row == number]
        assert mine.sum() == pytest.approx(expected.length)
        assert len(mine) == len(shapely.get_parts(expected))


def test_small_area_is_the_plain_grid():
    """Away from borders, neighbours stand one step apart along both axes of Equal Earth around the area's centre."""
    aoi = load_aoi("10,45,10.1,45.1")
    grid = make_grid(aoi, 200)
    points = all_points(grid)
    plane = pyproj.Proj(proj="eqearth", lon_0=grid.central_meridian_deg, ellps="WGS84")
    factors = plane.get_factors(grid.central_meridian_deg, 45.05)
    x, y = plane(points[:, 1], points[:, 0])
    rows = np.unique(np.round(y, 3))
    np.testing.assert_allclose(np.diff(rows) / factors.meridional_scale, 200, rtol=0.02)
    for row in rows[::10]:
        on_row = np.abs(y - row) < 0.01
        np.testing.assert_allclose(np.diff(np.sort(x[on_row])) / factors.parallel_scale, 200, rtol=0.02)


def test_order_is_fixed_and_any_slice_is_the_same():
    aoi = load_aoi(shapely.affinity.rotate(UTM_SQUARE, 10).wkt, crs="EPSG:32633")
    grid, again = make_grid(aoi, 120), make_grid(aoi, 120)
    whole = all_points(grid)
    assert len(grid.border) > 0
    for size in (1, 7, 64, 10_000_000):
        if size > 1:
            np.testing.assert_array_equal(np.concatenate(list(again.chunks(size))), whole)
    np.testing.assert_array_equal(grid.points(grid.count - 60, grid.count + 5), whole[-60:])
    picked = np.array([3, grid.count - 1, 0, 3, -1])
    np.testing.assert_array_equal(grid.at(picked)[:4], whole[picked[:4]])
    assert np.isnan(grid.at(picked)[4]).all()


def test_digest_says_whether_the_points_are_the_same():
    aoi = load_aoi("10,45,10.1,45.1")
    same = load_aoi("POLYGON ((10.1 45, 10.1 45.1, 10 45.1, 10 45, 10.1 45))")
    base = make_grid(aoi, 100)
    assert base.digest == make_grid(same, 100.0).digest
    assert base.plan_digest == make_grid(same, 100.0).plan_digest
    others = [make_grid(aoi, 101), make_grid(aoi, 100, "latlon"), make_grid(load_aoi("10,45,10.1,45.1000001"), 100)]
    assert len({base.digest, *(other.digest for other in others)}) == 4
    assert make_grid(load_aoi("179,0,181,1"), 9e3).digest == make_grid(load_aoi("-181,0,-179,1"), 9e3).digest


@pytest.mark.parametrize("text", ["10,45,10.2,45.1", "-70,-33.2,-69.9,-33", "179.9,10,180.1,10.1"])
def test_the_papers_grid(text):
    aoi = load_aoi(text)
    grid = make_grid(aoi, 250, "latlon")
    west, south, east, north = (float(v) for v in text.split(","))
    dis_lat = GEOD.inv(west, south, west, north)[2]
    dis_lon = GEOD.line_length(np.linspace(west, east, 1000), np.full(1000, south))
    assert grid.count == int(dis_lat // 250) * int(dis_lon // 250)
    points = all_points(grid)
    assert shapely.contains_xy(aoi.geometry, points[:, 1], points[:, 0]).all()
    assert len(np.unique(points[:, 0].round(9))) * len(np.unique(points[:, 1].round(9))) == grid.count


def test_the_papers_grid_is_clipped_to_the_area():
    disc = load_aoi(SHAPES["ring"].wkt, crs="EPSG:32633")
    box = load_aoi(",".join(repr(v) for v in disc.bounds))
    clipped, whole = all_points(make_grid(disc, 100, "latlon")), all_points(make_grid(box, 100, "latlon"))
    inside = shapely.contains_xy(disc.geometry, whole[:, 1], whole[:, 0])
    np.testing.assert_allclose(clipped, whole[inside], atol=1e-12)


def test_refusals():
    aoi = load_aoi("10,45,10.1,45.1")
    for bad in (0, -5, float("nan"), float("inf")):
        with pytest.raises(InputError, match="positive number of metres"):
            make_grid(aoi, bad)
    with pytest.raises(InputError, match="no grid kind 'hex'"):
        make_grid(aoi, 10, "hex")
    with pytest.raises(InputError, match="rows"):
        make_grid(load_aoi("-180,-90,180,90"), 1)


def test_check_size_names_the_count_and_what_would_fit():
    aoi = load_aoi("5,45,15,50")
    grid = make_grid(aoi, 10)
    with pytest.raises(InputError, match=f"{grid.count:,}") as caught:
        check_size(grid, 512)
    fitting = int(str(caught.value).split("resolution of ")[1].split(" m")[0].replace(",", ""))
    check_size(make_grid(aoi, fitting), 512)
    check_size(make_grid(aoi, 1000), 512)
    with pytest.raises(InputError, match="GB"):
        check_size(make_grid(aoi, 1000), 512, max_bytes=10_000_000)


@pytest.mark.parametrize("turn", [0, 10])
def test_25_million_points_are_counted_in_seconds_and_never_held(turn):
    aoi = load_aoi(shapely.affinity.rotate(shapely.box(500_000, 5_000_000, 550_000, 5_050_000), turn).wkt, crs="EPSG:32633")
    begin = time.process_time()
    make_grid(aoi, 10)
    seconds = time.process_time() - begin
    tracemalloc.start()
    grid = make_grid(aoi, 10)
    sample = next(grid.chunks())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grid.count == pytest.approx(25e6, rel=0.01)
    assert len(sample) == 65_536
    assert peak < 300e6
    assert seconds < 10  # about 1 s of processor time


def test_counting_is_exact_beyond_what_is_ever_made():
    grid = make_grid(load_aoi("-180,-90,180,90"), 100)
    assert grid.count == pytest.approx(510_065_621_724_088 / 1e4, rel=1e-4)
    assert isinstance(grid, Grid)
    assert len(grid.points(grid.count - 10, grid.count)) == 10


def test_summary_is_plain_json():
    import json

    summary = make_grid(load_aoi("10,45,10.1,45.1"), 100).to_summary()
    assert json.loads(json.dumps(summary)) == summary
    assert summary["count"] > 8000
