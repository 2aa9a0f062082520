"""Decode a result's videos again with the pins that people have set. The model's own answer stays as it is; the new one stands beside it."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..export import read_geopackage
from ..export.corrections import with_layers
from ..export.pins import PinRow, read_pins
from ..export.scores_file import VideoScores, read_scores, scores_path
from ..export.tables import clean, frames_table, joined, steps_table
from ..geodesy import geodesic_m, haversine_m
from ..trajectory.decoder import Decoded, Decoder, Evidence, Motion, Pin
from ..types import FloatArray, FrameState, InputError, Trajectory, VideoResult
from .pin import check_frame, video_of

FRAMES, TRAJECTORY = "frames_pinned", "trajectory_pinned"


def run_solve(result: Path) -> dict[str, Any]:
    """Solve every video that has a pin, and write the layers ``frames_pinned`` and ``trajectory_pinned`` into the result.

    Args:
        result: GeoPackage that geolocate wrote with ``--keep-scores``.

    Returns:
        ``output``, ``layers``, ``seconds`` and ``videos``: name, pins, and how many frames moved and by how much at most.

    Raises:
        InputError: there are no pins, one does not fit, or a video's scores were not kept.
    """
    began = time.perf_counter()
    results, _ = read_geopackage(result)
    pins = read_pins(result)
    if not pins:
        raise InputError(f"{result.name} has no pins: set some in its layer 'pins' in QGIS, or with vidtag pin.")
    by_video: dict[str, list[PinRow]] = {}
    for pin in pins:
        video = video_of(results, pin.video, result.name)
        check_frame(video, pin)
        by_video.setdefault(video.info.name, []).append(pin)
    solved: list[VideoResult] = []
    said: list[dict[str, Any]] = []
    for one in results:
        if one.info.name in by_video:
            mine = by_video[one.info.name]
            solved.append(replace(one, trajectory=solve(one.trajectory, read_scores(scores_path(result, one.sha256)), mine)))
            said.append({"name": clean(one.info.name), "pins": len(mine), **_moved(one.trajectory, solved[-1].trajectory)})
    tables = {
        FRAMES: (joined([frames_table(one) for one in solved]), "frames"),
        TRAJECTORY: (joined([steps_table(one) for one in solved]), "trajectory"),
    }
    with_layers(result, tables)
    return {"output": str(result), "layers": list(tables), "videos": said, "seconds": round(time.perf_counter() - began, 3)}


def solve(trajectory: Trajectory, kept: VideoScores, pins: list[PinRow]) -> Trajectory:
    """A video's trajectory with pins as evidence.

    Where the line stays what it was without pins, so do the model's own positions; elsewhere they are the decoder's, and at a pin that says "here" the pin's.
    A person's word lifts a withheld answer. Probabilities are the posterior's mass: the calibration was fitted without pins.

    Args:
        trajectory: as it was.
        kept: its scores.
        pins: of this video.

    Raises:
        InputError: a pin's frame has no picture, or its place lies outside the area.
    """
    rows = {int(index): row for row, index in enumerate(kept.frame_index)}
    decoder = _decoder(kept)
    given = [_checked(pin, rows, decoder) for pin in pins]
    settings = kept.calibration
    decoded = decoder.decode(
        kept.scores,
        kept.time_s,
        Evidence(**settings["evidence"]),
        cuts=kept.cuts,
        pins=given,
        accuracy_m=settings.get("accuracy_m"),
    )
    among = np.searchsorted(trajectory.frame_index, kept.frame_index)
    places = _places(trajectory, kept, decoded, given, among)
    return _assembled(trajectory, decoder, decoded, places, among)


def _decoder(kept: VideoScores) -> Decoder:
    """The decoder of an area; that of the last one is kept, so that solving again takes no time for it."""
    motion = Motion(**kept.calibration["motion"])
    return _cached_decoder(np.ascontiguousarray(kept.lat_lon_deg).tobytes(), kept.spacing_m, motion)


@lru_cache(maxsize=1)
def _cached_decoder(places: bytes, spacing_m: float, motion: Motion) -> Decoder:
    return Decoder(np.frombuffer(places, dtype=np.float64).reshape(-1, 2), spacing_m, motion)


def _checked(pin: PinRow, rows: dict[int, int], decoder: Decoder) -> Pin:
    """The pin as the decoder takes it."""
    if pin.frame_index not in rows:
        raise InputError(f"Frame {pin.frame_index} of {pin.video} has no picture: pin another frame.")
    nearest = decoder.lat_lon_deg[decoder.nearest(np.array([[pin.lat_deg, pin.lon_deg]]))[0]]
    away_m = float(haversine_m(pin.lat_deg, pin.lon_deg, *nearest))
    # Half a cell's diagonal, and the half cell that an area's edge may cut off.
    if pin.here and away_m > max(pin.radius_m, 1.5 * decoder.spacing_m):
        raise InputError(
            f"The pin on frame {pin.frame_index} of {pin.video} lies {away_m:,.0f} m outside the area that was searched:"
            " move it, or run geolocate again over a larger area."
        )
    # A pin means at least the cell that it lies in.
    return Pin(rows[pin.frame_index], pin.lat_deg, pin.lon_deg, max(pin.radius_m, 0.75 * decoder.spacing_m), pin.here)


def _places(trajectory: Trajectory, kept: VideoScores, decoded: Decoded, pins: list[Pin], among: Any) -> FloatArray:
    """(T, 2) of the frames with a picture."""
    places = decoded.lat_lon_deg.copy()
    own = np.stack([trajectory.lat_deg, trajectory.lon_deg], axis=1)[among]
    if trajectory.hypotheses is not None:
        best = np.stack([trajectory.hypotheses.best_lat_deg, trajectory.hypotheses.best_lon_deg], axis=1)[among]
        own = np.where(np.isfinite(own), own, best)
    unmoved = haversine_m(places[:, 0], places[:, 1], kept.line[:, 0], kept.line[:, 1]) < 0.5 * kept.spacing_m
    keeps = unmoved & np.isfinite(own).all(axis=1)
    places[keeps] = own[keeps]
    for pin in pins:
        if pin.here:
            places[pin.row] = pin.lat_deg, pin.lon_deg
    return places


def _assembled(trajectory: Trajectory, decoder: Decoder, decoded: Decoded, places: FloatArray, among: Any) -> Trajectory:
    """The trajectory with its new places, and what the posterior says of them."""

    def column(values: FloatArray) -> FloatArray:
        whole = np.full(len(trajectory.state), np.nan)
        whole[among] = values
        return whole

    confidence = _mass_within(decoded, decoder, places, trajectory.confidence_radius_m)
    picture = set(among.tolist())
    moved = haversine_m(places[:, 0], places[:, 1], trajectory.lat_deg[among], trajectory.lon_deg[among])
    same = moved == 0
    return replace(
        trajectory,
        lat_deg=column(places[:, 0]),
        lon_deg=column(places[:, 1]),
        confidence=column(confidence),
        score=column(np.where(same, trajectory.score[among], np.nan)),
        runner_up_m=column(np.full(len(places), np.nan)),
        state=tuple(FrameState.LOCATED if row in picture else state for row, state in enumerate(trajectory.state)),
        hypotheses=None,
        verdict=None,
    )


def _mass_within(decoded: Decoded, decoder: Decoder, places: FloatArray, radius_m: float) -> FloatArray:
    """(T,) share of the posterior in the cells within a radius of each place; a cell at the edge counts by how far it reaches in."""
    mass = np.zeros(len(places))
    spacing_m = decoder.spacing_m
    for row, near in enumerate(decoder.within(places, radius_m + spacing_m)):
        apart_m = haversine_m(*places[row], *decoder.lat_lon_deg[near].T) if near else np.zeros(0)
        share = np.minimum(np.clip((radius_m - apart_m) / spacing_m + 0.5, 0.0, 1.0), np.pi * (radius_m / spacing_m) ** 2)
        mass[row] = float(np.asarray(decoded.marginal[row, near].todense()).ravel() @ share) if near else 0.0
    return np.clip(mass, 0.0, 1.0)


def _moved(before: Trajectory, after: Trajectory) -> dict[str, Any]:
    """How many frames have another place now, and how far they went at most; those that had none count as moved."""
    away_m = geodesic_m(before.lat_deg, before.lon_deg, after.lat_deg, after.lon_deg)
    known = np.isfinite(after.lat_deg)
    return {
        "moved": int((known & ~(away_m <= 0)).sum()),
        "farthest_m": round(float(np.nanmax(away_m)), 1) if np.isfinite(away_m).any() else None,
    }
