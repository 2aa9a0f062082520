"""Where a database's finished parts wait while it is built: a folder in it, of which nothing but these is ever removed."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from ..types import InputError

WHITENING, SEGMENTS = "whitening.safetensors", "segments"
WORK = "building"
"""Folder in a database where finished parts of a build wait for the rest."""
_PART = re.compile(r"[0-9a-f]{24}(\.safetensors|\.npy|\.lock)")  # as the store of features names them


def check_free(folder: Path) -> None:
    """Raise InputError where a new database cannot lie in a folder, because something else does."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: give a new folder.")
    there = {one.name for one in folder.glob("*") if not one.name.startswith(".")} - {WORK}
    # A process that ended while it made an empty database leaves these two, the second one last.
    begun = there <= {SEGMENTS, WHITENING} and SEGMENTS in there and not any((folder / SEGMENTS).iterdir())
    if there and not begun:
        raise InputError(f"{folder} is there already and is no database of reference images: give a new folder.")
    if any(not _PART.fullmatch(one.name) and not one.name.startswith(".") for one in (folder / WORK).glob("*")):
        raise InputError(f"{folder / WORK} holds what this tool did not put there: give a new folder.")


def clear_work(folder: Path) -> None:
    """Remove what waited for the rest of a build, and nothing else."""
    for one in (folder / WORK).glob("*"):
        if _PART.fullmatch(one.name):
            with contextlib.suppress(OSError):  # on Windows another program may read it; the next build removes it
                one.unlink()
    with contextlib.suppress(OSError):  # it is not there, or not empty
        (folder / WORK).rmdir()
