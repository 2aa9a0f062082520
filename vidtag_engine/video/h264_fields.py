"""Whether a packet of H.264 is one field of a picture: broadcast and old camcorders code a picture as two (PAFF), each in a packet of its own.

Field names are those of ITU-T H.264, sections 7.3.2.1.1 (sequence parameter set) and 7.3.3 (slice header).
"""

from __future__ import annotations

from dataclasses import dataclass

# Profiles whose parameter sets say more of colour.
_HIGH_PROFILES = {44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 144, 244}
_SPS = 7
MOST_REFERENCES = 16
"""Pictures that others may lean on at the same time, at most."""


@dataclass(frozen=True)
class FieldCoding:
    """What of a sequence parameter set a slice header must be read with.

    Args:
        possible: whether pictures may be coded as fields at all (not frame_mbs_only_flag).
        frame_number_bits: length of frame_num.
        separate_planes: whether slices name their colour plane.
        references: pictures that others may lean on at the same time (max_num_ref_frames).
    """

    possible: bool
    frame_number_bits: int = 4
    separate_planes: bool = False
    references: int = MOST_REFERENCES

    def is_field(self, slice_unit: bytes) -> bool:
        """Whether a slice's NAL unit (its beginning will do) belongs to a field."""
        if not self.possible:
            return False
        bits = _Bits(slice_unit[1:48])
        try:
            for _ in range(3):  # first_mb_in_slice, slice_type, pic_parameter_set_id
                bits.exp_golomb()
            bits.skip((2 if self.separate_planes else 0) + self.frame_number_bits)
            return bits.read(1) == 1
        except IndexError:
            return False


FRAMES_ONLY = FieldCoding(possible=False)


def field_coding(unit: bytes) -> FieldCoding | None:
    """What a NAL unit says, if it is a sequence parameter set that can be read; None otherwise."""
    if len(unit) < 5 or unit[0] & 31 != _SPS:
        return None
    profile, bits = unit[1], _Bits(unit[4:])
    separate = False
    try:
        bits.exp_golomb()  # seq_parameter_set_id
        if profile in _HIGH_PROFILES:
            chroma = bits.exp_golomb()
            separate = chroma == 3 and bits.read(1) == 1
            bits.exp_golomb(), bits.exp_golomb()  # bit depths
            bits.skip(1)
            if bits.read(1):
                _skip_scaling_lists(bits, 8 if chroma != 3 else 12)
        number_bits = bits.exp_golomb() + 4
        kind = bits.exp_golomb()
        if kind == 0:
            bits.exp_golomb()
        elif kind == 1:
            bits.skip(1)
            bits.exp_golomb(), bits.exp_golomb()
            for _ in range(bits.exp_golomb()):
                bits.exp_golomb()
        references = min(bits.exp_golomb(), MOST_REFERENCES)
        bits.skip(1)
        bits.exp_golomb(), bits.exp_golomb()  # width and height
        return FieldCoding(bits.read(1) == 0, number_bits, separate, references)
    except IndexError:
        return None


def parameter_sets(extradata: bytes) -> list[bytes]:
    """The sequence parameter sets of an avcC record (MP4, Matroska)."""
    found, position = [], 6
    for _ in range(extradata[5] & 31 if len(extradata) > 6 else 0):
        length = int.from_bytes(extradata[position : position + 2], "big")
        found.append(extradata[position + 2 : position + 2 + length])
        position += 2 + length
    return found


def _skip_scaling_lists(bits: _Bits, count: int) -> None:
    for number in range(count):
        if not bits.read(1):
            continue
        last = following = 8
        for _ in range(16 if number < 6 else 64):
            if following:
                value = bits.exp_golomb()
                following = (last + (value // 2 + value % 2 if value % 2 else -(value // 2)) + 256) % 256
            last = following or last


class _Bits:
    """Bits of a NAL unit's payload, its emulation prevention bytes taken out. Reading past the end raises IndexError."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data.replace(b"\x00\x00\x03", b"\x00\x00"), 0

    def read(self, count: int) -> int:
        """An unsigned number of so many bits."""
        value = 0
        for _ in range(count):
            value = value << 1 | self._data[self._at >> 3] >> (7 - (self._at & 7)) & 1
            self._at += 1
        return value

    def skip(self, count: int) -> None:
        """Pass over bits."""
        self._at += count

    def exp_golomb(self) -> int:
        """An unsigned Exp-Golomb number."""
        zeros = 0
        while not self.read(1):
            zeros += 1
        return (1 << zeros) - 1 + self.read(zeros)
