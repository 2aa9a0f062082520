"""A checkpoint ready to use, and the record of what a run is made with."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from dataclasses import dataclass
from datetime import UTC, datetime

import torch

from . import __version__
from .batch import compiled_folder
from .feedback import Feedback
from .grid import Grid, WideGrid
from .models import GeoCLIP, VidTAG, build_frame_encoder, from_pretrained, pick_device, weights_to_fetch
from .models.checkpoint import CheckpointCard
from .models.frame_encoder import FrameEncoder
from .offline import asked
from .settings import GeolocateSettings
from .trajectory import Calibration
from .types import InputError, Provenance


@dataclass(frozen=True)
class Loaded:
    """A checkpoint ready to use: the model, its card, its frame encoder and where it runs."""

    model: VidTAG | GeoCLIP
    card: CheckpointCard
    encoder: FrameEncoder
    device: torch.device
    calibration: Calibration


def provenance_of(settings: GeolocateSettings, loaded: Loaded, grid: Grid | WideGrid, guessed_by: str | None = None) -> Provenance:
    """What made the result, without user names or absolute paths; ``guessed_by`` is the digest of what guessed the areas."""
    libraries = ("torch", "timm", "open_clip_torch", "av", "pyproj", "shapely", "geopandas")
    versions = {"vidtag-engine": __version__, "python": platform.python_version()}
    versions |= {name: importlib.metadata.version(name) for name in libraries}
    card = loaded.card
    return Provenance(
        settings=settings.result_key() | ({"guess_area": guessed_by} if guessed_by else {}),
        checkpoint={
            "name": card.name,
            "preset": card.preset,
            "sha256": card.sha256,
            # The same weights may have been calibrated anew, and then say other things.
            "calibration_sha256": hashlib.sha256(json.dumps(loaded.card.calibration, sort_keys=True).encode()).hexdigest(),
            "backbones": {name: str(source) for name, source in loaded.encoder.weights_source.items()},
            "licence": card.licence,
        },
        gallery=grid.to_summary(),
        versions=versions,
        seed=settings.seed,
        created_utc=datetime.now(UTC),
    )


def load(checkpoint: str, device: str = "auto", feedback: Feedback = Feedback()) -> Loaded:
    """Load a checkpoint (folder, file, Hub id or the preset ``geoclip``) and the frame encoder that it was trained on.

    Args:
        checkpoint: see above.
        device: that it runs on.
        feedback: told where weights have to be fetched first, which may take minutes.

    Raises:
        InputError: the checkpoint or the backbones' weights cannot be had; the sentence says what to do.
    """
    place = pick_device(device)
    model, card = from_pretrained(checkpoint, place)
    calibration = (
        Calibration.from_dict(card.calibration)
        if card.calibration
        else Calibration(temperature=float(1.0 / model.logit_scale.detach().exp()))
    )
    layout_dim = model.config.remembered_layout if isinstance(model, VidTAG) else 0
    if (said := weights_to_fetch(card.preset)) and not asked():
        feedback.tell(0.0, "fetching", said)
    encoder = build_frame_encoder(card.preset, place, compiled_folder=compiled_folder(), layout=bool(layout_dim))
    if encoder.layout_dim != layout_dim:
        raise InputError(
            f"Checkpoint {card.name} remembers pictures by a layout of {layout_dim} numbers, and this version makes {encoder.layout_dim}: train it again."
        )
    return Loaded(model.eval(), card, encoder, place, calibration)
