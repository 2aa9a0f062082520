"""Results as columns: the one place that says what a frame, a step and a video are called in every output."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np

from ..trajectory.steps import parts, steps
from ..types import DecodeReport, FailedVideo, FloatArray, InputError, OwnSettings, Trajectory, VideoResult
from .columns import Table, base_time, clean, utc_times
from .confidence_tables import RADII_M, frame_columns, verdict_columns
from .lines import cut_steps, video_line
from .place_names import place_columns

FAILED = "failed"
"""State of a video without a result, in the layer ``videos``."""


def check_names(results: Sequence[VideoResult | FailedVideo]) -> None:
    """Raise InputError where two videos share a name: the outputs tell videos apart by it."""
    seen: set[str] = set()
    for result in results:
        name = clean(result.info.name)
        if name in seen:
            raise InputError(f"Two videos have the name {name!r}; rename one of them.")
        seen.add(name)


def located_mask(trajectory: Trajectory) -> np.ndarray:
    """(T,) bool: frames with an answer."""
    mask = np.zeros(len(trajectory.state), dtype=bool)
    for part in parts(trajectory):
        mask[part] = True
    return mask


def frames_table(result: VideoResult) -> Table:
    """A row a sampled frame, also those without an answer (NaN position)."""
    t = result.trajectory
    located = located_mask(t)
    count = len(located)
    lat_deg, lon_deg = _where(located, t.lat_deg), _where(located, t.lon_deg)
    return {
        "video": [clean(result.info.name)] * count,
        "frame_index": np.asarray(t.frame_index, dtype=np.int64),
        "time_s": np.asarray(t.time_s, dtype=np.float64),
        "time": utc_times(result, t.time_s),
        "time_source": [result.info.time_source.value] * count,
        "state": [state.value for state in t.state],
        "confidence": _where(located, t.confidence),
        "score": _where(located, t.score),
        "runner_up_m": _where(located, t.runner_up_m),
        "phase1_lat_deg": np.asarray(t.phase1_lat_deg, dtype=np.float64),
        "phase1_lon_deg": np.asarray(t.phase1_lon_deg, dtype=np.float64),
        "course_deg": _where(located, t.course_deg),
        "street": [(clean(name) or None) if known else None for name, known in zip(t.street, located.tolist(), strict=True)],
        **frame_columns(t),
        **place_columns(lat_deg, lon_deg),
        "lat_deg": lat_deg,
        "lon_deg": lon_deg,
    }


def steps_table(result: VideoResult) -> Table:
    """A row a step between neighbouring frames with an answer; ``geometry`` holds its MultiLineStrings."""
    t = result.trajectory
    s = steps(t)
    count = len(s)
    return {
        "video": [clean(result.info.name)] * count,
        "from_index": np.asarray(t.frame_index, dtype=np.int64)[s.from_row],
        "to_index": np.asarray(t.frame_index, dtype=np.int64)[s.to_row],
        "from_time_s": np.asarray(s.from_time_s, dtype=np.float64),
        "to_time_s": np.asarray(s.to_time_s, dtype=np.float64),
        "start_time": utc_times(result, s.from_time_s),
        "end_time": utc_times(result, s.to_time_s),
        "time_source": [result.info.time_source.value] * count,
        "from_confidence": np.asarray(s.from_confidence, dtype=np.float64),
        "to_confidence": np.asarray(s.to_confidence, dtype=np.float64),
        "confidence": np.asarray(s.confidence, dtype=np.float64),
        "speed_mps": np.asarray(s.speed_mps, dtype=np.float64),
        "length_m": np.asarray(s.length_m, dtype=np.float64),
        "ends": ends_of(count),
        "geometry": cut_steps(t.lat_deg[s.from_row], t.lon_deg[s.from_row], t.lat_deg[s.to_row], t.lon_deg[s.to_row]),
    }


def ends_of(count: int) -> list[str | None]:
    """Which end of a video's way each of its steps is at: "start", "end", "both" of a lone step, None between; maps mark them."""
    if count == 1:
        return ["both"]
    return ["start", *[None] * (count - 2), "end"] if count else []


def video_row(result: VideoResult, length_m: float) -> dict[str, Any]:
    """The attributes of one video, and its line as ``geometry`` (None where there is none)."""
    info, t, report = result.info, result.trajectory, result.report
    located = located_mask(t)
    confidence = np.asarray(t.confidence, dtype=np.float64)[located]
    confidence = confidence[np.isfinite(confidence)]
    times = utc_times(result, t.time_s)
    return {
        "video": clean(info.name),
        "file": clean(info.path.name),
        "kind": info.kind,
        "start_time": times[0] if len(times) else np.datetime64("NaT"),
        "end_time": times[-1] if len(times) else np.datetime64("NaT"),
        "time_source": info.time_source.value,
        "base_time": np.datetime64(base_time(result).replace(tzinfo=None), "ms"),
        "frames": len(located),
        "located": int(located.sum()),
        "mean_confidence": float(confidence.mean()) if len(confidence) else math.nan,
        "length_m": length_m,
        "confidence_radius_m": float(t.confidence_radius_m),
        **verdict_columns(t.verdict, t.hypotheses.radii_m if t.hypotheses else RADII_M),
        "duration_s": math.nan if info.duration_s is None else float(info.duration_s),
        "sha256": result.sha256,
        "area": clean(result.own.area) if result.own and result.own.area else None,
        "own_settings": own_text(result.own),
        "embedded_gps": info.embedded_gps,
        "decoded": report.decoded,
        "sampled": report.sampled,
        "damaged": report.damaged,
        "repeated": report.repeated,
        "damaged_stretches_s": json.dumps([[float(a), float(b)] for a, b in report.damaged_stretches_s]),
        "width_px": info.width_px,
        "height_px": info.height_px,
        "rotation_deg": info.rotation_deg,
        "variable_frame_rate": info.variable_frame_rate,
        "processing_s": json.dumps({key: round(float(value), 3) for key, value in result.seconds.items()}),
        "geometry": video_line(t),
    }


def own_text(own: OwnSettings | None) -> str | None:
    """What held of one video alone as JSON, without the name of its area; None where nothing did."""
    if own is None:
        return None
    said = {
        "start_time": own.start_time.isoformat().replace("+00:00", "Z") if own.start_time else None,
        "from_s": own.from_s,
        "to_s": own.to_s,
        "grid_digest": own.grid_digest,
    }
    return json.dumps({name: value for name, value in said.items() if value is not None})


def own_from(text: str | None, area: str | None) -> OwnSettings | None:
    """What :func:`own_text` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    if text is None:
        return None
    said = json.loads(text)
    start = datetime.fromisoformat(said["start_time"]) if said.get("start_time") else None
    return OwnSettings(start, said.get("from_s"), said.get("to_s"), area, said.get("grid_digest"))


def failed_row(failed: FailedVideo) -> dict[str, Any]:
    """The attributes of a video without a result, by the names of :func:`video_row`; what is not known of it is None."""
    info, opened = failed.info, failed.info.width_px > 0
    nothing = np.zeros(0)
    trajectory = Trajectory(nothing.astype(np.int64), *(nothing,) * 8, (), math.nan)
    row = video_row(VideoResult(info, trajectory, DecodeReport(0, 0, 0), failed.sha256), math.nan)
    unknown = ["decoded", "sampled", "damaged", "repeated", "damaged_stretches_s", "processing_s"]
    if not opened:
        unknown += ["time_source", "width_px", "height_px", "rotation_deg", "variable_frame_rate"]
        row["base_time"] = np.datetime64("NaT")
    return row | dict.fromkeys(unknown) | {"state": FAILED, "why": failed.why, "sha256": failed.sha256 or None}


def _where(located: np.ndarray, values: FloatArray) -> FloatArray:
    """Values as float64; NaN where the frame has no answer."""
    return np.where(located, np.asarray(values, dtype=np.float64), np.nan)
