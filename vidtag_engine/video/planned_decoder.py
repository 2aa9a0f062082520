"""Decode wanted pictures and as little else as they need, exactly as if everything had been decoded.

A picture needs the pictures of its group (from an entry point on) that come before it in the file and that others are predicted
from. So a *run* starts at the latest entry point that suffices, leaves out pictures that nothing leans on, and ends at the last
wanted picture. Errors are never concealed: they end the run, the run's stretch is decoded once more on one thread to learn which
packets are bad, and every picture that may lean on one of them is given as damaged.
"""

from __future__ import annotations

import contextlib
import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from ..feedback import Feedback
from .container import Probe, open_container, prepare_decoder, video_stream
from .packet_index import PacketIndex, packets_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


_SEEK_GAP_S = 10.0  # a gap shorter than this is read through
_RUN_PACKETS = 300  # adjacent groups are joined up to this length, so that decoder threads stay busy
_CANCEL_EVERY = 8


class _DamageError(Exception):
    """A run met data that does not decode."""


@dataclass
class Counts:
    """What decoding took so far."""

    decoded: int = 0
    damaged: set[int] = field(default_factory=set)  # positions of bad packets


class PacketReader:
    """Packets by their position in the index, forwards or after a seek."""

    def __init__(self, path: Path, probe: Probe, index: PacketIndex, threads: int = 0) -> None:
        self._path, self._probe, self._index = path, probe, index
        self._position_of = {int(pts): i for i, pts in enumerate(index.pts)}
        self._container = open_container(path)
        self.stream = video_stream(self._container, path)
        self.context = prepare_decoder(self.stream, threads)
        self._packets = packets_of(self._container, self.stream)
        self._ahead: tuple[int, Any] | None = None  # read, not yet given out
        self._next = -1  # position after the last one read; -1: at the start of the file
        if index.time_s.size and index.time_s[0] > _SEEK_GAP_S:
            self._seek(0)

    def close(self) -> None:
        """Let go of the file."""
        self._container.close()

    def position(self, pts: int) -> int:
        """Position of the picture with this timestamp; -1 for one that the index does not know."""
        return self._position_of.get(pts, -1)

    def read(self, start: int, stop: int) -> Iterator[tuple[int, Any]]:
        """(position, packet) for positions start..stop-1 that the file holds."""
        if start < self._next or (self._next >= 0 and self._gap_s(start) > _SEEK_GAP_S):
            self._seek(start)
        while True:
            if self._ahead is None and (packet := next(self._packets, None)) is not None:
                self._ahead = (self._position_of.get(packet.pts, -1), packet)
            if self._ahead is None:
                return
            position, packet = self._ahead
            if position >= stop:
                return
            self._ahead = None
            self._next = max(position + 1, 0) if position >= 0 else self._next
            if position >= start:
                yield position, packet

    def _gap_s(self, start: int) -> float:
        here = min(self._next, len(self._index.time_s) - 1)
        return float(self._index.time_s[start] - self._index.time_s[here])

    def _seek(self, start: int) -> None:
        """Go to the packet at ``start`` or before it."""
        back = 0
        while True:
            target = int(self._index.dts[start]) - back
            try:
                self._container.seek(target, stream=self.stream, backward=True)
            except av.error.FFmpegError:
                self._reopen()
                return
            self._packets = packets_of(self._container, self.stream)
            packet = next(self._packets, None)
            while packet is not None and packet.pts not in self._position_of and (packet.dts or 0) < self._index.dts[start]:
                packet = next(self._packets, None)
            position = self._position_of.get(packet.pts, -1) if packet is not None else -1
            if 0 <= position <= start:
                self._ahead, self._next = (position, packet), position
                return
            if target < int(self._index.dts[0]):
                self._reopen()
                return
            back = back * 4 + round(_SEEK_GAP_S / self._probe.time_base)

    def _reopen(self) -> None:
        self._container.close()
        self._container = open_container(self._path)
        stream = video_stream(self._container, self._path)
        self.context = prepare_decoder(stream, self.context.thread_count)
        self.stream, self._ahead, self._next = stream, None, -1
        self._packets = packets_of(self._container, stream)


class PlannedDecoder:
    """Gives the pictures at wanted positions of a regular ``PacketIndex``.

    Args:
        path, probe, index: the video and its tables.
        counts: added to while decoding.
        feedback: asked to stop every few packets.
    """

    def __init__(self, path: Path, probe: Probe, index: PacketIndex, counts: Counts, feedback: Feedback = Feedback()) -> None:
        self._path, self._probe, self._index, self._counts, self._feedback = path, probe, index, counts, feedback
        self._entries = np.flatnonzero(index.entry)
        self._bad = np.zeros(len(index.pts), dtype=bool)

    def pictures(self, wanted: NDArray[np.integer[Any]]) -> Iterator[tuple[int, Any]]:
        """(position, av.VideoFrame or None where damaged) for the positions ``wanted``, which are in the order of showing."""
        todo = [int(position) for position in wanted]
        reader = PacketReader(self._path, self._probe, self._index)
        checked_to = -1  # packets before this position have been tried one by one
        try:
            while todo:
                run = self._next_run(todo)
                done = 0
                try:
                    for position, frame in self._decode_run(reader, run):
                        yield position, frame
                        done += 1
                except _DamageError:
                    left = run[done:]
                    if max(left) < checked_to:  # tried before, and still nothing comes out
                        self._bad[left] = True
                    else:
                        checked_to = self._find_damage(left)
                    todo = todo[done:]
                else:
                    todo = todo[len(run) :]
        finally:
            reader.close()

    def _entry_for(self, position: int) -> int:
        """Number of the entry point that decoding a picture must start from."""
        number = int(np.searchsorted(self._entries, position, side="right")) - 1
        # A picture shown before its entry point leans on the group before as well.
        if number > 0 and self._index.pts[position] < self._index.pts[self._entries[number]]:
            number -= 1
        return max(number, 0)

    def _next_run(self, todo: list[int]) -> list[int]:
        """The first wanted pictures that are best decoded in one go."""
        if self._bad[todo[0]]:
            return [todo[0]]
        start = int(self._entries[self._entry_for(todo[0])])
        end, run = todo[0], [todo[0]]
        for position in todo[1:]:
            begins = int(self._entries[self._entry_for(position)])
            joined = begins <= end or (begins == end + 1 and end - start < _RUN_PACKETS)
            if self._bad[position] or not joined:
                break
            run.append(position)
            end = max(end, position)
        return run

    def _feed(self, start: int, end: int, wanted: set[int]) -> NDArray[np.bool_]:
        """Which of the packets start..end must be decoded for ``wanted``, (end - start + 1,)."""
        index, part = self._index, slice(start, end + 1)
        feed = ~index.droppable[part] & ~self._bad[part]
        # Pictures of the first group shown before its entry point cannot be decoded from here.
        group = np.arange(start, end + 1) < self._group_end(start)
        feed &= ~(group & (index.pts[part] < index.pts[start]))
        feed[[position - start for position in wanted]] = True
        return feed

    def _decode_run(self, reader: PacketReader, run: list[int]) -> Iterator[tuple[int, Any]]:
        if self._bad[run[0]]:
            yield run[0], None
            return
        start, end, wanted = int(self._entries[self._entry_for(run[0])]), max(run), set(run)
        feed = self._feed(start, end, wanted)
        if (self._index.corrupt[start : end + 1] & ~self._bad[start : end + 1]).any():
            raise _DamageError
        awaited: list[int] = []  # timestamps of pictures fed and not yet out
        for position, frame in self._frames(reader, start, feed, awaited):
            if position in wanted:
                wanted.discard(position)
                yield position, frame
        if wanted or awaited:
            raise _DamageError

    def _frames(self, reader: PacketReader, start: int, feed: NDArray[np.bool_], awaited: list[int]) -> Iterator[tuple[int, Any]]:
        """Every picture that comes out of the packets fed; raises _DamageError on any error, or where one is left out."""
        context, last_fed = reader.context, start + int(np.flatnonzero(feed)[-1])
        if context.is_open:
            context.flush_buffers()
        missing = int(feed.sum())
        for position, packet in reader.read(start, last_fed + 1):
            if position % _CANCEL_EVERY == 0:
                self._feedback.check()
            if not feed[position - start]:
                continue
            missing -= 1
            if self._index.shown[position]:
                heapq.heappush(awaited, int(self._index.pts[position]))
            yield from self._out(reader, packet, awaited)
        yield from self._out(reader, None, awaited)
        if missing:
            raise _DamageError

    def _out(self, reader: PacketReader, packet: Any, awaited: list[int]) -> Iterator[tuple[int, Any]]:
        try:
            frames = reader.context.decode(packet)
        except av.error.EOFError:
            return
        except av.error.FFmpegError as error:
            raise _DamageError from error
        for frame in frames:
            self._counts.decoded += 1
            # Pictures come out in the order of showing: one that is passed over is lost, and others may lean on it.
            if frame.is_corrupt or not awaited or awaited[0] != frame.pts:
                raise _DamageError
            heapq.heappop(awaited)
            yield reader.position(frame.pts), frame

    def _find_damage(self, left: list[int]) -> int:
        """Decode the stretch of ``left`` packet by packet, mark what is bad and what may lean on it; returns the stretch's end."""
        start = int(self._entries[max(self._entry_for(left[0]) - 1, 0)])
        stop = self._group_end(max(left))
        lost = self._failing_positions(start, stop)
        for position in lost:
            if position < start:
                continue
            self._counts.damaged.add(position)
            # Nothing leans on a droppable picture; but where bytes are missing, whole pictures after it may be gone as well.
            if self._index.droppable[position] and not self._index.corrupt[position]:
                self._bad[position] = True
                continue
            end = self._group_end(position)
            self._bad[position:end] = True
            if end < len(self._bad):  # the next group's first pictures lean on this one
                following = slice(end, self._group_end(end))
                self._bad[following] |= self._index.pts[following] < self._index.pts[end]
        return stop

    def _group_end(self, position: int) -> int:
        after = self._entries[np.searchsorted(self._entries, position, side="right") :]
        return int(after[0]) if len(after) else len(self._index.pts)

    def _failing_positions(self, start: int, stop: int) -> list[int]:
        """Positions of packets that raise an error or whose picture does not come out (one thread: the error is the packet's own)."""
        reader = PacketReader(self._path, self._probe, self._index, threads=1)
        # Shown before their entry point: they lean on the group before, which is not decoded here.
        leading = {p for p in range(start, self._group_end(start)) if self._index.pts[p] < self._index.pts[start]}
        expected = {p for p in range(start, stop) if self._index.shown[p]} - leading
        failed = {p for p in range(start, stop) if self._index.corrupt[p]}
        try:
            for position, packet in reader.read(start, stop):
                self._feedback.check()
                if position in leading:
                    continue
                try:
                    frames = reader.context.decode(packet)
                except av.error.FFmpegError:
                    failed.add(position)
                    continue
                self._note(reader, frames, expected, failed)
            with contextlib.suppress(av.error.FFmpegError):
                self._note(reader, reader.context.decode(None), expected, failed)
        finally:
            reader.close()
        return sorted(failed | expected)

    def _note(self, reader: PacketReader, frames: list[Any], expected: set[int], failed: set[int]) -> None:
        for frame in frames:
            self._counts.decoded += 1
            position = reader.position(frame.pts) if frame.pts is not None else -1
            if not frame.is_corrupt:
                expected.discard(position)
            elif position >= 0:
                failed.add(position)
