"""Where the real recordings lie that some benchmarks need; they are never copied into the project."""

from __future__ import annotations

import os
import sys
from pathlib import Path

DATA = Path(os.environ.get("VIDTAG_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")


def recordings(name: str) -> Path:
    """Folder of one set of recordings; ends the benchmark with a sentence where it is absent."""
    folder = DATA / name
    if not folder.is_dir():
        sys.exit(
            f"This benchmark needs the recordings '{name}': put them beside the checkout in shared/data, or name their folder in VIDTAG_DATA."
        )
    return folder
