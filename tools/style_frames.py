"""The style of frames, for tools/make_styles.py: a dot in the colour of its class, with a beak that points where the camera goes."""

# mypy: disable-error-code="import-not-found"
from __future__ import annotations

from typing import Any

from qgis.core import QgsMarkerSymbol, QgsProperty, QgsSymbolLayer

# By a function: a result before schema 4.4 has no such column, and of lines those that were matched to roads alone have it.
COURSE = "attribute($currentfeature, 'course_deg')"
_POINT_OF_COMPASS = f"array_get(array('N', 'NE', 'E', 'SE', 'S', 'SW', 'W', 'NW'), round({COURSE} / 45) % 8)"
TIP = f"[% coalesce('<br>Course ' || {_POINT_OF_COMPASS} || ' (' || (round({COURSE}) % 360) || '°)', '') %]"

# Where `vidtag thumbnails` made pictures, the plugin puts their layer's id into a variable of the frames' layer; vidtag_qgis/tip_pictures.py has the same text.
PICTURE_TIP = (
    "[% try(coalesce('<img src=\"data:image/jpeg;base64,' || to_base64(attribute(get_feature(@vidtag_pictures, 'key', "
    "\"video\" || '@' || round(1000 * \"time_s\")), 'jpeg')) || '\" style=\"max-height: 170px\"><br>', ''), '') %]"
)


def dot(colour: str, outline: str) -> QgsMarkerSymbol:
    """A frame. Dots lie above every beak: where frames crowd, their colours stay."""
    symbol = QgsMarkerSymbol.createSimple(
        {"name": "circle", "color": colour, "size": "2.2", "outline_color": outline, "outline_width": "0.25"}
    )
    symbol.symbolLayer(0).setRenderingPass(1)
    return symbol


def marks_of_course(_: Any) -> list[tuple[str, str, Any]]:
    """Label, expression and symbol of the beak that a frame with a course has: it can be switched off in the legend."""
    beak = QgsMarkerSymbol.createSimple(
        {"name": "triangle", "color": "#ffffff", "size": "3", "outline_color": "#202020", "outline_width": "0.25"}
    )
    layer = beak.symbolLayer(0)
    layer.setDataDefinedProperty(QgsSymbolLayer.Property.PropertyAngle, QgsProperty.fromExpression(f"coalesce({COURSE}, 0)"))
    # A legend has no scale, and no room beside its middle. The offset turns with the angle.
    ahead = QgsProperty.fromExpression("if(@map_scale > 0, '0,-2', '0,0')")
    layer.setDataDefinedProperty(QgsSymbolLayer.Property.PropertyOffset, ahead)
    return [("Course over ground", f"{COURSE} is not null", beak)]
