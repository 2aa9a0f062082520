"""Home zones: what is in them and what is not, however they are written."""

import json

import geopandas
import numpy as np
import pytest
from shapely.geometry import Point, box

from vidtag_engine.geodesy import WGS84
from vidtag_engine.training.home_zone import HomeZone, homes_of, in_homes
from vidtag_engine.types import InputError

HOME = (55.7047, 13.1910)


def places(*metres: tuple[float, float]) -> np.ndarray:
    """(n, 2) places so many metres north and east of home."""
    north, east = np.array(metres, dtype=float).T
    lon, lat, _ = WGS84.fwd(
        np.full(len(north), HOME[1]), np.full(len(north), HOME[0]), np.degrees(np.arctan2(east, north)), np.hypot(north, east)
    )
    return np.stack([lat, lon], axis=1)


def test_a_circle_is_as_wide_as_it_says():
    homes, notes = homes_of(["55.7047,13.1910,300"])
    assert notes == []
    assert in_homes(homes, places((0, 0), (298, 0), (0, -298), (302, 0), (0, 302))).tolist() == [True, True, True, False, False]
    assert in_homes([], places((0, 0))).tolist() == [False]
    assert in_homes(homes, np.empty((0, 2))).tolist() == []


@pytest.mark.parametrize("name", ["zones.gpkg", "zones.geojson", "zones.shp"])
def test_polygons_of_a_file_are_left_out_whole_in_whatever_system(tmp_path, name):
    metric = geopandas.GeoSeries([Point(HOME[::-1])], crs=4326).to_crs(32633).iloc[0]
    squares = [
        box(metric.x - 50, metric.y - 200, metric.x + 50, metric.y + 200),
        box(metric.x + 900, metric.y, metric.x + 1000, metric.y + 50),
    ]
    frame = geopandas.GeoDataFrame({"name": ["house", "cottage"]}, geometry=squares, crs=32633)
    frame = frame.to_crs(4326) if name.endswith("geojson") else frame
    frame.to_file(tmp_path / name)
    homes, _ = homes_of([str(tmp_path / name), "55,13,10"])
    assert len(homes) == 2
    steps = ((0, 0), (30, 180), (-40, -190), (60, 0), (0, 210), (950, 25), (1010, 25))
    asked = geopandas.GeoSeries([Point(metric.x + east, metric.y + north) for east, north in steps], crs=32633).to_crs(4326)
    turned = np.stack([asked.y, asked.x], axis=1)
    assert in_homes(homes, turned).tolist() == [True, True, True, False, False, True, False]
    assert in_homes(homes, np.array([[55.0, 13.0]])).tolist() == [True]


def test_geojson_may_name_its_system_and_what_is_no_polygon_is_said():
    square = {"type": "Polygon", "coordinates": [[[0, 0], [1000, 0], [1000, 1000], [0, 1000], [0, 0]]]}
    features = [{"type": "Feature", "properties": {}, "geometry": one} for one in (square, {"type": "Point", "coordinates": [5, 5]})]
    written = {"type": "FeatureCollection", "features": features, "crs": {"type": "name", "properties": {"name": "EPSG:3857"}}}
    homes, notes = homes_of([json.dumps(written)] * 2)
    assert in_homes(homes, np.array([[0.005, 0.005], [0.005, 0.02]])).tolist() == [True, False]
    assert len(notes) == 1
    assert notes[0].startswith("Home zones: ")
    assert "1 of type Point" in notes[0]


@pytest.mark.parametrize(
    "text", ["", " ", "55.7", "55.7,13.2", "a,b,c", "95,13,100", "55.7,13.2,0", "55.7,13.2,-5", "nan,0,5", "0,0,1,1", "/no/such.gpkg"]
)
def test_a_home_zone_that_is_none_is_a_sentence(text):
    with pytest.raises(InputError, match="is no home zone"):
        homes_of([text])
    with pytest.raises(InputError, match="is no home zone"):
        HomeZone.of(text)


def test_a_file_without_polygons_is_a_sentence_that_names_it(tmp_path):
    geopandas.GeoDataFrame(geometry=[Point(13, 55)], crs=4326).to_file(tmp_path / "pins.gpkg")
    with pytest.raises(InputError, match=r"^pins.gpkg cannot be taken as a home zone. .* holds no polygon"):
        homes_of([str(tmp_path / "pins.gpkg")])
    with pytest.raises(InputError, match=r"^The polygons cannot be taken as a home zone\. "):
        homes_of(['{"type": "FeatureCollection", "features": []}'])
