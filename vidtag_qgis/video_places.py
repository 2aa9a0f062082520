"""Where videos lie on this computer. Results do not say it (they hold no paths): it is looked for, and what was told is remembered."""

from __future__ import annotations

import os
from typing import Iterable, Iterator

from qgis.core import QgsSettings

FOLDERS = "vidtag/video_folders"
MOST_FOLDERS = 20
MOST_LOOKED_AT = 2000
"""Folders below a remembered one that are looked into, so that a whole disk is not."""


def remembered() -> list[str]:
    """Folders that videos were located from or found in, the latest first."""
    stored = QgsSettings().value(FOLDERS, []) or []
    return [str(folder) for folder in ([stored] if isinstance(stored, str) else stored)]


def remember(places: Iterable[str]) -> None:
    """Remember the folders of videos (or of folders of images), or folders that hold videos; those that are not there are passed over."""
    new = []
    for place in places:
        folder = os.path.abspath(place)
        if os.path.isfile(folder):
            folder = os.path.dirname(folder)
        if os.path.isdir(folder) and folder not in new:
            new.append(folder)
    if new:
        QgsSettings().setValue(FOLDERS, (new + [folder for folder in remembered() if folder not in new])[:MOST_FOLDERS])


def candidates(file: str, folders: Iterable[str]) -> list[str]:
    """Paths where a video of this name is, the likeliest first. Reads folders, so it may take a while on a network's disk.

    Args:
        file: its name without a folder.
        folders: where to look: in each of them, then below them. One that has the name itself (a folder of images) counts.
    """
    found: dict[str, None] = {}
    folders = list(dict.fromkeys(folder for folder in folders if folder and os.path.isdir(folder)))
    for folder in folders:
        for path in (os.path.join(folder, file), folder if os.path.basename(folder) == file else ""):
            if path and os.path.exists(path):
                found[path] = None
    if not found:
        for folder in folders:
            found.update(dict.fromkeys(_below(folder, file)))
    return list(found)


def _below(folder: str, file: str) -> Iterator[str]:
    for number, (place, folders, files) in enumerate(os.walk(folder)):
        if number > MOST_LOOKED_AT:
            return
        if file in files or file in folders:
            yield os.path.join(place, file)
