"""The SHA-256 of an input, for the chain of custody and for knowing it again."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ..types import InputError
from .image_folder import image_paths

if TYPE_CHECKING:
    from pathlib import Path


def source_digest(path: Path) -> str:
    """Hex SHA-256 of a file's bytes, or of a folder's images by name and bytes. Raises InputError where one cannot be read."""
    digest = hashlib.sha256()
    folder = path.is_dir()
    for part in image_paths(path) if folder else [path]:
        if folder:
            digest.update(part.name.encode())
        try:
            with part.open("rb") as handle:
                while block := handle.read(1 << 20):
                    digest.update(block)
        except OSError as error:
            raise InputError(f"{part.name} cannot be read ({error.strerror}): check that it is still there and may be read.") from error
    return digest.hexdigest()
