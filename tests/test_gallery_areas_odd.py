"""Areas across ±180° that nobody split, and files with a pin, an open ring or two outer rings: by every way that an area comes in."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer

import geopandas
import numpy as np
import pyproj
import pytest
import shapely
import shapely.affinity
from hypothesis import given, settings
from hypothesis import strategies as st

from vidtag_engine.grid.aoi import load_aoi
from vidtag_engine.types import InputError

GEOD = pyproj.Geod(ellps="WGS84")
FIJI = [(179.9, -17.0), (-179.9, -17.0), (-179.9, -16.9), (179.9, -16.9)]
SQUARE = [(10.0, 45.0), (10.1, 45.0), (10.1, 45.1), (10.0, 45.1)]
PIN, STUB = {"type": "Point", "coordinates": [10, 45]}, {"type": "LineString", "coordinates": [[10, 45]]}


def polygon(*rings, close=True):
    """GeoJSON of rings that are given open."""
    return {"type": "Polygon", "coordinates": [[list(point) for point in (*ring, *ring[:1][: int(close)])] for ring in rings]}


def collection(*geometries, **more):
    return {"type": "FeatureCollection", **more, "features": [{"type": "Feature", "properties": {}, "geometry": one} for one in geometries]}


def wkt(geometry):
    rings = ", ".join("(" + ", ".join(f"{x} {y}" for x, y in ring) + ")" for ring in geometry["coordinates"])
    return f"POLYGON ({rings})"


def kml_of(geometry):
    """KML of a GeoJSON geometry, written by hand so that it may be wrong."""
    kind = geometry["type"]
    if kind == "GeometryCollection":
        return f"<MultiGeometry>{''.join(map(kml_of, geometry['geometries']))}</MultiGeometry>"
    lists = (
        [geometry["coordinates"]] if kind == "LineString" else geometry["coordinates"] if kind == "Polygon" else [[geometry["coordinates"]]]
    )
    texts = [f"<coordinates>{' '.join(f'{x},{y},0' for x, y in points)}</coordinates>" for points in lists]
    if kind != "Polygon":
        return f"<{kind}>{texts[0]}</{kind}>"
    outer, *inner = (f"<LinearRing>{text}</LinearRing>" for text in texts)
    holes = "".join(f"<innerBoundaryIs>{ring}</innerBoundaryIs>" for ring in inner)
    return f"<Polygon><outerBoundaryIs>{outer}</outerBoundaryIs>{holes}</Polygon>"


def kml(*bodies, folders=False):
    marks = [f"<Placemark><name>{number}</name>{body}</Placemark>" for number, body in enumerate(bodies)]
    marks = [f"<Folder><name>F{number}</name>{mark}</Folder>" for number, mark in enumerate(marks)] if folders else marks
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{"".join(marks)}</Document></kml>'
    )


def written(folder, form, geometry):
    """The geometry in one of the forms that an area comes in."""
    path = folder / f"area.{form}"
    if form == "wkt":
        return wkt(geometry)
    if form == "ewkt":
        return f"SRID=4326;{wkt(geometry)}"
    if form == "crs wkt":
        return f"CRS=OGC:CRS84;{wkt(geometry)}"
    if form == "dict":
        return geometry
    if form == "text":
        return json.dumps(collection(geometry))
    if form == "geojson":
        path.write_text(json.dumps(collection(geometry)))
    elif form == "kml":
        path.write_text(kml(kml_of(geometry)))
    elif form == "kmz":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("doc.kml", kml(kml_of(geometry)))
    else:
        driver = {"gpkg": "GPKG", "shp": "ESRI Shapefile", "fgb": "FlatGeobuf"}[form]
        geopandas.GeoDataFrame(geometry=[shapely.geometry.shape(geometry)], crs="EPSG:4326").to_file(path, driver=driver)
    return path


FORMS = ["wkt", "ewkt", "crs wkt", "dict", "text", "geojson", "kml", "kmz", "gpkg", "shp", "fgb"]
NARROW_M2 = abs(GEOD.geometry_area_perimeter(shapely.segmentize(shapely.box(179.9, -17, 180.1, -16.9), 0.01))[0])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("way", [1, -1])
def test_an_unsplit_polygon_across_180_is_the_narrow_one(tmp_path, form, way):
    aoi = load_aoi(written(tmp_path, form, polygon(FIJI[::way])))
    assert aoi.geometry.equals(shapely.MultiPolygon([shapely.box(179.9, -17, 180, -16.9), shapely.box(-180, -17, -179.9, -16.9)]))
    assert aoi.area_m2 == pytest.approx(NARROW_M2, rel=1e-7)
    assert aoi.area_m2 == pytest.approx(235.8e6, rel=1e-3)
    [note] = [note for note in aoi.notes if "±180°" in note]
    assert "0.2° wide" in note


@pytest.mark.skipif(shutil.which("ogr2ogr") is None, reason="GDAL's ogr2ogr is not installed")
def test_gdal_cuts_it_there_too(tmp_path):
    bent = [(170.5, -10), (-175, -12), (-168, 3), (-179, 11), (172, 8), (179.5, 1)]
    path = written(tmp_path, "geojson", polygon(bent))
    subprocess.run(["ogr2ogr", "-wrapdateline", "-datelineoffset", "60", tmp_path / "cut.gpkg", path], check=True)
    by_gdal = geopandas.read_file(tmp_path / "cut.gpkg").geometry.iloc[0]
    assert by_gdal.geom_type == "MultiPolygon"
    assert load_aoi(path).geometry.symmetric_difference(by_gdal).area < 1e-9


@settings(max_examples=60, deadline=None)
@given(
    st.floats(121, 179.99), st.floats(0.01, 119), st.floats(-89, 80), st.floats(0.01, 9), st.integers(0, 3), st.booleans(), st.booleans()
)
def test_rectangles_across_180(west, beyond, south, height, first, backwards, hole):
    """However the ring begins and turns: the same as the 181-style one, as the split one, and as the geodesic area on pyproj's ellipsoid."""
    east = min(180 + beyond, west + 179)
    if east <= 180.0005:
        return
    whole = shapely.box(west, south, east, south + height)
    if hole:
        whole = whole.difference(shapely.affinity.scale(whole, 0.3, 0.3))

    def ring(one):
        points = [(round(x, 9) - 360 if x > 180 else x, y) for x, y in one.coords[:-1]]
        points = points[first:] + points[:first]
        return points[::-1] if backwards else points

    aoi = load_aoi(polygon(*map(ring, [whole.exterior, *whole.interiors])))
    expected = load_aoi(whole.wkt)
    assert aoi.geometry.symmetric_difference(expected.geometry).area < 1e-7
    assert aoi.area_m2 == pytest.approx(expected.area_m2, rel=1e-6)
    around = shapely.segmentize(shapely.orient_polygons(whole), 0.05)
    assert aoi.area_m2 == pytest.approx(abs(GEOD.geometry_area_perimeter(around)[0]), rel=1e-4)
    again = load_aoi(json.loads(shapely.to_geojson(aoi.geometry)))  # split at ±180, as RFC 7946 wants it
    assert again.geometry.equals(aoi.geometry)
    assert again.notes == ()


def test_holes_on_either_side_of_it():
    holes = [
        [(179.92, -16.98), (179.95, -16.98), (179.95, -16.92), (179.92, -16.92)],
        [(-179.95, -16.98), (-179.92, -16.98), (-179.92, -16.92)],
    ]
    aoi = load_aoi(polygon(FIJI, *holes))
    assert aoi.geometry.area == pytest.approx(0.02 - 0.03 * 0.06 - 0.03 * 0.06 / 2, rel=1e-9)
    assert not shapely.intersects_xy(aoi.geometry, [179.93, -179.93], [-16.95, -16.975]).any()


def test_a_ring_with_corners_on_the_meridian_itself():
    """Both -180 and 180 stand in it, next to each other: a side of 360° that is no way at all."""
    ring = [(179.9, -17), (180, -17), (-180, -17), (-179.9, -17), (-179.9, -16.9), (-180, -16.9), (180, -16.9), (179.9, -16.9)]
    assert load_aoi(polygon(ring)).area_m2 == pytest.approx(NARROW_M2, rel=1e-7)


def test_what_is_plainly_wide_stays_wide():
    globe = 510_065_621_724_088.0  # Karney, geodesic areas, 2013
    assert load_aoi("POLYGON ((-180 -90, 180 -90, 180 90, -180 90, -180 -90))").area_m2 == pytest.approx(globe, rel=1e-9)
    assert load_aoi("POLYGON ((-180 -90, 180 -90, 180 90, 0 90, -180 90, -180 -90))").area_m2 == pytest.approx(globe, rel=1e-9)
    wide = load_aoi("-170,-10,170,10")
    assert wide.bounds == (-170, -10, 170, 10)
    corners = [(-170, -10), (0, -10), (170, -10), (170, 10), (0, 10), (-170, 10)]
    assert load_aoi(polygon(corners)).geometry.equals(wide.geometry)
    narrow = load_aoi(polygon([(-170, -10), (170, -10), (170, 10), (-170, 10)]))  # four corners cannot say which; the note does
    assert narrow.geometry.area == pytest.approx(20 * 20)
    assert "long way" in narrow.notes[0]


def test_rings_around_a_pole():
    """One side crosses ±180° and none comes back: what it encloses holds the pole."""
    lon = np.arange(-170.0, 180.0, 20.0)
    for sign in (1, -1):
        aoi = load_aoi(polygon([(x, sign * 80.0) for x in lon]))
        assert aoi.area_m2 == pytest.approx(load_aoi(f"-180,{min(80 * sign, 90 * sign)},180,{max(80 * sign, 90 * sign)}").area_m2, rel=1e-9)
    antarctica = [(-180, -90), (-180, -80), (0, -70), (180, -80), (180, -90)]
    aoi = load_aoi(polygon(antarctica))
    assert aoi.geometry.equals(shapely.Polygon(antarctica))
    assert aoi.notes == ()


BESIDE = {
    "a pin": ([PIN, polygon(SQUARE)], "1 of type Point"),
    "a line of one point": ([STUB, polygon(SQUARE)], "1 of type LineString"),
    "both in a collection": (
        [{"type": "GeometryCollection", "geometries": [PIN, STUB, polygon(SQUARE)]}],
        "1 of type LineString, 1 of type Point",
    ),
    "a ring that is not closed": ([polygon(SQUARE, close=False)], "not closed"),
    "a line of one point and an open ring": ([STUB, polygon(SQUARE, close=False)], "not closed"),
    "a polygon without area": ([polygon([(20, 1), (21, 2), (22, 3)]), polygon(SQUARE)], "1 polygons without any area"),
}


@pytest.mark.parametrize("kind", BESIDE)
@pytest.mark.parametrize("form", ["text", "geojson", "wkt", "kml", "kmz", "folders.kml", "geojsonl"])
def test_the_polygon_is_taken_and_the_rest_noted(tmp_path, kind, form, recwarn):
    geometries, words = BESIDE[kind]
    path = tmp_path / f"a.{form}"
    if form == "text":
        given = json.dumps(collection(*geometries))
    elif form == "wkt":
        given = {
            "a pin": f"GEOMETRYCOLLECTION (POINT (10 45), {wkt(polygon(SQUARE))})",
            "a line of one point": f"GEOMETRYCOLLECTION (LINESTRING (10 45), {wkt(polygon(SQUARE))})",
            "both in a collection": f"GEOMETRYCOLLECTION (POINT (1 2), LINESTRING (10 45), {wkt(polygon(SQUARE))})",
            "a ring that is not closed": wkt(polygon(SQUARE, close=False)),
            "a line of one point and an open ring": f"GEOMETRYCOLLECTION (LINESTRING (10 45), {wkt(polygon(SQUARE, close=False))})",
            "a polygon without area": f"MULTIPOLYGON (((20 1, 21 2, 22 3, 20 1)), {wkt(polygon(SQUARE)).removeprefix('POLYGON ')})",
        }[kind]
    else:
        given = path
        if form == "kmz":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("doc.kml", kml(*map(kml_of, geometries)))
        elif "kml" in form:
            path.write_text(kml(*map(kml_of, geometries), folders="folders" in form and kind != "a polygon without area"))
        elif form == "geojsonl":  # GDAL reads these, and gives geometries that GEOS does not take
            path.write_text("\n".join(json.dumps(one) for one in collection(*geometries)["features"]) + "\n")
        else:
            path.write_text(json.dumps(collection(*geometries)))
    aoi = load_aoi(given)
    assert aoi.geometry.symmetric_difference(shapely.Polygon(SQUARE)).area < 1e-12
    assert any(words in note or ("folders" in form and "without polygons" in note) for note in aoi.notes), aoi.notes
    assert [one for one in recwarn if "ring" in str(one.message)] == []


def test_two_outer_rings_in_one_polygon(tmp_path):
    """Both are taken, and what lies in the second is its hole; no such ring swallows a good polygon."""
    second = [(x + 1, y) for x, y in SQUARE]
    hole = [(11.02, 45.02), (11.04, 45.02), (11.04, 45.04)]
    for rings in ([SQUARE, second, hole], [SQUARE, hole, second], [second, SQUARE, hole]):
        expected = shapely.union_all([shapely.Polygon(SQUARE), shapely.Polygon(second, [hole])])
        for form in ("wkt", "dict", "text", "geojson", "gpkg"):
            aoi = load_aoi(written(tmp_path, form, polygon(*rings)))
            assert aoi.geometry.symmetric_difference(expected).area < 1e-12
            assert "several outer rings" in aoi.notes[0]
    plain = load_aoi(polygon(SQUARE, [(10.02, 45.02), (10.04, 45.02), (10.04, 45.04)]))
    assert plain.notes == ()
    across = load_aoi(polygon(FIJI, SQUARE))
    assert across.area_m2 == pytest.approx(NARROW_M2 + load_aoi(polygon(SQUARE)).area_m2, rel=1e-7)


@pytest.mark.parametrize("prefix", ["", "k:"])
def test_two_outer_boundaries_in_a_kml(tmp_path, prefix):
    """GDAL keeps the last alone."""
    squares = [SQUARE, [(x + 1, y) for x, y in SQUARE]]
    boundaries = [kml_of(polygon(ring)).removeprefix("<Polygon>").removesuffix("</Polygon>") for ring in squares]
    hole = kml_of(polygon(SQUARE, [(10.02, 45.02), (10.04, 45.02), (10.04, 45.04)])).partition("</outerBoundaryIs>")[2]
    text = kml(f"<Polygon>{boundaries[0]}{hole.removesuffix('</Polygon>')}{boundaries[1]}</Polygon>", kml_of(PIN))
    if prefix:
        text = text.replace("</", "<\0").replace("<", "<k:").replace("<k:\0", "</k:").replace("<k:?", "<?").replace("xmlns=", "xmlns:k=")
    (tmp_path / "two.kml").write_text(text)
    with zipfile.ZipFile(tmp_path / "two.kmz", "w") as archive:
        archive.writestr("doc.kml", text)
    for name in ("two.kml", "two.kmz"):
        aoi = load_aoi(tmp_path / name)
        expected = 0.02 - 0.02 * 0.02 / 2
        assert aoi.geometry.area == pytest.approx(expected, rel=1e-9)
        assert any("2 outer rings" in note for note in aoi.notes)


def test_kml_folders_of_which_two_hold_polygons(tmp_path):
    path = tmp_path / "a.kml"
    path.write_text(kml(kml_of(PIN), kml_of(polygon(SQUARE)), kml_of(polygon(FIJI)), folders=True))
    with pytest.raises(InputError, match=r"several layers \(F1, F2\)"):
        load_aoi(path)
    assert load_aoi(path, layer="F2").area_m2 == pytest.approx(NARROW_M2, rel=1e-7)
    path.write_text(kml(kml_of(PIN), kml_of(PIN), folders=True))
    with pytest.raises(InputError, match=r"no polygon \(Point\)"):
        load_aoi(path)


@pytest.fixture
def server():
    """Counts who asks it for a coordinate system."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(pyproj.CRS("EPSG:32633").to_wkt("WKT1_GDAL").encode())

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as one:
        thread = threading.Thread(target=one.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{one.server_port}", asked
        one.shutdown()


@pytest.mark.parametrize("form", ["text", "file"])
def test_a_linked_system_is_neither_fetched_nor_guessed(tmp_path, server, form):
    address, asked = server
    metres = [(500_000, 5_000_000), (505_000, 5_000_000), (505_000, 5_004_000), (500_000, 5_004_000)]

    def given(crs):
        text = json.dumps(collection(polygon(metres), crs=crs))
        (tmp_path / "a.geojson").write_text(text)
        return text if form == "text" else tmp_path / "a.geojson"

    linked = {"type": "link", "properties": {"href": f"{address}/crs/42", "type": "ogcwkt"}}
    for crs in (linked, {"type": "url", "properties": {"url": f"{address}/crs/42"}}):
        with pytest.raises(InputError, match=r"only by a link .*--aoi-crs"):
            load_aoi(given(crs))
        aoi = load_aoi(given(crs), crs="EPSG:32633")
        assert aoi.area_m2 == pytest.approx(2e7, rel=1e-2)
        assert any("was not followed" in note for note in aoi.notes)
    for said in ("http://www.opengis.net/def/crs/EPSG/0/32633", "https://spatialreference.org/ref/epsg/32633/proj4/"):
        known = load_aoi(given({"type": "link", "properties": {"href": said}}))
        assert known.geometry.equals(aoi.geometry)
    assert asked == []


def test_systems_that_geojson_names(tmp_path):
    metres = polygon([(500_000, 5_000_000), (505_000, 5_000_000), (505_000, 5_004_000), (500_000, 5_004_000)])
    named = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32633"}}
    expected = load_aoi(metres, crs="EPSG:32633").geometry
    for data in (
        collection(metres, crs=named),
        collection({**metres, "crs": named}),  # as PostGIS writes it
        {**metres, "crs": {"type": "EPSG", "properties": {"code": 32633}}},
    ):
        path = tmp_path / "a.geojson"
        path.write_text(json.dumps(data), encoding="utf-8-sig")
        assert load_aoi(data).geometry.equals(expected)
        assert load_aoi(path).geometry.equals(expected)
        assert load_aoi(path, layer="a").geometry.equals(expected)
    with pytest.raises(InputError, match="several coordinate systems"):
        load_aoi(collection({**metres, "crs": named}, crs={"type": "name", "properties": {"name": "EPSG:4326"}}))
    with pytest.raises(InputError, match="no layer 'b'"):
        load_aoi(path, layer="b")
