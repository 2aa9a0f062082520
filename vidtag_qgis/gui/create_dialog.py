"""The dialog that makes the engine's environment: what will be installed, consent, progress, log."""

from __future__ import annotations

import os
import sys
from typing import Any, Optional

from qgis.core import QgsTask
from qgis.gui import QgsCollapsibleGroupBox, QgsFileWidget
from qgis.PyQt.QtGui import QGuiApplication
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from .. import engine, settings
from ..engine_client import EngineError
from ..engine_client.environment_plan import CPU, CUDA, SetupPlan, read_packages, unpacked_mb
from ..engine_client.errors import EnvironmentSetupError
from ..engine_client.pip_run import UV_VERSION, fetch_python, proxy_variables
from ..engine_client.python_finder import StandalonePython, check_python, find_python, find_uv
from ..places import ENGINE_PACKAGES, ENGINE_SOURCE
from ..translation import filled, mark, tr, translated
from . import tasks

_COLUMNS = (mark("Package"), mark("Version"), mark("To fetch (MB)"), mark("On disk (MB)"), mark("Licence"))
_FLAVOURS = {CPU: mark("CPU: runs everywhere"), CUDA: mark("CUDA: for an NVIDIA graphics card")}

_FROM_PIP = mark(
    "{count} packages and VidTAG's own engine: about {fetch:.1f} GB to fetch from the package index of your pip, with its configuration, QGIS's proxy and "
    "your CA, and {disk:.1f} GB in {folder}. Versions and sizes are those measured on Linux; yours may differ a little."
)
_FROM_BOTH = mark(
    "{count} packages and VidTAG's own engine: about {fetch:.1f} GB to fetch from the package index of your pip, with its configuration, QGIS's proxy and "
    "your CA, and from {index}, and {disk:.1f} GB in {folder}. Versions and sizes are those measured on Linux; yours may differ a little."
)


class CreateEnvironmentDialog(QDialog):
    """Make, resume or update the managed environment. The work is a QGIS task: the dialog may be closed and opened again meanwhile."""

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("VidTAG: create the engine's environment"))
        self.resize(760, 680)
        self._python: Optional[StandalonePython] = None
        self._task: Optional[tasks.Setup] = None
        self._build()
        self._show_packages()
        running = tasks.running_setup()
        if running is not None:
            self._follow(running)
        else:
            self._find_python()

    def plan(self) -> SetupPlan:
        """What the fields say.

        Raises:
            EnvironmentSetupError: it cannot work; the sentence says why.
        """
        chosen = self.python_field.filePath().strip()
        if self._python is None or chosen not in {"", self._python.python}:
            self._python = (
                check_python(chosen, own_folders=engine.qgis_folders()) if chosen else find_python(own_folders=engine.qgis_folders())
            )
        wheels = self.wheels_field.filePath().strip()
        return SetupPlan(
            cache=settings.cache_folder(),
            python=self._python,
            source=str(ENGINE_SOURCE),
            flavour=self.flavour_field.currentData(),
            packages=read_packages(str(ENGINE_PACKAGES), self.flavour_field.currentData()),
            wheels=os.path.abspath(wheels) if wheels else None,
            torch_index=self.index_field.text().strip(),
            proxies={} if wheels else proxy_variables(settings.proxy()),
            own_folders=tuple(engine.qgis_folders()),
            offline=settings.offline(),
        )

    def _build(self) -> None:
        self.python_field = QgsFileWidget()
        self.python_field.lineEdit().setPlaceholderText(tr("Looking for a Python 3.11 or newer…"))
        self.flavour_field = QComboBox()
        for flavour, text in _FLAVOURS.items():
            if flavour == CPU or sys.platform != "darwin":
                self.flavour_field.addItem(tr(text), flavour)
        self.flavour_field.currentIndexChanged.connect(self._show_packages)
        form = QFormLayout()
        form.addRow(tr("Made from"), self.python_field)
        form.addRow(tr("PyTorch for"), self.flavour_field)
        self.table = QTableWidget(0, len(_COLUMNS))
        self.table.setHorizontalHeaderLabels([tr(column) for column in _COLUMNS])
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.verticalHeader().hide()
        self.uv_button = QPushButton(tr("Let uv fetch Python {UV_VERSION}", UV_VERSION=UV_VERSION))
        self.uv_button.setVisible(False)
        self.uv_button.clicked.connect(self._fetch_python)
        self.sum_label = QLabel()
        self.sum_label.setWordWrap(True)
        self.agree_box = QCheckBox(tr("I agree to fetch and install these packages under their licences"))
        self.agree_box.toggled.connect(self._enable)
        self.stage_label = QLabel()
        self.stage_label.setWordWrap(True)
        self.progress_bar = QProgressBar()
        self.progress_bar.setRange(0, 1000)
        self.log_view = QPlainTextEdit()
        self.log_view.setReadOnly(True)
        self.log_view.setMaximumBlockCount(5000)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self.uv_button)
        layout.addWidget(self._further())
        for widget, stretch in (
            (self.table, 3), (self.sum_label, 0), (self.agree_box, 0), (self.stage_label, 0), (self.progress_bar, 0), (self.log_view, 2),
        ):  # fmt: skip
            layout.addWidget(widget, stretch)
        layout.addWidget(self._buttons())

    def _further(self) -> QWidget:
        """What few need."""
        box = QgsCollapsibleGroupBox(tr("Without a network, or with another index"))
        box.setCollapsed(True)
        self.wheels_field = QgsFileWidget()
        self.wheels_field.setStorageMode(QgsFileWidget.StorageMode.GetDirectory)
        self.wheels_field.lineEdit().setPlaceholderText(tr("empty: the package index of your pip"))
        self.wheels_field.fileChanged.connect(self._show_packages)
        self.index_field = QLineEdit()
        self.index_field.setPlaceholderText(tr("empty: none. pytorch.org, 'Get started', shows the address for your choice"))
        self.index_field.textChanged.connect(self._show_packages)
        form = QFormLayout(box)
        form.addRow(tr("Folder of wheels"), self.wheels_field)
        form.addRow(tr("PyTorch's index"), self.index_field)
        return box

    def _buttons(self) -> QDialogButtonBox:
        self.create_button, self.stop_button, self.copy_button = (
            QPushButton(tr("Create")),
            QPushButton(tr("Stop")),
            QPushButton(tr("Copy log")),
        )
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        for button in (self.create_button, self.stop_button, self.copy_button):
            box.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        self.create_button.clicked.connect(self._create)
        self.stop_button.clicked.connect(self._stop)
        self.copy_button.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.log_view.toPlainText()))
        box.rejected.connect(self.reject)
        self.close_button = box.button(QDialogButtonBox.StandardButton.Close)
        self._enable()
        return box

    def _show_packages(self, *_: Any) -> None:
        """A change of what would be installed takes the consent back."""
        self.agree_box.setChecked(False)
        try:
            packages = read_packages(str(ENGINE_PACKAGES), self.flavour_field.currentData())
        except EnvironmentSetupError as error:
            self.sum_label.setText(translated(str(error)))
            return
        self.table.setRowCount(len(packages))
        for row, package in enumerate(packages):
            values = (
                package.name,
                package.version,
                *(filled("{size:.1f}", {"size": size}) for size in (package.download_mb, package.installed_mb)),
                package.licence,
            )
            for column, value in enumerate(values):
                self.table.setItem(row, column, QTableWidgetItem(value))
        self.table.resizeColumnsToContents()
        fetch, disk = (sum(getattr(package, name) for package in packages) / 1e3 for name in ("download_mb", "installed_mb"))
        wheels = self.wheels_field.filePath().strip()
        if os.path.isdir(wheels):
            disk = max(disk, unpacked_mb(wheels) / 1e3)
            self.sum_label.setText(
                tr(
                    "The packages that VidTAG's own engine needs, as the folder {wheels} has them: nothing is fetched. About {disk:.1f} GB in "
                    "{cache_folder}. The folder decides which build of PyTorch it is; the table has those measured on Linux.",
                    wheels=wheels,
                    disk=disk,
                    cache_folder=settings.cache_folder(),
                )
            )
            return
        index = self.index_field.text().strip()
        told = {"count": len(packages), "fetch": fetch, "disk": disk, "folder": settings.cache_folder(), "index": index}
        self.sum_label.setText(tr(_FROM_BOTH if index else _FROM_PIP, **told))

    def _enable(self, *_: Any) -> None:
        running = self._task is not None
        self.create_button.setEnabled(not running and self.agree_box.isChecked())
        self.stop_button.setEnabled(running)
        self.close_button.setText(tr("Continue in the background") if running else tr("Close"))
        for widget in (self.python_field, self.flavour_field, self.wheels_field, self.index_field, self.agree_box):
            widget.setEnabled(not running)

    def _find_python(self) -> None:
        folders = engine.qgis_folders()
        self._finder = tasks.Call(tr("VidTAG: looking for a Python"), lambda _: find_python(own_folders=folders))
        self._finder.done.connect(self._found)
        tasks.start(self._finder)

    def _found(self, result: Any, error: Optional[EngineError]) -> None:
        if error is not None:
            self.stage_label.setText(translated(str(error)))
            self.python_field.lineEdit().setPlaceholderText(tr("none found: name one"))
            self.uv_button.setVisible(find_uv(os.environ) is not None)
            self.uv_button.setEnabled(True)
        elif not self.python_field.filePath():
            self._python = result
            self.python_field.setFilePath(result.python)
            self.uv_button.setVisible(False)
            self.stage_label.setText(tr("Found {text}.", text=result.text))

    def _fetch_python(self) -> None:
        uv, folders = find_uv(os.environ), engine.qgis_folders()
        if settings.offline():
            self.stage_label.setText(tr("VidTAG works offline, so nothing is fetched: install Python 3.11 or newer, and name it above."))
            return
        self.uv_button.setEnabled(False)
        self.stage_label.setText(tr("uv is fetching a Python…"))

        def fetch(task: QgsTask) -> StandalonePython:
            return fetch_python(uv or "uv", proxy_variables(settings.proxy()), folders, task.isCanceled)

        self._finder = tasks.Call(tr("VidTAG: fetching a Python"), fetch)
        self._finder.done.connect(self._found)
        tasks.start(self._finder)

    def _create(self) -> None:
        try:
            plan = self.plan()
        except EnvironmentSetupError as error:
            self.stage_label.setText(translated(str(error)))
            return
        self.log_view.clear()
        self._follow(tasks.start(tasks.Setup(plan, plan.agree())))

    def _follow(self, task: tasks.Setup) -> None:
        self._task = task
        self.log_view.setPlainText("\n".join(task.lines))
        self._said(*task.last)
        task.said.connect(self._said)
        task.logged.connect(self.log_view.appendPlainText)
        task.done.connect(self._done)
        self._enable()

    def _said(self, fraction: float, message: str) -> None:
        self.progress_bar.setValue(round(1000 * fraction))
        self.stage_label.setText(translated(message))

    def _done(self, result: Any, error: Optional[EngineError]) -> None:
        self._task = None
        self._enable()
        self.stage_label.setText(translated(str(error)) if error is not None else tr("The engine is ready: {python}", python=result.python))

    def _stop(self) -> None:
        if self._task is not None:
            self.stage_label.setText(tr("Stopping…"))
            self._task.cancel()
