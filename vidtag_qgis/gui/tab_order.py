"""The order in which Tab goes through a window: that in which it is read, not that in which its parts were made."""

from __future__ import annotations

from typing import Any, Iterable, Iterator

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QWidget


def in_reading_order(first: QWidget, pages: Iterable[QWidget]) -> None:
    """Let Tab go from a widget through these pages, each as its layout has it."""
    before = first
    for page in pages:
        for widget in _stops(page.layout()):
            QWidget.setTabOrder(before, widget)
            before = widget


def _stops(layout: Any) -> Iterator[QWidget]:
    """What may have the focus, as it lies in a layout and those within it."""
    for index in range(0 if layout is None else layout.count()):
        item = layout.itemAt(index)
        widget = item.widget()
        if widget is None:
            yield from _stops(item.layout())
        elif widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            yield widget
        else:
            yield from _stops(widget.layout())
