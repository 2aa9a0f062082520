"""Evaluation on a data set against a retrieval written out here; and both commands on a tiny MSLS from end to end."""

import json
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from pyproj import Geod
from typer.testing import CliRunner

from tests.dataset_maker import ColourModel, MslsWriter, colour_checkpoint, colour_of, plane, write_jpeg, write_msls
from vidtag_engine.cli.app import app
from vidtag_engine.datasets import City, LabelledSequence, PlaceLabels, open_dataset
from vidtag_engine.datasets.regions import Region
from vidtag_engine.datasets.training_sequence import TrainingSequence
from vidtag_engine.evaluation import evaluate_dataset
from vidtag_engine.evaluation.comparison import Comparison
from vidtag_engine.evaluation.on_dataset import levels_percent
from vidtag_engine.feedback import Feedback
from vidtag_engine.training import dataset_settings, start
from vidtag_engine.training.features import FeatureStore
from vidtag_engine.training.trainer import Retrieval
from vidtag_engine.types import CancelledError, InputError

GEOD = Geod(ellps="WGS84")
AMSTERDAM = {"amsterdam": (52.3, 4.8)}


@pytest.fixture
def city(tmp_path):
    write_msls(tmp_path / "msls", AMSTERDAM, sequences=20, frames=18)
    return open_dataset("msls", tmp_path / "msls")


def colours(paths):
    """(T, 3) mean colours as the stored half-precision features hold them."""
    means = [np.asarray(Image.open(path).convert("RGB"), dtype=float).reshape(-1, 3).mean(axis=0) / 255 for path in paths]
    return np.array(means).astype(np.float32).astype(np.float16)


def retrieved(features, points):
    """The nearest gallery point in the stand-in's plane, by brute force."""
    queries = ColourModel().embed_video(torch.from_numpy(features)).numpy()
    return points[(queries @ plane(points).astype(np.float32).T).argmax(axis=1)]


def evaluate(data, tmp_path, loaded=None, **options):
    loaded = loaded or colour_checkpoint()
    return evaluate_dataset(data, loaded, method="networks", feature_folder=tmp_path / "features", cache_dir=tmp_path / "cache", **options)


@pytest.mark.parametrize("kind", ["grid", "validation"])
def test_metrics_equal_a_retrieval_written_out(city, tmp_path, kind):
    report = evaluate(city, tmp_path, gallery=kind, resolution_m=400.0 if kind == "grid" else None)
    grid = city.gallery(kind, resolution_m=400.0)
    points = grid.points(0, grid.count)
    first_m, final_m = [], []
    for sequence in city.sequences("val"):
        picks = retrieved(colours(sequence.paths), points)
        final = np.concatenate([picks[:1], picks[:-1]])  # the stand-in's refiner looks one frame back, never into another video
        for places, errors in ((picks, first_m), (final, final_m)):
            errors.append(GEOD.inv(places[:, 1], places[:, 0], sequence.lat_lon_deg[:, 1], sequence.lat_lon_deg[:, 0])[2])
    final_m = np.concatenate(final_m)
    assert report.sequences == 2
    assert report.accuracy.compared == 36 == len(final_m)
    assert report.accuracy.median_m == pytest.approx(np.median(final_m))
    assert report.accuracy.phase1_median_m == pytest.approx(np.median(np.concatenate(first_m)))
    assert report.accuracy.frame_accuracy_percent[0.5] == pytest.approx(100 * np.mean(final_m <= 500))
    assert report.regions["amsterdam"]["median_m"] == pytest.approx(np.median(final_m))
    assert report.gallery["count"] == grid.count
    assert report.levels_percent == {}
    said = json.loads(json.dumps(report.to_dict()))
    assert said["accuracy"]["confidence"]["mean"] is None
    assert said["accuracy"]["frame_accuracy_percent"]["25"] == 100.0
    assert any("Gallery" in line for line in report.lines())
    assert report.table().row_count >= 12


def test_a_damaged_image_costs_itself_and_stored_features_are_used_again(city, tmp_path):
    sequence = city.sequences("val")[0]
    broken = sequence.paths[4]
    broken.write_bytes(broken.read_bytes()[:40])
    loaded = colour_checkpoint(refiner=False)
    report = evaluate(city, tmp_path, loaded)
    assert report.accuracy.compared == 35
    assert loaded.encoder.encoded == 35
    # Frame 5 keeps its own place: the row of the damaged one is gone from features and truth alike.
    store = FeatureStore(tmp_path / "features", loaded.encoder, augment="none", views=0, seed=0, rate_hz=1.0)
    kept = store.sequence(sequence)
    np.testing.assert_array_equal(kept.lat_lon_deg, np.delete(sequence.lat_lon_deg, 4, axis=0))
    assert kept.features.dtype == np.float32
    # Kept in half precision they are the very numbers that were stored.
    store = FeatureStore(tmp_path / "features", loaded.encoder, augment="none", views=0, seed=0, rate_hz=1.0, half=True)
    half = store.sequence(sequence)
    assert half.features.dtype == np.float16
    np.testing.assert_array_equal(half.features.astype(np.float32), kept.features)
    assert evaluate(city, tmp_path, loaded).accuracy == report.accuracy
    assert loaded.encoder.encoded == 35
    # A folder that was moved keeps its features; an image that changed does not.
    moved = tmp_path / "elsewhere"
    (tmp_path / "msls").rename(moved)
    data = open_dataset("msls", moved)
    evaluate(data, tmp_path, loaded)
    assert loaded.encoder.encoded == 35
    Image.new("RGB", (32, 24)).save(data.sequences("val")[0].paths[4])
    assert evaluate(data, tmp_path, loaded).accuracy.compared == 36
    assert loaded.encoder.encoded == 35 + 18


def test_files_gone_later_are_counted_and_nothing_left_is_an_error(city, tmp_path):
    first, second = city.sequences("val")
    first.paths[0].unlink()
    report = evaluate(city, tmp_path)
    assert report.sequences == 1
    assert report.left_out["sequences that cannot be read or placed"]["count"] == 1
    second.paths[0].unlink()
    with pytest.raises(InputError, match="No sequence of MSLS"):
        evaluate(city, tmp_path)


def test_a_city_that_training_never_saw_is_sought_in_all_regions(city, tmp_path):
    part = MslsWriter(tmp_path / "msls", "elsewhere", "database", top="test")
    for t in range(16):
        part.add(f"e{t}", "e", t, 52.4, 4.9 + 1e-4 * t, 1_409_056_938_000 + 1000 * t)
    part.write()
    options = {"split": "test", "resolution_m": 400.0}
    own, whole = (evaluate(open_dataset("msls", tmp_path / "msls"), tmp_path, area=area, **options) for area in ("region", "all"))
    assert "1 sequences are of no region of the training data (for example elsewhere/e): they are sought in all of them." in own.notes
    assert own.accuracy == whole.accuracy


def test_a_sequence_is_of_the_city_that_is_named_else_of_the_cluster_about_its_middle():
    box = Region("suva and nadi", 177.0, -18.5, 181.0, -17.0, 9)

    def sequence(lon_deg, region=""):
        return LabelledSequence("s", None, (), "images", np.arange(3), np.array([[0.0, 0.0], [-18.0, lon_deg], [0.0, 0.0]]), region=region)

    assert [box.has(sequence(lon_deg)) for lon_deg in (178.0, -179.5, -178.5, 176.0)] == [True, True, False, False]
    assert [box.has(sequence(0.0, name)) for name in ("nadi", "suva", "apia")] == [True, True, False]


def test_cancelled(city, tmp_path):
    with pytest.raises(CancelledError):
        evaluate(city, tmp_path, feedback=Feedback(cancelled=lambda: True))


def test_what_the_checkpoint_has_seen_is_said(city, tmp_path):
    seen = colour_checkpoint(dataset="msls", split_seed=0)
    assert evaluate(city, tmp_path, seen).notes == ("Ways are told by the drives of the training split.",)
    assert "trained on this split" in " ".join(evaluate(city, tmp_path, seen, split="train").notes)
    other = colour_checkpoint(dataset="msls", split_seed=7)
    assert "split seed 7, not 0" in " ".join(evaluate(city, tmp_path, other).notes)


def test_levels_of_the_nearest_centre_by_hand():
    cities = (
        City(PlaceLabels(0, 0, 0, 0), 21.4, 39.8),
        City(PlaceLabels(1, 0, 0, 0), 24.5, 54.4),
        City(PlaceLabels(2, 1, 1, 3), -33.9, 151.2),
    )
    labelled, comparisons = {}, {}
    answers = {"right": (0, (21.5, 39.7)), "same state": (0, (24.4, 54.0)), "other continent": (0, (-34.0, 151.0))}
    for name, (truth, place) in answers.items():
        places = np.tile(place, (3, 1))
        labelled[name] = LabelledSequence(name, None, (), "images", np.arange(3), places, labels=cities[truth].labels)
        comparisons[name] = Comparison(places, places, places, np.full(3, np.nan), np.nan, frames=3)
    got = levels_percent(comparisons, labelled, cities)
    assert got == pytest.approx({"city": 100 / 3, "state": 200 / 3, "country": 200 / 3, "continent": 200 / 3})


def test_cityguessr68k_from_frames_to_levels(tmp_path):
    # Three cities within the square that colours stand for; one video shows another city of its own state.
    centres = {0: (52.35, 4.85), 1: (52.45, 4.85), 2: (52.4, 4.97)}
    labels = {0: "0,0,0,0", 1: "1,0,0,0", 2: "2,1,1,1"}
    shown = {"A_1": (0, 0), "A_2": (0, 1), "C_1": (2, 2)}
    for name, (_, looks_like) in shown.items():
        for number in range(3):
            write_jpeg(tmp_path / "root" / "val" / name / f"{number + 1}.jpg", colour_of(*centres[looks_like]))
    (tmp_path / "root" / "city_centres.csv").write_text(
        "city,lat,lon\n" + "".join(f"{c},{lat},{lon}\n" for c, (lat, lon) in centres.items())
    )
    (tmp_path / "root" / "val.txt").write_text("".join(f"val/{name},{labels[truth]}\n" for name, (truth, _) in shown.items()))
    (tmp_path / "root" / "train.txt").write_text("".join(f"train/X_{city},{text}\n" for city, text in labels.items()))
    report = evaluate(open_dataset("cityguessr68k", tmp_path / "root"), tmp_path, colour_checkpoint(refiner=False))
    assert report.gallery["count"] == 3
    assert report.levels_percent == pytest.approx({"city": 200 / 3, "state": 100.0, "country": 100.0, "continent": 100.0})
    wrong_m = GEOD.inv(4.85, 52.35, 4.85, 52.45)[2]
    assert report.accuracy.mean_m == pytest.approx(wrong_m / 3, rel=1e-6)
    assert report.accuracy.video_accuracy_percent[1.0] == pytest.approx(200 / 3)


def test_few_of_very_many_are_taken_evenly(monkeypatch):
    train_module = sys.modules["vidtag_engine.training.train"]  # the package shows the function of that name
    monkeypatch.setattr(start, "_MAX_FRAMES", 10)
    sequences = [TrainingSequence(str(i), np.full((1, 8, 2), i, np.float16), np.zeros((8, 2)), np.arange(8.0)) for i in range(6)]
    some = start._some_features(sequences)
    assert len(some) <= 12
    assert set(some[:, 0].astype(int)) == set(range(6))
    picks = Retrieval([s.lat_lon_deg for s in sequences], [])
    few, picked = train_module._few(sequences, picks, 16)
    assert [s.name for s in few] == ["0", "3"]
    assert len(picked.phase1) == 2
    assert train_module._few(sequences, picks, 48)[0] == sequences


def test_the_papers_budget_in_steps(tmp_path):
    write_msls(tmp_path, {**AMSTERDAM, "goa": (15.3, 73.9)}, sequences=3, frames=16)
    data = open_dataset("msls", tmp_path)
    settings = dataset_settings(data, "paper", n_training=16_588, sigma="auto")
    epoch = -(-int(16_588 * 0.95) // 128)
    assert settings.phase1.steps == pytest.approx(600 * epoch, rel=0.01)
    assert settings.phase1.steps_per_decay == settings.phase1.steps // 600
    assert (settings.phase1.decay, settings.phase2.decay) == (0.99, 0.95)
    assert settings.phase2.steps == settings.phase1.steps // 6
    assert (settings.phase1.learning_rate, settings.phase2.learning_rate) == (5e-5, 1e-4)
    assert (settings.phase1_targets, settings.noise, settings.sigma, settings.resolution_m) == ("identity", "paper", "globe", 100.0)
    assert dataset_settings(data, "paper", n_training=100, phase1_steps=7).phase1.steps == 7


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evaluate"], "There is nothing to compare"),
        (["evaluate", "--dataset", "msls"], "no folder: give the one it was unpacked to with --root"),
        (["evaluate", "--dataset", "mls", "--root", "."], "There is no data set 'mls'"),
        (["evaluate", "--dataset", "msls", "--root", ".", "--html", "a.html", "--map", "b.png"], "leave out --map and --html."),
        (["evaluate", "a.gpkg", "--dataset", "msls", "--root", "."], "leave out the result."),
        (["evaluate", "a.gpkg", "--truth", "a.gpx", "--method", "networks", "--split", "val"], "leave out --method and --split, or"),
        (["train", "--output", "x"], "nothing to train on"),
        (["train", "--output", "x", "--dataset", "msls", "--root", ".", "--aoi", "1,1,2,2"], "brings its own"),
        (["train", "--output", "x", "--dataset", "gama", "--root", "."], "has no info/100k/train"),
    ],
)
def test_commands_say_what_is_missing(tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, words, env={"COLUMNS": "400"})
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_train_and_evaluate_from_end_to_end(tmp_path, monkeypatch):
    monkeypatch.setenv("VIDTAG_CACHE", str(tmp_path / "cache"))
    write_msls(tmp_path / "MSLS", {**AMSTERDAM, "goa": (15.3, 73.9)}, sequences=4, frames=16)
    common = ["--dataset", "msls", "--root", str(tmp_path / "MSLS"), "--features", str(tmp_path / "features"), "--json"]
    train = ["train", *common, "--output", str(tmp_path / "tiny"), "--resolution-m", "2000", "--phase1-steps", "6", "--phase2-steps", "2"]
    result = CliRunner().invoke(app, train)
    assert result.exit_code == 0, result.output
    card = json.loads(result.stdout)["metrics"]
    assert (card["dataset"], card["split_seed"]) == ("msls", 0)
    assert card["training_videos"] == 6
    stored = {path: path.stat().st_mtime_ns for path in (tmp_path / "features").iterdir()}
    assert len(stored) == 6  # the validation split was not looked at
    result = CliRunner().invoke(
        app, ["evaluate", *common, "--checkpoint", str(tmp_path / "tiny"), "--resolution-m", "2000", "--method", "networks"]
    )
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["sequences"] == 2
    assert report["accuracy"]["compared"] == 32
    assert report["gallery"]["kind"] == "latlon"
    assert 0 <= report["accuracy"]["median_m"] < 2e7
    assert all(path.stat().st_mtime_ns == when for path, when in stored.items())
