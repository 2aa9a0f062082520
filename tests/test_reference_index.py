"""An index of a database: nearly all of what searching everything finds, from a part of its codes; what is not searched is never found."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from tests.test_reference_codes import units
from tests.test_reference_store import WIDTH, addition, descriptor, manifest
from vidtag_engine.cli.app import app
from vidtag_engine.commands.reference import summary_of
from vidtag_engine.feedback import Feedback
from vidtag_engine.reference import indexing
from vidtag_engine.reference.cell_index import ABOUT, CENTRES, INDEX, INDEX_CODES, ORDER, STARTS, CellIndex
from vidtag_engine.reference.codes import CodeSearch
from vidtag_engine.reference.database import StoredReferences
from vidtag_engine.reference.indexing import LEAST_ROWS, NEAR_TIE, NEIGHBOURS, indices, make_indices
from vidtag_engine.reference.store import Store
from vidtag_engine.types import CancelledError, FloatArray, InputError

ROOT = Path(__file__).resolve().parent.parent
KINDS, LARGE, SMALL = 25, LEAST_ROWS + 1_000, 300


def clustered(count: int, seed: int) -> FloatArray:
    """Descriptors of streets of so many kinds."""
    kind = np.random.default_rng(seed).integers(0, KINDS, count)
    found = units(KINDS, 8 * WIDTH, 99)[kind] + 0.6 * units(count, 8 * WIDTH, seed)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Store:
    """A large addition and a small one, without an index."""
    empty = Store.create(tmp_path_factory.mktemp("index") / "db", manifest(), descriptor())
    store = empty.add(replace(addition(LARGE, sequences=30), descriptors=clustered(LARGE, 1)))
    return store.add(replace(addition(SMALL, 2), descriptors=clustered(SMALL, 2)))


@pytest.fixture(scope="module")
def made(plain, tmp_path_factory) -> Store:
    """The same with one; its cells are FAISS's, or where that is not installed those of some images."""
    folder = tmp_path_factory.mktemp("made") / "db"
    shutil.copytree(plain.folder, folder)
    store = Store.open(folder)
    with pytest.MonkeyPatch.context() as patch:
        if find_spec("faiss") is None:
            patch.setattr(indexing, "_centres", lambda _codes, _scale, count: clustered(count, 3).astype(np.float32))
        make_indices(store)
    return store


@pytest.fixture
def store(made, tmp_path) -> Store:
    """A copy that may be harmed."""
    shutil.copytree(made.folder, tmp_path / "db")
    return Store.open(tmp_path / "db")


def index_folder(store: Store) -> Path:
    return store.folder / "segments" / store.manifest.segments[0].name / INDEX


def found_share(store: Store, frames: FloatArray, rows=None, hidden=None) -> float:
    """The share of the nearest that is found; nothing that is not searched is, and every similarity is that of the exhaustive search."""
    rows = np.flatnonzero(store.there) if rows is None else rows
    said = CodeSearch(store.codes, store.manifest.scale, rows, indices=indices(store)).nearest(frames, NEIGHBOURS, hidden)
    exact = CodeSearch(store.codes, store.manifest.scale, rows).nearest(frames, len(rows), hidden)
    share = []
    for mine, similarity, all_rows, all_similarity in zip(said.rows, said.similarity, exact.rows, exact.similarity, strict=True):
        known = np.isfinite(similarity)
        assert len(set(mine[known].tolist())) == known.sum()
        of = np.full(len(store.there), np.nan)
        there = np.isfinite(all_similarity)
        of[all_rows[there]] = all_similarity[there]
        np.testing.assert_array_equal(of[mine[known]], similarity[known])  # NaN of what was not to be found
        share.append(np.mean(np.where(known, similarity, -1.0) >= all_similarity[NEIGHBOURS - 1] - NEAR_TIE))
    return float(np.mean(share))


def test_nearly_all_is_found_from_a_part_of_the_codes(made):
    [index, none] = indices(made)
    assert none is None  # of what is small
    assert 1 <= index.probes < 0.3 * len(index.centres)
    assert index.recall >= 0.98
    frames = clustered(60, 5)
    assert np.mean([found_share(made, one[None]) for one in frames]) > 0.96  # one at a time; and some together
    assert np.mean([found_share(made, frames[begin : begin + 3]) for begin in range(0, 60, 3)]) > 0.97
    read = [len(index.near(one[None], np.ones(LARGE, dtype=bool))) / LARGE for one in frames]
    assert max(read) < 0.3


def test_the_fewest_cells_are_taken_that_do(made):
    index = indices(made)[0]
    fewer = replace(index, probes=1)
    sample = made.descriptors(np.arange(0, LARGE, 100))
    shares = []
    for one in (fewer, index):
        search = CodeSearch([made.codes[0]], made.manifest.scale, indices=[one])
        exact = CodeSearch([made.codes[0]], made.manifest.scale).nearest(sample, NEIGHBOURS).similarity[:, -1]
        shares.append(
            np.mean(
                [search.nearest(row[None], NEIGHBOURS).similarity[0] >= last - NEAR_TIE for row, last in zip(sample, exact, strict=True)]
            )
        )
    assert shares[0] < 0.98 <= shares[1] + 0.01


def test_frames_that_need_more_than_half_read_all_and_are_exact(made):
    frames = clustered(200, 8)
    assert indices(made)[0].near(frames, np.ones(LARGE, dtype=bool)) is None
    assert found_share(made, frames) == 1.0


def test_hidden_and_removed_rows_and_those_of_elsewhere_are_never_found(store):
    frames = clustered(6, 9)
    nearest = CodeSearch(store.codes, store.manifest.scale).nearest(frames, 100).rows
    hidden = np.zeros(LARGE + SMALL, dtype=bool)
    hidden[nearest.ravel()] = True  # the best that each of them would find
    assert np.mean([found_share(store, one[None], hidden=hidden) for one in frames]) > 0.9
    rows = np.flatnonzero(np.random.default_rng(0).random(LARGE + SMALL) < 0.6)
    assert np.mean([found_share(store, one[None], rows, hidden) for one in frames]) > 0.9
    removed = store.remove(hidden)
    assert indices(removed)[0] is not None
    assert np.mean([found_share(removed, one[None]) for one in frames]) > 0.9
    only = np.zeros(LARGE + SMALL, dtype=bool)
    only[[7, LARGE + 7]] = True  # the nearest of what is left, however far: cells are read until there is enough
    assert set(CodeSearch(store.codes, store.manifest.scale, indices=indices(store)).nearest(frames[:1], 2, ~only).rows[0]) == {
        7,
        LARGE + 7,
    }


def test_a_database_is_asked_by_its_index(made, plain):
    frames = torch.from_numpy(clustered(1, 10).astype(np.float32))
    said = [
        StoredReferences(one).over(one.lat_lon_deg[::50], 50.0, 300.0).search.nearest(frames.numpy(), NEIGHBOURS) for one in (made, plain)
    ]
    assert np.isin(said[0].rows, said[1].rows).mean() > 0.95
    read = StoredReferences(made).over(made.lat_lon_deg[::50], 50.0, 300.0).search
    assert sum(len(rows) for rows, _ in read._blocks(frames.numpy(), None)) < 0.4 * LARGE
    part = StoredReferences(made).over(made.lat_lon_deg[:1], 5.0, 20.0).search  # of an area all are read
    assert sum(len(rows) for rows, _ in part._blocks(frames.numpy(), None)) == len(part)
    assert (summary_of(made)["indexed"], summary_of(plain)["indexed"]) == (LARGE, 0)


def _one_row_other(path: Path) -> None:
    values = np.load(path)
    np.save(path, np.roll(values, 1, axis=0))


def _pickled(path: Path) -> None:
    with path.open("wb") as handle:
        np.save(handle, np.array([{"a": 1}], dtype=object), allow_pickle=True)


def _far(path: Path) -> None:
    values = np.load(path)
    values.reshape(-1)[3] = np.nan if values.dtype == np.float32 else 10**8
    np.save(path, values)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        *((name, harm) for name in (CENTRES, STARTS, ORDER, INDEX_CODES) for harm in (_cut, _pickled, Path.unlink)),
        *((name, lambda path: path.write_bytes(pickle.dumps([1]))) for name in (CENTRES, ORDER)),
        (CENTRES, _far), (STARTS, _far), (ORDER, _far), (STARTS, _one_row_other), (ORDER, _one_row_other), (INDEX_CODES, _one_row_other),
        *((ABOUT, lambda path, text=text: path.write_text(text)) for text in (
            "", "[" * 50_000, "[]", '{"format_version": 1}', '{"format_version": 9, "probes": 3, "recall": 0.99}',
            '{"format_version": 1, "probes": 0, "recall": 0.99}', '{"format_version": 1, "probes": Infinity, "recall": 0.99}')),
    ],
)  # fmt: skip
def test_what_is_damaged_or_of_other_codes_is_not_read(store, name, harm):
    harm(index_folder(store) / name)
    assert indices(Store.open(store.folder)) == [None, None]
    assert found_share(store, clustered(2, 11)) == 1.0


def test_the_index_of_another_database_is_not_read(store, tmp_path):
    other = Store.create(tmp_path / "other", manifest(), descriptor()).add(
        replace(addition(LARGE, sequences=30), descriptors=clustered(LARGE, 12))
    )
    shutil.copytree(index_folder(store), index_folder(other))
    assert indices(other) == [None]
    if find_spec("faiss"):  # and another is made in its place
        make_indices(other)
        assert found_share(other, clustered(1, 13)) > 0.9
        assert isinstance(indices(other)[0], CellIndex)


def test_what_is_added_later_is_found_without_an_index(store):
    later = clustered(500, 14)
    grown = store.add(replace(addition(500, 3), descriptors=later))
    assert [index is not None for index in indices(grown)] == [True, False, False]
    said = CodeSearch(grown.codes, grown.manifest.scale, indices=indices(grown)).nearest(later[:3], 1)
    assert (said.rows >= LARGE + SMALL).all()


@pytest.mark.skipif(find_spec("faiss") is None, reason="makes an index")
def test_killed_while_it_is_written_there_is_none_and_the_next_one_is_whole(plain, tmp_path):
    shutil.copytree(plain.folder, tmp_path / "db")
    program = (
        "import os, sys; from vidtag_engine.reference import indexing; from vidtag_engine.reference.store import Store\n"
        "indexing.ABOUT = type('Killed', (), {'__rtruediv__': lambda self, part: os._exit(9)})()\n"  # the last file, as a power cut would
        "indexing.make_indices(Store.open(sys.argv[1]))\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "db")], cwd=ROOT, check=False)
    assert done.returncode == 9
    store = Store.open(tmp_path / "db")
    segment = index_folder(store).parent
    assert [*segment.glob(".vidtag-*/index/codes.npy")]  # it was under way
    assert indices(store) == [None, None]
    make_indices(store)
    assert indices(store)[0] is not None
    assert not [*segment.glob(".vidtag-*")]


@pytest.mark.skipif(find_spec("faiss") is None, reason="makes an index")
def test_stopped_there_is_none(plain, tmp_path):
    shutil.copytree(plain.folder, tmp_path / "db")
    store, told = Store.open(tmp_path / "db"), []
    with pytest.raises(CancelledError, match="goes on from there"):
        make_indices(store, Feedback(told.append, lambda: bool(told) and told[-1].message == "indexing"))
    assert not index_folder(store).exists()
    assert not [*index_folder(store).parent.glob(".vidtag-*")]


@pytest.mark.skipif(find_spec("faiss") is None, reason="makes an index")
def test_where_no_images_are_alike_none_is_written_and_it_is_said(tmp_path):
    store = Store.create(tmp_path / "db", manifest(), descriptor()).add(replace(addition(LARGE), descriptors=units(LARGE, 8 * WIDTH, 15)))
    done = CliRunner().invoke(app, ["reference", "index", str(tmp_path / "db"), "--json"])
    answer = json.loads(done.stdout)
    assert (answer["made"], answer["indexed"]) == ([], 0)
    assert "searching all of them is as good" in answer["notes"][0]
    assert not index_folder(store).exists()


def test_images_of_a_single_drive_get_none_and_it_is_said(tmp_path):
    """How an unknown video fares is measured by what other drives have of its places."""
    store = Store.create(tmp_path / "db", manifest(), descriptor())
    for seed in (1, 2):
        store = store.add(replace(addition(LARGE, seed, sequences=1), descriptors=clustered(LARGE, seed)))
    assert [len(np.unique(one)) for one in np.split(store.rows["drive"], 2)] == [1, 1]
    done = CliRunner().invoke(app, ["reference", "index", str(tmp_path / "db"), "--json"])
    answer = json.loads(done.stdout)
    assert (answer["made"], answer["indexed"]) == ([], 0)
    [said] = answer["notes"]
    assert said.startswith(f"{2 * LARGE:,} images got no index, as they were added as parts of a single drive")
    assert indices(Store.open(store.folder)) == [None, None]


@pytest.mark.skipif(find_spec("faiss") is None, reason="makes an index")
def test_the_command_says_what_it_made_and_does_it_once(plain, tmp_path):
    shutil.copytree(plain.folder, tmp_path / "db")
    done = CliRunner().invoke(app, ["reference", "index", str(tmp_path / "db"), "--json"])
    answer = json.loads(done.stdout)
    [index] = answer["made"]
    assert (index["images"], answer["indexed"]) == (LARGE, LARGE)
    assert index["recall"] >= 0.98
    assert answer["notes"] == [
        f"{SMALL} images were added in parts of fewer than 10,000: these need no index, searching all of them is as good."
    ]
    assert indices(Store.open(tmp_path / "db"))[0].probes == index["probes"]
    again = json.loads(CliRunner().invoke(app, ["reference", "index", str(tmp_path / "db"), "--json"]).stdout)
    assert (again["made"], again["indexed"]) == ([], LARGE)
    shutil.rmtree(index_folder(Store.open(tmp_path / "db")))
    words = CliRunner().invoke(app, ["reference", "index", str(tmp_path / "db")]).stdout
    assert f"index of {LARGE:,} images: {index['probes']} of {index['cells']} cells are read for a frame" in words


def test_without_faiss_a_sentence_says_what_to_do(plain, monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(InputError, match="pip install faiss-cpu"):
        make_indices(plain)
    assert not index_folder(plain).exists()


def test_an_index_is_read_without_faiss(made):
    program = (
        "import sys; sys.modules['faiss'] = None\n"
        "from vidtag_engine.reference.indexing import indices; from vidtag_engine.reference.store import Store\n"
        "sys.exit(indices(Store.open(sys.argv[1]))[0] is None)\n"
    )
    assert subprocess.run([sys.executable, "-c", program, str(made.folder)], cwd=ROOT, check=False).returncode == 0
