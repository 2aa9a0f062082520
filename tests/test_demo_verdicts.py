"""The demo's drive searched for where it was taken, in another part of its isle, and on the other side of the earth, and by a checkpoint of before."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from vidtag_engine.geodesy import haversine_m
from vidtag_engine.geolocation import geolocate, load
from vidtag_engine.grid import load_aoi
from vidtag_engine.models.checkpoint import from_pretrained, save_pretrained
from vidtag_engine.settings import GeolocateSettings
from vidtag_engine.types import FrameState, InputError, VideoResult
from vidtag_engine.video import read_track

DEMO = Path(__file__).resolve().parent.parent / "resources" / "demo"
WRONG = "159.932,-19.226,159.941,-19.213"
PARIS = "2.3,48.8,2.4,48.9"


def located(output: Path, checkpoint: str, aoi: str, resolution_m: float, **settings) -> VideoResult:
    asked = GeolocateSettings(resolution_m=resolution_m, **settings)
    return geolocate([DEMO / "drive.mp4"], load_aoi(aoi), load(checkpoint, "cpu"), output, asked).results[0]


@pytest.mark.slow
def test_it_is_found_at_home_and_rated(tmp_path):
    found = located(tmp_path / "home.gpkg", str(DEMO / "checkpoint"), str(DEMO / "aoi.geojson"), 25.0).trajectory
    assert found.verdict.state is FrameState.LOCATED
    assert found.verdict.why == ""
    assert found.verdict.unknown_share == 0.0
    assert (found.confidence > 0.5).all()
    # One question, one number: the confidence within a radius that has a column is that column, and none falls with the radius.
    within = located(tmp_path / "500.gpkg", str(DEMO / "checkpoint"), str(DEMO / "aoi.geojson"), 25.0, confidence_radius_m=500.0).trajectory
    np.testing.assert_allclose(within.confidence, within.hypotheses.within[:, 2])
    assert (np.diff(within.hypotheses.within, axis=1) >= 0.0).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("aoi", "resolution_m", "state", "decoder"),
    [
        (WRONG, 25.0, FrameState.OUTSIDE_AOI, "hmm"),
        (PARIS, 100.0, FrameState.UNKNOWN_GROUND, "hmm"),
        (PARIS, 100.0, FrameState.UNKNOWN_GROUND, "none"),  # frames by themselves are not compared with other known ground
    ],
)
def test_it_is_withheld_elsewhere_and_always_answer_gives_a_place_without_a_probability(tmp_path, aoi, resolution_m, state, decoder):
    found = located(tmp_path / "away.gpkg", str(DEMO / "checkpoint"), aoi, resolution_m, decoder=decoder).trajectory
    assert set(found.state) == {state}
    assert found.verdict.why
    assert np.isnan(found.lat_deg).all()
    asked = located(tmp_path / "asked.gpkg", str(DEMO / "checkpoint"), aoi, resolution_m, decoder=decoder, always_answer=True).trajectory
    assert asked.verdict.state is state
    assert np.isfinite(asked.lat_deg).all()
    assert np.isnan(asked.confidence).all()
    assert np.isfinite(asked.score).all()


@pytest.mark.slow
def test_a_checkpoint_of_before_places_it_and_says_that_it_cannot_tell(tmp_path):
    model, card = from_pretrained(DEMO / "checkpoint")
    old = {name: value for name, value in card.calibration.items() if name not in ("ground", "videos")}
    save_pretrained(model, tmp_path / "old", dataclasses.replace(card, calibration=old))
    found = located(tmp_path / "old.gpkg", str(tmp_path / "old"), str(DEMO / "aoi.geojson"), 25.0).trajectory
    assert set(found.state) == {FrameState.LOCATED}
    assert "made before" in found.verdict.why
    assert "vidtag calibrate" in found.verdict.why
    assert np.isnan(found.confidence).all()
    assert np.isnan(found.hypotheses.within).all()
    truth = read_track(DEMO / "drive.gpx")
    away_m = haversine_m(found.lat_deg[:, None], found.lon_deg[:, None], truth.lat_deg, truth.lon_deg).min(axis=1)
    assert np.median(away_m) < 50.0


@pytest.mark.slow
def test_a_result_of_before_a_calibration_is_not_taken_up_after_it(tmp_path):
    model, card = from_pretrained(DEMO / "checkpoint")
    old = {name: value for name, value in card.calibration.items() if name not in ("ground", "videos")}
    save_pretrained(model, tmp_path / "old", dataclasses.replace(card, calibration=old))
    output = tmp_path / "drive.gpkg"
    before = located(output, str(tmp_path / "old"), str(DEMO / "aoi.geojson"), 25.0).trajectory
    assert np.isnan(before.confidence).all()
    with pytest.raises(InputError, match="other settings"):  # the weights are the same, what they say is not
        located(output, str(DEMO / "checkpoint"), str(DEMO / "aoi.geojson"), 25.0)
    assert located(output, str(tmp_path / "old"), str(DEMO / "aoi.geojson"), 25.0).trajectory.state == before.state
