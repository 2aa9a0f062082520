"""The styles of ways, for tools/make_styles.py: the ends and the direction of a video's line, and candidate ways along roads in dashes."""

# mypy: disable-error-code="import-not-found"
from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsLineSymbol,
    QgsMarkerLineSymbolLayer,
    QgsMarkerSymbol,
    QgsPalLayerSettings,
    QgsProperty,
    QgsSymbolLayer,
    QgsTextFormat,
    QgsVectorLayerSimpleLabeling,
)

ARROW_EVERY_MM = 15.0
FIELDS = ("MultiLineString", "video:string,rank:integer,share:double,streets:string,length_m:double")
_PERCENT = "case when \"share\" < 0.005 then '<1 %' else round(100 * \"share\") || ' %' end"
LABEL = f"\"rank\" || ': ' || coalesce({_PERCENT}, '?')"
_STREETS = '"streets"'
TIP = (
    f"<b>[% \"video\" %]</b>, way [% \"rank\" %]<br>[% replace({_PERCENT}, '<', '&lt;') %] of the ways that fit how it moved<br>"
    f'[% if("length_m" < 1000, round("length_m") || \' m\', round("length_m" / 1000, 1) || \' km\') %]'
    f"[% coalesce('<br>' || if(length({_STREETS}) > 300, left({_STREETS}, 300) || ' …', {_STREETS}), '') %]"
)
# Apart from the ramp of confidence, from reference images and from the ends of a way; the smaller a share, the paler.
_SHARES = (
    ("Half of the ways that fit, or more", 0.5, None, "#a5126a"),
    ("A fifth to a half", 0.2, 0.5, "#d9559f"),
    ("Less than a fifth", None, 0.2, "#eb9cc9"),
)
_WIDTH_MM = 'coalesce(0.7 + 1.6 * "share", 1.2)'
_CASING_MM = 0.8


def marks_of_way(colours: Any) -> list[tuple[str, str, Any]]:
    """Label, expression and symbol of what tells where a video's way begins, where it ends and which way it goes.

    They show beside and around the frames' points, which lie on the line. Arrows come about every 15 to 30 mm of the map at
    any scale: of steps that are too short for one each, every second, fourth, eighth and so on has one. ``ends`` is read by its name, as results before
    schema 4.1 have none.
    """
    long_mm = '1000 * "length_m" / @map_scale'
    # No scale is known where a legend is drawn or a rule is tried out; a standing step, or one of a millionth of the wanted length, has no arrow.
    wanted = f'"length_m" > 0 and @map_scale > 0 and {long_mm} > {ARROW_EVERY_MM} / 1048576'
    every = f"2 ^ max(0, ceil(ln({ARROW_EVERY_MM} / ({long_mm})) / ln(2)))"
    arrow = QgsMarkerSymbol.createSimple(
        {"name": "arrow", "color": "#ffffff", "size": "4.4", "angle": "90", "outline_color": "#202020", "outline_width": "0.3"}
    )
    # A legend has no scale, and no room beside its line.
    beside = QgsProperty.fromExpression("if(@map_scale > 0, '2.9,0', '0,0')")
    arrow.symbolLayer(0).setDataDefinedProperty(QgsSymbolLayer.Property.PropertyOffset, beside)
    start = QgsMarkerSymbol.createSimple(
        {"name": "circle", "color": colours.START_COLOUR, "size": "5.2", "outline_color": colours.CASING, "outline_width": "0.7"}
    )
    end = QgsMarkerSymbol.createSimple(
        {"name": "square", "color": colours.END_COLOUR, "size": "4.8", "outline_color": colours.CASING, "outline_width": "0.7"}
    )
    placement = QgsMarkerLineSymbolLayer.Placement
    chosen = f'case when {wanted} then ("from_index" + floor({every} / 2)) % ({every}) = 0 else false end'
    return [
        ("Direction of travel", chosen, along_line(arrow, placement.CentralPoint, 3)),
        ("Start", "attribute($currentfeature, 'ends') in ('start', 'both')", along_line(start, placement.FirstVertex, 4)),
        ("End", "attribute($currentfeature, 'ends') in ('end', 'both')", along_line(end, placement.LastVertex, 4)),
    ]


def along_line(marker: QgsMarkerSymbol, placement: Any, level: int) -> QgsLineSymbol:
    """A line that is not drawn but for one marker, on a rendering pass of its own."""
    layer = QgsMarkerLineSymbolLayer(True)
    layer.setPlacement(placement)
    layer.setSubSymbol(marker)
    layer.setRenderingPass(level)
    if placement != QgsMarkerLineSymbolLayer.Placement.CentralPoint:  # a legend would cut off what lies at the end of its line
        moved = QgsProperty.fromExpression("if(@map_scale > 0, 0, 2.4)")
        layer.setDataDefinedProperty(QgsSymbolLayer.Property.PropertyOffsetAlongLine, moved)
    symbol = QgsLineSymbol.createSimple({})
    symbol.changeSymbolLayer(0, layer)  # QGIS 3.22 frees a layer that a new symbol is made of by list, and crashes
    return symbol


def classes(colours: Any) -> list[tuple[str, str, Any]]:
    """Label, expression and symbol of each class of candidates' share, the largest first: wider and darker the larger it is."""
    found = []
    for label, low, high, colour in _SHARES:
        limits = ([] if low is None else [f'"share" >= {low}']) + ([] if high is None else [f'"share" < {high}'])
        found.append((label, " and ".join(limits), _dashes(colour, colours.CASING)))
    return found


def labels(text: QgsTextFormat) -> QgsVectorLayerSimpleLabeling:
    """A way's rank and share, along it."""
    settings = QgsPalLayerSettings()
    settings.setFormat(text)
    settings.fieldName, settings.isExpression = LABEL, True
    settings.placement = QgsPalLayerSettings.Placement.Line
    settings.dist = 1.0  # millimetres beside the line, which the way of the answer may cover
    return QgsVectorLayerSimpleLabeling(settings)


def _dashes(colour: str, casing: str) -> QgsLineSymbol:
    """Dashes on a light band, which shows them on imagery."""
    shape = {"joinstyle": "round", "capstyle": "flat", "line_width_unit": "MM", "line_width": "1.2"}
    band = QgsLineSymbol.createSimple({**shape, "line_color": casing})
    dashed = QgsLineSymbol.createSimple(
        {**shape, "line_color": colour, "use_custom_dash": "1", "customdash": "3.2;1.6", "customdash_unit": "MM"}
    )
    for symbol, more in ((band, _CASING_MM), (dashed, 0.0)):
        width = QgsProperty.fromExpression(f"{_WIDTH_MM} + {more}" if more else _WIDTH_MM)
        symbol.symbolLayer(0).setDataDefinedProperty(QgsSymbolLayer.Property.PropertyStrokeWidth, width)
    band.appendSymbolLayer(dashed.symbolLayer(0).clone())
    # The bands lie below all dashes, and the likelier way above the less likely where they share a street.
    for level in range(2):
        band.symbolLayer(level).setRenderingPass(level)
    band.symbolLayer(0).setLocked(True)
    return band
