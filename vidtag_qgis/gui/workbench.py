"""The workbench: one dock in which videos are located, frames are checked, what is wrong is corrected, and what is shown is chosen."""

from __future__ import annotations

from functools import partial
from typing import Any

from qgis.PyQt.QtCore import QSize, Qt
from qgis.PyQt.QtGui import QKeySequence
from qgis.PyQt.QtWidgets import QScrollArea, QTabWidget, QWidget

from ..compat import shortcut_class
from ..frames import result_of
from ..translation import tr
from .correct_panel import CorrectPanel
from .corrections import Corrections
from .frame_dock import FrameDock
from .frame_evidence import FrameEvidence
from .hand_over_group import HandOverGroup
from .landmark_panel import LandmarkPanel
from .run_panel import RunPanel
from .show_panel import ShowPanel
from .tab_order import in_reading_order
from .tip_pictures_group import TipPicturesGroup

TITLE = "VidTAG workbench"


class Workbench(FrameDock):
    """The viewer of frames with pages about it. It never opens by itself, and may have any size: each page scrolls.

    Args:
        iface: QGIS's interface.
        draw: begins drawing an area.
    """

    def __init__(self, iface: Any, draw: Any) -> None:
        super().__init__(iface)
        self.setWindowTitle(tr(TITLE))
        self.setObjectName("VidTAGWorkbench")
        self._told_of: tuple[Any, int] = (None, -1)
        self.evidence = FrameEvidence(iface.mapCanvas(), self.view, self)
        self.view.add_below_match(self.evidence.panel)
        self.corrections = Corrections(self)
        self.run_panel, self.show_panel, self.correct_panel = RunPanel(iface, self), ShowPanel(self), CorrectPanel(self.corrections, self)
        self.hand_over = HandOverGroup(self.corrections, self.show_panel)
        self.tip_pictures = TipPicturesGroup(self.show_panel)
        for group in (self.tip_pictures, self.hand_over):
            self.show_panel.add(group)
        self.landmark_panel = LandmarkPanel(iface.mapCanvas(), self.corrections, self)
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(_scrolled(self.run_panel), tr("Locate"))
        self.tabs.addTab(self.view, tr("Check frames"))
        self.tabs.addTab(_scrolled(self.correct_panel), tr("Correct"))
        self.tabs.addTab(_scrolled(self.landmark_panel), tr("Landmarks"))
        self.tabs.addTab(_scrolled(self.show_panel), tr("Show"))
        self.tabs.setCurrentWidget(self.view)
        self.setWidget(self.tabs)
        self._add_keys()
        pages = (self.run_panel, self.view, self.correct_panel, self.landmark_panel, self.show_panel)
        in_reading_order(self.tabs.tabBar(), pages)
        self.run_panel.draw_asked.connect(draw)
        self.run_panel.finished.connect(self._located)
        self.correct_panel.digest_of = self._digest_of
        self.correct_panel.went.connect(self.go_to)
        self.correct_panel.pin_asked.connect(self._begin_pin)
        self.tabs.currentChanged.connect(self._page_changed)
        self.moment_changed.connect(self._moved)

    def _add_keys(self) -> None:
        """Alt and a digit chooses a page wherever the focus is in the dock; letters are QGIS's own menus'."""
        for number in range(self.tabs.count()):
            shortcut = shortcut_class()(QKeySequence(f"Alt+{number + 1}"), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(partial(self._choose_page, number))
            self.tabs.setTabToolTip(number, f"Alt+{number + 1}")

    def _choose_page(self, number: int) -> None:
        """Show a page, with the focus on its tab."""
        self.tabs.setCurrentIndex(number)
        self.tabs.tabBar().setFocus(Qt.FocusReason.ShortcutFocusReason)

    def wake(self) -> None:
        """As of the viewer."""
        self.evidence.wake()
        super().wake()
        self.run_panel.wake()
        self.corrections.wake()
        self.landmark_panel.wake()
        if self.pins is not None:
            self.pins.written.connect(lambda: self.corrections.pin("list"))
            self.pins.unwritten.connect(lambda arguments, why: self.corrections.keep("pin", arguments, why))

    def rest(self) -> None:
        """As of the viewer. A run goes on."""
        self.run_panel.rest()
        self.corrections.rest()
        self.landmark_panel.rest()
        self.evidence.rest()
        super().rest()

    def _digest_of(self, video: str) -> str:
        """SHA-256 of a video of the layer that is looked at; empty where it is not known."""
        layer = self.layer
        known = None if layer is None else self._files.get(layer.id(), {}).get(video)
        return "" if known is None else known.sha256

    def show_row(self, row: int) -> None:
        """Show a frame, and its place as text."""
        super().show_row(row)
        self._tell_place()

    def _forget(self) -> None:
        super()._forget()
        if hasattr(self, "show_panel"):
            self._tell_place()

    def _moved(self, *_: Any) -> None:
        """The video went to another moment by itself, as it plays or is scrubbed: what is said from now on is of the frame there."""
        if (self.view.video_box.currentData(), self.row) != self._told_of:
            self._tell_place()

    def _tell_place(self) -> None:
        layer, there = self.layer, 0 <= self.row < len(self.rows)
        video = self.view.video_box.currentData() or ""
        self._told_of = (self.view.video_box.currentData(), self.row)
        self.show_panel.set_place(self.rows[self.row].point if there else None, None if layer is None else layer.crs())
        result = "" if layer is None else self._matches.get(layer.id(), ("", {}))[0]
        self.evidence.look_at(layer, result, video, self.rows[self.row] if there else None)
        self.correct_panel.set_moment(*((video, self.rows[self.row].time_s) if there else ("", 0.0)))
        self.corrections.look_at(result)
        self.tip_pictures.look_at(result)
        if layer is None or self.rows:  # else the frames are only being read anew
            self.show_panel.set_result("" if layer is None else result_of(layer), video, self.rows[-1].time_s if self.rows else 0.0)

    def go_to(self, video: str, time_s: float) -> None:
        """Show the frame of a video that is nearest to a second."""
        box = self.view.video_box
        if box.currentData() != video and box.findData(video) >= 0:
            box.setCurrentIndex(box.findData(video))
        if self.rows and box.currentData() == video:
            self.show_row(min(range(len(self.rows)), key=lambda row: abs(self.rows[row].time_s - time_s)))
            self.tabs.setCurrentWidget(self.view)

    def _page_changed(self, *_: Any) -> None:
        """Landmarks are clicked in the frame that is shown."""
        page = self.tabs.currentWidget()
        self.tip_pictures.look_again()
        if page is not None and page.isAncestorOf(self.landmark_panel):
            self.playing.pause()
            there = 0 <= self.row < len(self.rows)
            # The picture may be one between two frames; a folder's images are frames alone.
            playable = self.view.bar.play_button.isEnabled()
            time_s = (self.playing.time_s if playable else self.rows[self.row].time_s) if there else 0.0
            self.landmark_panel.set_frame(
                (self.view.video_box.currentData() or "") if there else "", time_s, self.view.picture_label.image, self.video_places()
            )

    def _begin_pin(self, here: bool) -> None:
        """The next click on the map is the pin; the viewer says what comes of it."""
        (self.view.here_button if here else self.view.not_here_button).setChecked(True)

    def _located(self, result: str) -> None:
        """A run went through: its frames are what one looks at next."""
        box = self.view.layer_box
        for index in range(box.count()):
            layer = self._layer_of(box.itemData(index))
            if layer is not None and result and result_of(layer) == result:
                box.setCurrentIndex(index)
                self.tabs.setCurrentWidget(self.view)
                return

    @staticmethod
    def _layer_of(layer_id: str) -> Any:
        from qgis.core import QgsProject

        return QgsProject.instance().mapLayer(layer_id)


def _scrolled(page: QWidget) -> QScrollArea:
    """A page that scrolls where there is little room."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
    area.setMinimumSize(QSize(120, 80))
    area.setWidget(page)
    return area


def add_workbench(iface: Any, draw: Any) -> Workbench:
    """Make the dock in QGIS's main window, closed."""
    dock = Workbench(iface, draw)
    iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    dock.close()
    return dock
