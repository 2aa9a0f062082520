"""Candidates to trajectories, against brute force and pyproj."""

from dataclasses import replace

import numpy as np
import pytest
from pyproj import Geod

from vidtag_engine.trajectory import assemble, parts, runner_up_m, steps
from vidtag_engine.types import Candidates, FrameState, Trajectory

GEOD = Geod(ellps="WGS84")


def candidates(rng, frames, k, centre=(41.0, 179.99), spread=0.02):
    lat = centre[0] + rng.uniform(-spread, spread, (frames, k))
    lon = (centre[1] + rng.uniform(-spread, spread, (frames, k)) + 180) % 360 - 180
    score = -np.sort(-rng.uniform(size=(frames, k)).astype(np.float32), axis=1)
    return Candidates(np.arange(frames * k).reshape(frames, k), lat, lon, score)


def straight_trajectory(states, radius_m=100.0):
    count = len(states)
    located = np.array([state is FrameState.LOCATED for state in states])
    lat = np.where(located, 41.0 + 1e-4 * np.arange(count), np.nan)
    return Trajectory(
        frame_index=np.arange(count),
        time_s=np.arange(count) * 2.0,
        lat_deg=lat,
        lon_deg=np.where(located, 179.9998 + 1e-4 * np.arange(count), np.nan),
        confidence=np.where(located, np.linspace(0.9, 0.1, count), np.nan),
        score=np.where(located, 0.5, np.nan),
        runner_up_m=np.full(count, np.nan),
        phase1_lat_deg=lat,
        phase1_lon_deg=lat,
        state=tuple(states),
        confidence_radius_m=radius_m,
    )


def brute_runner_up(found, radius_m):
    answer = []
    for lat, lon in zip(found.lat_deg, found.lon_deg, strict=True):
        distances = [GEOD.inv(lon[0], lat[0], x, y)[2] for x, y in zip(lon, lat, strict=True)]
        answer.append(next((d for d in distances if d > radius_m), np.nan))
    return np.array(answer)


@pytest.mark.parametrize("radius_m", [10.0, 800.0, 1500.0, 1e5])
def test_runner_up_equals_brute_force_across_the_seam(radius_m):
    found = candidates(np.random.default_rng(3), 40, 30)
    np.testing.assert_allclose(runner_up_m(found, radius_m), brute_runner_up(found, radius_m), rtol=1e-9)


def test_runner_up_at_exactly_the_radius_is_judged_by_the_geodesic():
    # North-south, where sphere and ellipsoid differ most at the equator (0.6 %).
    radius_m = GEOD.inv(0, 0, 0, 0.01)[2]
    lat = np.array([[0.0, 0.01, 0.0100001]])
    found = Candidates(np.arange(3)[None], lat, np.zeros((1, 3)), np.ones((1, 3)))
    assert runner_up_m(found, radius_m + 1e-6)[0] == pytest.approx(GEOD.inv(0, 0, 0, 0.0100001)[2])


def test_runner_up_of_one_candidate_or_none_is_unknown():
    found = candidates(np.random.default_rng(0), 3, 1)
    assert np.isnan(runner_up_m(found, 1.0)).all()
    empty = Candidates(*(np.zeros((0, 5)) for _ in range(4)))
    assert runner_up_m(empty, 1.0).shape == (0,)


def test_assemble_puts_located_rows_in_their_places():
    rng = np.random.default_rng(1)
    final, phase1 = candidates(rng, 3, 8), candidates(rng, 3, 2)
    states = [FrameState.LOCATED, FrameState.DAMAGED, FrameState.LOCATED, FrameState.LOCATED]
    made = assemble(
        frame_index=np.arange(4),
        time_s=np.array([0.0, 1.0, 2.5, 3.0]),
        state=states,
        final=final,
        phase1=phase1,
        confidence=np.array([0.2, 0.4, 0.6]),
        confidence_radius_m=500.0,
    )
    rows = [0, 2, 3]
    np.testing.assert_array_equal(made.lat_deg[rows], final.lat_deg[:, 0])
    np.testing.assert_array_equal(made.phase1_lon_deg[rows], phase1.lon_deg[:, 0])
    np.testing.assert_allclose(made.runner_up_m[rows], brute_runner_up(final, 500.0))
    for name in ("lat_deg", "lon_deg", "confidence", "score", "runner_up_m", "phase1_lat_deg", "phase1_lon_deg"):
        assert np.isnan(getattr(made, name)[1])
    assert made.state == tuple(states)


def test_assemble_refuses_rows_that_do_not_belong():
    found = candidates(np.random.default_rng(1), 2, 3)
    with pytest.raises(ValueError, match="final has 2 rows for 1 located"):
        assemble(
            frame_index=np.arange(2),
            time_s=np.arange(2.0),
            state=[FrameState.LOCATED, FrameState.DAMAGED],
            final=found,
            phase1=found,
            confidence=np.ones(2),
            confidence_radius_m=1.0,
        )


def test_steps_break_at_damaged_frames_and_measure_by_geodesic():
    L, D = FrameState.LOCATED, FrameState.DAMAGED
    trajectory = straight_trajectory([L, L, L, D, L, D, D, L, L])
    made = steps(trajectory)
    assert made.from_row.tolist() == [0, 1, 7]
    assert made.to_row.tolist() == [1, 2, 8]
    assert [(one.start, one.stop) for one in parts(trajectory)] == [(0, 3), (4, 5), (7, 9)]
    for row in range(len(made)):
        a, b = made.from_row[row], made.to_row[row]
        metres = GEOD.inv(trajectory.lon_deg[a], trajectory.lat_deg[a], trajectory.lon_deg[b], trajectory.lat_deg[b])[2]
        assert made.length_m[row] == pytest.approx(metres)
        assert metres < 20  # never the long way round
        assert made.speed_mps[row] == pytest.approx(metres / 2.0)
    np.testing.assert_array_equal(made.confidence, np.minimum(made.from_confidence, made.to_confidence))


def test_no_time_between_frames_gives_no_speed():
    trajectory = straight_trajectory([FrameState.LOCATED] * 3)
    made = steps(replace(trajectory, time_s=np.array([0.0, 0.0, 1.0])))
    assert np.isnan(made.speed_mps[0])
    assert np.isfinite(made.speed_mps[1])


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_frames_make_no_step(count):
    trajectory = straight_trajectory([FrameState.LOCATED] * count)
    assert len(steps(trajectory)) == 0
    assert len(parts(trajectory)) == count
