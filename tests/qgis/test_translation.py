"""The windows in German: every word has its translation, with the same values in it, and QGIS shows them."""

from __future__ import annotations

import importlib.util
import re
import string

import pytest
from qgis.core import QgsProject
from qgis.PyQt.QtCore import QCoreApplication

from tests.qgis.common import ROOT, desktop_with_plugin
from vidtag_qgis import translation

pytestmark = pytest.mark.qgis


def tool():
    specification = importlib.util.spec_from_file_location("make_translations", ROOT / "tools" / "make_translations.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


TOOL = tool()
FILES = sorted(TOOL.FOLDER.glob("vidtag_*.ts"))


def fields(text: str) -> list[tuple]:
    return sorted((name, form) for _, name, form, _ in string.Formatter().parse(text) if name is not None)


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_every_word_is_translated_with_the_same_values_in_it(path):
    known = TOOL.translations(path)
    assert list(known) == TOOL.words()  # else run tools/make_translations.py
    for source, text in known.items():
        assert text, source
        assert fields(text) == fields(source), source
        assert source.endswith("…") == text.endswith("…"), source
        assert bool(re.search(r"[.:]$", source)) == bool(re.search(r"[.:]$", text)), source


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_what_qt_reads_is_what_people_wrote(qgis_app, path):
    translator = translation.install(path.stem.removeprefix("vidtag_"))
    assert translator is not None
    try:
        for source, text in TOOL.translations(path).items():
            assert QCoreApplication.translate(translation.CONTEXT, source) == text
    finally:
        translation.remove(translator)
    assert translation.tr("Run") == "Run"


def test_a_language_that_nobody_has_translated_is_english(qgis_app):
    assert translation.install("tlh") is None
    assert translation.install("en_GB") is None


def test_a_german_qgis_shows_a_german_workbench(qgis_processing, engine_here, monkeypatch):
    from qgis.core import QgsApplication

    monkeypatch.setattr(QgsApplication, "locale", staticmethod(lambda: "de_AT"))
    desktop = desktop_with_plugin()
    try:
        [action] = [one for one in desktop.tools if one.text() == "VidTAG-Werkbank"]
        action.trigger()
        dock = desktop.plugin._actions.dock
        assert [dock.tabs.tabText(number) for number in range(dock.tabs.count())] == [
            "Verorten",
            "Bilder prüfen",
            "Berichtigen",
            "Landmarken",
            "Zeigen",
        ]
        dock.run_panel.run_button.click()
        assert dock.run_panel.message_label.text().startswith("Geben Sie mindestens ein Video")
    finally:
        desktop.plugin.unload()
        QgsProject.instance().clear()
    assert translation.tr("Run") == "Run"
