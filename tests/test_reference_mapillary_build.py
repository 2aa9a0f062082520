"""A database of Mapillary's pictures, as the command line makes it once the source is switched on: the token, and both places of a picture."""

import json
import logging
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pyogrio
import pytest
from typer.testing import CliRunner

from tests.test_reference_mapillary import TOKEN, graph  # noqa: F401 - a fixture
from vidtag_engine.cli.app import app
from vidtag_engine.command_arguments import ReferenceArguments
from vidtag_engine.commands.reference import run_reference, write_layer
from vidtag_engine.protocol import Request
from vidtag_engine.reference import sources
from vidtag_engine.reference.sources import mapillary
from vidtag_engine.reference.store import Store
from vidtag_engine.types import InputError

AREA = "11.570,48.130,11.590,48.145"
SECRET = TOKEN.encode()


@pytest.fixture
def on(graph, monkeypatch, tmp_path):  # noqa: F811
    """The source switched on, and its addresses those of the server here."""
    monkeypatch.delitem(sources.OFF, "mapillary")
    monkeypatch.setattr(mapillary, "API", graph.address)
    monkeypatch.setattr(mapillary, "PICTURE_HOSTS", (graph.pictures,))
    monkeypatch.setenv("VIDTAG_CACHE", str(tmp_path / "cache"))
    return graph


def command(*words: str, given: str | None = None) -> "tuple[int, str]":
    done = CliRunner().invoke(app, ["reference", *words], input=given)
    return done.exit_code, done.output


def holding(folder: Path, secret: bytes) -> list[Path]:
    """Files below a folder that a secret is in."""
    return [file for file in folder.rglob("*") if file.is_file() and secret in file.read_bytes()]


BUILD = (
    "build", "--source", "mapillary", "--aoi", AREA, "--yes-query", "--yes-download-mb", "50", "--width", "24", "--spot-m", "100"
)  # fmt: skip


@pytest.fixture
def built(on, tmp_path, caplog):
    with caplog.at_level(logging.DEBUG):
        status, said = command(*BUILD, "--output", str(tmp_path / "db"), given=f"{TOKEN}\nnot the token\n")
    assert status == 0, said
    assert TOKEN not in said + caplog.text
    return tmp_path / "db"


@pytest.mark.slow
def test_the_token_comes_by_standard_input_and_goes_into_the_header_alone(on, built, tmp_path):
    asked = [sent.get("Authorization") for sent in on.told.headers]
    assert set(asked) == {f"OAuth {TOKEN}"}
    assert on.seen.asked
    assert not [sent for sent in on.seen.headers if "Authorization" in sent]
    assert not [path for path in [*on.told.paths, *on.seen.paths] if "MLY" in path]
    assert list((tmp_path / "cache").rglob("*.jpg"))
    assert holding(tmp_path, b"signature") == []
    assert holding(tmp_path, SECRET) == []


@pytest.mark.slow
def test_both_places_are_kept_and_shown(on, built, tmp_path):
    store = Store.open(built)
    items = {item["id"]: item for item in on.items}
    assert len(store.rows) > 20
    alone = 0
    for one in store.shown(range(len(store.rows))):
        item = items[one.image.image_id.partition("@")[0]]
        both = "computed_geometry" in item
        assert [one.image.lon_deg, one.image.lat_deg] == item["computed_geometry" if both else "geometry"]["coordinates"]
        told = [one.image.device_lon_deg, one.image.device_lat_deg]
        assert told == item["geometry"]["coordinates"] if both else np.isnan(told).all()
        alone += not both
    write_layer(built, tmp_path / "layer.gpkg")
    layer = pyogrio.read_dataframe(tmp_path / "layer.gpkg", layer="images")
    assert layer.device_lat_deg.isna().sum() == alone
    for _, row in layer.dropna(subset=["device_lat_deg"]).iterrows():
        assert [row.device_lon_deg, row.device_lat_deg] == items[row.image_id.partition("@")[0]]["geometry"]["coordinates"]
        assert row.geometry.x == pytest.approx(row.device_lon_deg - 1e-4)


@pytest.mark.slow
def test_databases_of_before_are_read_as_ever(built, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(built, old)
    for file in old.glob("segments/*/images.sqlite"):
        with closing(sqlite3.connect(file)) as database:
            for name in ("device_lat_deg", "device_lon_deg"):
                database.execute(f"ALTER TABLE images DROP COLUMN {name}")
            database.commit()
    before, now = (Store.open(folder).shown(range(20)) for folder in (old, built))
    assert np.isnan([[one.image.device_lat_deg, one.image.device_lon_deg] for one in before]).all()
    assert not np.isnan([one.image.device_lat_deg for one in now]).all()
    for old_one, new_one in zip(before, now, strict=True):
        assert (old_one.image.image_id, old_one.image.author, old_one.thumbnail) == (
            new_one.image.image_id,
            new_one.image.author,
            new_one.thumbnail,
        )


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_without_a_token_or_with_a_wrong_one_it_is_a_sentence_that_does_not_tell_it(on, tmp_path, more):
    for given, wanted in (("", "asks for a token of your own"), ("MLY|wrong|5\n", "refused the question or the token")):
        status, said = command(*BUILD, "--output", str(tmp_path / "db"), *more, given=given)
        assert status == 2
        assert wanted in " ".join(said.split())
        assert "MLY|wrong" not in said
    assert holding(tmp_path, b"MLY|wrong") == []


@pytest.mark.slow
def test_refreshing_takes_the_token_too(on, built):
    gone = next(item for item in on.items if item["id"] == next(Store.open(built).known()).image_id.partition("@")[0])
    on.items.remove(gone)
    words = ("refresh", str(built), "--source", "mapillary", "--aoi", AREA, "--yes-query", "--json")
    status, said = command(*words, given=f"{TOKEN}\n")
    assert status == 0, said
    assert json.loads(said.strip().splitlines()[-1])["removed"] == (6 if gone["is_pano"] else 1)
    assert TOKEN not in said
    status, _ = command(*words, given="MLY|wrong\n")
    assert status == 2


def test_the_token_is_sent_to_no_other_address(on, tmp_path):
    status, said = command(*BUILD, "--address", on.address, "--output", str(tmp_path / "db"), given=f"{TOKEN}\n")
    assert status == 2
    assert "the token is sent nowhere else: leave --address out" in " ".join(said.split())
    assert on.told.asked == []


def test_sources_that_ask_for_none_read_no_standard_input(monkeypatch, tmp_path):
    class Unread:
        def isatty(self):
            return False

        def __getattr__(self, name):
            raise AssertionError(name)

    from vidtag_engine.cli import reference

    monkeypatch.setattr(reference.sys, "stdin", Unread())
    for source in (None, "panoramax", "folder", "mapillary", "google"):  # of which one is switched off, and one not there
        assert reference.token_for(source) == ""


def test_what_is_asked_of_the_engine_shows_no_token(on, tmp_path):
    arguments = ReferenceArguments(
        output=str(tmp_path / "db"), source="mapillary", aoi=AREA, address="https://other.example", yes_query=True, token=TOKEN
    )
    assert TOKEN not in repr(arguments)
    with pytest.raises(InputError) as raised:
        run_reference(arguments)
    assert TOKEN not in str(raised.value)
    assert TOKEN not in repr(Request(1, "status"))
