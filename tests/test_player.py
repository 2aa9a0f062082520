"""A video that is kept open: whatever is asked for, in whichever order, it is the picture that plain decoding shows then."""

from __future__ import annotations

import bisect
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.video_maker import decode_all, write_video
from vidtag_engine.command_arguments import PlayerOpenArguments, PlayerPlayArguments, PlayerSeekArguments
from vidtag_engine.commands.player import PlayerSession
from vidtag_engine.feedback import Feedback
from vidtag_engine.frame_ring import FrameRing
from vidtag_engine.types import CancelledError, InputError
from vidtag_engine.video import open_source
from vidtag_engine.video.container import open_container, upright, video_stream
from vidtag_engine.video.decoder_memory import decoder_bytes
from vidtag_engine.video.player import Player

ROOT = Path(__file__).resolve().parent.parent
UNEVEN = [0, 1, 2, 7, 9, 10, 40, 41, 60, 75, 76, 77, 90, 120, 121, 150, 151, 152, 160, 170, 200, 201]
CASES = {
    "b frames.mp4": {"pts": 90, "options": {"bf": "3", "g": "40", "b-pyramid": "normal"}},
    "open groups.mkv": {"pts": 90, "options": {"bf": "2", "g": "12", "x264-params": "open-gop=1"}},
    "uneven.mp4": {"pts": UNEVEN, "options": {"bf": "2", "g": "12"}},
    "turned.mp4": {"pts": 40, "turn": 1, "options": {"bf": "2", "g": "30"}},
    "fields.mp4": {"pts": 40, "options": {"x264-params": "interlaced=1:bff=1", "g": "20"}},
    "packet stream.ts": {"pts": 60, "options": {"bf": "3", "g": "25"}},
    "counted.avi": {"pts": 40, "codec": "mpeg4"},
    "every one.mov": {"pts": 20, "codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "hevc.mp4": {"pts": 50, "codec": "libx265", "options": {"x265-params": "log-level=none:keyint=25:bframes=3"}},
}


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Each case's video with all its pictures, decoded plainly."""
    folder, made = tmp_path_factory.mktemp("videos"), {}

    def get(name: str):
        if name not in made:
            case = dict(CASES[name])
            path = write_video(folder / name, case.pop("pts"), **case)
            made[name] = (path, decode_all(path))
        return made[name]

    return get


def picture(player: Player, frame) -> np.ndarray:
    """Upright RGB, by the ordinary conversion."""
    if isinstance(frame, np.ndarray):
        return frame
    return upright(frame.to_ndarray(format="rgb24"), player._probe.turn, player._probe.mirror)


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(data=st.data())
def test_any_target_in_any_order_is_what_plain_decoding_shows(videos, name, data):
    path, every = videos(name)
    times = [time_s for time_s, _ in every]
    end_s = times[-1] + 0.02
    moves = st.one_of(st.floats(0.0, end_s), st.tuples(st.sampled_from(["play", "prepare", "back"]), st.floats(0.0, end_s)))
    player = Player(open_source(path))
    turns = {"turned.mp4": 1}.get(name, 0)
    assert player._probe.turn * (1 if turns else 0) in {0, 1, 2, 3}
    try:
        for move in data.draw(st.lists(moves, min_size=3, max_size=12)):
            kind, moment = ("at", move) if isinstance(move, float) else move
            first = max(0, bisect.bisect_right(times, moment + 0.001) - 1)
            if kind == "prepare":
                player.prepare(moment)
                continue
            if kind == "play":
                given_out = []
                for time_s, frame in player.following(moment, 0.0):
                    given_out.append((time_s, picture(player, frame)))
                    if len(given_out) == 7:
                        break
                wanted = every[first : first + 7]
                assert len(given_out) == len(wanted)
            elif kind == "back":
                wanted = every[max(0, first - 3) : first + 1][::-1]
                answers = [player.at(time_s) for time_s, _ in wanted]
                given_out = [(time_s, picture(player, frame)) for time_s, frame in answers]
            else:
                time_s, frame = player.at(moment)
                given_out, wanted = [(time_s, picture(player, frame))], [every[first]]
            for (time_s, shown), (true_s, true) in zip(given_out, wanted, strict=True):
                assert time_s == pytest.approx(true_s, abs=1e-6)
                np.testing.assert_array_equal(shown, upright(true, player._probe.turn, player._probe.mirror))
    finally:
        player.close()


def test_a_decoder_goes_on_from_where_it_stands(tmp_path):
    """In one long group: the same way is not gone twice, nor what nobody leans on; and prepared decoders shorten it."""
    path = write_video(
        tmp_path / "long.mp4", 250, options={"bf": "3", "g": "250", "sc_threshold": "0", "b-pyramid": "none", "b_strategy": "0"}
    )
    player = Player(open_source(path))
    player.at(200 / 30)
    there = player.decoded
    assert there < 80  # of 201: three of four pictures are passed over
    player.at(220 / 30)
    assert player.decoded - there < 30
    player.close()
    player = Player(open_source(path))
    while player.prepare(0.0):
        pass
    before = player.decoded
    player.at(245 / 30)
    assert player.decoded - before < 40
    player.close()


def test_what_stops_it_leaves_it_of_use(tmp_path):
    path = write_video(tmp_path / "long.mp4", 200, options={"bf": "2", "g": "200"})
    every = decode_all(path)
    player = Player(open_source(path))
    for asked in (3, 11, 40):
        left = iter(range(asked))
        with pytest.raises(CancelledError):
            player.at(every[180][0], Feedback(cancelled=lambda left=left: next(left, None) is None))
    time_s, frame = player.at(every[150][0])
    assert time_s == pytest.approx(every[150][0])
    np.testing.assert_array_equal(frame.to_ndarray(format="rgb24"), every[150][1])
    path.unlink()
    with pytest.raises(InputError, match="is not there any more"):
        player.at(1.0)
    player.close()


def test_damage_is_said_and_not_shown(tmp_path):
    path = write_video(tmp_path / "a.mp4", 90, options={"g": "30", "bf": "0"})
    data = bytearray(path.read_bytes())
    middle = data.index(b"mdat") + 4 + (len(data) - data.index(b"mdat")) // 2
    data[middle : middle + 400] = os.urandom(400)
    path.write_bytes(data)
    from vidtag_engine.video import FrameReader

    info = open_source(path)
    with FrameReader(info, None) as reader:
        oracle = [(frame.time_s, frame.image) for frame in reader]
    player = Player(info)
    for time_s, image in [*oracle[::7], *oracle[::-11]]:
        shown_s, frame = player.at(time_s)
        assert (frame is None) == (image is None)
        if image is not None:
            assert shown_s == pytest.approx(time_s, abs=1e-6)
            np.testing.assert_array_equal(picture(player, frame), image)
    assert any(image is None for _, image in oracle)
    player.close()


@pytest.fixture
def session(tmp_path):
    """An open viewer with its ring, and what plain decoding shows."""
    path = write_video(tmp_path / "a.mp4", 75, size=(256, 128), options={"bf": "2", "g": "75"})
    ring = FrameRing.create(str(tmp_path / "ring"), 4, 256 * 256 * 4)
    session = PlayerSession(PlayerOpenArguments(ring=ring.path, videos=[str(path)]), Feedback())
    yield session, ring, decode_all(path)
    session.close()
    ring.close()


def test_pictures_are_handed_over_in_the_ring(session):
    session, ring, every = session
    assert session.opened()["duration_s"] == pytest.approx(2.5, abs=0.05)
    ring.wish = 7
    for number in (60, 3, 74):
        answer = session.seek(PlayerSeekArguments(time_s=every[number][0], wish=7, longest_px=256), Feedback())
        assert answer["time_s"] == pytest.approx(every[number][0])
        raw = ring.get(answer["number"], answer["width_px"] * answer["height_px"] * 4)
        shown = np.frombuffer(raw, np.uint8).reshape(answer["height_px"], answer["width_px"], 4)[..., 2::-1]
        assert np.abs(shown.astype(int) - every[number][1]).mean() < 2.0
    assert session.seek(PlayerSeekArguments(time_s=0.0, wish=6), Feedback()) == {"number": None, "stale": True}
    small = session.seek(PlayerSeekArguments(time_s=0.0, wish=7, longest_px=64), Feedback())
    assert (small["width_px"], small["height_px"]) == (64, 32)


@pytest.mark.parametrize(("rate", "from_s"), [(1.0, 0.5), (-1.0, 2.2), (4.0, 0.0)])
def test_playing_gives_pictures_in_order_and_waits_for_room(session, rate, from_s):
    session, ring, every = session
    times = [time_s for time_s, _ in every]
    told = []

    def tell(value):
        told.append(value["time_s"])
        assert ring.written - ring.released <= ring.slots
        ring.released = ring.released + 1
        ring.clock_s = value["time_s"]

    ring.clock_s = from_s
    assert session.play(PlayerPlayArguments(from_s=from_s, wish=0, rate=rate), tell, Feedback()) == {"ended": True}
    expected = (
        [time_s for time_s in times if time_s >= from_s - 0.034] if rate > 0 else [time_s for time_s in times if time_s <= from_s][::-1]
    )
    if abs(rate) == 1:
        assert told[-len(expected) + 1 :] == pytest.approx(expected[-len(expected) + 1 :], abs=1e-6)
        assert len(told) in {len(expected), len(expected) - 1}
    else:
        steps = np.diff(told)
        assert steps.min() >= 4 / 31.0 - 0.002
        assert told[-1] > 2.3
    ring.wish = 3
    assert session.play(PlayerPlayArguments(from_s=0.0, wish=2), tell, Feedback()) == {"ended": False}


def test_a_worker_plays_and_ends_without_a_trace(tmp_path):
    """Through the real process: no picture in the lines, no torch, and a killed engine leaves the ring's file to its owner alone."""
    video = write_video(tmp_path / "a.mp4", 60, size=(256, 128))
    folder = tmp_path / "ring"
    folder.mkdir()
    ring = FrameRing.create(str(folder / "pictures"), 3, 256 * 256 * 4)
    code = "import sys\nfrom vidtag_engine import worker\nworker.main()\nprint('modules', sorted(sys.modules), file=sys.stderr)"
    child = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    lines = []

    def ask(number: int, command: str, **arguments) -> dict:
        child.stdin.write(json.dumps({"type": "request", "id": number, "command": command, "arguments": arguments}) + "\n")
        child.stdin.flush()
        while True:
            lines.append(child.stdout.readline())
            answer = json.loads(lines[-1])
            if answer["type"] == "partial":
                ring.released = ring.released + 1
            elif answer["type"] in {"result", "error"}:
                return answer

    assert json.loads(child.stdout.readline())["type"] == "hello"
    assert "No video is open" in ask(1, "player-seek", time_s=1.0, wish=0)["message"]
    assert "gone.mp4 is not there" in ask(2, "player-open", ring=ring.path, videos=[str(tmp_path / "gone.mp4")])["message"]
    assert ask(3, "player-open", ring=ring.path, videos=[str(video)])["value"]["width_px"] == 256
    assert ask(4, "player-seek", time_s=1.0, wish=0)["value"]["time_s"] == pytest.approx(1.0)
    ring.released = 1
    assert ask(5, "player-play", from_s=0.0, wish=0)["value"] == {"ended": True}
    assert ask(6, "player-prepare", near_s=0.0, wish=0)["value"] == {"more": False}
    assert max(map(len, lines)) < 600
    video.unlink()
    assert "is not there any more" in ask(7, "player-seek", time_s=0.2, wish=0)["message"]
    _, errors = child.communicate(timeout=30)
    assert "'torch'" not in errors.partition("modules")[2]
    ring.close()
    assert [path.name for path in folder.iterdir()] == ["pictures"]


def test_a_ring_is_whole_or_refused(tmp_path):
    ring = FrameRing.create(str(tmp_path / "r"), 2, 100)
    other = FrameRing(str(tmp_path / "r"))
    ring.wish, ring.clock_s = 2**40, 1.25
    assert (other.wish, other.clock_s, other.slots, other.slot_bytes) == (2**40, 1.25, 2, 100)
    assert [other.put(bytes([value]) * 100) for value in (1, 2)] == [0, 1]
    assert other.full
    assert ring.get(1, 100) == b"\x02" * 100
    ring.released = 1
    assert not other.full
    with pytest.raises(ValueError, match="larger than a slot"):
        other.put(bytes(101))
    with pytest.raises(FileExistsError):
        FrameRing.create(str(tmp_path / "r"), 2, 100)
    (tmp_path / "other").write_bytes(bytes(5000))
    with pytest.raises(ValueError, match="not a ring"):
        FrameRing(str(tmp_path / "other"))


_GROWTH = """
import sys
from pathlib import Path
import psutil
from vidtag_engine.video import open_source, player
player._PREPARED_APART = 2
one = player.Player(open_source(Path(sys.argv[1])))
one.at(0.0)
one._recent.clear()
before = psutil.Process().memory_info().rss
while len(one._stands) < one._most_stands and one.prepare(0.0):
    pass
print(len(one._stands), one._most_stands, psutil.Process().memory_info().rss - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "case", "most"),
    [
        ("leaning on sixteen.mp4", {"options": {"bf": "3", "g": "250", "refs": "16", "preset": "medium", "threads": "2"}}, 8),
        ("usual.mp4", {"options": {"bf": "2", "g": "250", "refs": "3", "preset": "veryfast"}}, 16),
        ("four times the bytes.mp4", {"pix_fmt": "yuv444p10le", "options": {"bf": "3", "g": "250", "refs": "16", "preset": "veryfast"}}, 2),
        ("hevc.mp4", {"codec": "libx265", "options": {"x265-params": "log-level=none:keyint=250:bframes=4:ref=6", "preset": "ultrafast"}}, 12),
    ],
)  # fmt: skip
def test_decoders_hold_no_more_memory_than_is_reckoned(tmp_path, name, case, most):
    """By the process's own memory, as the system counts it."""
    path = write_video(tmp_path / name, 60, size=(1920, 1080), **case)
    done = subprocess.run(
        [sys.executable, "-c", _GROWTH, str(path)], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    made, allowed, grown = map(int, done.stdout.split())
    assert allowed == most
    with open_container(path) as container:
        each = decoder_bytes(video_stream(container, path).codec_context)
    assert allowed * each <= 576 << 20
    assert made > 1
    # What the first picture's decoder got before is let go of the reckoning; allocators keep some themselves.
    assert grown <= 1.1 * made * each, (grown, made, each)


def test_one_decoder_there_is_of_the_largest_picture(tmp_path):
    path = write_video(tmp_path / "large.mp4", 3, size=(8192, 4320), options={"preset": "ultrafast"})
    player = Player(open_source(path))
    assert player._most_stands == 1
    time_s, _ = player.at(0.05)
    assert time_s == pytest.approx(1 / 30, abs=1e-3)
    player.close()


@pytest.mark.parametrize("how", ["replaced", "truncated", "written to"])
def test_a_video_that_changes_is_not_shown_by_what_was_known_of_it(tmp_path, how):
    path = write_video(tmp_path / "a.mp4", 90, options={"bf": "2", "g": "90"})
    other = write_video(tmp_path / "b.mp4", 60, options={"bf": "0", "g": "5"})
    player = Player(open_source(path))
    player.at(1.0)
    playing = player.following(0.0, 0.0)
    next(playing)
    if how == "replaced":
        other.replace(path)
    elif how == "truncated":
        os.truncate(path, path.stat().st_size // 2)
    else:
        with path.open("r+b") as handle:
            handle.seek(-10, os.SEEK_END)
            handle.write(b"0" * 20)
    for ask in (lambda: player.at(0.5), lambda: player.prepare(0.0), lambda: list(playing)):
        with pytest.raises(InputError, match="a.mp4 has changed since it was opened: choose the frame again"):
            ask()
    player.close()
