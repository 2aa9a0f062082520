"""A video decoded again from its kept scores, with a person's pins as evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from ..directions import Directions
from ..geodesy import haversine_m
from ..trajectory import Decoded, Decoder, Pin, TransitionModel, hypotheses, spread, with_course
from ..trajectory.hypotheses import HypothesesMemory
from ..trajectory.messages import Messages
from ..trajectory.score_margin import rivals_from_m, score_margin
from ..trajectory.scores import VideoScores
from ..types import FloatArray, FrameState, Hypotheses, Trajectory
from .posterior import believed

_MOST_BYTES = 600_000_000  # of messages that are kept


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
    decoded, changed = solver.decode(kept, pins, accuracy_m)
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
    found = hypotheses(decoded.marginal, decoder, places, path, margin, recognised, memory=memory, changed=changed)
    mass = partial(memory.mass, decoded.marginal, decoder, places)
    confidence = path.chances(mass, [trajectory.confidence_radius_m], margin, recognised)[:, 0]
    solved = _assembled(trajectory, located, places, confidence, spread(found, located))
    return with_course(solved, kept.spacing_m, kept.frame_index[list(kept.cuts)].tolist())


class Solver:
    """A video's kept scores as they were decoded the last time: other pins cost what they change.

    Args:
        kept: the scores.
    """

    def __init__(self, kept: VideoScores) -> None:
        self.decoder, self.memory = decoder_of(kept), HypothesesMemory()
        path = kept.calibration
        own_line = path.line_emission if path.line_emission != path.emission else None
        self._emissions = [path.emission, *([own_line] if own_line else [])]
        self._messages: list[Messages] = []
        self._keeps = len(self._emissions) * Messages.bytes_of(len(kept.time_s), self.decoder.states) <= _MOST_BYTES

    def decode(self, kept: VideoScores, pins: Sequence[Pin], accuracy_m: float) -> tuple[Decoded, NDArray[np.bool_]]:
        """The posterior and the line; and (T,) whose marginals differ from the last time's. Videos whose messages would take too much are decoded whole."""
        if not self._keeps:
            path = kept.calibration
            whole = self.decoder.decode(
                kept.scores, kept.time_s, path.emission, cuts=kept.cuts, pins=pins, accuracy_m=accuracy_m, line_emission=path.line_emission
            )
            return whole, np.ones(len(kept.time_s), dtype=bool)
        if not self._messages:
            self._messages = [Messages(self.decoder, kept.scores, kept.time_s, one, kept.cuts) for one in self._emissions]
        found = [one.marginals(pins) for one in self._messages]
        of_frames, of_line = found[0], found[-1]
        decoded = self.decoder.decoded(
            of_frames.marginal, of_frames.log_evidence, of_line.marginal, kept.time_s, frozenset(kept.cuts), accuracy_m
        )
        return decoded, of_frames.changed


@dataclass
class _Last:
    """The solver of the video that was solved last."""

    digest: bytes = b""
    solver: Solver | None = None


_last = _Last()


def solver_of(kept: VideoScores) -> Solver:
    """What the last solve of this very video left, known by all that it was decoded from; or a new one in its place."""
    digest = _digest(kept)
    if _last.solver is None or _last.digest != digest:
        _last.digest, _last.solver = b"", None  # the old one's memory goes before the new one's is taken
        _last.digest, _last.solver = digest, Solver(kept)
    return _last.solver


def _digest(kept: VideoScores) -> bytes:
    """Of everything that a video is decoded from. File names and times would not do: a result may be replaced between two solves."""
    digest = hashlib.blake2b(repr((kept.spacing_m, kept.calibration, tuple(kept.cuts), kept.scores.shape, kept.scores.dtype)).encode())
    for values in (kept.scores, kept.lat_lon_deg, kept.time_s):
        digest.update(memoryview(np.ascontiguousarray(values)).cast("B"))
    return digest.digest()


def decoder_of(kept: VideoScores) -> Decoder:
    """The decoder of an area; that of the last one is kept, so that solving again takes no time for it."""
    weight = kept.calibration.database_weight
    directions = weight.directions if weight and kept.scores.shape[1] > len(kept.lat_lon_deg) else None
    return _cached_decoder(np.ascontiguousarray(kept.lat_lon_deg).tobytes(), kept.spacing_m, kept.calibration.transition, directions)


@lru_cache(maxsize=1)
def _cached_decoder(places: bytes, spacing_m: float, transition: TransitionModel, directions: Directions | None) -> Decoder:
    return Decoder(np.frombuffer(places, dtype=np.float64).reshape(-1, 2), spacing_m, transition, directions=directions)


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
