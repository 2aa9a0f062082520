"""Where Windows, macOS and Linux differ for a child process. Pure functions take the platform's name (``sys.platform``), so that each is tested on any."""

from __future__ import annotations

import ntpath
import os
import posixpath
import signal
import subprocess  # nosec B404
import sys
from types import ModuleType
from typing import Any, Mapping, Optional, Sequence

# Names of subprocess that exist on Windows alone; their values are Windows's own and do not change.
_CREATE_NO_WINDOW = 0x08000000
_CREATE_NEW_PROCESS_GROUP = 0x00000200


def paths(platform: str = sys.platform) -> ModuleType:
    """The path functions of a platform."""
    return ntpath if platform == "win32" else posixpath


def venv_python(environment: str, platform: str = sys.platform) -> str:
    """The interpreter of a virtual environment, by the environment's folder."""
    path = paths(platform)
    return path.join(environment, *(("Scripts", "python.exe") if platform == "win32" else ("bin", "python")))


def console_python(python: str, platform: str = sys.platform) -> str:
    """The ``python.exe`` beside Windows's ``pythonw.exe``, which has no standard streams to talk through; any other program as it is."""
    windowless = "pythonw.exe"
    if platform != "win32" or ntpath.basename(python).lower() != windowless:
        return python
    return python[: -len(windowless)] + "python.exe"


def popen_options(platform: str = sys.platform) -> dict[str, Any]:
    """Options of ``subprocess.Popen``: no console window on Windows, and a group of its own everywhere.

    With a group of its own, Ctrl+C reaches us alone, and a kill reaches all that the child has started.
    """
    if platform == "win32":
        return {"creationflags": _CREATE_NO_WINDOW | _CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def taskkill_command(pid: int, variables: Mapping[str, str]) -> list[str]:
    """Windows's command that ends a process and everything it started; by its full path, so that PATH has no say."""
    root = next((value for name, value in variables.items() if name.upper() == "SYSTEMROOT" and value), r"C:\Windows")
    return [ntpath.join(root, "System32", "taskkill.exe"), "/F", "/T", "/PID", str(pid)]


def without_folders(entries: Sequence[str], folders: Sequence[str], platform: str = sys.platform) -> list[str]:
    """The entries of a PATH that are not empty and do not lie in one of the folders; case counts where it does on the platform."""
    path = paths(platform)

    def plain(entry: str) -> str:
        return path.normcase(path.normpath(entry.strip('"')))

    roots = [plain(folder).rstrip(path.sep) for folder in folders if folder]
    return [
        entry for entry in entries if entry and not any(plain(entry) == root or plain(entry).startswith(root + path.sep) for root in roots)
    ]


def terminate_tree(process: subprocess.Popen) -> None:
    """Ask a process and all it started to end; on Windows, where nobody can ask, end them."""
    if sys.platform == "win32":
        # A fixed program by its full path and a number: nothing of the user's goes in.
        command = taskkill_command(process.pid, os.environ)
        try:
            subprocess.run(command, check=False, capture_output=True, timeout=10, **popen_options())  # nosec B603
        except (OSError, subprocess.SubprocessError):
            process.kill()  # some sites forbid that program: then at least the child itself
    else:
        _signal_group(process.pid, signal.SIGTERM)


def kill_tree(process: subprocess.Popen) -> None:
    """End what is left of a process and of all it started; on Windows nobody knows what a process that has ended had started."""
    if sys.platform == "win32":
        if process.poll() is None:
            terminate_tree(process)
    else:
        _signal_group(process.pid, signal.SIGKILL)


def stop(process: subprocess.Popen, grace_s: float) -> Optional[int]:
    """Terminate, wait, kill the whole tree, and return the exit status."""
    terminate_tree(process)
    if not ended(process, grace_s):
        process.kill()
    kill_tree(process)  # also where it ended by itself: what it started must not outlive it
    ended(process, 5.0)
    return process.returncode


def ended(process: subprocess.Popen, timeout_s: float) -> bool:
    """Whether it ends within that time."""
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def _signal_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return  # nothing of the group is left (macOS says so by refusing)
