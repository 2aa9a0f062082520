"""Opening video files with PyAV: every user mistake becomes one clear sentence, and what the container says is read once."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from ..types import InputError, VideoError

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path

    from numpy.typing import NDArray

# Packets looked at before a file is said to hold no picture that can be decoded (several long GOPs).
_PROBE_PACKETS = 1500
# More threads than this cost memory (each holds pictures) and bring nothing at one GOP at a time.
_MAX_THREADS = 8
# Strict output order keeps pictures from being dropped after a seek. "explode" makes decoders report errors rather than conceal
# them; H.264 marks concealed pictures as corrupt anyway, and would call an open group's first pictures an error after a seek.
_STILLS = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
# Natural logarithms of a pixel's width over its height: less is not worth drawing pictures anew, more is a damaged header.
_LEAST_ASPECT, _MOST_ASPECT = 0.01, 1.4
_STRICT_ORDER = {"strict": "1"}
_REPORT_ERRORS = {"strict": "1", "err_detect": "explode"}
# FFmpeg moves a track to the start of the sample that an MP4's edit list begins in. A picture that is not shown is marked so; a second of telemetry would only
# be said at another time, up to a second too early. Without this the edit list is a mere shift, as it is written. Other formats know no such option.
_EDITS_AS_WRITTEN = {"advanced_editlist": "0"}
_CLOCK = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")
_ISO_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:[.,]\d+)?)S)?")


@dataclass(frozen=True)
class Probe:
    """What a container says of the video stream that is read, checked by decoding its first picture.

    Args:
        stream_index: of the video stream within the container.
        codec: FFmpeg's name of the codec.
        time_base: seconds per timestamp unit.
        origin_pts: timestamp of the first picture shown: ``time_s`` = 0.
        duration_s: of the video stream, else of the container; None where neither says.
        duration_is_streams: whether ``duration_s`` is the video stream's own word (audio may run on longer).
        width_px, height_px: upright size, as it is shown: with square pixels.
        turn: quarter turns clockwise (0..3) that make the picture upright, after ``mirror``.
        mirror: whether the stored picture is first flipped left to right.
        start_time: UTC of the first picture, from the container's metadata.
        time_is_end: whether the container says when recording ended, so that ``start_time`` is its length before that.
        variable_frame_rate: whether the container's nominal and mean rates differ.
        has_index: whether the container lists every packet (MP4), so that missing ones can be told.
        broadcast: an MPEG transport stream, whose bytes may be lost on the way without the rest being wrong.
        usual_step: mean distance of pictures in timestamp units, at least 1.
        true_timestamps: whether a packet's timestamp is its own picture's (AVI has none: they only count packets).
        pixel_aspect: width of a stored pixel over its height.
        notes: what a user should know of the file, a sentence each.
    """

    stream_index: int
    codec: str
    time_base: Fraction
    origin_pts: int
    duration_s: float | None
    duration_is_streams: bool
    width_px: int
    height_px: int
    turn: int
    mirror: bool
    start_time: datetime | None
    time_is_end: bool
    variable_frame_rate: bool
    has_index: bool
    broadcast: bool
    usual_step: int
    true_timestamps: bool
    pixel_aspect: float = 1.0
    notes: tuple[str, ...] = ()


def check_readable_file(path: Path, what: str) -> None:
    """Raise InputError unless ``path`` is a file with bytes in it that this user may read; ``what`` names what was expected."""
    try:
        exists = path.exists()
    except OSError as error:
        raise InputError(f"{path} cannot be reached ({_reason(error)}); check the path and its permissions.") from error
    if not exists:
        raise InputError(f"{path} does not exist; check the path of the {what}.")
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a {what}; give a file, or let the folder be read as many videos or as images.")
    if not path.is_file():
        raise InputError(f"{path} is not a regular file; copy the {what} to disk first.")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} may not be read by this user; change its permissions.")
    if path.stat().st_size == 0:
        raise VideoError(f"{path} is empty (0 bytes); copy the {what} again.")


def open_container(path: Path, *, for_data: bool = False) -> Any:
    """Open ``path`` with FFmpeg. Raises InputError (one sentence) for what is not a readable media file.

    Args:
        path: of the file.
        for_data: times of data streams come out right, those of pictures do not (findings/ffmpeg-cut-telemetry.sh). Both count from the same zero.
    """
    check_readable_file(path, "video")
    # A name such as "http:x.mp4" must stay a file, never become a network address.
    address = f"file:{path}"
    try:
        return av.open(address, metadata_errors="replace", options=_EDITS_AS_WRITTEN if for_data else {})
    except av.error.FFmpegError as error:
        if error.errno in {errno.EACCES, errno.EPERM}:
            raise InputError(f"{path} may not be read by this user; change its permissions.") from error
        if _is_headless_mp4(path):
            sentence = (
                f"{path} is a truncated video: its index (moov) is missing, so nothing can be decoded; copy the file again or repair it."
            )
            raise VideoError(sentence) from error
        raise VideoError(f"{path} is not a video that FFmpeg can read ({_reason(error)}); convert it or give another file.") from error


def probe(path: Path) -> Probe:
    """Read what the container says and decode the first picture. Raises InputError where there is none."""
    with open_container(path) as container:
        stream = video_stream(container, path)
        frame, damaged, lowest = _first_picture(container, stream)
        if frame is None and damaged:
            raise VideoError(f"{path} holds no picture that can be decoded (damaged data); copy the file again or repair it.")
        if frame is None:
            raise VideoError(f"{path} holds a video stream without a single picture; give another file.")
        pts = frame.pts if frame.pts is not None else lowest
        origin = min(pts, lowest) if damaged else pts
        turn, mirror = orientation(frame)
        aspect = _pixel_aspect(stream)
        wide = round(frame.width * aspect)
        size = (frame.height, wide) if turn % 2 else (wide, frame.height)
        start_time, time_is_end = _start_time(container, stream, origin)
        duration, own = _duration_s(container, stream, origin)
        guessed, mean = stream.base_rate, stream.average_rate
        return Probe(
            stream_index=stream.index,
            codec=stream.codec_context.codec.name,
            time_base=stream.time_base,
            origin_pts=origin,
            duration_s=duration,
            duration_is_streams=own,
            width_px=size[0],
            height_px=size[1],
            turn=turn,
            mirror=mirror,
            start_time=start_time,
            time_is_end=time_is_end,
            variable_frame_rate=bool(guessed and mean and abs(guessed / mean - 1) > 0.01),
            has_index="mp4" in container.format.name,
            broadcast=container.format.name == "mpegts",
            usual_step=max(round(1 / ((mean or guessed or 25) * stream.time_base)), 1),
            true_timestamps=container.format.name != "avi",
            pixel_aspect=aspect,
            notes=_notes(container, stream),
        )


def video_stream(container: Any, path: Path) -> Any:
    """The video stream that a player would show: see :func:`_chosen`. Raises InputError where there is none."""
    streams = _video_streams(container)
    if not streams:
        held = "only audio" if container.streams.audio else "no video"
        raise VideoError(f"{path} holds {held}, no pictures; give a video file.")
    stream = streams[0]
    if len(streams) > 1:
        stats = path.stat()
        stream = container.streams[_chosen(path, stats.st_mtime_ns, stats.st_size)]
    if stream.codec_context is None:
        raise VideoError(f"{path} uses a video codec that this FFmpeg cannot decode; convert it to H.264.")
    return stream


def _video_streams(container: Any) -> list[Any]:
    """Without pictures that are marked as a cover or as thumbnails."""
    return [s for s in container.streams.video if not s.disposition & _STILLS]


@lru_cache(maxsize=64)
def _chosen(path: Path, modified_ns: int, size: int) -> int:  # noqa: ARG001 - a file that was changed is looked at anew
    """Index of the stream to read, of several: never a single still beside moving pictures; of these a default one, of these the largest.

    Dashcams and editors put a thumbnail first without marking it, players show the default, and a preview is smaller than what it is a preview of.
    """
    with open_container(path) as container:
        streams = _video_streams(container)
        pictures = dict.fromkeys([s.index for s in streams], 0)
        with contextlib.suppress(av.error.FFmpegError):
            for packet in islice(container.demux(streams), _PROBE_PACKETS):
                pictures[packet.stream.index] += bool(packet.size)

        def rank(stream: Any) -> tuple[bool, bool, int, int]:
            context = stream.codec_context
            moving = pictures[stream.index] > 1 or max(pictures.values()) <= 1
            default = bool(stream.disposition & av.stream.Disposition.default)
            return moving, default, context.width * context.height if context is not None else 0, -stream.index

        return int(max(streams, key=rank).index)


def _notes(container: Any, stream: Any) -> tuple[str, ...]:
    """What a user should know of how the file was taken, a sentence each."""
    others = [s for s in _video_streams(container) if s.index != stream.index and s.codec_context is not None]
    if not others:
        return ()
    sizes = ", ".join(f"{s.codec_context.width} x {s.codec_context.height}" for s in others)
    own = f"{stream.codec_context.width} x {stream.codec_context.height}"
    return (f"It holds {len(others) + 1} video streams; the one of {own} pixels was read, not that of {sizes}.",)


def _pixel_aspect(stream: Any) -> float:
    """Width of a pixel over its height, as a player honours it; 1 where that is not said or makes no sense."""
    ratio = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    aspect = float(ratio) if ratio else 1.0
    return aspect if _LEAST_ASPECT < abs(math.log(aspect)) < _MOST_ASPECT else 1.0


def prepare_decoder(stream: Any, threads: int = 0) -> Any:
    """Set the codec context of ``stream`` to report errors; ``threads``: 0 as many as pay here, 1 so that an error is its packet's own."""
    context = stream.codec_context
    context.options = dict(_STRICT_ORDER if context.codec.name == "h264" else _REPORT_ERRORS)
    context.thread_count = threads or min(os.cpu_count() or 1, _MAX_THREADS)
    context.thread_type = "SLICE" if threads == 1 else "AUTO"
    return context


def orientation(frame: Any) -> tuple[int, bool]:
    """Clockwise quarter turns and left-right mirror that make ``frame`` upright, from its display matrix (nearest quarter turn)."""
    side = frame.side_data.get("DISPLAYMATRIX")
    if side is None:
        return 0, False
    a, b, _, c, d = np.frombuffer(bytes(side), dtype=np.int32)[:5].astype(np.float64)
    mirror = a * d - b * c < 0
    if mirror:  # undo a flip of x before the turn
        a, b = -a, -b
    # The matrix maps (x, y) to (ax + cy, bx + dy), y downward: the x axis turns clockwise by atan2(b, a).
    return round(math.degrees(math.atan2(b, a)) / 90.0) % 4, bool(mirror)


def upright(picture: NDArray[np.uint8], turn: int, mirror: bool) -> NDArray[np.uint8]:
    """Apply ``orientation`` to a picture, (height, width) or (height, width, 3)."""
    if mirror:
        picture = picture[:, ::-1]
    if turn:
        picture = np.rot90(picture, -turn)
    return np.ascontiguousarray(picture)


def parse_time(text: str) -> datetime | None:
    """An ISO time as UTC (a naive one is taken as UTC); None for what is none, or for a camera's zero date (1904, 1970)."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment if moment.year > 1970 else None


def parse_duration_s(text: str) -> float | None:
    """A duration in a container's tag, seconds: Matroska's "00:00:10.500000000", or ISO 8601's "PT10.5S"; None for any other text."""
    found = _CLOCK.fullmatch(text.strip()) or _ISO_DURATION.fullmatch(text.strip().upper())
    if found is None or not any(found.groups()):
        return None
    hours, minutes, seconds = (float((part or "0").replace(",", ".")) for part in found.groups())
    return hours * 3600.0 + minutes * 60.0 + seconds


def _first_picture(container: Any, stream: Any) -> tuple[Any, bool, int]:
    """The first picture that decodes (or None), whether data before it was damaged, and the lowest timestamp seen."""
    context = prepare_decoder(stream)
    damaged, lowest = False, None
    packets = islice(container.demux(stream), _PROBE_PACKETS)
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                return None, damaged, lowest or 0
            if packet.size and packet.pts is not None and not packet.is_discard:
                lowest = packet.pts if lowest is None else min(lowest, packet.pts)
            for frame in context.decode(packet if packet.size else None):
                return frame, damaged, lowest or 0
        except av.error.FFmpegError:
            damaged = True
            if packet is None or not packet.size:  # the flush itself failed
                return None, True, lowest or 0


def _duration_s(container: Any, stream: Any, origin_pts: int) -> tuple[float | None, bool]:
    if stream.duration and container.format.name == "avi":  # its first packet's number is not its first picture's
        return float(stream.duration * stream.time_base), True
    if stream.duration:
        end = (stream.start_time if stream.start_time is not None else origin_pts) + stream.duration
        return max(float((end - origin_pts) * stream.time_base), 0.0), True
    for key, value in stream.metadata.items():
        end_s = parse_duration_s(value) if key.upper().startswith("DURATION") else None
        if end_s is not None:  # counted from timestamp 0
            return max(end_s - float(origin_pts * stream.time_base), 0.0), True
    return (container.duration / 1e6 if container.duration else None), False


def _start_time(container: Any, stream: Any, origin_pts: int) -> tuple[datetime | None, bool]:
    """When the first picture was taken, and whether that was reckoned back from the recording's end.

    Apple's own key carries the zone; creation_time is UTC by specification (some cameras write local time there). Android sets it when the file
    is closed. All speak of the file's own time 0, and the pictures may begin later.
    """
    starts_s = float(origin_pts * stream.time_base)
    begins_later = starts_s > 0 and container.format.name != "mpegts"
    for key in ("com.apple.quicktime.creationdate", "creation_time", "date"):
        for metadata in (container.metadata, stream.metadata):
            text = metadata.get(key, "")
            moment = parse_time(text) if len(text) > 10 else None
            if moment is None:
                continue
            at_end = key == "creation_time" and bool(container.duration) and any(k.startswith("com.android.") for k in container.metadata)
            moment -= timedelta(seconds=container.duration / av.time_base if at_end else 0.0)
            return moment + timedelta(seconds=starts_s if begins_later else 0.0), at_end
    return None, False


def _is_headless_mp4(path: Path) -> bool:
    """Whether the file starts as MP4/MOV but no ``moov`` box lies at its top level."""
    size = path.stat().st_size
    with path.open("rb") as file:
        position = 0
        boxes: list[bytes] = []
        while position + 8 <= size and len(boxes) < 64:
            file.seek(position)
            header = file.read(16)
            length = int.from_bytes(header[:4], "big")
            boxes.append(header[4:8])
            if length == 1:
                length = int.from_bytes(header[8:16], "big")
            if length < 8:
                break
            position += length
    return bool(boxes) and boxes[0] in {b"ftyp", b"wide", b"mdat", b"free", b"skip"} and b"moov" not in boxes


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
