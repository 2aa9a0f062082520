"""Embedding, caching and searching a gallery: the stream against brute force, the cache against damage, memory against size."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import psutil
import pyproj
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vidtag_engine import atomic
from vidtag_engine.feedback import Feedback
from vidtag_engine.grid import load_aoi, make_grid
from vidtag_engine.search import EmbeddedGallery, posterior_mass, top_k
from vidtag_engine.search.cache_file import SUFFIX
from vidtag_engine.types import CancelledError, InputError

ROOT = Path(__file__).parent.parent
SHA = "ab" * 32


class FourierModel(torch.nn.Module):
    """A small location encoder with random features, and a place where tests can count its work."""

    def __init__(self, dim=32, seed=0, scale=20.0):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.weights = torch.nn.Parameter(torch.randn(2, dim // 2, generator=generator, dtype=torch.float64) * scale)
        self.embedded = 0

    def embed_locations(self, lat_lon_deg):
        assert lat_lon_deg.dtype == torch.float64
        self.embedded += len(lat_lon_deg)
        phase = lat_lon_deg @ self.weights
        return torch.nn.functional.normalize(torch.cat([phase.cos(), phase.sin()], dim=-1).float(), dim=-1)


class TiedModel(torch.nn.Module):
    """Embeddings of small integers and equal norm, so that scores are exact and mostly tied."""

    def embed_locations(self, lat_lon_deg):
        number = torch.round(lat_lon_deg[:, 0] * 1e5).long() % 4
        return torch.nn.functional.one_hot(number, 4).float()


class BrokenModel(FourierModel):
    def embed_locations(self, lat_lon_deg):
        return super().embed_locations(lat_lon_deg) * math.nan


def square(resolution_m=150.0):
    return make_grid(load_aoi("10,45,10.1,45.08"), resolution_m)


def gallery(model, grid, cache_dir=None, **options):
    options = {"chunk": 500, "weights_sha256": SHA, **options}
    return EmbeddedGallery(model, grid, "cpu", cache_dir=cache_dir, **options)


def everything(embedded):
    """All chunks put together, with a check of their numbering."""
    starts, places, embeddings = zip(*embedded.chunks(), strict=True)
    lengths = [len(p) for p in places]
    assert list(starts) == [sum(lengths[:n]) for n in range(len(lengths))]
    return np.concatenate(places), torch.cat(embeddings)


def queries_near(model, number=7, dim_seed=3):
    rng = np.random.default_rng(dim_seed)
    places = np.stack([rng.uniform(45, 45.08, number), rng.uniform(10, 10.1, number)], -1)
    with torch.no_grad():
        return places, model.embed_locations(torch.from_numpy(places))


def test_chunks_are_the_grids_points_and_their_embeddings():
    model, grid = FourierModel(), square()
    places, embeddings = everything(gallery(model, grid))
    np.testing.assert_array_equal(places, np.concatenate(list(grid.chunks(777))))
    with torch.no_grad():
        torch.testing.assert_close(embeddings, model.embed_locations(torch.from_numpy(places)))
    assert embeddings.dtype == torch.float32
    assert not embeddings.requires_grad


@pytest.mark.parametrize(("chunk", "k"), [(1, 1), (1, 5), *((chunk, k) for chunk in (499, 100_000) for k in (1, 5, 700))])
def test_top_k_equals_brute_force(chunk, k):
    model, grid = FourierModel(), square(400.0)
    embedded = gallery(model, grid, chunk=chunk)
    _, queries = queries_near(model)
    found = top_k(queries, embedded, k)
    places, embeddings = everything(embedded)
    scores = (queries.double() @ embeddings.double().T).numpy()
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    np.testing.assert_allclose(found.score, np.take_along_axis(scores, expected, 1), atol=1e-6)
    assert found.index.shape == (7, min(k, grid.count))
    # Where two scores differ by less than float32 can tell, their order is free.
    np.testing.assert_allclose(np.take_along_axis(scores, found.index, 1), np.take_along_axis(scores, expected, 1), atol=1e-6)
    assert (found.index[:, 0] == expected[:, 0]).all()
    np.testing.assert_array_equal(found.lat_deg, places[found.index, 0])
    np.testing.assert_array_equal(found.lon_deg, places[found.index, 1])
    assert all(len(set(row)) == len(row) for row in found.index.tolist())


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 60), st.integers(1, 400), st.integers(0, 100))
def test_ties_go_to_the_lower_number(k, chunk, seed):
    embedded = gallery(TiedModel(), square(600.0), chunk=chunk)
    queries = torch.from_numpy(np.random.default_rng(seed).integers(0, 3, (5, 4)).astype(np.float32))
    found = top_k(queries, embedded, k)
    _, embeddings = everything(embedded)
    scores = (queries @ embeddings.T).numpy()
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(found.index, expected)
    np.testing.assert_array_equal(found.score, np.take_along_axis(scores, expected, 1))


def test_more_candidates_than_points_and_a_single_point():
    model = FourierModel()
    one = make_grid(load_aoi("10,45,10.00001,45.00001"), 100)
    embedded = gallery(model, one)
    found = top_k(queries_near(model)[1], embedded, 5)
    assert found.index.tolist() == [[0]] * 7
    np.testing.assert_allclose(posterior_mass(queries_near(model)[1], embedded, np.tile(one.points(0, 1), (7, 1)), 10.0, 0.1), 1.0)


def test_frames_without_an_answer_get_nan():
    model = FourierModel()
    embedded = gallery(model, square())
    places, queries = queries_near(model)
    whole = top_k(queries, embedded, 3)
    queries[2] = math.nan
    queries[4, 0] = math.inf
    found = top_k(queries, embedded, 3)
    good = [0, 1, 3, 5, 6]
    np.testing.assert_array_equal(found.index[good], whole.index[good])
    assert (found.index[[2, 4]] == -1).all()
    assert np.isnan(found.lat_deg[[2, 4]]).all()
    assert np.isnan(found.score[[2, 4]]).all()
    places[0] = math.nan
    mass = posterior_mass(queries, embedded, places, 500.0, 0.1)
    assert np.isnan(mass[[0, 2, 4]]).all()
    assert np.isfinite(mass[[1, 3, 5, 6]]).all()
    assert top_k(queries[:0], embedded, 3).index.shape == (0, 3)
    assert posterior_mass(queries[:0], embedded, places[:0], 500.0, 0.1).shape == (0,)


def brute_mass(queries, embedded, centers, radius_m, temperature):
    places, embeddings = everything(embedded)
    scores = (queries.double() @ embeddings.double().T).numpy() / temperature
    weight = np.exp(scores - scores.max(axis=1, keepdims=True))
    geod = pyproj.Geod(ellps="WGS84")
    distance = np.stack(
        [geod.inv(np.full(len(places), lon), np.full(len(places), lat), places[:, 1], places[:, 0])[2] for lat, lon in centers]
    )
    return (weight * (distance <= radius_m)).sum(axis=1) / weight.sum(axis=1)


@pytest.mark.parametrize("chunk", [64, 100_000])
def test_posterior_mass_equals_brute_force(chunk):
    model = FourierModel()
    embedded = gallery(model, square(), chunk=chunk)
    centers, queries = queries_near(model)
    radii, temperatures = [40.0, 777.0, 3000.0, 3e7], [1.0, 0.05, 1e-4]
    together = posterior_mass(queries, embedded, centers, radii, temperatures)
    assert together.shape == (3, 4, 7)
    for i, temperature in enumerate(temperatures):
        for j, radius_m in enumerate(radii):
            expected = brute_mass(queries, embedded, centers, radius_m, temperature)
            tolerance = 1e-6 if temperature > 1e-3 else 1e-2  # float32 scores / 1e-4
            np.testing.assert_allclose(together[i, j], expected, atol=tolerance)
    alone = posterior_mass(queries, embedded, centers, 777.0, 0.05)
    np.testing.assert_allclose(alone, together[1, 1], atol=1e-12)
    assert posterior_mass(queries, embedded, centers, radii, 0.05).shape == (4, 7)
    assert posterior_mass(queries, embedded, centers, 777.0, temperatures).shape == (3, 7)


def test_mass_reaches_across_the_date_line_and_the_pole():
    for text, center in (("179.9,0,180.1,0.1", (0.05, 180.0)), ("-180,89.5,180,90", (90.0, 77.0))):
        model = FourierModel(scale=1e-6)  # all scores equal: the mass is the share of points
        embedded = gallery(model, make_grid(load_aoi(text), 400.0))
        queries = model.embed_locations(torch.zeros(1, 2, dtype=torch.float64)).detach()
        mass = posterior_mass(queries, embedded, np.array([center]), 4000.0, 1.0)
        expected = math.pi * 4000.0**2 / embedded.grid.area_m2
        assert mass[0] == pytest.approx(expected, rel=0.03)


def test_wrong_arguments_are_refused():
    model = FourierModel()
    embedded = gallery(model, square(600.0))
    centers, queries = queries_near(model)
    for call in (
        lambda: top_k(queries, embedded, 0),
        lambda: top_k(queries[:, :5], embedded, 1),
        lambda: posterior_mass(queries, embedded, centers, -1.0, 1.0),
        lambda: posterior_mass(queries, embedded, centers, 1.0, 0.0),
        lambda: posterior_mass(queries, embedded, centers[:3], 1.0, 1.0),
    ):
        with pytest.raises(InputError):
            call()
    with pytest.raises(InputError, match="not numbers"):
        gallery(BrokenModel(), square(600.0))


def test_second_pass_reads_memory():
    model = FourierModel()
    embedded = gallery(model, square())
    first = everything(embedded)
    before = model.embedded
    second = everything(embedded)
    assert model.embedded == before
    assert torch.equal(first[1], second[1])


def test_second_run_reads_the_disc(tmp_path):
    model, grid = FourierModel(), square()
    first = everything(gallery(model, grid, tmp_path, memory_limit_bytes=0))
    again = gallery(model, square(), tmp_path, memory_limit_bytes=0)
    for _ in range(2):
        second = everything(again)
        assert torch.equal(first[1], second[1])
    assert again.computed_points == 0
    assert len(list(tmp_path.iterdir())) == 1


def test_other_weights_or_another_grid_have_their_own_cache(tmp_path):
    everything(gallery(FourierModel(), square(), tmp_path))
    for other in (
        gallery(FourierModel(seed=1), square(), tmp_path, weights_sha256="cd" * 32),
        gallery(FourierModel(), square(151.0), tmp_path),
        gallery(FourierModel(), square(), tmp_path, chunk=501),
    ):
        everything(other)
        assert other.computed_points == other.count
    assert len(list(tmp_path.iterdir())) == 4


def damaged(path, kind):
    """Damage a cache file in one of the ways in which files get damaged."""
    data = bytearray(path.read_bytes())
    if kind == "a flipped bit in the middle":
        data[len(data) // 2] ^= 1
    elif kind == "a flipped bit in the first block":
        data[600] ^= 0x40
    elif kind == "zeros at the end":
        data[-4096:] = bytes(4096)
    elif kind == "cut short":
        data = data[: len(data) // 3]
    elif kind == "empty":
        data = bytearray()
    elif kind == "longer":
        data += b"x"
    elif kind == "another header":
        data[5:9] = b"evil"
    elif kind == "text":
        data = bytearray(b"hello" * (len(data) // 5 + 1))[: len(data)]
    path.write_bytes(bytes(data))


DAMAGES = [
    "a flipped bit in the middle",
    "a flipped bit in the first block",
    "zeros at the end",
    "cut short",
    "empty",
    "longer",
    "another header",
    "text",
]


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_damaged_cache_is_never_believed_and_made_again(tmp_path, kind):
    model, grid = FourierModel(), square()
    truth = everything(gallery(model, grid, tmp_path))[1]
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    damaged(path, kind)
    embedded = gallery(model, grid, tmp_path)
    assert torch.equal(everything(embedded)[1], truth)
    assert embedded.computed_points > 0
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == whole
    assert gallery(model, grid, tmp_path).notes == []


def test_a_cache_that_belongs_to_another_model_is_found_out(tmp_path):
    """The same claimed digest of the weights, but other numbers."""
    grid = square()
    everything(gallery(FourierModel(), grid, tmp_path))
    other = FourierModel(seed=1)
    with pytest.warns(RuntimeWarning, match="does not belong to this model"):
        _, embeddings = everything(gallery(other, grid, tmp_path))
    with torch.no_grad():
        torch.testing.assert_close(embeddings, other.embed_locations(torch.from_numpy(grid.points(0, grid.count))))


@pytest.mark.parametrize("where", ["first chunk", "third chunk"])
def test_cancelled_leaves_nothing(tmp_path, where):
    asked = []
    embedded = gallery(
        FourierModel(),
        square(),
        tmp_path,
        feedback=Feedback(cancelled=lambda: asked.append(1) or len(asked) > (0 if where == "first chunk" else 2)),
    )
    with pytest.raises(CancelledError):
        embedded.prepare()
    assert list(tmp_path.iterdir()) == []


def test_a_pass_given_up_leaves_nothing(tmp_path):
    embedded = gallery(FourierModel(), square(), tmp_path)
    stream = embedded.chunks()
    next(stream)
    assert len(list(tmp_path.iterdir())) == 1  # the part being written
    stream.close()
    assert list(tmp_path.iterdir()) == []


def test_progress_rises_to_one():
    seen = []
    embedded = gallery(FourierModel(), square(), feedback=Feedback(progress=seen.append))
    embedded.prepare()
    fractions = [p.fraction for p in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert len(fractions) == math.ceil(embedded.count / 500)


FULL_DISC = """
    import resource, sys, warnings
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    import test_gallery_search as t
    folder = Path({folder!r})
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        embedded = t.gallery(t.FourierModel(), t.square(), folder)
        assert embedded.size_bytes > 200_000
        _, embeddings = t.everything(embedded)
    assert len(embeddings) == embedded.count
    assert any("could not be kept on disc" in str(w.message) for w in seen), seen
    assert list(folder.iterdir()) == []
    print("worked on")
"""


def test_a_disc_that_takes_no_more_does_not_stop_the_work(tmp_path):
    """The system itself refuses to write past 200 kB, as a full disc does."""
    script = textwrap.dedent(FULL_DISC.format(tests=str(ROOT / "tests"), folder=str(tmp_path)))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    assert done.stdout.strip() == "worked on", done.stderr


def test_a_cache_folder_that_is_a_file(tmp_path):
    blocked = tmp_path / "cache"
    blocked.write_text("in the way")
    with pytest.warns(RuntimeWarning, match="could not be kept on disc"):
        embedded = gallery(FourierModel(), square(), blocked)
        everything(embedded)
    assert blocked.read_text() == "in the way"
    assert embedded.notes


def test_the_longest_unused_caches_go_first(tmp_path):
    grids = [square(200.0 + n) for n in range(4)]
    model = FourierModel()
    one = gallery(model, grids[0], tmp_path).size_bytes
    limit = int(one * 3.3)
    files = []
    for n, grid in enumerate(grids[:3]):
        everything(gallery(model, grid, tmp_path, cache_limit_bytes=limit))
        (new,) = set(tmp_path.iterdir()) - set(files)
        files.append(new)
        os.utime(new, (1000.0 + n, 1000.0 + n))
    used_again = gallery(model, grids[0], tmp_path, cache_limit_bytes=limit)
    everything(used_again)
    assert used_again.computed_points == 0
    everything(gallery(model, grids[3], tmp_path, cache_limit_bytes=limit))
    left = set(tmp_path.iterdir())
    assert files[0] in left
    assert files[1] not in left
    assert files[2] in left
    assert sum(path.stat().st_size for path in left) <= limit


def test_larger_than_the_limit_is_not_kept_and_nothing_else_is_lost(tmp_path):
    model = FourierModel()
    everything(gallery(model, square(500.0), tmp_path))
    kept = list(tmp_path.iterdir())
    with pytest.warns(RuntimeWarning, match="not kept"):
        everything(gallery(model, square(), tmp_path, cache_limit_bytes=100_000))
    assert list(tmp_path.iterdir()) == kept


def test_parts_of_killed_runs_are_swept_away_but_not_those_of_running_ones(tmp_path):
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    old, young = (tmp_path / f".vidtag-{number}-{atomic._MACHINE}-x" for number in (killed.pid, os.getppid()))
    for folder in (old, young):
        folder.mkdir()
        (folder / f"x{SUFFIX}").write_bytes(b"part")
    everything(gallery(FourierModel(), square(), tmp_path))
    assert not old.exists()
    assert young.exists()


def test_two_writers_at_once_leave_one_whole_cache(tmp_path):
    model, grid = FourierModel(), square()
    first, second = gallery(model, grid, tmp_path).chunks(), gallery(model, grid, tmp_path).chunks()
    for _ in zip(first, second, strict=True):
        pass
    assert len(list(tmp_path.iterdir())) == 1
    assert everything(gallery(model, grid, tmp_path))[1].shape[0] == grid.count


def peak_growth(work):
    """How far the process's memory rises above where it stands, looked at every 5 ms while ``work`` runs."""
    process, done, most = psutil.Process(), threading.Event(), [0]
    start = process.memory_info().rss

    def watch():
        while not done.is_set():
            most[0] = max(most[0], process.memory_info().rss - start)
            time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        work()
    finally:
        done.set()
        watcher.join()
    return most[0]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_gallery(tmp_path):
    model = FourierModel(dim=64)
    _, queries = queries_near(model)

    def search(text, cache):
        embedded = gallery(model, make_grid(load_aoi(text), 10.0), cache, chunk=8192, memory_limit_bytes=0)
        top_k(queries, embedded, 10)
        posterior_mass(queries, embedded, queries_near(model)[0], 100.0, 0.1)
        return embedded.count, embedded.size_bytes

    sizes = {}
    search("10,45,10.02,45.01", None)  # warm up
    small = peak_growth(lambda: sizes.update(small=search("10,45,10.05,45.03", tmp_path)))
    large = peak_growth(lambda: sizes.update(large=search("10,45,10.13,45.1", tmp_path)))
    assert sizes["large"][0] > 1_000_000
    assert sizes["large"][1] > 250e6
    assert large < small + 60e6, (small, large, sizes)


def test_no_warning_when_all_is_well(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            made = gallery(FourierModel(), square(), tmp_path)
            everything(made)
            assert made.notes == []
