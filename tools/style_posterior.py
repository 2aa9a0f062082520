"""The style of one frame's posterior, for tools/make_styles.py: squares, the darker the more of it they hold."""

# mypy: disable-error-code="import-not-found"
from __future__ import annotations

from typing import Any

from qgis.core import QgsFillSymbol
from qgis.PyQt.QtGui import QColor

FIELDS = ("Polygon", "video:string,frame_index:integer,share:double,relative:double,lat_deg:double,lon_deg:double")
TIP = (
    '<b>[% "video" %]</b>, frame [% "frame_index" %]<br>'
    "[% coalesce(if(\"share\" < 0.0005, '<0.1 %', round(100 * \"share\", 1) || ' %') || ' of the posterior', 'Not rated') %]<br>"
    '[% round(100 * "relative", 1) %] % of the likeliest square'
)
# Lower edge, colour and opacity: the heat map's colours.
CLASSES = (
    (0.5, "#440154", 225),
    (0.2, "#3b528b", 215),
    (0.1, "#21918c", 205),
    (0.03, "#5ec962", 180),
    (0.01, "#fde725", 130),
    (0.001, "#fde725", 50),
)


def classes() -> list[tuple[str, str, Any]]:
    """Label, expression and symbol of each class; what holds less than a thousandth of the likeliest square is not drawn."""
    found, upper = [], ""
    for low, colour, alpha in CLASSES:
        symbol = QgsFillSymbol.createSimple({"outline_style": "no"})
        fill = QColor(colour)
        fill.setAlpha(alpha)
        symbol.symbolLayer(0).setFillColor(fill)
        found.append((f"From {100 * low:g} % of the likeliest", f'"relative" >= {low}{upper}', symbol))
        upper = f' and "relative" < {low}'
    return found
