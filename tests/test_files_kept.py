"""No file of a person's is lost: the real command line and worker, aimed at what must be kept and killed while they write."""

import pytest

from benchmarks import files_kept
from benchmarks.files_kept_cases import TARGETS
from vidtag_engine.command_files import OUTPUTS
from vidtag_engine.file_marks import mark_of


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_few_outputs_in_every_situation() -> None:
    result = files_kept.run(quick=True)
    assert result["why"] == []
    assert result["lost"] == result["not_refused"] == 0
    assert result["outputs"] >= 60
    assert result["kills"] >= 10


def test_every_output_of_every_command_is_aimed_at() -> None:
    named = {(target.command, target.flag.removeprefix("--")) for target in TARGETS}
    # The picture goes to the plugin's own folder; the numbers as a file are the worker's alone.
    expected = {(command, name) for command, names in OUTPUTS.items() for name in names if command != "picture" and name != "json"}
    assert expected <= named


def test_the_judge_sees_what_is_lost(tmp_path) -> None:
    """A changed foreign file, a half own one, and one that is gone."""
    target = next(one for one in TARGETS if one.output == "out/copy.kml")
    (tmp_path / "out").mkdir()
    own, theirs = tmp_path / "out" / "copy.kml", tmp_path / "notes.txt"
    whole = f'<?xml version="1.0"?>\n<!-- Generator: {mark_of("kml")} -->\n<kml/>'
    own.write_text(whole)
    theirs.write_text("mine")
    before = files_kept.snapshot(tmp_path)
    assert files_kept._lost(tmp_path, before, [target]) == []
    own.write_text(whole.replace("<kml/>", "<kml></kml>"))
    assert files_kept._lost(tmp_path, before, [target]) == []
    own.write_text(whole[:-3])
    assert "neither" in files_kept._lost(tmp_path, before, [target])[0]
    own.unlink()
    theirs.write_text("yours")
    assert files_kept._lost(tmp_path, before, [target]) == ["notes.txt changed", "out/copy.kml gone"]
