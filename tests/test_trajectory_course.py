"""Course over ground, against pyproj's geodesics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from tests.export_cases import unsure
from vidtag_engine.inference.verdicts import judged
from vidtag_engine.trajectory import course_deg, with_course
from vidtag_engine.trajectory.course import LEAST_SPACINGS, MOST_SPACING_M, way_course_deg
from vidtag_engine.types import FrameState, Trajectory, Verdict

GEOD = Geod(ellps="WGS84")
NAN = float("nan")


def away(course, other):
    return np.abs((np.asarray(course) - other + 180.0) % 360.0 - 180.0)


def going(lat, lon, azimuth, step_m, count):
    """Places along a geodesic, and its azimuth at each."""
    lons, lats, back = GEOD.fwd([lon] * count, [lat] * count, [azimuth] * count, step_m * np.arange(count))
    return np.array(lats), np.array(lons), (np.array(back) + 180.0) % 360.0


def trajectory(lat, lon, *, time_s=None, state=None):
    lat, lon = np.asarray(lat, dtype=float), np.asarray(lon, dtype=float)
    count, nothing = len(lat), np.full(len(lat), NAN)
    given_state = state or tuple(FrameState.LOCATED if ok else FrameState.DAMAGED for ok in np.isfinite(lat))
    times = np.arange(count, dtype=float) if time_s is None else np.asarray(time_s, dtype=float)
    return Trajectory(np.arange(count) * 2, times, lat, lon, nothing, nothing, nothing, lat, lon, given_state, 100.0)


@settings(max_examples=150, deadline=None)
@given(
    lat=st.floats(-89.9, 89.9), lon=st.floats(-180, 180), azimuth=st.floats(0, 360), step_m=st.floats(1.0, 60.0), count=st.integers(2, 60),
    spacing_m=st.floats(1.0, MOST_SPACING_M),
)  # fmt: skip
def test_a_steady_drive_has_its_geodesics_azimuth(lat, lon, azimuth, step_m, count, spacing_m):
    lats, lons, wanted = going(lat, lon, azimuth, step_m, count)
    found = with_course(trajectory(lats, lons), spacing_m).course_deg
    assert np.isfinite(found).all() or step_m * (count - 1) < 1.01 * LEAST_SPACINGS * spacing_m
    known = np.isfinite(found)
    assert known.all() or not known.any()
    assert ((found[known] >= 0.0) & (found[known] < 360.0)).all()
    np.testing.assert_array_less(away(found[known], wanted[known]), 0.05)


@pytest.mark.parametrize(("azimuth", "lon"), [(90.0, 179.999), (270.0, -179.999), (45.0, 179.9995)])
def test_across_the_antimeridian(azimuth, lon):
    lats, lons, wanted = going(10.0, lon, azimuth, 20.0, 30)
    assert np.ptp(lons) > 300
    assert away(course_deg(lats, lons, np.arange(30.0), 75.0), wanted).max() < 0.01


def test_over_the_pole_north_becomes_south():
    lats, lons, _ = going(89.995, 20.0, 0.0, 50.0, 40)
    found = course_deg(lats, lons, np.arange(40.0), 75.0)
    assert away(found[0], 0.0) < 0.01
    assert away(found[-1], 180.0) < 0.01


def test_a_standing_camera_has_none_and_not_the_last():
    lats, lons, wanted = going(47.0, 8.0, 120.0, 10.0, 30)
    where = np.r_[np.arange(15), np.full(60, 15), np.arange(15, 30)]
    found = course_deg(lats[where], lons[where], np.arange(90.0), 75.0)
    assert np.isnan(found[20:70]).all()
    assert away(found[:10], wanted[:10]).max() < 0.01
    assert away(found[-10:], wanted[-10:]).max() < 0.01
    still = course_deg(np.full(40, 47.0), np.full(40, 8.0), np.arange(40.0), 75.0)
    assert np.isnan(still).all()


def test_no_course_is_told_by_places_far_apart():
    lats, lons = 47.0 + np.arange(60) * 200.0 / 111_195, np.full(60, 8.0)
    assert np.isfinite(with_course(trajectory(lats, lons), MOST_SPACING_M).course_deg).all()
    assert np.isnan(with_course(trajectory(lats, lons), 1.01 * MOST_SPACING_M).course_deg).all()


@pytest.mark.parametrize("spacing_m", [25.0, 100.0])
def test_places_that_scatter_on_the_spot_have_none(spacing_m):
    rng = np.random.default_rng(4)
    north, east = np.round(rng.normal(0, 0.7, (2, 200))) * spacing_m
    found = with_course(trajectory(47.0 + north / 111_195, 8.0 + east / 75_800), spacing_m).course_deg
    assert np.isfinite(found).mean() < 0.05


def test_a_bend_sharper_than_the_chord_has_none():
    out = going(0.0, 0.0, 0.0, 10.0, 30)
    lats, lons = np.r_[out[0], out[0][::-1]], np.r_[out[1], out[1][::-1]]
    found = course_deg(lats, lons, np.arange(60.0), 75.0)
    assert np.isnan(found[28:32]).all()
    assert away(found[:20], 0.0).max() < 0.01
    assert away(found[-20:], 180.0).max() < 0.01


def test_no_chord_leads_across_a_cut_or_a_frame_without_an_answer():
    """Two shots whose ends would give a third direction if they were joined."""
    first, second = going(1.0, 1.0, 0.0, 20.0, 20), going(1.0, 1.02, 180.0, 20.0, 20)
    lats, lons = np.r_[first[0], second[0]], np.r_[first[1], second[1]]
    joined = with_course(trajectory(lats, lons), 25.0).course_deg
    assert np.isnan(joined[19:21]).all() or away(joined[19:21], 90.0).max() < 60
    cut = with_course(trajectory(lats, lons), 25.0, [2 * 20]).course_deg  # by the frame's number
    assert away(cut[:20], 0.0).max() < 0.01
    assert away(cut[20:], 180.0).max() < 0.01
    lats, lons = np.insert(lats, 20, NAN), np.insert(lons, 20, NAN)
    broken = with_course(trajectory(lats, lons), 25.0).course_deg
    assert np.isnan(broken[20])
    assert away(broken[:20], 0.0).max() < 0.01
    assert away(broken[21:], 180.0).max() < 0.01


def test_short_parts_and_frames_of_one_moment():
    assert with_course(trajectory([], []), 25.0).course_deg.shape == (0,)
    assert np.isnan(with_course(trajectory([1.0], [1.0]), 25.0).course_deg).all()
    lats, lons, wanted = going(1.0, 1.0, 33.0, 20.0, 20)
    assert away(course_deg(lats, lons, np.zeros(20), 75.0), wanted).max() < 0.01


def test_no_course_by_default_and_one_row_a_frame():
    plain = trajectory([1.0, 2.0], [1.0, 2.0])
    assert np.isnan(plain.course_deg).all()
    assert len(plain.course_deg) == 2
    with pytest.raises(ValueError, match="course_deg has 3 rows for 2 frames"):
        Trajectory(*(getattr(plain, name) for name in list(plain.__dataclass_fields__)[:11]), course_deg=np.zeros(3))


def test_a_withheld_answer_has_none_even_where_its_place_is_given():
    lats, lons, _ = going(1.0, 1.0, 33.0, 20.0, 20)
    whole = with_course(trajectory(lats, lons), 25.0)
    assert np.isfinite(whole.course_deg).all()
    verdict = Verdict(FrameState.OUTSIDE_AOI, 0.0, 0.5, (NAN,) * 4, NAN, None, None)
    assert np.isnan(judged(whole, verdict, always_answer=False).course_deg).all()
    given_all_the_same = judged(whole, verdict, always_answer=True)
    assert np.isfinite(given_all_the_same.lat_deg).all()
    assert np.isnan(with_course(given_all_the_same, 25.0).course_deg).all()
    assert np.isfinite(with_course(judged(whole, replace(verdict, state=FrameState.LOCATED), always_answer=False), 25.0).course_deg).all()


def test_a_place_that_is_not_likely_right_has_none():
    lats, lons, _ = going(1.0, 1.0, 33.0, 20.0, 20)
    sure = np.where(np.arange(20) < 8, 0.3, 0.9)
    found = with_course(replace(trajectory(lats, lons), confidence=sure), 25.0).course_deg
    assert np.isnan(found).tolist() == (sure < 0.5).tolist()
    # Of several radii the widest counts: a place may be some streets off and its way be right.
    known = unsure("x.mp4", 20).trajectory.hypotheses
    within = np.stack([np.full(20, 0.1), np.full(20, 0.1), np.full(20, 0.2), sure], axis=1)
    rated = replace(trajectory(lats, lons), confidence=np.full(20, 0.1), hypotheses=replace(known, within=within))
    assert np.isnan(with_course(rated, 25.0).course_deg).tolist() == (sure < 0.5).tolist()


def test_a_way_along_a_road_goes_as_the_line_does():
    lats, lons, _ = going(1.0, 1.0, 33.0, 20.0, 3)
    assert away(way_course_deg(lats, lons, 60.0), 33.0) < 0.01
    assert np.isnan(way_course_deg(lats, lons, 200.0))
    assert np.isnan(way_course_deg(lats, lons, NAN))
    assert np.isnan(way_course_deg(lats[[0, 0]], lons[[0, 0]], 33.0))
    assert away(way_course_deg(lats[[0, 0, 1]], lons[[0, 0, 1]], 33.0), 33.0) < 0.01
