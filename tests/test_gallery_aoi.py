"""Areas of interest: every form they come in, what is mended, and what is refused with which words."""

from __future__ import annotations

import json
import shutil
import subprocess

import geopandas
import numpy as np
import pyproj
import pytest
import shapely
import shapely.affinity
from hypothesis import given, settings
from hypothesis import strategies as st

from vidtag_engine.grid.aoi import load_aoi
from vidtag_engine.grid.ellipsoid import ecef_m, lat_of_arc_deg, meridian_arc_m, parallel_radius_m, polygon_area_m2
from vidtag_engine.types import InputError

GEOD = pyproj.Geod(ellps="WGS84")
SQUARE = shapely.box(10, 45, 10.1, 45.1)


def geod_area(geometry):
    """pyproj's own area, sides densified so that its geodesics follow the straight lines in degrees."""
    return abs(GEOD.geometry_area_perimeter(shapely.segmentize(shapely.orient_polygons(geometry), 0.1))[0])


def test_meridian_arcs_and_parallels_agree_with_pyproj():
    lat = np.linspace(-90, 90, 37)
    expected = np.array([np.sign(v) * GEOD.inv(0, 0, 0, v)[2] for v in lat])
    np.testing.assert_allclose(meridian_arc_m(lat), expected, atol=1e-5)
    np.testing.assert_allclose(lat_of_arc_deg(expected), lat, atol=1e-10)
    for value in (0.0, 45.0, 83.0, -70.0):
        assert parallel_radius_m(np.array(value)) * np.radians(1e-3) == pytest.approx(GEOD.inv(0, value, 1e-3, value)[2], rel=1e-6)


def test_earth_centred_coordinates_agree_with_pyproj():
    to_ecef = pyproj.Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    for lat, lon in ((0, 0), (51.5, -0.1), (-33, 151), (90, 0), (-89.9, 180)):
        np.testing.assert_allclose(ecef_m(np.array(lat), np.array(lon)), to_ecef.transform(lon, lat, 0.0), atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.floats(-170, 160), st.floats(-88, 85), st.floats(0.01, 8), st.floats(0.01, 4), st.floats(0, 90), st.booleans())
def test_area_agrees_with_pyproj(lon, lat, width, height, turn, hole):
    shape = shapely.affinity.rotate(shapely.box(lon, lat, lon + width, min(lat + height, 89.5)), turn)
    if hole:
        shape = shape.difference(shapely.affinity.scale(shape, 0.4, 0.4))
    if shape.bounds[1] < -90 or shape.bounds[3] > 90:
        return
    assert polygon_area_m2(shape) == pytest.approx(geod_area(shape), rel=1e-4)


def test_area_of_the_world_and_of_polar_caps():
    assert load_aoi("-180,-90,180,90").area_m2 == pytest.approx(510_065_621_724_088.0, rel=1e-9)  # Karney, geodesic areas, 2013
    assert load_aoi("-180,-90,180,0").area_m2 == pytest.approx(510_065_621_724_088.0 / 2, rel=1e-9)


FORMS = [
    "10,45,10.1,45.1",
    " 10.0 , 45 , 1.01e1,45.1 ",
    SQUARE.wkt,
    f"SRID=4326;{SQUARE.wkt}",
    f"CRS=EPSG:4326;{SQUARE.wkt}",
    "CRS=EPSG:4326;10,45,10.1,45.1",
    shapely.MultiPolygon([SQUARE]).wkt,
    f"GEOMETRYCOLLECTION ({SQUARE.wkt}, POINT (10 45))",
    shapely.to_geojson(SQUARE),
    json.dumps({"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(SQUARE)}),
    {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": None, "geometry": shapely.geometry.mapping(SQUARE)}]},
    {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [[[10, 45, 7], [10.1, 45, 7], [10.1, 45.1, 7], [10, 45.1, 7], [10, 45, 7]]]},
    },
]


@pytest.mark.parametrize("form", FORMS, ids=[str(n) for n in range(len(FORMS))])
def test_every_text_form_gives_the_same_square(form):
    aoi = load_aoi(form)
    assert aoi.geometry.geom_type == "MultiPolygon"
    assert aoi.geometry.equals(SQUARE)
    assert aoi.area_m2 == pytest.approx(geod_area(SQUARE), rel=1e-6)
    assert aoi.bounds == pytest.approx((10, 45, 10.1, 45.1))


@pytest.mark.parametrize(
    ("suffix", "driver"), [("gpkg", "GPKG"), ("shp", "ESRI Shapefile"), ("geojson", "GeoJSON"), ("kml", "KML"), ("fgb", "FlatGeobuf")]
)
def test_vector_files(tmp_path, suffix, driver):
    path = tmp_path / f"Polygon (1).{suffix}"  # a name that looks like WKT
    geopandas.GeoDataFrame(geometry=[SQUARE], crs="EPSG:4326").to_file(path, driver=driver)
    for given_as in (path, str(path)):
        aoi = load_aoi(given_as)
        assert aoi.geometry.symmetric_difference(SQUARE).area < 1e-9
    if driver != "GeoJSON" and shutil.which("ogrinfo"):
        assert "45.1" in subprocess.run(["ogrinfo", "-so", "-al", path], capture_output=True, text=True, check=False).stdout


def test_projected_file_is_reprojected(tmp_path):
    utm = shapely.box(500_000, 5_000_000, 505_000, 5_004_000)
    path = tmp_path / "utm.gpkg"
    geopandas.GeoDataFrame(geometry=[utm], crs="EPSG:32633").to_file(path)
    aoi = load_aoi(path)
    expected = geopandas.GeoSeries([shapely.segmentize(utm, 50)], crs="EPSG:32633").to_crs(4326).iloc[0]
    assert aoi.geometry.symmetric_difference(expected).area / expected.area < 1e-5
    assert aoi.area_m2 == pytest.approx(utm.area / 0.9996**2, rel=1e-4)
    same = load_aoi("500000,5000000,505000,5004000", crs="EPSG:32633")
    assert same.geometry.symmetric_difference(aoi.geometry).area / expected.area < 1e-9


def test_layers_are_chosen_by_name(tmp_path):
    path = tmp_path / "several.gpkg"
    other = shapely.box(0, 0, 1, 1)
    geopandas.GeoDataFrame(geometry=[SQUARE], crs="EPSG:4326").to_file(path, layer="a")
    geopandas.GeoDataFrame(geometry=[shapely.Point(0, 0)], crs="EPSG:4326").to_file(path, layer="points")
    assert load_aoi(path).geometry.equals(SQUARE)  # the only one with polygons
    geopandas.GeoDataFrame(geometry=[other], crs="EPSG:4326").to_file(path, layer="b")
    assert load_aoi(path, layer="b").geometry.equals(other)
    assert load_aoi(f"{path}|layername=b").geometry.equals(other)
    with pytest.raises(InputError, match=r"several layers \(a, b\)"):
        load_aoi(path)
    with pytest.raises(InputError, match="no layer 'c'"):
        load_aoi(path, layer="c")
    with pytest.raises(InputError, match="no polygon"):
        load_aoi(path, layer="points")


def test_file_without_a_system(tmp_path):
    path = tmp_path / "bare.shp"
    geopandas.GeoDataFrame(geometry=[SQUARE]).to_file(path)
    assert any("EPSG:4326" in note for note in load_aoi(path).notes)
    metres = tmp_path / "metres.shp"
    geopandas.GeoDataFrame(geometry=[shapely.box(500_000, 5_000_000, 505_000, 5_004_000)]).to_file(metres)
    with pytest.raises(InputError, match="does not name its coordinate system"):
        load_aoi(metres)
    assert load_aoi(metres, crs="EPSG:32633").area_m2 == pytest.approx(2e7, rel=1e-2)


def test_the_file_knows_its_system_better(tmp_path):
    path = tmp_path / "a.gpkg"
    geopandas.GeoDataFrame(geometry=[SQUARE], crs="EPSG:4326").to_file(path)
    aoi = load_aoi(path, crs="EPSG:32633")
    assert aoi.geometry.equals(SQUARE)
    assert any("was not used" in note for note in aoi.notes)


def test_overlapping_features_count_once(tmp_path):
    path = tmp_path / "two.geojson"
    geopandas.GeoDataFrame(geometry=[SQUARE, shapely.affinity.translate(SQUARE, 0.05, 0)], crs="EPSG:4326").to_file(path)
    assert load_aoi(path).geometry.equals(shapely.box(10, 45, 10.15, 45.1))


MENDED = {
    "bow tie": ("POLYGON ((0 0, 1 1, 1 0, 0 1, 0 0))", 0.5),
    "hole across the border": ("POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0), (1 1, 3 1, 3 1.5, 1 1.5, 1 1))", 3.5),
    "spike": ("POLYGON ((0 0, 1 0, 1 1, 0 1, 0 0.5, -1 0.5, 0 0.5, 0 0))", 1.0),
    "overlapping parts": ("MULTIPOLYGON (((0 0, 1 0, 1 1, 0 1, 0 0)), ((0.5 0, 1.5 0, 1.5 1, 0.5 1, 0.5 0)))", 1.5),
}


@pytest.mark.parametrize("kind", MENDED)
def test_mended(kind):
    text, degrees2 = MENDED[kind]
    aoi = load_aoi(text)
    assert aoi.geometry.is_valid
    assert aoi.geometry.area == pytest.approx(degrees2, rel=1e-6)
    assert kind == "overlapping parts" or any("mended" in note for note in aoi.notes)


def test_holes_and_parts_stay():
    ring = SQUARE.difference(shapely.box(10.04, 45.04, 10.06, 45.06))
    far = shapely.box(-70, -10, -69.9, -9.9)
    aoi = load_aoi(shapely.MultiPolygon([ring, far]).wkt)
    assert aoi.geometry.equals(shapely.MultiPolygon([ring, far]))
    assert aoi.area_m2 == pytest.approx(geod_area(ring) + geod_area(far), rel=1e-6)


def test_across_the_date_line():
    split = load_aoi(shapely.MultiPolygon([shapely.box(179, -17, 180, -15), shapely.box(-180, -17, -178, -15)]).wkt)
    for text in ("179,-17,182,-15", "-181,-17,-178,-15", shapely.box(179, -17, 182, -15).wkt):
        aoi = load_aoi(text)
        assert aoi.geometry.equals(split.geometry)
        assert aoi.bounds[0] == -180
        assert aoi.bounds[2] == 180
        assert aoi.area_m2 == pytest.approx(split.area_m2, rel=1e-12)
    assert load_aoi("190,0,191,1").geometry.equals(shapely.box(-170, 0, -169, 1))


def test_a_projected_area_across_the_date_line():
    fiji = shapely.Point(2_000_000, 3_900_000).buffer(200_000)  # EPSG:3460, Fiji Map Grid
    aoi = load_aoi(f"CRS=EPSG:3460;{fiji.wkt}")
    assert aoi.area_m2 == pytest.approx(fiji.area, rel=2e-3)
    assert aoi.bounds[0] == -180
    assert aoi.bounds[2] == 180


@pytest.mark.parametrize(("crs", "pole"), [("EPSG:3413", 90), ("EPSG:3995", 90), ("EPSG:3031", -90), ("EPSG:6931", 90)])
def test_around_a_pole(crs, pole):
    with_hole = load_aoi(f"CRS={crs};{polar_disc(with_hole=True).wkt}")
    disc = load_aoi(f"CRS={crs};{polar_disc(with_hole=False).wkt}")
    assert disc.geometry.is_valid
    assert shapely.intersects_xy(disc.geometry, 33.0, pole)
    assert not shapely.intersects_xy(with_hole.geometry, 33.0, pole)
    equal_area = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:6931" if pole > 0 else "EPSG:6932", always_xy=True)
    for aoi in (disc, with_hole):
        rng = np.random.default_rng(1)
        lon, lat = rng.uniform(-180, 180, 4000), pole - np.sign(pole) * 2.2 * np.sqrt(rng.uniform(0, 1, 4000))
        x, y = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(lon, lat)
        truth = shapely.contains_xy(polar_disc(with_hole=aoi is with_hole), x, y)
        assert (shapely.contains_xy(aoi.geometry, lon, lat) == truth).mean() > 0.999
        to_equal_area = pyproj.Transformer.from_crs(crs, equal_area.target_crs, always_xy=True)
        flat = shapely.transform(
            shapely.segmentize(polar_disc(with_hole=aoi is with_hole), 500), to_equal_area.transform, interleaved=False
        )
        assert aoi.area_m2 == pytest.approx(flat.area, rel=1e-4)


def test_a_ring_around_the_pole_that_runs_to_and_fro():
    """It crosses its first vertex's meridian several times, so that a cut from there to the pole would cross the ring."""
    angle = np.radians(np.array([0, 40, 80, 60, 20, -10, -20, 50, 120, 200, 280, 330]))
    radius = np.array([30, 32, 34, 26, 24, 22, 14, 12, 30, 40, 35, 33]) * 1000.0
    shape = shapely.Polygon(np.stack([np.cos(angle), np.sin(angle)], -1) * radius[:, None])
    assert shape.is_valid
    assert shape.contains(shapely.Point(0, 0))
    for turn in range(0, 360, 60):
        turned = shapely.affinity.rotate(shape, turn, origin=(0, 0))
        for crs in ("+proj=laea +lat_0=90 +datum=WGS84", "+proj=laea +lat_0=-90 +lon_0=50 +datum=WGS84"):
            assert load_aoi(turned.wkt, crs=crs).area_m2 == pytest.approx(shape.area, rel=1e-4)


def polar_disc(*, with_hole):
    disc = shapely.Point(40_000, -20_000).buffer(150_000, 64)
    return disc.difference(shapely.Point(20_000, 0).buffer(50_000, 64)) if with_hole else disc


def test_the_world_in_web_mercator_and_in_crs84():
    edge = 20_037_508.342789244
    assert load_aoi(f"{-edge},{-edge},{edge},{edge}", crs="EPSG:3857").bounds == pytest.approx((-180, -85.0511, 180, 85.0511), abs=1e-3)
    assert load_aoi("-180,-90,180,90", crs="OGC:CRS84").area_m2 == pytest.approx(510_065_621_724_088.0, rel=1e-9)
    assert load_aoi("179,-17,182,-15", crs="OGC:CRS84").geometry.equals(load_aoi("179,-17,182,-15").geometry)


def test_a_wide_area_gets_a_hint():
    assert any("±180°" in note for note in load_aoi("POLYGON ((-179 0, 179 0, 179 1, -179 1, -179 0))").notes)


REFUSED = {
    "nothing": ("", "is empty"),
    "no such file": ("/nowhere/area.gpkg", "no file that exists"),
    "prose": ("somewhere in Wales", "no file that exists"),
    "long prose": ("x" * 10_000, "no file that exists"),
    "zero byte": ("a\0b", "no file that exists"),
    "three numbers": ("1,2,3", "does not have four numbers"),
    "swapped box": ("170,0,-170,1", "add 360"),
    "upside down": ("0,2,1,1", "maxy < miny"),
    "flat box": ("0,0,0,1", "no area"),
    "point box": ("1,1,1,1", "no area"),
    "nan box": ("0,0,nan,1", "not finite"),
    "infinite box": ("0,0,inf,1", "not finite"),
    "beyond the pole": ("0,80,1,91", "outside the world"),
    "metres": ("500000,5000000,505000,5004000", "outside the world"),
    "too wide": ("-200,0,200,1", "wider than the world"),
    "bad wkt": ("POLYGON ((0 0, 1 1", "not valid WKT"),
    "ring of two points": ("POLYGON ((0 0, 1 0))", "not valid WKT"),
    "nan wkt": ("POLYGON ((0 0, nan 1, 1 1, 0 0))", "not finite"),
    "empty wkt": ("POLYGON EMPTY", "is empty"),
    "point": ("POINT (1 1)", "no polygon"),
    "line": ("LINESTRING (0 0, 1 1)", "no polygon"),
    "flat polygon": ("POLYGON ((0 0, 1 1, 2 2, 0 0))", "no area"),
    "dust": ("POLYGON ((0 0, 1e-8 0, 1e-8 1e-8, 0 0))", "no area on the ground"),
    "bad json": ('{"type": "Polygon"', "not valid JSON"),
    "no type": ('{"a": 1}', "cannot be read"),
    "no coordinates": ('{"type": "Polygon"}', "cannot be read"),
    "text coordinates": ('{"type": "Polygon", "coordinates": [[["a", 0], [1, 0], [1, 1], ["a", 0]]]}', "cannot be read"),
    "no features": ('{"type": "FeatureCollection", "features": []}', "is empty"),
    "null geometry": ('{"type": "Feature", "geometry": null}', "is empty"),
    "unknown srid": ("SRID=999999;POLYGON ((0 0, 1 0, 1 1, 0 0))", "is unknown"),
    "unknown crs": ("CRS=Narnia;0,0,1,1", "is unknown"),
    "undefined there": ("CRS=EPSG:3995;1e30,1e30,2e30,2e30", "outside the area"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused_in_one_sentence(kind):
    text, words = REFUSED[kind]
    with pytest.raises(InputError, match=words) as caught:
        load_aoi(text)
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) < 400


@pytest.mark.parametrize(
    ("name", "content"), [("a.gpkg", b"not a database"), ("a.shp", b""), ("a.geojson", b"{]"), ("a.txt", b"hello"), ("a.zip", b"PK")]
)
def test_files_that_are_no_vector_files(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match="not a vector file"):
        load_aoi(path)


def test_a_folder_and_a_table_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"not a vector file|no layer"):
        load_aoi(tmp_path)
    table = tmp_path / "t.csv"
    table.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="no layer with geometries"):
        load_aoi(table)
