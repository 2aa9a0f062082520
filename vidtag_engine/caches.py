"""What VidTAG keeps on this machine and what clearing it would cost: caches, environments, stored features, stores of results, databases of reference images.

Each thing is recognised by its name and by what lies in it, and whatever is not recognised is listed as somebody else's. A symbolic link is never followed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from .atomic import HIDDEN, is_left_behind
from .batch import default_cache_folder
from .cache_items import KINDS, Item, children, is_file, is_folder, paths_below
from .file_marks import own_kind
from .models.checkpoint_references import PREFIX
from .reference.downloads import VIEWS
from .reference.manifest import MANIFEST
from .reference.work import SEGMENTS, WHITENING, WORK
from .registry import registered
from .search.cache_file import SUFFIX
from .types import InputError

STORE_FILE, STORE_FORMAT, STORE_RESULTS, STORE_PAGE, STORE_LOCKS = "store.json", "vidtag-store", "results", "index.html", "locks"
_STORE_PARTS = (STORE_FILE, STORE_RESULTS, "areas", "inventory", STORE_LOCKS, STORE_PAGE, "merged.state", "merge.lock", "store.lock")
_MOST_STORE_BYTES = _MOST_HEADER_BYTES = 16 << 20
_GALLERY = re.compile(rf"[0-9a-f]{{40}}{re.escape(SUFFIX)}")
_GUESS = re.compile(r"[0-9a-f]{32}\.json")
_NETWORK = re.compile(r".+-[0-9a-f]{16}")
_NETWORK_FILES = {"network.xml", "network.bin"}
_ENVIRONMENT = re.compile(r"((engine|docs|qgis|qt6|panoramax)-[0-9a-f]{12}|engine-plugin-(cpu|cuda))(\.removing-\d+)?")
_FEATURES = re.compile(r"[0-9a-f]{24}(\.safetensors|\.npy|\.lock)")
_PICTURE = re.compile(rf"[0-9a-f]{{2}}/[0-9a-f]{{32}}\.jpg|{VIEWS}/[0-9a-f]{{32}}-[^/]+\.jpg")
_OF_A_CHECKPOINT = re.compile(rf"{PREFIX}[0-9a-f]{{8}}")


def cache_folder() -> Path:
    """VidTAG's folder of caches: ``VIDTAG_CACHE``, else ``vidtag`` in the user's."""
    return default_cache_folder().parent


def in_cache(folder: Path) -> list[Item]:
    """Everything in VidTAG's folder of caches; none where it is not there.

    Raises:
        InputError: it cannot be read.
    """
    if folder.exists():
        _check_readable(folder)
    found: list[Item] = []
    for child in children(folder):
        inside = _INSIDE.get(child.name) if is_folder(child) else None
        if child.name == "reference-pictures" and is_folder(child):
            found += _pictures_and_others(child)
        elif inside is not None:
            found += [recognised(one, inside) for one in children(child)]
        else:
            found.append(recognised(child, "environment"))
    return found


def below(folders: Sequence[Path], cache: Path | None = None) -> list[Item]:
    """The stores of results, databases of reference images and stored features in folders that a person names, and below.

    Args:
        folders: searched to any depth, but not along symbolic links.
        cache: VidTAG's folder of caches, which is left out where it lies there, as environments are.

    Raises:
        InputError: a folder is not there, is a link, or cannot be read.
    """
    found: dict[str, Item] = {}
    for named in folders:
        for place, names, files in os.walk(plain_folder(named)):
            if "pyvenv.cfg" in files or (cache is not None and os.path.realpath(cache) == os.path.realpath(place)):
                names.clear()
                continue
            one = next((item for kind in NAMED if (item := RECOGNISERS[kind](Path(place))) is not None), None)
            if one is not None:
                found[os.path.realpath(place)] = one
            names[:] = [] if one is not None and one.kind != "features" else sorted(name for name in names if not name.startswith("."))
    return list(found.values())


def checkpoints() -> list[Item]:
    """The registered checkpoints, and those that were fetched from the Hub, of which VidTAG alone makes use."""
    found = [Item("checkpoint", one.name, one.path) for one in registered()]
    for card in sorted(_hub_folder().glob("models--*/snapshots/*/config.json")):
        repository = card.parents[2]
        if own_kind(card) == "card" and (not found or found[-1].path != repository):
            found.append(Item("checkpoint", "/".join(repository.name.split("--")[1:]), repository))
    return found


def elsewhere() -> list[dict[str, str]]:
    """Folders that VidTAG shares with other programs and leaves alone, as ``what`` and ``path``; only those that are there."""
    from .models.backbones import weights_folder

    shared = {
        "what Hugging Face's library fetched, such as DINOv2's weights": _hub_folder(),
        "weights that were laid or fetched for PyTorch": weights_folder(),
    }
    return [{"what": what, "path": str(folder)} for what, folder in shared.items() if folder.is_dir()]


def only_copy(store: Path) -> str | None:
    """Why a store of results holds what lies nowhere else, one clause; None where the GeoPackage beside it has its videos, or it has none.

    Args:
        store: its folder.
    """
    results = [path for path in paths_below(store / STORE_RESULTS) if path.suffix == ".gpkg"]
    if not results:
        return None
    output = _store_of(store).get("output")
    if not isinstance(output, str) or not output:
        return "it names no GeoPackage that has its results"
    merged = store.parent / output
    try:
        with merged.open("rb") as handle:
            if not handle.read(16).startswith(b"SQLite format 3"):
                return f"{merged} is no GeoPackage"
        newest_s = max(path.lstat().st_mtime for path in results)
        return f"{merged} is older than its newest video" if merged.stat().st_mtime < newest_s else None
    except OSError:
        return f"the GeoPackage {merged} is not there"


def plain_folder(path: Path) -> Path:
    """A folder that a person names, as an absolute path. Raises InputError where it is none, a link, or cannot be read."""
    path = path.expanduser()
    if path.is_symlink():
        raise InputError(f"{path} is a link: give the folder that it leads to.")
    if not path.is_dir():
        raise InputError(f"{path} is no folder that is there: give the path of one.")
    _check_readable(path)
    return Path(os.path.realpath(path))


def recognised(path: Path, kind: str) -> Item:
    """A thing of a kind, or what a process left unfinished; else somebody else's."""
    if path.name.startswith(HIDDEN):
        kind = "unfinished"
    name = f"link to {path.readlink()}" if path.is_symlink() else path.name
    return RECOGNISERS[kind](path) or Item("other", name, path)


def _check_readable(folder: Path) -> None:
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.X_OK):
        raise InputError(f"{folder} cannot be read as a folder: allow it, or name another.")


def _gallery(path: Path) -> Item | None:
    if not _GALLERY.fullmatch(path.name) or not is_file(path):
        return None
    name = path.stem[:8]
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError), path.open("rb") as handle:
        name = f"{name}: {int(json.loads(handle.readline(4096))['count']):,} places"
    return Item("gallery", name, path)


def _network(path: Path) -> Item | None:
    ours = _NETWORK.fullmatch(path.name) and is_folder(path) and all(_is_of_a_network(one) for one in children(path))
    return Item("network", path.name, path) if ours else None


def _is_of_a_network(path: Path) -> bool:
    """Whether it is one of the files of a translated network, or the folder of what OpenVINO compiled from them, with nothing else in it."""
    if path.name == "compiled" and is_folder(path):
        return all(one.suffix == ".blob" and is_file(one) for one in children(path))
    return path.name in _NETWORK_FILES and is_file(path)


def _guess(path: Path) -> Item | None:
    return Item("guess", path.stem[:8], path) if _GUESS.fullmatch(path.name) and is_file(path) else None


def _unfinished(path: Path) -> Item | None:
    return Item("unfinished", path.name, path) if is_left_behind(path) else None


def _pictures(path: Path) -> Item | None:
    if not is_folder(path):
        return None
    shards = [shard for shard in children(path) if is_folder(shard)]
    files = [f"{shard.name}/{one.name}" for shard in shards for one in children(shard) if is_file(one)]
    parts = tuple(file for file in files if _PICTURE.fullmatch(file))
    return Item("pictures", path.name, path, parts) if parts else None


def _pictures_and_others(path: Path) -> list[Item]:
    """The fetched pictures, and what else lies among them."""
    pictures = _pictures(path)
    parts = set(pictures.parts or ()) if pictures else set()
    found = [pictures] if pictures else []
    for child in children(path):
        inner = children(child) if is_folder(child) and re.fullmatch(rf"[0-9a-f]{{2}}|{VIEWS}", child.name) else [child]
        found += [recognised(one, "unfinished") for one in inner if one.relative_to(path).as_posix() not in parts]
    return found


def _environment(path: Path) -> Item | None:
    known = _ENVIRONMENT.fullmatch(path.name)
    ours = known and is_folder(path) and (known[4] or any((path / name).is_file() for name in ("pyvenv.cfg", "setup.json")))
    return Item("environment", path.name, path) if ours else None


def _features(path: Path) -> Item | None:
    if not is_folder(path):
        return None
    named = [one for one in children(path) if _FEATURES.fullmatch(one.name) and is_file(one)]
    stored = [one.name for one in named if one.suffix == ".safetensors" and _holds_features(one)]
    # Details of pictures lie beside the features of the same pictures, and never alone; a lock is what a process left that was killed while it encoded.
    details = [one.name for one in named if one.suffix != ".safetensors"] if stored else []
    return Item("features", path.name, path, (*stored, *details)) if stored else None


def _holds_features(path: Path) -> bool:
    """By the names of a safetensors file's arrays, which stand first in it."""
    try:
        with path.open("rb") as handle:
            length = int.from_bytes(handle.read(8), "little")
            header = json.loads(handle.read(length)) if length <= _MOST_HEADER_BYTES else {}
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(header, dict) and {"features", "time_s"} <= header.keys()


def _store_of(folder: Path) -> dict[str, Any]:
    """What a store of results says of itself; empty where it is none."""
    path = folder / STORE_FILE
    try:
        if not is_file(path) or path.stat().st_size > _MOST_STORE_BYTES:
            return {}
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) and values.get("format") == STORE_FORMAT else {}


def _store(path: Path) -> Item | None:
    if not is_folder(path) or not _store_of(path):
        return None
    page = path / STORE_PAGE
    ours = _STORE_PARTS if own_kind(page) == "page" else tuple(name for name in _STORE_PARTS if name != STORE_PAGE)
    return Item("store", path.name, path, _present(path, *ours))


def _database(path: Path) -> Item | None:
    """A database that a checkpoint has in a folder of its own is a part of that checkpoint."""
    manifest = path / MANIFEST
    if not is_folder(path) or _OF_A_CHECKPOINT.fullmatch(path.name) or not is_file(manifest) or own_kind(manifest) != "references":
        return None
    waiting = [f"{WORK}/{one.name}" for one in children(path / WORK) if _FEATURES.fullmatch(one.name)] if is_folder(path / WORK) else []
    return Item("reference database", path.name, path, (*_present(path, MANIFEST, WHITENING, SEGMENTS), *waiting))


def _present(folder: Path, *names: str) -> tuple[str, ...]:
    return tuple(PurePosixPath(name).as_posix() for name in names if os.path.lexists(folder / name))


def _hub_folder() -> Path:
    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(HF_HUB_CACHE)


RECOGNISERS: dict[str, Callable[[Path], Item | None]] = {
    "gallery": _gallery,
    "network": _network,
    "guess": _guess,
    "unfinished": _unfinished,
    "pictures": _pictures,
    "environment": _environment,
    "features": _features,
    "store": _store,
    "reference database": _database,
}
"""For each kind that may be cleared, whether a path is one."""
NAMED = [name for name, kind in KINDS.items() if kind.by_folder]
_INSIDE = {"galleries": "gallery", "networks": "network", "guesses": "guess", "features": "features"}
