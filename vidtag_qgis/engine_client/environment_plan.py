"""What making the engine's environment would do, to be shown and agreed to before anything is downloaded."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import zipfile
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Mapping, Optional

from .errors import EnvironmentSetupError
from .python_finder import StandalonePython

CPU, CUDA = "cpu", "cuda"
FLAVOURS = (CPU, CUDA)
EXTRAS = (
    "geoclip",
    "motion",
    "cluster",
)  # what the dialogs need beside the engine: the worldwide checkpoint, OpenCV for roads, Dask for a scheduler
SOURCE_FILES = ("pyproject.toml", "README.md", "LICENSE")

OFFLINE = (
    "VidTAG works offline, so nothing is fetched: collect the wheels on a machine that has a network (the page 'The engine's environment' says how), "
    "and give their folder."
)


@dataclass(frozen=True)
class Package:
    """One library that will be installed.

    Args:
        name, version: as measured when the plugin was made; pip may choose a newer version.
        licence: in its own words.
        download_mb, installed_mb: sizes.
    """

    name: str
    version: str
    licence: str
    download_mb: float
    installed_mb: float


@dataclass(frozen=True)
class Agreement:
    """That the user has seen a plan and agreed to it; ``SetupPlan.agree`` makes it.

    Args:
        plan: the key of the plan.
        at: when, ISO 8601 in UTC.
    """

    plan: str
    at: str


@dataclass(frozen=True)
class SetupPlan:
    """An environment to be made.

    Args:
        cache: VidTAG's cache folder; the environment gets a folder in it.
        python: what it is made from.
        source: a folder with the engine's source (``pyproject.toml`` and ``vidtag_engine``).
        flavour: "cpu" or "cuda": which build of PyTorch.
        packages: what will be installed, for the consent.
        wheels: a folder of wheels to install from without any network; None for the user's package index.
        torch_index: address of a further index that has PyTorch's builds for this flavour, empty for none.
        extras: of the engine's package.
        offline: whether no connection may be opened: then only a folder of wheels will do.
        proxies: environment variables of QGIS's proxy. Not shown: they may hold a password.
        own_folders: QGIS's own folders, taken off the child's PATH.
    """

    cache: str
    python: StandalonePython
    source: str
    flavour: str = CPU
    packages: tuple[Package, ...] = ()
    wheels: Optional[str] = None
    torch_index: str = ""
    extras: tuple[str, ...] = EXTRAS
    proxies: Mapping[str, str] = field(default_factory=dict)
    own_folders: tuple[str, ...] = ()
    offline: bool = False

    def __post_init__(self) -> None:
        if self.flavour not in FLAVOURS:
            raise EnvironmentSetupError(f"The kind of PyTorch is {' or '.join(FLAVOURS)}, not {self.flavour!r}.")
        if not os.path.isfile(os.path.join(self.source, "vidtag_engine", "__init__.py")):
            raise EnvironmentSetupError(f"The engine's source is not in {self.source}: install the plugin again.")
        if self.wheels is not None and not os.path.isdir(self.wheels):
            raise EnvironmentSetupError(f"The folder of wheels is not there: {self.wheels}. Choose another one.")
        if self.offline and self.wheels is None:
            raise EnvironmentSetupError(OFFLINE)
        if self.torch_index and not re.match(r"https?://\S+$|file://\S+$", self.torch_index):
            raise EnvironmentSetupError(f"{self.torch_index!r} is no address of a package index: it begins with https://.")

    @property
    def folder(self) -> str:
        """Where the environment will be."""
        return os.path.join(self.cache, f"engine-plugin-{self.flavour}")

    @property
    def download_mb(self) -> float:
        """About how much is fetched."""
        return sum(package.download_mb for package in self.packages)

    @property
    def installed_mb(self) -> float:
        """About how much the environment will take; from a folder of wheels, at least what they unpack to."""
        listed = sum(package.installed_mb for package in self.packages)
        return listed if self.wheels is None else max(listed, unpacked_mb(self.wheels))

    @property
    def needed_mb(self) -> float:
        """Room that must be free: what is fetched lies beside what is installed until the end. Wheels are read where they lie."""
        return self.installed_mb + (self.download_mb if self.wheels is None else 0.0)

    @property
    def origin(self) -> str:
        """Where the packages come from, in words."""
        if self.wheels is not None:
            return f"the folder of wheels {self.wheels}; the network is not used"
        further = f" and from {self.torch_index}" if self.torch_index else ""
        return f"the package index of your pip (its configuration and PIP_ variables hold){further}"

    @property
    def key(self) -> str:
        """A digest of all that the user is shown."""
        shown = [self.cache, self.python.python, self.flavour, [vars(package) for package in self.packages], self.origin, self.extras]
        return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()

    def agree(self) -> Agreement:
        """The user has seen this plan and agrees."""
        return Agreement(self.key, datetime.now(timezone.utc).isoformat(timespec="seconds"))


def read_packages(path: str, flavour: str) -> tuple[Package, ...]:
    """The packages of a flavour, largest first, from the list that ``tools/engine_packages.py`` has measured.

    Raises:
        EnvironmentSetupError: the list is not there or is none.
    """
    try:
        with open(path, encoding="utf-8") as file:
            rows = json.load(file)[flavour]
        return tuple(sorted((Package(**row) for row in rows), key=lambda package: -package.installed_mb))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EnvironmentSetupError(f"The list of the engine's packages cannot be read ({error}): install the plugin again.") from error


def unpacked_mb(wheels: str) -> float:
    """What the wheels of a folder unpack to, the largest of each package; a folder may hold another build of PyTorch than the list was measured with."""
    sizes: dict[str, int] = {}
    for name in os.listdir(wheels):
        if not name.endswith(".whl"):
            continue
        package = name.split("-", 1)[0].lower()
        try:
            with zipfile.ZipFile(os.path.join(wheels, name)) as archive:
                sizes[package] = max(sizes.get(package, 0), sum(entry.file_size for entry in archive.infolist()))
        except (OSError, zipfile.BadZipFile):
            continue  # pip says what is wrong with it
    return sum(sizes.values()) / 1e6


def engine_version(source: str) -> str:
    """The version of the engine in a source folder."""
    try:
        with open(os.path.join(source, "vidtag_engine", "__init__.py"), encoding="utf-8") as file:
            found = re.search(r'__version__ = "([^"]+)"', file.read())
    except OSError as error:
        raise EnvironmentSetupError(f"The engine's source is not in {source}: install the plugin again.") from error
    return found.group(1) if found else "unknown"


def source_digest(source: str) -> str:
    """A digest of the engine's source: another one means that the environment has to be brought up to date."""
    digest = hashlib.sha256()
    for inside in source_files(source):
        with open(os.path.join(source, inside), "rb") as file:
            digest.update(inside.encode() + b"\0" + file.read())
    return digest.hexdigest()[:16]


def source_files(source: str) -> list[str]:
    """The files of the engine's source, by their paths inside the folder; nothing else that lies there."""
    found = [name for name in SOURCE_FILES if os.path.isfile(os.path.join(source, name))]
    for top in ("vidtag_engine", *(os.path.join("resources", name) for name in ("styles", "land", "countries"))):
        for folder, names, files in os.walk(os.path.join(source, top)):
            names[:] = [name for name in names if name != "__pycache__"]
            found += [os.path.relpath(os.path.join(folder, name), source) for name in files if not name.endswith((".pyc", ".part"))]
    return sorted(found)


def torch_requirement(torch_versions: str, vision_versions: str, flavour: str, platform: str = sys.platform) -> Optional[str]:
    """Which build of PyTorch to ask for.

    torch and torchvision must be of the same build: with torch's CPU build, the CUDA build of torchvision does not even start. torchvision asks
    for one exact torch, of which pip takes the labelled build (``+cpu``) before the plain one: so it is torchvision that is named.

    Args:
        torch_versions, vision_versions: what ``pip index versions`` printed for each.
        flavour: "cpu" or "cuda".
        platform: ``sys.platform``.

    Returns:
        An exact requirement; None where the index's usual build is the one: CUDA on Linux, CPU on Windows, the only one on macOS.

    Raises:
        EnvironmentSetupError: there is no such build.
    """
    usual = {"win32": CPU, "darwin": flavour}.get(platform, CUDA)
    label = r"\+cpu$" if flavour == CPU else r"\+cu\d+$"
    builds = [_labelled(versions, label) for versions in (torch_versions, vision_versions)]
    if all(builds) and platform != "darwin":
        return f"torchvision=={builds[1][0]}"  # pip lists the newest first
    if flavour == usual:
        return None
    kind, other = ("CPU-only", CUDA.upper()) if flavour == CPU else (CUDA.upper(), CPU.upper())
    raise EnvironmentSetupError(
        f"Your package index has no {kind} build of torch and torchvision for this system. Give the address of PyTorch's own index, which the 'Get "
        f"started' page of pytorch.org shows for your choice, in the field 'PyTorch's index'; or choose {other}."
    )


def _labelled(versions: str, label: str) -> list[str]:
    found = re.search(r"Available versions: (.*)", versions)
    listed = [entry.strip() for entry in found.group(1).split(",")] if found else []
    return [version for version in listed if re.search(label, version)]
