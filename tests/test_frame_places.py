"""The places that a frame may be of and its posterior, against brute force over all places, and against the frame's own answer."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing
from dataclasses import replace

import geopandas
import numpy as np
import pytest
import shapely
from scipy import sparse
from typer.testing import CliRunner

from tests.export_cases import PROVENANCE
from tests.test_corrections import AOI, CALIBRATION, CELLS, EAST, FRAMES, SPACING_M, WEST, place, town
from tests.test_trajectory_ground import solved as solved_over
from tests.test_trajectory_ground import town as ground_town  # noqa: F401 - a fixture
from tests.test_ways import arguments as ways_arguments
from tests.test_ways import town as ways_town  # noqa: F401 - a fixture
from vidtag_engine.cli.app import app
from vidtag_engine.command_arguments import PlacesArguments
from vidtag_engine.commands import places as places_command
from vidtag_engine.commands.pin import run_pin
from vidtag_engine.commands.places import PlacesSession, run_places
from vidtag_engine.commands.solve import run_solve
from vidtag_engine.export import read_geopackage, write_geopackage
from vidtag_engine.export.pins import PinRow
from vidtag_engine.export.scores_file import read_scores, scores_path, write_scores
from vidtag_engine.geodesy import WGS84
from vidtag_engine.geolocation import run_geolocate
from vidtag_engine.inference.frame_places import FramePosteriors
from vidtag_engine.inference.posterior import chances
from vidtag_engine.trajectory import Decoder, TrainingGround
from vidtag_engine.trajectory.modes import LEAST_PLACES, MOST_PLACES, Modes
from vidtag_engine.types import FrameState, InputError, Match

SIDE = int(np.sqrt(len(CELLS)))
RADIUS_M = 250.0


def metres() -> np.ndarray:
    """(M, 2) the town's cells on a plane."""
    return (CELLS - CELLS[0]) * (110_600.0, 109_600.0)


def mixture(seed: int) -> np.ndarray:
    """(M,) a posterior of some hills and some noise."""
    rng, xy = np.random.default_rng(seed), metres()
    share = 1e-7 * rng.random(len(xy))
    for _ in range(int(rng.integers(1, 8))):
        middle, wide_m = rng.uniform(0, xy.max(), 2), rng.uniform(60.0, 500.0)
        share += rng.uniform(0.05, 1.0) * np.exp(-((xy - middle) ** 2).sum(axis=1) / wide_m**2)
    return (share / share.sum()).astype(np.float32)


def exhaustive(share: np.ndarray, reach_m: float) -> tuple[list[int], np.ndarray]:
    """Modes by looking at every place and all about it, and the mass about each place."""
    xy = metres()
    near = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) <= reach_m
    about = near @ share.astype(np.float64)
    chosen: list[int] = []
    for one in np.argsort(-about, kind="stable"):
        if about[one] < 0.0005 or len(chosen) == MOST_PLACES or (len(chosen) >= LEAST_PLACES and about[one] < 0.01):
            break
        highest = about[one] >= about[near[one]].max() - 1e-12
        if highest and all(np.hypot(*(xy[one] - xy[other])) >= 2 * reach_m for other in chosen):
            chosen.append(int(one))
    return chosen, about


@pytest.mark.parametrize("seed", range(12))
def test_modes_are_those_that_looking_at_every_place_finds(seed):
    share, modes = mixture(seed), Modes(Decoder(CELLS, SPACING_M), RADIUS_M)
    kept = np.flatnonzero(share > 1e-6).astype(np.int32)
    found = modes.find(kept, share[kept])
    wanted, about = exhaustive(share, RADIUS_M)
    assert 1 <= len(found) <= MOST_PLACES
    np.testing.assert_allclose(about[found], about[wanted], rtol=1e-3)
    assert np.hypot(*(metres()[found] - metres()[wanted]).T).max() <= 1.5 * SPACING_M  # of plateaus either end


@pytest.mark.parametrize("seed", range(6))
def test_a_wide_radius_is_looked_at_in_lumps_and_finds_as_much(seed):
    share, modes = mixture(seed), Modes(Decoder(CELLS, SPACING_M), 900.0)
    kept = np.flatnonzero(share > 1e-6).astype(np.int32)
    found = modes.find(kept, share[kept])
    wanted, about = exhaustive(share, 900.0)
    assert about[found[0]] >= 0.85 * about[wanted[0]]
    apart = np.hypot(*(metres()[found][:, None] - metres()[found][None]).transpose(2, 0, 1))
    assert (apart[~np.eye(len(found), dtype=bool)] >= 1799.0).all()


def test_others_lie_apart_from_the_answer_and_the_slope_of_its_hill_is_none():
    share = np.exp(-((metres() - metres()[SIDE * 20 + 20]) ** 2).sum(axis=1) / 400.0**2).astype(np.float32)
    share /= share.sum()
    modes, every = Modes(Decoder(CELLS, SPACING_M), RADIUS_M), np.arange(len(CELLS), dtype=np.int32)
    assert modes.find(every, share).tolist() == [SIDE * 20 + 20]
    assert len(modes.find(every, share, CELLS[SIDE * 20 + 22])) == 0


def test_shares_are_the_mass_within_the_radius_counted_point_by_point():
    _, kept = town()
    frames = FramePosteriors(kept, RADIUS_M)
    row, c = 4, 0.5
    [answer, *others] = frames.candidates(row, frames.decoder.lat_lon_deg[SIDE * (WEST[0] + row) + WEST[1]], c)
    assert answer.answer
    assert answer.share == c
    assert not others[0].answer
    dense = frames.marginal[row].toarray().ravel()
    assert dense.sum() == pytest.approx(1.0, abs=1e-5)
    # Many points of each cell's disc, and which of them lie within the radius, on the ellipsoid.
    turn, out = np.meshgrid(np.arange(40) * np.pi / 20, np.sqrt((np.arange(25) + 0.5) / 25))
    disc = (out * SPACING_M / np.sqrt(np.pi)).ravel()[:, None] * np.stack([np.sin(turn).ravel(), np.cos(turn).ravel()], axis=1)

    def counted(one):
        heavy = np.flatnonzero(dense > 1e-7)
        points = (CELLS[heavy][:, None] + disc[None] / (110_600.0, 109_600.0)).reshape(-1, 2)
        away = WGS84.inv(np.full(len(points), one.lon_deg), np.full(len(points), one.lat_deg), points[:, 1], points[:, 0])[2]
        return float((dense[heavy] * (away <= RADIUS_M).reshape(len(heavy), -1).mean(axis=1)).sum())

    masses = [counted(one) for one in (answer, *others)]
    np.testing.assert_allclose([one.mass for one in (answer, *others)], masses, rtol=0.02, atol=1e-4)
    np.testing.assert_allclose([one.share for one in others], (1 - c) * np.array(masses[1:]) / (1 - masses[0]), rtol=0.03, atol=1e-4)
    assert sum(one.share for one in (answer, *others)) <= 1.0
    nearest = min(abs(one.lat_deg - place(EAST[0] + row, EAST[1])[0]) + abs(one.lon_deg - place(*EAST)[1]) for one in others)
    assert nearest < 2 * SPACING_M / 110_000.0  # the other town is one of them


def test_the_posterior_is_what_a_dense_forward_backward_gives():
    """Two frames, whose posterior is written down from the kernel itself."""
    _, kept = town()
    kept = replace(kept, scores=kept.scores[:2], frame_index=kept.frame_index[:2], time_s=kept.time_s[:2], line=kept.line[:2])
    frames = FramePosteriors(kept, RADIUS_M)
    likely = CALIBRATION.emission.likelihood(kept.scores, CALIBRATION.emission.weights(kept.time_s)).astype(np.float64)
    links, one_over, times = frames.decoder.transitions(float(kept.time_s[1] - kept.time_s[0]))
    assert times == 1
    restart = CALIBRATION.transition.restart_probability
    move = (1 - restart) * links.toarray() * one_over[None] + restart / len(CELLS)  # from a column to a row
    both = likely[1][:, None] * move * likely[0][None] / len(CELLS)
    for row, wanted in enumerate((both.sum(axis=0), both.sum(axis=1))):
        lat_lon, share = frames.cells(row)
        dense = frames.marginal[row].toarray().ravel()
        np.testing.assert_allclose(dense, wanted / wanted.sum(), atol=2e-4)
        assert share.sum() == pytest.approx(1.0, abs=1e-5)
        assert len(lat_lon) == len(share)


@pytest.mark.parametrize("part", [1.0, 0.6])
def test_kept_scores_give_the_answers_own_confidence_also_where_part_of_the_ground_is_unknown(ground_town, tmp_path, part):  # noqa: F811
    world = ground_town[0]
    solver, posterior = solved_over(ground_town, TrainingGround.about(world.places[: int(part * len(world.places))], 60.0))
    count = len(posterior.confidence)
    time_s = np.asarray(ground_town[2].time_s, dtype=np.float64)
    write_scores(tmp_path / "r.gpkg", "ab" * 32, solver.scores(posterior, np.arange(count), time_s))
    kept = read_scores(scores_path(tmp_path / "r.gpkg", "ab" * 32))
    assert (kept.known is None) == (part == 1.0)
    frames = FramePosteriors(kept, 100.0)
    assert frames.unknown_share == pytest.approx(solver.path.unknown_share)
    positions = np.stack([posterior.final.lat_deg[:, 0], posterior.final.lon_deg[:, 0]], axis=1)
    margin, recognised = solver.standing(posterior.scores, posterior.decoded)
    again = replace(posterior.decoded, marginal=frames.marginal)
    found = chances(frames.decoder, again, positions, solver.path, [100.0], margin, recognised)[:, 0]
    np.testing.assert_allclose(found, posterior.confidence, atol=0.01)  # scores are kept as float16
    assert np.ptp(posterior.confidence) > 0.001
    for row in range(count):
        first, *others = frames.candidates(row, positions[row], float(posterior.confidence[row]))
        assert first.share == posterior.confidence[row]
        assert first.share + sum(one.share for one in others) <= 1.0 - frames.unknown_share + 1e-6
        assert frames.cells(row)[1].sum() == pytest.approx(1.0 - frames.unknown_share, abs=1e-5)
    assert frames.spacing_m == solver.cover.spacing_m


def test_a_prior_is_kept_with_the_scores(tmp_path):
    result, kept = town()
    known = np.arange(len(CELLS)) % 7 > 0
    prior = np.linspace(0.0, 1.0, int(known.sum())).astype(np.float32)
    write_scores(tmp_path / "r.gpkg", result.sha256, replace(kept, prior=prior, known=known))
    back = read_scores(scores_path(tmp_path / "r.gpkg", result.sha256))
    np.testing.assert_array_equal(back.prior, prior)
    np.testing.assert_array_equal(back.known, known)
    frames = FramePosteriors(back, RADIUS_M)
    decoder = Decoder(CELLS[known], SPACING_M, CALIBRATION.transition, prior)
    wanted = decoder.marginals(back.scores[:, known].astype(np.float32), back.time_s, CALIBRATION.emission)[0]
    assert abs(frames.marginal - wanted).max() < 1e-5


# The command.


@pytest.fixture
def written(tmp_path):
    """A result whose fourth frame is damaged, whose scores are kept, and whose reference images lie in both towns."""
    result, kept = town(damaged=(3,))
    matches = tuple(
        Match(frame, rank, "panoramax", f"{frame}-{rank}", 0.9 - 0.1 * rank, 0.1, *place(spot[0] + frame, spot[1] + 1), author="Ada", licence="CC-BY-4.0")
        for frame, rank, spot in ((4, 1, WEST), (4, 2, WEST), (7, 1, EAST), (4, 3, EAST))
    )  # fmt: skip
    path = tmp_path / "town ü.gpkg"
    write_geopackage(path, [replace(result, matches=matches)], PROVENANCE, aoi=AOI)
    write_scores(path, result.sha256, replace(kept, calibration=replace(CALIBRATION, unknown_share=0.125)))
    return path


def test_a_frames_candidates_are_its_answer_and_the_other_town(written, tmp_path):
    found = run_places(PlacesArguments(str(written), frame_index=4, posterior=str(tmp_path / "four.gpkg")))
    json.dumps(found, allow_nan=False)
    [result], _ = read_geopackage(written)
    t = result.trajectory
    first, *others = found["candidates"]
    assert (first["lat_deg"], first["lon_deg"], first["share"]) == (t.lat_deg[4], t.lon_deg[4], t.confidence[4])
    assert [one["rank"] for one in found["candidates"]] == list(range(1, 1 + len(found["candidates"])))
    assert [one["answer"] for one in found["candidates"]] == [True] + [False] * len(others)
    assert found["unknown_share"] == 0.125
    assert found["elsewhere_share"] + 0.125 + sum(one["share"] for one in found["candidates"]) == pytest.approx(1.0)
    # Its own best image stands by the answer; by the other town the best that was taken there, of whichever frame.
    in_east = [one for one in others if abs(one["lon_deg"] - place(*EAST)[1]) < 0.003]
    west = t.lon_deg[4] < place(*EAST)[1] - 0.01
    assert first["reference"]["image_id"] == "4-1"
    assert first["reference"]["fid"] == 1
    if west:
        assert in_east
    squares = geopandas.read_file(tmp_path / "four.gpkg", layer="posterior")
    assert squares["share"].sum() == pytest.approx(0.875, abs=1e-5)
    assert squares["relative"].max() == 1.0
    assert len(squares) == found["posterior"]["cells"]
    assert found["posterior"]["share"] == pytest.approx(0.875, abs=1e-5)
    best = squares.loc[squares["share"].idxmax()]
    assert best.geometry.contains(shapely.Point(best.lon_deg, best.lat_deg))
    side_m = WGS84.inv(best.geometry.bounds[0], best.lat_deg, best.geometry.bounds[2], best.lat_deg)[2]
    assert side_m == pytest.approx(SPACING_M, rel=0.01)
    with closing(sqlite3.connect(tmp_path / "four.gpkg")) as database:
        assert database.execute("SELECT useAsDefault FROM layer_styles WHERE f_table_name = 'posterior'").fetchall() == [(1,)]


def test_the_nearest_sampled_frame_is_meant_and_what_is_none_is_refused(written):
    assert run_places(PlacesArguments(str(written), time_s=33.0))["frame_index"] == 4
    for asked, said in (
        ({"time_s": 900.0}, "outside the video"), ({"frame_index": 99}, "no frame 99"), ({}, "--time-s or --frame"),
        ({"time_s": 1.0, "frame_index": 1}, "one of them"),
        ({"frame_index": 1, "video": "other.mp4"}, "no video 'other.mp4'"), ({"frame_index": 1, "answer": "mine"}, "no answer 'mine'"),
        ({"frame_index": 1, "answer": "pinned"}, "no pinned answer"), ({"frame_index": 1, "posterior": str(written)}, "one of its inputs|input"),
        ({"frame_index": 1, "posterior": str(written.with_suffix(".tif"))}, "must end in .gpkg"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=said) as error:
            run_places(PlacesArguments(str(written), **asked))
        assert "\n" not in str(error.value)


def test_a_frame_without_a_picture_or_a_place_says_why_and_claims_nothing(written, tmp_path):
    found = run_places(PlacesArguments(str(written), frame_index=3, posterior=str(tmp_path / "p.gpkg")))
    assert found["candidates"] == []
    assert found["why"].startswith("The video is damaged here")
    result, kept = town(withheld=True)
    withheld = tmp_path / "withheld.gpkg"
    write_geopackage(withheld, [result], PROVENANCE, aoi=AOI)
    write_scores(withheld, result.sha256, kept)
    found = run_places(PlacesArguments(str(withheld), frame_index=5, posterior=str(tmp_path / "p.gpkg")))
    assert found["state"] == FrameState.OUTSIDE_AOI.value
    assert (found["candidates"], found["posterior"], found["rated"]) == ([], None, False)
    assert found["why"].startswith("No candidate places, as the video is not located")
    assert not (tmp_path / "p.gpkg").exists()


def test_what_is_not_calibrated_is_ranked_and_has_no_number(tmp_path):
    result, kept = town()
    result = replace(result, trajectory=replace(result.trajectory, confidence=np.full(FRAMES, np.nan)))
    path = tmp_path / "unrated.gpkg"
    write_geopackage(path, [result], PROVENANCE, aoi=AOI)
    write_scores(path, result.sha256, replace(kept, calibration=replace(CALIBRATION, maps=())))
    found = run_places(PlacesArguments(str(path), frame_index=5, posterior=str(tmp_path / "p.gpkg")))
    assert len(found["candidates"]) > 1
    assert not found["rated"]
    assert {one["share"] for one in found["candidates"]} == {None}
    assert (found["unknown_share"], found["elsewhere_share"], found["posterior"]["share"]) == (None, None, None)
    squares = geopandas.read_file(tmp_path / "p.gpkg", layer="posterior")
    assert squares["share"].isna().all()
    assert squares["relative"].max() == 1.0


def test_scores_that_are_not_there_or_not_its_own_are_said(written, tmp_path):
    [path] = written.with_suffix(".scores").iterdir()
    bytes_, session = path.read_bytes(), PlacesSession()
    kept = read_scores(path)
    path.unlink()
    with pytest.raises(InputError, match="frame by frame.*--keep-scores|--keep-scores"):
        run_places(PlacesArguments(str(written), frame_index=4), session=session)
    path.write_bytes(b"\x80\x04cposix\nsystem\n" + bytes_[:200])  # no pickle is ever read
    with pytest.raises(InputError, match="damaged.*--keep-scores"):
        run_places(PlacesArguments(str(written), frame_index=4), session=session)
    path.unlink()
    write_scores(written, "ab" * 32, replace(kept, time_s=kept.time_s + 1.0))
    with pytest.raises(InputError, match="of another run"):
        run_places(PlacesArguments(str(written), frame_index=4), session=session)
    path.unlink()
    path.write_bytes(bytes_)
    assert run_places(PlacesArguments(str(written), frame_index=4), session=session)["candidates"]
    alone = tmp_path / "alone.gpkg"
    [result], provenance = read_geopackage(written)
    write_geopackage(alone, [result], replace(provenance, settings={**provenance.settings, "decoder": "none"}), aoi=AOI)
    with pytest.raises(InputError, match="frame by frame.*--decoder hmm --keep-scores"):
        run_places(PlacesArguments(str(alone), frame_index=4))


def test_pins_move_the_candidates_with_the_answer_and_old_ones_are_refused(written):
    session = PlacesSession()
    own = run_places(PlacesArguments(str(written), frame_index=6), session=session)
    to = place(EAST[0] + 6, EAST[1]) if own["candidates"][0]["lon_deg"] < place(*EAST)[1] - 0.01 else place(WEST[0] + 6, WEST[1])
    run_pin(written, PinRow("town.mp4", 6, *to, True, 50.0, "", None, ""))
    run_solve(written)
    pinned = run_places(PlacesArguments(str(written), frame_index=5, answer="pinned"), session=session)
    rows = geopandas.read_file(written, layer="frames_pinned")
    row = rows[rows["frame_index"] == 5].iloc[0]
    first = pinned["candidates"][0]
    assert (first["lat_deg"], first["lon_deg"]) == pytest.approx((row.geometry.y, row.geometry.x))
    assert first["share"] == pytest.approx(row["confidence"])
    assert abs(first["lon_deg"] - to[1]) < 0.004
    assert pinned["unknown_share"] == 0.0  # a person said where it was
    # The model's own stay what they were.
    assert run_places(PlacesArguments(str(written), frame_index=6), session=session) == own
    other = place(WEST[0] + 9, WEST[1]) if abs(to[1] - place(*EAST)[1]) < 0.003 else place(EAST[0] + 9, EAST[1])
    run_pin(written, PinRow("town.mp4", 9, *other, True, 50.0, "", None, ""))
    with pytest.raises(InputError, match="have changed since it was solved"):
        run_places(PlacesArguments(str(written), frame_index=5, answer="pinned"), session=session)


def test_a_video_is_decoded_once_as_long_as_its_files_stay(written, monkeypatch):
    session, count = PlacesSession(), []
    real = FramePosteriors.__init__
    monkeypatch.setattr(FramePosteriors, "__init__", lambda self, *given: count.append(1) or real(self, *given))
    for frame in (0, 1, 2, 4):
        run_places(PlacesArguments(str(written), frame_index=frame), session=session)
    assert len(count) == 1
    [path] = written.with_suffix(".scores").iterdir()
    os.utime(path, ns=(0, time.time_ns() + 10**9))
    run_places(PlacesArguments(str(written), frame_index=4), session=session)
    assert len(count) == 2
    monkeypatch.setattr(places_command, "_MOST_BYTES", 10)
    fresh = PlacesSession()
    for frame in (0, 1):
        run_places(PlacesArguments(str(written), frame_index=frame), session=fresh)
    assert len(count) == 4


def test_a_video_that_was_placed_by_its_way_has_the_places_of_its_ways(ways_town, tmp_path):  # noqa: F811
    output = tmp_path / "ways.gpkg"
    run_geolocate(ways_arguments(ways_town, output, confidence_radius_m=50.0))
    found = run_places(PlacesArguments(str(output), time_s=20.0, posterior=str(tmp_path / "p.gpkg")))
    [result], _ = read_geopackage(output)
    assert "by its way along roads" in found["why"]
    assert found["posterior"] is None
    first, *others = found["candidates"]
    row = found["frame_index"]
    assert (first["lat_deg"], first["lon_deg"]) == (result.trajectory.lat_deg[row], result.trajectory.lon_deg[row])
    assert all(one["share"] is None for one in others)
    lines = geopandas.read_file(output, layer="candidates")
    for one in others:
        away_m = min(line.distance(shapely.Point(one["lon_deg"], one["lat_deg"])) for line in lines.geometry) * 111_000
        assert away_m < 1.0
    assert not (tmp_path / "p.gpkg").exists()


def test_command_line(written, tmp_path):
    asked = CliRunner().invoke(app, ["places", str(written), "--time-s", "33", "--posterior", str(tmp_path / "p.gpkg")])
    assert asked.exit_code == 0, asked.output
    assert "1: " in asked.output
    assert ", the answer, as reference image 4-1 of panoramax" in asked.output
    assert "12.5% on unknown ground or outside the area" in asked.output
    assert (tmp_path / "p.gpkg").exists()
    as_json = CliRunner().invoke(app, ["places", str(written), "--frame", "4", "--json"])
    assert json.loads(as_json.output)["frame_index"] == 4
    wrong = CliRunner().invoke(app, ["places", str(written), "--frame", "77"])
    assert wrong.exit_code != 0
    assert len(as_json.output) < 4000  # nothing large goes through the lines


def test_an_empty_row_has_no_mode():
    empty = sparse.csr_matrix((1, len(CELLS)))
    assert len(Modes(Decoder(CELLS, SPACING_M), RADIUS_M).find(empty.indices, empty.data)) == 0
