"""Pins: a person's word on where a moment of a video was, or was not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from ..types import InputError
from .columns import Table

RADIUS_M = 50.0
HERE, NOT_HERE, CONFIRMED = KINDS = ("here", "not here", "confirmed")


@dataclass(frozen=True)
class PinRow:
    """One pin. ``sha256`` and ``time_s`` say what it is of; where they are not known, ``video`` and ``frame_index`` of a result do.

    Args:
        video: its name.
        frame_index: of the sampled frame that it was set on, for display; None where that is not known.
        lat_deg, lon_deg: of the place.
        here: whether the camera was there, or was not.
        radius_m: how near is meant.
        who, why: in the person's own words; may be empty.
        when: the person said so.
        sha256: of the video's bytes; empty where it is not known yet.
        time_s: seconds after the video's start; None where it is not known yet.
        number: of the row in its file, which removes it; 0 for a pin that lies in none.
        confirmed: the place is the result's own answer for that frame, which the person has found to be right. Counts where ``here`` is true.
    """

    video: str
    frame_index: int | None
    lat_deg: float
    lon_deg: float
    here: bool = True
    radius_m: float = RADIUS_M
    who: str = ""
    when: datetime | None = None
    why: str = ""
    sha256: str = ""
    time_s: float | None = None
    number: int = 0
    confirmed: bool = False

    @property
    def kind(self) -> str:
        """What it says: one of ``KINDS``."""
        return (CONFIRMED if self.confirmed else HERE) if self.here else NOT_HERE

    @property
    def moment(self) -> str:
        """Which moment it is of, in words."""
        return f"frame {self.frame_index}" if self.time_s is None else f"{self.time_s:g} s"


def pins_table(pins: list[PinRow]) -> Table:
    """Pins as columns of the layer."""
    import pandas as pd

    moments = [None if pin.when is None else pin.when.astimezone(UTC).replace(tzinfo=None) for pin in pins]
    return {
        "video": [pin.video or None for pin in pins],
        "sha256": [pin.sha256 or None for pin in pins],
        "time_s": np.array([np.nan if pin.time_s is None else pin.time_s for pin in pins], dtype=np.float64),
        "frame_index": pd.Series([pin.frame_index for pin in pins], dtype="Int64"),
        "here": np.array([pin.here for pin in pins], dtype=bool),
        "radius_m": np.array([pin.radius_m for pin in pins], dtype=np.float64),
        "who": [pin.who or None for pin in pins],
        "when": np.array(moments, dtype="datetime64[ms]"),
        "why": [pin.why or None for pin in pins],
        "confirmed": np.array([pin.kind == CONFIRMED for pin in pins], dtype=bool),
        "geometry": np.array(shapely.points([(pin.lon_deg, pin.lat_deg) for pin in pins]) if pins else [], dtype=object),
    }


def read_pins(path: Path, *, whole_only: bool = False) -> list[PinRow]:
    """The pins of a layer ``pins``: of a review file, or of a result of schema 2. None where there is no such file or layer.

    Args:
        path: of the GeoPackage.
        whole_only: pass over a pin that lacks something, instead of refusing it.

    Raises:
        InputError: a pin lacks its place, its moment or its video.
    """
    import pandas as pd
    import pyogrio

    if not path.is_file():
        return []
    try:
        frame = pyogrio.read_dataframe(path, layer="pins", fid_as_index=True)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError):
        return []
    if frame.crs is not None:
        frame = frame.to_crs("EPSG:4326")
    pins = []
    for number, row in zip(frame.index.tolist(), frame.to_dict("records"), strict=True):
        known = {name: value for name, value in row.items() if name == "geometry" or not pd.isna(value)}
        lacks = _lacks(known)
        if not lacks:
            pins.append(_pin(number, known, shapely.get_parts(known["geometry"])[0]))
        elif not whole_only:
            raise InputError(f"Pin {number} in {path.name} {lacks}, or delete the pin.")
    return pins


def _lacks(known: dict[str, Any]) -> str:
    """What a pin does not say, and what to do; empty where it says all."""
    place = known.get("geometry")
    if place is None or place.is_empty:
        return "has no place: set its point on the map"
    for names in (("video", "sha256"), ("frame_index", "time_s")):
        if not any(name in known for name in names):
            return f"does not say its {names[0]}: fill it in"
    return ""


def _pin(number: int, known: dict[str, Any], point: Any) -> PinRow:
    import pandas as pd

    index, time_s, when = (known.get(name) for name in ("frame_index", "time_s", "when"))
    return PinRow(
        video=str(known.get("video", "")),
        frame_index=None if index is None else int(index),
        lat_deg=float(point.y),
        lon_deg=float(point.x),
        here=bool(known.get("here", True)),
        radius_m=float(known.get("radius_m", RADIUS_M)),
        who=str(known.get("who", "")),
        when=None if when is None else pd.Timestamp(when).to_pydatetime(),
        why=str(known.get("why", "")),
        sha256=str(known.get("sha256", "")),
        time_s=None if time_s is None else float(time_s),
        number=int(number),
        confirmed=bool(known.get("confirmed", False)),
    )
