"""Road layers as users have them: what their tags say, and what is said of layers that hold no roads of the place."""

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import Transformer

from vidtag_engine.roads.layer import open_roads, read_road_lines
from vidtag_engine.types import InputError

PLANE = Transformer.from_crs("EPSG:4326", "+proj=laea +lat_0=50 +lon_0=8 +ellps=WGS84", always_xy=True)
AREA = shapely.box(7.99, 49.99, 8.01, 50.01)
OSM = """<?xml version='1.0' encoding='UTF-8'?>
<osm version="0.6" generator="a test">
 <node id="1" lat="50.0" lon="8.000"/><node id="2" lat="50.0" lon="8.002"/><node id="3" lat="50.001" lon="8.002"/>
 <node id="4" lat="49.999" lon="8.001"/><node id="5" lat="50.001" lon="8.001"/><node id="6" lat="50.002" lon="8.003"/>
 <way id="10"><nd ref="1"/><nd ref="2"/><tag k="highway" v="residential"/><tag k="name" v="Acker"/><tag k="oneway" v="-1"/></way>
 <way id="11"><nd ref="4"/><nd ref="5"/><tag k="highway" v="primary"/><tag k="bridge" v="yes"/><tag k="layer" v="2"/></way>
 <way id="12"><nd ref="2"/><nd ref="3"/><tag k="highway" v="footway"/><tag k="name" v="Pfad"/></way>
 <way id="13"><nd ref="3"/><nd ref="6"/><tag k="waterway" v="river"/></way>
 <way id="14"><nd ref="3"/><nd ref="6"/><tag k="highway" v="tertiary"/><tag k="junction" v="roundabout"/></way>
</osm>
"""


def lines_of(path, mode="car", area=AREA, plane=PLANE):
    return read_road_lines(open_roads(path), area, plane, mode)


def test_an_extract_of_openstreetmap_is_read_with_its_tags(tmp_path):
    file = tmp_path / "town.osm"
    file.write_text(OSM, encoding="utf-8")
    lines = lines_of(file)
    assert [(line.name, line.oneway, line.level) for line in lines] == [("Acker", -1, 0), ("", 0, 2), ("", 1, 0)]
    x, y = PLANE.transform(8.002, 50.0)
    np.testing.assert_allclose(lines[0].xy_m[1], (x, y), atol=0.01)
    assert {line.name for line in lines_of(file, "walk")} == {"Acker", "Pfad", ""}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"fclass": "residential", "oneway": "F", "bridge": "F", "tunnel": "F", "layer": 0}, (1, 0)),
        ({"fclass": "residential", "oneway": "T", "bridge": "T", "tunnel": "F", "layer": 0}, (-1, 1)),
        ({"fclass": "residential", "oneway": "B", "bridge": "F", "tunnel": "T", "layer": -2}, (0, -2)),
        ({"highway": "motorway"}, (1, 0)),
        ({"highway": "motorway", "oneway": "no"}, (0, 0)),
        ({"highway": "residential", "tunnel": "yes"}, (0, -1)),
        ({"HIGHWAY": "residential", "OneWay": "yes"}, (1, 0)),
        ({}, (0, 0)),
    ],
)
def test_tags_of_other_layers(tmp_path, columns, expected):
    file = tmp_path / "roads.gpkg"
    frame = geopandas.GeoDataFrame(
        {name: [value] for name, value in columns.items()}, geometry=[shapely.LineString([(8, 50), (8.001, 50)])], crs=4326
    )
    frame.to_file(file, layer="roads", driver="GPKG")
    (line,) = lines_of(file)
    assert (line.oneway, line.level) == expected


def test_a_layer_in_another_system_lies_where_it_says(tmp_path):
    file = tmp_path / "roads.gpkg"
    frame = geopandas.GeoDataFrame({"name": ["A"]}, geometry=[shapely.LineString([(8.0, 50.0), (8.002, 50.001)])], crs=4326).to_crs(25832)
    frame.to_file(file, driver="GPKG")
    (line,) = lines_of(file)
    np.testing.assert_allclose(line.xy_m, np.column_stack(PLANE.transform([8.0, 8.002], [50.0, 50.001])), atol=0.01)


def test_multilines_are_taken_apart_and_points_left(tmp_path):
    file = tmp_path / "roads.gpkg"
    parts = shapely.MultiLineString([[(8, 50), (8.001, 50)], [(8.002, 50), (8.003, 50)]])
    geopandas.GeoDataFrame({"name": ["A"]}, geometry=[parts], crs=4326).to_file(file, driver="GPKG")
    assert len(lines_of(file)) == 2


def test_roads_of_another_place_are_said_to_be_so(tmp_path):
    file = tmp_path / "roads.gpkg"
    geopandas.GeoDataFrame(geometry=[shapely.LineString([(9, 51), (9.1, 51)])], crs=4326).to_file(file, driver="GPKG")
    with pytest.raises(InputError, match="lies in the area: it is of another place"):
        lines_of(file)


@pytest.mark.parametrize(
    ("shapes", "said"),
    [([], "nothing"), ([None], "nothing"), ([shapely.box(8, 50, 8.001, 50.001), shapely.Point(8, 50)], "Point, Polygon")],
)
def test_a_layer_without_a_line_is_not_said_to_be_of_another_place(tmp_path, shapes, said):
    file = tmp_path / "roads.gpkg"
    geometry = np.array([shape and shapely.to_wkb(shape) for shape in shapes], dtype=object)
    pyogrio.raw.write(file, geometry, [], [], geometry_type="Unknown", crs="EPSG:4326", driver="GPKG")
    with pytest.raises(InputError, match=rf"'roads' of roads.gpkg holds no line \({said}\): give a layer of lines"):
        lines_of(file)


def test_roads_that_are_closed_to_cars_are_said_to_be_so(tmp_path):
    file = tmp_path / "roads.gpkg"
    geopandas.GeoDataFrame({"highway": ["steps"]}, geometry=[shapely.LineString([(8, 50), (8.001, 50)])], crs=4326).to_file(
        file, driver="GPKG"
    )
    with pytest.raises(InputError, match="open to a car: give another --motion"):
        lines_of(file)
    assert len(lines_of(file, "walk")) == 1


def test_no_lines_and_no_file_are_said(tmp_path):
    file = tmp_path / "points.gpkg"
    geopandas.GeoDataFrame(geometry=[shapely.Point(8, 50)], crs=4326).to_file(file, driver="GPKG")
    with pytest.raises(InputError, match="hold no lines"):
        open_roads(file)
    with pytest.raises(InputError, match="are not there"):
        open_roads(tmp_path / "none.gpkg")


def test_roads_are_cut_at_the_areas_edge(tmp_path):
    file = tmp_path / "roads.gpkg"
    geopandas.GeoDataFrame(geometry=[shapely.LineString([(7.9, 50.0), (8.1, 50.0)])], crs=4326).to_file(file, driver="GPKG")
    (line,) = lines_of(file)
    lon, _ = PLANE.transform(*line.xy_m.T, direction="INVERSE")
    assert (lon.min(), lon.max()) == pytest.approx((7.99, 8.01), abs=1e-6)
