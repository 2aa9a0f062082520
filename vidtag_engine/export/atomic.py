"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..types import InputError

# What SQLite may leave beside a database. A stale one would be replayed into the new file.
SQLITE_SIDE_FILES = ("-wal", "-shm", "-journal")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_LEAST_FREE_BYTES = 64 * 1024
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Give a path to write to; when the block ends well it takes ``path``'s place in one step, else nothing is left behind.

    The given path has the same file name and lies in a hidden folder beside the target (same disk, so that the last step is one
    rename), which goes away with everything in it.

    Raises:
        InputError: the folder is missing or not writable, the disk is full, or the target is a folder or held open elsewhere.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise InputError(f"Cannot write {path}: the folder {path.parent} does not exist; make it first or choose another.")
    if path.is_dir():
        raise InputError(f"Cannot write {path}: it is a folder; give the name of a file.")
    folder: Path | None = None
    try:
        # Named for the process, so that whoever has to kill it can clear it away.
        folder = Path(tempfile.mkdtemp(prefix=f".vidtag-{os.getpid()}-", dir=path.parent))
        part = folder / path.name
        yield part
        _flush(part)
        # Deleted before the new file comes, never after: a reader in between must not pair the new file with an old log.
        for suffix in SQLITE_SIDE_FILES:
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        part.replace(path)
    except (OSError, sqlite3.Error) as error:
        raise InputError(_sentence(path, error)) from error
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def write_text(path: Path | str, text: str) -> None:
    """Write UTF-8 text whole or not at all; line ends as they are in ``text``."""
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="") as handle:
        handle.write(text)


def _flush(part: Path) -> None:
    """Bring the file to the disk: a full one may only show here."""
    with part.open("rb+") as handle:
        os.fsync(handle.fileno())


def _no_room(folder: Path) -> bool:
    """Whether hardly a byte is free: on a full disk GDAL may complain of anything but that."""
    try:
        return shutil.disk_usage(folder).free < _LEAST_FREE_BYTES
    except OSError:
        return False


def _sentence(path: Path, error: Exception) -> str:
    number = getattr(error, "errno", None)
    text = str(error).lower()
    if number in _FULL or "disk is full" in text or "no space" in text or "file too large" in text or _no_room(path.parent):
        return f"Cannot write {path}: the disk is full; free some space or choose another folder."
    if number in _FORBIDDEN or "readonly" in text:
        return f"Cannot write {path}: no permission, or another program holds the file open; close it there or choose another folder."
    reason = getattr(error, "strerror", None) or str(error)
    return f"Cannot write {path}: {reason}; choose another file or folder."
