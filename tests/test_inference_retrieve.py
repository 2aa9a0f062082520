"""Both retrievals of the engine beside the paper's Fig. 5 written out here, and the same through training and evaluation."""

import numpy as np
import pytest
import torch

from tests.test_models_vidtag import REFINE_Z_STAR, shaken, small
from vidtag_engine.datasets.training_sequence import TrainingSequence
from vidtag_engine.evaluation.retrieval import place
from vidtag_engine.grid import load_aoi, make_grid
from vidtag_engine.inference import best_places, retrieve
from vidtag_engine.search import HeldGallery, top_k
from vidtag_engine.search.embedding_cache import EmbeddedGallery
from vidtag_engine.training import recipe
from vidtag_engine.training.trainer import Trainer
from vidtag_engine.types import CancelledError

CASES = {"two phases": {}, "refined in z*": REFINE_Z_STAR, "no GeoRefiner": {"georefiner": None}}


@pytest.fixture(params=CASES, ids=list(CASES))
def model(request):
    return shaken(small(**CASES[request.param]))


@pytest.fixture
def grid():
    return make_grid(load_aoi("10,45,10.1,45.08"), 700.0)


def sequences():
    rng = np.random.default_rng(0)
    found = []
    for number, count in enumerate((5, 1, 90)):  # the last is longer than the model's window
        features = rng.normal(size=(1, count, 24)).astype(np.float32)
        truth = np.stack([np.full(count, 45.04), np.linspace(10.0, 10.1, count)], axis=1)
        found.append(TrainingSequence(f"drive {number}", features, truth, np.arange(count, dtype=float)))
    return found


@torch.inference_mode()
def written_out(model, sequence, points):
    """Each frame's best point of both phases, by all dot products at once."""
    features, gallery = torch.from_numpy(sequence.features[0]), model.embed_locations(torch.from_numpy(points))
    frames = model.embed_video(features)
    first = (frames @ gallery.T).argmax(dim=1).numpy()
    if not model.has_refiner:
        return points[first], points[first]
    refined = model.refine_video(gallery[torch.from_numpy(first)], model.video_context(features, frames))
    return points[first], points[(refined @ gallery.T).argmax(dim=1).numpy()]


def test_geolocation_training_and_evaluation_retrieve_as_written_out(model, grid):
    videos, points = sequences(), grid.points(0, grid.count)
    expected = [written_out(model, one, points) for one in videos]
    gallery = EmbeddedGallery(model, grid, "cpu", weights_sha256="", cache_dir=None)

    one_by_one = [retrieve(model, [torch.from_numpy(one.features[0])], lambda queries: top_k(queries, gallery, 3))[0] for one in videos]
    together = retrieve(model, [torch.from_numpy(one.features[0]) for one in videos], lambda queries: top_k(queries, gallery, 3))
    for found in (one_by_one, together):
        for mine, (first, final) in zip(found, expected, strict=True):
            np.testing.assert_array_equal(best_places(mine.first), first)
            np.testing.assert_array_equal(best_places(mine.final), final)
            assert mine.final.index.shape == (len(first), 3)
            assert (mine.refined is not None) == model.has_refiner

    placed = place(model, videos, gallery)
    trained = Trainer(model, videos, [], points, recipe("default")).retrieve(videos, refine=True)
    for number, (first, final) in enumerate(expected):
        np.testing.assert_array_equal(placed.phase1[number], first)
        np.testing.assert_array_equal(placed.predicted[number], final)
        np.testing.assert_array_equal(trained.phase1[number], first)
        if model.has_refiner:
            np.testing.assert_array_equal(trained.phase2[number], final)
    assert len(trained.phase2) == (len(videos) if model.has_refiner else 0)


def test_a_second_phase_that_is_not_asked_for_is_not_run(model, grid):
    videos, asked = [torch.from_numpy(one.features[0]) for one in sequences()], []
    gallery = HeldGallery(points := grid.points(0, grid.count), model.embed_locations(torch.from_numpy(points)).detach())
    for refine in (True, False):
        found = retrieve(
            model, videos, lambda queries: top_k(queries, gallery, 1), refine=refine, before_search=lambda *told: asked.append(told)
        )
        assert all((one.refined is not None) == (refine and model.has_refiner) for one in found)
    assert [phase for phase, _ in asked] == ([1, 2, 1] if model.has_refiner else [1, 1])
    assert [len(part) for part in asked[0][1]] == [5, 1, 90]


def test_it_stops_where_it_is_told_to(model):
    def check():
        raise CancelledError("now")

    with pytest.raises(CancelledError):
        retrieve(model, [torch.zeros(2, 24)], lambda _: pytest.fail("nothing is searched"), check=check)
    assert retrieve(model, [], lambda _: pytest.fail("nothing is searched")) == []


def test_a_held_gallery_is_searched_like_a_streamed_one(grid):
    model = shaken(small())
    points = grid.points(0, grid.count)
    held = HeldGallery(points, model.embed_locations(torch.from_numpy(points)).detach())
    streamed = EmbeddedGallery(model, grid, "cpu", weights_sha256="", cache_dir=None, chunk=32)
    queries = torch.nn.functional.normalize(torch.randn(6, 12), dim=1)
    queries[2] = torch.nan
    mine, theirs = top_k(queries, held, 7), top_k(queries, streamed, 7)
    np.testing.assert_array_equal(mine.index, theirs.index)
    np.testing.assert_array_equal(mine.lat_deg, theirs.lat_deg)
    assert np.isnan(mine.lat_deg[2]).all()
