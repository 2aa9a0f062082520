"""Scores over places from nearest references, against the table of all of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.test_models_memory import METRE_DEG, SPACING_M, lattice
from tests.test_reference_codes import units
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.models.reference_database import ReferenceDatabase
from vidtag_engine.reference.similarity import NearestReferences

REACH_M = 130.0


def database(frames: int = 300, seed: int = 0) -> tuple[ReferenceDatabase, np.ndarray]:
    memory = ReferenceDatabase(frames, 6, 12)
    memory.embeddings.copy_(torch.from_numpy(units(frames, 48, seed)))
    places = lattice(14, 16)
    rng = np.random.default_rng(seed)
    memory.lat_lon_deg.copy_(torch.from_numpy(rng.uniform(places.min(axis=0), 0.7 * places.max(axis=0), (frames, 2))))
    return memory, places


def by_hand(memory: ReferenceDatabase, places: np.ndarray, frames: np.ndarray, k: int, gone: np.ndarray) -> np.ndarray:
    """As the docstring says it, reference by reference."""
    cosines = frames @ memory.embeddings.numpy().T
    cosines[:, gone] = -np.inf
    result = np.empty((len(frames), len(places)))
    seen = memory.lat_lon_deg.numpy().astype(np.float64)
    for frame, own in enumerate(cosines):
        nearest = [row for row in np.argsort(-own)[:k] if np.isfinite(own[row])]
        result[frame] = own[nearest[-1]] if nearest else 0.0
        for row in nearest:
            apart_m = haversine_m(*places.T, *seen[row])
            score = own[row] - 0.5 * (apart_m / REACH_M) ** 2
            result[frame] = np.where(apart_m <= REACH_M, np.maximum(result[frame], score), result[frame])
    return result


@pytest.mark.parametrize("k", [1, 20, 299, 1000])
@pytest.mark.parametrize("hides", [False, True])
def test_scores_are_those_reckoned_one_by_one(k, hides):
    memory, places = database()
    found = memory.over(places, SPACING_M, REACH_M, k)
    assert isinstance(found, NearestReferences)
    frames = units(11, 48, 5)
    gone = np.random.default_rng(1).random(300) < (0.4 if hides else 0.0)
    scores = found(torch.from_numpy(frames), torch.from_numpy(gone) if hides else None)
    # Codes have steps: of so short descriptors a cosine is within some hundredths, and neighbours so near may change places.
    np.testing.assert_allclose(scores.numpy(), by_hand(memory, places, frames, k, gone), atol=0.02)


def test_with_all_references_known_places_score_as_in_the_table_of_all():
    memory, places = database()
    frames = torch.from_numpy(units(6, 48, 7))
    table = memory.over(places, SPACING_M, REACH_M)(frames).numpy()
    nearest = memory.over(places, SPACING_M, REACH_M, 300)(frames).numpy()
    least = (frames @ memory.embeddings.T).min(dim=1, keepdim=True).values.numpy()
    above = table > least + 0.04  # below, the nearest ones' floor stands
    seen = np.array([haversine_m(*place, *memory.lat_lon_deg.numpy().T).min() <= REACH_M for place in places])
    assert (above & seen).mean() > 0.3
    np.testing.assert_allclose(nearest[above & seen], table[above & seen], atol=0.02)


def test_either_way_counts_what_is_found_so_above_its_own_least():
    memory, places = database()
    found = memory.over(places, SPACING_M, REACH_M, 20, either_way=True)
    assert isinstance(found, NearestReferences)
    frames, mirrored = units(9, 48, 5), units(9, 48, 6)
    gone = np.random.default_rng(1).random(300) < 0.3
    scores = found(torch.from_numpy(frames), torch.from_numpy(gone), torch.from_numpy(mirrored))
    same, other = (by_hand(memory, places, one, 20, gone) for one in (frames, mirrored))
    by_hand_either = np.maximum(same, other + same.min(axis=1, keepdims=True) - other.min(axis=1, keepdims=True))
    np.testing.assert_allclose(scores.numpy(), by_hand_either, atol=0.04)
    # Without the other way's description it is as before, and so is a search that was not asked for it.
    plain = memory.over(places, SPACING_M, REACH_M, 20)
    torch.testing.assert_close(found(torch.from_numpy(frames)), plain(torch.from_numpy(frames)))
    torch.testing.assert_close(plain(torch.from_numpy(frames), None, torch.from_numpy(mirrored)), plain(torch.from_numpy(frames)))


def test_evidence_of_either_way_names_each_reference_once_the_best_first():
    memory, places = database()
    found = memory.over(places, SPACING_M, 1e6, 300, either_way=True)
    assert isinstance(found, NearestReferences)
    frames, mirrored = torch.from_numpy(units(4, 48, 5)), torch.from_numpy(units(4, 48, 6))
    near = np.flatnonzero(haversine_m(*places[0], *memory.lat_lon_deg.double().numpy().T) <= 12.0 * SPACING_M)
    for of_frame in found.evidence(found.found(frames, None, mirrored), np.repeat(places[:1], 4, axis=0), most=300):
        rows, similarity = [one.row for one in of_frame], [one.similarity for one in of_frame]
        assert sorted(rows) == near.tolist()
        assert similarity == sorted(similarity, reverse=True)


def test_where_nothing_is_left_scores_say_nothing():
    memory, places = database(20)
    found = memory.over(places, SPACING_M, REACH_M, 5)
    assert not found(torch.from_numpy(units(2, 48)), torch.ones(20, dtype=torch.bool)).any()


def test_a_reference_far_from_all_places_only_lifts_the_floor():
    memory = ReferenceDatabase(2, 6, 12)
    memory.embeddings.copy_(torch.from_numpy(units(2, 48)))
    memory.lat_lon_deg.copy_(torch.tensor([[0.0, 0.0], [50_000 * METRE_DEG, 0.0]]))
    scores = memory.over(lattice(3, 3), SPACING_M, REACH_M, 2)(memory.embeddings[:1])
    assert scores[0, 0] == pytest.approx(1.0, abs=0.02)
    assert scores[0].argmax() == 0
