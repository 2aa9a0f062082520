"""The geoclip preset against the ``geoclip`` package itself, at full size, with the same random CLIP weights on both sides."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from benchmarks.geoclip import packages_and_ours
from vidtag_engine.models.geoclip import load_geoclip
from vidtag_engine.types import InputError


def test_interface_of_vidtag() -> None:
    model = load_geoclip()
    features = torch.randn(5, 768) * 10
    frames = model.embed_video(features)
    torch.testing.assert_close(frames.norm(dim=-1), torch.ones(5))
    hole = torch.tensor([[False, False, True, False, True]])
    torch.testing.assert_close(model.embed_frames(features[None], hole)[0][~hole[0]], frames[~hole[0]])
    assert not model.embed_frames(features[None], hole)[0][hole[0]].any()
    assert model.video_context(features, frames) is frames
    assert model.embed_locations(torch.zeros(2, 3, 2)).shape == (2, 3, 512)
    assert model.config.frame_encoder == "geoclip"
    with pytest.raises(ValueError, match="no refiner"):
        model.refine_video(frames, frames)


@pytest.mark.slow
def test_the_package_is_read_and_not_imported() -> None:
    code = (
        "import sys\nfrom vidtag_engine.models import load_geoclip, geoclip_gallery\nload_geoclip(); geoclip_gallery()\n"
        "assert 'geoclip' not in sys.modules and 'transformers' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_the_package_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(InputError, match=r"pip install --no-deps geoclip==1\.3\.0"):
        load_geoclip()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_embeddings_and_scores_are_the_packages_own() -> None:
    package, encoder = packages_and_ours(seed=0)
    model = load_geoclip()

    image = np.kron(np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8), np.ones((50, 50, 1), np.uint8))
    theirs_in, ours_in = package.image_encoder.preprocess_image(image), encoder.preprocess(image)[0]
    assert (theirs_in[0] - ours_in).abs().max() < 3 / 255 / 0.26, "to rounding of a grey level or two"

    places = package.gps_gallery[:500]
    pictures = torch.cat([theirs_in, torch.randn(1, 3, 224, 224)])
    seen: list[torch.Tensor] = []
    package.image_encoder.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    with torch.no_grad():
        features = encoder((pictures,))
        assert (features.norm(dim=-1) - 1).abs().min() > 1e-3, "CLIP's own scale is kept"
        scores = package(pictures, places)
        torch.testing.assert_close(model.embed_video(features), F.normalize(seen[0], dim=-1), atol=2e-4, rtol=0)
        locations = F.normalize(package.location_encoder(places), dim=-1)
        # The package projects in float32; ours in float64.
        torch.testing.assert_close(model.embed_locations(places.double()), locations, atol=5e-4, rtol=0)
        ours = model.logit_scale.exp() * model.embed_video(features) @ model.embed_locations(places.double()).T
    torch.testing.assert_close(ours, scores, atol=2e-2, rtol=0)
    torch.testing.assert_close(ours.softmax(-1), scores.softmax(-1), atol=1e-4, rtol=2e-2)
    assert (ours.argmax(-1) == scores.argmax(-1)).all()
