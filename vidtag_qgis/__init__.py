"""VidTAG in QGIS: pure Python and PyQGIS; the engine runs as a child process and is never imported here."""

from __future__ import annotations

from typing import Any


def classFactory(iface: Any) -> Any:
    """Return the plugin; QGIS calls this. ``iface`` is None in ``qgis_process``."""
    from .plugin import VidTAGPlugin

    return VidTAGPlugin(iface)
