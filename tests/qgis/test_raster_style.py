"""A heat map that QGIS loads after a run has the style that lies beside it: Processing itself loads rasters without."""

from __future__ import annotations

import gc
import shutil
from pathlib import Path

import pytest
from osgeo import gdal
from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingUtils, QgsProject

from vidtag_qgis.layers import finish_on_load

pytestmark = pytest.mark.qgis
STYLE = Path(__file__).resolve().parent.parent.parent / "resources" / "styles" / "heatmap.qml"


def loaded(path, finished):
    """The raster as Processing gives it to the map, and its renderer."""
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    context.addLayerToLoadOnCompletion(path, QgsProcessingContext.LayerDetails("Heat map", QgsProject.instance(), "OUTPUT"))
    if finished:
        finish_on_load(path, "heatmap", context)
    gc.collect()
    layer = QgsProcessingUtils.mapLayerFromString(path, context)
    if finisher := context.layerToLoadOnCompletionDetails(path).postProcessor():
        finisher.postProcessLayer(layer, context, QgsProcessingFeedback())
    return layer.renderer().type()


def test_the_style_beside_a_raster_is_loaded_with_it(plugin, tmp_path):
    path = tmp_path / "heat.tif"
    raster = gdal.GetDriverByName("GTiff").Create(str(path), 4, 3, 1, gdal.GDT_Float32)
    raster.SetGeoTransform((159.92, 0.001, 0, -19.21, 0, -0.001))
    raster.GetRasterBand(1).Fill(0.25)
    del raster
    shutil.copy(STYLE, tmp_path / "heat.qml")
    assert loaded(str(path), finished=False) == "singlebandgray"  # what the finisher is for
    assert loaded(str(path), finished=True) == "singlebandpseudocolor"
