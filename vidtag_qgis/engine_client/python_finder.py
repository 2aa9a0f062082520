"""A standalone Python to make the engine's environment from.

Never ``sys.executable``: inside QGIS it may be QGIS itself, and the Python of its bundle makes broken environments. Every candidate is run
and asked before it is believed.
"""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
import subprocess  # nosec B404
import sys
from dataclasses import dataclass
from typing import Iterable, Iterator, Mapping, Optional, Sequence

from . import platforms
from .errors import PythonNotFoundError
from .interpreter import EngineInterpreter, child_environment

MINIMUM = (3, 11)
"""What the engine asks for; 3.22 on Windows runs 3.9, for which there is no torch any more."""
PREFERRED = ((3, 11), (3, 12), (3, 13))
"""Tried before newer ones, for which some library may have no build yet."""
PROBE_TIMEOUT_S = 20.0
_PROBE = """
import json, struct, sys
missing = []
for name in ("venv", "ensurepip", "ssl"):
    try:
        __import__(name)
    except ImportError:
        missing.append(name)
print(json.dumps({"python": getattr(sys, "_base_executable", None) or sys.executable, "version": list(sys.version_info[:3]),
    "bits": struct.calcsize("P") * 8, "prefix": sys.base_prefix, "missing": missing}))
"""


@dataclass(frozen=True)
class StandalonePython:
    """A Python that can make environments.

    Args:
        python: its executable; never one inside another environment.
        version: such as (3, 11, 2).
    """

    python: str
    version: tuple[int, ...]

    @property
    def text(self) -> str:
        """For people: version and place."""
        return f"Python {'.'.join(map(str, self.version))} ({self.python})"


def find_python(
    variables: Optional[Mapping[str, str]] = None, own_folders: Sequence[str] = (), candidates: Optional[Sequence[str]] = None
) -> StandalonePython:
    """Find the best Python of this machine. Runs each candidate once, so it takes up to some seconds.

    Args:
        variables: environment variables; the process's own by default.
        own_folders: QGIS's own folders; no candidate lies there.
        candidates: executables to look at instead of the platform's.

    Raises:
        PythonNotFoundError: none will do. The sentence says what to install; ``detail`` says why each was refused.
    """
    variables = os.environ if variables is None else variables
    listed = python_candidates(variables, own_folders) if candidates is None else candidates
    found: list[StandalonePython] = []
    refused: list[str] = []
    for candidate in dict.fromkeys(listed):
        try:
            found.append(check_python(candidate, variables, own_folders))
        except PythonNotFoundError as error:
            refused.append(str(error))
        if found and found[-1].version[:2] == PREFERRED[0]:
            break  # nothing better can come
    if not found:
        raise PythonNotFoundError(no_python_sentence(refused), "\n".join(refused))
    return min(found, key=lambda one: _rank(one.version))


def check_python(
    python: str, variables: Optional[Mapping[str, str]] = None, own_folders: Sequence[str] = (), platform: str = sys.platform
) -> StandalonePython:
    """Run a Python and say whether an environment can be made from it.

    Raises:
        PythonNotFoundError: it cannot; the sentence says why.
    """
    python = platforms.console_python(python, platform)
    answer = _ask(python, os.environ if variables is None else variables, own_folders)
    version = tuple(int(part) for part in answer["version"])
    text = ".".join(map(str, version))
    if _belongs_to_qgis(answer["prefix"], own_folders, platform):
        raise PythonNotFoundError(
            f"{python} belongs to QGIS or another program: environments made from it break. Install a Python of its own."
        )
    if version[:2] < MINIMUM:
        raise PythonNotFoundError(f"{python} is Python {text}; the engine needs {MINIMUM[0]}.{MINIMUM[1]} or newer.")
    if answer["bits"] != 64:
        raise PythonNotFoundError(f"{python} is a 32-bit Python; PyTorch needs a 64-bit one.")
    if "ssl" in answer["missing"]:
        raise PythonNotFoundError(f"{python} was built without SSL: it cannot install packages.")
    if answer["missing"]:
        package = f"python{version[0]}.{version[1]}-venv"
        raise PythonNotFoundError(
            f"{python} (Python {text}) has no {' and '.join(answer['missing'])}: on Debian and Ubuntu run `sudo apt install {package}`, then try again."
        )
    return StandalonePython(str(answer["python"]), version)


def no_python_sentence(refused: Sequence[str], platform: str = sys.platform) -> str:
    """What to do where no Python will do."""
    lacking = [sentence for sentence in refused if "apt install" in sentence]
    if lacking:
        return lacking[0]
    how = {
        "win32": "install Python 3.12 (64-bit) from python.org or the Microsoft Store's Python Install Manager",
        "darwin": "install Python 3.12 from python.org or with Homebrew (`brew install python@3.12`)",
    }.get(platform, "install it with the system's packages (on Debian and Ubuntu: `sudo apt install python3-venv`)")
    return f"No Python {MINIMUM[0]}.{MINIMUM[1]} or newer was found outside QGIS: {how}, or name one in the field above, then try again."


def python_candidates(variables: Mapping[str, str], own_folders: Sequence[str] = (), platform: str = sys.platform) -> list[str]:
    """Executables that may be a standalone Python, likely ones first. Looks at files; on Windows the launcher is asked too."""
    path = platforms.paths(platform)
    home = variables.get("USERPROFILE" if platform == "win32" else "HOME") or os.path.expanduser("~")
    named = _by_place(platform, variables, home)
    folders = next((value for name, value in variables.items() if name.upper() == "PATH"), "").split(path.pathsep)
    folders = platforms.without_folders(folders, own_folders, platform)
    if platform == "win32":
        # The aliases in WindowsApps open the store where no Python is installed.
        folders = [folder for folder in folders if not re.search(r"windowsapps|osgeo4w|\bqgis \d", folder, re.IGNORECASE)]
        found = [*_launcher_pythons(variables), *_existing(named), *_existing(path.join(folder, "python.exe") for folder in folders)]
    else:
        names = [f"python{major}.{minor}" for major, minor in PREFERRED] + ["python3", "python3.14", "python3.15"]
        found = _existing(path.join(folder, name) for name in names for folder in folders if ".app/" not in folder)
        found += _existing(named)
    found = [one for one in found if platforms.without_folders([one], own_folders, platform)]
    uv = find_uv(variables)
    return list(dict.fromkeys([*found, *(_uv_pythons(uv, variables) if uv else [])]))


def find_uv(variables: Mapping[str, str]) -> Optional[str]:
    """The ``uv`` program, None where there is none. It can bring a Python of its own."""
    home = variables.get("HOME") or variables.get("USERPROFILE") or os.path.expanduser("~")
    places = [os.path.join(home, ".local", "bin"), os.path.join(home, ".cargo", "bin")]
    return shutil.which("uv", path=os.pathsep.join([variables.get("PATH", ""), *places]))


def _by_place(platform: str, variables: Mapping[str, str], home: str) -> Iterator[str]:
    """Where installers put it."""
    versions = [f"{major}.{minor}" for major, minor in (*PREFERRED, (3, 14))]
    if platform == "win32":
        bases = [
            os.path.join(variables.get("LOCALAPPDATA", ""), "Programs", "Python"),
            variables.get("PROGRAMFILES", r"C:\Program Files"),
            "C:\\",
        ]
        for version in versions:
            for base in bases:
                yield os.path.join(base, f"Python{version.replace('.', '')}", "python.exe")
        return
    if platform == "darwin":
        for version in versions:
            yield f"/Library/Frameworks/Python.framework/Versions/{version}/bin/python3"
            yield f"/opt/homebrew/bin/python{version}"
            yield f"/usr/local/bin/python{version}"
    yield "/usr/bin/python3"
    for version in versions:
        yield f"/usr/bin/python{version}"
        yield from sorted(glob.glob(os.path.join(home, ".pyenv", "versions", f"{version}.*", "bin", "python")), reverse=True)


def _existing(places: Iterable[str]) -> list[str]:
    return [place for place in places if os.path.isfile(place)]


def _launcher_pythons(variables: Mapping[str, str]) -> list[str]:
    launcher = os.path.join(variables.get("SYSTEMROOT", r"C:\Windows"), "py.exe")
    return launcher_list(_output([launcher, "-0p"], variables)) if os.path.isfile(launcher) else []


def launcher_list(text: str) -> list[str]:
    r"""The executables in what Windows's ``py -0p`` prints: `` -V:3.12 *        C:\…\python.exe``."""
    return re.findall(r"(?m)^\s*-\S+(?:\s+\*)?\s+([A-Za-z]:\\.*\.exe)\s*$", text)


def _uv_pythons(uv: str, variables: Mapping[str, str]) -> list[str]:
    try:
        rows = json.loads(_output([uv, "python", "list", "--only-installed", "--output-format", "json"], variables) or "[]")
    except ValueError:
        return []
    return [row["path"] for row in rows if isinstance(row, dict) and row.get("path")]


def _rank(version: Sequence[int]) -> tuple[int, tuple[int, ...]]:
    short = tuple(version[:2])
    return (PREFERRED.index(short), ()) if short in PREFERRED else (len(PREFERRED), tuple(version))


def _belongs_to_qgis(prefix: str, own_folders: Sequence[str], platform: str) -> bool:
    inside = not platforms.without_folders([prefix], own_folders, platform)
    return inside or bool(re.search(r"[\\/](qgis \d[^\\/]*|osgeo4w[^\\/]*)[\\/]|\.app/Contents", prefix + "/", re.IGNORECASE))


def _ask(python: str, variables: Mapping[str, str], own_folders: Sequence[str]) -> dict:
    text = _output([python, "-I", "-c", _PROBE], variables, own_folders)
    try:
        answer = json.loads(text.strip().splitlines()[-1])
        wanted = {"python", "version", "bits", "prefix", "missing"} <= set(answer)
    except (ValueError, IndexError, TypeError):
        wanted = False
    if not wanted:
        raise PythonNotFoundError(f"{python} does not answer as a Python would.")
    return answer


def _output(command: Sequence[str], variables: Mapping[str, str], own_folders: Sequence[str] = ()) -> str:
    """What a command prints, empty where it cannot be run."""
    # A list without a shell: a program found on this machine, or the one that the user named, and fixed arguments.
    options = platforms.popen_options()
    try:
        run = subprocess.run(  # nosec B603
            list(command),
            env=clean_variables(variables, own_folders),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROBE_TIMEOUT_S,
            check=False,
            cwd=os.path.expanduser("~"),
            **options,
        )
    except (OSError, subprocess.SubprocessError, ValueError):
        return ""
    return run.stdout.decode("utf-8", errors="replace")


def clean_variables(variables: Mapping[str, str], own_folders: Sequence[str] = ()) -> dict[str, str]:
    """Variables for a Python that is not QGIS's."""
    return child_environment(variables, EngineInterpreter("", "setup"), own_folders)
