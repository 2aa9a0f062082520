"""The plugin: it brings the Processing provider, the options' page and the windows, and takes them away."""

from __future__ import annotations

from typing import Any, Optional

from qgis.core import QgsApplication

from . import engine, translation
from .provider import VidTAGProvider


class VidTAGPlugin:
    """What QGIS loads. ``iface`` is None in ``qgis_process`` and on a server, where ``initProcessing`` alone is called."""

    def __init__(self, iface: Any) -> None:
        self.iface = iface
        self.provider: Optional[VidTAGProvider] = None
        self._options: Any = None
        self._actions: Any = None
        self._translator: Any = None

    def initProcessing(self) -> None:
        """Register the provider, in the language of QGIS."""
        if self._translator is None:
            self._translator = translation.install()
        self.provider = VidTAGProvider()
        QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self) -> None:
        """Start inside the QGIS desktop."""
        from qgis.PyQt.QtCore import QTimer

        from .gui.actions import Actions
        from .gui.first_run import show_where_missing
        from .gui.options import EngineOptionsFactory

        engine.keep_warm()
        self.initProcessing()
        self._options = EngineOptionsFactory()
        self.iface.registerOptionsWidgetFactory(self._options)
        self._actions = Actions(self.iface)
        # Once QGIS is up: its message bar is not there for every plugin before.
        QTimer.singleShot(0, lambda: show_where_missing(self.iface) if self.provider is not None else None)

    def unload(self) -> None:
        """Leave nothing behind."""
        if self._actions is not None:
            self._actions.remove()
            self._actions = None
        engine.let_go()  # after what was still to be written
        translation.remove(self._translator)
        self._translator = None
        if self._options is not None:
            self.iface.unregisterOptionsWidgetFactory(self._options)
            self._options = None
        if self.provider is not None:
            QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None
