"""The differences between QGIS 3.22 and 3.40 (and Qt 5 and 6) that the plugin meets, each in one place.

Enums are written with their scope everywhere (``QgsWkbTypes.GeometryType.PolygonGeometry``): that spelling works on all of them, which
``tests/qgis`` holds. What is left is here.
"""

from __future__ import annotations

from qgis.core import Qgis, QgsField
from qgis.PyQt.QtCore import QDateTime, QMetaType, Qt, QVariant

QMETATYPE_FIELDS_SINCE = 33800


def text_field(name: str) -> QgsField:
    """A text field: QMetaType from 3.38 on, where QVariant's types are deprecated, QVariant before."""
    if Qgis.QGIS_VERSION_INT >= QMETATYPE_FIELDS_SINCE:
        return QgsField(name, QMetaType.Type.QString)
    return QgsField(name, QVariant.Type.String)


def iso_text(moment: QDateTime) -> str:
    """ISO 8601 text in UTC with milliseconds.

    3.22 reads a GeoPackage's UTC times without their zone, as local ones: their digits are UTC already and must not be shifted.
    """
    in_utc = QDateTime(moment) if moment.timeSpec() == Qt.TimeSpec.LocalTime else moment.toUTC()
    return in_utc.toString("yyyy-MM-ddTHH:mm:ss.zzz") + "Z"
