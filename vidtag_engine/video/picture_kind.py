"""Which coded pictures no other picture needs, read from a packet's first bytes: those may be skipped without changing any other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .h264_fields import FRAMES_ONLY, field_coding, parameter_sets


@dataclass(frozen=True)
class PictureKind:
    """What a packet's headers say.

    Args:
        droppable: no other picture is predicted from this one (for HEVC: within its own temporal layer).
        entry: decoding may start here (False for a "key" packet that is only the start of an intra refresh).
        layer: HEVC temporal layer; a droppable picture is truly droppable in the highest layer only.
        field: it is one of a picture's two fields, and no picture by itself.
    """

    droppable: bool = False
    entry: bool = True
    layer: int = 0
    field: bool = False


UNKNOWN = PictureKind()
_HEAD_BYTES = 4096  # parameter sets and SEI may come before the first slice
_UNIT_BYTES = 512  # more than any parameter set that matters
Parser = Callable[[bytes], PictureKind]


def parser_for(codec: str, extradata: bytes | None) -> Parser:
    """The parser of packets of ``codec``; codecs without one are never thinned out (every picture is decoded)."""
    if codec == "h264":
        return _H264(extradata or b"")
    if codec == "hevc":
        length = (extradata[21] & 3) + 1 if extradata and extradata[0] == 1 and len(extradata) > 21 else 0
        return lambda data: _hevc(data, length)
    if codec in {"mpeg1video", "mpeg2video"}:
        return _mpeg2
    return lambda _data: UNKNOWN


def head_of(packet: Any) -> bytes:
    """The first bytes of a packet, without copying the rest."""
    return bytes(memoryview(packet)[:_HEAD_BYTES])


def _units(data: bytes, length_size: int) -> Iterator[bytes]:
    """NAL units (cut at the head's end) of a packet with lengths (``length_size`` > 0) or start codes."""
    position = 0
    if length_size:
        while position + length_size < len(data):
            length = int.from_bytes(data[position : position + length_size], "big")
            position += length_size
            if length == 0:
                return
            yield data[position : position + length]
            position += length
        return
    while (position := data.find(b"\x00\x00\x01", position)) >= 0:
        position += 3
        yield data[position : position + _UNIT_BYTES]


class _H264:
    """Reads packets in order: parameter sets between them say how slices are to be read."""

    def __init__(self, extradata: bytes) -> None:
        in_record = len(extradata) > 4 and extradata[0] == 1
        self._length_size = (extradata[4] & 3) + 1 if in_record else 0
        self._fields = FRAMES_ONLY
        for unit in parameter_sets(extradata) if in_record else _units(extradata, 0):
            self._fields = field_coding(unit) or self._fields

    def __call__(self, data: bytes) -> PictureKind:
        for unit in _units(data, self._length_size):
            kind = unit[0] & 31 if unit else 0
            if kind in {1, 2, 5}:  # slice, data partition A, IDR slice
                intra = kind == 5 or _slice_type(unit[1:16]) in {2, 4}
                return PictureKind((unit[0] >> 5) & 3 == 0, intra, field=self._fields.is_field(unit))
            self._fields = field_coding(unit) or self._fields
        return UNKNOWN


def _slice_type(data: bytes) -> int:
    """slice_type modulo 5 of an H.264 slice header (2 = I, 4 = SI), or -1."""
    # Emulation prevention bytes cannot fall within the two short numbers wanted here unless the first is huge.
    bits = "".join(f"{byte:08b}" for byte in data)
    position = value = 0
    for _ in range(2):  # first_mb_in_slice, slice_type: Exp-Golomb
        zeros = bits.find("1", position) - position
        if zeros < 0 or position + 2 * zeros + 1 > len(bits):
            return -1
        value = int(bits[position + zeros : position + 2 * zeros + 1], 2) - 1
        position += 2 * zeros + 1
    return value % 5


def _hevc(data: bytes, length_size: int) -> PictureKind:
    for unit in _units(data, length_size):
        if len(unit) >= 2 and (kind := (unit[0] >> 1) & 63) < 32:  # any slice
            # Even types below 16 are "sub-layer non-reference"; 16..23 are the random access pictures.
            return PictureKind(droppable=kind < 16 and kind % 2 == 0, entry=kind >= 16, layer=(unit[1] & 7) - 1)
    return UNKNOWN


def _mpeg2(data: bytes) -> PictureKind:
    position = data.find(b"\x00\x00\x01\x00")
    if position < 0 or position + 6 > len(data):
        return UNKNOWN
    coding = (data[position + 5] >> 3) & 7
    return PictureKind(droppable=coding == 3, entry=coding == 1)
