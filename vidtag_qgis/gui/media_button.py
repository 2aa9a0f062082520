"""The button for play and pause, its signs in the colours of the palette: those that styles bring are black, and not to be seen on a dark theme."""

from __future__ import annotations

from typing import Any, Optional

from qgis.PyQt.QtCore import QEvent, QPointF, QRectF, Qt
from qgis.PyQt.QtGui import QIcon, QPainter, QPalette, QPixmap, QPolygonF
from qgis.PyQt.QtWidgets import QToolButton, QWidget

from ..translation import tr

_SIZE_PX = 16
_MODES = ((QIcon.Mode.Normal, QPalette.ColorGroup.Active), (QIcon.Mode.Disabled, QPalette.ColorGroup.Disabled))


class MediaButton(QToolButton):
    """Shows what a press will do.

    Args:
        parent: of the widget.
    """

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self._playing = False
        self.set_playing(False)

    def set_playing(self, on: bool) -> None:
        """Whether something plays, so that a press pauses it."""
        self._playing = on
        self.setAccessibleName(tr("Pause") if on else tr("Play"))
        self._draw()

    def changeEvent(self, event: Any) -> None:
        """Qt's name: another theme was chosen, or the like."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._draw()

    def _draw(self) -> None:
        icon, ratio = QIcon(), self.devicePixelRatioF()
        for mode, group in _MODES:
            pixmap = QPixmap(round(_SIZE_PX * ratio), round(_SIZE_PX * ratio))
            pixmap.setDevicePixelRatio(ratio)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.palette().color(group, QPalette.ColorRole.ButtonText))
            if self._playing:
                painter.drawRect(QRectF(3, 2, 4, 12))
                painter.drawRect(QRectF(9, 2, 4, 12))
            else:
                painter.drawPolygon(QPolygonF([QPointF(3, 2), QPointF(14, 8), QPointF(3, 14)]))
            painter.end()
            icon.addPixmap(pixmap, mode)
        self.setIcon(icon)
