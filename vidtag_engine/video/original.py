"""Find the very file (or folder of images) that a result was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..types import InputError
from .digest import source_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path


def find_original(name: str, sha256: str | None, places: Sequence[Path], beside: Iterable[Path] = (), *, images: bool = False) -> Path:
    """The first candidate that has the digest: what was given, then what lies in the given folders, then what lies beside.

    A file that was given may have another name by now. In a folder that was given, also in its subfolders, files of the video's name come
    first, then those of its suffix: a renamed video is found, too. Folders beside are looked into only for the name itself.

    Args:
        name: of the file or folder when the result was made.
        sha256: its digest; None takes the first candidate as it is.
        places: files and folders that the user gave; those that are not there are passed over.
        beside: folders to look into without being told, such as the result's own.
        images: a folder of images is looked for.

    Raises:
        InputError: there is no candidate, or none is the original.
    """
    tried: list[Path] = []
    for path in _candidates(name, places, beside, images=images):
        if path in tried:
            continue
        tried.append(path)
        if not sha256 or source_digest(path) == sha256:
            return path
    if not tried:
        raise InputError(f"The video {name} was not found: give it, or a folder that holds it.")
    named = next((path for path in tried if path.name == name), tried[0])
    raise InputError(f"{named} is not the file that the result was made from (its SHA-256 differs): give the original.")


def _candidates(name: str, places: Sequence[Path], beside: Iterable[Path], *, images: bool) -> Iterator[Path]:
    folders = []
    for place in places:
        if place.is_dir() and not (images and place.name == name):
            folders.append(place)
        if place.exists() and place.is_dir() == images:
            yield place
    suffix = name[name.rfind(".") :].casefold() if "." in name and not images else None
    inside = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_dir() == images]
    yield from (path for path in inside if path.name == name)
    yield from (path for folder in beside if (path := folder / name).exists() and path.is_dir() == images)
    yield from (path for path in inside if suffix is not None and path.name != name and path.suffix.casefold() == suffix)
