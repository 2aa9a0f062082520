"""What faster ways to run the backbones cost in accuracy on the isles (simulated): the same frames placed from both features by the same model."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.baselines import retrieve
from vidtag_engine.batch import compiled_folder
from vidtag_engine.models.frame_encoder import FrameEncoder, build_frame_encoder
from vidtag_engine.models.vidtag import VidTAG
from vidtag_engine.training import TrainingSource
from vidtag_engine.training.features import FeatureStore, load_sequences

from .isles import METHODS
from .isles_settings import BUDGETS, RESOLUTION_M
from .isles_world import TEST_SPLITS, Drive, load_world
from .tables.lab import Lab
from .tables.scores import scores

FRAMES = 600


def a1km_loss(folder: Path, store: Path, seed: int) -> dict[str, Any]:
    """How many points of a@1km the shipped encoder loses to eager float32: ``a1km_loss``, and the two accuracies.

    Our VidTAG, trained on the world's stored features, places whole test drives of about 600 frames.

    Args:
        folder: of the world, with its videos.
        store: of trainings.
        seed: of the sample of drives.
    """
    shipped = build_frame_encoder("vidtag-compact", compiled_folder=compiled_folder())
    isles = load_world(folder, shipped)
    lab = Lab(isles, BUDGETS["full"], store)
    model, _ = lab.train(METHODS["ours"])
    assert isinstance(model, VidTAG)
    drives = _sample(isles.of(*TEST_SPLITS), seed)
    shipped.compile_backbones()
    eager, fast = (_encoded(folder, drives, encoder) for encoder in (build_frame_encoder("vidtag-compact"), shipped))
    # All at once, so that the gallery is embedded once.
    placed = retrieve(model, [drive.sequence for drive in (*eager, *fast)], isles.grid(RESOLUTION_M)).predicted
    of_eager, of_fast = scores(eager, placed[: len(eager)])["a1km"], scores(fast, placed[len(eager) :])["a1km"]
    return {
        "a1km_loss": round(of_eager - of_fast, 3),
        "a1km_eager": round(of_eager, 3),
        "a1km_shipped": round(of_fast, 3),
        "a1km_frames": sum(len(drive.sequence) for drive in drives),
        "simulated": True,
    }


def _sample(drives: list[Drive], seed: int) -> list[Drive]:
    """Whole drives, by chance, until there are frames enough."""
    taken: list[Drive] = []
    for number in np.random.default_rng(seed).permutation(len(drives)):
        if sum(len(drive.sequence) for drive in taken) >= FRAMES:
            break
        taken.append(drives[number])
    return taken


def _encoded(folder: Path, drives: list[Drive], encoder: FrameEncoder) -> list[Drive]:
    """The drives with features computed now, from their videos."""
    with tempfile.TemporaryDirectory() as temporary:
        store = FeatureStore(Path(temporary), encoder, augment="none", views=0, seed=0, rate_hz=None)
        sources = [
            TrainingSource(
                folder / drive.split / f"{drive.sequence.name}.mp4", folder / drive.split / f"{drive.sequence.name}.gpx", "video"
            )
            for drive in drives
        ]
        sequences = load_sequences(store, sources)
    return [replace(drive, sequence=sequence) for drive, sequence in zip(drives, sequences, strict=True)]
