"""Every kind of bad input on the real command line; and that the judge of it is strict."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import bad_inputs
from benchmarks.bad_input_cases import Case

ROOT = Path(__file__).resolve().parents[1]
CASE = Case("video: no such file", ("geolocate", "absent.mp4"), ("absent.mp4",))
CLEAR = "Error: absent.mp4 does not exist; check the path of the video.\n"


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_every_kind_of_bad_input_is_met_clearly() -> None:
    result = bad_inputs.run()
    assert result["unclear"] == []
    assert result["kinds"] >= 30
    assert result["clear"] == result["kinds"]
    assert result["kinds"] + len(result["skipped"]) == len(bad_inputs.CASES)


def test_a_clear_answer_is_found_clear() -> None:
    said = "  0% loading reading the area and the checkpoint\n" + CLEAR
    assert bad_inputs.why_unclear(CASE, 2, "", said, []) == (CLEAR.removeprefix("Error: ").strip(), [])


@pytest.mark.parametrize(
    ("code", "stdout", "stderr", "changed", "reason"),
    [
        (0, "", CLEAR, [], "exit status"),
        (1, "", CLEAR, [], "exit status"),
        (-11, "", CLEAR, [], "exit status"),
        (2, "", 'Traceback (most recent call last):\n  File "x.py", line 1\n' + CLEAR, [], "a traceback"),
        (2, "", "libav: moov atom not found\n" + CLEAR, [], "lines on standard error"),
        (2, "", "", [], "0 lines"),
        (2, "half a table", CLEAR, [], "standard output"),
        (2, "", "Error: It does not exist; check the path.\n", [], "does not name"),
        (2, "", "Error: absent.mp4 does not exist.\n", [], "what to do"),
        (2, "", "Error: absent.mp4 does not exist. Try again; check the path.\n", [], "not one sentence"),
        (2, "", CLEAR, ["work/.vidtag-x/found.gpkg"], "left behind"),
    ],
)
def test_an_unclear_answer_is_found_out(code, stdout, stderr, changed, reason) -> None:
    _, why = bad_inputs.why_unclear(CASE, code, stdout, stderr, changed)
    assert any(reason in one for one in why)


def test_a_changed_and_a_new_file_are_seen(tmp_path) -> None:
    for name in ("work", "tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "work" / "kept").write_text("a")
    before = bad_inputs._snapshot(tmp_path)
    assert bad_inputs._snapshot(tmp_path) == before
    (tmp_path / "work" / "kept").write_text("ab")
    (tmp_path / "tmp" / "left").mkdir()
    after = bad_inputs._snapshot(tmp_path)
    assert {path for path in after if after[path] != before.get(path)} == {"work/kept", "tmp/left"}


def test_kinds_are_told_apart_and_the_page_has_them_all() -> None:
    assert (
        len({case.name for case in bad_inputs.CASES})
        == len({(*case.words, case.surroundings) for case in bad_inputs.CASES})
        == len(bad_inputs.CASES)
    )
    page = (ROOT / "docs" / "bad-inputs.md").read_text(encoding="utf-8")
    assert [case.name for case in bad_inputs.CASES if f"| {case.name}" not in page] == []
    assert str(Path.home()) not in page
    assert "/tmp/" not in page


def test_a_mistyped_command_line_is_one_sentence() -> None:
    def said(*words: str) -> tuple[int, list[str]]:
        run = subprocess.run([sys.executable, "-m", "vidtag_engine", *words], capture_output=True, text=True, check=False, cwd=ROOT)
        return run.returncode, run.stderr.splitlines()

    code, lines = said("gallery", "--aoi", "0,0,1,1", "--resolution-m", "fine")
    assert code == 2
    assert len(lines) == 1
    assert all(word in lines[0] for word in ("--resolution-m", "'fine'", "vidtag gallery --help"))
    assert said("--version") == (0, [])
