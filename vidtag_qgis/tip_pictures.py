"""Small pictures of frames in the map's tips: the file beside a result that the engine made, and the layers of frames that show what it holds.

The result holds no picture. The file is a hidden layer of the project, which the map tip asks for the one frame under the mouse.
"""

from __future__ import annotations

import os
import pathlib
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Optional

from qgis.core import QgsExpressionContextUtils, QgsMapLayer, QgsProject, QgsVectorLayer

from .edits import file_of, real
from .engine_client.file_marks import own_kind
from .frames import is_frames_layer, pinned_result
from .translation import tr

VARIABLE = "vidtag_pictures"
"""Variable of a layer of frames: the id of the layer of pictures."""
TIP = (
    "[% try(coalesce('<img src=\"data:image/jpeg;base64,' || to_base64(attribute(get_feature(@vidtag_pictures, 'key', "
    "\"video\" || '@' || round(1000 * \"time_s\")), 'jpeg')) || '\" style=\"max-height: 170px\"><br>', ''), '') %]"
)
"""As in the style of frames; results of before have another style of their own."""
KIND = "thumbnails"
PICTURE_BYTES = 8000
"""What a picture takes of the file, 6 to 11 kB as measured: for a word on the size before there are any."""


@dataclass(frozen=True)
class TipPictures:
    """What lies beside a result.

    Args:
        path: of the file of pictures, whether it is there or not.
        pictures: in it; 0 where it is not there, or is no such file.
        size_bytes: of it.
        frames: of the result.
        of_others: it is of other videos than those that the result has by these names.
    """

    path: str
    pictures: int
    size_bytes: int
    frames: int
    of_others: bool


def path_of(result: str) -> str:
    """Where the small pictures of a result lie."""
    return os.path.splitext(result)[0] + ".pictures.gpkg"


def beside(result: str) -> TipPictures:
    """What lies beside a result; quick also where it is large."""
    path = path_of(result)
    frames, videos = _rows(result, "SELECT count(*) FROM frames"), _rows(result, "SELECT video, coalesce(sha256, '') FROM videos")
    count = int(frames[0][0]) if frames else 0
    if not os.path.isfile(path) or own_kind(path) != KIND:
        return TipPictures(path, 0, 0, count, False)
    held = _rows(path, "SELECT video, sha256, count(*) FROM pictures GROUP BY video, sha256")
    known: dict[str, str] = {str(name): str(digest) for name, digest in videos}
    others = any(known.get(video) != sha256 for video, sha256, _ in held if video in known)
    return TipPictures(path, sum(row[2] for row in held), os.path.getsize(path), count, others)


def link(layer: QgsVectorLayer, geopackage: str = "", project: Optional[QgsProject] = None) -> bool:
    """Let the map tips of a layer of frames show the pictures beside its result, where there are any; whether there are.

    Args:
        layer: of frames.
        geopackage: the result; empty asks the layer.
        project: of the layer; None is the one that is open.
    """
    result = geopackage or pinned_result(layer)
    found = beside(result) if result else None
    if found is None or not found.pictures or found.of_others:
        if QgsExpressionContextUtils.layerScope(layer).hasVariable(VARIABLE):
            QgsExpressionContextUtils.setLayerVariable(layer, VARIABLE, "")
        return False
    pictures = _layer_of(found.path, project or QgsProject.instance())
    if pictures is None:
        return False
    QgsExpressionContextUtils.setLayerVariable(layer, VARIABLE, pictures.id())
    if f"@{VARIABLE}" not in layer.mapTipTemplate():
        layer.setMapTipTemplate(TIP + layer.mapTipTemplate())
    return True


def link_all(result: str) -> int:
    """As :func:`link`, for every layer of this result's frames in the project; how many show pictures now."""
    layers = [layer for layer in QgsProject.instance().mapLayers().values() if is_frames_layer(layer)]
    return sum(link(layer, result) for layer in layers if real(pinned_result(layer) or "") == real(result))


def release(result: str) -> None:
    """Let go of the file, so that another can take its place."""
    project, path = QgsProject.instance(), real(path_of(result))
    for layer in list(project.mapLayers().values()):
        if isinstance(layer, QgsVectorLayer) and file_of(layer) == path:
            project.removeMapLayer(layer.id())


def remove(result: str) -> Optional[str]:
    """Take the pictures of a result away; why not, as one sentence, where that cannot be done."""
    found = beside(result)
    release(result)
    if not found.pictures:
        return None
    try:
        os.remove(found.path)
    except OSError as error:
        return tr(
            "{name} cannot be removed ({why}): close it in other programs, then try again.",
            name=os.path.basename(found.path),
            why=str(error.strerror),
        )
    for ending in ("-wal", "-shm"):
        if os.path.exists(found.path + ending):
            os.remove(found.path + ending)
    return None


def _layer_of(path: str, project: QgsProject) -> Optional[QgsVectorLayer]:
    """The hidden layer of a file of pictures, added where the project has none."""
    for layer in project.mapLayers().values():
        if isinstance(layer, QgsVectorLayer) and file_of(layer) == real(path) and layer.isValid():
            return layer
    layer = QgsVectorLayer(f"{path}|layername=pictures", os.path.basename(path), "ogr")
    if not layer.isValid():
        return None
    layer.setFlags(QgsMapLayer.LayerFlag.Private)
    layer.setReadOnly(True)
    project.addMapLayer(layer, False)
    return layer


def _rows(path: str, statement: str) -> list[tuple[Any, ...]]:
    """Rows of a GeoPackage; none where it is none."""
    if not os.path.isfile(path):
        return []
    try:
        with closing(sqlite3.connect(f"{pathlib.Path(path).resolve().as_uri()}?mode=ro", uri=True)) as database:
            return database.execute(statement).fetchall()
    except sqlite3.Error:
        return []
