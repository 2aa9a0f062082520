"""Layers of the project that a person edits, and files that are being written: neither gets in the other's way.

The engine puts a new file in the place of an old one. A layer that is open on the old file would save its edits into a file that is gone, and QGIS would
say that all is well. So what is being edited is not replaced, what is being written is not edited, and open layers read the new file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Optional

from qgis.core import Qgis, QgsDataSourceUri, QgsMapLayer, QgsMessageLog, QgsProject, QgsProviderRegistry, QgsVectorLayer
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from .translation import tr


def file_of(layer: QgsMapLayer) -> str:
    """Real path of the file that a layer reads; empty where it reads none."""
    parts = QgsProviderRegistry.instance().decodeUri(layer.providerType(), layer.source())
    path = str(parts.get("path") or "")
    if not path and layer.providerType() == "spatialite":
        path = QgsDataSourceUri(layer.source()).database()
    return real(path) if path else ""


def table_of(layer: QgsMapLayer) -> str:
    """Name of the table or layer in its file; empty where the source does not say."""
    return str(QgsProviderRegistry.instance().decodeUri(layer.providerType(), layer.source()).get("layerName") or "")


def real(path: str) -> str:
    """A path as it is compared: absolute, without links, without letter case where the system has none."""
    return os.path.normcase(os.path.realpath(path))


class EditGuard(QObject):
    """Knows at any time, from any thread, which files are edited in the project. Made in the main thread, whose signals keep it up to date."""

    written = pyqtSignal(list)
    """Paths that were written: their layers are read anew, in the main thread."""

    def __init__(self) -> None:
        super().__init__()
        self._edited: dict[str, tuple[str, str]] = {}
        self._writing: list[str] = []
        self._links: dict[str, list[tuple[Any, Any]]] = {}
        self._ended = False
        self.written.connect(self._reload)
        project = QgsProject.instance()
        project.destroyed.connect(self._project_gone)
        project.layersAdded.connect(self._added)
        project.layersRemoved.connect(self._removed)
        self._added(project.mapLayers().values())

    def refusal(self, paths: Iterable[str]) -> Optional[str]:
        """Why these files must not be written now, as one sentence; None where they may."""
        wanted = {real(path) for path in paths}
        for path, name in list(self._edited.values()):
            if path in wanted:
                return tr(
                    "The layer {name!r} of {path} is being edited in QGIS, and its edits would be lost: save or cancel them and end editing, or "
                    "choose another output.",
                    name=name,
                    path=os.path.basename(path),
                )
        return None

    @contextmanager
    def writing(self, paths: Iterable[str]) -> Iterator[None]:
        """Let nobody begin to edit these files meanwhile; afterwards layers that are open on them show what was written."""
        mine = [real(path) for path in paths]
        self._writing += mine
        try:
            yield
        finally:
            for path in mine:
                self._writing.remove(path)
            self.written.emit(mine)

    def _project_gone(self) -> None:
        self._ended = True

    def close(self) -> None:
        """Listen no more."""
        if self._ended:  # QGIS ends, and its layers and connections are gone with the project; 3.40 crashes where it is asked for then
            return
        project = QgsProject.instance()
        links = [(project.layersAdded, self._added), (project.layersRemoved, self._removed)]
        links += [link for of_layer in self._links.values() for link in of_layer]
        for signal, slot in links:
            with suppress(TypeError, RuntimeError):  # as QGIS ends, the project is gone before the plugin, and its connections with it
                signal.disconnect(slot)
        self._links.clear()
        self.deleteLater()

    def _added(self, layers: Iterable[QgsMapLayer]) -> None:
        for layer in layers:
            if isinstance(layer, QgsVectorLayer):
                links = [
                    (layer.editingStarted, partial(self._started, layer.id())),
                    (layer.editingStopped, partial(self._stopped, layer.id())),
                ]
                for signal, slot in links:
                    signal.connect(slot)
                self._links[layer.id()] = links
                if layer.isEditable():
                    self._started(layer.id())

    def _removed(self, layer_ids: Iterable[str]) -> None:
        for layer_id in layer_ids:
            self._edited.pop(layer_id, None)
            self._links.pop(layer_id, None)  # its connections went with it

    def _started(self, layer_id: str) -> None:
        layer = QgsProject.instance().mapLayer(layer_id)
        path = file_of(layer) if layer is not None else ""
        if not path:
            return
        if path in self._writing:
            QTimer.singleShot(0, partial(self._end, layer_id))  # not while QGIS is about to begin
            return
        self._edited[layer_id] = (path, layer.name())

    def _stopped(self, layer_id: str) -> None:
        self._edited.pop(layer_id, None)

    def _end(self, layer_id: str) -> None:
        """End an editing that has begun on a file that is being written: nothing is changed yet."""
        layer = QgsProject.instance().mapLayer(layer_id)
        if isinstance(layer, QgsVectorLayer) and layer.isEditable():
            layer.rollBack()
            _tell(tr("{name} can be edited once VidTAG has written {file}.", name=layer.name(), file=os.path.basename(file_of(layer))))

    def _reload(self, paths: list[str]) -> None:
        for layer in QgsProject.instance().mapLayers().values():
            if not (isinstance(layer, QgsVectorLayer) and layer.isEditable()) and file_of(layer) in paths:
                layer.reload()
                layer.triggerRepaint()


def _tell(text: str) -> None:
    from qgis.utils import iface

    QgsMessageLog.logMessage(text, "VidTAG", Qgis.MessageLevel.Warning)
    if iface is not None:
        iface.messageBar().pushWarning("VidTAG", text)


_GUARD: list[EditGuard] = []


def guard() -> EditGuard:
    """The one guard; first asked for in the main thread."""
    if not _GUARD:
        _GUARD.append(EditGuard())
    return _GUARD[0]


def close_guard() -> None:
    """Forget it, as the plugin is unloaded."""
    while _GUARD:
        _GUARD.pop().close()
