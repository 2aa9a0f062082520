"""How figures of the benchmarks are split and counted: by geometry that is known, and by samples whose truth is."""

import dataclasses
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from benchmarks.by_split import Record, beside, by_split, figures, load_records, save_records
from benchmarks.counting import coverage_of, debiased_ece, ece_difference, interval_of_mean, paired_difference, said_wrong
from benchmarks.splits import splits_of
from tests.isles_maker import Maker
from vidtag_engine.evaluation.ways import NEVER_DRIVEN, SAME_WAY, WAYS


def test_drives_of_a_world_are_split_by_its_training_drives_alone() -> None:
    world = Maker(half_m=400.0).world()
    first = world.of("train")[0]
    again = dataclasses.replace(first, split="test", sequence=dataclasses.replace(first.sequence, name="again"))
    val = world.of("val")[0]
    away = np.array([[10.0, 10.0], [10.001, 10.0]])
    lonely = dataclasses.replace(val, sequence=dataclasses.replace(val.sequence.part(0, 2), name="lonely", lat_lon_deg=away))
    same = dataclasses.replace(lonely, split="test", sequence=dataclasses.replace(lonely.sequence, name="same"))
    world = dataclasses.replace(world, drives=(*world.drives, again, lonely, same))
    found = splits_of(world)
    assert set(found) == {drive.sequence.name for drive in world.of("test", "test_unseen")}
    assert found["again"].split == SAME_WAY
    assert found["same"].split == NEVER_DRIVEN  # a validation drive went there, but no training drive
    assert all(one.split in WAYS and len(one.frames) for one in found.values())


# ---- counting -----------------------------------------------------------------------------------------------------------------------------------------------


def sample(rng: np.random.Generator, *, drives: int = 80, frames: int = 10, together: float = 0.0, too_sure: float = 0.0):
    """Chances, outcomes and drives; ``together``: correlation of a drive's latent luck; ``too_sure``: how much chances exceed rates."""
    chance = np.clip(rng.uniform(0.25, 0.9, (drives, 1)) + rng.normal(0, 0.05, (drives, frames)), 0.2, 0.95)
    luck = np.sqrt(together) * rng.normal(size=(drives, 1)) + np.sqrt(1 - together) * rng.normal(size=(drives, frames))
    return chance.ravel(), (norm.cdf(luck) < chance - too_sure).ravel(), np.repeat(np.arange(drives), frames)


def plain_ece(chances: np.ndarray, right: np.ndarray) -> float:
    bins = np.array_split(np.argsort(chances), 10)
    return sum(len(b) / len(chances) * abs(chances[b].mean() - right[b].mean()) for b in bins)


def test_ece_takes_off_about_what_sampling_adds_and_no_more() -> None:
    rng = np.random.default_rng(1)
    found = {}
    for together in (0.0, 0.8):
        for too_sure in (0.0, 0.1):
            each = [sample(rng, together=together, too_sure=too_sure) for _ in range(40)]
            found[together, too_sure] = np.mean([[plain_ece(p, r), debiased_ece(p, r), debiased_ece(p, r, d)] for p, r, d in each], axis=0)
    for (together, too_sure), (plain, by_frame, by_drive) in found.items():
        assert by_drive > too_sure - 0.015
        assert abs(by_drive - too_sure) <= abs(plain - too_sure) + 0.005
        if not too_sure:
            assert by_drive < 0.75 * plain
        # Independent frames may be counted as such; those that go together may not.
        assert abs(by_frame - by_drive) < 0.01 if not together else by_frame > by_drive


def test_ece_is_the_gap_where_there_is_much_to_go_by_and_counts_ties_together() -> None:
    rng = np.random.default_rng(2)
    right = rng.random(20_000) < 0.5
    assert debiased_ece(np.full(20_000, 0.8), right) == pytest.approx(0.8 - right.mean(), abs=1e-4)
    # Sorted by outcome, bins that cut through the ties would hold only right or only wrong frames.
    assert debiased_ece(np.full(20_000, right.mean()), np.sort(right)) < 0.003
    assert np.isnan(debiased_ece([np.nan], [True]))
    assert debiased_ece([np.nan, 0.5, 0.5], [True, True, False]) == debiased_ece([0.5, 0.5], [True, False])


def test_ece_as_published_agrees_with_drawing() -> None:
    chances, right, _ = sample(np.random.default_rng(3), drives=30, too_sure=0.05)
    rng, plugin, drawn = np.random.default_rng(4), 0.0, 0.0
    order = np.argsort(chances)
    for here in np.array_split(order, 10):
        said, share = chances[here].mean(), right[here].mean()
        normal = rng.normal(share, np.sqrt(share * (1 - share) / len(here)), 200_000)
        plugin += abs(said - share) / 10
        drawn += np.abs(said - normal).mean() / 10
    assert debiased_ece(chances, right) == pytest.approx(max(0.0, 2 * plugin - drawn), abs=5e-4)


def test_intervals_hold_the_truth_as_often_as_they_say_where_frames_go_together() -> None:
    rng, held, narrow = np.random.default_rng(5), 0, 0
    for _ in range(150):
        means = rng.normal(0.5, 0.2, 40)
        values = (means[:, None] + rng.normal(0, 0.05, (40, 10))).ravel()
        found = interval_of_mean(values, np.repeat(np.arange(40), 10), draws=400)
        held += found.low <= 0.5 <= found.high
        narrow += abs(values.mean() - 0.5) <= 1.96 * values.std() / 20
    assert 0.88 <= held / 150 <= 0.99
    assert narrow / 150 < 0.7  # what counting frames alone would have given


def test_trainings_differ_too() -> None:
    names = np.tile([f"drive {n}" for n in range(50)], 3)
    seeds = np.repeat([0, 1, 2], 50)
    values = seeds * 0.1 + np.random.default_rng(6).normal(0, 0.01, 150)
    assert np.diff(interval_of_mean(values, names).to_list()) < 0.02
    assert np.diff(interval_of_mean(values, names, seeds).to_list()) > 0.1


def test_a_paired_difference_is_surer_than_its_parts_and_weights_stand_for_frames() -> None:
    rng = np.random.default_rng(7)
    first = rng.uniform(0, 1, 60)
    second = first + 0.05 + rng.normal(0, 0.01, 60)
    found = paired_difference(first, second, np.arange(60))
    assert 0.045 < found.low < found.mean < found.high < 0.055
    assert np.diff(interval_of_mean(second, np.arange(60)).to_list()) > 0.1
    assert paired_difference(second, first, np.arange(60)).mean == pytest.approx(-found.mean)
    assert interval_of_mean([1.0, 0.0], ["a", "b"], weights=[3.0, 1.0]).mean == 0.75
    assert interval_of_mean([1.0, np.nan], ["a", "b"]).to_dict() == {"mean": 1.0, "low": 1.0, "high": 1.0}


def test_the_difference_of_two_eces_says_which_is_worse() -> None:
    chances, right, drives = sample(np.random.default_rng(8), drives=200, together=0.3)
    worse = np.clip(chances + 0.15, 0, 1)
    found = ece_difference((chances, right), (worse, right), drives, draws=100)
    assert 0.05 < found.low < found.mean < found.high < 0.2
    same = ece_difference((chances, right), (chances, right), drives, draws=20)
    assert same.low == same.mean == same.high == 0.0


def test_what_was_said_is_counted_by_frame_and_bounded_by_video() -> None:
    drives = np.repeat([f"drive {n}" for n in range(40)], 10)
    chances = np.where(np.arange(400) % 10 < 5, 0.8, 0.79)
    right = np.ones(400, dtype=bool)
    none = said_wrong(chances, right, drives)
    assert (none.wrong, none.frames, none.drives, none.runs, none.right, none.judged) == (0.0, 200, 40, 40, 200, True)
    assert none.upper == pytest.approx(1 - 0.05 ** (1 / 40))  # the exact binomial bound of none wrong in 40
    whole = right.copy()
    whole[:80] = False  # eight whole drives
    each = right.copy()
    each[np.arange(400) % 10 == 0] = False  # as many frames, one of every drive
    together, spread = said_wrong(chances, whole, drives), said_wrong(chances, each, drives)
    assert together.wrong == spread.wrong == 0.2
    assert together.upper > 0.28 > spread.upper + 0.05
    few = said_wrong(chances[:200], right[:200], drives[:200])
    assert (few.drives, few.judged) == (20, False)
    nothing = said_wrong([0.1, np.nan], [True, True], ["a", "b"])
    assert np.isnan(nothing.wrong)
    assert (nothing.frames, nothing.right, nothing.upper, nothing.judged) == (0, 0, 1.0, False)


def test_videos_are_not_more_for_having_been_asked_by_three_trainings() -> None:
    drives, seeds = np.tile(np.repeat(np.arange(12), 10), 3), np.repeat([0, 1, 2], 120)
    right = drives != 0
    thrice = said_wrong(np.ones(360), right, drives, seed_ids=seeds)
    once = said_wrong(np.ones(120), right[:120], drives[:120])
    assert (thrice.drives, thrice.runs) == (12, 36)
    assert thrice.upper == pytest.approx(once.upper, abs=0.02)


@pytest.mark.parametrize(("share", "meets"), [(0.9, True), (0.97, False), (0.7, False), (0.84, True)])
def test_coverage_is_right_where_its_interval_meets_the_wanted_one(share: float, meets: bool) -> None:
    covered = np.random.default_rng(9).binomial(10, share, 150) / 10
    interval, found = coverage_of(covered, np.arange(150) % 100)
    assert found is meets
    assert interval.low < covered.mean() < interval.high


# ---- by split -----------------------------------------------------------------------------------------------------------------------------------------------


def records() -> list[Record]:
    rng, made = np.random.default_rng(10), []
    for seed in (0, 1, 2):
        for number in range(40):
            split = SAME_WAY if number < 30 else NEVER_DRIVEN
            said = 0.9 if number < 20 else 0.4
            error_m = np.where(rng.random(10) < said, 20.0, 5000.0)
            withheld = number % 10 == 9
            made.append(
                Record(
                    f"drive {number}", seed, split, np.full((10, 4), said), error_m, 0.5, 0.9, 1.0 + number, withheld,
                    "unfamiliar" if withheld else "answered",
                )
            )  # fmt: skip
    return made


def test_figures_by_split_count_every_drive_and_the_answered_beside_them() -> None:
    found = by_split(records(), draws=200)
    assert list(found) == ["all", SAME_WAY, NEVER_DRIVEN]
    everything, same = found["all"], found[SAME_WAY]
    assert (everything["drives"], everything["drive_runs"], everything["frames"]) == (40, 120, 1200)
    assert everything["kept"] == 0.9
    assert everything["kept_interval"][0] < 0.9 < everything["kept_interval"][1]
    assert everything["states"] == {"answered": 108, "unfamiliar": 12}
    assert everything["said80_count_500m"] == 600
    assert everything["said80_right_500m"] + round(600 * everything["said80_wrong_500m"]) == 600
    assert everything["said80_drive_runs_500m"] == 60
    assert everything["said80_judged_500m"]
    assert everything["answered"]["said80_count_500m"] == 540
    assert everything["answered"]["drive_runs"] == 108
    assert everything["ece_max"] == max(everything["ece_by_radius"].values()) < 0.05
    assert (everything["coverage_90"], everything["coverage_90_meets"]) == (0.9, True)
    assert (everything["region_median_km2"], same["region_median_km2"]) == (20.5, 15.5)
    never = found[NEVER_DRIVEN]
    assert (never["said80_count_500m"], never["said80_wrong_500m"], never["said80_judged_500m"]) == (0, None, False)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_a_drive_without_probability_is_counted_as_such_and_in_no_share() -> None:
    made = records()
    mute = [
        dataclasses.replace(one, chances=np.full((10, 4), np.nan), covered90=np.nan, region_km2=np.nan, withheld=True, state="cannot tell")
        for one in made
    ]
    one = figures(mute, draws=20)
    assert (one["rated"], one["kept"], one["ece_max"], one["coverage_90"], one["region_median_km2"]) == (0, 0.0, None, None, None)
    assert one["answered"]["drives"] == 0
    half, whole = figures([*made[:60], *mute[60:]], draws=20), figures(made[:60], draws=20)
    for key in ("ece_by_radius", "said80_wrong_100m", "coverage_90", "region_median_km2"):
        assert half[key] == whole[key]


def test_two_builds_are_set_beside_each_other() -> None:
    today = by_split(records(), draws=20)
    narrow = [dataclasses.replace(one, region_km2=one.region_km2 / 2, chances=one.chances - 0.2 * (one.seed == 0)) for one in records()]
    found = beside(by_split(narrow, draws=20), today)
    assert list(found) == ["all", SAME_WAY, NEVER_DRIVEN]
    assert found["all"]["region_ratio"] == 0.5
    assert found["all"]["said80_share_500m"] == pytest.approx(400 / today["all"]["said80_right_500m"], abs=1e-3)
    assert found[NEVER_DRIVEN]["said80_share_500m"] is None


def test_records_are_kept_whole(tmp_path: Path) -> None:
    made = [*records()[:3], dataclasses.replace(records()[0], chances=np.full((10, 4), np.nan), covered90=float("nan"))]
    save_records(made, tmp_path / "records.json")
    again = load_records(tmp_path / "records.json")
    for one, other in zip(made, again, strict=True):
        assert one.drive == other.drive
        assert np.array_equal(one.chances, other.chances, equal_nan=True)
        assert np.array_equal(one.error_m, other.error_m)
    assert json.dumps(by_split(made, draws=20)) == json.dumps(by_split(again, draws=20))
    assert all(a.seed == b.seed for a, b in pairwise(again[:3]))
