"""The benchmark that sets this build beside an earlier one."""

import shutil

import pytest

from benchmarks import fit_beside, startup, warm_session
from benchmarks.isles_world import ROOT
from vidtag_engine.types import InputError


def test_it_asks_for_a_checkout_of_an_earlier_build(tmp_path):
    for before in (None, tmp_path):
        with pytest.raises(InputError, match="--before"):
            startup.run(before=before)


def test_a_build_that_cannot_run_is_named(tmp_path):
    (tmp_path / "vidtag_engine").mkdir()
    (tmp_path / "vidtag_engine" / "__init__.py").write_text("raise RuntimeError")
    with pytest.raises(InputError, match="cannot geolocate its demo"):
        startup._Build(tmp_path, ROOT / "resources" / "demo", tmp_path / "scratch", 25.0).once()


@pytest.fixture
def small_fit(monkeypatch):
    """Of few videos on little ground, once."""
    for name, value in {"_TIMES": 1, "_SIDE": 12, "_VIDEOS": 5, "_REMEMBERED": 150}.items():
        monkeypatch.setattr(fit_beside, name, value)


def test_a_fit_beside_itself_is_the_same(small_fit):
    found = fit_beside.fit_beside(ROOT)
    assert found["fit_difference"] == 0.0
    assert 0.0 < found["fit_ratio"] < 10.0
    assert found["fit_s"] > 0


def test_a_build_that_cannot_fit_is_named(tmp_path, small_fit):
    (tmp_path / "vidtag_engine").mkdir()
    (tmp_path / "vidtag_engine" / "__init__.py").write_text("raise RuntimeError")
    with pytest.raises(InputError, match="cannot fit"):
        fit_beside._once(tmp_path, tmp_path / "videos.npz")


def test_the_difference_of_two_fits_is_that_of_their_farthest_numbers():
    one = {"level": 0.5, "maps": [{"slope": 2.0, "lead": 1e-20}], "recall": None, "only here": 1.0}
    other = {"level": 0.5, "maps": [{"slope": 2.002, "lead": 0.0}], "recall": None}
    assert fit_beside.difference(one, other) == pytest.approx(0.002 / 2.002)
    assert fit_beside.difference(one, other | {"recall": 1.0}) == float("inf")
    assert fit_beside.difference(one, other | {"maps": []}) == float("inf")


@pytest.mark.slow
def test_beside_itself_nothing_moves(tmp_path, monkeypatch, small_fit):
    monkeypatch.setattr(startup, "_TIMES", 1)
    monkeypatch.setattr(startup, "_COLD_TIMES", 1)
    monkeypatch.setattr(warm_session, "_SESSIONS", 1)
    for name in ("vidtag_engine", "vidtag_qgis", "resources"):
        shutil.copytree(ROOT / name, tmp_path / name)
    found = startup.run(before=tmp_path)
    assert found["answers_m"] == 0.0
    assert found["answers_confidence"] == 0.0
    assert 0.2 < found["cold_ratio"] < 5.0
    assert 0.8 < found["peak_ratio"] < 1.2
    assert found["frames"] == 40
    assert found["search_stage_s"] > 0
    assert found["search_stage_before_s"] > 0
    assert 0.2 < found["warm_ratio"] < 5.0
    assert 300 < found["idle_mb"] < 2000
    assert found["fit_difference"] == 0.0
