"""Any picture of a video at once, exactly as decoding everything would give it: decoders that stay where they stopped.

A picture far into a long group of pictures needs those before it. So decoders are kept standing in the file: the one that needs the fewest packets for the
wanted picture goes on from where it stands, and pictures that nothing leans on are left out on the way. What cannot be planned so (fields, missing
timestamps, damage) is read by :class:`FrameReader`, which is slower.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from ..feedback import Feedback
from ..types import CancelledError, InputError, VideoError, VideoInfo
from .container import open_container, prepare_decoder, probe, upright, video_stream
from .decoder_memory import decoder_bytes, picture_bytes
from .frame_reader import FrameReader
from .packet_index import read_index
from .planned_decoder import PacketReader
from .player_parts import Stand, Window, mark_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

WINDOW_S = 120.0
"""So much of a video is looked through at once for where its packets lie; a shorter one is looked through whole."""
_BEYOND_S = 10.0
_STANDS_BYTES, _MOST_STANDS = 576 << 20, 16
"""Decoders together hold no more than so much, by what is known of one (:mod:`.decoder_memory`); one there is in any case."""
_RECENT_BYTES = 96 << 20
_BEFORE = 12
"""Pictures before a wanted one that are kept where the way leads back, so that the next steps back cost nothing."""
_LEAST_RECENT = 4
_LATE_S = 0.001
_PREPARED_APART = 24
"""Decoders are not set up nearer to each other than so many packets that must be decoded."""


class _BrokenError(Exception):
    """A decoder gave what it should not: the stretch is read in the ordinary way."""


class Player:
    """A video kept open. Close it after use.

    Args:
        info: of ``open_source``; a video, no folder of images.

    Raises:
        InputError: the file cannot be read.
    """

    def __init__(self, info: VideoInfo) -> None:
        self.info, self._path = info, info.path
        self._mark = mark_of(info.path)
        self._probe = probe(info.path)
        self._windows: OrderedDict[int, Window] = OrderedDict()
        self._stands: list[Stand] = []
        with open_container(info.path) as container:
            context = video_stream(container, info.path).codec_context
            self._most_stands = max(1, min(_MOST_STANDS, _STANDS_BYTES // decoder_bytes(context)))
            size = picture_bytes(context)
        self._most_recent = max(_LEAST_RECENT, _RECENT_BYTES // size)
        self._recent: OrderedDict[tuple[int, int], Any] = OrderedDict()
        self._last_s = 0.0
        self.decoded = 0

    @property
    def duration_s(self) -> float:
        """The video's length, seconds, as far as its container or the end of its packets tells."""
        if self._probe.duration_s is not None:
            return self._probe.duration_s
        return self._window_at(0.0, Feedback()).index.end_s

    def close(self) -> None:
        """Let go of the file and the decoders."""
        for stand in self._stands:
            stand.container.close()
        for window in self._windows.values():
            if window.reader is not None:
                window.reader.close()
        self._stands.clear()
        self._windows.clear()
        self._recent.clear()

    def at(self, time_s: float, feedback: Feedback = Feedback(), step: int = 0) -> tuple[float, Any]:
        """The picture on screen: its own time and an av.VideoFrame, or an upright RGB array; None where the video is damaged.

        Args:
            time_s: seconds after the video's start; before it means the first picture, beyond the end the last one.
            feedback: asked to stop every few packets.
            step: so many pictures further, or back where below 0.

        Raises:
            InputError: the video has gone or changed, or cannot be read any more.
            CancelledError: stopped; what was decoded until then is not lost.
        """
        time_s = max(0.0, float(time_s))
        self._check_same()
        window = self._window_at(time_s, feedback)
        if window.reader is None or not len(window.shown) or any(start_s <= time_s < end_s for start_s, end_s in window.index.lost_s):
            return self._ordinary(max(0.0, time_s + step * self._usual_s), feedback)
        number = max(int(np.searchsorted(window.shown_s, time_s + _LATE_S, side="right")) - 1, 0)
        if step:
            number = min(max(number + step, 0), len(window.shown) - 1)
            time_s = float(window.shown_s[number])
        back = time_s < self._last_s <= time_s + 1.0
        self._last_s = time_s
        position = int(window.shown[number])
        if (window.number, position) not in self._recent:
            before = window.shown[max(0, number - min(_BEFORE, self._most_recent - 1)) : number].tolist() if back else []
            try:
                for _ in self._decode(window, {position, *(one for one in before if (window.number, one) not in self._recent)}, feedback):
                    pass
            except (_BrokenError, av.error.FFmpegError):
                return self._ordinary(time_s, feedback)
        frame = self._recent.get((window.number, position))
        return (float(window.index.time_s[position]), frame) if frame is not None else self._ordinary(time_s, feedback)

    def following(self, from_s: float, step_s: float, feedback: Feedback = Feedback()) -> Iterator[tuple[float, Any]]:
        """Pictures from the one on screen at ``from_s`` on, in the order of showing, at least ``step_s`` apart (0: every one).

        Raises:
            InputError, CancelledError: as :meth:`at`.
        """
        last_s = -1.0
        while True:
            self._check_same()
            window = self._window_at(max(from_s, 0.0), feedback)
            if window.reader is None or not len(window.shown):
                yield from self._ordinary_following(from_s, step_s, feedback)
                return
            first = max(int(np.searchsorted(window.shown_s, from_s + _LATE_S, side="right")) - 1, 0)
            end_s = (window.number + 1) * WINDOW_S if not window.index.whole_end else float("inf")
            chosen: list[int] = []
            for position, moment in zip(window.shown[first:].tolist(), window.shown_s[first:].tolist(), strict=True):
                if moment <= last_s or moment >= end_s + _LATE_S:
                    continue
                if not chosen or moment >= float(window.index.time_s[chosen[-1]]) + step_s - _LATE_S:
                    chosen.append(position)
            for number in range(0, len(chosen), 50):
                self._check_same()
                for time_s, frame in self._run(window, chosen[number : number + 50], feedback):
                    last_s = time_s
                    yield time_s, frame
            if end_s == float("inf") or not chosen:
                return
            from_s = end_s

    def prepare(self, near_s: float, feedback: Feedback = Feedback()) -> bool:
        """Stand one more decoder where it shortens the ways most, in idle moments; False where there is nothing to gain.

        Args:
            near_s: where the viewer is, seconds: only the stretch about it is prepared.
            feedback: asked to stop every few packets.

        Raises:
            InputError: as :meth:`at`.
        """
        self._check_same()
        window = self._window_at(max(near_s, 0.0), feedback)
        if window.reader is None or not len(window.entries):
            return False
        marks = self._marks(window)
        ways = np.diff(marks)
        widest = int(np.argmax(ways))
        gain = (int(ways[widest]) / 2) ** 2
        full = len(self._stands) >= self._most_stands and all(one.fit for one in self._stands)
        if ways[widest] < 2 * _PREPARED_APART or (full and min(self._worth(window, one) for one in self._stands) * 2 > gain):
            return False
        middle = int(np.searchsorted(window.needed, (marks[widest] + marks[widest + 1]) // 2))
        stand = self._fresh(window, middle)
        try:
            for _ in self._feed(window, stand, middle, set(), feedback):
                pass
        except (_BrokenError, av.error.FFmpegError):
            stand.fit = False
            return False
        return True

    def image(self, frame: Any, longest_px: int, layout: str = "bgra") -> NDArray[np.uint8]:
        """What :meth:`at` gave as an upright picture with square pixels, (height, width, 4), never larger than it is.

        Args:
            frame: a picture.
            longest_px: its longer side at most.
            layout: FFmpeg's name of the pixels' layout; of four bytes.
        """
        if isinstance(frame, np.ndarray):
            frame = av.VideoFrame.from_ndarray(frame, format="rgb24")
            wide, turn, mirror = frame.width, 0, False
        else:
            wide, turn, mirror = round(frame.width * self._probe.pixel_aspect), self._probe.turn, self._probe.mirror
        scale = min(longest_px / max(wide, frame.height), 1.0)
        size = max(round(wide * scale), 1), max(round(frame.height * scale), 1)
        smooth = "BICUBIC" if scale == 1.0 else "FAST_BILINEAR"
        return upright(frame.to_ndarray(format=layout, width=size[0], height=size[1], interpolation=smooth), turn, mirror)

    @property
    def _usual_s(self) -> float:
        return float(self._probe.usual_step * self._probe.time_base)

    def _check_same(self) -> None:
        """What is known of the file holds of no other one that has come to its place."""
        mark = mark_of(self._path)
        if mark is None:
            raise InputError(f"The video {self._path} is not there any more: put it back, or say where it is.")
        if mark != self._mark:
            raise InputError(f"The video {self._path} has changed since it was opened: choose the frame again, and it is opened anew.")

    # Where packets lie.

    def _window_at(self, time_s: float, feedback: Feedback) -> Window:
        duration_s = self._probe.duration_s
        whole = duration_s is not None and duration_s <= WINDOW_S + _BEYOND_S
        number = 0 if whole else int(time_s // WINDOW_S)
        if duration_s is not None:
            number = min(number, int(max(duration_s - _LATE_S, 0.0) // WINDOW_S))
        if number in self._windows:
            self._windows.move_to_end(number)
            return self._windows[number]
        end_s = None if whole else (number + 1) * WINDOW_S + _BEYOND_S
        index = read_index(self._path, self._probe, number * WINDOW_S, end_s, feedback)
        shown = index.shown_order()
        self._windows[number] = Window(
            number=number,
            index=index,
            shown=shown,
            shown_s=index.time_s[shown],
            entries=np.flatnonzero(index.entry),
            needed=np.concatenate([[0], np.cumsum(~index.droppable)]),
            reader=PacketReader(self._path, self._probe, index) if index.regular else None,
        )
        while len(self._windows) > 3:
            old, gone = self._windows.popitem(last=False)
            if gone.reader is not None:
                gone.reader.close()
            for stand in self._stands:
                stand.fit = stand.fit and stand.window != old
            for key in [key for key in self._recent if key[0] == old]:
                del self._recent[key]
        return self._windows[number]

    def _start_of(self, window: Window, position: int) -> int:
        """Where decoding must begin for a picture: one shown before its entry point leans on the group before as well."""
        number = int(np.searchsorted(window.entries, position, side="right")) - 1
        if number > 0 and window.index.pts[position] < window.index.pts[window.entries[number]]:
            number -= 1
        return int(window.entries[max(number, 0)])

    # Decoders.

    def _stand_for(self, window: Window, wanted: set[int]) -> Stand:
        """The decoder with the shortest way to the wanted pictures, or a fresh one."""
        first = min(wanted)
        start = min(self._start_of(window, position) for position in wanted)
        best, way = None, int(window.needed[first] - window.needed[start]) + 1
        for stand in self._stands:
            if not stand.fit or stand.window != window.number or stand.entry > start or stand.next < start:
                continue
            missing = [position for position in wanted if position < stand.next and int(window.index.pts[position]) not in stand.awaited]
            left = max(0, int(window.needed[first] - window.needed[stand.next])) if first >= stand.next else 0
            if not missing and left < way:
                best, way = stand, left
        if best is None:
            return self._fresh(window, start)
        return best

    def _marks(self, window: Window, without: Stand | None = None) -> NDArray[np.integer[Any]]:
        """Where decoding may begin now, entry points and decoders, and the end: counted in packets that must be decoded."""
        standing = [one.next for one in self._stands if one.fit and one.window == window.number and one is not without]
        return np.unique(window.needed[[*window.entries.tolist(), *standing, len(window.index.pts)]])

    def _worth(self, window: Window, stand: Stand) -> float:
        """How much longer ways would be without this decoder; nothing for one in another window."""
        if not stand.fit or stand.window != window.number:
            return 0.0
        marks, here = self._marks(window, without=stand), int(window.needed[stand.next])
        after = int(np.searchsorted(marks, here))
        return 0.0 if after in {0, len(marks)} or marks[after] == here else float((here - marks[after - 1]) * (marks[after] - here))

    def _fresh(self, window: Window, position: int) -> Stand:
        """A decoder at the entry point for a position: an unfit one, a new one, or the one that is missed least."""
        stand = next((one for one in self._stands if not one.fit), None)
        if stand is None and len(self._stands) >= self._most_stands:
            stand = min(self._stands, key=lambda one: self._worth(window, one))
        if stand is None:
            container = open_container(self._path)
            stand = Stand(prepare_decoder(video_stream(container, self._path)), container)
            self._stands.append(stand)
        elif stand.context.is_open:
            stand.context.flush_buffers()
        stand.window, stand.entry, stand.awaited, stand.fit = window.number, self._start_of(window, position), [], True
        stand.next = stand.entry
        return stand

    def _decode(self, window: Window, wanted: set[int], feedback: Feedback) -> Iterator[tuple[int, Any]]:
        """Decode the wanted pictures of one window; they are kept as recent ones, too."""
        stand = self._stand_for(window, wanted)
        stamps = {int(window.index.pts[position]): position for position in wanted}
        for frame in self._feed(window, stand, max(wanted), wanted, feedback):
            position = stamps.pop(frame.pts, -1)
            if position >= 0:
                self._keep(window, position, frame)
                yield position, frame
            if not stamps:
                return
        if stamps:
            raise _BrokenError

    def _keep(self, window: Window, position: int, frame: Any) -> None:
        self._recent[window.number, position] = frame
        while len(self._recent) > self._most_recent:
            self._recent.popitem(last=False)

    def _feed(self, window: Window, stand: Stand, last: int, wanted: set[int], feedback: Feedback) -> Iterator[Any]:
        """Everything that comes out while packets up to ``last`` go in, and after them those that push the wanted ones out.

        Raises:
            _BrokenError: data does not decode, or a picture is passed over.
        """
        index, reader = window.index, window.reader
        if reader is None:
            raise _BrokenError
        group = window.entries[np.searchsorted(window.entries, stand.entry, side="right") :]
        first_group = int(group[0]) if len(group) else len(index.pts)
        try:
            for position, packet in reader.read(stand.next, len(index.pts)) if stand.next < len(index.pts) else ():
                if position > last and not wanted:
                    return
                stand.next = position + 1 if position >= 0 else stand.next
                leading = position < first_group and index.pts[position] < index.pts[stand.entry]
                # Past the last wanted picture everything goes in: playing on from here then needs no way back.
                if position < 0 or leading or (index.droppable[position] and position not in wanted and position <= last):
                    continue
                if index.shown[position]:
                    heapq.heappush(stand.awaited, int(index.pts[position]))
                yield from self._out(stand, packet, whole=not index.corrupt[position])
                feedback.check()
            yield from self._out(stand, None)
            stand.fit = False  # a decoder that was emptied begins anew
        except CancelledError:
            raise
        except (_BrokenError, av.error.FFmpegError):
            stand.fit = False
            raise

    def _out(self, stand: Stand, packet: Any, *, whole: bool = True) -> list[Any]:
        """What comes out for a packet; all of it is accounted for at once, for whoever asked may stop at the first."""
        if not whole:
            raise _BrokenError
        try:
            frames = stand.context.decode(packet)
        except av.error.EOFError:
            return []
        self.decoded += len(frames)
        for frame in frames:
            # Pictures come out in the order of showing: one that is passed over is lost, and others may lean on it.
            if frame.is_corrupt or not stand.awaited or stand.awaited[0] != frame.pts:
                raise _BrokenError
            heapq.heappop(stand.awaited)
        return list(frames)

    def _run(self, window: Window, chosen: list[int], feedback: Feedback) -> Iterator[tuple[float, Any]]:
        """A few pictures in a row, in the order of showing."""
        todo = list(chosen)
        kept = {position: frame for position in todo if (frame := self._recent.get((window.number, position))) is not None}
        try:
            decoded = self._decode(window, set(todo) - set(kept), feedback) if len(kept) < len(todo) else iter(())
            for position, frame in decoded:
                while todo[0] in kept:
                    yield float(window.index.time_s[todo[0]]), kept[todo.pop(0)]
                todo.remove(position)
                yield float(window.index.time_s[position]), frame
            while todo:
                yield float(window.index.time_s[todo[0]]), kept[todo.pop(0)]
        except (_BrokenError, av.error.FFmpegError):
            for position in todo:  # one by one, which is slow and says what is damaged
                yield self._ordinary(float(window.index.time_s[position]), feedback)

    # What cannot be planned.

    def _ordinary(self, time_s: float, feedback: Feedback) -> tuple[float, Any]:
        end_s = self._probe.duration_s
        from_s = time_s + _LATE_S if end_s is None else max(0.0, min(time_s + _LATE_S, end_s - _LATE_S))
        with FrameReader(self.info, 1.0, from_s, from_s + 0.5, feedback) as reader:
            frame = next(iter(reader))
        return frame.time_s, frame.image

    def _ordinary_following(self, from_s: float, step_s: float, feedback: Feedback) -> Iterator[tuple[float, Any]]:
        first_s, image = self._ordinary(from_s, feedback)
        yield first_s, image
        last_s, rate_hz = first_s, None if step_s <= 0 else 1.0 / step_s
        try:
            with FrameReader(self.info, rate_hz, first_s, None, feedback) as reader:
                for frame in reader:
                    if frame.time_s > last_s:
                        last_s = frame.time_s
                        yield frame.time_s, frame.image
        except VideoError:
            return
