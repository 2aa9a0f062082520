"""CityGuessr on the simulated isles: the paper's ablation, city retrieval by VidTAG and GeoCLIP on the same split, probabilities, foreign videos, and cost."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vidtag_engine.atomic import write_text
from vidtag_engine.batch import compiled_folder
from vidtag_engine.calibration.levels import level_scores
from vidtag_engine.calibration.reliability import ece
from vidtag_engine.cli.terminal import progress_bar
from vidtag_engine.inference.city_guess import CityGuesser
from vidtag_engine.models.frame_encoder import build_frame_encoder
from vidtag_engine.models.vidtag import VidTAG
from vidtag_engine.training.city import train_city
from vidtag_engine.training.city_data import numbered
from vidtag_engine.training.city_settings import city_recipe
from vidtag_engine.training.city_trainer import labels_of_videos, scores_of
from vidtag_engine.types import LEVELS, FloatArray, IntArray, Progress, ProgressCallback

from .cityguessr_cost import guess_ratio, step_ratio
from .cityguessr_streets import no_aoi
from .cityguessr_world import DETAILS, CityWorld, city_world
from .isles_settings import BUDGETS, TRAINING_SEEDS, Budget
from .isles_world import RUNS, TEST_SPLITS, Drive, load_world, make_world, world_folder
from .tables.lab import Lab
from .tables.rows import GEOCLIP, VIDTAG
from .tables.runs import Run
from .tables.scores import paired_difference

TITLE = "CityGuessr on Phantom Isles (simulated): per cent of the test videos, means of three trainings"
PARTS = ("plain", "sca", "sca_text", "full")
SIZE = "cities"
# The paper's Table 3 on CityGuessr68k (city, state, country, continent), and a later preprint's under its own protocol: published, not measured here.
PUBLISHED = {
    "PlaNet": (55.8, 56.3, 60.8, 74.1), "ISNs": (59.5, 59.9, 64.1, 75.9), "GeoDecoder": (64.2, 64.5, 69.5, 79.9),
    "GeoReasoner": (38.5, 42.8, 64.4, 81.9), "Qwen2.5-VL": (55.1, 59.9, 78.2, 91.3), "OSV": (23.1, 33.5, 55.6, 78.1),
    "StreetCLIP": (55.6, 56.8, 69.7, 91.2), "GeoCLIP": (57.8, 60.5, 75.9, 90.8), "TimeSformer": (60.9, 61.4, 66.1, 78.4),
    "VideoMAE": (64.5, 64.5, 65.9, 74.4), "CityGuessr": (69.6, 70.2, 74.8, 83.8), "VidTAG": (94.9, 95.5, 96.8, 98.5), "GeoGAT (2026, own protocol)": (84.5,),
}  # fmt: skip
# Of the retrieval rows, so that each is trained to its end: validation chooses the step, and lies before the last ones.
_BUDGET = dataclasses.replace(BUDGETS["full"], phase1_steps=120, phase2_steps=0, validate_every=15)
_RETRIEVAL = {
    "geoclip": replace(GEOCLIP, target="cities", row="3_geoclip_ft"),
    "vidtag": replace(VIDTAG, target="cities", row="3_paper", refiner=None),
    "vidtag_unified": replace(VIDTAG, refiner=None),
}


def run(seed: int | str = 0, *, quick: bool = False, world: Path | None = None) -> dict[str, Any]:
    """Make the world of a seed if it is absent, train and evaluate.

    Args:
        seed: of the world; ``dev`` is the one for tuning.
        quick: one training seed, a smaller budget, and neither streets nor costs.
        world: a folder with a rendered world, instead of the benchmark's own.
    """
    folder = world or world_folder(str(seed), SIZE)
    if world is None:
        make_world(folder, str(seed), SIZE)
    seeds = TRAINING_SEEDS[:1] if quick else TRAINING_SEEDS
    budget = dataclasses.replace(_BUDGET, phase1_steps=60) if quick else _BUDGET
    with progress_bar() as bar:
        encoder = build_frame_encoder("vidtag-compact", compiled_folder=compiled_folder())
        isles = load_world(folder, encoder, bar)
        result: dict[str, Any] = {"simulated": True, "seed": str(seed), "training_seeds": len(seeds)}
        for number, detail in enumerate(DETAILS):
            told = _told(bar, 0.7 * number / 2, 0.7 * (number + 1) / 2, detail)
            suffix = "" if detail == "district" else f"_{detail}"
            result |= {f"{key}{suffix}": value for key, value in _detail(city_world(isles, detail), seeds, budget, told).items()}
            _so_far(folder, result)
        result |= foreign(city_world(isles, "district"), isles.isles if not quick else isles.isles[:4], _told(bar, 0.7, 0.8, "foreign"))
        _so_far(folder, result)
        if not quick:
            result |= guess_ratio() | step_ratio()
            _so_far(folder, result)
            result |= no_aoi(folder, isles, _told(bar, 0.8, 0.95, "streets"))
    return result | {"published": {name: list(row) for name, row in PUBLISHED.items()}}


def _so_far(folder: Path, result: dict[str, Any]) -> None:
    """What is measured already, for a run that is broken off."""
    write_text(folder / "cityguessr.json", json.dumps(result, indent=1))


def _told(bar: ProgressCallback, begin: float, end: float, stage: str) -> ProgressCallback:
    return lambda step: bar(Progress(begin + (end - begin) * step.fraction, stage, step.message or step.stage))


def _detail(world: CityWorld, seeds: Sequence[int], budget: Budget, told: ProgressCallback) -> dict[str, Any]:
    """Everything about one level of detail."""
    drives = world.test()
    truth = world.truth(drives)
    result: dict[str, Any] = {"cities": len(world.table), "train_videos": len(world.drives("train")), "test_videos": len(drives)}
    hits: dict[str, list[FloatArray]] = {}
    guessers: list[CityGuesser] = []
    for number, parts in enumerate(PARTS):
        each = [_train(world, parts, seed) for seed in seeds]
        told(Progress(0.5 * (number + 1) / len(PARTS), "train", parts))
        result |= _levels(parts, world, each)
        hits[parts] = [_right(world, guesser, truth) for guesser in each]
        guessers = each if parts == "full" else guessers
    for number, (name, run) in enumerate(_RETRIEVAL.items()):
        said = [_retrieved(world, replace(run, seed=seed), budget, drives) for seed in seeds]
        hits[name] = [(cities == truth).astype(np.float64) for cities in said]
        told(Progress(0.5 + 0.5 * (number + 1) / len(_RETRIEVAL), "train", name))
        for level, label in enumerate(LEVELS):
            found = [np.mean(world.table.chains[cities, level] == world.table.chains[truth, level]) for cities in said]
            result |= _mean(f"{name}_{label}_top1", [100.0 * float(value) for value in found])
    for better, worse in (("full", "plain"), ("vidtag", "full"), ("vidtag", "geoclip")):
        pairs = [[[np.array([100.0 * value]) for value in one] for one in hits[name]] for name in (worse, better)]
        result[f"{better}_minus_{worse}_city_top1"] = paired_difference(pairs[0], pairs[1]).to_dict()
    return result | _rated(world, guessers, drives, truth)


def _train(world: CityWorld, parts: str, seed: int, isles: Sequence[str] | None = None) -> CityGuesser:
    """A training with the default settings; the splits are the world's own."""
    settings = city_recipe("default", parts=parts, seed=seed)
    training, held = world.videos("train", isles=isles), world.videos("val", isles=isles)
    if isles is None:
        return train_city(training, held, world.table, None, settings).guesser
    part = city_world(replace(world.world, drives=tuple(drive for drive in world.world.drives if drive.isle in isles)), "district")
    return train_city(training, part.videos("val"), part.table, None, settings).guesser


def _levels(parts: str, world: CityWorld, each: Sequence[CityGuesser]) -> dict[str, Any]:
    """Top-1 of the ablation's row in all modes, the published one without a word for it, and top-5."""
    videos = numbered(world.videos(*TEST_SPLITS), world.table)
    labels = labels_of_videos(videos)
    result: dict[str, Any] = {}
    scores = [scores_of(guesser.net, videos) for guesser in each]
    for mode, word in (("codependent", ""), ("independent", "_independent"), ("product", "_product")):
        found = [level_scores(one, labels, world.table.hierarchy, mode) for one in scores]  # type: ignore[arg-type]
        for level in LEVELS:
            result |= _mean(f"{parts}{word}_{level}_top1", [one.top1[level] for one in found], interval=mode == "codependent")
        if mode == "codependent":
            for level in LEVELS[:2]:
                result |= _mean(f"{parts}_{level}_top5", [one.top5[level] for one in found], interval=False)
    return result


def _mean(name: str, values: Sequence[float], *, interval: bool = True) -> dict[str, float]:
    """Mean over the trainings, and half of its 95 % interval by Student's t."""
    from scipy.stats import t

    result = {name: round(float(np.mean(values)), 2)}
    if interval and len(values) > 1:
        half = float(t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
        result[f"{name}_half"] = round(half, 2)
    return result


def _right(world: CityWorld, guesser: CityGuesser, truth: IntArray) -> FloatArray:
    """(V,) 1 where the published answer's city is right: the best of the city's own head."""
    scores = scores_of(guesser.net, numbered(world.videos(*TEST_SPLITS), world.table))
    right: FloatArray = (scores[0].argmax(dim=1).numpy() == truth).astype(np.float64)
    return right


def _retrieved(world: CityWorld, run: Run, budget: Budget, drives: Sequence[Drive]) -> IntArray:
    """(V,) cities by retrieval over their centres: a video's answer is the mean of its frames' similarities (App. K)."""
    # What is trained on the frames' own places does not depend on what counts as a city.
    model, _ = Lab(world.world if run.target == "cities" else world.own, budget, RUNS).train(run)
    assert isinstance(model, VidTAG)
    features = [torch.from_numpy(np.asarray(drive.sequence.features[0], np.float32)) for drive in drives]
    with torch.inference_mode():
        centres = model.embed_locations(torch.from_numpy(world.table.lat_lon_deg))
        return np.array([int((model.embed_video(one) @ centres.T).mean(dim=0).argmax()) for one in features])


def _rated(world: CityWorld, guessers: Sequence[CityGuesser], drives: Sequence[Drive], truth: IntArray) -> dict[str, Any]:
    """How good the probabilities of ``full`` are, and how often the truth is among the first three."""
    eces, skills, thirds, warned = [], [], [], []
    shares = np.bincount(world.truth(world.drives("train")), minlength=len(world.table)).astype(float)
    base = shares / shares.sum()
    wanted = np.eye(len(world.table))[truth]
    for guesser in guessers:
        guesses = [guesser.guess(torch.from_numpy(np.asarray(one.sequence.features[0], np.float32))) for one in drives]
        said = np.exp(np.stack([one.log_probability for one in guesses]))
        order = np.argsort(-said, axis=1)
        thirds.append(float(np.mean((order[:, :3] == truth[:, None]).any(axis=1))))
        eces.append(ece(said.max(axis=1), order[:, 0] == truth))
        brier, prior = (np.square(one - wanted).sum(axis=1).mean() for one in (said, np.broadcast_to(base, said.shape)))
        skills.append(float(1.0 - brier / prior))
        warned.append(float(np.mean([bool(one.why) for one in guesses])))
    return {
        "top3_recall": round(float(np.mean(thirds)), 3), "ece_city": round(float(np.mean(eces)), 4), "ece_city_each": [round(one, 4) for one in eces],
        "brier_skill": round(float(np.mean(skills)), 3), "false_alarms": round(float(np.mean(warned)), 3),
    }  # fmt: skip


def foreign(world: CityWorld, isles: Sequence[str], told: ProgressCallback) -> dict[str, Any]:
    """Each isle held out in turn: how many of its drives are said to be of no known city, and of how many drives of known ones that is said wrongly."""
    flagged, alarms = {}, []
    for number, isle in enumerate(isles):
        others = [one for one in world.world.isles if one != isle]
        guesser = _train(world, "full", 0, others)
        of = functools.partial(world.world.of, *TEST_SPLITS)
        told_of = {
            name: [_warned(guesser, drive) for drive in of() if (drive.isle == isle) == (name == "away")] for name in ("away", "home")
        }
        flagged[isle] = round(float(np.mean(told_of["away"])), 3)
        alarms.append(float(np.mean(told_of["home"])))
        told(Progress((number + 1) / len(isles), "held out", isle))
    return {
        "foreign_flagged": round(float(np.mean(list(flagged.values()))), 3),
        "foreign_false_alarms": round(float(np.mean(alarms)), 3),
        "foreign_by_isle": flagged,
    }


def _warned(guesser: CityGuesser, drive: Drive) -> bool:
    return bool(guesser.guess(torch.from_numpy(np.asarray(drive.sequence.features[0], np.float32))).why)
