"""The options' page and the dialogs, offscreen: real widgets, real tasks, a real environment on a small engine."""

from __future__ import annotations

import subprocess

import pytest
from qgis import utils
from qgis.core import QgsField, QgsSettings
from qgis.PyQt.QtCore import QMetaType
from qgis.PyQt.QtGui import QGuiApplication
from qgis.PyQt.QtWidgets import QPushButton

from tests.qgis.common import Desktop, until
from vidtag_qgis import compat, engine, settings
from vidtag_qgis.engine_client.environment_plan import Package
from vidtag_qgis.gui import create_dialog, first_run, options, tasks
from vidtag_qgis.plugin import VidTAGPlugin

pytestmark = pytest.mark.qgis
BUSY_S = 400.0
"""An environment takes half a minute, and many times that on a machine that others keep busy."""


@pytest.fixture
def no_engine(monkeypatch, tmp_path):
    """A machine where the plugin was just installed."""
    for name in ("VIDTAG_ENGINE_PYTHON", "VIDTAG_ENGINE_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VIDTAG_CACHE", str(tmp_path / "cache"))
    yield tmp_path
    for key in ("Processing/Configuration/" + settings.ENGINE_PYTHON, settings.CACHE, settings.SCHEDULER):
        QgsSettings().remove(key)


def test_first_run_shows_one_panel_that_leads_to_the_settings(qgis_processing, no_engine):
    desktop = Desktop()
    plugin = VidTAGPlugin(desktop)
    plugin.initGui()
    try:
        assert until(lambda: desktop.bar.currentItem() is not None, 5)
        assert "not set up yet" in desktop.bar.currentItem().text()
        assert len(desktop.bar.items()) == 1
        [button] = [b for b in desktop.bar.currentItem().findChildren(QPushButton) if "Set up" in b.text()]
        button.click()
        assert desktop.opened == [options.PAGE]
        [factory] = desktop.factories
        page = factory.createWidget(desktop.window)
        assert page.objectName() == options.PAGE
        assert not factory.icon().isNull()
    finally:
        plugin.unload()
    assert desktop.factories == []


def test_where_there_is_an_engine_nothing_is_shown(qgis_processing, engine_here):
    assert first_run.show_where_missing(Desktop()) is False


def test_the_page_tells_what_is_missing_and_saves_what_is_chosen(qgis_processing, no_engine):
    page = options.EngineOptionsPage()
    assert "was not found" in page.state_label.text()
    assert not page.check_button.isEnabled()
    assert page.environment_box.count() == 0
    page.python_field.lineEdit().setText("/usr/bin/python3")  # as typed
    assert page.check_button.isEnabled()
    assert page.state_label.text().startswith("Not usable")
    assert "has no PyTorch" in page.state_label.text()
    page.python_field.lineEdit().setText("/no/such/python")
    assert "is not there: /no/such/python" in page.state_label.text()
    page.python_field.lineEdit().setText("")
    assert not page.check_button.isEnabled()
    chosen = no_engine / "python é"
    chosen.write_text("#!/bin/sh\necho broken >&2\nexit 3\n")
    chosen.chmod(0o755)
    page.python_field.setFilePath(str(chosen))
    page.check_button.click()
    assert until(lambda: "ended before it greeted" in page.report_view.toPlainText())
    assert page.state_label.text() == f"{chosen} does not run the engine: see below."
    assert settings.engine_python() == ""  # not before OK
    page.apply()
    assert engine.interpreter().python == str(chosen)
    assert "broken" in page.report_view.toPlainText()
    assert "Traceback" not in page.report_view.toPlainText()
    page.copy_button.click()
    assert QGuiApplication.clipboard().text().startswith("The engine in ")


def test_a_typed_cache_folder_is_kept(qgis_processing, no_engine):
    page = options.EngineOptionsPage()
    page.cache_field.lineEdit().setText(str(no_engine / "other é"))
    page.refresh()
    assert settings.chosen_cache() == ""
    page.apply()
    assert settings.chosen_cache() == str(no_engine / "other é")
    assert options.EngineOptionsPage().cache_field.filePath() == str(no_engine / "other é")


def test_the_schedulers_address_is_checked_and_kept(qgis_processing, no_engine, monkeypatch):
    desktop = Desktop()
    monkeypatch.setattr(utils, "iface", desktop)
    page = options.EngineOptionsPage()
    page.show()
    assert (page.scheduler_field.text(), page.isValid(), page.scheduler_label.isVisible()) == ("", True, False)
    assert "see the same files" in page.scheduler_field.toolTip()
    page.scheduler_field.setText("192.168.1.5:8786")
    assert (page.isValid(), page.scheduler_label.isVisible()) == (False, True)
    assert page.scheduler_label.text().startswith("'192.168.1.5:8786' is no address of a Dask scheduler: give one such as tcp://")
    page.apply()  # as QGIS 3.22 does, which asks no page whether it is valid
    assert settings.scheduler() == ""
    assert desktop.bar.currentItem().text().startswith("Not saved: '192.168.1.5:8786' is no address")
    page.scheduler_field.setText(" tcp://192.168.1.5:8786 ")
    assert (page.isValid(), page.scheduler_label.isVisible()) == (True, False)
    page.apply()
    assert settings.scheduler() == options.EngineOptionsPage().scheduler_field.text() == "tcp://192.168.1.5:8786"
    page.scheduler_field.setText("")
    page.apply()
    assert settings.scheduler() == ""


@pytest.mark.slow
def test_an_environment_that_a_checkout_made_runs_the_engine_that_came_along(qgis_processing, no_engine, engine_python):
    """As `make demo` leaves it: everything that the engine needs, and not the engine."""
    page = options.EngineOptionsPage()
    page.python_field.lineEdit().setText(engine_python)
    assert page.state_label.text().startswith(f"Will be used after OK: {engine_python}")
    assert "runs the one that came with the plugin" in page.state_label.text()
    page.check_button.click()
    assert until(lambda: "torch: " in page.report_view.toPlainText(), 180), page.report_view.toPlainText()
    page.apply()
    page.refresh()
    assert page.state_label.text().startswith("In use: ")


@pytest.mark.slow
def test_check_shows_the_doctors_report(qgis_processing, engine_here):
    page = options.EngineOptionsPage()
    page._check()
    assert not page.check_button.isEnabled()
    assert until(lambda: page.check_button.isEnabled(), 180)
    text = page.report_view.toPlainText()
    assert "torch: " in text
    assert "Device: cpu" in text
    assert "QGIS 3." in text


@pytest.fixture
def small(no_engine, engine_python, monkeypatch):
    """The dialog's plan, for a small engine from a folder of wheels."""
    wheels, source = no_engine / "wheels ü", no_engine / "source"
    (source / "vidtag_engine").mkdir(parents=True)
    maker = """
import importlib.metadata, re, sys, zipfile
from pathlib import Path
queue, seen, folder = ["pip", "hatchling", "setuptools"], set(), Path(sys.argv[1])
folder.mkdir()
while queue:
    one = importlib.metadata.distribution(queue.pop())
    if one.metadata["Name"] in seen: continue
    seen.add(one.metadata["Name"])
    queue += [re.match(r"[\\w.-]+", entry).group() for entry in one.requires or [] if ";" not in entry]
    plain = re.sub(r"[-.]+", "_", one.metadata["Name"])
    with zipfile.ZipFile(folder / f"{plain}-{one.version}-py3-none-any.whl", "w") as archive:
        for file in one.files:
            if ".." not in file.parts and "__pycache__" not in file.parts and file.name not in {"INSTALLER", "REQUESTED", "direct_url.json"}:
                archive.write(one.locate_file(file), str(file))
"""
    subprocess.run([engine_python, "-c", maker, str(wheels)], check=True)
    (source / "vidtag_engine" / "__init__.py").write_text('__version__ = "0.0.1"\n')
    (source / "vidtag_engine" / "worker.py").write_text(
        "import json, sys\nprint(json.dumps({'type': 'hello', 'protocol': 1, 'engine': '0.0.1'}), flush=True)\n"
        "message = json.loads(sys.stdin.readline())\n"
        "print(json.dumps({'type': 'result', 'id': message['id'], 'value': {'versions': {}, 'ok': True}}), flush=True)\n"
    )
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n[project]\nname = "vidtag-engine"\nversion = "0.0.1"\n'
        '[project.optional-dependencies]\ngeoclip = []\n[tool.hatch.build.targets.wheel]\npackages = ["vidtag_engine"]\n'
    )
    for module in (create_dialog, options):
        monkeypatch.setattr(module, "ENGINE_SOURCE", source)
    monkeypatch.setattr(create_dialog, "read_packages", lambda *_: (Package("small", "1", "MIT", 1.0, 2.0),))
    return wheels


@pytest.mark.slow
def test_the_dialog_makes_an_environment_and_the_page_removes_it(qgis_processing, small, no_engine, monkeypatch):
    """QGIS's event loop turns meanwhile; the dialog may be closed and opened again."""
    dialog = create_dialog.CreateEnvironmentDialog()
    assert not dialog.create_button.isEnabled()
    assert until(lambda: dialog.python_field.filePath() != "")
    dialog.wheels_field.setFilePath(str(small))
    dialog.agree_box.setChecked(True)
    assert dialog.create_button.isEnabled()
    dialog.flavour_field.setCurrentIndex(1)
    assert not dialog.agree_box.isChecked()  # another plan, another consent
    dialog.flavour_field.setCurrentIndex(0)
    dialog.agree_box.setChecked(True)
    dialog.create_button.click()
    assert dialog.stop_button.isEnabled()
    turns = []
    assert until(
        lambda: turns.append(1) or "Successfully installed" in dialog.log_view.toPlainText() or tasks.running_setup() is None, BUSY_S
    )
    assert tasks.running_setup() is not None, dialog.stage_label.text()
    assert len(turns) > 50
    dialog.stop_button.click()
    assert until(lambda: tasks.running_setup() is None)
    assert "goes on from there" in dialog.stage_label.text()

    page = options.EngineOptionsPage()
    assert "not finished" in page.environment_box.currentText()
    dialog.create_button.click()
    dialog.reject()  # closed: it goes on
    again = create_dialog.CreateEnvironmentDialog()
    assert again.stop_button.isEnabled()
    assert until(lambda: tasks.running_setup() is None, BUSY_S)
    assert "The engine is ready" in again.stage_label.text()
    assert again.progress_bar.value() == 1000
    page.refresh()
    assert "In use: " in page.state_label.text()
    assert "the managed environment" in page.state_label.text()

    monkeypatch.setattr(page, "ask", lambda *_: True)
    page.cache_field.setFilePath(str(no_engine / "new place"))
    page.move_button.click()
    assert until(lambda: settings.chosen_cache() == str(no_engine / "new place"))
    assert until(lambda: "new place" in page.state_label.text())
    page.remove_button.click()
    assert page.state_label.text().startswith("Removing ")
    assert until(lambda: page.environment_box.count() == 0)
    assert "was not found" in page.state_label.text()


def test_fields_of_every_kind():
    types = {
        "text": "QString",
        "integer": "Int",
        "long": "LongLong",
        "double": "Double",
        "boolean": "Bool",
        "date": "QDate",
        "datetime": "QDateTime",
    }
    for kind, name in types.items():
        field = compat.field("f", kind)
        assert isinstance(field, QgsField)
        assert int(field.type()) == int(getattr(QMetaType.Type, name))
    assert compat.field("f", "text", 20).length() == 20
    assert compat.action_class()("text", None).text() == "text"
    assert compat.is_null(None)
    assert not compat.is_null(0)


def test_proxy_of_qgis_is_read(no_engine):
    for name, value in (("proxyEnabled", True), ("proxyType", "HttpProxy"), ("proxyHost", "proxy.example"), ("proxyPort", "3128")):
        QgsSettings().setValue(f"proxy/{name}", value)
    try:
        from vidtag_qgis.engine_client.pip_run import proxy_variables

        assert proxy_variables(settings.proxy())["HTTPS_PROXY"] == "http://proxy.example:3128"
    finally:
        QgsSettings().remove("proxy")
