"""The paper's method beside its rivals, each row trained to its own end: rate and steps chosen on the dev world, the last step kept, as many trainings for each.

The rows' rates and steps lie in ``tables/paper_rows.json``; ``--sweep --world DEV`` chooses them by the accuracy within 1 km on that world's validation drives.
Whatever was trained or placed is read from the store: broken off, the same command goes on, within a training too, and several may work on different rows at once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vidtag_engine.batch import compiled_folder
from vidtag_engine.cli.terminal import progress_bar
from vidtag_engine.models.frame_encoder import build_frame_encoder
from vidtag_engine.training.start import remember
from vidtag_engine.types import FloatArray, InputError

from .code_digest import code_digest
from .isles_settings import OURS, PAPER, TRAINING_SEEDS, VALIDATION_RESOLUTION_M, Budget
from .isles_world import TEST_SPLITS, Drive, load_world, make_world, sequences_of, world_folder
from .paper_rows_figures import Answers, differences, figures, page
from .splits import splits_of
from .tables.lab import Gallery, Lab
from .tables.runs import Run
from .tables.shipped import lines
from .tables.store import Entry, NotStoredError
from .tables.train_retrieval import Kept
from .to_the_end import End, to_the_end

TITLE = "The paper's method and its rivals, each trained to its own end (simulated); a_r in % of the frames, lengths in km, means and 95 % intervals"
CHOSEN = Path(__file__).resolve().parent / "tables" / "paper_rows.json"
FIRST_STEPS = 300
MOST_STEPS = 4800
PHASE2_SHARE = 4  # Phase I may take so many times the steps of Phase II, as 600 epochs of 100 are not many more
VALIDATIONS = 10  # of a training
JUMPS = 0.2
_CODE = code_digest(
    *(f"vidtag_engine/models/{name}.py" for name in ("vidtag", "tempgeo", "georefiner", "location_encoder", "transformer")),
    *(f"vidtag_engine/training/{name}.py" for name in ("dataset", "losses", "noise", "start", "steps", "trainer")),
    "benchmarks/tables/train_retrieval.py",
    "benchmarks/baselines/geoclip_finetuned.py",
)

# What is trained. GeoCLIP is fine-tuned on frames drawn one by one: App. F.4's "all settings exactly same" is as many frames a step (512), or as many images as
# VidTAG has clips (32).
TRAINED: dict[str, Run] = {
    "paper": Run("paper", options=PAPER),
    "paper_fitted": Run("paper_fitted", options={**PAPER, "noise": "fitted"}),
    "paper_jumps": Run("paper_jumps", options={**PAPER, "noise_jumps": JUMPS}),
    "no_tempgeo": Run("no_tempgeo", options={**PAPER, "tempgeo_layers": 0}, refiner=None),
    "geoclip_ft_512": Run("geoclip_ft_512", method="geoclip", options=PAPER, refiner=None),
    "geoclip_ft_same_batch": Run("geoclip_ft_same_batch", method="geoclip", options={**PAPER, "clip_frames": 1}, refiner=None),
    "ours_alone": Run("ours_alone", options={**OURS, "keep": "last"}),
}
_PHASE1_OF = {"paper_fitted": "paper", "paper_jumps": "paper"}  # those that share another row's Phase I
# What is read off trainings, or needs none: ours decoded, with and without references; a frame's nearest training frame.
DECODED = {"shipped": "both", "networks_hmm": "networks", "references_hmm": "references"}
ROWS = ("paper", "paper_phase1", *list(TRAINED)[1:], "nearest_reference", *DECODED)
# How much more the second of two rows has.
DIFFERENCES = {
    "paper_minus_geoclip_ft_same_batch": ("geoclip_ft_same_batch", "paper"),
    "paper_minus_geoclip_ft_512": ("geoclip_ft_512", "paper"),
    "tempgeo_gain": ("no_tempgeo", "paper_phase1"),
    "georefiner_gain": ("paper_phase1", "paper"),
    "georefiner_gain_fitted": ("paper_phase1", "paper_fitted"),
    "georefiner_gain_jumps": ("paper_phase1", "paper_jumps"),
    "networks_gain": ("references_hmm", "shipped"),
    "references_gain": ("networks_hmm", "shipped"),
}
REFERENCE_ROW = "paper"  # whose share within 25 km the others are compared at


class NotChosenError(InputError):
    """A row's rate and steps were not chosen yet."""


def run(
    seed: int | str = 0,
    *,
    world: Path | None = None,
    rows: str | None = None,
    seeds: int | None = None,
    sweep: bool = False,
    most_steps: int = MOST_STEPS,
    partial: bool = False,
) -> dict[str, Any]:
    """Choose rates and steps, or train, place and compare.

    Args:
        seed: of the world, where none is given; made if it is absent.
        world: a folder with a rendered world.
        rows: some of ``ROWS``, with commas; None: all.
        seeds: trainings of a row: 3, or 1 of each rate while choosing.
        sweep: choose rates and steps on this world's validation drives, and write them beside the tables.
        most_steps: that a training's Phase I may take while choosing.
        partial: show what is stored by now, and train nothing.
    """
    wanted = _wanted(rows)
    folder = world or world_folder(str(seed), "full")
    if world is None:
        make_world(folder, str(seed), "full")
    encoder = build_frame_encoder("vidtag-compact", compiled_folder=compiled_folder(), layout=True)
    with progress_bar() as bar:
        isles = load_world(folder, encoder, bar, calibration=True)
        lab = Lab(isles, Budget(0, 0), folder / "paper_rows", bar, Kept(_CODE))
        if sweep:
            return {"chosen": {row: choose(lab, row, seeds or 1, most_steps).to_dict() for row in _to_sweep(wanted)}, "file": str(CHOSEN)}
        lab.kept = Kept(_CODE, weights=True, anew=not partial)
        return measure(lab, wanted, TRAINING_SEEDS if seeds is None else tuple(range(seeds)))


def _wanted(rows: str | None) -> tuple[str, ...]:
    names = tuple(rows.split(",")) if rows else ROWS
    if unknown := [name for name in names if name not in ROWS]:
        raise InputError(f"There is no row {unknown[0]!r}: give some of {', '.join(ROWS)}.")
    return names


# ---- choosing -----------------------------------------------------------------------------------------------------------------------------------------------


def _to_sweep(wanted: Sequence[str]) -> list[str]:
    """The phases that have to be chosen for some rows, first phases first; each is chosen once."""
    needed = {_trained_for(row) for row in wanted} - {None}
    first = {_PHASE1_OF.get(row, row) for row in needed if row}
    return [f"{row}.phase1" for row in TRAINED if row in first] + [
        f"{row}.phase2" for row in TRAINED if row in needed and TRAINED[row].refiner
    ]


def _trained_for(row: str) -> str | None:
    return "ours_alone" if row in DECODED else "paper" if row == "paper_phase1" else row if row in TRAINED else None


def choose(lab: Lab, phase: str, seeds: int, most_steps: int) -> End:
    """Rate and steps of a row's phase (``paper.phase1``) by the share within 1 km on validation drives at the last step, and written down."""
    row, which = phase.split(".")
    if which == "phase1":

        def score(rate: float, steps: int) -> float:
            return _accuracy(lab, phase, replace(TRAINED[row], refiner=None, rates=(rate, rate)), budget_of(steps, 0), seeds)

        end = to_the_end(score, FIRST_STEPS, most_steps)
    else:
        first = chosen_of(f"{_PHASE1_OF.get(row, row)}.phase1")

        def score(rate: float, steps: int) -> float:
            return _accuracy(lab, phase, replace(TRAINED[row], rates=(first["rate"], rate)), budget_of(first["steps"], steps), seeds)

        end = to_the_end(score, FIRST_STEPS // PHASE2_SHARE, most_steps // PHASE2_SHARE)
    known = json.loads(CHOSEN.read_text(encoding="utf-8")) if CHOSEN.is_file() else {}
    made = {**known, phase: {**end.to_dict(), "seeds": seeds, "world": lab.world.digest}}
    CHOSEN.write_text(json.dumps(made, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{phase}: rate {end.rate:g}, {end.steps} steps, {end.accuracy:.1f} % within 1 km of validation", flush=True)
    return end


def _accuracy(lab: Lab, name: str, trained: Run, budget: Budget, seeds: int) -> float:
    inside = lab.within(budget)
    found = [float(inside.train(replace(trained, seed=seed))[1]["accuracy"][-1]["a1km"]) for seed in range(seeds)]
    rates = trained.rates or (0.0, 0.0)
    print(
        f"  {name}: rates {rates[0]:g}, {rates[1]:g}, steps {budget.phase1_steps}, {budget.phase2_steps}: {np.mean(found):.2f} %",
        flush=True,
    )
    return float(np.mean(found))


def budget_of(phase1_steps: int, phase2_steps: int) -> Budget:
    """A row's budget; schedules are stretched over it, and each phase is validated as often."""
    return Budget(phase1_steps, phase2_steps, validate_every=max(1, (phase2_steps or phase1_steps) // VALIDATIONS))


def validation_gallery() -> Gallery:
    """What validation drives are looked for in while training."""
    return Gallery("grid", VALIDATION_RESOLUTION_M)


def chosen_of(phase: str) -> dict[str, Any]:
    """What was chosen for a row's phase. Raises NotChosenError where nothing was."""
    known = json.loads(CHOSEN.read_text(encoding="utf-8")) if CHOSEN.is_file() else {}
    if phase not in known:
        raise NotChosenError(f"Nothing was chosen for {phase} yet: run 'python -m benchmarks paper_rows --sweep --world DEV' first.")
    found: dict[str, Any] = known[phase]
    return found


def settled(row: str) -> tuple[Run, Budget]:
    """A trained row as it was chosen."""
    first = chosen_of(f"{_PHASE1_OF.get(row, row)}.phase1")
    second = chosen_of(f"{row}.phase2") if TRAINED[row].refiner else {"rate": first["rate"], "steps": 0}
    return replace(TRAINED[row], rates=(first["rate"], second["rate"])), budget_of(first["steps"], second["steps"])


# ---- measuring ----------------------------------------------------------------------------------------------------------------------------------------------


def measure(lab: Lab, wanted: Sequence[str], seeds: Sequence[int]) -> dict[str, Any]:
    """All figures of some rows; one that is not stored is left out and named, where the lab trains nothing anew."""
    drives = tuple(lab.world.of(*TEST_SPLITS))
    split = {name: one.split for name, one in splits_of(lab.world).items()}
    found: dict[str, Answers] = {}
    missing: list[str] = []
    for row in wanted:
        try:
            found[row] = Answers(drives, split, [_answers(lab, row, seed, drives) for seed in seeds])
            print(f"{row}: {_in_short(found[row])}", flush=True)
        except (NotStoredError, NotChosenError):
            if lab.kept is None or lab.kept.anew:
                raise
            missing.append(row)
    result: dict[str, Any] = {"simulated": True, "trainings": len(seeds), "rows": {row: figures(one) for row, one in found.items()}}
    result["differences"] = {
        name: differences(found[worse], found[better]) for name, (worse, better) in DIFFERENCES.items() if {worse, better} <= found.keys()
    }
    result["at_equal_a25km"] = _at_equal(lab, [row for row in found if row in TRAINED], seeds, drives, split)
    result["missing"] = missing
    print(page(result))
    return result


def _in_short(answers: Answers) -> str:
    return ", ".join(f"a{radius:g}km {np.concatenate(answers.within(radius)).mean():.1f} %" for radius in (0.5, 1.0, 25.0))


def _answers(lab: Lab, row: str, seed: int, drives: Sequence[Drive]) -> list[FloatArray]:
    """(T, 2) a test drive."""
    if row == "nearest_reference":
        return nearest_references(lab, drives)
    name = _trained_for(row)
    assert name is not None
    trained, budget = settled(name)
    inside = lab.within(budget)
    if row in DECODED:
        entry = lines(inside, seed, trained, DECODED[row])
        return np.split(entry.arrays["lines"], np.cumsum([len(drive.sequence) for drive in drives])[:-1])
    if row == "paper_phase1":
        return inside.place(replace(trained, seed=seed)).phase1
    return inside.place(replace(trained, seed=seed)).predicted


def nearest_references(lab: Lab, drives: Sequence[Drive]) -> list[FloatArray]:
    """Where each frame's most similar training frame was taken, by the descriptor that references are compared by; no network, no decoder, no seed."""
    layout = lab.world.drives[0].sequence.layout is not None
    specification = {
        "nearest_reference": _CODE,
        "world": lab.world.digest,
        "layout": layout,
        "drives": [one.sequence.name for one in drives],
    }
    entry = lab.store.get(specification)
    if entry is None:
        memory = remember(sequences_of(lab.world.of("train")), TRAINED["ours_alone"].settings(budget_of(FIRST_STEPS, 0)))
        found = [memory.in_context(torch.from_numpy(drive.sequence.seen)) @ memory.embeddings.T for drive in drives]
        entry = Entry({}, {"places": memory.places_deg[torch.cat([one.argmax(dim=1) for one in found]).numpy()]})
        lab.store.put(specification, entry)
    return np.split(entry.arrays["places"], np.cumsum([len(drive.sequence) for drive in drives])[:-1])


def _at_equal(lab: Lab, rows: Sequence[str], seeds: Sequence[int], drives: Sequence[Drive], split: dict[str, str]) -> dict[str, Any]:
    """Each row at the step whose share within 25 km on validation drives is nearest to the reference row's at its end.

    Rows differ in where on one trade-off they stand, the right isle against the right street. Steps are those of a row's last phase.
    """
    if REFERENCE_ROW not in rows:
        return {}
    reference, budget = settled(REFERENCE_ROW)
    target = np.mean([lab.within(budget).train(replace(reference, seed=seed))[1]["accuracy"][-1]["a25km"] for seed in seeds])
    found = {}
    for row in rows:
        trained, own = settled(row)
        inside, answers, steps = lab.within(own), [], []
        for seed in seeds:
            one = replace(trained, seed=seed)
            accuracy = inside.train(one)[1]["accuracy"]
            nearest = min(accuracy, key=lambda at: (abs(at["a25km"] - target), -at["step"]))
            steps.append(nearest["step"])
            answers.append(inside.place(one, step=None if nearest is accuracy[-1] else nearest["step"]).predicted)
        found[row] = {"steps": steps, **figures(Answers(tuple(drives), split, answers))}
    return {"validation_a25km": round(float(target), 2), **found}
