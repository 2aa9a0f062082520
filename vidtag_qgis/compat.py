"""The differences between QGIS 3.22 and 4 (Qt 5 and 6) that the plugin meets, each in one place.

Enums are written with their scope everywhere (``QgsWkbTypes.GeometryType.PolygonGeometry``), dialogs run with ``exec()`` and Qt comes from
``qgis.PyQt``: these spellings work on all of them, which ``tests/test_plugin_package.py`` and ``tests/qgis`` hold. What is left is here.
"""

from __future__ import annotations

import html
from typing import Any

from qgis.core import Qgis, QgsField, QgsProcessingFeedback
from qgis.PyQt import QtCore, QtGui
from qgis.PyQt.QtCore import QDateTime, QMetaType, Qt, QUrl

QMETATYPE_FIELDS_SINCE = 33800

# The field's kind by the name it has in QMetaType.Type, and in QVariant.Type, which Qt 6 has no more.
_FIELD_TYPES = {
    "text": ("QString", "String"),
    "integer": ("Int", "Int"),
    "long": ("LongLong", "LongLong"),
    "double": ("Double", "Double"),
    "boolean": ("Bool", "Bool"),
    "date": ("QDate", "Date"),
    "datetime": ("QDateTime", "DateTime"),
    "binary": ("QByteArray", "ByteArray"),
}


def field(name: str, kind: str, length: int = 0, precision: int = 0) -> QgsField:
    """A field: QMetaType from 3.38 on, where QVariant's types are deprecated, QVariant before.

    Args:
        name: of the field.
        kind: "text", "integer", "long", "double", "boolean", "date", "datetime" or "binary".
        length, precision: as the format wants them; 0 for any.
    """
    return QgsField(name, field_type(kind), "", length, precision)


def field_type(kind: str) -> Any:
    """The type of such a field, as QgsField takes it in this QGIS."""
    new, old = _FIELD_TYPES[kind]
    if Qgis.QGIS_VERSION_INT >= QMETATYPE_FIELDS_SINCE:
        return getattr(QMetaType.Type, new)
    return getattr(QtCore.QVariant.Type, old)


def text_field(name: str) -> QgsField:
    """A text field."""
    return field(name, "text")


def shortcut_class() -> Any:
    """QShortcut: Qt 6 moved it from QtWidgets to QtGui."""
    if hasattr(QtGui, "QShortcut"):
        return QtGui.QShortcut
    from qgis.PyQt import QtWidgets

    return QtWidgets.QShortcut


def action_class() -> Any:
    """Qt's class of actions, which moved from QtWidgets to QtGui in Qt 6."""
    if hasattr(QtGui, "QAction"):
        return QtGui.QAction
    from qgis.PyQt import QtWidgets

    return QtWidgets.QAction


def layer_filter(name: str) -> Any:
    """Which layers a chooser offers, such as ``PolygonLayer``: the enumeration moved in 3.34."""
    from qgis.core import QgsMapLayerProxyModel

    kinds = getattr(Qgis, "LayerFilter", None) or getattr(QgsMapLayerProxyModel, "Filter")  # noqa: B009 - a type that QGIS 4 has elsewhere
    return getattr(kinds, name)


def is_null(value: Any) -> bool:
    """Whether an attribute's value is NULL: None, or a QVariant that is null, as older QGIS gives it."""
    return value is None or (isinstance(value, QtCore.QVariant) and value.isNull())


def push_link(feedback: QgsProcessingFeedback, text: str, path: str) -> None:
    """A line for the log that ends with a file's address: a link in the windows of versions whose log has links, which 3.22's has not; else plain text."""
    from qgis import utils

    address = QUrl.fromLocalFile(path).toString(QUrl.ComponentFormattingOption.FullyEncoded)
    if utils.iface is None or not hasattr(feedback, "pushFormattedMessage"):
        feedback.pushInfo(f"{text} {address}")
        return
    feedback.pushFormattedMessage(f'{html.escape(text)} <a href="{html.escape(address)}">{html.escape(path)}</a>', f"{text} {address}")


def iso_text(moment: QDateTime) -> str:
    """ISO 8601 text in UTC with milliseconds.

    3.22 reads a GeoPackage's UTC times without their zone, as local ones: their digits are UTC already and must not be shifted.
    """
    in_utc = QDateTime(moment) if moment.timeSpec() == Qt.TimeSpec.LocalTime else moment.toUTC()
    return in_utc.toString("yyyy-MM-ddTHH:mm:ss.zzz") + "Z"
