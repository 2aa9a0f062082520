"""The methods that VidTAG is compared with: cells against the S2 library and geodesics, classifiers on features that tell all."""

import dataclasses
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from benchmarks.baselines import (
    GeoDecoder,
    ISNs,
    LabelledFrames,
    LinearHead,
    PlaNet,
    fit_classifier,
    geoclip_config,
    geoclip_settings,
    hierarchy,
    parents,
    point_cells,
    retrieve,
    s2_cells,
)
from benchmarks.baselines.s2_cells import s2_tokens
from benchmarks.isles_settings import Budget, settings_for
from benchmarks.isles_world import sequences_of
from tests.isles_maker import Maker
from vidtag_engine.datasets.training_sequence import TrainingSequence
from vidtag_engine.grid import points_grid
from vidtag_engine.models.vidtag import VidTAG, VidTAGConfig
from vidtag_engine.training import recipe
from vidtag_engine.types import InputError

GEOD = Geod(a=6_371_010, b=6_371_010)
PAPER = {"recipe": "paper", "sigma": "globe", "dropout": 0.0}


def town(count: int = 300, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.array([33.2, -44.3]) + rng.uniform(-0.04, 0.04, (count, 2))


@pytest.mark.parametrize(("level", "sides_m"), [(8, (27_000, 48_000)), (10, (6_800, 12_000)), (11, (3_400, 6_000)), (13, (850, 1_500))])
def test_cells_have_the_size_that_s2_gives_their_level(level: int, sides_m: tuple[int, int]) -> None:
    import s2cell

    token = s2_tokens(np.array([[33.2, -44.3]]), level)[0]
    lat, lon = s2cell.token_to_lat_lon(token)
    near = [s2cell.cell_id_to_lat_lon(cell) for cell in s2cell.cell_id_to_neighbor_cell_ids(s2cell.token_to_cell_id(token), corner=False)]
    distances = [GEOD.inv(lon, lat, b, a)[2] for a, b in near]
    assert all(sides_m[0] < distance < sides_m[1] for distance in distances)


@given(st.floats(-89, 89), st.floats(-180, 180))
@settings(max_examples=60, deadline=None)
def test_a_place_lies_in_its_cell(lat: float, lon: float) -> None:
    place = np.array([[lat, lon]])
    cells = s2_cells(place, 13)
    assert len(cells) == 1
    assert cells.classes(place).tolist() == [0]
    centre = cells.centres_deg[0]
    # S2's kMaxDiag is 2.438654594434021 / 2^level on the unit sphere, and a centre in (s, t) is not quite the middle.
    assert GEOD.inv(lon, lat, centre[1], centre[0])[2] <= 0.55 * 2.438654594434021 * 2**-13 * 6_371_010


# From s2sphere 0.2.5, another implementation of S2: tokens at levels 8, 10, 11, 13, and the last one's centre.
GOLDEN = {
    (61.0, -27.5): ("493a5", "493a59", "493a594", "493a5974", 61.00235808884482, -27.513752641468884),
    (-19.22, 159.93): ("6eaf1", "6eaf09", "6eaf09c", "6eaf09bc", -19.216951134045125, 159.92525606150016),
    (71.6, 180.0): ("50a75", "50a75f", "50a75fc", "50a75f8c", 71.60206638569811, -179.98598073527083),
    (71.6, -179.999): ("50a75", "50a75f", "50a75fc", "50a75f8c", 71.60206638569811, -179.98598073527083),
    (83.0, -100.0): ("50243", "502427", "502427c", "5024278c", 83.00136011029475, -99.96476604487668),
    (-59.33, -120.33): ("a3ecb", "a3eca9", "a3eca94", "a3eca91c", -59.32904218216869, -120.32579337196292),
}


@pytest.mark.parametrize("place", GOLDEN, ids=str)
def test_cells_are_s2s_own(place: tuple[float, float]) -> None:
    *tokens, lat, lon = GOLDEN[place]
    found = [s2_cells(np.array([place]), level) for level in (8, 10, 11, 13)]
    assert [cells.names[0] for cells in found] == tokens
    assert found[-1].centres_deg[0] == pytest.approx((lat, lon), abs=1e-9)


def test_classes_are_the_cells_of_training_places_and_no_others() -> None:
    places = town()
    cells = s2_cells(places, 13)
    found = cells.classes(places)
    assert found.min() == 0
    assert set(found.tolist()) == set(range(len(cells)))
    assert cells.classes(np.array([[-10.0, 20.0]])).tolist() == [-1]
    # Every place is about as near to its own cell's centre as to any: cells are no Voronoi diagram, but nearly.
    distance = np.array([[GEOD.inv(b, a, d, c)[2] for c, d in cells.centres_deg] for a, b in places[:60]])
    own = distance[np.arange(60), found[:60]]
    assert (own < distance.min(axis=1) + 400).all()


def test_parents_are_cells_that_hold_the_finer_ones() -> None:
    places = town()
    coarse, fine = hierarchy(places, (13, 10))
    assert (coarse.level, fine.level) == (10, 13)
    assert parents(fine, coarse)[fine.classes(places)].tolist() == coarse.classes(places).tolist()


def test_cells_without_the_library_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s2cell", None)
    with pytest.raises(InputError, match="pip install s2cell"):
        s2_cells(town(3), 13)


def test_point_cells_know_their_own_points_only() -> None:
    centres = np.array([[10.0, 20.0], [-5.0, 179.9], [10.0, 20.1]])
    cells = point_cells(np.repeat(centres, 4, axis=0))
    assert len(cells) == 3
    assert np.array_equal(cells.centres_deg[cells.classes(centres)], centres)
    assert cells.classes(np.array([[10.0, 20.05]])).tolist() == [-1]


def separable(seed: int = 0, dimensions: int = 64) -> list[TrainingSequence]:
    """Features that say nothing but the cell at level 13, and that exactly."""
    places = 33.2 + 0.4 * (town(400, 1) - 33.2)  # a smaller town: about fifteen cells
    places[:, 1] -= 70.0
    cells = s2_cells(places, 13)
    directions = np.random.default_rng(7).normal(size=(len(cells), dimensions))
    rng = np.random.default_rng(seed)
    sequences = []
    for start in range(0, 400, 20):
        part = places[start : start + 20]
        features = directions[cells.classes(part)] + rng.normal(size=(20, dimensions)) * 0.05
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        sequences.append(TrainingSequence(str(start), features[None].astype(np.float32), part, np.arange(20.0)))
    return sequences


def scenes_of(sequences: list[TrainingSequence]) -> list[np.ndarray]:
    """Every other cell is of another scene."""
    cells = s2_cells(np.concatenate([s.lat_lon_deg for s in sequences]), 13)
    return [np.eye(16)[np.where(cells.classes(s.lat_lon_deg) % 2, 7, 12)] for s in sequences]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["head", "planet", "isns", "geodecoder"])
def test_separable_features_are_classified_without_error(method: str) -> None:
    sequences = separable()
    places = np.concatenate([s.lat_lon_deg for s in sequences])
    cells = s2_cells(places, 13)
    torch.manual_seed(0)
    model = {
        "head": lambda: LinearHead(cells, 64),
        "planet": lambda: PlaNet(cells, 64, 0.0),
        "isns": lambda: ISNs(cells, 64, dropout=0.0),
        "geodecoder": lambda: GeoDecoder(hierarchy(places, (8, 10, 11, 13)), 64, scenes=(7, 12), dropout=0.0),
    }[method]()
    budget = Budget(150, 0, batch_clips=8, clip_frames=16, validate_every=50)
    chosen = settings_for(PAPER, budget, seed=0, phase1_rate=3e-3, phase2_rate=1e-3)
    frames = LabelledFrames.of(sequences, scenes_of(sequences))
    fitted = fit_classifier(model, frames, frames, chosen)
    found = model.classify(frames.features[0])
    assert np.mean(found == model.finest.classes(places)) == 1.0
    assert fitted.step in {50, 100, 150}
    # It answers with centres of cells, and with nothing else.
    answers = np.concatenate(model.place(sequences))
    assert set(map(tuple, answers)) <= set(map(tuple, cells.centres_deg))
    # The finest cells' probabilities sum to 1.
    total = model.log_probabilities(torch.from_numpy(frames.features[0][:7])).exp().sum(dim=-1)
    assert total.detach().numpy() == pytest.approx(np.ones(7), abs=1e-4)


def test_the_same_seed_trains_the_same_classifier() -> None:
    sequences = separable()
    cells = s2_cells(np.concatenate([s.lat_lon_deg for s in sequences]), 13)
    frames = LabelledFrames.of(sequences, [None] * len(sequences))
    chosen = settings_for(PAPER, Budget(5, 0, batch_clips=2, validate_every=5), seed=3, phase1_rate=1e-3, phase2_rate=1e-3)
    states = []
    for _ in range(2):
        torch.manual_seed(0)
        model = PlaNet(cells, 64)
        fit_classifier(model, frames, frames, chosen)
        states.append(model.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_isns_without_a_label_at_hand_route_by_what_they_see() -> None:
    cells = point_cells(town(5))
    model = ISNs(cells, 32, groups=((7,), (12,)), dropout=0.0)
    with torch.no_grad():
        model.scene_head.weight.zero_()
        for bias, other in (((10.0, 0.0), 1), ((0.0, 10.0), 0)):
            model.scene_head.bias.copy_(torch.tensor(bias))
            features = torch.nn.functional.normalize(torch.randn(4, 32), dim=-1)
            before = model.log_probabilities(features)
            model.networks[other][-1].weight.add_(1.0)  # the network that is not asked
            assert torch.equal(before, model.log_probabilities(features))


def test_geoclip_frames_do_not_see_each_other_and_vidtags_do() -> None:
    torch.manual_seed(0)
    base = VidTAGConfig.preset("vidtag-compact").model_copy(update={"feature_dim": 320})
    sequence = sequences_of(Maker().world().of("test"))[0]
    features = torch.from_numpy(sequence.features[0])
    alone = VidTAG(geoclip_config(base)).eval()
    assert not alone.has_refiner
    assert torch.allclose(alone.embed_video(features)[3:4], alone.embed_video(features[3:4]), atol=1e-6)
    whole = VidTAG(base.model_copy(update={"tempgeo": base.tempgeo.model_copy(update={"identity_start": False})})).eval()
    assert not torch.allclose(whole.embed_video(features)[3:4], whole.embed_video(features[3:4]), atol=1e-3)


def test_geoclip_trains_on_as_many_frames_a_step_drawn_one_by_one() -> None:
    like = recipe("paper")
    own = geoclip_settings(like)
    assert own.phase1.batch_clips * own.clip_frames == like.phase1.batch_clips * like.clip_frames
    assert own.clip_frames == 1
    assert own.phase2.steps == 0
    assert own.phase1.model_dump(exclude={"batch_clips"}) == like.phase1.model_dump(exclude={"batch_clips"})


def test_retrieval_is_brute_force_and_refined_by_the_model() -> None:
    torch.manual_seed(0)
    model = VidTAG(VidTAGConfig.preset("vidtag-compact").model_copy(update={"feature_dim": 320})).eval()
    sequences = sequences_of(Maker().world().of("test"))[:3]
    points = np.concatenate([s.lat_lon_deg for s in sequences])
    placed = retrieve(model, sequences, points_grid(points))
    with torch.inference_mode():
        known = np.unique(points, axis=0)
        gallery = model.embed_locations(torch.from_numpy(known))
        for sequence, answers in zip(sequences, placed.phase1, strict=True):
            wanted = known[(model.embed_video(torch.from_numpy(sequence.features[0])) @ gallery.T).argmax(dim=1).numpy()]
            assert np.allclose(answers, wanted)
    # An untrained GeoRefiner gives back what it is given.
    assert all(np.array_equal(a, b) for a, b in zip(placed.predicted, placed.phase1, strict=True))


def test_frames_without_scene_labels_do_not_teach_scenes() -> None:
    sequences = [dataclasses.replace(s) for s in separable()[:2]]
    frames = LabelledFrames.of(sequences, [None, np.eye(16)[3]])
    assert frames.scene[:20].sum() == 0
    assert frames.scene[20:].sum() == pytest.approx(20)
