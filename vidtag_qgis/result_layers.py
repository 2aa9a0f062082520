"""The result's own layers in the project: those of the GeoPackage itself, styled, in a group of their video, each once however often it is made.

Their times have milliseconds, which copies lose in QGIS 3.22. They are read-only: a person's corrections stand beside the model's answer.
"""

from __future__ import annotations

import os
import pathlib
import sqlite3
from collections import deque
from contextlib import closing
from dataclasses import dataclass
from typing import Iterator, Optional

from qgis.core import (
    QgsLayerTreeGroup,
    QgsLayerTreeLayer,
    QgsMapLayer,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsProcessingUtils,
    QgsProject,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QCoreApplication, QThread

from .edits import file_of, real, table_of
from .layers import ORDER, finish, say_radius
from .translation import mark, tr

TITLES = {
    "frames": mark("Frames"), "trajectory": mark("Trajectory"), "matches": mark("Reference images that speak for frames"),
    "candidates": mark("Candidate ways"), "videos": mark("Videos"), "regions": mark("Confidence regions"),
}  # fmt: skip
"""Kinds of layers that are loaded, with what they are called."""
NOT_IN_ALL = ("matches", "candidates")
"""Kinds that a result may lack, and those of earlier versions do."""
UNFOLDED = ("frames", "trajectory")
"""Kinds whose legend is shown in the layer tree from the start."""
HIDDEN = ("matches",)
"""Kinds that are not drawn until somebody ticks them: three arrows a frame lie about the places that the map is looked at for."""
MOST_GROUPS = 8
"""Videos up to which each has a group of its own; more are one group, or a folder of a hundred would fill the layer tree."""
_EMPTY = 0x10  # among the flags of a geometry, its fourth byte, in a GeoPackage
RESULT, VIDEO, KIND, NAME, PLACE = (f"vidtag/own/{name}" for name in ("result", "video", "kind", "name", "place"))
"""Custom properties of these layers and of their groups."""


@dataclass(frozen=True)
class ResultLayer:
    """One layer to be in the project.

    Args:
        kind: its name in the GeoPackage.
        video: which video's rows it shows; empty for all.
        title: of its group.
        place: of its group among those of the result, from 0.
    """

    kind: str
    video: str
    title: str
    place: int = 0

    @property
    def name(self) -> str:
        """As the layer tree and the choosers of layers show it: told apart also where no group is seen."""
        return f"{tr(TITLES[self.kind])} ({self.title})"

    @property
    def subset(self) -> str:
        """Filter of its rows; empty for all."""
        return "\"video\" = '{}'".format(self.video.replace("'", "''")) if self.video else ""

    def source(self, geopackage: str) -> str:
        """Where QGIS reads it."""
        return f"{geopackage}|layername={self.kind}" + (f"|subset={self.subset}" if self.subset else "")


def plan(geopackage: str) -> list[ResultLayer]:
    """The layers of a result that have rows, the first group's first. A video that failed has none of its own.

    Raises:
        sqlite3.Error: it is no result.
    """
    with closing(sqlite3.connect(f"{pathlib.Path(geopackage).resolve().as_uri()}?mode=ro", uri=True)) as database:
        # The tables' names are the result's own.
        having = {
            kind: {name for (name,) in database.execute(f'SELECT DISTINCT video FROM "{kind}"')}  # noqa: S608  # nosec B608
            for kind in TITLES if kind not in NOT_IN_ALL
        }  # fmt: skip
        having.update(matches=_with_places(database), candidates=_with_ways(database))
        names = [name for (name,) in database.execute("SELECT video FROM videos WHERE coalesce(state, '') != 'failed' ORDER BY fid")]
    if 1 < len(names) <= MOST_GROUPS:
        groups = [ResultLayer(kind, name, name, place) for place, name in enumerate(names) for kind in TITLES]
        return [one for one in groups if one.video in having[one.kind]]
    title = names[0] if len(names) == 1 else _title_of_many(geopackage, len(names))
    return [ResultLayer(kind, "", title) for kind in TITLES if having[kind]]


def _with_places(database: sqlite3.Connection) -> set[str]:
    """Videos that have reference images whose places are known: one's own are kept back unless their owner said so, and older results have no such layer."""
    if database.execute("SELECT 1 FROM gpkg_contents WHERE table_name = 'matches'").fetchone() is None:
        return set()
    rows = database.execute("SELECT DISTINCT video, substr(geom, 4, 1) FROM matches WHERE geom NOT NULL")
    return {video for video, flags in rows if not flags[0] & _EMPTY}


def _with_ways(database: sqlite3.Connection) -> set[str]:
    """Videos that have candidate ways: where roads were given, and not in results before schema 4.6."""
    if database.execute("SELECT 1 FROM gpkg_contents WHERE table_name = 'candidates'").fetchone() is None:
        return set()
    return {video for (video,) in database.execute("SELECT DISTINCT video FROM candidates")}


def _title_of_many(geopackage: str, count: int) -> str:
    temporary = real(QgsProcessingUtils.tempFolder())
    path = real(geopackage)
    return tr("{count} videos", count=count) if path.startswith(temporary + os.sep) else os.path.splitext(os.path.basename(geopackage))[0]


def load(geopackage: str, context: QgsProcessingContext) -> None:
    """Have QGIS load what is not in the project yet, and let what is there say what is new. Its rows are read anew by the guard of edits.

    Called in the main thread after the file was written. Nothing is done in a step of a model, which loads what it is asked to, and without a project.
    """
    project = context.project()
    if project is None or context.expressionContext().hasVariable("model_name") or not _in_main_thread():
        return
    wanted = {(one.kind, one.subset): one for one in plan(geopackage)}
    path = real(geopackage)
    for layer in list(project.mapLayers().values()):
        if not isinstance(layer, QgsVectorLayer) or file_of(layer) != path:
            continue
        known = wanted.pop((table_of(layer), layer.subsetString()), None)
        if known is not None:
            _renew(layer, known)
        elif layer.customProperty(RESULT):  # of a video that the result no longer holds, or grouped otherwise
            _remove(layer, project)
    for one in wanted.values():
        finisher = ResultFinish(one, geopackage)
        _ALIVE.append(finisher)
        details = QgsProcessingContext.LayerDetails(one.name, project, "")
        details.setPostProcessor(finisher)
        context.addLayerToLoadOnCompletion(one.source(geopackage), details)


class ResultFinish(QgsProcessingLayerPostProcessorInterface):
    """Gives a loaded layer of a result its name, style, time and group. QGIS calls it in the main thread; it never runs headless.

    Args:
        wanted: which it is.
        geopackage: the result.
    """

    def __init__(self, wanted: ResultLayer, geopackage: str) -> None:
        super().__init__()
        self.wanted = wanted
        self.geopackage = geopackage

    def postProcessLayer(self, layer: QgsMapLayer, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> None:
        """Finish it."""
        if not isinstance(layer, QgsVectorLayer):
            return
        finish(layer, self.wanted.kind, self.geopackage)
        layer.setReadOnly(True)
        layer.setName(self.wanted.name)
        for name, value in ((RESULT, real(self.geopackage)), (KIND, self.wanted.kind), (NAME, self.wanted.name)):
            layer.setCustomProperty(name, value)
        _place(layer, self.wanted, real(self.geopackage))


# QGIS keeps only the C++ half of a post-processor; the Python half must be alive when it calls, after the algorithm is gone.
_ALIVE: deque[ResultFinish] = deque(maxlen=256)


def _in_main_thread() -> bool:
    return bool(QThread.currentThread() == QCoreApplication.instance().thread())


def _renew(layer: QgsVectorLayer, wanted: ResultLayer) -> None:
    """A layer that stays: what a person has named or styled otherwise is left so."""
    say_radius(layer, file_of(layer))
    if layer.customProperty(RESULT) and layer.name() == layer.customProperty(NAME):
        layer.setName(wanted.name)
        layer.setCustomProperty(NAME, wanted.name)
        group = _group_of(layer)
        if group is not None and group.customProperty(NAME) == group.name():
            group.setName(wanted.title)
            group.setCustomProperty(NAME, wanted.title)


def _remove(layer: QgsVectorLayer, project: QgsProject) -> None:
    group = _group_of(layer)
    project.removeMapLayer(layer.id())
    if group is not None and group.customProperty(RESULT) and not group.children():
        group.parent().removeChildNode(group)


def _group_of(layer: QgsVectorLayer) -> Optional[QgsLayerTreeGroup]:
    node = layer.project().layerTreeRoot().findLayer(layer.id()) if layer.project() is not None else None
    group = None if node is None else node.parent()
    return group if isinstance(group, QgsLayerTreeGroup) else None


def _place(layer: QgsMapLayer, wanted: ResultLayer, path: str) -> None:
    """Move the layer's node, which QGIS puts anywhere, into the group of its video: QGIS 3.22 knows no groups for what it loads."""
    root = layer.project().layerTreeRoot() if layer.project() is not None else None
    node = None if root is None else root.findLayer(layer.id())
    if node is None:
        return
    groups = [group for group in _groups(root) if group.customProperty(RESULT) == path]
    group = next((group for group in groups if (group.customProperty(VIDEO) or "") == wanted.video), None)
    if group is None:
        group = _new_group(node, [one for one in groups if one.parent() is node.parent()], wanted, path)
    layers = [child for child in group.children() if isinstance(child, QgsLayerTreeLayer)]
    below = [child for child in layers if ORDER.index(_kind(child)) > ORDER.index(wanted.kind)]
    copy = node.clone()
    copy.setExpanded(wanted.kind in UNFOLDED)
    copy.setItemVisibilityChecked(wanted.kind not in HIDDEN)
    group.insertChildNode(group.children().index(below[0]) if below else len(group.children()), copy)
    node.parent().removeChildNode(node)  # after the copy is there: QGIS drops a layer with its last node


def _new_group(node: QgsLayerTreeLayer, siblings: list[QgsLayerTreeGroup], wanted: ResultLayer, path: str) -> QgsLayerTreeGroup:
    """A group in the place of ``node``, or among the result's other groups in the order of its videos."""
    parent = node.parent()
    children = parent.children()
    index = children.index(node)
    if siblings:
        later = [one for one in siblings if int(one.customProperty(PLACE)) > wanted.place]
        index = children.index(later[0]) if later else children.index(siblings[-1]) + 1
    group = parent.insertGroup(index, wanted.title)
    for name, value in ((RESULT, path), (VIDEO, wanted.video), (NAME, wanted.title), (PLACE, wanted.place)):
        group.setCustomProperty(name, value)
    return group


def _groups(group: QgsLayerTreeGroup) -> Iterator[QgsLayerTreeGroup]:
    for child in group.children():
        if isinstance(child, QgsLayerTreeGroup):
            yield child
            yield from _groups(child)


def _kind(node: QgsLayerTreeLayer) -> str:
    """The kind of a group's layer; what else a person has put there stays above."""
    layer = node.layer()
    kind = "" if layer is None else str(layer.customProperty(KIND) or "")
    return kind if kind in ORDER else ORDER[0]
