"""GoPro's GPMF telemetry: positions of its GPS5 (and, from Hero 11 on, GPS9) streams.

Format: https://github.com/gopro/gpmf-parser (keys of four letters, type, size, repeat; nested; big-endian; padded to 4 bytes).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from ..types import FloatArray, InputError, Track
from .container import open_container, video_stream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUFFIX_RAW = ".raw"
# A 2D fix is a position; 0 is no lock. GPSP / DOP is the dilution of precision times 100: 9999 stands for none.
_MIN_FIX = 2
_MAX_DOP = 9000
_RAW_SECONDS = 1.0  # what one payload covers, where no container says
_LOOK_PAYLOADS = 8  # every payload has the streams of the camera's settings
_HEADER = struct.Struct(">4scBH")


@dataclass(frozen=True)
class _Item:
    key: bytes
    type: bytes
    size: int
    repeat: int
    data: bytes


@dataclass(frozen=True)
class _Payload:
    """One payload (about a second): its time, and its bytes."""

    start_s: float
    duration_s: float
    data: bytes


def holds(path: Path) -> bool:
    """Whether the file carries a GPS5 or GPS9 stream (with a lock or not)."""
    try:
        return any(True for payload in islice(_payloads(path), _LOOK_PAYLOADS) for _ in _gps_streams(payload.data))
    except (InputError, OSError):
        return False


def read(path: Path) -> Track:
    """Every fix with a lock; ``time_s`` since the video's start, spread evenly over each payload's own time.

    Args:
        path: an MP4 with a gpmd stream, or one raw payload (``.raw``; its times are within its one second).

    Raises:
        InputError: no such stream, no fix with a lock, or a damaged payload.
    """
    times: list[FloatArray] = []
    fixes: list[FloatArray] = []
    streams = 0
    for payload in _payloads(path):
        for stream in _gps_streams(payload.data):
            streams += 1
            lat_lon, usable = _fixes(stream)
            count = len(lat_lon)
            time_s = payload.start_s + np.arange(count) / max(count, 1) * payload.duration_s
            times.append(time_s[usable])
            fixes.append(lat_lon[usable])
    if not streams:
        raise InputError(f"{path} carries no positions (no GPS5 or GPS9 stream); give a GPX or CSV track.")
    if not sum(len(part) for part in times):
        raise InputError(f"The GPS in {path} never had a lock, so it holds no position; give a GPX or CSV track.")
    time, fix = np.concatenate(times), np.concatenate(fixes)
    order = np.argsort(time, kind="stable")
    return Track(time[order], fix[order, 0], fix[order, 1], absolute=False, source="GPS5")


def _payloads(path: Path) -> Iterator[_Payload]:
    if path.suffix.lower() == SUFFIX_RAW:
        yield _Payload(0.0, _RAW_SECONDS, path.read_bytes())
        return
    with open_container(path, for_data=True) as container:
        stream = next((s for s in container.streams.data if _is_gpmd(s)), None)
        if stream is None:
            return
        origin_s = _origin_s(path)
        for packet in container.demux(stream):
            if packet.size and packet.pts is not None:
                start_s = float(packet.pts * stream.time_base) - origin_s
                yield _Payload(start_s, float((packet.duration or 0) * stream.time_base) or _RAW_SECONDS, bytes(packet))


def _origin_s(path: Path) -> float:
    """When the first picture is shown, by the container's clock."""
    with open_container(path) as container:
        video = video_stream(container, path)
        return float((video.start_time or 0) * video.time_base)


def _is_gpmd(stream: Any) -> bool:
    tag = getattr(stream, "codec_tag", None)
    return tag == "gpmd" or "GoPro MET" in stream.metadata.get("handler_name", "")


def _items(data: bytes) -> Iterator[_Item]:
    position = 0
    while position + _HEADER.size <= len(data):
        key, kind, size, repeat = _HEADER.unpack_from(data, position)
        if key == b"\0\0\0\0":
            return
        position += _HEADER.size
        length = size * repeat
        if position + length > len(data):
            return  # cut short: what came before is kept
        yield _Item(key, kind, size, repeat, data[position : position + length])
        position += (length + 3) // 4 * 4


def _gps_streams(data: bytes) -> Iterator[dict[bytes, _Item]]:
    """The STRM groups that hold positions, as key -> item."""
    for device in _items(data):
        if device.key != b"DEVC":
            continue
        for stream in _items(device.data):
            if stream.key == b"STRM":
                items = {item.key: item for item in _items(stream.data)}
                if b"GPS5" in items or b"GPS9" in items:
                    yield items


def _fixes(items: dict[bytes, _Item]) -> tuple[FloatArray, Any]:
    """(n, 2) latitude and longitude, and which of them have a lock."""
    if b"GPS9" in items:  # lat, lon, alt, speeds, days, seconds, DOP, fix: each sample says its own lock
        item = items[b"GPS9"]
        if item.size != 32:
            return np.zeros((0, 2)), np.zeros(0, dtype=bool)
        raw = np.frombuffer(item.data, dtype=np.dtype([("v", ">i4", 7), ("dop", ">u2"), ("fix", ">u2")]))
        lat_lon = raw["v"][:, :2] / _scale(items, 9)[:2]
        return lat_lon, (raw["fix"] >= _MIN_FIX) & (raw["dop"] < _MAX_DOP)
    item = items[b"GPS5"]
    if item.size != 20 or item.type != b"l":
        return np.zeros((0, 2)), np.zeros(0, dtype=bool)
    lat_lon = np.frombuffer(item.data, dtype=">i4").reshape(-1, 5)[:, :2] / _scale(items, 5)[:2]
    locked = _number(items.get(b"GPSF"), 0) >= _MIN_FIX and _number(items.get(b"GPSP"), 0) < _MAX_DOP
    return lat_lon, np.full(len(lat_lon), locked)


def _scale(items: dict[bytes, _Item], count: int) -> FloatArray:
    item = items.get(b"SCAL")
    if item is None:
        return np.full(count, 1e7)
    values = np.frombuffer(item.data, dtype=">i2" if item.type == b"s" else ">i4").astype(np.float64)
    values = values if len(values) >= count else np.full(count, values[0] if len(values) else 1e7)
    return np.where(values == 0, 1.0, values)


def _number(item: _Item | None, missing: int) -> int:
    return int.from_bytes(item.data[: item.size], "big") if item is not None and item.data else missing
