"""Tracks at the frames' moments: what training learns from and evaluation compares with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from ..geodesy import WGS84, geodesic_m, wrap_lon
from ..types import FloatArray, InputError, TimeSource, Track, VideoInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

# A receiver that gives a fix a second or a few may start a little late: this far past its ends the end itself is the answer.
TOLERANCE_S = 2.0
# A straight line over a longer silence is no truth, unless the receiver stood still.
MAX_GAP_S = 60.0
STOOD_STILL_M = 100.0

# Between a track's length and its video's: a unit taken for another is off by a thousand or a million; from here on it is said, or refused.
_ODD_RATIO, _UNIT_RATIOS = 20.0, ((500.0, 2000.0), (5e5, 2e6))

BEFORE = "before the track begins"
AFTER = "after the track ends"
GAP = "in a gap of the track"
UNNAMED = "no position under the image's name"
NO_FIX = "the track has no fixes"


@dataclass(frozen=True)
class Alignment:
    """A track at the frames' moments.

    Args:
        lat_deg, lon_deg: (T,) NaN where the track does not say.
        note: how frames and track were matched, and ``warnings``, for people.
        missing: how many frames have no position, by reason.
        why_none: where no frame has a position, a clause that names the track and says why; else empty.
        warnings: what a person should look at: what was left out of the track, and what of its times looks odd; whole sentences.
    """

    lat_deg: FloatArray
    lon_deg: FloatArray
    note: str
    missing: dict[str, int]
    why_none: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def overlaps(self) -> bool:
        """Whether any frame has a position."""
        return bool(np.isfinite(self.lat_deg).any())


def interpolate_track(
    track: Track, time_s: FloatArray, *, tolerance_s: float = TOLERANCE_S, max_gap_s: float | None = MAX_GAP_S
) -> tuple[FloatArray, FloatArray]:
    """Position at given moments, at even speed along the geodesic between two fixes.

    Args:
        track: at least one fix; fixes with NaN are passed over.
        time_s: (T,) on the track's own clock.
        tolerance_s: within this of the track's ends its end point is the answer, beyond it NaN.
        max_gap_s: NaN between fixes farther apart in time than this and more than 100 m apart on the ground; None for no such limit.

    Returns:
        lat_deg, lon_deg, each (T,); longitudes in [-180, 180).
    """
    lat, lon, _ = _interpolate(track, np.asarray(time_s, dtype=np.float64), tolerance_s, max_gap_s)
    return lat, lon


def align_track(
    track: Track,
    info: VideoInfo,
    frame_times_s: FloatArray,
    frame_names: Sequence[str] | None = None,
    *,
    tolerance_s: float = TOLERANCE_S,
    max_gap_s: float | None = MAX_GAP_S,
) -> tuple[FloatArray, FloatArray, str]:
    """Positions of a video's frames from a track, and a sentence on how they were matched; see :func:`align`."""
    found = align(track, info, frame_times_s, frame_names, tolerance_s=tolerance_s, max_gap_s=max_gap_s)
    return found.lat_deg, found.lon_deg, found.note


def align(
    track: Track,
    info: VideoInfo,
    frame_times_s: FloatArray,
    frame_names: Sequence[str] | None = None,
    *,
    tolerance_s: float = TOLERANCE_S,
    max_gap_s: float | None = MAX_GAP_S,
) -> Alignment:
    """Match a track with a video's frames: by image name where both have names, else by time.

    A track in Unix time is laid on the video's start time. Where that is unknown (``TimeSource.SYNTHETIC``), the track's first fix is
    taken as the video's start, and the note says so.

    Args:
        track: the positions.
        info: whose frames they are.
        frame_times_s: (T,) seconds after the video's start.
        frame_names: (T,) file names of the frames of an image folder.
        tolerance_s: as for :func:`interpolate_track`.
        max_gap_s: likewise.

    Raises:
        InputError: the track is a thousand or a million times as long as the video, or as short: its times are in another unit.
    """
    times_s = np.asarray(frame_times_s, dtype=np.float64)
    if track.names is not None and frame_names is not None:
        found = _by_name(track, frame_names)
        if found is not None:
            return found
    fixes_s = _usable(track)[0]
    if not len(fixes_s):
        nothing, why = np.full(len(times_s), np.nan), f"the {track.source} track has no fixes"
        return Alignment(nothing, nothing.copy(), f"{_sentence(why)}.", {NO_FIX: len(times_s)}, why)
    offset_s, how = 0.0, f"{track.source} track matched by seconds after the video's start."
    if track.absolute and info.time_source is TimeSource.SYNTHETIC:
        offset_s = float(fixes_s[0])
        how = f"The start time of {info.name} is not known: the {track.source} track's first fix was taken as its start."
    elif track.absolute:
        offset_s = _unix(info.start_time)
        how = f"{track.source} track matched by time; the start time of {info.name} comes from: {info.time_source.value}."
    warnings = [track.note] if track.note else []
    if not track.absolute:
        warnings += _odd_length(track, info, fixes_s, times_s)
    lat, lon, reasons = _interpolate(track, times_s + offset_s, tolerance_s, max_gap_s)
    shifted = _fits_shifted(track, info, times_s + offset_s, int(np.isfinite(lat).sum()), (tolerance_s, max_gap_s))
    warnings += [f"{_sentence(shifted)}."] if shifted else []
    missing = dict(Counter(reason for reason in reasons if reason))
    why = ""
    if len(times_s) and sum(missing.values()) == len(times_s):
        why = _no_overlap(track, info, fixes_s, times_s + offset_s)
        how += f" {_sentence(why)}."
        why += f" ({shifted})" if shifted else ""
    elif missing:
        how += f" {sum(missing.values())} of {len(times_s)} frames have no position there."
    return Alignment(lat, lon, " ".join([how, *warnings]), missing, why, tuple(warnings))


def _odd_length(track: Track, info: VideoInfo, fixes_s: FloatArray, frames_s: FloatArray) -> list[str]:
    """A warning where a track in seconds of the video is far longer or shorter than the video. Raises InputError where a unit explains it."""
    frames_s = frames_s[np.isfinite(frames_s)]
    video_s = info.duration_s or (float(np.ptp(frames_s)) if len(frames_s) else 0.0)
    track_s = float(np.ptp(fixes_s))
    if video_s <= 0 or track_s <= 0 or track.names is not None:
        return []
    ratio = max(track_s / video_s, video_s / track_s)
    if any(low <= ratio <= high for low, high in _UNIT_RATIOS):
        raise InputError(
            f"The {track.source} track lasts {track_s:g} s and {info.name} {video_s:g} s: its times are in another unit than seconds; name the"
            " column by its unit, such as time_ms, or write seconds."
        )
    return (
        [f"The {track.source} track lasts {track_s:g} s and {info.name} {video_s:g} s: check the unit of its times."]
        if ratio >= _ODD_RATIO
        else []
    )


def _fits_shifted(track: Track, info: VideoInfo, frames_s: FloatArray, fitting: int, limits: tuple[float, float | None]) -> str:
    """A clause where more frames have a position if the file's clock time is taken for the recording's other end; else empty."""
    signs = {TimeSource.CONTAINER: -1.0, TimeSource.CONTAINER_END: 1.0}
    if not track.absolute or info.time_source not in signs or not info.duration_s or len(frames_s) < 2:
        return ""
    shift_s = signs[info.time_source] * info.duration_s
    better = int(np.isfinite(_interpolate(track, frames_s + shift_s, *limits)[0]).sum())
    if better <= fitting + max(1, len(frames_s) // 20):
        return ""
    end, start = ("end", "start") if shift_s < 0 else ("start", "end")
    begin = f"{datetime.fromtimestamp(_unix(info.start_time) + shift_s, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return (
        f"{better} instead of {fitting} frames have a position if {info.name} says the {end} of the recording, not its {start}, as some cameras"
        f" do: geolocate it with --start-time {begin} if that is so"
    )


def _sentence(clause: str) -> str:
    return clause[:1].upper() + clause[1:]


def _unix(moment: datetime) -> float:
    # Times without a zone are UTC everywhere in the engine; datetime.timestamp() would take them for local time.
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _usable(track: Track) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Time, latitude, longitude of the fixes that have all three, in time order."""
    time_s, lat, lon = (np.asarray(a, dtype=np.float64) for a in (track.time_s, track.lat_deg, track.lon_deg))
    known = np.isfinite(time_s) & np.isfinite(lat) & np.isfinite(lon)
    order = np.argsort(time_s[known], kind="stable")
    return time_s[known][order], lat[known][order], lon[known][order]


def _interpolate(track: Track, at_s: FloatArray, tolerance_s: float, max_gap_s: float | None) -> tuple[FloatArray, FloatArray, list[str]]:
    """Positions (T,) and, for each moment, why there is none ("" where there is one)."""
    time_s, lat, lon = _usable(track)
    result_lat, result_lon = np.full(at_s.shape, np.nan), np.full(at_s.shape, np.nan)
    if not len(time_s):
        return result_lat, result_lon, [NO_FIX] * len(at_s)
    before, after = at_s < time_s[0] - tolerance_s, at_s > time_s[-1] + tolerance_s
    inside = np.clip(at_s, time_s[0], time_s[-1])
    right = np.clip(np.searchsorted(time_s, inside, side="right"), 0 if len(time_s) == 1 else 1, len(time_s) - 1)
    left = np.maximum(right - 1, 0)
    span_s = time_s[right] - time_s[left]
    share = np.divide(inside - time_s[left], span_s, out=np.zeros_like(inside), where=span_s > 0)
    in_gap = np.zeros(at_s.shape, dtype=bool)
    if max_gap_s is not None:
        long = span_s > max_gap_s
        moved = geodesic_m(lat[left], lon[left], lat[right], lon[right]) > STOOD_STILL_M
        # Near a fix the fix itself still speaks.
        near = np.minimum(inside - time_s[left], time_s[right] - inside) <= tolerance_s
        in_gap = long & moved & ~near
    known = np.isfinite(at_s) & ~before & ~after & ~in_gap
    if known.any():
        a, b = left[known], right[known]
        azimuth, _, length_m = WGS84.inv(lon[a], lat[a], lon[b], lat[b])
        there_lon, there_lat, _ = WGS84.fwd(lon[a], lat[a], azimuth, length_m * share[known])
        result_lat[known], result_lon[known] = there_lat, wrap_lon(there_lon)
    reasons = np.select([before, after, in_gap, ~known], [BEFORE, AFTER, GAP, NO_FIX], default="")
    return result_lat, result_lon, [str(reason) for reason in reasons]


def _by_name(track: Track, frame_names: Sequence[str]) -> Alignment | None:
    """Match by file name, then by name without folder and case; None where no name is in both."""
    places: dict[str, int] = {}
    for row, name in enumerate(track.names or ()):
        if np.isfinite(track.lat_deg[row]) and np.isfinite(track.lon_deg[row]):
            places.setdefault(name, row)
            places.setdefault(PurePath(name).name.casefold(), row)
    rows = [places.get(name, places.get(PurePath(name).name.casefold(), -1)) for name in frame_names]
    found = np.array(rows, dtype=np.int64).reshape(-1)
    named = found >= 0
    if not named.any():
        return None
    lat, lon = np.full(len(found), np.nan), np.full(len(found), np.nan)
    lat[named], lon[named] = track.lat_deg[found[named]], wrap_lon(track.lon_deg[found[named]])
    note = f"{track.source} track matched by image name: {int(named.sum())} of {len(found)} images have a position."
    missing = {UNNAMED: int((~named).sum())} if not named.all() else {}
    warnings = (track.note,) if track.note else ()
    return Alignment(lat, lon, " ".join([note, *warnings]), missing, warnings=warnings)


def _no_overlap(track: Track, info: VideoInfo, fixes_s: FloatArray, frames_s: FloatArray) -> str:
    """Say in a clause which times do not meet."""
    if not np.isfinite(frames_s).any():
        return f"the frames of {info.name} have no times"
    spans = [(float(np.nanmin(times_s)), float(np.nanmax(times_s))) for times_s in (fixes_s, frames_s)]
    if track.absolute:
        track_says, frames_say = (f"{_utc(a)} to {_utc(b)} UTC" for a, b in spans)
    else:
        track_says, frames_say = (f"{a:.1f} s to {b:.1f} s after the video's start" for a, b in spans)
    return f"the {track.source} track covers {track_says}, and the frames of {info.name} lie at {frames_say}, where it has no position"


def _utc(unix_s: float) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=float(unix_s))
    return moment.strftime("%Y-%m-%d %H:%M:%S")
