"""The checkpoints that a user keeps: folders that are looked through for what they know, so that one can be picked by where a video may be of.

They lie in the folders that ``VIDTAG_CHECKPOINTS`` names (separated as in ``PATH``), else in ``vidtag/checkpoints`` of the user's data folder, a checkpoint a
folder. Cards alone are read.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import shapely

from .models.checkpoint import CONFIG_FILE, WEIGHTS_FILE
from .models.city_checkpoint import PRESET as CITIES

VARIABLE = "VIDTAG_CHECKPOINTS"
_MOST_BYTES = 16 << 20


@dataclass(frozen=True)
class Registered:
    """A checkpoint in one of the folders.

    Args:
        path: of its folder.
        name: as its card has it.
        preset: "vidtag-compact", "vidtag-dino-s", "vidtag-dino-b", "vidtag-l14" or "cityguessr".
        extent: (minx, miny, maxx, maxy) in degrees that it was trained on; None where it does not say.
    """

    path: Path
    name: str
    preset: str
    extent: tuple[float, float, float, float] | None

    def share_of(self, places: Sequence[tuple[shapely.Geometry, float]]) -> float:
        """Probability of places (outline, probability) whose middle lies in its extent."""
        if self.extent is None:
            return 0.0
        box = shapely.box(*self.extent)
        return sum(probability for outline, probability in places if box.contains(outline.representative_point()))


def folders() -> list[Path]:
    """Where checkpoints are looked for."""
    if chosen := os.environ.get(VARIABLE):
        return [Path(one).expanduser() for one in chosen.split(os.pathsep) if one]
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return [base / "vidtag" / "checkpoints"]


def registered(where: Sequence[Path] | None = None) -> list[Registered]:
    """Every checkpoint in some folders, or that is one of them, by name; what is none is passed over."""
    found = []
    for folder in folders() if where is None else where:
        candidates = [folder, *sorted(child for child in folder.iterdir() if child.is_dir())] if folder.is_dir() else []
        found += [one for candidate in candidates if (one := _read(candidate)) is not None]
    return found


def cities_among(known: Sequence[Registered]) -> list[Registered]:
    """Those that tell cities."""
    return [one for one in known if one.preset == CITIES]


def best_for(known: Sequence[Registered], places: Sequence[tuple[shapely.Geometry, float]]) -> Registered | None:
    """The checkpoint that knows the most of some places (outline, probability), the narrower one of equals; None where none knows any."""
    streets = [one for one in known if one.preset != CITIES and one.share_of(places) > 0.0]
    return max(streets, key=lambda one: (round(one.share_of(places), 6), -_area(one))) if streets else None


def _area(one: Registered) -> float:
    return float(shapely.box(*one.extent).area) if one.extent else 0.0


def _read(folder: Path) -> Registered | None:
    card = folder / CONFIG_FILE
    try:
        if not (folder / WEIGHTS_FILE).is_file() or card.stat().st_size > _MOST_BYTES:
            return None
        plain = json.loads(card.read_text(encoding="utf-8"))
        extent = plain["training_extent"]
        west, south, east, north = (float(side) for side in extent) if extent is not None else (0.0,) * 4
        return Registered(folder, str(plain["name"]), str(plain["preset"]), None if extent is None else (west, south, east, north))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
