"""A folder to hand over: whole or not at all, readable without us, and asking for nothing from outside."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import subprocess
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pyogrio
import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.export_cases import PROVENANCE, video
from tests.test_corrections import AOI, town
from vidtag_engine.cli.app import app
from vidtag_engine.command_arguments import ReportArguments, ReviewArguments
from vidtag_engine.commands.pin import run_pin
from vidtag_engine.commands.report import run_report
from vidtag_engine.commands.review import run_review
from vidtag_engine.export import write_geopackage
from vidtag_engine.export.case_page import chosen_rows
from vidtag_engine.export.pins import PinRow
from vidtag_engine.feedback import Feedback
from vidtag_engine.types import CancelledError, InputError

DEMO = Path(__file__).resolve().parent.parent / "resources" / "demo"


class Page(HTMLParser):
    """What a page asks for, says and shows."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.asked, self.tags, self.words, self.pictures = [], [], [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for name, value in attributes:
            if name in ("src", "href", "action", "data", "srcset"):
                if (value or "").startswith("data:image/"):
                    self.pictures.append(base64.b64decode(value.split(",", 1)[1]))
                else:
                    self.asked.append((tag, value))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def written(tmp_path):
    """A result with a video whose name would be HTML, and which lies nowhere."""
    result, _ = town()
    path = tmp_path / "town.gpkg"
    write_geopackage(path, [replace(result, info=replace(result.info, name="<b>&town.mp4"))], PROVENANCE, aoi=AOI)
    return path


def arguments(path, **more):
    return ReportArguments(str(path), str(path.parent / "case"), **more)


def test_the_folder_is_whole_sealed_and_readable_by_others(written):
    run_pin(written, PinRow("", 2, 10.02, 20.03, why="the mill"))
    run_review(ReviewArguments(str(written), "add", {"from_s": 8.0, "to_s": 24.0, "state": "accepted", "comment": "two <mills>"}))
    before = hashlib.sha256(written.read_bytes()).digest()
    said = run_report(arguments(written, case_id="2026/17", source_url="https://example.org/clip?a=1&b=2", analyst="A. Nalyst"))
    folder = Path(said["folder"])
    names = {one.name for one in folder.iterdir()}
    assert names == {*said["files"], "manifest.json", "SHA256SUMS"}
    assert {"result.gpkg", "result.review.gpkg", "result.kml", "result.kmz", "result.geojson"} < names
    # As the recipient checks it.
    checked = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True, check=True)
    assert checked.stdout.count(": OK") == len(names) - 1
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["case"] == {"number": "2026/17", "source_url": "https://example.org/clip?a=1&b=2", "analyst": "A. Nalyst"}
    for entry in manifest["files"]:
        data = (folder / entry["name"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (entry["bytes"], entry["sha256"])
    assert len(pyogrio.read_dataframe(folder / "result.gpkg", layer="frames")) == 12
    assert len(pyogrio.read_dataframe(folder / "result.review.gpkg", layer="pins")) == 1
    assert len(pyogrio.read_dataframe(folder / "result.kmz")) == 12
    assert hashlib.sha256(written.read_bytes()).digest() == before
    assert said["missing"] == ["<b>&town.mp4"]
    # The page asks for nothing, runs nothing, and takes nobody's text as its own.
    page = Page(folder / said["pages"]["<b>&town.mp4"])
    assert page.asked == [("a", "https://example.org/clip?a=1&b=2")]
    assert not {"script", "b", "mills", "iframe", "object", "link"} & set(page.tags)
    assert "default-src 'none'" in (folder / said["pages"]["<b>&town.mp4"]).read_text(encoding="utf-8")
    for words in (
        "Where was <b>&town.mp4 taken?",
        "2026/17",
        "A. Nalyst",
        "two <mills>",
        "pin, here: 10.020000, 20.030000 the mill",
        "accepted, 8 to 24 s",
    ):
        assert words in page.text
    assert "the page has no pictures" in page.text
    assert "/home/someone" not in page.text


def test_a_source_that_is_no_address_is_no_link(written):
    said = run_report(arguments(written, source_url="javascript:alert(1)"))
    assert Page(Path(said["folder"]) / next(iter(said["pages"].values()))).asked == []


def test_what_lies_there_is_never_lost(written):
    folder = written.parent / "case"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="holds files already: choose another"):
        run_report(arguments(written, overwrite=True))
    assert (folder / "mine.txt").read_text() == "mine"
    (folder / "mine.txt").unlink()
    run_report(arguments(written))  # an empty folder is taken
    with pytest.raises(InputError, match="give --overwrite to make it anew"):
        run_report(arguments(written))
    run_report(arguments(written, case_id="2", overwrite=True))
    assert json.loads((folder / "manifest.json").read_text())["case"]["number"] == "2"
    (folder / "note.txt").write_text("a person's")
    with pytest.raises(InputError, match="choose another"):
        run_report(arguments(written, overwrite=True))
    assert [left.name for left in written.parent.iterdir() if left.name.startswith(".vidtag")] == []


def test_what_a_person_has_written_into_a_case_is_kept(written):
    folder = Path(run_report(arguments(written))["folder"])
    page = next(folder.glob("*.html"))
    page.write_text(page.read_text(encoding="utf-8") + "<!-- a note -->", encoding="utf-8")
    with pytest.raises(InputError, match="was changed since the case was made"):
        run_report(arguments(written, overwrite=True))
    assert "a note" in page.read_text(encoding="utf-8")


def test_every_frame_that_somebody_spoke_of_is_shown_with_those_that_are_even(written):
    for row in (1, 4, 7, 10):
        run_pin(written, PinRow("", row, 10.02, 20.03))
    said = run_report(arguments(written, frames=3))
    page = Page(Path(said["folder"]) / next(iter(said["pages"].values())))
    assert page.text.count("pin, here") == 4
    assert {f"Frame {row} " for row in (0, 1, 4, 7, 10, 11)} <= {f"Frame {row} " for row in range(12) if f"Frame {row} " in page.text}


def test_what_nothing_has_calibrated_is_not_on_the_page(tmp_path):
    result, _ = town()
    rated, unrated = (tmp_path / name for name in ("rated.gpkg", "unrated.gpkg"))
    write_geopackage(rated, [result], PROVENANCE, aoi=AOI)
    plain = replace(result, trajectory=replace(result.trajectory, confidence=result.trajectory.confidence * float("nan")))
    write_geopackage(unrated, [plain], PROVENANCE, aoi=AOI)
    texts = [
        Page(Path(said["folder"]) / "town.mp4.html").text
        for path in (rated, unrated)
        for said in [run_report(ReportArguments(str(path), str(path.with_suffix(""))))]
    ]
    assert "50% within 100 m" in texts[0]
    assert "%" not in texts[1].split("Frame by frame")[1].split("How it was found")[0].replace("50 % (dark) and 90 % (light)", "")
    assert "not rated" in texts[1]
    assert "calibrated on other videos" in texts[1]


def test_a_stop_leaves_nothing(written):
    with pytest.raises(CancelledError, match="nothing was written"):
        run_report(arguments(written), feedback=Feedback(cancelled=lambda: True))
    assert {one.name for one in written.parent.iterdir()} == {"town.gpkg"}


@pytest.mark.parametrize("most", [0, 1, 2, 5, 12, 100])
def test_frames_are_even_and_have_the_least_sure_one(most):
    one = video("a.mp4", [10.0] * 40, [20.0] * 40, [0.9] * 17 + [0.2] + [0.9] * 22)
    rows = chosen_rows(one, most)
    assert len(rows) == len(set(rows)) <= max(most, 1 if most else 0) + 1
    assert rows == sorted(rows)
    assert not most or 17 in rows
    assert most < 3 or {0, 39} <= set(rows)


def test_too_many_frames_are_refused(written):
    with pytest.raises(InputError, match="give 0 to 200"):
        run_report(arguments(written, frames=1000))


@pytest.mark.slow
def test_pictures_are_those_of_the_video(tmp_path):
    from vidtag_engine.geolocation import geolocate
    from vidtag_engine.grid import load_aoi
    from vidtag_engine.settings import GeolocateSettings

    shutil.copy(DEMO / "drive.mp4", tmp_path / "drive.mp4")
    geolocate(
        [tmp_path / "drive.mp4"], load_aoi(str(DEMO / "aoi.geojson")), str(DEMO / "checkpoint"), tmp_path / "drive.gpkg",
        GeolocateSettings(resolution_m=50.0, device="cpu"),
    )  # fmt: skip
    told = CliRunner().invoke(app, ["report", str(tmp_path / "drive.gpkg"), "--folder", str(tmp_path / "case"), "--frames", "6", "--json"])
    assert told.exit_code == 0, told.output
    said = json.loads(told.output.splitlines()[-1])
    assert said["missing"] == []
    page = Page(tmp_path / "case" / said["pages"]["drive.mp4"])
    shown = [Image.open(io.BytesIO(data)) for data in page.pictures]
    assert len(shown) >= 7  # the map, and at least six frames
    assert {picture.size for picture in shown[1:]} == {(448, 336)}
    with zipfile.ZipFile(tmp_path / "case" / "result.kmz") as kmz:
        pictures = [name for name in kmz.namelist() if name.endswith(".jpg")]
        assert len(pictures) >= 6
        assert kmz.read("doc.kml").decode().count("img src=") == len(pictures)
        assert {kmz.read(name) for name in pictures} <= set(page.pictures)
