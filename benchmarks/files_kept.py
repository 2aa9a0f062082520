"""Are a person's files kept? Every output of every command is aimed at what it must not replace, and killed at every step of its writing.

The commands run as ``python -m vidtag_engine`` runs them, each in a process forked from one that has the imports behind it. Lost is: a file that was there and
was not this tool's own of that kind has changed or gone, or this tool's own is neither whole as it was nor whole and new.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from .files_kept_cases import ANOTHER, FOREIGN, FREE, PROTECTED, QUICK, TARGETS, Target
from .files_kept_run import Runner, is_whole, snapshot

TITLE = "Outputs aimed at what must be kept, and killed at every step"
_REFUSED, _KILLED = 2, -9
_REVIEW = "out/pinned.review.gpkg"
_AT_RANDOM = 3  # kills at any moment, beside those before each step


def run(seed: int = 0, *, quick: bool = False) -> dict[str, Any]:
    """Try every output in every situation; ``quick`` takes a few outputs, and every third kill of two commands."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary).resolve()
        base.chmod(0o755)
        with Runner(base) as runner:
            targets = [target for target in TARGETS if not quick or target.name in QUICK]
            _make_inputs(runner, targets, seed)
            cases = [case for target in targets for case in _refusals(runner, target)]
            for command in ("gallery", "solve") if quick else dict.fromkeys(target.command for target in targets):
                some = [target for target in targets if target.command == command]
                cases += _kills(runner, some, np.random.default_rng(seed), every=3 if quick else 1)
    lost = [case for case in cases if case["lost"]]
    return {
        "outputs": len(cases),
        "lost": len(lost),
        "not_refused": sum(case["expected"] == _REFUSED and case["code"] != _REFUSED for case in cases),
        "targets": len(targets),
        "kills": sum(case["situation"].startswith("killed") for case in cases),
        "seconds": round(time.perf_counter() - started, 1),
        "why": [f"{case['target']}, {case['situation']}: {case['lost'] or case['said']}" for case in cases
                if case["lost"] or (case["expected"] == _REFUSED and case["code"] != _REFUSED)],
        "cases": [{name: case[name] for name in ("target", "situation", "code", "said")} for case in cases],
    }  # fmt: skip


def _make_inputs(runner: Runner, targets: Sequence[Target], seed: int) -> None:
    """The inputs that all cases share, and one finished output of each target to be the old one."""
    import geopandas
    import shapely

    from . import bad_input_cases

    made = runner.base / "made"
    made.mkdir()
    bad_input_cases.make_inputs(made, seed)
    template = runner.template
    for name in ("drive.mp4", "drive.gpx", "layers.gpkg"):
        shutil.copy(made / name, template / name)
    shutil.copytree(made / "pictures", template / "pictures")
    for name in ("0.png", "1.png"):
        from PIL import Image

        Image.open(made / "pictures" / "0.jpg").save(template / "pictures" / name)
    shutil.copytree(made / "tiny", runner.base / "tiny")
    _make_cities(runner.base / "cities", seed)
    line = shapely.LineString([(159.929, -19.2205), (159.9345, -19.2155)])
    geopandas.GeoDataFrame({"n": [1]}, geometry=[line], crs=4326).to_file(template / "roads.gpkg", layer="roads")
    area = shapely.box(bad_input_cases.WEST, bad_input_cases.SOUTH, bad_input_cases.EAST, bad_input_cases.NORTH)
    for name in ("area.gpkg", "area.kml"):
        geopandas.GeoDataFrame({"n": [1]}, geometry=[area], crs=4326).to_file(template / name, layer="area")
    (template / "out").mkdir()
    for words in (
        ("reference", "build", "--video", "drive.mp4", "--truth", "drive.gpx", "--resolution-m", "40", "--output", "../../references"),
        ("geolocate", "drive.mp4", *FREE, "--keep-scores", "--output", "result.gpkg"),
        ("pin", "result.gpkg", "--frame", "1", "--at=-19.218,159.932"),
    ):
        _must(runner, template, words)
    for ending in (".gpkg", ".review.gpkg"):
        shutil.copy(template / f"result{ending}", template / "out" / f"pinned{ending}")
    for target in targets:
        folder = runner.fresh()
        _must(runner, folder, target.words(target.output))
        # A pin is set once: its old files are the result that it goes to, and the pins that are there.
        shutil.copytree((template if target.command == "pin" else folder) / "out", runner.old / target.name.replace(" ", "_"))


def _make_cities(folder: Path, seed: int) -> None:
    """A checkpoint of two cities, learnt from noise."""
    from vidtag_engine.models import VidTAGConfig
    from vidtag_engine.training.city import train_city
    from vidtag_engine.training.city_data import LabelledVideo, table_from_videos
    from vidtag_engine.training.city_settings import city_recipe

    seen = np.random.default_rng(seed).standard_normal((2, 4, VidTAGConfig.preset("vidtag-compact").feature_dim)).astype(np.float32)
    videos = [
        LabelledVideo(name, frames, len(frames), (name, "North", "Isle", "Ocean"), np.array([[-19.22, 159.93 + number]]))
        for number, (name, frames) in enumerate(zip(("Avila", "Berga"), seen, strict=True))
    ]
    train_city(videos, [], table_from_videos(videos), folder, city_recipe("default", epochs=1, parts="plain", device="cpu"))


def _must(runner: Runner, folder: Path, words: tuple[str, ...]) -> None:
    code, said = runner.run(folder, words)
    if code:
        raise RuntimeError(f"vidtag {' '.join(words)} must work, but: {said}")


def _refusals(runner: Runner, target: Target) -> list[dict[str, Any]]:
    """A target in every situation in which it must not write."""
    cases: list[dict[str, Any]] = []
    for way in ("command", "worker"):
        for name, content in FOREIGN[target.suffix].items():
            folder = runner.fresh()
            _put(folder / target.output, _other(target) if content == ANOTHER else content, runner)
            cases.append(_refused(runner, target, f"{name}, {way}", folder, target.words(target.output), worker=way == "worker"))
        if target.input:
            words = target.words(target.input)
            folder = runner.fresh()
            cases.append(_refused(runner, target, f"an input, with --overwrite, {way}", folder, words, True, worker=way == "worker"))
    folder = runner.fresh()
    (folder / target.output).unlink(missing_ok=True)
    (folder / target.output).mkdir(parents=True)
    (folder / target.output / "notes.txt").write_text("mine")
    if target.kind not in {"checkpoint", "frames"}:
        cases.append(_refused(runner, target, "a folder", folder, target.words(target.output), True))
    for surroundings in (FREE_OF_WRITING, *PROTECTED):
        folder = runner.fresh()
        shutil.copytree(runner.old / target.name.replace(" ", "_"), folder / "out", dirs_exist_ok=True)
        cases.append(_refused(runner, target, surroundings, folder, target.words(target.output), True, surroundings=surroundings))
    return [case for case in cases if case]


FREE_OF_WRITING = "on a disk that is read only"


def _other(target: Target) -> str:
    return "grid.gpkg" if target.kind == "result" else "result.gpkg"


def _put(path: Path, content: bytes | str, runner: Runner) -> None:
    """A text, or the copy of a file of the inputs or of this tool's own."""
    path.parent.mkdir(exist_ok=True, parents=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        source = runner.template / content
        shutil.copy(source if source.exists() else next(runner.old.rglob(content)), path)


def _refused(
    runner: Runner,
    target: Target,
    situation: str,
    folder: Path,
    words: tuple[str, ...],
    overwrite: bool = False,
    *,
    worker: bool = False,
    surroundings: str = "",
) -> dict[str, Any]:
    """One case in which nothing may change."""
    if overwrite and "--overwrite" not in words and target.command != "pin":
        words = (*words, "--overwrite")
    if not overwrite:
        words = tuple(word for word in words if word != "--overwrite")
    if worker and target.command not in {"pin"}:
        request = target.request(words)
    elif worker:
        return {}
    else:
        request = None
    with runner.surrounded(folder, surroundings) as why_not:
        if why_not:
            return {}
        before = snapshot(folder)
        code, said = runner.run(folder, words, request=request, unprivileged=surroundings in PROTECTED)
        lost = [name for name, content in before.items() if snapshot(folder).get(name) != content]
    shutil.rmtree(folder, ignore_errors=True)
    return {"target": target.name, "situation": situation, "expected": _REFUSED, "code": code, "said": said, "lost": lost}


def _kills(runner: Runner, targets: Sequence[Target], rng: np.random.Generator, every: int = 1) -> list[dict[str, Any]]:
    """One run with all outputs of a command over old ones, killed before each of its steps, and at random moments."""
    command = targets[0].command
    words = max((target.base for target in targets if "--images" not in target.base), key=len)
    for target in targets:
        words = (*words, *target.option(target.output))
    if command == "geolocate":  # of other settings, so that all is made anew
        words = (*words, "--fps", "2", "--overwrite")

    def old() -> Path:
        folder = runner.fresh()
        for target in targets:
            shutil.copytree(runner.old / target.name.replace(" ", "_"), folder / "out", dirs_exist_ok=True)
            if target.suffix == ".gpkg" and command != "pin":
                _with_log(folder / target.output)
        (folder / "out" / "notes.txt").write_text("mine")
        return folder

    folder, since = old(), time.perf_counter()
    steps, _ = runner.run(folder, words, count=True)
    lasted_s = time.perf_counter() - since
    cases: list[dict[str, Any]] = []
    moments = [("step", step) for step in range(1, steps + 1, every)] + [("after", s) for s in rng.uniform(0, lasted_s, _AT_RANDOM)]
    for how, moment in moments:
        folder = old()
        before = snapshot(folder)
        code, said = runner.run(folder, words, **{"kill_at" if how == "step" else "kill_after_s": moment})
        lost = _lost(folder, before, targets)
        if command == "pin" and _pins(folder) not in {1, 2}:
            lost.append("a pin that a person had set is gone")
        situation = f"killed before step {moment} of {steps}" if how == "step" else f"killed after {moment:.2f} s"
        cases.append({"target": command, "situation": situation, "expected": _KILLED, "code": code, "said": said, "lost": lost})
        if (how, moment) == ("step", 1 + (steps // 2) // every * every):  # the next run goes through, and clears what was left behind
            if not (command == "pin" and _pins(folder) > 1):  # which is set already, where it was killed later
                _must(runner, folder, words)
            cases[-1]["lost"] += [f"left behind: {path.name}" for path in folder.rglob(".vidtag-*")]
        shutil.rmtree(folder, ignore_errors=True)
    return cases


def _pins(folder: Path) -> int:
    """How many pins a whole file of pins holds; 0 where it is gone or damaged."""
    try:
        with closing(sqlite3.connect(f"{(folder / _REVIEW).as_uri()}?mode=rw", uri=True)) as database:
            whole = database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            return int(database.execute("SELECT count(*) FROM pins").fetchone()[0]) if whole else 0
    except sqlite3.Error:
        return 0


def _with_log(path: Path) -> None:
    """What a person has set in an old file is in its log alone, as after QGIS was killed."""
    code = (
        "import sqlite3, sys, os\ndatabase = sqlite3.connect(sys.argv[1])\ndatabase.execute('PRAGMA journal_mode = wal')\n"
        "database.execute('UPDATE gpkg_contents SET description = \"set by a person\"')\ndatabase.commit()\nos.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)


def _lost(folder: Path, before: dict[str, str], targets: Sequence[Target]) -> list[str]:
    """Files that are gone or changed, and own ones that are neither whole and old nor whole and new."""
    after = snapshot(folder)
    may_change = {target.output for target in targets}
    lost = []
    for name, content in before.items():
        target = next((one for one in targets if name == one.output or name.startswith(f"{one.output}/")), None)
        side = next((one for one in may_change if name.startswith(f"{one}-")), None)
        beside = any(name == str(Path(one).with_suffix(".reliability.png")) for one in may_change)
        if side or name == _REVIEW:
            continue  # its content is judged with its database, or as pins
        if target is None and not beside:
            if after.get(name) != content and not name.startswith("out/.vidtag"):
                lost.append(f"{name} {'changed' if name in after else 'gone'}")
        elif name not in after:
            lost.append(f"{name} gone")
        elif after[name] != content and not is_whole(folder / name):
            lost.append(f"{name} is neither whole and old nor whole and new")
    for target in targets:
        path = folder / target.output
        if target.suffix == ".gpkg" and f"{target.output}-wal" in before and path.exists() and (why := _log_lost(path)):
            lost.append(why)
    return lost


def _log_lost(path: Path) -> str:
    """Whether an old database has lost what a person had set: one that is still the old holds it in itself or its log."""
    with closing(sqlite3.connect(path)) as database:
        said = {text for (text,) in database.execute("SELECT description FROM gpkg_contents")}
        new = "set by a person" not in said
        stamped = database.execute("SELECT count(*) FROM gpkg_metadata").fetchone()[0]
    # A new file was never touched by a person: it has its own descriptions and no log.
    return f"{path.name} lost its log" if new and (not stamped or path.with_name(f"{path.name}-wal").exists()) else ""


if __name__ == "__main__":
    print(json.dumps(run(quick=True), indent=1))
