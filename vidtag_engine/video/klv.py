"""MISB KLV telemetry of aerial video: the sensor's position from ST 0601 (UAS local set) and the older EG 0104 (universal set).

Each packet is a 16-byte key, a BER length and the set. In ST 0601 every item has a one- or two-byte tag (BER-OID); in EG 0104 a
16-byte key of its own.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from ..types import InputError, Track
from .container import open_container, probe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UL_PREFIX = bytes.fromhex("060e2b34")
ST_0601 = bytes.fromhex("060e2b34020b01010e01030101000000")
EG_0104 = bytes.fromhex("060e2b34020101010e01010201010000")
_TAG_TIME, _TAG_CHECKSUM, _TAG_LAT, _TAG_LON = 2, 1, 13, 14
_KEY_TIME = bytes.fromhex("060e2b34010101030702010101050000")
_KEY_LAT = (bytes.fromhex("060e2b34010101030701020102040200"), bytes.fromhex("060e2b34010101010701020102040200"))
_KEY_LON = (bytes.fromhex("060e2b34010101030701020102060200"), bytes.fromhex("060e2b34010101010701020102060200"))
_LOOK_PACKETS = 400
_Row = tuple[float | None, float | None, float | None]  # Unix time in seconds, latitude, longitude


def holds(path: Path) -> bool:
    """Whether a data stream near the file's start carries ST 0601 or EG 0104 sets."""
    try:
        for count, (_, data) in enumerate(_packets(path, 0)):
            if data.find(ST_0601) >= 0 or data.find(EG_0104) >= 0:
                return True
            if count > _LOOK_PACKETS:
                return False
    except InputError:
        return False
    return False


def read(path: Path) -> Track:
    """The sensor's positions, one a packet that has one.

    ``time_s`` is since the video's start where the packets carry presentation times (synchronous KLV); else Unix time from the
    sets' own time stamps (``absolute``).

    Raises:
        InputError: no KLV, or none with a position and a time.
    """
    bare = path.suffix.lower() == ".klv"
    origin_s = 0.0
    if not bare:
        looked = probe(path)
        origin_s = float(looked.origin_pts * looked.time_base)
    rows: list[tuple[float | None, _Row]] = []
    found = 0
    for shown_s, data in _packets(path, origin_s):
        for row in sets_in(data):
            found += 1
            if row[1] is not None and row[2] is not None:
                rows.append((shown_s, row))
    if not found:
        raise InputError(f"{path} carries no KLV positions (ST 0601 or EG 0104); give a GPX or CSV track.")
    absolute = any(shown_s is None for shown_s, _ in rows)
    timed = [(row[0] if absolute else shown_s, row[1], row[2]) for shown_s, row in rows]
    timed = [row for row in timed if row[0] is not None]
    if not timed:
        raise InputError(f"The KLV in {path} holds no position with a time; give a GPX or CSV track.")
    table = np.array(timed, dtype=np.float64)
    table = table[np.argsort(table[:, 0], kind="stable")]
    return Track(table[:, 0], table[:, 1], table[:, 2], absolute, "KLV")


def sets_in(data: bytes) -> Iterator[_Row]:
    """Time, latitude and longitude of every set in ``data``; sets whose checksum is wrong are left out."""
    position = 0
    while (position := data.find(UL_PREFIX, position)) >= 0:
        key = data[position : position + 16]
        if key not in {ST_0601, EG_0104}:
            position += 4
            continue
        length, start = _ber(data, position + 16)
        if length < 0 or start + length > len(data):
            return
        body = data[start : start + length]
        if key == EG_0104:
            yield _universal(body)
        elif _checksum_fits(data[position : start + length]):
            yield _local(body)
        position = start + length


def _packets(path: Path, origin_s: float) -> Iterator[tuple[float | None, bytes]]:
    if path.suffix.lower() == ".klv":
        yield None, path.read_bytes()
        return
    with open_container(path, for_data=True) as container:
        streams = [s for s in container.streams.data if getattr(s, "codec_tag", "") != "gpmd"]
        if not streams:
            return
        for packet in container.demux(streams):
            if packet.size:
                yield _shown_s(packet, origin_s), bytes(packet)


def _shown_s(packet: Any, origin_s: float) -> float | None:
    return None if packet.pts is None else float(packet.pts * packet.time_base) - origin_s


def _ber(data: bytes, position: int) -> tuple[int, int]:
    """A BER length and where its value begins; length -1 where the data end first."""
    if position >= len(data):
        return -1, position
    first = data[position]
    if first < 128:
        return first, position + 1
    count = first & 127
    if position + 1 + count > len(data):
        return -1, position
    return int.from_bytes(data[position + 1 : position + 1 + count], "big"), position + 1 + count


def _local(body: bytes) -> _Row:
    """ST 0601: tags 2 (µs), 13 and 14 (32-bit integers that span ±90° and ±180°; the lowest value means none)."""
    values: dict[int, bytes] = {}
    position = 0
    while position < len(body):
        tag = body[position] & 127
        while body[position] & 128 and position + 1 < len(body):  # BER-OID: 7 bits a byte
            position += 1
            tag = tag << 7 | body[position] & 127
        length, position = _ber(body, position + 1)
        if length < 0:
            break
        values[tag] = body[position : position + length]
        position += length
    stamp = values.get(_TAG_TIME, b"")
    time_s = int.from_bytes(stamp, "big") / 1e6 if len(stamp) == 8 else None
    return time_s, _angle(values.get(_TAG_LAT), 90.0), _angle(values.get(_TAG_LON), 180.0)


def _angle(data: bytes | None, half_range_deg: float) -> float | None:
    if data is None or len(data) != 4:
        return None
    (value,) = struct.unpack(">i", data)
    return None if value == -(2**31) else value * half_range_deg / (2**31 - 1)


def _universal(body: bytes) -> _Row:
    """EG 0104: every item has a universal key; positions are 8-byte floats in degrees."""
    time_s = lat = lon = None
    position = 0
    while position + 17 <= len(body):
        key = body[position : position + 16]
        length, position = _ber(body, position + 16)
        if length < 0:
            break
        value = body[position : position + length]
        position += length
        if key == _KEY_TIME and length == 8:
            time_s = int.from_bytes(value, "big") / 1e6
        elif key in _KEY_LAT:
            lat = _degrees(value, 90.0)
        elif key in _KEY_LON:
            lon = _degrees(value, 180.0)
    return time_s, lat, lon


def _degrees(value: bytes, limit: float) -> float | None:
    if len(value) not in {4, 8}:
        return None
    (degrees,) = struct.unpack(">d" if len(value) == 8 else ">f", value)
    return degrees if abs(degrees) <= limit else None  # also False for NaN


def _checksum_fits(packet: bytes) -> bool:
    """ST 0601's running 16-bit sum over everything up to the checksum's own value (tag 1, at the end); absent is taken as right."""
    if len(packet) < 20 or packet[-4:-2] != bytes([_TAG_CHECKSUM, 2]):
        return True
    summed = sum(packet[0:-2:2]) * 256 + sum(packet[1:-2:2])
    return summed & 0xFFFF == int.from_bytes(packet[-2:], "big")
