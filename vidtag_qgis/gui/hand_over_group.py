"""Hand a result over: a folder with a page and a PDF a video, copies for other programs, and the digests of all."""

from __future__ import annotations

import os
from typing import Any, Optional

from qgis.core import QgsProject
from qgis.PyQt.QtCore import QUrl
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtWidgets import QCheckBox, QFileDialog, QFormLayout, QGroupBox, QLabel, QLineEdit, QPushButton, QSpinBox, QWidget

from .. import video_places
from ..frames import read_video_files
from ..translation import tr
from .corrections import Corrections


class HandOverGroup(QGroupBox):
    """Case number, source, who hands it over, and the button.

    Args:
        corrections: that asks the engine.
        parent: of the widget.
    """

    def __init__(self, corrections: Corrections, parent: Optional[QWidget] = None) -> None:
        super().__init__(tr("Hand over"), parent)
        self._corrections = corrections
        self.page = ""
        self.case_field, self.source_field, self.analyst_field = QLineEdit(self), QLineEdit(self), QLineEdit(self)
        self.source_field.setToolTip(tr("Where the video is from; it is never fetched"))
        self.frames_field = QSpinBox(self)
        self.frames_field.setRange(0, 200)
        self.frames_field.setValue(12)
        self.regions_box = QCheckBox(tr("Frames' regions in the KMZ"), self)
        self.regions_box.setToolTip(tr("Switched off in Google Earth until they are ticked"))
        self.make_button, self.open_button = QPushButton(tr("Make a folder…"), self), QPushButton(tr("Open the page"), self)
        self.message_label = QLabel(self)
        self.message_label.setWordWrap(True)
        form = QFormLayout(self)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.addRow(tr("Case"), self.case_field)
        form.addRow(tr("Source"), self.source_field)
        form.addRow(tr("Handed over by"), self.analyst_field)
        form.addRow(tr("Frames a page"), self.frames_field)
        form.addRow(self.regions_box)
        form.addRow(self.make_button)
        form.addRow(self.open_button)
        form.addRow(self.message_label)
        self.make_button.clicked.connect(self._choose)
        self.open_button.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(self.page)))
        self.open_button.setVisible(False)

    def _choose(self) -> None:
        parent = QFileDialog.getExistingDirectory(self, tr("Folder to make the case in"))
        if parent:
            name = "".join(one if one.isalnum() or one in "-_." else "-" for one in self.case_field.text().strip()) or "case"
            self.make(os.path.join(parent, name))

    def make(self, folder: str) -> None:
        """Make the case in this folder; what comes of it is said below."""
        result = self._corrections.result
        folders = [os.path.dirname(result), QgsProject.instance().homePath(), *video_places.remembered()]
        # Files by their names: a folder would be searched through, and each file of it read for its digest.
        places = [place for video in read_video_files(result).values() for place in video_places.candidates(video.file, folders)]
        asked = {
            "folder": folder, "videos": list(dict.fromkeys(places)), "frames": self.frames_field.value(),
            "case_id": self.case_field.text().strip(), "source_url": self.source_field.text().strip(), "analyst": self.analyst_field.text().strip(),
            "regions": self.regions_box.isChecked(),
        }  # fmt: skip
        self.message_label.setText(tr("Making the folder…"))
        self._corrections.report(asked, self._made, self.message_label.setText)

    def _made(self, answer: dict[str, Any]) -> None:
        said = tr("{folder}: {count} files, {size:.1f} MB.").format(
            folder=answer["folder"], count=len(answer["files"]), size=answer["bytes"] / 1e6
        )
        if answer["missing"]:
            said += " " + tr("Not found, so without pictures: {videos}.").format(videos=", ".join(answer["missing"]))
        self.message_label.setText(said)
        self.page = os.path.join(answer["folder"], next(iter(answer["pages"].values()), ""))
        self.open_button.setVisible(True)
