"""The workbench's page "Correct": pins and solving again, and what was judged of frames and stretches."""

from __future__ import annotations

import os
from typing import Any, Callable, Optional

from qgis.core import QgsSettings
from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtGui import QKeySequence
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QFormLayout,
    QGroupBox,
    QInputDialog,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ..compat import shortcut_class
from ..translation import tr
from .corrections import Corrections
from .flow_layout import FlowLayout

ANALYST = "vidtag/analyst"
"""Setting: who judges, as they have last said."""
JUDGEMENTS = ("accepted", "unsure", "rejected")


class CorrectPanel(QWidget):
    """Lists and buttons; ``went`` carries a video and a second that somebody wants to see.

    Args:
        corrections: that writes what is said here.
        parent: of the widget.
    """

    went = pyqtSignal(str, float)
    pin_asked = pyqtSignal(bool)

    def __init__(self, corrections: Corrections, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.corrections = corrections
        self._video, self._time_s, self._from_s = "", 0.0, None
        self.digest_of: Callable[[str], str] = _not_known
        """Gives the SHA-256 of a video of the result, by its name: what is said holds for that video, whatever result lies there when it is written."""
        layout = QVBoxLayout(self)
        layout.addWidget(self._pins_group())
        layout.addWidget(self._review_group())
        self.message_label = QLabel(self)
        self.message_label.setWordWrap(True)
        self.message_label.setTextFormat(Qt.TextFormat.PlainText)
        layout.addWidget(self.message_label)
        layout.addWidget(self._unwritten_row())
        corrections.said.connect(self.message_label.setText)
        corrections.unwritten_changed.connect(self._show_unwritten)
        corrections.pins_changed.connect(self._show_pins)
        corrections.review_changed.connect(self._show_review)
        corrections.busy.connect(lambda busy: self.solve_button.setEnabled(not busy and self.pins_table.rowCount() > 0))
        self.set_moment("", 0.0)

    # What it is made of.

    def _pins_group(self) -> QGroupBox:
        group = QGroupBox(tr("Pins"), self)
        self.here_button = self._button(tr("Here…"), tr("Click on the map where the camera was in this frame"))
        self.not_here_button = self._button(tr("Not here…"), tr("Click on the map where the camera was not in this frame"))
        self.confirm_button = self._button(tr("Confirm place"), tr("The place of this frame is right: pin it there"))
        self.note_button = self._button(tr("Note…"), tr("Why the chosen pin is where it is"))
        self.remove_pin_button = self._button(tr("Remove"), tr("Take the chosen pin away; none chosen: the last one that was set"))
        self.solve_button = self._button(tr("Solve with pins"), tr("Decode the videos that have pins again; the model's own answer stays"))
        self.pins_table = self._table([tr("Video"), tr("Time (s)"), tr("Says"), tr("Why"), tr("Who")], tr("Pins"))
        self.here_button.clicked.connect(lambda: self.pin_asked.emit(True))
        self.not_here_button.clicked.connect(lambda: self.pin_asked.emit(False))
        self.confirm_button.clicked.connect(self.confirm)
        self.note_button.clicked.connect(self._ask_note)
        self.remove_pin_button.clicked.connect(self._remove_pin)
        self._on_delete(self.pins_table, self._remove_pin)
        self.solve_button.clicked.connect(self.corrections.solve)
        layout = QVBoxLayout(group)
        layout.addLayout(FlowLayout(self.here_button, self.not_here_button, self.confirm_button))
        layout.addWidget(self.pins_table)
        layout.addLayout(FlowLayout(self.note_button, self.remove_pin_button, self.solve_button))
        return group

    def _review_group(self) -> QGroupBox:
        group = QGroupBox(tr("Review"), self)
        self.moment_label = QLabel(self)
        self.moment_label.setWordWrap(True)
        self.state_buttons = {
            state: self._button(text, tip)
            for state, text, tip in (
                ("accepted", tr("Accept"), tr("The place of this frame, or of the stretch, is right")),
                ("unsure", tr("Unsure"), tr("It may be right")),
                ("rejected", tr("Reject"), tr("It is wrong")),
            )
        }
        self.bookmark_button = self._button(tr("Bookmark"), tr("Find this moment again"))
        self.stretch_button = self._button(
            tr("Stretch begins here"), tr("What is judged next holds from this frame to the one that is shown then")
        )
        self.stretch_button.setCheckable(True)
        self.comment_field, self.who_field = QLineEdit(self), QLineEdit(self)
        self.who_field.setText(str(QgsSettings().value(ANALYST, "") or ""))
        self.who_field.editingFinished.connect(lambda: QgsSettings().setValue(ANALYST, self.who_field.text().strip()))
        self.review_table = self._table([tr("Video"), tr("From (s)"), tr("To (s)"), tr("Judged"), tr("Comment"), tr("Who")], tr("Review"))
        self.remove_review_button = self._button(tr("Remove"), tr("Take the chosen judgement away"))
        self.counts_label = QLabel(self)
        self.counts_label.setWordWrap(True)
        for state, button in self.state_buttons.items():
            button.clicked.connect(lambda *_, which=state: self.judge(which))
        self.bookmark_button.clicked.connect(lambda: self.judge("", bookmark=True))
        self.stretch_button.toggled.connect(self._stretch)
        self.remove_review_button.clicked.connect(self._remove_review)
        self._on_delete(self.review_table, self._remove_review)
        layout = QVBoxLayout(group)
        layout.addWidget(self.moment_label)
        layout.addLayout(FlowLayout(*self.state_buttons.values(), self.bookmark_button))
        layout.addLayout(FlowLayout(self.stretch_button))
        # Words beside the fields: a theme's placeholders may be too pale to be read.
        said = QFormLayout()
        said.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        said.addRow(tr("Comment"), self.comment_field)
        said.addRow(tr("Who judges"), self.who_field)
        layout.addLayout(said)
        layout.addWidget(self.review_table)
        layout.addLayout(FlowLayout(self.remove_review_button))
        layout.addWidget(self.counts_label)
        return group

    def _unwritten_row(self) -> QWidget:
        """What could not be written, and what is to become of it; hidden where there is nothing."""
        self.unwritten_box = QWidget(self)
        self.unwritten_label = QLabel(self.unwritten_box)
        self.unwritten_label.setWordWrap(True)
        self.unwritten_label.setTextFormat(Qt.TextFormat.PlainText)
        self.try_again_button = self._button(tr("Try again"), tr("Write what could not be written"))
        self.give_up_button = self._button(tr("Give it up"), tr("Forget what could not be written"))
        self.try_again_button.clicked.connect(self.corrections.try_again)
        self.give_up_button.clicked.connect(self.corrections.give_up)
        layout = QVBoxLayout(self.unwritten_box)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.unwritten_label)
        layout.addLayout(FlowLayout(self.try_again_button, self.give_up_button))
        self.unwritten_box.hide()
        return self.unwritten_box

    def _show_unwritten(self, count: int, why: str) -> None:
        self.unwritten_label.setText(tr("Not written yet: {count}. {why}").format(count=count, why=why))
        self.unwritten_label.setToolTip(why)
        self.unwritten_box.setVisible(count > 0)

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(tip)
        return button

    @staticmethod
    def _on_delete(table: QTableWidget, action: Callable[[], None]) -> None:
        """The key Delete takes the chosen row away, where one is chosen."""
        shortcut = shortcut_class()(QKeySequence(QKeySequence.StandardKey.Delete), table)
        shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
        shortcut.activated.connect(lambda: action() if _chosen(table) is not None else None)

    def _table(self, heads: list[str], name: str) -> QTableWidget:
        table = QTableWidget(0, len(heads), self)
        table.setHorizontalHeaderLabels(heads)
        table.setAccessibleName(name)
        table.verticalHeader().setVisible(False)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setMinimumHeight(110)
        table.setTabKeyNavigation(False)  # else the focus never leaves it
        table.horizontalHeader().setStretchLastSection(True)
        table.itemActivated.connect(self._go)
        table.itemDoubleClicked.connect(self._go)
        return table

    # The frame that is shown.

    def set_moment(self, video: str, time_s: float) -> None:
        """Which frame is meant from now on; an empty video is none."""
        if video != self._video:
            self.stretch_button.setChecked(False)
        self._video, self._time_s = video, time_s
        for button in (self.here_button, self.not_here_button, self.confirm_button, self.bookmark_button, self.stretch_button):
            button.setEnabled(bool(video))
        for button in self.state_buttons.values():
            button.setEnabled(bool(video))
        if not video:
            self.moment_label.setText(tr("Show a frame first, under 'Check frames'."))
        elif self._from_s is not None:
            begin_s, end_s = sorted((self._from_s, time_s))
            self.moment_label.setText(tr("{video}, {begin:g} to {end:g} s").format(video=video, begin=begin_s, end=end_s))
        else:
            self.moment_label.setText(tr("{video}, {time:g} s").format(video=video, time=time_s))

    def _stretch(self, on: bool) -> None:
        self._from_s = self._time_s if on else None
        self.set_moment(self._video, self._time_s)

    # Pins.

    def confirm(self) -> None:
        """Pin the frame at the place that it has."""
        digest = self.digest_of(self._video) or None
        self.corrections.pin(
            "add", {"video": self._video, "sha256": digest, "time_s": self._time_s, "kind": "confirmed", "who": self._who()}
        )

    def _remove_pin(self) -> None:
        number = _chosen(self.pins_table)
        if number is None and self.pins_table.rowCount():
            # The last one is meant that is listed now. An engine that is asked twice must not take away two.
            number = max(int(self.pins_table.item(row, 0).data(Qt.ItemDataRole.UserRole)) for row in range(self.pins_table.rowCount()))
        self.corrections.pin("remove", number=number)

    def _ask_note(self) -> None:
        number = _chosen(self.pins_table)
        if number is None:
            self.message_label.setText(tr("Choose a pin in the list first."))
            return
        before = self.pins_table.item(self.pins_table.currentRow(), 3).text()
        why, agreed = QInputDialog.getText(self, tr("Pin"), tr("Why:"), QLineEdit.EchoMode.Normal, before)
        if agreed:
            self.corrections.pin("change", {"why": why}, number)

    def _show_pins(self, pins: list[dict[str, Any]]) -> None:
        rows = []
        for pin in pins:
            says = {"here": tr("here"), "not here": tr("not here"), "confirmed": tr("confirmed")}.get(pin["kind"], pin["kind"])
            rows.append((pin["number"], pin["video"], pin["time_s"], [pin["video"], _number(pin["time_s"]), says, pin["why"], pin["who"]]))
        _fill(self.pins_table, rows)
        self.solve_button.setEnabled(bool(pins))

    # Judgements.

    def judge(self, state: str, *, bookmark: bool = False) -> None:
        """Keep a judgement of the frame that is shown, or of the stretch that ends with it; with the comment, where there is one."""
        begin_s, end_s = sorted((self._time_s if self._from_s is None else self._from_s, self._time_s))
        comment = self.comment_field.text().strip()
        digest = self.digest_of(self._video) or None
        row = {
            "video": self._video, "sha256": digest, "from_s": begin_s, "to_s": end_s, "state": state or None, "bookmark": bookmark or None,
            "comment": comment or None, "who": self._who(),
        }  # fmt: skip
        self.corrections.review("add", row)
        self.comment_field.clear()
        self.stretch_button.setChecked(False)

    def _remove_review(self) -> None:
        number = _chosen(self.review_table)
        if number is None:
            self.message_label.setText(tr("Choose a judgement in the list first."))
        else:
            self.corrections.review("remove", number=number)

    def _show_review(self, rows: list[dict[str, Any]], frames: dict[str, dict[str, int]]) -> None:
        words = {"accepted": tr("accepted"), "unsure": tr("unsure"), "rejected": tr("rejected"), "": ""}
        shown = []
        for row in rows:
            judged = " ".join(filter(None, [words.get(row["state"] or "", row["state"]), "★" if row["bookmark"] else ""]))
            to_s = _number(row["to_s"]) if row["to_s"] > row["from_s"] else ""
            cells = [row["video"], _number(row["from_s"]), to_s, judged, row["comment"], row["who"]]
            shown.append((row["number"], row["video"], row["from_s"], cells))
        _fill(self.review_table, shown)
        lines = []
        for video, counts in frames.items():
            told = ", ".join(f"{counts[state]} {words[state]}" for state in JUDGEMENTS if counts.get(state))
            if told:
                lines.append(f"{video}: {told}, " + tr("{count} not judged").format(count=counts.get("not_judged", 0)))
        self.counts_label.setText("\n".join(lines))

    def _go(self, item: QTableWidgetItem) -> None:
        first = item.tableWidget().item(item.row(), 0)
        self.went.emit(first.data(Qt.ItemDataRole.UserRole + 1), float(first.data(Qt.ItemDataRole.UserRole + 2)))

    def _who(self) -> Optional[str]:
        return self.who_field.text().strip() or os.environ.get("USERNAME") or os.environ.get("USER")


def _not_known(_: str) -> str:
    return ""


def _fill(table: QTableWidget, rows: list[tuple[int, str, float, list[str]]]) -> None:
    """Rows with the number, the video and the second behind each."""
    table.setRowCount(len(rows))
    for place, (number, video, time_s, cells) in enumerate(rows):
        for column, text in enumerate(cells):
            item = QTableWidgetItem(text)
            item.setToolTip(text)
            table.setItem(place, column, item)
        for offset, value in enumerate((number, video, time_s)):
            table.item(place, 0).setData(Qt.ItemDataRole.UserRole + offset, value)
    table.resizeColumnsToContents()


def _chosen(table: QTableWidget) -> Optional[int]:
    """Number of the row that is chosen; None where none is."""
    rows = table.selectionModel().selectedRows()
    return int(table.item(rows[0].row(), 0).data(Qt.ItemDataRole.UserRole)) if rows else None


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
