"""The first layer's start: against scipy's own diagonalisation, brute force over pairs, and what it is for (places found again under other light)."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from vidtag_engine.datasets.training_sequence import TrainingSequence
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.models.vidtag import VidTAG, VidTAGConfig
from vidtag_engine.reference.descriptor import bands
from vidtag_engine.training import start
from vidtag_engine.training.settings import recipe
from vidtag_engine.training.start import (
    drive_differences,
    place_differences,
    place_start,
    principal_start,
    reach_m,
    start_projection,
    whitening_of,
)
from vidtag_engine.training.steps import AreaSampler, phase1_loss
from vidtag_engine.training.train import LEAST_VIDEOS, calibrate
from vidtag_engine.training.trainer import Trainer
from vidtag_engine.types import InputError

WIDTH, KEPT = 24, 8


def drives(count: int = 12, frames: int = 30, views: int = 1, seed: int = 0) -> list[TrainingSequence]:
    """Drives along one street of places with looks of their own, each under its own strong light."""
    rng = np.random.default_rng(seed)
    looks = rng.normal(size=(frames, KEPT))
    into, light = rng.normal(size=(KEPT, WIDTH)), rng.normal(size=(3, WIDTH))
    found = []
    for number in range(count):
        lat = 50 + np.arange(frames) * 40 / 111_195 + rng.normal(0, 3 / 111_195, frames)
        shine = rng.normal(size=3) @ light
        features = looks @ into + 6 * shine + 0.3 * rng.normal(size=(views, frames, WIDTH))
        found.append(
            TrainingSequence(
                f"{number}", features.astype(np.float32), np.stack([lat, np.full(frames, 8.0)], axis=1), np.arange(frames) * 1.0
            )
        )
    return found


def found_again(layer: torch.nn.Linear, known: list[TrainingSequence], asked: TrainingSequence) -> float:
    """Share of frames whose nearest neighbour lies within 20 m."""
    with torch.no_grad():
        gallery, queries = (
            torch.nn.functional.normalize(layer(torch.from_numpy(x)), dim=-1)
            for x in (np.concatenate([s.features[0] for s in known]), asked.features[0])
        )
    places = np.concatenate([s.lat_lon_deg for s in known])[(queries @ gallery.T).argmax(1).numpy()]
    return float((haversine_m(*places.T, *asked.lat_lon_deg.T) <= 20).mean())


def test_places_are_found_again_under_another_light_where_principal_axes_follow_the_light() -> None:
    *known, asked = drives()
    layers = {name: torch.nn.Linear(WIDTH, KEPT) for name in ("principal", "places")}
    stays = {name: start_projection(layer, known, recipe("default", whitening=name, softening_m=40.0)) for name, layer in layers.items()}
    assert stays == {"principal": False, "places": True}
    shares = {name: found_again(layer, known, asked) for name, layer in layers.items()}
    assert shares["places"] > 0.9
    assert shares["places"] > shares["principal"] + 0.2


def test_the_axes_make_within_place_scatter_round_and_total_scatter_diagonal() -> None:
    rng = np.random.default_rng(1)
    features, differences = (
        rng.normal(size=(500, WIDTH)) @ rng.normal(size=(WIDTH, WIDTH)),
        rng.normal(size=(9000, WIDTH)) @ rng.normal(size=(WIDTH, WIDTH)),
    )
    layer = torch.nn.Linear(WIDTH, KEPT)
    place_start(layer, features, differences)
    weight = layer.weight.detach().double().numpy()
    within = differences.T @ differences / (2 * len(differences))
    within += 0.3 * np.trace(within) / WIDTH * np.eye(WIDTH)
    round_ = weight @ within @ weight.T
    assert round_ / round_[0, 0] == pytest.approx(np.eye(KEPT), abs=1e-4)
    total = weight @ np.cov(features.T) @ weight.T
    assert total - np.diag(np.diag(total)) == pytest.approx(np.zeros((KEPT, KEPT)), abs=1e-4 * total[0, 0])
    assert (np.diff(np.diag(total)) <= 0).all()
    answers = layer(torch.from_numpy(features).float()).detach()
    assert answers.norm(dim=1).mean() == pytest.approx(1.0, abs=1e-3)
    assert answers.mean(dim=0).numpy() == pytest.approx(np.zeros(KEPT), abs=1e-4)


def test_differences_are_those_of_frames_of_different_videos_at_one_place() -> None:
    some = drives(count=3, frames=8)
    got = place_differences(some, near_m=15.0)
    expected = []
    for a in range(3):
        for b in range(a + 1, 3):
            for i in range(8):
                expected += [
                    some[a].features[0, i] - some[b].features[0, j]
                    for j in range(8)
                    if haversine_m(*some[a].lat_lon_deg[i], *some[b].lat_lon_deg[j]) <= 15
                ]
    assert len(got) == len(expected) > 10

    def sorted_rows(rows: object) -> np.ndarray:
        return np.array(sorted(np.round(np.asarray(rows), 4).tolist()))

    assert sorted_rows(got) == pytest.approx(sorted_rows(expected), abs=1e-3)


def test_altered_copies_are_views_of_one_place_and_a_lone_plain_video_has_none() -> None:
    (seen,) = drives(count=1, frames=5, views=4)
    assert place_differences([seen], near_m=5.0) == pytest.approx((seen.features[1:] - seen.features[:1]).reshape(15, WIDTH))
    assert place_differences(drives(count=1), near_m=5.0).shape == (0, WIDTH)


def test_where_too_few_videos_meet_it_starts_from_the_principal_axes_and_learns_on() -> None:
    alone = drives(count=1)
    one, other = torch.nn.Linear(WIDTH, KEPT), torch.nn.Linear(WIDTH, KEPT)
    assert start_projection(one, alone, recipe("default")) is False
    principal_start(other, alone[0].features[0])
    torch.testing.assert_close(one.weight, other.weight)


def small(**changes: object) -> VidTAG:
    """The compact preset's shape, on narrow features."""
    torch.manual_seed(0)
    return VidTAG(
        VidTAGConfig.preset("vidtag-compact", residual=True, **changes).model_copy(update={"feature_dim": WIDTH, "projection_dim": 256})
    )  # type: ignore[arg-type]


def test_residual_mlps_start_as_the_features_themselves() -> None:
    model = small(lone_frames=True).eval()
    features = torch.nn.functional.normalize(torch.randn(1, 6, WIDTH, generator=torch.Generator().manual_seed(3)), dim=-1)
    with torch.no_grad():
        along, lone = model.embed_branches(features)
        plain = torch.nn.functional.normalize(model.projection(features), dim=-1)
    torch.testing.assert_close(lone, plain, atol=1e-6, rtol=0)
    # TempGeo starts without neighbours, but with their positions and a LayerNorm.
    assert ((along * plain).sum(-1) > 0.95).all()


def test_residual_is_refused_where_widths_differ() -> None:
    with pytest.raises(InputError, match="use vidtag-compact"):
        VidTAGConfig.preset("vidtag-l14", residual=True)
    assert recipe("default", preset="vidtag-l14").residual is False
    assert recipe("default").residual is True
    assert recipe("paper").residual is False


def test_what_is_fixed_stays_while_the_rest_learns() -> None:
    some = drives(count=4)
    settings = recipe("default", phase1_steps=3, phase2_steps=0, validate_every=3, clip_frames=4, negatives=8, keep="last")
    model = small(georefiner=False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    points = np.concatenate([s.lat_lon_deg for s in some])
    Trainer(model, some[:3], some[3:], points, settings, fixed=frozenset({"projection"})).phase1("phase1", 3)
    after = model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before if name.startswith("projection."))
    assert any(
        not torch.equal(before[name], after[name]) for name in before if name.startswith("location_encoder.") and "frequencies" not in name
    )


def test_drives_differ_by_their_light_where_they_meet() -> None:
    some = drives(count=4)
    light = drive_differences(some, near_m=15.0)
    assert light.shape == (6, WIDTH)  # each two of four
    means = [s.features[0].mean(axis=0) for s in some]  # all drive the same street, so that the places cancel
    expected = np.array([means[a] - means[b] for a in range(4) for b in range(a + 1, 4)])
    apart = np.linalg.norm(light - expected, axis=1) / np.linalg.norm(expected, axis=1)
    assert (apart < 0.2).all()
    assert drive_differences(drives(count=1), near_m=15.0).shape == (0, WIDTH)


def test_light_noise_moves_whole_clips_and_nothing_where_it_is_off() -> None:
    some = drives(count=4)
    model, area = small(georefiner=False).eval(), AreaSampler(np.concatenate([s.lat_lon_deg for s in some]), 50.0)
    light = drive_differences(some, near_m=15.0)

    def loss(amount: float) -> float:
        settings = recipe("default", clip_frames=4, negatives=8, light_noise=amount)
        with torch.no_grad():
            return float(phase1_loss(model, some, area, settings, np.random.default_rng(0), light if amount else None))

    assert loss(0.0) == loss(0.0)
    assert loss(1.0) != pytest.approx(loss(0.0), rel=1e-4)


def test_how_videos_are_decoded_is_fitted_on_enough_held_out_videos_alone() -> None:
    some = drives(count=LEAST_VIDEOS + 4, frames=8)
    settings = recipe("default", phase1_steps=1, phase2_steps=0, validate_every=1, clip_frames=4, negatives=8, resolution_m=40.0)
    trainer = Trainer(small(georefiner=False), some[:4], some[4:], np.concatenate([s.lat_lon_deg for s in some[:2]]), settings)
    enough, _ = calibrate(trainer, some[4:], settings, area_m2=16 * 40.0**2)
    assert enough.path is not None
    assert enough.path.videos == LEAST_VIDEOS
    too_few, metrics = calibrate(trainer, some[5:], settings, area_m2=16 * 40.0**2)
    assert too_few.path is None
    assert metrics["phase1_median_m"] >= 0


def test_few_frames_of_many_features_have_the_axes_of_their_covariance():
    """Fewer frames than features go another way, to the same axes (by scikit-learn) and the same shrinking."""
    rng = np.random.default_rng(7)
    data = rng.normal(size=(30, 80)) * np.linspace(3.0, 0.1, 80)
    layer = torch.nn.Linear(80, 12)
    principal_start(layer, data.astype(np.float32))
    theirs = PCA(n_components=12).fit(data.astype(np.float32))
    expected = theirs.components_ / np.sqrt(theirs.explained_variance_ + theirs.explained_variance_.mean())[:, None]
    found = layer.weight.detach().numpy()
    np.testing.assert_allclose(np.abs(found / np.linalg.norm(found)), np.abs(expected / np.linalg.norm(expected)), atol=1e-4)
    white = layer(torch.from_numpy(data).float()).detach()
    assert float(white.norm(dim=1).mean()) == pytest.approx(1.0, abs=1e-4)


def test_a_remembered_frame_reaches_what_targets_fall_off_over_and_both_its_neighbours() -> None:
    places = np.stack([np.arange(6) * 30.0 / 111_195.0, np.zeros(6)], axis=1)
    sequence = TrainingSequence("", np.zeros((1, 6, 4), np.float32), places, np.arange(6.0))
    near, far = recipe("default", softening_m=10.0), recipe("default", softening_m=100.0)
    assert reach_m([sequence], near) == pytest.approx(60.0, rel=1e-3)  # twice the way between frames, more than three times 10 m
    assert reach_m([sequence], far) == 300.0
    assert reach_m([sequence.part(0, 1)], near) == 30.0  # single pictures have no way between


def with_layouts(found: list[TrainingSequence]) -> list[TrainingSequence]:
    """What stands where is what is seen, in another order."""
    return [replace(one, layout=np.ascontiguousarray(one.features[0, :, ::-1])) for one in found]


def test_wide_layouts_are_whitened_in_the_span_of_their_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """With no more frames than the span has, in the very same way, but for the axes' signs."""
    settings = recipe("default", remembered_width=KEPT, softening_m=40.0)
    some = with_layouts(drives(count=3, frames=6))  # 18 frames, of 24 numbers
    seen = [torch.cat(band) for band in zip(*(bands(torch.from_numpy(one.layout)) for one in some), strict=True)]
    expected = whitening_of(some, settings)
    monkeypatch.setattr(start, "_WIDEST", 20)
    found = whitening_of(some, settings)
    assert [layer.weight.shape for layer in found] == [(KEPT, WIDTH)] * 8
    for one, other, band in zip(found[4:], expected[4:], seen, strict=True):
        assert not torch.equal(one.weight, other.weight)
        with torch.no_grad():
            torch.testing.assert_close(one(band) @ one(band).T, other(band) @ other(band).T, atol=1e-3, rtol=0)


def test_of_many_frames_with_wide_layouts_some_span_what_tells_places_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "_WIDEST", 16)  # of 330 frames; eight directions are the places', three the light's
    *known, asked = with_layouts(drives())
    layer = whitening_of(known, recipe("default", remembered_width=KEPT, softening_m=40.0))[-1]
    as_features = [replace(one, features=one.layout[None]) for one in (*known, asked)]
    assert found_again(layer, as_features[:-1], as_features[-1]) > 0.9
