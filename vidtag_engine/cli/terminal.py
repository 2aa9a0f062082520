"""What the command line says on the terminal besides its results: progress, notes, errors."""

from __future__ import annotations

import json as json_module
import math
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import typer

from ..feedback import Feedback
from ..types import CancelledError, InputError, Progress
from .options import OPTION_NAMES

if TYPE_CHECKING:
    from rich.console import Console


_TOLD_EVERY_S = 60.0


def console() -> Console:
    """Standard error."""
    from rich.console import Console

    return Console(stderr=True)


class Cancellation:
    """Ctrl-C asks for a clean stop; a second one stops at once."""

    def __init__(self) -> None:
        self.wanted = False

    def __call__(self) -> bool:
        """Whether the user wants to stop."""
        return self.wanted

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self.wanted:
            raise KeyboardInterrupt
        self.wanted = True
        console().print("[yellow]Stopping after the step under way; finished parts are kept. Ctrl-C again stops at once.")

    def install(self) -> None:
        """Listen for interrupts and polite kills."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)


@contextmanager
def progress_bar() -> Iterator[Callable[[Progress], None]]:
    """A bar on standard error; where it is no terminal, a line when a stage begins and, of long ones, one a minute."""
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    terminal = console()
    if not terminal.is_terminal:
        told_s: dict[str, float] = {}

        def line(step: Progress) -> None:
            now_s = time.monotonic()
            if now_s - told_s.get(step.stage, -math.inf) >= _TOLD_EVERY_S:
                told_s[step.stage] = now_s
                terminal.print(escaped(f"{step.fraction:4.0%} {step.stage} {step.message}".rstrip()), highlight=False, soft_wrap=True)

        yield line
        return
    columns = (
        TextColumn("{task.fields[stage]:>14}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f}%"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, TextColumn("{task.description}"), console=terminal, transient=True) as bar:
        task = bar.add_task("", total=1.0, stage="starting")
        yield lambda step: bar.update(task, completed=step.fraction, stage=step.stage, description=step.message)


@contextmanager
def watched() -> Iterator[Feedback]:
    """What long work is given by a command: progress on the terminal, and Ctrl-C or a polite kill stop it."""
    cancellation = Cancellation()
    cancellation.install()
    with progress_bar() as bar:
        yield Feedback(bar, cancellation)


@contextmanager
def plain_errors(*, json: bool = False) -> Iterator[None]:
    """Bad input becomes one sentence and its own exit status, as a stop by the user does; anything else is a bug (1) and keeps its traceback."""
    try:
        yield
    except InputError as error:
        sentence = _with_options(str(error))
        if json:
            print(json_module.dumps({"error": sentence}))
        say_error(sentence)
        raise typer.Exit(error.exit_status) from None
    except CancelledError as error:
        console().print(f"[yellow]{escaped(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(error.exit_status) from None


def _with_options(sentence: str) -> str:
    """A setting under the name that it has on the command line."""

    def option(found: re.Match[str]) -> str:
        return OPTION_NAMES.get(found[1], "--" + found[1].replace(".", "-").replace("_", "-"))

    return re.sub(r"^Setting ([a-z_]\w*(?:\.\w+)*)(?= is not usable)", option, sentence)


def say_error(sentence: str) -> None:
    """One line on standard error, whatever a file's name or a library's words bring along."""
    line = re.sub(r"\s*[\r\n]+\s*", " ", sentence)
    console().print(f"[red]Error:[/] {escaped(line)}", highlight=False, soft_wrap=True)


def escaped(text: str) -> str:
    """Text that rich must take as it is."""
    from rich.markup import escape

    return escape(text)


def usage_error(error: Any) -> int:
    """A command line that cannot be understood: one sentence too, and where the options are told. Returns the exit code."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return int(error.exit_code)
    command = error.ctx.command_path if getattr(error, "ctx", None) else "vidtag"
    said = re.sub(r"\s+", " ", error.format_message()).strip().rstrip(".").replace("Input should", "it should")
    said = re.sub(r"\. D(id you mean [^?]*\?)", r" (d\1)", said)
    options = getattr(getattr(error, "param", None), "opts", ())
    given = next((word for option, word in pairwise(sys.argv) if option in options), None)
    value = "" if given is None or given in said else f" (given: {given!r})"
    sentence = f"{said}{value}; see '{command} --help'."
    if "--json" in sys.argv:
        print(json_module.dumps({"error": sentence}))
    say_error(sentence)
    return int(error.exit_code)


MOST_ROWS = 50
"""Videos that are listed on the terminal; of a batch the page tells of all."""
WITHHELD = 5
"""Exit status of a geolocation that gave no video a place, though all could be read."""


def print_geolocation(result: dict[str, Any], *, json: bool) -> None:
    """A geolocation's result on standard output, for people or for programs."""
    if json:
        print(json_module.dumps(result, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("video", "frames", "located", "length", "mean confidence", "state")
    for video in result["videos"][:MOST_ROWS]:
        confidence = video["mean_confidence"]
        said = f"{confidence:.0%}" if confidence is not None else "not rated" if video["located"] else "-"
        state = (video["state"] or "-").replace("_", " ")
        table.add_row(escaped(video["name"]), str(video["frames"]), str(video["located"]), f"{video['length_m']:.0f} m", said, state)
    Console().print(table)
    if len(result["videos"]) > MOST_ROWS:
        print(f"And {len(result['videos']) - MOST_ROWS:,} more.")
    if result["skipped"] and result["results"]:
        count = len(result["skipped"])
        print(f"{count:,} video{' has' if count == 1 else 's have'} no result; why is in the layer videos and on the page.")
    radius = result["confidence_radius_m"]
    notes = (
        [f"Confidence is the chance that a frame lies within {radius:g} m of its point."] if result["mean_confidence"] is not None else []
    )
    notes += ["Not rated: nothing has calibrated how sure such a place is."] if result["not_rated"] else []
    print(*notes, f"{result['gallery_points']:,} candidate places.")
    page = Path(result["results"]) / "index.html" if result["results"] else None
    for path in [result["output"], *result["copies"].values(), page if page and page.exists() else result["results"]]:
        if path is not None:
            print(path)
