"""Make, resume and check the engine's environment: a virtual environment in VidTAG's cache folder, outside the plugin's own.

An environment counts as whole only when ``READY`` lies in it, which is written last. ``setup.json`` says what is done already, so that a
broken-off try goes on; ``setup.log`` holds what pip printed, to be copied into a report. Standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from datetime import datetime
from typing import Any, Callable, Optional, Sequence

from . import platforms
from .client import run_request
from .environment_files import (
    LOG,
    MADE_BY,
    ManagedEnvironment,
    OnProgress,
    check_room,
    clear,
    describe,
    ignore,
    installed_packages,
    left_over,
    make_folder,
    only_one,
    read_state,
    sweep,
    write_state,
    write_whole,
)
from .environment_plan import Agreement, SetupPlan, engine_version, source_digest, source_files, torch_requirement
from .errors import EngineError, EnvironmentSetupError, SetupCancelledError
from .interpreter import READY, EngineInterpreter
from .pip_errors import explain
from .pip_run import PipProgress, pip_environment, run_logged, without_credentials

BUILD_TOOLS = ("pip>=24.1", "hatchling>=1.24", "setuptools>=70.1")
"""pip with machine-readable progress, what builds the engine's own package, and what builds the libraries that have no wheel."""
_STEPS = {"venv": (0.0, 0.02), "tools": (0.02, 0.05), "engine": (0.05, 0.97), "check": (0.97, 1.0)}
_TAIL_LINES = 60

OnLine = Callable[[str], None]


def _never() -> bool:
    return False


def create(
    plan: SetupPlan,
    agreed: Agreement,
    *,
    on_progress: OnProgress = ignore,
    on_line: OnLine = ignore,
    cancelled: Callable[[], bool] = _never,
) -> ManagedEnvironment:
    """Make the environment of a plan, go on with one that was broken off, or bring an older one up to date.

    Args:
        plan: what to make.
        agreed: the user's consent to this very plan.
        on_progress: called with the fraction in 0..1, the stage and a line for people.
        on_line: called with each line of the log.
        cancelled: asked about ten times a second.

    Raises:
        SetupCancelledError: ``cancelled`` said so; what is done is kept.
        EnvironmentSetupError: one sentence that says what to do; ``detail`` is the end of the log.
    """
    if agreed.plan != plan.key:
        raise EnvironmentSetupError("The consent is for another plan: show this one, and let the user agree to it.")
    make_folder(plan.folder)
    with only_one(plan.folder):
        setup = _Setup(plan, agreed, on_progress, on_line, cancelled)
        setup.run()
    return describe(plan.folder, plan.source)


def check(
    python: str, cache: Optional[str] = None, own_folders: Sequence[str] = (), cancelled: Callable[[], bool] = _never
) -> dict[str, Any]:
    """Start the engine in an environment and return its doctor's report.

    Raises:
        EngineError: it does not start, or stops.
    """
    interpreter = EngineInterpreter(python, "the managed environment", cache=cache)
    return run_request(interpreter, "doctor", {}, own_folders=own_folders, cancelled=cancelled)


class _Setup:
    """One try to make an environment."""

    def __init__(self, plan: SetupPlan, agreed: Agreement, on_progress: OnProgress, on_line: OnLine, cancelled: Callable[[], bool]) -> None:
        self.plan, self.agreed = plan, agreed
        self._on_progress, self._on_line, self._cancelled = on_progress, on_line, cancelled
        self._folder = plan.folder
        self._python = platforms.venv_python(plan.folder)
        self._source = os.path.join(plan.folder, "source")
        self._temporary = os.path.join(plan.folder, "tmp")
        self._lines: list[str] = []
        self._stage = "venv"

    def run(self) -> None:
        digest = source_digest(self.plan.source)
        state = self._resumed(digest)
        if state.get("done") == list(_STEPS) and os.path.isfile(os.path.join(self._folder, READY)):
            return
        with contextlib.suppress(FileNotFoundError):
            os.remove(os.path.join(self._folder, READY))
        if left_over(self.plan.cache):
            self._say(0.0, "Clearing away what an earlier removal has left")
            sweep(self.plan.cache)
        if "engine" not in state["done"]:
            check_room(self._folder, self.plan.needed_mb, with_what_is_there=True)
        os.makedirs(self._temporary, exist_ok=True)
        self._log(f"# {datetime.now().astimezone():%Y-%m-%d %H:%M:%S %z} {sys.platform}, {self.plan.python.text}, {self.plan.flavour}")
        self._log(f"# Packages from {without_credentials(self.plan.origin)}; agreed to at {self.agreed.at}")
        try:
            for step in _STEPS:
                if step in state["done"]:
                    continue
                self._stage = step
                getattr(self, f"_{step}")(state)
                state["done"].append(step)
                write_state(self._folder, state)
        except EnvironmentSetupError as error:
            self._log(f"# {error}")
            raise
        finally:
            shutil.rmtree(self._temporary, ignore_errors=True)
        write_whole(os.path.join(self._folder, READY), f"vidtag-engine {state['engine']}\n")
        self._on_progress(1.0, "done", "The engine is ready.")

    def _resumed(self, digest: str) -> dict[str, Any]:
        """The state to go on from; a fresh one where what is there is of another Python, or was cut off while it was installing."""
        plan, state = self.plan, read_state(self._folder)
        made_from = [plan.python.python, list(plan.python.version), plan.flavour, list(plan.extras)]
        usable = state.get("made_from") == made_from and not state.get("installing") and os.path.exists(self._python)
        if not usable:
            clear(self._folder)
            state = {"done": []}
        elif state.get("digest") != digest:
            state["done"] = [step for step in state["done"] if step in {"venv", "tools"}]
        state.update(
            made_by=MADE_BY,
            made_from=made_from,
            flavour=plan.flavour,
            digest=digest,
            engine=engine_version(plan.source),
            agreed_at=self.agreed.at,
        )
        write_state(self._folder, state)
        return state

    def _venv(self, state: dict[str, Any]) -> None:
        self._say(0.0, "Making the environment")
        self._run([self.plan.python.python, "-m", "venv", self._folder])

    def _tools(self, state: dict[str, Any]) -> None:
        self._say(0.0, "Bringing pip up to date")
        self._run([*self._pip("install"), "--upgrade", *self._from(), *BUILD_TOOLS])

    def _engine(self, state: dict[str, Any]) -> None:
        self._say(0.0, "Looking for PyTorch's build")
        torch = self._torch(self.plan.source)
        self._copy_source()
        progress = PipProgress(len(self.plan.packages), self.plan.download_mb)
        here = installed_packages(self._folder)

        def on_line(line: str) -> bool:
            for_progress = progress.feed(line)
            if progress.installing and not state.get("installing"):
                state["installing"] = True  # cut off from here on, a package may lie there in half
                write_state(self._folder, state)
            self._say(progress.fraction, progress.message)
            return not for_progress

        def on_tick() -> None:
            progress.installed(installed_packages(self._folder) - here)
            self._say(progress.fraction, progress.message)

        extras = f"[{','.join(self.plan.extras)}]" if self.plan.extras else ""
        wanted = [self._source + extras, *torch]
        # --no-build-isolation: hatchling is there already, and a folder of wheels need not have it twice.
        self._run(
            [*self._pip("install"), "--progress-bar", "raw", "--no-compile", "--no-build-isolation", *self._from(), *wanted],
            on_line,
            on_tick,
        )
        state.pop("installing", None)

    def _check(self, state: dict[str, Any]) -> None:
        self._say(0.0, "Starting the engine once")
        try:
            report = check(self._python, self.plan.cache, self.plan.own_folders, self._cancelled)
        except EngineError as error:
            for line in (str(error), *error.detail.splitlines()):
                self._log(line)
            raise EnvironmentSetupError(f"Everything is installed, but the engine does not start: {error}", self._tail()) from error
        missing = [name for name, version in report.get("versions", {}).items() if version is None]
        self._log(f"# Doctor: {json.dumps(report, ensure_ascii=False)}")
        if missing:
            raise EnvironmentSetupError(
                f"These libraries are missing after the installation: {', '.join(missing)}. See the log.", self._tail()
            )

    def _torch(self, source: str) -> list[str]:
        """An exact build of PyTorch where the index's usual one is not what the user chose; a folder of wheels holds what it holds."""
        if self.plan.wheels is not None:
            return []
        with open(os.path.join(source, "pyproject.toml"), encoding="utf-8") as file:
            if '"torch>' not in file.read():
                return []
        pinned = torch_requirement(self._versions("torch"), self._versions("torchvision"), self.plan.flavour)
        return [pinned] if pinned else []

    def _versions(self, name: str) -> str:
        """What pip says about a package's versions; empty for an index that cannot list them, whose usual build may still do."""
        said: list[str] = []

        def listen(line: str) -> bool:
            said.append(line)
            return True

        try:
            self._run([*self._pip("index", "versions"), *self._from(), name], listen)
        except SetupCancelledError:
            raise
        except EnvironmentSetupError as error:
            self._log(f"# {error}")
        return "\n".join(said)

    def _copy_source(self) -> None:
        """The plugin's folder may be read-only, and an update may replace it while pip is building."""
        shutil.rmtree(self._source, ignore_errors=True)
        for inside in source_files(self.plan.source):
            target = os.path.join(self._source, inside)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(os.path.join(self.plan.source, inside), target)

    def _pip(self, *command: str) -> list[str]:
        return [self._python, "-m", "pip", *command]

    def _from(self) -> list[str]:
        if self.plan.wheels is not None:
            return ["--no-index", "--find-links", os.path.abspath(self.plan.wheels)]
        return ["--extra-index-url", self.plan.torch_index] if self.plan.torch_index else []

    def _run(self, command: Sequence[str], on_line: Callable[[str], bool] = lambda _: True, on_tick: Callable[[], None] = ignore) -> None:
        variables = pip_environment(os.environ, self._temporary, self.plan.proxies, self.plan.own_folders)
        if self.plan.wheels is not None:
            variables = {name: value for name, value in variables.items() if name not in {"PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"}}
        if self.plan.offline:
            variables["PIP_CONFIG_FILE"] = os.devnull  # it may name further places to look at
        self._log(without_credentials("$ " + " ".join(command)))

        def take(line: str) -> None:
            if on_line(line):
                self._log(line)

        status = run_logged(command, variables, self._temporary, take, self._cancelled, on_tick)
        if status:
            tail = self._tail()
            last = next(
                (line for line in reversed(tail.splitlines()) if line.strip() and not line.startswith(("#", "$"))), "it printed nothing"
            )
            sentence = explain(tail, self.plan.wheels is not None)
            raise EnvironmentSetupError(sentence or f"{' '.join(command[1:4])} failed (exit status {status}): {last[:300]}", tail)

    def _say(self, fraction: float, message: str) -> None:
        begin, end = _STEPS[self._stage]
        self._on_progress(begin + (end - begin) * fraction, self._stage, message)

    def _log(self, line: str) -> None:
        self._lines = [*self._lines[1 - _TAIL_LINES :], line]
        with open(os.path.join(self._folder, LOG), "a", encoding="utf-8") as file:
            file.write(line + "\n")
        self._on_line(line)

    def _tail(self) -> str:
        return "\n".join(self._lines)
