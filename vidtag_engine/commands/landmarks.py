"""The command "landmarks": where a video's camera stood at a moment, from points in its picture and on the map."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..command_arguments import LandmarksArguments
from ..export.landmark_rows import keep_landmarks, kept_landmarks, same_moment
from ..export.moments import VideoMoments, read_moments, video_named
from ..export.pins import PinRow
from ..export.review_file import review_path
from ..landmarks import COMMON_LENS, CameraPlace, Landmark, LensPrior, as_values, locate_camera
from ..types import InputError, UnwrittenError
from .landmark_lens import file_lens, lens_by_others
from .pin import run_pin
from .pin_actions import pin_values

_POINT = 4


def run_landmarks(arguments: LandmarksArguments) -> dict[str, Any]:
    """Find the place, and add it as a pin where that was asked for.

    Returns:
        ``places`` (each ``lat_deg``, ``lon_deg``, ``bearing_deg``, ``fov_deg``, ``focal_share``, ``focal_spread``, ``semi_major_m``, ``semi_minor_m``,
        ``azimuth_deg``, ``residual_px``, ``distance_m``, ``misfit``), ``ambiguous``, ``notes``, ``suspect``, ``lens``, ``video``, ``time_s``, ``points``,
        ``width_px``, ``height_px``, ``pin`` and ``review``. ``lens`` says what the field of view rests on besides these landmarks: ``given``, ``landmarks``
        (of other pictures of this video), ``file`` or ``common``. Without points ``places`` is empty and ``points`` are those that were kept.

    Raises:
        UnwrittenError: the result is gone or holds another video by now, or the review file cannot be written.
        InputError: the landmarks fix no place, or the place does not fit the result.
    """
    result = Path(arguments.result)
    try:
        video = video_named(read_moments(result), arguments.video, arguments.sha256, result.name)
        when = datetime.fromisoformat(arguments.when) if arguments.when else None
    except InputError as error:  # the result is gone, or is another video's by now
        raise UnwrittenError(str(error)) from error
    except ValueError as error:
        raise InputError(f"The landmarks' when cannot be understood ({error}): give it as 2026-05-01T09:30:00Z.") from error
    if not 0 <= arguments.time_s <= video.end_s + 1.0:
        raise InputError(f"{arguments.time_s:g} s lies outside the video {video.name}: give a time from 0 to {video.end_s:g} s.")
    landmarks, size_px = _landmarks(arguments.points), (arguments.width_px or video.width_px, arguments.height_px or video.height_px)
    said: dict[str, Any] = {"ambiguous": False, "places": [], "notes": [], "suspect": None, "pin": None, "lens": None}
    kept = kept_landmarks(result, video)
    if landmarks:
        source, lens = _lens(result, video, arguments, [one for time_s, one in kept.items() if not same_moment(time_s, arguments.time_s)])
        found = locate_camera(
            landmarks, *size_px, fov_deg=arguments.fov_deg, noise_px=arguments.noise_px, tilt_deg=arguments.tilt_deg, lens=lens
        )
        said |= as_values(found) | {"lens": source}
        if arguments.pin and found.ambiguous:
            raise InputError(f"{found.notes[0]} No pin was set.")
        if arguments.pin:
            said["pin"] = pin_values(_pinned(result, video, arguments, landmarks, size_px, found.places[0], when))
    else:
        landmarks, size_px = next((one for time_s, one in kept.items() if same_moment(time_s, arguments.time_s)), ([], size_px))
    points = [[one.x_px, one.y_px, one.lat_deg, one.lon_deg] for one in landmarks]
    return {
        **said, "video": video.name, "sha256": video.sha256, "time_s": arguments.time_s, "points": points, "width_px": size_px[0], "height_px": size_px[1],
        "review": str(review_path(result)),
    }  # fmt: skip


def _landmarks(points: Sequence[Sequence[float]]) -> list[Landmark]:
    found = []
    for number, point in enumerate(points, 1):
        try:
            values = [float(value) for value in point]
        except (TypeError, ValueError):
            values = []
        if len(values) != _POINT:
            raise InputError(f"Landmark {number} cannot be understood: give x and y in the picture, then latitude and longitude.")
        found.append(Landmark(*values))
    return found


def _lens(
    result: Path, video: VideoMoments, arguments: LandmarksArguments, others: list[tuple[list[Landmark], tuple[float, float]]]
) -> tuple[str, LensPrior]:
    """Where what is known of the lens comes from, and that. Landmarks of other pictures come on top of what the file says."""
    if arguments.fov_deg is not None:
        return "given", COMMON_LENS
    told = file_lens(video, [Path(place) for place in arguments.videos], result.parent)
    shown = lens_by_others(others, told or COMMON_LENS, noise_px=arguments.noise_px, tilt_deg=arguments.tilt_deg)
    if shown is not None:
        return "landmarks", shown
    return ("common", COMMON_LENS) if told is None else ("file", told)


def _pinned(
    result: Path,
    video: VideoMoments,
    arguments: LandmarksArguments,
    landmarks: list[Landmark],
    size_px: tuple[float, float],
    place: CameraPlace,
    when: datetime | None,
) -> PinRow:
    """The pin at the place; its radius is the ellipse's larger half axis, and at least a metre."""
    why = arguments.why or f"{len(landmarks)} landmarks, looking {place.bearing_deg:.0f}°"
    pin = run_pin(
        result,
        PinRow(
            video.name, None, place.lat_deg, place.lon_deg, radius_m=max(place.semi_major_m, 1.0), who=arguments.who, why=why, sha256=video.sha256,
            time_s=arguments.time_s, when=when,
        ),
    )  # fmt: skip
    keep_landmarks(result, video, arguments.time_s, landmarks, size_px, pin.number, arguments.who, pin.when or datetime.now(UTC))
    return pin
