"""KML and KMZ tracks: ``gx:Track`` (and KML 2.3's own ``Track``), else points with a time stamp."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET  # documents with a DTD are refused below  # nosec B405

import numpy as np

from ..types import InputError, Track
from .moments import moment_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MAX_BYTES = 512 * 2**20
_Fix = tuple[str, str]  # when, and "lon lat" as written


def read(path: Path) -> Track:
    """Every position with a time as Unix time; a time without a zone is taken as UTC.

    Raises:
        InputError: no KML, or none with positions that have times.
    """
    root = _root(path)
    found = [fix for track in root.iter() if _name(track) == "Track" for fix in _of_track(track)]
    found = found or [fix for mark in root.iter() if _name(mark) == "Placemark" for fix in _of_placemark(mark)]
    rows = []
    for when, where in found:
        moment, position = moment_of(when), _numbers(where)
        if moment is not None and position is not None:
            rows.append((moment.timestamp(), *position))
    if not rows:
        raise InputError(f"{path} holds no position with a time (a gx:Track, or points with a TimeStamp); export the track with times.")
    table = np.array(rows, dtype=np.float64)
    table = table[np.argsort(table[:, 0], kind="stable")]
    missing = len(found) - len(rows)
    note = (
        f"{missing} of {len(found)} positions of {path.name} have no time or no place that can be read and were left out."
        if missing
        else ""
    )
    return Track(table[:, 0], table[:, 1], table[:, 2], absolute=True, source="KML", note=note)


def _root(path: Path) -> ET.Element:
    if path.stat().st_size > _MAX_BYTES:
        raise InputError(f"{path} is larger than 512 MB, too large for a track; give a smaller one.")
    data = path.read_bytes()
    try:
        if data.startswith(b"PK"):
            data = _unzipped(data)
        with_entities = b"<!DOCTYPE" in data or b"<!ENTITY" in data
        root = None if with_entities else ET.fromstring(data)  # noqa: S314  # nosec B314 - without a DTD there is nothing to expand
    except (ET.ParseError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, ValueError, LookupError) as error:
        raise InputError(f"{path} is not a KML file that can be read; export the track again.") from error
    if root is None:
        raise InputError(f"{path} declares entities of its own, which no KML track needs; export the track again.")
    if _name(root) != "kml":
        raise InputError(f"{path} is not a KML file (it begins with {_name(root)!r}); export the track again.")
    return root


def _unzipped(data: bytes) -> bytes:
    """The first KML in a KMZ; nothing where there is none of a sensible size."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        inside = next((entry for entry in archive.infolist() if entry.filename.lower().endswith(".kml")), None)
        return b"" if inside is None or inside.file_size > _MAX_BYTES else archive.read(inside)


def _name(element: ET.Element) -> str:
    """Without its name space: KML 2.2 has its tracks in Google's own."""
    return str(element.tag).rsplit("}", 1)[-1]


def _of_track(track: ET.Element) -> Iterator[_Fix]:
    """The n-th when belongs to the n-th coord."""
    whens = [(child.text or "") for child in track if _name(child) == "when"]
    coords = [(child.text or "") for child in track if _name(child) == "coord"]
    for number in range(max(len(whens), len(coords))):
        yield (whens[number] if number < len(whens) else "", coords[number] if number < len(coords) else "")


def _of_placemark(mark: ET.Element) -> Iterator[_Fix]:
    when = next((child.text or "" for child in mark.iter() if _name(child) in {"when", "begin"}), "")
    point = next((child for child in mark.iter() if _name(child) == "Point"), None)
    if point is not None and when:
        yield when, next((child.text or "" for child in point if _name(child) == "coordinates"), "").replace(",", " ")


def _numbers(where: str) -> tuple[float, float] | None:
    """Latitude and longitude of "lon lat altitude"."""
    parts = where.split()
    try:
        return float(parts[1]), float(parts[0])
    except (IndexError, ValueError):
        return None
