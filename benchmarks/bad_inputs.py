"""Bad input on the real command line: is every kind met with one sentence that names it and says what to do, and nothing left behind?

Most cases run in processes forked from one that has the imports behind it (the command is run as ``python -m vidtag_engine`` runs it, with
its own arguments, output and exit code); a few are started anew, to show that this makes no difference.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import re
import resource
import runpy
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn, Self

from vidtag_engine.types import FetchError, InputError, VideoError

from . import bad_input_cases
from .bad_input_cases import CONTROLS, FULL, READ_ONLY, SMALL_FILES, Case

TITLE = "Bad input: kinds that are met clearly"
ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs" / "bad-inputs.md"
_STATUSES = {kind.exit_status for kind in (InputError, VideoError, FetchError)}
_LIMIT_BYTES = 64 * 1024
_CPU_LIMIT_S, _TIMEOUT_S = 60, 600
# Lines of progress on standard error are no part of what is said about the input.
_PROGRESS = re.compile(r"^\s{0,2}\d{1,3}% \w")
# What to do: a verb that begins a clause.
_ADVICE = re.compile(
    r"(?:[;:,(]|\bor)\s+(?:then |first |either )?"
    r"(?:add|save|adjust|buffer|check|choose|close|convert|copy|correct|draw|export|fit|free|get|give|go|install|let|make|mend|name|pip install|put|raise|repair|"
    r"run|say|see|swap|take|train|use|write)\b"
)
_NEXT_SENTENCE = re.compile(r"[.!?]\s+[A-Z]")


# A module a topic, named bad_input_TOPIC: its CASES and, if they need files of their own, make_inputs(folder).
TOPICS = [importlib.import_module(f"benchmarks.{found.name}") for found in pkgutil.iter_modules([str(Path(__file__).parent)])
          if found.name.startswith("bad_input_") and found.name != "bad_input_cases"]  # fmt: skip
CASES: tuple[Case, ...] = (*bad_input_cases.CASES, *(case for topic in TOPICS for case in topic.CASES))


def make_inputs(folder: Path, seed: int) -> None:
    """Fill the working folder: good inputs to compare with, and every broken one."""
    bad_input_cases.make_inputs(folder, seed)
    for topic in TOPICS:
        if hasattr(topic, "make_inputs"):
            topic.make_inputs(folder)


def run(seed: int = 0, *, write_docs: bool = False) -> dict[str, Any]:
    """Meet the command line with every kind of bad input; ``write_docs`` writes the table in docs."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary).resolve()
        work = base / "work"
        work.mkdir()
        make_inputs(work, seed)
        with _Runner(base) as runner:
            for name, words in CONTROLS:
                code, _, said = runner.run(Case(name, words, ()))
                if code:
                    raise RuntimeError(f"The control '{name}' must work, but: {said}")
            tried = [_try(case, runner) for case in CASES]
    cases = [case for case in tried if "skipped" not in case]
    result = {
        "kinds": len(cases),
        "clear": sum(case["clear"] for case in cases),
        "unclear": [f"{case['name']}: {', '.join(case['why'])}: {case['sentence']}" for case in cases if not case["clear"]],
        "skipped": [f"{case['name']}: {case['skipped']}" for case in tried if "skipped" in case],
        "seconds": round(time.perf_counter() - started, 1),
        "cases": cases,
    }
    if write_docs:
        write_table(cases, DOCS)
    return result


def write_table(cases: Sequence[dict[str, Any]], path: Path) -> None:
    """Write what is wrong and what it says as a page."""
    lines = [
        "# What bad input is met with",
        "",
        "Every kind of bad input ends with an exit status of its own (2; 3 where a video cannot be read; 4 where something cannot be fetched), one sentence on",
        "standard error, and nothing left behind. The table is written by",
        "`python -m benchmarks bad_inputs --write-docs`, which runs each of these command lines and checks just that.",
        "",
        "| What is wrong | Command | What it says | Status |",
        "| --- | --- | --- | --- |",
    ]
    for case in cases:
        where = f" ({case['surroundings']})" if case["surroundings"] else ""
        cells = (case["name"] + where, f"`{case['command']}`", case["sentence"], str(case["exit_code"]))
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def why_unclear(case: Case, code: int, stdout: str, stderr: str, changed: Sequence[str]) -> tuple[str, list[str]]:
    """The sentence that was said, and every reason why that is not clear (none where it is)."""
    lines = [line.rstrip() for line in stderr.splitlines() if line.strip() and not _PROGRESS.match(line)]
    sentence = lines[-1].removeprefix("Error: ") if lines else ""
    reasons = []
    if code not in _STATUSES:
        reasons.append(f"exit status {code}")
    if len(lines) != 1 or not lines[0].startswith("Error: "):
        reasons.append(f"{len(lines)} lines on standard error")
    if "Traceback" in stdout + stderr:
        reasons.append("a traceback")
    if stdout.strip():
        reasons.append("something on standard output")
    if _NEXT_SENTENCE.search(sentence) or not sentence.endswith("."):
        reasons.append("not one sentence")
    reasons += [f"does not name {name!r}" for name in case.names if name not in sentence]
    if not _ADVICE.search(sentence):
        reasons.append("does not say what to do")
    if changed:
        reasons.append(f"left behind or changed: {', '.join(changed)}")
    return sentence, reasons


def _try(case: Case, runner: _Runner) -> dict[str, Any]:
    """Run one case and judge it."""
    row: dict[str, Any] = {"name": case.name, "command": shlex.join(("vidtag", *case.words)), "surroundings": case.surroundings}
    with runner.surrounded(case.surroundings) as reason:
        if reason:
            return {**row, "skipped": reason}
        before, since = _snapshot(runner.base), time.perf_counter()
        code, stdout, stderr = runner.run(case)
        after = _snapshot(runner.base)
    changed = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    stderr = stderr.replace(str(runner.base / "home"), "~")
    sentence, why = why_unclear(case, code, stdout, stderr, changed)
    return {**row, "exit_code": code, "sentence": sentence, "clear": not why, "why": why, "seconds": round(time.perf_counter() - since, 2)}


def _snapshot(base: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file in the working folder and the temporary one, folders by name. The cache may grow: that is its purpose."""
    found = {}
    for top in (base / "work", base / "tmp"):
        for path in top.rglob("*"):
            status = path.lstat()
            found[str(path.relative_to(base))] = (0, 0) if path.is_dir() else (status.st_size, status.st_mtime_ns)
    return found


class _Runner:
    """Runs command lines in the working folder, with caches and homes of their own, offline."""

    def __init__(self, base: Path) -> None:
        self.base, self.work = base, base / "work"
        for name in ("tmp", "home", "cache", "said"):
            (base / name).mkdir()
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "LD_LIBRARY_PATH", "SYSTEMROOT"}}
        self.environment = kept | {
            "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "VIDTAG_CACHE": str(base / "cache"), "HOME": str(base / "home"),
            "TMPDIR": str(base / "tmp"), "HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "80",
        }  # fmt: skip

    def __enter__(self) -> Self:
        self._helper = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.bad_inputs"],
            cwd=self.work, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        assert self._helper.stdin is not None
        self._helper.stdin.close()
        self._helper.wait(_TIMEOUT_S)

    def run(self, case: Case) -> tuple[int, str, str]:
        """Exit code, standard output and standard error."""
        out, err = self.base / "said" / "out", self.base / "said" / "err"
        if case.cold:
            command = [sys.executable, "-m", "vidtag_engine", *case.words]
            with out.open("wb") as stdout, err.open("wb") as stderr:
                code = subprocess.run(
                    command, cwd=self.work, env=self.environment, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
                    check=False, timeout=_TIMEOUT_S,
                ).returncode  # fmt: skip
        else:
            assert self._helper.stdin is not None
            assert self._helper.stdout is not None
            limit = _LIMIT_BYTES if case.surroundings == SMALL_FILES else None
            request = {"words": case.words, "out": str(out), "err": str(err), "limit_bytes": limit}
            self._helper.stdin.write(json.dumps(request) + "\n")
            self._helper.stdin.flush()
            code = int(self._helper.stdout.readline())
        return code, out.read_text(encoding="utf-8", errors="replace"), err.read_text(encoding="utf-8", errors="replace")

    @contextlib.contextmanager
    def surrounded(self, surroundings: str) -> Iterator[str]:
        """The folder ``disk`` as the case wants it; gives the reason where this machine does not allow that."""
        if surroundings not in {READ_ONLY, FULL}:
            yield ""
            return
        disk = self.work / "disk"
        if surroundings == READ_ONLY and os.geteuid() != 0:
            disk.chmod(0o555)
            try:
                yield ""
            finally:
                disk.chmod(0o755)
            return
        options = "ro,size=64k" if surroundings == READ_ONLY else "size=64k"
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(disk)], capture_output=True, text=True, check=False)
        if mounted.returncode:
            yield "a small disk cannot be mounted here"
            return
        try:
            yield ""
        finally:
            subprocess.run(["umount", str(disk)], check=True)


def _serve() -> None:
    """The helper: import once, then fork a process for each command line read from standard input and answer with its exit code."""
    import geopandas  # noqa: F401
    import pyogrio  # noqa: F401
    import rich.progress  # noqa: F401

    import vidtag_engine.cli
    import vidtag_engine.evaluation
    import vidtag_engine.geolocation
    import vidtag_engine.training.sources  # noqa: F401

    gc.freeze()  # what is there now is shared with the forks
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(request)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(request: dict[str, Any]) -> NoReturn:
    """In the forked process: be ``python -m vidtag_engine`` with these words."""
    for name, descriptor, flags in (
        (os.devnull, 0, os.O_RDONLY),
        (request["out"], 1, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        (request["err"], 2, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    ):
        opened = os.open(name, flags, 0o644)
        os.dup2(opened, descriptor)
        os.close(opened)
    if request["limit_bytes"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["limit_bytes"],) * 2)
    # A command that hangs is ended, which is not clear.
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_LIMIT_S, _CPU_LIMIT_S))
    signal.alarm(_TIMEOUT_S)
    sys.argv = ["vidtag", *request["words"]]
    code = 1
    try:
        runpy.run_module("vidtag_engine", run_name="__main__")
        code = 0
    except SystemExit as exit_:
        code = exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
    except BaseException:  # noqa: BLE001 - whatever it is, the interpreter would print it
        traceback.print_exc()
    finally:
        # Everything that a process does when it ends, but taking the libraries down in order, which takes longest.
        atexit._run_exitfuncs()  # noqa: SLF001 - os._exit leaves it out
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
