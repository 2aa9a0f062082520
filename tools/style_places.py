"""The style of guessed places, for tools/make_styles.py: colours by probability, outlines by level."""

# mypy: disable-error-code="import-not-found"
from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsFillSymbol,
    QgsPalLayerSettings,
    QgsProperty,
    QgsRuleBasedLabeling,
    QgsSymbolLayer,
    QgsTextFormat,
)
from qgis.PyQt.QtGui import QColor

FIELDS = (
    "MultiPolygon",
    "video:string,sha256:string,level:string,rank:integer,name:string,city:string,state:string,country:string,continent:string,"
    "probability:double,known:bool,why:string",
)
_PERCENT = (
    "case when \"probability\" < 0.005 then '<1 %' when \"probability\" >= 0.995 then '>99 %' else round(100 * \"probability\") || ' %' end"
)
LABEL = f"coalesce(nullif(\"name\", ''), '(no name)') || if(\"known\", coalesce(' ' || {_PERCENT}, ''), ' ?')"
_KNOWN_NAMES = 'array_distinct(array_filter(array("city", "state", "country", "continent"), @element is not null))'
_NAMES = f"coalesce(nullif(array_to_string({_KNOWN_NAMES}, ', '), ''), '(no name)')"
TIP = (
    f"<b>[% {_NAMES} %]</b><br>"
    '[% title("level") %], place [% "rank" %] for [% "video" %]<br>'
    f"[% if(\"known\", coalesce('Probability ' || replace({_PERCENT}, '<', '&lt;'), 'Not rated'), 'Nearest alone: ' || \"why\") %]"
)
LEVELS = {"city": ("solid", 0.5), "state": ("dash", 1.2), "country": ("dash dot", 1.9), "continent": ("dot", 2.6)}
"""Of each level the dashes of the thin line in the middle of an outline, and the outline's width in millimetres."""
_FILL_ALPHA = 90  # of 255: the base map shows


def labels(text: QgsTextFormat) -> QgsRuleBasedLabeling:
    """A city's name and probability inside it, those of what it lies in along its outline."""
    small = QgsTextFormat(text)
    small.setSize(7)
    root = QgsRuleBasedLabeling.Rule(None)
    for number, (name, expression, placement, size) in enumerate(
        (
            ("Cities", "\"level\" = 'city'", QgsPalLayerSettings.Placement.Horizontal, text),
            ("What they lie in", "\"level\" <> 'city'", QgsPalLayerSettings.Placement.Line, small),
        )
    ):
        settings = QgsPalLayerSettings()
        settings.setFormat(size)
        settings.fieldName, settings.isExpression = LABEL, True
        settings.placement = placement
        settings.priority = 8 - 4 * number
        rule = QgsRuleBasedLabeling.Rule(settings, 0, 0, expression, name)
        rule.setRuleKey(f"places-label-{number}")  # Qt would make up another at every run
        root.appendChild(rule)
    root.setRuleKey("places-labels")
    return QgsRuleBasedLabeling(root)


def classes(colours: Any) -> list[tuple[str, str, Any]]:
    """Label, expression and symbol of each class of probability, and of places of a video that is of none of them; the first in the legend first."""
    uppers = (*colours.EDGES[1:], None)
    limits = [f'"probability" >= {low}' + ("" if up is None else f' and "probability" < {up}') for low, up in zip(colours.EDGES, uppers)]  # noqa: B905 - Python 3.9
    found = [
        (colours.class_label(number), f'"known" and {limit}', _place(colour))
        for number, (colour, limit) in enumerate(zip(colours.CLASS_COLOURS, (*limits, '"probability" is null')))  # noqa: B905 - Python 3.9
    ]
    return [*found, ("Of no known city; these are the nearest", 'not "known"', _place(colours.STATES["unfamiliar"][0]))]


def levels(colours: Any) -> list[tuple[str, str, Any]]:
    """Label, expression and symbol of the thin line in the middle of each outline, whose dashes say the level."""
    thin = {"style": "no", "outline_color": colours.OUTLINE, "outline_width": "0.3", "joinstyle": "round"}
    return [
        (level.title(), f"\"level\" = '{level}'", QgsFillSymbol.createSimple({**thin, "outline_style": dashes}))
        for level, (dashes, _) in LEVELS.items()
    ]


def _place(colour: str) -> QgsFillSymbol:
    """An outline, of each level wider than that of the one within and drawn below it; and a light fill, of cities alone, which larger fills would tint."""
    light = QColor(colour)
    light.setAlpha(_FILL_ALPHA)
    symbol = QgsFillSymbol.createSimple({"outline_style": "no"})
    symbol.symbolLayer(0).setFillColor(light)
    of_city = QgsProperty.fromExpression("coalesce(\"level\", 'city') = 'city'")  # a legend has no level
    symbol.symbolLayer(0).setDataDefinedProperty(QgsSymbolLayer.Property.PropertyLayerEnabled, of_city)
    outlined = QgsFillSymbol.createSimple({"style": "no", "outline_color": colour, "outline_width": "0.5", "joinstyle": "round"})
    outline = outlined.symbolLayer(0).clone()
    widths = " ".join(f"when \"level\" = '{level}' then {width_mm}" for level, (_, width_mm) in LEVELS.items())
    width = QgsProperty.fromExpression(f"case {widths} else 0.5 end")
    outline.setDataDefinedProperty(QgsSymbolLayer.Property.PropertyStrokeWidth, width)
    symbol.appendSymbolLayer(outline)
    return symbol
