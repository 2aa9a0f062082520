"""How far something is and how long it may still take: a bar with the words below it, for themes write unreadable ones into the bar."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtWidgets import QLabel, QProgressBar, QVBoxLayout, QWidget

from ..translation import tr
from .algorithm_run import duration

_STEPS = 1000


class ProgressLine(QWidget):
    """Seen only while something is at work.

    Args:
        parent: of the widget.
    """

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.bar, self.label = QProgressBar(self), QLabel(self)
        self.bar.setRange(0, _STEPS)
        self.bar.setTextVisible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.bar)
        layout.addWidget(self.label)
        self.rest()

    def begin(self) -> None:
        """It begins."""
        self.show_at(0.0, -1.0)
        self.setVisible(True)

    def rest(self) -> None:
        """It is over."""
        self.setVisible(False)

    def value(self) -> int:
        """How far it is, of a thousand."""
        return int(self.bar.value())

    def show_at(self, share: float, left_s: float) -> None:
        """Say what share is done, and how many seconds are left, below 0 where nobody knows."""
        self.bar.setValue(round(_STEPS * share))
        left = f" · {tr('about {time} left').format(time=duration(left_s))}" if left_s >= 0 else ""
        self.label.setText(f"{share:.0%}{left}")
