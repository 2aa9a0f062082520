"""What is said of a checkpoint when it has been made."""

from dataclasses import replace

import numpy as np
import pytest

from tests.test_trajectory_fit import PLACES, SPACING_M
from vidtag_engine.calibration import fit_novelty
from vidtag_engine.training.tells import what_it_tells
from vidtag_engine.trajectory import Calibration, OutOfAreaDetector, PathCalibration, TrainingGround
from vidtag_engine.trajectory.decoder_calibration import RadiusMap


@pytest.mark.parametrize("videos", [0, 2, 7, 8, 40])
def test_it_says_what_the_checkpoint_can_and_cannot_tell_and_how_many_videos_it_takes(videos):
    rng = np.random.default_rng(0)
    seen = [rng.normal(size=(30, 8)).astype(np.float32) for _ in range(6)]
    known = fit_novelty(seen, seen[:videos], width=4)
    out_of_area = OutOfAreaDetector(PLACES, SPACING_M, slope=1.0, most_odds=2.0, videos=float(videos))
    ground = TrainingGround.about(PLACES, 100.0)
    few = Calibration(0.07, n_frames=9, novelty=known, out_of_area=out_of_area, ground=ground, videos=videos)
    path = replace(PathCalibration.unfitted(0.07, SPACING_M), maps=(RadiusMap(100.0, 1.0, 0.0),), videos=videos, novelty=known)
    calibration = few if videos < 8 else replace(few, path=path, out_of_area=None)
    text = " ".join(what_it_tells(calibration))
    assert ("It cannot tell how sure to be" in text) == (videos < 8)
    assert ("train on about 54" in text) == (videos < 8)
    assert (f"{videos} held-out videos calibrated" in text) == (videos >= 8)
    assert "unlike its training" in text
    assert "within 100 m" in text
    assert ("It cannot tell on which part" in text) == (
        videos >= 8 or videos < 3
    )  # the path here was fitted without; two make nothing rare


def test_held_out_videos_that_were_not_found_are_not_called_too_few():
    ground = TrainingGround.about(PLACES, 100.0)
    lost = Calibration(0.07, n_frames=9, ground=ground, videos=9, path=replace(PathCalibration.unfitted(0.07, SPACING_M), videos=9))
    assert "too few of the 9 videos that were held out to calibrate it were found" in lost.cannot_tell
    assert lost.cannot_tell in " ".join(what_it_tells(lost))
    drives = replace(lost, of_references=True)
    assert "too few of its 9 drives are found again" in drives.cannot_tell


def test_a_single_short_video_can_tell_nothing():
    calibration = Calibration(0.07, novelty=fit_novelty([np.ones((6, 4), np.float32)], []), ground=TrainingGround.about(PLACES[:1], 50.0))
    text = " ".join(what_it_tells(calibration))
    assert "cannot tell videos unlike its training" in text
