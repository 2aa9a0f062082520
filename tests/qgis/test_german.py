"""A German QGIS: nothing of the plugin is in English, nothing is cut off, and scripts and models work as in any other language."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from qgis.core import QgsApplication, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import QCoreApplication, QLocale, QTranslator
from qgis.PyQt.QtWidgets import QAbstractButton, QComboBox, QGroupBox, QLabel, QLineEdit, QPlainTextEdit, QTabWidget, QWidget

from tests.qgis.common import SQUARE, Told, algorithm_of, context_of, polygons, problem_of, qgis_run, run
from vidtag_qgis import layers, settings, translation
from vidtag_qgis.algorithms.inputs import Choice
from vidtag_qgis.places import STYLES
from vidtag_qgis.plugin import VidTAGPlugin
from vidtag_qgis.provider import ALGORITHMS

pytestmark = pytest.mark.qgis
WITH_TEXT, WITH_PLACEHOLDER = (QLabel, QAbstractButton), (QLineEdit, QPlainTextEdit)
NAMES = [kind.ID for kind in ALGORITHMS]
each = pytest.mark.parametrize("name", NAMES)
OF_QT = {"Close"}
"""Buttons of Qt itself, whose German comes with Qt and is not on every machine."""
ENGLISH = {source for source, text in translation.messages("de")[translation.CONTEXT].items() if source != text} - OF_QT
GERMAN = set(translation.messages("de")[translation.CONTEXT].values())


@pytest.fixture(scope="module")
def english(qgis_processing):
    """What scripts and models go by, as an English QGIS has it."""
    loaded = VidTAGPlugin(None)
    loaded.initProcessing()
    found = {name: interface(name) for name in NAMES}
    loaded.unload()
    return found


@pytest.fixture
def german(qgis_processing, english, engine_here, monkeypatch):
    """The plugin in a German QGIS, whose own German is loaded, too."""
    monkeypatch.setattr(QgsApplication, "locale", staticmethod(lambda: "de_DE"))
    QLocale.setDefault(QLocale("de_DE"))
    own = QTranslator()
    if own.load("qgis_de", QgsApplication.i18nPath()):
        QCoreApplication.installTranslator(own)
    loaded = VidTAGPlugin(None)
    loaded.initProcessing()
    yield loaded
    loaded.unload()
    QCoreApplication.removeTranslator(own)
    QLocale.setDefault(QLocale.c())
    QgsProject.instance().clear()


def interface(name: str) -> tuple:
    """Ids, names, kinds and keys of an algorithm."""
    algorithm = algorithm_of(name)
    parameters = [
        (one.name(), one.type(), int(one.flags()), list(one.words) if isinstance(one, Choice) else one.defaultValue())
        for one in algorithm.parameterDefinitions()
    ]
    return (algorithm.id(), algorithm.groupId(), parameters, [(one.name(), one.type()) for one in algorithm.outputDefinitions()])


def texts_of(widget: QWidget) -> list[str]:
    """All that is read in a window, tooltips and what stands in empty fields too."""
    found = [widget.windowTitle()]
    for one in widget.findChildren(QWidget):
        found.append(one.toolTip())
        if isinstance(one, WITH_TEXT):
            found.append(one.text())
        elif isinstance(one, QGroupBox):
            found.append(one.title())
        elif isinstance(one, WITH_PLACEHOLDER):
            found.append(one.placeholderText())
        elif isinstance(one, QComboBox):
            found += [one.itemText(number) for number in range(one.count())]
        elif isinstance(one, QTabWidget):
            found += [one.tabText(number) for number in range(one.count())]
    return [text.replace("&", "") for text in found if text]


def in_english(texts: list[str]) -> list[str]:
    """Texts of the plugin that are still in English; QGIS writes "[optional]" and the like behind a title."""
    return [text for text in texts if text in ENGLISH - GERMAN or text.partition(" [")[0] in ENGLISH - GERMAN]


def cut_off(widget: QWidget) -> list[str]:
    """Texts that have less room than they need."""
    found = []
    for one in [*widget.findChildren(QLabel), *widget.findChildren(QAbstractButton)]:
        if not one.isVisible() or not one.text() or "<" in one.text():
            continue
        wraps = isinstance(one, QLabel) and one.wordWrap()
        needs = one.heightForWidth(one.width()) if wraps else one.sizeHint().width()
        if needs > (one.height() if wraps else one.width()) + 1:
            found.append(f"{one.text()}: {needs} > {one.height() if wraps else one.width()}")
    return found


@each
def test_what_scripts_go_by_is_the_same(german, english, name):
    assert interface(name) == english[name]


@each
def test_an_algorithm_says_nothing_in_english(german, name):
    algorithm = algorithm_of(name)
    texts = [algorithm.displayName(), algorithm.shortDescription(), algorithm.shortHelpString()]
    for one in algorithm.parameterDefinitions():
        texts += [one.description(), one.help(), *(one.options() if isinstance(one, Choice) else [])]
    texts += [one.description() for one in algorithm.outputDefinitions()]
    assert in_english(texts) == []
    assert algorithm.displayName() in GERMAN


@each
def test_choices_take_keys_and_words_of_both_languages(german, name):
    algorithm = algorithm_of(name)
    for choice in [one for one in algorithm.parameterDefinitions() if isinstance(one, Choice)]:
        assert len(set(choice.options())) == len(choice.options())
        for number, (key, word) in enumerate(choice.words.items()):
            shown = choice.options()[number]
            assert shown == translation.tr(word)
            assert "," not in shown  # QGIS would part it there
            for value in (key, word, shown, number, str(number)):
                assert choice.checkValueIsAcceptable(value), value
                assert algorithm.chosen({choice.name(): value}, choice.name(), context_of()) == key
                assert choice.in_words(value) == shown


def test_an_english_qgis_takes_the_words_of_a_german_one(plugin):
    algorithm = algorithm_of("gridgallery")
    assert algorithm.chosen({"GRID": "In Grad wie in der Veröffentlichung"}, "GRID", context_of()) == "latlon"
    assert algorithm.parameterDefinition("GRID").checkValueIsAcceptable("In Grad wie in der Veröffentlichung")


@each
def test_its_dialog_is_german_and_nothing_is_cut(german, qgis_iface, monkeypatch, name):
    from processing.gui.AlgorithmDialog import AlgorithmDialog
    from qgis.gui import QgsBrowserGuiModel

    browser = QgsBrowserGuiModel()
    monkeypatch.setattr(qgis_iface, "browserModel", lambda: browser)
    dialog = AlgorithmDialog(algorithm_of(name))
    try:
        dialog.show()
        for box in dialog.findChildren(QGroupBox):  # "Advanced parameters"
            if hasattr(box, "setCollapsed"):
                box.setCollapsed(False)
        QgsApplication.processEvents()
        assert in_english(texts_of(dialog)) == []
        assert algorithm_of(name).displayName() in dialog.windowTitle()
        assert cut_off(dialog.mainWidget()) == []
    finally:
        dialog.close()
        dialog.deleteLater()
        QgsApplication.processEvents()


def test_the_options_and_the_dialog_for_the_environment_are_german(german, tmp_path, monkeypatch):
    from vidtag_qgis.gui.create_dialog import CreateEnvironmentDialog
    from vidtag_qgis.gui.options import EngineOptionsPage

    monkeypatch.setattr(settings, "chosen_cache", lambda: str(tmp_path))
    for window in (EngineOptionsPage(), CreateEnvironmentDialog()):
        window.resize(max(700, window.minimumSizeHint().width()), max(800, window.sizeHint().height()))
        window.show()
        QgsApplication.processEvents()
        assert in_english(texts_of(window)) == []
        assert cut_off(window) == []
        window.close()
        window.deleteLater()


def test_what_is_wrong_is_said_in_german(german, tmp_path):
    assert problem_of("geolocatevideo", {"OUTPUT": "TEMPORARY_OUTPUT"}).startswith("Geben Sie mindestens ein Video")
    given = {"VIDEOS": ["/no/such é.mp4"], "EXTENT": "1,2,1,2", "OUTPUT": "TEMPORARY_OUTPUT"}
    assert problem_of("geolocatevideo", given) == (
        "Das Video /no/such é.mp4 ist nicht da: Berichtigen Sie seinen Pfad, oder nehmen Sie es von der Liste."
    )
    wide = problem_of("gridgallery", {"EXTENT": "0,90,0,45 [EPSG:4326]", "RESOLUTION": 1})
    assert "höchstens 100.000.000" in wide
    other = tmp_path / "other.gpkg"
    other.write_bytes(b"somebody's")
    said = problem_of("gridgallery", {"EXTENT": "1,2,1,2", "RESOLUTION": 10000, "OUTPUT": str(other)})
    assert (
        said
        == (  # a sentence of the client, with the plugin's own words in it
            "other.gpkg gibt es schon, und es ist nicht die eigene Datei dieses Werkzeugs (Raster möglicher Orte). "
            "Wählen Sie eine andere Ausgabe, oder wählen Sie „Überschreiben“ (OVERWRITE=true), um sie zu ersetzen."
        )
    )


def test_a_run_tells_its_way_and_the_engine_s_refusal_in_german(german, inputs, tmp_path):
    area = polygons(SQUARE)
    given = {
        "VIDEOS": [str(inputs / "a.mp4")],
        "AOI": area.id(),
        "CHECKPOINT": str(inputs / "checkpoint"),
        "RESOLUTION": 30,
        "GRID": "equal-earth",
    }
    told = Told()
    results = run(algorithm_of("geolocatevideo"), {**given, "OUTPUT": str(tmp_path / "out é.gpkg")}, told)
    assert results["LOCATED_COUNT"] + results["WITHHELD_COUNT"] > 0
    text = "\n".join(told.said)
    assert "Gebiet und Checkpoint werden gelesen." in text
    assert "Verortet wird a.mp4." in text
    assert "Bildern verortet" in text
    assert in_english(told.said) == []


def test_qgis_process_works_the_same_in_a_german_environment(headless):
    """By ids, names and keys, and by the words of either language; what it says is German."""
    variables = {**headless, "LANG": "de_DE.UTF-8", "LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de"}
    counts = set()
    for grid in ("equal-earth", "Evenly spaced on the ground", "Gleichmäßig auf dem Boden"):
        command = [qgis_run.qgis_process(), "run", "vidtag:gridgallery", "--", "EXTENT=159.93,159.934,-19.222,-19.218 [EPSG:4326]"]
        done = subprocess.run(
            [*command, "RESOLUTION=25", f"GRID={grid}"], env=variables, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stderr
        assert "Mögliche Orte: " in done.stdout
        counts.add(next(line for line in done.stdout.splitlines() if line.startswith("COUNT")))
    assert len(counts) == 1
    done = subprocess.run(
        [*command, "RESOLUTION=25", "GRID=no such"], env=variables, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode != 0


@pytest.mark.parametrize("kind", [path.stem for path in sorted(STYLES.glob("*.qml"))])
def test_legends_are_german(german, kind):
    geometry = {"trajectory": "LineString", "matches": "LineString", "candidates": "LineString", "errors": "LineString"}.get(kind)
    geometry = geometry or ("Polygon" if kind in {"regions", "places", "videos", "gaps", "aoi"} else "Point")
    layer = QgsVectorLayer(f"{geometry}?crs=EPSG:4326", kind, "memory")
    layers.finish(layer, kind)
    assert in_english([one.label() for one in layer.renderer().legendSymbolItems()]) == []


def test_the_head_of_a_legend_names_the_radius_in_either_language(german, qgis_app):
    layer = QgsVectorLayer("Point?crs=EPSG:4326", "frames", "memory")
    layer.loadNamedStyle(str(STYLES / "frames.qml"))  # as a project that was made in English has it

    def head() -> str:
        return next(one.label() for one in layer.renderer().rootRule().children() if one.ruleKey().endswith("-question"))

    assert head().startswith("Probability")
    layers.say_radius(layer, "")
    assert head() == "Wahrscheinlichkeit, dass die Kamera innerhalb des Konfidenzradius um den Punkt war"


def test_nothing_of_the_language_stays_behind(qgis_app):
    assert translation.tr("Geolocate video") == "Geolocate video"
    assert Path(translation.I18N / "vidtag_de.qm").is_file()
