"""The environments that the plugin has made, as they lie in VidTAG's cache folder: find, move and remove them. Standard library only."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from dataclasses import dataclass
from typing import Any, Callable, Iterator, Mapping

from . import platforms
from .environment_plan import source_digest
from .errors import EnvironmentSetupError
from .interpreter import READY

STATE, LOG, LOCK = "setup.json", "setup.log", "setup.lock"
MADE_BY = "vidtag_qgis"
_GOING = ".removing-"

OnProgress = Callable[[float, str, str], None]


def ignore(*_: Any) -> None:
    """A callback that nobody listens to."""


@dataclass(frozen=True)
class ManagedEnvironment:
    """An environment that the plugin made, whole or not.

    Args:
        folder: where it is.
        ready: whether it is whole.
        flavour: "cpu" or "cuda".
        engine: version of the engine in it.
        current: whether it holds the very engine that the plugin carries.
    """

    folder: str
    ready: bool
    flavour: str
    engine: str
    current: bool

    @property
    def python(self) -> str:
        """Its interpreter."""
        return platforms.venv_python(self.folder)

    @property
    def log(self) -> str:
        """The log of its making."""
        return os.path.join(self.folder, LOG)


def find_environments(cache: str, source: str) -> list[ManagedEnvironment]:
    """The environments that the plugin has made in a cache folder, whole ones first.

    Args:
        cache: VidTAG's cache folder.
        source: the engine's source that the plugin carries, to compare with.
    """
    names = sorted(os.listdir(cache)) if os.path.isdir(cache) else []
    folders = [os.path.join(cache, name) for name in names if name.startswith("engine-") and _GOING not in name]
    found = [describe(folder, source) for folder in folders if read_state(folder)]
    return sorted(found, key=lambda one: not one.ready)


def remove(folder: str) -> None:
    """Remove an environment that the plugin made.

    Raises:
        EnvironmentSetupError: it was not made by the plugin, or a file of it is in use.
    """
    if not read_state(folder):
        raise EnvironmentSetupError(f"{folder} was not made by VidTAG: it is left alone.")
    with contextlib.suppress(FileNotFoundError):
        os.remove(os.path.join(folder, READY))  # first of all: half of it is never taken for the whole
    going = f"{folder}{_GOING}{os.getpid()}"
    try:
        os.rename(folder, going)
        shutil.rmtree(going)
        sweep(os.path.dirname(folder))
    except OSError as error:
        raise EnvironmentSetupError(
            f"{error.filename or folder} cannot be removed ({error.strerror or error}): end what uses it, then remove it again."
        ) from error


def left_over(cache: str) -> list[str]:
    """Folders in a cache folder that a removal has left behind: it takes minutes on a slow disk, and QGIS may be closed meanwhile."""
    names = sorted(os.listdir(cache)) if os.path.isdir(cache) else []
    return [os.path.join(cache, name) for name in names if name.startswith("engine-") and _GOING in name]


def sweep(cache: str) -> None:
    """Remove what is left over; what is in use stays for the next time."""
    for folder in left_over(cache):
        shutil.rmtree(folder, ignore_errors=True)


def move_cache(old: str, new: str, on_progress: OnProgress = ignore) -> list[str]:
    """Move the plugin's environments and the engine's caches to another folder. What lies on another disk is copied, then removed here.

    Returns:
        The names that were moved.

    Raises:
        EnvironmentSetupError: no room, no right to write, or something of that name is there; what was moved by then is in its new place.
    """
    old, new = os.path.abspath(old), os.path.abspath(new)
    if os.path.normcase(new + os.sep).startswith(os.path.normcase(old + os.sep)):
        raise EnvironmentSetupError("The new cache folder lies in the old one: choose a folder beside it.")
    names = [name for name in (sorted(os.listdir(old)) if os.path.isdir(old) else []) if _moves(old, name)]
    make_folder(new)
    taken = [name for name in names if os.path.exists(os.path.join(new, name))]
    if taken:
        raise EnvironmentSetupError(f"{new} has {', '.join(taken)} already: remove it there or choose another folder.")
    if names and os.stat(old).st_dev != os.stat(new).st_dev:
        check_room(new, sum(_size_mb(os.path.join(old, name)) for name in names))
    for index, name in enumerate(names):
        on_progress(index / len(names), "move", f"Moving {name}")
        _move_whole(os.path.join(old, name), os.path.join(new, name))
    return names


def describe(folder: str, source: str) -> ManagedEnvironment:
    """What a folder holds, compared with the engine's source that the plugin carries."""
    state = read_state(folder)
    ready = os.path.isfile(os.path.join(folder, READY)) and os.path.exists(platforms.venv_python(folder))
    current = state.get("digest") == source_digest(source)
    return ManagedEnvironment(folder, ready, str(state.get("flavour", "")), str(state.get("engine", "")), current)


def read_state(folder: str) -> dict[str, Any]:
    """What an earlier try has left; empty where there was none, or where it cannot be read."""
    try:
        with open(os.path.join(folder, STATE), encoding="utf-8") as file:
            state = json.load(file)
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) and state.get("made_by") == MADE_BY and isinstance(state.get("done"), list) else {}


def write_state(folder: str, state: Mapping[str, Any]) -> None:
    """Remember what is done."""
    write_whole(os.path.join(folder, STATE), json.dumps(state, ensure_ascii=False, indent=1))


def write_whole(path: str, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    with open(path + ".part", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".part", path)


def clear(folder: str) -> None:
    """Empty an environment's folder but for the log and the lock."""
    with contextlib.suppress(FileNotFoundError):
        os.remove(os.path.join(folder, READY))
    for entry in os.scandir(folder):
        if entry.name in {LOG, LOCK}:
            continue
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.remove(entry.path)


def installed_packages(folder: str) -> int:
    """How many packages an environment has."""
    places = [os.path.join(folder, "Lib", "site-packages")] if sys.platform == "win32" else []
    library = os.path.join(folder, "lib")
    if not places and os.path.isdir(library):
        places = [os.path.join(library, name, "site-packages") for name in os.listdir(library)]
    return sum(name.endswith(".dist-info") for place in places if os.path.isdir(place) for name in os.listdir(place))


def make_folder(folder: str) -> None:
    """Make a folder; raises EnvironmentSetupError where it cannot be made or written to."""
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise EnvironmentSetupError(f"{folder} cannot be made ({error.strerror or error}): choose another cache folder.") from error
    if not os.access(folder, os.W_OK):
        raise EnvironmentSetupError(f"{folder} cannot be written to: choose another cache folder.")


def check_room(folder: str, needed_mb: float, *, with_what_is_there: bool = False) -> None:
    """Raise EnvironmentSetupError where the disk of a folder has less room than that; what lies in the folder may count, for an update."""
    free_mb = shutil.disk_usage(folder).free / 1e6
    if free_mb < needed_mb and with_what_is_there:  # only then: it takes a while to look at so many files
        needed_mb -= _size_mb(folder)
    if free_mb < needed_mb:
        raise EnvironmentSetupError(
            f"There is no room: {needed_mb / 1e3:.1f} GB are needed on the disk of {folder}, and {free_mb / 1e3:.1f} GB are free. Free some space, or "
            "move the cache folder to another disk."
        )


def _size_mb(folder: str) -> float:
    total = 0
    for place, _, files in os.walk(folder):
        total += sum(os.lstat(os.path.join(place, name)).st_size for name in files)
    return total / 1e6


def _moves(old: str, name: str) -> bool:
    """Environments of the plugin's and the engine's caches; other things in the folder are not ours to move."""
    return name in {"galleries", "networks"} or bool(read_state(os.path.join(old, name)))


def _move_whole(old: str, new: str) -> None:
    try:
        try:
            os.rename(old, new)
        except OSError:  # another disk
            shutil.copytree(old, new + ".part", symlinks=True)
            os.rename(new + ".part", new)
            shutil.rmtree(old)
    except (OSError, shutil.Error) as error:
        raise EnvironmentSetupError(f"{old} cannot be moved to {new}: {error}") from error


@contextlib.contextmanager
def only_one(folder: str) -> Iterator[None]:
    """Hold the environment's lock; the system lets go of it when the file is closed or the process ends, however it ends."""
    with open(os.path.join(folder, LOCK), "a+b") as handle:
        try:
            _lock(handle.fileno())
        except OSError as error:
            raise EnvironmentSetupError("The environment is being made already, maybe by another QGIS: wait until it is done.") from error
        yield


def _lock(number: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
