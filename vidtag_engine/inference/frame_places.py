"""What a video's kept scores say of one of its frames: the posterior over the places, and the separate places that it may be of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from ..trajectory import Decoder, Pin, mass_about
from ..trajectory.modes import Modes
from ..trajectory.scores import VideoScores
from ..types import FloatArray, IntArray
from .solved import decoder_of


@dataclass(frozen=True)
class CandidatePlace:
    """A place that a frame may be of.

    Args:
        lat_deg, lon_deg: of it.
        share: P(the truth lies within the radius of it); NaN where nothing calibrated it.
        mass: of the decoder's posterior that lies within the radius, of all on known ground.
        answer: whether it is the frame's answer.
    """

    lat_deg: float
    lon_deg: float
    share: float
    mass: float
    answer: bool


class FramePosteriors:
    """All frames of a video decoded; the scores are not held.

    Args:
        kept: its scores.
        radius_m: that confidence is about.
        pins: what a person said; with them it is decoded as :func:`.with_pins.decode_with_pins` does, without as the model alone did.
    """

    def __init__(self, kept: VideoScores, radius_m: float, pins: Sequence[Pin] = ()) -> None:
        alone = not pins and (kept.known is not None or kept.prior is not None)
        self.decoder, scores = _as_the_model(kept) if alone else (decoder_of(kept), kept.scores)
        path = kept.calibration
        self.marginal: sparse.csr_matrix = self.decoder.marginals(scores, kept.time_s, path.emission, kept.cuts, pins)[0]
        self.radius_m, self.spacing_m = radius_m, kept.spacing_m
        self.frame_index, self.time_s = kept.frame_index, kept.time_s
        # Where a person said where it was, nothing is unknown.
        self.unknown_share = 0.0 if any(pin.here for pin in pins) else path.unknown_share

    @cached_property
    def modes(self) -> Modes:
        """What finds separate places."""
        return Modes(self.decoder, self.radius_m)

    @property
    def size_bytes(self) -> int:
        """Memory that the posteriors take, without the decoder's own."""
        return int(self.marginal.data.nbytes + self.marginal.indices.nbytes + self.marginal.indptr.nbytes)

    def row_of(self, frame_index: int) -> int | None:
        """Row of a sampled frame; None where it has no picture."""
        rows = np.flatnonzero(self.frame_index == frame_index)
        return int(rows[0]) if len(rows) else None

    def cells(self, row: int) -> tuple[FloatArray, FloatArray]:
        """(K, 2) lat, lon of the places that hold a frame's posterior, and their (K,) shares: with ``unknown_share`` they make 1."""
        place, share = self._row(row)
        return self.decoder.lat_lon_deg[place], (1.0 - self.unknown_share) * share.astype(np.float64)

    def candidates(self, row: int, answer: FloatArray, confidence: float) -> list[CandidatePlace]:
        """The answer, and the other places that the frame may be of, the likeliest first; no two of their discs overlap.

        The answer's share is its confidence. What that leaves to known ground is shared among all other places as the posterior shares it: so far as the first is
        calibrated, all others together are, and the posterior ranks them.

        Args:
            row: of the frame.
            answer: (2,) lat, lon.
            confidence: P(the truth lies within the radius of the answer); NaN where nothing calibrated it.
        """
        place, share = self._row(row)
        found = self.decoder.lat_lon_deg[self.modes.find(place, share, answer)]
        centres = np.concatenate([answer[None], found])
        mass = self.mass_within(row, centres)
        rest = max(0.0, 1.0 - self.unknown_share - confidence) if math.isfinite(confidence) else math.nan
        shares = np.append(confidence, rest * mass[1:] / max(1.0 - mass[0], 1e-9))
        order = [0, *(1 + np.argsort(-mass[1:], kind="stable")).tolist()]
        return [
            CandidatePlace(float(centres[number, 0]), float(centres[number, 1]), float(shares[number]), float(mass[number]), number == 0)
            for number in order
        ]

    def mass_within(self, row: int, centres: FloatArray) -> FloatArray:
        """(N,) of a frame's posterior on known ground within the radius of places (N, 2)."""
        frame = self.marginal[[row] * len(centres)]
        found: FloatArray = mass_about(frame, self.decoder, centres, np.array([self.radius_m]))[:, 0]
        return found

    def _row(self, row: int) -> tuple[IntArray, FloatArray]:
        begin, end = self.marginal.indptr[row : row + 2]
        return self.marginal.indices[begin:end], self.marginal.data[begin:end]


def _as_the_model(kept: VideoScores) -> tuple[Decoder, FloatArray]:
    """The decoder that the model's own answer came from, over known ground alone, and the scores of its states."""
    known = np.ones(len(kept.lat_lon_deg), dtype=bool) if kept.known is None else kept.known
    directions = decoder_of(kept).directions
    scores = kept.scores.reshape(len(kept.scores), -1, len(known))[:, :, known].reshape(len(kept.scores), -1)
    return Decoder(kept.lat_lon_deg[known], kept.spacing_m, kept.calibration.transition, kept.prior, directions), scores
