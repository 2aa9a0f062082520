"""The places that one frame of a result may be of, and its whole posterior: decoded again from the scores that were kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..command_arguments import PlacesArguments
from ..export import read_geopackage
from ..export.columns import clean
from ..export.geopackage_read import read_answers
from ..export.match_places import MatchPlace, read_match_places
from ..export.posterior_file import write_posterior
from ..export.review_file import review_path
from ..export.scores_file import read_scores, scores_path
from ..geodesy import geodesic_m
from ..inference.frame_places import CandidatePlace, FramePosteriors
from ..outputs import check_files
from ..trajectory.modes import MOST_PLACES
from ..trajectory.scores import VideoScores
from ..types import FloatArray, FrameState, InputError, VideoResult
from .solve import checked_pins, pins_by_video, solve

MODEL, PINNED = "model", "pinned"
_MOST_BYTES = 400_000_000
_SAME_S, _SAME_M, _SAME_SHARE = 0.002, 1.0, 0.02
_AGAIN = "run geolocate again with --keep-scores --overwrite; its pins are kept."


@dataclass(frozen=True)
class _Reading:
    """A result as it was read: the model's answers and, where they are asked for, those that were solved with pins."""

    model: list[VideoResult]
    answers: list[VideoResult]
    decoder: str
    matches: dict[str, list[MatchPlace]]


class PlacesSession:
    """What stays from one frame to the next: the result as it was last read, and its last video decoded, as long as their files do not change.

    The scores themselves are not held. Posteriors of more than 400 MB are decoded anew each time; the decoder keeps them to some 320 MB.
    """

    def __init__(self) -> None:
        self._read: tuple[Any, _Reading] | None = None
        self._decoded: tuple[Any, FramePosteriors] | None = None

    def reading(self, result: Path, *, pinned: bool) -> _Reading:
        """The result; read again where it has changed."""
        key = (_stamp(result), pinned)
        if self._read is None or self._read[0] != key:
            model, provenance = read_geopackage(result)
            answers = read_answers(result, PINNED)[0] if pinned else model
            self._read = key, _Reading(model, answers, str(provenance.settings.get("decoder", "")), read_match_places(result))
        return self._read[1]

    def decoded(self, result: Path, read: _Reading, video: VideoResult) -> FramePosteriors:
        """The video's posteriors; decoded again where its scores or pins have changed."""
        scores = scores_path(result, video.sha256)
        key = (
            _stamp(scores),
            video.trajectory.confidence_radius_m,
            (_stamp(review_path(result)), _stamp(result)) if video.pinned else None,
        )
        if self._decoded is not None and self._decoded[0] == key:
            return self._decoded[1]
        self._decoded = None  # two are not held at once
        kept = read_scores(scores)
        _check_scores(video, kept, scores.name)
        found = _with_pins(result, read, video, kept) if video.pinned else FramePosteriors(kept, video.trajectory.confidence_radius_m)
        if found.size_bytes <= _MOST_BYTES:
            self._decoded = key, found
        return found


def run_places(arguments: PlacesArguments, *, session: PlacesSession | None = None) -> dict[str, Any]:
    """Say where a frame may be, and if asked write its posterior.

    Args:
        arguments: see there.
        session: what an earlier call has left.

    Returns:
        ``video``, ``frame_index``, ``time_s``, ``state``, ``radius_m``; ``why``: one sentence where there are no candidates, else empty; ``rated``: whether shares
        are probabilities; ``unknown_share``: what lies on ground that the checkpoint does not know, or outside the area; ``elsewhere_share``: what lies at no
        candidate; ``candidates``: rank, ``lat_deg``, ``lon_deg``, ``share``, ``answer`` and ``reference`` (or None: ``fid`` in the layer matches, ``source``,
        ``image_id``, ``similarity``, ``away_m``); ``posterior``: None, or ``file``, ``cells`` and ``share``, their sum. Shares are None where they are not rated.

    Raises:
        InputError: no such result, video or frame; its scores were not kept, or are not what the result was made from; or the posterior cannot be written.
    """
    check_files("places", asdict(arguments))
    if arguments.answer not in (MODEL, PINNED):
        raise InputError(f"There is no answer {arguments.answer!r}: choose {MODEL} or {PINNED}.")
    session = session or PlacesSession()
    result = Path(arguments.result)
    read = session.reading(result, pinned=arguments.answer == PINNED)
    video = _video(read.answers, arguments.video, result.name)
    row = _row(video, arguments)
    t = video.trajectory
    said: dict[str, Any] = {
        "video": clean(video.info.name), "frame_index": int(t.frame_index[row]), "time_s": float(t.time_s[row]), "state": t.state[row].value,
        "radius_m": t.confidence_radius_m, "why": "", "rated": False, "unknown_share": None, "elsewhere_share": None, "candidates": [], "posterior": None,
    }  # fmt: skip
    if why := _withheld(video, row):
        return {**said, "why": why}
    answer, confidence = np.array([t.lat_deg[row], t.lon_deg[row]]), float(t.confidence[row])
    matches = read.matches.get(said["video"], [])
    if (ways := _on_ways(video, row, answer, confidence)) is not None:
        why = (
            "The video was placed by its way along roads: these are the places of its candidate ways, and there is no posterior of a frame."
        )
        return {**said, "why": why, "candidates": _candidates(ways, matches, said["frame_index"], t.confidence_radius_m)}
    if read.decoder == "none" or (t.hypotheses is None and not scores_path(result, video.sha256).exists()):
        raise InputError(
            f"{video.info.name} was located frame by frame, so no frame has a posterior: run geolocate again with --decoder hmm --keep-scores --overwrite."
        )
    decoded = session.decoded(result, read, video)
    of = decoded.row_of(said["frame_index"])
    if of is None:
        raise InputError(f"The scores of {video.info.name} lack frame {said['frame_index']}: {_AGAIN}")
    found = decoded.candidates(of, answer, confidence)
    rated = math.isfinite(confidence)
    if rated:
        said |= {
            "unknown_share": decoded.unknown_share,
            "elsewhere_share": max(0.0, 1.0 - decoded.unknown_share - sum(one.share for one in found)),
        }
    said |= {"rated": rated, "candidates": _candidates(found, matches, said["frame_index"], t.confidence_radius_m)}
    if arguments.posterior:
        said["posterior"] = _write(Path(arguments.posterior), said, decoded, of, overwrite=arguments.overwrite)
    return said


def _write(path: Path, said: dict[str, Any], decoded: FramePosteriors, row: int, *, overwrite: bool) -> dict[str, Any]:
    lat_lon_deg, share = decoded.cells(row)
    write_posterior(
        path, said["video"], said["frame_index"], lat_lon_deg, share, decoded.spacing_m, rated=said["rated"], overwrite=overwrite
    )
    return {"file": str(path), "cells": len(share), "share": float(share.sum()) if said["rated"] else None}


def _candidates(found: Sequence[CandidatePlace], matches: Sequence[MatchPlace], frame_index: int, radius_m: float) -> list[dict[str, Any]]:
    return [
        {
            "rank": rank, "lat_deg": one.lat_deg, "lon_deg": one.lon_deg, "share": one.share if math.isfinite(one.share) else None, "answer": one.answer,
            "reference": _reference(one, matches, frame_index, radius_m),
        }
        for rank, one in enumerate(found, 1)
    ]  # fmt: skip


def _reference(place: CandidatePlace, matches: Sequence[MatchPlace], frame_index: int, radius_m: float) -> dict[str, Any] | None:
    """The reference image that speaks for a place most: the frame's own best for its answer, else the best of any frame's that was taken there."""
    own = [one for one in matches if one.frame_index == frame_index] if place.answer else []
    if own:
        best = min(own, key=lambda one: one.rank)
        away_m = _away_m(place, [best])[0]
    else:
        away = _away_m(place, matches)
        near = [(one, float(m)) for one, m in zip(matches, away, strict=True) if m <= radius_m]
        if not near:
            return None
        best, away_m = max(near, key=lambda one: one[0].similarity)
    said = {"fid": best.fid, "source": best.source, "image_id": best.image_id, "similarity": best.similarity}
    return {**said, "away_m": round(float(away_m), 1) if math.isfinite(away_m) else None}


def _away_m(place: CandidatePlace, matches: Sequence[MatchPlace]) -> FloatArray:
    lat, lon = (np.array([getattr(one, name) for one in matches], dtype=np.float64) for name in ("lat_deg", "lon_deg"))
    found: FloatArray = geodesic_m(np.full(len(matches), place.lat_deg), np.full(len(matches), place.lon_deg), lat, lon)
    return found


def _video(videos: Sequence[VideoResult], name: str, source: str) -> VideoResult:
    found = [one for one in videos if name in {clean(one.info.name), one.info.name}] if name else list(videos)
    if len(found) != 1:
        names = ", ".join(one.info.name for one in videos[:20]) or "none"
        raise InputError(f"{source} holds {'no video ' + repr(name) if name else 'not just one video'}: say which one is meant ({names}).")
    return found[0]


def _row(video: VideoResult, arguments: PlacesArguments) -> int:
    """Row of the frame that is asked for: of a number, or the one nearest to a time."""
    t, name = video.trajectory, video.info.name
    if (arguments.time_s is None) == (arguments.frame_index is None):
        raise InputError("Say which frame is meant: give --time-s or --frame, one of them.")
    if not len(t.frame_index):
        raise InputError(f"{name} has no sampled frame: run geolocate again.")
    if arguments.time_s is None:
        rows = np.flatnonzero(t.frame_index == arguments.frame_index)
        if not len(rows):
            raise InputError(
                f"{name} has no frame {arguments.frame_index}: give one of its sampled frames (0 to {int(t.frame_index[-1])})."
            )
        return int(rows[0])
    end_s = max(float(t.time_s[-1]), video.info.duration_s or 0.0)
    if not -_SAME_S <= arguments.time_s <= end_s + _SAME_S:
        raise InputError(f"{arguments.time_s:g} s lies outside the video {name}: give a time from 0 to {end_s:g} s.")
    return int(np.abs(t.time_s - arguments.time_s).argmin())


def _withheld(video: VideoResult, row: int) -> str:
    """Why nothing is said of a frame's place; empty where something is."""
    t = video.trajectory
    if t.state[row] is FrameState.DAMAGED:
        return "The video is damaged here: this frame has no picture, and no candidate places."
    if t.state[row] is FrameState.LOCATED and np.isfinite(t.lat_deg[row]):
        return ""
    why = t.verdict.why if t.verdict is not None and t.verdict.why else f"its state is {t.state[row].value}."
    return f"No candidate places, as the video is not located: {why}"


def _on_ways(video: VideoResult, row: int, answer: FloatArray, confidence: float) -> list[CandidatePlace] | None:
    """The frame's places on the ways that the video may have gone, where its answer is one of these; None where pictures placed it."""
    t = video.trajectory
    seen = np.flatnonzero(np.array([state is not FrameState.DAMAGED for state in t.state]))
    at = int(np.searchsorted(seen, row))
    places = [
        np.array([way.lat_deg[at], way.lon_deg[at]])
        for way in sorted(video.candidates, key=lambda way: way.rank)
        if len(way.lat_deg) == len(seen)
    ]
    if not places or not _apart_m(answer, places[0]) <= _SAME_M:
        return [] if video.candidates and t.hypotheses is None else None
    found = [CandidatePlace(float(answer[0]), float(answer[1]), confidence, math.nan, answer=True)]
    for place in places[1:]:
        if len(found) < MOST_PLACES and all(
            _apart_m(place, np.array([one.lat_deg, one.lon_deg])) >= 2.0 * t.confidence_radius_m for one in found
        ):
            found.append(CandidatePlace(float(place[0]), float(place[1]), math.nan, math.nan, answer=False))
    return found


def _with_pins(result: Path, read: _Reading, video: VideoResult, kept: VideoScores) -> FramePosteriors:
    """Decoded with today's pins. Raises InputError where these are not what the answer was solved with."""
    model = next(one for one in read.model if one.info.name == video.info.name)
    pins = pins_by_video(result, read.model, None)[0].get(video.info.name, [])
    stale = InputError(f"The pins of {result.name} have changed since it was solved: solve it again with them.")
    if not pins:
        raise stale
    now, then = solve(model.trajectory, kept, pins), video.trajectory
    moved_m = geodesic_m(now.lat_deg, now.lon_deg, then.lat_deg, then.lon_deg)
    known = np.isfinite(now.lat_deg)
    changed = np.abs(now.confidence - then.confidence)
    if (
        (known != np.isfinite(then.lat_deg)).any()
        or (moved_m[known] > _SAME_M).any()
        or (changed[np.isfinite(changed)] > _SAME_SHARE).any()
    ):
        raise stale
    return FramePosteriors(kept, then.confidence_radius_m, checked_pins(kept, pins))


def _check_scores(video: VideoResult, kept: VideoScores, name: str) -> None:
    """Raise InputError where scores are not those of the run that made the result."""
    times = dict(zip(video.trajectory.frame_index.tolist(), video.trajectory.time_s.tolist(), strict=True))
    if any(abs(times.get(int(index), math.inf) - time_s) > _SAME_S for index, time_s in zip(kept.frame_index, kept.time_s, strict=True)):
        raise InputError(f"The scores {name} are of another run than the result: {_AGAIN}")


def _apart_m(one: FloatArray, other: FloatArray) -> float:
    return float(geodesic_m(one[:1], one[1:], other[:1], other[1:])[0])


def _stamp(path: Path) -> tuple[str, int, int] | None:
    """What tells a file from what it was before; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return str(path.resolve()), found.st_mtime_ns, found.st_size
