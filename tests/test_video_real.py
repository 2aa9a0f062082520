"""Reading the real recordings beside the checkout."""

from __future__ import annotations

import subprocess
from pathlib import Path

import av
import gpxpy
import numpy as np
import pytest

from tests.video_maker import decode_all
from vidtag_engine.geodesy import geodesic_m, haversine_m
from vidtag_engine.types import InputError, TimeSource
from vidtag_engine.video import FrameReader, embedded_track, open_source, read_track

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
pytestmark = [pytest.mark.data, pytest.mark.skipif(not DATA.is_dir(), reason="the real recordings (../shared/data) are not here")]


def length_m(track) -> float:
    return float(geodesic_m(track.lat_deg[:-1], track.lon_deg[:-1], track.lat_deg[1:], track.lon_deg[1:]).sum())


@pytest.mark.parametrize("flight", [1, 2])
def test_every_distinct_picture_of_an_uneven_video_once_with_its_own_time(flight):
    path = DATA / "seneca" / f"flight{flight}.mp4"
    oracle = decode_all(path)
    info = open_source(path)
    assert info.variable_frame_rate
    with FrameReader(info, 1.0) as reader:
        frames = list(reader)
    assert [f.time_s for f in frames] == pytest.approx([time_s for time_s, _ in oracle], abs=1e-6)
    assert all(np.array_equal(f.image, picture) for f, (_, picture) in zip(frames, oracle, strict=True))
    # The pictures' times are those at which they were taken (the video's last picture is its last image once more).
    taken = read_track(DATA / "seneca" / f"flight{flight}.gpx").time_s
    assert np.allclose(np.array([f.time_s for f in frames])[: len(taken)], taken - taken[0], atol=1e-3)
    assert info.time_source is TimeSource.CONTAINER


def test_gopro_video():
    path = DATA / "gopro" / "max-heromode.mp4"
    info = open_source(path)
    assert (info.embedded_gps, info.width_px, info.height_px) == ("GPS5", 848, 480)
    track = embedded_track(info)
    assert len(track.time_s) == 191
    assert length_m(track) == pytest.approx(13.6, abs=0.05)
    assert track.time_s.min() >= 0
    assert track.time_s.max() < info.duration_s + 0.02
    assert (np.diff(track.time_s) > 0).all()
    oracle = decode_all(path)
    with FrameReader(info, 1.0) as reader:
        frames = list(reader)
    times = np.array([time_s for time_s, _ in oracle])
    wanted = [int(np.searchsorted(times, k + 1e-6, side="right")) - 1 for k in range(11)]
    assert all(np.array_equal(f.image, oracle[i][1]) for f, i in zip(frames, wanted, strict=True))


@pytest.mark.parametrize(
    ("name", "words"), [("hero6.raw", "never had a lock"), ("hero6+ble.raw", "never had a lock"), ("karma.raw", "no GPS5")]
)
def test_raw_payloads_without_positions(name, words):
    with pytest.raises(InputError, match=words):
        read_track(DATA / "gopro" / name)


@pytest.mark.parametrize("name", ["Fusion.raw", "hero5.raw"])
def test_raw_payloads_with_a_lock(name):
    track = read_track(DATA / "gopro" / name)
    assert len(track.time_s) >= 17
    assert np.allclose(track.lat_deg, 33.126, atol=0.01)
    assert np.allclose(track.lon_deg, -117.327, atol=0.01)


def test_aerial_video_with_eg_0104():
    info = open_source(DATA / "klv" / "aphill_klv_10s.ts")
    track = embedded_track(info)
    assert (info.embedded_gps, len(track.time_s)) == ("KLV", 300)
    assert haversine_m(track.lat_deg[:-1], track.lon_deg[:-1], track.lat_deg[1:], track.lon_deg[1:]).sum() == pytest.approx(612, abs=3)
    assert track.time_s[[0, -1]] == pytest.approx([0, 9.98], abs=0.01)
    with FrameReader(info, 1.0) as reader:
        assert [f.time_s for f in reader] == pytest.approx(range(10))


def test_drawn_video_with_st_0601():
    track = embedded_track(open_source(DATA / "klv" / "h264_klv.ts"))
    assert (len(track.time_s), track.absolute) == (30, True)
    assert 60.1 < track.lat_deg[0] < 60.2


def test_aerial_video_without_positions():
    info = open_source(DATA / "klv" / "aphill_240_1fps_crf32.mp4")
    assert info.embedded_gps is None
    with FrameReader(info, 1.0) as reader:
        assert sum(1 for _ in reader) == reader.expected_frames == 310


def test_street_walk():
    info = open_source(DATA / "lund" / "images")
    track = embedded_track(info)
    assert (info.embedded_gps, len(track.time_s)) == ("EXIF", 29)
    assert length_m(track) == pytest.approx(197, abs=1.5)
    table = read_track(DATA / "lund" / "gps.csv")
    assert table.names == track.names
    assert np.allclose(table.lat_deg, track.lat_deg, atol=1e-6)


def test_tables_agree_with_tracks():
    table = read_track(DATA / "seneca" / "gps.csv")
    gpx = gpxpy.parse((DATA / "seneca" / "flight1.gpx").read_text())
    points = gpx.tracks[0].segments[0].points
    assert len(table.time_s) == 167
    assert table.absolute
    assert np.allclose(table.time_s[:76], [p.time.timestamp() for p in points])
    assert np.allclose(table.lat_deg[:76], [p.latitude for p in points], atol=1e-6)


def test_telemetry_of_a_clip_that_was_cut_without_encoding(tmp_path):
    """FFmpeg by itself says each second of such a clip's telemetry up to a second too early (findings/ffmpeg-cut-telemetry.sh)."""
    whole, cut = DATA / "gopro" / "max-heromode.mp4", tmp_path / "cut.mp4"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-ss", "3.2", "-i", whole, "-map", "0:v", "-map", "0:3", "-c", "copy", cut], check=True, timeout=60
    )
    with av.open(str(cut)) as container:
        first = next(container.decode(video=0)).to_ndarray(format="gray").astype(int)
    with av.open(str(whole)) as container:
        begins_s = min((np.abs(f.to_ndarray(format="gray") - first).mean(), f.time) for f in container.decode(video=0))[1]
    assert begins_s == pytest.approx(3.2, abs=0.04)
    before, after = read_track(whole), read_track(cut)
    fixes = list(zip(before.lat_deg, before.lon_deg, strict=True))
    once = {fix: time_s for fix, time_s in zip(fixes, before.time_s, strict=True) if fixes.count(fix) == 1}
    found = zip(after.lat_deg, after.lon_deg, after.time_s, strict=True)
    shift_s = [once[lat, lon] - time_s for lat, lon, time_s in found if (lat, lon) in once]
    assert len(shift_s) > 100
    # The last payload of the recording lasts a little longer than the clip says.
    assert np.allclose(shift_s, begins_s, atol=0.03)
