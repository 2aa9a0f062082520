"""Pins: a person's word on where a frame was, or was not. A layer of the result that only people write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ..types import InputError

if TYPE_CHECKING:
    from .tables import Table

RADIUS_M = 50.0


@dataclass(frozen=True)
class PinRow:
    """One row of the layer ``pins``.

    Args:
        video: its name.
        frame_index: of the sampled frame.
        lat_deg, lon_deg: of the place.
        here: whether the camera was there, or was not.
        radius_m: how near is meant.
        who, why: in the person's own words; may be empty.
        when: the person said so.
    """

    video: str
    frame_index: int
    lat_deg: float
    lon_deg: float
    here: bool = True
    radius_m: float = RADIUS_M
    who: str = ""
    when: datetime | None = None
    why: str = ""


def pins_table(pins: list[PinRow]) -> Table:
    """Pins as columns of the layer."""
    moments = [None if pin.when is None else pin.when.astimezone(UTC).replace(tzinfo=None) for pin in pins]
    return {
        "video": [pin.video for pin in pins],
        "frame_index": np.array([pin.frame_index for pin in pins], dtype=np.int64),
        "here": np.array([pin.here for pin in pins], dtype=bool),
        "radius_m": np.array([pin.radius_m for pin in pins], dtype=np.float64),
        "who": [pin.who or None for pin in pins],
        "when": np.array(moments, dtype="datetime64[ms]"),
        "why": [pin.why or None for pin in pins],
        "geometry": np.array(shapely.points([(pin.lon_deg, pin.lat_deg) for pin in pins]) if pins else [], dtype=object),
    }


def kept_pins(path: Path) -> Table:
    """Columns of the layer as it stands in an older result at ``path``; none where there is no such result or layer."""
    frame = _frame(path) if path.is_file() else None
    if frame is None or not {"video", "frame_index", "here", "radius_m", "who", "when", "why"} <= set(frame.columns):
        return pins_table([])
    geometry = np.asarray(frame.geometry, dtype=object)
    table: dict[str, Any] = {}
    for name in frame.columns.drop(frame.geometry.name):
        column = frame[name]
        if column.dtype.kind == "M":
            table[name] = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy() if column.dt.tz is not None else column.to_numpy()
        else:
            table[name] = column.tolist() if column.dtype == object else column.array
    return {**table, "geometry": geometry}


def read_pins(path: Path) -> list[PinRow]:
    """The pins that people have set in a result.

    Raises:
        InputError: a pin lacks its place, its frame, or, where there are several videos, its video.
    """
    import pandas as pd

    frame = _frame(path)
    if frame is None:
        return []
    pins = []
    for number, row in enumerate(frame.to_dict("records"), 1):
        known = {name: value for name, value in row.items() if name == "geometry" or not pd.isna(value)}
        place = known.get("geometry")
        if place is None or place.is_empty:
            raise InputError(f"Pin {number} in {path.name} has no place: set its point on the map, or delete it.")
        for name in ("video", "frame_index"):
            if name not in known:
                raise InputError(f"Pin {number} in {path.name} does not say its {name}: fill it in, or delete the pin.")
        point = shapely.get_parts(place)[0]
        when = known.get("when")
        pins.append(
            PinRow(
                str(known["video"]), int(known["frame_index"]), float(point.y), float(point.x), here=bool(known.get("here", True)),
                radius_m=float(known.get("radius_m", RADIUS_M)), who=str(known.get("who", "")),
                when=None if when is None else pd.Timestamp(when).to_pydatetime(), why=str(known.get("why", "")),
            )
        )  # fmt: skip
    return pins


def _frame(path: Path) -> Any | None:
    """The layer as a table of geopandas; None where there is none."""
    import pyogrio

    try:
        return pyogrio.read_dataframe(path, layer="pins")
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError):
        return None
