"""Which Python runs the engine, and with which environment variables.

In this order: the user's setting, ``VIDTAG_ENGINE_PYTHON``, an environment that VidTAG made in its cache folder. ``sys.executable`` is no
candidate: inside QGIS it may be QGIS itself.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Mapping, Optional, Sequence

from . import platforms
from .errors import EngineNotFoundError

PYTHON_VARIABLE = "VIDTAG_ENGINE_PYTHON"
PATH_VARIABLE = "VIDTAG_ENGINE_PATH"
CACHE_VARIABLE = "VIDTAG_CACHE"
OFFLINE_VARIABLE = "VIDTAG_OFFLINE"
READY = "READY"
"""The file that makes an environment a whole one; written last."""
HOW_TO = (
    "Make one in Settings > Options > VidTAG (Create environment…), or point "
    f"Settings > Options > Processing > Providers > VidTAG, or the variable {PYTHON_VARIABLE}, at the python of an environment where "
    "`pip install` has put vidtag-engine."
)

# What QGIS, OSGeo4W, an AppImage or a virtual environment set for themselves, and what would break another Python's numpy, GDAL or PROJ.
_DROPPED_PREFIXES = ("PYTHON", "PIP_", "PROJ_", "LD_", "DYLD_")
_DROPPED_NAMES = {"VIRTUAL_ENV", "GDAL_DATA", "GDAL_DRIVER_PATH", "__PYVENV_LAUNCHER__"}


@dataclass(frozen=True)
class EngineInterpreter:
    """An interpreter for the engine.

    Args:
        python: its executable.
        source: where it was named, for messages.
        engine_path: a folder with the engine's source that comes before what is installed, or None.
        cache: VidTAG's cache folder, None for the usual one.
        offline: whether the engine shall open no connection.
        carried: whether ``engine_path`` is the source that came with the plugin, as the Python has no engine installed.
    """

    python: str
    source: str
    engine_path: Optional[str] = None
    cache: Optional[str] = None
    carried: bool = False
    offline: bool = False

    @property
    def whole(self) -> bool:
        """Whether it is a finished environment, or PyTorch lies in its folders. It is not asked, so an unusual Python may have that elsewhere."""
        return (Path(self.python).parent.parent / READY).is_file() or _has_package(self.python, "torch")

    def command(self) -> list[str]:
        """The command that starts the worker."""
        return [self.python, "-m", "vidtag_engine.worker"]


def find_interpreter(
    setting_python: str = "",
    setting_path: str = "",
    environment: Optional[Mapping[str, str]] = None,
    setting_cache: str = "",
    platform: str = sys.platform,
    own_source: str = "",
) -> EngineInterpreter:
    """Find the engine's interpreter. Cheap: looks at files and starts nothing.

    Args:
        setting_python: the user's setting, empty where there is none.
        setting_path: a folder with the engine's source, from the settings; empty for none.
        environment: variables to look at; the process's own by default.
        setting_cache: VidTAG's cache folder, from the settings; empty for the usual one.
        platform: ``sys.platform`` of the machine that the interpreter is on.
        own_source: a folder with the engine's source, for a Python where none is installed; empty for none.

    Raises:
        EngineNotFoundError: none is named, or what is named is not there. A broken setting is not passed over in silence.
    """
    variables = os.environ if environment is None else environment
    cache = setting_cache.strip() or None
    engine_path = _engine_path(setting_path, variables)
    named = [("the setting for the engine's Python", setting_python), (PYTHON_VARIABLE, variables.get(PYTHON_VARIABLE, ""))]
    for source, value in named:
        if value.strip():
            return _with_engine(EngineInterpreter(_executable(value.strip(), source, platform), source, engine_path, cache), own_source)
    managed = managed_python(Path(cache) if cache else cache_folder(variables))
    if managed is None:
        raise EngineNotFoundError(f"The VidTAG engine was not found. {HOW_TO}")
    return _with_engine(EngineInterpreter(managed, "the managed environment", engine_path, cache), own_source)


def cache_folder(environment: Mapping[str, str], platform: str = sys.platform) -> Path:
    """Where VidTAG keeps its environments; outside the plugin's folder, which updates replace."""
    chosen = environment.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen)
    base = environment.get("LOCALAPPDATA") if platform == "win32" else environment.get("XDG_CACHE_HOME")
    home = environment.get("HOME") or environment.get("USERPROFILE") or os.path.expanduser("~")
    return (Path(base) if base else Path(home) / ".cache") / "vidtag"


def works_offline(environment: Mapping[str, str]) -> bool:
    """Whether the variable asks for work without connections, as the engine reads it."""
    return environment.get(OFFLINE_VARIABLE, "").strip().lower() not in {"", "0", "false", "no", "off"}


def managed_python(cache: Path) -> Optional[str]:
    """The newest finished engine environment in the cache folder, None where there is none."""
    finished = [ready for ready in cache.glob(f"engine-*/{READY}") if _python_of(ready.parent).is_file()]
    if not finished:
        return None
    return str(_python_of(max(finished, key=lambda ready: ready.stat().st_mtime).parent))


def child_environment(
    inherited: Mapping[str, str],
    interpreter: EngineInterpreter,
    own_folders: Sequence[str] = (),
    platform: str = sys.platform,
) -> dict[str, str]:
    """Environment variables for the engine: the inherited ones less what belongs to QGIS or another Python.

    Args:
        inherited: of this process.
        interpreter: what will run.
        own_folders: folders that are QGIS's own (on Windows and macOS); what lies in them is taken off PATH.
        platform: ``sys.platform`` of the machine that the variables are for.
    """
    kept = {name: value for name, value in inherited.items() if not _dropped(name.upper())}
    path_name = next((name for name in kept if name.upper() == "PATH"), "PATH")
    separator = platforms.paths(platform).pathsep
    kept[path_name] = separator.join(platforms.without_folders(kept.get(path_name, "").split(separator), own_folders, platform))
    # Every thread of an engine that stays would else keep what it has freed to itself (80 of 1,010 MB, glibc).
    kept.setdefault("MALLOC_ARENA_MAX", "2")
    kept.update(PYTHONUTF8="1", PYTHONIOENCODING="utf-8", PYTHONSAFEPATH="1", PYTHONUNBUFFERED="1")
    if interpreter.engine_path:
        kept["PYTHONPATH"] = interpreter.engine_path
    if interpreter.cache:
        kept[CACHE_VARIABLE] = interpreter.cache
    if interpreter.offline:
        kept[OFFLINE_VARIABLE] = "1"
    return kept


def _dropped(name: str) -> bool:
    if name.startswith("QGIS_") and name.endswith("PATH"):
        return True
    return name in _DROPPED_NAMES or name.startswith(_DROPPED_PREFIXES)


def _engine_path(setting: str, variables: Mapping[str, str]) -> Optional[str]:
    for source, value in (("The setting for the engine's source folder", setting), (PATH_VARIABLE, variables.get(PATH_VARIABLE, ""))):
        if not value.strip():
            continue
        if not (Path(value.strip()) / "vidtag_engine" / "worker.py").is_file():
            raise EngineNotFoundError(f"{source} names {value}, which has no vidtag_engine/worker.py: correct it or leave it empty.")
        return os.path.abspath(value.strip())
    return None


def _executable(value: str, source: str, platform: str) -> str:
    path = Path(platforms.console_python(os.path.expanduser(value), platform))
    if path.is_dir():  # the environment's folder is as good a name
        path = _python_of(path)
    if not path.is_file():
        raise EngineNotFoundError(f"The engine's Python that {source} names is not there: {value}. Correct it. {HOW_TO}")
    if not os.access(path, os.X_OK):
        raise EngineNotFoundError(
            f"The engine's Python that {source} names is not a program that may be run: {value}. Correct it. {HOW_TO}"
        )
    # Not resolved: a venv's python is a link, and following it would leave the environment.
    return os.path.abspath(path)


def _with_engine(found: EngineInterpreter, own_source: str) -> EngineInterpreter:
    """The same, with the source that came with the plugin where no engine is installed, as in an environment that a checkout's tools have made."""
    if found.engine_path or not (Path(own_source) / "vidtag_engine" / "worker.py").is_file() or _has_package(found.python, "vidtag_engine"):
        return found
    return replace(found, engine_path=os.path.abspath(own_source), carried=True)


def _has_package(python: str, name: str) -> bool:
    """Whether a package lies in the folders that a Python takes its packages from: as a folder, or as what an editable installation leaves."""
    root = Path(python).parent.parent
    inside = (
        "lib/python3*/site-packages",
        "lib64/python3*/site-packages",
        "Lib/site-packages",
        "lib/python3*/dist-packages",
        "local/lib/python3*/dist-packages",
    )
    places = [folder for pattern in inside for folder in root.glob(pattern)]
    if not (root / "pyvenv.cfg").is_file():  # the user's own packages, and those beside a Windows python.exe
        places += [*Path(os.path.expanduser("~")).glob(".local/lib/python3*/site-packages"), Path(python).parent / "Lib" / "site-packages"]
        places += root.glob("lib/python3/dist-packages")
    for place in places:
        names = os.listdir(place) if place.is_dir() else []
        left = re.compile(rf"(__editable__[._]+|_)?{name}([-.].*)?\.(pth|dist-info)\Z")
        if name in names or any(left.match(one) for one in names):
            return True
    return False


def _python_of(environment: Path) -> Path:
    return Path(platforms.venv_python(str(environment)))
