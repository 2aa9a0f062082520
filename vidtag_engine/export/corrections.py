"""Layers that stand beside the model's own in a finished result: what was solved again from pins, and what was matched to roads."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from ..atomic import replacing
from ..geopackage_metadata import records_of
from ..types import InputError, UnwrittenError
from .columns import Table
from .edits import changes_by_a_person, layers_of, open_elsewhere
from .geopackage import write_layer
from .geopackage_tables import add_style, stamp
from .provenance import from_json

_MODELS_OWN = frozenset({"trajectory", "frames", "videos", "regions", "candidates", "aoi", "layer_styles"})
_WAIT_S = 5.0


def with_layers(path: Path, layers: Mapping[str, tuple[Table, str]], output: Path | None = None, *, overwrite: bool = False) -> None:
    """Put layers into a result, in place of older ones of their names, all of them or none; what else the file holds stays as it is.

    The file itself is changed in one transaction and never replaced, so that another program may have it open, with edits of other layers.

    Args:
        path: of the GeoPackage.
        layers: by name, the columns and the layer of the canonical result that it is like (kind of geometry, style).
        output: a copy to make instead; ``path`` then stays as it is.
        overwrite: replace what is at ``output`` also where it is no result.

    Raises:
        InputError: it cannot be written, another program is writing to it, or a person has changed or is changing a layer that would go.
        ValueError: a layer would take the place of the model's own.
    """
    if taken := _MODELS_OWN & set(layers):
        raise ValueError(f"the model's own layers are not written over: {sorted(taken)}")
    if output is None:
        _check_unchanged(path, layers)
        _put(path, layers)
    else:
        with replacing(output, "result", overwrite=overwrite) as part:
            copy_database(path, part)
            _put(part, layers)


def copy_database(path: Path, part: Path) -> None:
    """A copy that holds what another program has saved but not yet moved into the file itself (SQLite's write-ahead log).

    Raises:
        InputError: it cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as source, closing(sqlite3.connect(part)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise InputError(f"{path} cannot be read ({error}); close it in other programs and try again.") from error


@contextmanager
def transaction(path: Path, wait_s: float = _WAIT_S) -> Iterator[sqlite3.Connection]:
    """A transaction on a GeoPackage where it lies: committed where the block ends well, else rolled back.

    Args:
        path: of the GeoPackage.
        wait_s: for another program that is writing.

    Raises:
        UnwrittenError: it cannot be written, or another program is writing to it.
    """
    try:
        with closing(sqlite3.connect(path, timeout=wait_s, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            finally:
                if database.in_transaction:
                    database.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise UnwrittenError(_sentence(path, str(error))) from error


def _check_unchanged(path: Path, layers: Iterable[str]) -> None:
    """Refuse to drop a layer that a person has changed, or may be changing."""
    there = layers_of(path) & set(layers)
    if changed := [one for one in changes_by_a_person(path) if any(one.endswith(f"the layer {layer}") for layer in there)]:
        raise InputError(
            f"A person has changed {changed[0]} in {path.name}, which would be made anew: give --output to write a copy instead."
        )
    if there and open_elsewhere(path):
        raise InputError(
            f"{path.name} is open for editing in another program, and its layer {min(there)} would be made anew: save and stop editing there,"
            " or give --output to write a copy instead."
        )


def _sentence(path: Path, said: str) -> str:
    if "locked" in said or "busy" in said:
        return f"{path.name} is being written to by another program: save or cancel the edits there (in QGIS, toggle editing off), and run it again."
    if "full" in said:
        return f"Cannot write {path.name}: the disk is full; free some space and run it again."
    if "readonly" in said or "unable to open" in said:
        return f"Cannot write {path.name}: no permission; change that of the file and its folder, or copy the file to a place of your own."
    return f"Cannot write {path.name} ({said}): check that it is a whole GeoPackage, or copy it again."


def _put(path: Path, layers: Mapping[str, tuple[Table, str]]) -> None:
    """Write the layers to a file of their own first, as GDAL lays them out, and take them over from there."""
    with tempfile.TemporaryDirectory(prefix="vidtag-") as folder:
        made = Path(folder) / "layers.gpkg"
        for name, (table, like) in layers.items():
            write_layer(made, name, table, like)
        with closing(sqlite3.connect(made)) as source, transaction(path) as database:
            texts = records_of(database)
            moment = stamp(from_json(texts[-1])[0].created_utc) if texts else None
            for name, (_, like) in layers.items():
                _drop(database, name)
                _take(source, database, name, moment)
                add_style(database, name, like, moment)


def _drop(database: sqlite3.Connection, name: str) -> None:
    """Remove a layer with all that GDAL keeps of it."""
    tables = {one for (one,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if f"rtree_{name}_geom" in tables:
        database.execute(f'DROP TABLE "rtree_{name}_geom"')
    if name in tables:
        database.execute(f'DROP TABLE "{name}"')
    for table in {"gpkg_ogr_contents", "gpkg_extensions", "gpkg_geometry_columns", "gpkg_contents"} & tables:
        # The name of a table cannot be a parameter: these are the standard's own.
        database.execute(f"DELETE FROM {table} WHERE lower(table_name) = lower(?)", (name,))  # noqa: S608  # nosec B608


def _take(source: sqlite3.Connection, database: sqlite3.Connection, name: str, moment: str | None) -> None:
    """Copy a layer from one GeoPackage into another.

    Args:
        source, database: from and to.
        name: of the layer, which ``database`` does not hold.
        moment: of its last change; None is as in ``source``.
    """
    objects = source.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE lower(tbl_name) = lower(?) AND sql NOT NULL ORDER BY type = 'trigger'", (name,)
    ).fetchall()
    index = f"rtree_{name}_geom"
    database.execute(next(sql for kind, one, sql in objects if kind == "table"))
    _copy_rows(source, database, name)
    for table in ("gpkg_contents", "gpkg_geometry_columns", "gpkg_extensions", "gpkg_ogr_contents"):
        there = source.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        if there:
            database.execute(there[0].replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1))
            _copy_rows(source, database, table, "WHERE lower(table_name) = lower(?)", (name,))
    if made := source.execute("SELECT sql FROM sqlite_master WHERE name = ?", (index,)).fetchone():
        database.execute(made[0])
        _copy_rows(source, database, index)
    for kind, _, sql in objects:
        if kind != "table":
            database.execute(sql)
    if moment is not None:
        database.execute("UPDATE gpkg_contents SET last_change = ? WHERE table_name = ?", (moment, name))


def _copy_rows(source: sqlite3.Connection, database: sqlite3.Connection, table: str, where: str = "", values: tuple[str, ...] = ()) -> None:
    rows = source.execute(f'SELECT * FROM "{table}" {where}', values)  # noqa: S608 - names of the engine's own  # nosec B608
    names = ", ".join(f'"{entry[0]}"' for entry in rows.description)
    holes = ", ".join("?" * len(rows.description))
    database.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({holes})', rows)  # noqa: S608 - likewise  # nosec B608
