"""How much memory a decoder that stands in a video may hold: the pictures that the next ones lean on, and those on their way out."""

from __future__ import annotations

from typing import Any

from .h264_fields import MOST_REFERENCES, field_coding, parameter_sets

# Pictures by FFmpeg's name of the codec; each no less than what is measured (tests/test_player.py), which for H.264 follows from the file.
_PICTURES = {
    "hevc": 16,
    "vp9": 12,
    "libvpx-vp9": 12,
    "av1": 12,
    "libdav1d": 12,
    "mpeg2video": 6,
    "mpeg1video": 6,
    "mjpeg": 4,
    "prores": 4,
    "dnxhd": 4,
}
_UNKNOWN = 16
_BESIDE_REFERENCES = 8  # in H.264: waiting for their turn, and in the threads
_USUAL_BITS = 12  # a pixel of 4:2:0 with eight bits


def picture_bytes(context: Any) -> int:
    """Bytes of a decoded picture, as its pixels lie in memory.

    Args:
        context: a decoder's.
    """
    bits = context.format.padded_bits_per_pixel if context.format is not None else _USUAL_BITS
    width_px, height_px = max(context.coded_width, context.width), max(context.coded_height, context.height)
    return max(width_px * height_px * bits // 8, 1)


def decoder_bytes(context: Any) -> int:
    """What a decoder of this stream may come to hold, bytes; more than it does rather than less.

    Args:
        context: a decoder's.
    """
    return picture_bytes(context) * _pictures(context)


def _pictures(context: Any) -> int:
    if context.name != "h264":
        return _PICTURES.get(context.name, _UNKNOWN)
    extradata = context.extradata or b""
    sets = [known for unit in parameter_sets(extradata) if (known := field_coding(unit))] if extradata[:1] == b"\x01" else []
    return max((known.references for known in sets), default=MOST_REFERENCES) + _BESIDE_REFERENCES
