"""A table of a video's packets, made by reading the file without decoding it: what is needed to decode no more than is wanted."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from ..feedback import Feedback
from ..types import FloatArray, IntArray, VideoError
from .container import Probe, open_container, video_stream
from .picture_kind import PictureKind, head_of, parser_for

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


# Codecs where one packet with bytes in it is one picture, shown in timestamp order. Others are decoded from end to end.
_ONE_PACKET_ONE_PICTURE = {
    "h264", "hevc", "mpeg1video", "mpeg2video", "av1", "libdav1d", "vp9", "libvpx-vp9", "mjpeg", "prores", "dnxhd", "ffv1", "huffyuv",
    "ffvhuff", "utvideo", "rawvideo", "png", "jpeg2000", "dvvideo",
}  # fmt: skip
_SEEK_FROM_S = 20.0  # a start nearer than this is not worth a seek
_CANCEL_EVERY = 256
_UNEVEN_SHARE = 0.02
_BESIDE = 4  # pictures between an incomplete packet and the gap it tells of (reordering)


@dataclass(frozen=True)
class PacketIndex:
    """The packets of one window of a video, in decoding order; all arrays (N,).

    Args:
        pts, dts: timestamps in the stream's own units.
        duration: in the same units, 0 where unknown.
        entry: whether decoding may start here.
        droppable: no other picture needs this one.
        shown: whether the picture is shown (edit lists hide some).
        corrupt: the demuxer says that bytes are missing.
        whole_end: whether the table reaches the end of the file.
        lost_s: stretches, (start, end) in seconds, that the file should hold and does not: packets that the demuxer misses, an end
            that the container announces.
        regular: whether the table can be trusted to plan by (one picture a packet, timestamps unique, entries in order).
        end_s: end of the last picture shown, seconds after the origin.
    """

    pts: IntArray
    dts: IntArray
    duration: IntArray
    entry: NDArray[np.bool_]
    droppable: NDArray[np.bool_]
    shown: NDArray[np.bool_]
    corrupt: NDArray[np.bool_]
    whole_end: bool
    lost_s: tuple[tuple[float, float], ...]
    regular: bool
    end_s: float
    time_s: FloatArray = field(repr=False)

    def shown_order(self) -> IntArray:
        """Positions of the shown pictures in the order of their timestamps."""
        order = np.argsort(self.pts, kind="stable")
        return order[self.shown[order]]


@dataclass
class _Rows:
    """Columns while they grow."""

    pts: list[int] = field(default_factory=list)
    dts: list[int] = field(default_factory=list)
    duration: list[int] = field(default_factory=list)
    key: list[bool] = field(default_factory=list)
    discard: list[bool] = field(default_factory=list)
    disposable: list[bool] = field(default_factory=list)
    corrupt: list[bool] = field(default_factory=list)
    kinds: list[PictureKind] = field(default_factory=list)
    complete_timestamps: bool = True
    errors: int = 0


def read_index(path: Path, probe: Probe, from_s: float, to_s: float | None, feedback: Feedback = Feedback()) -> PacketIndex:
    """Read the packets that matter for the pictures shown in [from_s, to_s).

    Without ``to_s`` the file is read to its end. With a late ``from_s`` reading starts some entries before it.
    Raises CancelledError when ``feedback`` says so, InputError where the file cannot be opened.
    """
    back_s = _SEEK_FROM_S
    while True:
        start_s = from_s - back_s
        index = _read_window(path, probe, start_s if start_s > 0 else None, to_s, feedback)
        # Two entries before the first wanted moment: pictures may lean on the group before their own.
        if start_s <= 0 or int((index.entry & (index.time_s <= from_s)).sum()) >= 3:
            return index
        back_s *= 8


def _read_window(path: Path, probe: Probe, start_s: float | None, to_s: float | None, feedback: Feedback) -> PacketIndex:
    rows = _Rows()
    stop_pts = None if to_s is None else probe.origin_pts + round(to_s / probe.time_base)
    with open_container(path) as container:
        stream = video_stream(container, path)
        parse = parser_for(probe.codec, stream.codec_context.extradata)
        if start_s is not None:
            try:
                container.seek(probe.origin_pts + round(start_s / probe.time_base), stream=stream, backward=True)
            except av.error.FFmpegError:  # a file without seeking is read from its start
                return _read_window(path, probe, None, to_s, feedback)
        whole_end = True
        for count, packet in enumerate(packets_of(container, stream, rows)):
            if count % _CANCEL_EVERY == 0:
                feedback.check()
            if packet.dts is not None and stop_pts is not None and packet.dts > stop_pts:
                whole_end = False  # every later picture is shown later still
                break
            _append(rows, packet, parse)
        if not rows.pts and rows.complete_timestamps and start_s is None:
            raise VideoError(f"{path} holds a video stream without a single picture; give another file.")
        return _finish(rows, probe, stream, whole_end)


def packets_of(container: Any, stream: Any, rows: _Rows | None = None) -> Any:
    """Packets with bytes in them; errors of reading are stepped over while reading goes on after them."""
    packets, failures = container.demux(stream), 0
    while failures < 32:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            failures += 1
            if rows is not None:
                rows.errors += 1
            packets = container.demux(stream)
            continue
        if packet is None:
            return
        if packet.size:
            yield packet


def _append(rows: _Rows, packet: Any, parse: Any) -> None:
    if packet.pts is None:
        rows.complete_timestamps = False
        return
    rows.pts.append(packet.pts)
    # Matroska has no decoding times: FFmpeg guesses them, but for the first few packets.
    rows.dts.append(packet.dts if packet.dts is not None else packet.pts)
    rows.duration.append(packet.duration or 0)
    rows.key.append(packet.is_keyframe)
    rows.discard.append(packet.is_discard)
    rows.disposable.append(packet.is_disposable)
    rows.corrupt.append(packet.is_corrupt)
    rows.kinds.append(parse(head_of(packet)))


def _finish(rows: _Rows, probe: Probe, stream: Any, whole_end: bool) -> PacketIndex:
    pts, dts = np.array(rows.pts, dtype=np.int64), np.array(rows.dts, dtype=np.int64)
    layer = np.array([kind.layer for kind in rows.kinds], dtype=np.int64)
    droppable = np.array([kind.droppable for kind in rows.kinds], dtype=bool) & (layer == layer.max(initial=0))
    droppable |= np.array(rows.disposable, dtype=bool)
    entry = np.array(rows.key, dtype=bool) & np.array([kind.entry for kind in rows.kinds], dtype=bool)
    # Before the first entry nothing can be decoded; in a window those packets belong to the part left out.
    keep = slice(int(np.argmax(entry)) if entry.any() else 0, None)
    shown = ~np.array(rows.discard, dtype=bool) & (pts >= probe.origin_pts)
    corrupt = np.array(rows.corrupt, dtype=bool)
    corrupt[1:] |= corrupt[:-1]  # the mark may be set one packet early: where the broken one's first bytes are missing
    time_s = (pts - probe.origin_pts) * float(probe.time_base)
    duration = np.array(rows.duration, dtype=np.int64)
    end_s = _end_s(pts[shown], duration[shown], probe)
    lost = _mark_gaps(time_s[keep], corrupt[keep], probe.broadcast, rows.errors > 0)
    tail = _lost_tail(probe, stream, rows.dts[-1] if rows.dts else None, whole_end, end_s)
    regular = (
        rows.complete_timestamps
        and probe.true_timestamps
        and probe.codec in _ONE_PACKET_ONE_PICTURE
        and not any(kind.field for kind in rows.kinds)
        and bool(entry.any())
        and len(np.unique(pts)) == len(pts)
        and all(a < b for a, b in pairwise(pts[entry].tolist()))
    )
    return PacketIndex(
        pts[keep], dts[keep], duration[keep], entry[keep], droppable[keep], shown[keep], corrupt[keep],
        whole_end, (*lost, *tail), regular, end_s, time_s[keep],
    )  # fmt: skip


def _mark_gaps(time_s: FloatArray, corrupt: NDArray[np.bool_], broadcast: bool, any_error: bool) -> list[tuple[float, float]]:
    """Stretches whose packets are missing; the first packet after each is marked in ``corrupt`` (it leans on what is missing).

    A gap alone says nothing, for a picture may stand for long. It counts beside packets that the demuxer calls incomplete, and in a
    transport stream whose pictures are evenly spaced otherwise.
    """
    if len(time_s) < 3 or not (broadcast or corrupt.any() or any_error):
        return []
    order = np.argsort(time_s, kind="stable")
    times, steps = time_s[order], np.diff(time_s[order])
    usual = float(np.median(steps))
    even = broadcast and float((steps > 1.5 * usual).mean()) < _UNEVEN_SHARE
    beside = np.convolve(corrupt[order], np.ones(2 * _BESIDE + 1), mode="same") > 0
    gaps = np.flatnonzero((steps > 3 * usual) & (beside[:-1] | beside[1:] | any_error | even))
    for i in gaps:
        corrupt[order[i + 1 :].min()] = True
    return [(float(times[i]) + usual, float(times[i + 1])) for i in gaps]


def _end_s(pts: IntArray, duration: IntArray, probe: Probe) -> float:
    """When the last picture's showing ends: its own duration, else the usual distance of pictures."""
    if not len(pts):
        return 0.0
    last = int(np.argmax(pts))
    length = int(duration[last])
    if length <= 0 and len(pts) > 1:
        length = int(np.median(np.diff(np.sort(pts))))
    return float((int(pts[last]) + max(length, 1) - probe.origin_pts) * probe.time_base)


def _lost_tail(probe: Probe, stream: Any, last_dts: int | None, whole_end: bool, end_s: float) -> list[tuple[float, float]]:
    """What the container announces beyond the last packet it holds (a copy that broke off)."""
    if not whole_end or probe.duration_s is None or not probe.duration_is_streams or probe.duration_s - end_s < 0.1:
        return []
    entries = stream.index_entries
    if probe.has_index and len(entries) and last_dts is not None and entries[-1].timestamp <= last_dts:
        return []  # every packet is there: the announced length is only padded
    return [(end_s, probe.duration_s)]
