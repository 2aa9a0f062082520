"""The benchmark that sets this build beside an earlier one."""

import shutil

import pytest

from benchmarks import startup
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
        startup._Build(tmp_path, ROOT / "resources" / "demo", tmp_path / "scratch").once()


@pytest.mark.slow
def test_beside_itself_nothing_moves(tmp_path, monkeypatch):
    monkeypatch.setattr(startup, "_TIMES", 1)
    shutil.copytree(ROOT / "vidtag_engine", tmp_path / "vidtag_engine")
    for name in ("demo", "land", "styles"):
        shutil.copytree(ROOT / "resources" / name, tmp_path / "resources" / name)
    found = startup.run(before=tmp_path)
    assert found["answers_m"] == 0.0
    assert found["frames"] == 40
    assert found["search_stage_s"] > 0
    assert found["search_stage_before_s"] > 0
