"""The dock "Check frames" beside reference images: what a result keeps of them is shown, and nothing else."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from qgis.core import QgsFeatureRequest, QgsProject, QgsSettings
from qgis.PyQt.QtGui import QImage

from tests.qgis.common import algorithm_of, desktop_with_plugin, layer_of, run, until
from tests.qgis.test_frame_dock import opened
from tests.qgis.test_reference import locate
from vidtag_qgis import video_places
from vidtag_qgis.gui import frame_dock
from vidtag_qgis.layers import remember_videos
from vidtag_qgis.matches import KEPT_BACK

pytestmark = [pytest.mark.qgis, pytest.mark.slow]


@pytest.fixture
def desktop(qgis_processing, engine_here):
    """QGIS with the plugin; afterwards nothing of it may be left."""
    desktop = desktop_with_plugin()
    yield desktop
    desktop.plugin.unload()
    QgsProject.instance().clear()
    QgsSettings().remove(video_places.FOLDERS)


@pytest.fixture
def results(desktop, field, tmp_path) -> dict[str, Path]:
    """The same video located with and without its reference images' places; and as if a platform's pictures spoke for it."""
    found = {}
    for name, more in (("kept", {}), ("shared", {"SHARE_PLACES": True})):
        found[name] = tmp_path / f"{name}.gpkg"
        run(algorithm_of("geolocatevideo"), locate(field, found[name], LOAD=False, **more))
    found["licensed"] = tmp_path / "licensed.gpkg"
    shutil.copy(found["shared"], found["licensed"])
    with closing(sqlite3.connect(found["licensed"])) as database, database:
        database.execute("UPDATE matches SET source = 'panoramax', author = 'Ada <b>L</b>', licence = 'CC-BY-SA-4.0', taken = '2024-05-01'")
        database.execute("UPDATE matches SET inliers = 37 WHERE frame_index = 1")
        database.execute("UPDATE matches SET frame_index = 2000 WHERE frame_index = 2")  # whose pictures may be those of others, too
    return found


def show(desktop, path: Path) -> frame_dock.FrameDock:
    QgsProject.instance().clear()
    QgsProject.instance().addMapLayer(layer_of(path, "frames"))
    dock = desktop.plugin._actions.dock or opened(desktop)
    assert until(lambda: len(dock.rows) == 12, 10)
    return dock


def test_the_reference_image_stands_beside_the_frame(desktop, results):
    dock = show(desktop, results["licensed"])
    view = dock.view
    with closing(sqlite3.connect(results["licensed"])) as database:
        (rows, pictures, images) = database.execute("SELECT count(*), count(thumbnail), count(DISTINCT image_id) FROM matches").fetchone()
        assert images == pictures < rows  # an image's picture is in one of its rows
        query = (
            "SELECT frame_index, similarity, margin, (SELECT max(thumbnail) FROM matches AS other WHERE other.image_id = matches.image_id) "
            "FROM matches WHERE rank = 1"
        )
        kept = {index: rest for index, *rest in database.execute(query)}
    for number in (0, 1, 5):
        view.slider.setValue(number)
        similarity, margin, thumbnail = kept[number]
        assert (
            view.match_facts.text()
            == f"Panoramax · Ada <b>L</b> · CC-BY-SA-4.0 · 2024-05-01\nSimilarity {similarity:.2f} · margin {margin:.2f}"
            + (" · 37 details in common" if number == 1 else "")
        )
        wanted = QImage.fromData(thumbnail).convertToFormat(QImage.Format.Format_RGB32)
        assert view.match_label.picture.toImage().convertToFormat(QImage.Format.Format_RGB32) == wanted
        assert not view.match_label.isHidden()
    view.slider.setValue(2)  # it has none
    assert view.match_label.picture.isNull()
    assert view.match_label.isHidden()
    assert view.match_facts.isHidden()
    assert until(lambda: not view.picture_label.picture.isNull(), 60)  # the frame's own comes as ever


def test_of_ones_own_pictures_only_what_the_result_keeps_is_shown(desktop, results):
    view = show(desktop, results["kept"]).view
    assert view.match_label.isHidden()
    assert view.match_facts.text().splitlines()[0] == KEPT_BACK
    assert view.match_facts.text().splitlines()[1].startswith("Similarity ")
    view = show(desktop, results["shared"]).view
    assert not view.match_label.picture.isNull()
    assert view.match_facts.text().startswith("Own picture · ")


def test_a_copied_layer_finds_them_and_an_older_result_has_none(desktop, results, inputs, tmp_path):
    copy = layer_of(results["shared"], "frames").materialize(QgsFeatureRequest())
    remember_videos(copy, str(results["shared"]))
    QgsProject.instance().clear()
    QgsProject.instance().addMapLayer(copy)
    dock = desktop.plugin._actions.dock or opened(desktop)
    assert until(lambda: len(dock.rows) == 12, 10)
    assert not dock.view.match_label.picture.isNull()
    QgsProject.instance().clear()
    assert dock.view.match_facts.text() == ""
    QgsProject.instance().addMapLayer(layer_of(inputs / "a.gpkg", "frames"))
    assert until(lambda: len(dock.rows) > 0, 10)
    assert dock.view.match_facts.text() == ""
    assert dock.view.match_label.isHidden()
