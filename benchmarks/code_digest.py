"""What tells one state of the code from another: results that are kept are of the code that made them."""

from __future__ import annotations

import hashlib
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent


def code_digest(*names: str) -> str:
    """Digest of files and folders of Python files as they lie on the disk now; to be asked for when a module is loaded.

    Args:
        names: paths below the project's folder.
    """
    digest = hashlib.sha256()
    for name in names:
        place = _ROOT / name
        for file in [place] if place.is_file() else sorted(place.glob("**/*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
