#!/usr/bin/python3
"""Write resources/styles/*.qml with PyQGIS: run it by the system's Python of the oldest QGIS that is supported (3.22).

    tools/make_styles.py [FOLDER]

Newer QGIS reads what an older one wrote; the other way round it may not.
"""

# mypy: disable-error-code="import-not-found"
from __future__ import annotations

import importlib.util
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import style_frames
import style_places
import style_posterior
import style_references
import style_ways
from qgis.core import (
    QgsApplication,
    QgsCategorizedSymbolRenderer,
    QgsColorRampShader,
    QgsDefaultValue,
    QgsEditorWidgetSetup,
    QgsFillSymbol,
    QgsGradientColorRamp,
    QgsGradientStop,
    QgsLineSymbol,
    QgsMarkerSymbol,
    QgsPalLayerSettings,
    QgsRasterLayer,
    QgsRasterMinMaxOrigin,
    QgsReadWriteContext,
    QgsRendererCategory,
    QgsRuleBasedRenderer,
    QgsSingleBandPseudoColorRenderer,
    QgsSingleSymbolRenderer,
    QgsTextBufferSettings,
    QgsTextFormat,
    QgsUnitTypes,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtXml import QDomDocument

ROOT = Path(__file__).resolve().parent.parent
STYLES = ROOT / "resources" / "styles"
DATETIME = {
    "allow_null": True,
    "calendar_popup": True,
    "display_format": "yyyy-MM-dd HH:mm:ss.zzz",
    "field_format": "",
    "field_iso_format": False,
}

FIELDS = {
    "trajectory": (
        "MultiLineString",
        "video:string,from_index:integer,to_index:integer,from_time_s:double,to_time_s:double,start_time:datetime,end_time:datetime,"
        "time_source:string,from_confidence:double,to_confidence:double,confidence:double,speed_mps:double,length_m:double,ends:string",
    ),
    "frames": (
        "Point",
        "video:string,frame_index:integer,time_s:double,time:datetime,time_source:string,state:string,confidence:double,score:double,"
        "runner_up_m:double,phase1_lat_deg:double,phase1_lon_deg:double,p_25m:double,p_100m:double,p_500m:double,p_1000m:double,"
        "entropy_bits:double,runner_up_lat_deg:double,runner_up_lon_deg:double,runner_up_share:double,position_share:double,"
        "best_lat_deg:double,best_lon_deg:double,course_deg:double,street:string,city:string,admin1:string,country:string",
    ),
    "videos": (
        "MultiLineString",
        "video:string,file:string,kind:string,start_time:datetime,end_time:datetime,time_source:string,base_time:datetime,frames:integer,"
        "located:integer,mean_confidence:double,length_m:double,state:string,inside:double,familiarity:double,unknown_share:double,entropy_bits:double,"
        "why:string",
    ),
    "regions": (
        "MultiPolygon",
        "video:string,frame_index:integer,time_s:double,time:datetime,level:integer,parts:integer,area_km2:double,aoi_share:double,"
        "city:string,admin1:string,country:string",
    ),
    "pins": (
        "Point",
        "video:string,sha256:string,time_s:double,frame_index:integer,here:bool,radius_m:double,who:string,when:datetime,why:string",
    ),
    "aoi": ("MultiPolygon", "name:string"),
    "errors": (
        "MultiLineString",
        "video:string,frame_index:integer,time_s:double,time:datetime,time_source:string,error_m:double,phase1_error_m:double,confidence:double,"
        "within_radius:integer",
    ),
    "gallery": ("Point", "point:integer,lat_deg:double,lon_deg:double"),
    "places": style_places.FIELDS,
    "candidates": style_ways.FIELDS,
    "posterior": style_posterior.FIELDS,
    **style_references.LAYERS,
}
SURE = "[% coalesce('Confidence ' || round(100 * \"confidence\") || ' %', 'Not rated') %]"
# By functions: a result before schema 4.2 has no such columns.
# Before schema 4.6 there is no street.
STREET = "[% coalesce('<br>' || attribute($currentfeature, 'street'), '') %]"
CITY, ADMIN1, COUNTRY = (f"attribute($currentfeature, '{name}')" for name in ("city", "admin1", "country"))
PLACE = f"[% coalesce('<br>' || {CITY} || coalesce(', ' || nullif({ADMIN1}, {CITY}), '') || coalesce(', ' || nullif({COUNTRY}, {CITY}), ''), '') %]"
TIPS = {
    "trajectory": '<b>[% "video" %]</b><br>[% format_date("start_time", \'yyyy-MM-dd HH:mm:ss\') %] UTC'
    "[% if(\"time_source\" = 'synthetic', ' (date unknown)', '') %]<br>"
    f"{SURE}<br>"
    "[% coalesce(round(\"length_m\", 1), 0) %] m, [% coalesce(round(\"speed_mps\", 1) || ' m/s', 'speed unknown') %]"
    f"{style_frames.TIP}",
    "frames": f"{style_frames.PICTURE_TIP}"
    '<b>[% "video" %]</b>, frame [% "frame_index" %]<br>[% format_date("time", \'yyyy-MM-dd HH:mm:ss\') %] UTC'
    "[% if(\"time_source\" = 'synthetic', ' (date unknown)', '') %]<br>"
    f"{SURE}{style_frames.TIP}"
    "[% if(\"runner_up_m\" is null, '', '<br>Next best place ' || round(\"runner_up_m\") || ' m away') %]"
    "[% if(\"p_100m\" is null, '', '<br>Within 100 m: ' || round(100 * \"p_100m\") || ' %, within 1 km: ' || round(100 * \"p_1000m\") || ' %') %]"
    f"{STREET}{PLACE}",
    "videos": '<b>[% "video" %]</b><br>[% "located" %] of [% "frames" %] frames located<br>'
    "[% if(\"located\" = 0, '', coalesce('Mean confidence ' || round(100 * \"mean_confidence\") || ' %', 'Not rated') || '<br>') %]"
    '[% round("length_m") %] m'
    "[% if(\"why\" is null, '', '<br><b>' || if(coalesce(\"state\", 'located') in ('located', 'failed'), '', 'Not located: ') || \"why\" || '</b>') %]",
    "regions": '<b>[% "video" %]</b>[% if("frame_index" is null, \', all frames\', \', frame \' || "frame_index") %]<br>'
    'Here with [% "level" %] %, in [% "parts" %] part(s)<br>[% round("area_km2", 3) %] km²'
    f"{PLACE}",
    "pins": '<b>[% "video" %]</b>, [% coalesce(round("time_s", 3) || \' s\', \'frame \' || "frame_index") %]<br>'
    "[% if(coalesce(\"here\", true), 'Here', 'Not here') %], within [% coalesce(\"radius_m\", 50) %] m<br>"
    "[% coalesce(\"who\", '') %] [% coalesce(\"why\", '') %]",
    "aoi": "Searched area",
    "errors": '<b>[% "video" %]</b>, frame [% "frame_index" %]<br>[% round("error_m", 1) %] m from the truth<br>' f"{SURE}",
    "gallery": 'Candidate place [% "point" %]',
    "places": style_places.TIP,
    "candidates": style_ways.TIP,
    "posterior": style_posterior.TIP,
    **style_references.TIPS,
}


def ramp() -> Any:
    """The engine's colours, read without importing the engine (torch is not in QGIS's Python)."""
    spec = importlib.util.spec_from_file_location("colours", ROOT / "vidtag_engine" / "export" / "colours.py")
    if spec is None or spec.loader is None:
        raise SystemExit("vidtag_engine/export/colours.py is not there.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def line_symbol(colour: str, colours: Any, width_mm: float, opacity: float = 1.0) -> QgsLineSymbol:
    """A round line in a dark casing in a light one: seen on paper-white maps and on imagery. Round caps make a standing step a dot."""
    shape = {"capstyle": "round", "joinstyle": "round", "line_width_unit": "MM"}
    widths = ((colours.CASING, width_mm + 1.0), (colours.OUTLINE, width_mm + 0.5), (colour, width_mm))
    single = [QgsLineSymbol.createSimple({**shape, "line_color": ink, "line_width": f"{width:.2f}"}) for ink, width in widths]
    symbol = single[0].clone()
    for top in single[1:]:
        symbol.appendSymbolLayer(top.symbolLayer(0).clone())
    # All casings below all colours: otherwise each step's casing cuts into its neighbour.
    for level in range(symbol.symbolLayerCount()):
        symbol.symbolLayer(level).setRenderingPass(level)
        # Locked casings keep their colour when a person changes the symbol's, and the symbol's own colour is the top one's.
        symbol.symbolLayer(level).setLocked(level < symbol.symbolLayerCount() - 1)
    symbol.setOpacity(opacity)
    return symbol


def symbol_of(layer: str, colour: str, colours: Any) -> Any:
    """One class's symbol of a layer."""
    if layer == "frames":
        return style_frames.dot(colour, colours.OUTLINE)
    if layer == "videos":
        return line_symbol(colour, colours, 2.6, 0.35)
    return line_symbol(colour, colours, 1.1)


def rules_of(layer: str, colours: Any) -> list[tuple[str, str, Any]]:
    """Label, expression and symbol of each class of a layer, the first in the legend first."""
    if layer == "regions":
        # All frames' regions at once are a blot. The map has a time where the temporal controller is on: then the frame's own is drawn instead.
        kinds = (("All frames", "is null", 0.45), ("One frame", "is not null", 0.25))
        return [
            (
                f"{name}, {level} %",
                f'"frame_index" {null} and "level" = {level} and @map_start_time {null}',
                region_symbol(colours.REGION_COLOURS[level], opacity),
            )
            for name, null, opacity in kinds
            for level in (90, 50)
        ]
    if layer == "places":
        return style_places.classes(colours)
    if layer in {"images", "posterior"}:
        return (style_references if layer == "images" else style_posterior).classes()
    if layer == "candidates":
        return style_ways.classes(colours)
    if layer == "pins":
        return [
            ("Here", 'coalesce("here", true)', pin_symbol("#117733", "circle")),
            ("Not here", 'not "here"', pin_symbol("#cc3311", "cross2")),
        ]
    value = '"mean_confidence"' if layer == "videos" else '"confidence"'
    withheld = ("outside_aoi", "unfamiliar", "unknown_ground")
    states = {"videos": withheld, "frames": (*withheld, "damaged"), "trajectory": ()}[layer]
    answered = "coalesce(\"state\", 'located') = 'located' and " if states else ""
    uppers = (*colours.EDGES[1:], None)
    between = [f"{value} >= {low}" + ("" if up is None else f" and {value} < {up}") for low, up in zip(colours.EDGES, uppers)]  # noqa: B905 - Python 3.9
    rules = []
    for number, (colour, limits) in enumerate(zip(colours.CLASS_COLOURS, (*between, f"{value} is null"))):  # noqa: B905 - Python 3.9
        rules.append((colours.class_label(number), f"{answered}{limits}", symbol_of(layer, colour, colours)))
    for state in states:
        colour, words = colours.STATES[state]
        rules.append((words, f"\"state\" = '{state}'", symbol_of(layer, colour, colours)))
    return rules


def region_symbol(colour: str, opacity: float) -> QgsFillSymbol:
    """A light fill in a thin line of its own colour."""
    symbol = QgsFillSymbol.createSimple({"color": colour, "outline_color": colour, "outline_width": "0.26"})
    symbol.setOpacity(opacity)
    return symbol


def pin_symbol(colour: str, shape: str) -> QgsMarkerSymbol:
    """Larger than a frame, so that it stands out."""
    return QgsMarkerSymbol.createSimple({"name": shape, "color": colour, "size": "4", "outline_color": colour, "outline_width": "0.6"})


def within_or_not(colours: Any) -> QgsCategorizedSymbolRenderer:
    """Errors whose truth lies within the confidence radius, and those whose does not."""
    categories = [
        QgsRendererCategory(value, line_symbol(colour, colours, 0.7), text)
        for value, colour, text in (
            (1, colours.COLOURS[3], "Truth within the confidence radius"),
            (0, colours.TRUTH_COLOUR, "Truth outside the confidence radius"),
        )
    ]
    return QgsCategorizedSymbolRenderer("within_radius", categories)


def by_rules(layer: str, colours: Any) -> QgsRuleBasedRenderer:
    """Classes of confidence, that of what is not rated, and the states as classes of their own."""
    root = QgsRuleBasedRenderer.Rule(None)
    root.setRuleKey(layer)  # Qt would make up another at every run

    def add(parent: Any, label: str, expression: str = "", symbol: Any = None, key: str = "") -> Any:
        rule = QgsRuleBasedRenderer.Rule(symbol, 0, 0, expression, label)
        rule.setRuleKey(f"{layer}-{key or label}")
        parent.appendChild(rule)
        return rule

    classes = {colours.class_label(number) for number in range(len(colours.CLASS_COLOURS))}
    head = add(root, colours.QUESTIONS[layer], key="question") if layer in colours.QUESTIONS else root
    for label, expression, symbol in rules_of(layer, colours):
        add(head if label in classes else root, label, expression, symbol)
    beside = {"trajectory": style_ways.marks_of_way, "frames": style_frames.marks_of_course, "places": style_places.levels}
    for label, expression, symbol in beside[layer](colours) if layer in beside else ():
        add(root, label, expression, symbol)
    renderer = QgsRuleBasedRenderer(root)
    renderer.setUsingSymbolLevels(layer in {"videos", "trajectory", "frames", "candidates"})
    return renderer


def set_pin_form(vector: QgsVectorLayer) -> None:
    """What a new pin starts with."""
    defaults = {"here": "true", "radius_m": "50", "when": "now()", "who": "@user_full_name"}
    for field, expression in defaults.items():
        vector.setDefaultValueDefinition(vector.fields().indexOf(field), QgsDefaultValue(expression))


def set_temporal(vector: QgsVectorLayer, layer: str) -> None:
    """Points are moments, lines last from start to end."""
    if layer in {"aoi", "gallery", "pins", "places", "candidates", "posterior", *style_references.LAYERS}:
        return
    temporal = vector.temporalProperties()
    if layer in {"frames", "errors", "regions"}:
        temporal.setMode(temporal.ModeFeatureDateTimeInstantFromField)
        temporal.setStartField("time")
    else:
        temporal.setMode(temporal.ModeFeatureDateTimeStartAndEndFromFields)
        temporal.setStartField("start_time")
        temporal.setEndField("end_time")
    temporal.setDurationUnits(QgsUnitTypes.TemporalUnit.TemporalSeconds)
    temporal.setIsActive(True)


def set_labels(vector: QgsVectorLayer, layer: str) -> None:
    """Videos carry their names along the line, guessed places theirs and how probable they are, candidate ways theirs."""
    text = QgsTextFormat()
    text.setSize(8)
    text.setColor(QColor("#222222"))
    halo = QgsTextBufferSettings()
    halo.setEnabled(True)
    halo.setSize(0.8)
    text.setBuffer(halo)
    settings = QgsPalLayerSettings()
    settings.fieldName = "video"
    settings.setFormat(text)
    settings.placement = QgsPalLayerSettings.Line
    own = {"places": style_places.labels, "candidates": style_ways.labels}
    vector.setLabeling(own[layer](text) if layer in own else QgsVectorLayerSimpleLabeling(settings))
    vector.setLabelsEnabled(True)


def make(layer: str) -> str:
    """The QML text of one layer's style."""
    colours = ramp()
    kind, fields = FIELDS[layer]
    columns = "&".join(f"field={field}" for field in fields.split(","))
    vector = QgsVectorLayer(f"{kind}?crs=EPSG:4326&{columns}", layer, "memory")
    if layer == "aoi":
        outline = {"style": "no", "outline_color": colours.AOI_COLOUR, "outline_width": "0.5", "outline_style": "dash"}
        vector.setRenderer(QgsSingleSymbolRenderer(QgsFillSymbol.createSimple(outline)))
    elif layer == "gallery":
        dot = {"name": "circle", "color": colours.OUTLINE, "size": "0.6", "outline_style": "no"}
        vector.setRenderer(QgsSingleSymbolRenderer(QgsMarkerSymbol.createSimple(dot)))
    elif layer in {"matches", "gaps"}:
        vector.setRenderer(style_references.single(layer, colours.OUTLINE))
    elif layer == "errors":
        vector.setRenderer(within_or_not(colours))
    else:
        vector.setRenderer(by_rules(layer, colours))
    if layer in {"videos", "places", "candidates"}:
        set_labels(vector, layer)
    if layer == "pins":
        set_pin_form(vector)
    for number, field in enumerate(vector.fields()):
        if field.typeName() == "datetime":
            vector.setEditorWidgetSetup(number, QgsEditorWidgetSetup("DateTime", DATETIME))
    vector.setMapTipTemplate(TIPS[layer])
    vector.setDisplayExpression(
        {"aoi": '"name"', "places": '"name"', "gallery": '"point"', "images": '"image_id"', "gaps": '"share"'}.get(layer, '"video"')
    )
    set_temporal(vector, layer)
    document = QDomDocument("qgis")
    parts = vector.Symbology | vector.Labeling | vector.MapTips | vector.Temporal | vector.Forms | vector.AttributeTable | vector.Fields
    error = vector.exportNamedStyle(document, QgsReadWriteContext(), vector.StyleCategory(parts))
    if error:
        raise SystemExit(str(error))
    return tidy(document.toString(1))


def make_heatmap() -> str:
    """The QML text of a heat map: clear where nothing is probable; stretched anew over what is seen."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/heatmap.asc"
        Path(path).write_text("ncols 2\nnrows 1\nxllcorner 0\nyllcorner 0\ncellsize 1\n0.0 1.0\n", encoding="utf-8")
        raster = QgsRasterLayer(path, "heatmap", "gdal")
        renderer = QgsSingleBandPseudoColorRenderer(raster.dataProvider(), 1)
        renderer.setClassificationMin(0.0)
        renderer.setClassificationMax(1.0)
        stops = [QgsGradientStop(place, QColor(colour)) for place, colour in ((0.02, "#30fde725"), (0.25, "#c05ec962"), (0.6, "#e021918c"))]
        ramp_of = QgsGradientColorRamp(QColor("#00ffffff"), QColor("#f0440154"), False, stops)
        renderer.createShader(ramp_of, QgsColorRampShader.Interpolated, QgsColorRampShader.Continuous)
        origin = QgsRasterMinMaxOrigin()
        origin.setLimits(QgsRasterMinMaxOrigin.MinMax)
        origin.setExtent(QgsRasterMinMaxOrigin.UpdatedCanvas)
        renderer.setMinMaxOrigin(origin)
        raster.setRenderer(renderer)
        document = QDomDocument("qgis")
        error = raster.exportNamedStyle(document, QgsReadWriteContext(), raster.StyleCategory(raster.Symbology | raster.Rendering))
        if error:
            raise SystemExit(str(error))
        return tidy(document.toString(1))


def tidy(text: str) -> str:
    """Same text at every run, and nothing of this machine: form code and file paths go."""
    text = re.sub(r"\{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}", "", text)
    text = re.sub(r"<editforminit(code|filepath)?>.*?</editforminit(code|filepath)?>", "", text, flags=re.DOTALL)
    return text if text.endswith("\n") else text + "\n"


def main() -> None:
    """Write all styles, to resources/styles or the folder given."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else STYLES
    application = QgsApplication([], False)
    application.initQgis()
    folder.mkdir(parents=True, exist_ok=True)
    for layer in FIELDS:
        (folder / f"{layer}.qml").write_text(make(layer), encoding="utf-8")
        print(folder / f"{layer}.qml")
    (folder / "heatmap.qml").write_text(make_heatmap(), encoding="utf-8")
    print(folder / "heatmap.qml")
    application.exitQgis()


if __name__ == "__main__":
    if os.environ.get("QT_HASH_SEED") != "0":  # Qt shuffles attributes by it; the same text at every run, please
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "QT_HASH_SEED": "0", "QT_QPA_PLATFORM": "offscreen"})
    main()
