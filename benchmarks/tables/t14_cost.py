"""Table 14: multiply-adds, parameters, train and test time."""

from __future__ import annotations

import torch

from .bench import Bench
from .cost import backbone_cost, head_macs
from .lab import Gallery
from .rows import GEOCLIP, SHIPPED, VIDTAG
from .runs import Run
from .table import NAME, Column, Table

NUMBER = "14"
ROWS = {"GeoCLIP fine-tuned": GEOCLIP, "VidTAG as in the paper": VIDTAG, "ours, retrieval alone": SHIPPED}
COLUMNS = (
    NAME,
    Column("backbone_macs", "backbones, GMAC a frame", 2),
    Column("head_macs", "the rest, GMAC a frame", 3),
    Column("trained", "trained parameters, millions", 2),
    Column("frozen", "frozen parameters, millions", 2),
    Column("train_min", "training min", 1, "low"),
    Column("backbone_ms", "backbones, ms a frame", 1),
    Column("place_ms", "the rest, ms a frame", 2, "low"),
    Column("a1km", "1 km %", 1, "high"),
)


def runs(bench: Bench) -> list[Run]:  # noqa: ARG001
    return list(ROWS.values())


def make(bench: Bench) -> Table:
    rows, threads = [], set()
    points = bench.lab.grid(Gallery(), (), None).count
    for name, run in ROWS.items():
        model, training = bench.lab.train(run)
        threads.add(str(training.get("threads", "an unknown number")))
        placed = bench.lab.place(run)
        frames = sum(len(drive.sequence) for drive in placed.drives)
        backbones = backbone_cost(run.backbones, bench.lab.store)
        feature_dim = sum(width for backbone, width in bench.lab.world.backbones if backbone in run.backbones)
        rows.append(
            {
                "name": name,
                "backbone_macs": backbones["macs"] / 1e9,
                "head_macs": head_macs(model, feature_dim, points) / 1e9,
                "trained": sum(parameter.numel() for parameter in model.parameters()) / 1e6,
                "frozen": backbones["parameters"] / 1e6,
                "train_min": training["seconds"] / 60,
                "backbone_ms": 1000 * backbones["seconds"],
                "place_ms": 1000 * placed.seconds / frames,
                "a1km": placed.scores()["a1km"],
            }
        )
    notes = (
        f"{torch.get_num_threads()} threads; training has {' or '.join(sorted(threads))}, and other trainings beside it. Training is from stored features; the"
        f" gallery has {points:,} points whose embeddings are kept, and placing counts their embedding once over {frames:,} frames.",
    )
    return Table(NUMBER, "what it costs", COLUMNS, tuple(rows), notes)
