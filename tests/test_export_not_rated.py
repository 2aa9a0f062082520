"""Places that nothing has rated, and videos on unknown ground, in everything that people look at: none is lost, none has a probability."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree as ET

import gpxpy
import numpy as np
import pytest
import shapely
from matplotlib.figure import Figure
from PIL import Image

from tests.export_cases import PROVENANCE, UNRATED, drive, unsure
from vidtag_engine.batch import mean_confidence, summary_of, warnings_of
from vidtag_engine.cli.terminal import print_geolocation
from vidtag_engine.commands.match import _spread
from vidtag_engine.evaluation import evaluate_results
from vidtag_engine.evaluation.error_layer import write_errors
from vidtag_engine.evaluation.html_report import write_html
from vidtag_engine.evaluation.markdown_report import write_markdown
from vidtag_engine.export import EXPORTERS, read_geopackage, verdict_sentence, write_geopackage, write_map
from vidtag_engine.export.colours import CLASS_COLOURS, COLOURS, NOT_RATED, STATES
from vidtag_engine.export.confidence_tables import WITHIN
from vidtag_engine.trajectory.roads import spread_m
from vidtag_engine.types import FrameState, Track, Verdict

AOI = shapely.box(159.9, -19.3, 160.0, -19.1)
KML = "{http://www.opengis.net/kml/2.2}"
PLAIN = unsure("plain.mp4", rated=False)
ASKED = unsure("asked.mp4", state=FrameState.UNKNOWN_GROUND, always_answer=True, rated=False)
GROUND = unsure("ground.mp4", state=FrameState.UNKNOWN_GROUND)
RATED = unsure("rated.mp4")
CASES = [PLAIN, ASKED, GROUND, RATED]
SENTENCES = {
    "plain.mp4": f"plain.mp4: {UNRATED}",
    "asked.mp4": "asked.mp4 is not located, and its best guess is shown all the same: it is unknown_ground, by all that is known.",
    "ground.mp4": "ground.mp4 is not located: it is unknown_ground, by all that is known.",
    "rated.mp4": "",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("not rated")
    write_geopackage(folder / "out.gpkg", CASES, PROVENANCE, aoi=AOI)
    for suffix, write in EXPORTERS.values():
        write(folder / f"out{suffix}", CASES, PROVENANCE)
    return folder


def asked(path, query, *values):
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query, values).fetchall()


def colour_of(pixel):
    return "#{:02x}{:02x}{:02x}".format(*pixel)


@pytest.mark.parametrize("name", ["plain.mp4", "asked.mp4"])
def test_the_geopackage_keeps_places_and_steps_without_a_probability(folder, name):
    path = folder / "out.gpkg"
    assert asked(path, "SELECT count(*), count(geom), count(score), count(confidence) FROM frames WHERE video = ?", name) == [(6, 5, 5, 0)]
    said = ", ".join(f"count({column})" for column in WITHIN)
    assert asked(path, f"SELECT {said} FROM frames WHERE video = ?", name) == [(0, 0, 0, 0)]
    assert asked(path, f"SELECT {said} FROM videos WHERE video = ?", name) == [(0, 0, 0, 0)]
    assert asked(path, "SELECT count(*), count(geom), count(confidence) FROM trajectory WHERE video = ?", name) == [(3, 3, 0)]
    assert asked(path, "SELECT located, mean_confidence FROM videos WHERE video = ?", name) == [(5, None)]


def test_a_video_on_unknown_ground_is_withheld_and_says_so(folder):
    path = folder / "out.gpkg"
    states = [("unknown_ground",), ("unknown_ground",), ("damaged",), *[("unknown_ground",)] * 3]
    assert asked(path, "SELECT state FROM frames WHERE video = 'ground.mp4' ORDER BY frame_index") == states
    assert asked(path, "SELECT count(geom), count(best_lat_deg) FROM frames WHERE video = 'ground.mp4'") == [(0, 5)]
    assert asked(path, "SELECT count(*) FROM trajectory WHERE video = 'ground.mp4'") == [(0,)]
    told = asked(path, "SELECT state, located, unknown_share, why FROM videos WHERE video IN ('ground.mp4', 'asked.mp4') ORDER BY video")
    assert told == [("unknown_ground", 5, 1.0, ASKED.trajectory.verdict.why), ("unknown_ground", 0, 1.0, GROUND.trajectory.verdict.why)]
    assert asked(path, "SELECT state, unknown_share FROM videos WHERE video = 'rated.mp4'") == [("located", 0.25)]


@pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="GDAL's command line tools are not installed")
def test_gdal_sees_null_and_a_real_column(folder):
    text = subprocess.run(["ogrinfo", "-so", folder / "out.gpkg", "videos"], check=True, capture_output=True, text=True).stdout
    assert "unknown_share: Real" in text
    query = "SELECT confidence FROM frames WHERE video = 'plain.mp4' AND confidence IS NULL"
    text = subprocess.run(["ogrinfo", folder / "out.gpkg", "-sql", query], check=True, capture_output=True, text=True).stdout
    assert text.count("confidence (Real) = (null)") == 6


def test_it_is_read_back_as_it_was(folder):
    results, _ = read_geopackage(folder / "out.gpkg")
    for got, put in zip(results, CASES, strict=True):
        np.testing.assert_array_equal(got.trajectory.confidence, put.trajectory.confidence)
        np.testing.assert_array_equal(got.trajectory.hypotheses.within, put.trajectory.hypotheses.within)
        np.testing.assert_array_equal(got.trajectory.lat_deg, put.trajectory.lat_deg)
        assert got.trajectory.state == put.trajectory.state
        assert got.trajectory.verdict.state is put.trajectory.verdict.state
        assert got.trajectory.verdict.unknown_share == put.trajectory.verdict.unknown_share
        assert verdict_sentence(got) == verdict_sentence(put)


def test_schema_3_knew_nothing_of_the_ground_and_is_still_read(folder, tmp_path):
    path = tmp_path / "old.gpkg"
    shutil.copyfile(folder / "out.gpkg", path)
    with closing(sqlite3.connect(path)) as database, database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{trigger}"')
        database.execute("ALTER TABLE videos DROP COLUMN unknown_share")
        database.execute("UPDATE gpkg_metadata SET metadata = replace(metadata, '\"schema_version\": 4', '\"schema_version\": 3')")
    assert '"schema_version": 3' in asked(path, "SELECT metadata FROM gpkg_metadata")[0][0]
    results, _ = read_geopackage(path)
    assert [np.isnan(one.trajectory.verdict.unknown_share) for one in results] == [True] * 4
    assert [one.trajectory.verdict.state for one in results] == [one.trajectory.verdict.state for one in CASES]


def test_the_summary_counts_places_and_not_probabilities():
    said = {one["name"]: one for one in json.loads(json.dumps([summary_of(case) for case in CASES], allow_nan=False))}
    of = {name: (one["located"], one["not_rated"], one["state"]) for name, one in said.items()}
    assert of == {
        "plain.mp4": (5, 5, "located"), "asked.mp4": (5, 5, "unknown_ground"), "ground.mp4": (0, 0, "unknown_ground"), "rated.mp4": (5, 0, "located"),
    }  # fmt: skip
    assert [said[name]["mean_confidence"] for name in ("plain.mp4", "asked.mp4", "ground.mp4")] == [None] * 3
    assert said["plain.mp4"]["length_m"] > 0
    assert (said["ground.mp4"]["unknown_share"], summary_of(drive())["unknown_share"]) == (1.0, None)
    rated = RATED.trajectory.confidence[np.isfinite(RATED.trajectory.lat_deg)]
    assert mean_confidence(CASES) == said["rated.mp4"]["mean_confidence"] == pytest.approx(rated.mean(), abs=1e-4)
    assert mean_confidence([PLAIN, GROUND]) is None


def test_one_sentence_in_the_log_and_in_every_copy(folder):
    assert {case.info.name: verdict_sentence(case) for case in CASES} == SENTENCES
    warned = warnings_of(CASES, AOI.bounds, None)
    assert [line for line in warned if line in SENTENCES.values()] == [said for said in SENTENCES.values() if said]
    kml = ET.parse(folder / "out.kml").getroot()
    told = {one.findtext(f"{KML}name"): one.findtext(f"{KML}description") or "" for one in kml.iter(f"{KML}Folder")}
    assert SENTENCES.items() <= told.items()
    gpx = gpxpy.parse((folder / "out.gpx").read_text(encoding="utf-8"))
    assert {track.name: track.description or "" for track in gpx.tracks} == SENTENCES


@pytest.mark.parametrize(
    ("state", "why", "said"),
    [
        (FrameState.OUTSIDE_AOI, "It looks taken in another place.", "drive.mp4 is not located: it looks taken in another place."),
        (FrameState.UNFAMILIAR, "", "drive.mp4 is not located."),
        (FrameState.LOCATED, "geoclip is not calibrated", "drive.mp4: geoclip is not calibrated."),
        (FrameState.LOCATED, "GeoCLIP's answers are not calibrated.", "drive.mp4: GeoCLIP's answers are not calibrated."),
        (FrameState.LOCATED, "VidTAG 0.1.0 made this checkpoint.", "drive.mp4: VidTAG 0.1.0 made this checkpoint."),
        (FrameState.LOCATED, "", ""),
    ],
)
def test_sentences_of_before_and_clauses_read_alike(state, why, said):
    one = drive(gap=slice(0, 40)) if state is not FrameState.LOCATED else drive()
    verdict = Verdict(state, 0.5, 0.5, (0.5,) * 4, 1.0, None, None, why)
    assert verdict_sentence(replace(one, trajectory=replace(one.trajectory, verdict=verdict))) == said
    assert verdict_sentence(drive()) == ""


def test_kml_draws_it_in_a_colour_of_its_own(folder):
    root = ET.parse(folder / "out.kml").getroot()
    styles = {s.get("id"): s.findtext(f"{KML}LineStyle/{KML}color") for s in root.iter(f"{KML}Style")}
    own = CLASS_COLOURS[NOT_RATED]
    of = {}
    for video in root.iter(f"{KML}Folder"):
        for mark in video.findall(f"{KML}Placemark"):
            if mark.find(f"{KML}MultiGeometry/{KML}LineString") is not None:
                colour = styles[mark.findtext(f"{KML}styleUrl").lstrip("#")]
                said = mark.findtext(f"{KML}description").split(", ")[1]
                of.setdefault(video.findtext(f"{KML}name"), set()).add(
                    (mark.findtext(f"{KML}name"), f"#{colour[6:8]}{colour[4:6]}{colour[2:4]}", said)
                )
    assert of["plain.mp4"] == of["asked.mp4"] == {("Not rated", own, "not rated")}
    assert "ground.mp4" not in of
    assert own not in {colour for _, colour, _ in of["rated.mp4"]}
    ends = [mark.findtext(f"{KML}description") for mark in root.iter(f"{KML}Placemark") if mark.findtext(f"{KML}name") == "Start"]
    assert ends[:2] == ["Frame 0, not rated"] * 2
    assert ends[2].startswith("Frame 0, confidence ")


def test_csv_geojson_and_gpx_leave_it_empty(folder):
    with (folder / "out.csv").open(encoding="utf-8", newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row["video"] == "plain.mp4"]
    assert [(row["confidence"], row["p_100m"], bool(row["lat_deg"]), bool(row["score"])) for row in rows if row["state"] == "located"] == [
        ("", "", True, True)
    ] * 5
    data = json.loads((folder / "out.geojson").read_text(encoding="utf-8"), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    mine = [one for one in data["features"] if one["properties"]["video"] == "plain.mp4" and one["properties"]["layer"] != "regions"]
    assert {one["properties"]["confidence"] for one in mine} == {None}
    assert sum(one["geometry"] is not None for one in mine) == 5 + 3
    gpx = gpxpy.parse((folder / "out.gpx").read_text(encoding="utf-8"))
    points = {track.name: [point for segment in track.segments for point in segment.points] for track in gpx.tracks}
    assert [len(points[name]) for name in ("plain.mp4", "ground.mp4", "rated.mp4")] == [5, 0, 5]
    assert [len(point.extensions) for point in points["plain.mp4"]] == [1] * 5  # the frame's number alone
    assert [len(point.extensions) for point in points["rated.mp4"]] == [2] * 5


@pytest.mark.parametrize(
    ("cases", "rated", "not_rated"),
    [([PLAIN], False, True), ([RATED], True, False), ([PLAIN, RATED], True, True), ([GROUND], False, False)],
)
def test_the_map_names_not_rated_where_it_shows_it(tmp_path, monkeypatch, cases, rated, not_rated):
    seen = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (seen.append(self), save(self, *a, **k))[1])
    write_map(tmp_path / "m.png", cases, aoi=AOI)
    legend = {text.get_text() for text in seen[0].axes[0].get_legend().get_texts()}
    assert ("Not rated" in legend) == not_rated
    assert any(axes.get_ylabel().startswith("Confidence") for axes in seen[0].axes) == rated
    with Image.open(tmp_path / "m.png") as picture:
        used = {colour_of(colour): count for count, colour in picture.convert("RGB").getcolors(1 << 24)}
    assert (CLASS_COLOURS[NOT_RATED] in used) == not_rated
    assert any(colour in used for colour in COLOURS) == rated
    axes = seen[0].axes[0]
    banner = [text.get_window_extent() for text in axes.texts if "tell" in text.get_text() or "known" in text.get_text()]
    assert all(axes.get_window_extent().y1 <= box.y0 and box.y1 <= axes.title.get_window_extent().y0 for box in banner)  # it hides nothing
    shown = [text.get_text().replace("\n", " ") for text in axes.texts]
    assert [said for case in cases if (said := verdict_sentence(case))] == [text for text in shown if "tell" in text or "known" in text]


def test_a_lone_frame_that_is_not_rated_is_a_dot_of_its_colour(tmp_path):
    one = drive(count=1)
    write_map(tmp_path / "m.png", [replace(one, trajectory=replace(one.trajectory, confidence=np.full(1, np.nan)))])
    with Image.open(tmp_path / "m.png") as picture:
        used = {colour_of(colour): count for count, colour in picture.convert("RGB").getcolors(1 << 24)}
    assert used.get(CLASS_COLOURS[NOT_RATED], 0) > 100  # the dot and its legend
    assert COLOURS[0] not in used


def _lab(colour, seen_by):
    """CIE L*a*b* of a colour as somebody sees it."""
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = seen_by @ np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])
    x, y, z = np.cbrt(np.maximum(to_xyz @ linear.clip(0, 1) / [0.95047, 1.0, 1.08883], 0.008856))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


# Machado, Oliveira and Fernandes (2009), severity 1.
EYES = {
    "all colours": np.eye(3),
    "no red": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "no green": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "no blue": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}


@pytest.mark.parametrize("eyes", EYES)
def test_the_new_colours_stand_apart_for_every_eye(eyes):
    new = {CLASS_COLOURS[NOT_RATED], STATES["unknown_ground"][0]}
    every = {*CLASS_COLOURS, *(colour for colour, _ in STATES.values())}
    for one, other in combinations(sorted(every), 2):
        if {one, other} & new:
            assert np.linalg.norm(_lab(one, EYES[eyes]) - _lab(other, EYES[eyes])) > 20, (one, other)


def test_the_command_line_says_not_rated(capsys):
    videos = [summary_of(case) for case in CASES]
    result = {
        "videos": videos,
        "confidence_radius_m": 100.0,
        "gallery_points": 321,
        "output": "out.gpkg",
        "copies": {},
        "results": None,
        "skipped": [],
    }
    print_geolocation({**result, "not_rated": 10, "mean_confidence": 0.5}, json=False)
    said = capsys.readouterr().out
    lines = {line.split()[1]: line for line in said.splitlines() if ".mp4" in line}
    assert ["not rated" in lines[case.info.name] for case in CASES] == [True, True, False, False]
    assert "%" in lines["rated.mp4"]
    assert "unknown ground" in lines["ground.mp4"]
    assert "Confidence is the chance" in said
    print_geolocation({**result, "not_rated": 5, "mean_confidence": None}, json=False)
    said = capsys.readouterr().out
    assert "Confidence is the chance" not in said
    assert "nothing has calibrated" in said


def test_an_evaluation_leaves_it_out_of_what_it_says_of_confidence(tmp_path):
    def truth(case):
        h, t = case.trajectory.hypotheses, case.trajectory
        known = np.isfinite(h.best_lat_deg)
        return Track(t.time_s[known], h.best_lat_deg[known], h.best_lon_deg[known], absolute=False, source="GPX")

    report = evaluate_results(CASES, {case.info.name: truth(case) for case in CASES}, max_gap_s=None)
    confidence = report.overall.confidence
    assert (report.overall.compared, confidence.not_rated) == (15, 10)
    assert confidence.mean == pytest.approx(np.nanmean(RATED.trajectory.confidence))
    assert [one.frames for one in report.confidence.radii] == [5] * 4
    assert report.confidence.not_rated == 10
    notes = report.notes()
    assert "10 of 15 compared frames are not rated: what is told of confidence leaves them out." in notes
    assert {said for said in SENTENCES.values() if said} <= set(notes)
    captions = [table.caption for table in report.confidence_tables() if table.caption]
    assert captions == ["Verdicts by video: located 2, unknown ground 2. Frames that are not rated, and in no table of probabilities: 10."]

    alone = evaluate_results([PLAIN], {"plain.mp4": truth(PLAIN)}, max_gap_s=None)
    assert alone.overall.median_m == pytest.approx(0.0, abs=1e-3)
    assert np.isnan([alone.overall.confidence.mean, alone.overall.confidence.ece, alone.overall.confidence.brier]).all()
    assert json.loads(json.dumps(alone.to_dict(), allow_nan=False))["overall"]["confidence"]["not_rated"] == 5
    assert [len(table.rows) for table in alone.confidence_tables()] == [2]  # of regions; there is no probability to table
    write_html(tmp_path / "r.html", alone)
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert f"<li>{SENTENCES['plain.mp4']}</li>" in text
    assert "probability said" not in text  # neither table nor diagram
    assert [one.name for one in write_markdown(tmp_path / "r.md", alone)] == ["r.md"]
    assert "5 of 5 compared frames are not rated" in (tmp_path / "r.md").read_text(encoding="utf-8")
    write_errors(tmp_path / "e.gpkg", alone)
    assert asked(tmp_path / "e.gpkg", "SELECT count(*), count(error_m), count(confidence) FROM errors") == [(5, 5, 0)]


def test_roads_are_sought_within_the_confidence_radius_of_what_is_not_rated():
    t = PLAIN.trajectory
    known = np.isfinite(t.lat_deg)
    np.testing.assert_allclose(_spread(t)[known], spread_m(np.array(0.5), t.confidence_radius_m))
