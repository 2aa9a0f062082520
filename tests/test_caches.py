"""What is listed is what lies there, by the system's own tools; what is cleared is what was asked for, and nothing else on the disk changes."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file
from typer.testing import CliRunner

from vidtag_engine import cache_clearing, caches
from vidtag_engine.atomic import _MACHINE
from vidtag_engine.cli.app import app
from vidtag_engine.reference.manifest import Manifest
from vidtag_engine.search.cache_file import CacheKey, CacheWriter, open_cache

RUNNER = CliRunner()
ROOT = Path(__file__).resolve().parent.parent
KEY = CacheKey("weights", "plan", count=6, dim=4, block=4)
NETWORK = "efficientnet-lite0-0123456789abcdef"
GUESS = "0" * 32 + ".json"
FEATURES = "a" * 24


def write(path: Path, size: int = 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


def a_gallery(cache: Path, key: CacheKey = KEY) -> Path:
    """As the engine writes it."""
    writer = CacheWriter(cache / "galleries", key)
    for block in range(key.blocks):
        writer.append(np.zeros((key.rows(block), key.dim), dtype=np.float32))
    writer.commit()
    return cache / "galleries" / key.file_name


def a_network(cache: Path, name: str = NETWORK) -> Path:
    write(cache / "networks" / name / "network.xml", 1_000)
    write(cache / "networks" / name / "network.bin", 50_000)
    write(cache / "networks" / name / "compiled" / "1.blob", 7_000)
    return cache / "networks" / name


def an_environment(cache: Path, name: str = "engine-plugin-cpu") -> Path:
    write(cache / name / "pyvenv.cfg")
    (cache / name / "bin").mkdir()
    (cache / name / "bin" / "python").symlink_to(os.path.realpath(sys.executable))
    write(cache / name / "lib" / "big.so", 300_000)
    return cache / name


def some_features(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    save_file({"features": np.zeros((1, 3, 8), dtype=np.float16), "time_s": np.arange(3.0)}, folder / f"{FEATURES}.safetensors")
    write(folder / f"{'b' * 24}.npy", 500)
    return folder


def a_store(folder: Path, *, merged: bool = True) -> Path:
    write(folder / "results" / "ab" / "drive.gpkg", 2_000)
    (folder / "store.json").write_text(json.dumps({"format": "vidtag-store", "output": f"{folder.name}.gpkg"}))
    if merged:
        (folder.parent / f"{folder.name}.gpkg").write_bytes(b"SQLite format 3\0" + b"x" * 3_000)
    return folder


def a_database(folder: Path) -> Path:
    write(folder / "segments" / "0" / "codes.npy", 4_000)
    write(folder / "whitening.safetensors", 600)
    (folder / "database.json").write_text(Manifest("mine", "vidtag-compact", 8, 4, 0, 1.0, 20.0).to_json())
    return folder


def left_behind(folder: Path, number: int) -> Path:
    write(folder / f".vidtag-{number}-{_MACHINE}-x" / "half", 900)
    return folder / f".vidtag-{number}-{_MACHINE}-x"


def dead_process() -> int:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def snapshot(folder: Path) -> dict[str, str]:
    """Every path below a folder, with what it is and holds."""
    found = {}
    for path in sorted(folder.rglob("*")):
        what = f"link {path.readlink()}" if path.is_symlink() else "folder" if path.is_dir() else f"file {path.read_bytes().hex()}"
        found[str(path.relative_to(folder))] = what
    return found


def disk_bytes(path: Path) -> int:
    """By `du`, which counts what folders themselves take, too."""
    total = int(subprocess.run(["du", "-sb", path], capture_output=True, text=True, check=True).stdout.split()[0])
    folders = subprocess.run(["find", path, "-type", "d", "-printf", "%s\n"], capture_output=True, text=True, check=True).stdout.split()
    return total - sum(map(int, folders))


def run(*words: object, answer: str | None = None) -> tuple[int, str]:
    done = RUNNER.invoke(app, ["caches", *map(str, words)], input=answer, env={"COLUMNS": "200"})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, " ".join(done.output.split())


def told(*words: object) -> dict:
    done = RUNNER.invoke(app, ["caches", *map(str, words), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("VIDTAG_CACHE", str(folder))
    monkeypatch.setenv("VIDTAG_CHECKPOINTS", str(tmp_path / "checkpoints"))
    monkeypatch.setattr(caches, "_hub_folder", lambda: tmp_path / "hub")
    return folder


@pytest.fixture
def full(cache):
    """One of everything."""
    a_gallery(cache)
    a_network(cache)
    write(cache / "guesses" / GUESS)
    an_environment(cache)
    some_features(cache / "features" / "msls")
    write(cache / "reference-pictures" / "ab" / f"{'ab' * 16}.jpg", 3_000)
    write(cache / "reference-pictures" / "views" / f"{'ab' * 16}-60.jpg", 1_500)
    left_behind(cache / "networks", dead_process())
    for foreign in ("notes.txt", "galleries/mine.gpkg", "networks/readme/why.md", "guesses/x.json", "reference-pictures/ab/holiday.jpg"):
        write(cache / foreign)
    return cache


def test_sizes_files_and_dates_are_those_of_the_system(full):
    found = told()
    assert found["folder"] == str(full)
    assert found["total_bytes"] == disk_bytes(full)
    entries = {(one["kind"], one["path"].removeprefix(f"{full}/")): one for one in found["entries"]}
    assert {kind for kind, _ in entries} == {"gallery", "network", "guess", "environment", "features", "pictures", "unfinished", "other"}
    for (kind, place), one in entries.items():
        assert one["cost"].endswith(".")
        if kind != "pictures":  # what is somebody else's lies among them
            assert one["size_bytes"] == one["freed_bytes"] == disk_bytes(full / place)
    assert entries["pictures", "reference-pictures"]["size_bytes"] == 4_500
    network = entries["network", f"networks/{NETWORK}"]
    assert network["files"] == 3
    os.utime(full / "networks" / NETWORK / "network.bin", (2e9, 2e9))
    assert next(one for one in told()["entries"] if one["kind"] == "network")["last_used_utc"] == "2033-05-18T03:33:20+00:00"
    others = {place for kind, place in entries if kind == "other"}
    assert others == {"notes.txt", "galleries/mine.gpkg", "networks/readme", "guesses/x.json", "reference-pictures/ab/holiday.jpg"}


def test_the_table_says_what_lies_where_and_what_clearing_costs(full):
    code, said = run()
    assert code == 0
    assert "1 gallery" in said
    assert "gallery, when it is cleared: It is made again" in said
    assert f"{disk_bytes(full) / 1e6:,.1f} MB in all" in said
    assert "6 places" in run("list", "--each")[1]
    assert run("--each") == run("list", "--each")


def test_hard_links_count_once_and_free_nothing_while_others_stay(cache, tmp_path):
    network = a_network(cache)
    os.link(network / "network.bin", network / "compiled" / "2.blob")
    os.link(network / "network.xml", tmp_path / "elsewhere")
    (one,) = told()["entries"]
    assert one["size_bytes"] == disk_bytes(network) == 58_000
    assert one["freed_bytes"] == 57_000
    assert one["files"] == 4
    assert told("clear", "--yes")["freed_bytes"] == 57_000
    assert (tmp_path / "elsewhere").stat().st_size == 1_000


def test_without_a_kind_only_caches_go(full):
    before = snapshot(full)
    caches_bytes = sum(one["size_bytes"] for one in told()["entries"] if one["kind"] in {"gallery", "network", "guess", "unfinished"})
    code, said = run("clear", "--yes")
    assert code == 0
    assert f"Freed {caches_bytes / 1e6:,.1f} MB." in said
    gone = before.keys() - snapshot(full).keys()
    assert {path for path in gone if before[path] != "folder"} == {
        f"galleries/{KEY.file_name}",
        f"guesses/{GUESS}",
        *(f"networks/{NETWORK}/{name}" for name in ("network.xml", "network.bin", "compiled/1.blob")),
        *(path for path in before if path.endswith("-x/half")),
    }
    assert snapshot(full) == {path: what for path, what in before.items() if path not in gone}
    assert open_cache(full / "galleries", KEY) is None


def test_pictures_go_where_they_are_named_and_what_lies_among_them_stays(full):
    assert told("clear", "pictures", "--yes")["freed_bytes"] == 4_500
    assert list(snapshot(full / "reference-pictures")) == ["ab", "ab/holiday.jpg"]


@pytest.mark.parametrize("answer", ["n\n", "\n"])
def test_nothing_goes_before_somebody_says_yes(full, answer):
    before = snapshot(full)
    code, said = run("clear", answer=answer)
    assert (code, said.endswith("Nothing was cleared.")) == (0, True)
    code, said = run("clear", "--dry-run")
    assert "to clear, which frees" in said
    assert code == 0
    assert "add --yes" in run("clear", answer="")[1]
    assert told("clear", "--dry-run")["cleared"]
    assert RUNNER.invoke(app, ["caches", "clear", "--json"]).exit_code == 2
    assert snapshot(full) == before
    assert run("clear", answer="y\n")[0] == 0
    assert not (full / "galleries" / KEY.file_name).exists()


def test_only_what_was_not_used_for_so_long(cache):
    old, young = a_gallery(cache), a_gallery(cache, CacheKey("others", "plan", count=6, dim=4, block=4))
    os.utime(old, (time.time() - 31 * 86_400,) * 2)
    assert [one["path"] for one in told("clear", "--older-than", "30", "--yes")["cleared"]] == [str(old)]
    assert young.exists()
    assert not old.exists()


def test_an_environment_goes_only_by_name_and_not_while_something_runs_in_it(cache, monkeypatch):
    used, own, locked, free = (an_environment(cache, f"engine-{digit * 12}") for digit in "0123")
    monkeypatch.setattr(sys, "prefix", str(own))
    with (
        (cache / f"{locked.name}.lock").open("w") as lock,
        subprocess.Popen([used / "bin" / "python", "-c", "print(1, flush=True); input()"], stdin=-1, stdout=-1) as process,
    ):
        process.stdout.readline()
        # Another process's lock is as good as one of our own by another handle.
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert told("clear", "--yes")["cleared"] == []
        done = told("clear", "environment", "--yes")
        process.communicate(b"\n")
    assert {one["path"]: one["why"] for one in done["kept"]} == {
        str(used): f"process {process.pid} uses it",
        str(own): "this command runs in it",
        str(locked): "it is locked",
    }
    assert not free.exists()
    assert all(one.is_dir() for one in (used, own, locked))
    assert Path(os.path.realpath(sys.executable)).is_file()


def test_a_folder_narrows_its_kind(cache):
    one, other = an_environment(cache, "engine-plugin-cpu"), an_environment(cache, "engine-plugin-cuda")
    told("clear", "environment", one, "--yes")
    assert (one.exists(), other.exists()) == (False, True)


def test_a_file_that_another_process_reads_stays(cache):
    gallery = a_gallery(cache)
    command = [sys.executable, "-c", f"file = open({str(gallery)!r}); print(1, flush=True); input()"]
    with subprocess.Popen(command, stdin=-1, stdout=-1) as process:
        process.stdout.readline()
        kept = told("clear", "--yes")["kept"]
        process.communicate(b"\n")
    assert [(one["path"], one["why"]) for one in kept] == [(str(gallery), f"process {process.pid} uses it")]
    assert gallery.exists()


def test_what_a_living_process_writes_is_not_touched(cache):
    living, dead = left_behind(cache / "galleries", os.getppid()), left_behind(cache / "galleries", dead_process())
    foreign = write(cache / "galleries" / ".vidtag-1-00000000-x" / "half").parent
    told("clear", "--yes")
    assert living.exists()
    assert foreign.exists()
    assert not dead.exists()
    folder = some_features(cache.parent / "features")
    left_behind(folder, os.getppid())
    (kept,) = told("clear", "features", folder, "--yes")["kept"]
    assert kept["why"] == f"process {os.getppid()} writes in it"


def test_named_folders_are_searched_and_links_are_not_followed(cache, tmp_path):
    work = tmp_path / "work"
    expected = {
        ("store", a_store(work / "deep" / "er" / "batch")),
        ("reference database", a_database(work / "streets")),
        ("features", some_features(work / "my-town" / "training" / "features")),
    }
    a_database(work / "my-town" / "references-0123abcd")  # a part of the checkpoint
    outside = a_store(tmp_path / "outside")
    (work / "link").symlink_to(outside)
    write(work / "other" / "store.json").write_text('{"format": "something else"}')
    found = {(one["kind"], Path(one["path"])) for one in told(work)["entries"]}
    assert found == expected
    assert {Path(one["path"]) for one in told("list", tmp_path)["entries"]} == {path for _, path in expected} | {outside}
    for kind, path in expected:
        (one,) = told(path)["entries"]
        assert one["kind"] == kind
        assert one["size_bytes"] == disk_bytes(path)
    assert "is a link: give the folder" in run(work / "link")[1]


@pytest.mark.parametrize(("kind", "make"), [("store", a_store), ("reference-database", a_database), ("features", some_features)])
def test_a_users_work_goes_by_kind_and_folder_alone(cache, tmp_path, kind, make):
    folder, other = make(tmp_path / "one"), make(tmp_path / "two")
    notes = write(folder / "notes.txt")
    before = snapshot(tmp_path)
    for words in ((), (kind,), (folder,), ("gallery", folder), (kind, tmp_path)):
        run("clear", *words, "--yes")
        assert snapshot(tmp_path) == before
    size = disk_bytes(folder) - 100
    assert told("clear", kind, folder, "--yes")["freed_bytes"] == size
    assert snapshot(folder) == {"notes.txt": f"file {notes.read_bytes().hex()}"}
    assert {path: what for path, what in snapshot(tmp_path).items() if not path.startswith("one/")} == {
        path: what for path, what in before.items() if not path.startswith("one/")
    }
    told("clear", kind, other, "--yes")
    assert not other.exists()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda store: (store.parent / "batch.gpkg").unlink(), r"the GeoPackage .*batch\.gpkg is not there"),
        (lambda store: (store.parent / "batch.gpkg").write_bytes(b""), "is no GeoPackage"),
        (lambda store: os.utime(store / "results" / "ab" / "drive.gpkg", (2e9, 2e9)), "is older than its newest video"),
        (lambda store: (store / "store.json").write_text('{"format": "vidtag-store"}'), "names no GeoPackage"),
    ],
)
def test_the_only_copy_of_results_is_not_cleared_unasked(cache, tmp_path, spoil, why):
    store = a_store(tmp_path / "batch")
    spoil(store)
    code, said = run("clear", "store", store, "--yes")
    assert code == 2
    assert re.search(rf"holds the only copy of results, because .*{why}.*: .* --even-unmerged\.$", said)
    assert store.exists()
    assert run("clear", "store", store, "--yes", "--even-unmerged")[0] == 0
    assert not store.exists()


def test_a_store_without_results_has_nothing_to_lose(cache, tmp_path):
    store = a_store(tmp_path / "batch", merged=False)
    (store / "results" / "ab" / "drive.gpkg").unlink()
    assert run("clear", "store", store, "--yes")[0] == 0
    assert not store.exists()


def test_links_lead_nowhere(full, tmp_path):
    outside = tmp_path / "outside"
    network = a_network(outside, "efficientnet-lite2-0123456789abcdef")
    treasure = write(outside / "treasure" / "gold.bin")
    (full / "networks" / network.name).symlink_to(network)
    linked = a_network(full, "efficientnet-lite2-layout-0123456789abcdef")
    (linked / "compiled" / "link.blob").symlink_to(treasure)
    (full / "engine-plugin-cpu" / "lib" / "link").symlink_to(treasure.parent)
    (full / "galleries" / f"{'0' * 40}.vtgallery").symlink_to(treasure)
    shutil.rmtree(full / "guesses")
    (full / "guesses").symlink_to(write(outside / "guesses" / GUESS).parent)
    before = snapshot(outside)
    told("clear", "gallery", "network", "guess", "pictures", "environment", "unfinished", "--yes")
    assert snapshot(outside) == before
    assert not (full / "networks" / NETWORK).exists()
    assert not (full / "engine-plugin-cpu").exists()
    assert (full / "networks" / network.name).is_symlink()
    assert (linked / "network.bin").exists()


def test_what_fails_is_one_sentence_and_the_rest_is_done(full, monkeypatch):
    unlink = Path.unlink

    def refuse(path, **options):
        if path.suffix == ".vtgallery":
            raise PermissionError(13, "Permission denied", str(path))
        unlink(path, **options)

    monkeypatch.setattr(Path, "unlink", refuse)
    done = RUNNER.invoke(app, ["caches", "clear", "--yes", "--json"])
    assert done.exit_code == 2
    said = json.loads(done.stdout)
    assert [one["path"] for one in said["failed"]] == [str(full / "galleries" / KEY.file_name)]
    assert said["freed_bytes"] == sum(one["size_bytes"] for one in said["cleared"]) == 58_000 + 100 + 900
    assert re.fullmatch(r"Could not clear .*vtgallery \(Permission denied\): end what uses it .*; the rest is done\.", said["error"])
    assert not (full / "networks" / NETWORK).exists()


def test_a_part_that_stays_is_not_counted_as_freed(cache, monkeypatch):
    """And what is left is nowhere that it would be used, and goes with the next clearing."""
    network = a_network(cache)
    rmtree = shutil.rmtree

    def half(path, **_):
        for file in Path(path).rglob("*.xml"):
            file.unlink()

    monkeypatch.setattr(cache_clearing.shutil, "rmtree", half)
    done = RUNNER.invoke(app, ["caches", "clear", "--yes", "--json"])
    monkeypatch.setattr(cache_clearing.shutil, "rmtree", rmtree)
    assert done.exit_code == 2
    assert json.loads(done.stdout)["freed_bytes"] == 1_000
    assert not network.exists()


def test_killed_in_the_middle_nothing_half_is_left_under_its_name(cache):
    network = a_network(cache)
    script = """
import os, shutil, sys
from vidtag_engine import cache_clearing
from vidtag_engine.cli.app import app
cache_clearing.shutil.rmtree = lambda path, **_: os._exit(9)
app(["caches", "clear", "--yes"])
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 9, done.stderr
    assert not network.exists()
    (left,) = [one for one in told()["entries"] if one["kind"] == "unfinished"]
    assert left["size_bytes"] == 58_000
    assert told("clear", "--yes")["freed_bytes"] == 58_000
    assert snapshot(cache) == {"networks": "folder"}


def test_what_vanishes_or_changes_meanwhile_is_no_error(full, tmp_path):
    request = cache_clearing.request_of([])
    plan = cache_clearing.planned(request, full)
    gallery = full / "galleries" / KEY.file_name
    gallery.unlink()
    write(full / "networks" / NETWORK / "thesis.odt")
    done = cache_clearing.clear(plan, request)
    assert done.failed == []
    assert [(item.path.name, why) for item, why in done.kept] == [(NETWORK, "something else is there now")]
    assert (full / "networks" / NETWORK / "thesis.odt").exists()


def test_checkpoints_are_listed_and_never_cleared(cache, tmp_path):
    card = {"name": "town", "preset": "vidtag-compact", "training_extent": None, "format_version": 1, "sha256": "0"}
    for folder in (tmp_path / "checkpoints" / "town", tmp_path / "hub" / "models--me--town" / "snapshots" / "1"):
        write(folder / "model.safetensors")
        (folder / "config.json").write_text(json.dumps(card))
    write(tmp_path / "hub" / "models--timm--vit" / "snapshots" / "1" / "config.json").write_text('{"architecture": "vit"}')
    assert [(one["kind"], one["name"]) for one in told()["entries"]] == [("checkpoint", "town"), ("checkpoint", "me/town")]
    assert str(tmp_path / "hub") in {one["path"] for one in told()["elsewhere"]}
    assert "never cleared here" in run("clear", "checkpoint", "--yes")[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["clear", "galery"], "'galery' is neither a folder that is there nor a kind: the kinds are gallery, network"),
        (["clear", "other"], "Other are never cleared here"),
        (["clear", "."], "Say what kind of thing . is, as in 'vidtag caches clear"),
        (["clear", "store"], "Stores are cleared one by one: name the folder, as in 'vidtag caches clear store FOLDER'."),
        (["clear", "store", "."], ". is no store: 'vidtag caches .' lists what lies below it."),
        (["clear", "--older-than", "-1"], "--older-than -1 is no number of days"),
        (["clear", "--older-than", "nan"], "--older-than nan is no number of days"),
        (["clear", "--json"], "add --yes to clear, or --dry-run"),
        (["nowhere"], "nowhere is no folder that is there"),
    ],
)
def test_bad_input_is_one_sentence(cache, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    code, output = run(*words)
    assert code == 2
    assert said in output
    assert "Traceback" not in output


def test_a_cache_folder_that_is_not_there_is_empty(cache):
    cache.rmdir()
    assert told()["entries"] == []
    assert told("clear", "--yes")["cleared"] == []
    cache.write_text("a file")
    assert "cannot be read as a folder" in run()[1]


def test_help_has_examples():
    assert "clear" in run("--help")[1]
    for command in ("list", "clear"):
        assert f"vidtag caches {command}" in run(command, "--help")[1]


# What may go, by a list of its own: whole names, as a person reads them in the documentation.
_MAY_GO = re.compile(
    rf"galleries/[0-9a-f]{{40}}\.vtgallery|guesses/[0-9a-f]{{32}}\.json|networks/{NETWORK}(/network\.(xml|bin)|/compiled(/1\.blob)?)?"
    r"|reference-pictures(/ab|/views|/ab/[0-9a-f]{32}\.jpg|/views/[0-9a-f]{32}-60\.jpg)?"
)
_FOLDERS = [
    "",
    "galleries",
    "guesses",
    "networks",
    f"networks/{NETWORK}",
    f"networks/{NETWORK}/compiled",
    "networks/mine",
    "reference-pictures",
]
_EXACT = [
    ("galleries", f"{'0' * 40}.vtgallery"),
    ("guesses", GUESS),
    ("networks", NETWORK),
    ("", "guesses"),
    (f"networks/{NETWORK}", "compiled"),
]
_EXACT += [("reference-pictures", "ab"), ("reference-pictures/ab", f"{'ab' * 16}.jpg"), (f"networks/{NETWORK}", "network.bin")]
_FOLDERS += ["reference-pictures/ab", "reference-pictures/views", "engine-mine", "features/msls"]
_NAMES = [
    f"{'0' * 40}.vtgallery",
    f"{'0' * 39}g.vtgallery",
    "0.vtgallery",
    GUESS,
    "x.json",
    "network.xml",
    "network.bin",
    "1.blob",
    "notes.txt",
]
_NAMES += [
    f"{'ab' * 16}.jpg",
    f"{'ab' * 16}-60.jpg",
    "holiday.jpg",
    f"{FEATURES}.safetensors",
    ".vidtag-1-00000000-x",
    "store.json",
    "pyvenv.cfg",
]


_PLACES = st.one_of(st.tuples(st.sampled_from(_FOLDERS), st.sampled_from(_NAMES)), st.sampled_from(_EXACT))
_WHAT = st.sampled_from(["file", "folder", "link to file", "link to folder"])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(_PLACES, _WHAT), max_size=12))
def test_nothing_outside_what_is_named_is_ever_deleted(things):
    with tempfile.TemporaryDirectory() as place:
        cache, outside = Path(place, "cache"), Path(place, "outside")
        write(outside / "folder" / "network.xml")
        for (folder, name), what in things:
            path = cache / folder / name
            if os.path.lexists(path) or any(one.is_symlink() or one.is_file() for one in path.parents):
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            if what == "file":
                path.write_bytes(b"{}")
            elif what == "folder":
                write(path / "inside.txt")
            else:
                path.symlink_to(outside / "folder" if what == "link to folder" else outside / "folder" / "network.xml")
        before, kept = snapshot(cache), snapshot(outside)
        request = cache_clearing.request_of(["galleries", "networks", "guesses", "unfinished", "pictures", "environments"])
        with mock.patch.object(cache_clearing, "_paths_of", return_value=set()):  # nobody uses it, and asking takes a while
            done = cache_clearing.clear(cache_clearing.planned(request, cache), request)
        after = snapshot(cache)
        assert snapshot(outside) == kept
        assert done.failed == []
        gone = before.keys() - after.keys()
        assert {path: before[path] for path in before if path not in gone} == after
        assert [path for path in gone if not _MAY_GO.fullmatch(path)] == []
        assert [path for path in gone if before[path].startswith("link")] == []
        # What is exactly a cache does go.
        assert not any(
            re.fullmatch(r"galleries/0{40}\.vtgallery|guesses/0{32}\.json", path) for path in after if after[path] == "file 7b7d"
        )
