"""Compare finished results with known tracks."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..calibration.reliability import brier, ece
from ..feedback import Feedback
from ..truth_offset import AUTO, TruthOffset, apply_offset, offset_of
from ..types import FrameState, InputError, TimeSource, Track, VideoResult
from ..video import frame_names
from ..video.align_track import MAX_GAP_S, TOLERANCE_S, Alignment, align
from ..video.original import find_original
from . import metrics
from .comparison import Comparison
from .confidence import score_confidence
from .report import Accuracy, Confidence, Report, VideoReport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Accuracy", "Confidence", "Report", "VideoReport", "evaluate_geopackage", "evaluate_results"]

# Why a frame cannot be compared; damaged frames carry their own state.
NO_ANSWER = "the frame has no answer"
PINNED = "The answer was solved with pins set by a person: it is not the model's alone."


def evaluate_geopackage(
    path: str | Path,
    truth: Track | str | Path | Mapping[str, Track],
    *,
    video: str | None = None,
    radii_km: Sequence[float] = metrics.RADII_KM,
    max_gap_s: float | None = MAX_GAP_S,
    answer: str = "auto",
    truth_offset_s: float | str | None = None,
    videos: Sequence[str | Path] = (),
    feedback: Feedback = Feedback(),
) -> Report:
    """Evaluate a result that ``vidtag geolocate`` wrote.

    Args:
        path: its GeoPackage.
        truth: a track, a file or folder that holds one, or a track for each video's name.
        video: the one video to compare, where the result holds several.
        radii_km: of a_r.
        max_gap_s: the truth is not interpolated over longer silences; None for no such limit.
        answer: "auto" (of each video the one solved with pins, where there is one), "model" or "pinned" (as "auto", refused where there is none).
        truth_offset_s: added to the truth's clock; "auto" for what the picture's motion says, where that is sure.
        videos: for "auto", files or folders where the result's videos are looked for, besides beside the result and the truth.
        feedback: asked to stop while videos are looked at.

    Raises:
        InputError: nothing can be compared, and why.
        CancelledError: ``feedback`` said so.
    """
    from ..export import read_answers, read_aoi
    from ..video import read_track

    results, _ = read_answers(Path(path), answer)
    known: Track | Mapping[str, Track] = read_track(Path(truth)) if isinstance(truth, str | Path) else truth
    for place in videos:
        if not Path(place).exists():
            raise InputError(f"{place} is not there: correct the path of the videos.")
    beside = [Path(truth), Path(truth).parent] if isinstance(truth, str | Path) else []
    report = evaluate_results(
        results, known, video=video, radii_km=radii_km, max_gap_s=max_gap_s, source=Path(path).name, truth_offset_s=truth_offset_s,
        videos=[*map(Path, videos), Path(path).parent, *beside], feedback=feedback,
    )  # fmt: skip
    return replace(report, area=read_aoi(Path(path)))


def evaluate_results(
    results: Sequence[VideoResult],
    truth: Track | Mapping[str, Track],
    *,
    video: str | None = None,
    radii_km: Sequence[float] = metrics.RADII_KM,
    max_gap_s: float | None = MAX_GAP_S,
    source: str = "the result",
    truth_offset_s: float | str | None = None,
    videos: Sequence[Path] = (),
    feedback: Feedback = Feedback(),
) -> Report:
    """Evaluate results in memory; arguments as for :func:`evaluate_geopackage`, ``source`` names the result in messages."""
    chosen = _choose(results, truth, video, source)
    tracks = {one.info.name: truth if isinstance(truth, Track) else truth[one.info.name] for one in chosen}
    offsets: dict[str, TruthOffset] = {}
    if (asked := offset_of(truth_offset_s)) is not None:
        for one in chosen:
            name, file = one.info.name, _original(one, videos) if asked == AUTO else None
            tracks[name], offsets[name] = apply_offset(tracks[name], one.info, asked, file, feedback=feedback)
    comparisons = {one.info.name: _compare(one, tracks[one.info.name], max_gap_s) for one in chosen}
    usable = [comparison for comparison in comparisons.values() if len(comparison.predicted)]
    if not usable:
        raise InputError(_why_nothing(source, chosen, comparisons))
    reports = tuple(
        replace(_video_report(name, comparison, radii_km), truth_offset=offsets.get(name)) for name, comparison in comparisons.items()
    )
    return Report(
        source=source,
        radii_km=tuple(radii_km),
        videos=reports,
        overall=replace(accuracy_of(usable, radii_km), frames=sum(one.frames for one in reports)),
        results=tuple(chosen),
        truth=truth if isinstance(truth, Track) and not offsets else tracks,
        comparisons=comparisons,
        confidence=score_confidence([(one, comparisons[one.info.name]) for one in chosen]),
    )


def _original(result: VideoResult, places: Sequence[Path]) -> Path | None:
    """The file that a result was made from, among files or directly in folders; None where it is not there."""
    files, folders = ([place for place in places if place.is_dir() == is_folder] for is_folder in (False, True))
    images = result.info.kind == "images"
    try:
        return find_original(result.info.path.name, result.sha256, files, folders, images=images)
    except InputError:
        return None


def _why_nothing(source: str, chosen: Sequence[VideoResult], comparisons: Mapping[str, Comparison]) -> str:
    """Why no frame can be compared, and what to do about that very reason: clocks are no matter where there is no answer."""
    whys, advice = [], []
    for one in chosen:
        verdict = one.trajectory.verdict
        if comparisons[one.info.name].why_none:
            whys.append(comparisons[one.info.name].why_none)
            advice.append("check that the track belongs to the video and that geolocate knew the video's true start time")
        elif verdict and verdict.state is not FrameState.LOCATED:
            whys.append(f"the answer for {one.info.name} was withheld (judged {verdict.state.value.replace('_', ' ')})")
            advice.append("to evaluate its best guess all the same, run geolocate again so that it always answers (--always-answer)")
        else:
            whys.append(f"none of the frames of {one.info.name} has an answer")
            advice.append("see the states of its frames")
    return f"No frame of {source} can be compared with the truth: {'; '.join(whys)}; {'; '.join(dict.fromkeys(advice))}."


def _choose(results: Sequence[VideoResult], truth: Track | Mapping[str, Track], video: str | None, source: str) -> list[VideoResult]:
    """The videos to compare. Raises InputError where that is unclear."""
    names = ", ".join(one.info.name for one in results) or "none"
    if not results:
        raise InputError(f"There is no video in {source}: run 'vidtag geolocate' again and look at what it reports.")
    if video is not None:
        chosen = [one for one in results if video in {one.info.name, one.info.path.name}]
        if not chosen:
            raise InputError(f"There is no video {video!r} in {source}: choose one of {names}.")
    else:
        chosen = list(results)
    if isinstance(truth, Track):
        by_start = [one for one in chosen if not truth.absolute or one.info.time_source is TimeSource.SYNTHETIC]
        if len(chosen) > 1 and by_start:
            raise InputError(
                f"{source} holds several videos ({names}), and time does not say which of them the track belongs to: name one video."
            )
        return chosen
    with_truth = [one for one in chosen if one.info.name in truth]
    if not with_truth:
        raise InputError(f"None of the videos in {source} ({names}) has a truth: give a track under its name.")
    return with_truth


def _compare(result: VideoResult, truth: Track, max_gap_s: float | None) -> Comparison:
    """Pair a video's answers with the truth at their moments, and count what cannot be paired."""
    trajectory = result.trajectory
    answered = np.isfinite(trajectory.lat_deg) & np.isfinite(trajectory.lon_deg)
    left_out: dict[str, int] = {}
    for row in np.flatnonzero(~answered):
        state = trajectory.state[row]
        reason = NO_ANSWER if state is FrameState.LOCATED else f"the frame is {state.value}"
        left_out[reason] = left_out.get(reason, 0) + 1
    times_s = trajectory.time_s[answered]
    names = frame_names(result.info, times_s) if truth.names is not None else None
    found: Alignment = align(truth, result.info, times_s, names, tolerance_s=TOLERANCE_S, max_gap_s=max_gap_s)
    for reason, count in found.missing.items():
        left_out[reason] = left_out.get(reason, 0) + count
    rows = np.flatnonzero(answered)[np.isfinite(found.lat_deg)]
    known = np.isfinite(found.lat_deg)
    return Comparison(
        predicted=np.stack([trajectory.lat_deg[rows], trajectory.lon_deg[rows]], axis=1),
        truth=np.stack([found.lat_deg[known], found.lon_deg[known]], axis=1),
        phase1=np.stack([trajectory.phase1_lat_deg[rows], trajectory.phase1_lon_deg[rows]], axis=1),
        confidence=trajectory.confidence[rows],
        radius_m=trajectory.confidence_radius_m,
        left_out=left_out,
        note=f"{found.note} {PINNED}" if result.pinned else found.note,
        why_none=found.why_none,
        frames=len(trajectory.time_s),
        rows=rows,
    )


def accuracy_of(comparisons: Sequence[Comparison], radii_km: Sequence[float]) -> Accuracy:
    """The metrics of all comparisons together, each with at least one frame; videos count one each in the video-wise ones."""
    errors = [metrics.errors_m(one.predicted, one.truth) for one in comparisons]
    error_m = np.concatenate(errors)
    phase1_m = np.concatenate([metrics.errors_m(one.phase1, one.truth) for one in comparisons])
    said = np.concatenate([one.confidence for one in comparisons])
    right = np.concatenate([error <= one.radius_m for error, one in zip(errors, comparisons, strict=True)])
    known = np.isfinite(said)
    radii = {one.radius_m for one in comparisons}
    videos_m = np.array([metrics.video_error_m(one.predicted, one.truth) for one in comparisons])
    return Accuracy(
        frames=sum(one.frames for one in comparisons),
        compared=len(error_m),
        frame_accuracy_percent=metrics.frame_accuracy(error_m, radii_km),
        median_m=metrics.median_error_m(error_m),
        mean_m=float(error_m.mean()),
        p90_m=float(np.percentile(error_m, 90)),
        phase1_median_m=metrics.median_error_m(phase1_m[np.isfinite(phase1_m)]),
        video_accuracy_percent=metrics.frame_accuracy(videos_m, radii_km),
        video_median_m=metrics.median_error_m(videos_m),
        dfd_deg=_mean([metrics.dfd_deg(one.predicted, one.truth) for one in comparisons]),
        dfd_m=_mean([metrics.dfd_m(one.predicted, one.truth) for one in comparisons]),
        mrd_deg=_mean([metrics.mrd_deg(one.predicted, one.truth) for one in comparisons]),
        mrd_m=_mean([metrics.mrd_m(one.predicted, one.truth) for one in comparisons]),
        confidence=Confidence(
            radius_m=radii.pop() if len(radii) == 1 else math.nan,
            mean=float(said[known].mean()) if known.any() else math.nan,
            share_within=float(right[known].mean()) if known.any() else math.nan,
            ece=ece(said, right),
            brier=brier(said, right),
            not_rated=int((~known).sum()),
        ),
    )


def _video_report(name: str, comparison: Comparison, radii_km: Sequence[float]) -> VideoReport:
    accuracy = accuracy_of([comparison], radii_km) if len(comparison.predicted) else None
    return VideoReport(name, comparison.frames, len(comparison.predicted), comparison.left_out, comparison.note, accuracy)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
