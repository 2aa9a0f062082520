"""What kinds of things VidTAG keeps on a machine, and how large each one is; symbolic links are not followed."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Kind:
    """A kind of things that VidTAG keeps.

    Args:
        name, plural: for people.
        cost: one sentence, what clearing it costs.
        by_default: cleared where nothing is named.
        by_folder: cleared only where its very folder is named.
        cleared: whether it is cleared at all.
    """

    name: str
    plural: str
    cost: str
    by_default: bool = False
    by_folder: bool = False
    cleared: bool = True


KINDS = {
    kind.name: kind
    for kind in (
        Kind("gallery", "galleries", "It is made again when that area is searched next, which takes about as long as the first time.", True),
        Kind("network", "networks", "It is made again within the next 200 pictures, which are encoded more slowly until then.", True),
        Kind("guess", "guesses", "The city is guessed again when that video is geolocated next.", True),
        Kind("unfinished", "unfinished", "Nothing: a process was ended while it wrote this.", True),
        Kind("pictures", "pictures", "They are fetched again, after consent, when a database of reference images needs them."),
        Kind("features", "features", "All pictures are encoded again by the next training or evaluation, as the first time.", by_folder=True),
        Kind("environment", "environments", "What runs in it, such as the engine in QGIS, does not until it is made again: minutes, and gigabytes."),
        Kind("store", "stores", "The videos are not geolocated any more but in the GeoPackage beside it.", by_folder=True),
        Kind(
            "reference database", "reference databases", "It is gone until it is built again from its pictures, which must be there.",
            by_folder=True,
        ),
        Kind("checkpoint", "checkpoints", "It is never cleared here: it would have to be trained or fetched again.", cleared=False),
        Kind("other", "other", "It is never cleared here: VidTAG does not know it.", cleared=False),
    )
}  # fmt: skip
"""Every kind by its name, in the order in which they are listed."""


@dataclass(frozen=True)
class Item:
    """One thing that is kept.

    Args:
        kind: key of ``KINDS``.
        name: for people.
        path: of its file or folder.
        parts: what of the folder belongs to it, as paths in it, that first by which it is recognised; None: all of it.
    """

    kind: str
    name: str
    path: Path
    parts: tuple[str, ...] | None = None

    @property
    def paths(self) -> list[Path]:
        """All that belongs to it."""
        return [self.path] if self.parts is None else [self.path / part for part in self.parts]


@dataclass(frozen=True)
class Measured:
    """How large a thing is.

    Args:
        size_bytes: of its files; of several links to one file it counts once.
        freed_bytes: what the disk gains without it: less where a file has links elsewhere.
        files: their number, links too.
        last_used_s: when the newest of them was changed, seconds since 1970.
    """

    size_bytes: int
    freed_bytes: int
    files: int
    last_used_s: float


def measured(item: Item) -> Measured | None:
    """Look at all files of a thing; None where it is there no more."""
    seen = [entry for path in item.paths for entry in _files_below(path)]
    if not seen and not os.path.lexists(item.path):
        return None
    sizes = {(entry.st_dev, entry.st_ino) if entry.st_nlink > 1 else number: entry.st_size for number, entry in enumerate(seen)}
    links: dict[Any, list[int]] = {}
    for entry in seen:
        if entry.st_nlink > 1:
            links.setdefault((entry.st_dev, entry.st_ino), []).append(entry.st_nlink)
    kept = sum(sizes[file] for file, counts in links.items() if max(counts) > len(counts))
    last_used_s = max((entry.st_mtime for entry in seen), default=0.0)
    if not seen:
        with contextlib.suppress(OSError):
            last_used_s = item.path.lstat().st_mtime
    total = sum(sizes.values())
    return Measured(total, total - kept, len(seen), last_used_s)


def told(item: Item, size: Measured) -> dict[str, Any]:
    """A thing as plain values: ``kind``, ``name``, ``size_bytes``, ``freed_bytes``, ``files``, ``last_used_utc``, ``path`` and what clearing it costs."""
    used = datetime.fromtimestamp(size.last_used_s, UTC).isoformat(timespec="seconds")
    return {
        "kind": item.kind, "name": item.name, "size_bytes": size.size_bytes, "freed_bytes": size.freed_bytes, "files": size.files,
        "last_used_utc": used, "path": str(item.path), "cost": KINDS[item.kind].cost,
    }  # fmt: skip


def is_folder(path: Path) -> bool:
    """Whether it is a folder itself, and no link to one."""
    return path.is_dir() and not path.is_symlink()


def children(folder: Path) -> list[Path]:
    """What lies in a folder, by name; nothing where it cannot be read or is there no more."""
    with contextlib.suppress(OSError):
        return sorted(folder.iterdir())
    return []


def is_file(path: Path) -> bool:
    """Whether it is a file itself, and no link to one."""
    return path.is_file() and not path.is_symlink()


def paths_below(path: Path) -> Iterator[Path]:
    """All files in a folder and below, or the one that is given, links as such."""
    waiting = [path]
    while waiting:
        one = waiting.pop()
        if is_folder(one):
            waiting += children(one)
        elif os.path.lexists(one):
            yield one


def _files_below(path: Path) -> Iterator[os.stat_result]:
    """What the system says of each of them."""
    waiting = [os.fspath(path)]
    while waiting:
        one = waiting.pop()
        with contextlib.suppress(OSError):  # it is there no more
            seen = os.lstat(one)
            if stat.S_ISDIR(seen.st_mode):
                waiting += [os.path.join(one, name) for name in os.listdir(one)]  # noqa: PTH118 - an environment has 50,000 files
            else:
                yield seen
