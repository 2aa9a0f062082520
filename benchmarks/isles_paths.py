"""Videos of the simulated isles decoded as the engine does it: one model, one cover, every test drive. What `decoder`, `calibration` and `abstention` share."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from vidtag_engine.batch import compiled_folder
from vidtag_engine.models.frame_encoder import FrameEncoder, build_frame_encoder
from vidtag_engine.models.vidtag import VidTAG
from vidtag_engine.terminal import progress_bar
from vidtag_engine.training.path import calibrate_path, embedded
from vidtag_engine.trajectory import Decoded, Decoder, PathCalibration
from vidtag_engine.types import FloatArray

from .isles import METHODS
from .isles_settings import BUDGETS, RESOLUTION_M, VALIDATION_RESOLUTION_M
from .isles_world import RUNS, Drive, load_world, make_world, sequences_of, world_folder
from .tables.lab import Lab


@dataclass(frozen=True)
class Paths:
    """A trained model, calibrated on the world's validation drives, over one cover of all isles.

    Args:
        lab: whose world and model.
        model: ours.
        lat_lon_deg: (M, 2) the gallery that results are reported on.
        gallery: (M, E) its embeddings.
        calibration: fitted on the validation drives over the coarser gallery that training validates on.
        decoder: over the cover.
    """

    lab: Lab
    model: VidTAG
    lat_lon_deg: FloatArray
    gallery: torch.Tensor
    calibration: PathCalibration
    decoder: Decoder

    def queries(self, drive: Drive) -> torch.Tensor:
        """(T, E) a drive's frame embeddings."""
        with torch.inference_mode():
            return self.model.embed_video(torch.from_numpy(np.asarray(drive.sequence.features[0], dtype=np.float32)))

    def scores(self, drive: Drive, part: torch.Tensor | None = None) -> FloatArray:
        """(T, M) over the cover, or over other embeddings."""
        with torch.inference_mode():
            found: FloatArray = (self.queries(drive) @ (self.gallery if part is None else part).T).numpy()
        return found

    def decoded(self, drives: Sequence[Drive]) -> Iterator[Decoded]:
        """Each drive's posterior and line."""
        fitted = self.calibration
        for drive in drives:
            yield self.decoder.decode(self.scores(drive), drive.sequence.time_s, fitted.evidence, accuracy_m=fitted.accuracy_m)


def open_lab(seed: int | str, *, quick: bool, world: Path | None) -> tuple[Lab, FrameEncoder]:
    """The world of a seed, made where it is absent, or a rendered one, and its encoder."""
    size = "quick" if quick else "full"
    folder = world or world_folder(str(seed), size)
    if world is None:
        make_world(folder, str(seed), size)
    encoder = build_frame_encoder("vidtag-compact", compiled_folder=compiled_folder())
    with progress_bar() as bar:
        isles = load_world(folder, encoder, bar)
        return Lab(isles, BUDGETS[size], RUNS, bar), encoder


def open_paths(lab: Lab, training_seed: int = 0) -> Paths:
    """Train (or read) ours and calibrate it."""
    with progress_bar() as bar:
        lab.progress = bar
        model, _ = lab.train(replace(METHODS["ours"], seed=training_seed))
    assert isinstance(model, VidTAG)
    grid, coarse = lab.world.grid(RESOLUTION_M), lab.world.grid(VALIDATION_RESOLUTION_M)
    calibration = calibrate_path(
        model,
        np.concatenate(list(coarse.chunks())),
        math.sqrt(coarse.area_m2 / coarse.count),
        sequences_of(lab.world.of("train")),
        sequences_of(lab.world.of("val")),
        temperature=float(1.0 / model.logit_scale.detach().exp()),
        place_axes=_axes(model),
    )
    places = np.concatenate(list(grid.chunks()))
    decoder = Decoder(places, math.sqrt(grid.area_m2 / grid.count), calibration.motion)
    with torch.inference_mode():
        gallery = embedded(model, places)
    return Paths(lab, model, places, gallery, calibration, decoder)


def _axes(model: VidTAG) -> FloatArray:
    """(K, D) of ours' first layer, which is learned whitening."""
    assert isinstance(model.projection, torch.nn.Linear)
    axes: FloatArray = model.projection.weight.detach().numpy()
    return axes
