"""VidTAG's parts on small sizes: padding, windows, starting points, switches."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydantic import ValidationError
from torch import nn
from torch.nn import functional as F  # noqa: N812

from vidtag_engine.models.georefiner import GeoRefinerConfig
from vidtag_engine.models.location_encoder import LocationEncoderConfig
from vidtag_engine.models.tempgeo import TempGeoConfig
from vidtag_engine.models.transformer import Positions
from vidtag_engine.models.vidtag import VidTAG, VidTAGConfig
from vidtag_engine.models.windows import blend_windows, window_starts
from vidtag_engine.types import InputError

if TYPE_CHECKING:
    import numpy as np


def small(**changes: object) -> VidTAGConfig:
    values: dict[str, object] = {
        "frame_encoder": "vidtag-compact",
        "feature_dim": 24,
        "projection_dim": 16,
        "mlp": (16,),
        "tempgeo": TempGeoConfig(width=16, heads=2, ffn=32, position_norm=1.0),
        "location": LocationEncoderConfig(frequencies=8, hidden=(16,), embedding_dim=12),
        "georefiner": GeoRefinerConfig(embedding_dim=12, context_dim=12, width=12, heads=2, ffn=16),
        "window": 64,
        "overlap": 16,
    }
    return VidTAGConfig.model_validate(values | changes)


def shaken(config: VidTAGConfig, seed: int = 0) -> VidTAG:
    """A model whose every weight matters: a fresh one leaves its residual branches at zero."""
    torch.manual_seed(seed)
    model = VidTAG(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.3)
    return model


def units(*shape: int) -> torch.Tensor:
    return F.normalize(torch.randn(*shape), dim=-1)


REFINE_Z_STAR = {"georefiner": GeoRefinerConfig(embedding_dim=12, context="tempgeo", context_dim=16, width=16, heads=2, ffn=16)}
VARIANTS = {
    "plain": {},
    "lone frames": {"lone_frames": True},
    "learned positions": {"tempgeo": TempGeoConfig(width=16, heads=2, ffn=32, positions="learned", learned_length=40)},
    "no final norm": {"tempgeo": TempGeoConfig(width=16, heads=2, ffn=32, final_norm=False)},
    "tempgeo off": {"tempgeo": TempGeoConfig(width=16, heads=2, layers=0)},
    "refiner on z*": REFINE_Z_STAR,
}


@pytest.mark.parametrize("variant", VARIANTS)
@settings(max_examples=15, deadline=None)
@given(padding=hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9)), garbage=st.sampled_from([0.0, 1e30, float("nan")]))
def test_padding_never_changes_a_result(variant: str, padding: np.ndarray, garbage: float) -> None:
    """Anywhere in the sequence, whatever it holds, and though a sequence be nothing else."""
    model = shaken(small(**VARIANTS[variant]))
    hole = torch.from_numpy(padding)
    features, gps = units(*padding.shape, 24), units(*padding.shape, 12)
    dirty, dirty_gps = (x.masked_fill(hole[..., None], garbage) for x in (features, gps))
    with torch.no_grad():
        frames, context = model.encode_frames(dirty, hole)
        refined = model.refine(dirty_gps, context.masked_fill(hole[..., None], garbage), hole)
        for row, real in enumerate(~hole):
            assert not frames[row, ~real].any()
            assert not refined[row, ~real].any()
            if real.any():
                alone, alone_context = model.encode_frames(features[row, real][None])
                torch.testing.assert_close(frames[row, real], alone[0], atol=2e-5, rtol=0)
                torch.testing.assert_close(refined[row, real], model.refine(gps[row, real][None], alone_context)[0], atol=2e-5, rtol=0)


def test_frames_do_see_each_other_and_their_order() -> None:
    model, features = shaken(small()), units(1, 10, 24)
    changed = features.clone()
    changed[0, 9] = units(24)
    with torch.no_grad():
        first = model.embed_frames(features)
        assert (model.embed_frames(changed)[0, 0] - first[0, 0]).norm() > 1e-3
        assert (model.embed_frames(features.flip(1)).flip(1) - first).norm() > 1e-3
        without = shaken(small(tempgeo=TempGeoConfig(width=16, layers=0)))
        torch.testing.assert_close(without.embed_frames(changed)[0, :9], without.embed_frames(features)[0, :9])


def test_untrained_modules_change_nothing() -> None:
    """TempGeo starts at norm(z + positions), GeoRefiner at its own input, in both of its readings."""
    for changes in ({}, REFINE_Z_STAR):
        model = VidTAG(small(**changes)).eval()
        z, gps = units(2, 7, 16), units(2, 7, 12)
        position = model.tempgeo.positions(torch.arange(7))
        torch.testing.assert_close(model.tempgeo(z), model.tempgeo.norm(z + position))
        torch.testing.assert_close(position.norm(dim=-1), torch.ones(7))  # position_norm=1.0 here
        frames, context = model.encode_frames(units(2, 7, 24))
        torch.testing.assert_close(model.refine(gps, context), gps, atol=1e-6, rtol=0)
        assert frames.std(dim=1).mean() > 0.1, "different frames start with different embeddings"


@pytest.mark.parametrize("changes", [{}, REFINE_Z_STAR])
def test_every_weight_learns(changes: dict[str, object]) -> None:
    model = shaken(small(**changes)).train()
    frames, context = model.encode_frames(units(2, 5, 24))
    places = model.embed_locations(torch.rand(2, 5, 2, dtype=torch.float64))
    (model.logit_scale.exp() * frames * places + model.refine(places, context) * torch.randn(12)).sum().backward()
    # Softmax does not see an offset common to all keys, so their biases alone have nothing to learn.
    learners = {name: p.grad for name, p in model.named_parameters() if not name.endswith("key.bias")}
    assert [name for name, gradient in learners.items() if gradient is None or not gradient.abs().max() > 0] == []


def test_dropout_only_while_training() -> None:
    model, features = shaken(small(feature_dropout=0.5)), units(1, 6, 24)
    torch.testing.assert_close(model.embed_frames(features), model.embed_frames(features), atol=0, rtol=0)
    model.train()
    assert (model.embed_frames(features) - model.embed_frames(features)).norm() > 1e-3
    assert VidTAGConfig.preset("vidtag-compact", dropout=0.3, feature_dropout=0.2).tempgeo.dropout == 0.3


@given(st.integers(0, 400), st.integers(2, 64), st.data())
def test_windows_cover_everything_and_overlap_enough(count: int, window: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(1, window - 1))
    starts = window_starts(count, window, overlap)
    assert starts[0] == 0
    assert all(1 <= b - a <= window - overlap for a, b in pairwise(starts))
    assert starts[-1] == max(count - window, 0)


@given(st.integers(1, 300), st.data())
def test_blending_windows_that_agree_changes_nothing(count: int, data: st.DataObject) -> None:
    window = data.draw(st.integers(2, 64))
    truth = units(count, 3)
    got = blend_windows(count, window, data.draw(st.integers(1, window - 1)), lambda part: truth[part])
    torch.testing.assert_close(got, truth, atol=1e-6, rtol=0)


def _drive(count: int) -> torch.Tensor:
    """Features that change slowly, as a drive's do: interpolated between landmarks 50 frames apart."""
    marks = torch.randn(1, 24, count // 50 + 2)
    return F.normalize(F.interpolate(marks, size=count, mode="linear")[0].T, dim=-1)


@pytest.mark.parametrize("changes", [{}, REFINE_Z_STAR])
def test_ten_thousand_frames_without_seams(changes: dict[str, object]) -> None:
    """Steps from frame to frame at seams are like all others, with the presets' windows; windows side by side would show."""
    window, overlap = VidTAGConfig().window, VidTAGConfig().overlap
    model, features = shaken(small(**changes, window=window, overlap=overlap)), _drive(10_000)
    gps = F.normalize(torch.cumsum(0.02 * torch.randn(10_000, 12), dim=0) + torch.randn(12), dim=-1)
    seen: list[int] = []
    model.tempgeo.register_forward_hook(lambda _m, inputs, _out: seen.append(inputs[0].shape[1]))
    frames = model.embed_video(features)
    context = model.video_context(features, frames)
    refined = model.refine_video(gps, context)
    assert max(seen) == window, "never more than a window at once"
    assert frames.shape == refined.shape == (10_000, 12)
    starts = window_starts(10_000, window, overlap)
    edges = torch.tensor([s - 1 for s in starts[1:]] + [s + window - 1 for s in starts[:-1]])
    middles = torch.tensor([(a + b + window) // 2 + k for a, b in pairwise(starts) for k in range(-8, 8)])
    for blended in (frames, refined, F.normalize(context, dim=-1)):
        step = blended.diff(dim=0).norm(dim=-1)
        for seams in (edges, middles):
            assert step[seams].mean() <= 1.25 * step.mean()
            assert step[seams].quantile(0.95) <= 1.25 * step.quantile(0.95)
    with torch.no_grad():
        hard = torch.cat([model.embed_frames(part[None])[0] for part in features.split(window)]).diff(dim=0).norm(dim=-1)
    assert hard[window - 1 :: window].mean() > 3 * hard.mean(), "the measure sees seams where there are some"


@pytest.mark.parametrize("changes", [{}, REFINE_Z_STAR])
@pytest.mark.parametrize("count", [1, 2, 63, 64])
def test_up_to_a_window_a_video_is_embed_frames(changes: dict[str, object], count: int) -> None:
    model, features, gps = shaken(small(**changes)), units(count, 24), units(count, 12)
    with torch.no_grad():
        frames, context = model.encode_frames(features[None])
        torch.testing.assert_close(model.embed_video(features), frames[0], atol=0, rtol=0)
        torch.testing.assert_close(model.video_context(features, frames[0]), context[0], atol=0, rtol=0)
        torch.testing.assert_close(model.refine_video(gps, context[0]), model.refine(gps[None], context)[0], atol=0, rtol=0)


@pytest.mark.parametrize("count", [1, 2, 39, 40, 41, 300])
def test_a_long_video_is_stretched_over_the_learned_positions(count: int) -> None:
    positions = Positions(6, "learned", 1.0, 40)
    table, index = positions.table.detach(), torch.arange(count)
    stretched = F.interpolate(table.T[None], count, mode="linear", align_corners=True)[0].T  # torch's own
    expected = table[:count] if count <= 40 else stretched
    with torch.no_grad():
        torch.testing.assert_close(positions(index), expected, atol=1e-5, rtol=0)
        # A window's frames have the positions that they have in the whole video.
        torch.testing.assert_close(positions(index[: count - count // 2], count // 2, count), expected[count // 2 :], atol=1e-5, rtol=0)


def test_learned_positions_of_any_number_of_frames() -> None:
    model = shaken(small(**VARIANTS["learned positions"]))
    assert model.embed_frames(units(1, 41, 24)).shape == (1, 41, 12)
    assert model.embed_video(units(300, 24)).shape == (300, 12)


def test_switches() -> None:
    off = VidTAG(VidTAGConfig.preset("vidtag-compact", tempgeo_layers=0, georefiner=False))
    assert not off.has_refiner
    assert not list(off.tempgeo.parameters())
    with pytest.raises(ValueError, match="no GeoRefiner"):
        off.refine(units(1, 2, 256), units(1, 2, 256))
    wide = VidTAGConfig.preset("vidtag-l14", georefiner="tempgeo")
    assert wide.georefiner is not None
    assert (wide.georefiner.width, wide.georefiner.context) == (1792, "tempgeo")
    assert VidTAGConfig.preset("vidtag-compact", sigma="site").location.sigma == (2.0**8, 2.0**11, 2.0**14)
    assert VidTAGConfig.preset("vidtag-compact", sigma=(3.0,)).location.sigma == (3.0,)


def test_unknown_presets_are_refused() -> None:
    with pytest.raises(InputError, match="vidtag-l14, vidtag-compact"):
        VidTAGConfig.preset("vidtag-xl")
    with pytest.raises(InputError, match="globe, city, site"):
        VidTAGConfig.preset("vidtag-compact", sigma="moon")


@pytest.mark.parametrize(
    "changes",
    [
        {"projection_dim": 8},
        {"overlap": 64},
        {"tempgeo": {"width": 16, "heads": 3}},
        {"georefiner": {"embedding_dim": 12, "context_dim": 16, "width": 12, "heads": 2}},
        {"georefiner": {"embedding_dim": 12, "context_dim": 12, "width": 12, "heads": 5}},
        {"location": {"sigma": []}},
        {"location": {"sigma": [-1.0]}},
        {"feature_dim": 10**9},
        {"surprise": 1},
    ],
)
def test_configurations_that_do_not_fit_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        small(**changes)


def test_compact_sizes() -> None:
    model = VidTAG(VidTAGConfig.preset("vidtag-compact"))
    count = sum(p.numel() for p in model.parameters())
    assert 7e6 < count < 9e6
    assert model.embed_frames(units(1, 3, 2560)).shape == (1, 3, 256)
    assert isinstance(model.projection, nn.Linear)


def test_the_branch_for_lone_frames_sees_no_neighbour_and_halves_the_embedding():
    model = shaken(small(lone_frames=True))
    features = units(2, 9, 24)
    with torch.inference_mode():
        along, lone = model.embed_branches(features)
        one_by_one = torch.stack([model.embed_branches(features[:, [t]])[1][:, 0] for t in range(9)], dim=1)
        torch.testing.assert_close(lone, one_by_one, atol=1e-6, rtol=0)
        assert not torch.allclose(along, torch.stack([model.embed_branches(features[:, [t]])[0][:, 0] for t in range(9)], dim=1), atol=1e-3)
        both = model.embed_frames(features)
    torch.testing.assert_close((both * along).sum(-1), (both * lone).sum(-1), atol=1e-5, rtol=0)
