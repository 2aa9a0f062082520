"""Widgets side by side that go on in the next line where there is no room: a dock may be narrow, and words are longer in other languages."""

from __future__ import annotations

from typing import Any, Optional

from qgis.PyQt.QtCore import QPoint, QRect, QSize, Qt
from qgis.PyQt.QtWidgets import QLayout, QWidget

_GAP_PX = 6


class FlowLayout(QLayout):
    """Each widget as wide as it wants to be, in the order in which they were given.

    Args:
        *widgets: from left to right.
    """

    def __init__(self, *widgets: QWidget) -> None:
        super().__init__()
        self._items: list[Any] = []
        self.setContentsMargins(0, 0, 0, 0)
        for widget in widgets:
            self.addWidget(widget)

    # Qt's names.

    def addItem(self, item: Any) -> None:
        """Put one at the end."""
        self._items.append(item)

    def count(self) -> int:
        """How many there are."""
        return len(self._items)

    def itemAt(self, index: int) -> Optional[Any]:
        """One of them."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> Optional[Any]:
        """Take one out."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Any:
        """It takes no more room than it needs."""
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        """It is higher where it is narrow."""
        return True

    def heightForWidth(self, width: int) -> int:
        """How high it is."""
        return self._arrange(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        """It is given its room."""
        super().setGeometry(rect)
        self._arrange(rect, move=True)

    def sizeHint(self) -> QSize:
        """All in one line."""
        sizes = [item.sizeHint() for item in self._shown()]
        gaps = _GAP_PX * max(0, len(sizes) - 1)
        return QSize(sum(size.width() for size in sizes) + gaps, max((size.height() for size in sizes), default=0))

    def minimumSize(self) -> QSize:
        """As wide as its widest."""
        found = QSize(0, 0)
        for item in self._shown():
            found = found.expandedTo(item.minimumSize())
        return found

    def _shown(self) -> list[Any]:
        return [item for item in self._items if not item.isEmpty()]

    def _arrange(self, rect: QRect, *, move: bool) -> int:
        """Break the widgets into lines, and put each into the middle of its line; the height of all lines."""
        lines: list[list[tuple[Any, QSize, int]]] = []
        left = rect.width() + 1
        for item in self._shown():
            size = item.sizeHint().boundedTo(QSize(max(rect.width(), item.minimumSize().width()), 1 << 20))
            if not lines or left + size.width() > rect.width():
                lines.append([])
                left = 0
            lines[-1].append((item, size, left))
            left += size.width() + _GAP_PX
        top = 0
        for line in lines:
            high = max(size.height() for _, size, _ in line)
            for item, size, begin in line if move else ():
                item.setGeometry(QRect(rect.topLeft() + QPoint(begin, top + (high - size.height()) // 2), size))
            top += high + _GAP_PX
        return max(0, top - _GAP_PX)
