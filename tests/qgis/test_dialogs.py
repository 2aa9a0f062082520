"""What a person reads in the dialogs: plain words, what must be given, and everything within reach."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest
from qgis.core import QgsApplication, QgsProcessingParameterDefinition, QgsProject

from tests.qgis.common import SQUARE, Told, algorithm_of, context_of, polygons, problem_of, qgis_run
from vidtag_qgis.algorithms.inputs import Choice
from vidtag_qgis.provider import ALGORITHMS
from vidtag_qgis.wording import in_words

pytestmark = pytest.mark.qgis
ROOT = Path(__file__).resolve().parent.parent.parent
each = pytest.mark.parametrize("name", [kind.ID for kind in ALGORITHMS])
COMMAND_LINE = re.compile(r"--[a-z]|viterbi|\bhmm\b|equal-earth|latlon|\bvidtag\b|vidtag-|<[a-z]+>|&[a-z]+;")


@pytest.fixture(autouse=True)
def clean_project(qgis_processing):
    QgsProject.instance().removeAllMapLayers()
    yield
    QgsProject.instance().removeAllMapLayers()


@pytest.fixture
def dialog_of(plugin, engine_here, qgis_iface, monkeypatch):
    """Opens an algorithm's dialog."""
    from processing.gui.AlgorithmDialog import AlgorithmDialog
    from qgis.gui import QgsBrowserGuiModel

    browser, opened = QgsBrowserGuiModel(), []
    monkeypatch.setattr(qgis_iface, "browserModel", lambda: browser)

    def open_dialog(name: str):
        algorithm = QgsApplication.processingRegistry().createAlgorithmById(name if ":" in name else f"vidtag:{name}")
        dialog = AlgorithmDialog(algorithm)
        opened.append(dialog)
        dialog.show()
        QgsApplication.processEvents()
        return dialog

    yield open_dialog
    for dialog in opened:
        dialog.close()
        dialog.deleteLater()
    QgsApplication.processEvents()


@each
def test_plain_words_and_plain_text(plugin, name):
    algorithm = algorithm_of(name)
    texts = [algorithm.shortHelpString(), algorithm.shortDescription(), algorithm.displayName()]
    for parameter in algorithm.parameterDefinitions():
        texts += [parameter.description(), parameter.help(), *(parameter.options() if hasattr(parameter, "options") else [])]
    for text in texts:
        assert not COMMAND_LINE.search(text), text


def test_qgis_process_shows_no_tags(headless):
    done = subprocess.run(
        [qgis_run.qgis_process(), "help", "vidtag:geolocatevideo"], env=headless, capture_output=True, text=True, check=True, timeout=120
    )
    description = done.stdout.partition("Description\n")[2].partition("Arguments\n")[0].strip("-\n")
    assert not COMMAND_LINE.search(description)
    lines = [line for line in description.splitlines() if len(line) > 20]
    assert len(lines) == len(set(lines))


@each
def test_choices_take_keys_words_and_numbers(plugin, name):
    algorithm = algorithm_of(name)
    choices = [parameter for parameter in algorithm.parameterDefinitions() if isinstance(parameter, Choice)]
    for choice in choices:
        for number, (key, text) in enumerate(choice.words.items()):
            assert "," not in text  # QGIS would part it there
            for value in (key, text, number, str(number)):
                assert choice.checkValueIsAcceptable(value)
                assert algorithm.chosen({choice.name(): value}, choice.name(), context_of()) == key
        assert algorithm.chosen({}, choice.name(), context_of()) == next(iter(choice.words))
        assert not choice.checkValueIsAcceptable("no such")
    assert choices or name in {"checkengine", "referenceimages", "status"}


def test_what_must_be_given_is_not_called_optional(dialog_of):
    from qgis.PyQt.QtWidgets import QLabel

    shown = {label.text() for label in dialog_of("geolocatevideo").findChildren(QLabel)}
    for required in ("Videos (or a folder of them below)", "Checkpoint (folder, geoclip or none)", "Grid resolution (m)", "Result"):
        assert any(text.startswith(required) for text in shown), shown
        assert not any(text.startswith(required) and "optional" in text for text in shown)
    assert "Give at least one video, a folder" in problem_of("geolocatevideo", {"EXTENT": "1,2,1,2", "OUTPUT": "TEMPORARY_OUTPUT"})


def test_the_only_polygon_layer_is_preselected(dialog_of):
    def selected(name: str):
        return dialog_of(name).mainWidget().wrappers["AOI"].parameterValue()

    assert not selected("geolocatevideo")
    area = polygons(SQUARE)
    regions = polygons(SQUARE)
    regions.dataProvider().addAttributes([__import__("vidtag_qgis.compat").compat.field("aoi_share", "double")])
    regions.updateFields()
    for name in ("geolocatevideo", "gridgallery", "similarityheatmap"):
        value = selected(name)
        assert getattr(value, "source", value) in (area.id(), area.name()) or value == area.id(), value
    assert not selected("finetune")  # which knows its area by the tracks
    polygons(SQUARE)
    assert not selected("geolocatevideo")
    assert "Give an area of interest" in problem_of("gridgallery", {})  # it is the dialog's choice, never that of a script


@each
def test_no_label_pushes_the_buttons_out_of_sight(dialog_of, name):
    """At the width that QGIS opens a dialog with, and with a font in which its own fit."""
    from qgis.PyQt.QtWidgets import QGroupBox, QScrollArea

    def widths(one: str) -> tuple[int, int]:
        dialog = dialog_of(one)
        folded = dialog.findChild(QGroupBox, "grpAdvanced")
        if folded is not None:
            folded.setProperty("collapsed", False)
        QgsApplication.processEvents()
        area = max(dialog.mainWidget().findChildren(QScrollArea), key=lambda area: area.width())
        return area.widget().width(), area.viewport().width()

    needed, there = widths(name)
    assert needed <= max(there, widths("native:buffer")[0]), f"{needed} px in {there} px"


def engine_sentences() -> list[str]:
    """Every literal of the engine that names an option, but for the command line's own declarations."""
    found = []
    for path in (ROOT / "vidtag_engine").rglob("*.py"):
        if path.name.startswith("cli") or path.name in {"options.py", "terminal.py", "__main__.py"}:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                text = "".join(part.value if isinstance(part, ast.Constant) else "7" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
            else:
                continue
            if re.search(r"(?<![\w-])--[a-z]", text) and "``" not in text and " " in text:
                found.append(text)
    return found


def test_the_engines_sentences_are_put_in_the_dialogs_words(plugin):
    sentences = engine_sentences()
    assert len(sentences) > 20
    for kind in ALGORITHMS:
        words = algorithm_of(kind.ID).words()
        for sentence in sentences:
            said = words(sentence)
            assert not re.search(r"(?<![\w-])--(?!no-deps|upgrade|user)", said), said
    words = algorithm_of("geolocatevideo").words()
    assert words("add --overwrite to replace it.") == "add 'Overwrite' to replace it."
    assert words("give --from and --to the other way round") == "give 'From (s)' and 'To (s)' the other way round"
    assert words("with --keep-scores take --decoder hmm") == (
        "with 'Keep scores for pins' take 'Frames are located' 'All frames of a video together'"
    )
    assert words("train one with 'vidtag train'; run geolocate again") == "train one with 'Train for an area'; run 'Geolocate video' again"
    assert words("try them again with --retry-failed.") == "try them again with 'Try failed videos again'."
    assert words("leave out --cluster, or start it.") == "leave out 'Dask scheduler' in the options, or start it."
    assert words("pip install --no-deps geoclip==1.3.0.") == "pip install --no-deps geoclip==1.3.0."
    assert in_words("give --time-s 3", {}, {}) == "give 'time s' 3"


@pytest.mark.slow
def test_an_error_of_the_engine_is_shown_in_those_words(plugin, engine_here, inputs, tmp_path):
    from qgis.core import QgsProcessingException

    first = {
        "VIDEOS": [str(inputs / "a.mp4")], "EXTENT": "159.930,159.934,-19.222,-19.218 [EPSG:4326]", "CHECKPOINT": str(inputs / "checkpoint"),
        "RESOLUTION": 50, "RESUME": True, "OUTPUT": str(tmp_path / "o.gpkg"),
    }  # fmt: skip
    algorithm_of("geolocatevideo").run(first, context_of(), Told(), {}, False)
    with pytest.raises(QgsProcessingException, match="other settings.*'Overwrite'"):
        algorithm_of("geolocatevideo").run({**first, "RATE": 2}, context_of(), Told(), {}, False)


def test_parameters_that_are_folded_away_are_the_rare_ones(plugin):
    """What may destroy is folded, and off."""
    for kind in ALGORITHMS:
        algorithm = algorithm_of(kind.ID)
        overwrite = algorithm.parameterDefinition("OVERWRITE")
        if kind.ID in {"buildreferencedatabase", "status"}:  # a database is added to; a status writes nothing
            assert overwrite is None
            continue
        assert overwrite.defaultValue() is False
        assert overwrite.flags() & QgsProcessingParameterDefinition.Flag.FlagAdvanced


@pytest.mark.slow
def test_the_log_is_whole_sentences_each_once(plugin, engine_here, inputs, tmp_path):
    told = Told()
    values = {
        "VIDEOS": [str(inputs / "a.mp4"), str(inputs / "b é.mp4")], "EXTENT": "159.930,159.934,-19.222,-19.218 [EPSG:4326]",
        "CHECKPOINT": str(inputs / "checkpoint"), "RESOLUTION": 50, "OUTPUT": str(tmp_path / "o.gpkg"),
    }  # fmt: skip
    algorithm_of("geolocatevideo").run(values, context_of(), told, {}, False)
    assert len(told.said) == len(set(told.said)) >= 6
    for line in told.said:
        assert line[0].isupper() or line.startswith(("a.mp4", "b é.mp4"))
        assert line.endswith((".", "/index.html"))
    assert {"Reading a.mp4.", "Reading b é.mp4.", "Computing the candidate places."} <= set(told.said)


def test_every_stage_of_the_engine_has_a_sentence():
    from vidtag_qgis.wording import _STAGES, stage_text

    named = set()
    for path in (ROOT / "vidtag_engine").rglob("*.py"):
        if "datasets" not in path.parts and path.name not in {"on_dataset.py", "benchmark.py"}:
            calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
            told = [call.args[1] for call in calls if getattr(call.func, "attr", "") == "tell" and len(call.args) > 1]
            named |= {stage.value for stage in told if isinstance(stage, ast.Constant)}
    assert {"frames", "gallery", "search", "loading"} <= named
    assert named - {"fetching"} <= set(_STAGES)
    assert stage_text("fetching", "fetching GeoCLIP's weights") == "Fetching GeoCLIP's weights."
    assert stage_text("frames", "a: frame b.mp4: frame 3") == "Reading a: frame b.mp4."


@pytest.mark.slow
def test_a_whole_result_shows_the_videos_regions_and_in_time_the_frames_own(plugin, inputs):
    """All frames' regions at once would be a blot."""
    from qgis.core import QgsDateTimeRange, QgsExpressionContextUtils, QgsMapSettings, QgsRenderContext

    from tests.qgis.common import layer_of
    from vidtag_qgis import layers
    from vidtag_qgis.compat import is_null

    layer = layer_of(inputs / "a.gpkg", "regions")
    for styled in ("by the file", "by the plugin"):
        if styled == "by the plugin":
            layers.finish(layer, "regions")
        for temporal in (False, True):
            settings = QgsMapSettings()
            settings.setIsTemporal(temporal)
            if temporal:
                first = next(f["time"] for f in layer.getFeatures() if not is_null(f["frame_index"]))
                settings.setTemporalRange(QgsDateTimeRange(first, first.addSecs(1)))
            context = QgsRenderContext.fromMapSettings(settings)
            context.expressionContext().appendScopes(
                [*QgsExpressionContextUtils.globalProjectLayerScopes(layer), QgsExpressionContextUtils.mapSettingsScope(settings)]
            )
            renderer = layer.renderer().clone()
            renderer.startRender(context, layer.fields())
            drawn = []
            for feature in layer.getFeatures():
                context.expressionContext().setFeature(feature)
                drawn.append((is_null(feature["frame_index"]), renderer.willRenderFeature(feature, context)))
            renderer.stopRender(context)
            assert {(True, True), (False, False)} == set(drawn) if not temporal else {(True, False), (False, True)} == set(drawn)


def test_a_frame_has_one_number():
    from vidtag_qgis.frames import FrameRow
    from vidtag_qgis.gui.frame_dock import facts_of

    frame = FrameRow(feature_id=3, index=17, time_s=8.5, time="", state="located", confidence=0.5, point=None)
    assert facts_of(frame, 39).startswith("Frame 17 of 0 to 39 · 0:08.500")
