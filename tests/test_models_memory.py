"""What a checkpoint remembers: frames in context, scores over places against brute force, and what training makes of them."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy.special import logit
from sklearn.decomposition import PCA

from tests.test_models_vidtag import shaken, small, units
from vidtag_engine.calibration import typical_speed_mps
from vidtag_engine.calibration.calibrate import _Held, calibrate_path
from vidtag_engine.datasets.training_sequence import TrainingSequence
from vidtag_engine.feedback import Feedback
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.grid import load_aoi, make_grid
from vidtag_engine.inference import Emissions, PosteriorDecoder, ScoredPlaces
from vidtag_engine.models.checkpoint import CheckpointCard, from_pretrained, save_pretrained
from vidtag_engine.models.reference_database import ReferenceDatabase
from vidtag_engine.models.vidtag import VidTAG
from vidtag_engine.reference.descriptor import SCALES, bands
from vidtag_engine.reference.similarity import NEIGHBOURS
from vidtag_engine.search import Search, search_over
from vidtag_engine.training import recipe
from vidtag_engine.training.start import remember
from vidtag_engine.trajectory import Calibration, DatabaseWeight, Decoder, OutOfAreaDetector, PathCalibration, TrainingGround, hypotheses
from vidtag_engine.trajectory.decoder_calibration import REFINED, RadiusMap
from vidtag_engine.trajectory.out_of_area import blocks_of_ground
from vidtag_engine.trajectory.score_margin import recognition, rivals_from_m, score_margin
from vidtag_engine.types import CancelledError, FloatArray, FrameState, InputError, Progress

METRE_DEG = 1 / 111_195.0
SPACING_M = 50.0


def lattice(rows: int, columns: int) -> FloatArray:
    north, east = np.mgrid[:rows, :columns].reshape(2, -1) * SPACING_M * METRE_DEG
    return np.stack([north, east], axis=1)


def remembering(frames: int = 40, seed: int = 0) -> tuple[ReferenceDatabase, FloatArray]:
    rng = np.random.default_rng(seed)
    memory = ReferenceDatabase(frames, 6, 2)
    memory.embeddings.copy_(units(frames, 2 * len(SCALES)))
    places = lattice(10, 12)
    lat_lon = rng.uniform(places.min(axis=0), 0.6 * places.max(axis=0), (frames, 2))
    memory.lat_lon_deg.copy_(torch.from_numpy(lat_lon))
    return memory, places


def test_bands_are_differences_of_means_and_add_up_to_the_frame():
    torch.manual_seed(0)
    x = torch.randn(40, 4)
    found = [band.numpy() for band in bands(x)]
    assert len(found) == len(SCALES)
    for row in range(40):
        means = [x.numpy()[max(0, row - frames // 2) : row + frames // 2 + 1].mean(axis=0) for frames in SCALES]
        expected = [*(short - long for short, long in itertools.pairwise(means)), means[-1]]
        for band, right in zip(found, expected, strict=True):
            np.testing.assert_allclose(band[row], right, atol=1e-5)
    np.testing.assert_allclose(sum(found), x.numpy(), atol=1e-5)
    alone = bands(x[:1])  # a video of one frame differs by nothing from its neighbours
    assert not any(band.any() for band in alone[:-1])
    torch.testing.assert_close(alone[-1], x[:1])


def test_what_all_frames_share_is_in_the_longest_mean_alone():
    torch.manual_seed(1)
    x, light = torch.randn(30, 4), torch.tensor([3.0, -2.0, 0.5, 1.0])
    for one, other in zip(bands(x)[:-1], bands(x + light)[:-1], strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=0)


def test_each_band_is_whitened_by_itself_to_a_mean_norm_of_one():
    world = World(5)
    training = [world.drive() for _ in range(60)]
    memory = remember(training, recipe("default", resolution_m=SPACING_M))
    assert memory.shape == (600, 24)
    seen = [bands(torch.from_numpy(s.features[0])) for s in training]
    for number, layer in enumerate(memory.whitening):
        white = torch.cat([layer(one[number]) for one in seen])
        assert float(white.norm(dim=1).mean()) == pytest.approx(1.0, abs=1e-3)
        assert white.mean(dim=0).abs().max() < 1e-3
    expected = torch.nn.functional.normalize(
        torch.cat([torch.cat([layer(one[number]) for number, layer in enumerate(memory.whitening)], dim=1) for one in seen]), dim=1
    )
    torch.testing.assert_close(memory.embeddings, expected, atol=1e-5, rtol=0)
    # The differences' axes are the principal ones, as an independent implementation has them, but for the shrinking of weak ones.
    data = torch.cat([one[0] for one in seen]).numpy()
    ours = memory.whitening[0].weight.numpy()
    theirs = PCA(whiten=True).fit(data)
    overlap = np.abs(np.sum(ours / np.linalg.norm(ours, axis=1, keepdims=True) * theirs.components_, axis=1))
    assert overlap[:5].min() > 0.999


def test_whitening_is_learned_on_videos_evenly_out_of_very_many(monkeypatch):
    world = World(7)
    training = [world.drive() for _ in range(40)]
    settings = recipe("default", resolution_m=SPACING_M)
    monkeypatch.setattr("vidtag_engine.training.start._MAX_FRAMES", 100)
    found, some = remember(training, settings), remember(training[::4], settings)
    for one, other in zip(found.whitening, some.whitening, strict=True):
        torch.testing.assert_close(one.weight, other.weight)
    assert len(found.embeddings) == 400  # all of them are kept


def test_very_many_frames_are_thinned_and_keep_their_context(monkeypatch):
    world = World(6)
    training = [world.drive() for _ in range(10)]
    settings = recipe("default", resolution_m=SPACING_M)
    everything = remember(training, settings)
    monkeypatch.setattr("vidtag_engine.models.reference_database.MOST_FRAMES", 40)
    thinned = remember(training, settings)
    assert len(thinned.embeddings) <= 40
    rows = np.concatenate([10 * video + np.arange(0, 10, 3) for video in range(10)])
    torch.testing.assert_close(thinned.embeddings, everything.embeddings[rows])
    torch.testing.assert_close(thinned.lat_lon_deg, everything.lat_lon_deg[rows])


@pytest.mark.parametrize("reach_m", [120.0, 10.0])  # of 10 m no remembered frame would find a place
@pytest.mark.parametrize("hidden_m", [0.0, 80.0])
def test_scores_over_places_against_brute_force(reach_m, hidden_m):
    torch.manual_seed(2)
    memory, places = remembering()
    frames = units(5, 2 * len(SCALES))
    apart = haversine_m(places[:, :1], places[:, 1:], *memory.lat_lon_deg.double().numpy().T)
    away = places[[20, 40]]
    hidden = memory.near(away, hidden_m) if hidden_m else None
    found = memory.over(places, SPACING_M, reach_m)(frames, hidden).numpy()
    reach_m = max(reach_m, SPACING_M)
    if hidden is not None:
        left_out = apart[[20, 40]].min(axis=0) <= hidden_m
        assert 0 < left_out.sum() < len(left_out)
        np.testing.assert_array_equal(hidden.numpy(), left_out)
        apart[:, left_out] = np.inf
    scores = (frames @ memory.embeddings.T).numpy()[:, None, :] - 0.5 * (apart / reach_m)[None] ** 2
    scores = np.where(apart[None] <= reach_m, scores, -np.inf).max(axis=2)
    known = np.isfinite(scores[0])
    assert 0 < known.sum() < len(places)
    np.testing.assert_allclose(found[:, known], scores[:, known], atol=1e-4)
    # Of the others nothing is known: neither better nor worse than the middling.
    np.testing.assert_allclose(found[:, ~known], np.repeat(scores[:, known].mean(axis=1, keepdims=True), (~known).sum(), axis=1), atol=1e-4)


def test_a_reach_of_many_spacings_is_cut_to_twelve():
    memory, places = remembering()
    frames = units(3, 2 * len(SCALES))
    far, twelve = (memory.over(places, 5.0, reach_m)(frames) for reach_m in (1e5, 60.0))
    torch.testing.assert_close(far, twelve)


def test_nothing_in_reach_says_nothing():
    memory, places = remembering()
    assert not memory.over(places, SPACING_M, 100.0)(units(3, 2 * len(SCALES)), torch.ones(40, dtype=torch.bool)).any()
    assert not memory.over(places + 10.0, SPACING_M, 100.0)(units(3, 2 * len(SCALES))).any()


def test_a_mirrored_frame_is_described_as_its_picture_from_right_to_left():
    torch.manual_seed(0)
    memory = ReferenceDatabase(3, 24, 5, 48)
    features = torch.randn(9, 24 + 48)
    there = features.clone()
    there[:, 24:] = features[:, 24:].reshape(9, 2, 4, 6)[..., [5, 4, 3, 2, 1, 0]].reshape(9, 48)
    torch.testing.assert_close(memory.mirrored(features), memory.in_context(there))
    torch.testing.assert_close(memory.mirrored(there), memory.in_context(features))
    assert not torch.allclose(memory.mirrored(features), memory.in_context(features), atol=0.05)
    assert ReferenceDatabase(3, 24, 5).mirrored(features[:, :24]) is None


def test_a_memory_is_saved_with_its_weights_and_places_keep_their_metres(tmp_path):
    model = shaken(small())
    assert model.memory is None
    places = np.array([[52.5, 13.4], [-18.0, 179.99999], [52.5, 13.40001]])
    videos = [(units(len(part), 24), torch.from_numpy(part)) for part in (places[:2], places[2:])]
    memory = ReferenceDatabase.remembering([torch.nn.Linear(24, 5) for _ in SCALES], videos)
    model.remember(memory)
    save_pretrained(model, tmp_path, CheckpointCard("remembers", "vidtag-compact"))
    loaded, card = from_pretrained(tmp_path)
    assert loaded.memory is not None
    assert card.config["remembered"] == 3
    kept = loaded.memory.lat_lon_deg.double().numpy()
    assert haversine_m(*kept.T, *places.T).max() < 2.0  # float32 degrees
    assert card.config["remembered_width"] == 5
    torch.testing.assert_close(loaded.memory.embeddings, memory.embeddings, atol=1e-3, rtol=0)
    for features, _ in videos:
        torch.testing.assert_close(loaded.memory.in_context(features), memory.in_context(features), atol=3e-3, rtol=0)
    model.remember(None)
    assert model.memory is None
    assert model.config.remembered == model.config.remembered_width == 0


def with_layout(sequence: TrainingSequence, seed: int, width: int = 10) -> TrainingSequence:
    rng = np.random.default_rng(seed)
    layout = rng.normal(size=(len(sequence), width)).astype(np.float16)
    return replace(sequence, layout=layout / np.linalg.norm(layout, axis=1, keepdims=True))


def test_features_and_layout_count_alike():
    """The cosine of two frames is the mean of their cosines by either, each remembered by itself."""
    world = World(11)
    training = [with_layout(world.drive(), seed) for seed in range(40)]
    settings = recipe("default", resolution_m=SPACING_M, remembered_width=8)
    memory = remember(training, settings)
    assert memory.shape == (400, 8)
    assert memory.layout_dim == 10
    alone = remember([replace(s, layout=None) for s in training], settings)
    where = remember([replace(s, features=s.layout[None].astype(np.float32), layout=None) for s in training], settings)
    assert alone.layout_dim == 0
    expected = (alone.embeddings @ alone.embeddings.T + where.embeddings @ where.embeddings.T) / 2
    torch.testing.assert_close(memory.embeddings @ memory.embeddings.T, expected, atol=1e-4, rtol=0)
    assert training[0].seen.shape == (10, 34)
    part = training[0].part(2, 5)
    np.testing.assert_array_equal(part.seen, training[0].seen[2:5])
    torch.testing.assert_close(memory.in_context(torch.from_numpy(training[0].seen)), memory.embeddings[:10], atol=1e-5, rtol=0)


def test_a_layout_is_remembered_in_the_checkpoint_and_the_networks_do_not_read_it(tmp_path):
    world = World(12)
    training = [with_layout(world.drive(), seed) for seed in range(30)]
    model = world.model(training)
    assert model.config.remembered_layout == 10
    seen = torch.from_numpy(training[3].seen)
    torch.testing.assert_close(model.embed_video(seen), model.embed_video(seen[:, :24]), atol=0, rtol=0)
    save_pretrained(model, tmp_path, CheckpointCard("where", "vidtag-compact"))
    loaded, card = from_pretrained(tmp_path)
    assert card.config["remembered_layout"] == 10
    torch.testing.assert_close(loaded.memory.in_context(seen), model.memory.in_context(seen), atol=5e-3, rtol=0)
    model.remember(None)
    assert model.config.remembered_layout == 0
    with pytest.raises(ValidationError, match="remembered_layout without"):
        small(remembered_layout=10)


def test_more_frames_than_a_card_may_ask_for_are_refused():
    with pytest.raises(ValidationError):
        small(remembered=10**9, remembered_width=4)
    with pytest.raises(ValidationError, match="without the other"):
        small(remembered=10)


class World:
    """Drives over a town whose frames show their street, beside a light of their own; the networks were never trained."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.places = lattice(12, 12)
        self.look = self.rng.normal(size=(len(self.places), 24)).astype(np.float32)

    def drive(self, rows: tuple[int, ...] = tuple(range(12))) -> TrainingSequence:
        row, steps = int(self.rng.choice(rows)), 10
        first = int(self.rng.integers(12 - steps + 1))
        at = row * 12 + first + np.arange(steps)
        features = self.look[at] + 0.5 * self.rng.normal(size=24) + 0.3 * self.rng.normal(size=(steps, 24))
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        return TrainingSequence("", features[None].astype(np.float32), self.places[at], np.arange(steps) * 5.0)

    def model(self, training: list[TrainingSequence]) -> VidTAG:
        model = shaken(small(georefiner=None))
        model.remember(remember(training, recipe("default", resolution_m=SPACING_M)))
        return model

    def search(self, model: VidTAG, rows: int = 12) -> Search:
        """Of the town's southernmost rows."""
        places = self.places[: 12 * rows]
        south, west, north, east = *places.min(axis=0), *places.max(axis=0)
        aoi = load_aoi({"type": "Polygon", "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]]})
        search = search_over(model, make_grid(aoi, SPACING_M), aoi, torch.device("cpu"), weights_sha256="")
        search.prepare()
        return search

    def fitted(self) -> tuple[PathCalibration, ScoredPlaces, list[TrainingSequence], Emissions]:
        training, held_out = [self.drive() for _ in range(60)], [self.drive() for _ in range(12)]
        model = self.model(training)
        found = calibrate_path(model, self.places, SPACING_M, training, held_out, temperature=0.07, reach_m=60.0)
        new = self.drive()
        over = ScoredPlaces.embedded(model, self.places, SPACING_M, 60.0)
        return found, over, [new], Emissions(model, new.features[0])


def test_training_reads_what_is_remembered_where_that_helps():
    world = World(0)
    found, over, [new], frames = world.fitted()
    assert isinstance(found.database_weight, DatabaseWeight)
    assert found.database_weight.reach_m == 60.0
    assert PathCalibration.from_dict(found.to_dict()).database_weight == found.database_weight
    assert PathCalibration.from_dict(found.to_dict()).line_emission == found.line_emission
    line = (
        Decoder(world.places, SPACING_M, found.transition)
        .decode(frames.at(over).read(found.database_weight), new.time_s, found.emission, accuracy_m=found.accuracy_m)
        .lat_lon_deg
    )
    assert np.median(haversine_m(*line.T, *new.lat_lon_deg.T)) < 100.0
    # By the networks alone, which were never trained, it is anywhere.
    alone = Decoder(world.places, SPACING_M, found.transition).decode(frames.at(over).read(None), new.time_s, found.emission).lat_lon_deg
    assert np.median(haversine_m(*alone.T, *new.lat_lon_deg.T)) > np.median(haversine_m(*line.T, *new.lat_lon_deg.T))


def test_a_video_is_solved_with_what_is_remembered():
    world = World(3)
    training, new = [world.drive() for _ in range(60)], world.drive()
    model = world.model(training)
    search = world.search(model)
    path = PathCalibration.unfitted(0.07, SPACING_M)
    features = new.features[0]
    queries = model.embed_video(torch.from_numpy(features))
    errors_m = {}
    for name, database_weight in (("alone", None), ("remembering", DatabaseWeight(4.0, 60.0))):
        solver = PosteriorDecoder(model, search, Calibration(0.07, path=replace(path, database_weight=database_weight)))
        video = solver.read(Emissions(model, features, queries))
        solved = solver.solve(video, solver.decode(video, new.time_s), search.top_k(queries, 5), 100.0)
        errors_m[name] = float(np.median(haversine_m(*solved.line.T, *new.lat_lon_deg.T)))
        # What it is solved again from, with pins, is what it was solved from.
        kept = solver.scores(solved, np.arange(len(features)), new.time_s)
        again = solver.decoder.decode(kept.scores, new.time_s, path.emission, accuracy_m=solver.accuracy_m)
        np.testing.assert_allclose(again.lat_lon_deg, solved.line, atol=1e-6)
    assert errors_m["remembering"] < 100.0 < errors_m["alone"]


def test_a_line_goes_along_the_references_most_like_it_where_that_was_fitted():
    world = World(3)
    training, new = [world.drive() for _ in range(60)], world.drive()
    model = world.model(training)
    search, features = world.search(model), new.features[0]
    queries = model.embed_video(torch.from_numpy(features))
    positions = {}
    for at_references, sequence_mps, refine_mps in ((False, None, None), (True, 10.0, None), (True, None, 10.0)):
        weight = DatabaseWeight(4.0, 60.0, neighbours=NEIGHBOURS, sequence_mps=sequence_mps)
        path = replace(PathCalibration.unfitted(0.07, SPACING_M, weight, 10.0), at_references=at_references, refine_mps=refine_mps)
        solver = PosteriorDecoder(model, search, Calibration(0.07, path=path))
        video = solver.read(Emissions(model, features, queries, time_s=new.time_s))
        final = solver.solve(video, solver.decode(video, new.time_s), search.top_k(queries, 5), 100.0).final
        positions[at_references, refine_mps] = np.stack([final.lat_deg[:, 0], final.lon_deg[:, 0]], axis=1)
    line, kept = positions.pop((False, None)), model.memory.places_deg
    reached = haversine_m(*line.T[:, :, None], *kept.T[:, None, :]).min(axis=1) <= REFINED * SPACING_M
    assert reached.any()
    for moved in positions.values():
        apart_m = haversine_m(*moved.T[:, :, None], *kept.T[:, None, :])
        # Stored places are to a metre or so.
        assert (apart_m.min(axis=1)[reached] < 1.0).mean() > 0.9
        assert (haversine_m(*moved.T, *line.T) <= REFINED * SPACING_M + 1.0).all()


def test_a_video_from_beyond_the_area_is_withheld_and_one_from_within_is_located():
    world = World(13)
    training = [world.drive() for _ in range(60)]
    model = world.model(training)
    search = world.search(model, rows=6)
    known = OutOfAreaDetector(world.places, SPACING_M, slope=1.0, most_odds=0.5, videos=1e6)
    path = replace(
        PathCalibration.unfitted(0.07, SPACING_M, DatabaseWeight(4.0, 60.0)),
        out_of_area=known,
        maps=(RadiusMap(100.0, 1.0, 0.0),),
        videos=50,
    )
    ground = TrainingGround.about(world.places, 60.0)
    found = {}
    for rows, expected in (((1, 2, 3), FrameState.LOCATED), ((8, 9, 10), FrameState.OUTSIDE_AOI)):
        new = world.drive(rows)
        features = new.features[0]
        queries = model.embed_video(torch.from_numpy(features))
        solver = PosteriorDecoder(model, search, Calibration(0.07, path=path, ground=ground))
        video = solver.read(Emissions(model, features, queries))
        decoded = solver.decode(video, new.time_s)
        verdict = solver.solve(video, decoded, search.top_k(queries, 5), 100.0).verdict
        found[verdict.state] = verdict
        assert verdict.state is expected
        frames, ahead = Emissions(model, features), []
        beyond = haversine_m(*world.places.T[:, :, None], *solver.cover.lat_lon_deg.T[:, None]).min(axis=1) > SPACING_M
        for places, spacing_m in ((world.places[beyond], SPACING_M), (solver.cover.lat_lon_deg, solver.cover.spacing_m)):
            scores = frames.at(ScoredPlaces.embedded(model, places, spacing_m, 60.0)).read(path.database_weight)(slice(0, 10))
            blocks = blocks_of_ground(places)
            ahead.append(max(scores[:, one == block].max(axis=1).mean() for one in blocks for block in np.unique(one)))
        margin = float(ahead[0] - ahead[1])
        assert -logit(verdict.inside) == pytest.approx(margin, abs=0.1)
    assert found[FrameState.LOCATED].inside > 0.5 > found[FrameState.OUTSIDE_AOI].inside
    assert found[FrameState.LOCATED].why == ""
    assert "another place" in found[FrameState.OUTSIDE_AOI].why
    # Leads that say nothing, and an area where the checkpoint knows nothing.
    north = OutOfAreaDetector(world.places[12 * 8 :], SPACING_M, slope=1.0, most_odds=0.5, videos=1e6)
    for silent in (replace(known, slope=0.0), north):
        solver = PosteriorDecoder(model, search, Calibration(0.07, path=replace(path, out_of_area=silent)))
        verdict = solver.solve(solver.read(video.of), decoded, search.top_k(queries, 5), 100.0).verdict
        assert (verdict.state, np.isnan(verdict.inside)) == (FrameState.LOCATED, True)


def test_without_a_fitted_path_frames_read_what_is_remembered_and_move_as_training_did():
    """A few held-out blocks cannot fit a decoder, but how fast the camera went is known."""
    world = World(4)
    training, new = [world.drive() for _ in range(60)], world.drive()
    model = world.model(training)
    search = world.search(model)
    farthest = max(training, key=lambda s: float(haversine_m(*s.lat_lon_deg[0], *new.lat_lon_deg[4])))
    features = new.features[0].copy()
    features[4] = farthest.features[0, 0]  # a picture from elsewhere, which leads the context of its neighbours astray
    queries = model.embed_video(torch.from_numpy(features))
    speed_mps = typical_speed_mps([(s.time_s, s.lat_lon_deg) for s in training])
    calibration = Calibration(0.07, n_frames=10, database_weight=DatabaseWeight(2.0, 60.0), speed_mps=speed_mps)
    assert Calibration.from_dict(calibration.to_dict()) == calibration
    solver = PosteriorDecoder(model, search, calibration)
    assert solver.decoder.transition.speed_mps == pytest.approx(speed_mps)
    video = solver.read(Emissions(model, features, queries))
    solved = solver.solve(video, solver.decode(video, new.time_s), search.top_k(queries, 5), 100.0)
    found = np.stack([solved.final.lat_deg[:, 0], solved.final.lon_deg[:, 0]], axis=1)
    np.testing.assert_allclose(found, solved.line, atol=1e-9)
    # By brute force each frame by itself: the networks' cosine and twice the likeness of the nearest remembered frames, place by place.
    places, spacing_m = solver.cover.lat_lon_deg, solver.cover.spacing_m
    assert model.memory is not None
    likeness = model.memory.in_context(torch.from_numpy(features)) @ model.memory.embeddings.T
    apart_m = haversine_m(places[:, :1], places[:, 1:], *model.memory.lat_lon_deg.double().numpy().T)
    reach_m = max(60.0, spacing_m)
    lost = np.where(apart_m <= reach_m, 0.5 * (apart_m / reach_m) ** 2, np.inf)
    best = (likeness.numpy()[:, None] - lost[None]).max(axis=2)
    known = np.isfinite(best[0])
    best[:, ~known] = best[:, known].mean(axis=1, keepdims=True)
    scores = (queries @ model.embed_locations(torch.from_numpy(places)).T).detach().numpy() + 2.0 * best
    alone_m = haversine_m(*places[scores.argmax(axis=1)].T, *new.lat_lon_deg.T)
    found_m = haversine_m(*found.T, *new.lat_lon_deg.T)
    assert alone_m.max() > 500.0
    assert found_m.max() < 150.0


def test_without_a_known_speed_each_frame_reads_what_is_remembered_by_itself():
    world = World(4)
    training, new = [world.drive() for _ in range(60)], world.drive()
    model = world.model(training)
    search = world.search(model)
    features = new.features[0]
    queries = model.embed_video(torch.from_numpy(features))
    solver = PosteriorDecoder(model, search, Calibration(0.07, n_frames=10, database_weight=DatabaseWeight(2.0, 60.0)))
    assert not solver.seeks_line
    video = solver.read(Emissions(model, features, queries))
    solved = solver.solve(video, solver.decode(video, new.time_s), search.top_k(queries, 5), 100.0)
    found = np.stack([solved.final.lat_deg[:, 0], solved.final.lon_deg[:, 0]], axis=1)
    places = solver.cover.lat_lon_deg
    over = ScoredPlaces.embedded(model, places, solver.cover.spacing_m, 60.0)
    scores = Emissions(model, features).at(over).read(DatabaseWeight(2.0, 60.0))(slice(0, len(features)))
    np.testing.assert_allclose(found, places[scores.argmax(axis=1)], atol=1e-9)


@pytest.mark.parametrize("reach_m", [60.0, 150.0, 600.0])
def test_an_unfitted_line_does_not_settle_between_two_places(reach_m):
    """Two places look alike, one a little less so: the line goes through the better one, however far remembered frames speak."""
    north, east = np.mgrid[:40, :40].reshape(2, -1) * 25.0 * METRE_DEG
    places, time_s = np.stack([north, east], axis=1), np.arange(5.0)
    path = PathCalibration.unfitted(0.07, 25.0, DatabaseWeight(2.0, reach_m), 5.0)
    best, rival = 20 * 40 + 10, 20 * 40 + 26  # 400 m apart
    scores = np.zeros((5, len(places)), dtype=np.float32)
    scores[:, best], scores[:, rival] = 1.0, 0.98
    decoded = Decoder(places, 25.0, path.transition).decode(
        scores, time_s, path.emission, accuracy_m=path.accuracy_m, line_emission=path.line_emission
    )
    assert haversine_m(*decoded.lat_lon_deg.T, *places[best]).max() < 12.5


@pytest.mark.parametrize("speed", [0.0, -3.0, float("nan"), "fast"])
def test_a_damaged_speed_is_refused_in_a_sentence(speed):
    values = Calibration(0.07, database_weight=DatabaseWeight(2.0, 60.0)).to_dict() | {"speed_mps": speed}
    with pytest.raises(InputError, match="fit it again"):
        Calibration.from_dict(values)


@pytest.mark.slow
def test_the_fit_tells_how_far_it_is_and_stops_at_each_of_its_parts():
    world = World(9)
    training, held_out = [world.drive() for _ in range(30)], [world.drive() for _ in range(10)]
    model = world.model(training)
    told: list[Progress] = []

    def fit(stop_in: str = "") -> None:
        def cancelled() -> bool:
            return bool(told) and told[-1].message == stop_in

        calibrate_path(
            model, world.places, SPACING_M, training, held_out, temperature=0.07, reach_m=60.0, feedback=Feedback(told.append, cancelled)
        )

    fit()
    fractions = [step.fraction for step in told]
    assert fractions == sorted(fractions)
    assert 0.0 <= fractions[0] < 0.05
    assert 0.9 < fractions[-1] <= 1.0
    parts = list(dict.fromkeys(step.message for step in told))
    assert len(parts) == 3
    for part in parts:
        told.clear()
        with pytest.raises(CancelledError, match="run the same command again"):
            fit(part)


def test_likeness_is_the_same_frame_by_frame_and_at_once():
    world = World(13)
    memory = remember([world.drive() for _ in range(20)], recipe("default", resolution_m=SPACING_M))
    like = memory.over(world.places, SPACING_M, 60.0)
    hidden = torch.arange(len(like._lost)) % 3 == 0
    cosines, lost = torch.randn(7, len(memory.embeddings)), like._lost.masked_fill(hidden, torch.inf)
    torch.testing.assert_close(like._best_by_frame(cosines, lost), like._best_at_once(cosines, lost), atol=0, rtol=0)


def test_scores_that_no_room_is_left_for_are_computed_anew(monkeypatch):
    world = World(14)
    model = world.model([world.drive() for _ in range(20)])
    cover, frames = ScoredPlaces.embedded(model, world.places, SPACING_M, 60.0), Emissions(model, world.drive().seen)
    database_weight = DatabaseWeight(2.0, 60.0, 0.1)
    expected = frames.at(cover, most_held=0).read(database_weight)(slice(2, 6))
    np.testing.assert_allclose(frames.at(cover).read(database_weight)(slice(2, 6)), expected, atol=1e-6)
    for room in (0, 10**6):
        monkeypatch.setattr("vidtag_engine.calibration.calibrate._MOST_HELD", room)
        held = _Held(cover)
        np.testing.assert_allclose(held.of(frames).read(database_weight)(slice(2, 6)), expected, atol=4e-3)
        assert held.of(frames).holds == (room > 0)


@pytest.mark.parametrize("most", [12_000, 40])
def test_the_known_ground_has_the_scores_that_it_has_by_itself(monkeypatch, most):
    """Whether it is the cover's own places, scored with it, or a wider lattice of them."""
    world = World(15)
    training, held_out = [world.drive() for _ in range(30)], [world.drive() for _ in range(4)]
    model, seen = world.model(training), []
    monkeypatch.setattr("vidtag_engine.calibration.out_of_area._MOST_PLACES", most)
    monkeypatch.setattr(
        "vidtag_engine.calibration.calibrate.fit_out_of_area", lambda known, *given: seen.append((known, list(given[2]))) or known
    )
    found = calibrate_path(model, world.places, SPACING_M, training, held_out, temperature=0.07, reach_m=60.0)
    ((known, videos),) = seen
    assert (known.spacing_m > SPACING_M) == (most == 40)
    ground = ScoredPlaces.embedded(model, known.lat_lon_deg, known.spacing_m, *found.database_weight.reads)
    every = slice(0, len(held_out[0]))
    alone = [Emissions(model, video.seen, time_s=video.time_s).at(ground).read(found.database_weight)(every) for video in held_out]
    plain = [one.outer for one in videos if one.weight == 1.0]
    assert len(plain) == len(held_out)
    rounded = 0.01 * max(1.0, found.database_weight.weight / 16.0)  # scores are held in half precision, and weighed after
    for outer in plain:  # in an order of their own
        assert min(np.abs(outer - one).max() for one in alone) < rounded


def test_likeness_that_chance_finds_is_not_read():
    database_weight, chance = DatabaseWeight(4.0, 60.0, 0.25), np.array([0.1])  # of checkpoints without a likelihood ratio
    np.testing.assert_array_equal(database_weight.read(np.array([[0.5, 0.25, -0.5]]), chance), [[2.0, 1.0, 1.0]])
    np.testing.assert_array_equal(DatabaseWeight(4.0, 60.0).read(np.array([[0.5, -0.5]]), chance), [[2.0, -2.0]])
    assert DatabaseWeight.from_dict({"weight": 4.0, "reach_m": 60.0}).least is None  # of checkpoints made before


def partly_driven() -> tuple[World, tuple[int, ...], VidTAG, PathCalibration]:
    """A town of which three streets in four were driven: which, a model that remembers them, and how sure to be."""
    world, driven = World(8), tuple(row for row in range(12) if row % 4 != 3)
    training, held_out = [world.drive(driven) for _ in range(80)], [world.drive(driven) for _ in range(40)]
    model = world.model(training)
    return world, driven, model, calibrate_path(model, world.places, SPACING_M, training, held_out, temperature=0.07, reach_m=60.0)


@pytest.mark.slow
def test_on_streets_that_were_never_driven_it_does_not_claim_to_know():
    """Three streets in four are remembered; what is said of drives on the others is what is so."""
    world, driven, model, found = partly_driven()
    assert found.database_weight is not None
    assert found.database_weight.least is not None
    over = ScoredPlaces.embedded(model, world.places, SPACING_M, *found.database_weight.reads)
    decoder = Decoder(world.places, SPACING_M, found.transition)

    def judged(rows: tuple[int, ...]) -> tuple[float, float]:
        """Chance said of 100 m, and share of frames within it."""
        said, right = [], []
        for _ in range(20):
            new = world.drive(rows)
            frames = Emissions(model, new.features[0], time_s=new.time_s)
            decoded = decoder.decode(frames.at(over).read(found.database_weight), new.time_s, found.emission, accuracy_m=found.accuracy_m)
            apart_m = rivals_from_m(decoder, found.accuracy_m, found.apart_m)
            margin = score_margin(decoder, frames.at(over).read(found.database_weight), decoded.lat_lon_deg, apart_m)
            kind = found.is_recognised(recognition(decoder, frames.at(over).read_similarity(), decoded.lat_lon_deg, apart_m))
            said.append(hypotheses(decoded.marginal, decoder, decoded.lat_lon_deg, found, margin, kind).within[:, 1].mean())
            right.append((haversine_m(*decoded.lat_lon_deg.T, *new.lat_lon_deg.T) <= 100.0).mean())
        return float(np.mean(said)), float(np.mean(right))

    said, right = judged(driven)
    assert right > 0.9
    assert said > 0.8
    said, right = judged((3, 7, 11))
    # The networks saw those streets; hiding the reference images alone is known to leave too much said of streets like them.
    assert said < right + 0.3


@pytest.mark.slow
def test_whether_a_video_is_recognised_does_not_depend_on_the_area_or_on_how_coarse_lines_are():
    """With a line's own accuracy of several kilometres no place of a small area was a rival any more, and whatever was sought there counted as recognised."""
    world, driven, model, found = partly_driven()
    assert found.apart_m == 90.0
    coarse = replace(found, accuracy_m=10 * SPACING_M)
    block = world.places[24:60]  # rows 2 to 4, of which nobody drove 3
    weight = found.database_weight
    assert weight is not None
    over, decoder = ScoredPlaces.embedded(model, block, SPACING_M, *weight.reads), Decoder(block, SPACING_M, found.transition)

    def recognised(path: PathCalibration, rows: tuple[int, ...]) -> float:
        seen = []
        for _ in range(20):
            new = world.drive(rows)
            frames = Emissions(model, new.features[0], time_s=new.time_s).at(over)
            line = decoder.decode(frames.read(weight), new.time_s, path.emission, accuracy_m=found.accuracy_m).lat_lon_deg
            seen.append(
                path.is_recognised(
                    recognition(decoder, frames.read_similarity(), line, rivals_from_m(decoder, path.accuracy_m, path.apart_m))
                )
            )
        return float(np.mean(seen))

    assert recognised(coarse, (3,)) < 0.3
    assert recognised(coarse, (2, 4)) > 0.7
    # Of checkpoints made before nothing tells there: that no other place is there is no sign that this is the right one.
    assert recognised(replace(coarse, apart_m=None), (2, 4)) == 0.0


@pytest.mark.parametrize(
    "values",
    [{"weight": -1.0, "reach_m": 10.0}, {"weight": 1.0, "reach_m": float("nan")}, {"weight": 1.0, "reach_m": 9.0, "least": float("inf")}],
)
def test_a_reading_that_cannot_be_is_refused(values):
    with pytest.raises(InputError, match="fit it again"):
        Calibration.from_dict({"temperature": 0.07, "recall": values})
