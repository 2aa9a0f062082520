"""A handed over page in a real browser, where one is: what it asks for, says on the console, and looks like by day, by night, on a phone and on paper."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.export_cases import PROVENANCE, unsure
from tests.test_corrections import AOI, town
from tests.web_server import serving
from vidtag_engine.command_arguments import ReportArguments
from vidtag_engine.commands.report import run_report
from vidtag_engine.export import write_geopackage

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: it is too large for `make test` to install (apt-get install chromium)"),
]
# Chromium asks these of its own accord, whatever it is told; no page of ours names them.
OF_CHROMIUM = ("google.com", "googleapis.com", "gvt1.com")
QUIET = (
    "--headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync --disable-default-apps "
    "--no-first-run --hide-scrollbars --allow-file-access-from-files --enable-logging=stderr"
).split()


class Browser:
    """Chromium with a profile of its own; ``asked`` and ``console`` tell of the last page."""

    def __init__(self, folder):
        self.folder, self.asked, self.console = folder, set(), []

    def show(self, page, *options):
        """Load a page; returns what is printed."""
        log = self.folder / "net.json"
        run = subprocess.run(
            [CHROMIUM, *QUIET, f"--user-data-dir={self.folder / 'profile'}", f"--log-net-log={log}", *options, page.as_uri()],
            capture_output=True, text=True, check=True, timeout=120,
        )  # fmt: skip
        events = json.loads(log.read_text(encoding="utf-8"))["events"]
        addresses = {event["params"]["url"] for event in events if isinstance(event.get("params"), dict) and "url" in event["params"]}
        self.asked = {one for one in addresses if not one.split("?")[0].split("/")[2].endswith(OF_CHROMIUM)}
        self.console = [line for line in run.stderr.splitlines() if "CONSOLE" in line]
        return run.stdout

    def picture(self, page, width, height, *options):
        """How it looks, (height, width, 3)."""
        path = self.folder / "shown.png"
        self.show(page, f"--window-size={width},{height}", f"--screenshot={path}", *options)
        return np.asarray(Image.open(path).convert("RGB"))


@pytest.fixture
def browser(tmp_path):
    return Browser(tmp_path)


@pytest.fixture
def page(tmp_path):
    """Of a video with a name and words that are hard to wrap."""
    result, _ = town()
    path = tmp_path / "town.gpkg"
    write_geopackage(path, [replace(result, info=replace(result.info, name="<img src=x>" + "a" * 80 + ".mp4"))], PROVENANCE, aoi=AOI)
    said = run_report(
        ReportArguments(str(path), str(tmp_path / "case"), case_id="2026/17", source_url="https://example.org/" + "x" * 200, analyst="محمد")
    )
    return Path(said["folder"]) / next(iter(said["pages"].values()))


def test_what_the_checks_would_see(browser, tmp_path):
    """They can fail: a page that asks for a picture and says something wrong is found out."""
    with serving({"/x.png": lambda _: (404, {}, b"")}) as (address, told):
        other = tmp_path / "other.html"
        other.write_text(f'<img src="{address}/x.png"><script>console.error("wrong")</script>', encoding="utf-8")
        browser.show(other, "--dump-dom")
    assert told.paths == ["/x.png"]
    assert f"{address}/x.png" in browser.asked
    assert "wrong" in "".join(browser.console)


def test_a_page_asks_for_nothing_and_has_nothing_to_complain_of(browser, page):
    shown = browser.show(page, "--dump-dom")
    assert "Where was &lt;img src=x&gt;aaa" in shown
    assert browser.asked == set()
    assert browser.console == []
    assert not any(host in page.read_text(encoding="utf-8") for host in OF_CHROMIUM)


def test_it_is_light_by_day_and_dark_by_night(browser, page):
    day, night = (browser.picture(page, 1200, 800, *more)[:, :30].mean() for more in ((), ("--force-dark-mode",)))
    assert day > 240
    assert night < 40


@pytest.mark.parametrize("width", [360, 768, 1400])
def test_nothing_is_wider_than_the_window(browser, page, tmp_path, width):
    around = tmp_path / "around.html"
    around.write_text(
        f'<iframe id="f" width="{width}" height="700" src="{page.as_uri()}"></iframe><p id="said"></p><script>'
        'const f=document.getElementById("f");f.onload=()=>{const d=f.contentDocument;'
        'document.getElementById("said").textContent="WIDE "+d.documentElement.scrollWidth+" IMAGES "+'
        "[...d.images].filter(i=>i.complete&&i.naturalWidth>0).length+' OF '+d.images.length}</script>",
        encoding="utf-8",
    )
    shown = browser.show(around, "--dump-dom", "--window-size=1600,900", "--virtual-time-budget=10000")
    words = shown[shown.index("WIDE ") :].split("<")[0].split()
    assert int(words[1]) <= width
    assert words[3] == words[5] != "0"  # every picture is whole


def test_on_paper_no_frame_is_cut_and_the_ground_is_white(browser, tmp_path):
    path = tmp_path / "unsure.gpkg"
    write_geopackage(path, [unsure()], PROVENANCE, aoi=AOI)
    said = run_report(ReportArguments(str(path), str(tmp_path / "case"), case_id="2026/17"))
    page = Path(said["folder"]) / next(iter(said["pages"].values()))
    browser.show(page, f"--print-to-pdf={tmp_path / 'paper.pdf'}", "--no-pdf-header-footer", "--force-dark-mode")
    text = subprocess.run(["pdftotext", tmp_path / "paper.pdf", "-"], capture_output=True, text=True, check=True).stdout
    for sheet in text.split("\f"):  # a frame's first and last line stand on the same sheet
        assert sheet.count("Frame ") - sheet.count("Frame by frame") == sheet.count("Place\n")
    assert "Where was unsure.mp4 taken?" in text
    subprocess.run(["pdftoppm", "-r", "40", "-png", tmp_path / "paper.pdf", tmp_path / "sheet"], check=True)
    assert all(np.asarray(Image.open(one))[:, :8].min() > 240 for one in tmp_path.glob("sheet-*.png"))
