"""What ships, measured on a tiny MSLS of pictures of a made world: beside a geolocation of the same pictures, and each part beside what it is without the other."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import torch
from PIL import Image
from pyproj import Geod
from typer.testing import CliRunner

from tests.dataset_maker import MslsWriter
from tests.test_checkpoint_references import drives
from tests.world_maker import SIZE_M, ground, place_of
from vidtag_engine.cli.app import app
from vidtag_engine.datasets import open_dataset
from vidtag_engine.datasets.regions import area_of
from vidtag_engine.evaluation import evaluate_dataset
from vidtag_engine.evaluation.methods import reading
from vidtag_engine.evaluation.ways import CROSSING, NEVER_DRIVEN, OTHER_WAY, SAME_WAY, WAYS, DrivenWays
from vidtag_engine.feedback import Feedback
from vidtag_engine.geolocation import geolocate, load
from vidtag_engine.loaded import load_references
from vidtag_engine.models.checkpoint_references import PREFIX, opened
from vidtag_engine.models.reference_database import ReferenceDatabase
from vidtag_engine.reference.descriptor import SCALES
from vidtag_engine.reference.store import Store
from vidtag_engine.settings import GeolocateSettings
from vidtag_engine.training import train_on_dataset
from vidtag_engine.training.kept_references import keep
from vidtag_engine.types import CancelledError, InputError

GEOD = Geod(ellps="WGS84")
FRAMES, STEP_M = 16, 40.0
CITIES = {"field": 0.0, "meadow": 20_000.0}  # metres east


def way(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Metres east and north of straight ways on five streets, some the other way, and of one that nobody else takes."""
    along, y_m = np.linspace(60.0, 340.0, FRAMES), 80.0 + 55.0 * (number % 5) + 3.0 * (number // 5)
    return (along[::-1] if number % 4 == 3 else along), np.full(FRAMES, y_m)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("msls") / "MSLS"
    began_ms = int(datetime(2026, 5, 1, 12, tzinfo=UTC).timestamp() * 1000)
    for seed, (city, east_m) in enumerate(CITIES.items()):
        world = ground(seed)
        pixel, part = world.shape[0] / SIZE_M, MslsWriter(root, city, "database")
        for number in range(12):
            x_m, y_m = way(number)
            for t, (lat, lon) in enumerate(place_of(x_m + east_m, y_m)):
                part.add(f"{city}{number}x{t}", f"{city}{number}", t, float(lat), float(lon), began_ms + 1000 * t, file=False)
                left, top = int(x_m[t] * pixel - 80), int(world.shape[0] - y_m[t] * pixel - 80)
                path = part.folder / "images" / f"{city}{number}x{t}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(world[max(0, top) : top + 160, max(0, left) : left + 160]).save(path.with_suffix(".jpg"), quality=95)
        part.write()
    return open_dataset("msls", root)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stored")
    return {"feature_folder": folder / "features", "cache_dir": folder / "cache"}


@pytest.fixture(scope="module")
def loaded(data, folders, tmp_path_factory):
    """Trained on both cities; eight drives held out, so that it is rated."""
    output = tmp_path_factory.mktemp("trained") / "both"
    train_on_dataset(
        data, output, "default", feature_folder=folders["feature_folder"], resolution_m=STEP_M, sigma="site", phase1_steps=30, phase2_steps=10,
        validate_every=10, remembered_width=24, validation_fraction=0.4,
    )  # fmt: skip
    return load(str(output), "cpu")


def found(report):
    """Plain numbers that two evaluations can be compared by."""
    return {name: report.to_dict()[name] for name in ("accuracy", "ways", "regions", "sequences")}


def same_figures(one, other, **tolerance):
    first, second = one["accuracy"], other["accuracy"]
    for name in ("median_m", "mean_m", "p90_m", "phase1_median_m", "dfd_m", "mrd_m", "video_median_m"):
        assert first[name] == pytest.approx(second[name], **tolerance), name


@pytest.mark.slow
def test_what_ships_is_what_a_geolocation_of_the_pictures_says(data, folders, loaded, tmp_path):
    """Each sequence in its own city. Stored features have half the digits, which moves a line by centimetres."""
    report = evaluate_dataset(data, loaded, resolution_m=STEP_M, **folders)
    assert (report.method, report.area) == ("shipped", "region")
    assert report.confidence is not None
    settings = GeolocateSettings(resolution_m=STEP_M, rate_hz=None, always_answer=True, encode_all=True)
    errors, confident, states, videos = [], [], [], {}
    for region in data.regions():
        mine = [one for one in data.sequences("val") if one.region == region.name]
        assert mine
        for sequence in mine:
            folder = tmp_path / sequence.name.replace("/", "-")
            folder.mkdir()
            for path in sequence.paths:
                shutil.copy(path, folder)
            answer = geolocate([], area_of([region]), loaded, settings=settings, images=[folder]).results[0].trajectory
            apart_m = GEOD.inv(answer.lon_deg, answer.lat_deg, sequence.lat_lon_deg[:, 1], sequence.lat_lon_deg[:, 0])[2]
            errors.append(apart_m)
            confident.append(answer.confidence)
            states.append(answer.verdict.state.value)
            videos[sequence.name] = apart_m
    errors, confident = np.concatenate(errors), np.concatenate(confident)
    assert report.sequences == len(videos) == 2
    assert report.accuracy.compared == len(errors) == 32
    assert report.accuracy.median_m == pytest.approx(np.median(errors), abs=1.0)
    assert report.accuracy.mean_m == pytest.approx(errors.mean(), abs=1.0)
    said = report.accuracy.confidence
    assert np.isfinite(confident).all()  # it is rated, so there is something to compare
    assert said.mean == pytest.approx(confident.mean(), abs=0.02)
    assert said.share_within == pytest.approx((errors <= 10 * STEP_M).mean())
    assert said.not_rated == 0
    assert report.confidence.states == {state: states.count(state) for state in set(states)}
    assert sum(of["videos"] for of in report.withheld.values()) == sum(state != "located" for state in states)
    assert report.gallery["count"] == sum(of["count"] for of in report.gallery["areas"].values())
    assert set(report.gallery["areas"]) == set(CITIES)
    values = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert values["confidence"]["radii"]
    assert report.table().row_count > 15
    assert report.confidence_tables()


@pytest.mark.slow
def test_ways_are_those_of_the_training_drives_by_brute_force(data, folders, loaded):
    report = evaluate_dataset(data, loaded, resolution_m=STEP_M, **folders)
    trained = []
    for one in data.sequences("train"):
        lat, lon = one.lat_lon_deg.T
        headings = GEOD.inv(
            np.append(lon[0], lon[:-1]), np.append(lat[0], lat[:-1]), np.append(lon[1:], lon[-1]), np.append(lat[1:], lat[-1])
        )[0]
        trained += list(zip(lat, lon, headings, strict=True))
    lat, lon, heading = np.array(trained).T
    counts = dict.fromkeys(WAYS, 0)
    for one in data.sequences("val"):
        course = GEOD.inv(one.lat_lon_deg[0, 1], one.lat_lon_deg[0, 0], one.lat_lon_deg[-1, 1], one.lat_lon_deg[-1, 0])[0]
        for here in one.lat_lon_deg:
            away_m = GEOD.inv(lon, lat, np.full(len(lat), here[1]), np.full(len(lat), here[0]))[2]
            turned = np.abs((heading - course + 180.0) % 360.0 - 180.0)[away_m <= 25.0]
            if (turned <= 45.0).any():
                counts[SAME_WAY] += 1
            elif len(turned) and (turned > 135.0).all():
                counts[OTHER_WAY] += 1
            else:
                counts[NEVER_DRIVEN if away_m.min() > 50.0 else CROSSING] += 1
    assert {way: one.frames for way, one in report.ways.items()} == {way: count for way, count in counts.items() if count}
    assert sum(one.videos for one in report.ways.values()) == report.sequences
    frames = sum(one.frames for one in report.ways.values())
    assert sum(one.frames * one.accuracy.mean_m for one in report.ways.values()) / frames == pytest.approx(report.accuracy.mean_m)


@pytest.mark.slow
def test_references_alone_are_the_database_by_itself_whatever_the_networks_say(data, folders, loaded):
    options = {"resolution_m": STEP_M, **folders}
    alone = evaluate_dataset(data, loaded, method="references", **options)
    assert alone.confidence is None
    (folder,) = loaded.model.memory.store.folder.parent.glob(f"{PREFIX}*")
    database = load_references(str(folder), "cpu")
    database = replace(database, calibration=reading(loaded, "references").calibration)
    same_figures(found(alone), found(evaluate_dataset(data, database, **options)), abs=1e-6)
    # Other weights altogether change what the networks say, and nothing here.
    torch.manual_seed(1)
    other = load(str(folder.parent), "cpu")
    with torch.no_grad():
        for name, value in other.model.named_parameters():
            if not name.startswith("memory"):
                value.copy_(torch.randn_like(value) * 0.1)
    other = replace(other, card=replace(other.card, sha256="1" * 64))
    same_figures(found(alone), found(evaluate_dataset(data, other, method="references", **options)), abs=1e-6)
    networks = [evaluate_dataset(data, one, method="networks", **options).accuracy.mean_m for one in (loaded, other)]
    assert networks[0] != networks[1]


@pytest.mark.slow
def test_networks_decoded_are_a_geolocation_without_references(data, folders, loaded, tmp_path):
    options = {"resolution_m": STEP_M, **folders}
    bare = evaluate_dataset(data, loaded, method="networks-decoded", **options)
    assert bare.confidence is None
    # What is kept of pictures is no part of it: others in their place change nothing, but all that ships.
    other = load(str(loaded.model.memory.store.folder.parent), "cpu")
    for codes in other.model.memory.store.codes:
        codes[:] = np.random.default_rng(0).integers(-127, 127, codes.shape)
    same_figures(found(bare), found(evaluate_dataset(data, other, method="networks-decoded", **options)), abs=1e-6)
    both = [evaluate_dataset(data, one, **options).accuracy.mean_m for one in (loaded, other)]
    assert abs(both[0] - both[1]) > 5.0
    # The same checkpoint, as one that never kept any.
    never = load(str(loaded.model.memory.store.folder.parent), "cpu")
    never.model.memory = None
    path = replace(never.calibration.path, database_weight=None)
    never = replace(never, calibration=replace(never.calibration, path=path), references="")
    settings = GeolocateSettings(resolution_m=STEP_M, rate_hz=None, always_answer=True, encode_all=True)
    (sequence,) = [one for one in data.sequences("val") if one.region == "field"]
    (tmp_path / "pictures").mkdir()
    for picture in sequence.paths:
        shutil.copy(picture, tmp_path / "pictures")
    area = area_of([region for region in data.regions() if region.name == "field"])
    answer = geolocate([], area, never, settings=settings, images=[tmp_path / "pictures"]).results[0].trajectory
    apart_m = GEOD.inv(answer.lon_deg, answer.lat_deg, sequence.lat_lon_deg[:, 1], sequence.lat_lon_deg[:, 0])[2]
    assert bare.regions["field"]["median_m"] == pytest.approx(np.median(apart_m), abs=1.0)
    assert loaded.model.memory is not None


@pytest.mark.slow
def test_what_would_be_withheld_is_counted_with_why_and_guessed_all_the_same(data, folders, loaded, tmp_path):
    """A database of one of the cities knows nothing of the other."""
    shutil.copytree(loaded.model.memory.store.folder, tmp_path / "field")
    store = Store.open(tmp_path / "field")
    store.remove(store.lat_lon_deg[:, 1] > place_of(np.array([10_000.0]), np.array([0.0]))[0, 1])
    report = evaluate_dataset(data, load_references(str(tmp_path / "field"), "cpu"), resolution_m=STEP_M, **folders)
    assert {state: (of["videos"], of["frames"]) for state, of in report.withheld.items()} == {"unknown_ground": (1, FRAMES)}
    assert report.withheld["unknown_ground"]["example"].startswith("meadow/")
    assert report.accuracy.compared == 2 * FRAMES
    assert report.answered.compared == FRAMES
    assert report.answered.median_m == pytest.approx(report.regions["field"]["median_m"])
    assert report.ways[NEVER_DRIVEN].frames == FRAMES
    assert report.ways[NEVER_DRIVEN].withheld_percent == 100.0
    assert any("Withheld, unknown ground: 1 videos, 16 frames" in line for line in report.lines())
    assert report.confidence.states == {"located": 1, "unknown_ground": 1}
    assert report.table().row_count > 15


@pytest.mark.slow
def test_all_regions_at_once_one_region_and_what_cannot_be(data, folders, loaded, tmp_path):
    options = {"resolution_m": STEP_M, **folders}
    own, whole = (evaluate_dataset(data, loaded, area=area, **options) for area in ("region", "all"))
    assert "areas" not in whole.gallery
    assert whole.gallery["count"] == pytest.approx(own.gallery["count"], rel=0.02)
    paper, apart = (evaluate_dataset(data, loaded, method="networks", area=area, **options) for area in (None, "region"))
    assert paper.area == "all"
    assert paper.gallery["count"] == apart.gallery["count"] == data.gallery("grid", resolution_m=STEP_M).count
    assert apart.accuracy.mean_m <= paper.accuracy.mean_m + 1e-6  # the other city is no longer to choose
    database = load_references(str(loaded.model.memory.store.folder), "cpu")
    with pytest.raises(InputError, match="has no networks: take --method shipped"):
        evaluate_dataset(data, database, method="networks", **options)
    with pytest.raises(InputError, match="choose one of shipped, networks, networks-decoded, references"):
        evaluate_dataset(data, loaded, method="all", **options)
    with pytest.raises(InputError, match="choose one of region, all"):
        evaluate_dataset(data, loaded, area="world", **options)
    with pytest.raises(InputError, match="take --method networks and --area all"):
        evaluate_dataset(data, loaded, gallery="validation", **options)
    stopping, told = [], []

    def progress(step):
        told.append(step.fraction)
        if step.stage == "search":
            stopping.append(True)

    with pytest.raises(CancelledError, match="features are kept"):
        evaluate_dataset(data, loaded, **options, feedback=Feedback(progress, lambda: bool(stopping)))
    assert told == sorted(told)


@pytest.mark.slow
def test_the_command(data, folders, loaded, monkeypatch):
    monkeypatch.setenv("VIDTAG_CACHE", str(folders["cache_dir"]))
    checkpoint = loaded.model.memory.store.folder.parent
    words = [
        "evaluate",
        "--dataset",
        "msls",
        "--root",
        str(data.root),
        "--resolution-m",
        "40",
        "--features",
        str(folders["feature_folder"]),
        "--json",
    ]
    shipped = CliRunner().invoke(app, [*words, "--checkpoint", str(checkpoint)])
    assert shipped.exit_code == 0, shipped.output
    report = json.loads(shipped.stdout)
    same_figures(report, found(evaluate_dataset(data, loaded, resolution_m=STEP_M, **folders)), abs=1e-6)
    by_database = CliRunner().invoke(app, [*words, "--reference", str(loaded.model.memory.store.folder)])
    assert by_database.exit_code == 0, by_database.output
    assert json.loads(by_database.stdout)["checkpoint"]["references"] == loaded.model.memory.store.digest
    plain = CliRunner().invoke(app, [*words[:-1], "--checkpoint", str(checkpoint)], env={"COLUMNS": "200"})
    assert "Method shipped: what 'vidtag geolocate' answers" in " ".join(plain.output.split())


def test_ways_of_references_are_those_of_their_drives(tmp_path):
    """With the headings that a training keeps, and without any, when a drive's own images tell."""
    torch.manual_seed(0)
    some, asked = drives(8), drives(3, seed=5)
    memory = ReferenceDatabase.remembering(
        [torch.nn.Linear(24, 12) for _ in SCALES], [(torch.from_numpy(s.seen), torch.from_numpy(s.lat_lon_deg)) for s in some]
    )
    stored = opened(tmp_path / "mine" / "model.safetensors", keep(tmp_path / "mine", memory, some, "vidtag-compact", STEP_M))
    places = [one.lat_lon_deg for one in asked]
    expected = [DrivenWays.of_tracks([one.lat_lon_deg for one in some]).frames(track) for track in places]
    assert len({way for frames in expected for way in frames}) > 2
    assert [DrivenWays.of_references(stored, np.concatenate(places)).frames(track) for track in places] == expected
    (path,) = stored.store.folder.glob("segments/*/rows.npy")
    rows = np.load(path)
    rows["heading_deg"] = np.nan
    np.save(path, rows)
    blind = type(stored)(Store.open(stored.store.folder))
    assert [DrivenWays.of_references(blind, np.concatenate(places)).frames(track) for track in places] == expected
    away = DrivenWays.of_references(blind, places[0] + 10.0).frames(places[0] + 10.0)
    assert set(away) == {NEVER_DRIVEN}
