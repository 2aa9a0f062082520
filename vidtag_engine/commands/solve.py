"""Decode a result's videos again with the pins that people have set. The model's own answer stays as it is; the new one stands beside it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..batch import check_output
from ..export import read_aoi, read_areas, read_geopackage
from ..export.columns import clean, joined
from ..export.confidence_tables import regions_table
from ..export.corrections import with_layers
from ..export.geopackage_read import FRAMES_PINNED, REGIONS_PINNED, TRAJECTORY_PINNED
from ..export.pins import PinRow, read_pins
from ..export.review_file import add_pins, copy_review, pins_of, review_path, same_moment
from ..export.scores_file import read_scores, scores_path, share_scores
from ..export.tables import frames_table, steps_table
from ..feedback import Feedback
from ..geodesy import geodesic_m, haversine_m
from ..inference.solved import decoder_of
from ..inference.with_pins import decode_with_pins
from ..outputs import check_files
from ..trajectory import Decoder, Pin
from ..trajectory.scores import VideoScores
from ..types import InputError, Trajectory, VideoResult
from .pin import check_once, fitted, video_of

_STOPPED = "Stopped; nothing was written."


def run_solve(
    result: Path,
    *,
    output: Path | None = None,
    pins: Sequence[PinRow] | None = None,
    overwrite: bool = False,
    feedback: Feedback = Feedback(),
) -> dict[str, Any]:
    """Solve every video that has a pin, and write the layers ``frames_pinned``, ``trajectory_pinned`` and ``regions_pinned``.

    Args:
        result: GeoPackage that geolocate wrote with ``--keep-scores``.
        output: a copy of it that gets the layers; None puts them into the result itself.
        pins: instead of those of the result's review file; that of the output then holds these. They need an output.
        overwrite: replace what is at ``output`` also where it is no result.
        feedback: of the whole.

    Returns:
        ``output``, ``layers``, ``seconds``, ``notes`` and ``videos``: name, pins, and how many frames moved and by how much at most.

    Raises:
        InputError: there are no pins, one does not fit, or a video's scores were not kept.
        CancelledError: stopped; nothing was written.
    """
    began = time.perf_counter()
    if output is not None:
        check_output(output)
        check_files("solve", {"result": result, "output": output, "overwrite": overwrite})
        output = None if output.exists() and result.exists() and output.samefile(result) else output
    if pins is not None and output is None:
        raise InputError("Pins from elsewhere go with a result of their own: give an output besides the result.")
    results, _ = read_geopackage(result)
    by_video, notes = pins_by_video(result, results, pins)
    solved: list[VideoResult] = []
    said: list[dict[str, Any]] = []
    for one in results:
        if one.info.name in by_video:
            mine = by_video[one.info.name]
            feedback.check(_STOPPED)
            feedback.tell(len(solved) / len(by_video), "solve", one.info.name)
            solution = solve(one.trajectory, read_scores(scores_path(result, one.sha256)), mine)
            solved.append(replace(one, trajectory=solution, pinned=True))
            said.append({"name": clean(one.info.name), "pins": len(mine), **_moved(one.trajectory, solved[-1].trajectory)})
    tables = {
        FRAMES_PINNED: (joined([frames_table(one) for one in solved]), "frames"),
        TRAJECTORY_PINNED: (joined([steps_table(one) for one in solved]), "trajectory"),
        REGIONS_PINNED: (regions_table(solved, read_aoi(result), read_areas(result)), "regions"),
    }
    feedback.check(_STOPPED)
    feedback.tell(0.95, "solve", "writing")
    with_layers(result, tables, output, overwrite=overwrite)
    if output is not None:
        notes += _hand_on(result, output, [pin for mine in by_video.values() for pin in mine], own=pins is None)
    if output is not None and not share_scores(result, output):
        notes.append(f"The scores stay beside {result.name} alone, as they cannot be linked: correct that one again, with all pins.")
    where, seconds = str(output or result), round(time.perf_counter() - began, 3)
    return {"output": where, "layers": list(tables), "videos": said, "seconds": seconds, "notes": notes}


def pins_by_video(
    result: Path, results: Sequence[VideoResult], given: Sequence[PinRow] | None
) -> tuple[dict[str, list[PinRow]], list[str]]:
    """The pins by their videos' names, each fitted to a sampled frame, one or more a frame that can all stand; and what is to be said of others."""
    pins = pins_of(result, results) if given is None else given
    if not pins:
        raise InputError(f"{result.name} has no pins: run vidtag pin to set some, or use 'Check frames' in QGIS.")
    digests = {one.sha256 for one in results}
    strange = [pin for pin in pins if given is None and pin.sha256 and pin.sha256 not in digests]
    if len(strange) == len(pins):
        raise InputError(
            f"The pins of {result.name} are of other videos ({strange[0].video}): run vidtag pin to set some, or use 'Check frames' in QGIS."
        )
    notes = [f"{len(strange)} of the pins are of videos that {result.name} does not hold."] if strange else []
    mine = [fitted(pin, results, result.name) for pin in pins if pin not in strange]
    check_once(mine, result.name)
    by_video: dict[str, list[PinRow]] = {}
    for video in results:
        fit = [pin for pin in mine if video_of(results, pin, result.name) is video]
        kept = _nearest_only(fit, video)
        notes += [
            f"The pin at {pin.time_s:g} s of {pin.video} was left out: another lies nearer to its frame." for pin in fit if pin not in kept
        ]
        if kept:
            by_video[video.info.name] = kept
    return by_video, notes


def _nearest_only(pins: list[PinRow], video: VideoResult) -> list[PinRow]:
    """Where pins of several moments fall on one sampled frame, as at a lower rate than they were set at: those of the nearest moment."""
    time_s = dict(zip(video.trajectory.frame_index.tolist(), video.trajectory.time_s.tolist(), strict=True))

    def away_s(pin: PinRow) -> float:
        return abs((pin.time_s or 0.0) - time_s[pin.frame_index or 0])

    nearest = {pin.frame_index: pin for pin in sorted(pins, key=away_s, reverse=True)}
    return [pin for pin in pins if same_moment(pin, nearest[pin.frame_index])]


def _hand_on(result: Path, output: Path, used: list[PinRow], *, own: bool) -> list[str]:
    """Give the output the pins that it was solved with; what else its review file held stays, and is told.

    Args:
        result, output: what was solved, and its copy.
        used: the pins.
        own: whether they are those of the result.
    """
    review = review_path(output)
    if own:
        copy_review(result, output)
    there = read_pins(review)
    new = [
        pin for pin in used if not any(same_moment(pin, one) and (pin.lat_deg, pin.lon_deg) == (one.lat_deg, one.lon_deg) for one in there)
    ]
    if new:
        add_pins(output, new, take_over=False)
    others = 0 if own else len(there) - (len(used) - len(new))
    return [f"{review.name} held {others} other pins, which stay there and count when {output.name} is solved again."] if others > 0 else []


def solve(trajectory: Trajectory, kept: VideoScores, pins: list[PinRow]) -> Trajectory:
    """A video's trajectory with pins as evidence; see :func:`.inference.with_pins.decode_with_pins`.

    Args:
        trajectory: as it was.
        kept: its scores.
        pins: of this video.

    Raises:
        InputError: a pin's frame has no picture, or its place lies outside the area.
    """
    return decode_with_pins(trajectory, kept, checked_pins(kept, pins))


def checked_pins(kept: VideoScores, pins: Sequence[PinRow]) -> list[Pin]:
    """Pins as the decoder takes them. Raises InputError as :func:`solve`."""
    rows = {int(index): row for row, index in enumerate(kept.frame_index)}
    decoder = decoder_of(kept)
    checked = [_checked(pin, rows, decoder) for pin in pins]
    _check_reach(pins, checked, kept)
    return checked


def _check_reach(given: Sequence[PinRow], pins: Sequence[Pin], kept: VideoScores) -> None:
    """Raise InputError where two pins of one shot lie farther apart than the top speed allows that the video was located with."""
    transition = kept.calibration.transition
    if transition.limit_mps is None:
        return
    shot = np.searchsorted(np.sort(kept.cuts), [pin.row for pin in pins], side="right")
    for number, (row, pin) in enumerate(zip(given, pins, strict=True)):
        for before, (other_row, other) in enumerate(zip(given[:number], pins[:number], strict=True)):
            if not (pin.here and other.here) or shot[number] != shot[before]:
                continue
            seconds = abs(float(kept.time_s[pin.row] - kept.time_s[other.row]))
            apart_m = float(
                haversine_m(np.asarray(pin.lat_deg), np.asarray(pin.lon_deg), np.asarray(other.lat_deg), np.asarray(other.lon_deg))
            )
            if apart_m - pin.radius_m - other.radius_m > transition.farthest_m(seconds, kept.spacing_m):
                kmh = 3.6 * transition.limit_mps
                raise InputError(
                    f"The pins on frames {other_row.frame_index} and {row.frame_index} of {row.video} lie {apart_m:,.0f} m apart, and {seconds:g} s at"
                    f" {kmh:g} km/h do not reach that far: move one, or run geolocate again with another --motion."
                )


def _checked(pin: PinRow, rows: dict[int, int], decoder: Decoder) -> Pin:
    """The pin as the decoder takes it; its frame is one of the result's."""
    if pin.frame_index is None or pin.frame_index not in rows:
        raise InputError(f"Frame {pin.frame_index} of {pin.video} has no picture: pin another frame.")
    nearest = decoder.lat_lon_deg[decoder.nearest(np.array([[pin.lat_deg, pin.lon_deg]]))[0]]
    away_m = float(haversine_m(np.asarray(pin.lat_deg), np.asarray(pin.lon_deg), *nearest))
    # Half a cell's diagonal, and the half cell that an area's edge may cut off.
    if pin.here and away_m > max(pin.radius_m, 1.5 * decoder.spacing_m):
        raise InputError(
            f"The pin on frame {pin.frame_index} of {pin.video} lies {away_m:,.0f} m outside the area that was searched:"
            " move it, or run geolocate again over a larger area."
        )
    # A pin means at least the cell that it lies in.
    return Pin(rows[pin.frame_index], pin.lat_deg, pin.lon_deg, max(pin.radius_m, 0.75 * decoder.spacing_m), pin.here)


def _moved(before: Trajectory, after: Trajectory) -> dict[str, Any]:
    """How many frames have another place now, and how far they went at most; those that had none count as moved."""
    away_m = geodesic_m(before.lat_deg, before.lon_deg, after.lat_deg, after.lon_deg)
    known = np.isfinite(after.lat_deg)
    return {
        "moved": int((known & ~(away_m <= 0)).sum()),
        "farthest_m": round(float(np.nanmax(away_m)), 1) if np.isfinite(away_m).any() else None,
    }
