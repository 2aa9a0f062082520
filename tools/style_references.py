"""The styles of reference images and of the gaps between them, for tools/make_styles.py: colours by age, arrows where they look."""

# mypy: disable-error-code="import-not-found"
from __future__ import annotations

from typing import Any

from qgis.core import QgsFillSymbol, QgsMarkerSymbol, QgsProperty, QgsSingleSymbolRenderer, QgsSymbolLayer

FIELDS = (
    "Point",
    "source:string,image_id:string,author:string,licence:string,page_url:string,drive:integer,taken_utc:datetime,age_days:double,heading_deg:double,"
    "device_lat_deg:double,device_lon_deg:double",
)
MATCH_FIELDS = (
    "Point",
    "video:string,frame_index:integer,rank:integer,source:string,image_id:string,similarity:double,margin:double,heading_deg:double,inliers:integer,"
    "taken:string,author:string,licence:string,licence_url:string,page_url:string,thumbnail:binary",
)
MATCH_TIP = (
    '<b>[% "video" %]</b>, frame [% "frame_index" %], reference image [% "rank" %]<br>'
    "[% coalesce('<img src=\"data:image/jpeg;base64,' || to_base64(\"thumbnail\") || '\" width=\"256\"><br>', '') %]"
    'Similarity [% round("similarity", 2) %], [% round("margin", 2) %] more than elsewhere'
    # Results of before have no such column, and that is asked for so that it is no error.
    "[% coalesce(', ' || attribute('inliers') || ' details in common', '') %]<br>"
    "[% coalesce(\"author\", '') %] [% coalesce(\"licence\", '') %] [% coalesce(\"taken\", '') %]"
)
GAP_FIELDS = ("MultiPolygon", "share:double")
TIP = (
    "<b>[% format_date(\"taken_utc\", 'yyyy-MM-dd') %]</b> [% coalesce('looking ' || round(\"heading_deg\") || '°', 'heading not known') %]<br>"
    "[% coalesce(\"author\", '') %] [% coalesce(\"licence\", '') %]"
)
GAP_TIP = "No reference image within reach: nothing can be recognised here"
LAYERS = {"images": FIELDS, "gaps": GAP_FIELDS, "matches": MATCH_FIELDS}
TIPS = {"images": TIP, "gaps": GAP_TIP, "matches": MATCH_TIP}
_YEAR = 365.25
_AGES = (
    ("Less than a year old", 0.0, 1.0, "#225ea8"),
    ("One to three years", 1.0, 3.0, "#41b6c4"),
    ("Three to six years", 3.0, 6.0, "#fdae61"),
)
_OLD, _UNKNOWN = "#d7301f", "#969696"


def classes() -> list[tuple[str, str, Any]]:
    """Label, expression and symbol of each class, the first in the legend first."""
    found = [(name, f'"age_days" >= {low * _YEAR} and "age_days" < {high * _YEAR}', _mark(colour)) for name, low, high, colour in _AGES]
    found.append(("Older", f'"age_days" >= {_AGES[-1][2] * _YEAR}', _mark(_OLD)))
    return [*found, ("Age not known", '"age_days" is null', _mark(_UNKNOWN))]


def single(layer: str, outline: str) -> QgsSingleSymbolRenderer:
    """Matches as arrows, gaps hatched, so that the map shows through."""
    if layer == "matches":
        return QgsSingleSymbolRenderer(_mark("#984ea3"))
    hatched = {"style": "f_diagonal", "color": "#80969696", "outline_color": outline, "outline_width": "0.2"}
    return QgsSingleSymbolRenderer(QgsFillSymbol.createSimple(hatched))


def _mark(colour: str) -> QgsMarkerSymbol:
    """An arrow head that points where the image looks; a dot where that is not known."""
    symbol = QgsMarkerSymbol.createSimple(
        {"name": "arrowhead_filled", "color": colour, "size": "2.2", "outline_color": "#ffffff", "outline_width": "0.1"}
    )
    layer = symbol.symbolLayer(0)
    # Without a turn an arrow head points east.
    layer.setDataDefinedProperty(QgsSymbolLayer.PropertyAngle, QgsProperty.fromExpression('coalesce("heading_deg" - 90, 0)'))
    layer.setDataDefinedProperty(
        QgsSymbolLayer.PropertyName, QgsProperty.fromExpression("if(\"heading_deg\" is null, 'circle', 'arrowhead_filled')")
    )
    return symbol
