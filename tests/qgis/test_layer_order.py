"""The order of a run's layers, loaded by QGIS's own code into a real layer tree."""

from __future__ import annotations

import pytest
from qgis.core import QgsProcessingOutputLayerDefinition, QgsProject, QgsVectorLayer
from qgis.PyQt.QtWidgets import QApplication

from tests.qgis.common import Told, algorithm_of, context_of
from vidtag_qgis import layers

pytestmark = [pytest.mark.qgis, pytest.mark.slow]
WANTED = ["Frames", "Trajectory", "Confidence regions"]


@pytest.fixture
def load(plugin, inputs, tmp_path, monkeypatch):
    """Copies layers of a result as "Geolocate video" does, and has Processing load them; ``paths`` names the sinks."""
    from processing.gui import Postprocessing

    monkeypatch.setattr(Postprocessing, "iface", None, raising=False)
    QgsProject.instance().clear()

    def loaded(paths: dict[str, str]) -> None:
        algorithm, context = algorithm_of("geolocatevideo"), context_of()
        sinks = {name: QgsProcessingOutputLayerDefinition(path, QgsProject.instance()) for name, path in paths.items()}
        for name, kind in algorithm.SINKS:
            layers.copy_layer(str(inputs / "a.gpkg"), kind, algorithm, sinks, name, context, Told())
        assert Postprocessing.handleAlgorithmResults(algorithm, context, Told(), parameters=sinks)
        QApplication.processEvents()  # QGIS drops the layers of removed nodes later

    yield loaded
    QgsProject.instance().clear()


def names(group=None) -> list[str]:
    return [child.name() for child in (group or QgsProject.instance().layerTreeRoot()).children()]


@pytest.mark.parametrize("files", [("a", "b", "c"), ("c", "b", "a"), ("b", "c", "a"), None])
def test_points_lie_on_lines_and_lines_on_areas(load, tmp_path, files):
    """Whatever the sinks are called: QGIS 3.22 loads by the name of the file, later ones in the order of its own map."""
    outputs = ("TRAJECTORY", "FRAMES", "REGIONS")
    paths = [f"{tmp_path}/{name}.gpkg" for name in files] if files else ["TEMPORARY_OUTPUT"] * 3
    below = QgsVectorLayer("Point?crs=EPSG:4326", "mine", "memory")
    QgsProject.instance().addMapLayer(below)
    load(dict(zip(outputs, paths, strict=True)))
    assert names() == [*WANTED, "mine"]
    for name in WANTED:
        [layer] = QgsProject.instance().mapLayersByName(name)
        assert layer.isValid()
        assert layer.featureCount() > 0
        assert layer.renderer().type() != "singleSymbol"
        assert layer.temporalProperties().isActive()


def test_a_second_run_lies_above_the_first(load, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        load({name: f"{tmp_path}/{folder}/{name}.gpkg" for name in ("TRAJECTORY", "FRAMES", "REGIONS")})
    assert names() == [*WANTED, *WANTED]
    places = [layer.source() for layer in QgsProject.instance().layerTreeRoot().layerOrder()]
    assert [f"{tmp_path}/two/" in place for place in places] == [True] * 3 + [False] * 3


def test_in_the_group_that_processing_is_set_to(load):
    from processing.core.ProcessingConfig import ProcessingConfig

    before = ProcessingConfig.getSetting(ProcessingConfig.RESULTS_GROUP_NAME)
    ProcessingConfig.setSettingValue(ProcessingConfig.RESULTS_GROUP_NAME, "results é")
    try:
        load(dict.fromkeys(("TRAJECTORY", "FRAMES", "REGIONS"), "TEMPORARY_OUTPUT"))
    finally:
        ProcessingConfig.setSettingValue(ProcessingConfig.RESULTS_GROUP_NAME, before)
    assert names() == ["results é"]
    assert names(QgsProject.instance().layerTreeRoot().findGroup("results é")) == WANTED


def test_what_stands_elsewhere_stays(plugin):
    """A layer that the user has moved away meanwhile, or that is in no tree."""
    project = QgsProject.instance()
    points, lines = (QgsVectorLayer(f"{kind}?crs=EPSG:4326", kind, "memory") for kind in ("Point", "LineString"))
    layers.arrange(points, {points.id(): "frames"})  # in no project
    for layer in (points, lines):
        project.addMapLayer(layer, False)
    root = project.layerTreeRoot()
    root.addLayer(lines)
    root.addGroup("moved").addLayer(points)
    layers.arrange(points, {points.id(): "frames", lines.id(): "trajectory"})
    assert names() == ["LineString", "moved"]
    project.clear()
