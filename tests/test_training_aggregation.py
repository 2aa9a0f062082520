"""How much each axis of the descriptor counts: learned on one town's drives, measured on drives that were held out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from tests.test_models_vidtag import shaken, small
from vidtag_engine.datasets.training_sequence import TrainingSequence
from vidtag_engine.feedback import Feedback
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.models.checkpoint import CheckpointCard, from_pretrained, save_pretrained
from vidtag_engine.models.reference_database import ReferenceDatabase
from vidtag_engine.reference.descriptor import LAYOUT_GRID
from vidtag_engine.training import TrainSettings, aggregation, recipe
from vidtag_engine.training.aggregation import aggregated
from vidtag_engine.training.start import remember
from vidtag_engine.types import CancelledError, Progress

METRE_DEG = 1 / 111_195.0
STEP_M = 20.0
PLAIN, LEARNED = (recipe("default", resolution_m=100.0, layout=True, aggregation=on) for on in (False, True))


class Street:
    """A long street: half of the channels show the place and change little from frame to frame, the others, as strong, show what no second drive sees there again.

    Each drive has a light of its own beside.
    """

    def __init__(self, seed: int, places: int = 400, known: int = 24, noise: int = 24) -> None:
        self.rng = np.random.default_rng(seed)
        self.known, self.noise = known, noise
        walk = self.rng.normal(
            size=(places * 2 + 8, known)
        )  # twice a step, each the mean of a few: what is between two frames looks like both
        self.look = np.stack([walk[one : one + 5].mean(axis=0) * 5**0.5 for one in range(places * 2)])
        cells = LAYOUT_GRID[0] * LAYOUT_GRID[1]
        self.to_layout = self.rng.normal(size=(known + noise, 2 * cells)).astype(np.float32)

    def drive(self, first: int, frames: int, between: float = 0.0) -> TrainingSequence:
        """From the place of a number on; ``between`` 0 or 0.5 of a step farther."""
        at = first + between + np.arange(frames)
        light = self.rng.normal(size=self.known + self.noise)
        sight = np.concatenate([self.look[(2 * at).astype(int)], self.rng.normal(size=(frames, self.noise))], axis=1)
        features = (sight + light).astype(np.float32)
        places = np.stack([at * STEP_M * METRE_DEG, np.zeros(frames)], axis=1)
        layout = (features @ self.to_layout).astype(np.float16)
        return TrainingSequence("", features[None], places, np.arange(frames) * 2.0, layout=layout)

    def training(self) -> list[TrainingSequence]:
        """Drives end to end."""
        return [self.drive(first, 26) for first in range(0, 370, 24)]


def found_near(memory: ReferenceDatabase, drives: list[TrainingSequence]) -> float:
    """Share of frames whose nearest reference image is within 50 m."""
    near = []
    for one in drives:
        best = (memory.in_context(torch.from_numpy(one.seen)) @ memory.embeddings.T).argmax(dim=1).numpy()
        near.append(haversine_m(*memory.places_deg[best].T, *one.lat_lon_deg.T) <= 50.0)
    return float(np.concatenate(near).mean())


@pytest.fixture(scope="module")
def street() -> Street:
    return Street(0)


@pytest.fixture(scope="module")
def training(street: Street) -> list[TrainingSequence]:
    return street.training()


@pytest.fixture(scope="module")
def learned(training: list[TrainingSequence]) -> ReferenceDatabase:
    return remember(training, LEARNED)


def test_held_out_drives_are_found_more_often_than_by_equal_axes(street, training, learned):
    held_out = [street.drive(int(street.rng.integers(0, 370)), 10, 0.5) for _ in range(30)]
    before, after = found_near(remember(training, PLAIN), held_out), found_near(learned, held_out)
    assert before < 0.8  # else there is nothing to learn
    assert after > before + 0.08


def test_the_setting_is_off_by_default_and_leaves_the_whitening_alone(training):
    assert not TrainSettings.model_fields["aggregation"].default
    one, other = remember(training, PLAIN), remember(training, recipe("default", resolution_m=100.0, layout=True))
    assert torch.equal(one.embeddings, other.embeddings)


def test_axes_are_only_scaled(training, learned):
    for plain, scaled in zip(remember(training, PLAIN).whitening, learned.whitening, strict=True):
        factor = scaled.weight / plain.weight
        spread = factor.std(dim=1) / factor.mean(dim=1)
        assert float(spread.max()) < 1e-2
        assert float(factor.min()) > 0.0
        torch.testing.assert_close(scaled.bias, plain.bias * factor.median(dim=1).values, atol=1e-3, rtol=1e-3)
    factors = [
        float((scaled.weight / plain.weight).median())
        for plain, scaled in zip(remember(training, PLAIN).whitening, learned.whitening, strict=True)
    ]
    assert max(factors) > 1.2 * min(factors)  # they do learn


def test_the_same_seed_gives_the_same_factors_and_another_seed_others(training, learned):
    assert torch.equal(remember(training, LEARNED).embeddings, learned.embeddings)
    assert not torch.equal(remember(training, LEARNED.model_copy(update={"seed": 1})).embeddings, learned.embeddings)


@pytest.mark.parametrize("which", ["one drive", "short drives", "few frames"])
def test_too_little_to_learn_from_leaves_the_start(street, training, which):
    whitening = list(remember(training, PLAIN).whitening)
    some = {
        "one drive": [street.drive(0, 300)],
        "short drives": [street.drive(first, 6) for first in range(0, 370, 6)],
        "few frames": [street.drive(0, 90), street.drive(100, 90)],
    }[which]
    kept = aggregated(whitening, some, 60.0)
    assert all(one is other for one, other in zip(kept, whitening, strict=True))


def test_it_is_learned_without_a_layout_too(training, learned):
    bare = [replace(one, layout=None) for one in training]
    one, other = remember(bare, LEARNED), remember(bare, PLAIN)
    assert len(one.whitening) == len(learned.whitening) // 2
    assert not torch.equal(one.embeddings, other.embeddings)


def test_left_and_right_are_drawn_alike(training, monkeypatch):
    """Of swapped layouts the same is learned as of those that are not, so both are seen."""
    asked: list[bool] = []
    original = aggregation._frames_whitened

    def noted(whitening: list[nn.Linear], sequence: TrainingSequence, *, mirrored: bool) -> torch.Tensor:
        asked.append(mirrored)
        return original(whitening, sequence, mirrored=mirrored)

    monkeypatch.setattr(aggregation, "_frames_whitened", noted)
    plain, swapped = (original(list(remember(training, PLAIN).whitening), training[0], mirrored=mirrored) for mirrored in (False, True))
    assert torch.equal(plain[:, :4], swapped[:, :4])
    assert not torch.allclose(plain[:, 4:], swapped[:, 4:])
    aggregated(list(remember(training, PLAIN).whitening), training, 60.0)
    assert asked.count(True) == asked.count(False) == len(training)


def test_it_says_how_far_it_is_and_stops_when_asked(training):
    told: list[Progress] = []
    with pytest.raises(CancelledError):
        remember(training, LEARNED, Feedback(told.append, lambda: len(told) == 5))
    assert [one.stage for one in told] == ["aggregation"] * 5
    assert [one.fraction for one in told] == sorted({one.fraction for one in told})


def test_a_checkpoint_keeps_what_was_learned(tmp_path, training):
    training = [replace(one, features=one.features[..., :24]) for one in training]  # as wide as the small model's
    model, learned, seen = shaken(small(georefiner=None)), remember(training, LEARNED), torch.from_numpy(training[3].seen)
    model.remember(learned)
    save_pretrained(model, tmp_path / "kept", CheckpointCard("kept", "vidtag-compact"), half=False)
    again = from_pretrained(tmp_path / "kept")[0].memory
    assert isinstance(again, ReferenceDatabase)
    torch.testing.assert_close(again.in_context(seen), learned.in_context(seen))
    torch.testing.assert_close(again.mirrored(seen), learned.mirrored(seen))
    assert not torch.allclose(again.in_context(seen), remember(training, PLAIN).in_context(seen), atol=1e-2)
