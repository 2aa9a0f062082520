"""Reports, from GeoPackages that the engine itself writes."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from pyproj import Geod

from vidtag_engine.evaluation import evaluate_geopackage, evaluate_results, metrics
from vidtag_engine.types import DecodeReport, FrameState, InputError, Provenance, TimeSource, Track, Trajectory, VideoInfo, VideoResult

GEOD = Geod(ellps="WGS84")
START = datetime(2024, 5, 1, 12, 0, 0, tzinfo=UTC)
SENECA = Path(__file__).resolve().parents[2] / "shared/data/seneca"


def drive(name="drive.mp4", frames=40, start=START, source=TimeSource.CONTAINER, damaged=(), east_m=30.0, lon=179.9990):
    """A result whose every frame lies ``east_m`` east of a truth that goes north at 10 m/s across the seam, and that truth."""
    time_s = np.arange(frames, dtype=float)
    true_lat = -17.0 + time_s * 10.0 / 110_650.0
    true_lon = (lon + time_s * 5e-5 + 180) % 360 - 180
    place_lon, place_lat, _ = GEOD.fwd(true_lon, true_lat, np.full(frames, 90.0), np.full(frames, east_m))
    located = np.ones(frames, dtype=bool)
    located[list(damaged)] = False
    trajectory = Trajectory(
        frame_index=np.arange(frames),
        time_s=time_s,
        lat_deg=np.where(located, place_lat, np.nan),
        lon_deg=np.where(located, (place_lon + 180) % 360 - 180, np.nan),
        confidence=np.where(located, 0.75, np.nan),
        score=np.where(located, 0.5, np.nan),
        runner_up_m=np.full(frames, np.nan),
        phase1_lat_deg=np.where(located, true_lat, np.nan),
        phase1_lon_deg=np.where(located, true_lon, np.nan),
        state=tuple(FrameState.LOCATED if ok else FrameState.DAMAGED for ok in located),
        confidence_radius_m=100.0,
    )
    info = VideoInfo(Path(name), name, "video", 640, 480, float(frames), start, source)
    result = VideoResult(info, trajectory, DecodeReport(frames, frames, len(damaged)), "ab" * 32, {})
    return result, Track(start.timestamp() + time_s, true_lat, true_lon, absolute=True, source="GPX")


def provenance():
    return Provenance({"rate_hz": 1.0}, {"name": "test"}, {"count": 9}, {"vidtag": "0"}, 0, START)


def written(tmp_path, *results):
    from vidtag_engine.export import write_geopackage

    path = tmp_path / "out.gpkg"
    write_geopackage(path, results, provenance())
    return path


def test_a_known_error_is_measured(tmp_path):
    result, truth = drive(damaged=(3, 4))
    report = evaluate_geopackage(written(tmp_path, result), truth, radii_km=(0.02, 0.05, 25))
    found = report.overall
    assert found.compared == 38
    assert found.frames == 40
    assert found.median_m == pytest.approx(30.0, abs=1e-3)
    assert found.p90_m == pytest.approx(30.0, abs=1e-3)
    assert found.phase1_median_m == pytest.approx(0.0, abs=1e-3)
    assert found.frame_accuracy_percent == {0.02: 0.0, 0.05: 100.0, 25: 100.0}
    assert found.dfd_m == pytest.approx(30.0, abs=0.1)
    assert found.dfd_deg == pytest.approx(30.0 / (111_320 * np.cos(np.radians(17))), rel=0.01)
    assert found.mrd_m < 0.1
    assert found.confidence.radius_m == 100.0
    assert found.confidence.mean == pytest.approx(0.75)
    assert found.confidence.share_within == 1.0
    assert found.confidence.ece == pytest.approx(0.25)
    assert found.confidence.brier == pytest.approx(0.0625)
    assert report.videos[0].left_out == {"the frame is damaged": 2}
    assert "2 of 40 frames could not be compared (2: the frame is damaged)" in " ".join(report.notes())


def test_json_table_and_map(tmp_path):
    from rich.console import Console

    result, truth = drive("drive[red].mp4", frames=1)
    report = evaluate_geopackage(written(tmp_path, result), truth)
    values = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert values["overall"]["frame_accuracy_percent"]["0.5"] == 100.0
    assert values["overall"]["dfd_km"] == pytest.approx(values["overall"]["dfd_m"] / 1000)
    assert values["videos"][0]["name"] == "drive[red].mp4"
    console = Console(file=io.StringIO(), width=100)
    console.print(report.table())
    text = " ".join(console.file.getvalue().split())
    for word in ("frames within 0.5 km", "100.0 %", "30.0 m", "DFD", "MRD", "Brier", "start time of drive[red].mp4 comes from: container"):
        assert word in text
    report.write_map(tmp_path / "map.png")
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")


def test_truth_from_a_file(tmp_path):
    result, truth = drive()
    points = "".join(
        f'<trkpt lat="{lat:.9f}" lon="{lon:.9f}"><time>{datetime.fromtimestamp(t, UTC):%Y-%m-%dT%H:%M:%SZ}</time></trkpt>'
        for t, lat, lon in zip(truth.time_s, truth.lat_deg, truth.lon_deg, strict=True)
    )
    gpx = tmp_path / "truth.gpx"
    gpx.write_text(f'<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>{points}</trkseg></trk></gpx>')
    report = evaluate_geopackage(written(tmp_path, result), gpx)
    assert report.overall.median_m == pytest.approx(30.0, abs=0.01)


def test_frames_outside_the_truth_are_counted_by_reason():
    result, truth = drive(frames=200)
    cut = slice(20, 150)
    kept = np.r_[20:60, 125:150]  # 65 s of silence, 650 m
    truth = Track(truth.time_s[kept], truth.lat_deg[kept], truth.lon_deg[kept], absolute=True, source="GPX")
    report = evaluate_results([result], truth)
    left = report.videos[0].left_out
    assert left == {"before the track begins": 18, "after the track ends": 48, "in a gap of the track": 61}
    assert report.overall.compared + sum(left.values()) == 200
    assert evaluate_results([result], truth, max_gap_s=None).overall.compared == cut.stop - cut.start + 4


def test_no_overlap_is_one_sentence(tmp_path):
    result, truth = drive()
    path = written(tmp_path, result)
    late = replace(truth, time_s=truth.time_s + 7200)
    with pytest.raises(InputError) as raised:
        evaluate_geopackage(path, late)
    message = str(raised.value)
    assert "out.gpkg" in message
    assert "2024-05-01 14:00:00" in message
    assert message.count(". ") == 0
    assert message.endswith("true start time.")
    with pytest.raises(InputError, match="has no fixes"):
        evaluate_geopackage(path, Track(np.array([]), np.array([]), np.array([]), absolute=True, source="CSV"))


def test_several_videos_and_one_track():
    first, truth_first = drive("a.mp4")
    second, truth_second = drive("b.mp4", start=START + timedelta(hours=1), east_m=600.0)
    both = Track(
        *(np.concatenate([getattr(t, n) for t in (truth_first, truth_second)]) for n in ("time_s", "lat_deg", "lon_deg")), True, "GPX"
    )
    report = evaluate_results([first, second], both)
    assert [one.accuracy.median_m for one in report.videos] == pytest.approx([30.0, 600.0], abs=0.01)
    assert report.overall.frame_accuracy_percent[0.5] == 50.0
    assert report.overall.video_accuracy_percent[0.5] == 50.0
    assert report.overall.dfd_m == pytest.approx(315.0, rel=0.01)
    assert report.overall.compared == 80
    only = evaluate_results([first, second], truth_first)
    assert only.videos[1].accuracy is None
    assert only.overall.compared == 40
    assert only.overall.frames == 80
    assert evaluate_results([first, second], truth_second, video="b.mp4").overall.median_m == pytest.approx(600.0, abs=0.01)
    by_name = evaluate_results([first, second], {"b.mp4": truth_second})
    assert [one.name for one in by_name.videos] == ["b.mp4"]


def test_unclear_requests_are_refused():
    first, truth = drive("a.mp4")
    second, _ = drive("b.mp4", source=TimeSource.SYNTHETIC)
    with pytest.raises(InputError, match="name one video"):
        evaluate_results([first, second], truth)
    with pytest.raises(InputError, match=r"choose one of a\.mp4, b\.mp4"):
        evaluate_results([first, second], truth, video="c.mp4")
    with pytest.raises(InputError, match="has a truth"):
        evaluate_results([first], {"z.mp4": truth})
    with pytest.raises(InputError, match="no video"):
        evaluate_results([], truth)
    nothing, truth = drive(frames=3, damaged=(0, 1, 2))
    with pytest.raises(InputError, match="none of the frames of .* has an answer; see the states of its frames"):
        evaluate_results([nothing], truth)


def test_unknown_start_is_said():
    result, truth = drive(source=TimeSource.SYNTHETIC)
    report = evaluate_results([result], truth)
    assert report.overall.median_m == pytest.approx(30.0, abs=1e-3)
    assert "first fix was taken as its start" in report.notes()[0]


@pytest.mark.data
@pytest.mark.skipif(not SENECA.exists(), reason="needs ../shared/data/seneca")
def test_seneca_truth_on_itself_shifted():
    from vidtag_engine.video import open_source, read_track

    info, truth = open_source(SENECA / "flight2.mp4"), read_track(SENECA / "flight2.gpx")
    time_s = truth.time_s - info.start_time.timestamp()
    lon, lat, _ = GEOD.fwd(truth.lon_deg, truth.lat_deg, np.zeros(len(time_s)), np.full(len(time_s), 12.0))
    made, _ = drive(frames=len(time_s))
    moved = replace(made.trajectory, time_s=time_s, lat_deg=lat, lon_deg=lon)
    report = evaluate_results([replace(made, info=info, trajectory=moved)], truth)
    assert report.overall.compared == len(time_s) == 91
    assert report.overall.median_m == pytest.approx(12.0, abs=1e-3)
    assert report.overall.dfd_m <= 12.001
    assert report.radii_km == metrics.RADII_KM
