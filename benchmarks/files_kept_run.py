"""Runs command lines in folders of their own, as an unprivileged user or to their death at a given step."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import hashlib
import io
import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NoReturn, Self, cast

ROOT = Path(__file__).resolve().parents[1]
_NOBODY = 65534
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_STEPS = {"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "sqlite3.connect"}
_TIMEOUT_S = 300


class Runner:
    """A helper process that has imported everything, and forks one for each command line.

    Args:
        base: an empty folder.
    """

    def __init__(self, base: Path) -> None:
        self.base, self.template, self.old, self._number = base, base / "cases" / "template", base / "old", 0
        for folder in (self.template, self.old, base / "said", base / "cache", base / "home", base / "tmp"):
            folder.mkdir(parents=True)
        for name in ("said", "tmp", "cache", "home"):
            (base / name).chmod(0o777)
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "LD_LIBRARY_PATH"}}
        self._environment = kept | {
            "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "VIDTAG_CACHE": str(base / "cache"), "HOME": str(base / "home"),
            "TMPDIR": str(base / "tmp"), "HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "80",
        }  # fmt: skip

    def __enter__(self) -> Self:
        self._helper = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.files_kept_run"],
            cwd=self.base, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        assert self._helper.stdin is not None
        self._helper.stdin.close()
        self._helper.wait(_TIMEOUT_S)

    def fresh(self) -> Path:
        """A working folder with the inputs in it."""
        self._number += 1
        folder = self.template.parent / f"case-{self._number}"
        shutil.copytree(self.template, folder)
        return folder

    def run(
        self,
        folder: Path,
        words: tuple[str, ...],
        *,
        request: dict[str, Any] | None = None,
        unprivileged: bool = False,
        count: bool = False,
        kill_at: int = 0,
        kill_after_s: float = 0.0,
    ) -> tuple[int, str]:
        """Run a command line, or a worker's request.

        Args:
            folder: to run in.
            words: after ``vidtag``.
            request: asked of a worker instead.
            unprivileged: as a user who may read all and write nothing of others.
            count: how many steps of writing there are.
            kill_at: number of the step before which the process is killed, from 1.
            kill_after_s: seconds after which it is killed.

        Returns:
            the exit status (2 too for an input error of a worker; the number of steps for ``count``), and the last line that was said.

        Raises:
            RuntimeError: steps are to be counted, and the command did not go through.
        """
        out, err = self.base / "said" / "out", self.base / "said" / "err"
        for path in (out, err):
            path.unlink(missing_ok=True)
        asked = {
            "folder": str(folder), "words": words, "request": request, "unprivileged": unprivileged, "count": count, "kill_at": kill_at,
            "kill_after_s": kill_after_s, "out": str(out), "err": str(err),
        }  # fmt: skip
        assert self._helper.stdin is not None
        assert self._helper.stdout is not None
        self._helper.stdin.write(json.dumps(asked) + "\n")
        self._helper.stdin.flush()
        code = int(self._helper.stdout.readline())
        said = err.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        if count:
            if code:
                raise RuntimeError(f"vidtag {' '.join(words)} must work, but: {said[-1] if said else code}")
            return int((self.base / "said" / "steps").read_text()), ""
        if request is not None and code == 0:
            answer = json.loads(out.read_text(encoding="utf-8").strip().splitlines()[-1])
            return (2 if answer.get("kind") == "input" else 0 if answer["type"] == "result" else 1), str(answer.get("message", ""))
        return code, said[-1] if said else ""

    @contextlib.contextmanager
    def surrounded(self, folder: Path, surroundings: str) -> Iterator[str]:
        """The subfolder ``out`` read-only or another user's; gives the reason where this machine does not allow that."""
        out = folder / "out"
        if not surroundings:
            yield ""
        elif os.geteuid() != 0:
            out.chmod(0o555)
            yield ""
            out.chmod(0o755)
        elif surroundings.startswith("on a disk"):
            full = folder.with_name(f"{folder.name}-full")
            shutil.copytree(out, full)
            if subprocess.run(["mount", "-t", "tmpfs", "none", str(out)], capture_output=True, check=False).returncode:
                yield "a disk cannot be mounted here"
                return
            shutil.copytree(full, out, dirs_exist_ok=True)
            subprocess.run(["mount", "-o", "remount,ro", str(out)], check=True)
            try:
                yield ""
            finally:
                subprocess.run(["umount", str(out)], check=True)
        else:
            if surroundings.startswith("write-protected"):
                for one in [out, *(path for path in out.rglob("*") if path.is_dir())]:
                    os.chown(one, _NOBODY, _NOBODY)
            yield ""


def snapshot(folder: Path) -> dict[str, str]:
    """Digest of every file, by its path in the folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".vidtag-" not in str(path.relative_to(folder)) and not path.name.startswith(".")
    }


def is_whole(path: Path) -> bool:
    """Whether a file of this tool's is whole, by readers that are not this tool's, and bears its mark."""
    import sqlite3
    from xml.etree import ElementTree as ET

    from PIL import Image

    data, suffix = path.read_bytes(), path.suffix
    try:
        if suffix == ".gpkg":
            with contextlib.closing(sqlite3.connect(path)) as database:
                return database.execute("PRAGMA integrity_check").fetchone() == ("ok",) and bool(
                    database.execute("SELECT count(*) FROM gpkg_metadata").fetchone()[0]
                )
        if suffix in {".png", ".jpg", ".tif"}:
            Image.open(io.BytesIO(data)).load()
        elif suffix in {".kml", ".gpx"}:
            ET.fromstring(data)
        elif suffix in {".json", ".geojson"}:
            json.loads(data)
        elif suffix == ".safetensors":
            from safetensors.torch import load

            load(data)
    except (OSError, ValueError, sqlite3.Error, ET.ParseError, SyntaxError):
        return False
    return data.endswith(b"</html>\n" if suffix == ".html" else b"\n") if suffix in {".html", ".md", ".csv"} else bool(data)


def _serve() -> None:
    """The helper: import once, then fork for each request."""
    import geopandas  # noqa: F401
    import matplotlib.backends.backend_agg
    import matplotlib.figure  # noqa: F401
    import pyogrio  # noqa: F401
    import rasterio  # noqa: F401
    import rich.progress  # noqa: F401
    import simplekml  # noqa: F401

    import vidtag_engine.cli
    import vidtag_engine.commands.evaluate
    import vidtag_engine.commands.export
    import vidtag_engine.commands.match
    import vidtag_engine.heatmap
    import vidtag_engine.training
    import vidtag_engine.worker  # noqa: F401

    gc.freeze()
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(asked)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(asked: dict[str, Any]) -> NoReturn:
    """In the forked process: be ``python -m vidtag_engine`` with these words, or a worker with one request."""
    said = Path(asked["out"]).parent
    requests = said / "requests"
    if asked["request"]:
        requests.write_text(json.dumps(asked["request"]) + "\n")
    for name, descriptor, flags in (
        (str(requests) if asked["request"] else os.devnull, 0, os.O_RDONLY),
        (asked["out"], 1, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        (asked["err"], 2, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    ):
        opened = os.open(name, flags, 0o666)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.chdir(asked["folder"])
    steps = _Steps(asked["folder"], asked["kill_at"])
    code = 1
    try:
        if asked["unprivileged"] and os.geteuid() == 0:
            _drop_privileges()
        if asked["count"] or asked["kill_at"]:
            sys.addaudithook(steps)
        if asked["kill_after_s"]:
            signal.setitimer(signal.ITIMER_REAL, asked["kill_after_s"])  # the signal's own action is to end the process
        code = _worker() if asked["request"] else _command(asked["words"])
    except BaseException:  # noqa: BLE001 - whatever it is, the interpreter would print it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        steps.on = False
        if asked["count"]:
            (said / "steps").write_text(str(steps.number))
        os._exit(code)


def _command(words: list[str]) -> int:
    sys.argv = ["vidtag", *words]
    try:
        runpy.run_module("vidtag_engine", run_name="__main__")
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
    return 0


def _worker() -> int:
    """A request is answered before the input's end is seen, as a client that waits would have it."""
    from vidtag_engine import worker
    from vidtag_engine.protocol_writer import ProtocolWriter

    class Patient(io.RawIOBase):
        """Holds the end of the input back until the answer is there."""

        def __iter__(self) -> Iterator[bytes]:
            yield from sys.stdin.buffer
            while not serving._job or not serving._job.answering.is_set():  # noqa: SLF001
                time.sleep(0.01)

    serving = worker.Worker(cast(IO[bytes], Patient()), ProtocolWriter(os.fdopen(os.dup(1), "wb")))
    serving.serve()
    return 0


class _Steps:
    """Counts what is about to be written, renamed or removed in a folder, and kills the process before a given step."""

    def __init__(self, folder: str, kill_at: int) -> None:
        self.folder, self.kill_at, self.number, self.on = folder, kill_at, 0, True

    def __call__(self, event: str, given: tuple[Any, ...]) -> None:
        if not self.on or (event != "open" and event not in _STEPS):
            return
        if event == "open" and not (isinstance(given[2], int) and given[2] & _WRITES):
            return
        where = os.fsdecode(given[0]) if isinstance(given[0], str | bytes | os.PathLike) else str(given[0])
        if where.startswith("/") and not where.startswith(self.folder):
            return
        self.number += 1
        if self.number == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


def _drop_privileges() -> None:
    """Be nobody, who may read everything (the libraries may lie in root's folder) but write only what is allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(8, 1, 0, 0, 0)  # PR_SET_KEEPCAPS
    os.setgroups([])
    os.setgid(_NOBODY)
    os.setuid(_NOBODY)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    only_read = 1 << 2  # CAP_DAC_READ_SEARCH
    data = (ctypes.c_uint32 * 6)(only_read, only_read, 0, 0, 0, 0)
    if libc.capset(ctypes.byref(header), ctypes.byref(data)):
        raise OSError(ctypes.get_errno(), "capset")


if __name__ == "__main__":
    _serve()
