"""A video decoded again from its kept scores, with a person's pins as evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..geodesy import haversine_m
from ..trajectory import Decoded, Pin, hypotheses, spread, with_course
from ..trajectory.score_margin import rivals_from_m, score_margin
from ..trajectory.scores import VideoScores
from ..types import FloatArray, FrameState, Hypotheses, Trajectory
from .posterior import believed
from .solved import solver_of


def decode_with_pins(trajectory: Trajectory, kept: VideoScores, pins: Sequence[Pin]) -> Trajectory:
    """A video's trajectory with pins as evidence.

    Where the line stays what it was without pins, so do the model's own positions; elsewhere they are the decoder's, and at a pin that says "here" the pin's.
    A person's word lifts a withheld answer. Probabilities are calibrated as without pins, for want of videos with pins to fit them on;
    where nothing was calibrated there are none.

    Args:
        trajectory: as it was.
        kept: its scores.
        pins: of this video, each on a row of its scores.
    """
    solver, path = solver_of(kept), kept.calibration
    decoder, accuracy_m = solver.decoder, max(path.accuracy_m, kept.spacing_m)
    decoded, version = solver.decode(kept, pins)
    path = believed(path, decoded)
    located = np.isin(trajectory.frame_index, kept.frame_index)
    places = _places(trajectory, kept, decoded, pins, located)
    margin: FloatArray | None = None
    recognised = True
    if any(pin.here for pin in pins):
        # Where a person said where it was, no place elsewhere is a rival any more, and none is unknown.
        path = replace(path, unknown_share=0.0)
    else:
        apart_m = rivals_from_m(decoder, accuracy_m, path.apart_m)
        margin, recognised = score_margin(decoder, kept.scores, decoded.lat_lon_deg, apart_m, kept.cuts), kept.recognised
    memory = solver.memory
    found = hypotheses(decoded.marginal, decoder, places, path, margin, recognised, memory=memory, version=version)
    mass = partial(memory.mass, decoded.marginal, decoder, places)
    confidence = path.chances(mass, [trajectory.confidence_radius_m], margin, recognised)[:, 0]
    solved = _assembled(trajectory, located, places, confidence, spread(found, located))
    return with_course(solved, kept.spacing_m, kept.frame_index[list(kept.cuts)].tolist())


def _places(trajectory: Trajectory, kept: VideoScores, decoded: Decoded, pins: Sequence[Pin], located: NDArray[np.bool_]) -> FloatArray:
    """(T, 2) of the frames with a picture."""
    places = decoded.lat_lon_deg.copy()
    own = np.stack([trajectory.lat_deg, trajectory.lon_deg], axis=1)[located]
    if trajectory.hypotheses is not None:
        best = np.stack([trajectory.hypotheses.best_lat_deg, trajectory.hypotheses.best_lon_deg], axis=1)[located]
        own = np.where(np.isfinite(own), own, best)
    unmoved = haversine_m(places[:, 0], places[:, 1], kept.line[:, 0], kept.line[:, 1]) < 0.5 * kept.spacing_m
    keeps = unmoved & np.isfinite(own).all(axis=1)
    places[keeps] = own[keeps]
    for pin in pins:
        if pin.here:
            places[pin.row] = pin.lat_deg, pin.lon_deg
    return places


def _assembled(
    trajectory: Trajectory, located: NDArray[np.bool_], places: FloatArray, confidence: FloatArray, found: Hypotheses
) -> Trajectory:
    """The trajectory with its new places, and what the posterior says of them. A score and a runner-up are those of the old place."""

    def column(values: FloatArray) -> FloatArray:
        whole = np.full(len(located), np.nan)
        whole[located] = values
        return whole

    lat_deg, lon_deg = column(places[:, 0]), column(places[:, 1])
    same = (lat_deg == trajectory.lat_deg) & (lon_deg == trajectory.lon_deg)
    return replace(
        trajectory,
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        confidence=column(confidence),
        score=np.where(same, trajectory.score, np.nan),
        runner_up_m=np.where(same, trajectory.runner_up_m, np.nan),
        state=tuple(FrameState.LOCATED if has else state for has, state in zip(located, trajectory.state, strict=True)),
        hypotheses=found,
        verdict=None,
    )
