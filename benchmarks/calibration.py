"""Are probabilities and regions right? Test drives of a world that nothing was tuned on (simulated), by how their streets were driven in training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vidtag_engine.calibration.fit_decoder import truth_levels
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.inference import PosteriorDecoder, chances
from vidtag_engine.trajectory import RADII_M
from vidtag_engine.trajectory.regions import highest
from vidtag_engine.types import FrameState

from .by_split import Record, by_split
from .isles_paths import Paths, open_lab, open_paths
from .isles_settings import TRAINING_SEEDS
from .isles_world import TEST_SPLITS, Drive
from .splits import splits_of

TITLE = "Calibration by video and split: probabilities within radii, coverage and size of regions, isles (simulated)"


def run(seed: int | str = 0, *, quick: bool = False, world: Path | None = None, layout: bool = True) -> dict[str, Any]:
    """All test drives and three trainings, pooled; by split as `splits` has them.

    Every drive's posterior over all isles is counted, withheld or not, and beside it the answered ones; withheld is what is so over its own isle.

    Args:
        seed: of the world.
        quick: a small world and budget.
        world: a folder with a rendered world, instead of the benchmark's own.
        layout: remembered frames are also compared by what stands where in them.
    """
    lab, _ = open_lab(seed, quick=quick, world=world, layout=layout)
    split_of = splits_of(lab.world, *TEST_SPLITS)
    records = []
    for training_seed in TRAINING_SEEDS:
        paths = open_paths(lab, training_seed)
        everywhere, own = paths.solver(), paths.isle_solvers()
        records += [
            judged(paths, everywhere, own[drive.isle], drive, split_of[drive.sequence.name].split, training_seed)
            for drive in lab.world.of(*TEST_SPLITS)
        ]
    return {"simulated": True, "trainings": len(TRAINING_SEEDS), "calibration_drives": paths.calibration.videos, **by_split(records)}


def judged(paths: Paths, everywhere: PosteriorDecoder, own: PosteriorDecoder, drive: Drive, split: str, training_seed: int) -> Record:
    """A drive's answer beside its truth."""
    seen = paths.seen(drive)
    video, mine = everywhere.read(seen), own.read(seen)
    truth, time_s = drive.sequence.lat_lon_deg, drive.sequence.time_s
    decoded = everywhere.decode(video, time_s)
    margin, recognised = everywhere.standing(video, decoded)
    line, decoder = decoded.lat_lon_deg, everywhere.decoder
    said = chances(decoder, decoded, line, everywhere.path, RADII_M, margin, recognised)
    level50, level90 = everywhere.path.levels(recognised)
    truths = truth_levels(decoder, decoded.marginal, truth)
    share = decoded.marginal[len(truth) // 2].data.astype(np.float64)
    count = len(decoder.points_m) if level90 >= 1.0 else int(highest(share, [level90]).sum())
    state = own.judge(mine, own.decode(mine, time_s).lat_lon_deg).state
    return Record(
        drive=drive.sequence.name,
        seed=training_seed,
        split=split,
        chances=said,
        error_m=haversine_m(*line.T, *truth.T),
        covered50=float(np.mean(truths <= level50)),
        covered90=float(np.mean(truths <= level90)),
        region_km2=count * decoder.spacing_m**2 / 1e6,
        withheld=state is not FrameState.LOCATED,
        state=state.value,
    )
