"""Layers in QGIS made from the engine's GeoPackage: copies in sinks, their style and their time."""

from __future__ import annotations

import os
import pathlib
import re
import sqlite3
from collections import deque
from contextlib import closing
from typing import Any, Mapping, Optional, Sequence

from qgis.core import (
    Qgis,
    QgsCategorizedSymbolRenderer,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsFeature,
    QgsFeatureRequest,
    QgsFeatureSink,
    QgsFields,
    QgsGeometry,
    QgsGraduatedSymbolRenderer,
    QgsLayerTreeLayer,
    QgsMapLayer,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsRuleBasedRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDateTime

from . import tip_pictures
from .algorithms.checks import is_asked, target_of
from .algorithms.output_files import mark_layer
from .compat import iso_text, text_field
from .edits import file_of, guard, real, table_of
from .frames import remember_videos, result_of
from .places import STYLES
from .translation import everywhere, mark, tr

QUESTIONS = {
    mark("Probability that the camera was within the confidence radius of the point"): mark(
        "Probability that the camera was within {radius:g} m of the point"
    ),
    mark("Probability that the camera was within the confidence radius, at the less sure end"): mark(
        "Probability that the camera was within {radius:g} m, at the less sure end"
    ),
    mark("Mean probability that the camera was within the confidence radius of the point"): mark(
        "Mean probability that the camera was within {radius:g} m of the point"
    ),
}
"""What the heads of legends ask, and how where the result's radius is known."""
TIME_FIELDS = {
    "frames": ("time", None),
    "errors": ("time", None),
    "trajectory": ("start_time", "end_time"),
    "videos": ("start_time", "end_time"),
    "regions": ("time", None),
    "track": ("start_time", "end_time"),
}
"""Per layer of the GeoPackage: the field of the instant, or those of start and end."""
ORDER = (
    "frames",
    "errors",
    "trajectory",
    "track",
    "matches",
    "images",
    "candidates",
    "videos",
    "gallery",
    "gaps",
    "regions",
    "places",
    "heatmap",
)
"""Kinds of layers from the topmost on: points lie on lines, and lines on areas."""


class LayerFinish(QgsProcessingLayerPostProcessorInterface):
    """Gives a loaded copy its style, its time and its place among its run's layers. QGIS calls it in the main thread; it never runs headless.

    Args:
        kind: the layer's name in the GeoPackage, which tells style and time fields.
        geopackage: that it was copied from; a layer of frames remembers from it which files its videos are.
    """

    def __init__(self, kind: str, geopackage: str = "") -> None:
        super().__init__()
        self.kind = kind
        self.geopackage = geopackage
        self.layer_id = ""

    def postProcessLayer(self, layer: QgsMapLayer, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> None:
        """Style it, switch its time on, and put it in order with those that are loaded by now."""
        if isinstance(layer, QgsVectorLayer):
            finish(layer, self.kind, self.geopackage)
            if self.kind == "frames":
                remember_videos(layer, self.geopackage)
        else:  # Processing loads a raster without the style that lies beside it
            layer.loadDefaultStyle()
            layer.triggerRepaint()
        self.layer_id = layer.id()
        finishers = [details.postProcessor() for details in context.layersToLoadOnCompletion().values()]
        arrange(layer, {one.layer_id: one.kind for one in finishers if isinstance(one, LayerFinish)})


# QGIS keeps only the C++ half of a post-processor; the Python half must be alive when it calls, after the algorithm is gone.
_ALIVE: deque[LayerFinish] = deque(maxlen=256)


def finish_on_load(destination: str, kind: str, context: QgsProcessingContext, geopackage: str = "") -> None:
    """Have the layer at ``destination`` finished if QGIS loads it; kind and GeoPackage as for LayerFinish."""
    if context.willLoadLayerOnCompletion(destination):
        finisher = LayerFinish(kind, geopackage)
        _ALIVE.append(finisher)
        context.layerToLoadOnCompletionDetails(destination).setPostProcessor(finisher)


def load_layer(geopackage: str, kind: str, title: str, context: QgsProcessingContext) -> None:
    """Have QGIS load a layer of a GeoPackage as it is, styled, unless the project has it already, whose rows the guard of edits reads anew.

    Called in the main thread after the file was written. Nothing is done in a step of a model, and without a project.
    """
    project = context.project()
    if project is None or context.expressionContext().hasVariable("model_name"):
        return
    for layer in project.mapLayers().values():
        if isinstance(layer, QgsVectorLayer) and (file_of(layer), table_of(layer)) == (real(geopackage), kind):
            return
    finisher = LayerFinish(kind, geopackage)
    _ALIVE.append(finisher)
    details = QgsProcessingContext.LayerDetails(title, project, "")
    details.setPostProcessor(finisher)
    context.addLayerToLoadOnCompletion(f"{geopackage}|layername={kind}", details)


def arrange(layer: QgsMapLayer, kinds: Mapping[str, str]) -> None:
    """Bring the layers of a run into ``ORDER``, at the place of the topmost of them. QGIS loads them in an order of its own.

    Args:
        layer: one of them; those in other groups of the layer tree stay where they are.
        kinds: by the layers' ids.
    """
    node = layer.project().layerTreeRoot().findLayer(layer.id()) if layer.project() is not None else None
    if node is None:
        return
    group = node.parent()
    mine = [child for child in group.children() if isinstance(child, QgsLayerTreeLayer) and child.layerId() in kinds]
    wanted = sorted(mine, key=lambda child: ORDER.index(kinds[child.layerId()]))
    if wanted == mine:
        return
    top = group.children().index(mine[0])
    for place, child in enumerate(wanted):
        group.insertChildNode(top + place, child.clone())
    for child in mine:  # after the copies are there: QGIS drops a layer with its last node
        group.removeChildNode(child)


def finish(layer: QgsVectorLayer, kind: str, geopackage: str = "") -> None:
    """Give ``layer`` the style that belongs to ``kind``, with the radius of the result that it is of, and its temporal settings."""
    style = STYLES / f"{kind}.qml"
    if style.is_file():
        layer.loadNamedStyle(str(style))
        translate_legend(layer)
        say_radius(layer, geopackage)
    if kind in TIME_FIELDS:
        set_time(layer, kind)
    if kind == "frames":
        tip_pictures.link(layer, geopackage)
    layer.triggerRepaint()


def say_radius(layer: QgsVectorLayer, geopackage: str) -> None:
    """Name the result's radius in the head of the legend, where all its videos have the same; also in the place of an older one, in any language."""
    renderer = layer.renderer()
    if not isinstance(renderer, QgsRuleBasedRenderer):
        return
    radius_m = _radius_m(geopackage or result_of(layer))
    for rule in renderer.rootRule().children():
        for unknown, known in QUESTIONS.items():
            if rule.ruleKey().endswith("-question") and _says(rule.label(), unknown, known):
                rule.setLabel(tr(unknown) if radius_m is None else tr(known, radius=radius_m))
                layer.legendChanged.emit()
                break


def _says(label: str, unknown: str, known: str) -> bool:
    """Whether a head of a legend asks this question, whatever the radius and the language."""
    number = re.escape("{radius:g}")
    return label in everywhere(unknown) or any(
        re.fullmatch(re.escape(text).replace(number, "[-+.,e0-9]+"), label) for text in everywhere(known)
    )


def translate_legend(layer: QgsVectorLayer) -> None:
    """Put the legend, which the style has in English, in the language of QGIS. Expressions stay as they are: a project is shared, and QGIS translates none."""
    renderer = layer.renderer()
    if isinstance(renderer, QgsRuleBasedRenderer):
        for rule in renderer.rootRule().descendants():
            rule.setLabel(tr(rule.label()))
    elif isinstance(renderer, QgsCategorizedSymbolRenderer):
        for index, category in enumerate(renderer.categories()):
            renderer.updateCategoryLabel(index, tr(category.label()))
    elif isinstance(renderer, QgsGraduatedSymbolRenderer):
        for index, one in enumerate(renderer.ranges()):
            renderer.updateRangeLabel(index, tr(one.label()))


def _radius_m(geopackage: str) -> Optional[float]:
    if not os.path.isfile(geopackage):
        return None
    try:
        with closing(sqlite3.connect(f"{pathlib.Path(geopackage).resolve().as_uri()}?mode=ro", uri=True)) as database:
            found = database.execute("SELECT DISTINCT confidence_radius_m FROM videos WHERE confidence_radius_m NOT NULL").fetchall()
    except sqlite3.Error:  # no result
        return None
    return float(found[0][0]) if len(found) == 1 else None


def set_time(layer: QgsVectorLayer, kind: str) -> bool:
    """Set and switch on the temporal settings; False where the format has no true times (a Shapefile's are text)."""
    start, end = TIME_FIELDS[kind]
    fields = layer.fields()
    for name in (start, end):
        index = fields.indexOf(name) if name else -1
        if name and (index < 0 or not fields.at(index).isDateOrTime()):
            return False
    properties = layer.temporalProperties()
    properties.setStartField(start)
    if end is None:
        properties.setMode(Qgis.VectorTemporalMode.FeatureDateTimeInstantFromField)
    else:
        properties.setEndField(end)
        properties.setMode(Qgis.VectorTemporalMode.FeatureDateTimeStartAndEndFromFields)
    properties.setIsActive(True)
    return True


def copy_layer(
    geopackage: str,
    kind: str,
    algorithm: QgsProcessingAlgorithm,
    parameters: dict[str, Any],
    output: str,
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
    *,
    crs: Optional[QgsCoordinateReferenceSystem] = None,
    like: str = "",
    rows: Optional[Sequence[int]] = None,
) -> Optional[str]:
    """Copy one layer of the GeoPackage into the sink of the parameter ``output``; None where no sink is asked for.

    Places are given in ``crs``, by default in WGS 84; style and time are those of the layer ``like``, by default its own. Every attribute is
    copied, and each time also as ISO text with milliseconds and zone (``time_iso``), which 3.22's writers drop from true times. ``rows`` are the ids of
    the features that are meant, by default all.

    Raises:
        QgsProcessingException: the layer cannot be read or the sink cannot be written.
    """
    if not is_asked(parameters.get(output)):
        return None
    layer = QgsVectorLayer(f"{geopackage}|layername={kind}", kind, "ogr")
    if not layer.isValid():
        raise QgsProcessingException(
            tr("The engine's result {geopackage} has no layer {kind!r} that QGIS can read.", geopackage=geopackage, kind=kind)
        )
    copied = [index for index in layer.attributeList() if index not in layer.primaryKeyAttributes()]
    times = [index for index in copied if layer.fields().at(index).isDateOrTime()]
    fields = QgsFields()
    for index in copied:
        fields.append(layer.fields().at(index))
    for index in times:
        fields.append(text_field(f"{layer.fields().at(index).name()}_iso"))
    sink = Sink(geopackage, algorithm, parameters, output, context, fields, layer.wkbType(), layer.crs(), crs)
    for feature in layer.getFeatures() if rows is None else layer.getFeatures(QgsFeatureRequest().setFilterFids(list(rows))):
        if feedback.isCanceled():
            break
        copy = QgsFeature(fields)
        copy.setGeometry(feature.geometry())
        values = feature.attributes()
        copy.setAttributes([values[index] for index in copied] + [_iso(values[index]) for index in times])
        sink.add(copy)
    return sink.finished(like or kind)


class Sink:
    """The layer that a parameter asks for, written in the coordinate system that is asked for.

    Args:
        geopackage: the result that it is made from.
        algorithm, parameters, output, context: which parameter of which call.
        fields, kind: of the layer.
        crs: of the features that are given.
        target: what the layer is to be in; None or an invalid one is ``crs``.

    Raises:
        QgsProcessingException: it must not or cannot be written.
    """

    def __init__(
        self,
        geopackage: str,
        algorithm: QgsProcessingAlgorithm,
        parameters: dict[str, Any],
        output: str,
        context: QgsProcessingContext,
        fields: QgsFields,
        kind: Any,
        crs: QgsCoordinateReferenceSystem,
        target: Optional[QgsCoordinateReferenceSystem],
    ) -> None:
        self.geopackage, self.algorithm, self.parameters, self.output, self.context = geopackage, algorithm, parameters, output, context
        target = target if target is not None and target.isValid() else crs
        self.to_target = QgsCoordinateTransform(crs, target, context.transformContext())
        if (path := target_of(parameters.get(output))) is not None:
            if why := guard().refusal([path[0]]):
                raise QgsProcessingException(
                    tr("{why} All else is written; the rest lies in {geopackage}.", why=why, geopackage=geopackage)
                )
            if os.path.isabs(path[0]):  # QGIS makes no folder; what is no file is a database's name
                os.makedirs(os.path.dirname(path[0]), exist_ok=True)
        self.sink, self.destination = algorithm.parameterAsSink(parameters, output, context, fields, kind, target)
        if self.sink is None:
            raise QgsProcessingException(algorithm.invalidSinkError(parameters, output))

    def add(self, feature: QgsFeature) -> None:
        """Write a feature, moved into the layer's coordinate system."""
        feature.setGeometry(_moved(feature.geometry(), self.to_target))
        if not self.sink.addFeature(feature, QgsFeatureSink.Flag.FastInsert):
            raise QgsProcessingException(self.algorithm.writeFeatureError(self.sink, self.parameters, self.output))

    def finished(self, kind: str) -> str:
        """Close the file, mark it as this tool's own, have it styled as that kind if QGIS loads it, and return where it is."""
        self.sink = None
        mark_layer(self.parameters.get(self.output))
        finish_on_load(self.destination, kind, self.context, self.geopackage)
        return str(self.destination)


def _moved(geometry: QgsGeometry, to_target: QgsCoordinateTransform) -> QgsGeometry:
    """The geometry in another coordinate system; a frame without an answer has none."""
    moved = QgsGeometry(geometry)
    if not moved.isNull() and not to_target.isShortCircuited():
        try:
            moved.transform(to_target)
        except QgsCsException as error:
            name = to_target.destinationCrs().userFriendlyIdentifier()
            raise QgsProcessingException(
                tr("A place of the result lies outside {name}: choose another coordinate system.", name=name)
            ) from error
    return moved


def _iso(value: Any) -> Optional[str]:
    return iso_text(value) if isinstance(value, QDateTime) and value.isValid() else None
