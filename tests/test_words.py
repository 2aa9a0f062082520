"""What a first user is told: what can run, what was withheld, where a video is looked for, and which area is meant."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from tests.test_evaluation_evaluate import drive, written
from vidtag_engine.batch import warnings_of
from vidtag_engine.commands import doctor
from vidtag_engine.evaluation import evaluate_geopackage
from vidtag_engine.models import backbones, build_frame_encoder
from vidtag_engine.training import TrainingSource, area_of
from vidtag_engine.training.curve import draw_curve
from vidtag_engine.types import FrameState, InputError, Verdict
from vidtag_engine.video import find_original, read_track, source_digest

from .video_maker import write_video

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


def _gpx(path: Path, places: list[tuple[float, float]], start: str = "2024-05-01T10:00:") -> Path:
    points = "".join(
        f'<trkpt lat="{lat}" lon="{lon}"><time>{start}{second:02d}Z</time></trkpt>' for second, (lat, lon) in enumerate(places)
    )
    path.write_text(f'<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>{points}</trkseg></trk></gpx>')
    return path


def test_without_a_network_missing_weights_are_told_at_once(tmp_path, monkeypatch):
    """A hub that refuses and one that never answers; the loaders would ask both again and again."""
    from huggingface_hub import constants

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(backbones, "_ANSWERS_WITHIN_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for endpoint in ("http://127.0.0.1:1", f"http://127.0.0.1:{silent.getsockname()[1]}"):
            monkeypatch.setattr(constants, "ENDPOINT", endpoint)
            since = time.perf_counter()
            with pytest.raises(InputError, match=r"CLIP ViT-L/14 .* neither in the cache nor reachable.*go online once, or put"):
                build_frame_encoder("geoclip")
            assert time.perf_counter() - since < 10.0
    assert backbones.to_fetch(["clip-vit-l14", "efficientnet-lite2"]) == ["CLIP ViT-L/14 (openai)"]
    (backbones.weights_folder()).mkdir(parents=True)
    (backbones.weights_folder() / "vit_large_patch14_clip_224.openai.safetensors").write_bytes(b"no weights")
    assert backbones.to_fetch(["clip-vit-l14"]) == []


@pytest.mark.parametrize(
    ("lost", "ok", "said"),
    [
        ((), True, ("Ready: every checkpoint can run",)),
        (
            ("geoclip", "vidtag-l14"),
            True,
            ("Ready for checkpoints of your own", "geoclip cannot run", "do this for geoclip", "presets cannot run: vidtag-l14."),
        ),
        (("geoclip-heads",), True, ("geoclip cannot run", "do this for geoclip-heads")),
        (("vidtag-l14",), True, ("geoclip can run", "presets cannot run: vidtag-l14.")),
        (("vidtag-dino-s", "vidtag-dino-b"), True, ("geoclip can run", "presets cannot run: vidtag-dino-s, vidtag-dino-b.")),
        (("vidtag-compact",), False, ("Not ready: do this for vidtag-compact",)),
    ],
)
def test_the_doctor_says_what_can_run(monkeypatch, lost, ok, said):
    names = ("vidtag-compact", "geoclip-heads", "geoclip", "vidtag-l14", "vidtag-dino-s", "vidtag-dino-b")
    rows = [{"name": name, "use": "", "found": name not in lost, "said": f"do this for {name}."} for name in names]
    monkeypatch.setattr(doctor, "_weights", lambda: rows)
    report = doctor.run_doctor()
    assert report["ok"] is ok
    for words in said:
        assert words in report["readiness"]
    assert ("geoclip" in report["can"]) is not ({"geoclip", "geoclip-heads"} & set(lost) != set())


def test_a_withheld_answer_is_no_matter_of_clocks(tmp_path):
    result, truth = drive()
    nothing = np.full(len(result.trajectory.time_s), np.nan)
    verdict = Verdict(FrameState.OUTSIDE_AOI, 0.1, 0.5, (0.0,) * 4, 1.0, None, None, why="It is not here.")
    withheld = replace(result.trajectory, lat_deg=nothing, lon_deg=nothing, state=(FrameState.OUTSIDE_AOI,) * len(nothing), verdict=verdict)
    with pytest.raises(InputError, match=r"was withheld \(judged outside aoi\).*--always-answer") as caught:
        evaluate_geopackage(written(tmp_path, replace(result, trajectory=withheld)), truth)
    assert "start time" not in str(caught.value)
    elsewhen = replace(truth, time_s=truth.time_s + 86_400)
    with pytest.raises(InputError, match="true start time") as caught:
        evaluate_geopackage(written(tmp_path, result), elsewhen)
    assert "withheld" not in str(caught.value)


def test_positions_without_a_lock_are_nothing_to_compare_with(monkeypatch):
    result, truth = drive()
    video = Path(__file__)  # any file that is there: the reader is not what is tried here
    told = {}
    for name, track in (("none", None), ("fixes", truth)):
        monkeypatch.setattr("vidtag_engine.batch.embedded_track", lambda _, track=track: track)
        carried = replace(result, info=replace(result.info, embedded_gps="GPS5", path=video))
        told[name] = " ".join(warnings_of([carried], (0, 0, 1, 1), None, infos=[carried.info]))
    assert "without a single fix" in told["none"]
    assert "evaluate" not in told["none"]
    assert "the video itself as the truth" in told["fixes"]


def test_the_original_is_found_by_its_digest_wherever_it_lies(tmp_path):
    folders = {name: tmp_path / name for name in ("beside", "given", "deep/er", "renamed")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    original = write_video(folders["beside"] / "a.mp4", [0, 5, 20])
    sha256 = source_digest(original)
    other = write_video(folders["given"] / "a.mp4", [7, 9, 11])
    assert find_original("a.mp4", sha256, [], [folders["beside"]]) == original
    assert find_original("a.mp4", sha256, [folders["given"]], [folders["beside"]]) == original
    deep, renamed = (folders[name] / file for name, file in (("deep/er", "a.mp4"), ("renamed", "b.MP4")))
    deep.write_bytes(original.read_bytes())
    renamed.write_bytes(original.read_bytes())
    assert find_original("a.mp4", sha256, [tmp_path / "deep"]) == deep
    assert find_original("a.mp4", sha256, [folders["renamed"]]) == renamed
    assert find_original("a.mp4", sha256, [renamed]) == renamed
    with pytest.raises(InputError, match="SHA-256 differs"):
        find_original("a.mp4", sha256, [other])
    with pytest.raises(InputError, match=r"a\.mp4 was not found: give it"):
        find_original("a.mp4", sha256, [], [tmp_path])


@pytest.mark.parametrize("lon", [13.2, 179.9995, -179.9999])
def test_the_tracks_say_the_area(tmp_path, lon):
    """Against pyproj: each side lies between a tenth of the longer side and a little more from the track."""
    from pyproj import Geod

    video = write_video(tmp_path / "a.mp4", [30 * n for n in range(12)])
    places = [(55.7 + 0.001 * n, ((lon + 0.0001 * n) + 180) % 360 - 180) for n in range(30)]
    area = area_of([TrainingSource(video, _gpx(tmp_path / "a.gpx", places))])
    assert "No area was given" in area.notes[-1]
    from shapely.geometry import Point

    assert area.geometry.contains(Point(places[0][1], places[0][0]))
    outline = area.geometry.bounds
    far_m = Geod(ellps="WGS84").inv(lon, outline[1], lon, places[0][0])[2]
    assert 99.0 < far_m < 130.0
    assert area.area_m2 < 20e6


def test_a_track_of_another_time_makes_no_area(tmp_path):
    source = TrainingSource(
        DATA / "seneca" / "flight1.mp4", _gpx(tmp_path / "a.gpx", [(41.0, -83.3), (41.001, -83.3)], "1999-05-01T10:00:")
    )
    if not source.path.exists():
        pytest.skip("Seneca lies beside the checkout, and not here.")
    with pytest.raises(InputError, match="No frame has a true position"):
        area_of([source])


def test_the_curve_has_no_empty_panel(tmp_path):
    rows = [
        {"stage": "phase1", "step": 10, "loss": 5.0, "median_m": 80.0, "score": 1.0},
        {"stage": "phase2", "step": 0, "loss": None, "median_m": 75.0, "score": 1.0},
        {"stage": "phase2-refit", "step": 0, "loss": None},
    ]
    draw_curve(rows, tmp_path / "c.png")
    picture = matplotlib.image.imread(tmp_path / "c.png")[..., :3]
    assert picture.shape[1] == 1100  # two panels of 5 inches at 110 dots
    for left in (0, picture.shape[1] // 2):
        inside = picture[60:-90, left + 100 : left + 430]
        assert (inside < 0.9).any()  # something is drawn in it
    draw_curve(rows[2:], tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


def test_a_track_that_ogr2ogr_doubled_is_read_once(tmp_path):
    """GDAL writes a GPX track without times and once more with them: findings/gpx-through-ogr2ogr.sh."""
    if shutil.which("ogr2ogr") is None:
        pytest.skip("ogr2ogr is not installed")
    log = _gpx(tmp_path / "log.gpx", [(48.0 + 0.001 * n, 16.3) for n in range(10)])
    subprocess.run(["ogr2ogr", "-f", "GPX", str(tmp_path / "copy.gpx"), str(log)], check=True, capture_output=True)
    assert (tmp_path / "copy.gpx").read_text().count("<trkpt") == 20
    first, second = read_track(log), read_track(tmp_path / "copy.gpx")
    assert second.time_s == pytest.approx(first.time_s)
    assert second.lat_deg == pytest.approx(first.lat_deg)
    assert "10 of 20 points of copy.gpx have no time" in second.note
