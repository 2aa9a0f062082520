"""Whose a file is, and whether an output may take its place.

Every file that this tool writes bears a mark that says which kind of file of this tool it is. A file without one is somebody else's: so is a copy that an
older version wrote, or that another program has saved again, because a person may have changed it there.

Standard library only, and clean for Python 3.9: the plugin carries a copy of this file, byte for byte. At most 1 MiB of a file is read.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import stat
import struct
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Optional, Union

from .geopackage_metadata import PROVENANCE_URI, add_metadata

GENERATOR = "VidTAG"
KIND_URI = "urn:vidtag:kind"
"""``md_standard_uri`` of the row of ``gpkg_metadata`` that marks a GeoPackage which has no provenance."""

KINDS = {
    "result": "result",
    "review": "file of pins",
    "gallery": "grid of candidate places",
    "errors": "error layer",
    "places": "layer of guessed places",
    "layer": "layer copied from a result",
    "posterior": "posterior of a frame",
    "heatmap": "heat map",
    "heatmap-picture": "picture of a heat map",
    "kml": "KML copy",
    "gpx": "GPX copy",
    "csv": "CSV copy",
    "geojson": "GeoJSON copy",
    "map": "map picture",
    "picture": "picture of a frame",
    "frame": "exported frame",
    "thumbnails": "file of frames' small pictures",
    "html": "HTML report",
    "page": "page with the map",
    "pdf": "PDF to hand over",
    "markdown": "Markdown report",
    "evaluation": "evaluation (JSON)",
    "reliability": "picture of reliability diagrams",
    "scores": "file of scores",
    "card": "checkpoint's config.json",
    "weights": "checkpoint's weights",
    "log": "training log",
    "curve": "training curve",
    "checkpoint": "checkpoint folder",
    "references": "database of reference images",
    "images": "layer of reference images",
}
"""Every kind of file, with what people call it."""

_GEOPACKAGES = {
    "result": {"trajectory", "frames", "videos", "regions", "pins", "review", "aoi", "frames_pinned", "trajectory_pinned", "regions_pinned",
               "trajectory_matched", "matches", "candidates"},
    "review": {"pins", "review", "landmarks"},
    "gallery": {"gallery"},
    "errors": {"errors"},
    "places": {"places"},
    "images": {"images", "gaps"},
    "thumbnails": {"pictures"},
    "posterior": {"posterior"},
}  # fmt: skip
"""The layers that each kind of GeoPackage may hold; any other is a person's."""
_ADMINISTRATION = ("gpkg_", "rtree_", "sqlite_", "layer_styles")
_CHECKPOINT_FILES = {"config.json": "card", "model.safetensors": "weights", "log.json": "log", "curve.png": "curve"}
_SQLITE = b"SQLite format 3\0"
_HEAD_BYTES, _JSON_BYTES, _SQLITE_STEPS, _MOST_NAMES = 65_536, 1_048_576, 2_000_000, 20_000
_MARK = re.compile(rf"{GENERATOR} ([a-z]+(?:-[a-z]+)?)\b")
_CSV_START, _CSV_COLUMN = "video,frame_index,", "generator"


def mark_of(kind: str) -> str:
    """The words that mark a file of a kind, such as "VidTAG map"."""
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of file")
    return f"{GENERATOR} {kind}"


def mark_geopackage(database: sqlite3.Connection, kind: str) -> None:
    """Mark a GeoPackage that is being written."""
    add_metadata(database, KIND_URI, "text/plain", mark_of(kind))


def own_kind(path: Union[Path, str]) -> Optional[str]:
    """Which kind of this tool's files lies at a path; None for none, a foreign or an unreadable one."""
    return _look(Path(path))[1]


def foreign_layers(path: Union[Path, str]) -> list[str]:
    """Layers and tables in a GeoPackage of this tool that a person has put there."""
    kind = own_kind(path)
    if kind not in _GEOPACKAGES:
        return []
    found = _tables(Path(path))
    return sorted(name for name in found if name not in _GEOPACKAGES[kind] and not name.startswith(_ADMINISTRATION))


def place_refusal(path: Union[Path, str]) -> Optional[str]:
    """Why no file can be written at a path, whatever lies there: it is a folder, or its folder is missing or closed. None where it can."""
    path = Path(path)
    folder = Path(os.path.realpath(path)).parent
    if path.is_dir():
        return f"The output {path.name} is a folder: give the path of a file."
    if not folder.is_dir():
        return f"The folder {folder.name} of the output {path.name} does not exist: make it first, or choose another."
    if not os.access(folder, os.W_OK):
        return f"The folder {folder.name} of the output {path.name} cannot be written to: choose another."
    if path.exists() and not path.is_file():
        return f"The output {path.name} is a device or pipe, no file: give the path of a file."
    if path.exists() and not os.access(path, os.W_OK):
        return f"The output {path.name} exists and is write-protected: choose another output, or allow writing to it."
    return None


def refusal(
    path: Union[Path, str], kind: str, *, inputs: Iterable[Union[Path, str]] = (), overwrite: bool = False, replace: str = "add --overwrite"
) -> Optional[str]:
    """Why an output must not be written, as one sentence for people; None where it may be.

    Args:
        path: of the output.
        kind: one of ``KINDS``.
        inputs: what the same call reads: these are never written over. What is no path of a file that exists does not matter, nor does
            what follows a bar (as in QGIS's ``x.gpkg|layername=y``). Of a folder it is the files directly in it, but for this tool's own of the same kind.
        overwrite: the user has said that whatever lies there may be replaced.
        replace: how the user says so.
    """
    path = Path(path)
    if kind == "checkpoint":
        return _folder_refusal(path, inputs, overwrite, replace)
    if (why := place_refusal(path)) is not None:
        return why
    form, own = _look(path)
    if any(_is_input(path, kind if own == kind else None, Path(str(one).partition("|")[0])) for one in inputs):
        return f"The output {path.name} is also an input of this call, and would be lost: choose another output."
    if overwrite or not os.path.lexists(path):
        return None
    return _why_kept(path, kind, form, own, replace)


def first_refusal(
    outputs: Sequence[tuple[Union[Path, str], str]],
    *,
    inputs: Iterable[Union[Path, str]] = (),
    overwrite: bool = False,
    replace: str = "add --overwrite",
) -> Optional[str]:
    """The first sentence of :func:`refusal` for any of several outputs of one call (path and kind), none of which may be another."""
    inputs = list(inputs)
    before: list[Union[Path, str]] = []
    for path, kind in outputs:
        if any(_is_input(Path(path), kind, Path(other)) for other in before):
            return f"The output {Path(path).name} is given for two outputs of this call: choose another for one of them."
        if (why := refusal(path, kind, inputs=inputs, overwrite=overwrite, replace=replace)) is not None:
            return why
        before.append(path)
    return None


def _why_kept(path: Path, kind: str, form: str, own: Optional[str], replace: str) -> Optional[str]:
    """Why what lies at a path is not replaced without being asked."""
    end = f"choose another output, or {replace} to replace it."
    if own is None:
        if form and form in _FORMATS[kind].split():
            return (
                f"{path.name} exists and bears no mark of this tool: it is somebody else's, or a copy that an older version wrote or another program"
                f" changed; {end}"
            )
        return f"{path.name} exists and is no {KINDS[kind]} of this tool: {end}"
    if own != kind:
        return f"{path.name} exists and is another file of this tool ({KINDS[own]}), which would be lost: {end}"
    if left := foreign_layers(path):
        return f"{path.name} holds what this tool did not put there ({', '.join(left[:3])}), which would be lost: {end}"
    return None


_FORMATS = {
    "result": "gpkg", "review": "gpkg", "gallery": "gpkg", "errors": "gpkg", "places": "gpkg", "layer": "gpkg", "posterior": "gpkg", "heatmap": "tiff",
    "heatmap-picture": "png", "kml": "kml", "gpx": "gpx",
    "csv": "csv", "geojson": "geojson", "frame": "jpeg", "html": "html", "page": "html", "markdown": "text", "evaluation": "json",
    "map": "png jpeg pdf svg", "pdf": "pdf", "picture": "png jpeg", "reliability": "png", "curve": "png", "scores": "safetensors", "card": "json",
    "weights": "safetensors", "log": "json", "references": "json", "images": "gpkg", "thumbnails": "gpkg",
}  # fmt: skip


def _folder_refusal(folder: Path, inputs: Iterable[Union[Path, str]], overwrite: bool, replace: str) -> Optional[str]:
    """A checkpoint's folder may hold other files, which stay; those of its own names must be a checkpoint's."""
    if folder.exists() and not folder.is_dir():
        return f"The output {folder.name} is a file: give a folder for the checkpoint."
    there = Path(os.path.realpath(folder))
    while not there.exists():
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK):
        return f"The output {folder.name} cannot be made, because {there.name or there} cannot be written to: choose another folder."
    inputs = list(inputs)
    for name, kind in _CHECKPOINT_FILES.items():
        if os.path.lexists(folder / name) and (why := refusal(folder / name, kind, inputs=inputs, overwrite=overwrite, replace=replace)):
            return f"The folder {folder.name} cannot take the checkpoint: {why[0].lower() + why[1:] if why.startswith('The ') else why}"
    state = folder / "training"
    if not overwrite and state.is_dir() and any(state.iterdir()) and not _is_state(state):
        return (
            f"The folder {folder.name} cannot take the checkpoint: its subfolder training holds something else than a training's state; "
            f"choose another output, or {replace} to write into it."
        )
    return None


def _is_input(output: Path, own: Optional[str], given: Path) -> bool:
    """Whether an output is a file that is read: the same by whatever name, or one directly in a folder that is read."""
    try:
        if output.exists() and given.exists() and os.path.samefile(output, given):
            return True
        real, other = os.path.realpath(output), os.path.realpath(given)
        if os.path.normcase(real) == os.path.normcase(other):
            return True
        # A frame that was exported into a folder of pictures is read there with them.
        inside = given.is_dir() and os.path.lexists(output) and os.path.samefile(Path(real).parent, given)
    except (OSError, ValueError):  # a text that is no path, such as GeoJSON
        return False
    return inside and (own is None or own == "frame")


def _look(path: Path) -> tuple[str, Optional[str]]:
    """The format of what lies at a path ("" for none that is known), and its kind where it bears a mark."""
    try:
        if path.is_dir():
            return "folder", "checkpoint" if own_kind(path / "config.json") == "card" else None
        if not stat.S_ISREG(path.stat().st_mode):
            return "", None
        head = _SQLITE if _in_use(path) else _beginning(path)
    except (OSError, ValueError):
        return "", None
    for starts, form, kind_of in _BINARY:
        if head.startswith(starts):
            return form, kind_of(path, head)
    if head[8:9] == b"{":
        return "safetensors", "scores" if b'"vidtag_scores"' in head else "weights" if b'"vidtag_card"' in head else None
    return _text_kind(path, head.decode("utf-8", "replace").lstrip("\ufeff \t\r\n"))


def _beginning(path: Path) -> bytes:
    with path.open("rb") as handle:
        return handle.read(_HEAD_BYTES)


def _marked(text: str) -> Optional[str]:
    """The kind that a mark in a text names."""
    return next((kind for kind in _MARK.findall(text) if kind in KINDS), None)


def _text_kind(path: Path, text: str) -> tuple[str, Optional[str]]:
    """Format and kind of a text by its beginning."""
    start = text[:4096].lower()
    if text.startswith("{"):
        return _json_kind(path, text)
    if start.startswith(("<!doctype html", "<html")):
        found = re.search(r'<meta name="generator" content="([^"]*)"', text[:4096])
        return "html", _marked(found[1]) if found else None
    if start.startswith("<"):
        return _xml_kind(text)
    head, row = [*text.splitlines(), "", ""][:2]
    ours = head.startswith(_CSV_START) and head.endswith(f",{_CSV_COLUMN}") and (not row or row.endswith(f",{GENERATOR}"))
    return "csv" if "," in head else "text", "csv" if ours else None


def _xml_kind(text: str) -> tuple[str, Optional[str]]:
    """KML and Markdown say it in a comment before all else, GPX in its root, SVG in its metadata."""
    root = re.search(r"<(?:\w+:)?(gpx|kml|svg)\b([^>]*)>", text)
    if root is None:
        return "text", _marked(text.split("\n", 1)[0])
    if root[1] == "gpx":
        creator = re.search(r"""\bcreator=["']([^"']*)["']""", root[2])
        return "gpx", "gpx" if creator and creator[1] in {GENERATOR, mark_of("gpx")} else None
    return root[1], _marked(text[: root.start()] if root[1] == "kml" else text[:4096])


def _json_kind(path: Path, text: str) -> tuple[str, Optional[str]]:
    """GeoJSON and JSON name their generator first; a checkpoint's card is known by what it holds."""
    form = (
        "geojson" if re.search(r'"type"\s*:\s*"(?:Feature|FeatureCollection|\w*Polygon|\w*Point|\w*LineString)"', text[:4096]) else "json"
    )
    found = re.match(r'\{\s*(?:"type"\s*:\s*"FeatureCollection"\s*,\s*)?"generator"\s*:\s*"([^"]*)"(?:\s*,\s*"bytes"\s*:\s*(\d+))?', text)
    if found is not None:  # GDAL keeps the mark of a GeoJSON that was edited, but hardly its length
        return form, _marked(found[1]) if form == "json" or found[2] == str(path.stat().st_size) else None
    if form == "json" and path.stat().st_size <= _JSON_BYTES:
        try:
            card = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return form, None
        if isinstance(card, dict) and {"format_version", "preset", "training_extent", "sha256"} <= set(card):
            return form, "card"
    return form, None


def _pdf_kind(path: Path, _: bytes) -> Optional[str]:
    """By the document's information, which stands at its end."""
    with path.open("rb") as handle:
        handle.seek(max(0, path.stat().st_size - _HEAD_BYTES))
        return _marked(handle.read(_HEAD_BYTES).decode("latin-1"))


def _jpeg_kind(_: Path, head: bytes) -> Optional[str]:
    """By EXIF's Software, whose text ends with a zero; the first exported frames said no kind."""
    found = re.search(rb"\bVidTAG(?: ([a-z]+))?\0", head)
    return None if found is None else (found[1] or b"frame").decode()


def _png_kind(_: Path, head: bytes) -> Optional[str]:
    """By the text "Software" before the picture's data."""
    at = 8
    while at + 8 <= len(head):
        length, name = struct.unpack(">I4s", head[at : at + 8])
        key, _zero, value = head[at + 8 : at + 8 + length].partition(b"\0")
        if name == b"tEXt" and key == b"Software":
            return _marked(value.decode("latin-1"))
        at = len(head) if name == b"IDAT" else at + 12 + length
    return None


def _tiff_kind(path: Path, head: bytes) -> Optional[str]:
    """By the tags Software (305) and GDAL's own (42112) of the first picture."""
    order, big = ("<" if head[:2] == b"II" else ">"), head[2:4] in {b"+\0", b"\0+"}
    count_form, entry_form = ("Q", "HHQQ") if big else ("H", "HHII")
    try:
        with path.open("rb") as handle:
            (at,) = struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)
            handle.seek(at)
            (count,) = struct.unpack(order + count_form, handle.read(struct.calcsize(order + count_form)))
            size = struct.calcsize(order + entry_form)
            entries = [struct.unpack(order + entry_form, handle.read(size)) for _ in range(min(count, 100))]
            for tag, _, length, where in entries:
                if tag in {305, 42112} and length > 8:
                    handle.seek(where)
                    text = handle.read(min(length, _HEAD_BYTES)).decode("utf-8", "replace")
                    if (tag == 305 and _marked(text) == "heatmap") or (tag == 42112 and 'name="vidtag_what"' in text):
                        return "heatmap"
    except (OSError, struct.error):
        return None
    return None


def _is_state(folder: Path) -> bool:
    """Whether a folder holds the state of a training that may go on."""
    return (folder / "features").is_dir() or any(_has_run_key(path) for path in sorted(folder.glob("*.json"))[:10])


def _has_run_key(path: Path) -> bool:
    """Whether a JSON file is a training's saved state."""
    try:
        with path.open("rb") as handle:
            return b'"run_key"' in handle.read(4096)
    except OSError:
        return False


def _in_use(path: Path) -> bool:
    """Whether a program may have the file open as a database in WAL mode, as QGIS has while a layer is edited.

    Such a file is not opened as bytes: when it is closed again, POSIX takes away the locks that the same process holds on it, and another program's SQLite
    would clear the log away that QGIS is writing into.
    """
    return any(os.path.lexists(f"{path}{end}") for end in ("-wal", "-shm"))


def _rows(path: Path, statement: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Rows of an SQLite file, as it lies on the disk: nothing is locked, and no file is made beside it. Empty where it cannot be read."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            database.set_progress_handler(lambda: 1, _SQLITE_STEPS)  # ends a statement that would read on and on
            return database.execute(statement, parameters).fetchmany(_MOST_NAMES)
    except (sqlite3.Error, OSError):
        return []


def _geopackage_kind(path: Path, _: bytes) -> Optional[str]:
    rows = _rows(
        path,
        "SELECT md_standard_uri, substr(metadata, 1, 200) FROM gpkg_metadata WHERE md_standard_uri IN (?, ?) LIMIT 10",
        (KIND_URI, PROVENANCE_URI),
    )
    named = next((_marked(text) for uri, text in rows if uri == KIND_URI), None)
    if named is not None:
        return named
    return "result" if any(uri == PROVENANCE_URI and '"vidtag"' in text for uri, text in rows) else None


def _tables(path: Path) -> list[str]:
    return [str(name) for (name,) in _rows(path, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]


_BINARY = (
    ((_SQLITE,), "gpkg", _geopackage_kind),
    ((b"\x89PNG\r\n",), "png", _png_kind),
    ((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), "tiff", _tiff_kind),
    ((b"\xff\xd8\xff",), "jpeg", _jpeg_kind),
    ((b"%PDF",), "pdf", _pdf_kind),
)
"""How each format begins, its name, and what finds its mark."""
