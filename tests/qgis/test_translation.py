"""QGIS in German: every text has its translation, with the same values in it, and QGIS shows them."""

from __future__ import annotations

import importlib.util
import re
import shutil
import string
import subprocess
import xml.etree.ElementTree as ET

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
IDS = [path.stem for path in FILES]
ENDINGS = re.compile(r"([.:?…]|[.?]\))\Z")


@pytest.fixture
def german(qgis_app):
    """The German translation in use."""
    translator = translation.install("de")
    yield
    translation.remove(translator)


def fields(text: str) -> list[tuple]:
    return sorted((name, form) for _, name, form, _ in string.Formatter().parse(text) if name is not None)


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_the_file_has_what_is_shown_and_nothing_else(path):
    """Else run tools/make_translations.py."""
    chosen = TOOL.translations(path, TOOL.ENGINE_CONTEXT)
    assert list(TOOL.translations(path)) == TOOL.words()
    assert list(chosen) == TOOL.engine_words(set(chosen))
    assert [one.get("type") for one in ET.parse(path).getroot().iter("translation") if one.get("type")] == []


@pytest.mark.parametrize("context", [TOOL.CONTEXT, TOOL.ENGINE_CONTEXT])
@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_every_text_is_translated_with_the_same_values_in_it(path, context):
    for source, text in TOOL.translations(path, context).items():
        assert text, source
        if "{" in source and context == TOOL.ENGINE_CONTEXT:  # names of kinds that the engine puts in may be left out
            assert set(fields(text)) <= set(fields(source)), source
        elif "{" in source:
            assert fields(text) == fields(source), source
        if context == TOOL.CONTEXT:
            assert source.endswith("…") == text.endswith("…"), source
            assert bool(ENDINGS.search(source)) == bool(ENDINGS.search(text)), source
            assert source.count("\n\n") == text.count("\n\n"), source


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_no_translation_has_quotes_of_english_or_two_spaces(path):
    for source, text in [*TOOL.translations(path).items(), *TOOL.translations(path, TOOL.ENGINE_CONTEXT).items()]:
        assert "  " not in text.strip() or "  " in source, source
        assert text.count("„") == text.count("“"), source


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_what_qt_reads_is_what_people_wrote(qgis_app, path, tmp_path):
    translator = translation.install(path.stem.removeprefix("vidtag_"))
    assert translator is not None
    try:
        for context in (TOOL.CONTEXT, TOOL.ENGINE_CONTEXT):
            for source, text in TOOL.translations(path, context).items():
                assert QCoreApplication.translate(context, source) == text
    finally:
        translation.remove(translator)
    assert translation.tr("Run") == "Run"
    if lrelease := shutil.which("lrelease"):
        subprocess.run([lrelease, "-silent", str(path), "-qm", str(tmp_path / "made.qm")], check=True)
        assert (tmp_path / "made.qm").read_bytes() == path.with_suffix(".qm").read_bytes()


def test_a_language_that_nobody_has_translated_is_english(qgis_app):
    assert translation.install("tlh") is None
    assert translation.install("en_GB") is None


def test_values_may_stand_elsewhere_and_numbers_are_written_as_in_the_language(german):
    assert translation.tr("{count:,} roads near the line.", count=1234567) == "Straßen nahe der Linie: 1.234.567."
    assert translation.tr("Similarity {similarity:.2f}", similarity=0.5) == "Ähnlichkeit 0,50"
    assert translation.tr("{name} holds no such text", name="x") == "x holds no such text"


def test_in_english_numbers_stay_english(qgis_app):
    assert translation.tr("{count:,} roads near the line.", count=1234567) == "1,234,567 roads near the line."


@pytest.mark.parametrize(
    ("said", "german_text"),
    [
        ("The engine ended before it answered.", "Die Engine endete, bevor sie geantwortet hat."),
        (
            "a b.mp4 was left out: a b.mp4 is empty (0 bytes); copy the video again.",
            "a b.mp4 wurde weggelassen: a b.mp4 ist leer (0 Byte): Kopieren Sie die Datei noch einmal.",
        ),
        (  # two sentences, one after the other
            "The engine ended before it answered. Nothing is left to do.",
            "Die Engine endete, bevor sie geantwortet hat. Es bleibt nichts zu tun.",
        ),
        ("Nobody has chosen this sentence.", "Nobody has chosen this sentence."),
        ("", ""),
    ],
)
def test_the_engine_s_sentences_are_known_again(german, said, german_text):
    assert translation.translated(said) == german_text


def test_every_pattern_of_the_engine_s_sentences_is_known_again_with_its_values(german):
    """Each English pattern with values in it gives its own translation with the same values."""
    known = TOOL.translations(TOOL.FOLDER / "vidtag_de.ts", TOOL.ENGINE_CONTEXT)
    wrong = []
    for source, text in known.items():
        values = {name: f"v{number}" for number, (_, name, _, _) in enumerate(string.Formatter().parse(source)) if name}
        expected, said = text.format(**values) if values else text, source.format(**values) if values else source
        if translation.translated(said) != expected:
            wrong.append((source, translation.translated(said)))
    assert wrong == []


def test_the_engine_s_sentences_stay_where_nothing_is_translated(qgis_app):
    assert translation.translated("The engine ended before it answered.") == "The engine ended before it answered."


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
