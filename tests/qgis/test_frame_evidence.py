"""What speaks for a frame, in the workbench: reference images, candidate places and the posterior, each action driven with the real engine."""

from __future__ import annotations

import base64
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
    QgsSettings,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QImage
from qgis.PyQt.QtTest import QTest

from tests.qgis.common import ROOT, SQUARE, algorithm_of, desktop_with_plugin, layer_of, polygons, run, until, workers
from tests.qgis.test_frame_dock import opened
from tests.qgis.test_reference import locate
from vidtag_qgis import video_places
from vidtag_qgis.frame_matches import FrameMatches, place_of
from vidtag_qgis.gui import frame_evidence
from vidtag_qgis.gui.place_layers import CANDIDATES, KIND, POSTERIOR

pytestmark = [pytest.mark.qgis, pytest.mark.slow]


@pytest.fixture
def desktop(qgis_processing, engine_here):
    """QGIS with the plugin; afterwards nothing of it may be left."""
    desktop = desktop_with_plugin()
    desktop.canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    desktop.canvas.setExtent(QgsRectangle(159.0, -20.0, 160.5, -19.0))
    yield desktop
    if desktop.plugin.provider is not None:
        desktop.plugin.unload()
    QgsProject.instance().clear()
    QgsSettings().remove(video_places.FOLDERS)


@pytest.fixture(scope="module")
def rated(qgis_processing, inputs, engine_python, tmp_path_factory) -> Path:
    """A result whose frames have probabilities, beside its scores."""
    folder = tmp_path_factory.mktemp("rated")
    arguments = {
        "aoi": "159.930,-19.222,159.934,-19.218", "output": str(folder / "a.gpkg"), "videos": [str(inputs / "a.mp4")], "checkpoint": str(inputs / "wary"),
        "resolution_m": 25.0, "rate_hz": 2.0, "keep_scores": True, "confidence_radius_m": 60.0,
    }  # fmt: skip
    code = (
        "import json, sys\nfrom vidtag_engine.command_arguments import GeolocateArguments\nfrom vidtag_engine.geolocation import run_geolocate\n"
        "run_geolocate(GeolocateArguments(**json.loads(sys.argv[1])))"
    )
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    subprocess.run([engine_python, "-c", code, json.dumps(arguments)], env=variables, check=True, capture_output=True)
    return folder / "a.gpkg"


def copied(result: Path, folder: Path) -> Path:
    """The result with its scores in a folder of a test's own."""
    shutil.copy(result, folder / result.name)
    if result.with_suffix(".scores").is_dir():
        shutil.copytree(result.with_suffix(".scores"), folder / f"{result.stem}.scores")
    return folder / result.name


def engine_says(engine_python: str, result: Path, *given: str) -> dict:
    """The command line's answer, in a process of its own."""
    command = [engine_python, "-m", "vidtag_engine", "places", str(result), *given, "--json"]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def show(desktop, result: Path, table: str = "frames"):
    layer = layer_of(result, table)
    group = QgsProject.instance().layerTreeRoot().addGroup("a.mp4")
    QgsProject.instance().addMapLayer(layer, False)
    group.addLayer(layer)
    dock = desktop.plugin._actions.dock or opened(desktop)
    dock.view.layer_box.setCurrentIndex(dock.view.layer_box.findData(layer.id()))
    assert until(lambda: len(dock.rows) > 0, 10)
    return dock, group


def of_frame(kind: str) -> QgsVectorLayer | None:
    found = [layer for layer in QgsProject.instance().mapLayers().values() if layer.customProperty(KIND) == kind]
    assert len(found) <= 1
    return found[0] if found else None


def settled(dock) -> bool:
    evidence = dock.evidence
    return until(lambda: evidence._task is None and evidence.panel.places_list.isEnabled(), 60)


def rows(layer: QgsVectorLayer) -> list[dict]:
    names = [field.name() for field in layer.fields()]
    found = [{**{name: feature[name] for name in names}, "at": feature.geometry().asPoint()} for feature in layer.getFeatures()]
    return sorted(found, key=lambda row: row["rank"])


def test_candidates_follow_the_frame_as_a_list_and_as_a_layer(desktop, rated, tmp_path, engine_python):
    result = copied(rated, tmp_path)
    dock, group = show(desktop, result)
    panel, evidence = dock.evidence.panel, dock.evidence
    assert of_frame(CANDIDATES) is None
    assert not evidence.candidates  # nothing is asked for before the button is pressed
    QTest.mouseClick(panel.places_button, Qt.MouseButton.LeftButton)
    assert panel.asked
    assert settled(dock)
    for number in (0, 3, 7):
        dock.view.slider.setValue(number)
        assert until(lambda at=number: evidence._shown is not None and evidence._shown.row is dock.rows[at], 60)
        wanted = engine_says(engine_python, result, "--frame", str(dock.rows[number].index))
        layer = of_frame(CANDIDATES)
        found = rows(layer)
        assert [(row["rank"], row["share"], bool(row["answer"])) for row in found] == [
            (one["rank"], one["share"], one["answer"]) for one in wanted["candidates"]
        ]
        for row, one in zip(found, wanted["candidates"]):  # noqa: B905
            assert row["at"].distance(QgsPointXY(one["lon_deg"], one["lat_deg"])) < 1e-9
        # The first is the frame's own answer, and as sure.
        frame = dock.rows[number]
        assert found[0]["share"] == pytest.approx(frame.confidence)
        assert found[0]["at"].distance(frame.point) < 1e-9
        assert panel.places_list.count() == len(found) > 1
        assert panel.places_list.item(0).text() == f"1: {frame.confidence:.0%} within 60 m · the answer".replace("%", " %")
        assert panel.places_list.item(1).text().endswith(" m from the answer")
        assert panel.places_label.text().startswith("Elsewhere ")
        assert ("unknown ground" in panel.places_label.text()) == bool(wanted["unknown_share"])
        assert layer.name() == f"Candidate places of frame {frame.index} (a.mp4)"
    # It lies in the result's group, on top, with labels, and nobody is asked to save it.
    assert group.children()[0].name() == layer.name()
    assert layer.labelsEnabled()
    assert layer.customProperty("skipMemoryLayersCheck")
    assert len(layer.renderer().categories()) == 2
    # A click on the list leads there.
    item = panel.places_list.item(1)
    QTest.mouseClick(panel.places_list.viewport(), Qt.MouseButton.LeftButton, pos=panel.places_list.visualItemRect(item).center())
    assert desktop.canvas.extent().center().distance(found[1]["at"]) < 1e-6
    assert desktop.canvas.extent().width() < 0.02
    assert evidence.marker.place.distance(found[1]["at"]) < 1e-9
    dock.view.slider.setValue(1)
    assert evidence.marker is None  # it pointed at another frame's place
    # The button again takes all off.
    assert settled(dock)
    QTest.mouseClick(panel.places_button, Qt.MouseButton.LeftButton)
    assert of_frame(CANDIDATES) is None
    assert panel.places_list.isHidden()
    panel.places_button.click()
    assert settled(dock)
    assert of_frame(CANDIDATES) is not None
    dock.close()
    assert of_frame(CANDIDATES) is None


def test_the_posterior_is_drawn_told_and_replaced(desktop, rated, tmp_path, engine_python):
    result = copied(rated, tmp_path)
    before = set(Path(tempfile.gettempdir()).glob("vidtag-posterior-*"))
    dock, group = show(desktop, result)
    panel = dock.evidence.panel
    panel.places_button.click()
    assert settled(dock)
    layers = []
    for number in (2, 5):
        dock.view.slider.setValue(number)
        QTest.mouseClick(panel.posterior_button, Qt.MouseButton.LeftButton)
        assert until(
            lambda at=number: f"of frame {dock.rows[at].index}: " in panel.posterior_label.text(), 60
        ), panel.posterior_label.text()
        layer = of_frame(POSTERIOR)
        layers.append(layer.id())
        wanted = engine_says(
            engine_python, result, "--frame", str(dock.rows[number].index), "--posterior", str(tmp_path / f"{number}.gpkg")
        )
        shares = [feature["share"] for feature in layer.getFeatures()]
        assert len(shares) == wanted["posterior"]["cells"]
        assert sum(shares) == pytest.approx(1.0 - wanted["unknown_share"], abs=1e-4)
        assert f"{1.0 - wanted['unknown_share']:.1%} of it" in panel.posterior_label.text()
        outside = wanted["unknown_share"]
        assert (f"{outside:.1%} lies on unknown ground" if outside else "Nothing lies outside") in panel.posterior_label.text()
        assert layer.renderer().type() == "RuleRenderer"
        assert layer.name() == f"Posterior of frame {dock.rows[number].index} (a.mp4)"
    assert layers[0] not in QgsProject.instance().mapLayers()
    assert group.children()[-1].name() == layer.name()  # below the line and the points
    [folder] = set(Path(tempfile.gettempdir()).glob("vidtag-posterior-*")) - before
    assert list(folder.iterdir()) == []  # the layer holds it, no file does
    dock.close()
    assert of_frame(POSTERIOR) is None
    assert not folder.exists()


def test_what_is_not_rated_is_ranked(desktop, inputs, tmp_path):
    dock, _ = show(desktop, copied(inputs / "a.gpkg", tmp_path))
    dock.evidence.panel.places_button.click()
    assert settled(dock)
    assert dock.evidence.panel.places_label.text().startswith("Not rated: ")
    assert dock.evidence.panel.places_list.item(0).text() == "1: not rated · the answer"
    assert all(row["share"] is None or str(row["share"]) == "NULL" for row in rows(of_frame(CANDIDATES)))
    dock.evidence.panel.posterior_button.click()
    assert until(lambda: "ranked; not rated" in dock.evidence.panel.posterior_label.text(), 60)
    assert {str(feature["share"]) for feature in of_frame(POSTERIOR).getFeatures()} <= {"NULL", "None"}


def test_without_scores_it_says_how_to_get_them_and_a_withheld_frame_says_why(desktop, rated, inputs, tmp_path):
    result = copied(rated, tmp_path)
    shutil.rmtree(result.with_suffix(".scores"))
    dock, _ = show(desktop, result)
    panel = dock.evidence.panel
    panel.places_button.click()
    assert until(lambda: "'Keep scores for pins'" in panel.places_label.text(), 60), panel.places_label.text()
    assert "--" not in panel.places_label.text()
    assert panel.places_list.count() == 0
    panel.posterior_button.click()
    assert until(lambda: "'Keep scores for pins'" in panel.posterior_label.text(), 60)
    assert of_frame(POSTERIOR) is None
    QgsProject.instance().clear()
    given = {
        "VIDEOS": [str(inputs / "b é.mp4")], "AOI": polygons(SQUARE), "CHECKPOINT": str(inputs / "wary"), "RESOLUTION": 25, "KEEP_SCORES": True, "LOAD": False,
        "OUTPUT": str(tmp_path / "withheld.gpkg"),
    }  # fmt: skip
    run(algorithm_of("geolocatevideo"), given)
    dock, _ = show(desktop, tmp_path / "withheld.gpkg")
    assert dock.rows[0].state == "unfamiliar"
    assert until(
        lambda: panel.places_label.text().startswith("No candidate places, as the video is not located: "), 60
    ), panel.places_label.text()
    assert of_frame(CANDIDATES) is None or of_frame(CANDIDATES).featureCount() == 0
    panel.posterior_button.click()
    assert until(lambda: panel.posterior_label.text().startswith("No candidate places"), 60)
    assert of_frame(POSTERIOR) is None


def test_stepping_on_shows_the_last_frame_alone_and_a_killed_engine_is_asked_again(desktop, rated, tmp_path):
    dock, _ = show(desktop, copied(rated, tmp_path))
    evidence = dock.evidence
    evidence.panel.places_button.click()
    assert settled(dock)
    for number in (1, 2, 3, 4, 5):
        dock.view.slider.setValue(number)
    assert until(lambda: evidence._shown is not None and evidence._shown.row is dock.rows[5], 60)
    assert {row["frame_index"] for row in rows(of_frame(CANDIDATES))} == {dock.rows[5].index}
    for pid in workers():
        os.kill(pid, 9)
    dock.view.slider.setValue(6)
    assert until(lambda: evidence._shown is not None and evidence._shown.row is dock.rows[6], 60), evidence.panel.places_label.text()
    # Layers and project may go at any moment.
    QgsProject.instance().removeMapLayer(of_frame(CANDIDATES).id())
    dock.view.slider.setValue(0)
    assert until(lambda: evidence._shown is not None and evidence._shown.row is dock.rows[0], 60)
    assert of_frame(CANDIDATES).featureCount() > 1
    dock.view.slider.setValue(2)
    QgsProject.instance().clear()
    assert until(lambda: evidence._task is None, 60)
    assert of_frame(CANDIDATES) is None
    assert evidence.panel.places_list.count() == 0


def test_pinned_frames_have_the_pinned_candidates(desktop, rated, tmp_path, engine_python):
    result = copied(rated, tmp_path)
    corner = "-19.2212,159.9308"
    for given in (["pin", str(result), "--frame", "4", f"--at={corner}", "--here"], ["solve", str(result)]):
        subprocess.run(
            [engine_python, "-m", "vidtag_engine", *given], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True
        )
    dock, _ = show(desktop, result, "frames_pinned")
    dock.evidence.panel.places_button.click()
    assert settled(dock)
    dock.view.slider.setValue(4)
    assert until(lambda: dock.evidence._shown is not None and dock.evidence._shown.row is dock.rows[4], 60)
    first = rows(of_frame(CANDIDATES))[0]
    assert first["at"].distance(QgsPointXY(159.9308, -19.2212)) < 1e-5
    assert first["share"] == pytest.approx(dock.rows[4].confidence)


@pytest.fixture
def shared(desktop, field, tmp_path) -> Path:
    """A video that was located by reference images, whose places and pictures the result keeps."""
    path = tmp_path / "shared.gpkg"
    run(algorithm_of("geolocatevideo"), locate(field, path, LOAD=False, SHARE_PLACES=True, KEEP_SCORES=True))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE matches SET source = 'panoramax', author = 'Ada <b>L</b> & Co', licence = 'CC-BY-SA-4.0'")
        database.execute("UPDATE matches SET inliers = 37 WHERE frame_index = 1 AND rank = 2")
    return path


def test_the_strip_shows_each_image_and_a_click_marks_its_place(desktop, shared):
    dock, _ = show(desktop, shared)
    panel, view, evidence = dock.evidence.panel, dock.view, dock.evidence
    view.slider.setValue(1)
    layer = layer_of(shared, "matches")
    wanted = sorted(
        (feature for feature in layer.getFeatures() if feature["frame_index"] == dock.rows[1].index), key=lambda one: one["rank"]
    )
    assert len(wanted) >= 3
    shown = [button for button in panel.image_buttons if not button.isHidden()]
    assert len(shown) == len(wanted) == len(evidence.images)
    with closing(sqlite3.connect(shared)) as database:
        pictures = dict(database.execute("SELECT image_id, thumbnail FROM matches WHERE length(thumbnail) > 0"))
    assert [button.isChecked() for button in shown] == [True] + [False] * (len(shown) - 1)
    for button, one, image in zip(shown, wanted, evidence.images):  # noqa: B905
        assert button.text().startswith(f"{one['similarity']:.2f}")
        assert ("37 details in common" in button.accessibleName()) == (one["rank"] == 2)
        assert " m" in button.text()
        assert "Ada <b>L</b>" in button.accessibleName()
        assert "<b>L</b>" not in button.toolTip()  # as text, and not as what it asks for
        assert image.lat_lon_deg == pytest.approx((one.geometry().asPoint().y(), one.geometry().asPoint().x()))
        assert image.match.thumbnail == pictures[one["image_id"]]
    desktop.canvas.setExtent(QgsRectangle(10, 10, 11, 11))
    QTest.mouseClick(shown[1], Qt.MouseButton.LeftButton)
    place = wanted[1].geometry().asPoint()
    assert evidence.marker.visible
    assert evidence.marker.place.distance(place) < 1e-9
    assert desktop.canvas.extent().contains(place)
    picture = QImage.fromData(pictures[wanted[1]["image_id"]]).convertToFormat(QImage.Format.Format_RGB32)
    assert view.match_label.picture.toImage().convertToFormat(QImage.Format.Format_RGB32) == picture
    assert "37 details in common" in view.match_facts.text()
    assert view.match_facts.text().endswith(" m from the answer")
    view.slider.setValue(2)  # the next frame's best one comes by itself
    assert evidence.marker is None
    assert panel.image_buttons[0].isChecked()


def test_a_candidate_has_the_picture_of_the_image_near_it_in_list_and_tip(desktop, shared):
    dock, _ = show(desktop, shared)
    dock.evidence.panel.places_button.click()
    assert settled(dock)
    first = rows(of_frame(CANDIDATES))[0]
    picture = dock.evidence.images[0].match.thumbnail
    assert base64.b64decode(first["picture"]) == picture
    assert not dock.evidence.panel.places_list.item(0).icon().isNull()
    layer = of_frame(CANDIDATES)
    layer.dataProvider().changeAttributeValues({next(layer.getFeatures()).id(): {layer.fields().indexOf("video"): "a<script>&.mp4"}})
    context = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    context.setFeature(min(layer.getFeatures(), key=lambda one: one["rank"]))
    tip = QgsExpression.replaceExpressionText(layer.mapTipTemplate(), context)
    assert first["picture"] in tip
    assert "a&lt;script&gt;&amp;.mp4" in tip
    assert "1: not rated" in tip
    assert "[%" not in tip


def test_a_result_without_such_a_layer_has_no_images(inputs, tmp_path):
    assert FrameMatches(str(inputs / "a.gpkg")).of_frame("a.mp4", 0) == []
    assert FrameMatches(str(tmp_path / "none.gpkg")).of_frame("a.mp4", 0) == []
    (tmp_path / "bad.gpkg").write_bytes(b"SQLite format 3\0" + b"x" * 100)
    assert FrameMatches(str(tmp_path / "bad.gpkg")).of_frame("a.mp4", 0) == []
    assert FrameMatches(str(inputs / "a.gpkg")).picture(1) == b""
    for blob in (None, b"", b"GP\0\x10" + b"\0" * 40, b"GP\0\1\0\0\0\0\1"):
        assert place_of(blob) is None


def test_distances_are_short_words():
    assert frame_evidence._metres(12.4) == "12 m"
    assert frame_evidence._metres(4321.0) == "4.3 km"
    assert asdict(frame_evidence.Candidate(1, 2.0, 3.0, None, True, "1", "said"))["picture"] == b""
