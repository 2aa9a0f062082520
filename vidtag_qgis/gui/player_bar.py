"""The viewer's controls under the picture: play and speed, the time, a slider over the whole video, and the list of visits to a place."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Optional

from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtGui import QKeySequence
from qgis.PyQt.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ..compat import shortcut_class
from ..moments import clock
from ..translation import tr
from .flow_layout import FlowLayout
from .media_button import MediaButton

RADIUS_M = 50.0


class PlayerBar(QWidget):
    """``scrubbed`` carries the time that the slider asks for, ``visited`` that of an entry of the list; seconds."""

    scrubbed = pyqtSignal(float)
    visited = pyqtSignal(float)

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.play_button = MediaButton(self)
        self.play_button.setToolTip(tr("Play or pause (space). L plays, and faster when pressed again; J plays backwards; K stops."))
        self.speed_label, self.time_label = QLabel(self), QLabel(self)
        self.time_slider = QSlider(Qt.Orientation.Horizontal, self)
        self.time_slider.setToolTip(tr("Move through the video"))
        self.time_slider.setAccessibleName(tr("Move through the video"))
        self.hover_button = self._checkable(tr("Hover"), tr("Move the mouse along the track on the map: the video follows"))
        self.seen_button = self._checkable(tr("Seen here…"), tr("Click a place on the map: every time the camera was near it is listed"))
        self.radius_box = QDoubleSpinBox(self)
        self.radius_box.setRange(1.0, 100000.0)
        self.radius_box.setDecimals(0)
        self.radius_box.setSuffix(" m")
        self.radius_box.setValue(RADIUS_M)
        self.radius_box.setToolTip(tr("How near to the place, metres"))
        self.radius_box.setAccessibleName(tr("How near to the place, metres"))
        self.temporal_box = QCheckBox(tr("Map's time"), self)
        self.temporal_box.setToolTip(tr("The map shows the picture's second, and the video follows the Temporal Controller"))
        self.visits_list = QListWidget(self)
        self.visits_list.setMaximumHeight(96)
        self.visits_list.setToolTip(tr("When the camera was near the place: choose an entry to see its picture"))
        self.visits_list.setAccessibleName(tr("When the camera was near the place: choose an entry to see its picture"))
        self.visits_list.hide()
        self.visits_list.itemClicked.connect(self._choose)
        self.visits_list.itemActivated.connect(self._choose)
        self.time_slider.valueChanged.connect(lambda value: self.scrubbed.emit(value / 1000.0))
        self._duration_s = 0.0
        self._arrange()
        self.show_speed(0.0)
        self.set_duration(0.0)

    def set_duration(self, duration_s: float) -> None:
        """How long the video is, seconds; 0 where that is not known yet."""
        self._duration_s = duration_s
        self.time_slider.blockSignals(True)
        self.time_slider.setRange(0, int(duration_s * 1000))
        self.time_slider.setSingleStep(40)
        self.time_slider.setPageStep(1000)
        self.time_slider.blockSignals(False)

    def show_time(self, time_s: float) -> None:
        """Where the video is, seconds; tells nobody."""
        self.time_slider.blockSignals(True)
        if time_s * 1000 > self.time_slider.maximum():
            self.time_slider.setMaximum(int(time_s * 1000) + 1)
        self.time_slider.setValue(int(time_s * 1000))
        self.time_slider.blockSignals(False)
        total = clock(self._duration_s) if self._duration_s else "–"
        self.time_label.setText(f"{clock(time_s)} / {total}")

    def show_speed(self, rate: float) -> None:
        """How fast it plays; 0 for a pause."""
        self.play_button.set_playing(bool(rate))
        self.speed_label.setText(f"{rate:+g}×" if rate else "")

    def show_visits(self, visits: Optional[list[tuple[float, float]]]) -> None:
        """List when the camera was near: (seconds, metres) each; None hides the list."""
        self.visits_list.clear()
        self.visits_list.setVisible(visits is not None)
        for time_s, distance_m in visits or []:
            item = QListWidgetItem(f"{clock(time_s)}, {distance_m:.0f} m away")
            item.setData(Qt.ItemDataRole.UserRole, time_s)
            self.visits_list.addItem(item)
        if visits == []:
            self.visits_list.addItem(tr("The camera was never so near this place."))

    def add_keys(self, owner: QWidget, actions: dict[str, Any]) -> None:
        """Keys that hold wherever the focus is within ``owner``."""
        for key, action in actions.items():
            shortcut = shortcut_class()(QKeySequence(key), owner)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(partial(_press_or, action) if key == "Space" else action)

    def _choose(self, item: QListWidgetItem) -> None:
        time_s = item.data(Qt.ItemDataRole.UserRole)
        if time_s is not None:
            self.visited.emit(float(time_s))

    def _checkable(self, text: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setToolTip(tip)
        button.setCheckable(True)
        return button

    def _arrange(self) -> None:
        playing = QHBoxLayout()
        for widget in (self.play_button, self.speed_label, self.time_slider, self.time_label):
            playing.addWidget(widget)
        ways = FlowLayout(self.hover_button, self.seen_button, self.radius_box, self.temporal_box)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(playing)
        layout.addLayout(ways)
        layout.addWidget(self.visits_list)


def _press_or(action: Callable[[], Any]) -> None:
    """What the space bar does: it presses the button that has the focus, as everywhere; else the action."""
    focus = QApplication.focusWidget()
    if isinstance(focus, QAbstractButton):
        focus.click()
    elif isinstance(focus, QComboBox):
        focus.showPopup()
    else:
        action()
