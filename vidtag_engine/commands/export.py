"""Copies of a result in other formats, and its frames as JPEGs with their places."""

from __future__ import annotations

import math
import os
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..export import EXPORTERS, read_answers
from ..export.columns import base_time, clean, time_known
from ..export.jpeg import write_jpeg
from ..feedback import Feedback
from ..file_marks import first_refusal
from ..outputs import check_files
from ..types import FrameState, InputError, VideoInfo, VideoResult
from ..video import FrameReader, find_original, open_source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..command_arguments import ExportArguments
    from ..types import Provenance

_SAME_MOMENT_S = 0.002


def run_export(arguments: ExportArguments, *, feedback: Feedback = Feedback()) -> dict[str, Any]:
    """Write the copies asked for.

    Returns:
        ``files``: what was written, by kind; ``frames``: JPEGs written; ``left_out``: frames without an answer or below ``least_confidence``; ``videos``;
        ``pinned``: names of the videos whose answer was solved with pins.

    Raises:
        InputError: the result cannot be read, a video is not found or is another file than the result was made from, an output cannot be written.
        CancelledError: stopped; every JPEG written so far is whole.
    """
    results, provenance = read_answers(arguments.result, arguments.answer)
    copies = {kind: Path(value) for kind in EXPORTERS if (value := getattr(arguments, kind))}
    if not copies and not arguments.frames:
        raise InputError("There is nothing to write: give at least one output.")
    if not 0.0 <= arguments.least_confidence <= 1.0:
        raise InputError(f"The least confidence {arguments.least_confidence:g} is no probability: give 0 to 1.")
    if not 1 <= arguments.quality <= 95:
        raise InputError(f"The JPEG quality {arguments.quality} is not usable: give 1 to 95.")
    check_files("export", asdict(arguments))
    feedback = feedback.saying("Stopped; the files written so far are whole.")
    if arguments.frames:
        _check_frames(Path(arguments.frames), results, arguments)
    places, beside = [Path(place) for place in arguments.videos], Path(arguments.result).parent
    videos = _find_all(results, beside, places, feedback) if arguments.frames else []
    check_files("export", asdict(arguments), also_read=[str(one.path) for one in videos])  # those that it found by itself, too
    for kind, path in copies.items():
        feedback.check()
        EXPORTERS[kind][1](path, results, provenance, overwrite=arguments.overwrite)
    files = {kind: str(path) for kind, path in copies.items()}
    summary: dict[str, Any] = {"files": files, "videos": len(results), "frames": 0, "left_out": 0}
    summary["pinned"] = [clean(one.info.name) for one in results if one.pinned]
    if arguments.frames:
        folder = Path(arguments.frames)
        _make(folder)
        files["frames"] = str(folder)
        for number, (result, info) in enumerate(zip(results, videos, strict=True)):
            part = feedback.part(0.1 + 0.9 * number / len(results), 0.1 + 0.9 * (number + 1) / len(results))
            written, left = write_frames(
                folder, result, info, provenance, arguments.least_confidence, arguments.quality, part, overwrite=arguments.overwrite
            )
            summary["frames"] += written
            summary["left_out"] += left
    feedback.tell(1.0, "done", f"{summary['frames']} frames")
    return summary


def write_frames(
    folder: Path,
    result: VideoResult,
    info: VideoInfo,
    provenance: Provenance,
    least_confidence: float = 0.0,
    quality: int = 92,
    feedback: Feedback = Feedback(),
    *,
    overwrite: bool = False,
) -> tuple[int, int]:
    """Write one video's located frames as ``<video>_<frame>.jpg``.

    Args:
        folder: there already.
        result: where its frames lie.
        info: the opened video, the very file that ``result`` was made from.
        provenance: its settings say which frames were taken.
        feedback: of this video.
        overwrite: replace also what is no frame that was exported.

    Returns:
        Frames written and left out.

    Raises:
        InputError: the video now gives other frames than the result has; or a file cannot be written.
        CancelledError: stopped.
    """
    settings, trajectory = provenance.settings, result.trajectory
    rows = {int(index): row for row, index in enumerate(trajectory.frame_index)}
    written, seen = 0, 0
    window = (settings.get("from_s") or 0.0, settings.get("to_s"))
    with FrameReader(info, settings.get("rate_hz"), *window, feedback) as reader:
        for frame in reader:
            feedback.check()
            row = rows.get(frame.index)
            if row is None or not abs(frame.time_s - trajectory.time_s[row]) <= _SAME_MOMENT_S:
                raise InputError(f"{info.path.name} gives other frames now than when it was located: run geolocate again.")
            seen += 1
            # One that is not rated is kept: nothing says that it is less sure.
            sure = math.isnan(trajectory.confidence[row]) or trajectory.confidence[row] >= least_confidence
            if frame.image is None or trajectory.state[row] is not FrameState.LOCATED or math.isnan(trajectory.lat_deg[row]) or not sure:
                continue
            place = float(trajectory.lat_deg[row]), float(trajectory.lon_deg[row])
            facts = _facts(result, row)
            taken = base_time(result) + timedelta(seconds=round(frame.time_s, 3)) if time_known(result) else None
            write_jpeg(
                frame_path(folder, result, frame.index), frame.image, *place, taken=taken, description=_sentence(facts), facts=facts,
                quality=quality, overwrite=overwrite,
            )  # fmt: skip
            written += 1
            feedback.tell(seen / max(1, len(rows)), "frames", f"{result.info.name}: frame {frame.index}")
    return written, len(rows) - written


def frame_path(folder: Path, result: VideoResult, index: int) -> Path:
    """Where a frame of a video is written to."""
    name = clean(result.info.name).replace("/", "_").replace("\\", "_")
    return folder / f"{name}_{index:06d}.jpg"


def _check_frames(folder: Path, results: Sequence[VideoResult], arguments: ExportArguments) -> None:
    """Refuse the frames' folder where one of their names is taken by another picture, or by one that is read. Raises InputError."""
    if not folder.is_dir():
        return
    outputs = [(frame_path(folder, one, int(index)), "frame") for one in results for index in one.trajectory.frame_index]
    taken = [(path, kind) for path, kind in outputs if os.path.lexists(path)]
    if (why := first_refusal(taken, inputs=[arguments.result, *arguments.videos], overwrite=arguments.overwrite)) is not None:
        raise InputError(why)


def _facts(result: VideoResult, row: int) -> dict[str, Any]:
    trajectory = result.trajectory
    confidence = float(trajectory.confidence[row])
    return {
        "video": clean(result.info.name),
        "sha256": result.sha256,
        "frame_index": int(trajectory.frame_index[row]),
        "time_s": round(float(trajectory.time_s[row]), 3),
        "confidence": None if math.isnan(confidence) else round(confidence, 4),
        "confidence_radius_m": float(trajectory.confidence_radius_m),
        "time_source": result.info.time_source.value,
        "pinned": result.pinned,
    }


def _sentence(facts: dict[str, Any]) -> str:
    sure = "not rated" if facts["confidence"] is None else f"confidence {facts['confidence']:.0%} within {facts['confidence_radius_m']:g} m"
    how = "estimated by VidTAG with pins set by a person" if facts["pinned"] else "estimated by VidTAG"
    return f"{facts['video']}, frame {facts['frame_index']}; place {how}, {sure}"


def _find_all(results: Sequence[VideoResult], beside: Path, places: Sequence[Path], feedback: Feedback) -> list[VideoInfo]:
    """Open every video of the result, before anything is written. It is looked for where the user says, in the folder ``beside`` and in the current one."""
    for place in places:
        if not place.exists():
            raise InputError(f"{place} is not there: correct the path of the videos.")
    found = []
    for number, result in enumerate(results):
        feedback.check()
        feedback.tell(0.1 * number / len(results), "videos", f"looking for {result.info.name}")
        info = result.info
        path = find_original(info.path.name, result.sha256, places, (beside, Path.cwd()), images=info.kind == "images")
        found.append(open_source(path, kind=info.kind, start_time=base_time(result)))
    return found


def _make(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"The output {folder} is a file: give a folder for the frames.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {folder} cannot be made ({error.strerror}): choose another.") from error
