"""`vidtag benchmark`: the rates of this machine, and what they say a job waits for."""

import json

import pytest
from typer.testing import CliRunner

from vidtag_engine.cli.app import app
from vidtag_engine.commands import benchmark as rates
from vidtag_engine.commands.benchmark import Rate, _advice, _bound

RUNNER = CliRunner()


def parts(decode: float, prepare: float, encode: float) -> tuple[Rate, ...]:
    """Rates of so many milliseconds a frame."""
    given = {"decode": decode, "prepare": prepare, "encode": encode, "search": None}
    return tuple(Rate(part, 1.0, "", ms, "") for part, ms in given.items())


def test_a_job_waits_for_the_slower_side() -> None:
    assert _bound(parts(10.0, 5.0, 40.0)) == ("encode", (144.0, 198.0))
    assert _bound(parts(30.0, 5.0, 20.0)) == ("decode", (126.0, 198.0))
    assert _bound(parts(5.0, 30.0, 20.0)) == ("prepare", (126.0, 198.0))


def test_the_advice_is_about_what_a_job_waits_for() -> None:
    assert "--fps" in _advice("encode", "vidtag-compact", "cpu")
    assert "graphics card" in _advice("encode", "vidtag-compact", "cpu")
    assert "graphics card" not in _advice("encode", "vidtag-l14", "cuda")
    assert "vidtag-compact" in _advice("encode", "vidtag-l14", "cuda")
    assert "--fps" not in _advice("decode", "vidtag-compact", "cpu")


def test_every_part_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_PART_S", 0.01)
    monkeypatch.setattr(rates, "_SECONDS", 2)
    monkeypatch.setattr(rates, "_STEP_M", 500.0)
    monkeypatch.setattr(rates, "compiled_folder", lambda: None)  # translating takes longer than the test should
    result = RUNNER.invoke(app, ["benchmark", "--device", "cpu", "--json"])
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert [rate["part"] for rate in said["rates"]] == ["decode", "prepare", "encode", "location encoder", "search"]
    assert all(rate["value"] > 0 for rate in said["rates"])
    for rate in said["rates"][:3]:
        assert rate["frame_ms"] == pytest.approx(1e3 / rate["value"])
    assert (said["preset"], said["device"], said["weights"]) == ("vidtag-compact", "cpu", "pretrained")
    assert said["hour_s"][0] <= said["hour_s"][1]


def test_an_unknown_preset_is_one_sentence() -> None:
    result = RUNNER.invoke(app, ["benchmark", "--preset", "resnet"])
    assert result.exit_code == 2
    assert "vidtag-compact" in result.output
