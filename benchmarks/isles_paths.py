"""Videos of the simulated isles decoded as the engine does it: one model, one cover, every test drive. What `decoder`, `calibration` and `abstention` share."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vidtag_engine.batch import compiled_folder
from vidtag_engine.models.frame_encoder import FrameEncoder, build_frame_encoder
from vidtag_engine.models.vidtag import VidTAG
from vidtag_engine.terminal import progress_bar
from vidtag_engine.training.path import FrameScores, PlaceScores, calibrate_path
from vidtag_engine.training.start import reach_m, remember
from vidtag_engine.trajectory import Decoded, Decoder, PathCalibration
from vidtag_engine.types import FloatArray, ProgressCallback

from .code_digest import code_digest
from .isles_settings import BUDGETS, RESOLUTION_M
from .isles_world import RUNS, Drive, load_world, make_world, sequences_of, world_folder
from .tables.lab import Lab
from .tables.rows import SHIPPED
from .tables.store import Entry

# Whatever stands in these decides the lines.
_CODE = code_digest(
    "vidtag_engine/trajectory",
    "vidtag_engine/training/path.py",
    "vidtag_engine/training/start.py",
    "vidtag_engine/models/memory.py",
    "benchmarks/isles_paths.py",
)


@dataclass(frozen=True)
class Paths:
    """A trained model, calibrated on the world's held-out drives, over one cover of all isles.

    Args:
        lab: whose world and model.
        model: ours.
        lat_lon_deg: (M, 2) the gallery that results are reported on.
        cover: its scores.
        calibration: fitted on the validation drives, and those held out for it alone, over the same gallery.
        decoder: over the cover.
    """

    lab: Lab
    model: VidTAG
    lat_lon_deg: FloatArray
    cover: PlaceScores
    calibration: PathCalibration
    decoder: Decoder

    def scores(self, drive: Drive, over: PlaceScores | None = None) -> FloatArray:
        """(T, M) over the cover, or over other places."""
        frames = FrameScores(self.model, torch.from_numpy(drive.sequence.seen))
        found: FloatArray = (over or self.cover).scores(frames, self.calibration.recall)(slice(0, len(drive.sequence)))
        return found

    def decoded(self, drives: Sequence[Drive]) -> Iterator[Decoded]:
        """Each drive's posterior and line."""
        for drive in drives:
            yield self.decode(drive, self.scores(drive))

    def decode(self, drive: Drive, scores: FloatArray) -> Decoded:
        """A drive's posterior and line from its scores over the cover."""
        fitted = self.calibration
        return self.decoder.decode(
            scores, drive.sequence.time_s, fitted.evidence, accuracy_m=fitted.accuracy_m, line_evidence=fitted.line_evidence
        )


def open_lab(seed: int | str, *, quick: bool, world: Path | None, layout: bool = False) -> tuple[Lab, FrameEncoder]:
    """The world of a seed, made where it is absent, or a rendered one, and its encoder; ``layout``: which also says what stands where in a picture."""
    size = "quick" if quick else "full"
    folder = world or world_folder(str(seed), size)
    if world is None:
        make_world(folder, str(seed), size)
    encoder = build_frame_encoder("vidtag-compact", compiled_folder=compiled_folder(), layout=layout)
    with progress_bar() as bar:
        isles = load_world(folder, encoder, bar, calibration=True)
        return Lab(isles, BUDGETS[size], RUNS, bar), encoder


def open_paths(lab: Lab, training_seed: int = 0) -> Paths:
    """Train ours and calibrate it, or read both from the store."""
    with _bar() as bar:
        lab.progress = bar
        model, _ = lab.train(replace(SHIPPED, seed=training_seed))
    assert isinstance(model, VidTAG)
    grid = lab.world.grid(RESOLUTION_M)
    places, spacing_m = np.concatenate(list(grid.chunks())), math.sqrt(grid.area_m2 / grid.count)
    training = sequences_of(lab.world.of("train"))
    settings = SHIPPED.settings(lab.budget)
    model.remember(remember(training, settings))
    reach = reach_m(training, settings)
    specification = {"calibration": made_from(lab, training_seed)}
    entry = lab.store.get(specification)
    if entry is None:
        with _bar() as bar:
            fitted = calibrate_path(
                model,
                places,
                spacing_m,
                training,
                sequences_of(lab.world.of("val", "calibration")),
                temperature=float(1.0 / model.logit_scale.detach().exp()),
                reach_m=reach,
                place_axes=_axes(model),
                progress=bar,
            )
        entry = Entry({"calibration": fitted.to_dict()}, {})
        lab.store.put(specification, entry)
    calibration = PathCalibration.from_dict(entry.values["calibration"])  # as a checkpoint holds it, whether it was fitted now or before
    decoder = Decoder(places, spacing_m, calibration.motion)
    return Paths(lab, model, places, PlaceScores(model, places, spacing_m, reach), calibration, decoder)


def _bar() -> contextlib.AbstractContextManager[ProgressCallback | None]:
    """A bar, but in the process that the terminal belongs to alone."""
    return contextlib.nullcontext() if multiprocessing.parent_process() else progress_bar()


def made_from(lab: Lab, training_seed: int) -> dict[str, Any]:
    """Plain values that decide how ours, trained with a seed, decodes."""
    rates = SHIPPED.settings(lab.budget).model_dump(exclude={"device", "remembered_width", "layout", "seed"})
    layout = lab.world.drives[0].sequence.layout is not None
    return {
        "shipped": _CODE,
        "rates": rates,
        "seed": training_seed,
        "world": lab.world.digest,
        "layout": layout,
        "calibration": [drive.sequence.name for drive in lab.world.of("calibration")],
        "resolution_m": RESOLUTION_M,
    }


def _axes(model: VidTAG) -> FloatArray:
    """(K, D) of ours' first layer, which is learned whitening."""
    assert isinstance(model.projection, torch.nn.Linear)
    axes: FloatArray = model.projection.weight.detach().numpy()
    return axes
