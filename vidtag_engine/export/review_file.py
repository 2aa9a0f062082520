"""The file beside a result that a person writes: ``X.review.gpkg`` for ``X.gpkg``, with the layer ``pins`` and the table ``review`` (:mod:`.review_rows`).

The engine reads it; it adds and removes rows only when it is asked to, where the file lies, so that it may be open in another program.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import shapely
from filelock import FileLock, Timeout

from ..atomic import HIDDEN, replacing
from ..file_marks import mark_geopackage
from ..types import InputError, UnwrittenError, VideoResult
from .columns import clean
from .corrections import copy_database, transaction
from .geopackage import write_layer
from .geopackage_read import read_geopackage
from .geopackage_tables import add_styles, stamp
from .pins import PinRow, pins_table, read_pins
from .point_blob import wkb_of

_COLUMNS = ("video", "sha256", "time_s", "frame_index", "here", "radius_m", "who", "when", "why", "confirmed")
_TYPES = {"sha256": "TEXT", "time_s": "REAL", "confirmed": "BOOLEAN"}
_SAME_S = 0.0005
_WAIT_S = 20.0


def review_path(result: Path) -> Path:
    """Where the pins of a result lie."""
    return result.with_name(f"{result.stem}.review.gpkg")


def pins_of(result: Path, results: Sequence[VideoResult]) -> list[PinRow]:
    """The pins of a result: of its review file; where there is none, of the result itself, which held them up to schema 2.

    Args:
        result: path of the GeoPackage.
        results: what it holds, for the moments of pins that only say their frame.

    Raises:
        InputError: a pin lacks something, or its frame is none of its video's.
    """
    review = review_path(result)
    return [with_moment(pin, results, result.name) for pin in read_pins(review if review.exists() else result)]


def with_moment(pin: PinRow, results: Sequence[VideoResult], source: str) -> PinRow:
    """The pin with its video's digest and its time, by the frames that it was set on; as it is where it says them, or its video is not there.

    Raises:
        InputError: its frame is none of its video's.
    """
    if pin.sha256 and pin.time_s is not None:
        return pin
    named = [one for one in results if (pin.sha256 == one.sha256 if pin.sha256 else pin.video in {one.info.name, one.info.path.name})]
    if not named:
        return pin
    video, time_s = named[0], pin.time_s
    if time_s is None:
        rows = np.flatnonzero(video.trajectory.frame_index == pin.frame_index)
        if not len(rows):
            index = video.trajectory.frame_index
            last = f"0 to {int(index[-1])}" if len(index) else "none"
            raise InputError(f"{video.info.name} in {source} has no frame {pin.frame_index}: give one of its sampled frames ({last}).")
        time_s = float(video.trajectory.time_s[rows[0]])
    return replace(pin, video=video.info.name, sha256=video.sha256, time_s=time_s)


def add_pins(result: Path, pins: Sequence[PinRow], *, take_over: bool = True) -> list[int]:
    """Add pins to the review file of a result, which is made where there is none.

    Args:
        result: path of the GeoPackage.
        pins: to add.
        take_over: first take over the pins that lie in a result of schema 2 itself, where there is no review file yet.

    Returns:
        the numbers of the new rows.

    Raises:
        InputError: it cannot be written, or another program is writing to it.
    """
    review = made_review(result, take_over=take_over)
    with transaction(review) as database:
        _complete(database)
        return [_insert(database, pin) for pin in pins]


def made_review(result: Path, *, take_over: bool = True) -> Path:
    """Path of a result's review file, which is made where there is none; arguments and errors as for :func:`add_pins`."""
    review = review_path(result)
    if not review.exists():
        _make(review, _pins_from_before(result) if take_over else [])
    return review


def change_pin(result: Path, pin: PinRow) -> None:
    """Write a pin anew in the row that its number says; who set it and what else the row holds stay as they are.

    Raises:
        InputError: there is no such pin, or the file cannot be written.
    """
    with transaction(made_review(result)) as database:
        _complete(database)
        changed = database.execute(
            "UPDATE pins SET geom = ?, here = ?, confirmed = ?, radius_m = ?, why = ? WHERE fid = ?",
            (point_blob(pin.lat_deg, pin.lon_deg), pin.here, pin.confirmed, pin.radius_m, clean(pin.why) or None, pin.number),
        ).rowcount
        if not changed:
            raise InputError(f"{review_path(result).name} has no pin {pin.number} any more: list its pins again.")
        _widen(database, pin)
        note_change(database, "pins")


def remove_pin(result: Path, number: int | None) -> PinRow:
    """Remove the pin of this number, or the last one that was added, and return it.

    Raises:
        InputError: there is none, or the file cannot be written.
    """
    review = review_path(result)
    if not review.exists():
        if not (before := _pins_from_before(result)):
            raise InputError(f"{result.name} has no pins, so there is nothing to remove: run vidtag pin to set one.")
        _make(review, before)
        numbers = {pin.number: row for row, pin in enumerate(before, 1)}  # of the rows in the new file
        number = None if number is None else numbers.get(number, number)
    pins = read_pins(review)
    chosen = [pin for pin in pins if pin.number == (max(one.number for one in pins) if number is None else number)]
    if not chosen:
        there = ", ".join(str(pin.number) for pin in pins) or "none"
        raise InputError(
            f"{review.name} has no pin {'' if number is None else number}".rstrip() + f": give the number of one of its pins ({there})."
        )
    with transaction(review) as database:
        teach(database)
        database.execute("DELETE FROM pins WHERE fid = ?", (chosen[0].number,))
        note_change(database, "pins")
    return chosen[0]


def settle_pins(result: Path) -> None:
    """Before a result is replaced: write down the moment of each pin that only says its frame in that result.

    Pins that lie in a result of schema 2 go to its review file; those of a review file that were drawn by hand get their digest and time.

    Raises:
        InputError: the review file cannot be written.
    """
    review = review_path(result)
    pins = read_pins(review if review.exists() else result, whole_only=True)
    if not any(not pin.sha256 or pin.time_s is None for pin in pins):
        return
    try:
        results = read_geopackage(result)[0]
    except InputError:
        return  # no result of ours: it has no frames to tell the moments by
    known = [_with_moment_if_there(pin, results) for pin in pins]
    if not review.exists():
        _make(review, known)
        return
    with transaction(review) as database:
        _complete(database)
        for pin in (one for one in known if one.sha256):
            database.execute("UPDATE pins SET sha256 = ?, time_s = ? WHERE fid = ?", (pin.sha256, pin.time_s, pin.number))
        note_change(database, "pins")


def _with_moment_if_there(pin: PinRow, results: Sequence[VideoResult]) -> PinRow:
    try:
        return with_moment(pin, results, "")
    except InputError:
        return pin  # of a frame that the video does not have: for the person to correct


def copy_review(result: Path, output: Path) -> None:
    """Give a copy of a result the pins of the first, where the copy has none yet."""
    review, copy = review_path(result), review_path(output)
    if review.is_file() and not copy.exists():
        with replacing(copy, "review") as part:
            copy_database(review, part)


def same_moment(one: PinRow, other: PinRow) -> bool:
    """Whether two pins are of the same moment of the same video."""
    if one.sha256 != other.sha256 or one.time_s is None or other.time_s is None:
        return False
    return abs(one.time_s - other.time_s) < _SAME_S


def _pins_from_before(result: Path) -> list[PinRow]:
    """The pins that lie in a result of schema 2, with their moments."""
    pins = read_pins(result)
    if not pins:
        return []
    results = read_geopackage(result)[0]
    return [with_moment(pin, results, result.name) for pin in pins]


def _make(review: Path, pins: Sequence[PinRow]) -> None:
    """Make the file, unless another process does so at this moment: then that one holds, and what it got is not written over."""
    lock = review.with_name(f"{HIDDEN}{review.name}.lock")
    try:
        with FileLock(lock, timeout=_WAIT_S):
            try:
                if not review.exists():
                    _write(review, pins)
            finally:
                # Whoever waits for it finds the file made.
                with suppress(OSError):
                    lock.unlink()
    except InputError as error:  # what `replacing` says of a disk
        raise UnwrittenError(str(error)) from error
    except Timeout:
        raise UnwrittenError(f"{review.name} is being made by another program: run it again.") from None
    except OSError as error:
        raise UnwrittenError(
            f"Cannot write {review} ({error.strerror or error}): allow writing to its folder, or copy the result to another."
        ) from error


def _write(review: Path, pins: Sequence[PinRow]) -> None:
    with replacing(review, "review") as part:
        write_layer(part, "pins", pins_table(list(pins)))
        with closing(sqlite3.connect(part)) as database, database:
            add_styles(database, ["pins"])
            mark_geopackage(database, "review")


def _complete(database: sqlite3.Connection) -> None:
    """Add the columns that a layer of pins from elsewhere lacks."""
    teach(database)
    there = {name for (name,) in database.execute("SELECT name FROM pragma_table_info('pins')")}
    for name, kind in _TYPES.items():
        if name not in there:
            database.execute(f"ALTER TABLE pins ADD COLUMN {name} {kind}")


def _insert(database: sqlite3.Connection, pin: PinRow) -> int:
    when = None if pin.when is None else stamp(pin.when)
    values = (
        clean(pin.video), pin.sha256, pin.time_s, pin.frame_index, pin.here, pin.radius_m, clean(pin.who) or None, when, clean(pin.why) or None, pin.confirmed,
    )  # fmt: skip
    place = point_blob(pin.lat_deg, pin.lon_deg)
    names = ", ".join(f'"{name}"' for name in ("geom", *_COLUMNS))
    holes = ", ".join("?" * (1 + len(_COLUMNS)))
    row = database.execute(f"INSERT INTO pins ({names}) VALUES ({holes})", (place, *values)).lastrowid  # noqa: S608 - constants  # nosec B608
    _widen(database, pin)
    note_change(database, "pins")
    return int(row or 0)


def _widen(database: sqlite3.Connection, pin: PinRow) -> None:
    """The layer's extent, with the pin in it."""
    database.execute(
        "UPDATE gpkg_contents SET min_x = min(coalesce(min_x, :x), :x), max_x = max(coalesce(max_x, :x), :x),"
        " min_y = min(coalesce(min_y, :y), :y), max_y = max(coalesce(max_y, :y), :y) WHERE table_name = 'pins'",
        {"x": pin.lon_deg, "y": pin.lat_deg},
    )


def note_change(database: sqlite3.Connection, layer: str) -> None:
    """Say in the file that a layer was changed just now."""
    database.execute("UPDATE gpkg_contents SET last_change = ? WHERE table_name = ?", (stamp(datetime.now(UTC)), layer))


def point_blob(lat_deg: float, lon_deg: float) -> bytes:
    """A point as a GeoPackage holds it: little endian, no envelope, EPSG:4326."""
    head = b"GP" + bytes([0, 1]) + (4326).to_bytes(4, "little")
    return head + bytes(shapely.to_wkb(shapely.Point(lon_deg, lat_deg), byte_order=1))


def teach(database: sqlite3.Connection) -> None:
    """Give SQLite the functions that the triggers of a spatial index ask of whoever changes the layer."""

    def bound(which: int) -> None:
        def of(blob: bytes | None) -> float | None:
            found = _shape(blob)
            return None if found is None or found.is_empty else float(found.bounds[which])

        database.create_function(("ST_MinX", "ST_MinY", "ST_MaxX", "ST_MaxY")[which], 1, of, deterministic=True)

    for which in range(4):
        bound(which)
    database.create_function("ST_IsEmpty", 1, lambda blob: int((shape := _shape(blob)) is None or shape.is_empty), deterministic=True)


def _shape(blob: bytes | None) -> shapely.Geometry | None:
    return None if blob is None else shapely.from_wkb(wkb_of(blob))
