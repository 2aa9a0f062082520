"""The isles benchmark and the tables over a world of made features: what is equal between rows is equal, and nothing is done twice."""

import dataclasses
import functools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from benchmarks import isles, isles_settings
from benchmarks.__main__ import main as benchmarks_main
from benchmarks.isles_settings import BUDGETS, OURS, PAPER, Budget, settings_for
from benchmarks.isles_world import SWAPPED_NAMES, Drive, box_around, centres_grid, city_number, load_world, sequences_of
from benchmarks.tables import command, f12_errors, lab, page, rows, sweep, t03_cities, t04_ablation
from benchmarks.tables.bench import Bench
from benchmarks.tables.data import RunData
from benchmarks.tables.estimate import core_seconds, minutes
from benchmarks.tables.lab import Gallery, Lab
from benchmarks.tables.registry import TABLES, chosen
from benchmarks.tables.runs import Run
from benchmarks.tables.scores import mean_scores, paired_difference, scores, within
from benchmarks.tables.side_by_side import side_by_side
from benchmarks.tables.store import Entry, Store
from benchmarks.tables.table import Column, Table
from tests.isles_maker import Maker
from tests.world_maker import fly, ground
from vidtag_engine.geodesy import geodesic_m, haversine_m
from vidtag_engine.models.vidtag import VidTAG
from vidtag_engine.training.steps import learning_rate, phase1_loss
from vidtag_engine.training.trainer import Trainer
from vidtag_engine.types import InputError

SMALL = Maker(half_m=500.0, frames=6, drives=(("train", 6), ("val", 2), ("test", 3), ("test_unseen", 1)))
TINY = Budget(2, 2, batch_clips=2, clip_frames=4, validate_every=2)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    world = SMALL.world()
    swapped = dataclasses.replace(world, digest="swapped", backbones=tuple((name, 160) for name in SWAPPED_NAMES))
    made = command.bench_over(world, lambda: swapped, TINY, tmp_path / "pictures", tmp_path / "runs", quick=True)
    return dataclasses.replace(made, seeds=(0, 1))


# ---- the world ----------------------------------------------------------------------------------------------------------------------------------------------


def test_backbones_are_columns_normalised_anew() -> None:
    world = SMALL.world()
    first = world.with_backbones(("efficientnet-lite0",))
    whole, part = world.drives[0].sequence.features, first.drives[0].sequence.features
    assert part.shape[-1] == 160
    assert np.linalg.norm(part, axis=-1) == pytest.approx(1.0, abs=1e-6)
    assert part[0, 0] / part[0, 0, 0] == pytest.approx(whole[0, 0, :160] / whole[0, 0, 0], rel=1e-4)
    assert world.with_backbones(tuple(name for name, _ in world.backbones)) is world
    with pytest.raises(InputError, match="efficientnet-lite0"):
        world.with_backbones(("clip-vit-l14",))


def test_a_box_may_cross_the_antimeridian_and_holds_all_places() -> None:
    places = np.array([[-19.0, 179.98], [-19.02, -179.97]])
    area = box_around(places)
    assert area.area_m2 == pytest.approx((0.02 + 0.02) * 110_700 * (0.05 + 0.02) * 111_320 * np.cos(np.radians(19)), rel=0.01)


def test_cities_are_centroids_of_training_places_and_every_drive_is_nearest_to_its_own() -> None:
    world = Maker().world()
    cities = world.cities()
    assert len(cities) == 6
    assert centres_grid(cities).count == 6
    for city in cities:
        places = np.concatenate([d.sequence.lat_lon_deg for d in world.of("train") if d.labels == city.labels])
        assert city.lat_deg == pytest.approx(places[:, 0].mean(), abs=1e-4)
    said = city_number(np.array([[c.lat_deg, c.lon_deg] for c in cities]), cities)
    assert said.tolist() == list(range(6))


class FakeEncoder:
    """Mean colours instead of a network."""

    backbone_names = ("efficientnet-lite0", "efficientnet-lite2")
    weights_source = {"efficientnet-lite0": "fake", "efficientnet-lite2": "fake"}  # noqa: RUF012
    feature_dim, layout_dim, local = 2560, 0, None

    def preprocess(self, image: NDArray) -> NDArray:
        return image

    def encode_prepared(self, images: object, feedback: object = None) -> object:
        for image in images:  # type: ignore[attr-defined]
            means = image.reshape(-1, 3).mean(axis=0)
            yield np.resize(means / np.linalg.norm(means) / np.sqrt(2560 / 3), 2560)[None].astype(np.float32)


def test_a_rendered_world_is_read_as_it_was_written(tmp_path: Path) -> None:
    picture = ground()
    truth = {}
    drives = []
    for number, split in enumerate(("train", "val", "test", "test_unseen")):
        (tmp_path / split).mkdir()
        truth[split] = fly(tmp_path / split / "a.mp4", [(50 + number, 60), (300, 200)], 6, world=picture)
        places = {"city": "Kellett", "state": "Plover Land", "country": "Polar Commons", "continent": "Arctic"}
        files = {"video": f"{split}/a.mp4", "truth": f"{split}/a.gpx"}
        drives.append({"name": f"a-{split}", "split": split, "isle": "plover", "scenes": [1 / 16] * 16, **places, **files})
    (tmp_path / "world.json").write_text(json.dumps({"drives": drives, "scenes": [f"s{n}" for n in range(16)]}))
    ring = [[159.92, -19.23], [159.94, -19.23], [159.94, -19.21], [159.92, -19.21], [159.92, -19.23]]
    feature = {"type": "Feature", "properties": {"name": "plover"}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    (tmp_path / "aoi.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    world = load_world(tmp_path, FakeEncoder())  # type: ignore[arg-type]
    assert [d.split for d in world.drives] == ["train", "val", "test", "test_unseen"]
    for drive in world.drives:
        assert drive.sequence.lat_lon_deg == pytest.approx(truth[drive.split], abs=1e-6)
        assert drive.labels.city == "Kellett"
    assert world.areas["plover"].area_m2 == pytest.approx(0.02 * 110_700 * 0.02 * 111_320 * np.cos(np.radians(19.22)), rel=0.01)
    assert world.scene_groups == (tuple(range(16)),)
    with pytest.raises(InputError, match="make-world"):
        load_world(tmp_path / "nowhere", FakeEncoder())  # type: ignore[arg-type]


# ---- budgets ------------------------------------------------------------------------------------------------------------------------------------------------


def test_every_row_has_the_same_steps_and_frames_a_step() -> None:
    for run in [*rows.MAIN.values(), *t04_ablation.variants().values()]:
        settings = run.settings(BUDGETS["full"])
        assert settings.phase1.steps == BUDGETS["full"].phase1_steps, run.row
        assert settings.phase1.batch_clips * settings.clip_frames == 32 * 16, run.row


def test_the_papers_schedule_falls_as_far_in_our_steps_as_over_its_epochs() -> None:
    settings = settings_for(PAPER, Budget(240, 50), seed=0, phase1_rate=1.0, phase2_rate=1.0)
    # Six hundred epochs at 0.99; five of them lie in the last two steps.
    assert learning_rate(settings.phase1, 240, 10**6, 16) == pytest.approx(0.99**600, rel=1e-6)
    assert learning_rate(settings.phase2, 50, 10**6, 16) == pytest.approx(0.95**100, rel=1e-6)
    assert settings.noise == "paper"
    assert settings.phase1_targets == "identity"
    assert settings_for(OURS, Budget(240, 50), seed=0, phase1_rate=1.0, phase2_rate=1.0).phase1.schedule == "cosine"


def test_equal_targets_are_no_negatives_of_each_other() -> None:
    """With every target one city the loss is that of the city alone: nothing is pushed away, and it has no gradient."""
    run = dataclasses.replace(rows.VIDTAG, target="cities")
    settings = run.settings(TINY)
    world = SMALL.world()
    data = RunData(world, None, "cities")
    torch.manual_seed(0)
    model = VidTAG(run.config(settings, data.feature_dim))
    one_city = [d for d in data.training if d.labels == data.training[0].labels]
    trainer = Trainer(model, sequences_of(one_city), [], data.points, settings)
    loss = phase1_loss(model, trainer.training, trainer.area, settings, np.random.default_rng(0))
    loss.backward()
    frames = settings.phase1.batch_clips * settings.clip_frames
    assert float(loss.detach()) == pytest.approx(
        np.log(frames), abs=1e-3
    )  # the target is spread evenly over all equal columns, and so is the answer
    assert float(model.frame_mlp[0].weight.grad.abs().max()) < 1e-5
    # With several cities, there is something to learn.
    model.zero_grad()
    phase1_loss(model, sequences_of(data.training), trainer.area, settings, np.random.default_rng(0)).backward()
    assert float(model.frame_mlp[0].weight.grad.abs().max()) > 1e-5


def test_a_trainer_told_to_keep_the_last_step_keeps_it() -> None:
    world = SMALL.world()
    data = RunData(world, None, "frames")
    of_paper = rows.VIDTAG.settings(dataclasses.replace(TINY, phase1_steps=3, validate_every=1))
    assert (of_paper.keep, rows.SHIPPED.settings(TINY).keep) == ("last", "best")
    for keep in ("best", "last"):
        settings, said = of_paper.model_copy(update={"keep": keep}), {}
        torch.manual_seed(0)
        model = VidTAG(rows.VIDTAG.config(settings, data.feature_dim))
        trainer = Trainer(
            model,
            sequences_of(data.training),
            sequences_of(data.validation),
            data.points,
            settings,
            validated=lambda phase, step, errors_m, said=said: said.update({(phase, step): errors_m}),
        )
        run = trainer.phase1("phase1", 3)
        errors_m = trainer.retrieve(trainer.validation).errors_m(trainer.validation, "phase1")
        end = round(float(np.log1p(errors_m / settings.resolution_m).mean()), 5)
        assert end == (round(run.best_error, 5) if keep == "best" else run.rows[-1]["score"])
        assert run.best_step == min(run.rows, key=lambda row: row["score"])["step"]
        assert run.kept_step == (run.best_step if keep == "best" else 3)
        assert (said["phase1", run.kept_step] == errors_m).all()


# ---- numbers ------------------------------------------------------------------------------------------------------------------------------------------------


def _hits(rng: NDArray | np.random.Generator, drives: NDArray, gain: float) -> tuple[list, list]:
    """Two methods on drives that are easy or hard for both; the second succeeds ``gain`` more often."""
    first, second = [], []
    for easy in drives:
        draw = rng.random((2, 10))
        first.append(100.0 * (draw[0] < easy))
        second.append(100.0 * (draw[1] < easy + gain))
    return first, second


def test_the_bootstraps_interval_holds_the_true_difference_about_as_often_as_it_says() -> None:
    held = 0
    for trial in range(60):
        rng = np.random.default_rng(trial)
        drives = rng.uniform(0.1, 0.6, 60)
        first, second = zip(*(_hits(rng, drives, 0.2) for _ in range(3)), strict=True)
        found = paired_difference(first, second, draws=300, seed=trial)
        held += found.low <= 20.0 <= found.high
        assert found.low < found.mean < found.high
    assert held >= 53  # of 60: an interval that held in 95 % of cases would be here with a probability of 99 %


def test_the_bootstrap_weighs_drives_by_their_frames_and_is_seeded() -> None:
    first, second = [[np.zeros(10), np.zeros(90)]], [[np.full(10, 100.0), np.zeros(90)]]
    found = paired_difference(first, second, draws=50)
    assert found.mean == pytest.approx(10.0)
    assert paired_difference(first, second, draws=50) == found


def test_scores_are_the_errors_counted(bench: Bench) -> None:
    drives = bench.lab.world.of("test")[:3]
    answers = [d.sequence.lat_lon_deg + np.array([0.0, shift]) for d, shift in zip(drives, (0.0, 0.012, 1.0), strict=True)]
    found = scores(drives, answers)
    errors = np.concatenate([geodesic_m(*a.T, *d.sequence.lat_lon_deg.T) for a, d in zip(answers, drives, strict=True)])
    assert found["a1km"] == pytest.approx(100 * np.mean(errors <= 1000))
    assert found["median_km"] == pytest.approx(np.median(errors) / 1000)
    assert np.concatenate(within(drives, answers, 1.0)).mean() == pytest.approx(found["a1km"])
    both = mean_scores([found, {name: value + 2 for name, value in found.items()}])
    assert both["a1km"] == pytest.approx(found["a1km"] + 1)
    assert both["a1km_sd"] == pytest.approx(np.sqrt(2))


def _drive(truth: NDArray) -> Drive:
    drive = SMALL.world().drives[0]
    return dataclasses.replace(drive, sequence=dataclasses.replace(drive.sequence, lat_lon_deg=truth))


def test_kinds_of_error() -> None:
    truth = np.stack([np.linspace(10, 10.02, 10), np.full(10, 20.0)], axis=1)
    drive = _drive(truth)
    away = np.array([[0.0, 0.03]])
    some = truth.copy()
    some[:3] += away
    wild = truth + np.where(np.arange(10)[:, None] % 2, away, -away)
    cases = {
        "right": truth,
        "outliers": some,
        "shifted": truth + away,
        "collapsed": np.tile(truth[0] + away[0], (10, 1)),
        "scattered": wild,
        "on another isle": truth + 10.0,
    }
    assert {kind: f12_errors.kind_of(answers, drive) for kind, answers in cases.items()} == {kind: kind for kind in cases}


# ---- the store ----------------------------------------------------------------------------------------------------------------------------------------------


def test_a_store_gives_back_what_it_keeps_and_forgets_what_is_damaged(tmp_path: Path) -> None:
    store = Store(tmp_path)
    specification = {"a": 1, "b": (1.0, 2.0)}
    assert store.get(specification) is None
    store.put(specification, Entry({"x": 1.5}, {"y": np.arange(3.0)}))
    found = store.get({"b": (1.0, 2.0), "a": 1})
    assert found is not None
    assert found.values == {"x": 1.5}
    assert found.arrays["y"].tolist() == [0.0, 1.0, 2.0]
    assert store.get({**specification, "a": 2}) is None
    next(tmp_path.glob("*.safetensors")).write_bytes(b"half")
    assert store.get(specification) is None


def test_nothing_is_trained_or_placed_twice(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    once = bench.lab.place(rows.VIDTAG)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr("benchmarks.tables.train_retrieval._train_phase", never)
    again = Lab(SMALL.world(), TINY, bench.lab.store.folder)  # a new process
    assert np.array_equal(np.concatenate(again.place(rows.VIDTAG).predicted), np.concatenate(once.predicted))
    again.train(rows.VIDTAG)
    again.train(dataclasses.replace(rows.VIDTAG, refiner=None))  # Phase I is shared
    for other in (
        dataclasses.replace(rows.VIDTAG, seed=1),
        dataclasses.replace(rows.VIDTAG, options={**PAPER, "alpha": 1.0}),
        dataclasses.replace(rows.VIDTAG, mlp=(256, 256)),
        dataclasses.replace(rows.VIDTAG, isle="north"),
    ):
        with pytest.raises(AssertionError, match="trained again"):
            again.train(other)
    with pytest.raises(AssertionError, match="trained again"):
        Lab(dataclasses.replace(SMALL.world(), digest="another"), TINY, bench.lab.store.folder).train(rows.VIDTAG)
    monkeypatch.setattr(lab, "retrieve", never)
    again.place(rows.VIDTAG)
    with pytest.raises(AssertionError, match="trained again"):
        again.place(rows.VIDTAG, Gallery("grid", 500.0))


def _opened(folder: Path) -> Bench:
    world = SMALL.world()
    return command.bench_over(world, lambda: world, TINY, folder / "pictures", folder / "runs", quick=True)


@pytest.mark.slow
def test_side_by_side_each_is_trained_once_and_found_in_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together = _opened(tmp_path)
    runs = [rows.VIDTAG, rows.GEOCLIP, dataclasses.replace(rows.VIDTAG, row="alpha", options={**PAPER, "alpha": 1.0})]
    finished = [run for _, run in side_by_side(functools.partial(_opened, tmp_path), command.trainings(together, runs))]
    assert sorted(map(repr, finished)) == sorted(map(repr, runs))

    def never(*_: object, **__: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr("benchmarks.tables.train_retrieval._train_phase", never)
    for run in runs:
        together.lab.train(run)
    stored = [json.loads(file.read_text()) for file in (tmp_path / "runs").glob("*.json")]
    assert [one["specification"]["phase"] for one in stored].count(1) == 2  # of those that share it, one alone


def test_what_fails_in_a_process_of_its_own_is_said(tmp_path: Path) -> None:
    tasks = command.trainings(_opened(tmp_path), [dataclasses.replace(rows.VIDTAG, backbones=("absent",))])
    with pytest.raises(InputError, match="features of"):
        list(side_by_side(functools.partial(_opened, tmp_path), tasks))


def test_galleries_hold_what_they_say(bench: Bench) -> None:
    drives = tuple(bench.lab.world.of("test"))
    assert bench.lab.grid(Gallery("places"), drives, None).count == len(
        np.unique(np.concatenate([d.sequence.lat_lon_deg for d in drives]), axis=0)
    )
    assert bench.lab.grid(Gallery("cities"), drives, None).count == len(bench.lab.world.cities())
    fine, coarse = (bench.lab.grid(Gallery("grid", metres), drives, None).count for metres in (100.0, 200.0))
    assert fine == pytest.approx(4 * coarse, rel=0.1)
    assert bench.lab.grid(Gallery(), drives, "north").count < fine / 2
    placed = bench.lab.place(rows.VIDTAG, Gallery("cities"))
    lat, lon = np.array([(city.lat_deg, city.lon_deg) for city in bench.lab.world.cities()]).T
    answers = np.concatenate(placed.predicted)
    assert haversine_m(answers[:, :1], answers[:, 1:], lat[None], lon[None]).min(axis=1).max() < 0.01


# ---- the tables ---------------------------------------------------------------------------------------------------------------------------------------------


def test_markdown_says_what_json_says() -> None:
    columns = (Column("name", ""), Column("a", "a %", 1, "high"), Column("b", "b km", 2, "low"))
    made = Table(
        "7", "a title", columns, ({"name": "x", "a": 1.25, "a_sd": 0.5, "b": 2.0}, {"name": "y", "a": 3.0, "b": float("nan")}), ("A note.",)
    )
    again = Table.from_dict(json.loads(json.dumps(made.to_dict())))
    assert again.markdown() == made.markdown()
    lines = made.markdown().splitlines()
    assert "| x | 1.2 ± 0.5 | 2.00 |" in lines
    assert "| y | **3.0** | – |" in lines
    assert lines[0] == "## Table 7 in miniature: a title"
    assert "A note." in lines


def test_a_page_keeps_other_tables_of_the_same_world_only(tmp_path: Path) -> None:
    about = {
        "world": "w",
        "seed": "1",
        "size": "quick",
        "isles": 3,
        "train_frames": 5,
        "test_frames": 6,
        "budget": dataclasses.asdict(TINY),
        "swept": ["paper"],
    }
    column = (Column("name", ""),)
    page.write_page(tmp_path, about, [Table("8", "eight", column, ({"name": "x"},))])
    page.write_page(tmp_path, about, [Table("4", "four", column, ({"name": "y"},))])
    content = json.loads((tmp_path / "tables.json").read_text(encoding="utf-8"))
    assert [table["number"] for table in content["tables"]] == ["4", "8"]
    assert (tmp_path / "tables.md").read_text(encoding="utf-8") == page.markdown(content)
    assert "simulated" in page.markdown(content)
    page.write_page(tmp_path, {**about, "world": "v"}, [Table("4", "four", column, ({"name": "y"},))])
    assert [table["number"] for table in json.loads((tmp_path / "tables.json").read_text(encoding="utf-8"))["tables"]] == ["4"]


def test_choices_of_tables() -> None:
    assert list(chosen("7, 4")) == ["4", "7"]
    assert list(chosen("13,2")) == ["1", "12"]
    assert chosen(None) == TABLES
    with pytest.raises(InputError, match="no table 99"):
        chosen("99")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["seneca", "--quick"], "--quick is no option of seneca"),
        (["seneca", "--seed", "dev"], "'dev' is no seed"),
        (["tables", "--seed", "soon"], "'soon' is no seed"),
        (["tables", "--only", "99"], "There is no table 99"),
        (["isles", "--world", "nowhere"], "There is no world in nowhere"),
    ],
)
def test_a_benchmark_that_cannot_be_run_says_why(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = benchmarks_main(words)
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_the_estimate_knows_dear_from_cheap() -> None:
    budget = BUDGETS["full"]
    cost = {name: core_seconds(run, budget) for name, run in rows.MAIN.items()}
    assert cost["PlaNet"] < cost["GeoCLIP fine-tuned"] < cost["VidTAG as in the paper"] < cost["ours, retrieval alone"]
    assert core_seconds(rows.VIDTAG, BUDGETS["quick"]) < core_seconds(rows.VIDTAG, budget) / 5
    assert 0 < minutes([60.0]) < 20


def test_rates_are_chosen_by_validation(bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever rate scores best wins, Phase I's before Phase II's; the file keeps other rows."""
    asked: list[Run] = []

    def train(_: Lab, run: Run) -> tuple[None, dict[str, float]]:
        asked.append(run)
        assert run.rates is not None
        return None, {"score": abs(run.rates[0] - 1e-3) + abs(run.rates[1] - 1e-3 * (run.refiner is not None))}

    monkeypatch.setattr(Lab, "train", train)
    monkeypatch.setattr(sweep, "RATES_FILE", tmp_path / "rates.json")
    (tmp_path / "rates.json").write_text('{"other": {"phase1": 1.0}}')
    found = sweep.sweep_rates(bench, [TABLES["1"]])["rates"]
    assert found["paper"] == {"phase1": 1e-3, "phase2": 1e-3}
    assert found["geoclip_ft"] == {"phase1": 1e-3}
    assert json.loads((tmp_path / "rates.json").read_text())["other"] == {"phase1": 1.0}
    assert {run.seed for run in asked} == {0}


def test_a_variant_that_was_not_swept_has_the_rates_of_the_row_that_it_varies(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "rates.json"
    file.write_text('{"paper": {"phase1": 3e-4}, "swept": {"phase1": 5e-4, "phase2": 1e-4}}')
    monkeypatch.setattr(isles_settings, "RATES_FILE", file)

    def rates(run: Run) -> tuple[float, float]:
        settings = run.settings(BUDGETS["quick"])
        return settings.phase1.learning_rate, settings.phase2.learning_rate

    default = isles_settings.DEFAULT_RATES["phase2"]
    assert rates(dataclasses.replace(rows.VIDTAG, row="a variant")) == (3e-4, default)
    assert rates(dataclasses.replace(rows.VIDTAG, row="swept")) == (5e-4, 1e-4)
    assert rates(Run("no relation")) == (isles_settings.DEFAULT_RATES["phase1"], default)
    everything = [run for table in TABLES.values() for run in table.runs(bench)]
    assert {run.varies for run in everything} <= {run.row for run in rows.MAIN.values()}


@pytest.mark.slow
def test_isles_keys_and_that_methods_differ_only_in_what_they_should(bench: Bench) -> None:
    result = isles.measure(bench.lab)
    wanted = {
        "geoclip_ft_a1km",
        "paper_a1km",
        "geoclip_ft_dfd_km",
        "paper_dfd_km",
        "paper_a05km",
        "ours_a05km",
        "paper_median_km",
        "ours_median_km",
    }
    assert wanted | {"train_one_isle_min", "simulated", "training_seeds"} <= set(result)
    assert set(result["paper_minus_geoclip_ft_a1km"]) == {"mean", "low", "high"}
    assert result["paper_minus_geoclip_ft_a1km"]["mean"] == pytest.approx(result["paper_a1km"] - result["geoclip_ft_a1km"], abs=0.02)
    json.dumps(result)
    hardness = isles.measure_difficulty(bench.lab)
    assert {"geoclip_ft_a1km", "geoclip_ft_a25km", "as_hard_as_meant"} <= set(hardness)


@pytest.mark.slow
def test_all_tables_are_made_and_the_page_is_whole(bench: Bench, tmp_path: Path) -> None:
    made = [TABLES[number].make(bench) for number in TABLES]
    about = command._about(bench.lab, "0", "quick")
    text = page.write_page(tmp_path, about, made).read_text(encoding="utf-8")
    for table in made:
        assert table.heading in text
        assert table.rows
        if table.figure:
            assert (tmp_path / "pictures" / table.figure).stat().st_size < 200_000
    city = next(table for table in made if table.number == t03_cities.NUMBER)
    assert all(0 <= row[level] <= 100 for row in city.rows for level in ("city", "state", "country", "continent"))
    needed = command.unique(bench, TABLES.values())
    assert len({repr(run) for run in needed}) == len(needed)
