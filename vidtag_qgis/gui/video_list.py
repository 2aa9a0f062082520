"""A list that videos are dropped into: files, or one folder of videos."""

from __future__ import annotations

import os
from typing import Any, Iterable, Optional

from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtGui import QPainter
from qgis.PyQt.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QWidget

from ..translation import tr


class VideoList(QListWidget):
    """Shows names and knows paths, each once. ``changed`` comes with every change."""

    changed = pyqtSignal()

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setAcceptDrops(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setMinimumHeight(70)
        self.setMaximumHeight(160)
        self.setAccessibleName(tr("Videos"))
        self.setToolTip(tr("Drop videos here, or a folder of them. Delete takes the chosen ones off the list."))

    @property
    def paths(self) -> list[str]:
        """Files and folders, in their order."""
        return [self.item(row).data(Qt.ItemDataRole.UserRole) for row in range(self.count())]

    @property
    def files(self) -> list[str]:
        """The files among them."""
        return [path for path in self.paths if not os.path.isdir(path)]

    @property
    def folders(self) -> list[str]:
        """The folders among them."""
        return [path for path in self.paths if os.path.isdir(path)]

    def add(self, paths: Iterable[str]) -> None:
        """Put files and folders at the end; what is there already stays once."""
        known = set(self.paths)
        for path in (os.path.abspath(one) for one in paths if one):
            if path in known:
                continue
            known.add(path)
            item = QListWidgetItem(os.path.basename(path.rstrip(os.sep)) + (os.sep if os.path.isdir(path) else ""), self)
            item.setData(Qt.ItemDataRole.UserRole, path)
            item.setToolTip(path)
        self.changed.emit()

    def remove_chosen(self) -> None:
        """Take the chosen ones off the list; where none is chosen, all."""
        for item in self.selectedItems() or [self.item(row) for row in range(self.count())]:
            self.takeItem(self.row(item))
        self.changed.emit()

    # Qt's names.

    def keyPressEvent(self, event: Any) -> None:
        """A key was pressed."""
        if event.key() == Qt.Key.Key_Delete and self.selectedItems():
            self.remove_chosen()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: Any) -> None:
        """Something is dragged over it."""
        self._take(event)

    def dragMoveEvent(self, event: Any) -> None:
        """It is dragged on."""
        self._take(event)

    def dropEvent(self, event: Any) -> None:
        """It is let go."""
        if _files_of(event):
            event.acceptProposedAction()
            self.add(_files_of(event))

    def paintEvent(self, event: Any) -> None:
        """Drawn; where it is empty, with what it is for."""
        super().paintEvent(event)
        if not self.count():
            painter = QPainter(self.viewport())
            if self.hasFocus():  # an empty list has no row that would show it
                painter.setPen(self.palette().color(self.palette().ColorRole.Highlight))
                painter.drawRect(self.viewport().rect().adjusted(0, 0, -1, -1))
            painter.setPen(self.palette().color(self.palette().ColorRole.PlaceholderText))
            painter.drawText(
                self.viewport().rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, tr("Drop videos here, or a folder of them")
            )
            painter.end()

    @staticmethod
    def _take(event: Any) -> None:
        if _files_of(event):
            event.acceptProposedAction()
        else:
            event.ignore()


def _files_of(event: Any) -> list[str]:
    """The local files and folders that are dragged."""
    return [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
