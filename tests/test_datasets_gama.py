"""BDD100K's info files and GAMa's lists as they lie on disk: gps or locations, -1 for missing, videos without either."""

import json

import numpy as np
import pytest
from pyproj import Geod

from tests.dataset_maker import ColourEncoder, fix, write_info
from tests.video_maker import write_video
from vidtag_engine.datasets import open_dataset
from vidtag_engine.datasets.gama import read_fixes
from vidtag_engine.training.features import FeatureStore, load_sequences
from vidtag_engine.types import InputError

START = 1_503_828_163_000
GEOD = Geod(ellps="WGS84")


def drive(lat, lon, seconds=41, start=START):
    return [fix(lat + t / 10_000, lon - t / 20_000, start + 1000 * t) for t in range(seconds)]


@pytest.fixture
def bdd(tmp_path):
    """A folder with every trap; the real archives' nesting."""
    info, videos = tmp_path / "bdd100k" / "info" / "100k", tmp_path / "bdd100k" / "videos" / "100k"
    base = {"startTime": START, "endTime": START + 41_000, "rideID": "r", "accelerometer": []}
    write_info(info / "train" / "loc.json", **base, locations=drive(40.7, -74.0))
    write_info(info / "train" / "gps.json", **base, gps=drive(37.7, -122.4), locations=[])
    holes = drive(32.0, 34.8)
    holes[0]["timestamp"] = -1
    holes[1]["latitude"] = -1
    holes[2] |= {"latitude": -1, "longitude": -1}
    holes[3] |= {"latitude": 0, "longitude": 0}
    holes[4]["longitude"] = None
    holes[5]["latitude"] = "32.0005"  # a text that is a number is one
    holes[6]["latitude"] = 132.0
    write_info(info / "val" / "holes.json", **base, gps=holes)
    write_info(info / "train" / "none.json", **base)
    write_info(info / "train" / "all-missing.json", **base, gps=[fix(-1, -1, START)], locations=[fix(40.0, -74.0, -1)])
    (info / "train" / "broken.json").write_text('{"gps": [', encoding="utf-8")
    write_info(info / "train" / "no-video.json", **base, gps=drive(40.7, -74.0))
    for name in ("loc", "gps", "none", "all-missing", "broken", "no-info"):
        (videos / "train").mkdir(parents=True, exist_ok=True)
        (videos / "train" / f"{name}.mov").write_bytes(b"")
    (videos / "val").mkdir()
    (videos / "val" / "holes.mp4").write_bytes(b"")
    (tmp_path / "list").mkdir()
    lines = ["loc 1202", "gps 1208", "none 1202", "all-missing 1", "broken 1", "no-video 1203", "no-info 7", "loc 1202", ""]
    (tmp_path / "list" / "train_day.list").write_text("\n".join(lines))
    (tmp_path / "list" / "val_day_vid.list").write_text("holes\n")  # GAMa's own has no numbers of frames
    return tmp_path


def test_every_trap(bdd):
    data = open_dataset("gama", bdd)
    train, val = data.sequences("train"), data.sequences("val")
    assert [s.name for s in train] == ["loc", "gps"]
    assert [s.kind for s in train] == ["video", "video"]
    np.testing.assert_allclose(train[0].lat_lon_deg[10], [40.7 + 0.001, -74.0 - 0.0005])
    np.testing.assert_allclose(train[1].lat_lon_deg[0], [37.7, -122.4])
    np.testing.assert_allclose(train[0].time_s, np.arange(41))  # milliseconds
    assert [path.name for path in val[0].paths] == ["holes.mp4"]
    np.testing.assert_allclose(val[0].time_s, [5, *range(7, 41)])
    np.testing.assert_allclose(val[0].lat_lon_deg[0], [32.0005, 34.8 - 5 / 20_000])
    assert data.report.counts == {
        "videos without any GPS record": 1,
        "videos without a usable GPS fix": 1,
        "videos whose file in info is damaged": 1,
        "videos of the list whose file is missing": 1,
        "videos without a file in info": 1,
    }
    assert data.report.examples["videos without any GPS record"] == "none"


def test_start_time_may_be_missing_and_fixes_out_of_order():
    entries = drive(40.0, -74.0, 5)[::-1] + [fix(1.0, 1.0, START)]
    time_s, places, reason = read_fixes({"startTime": -1, "locations": [], "gps": entries})
    assert (list(time_s), reason) == ([0, 1, 2, 3, 4], "")
    assert places[0].tolist() == [40.0, -74.0]
    for odd in (None, [], {"gps": "x"}, {"gps": [1, None]}, {"gps": {"0": 1}}):
        assert len(read_fixes(odd)[0]) == 0


def test_frames_of_a_video_get_the_place_at_their_second(tmp_path):
    (tmp_path / "list").mkdir()
    (tmp_path / "list" / "train_day.list").write_text("one 300\nlate 300\n")
    fixes = [fix(40.7 + t / 1000, -74.0, START + 1000 * t) for t in range(0, 11, 2)]
    write_info(tmp_path / "info" / "train" / "one.json", startTime=START, gps=fixes)
    # Recorded an hour before its fixes: no frame can be placed.
    write_info(tmp_path / "info" / "train" / "late.json", startTime=START - 3_600_000, gps=fixes)
    for name in ("one", "late"):
        (tmp_path / "videos" / "train").mkdir(parents=True, exist_ok=True)
        write_video(tmp_path / "videos" / "train" / f"{name}.mov", list(range(0, 300, 3)))
    data = open_dataset("gama", tmp_path)
    encoder = ColourEncoder()
    store = FeatureStore(tmp_path / "features", encoder, augment="none", views=0, seed=0, rate_hz=1.0, half=True)
    found = load_sequences(store, data.sequences("train"), left_out=data.report)
    assert [s.name for s in found] == ["one"]
    assert data.report.counts == {"sequences that cannot be read or placed": 1}
    assert "late" in data.report.examples["sequences that cannot be read or placed"]
    one = found[0]
    np.testing.assert_allclose(one.time_s, np.arange(10), atol=0.05)
    # Halfway between two fixes on the ground, by pyproj's own step along the geodesic.
    for second, place in zip(one.time_s, one.lat_lon_deg, strict=True):
        before = int(second // 2) * 2
        azimuth, _, metres = GEOD.inv(-74.0, 40.7 + before / 1000, -74.0, 40.7 + (before + 2) / 1000)
        lon, lat, _ = GEOD.fwd(-74.0, 40.7 + before / 1000, azimuth, metres * (second - before) / 2)
        np.testing.assert_allclose(place, [lat, lon], atol=1e-9)
    assert one.features.dtype == np.float16
    seen = encoder.encoded
    load_sequences(store, data.sequences("train"), left_out=data.report)
    assert encoder.encoded == seen  # stored


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(InputError, match="no info/100k/train"):
        open_dataset("gama", tmp_path).sequences("train")
    write_info(tmp_path / "info" / "train" / "a.json", gps=[])
    with pytest.raises(InputError, match="no videos/100k/train"):
        open_dataset("gama", tmp_path).sequences("train")
    (tmp_path / "videos" / "train").mkdir(parents=True)
    (tmp_path / "videos" / "train" / "a.mov").write_bytes(b"")
    with pytest.raises(InputError, match=r"no train_day\.list: copy the folder list"):
        open_dataset("gama", tmp_path).sequences("train")
    (tmp_path / "train_day.list").write_text("a 3\n")
    with pytest.raises(InputError, match=r"holds no usable sequence: 1 videos without any GPS record \(for example a\)"):
        open_dataset("gama", tmp_path).sequences("train")
    assert json.dumps(open_dataset("gama", tmp_path).report.to_dict()) == "{}"
