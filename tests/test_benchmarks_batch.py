"""The benchmark of batches: it kills where it says, sees what is lost, and measures what it says."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from benchmarks import batch
from benchmarks.batch_kills import Moment, _batch_case, distinct_copies, kills
from benchmarks.batch_kills_run import KILLED, VIDEOS, Killer, make_batch
from benchmarks.batch_results import made_up_result, name_of
from benchmarks.batch_writing import ROOT, growth, measured
from vidtag_engine.export.geopackage_rows import teach
from vidtag_engine.types import InputError


@pytest.mark.parametrize("wrong", [{"rows": "growth,speed"}, {"counts": "100"}, {"counts": "many,few"}])
def test_what_cannot_be_measured_is_said(wrong):
    with pytest.raises(InputError, match=r"give some of growth, ratio, kills, dask, overhead|give at least two"):
        batch.run(**wrong)


def test_made_up_results_are_the_same_again_and_differ():
    one, again, other = made_up_result(3, 1), made_up_result(3, 1), made_up_result(4, 1)
    np.testing.assert_array_equal(one.trajectory.lat_deg, again.trajectory.lat_deg)
    assert one.sha256 == again.sha256 != other.sha256
    assert all(len(region.geoms[0].exterior.coords) > 40 for region in one.trajectory.hypotheses.region90)


def test_copies_differ_and_play(tmp_path):
    import av

    paths = [tmp_path / f"{number}.mp4" for number in range(3)]
    distinct_copies(ROOT / "resources" / "demo" / "drive.mp4", paths)
    assert len({path.read_bytes() for path in paths}) == 3
    for path in paths:
        with av.open(str(path)) as container:
            assert next(container.decode(video=0)).width > 0


@pytest.fixture(scope="module")
def killer(tmp_path_factory):
    with Killer(tmp_path_factory.mktemp("kills").resolve() / "helper") as killer:
        yield killer


def fresh(folder):
    folder.mkdir()
    make_batch(folder)
    return folder.resolve()


@pytest.mark.slow
def test_a_process_dies_before_or_after_its_step(killer, tmp_path):
    steps, _ = killer.run(fresh(tmp_path / "count"), count=True)
    assert steps > 100
    assert killer.run(fresh(tmp_path / "none"), at=steps + 1) == (0, "")

    def made(step, *, after):
        folder = fresh(tmp_path / f"{step}, {after}")
        assert killer.run(folder, at=step, after=after) == (KILLED, "")
        return (folder / "batch.results").is_dir()

    making = next(step for step in range(1, 10) if made(step, after=True))
    assert not made(making, after=False)


@pytest.mark.slow
def test_the_judge_sees_what_is_lost(killer, tmp_path, monkeypatch):
    wanted = dict.fromkeys(map(name_of, range(VIDEOS)), True)
    case = _batch_case(killer, "keep", fresh(tmp_path / "a"), (), Moment(step=60), wanted)
    assert case.killed
    assert case.lost == [f"frames of {name_of(2)} are missing"]  # it failed, and this says it should not
    folder, run = fresh(tmp_path / "b"), killer.run

    def spoilt(where, *given, **named):
        found = run(where, *given, **named)
        if not named:  # the run that goes on: a finished video is written anew, and a row is there twice
            next(where.glob("batch.results/results/??/*.gpkg")).touch()
            with closing(sqlite3.connect(where / "batch.gpkg")) as database, database:
                teach(database)
                (columns,) = database.execute(
                    "SELECT group_concat(name) FROM pragma_table_info('videos') WHERE name NOT IN ('fid', 'geom')"
                ).fetchone()
                database.execute(f"INSERT INTO videos ({columns}) SELECT {columns} FROM videos LIMIT 1")
        return found

    monkeypatch.setattr(killer, "run", spoilt)
    case = _batch_case(killer, "keep", folder, (), Moment(step=150), wanted)
    assert any(one.endswith("was done again") for one in case.lost)
    assert case.twice == [f"{name_of(0)} in videos"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_kill_loses_a_video():
    result = kills(1, quick=True)
    assert result["why"] == []
    assert result["lost"] == result["twice"] == result["unreadable"] == result["left_behind"] == 0
    assert result["kills"] >= 60


@pytest.mark.slow
def test_growth_is_measured(monkeypatch):
    taken = {20: 1.0, 40: 2.0, 80: 4.0}
    monkeypatch.setattr(
        "benchmarks.batch_writing.measured",
        lambda _root, _build, count, _seed: {"seconds": taken[count], "cpu_s": 1.0, "peak_mb": 1, "peak_imports_mb": 1},
    )
    found = growth((20, 40, 80), 0)
    assert (found["write_exponent"], found["write_cpu_exponent"]) == pytest.approx((1.0, 0.0))
    monkeypatch.undo()
    for build in ("new", "store"):
        found = measured(ROOT, build, 5, 0)
        assert 0 < found["cpu_s"] <= 1.1 * found["seconds"] < 120
        assert found["peak_imports_mb"] <= found["peak_mb"]
