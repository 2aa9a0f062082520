"""Which ways through a road network fit how a camera turned, stopped and sped.

A hidden Markov model as in Brubaker, Geiger and Urtasun (2013, Sec. 3): a state is a directed place of the network; from step to step the camera goes on to what
follows, with some slack, and its heading must fit the street's. Two things are unknown beside the place: how many metres a unit of the camera's speeds is, for which
a few guesses are decoded each by itself, and where the camera has north: a state has one of 24 sectors that north lay in at the beginning, and keeps its own running
estimate within it (an assumed-density filter). Whole ways are then drawn from the posterior, backwards through the filter (forward filtering, backward sampling):
they are the hypotheses.

Time grows with places times steps until the first turns have told most places out, and from then on with what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ..feedback import Feedback
from ..trajectory.marginals import first_of_each_box
from ..types import FloatArray, IntArray
from .filtering import Filter, Links, Seen, State
from .graph import RoadGraph
from .profile import Profile, Way

_THREADS = 2
_WIDEST = 2.0  # standard deviations of a camera's height that are tried
_MARKS = 32  # parts of a way, after each of which guesses are compared
_HOPELESS = 25.0  # natural logarithm of odds
_LEAVE_EVERY = 5  # steps
_LEAVE_FROM = 16  # places apart, where most weight is, that the network may be left from
_LEAVE_BELOW = 4000  # rows: while there are more, nothing is known that would be lost


@dataclass(frozen=True)
class RoadModel:
    """How motion is read on roads. Chosen on simulated drives (``benchmarks odometry``).

    Args:
        heading_std_deg: of the difference between the camera's and the street's heading on the straight.
        corner_share: of the heading's change about a step, that is added to it: nobody turns exactly where two lines meet.
        outlier_probability: that a step's heading tells nothing.
        correlation_m: of way, over which headings err alike.
        drift_share: how much a step's heading moves the running estimate of north.
        slack: probability that a step goes on by no place, and that it goes on by two.
        turn_round: probability of turning round where the camera did.
        leave: probability of leaving the network, and coming back to it elsewhere, in ``_LEAVE_EVERY`` steps: maps lack streets.
        rejoin_m: how far away it comes back at most.
        cut_near: probability that a video goes on near where it was cut, ``cut_m`` away at most.
        prune: least weight against the best state's that is followed.
        height_m, height_std: of cameras over the road, whose height is the unit of speeds that are read from pictures; the deviation is its logarithm's.
        speeds_mps: between which usual speeds lie, where speeds have no unit.
        speed_step: ratio of neighbouring guesses.
        metric_steps: guesses to either side where speeds are in metres a second.
    """

    heading_std_deg: float = 8.0
    corner_share: float = 0.35
    outlier_probability: float = 1e-3
    correlation_m: float = 20.0
    drift_share: float = 0.08
    slack: float = 0.1
    turn_round: float = 0.05
    leave: float = 0.01
    rejoin_m: float = 400.0
    cut_near: float = 0.5
    cut_m: float = 1000.0
    prune: float = 1e-6
    height_m: float = 1.6
    height_std: float = 0.35
    speeds_mps: tuple[float, float] = (4.0, 18.0)
    speed_step: float = 1.15
    metric_steps: int = 1


@dataclass(frozen=True)
class Guess:
    """A guess of how many metres a unit of the odometer is.

    Args:
        metres: of a unit.
        log_prior: natural logarithm of its share before anything is seen.
    """

    metres: float
    log_prior: float


@dataclass(frozen=True)
class Ways:
    """Ways drawn from the posterior, alike in weight.

    Args:
        place: by way, the (J + 1,) places at the beginning, and after each step; guesses differ in J.
        metres: (S,) the guess that each belongs to.
        profiles: the profile of each guess, by its metres.
        log_evidence: natural logarithm of how well the network foresees the motion, a step of the reference length; 0 is perfectly.
        share: (G, 2) metres of guesses and their posterior share.
    """

    place: list[IntArray]
    metres: FloatArray
    profiles: dict[float, Profile]
    log_evidence: float
    share: FloatArray


class RoadDecoder:
    """Decodes any number of motions over one network.

    Args:
        graph: with at least one place.
        model: how motion is read; None is as by default.

    Raises:
        ValueError: the network has no place.
    """

    def __init__(self, graph: RoadGraph, model: RoadModel | None = None) -> None:
        if not len(graph):
            raise ValueError("a network without places")
        self.graph, self.model = graph, model or RoadModel()
        self.links = Links.of(graph), Links.of(graph, backwards=True)
        self.tree = cKDTree(graph.xy_m)
        # Before anything is seen a camera may be anywhere alike, by length of street.
        self.prior = (graph.length_m / graph.length_m.sum()).astype(np.float32)

    def guesses(self, way: Way) -> list[Guess]:
        """What a unit of the odometer may be, in metres, and how likely each is."""
        of = self.model
        if way.motion.metric:
            steps = np.arange(-of.metric_steps, of.metric_steps + 1)
            metres = (1.0 + (of.speed_step - 1.0) / 2.0) ** steps
            spread = np.abs(steps).astype(np.float64)
        elif way.motion.source == "video":
            steps = np.arange(
                -round(_WIDEST * of.height_std / np.log(of.speed_step)), round(_WIDEST * of.height_std / np.log(of.speed_step)) + 1
            )
            metres = of.height_m * of.speed_step**steps
            spread = steps * np.log(of.speed_step) / of.height_std
        else:
            low, high = np.log(of.speeds_mps)
            count = max(1, round((high - low) / np.log(of.speed_step)))
            usual = np.exp(np.linspace(low, high, count + 1))
            metres = usual / max(way.usual, 1e-9)
            spread = (np.log(usual) - (low + high) / 2.0) / ((high - low) / 4.0)
        log_prior = -(spread**2) / 2.0
        log_prior -= np.log(np.exp(log_prior).sum())
        return [Guess(float(one), float(prior)) for one, prior in zip(metres, log_prior, strict=True)]

    def decode(self, way: Way, ways: int = 512, seed: int = 0, feedback: Feedback = Feedback()) -> Ways:
        """Draw ways from the posterior.

        Args:
            way: that the camera made, in its own unit.
            ways: to draw.
            seed: of the drawing.
            feedback: told of guesses done; stops between them.

        Raises:
            CancelledError: stopped.
        """
        guesses = self.guesses(way)
        profiles = [way.profile(one.metres, self.graph.spacing_m) for one in guesses]
        # A step says the less the more of them there are in the same way: all guesses hear the same evidence.
        middle = float(np.exp(np.mean([np.log(one.metres) for one in guesses])))
        share = self.graph.spacing_m / self.model.correlation_m
        powers = [share * middle / one.metres for one in guesses]

        logs = self._evidence(guesses, profiles, powers, feedback)
        posterior = np.exp(logs - logs.max())
        log_evidence = float(np.log(posterior.sum()) + logs.max())
        posterior /= posterior.sum()
        rng = np.random.default_rng(seed)
        wanted = rng.multinomial(ways, posterior)
        places: list[IntArray] = []
        metres: list[float] = []
        for number in np.flatnonzero(wanted):
            feedback.check()
            kept: list[_Kept] = []
            self._filter(profiles[number], powers[number], kept)
            drawn = self._draw(profiles[number], kept, int(wanted[number]), rng)
            places.extend(drawn)
            metres.extend([guesses[number].metres] * len(drawn))
        steps = max(1.0, way.length * middle / self.graph.spacing_m * share)
        table = np.column_stack([[one.metres for one in guesses], posterior])
        of = {one.metres: profile for one, profile in zip(guesses, profiles, strict=True)}
        return Ways(places, np.array(metres), of, log_evidence / steps, table)

    def _evidence(self, guesses: list[Guess], profiles: list[Profile], powers: list[float], feedback: Feedback) -> FloatArray:
        """(G,) log evidence and prior of each guess; one that falls hopelessly behind a likelier one on the way is not followed to the end.

        Two are followed at a time, and compared with those that were done before them, so that it does not matter which is the faster.
        """
        logs, best = np.full(len(guesses), -np.inf), np.full(_MARKS, -np.inf)
        order = np.argsort([-one.log_prior for one in guesses], kind="stable")
        with ThreadPoolExecutor(_THREADS) as pool:
            for begin in range(0, len(order), _THREADS):
                feedback.check()
                feedback.tell(0.7 * begin / len(order), "roads", "")
                some = order[begin : begin + _THREADS].tolist()
                bar = best - _HOPELESS
                done = [
                    pool.submit(self._filter, profiles[number], powers[number], None, bar - guesses[number].log_prior) for number in some
                ]
                for number, one in zip(some, done, strict=True):
                    marks = one.result() + guesses[number].log_prior
                    best = np.fmax(best, marks)
                    logs[number] = marks[-1]
        return logs

    def _filter(self, profile: Profile, power: float, kept: list[_Kept] | None = None, bar: FloatArray | None = None) -> FloatArray:
        """Run through a profile: the log evidence after each of its ``_MARKS`` parts. What every step leaves is put into ``kept``.

        Where it is below ``bar`` at the end of a part, it ends there, and what follows is minus infinity.
        """
        marks, mark_of = np.full(_MARKS, -np.inf), (np.arange(len(profile)) + 1) * _MARKS // len(profile)
        one = Filter(self.graph, self.prior, self.model.prune)
        state = one.anywhere(profile.heading_deg[0])
        total = 0.0
        if kept is not None:
            kept.append(_Kept(state.compact()))
        for step in range(len(profile)):
            on_roads, left = state, None
            if profile.begins[step] and step:
                state, left = self._begun_again(one, state, profile.heading_deg[step])
            elif self.model.leave and step % _LEAVE_EVERY == _LEAVE_EVERY - 1 and len(state.weight) < _LEAVE_BELOW:
                state, left = self._rejoined(one, state)
            if kept is not None and left is not None:
                kept[-1] = _Kept(state.compact(), on_roads.compact(), left)
            state = self._step(one, state, profile, step, power)
            total += one.normalise(state)
            if kept is not None:
                kept.append(_Kept(state.compact()))
            reached = slice(int(mark_of[step - 1]) if step else 0, int(mark_of[step]))
            marks[reached] = total
            if bar is not None and (total < bar[reached]).any():
                marks[reached] = -np.inf
                break
        return marks

    def _rejoined(self, one: Filter, state: State) -> tuple[State, _Left]:
        """A state with those who left the network where most of the weight is and are back on it elsewhere."""
        left = self._left(state, self.model.rejoin_m, self.model.leave, keeps_north=True)
        row, place = left.back()
        sector, north = left.state.sector[row], left.state.north[row]
        back = State(place, sector, left.state.weight[row], north)
        joined = one.merged([state.times(np.float32(1.0 - left.share)), back.times(np.float32(left.share))])
        return joined, left

    def _begun_again(self, one: Filter, state: State, heading_deg: float) -> tuple[State, _Left]:
        """A state after a cut: somewhere near where the camera was, or anywhere."""
        left = self._left(state, self.model.cut_m, self.model.cut_near, keeps_north=False)
        row, place = left.back()
        everywhere = one.anywhere(heading_deg)
        near = np.bincount(place, left.state.weight[row], len(self.graph)).astype(np.float32)
        everywhere.weight = np.float32(1.0 - left.share) * everywhere.weight + np.float32(left.share) * near[everywhere.place]
        return everywhere, left

    def _left(self, state: State, reach_m: float, share: float, *, keeps_north: bool) -> _Left:
        """Where most of the weight is, apart from each other, and which places lie about there."""
        most = np.argsort(-state.weight, kind="stable")[: 8 * _LEAVE_FROM]
        first = first_of_each_box(np.column_stack([self.graph.xy_m[state.place[most]], 100.0 * state.sector[most]]), 100.0)[:_LEAVE_FROM]
        rows = most[first]
        around = [np.asarray(places, dtype=np.int64) for places in self.tree.query_ball_point(self.graph.xy_m[state.place[rows]], reach_m)]
        weight = state.weight[rows] / state.weight[rows].sum() / np.array([len(places) for places in around])
        return _Left(
            State(state.place[rows], state.sector[rows], weight.astype(np.float32), state.north[rows]), around, share, reach_m, keeps_north
        )

    def _step(self, one: Filter, state: State, profile: Profile, step: int, power: float) -> State:
        """Go on by a place, and compare headings."""
        seen = self._seen(profile, step, power)
        state.north = one.north_again(state, seen) if profile.unknown[step] else state.north
        links, slack = self.links[int(profile.backwards[step])], np.float32(2.0 * self.model.slack)
        ahead = one.advance(state, links, seen)
        parts = [ahead.times(np.float32(1.0) - slack)]
        if step % 2:
            parts.append(one.advance(ahead, links, seen).times(slack))
        else:
            parts.append(one.stay(state, seen).times(slack))
        if profile.turned_round[step] and not profile.backwards[step]:
            parts.append(one.turn_round(state, seen).times(np.float32(self.model.turn_round)))
        moved = one.merged(parts)
        one.blend(moved, seen, np.float32(max(seen.drift, 1.0 / (step + 2.0))))
        return moved

    def _seen(self, profile: Profile, step: int, power: float) -> Seen:
        """How a step's heading is compared."""
        of = self.model
        std_deg = float(np.hypot(of.heading_std_deg, of.corner_share * profile.change_deg[step]))
        drift = of.drift_share * (of.heading_std_deg / std_deg) ** 2
        return Seen.of(profile.heading_deg[step], std_deg, of.outlier_probability, power, drift)

    def _before_leaving(self, one: Filter, kept: _Kept, at: IntArray, rng: np.random.Generator) -> IntArray:
        """Rows, of the state before some left the network or the video was cut, that drawn rows of the state after that come from."""
        before, left = kept.before, kept.left
        if before is None or left is None:
            raise ValueError("nobody left")
        place, sector, whole = kept.state.place[at], kept.state.sector[at], kept.state.weight[at]
        apart_m = np.hypot(*(self.graph.xy_m[place][:, None] - self.graph.xy_m[left.state.place]).transpose(2, 0, 1))
        weight = left.state.weight * (apart_m <= left.reach_m)
        if left.keeps_north:
            weight = weight * (left.state.sector == sector[:, None])
            row = one.find(before, place, sector)
            stayed = (1.0 - left.share) * np.where(row >= 0, before.weight[row], 0.0)
        else:  # a cut: those who did not stay near may have been anywhere
            row = _pick(before, len(at), rng)
            stayed = (1.0 - left.share) * self.prior[place]
        near = left.share * weight.sum(axis=1)
        back = (rng.random(len(at)) * np.maximum(whole, 1e-30) >= stayed) & (near > 0)
        cumulated = np.cumsum(weight, axis=1)
        pick = np.minimum((cumulated < rng.random((len(at), 1)) * cumulated[:, -1:]).sum(axis=1), len(left.state.place) - 1)
        whence = one.find(before, left.state.place[pick], left.state.sector[pick])
        return np.where(back | (row < 0), whence, row)

    def _draw(self, profile: Profile, kept: list[_Kept], ways: int, rng: np.random.Generator) -> list[IntArray]:
        """Ways backwards from the last step's weights, as (ways, J + 1) places."""
        one = Filter(self.graph, self.prior, self.model.prune)
        drawn = np.empty((ways, len(profile) + 1), dtype=np.int64)
        slack, tolerance = 2.0 * self.model.slack, np.radians(2.0 * self.model.heading_std_deg) ** 2
        at = _pick(kept[-1].state, ways, rng)
        for step in range(len(profile) - 1, -1, -1):
            now = kept[step + 1].before or kept[step + 1].state
            if kept[step + 1].left is not None:
                at = self._before_leaving(one, kept[step + 1], at, rng)
            here = kept[step].state
            place, sector, own = now.place[at], now.sector[at], now.north[at]
            drawn[:, step + 1] = place
            links = self.links[int(profile.backwards[step])]
            before, share = links.table[place], links.table_share[place]
            options, chances = [before], [share * (1.0 - slack)]
            if step % 2:
                two = links.table[np.maximum(before, 0)]
                two_share = links.table_share[np.maximum(before, 0)] * share[:, :, None]
                options.append(np.where(before[:, :, None] >= 0, two, -1).reshape(ways, -1))
                chances.append(two_share.reshape(ways, -1) * slack)
            else:
                options.append(place[:, None])
                chances.append(np.full((ways, 1), slack))
            if profile.turned_round[step]:
                options.append(self.graph.opposite[place][:, None])
                chances.append(np.full((ways, 1), self.model.turn_round))
            choice, chance = np.concatenate(options, axis=1), np.concatenate(chances, axis=1)
            row = one.find(here, np.where(choice >= 0, choice, 0), sector[:, None])
            there = (choice >= 0) & (row >= 0)
            apart = np.ones(row.shape) if profile.unknown[step] else (here.north[row] * own[:, None].conj()).real
            # Ways that met had norths of their own: one's own past is what had the north that one has.
            weight = np.where(there, chance * here.weight[row] * np.exp((apart - 1.0) / tolerance), 0.0)
            weight = np.where(weight.sum(axis=1, keepdims=True) > 0, weight, there)
            cumulated = np.cumsum(weight, axis=1)
            pick = (cumulated < rng.random((ways, 1)) * cumulated[:, -1:]).sum(axis=1)
            at = row[np.arange(ways), np.minimum(pick, choice.shape[1] - 1)]
        if kept[0].left is not None:
            at = self._before_leaving(one, kept[0], at, rng)
        drawn[:, 0] = (kept[0].before or kept[0].state).place[at]
        return list(drawn)


@dataclass(frozen=True)
class _Kept:
    """A moment's state for drawing backwards; where some left the network, or the video was cut, also the state before that, and where they were."""

    state: State
    before: State | None = None
    left: _Left | None = None


@dataclass(frozen=True)
class _Left:
    """Who left the network, or was there before a cut, and may be back near there.

    Args:
        state: where they were, each with its weight for every single place around.
        around: of each, the places where it may be back.
        share: of all, who may.
        reach_m: how far away the places lie at most.
        keeps_north: whether they still know where north is.
    """

    state: State
    around: Sequence[IntArray]
    share: float
    reach_m: float
    keeps_north: bool

    def back(self) -> tuple[IntArray, IntArray]:
        """Numbers of those who were there, and places where each may be back."""
        return np.repeat(np.arange(len(self.around)), [len(places) for places in self.around]), np.concatenate(self.around)


def _pick(state: State, ways: int, rng: np.random.Generator) -> IntArray:
    """Rows of a state, drawn by their weight."""
    share = state.weight.astype(np.float64)
    return rng.choice(len(share), size=ways, p=share / share.sum())
