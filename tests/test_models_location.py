"""Location encoder: the projection against pyproj, the features against exact arithmetic, GeoCLIP's weights against its golden values."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Proj

from vidtag_engine.models.equal_earth import UNIT_M, equal_earth
from vidtag_engine.models.geoclip import GEOCLIP_SIGMA, geoclip_gallery, warm_start
from vidtag_engine.models.location_encoder import SIGMA_PRESETS, Capsule, LocationEncoder, LocationEncoderConfig, sigma_for_extent
from vidtag_engine.types import InputError

latitude, longitude = st.floats(-90, 90), st.floats(-180, 180)


@given(latitude, longitude)
def test_projection_is_spherical_equal_earth_to_a_metre(lat: float, lon: float) -> None:
    ours = equal_earth(torch.tensor([lat, lon], dtype=torch.float64)).numpy() * UNIT_M
    assert np.hypot(*(ours - Proj("+proj=eqearth +R=6371000")(lon, lat))) < 1.0


def test_geoclips_weights_give_its_golden_values() -> None:
    encoder = LocationEncoder(LocationEncoderConfig(sigma=GEOCLIP_SIGMA))
    assert warm_start(encoder) == GEOCLIP_SIGMA
    with torch.no_grad():
        got = encoder(torch.tensor([[40.7128, -74.0060], [34.0522, -118.2437]], dtype=torch.float64))
    golden = [[-0.010395, 0.007880, 0.013025, 0.002843, -0.002337], [-0.004554, 0.008630, 0.004616, -0.007156, -0.002422]]
    np.testing.assert_allclose(got[:, :5], golden, atol=2e-6)
    assert float(got[0].norm()) == pytest.approx(0.2243, abs=1e-4)


def test_warm_start_takes_the_capsules_whose_sizes_agree() -> None:
    paper = LocationEncoder(LocationEncoderConfig(sigma=SIGMA_PRESETS["globe"]))
    assert warm_start(paper) == (1.0, 8.0, 256.0)
    full = LocationEncoder(LocationEncoderConfig(sigma=GEOCLIP_SIGMA))
    warm_start(full)
    for same in (0, 2):
        torch.testing.assert_close(paper.capsules[same].state_dict(), full.capsules[same].state_dict(), rtol=0, atol=0)
    # The paper's 2^3 is GeoCLIP's 2^4 seen from twice as far: the same where the plane is stretched twofold.
    plane = torch.rand(50, 2, dtype=torch.float64) - 0.5
    with torch.no_grad():
        torch.testing.assert_close(paper.capsules[1](2.0 * plane), full.capsules[1](plane), rtol=0, atol=1e-4)
    assert float(paper.capsules[1].frequencies.std()) == pytest.approx(8.0, rel=0.1)
    assert warm_start(LocationEncoder(LocationEncoderConfig(sigma=(2.0**11,)))) == ()
    assert warm_start(LocationEncoder(LocationEncoderConfig(hidden=(512, 512), embedding_dim=256))) == ()


@settings(max_examples=25, deadline=None)
@given(latitude, longitude)
def test_phase_is_exact_at_the_finest_sigma(lat: float, lon: float) -> None:
    """Against exact rational arithmetic: float32 would be wrong by 2π·16384·6e-8 ≈ 6e-3 here."""
    torch.manual_seed(1)
    capsule = Capsule(2.0**14, LocationEncoderConfig(sigma=(2.0**14,), hidden=(8,)))
    plane = equal_earth(torch.tensor([lat, lon], dtype=torch.float64))
    seen: list[torch.Tensor] = []
    capsule.mlp.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    capsule(plane)
    x, y = (Fraction(value) for value in plane.tolist())
    turns = [float((Fraction(a) * x + Fraction(b) * y) % 1) for a, b in capsule.frequencies.tolist()]
    exact = np.concatenate([np.cos(2 * np.pi * np.array(turns)), np.sin(2 * np.pi * np.array(turns))])
    np.testing.assert_allclose(seen[0], exact, atol=2e-6)


def test_shapes_and_types() -> None:
    encoder = LocationEncoder(LocationEncoderConfig(sigma=(1.0, 8.0), hidden=(16,), embedding_dim=5))
    assert encoder(torch.zeros(3, 4, 2, dtype=torch.float64)).shape == (3, 4, 5)
    assert encoder(torch.zeros(2)).shape == (5,)
    assert encoder(torch.zeros(0, 2)).shape == (0, 5)
    assert encoder(torch.zeros(2)).dtype == torch.float32
    assert not any("frequencies" in name for name, _ in encoder.named_parameters()), "frequencies are frozen"


@pytest.mark.parametrize(
    ("extent_m", "resolution_m", "name"),
    [
        (417, 10, "site"),  # measured: the reference's Seneca
        (3_000, 25, "site"),
        (20_000, 20, "site"),
        (30_000, 100, "city"),
        (200_000, 20, "city"),  # too wide for site
        (4_000_000, 50, "globe"),  # too wide for city
        (1_000_000, 1_000, "globe"),
        (40_000_000, 25_000, "globe"),
    ],
)
def test_sigma_follows_extent_and_resolution(extent_m: float, resolution_m: float, name: str) -> None:
    assert sigma_for_extent(extent_m, resolution_m) == name


@pytest.mark.parametrize("bad", [(0, 10), (100, -1), (float("nan"), 10), (100, float("inf"))])
def test_sigma_refuses_lengths_that_are_none(bad: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="positive length"):
        sigma_for_extent(*bad)


def test_gallery_is_geoclips() -> None:
    gallery = geoclip_gallery()
    assert gallery.shape == (100_000, 2)
    assert gallery.dtype == np.float64
    np.testing.assert_allclose(gallery[0], [-50.943392, -72.935664])
    assert np.abs(gallery).max(axis=0)[0] <= 90
