"""What the engine's commands take that are about what a person says of a result, and about what speaks for it; as ``command_arguments.py``.

Standard library only, clean for Python 3.9: the plugin carries a copy, byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional


@dataclass(frozen=True)
class SolveArguments:
    """Arguments of "solve". ``output`` is a copy of the result with the solved layers; None puts them into the result itself.

    ``pins`` stand in place of those in the result's review file: objects with ``time_s`` or ``frame_index``, ``lat_deg``, ``lon_deg`` and, as they are
    known, ``video``, ``sha256``, ``here``, ``radius_m``, ``who``, ``when`` (ISO 8601) and ``why``. They need an ``output``, whose review file keeps them.
    """

    result: str
    output: Optional[str] = None
    pins: Optional[list[dict[str, Any]]] = None
    overwrite: bool = False


@dataclass(frozen=True)
class PinArguments:
    """Arguments of "pin": what is done with the pins in the review file beside ``result``.

    ``action`` is "add" (``pin``, an object as in "solve", which may give ``kind`` in place of ``here``: "here", "not here" or "confirmed"; a confirmed
    pin needs no place: it is the model's own), "list", "change" (the pin ``number``, to what ``pin`` says: any of ``why``, ``kind``, ``radius_m``,
    ``lat_deg`` and ``lon_deg``) or "remove" (the pin ``number``; None is the last one that was set). With the ``pin`` as it was listed, "remove" refuses
    another one that has its number by now, and one that is gone is no error. A pin with its ``when`` may be added again: it is there once.
    """

    result: str
    pin: Optional[dict[str, Any]] = None
    action: str = "add"
    number: Optional[int] = None


@dataclass(frozen=True)
class ReviewArguments:
    """Arguments of "review": what is done with the table ``review`` in the review file beside ``result``.

    ``action`` is "add" (``row``: ``from_s``, and as they are known ``to_s``, ``video``, ``sha256``, ``state``, ``bookmark``, ``comment``, ``who`` and
    ``when``, ISO 8601), "change" (the row ``number``, to what ``row`` says), "remove" (the row ``number``; None is the last; with the ``row`` as it was
    listed likewise as for pins), "list" or "states" (of every frame of the result). A row with its ``when`` may be added again: it is there once.
    """

    result: str
    action: str = "list"
    row: Optional[dict[str, Any]] = None
    number: Optional[int] = None


@dataclass(frozen=True)
class LandmarksArguments:
    """Arguments of "landmarks": where the camera of ``result``'s ``video`` was at ``time_s`` by ``points``, each [x_px, y_px, lat_deg, lon_deg].

    The points are in the upright picture of ``width_px`` by ``height_px``; None is the video's own size. ``pin`` adds the place as a pin *here*, and keeps the
    landmarks in the review file; with ``when``, ISO 8601, that may be asked again. Without points, those that were kept of that moment are listed. ``videos``
    are files and folders where the video is looked for besides beside the result; where no ``fov_deg`` is given, what its file says of its lens counts.
    """

    result: str
    time_s: float
    video: str = ""
    sha256: str = ""
    points: list[list[float]] = field(default_factory=list)
    width_px: Optional[float] = None
    height_px: Optional[float] = None
    fov_deg: Optional[float] = None
    noise_px: float = 3.0
    tilt_deg: float = 2.0
    videos: list[str] = field(default_factory=list)
    pin: bool = False
    who: str = ""
    why: str = ""
    when: str = ""


@dataclass(frozen=True)
class PlacesArguments:
    """Arguments of "places": the places that one frame of ``result``'s ``video`` may be of, which is given by ``time_s`` or ``frame_index``.

    ``answer`` is "model", or "pinned" for the frame as it was solved with pins. ``posterior`` is a GeoPackage to write with the frame's whole posterior.
    """

    result: str
    video: str = ""
    time_s: Optional[float] = None
    frame_index: Optional[int] = None
    answer: str = "model"
    posterior: Optional[str] = None
    overwrite: bool = False
