"""VideoMAE-S as CityGuessr's encoder: sixteen frames to one feature (Tong et al., NeurIPS 2022; Kinetics weights of MCG-NJU)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..types import InputError
from .backbones import FETCHED, Weights, loaded_from_hub

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

HUB_ID = FETCHED["videomae-s"][1]
FRAMES, SIZE_PX, FEATURE_DIM = 16, 224, 384
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class VideoMAE(nn.Module):
    """The encoder alone, trained with the heads (it is not frozen in the published code).

    Args:
        weights: "pretrained" loads them through transformers, its cache and its offline switches; "random" is for tests and benchmarks.

    Raises:
        InputError: transformers is missing.
        FetchError: the weights cannot be had; the sentence says where to put them.
    """

    def __init__(self, weights: Weights = "pretrained") -> None:
        super().__init__()
        try:
            from transformers import VideoMAEConfig, VideoMAEModel
        except ImportError as error:
            raise InputError(
                "The encoder videomae-s needs transformers: pip install transformers, or take the encoder 'frames'."
            ) from error

        if weights == "random":
            config = VideoMAEConfig(
                image_size=SIZE_PX,
                num_frames=FRAMES,
                hidden_size=FEATURE_DIM,
                num_hidden_layers=12,
                num_attention_heads=6,
                intermediate_size=4 * FEATURE_DIM,
            )
            self.network: Any = VideoMAEModel(config)
        else:

            def load(source: str) -> Any:
                # Tensors alone are taken, which hold nothing that runs; so no revision is pinned.
                return VideoMAEModel.from_pretrained(source, use_safetensors=True)  # nosec B615

            self.network = loaded_from_hub("videomae-s", load)
        # The feature is taken before the last norm, which training would leave without a gradient.
        self.network.layernorm = None

    def forward(self, videos: Tensor) -> Tensor:
        """(B, 16, 3, 224, 224) as :func:`prepare` makes them to (B, 384): the mean over the tokens of the last layer."""
        return self.network(videos).last_hidden_state.mean(dim=1)


def prepare(frames: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Sixteen (H, W, 3) RGB pictures to (16, 3, 224, 224): squeezed into the square (bilinear, antialiased), with ImageNet's mean and deviation.

    The published training leaves mean and deviation out and its evaluation has them; here both have.
    """
    if len(frames) != FRAMES:
        raise ValueError(f"{FRAMES} frames are a video, not {len(frames)}")
    pictures = []
    for frame in frames:
        whole = torch.from_numpy(np.array(frame, order="C")).permute(2, 0, 1)[None]
        pictures.append(functional.interpolate(whole, (SIZE_PX, SIZE_PX), mode="bilinear", antialias=True)[0])
    mean, std = (torch.tensor(one)[:, None, None] for one in (_MEAN, _STD))
    return (torch.stack(pictures).float() / 255.0 - mean) / std
