"""What a person has changed in a result since the engine wrote it, and whether another program has it open to change it.

GDAL, and so QGIS, sets ``last_change`` of a layer when it is edited. The engine gives all layers that it writes the moment of the provenance.
"""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from functools import lru_cache
from pathlib import Path

from ..geopackage_metadata import SCHEMA, Schema, records_of, stored_schema
from .candidates_table import candidates_table
from .confidence_tables import regions_table
from .geopackage import LAYERS, columns_of_videos, nothing
from .geopackage_read import COURSE, FRAMES_PINNED, REGIONS_PINNED, TRAJECTORY_PINNED
from .geopackage_tables import stamp, style_name
from .provenance import from_json
from .tables import frames_table, steps_table

TRAJECTORY_MATCHED = "trajectory_matched"
LIKE = {FRAMES_PINNED: "frames", TRAJECTORY_PINNED: "trajectory", REGIONS_PINNED: "regions", TRAJECTORY_MATCHED: "trajectory"}
"""Layers that the engine adds to a finished result, and the model's own that each is like."""
# Up to it the layers of LIKE got the moment at which they were added, and pins lay in the result, where people were to edit them.
_LAST_WITH_PINS = 2
_STANDARD = ("gpkg_", "rtree_", "sqlite_", "idx_")


def changes_by_a_person(path: Path) -> list[str]:
    """What differs from the result as the engine wrote it, in words: layers that were edited or added, columns, styles. None: [].

    Args:
        path: of a result; anything else has no such changes.
    """
    try:
        with closing(_connect(path)) as database:
            texts = records_of(database)
            if not texts:
                return []
            made, schema = from_json(texts[-1])
            return _changes(database, stamp(made.created_utc), schema)
    except (OSError, sqlite3.Error, KeyError, TypeError, ValueError):
        return []


def _changes(database: sqlite3.Connection, written: str, schema: Schema) -> list[str]:
    """A later schema has layers and columns that are not known here, and yet the engine's own."""
    later = schema > SCHEMA
    exempt = {*LIKE, "pins"} if schema.major <= _LAST_WITH_PINS else set()
    last = dict(database.execute("SELECT table_name, last_change FROM gpkg_contents"))
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    columns = {layer: _columns(database, layer) for layer in tables}
    own = _own_columns()
    known = {*LAYERS, *LIKE, "layer_styles"}
    found = []
    for layer in sorted({name for name in tables if not name.startswith(_STANDARD)} | set(last)):
        if layer not in known:
            if not (later and last.get(layer) == written):
                found.append("a saved QGIS project" if layer == "qgis_projects" else f"the added layer {layer}")
        elif layer == "layer_styles":
            found += _changed_styles(database, written, exempt)
        elif layer not in exempt:
            there = columns.get(layer, set())
            if added := sorted(there - own.get(layer, there) - (columns.get(LIKE.get(layer, layer), set()) if later else set())):
                found.append(f"the added column {added[0]} of the layer {layer}")
            if last.get(layer) != written:
                found.append(f"the layer {layer}")
    return found


def _columns(database: sqlite3.Connection, layer: str) -> set[str]:
    return {name for (name,) in database.execute("SELECT name FROM pragma_table_info(?)", (layer,))}


def _changed_styles(database: sqlite3.Connection, written: str, exempt: set[str]) -> list[str]:
    rows = database.execute("SELECT f_table_name, styleName, update_time FROM layer_styles ORDER BY id")
    return [
        f"the style {name} of the layer {layer}"
        for layer, name, moment in rows
        if name != style_name(layer) or (moment != written and layer not in exempt)
    ]


@lru_cache(maxsize=1)
def _own_columns() -> dict[str, set[str]]:
    """Names of the columns of each layer that the engine writes."""
    tables = {
        "frames": frames_table(nothing()),
        "trajectory": steps_table(nothing()),
        "videos": columns_of_videos([]),
        "regions": regions_table([]),
        "candidates": candidates_table([]),
    }
    own = {layer: {"fid", "geom", *table} for layer, table in tables.items()} | {"aoi": {"fid", "geom", "name"}}
    own |= {layer: own[like] for layer, like in LIKE.items()}
    return own | {TRAJECTORY_MATCHED: own[TRAJECTORY_MATCHED] | {COURSE}}


def later_schema(path: Path) -> Schema | None:
    """The schema of a result that a later version wrote, by the major or the minor number; None for any other file."""
    if not path.is_file():
        return None
    try:
        with closing(_connect(path)) as database:
            schema = stored_schema(database)
    except (OSError, sqlite3.Error):
        return None
    return schema if schema is not None and schema > SCHEMA else None


def layers_of(path: Path) -> set[str]:
    """Names of a GeoPackage's layers; none where it is not one."""
    try:
        with closing(_connect(path)) as database:
            return {name for (name,) in database.execute("SELECT table_name FROM gpkg_contents")}
    except (OSError, sqlite3.Error):
        return set()


def count_videos(path: Path) -> int:
    """Rows of the layer ``videos``; 0 where there is none."""
    if not path.is_file():
        return 0
    try:
        with closing(_connect(path)) as database:
            return int(database.execute("SELECT count(*) FROM videos").fetchone()[0])
    except (OSError, sqlite3.Error):
        return 0


def state_of(path: Path) -> str:
    """A digest that changes with everything that another program writes into the layers and styles; empty where there is no file.

    It does not change when a program only opens the file, which may change the file's own time.
    """
    if not path.is_file():
        return ""
    try:
        with closing(_connect(path)) as database:
            layout = database.execute("SELECT name, sql FROM sqlite_master ORDER BY type, name").fetchall()
            names = {name for name, _ in layout}
            said = repr(layout)
            if "gpkg_contents" in names:
                said += repr(database.execute("SELECT * FROM gpkg_contents").fetchall())
            if "layer_styles" in names:
                said += repr(database.execute("SELECT * FROM layer_styles").fetchall())
    except sqlite3.Error:
        status = path.stat()
        said = f"{status.st_size} {status.st_mtime_ns}"
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def open_elsewhere(path: Path) -> bool:
    """Whether another program has the file open to write to it, as QGIS has while a layer is edited.

    A log that a program left behind when it ended early is moved into the file on the way, as any reader would.
    """
    if not path.is_file():
        return False
    log = path.with_name(path.name + "-wal")
    try:
        with closing(sqlite3.connect(path, timeout=0.0, isolation_level=None)) as database:
            if log.exists():  # it can only go away where nobody else holds the file
                database.execute("PRAGMA journal_mode = DELETE")
            database.execute("BEGIN IMMEDIATE")
            database.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        return "locked" in str(error)
    except sqlite3.Error:
        return False
    return False


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
