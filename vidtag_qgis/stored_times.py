"""Times of a layer's file as they are stored, with their zones.

QGIS 3.22 drops the zone of a GeoPackage's or GeoJSON's time: 14:00+02:00 and 14:00Z both come as 14:00, local. GDAL, which reads the file for it, has them.
"""

from __future__ import annotations

from typing import Any, Optional

from osgeo import ogr
from qgis.core import QgsProviderRegistry, QgsVectorLayer

_UTC_FLAG = 100  # of OGR: above and below it in quarters of an hour; 0 and 1 say nothing of a zone
_MOST_QUARTERS = 60


class StoredTimes:
    """The times of one layer by feature, where GDAL reads it.

    Args:
        layer: of any provider, or None; one that GDAL does not read gives no times.
    """

    def __init__(self, layer: Optional[QgsVectorLayer]) -> None:
        self._source, self._layer = None, None
        if layer is None or layer.dataProvider() is None or layer.dataProvider().name() != "ogr":
            return
        parts = QgsProviderRegistry.instance().decodeUri("ogr", layer.source())
        self._source = ogr.Open(parts.get("path") or "", 0)  # kept: its layer dies with it
        if self._source is not None:
            name = parts.get("layerName")
            self._layer = self._source.GetLayerByName(name) if name else self._source.GetLayer(parts.get("layerId") or 0)

    def iso_text(self, feature_id: int, field: str) -> Optional[str]:
        """The time as ISO text in UTC or with its offset; None where the file gives no date and time, or no zone with it."""
        feature = self._layer.GetFeature(feature_id) if self._layer is not None else None
        index = feature.GetFieldIndex(field) if feature is not None else -1
        if index < 0 or feature is None or not feature.IsFieldSetAndNotNull(index):
            return None
        stored: list[Any] = list(feature.GetFieldAsDateTime(index))
        year, month, day, hour, minute, second, flag = stored
        quarters = int(flag) - _UTC_FLAG
        if feature.GetFieldDefnRef(index).GetType() != ogr.OFTDateTime or abs(quarters) > _MOST_QUARTERS:
            return None
        hours, rest = divmod(abs(quarters) * 15, 60)
        sign = "-" if quarters < 0 else "+"
        return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:06.3f}{sign}{hours:02}:{rest:02}"
