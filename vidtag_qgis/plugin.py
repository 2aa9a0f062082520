"""The plugin: it brings the Processing provider and takes it away."""

from __future__ import annotations

from typing import Any, Optional

from qgis.core import QgsApplication

from .provider import VidTAGProvider


class VidTAGPlugin:
    """What QGIS loads. ``iface`` is None in ``qgis_process`` and on a server, where ``initProcessing`` alone is called."""

    def __init__(self, iface: Any) -> None:
        self.iface = iface
        self.provider: Optional[VidTAGProvider] = None

    def initProcessing(self) -> None:
        """Register the provider."""
        self.provider = VidTAGProvider()
        QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self) -> None:
        """Start inside the QGIS desktop."""
        self.initProcessing()

    def unload(self) -> None:
        """Leave nothing behind."""
        if self.provider is not None:
            QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None
