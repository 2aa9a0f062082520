"""The reference images of a checkpoint: a database in its folder, read as the one in memory was; and one that it is calibrated with."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from tests.test_models_vidtag import units
from tests.world_maker import aoi_text, fly, ground
from vidtag_engine.calibration.calibrate import calibrate_path
from vidtag_engine.cli.app import app
from vidtag_engine.datasets.training_sequence import TrainingSequence
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.grid import load_aoi, make_grid
from vidtag_engine.loaded import load, load_references
from vidtag_engine.models.checkpoint import WITH_REFERENCES
from vidtag_engine.models.checkpoint_references import PREFIX, opened
from vidtag_engine.models.reference_database import ReferenceDatabase
from vidtag_engine.reference.database import StoredReferences
from vidtag_engine.reference.descriptor import SCALES
from vidtag_engine.reference.store import Store
from vidtag_engine.settings import ReferenceSettings
from vidtag_engine.training import TrainingSource, recalibrate, recipe, train
from vidtag_engine.training.kept_references import keep
from vidtag_engine.training.reference_build import build, key_of
from vidtag_engine.trajectory import LEAST_VIDEOS, Calibration
from vidtag_engine.types import InputError

FRAMES, STEP_M = 14, 20.0
METRE_DEG = 1.0 / 111_195.0


def way(number: int) -> list[tuple[float, float]]:
    y_m = 60.0 + 280.0 * (number % 5) / 4 + 3.0 * (number // 5)
    return [(40.0, y_m), (360.0, y_m + 4.0)]


@pytest.fixture(scope="module")
def flights(tmp_path_factory) -> Path:
    folder, world = tmp_path_factory.mktemp("flights"), ground()
    for number in range(11):
        fly(folder / f"flight{number:02d}.mp4", way(number), FRAMES, world=world)
    return folder


def sources(folder: Path, *numbers: int) -> list[TrainingSource]:
    return [TrainingSource(folder / f"flight{n:02d}.mp4", folder / f"flight{n:02d}.gpx", "video") for n in numbers]


def trained(flights: Path, output: Path, **changes) -> Path:
    settings = recipe(
        "default", resolution_m=STEP_M, sigma="site", phase1_steps=20, phase2_steps=0, validate_every=20, remembered_width=24, **changes
    )
    train(sources(flights, 0, 3, 7), load_aoi(aoi_text()), output, settings, feature_folder=output.parent / "features")
    return output


@pytest.fixture(scope="module")
def checkpoint(flights, tmp_path_factory) -> Path:
    return trained(flights, tmp_path_factory.mktemp("trained") / "field")


@pytest.fixture(scope="module")
def database(flights, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("references") / "field"
    build(output, sources(flights, *range(10)), ReferenceSettings(resolution_m=STEP_M, width=24), aoi=load_aoi(aoi_text()))
    return output


def own_folder(checkpoint: Path) -> Path:
    (found,) = checkpoint.glob(f"{PREFIX}*")
    return found


def drives(count: int = 6, frames: int = 30, seed: int = 0) -> list[TrainingSequence]:
    rng, draws = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    found = []
    for number in range(count):
        steps = rng.normal(0.0, 15.0, (frames, 2)).cumsum(axis=0) + rng.uniform(0.0, 400.0, 2)
        features = torch.randn(1, frames, 24, generator=draws).numpy()
        found.append(TrainingSequence(f"drive {number}", features, steps * METRE_DEG, np.arange(frames, dtype=float)))
    return found


def test_the_database_says_just_what_the_frames_in_memory_did(tmp_path):
    torch.manual_seed(0)
    some = drives()
    whitening = [torch.nn.Linear(24, 12) for _ in SCALES]
    memory = ReferenceDatabase.remembering(whitening, [(torch.from_numpy(s.seen), torch.from_numpy(s.lat_lon_deg)) for s in some])
    card = keep(tmp_path / "mine", memory, some, "vidtag-compact", STEP_M)
    stored = opened(tmp_path / "mine" / "model.safetensors", card)
    assert isinstance(stored, StoredReferences)
    assert len(stored) == len(memory.embeddings) == 180
    places = np.concatenate(list(make_grid(load_aoi("0,0,0.004,0.004"), STEP_M).chunks()))
    asked = units(5, 48)
    torch.testing.assert_close(stored.in_context(torch.from_numpy(some[0].seen)), memory.in_context(torch.from_numpy(some[0].seen)))
    said, before = (one.over(places, STEP_M, 120.0, 200) for one in (stored, memory))
    torch.testing.assert_close(said(asked), before(asked), atol=1e-6, rtol=0)
    # What is hidden about a way is the same there, though the rows lie in another order.
    hidden = [one.near(some[2].lat_lon_deg, 60.0) for one in (stored, memory)]
    assert 30 <= int(hidden[0].sum()) == int(hidden[1].sum()) < 180
    torch.testing.assert_close(said(asked, hidden[0]), before(asked, hidden[1]), atol=1e-6, rtol=0)
    np.testing.assert_allclose(np.unique(stored.places_deg, axis=0), np.unique(np.concatenate([s.lat_lon_deg for s in some]), axis=0))


def test_a_drive_in_the_other_way_is_found_by_its_mirrored_pictures(tmp_path):
    """What stood on the left stands on the right, and the drive is run through from its end."""
    torch.manual_seed(0)
    draws = torch.Generator().manual_seed(1)
    some = [replace(one, layout=torch.randn(len(one), 2 * 4 * 6, generator=draws).numpy()) for one in drives()]
    whitening = [torch.nn.Linear(24, 12) for _ in SCALES] + [torch.nn.Linear(48, 12) for _ in SCALES]
    memory = ReferenceDatabase.remembering(whitening, [(torch.from_numpy(s.seen), torch.from_numpy(s.lat_lon_deg)) for s in some])
    stored = opened(tmp_path / "mine" / "model.safetensors", keep(tmp_path / "mine", memory, some, "vidtag-compact", STEP_M))
    assert stored is not None
    places = np.concatenate(list(make_grid(load_aoi("-0.004,-0.004,0.008,0.008"), STEP_M).chunks()))
    back = some[3].seen[::-1].copy()
    back[:, 24:] = back[:, 24:].reshape(30, 2, 4, 6)[..., ::-1].reshape(30, 48)
    back[:, :24] = torch.randn(30, 24, generator=draws).numpy()  # from the other side nothing else looks alike
    found = {}
    for either_way in (False, True):
        scores = stored.over(places, STEP_M, 60.0, 20, either_way=either_way)(
            stored.in_context(torch.from_numpy(back)), None, stored.mirrored(torch.from_numpy(back))
        )
        best = places[scores.argmax(dim=1).numpy()]
        found[either_way] = np.mean(haversine_m(*best.T, *some[3].lat_lon_deg[::-1].T) < 2.0 * STEP_M)
    assert found[True] > 0.6
    assert found[False] < 0.2


@pytest.mark.slow
def test_a_training_keeps_its_frames_as_a_database_that_tells_nothing_of_whose_they_are(checkpoint):
    plain = json.loads((checkpoint / "config.json").read_text())
    assert plain["format_version"] == WITH_REFERENCES
    assert plain["references"]["folder"] == own_folder(checkpoint).name
    assert plain["config"]["remembered"] == 0
    store = Store.open(own_folder(checkpoint))
    assert store.manifest.private
    assert plain["references"]["content"] == store.content
    assert len(store.rows) >= 2 * FRAMES
    assert np.isnan(store.rows["time_s"]).all()
    shown = store.shown(range(len(store.rows)))
    assert all(one.thumbnail is None and not one.image.author and "flight" not in one.image.image_id for one in shown)
    assert store.attribution() == []
    found = load(str(checkpoint))
    assert isinstance(found.model.memory, StoredReferences)
    assert found.references == store.digest
    assert "of this checkpoint with these" not in found.calibration.cannot_tell
    alone = load(str(checkpoint / "model.safetensors"))
    assert isinstance(alone.model.memory, StoredReferences)


@pytest.mark.slow
def test_a_checkpoint_without_its_images_says_what_to_copy(checkpoint, tmp_path):
    shutil.copytree(checkpoint, tmp_path / "moved", ignore=shutil.ignore_patterns("training"))
    assert load(str(tmp_path / "moved")).references == load(str(checkpoint)).references
    name = own_folder(tmp_path / "moved").name
    shutil.rmtree(tmp_path / "moved" / name)
    with pytest.raises(InputError, match=f"lacks its reference images: copy the folder {name}"):
        load(str(tmp_path / "moved"))
    card = json.loads((checkpoint / "config.json").read_text())
    card["references"]["folder"] = f"{PREFIX}x/../../elsewhere"
    (tmp_path / "moved" / "config.json").write_text(json.dumps(card))
    with pytest.raises(InputError, match="names .* as the folder of its reference images: it is damaged"):
        load(str(tmp_path / "moved"))


@pytest.mark.slow
def test_a_checkpoint_whose_images_were_changed_is_not_rated_by_what_was_fitted_before(checkpoint, tmp_path):
    shutil.copytree(checkpoint, tmp_path / "changed", ignore=shutil.ignore_patterns("training"))
    folder = own_folder(tmp_path / "changed")
    store = Store.open(folder)
    gone = np.zeros(len(store.rows), dtype=bool)
    gone[:5] = True
    store.remove(gone)
    found = load(str(tmp_path / "changed"))
    assert len(found.model.memory) == len(gone) - 5
    assert "was never measured" in found.calibration.cannot_tell
    Store.open(folder).remove(~gone)
    with pytest.raises(InputError, match="holds no reference images"):
        load(str(tmp_path / "changed"))


@pytest.mark.slow
def test_a_training_anew_leaves_none_of_the_old_images(flights, tmp_path):
    output = trained(flights, tmp_path / "field")
    first = own_folder(output)
    shutil.copytree(first, output / f"{PREFIX}0badcafe")  # as of a process that was killed between images and card
    (output / f"{PREFIX}notes").mkdir()
    trained(flights, output, seed=5)
    assert not first.exists()
    assert not (output / f"{PREFIX}0badcafe").exists()
    assert (output / f"{PREFIX}notes").is_dir()
    named = json.loads((output / "config.json").read_text())["references"]["folder"]
    assert sorted(one.name for one in output.glob(f"{PREFIX}*")) == sorted([named, f"{PREFIX}notes"])
    assert load(str(output)).references


def command(*arguments: str) -> dict:
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.slow
def test_a_checkpoint_and_a_database_are_calibrated_together_and_stay_what_they_are_alone(checkpoint, database, flights, tmp_path):
    store = Store.open(database)
    both = ["--checkpoint", str(tmp_path / "new"), "--reference", str(database)]
    videos = [
        part
        for n in range(LEAST_VIDEOS)
        for part in ("--video", str(flights / f"flight{n:02d}.mp4"), "--truth", str(flights / f"flight{n:02d}.gpx"))
    ]
    said = command("calibrate", str(checkpoint), "--reference", str(database), *videos, "--output", str(tmp_path / "new"))
    assert any(f"{LEAST_VIDEOS} held-out videos calibrated" in line for line in said["tells"])
    card = json.loads((tmp_path / "new" / "config.json").read_text())
    before = json.loads((checkpoint / "config.json").read_text())
    assert card["calibration"] == before["calibration"]
    assert card["sha256"] == before["sha256"] == said["sha256"]
    assert list(card["references"]["beside"]) == [store.content]
    assert own_folder(tmp_path / "new").name == own_folder(checkpoint).name
    fitted = load_references(str(database), checkpoint=load(str(tmp_path / "new")))
    assert fitted.calibration.cannot_tell == ""
    assert fitted.calibration.path.videos == LEAST_VIDEOS
    assert fitted.calibration.to_dict() == Calibration.from_dict(card["references"]["beside"][store.content]).to_dict()
    assert "was never measured" in load_references(str(database), checkpoint=load(str(checkpoint))).calibration.cannot_tell
    # It holds for the database as it was, wherever that lies; not for what it has become since.
    shutil.copytree(database, tmp_path / "copy")
    assert load_references(str(tmp_path / "copy"), checkpoint=load(str(tmp_path / "new"))).calibration.cannot_tell == ""
    gone = np.zeros(len(store.rows), dtype=bool)
    gone[0] = True
    Store.open(tmp_path / "copy").remove(gone)
    assert load_references(str(tmp_path / "copy"), checkpoint=load(str(tmp_path / "new"))).calibration.cannot_tell
    area = f"--aoi={aoi_text()}"
    rated = command(
        "geolocate",
        str(flights / "flight10.mp4"),
        *both,
        area,
        "--resolution-m",
        "10",
        "--always-answer",
        "--output",
        str(tmp_path / "a.gpkg"),
    )
    assert rated["not_rated"] == 0


@pytest.mark.slow
def test_what_the_checkpoint_keeps_of_a_video_is_not_read_for_it(checkpoint, flights, tmp_path, monkeypatch):
    """Neither what its training kept, nor what was added to that since."""
    shutil.copytree(checkpoint, tmp_path / "more", ignore=shutil.ignore_patterns("training"))
    build(own_folder(tmp_path / "more"), sources(flights, 5), ReferenceSettings(resolution_m=STEP_M, width=24))
    store = Store.open(own_folder(tmp_path / "more"))
    seen: list[np.ndarray] = []

    def fitted(*given, own, **options):
        seen.extend(own(number).numpy() for number in range(LEAST_VIDEOS))
        return calibrate_path(*given, own=own, **options)

    monkeypatch.setattr(recalibrate, "calibrate_path", fitted)
    recalibrate.recalibrate(load(str(tmp_path / "more")), sources(flights, *range(LEAST_VIDEOS)), tmp_path / "new")
    assert len(store.rows) == 4 * FRAMES
    assert [int(mine.sum()) for mine in seen] == [FRAMES * (number in (0, 3, 5, 7)) for number in range(LEAST_VIDEOS)]
    for number in (0, 3, 5, 7):
        # Ways of the world are three metres apart and more.
        track = ET.parse(flights / f"flight{number:02d}.gpx").findall(".//{*}trkpt")
        lat, lon = np.array([(float(point.get("lat")), float(point.get("lon"))) for point in track]).T
        far_m = haversine_m(*store.lat_lon_deg[:, None].transpose(2, 0, 1), lat, lon).min(axis=1)
        np.testing.assert_array_equal(seen[number], far_m < 1.0)


@pytest.mark.slow
def test_a_target_that_has_other_images_is_refused_before_the_work(checkpoint, flights, tmp_path):
    shutil.copytree(checkpoint, tmp_path / "other", ignore=shutil.ignore_patterns("training"))
    store = Store.open(own_folder(tmp_path / "other"))
    store.remove(np.arange(len(store.rows)) < 5)
    with pytest.raises(InputError, match="holds something else than the reference images of the checkpoint"):
        recalibrate.recalibrate(load(str(checkpoint)), sources(flights, *range(LEAST_VIDEOS)), tmp_path / "other")
    assert not list((tmp_path / "other" / "calibration").iterdir())
    assert json.loads((tmp_path / "other" / "config.json").read_text()) == json.loads((checkpoint / "config.json").read_text())


@pytest.mark.slow
def test_the_rows_of_a_video_are_told_by_its_content(database, flights):
    store = Store.open(database)
    rows = [store.rows_of(key_of(one)) for one in sources(flights, *range(10))]
    assert sorted(np.concatenate(rows).tolist()) == list(range(len(store.rows)))
    assert all(len(of) == FRAMES and len(np.unique(store.rows["drive"][of])) == 1 for of in rows)
    assert not len(store.rows_of("nobody's"))
