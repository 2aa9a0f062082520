"""Which files each command reads and writes: the one list that decides what an output may replace.

Standard library only, and clean for Python 3.9: the plugin carries a copy of this file, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Optional

from .file_marks import first_refusal, place_refusal

_COPIES = {"kml": "kml", "gpx": "gpx", "geojson": "geojson", "csv": "csv"}
OUTPUTS: dict[str, dict[str, str]] = {
    "geolocate": {"output": "result", **_COPIES, "map": "map", "html": "page"},
    "gallery": {"output": "gallery"},
    "heatmap": {"output": "heatmap", "png": "heatmap-picture"},
    "evaluate": {"errors": "errors", "html": "html", "map": "map", "json": "evaluation", "markdown": "markdown"},
    "export": dict(_COPIES),
    "report": {},
    "solve": {"output": "result"},
    "pin": {},
    "review": {},
    "landmarks": {},
    "places": {"posterior": "posterior"},
    "match": {"output": "result"},
    "train": {"output": "checkpoint"},
    "guess": {"output": "places"},
    "reference": {},
    "reference-layer": {"output": "images"},
    "picture": {"output": "picture"},
    "thumbnails": {"output": "thumbnails"},
    "next-steps": {},
    "player-open": {},
    "player-seek": {},
    "player-play": {},
    "player-prepare": {},
}
"""Of each command the arguments that name an output, and its kind (see ``file_marks.KINDS``). "export" has ``frames`` too, a folder."""
INPUTS: dict[str, tuple[str, ...]] = {
    "geolocate": ("videos", "images", "table", "aoi", "checkpoint", "guess_area", "reference", "roads", "motion_track"),
    "gallery": ("aoi", "checkpoint"),
    "heatmap": ("video", "images", "aoi", "checkpoint"),
    "evaluate": ("result", "truth", "videos"),
    "export": ("result", "videos"),
    "report": ("result", "videos"),
    "solve": ("result",),
    "pin": ("result",),
    "review": ("result",),
    "landmarks": ("result", "videos"),
    "places": ("result",),
    "match": ("result", "roads"),
    "train": ("videos", "truths", "images", "validation", "aoi"),
    "guess": ("videos", "images", "checkpoint"),
    "reference": ("videos", "truths", "images", "aoi"),
    "reference-layer": ("reference", "aoi"),
    "picture": ("videos",),
    "thumbnails": ("result", "videos"),
    "next-steps": ("result",),
    "player-open": ("videos",),
    "player-seek": (),
    "player-play": (),
    "player-prepare": (),
}
"""Of each command the arguments that name what it reads, or lists of such."""


def outputs_of(command: str, arguments: Mapping[str, Any]) -> list[tuple[Path, str]]:
    """Path and kind of every file that a call will write beside the frames of "export"."""
    found = [(Path(value), kind) for name, kind in OUTPUTS[command].items() if (value := arguments.get(name))]
    # The report's diagrams lie beside it.
    return found + [(path.with_suffix(".reliability.png"), "reliability") for path, kind in found if kind == "markdown"]


def inputs_of(command: str, arguments: Mapping[str, Any]) -> list[str]:
    """Every text that may name a file that a call reads."""
    found: list[str] = []
    for name in INPUTS[command]:
        value = arguments.get(name)
        found += [str(one) for one in value] if isinstance(value, (list, tuple)) else [str(value)] if value else []
    # The pins beside a result are a person's work, and are read with it: those beside an output that a new run replaces, too.
    results = [arguments.get("result"), *(path for path, kind in outputs_of(command, arguments) if kind == "result")]
    return found + [str(Path(str(one)).with_suffix(".review.gpkg")) for one in results if one and Path(str(one)).name]


def command_refusal(
    command: str, arguments: Mapping[str, Any], *, also_read: Iterable[str] = (), replace: str = "add --overwrite"
) -> Optional[str]:
    """Why a call must not begin, as one sentence for people; None where it may.

    An output is one of its inputs, is given twice, cannot be written, or would replace what is not this tool's own of that kind (unless ``overwrite`` is
    among the arguments).

    Args:
        command: of the protocol.
        arguments: of the protocol's class for it; those with defaults may be left out.
        also_read: more files that the call reads, such as the layers that a window took its inputs from.
        replace: how the user says that anything may be replaced.
    """
    outputs, inputs = outputs_of(command, arguments), [*inputs_of(command, arguments), *also_read]
    if command in {"solve", "match"} and outputs and _same(outputs[0][0], Path(str(arguments["result"]))):
        # The result itself gets the layers: all else in it stays.
        return place_refusal(outputs[0][0])
    return first_refusal(outputs, inputs=inputs, overwrite=bool(arguments.get("overwrite")), replace=replace)


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
