"""Pages on the screen of whoever called: opened in the browser where there is one."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path


def has_screen() -> bool:
    """Whether a browser would have a window. Without one, `webbrowser` would take the terminal for a text browser, where such is installed."""
    if os.environ.get("BROWSER") or sys.platform in {"win32", "darwin"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def open_page(page: Path) -> bool:
    """Open a file in the browser; whether that was done."""
    return has_screen() and webbrowser.open(page.resolve().as_uri())
