"""A checkpoint brought elsewhere, with all that belongs to it."""

from __future__ import annotations

import shutil
from pathlib import Path

from vidtag_engine.models.checkpoint import CONFIG_FILE, WEIGHTS_FILE
from vidtag_engine.models.checkpoint_references import clear_orphans, named_by


def copy_checkpoint(checkpoint: Path, target: Path, *more: str) -> None:
    """Copy a checkpoint's card, weights and reference images over what another one left there.

    Args:
        checkpoint: its folder.
        target: made if it is not there.
        more: names of further files that are copied.
    """
    target.mkdir(parents=True, exist_ok=True)
    for name in named_by(checkpoint / CONFIG_FILE):
        shutil.copytree(checkpoint / name, target / name, dirs_exist_ok=True)
    for name in (WEIGHTS_FILE, CONFIG_FILE, *more):
        shutil.copy(checkpoint / name, target / name)
    clear_orphans(target)
