"""Pictures in map tips: the real engine makes them, and QGIS's own map tip expression shows each frame's own."""

from __future__ import annotations

import base64
import os
import re
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from qgis.core import (
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsMapLayer,
    QgsProject,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QImage

from tests.qgis.common import ROOT, context_of, desktop_with_plugin, layer_of, until
from vidtag_qgis import result_layers, tip_pictures
from vidtag_qgis.layers import finish

pytestmark = pytest.mark.qgis
DEMO = ROOT / "resources" / "demo"


@pytest.fixture(scope="module")
def located(qgis_processing, engine_python, tmp_path_factory) -> Path:
    """The demo's drive, located once."""
    folder = tmp_path_factory.mktemp("located")
    shutil.copy(DEMO / "drive.mp4", folder / "drive.mp4")
    words = ("--aoi", str(DEMO / "aoi.geojson"), "--checkpoint", str(DEMO / "checkpoint"), "-o", "drive.gpkg")
    _vidtag(folder, "geolocate", "drive.mp4", *words, python=engine_python)
    return folder


@pytest.fixture
def result(located, engine_here, tmp_path):
    """A copy of it, with its video; afterwards the project is empty."""
    shutil.copytree(located, tmp_path / "here")
    yield tmp_path / "here" / "drive.gpkg"
    QgsProject.instance().clear()


def _vidtag(folder: Path, *words: str, python: str = "") -> str:
    done = subprocess.run(
        [python or os.environ["VIDTAG_ENGINE_PYTHON"], "-m", "vidtag_engine", *words], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def frames_of(result: Path) -> QgsVectorLayer:
    layer = layer_of(result, "frames")
    QgsProject.instance().addMapLayer(layer)
    finish(layer, "frames", str(result))
    return layer


def tip(layer: QgsVectorLayer, feature) -> str:
    """What QGIS shows when the mouse rests on a feature: QgsMapTip evaluates the template just so."""
    context = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    context.setFeature(feature)
    return QgsExpression.replaceExpressionText(layer.mapTipTemplate(), context)


def picture_of(text: str) -> bytes:
    found = re.fullmatch(r'<img src="data:image/jpeg;base64,([^"]+)" style="max-height: 170px"><br>', text[: text.index("<b>")])
    assert found, text[:200]
    return base64.b64decode(found[1])


def test_each_tip_shows_its_own_frame_and_text_alone_where_there_is_no_picture(result):
    layer = frames_of(result)
    first = next(layer.getFeatures())
    text = tip(layer, first)
    assert text.startswith("<b>drive.mp4</b>, frame 0<br>")
    _vidtag(result.parent, "thumbnails", "drive.gpkg")
    assert tip_pictures.link_all(str(result)) == 1
    seen = set()
    for feature in layer.getFeatures():
        shown = tip(layer, feature)
        assert shown.endswith(tip(layer, feature)[shown.index("<b>") :])
        jpeg = picture_of(shown)
        seen.add(jpeg)
        small = np.array(_pixels(QImage.fromData(jpeg)), dtype=float)
        assert max(small.shape) == 240
        if feature["frame_index"] % 13 == 0:
            # Independent of the pass over the video: the picture that the viewer shows at this time.
            whole = _frame(result, feature["time_s"], small.shape)
            assert np.abs(small - whole).mean() < 6.0
            assert np.corrcoef(small.ravel(), whole.ravel())[0, 1] > 0.99
    assert len(seen) == layer.featureCount() == 40
    assert tip(layer, first).endswith(text)
    with closing(sqlite3.connect(result)) as database:
        held = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    assert ("pictures",) not in held


def _pixels(image: QImage):
    """Brightness of an image, row by row."""
    grey = image.convertToFormat(QImage.Format.Format_Grayscale8)
    data = grey.constBits().asstring(grey.sizeInBytes())
    return np.frombuffer(data, dtype=np.uint8).reshape(grey.height(), grey.bytesPerLine())[:, : grey.width()]


def _frame(result: Path, time_s: float, shape) -> np.ndarray:
    from vidtag_qgis import engine
    from vidtag_qgis.engine_client import run_request

    place = result.parent / f"whole{time_s}.png"
    asked = {"videos": [str(result.parent / "drive.mp4")], "time_s": time_s, "output": str(place), "longest_px": 240}
    run_request(engine.interpreter(), "picture", asked)
    found = _pixels(QImage(str(place)))
    assert found.shape == shape
    return np.array(found, dtype=float)


def test_a_result_that_is_loaded_finds_its_pictures_and_a_saved_project_keeps_them(result):
    _vidtag(result.parent, "thumbnails", "drive.gpkg")
    context = context_of()
    result_layers.load(str(result), context)
    from vidtag_qgis.gui.algorithm_run import load_layers

    load_layers(context)
    project = QgsProject.instance()
    [frames] = [layer for layer in project.mapLayers().values() if layer.name().startswith("Frames")]
    assert picture_of(tip(frames, next(frames.getFeatures()))).startswith(b"\xff\xd8\xff")
    [hidden] = [layer for layer in project.mapLayers().values() if layer.flags() & QgsMapLayer.LayerFlag.Private]
    assert project.layerTreeRoot().findLayer(hidden.id()) is None
    saved = str(result.parent / "project.qgs")
    assert project.write(saved)
    project.clear()
    assert project.read(saved)
    [frames] = [layer for layer in project.mapLayers().values() if layer.name().startswith("Frames")]
    assert picture_of(tip(frames, next(frames.getFeatures()))).startswith(b"\xff\xd8\xff")
    # Deleted behind QGIS's back: the words stay, and nothing of the expression is seen.
    (result.parent / "drive.pictures.gpkg").unlink()
    project.clear()
    project.read(saved)
    [frames] = [layer for layer in project.mapLayers().values() if layer.name().startswith("Frames")]
    assert tip(frames, next(frames.getFeatures())).startswith("<b>drive.mp4</b>, frame 0<br>")


def test_a_style_of_before_shows_them_too(result):
    _vidtag(result.parent, "thumbnails", "drive.gpkg")
    layer = layer_of(result, "frames")
    QgsProject.instance().addMapLayer(layer)
    layer.setMapTipTemplate('<b>[% "video" %]</b>')
    assert tip_pictures.link(layer, str(result))
    shown = tip(layer, next(layer.getFeatures()))
    assert picture_of(shown)
    assert shown.endswith("<b>drive.mp4</b>")
    assert tip_pictures.link(layer, str(result))
    assert layer.mapTipTemplate().count("vidtag_pictures") == 1


def test_pictures_of_another_video_are_not_shown(result):
    _vidtag(result.parent, "thumbnails", "drive.gpkg")
    with closing(sqlite3.connect(result.parent / "drive.pictures.gpkg")) as database, database:
        database.execute("UPDATE pictures SET sha256 = ?", ("00" * 32,))
    layer = frames_of(result)
    assert tip_pictures.beside(str(result)).of_others
    assert tip(layer, next(layer.getFeatures())).startswith("<b>drive.mp4</b>")


def test_a_tip_comes_at_once_with_twenty_thousand_frames(qgis_processing, engine_here, tmp_path):
    """A picture a frame, written by the engine's own writer; the tip of any of them within a tenth of a second."""
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom vidtag_engine.export.thumbnails_file import key_of, writing_thumbnails\n"
        "with writing_thumbnails(Path(sys.argv[1])) as file:\n"
        "    file.add((key_of('a.mp4', i * 1.0333667), 'a.mp4', 'ab' * 32, i, i * 1.0333667, 240, b'\\xff\\xd8\\xff' + os.urandom(6000)) for i in range(20000))\n"
    )
    path = tmp_path / "many.pictures.gpkg"
    subprocess.run(
        [os.environ["VIDTAG_ENGINE_PYTHON"], "-c", script, str(path)], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, timeout=120
    )
    layer = QgsVectorLayer("Point?field=video:string&field=frame_index:integer&field=time_s:double", "frames", "memory")
    layer.setMapTipTemplate(tip_pictures.TIP + "<b></b>")
    QgsProject.instance().addMapLayer(layer)
    pictures = tip_pictures._layer_of(str(path), QgsProject.instance())
    QgsExpressionContextUtils.setLayerVariable(layer, tip_pictures.VARIABLE, pictures.id())
    from qgis.core import QgsFeature

    took_s = []
    for index in range(0, 20000, 997):
        feature = QgsFeature(layer.fields())
        feature.setAttributes(["a.mp4", index, index * 1.0333667])
        begin_s = time.perf_counter()
        shown = tip(layer, feature)
        took_s.append(time.perf_counter() - begin_s)
        assert len(picture_of(shown)) == 6003
    assert sorted(took_s)[len(took_s) // 2] < 0.1
    QgsProject.instance().clear()


def test_the_workbench_makes_shows_and_removes_them(result):
    desktop = desktop_with_plugin()
    try:
        layer = frames_of(result)
        [action] = [one for one in desktop.tools if one.text() == "VidTAG workbench"]
        action.trigger()
        dock = desktop.plugin._actions.dock
        group = dock.tip_pictures
        assert until(lambda: group.result == str(result), 20)
        assert "about 0.3 MB" in group.state_label.text()
        assert not group.remove_button.isEnabled()
        group.make_button.click()
        assert group.cancel_button.isVisibleTo(group)
        assert until(lambda: group.task is None, 120)
        assert "Show Map Tips" in group.message_label.text(), group.message_label.text()
        assert "40 of 40 frames" in group.state_label.text()
        assert picture_of(tip(layer, next(layer.getFeatures())))
        size = (result.parent / "drive.pictures.gpkg").stat().st_size
        assert f"{size / 1e6:.1f} MB" in group.state_label.text()
        assert abs(size / 40 - tip_pictures.PICTURE_BYTES) < 4000
        group.remove_button.click()
        assert not (result.parent / "drive.pictures.gpkg").exists()
        assert tip(layer, next(layer.getFeatures())).startswith("<b>drive.mp4</b>")
        # The video is gone: one sentence, and no half file.
        (result.parent / "drive.mp4").rename(result.parent / "elsewhere.mp4")
        group.make_button.click()
        assert until(lambda: group.task is None, 120)
        assert "was not found" in group.message_label.text()
        assert sorted(path.name for path in result.parent.glob("*.pictures*")) == []
    finally:
        desktop.plugin.unload()


def test_it_is_cancelled_and_leaves_nothing(result):
    desktop = desktop_with_plugin()
    try:
        frames_of(result)
        [action] = [one for one in desktop.tools if one.text() == "VidTAG workbench"]
        action.trigger()
        group = desktop.plugin._actions.dock.tip_pictures
        assert until(lambda: group.result == str(result), 20)
        group.make_button.click()
        group.cancel_button.click()
        assert until(lambda: group.task is None, 60)
        assert not list(result.parent.glob("*.pictures*"))
        assert "ancel" in group.message_label.text() or "topped" in group.message_label.text()
    finally:
        desktop.plugin.unload()


def test_the_style_and_the_plugin_have_the_same_text():
    import importlib.util

    specification = importlib.util.spec_from_file_location("style_frames", ROOT / "tools" / "style_frames.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    assert module.PICTURE_TIP == tip_pictures.TIP
    layer = QgsVectorLayer("Point?field=video:string&field=time_s:double", "frames", "memory")
    layer.loadNamedStyle(str(ROOT / "resources" / "styles" / "frames.qml"))
    assert layer.mapTipTemplate().startswith(tip_pictures.TIP)
