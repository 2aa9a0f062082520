"""The reference images of a checkpoint: a database of them in a folder of its own beside the weights, and others that it was calibrated with."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..atomic import making_folder
from ..file_marks import own_kind
from ..reference.database import StoredReferences
from ..reference.manifest import MANIFEST, read_manifest
from ..reference.store import Store
from ..reference.work import SEGMENTS, WHITENING
from ..types import InputError

if TYPE_CHECKING:
    from torch import Tensor, nn

PREFIX = "references-"
"""What the names of such folders begin with: each training writes one of its own, so that a checkpoint that is replaced never meets another's images."""
_NAME = re.compile(rf"{PREFIX}[0-9a-f]{{8}}")
_NAMED = re.compile(rb"(?<![\w-])" + _NAME.pattern.encode() + rb"(?![\w-])")
_HEAD_BYTES = 4 << 20  # a card is at most a quarter of that, and stands first in the weights
_UNTOUCHED = 1  # the revision of a database that got its images at once, and nothing since


@dataclass(frozen=True)
class CardReferences:
    """What a card says of reference images.

    Args:
        folder: name of the database's folder, beside the weights; empty: there is none.
        content: of that database (:attr:`.store.Store.content`), as the checkpoint was calibrated with it.
        attribution: of its images, a line for each platform and licence; none for the maker's own.
        beside: calibrations with further databases, which are read in its place, by their contents (``vidtag calibrate --reference``).
        beside_attribution: of those databases, likewise by content.
    """

    folder: str = ""
    content: str = ""
    attribution: tuple[str, ...] = ()
    beside: dict[str, dict[str, Any]] = field(default_factory=dict)
    beside_attribution: dict[str, tuple[str, ...]] = field(default_factory=dict)


def opened(weights: Path, card: CardReferences) -> StoredReferences | None:
    """A checkpoint's database, mapped; None where it has none.

    Args:
        weights: the checkpoint's file.
        card: of it.

    Raises:
        InputError: it is not there, or damaged.
    """
    if not card.folder:
        return None
    if not _NAME.fullmatch(card.folder):
        raise InputError(f"Checkpoint {weights} names {card.folder!r} as the folder of its reference images: it is damaged, get it again.")
    folder = weights.parent / card.folder
    if not (folder / MANIFEST).is_file():
        raise InputError(f"Checkpoint {weights} lacks its reference images: copy the folder {card.folder}, too, which belongs beside it.")
    return StoredReferences(Store.open(folder))


def weights_of(model: nn.Module) -> dict[str, Tensor]:
    """A model's tensors without those of a database that lies in a folder of its own."""
    stored = isinstance(getattr(model, "memory", None), StoredReferences)
    return {name: value for name, value in model.state_dict().items() if not (stored and name.startswith("memory."))}


def copied(memory: object, card: CardReferences, target: Path) -> None:
    """Bring a checkpoint's database to where the checkpoint is written anew; nothing where it lies there, or there is none.

    Args:
        memory: of the model that is written.
        card: of it.
        target: folder that its weights are written to, which is there.

    Raises:
        InputError: it cannot be written, or other reference images have its name there.
    """
    if not card.folder or not isinstance(memory, StoredReferences):
        return
    there = target / card.folder
    if not os.path.lexists(there):
        with making_folder(there) as part:
            shutil.copytree(memory.store.folder, part, dirs_exist_ok=True)
    elif not there.exists() or not (there.samefile(memory.store.folder) or _content(there) == memory.store.content):
        raise InputError(
            f"{there} holds something else than the reference images of the checkpoint: move it away, or choose another output."
        )


def _content(folder: Path) -> str:
    """Of a database (:attr:`.store.Store.content`); empty where it cannot be used."""
    with contextlib.suppress(InputError):
        return Store.open(folder).content
    return ""


def named_by(*files: Path) -> set[str]:
    """Names of databases that some files hold: cards, weights, or somebody's copies of them. Raises OSError where one cannot be read."""
    found = set()
    for file in files:
        if file.is_file():
            with file.open("rb") as handle:
                found |= {name.decode() for name in _NAMED.findall(handle.read(_HEAD_BYTES))}
    return found


def clear_orphans(folder: Path, names: Iterable[str] | None = None) -> None:
    """Remove databases that belonged to checkpoints which are no longer there.

    What stays: what any file in the folder names, what was changed since it was made (its revision), and what is none of this tool's.

    Args:
        folder: of the checkpoint.
        names: of the databases that may go; None is any.
    """
    with contextlib.suppress(OSError):  # where a file cannot be read, nothing is known to belong to none
        found = [one for one in folder.glob(f"{PREFIX}*") if (names is None or one.name in names) and _is_untouched(one)]
        named = named_by(*folder.iterdir()) if found else set()
        for one in found:
            if one.name not in named:
                shutil.rmtree(one, ignore_errors=True)


def _is_untouched(folder: Path) -> bool:
    """Whether a folder is a database as a training left it."""
    if not _NAME.fullmatch(folder.name) or folder.is_symlink() or own_kind(folder / MANIFEST) != "references":
        return False
    with contextlib.suppress(InputError):
        only = {one.name for one in folder.iterdir()} <= {MANIFEST, WHITENING, SEGMENTS}
        return only and read_manifest(folder / MANIFEST).revision == _UNTOUCHED
    return False
