"""The workbench's page "Show": what of a result the map shows, and a place as text or on another map."""

from __future__ import annotations

from typing import Optional

from qgis.core import QgsCoordinateReferenceSystem, QgsCoordinateTransform, QgsPointXY, QgsProject
from qgis.PyQt.QtCore import Qt, QUrl
from qgis.PyQt.QtGui import QDesktopServices, QGuiApplication
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from .. import coordinates, settings
from ..aoi import WGS84
from ..map_filter import MapFilter, layers_of, show_only
from ..translation import tr
from .flow_layout import FlowLayout
from .map_marks import transformed

_STEPS_PER_S = 10
NO_PLACE = "The frame has no place on the map."


class ShowPanel(QWidget):
    """Sliders that filter by rule, and the place of the frame that is shown. It knows no dock: it is told the result, the video and the place."""

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self._result = self._video = ""
        self._place: Optional[tuple[float, float]] = None
        self._build()
        self.set_result("", "", 0.0)
        self._filter()
        self.set_place(None, None)

    def _build(self) -> None:
        self._groups = layout = QVBoxLayout(self)
        shown, form = QGroupBox(tr("On the map"), self), QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self.confidence_slider, self.from_slider, self.to_slider = (QSlider(Qt.Orientation.Horizontal, self) for _ in range(3))
        self.confidence_slider.setRange(0, 100)
        self.confidence_slider.setAccessibleName(tr("Least confidence"))
        self.from_slider.setAccessibleName(tr("From"))
        self.to_slider.setAccessibleName(tr("To"))
        self.confidence_label, self.from_label, self.to_label = (QLabel(self) for _ in range(3))
        self.not_rated_box = QCheckBox(tr("Also frames that are not rated"), self)
        self.not_rated_box.setChecked(True)
        self.all_button = QPushButton(tr("Show everything"), self)
        for text, slider, label in (
            (tr("Least confidence"), self.confidence_slider, self.confidence_label),
            (tr("From"), self.from_slider, self.from_label),
            (tr("To"), self.to_slider, self.to_label),
        ):
            line = QHBoxLayout()
            line.addWidget(slider, 1)
            label.setMinimumWidth(self.fontMetrics().horizontalAdvance("000:00.0"))
            line.addWidget(label)
            form.addRow(text, line)
            slider.valueChanged.connect(self._filter)
        form.addRow("", self.not_rated_box)
        form.addRow("", self.all_button)
        shown.setLayout(form)
        self.not_rated_box.toggled.connect(self._filter)
        self.all_button.clicked.connect(self.show_everything)
        layout.addWidget(shown)
        layout.addWidget(self._place_group())
        layout.addStretch()

    def add(self, group: QGroupBox) -> None:
        """Put another group below."""
        self._groups.insertWidget(self._groups.count() - 1, group)

    def _place_group(self) -> QGroupBox:
        group, form = QGroupBox(tr("Place of the frame that is shown"), self), QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self.place_labels: dict[str, QLabel] = {}
        self.copy_buttons: dict[str, QPushButton] = {}
        for name in coordinates.FORMATS:
            label, button = QLabel(self), QPushButton(tr("Copy"), self)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            button.setAccessibleName(f"{tr('Copy')} {tr(name)}")
            button.clicked.connect(lambda *_, which=name: self.copy(which))
            form.addRow(tr(name), FlowLayout(label, button))
            self.place_labels[name], self.copy_buttons[name] = label, button
        self.link_buttons: dict[str, QPushButton] = {}
        for site, (host, _) in coordinates.LINKS.items():
            button = QPushButton(tr("Open on {host}…").format(host=host), self)
            button.setToolTip(tr("Opens your browser. {host} learns your computer's address and this place.").format(host=host))
            button.clicked.connect(lambda *_, which=site: self.open_link(which))
            form.addRow(button)
            self.link_buttons[site] = button
        self.place_message = QLabel(self)
        self.place_message.setWordWrap(True)
        form.addRow(self.place_message)
        group.setLayout(form)
        return group

    # What is shown.

    def set_result(self, result: str, video: str, duration_s: float) -> None:
        """The result whose layers are filtered, the video whose time is meant, and how long its frames go on, seconds. Another one begins unfiltered."""
        last = max(1, round(duration_s * _STEPS_PER_S))
        if (result, video, last) == (self._result, self._video, self.to_slider.maximum()):
            return
        if result != self._result:
            show_only(layers_of(self._result), MapFilter())
            self.confidence_slider.blockSignals(True)
            self.confidence_slider.setValue(0)
            self.confidence_slider.blockSignals(False)
        self._result, self._video = result, video
        for slider, value in ((self.from_slider, 0), (self.to_slider, last)):
            slider.blockSignals(True)
            slider.setRange(0, last)
            slider.setValue(value)
            slider.blockSignals(False)
        self._filter()
        self._filter()

    def show_everything(self) -> None:
        """Take every filter away."""
        for slider, value in ((self.confidence_slider, 0), (self.from_slider, 0), (self.to_slider, self.to_slider.maximum())):
            slider.setValue(value)
        self.not_rated_box.setChecked(True)

    def wanted(self) -> MapFilter:
        """As the sliders say."""
        from_step, to_step = sorted((self.from_slider.value(), self.to_slider.value()))
        return MapFilter(
            least_confidence=self.confidence_slider.value() / 100,
            not_rated=self.not_rated_box.isChecked(),
            from_s=from_step / _STEPS_PER_S if from_step else None,
            to_s=to_step / _STEPS_PER_S if to_step < self.to_slider.maximum() else None,
            video=self._video,
        )

    def _filter(self, *_: object) -> None:
        self.confidence_label.setText(f"{self.confidence_slider.value()} %")
        for slider, label in ((self.from_slider, self.from_label), (self.to_slider, self.to_label)):
            minutes, seconds = divmod(slider.value() / _STEPS_PER_S, 60)
            label.setText(f"{int(minutes)}:{seconds:04.1f}")
        show_only(layers_of(self._result), self.wanted())

    # The place.

    def set_place(self, point: Optional[QgsPointXY], crs: Optional[QgsCoordinateReferenceSystem]) -> None:
        """The place of the frame that is shown, in a coordinate system; None where it has none."""
        self._place = None
        if point is not None and crs is not None and crs.isValid():
            there = transformed(point, QgsCoordinateTransform(crs, QgsCoordinateReferenceSystem(WGS84), QgsProject.instance()))
            self._place = None if there is None else (there.y(), there.x())
        for name, write in coordinates.FORMATS.items():
            text = write(*self._place) if self._place else ""
            self.place_labels[name].setText(text)
            self.copy_buttons[name].setEnabled(bool(text))
        for button in self.link_buttons.values():
            button.setEnabled(self._place is not None)
        self.place_message.setText("" if self._place else tr(NO_PLACE))

    def copy(self, name: str) -> None:
        """Put the place into the clipboard."""
        QGuiApplication.clipboard().setText(self.place_labels[name].text())

    def open_link(self, site: str) -> None:
        """Show the place on a site, in the browser: the click is the consent, and its words say what the site learns."""
        if self._place is None:
            return
        if settings.offline():
            self.place_message.setText(tr("VidTAG works offline, so no site is opened: switch 'Work offline' off in its options."))
            return
        QDesktopServices.openUrl(QUrl(coordinates.link(site, *self._place)))
