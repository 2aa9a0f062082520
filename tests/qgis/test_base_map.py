"""\"Add base map\": asked for once, under everything else, with its attribution; refused offline. Nobody is asked for a picture here but a server of this test."""

from __future__ import annotations

import pytest
from qgis.core import QgsMapRendererSequentialJob, QgsMapSettings, QgsProject, QgsRasterLayer, QgsRectangle, QgsSettings
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtWidgets import QMessageBox

from tests.qgis.common import SQUARE, Handler, desktop_with_plugin, polygons, serving
from vidtag_qgis import settings
from vidtag_qgis.gui import base_map

pytestmark = pytest.mark.qgis


@pytest.fixture
def desktop(qgis_processing, engine_here):
    """QGIS with the plugin; its map shows nothing, so that nothing is fetched."""
    QgsProject.instance().clear()
    for name in (base_map.CONSENT, settings.OFFLINE):
        QgsSettings().remove(name)
    desktop = desktop_with_plugin()
    yield desktop
    desktop.plugin.unload()
    assert desktop.menu == desktop.tools == []
    QgsProject.instance().clear()
    for name in (base_map.CONSENT, settings.OFFLINE):
        QgsSettings().remove(name)


@pytest.fixture
def asked(monkeypatch):
    """The questions that were asked; they are answered with the first of ``answers``."""
    questions: list[str] = []
    answers: list[bool] = [True]

    def question(_parent, _title, text):
        questions.append(text)
        return QMessageBox.StandardButton.Yes if answers[0] else QMessageBox.StandardButton.No

    monkeypatch.setattr(QMessageBox, "question", question)
    return questions, answers


def maps() -> list:
    return [layer for layer in QgsProject.instance().mapLayers().values() if isinstance(layer, QgsRasterLayer)]


def test_it_is_asked_for_once_and_lies_at_the_bottom(desktop, asked):
    questions, answers = asked
    area = polygons(SQUARE)
    answers[0] = False
    desktop.plugin._actions.base_map.trigger()
    assert maps() == []
    answers[0] = True
    desktop.plugin._actions.base_map.trigger()
    [layer] = maps()
    assert [one.layerId() for one in QgsProject.instance().layerTreeRoot().findLayers()] == [area.id(), layer.id()]
    assert "url=https://tile.openstreetmap.org/{z}/{x}/{y}.png" in layer.source()
    assert layer.attribution() == "© OpenStreetMap contributors"
    assert layer.metadata().rights() == ["© OpenStreetMap contributors"]
    assert layer.crs().authid() == "EPSG:3857"
    assert len(questions) == 2
    assert all("tile.openstreetmap.org" in text and "which part of the map" in text for text in questions)
    desktop.plugin._actions.base_map.trigger()
    assert len(maps()) == 1
    QgsProject.instance().removeMapLayer(layer.id())
    desktop.plugin._actions.base_map.trigger()
    assert len(maps()) == 1
    assert len(questions) == 2  # agreed to once


@pytest.mark.parametrize("by", ["setting", "variable"])
def test_offline_it_is_refused(desktop, asked, monkeypatch, by):
    if by == "setting":
        settings.set_offline(True)
    else:
        monkeypatch.setenv("VIDTAG_OFFLINE", "1")
    QgsSettings().setValue(base_map.CONSENT, True)
    desktop.plugin._actions.base_map.trigger()
    assert maps() == []
    assert asked[0] == []
    assert "works offline" in desktop.bar.currentItem().text()


def test_the_server_is_told_who_asks(desktop, monkeypatch):
    """QGIS sends its own name and the plugin's page, as the server's rules want it."""
    heads = []

    class Answering(Handler):
        def do_GET(self) -> None:
            heads.append(dict(self.headers.items()))
            self.send_error(404)

    with serving(Answering, heads) as server:
        here = base_map.address().replace(f"https://{base_map.HOST}", server.url)
        layer = QgsRasterLayer(here, "here", "wms")
        assert layer.isValid()
        view = QgsMapSettings()
        view.setLayers([layer])
        view.setDestinationCrs(layer.crs())
        view.setExtent(QgsRectangle(0, 0, 1e6, 1e6))
        view.setOutputSize(QSize(256, 256))
        job = QgsMapRendererSequentialJob(view)
        job.start()
        job.waitForFinished()
    assert heads
    head = {name.lower(): value for name, value in heads[0].items()}
    assert "QGIS" in head["user-agent"]
    assert head["referer"] == base_map._homepage() != ""
