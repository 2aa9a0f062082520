"""Messages that are kept from solve to solve, against decoding everything anew and against a chain that is summed by hand."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.test_corrections import EAST, WEST, place, town
from vidtag_engine.commands.solve import solve
from vidtag_engine.directions import Directions
from vidtag_engine.export.pins import PinRow
from vidtag_engine.inference import solved
from vidtag_engine.trajectory import Decoder, EmissionModel, Pin, TransitionModel
from vidtag_engine.trajectory.messages import _OFF, Messages

SPACING_M = 100.0
STEP_DEG = SPACING_M / 111_195.0


def places(side):
    rows, columns = np.divmod(np.arange(side * side), side)
    return np.column_stack([rows * STEP_DEG, columns * STEP_DEG])


def total_variation(one, other):
    return np.abs(one.toarray() - other.toarray()).sum(axis=1) / 2


def pins_of(draw_rows, cells, rng):
    found = []
    for row, kind in draw_rows:
        lat, lon = cells[rng.integers(len(cells))]
        found.append(Pin(row, float(lat), float(lon), radius_m=float(rng.choice([30.0, 150.0])), here=kind))
    return found


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    solves=st.lists(st.lists(st.tuples(st.integers(0, 59), st.booleans()), max_size=3), min_size=2, max_size=6),
)
def test_where_states_have_directions_too(seed, solves):
    """What places have may stay while what their directions have does not: frames beyond are still reckoned as far as it matters."""
    rng = np.random.default_rng(seed)
    cells, frames = places(4), 60
    decoder = Decoder(cells, SPACING_M, TransitionModel(float(rng.choice([2.0, 10.0]))), directions=Directions(4))
    scores = rng.normal(0, float(rng.choice([0.02, 0.3])), (frames, decoder.states)).astype(np.float32)
    time_s, emission = np.arange(frames) * 1.0, EmissionModel(0.1)
    messages = Messages(decoder, scores, time_s, emission)
    for drawn in solves:
        pins = pins_of(drawn, cells, rng)
        anew = decoder.decode(scores, time_s, emission, pins=pins).marginal
        assert total_variation(messages.marginals(pins).marginal, anew).max() < _OFF + 1e-5


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    solves=st.lists(st.lists(st.tuples(st.integers(0, 39), st.booleans()), max_size=4), min_size=1, max_size=6),
    cut=st.sampled_from([(), (20,), (0, 13, 27)]),
)
def test_pins_one_after_another_give_what_decoding_anew_gives(seed, solves, cut):
    """Any pins, added and taken back in any order: never farther off than is promised, and what is called unchanged is the same."""
    rng = np.random.default_rng(seed)
    cells, frames = places(7), 40
    decoder = Decoder(cells, SPACING_M, TransitionModel(float(rng.choice([5.0, 30.0]))))
    scores, time_s = rng.normal(0, 0.1, (frames, len(cells))).astype(np.float32), np.cumsum(rng.uniform(0.5, 3.0, frames))
    emission = EmissionModel(0.1, error_correlation=float(rng.choice([0.0, 0.5])))
    messages = Messages(decoder, scores, time_s, emission, cut)
    before = None
    for drawn in solves:
        pins = pins_of(drawn, cells, rng)
        found = messages.marginals(pins)
        anew = decoder.decode(scores, time_s, emission, cuts=cut, pins=pins)
        assert total_variation(found.marginal, anew.marginal).max() < _OFF + 1e-5
        assert found.log_evidence == pytest.approx(anew.log_evidence, abs=1e-4)
        if before is not None:
            assert not total_variation(found.marginal, before.marginal)[found.version == before.version].any()
        before = found


def test_as_a_chain_that_is_summed_over_all_ways():
    """Three places and four frames: 81 ways, each with its chance, by hand."""
    cells = np.array([[0.0, 0.0], [0.0, STEP_DEG], [0.0, 2 * STEP_DEG]])
    decoder = Decoder(cells, SPACING_M, TransitionModel(60.0, restart_probability=0.01))
    rng = np.random.default_rng(1)
    scores, time_s, emission = rng.normal(0, 0.1, (4, 3)).astype(np.float32), np.arange(4.0), EmissionModel(0.1)
    pins = [Pin(2, 0.0, STEP_DEG, radius_m=30.0, here=False)]
    likely = emission.likelihood(scores, emission.weights(time_s)).astype(np.float64)
    likely[2] *= [1.0, 1e-9, 1.0]
    links, one_over, times = decoder.transitions(1.0)
    step = np.eye(3)
    for _ in range(times):
        step = links.toarray() @ np.diag(one_over) @ step
    step = 0.99 * step + 0.01 / 3
    mass = np.zeros((4, 3))
    for way in itertools.product(range(3), repeat=4):
        chance = likely[0, way[0]]
        for row in range(1, 4):
            chance *= step[way[row], way[row - 1]] * likely[row, way[row]]
        for row in range(4):
            mass[row, way[row]] += chance
    mass /= mass.sum(axis=1, keepdims=True)
    found = Messages(decoder, scores, time_s, emission).marginals(pins).marginal.toarray()
    assert found == pytest.approx(mass, abs=1e-4)


def test_what_is_far_from_a_pin_is_not_reckoned_again():
    rng = np.random.default_rng(5)
    cells, frames = places(20), 400
    way = np.linspace(0, 19 * STEP_DEG, frames)
    apart = np.hypot(cells[None, :, 0] - way[:, None], cells[None, :, 1] - way[:, None]) / STEP_DEG
    scores = (np.exp(-((apart / 2) ** 2)) + 0.1 * rng.random(apart.shape)).astype(np.float32)
    decoder = Decoder(cells, SPACING_M, TransitionModel(5.0))
    messages = Messages(decoder, scores, np.arange(frames) * 1.0, EmissionModel(0.1))
    first = messages.marginals([])
    again = messages.marginals([])
    assert (again.version == first.version).all()
    assert not total_variation(first.marginal, again.marginal).any()
    pin = Pin(200, *cells[np.abs(cells - way[200]).sum(axis=1).argmin()].tolist(), radius_m=60.0)
    pinned = messages.marginals([pin])
    rows = np.flatnonzero(pinned.version != first.version)
    assert 200 in rows
    assert len(rows) < 150
    assert (np.diff(rows) == 1).all()


def test_a_solve_that_breaks_off_leaves_nothing_half_done(monkeypatch):
    rng = np.random.default_rng(6)
    cells = places(7)
    decoder = Decoder(cells, SPACING_M, TransitionModel(5.0))
    scores, time_s, emission = rng.normal(0, 0.1, (30, len(cells))).astype(np.float32), np.arange(30.0), EmissionModel(0.1)
    messages = Messages(decoder, scores, time_s, emission)
    messages.marginals([])
    pins = [Pin(12, *cells[3].tolist()), Pin(20, *cells[40].tolist(), here=False)]
    real, calls = Messages._filter, itertools.count()

    def breaking(self, row):
        if next(calls) == 4:
            raise MemoryError
        real(self, row)

    monkeypatch.setattr(Messages, "_filter", breaking)
    with pytest.raises(MemoryError):
        messages.marginals(pins)
    monkeypatch.setattr(Messages, "_filter", real)
    for mine in (pins, [], pins[:1]):
        anew = decoder.decode(scores, time_s, emission, pins=mine).marginal
        assert total_variation(messages.marginals(mine).marginal, anew).max() < _OFF + 1e-5


def told(trajectory):
    """All that a solve says of frames, as numbers."""
    of = trajectory.hypotheses
    regions = [shape.area for shape in (*of.region50, *of.region90) if shape is not None]
    columns = (
        trajectory.lat_deg,
        trajectory.lon_deg,
        trajectory.confidence,
        of.within.ravel(),
        of.runner_up_share,
        of.position_share,
        of.entropy_bits,
    )
    return [*map(np.asarray, columns), np.array(regions), np.array([of.overall50.area, of.overall90.area])]


def same(one, other):
    for mine, theirs in zip(told(one), told(other), strict=True):
        assert mine == pytest.approx(theirs, rel=2e-3, abs=2e-3, nan_ok=True)


@pytest.mark.parametrize("most_bytes", [600_000_000, 0])
def test_what_is_said_does_not_depend_on_what_was_solved_before(monkeypatch, most_bytes):
    """Pins set, moved and taken back, another video in between: each time as a process says it that knows nothing of it."""
    monkeypatch.setattr(solved, "_MOST_BYTES", most_bytes)
    result, kept = town()
    other, others = town(damaged=(3,))
    here, there = (PinRow("town.mp4", 2, *place(22, column)) for column in (EAST[1], WEST[1]))
    not_here = PinRow("town.mp4", 9, *place(29, WEST[1]), here=False, radius_m=400.0)
    for pins, of in (
        ([here], 0), ([here, not_here], 0), ([not_here], 0), ([there], 1), ([there, not_here], 0), ([here], 0), ([here], 1), ([here], 0)
    ):  # fmt: skip
        mine, scores = ((result, kept), (other, others))[of]
        with_what_was_kept = solve(mine.trajectory, scores, pins)
        monkeypatch.setattr(solved, "_last", solved._Last())
        same(with_what_was_kept, solve(mine.trajectory, scores, pins))
        monkeypatch.undo()
        monkeypatch.setattr(solved, "_MOST_BYTES", most_bytes)


def test_pins_are_solved_by_what_was_kept_of_this_very_video():
    """The solver is known again by all that a video was decoded from, whatever its files are called."""
    _, kept = town()
    first = solved.solver_of(kept)
    assert solved.solver_of(replace(kept, scores=kept.scores.copy(), line=kept.line + 1)) is first
    for changed in (
        replace(kept, scores=np.where(np.arange(len(kept.scores))[:, None] == 5, kept.scores + 1e-3, kept.scores).astype(np.float32)),
        replace(kept, time_s=kept.time_s + np.arange(len(kept.time_s))),
        replace(kept, cuts=(4,)),
        replace(kept, spacing_m=kept.spacing_m + 1),
        replace(kept, calibration=replace(kept.calibration, level90=0.8)),
        replace(kept, lat_lon_deg=kept.lat_lon_deg + 1e-4),
    ):
        assert solved.solver_of(changed) is not first
        first = solved.solver_of(kept)


def test_decoding_for_something_else_in_between_leaves_nothing_stale():
    """Who asks for marginals without drawing regions, as a frame's candidates do, must not make the next solve take old regions for new ones."""
    result, kept = town()
    here, there = (PinRow("town.mp4", 2, *place(22, column)) for column in (EAST[1], WEST[1]))
    solve(result.trajectory, kept, [there])
    lat, lon = place(22, EAST[1])
    solved.solver_of(kept).decode(kept, [Pin(2, lat, lon, max(here.radius_m, 0.75 * kept.spacing_m))])
    with_what_was_kept = solve(result.trajectory, kept, [here])
    solved._last.solver = None
    same(with_what_was_kept, solve(result.trajectory, kept, [here]))


def test_the_same_pins_are_answered_at_once_and_none_is_as_without():
    _, kept = town()
    solver = solved.Solver(kept)
    first, _ = solver.decode(kept)
    assert solver.decode(kept)[0] is first
    path = kept.calibration
    anew = solver.decoder.decode(kept.scores, kept.time_s, path.emission, cuts=kept.cuts, line_emission=path.line_emission)
    assert total_variation(first.marginal, anew.marginal).max() < _OFF
