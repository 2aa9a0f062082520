"""All frames of a video decoded together: a hidden Markov model over the places of an area.

A state is a place, all places stand for equal shares of the area. Evidence of a frame is the softmax of its scores over the area, tempered, beside a small chance
that the picture tells nothing (a lorry in front). Between frames the camera moves as far as a speed and the real time between them allow, or, rarely,
anywhere. Forward-backward gives each frame's marginal over the area; the line is the path that is right most often by those marginals and moves
as a camera does (the Viterbi algorithm over expected accuracies). Pins are evidence like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from ..geodesy import EARTH_RADIUS_M, unit_vectors
from ..types import FloatArray, IntArray

_REACH = 5.0  # lengths of the motion's fall-off, beyond which a step is a jump
_MOST_LINKS = 12_000_000
_TIMES = 1.2  # time steps nearer than this factor share their transitions
_NEVER = 1e-300
_PATH_PLACES = 400  # that a line is sought over


@dataclass(frozen=True)
class Motion:
    """How a camera gets from frame to frame.

    Args:
        speed_mps: scale of an exponential fall-off of distance with time.
        jump: probability of a step to anywhere in the area.
    """

    speed_mps: float = 12.0
    jump: float = 1e-4


@dataclass(frozen=True)
class Evidence:
    """What a frame's scores say of places.

    Args:
        temperature: of the softmax over the area's scores.
        blind: probability that a picture tells nothing of its place.
        shared: correlation of the frames' errors in 0..1: n frames count as n / (1 + (n - 1) shared); frames of one drive are dark, wet or blocked
            together.
    """

    temperature: float
    blind: float = 0.02
    shared: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Pin:
    """A person's word on where a frame was.

    Args:
        row: of the frame.
        lat_deg, lon_deg: of the pin.
        radius_m: how near is meant.
        here: whether the camera was there, or was not.
    """

    row: int
    lat_deg: float
    lon_deg: float
    radius_m: float = 50.0
    here: bool = True


@dataclass(frozen=True)
class Decoded:
    """A video's answer over the places.

    Args:
        marginal: (T, M) float32, each row sums to 1.
        path: (T,) number of each frame's place.
        log_evidence: mean natural log of how much better the best-fitting places foresee the frames than an even spread would.
    """

    marginal: FloatArray
    path: IntArray
    log_evidence: float


class Decoder:
    """Decodes any number of videos over the same places.

    Args:
        lat_lon_deg: (M, 2) an even cover of the area.
        spacing_m: of the places.
        motion: between frames.
    """

    def __init__(self, lat_lon_deg: FloatArray, spacing_m: float, motion: Motion | None = None) -> None:
        self.lat_lon_deg, self.spacing_m, self.motion = np.asarray(lat_lon_deg, dtype=np.float64), spacing_m, motion or Motion()
        self._points = unit_vectors(self.lat_lon_deg[:, 0], self.lat_lon_deg[:, 1]) * EARTH_RADIUS_M
        self._tree = cKDTree(self._points)
        self._steps: dict[int, sparse.csr_matrix] = {}

    def emissions(self, scores: FloatArray, evidence: Evidence, pins: Sequence[Pin] = ()) -> FloatArray:
        """(T, M) likelihood of each frame at each place, one on average over the places.

        Args:
            scores: (T, M) cosines.
            evidence: how they are read.
            pins: of this video.
        """
        frames, places = scores.shape
        # Frames whose errors are shared count for less than one each.
        weight = 1.0 / (1.0 + (frames - 1) * evidence.shared)
        logits = np.asarray(scores, dtype=np.float64) * (1.0 / evidence.temperature)
        logits -= logits.max(axis=1, keepdims=True)
        likely = np.exp(logits)
        likely *= places / likely.sum(axis=1, keepdims=True)
        likely = ((1.0 - evidence.blind) * likely + evidence.blind) ** weight
        likely /= likely.mean(axis=1, keepdims=True)
        for pin in pins:
            near = self.within(np.array([[pin.lat_deg, pin.lon_deg]]), pin.radius_m)[0]
            factor = np.full(places, 0.0 if pin.here else 1.0)
            factor[near] = 1.0 - factor[near]
            likely[pin.row] *= np.maximum(factor, 1e-9)
        return likely

    def decode(self, emissions: FloatArray, time_s: FloatArray, *, cuts: Sequence[int] = (), accuracy_m: float | None = None) -> Decoded:
        """Marginals and line.

        Args:
            emissions: (T, M) from :meth:`emissions`.
            time_s: (T,) of the frames.
            cuts: rows that begin a new shot: the camera may be anywhere again.
            accuracy_m: the line seeks to be right within this; None is twice the spacing.
        """
        marginal, log_evidence = self._marginals(emissions, time_s, frozenset(cuts))
        path = self._path(marginal, time_s, frozenset(cuts), 2.0 * self.spacing_m if accuracy_m is None else accuracy_m)
        return Decoded(marginal.astype(np.float32), path, log_evidence)

    def within(self, centres: FloatArray, radius_m: float) -> list[list[int]]:
        """Numbers of the places within a radius of each centre (N, 2)."""
        chord_m = 2.0 * EARTH_RADIUS_M * np.sin(min(radius_m / (2.0 * EARTH_RADIUS_M), np.pi / 2))
        points = unit_vectors(centres[:, 0], centres[:, 1]) * EARTH_RADIUS_M
        found: list[list[int]] = list(self._tree.query_ball_point(points, chord_m))
        return found

    def _marginals(self, emissions: FloatArray, time_s: FloatArray, cuts: frozenset[int]) -> tuple[FloatArray, float]:
        frames, places = emissions.shape
        ahead = np.empty((frames, places))
        log_total = 0.0
        now = np.full(places, 1.0 / places)
        for row in range(frames):
            if row:
                now = self._moved(now, time_s, row, cuts, forward=True)
            now = now * emissions[row]
            total = float(now.sum())
            log_total += np.log(max(total, _NEVER))
            now = now / total if total > 0 else np.full(places, 1.0 / places)
            ahead[row] = now
        back = np.ones(places)
        for row in range(frames - 1, -1, -1):
            ahead[row] *= back
            total = float(ahead[row].sum())
            ahead[row] = ahead[row] / total if total > 0 else 1.0 / places
            if row:
                back = self._moved(back * emissions[row], time_s, row, cuts, forward=False)
                back /= max(float(back.mean()), _NEVER)
        return ahead, log_total / frames

    def _moved(self, mass: FloatArray, time_s: FloatArray, row: int, cuts: frozenset[int], *, forward: bool) -> FloatArray:
        """The mass after (or, backward, the likelihood before) the step that ends in ``row``."""
        jump = 1.0 if row in cuts else self.motion.jump
        anywhere = np.full(len(mass), mass.mean())
        if jump >= 1.0:
            return anywhere
        step = self._transitions(float(time_s[row] - time_s[row - 1]))
        moved: FloatArray = step.T @ mass if forward else step @ mass
        return (1.0 - jump) * moved + jump * anywhere

    def _path(self, marginal: FloatArray, time_s: FloatArray, cuts: frozenset[int], accuracy_m: float) -> IntArray:
        """The path of highest expected accuracy that moves as a camera does."""
        kept = np.flatnonzero((marginal > 1e-3 * marginal.max(axis=1, keepdims=True)).any(axis=0))
        kept = kept[np.argsort(-marginal[:, kept].max(axis=0), kind="stable")[:_PATH_PLACES]]
        points = self._points[kept]
        apart_m = np.sqrt(np.maximum(((points[:, None] - points[None]) ** 2).sum(axis=2), 0.0))
        gain = np.log(np.maximum(marginal[:, kept] @ np.exp(-((apart_m / accuracy_m) ** 2)), _NEVER))
        best = gain[0]
        before = np.zeros((len(gain), len(kept)), dtype=np.int64)
        for row in range(1, len(gain)):
            if row in cuts:
                before[row] = best.argmax()
                best = best.max() + gain[row]
                continue
            length_m = self._length_m(float(time_s[row] - time_s[row - 1]))
            total = best[:, None] + np.maximum(-apart_m / length_m, np.log(self.motion.jump))
            before[row] = total.argmax(axis=0)
            best = total[before[row], np.arange(len(kept))] + gain[row]
        path = [int(best.argmax())]
        for row in range(len(gain) - 1, 0, -1):
            path.append(int(before[row, path[-1]]))
        return kept[np.array(path[::-1])]

    def _length_m(self, seconds: float) -> float:
        # Half the spacing: a camera between two places may be told as either.
        return self.motion.speed_mps * max(seconds, 0.0) + 0.5 * self.spacing_m

    def _transitions(self, seconds: float) -> sparse.csr_matrix:
        """(M, M) probabilities of getting from row to column."""
        key = round(np.log(max(seconds, 1e-3)) / np.log(_TIMES))
        if key not in self._steps:
            length_m = self._length_m(_TIMES**key)
            # As many neighbours as memory bears.
            reach_m = min(_REACH * length_m, self.spacing_m * np.sqrt(_MOST_LINKS / len(self._points) / np.pi))
            links = self._tree.sparse_distance_matrix(self._tree, reach_m, output_type="coo_matrix").tocsr()
            links.data = np.exp(-links.data / length_m)
            links.setdiag(1.0)
            self._steps[key] = sparse.diags(1.0 / np.asarray(links.sum(axis=1)).ravel()) @ links
        return self._steps[key]

