"""The page "VidTAG" in QGIS's options: the engine in use, its check, the managed environment, and the cache folder."""

from __future__ import annotations

import os
from functools import partial
from typing import Any, Optional

from qgis import utils
from qgis.core import QgsTask
from qgis.gui import QgsFileWidget, QgsOptionsPageWidget, QgsOptionsWidgetFactory
from qgis.PyQt.QtCore import QUrl
from qgis.PyQt.QtGui import QDesktopServices, QGuiApplication, QIcon
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from .. import engine, settings
from ..engine_client import EngineError, EngineInterpreter, run_request
from ..engine_client.environment_files import ManagedEnvironment, find_environments, move_cache, remove
from ..engine_client.errors import EnvironmentSetupError
from ..engine_client.interpreter import HOW_TO, OFFLINE_VARIABLE, works_offline
from ..places import ENGINE_SOURCE, ICON
from ..translation import tr, translated
from . import tasks
from .report import error_text, report_text

TITLE, PAGE = "VidTAG", "vidtag_options"


class EngineOptionsFactory(QgsOptionsWidgetFactory):
    """What QGIS asks for the page."""

    def __init__(self) -> None:
        super().__init__()
        self.setTitle(TITLE)

    def icon(self) -> QIcon:
        """Beside the title."""
        return QIcon(str(ICON))

    def createWidget(self, parent: Optional[QWidget] = None) -> QgsOptionsPageWidget:
        """A fresh page each time the options are opened."""
        return EngineOptionsPage(parent)


class EngineOptionsPage(QgsOptionsPageWidget):
    """The page itself. OK saves the interpreter; what the buttons do is done at once."""

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName(PAGE)
        layout = QVBoxLayout(self)
        for group in (self._engine_group(), self._kept_group(), self._environment_group(), self._cache_group()):
            layout.addWidget(group)
        layout.setStretch(0, 1)
        self.refresh()

    def apply(self) -> None:
        """QGIS calls this on OK."""
        python, cache = self.python_field.filePath().strip(), self.cache_field.filePath().strip()
        if python != settings.engine_python():
            settings.set_engine_python(python)
        if cache and cache != settings.cache_folder():
            settings.set_cache_folder(cache)
        if self.keep_box.value() != settings.keep_engine_min():
            settings.set_keep_engine_min(self.keep_box.value())
            if (kept := engine.warm()) is not None:
                kept.keep_for(60.0 * self.keep_box.value())
        self._save_scheduler()
        if self.offline_box.isEnabled() and self.offline_box.isChecked() != settings.offline():
            settings.set_offline(self.offline_box.isChecked())

    def isValid(self) -> bool:
        """Whether OK may save the page: later versions of QGIS ask this, 3.22 does not."""
        return settings.scheduler_problem(self.scheduler_field.text()) is None

    def _save_scheduler(self) -> None:
        """What is no address is not saved; an older QGIS closes the options all the same, so that it is said in its window."""
        address = self.scheduler_field.text().strip()
        problem = settings.scheduler_problem(address)
        if problem is None:
            if address != settings.scheduler():
                settings.set_scheduler(address)
        elif (iface := utils.iface) is not None:
            iface.messageBar().pushWarning(TITLE, tr("Not saved: {problem}", problem=problem))

    def _show_scheduler(self, *_: Any) -> None:
        problem = settings.scheduler_problem(self.scheduler_field.text())
        self.scheduler_label.setText(problem or "")
        self.scheduler_label.setVisible(problem is not None)

    def refresh(self) -> None:
        """Show what is there now."""
        self._show_state()
        self._show_kept()
        self.environment_box.clear()
        for one in find_environments(settings.cache_folder(), str(ENGINE_SOURCE)):
            self.environment_box.addItem(_describe(one), one)
        there = self.environment_box.count() > 0
        self.none_label.setVisible(not there)
        for widget in (self.environment_box, self.remove_button, self.log_button):
            widget.setVisible(there)

    def _show_state(self, *_: Any) -> None:
        """Say which Python is in use, or would be with what is typed; nothing is started."""
        typed = self.python_field.filePath().strip()
        try:
            found = engine.interpreter(typed)
        except EngineError as error:
            here = tr("Create an environment below, or name the Python of one where `pip install` has put vidtag-engine.")
            self.state_label.setText(translated(str(error).replace(HOW_TO, here)))
            self.check_button.setEnabled(bool(typed))
            return
        self.check_button.setEnabled(True)
        self.state_label.setText(_state_text(found, saved=typed == settings.engine_python()))

    def _engine_group(self) -> QGroupBox:
        group = QGroupBox(tr("Engine"))
        self.state_label = QLabel()
        self.state_label.setWordWrap(True)
        self.python_field = QgsFileWidget()
        self.python_field.setFilePath(settings.engine_python())
        self.python_field.fileChanged.connect(self._show_state)
        self.python_field.lineEdit().setPlaceholderText(tr("empty: the VIDTAG_ENGINE_PYTHON variable, then the managed environment"))
        form = QFormLayout()
        form.addRow(tr("The engine's Python"), self.python_field)
        self.offline_box = QCheckBox(tr("Work offline: VidTAG opens no connection"))
        self.offline_box.setToolTip(tr("What would have to be fetched is refused, with what to put where."))
        self.offline_box.setChecked(settings.offline())
        if works_offline(os.environ):
            self.offline_box.setEnabled(False)
            self.offline_box.setToolTip(tr("The variable {OFFLINE_VARIABLE} says so.", OFFLINE_VARIABLE=OFFLINE_VARIABLE))
        form.addRow("", self.offline_box)
        self.scheduler_field, self.scheduler_label = QLineEdit(settings.scheduler()), QLabel()
        self.scheduler_field.setPlaceholderText(tr("empty: this computer alone; else an address such as tcp://192.168.1.5:8786"))
        self.scheduler_field.setToolTip(
            tr(
                "The workers of this scheduler share the videos of a batch; a single video stays on this computer. Each worker must see the same files under the "
                "same paths, and have the same engine, with the package distributed, as this computer's engine must."
            )
        )
        self.scheduler_label.setWordWrap(True)
        self.scheduler_field.textChanged.connect(self._show_scheduler)
        self._show_scheduler()
        form.addRow(tr("Dask scheduler"), self.scheduler_field)
        self.report_view = QPlainTextEdit()
        self.report_view.setReadOnly(True)
        self.check_button, self.copy_button = QPushButton(tr("Check")), QPushButton(tr("Copy report"))
        self.check_button.clicked.connect(self._check)
        self.copy_button.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.report_view.toPlainText()))
        self.report_view.setPlaceholderText(
            tr("'Check' starts the engine and tells what is installed, which device is used and which weights are there.")
        )
        layout = QVBoxLayout(group)
        layout.addWidget(self.state_label)
        layout.addLayout(form)
        layout.addWidget(self.scheduler_label)  # no row of the form, which would cut off its second line
        layout.addLayout(_row(self.check_button, self.copy_button))
        layout.addWidget(self.report_view, 1)
        return group

    def _kept_group(self) -> QGroupBox:
        group = QGroupBox(tr("Engine kept for the next run"))
        self.kept_label = QLabel()
        self.kept_label.setWordWrap(True)
        self.keep_box = QSpinBox()
        self.keep_box.setRange(0, 240)
        self.keep_box.setSuffix(" min")
        self.keep_box.setSpecialValueText(tr("do not keep it"))
        self.keep_box.setValue(settings.keep_engine_min())
        self.let_go_button = QPushButton(tr("Let it go now"))
        self.let_go_button.clicked.connect(self._let_go)
        form = QFormLayout()
        form.addRow(tr("Keep it after a run for"), self.keep_box)
        layout = QVBoxLayout(group)
        layout.addWidget(self.kept_label)
        layout.addLayout(form)
        layout.addLayout(_row(self.let_go_button))
        return group

    def _show_kept(self) -> None:
        """Say what the engine that stays holds in memory."""
        kept = engine.warm()
        state = kept.status() if kept is not None else None
        self.let_go_button.setEnabled(state is not None)
        self.kept_label.setText(_kept_text(state, busy=kept is not None and kept.busy))

    def _let_go(self) -> None:
        if (kept := engine.warm()) is not None:
            kept.let_go()
        self._show_kept()

    def _environment_group(self) -> QGroupBox:
        group = QGroupBox(tr("Managed environment"))
        self.none_label = QLabel(tr("There is none. Making one takes some minutes; size and licences are shown first."))
        self.environment_box = QComboBox()
        self.create_button, self.remove_button, self.log_button = (
            QPushButton(tr("Create environment…")), QPushButton(tr("Remove")), QPushButton(tr("Open log")),
        )  # fmt: skip
        self.create_button.clicked.connect(self._create)
        self.remove_button.clicked.connect(self._remove)
        self.log_button.clicked.connect(self._open_log)
        layout = QVBoxLayout(group)
        layout.addWidget(self.none_label)
        layout.addWidget(self.environment_box)
        layout.addLayout(_row(self.create_button, self.remove_button, self.log_button))
        return group

    def _cache_group(self) -> QGroupBox:
        group = QGroupBox(tr("Cache folder"))
        self.cache_field = QgsFileWidget()
        self.cache_field.setFilePath(settings.cache_folder())
        self.cache_field.setStorageMode(QgsFileWidget.StorageMode.GetDirectory)
        self.move_button = QPushButton(tr("Move there"))
        self.move_button.clicked.connect(self._move)
        self.cache_label = QLabel(
            tr(
                "Environments and the embeddings of galleries lie here: several gigabytes, outside the plugin and your profile. OK takes another folder as it "
                "is; 'Move there' takes along what lies in this one."
            )
        )
        self.cache_label.setWordWrap(True)
        layout = QVBoxLayout(group)
        layout.addWidget(self.cache_label)
        layout.addWidget(self.cache_field)
        layout.addLayout(_row(self.move_button))
        return group

    def _check(self) -> None:
        self._show_state()
        try:
            interpreter = engine.interpreter(self.python_field.filePath().strip())
        except EngineError as error:
            self.report_view.setPlainText(error_text(error))
            return
        self.check_button.setEnabled(False)
        self.report_view.setPlainText(tr("Starting the engine…"))
        folders = engine.qgis_folders()

        def ask(task: QgsTask) -> dict[str, Any]:
            return run_request(interpreter, "doctor", {}, own_folders=folders, cancelled=task.isCanceled)

        self._run(tr("VidTAG: checking the engine"), ask, partial(self._checked, interpreter))

    def _checked(self, interpreter: EngineInterpreter, report: Optional[dict[str, Any]], error: Optional[EngineError]) -> None:
        self._show_state()
        if report is not None and error is None:
            self.report_view.setPlainText(report_text(interpreter, report))
            return
        error = error or EngineError(tr("The check gave no answer: try it again."))
        self.report_view.setPlainText(error_text(error, interpreter))
        self.state_label.setText(tr("{python} does not run the engine: see below.", python=interpreter.python))

    def _create(self) -> None:
        from .create_dialog import CreateEnvironmentDialog

        CreateEnvironmentDialog(self).exec()
        self.refresh()

    def _remove(self) -> None:
        chosen: Optional[ManagedEnvironment] = self.environment_box.currentData()
        if chosen is None or not self.ask(tr("Remove the environment in {folder}?", folder=chosen.folder)):
            return
        self._let_go()  # what it runs from could not be removed on every system
        self.remove_button.setEnabled(False)
        self.state_label.setText(tr("Removing {folder}: this takes a while, and QGIS can be used meanwhile.", folder=chosen.folder))
        self._run(tr("VidTAG: removing the environment"), lambda _: remove(chosen.folder), self._changed)

    def _move(self) -> None:
        old, new = settings.cache_folder(), self.cache_field.filePath().strip()
        if not new or new == old or not self.ask(tr("Move environments and caches from {old} to {new}?", old=old, new=new)):
            return
        self._let_go()
        self.move_button.setEnabled(False)

        def move(task: QgsTask) -> None:
            move_cache(old, new, on_progress=lambda fraction, *_: task.setProgress(100 * fraction))
            settings.set_cache_folder(new)

        self._run(tr("VidTAG: moving the cache folder"), move, self._changed)

    def _changed(self, _: Any, error: Optional[EngineError]) -> None:
        for button in (self.remove_button, self.move_button):
            button.setEnabled(True)
        self.refresh()
        if error is None:
            self.cache_field.setFilePath(settings.cache_folder())
        if error is not None:
            self.cache_label.setText(translated(str(error)))
            self.state_label.setText(translated(str(error)))

    def _open_log(self) -> None:
        chosen: Optional[ManagedEnvironment] = self.environment_box.currentData()
        if chosen is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(chosen.log))

    def _run(self, title: str, function: Any, then: Any) -> None:
        if tasks.running_setup() is not None:
            then(None, EnvironmentSetupError(tr("The environment is being made: wait until it is done, or stop it.")))
            return
        self._task = tasks.Call(title, function)
        self._task.done.connect(then)
        tasks.start(self._task)

    def ask(self, question: str) -> bool:
        """Whether the user says yes."""
        return QMessageBox.question(self, TITLE, question) == QMessageBox.StandardButton.Yes


def _describe(one: ManagedEnvironment) -> str:
    state = tr("ready") if one.ready else tr("not finished: create goes on with it")
    if one.ready and not one.current:
        state = tr("of an earlier plugin: create brings it up to date")
    return tr(
        "{flavour}, engine {engine}, {state} ({folder})", flavour=one.flavour.upper(), engine=one.engine, state=state, folder=one.folder
    )


def _state_text(found: EngineInterpreter, *, saved: bool) -> str:
    """What is known of a Python without starting it."""
    values = {"python": found.python, "source": translated(found.source)}
    if not found.whole:
        return tr(
            "Not usable, as far as its files tell: {python}, from {source}, has no PyTorch. 'Check' starts it and tells for sure.", **values
        )
    text = tr("In use: {python}, from {source}.", **values) if saved else tr("Will be used after OK: {python}, from {source}.", **values)
    return f"{text} {tr('No engine is installed in it, so it runs the one that came with the plugin.')}" if found.carried else text


def _kept_text(state: Optional[dict[str, Any]], *, busy: bool) -> str:
    """What the engine that stays holds."""
    if busy:
        return tr("It is at work.")
    if state is None:
        return tr("None is there now. After a run it stays for a while, so that the next one begins at once; it ends with QGIS.")
    values = {"memory": state["memory_mb"], "checkpoint": state["checkpoint"], "points": state["gallery_points"]}
    if not state["checkpoint"]:
        return tr("It takes {memory:,} MB of memory.", **values)
    if not state["gallery_points"]:
        return tr("It takes {memory:,} MB of memory and holds checkpoint {checkpoint}.", **values)
    return tr("It takes {memory:,} MB of memory and holds checkpoint {checkpoint} and an area of {points:,} grid points.", **values)


def _row(*buttons: QPushButton) -> QHBoxLayout:
    row = QHBoxLayout()
    for button in buttons:
        row.addWidget(button)
    row.addStretch(1)
    return row
