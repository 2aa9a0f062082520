"""Sequences of frames compared with those of references, against loops; and which other frames a frame is judged with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vidtag_engine.geodesy import haversine_m
from vidtag_engine.reference.along import Moments, Ways, in_sequence, least_of
from vidtag_engine.reference.codes import CodeSearch, Neighbours, encode, scale_of
from vidtag_engine.reference.similarity import NearestReferences, side_by_side

STEP_M = 20.0
DIM = 32


def units(count: int, seed: int) -> np.ndarray:
    found = np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def drives(count: int = 4, frames: int = 30) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Straight drives to the north, a kilometre apart, in an order that is not that of the rows: places, drive and number of each row."""
    drive, number = np.repeat(np.arange(count), frames), np.tile(np.arange(frames), count)
    places = np.stack([number * STEP_M / 111_195.0, drive * 0.01], axis=1)
    mixed = np.random.default_rng(1).permutation(len(drive))
    return places[mixed], drive[mixed], number[mixed]


def searched(descriptors: np.ndarray) -> CodeSearch:
    scale = scale_of(descriptors)
    return CodeSearch([encode(descriptors, scale)], scale)


@given(st.integers(0, 119), st.floats(-400.0, 400.0))
def test_a_way_is_gone_along_in_metres(row: int, by_m: float):
    places, drive, number = drives()
    found = int(Ways(places, drive, number).moved(np.array([row]), np.array([by_m]))[0])
    wanted = number[row] + by_m / STEP_M
    if -1.0 < wanted < 30.0:
        assert drive[found] == drive[row]
        assert abs(number[found] - wanted) <= 1.0 + 1e-3
        assert abs(number[found] - min(max(round(wanted), 0), 29)) <= 1
    elif not -1.6 < wanted < 30.6:  # beyond the drive's ends there is nothing, whatever drive comes next
        assert found == -1


def test_frames_are_judged_with_those_about_them_of_their_own_shot():
    moments = Moments(np.arange(0.0, 60.0, 1.0), speed_mps=10.0, cuts=(20,))
    rows, known = moments.neighbours()
    assert (rows[:, 5] == np.arange(60)).all()
    assert known[:, 5].all()
    for row in range(60):
        seen = rows[row][known[row]]
        assert ((seen < 20) == (row < 20)).all()
        assert (np.abs(moments.time_s[seen] - moments.time_s[row]) <= 11.0).all()
        assert (np.diff(seen) > 0).all()
    # In the middle of a shot as far as the window goes, evenly.
    assert rows[40][known[40]].min() <= 31
    assert rows[40][known[40]].max() >= 49


@pytest.mark.parametrize("backwards", [False, True])
def test_similarity_is_the_mean_along_the_drive_at_the_speed_that_fits_best(backwards: bool):
    places, drive, number = drives()
    seen, asked = units(len(places), 2), units(9, 3)
    time_s, usual_mps = 2.0 * np.arange(9), 9.3  # so that no frame is half way between two references
    search, k = searched(seen), 15
    near = search.nearest(asked, k)
    hidden = np.random.default_rng(4).random(len(places)) < 0.1
    found = in_sequence(search, Ways(places, drive, number), asked, near, Moments(time_s, usual_mps), hidden, backwards=backwards)
    exact = search.similarity(asked, np.arange(len(places)))
    at = {(int(d), int(n)): row for row, (d, n) in enumerate(zip(drive, number, strict=True))}
    for t in range(9):
        window = [u for u in range(9) if abs(time_s[u] - time_s[t]) <= 110.0 / usual_mps]
        for column in range(k):
            row, best = int(near.rows[t, column]), -np.inf
            onwards = (0.0, 0.5, 0.75, 1.0, 1.35, 1.8)
            for share in [-1 * one for one in onwards] + ([] if backwards else list(onwards)):
                values = []
                for u in window:
                    along = number[row] + share * usual_mps * (time_s[u] - time_s[t]) / STEP_M
                    whole = int(np.clip(round(along), 0, 29))
                    there = at[int(drive[row]), whole]
                    off_m = abs(along - whole) * STEP_M
                    values.append(exact[u, there] if off_m <= 30.0 and not hidden[there] else near.similarity[u].min())
                best = max(best, float(np.mean(values)))
            assert found[t, column] == pytest.approx(best, abs=2e-2)


def test_a_drive_is_found_again_where_its_frames_alone_are_lost_in_noise():
    places, drive, number = drives(40, 30)
    seen = units(len(places), 5)
    at = {(int(d), int(n)): row for row, (d, n) in enumerate(zip(drive, number, strict=True))}
    true = np.array([at[7, n] for n in range(5, 25)])
    noise = units(20, 6)
    asked = seen[true] + 1.6 * noise
    asked = (asked / np.linalg.norm(asked, axis=1, keepdims=True)).astype(np.float32)
    search, ways = searched(seen), Ways(places, drive, number)
    near = search.nearest(asked, 50)
    moments = Moments(2.0 * np.arange(20), 10.0)
    alone = drive[near.rows[np.arange(20), near.similarity.argmax(axis=1)]] == 7
    together = in_sequence(search, ways, asked, near, moments)
    found = drive[near.rows[np.arange(20), together.argmax(axis=1)]] == 7
    assert alone.mean() < 0.8
    assert found.mean() >= 0.95
    # Who goes the other way and looks down, to the same side or back sees the same pictures, last to first.
    backwards = in_sequence(search, ways, asked[::-1].copy(), Neighbours(near.rows[::-1], near.similarity[::-1]), moments)
    np.testing.assert_allclose(backwards[::-1], together, atol=1e-5)


def test_a_place_is_moved_to_its_most_similar_reference_near_it():
    places, drive, number = drives()
    seen = units(len(places), 7)
    of = NearestReferences(searched(seen), places, places[:5], 50.0, 300.0, 40, ways=lambda: Ways(places, drive, number))
    found = of.found(torch.from_numpy(seen[:6]))
    line = places[:6] + np.array([90.0 / 111_195.0, 0.0])
    moved = of.refined(found, line, 120.0)
    for row in range(6):
        apart_m = haversine_m(*line[row], *places[found.rows[row]].T)
        near = np.flatnonzero(apart_m <= 120.0)
        best = near[found.similarity[row][near].argmax()]
        np.testing.assert_array_equal(moved[row], places[found.rows[row, best]])
    np.testing.assert_array_equal(of.refined(found, line, 1.0), line)


@pytest.mark.parametrize("either_way", [False, True])
def test_what_is_compared_near_places_is_what_all_of_it_would_be(either_way: bool):
    places, drive, number = drives(12, 20)
    seen, rng = units(len(places), 8), np.random.default_rng(9)
    of = NearestReferences(
        searched(seen), places, places[:5], 50.0, 300.0, 60, either_way=either_way, ways=lambda: Ways(places, drive, number)
    )
    asked = [
        torch.from_numpy((one / np.linalg.norm(one, axis=1, keepdims=True)).astype(np.float32))
        for one in seen[:14] + 0.8 * rng.normal(size=(2, 14, 1)) * units(14, 3)
    ]
    moments, line = Moments(2.0 * np.arange(14), 10.0), places[:14]
    hidden = torch.zeros(len(places), dtype=torch.bool)
    hidden[3] = True
    alone = of.sides(asked[0], hidden, asked[1])
    # What is found the other way counts by how far it is above the least that frames find by themselves.
    whole = side_by_side(of.sides(asked[0], hidden, asked[1], moments), [least_of(side) for side in alone])
    near = of.along(alone, line, 150.0, asked[0], moments, hidden, asked[1])
    for row in range(14):
        apart_m = haversine_m(*line[row], *places[whole.rows[row]].T)
        expected, found = (
            sorted(zip(of_one.rows[row][wanted].tolist(), of_one.similarity[row][wanted].round(5).tolist(), strict=True))
            for of_one, wanted in (
                (whole, (apart_m <= 150.0) & np.isfinite(whole.similarity[row])),
                (near, np.isfinite(near.similarity[row])),
            )
        )
        assert [one for one, _ in found] == [one for one, _ in expected]
        np.testing.assert_allclose([one for _, one in found], [one for _, one in expected], atol=1e-5)
    assert near.rows.shape[1] < whole.rows.shape[1]


def test_places_move_by_frames_where_nothing_tells_the_order_of_the_references():
    places, _, _ = drives()
    seen = units(len(places), 7)
    of = NearestReferences(searched(seen), places, places[:5], 50.0, 300.0, 40)
    frames = torch.from_numpy(seen[:6])
    sides, moments = of.sides(frames), Moments(np.arange(6.0), 10.0)
    np.testing.assert_array_equal(of.along(sides, places[:6], 120.0, frames, moments).similarity, of.found(frames).similarity)


def test_the_reference_that_a_place_was_moved_to_speaks_first():
    places, drive, number = drives()
    seen = units(len(places), 7)
    of = NearestReferences(searched(seen), places, places[:5], 50.0, 300.0, 40, ways=lambda: Ways(places, drive, number))
    found = of.found(torch.from_numpy(seen[:6]))
    apart_m = haversine_m(places[:6, :1], places[:6, 1:], *places[found.rows].transpose(2, 0, 1))
    # Not the one most like each frame, which is the frame itself, but another that it found near it.
    chosen = np.array([np.flatnonzero((far_m > 1.0) & (far_m < 150.0))[-1] for far_m in apart_m])
    moved = places[found.rows[np.arange(6), chosen]]
    for row, of_frame in enumerate(of.evidence(found, moved)):
        assert of_frame[0].row == found.rows[row, chosen[row]]
        rest = [one.similarity for one in of_frame[1:]]
        assert rest == sorted(rest, reverse=True)
        assert rest[0] > of_frame[0].similarity
