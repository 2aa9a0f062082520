"""The plugin's entries in QGIS's menu and toolbar, and the windows behind them, which are made when they are first wanted."""

from __future__ import annotations

from typing import Any, Optional

from qgis.PyQt.QtGui import QIcon

from ..compat import action_class
from ..places import ICONS
from .frame_dock import TITLE, FrameDock, add_dock

MENU = "VidTAG"


class Actions:
    """Everything that the plugin adds to QGIS's windows; ``remove()`` takes it away.

    Args:
        iface: QGIS's interface.
    """

    def __init__(self, iface: Any) -> None:
        self._iface = iface
        self.dock: Optional[FrameDock] = None
        self.frames: Any = action_class()(QIcon(str(ICONS / "checkframes.svg")), TITLE, iface.mainWindow())
        self.frames.setObjectName("VidTAGCheckFramesAction")
        self.frames.setToolTip("See each frame's picture beside its place on the map")
        self.frames.setCheckable(True)
        self.frames.toggled.connect(self._show_frames)
        iface.addPluginToMenu(MENU, self.frames)
        iface.addToolBarIcon(self.frames)

    def remove(self) -> None:
        """Leave nothing behind."""
        self._iface.removePluginMenu(MENU, self.frames)
        self._iface.removeToolBarIcon(self.frames)
        self.frames.deleteLater()
        if self.dock is not None:
            self.dock.rest()
            self._iface.removeDockWidget(self.dock)
            self.dock.deleteLater()
            self.dock = None

    def _show_frames(self, on: bool) -> None:
        if self.dock is None:
            if not on:
                return
            self.dock = add_dock(self._iface)
            self.dock.toggleViewAction().toggled.connect(self.frames.setChecked)
        self.dock.setVisible(on) if on else self.dock.close()
