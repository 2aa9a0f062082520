"""Files that are there whole or not at all, and never in the place of somebody else's."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import platform
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from .file_marks import place_refusal, refusal
from .types import InputError

# What SQLite may leave beside a database. A stale one would be replayed into the new file.
SQLITE_SIDE_FILES = ("-wal", "-shm", "-journal")
HIDDEN = ".vidtag-"
"""What the names of the hidden folders begin with in which a process writes."""
_SQLITE = b"SQLite format 3\0"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_LEAST_FREE_BYTES = 64 * 1024
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
# Processes have their numbers by machine, and a folder may be shared by several.
_MACHINE = hashlib.blake2b(platform.node().encode(), digest_size=4).hexdigest()
_LEFT_BEHIND = re.compile(rf"{re.escape(HIDDEN)}(\d+)-{_MACHINE}-")


@contextmanager
def replacing(path: Path | str, kind: str | None = None, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a path to write to; when the block ends well it takes ``path``'s place in one step, else nothing is left behind.

    The given path has the same file name and lies in a hidden folder beside the target (same disk, so that the last step is one
    rename), which goes away with everything in it. Where ``path`` is a symbolic link, the file that it leads to is replaced.

    Args:
        path: of the file.
        kind: what is written (see ``file_marks.KINDS``): before the block and again before the last step a file that is there must be this tool's own of
            that kind. None for what no person names, such as a cache's file.
        overwrite: whatever is there may be replaced.

    Raises:
        InputError: what is there is not to be replaced, the folder is missing or not writable, the disk is full, or the target is a folder or held open
            elsewhere.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise InputError(f"Cannot write {path}: the folder {path.parent} does not exist; make it first or choose another.")
    if path.is_dir():
        raise InputError(f"Cannot write {path}: it is a folder; give the name of a file.")
    _check(path, kind, overwrite=overwrite)
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    folder: Path | None = None
    try:
        clear_left_behind(target.parent)
        folder = hidden_folder(target.parent)
        part = folder / path.name
        yield part
        _flush(part)
        _check(path, kind, overwrite=overwrite)
        _settle(target, part)
        _take_place(part, target, kind, overwrite=overwrite)
    except (OSError, sqlite3.Error) as error:
        raise InputError(_sentence(path, error)) from error
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def making_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to write to; when the block ends well it is ``folder``, in one step, else nothing is left behind.

    Where ``folder`` is there by then, because another process was first, that one stays: for caches, whose contents follow from their names.

    Raises:
        InputError: the folder beside is missing or not writable, or the disk is full.
    """
    hidden: Path | None = None
    try:
        clear_left_behind(folder.parent)
        hidden = hidden_folder(folder.parent)
        part = hidden / folder.name
        part.mkdir()
        yield part
        for file in part.rglob("*"):
            if file.is_file():
                _flush(file)
        with contextlib.suppress(OSError):
            part.rename(folder)
        if not folder.is_dir():
            raise InputError(f"Cannot make {folder}: something else has its name; move it away.")
    except OSError as error:
        raise InputError(_sentence(folder, error)) from error
    finally:
        if hidden is not None:
            shutil.rmtree(hidden, ignore_errors=True)


def write_text(path: Path | str, text: str, kind: str | None = None, *, overwrite: bool = False) -> None:
    """Write UTF-8 text whole or not at all; line ends as they are in ``text``. Arguments and errors as for :func:`replacing`."""
    with replacing(path, kind, overwrite=overwrite) as part, part.open("w", encoding="utf-8", newline="") as handle:
        handle.write(text)


def clear_left_behind(folder: Path) -> None:
    """Remove the hidden folders in which a process of this machine and user was writing when it was killed."""
    for left in folder.glob(f"{HIDDEN}*"):
        if is_left_behind(left):
            shutil.rmtree(left, ignore_errors=True)


def is_left_behind(folder: Path) -> bool:
    """Whether it is a hidden folder of a process of this machine and user that is there no more."""
    import psutil  # here: there is rarely something to ask it

    found = _LEFT_BEHIND.match(folder.name)
    with contextlib.suppress(OSError, OverflowError):  # the latter for what is no process's number
        mine = not hasattr(os, "geteuid") or folder.lstat().st_uid == os.geteuid()
        return bool(found and mine and folder.is_dir() and not folder.is_symlink() and not psutil.pid_exists(int(found[1])))
    return False


def writer_of(folder: Path) -> int | None:
    """Number of the process of this machine that writes in a hidden folder right now; None where it is no such folder, or the process is there no more."""
    import psutil

    found = _LEFT_BEHIND.match(folder.name)
    with contextlib.suppress(OverflowError):
        return int(found[1]) if found and psutil.pid_exists(int(found[1])) else None
    return None


def hidden_folder(beside: Path) -> Path:
    """A new hidden folder of this process in a folder; what is left in it when the process ends is cleared like what was half written. Raises OSError."""
    # Named for the process, so that whoever has to kill it can clear it away.
    return Path(tempfile.mkdtemp(prefix=f"{HIDDEN}{os.getpid()}-{_MACHINE}-", dir=beside))


@contextmanager
def claimed(lock: Path) -> Iterator[bool]:
    """Hold a piece of work while it is done, among processes that share a folder; the system lets go of it when the process dies, however it does.

    Whoever gets it looks again whether the work was done meanwhile: another process may have opened the lock's file just before it went.

    Args:
        lock: the file that stands for the work; its folder exists. It goes when the work is done.

    Yields:
        Whether this process holds it; False where another one does.

    Raises:
        OSError: the file cannot be made.
    """
    held = FileLock(lock)
    try:
        held.acquire(blocking=False)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        # Whoever opened it a moment ago and holds it next finds the work done when it looks again.
        with contextlib.suppress(OSError):
            lock.unlink()
        held.release()


def _check(path: Path, kind: str | None, *, overwrite: bool) -> None:
    """Refuse to take the place of what is not this tool's own of that kind, or is write-protected. Raises InputError."""
    why = place_refusal(path) if kind is None else refusal(path, kind, overwrite=overwrite)
    if why is not None:
        raise InputError(why)


def _flush(part: Path) -> None:
    """Bring the file to the disk: a full one may only show here."""
    with part.open("rb+") as handle:
        os.fsync(handle.fileno())


def _settle(target: Path, part: Path) -> None:
    """Before a database is replaced: bring into it what SQLite keeps beside it, so that the old one is whole should this process end before the new one is there.

    Only then may the side files go; they go before the new file comes, for a reader in between must not pair the new file with an old log.

    Raises:
        InputError: another program is writing to the database, or the side files belong to no database that is there.
    """
    sides = [side for suffix in SQLITE_SIDE_FILES if (side := target.with_name(target.name + suffix)).exists()]
    if not sides or not _is_sqlite(part):
        return
    if not _is_sqlite(target):
        raise InputError(f"{sides[0].name} lies beside the output and belongs to another database: move it away, or choose another output.")
    busy = True
    with contextlib.suppress(sqlite3.OperationalError), closing(sqlite3.connect(target, timeout=2.0, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")  # fails while another program has unfinished changes
        database.execute("ROLLBACK")
        (busy, *_) = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    log = target.with_name(f"{target.name}-wal")
    if busy or (log.exists() and log.stat().st_size):
        raise InputError(f"{target.name} is being changed in another program: save and close it there, then run again.")
    for side in sides:
        side.unlink(missing_ok=True)


def _is_sqlite(path: Path) -> bool:
    try:
        with path.open("rb") as handle:
            return handle.read(len(_SQLITE)) == _SQLITE
    except FileNotFoundError:
        return False


def _take_place(part: Path, target: Path, kind: str | None, *, overwrite: bool) -> None:
    """The last step. Where nothing was there a moment ago, a link is made, which unlike a rename never replaces what another program put there since."""
    if kind is not None and not overwrite and not os.path.lexists(target):
        try:
            os.link(part, target)
        except FileExistsError:
            _check(target, kind, overwrite=False)
        except OSError:  # a disk without links
            pass
        else:
            return
    part.replace(target)


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
