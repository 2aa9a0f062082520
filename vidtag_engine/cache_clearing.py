"""Clearing what VidTAG keeps: only what was asked for, nothing that is in use, and nothing that is not recognised at the very moment when it goes.

What is made of several files is moved into a hidden folder first, so that no half of it is ever taken for the whole, however this process ends.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .atomic import HIDDEN, clear_left_behind, hidden_folder, writer_of
from .cache_items import KINDS, Item, Measured, children, is_folder, measured
from .caches import NAMED, RECOGNISERS, STORE_LOCKS, in_cache, only_copy, plain_folder
from .types import InputError

_DAY_S = 86_400.0


@dataclass(frozen=True)
class Request:
    """What is to be cleared.

    Args:
        kinds: keys of ``KINDS``.
        folders: of single things; of a kind of which folders are named, these alone.
        older_than_days: only what was last used before so many days; None for all.
        even_unmerged: also a store of results that nothing else has.
    """

    kinds: tuple[str, ...]
    folders: tuple[Path, ...] = ()
    older_than_days: float | None = None
    even_unmerged: bool = False


@dataclass(frozen=True)
class Outcome:
    """What happened, or would happen.

    Args:
        cleared: things, and how large they were.
        kept: things that stay, and why, one clause.
        failed: things that could not be cleared, or not wholly, and why.
        freed_bytes: what the disk gained.
    """

    cleared: list[tuple[Item, Measured]] = field(default_factory=list)
    kept: list[tuple[Item, str]] = field(default_factory=list)
    failed: list[tuple[Item, str]] = field(default_factory=list)
    freed_bytes: int = 0

    @property
    def error(self) -> str:
        """One sentence; empty where all went well."""
        if not self.failed:
            return ""
        item, why = self.failed[0]
        count = f"{len(self.failed)} could not be cleared, the first" if len(self.failed) > 1 else "Could not clear"
        return f"{count} {item.path} ({why}): end what uses it or allow it, then clear again; the rest is done."


def request_of(words: Sequence[str], older_than_days: float | None = None, *, even_unmerged: bool = False) -> Request:
    """Kinds and folders as a person gives them, in any order; without any the caches alone.

    Args:
        words: names of kinds, or their plurals, and paths; a folder that is called like a kind is given as ``./gallery``.
        older_than_days, even_unmerged: as for :class:`Request`.

    Raises:
        InputError: a word is neither, the kind is never cleared or wants a folder, or the number of days is none.
    """
    if older_than_days is not None and not (math.isfinite(older_than_days) and older_than_days >= 0.0):
        raise InputError(f"--older-than {older_than_days:g} is no number of days: give one that is 0 or more.")
    known = {word.replace(" ", sign): kind for kind in KINDS.values() for word in (kind.name, kind.plural) for sign in " -"}
    kinds: list[str] = []
    folders: list[Path] = []
    for word in words:
        kind = known.get(word.lower())
        if kind is None and not os.path.lexists(Path(word).expanduser()):
            raise InputError(f"{word!r} is neither a folder that is there nor a kind: the kinds are {', '.join(_words())}.")
        if kind is not None and not kind.cleared:
            raise InputError(
                f"{kind.plural.capitalize()} are never cleared here: remove them yourself, or name one of {', '.join(_words())}."
            )
        if kind is None:
            folders.append(Path(word))
        elif kind.name not in kinds:
            kinds.append(kind.name)
    if folders and not kinds:
        raise InputError(
            f"Say what kind of thing {folders[0]} is, as in 'vidtag caches clear {NAMED[0]} {folders[0]}': {', '.join(_words())}."
        )
    return Request(tuple(kinds) or tuple(name for name, kind in KINDS.items() if kind.by_default), tuple(folders), older_than_days,
                   even_unmerged)  # fmt: skip


def planned(request: Request, cache: Path) -> Outcome:
    """What would be cleared, and what of it is kept and why; nothing is changed.

    Args:
        request: what is asked for.
        cache: VidTAG's folder of caches.

    Raises:
        InputError: a folder is none of the kinds that were named, a kind wants a folder, or a store holds the only copy of results.
    """
    listed = [item for item in in_cache(cache) if item.kind in request.kinds]
    named = [_named(folder, request.kinds, listed) for folder in request.folders]
    for kind in request.kinds:
        if KINDS[kind].by_folder and all(one.kind != kind for one in named):
            word = kind.replace(" ", "-")
            raise InputError(
                f"{KINDS[kind].plural.capitalize()} are cleared one by one: name the folder, as in 'vidtag caches clear {word} FOLDER'."
            )
    alone = {one.kind for one in named}
    items = list({one.path: one for one in [*named, *(item for item in listed if item.kind not in alone)]}.values())
    for one in named:
        if one.kind == "store" and not request.even_unmerged and (why := only_copy(one.path)):
            raise InputError(f"{one.path} holds the only copy of results, because {why}: write that file first, or add --even-unmerged.")
    found, use = Outcome(), InUse(items)
    for item in sorted(items, key=lambda one: (list(KINDS).index(one.kind), one.path)):
        size = measured(item)
        if size is None or _is_too_young(size, request):
            continue
        if why := _kept_because(item, request, use):
            found.kept.append((item, why))
        else:
            found.cleared.append((item, size))
    return Outcome(found.cleared, found.kept, [], sum(size.freed_bytes for _, size in found.cleared))


def clear(plan: Outcome, request: Request) -> Outcome:
    """Clear what was planned, but for what was taken into use meanwhile. What cannot be cleared does not stop the rest.

    Args:
        plan: from :func:`planned`, as a person has seen it.
        request: the same.
    """
    done, use = Outcome(kept=list(plan.kept)), InUse([item for item, _ in plan.cleared])
    freed_bytes = 0
    for seen, _ in plan.cleared:
        item = RECOGNISERS[seen.kind](seen.path)
        if item is None and not os.path.lexists(seen.path):
            continue  # somebody else was first
        size = measured(item) if item else None
        if item is None or size is None:
            done.kept.append((seen, "something else is there now"))
        elif _is_too_young(size, request):
            done.kept.append((item, "it was used meanwhile"))
        elif why := _kept_because(item, request, use):
            done.kept.append((item, why))
        else:
            try:
                _remove(item)
            except OSError as error:
                done.failed.append((item, _reason(error)))
                freed_bytes += max(0, size.freed_bytes - _left_bytes(item, error))
            else:
                done.cleared.append((item, size))
                freed_bytes += size.freed_bytes
    return Outcome(done.cleared, done.kept, done.failed, freed_bytes)


class InUse:
    """What living processes have open, have mapped into memory, or run from, as the system tells it of this user's; looked up once.

    Args:
        items: those that matter.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        places = tuple(os.path.realpath(item.path) for item in items)
        self._held: dict[str, int] = {}
        if not places:
            return
        import psutil  # here: there is rarely something to ask it

        for process in psutil.process_iter():
            if process.pid != os.getpid():
                self._held |= {path: process.pid for path in _paths_of(process) if path.startswith(places)}

    def why(self, item: Item) -> str | None:
        """Why a thing is in use, one clause; None where it is not."""
        place = os.path.realpath(item.path)
        if item.kind == "environment":
            for own in (sys.prefix, os.path.dirname(sys.executable)):  # noqa: PTH120 - the interpreter itself is a link that leads out
                if _within(os.path.realpath(own), place):
                    return "this command runs in it"
        for path, number in self._held.items():
            if _within(path, place):
                return f"process {number} uses it"
        inside = [
            *children(item.path),
            *(children(item.path / STORE_LOCKS) if item.kind == "store" else ()),
        ]  # of a batch each video has its own
        locks = [item.path.with_name(f"{item.path.name}.lock"), *(one for one in inside if one.suffix == ".lock")]
        if any(_locked(lock) for lock in locks):
            return "it is locked"
        if KINDS[item.kind].by_folder:
            for where, names, _ in os.walk(item.path):
                writers = [writer for name in names if (writer := writer_of(Path(where, name))) is not None]
                if writers:
                    return f"process {writers[0]} writes in it"
        return None


def _words() -> list[str]:
    return [name.replace(" ", "-") for name, kind in KINDS.items() if kind.cleared]


def _named(folder: Path, kinds: Sequence[str], listed: Sequence[Item]) -> Item:
    """The thing whose folder a person has named. Raises InputError where it is none of the kinds."""
    path = plain_folder(folder)
    for item in listed:
        if os.path.realpath(item.path) == str(path) and not item.path.is_symlink():
            return item
    found = next((one for kind in NAMED if (one := RECOGNISERS[kind](path)) is not None), None)
    if found is not None and found.kind in kinds:
        return found
    what = (
        f"a {found.kind}: name that kind, too" if found else f"no {' or '.join(kinds)}: 'vidtag caches {folder}' lists what lies below it"
    )
    raise InputError(f"{folder} is {what}.")


def _is_too_young(size: Measured, request: Request) -> bool:
    days = request.older_than_days
    return days is not None and time.time() - size.last_used_s < days * _DAY_S


def _kept_because(item: Item, request: Request, use: InUse) -> str | None:
    if item.kind == "store" and not request.even_unmerged and (why := only_copy(item.path)):
        return why
    return use.why(item)


def _remove(item: Item) -> None:
    """Remove a thing and nothing else, a folder of parts only where nothing else lies in it. Raises OSError where something of it stays."""
    if item.parts is None and not is_folder(item.path):
        item.path.unlink(missing_ok=True)
        return
    if item.kind == "unfinished":
        shutil.rmtree(item.path, ignore_errors=True)
        _check_gone(item.path)
        return
    if item.parts is not None:
        clear_left_behind(item.path)
    hidden = hidden_folder(item.path.parent if item.parts is None else item.path)
    try:
        for number, path in enumerate(item.paths):
            with contextlib.suppress(FileNotFoundError):
                path.rename(hidden / f"{number}")
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
    _check_gone(hidden)
    for folder in sorted({path.parent for path in item.paths} | {item.path} if item.parts else (), reverse=True):
        with contextlib.suppress(OSError):  # something else lies in it
            folder.rmdir()


def _check_gone(folder: Path) -> None:
    if os.path.lexists(folder):
        raise OSError(errno.ENOTEMPTY, "a part of it cannot be removed", str(folder))


def _reason(error: OSError) -> str:
    left = f"; it lies in {error.filename}" if _left_folder(error) else ""
    return f"{error.strerror or error}{left}"


def _left_folder(error: OSError) -> Path | None:
    path = Path(error.filename) if isinstance(error.filename, str) else None
    return path if path is not None and path.name.startswith(HIDDEN) and path.is_dir() else None


def _left_bytes(item: Item, error: OSError) -> int:
    """What a removal that failed has left, where it was and where it was moved to."""
    moved = _left_folder(error)
    places = [item, *([Item("unfinished", moved.name, moved)] if moved is not None and moved != item.path else [])]
    return sum(left.freed_bytes for place in places if (left := measured(place)) is not None)


def _paths_of(process: Any) -> set[str]:
    """Paths that a process has open or mapped, and those of its program. What the system does not tell is left out."""
    import psutil

    found: set[str] = set()
    for ask in (
        lambda: [one.path for one in process.open_files()],
        lambda: [one.path for one in process.memory_maps()],
        lambda: [process.exe()],
        lambda: _program(process.cmdline()),
    ):
        with contextlib.suppress(psutil.Error, OSError, AttributeError, NotImplementedError):
            found |= set(ask())
    return found


def _program(words: Sequence[str]) -> list[str]:
    """Where a command says that its program lies: an environment's interpreter is a link, behind which the system sees another."""
    if not words or not os.path.isabs(words[0]):  # noqa: PTH117
        return []
    folder, name = os.path.split(words[0])
    return [os.path.join(os.path.realpath(folder), name)]  # noqa: PTH118


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _locked(lock: Path) -> bool:
    """Whether another process holds a file's lock."""
    if lock.is_symlink() or not lock.is_file():
        return False
    try:
        with lock.open("rb") as handle:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
                msvcrt.locking(handle.fileno(), msvcrt.LK_UNLCK, 1)
            else:
                import fcntl

                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a disk without locks; on Windows, where it is held
        return sys.platform == "win32"
    return False
