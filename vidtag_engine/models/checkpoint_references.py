"""The reference images of a checkpoint: a database of them in a folder of its own beside the weights, and others that it was calibrated with."""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..atomic import making_folder
from ..file_marks import own_kind
from ..reference.database import StoredReferences
from ..reference.manifest import MANIFEST
from ..reference.store import Store
from ..types import InputError

if TYPE_CHECKING:
    from torch import Tensor, nn

PREFIX = "references-"
"""What the names of such folders begin with: each training writes one of its own, so that a checkpoint that is replaced never meets another's images."""


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
    if Path(card.folder).name != card.folder or not card.folder.startswith(PREFIX):
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
        target: folder that its weights are written to.

    Raises:
        InputError: it cannot be written.
    """
    if not card.folder or not isinstance(memory, StoredReferences) or (target / card.folder).exists():
        return
    with making_folder(target / card.folder) as part:
        shutil.copytree(memory.store.folder, part, dirs_exist_ok=True)


def clear(folder: Path) -> None:
    """Remove a database that belonged to a checkpoint which was replaced; what is none of this tool's is left alone."""
    if folder.name.startswith(PREFIX) and own_kind(folder / MANIFEST) == "references":
        shutil.rmtree(folder, ignore_errors=True)


def folder_named(card: Path) -> str:
    """The folder of reference images that a card names; empty where it names none, or there is no card."""
    with contextlib.suppress(OSError, ValueError, AttributeError, RecursionError):
        name = json.loads(card.read_text(encoding="utf-8")).get("references", {}).get("folder", "")
        if isinstance(name, str) and name.startswith(PREFIX) and Path(name).name == name:
            return name
    return ""
