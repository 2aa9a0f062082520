"""What is shown where QGIS starts and there is no engine yet: one panel with one button. Nothing is downloaded."""

from __future__ import annotations

from typing import Any

from qgis.core import Qgis
from qgis.PyQt.QtWidgets import QPushButton

from .. import engine
from ..translation import mark, tr
from .options import PAGE, TITLE

SENTENCE = mark("The engine that locates videos is not set up yet. It is made once, in a Python environment of its own, with your consent.")


def show_where_missing(iface: Any) -> bool:
    """Show the panel in the message bar where no engine is found; returns whether it did."""
    if engine.not_found() is None:
        return False
    bar = iface.messageBar()
    widget = bar.createMessage(TITLE, tr(SENTENCE))
    button = QPushButton(tr("Set up the engine…"), widget)

    def open_settings() -> None:
        bar.popWidget(widget)
        iface.showOptionsDialog(iface.mainWindow(), PAGE)

    button.clicked.connect(open_settings)
    widget.layout().addWidget(button)
    bar.pushWidget(widget, Qgis.MessageLevel.Info)
    return True
