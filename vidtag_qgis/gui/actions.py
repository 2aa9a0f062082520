"""The plugin's entries in QGIS's menu and toolbar, and the windows behind them, which are made when they are first wanted."""

from __future__ import annotations

from typing import Any, Optional

from qgis.PyQt.QtGui import QIcon

from ..compat import action_class
from ..places import ICONS
from ..translation import tr
from .area_tool import AreaDrawing
from .base_map import add_base_map
from .workbench import TITLE, Workbench, add_workbench

MENU = "VidTAG"


class Actions:
    """Everything that the plugin adds to QGIS's windows; ``remove()`` takes it away.

    Args:
        iface: QGIS's interface.
    """

    def __init__(self, iface: Any) -> None:
        self._iface = iface
        self.dock: Optional[Workbench] = None
        self.drawing: Optional[AreaDrawing] = None
        self.workbench = self._action("workbench", tr(TITLE), tr("Locate videos, check and correct their frames beside the map"))
        self.workbench.toggled.connect(self._show_workbench)
        self.area = self._action("drawarea", tr("Draw area"), tr("Draw the area of interest, and see how many gallery points it makes"))
        self.area.toggled.connect(self._draw_area)
        self.base_map = self._action(
            "basemap", tr("Add base map…"), tr("Show OpenStreetMap under the layers; asks before it fetches anything"), lasting=False
        )
        self.base_map.triggered.connect(lambda *_: add_base_map(self._iface))

    def remove(self) -> None:
        """Leave nothing behind."""
        if self.drawing is not None:
            self.drawing.stop()
        for action in (self.workbench, self.area, self.base_map):
            self._iface.removePluginMenu(MENU, action)
            if action.isCheckable():
                self._iface.removeToolBarIcon(action)
            action.deleteLater()
        if self.dock is not None:
            self.dock.rest()
            self.dock.tip_pictures.cancel()
            self.dock.corrections.finish()
            self._iface.removeDockWidget(self.dock)
            self.dock.deleteLater()
            self.dock = None

    def _action(self, icon: str, text: str, tip: str, *, lasting: bool = True) -> Any:
        action = action_class()(QIcon(str(ICONS / f"{icon}.svg")), text, self._iface.mainWindow())
        action.setObjectName(f"VidTAG_{icon}")
        action.setToolTip(tip)
        action.setCheckable(lasting)
        self._iface.addPluginToMenu(MENU, action)
        if lasting:
            self._iface.addToolBarIcon(action)
        return action

    def _draw_area(self, on: bool) -> None:
        if on and self.drawing is None:
            self.drawing = AreaDrawing(self._iface, self._drawn)
        elif not on and self.drawing is not None:
            self.drawing.stop()

    def _drawn(self) -> None:
        self.drawing = None
        self.area.setChecked(False)

    def _show_workbench(self, on: bool) -> None:
        if self.dock is None:
            if not on:
                return
            self.dock = add_workbench(self._iface, lambda: self.area.setChecked(True))
            self.dock.toggleViewAction().toggled.connect(self.workbench.setChecked)
        self.dock.setVisible(on) if on else self.dock.close()
