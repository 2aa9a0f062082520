"""Rows that are trained to their own end, on a world of made features: rates are bracketed, budgets doubled, and nothing is done twice."""

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import paper_rows
from benchmarks.isles_settings import Budget
from benchmarks.isles_world import TEST_SPLITS
from benchmarks.paper_rows_figures import Answers, differences, figures
from benchmarks.tables.lab import Lab
from benchmarks.tables.scores import scores
from benchmarks.tables.train_retrieval import Kept
from benchmarks.to_the_end import RATES, rate_at, to_the_end
from tests.isles_maker import Maker
from vidtag_engine.types import CancelledError

SMALL = Maker(half_m=500.0, frames=6, drives=(("train", 6), ("val", 2), ("test", 3), ("test_unseen", 1)))


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setattr(paper_rows, "CHOSEN", tmp_path / "chosen.json")
    monkeypatch.setattr(paper_rows, "FIRST_STEPS", 4)
    for name, run in paper_rows.TRAINED.items():
        monkeypatch.setitem(paper_rows.TRAINED, name, dataclasses.replace(run, options={"negatives": 4, **run.options}))
    return Lab(SMALL.world(), Budget(0, 0), tmp_path / "runs", kept=Kept("code", weights=True))


# ---- rates and steps ----------------------------------------------------------------------------------------------------------------------------------------


def test_rates_are_a_factor_of_three_apart() -> None:
    assert [rate_at(number) for number in RATES] == [3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2]


@given(st.integers(-11, -2), st.floats(200, 60_000), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_the_best_rate_and_the_first_budget_that_is_enough_are_found(best: int, slow: float, drift: int) -> None:
    """Of an accuracy with one peak, whose rate falls by ``drift`` grid steps from 300 steps to 4,800, all that was promised holds, checked against all trainings."""
    asked = []

    def accuracy(rate: float, steps: int) -> float:
        asked.append((rate, steps))
        peak = best - drift * math.log2(steps / 300) / 4
        return 60.0 * math.exp(-slow / steps / 10) - 2.0 * abs(2 * math.log10(rate) - peak)

    end = to_the_end(accuracy, 300, 4800)
    assert len(asked) == len(set(asked)) == len(end.tried), "nothing is trained twice"
    assert end.bracketed
    tried = {(one["rate"], one["steps"]): one["accuracy"] for one in end.tried}
    neighbours = [rate_at(number + side) for number in range(-16, 2) if rate_at(number) == end.rate for side in (-1, 1)]
    assert all(tried[rate, end.steps] <= end.accuracy for rate in neighbours)
    assert tried[end.rate, end.steps] == end.accuracy
    if end.enough:
        assert tried[end.rate, 2 * end.steps] < end.accuracy + 1.0
    else:
        assert end.steps == 4800


def test_a_budget_that_ends_before_is_said() -> None:
    end = to_the_end(lambda rate, steps: steps / 100 - abs(math.log(rate / 1e-3)), 300, 1000)
    assert (end.steps, end.enough, end.rate) == (600, False, 1e-3)
    unending = to_the_end(lambda rate, steps: rate * steps, 300, 300)
    assert not unending.bracketed


# ---- trainings ----------------------------------------------------------------------------------------------------------------------------------------------


def test_rows_differ_in_what_they_are_named_for() -> None:
    made = {name: run.settings(paper_rows.budget_of(100, 25)) for name, run in paper_rows.TRAINED.items()}
    assert {name: one.phase1.batch_clips * one.clip_frames for name, one in made.items()} == {
        **dict.fromkeys(made, 512),
        "geoclip_ft_same_batch": 32,
    }
    assert {one.keep for one in made.values()} == {"last"}
    assert [made[name].tempgeo_layers for name in ("paper", "no_tempgeo", "geoclip_ft_512")] == [2, 0, 0]
    assert (made["paper"].noise, made["paper_fitted"].noise, made["paper"].noise_jumps, made["paper_jumps"].noise_jumps) == (
        "paper",
        "fitted",
        0.0,
        paper_rows.JUMPS,
    )
    assert made["paper"].weight_of_negatives == 2.5


@pytest.mark.slow
def test_what_was_chosen_is_written_and_taken(lab: Lab) -> None:
    end = paper_rows.choose(lab, "no_tempgeo.phase1", 1, 8)
    known = json.loads(paper_rows.CHOSEN.read_text())
    assert (known["no_tempgeo.phase1"]["rate"], known["no_tempgeo.phase1"]["steps"]) == (end.rate, end.steps)
    run, budget = paper_rows.settled("no_tempgeo")
    chosen = run.settings(budget)
    assert (chosen.phase1.learning_rate, chosen.phase1.steps) == (end.rate, end.steps)
    # The schedule is stretched with the budget: it ends as low as the paper's after its 600 epochs.
    assert chosen.phase1.decay**chosen.phase1.steps == pytest.approx(0.99**600)
    accuracy = lab.within(budget).train(run)[1]["accuracy"]
    assert accuracy[-1]["step"] == end.steps
    assert accuracy[-1]["a1km"] == pytest.approx(end.accuracy, abs=0.001)


def _chosen(lab: Lab, steps: int = 4) -> None:
    phases = [f"{row}.{phase}" for row in paper_rows.TRAINED for phase in ("phase1", "phase2")]
    paper_rows.CHOSEN.write_text(json.dumps({phase: {"rate": 1e-3, "steps": steps} for phase in phases}))
    assert lab.world.of("val")


def test_a_broken_off_training_goes_on_and_ends_the_same(lab: Lab, tmp_path: Path) -> None:
    _chosen(lab)
    run, budget = paper_rows.settled("no_tempgeo")
    whole, _ = lab.within(budget).train(run)
    other = Lab(lab.world, budget, tmp_path / "again", kept=lab.kept)
    seen = []

    def stop(_: object) -> None:
        seen.append(1)
        if len(seen) == 3:
            raise CancelledError("stop")

    other.progress = stop
    with pytest.raises(CancelledError):
        other.train(run)
    assert list((tmp_path / "again" / "under_way").glob("*/*.json"))
    other.progress = lambda _: seen.append(2)
    resumed, took = other.train(run)
    assert seen.count(2) < 4, "not from the start"
    assert [one["step"] for one in took["accuracy"]] == [1, 2, 3, 4]
    assert all((a == b).all() for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True))
    assert not list((tmp_path / "again" / "under_way").glob("*"))


def test_the_weights_of_a_validation_are_those_that_gave_its_accuracy(lab: Lab) -> None:
    _chosen(lab)
    run, budget = paper_rows.settled("geoclip_ft_same_batch")
    inside = lab.within(budget)
    for at in inside.train(run)[1]["accuracy"]:
        model, _ = inside.train(run, step=at["step"])
        placed = inside.place(run, paper_rows.validation_gallery(), splits=("val",), step=at["step"])
        assert placed.scores()["a25km"] == pytest.approx(at["a25km"], abs=1e-6)
        assert not model.training


@pytest.mark.slow
def test_all_rows_are_measured_once(lab: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _chosen(lab)
    lab.kept = Kept("code", weights=True, anew=False)
    nothing = paper_rows.measure(lab, paper_rows.ROWS, (0, 1))
    assert nothing["missing"] == [row for row in paper_rows.ROWS if row != "nearest_reference"]
    lab.kept = Kept("code", weights=True)
    rows = [row for row in paper_rows.ROWS if row not in {*paper_rows.DECODED, "nearest_reference"}]
    once = paper_rows.measure(lab, rows, (0, 1))
    assert not once["missing"]
    assert set(once["rows"]) == set(rows)
    assert {"tempgeo_gain", "georefiner_gain", "georefiner_gain_fitted", "georefiner_gain_jumps"} < set(once["differences"])
    paper, first = (once["rows"][row]["all"]["a5km"][0] for row in ("paper", "paper_phase1"))
    assert once["differences"]["georefiner_gain"]["all"]["a5km"][0] == pytest.approx(paper - first, abs=0.002)
    assert set(once["at_equal_a25km"]) == {"validation_a25km", *(set(rows) - {"paper_phase1"})}

    def never(*_: object, **__: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr("benchmarks.tables.train_retrieval.Trainer", never)
    monkeypatch.setattr("benchmarks.tables.lab.retrieve", never)
    assert paper_rows.measure(lab, rows, (0, 1)) == once
    assert "difference, dfd_km" in capsys.readouterr().out


@pytest.mark.slow
def test_decoded_rows_read_what_they_are_named_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper_rows, "CHOSEN", tmp_path / "chosen.json")
    world = Maker(half_m=500.0, frames=8, drives=(("train", 8), ("val", 4), ("test", 3), ("test_unseen", 1))).world()
    lab = Lab(world, Budget(0, 0), tmp_path / "runs", kept=Kept("code"))
    _chosen(lab, 40)
    drives = world.of(*TEST_SPLITS)
    lines = {row: np.concatenate(paper_rows._answers(lab, row, 0, drives)) for row in paper_rows.DECODED}
    assert all(np.isfinite(one).all() for one in lines.values())
    assert not np.array_equal(lines["networks_hmm"], lines["references_hmm"])
    # What knows no network does not change with its training.
    _chosen(lab, 20)
    again = {row: np.concatenate(paper_rows._answers(lab, row, 0, drives)) for row in paper_rows.DECODED}
    assert np.array_equal(lines["references_hmm"], again["references_hmm"])
    assert not np.array_equal(lines["networks_hmm"], again["networks_hmm"])


# ---- figures ------------------------------------------------------------------------------------------------------------------------------------------------


def test_figures_are_the_papers_and_differences_are_paired() -> None:
    drives = tuple(SMALL.world().of(*TEST_SPLITS))
    rng = np.random.default_rng(0)
    places = [[drive.sequence.lat_lon_deg + rng.normal(0, size, (len(drive.sequence), 2)) for drive in drives] for size in (0.01, 0.03)]
    split = {drive.sequence.name: "never_driven" if drive.split == "test_unseen" else "same_way" for drive in drives}
    found = figures(Answers(drives, split, places))
    each = [scores(drives, one) for one in places]
    for name, long in (("a05km", "a0.5km"), ("a1km", "a1km"), ("a25km", "a25km"), ("dfd_km", "dfd_km"), ("mrd_km", "mrd_km")):
        assert found["all"][name][0] == pytest.approx(np.mean([one[long] for one in each]), rel=1e-3, abs=1e-3), name
        assert found["all"][name][1] <= found["all"][name][0] <= found["all"][name][2]
    assert found["same_way"]["drives"] + found["never_driven"]["drives"] == len(drives)
    assert set(found) == {"all", "same_way", "never_driven"}
    one = Answers(drives, split, places[:1])
    assert figures(one)["all"]["median_km"][0] == pytest.approx(each[0]["median_km"], abs=1e-3)
    same = differences(one, one)
    assert same["all"]["a1km"] == [0.0, 0.0, 0.0]
    gained = differences(Answers(drives, split, places[1:]), one)["all"]["a1km"]
    assert gained[0] == pytest.approx(each[0]["a1km"] - each[1]["a1km"], abs=1e-3)
