"""What a GeoPackage holds beside its layers: styles where QGIS looks for them, and provenance by the standard's metadata extension.

Written with SQL: QGIS's own way of saving a style asks the user where one of that name exists, which hangs a headless run.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from ..geopackage_metadata import PROVENANCE_URI, add_metadata
from .colours import RADIUS_WORDS

_STYLES_SQL = """
CREATE TABLE layer_styles (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256),
  f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT,
  owner TEXT(30), ui TEXT(30), update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))
"""

_STYLES_SAY = {
    "aoi": "Outline",
    "gallery": "Candidate places",
    "errors": "Coloured by whether the truth lies within the confidence radius",
    "candidates": "Dashed, wider the more of the ways go there",
    "places": "Coloured by the probability that the video was taken there",
    "posterior": "Darker where the frame is likelier to be of",
}


def styles_folder() -> Path:
    """Where the QML files lie: inside the installed package, or at the top of a checkout."""
    here = Path(__file__).resolve()
    installed = here.parents[1] / "resources" / "styles"
    return installed if installed.is_dir() else here.parents[2] / "resources" / "styles"


def style_text(name: str) -> str:
    """A QML style."""
    return (styles_folder() / f"{name}.qml").read_text(encoding="utf-8")


def add_styles(database: sqlite3.Connection, layers: Iterable[str]) -> None:
    """Write one default style a layer into ``layer_styles``."""
    database.execute(_STYLES_SQL)
    database.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description) VALUES ('layer_styles', 'attributes', ?, ?)",
        ("layer_styles", "QGIS styles"),
    )
    for layer in layers:
        add_style(database, layer)


def style_name(layer: str) -> str:
    """What the engine calls a layer's style."""
    return f"VidTAG {layer}"


def add_style(database: sqlite3.Connection, layer: str, like: str | None = None, moment: str | None = None) -> None:
    """Write the engine's style of a layer, in place of its older one; it is the default unless a person has chosen another.

    Args:
        database: the GeoPackage, with ``layer_styles``.
        layer: to be styled.
        like: whose QML file; None is its own.
        moment: at which it was written; None is now.
    """
    qml = _with_radius(database, style_text(like or layer))
    database.execute("DELETE FROM layer_styles WHERE f_table_name = ? AND styleName = ?", (layer, style_name(layer)))
    (chosen,) = database.execute("SELECT count(*) FROM layer_styles WHERE f_table_name = ? AND useAsDefault", (layer,)).fetchone()
    row = database.execute(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, styleQML, styleSLD, "
        "useAsDefault, description, owner) VALUES ('', '', ?, 'geom', ?, ?, '', ?, ?, '')",
        (layer, style_name(layer), qml, not chosen, _STYLES_SAY.get(layer, "Coloured by confidence")),
    ).lastrowid
    if moment is not None:
        database.execute("UPDATE layer_styles SET update_time = ? WHERE id = ?", (moment, row))


def _with_radius(database: sqlite3.Connection, qml: str) -> str:
    """The style with the result's own radius in its legend, where all videos of the result have the same."""
    try:
        radii_m = [radius_m for (radius_m,) in database.execute("SELECT DISTINCT confidence_radius_m FROM videos") if radius_m is not None]
    except sqlite3.Error:  # a file of errors or of pins has no videos
        return qml
    return qml.replace(RADIUS_WORDS, f"{radii_m[0]:g} m") if len(radii_m) == 1 else qml


def add_provenance(database: sqlite3.Connection, text: str, created_utc: datetime) -> None:
    """Write the provenance JSON as metadata of the whole GeoPackage."""
    add_metadata(database, PROVENANCE_URI, "application/json", text, stamp(created_utc))


def set_last_change(database: sqlite3.Connection, created_utc: datetime) -> None:
    """Give every layer the provenance's moment, so that the same input gives the same file."""
    database.execute("UPDATE gpkg_contents SET last_change = ?", (stamp(created_utc),))
    database.execute("UPDATE layer_styles SET update_time = ?", (stamp(created_utc),))


def stamp(moment: datetime) -> str:
    """A moment as the GeoPackage standard writes it."""
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
