"""Tracks at the frames' moments."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from vidtag_engine.types import TimeSource, Track, VideoInfo
from vidtag_engine.video.align_track import align, align_track, interpolate_track

GEOD = Geod(ellps="WGS84")
START = datetime(2013, 6, 4, 13, 37, 29, tzinfo=UTC)


def track_of(time_s, lat, lon, *, absolute=False, names=None):
    return Track(np.asarray(time_s, float), np.asarray(lat, float), np.asarray(lon, float), absolute, "GPX", names)


def info_of(source=TimeSource.CONTAINER, kind="video", start=START):
    return VideoInfo(Path("drive.mp4"), "drive.mp4", kind, 640, 480, 60.0, start, source)


@settings(max_examples=60)
@given(
    st.tuples(st.floats(-85, 85), st.floats(-180, 179.9)),
    st.floats(0, 360),
    st.floats(1, 50_000),
    st.floats(0, 1),
)
def test_between_two_fixes_lies_the_geodesic(start, azimuth, length_m, share):
    lat, lon = start
    end_lon, end_lat, _ = GEOD.fwd(lon, lat, azimuth, length_m)
    track = track_of([100.0, 110.0], [lat, end_lat], [lon, end_lon])
    got_lat, got_lon = interpolate_track(track, np.array([100.0 + 10.0 * share]))
    assert GEOD.inv(lon, lat, got_lon[0], got_lat[0])[2] == pytest.approx(length_m * share, abs=1e-3)
    assert GEOD.inv(end_lon, end_lat, got_lon[0], got_lat[0])[2] == pytest.approx(length_m * (1 - share), abs=1e-3)
    assert -180 <= got_lon[0] < 180


def test_the_seam_is_crossed_the_short_way():
    lat, lon = interpolate_track(track_of([0, 10], [0, 0], [179.9, -179.9]), np.array([2.5, 5.0, 7.5]))
    np.testing.assert_allclose(lon, [179.95, -180.0, -179.95], atol=1e-9)
    np.testing.assert_allclose(lat, 0, atol=1e-12)


def test_outside_the_track_there_is_no_position_but_for_a_tolerance():
    track = track_of([10, 20], [1, 2], [5, 5])
    lat, _ = interpolate_track(track, np.array([7.9, 8.0, 10.0, 20.0, 22.0, 22.1, np.nan]))
    np.testing.assert_array_equal(np.isnan(lat), [True, False, False, False, False, True, True])
    np.testing.assert_allclose(lat[1:5], [1, 1, 2, 2])


def test_a_long_silence_is_no_truth_unless_the_receiver_stood_still():
    track = track_of([0, 10, 200, 400], [0, 0, 0.1, 0.1], [0, 0, 0, 0])
    moments = np.array([5.0, 11.0, 100.0, 199.0, 300.0])
    lat, _ = interpolate_track(track, moments)
    np.testing.assert_array_equal(np.isnan(lat), [False, False, True, False, False])
    assert np.isfinite(interpolate_track(track, moments, max_gap_s=None)[0]).all()


def test_one_fix_unsorted_fixes_equal_times_and_nan():
    assert interpolate_track(track_of([5], [1], [2]), np.array([4.0, 5.0, 9.0]))[0][:2] == pytest.approx(1.0)
    assert np.isnan(interpolate_track(track_of([], [], []), np.array([1.0]))[0]).all()
    lat, _ = interpolate_track(track_of([10, 0, 5, 7], [10, 0, np.nan, 7], [0, 0, 0, 0]), np.array([3.5]))
    assert lat[0] == pytest.approx(3.5, abs=0.01)
    lat, _ = interpolate_track(track_of([0, 5, 5, 10], [0, 1, 2, 3], [0] * 4), np.array([5.0, 4.999]))
    assert np.isfinite(lat).all()


def test_absolute_time_is_laid_on_the_start():
    track = track_of(START.timestamp() + np.array([0, 10]), [41, 41.001], [-83, -83], absolute=True)
    lat, _lon, note = align_track(track, info_of(), np.array([0.0, 5.0, 10.0, 30.0]))
    np.testing.assert_allclose(lat[:3], [41, 41.0005, 41.001], atol=1e-8)
    assert np.isnan(lat[3])
    assert "container" in note
    assert "1 of 4 frames have no position" in note
    naive = info_of(start=START.replace(tzinfo=None))
    np.testing.assert_array_equal(align(track, naive, np.array([5.0])).lat_deg, lat[1:2])


def test_unknown_start_takes_the_first_fix_and_says_so():
    track = track_of(START.timestamp() + np.array([0, 10]), [41, 41.001], [-83, -83], absolute=True)
    unknown = info_of(TimeSource.SYNTHETIC, start=datetime(2000, 1, 1, tzinfo=UTC))
    lat, _, note = align_track(track, unknown, np.array([0.0, 5.0]))
    np.testing.assert_allclose(lat, [41, 41.0005], atol=1e-8)
    assert "first fix was taken as its start" in note


def test_relative_time_needs_no_start():
    lat, _, note = align_track(track_of([0, 10], [0, 1], [0, 0]), info_of(TimeSource.SYNTHETIC), np.array([0.0, 10.0]))
    np.testing.assert_allclose(lat, [0, 1])
    assert "after the video's start" in note


def test_no_overlap_is_told_with_both_times():
    track = track_of(START.timestamp() + 7200.0 + np.array([0, 10]), [41, 41.001], [-83, -83], absolute=True)
    found = align(track, info_of(), np.array([0.0, 5.0]))
    assert not found.overlaps
    assert found.missing == {"before the track begins": 2}
    assert "2013-06-04 15:37:29" in found.note
    assert "2013-06-04 13:37:29" in found.note


def test_names_win_over_times():
    track = track_of([np.nan] * 3, [1, 2, 3], [4, 5, 181], names=("a.jpg", "b.jpg", "c.JPG"))
    found = align(track, info_of(kind="images"), np.array([0.0, 1.0, 2.0]), ["dir/c.jpg", "a.jpg", "x.jpg"])
    np.testing.assert_allclose(found.lat_deg, [3, 1, np.nan])
    np.testing.assert_allclose(found.lon_deg, [-179, 4, np.nan])
    assert found.missing == {"no position under the image's name": 1}
    by_time = align(replace(track, time_s=np.arange(3.0)), info_of(), np.array([1.0]), ["frame0.png"])
    assert by_time.lat_deg[0] == 2
    assert align(track, info_of(), np.array([1.0])).missing == {"the track has no fixes": 1}
