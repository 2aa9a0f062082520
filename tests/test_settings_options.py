"""The geolocation's options are spelled once, in its settings; other places say the same."""

from dataclasses import MISSING, fields

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from vidtag_engine import command_arguments
from vidtag_engine.cli.app import app
from vidtag_engine.cli.settings_options import settings_of, with_settings
from vidtag_engine.settings import GeolocateSettings, HeatmapSettings
from vidtag_engine.types import InputError

NAMES = {"rate_hz": "--fps", "from_s": "--from", "to_s": "--to"}


def options_of(command):
    return {parameter.name: parameter for parameter in get_command(app).commands[command].params}


@pytest.mark.parametrize(
    ("kind", "models"),
    [
        (command_arguments.GeolocateArguments, [GeolocateSettings]),
        (command_arguments.HeatmapArguments, [GeolocateSettings, HeatmapSettings]),
    ],
)
def test_a_request_has_the_settings_own_defaults(kind, models):
    known = {name: field for model in models for name, field in model.model_fields.items()}
    shared = [field for field in fields(kind) if field.name in known]
    assert {field.name for field in shared} >= set(models[-1].model_fields)
    for field in shared:
        assert field.default is not MISSING
        assert field.default == known[field.name].get_default(), field.name


@pytest.mark.parametrize(("command", "models"), [("geolocate", [GeolocateSettings]), ("heatmap", [HeatmapSettings])])
def test_every_setting_is_an_option_with_its_name_default_and_help(command, models):
    options = options_of(command)
    for model in models:
        for name, field in model.model_fields.items():
            option = options[name]
            assert option.opts == [NAMES.get(name, "--" + name.replace("_", "-"))]
            assert option.help == field.description
            assert option.default == ("1" if name == "rate_hz" else field.get_default())
            assert option.secondary_opts == []
    # A heat map shares a geolocation's settings, but for those that a request for one does not have.
    asked = {field.name for field in fields(command_arguments.HeatmapArguments)}
    assert asked & set(GeolocateSettings.model_fields) <= set(options_of("heatmap"))


def test_the_options_values_reach_the_command():
    made = typer.Typer()
    seen = {}

    @made.command()
    @with_settings(HeatmapSettings, after="first")
    @with_settings(GeolocateSettings, after="first", only=["rate_hz", "start_time", "exhaustive", "batch_size", "decoder"])
    def command(first: str, *, last: int = 3, **settings) -> None:
        seen.update(settings_of(settings), first=first, last=last)

    given = ["a", "--fps", "all", "--start-time", "2026-05-01T12:30", "--exhaustive", "--batch-size", "4", "--bands", "frames"]
    assert CliRunner().invoke(made, given).exit_code == 0
    assert seen == {
        "first": "a", "last": 3, "rate_hz": None, "start_time": "2026-05-01T12:30:00", "exhaustive": True, "batch_size": 4, "decoder": "hmm",
        "bands": "frames", "crs": None, "cell_m": None,
    }  # fmt: skip
    with pytest.raises(InputError, match="--fps 'x' is not a number"):
        settings_of({"rate_hz": "x"})
