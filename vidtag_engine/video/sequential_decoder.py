"""Decode from end to end, for files whose packets do not tell which picture is which (no timestamps, hidden pictures, odd order)."""

from __future__ import annotations

import heapq
from collections import deque
from typing import TYPE_CHECKING, Any

import av

from ..feedback import Feedback
from .container import Probe, open_container, prepare_decoder, video_stream
from .packet_index import packets_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .planned_decoder import Counts


# No codec holds back more pictures than this: the smallest of so many timestamps is the next one shown.
_REORDER = 17


def all_pictures(path: Path, probe: Probe, counts: Counts, feedback: Feedback = Feedback()) -> Iterator[tuple[float, Any]]:
    """(time_s, av.VideoFrame or None where damaged), in the order of showing, times ascending.

    The decoder gives the pictures in the right order; their timestamps may be another's (AVI) or missing, so each picture gets the
    smallest timestamp not yet used, a missing one being the usual distance after the one before. After a packet that does not
    decode, pictures count as damaged up to the next key picture.
    """
    held: deque[Any] = deque()
    stamps: list[int] = []
    latest, last = probe.origin_pts - 1, probe.origin_pts - 1
    for frame, usable in _decoded(path, counts, feedback):
        step = max(frame.duration or probe.usual_step, 1)
        latest = frame.pts if frame.pts is not None else (latest + step if latest >= probe.origin_pts else probe.origin_pts)
        heapq.heappush(stamps, latest)
        held.append((frame if usable else None, step))
        if len(held) > _REORDER:
            last = _next_stamp(stamps, last, held[0][1], probe)
            yield float((last - probe.origin_pts) * probe.time_base), held.popleft()[0]
    while held:
        last = _next_stamp(stamps, last, held[0][1], probe)
        yield float((last - probe.origin_pts) * probe.time_base), held.popleft()[0]


def _next_stamp(stamps: list[int], last: int, step: int, probe: Probe) -> int:
    """The smallest timestamp left, moved on where it would not lie after the last one given."""
    stamp = heapq.heappop(stamps)
    return stamp if stamp > last else last + (step if last >= probe.origin_pts else 1)


def _decoded(path: Path, counts: Counts, feedback: Feedback) -> Iterator[tuple[Any, bool]]:
    """Every picture in the decoder's order, and whether it is whole."""
    with open_container(path) as container:
        stream = video_stream(container, path)
        context = prepare_decoder(stream)
        tainted = False
        for number, packet in enumerate(_with_flush(container, stream)):
            feedback.check()
            try:
                frames = context.decode(packet)
            except av.error.EOFError:
                return
            except av.error.FFmpegError:
                counts.damaged.add(number)
                tainted = True
                continue
            for frame in frames:
                counts.decoded += 1
                tainted = (tainted and not frame.key_frame) or frame.is_corrupt
                yield frame, not tainted


def _with_flush(container: Any, stream: Any) -> Iterator[Any]:
    yield from packets_of(container, stream)
    yield None
