"""All frames of a video decoded together: a hidden Markov model over the places of an area.

A state is a place, or a place and a direction that the camera looks in there; all places stand for equal shares of the area. Evidence of a frame is the
softmax of its scores over the states, tempered, beside a small chance that the picture tells nothing (a lorry in front). Between frames the camera moves as
far as a speed and the real time between them allow, or, rarely, anywhere. Forward-backward gives each frame's marginal over the area; the line is the path
that is right most often by those marginals and moves as a camera does (the Viterbi algorithm over expected accuracies). Pins are evidence like any other.

Time grows with frames times links between places (about 40 a place); memory with the places and, for marginals, the cells that hold all but a ten-thousandth of
each frame's mass: scores are asked for in blocks, and of the forward pass only a block and its beginnings are held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from ..directions import Directions
from ..geodesy import EARTH_RADIUS_M, chord_m, unit_vectors
from ..types import FloatArray, IntArray
from .emission import EmissionModel, Pin
from .marginals import TINY, Held, apart2, first_of_each_box, most_held, nearness, stacked, thinned
from .smooth import smoothed
from .transition import TransitionModel, outruns

_REACH = 5.0  # lengths of the motion's fall-off, beyond which a step is a jump
_MOST_LINKS = 3_000_000
_TIMES = 1.2  # time steps nearer than this factor share their transitions
_MOST_SUBSTEPS = 16
_BLOCK = 4_000_000  # frames times places held at once
_MOST_KEPT = 40_000_000  # of all marginals
_PATH_PLACES = 300  # that a line is sought over
_PATH_LOOKED_AT = 800  # that these are chosen from
_PATH_MASS = 3000  # places that it is judged by
_SHIFTS = 3

__all__ = ["Decoded", "Decoder", "EmissionModel", "Pin", "Scores", "most_kept"]

Scores = Callable[[slice], FloatArray]


def most_kept(frames: int) -> int:
    """Places of a frame that a marginal over so many frames keeps at most."""
    return max(500, _MOST_KEPT // max(1, frames))


@dataclass(frozen=True)
class Decoded:
    """A video's answer over the places.

    Args:
        marginal: (T, M) sparse rows that sum to 1; a frame's faintest places, a ten-thousandth of its mass, are left out.
        path: (T,) number of each frame's place.
        lat_lon_deg: (T, 2) the line: each path place moved to the middle of the mass about it.
        log_evidence: mean natural log of how much better the best-fitting places foresee the frames than an even spread would.
        outruns_limit: whether the line went farther than the top speed allows that was given.
    """

    marginal: sparse.csr_matrix
    path: IntArray
    lat_lon_deg: FloatArray
    log_evidence: float
    outruns_limit: bool = False


class Decoder:
    """Decodes any number of videos over the same places.

    Args:
        lat_lon_deg: (M, 2) an even cover of the area.
        spacing_m: of the places.
        transition: between frames.
        prior: (M,) where a camera is before anything is seen, and where it may be after a restart or a cut; None is anywhere alike. It is brought to one in sum.
        directions: that states have beside their place; S, the number of states, is M times as many. States are ordered by direction, then by place.
    """

    def __init__(
        self,
        lat_lon_deg: FloatArray,
        spacing_m: float,
        transition: TransitionModel | None = None,
        prior: FloatArray | None = None,
        directions: Directions | None = None,
    ) -> None:
        self.lat_lon_deg, self.spacing_m, self.transition = (
            np.asarray(lat_lon_deg, dtype=np.float64),
            spacing_m,
            transition or TransitionModel(),
        )
        self.points_m = unit_vectors(self.lat_lon_deg[:, 0], self.lat_lon_deg[:, 1]) * EARTH_RADIUS_M
        self.tree = cKDTree(self.points_m)
        self.directions = directions
        self.layers = directions.count if directions else 1
        self.prior: FloatArray | None = None
        if prior is not None:
            of_states = np.tile(np.asarray(prior, np.float64), self.layers)
            self.prior = (of_states / of_states.sum()).astype(np.float32)
        self._middle_m = self.points_m.sum(axis=0) / max(
            1, len(self.points_m)
        )  # squares of metres must not be lost beside squares of the Earth's radius
        self._about_m = self.points_m - self._middle_m
        self._squares_m2 = np.square(self._about_m).sum(axis=1)
        self._steps: dict[int, tuple[sparse.csr_array, FloatArray, int]] = {}

    @property
    def states(self) -> int:
        """S."""
        return self.layers * len(self.points_m)

    def decode(
        self,
        scores: FloatArray | Scores,
        time_s: FloatArray,
        emission: EmissionModel,
        *,
        cuts: Iterable[int] = (),
        pins: Sequence[Pin] = (),
        accuracy_m: float | None = None,
        line_emission: EmissionModel | None = None,
    ) -> Decoded:
        """Marginals and line.

        Args:
            scores: (T, S) cosines, or what gives those of a slice of frames (asked twice for each).
            time_s: (T,) of the frames, not falling.
            emission: how scores are read.
            cuts: rows that begin a new shot: the camera may be anywhere again.
            pins: of this video.
            accuracy_m: the line seeks to be right within this; None is twice the spacing.
            line_emission: how scores are read for the line, where otherwise than for the marginals.
        """
        time_s, asked = np.asarray(time_s, dtype=np.float64), frozenset(cuts)
        marginal, log_evidence = self._marginals(self._emissions(scores, time_s, emission, pins), time_s, asked)
        sought = marginal
        if line_emission is not None and line_emission != emission:
            sought, _ = self._marginals(self._emissions(scores, time_s, line_emission, pins), time_s, asked)
        return self.decoded(marginal, log_evidence, sought, time_s, asked, accuracy_m)

    def decoded(
        self,
        marginal: sparse.csr_matrix,
        log_evidence: float,
        sought: sparse.csr_matrix,
        time_s: FloatArray,
        cuts: frozenset[int],
        accuracy_m: float | None,
    ) -> Decoded:
        """What :meth:`decode` gives, from the marginal and that by which the line is sought."""
        path, places = self.line(sought, time_s, cuts, 2.0 * self.spacing_m if accuracy_m is None else accuracy_m)
        limit_mps = self.transition.limit_mps
        too_far = limit_mps is not None and outruns(places, time_s, cuts, limit_mps, self.spacing_m)
        return Decoded(marginal, path, places, log_evidence, too_far)

    def marginals(
        self, scores: FloatArray | Scores, time_s: FloatArray, emission: EmissionModel, cuts: Iterable[int] = (), pins: Sequence[Pin] = ()
    ) -> tuple[sparse.csr_matrix, float]:
        """The marginal and the log evidence of :meth:`decode`, without a line."""
        time_s = np.asarray(time_s, dtype=np.float64)
        return self._marginals(self._emissions(scores, time_s, emission, pins), time_s, frozenset(cuts))

    def within(self, centres: FloatArray, radius_m: float) -> list[list[int]]:
        """Numbers of the places within a radius of each centre (N, 2)."""
        points = unit_vectors(centres[:, 0], centres[:, 1]) * EARTH_RADIUS_M
        found: list[list[int]] = list(self.tree.query_ball_point(points, float(chord_m(radius_m))))
        return found

    def nearest(self, centres: FloatArray) -> IntArray:
        """Number of the place nearest to each centre (N, 2)."""
        return np.asarray(self.tree.query(unit_vectors(centres[:, 0], centres[:, 1]) * EARTH_RADIUS_M)[1], dtype=np.int64)

    def apart2_m2(self, point_m: FloatArray, places: IntArray) -> FloatArray:
        """Squares of the straight-line distances from a point (3,) to the places of these numbers; to all where there are as many."""
        point_m = point_m - self._middle_m
        every = len(places) == len(self.points_m)
        about_m, squares_m2 = (self._about_m, self._squares_m2) if every else (self._about_m[places], self._squares_m2[places])
        result: FloatArray = np.maximum(squares_m2 - 2.0 * (about_m @ point_m) + point_m @ point_m, 0.0)
        return result

    def _emissions(self, scores: FloatArray | Scores, time_s: FloatArray, emission: EmissionModel, pins: Sequence[Pin]) -> Scores:
        """What gives the likelihood of a slice of frames, pins included."""
        weight = emission.weights(time_s)

        def emissions(rows: slice) -> FloatArray:
            likely = emission.likelihood(scores(rows) if callable(scores) else scores[rows], weight[rows])
            for pin in pins:
                if rows.start <= pin.row < rows.stop:
                    likely[pin.row - rows.start] *= self.pin_factor([pin])
            return likely

        return emissions

    def pin_factor(self, pins: Sequence[Pin]) -> FloatArray:
        """(S,) by which pins on one frame change its likelihood."""
        whole = np.ones(len(self.points_m), dtype=np.float32)
        for pin in pins:
            near = self.within(np.array([[pin.lat_deg, pin.lon_deg]]), pin.radius_m)[0]
            # A pin between places means the nearest.
            near = near or (self.nearest(np.array([[pin.lat_deg, pin.lon_deg]])).tolist() if pin.here else [])
            factor = np.full(len(self.points_m), 1e-9 if pin.here else 1.0, dtype=np.float32)
            factor[near] = 1.0 if pin.here else 1e-9
            whole *= factor
        return np.tile(whole, self.layers)

    def start(self) -> FloatArray:
        """(S,) what is known before the first frame."""
        return np.full(self.states, 1.0 / self.states, dtype=np.float32) if self.prior is None else self.prior

    def _marginals(self, emissions: Scores, time_s: FloatArray, cuts: frozenset[int]) -> tuple[sparse.csr_matrix, float]:
        frames, places = len(time_s), len(self.points_m)
        states = self.states
        size = max(1, min(frames, _BLOCK // states))
        blocks = [slice(start, min(start + size, frames)) for start in range(0, frames, size)]
        kept = most_kept(frames)
        now, log_total = self.start(), 0.0
        begins = [now]
        for block in blocks[:-1]:
            ahead, gained = self._ahead(emissions(block), now, block, time_s, cuts)
            now, log_total = ahead[-1].copy(), log_total + gained
            begins.append(now)
        for row in range(1, frames):  # before two threads ask for them
            if row not in cuts:
                self.transitions(float(time_s[row] - time_s[row - 1]))
        back = np.ones(states, dtype=np.float32)
        rows: list[tuple[IntArray, FloatArray]] = []
        with ThreadPoolExecutor(1) as aside:
            for block, begin in zip(blocks[::-1], begins[::-1], strict=True):
                likely = emissions(block)
                filtering = aside.submit(self._ahead, likely, begin, block, time_s, cuts)
                behind, back = self._behind(likely, back, block, time_s, cuts)
                ahead, gained = filtering.result()
                if block is blocks[-1]:
                    log_total += gained
                behind *= ahead
                rows.extend(thinned(self.of_places(mass), kept) for mass in behind[::-1])
        return stacked(rows[::-1], places), log_total / frames

    def _ahead(
        self, likely: FloatArray, now: FloatArray, block: slice, time_s: FloatArray, cuts: frozenset[int]
    ) -> tuple[FloatArray, float]:
        """(B, S) filtered mass of a block of frames, and the log evidence gained in it."""
        ahead, gained = np.empty_like(likely), 0.0
        for row in range(block.start, block.stop):
            if row:
                now = self.moved(now, time_s, row, cuts, forward=True)
            now = now * likely[row - block.start]
            total = float(now.sum(dtype=np.float64))
            gained += float(np.log(max(total, TINY)))
            now = now / np.float32(total) if total > TINY else np.full_like(now, 1.0 / len(now))
            ahead[row - block.start] = now
        return ahead, gained

    def _behind(
        self, likely: FloatArray, back: FloatArray, block: slice, time_s: FloatArray, cuts: frozenset[int]
    ) -> tuple[FloatArray, FloatArray]:
        """(B, S) likelihood of what comes after each frame of a block, and that of what comes after the frame before it, each but for a factor.

        Args:
            likely: (B, S) of the frames.
            back: (S,) of what comes after the block.
            block, time_s, cuts: as elsewhere.
        """
        behind = np.empty_like(likely)
        for row in range(block.stop - 1, block.start - 1, -1):
            behind[row - block.start] = back
            if row:
                back = self.moved(back * likely[row - block.start], time_s, row, cuts, forward=False)
                back /= max(float(back.mean(dtype=np.float64)), TINY)
        return behind, back

    def moved(self, mass: FloatArray, time_s: FloatArray, row: int, cuts: frozenset[int], *, forward: bool) -> FloatArray:
        """The mass after (or, backward, the likelihood before) the step that ends in ``row``."""
        anywhere = self._anywhere(mass, forward=forward)
        if row in cuts:
            return np.zeros_like(mass) + anywhere
        seconds = float(time_s[row] - time_s[row - 1])
        links, one_over, times = self.transitions(seconds)
        if self.directions is None:
            for _ in range(times):
                mass = links @ (mass * one_over) if forward else (links @ mass) * one_over
        else:
            mass = self._moved_in_all(mass.reshape(self.layers, -1), links, one_over, times, forward=forward)
            mass = (self.directions.turned(self.seconds_of(seconds)) @ mass).ravel()
        restart_probability = np.float32(self.transition.restart_probability)
        moved: FloatArray = (1 - restart_probability) * mass + restart_probability * anywhere
        return moved

    @staticmethod
    def _moved_in_all(mass: FloatArray, links: sparse.csr_array, one_over: FloatArray, times: int, *, forward: bool) -> FloatArray:
        """The same of masses (L, M) that move alike."""
        for _ in range(times):
            moved = links @ np.ascontiguousarray((mass * one_over if forward else mass).T)
            mass = moved.T if forward else moved.T * one_over
        return mass

    def of_places(self, mass: FloatArray) -> FloatArray:
        """(M,) mass of places, whatever the direction, of (S,) mass of states."""
        if self.directions is None:
            return mass
        found: FloatArray = mass.reshape(self.layers, -1).sum(axis=0)
        return found

    def _anywhere(self, mass: FloatArray, *, forward: bool) -> FloatArray | np.float32:
        """What a jump makes of a mass: forward all of it goes where the prior says; backward every place is given what the prior expects of where it may go."""
        if self.prior is None:
            return np.float32(mass.mean(dtype=np.float64))
        return np.float32(mass.sum(dtype=np.float64)) * self.prior if forward else np.float32(np.dot(mass.astype(np.float64), self.prior))

    def line(self, marginal: sparse.csr_matrix, time_s: FloatArray, cuts: Iterable[int], accuracy_m: float) -> tuple[IntArray, FloatArray]:
        """The path of highest expected accuracy that moves as a camera does, and its places settled as :meth:`settled` does.

        Returns:
            (T,) numbers of places, (T, 2) lat, lon.
        """
        cuts, held = frozenset(cuts), self.held(marginal)
        path = self.path(held, time_s, cuts, accuracy_m)
        return path, self.settled(held, path, time_s, cuts, accuracy_m, self.transition.inverse_process_noise)

    def held(self, marginal: sparse.csr_matrix) -> Held:
        """What lines are sought by: see :func:`.marginals.most_held`."""
        return most_held(marginal, _PATH_MASS)

    def path(self, held: Held, time_s: FloatArray, cuts: frozenset[int], accuracy_m: float) -> IntArray:
        """(T,) numbers of places of the path of highest expected accuracy, from what :meth:`held` gives."""
        places, mass = held
        # Of places within a third of the accuracy, the best one stands for all.
        first = first_of_each_box(self.points_m[places], accuracy_m / 3.0)[:_PATH_LOOKED_AT]
        gain = mass @ nearness(self.points_m[places], self.points_m[places[first]], accuracy_m)
        most = np.argsort(-gain.max(axis=0), kind="stable")[:_PATH_PLACES]
        kept, gain = places[first[most]], np.log(np.maximum(gain[:, most], TINY).astype(np.float64))
        apart_m, cell_m = np.sqrt(apart2(self.points_m[kept], self.points_m[kept])), max(self.spacing_m, accuracy_m / 3.0)
        found: IntArray = kept[self._viterbi(gain, apart_m, time_s, cuts, cell_m)]
        return found

    def settled(
        self, held: Held, path: IntArray, time_s: FloatArray, cuts: Iterable[int], accuracy_m: float, inverse_process_noise: float
    ) -> FloatArray:
        """(T, 2) a path's places moved to the middle of the mass about them.

        With an ``inverse_process_noise`` above 0 each moves as far as its mass is narrow and the others follow.

        Args:
            held: as :meth:`held` gives it.
            path: (T,) as :meth:`path` gives it.
            time_s, cuts, accuracy_m: as elsewhere.
            inverse_process_noise: as of a :class:`TransitionModel`.
        """
        about_m, mass = self.points_m[held[0]], held[1]
        places = self.points_m[path]
        for _ in range(_SHIFTS):
            near = mass * nearness(places, about_m, accuracy_m)
            total = near.sum(axis=1, keepdims=True)
            places = np.where(total > TINY, (near @ about_m) / np.maximum(total, TINY), places)
            if inverse_process_noise > 0:
                variance = (near * apart2(places, about_m)).sum(axis=1) / np.maximum(total[:, 0], TINY) / 2.0
                spread_m = np.sqrt(np.where(total[:, 0] > TINY, variance, accuracy_m**2) + self.spacing_m**2 / 12.0)
                places = smoothed(places, spread_m, time_s, inverse_process_noise, cuts)
        lat = np.degrees(np.arctan2(places[:, 2], np.hypot(places[:, 0], places[:, 1])))
        return np.stack([lat, np.degrees(np.arctan2(places[:, 1], places[:, 0]))], axis=1)

    def _viterbi(self, gain: FloatArray, apart_m: FloatArray, time_s: FloatArray, cuts: frozenset[int], cell_m: float) -> IntArray:
        best, last_m = gain[0], -1.0
        moves, total, every = np.empty_like(apart_m), np.empty_like(apart_m), np.arange(gain.shape[1])
        before = np.zeros(gain.shape, dtype=np.int16)
        for row in range(1, len(gain)):
            if row in cuts:
                before[row] = best.argmax()
                best = best.max() + gain[row]
                continue
            seconds = float(time_s[row] - time_s[row - 1])
            length_m = self._length_m(seconds)
            if length_m != last_m:
                moves, last_m = np.maximum(-apart_m / length_m, np.log(self.transition.restart_probability)), length_m
                moves[apart_m > self.transition.farthest_m(seconds, cell_m)] = np.log(self.transition.restart_probability)
            np.add(best, moves, out=total)  # from a column to a row; moves are the same both ways
            before[row] = total.argmax(axis=1)
            best = total[every, before[row]] + gain[row]
        path = [int(best.argmax())]
        for row in range(len(gain) - 1, 0, -1):
            path.append(int(before[row, path[-1]]))
        return np.array(path[::-1])

    def _length_m(self, seconds: float) -> float:
        # Half the spacing: a camera between two places may be told as either.
        return self.transition.scale_mps * max(seconds, 0.0) + 0.5 * self.spacing_m

    @staticmethod
    def step(seconds: float) -> int:
        """A number that steps have in common which share their transitions."""
        return round(np.log(max(seconds, 1e-3)) / np.log(_TIMES))

    @classmethod
    def seconds_of(cls, seconds: float) -> float:
        """The time that such steps are reckoned with."""
        return float(_TIMES ** cls.step(seconds))

    def transitions(self, seconds: float) -> tuple[sparse.csr_array, FloatArray, int]:
        """(M, M) weights of getting from place to place, one over each place's sum of them, and how many times they are to be applied."""
        key = self.step(seconds)
        if key not in self._steps:
            length_m = self._length_m(_TIMES**key)
            # As many neighbours as memory bears; longer steps are several short ones: the squares of their lengths add up.
            longest_m = self.spacing_m * np.sqrt(_MOST_LINKS / len(self.points_m) / np.pi) / _REACH
            times = int(np.clip(np.ceil((length_m / longest_m) ** 2), 1, _MOST_SUBSTEPS))
            most_m, longest_s = _REACH * longest_m * 1.2, _TIMES ** (key + 0.5)
            farthest_m = self.transition.farthest_m(longest_s, self.spacing_m)
            if farthest_m <= most_m:
                times = 1  # a top speed leaves no more neighbours than memory bears
            length_m /= np.sqrt(times)
            reach_m = min(_REACH * length_m, most_m, self.transition.farthest_m(longest_s / times, self.spacing_m))
            self._steps[key] = (*self._links(max(reach_m, 1e-6), length_m), times)
        return self._steps[key]

    def _links(self, reach_m: float, length_m: float) -> tuple[sparse.csr_array, FloatArray]:
        """(M, M) float32 exp(-distance / length) between places within reach, the same both ways, and one over its rows' sums."""
        places = np.arange(len(self.points_m), dtype=np.int32)
        one, other = np.ascontiguousarray(self.tree.query_pairs(reach_m, output_type="ndarray").T.astype(np.int32))
        apart_m = self._about_m[one]
        apart_m -= self._about_m[other]
        near = np.sqrt(np.einsum("ij,ij->i", apart_m, apart_m)).astype(np.float32)
        np.exp(near * np.float32(-1.0 / length_m), out=near)
        weights = np.concatenate([near, near, np.ones(len(places), dtype=np.float32)])
        pairs = np.concatenate([one, other, places]), np.concatenate([other, one, places])
        links = sparse.coo_array((weights, pairs), shape=(len(places), len(places)))
        links.has_canonical_format = True  # no pair is told twice: nothing to sort and to sum up
        links = links.tocsr()
        return links, (1.0 / links.sum(axis=1, dtype=np.float64)).astype(np.float32)
