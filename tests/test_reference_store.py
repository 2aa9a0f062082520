"""The database on disk: what is added is there, in whatever order; what is broken off is not; what is damaged says so."""

from __future__ import annotations

import json
import math
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import shapely
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.test_reference_codes import units
from vidtag_engine.file_marks import own_kind
from vidtag_engine.grid import load_aoi
from vidtag_engine.reference.addition import ROW, Addition
from vidtag_engine.reference.database import StoredReferences
from vidtag_engine.reference.descriptor import Descriptor
from vidtag_engine.reference.images import ReferenceImage
from vidtag_engine.reference.manifest import MANIFEST, Manifest
from vidtag_engine.reference.order import along_curve
from vidtag_engine.reference.store import CODES, IMAGES, PLACES, ROWS, Store
from vidtag_engine.types import InputError

WIDTH = 3  # of a band; two halves of four bands


def descriptor() -> Descriptor:
    torch.manual_seed(0)
    return Descriptor(12, WIDTH, 8)


def manifest(name: str = "town") -> Manifest:
    return Manifest(name, "vidtag-compact", 12, WIDTH, 8, 1.0, 100.0)


def addition(count: int, seed: int = 0, sequences: int = 3, licence: str = "CC-BY-SA-4.0", lon_deg: float = 13.19) -> Addition:
    rng = np.random.default_rng(seed)
    rows = np.zeros(count, dtype=ROW)
    places = np.stack([55.7 + 0.02 * rng.random(count), lon_deg + 0.03 * rng.random(count)], axis=1)
    rows["time_s"], rows["heading_deg"] = 1.7e9 + np.arange(count), np.where(rng.random(count) < 0.2, np.nan, 360 * rng.random(count))
    rows["sequence"], rows["number"] = np.arange(count) % sequences, np.arange(count) // sequences
    rows["drive"] = rows["sequence"]
    images = [
        ReferenceImage(
            "panoramax", f"{seed}-{number}", f"s{number % sequences}", *map(float, places[number]),
            float(row["heading_deg"]), float(row["time_s"]), 5.0 if number % 2 else math.nan, author="Ann", licence=licence, licence_url="https://l",
        )
        for number, row in enumerate(rows)
    ]  # fmt: skip
    return Addition(
        units(count, 8 * WIDTH, seed), places, rows, images, [b"\xff\xd8" + bytes([n % 251]) if n % 3 else None for n in range(count)]
    )


@pytest.fixture(scope="module")
def three(tmp_path_factory) -> Store:
    empty = Store.create(tmp_path_factory.mktemp("three") / "db", manifest(), descriptor())
    return empty.add(addition(70)).add(addition(1, 1)).add(addition(69, 2))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(tmp_path / "db", manifest(), descriptor())


def test_what_is_added_is_there_again_with_all_that_belongs_to_it(store):
    given, later = addition(200), addition(60, 1)
    store.add(given).add(later)
    found = Store.open(store.folder)
    assert len(found.rows) == 260
    assert own_kind(found.folder / MANIFEST) == "references"
    shown = found.shown(range(260))
    by_id = {one.image.image_id: one for one in shown}
    for number, image in enumerate(given.images):
        one = by_id[image.image_id]
        assert one.thumbnail == given.thumbnails[number]
        assert (one.image.author, one.image.licence, one.image.sequence) == ("Ann", "CC-BY-SA-4.0", image.sequence)
        assert (one.image.lat_deg, one.image.lon_deg) == (image.lat_deg, image.lon_deg)
        assert tuple(found.lat_lon_deg[one.row]) == (image.lat_deg, image.lon_deg)
        np.testing.assert_allclose(found.descriptors(np.array([one.row]))[0], given.descriptors[number], atol=0.01)
        assert math.isnan(one.image.accuracy_m) == (number % 2 == 0)
    # Sequences of two additions are different ones, though both count from 0.
    assert set(found.rows["sequence"][:200]) == {0, 1, 2}
    assert set(found.rows["sequence"][200:]) == {3, 4, 5}
    assert all(torch.equal(a, b) for a, b in zip(found.descriptor.state_dict().values(), descriptor().state_dict().values(), strict=True))


def test_platforms_and_authors_are_named_once_a_licence_and_ones_own_not_at_all(store):
    own = addition(9, 3, licence="")
    found = store.add(addition(20)).add(addition(20, 1, licence="CC0-1.0")).add(own).add(addition(5, 4))
    assert found.attribution() == ["Pictures: panoramax (CC-BY-SA-4.0): Ann", "Pictures: panoramax (CC0-1.0): Ann"]


def test_contents_are_told_apart_and_stay_when_they_are_calibrated(store):
    found = store.add(addition(20))
    fitted = found.with_calibration({"temperature": 1.0})
    assert fitted.content == found.content
    assert fitted.digest != found.digest
    gone = np.arange(20) == 3
    assert len({found.content, fitted.remove(gone).content, Store.open(store.folder).add(addition(4)).content}) == 3


def test_asked_in_any_order_rows_come_in_that_order(store):
    found = store.add(addition(1300))
    asked = np.random.default_rng(0).permutation(1300)[:900]
    assert [one.row for one in found.shown(asked)] == asked.tolist()


def test_removed_rows_are_neither_found_nor_counted_and_stay_so(store):
    found = store.add(addition(100)).add(addition(50, 1))
    gone = np.zeros(150, dtype=bool)
    gone[[3, 40, 120]] = True
    found = found.remove(gone)
    again = np.zeros(150, dtype=bool)
    again[7] = True
    found.remove(again)
    found = Store.open(store.folder)
    assert np.flatnonzero(~found.there).tolist() == [3, 7, 40, 120]
    references = StoredReferences(found)
    assert len(references) == 146
    everywhere = found.lat_lon_deg
    assert sorted(np.flatnonzero(references.near(everywhere, 1.0).numpy()).tolist()) == np.flatnonzero(found.there).tolist()
    masks = [*(found.folder / "segments").glob("*/removed-*.npy")]
    assert len(masks) == 2  # the older mask of the first addition is cleared away


def test_an_addition_that_is_gone_altogether_leaves_the_disk(store):
    found = store.add(addition(30)).add(addition(20, 1))
    gone = np.arange(50) < 30
    found = found.remove(gone)
    assert [segment.rows for segment in found.manifest.segments] == [20]
    assert len([*(found.folder / "segments").iterdir()]) == 1
    assert {one.image.image_id[0] for one in found.shown(range(20))} == {"1"}


def test_an_addition_broken_off_anywhere_leaves_the_database_as_it_was(store, monkeypatch):
    found = store.add(addition(40))
    before = {file: file.read_bytes() for file in found.folder.rglob("*") if file.is_file()}

    def broken(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for name in ("write_images", "encode", "along_curve"):
        with monkeypatch.context() as patch:
            patch.setattr(f"vidtag_engine.reference.store.{name}", broken)
            with pytest.raises(KeyboardInterrupt):
                found.add(addition(10, 2))
        assert {file: file.read_bytes() for file in found.folder.rglob("*") if file.is_file()} == before
    # Ended between the segment and the manifest, what was written belongs to nothing, and goes with the next change.
    with monkeypatch.context() as patch:
        patch.setattr("vidtag_engine.reference.store._write", broken)
        with pytest.raises(KeyboardInterrupt):
            found.add(addition(10, 2))
    assert len(Store.open(found.folder).rows) == 40
    assert len(Store.open(found.folder).add(addition(5, 3)).rows) == 45
    assert len([*(found.folder / "segments").iterdir()]) == 2


def test_an_empty_database_broken_off_while_it_is_made_is_made_again(tmp_path, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for name in ("save_file", "_write"):
        with monkeypatch.context() as patch:
            patch.setattr(f"vidtag_engine.reference.store.{name}", broken)
            with pytest.raises(KeyboardInterrupt):
                Store.create(tmp_path / "db", manifest(), descriptor())
        with pytest.raises(InputError, match="no database"):
            Store.open(tmp_path / "db")
    assert len(Store.create(tmp_path / "db", manifest(), descriptor()).add(addition(5)).rows) == 5
    with pytest.raises(InputError, match="give a new folder"):
        Store.create(tmp_path / "db", manifest(), descriptor())


def test_two_writers_do_not_undo_each_other(store):
    first, second = Store.open(store.folder), Store.open(store.folder)
    first.add(addition(10))
    with pytest.raises(InputError, match="changed by another program"):
        second.add(addition(10, 1))
    assert len(Store.open(store.folder).rows) == 10


def test_a_change_takes_back_what_was_fitted(store):
    found = store.add(addition(10)).with_calibration({"temperature": 0.1})
    assert Store.open(found.folder).manifest.calibration == {"temperature": 0.1}
    assert Store.open(found.folder).add(addition(5, 1)).manifest.calibration == {}


def test_somebody_elses_folder_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("Dear Ann")
    with pytest.raises(InputError, match="give a new folder"):
        Store.create(tmp_path / "mine", manifest(), descriptor())
    with pytest.raises(InputError, match="no database"):
        Store.open(tmp_path / "mine")
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def _pickled(path: Path) -> None:
    with path.open("wb") as handle:
        np.save(handle, np.array([{"a": 1}], dtype=object), allow_pickle=True)


def _raw_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps([1, 2]))


def _one_more(path: Path) -> None:
    np.save(path, np.concatenate([np.load(path)] * 2))


@pytest.mark.parametrize("harm", [_cut, _pickled, _raw_pickle, _one_more, Path.unlink])
@pytest.mark.parametrize("name", [CODES, PLACES, ROWS])
def test_a_damaged_array_is_a_sentence(store, name, harm):
    found = store.add(addition(30))
    harm(found.folder / "segments" / found.manifest.segments[0].name / name)
    with pytest.raises(InputError, match="damaged"):
        Store.open(found.folder)


def test_places_that_are_no_numbers_are_damage(store):
    found = store.add(addition(30))
    path = found.folder / "segments" / found.manifest.segments[0].name / PLACES
    places = np.load(path)
    places[4, 0] = np.nan
    np.save(path, places)
    with pytest.raises(InputError, match="damaged"):
        Store.open(found.folder)


def test_damaged_words_about_images_are_a_sentence(store):
    found = store.add(addition(30))
    path = found.folder / "segments" / found.manifest.segments[0].name / IMAGES
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(InputError, match="damaged|lacks"):
        found.shown([0, 1])


@pytest.mark.parametrize(
    "change",
    [
        {"format_version": 99}, {"format_version": "1"}, {"scale": 0}, {"scale": "x"}, {"segments": 3}, {"width": -1}, {"calibration": []},
        {"segments": [{"name": "../../elsewhere", "rows": 3, "removed": "", "licences": []}]},
        {"segments": [{"name": "000001", "rows": 30, "removed": "/etc/hosts", "licences": []}]},
    ],
)  # fmt: skip
def test_a_manifest_that_makes_no_sense_is_a_sentence(store, change):
    found = store.add(addition(30))
    values = json.loads((found.folder / MANIFEST).read_text())
    (found.folder / MANIFEST).write_text(json.dumps(values | change))
    with pytest.raises(InputError, match=r"database\.json"):
        Store.open(found.folder)


def test_a_database_may_be_moved_and_read_only(store, tmp_path):
    store.add(addition(30))
    moved = tmp_path / "elsewhere"
    shutil.move(store.folder, moved)
    for file in moved.rglob("*"):
        if file.is_file():
            file.chmod(0o444)
    found = Store.open(moved)
    assert len(found.shown([0])) == 1
    assert len(StoredReferences(found).over(found.lat_lon_deg[:4], 50.0, 100.0)(torch.from_numpy(units(2, 8 * WIDTH)))) == 2


@settings(deadline=None, max_examples=30)
@given(st.sets(st.integers(0, 139)))
def test_rows_that_are_read_are_those_that_are_mapped(three, rows):
    chosen = np.array(sorted(rows), dtype=np.int64)
    np.testing.assert_array_equal(three.codes_of(chosen), np.concatenate(three.codes)[chosen])


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 400), st.integers(0, 5))
def test_the_curve_is_an_order_of_all(count, seed):
    rng = np.random.default_rng(seed)
    lat, lon = rng.uniform(-80, 80, count), rng.uniform(-180, 180, count)
    assert sorted(along_curve(lat, lon).tolist()) == list(range(count))


def test_along_the_curve_neighbours_are_near():
    lat, lon = np.random.default_rng(0).random((2, 4000))
    order = along_curve(lat, lon)
    step = np.hypot(np.diff(lat[order]), np.diff(lon[order]))
    assert np.median(step) < 0.03  # of at random 0.5; the spacing is 0.016


@pytest.mark.parametrize("lon_deg", [13.19, 179.985, -179.995])
def test_an_area_reads_its_own_rows_also_over_the_antimeridian(tmp_path, lon_deg):
    given = addition(500, lon_deg=lon_deg)
    given.lat_lon_deg[:, 1] = (given.lat_lon_deg[:, 1] + 180.0) % 360.0 - 180.0
    found = Store.create(tmp_path / "db", manifest(), descriptor()).add(given)
    references = StoredReferences(found)
    middle = np.array([[55.71, (lon_deg + 0.015 + 180.0) % 360.0 - 180.0]])
    within = references.near(middle, 400.0).numpy()
    lat, lon = found.lat_lon_deg.T
    apart_m = 111_195.0 * np.hypot(lat - 55.71, ((lon - middle[0, 1] + 180) % 360 - 180) * math.cos(math.radians(55.71)))
    np.testing.assert_array_equal(within, apart_m <= 400.0)
    area = load_aoi(",".join(map(str, found.extent_deg)))
    assert area.area_m2 < 1e8  # the town and its reach, and not all the way around
    assert all(area.geometry.intersects(shapely.Point(lon, lat)) for lat, lon in found.lat_lon_deg[::25])
    box = references.rows_about(middle, 400.0)
    assert set(np.flatnonzero(within)) <= set(box.tolist())
    assert len(box) < 200


def test_a_part_that_is_read_and_a_whole_that_is_mapped_say_the_same(three, monkeypatch):
    references, frames = StoredReferences(three), torch.from_numpy(units(5, 8 * WIDTH, 9))
    hidden = torch.from_numpy(np.random.default_rng(0).random(140) < 0.2)
    said = []
    for share in (0.0, 1.0):
        monkeypatch.setattr("vidtag_engine.reference.database._IN_MEMORY", share)
        similarity = references.over(three.lat_lon_deg[:40], 50.0, 300.0, 10)
        said.append((similarity(frames, hidden), similarity.search.nearest(frames.numpy(), 10).rows))
    assert torch.equal(said[0][0], said[1][0])
    np.testing.assert_array_equal(said[0][1], said[1][1])
