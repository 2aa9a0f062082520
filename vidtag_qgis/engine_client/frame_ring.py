"""Raw pictures between the engine and QGIS: a file mapped by both, so that no picture goes through the lines of JSON.

Standard library only, clean for Python 3.9: the plugin carries a copy, byte for byte. The plugin makes the file and removes it; the engine only maps it. After
a head of a page come slots of one size. Counters in the head are whole words of 64 bits, written by one side each: ``wish`` (the plugin's: a request that is
older than it is given up), ``released`` (the plugin's: so many pictures of this ring are not needed any more) and ``clock_s`` (the plugin's: where playing is).
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import Any

MAGIC = b"VIDTAG\x00\x01"
HEAD_BYTES = 4096
_HEAD = struct.Struct("<8sQQ")
_WISH, _RELEASED, _CLOCK = 24, 32, 40
_WORD, _REAL = struct.Struct("<Q"), struct.Struct("<d")
_PIECE = bytes(1 << 20)


class FrameRing:
    """One side's view of the file.

    Args:
        path: of the file.

    Raises:
        OSError: it cannot be mapped.
        ValueError: it is no ring of this kind.
    """

    def __init__(self, path: str) -> None:
        with Path(path).open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        magic, self.slots, self.slot_bytes = _HEAD.unpack_from(self._map, 0)
        if magic != MAGIC or HEAD_BYTES + self.slots * self.slot_bytes != len(self._map):
            self._map.close()
            raise ValueError("not a ring of pictures")
        self.path, self.written = path, 0

    @classmethod
    def create(cls, path: str, slots: int, slot_bytes: int) -> FrameRing:
        """Make the file, with all its room taken, and map it.

        Args:
            path: of a file that is not there.
            slots: how many pictures.
            slot_bytes: room of one, bytes.

        Raises:
            OSError: there is no room for it, or no right to write there.
        """
        left = HEAD_BYTES + slots * slot_bytes
        with Path(path).open("xb") as file:
            try:
                # Room that is not taken now would end the process by a signal later, where memory or disk has run out.
                while left > 0:
                    left -= file.write(_PIECE[: min(left, len(_PIECE))])
                file.seek(0)
                file.write(_HEAD.pack(MAGIC, slots, slot_bytes))
            except OSError:
                file.close()
                Path(path).unlink()
                raise
        return cls(path)

    @property
    def wish(self) -> int:
        """Number of the latest wish."""
        return int(_WORD.unpack_from(self._map, _WISH)[0])

    @wish.setter
    def wish(self, number: int) -> None:
        _WORD.pack_into(self._map, _WISH, number)

    @property
    def released(self) -> int:
        """How many pictures are not needed any more."""
        return int(_WORD.unpack_from(self._map, _RELEASED)[0])

    @released.setter
    def released(self, count: int) -> None:
        _WORD.pack_into(self._map, _RELEASED, count)

    @property
    def clock_s(self) -> float:
        """Where playing is, seconds after the video's start."""
        return float(_REAL.unpack_from(self._map, _CLOCK)[0])

    @clock_s.setter
    def clock_s(self, moment: float) -> None:
        _REAL.pack_into(self._map, _CLOCK, moment)

    @property
    def full(self) -> bool:
        """Whether the next picture would go over one that is still needed."""
        return self.written - self.released >= self.slots

    def put(self, pixels: Any) -> int:
        """Write a picture, any buffer of bytes, into the next slot; returns its number from 0 on, which tells its slot.

        Raises:
            ValueError: it does not fit.
        """
        view = memoryview(pixels).cast("B")
        if view.nbytes > self.slot_bytes:
            raise ValueError("the picture is larger than a slot")
        start = self._start(self.written)
        self._map[start : start + view.nbytes] = view
        self.written += 1
        return self.written - 1

    def get(self, number: int, size_bytes: int) -> bytes:
        """A copy of a picture."""
        start = self._start(number)
        return self._map[start : start + min(size_bytes, self.slot_bytes)]

    def close(self) -> None:
        """Unmap it; the file stays."""
        self._map.close()

    def _start(self, number: int) -> int:
        return HEAD_BYTES + number % self.slots * self.slot_bytes
