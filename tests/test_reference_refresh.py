"""Databases of a platform's pictures, brought to what the platform gives now: the real Panoramax server, its pictures blurred anew by its own means."""

from __future__ import annotations

import io
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.panoramax_server import PanoramaxServer, Shot
from tests.panoramax_server import serving
from tests.test_reference_panoramax import typed
from tests.test_reference_store import addition, descriptor, manifest
from vidtag_engine.feedback import Feedback
from vidtag_engine.grid.aoi import load_aoi
from vidtag_engine.reference.sources import Panoramax
from vidtag_engine.reference.store import IMAGES, Shown, Store
from vidtag_engine.training.reference_refresh import refresh
from vidtag_engine.training.reference_source import Answers
from vidtag_engine.types import CancelledError, InputError

pytestmark = pytest.mark.slow
LAT, LON = 48.1372, 11.5760
STREET = [Shot(LAT, LON + 1e-4 * n, 90.0, 1_700_000_000 + 5 * n) for n in range(9)]
ROUND = [Shot(LAT + 1e-3, LON + 2e-4 * n, 30.0, 1_715_000_000 + 5 * n, 1024, 512, panorama=True) for n in range(4)]
BLURRED: set[str] = set()
AREA = f"{LON - 0.001},{LAT - 0.001},{LON + 0.004},{LAT + 0.002}"


@pytest.fixture(scope="module")
def server():
    with serving(STREET, ROUND) as running:
        yield running


@pytest.fixture(scope="module")
def asked(server) -> tuple[str, ...]:
    return ("--source", "panoramax", "--address", server.url, f"--aoi={AREA}", "--yes-query", "--width-px", "500")


@pytest.fixture
def pictures(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr("vidtag_engine.commands.reference.default_pictures_folder", lambda: tmp_path / "pictures")
    return tmp_path / "pictures"


@pytest.fixture
def built(asked, pictures, tmp_path) -> Path:
    """Nine pictures and four panoramas of six views each."""
    said = typed("reference", "build", *asked, "--output", tmp_path / "db", "--yes-download-mb", 50, "--width", "8", "--spot-m", "0.1")
    assert (said["added"], said["drives"]) == (33, 2)
    return tmp_path / "db"


def shown(folder: Path) -> dict[str, Shown]:
    store = Store.open(folder)
    return {one.image.image_id: one for one in store.shown(np.flatnonzero(store.there).tolist())}


def blurred(server: PanoramaxServer, before: dict[str, Shown], singles: int, rounds: int = 0) -> list[str]:
    """Ids of pictures that were not blurred yet, and are now."""
    known = sorted({name.partition("@")[::2] for name in before})
    chosen = [name for name, view in known if not view and name not in BLURRED][:singles]
    chosen += [name for name, view in known if view == "0" and name not in BLURRED][:rounds]
    assert len(chosen) == singles + rounds
    for image_id in chosen:
        server.blur_anew(image_id)
    BLURRED.update(chosen)
    return chosen


def roughness(thumbnail: bytes | None) -> float:
    """What blurring takes away."""
    assert thumbnail is not None
    pixels = np.asarray(Image.open(io.BytesIO(thumbnail)).convert("L"), dtype=float)
    return float(np.abs(np.diff(pixels, axis=1)).mean())


def numbered(folder: Path) -> dict[str, tuple[int, ...]]:
    """Of each image its drive, sequence and number."""
    store = Store.open(folder)
    return {name: tuple(store.rows[["drive", "sequence", "number"]][one.row].tolist()) for name, one in shown(folder).items()}


def test_what_was_blurred_anew_takes_the_old_ones_place(server, asked, built, pictures):
    before, places = shown(built), numbered(built)
    kept = {path: path.read_bytes() for path in pictures.rglob("*.jpg")}
    assert len(kept) == 13 + 24
    single, whole = blurred(server, before, 1, 1)
    # So many megabytes that are not enough change nothing, and say what would be.
    refused = typed("reference", "refresh", built, *asked, "--yes-download-mb", 0.001, status=2)
    assert "2 pictures of Panoramax are an estimated" in refused["error"]
    assert shown(built) == before
    requests = len(server.requests())
    said = typed("reference", "refresh", built, *asked, "--yes-download-mb", 50)
    assert (said["removed"], said["replaced"], said["changed_removed"], said["images"]) == (0, 7, 0, 33)
    assert sum("/api/pictures/" in line for line in server.requests()[requests:]) == 2
    after = shown(built)
    assert after.keys() == before.keys()
    for name, one in after.items():
        if name.partition("@")[0] in (single, whole):
            assert one.image.updated > before[name].image.updated
            assert roughness(one.thumbnail) < 0.7 * roughness(before[name].thumbnail)
            assert replace(one.image, updated="") == replace(before[name].image, updated="")
        else:
            assert (one.image, one.thumbnail) == (before[name].image, before[name].thumbnail)
    # Each stays where it was in its drive, so that leaving a drive out still leaves all of it out.
    assert numbered(built) == places
    assert said["drives"] == 2
    old = Store.open(built).descriptors(np.array([before[single].row]))
    assert not np.allclose(old, Store.open(built).descriptors(np.array([after[single].row])), atol=0.02)
    # Nothing of the unblurred form lies in the cache or in the build's folder.
    gone = [path for path in kept if not path.exists()]
    assert len(gone) == 2 + 6
    assert len(list(pictures.rglob("*.jpg"))) == 13 + 24
    assert not (built / "building").exists()
    again = typed("reference", "refresh", built, *asked, "--yes-download-mb", 50)
    assert (again["removed"], again["replaced"], again["changed_removed"]) == (0, 0, 0)


def test_without_a_yes_what_was_blurred_anew_is_removed(server, asked, built, pictures):
    before = shown(built)
    *chosen, whole = blurred(server, before, 2, 1)
    requests = len(server.requests())
    said = typed("reference", "refresh", built, *asked)
    assert (said["removed"], said["replaced"], said["changed_removed"], said["images"]) == (0, 0, 8, 25)
    assert not any("/api/pictures/" in line for line in server.requests()[requests:])
    assert shown(built).keys() == {name for name in before if name.partition("@")[0] not in (*chosen, whole)}
    assert len(list(pictures.rglob("*.jpg"))) == 37 - 3 - 6
    # A build adds them again, as they are now.
    more = typed("reference", "build", *asked, "--output", built, "--yes-download-mb", 50, "--spot-m", "0.1")
    assert more["added"] == 8
    assert all(roughness(shown(built)[name].thumbnail) < 0.7 * roughness(before[name].thumbnail) for name in chosen)
    # What a person removed stays out, for the platform gives it as it was.
    assert typed("reference", "prune", built, "--before", "2024-01-01")["removed"] == len(STREET)
    assert typed("reference", "build", *asked, "--output", built, "--yes-download-mb", 50, "--spot-m", "0.1")["added"] == 0


def test_a_person_who_is_asked_is_told_what_a_no_means(server, built, pictures):
    from vidtag_engine.commands import reference as commands
    from vidtag_engine.settings import SourceSettings

    before, questions = shown(built), []
    blurred(server, before, 0, 1)

    def ask(question: str) -> bool:
        questions.append(question)
        return len(questions) == 1

    options = SourceSettings(source="panoramax", address=server.url, width_px=500)
    said = commands.refresh(built, load_aoi(AREA), options, ask=ask)
    assert said["changed_removed"] == 6
    assert "1 pictures of Panoramax would be fetched" in questions[1]
    assert "removed from it without a yes" in questions[1]


def test_broken_off_each_picture_is_old_or_new_and_the_same_goes_on(server, built, pictures, monkeypatch):
    """The steps are small here: one drive each. It is stopped after the first of two."""
    monkeypatch.setattr("vidtag_engine.training.reference_parts.BATCH_IMAGES", 1)
    before, places = shown(built), numbered(built)
    chosen = blurred(server, before, 1, 1)
    revision, answers = Store.open(built).manifest.revision, Answers(query=True, download_mb=50.0)

    def again(**more) -> object:
        return refresh(built, Panoramax(server.url), load_aoi(AREA), answers, width_px=500, cache_folder=pictures, **more)

    with pytest.raises(CancelledError, match="goes on"):
        again(feedback=Feedback(None, lambda: Store.open(built).manifest.revision > revision))
    amid = shown(built)
    assert amid.keys() == before.keys()
    new = {name.partition("@")[0] for name, one in amid.items() if one.image.updated != before[name].image.updated}
    assert len(new & set(chosen)) == len(new) == 1
    requests = len(server.requests())
    done = again()
    assert (done.removed, done.replaced, done.changed_removed) == (0, 7 - sum(name.partition("@")[0] in new for name in before), 0)
    assert not any("/api/pictures/" in line for line in server.requests()[requests:]), "what was fetched is not fetched again"
    after = shown(built)
    assert {name for name, one in after.items() if one.image.updated != before[name].image.updated} == {
        name for name in before if name.partition("@")[0] in chosen
    }
    assert numbered(built) == places


def test_what_cannot_be_had_any_more_is_removed(server, built, pictures, monkeypatch):
    """Between the question and the answer the picture is taken away: the old one must not stay."""
    [name] = blurred(server, shown(built), 1)
    search = Panoramax.search

    def searched(self, *given):
        found = list(search(self, *given))
        return [replace(one, files=tuple((width, f"{address}x") for width, address in one.files)) for one in found]

    monkeypatch.setattr(Panoramax, "search", searched)
    done = refresh(built, Panoramax(server.url), load_aoi(AREA), Answers(query=True, download_mb=50.0), width_px=500, cache_folder=pictures)
    assert (done.removed, done.replaced, done.changed_removed) == (0, 0, 1)
    assert name not in shown(built)


def older(folder: Path) -> None:
    """A database as it was written before it kept when pictures were changed."""
    for path in folder.rglob(IMAGES):
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("ALTER TABLE images DROP COLUMN updated")


def test_an_older_database_is_read_and_what_was_changed_since_it_was_made_is_known(server, asked, built, pictures):
    before = shown(built)
    older(built)
    assert {one.image for one in shown(built).values()} == {replace(one.image, updated="") for one in before.values()}
    assert typed("reference", "refresh", built, *asked)["changed_removed"] == 0
    [name] = blurred(server, before, 1)
    said = typed("reference", "refresh", built, *asked, "--yes-download-mb", 50)
    assert (said["replaced"], said["changed_removed"]) == (1, 0)
    assert shown(built)[name].image.updated
    assert typed("reference", "refresh", built, *asked)["changed_removed"] == 0


def test_an_exchange_is_one_step(tmp_path, monkeypatch):
    """Ended before it takes hold, the database is as it was, and what was written belongs to nothing."""
    store = Store.create(tmp_path / "db", manifest(), descriptor()).add(addition(40))
    gone = np.arange(40) < 3
    new = addition(3, 5)
    before = {one.image.image_id: one.thumbnail for one in store.shown(range(40))}

    def broken(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for name in ("write_images", "encode", "_write"):
        with monkeypatch.context() as patch:
            patch.setattr(f"vidtag_engine.reference.store.{name}", broken)
            with pytest.raises(KeyboardInterrupt):
                store.exchange(gone, new)
        found = Store.open(store.folder)
        assert {one.image.image_id: one.thumbnail for one in found.shown(np.flatnonzero(found.there).tolist())} == before
    found = store.exchange(gone, new)
    assert found.there.sum() == 40
    assert (found.manifest.sequences, found.manifest.drives) == (3, 3)  # its numbers are the database's own
    assert {one.image.image_id for one in found.shown(np.flatnonzero(found.there).tolist()) if one.image.image_id.startswith("5-")} == {
        "5-0", "5-1", "5-2",
    }  # fmt: skip
    with pytest.raises(InputError, match="changed by another program"):
        store.exchange(gone, new)
    shutil.rmtree(store.folder)
