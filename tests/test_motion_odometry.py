"""Odometry against worlds that are drawn with known motion, and against a real camera's own gyroscope and GPS."""

import struct
import sys
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from tests.motion_scene import Scene, path_of, write_video
from vidtag_engine.feedback import Feedback
from vidtag_engine.motion.odometry import video_motion
from vidtag_engine.motion.two_views import Views, fit_movement, fit_rotation, rotation_matrices
from vidtag_engine.types import CancelledError, InputError
from vidtag_engine.video import FrameReader, open_source, read_track

cv2 = pytest.importorskip("cv2", reason="odometry needs OpenCV (pip install opencv-python-headless)")
DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
# Stand, drive, turn right by 90 degrees, drive, turn left by 90, drive, stand, back up, drive: seconds, m/s, degrees a second.
PARTS = [(2, 0, 0), (4, 8, 0), (3, 6, 30), (2.8, 10, 0), (4, 5, -22.5), (3, 8, 0), (2, 0, 0), (3, -2, 0), (2, 4, 0)]


def truth(path, parts, edges, rate_hz=15.0):
    """Turn in degrees and mean speed in m/s by interval."""
    way = np.concatenate([[0.0], np.cumsum(np.concatenate([np.full(round(s * rate_hz), v / rate_hz) for s, v, _ in parts]))])
    turn = np.diff(np.degrees(np.interp(edges, path.time_s, path.heading)))
    return turn, np.diff(np.interp(edges, path.time_s, way)) / np.diff(edges)


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    """A short film: straight on, and a bend to the right."""
    parts = [(2, 8, 0), (2, 5, 20)]
    path = path_of(parts, start=(1.0, -35.0))
    return write_video(tmp_path_factory.mktemp("street") / "street.mp4", Scene((320, 180)).pictures(path)), path, parts


def test_a_bend_has_its_angle_and_the_speeds_their_ratio(street):
    video, path, parts = street
    found = video_motion(video, view_deg=66.0)
    turn, speed = truth(path, parts, found.time_s)
    assert np.allclose(found.turn_deg, turn, atol=1.5)
    assert (np.abs(found.turn_deg - turn) < 3 * found.turn_std_deg).all()
    assert np.median(found.speed[:2]) / np.median(found.speed[2:]) == pytest.approx(8 / 5, rel=0.15)
    assert np.median(found.speed[2:]) == pytest.approx(5 / 1.4, rel=0.15)
    assert not found.metric
    assert found.source == "video"
    assert found.cuts == ()
    assert speed[0] > speed[-1]


def test_windows_and_intervals(street):
    video, path, parts = street
    found = video_motion(video, from_s=2.0, to_s=3.6, interval_s=0.5, view_deg=66.0)
    assert found.time_s[0] == pytest.approx(2.0, abs=0.04)
    assert np.allclose(np.diff(found.time_s)[:-1], 0.5)
    assert found.turn_deg.sum() == pytest.approx(truth(path, parts, found.time_s)[0].sum(), abs=2.0)


def test_whoever_waits_is_told_and_may_stop_it(street):
    told = []
    video_motion(street[0], feedback=Feedback(progress=told.append))
    fractions = [one.fraction for one in told]
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] < fractions[-1] <= 1
    with pytest.raises(CancelledError):
        video_motion(street[0], feedback=Feedback(cancelled=lambda: True))


@pytest.mark.parametrize("options", [{"interval_s": 0.0}, {"view_deg": 200.0}, {"from_s": 100.0}, {"from_s": 1.0, "to_s": 1.02}])
def test_what_makes_no_sense_is_one_sentence(street, options):
    with pytest.raises(InputError) as found:
        video_motion(street[0], **options)
    assert street[0].name in str(found.value)
    assert "\n" not in str(found.value)


def test_without_opencv_one_sentence_says_so(street, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(
        InputError,
        match=r"^Odometry needs OpenCV: pip install opencv-python-headless, or press Create environment… in QGIS's options, page VidTAG\.$",
    ):
        video_motion(street[0])


def test_gray_pictures_are_the_coloured_ones_made_small(street):
    info = open_source(street[0])
    with FrameReader(info, 5.0) as coloured, FrameReader(info, 5.0, gray_px=160) as gray:
        for one, other in zip(coloured, gray, strict=True):
            assert one.time_s == other.time_s
            assert other.image.shape == (90, 160)
            means = one.image.astype(float).mean(axis=2).reshape(90, 2, 160, 2).mean(axis=(1, 3))
            assert np.abs(means - other.image).mean() < 4.0


def test_a_cut_is_told_and_nothing_is_known_over_it(tmp_path):
    scene = Scene((320, 180))
    pictures = chain(
        scene.pictures(path_of([(2.5, 8, 0)], start=(0, -35))), scene.pictures(path_of([(2.4, 8, 0)], start=(100, 240), heading_deg=90))
    )
    found = video_motion(write_video(tmp_path / "cut.mp4", pictures))
    assert found.cuts == (2,)
    assert np.isnan(found.turn_deg[2])
    assert np.isnan(found.speed[2])
    assert np.isfinite(found.turn_deg[[0, 1, 3]]).all()
    assert np.abs(found.turn_deg[[0, 1, 3]]).max() < 1.5


def test_a_still_picture_stands(tmp_path):
    picture = Scene((320, 180)).picture(0.0, 3.0, 0.2)
    found = video_motion(write_video(tmp_path / "still.mp4", [picture] * 45))
    assert np.allclose(found.speed, 0.0)
    assert np.allclose(found.turn_deg, 0.0, atol=0.1)


@pytest.mark.parametrize("brightness", [0, 128])
def test_pictures_without_any_texture_say_nothing(tmp_path, brightness):
    found = video_motion(write_video(tmp_path / "flat.mp4", [np.full((180, 320), brightness, dtype=np.uint8)] * 45))
    assert np.isnan(found.turn_deg).all()
    assert np.isnan(found.speed).all()


def test_views_with_a_known_turn_and_course_are_solved():
    """Points in space, an eighth of which move by themselves."""
    rng = np.random.default_rng(0)
    focal = 490.0
    points = np.stack([rng.uniform(-15, 15, (16, 300)), rng.uniform(-5, 1.4, (16, 300)), rng.uniform(4, 60, (16, 300))], axis=-1)
    turn = rng.normal(0, 0.02, (16, 3))
    course = np.array([0.05, 0.03, 1.0]) + rng.normal(0, 0.05, (16, 3))
    course /= np.linalg.norm(course, axis=-1, keepdims=True)
    after = np.einsum("bij,bnj->bni", rotation_matrices(turn), points) - 0.6 * course[:, None]
    first, second = (one[..., :2] / one[..., 2:] for one in (points, after))
    visible = (np.abs(first) < [0.65, 0.37]).all(axis=-1) & (after[..., 2] > 1)
    second = second + rng.normal(0, 0.15 / focal, second.shape)
    second[:, :38] += rng.normal(0, 8 / focal, (16, 38, 2))
    views = Views(first, second, visible.astype(float), focal)
    found = fit_movement(views, [fit_rotation(views).turn, np.zeros_like(turn)])
    off = np.degrees(np.abs(found.turn - turn))
    assert np.median(off) < 0.02
    assert off.max() < 0.2
    assert np.median(np.arccos((found.course * course).sum(axis=1))) < np.radians(1.5)
    kept = visible.copy()
    kept[:, :38] = False
    assert np.median((found.nearness * (after[..., 2] + 0.6 * course[:, None, 2]))[kept]) == pytest.approx(0.6, rel=0.05)


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    path = path_of(PARTS, start=(-2.0, -43.5))
    return write_video(tmp_path_factory.mktemp("drive") / "drive.mp4", Scene().pictures(path)), path


@pytest.mark.slow
def test_a_drive_with_turns_stops_and_reversing(drive):
    """The lens is not told: the road in the turns tells it."""
    video, path = drive
    found = video_motion(video)
    turn, speed = truth(path, PARTS, found.time_s)
    for start, end in ((5, 10), (10, 17)):
        inside = slice(start, end)
        assert found.turn_deg[inside].sum() == pytest.approx(turn[inside].sum(), rel=0.12)
    assert (np.abs(found.turn_deg - turn) < 3 * found.turn_std_deg).all()
    even = np.abs(np.diff(speed, prepend=speed[0])) + np.abs(np.diff(speed, append=speed[-1])) < 0.1  # not where it changes
    moving = even & (np.abs(speed) > 1)
    unit = np.median(speed[moving] / found.speed[moving])
    assert np.median(np.abs(found.speed[moving] * unit / speed[moving] - 1)) < 0.08
    assert np.abs(found.speed[even & (speed == 0)] * unit).max() < 0.15
    assert (found.speed[speed < -1] < 0).all()
    assert (found.speed[speed > 1] > 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("view_deg", [50.0, 90.0])
def test_other_lenses_are_within_their_errors(tmp_path, view_deg):
    parts = [(2, 6, 0), (3, 6, 30), (2, 6, 0)]
    path = path_of(parts, start=(-2.0, -23.5))
    found = video_motion(write_video(tmp_path / "lens.mp4", Scene(view_deg=view_deg, pitch_deg=-3.0).pictures(path)))
    turn, _ = truth(path, parts, found.time_s)
    assert (np.abs(found.turn_deg - turn) < 2.5 * found.turn_std_deg).all()
    assert found.turn_deg.sum() == pytest.approx(90.0, rel=0.2)


@pytest.mark.slow
def test_bonnet_and_captions_do_not_hold_the_camera(tmp_path):
    parts = [(3, 8, 0), (3, 5, -30), (2, 6, 0), (2, 0, 0)]
    path = path_of(parts, start=(1.5, -35.0))
    bonnet = np.clip(60 + cv2.resize(np.random.default_rng(1).normal(0, 30, (14, 120)).astype(np.float32), (480, 45)), 0, 255).astype(
        np.uint8
    )

    def dressed(i, picture):
        picture = picture.copy()
        picture[225:] = bonnet
        cv2.putText(picture, f"2026-05-01 12:00:{i // 15:02d}", (8, 22), 0, 0.6, 255, 2)
        return picture

    found = video_motion(write_video(tmp_path / "bonnet.mp4", Scene().pictures(path, dressed)), view_deg=66.0)
    turn, speed = truth(path, parts, found.time_s)
    assert found.turn_deg.sum() == pytest.approx(-90.0, abs=5.0)
    assert np.abs(found.turn_deg - turn).max() < 4.0
    moving = speed > 1
    assert np.median(np.abs(found.speed[moving] * 1.4 / speed[moving] - 1)) < 0.15
    assert found.speed[-1] == 0.0


@pytest.mark.slow
@pytest.mark.parametrize("looks", ["down", "aside"])
def test_cameras_that_look_elsewhere_say_nothing(tmp_path, looks):
    if looks == "down":
        pictures = Scene((320, 180), height_m=30.0, pitch_deg=-90.0).pictures(path_of([(4, 8, 0), (4, 8, 20), (3, 8, 0)], start=(0, -35)))
    else:
        path = path_of([(7, 6, 0)], start=(0, -35))
        path.heading += np.pi / 2
        pictures = Scene((320, 180)).pictures(path)
    found = video_motion(write_video(tmp_path / "elsewhere.mp4", pictures))
    assert np.isnan(found.turn_deg).all()
    assert np.isnan(found.speed).all()


def orientation_of(path):
    """(N, 4) quaternions of a GoPro's pictures, w first: the camera's own orientation (CORI) and what its stabilising took away of it (IORI)."""
    import av

    streams = {b"CORI": [], b"IORI": []}

    def walk(data):
        at = 0
        while at + 8 <= len(data):
            key, kind, size, repeat = struct.unpack(">4scBH", data[at : at + 8])
            body = data[at + 8 : at + 8 + size * repeat]
            if kind == b"\0":
                walk(body)
            elif key in streams:
                streams[key].append(np.frombuffer(body, ">i2").reshape(-1, 4) / 32767)
            at += 8 + (size * repeat + 3) // 4 * 4

    with av.open(str(path)) as container:
        for packet in container.demux([stream for stream in container.streams if stream.type == "data"]):
            if packet.size and bytes(packet)[:4] == b"DEVC":
                walk(bytes(packet))
    camera, image = (np.concatenate(streams[key]) for key in (b"CORI", b"IORI"))
    (w1, x1, y1, z1), (w2, x2, y2, z2) = camera.T, image.T
    return np.stack(
        [w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2, w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
         w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2, w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2], axis=1,
    )  # fmt: skip


@pytest.mark.data
@pytest.mark.skipif(not (DATA / "gopro").is_dir(), reason="the real recordings (../shared/data) are not here")
def test_a_real_walk_turns_as_its_gyroscope_and_goes_as_its_gps():
    """A GoPro in a hand, that stabilises: what its pictures turned by is its orientation less what the stabilising took away."""
    path = DATA / "gopro" / "max-heromode.mp4"
    found = video_motion(path)
    seen = orientation_of(path)
    yaw_deg = -np.degrees(2 * np.unwrap(np.arctan2(seen[:, 2], seen[:, 0])))
    turn = np.diff(np.interp(found.time_s, np.arange(len(yaw_deg)) / 29.97, yaw_deg))
    assert np.corrcoef(turn, found.turn_deg)[0, 1] > 0.99
    assert (np.abs(found.turn_deg - turn) < 3 * found.turn_std_deg + 0.5).all()
    track = read_track(path)
    north = (track.lat_deg - track.lat_deg[0]) * 111_000
    east = (track.lon_deg - track.lon_deg[0]) * 111_000 * np.cos(np.radians(track.lat_deg[0]))
    way = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(north), np.diff(east)))])
    speed = np.diff(np.interp(found.time_s, track.time_s, way)) / np.diff(found.time_s)
    ratio = speed / found.speed
    assert (found.speed > 0).all()
    assert np.median(np.abs(ratio / np.median(ratio) - 1)) < 0.12
