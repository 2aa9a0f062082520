"""H.264 whose pictures are coded as two fields, each in an access unit of its own (PAFF), which no encoder at hand writes.

Main profile, CAVLC, every macroblock as plain samples (I_PCM): the shortest way to a stream that any decoder must read exactly. Field names as in ITU-T H.264.
"""

from __future__ import annotations

import numpy as np


class _Bits:
    def __init__(self) -> None:
        self.bits: list[int] = []

    def u(self, value: int, count: int) -> None:
        self.bits += [value >> (count - 1 - place) & 1 for place in range(count)]

    def ue(self, *values: int) -> None:
        for value in values:
            length = (value + 1).bit_length()
            self.u(0, length - 1)
            self.u(value + 1, length)

    def unit(self, reference: int, kind: int) -> bytes:
        """The NAL unit, with its stop bit and emulation prevention."""
        self.bits.append(1)
        payload = np.packbits(np.array(self.bits, dtype=np.uint8)).tobytes()
        escaped, zeros = bytearray(), 0
        for byte in payload:
            if zeros >= 2 and byte <= 3:
                escaped.append(3)
                zeros = 0
            escaped.append(byte)
            zeros = zeros + 1 if byte == 0 else 0
        return b"\0\0\0\1" + bytes([reference << 5 | kind]) + bytes(escaped)


def _sequence_parameter_set(width: int, height: int) -> bytes:
    bits = _Bits()
    bits.u(77, 8)  # Main
    bits.u(0, 8)
    bits.u(30, 8)
    bits.ue(0, 0, 0, 4, 1)  # id; frame_num of 4 bits; order of type 0, 8 bits; one reference
    bits.u(0, 1)
    bits.ue(width // 16 - 1, height // 32 - 1)
    bits.u(0b0_0_1_0_0, 5)  # frame_mbs_only_flag 0: fields may come; no mixed ones, 8 x 8 inference, no cropping, no VUI
    return bits.unit(3, 7)


def _picture_parameter_set() -> bytes:
    bits = _Bits()
    bits.ue(0, 0)
    bits.u(0, 2)
    bits.ue(0, 0, 0)
    bits.u(0, 3)
    bits.ue(0, 0, 0)  # signed zeros are written alike
    bits.u(0, 3)
    return bits.unit(3, 8)


def _field(luma: np.ndarray, number: int, *, bottom: bool) -> bytes:
    """A field of intra macroblocks; the very first is an instantaneous refresh."""
    refresh = number == 0 and not bottom
    bits = _Bits()
    bits.ue(0, 7, 0)
    bits.u(number % 16, 4)
    bits.u(1, 1)  # field_pic_flag
    bits.u(int(bottom), 1)
    if refresh:
        bits.ue(0)
    bits.u((2 * number + int(bottom)) % 256, 8)
    bits.u(0, 2 if refresh else 1)
    bits.ue(0)
    for top in range(0, luma.shape[0], 16):
        for left in range(0, luma.shape[1], 16):
            bits.ue(25)  # I_PCM
            bits.u(0, -len(bits.bits) % 8)
            samples = [*np.clip(luma[top : top + 16, left : left + 16], 1, 254).ravel(), *[128] * 128]
            bits.bits += np.unpackbits(np.array(samples, dtype=np.uint8)).tolist()
    return b"\0\0\0\1\x09\x10" + bits.unit(3, 5 if refresh else 1)


def field_coded(pictures: list[np.ndarray]) -> bytes:
    """An Annex B stream of pictures (height, width) uint8; the height is a multiple of 32, the width of 16."""
    height, width = pictures[0].shape
    fields = [_field(luma[int(bottom) :: 2], number, bottom=bottom) for number, luma in enumerate(pictures) for bottom in (False, True)]
    return _sequence_parameter_set(width, height) + _picture_parameter_set() + b"".join(fields)
