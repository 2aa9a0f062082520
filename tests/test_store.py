"""The store of a batch against other eyes: GDAL's own writing of the same results, SQL, brute force, and processes that are killed."""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import warnings
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.export_cases import NAN, PROVENANCE, SYNTHETIC, drive, every_kind, unsure, video
from vidtag_engine.atomic import _MACHINE
from vidtag_engine.export import read_failed, read_geopackage, write_geopackage
from vidtag_engine.export.columns import clean
from vidtag_engine.store import EntryKey, Inventory, ResultStore, WantedVideo, is_store, merge_into, read_entry, read_row, share_out
from vidtag_engine.types import CandidateWay, FailedVideo, FrameState, InputError, Match, VideoResult

AOI = shapely.box(159.8, -19.4, 160.1, -19.0)
DIGEST = "ff"  # of the grid that PROVENANCE names
LAYERS = ("trajectory", "frames", "videos", "regions", "matches", "candidates", "aoi")
PICTURES = {f"image-{number}": bytes([0xFF, 0xD8, number]) * 40 for number in range(4)}
needs_gdal = pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="GDAL's command line tools are not installed")


def with_matches(result, seed=0):
    """Each frame with two of four pictures, of which the later ones of a pair have no place."""
    rng = np.random.default_rng(seed)
    found = []
    for index, lat, lon in zip(result.trajectory.frame_index, result.trajectory.lat_deg, result.trajectory.lon_deg, strict=True):
        for rank, number in enumerate(rng.permutation(4)[:2], start=1):
            name = f"image-{number}"
            place = (float(lat), float(lon)) if rank == 1 else (NAN, NAN)
            found.append(
                Match(
                    int(index),
                    rank,
                    "panoramax",
                    name,
                    0.9 / rank,
                    0.1,
                    *place,
                    author="Åsa",
                    licence="CC-BY",
                    thumbnail=PICTURES[name],
                    inliers=7,
                )
            )
    return replace(result, matches=tuple(found))


def with_ways(result):
    """A way through the frames, and one across ±180°."""
    count = len(result.trajectory.frame_index)
    lat = np.linspace(-19.2, -19.1, count)
    return replace(
        result,
        candidates=(
            CandidateWay(1, 0.6, lat, np.linspace(159.9, 159.95, count), ("Storgatan", 'Rue <d\'Été> & "Fils"')),
            CandidateWay(2, 0.4, lat, np.where(np.arange(count) % 2 == 0, 179.99, -179.99)),
        ),
    )


def failure(name="broken.mp4", why="It cannot be opened: moov atom not found."):
    return FailedVideo(drive(name, 1).info, why, "cd" * 32)


def every_result():
    return [
        *every_kind(),
        unsure(),
        unsure("withheld.mp4", state=FrameState.UNKNOWN_GROUND),
        with_matches(drive("seen.mp4", 5)),
        with_matches(drive("seen again.mp4", 6, 3), 1),
        with_ways(drive("ways.mp4", 9)),
    ]


def stored(folder, results, failed=(), provenance=PROVENANCE, wanted=None):
    """A store of these, saved in another order than they were wanted in."""
    store = ResultStore.begin(folder, provenance, grid_digest=DIGEST)
    store.keep_area(DIGEST, AOI)
    every = [*results, *failed]
    names = [one.info.name for one in every] if wanted is None else wanted
    Inventory(tuple(WantedVideo(name, name, 1) for name in names)).save(folder)
    for one in random.Random(0).sample(every, len(every)):
        store.save(key_of(one), one, provenance, aoi=AOI)
    return store


def key_of(one):
    return EntryKey(one.info.name, one.sha256, one.own if isinstance(one, VideoResult) else None, DIGEST)


def rows(path, sql):
    with closing(sqlite3.connect(path)) as database:
        return database.execute(sql).fetchall()


def tables_of(path):
    return {name for (name,) in rows(path, "SELECT name FROM sqlite_master WHERE type = 'table'")}


def the_same(merged, whole):
    """Row for row in every layer and its index; what GDAL counts itself is the same."""
    assert tables_of(merged) == tables_of(whole)
    for layer in LAYERS:
        if layer not in tables_of(whole):
            continue
        query = f'SELECT * FROM "{layer}" ORDER BY fid'
        assert rows(merged, f"PRAGMA table_info({layer})") == rows(whole, f"PRAGMA table_info({layer})")
        assert rows(merged, query) == rows(whole, query), layer
        if f"rtree_{layer}_geom" in tables_of(whole):
            query = f"SELECT * FROM rtree_{layer}_geom"
            assert sorted(rows(merged, query)) == sorted(rows(whole, query)), layer
    query = "SELECT table_name, data_type, identifier, description, last_change, srs_id FROM gpkg_contents ORDER BY table_name"
    assert rows(merged, query) == rows(whole, query)
    query = "SELECT min_x, min_y, max_x, max_y FROM gpkg_contents ORDER BY table_name"
    for one, other in zip(rows(merged, query), rows(whole, query), strict=True):
        assert [value is None for value in one] == [value is None for value in other]
        assert [value or 0.0 for value in one] == pytest.approx([value or 0.0 for value in other], abs=1e-9)
    for table in (
        "gpkg_ogr_contents",
        "gpkg_geometry_columns",
        "gpkg_extensions",
        "gpkg_metadata",
        "gpkg_metadata_reference",
        "layer_styles",
    ):
        assert sorted(map(repr, rows(merged, f"SELECT * FROM {table}"))) == sorted(map(repr, rows(whole, f"SELECT * FROM {table}"))), table
    assert rows(merged, "PRAGMA integrity_check") == [("ok",)]
    assert rows(merged, "PRAGMA foreign_key_check") == []


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("both")
    failed = [failure(), failure("gone.mp4", "It is not there.")]
    merge_into(folder / "merged.gpkg", [stored(folder / "s.results", every_result(), failed)])
    write_geopackage(folder / "whole.gpkg", every_result(), PROVENANCE, aoi=AOI, failed=failed)
    return folder


def test_a_merge_is_what_gdal_writes_at_once(both):
    the_same(both / "merged.gpkg", both / "whole.gpkg")


def test_each_picture_is_once_in_the_whole_file(both):
    for path in (both / "merged.gpkg", both / "whole.gpkg"):
        assert sorted(picture for (picture,) in rows(path, "SELECT thumbnail FROM matches WHERE thumbnail IS NOT NULL")) == sorted(
            PICTURES.values()
        )
        read = {one.info.name: one for one in read_geopackage(path)[0]}
        for name in ("seen.mp4", "seen again.mp4"):
            assert all(match.thumbnail == PICTURES[match.image_id] for match in read[name].matches)


def test_gdal_reads_it_without_a_word(both):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for layer in LAYERS:
            one, other = (pyogrio.read_dataframe(both / name, layer=layer) for name in ("merged.gpkg", "whole.gpkg"))
            assert len(one) == len(other) == rows(both / "merged.gpkg", f"SELECT count(*) FROM {layer}")[0][0]
            assert one.drop(columns="geometry").equals(other.drop(columns="geometry"))


@needs_gdal
def test_ogrinfo_reads_it_without_a_warning(both):
    said = subprocess.run(["ogrinfo", "-al", "-q", both / "merged.gpkg"], check=True, capture_output=True, text=True)
    assert not said.stderr
    assert said.stdout.count("OGRFeature(frames)") == rows(both / "merged.gpkg", "SELECT count(*) FROM frames")[0][0]


def test_spatial_filters_find_what_brute_force_finds(both):
    rng = np.random.default_rng(1)
    found = 0
    for layer in ("trajectory", "frames", "videos", "regions", "candidates"):
        every = pyogrio.read_dataframe(both / "merged.gpkg", layer=layer, fid_as_index=True)
        for west, south in rng.uniform((159.90, -19.26), (159.96, -19.18), (12, 2)):
            box = shapely.box(west, south, west + 0.02, south + 0.02)
            hit = pyogrio.read_dataframe(both / "merged.gpkg", layer=layer, bbox=box.bounds, fid_as_index=True)
            assert set(hit.index) == set(every.index[every.geometry.notna() & every.geometry.intersects(box)])
            found += len(hit)
    assert found > 100


NAMES = st.one_of(
    st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=20),
    st.sampled_from(
        [
            "'; DROP TABLE frames; --",
            '"quoted".mp4',
            "caf\udce9.mp4",
            "東京\n.mp4",
            "%s {0} <b>&amp;",
            "-",
            ".failed.gpkg",
            "a" * 200,
            " ",
            "é",
            "e\u0301",
        ]
    ),
)


@st.composite
def results(draw):
    """A video: with gaps, across ±180°, without an answer, withheld, seen, along roads."""
    name, count = draw(NAMES), draw(st.integers(0, 6))
    assume(clean(name).strip())
    seed = draw(st.integers(0, 99))
    kind = draw(st.sampled_from(["free", "unsure", "withheld", "asked for", "unrated", "failed"]))
    if kind == "failed":
        return failure(name, draw(st.sampled_from(["It ends early.", "Cannot read '/home/someone/x y.mp4'.", "東京: 'no' \"picture\"."])))
    if kind == "free":
        places = st.tuples(st.floats(-89, 89), st.floats(-180, 180)) | st.just((NAN, NAN))
        lat, lon = np.array(draw(st.lists(places, min_size=count, max_size=count)), dtype=float).reshape(-1, 2).T
        sure = np.where(np.isnan(lat), NAN, draw(st.sampled_from([0.25, 0.75, NAN])))
        one = video(name, lat, lon, sure, **draw(st.sampled_from([{}, SYNTHETIC, {"embedded": "GPS5"}])))
    else:
        ground = (
            FrameState.LOCATED
            if kind in {"unsure", "unrated"}
            else draw(st.sampled_from([FrameState.OUTSIDE_AOI, FrameState.UNKNOWN_GROUND]))
        )
        one = unsure(name, 4 + count, state=ground, always_answer=kind == "asked for", rated=kind != "unrated", seed=seed)
    one = replace(one, sha256=f"{seed:064x}")
    one = with_matches(one, seed) if draw(st.booleans()) else one
    return with_ways(one) if count and kind == "free" and draw(st.booleans()) else one


@given(st.lists(results(), min_size=1, max_size=7, unique_by=lambda one: clean(one.info.name)))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
)
def test_a_merge_is_what_gdal_writes_at_once_of_anything(every):
    found = [one for one in every if isinstance(one, VideoResult)]
    failed = [one for one in every if isinstance(one, FailedVideo)]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        merged = merge_into(folder / "merged.gpkg", [stored(folder / "s.results", found, failed)])
        write_geopackage(folder / "whole.gpkg", found, PROVENANCE, aoi=AOI, failed=failed)
        the_same(folder / "merged.gpkg", folder / "whole.gpkg")
        assert (merged.videos, merged.failed, merged.missing) == (len(found), len(failed), [])


@given(results())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_video_comes_back(one):
    with tempfile.TemporaryDirectory() as scratch:
        store = ResultStore.begin(Path(scratch) / "s.results", PROVENANCE, grid_digest=DIGEST)
        got = read_entry(store.save(key_of(one), one, PROVENANCE, aoi=AOI))
    assert type(got) is type(one)
    assert got.info.name == clean(one.info.name)
    assert got.sha256 == one.sha256
    if isinstance(one, FailedVideo):
        assert got.why.split(" '")[0] == one.why.split(" '")[0]
        return
    assert abs(got.info.start_time - one.info.start_time) < timedelta(milliseconds=1)
    assert (got.report, got.seconds, got.trajectory.state) == (one.report, one.seconds, one.trajectory.state)
    for name in ("frame_index", "time_s", "lat_deg", "lon_deg", "confidence", "runner_up_m", "phase1_lat_deg", "phase1_lon_deg"):
        np.testing.assert_array_equal(getattr(got.trajectory, name), getattr(one.trajectory, name), err_msg=name)
    assert [replace(match, lat_deg=0, lon_deg=0, heading_deg=0) for match in got.matches] == [
        replace(match, lat_deg=0, lon_deg=0, heading_deg=0) for match in one.matches
    ]
    np.testing.assert_array_equal([(m.lat_deg, m.lon_deg) for m in got.matches], [(m.lat_deg, m.lon_deg) for m in one.matches])
    assert [(way.rank, way.share) for way in got.candidates] == [(way.rank, way.share) for way in one.candidates]
    verdict, again = one.trajectory.verdict, got.trajectory.verdict
    if verdict is not None:
        assert (again.state, again.why) == (verdict.state, verdict.why)
        assert again.region90.equals(verdict.region90)
        np.testing.assert_array_equal(got.trajectory.hypotheses.within, one.trajectory.hypotheses.within)


def test_what_is_wanted_and_not_there_is_missing_whatever_its_name(tmp_path):
    names = ["a\x07.mp4", "caf\udce9.mp4", "there.mp4", "not there.mp4"]
    store = stored(tmp_path / "s.results", [drive(name, 3) for name in names[:3]], wanted=names)
    merged = merge_into(tmp_path / "merged.gpkg", [store])
    assert merged.missing == ["not there.mp4"]
    assert [name for (name,) in rows(tmp_path / "merged.gpkg", "SELECT video FROM videos ORDER BY fid")] == [
        "a.mp4",
        "caf\ufffd.mp4",
        "there.mp4",
    ]
    assert [read_row(one.path).video for one in store.in_order()] == ["a.mp4", "caf\ufffd.mp4", "there.mp4"]


def test_a_result_takes_the_place_of_a_failure_and_of_an_earlier_stretch(tmp_path):
    store = stored(tmp_path / "s.results", [], [failure("a.mp4")])
    assert store.failure(key_of(failure("a.mp4"))).why == failure().why
    one = drive("a.mp4", 3)
    store.save(key_of(one), one, PROVENANCE)
    store.refresh()
    assert [entry.failed for entry in store.entries()] == [False]
    assert store.failure(key_of(failure("a.mp4"))) is None


SIZES = st.lists(st.integers(0, 10**6), max_size=60)


@given(SIZES, st.integers(1, 9), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_every_video_is_in_one_share_whatever_the_order_and_shares_are_balanced(sizes, count, rng):
    videos = [WantedVideo(f"{number}.mp4", f"folder/{number}.mp4", size) for number, size in enumerate(sizes)]
    falls_to = dict(zip(videos, share_out(videos, count), strict=True))
    assert set(falls_to.values()) <= set(range(1, count + 1))
    mixed = list(videos)
    rng.shuffle(mixed)
    assert dict(zip(mixed, share_out(mixed, count), strict=True)) == falls_to
    loads = [sum(max(1, one.size_bytes) for one, share in falls_to.items() if share == number) for number in range(1, count + 1)]
    assert max(loads) - min(loads) <= max([1, *sizes])


HOLDS = """
import sys, time
from pathlib import Path
from vidtag_engine.store import EntryKey, ResultStore
with ResultStore(Path(sys.argv[1])).working_on(EntryKey("a.mp4", "")) as held:
    print(held, flush=True)
    time.sleep(60)
"""


def test_a_killed_process_lets_go_of_its_video(tmp_path):
    store = stored(tmp_path / "s.results", [])
    key = EntryKey("a.mp4", "")
    with subprocess.Popen([sys.executable, "-c", HOLDS, store.folder], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "True\n"
        with store.working_on(key) as held, store.working_on(EntryKey("b.mp4", "")) as other:
            assert not held
            assert other
        process.send_signal(signal.SIGKILL)
        process.wait()
    with store.working_on(key) as held:
        assert held
    assert not list((store.folder / "locks").iterdir())


def test_results_of_other_settings_are_refused(tmp_path):
    other = replace(PROVENANCE, settings={**PROVENANCE.settings, "rate_hz": 2.0})
    store, theirs = stored(tmp_path / "a.results", [drive()]), stored(tmp_path / "b.results", [drive("b.mp4")], provenance=other)
    with pytest.raises(InputError, match="other settings"):
        ResultStore.begin(store.folder, other, grid_digest=DIGEST)
    with pytest.raises(InputError, match="other settings"):
        ResultStore.begin(store.folder, PROVENANCE, grid_digest="another")
    with pytest.raises(InputError, match="different settings or checkpoints"):
        merge_into(tmp_path / "merged.gpkg", [store, theirs])
    shutil.copytree(theirs.folder / "results", store.folder / "results", dirs_exist_ok=True)
    store.refresh()
    with pytest.raises(InputError, match="different settings or checkpoints"):
        merge_into(tmp_path / "merged.gpkg", [store])
    assert not (tmp_path / "merged.gpkg").exists()
    assert ResultStore.begin(store.folder, other, grid_digest=DIGEST, anew=True).entries() == []


def test_stores_of_different_areas_are_refused_and_a_video_in_both_is_taken_once(tmp_path):
    elsewhere = replace(PROVENANCE, gallery={**PROVENANCE.gallery, "digest": "ee"})
    one, again = stored(tmp_path / "a.results", [drive()]), stored(tmp_path / "b.results", [drive(seed=9)], [failure("c.mp4")])
    store = ResultStore.begin(tmp_path / "c.results", elsewhere, grid_digest="ee")
    store.save(EntryKey("x.mp4", "", None, "ee"), drive("x.mp4"), elsewhere)
    with pytest.raises(InputError, match="different areas"):
        merge_into(tmp_path / "merged.gpkg", [one, store])
    merged = merge_into(tmp_path / "merged.gpkg", [one, again])
    assert (merged.videos, merged.failed) == (1, 1)
    assert len(read_geopackage(tmp_path / "merged.gpkg")[0]) == len(read_failed(tmp_path / "merged.gpkg")) == 1


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"no database " * 200,
        "half",
        "noise in the middle",
        "DELETE FROM videos",
        "DROP TABLE videos",
        "DROP TABLE frames",
        "DELETE FROM gpkg_metadata",
        "UPDATE gpkg_metadata SET metadata = '{'",
    ],
)
def test_a_damaged_file_is_named_in_one_sentence(tmp_path, damage):
    store = stored(tmp_path / "s.results", [drive("a.mp4", 3), drive("b.mp4", 3)])
    path = store.find(key_of(drive("a.mp4", 3)))
    if isinstance(damage, bytes):
        path.write_bytes(damage)
    elif damage == "half":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif damage == "noise in the middle":
        (page,) = rows(path, "SELECT rootpage FROM sqlite_master WHERE name = 'frames'")[0]
        data = bytearray(path.read_bytes())
        data[1024 * (page - 1) : 1024 * page] = b"\x07" * 1024
        path.write_bytes(data)
    else:
        with closing(sqlite3.connect(path)) as database, database:
            database.execute(damage)
    with pytest.raises(InputError) as raised:
        merge_into(tmp_path / "merged.gpkg", [store])
    said = str(raised.value)
    assert path.name in said
    assert "\n" not in said
    assert said.endswith("run geolocate again.")
    assert not list(tmp_path.glob(".vidtag-*"))


def test_what_a_killed_process_left_is_cleared(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    left = f".vidtag-{process.pid}-{_MACHINE}-x"
    store = stored(tmp_path / "s.results", [drive("a.mp4", 3)])
    folders = [store.folder / left, store.find(key_of(drive("a.mp4", 3))).parent / left]
    for one in folders:
        one.mkdir()
        (one / "part").write_text("half")
    ResultStore.begin(store.folder, PROVENANCE, grid_digest=DIGEST)
    assert not any(one.exists() for one in folders)


@pytest.mark.parametrize("left", [[], ["store.lock"], ["store.lock", f".vidtag-1-{_MACHINE}-x"]])
def test_a_folder_that_a_run_began_before_it_was_killed_is_taken(tmp_path, left):
    folder = tmp_path / "s.results"
    folder.mkdir()
    for name in left:
        (folder / name).touch()
    assert not is_store(folder)
    ResultStore.begin(folder, PROVENANCE, grid_digest=DIGEST)
    assert is_store(folder)


@pytest.mark.parametrize("name", ["notes.txt", "store.json"])
def test_a_folder_of_something_else_is_refused(tmp_path, name):
    folder = tmp_path / "s.results"
    folder.mkdir()
    (folder / name).write_text("mine")
    with pytest.raises(InputError, match="holds no results of a batch"):
        ResultStore.begin(folder, PROVENANCE, grid_digest=DIGEST)
    assert [one.name for one in folder.iterdir()] == [name]


def test_records_of_a_thousand_moments_the_newest_counts(tmp_path):
    store = ResultStore.begin(tmp_path / "s.results", PROVENANCE, grid_digest=DIGEST)
    for number in range(3):
        one = drive(f"{number}.mp4", 3)
        store.save(key_of(one), one, replace(PROVENANCE, created_utc=datetime(2025, 1, 3 - number, tzinfo=UTC)))
    assert merge_into(tmp_path / "merged.gpkg", [store]).provenance.created_utc == datetime(2025, 1, 3, tzinfo=UTC)
