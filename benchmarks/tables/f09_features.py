"""Figure 9: principal components of frame embeddings, coloured by sequence."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from vidtag_engine.models.vidtag import VidTAG

from ..isles_world import TEST_SPLITS, Drive
from .bench import Bench
from .pictures import figure, save
from .rows import GEOCLIP, VIDTAG
from .runs import Run
from .table import NAME, Column, Table

NUMBER = "fig9"
PICTURE = "tables-features.png"
ROWS = {"GeoCLIP fine-tuned": GEOCLIP, "VidTAG as in the paper": VIDTAG}
_SEQUENCES = 12
_ISLES = 2


def runs(bench: Bench) -> list[Run]:  # noqa: ARG001
    return list(ROWS.values())


def make(bench: Bench) -> Table:
    isles = bench.lab.world.isles[:_ISLES]
    made, axes = figure(len(isles), 1 + len(ROWS), width=3.6, height=2.7)
    rows: list[dict[str, object]] = [{"name": name} for name in ROWS]
    for column, isle in enumerate(isles):
        drives = bench.lab.world.of(*TEST_SPLITS, isle=isle)[:_SEQUENCES]
        owner = np.repeat(np.arange(len(drives)), [len(drive.sequence) for drive in drives])
        truth = np.concatenate([drive.sequence.lat_lon_deg for drive in drives])
        axes[0, column].scatter((truth[:, 1] - truth[0, 1] + 180) % 360 - 180, truth[:, 0], c=owner, cmap="tab20", s=4)
        axes[0, column].set_title(f"{isle}: places", fontsize=8)
        for number, (name, run) in enumerate(ROWS.items()):
            vectors = _embeddings(bench, run, drives)
            shown = _two_axes(vectors)
            axes[number + 1, column].scatter(shown[:, 0], shown[:, 1], c=owner, cmap="tab20", s=4)
            axes[number + 1, column].set_title(name, fontsize=8)
            rows[number][isle] = 100 * _share_within(vectors, owner)
    for axis in axes.ravel():
        axis.set_xticks([])
        axis.set_yticks([])
    save(made, bench.pictures / PICTURE)
    columns = (NAME, *(Column(isle, f"{isle}: variance within sequences %", 1, "low") for isle in isles))
    notes = (
        f"Frame embeddings of {_SEQUENCES} test drives an isle on their first two principal components, a colour a drive; the less variance lies"
        " within drives, the more their frames are aligned with each other.",
    )
    return Table(NUMBER, "features by sequence", columns, tuple(rows), notes, PICTURE)


@torch.inference_mode()
def _embeddings(bench: Bench, run: Run, drives: list[Drive]) -> NDArray[np.float64]:
    model, _ = bench.lab.train(run)
    assert isinstance(model, VidTAG)
    parts = [model.embed_video(torch.from_numpy(np.asarray(d.sequence.features[0], dtype=np.float32))) for d in drives]
    return torch.cat(parts).double().numpy()


def _two_axes(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 2) on the axes of the largest variance (Pearson, 1901)."""
    centred = vectors - vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    return centred @ axes[:2].T


def _share_within(vectors: NDArray[np.float64], owner: NDArray[np.int64]) -> float:
    """Share of the variance that is left when each sequence's mean is taken away."""
    means = np.stack([vectors[owner == number].mean(axis=0) for number in range(owner.max() + 1)])
    return float(((vectors - means[owner]) ** 2).sum() / ((vectors - vectors.mean(axis=0)) ** 2).sum())
