"""A folder to hand over: whole or not at all, readable without us, and asking for nothing from outside."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyogrio
import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.export_cases import PROVENANCE, unsure, video
from tests.test_corrections import AOI, town
from vidtag_engine.cli.app import app
from vidtag_engine.command_arguments import ReportArguments, ReviewArguments
from vidtag_engine.commands.pin import run_pin
from vidtag_engine.commands.report import run_report
from vidtag_engine.commands.review import run_review
from vidtag_engine.export import write_geopackage
from vidtag_engine.export.case_content import chosen_rows
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


def pdf_text(path):
    """As poppler reads it, which knows nothing of how it was written."""
    return " ".join(subprocess.run(["pdftotext", path, "-"], capture_output=True, text=True, check=True).stdout.split())


def test_the_pdf_says_what_the_page_says(written):
    run_pin(written, PinRow("", 2, 10.02, 20.03, why="the mill"))
    run_review(ReviewArguments(str(written), "add", {"from_s": 8.0, "to_s": 24.0, "state": "accepted", "comment": "two <mills>"}))
    said = run_report(arguments(written, case_id="2026/17", source_url="https://example.org/clip?a=1&b=2", analyst="Ανδρέας Иванов Łukasz"))
    pages = [Path(said["folder"]) / name for name in said["pages"].values()]
    pdf = pages[0].with_suffix(".pdf")
    assert pdf.name in said["files"]
    text = pdf_text(pdf)
    page = Page(pages[0])
    for words in (
        "Where was <b>&town.mp4 taken?",
        "Ανδρέας Иванов Łukasz",
        "two <mills>",
        "accepted, 8 to 24 s",
        "How it was found",
        "it is no proof",
    ):
        assert words in page.text
        assert words in text
    # Every fact of every frame: what stands in one column in the page may be broken over lines there.
    packed = text.replace(" ", "")
    for word in page.text[page.text.index("Where was") :].split():
        assert word in packed, word
    assert text.count("2026/17 · <b>&town.mp4") == int(pdf_facts(pdf)["Pages"]) > 2  # at the foot of each page
    facts = pdf_facts(pdf)
    assert (facts["JavaScript"], facts["Encrypted"], facts["Tagged"]) == ("no", "no", "yes")
    assert facts["Page size"].endswith("(A4)")
    links = subprocess.run(["pdfinfo", "-url", pdf], capture_output=True, text=True, check=True).stdout
    assert links.split()[-1] == "https://example.org/clip?a=1&b=2"
    fonts = subprocess.run(["pdffonts", pdf], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
    assert all(line.split()[-5:-2] == ["yes", "yes", "yes"] for line in fonts)  # embedded, a subset, and known as Unicode
    about = subprocess.run(["pdfinfo", "-meta", pdf], capture_output=True, text=True, check=True).stdout
    when = f"{PROVENANCE.created_utc:%Y-%m-%dT%H:%M:%S}Z"
    assert set(re.findall(r"<xmp:\w+Date>(.*?)<", about)) == {when}  # of the result, not of this file
    assert re.findall(r"<rdf:li.*?>(.*?)</rdf:li>", about) == ["Where was &lt;b&gt;&amp;town.mp4 taken?", "Ανδρέας Иванов Łukasz"]
    whole = hashlib.sha256(pdf.read_bytes()).hexdigest()
    again = run_report(
        arguments(
            written, case_id="2026/17", source_url="https://example.org/clip?a=1&b=2", analyst="Ανδρέας Иванов Łukasz", overwrite=True
        )
    )
    assert again["files"][pdf.name]["sha256"] == whole


def pdf_facts(path):
    lines = subprocess.run(["pdfinfo", path], capture_output=True, text=True, check=True).stdout.splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_nothing_of_the_pdf_lies_beside_its_page_or_over_another_part(tmp_path):
    """Long names, many words on a frame and a hundred frames: every word is inside the margins, and no two lines lie upon each other."""
    result, _ = town()
    path = tmp_path / "town.gpkg"
    write_geopackage(path, [replace(result, info=replace(result.info, name="a" * 140 + ".mp4"))], PROVENANCE, aoi=AOI)
    for row in range(12):
        run_review(
            ReviewArguments(str(path), "add", {"from_s": 8.0 * row, "to_s": 8.0 * row, "state": "unsure", "comment": "word " * 40 * row})
        )
    said = run_report(arguments(path, source_url="https://example.org/" + "x" * 300))
    pdf = (Path(said["folder"]) / next(iter(said["pages"].values()))).with_suffix(".pdf")
    boxes = subprocess.run(["pdftotext", "-bbox", pdf, "-"], capture_output=True, text=True, check=True).stdout
    for one in boxes.split("<page ")[1:]:
        words = [tuple(map(float, found)) for found in re.findall(r'xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">', one)]
        assert min(word[0] for word in words) > 40
        assert max(word[2] for word in words) < 595.3 - 40
        assert max(word[3] for word in words) < 841.9 - 20
        for number, (left, top, right, bottom) in enumerate(words):
            middle = (top + bottom) / 2
            for other in words[number + 1 :]:
                beside = right <= other[0] + 0.5 or other[2] <= left + 0.5
                assert beside or middle < other[1] + 0.5 or middle > other[3] - 0.5, (number, words[number], other)


def test_letters_that_no_font_has_are_told(written, monkeypatch):
    from vidtag_engine.export import pdf_fonts

    monkeypatch.setattr(pdf_fonts.font_manager, "findSystemFonts", lambda **_: [])
    said = run_report(arguments(written, analyst="李雷 and Ada"))
    text = pdf_text((Path(said["folder"]) / next(iter(said["pages"].values()))).with_suffix(".pdf"))
    assert "\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER} and Ada" in text
    assert "No font of the computer that made this PDF has the letters" in text
    run_report(arguments(written, analyst="Ada", overwrite=True))
    assert "No font" not in pdf_text((Path(said["folder"]) / next(iter(said["pages"].values()))).with_suffix(".pdf"))


def test_letters_written_from_the_right_are_read_from_the_right(written):
    """Poppler gives them back in the order in which they are said; without HarfBuzz they came out backwards, and Arabic ones apart."""
    names = "محمد بن سلمان", "שלום עולם"
    said = run_report(arguments(written, analyst=" / ".join(names)))
    pdf = (Path(said["folder"]) / next(iter(said["pages"].values()))).with_suffix(".pdf")
    text = pdf_text(pdf)
    assert all(name in text for name in names), text[:400]
    assert "Where was <b>&town.mp4 taken?" in text


def test_other_letters_come_from_the_computer_s_fonts(written, monkeypatch):
    """A font that has a letter which DejaVu Sans lacks: computer modern's, which lies in matplotlib, has letters in the private area."""
    from matplotlib import get_data_path

    from vidtag_engine.export import pdf_fonts

    folder = Path(get_data_path()) / "fonts" / "ttf"
    held = pdf_fonts._letters(folder / "DejaVuSans.ttf", 0)
    other = next(path for path in sorted(folder.glob("STIX*.ttf")) if pdf_fonts._letters(path, 0) - held)
    letter = sorted(one for one in pdf_fonts._letters(other, 0) - held if one.isprintable())[0]
    monkeypatch.setattr(pdf_fonts.font_manager, "findSystemFonts", lambda **_: [str(other), str(folder / "gone.ttf"), __file__])
    fonts = pdf_fonts.fonts_for(f"Ada {letter}")
    assert (fonts.missing, fonts.note, len(fonts.others)) == (frozenset(), "", 1)
    said = run_report(arguments(written, analyst=f"Ada {letter}"))
    pdf = (Path(said["folder"]) / next(iter(said["pages"].values()))).with_suffix(".pdf")
    assert f"Ada {letter}" in pdf_text(pdf)
    assert "STIX" in subprocess.run(["pdffonts", pdf], capture_output=True, text=True, check=True).stdout


def test_regions_are_in_the_kmz_when_they_are_asked_for(tmp_path):
    written = tmp_path / "unsure.gpkg"
    write_geopackage(written, [unsure()], PROVENANCE, aoi=AOI)
    plain, whole = (
        Path(run_report(ReportArguments(str(written), str(written.parent / name), regions=asked))["folder"]) / "result.kmz"
        for name, asked in (("plain", False), ("whole", True))
    )
    assert [name for name, _ in pyogrio.list_layers(plain)] == ["unsure.mp4"]
    layers = {name: pyogrio.read_dataframe(whole, layer=name) for name, _ in pyogrio.list_layers(whole)}
    polygons = sum(int((layer.geom_type.isin(["Polygon", "MultiPolygon", "GeometryCollection"])).sum()) for layer in layers.values())
    result = pyogrio.read_dataframe(written, layer="regions")
    assert "Regions" in str(pyogrio.list_layers(whole))
    assert polygons == len(result) > 0
    write_geopackage(tmp_path / "unrated.gpkg", [unsure(rated=False)], PROVENANCE, aoi=AOI)
    unrated = (
        Path(run_report(ReportArguments(str(tmp_path / "unrated.gpkg"), str(tmp_path / "none"), regions=True))["folder"]) / "result.kmz"
    )
    assert "Regions" not in str(pyogrio.list_layers(unrated))  # nothing has calibrated what they hold
    with zipfile.ZipFile(whole) as archive:
        text = archive.read("doc.kml").decode("utf-8")
    assert text.count("<visibility>0</visibility>") == len(result) + 1  # their folder, too


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
    pdf = tmp_path / "case" / "drive.mp4.pdf"
    subprocess.run(["pdfimages", "-all", pdf, tmp_path / "image"], check=True)
    assert {data for data in page.pictures if data.startswith(b"\xff\xd8")} == {
        one.read_bytes() for one in tmp_path.glob("image-*.jpg")
    }  # bit by bit
    subprocess.run(["pdftoppm", "-r", "50", "-png", pdf, tmp_path / "sheet"], check=True)
    sheets = [np.asarray(Image.open(one).convert("RGB")) for one in sorted(tmp_path.glob("sheet-*.png"))]
    assert len(sheets) == int(pdf_facts(pdf)["Pages"])
    assert all((sheet < 200).any(axis=2).mean() > 0.01 for sheet in sheets)  # none is empty
    around = np.array([int("b9d3ea"[i : i + 2], 16) for i in (0, 2, 4)])
    assert any((np.abs(sheet - around).max(axis=2) < 8).mean() > 0.01 for sheet in sheets)  # the regions are drawn
