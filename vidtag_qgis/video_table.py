"""A table of videos as the engine takes it: a file by its path, a layer by its rows."""

from __future__ import annotations

import os
from typing import Any, Optional

from qgis.core import NULL, QgsProcessingAlgorithm, QgsProcessingContext, QgsProviderRegistry, QgsVectorLayer
from qgis.PyQt.QtCore import QDate, QDateTime, Qt

from .aoi import named_file
from .translation import tr

_PATHS = ("file", "area")
Rows = list[dict[str, Any]]


class TableError(ValueError):
    """A table that cannot be used; the message says why and what to do."""


def read_table(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext, name: str
) -> tuple[Optional[str], Optional[Rows]]:
    """The table that a parameter names: its file, or of a layer its name and rows, whose paths are absolute; None and None where there is none.

    A file that QGIS did not open before goes to the engine as it is: GDAL may take the header of a table of text for a row.

    Raises:
        TableError: it cannot be read.
    """
    value = parameters.get(name)
    if value in (None, ""):
        return None, None
    file = named_file(value)
    if file is not None:
        return file, None
    source = algorithm.parameterAsSource(parameters, name, context)
    if source is None:
        raise TableError(tr("The table of videos cannot be read: {value}. Give a table layer or a file.", value=value))
    layer = algorithm.parameterAsVectorLayer(parameters, name, context)
    folder = _folder_of(layer, context)
    columns = [field.name() for field in source.fields()]
    rows = [{column: _plain(feature[column]) for column in columns} for feature in source.getFeatures()]
    for number, row in enumerate(rows, 1):
        for column in [column for column in columns if column.strip().lower() in _PATHS and isinstance(row[column], str)]:
            row[column] = _absolute(
                row[column].strip(),
                folder,
                tr("Row {number} of {table}, column {column}", number=number, table=source.sourceName(), column=column),
            )
    return source.sourceName(), rows or [dict.fromkeys(columns)]


def _folder_of(layer: Optional[QgsVectorLayer], context: QgsProcessingContext) -> str:
    """What a layer's paths are relative to: the folder of its file, else the project's; empty where there is neither."""
    if layer is not None:
        path = QgsProviderRegistry.instance().decodeUri(layer.providerType(), layer.source()).get("path") or ""
        if path and os.path.isfile(path):
            return os.path.dirname(os.path.abspath(path))
    project = context.project()
    return project.homePath() if project is not None else ""


def _absolute(path: str, folder: str, where: str) -> str:
    if not path or os.path.isabs(path) or path.startswith("~"):
        return path
    if not folder:
        raise TableError(
            tr(
                "{where}: {path} is relative, and neither the layer nor the project has a folder; give the whole path.",
                where=where,
                path=path,
            )
        )
    return os.path.join(folder, path)


def _plain(value: Any) -> Any:
    """A value as JSON has it: times as ISO text, in UTC where they say so."""
    if value is None or value == NULL:
        return None
    if isinstance(value, QDateTime):
        return value.toString(Qt.DateFormat.ISODateWithMs)
    if isinstance(value, QDate):
        return value.toString(Qt.DateFormat.ISODate)
    return value if isinstance(value, (str, int, float)) else str(value)
