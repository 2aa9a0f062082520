"""Small readers that the data sets share: tables, lists and folders, with clear words for what is wrong."""

from __future__ import annotations

import csv
import json
import math
import os
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..types import InputError

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def read_rows(path: Path, columns: Sequence[str | tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """The wanted columns of a comma-separated table with a header line, found by their names and not by their order.

    Args:
        path: of the table.
        columns: names; a tuple gives names of which the first present one is taken.

    Yields:
        one tuple of texts a row, "" where a row is too short.

    Raises:
        InputError: the table cannot be read, or a column is missing.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.reader(handle)
            header = [name.strip().lower() for name in next(reader, [])]
            places = [_column(header, names if isinstance(names, tuple) else (names,), path) for names in columns]
            for row in reader:
                if row:
                    yield tuple(row[place].strip() if place < len(row) else "" for place in places)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{_tail(path)} cannot be read as a table ({_why(error)}): unpack it again.") from error


def _column(header: list[str], names: tuple[str, ...], path: Path) -> int:
    for name in names:
        if name in header:
            return header.index(name)
    found = ", ".join(name for name in header if name)[:200] or "nothing"
    raise InputError(f"{_tail(path)} has no column {' or '.join(names)} (it has {found}): unpack it again from the data set's archive.")


def read_lines(path: Path) -> list[str]:
    """The lines of a text that are not empty. Raises InputError where it cannot be read."""
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{_tail(path)} cannot be read as text ({_why(error)}): unpack it again.") from error


def read_json(path: Path) -> Any:
    """A JSON file. Raises InputError where it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{_tail(path)} is not readable JSON ({_why(error)}): unpack it again.") from error


def number(value: Any, missing: float | None = None) -> float:
    """A number from JSON or a table; NaN for what is none, and for ``missing``."""
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
    return math.nan if result == missing else result


def moment_s(text: str) -> float | None:
    """Unix seconds of a time as data sets write them: epoch milliseconds, or an ISO date with or without a time (UTC); None for neither."""
    value = number(text, missing=-1.0)
    if math.isfinite(value):
        return value / 1000.0 if value >= 1e11 else value
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def check_root(root: Path, what: str) -> None:
    """See that a data set's folder is there. Raises InputError."""
    if not root.is_dir():
        raise InputError(
            f"The folder {root} of {what} {'is a file' if root.exists() else 'does not exist'}: give the folder it was unpacked to."
        )


def first_folder(root: Path, choices: Sequence[str]) -> Path | None:
    """The first of the relative paths that is a folder."""
    return next((root / choice for choice in choices if (root / choice).is_dir()), None)


def names_in(folder: Path) -> set[str]:
    """Names of the entries of a folder, listed once; empty where there is no such folder."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries}
    except OSError:
        return set()


def subfolders(folder: Path) -> list[str]:
    """Names of the folders in a folder, hidden ones left out, sorted."""
    return sorted(name for name in names_in(folder) if not name.startswith(".") and (folder / name).is_dir())


def images_in(folder: Path) -> list[str]:
    """Names of the images in a folder, hidden ones left out, 2.jpg before 10.jpg."""
    found = [name for name in names_in(folder) if name.lower().endswith(IMAGE_SUFFIXES) and not name.startswith(".")]
    return sorted(found, key=lambda name: [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name)])


def _tail(path: Path) -> str:
    """The last parts of a path: enough to find the file, in a data set of many with one name."""
    return "/".join(path.parts[-4:])


def _why(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error).splitlines()[0][:120]
