"""What a checkpoint remembers: frames in context, scores over places against brute force, and what training makes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tests.test_models_vidtag import shaken, small, units
from vidtag_engine.gallery import load_aoi, make_grid, search_over
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.models.checkpoint import CheckpointCard, from_pretrained, save_pretrained
from vidtag_engine.models.memory import Memory, in_context
from vidtag_engine.models.vidtag import VidTAG
from vidtag_engine.solve import VideoSolver
from vidtag_engine.training.dataset import TrainingSequence
from vidtag_engine.training.path import FrameScores, PlaceScores, calibrate_path
from vidtag_engine.trajectory import Calibration, Decoder, PathCalibration, Recall
from vidtag_engine.types import FloatArray

METRE_DEG = 1 / 111_195.0
SPACING_M = 50.0


def lattice(rows: int, columns: int) -> FloatArray:
    north, east = np.mgrid[:rows, :columns].reshape(2, -1) * SPACING_M * METRE_DEG
    return np.stack([north, east], axis=1)


def remembering(frames: int = 40, seed: int = 0) -> tuple[Memory, FloatArray]:
    rng = np.random.default_rng(seed)
    memory = Memory(frames, 6)
    memory.embeddings.copy_(units(frames, 6))
    places = lattice(10, 12)
    lat_lon = rng.uniform(places.min(axis=0), 0.6 * places.max(axis=0), (frames, 2))
    memory.lat_lon_deg.copy_(torch.from_numpy(lat_lon))
    return memory, places


def test_context_is_the_mean_of_neighbours_and_what_is_beyond_it():
    torch.manual_seed(0)
    z = torch.randn(9, 4)
    found = in_context(z).numpy()
    for row in range(9):
        near = z.numpy()[max(0, row - 2) : row + 3].mean(axis=0)
        expected = np.concatenate([near, z.numpy()[row] - near])
        np.testing.assert_allclose(found[row], expected / np.linalg.norm(expected), atol=1e-5)
    assert in_context(z[:1]).shape == (1, 8)  # a video of one frame differs by nothing
    np.testing.assert_allclose(in_context(z[:1])[0, 4:].numpy(), 0, atol=1e-6)


def test_what_all_frames_share_leaves_the_second_half_alone():
    torch.manual_seed(1)
    z, light = torch.randn(12, 4), torch.tensor([3.0, -2.0, 0.5, 1.0])
    one, other = (torch.nn.functional.normalize(in_context(v)[:, 4:], dim=1) for v in (z, z + light))
    np.testing.assert_allclose(one.numpy(), other.numpy(), atol=1e-5)


@pytest.mark.parametrize("reach_m", [120.0, 10.0])  # of 10 m no remembered frame would find a place
def test_scores_over_places_against_brute_force(reach_m):
    torch.manual_seed(2)
    memory, places = remembering()
    frames = units(5, 6)
    found = memory.over(places, SPACING_M, reach_m)(frames).numpy()
    reach_m = max(reach_m, SPACING_M)
    apart = haversine_m(places[:, :1], places[:, 1:], *memory.lat_lon_deg.double().numpy().T)
    scores = (frames @ memory.embeddings.T).numpy()[:, None, :] - 0.5 * (apart / reach_m)[None] ** 2
    scores = np.where(apart[None] <= reach_m, scores, -np.inf).max(axis=2)
    known = np.isfinite(scores[0])
    assert 0 < known.sum() < len(places)
    np.testing.assert_allclose(found[:, known], scores[:, known], atol=1e-4)
    # Of the others nothing is known: neither better nor worse than the middling.
    np.testing.assert_allclose(found[:, ~known], np.repeat(scores[:, known].mean(axis=1, keepdims=True), (~known).sum(), axis=1), atol=1e-4)


def test_a_reach_of_many_spacings_is_cut_to_twelve():
    memory, places = remembering()
    frames = units(3, 6)
    far, twelve = (memory.over(places, 5.0, reach_m)(frames) for reach_m in (1e5, 60.0))
    torch.testing.assert_close(far, twelve)


def test_nothing_in_reach_says_nothing():
    memory, places = remembering()
    assert not memory.over(places + 10.0, SPACING_M, 100.0)(units(3, 6)).any()


def test_a_memory_is_saved_with_its_weights_and_places_keep_their_metres(tmp_path):
    model = shaken(small())
    assert model.memory is None
    places = np.array([[52.5, 13.4], [-18.0, 179.99999], [52.5, 13.40001]])
    videos = [(units(len(part), 24), torch.from_numpy(part)) for part in (places[:2], places[2:])]
    model.remember(videos)
    save_pretrained(model, tmp_path, CheckpointCard("remembers", "vidtag-compact"))
    loaded, card = from_pretrained(tmp_path)
    assert loaded.memory is not None
    assert card.config["remembered"] == 3
    kept = loaded.memory.lat_lon_deg.double().numpy()
    assert haversine_m(*kept.T, *places.T).max() < 2.0  # float32 degrees
    expected = torch.cat([model.in_context(features) for features, _ in videos])
    torch.testing.assert_close(loaded.memory.embeddings, expected, atol=1e-3, rtol=0)


def test_more_frames_than_a_card_may_ask_for_are_refused():
    with pytest.raises(ValidationError):
        small(remembered=10**9)


class World:
    """Drives over a town whose frames show their street, beside a light of their own; the networks were never trained."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.places = lattice(12, 12)
        self.look = self.rng.normal(size=(len(self.places), 24)).astype(np.float32)

    def drive(self) -> TrainingSequence:
        row, steps = int(self.rng.integers(12)), 10
        first = int(self.rng.integers(12 - steps + 1))
        at = row * 12 + first + np.arange(steps)
        features = self.look[at] + 0.5 * self.rng.normal(size=24) + 0.3 * self.rng.normal(size=(steps, 24))
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        return TrainingSequence("", features[None].astype(np.float32), self.places[at], np.arange(steps) * 5.0)

    def model(self, training: list[TrainingSequence]) -> VidTAG:
        model = shaken(small(georefiner=None))
        model.remember([(torch.from_numpy(s.features[0]), torch.from_numpy(s.lat_lon_deg)) for s in training])
        return model

    def fitted(self) -> tuple[PathCalibration, PlaceScores, list[TrainingSequence], FrameScores]:
        training, held_out = [self.drive() for _ in range(60)], [self.drive() for _ in range(12)]
        model = self.model(training)
        found = calibrate_path(model, self.places, SPACING_M, training, held_out, temperature=0.07, reach_m=60.0)
        new = self.drive()
        over = PlaceScores(model, self.places, SPACING_M, 60.0)
        return found, over, [new], FrameScores(model, torch.from_numpy(new.features[0]))


def test_training_reads_what_is_remembered_where_that_helps():
    world = World(0)
    found, over, [new], frames = world.fitted()
    assert isinstance(found.recall, Recall)
    assert found.recall.reach_m == 60.0
    assert PathCalibration.from_dict(found.to_dict()).recall == found.recall
    assert PathCalibration.from_dict(found.to_dict()).line_evidence == found.line_evidence
    line = (
        Decoder(world.places, SPACING_M, found.motion)
        .decode(over.scores(frames, found.recall.weight), new.time_s, found.evidence, accuracy_m=found.accuracy_m)
        .lat_lon_deg
    )
    assert np.median(haversine_m(*line.T, *new.lat_lon_deg.T)) < 100.0
    # By the networks alone, which were never trained, it is anywhere.
    alone = Decoder(world.places, SPACING_M, found.motion).decode(over.scores(frames, 0.0), new.time_s, found.evidence).lat_lon_deg
    assert np.median(haversine_m(*alone.T, *new.lat_lon_deg.T)) > np.median(haversine_m(*line.T, *new.lat_lon_deg.T))


def test_a_video_is_solved_with_what_is_remembered():
    world = World(3)
    training, new = [world.drive() for _ in range(60)], world.drive()
    model = world.model(training)
    south, west, north, east = *world.places.min(axis=0), *world.places.max(axis=0)
    aoi = load_aoi({"type": "Polygon", "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]]})
    search = search_over(model, make_grid(aoi, SPACING_M), aoi, torch.device("cpu"), weights_sha256="")
    search.prepare()
    path = PathCalibration.unfitted(0.07, SPACING_M)
    features = new.features[0]
    queries = model.embed_video(torch.from_numpy(features))
    errors_m = {}
    for name, recall in (("alone", None), ("remembering", Recall(4.0, 60.0))):
        solver = VideoSolver(model, search, Calibration(0.07, path=replace(path, recall=recall)))
        decoded = solver.decode(queries, features, new.time_s)
        solved = solver.solve(queries, features, new.time_s, decoded, search.top_k(queries, 5), 100.0)
        errors_m[name] = float(np.median(haversine_m(*solved.line.T, *new.lat_lon_deg.T)))
        # What it is solved again from, with pins, is what it was solved from.
        kept = solver.scores(solved, features, np.arange(len(features)), new.time_s)
        again = solver.decoder.decode(kept.scores, new.time_s, path.evidence, accuracy_m=solver.accuracy_m)
        np.testing.assert_allclose(again.lat_lon_deg, solved.line, atol=1e-6)
    assert errors_m["remembering"] < 100.0 < errors_m["alone"]
