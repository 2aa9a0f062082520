"""The Processing provider "VidTAG"."""

from __future__ import annotations

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from . import settings
from .algorithms.geolocate_video import GeolocateVideo
from .places import ICON


class VidTAGProvider(QgsProcessingProvider):
    """All algorithms of the plugin, under one name."""

    def id(self) -> str:
        """Stable id: models and scripts name it."""
        return "vidtag"

    def name(self) -> str:
        """Name in the toolbox."""
        return "VidTAG"

    def longName(self) -> str:
        """Name where there is room."""
        return "VidTAG: where was this video taken?"

    def icon(self) -> QIcon:
        """Icon in the toolbox."""
        return QIcon(str(ICON))

    def load(self) -> bool:
        """Register the settings, then the algorithms."""
        settings.register(self.name(), self.icon())
        self.refreshAlgorithms()
        return True

    def unload(self) -> None:
        """Take the settings away again."""
        settings.unregister()

    def loadAlgorithms(self) -> None:
        """Add the algorithms."""
        self.addAlgorithm(GeolocateVideo())
