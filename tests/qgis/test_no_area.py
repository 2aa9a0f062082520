"""*Geolocate video* without an area: where the checkpoint was trained, or the world's land; and areas too large for every point."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.qgis.common import Told, algorithm_of, layer_of, problem_of, run

pytestmark = pytest.mark.qgis
TRAINED = (159.930, -19.222, 159.934, -19.218)


def settings_of(inputs, **others) -> dict:
    return {"VIDEOS": [str(inputs / "a.mp4")], "CHECKPOINT": str(inputs / "checkpoint"), "OUTPUT": "TEMPORARY_OUTPUT", **others}


def test_a_checkpoint_with_an_extent_searches_that(plugin, engine_here, inputs, tmp_path):
    checkpoint = tmp_path / "town"
    shutil.copytree(inputs / "checkpoint", checkpoint)
    card = json.loads((checkpoint / "config.json").read_text())
    (checkpoint / "config.json").write_text(json.dumps({**card, "training_extent": TRAINED}))
    told = Told()
    found = run(algorithm_of("geolocatevideo"), settings_of(inputs, CHECKPOINT=str(checkpoint), RESOLUTION=25.0), told)
    assert 200 < found["GALLERY_POINTS"] < 400
    assert any("No area is given" in text for text in told.said)
    assert any("the extent that the checkpoint was trained on is searched (159.9300,-19.2220" in text for text in told.said)
    frames = [feature.geometry().asPoint() for feature in layer_of(found["OUTPUT"], "frames").getFeatures()]
    assert len(frames) == 6
    assert all(TRAINED[0] <= point.x() <= TRAINED[2] and TRAINED[1] <= point.y() <= TRAINED[3] for point in frames)


@pytest.mark.slow
def test_a_worldwide_one_searches_the_worlds_land(plugin, engine_here, inputs):
    told = Told()
    found = run(algorithm_of("geolocatevideo"), settings_of(inputs, RESOLUTION=1000.0, TO=2.0), told)
    assert found["GALLERY_POINTS"] == pytest.approx(150e6, rel=0.01)
    assert any("the world's land is searched" in text for text in told.said)


def test_a_wide_area_is_no_mistake_unless_every_point_is_made(plugin, engine_here, inputs):
    """Half of Europe at 25 m: the engine makes the likeliest points alone."""
    wide = settings_of(inputs, EXTENT="0,20,45,55 [EPSG:4326]", RESOLUTION=25.0)
    assert problem_of("geolocatevideo", wide) == ""
    for others in ({"EXHAUSTIVE": True}, {"GRID": "latlon"}):
        assert "at most 100,000,000 are possible" in problem_of("geolocatevideo", {**wide, **others})
    small = settings_of(inputs, EXTENT="10,13,50,53 [EPSG:4326]", RESOLUTION=1.0)
    assert "at most 100,000,000 are possible" in problem_of("geolocatevideo", small)
    assert "at most 100,000,000 are possible" in problem_of("gridgallery", {"EXTENT": "0,20,45,55 [EPSG:4326]", "RESOLUTION": 25.0})
    assert "Where is the video from" in problem_of("gridgallery", {})
