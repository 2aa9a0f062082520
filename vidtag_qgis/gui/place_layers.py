"""Layers of the frame that is shown: its candidate places, and its posterior. They lie in memory alone, and go with the window."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from typing import Optional

from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsFeature,
    QgsFeatureRequest,
    QgsGeometry,
    QgsLayerTreeGroup,
    QgsMarkerSymbol,
    QgsPalLayerSettings,
    QgsPointXY,
    QgsProject,
    QgsRendererCategory,
    QgsTextBufferSettings,
    QgsTextFormat,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtGui import QColor

from ..compat import field
from ..places import STYLES
from ..translation import tr

KIND = "vidtag/of-frame"
"""Custom property of these layers: which of the two it is."""
CANDIDATES, POSTERIOR = "candidates", "posterior"
_SKIP_CHECK = "skipMemoryLayersCheck"
"""QGIS's own property: as the project is closed nobody is asked to save what is made anew at any time."""
_ANSWER, _OTHER = "#d01c8b", "#0072b2"
_SAFE = "map('&', '&amp;', '<', '&lt;', '>', '&gt;')"  # names are other people's
_TIP = (
    f'<b>[% replace("video", {_SAFE}) %]</b>, [% "title" %]<br>'
    f"[% replace(replace(\"said\", {_SAFE}), '\\n', '<br>') %]"
    '[% if("picture" is null, \'\', \'<br><img width="240" src="data:image/jpeg;base64,\' || "picture" || \'">\') %]'
)


@dataclass(frozen=True)
class Candidate:
    """One candidate place as windows show it.

    Args:
        rank: from 1 on.
        lat_deg, lon_deg: of it.
        share: P(the frame was taken within the radius of it); None where that is not rated.
        answer: whether it is the frame's answer.
        label: rank and share in a few words.
        said: all that is said of it, plain text.
        picture: JPEG of the reference image that speaks for it most; empty for none.
    """

    rank: int
    lat_deg: float
    lon_deg: float
    share: Optional[float]
    answer: bool
    label: str
    said: str
    picture: bytes = b""


class PlaceLayers:
    """The two layers in the project, each at most once."""

    def layer(self, kind: str) -> Optional[QgsVectorLayer]:
        """The layer, None where the project has none."""
        return next(iter(_layers(kind)), None)

    def show_candidates(self, beside: QgsVectorLayer, video: str, frame_index: int, radius_m: float, found: list[Candidate]) -> None:
        """Let the layer have these places alone; it is made where it is not there, above the result's own layers.

        Args:
            beside: a layer of the result.
            video, frame_index: which frame.
            radius_m: that shares are about.
            found: the places.
        """
        layer = self.layer(CANDIDATES) or _add(_candidate_layer(), CANDIDATES, beside, above=True)
        title = tr("Candidate places of frame {number}").format(number=frame_index)
        features = []
        for one in found:
            feature = QgsFeature(layer.fields())
            feature.setGeometry(QgsGeometry.fromPointXY(QgsPointXY(one.lon_deg, one.lat_deg)))
            picture = base64.b64encode(one.picture).decode("ascii") if one.picture else None
            feature.setAttributes([video, frame_index, one.rank, one.share, one.answer, radius_m, one.label, title, one.said, picture])
            features.append(feature)
        provider = layer.dataProvider()
        provider.truncate()
        provider.addFeatures(features)
        layer.setName(f"{title} ({video})")
        layer.updateExtents()
        layer.triggerRepaint()

    def clear_candidates(self) -> None:
        """Let the layer have no place, where it is there."""
        layer = self.layer(CANDIDATES)
        if layer is not None and layer.featureCount():
            layer.dataProvider().truncate()
            layer.triggerRepaint()

    def show_posterior(self, beside: QgsVectorLayer, video: str, frame_index: int, file: str) -> Optional[QgsVectorLayer]:
        """Take a frame's posterior into the project in place of another's, and remove the file; None where the file cannot be read.

        Args:
            beside: a layer of the result.
            video, frame_index: which frame.
            file: the GeoPackage that the engine wrote.
        """
        read = QgsVectorLayer(f"{file}|layername=posterior", "posterior", "ogr")
        layer = read.materialize(QgsFeatureRequest()) if read.isValid() else None
        del read  # a file that is open cannot be removed everywhere
        if os.path.exists(file):
            os.remove(file)
        self.remove(POSTERIOR)
        if layer is None or not layer.isValid():
            return None
        layer.loadNamedStyle(str(STYLES / "posterior.qml"))
        layer.setName(tr("Posterior of frame {number} ({video})").format(number=frame_index, video=video))
        return _add(layer, POSTERIOR, beside, above=False)

    def remove(self, *kinds: str) -> None:
        """Take these layers out of the project, and any that an earlier session has left in it."""
        ids = [layer.id() for kind in kinds or (CANDIDATES, POSTERIOR) for layer in _layers(kind)]
        if ids:
            QgsProject.instance().removeMapLayers(ids)


def _layers(kind: str) -> list[QgsVectorLayer]:
    layers = QgsProject.instance().mapLayers().values()
    return [layer for layer in layers if isinstance(layer, QgsVectorLayer) and layer.customProperty(KIND) == kind]


def _add(layer: QgsVectorLayer, kind: str, beside: QgsVectorLayer, *, above: bool) -> QgsVectorLayer:
    """Put a layer into the group that a layer of the result lies in, above or below all of it."""
    project = QgsProject.instance()
    layer.setCustomProperty(KIND, kind)
    layer.setCustomProperty(_SKIP_CHECK, 1)
    layer.setReadOnly(True)
    project.addMapLayer(layer, False)
    node = project.layerTreeRoot().findLayer(beside.id())
    parent = None if node is None else node.parent()
    group = parent if isinstance(parent, QgsLayerTreeGroup) else project.layerTreeRoot()
    placed = group.insertLayer(0 if above else len(group.children()), layer)
    placed.setExpanded(False)
    return layer


def _candidate_layer() -> QgsVectorLayer:
    layer = QgsVectorLayer("Point?crs=EPSG:4326", CANDIDATES, "memory")
    kinds = {
        "video": "text", "frame_index": "integer", "rank": "integer", "share": "double", "answer": "boolean", "radius_m": "double", "label": "text", "title": "text",
        "said": "text", "picture": "text",
    }  # fmt: skip
    layer.dataProvider().addAttributes([field(name, kind) for name, kind in kinds.items()])
    layer.updateFields()
    layer.setRenderer(
        QgsCategorizedSymbolRenderer(
            "answer",
            [
                QgsRendererCategory(True, _symbol(_ANSWER, "star", 5.0), tr("The frame's answer")),
                QgsRendererCategory(False, _symbol(_OTHER, "diamond", 4.0), tr("Another place")),
            ],
        )
    )
    layer.setLabeling(QgsVectorLayerSimpleLabeling(_labels()))
    layer.setLabelsEnabled(True)
    layer.setMapTipTemplate(_TIP)
    layer.setDisplayExpression('"label"')
    return layer


def _symbol(colour: str, shape: str, size_mm: float) -> QgsMarkerSymbol:
    return QgsMarkerSymbol.createSimple(
        {"name": shape, "color": colour, "size": str(size_mm), "outline_color": "#ffffff", "outline_width": "0.5"}
    )


def _labels() -> QgsPalLayerSettings:
    """Rank and share beside each place."""
    text, halo, settings = QgsTextFormat(), QgsTextBufferSettings(), QgsPalLayerSettings()
    text.setSize(9)
    text.setColor(QColor("#222222"))
    halo.setEnabled(True)
    halo.setSize(1.0)
    text.setBuffer(halo)
    settings.setFormat(text)
    settings.fieldName = "label"
    settings.priority = 10
    return settings
