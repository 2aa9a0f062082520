"""GeoCLIP (Vivanco Cepeda et al., NeurIPS 2023), zero-shot and worldwide: what a user without any VidTAG checkpoint runs.

Its trained parts (location encoder, image MLP, logit scale, gallery) lie in the wheel ``geoclip``. Only the wheel's files are read: the
package itself is never imported, since it would bring transformers along.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ..types import FloatArray, InputError
from .location_encoder import GEOCLIP_SIGMA, LocationEncoder, LocationEncoderConfig

GEOCLIP_LICENCE = "MIT"
_MISSING = "GeoCLIP's weights are not installed: pip install --no-deps geoclip==1.3.0."
_CHUNK_FRAMES = 4096


class GeoCLIPConfig(BaseModel):
    """GeoCLIP's sizes; there is one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    frame_encoder: str = "geoclip"
    feature_dim: int = 768
    location: LocationEncoderConfig = LocationEncoderConfig(sigma=GEOCLIP_SIGMA)

    @property
    def embedding_dim(self) -> int:
        """E, of frame and location embeddings alike."""
        return self.location.embedding_dim


class GeoCLIP(nn.Module):
    """GeoCLIP behind VidTAG's interface: every frame on its own, no TempGeo, no refiner."""

    has_refiner = False
    memory = None  # it keeps no reference images

    def __init__(self, config: GeoCLIPConfig | None = None) -> None:
        super().__init__()
        self.config = config or GeoCLIPConfig()
        width = self.config.feature_dim
        self.frame_mlp = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, self.config.embedding_dim))
        self.location_encoder = LocationEncoder(self.config.location)
        self.logit_scale = nn.Parameter(torch.tensor(3.68103))

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.logit_scale.device

    def encode_frames(self, features: Tensor, padding: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """As ``VidTAG.encode_frames``; both answers are the same."""
        frames = F.normalize(self.frame_mlp(features), dim=-1)
        frames = frames if padding is None else frames.masked_fill(padding[..., None], 0.0)
        return frames, frames

    def embed_frames(self, features: Tensor, padding: Tensor | None = None) -> Tensor:
        """CLIP's image features (...,768), *not* normalised, to (...,512) unit-normalised; zero under ``padding``."""
        return self.encode_frames(features, padding)[0]

    def embed_locations(self, lat_lon_deg: Tensor) -> Tensor:
        """(...,2) latitude, longitude in degrees (float64) to (...,512) unit-normalised float32."""
        return F.normalize(self.location_encoder(lat_lon_deg), dim=-1)

    @torch.no_grad()
    def embed_video(self, features: Tensor) -> Tensor:
        """(T,768) to (T,512) on the model's device; frames do not see each other."""
        parts = [self.embed_frames(part.to(self.device).float()) for part in features.split(_CHUNK_FRAMES)]
        return torch.cat(parts)

    def video_context(self, features: Tensor, frames: Tensor) -> Tensor:  # noqa: ARG002
        """As ``VidTAG.video_context``: the frame embeddings."""
        return frames

    def refine(self, gps: Tensor, frames: Tensor, padding: Tensor | None = None) -> Tensor:  # noqa: ARG002
        """There is no Phase II: see ``has_refiner``."""
        raise ValueError("GeoCLIP has no refiner: see has_refiner")

    def refine_video(self, gps: Tensor, frames: Tensor) -> Tensor:  # noqa: ARG002
        """There is no Phase II: see ``has_refiner``."""
        raise ValueError("GeoCLIP has no refiner: see has_refiner")


def load_geoclip(device: torch.device | str = "cpu") -> GeoCLIP:
    """GeoCLIP with its shipped weights, in evaluation mode.

    Raises:
        InputError: where the wheel is not installed or its files do not fit.
    """
    model = GeoCLIP()
    mlp, scale = _read_weights("image_encoder_mlp_weights.pth"), _read_weights("logit_scale_weights.pth")
    capsules = geoclip_capsules()
    try:
        model.frame_mlp.load_state_dict(mlp)
        for capsule, state in zip(model.location_encoder.capsules, capsules.values(), strict=True):
            capsule.load_state_dict(state)
        model.logit_scale.data.copy_(torch.as_tensor(scale))
    except (RuntimeError, ValueError, TypeError) as error:
        raise InputError("GeoCLIP's installed weights do not fit: pip install --no-deps geoclip==1.3.0.") from error
    return model.to(device).eval()


def geoclip_capsules() -> dict[float, dict[str, Tensor]]:
    """GeoCLIP's trained location capsules by σ, under the names of ``location_encoder.Capsule``."""
    given = _read_weights("location_encoder_weights.pth")
    # capsule.0 holds the frequencies; linear layers stand at odd places after it, then comes the head.
    names = {"capsule.0.b": "frequencies"}
    for part in ("weight", "bias"):
        names |= {f"capsule.{place}.{part}": f"mlp.{place - 1}.{part}" for place in (1, 3, 5)}
        names[f"head.0.{part}"] = f"mlp.6.{part}"
    try:
        return {
            sigma: {ours: given[f"LocEnc{number}.{theirs}"].detach() for theirs, ours in names.items()}
            for number, sigma in enumerate(GEOCLIP_SIGMA)
        }
    except KeyError as error:
        raise InputError("GeoCLIP's installed weights do not fit: pip install --no-deps geoclip==1.3.0.") from error


def warm_start(encoder: LocationEncoder) -> tuple[float, ...]:
    """Start an encoder's capsules from GeoCLIP's trained ones, where sizes agree; returns the encoder's σ that were (none where nothing fits).

    A capsule whose σ GeoCLIP does not have takes that of half or twice it, with all frequencies halved or doubled: it is then GeoCLIP's capsule at half or twice the
    scale, and its layers see what they were trained on. So the paper's 2³ starts from 2⁴. The paper says that GPS embeddings are fine-tuned (3.3), not from what.

    Raises:
        InputError: if the wheel that holds GeoCLIP's weights is not installed.
    """
    started, trained = [], geoclip_capsules()
    for sigma, capsule in zip(encoder.config.sigma, encoder.capsules, strict=True):
        near = next((sigma * factor for factor in (1.0, 2.0, 0.5) if sigma * factor in trained), None)
        if near is None:
            continue
        state = {**trained[near], "frequencies": trained[near]["frequencies"] * (sigma / near)}
        if {key: value.shape for key, value in capsule.state_dict().items()} == {key: value.shape for key, value in state.items()}:
            capsule.load_state_dict(state)
            started.append(sigma)
    return tuple(started)


def geoclip_gallery() -> FloatArray:
    """GeoCLIP's gallery of 100,000 places: (N,2) latitude, longitude in degrees, float64."""
    gallery: FloatArray = np.loadtxt(_file("gps_gallery", "coordinates_100K.csv"), delimiter=",", skiprows=1, dtype=np.float64)
    return gallery


def _file(*parts: str) -> Path:
    spec = importlib.util.find_spec("geoclip")
    path = None if spec is None or spec.origin is None else Path(spec.origin).parent.joinpath("model", *parts)
    if path is None or not path.is_file():
        raise InputError(_MISSING)
    return path


def _read_weights(name: str) -> dict[str, Tensor]:
    weights: dict[str, Tensor] = torch.load(_file("weights", name), map_location="cpu", weights_only=True)
    return weights
