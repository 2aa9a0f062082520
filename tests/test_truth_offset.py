"""Clocks that are off: which way an offset counts, what finds it, and when nothing is to be found."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import av
import gpxpy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests.dataset_maker import ColourEncoder
from tests.test_evaluation_evaluate import drive, written
from vidtag_engine.cli.app import app
from vidtag_engine.evaluation import evaluate_geopackage, evaluate_results
from vidtag_engine.training.features import FeatureStore, TrainingSource
from vidtag_engine.trajectory.clock_offset import LEAST_MARGIN, find_clock_offset
from vidtag_engine.truth_offset import AUTO, apply_offset, offset_of, shifted
from vidtag_engine.types import InputError, TimeSource, Track
from vidtag_engine.video import open_source, read_track
from vidtag_engine.video.align_track import align
from vidtag_engine.video.image_motion import HEIGHT_PX, WIDTH_PX, image_motion, motion_of

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
M_PER_DEG = 111_320.0
RATE_HZ, SECONDS = 10, 60
# Seconds, and degrees a second to the right: a drive of three turns and a stop.
TURNS = ((10.0, 13.0, 30.0), (24.0, 27.5, -25.0), (47.0, 50.0, 28.0))
STOP = (33.0, 39.0)


def turn_dps(time_s):
    return sum(np.where((time_s >= a) & (time_s < b), rate, 0.0) for a, b, rate in TURNS)


def speed_mps(time_s):
    return np.where((time_s >= STOP[0]) & (time_s < STOP[1]), 0.0, 10.0)


def track_of(offset_s=0.0, *, noise_m=0.3, seconds=SECONDS, margin_s=50, turns=turn_dps, seed=0):
    """A fix a second of the drive, its clock ``offset_s`` behind: integrated step by step, and straight on before and after."""
    rng = np.random.default_rng(seed)
    step = 0.02
    time_s = np.arange(-margin_s, seconds + margin_s, step)
    heading = np.deg2rad(np.cumsum(turns(time_s)) * step)
    east, north = (np.cumsum(speed_mps(time_s) * part) * step for part in (np.sin(heading), np.cos(heading)))
    at = np.arange(0, len(time_s), round(1 / step))
    east, north = (values[at] + rng.normal(0, noise_m, len(at)) for values in (east, north))
    lat = 47.0 + north / M_PER_DEG
    return Track(
        START.timestamp() + time_s[at] - offset_s, lat, 8.0 + east / M_PER_DEG / np.cos(np.radians(47.0)), absolute=True, source="GPX"
    )


def panorama(seed=0):
    """A wall of blurred noise all around, 360 degrees wide."""
    rng = np.random.default_rng(seed)
    picture = sum(np.kron(rng.random((HEIGHT_PX // c, 504 // c)), np.ones((c, c))) for c in (4, 12))
    return 110.0 * (picture - picture.min()) / np.ptp(picture)


def pictures_of(time_s, *, view_deg=70.0, seed=0):
    """What a camera amid the wall sees: it turns with the drive, and while it moves the lower half flickers as a road does."""
    rng = np.random.default_rng(seed)
    wall, step = panorama(seed), 0.01
    clock = np.arange(0, time_s[-1] + step, step)
    heading = np.interp(time_s, clock, np.cumsum(turn_dps(clock)) * step)
    found = []
    for moment, degrees in zip(time_s, heading, strict=True):
        columns = (degrees / 360 * wall.shape[1] + np.arange(WIDTH_PX) / WIDTH_PX * view_deg / 360 * wall.shape[1]) % wall.shape[1]
        left = np.floor(columns).astype(int)
        share = columns - left
        picture = wall[:, left] * (1 - share) + wall[:, (left + 1) % wall.shape[1]] * share
        if speed_mps(np.array(moment)) > 0:
            picture[HEIGHT_PX * 7 // 10 :] += rng.normal(0, 25, (HEIGHT_PX - HEIGHT_PX * 7 // 10, WIDTH_PX))
        found.append(picture + rng.normal(0, 0.5, picture.shape))
    return np.array(found, dtype=np.float32)


def write_pictures(path, pictures, rate_hz=RATE_HZ):
    with av.open(str(path), "w") as container:
        container.metadata["creation_time"] = START.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        stream = container.add_stream("libx264", rate=Fraction(rate_hz))
        stream.width, stream.height, stream.pix_fmt = 2 * WIDTH_PX, 2 * HEIGHT_PX, "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "20"}
        for picture in pictures:
            big = np.kron(np.clip(picture, 0, 255).astype(np.uint8), np.ones((2, 2), np.uint8))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.repeat(big[..., None], 3, axis=2), format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def motion():
    time_s = np.arange(0, SECONDS, 1 / RATE_HZ)
    return motion_of(time_s, pictures_of(time_s))


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return write_pictures(tmp_path_factory.mktemp("film") / "film.mp4", pictures_of(np.arange(0, SECONDS, 1 / RATE_HZ)))


def found_in(motion, track):
    return find_clock_offset(track, motion.time_s, motion.gap_s, motion.shift, motion.change, start_s=START.timestamp())


def test_a_turn_to_the_right_moves_the_picture_to_the_left(motion):
    for begin, end, rate in TURNS:
        inside = (motion.time_s > begin + 0.3) & (motion.time_s < end - 0.3)
        assert np.median(motion.shift[inside]) == pytest.approx(-rate / 70.0, rel=0.15)
    straight = (motion.time_s > 14) & (motion.time_s < 23)
    assert np.abs(np.median(motion.shift[straight])) < 0.01
    standing = (motion.time_s > STOP[0] + 0.2) & (motion.time_s < STOP[1] - 0.2)
    assert motion.change[standing].max() < motion.change[straight].min()


@settings(max_examples=15, deadline=None)
@given(offset_s=st.floats(-40, 40), seed=st.integers(0, 1000))
def test_any_shift_is_found(motion, offset_s, seed):
    found = found_in(motion, track_of(offset_s, seed=seed))
    assert found.sure
    assert found.offset_s == pytest.approx(offset_s, abs=0.5)
    assert found.turns == 3
    assert found.margin >= LEAST_MARGIN


def test_a_track_of_the_video_alone_is_enough(motion):
    for offset_s in (-25.0, 0.0, 12.5):
        found = found_in(motion, track_of(offset_s, margin_s=0))
        assert found.sure
        assert found.offset_s == pytest.approx(offset_s, abs=0.5)


def test_what_is_not_to_be_told_is_not_told(motion):
    rng = np.random.default_rng(1)
    time_s = np.arange(0, SECONDS, 1 / RATE_HZ)
    noise = motion_of(time_s, rng.normal(128, 40, (len(time_s), HEIGHT_PX, WIDTH_PX)).astype(np.float32))
    still = motion_of(time_s, np.repeat(panorama()[None, :, :WIDTH_PX], len(time_s), axis=0).astype(np.float32))
    straight = track_of(turns=lambda time_s: 0.0 * time_s)
    for moving, track in ((noise, track_of()), (still, track_of()), (motion, straight)):
        found = found_in(moving, track)
        assert not found.sure
        assert found.offset_s == 0.0
        assert "turn" in found.why or "fit" in found.why
    slow = motion_of(np.arange(0, SECONDS, 1.0), pictures_of(np.arange(0, SECONDS, 1.0)))
    assert "more slowly than 3 a second" in found_in(slow, track_of()).why
    short = motion_of(time_s[:100], pictures_of(time_s[:100]))
    assert "fewer than 20 s" in found_in(short, track_of()).why
    assert "too few fixes" in found_in(motion, track_of(3600.0)).why
    far = found_in(motion, track_of(75.0))
    assert not far.sure


def test_noise_is_never_taken_for_an_offset():
    time_s = np.arange(0, SECONDS, 1 / RATE_HZ)[1:]
    for seed in range(20):
        rng = np.random.default_rng(seed)
        shift = np.convolve(rng.normal(0, 1, len(time_s)), np.ones(15) / 15, "same")
        change = np.exp(np.convolve(rng.normal(0, 2, len(time_s)), np.ones(30) / 30, "same"))
        found = find_clock_offset(track_of(seed=seed), time_s, np.full(len(time_s), 0.1), shift, change, start_s=START.timestamp())
        assert not found.sure, seed


def test_the_offset_is_added_to_the_tracks_clock(video):
    """Against gpxpy and plain arithmetic: a receiver 12 s behind wrote 12:00:05 where the camera's clock said 12:00:17."""
    info = open_source(video)
    behind = track_of(12.0)
    late, done = apply_offset(behind, info, 12.0)
    right = track_of(0.0)
    np.testing.assert_allclose(late.time_s, right.time_s, atol=1e-6)
    assert done.offset_s == 12.0
    assert done.note == "+12.00 s are added to the clock of the truth of film.mp4, as given."
    gpx = gpxpy.gpx.GPX()
    gpx.tracks.append(gpxpy.gpx.GPXTrack())
    gpx.tracks[0].segments.append(gpxpy.gpx.GPXTrackSegment())
    for moment, lat, lon in zip(behind.time_s, behind.lat_deg, behind.lon_deg, strict=True):
        when = datetime.fromtimestamp(moment, UTC)
        gpx.tracks[0].segments[0].points.append(gpxpy.gpx.GPXTrackPoint(lat, lon, time=when))
    file = video.with_suffix(".gpx")
    file.write_text(gpx.to_xml())
    edited = video.with_name("edited.gpx")
    gpx.adjust_time(timedelta(seconds=12))
    edited.write_text(gpx.to_xml())
    times = np.arange(0, 55.0)
    moved = align(apply_offset(read_track(file), info, 12.0)[0], info, times)
    expected = align(read_track(edited), info, times)
    np.testing.assert_allclose(moved.lat_deg, expected.lat_deg, atol=1e-9)
    np.testing.assert_allclose(moved.lon_deg, expected.lon_deg, atol=1e-9)


def test_auto_finds_it_in_the_video_itself(video):
    info = open_source(video)
    track, done = apply_offset(track_of(-17.3), info, AUTO, video)
    assert done.found.sure
    assert done.offset_s == pytest.approx(-17.3, abs=0.4)
    assert "3 turns" in done.note
    np.testing.assert_allclose(track.time_s, track_of(-17.3).time_s + done.offset_s)
    assert json.loads(json.dumps(done.to_dict()))["sure"] is True
    # Unknown start: the track's first fix is taken for it, and the offset counts from there.
    unknown = replace(info, time_source=TimeSource.SYNTHETIC, start_time=datetime(2000, 1, 1, tzinfo=UTC))
    _, other = apply_offset(track_of(0.0, margin_s=20), unknown, AUTO, video)
    assert other.found.sure
    assert other.offset_s == pytest.approx(-20.0, abs=0.4)


def test_unsure_leaves_the_truth_as_it_is(video):
    info = open_source(video)
    straight = track_of(turns=lambda time_s: 0.0 * time_s)
    same, done = apply_offset(straight, info, AUTO, video)
    assert same is straight
    assert done.offset_s == 0.0
    assert "left with the times that it has" in done.note
    assert apply_offset(straight, info, AUTO, None)[1].found.why.startswith("the video is not found")
    assert "single images" in apply_offset(straight, replace(info, kind="images"), AUTO, video)[1].note


def test_a_video_whose_start_is_unknown_is_moved_too(video):
    info = replace(open_source(video), time_source=TimeSource.SYNTHETIC)
    track = track_of()
    times = np.arange(0, 30.0)
    before, after = align(track, info, times + 3.0), align(shifted(track, info, -3.0), info, times)
    np.testing.assert_allclose(after.lat_deg, before.lat_deg, atol=1e-9)


def test_motion_of_a_file_is_that_of_its_pictures(video, motion):
    seen = image_motion(video)
    assert len(seen.time_s) == len(motion.time_s)
    assert np.corrcoef(seen.shift, motion.shift)[0, 1] > 0.97
    assert len(image_motion(video, most_s=10.0).time_s) == pytest.approx(10 * RATE_HZ, abs=2)


@pytest.mark.parametrize(
    ("text", "value"), [(None, None), ("", None), (" ", None), ("auto", AUTO), ("AUTO ", AUTO), ("-2.5", -2.5), (3, 3.0)]
)
def test_what_an_offset_may_be(text, value):
    assert offset_of(text) == value


@pytest.mark.parametrize("text", ["2,5", "two", "nan", "inf", "1e9", "5 s"])
def test_what_it_may_not_be(text):
    with pytest.raises(InputError, match=r"truth offset .* (2\.5|auto)"):
        offset_of(text)


def test_evaluation_moves_the_truth_as_edited_times_do(tmp_path):
    result, truth = drive()
    path = written(tmp_path, result)
    edited = replace(truth, time_s=truth.time_s + 2.5)
    by_offset = evaluate_geopackage(path, truth, truth_offset_s="2.5")
    by_hand = evaluate_geopackage(path, edited)
    assert by_offset.overall == by_hand.overall
    assert by_offset.overall.median_m != evaluate_geopackage(path, truth).overall.median_m
    said = by_offset.to_dict()["videos"][0]["truth_offset"]
    assert said["offset_s"] == 2.5
    assert any("+2.50 s are added" in note for note in by_offset.notes())
    assert evaluate_results([result], truth).to_dict()["videos"][0]["truth_offset"] is None


def test_training_learns_the_moved_places(video, tmp_path):
    """Each video by itself; one whose offset cannot be told is learnt as given, and that is said."""
    behind = write_csv(tmp_path / "behind.csv", track_of(12.0))
    right = write_csv(tmp_path / "right.csv", track_of(0.0))
    straight = write_csv(tmp_path / "straight.csv", track_of(turns=lambda time_s: 0.0 * time_s))

    def learnt(track, offset):
        store = FeatureStore(tmp_path / "f", ColourEncoder(), augment="none", views=0, seed=0, rate_hz=1.0, truth_offset_s=offset)
        return store.sequence(TrainingSource(video, track, "video")).lat_lon_deg, store.truth_offsets

    expected, nothing = learnt(right, None)
    assert not nothing
    moved, done = learnt(behind, 12.0)
    np.testing.assert_allclose(moved, expected, atol=1e-9)
    assert [one.offset_s for one in done] == [12.0]
    found, done = learnt(behind, AUTO)
    assert done[0].offset_s == pytest.approx(12.0, abs=0.4)
    assert np.abs(found - expected).max() * M_PER_DEG < 10.0 * 0.4 * 1.6
    as_given, done = learnt(straight, AUTO)
    np.testing.assert_array_equal(as_given, learnt(straight, None)[0])
    assert "left with the times that it has" in done[0].note


def write_csv(path, track):
    rows = [f"{a:.3f},{b:.9f},{c:.9f}" for a, b, c in zip(track.time_s, track.lat_deg, track.lon_deg, strict=True)]
    path.write_text("\n".join(["unix_s,lat,lon", *rows]) + "\n")
    return path


def test_evaluation_without_the_video_says_so(tmp_path):
    result, truth = drive()
    report = evaluate_geopackage(written(tmp_path, result), truth, truth_offset_s="auto")
    assert any("the video is not found" in note for note in report.notes())
    with pytest.raises(InputError, match="is not there"):
        evaluate_geopackage(written(tmp_path, result), truth, truth_offset_s="auto", videos=[tmp_path / "gone"])


def test_the_command_line_refuses_what_is_no_offset(tmp_path):
    answer = CliRunner().invoke(app, ["evaluate", "a.gpkg", "--truth", "b.gpx", "--truth-offset-s", "soon"])
    assert answer.exit_code == 2
    assert "The truth offset 'soon' is not a number of seconds" in " ".join(answer.stderr.split())
