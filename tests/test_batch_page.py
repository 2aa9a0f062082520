"""The page of a batch: what it holds, that no name can act in it, and what its script shows, in WebKit where there is one."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import shutil
import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from urllib.request import url2pathname

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from vidtag_engine.export.batch_page import BatchRow, write_batch_page
from vidtag_engine.export.line_thumbnail import BOX_HEIGHT, BOX_WIDTH, MOST_POINTS, line_thumbnail
from vidtag_engine.file_marks import own_kind
from vidtag_engine.types import FrameState, InputError

WHEN = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
WAY = (((11.57, 48.13), (11.58, 48.135), (11.60, 48.13)),)
# The order of the values of a row, as the script of the page reads them.
NAMES = (
    "video",
    "state",
    "why",
    "confidence",
    "class",
    "radius_m",
    "frames",
    "located",
    "length_m",
    "start",
    "duration_s",
    "path",
    "width_m",
    "area",
)
VOID = {"meta", "input", "br", "wbr", "link", "img"}
ATTACKS = [
    "</script><script>window.hurt=1</script>", "<!--<script>", "-->", "]]>", "<img src=x onerror=window.hurt=1>", "\"'`&amp;<b>", "@@ROWS@@", "@@TITLE@@",
    "a\u2028b\u2029c\u202egpm.", "\udce9.mp4", "\ud800 half", "\U0001f3ac 東京/道.mp4", "\\u003c", "\x00\x1b[31m\r\n\t", "</title></style></noscript>",
    "javascript:alert(1)",
]  # fmt: skip
hostile = st.one_of(
    st.sampled_from(ATTACKS), st.text(st.characters(exclude_categories=())), st.lists(st.sampled_from(ATTACKS)).map("".join)
)


class Page(HTMLParser):
    """Elements in their order, and the text in each of those that are asked for."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(dict(attrs).get("id") or tag)

    def handle_endtag(self, tag):
        assert tag not in VOID
        self.open.pop()

    def handle_data(self, data):
        for place in self.open:
            self.texts.setdefault(place, []).append(data)

    def text(self, place):
        return "".join(self.texts[place])

    def rows(self):
        return [dict.fromkeys(NAMES) | dict(zip(NAMES, values, strict=False)) for values in json.loads(self.text("rows"))]


def written(path: Path, rows, **changed) -> Page:
    write_batch_page(path, rows, **{"title": "May", "output": "r.gpkg", "created_utc": WHEN, "overwrite": True} | changed)
    return Page(path)


def many(count: int):
    states = [state.value for state in FrameState] + ["failed", "missing", None]
    random = np.random.default_rng(7)
    for i in range(count):
        steps = np.array([11.0, 48.0]) + np.cumsum(random.normal(0.0, 1e-4, (120, 2)), axis=0)
        lines = (tuple(map(tuple, steps.tolist())),)
        why = "nothing that the checkpoint knows can speak of the places that were searched: add reference images of this area."
        yield BatchRow(
            f"card {i % 9}/GX{i:06d}.MP4", states[i % len(states)], why, (i % 100) / 100, 100.0, 120, 118, 1234.5, "2024-05-01T10:00:00Z", 61.0, lines
        )  # fmt: skip


def points_of(path: str) -> list[list[tuple[int, int]]]:
    """The parts of a path of M and l (or h0), read without the writer's help."""
    assert re.fullmatch(r"(M\d+ \d+(h0|l-?\d+[ -]\d+(?:[ -]-?\d+)*))+", path)
    parts = []
    for part in path.split("M")[1:]:
        start, _, steps = part.replace("h0", "").partition("l")
        x, y = map(int, start.split())
        numbers = list(map(int, re.findall(r"-?\d+", steps)))
        points = [(x, y)]
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
            points.append((points[-1][0] + dx, points[-1][1] + dy))
        parts.append(points)
    return parts


def test_the_page_holds_each_video_and_the_counts_without_its_script(tmp_path):
    rows = [
        BatchRow("a.mp4", "located", "", 0.7249, 100.0, 20, 18, 512.25, "2024-05-01T12:00:03.5+02:00", 65.4, WAY, "old town"),
        BatchRow("b.mp4", "unknown_ground", "nobody knows\nthis place", None, 100.0, 20, 20, lines=WAY),
        BatchRow("c.mp4", "failed", "it is cut off"),
        BatchRow("d.mp4", "missing"),
        BatchRow("e.mp4", None, mean_confidence=math.nan, length_m=math.inf, duration_s=math.nan, start_time="soon"),
        BatchRow("f.mp4", "located", mean_confidence=1.0, lines=WAY),
    ]
    page = written(tmp_path / "p.html", iter(rows))
    got = page.rows()
    assert [one["video"] for one in got] == ["a.mp4", "b.mp4", "c.mp4", "d.mp4", "e.mp4", "f.mp4"]
    assert [one["state"] for one in got] == ["located", "unknown_ground", "failed", "missing", "", "located"]
    assert [one["confidence"] for one in got] == [0.7249, None, None, None, None, 1.0]
    assert [one["class"] for one in got] == [3, None, None, None, None, 4]
    assert {**got[0], "path": "", "width_m": 0} == dict(
        zip(NAMES, ("a.mp4", "located", "", 0.7249, 3, 100, 20, 18, 512.25, "2024-05-01 10:00:03", 65.4, "", 0, "old town"), strict=True)
    )
    assert got[1]["why"] == "nobody knows this place"
    assert (got[4]["length_m"], got[4]["duration_s"], got[4]["start"], got[4]["path"]) == (None, None, "soon", None)
    counts = {attrs["data-state"] for tag, attrs in page.elements if "data-state" in attrs}
    assert counts == {"located", "unknown_ground", "failed", "missing", ""}
    said = re.sub(r"\s+", " ", page.text("counts")).strip()
    assert said == "Located 2 Unknown ground 1 Failed 1 Not done yet 1 No verdict 1"
    assert "JavaScript" in page.text("noscript")
    assert "6 videos. Result: r.gpkg. Written 2024-05-01 12:00 UTC." in page.text("header")


def test_it_asks_for_nothing_and_its_policy_allows_its_own_script_and_style_alone(tmp_path):
    path = tmp_path / "p.html"
    page = written(path, many(3), output=None)
    assert not [
        1 for tag, attrs in page.elements if {"src", "href", "srcset", "action", "style"} & set(attrs) or tag in {"link", "iframe", "img"}
    ]
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]
    raw = path.read_text(encoding="utf-8")
    assert re.findall(r"https?://[^\"]*", raw) == ["http://www.w3.org/2000/svg"]
    assert "@import" not in raw
    assert "url(" not in raw
    policy = next(attrs["content"] for _, attrs in page.elements if attrs.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert (rules["default-src"], rules["base-uri"], rules["form-action"]) == ("'none'",) * 3
    for name, tag in (("script-src", "script"), ("style-src", "style")):
        text = re.search(rf"<{tag}>(.*?)</{tag}>", raw, re.DOTALL)[1]
        assert rules[name] == f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@settings(max_examples=150, deadline=None)
@given(hostile, hostile, hostile, st.one_of(st.none(), hostile), st.one_of(st.none(), hostile), st.one_of(st.none(), hostile))
def test_no_text_is_markup(tmp_path_factory, video, why, title, area, start, state):
    folder = tmp_path_factory.getbasetemp()
    row = BatchRow(video, state, why, 0.5, 50.0, 3, 3, start_time=start, lines=WAY, area=area)
    page = written(folder / "p.html", [row], title=title)
    plain = written(folder / "plain.html", [BatchRow("v", "located", "w", 0.5, 50.0, 3, 3, lines=WAY)], title="t")
    assert [(tag, sorted(attrs)) for tag, attrs in page.elements] == [(tag, sorted(attrs)) for tag, attrs in plain.elements]
    [got] = page.rows()
    for name, given_text in (("video", video), ("why", why)):
        printable = [c for c in given_text if c.isprintable() and not "\ud800" <= c <= "\udfff"]
        assert [c for c in got[name] if c not in " \ufffd"] == [c for c in printable if c not in " \ufffd"]
    assert not re.search("[<>&\u2028\u2029]", page.text("rows"))
    assert own_kind(folder / "p.html") == "page"


@given(
    st.text(st.characters(exclude_characters="/\x00", exclude_categories=()), min_size=1, max_size=40).filter(
        lambda name: name not in {".", ".."}
    )
)
def test_the_link_leads_to_the_file_beside_the_page(tmp_path_factory, name):
    folder = tmp_path_factory.getbasetemp()
    page = written(folder / "linked.html", [], output=name)
    [link] = [attrs["href"] for tag, attrs in page.elements if tag == "a"]
    split = urlsplit(urljoin((folder / "linked.html").as_uri(), link))
    assert (split.scheme, split.query, split.fragment) == ("file", "", "")
    assert Path(url2pathname(split.path)).parent == folder
    try:
        encoded = name.encode("utf-8")
    except UnicodeEncodeError:
        return
    assert Path(url2pathname(split.path)).name.encode("utf-8") == encoded


def test_the_moment_is_in_utc_and_an_empty_batch_has_a_page(tmp_path):
    page = written(tmp_path / "p.html", [], created_utc=datetime(2024, 5, 1, 1, 30, tzinfo=timezone(timedelta(hours=2))))
    assert "0 videos. Result: r.gpkg. Written 2024-04-30 23:30 UTC." in page.text("header")
    assert page.rows() == []


def test_ten_thousand_videos_take_little_memory_and_disk(tmp_path):
    written(tmp_path / "warm.html", many(10))
    tracemalloc.start()
    write_batch_page(tmp_path / "p.html", many(10_000), title="May", output=None, created_utc=WHEN)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5e6
    assert 1e6 < (tmp_path / "p.html").stat().st_size < 5e6
    assert len(Page(tmp_path / "p.html").rows()) == 10_000


def test_what_is_not_ours_stays_and_a_row_that_fails_leaves_nothing(tmp_path):
    path = tmp_path / "p.html"
    path.write_text("<!DOCTYPE html><html><body>mine</body></html>")
    with pytest.raises(InputError, match="bears no mark"):
        write_batch_page(path, many(2), title="t", output=None, created_utc=WHEN)
    written(path, many(2))
    write_batch_page(path, many(3), title="t", output=None, created_utc=WHEN)
    before = path.read_bytes()

    def broken():
        yield BatchRow("a", "located")
        raise InputError("It stopped.")

    with pytest.raises(InputError, match=r"It stopped\."):
        write_batch_page(path, broken(), title="t", output=None, created_utc=WHEN)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["p.html"]


coordinates = st.tuples(st.floats(-180.0, 180.0), st.floats(-90.0, 90.0))


@settings(deadline=None)
@given(st.lists(st.lists(coordinates, max_size=30), max_size=25))
def test_any_line_is_drawn_inside_its_box_with_few_points(lines):
    drawn = line_thumbnail(lines)
    if drawn is None:
        assert not any(lines)
        return
    parts = points_of(drawn.path)
    assert sum(map(len, parts)) <= MOST_POINTS
    assert all(0 <= x <= BOX_WIDTH and 0 <= y <= BOX_HEIGHT for part in parts for x, y in part)
    assert math.isfinite(drawn.box_width_m)
    assert drawn.box_width_m >= 20.0


@pytest.mark.parametrize("lat", [-60.0, 0.0, 48.0, 75.0])
@pytest.mark.parametrize("lon", [11.0, 179.999])
def test_lengths_and_directions_are_those_on_the_ground(lat, lon):
    """A cross of a kilometre each way, by geodesics; at the antimeridian its arm is cut, as lines of results are."""
    geod = Geod(ellps="WGS84")
    ends = [geod.fwd(lon, lat, azimuth, 1000.0)[:2] for azimuth in (0, 90, 180, 270)]
    across = [(ends[3], ends[1])] if ends[3][0] < ends[1][0] else [(ends[3], (180.0, lat)), ((-180.0, lat), ends[1])]
    drawn = line_thumbnail([(ends[2], ends[0]), *across])
    units_per_m = BOX_WIDTH / drawn.box_width_m
    (south, north), *arms = points_of(drawn.path)
    assert south[0] == north[0] == BOX_WIDTH // 2
    assert (south[1] - north[1]) / units_per_m == pytest.approx(2000.0, rel=0.02)
    xs = [x for arm in arms for x, _ in arm]
    assert xs == sorted(xs)
    assert (xs[-1] - xs[0]) / units_per_m == pytest.approx(2000.0, rel=0.02)
    assert xs[0] + xs[-1] == pytest.approx(BOX_WIDTH, abs=1)


def test_a_long_way_keeps_its_form():
    turns = np.linspace(0.0, 2.0 * np.pi, 5_000)
    lon, lat = 11.0 + 0.03 * np.sin(turns), 48.0 + 0.02 * np.sin(2.0 * turns)
    drawn = line_thumbnail([list(zip(lon, lat, strict=True))])
    [points] = points_of(drawn.path)
    units = BOX_WIDTH / drawn.box_width_m
    metres = np.column_stack([(lon - 11.0) * 111_195 * math.cos(math.radians(48.0)), (48.0 - lat) * 111_195])
    truth = shapely.LineString(metres * units + (BOX_WIDTH / 2, BOX_HEIGHT / 2))
    assert 16 < len(points) <= MOST_POINTS
    assert shapely.hausdorff_distance(truth, shapely.LineString(points), densify=0.01) < 4.0


def test_a_standing_camera_is_a_dot_and_of_many_parts_the_longest_are_drawn():
    dot = line_thumbnail([((11.0, 48.0), (11.000000001, 48.0))])
    assert (dot.path, dot.box_width_m) == (f"M{BOX_WIDTH // 2} {BOX_HEIGHT // 2}h0", 20.0)
    assert line_thumbnail([((11.0, 48.0),)]).path == dot.path
    assert line_thumbnail([((math.nan, 48.0), (math.inf, 1.0)), ()]) is None
    parts = [((11.0, 48.0 + i / 1000), (11.0 + (0.02 if i % 3 == 0 else 0.001), 48.0 + i / 1000)) for i in range(40)]
    kept = points_of(line_thumbnail(parts).path)
    assert len(kept) == MOST_POINTS // 2
    assert sum(part[-1][0] - part[0][0] > 20 for part in kept) == 14


DRIVER = r"""
import json, sys
from PyQt5.QtCore import QEventLoop, QTimer, QUrl
from PyQt5.QtWebKit import QWebSettings
from PyQt5.QtWebKitWidgets import QWebView
from PyQt5.QtWidgets import QApplication
app = QApplication(sys.argv)
view = QWebView()
loop = QEventLoop()
view.loadFinished.connect(lambda _: loop.quit())
QTimer.singleShot(60000, loop.quit)
view.load(QUrl.fromLocalFile(sys.argv[1]))
loop.exec_()
said = []
for step in json.loads(sys.stdin.read()):
    said.append(view.page().mainFrame().evaluateJavaScript("JSON.stringify((function () {" + step + "})())"))
    wait = QEventLoop()
    QTimer.singleShot(250, wait.quit)
    wait.exec_()
print("SAID" + json.dumps(said))
"""
LOOK = """return {told: document.getElementById("told").textContent, hurt: window.hurt || 0,
  rows: Array.from(document.getElementById("body").rows).map((row) => Array.from(row.cells).map((cell) => cell.textContent))};"""


def in_webkit(path: Path, steps: list[str]) -> list:
    """What each step returns in the system's Qt WebKit; skips the test where there is none."""
    python = "/usr/bin/python3"
    if (
        sys.platform != "linux"
        or subprocess.run([python, "-c", "import PyQt5.QtWebKitWidgets"], check=False, capture_output=True).returncode
    ):
        pytest.skip("no Qt WebKit")
    run = subprocess.run(
        [python, "-c", DRIVER, str(path)], input=json.dumps(steps), capture_output=True, text=True, timeout=200, check=True,
        env={"QT_QPA_PLATFORM": "offscreen", "HOME": str(path.parent), "XDG_RUNTIME_DIR": str(path.parent)},
    )  # fmt: skip
    return [json.loads(one) if one else None for one in json.loads(run.stdout.split("SAID")[1])]


def sort_by(head: str) -> str:
    return f'Array.from(document.querySelectorAll("#head button")).find((b) => b.textContent.startsWith("{head}")).click();{LOOK}'


def type_in(place: str, text: str, event: str) -> str:
    return f'const x = document.getElementById("{place}"); x.value = "{text}"; x.dispatchEvent(new Event("{event}"));'


def test_the_table_sorts_filters_and_turns_its_pages(tmp_path):
    rows = [BatchRow(f"clip {i}.mp4", "located", "", None if i == 3 else i / 250, 1500.0, 9, 9, lines=WAY) for i in range(230)]
    rows[1] = BatchRow(ATTACKS[0] + ATTACKS[4], "failed", ATTACKS[4])
    rows[2] = BatchRow(
        "2.mp4", "unknown_ground", "Nothing speaks of Elm Street.", None, 100.0, 9, 9, 2500.0, "2024-05-01T10:00:00Z", 3725.0, WAY, "town"
    )
    path = tmp_path / "p.html"
    written(path, rows)
    first, by_confidence, by_name, second, _, last, _, found, _, every, chosen = in_webkit(
        path,
        [
            LOOK, sort_by("Confidence"), sort_by("Video"), f'document.getElementById("after").click();{LOOK}',
            type_in("page", "3", "change"), LOOK, type_in("search", "elm  STREET", "input"), LOOK,
            'document.getElementById("all").click();', LOOK,
            f'document.querySelector("#counts [data-state=failed] button").click();{LOOK}',
        ],
    )  # fmt: skip
    assert first["hurt"] == chosen["hurt"] == 0
    assert first["told"] == "Videos 1–100 of 230"
    assert [row[0] for row in first["rows"]] == [str(i) for i in range(1, 101)]
    assert first["rows"][1][1:4] == [ATTACKS[0] + ATTACKS[4], "Failed" + ATTACKS[4], "–"]
    assert first["rows"][2][2:4] == ["Unknown groundNothing speaks of Elm Street.", "not rated"]
    assert first["rows"][2][5:] == ["9 of 9", "2.5 km", "2024-05-01 10:00:00", "1 h 02 min", "town"]
    assert first["rows"][3][3] == "not rated"
    assert first["rows"][50][3] == "20 % within 1.5 km"
    assert [row[1] for row in by_confidence["rows"][:2]] == ["clip 229.mp4", "clip 228.mp4"]
    assert [row[1] for row in by_name["rows"][-1:]] == ["clip 99.mp4"]
    assert second["told"] == "Videos 101–200 of 230"
    assert second["rows"][0][1] == "clip 100.mp4"
    assert last["told"] == "Videos 201–230 of 230"
    assert (found["told"], [row[1] for row in found["rows"]]) == ("Videos 1–1 of 1, out of 230", ["2.mp4"])
    assert every["told"] == "Videos 1–100 of 230"
    assert chosen["told"] == "Videos 1–1 of 1, out of 230"


def test_what_has_no_value_comes_last_both_ways_and_the_map_has_its_scale(tmp_path):
    rows = [BatchRow(f"{i}.mp4", "located", "", rated, None, 1, 1, lines=WAY) for i, rated in enumerate((None, 0.2, 0.9))]
    path = tmp_path / "p.html"
    page = written(path, rows)
    down, up, maps = in_webkit(
        path,
        [
            sort_by("Confidence"), sort_by("Confidence"),
            """return Array.from(document.querySelectorAll("svg")).map((one) => ({
              name: one.getAttribute("aria-label"), bar: one.querySelector(".bar").getAttribute("d"), scale: one.textContent,
              colour: getComputedStyle(one.querySelector(".way")).stroke, d: one.querySelector(".way").getAttribute("d")}));""",
        ],
    )  # fmt: skip
    assert [row[1] for row in down["rows"]] == ["2.mp4", "1.mp4", "0.mp4"]
    assert [row[1] for row in up["rows"]] == ["1.mp4", "2.mp4", "0.mp4"]
    assert [row[3] for row in up["rows"]] == ["20 %", "90 %", "not rated"]
    assert [one["colour"] for one in maps] == ["rgb(94, 201, 98)", "rgb(71, 19, 101)", "rgb(174, 182, 234)"]
    got = page.rows()[0]
    assert maps[0]["d"] == got["path"]
    start, end = re.fullmatch(r"M([\d.]+) \d+v5H([\d.]+)v-5", maps[0]["bar"]).groups()
    length_m = {"m": 1.0, "km": 1000.0}[maps[0]["scale"].split()[1]] * float(maps[0]["scale"].split()[0])
    assert (float(end) - float(start)) / BOX_WIDTH * got["width_m"] == pytest.approx(length_m, rel=0.01)
    assert maps[0]["name"].startswith("Line of the video, north up, in a box 2.")


def test_the_script_is_one_that_node_can_read(tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node")
    path = tmp_path / "p.html"
    written(path, many(1))
    script = tmp_path / "s.js"
    script.write_text(re.search(r"<script>(.*?)</script>", path.read_text(encoding="utf-8"), re.DOTALL)[1], encoding="utf-8")
    subprocess.run([node, "--check", script], check=True)
