"""Candidates become a trajectory, and a trajectory the steps of a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..geodesy import geodesic_m, haversine_m
from ..types import Candidates, FloatArray, FrameState, IntArray, Trajectory

if TYPE_CHECKING:
    from collections.abc import Sequence

# Great circles lie within 0.6 % of the ellipsoid's geodesics: only candidates this near to the radius need the exact distance.
_SPHERE_ERROR = 0.01


@dataclass(frozen=True)
class Steps:
    """A trajectory's steps from one located frame to the next; arrays (S,).

    Args:
        from_row, to_row: rows of the trajectory; always neighbours.
        from_time_s, to_time_s: seconds after the video's start.
        from_confidence, to_confidence: of the two ends.
        confidence: the lower of the two.
        length_m: geodesic on WGS 84.
        speed_mps: length over time; NaN where no time passes.
    """

    from_row: IntArray
    to_row: IntArray
    from_time_s: FloatArray
    to_time_s: FloatArray
    from_confidence: FloatArray
    to_confidence: FloatArray
    confidence: FloatArray
    length_m: FloatArray
    speed_mps: FloatArray

    def __len__(self) -> int:
        """Return the number of steps."""
        return len(self.from_row)


def runner_up_m(candidates: Candidates, radius_m: float) -> FloatArray:
    """Distance from each frame's pick to its best candidate farther than ``radius_m`` away: where else it may have been.

    Args:
        candidates: best first. k must reach past the radius (a radius of ten steps holds about 314 grid points), or the answer is NaN.
        radius_m: geodesic metres.

    Returns:
        (T,) geodesic metres; NaN where no candidate lies that far away.
    """
    frames, k = candidates.lat_deg.shape
    if not frames or not k:
        return np.full(frames, np.nan)
    pick_lat, pick_lon = candidates.lat_deg[:, :1], candidates.lon_deg[:, :1]
    distance = haversine_m(pick_lat, pick_lon, candidates.lat_deg, candidates.lon_deg)
    row, column = np.nonzero(np.abs(distance - radius_m) <= _SPHERE_ERROR * radius_m)
    distance[row, column] = geodesic_m(pick_lat[row, 0], pick_lon[row, 0], candidates.lat_deg[row, column], candidates.lon_deg[row, column])
    far = distance > radius_m
    best = far.argmax(axis=1)
    every = np.arange(frames)
    exact = geodesic_m(pick_lat[:, 0], pick_lon[:, 0], candidates.lat_deg[every, best], candidates.lon_deg[every, best])
    result: FloatArray = np.where(far.any(axis=1), exact, np.nan)
    return result


def assemble(
    *,
    frame_index: IntArray,
    time_s: FloatArray,
    state: Sequence[FrameState],
    final: Candidates,
    phase1: Candidates,
    confidence: FloatArray,
    confidence_radius_m: float,
) -> Trajectory:
    """Join what the retrievals found with the frames they were asked for.

    Args:
        frame_index: (T,) numbers of all sampled frames, damaged ones too.
        time_s: (T,) seconds after the video's start.
        state: (T,) whether each has an answer.
        final: (M, k) of the M located frames, in the frames' order; its first column is the answer.
        phase1: (M, k') of the first retrieval; the same as ``final`` where there is no refiner.
        confidence: (M,) calibrated.
        confidence_radius_m: what ``confidence`` is about.

    Raises:
        ValueError: M is not the number of located frames.
    """
    located = np.array([one is FrameState.LOCATED for one in state], dtype=bool)
    rows = int(located.sum())
    for name, count in (("final", len(final.score)), ("phase1", len(phase1.score)), ("confidence", len(confidence))):
        if count != rows:
            raise ValueError(f"{name} has {count} rows for {rows} located frames")

    def spread(values: FloatArray) -> FloatArray:
        column = np.full(len(located), np.nan)
        column[located] = values
        return column

    return Trajectory(
        frame_index=np.asarray(frame_index, dtype=np.int64),
        time_s=np.asarray(time_s, dtype=np.float64),
        lat_deg=spread(final.lat_deg[:, 0]),
        lon_deg=spread(final.lon_deg[:, 0]),
        confidence=spread(confidence),
        score=spread(final.score[:, 0]),
        runner_up_m=spread(runner_up_m(final, confidence_radius_m)),
        phase1_lat_deg=spread(phase1.lat_deg[:, 0]),
        phase1_lon_deg=spread(phase1.lon_deg[:, 0]),
        state=tuple(state),
        confidence_radius_m=float(confidence_radius_m),
    )


def _has_answer(trajectory: Trajectory) -> np.ndarray:
    located = np.array([one is FrameState.LOCATED for one in trajectory.state], dtype=bool)
    return located & np.isfinite(trajectory.lat_deg) & np.isfinite(trajectory.lon_deg)


def parts(trajectory: Trajectory) -> list[slice]:
    """The unbroken parts of a trajectory, as slices of rows in order; a lone frame is a part of one row."""
    known = np.concatenate([[False], _has_answer(trajectory), [False]])
    edges = np.flatnonzero(known[1:] != known[:-1])
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def steps(trajectory: Trajectory) -> Steps:
    """Steps between neighbouring frames that both have an answer; the line breaks where one has none."""
    known = _has_answer(trajectory)
    start = np.flatnonzero(known[:-1] & known[1:])
    end = start + 1
    lat, lon, time_s, confidence = trajectory.lat_deg, trajectory.lon_deg, trajectory.time_s, trajectory.confidence
    length_m = geodesic_m(lat[start], lon[start], lat[end], lon[end])
    passed_s = time_s[end] - time_s[start]
    return Steps(
        from_row=start,
        to_row=end,
        from_time_s=time_s[start],
        to_time_s=time_s[end],
        from_confidence=confidence[start],
        to_confidence=confidence[end],
        confidence=np.minimum(confidence[start], confidence[end]),
        length_m=length_m,
        speed_mps=np.divide(length_m, passed_s, out=np.full(len(start), np.nan), where=passed_s > 0),
    )
