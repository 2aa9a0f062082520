"""Losses against their formulas written out, noise against its own statistics, clips, splits, pairing and settings."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod
from scipy.optimize import minimize_scalar

from vidtag_engine.datasets.training_sequence import TrainingSequence
from vidtag_engine.models.georefiner import GeoRefinerConfig
from vidtag_engine.models.location_encoder import LocationEncoderConfig
from vidtag_engine.models.tempgeo import TempGeoConfig
from vidtag_engine.models.vidtag import VidTAG, VidTAGConfig
from vidtag_engine.training.augment import augmented_views
from vidtag_engine.training.dataset import clip_indices, draw_batch, split_sequences
from vidtag_engine.training.losses import contrastive_loss, softened_targets, weighted_hinge_loss
from vidtag_engine.training.noise import PAPER_NOISE, NoiseModel, fit_noise
from vidtag_engine.training.settings import recipe
from vidtag_engine.training.sources import pair_sources
from vidtag_engine.training.steps import AreaSampler, ground_distance_m, learning_rate, phase2_loss
from vidtag_engine.types import InputError

PHASE2 = {"steps": 10, "learning_rate": 1e-4}


def unit(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def sequence(frames: int = 40, name: str = "a", seed: int = 0, views: int = 1) -> TrainingSequence:
    rng = np.random.default_rng(seed)
    places = np.stack([np.linspace(10, 10.01, frames), np.linspace(20, 20.01, frames)], axis=1)
    return TrainingSequence(name, rng.normal(size=(views, frames, 8)).astype(np.float32), places, np.arange(frames, dtype=float))


def test_contrastive_loss_is_equation_1_written_out() -> None:
    frames, places, scale = unit(6, 5), unit(6, 5, seed=1), torch.tensor(9.0)
    logits = (scale * frames @ places.T).double().numpy()
    expected = np.mean([np.log(np.exp(row).sum()) - row[i] for i, row in enumerate(logits)])
    assert float(contrastive_loss(frames, places, scale)) == pytest.approx(expected, rel=1e-5)


def test_softened_targets_become_the_identity_as_the_softening_shrinks() -> None:
    distance_m = torch.tensor([[0.0, 50.0, 500.0], [50.0, 0.0, 450.0]])
    soft = softened_targets(distance_m, 50.0)
    assert soft.sum(dim=1) == pytest.approx(1.0)
    assert float(soft[0, 1] / soft[0, 0]) == pytest.approx(np.exp(-1.0), rel=1e-5)
    frames, places, scale = unit(2, 5), unit(3, 5, seed=1), torch.tensor(9.0)
    sharp = contrastive_loss(frames, places, scale, softened_targets(distance_m, 0.1))
    assert float(sharp) == pytest.approx(float(contrastive_loss(frames, places, scale)), rel=1e-5)


@pytest.mark.parametrize("targets", ["identity", "similarity"])
def test_weighted_hinge_is_equations_2_to_5_written_out(targets: str) -> None:
    refined, truth, alpha, beta = unit(3, 4, 5), unit(3, 4, 5, seed=1), 10.0, 1.0
    expected = 0.0
    for a, b in (
        (refined.reshape(12, 5), truth.reshape(12, 5)),
        (refined.reshape(3, 20) / 2.0, truth.reshape(3, 20) / 2.0),  # 1 / sqrt(T), T = 4
    ):
        n = len(a)
        upper, lower, diagonal = [], [], []
        for i in range(n):
            for j in range(n):
                wanted = float(i == j) if targets == "identity" else float(b[i] @ b[j])
                (diagonal if i == j else upper if j > i else lower).append((float(a[i] @ b[j]) - wanted) ** 2)
        expected += alpha * (np.mean(upper) + np.mean(lower)) + beta * np.mean(diagonal)
    assert float(weighted_hinge_loss(refined, truth, alpha=alpha, beta=beta, targets=targets)) == pytest.approx(expected, rel=1e-4)


def _optimal_cosine(clips: int, alpha: float, length: int = 16) -> float:
    """Where equations 2 and 3 settle for a refined embedding of cosine c to its truth, if its clip-mates' truths are the same and other clips' are unlike it.

    Its length is 1, so that what it does not give the truth lies at right angles to all of them.
    """

    def loss(cosine: float) -> float:
        truth, refined = np.zeros((clips * length, clips + 1)), np.zeros((clips * length, clips + 1))
        for clip in range(clips):
            rows = slice(clip * length, (clip + 1) * length)
            truth[rows, clip], refined[rows, clip], refined[rows, -1] = 1.0, cosine, np.sqrt(1.0 - cosine**2)
        difference = (refined @ truth.T - np.eye(clips * length)) ** 2
        pairs = clips * length * (clips * length - 1) / 2
        off = np.triu(difference, 1).sum() + np.tril(difference, -1).sum()
        return float(alpha * off / pairs + np.diagonal(difference).mean())

    return float(minimize_scalar(loss, bounds=(0.0, 1.0), method="bounded").x)


def test_the_papers_alpha_means_the_same_at_a_smaller_batch() -> None:
    at_papers, at_ours = (recipe("paper", phase2={**PHASE2, "batch_clips": clips}).weight_of_negatives for clips in (128, 32))
    assert (at_papers, at_ours) == (10.0, 2.5)
    assert recipe("default").weight_of_negatives == recipe("default").alpha
    # As far as the batch's clip-mates let it, GeoRefiner comes as near to the truth as at the paper's batch; unscaled it would not.
    assert _optimal_cosine(128, at_papers) == pytest.approx(0.87, abs=0.005)
    assert _optimal_cosine(32, at_ours) == pytest.approx(0.87, abs=0.005)
    assert _optimal_cosine(32, 10.0) == pytest.approx(0.63, abs=0.005)


def test_phase_ii_weighs_negatives_by_the_scaled_alpha() -> None:
    sequences = [sequence(20, str(number), number) for number in range(3)]
    config = VidTAGConfig(
        frame_encoder="vidtag-compact", feature_dim=8, mlp=(8,), tempgeo=TempGeoConfig(width=8, heads=2, ffn=8),
        location=LocationEncoderConfig(frequencies=4, hidden=(8,), embedding_dim=8),
        georefiner=GeoRefinerConfig(embedding_dim=8, context_dim=8, width=8, heads=2, ffn=8),
    )  # fmt: skip
    torch.manual_seed(0)
    model = VidTAG(config).eval()

    def loss(**changes: object) -> float:
        settings = recipe("paper", phase2={**PHASE2, "batch_clips": 4}, clip_frames=4, **changes)
        return float(phase2_loss(model, sequences, PAPER_NOISE, settings, np.random.default_rng(5)).detach())

    assert loss() == pytest.approx(loss(alpha=10.0 * 4 / 128, alpha_batch_clips=4), rel=1e-6)
    assert loss() < loss(alpha_batch_clips=4)


def test_similarity_targets_are_zero_at_the_truth() -> None:
    truth = unit(3, 4, 5)
    assert float(weighted_hinge_loss(truth, truth, targets="similarity")) == pytest.approx(0.0, abs=1e-9)
    assert float(weighted_hinge_loss(truth, truth, targets="identity")) > 0.1


def test_paper_noise_has_the_papers_ranges() -> None:
    truth = np.broadcast_to([40.0, 20.0], (4000, 6, 2))
    noisy = PAPER_NOISE.apply(truth + np.linspace(0, 0.5, 6)[None, :, None], np.random.default_rng(0)) - truth
    collapsed = np.ptp(noisy, axis=1).max(axis=1) < 1e-12
    assert 0.08 < collapsed.mean() < 0.12
    rest = noisy[~collapsed] - np.linspace(0, 0.5, 6)[None, :, None]
    shift = (rest.max(axis=1) + rest.min(axis=1)) / 2
    assert np.abs(shift).max() <= 0.22
    assert np.abs(shift).mean() == pytest.approx(0.1, abs=0.01)
    assert np.ptp(rest, axis=1).max() <= 0.04 + 1e-12  # jitter of at most 0.02 either way
    # Each coordinate has a jitter of at least 0.001 around the one shift of its sequence.
    assert np.abs(rest - shift[:, None, :]).max(axis=1).min() >= 0.001


def test_collapse_has_no_shift() -> None:
    truth = np.random.default_rng(1).uniform(-1, 1, (50, 5, 2))
    noisy = NoiseModel(collapse_probability=1.0).apply(truth, np.random.default_rng(2))
    for flat, true in zip(noisy, truth, strict=True):
        assert (flat == flat[0]).all()
        assert any((flat[0] == point).all() for point in true)


def test_jumps_lead_stretches_to_where_other_videos_went() -> None:
    truth = np.random.default_rng(1).uniform(40, 40.01, (600, 8, 2))
    elsewhere = tuple(np.stack([np.linspace(low, low + 0.01, 5), np.linspace(20, 20.01, 5)], axis=1) for low in (-30.0, 60.0))
    still = NoiseModel(collapse_probability=0.0, jitter_m=0.0, shift_m=0.0)
    noisy = dataclasses.replace(still, jump_share=0.3, elsewhere=elsewhere).apply(truth, np.random.default_rng(2))
    moved = (noisy != truth).any(axis=2)
    assert moved.any(axis=1).mean() == pytest.approx(0.3, abs=0.05)
    lengths = []
    for places, frames in zip(noisy, moved, strict=True):
        where = np.flatnonzero(frames)
        if len(where):
            assert (np.diff(where) == 1).all(), "one stretch"
            lengths.append(len(where))
            (whose,) = [one for one in elsewhere if (one == places[where[0]]).all(axis=1).any()]
            rows = [int(np.flatnonzero((whose == place).all(axis=1))[0]) for place in places[where]]
            assert set(np.diff(rows)) <= {0, 1}, "in that video's order"
    assert set(lengths) == set(range(1, 9))
    # Without them nothing is drawn: the noise is the same as ever.
    ever, without = (
        dataclasses.replace(PAPER_NOISE, elsewhere=places).apply(truth, np.random.default_rng(3)) for places in ((), elsewhere)
    )
    assert (ever == without).all()
    assert recipe("paper").noise_jumps == recipe("default").noise_jumps == 0.0


def test_fitted_noise_finds_known_errors() -> None:
    rng = np.random.default_rng(3)
    truth = [np.stack([45 + np.linspace(0, 0.02, 40), 7 + np.linspace(0, 0.02, 40)], axis=1) for _ in range(60)]
    metres = np.array([111_320.0, 111_320.0 * np.cos(np.radians(45))])
    guesses = [t + (rng.normal(0, 120, 2) + rng.normal(0, 30, t.shape)) / metres for t in truth]
    noise = fit_noise(guesses, truth, 10.0)
    assert noise.shift_m == pytest.approx(120, rel=0.25)
    assert noise.jitter_m == pytest.approx(30, rel=0.25)
    assert noise.collapse_probability == pytest.approx(0.02)
    # What it gives has the size of what it was fitted to, either way and together.
    steady = dataclasses.replace(noise, collapse_probability=0.0)
    drawn = (steady.apply(np.stack(truth), np.random.default_rng(4)) - np.stack(truth)) * metres
    assert np.sqrt((drawn**2).mean()) == pytest.approx(np.sqrt(120**2 + 30**2), rel=0.25)


@given(st.integers(1, 200), st.integers(1, 32), st.integers(0, 10_000))
def test_clips_are_in_order_and_inside(length: int, clip: int, seed: int) -> None:
    frames = clip_indices(length, clip, np.random.default_rng(seed))
    assert len(frames) == clip
    assert (np.diff(frames) >= 0).all()
    assert frames.min() >= 0
    assert frames.max() < length
    if length >= clip:
        assert len(set(frames.tolist())) == clip


def test_batches_are_the_same_for_the_same_seed() -> None:
    sequences = [sequence(40), sequence(9, "b", 1)]
    one, two = (draw_batch(sequences, 5, 16, np.random.default_rng([1, 2])) for _ in range(2))
    assert one[0].shape == (5, 16, 8)
    assert one[1].shape == (5, 16, 2)
    assert (one[0] == two[0]).all()
    assert (one[1] == two[1]).all()


def test_split_is_by_sequence_where_there_are_enough() -> None:
    sequences = [sequence(20, str(i), i) for i in range(10)]
    training, validation, kind = split_sequences(sequences, 0.2, 0)
    assert kind == "sequence"
    assert len(validation) == 2
    assert {s.name for s in training} | {s.name for s in validation} == {s.name for s in sequences}
    assert not {s.name for s in training} & {s.name for s in validation}


@given(st.integers(6, 300), st.floats(0.05, 0.5), st.integers(0, 100))
def test_blocks_share_no_frame_and_lose_none(frames: int, fraction: float, seed: int) -> None:
    training, validation, _ = split_sequences([sequence(frames)], fraction, seed)
    times = [t for s in [*training, *validation] for t in s.time_s]
    assert sorted(times) == list(range(frames))


def test_a_single_frame_cannot_be_trained_on() -> None:
    with pytest.raises(InputError, match="fewer than two frames"):
        split_sequences([sequence(1)], 0.2, 0)


def test_ground_distance_is_the_geodesic_within_the_spheres_error() -> None:
    rng = np.random.default_rng(0)
    a = np.stack([rng.uniform(-80, 80, 20), rng.uniform(-180, 180, 20)], axis=1)
    b = a + rng.uniform(-0.01, 0.01, a.shape)
    ours = ground_distance_m(torch.from_numpy(a), torch.from_numpy(b)).diagonal().numpy()
    geodesic = np.array([Geod(ellps="WGS84").inv(p[1], p[0], q[1], q[0])[2] for p, q in zip(a, b, strict=True)])
    assert ours == pytest.approx(geodesic, rel=0.006)
    near = ground_distance_m(torch.tensor([[10.0, 20.0]], dtype=torch.float64), torch.tensor([[10.000001, 20.0]], dtype=torch.float64))
    assert float(near) == pytest.approx(0.111, rel=0.02)  # a decimetre is not lost to rounding


def test_area_sampler_stays_near_its_points() -> None:
    points = np.array([[89.99, 10.0], [-30.0, 179.999]])
    drawn = AreaSampler(points, 100.0).draw(200, np.random.default_rng(0))
    assert np.abs(drawn[:, 0]).max() <= 90
    assert len(np.unique(drawn[:, 0])) > 100


def test_learning_rates_warm_up_and_fall() -> None:
    default = recipe("default").phase1
    rates = [learning_rate(default, step, 1000, 16) for step in range(default.steps)]
    assert rates[0] < rates[40] < rates[default.steps // 10]
    assert rates[-1] < 0.02 * default.learning_rate
    paper = recipe("paper").phase1
    assert max(learning_rate(paper, step, 1000, 16) for step in range(paper.steps)) == pytest.approx(5e-5, rel=0.01)


def test_the_default_compares_layouts_where_there_are_some_and_only_of_frames_that_are_remembered() -> None:
    assert recipe("default").layout
    assert not recipe("default", layout=False).layout
    assert not recipe("default", remembered_width=0).layout
    assert not recipe("default", preset="vidtag-l14").layout
    assert not recipe("paper").layout


def test_recipes_are_validated_in_one_sentence() -> None:
    assert recipe("paper").phase1_targets == "identity"
    assert recipe("paper").noise == "paper"
    assert recipe("default", phase2_steps=0).phase2.steps == 0
    assert recipe("default", rate_hz=None).rate_hz is None
    with pytest.raises(InputError, match="dropout"):
        recipe("default", dropout=2.0)
    with pytest.raises(InputError, match="Recipe"):
        recipe("fast")


def test_views_are_seeded_and_of_the_right_kind() -> None:
    image = np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    assert augmented_views(image, "none", 5, (0, 1)) == []
    street = augmented_views(image, "street", 3, (0, 1))
    assert len(street) == 3
    assert all(view.dtype == np.uint8 and view.shape[2] == 3 for view in street)
    again = augmented_views(image, "street", 3, (0, 1))
    assert all((a == b).all() for a, b in zip(street, again, strict=True))
    assert any((a.shape != b.shape) or (a != b).any() for a, b in zip(street, augmented_views(image, "street", 3, (0, 2)), strict=True))
    assert len(augmented_views(image, "aerial", 6, (0, 1))) == 6


def test_videos_and_tracks_are_paired(tmp_path) -> None:
    folder = tmp_path / "drives"
    folder.mkdir()
    for name in ("a.mp4", "b.mp4", "a.gpx", "b.gpx"):
        (folder / name).write_bytes(b"x")
    by_name = pair_sources([folder], [folder])
    assert [(s.path.name, s.truth.name) for s in by_name] == [("a.mp4", "a.gpx"), ("b.mp4", "b.gpx")]
    by_order = pair_sources([folder / "b.mp4", folder / "a.mp4"], [folder / "b.gpx", folder / "a.gpx"])
    assert [(s.path.name, s.truth.name) for s in by_order] == [("b.mp4", "b.gpx"), ("a.mp4", "a.gpx")]
    (folder / "b.gpx").unlink()
    with pytest.raises(InputError, match=r"b\.mp4 has no track"):
        pair_sources([folder], [folder])
    with pytest.raises(InputError, match="1 tracks are given for 2 videos"):
        pair_sources([folder / "a.mp4", folder / "b.mp4"], [folder / "a.gpx"])
    with pytest.raises(InputError, match="nothing to train on"):
        pair_sources([], [])
