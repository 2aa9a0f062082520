"""The whole way, on a tiny world that the test makes: train, geolocate, resume, cancel, evaluate; and bad input on the way."""

import errno
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from tests.world_maker import aoi_text, fly, ground
from vidtag_engine.command_arguments import GeolocateArguments
from vidtag_engine.evaluation import evaluate_geopackage
from vidtag_engine.export import read_aoi, read_failed, read_geopackage
from vidtag_engine.export.scores_file import scores_path
from vidtag_engine.feedback import Feedback
from vidtag_engine.geodesy import geodesic_m
from vidtag_engine.geolocation import geolocate, load, run_geolocate
from vidtag_engine.grid import load_aoi, make_grid
from vidtag_engine.inference.encode import encode_video
from vidtag_engine.keeping import BatchSettings
from vidtag_engine.models.backbones import BACKBONES
from vidtag_engine.search.beam import BeamSearch
from vidtag_engine.settings import GeolocateSettings, validated
from vidtag_engine.training import TrainingSource, recipe, train
from vidtag_engine.training.features import FeatureStore
from vidtag_engine.trajectory import LEAST_VIDEOS, PathCalibration
from vidtag_engine.trajectory.decoder_calibration import RadiusMap
from vidtag_engine.types import CancelledError, InputError, Progress

pytestmark = pytest.mark.slow
ZIGZAG = [(90, 90), (310, 120), (90, 180), (310, 220), (90, 280), (310, 310)]


@pytest.fixture(scope="session")
def flights(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("flights")
    world = ground()
    fly(folder / "train.mp4", ZIGZAG, 60, world=world)
    fly(folder / "test.mp4", [(100, 110), (300, 200), (120, 290)], 12, world=world)
    fly(folder / "other.mp4", [(120, 120), (280, 280)], 8, world=world)
    return folder


def settings_of_training(**changes):
    return recipe(
        "default", resolution_m=20.0, sigma="site", phase1_steps=60, phase2_steps=20, negatives=256, validate_every=20,
        **{"validation_fraction": 0.2, "refit": False, **changes},
    )  # fmt: skip


@pytest.fixture(scope="session")
def checkpoint(flights, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("checkpoint") / "tiny"
    train([TrainingSource(flights / "train.mp4", flights / "train.gpx")], load_aoi(aoi_text()), output, settings_of_training())
    return output


@pytest.fixture(scope="session")
def loaded(checkpoint):
    return load(str(checkpoint), "cpu")


@pytest.fixture(scope="session")
def rated(loaded):
    """The same, as if enough videos had been held out to say what a mass means."""
    path = replace(PathCalibration.unfitted(loaded.calibration.temperature, 20.0), maps=(RadiusMap(100.0, 1.0, 0.0),), videos=LEAST_VIDEOS)
    return replace(loaded, calibration=replace(loaded.calibration, path=path, videos=LEAST_VIDEOS))


SETTINGS = GeolocateSettings(resolution_m=20.0)


def test_training_writes_a_checkpoint_a_log_and_a_curve(checkpoint) -> None:
    log = json.loads((checkpoint / "log.json").read_text())
    assert (checkpoint / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert [row["step"] for row in log["rows"] if row["stage"] == "phase1"] == [20, 40, 60]
    assert log["rows"][2]["loss"] < log["rows"][0]["loss"]
    assert log["calibration"]["temperature"] > 0
    assert sum(p.stat().st_size for p in checkpoint.glob("*.safetensors")) <= 20e6


def test_a_single_flight_is_remembered_with_its_speed(loaded) -> None:
    """Its few held-out blocks cannot fit a decoder."""
    assert loaded.calibration.path is None
    assert loaded.calibration.database_weight is not None
    assert loaded.calibration.database_weight.weight == 2.0
    assert loaded.calibration.database_weight.reach_m >= 120.0  # three times the targets' fall-off, which is twice the resolution
    assert len(loaded.model.memory) == 48  # a second each; a fifth of the flight was held out


def test_frames_are_remembered_with_what_stands_where(flights, tmp_path, monkeypatch) -> None:
    sources, area = [TrainingSource(flights / "train.mp4", flights / "train.gpx")], load_aoi(aoi_text())
    train(sources, area, tmp_path / "where", settings_of_training(layout=True), feature_folder=tmp_path / "features")
    found = load(str(tmp_path / "where"), "cpu")
    assert found.model.memory.layout_dim == found.encoder.layout_dim == 2880
    monkeypatch.setattr(found.encoder, "preprocess", lambda _: pytest.fail("encoded again"))
    stored = FeatureStore(tmp_path / "features", found.encoder, augment="none", views=0, seed=0, rate_hz=1.0).sequence(sources[0])
    monkeypatch.undo()
    assert stored.layout.shape == (len(stored), 2880)
    np.testing.assert_allclose(np.linalg.norm(stored.layout.astype(np.float32), axis=1), 1.0, atol=1e-3)
    monkeypatch.setitem(
        BACKBONES, "efficientnet-lite2-layout", replace(BACKBONES["efficientnet-lite2-layout"], layout_dim=480)
    )  # another version's
    with pytest.raises(InputError, match="layout of 2880 numbers, and this version makes 480: train it again"):
        load(str(tmp_path / "where"), "cpu")
    monkeypatch.undo()
    batch = geolocate([flights / "test.mp4"], area, found, tmp_path / "out.gpkg", SETTINGS)
    assert len(batch.results[0].trajectory.time_s) == 12
    assert np.isfinite(batch.results[0].trajectory.lat_deg).all()


def test_a_broken_off_training_goes_on_to_the_very_same_weights(flights, checkpoint, tmp_path) -> None:
    stages: list[str] = []
    sources = [TrainingSource(flights / "train.mp4", flights / "train.gpx")]
    feedback = Feedback(lambda step: stages.append(step.stage), lambda: stages.count("phase1") >= 45)
    with pytest.raises(CancelledError):
        train(sources, load_aoi(aoi_text()), tmp_path / "tiny", settings_of_training(), feedback=feedback)
    assert not (tmp_path / "tiny" / "model.safetensors").exists()
    result = train(sources, load_aoi(aoi_text()), tmp_path / "tiny", settings_of_training())
    assert result.card.sha256 == json.loads((checkpoint / "config.json").read_text())["sha256"]


def test_geolocation_is_a_frame_a_second_and_not_rated_by_a_checkpoint_of_one_video(flights, loaded, tmp_path) -> None:
    steps: list[Progress] = []
    batch = geolocate(
        [flights / "test.mp4"], load_aoi(aoi_text()), loaded, tmp_path / "out.gpkg", SETTINGS, feedback=Feedback(progress=steps.append)
    )
    trajectory = batch.results[0].trajectory
    assert len(trajectory.time_s) == 12
    assert trajectory.time_s == pytest.approx(np.arange(12))
    # A single video says nothing of how sure to be: it is placed, and not rated.
    assert np.isnan(trajectory.confidence).all()
    assert "cannot tell how sure to be" in trajectory.verdict.why
    area = load_aoi(aoi_text())
    assert (trajectory.lon_deg >= area.bounds[0]).all()
    assert (trajectory.lat_deg <= area.bounds[3]).all()
    assert [s.fraction for s in steps] == sorted(s.fraction for s in steps)
    assert steps[-1].fraction == 1.0
    report = evaluate_geopackage(tmp_path / "out.gpkg", flights / "test.gpx")
    # A world of 400 m: chance is about 150 m. That a minute of training beats it shows that the parts fit each other.
    assert report.overall.median_m < 100


def test_the_same_input_gives_the_same_answer(flights, rated, tmp_path) -> None:
    area = load_aoi(aoi_text())
    one, two = (geolocate([flights / "test.mp4"], area, rated, tmp_path / f"{n}.gpkg", SETTINGS).results[0].trajectory for n in range(2))
    assert (one.lat_deg == two.lat_deg).all()
    assert one.confidence == pytest.approx(two.confidence, abs=1e-12)


def test_a_large_grid_gives_the_same_picks_from_few_points(flights, checkpoint, rated, tmp_path) -> None:
    assert json.loads((checkpoint / "config.json").read_text())["smoothness"]["places"]
    area, found, embedded = load_aoi(aoi_text()), {}, {}
    for exhaustive in (True, False):
        settings = GeolocateSettings(resolution_m=1.0, confidence_radius_m=40.0, exhaustive=exhaustive, decoder="none")
        batch = geolocate(
            [flights / "test.mp4"], area, rated, tmp_path / f"{exhaustive}.gpkg", settings, cache_dir=tmp_path / f"cache{exhaustive}"
        )
        assert batch.gallery_points > 100_000
        found[exhaustive] = batch.results[0].trajectory
        embedded[exhaustive] = sum(file.stat().st_size for file in (tmp_path / f"cache{exhaustive}").iterdir())
    away = geodesic_m(found[True].lat_deg, found[True].lon_deg, found[False].lat_deg, found[False].lon_deg)
    assert away.max() < 1.5
    assert found[False].confidence == pytest.approx(found[True].confidence, abs=0.05)
    assert embedded[False] < embedded[True] / 20


def test_continuous_picks_lie_between_grid_points_and_score_no_lower(flights, rated, tmp_path) -> None:
    area, found = load_aoi(aoi_text()), {}
    for continuous in (False, True):
        settings = GeolocateSettings(resolution_m=40.0, continuous=continuous, decoder="none")
        batch = geolocate([flights / "test.mp4"], area, rated, tmp_path / f"{continuous}.gpkg", settings)
        found[continuous] = batch.results[0].trajectory
    plain, moved = found[False], found[True]
    points = {tuple(place) for place in np.round(make_grid(area, 40.0).points(0, 100_000), 9)}

    def on_grid(lat_deg, lon_deg) -> float:
        return np.mean([tuple(np.round(place, 9)) in points for place in zip(lat_deg, lon_deg, strict=True)])

    assert on_grid(plain.lat_deg, plain.lon_deg) == on_grid(plain.phase1_lat_deg, plain.phase1_lon_deg) == 1
    assert on_grid(moved.lat_deg, moved.lon_deg) < 0.5
    assert on_grid(moved.phase1_lat_deg, moved.phase1_lon_deg) < 0.5
    assert (moved.score >= plain.score - 1e-6).mean() > 0.9  # the refiner was asked from other places
    assert ((moved.confidence > 0) & (moved.confidence < 1)).all()


def test_confidence_does_not_hang_on_the_grid(flights, rated, tmp_path) -> None:
    """The same radius on a grid twice as fine: ± 0.02 (and the pick may move by a step)."""
    area, said = load_aoi(aoi_text()), []
    for resolution_m in (20.0, 10.0):
        settings = GeolocateSettings(resolution_m=resolution_m, confidence_radius_m=200.0, decoder="none")
        batch = geolocate([flights / "test.mp4"], area, rated, tmp_path / f"{resolution_m}.gpkg", settings)
        said.append(batch.results[0].trajectory.confidence)
    assert said[1] == pytest.approx(said[0], abs=0.02)


def test_a_cancelled_batch_keeps_what_is_done_and_goes_on(flights, loaded, tmp_path) -> None:
    done: list[str] = []
    area, output = load_aoi(aoi_text()), tmp_path / "batch.gpkg"
    videos = [flights / "test.mp4", flights / "other.mp4"]
    with pytest.raises(CancelledError):
        geolocate(
            videos,
            area,
            loaded,
            output,
            SETTINGS,
            feedback=Feedback(cancelled=lambda: bool(done)),
            partial=lambda r: done.append(r.info.name),
        )
    assert [r.info.name for r in read_geopackage(output)[0]] == ["test.mp4"]
    batch = geolocate(videos, area, loaded, output, SETTINGS)
    assert batch.resumed == ["test.mp4"]
    assert [r.info.name for r in read_geopackage(output)[0]] == ["test.mp4", "other.mp4"]
    assert not [p for p in tmp_path.iterdir() if p.name not in {"batch.gpkg", "batch.results"}]


def test_a_finished_video_whose_scores_are_wanted_and_missing_is_done_again(flights, loaded, tmp_path) -> None:
    area, output = load_aoi(aoi_text()), tmp_path / "batch.gpkg"
    videos, keeping = [flights / "test.mp4", flights / "other.mp4"], SETTINGS.model_copy(update={"keep_scores": True})
    before = geolocate(videos, area, loaded, output, SETTINGS)
    assert geolocate(videos, area, loaded, output, SETTINGS).resumed == ["test.mp4", "other.mp4"]
    with pytest.raises(CancelledError):
        geolocate(videos, area, loaded, output, keeping, feedback=Feedback(cancelled=lambda: True))
    assert [r.info.name for r in read_geopackage(output)[0]] == ["test.mp4", "other.mp4"]  # nothing is lost
    again = geolocate(videos, area, loaded, output, keeping)
    assert again.resumed == []
    assert len(again.results) == len(read_geopackage(output)[0]) == 2
    for one, other in zip(before.results, again.results, strict=True):
        np.testing.assert_allclose(one.trajectory.lat_deg, other.trajectory.lat_deg, atol=1e-9)
        assert scores_path(output, other.sha256).is_file()
    assert geolocate(videos, area, loaded, output, keeping).resumed == ["test.mp4", "other.mp4"]


def test_an_output_of_other_settings_is_not_overwritten_unasked(flights, loaded, tmp_path) -> None:
    area, output = load_aoi(aoi_text()), tmp_path / "out.gpkg"
    geolocate([flights / "other.mp4"], area, loaded, output, SETTINGS)
    before = output.read_bytes()
    with pytest.raises(InputError, match="other settings"):
        geolocate([flights / "other.mp4"], area, loaded, output, GeolocateSettings(resolution_m=25.0))
    assert output.read_bytes() == before
    geolocate([flights / "other.mp4"], area, loaded, output, GeolocateSettings(resolution_m=25.0), overwrite=True)
    foreign = tmp_path / "foreign.gpkg"
    with sqlite3.connect(foreign) as database:
        database.execute("create table mine (a)")
    with pytest.raises(InputError, match="not a result of this tool"):
        geolocate([flights / "other.mp4"], area, loaded, foreign, SETTINGS)


def test_without_an_area_a_checkpoint_searches_where_it_was_trained(flights, loaded, tmp_path) -> None:
    output = tmp_path / "out.gpkg"
    batch = geolocate([flights / "other.mp4"], None, loaded, output, SETTINGS)
    assert any("trained on is searched" in line for line in batch.warnings)
    assert read_aoi(output).bounds == pytest.approx(loaded.card.training_extent)
    assert geolocate([flights / "other.mp4"], None, loaded, output, SETTINGS).resumed == ["other.mp4"]


def test_a_result_of_before_decoders_had_other_names_is_gone_on_with(flights, loaded, tmp_path) -> None:
    output = tmp_path / "out.gpkg"
    area = load_aoi(aoi_text())
    geolocate([flights / "other.mp4"], area, loaded, output, SETTINGS)
    with closing(sqlite3.connect(output)) as database, database:
        (text,) = database.execute("SELECT metadata FROM gpkg_metadata WHERE metadata LIKE '%\"decoder\"%'").fetchone()
        old = text.replace('"decoder": "hmm"', '"decoder": "viterbi"').replace('"decoder":"hmm"', '"decoder":"viterbi"')
        assert old != text
        database.execute("UPDATE gpkg_metadata SET metadata = ? WHERE metadata = ?", (old, text))
    assert geolocate([flights / "other.mp4"], area, loaded, output, SETTINGS).resumed == ["other.mp4"]
    assert GeolocateSettings(decoder="viterbi").decoder == "hmm"
    with pytest.raises(InputError, match="hmm"):
        validated(GeolocateSettings, {"decoder": "best"})


def test_without_an_area_a_worldwide_checkpoint_searches_the_land(flights, loaded, tmp_path, monkeypatch) -> None:
    """With this small model in a worldwide one's place, and a thin coarse gallery: the whole way, not the answer."""
    monkeypatch.setattr("vidtag_engine.search.choose.BeamSearch", partial(BeamSearch, coarse_points=2000, beam=(50, 50)))
    of = replace(loaded.calibration, ground=None)  # one of whose training nothing is known
    anywhere, output = replace(loaded, card=replace(loaded.card, training_extent=None), calibration=of), tmp_path / "out.gpkg"
    run = partial(geolocate, [flights / "other.mp4"], None, anywhere, output, SETTINGS, cache_dir=tmp_path / "cache")
    batch = run()
    said = " ".join(batch.warnings)
    assert "world's land is searched" in said
    assert "not exhaustive" in said
    trajectory = batch.results[0].trajectory
    land = read_aoi(output)
    assert len(land.geoms) > 1000
    near = shapely.distance(land, shapely.points(trajectory.lon_deg, trajectory.lat_deg))
    assert near.max() < 1e-6
    assert np.isnan(trajectory.confidence).all()
    gallery = read_geopackage(output)[1].gallery
    assert (gallery["search"], gallery["count"]) == ("beam", batch.gallery_points)
    assert run().resumed == ["other.mp4"]


def test_a_bad_video_in_a_batch_is_named_and_the_rest_goes_on(flights, loaded, tmp_path) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video at all" * 100)
    batch = geolocate([bad, flights / "other.mp4"], load_aoi(aoi_text()), loaded, tmp_path / "out.gpkg", SETTINGS)
    assert [r.info.name for r in batch.results] == ["other.mp4"]
    assert [one.info.name for one in batch.failed] == ["bad.mp4"]


def test_one_files_unexpected_error_costs_that_file(flights, loaded, tmp_path, monkeypatch) -> None:
    """Opened or not, foreseen or not: a row that says why; a later run does the failed ones again where asked, and no others."""
    area, output = load_aoi(aoi_text()), tmp_path / "out.gpkg"
    (tmp_path / "bad.mp4").write_bytes(b"no video at all" * 100)
    videos = [tmp_path / "bad.mp4", flights / "test.mp4", flights / "other.mp4", tmp_path / "gone.mp4"]

    def failing(kind, text):
        def encode(info, *more, **named):
            if info.name == "test.mp4":
                raise kind(text)
            return encode_video(info, *more, **named)

        monkeypatch.setattr("vidtag_engine.job.encode_video", encode)

    failing(KeyError, "no such\nthing in /home/zorro/x.py")
    batch = geolocate(videos, area, loaded, output, SETTINGS)
    assert [one.info.name for one in batch.results] == [one.info.name for one in read_geopackage(output)[0]] == ["other.mp4"]
    whys = {one.info.name: one.why for one in read_failed(output)}
    assert list(whys) == ["bad.mp4", "test.mp4", "gone.mp4"]
    assert whys["test.mp4"].startswith("test.mp4 could not be processed (KeyError: 'no such\\nthing in x.py'): convert it with FFmpeg")
    assert whys["gone.mp4"] == "gone.mp4 does not exist; check the path of the video."
    for kind, text in ((MemoryError, "full"), (CancelledError, "stop"), (KeyboardInterrupt, "")):
        failing(kind, text)
        with pytest.raises(kind):
            geolocate(videos, area, loaded, output, SETTINGS, batch=BatchSettings(retry_failed=True))
    failing(partial(OSError, errno.ENOSPC), "no space")
    with pytest.raises(OSError, match="no space"):
        geolocate(videos, area, loaded, output, SETTINGS, batch=BatchSettings(retry_failed=True))
    monkeypatch.undo()
    assert [one.info.name for one in geolocate(videos, area, loaded, output, SETTINGS).failed] == ["bad.mp4", "test.mp4", "gone.mp4"]
    again = geolocate(videos, area, loaded, output, SETTINGS, batch=BatchSettings(retry_failed=True))
    assert again.resumed == ["other.mp4"]
    assert sorted(one.info.name for one in again.results) == ["other.mp4", "test.mp4"]
    assert [one.info.name for one in read_failed(output)] == ["bad.mp4", "gone.mp4"]
    time = output.stat().st_mtime_ns
    geolocate(videos, area, loaded, output, SETTINGS)
    assert output.stat().st_mtime_ns == time  # nothing new to write
    geolocate([flights / "other.mp4"], area, loaded, output, SETTINGS)
    assert [one.info.name for one in read_failed(output)] == ["bad.mp4", "gone.mp4"]  # it was not about them
    failing(ValueError, "odd")
    with pytest.raises(InputError, match=r"test.mp4 could not be processed \(ValueError: odd\)"):
        geolocate([flights / "test.mp4"], area, loaded, tmp_path / "one.gpkg", SETTINGS)
    assert not (tmp_path / "one.gpkg").exists()


def test_what_a_person_edits_meanwhile_is_not_replaced(flights, loaded, tmp_path) -> None:
    area, output = load_aoi(aoi_text()), tmp_path / "out.gpkg"
    videos, keeping = [flights / "test.mp4", flights / "other.mp4"], SETTINGS.model_copy(update={"keep_scores": True})

    def edit(result):
        if result.info.name == "test.mp4":
            frame = pyogrio.read_dataframe(output, layer="frames").head(1)
            pyogrio.write_dataframe(frame, output, layer="frames", append=True)

    batch = geolocate(videos, area, loaded, output, keeping, partial=edit)
    assert batch.output.name == "out-2.gpkg"
    assert "out.gpkg was changed" in batch.warnings[0]
    assert [one.info.name for one in read_geopackage(batch.output)[0]] == ["test.mp4", "other.mp4"]
    assert all(scores_path(batch.output, one.sha256).is_file() for one in batch.results)
    kept = output.read_bytes()
    for anew in (False, True):
        with pytest.raises(InputError, match="A person has changed out.gpkg .the layer frames."):
            geolocate(videos, area, loaded, output, keeping, anew=anew)
    assert output.read_bytes() == kept
    assert geolocate(videos[:1], area, loaded, batch.output, SETTINGS, anew=True).resumed == []  # of our own, and as we wrote it


def test_the_command_line_runs_and_writes_every_format(flights, checkpoint, tmp_path) -> None:
    copies = {kind: tmp_path / f"walk.{kind}" for kind in ("kml", "gpx", "geojson", "csv")}
    command = [
        sys.executable, "-m", "vidtag_engine", "geolocate", str(flights / "other.mp4"), "--aoi", aoi_text(), "--checkpoint", str(checkpoint),
        "--resolution-m", "20", "--output", str(tmp_path / "walk.gpkg"), "--map", str(tmp_path / "walk.png"), "--json",
        *[word for kind, path in copies.items() for word in (f"--{kind}", str(path))],
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).resolve().parent.parent)
    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout)
    assert said["frames"] == said["located"] == 8
    assert all(path.stat().st_size > 100 for path in [*copies.values(), tmp_path / "walk.png"])
    listed = subprocess.run(["ogrinfo", "-ro", str(tmp_path / "walk.gpkg")], capture_output=True, text=True, check=True).stdout
    assert all(f": {layer} (" in listed for layer in ("trajectory", "frames", "videos")), listed


def test_run_geolocate_refuses_bad_settings_in_one_sentence(flights, checkpoint, tmp_path) -> None:
    for change, word in (
        ({"resolution_m": -5.0}, "resolution_m"),
        ({"rate_hz": 0.0}, "rate_hz"),
        ({"from_s": 9.0, "to_s": 3.0}, "after"),
        ({"aoi": "nowhere.geojson"}, "nowhere"),
        ({"checkpoint": "no-such-folder"}, "no-such-folder"),
        ({"output": str(tmp_path / "out.shp")}, "gpkg"),
        ({"output": str(tmp_path / "absent" / "out.gpkg")}, "absent"),
        ({"resolution_m": 0.001}, "points"),
    ):
        arguments = {
            "aoi": aoi_text(), "output": str(tmp_path / "out.gpkg"), "videos": [str(flights / "other.mp4")], "checkpoint": str(checkpoint), **change,
        }  # fmt: skip
        with pytest.raises(InputError, match=word) as caught:
            run_geolocate(GeolocateArguments(**arguments))
        assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())
