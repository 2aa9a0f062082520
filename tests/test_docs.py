"""The documentation: its made pages are new, its notebook runs, its site builds strictly and needs nothing from outside. Its commands: test_docs_commands.py."""

from __future__ import annotations

import html.parser
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import typer

from tests import docs_commands
from vidtag_engine.cli.app import app

ROOT = Path(__file__).resolve().parent.parent
_LOADS = {("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("video", "src"), ("image", "href"), ("use", "href")}


class _Page(html.parser.HTMLParser):
    """Anchors of a built page, what it links to, and what a browser would load for it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.ids |= {values[name] for name in ("id", "name") if values.get(name)}
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        for name in ("src", "href"):
            relation = (values.get("rel") or "").split()
            loaded = (tag, name) in _LOADS or (tag == "link" and name == "href" and not {"canonical", "prev", "next"} & set(relation))
            if loaded and values.get(name):
                self.loads.append(values[name])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [
        str(docs_commands.docs_python()),
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--config-file",
        str(ROOT / "mkdocs.yml"),
        "--site-dir",
        str(folder),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"})
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def built(site):
    return {path: _Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}


@pytest.mark.slow
def test_made_pages_are_new(tmp_path):
    subprocess.run([sys.executable, str(ROOT / "tools" / "make_docs.py"), str(tmp_path)], check=True, cwd=ROOT)
    for page in tmp_path.iterdir():
        stored = ROOT / "docs" / "reference" / page.name
        assert stored.read_text(encoding="utf-8") == page.read_text(encoding="utf-8"), f"{page.name} is old: run tools/make_docs.py"


@pytest.mark.slow
def test_every_algorithm_and_command_is_told(site):
    algorithms = (site / "reference" / "algorithms.html").read_text(encoding="utf-8")
    for page in (ROOT / "resources" / "help").glob("*.html"):
        assert f'id="{page.stem}"' in algorithms
        assert page.read_text(encoding="utf-8").count("<tr>") == algorithms.partition(f'id="{page.stem}"')[2].partition("<h2")[0].count(
            "<tr>"
        )
    commands = (site / "reference" / "cli.html").read_text(encoding="utf-8")
    for name in typer.main.get_command(app).commands:
        assert f'id="vidtag-{name}"' in commands


@pytest.mark.slow
def test_every_page_is_in_the_navigation_and_shows_what_it_should(site, built):
    assert {path.relative_to(docs_commands.DOCS).with_suffix(".html") for path in docs_commands.pages()} <= {
        p.relative_to(site) for p in built
    }
    assert "Demo drive, unseen" in (site / "benchmarks.html").read_text(encoding="utf-8")
    assert "Unreleased" in (site / "changelog.html").read_text(encoding="utf-8")
    assert not [
        path for path in built if "&lt;!-- show" in path.read_text(encoding="utf-8") or "<!-- show" in path.read_text(encoding="utf-8")
    ]
    index = (site / "search" / "search_index.json").read_text(encoding="utf-8")
    assert len(json.loads(index)["docs"]) > 100


@pytest.mark.slow
def test_every_picture_is_shown(built):
    shown = {Path(unquote(load)).name for page in built.values() for load in page.loads}
    stored = {path.name for folder in ("images", "search", "phantom-isles") for path in (docs_commands.DOCS / folder).rglob("*.*")}
    assert stored <= shown


@pytest.mark.slow
def test_no_link_is_dead(site, built):
    dead = []
    for path, page in built.items():
        for link in {*page.links, *page.loads}:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists() or (parts.fragment and target in built and unquote(parts.fragment) not in built[target].ids):
                dead.append(f"{path.relative_to(site)}: {link}")
    assert not dead


@pytest.mark.slow
def test_no_page_asks_for_anything_from_outside(site, built):
    """Scripts and fonts lie beside the pages. (The theme's own script knows of hosts for diagrams and for repositories: the site has neither.)"""
    outside = [f"{path.name}: {load}" for path, page in built.items() for load in page.loads if urlsplit(load).netloc]
    outside += [
        f"{path.name}: {found}"
        for path in site.rglob("*.css")
        for found in re.findall(r"(?:@import\s+|url\()[\"']?((?:https?:)?//[^\"')]+)", path.read_text(encoding="utf-8"))
    ]
    assert not outside
    text = [path.read_text(encoding="utf-8") for path in built]
    assert not [one for one in text if 'class="mermaid"' in one or "data-md-component=source" in one or 'data-md-component="source"' in one]


@pytest.mark.slow
def test_the_notebook_was_run_and_shows_a_way_and_its_error(site):
    page = (site / "notebook.html").read_text(encoding="utf-8")
    median = re.search(r"<td>median error</td><td>([\d.]+) m</td>", page)
    assert median
    assert 2 < float(median[1]) < 12
    assert "<td>drive.mp4</td><td>40</td><td>40</td>" in page  # the result shows itself
    assert page.count("POINT (159.9") == 5  # a table of frames
    assert (site / "notebook-1.png").stat().st_size > 5000
    assert "<img alt=\"The demo's way in degrees" in page
    # As it is stored it holds no outputs: they would be of another day.
    stored = json.loads((docs_commands.DOCS / "notebook.ipynb").read_text(encoding="utf-8"))
    assert not [cell for cell in stored["cells"] if cell.get("outputs") or cell.get("execution_count")]


@pytest.mark.slow
def test_a_cell_that_fails_fails_the_page(tmp_path):
    notebook = json.loads((docs_commands.DOCS / "notebook.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    notebook["cells"] = [{**cells[0], "source": ["import vidtag_engine as vidtag\n", "vidtag.geolocate('absent.mp4')"]}]
    (tmp_path / "broken.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    command = [docs_commands.docs_python(), ROOT / "tools" / "notebook_page.py", tmp_path / "broken.ipynb"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert "InputError" in done.stderr
    assert not done.stdout


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("qgis_process") is None, reason="QGIS is not installed")
def test_the_tutorial_runs(tmp_path):
    """Its commands, as they stand there, in one shell: what a new user does."""
    home, programs, variables = docs_commands.reader(tmp_path)
    said = docs_commands.run(docs_commands.DOCS / "tutorial.md", home, programs, variables)
    folder = home / "vidtag-demo"
    for name in ("drive.gpkg", "heat.tif", "errors.gpkg", "report.html", "drive.kml"):
        assert (folder / name).stat().st_size > 1000, name
    median = float(re.search(r"^MEDIAN_M:\s*([\d.]+)", said, re.MULTILINE)[1])
    assert 2 < median < 12  # the text says about 5 m
    assert re.search(r"LOCATED_COUNT:\s*40", said)
