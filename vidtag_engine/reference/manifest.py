"""What a database of reference images says of itself: ``database.json``, by which everything that it holds belongs to it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..file_marks import mark_of
from ..local_features import KINDS
from ..types import InputError

FORMAT_VERSION = 1
WITH_LOCAL_FEATURES = 2
"""The format's version of databases whose confidence may be fitted on a look at details, which older versions do not have."""
MANIFEST = "database.json"
_MOST_MANIFEST_BYTES = 64 << 20


@dataclass(frozen=True)
class Segment:
    """One addition.

    Args:
        name: of its folder.
        rows: N.
        removed: name of the mask of rows that are no longer there; empty: none.
        licences: of its images.
    """

    name: str
    rows: int
    removed: str = ""
    licences: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """What ``database.json`` says.

    Args:
        name: for people.
        frame_encoder: preset of the encoder whose features it is made from.
        feature_dim, width, layout_dim: of :class:`.descriptor.Descriptor`.
        scale: of the codes.
        resolution_m: of the grid that videos are sought on by default, and over which images are thought of as of one place.
        private: whether it holds what its owner has not shared.
        segments: in the order in which they were added.
        sequences, drives: how many there have been; the next one's number.
        area: WKT of what was asked for, longitude before latitude; empty where nobody named an area.
        calibration: how it is read and how sure to be; empty: not rated.
        created_utc, changed_utc: ISO 8601.
        revision: counts changes.
        local_features: kind of what is kept of all pictures' details, of :data:`.local_features.KINDS`; empty: nothing is.
    """

    name: str
    frame_encoder: str
    feature_dim: int
    width: int
    layout_dim: int
    scale: float
    resolution_m: float
    private: bool = True
    segments: tuple[Segment, ...] = ()
    sequences: int = 0
    drives: int = 0
    area: str = ""
    calibration: dict[str, Any] = field(default_factory=dict)
    created_utc: str = ""
    changed_utc: str = ""
    revision: int = 0
    local_features: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values; of a database without local features those that it always had."""
        values = asdict(self)
        if not self.local_features:
            del values["local_features"]
        return values

    def to_json(self) -> str:
        """With this tool's mark and the format's version."""
        version = WITH_LOCAL_FEATURES if self.local_features else FORMAT_VERSION
        return json.dumps({"generator": mark_of("references"), "format_version": version, **self.to_dict()}, indent=1, allow_nan=False)


def read_manifest(path: Path) -> Manifest:
    """Raises InputError where it cannot be used."""
    again = "copy the database again, or build it again"
    try:
        if path.stat().st_size > _MOST_MANIFEST_BYTES:
            raise InputError(f"{path} is too large to be a database's description: {again}.")
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{path} cannot be read: {again}.") from error
    version = values.get("format_version") if isinstance(values, dict) else None
    if version not in (FORMAT_VERSION, WITH_LOCAL_FEATURES):
        hint = "update this program" if isinstance(version, int) and version > WITH_LOCAL_FEATURES else again
        raise InputError(f"{path} has format version {version!r}, and {FORMAT_VERSION} and {WITH_LOCAL_FEATURES} are understood: {hint}.")
    try:
        named = {name: values[name] for name in Manifest.__dataclass_fields__ if name != "local_features"}
        segments = tuple(
            Segment(_plain(one["name"]), int(one["rows"]), _plain(one["removed"]), tuple(map(str, one["licences"])))
            for one in named["segments"]
        )
        numbers = {name: int(named[name]) for name in ("feature_dim", "width", "layout_dim", "sequences", "drives", "revision")}
        sizes = {name: float(named[name]) for name in ("scale", "resolution_m")}
        local = str(values["local_features"]) if version == WITH_LOCAL_FEATURES else ""
        found = Manifest(**{**named, **numbers, **sizes, "segments": segments, "private": bool(named["private"]), "local_features": local})
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} lacks or contradicts what a database says of itself ({error}): {again}.") from error
    if (
        not min(found.feature_dim, found.width, found.scale, found.resolution_m) > 0
        or found.layout_dim < 0
        or not isinstance(found.calibration, dict)
    ):
        raise InputError(f"{path} lacks or contradicts what a database says of itself: {again}.")
    if found.local_features and found.local_features not in KINDS:
        raise InputError(f"{path} names local features of the kind {found.local_features!r}, which is not known: update this program.")
    return found


def _plain(name: Any) -> str:
    """A file's name, which leads nowhere else. Raises ValueError."""
    if not isinstance(name, str) or Path(name).name != name:
        raise ValueError(f"{name!r} is no file's name")
    return name
