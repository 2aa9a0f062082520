"""Sampled pictures with their own timestamps, from a video or a folder of images, in bounded memory."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from av import VideoFrame

from ..feedback import Feedback
from ..types import DecodeReport, Frame, FrameState, InputError, VideoError, VideoInfo
from . import sampling
from .container import Probe, probe, upright
from .image_folder import ImageFolder
from .packet_index import PacketIndex, read_index
from .planned_decoder import Counts, PlannedDecoder
from .sequential_decoder import all_pictures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from numpy.typing import NDArray

    from ..types import FloatArray


_AFTER_S = 0.5
"""So far after the last moment that is asked for a file's index is read."""
_Picture = tuple[float, "NDArray[np.uint8] | None"]


class FrameReader:
    """Iterate over the sampled frames of one video or image folder; a context manager.

    At each moment ``from_s + k / rate_hz`` the picture on screen is given (the latest one not after the moment; the first one for
    moments before it), each picture once, with its own timestamp. The pictures are those that decoding everything would give;
    only what they need is decoded. Moments within damaged stretches give a Frame without an image, ``state`` DAMAGED.

    Args:
        info: of ``open_source``.
        rate_hz: frames a second; None means every picture.
        from_s, to_s: the window [from_s, to_s), seconds after the video's start; ``to_s`` None means to the end.
        feedback: asked to stop often.
        gray_px: give pictures as (height, width) uint8 of brightness instead, their longer side at most so many pixels, never larger than they are.
        small_px: give pictures in colour whose longer side is at most so many pixels, made so while they are still a video's: much sooner than afterwards.
        at_s: (M,) ascending moments, in place of those of rate and window.

    Raises:
        InputError: rate, from or to make no sense (at once), or lie beyond the video's end (on entering).
    """

    def __init__(
        self,
        info: VideoInfo,
        rate_hz: float | None = 1.0,
        from_s: float = 0.0,
        to_s: float | None = None,
        feedback: Feedback = Feedback(),
        gray_px: int | None = None,
        *,
        small_px: int | None = None,
        at_s: FloatArray | None = None,
    ) -> None:
        if at_s is not None and len(at_s):
            from_s, to_s = max(float(at_s[0]), 0.0), float(at_s[-1]) + _AFTER_S
        sampling.check_window(info.name, rate_hz, from_s, to_s)
        self._gray_px, self._small_px, self._at_s = gray_px, small_px, at_s
        self._info, self._rate_hz, self._from_s, self._to_s, self._feedback = info, rate_hz, from_s, to_s, feedback
        self._counts = Counts()
        self._sampled = 0
        self._lost: list[tuple[float, float]] = []
        self._expected: int | None = None
        self._pictures: Iterator[_Picture] | None = None

    def __enter__(self) -> Self:
        self._pictures = self._open_images() if self._info.kind == "images" else self._open_video()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; also done on leaving the ``with`` block."""
        if self._pictures is not None and hasattr(self._pictures, "close"):
            self._pictures.close()
        self._pictures = None

    @property
    def expected_frames(self) -> int | None:
        """How many frames will be given (known after entering), None where only decoding can tell."""
        return self._expected

    @property
    def report(self) -> DecodeReport:
        """What reading has taken; complete once the iteration is over."""
        return DecodeReport(self._counts.decoded, self._sampled, len(self._counts.damaged), tuple(self._lost))

    def __iter__(self) -> Iterator[Frame]:
        if self._pictures is None:
            raise RuntimeError("use FrameReader in a with statement")
        index = -1
        for index, (time_s, image) in enumerate(self._pictures):
            if image is not None:
                self._sampled += 1
            yield Frame(index, time_s, image, FrameState.LOCATED if image is not None else FrameState.DAMAGED)
        if index < 0:
            raise self._nothing_new()

    def _nothing_new(self) -> InputError:
        until = "its end" if self._to_s is None else f"{self._to_s:g} s"
        return InputError(
            f"{self._info.name} shows no new picture from {self._from_s:g} s to {until}; give an earlier start or a later end."
        )

    def _wanted_images(self) -> tuple[ImageFolder, NDArray[np.integer[Any]]]:
        """The folder, and which of its pictures are wanted."""
        folder = ImageFolder.read(self._info.path)
        sampling.check_start(self._info.name, self._from_s, folder.duration_s)
        end_s = folder.duration_s if self._to_s is None else min(self._to_s, folder.duration_s)
        if self._at_s is not None:
            return folder, sampling.on_screen(folder.time_s, self._at_s)
        return folder, sampling.pick(folder.time_s, self._rate_hz, self._from_s, end_s)

    def _open_images(self) -> Iterator[_Picture]:
        folder, wanted = self._wanted_images()
        self._expected = len(wanted)
        self._counts.damaged.update(range(-folder.unordered, 0))  # files that have no place in the sequence at all
        return self._read_images(folder, wanted)

    def _read_images(self, folder: ImageFolder, wanted: NDArray[np.integer[Any]]) -> Iterator[_Picture]:
        for i in wanted:
            self._feedback.check()
            image = folder.load(int(i))
            self._counts.decoded += image is not None
            if image is not None and self._gray_px is not None:
                image = _small(VideoFrame.from_ndarray(image, format="rgb24"), image.shape[1], image.shape[0], self._gray_px, "gray")
            elif image is not None and self._small_px is not None:
                image = _small(VideoFrame.from_ndarray(image, format="rgb24"), image.shape[1], image.shape[0], self._small_px, "rgb24")
            if image is None:
                self._counts.damaged.add(int(i))
                self._note_lost(float(folder.time_s[i]), folder.end_of(int(i)))
            yield float(folder.time_s[i]), image

    def moments(self) -> list[tuple[int, float, FrameState]]:
        """Index, time and state of every frame that iterating gives, where nothing but decoding finds a frame damaged: without decoding, where the file tells.

        Raises:
            InputError: as on entering, and where no moment lies in the window.
        """
        if self._info.kind == "images":
            folder, wanted = self._wanted_images()
            times = [(float(folder.time_s[row]), FrameState.LOCATED) for row in wanted]
        else:
            looked = probe(self._info.path)
            planned = self._plan(looked)
            if planned is None:
                with self:
                    return [(frame.index, frame.time_s, frame.state) for frame in self]
            index, wanted, lost = planned
            times = [(float(index.time_s[row]), FrameState.LOCATED) for row in wanted] + [(float(one), FrameState.DAMAGED) for one in lost]
        if not times:
            raise self._nothing_new()
        return [(number, time_s, state) for number, (time_s, state) in enumerate(sorted(times))]

    def _open_video(self) -> Iterator[_Picture]:
        looked = probe(self._info.path)
        planned = self._plan(looked)
        if planned is None:
            return self._read_in_sequence(looked)
        index, wanted, lost = planned
        self._expected = len(wanted) + len(lost)
        return self._read_planned(looked, index, wanted, lost)

    def _plan(self, looked: Probe) -> tuple[PacketIndex, NDArray[np.integer[Any]], NDArray[np.floating[Any]]] | None:
        """The file's index, which of its pictures are wanted, and moments that it has none of; None where only decoding tells."""
        index = read_index(self._info.path, looked, self._from_s, self._to_s, self._feedback)
        if not index.regular:
            if looked.duration_s is not None:
                sampling.check_start(self._info.name, self._from_s, looked.duration_s)
            return None
        end_s = max([index.end_s, *(stop for _, stop in index.lost_s)])
        if index.whole_end:
            sampling.check_start(self._info.name, self._from_s, end_s)
        if self._to_s is not None:
            end_s = min(self._to_s, end_s) if index.whole_end else self._to_s
        shown = index.shown_order()
        if not len(shown):
            raise VideoError(f"{self._info.path} holds no picture that can be shown; copy the file again or repair it.")
        if self._at_s is not None:
            picked, lost = sampling.at_and_lost(index.time_s[shown], self._at_s, index.lost_s)
        else:
            picked, lost = sampling.pick_and_lost(index.time_s[shown], self._rate_hz, self._from_s, end_s, index.lost_s)
        return index, shown[picked], lost

    def _read_planned(
        self, looked: Probe, index: PacketIndex, wanted: NDArray[np.integer[Any]], lost: NDArray[np.floating[Any]]
    ) -> Iterator[_Picture]:
        """Pictures in the order of showing; moments of stretches that the file does not hold come between them."""
        shown_s = np.sort(index.time_s[index.shown])
        decoder = PlannedDecoder(self._info.path, looked, index, self._counts, self._feedback)
        missing = deque(float(moment) for moment in lost)
        for position, frame in decoder.pictures(wanted):
            time_s = float(index.time_s[position])
            while missing and missing[0] < time_s:
                yield self._missing(missing.popleft(), index)
            if frame is None:
                after = int(np.searchsorted(shown_s, time_s, side="right"))
                self._note_lost(time_s, float(shown_s[after]) if after < len(shown_s) else index.end_s)
            yield time_s, None if frame is None else self._image(frame, looked)
        while missing:
            yield self._missing(missing.popleft(), index)

    def _missing(self, moment: float, index: PacketIndex) -> _Picture:
        for start_s, end_s in index.lost_s:
            if start_s - sampling.TOLERANCE_S <= moment < end_s:
                self._note_lost(start_s, end_s)
        return moment, None

    def _read_in_sequence(self, looked: Probe) -> Iterator[_Picture]:
        pictures = all_pictures(self._info.path, looked, self._counts, self._feedback)
        if self._rate_hz is None and self._at_s is None:
            for time_s, frame in pictures:
                if self._to_s is not None and time_s >= self._to_s - sampling.TOLERANCE_S:
                    return
                if time_s >= self._from_s - sampling.TOLERANCE_S:
                    yield self._shown(time_s, frame, looked)
            return
        at_rate = sampling.moments(self._rate_hz or 1.0, self._from_s, self._to_s)
        moments = at_rate if self._at_s is None else iter(self._at_s.tolist())
        moment: float | None = next(moments)
        held: tuple[float, Any] | None = None
        for time_s, frame in pictures:
            if held is not None and moment is not None and moment + sampling.TOLERANCE_S < time_s:
                yield self._shown(*held, looked)
                while moment is not None and moment + sampling.TOLERANCE_S < time_s:
                    moment = next(moments, None)
            if moment is None:
                return
            held = (time_s, frame)
        # The last picture's length is not known here: it counts as shown for the usual distance of pictures.
        end_s = looked.duration_s if looked.duration_s is not None else (held[0] + 0.1 if held else 0.0)
        if held is not None and moment is not None and moment < max(end_s, held[0] + 1e-3):
            yield self._shown(*held, looked)

    def _shown(self, time_s: float, frame: Any, looked: Probe) -> _Picture:
        if frame is None:
            self._note_lost(time_s, time_s)
            return time_s, None
        return time_s, self._image(frame, looked)

    def _note_lost(self, start_s: float, end_s: float) -> None:
        if self._lost and start_s <= self._lost[-1][1] + (1.0 / self._rate_hz if self._rate_hz else 0.0) + sampling.TOLERANCE_S:
            self._lost[-1] = (self._lost[-1][0], max(end_s, self._lost[-1][1]))
        else:
            self._lost.append((start_s, end_s))

    def _image(self, frame: Any, looked: Probe) -> NDArray[np.uint8]:
        """Upright and with square pixels, as a player shows it: what people compare, and what the networks were shown in training."""
        wide = round(frame.width * looked.pixel_aspect)
        if self._gray_px is not None:
            return upright(_small(frame, wide, frame.height, self._gray_px, "gray"), looked.turn, looked.mirror)
        if self._small_px is not None:
            return upright(_small(frame, wide, frame.height, self._small_px, "rgb24"), looked.turn, looked.mirror)
        return upright(frame.to_ndarray(format="rgb24", width=wide, height=frame.height), looked.turn, looked.mirror)


def _small(frame: Any, wide: int, high: int, longest_px: int, form: str) -> NDArray[np.uint8]:
    """Made smaller by the means of areas: the colours of a large picture take longer to make than all that is done with a small one."""
    scale = min(longest_px / max(wide, high), 1.0)
    size = max(round(wide * scale), 1), max(round(high * scale), 1)
    small: NDArray[np.uint8] = frame.to_ndarray(format=form, width=size[0], height=size[1], interpolation="AREA")
    return small
