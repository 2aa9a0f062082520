"""The folder that holds a batch's results: which files belong to it, who works on which video, and what it may be mixed with.

``store.json`` says what made it, ``results`` holds a file a video, ``areas`` the areas that were searched, ``inventory`` which videos were wanted, and
``locks`` who is at work. Many processes, on many machines, may work on one store at a time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import shapely
from filelock import FileLock, Timeout

from ..atomic import claimed, clear_left_behind, replacing, write_text
from ..export.provenance import scrub
from ..geopackage_metadata import SCHEMA
from ..types import FailedVideo, InputError, Provenance, VideoResult
from .entry import UNREAD, EntryKey, read_entry, read_mark, write_entry
from .inventory import Inventory

FORMAT, VERSION = "vidtag-store", 1
IDENTITY = 12
"""Letters of the digest of settings and checkpoint, which begins the name of each file."""
_ENDING, _FAILED_ENDING = ".gpkg", ".failed.gpkg"
_HEAD, _LOCK = "store.json", "store.lock"
_LOCK_WAIT_S, _MERGE_WAIT_S = 60.0, 3600.0


class Entry(NamedTuple):
    """One file of a store, by what its name says."""

    path: Path
    identity: str
    name_part: str
    digest_part: str
    own_part: str
    failed: bool


def store_of(output: Path) -> Path:
    """Where a batch keeps its results, beside the GeoPackage that is made of them."""
    return output.with_suffix(".results")


def is_store(folder: Path) -> bool:
    """Whether a folder holds results of a batch."""
    try:
        return _read_head(folder) is not None
    except InputError:
        return True  # of a later version


class ResultStore:
    """The results of one batch, all of the same settings and checkpoint.

    Args:
        folder: which holds a store.

    Raises:
        InputError: it holds none, or one of a later version.
    """

    def __init__(self, folder: Path) -> None:
        head = _read_head(folder)
        if head is None:
            raise InputError(
                f"{folder} holds no results of a batch: give a folder that 'vidtag geolocate' wrote with --results, or beside its output."
            )
        self.folder = folder
        self.identity: str = head["identity"]
        self.settings: dict[str, Any] = head["settings"]
        self.grid_digest: str | None = head["grid"]
        self.checkpoint: dict[str, Any] = head["checkpoint"]
        self._by_name: dict[str, list[Entry]] | None = None

    @classmethod
    def begin(
        cls, folder: Path, provenance: Provenance, *, grid_digest: str | None = None, output: Path | None = None, anew: bool = False
    ) -> ResultStore:
        """Open a store for a run, or make it where there is none.

        Args:
            folder: of it; the folder above exists.
            provenance: of the run.
            grid_digest: of the candidate places of videos that have no area of their own; None where all have one.
            output: the GeoPackage that is made of it, for whoever finds the folder.
            anew: what other settings have left is removed.

        Raises:
            InputError: the folder holds something else, or results of other settings, or cannot be written.
        """
        head = _head_of(provenance, grid_digest, output)
        if folder.exists() and not is_store(folder) and (not folder.is_dir() or any(map(_foreign, folder.iterdir()))):
            raise InputError(
                f"{folder.name} is there and holds no results of a batch: move it away, or choose another folder for the results."
            )
        try:
            folder.mkdir(exist_ok=True)
            with FileLock(folder / _LOCK, timeout=_LOCK_WAIT_S):
                subfolders = [folder / "areas", folder / "inventory", *(folder / "results").glob("??")]
                for one in (folder, *subfolders, *([output.parent] if output else [])):
                    clear_left_behind(one)
                there = _read_head(folder)
                if there is not None and not _same(there, head):
                    if not anew:
                        raise InputError(
                            f"{folder.name} holds results of other settings: choose another place, or add --overwrite to replace them."
                        )
                    _remove_entries(folder)
                    there = None
                if there is None or there["grid"] is None:
                    write_text(folder / _HEAD, json.dumps(head, ensure_ascii=False, indent=1))
        except (OSError, Timeout) as error:
            raise InputError(f"The folder {folder} for the results cannot be written ({error}): choose another place.") from error
        return cls(folder)

    def refresh(self) -> None:
        """Look again at what is there: other processes may have added to it."""
        self._by_name = None

    def entries(self) -> list[Entry]:
        """Every file, a result before a failure of the same video, by name."""
        return [one for _, found in sorted(self._index().items()) for one in found]

    def in_order(self) -> list[Entry]:
        """Every video's file once, as videos were wanted; those that nobody noted last, by name."""
        wanted = {EntryKey(one.video, "").name_part: number for number, one in enumerate(Inventory.wanted_in(self.folder))}
        best = [found[0] for found in self._index().values()]
        return sorted(best, key=lambda one: (wanted.get(one.name_part, len(wanted)), one.name_part))

    def mark_of(self, entry: Entry) -> str | None:
        """What the video's file was known by when its file in the store was made."""
        return read_mark(entry.path)

    def named(self, key: EntryKey) -> list[Entry]:
        """Files of a video by its name, whatever bytes and stretch they are of."""
        return self._index().get(key.name_part, [])

    def find(self, key: EntryKey) -> Path | None:
        """The result of these bytes and this stretch; None where there is none."""
        path = self._path(key, failed=False)
        return path if path.is_file() else None

    def failure(self, key: EntryKey) -> FailedVideo | None:
        """Why the same bytes and stretch failed before; None where they did not."""
        path = self._path(key, failed=True)
        found = read_entry(path) if path.is_file() else None
        return found if isinstance(found, FailedVideo) else None

    def holds_another(self, key: EntryKey) -> bool:
        """Whether a result of another recording has this name."""
        return any(not one.failed and one.digest_part not in {key.digest_part, UNREAD} for one in self.named(key))

    def save(
        self, key: EntryKey, one: VideoResult | FailedVideo, provenance: Provenance, *, aoi: Any | None = None, named: dict[str, Any] | None = None,
        mark: str | None = None,
    ) -> Path:  # fmt: skip
        """Write a video's file; what else there is of a video by that name goes. Arguments and errors as of :func:`.entry.write_entry`."""
        path = self._path(key, failed=isinstance(one, FailedVideo))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"The folder {path.parent} for the results cannot be made ({error}): choose another place.") from error
        write_entry(path, one, provenance, aoi=aoi, named=named, mark=mark)
        self._superseded(key, path)
        return path

    def take_over(self, key: EntryKey, entry: bytes, *, failed: bool) -> Path:
        """As :meth:`save`, of a file that another machine has written and sent."""
        path = self._path(key, failed=failed)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            part.write_bytes(entry)
        self._superseded(key, path)
        return path

    def _superseded(self, key: EntryKey, by: Path) -> None:
        """Remove what a new file takes the place of: a result that of everything else, a failure that of earlier failures, as results stay."""
        entry = _entry(by)
        if entry is None:
            raise ValueError(f"{by} is not called as files of a store are")
        found = self._index()
        before = [one for one in found.get(key.name_part, []) if one.path != by]
        for one in before:
            if one.failed or not entry.failed:
                one.path.unlink(missing_ok=True)
        found[key.name_part] = [*(one for one in before if entry.failed and not one.failed), entry]

    def clear(self) -> None:
        """Remove every result, and what was wanted."""
        _remove_entries(self.folder)
        self._by_name = None

    @contextlib.contextmanager
    def working_on(self, key: EntryKey) -> Iterator[bool]:
        """Hold a video while it is worked on; False where another process holds it. The system lets go of it when the process dies, however it does."""
        folder = self.folder / "locks"
        folder.mkdir(exist_ok=True)
        with claimed(folder / f"{key.name_part}.lock") as held:
            yield held

    @contextlib.contextmanager
    def merging(self, *, wait: bool) -> Iterator[bool]:
        """Be the one process that makes a GeoPackage of the store; False where another is, and it is not waited for.

        Raises:
            InputError: another one has been at it for an hour.
        """
        lock = FileLock(self.folder / "merge.lock")
        try:
            lock.acquire(timeout=_MERGE_WAIT_S if wait else 0)
        except Timeout:
            if wait:
                raise InputError(
                    f"Another process has been merging {self.folder.name} for an hour: stop it, and run 'vidtag merge'."
                ) from None
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def keep_area(self, digest: str, geometry: Any, name: str = "") -> None:
        """Keep an area (shapely, x = longitude) by the digest of its grid, and what videos of their own call it; one without a name is the run's."""
        path = self._area_path(digest)
        if path.is_file():
            return
        path.parent.mkdir(exist_ok=True)
        with replacing(path) as part:
            part.write_bytes(shapely.to_wkb(geometry))
        if name:
            write_text(path.with_suffix(".json"), json.dumps({"name": name, "digest": digest}, ensure_ascii=False))

    def area(self, digest: str) -> Any | None:
        """An area that was kept; None where it was not."""
        path = self._area_path(digest)
        return shapely.from_wkb(path.read_bytes()) if path.is_file() else None

    def named_areas(self) -> dict[str, str | None]:
        """Digests of the grids of areas that videos have of their own, by name."""
        found: dict[str, str | None] = {}
        for path in sorted((self.folder / "areas").glob("*.json"), key=lambda one: (one.stat().st_mtime_ns, one.name)):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                kept = json.loads(path.read_text(encoding="utf-8"))
                found.setdefault(kept["name"], kept["digest"])
        return found

    def _area_path(self, digest: str) -> Path:
        return self.folder / "areas" / f"{digest[:32]}.wkb"

    def _path(self, key: EntryKey, *, failed: bool) -> Path:
        name = f"{self.identity}-{key.file_name}{_FAILED_ENDING if failed else _ENDING}"
        return self.folder / "results" / key.name_part[:2] / name

    def _index(self) -> dict[str, list[Entry]]:
        if self._by_name is None:
            self._by_name = {}
            for path in sorted((self.folder / "results").glob(f"??/*{_ENDING}")):
                if (entry := _entry(path)) is not None:
                    self._by_name.setdefault(entry.name_part, []).append(entry)
            for found in self._by_name.values():
                found.sort(key=lambda one: one.failed)
        return self._by_name


def settings_identity(settings: dict[str, Any], checkpoint: dict[str, Any]) -> str:
    """A digest of all that answers depend on, but the video and the area."""
    weights = {name: checkpoint.get(name) for name in ("sha256", "calibration_sha256")}
    return hashlib.sha256(json.dumps([scrub(settings), weights], sort_keys=True, default=str).encode()).hexdigest()[:IDENTITY]


def check_same(stores: Sequence[ResultStore]) -> None:
    """Raise InputError where stores are of other settings than each other, or hold files of several."""
    by_identity: dict[str, str] = {}
    for store in stores:
        by_identity.setdefault(store.identity, store.folder.name)
        for one in store.entries():
            by_identity.setdefault(one.identity, f"{one.path.name} in {store.folder.name}")
    if len(by_identity) > 1:
        first, second, *_ = by_identity.values()
        raise InputError(f"{first} and {second} are of different settings or checkpoints: merge those of one run only.")


def _entry(path: Path) -> Entry | None:
    """By a file's name; None for a file of any other."""
    failed = path.name.endswith(_FAILED_ENDING)
    parts = path.name.removesuffix(_FAILED_ENDING if failed else _ENDING).split("-")
    if len(parts) != len(Entry._fields) - 2:
        return None
    identity, name_part, digest_part, own_part = parts
    return Entry(path, identity, name_part, digest_part, own_part, failed)


def _head_of(provenance: Provenance, grid_digest: str | None, output: Path | None) -> dict[str, Any]:
    settings, checkpoint = scrub(provenance.settings), scrub(provenance.checkpoint)
    return {
        "format": FORMAT,
        "version": VERSION,
        "schema": str(SCHEMA),
        "identity": settings_identity(settings, checkpoint),
        "grid": grid_digest,
        "output": output.name if output else None,
        "settings": settings,
        "checkpoint": checkpoint,
    }


def _read_head(folder: Path) -> dict[str, Any] | None:
    """What a store says of itself; None where the folder is no store. Raises InputError for one of a later version."""
    try:
        head = json.loads((folder / _HEAD).read_text(encoding="utf-8"))
        if head["format"] != FORMAT or not {"identity", "grid", "settings", "checkpoint"} <= set(head):
            return None
        version = int(head["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if version > VERSION:
        raise InputError(f"{folder.name} was written by a newer VidTAG: update VidTAG to go on with it.")
    return head


def _foreign(path: Path) -> bool:
    """Whether a file is none that a process may leave that was killed while it made a store."""
    return path.name != _LOCK and not path.name.startswith(".vidtag-")


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether results of both may be in one store: where every video had an area of its own there is no grid that another could differ from."""
    return one["identity"] == other["identity"] and (one["grid"] == other["grid"] or None in {one["grid"], other["grid"]})


def _remove_entries(folder: Path) -> None:
    for path in (folder / "results").glob(f"??/*{_ENDING}"):
        if _entry(path) is not None:
            path.unlink(missing_ok=True)
    for path in (folder / "inventory").glob("*.json"):
        path.unlink(missing_ok=True)
