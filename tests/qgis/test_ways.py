"""Roads and motion tracks of "Geolocate video": what is refused, and what reaches the engine."""

from __future__ import annotations

import json
import math
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from qgis.core import QgsFeature, QgsGeometry, QgsProcessingFeatureSourceDefinition, QgsProject, QgsVectorLayer, QgsWkbTypes

from tests.qgis.common import SQUARE, Told, algorithm_of, context_of, layer_of, polygons, problem_of, run
from vidtag_qgis.engine_client.command_arguments import GeolocateArguments
from vidtag_qgis.wording import in_words, stage_text

pytestmark = pytest.mark.qgis
ROOT = Path(__file__).resolve().parents[2]
OSM = """<?xml version="1.0"?><osm version="0.6">
<node id="1" lat="-19.220" lon="159.931"/><node id="2" lat="-19.220" lon="159.933"><tag k="amenity" v="cafe"/></node>
<way id="3"><nd ref="1"/><nd ref="2"/><tag k="highway" v="residential"/><tag k="name" v="High Street"/></way></osm>"""


LINE = {"type": "LineString", "coordinates": [[159.931, -19.221], [159.931, -19.219]]}
COLLECTION = {
    "type": "FeatureCollection",
    "name": "ways",
    "features": [{"type": "Feature", "properties": {"name": "Storgatan"}, "geometry": LINE}],
}


@pytest.fixture
def given(plugin, engine_here, tmp_path):
    """A run's parameters, with more."""
    video = tmp_path / "drive.mp4"
    video.write_bytes(b"video")

    def parameters(**more) -> dict:
        return {"VIDEOS": [str(video)], "AOI": polygons(SQUARE).id(), "CHECKPOINT": "none", "OUTPUT": str(tmp_path / "o.gpkg"), **more}

    yield parameters
    QgsProject.instance().clear()


def streets(fields: str = "field=Name:string&field=oneway:integer&field=lanes:integer&field=layer:double") -> QgsVectorLayer:
    """Streets in the square, and one far off, in the project."""
    made = QgsVectorLayer(f"LineStringZ?crs=EPSG:4326&{fields}", "streets é", "memory")
    for place, values in ((159.931, ["Storgatan", 1, 2, 1.0]), (159.933, [None, None, None, None]), (12.0, ["Elsewhere", 0, 1, 0.0])):
        feature = QgsFeature(made.fields())
        feature.setGeometry(QgsGeometry.fromWkt(f"LineStringZ({place} -19.221 5, {place} -19.219 6)"))
        feature.setAttributes(values)
        made.dataProvider().addFeatures([feature])
    QgsProject.instance().addMapLayer(made)
    return made


def rows_of(path: str) -> tuple[list[str], list[tuple]]:
    """Columns and rows of what was written for the engine."""
    with closing(sqlite3.connect(path)) as database:
        found = database.execute("SELECT * FROM roads ORDER BY fid")
        return [entry[0] for entry in found.description], found.fetchall()


def asked(parameters: dict, monkeypatch) -> tuple[GeolocateArguments, list[str]]:
    """What the engine would be asked, and what is told before; the call is broken off then."""
    algorithm, told, heard = algorithm_of("geolocatevideo"), Told(), []

    def ask(_self, _command, arguments, _feedback, **_):
        heard.append(arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(type(algorithm), "ask", ask)
    usable, text = algorithm.checkParameterValues(parameters, context_of())
    assert usable, text
    with pytest.raises(KeyboardInterrupt):
        algorithm.work(parameters, context_of(), told)
    return heard[0], told.said


def test_without_a_checkpoint_roads_are_asked_for(given):
    said = problem_of("geolocatevideo", given())
    assert (
        said == "Without a checkpoint a video is located by its way along roads alone: give a layer under 'Roads', or choose a checkpoint."
    )
    assert problem_of("geolocatevideo", given(ROADS=streets().id())) == ""
    assert problem_of("geolocatevideo", given(CHECKPOINT="geoclip")) == ""


def test_what_does_not_go_together_is_refused(given, tmp_path):
    track, missing = tmp_path / "track.csv", tmp_path / "none.csv"
    track.write_text("time_s,yaw_rate_dps,speed_mps\n0,0,1\n")
    other = tmp_path / "other.mp4"
    other.write_bytes(b"video")
    roads = streets().id()
    assert problem_of("geolocatevideo", given(ROADS=roads, MOTION_TRACK=str(track))) == ""
    for more, said in (
        ({"CHECKPOINT": "geoclip", "MOTION_TRACK": str(track)}, "compared with roads"),
        ({"ROADS": roads, "MOTION_TRACK": str(missing)}, "The motion track"),
        ({"ROADS": roads, "MOTION_TRACK": str(track), "VIDEOS": [given()["VIDEOS"][0], str(other)]}, "of one video, and 2 are given"),
        ({"ROADS": roads, "DECODER": "none"}, "'Frames are located'"),
        ({"ROADS": roads, "MOTION": "Drone"}, "does not follow roads"),
        ({"ROADS": polygons(SQUARE).id()}, "are no lines"),
        ({"ROADS": "no such layer"}, "no such layer"),
    ):
        assert said in problem_of("geolocatevideo", given(**more)), more


def test_a_layer_is_written_with_what_its_streets_say(given, monkeypatch):
    roads = streets()
    arguments, told = asked(given(ROADS=roads.id()), monkeypatch)
    assert arguments.checkpoint == "none"
    assert arguments.roads_crs == "EPSG:4326"
    assert "2 roads in and about the area." in told
    columns, rows = rows_of(arguments.roads)
    assert columns == ["fid", "geom", "name", "oneway", "layer"]
    assert [row[2:] for row in rows] == [("Storgatan", "1", "1"), (None, None, None)]
    assert layer_of(arguments.roads).wkbType() == QgsWkbTypes.Type.MultiLineString
    roads.select([1])
    selected = QgsProcessingFeatureSourceDefinition(roads.id(), True)
    assert len(rows_of(asked(given(ROADS=selected), monkeypatch)[0].roads)[1]) == 1


def test_without_an_area_every_road_is_written(given, monkeypatch):
    arguments, told = asked(given(ROADS=streets().id(), AOI=None), monkeypatch)
    assert len(rows_of(arguments.roads)[1]) == 3
    assert "3 roads." in told


def test_roads_of_another_place_are_refused(given):
    roads = streets()
    roads.select([3])
    algorithm, parameters = algorithm_of("geolocatevideo"), given(ROADS=QgsProcessingFeatureSourceDefinition(roads.id(), True))
    with pytest.raises(Exception, match="No road of 'streets é' lies in the area"):
        algorithm.run(parameters, context_of(), Told(), {}, False)


def test_a_file_goes_to_the_engine_as_it_lies(given, tmp_path, monkeypatch):
    """An extract of OpenStreetMap too, of which QGIS sees the points alone."""
    path = tmp_path / "roads.geojson"
    path.write_text(json.dumps(COLLECTION))
    osm = tmp_path / "town.osm"
    osm.write_text(OSM)
    for value, layer in ((str(path), None), (f"{path}|layername=ways", "ways"), (str(osm), None)):
        arguments, _ = asked(given(ROADS=value), monkeypatch)
        assert Path(arguments.roads).samefile(value.partition("|")[0])
        assert (arguments.roads_layer, arguments.roads_crs) == (layer, None)
    track = tmp_path / "track.csv"
    track.write_text("time_s,heading_deg,speed\n0,0,1\n")
    assert asked(given(ROADS=str(osm), MOTION_TRACK=str(track)), monkeypatch)[0].motion_track == str(track)


def test_what_is_read_is_never_written_over(given, tmp_path):
    path = tmp_path / "roads.geojson"
    path.write_text(json.dumps(COLLECTION))
    assert "is also an input" in problem_of("geolocatevideo", given(ROADS=str(path), KML=str(path), OVERWRITE=True))
    track = tmp_path / "track.csv"
    track.write_text("time_s,heading_deg,speed\n0,0,1\n")
    more = {"ROADS": str(path), "MOTION_TRACK": str(track), "KML": str(track), "OVERWRITE": True}
    assert "is also an input" in problem_of("geolocatevideo", given(**more))


def test_scripts_and_models_of_before_run_as_they_did(given, monkeypatch):
    arguments, _ = asked(given(CHECKPOINT="geoclip"), monkeypatch)
    assert (arguments.roads, arguments.roads_layer, arguments.roads_crs, arguments.motion_track) == (None,) * 4
    algorithm = algorithm_of("geolocatevideo")
    for name in ("ROADS", "MOTION_TRACK"):
        definition = algorithm.parameterDefinition(name)
        assert definition.flags() & definition.Flag.FlagOptional
        assert definition.defaultValue() is None


def test_the_engines_words_are_the_dialogs():
    labels = {"ROADS": "Roads", "MOTION_TRACK": "Motion track"}
    assert in_words("Give --roads-layer, or --motion-track.", labels, {}) == "Give 'Roads', or 'Motion track'."
    assert stage_text("odometry", "drive.mp4: frame 3") == "Telling how the camera moved in drive.mp4."
    assert stage_text("roads", "drive.mp4") == "Comparing the way of drive.mp4 with the roads."


def test_the_folder_is_left_as_it_was(given, tmp_path, monkeypatch):
    before = sorted(Path(tmp_path).iterdir())
    asked(given(ROADS=streets().id()), monkeypatch)
    assert sorted(Path(tmp_path).iterdir()) == before


def test_a_drive_is_placed_by_its_track_and_the_roads_alone(plugin, engine_here, tmp_path):
    """The whole way: a layer of the project, a phone's track and a video without a checkpoint, by the real engine."""
    degree_m = 111_195.0
    # A way with an order of turns of its own, among streets that have none of it.
    corners = [(0, 0), (300, 0), (300, 180), (520, 240), (520, 420), (380, 520), (140, 470), (140, 300), (-60, 240)]
    others = [
        ((0, 0), (0, 400)),
        ((0, 400), (140, 470)),
        ((300, 0), (620, -40)),
        ((620, -40), (520, 240)),
        ((-60, 240), (-60, 0)),
        ((-60, 0), (0, 0)),
    ]
    made = QgsVectorLayer("LineString?crs=EPSG:4326&field=name:string", "streets", "memory")
    for number, (start, end) in enumerate([*zip(corners, corners[1:]), *others]):  # noqa: B905, RUF007 - Python 3.9
        points = ", ".join(f"{159.931 + x / degree_m / 0.944:.7f} {-19.222 + y / degree_m:.7f}" for x, y in (start, end))
        feature = QgsFeature(made.fields())
        feature.setGeometry(QgsGeometry.fromWkt(f"LineString({points})"))
        feature.setAttributes([f"Street {number}"])
        made.dataProvider().addFeatures([feature])
    QgsProject.instance().addMapLayer(made)
    rows, time_s = ["time_s,heading_deg,speed_mps"], 0
    for (x, y), (to_x, to_y) in zip(corners, corners[1:]):  # noqa: B905, RUF007
        length = math.hypot(to_x - x, to_y - y)
        heading = (math.degrees(math.atan2(to_x - x, to_y - y)) + 40.0) % 360.0  # the phone does not know north
        for _ in range(round(length / 10.0)):
            rows.append(f"{time_s},{heading:.1f},10")
            time_s += 1
    track = tmp_path / "track.csv"
    track.write_text("\n".join(rows) + "\n", encoding="utf-8")
    area = polygons("POLYGON((159.925 -19.225, 159.942 -19.225, 159.942 -19.215, 159.925 -19.215, 159.925 -19.225))")
    output = tmp_path / "found.gpkg"
    run(
        algorithm_of("geolocatevideo"),
        {
            "VIDEOS": [str(ROOT / "resources" / "demo" / "drive.mp4")], "AOI": area.id(), "CHECKPOINT": "none", "ROADS": made.id(),
            "MOTION_TRACK": str(track), "OUTPUT": str(output),
        },
    )  # fmt: skip
    frames = list(layer_of(output, "frames").getFeatures())
    placed = [one for one in frames if not one.geometry().isEmpty()]
    assert placed
    first = placed[0].geometry().asPoint()
    assert math.hypot((first.x() - 159.931) * degree_m * 0.944, (first.y() + 19.222) * degree_m) < 60
    assert placed[0]["street"] == "Street 0"
    ways = list(layer_of(output, "candidates").getFeatures())
    assert ways[0]["rank"] == 1
    assert ways[0]["share"] > 0.5
    QgsProject.instance().clear()
