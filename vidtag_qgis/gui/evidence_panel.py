"""What speaks for the frame that is shown: a strip of its reference images, and the places that it may be of. Widgets alone: no maps, no engines."""

from __future__ import annotations

import html
from typing import Any, Optional

from qgis.PyQt.QtCore import QSize, Qt, pyqtSignal
from qgis.PyQt.QtGui import QIcon, QPixmap
from qgis.PyQt.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ..frame_matches import MOST_IMAGES
from ..translation import tr

_ICON, _LIST_ICON = QSize(64, 48), QSize(48, 36)
_ROWS = 4
"""Candidates whose rows are seen without scrolling."""


class EvidencePanel(QWidget):
    """``image_chosen`` carries the place of an image in the strip, ``place_chosen`` that of a row of the list; ``wanted`` whether candidates are."""

    image_chosen = pyqtSignal(int)
    place_chosen = pyqtSignal(int)
    wanted = pyqtSignal(bool)
    posterior_asked = pyqtSignal()

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.image_buttons = [self._image_button(number) for number in range(MOST_IMAGES)]
        self.places_button = QToolButton(self)
        self.places_button.setText(tr("Candidate places"))
        self.places_button.setToolTip(tr("List the places that this frame may be of, and show them on the map"))
        self.places_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.places_button.setCheckable(True)
        self.posterior_button = QPushButton(tr("Draw posterior"), self)
        self.posterior_button.setToolTip(tr("Show on the map how likely the frame is of each place of the grid"))
        self.places_list = QListWidget(self)
        self.places_list.setAccessibleName(tr("Candidate places"))
        self.places_list.setIconSize(_LIST_ICON)
        self.places_label, self.posterior_label = QLabel(self), QLabel(self)
        for label in (self.places_label, self.posterior_label):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._arrange()
        self.places_button.toggled.connect(self._toggled)
        self.posterior_button.clicked.connect(lambda *_: self.posterior_asked.emit())
        self.places_list.itemClicked.connect(self._row_chosen)
        self.places_list.itemActivated.connect(self._row_chosen)
        self._toggled(False)
        self.show_images([])
        self.tell("", "")

    def _arrange(self) -> None:
        layout, strip, line = QVBoxLayout(self), QHBoxLayout(), QHBoxLayout()
        layout.setContentsMargins(0, 0, 0, 0)
        strip.setSpacing(2)
        for button in self.image_buttons:
            strip.addWidget(button)
        strip.addStretch()
        line.addWidget(self.places_button)
        line.addWidget(self.posterior_button)
        line.addStretch()
        layout.addLayout(strip)
        layout.addLayout(line)
        for widget in (self.places_list, self.places_label, self.posterior_label):
            layout.addWidget(widget)

    def _image_button(self, number: int) -> QToolButton:
        button = QToolButton(self)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setIconSize(_ICON)
        button.setCheckable(True)
        button.setAutoRaise(True)
        button.clicked.connect(lambda *_: self.image_chosen.emit(number))
        if not hasattr(self, "_images"):
            self._images = QButtonGroup(self)
        self._images.addButton(button, number)
        return button

    # The strip.

    def show_images(self, images: list[tuple[bytes, str, str]]) -> None:
        """The frame's images: picture, what is written below it, and all that is said of it. The first is chosen; one alone needs no strip."""
        for number, button in enumerate(self.image_buttons):
            there = number < len(images) and len(images) > 1
            button.setVisible(there)
            if not there:
                continue
            picture, text, said = images[number]
            pixmap = QPixmap()
            if picture:
                pixmap.loadFromData(picture)
            button.setIcon(QIcon(pixmap))
            alike, _, named = text.partition("\n")
            named = self.fontMetrics().elidedText(named, Qt.TextElideMode.ElideRight, _ICON.width() + 16)
            button.setText(f"{alike}\n{named}".rstrip().replace("&", "&&"))
            # Names are other people's, and a tip takes what looks like HTML for it.
            button.setToolTip(f"<qt>{html.escape(said)}</qt>".replace("\n", "<br>"))
            button.setAccessibleName(said)
            button.setChecked(number == 0)

    # The candidates.

    @property
    def asked(self) -> bool:
        """Whether candidates are to be shown."""
        return bool(self.places_button.isChecked())

    def show_places(self, places: list[tuple[str, bytes]], said: str) -> None:
        """The rows of the list, each a text and a picture, and a sentence below it."""
        self.places_list.clear()
        for text, picture in places:
            item = QListWidgetItem(text)
            pixmap = QPixmap()
            if picture and pixmap.loadFromData(picture):
                item.setIcon(QIcon(pixmap))
            self.places_list.addItem(item)
        high = sum(self.places_list.sizeHintForRow(row) for row in range(min(_ROWS, len(places))))
        self.places_list.setFixedHeight(high + 2 * self.places_list.frameWidth())
        self.places_list.setEnabled(True)
        self.places_list.setVisible(self.asked and bool(places))
        self.tell(said, None)

    def wait(self) -> None:
        """The places are not those of the frame that is shown any more: grey until these come."""
        self.places_list.setEnabled(False)

    def tell(self, places: Optional[str], posterior: Optional[str]) -> None:
        """Sentences on the candidates and on the posterior; empty for none, None leaves what is there."""
        for label, text in ((self.places_label, places), (self.posterior_label, posterior)):
            if text is not None:
                label.setText(text)
            label.setVisible(self.asked and bool(label.text()))

    def _toggled(self, on: bool) -> None:
        self.places_button.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)
        self.posterior_button.setVisible(on)
        self.places_list.setVisible(on and self.places_list.count() > 0)
        self.tell(None, None)
        self.wanted.emit(on)

    def _row_chosen(self, item: Any) -> None:
        self.place_chosen.emit(self.places_list.row(item))
