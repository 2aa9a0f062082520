"""A top speed that a person says: no step is longer, but for a restart; and what is said where the pictures gainsay it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from typer.testing import CliRunner

import vidtag_engine as vidtag
from tests.test_corrections import CALIBRATION, SPACING_M, town
from tests.test_trajectory_decoder import enumerated, grid, likelihoods
from vidtag_engine.cli.app import app
from vidtag_engine.commands.solve import solve
from vidtag_engine.export.pins import PinRow
from vidtag_engine.export.scores_file import read_scores, write_scores
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.settings import MOTION_KMH, GeolocateSettings, validated
from vidtag_engine.trajectory import Decoder, EmissionModel, PathCalibration, TransitionModel
from vidtag_engine.trajectory import decoder as decoder_module
from vidtag_engine.trajectory.transition import outruns
from vidtag_engine.types import InputError

DEMO = Path(__file__).resolve().parent.parent / "resources" / "demo"


def limited_steps(places, transition, spacing_m, seconds):
    """The model's own words: the exponential where the limit reaches, with a cell's diagonal; beyond it a restart alone."""
    apart = haversine_m(places[:, None, 0], places[:, None, 1], places[None, :, 0], places[None, :, 1])
    near = np.exp(-apart / (min(transition.speed_mps, transition.limit_mps) * seconds + spacing_m / 2))
    near[apart > transition.limit_mps * seconds + np.sqrt(2.0) * spacing_m] = 0.0
    return (1 - transition.restart_probability) * near / near.sum(axis=1, keepdims=True) + transition.restart_probability / len(places)


@pytest.mark.parametrize("limit_mps", [5.0, 70.0, 150.0])
@pytest.mark.parametrize("cut", [(), (2,)])
def test_marginals_are_those_of_every_path_that_the_limit_lets_through(limit_mps, cut, monkeypatch):
    monkeypatch.setattr(decoder_module, "_TIMES", 1.0 + 1e-9)  # no rounding of times
    rng = np.random.default_rng(5)
    places, transition, emission = grid(6, 1), TransitionModel(60.0, 0.01, limit_mps=limit_mps), EmissionModel(0.2, 0.1)
    time_s = np.array([0.0, 1.0, 3.0, 3.5])
    scores = rng.uniform(-1, 1, (4, 6)).astype(np.float32)
    moves = [limited_steps(places, transition, 100.0, seconds) for seconds in np.diff(time_s)]
    for row in cut:
        moves[row - 1] = np.full((6, 6), 1 / 6)
    found = Decoder(places, 100.0, transition).decode(scores, time_s, emission, cuts=cut)
    np.testing.assert_allclose(found.marginal.toarray(), enumerated(likelihoods(scores.astype(float), emission, time_s), moves), atol=2e-4)
    free = Decoder(places, 100.0, replace(transition, limit_mps=None)).decode(scores, time_s, emission, cuts=cut)
    assert np.abs(free.marginal.toarray() - found.marginal.toarray()).max() > (0.002 if limit_mps < 100 else 0.0)


@pytest.mark.parametrize("side", [12, 300])  # on the larger grid a step is several short ones, or would be without the limit
@pytest.mark.parametrize("seconds", [1.0, 7.3, 40.0])
def test_nothing_gets_farther_in_one_step_without_a_restart(side, seconds):
    places, limit_mps = grid(side, side), 20.0
    decoder = Decoder(places, 100.0, TransitionModel(50.0, 0.0, limit_mps=limit_mps))
    links, one_over, times = decoder.transitions(seconds)
    mass = np.zeros(side * side, dtype=np.float32)
    mass[side // 2 * side + side // 2] = 1.0
    for _ in range(times):
        mass = links @ (mass * one_over)
    apart_m = haversine_m(*places[mass.argmax()], places[:, 0], places[:, 1])
    # Times of steps are told apart to a fifth, and each of several short steps has the slack of a cell's diagonal.
    assert apart_m[mass > 0].max() <= 1.1 * limit_mps * seconds + times * np.sqrt(2.0) * 100.0
    assert (mass > 0).sum() >= 9  # it may always cross its cell's edge or corner
    assert mass.sum() == pytest.approx(1.0, abs=1e-4)


def test_a_far_place_that_looks_a_little_better_is_not_jumped_to():
    places = grid(60, 3)
    scores = np.zeros((20, 180), np.float32)
    scores[:, 65] = 0.5
    scores[8:14, 75] = 1.2  # a kilometre away within a second, and back
    decoded = {
        limit: Decoder(places, 100.0, TransitionModel(150.0, 1e-9, limit_mps=limit)).decode(scores, np.arange(20.0), EmissionModel(0.1))
        for limit in (None, 14.0)
    }
    assert set(decoded[None].path[9:13]) == {75}
    assert set(decoded[14.0].path) == {65}
    assert not decoded[14.0].outruns_limit


def test_a_line_that_outruns_its_limit_is_told_and_a_cut_is_no_step():
    time_s = np.arange(40.0)
    way = np.stack([np.zeros(40), time_s * 12.0 / 111_195.0], axis=1)  # 43 km/h
    assert not outruns(way, time_s, (), 12.0, 25.0)
    assert outruns(way, time_s, (), 8.0 / 3.6, 25.0)
    stands = np.where(np.arange(40)[:, None] < 20, way[0], way[-1] + 1.0)
    assert outruns(stands, time_s, (), 12.0, 25.0)
    assert not outruns(stands, time_s, (20,), 12.0, 25.0)
    once = way.copy()
    once[17] += 1.0  # one place that is wrong
    assert not outruns(once, time_s, (), 12.0, 25.0)


@pytest.mark.parametrize(
    ("given", "motion", "kmh"), [("car", "car", 160.0), ("Walk ", "walk", 8.0), (30, "30", 30.0), ("12.50", "12.5", 12.5), (" ", None, None), (None, None, None)]
)  # fmt: skip
def test_a_motion_is_a_name_or_kilometres_an_hour(given, motion, kmh):
    settings = validated(GeolocateSettings, {"motion": given})
    assert settings.motion == motion
    assert settings.limit_mps == (None if kmh is None else pytest.approx(kmh / 3.6))
    # Results of before are gone on with where nothing is said of it.
    assert ("motion" in settings.result_key()) == (motion is not None)


@pytest.mark.parametrize("given", ["fast", 0, -3, "nan", 1e9, True, [1]])
def test_another_motion_is_refused(given):
    with pytest.raises(
        InputError, match=r"motion is not usable: give walk, bicycle, car, drone or a top speed in km/h, more than 0 and up to 1200"
    ):
        validated(GeolocateSettings, {"motion": given})


def test_a_limit_needs_frames_that_are_decoded_together():
    with pytest.raises(InputError, match="located each by itself: with --motion take --decoder hmm"):
        validated(GeolocateSettings, {"motion": "car", "decoder": "none"})


def test_the_names_are_what_the_help_says():
    said = GeolocateSettings.model_fields["motion"].description
    for name, kmh in MOTION_KMH.items():
        assert f"{name} ({kmh:g}" in said


def test_the_limit_goes_with_the_scores_and_older_versions_refuse_them(tmp_path):
    _, kept = town()
    limited = replace(kept, calibration=replace(CALIBRATION, transition=replace(CALIBRATION.transition, limit_mps=20.0)))
    for name, one, version in (("free", kept, 1), ("limited", limited, 2)):
        path = write_scores(tmp_path / "r.gpkg", name * 8, one)
        assert read_scores(path).calibration.transition == one.calibration.transition
        with safe_open(path, framework="numpy") as file:
            assert json.loads(file.metadata()["vidtag_scores"])["version"] == version
    assert "limit_mps" not in json.dumps(CALIBRATION.to_dict())
    bad = limited.calibration.to_dict()
    bad["motion"]["limit_mps"] = -1.0
    with pytest.raises(InputError, match="positive numbers are needed"):
        PathCalibration.from_dict(bad)


def test_pins_are_solved_within_the_limit_and_refused_beyond_it():
    result, kept = town()
    fast = replace(kept, calibration=replace(CALIBRATION, transition=replace(CALIBRATION.transition, limit_mps=20.0)))

    def pin(row, index):
        return PinRow(
            "town.mp4",
            time_s=index * 8.0,
            frame_index=index,
            lat_deg=float(kept.lat_lon_deg[row, 0]),
            lon_deg=float(kept.lat_lon_deg[row, 1]),
        )

    near, far = [pin(20 * 40 + 5, 0), pin(21 * 40 + 5, 1)], [pin(20 * 40 + 5, 0), pin(20 * 40 + 25, 1)]
    moved = solve(result.trajectory, fast, near)
    assert np.isfinite(moved.confidence).all()
    assert solve(result.trajectory, kept, far) is not None
    with pytest.raises(InputError, match=r"frames 0 and 1 of town\.mp4 lie 1,998 m apart, and 8 s at 72 km/h do not reach that far"):
        solve(result.trajectory, fast, far)
    # In another shot the camera may be anywhere; and a place where it was not says nothing.
    assert solve(result.trajectory, replace(fast, cuts=(1,)), far) is not None
    assert solve(result.trajectory, fast, [far[0], replace(far[1], here=False)]) is not None
    assert SPACING_M == 100.0


@pytest.mark.slow
def test_the_demo_under_a_limit_that_is_true_and_one_that_is_not(tmp_path):
    given = {"aoi": DEMO / "aoi.geojson", "checkpoint": vidtag.load(DEMO / "checkpoint", "cpu"), "resolution_m": 25, "device": "cpu"}
    car = vidtag.geolocate(DEMO / "drive.mp4", **given, motion="car", output=tmp_path / "car.gpkg")
    assert vidtag.evaluate(car, DEMO / "drive.gpx").overall.median_m < 25.0
    assert np.isfinite(car.trajectory.confidence).all()
    assert car.provenance.settings["motion"] == "car"
    # It drives at 40 km/h: a walker's limit is gainsaid, and nothing is rated.
    walk = vidtag.geolocate(DEMO / "drive.mp4", **given, motion="walk")
    assert np.isnan(walk.trajectory.confidence).all()
    assert np.isfinite(walk.trajectory.lat_deg).all()
    assert [line for line in walk.warnings if "drive.mp4: it went faster than the top speed that was given" in line]
    with pytest.raises(InputError, match="other settings"):
        vidtag.geolocate(DEMO / "drive.mp4", **given, motion="bicycle", output=tmp_path / "car.gpkg")


def test_the_command_line_says_what_is_wrong_with_a_motion(tmp_path):
    run = CliRunner().invoke(app, ["geolocate", str(DEMO / "drive.mp4"), "--motion", "warp", "--output", str(tmp_path / "o.gpkg")])
    assert run.exit_code == 2
    assert "give walk, bicycle, car, drone or a top speed in km/h" in " ".join(run.output.split())
