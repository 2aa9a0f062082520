"""The GeoPackage of a batch, made of the files of its store: row after row by SQL, in memory that does not grow with the batch."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..atomic import replacing
from ..export import result_tables
from ..export.candidates_table import candidates_table
from ..export.columns import clean
from ..export.geopackage import LAYERS as TITLES
from ..export.geopackage import unsynchronised, write_areas, write_layer
from ..export.geopackage_rows import teach, widen
from ..export.geopackage_tables import add_provenance, add_styles, set_last_change
from ..export.matches_table import add_thumbnail_column, matches_table
from ..export.provenance import from_json, to_json
from ..feedback import Feedback
from ..geopackage_metadata import records_of
from ..grid import AreaOfInterest, join_areas
from ..types import InputError, Provenance
from .entry import LAYERS, damaged
from .folder import Entry, ResultStore, check_same
from .inventory import Inventory

_OPTIONAL = ("matches", "candidates")
_AT_ONCE = 8  # SQLite attaches ten databases at most
_CACHE_KIB = 32_768


@dataclass
class Merged:
    """What a merge has made.

    Args:
        videos: with a result.
        failed: without.
        missing: names of videos that were wanted and are not there.
        provenance: of the file; None where there was nothing to write.
        aoi: all that was searched.
    """

    videos: int = 0
    failed: int = 0
    missing: list[str] = field(default_factory=list)
    provenance: Provenance | None = None
    aoi: AreaOfInterest | None = None


@dataclass(frozen=True)
class _Look:
    """What has to be known of a file before any row is copied."""

    entry: Entry
    store: ResultStore
    video: str
    provenance: Provenance
    optional: frozenset[str]
    own_area: tuple[str, str] | None
    """Name of an area of its own, and its grid's digest."""


def merge_into(path: Path, stores: Sequence[ResultStore], *, overwrite: bool = False, feedback: Feedback = Feedback()) -> Merged:
    """Write the canonical result of all that is in stores, whole or not at all.

    A video that is in several stores is taken once, where one has a result that; videos come in the order in which they were wanted, those that failed last.

    Args:
        path: of the GeoPackage, ending in .gpkg.
        stores: of the same settings and checkpoint.
        overwrite: replace what is there also where it is no result.
        feedback: told how far it is.

    Raises:
        InputError: the stores are of different settings or areas, hold nothing, or the file cannot be written.
        CancelledError: stopped; nothing was written.
    """
    check_same(stores)
    wanted = list(dict.fromkeys(clean(one.video) for store in stores for one in Inventory.wanted_in(store.folder)))
    looks = _in_order(_looked_at(stores, feedback), wanted)
    there = {one.video for one in looks}
    missing = [name for name in wanted if name not in there]
    if not looks:
        raise InputError(f"{stores[0].folder.name} holds no finished video yet: run geolocate first.")
    provenance, aoi, renamed = _areas_of(looks)
    with replacing(path, "result", overwrite=overwrite) as part, unsynchronised():
        layers = _make_layers(part, {name for one in looks for name in one.optional}, aoi)
        with closing(sqlite3.connect(part, isolation_level=None)) as database:
            _copy_all(database, looks, layers, renamed, feedback)
            database.execute("BEGIN")
            add_styles(database, [*layers, *(["aoi"] if aoi is not None else [])])
            add_provenance(database, to_json(provenance), provenance.created_utc)
            set_last_change(database, provenance.created_utc)
            database.execute("COMMIT")
    failed = sum(one.entry.failed for one in looks)
    return Merged(len(looks) - failed, failed, missing, provenance, aoi)


def _areas_of(looks: Sequence[_Look]) -> tuple[Provenance, AreaOfInterest | None, dict[tuple[str, str], str]]:
    """The record and the area of all files together, and how areas are called that share a name with another.

    Raises:
        InputError: two files were sought in different areas of a run.
    """
    newest = max((one.provenance for one in looks), key=lambda one: one.created_utc)
    runs = {str(one.provenance.gallery["digest"]): one for one in looks if one.provenance.gallery.get("digest")}
    if len(runs) > 1:
        one, other, *_ = runs.values()
        raise InputError(f"{one.video} and {other.video} were sought in different areas: merge the results of one area only.")
    names: dict[str, str] = {}  # by the grid's digest
    shapes: dict[str, AreaOfInterest] = {}
    grids: dict[str, Any] = {}
    for look in looks:
        if look.own_area is None or look.own_area[1] in names:
            continue
        name, digest = look.own_area
        number, free = 1, name
        while free in grids:
            number += 1
            free = f"{name} ({number})"
        names[digest] = free
        grids[free] = look.provenance.gallery.get("areas", {}).get(name)
        if (shape := look.store.area(digest)) is not None:
            shapes[free] = AreaOfInterest(shape, 0.0)
    whole = next(((look.store.area(digest)) for digest, look in runs.items()), None)
    run = AreaOfInterest(whole, 0.0) if whole is not None else None
    aoi = join_areas(run, shapes) if shapes else run
    gallery = next(iter(runs.values())).provenance.gallery if runs else newest.gallery
    gallery = {name: value for name, value in gallery.items() if name != "areas"} | ({"areas": grids} if grids else {})
    renamed = {own: names[own[1]] for look in looks if (own := look.own_area) is not None and names[own[1]] != own[0]}
    return replace(newest, gallery=gallery), aoi, renamed


def _looked_at(stores: Sequence[ResultStore], feedback: Feedback) -> list[_Look]:
    """Every video once, by name: a result before a failure, and of two the newer one."""
    best: dict[str, tuple[tuple[bool, float], _Look]] = {}
    total = sum(len(store.entries()) for store in stores)
    records: dict[str, Provenance] = {}
    for done, (store, entry) in enumerate([(one, entry) for one in stores for entry in one.entries()]):
        if not done % 100:
            feedback.check()
            feedback.tell(0.2 * done / max(1, total), "merge", f"{done} of {total}")
        look = _look(store, entry, records)
        rank = (not entry.failed, entry.path.stat().st_mtime)
        if look.video not in best or best[look.video][0] < rank:
            best[look.video] = (rank, look)
    return [look for _, look in best.values()]


def _look(store: ResultStore, entry: Entry, records: dict[str, Provenance]) -> _Look:
    try:
        with closing(sqlite3.connect(f"{entry.path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            video, area = database.execute("SELECT video, area FROM videos").fetchone()
            text = records_of(database)[-1]
            provenance = records[text] if text in records else records.setdefault(text, from_json(text)[0])  # ten thousand times the same
            optional = {layer for layer in _OPTIONAL if database.execute(f"SELECT 1 FROM {layer} LIMIT 1").fetchone()}  # noqa: S608 - constants  # nosec B608
    except (sqlite3.Error, OSError, KeyError, TypeError, ValueError, IndexError) as error:
        raise damaged(entry.path, error) from error
    grid = provenance.gallery.get("areas", {}).get(area) or {} if area else {}
    own = (area, str(grid.get("digest", ""))) if area else None
    return _Look(entry, store, video, provenance, frozenset(optional), own)


def _damage_of(path: Path, layers: Sequence[str]) -> str:
    """What is wrong with a file of a store; empty where nothing is."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            for layer in layers:
                database.execute(f'SELECT count(*) FROM "{layer}"')  # noqa: S608 - our own names  # nosec B608
            (said,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except (sqlite3.Error, OSError) as error:
        return str(error)
    return "" if said == "ok" else " ".join(said.split())


def _in_order(looks: Sequence[_Look], wanted: Sequence[str]) -> list[_Look]:
    place = {name: number for number, name in enumerate(wanted)}
    return sorted(looks, key=lambda one: (one.entry.failed, place.get(one.video, len(place)), one.video))


def _make_layers(part: Path, optional: set[str], aoi: AreaOfInterest | None) -> list[str]:
    """Empty layers, by GDAL, and the areas."""
    tables = {**result_tables([]), "matches": matches_table([]), "candidates": candidates_table([])}
    layers = [name for name in TITLES if name in LAYERS and (name in optional or name not in _OPTIONAL)]
    for layer in layers:
        write_layer(part, layer, tables[layer])
    if aoi is not None:
        write_areas(part, aoi)
    if "matches" in optional:
        with closing(sqlite3.connect(part)) as database, database:
            add_thumbnail_column(database)
    return layers


def _copy_all(
    database: sqlite3.Connection, looks: Sequence[_Look], layers: Sequence[str], renamed: dict[tuple[str, str], str], feedback: Feedback
) -> None:
    """Copy every row of every file. Nothing is kept of it: neither a log to take it back by, as the file is not there yet, nor what was read."""
    database.execute("PRAGMA synchronous = OFF")
    database.execute("PRAGMA journal_mode = OFF")
    database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    teach(database)
    database.execute("CREATE TEMP TABLE shown (source, image_id, fid, PRIMARY KEY (source, image_id))")
    columns = {layer: _columns(database, "main", layer) for layer in layers}
    copied = dict.fromkeys(layers, 0)
    for begin in range(0, len(looks), _AT_ONCE):
        feedback.check()
        feedback.tell(0.2 + 0.8 * begin / len(looks), "merge", f"{begin} of {len(looks)}")
        batch = looks[begin : begin + _AT_ONCE]
        for number, look in enumerate(batch):
            database.execute(f"ATTACH ? AS e{number}", (f"{look.entry.path.resolve().as_uri()}?mode=ro&immutable=1",))
        database.execute("BEGIN")
        for number, look in enumerate(batch):
            try:
                for layer in layers:
                    copied[layer] += _copy(database, f"e{number}", layer, columns[layer])
            except sqlite3.Error as error:  # of the file that is read, or of the one that is written
                if why := _damage_of(look.entry.path, layers):
                    raise damaged(look.entry.path, why) from error
                raise
            if look.own_area in renamed:
                database.execute("UPDATE main.videos SET area = ? WHERE fid = ?", (renamed[look.own_area], _last(database, "videos")))
        database.execute("COMMIT")
        for number in range(len(batch)):
            database.execute(f"DETACH e{number}")
    for layer, count in copied.items():
        (there,) = database.execute(f'SELECT count(*) FROM "{layer}"').fetchone()  # noqa: S608 - our own names  # nosec B608
        if there != count:
            raise OSError(f"only {there} of {count} rows of {layer} were kept, as when the disk is full")


def _copy(database: sqlite3.Connection, source: str, layer: str, columns: Sequence[str]) -> int:
    there = set(_columns(database, source, layer))
    names = ", ".join(f'"{name}"' for name in columns if name in there)  # an earlier schema has fewer
    before = _last(database, layer) if layer == "matches" else 0
    count = database.execute(f'INSERT INTO main."{layer}" ({names}) SELECT {names} FROM {source}."{layer}" ORDER BY fid').rowcount  # noqa: S608  # nosec B608
    if count:
        widen(
            database, layer,
            database.execute(f"SELECT min_x, min_y, max_x, max_y FROM {source}.gpkg_contents WHERE table_name = ?", (layer,)).fetchone(),  # noqa: S608  # nosec B608
        )  # fmt: skip
        if layer == "matches":
            _show_once(database, before)
    return count


def _show_once(database: sqlite3.Connection, after: int) -> None:
    """Of rows that were added after a number: an image's picture is in its first row alone, in the whole file."""
    database.execute(
        "UPDATE main.matches SET thumbnail = NULL WHERE fid > ? AND thumbnail IS NOT NULL AND EXISTS (SELECT 1 FROM temp.shown AS s JOIN main.matches AS m"
        " ON m.fid = s.fid WHERE s.source = matches.source AND s.image_id = matches.image_id AND m.thumbnail = matches.thumbnail)",
        (after,),
    )
    database.execute(
        "INSERT OR IGNORE INTO temp.shown SELECT source, image_id, fid FROM main.matches WHERE fid > ? AND thumbnail IS NOT NULL ORDER BY fid",
        (after,),
    )


def _last(database: sqlite3.Connection, layer: str) -> int:
    return database.execute(f'SELECT coalesce(max(fid), 0) FROM main."{layer}"').fetchone()[0]  # noqa: S608 - our own names  # nosec B608


def _columns(database: sqlite3.Connection, schema: str, layer: str) -> list[str]:
    return [name for (name,) in database.execute("SELECT name FROM pragma_table_info(?, ?)", (layer, schema)) if name != "fid"]
