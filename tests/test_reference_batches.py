"""A database that is made in batches: memory holds one, finished ones are never made again, and no drive is split."""

from __future__ import annotations

import itertools
import math
import weakref
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.test_reference_build import FRAMES, STEP_M, sources, ways
from tests.world_maker import fly, ground
from vidtag_engine.datasets import LabelledSequence
from vidtag_engine.datasets.training_sequence import TrainingSequence
from vidtag_engine.feedback import Feedback
from vidtag_engine.reference.images import ReferenceImage
from vidtag_engine.reference.store import WHITENING, Store
from vidtag_engine.settings import ReferenceSettings
from vidtag_engine.training import reference_build
from vidtag_engine.training.reference_build import build
from vidtag_engine.types import CancelledError

pytestmark = pytest.mark.slow
SETTINGS = ReferenceSettings(resolution_m=STEP_M, width=8, calibrate=False)
FLIGHTS = 7


@pytest.fixture(scope="module")
def flights(tmp_path_factory) -> Path:
    folder, world = tmp_path_factory.mktemp("flights"), ground()
    for number, way in enumerate(ways(FLIGHTS)):
        fly(folder / f"flight{number:02d}.mp4", way, FRAMES, world=world)
    return folder


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr("vidtag_engine.training.reference_parts.BATCH_IMAGES", 2 * FRAMES)


def of_drives(store: Store) -> dict[int, list[tuple[int, float, float]]]:
    """By drive, its images' numbers and places in their order."""
    found: dict[int, list[tuple[int, float, float]]] = {}
    for row, (lat, lon) in zip(store.rows, store.lat_lon_deg.tolist(), strict=True):
        found.setdefault(int(row["drive"]), []).append((int(row["number"]), lat, lon))
    return {drive: sorted(images) for drive, images in found.items()}


def test_batches_give_what_one_addition_gives_whitened_by_the_first(flights, tmp_path, monkeypatch):
    store = build(tmp_path / "batches", sources(flights, FLIGHTS), SETTINGS).store
    assert [one.rows for one in store.manifest.segments] == [2 * FRAMES, 2 * FRAMES, 2 * FRAMES, FRAMES]
    monkeypatch.setattr("vidtag_engine.training.reference_parts.BATCH_IMAGES", 50_000)
    at_once = build(tmp_path / "once", sources(flights, FLIGHTS), SETTINGS).store
    assert [one.rows for one in at_once.manifest.segments] == [FLIGHTS * FRAMES]
    assert of_drives(store) == of_drives(at_once)
    assert {one.image for one in store.shown(range(len(store.rows)))} == {one.image for one in at_once.shown(range(len(store.rows)))}
    first = build(tmp_path / "first", sources(flights, 2), SETTINGS).store
    assert (store.folder / WHITENING).read_bytes() == (first.folder / WHITENING).read_bytes()
    assert (store.folder / WHITENING).read_bytes() != (at_once.folder / WHITENING).read_bytes()


def test_where_little_is_kept_segments_are_not_tiny(flights, tmp_path):
    """Three of a flight's 24 images: five flights are loaded, described and let go before there are enough for a segment."""
    store = build(tmp_path / "db", sources(flights, FLIGHTS), SETTINGS.model_copy(update={"every_m": 110.0})).store
    kept = len(store.rows) // FLIGHTS
    assert 2 <= kept <= 4
    assert [one.rows for one in store.manifest.segments] == [len(store.rows)]


def test_no_more_than_a_batch_is_in_memory(flights, tmp_path, monkeypatch):
    alive, most = 0, []

    def gone() -> None:
        nonlocal alive
        alive -= FRAMES

    def loaded(*given) -> list[TrainingSequence]:
        nonlocal alive
        found = load(*given)
        for one in found:
            alive += len(one)
            weakref.finalize(one, gone)
        most.append(alive)
        return found

    load = reference_build.load_sequences
    monkeypatch.setattr(reference_build, "load_sequences", loaded)
    assert build(tmp_path / "db", sources(flights, FLIGHTS), SETTINGS).added == FLIGHTS * FRAMES
    assert len(most) == FLIGHTS
    assert max(most) <= 3 * FRAMES  # a batch, and the source that the loop holds


def test_broken_off_between_batches_it_goes_on_with_what_is_not_in_it(flights, tmp_path, monkeypatch):
    grown = 0

    def tell(progress) -> None:
        nonlocal grown
        grown += "images are in it" in progress.message

    with pytest.raises(CancelledError, match="goes on"):
        build(tmp_path / "db", sources(flights, FLIGHTS), SETTINGS, feedback=Feedback(tell, lambda: grown == 2))
    before = Store.open(tmp_path / "db")
    assert len(before.rows) == 4 * FRAMES
    segments = {file: file.read_bytes() for one in before.manifest.segments for file in (before.folder / "segments" / one.name).iterdir()}
    asked = []

    def loaded(features, wanted, *given) -> list[TrainingSequence]:
        asked.extend(one.name for one in wanted)
        return load(features, wanted, *given)

    load = reference_build.load_sequences
    monkeypatch.setattr(reference_build, "load_sequences", loaded)
    built = build(tmp_path / "db", sources(flights, FLIGHTS), SETTINGS)
    assert asked == [f"flight{number:02d}.mp4" for number in range(4, FLIGHTS)]
    assert (built.added, built.there) == (3 * FRAMES, 4)
    assert {file: file.read_bytes() for file in segments} == segments
    whole = build(tmp_path / "whole", sources(flights, FLIGHTS), SETTINGS).store
    assert of_drives(built.store) == of_drives(whole)
    assert not (tmp_path / "db" / "building").exists()


def test_views_of_one_drive_are_one_drive_and_in_one_batch(tmp_path, monkeypatch):
    """Four drives of three views each, four pictures a view, the views of the drives in turn: a batch is full amid a drive."""
    monkeypatch.setattr("vidtag_engine.training.reference_parts.BATCH_IMAGES", 16)
    world, lists, known = ground(), [], {}
    for number in range(12):
        drive, paths, images = number % 4, [], []
        for frame in range(4):
            path = tmp_path / "pictures" / f"{number}-{frame}.png"
            path.parent.mkdir(exist_ok=True)
            at = 40 * drive + 9 * frame
            Image.fromarray(np.ascontiguousarray(world[at : at + 64, 50 * number : 50 * number + 64])).save(path)
            paths.append(str(path))
            images.append(
                ReferenceImage(
                    "panoramax",
                    f"{drive}-{frame}@{number // 4}",
                    f"d{drive}",
                    55.7 + 1e-3 * drive,
                    13.2 + 1e-4 * frame,
                    60.0,
                    1.7e9 + frame,
                )
            )
        places = np.array([[one.lat_deg, one.lon_deg] for one in images])
        lists.append(LabelledSequence(f"list {number}", Path("/"), tuple(paths), "images", np.arange(4.0), places, f"drive {drive}"))
        known[f"list {number}"] = images
    settings = SETTINGS.model_copy(update={"every_m": 0.0})
    store = build(tmp_path / "db", lists, settings, described=lambda one: known[one.name]).store
    assert [one.rows for one in store.manifest.segments] == [24, 24]
    bounds = np.cumsum([0, *(one.rows for one in store.manifest.segments)])
    by_drive: dict[int, set[str]] = {}
    for one in store.shown(range(len(store.rows))):
        by_drive.setdefault(int(store.rows[one.row]["drive"]), set()).add(one.image.image_id.split("-")[0])
        assert math.isfinite(one.image.time_s)
    assert sorted(by_drive.values(), key=min) == [{"0"}, {"1"}, {"2"}, {"3"}]
    for begin, end in itertools.pairwise(bounds):
        assert len(set(store.rows["drive"][begin:end])) == 2
