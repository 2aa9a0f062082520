"""The encode benchmark's peers really run the backbone, and its sides are compared picture by picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from benchmarks import encode
from benchmarks.encode_ways import build
from vidtag_engine.models.backbones import BACKBONES
from vidtag_engine.models.frame_encoder import FrameEncoder


class Means(nn.Module):
    """A backbone whose features are a picture's three means, with some of them turned."""

    def __init__(self, turned: float = 0.0) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))
        self.turned = turned

    def forward(self, pictures: Tensor) -> Tensor:
        means = pictures.mean(dim=(2, 3)) * self.scale
        return means + self.turned * means.flip(1)


def test_cosines_are_of_the_same_picture_and_the_smallest_one_is_told() -> None:
    prepared = [(torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(seed)) + seed % 2,) for seed in range(5)]
    ways = {"same": FrameEncoder({"efficientnet-lite0": Means()}, {}), "other": FrameEncoder({"efficientnet-lite0": Means(0.5)}, {})}
    found = encode._side_by_side(ways, [Means()], prepared, rounds=1)
    own = np.stack([Means()(picture[None])[0].detach() for (picture,) in prepared])
    other = own + 0.5 * own[:, ::-1]
    cosines = (own * other).sum(axis=1) / np.linalg.norm(own, axis=1) / np.linalg.norm(other, axis=1)
    assert found["same"]["min_cosine"] == pytest.approx(1.0, abs=1e-6)
    assert found["other"]["min_cosine"] == pytest.approx(cosines.min(), abs=1e-6)
    assert cosines.min() < 0.9999
    assert set(found) == {"peer", "same", "other"}


@pytest.mark.slow
@pytest.mark.parametrize("way", ["eager_bf16", "onnxruntime", "openvino_bf16"])
def test_other_ways_give_nearly_the_same_features(way: str, tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    pictures = nn.functional.interpolate(torch.randn(3, 3, 14, 14, generator=generator), (224, 224), mode="bicubic")
    module, _ = BACKBONES["efficientnet-lite0"].build("pretrained")
    with torch.no_grad():
        expected = module.eval()(pictures)
        found = build(way, "efficientnet-lite0", list(pictures), tmp_path / "work")(pictures)
    assert found.dtype == torch.float32
    assert torch.cosine_similarity(found, expected).min() > 0.98
