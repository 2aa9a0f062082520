"""FrameReader gives exactly the pictures that decoding everything gives, decodes fewer, and says what is damaged."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from tests.video_maker import brute_force, decode_all, number_of, numbered, write_video
from vidtag_engine.feedback import Feedback
from vidtag_engine.types import CancelledError, FrameState, InputError
from vidtag_engine.video import FrameReader, open_source

if TYPE_CHECKING:
    from pathlib import Path

X264 = "x264-params"
VFR = sorted(random.Random(1).sample(range(1, 12000), 150))
CASES = {
    "b_frames.mp4": {"pts": 300, "options": {"g": "250", "keyint_min": "250", "sc_threshold": "0", "bf": "3"}},
    "sixteen_b.mp4": {"pts": 150, "options": {X264: "keyint=250:bframes=16:b-adapt=0:scenecut=0"}},
    "open_gop.mp4": {"pts": 300, "options": {X264: "keyint=40:open-gop=1:bframes=4:b-pyramid=normal:scenecut=0"}},
    "open_gop.ts": {"pts": 300, "options": {X264: "keyint=40:open-gop=1:bframes=4:scenecut=0"}},
    "intra_refresh.ts": {"pts": 150, "options": {X264: "keyint=50:intra-refresh=1:bframes=0"}},
    "pyramid.mkv": {"pts": 300, "options": {X264: "keyint=100:bframes=5:b-pyramid=strict:ref=4"}},
    "hevc.mp4": {"pts": 150, "codec": "libx265", "options": {"x265-params": "keyint=60:open-gop=1:bframes=4:log-level=none"}},
    "hevc_layers.ts": {"pts": 150, "codec": "libx265", "options": {"x265-params": "keyint=60:temporal-layers=1:log-level=none"}},
    "mpeg2.ts": {"pts": 200, "codec": "mpeg2video", "options": {"g": "15", "bf": "2", "b": "2000000"}},
    "mpeg4.mp4": {"pts": 150, "codec": "mpeg4", "options": {"g": "30", "bf": "2", "b": "2000000"}},
    "vp9.webm": {"pts": 90, "codec": "libvpx-vp9", "options": {"g": "60", "cpu-used": "8", "deadline": "realtime"}},
    "hidden_pictures.webm": {"pts": 90, "codec": "libvpx", "options": {"g": "60", "auto-alt-ref": "1", "lag-in-frames": "20"}},
    "mjpeg.mov": {"pts": 60, "codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "fragmented.mp4": {"pts": 200, "options": {"g": "50"}, "container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "uneven.mp4": {"pts": VFR, "time_base": Fraction(1, 600), "options": {"g": "50", "bf": "3"}},
    "late_start.mp4": {"pts": [k * 20 + 7777 for k in range(150)], "time_base": Fraction(1, 600), "options": {"g": "50", "bf": "3"}},
    "late_start.mkv": {"pts": [k * 33 + 7777 for k in range(150)], "time_base": Fraction(1, 1000), "options": {"g": "50", "bf": "3"}},
}


def read(path: Path, rate_hz: float | None, from_s: float = 0.0, to_s: float | None = None):
    with FrameReader(open_source(path), rate_hz, from_s, to_s) as reader:
        return list(reader), reader


@pytest.mark.parametrize("name", CASES)
def test_the_pictures_are_those_of_decoding_everything(name, tmp_path):
    path = write_video(tmp_path / name, **CASES[name])
    oracle = decode_all(path)
    end_s = oracle[-1][0] + 0.02  # within the last picture
    for rate_hz, from_s, to_s in [(1.0, 0.0, end_s), (7.3, 0.0, end_s), (2.0, 0.7, 1.9), (0.3, 0.0, end_s), (None, 0.0, None)]:
        frames, reader = read(path, rate_hz, from_s, to_s)
        wanted = range(len(oracle)) if rate_hz is None else brute_force(oracle, rate_hz, from_s, min(to_s or end_s, end_s))
        assert [number_of(f.image) for f in frames] == [number_of(oracle[i][1]) for i in wanted], (name, rate_hz)
        assert np.allclose([f.time_s for f in frames], [oracle[i][0] for i in wanted], atol=1e-6)
        assert all(np.array_equal(f.image, oracle[i][1]) for f, i in zip(frames, wanted, strict=True)), (name, rate_hz)
        assert [f.index for f in frames] == list(range(len(frames)))
        assert reader.expected_frames in {len(frames), None}
        assert reader.report.sampled == len(frames)
        assert reader.report.damaged == 0


def test_pictures_that_nothing_leans_on_are_not_decoded(tmp_path):
    path = write_video(tmp_path / "a.mp4", 600, options={"g": "250", "keyint_min": "250", "sc_threshold": "0", "bf": "3"})
    _, reader = read(path, 1.0)
    assert reader.report.decoded < 0.65 * 600
    short = write_video(tmp_path / "b.mp4", 600, options={"g": "30", "keyint_min": "30", "sc_threshold": "0"})
    _, reader = read(short, 1.0)
    assert reader.report.decoded == 20  # every wanted picture starts a group


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_far_apart_moments_are_sought_and_a_late_window_is_not_read_from_the_start(suffix, tmp_path):
    path = write_video(tmp_path / f"long.{suffix}", 2400, size=(96, 48), options={"g": "60", "bf": "2", "preset": "ultrafast"})
    oracle = decode_all(path)
    frames, reader = read(path, 0.04)
    assert [number_of(f.image) for f in frames] == [0, 750, 1500, 2250]
    assert reader.report.decoded <= 4 * 60
    frames, reader = read(path, 2.0, 70.1, 73.0)
    wanted = brute_force(oracle, 2.0, 70.1, 73.0)
    assert [number_of(f.image) for f in frames] == wanted
    assert np.allclose([f.time_s for f in frames], [oracle[i][0] for i in wanted], atol=1e-6)


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_rotation_is_applied(turn, tmp_path):
    plain = write_video(tmp_path / "stored.mp4", 30, size=(128, 64), turn=turn)
    turned = turn_by_metadata(plain, tmp_path / "turned.mp4", turn)
    info = open_source(turned)
    assert (info.width_px, info.height_px) == (128, 64)
    # Stored turned anticlockwise by ``turn`` quarters, so it is turned clockwise by as many to be upright.
    assert info.rotation_deg == 90 * turn
    frames, _ = read(turned, 10.0)
    assert [number_of(f.image) for f in frames] == list(range(0, 30, 3))
    assert all(f.image.shape == (64, 128, 3) and f.image.flags.c_contiguous for f in frames)


def turn_by_metadata(source: Path, target: Path, turn: int) -> Path:
    """Write the track's display matrix in place: (a b; c d) of a clockwise turn, in 16.16."""
    data = bytearray(source.read_bytes())
    at = data.index(b"tkhd") + 4 + 4 + 20 + 16  # version and flags, times and ids, then reserved, layer, group, volume
    identity = b"".join(v.to_bytes(4, "big", signed=True) for v in (65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30))
    assert data[at : at + 36] == identity
    a, b, c, d = [(1, 0, 0, 1), (0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0)][turn]
    matrix = [a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30]
    data[at : at + 36] = b"".join(v.to_bytes(4, "big", signed=True) for v in matrix)
    target.write_bytes(data)
    return target


def test_an_edit_list_hides_the_pictures_before_its_start(tmp_path):
    source = write_video(tmp_path / "whole.mp4", 200, options={"g": "50", "bf": "2"})
    cut = tmp_path / "cut.mp4"
    with av.open(str(source)) as before, av.open(str(cut), "w") as after:
        stream = after.add_stream_from_template(before.streams.video[0])
        # Packets from the key picture 50 on, moved so that picture 70 is at 0: the muxer writes an edit list that starts there.
        shift = round(70 / 30 / before.streams.video[0].time_base)
        for packet in before.demux(before.streams.video[0]):
            if packet.size and packet.pts >= round(50 / 30 / packet.time_base):
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, stream
                after.mux(packet)
    oracle = decode_all(cut)
    assert number_of(oracle[0][1]) == 70
    frames, _ = read(cut, 3.0)
    assert [number_of(f.image) for f in frames] == list(range(70, 200, 10))
    assert frames[0].time_s == 0.0


def test_avi_pictures_get_the_times_of_their_places(tmp_path):
    # AVI stores no timestamps: FFmpeg numbers packets in the order of decoding, which is not the order of showing.
    path = write_video(tmp_path / "a.avi", 120, options={"g": "60", "bf": "2"})
    frames, _ = read(path, None)
    assert [number_of(f.image) for f in frames] == list(range(120))
    assert np.allclose([f.time_s for f in frames], np.arange(120) / 30)


def test_a_bare_stream_without_timestamps_is_read(tmp_path):
    path = write_video(tmp_path / "a.h264", 90, options={"g": "30", "bf": "2"})
    frames, _ = read(path, None)
    assert [number_of(f.image) for f in frames] == list(range(90))
    assert (np.diff([f.time_s for f in frames]) > 0).all()


def damage(path: Path, share: float, length: int, seed: int = 0) -> Path:
    data = bytearray(path.read_bytes())
    at = int(len(data) * share)
    data[at : at + length] = random.Random(seed).randbytes(length) if seed % 2 else bytes(length)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", ["b_frames.mp4", "open_gop.mp4", "open_gop.ts", "mpeg2.ts"])
@pytest.mark.parametrize("seed", [0, 1])
def test_damaged_bytes_cost_their_group_and_nothing_is_shown_wrong(name, seed, tmp_path):
    options = {X264: "keyint=40:open-gop=0:bframes=3:scenecut=0"} if name == "b_frames.mp4" else CASES[name]["options"]
    path = write_video(tmp_path / name, **{**CASES[name], "options": options})
    oracle = {round(time_s, 4): picture for time_s, picture in decode_all(path)}
    damage(path, 0.5, 3000, seed)
    frames, reader = read(path, None)
    good = [f for f in frames if f.state is FrameState.LOCATED]
    bad = [f for f in frames if f.state is FrameState.DAMAGED]
    assert bad
    assert all(f.image is None for f in bad)
    assert len(good) > 0.6 * len(oracle)
    assert all(np.array_equal(f.image, oracle[round(f.time_s, 4)]) for f in good)
    assert [f.time_s for f in frames] == sorted(f.time_s for f in frames)
    report = reader.report
    assert report.damaged >= 1
    assert report.sampled == len(good)
    assert all(any(a - 1e-6 <= f.time_s <= b for a, b in report.damaged_stretches_s) for f in bad)
    sampled, _ = read(path, 5.0)  # the same moments are damaged when fewer pictures are wanted
    shown = {round(f.time_s, 4) for f in good}
    assert all(round(f.time_s, 4) in shown for f in sampled if f.state is FrameState.LOCATED)
    assert any(f.state is FrameState.DAMAGED for f in sampled)


def test_a_file_that_breaks_off_gives_damaged_frames_to_its_announced_end(tmp_path):
    path = write_video(tmp_path / "a.mp4", 300, options={"g": "30", "crf": "10"}, container_options={"movflags": "faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    frames, reader = read(path, 1.0)
    states = [f.state for f in frames]
    assert len(frames) == 10 == reader.expected_frames
    assert states[0] is FrameState.LOCATED
    assert states[-1] is FrameState.DAMAGED
    assert states == sorted(states, key=lambda s: s is FrameState.DAMAGED)
    assert reader.report.damaged_stretches_s[-1][1] == pytest.approx(10.0)


def test_lost_broadcast_packets_are_damaged_moments(tmp_path):
    path = write_video(tmp_path / "a.ts", 300, options={"g": "30", "bf": "0"})
    data = path.read_bytes()
    packets = len(data) // 188
    path.write_bytes(data[: packets * 2 // 5 * 188] + data[packets * 3 // 5 * 188 :])
    frames, reader = read(path, 2.0)
    times = [f.time_s for f in frames if f.state is FrameState.DAMAGED]
    assert times
    assert min(times) > 2.5
    assert max(times) < 7.5
    assert len(frames) == 20
    assert reader.report.damaged_stretches_s


def test_cancelling_stops_at_once(tmp_path):
    path = write_video(tmp_path / "a.mp4", 100)
    seen: list[int] = []
    with FrameReader(open_source(path), None, feedback=Feedback(cancelled=lambda: len(seen) >= 5)) as reader, pytest.raises(CancelledError):
        seen.extend(frame.index for frame in reader)
    assert len(seen) < 40
    with pytest.raises(CancelledError):
        FrameReader(open_source(path), 1.0, feedback=Feedback(cancelled=lambda: True)).__enter__()


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(rate, tmp_path):
    info = open_source(write_video(tmp_path / "a.mp4", 5))
    with pytest.raises(InputError, match=r"rate .* a\.mp4 .*frames per second"):
        FrameReader(info, rate)


@pytest.mark.parametrize(
    ("from_s", "to_s", "words"),
    [
        (5, 2, "does not lie after"),
        (2, 2, "does not lie after"),
        (-1, None, "start -1"),
        (0, float("nan"), "end nan"),
        (float("nan"), None, "start nan"),
    ],
)
def test_a_window_that_is_none_is_refused(from_s, to_s, words, tmp_path):
    info = open_source(write_video(tmp_path / "a.mp4", 5))
    with pytest.raises(InputError, match=words):
        FrameReader(info, 1.0, from_s, to_s)


@pytest.mark.parametrize("suffix", ["mp4", "ts", "avi"])
def test_a_start_beyond_the_end_is_refused(suffix, tmp_path):
    info = open_source(write_video(tmp_path / f"a.{suffix}", 60))
    with pytest.raises(InputError, match=r"lasts 2\.0\d\d s"):
        FrameReader(info, 1.0, 600.0).__enter__()


def test_a_window_without_a_picture_of_its_own_is_refused(tmp_path):
    path = write_video(tmp_path / "a.mp4", [0, 30, 60])
    with pytest.raises(InputError, match=r"a\.mp4 shows no new picture from 0\.2 s to 0\.4 s"):
        read(path, None, 0.2, 0.4)
    assert [f.time_s for f in read(path, 1.0, 0.2, 0.4)[0]] == [0.0]


def test_a_start_beyond_the_end_of_a_stream_without_timestamps_is_refused(tmp_path):
    with pytest.raises(InputError, match="shows no new picture"):
        read(write_video(tmp_path / "a.h264", 30), 1.0, 600.0)


def test_an_end_beyond_the_video_is_the_video_s_end(tmp_path):
    frames, _ = read(write_video(tmp_path / "a.mp4", 60), 1.0, 0.0, 1e6)
    assert [f.time_s for f in frames] == [0.0, 1.0]


@pytest.mark.slow
def test_memory_does_not_grow_with_length(tmp_path):
    import psutil

    process = psutil.Process()

    def growth(count: int) -> int:
        options = {"g": "40", "preset": "ultrafast"}
        path = write_video(tmp_path / f"{count}.mp4", count, size=(800, 592), options=options, picture=numbered(7, 800, 592))
        with FrameReader(open_source(path), 10.0) as reader:
            peak = 0
            for _ in reader:
                peak = max(peak, process.memory_info().rss)
        return peak

    growth(40)
    first, second = growth(80), growth(240)
    assert second - first < 40 * 2**20  # 160 more pictures of 1.4 MB each
