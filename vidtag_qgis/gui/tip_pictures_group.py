"""Pictures in map tips: made by the engine when somebody asks for them, in a file beside the result, with how large it is and how long it takes."""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from typing import Any, Optional

from qgis.core import QgsProject, QgsTask
from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QGroupBox, QLabel, QPushButton, QVBoxLayout, QWidget

from .. import engine, tip_pictures, video_places
from ..engine_client import EngineError
from ..engine_client.command_arguments import ThumbnailsArguments
from ..frames import read_video_files
from ..translation import tr
from .flow_layout import FlowLayout
from .progress_line import ProgressLine
from .tasks import Call, start


class Making(Call):
    """The engine at work in a thread of its own. ``progressed`` carries the share that is done."""

    progressed = pyqtSignal(float)

    def __init__(self, arguments: ThumbnailsArguments) -> None:
        super().__init__(tr("VidTAG: pictures for map tips"), self._make)
        self._arguments = arguments

    def _make(self, task: QgsTask) -> dict[str, Any]:
        return engine.request(
            engine.interpreter(), "thumbnails", asdict(self._arguments), cancelled=task.isCanceled, on_progress=self._progress
        )

    def _progress(self, fraction: float, *_: str) -> None:
        self.setProgress(100.0 * fraction)
        self.progressed.emit(fraction)


class TipPicturesGroup(QGroupBox):
    """It is told which result is looked at.

    Args:
        parent: of the widget.
    """

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(tr("Pictures in map tips"), parent)
        self.result = ""
        self.task: Optional[Making] = None
        self._made_for, self._since_s = "", 0.0
        self.state_label, self.message_label = QLabel(self), QLabel(self)
        for label in (self.state_label, self.message_label):
            label.setWordWrap(True)
        self.make_button, self.cancel_button, self.remove_button = (
            QPushButton(tr("Make pictures"), self),
            QPushButton(tr("Cancel"), self),
            QPushButton(tr("Remove"), self),
        )
        self.make_button.setToolTip(tr("Reads the videos once and keeps a small picture of each frame in a file beside the result"))
        self.remove_button.setToolTip(tr("Delete the file of pictures"))
        self.bar = ProgressLine(self)
        layout = QVBoxLayout(self)
        for widget in (self.state_label, self.bar, self.message_label):
            layout.addWidget(widget)
        layout.insertLayout(1, FlowLayout(self.make_button, self.cancel_button, self.remove_button))
        self.make_button.clicked.connect(self.make)
        self.cancel_button.clicked.connect(self.cancel)
        self.remove_button.clicked.connect(self.remove)
        self._tell()

    def look_at(self, result: str) -> None:
        """From now on speak of this result; empty for none."""
        if result != self.result:
            self.result = result
            self.message_label.clear()
            self.look_again()

    def look_again(self) -> None:
        """The file may have come or gone elsewhere."""
        if self.result and self.task is None:
            tip_pictures.link_all(self.result)
        self._tell()

    def _tell(self) -> None:
        """Say what lies beside the result, and what can be done."""
        at_work = self.task is not None
        held = tip_pictures.beside(self.result) if self.result else None
        if held is None:
            said = tr("Choose a result's layer of frames under 'Check frames' first.")
        elif held.of_others:
            said = tr("{file} is of other videos than this result: make the pictures again.").format(file=os.path.basename(held.path))
        elif held.pictures:
            said = tr("{count} of {frames} frames show their picture in map tips: {size:.1f} MB in {file}.").format(
                count=held.pictures, frames=held.frames, size=held.size_bytes / 1e6, file=os.path.basename(held.path)
            )
        else:
            said = tr("{frames} frames: about {size:.1f} MB in a file beside the result, which itself holds no picture.").format(
                frames=held.frames, size=held.frames * tip_pictures.PICTURE_BYTES / 1e6
            )
        self.state_label.setText(said)
        self.make_button.setEnabled(held is not None and held.frames > 0 and not at_work)
        self.cancel_button.setVisible(at_work)
        self.bar.setVisible(at_work)
        self.remove_button.setEnabled(held is not None and held.pictures > 0 and not at_work)

    def make(self) -> None:
        """Have the engine make them; what comes of it is said below."""
        if self.task is not None or not self.result:
            return
        result = self._made_for = self.result
        folders = [os.path.dirname(result), QgsProject.instance().homePath(), *video_places.remembered()]
        # Files by their names: a folder would be searched through, and each file of it read for its digest.
        places = [place for video in read_video_files(result).values() for place in video_places.candidates(video.file, folders)]
        tip_pictures.release(result)
        self.task = Making(ThumbnailsArguments(result, tip_pictures.path_of(result), list(dict.fromkeys(places))))
        self._since_s = time.monotonic()
        self.task.progressed.connect(self._progressed)
        self.task.done.connect(self._done)
        self.message_label.setText(tr("The engine starts…"))
        self.bar.begin()
        start(self.task)
        self._tell()

    def cancel(self) -> None:
        """Stop; what was there before stays."""
        if self.task is not None:
            self.message_label.setText(tr("Stopping…"))
            self.task.cancel()

    def remove(self) -> None:
        """Delete the file."""
        problem = tip_pictures.remove(self.result)
        tip_pictures.link_all(self.result)
        self.message_label.setText(problem or tr("The file of pictures is deleted."))
        self._tell()

    def _progressed(self, share: float) -> None:
        taken_s = time.monotonic() - self._since_s
        known = share > 0.02 and taken_s > 2.0
        self.bar.show_at(share, taken_s * (1.0 - share) / share if known else -1.0)
        if self.task is not None and not self.task.isCanceled():
            self.message_label.setText(tr("Reading the video…"))

    def _done(self, answer: Optional[dict[str, Any]], error: Optional[EngineError]) -> None:
        self.task = None
        tip_pictures.link_all(self._made_for)
        if answer is None:
            # A task that is cancelled before it began has no error of its own.
            self.message_label.setText(str(error) if error is not None else tr("Stopped; no pictures were written."))
        else:
            said = tr("Done. Switch on View ▸ Show Map Tips, choose the layer of frames, and rest the mouse on a frame.")
            why = [f"{one['video']}: {one['why']}" for one in answer["missing"]]
            self.message_label.setText("\n".join([said, *why]))
        self._tell()
