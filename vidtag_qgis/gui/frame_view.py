"""The frame viewer's widgets, which know nothing of maps and engines: a picture, what is known of it, and the ways through a video."""

from __future__ import annotations

from typing import Any, Optional

from qgis.PyQt.QtCore import QRect, QSize, Qt, pyqtSignal
from qgis.PyQt.QtGui import QImage, QPainter, QPixmap
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ..translation import tr
from .flow_layout import FlowLayout
from .player_bar import PlayerBar

_CLOSE_PX = 3


class PictureLabel(QWidget):
    """Shows a picture as large as its room, in its own proportions; never narrower than ``width``.

    ``painted`` carries the time of a picture of a video, seconds, once it has been painted for the first time.
    """

    painted = pyqtSignal(float)

    def __init__(self, parent: Optional[QWidget] = None, width: int = 150) -> None:
        super().__init__(parent)
        self.image = QImage()
        self._unpainted_s: Optional[float] = None
        self.setMinimumSize(width, width * 9 // 16)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)

    @property
    def picture(self) -> QPixmap:
        """The picture in its own size; empty where none is shown."""
        return QPixmap.fromImage(self.image)

    def sizeHint(self) -> QSize:
        """Qt's name: the room it would like."""
        return QSize(420, 300)

    def show_picture(self, picture: QPixmap) -> None:
        """Show it; an empty one clears."""
        self.image, self._unpainted_s = picture.toImage(), None
        self.update()

    def show_image(self, image: QImage, time_s: float) -> None:
        """Show a picture of a video, and tell once it is painted."""
        self.image, self._unpainted_s = image, time_s
        self.setEnabled(True)
        self.update()

    def paintEvent(self, event: Any) -> None:
        """Qt's name: draw it; grey while another one is waited for."""
        super().paintEvent(event)
        if self.image.isNull():
            return
        # The screen's pixels are drawn one by one also where several of them make one of Qt's.
        size = self.image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect((self.width() - size.width()) // 2, (self.height() - size.height()) // 2, size.width(), size.height())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setOpacity(1.0 if self.isEnabled() else 0.5)
        painter.drawImage(place, self.image)
        painter.end()
        if self._unpainted_s is not None and self.isEnabled():
            time_s, self._unpainted_s = self._unpainted_s, None
            self.painted.emit(time_s)


class FrameView(QWidget):
    """All widgets of the dock. ``stepped`` carries the row that the slider or a button asks for."""

    stepped = pyqtSignal(int)

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.layer_box, self.video_box = QComboBox(self), QComboBox(self)
        self.layer_box.setToolTip(tr("The result: a layer of frames that 'Geolocate video' made"))
        self.video_box.setToolTip(tr("The video of the result"))
        self.picture_label = PictureLabel(self)
        self.match_label = PictureLabel(self, 100)
        self.match_label.setToolTip(tr("The reference image that speaks for this place most, as the result keeps it"))
        self.facts_label, self.match_facts, self.message_label = QLabel(self), QLabel(self), QLabel(self)
        for label in (self.facts_label, self.match_facts, self.message_label):
            label.setTextFormat(Qt.TextFormat.PlainText)  # names are other people's
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.locate_button = QPushButton(tr("Locate video…"), self)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setPageStep(10)
        for widget, name in (
            (self.layer_box, tr("Result")), (self.video_box, tr("Video")), (self.slider, tr("Frame")), (self.picture_label, tr("Picture of the frame")),
            (self.match_label, tr("Reference image")),
        ):  # fmt: skip
            widget.setAccessibleName(name)
        self.previous_button, self.next_button = (
            self._arrow(Qt.ArrowType.LeftArrow, tr("Frame before")),
            self._arrow(Qt.ArrowType.RightArrow, tr("Next frame")),
        )
        self.pick_button = QToolButton(self)
        self.pick_button.setText(tr("Pick on map"))
        self.pick_button.setToolTip(tr("Click a frame's point on the map to see its picture"))
        self.pick_button.setCheckable(True)
        self.here_button = self._pin_button(tr("Pin here…"), tr("Click on the map where the camera was in this frame"))
        self.not_here_button = self._pin_button(tr("Pin not here…"), tr("Click on the map where the camera was not in this frame"))
        self.pan_box = QCheckBox(tr("Map follows"), self)
        self.bar = PlayerBar(self)
        self._arrange()
        self.slider.valueChanged.connect(self.stepped)
        self.previous_button.clicked.connect(lambda: self.slider.setValue(self.slider.value() - 1))
        self.next_button.clicked.connect(lambda: self.slider.setValue(self.slider.value() + 1))
        self.set_rows(0)
        self.tell("", locatable=False)
        self.show_match(b"", "")

    def set_rows(self, count: int) -> None:
        """How many frames there are to step through; it stands at the first, and tells nobody."""
        self.slider.blockSignals(True)
        self.slider.setRange(0, max(0, count - 1))
        self.slider.setValue(0)
        self.slider.blockSignals(False)
        for widget in (self.slider, self.previous_button, self.next_button):
            widget.setEnabled(count > 1)

    def set_row(self, row: int) -> None:
        """Stand at a row, and tell nobody."""
        self.slider.blockSignals(True)
        self.slider.setValue(row)
        self.slider.blockSignals(False)

    def tell(self, message: str, *, locatable: bool) -> None:
        """A sentence below the picture, empty for none, and whether the video may be located."""
        self.message_label.setText(message)
        self.message_label.setVisible(bool(message))
        self.locate_button.setVisible(locatable)

    def show_picture(self, file: str) -> bool:
        """Show the picture in a file, empty for none; returns whether it could be read."""
        picture = QPixmap(file) if file else QPixmap()
        self.picture_label.show_picture(picture)
        self.picture_label.setEnabled(True)
        return not picture.isNull()

    def show_match(self, picture: bytes, said: str) -> None:
        """Show a reference image beside the frame's picture, and what is said of it; both may be empty."""
        shown = QPixmap()
        if picture:
            shown.loadFromData(picture)
        self.match_label.show_picture(shown)
        self.match_label.setVisible(not shown.isNull())
        self.match_facts.setText(said)
        self.match_facts.setVisible(bool(said))

    def add_below_match(self, panel: QWidget) -> None:
        """Put a panel below what is said of the reference image."""
        layout = self.layout()
        if isinstance(layout, QVBoxLayout):
            layout.setSpacing(_CLOSE_PX)  # there may be little room
            layout.insertWidget(layout.indexOf(self.match_facts) + 1, panel)

    def wait(self) -> None:
        """The picture that is shown is not the one wanted any more: grey until that comes."""
        self.picture_label.setEnabled(False)

    def _pin_button(self, text: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setToolTip(tip)
        button.setCheckable(True)
        return button

    def _arrow(self, direction: Any, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setArrowType(direction)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setAutoRepeat(True)
        return button

    def _arrange(self) -> None:
        steps = QHBoxLayout()
        for widget in (self.previous_button, self.slider, self.next_button):
            steps.addWidget(widget)
        layout = QVBoxLayout(self)
        for widget in (self.layer_box, self.video_box):
            layout.addWidget(widget)
        pictures = QHBoxLayout()
        pictures.addWidget(self.picture_label, 3)
        pictures.addWidget(self.match_label, 2)
        layout.addLayout(pictures, 1)
        layout.addWidget(self.facts_label)
        layout.addWidget(self.match_facts)
        layout.addWidget(self.message_label)
        layout.addWidget(self.bar)
        layout.addLayout(steps)
        layout.addLayout(FlowLayout(self.pick_button, self.pan_box, self.here_button, self.not_here_button, self.locate_button))
