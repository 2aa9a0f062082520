"""What made a result, as JSON that holds no user name and no absolute path."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any

from ..geopackage_metadata import Schema, schema_of, schema_record
from ..types import Provenance, VideoResult
from .columns import clean

_PATH = re.compile(r"""(?<![\w./\\])(?:~|[A-Za-z]:)?(?:[/\\][^\s/\\'"(),;:]+)*[/\\]([^\s/\\'"(),;:]+)""")


def scrub(value: Any) -> Any:
    """Return JSON values with every absolute path, home path or file URL cut to its last part."""
    if isinstance(value, PurePath):
        value = str(value)
    if isinstance(value, str):
        text = clean(re.sub(r"^file:/*(?=/|[A-Za-z]:)", "", value))
        windows = PureWindowsPath(text)
        if windows.is_absolute() or windows.drive:
            return windows.name
        if text.startswith(("/", "~")):
            return PurePosixPath(text).name
        return text
    if isinstance(value, Mapping):
        return {str(scrub(key)): scrub(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [scrub(item) for item in value]
    return value


def scrub_sentence(text: str, path: Path) -> str:
    """A sentence about a file without the folders that lead to it, or to anything else: each path is cut to its last part.

    Args:
        text: the sentence.
        path: of the file that it is about, which may hold spaces.
    """
    for known in sorted({str(path), str(path.absolute()), str(path.resolve())}, key=len, reverse=True):
        text = text.replace(known, path.name)
    return clean(_PATH.sub(r"\1", text.replace(str(Path.home()) + os.sep, "")))


def to_json(provenance: Provenance, results: Sequence[VideoResult] | None = None) -> str:
    """The provenance as one JSON object.

    Args:
        provenance: what made the results.
        results: whose digests are listed as ``inputs``; None where they are told elsewhere, as in the GeoPackage's layer ``videos``.
    """
    inputs = [
        {"video": clean(r.info.name), "file": clean(r.info.path.name), "sha256": r.sha256} | ({"pinned": True} if r.pinned else {})
        for r in results or ()
    ]
    return json.dumps(
        {
            "schema": "vidtag",
            **schema_record(),
            "created_utc": _utc(provenance.created_utc).isoformat(),
            **({} if results is None else {"inputs": inputs}),
            "settings": scrub(provenance.settings),
            "checkpoint": scrub(provenance.checkpoint),
            "gallery": scrub(provenance.gallery),
            "versions": scrub(provenance.versions),
            "seed": provenance.seed,
        },
        ensure_ascii=False,
        indent=1,
        default=str,
    )


def from_json(text: str) -> tuple[Provenance, Schema]:
    """Provenance and schema of what ``to_json`` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    data = json.loads(text)
    if data["schema"] != "vidtag":
        raise ValueError("another program's provenance")
    made = Provenance(
        settings=dict(data["settings"]),
        checkpoint=dict(data["checkpoint"]),
        gallery=dict(data["gallery"]),
        versions=dict(data["versions"]),
        seed=int(data["seed"]),
        created_utc=datetime.fromisoformat(data["created_utc"]),
    )
    return made, schema_of(data)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
