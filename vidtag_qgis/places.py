"""Files that come with the plugin. In a checkout they lie beside the package; ``tools/plugin.py`` stages them inside it."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
RESOURCES = _PACKAGE / "resources" if (_PACKAGE / "resources").is_dir() else _PACKAGE.parent / "resources"
ICON = RESOURCES / "icon.svg"
ICONS = RESOURCES / "icons"
HELP = RESOURCES / "help"
STYLES = RESOURCES / "styles"
METADATA = next(
    (path for path in (_PACKAGE / "metadata.txt", _PACKAGE.parent / "metadata.txt") if path.is_file()), _PACKAGE / "metadata.txt"
)
ENGINE_PACKAGES = RESOURCES / "engine" / "packages.json"
ENGINE_SOURCE = _PACKAGE / "engine_source" if (_PACKAGE / "engine_source").is_dir() else _PACKAGE.parent
"""The engine's source, which the managed environment is made from."""
