""" "Guess city" with the real engine: what it answers, what it refuses, the layer of likely places and what follows it."""

from __future__ import annotations

import itertools
import json
import shutil
import sqlite3
import time
from pathlib import Path

import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextScope,
    QgsGeometry,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsProcessing,
    QgsProcessingException,
    QgsProcessingModelAlgorithm,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingUtils,
    QgsProject,
    QgsSettings,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtWidgets import QApplication

from tests.qgis.common import Told, a_second_s, algorithm_of, context_of, desktop_with_plugin, layer_of, problem_of, qgis_run, run, workers
from vidtag_qgis import guessed_places, layers, settings
from vidtag_qgis.compat import is_null
from vidtag_qgis.engine import _video_line
from vidtag_qgis.engine_client.file_marks import own_kind

pytestmark = pytest.mark.qgis
ROOT = Path(__file__).resolve().parent.parent.parent
AVILA = (159.932, -19.220)
COLUMNS = ["video", "sha256", "level", "rank", "name", "city", "state", "country", "continent", "probability", "known", "why"]


@pytest.fixture(autouse=True)
def clean_project(qgis_processing):
    QgsProject.instance().clear()
    yield
    QgsProject.instance().clear()


def given(inputs: Path, folder: Path, *videos: str, **more) -> dict:
    names = [str(inputs / video) for video in videos or ("a.mp4",)]
    return {
        "VIDEOS": names,
        "CHECKPOINT": str(inputs / "cities"),
        "OUTPUT": str(folder / "all.gpkg"),
        "PLACES": str(folder / "likely.gpkg"),
        **more,
    }


def rows(path: str | Path, layer: str = "") -> list[dict]:
    return [
        {name: None if is_null(value) else value for name, value in feature.attributeMap().items()}
        for feature in layer_of(path, layer).getFeatures()
    ]


@pytest.mark.slow
def test_the_city_of_a_video_and_its_area(plugin, engine_here, inputs, tmp_path):
    told = Told()
    results = run(algorithm_of("guesscity"), given(inputs, tmp_path), told)
    assert (results["CITY"], results["KNOWN"], results["COUNT"], results["VIDEO_COUNT"]) == ("Avila", True, 1, 1)
    assert (results["UNKNOWN_COUNT"], results["SKIPPED_COUNT"], results["UNKNOWN_REASON"]) == (0, 0, "")
    assert 0.9 < results["PROBABILITY"] <= 1.0
    places = layer_of(results["PLACES"])
    assert [field.name() for field in places.fields()] in (COLUMNS, ["fid", *COLUMNS])
    [place] = places.getFeatures()
    assert place["probability"] == pytest.approx(results["PROBABILITY"], abs=1e-6)
    assert [place[name] for name in ("video", "level", "rank", "name", "city", "state", "country", "continent", "known")] == [
        "a.mp4", "city", 1, "Avila", "Avila", "North", "Isle", "Ocean", True,
    ]  # fmt: skip
    assert place.geometry().contains(QgsGeometry.fromWkt(f"POINT({AVILA[0]} {AVILA[1]})"))
    assert place.geometry().boundingBox().width() < 0.01  # 300 m about it
    whole = rows(tmp_path / "all.gpkg", "places")
    assert layer_of(results["RESULT_PLACES"].split("|")[0], "places").featureCount() == len(whole) == 7
    for level, count in (("city", 3), ("state", 2), ("country", 1), ("continent", 1)):
        mine = [row for row in whole if row["level"] == level]
        assert [row["rank"] for row in mine] == list(range(1, count + 1))
        assert sum(row["probability"] for row in mine) == pytest.approx(1.0)
    assert (own_kind(tmp_path / "all.gpkg"), own_kind(tmp_path / "likely.gpkg")) == ("places", "layer")
    assert {"Reading the checkpoint.", "Reading a.mp4."} <= set(told.said)
    assert any(line.startswith("a.mp4: Avila 97 %, ") for line in told.said), told.said
    assert told.fractions == sorted(told.fractions)
    assert told.fractions[-1] == 100
    run(algorithm_of("guesscity"), given(inputs, tmp_path, LEVEL="state", MOST=0.99))  # its own files are replaced
    assert [(row["level"], row["name"]) for row in rows(tmp_path / "likely.gpkg")] == [("state", "North"), ("state", "South")]


@pytest.mark.slow
def test_a_video_of_no_known_city_has_no_place_and_is_said_to_be(plugin, engine_here, inputs, tmp_path):
    told = Told()
    results = run(algorithm_of("guesscity"), given(inputs, tmp_path, "long.mp4", FROM=6, TO=12), told)
    assert (results["CITY"], results["PROBABILITY"], results["KNOWN"], results["COUNT"]) == ("", None, False, 0)
    assert results["UNKNOWN_COUNT"] == 1
    assert layer_of(results["PLACES"]).featureCount() == 0
    reason = "None of the 3 cities that this checkpoint knows: of their videos less than 0.01 % look so foreign."
    assert results["UNKNOWN_REASON"] == reason
    assert f"long.mp4: {reason}" in told.said
    assert "long.mp4: of no known city." in told.said
    whole = rows(tmp_path / "all.gpkg", "places")
    assert {(row["known"], row["probability"], row["why"]) for row in whole} == {(False, None, reason)}
    then = {
        "VIDEOS": [str(inputs / "long.mp4")],
        "AOI": results["PLACES"],
        "CHECKPOINT": str(inputs / "checkpoint"),
        "OUTPUT": str(tmp_path / "r.gpkg"),
    }
    with pytest.raises(QgsProcessingException, match="no polygon"):  # in a model the next step says so
        algorithm_of("geolocatevideo").run(then, context_of(), Told(), {}, False)


@pytest.mark.slow
def test_what_is_not_rated_has_no_number_that_stops_an_expression(plugin, engine_here, inputs, tmp_path):
    told = Told()
    results = run(algorithm_of("guesscity"), given(inputs, tmp_path, CHECKPOINT=str(inputs / "unrated")), told)
    assert (results["CITY"], results["KNOWN"], results["PROBABILITY"]) == ("Avila", True, None)
    assert results["COUNT"] == 3  # in order, as nothing says how many are enough
    assert any(line.startswith("a.mp4: Avila, ") and line.endswith("not rated.") for line in told.said), told.said
    assert any(line.startswith("Not rated: too few videos were held out") for line in told.said)
    assert [row["probability"] for row in rows(tmp_path / "likely.gpkg")] == [None] * 3
    context, scope = QgsExpressionContext(), QgsExpressionContextScope()
    scope.setVariable("Guess_city_PROBABILITY", results["PROBABILITY"])
    context.appendScope(scope)
    for text, wanted in (("if(@Guess_city_PROBABILITY > 0.5, 'sure', 'not')", "not"), ("coalesce(@Guess_city_PROBABILITY, 7)", 7)):
        expression = QgsExpression(text)
        assert expression.evaluate(context) == wanted
        assert not expression.hasEvalError()


@pytest.mark.slow
def test_several_videos_one_of_them_damaged(plugin, engine_here, inputs, tmp_path):
    folder = tmp_path / "videos"
    (folder / "below").mkdir(parents=True)
    shutil.copy(inputs / "b é.mp4", folder / "below")
    (folder / "broken.mp4").write_bytes(b"no video")
    told = Told()
    more = {
        "FOLDER": str(folder),
        "TO": 6,
        "PLACES": QgsProcessing.TEMPORARY_OUTPUT,
        "OUTPUT_CRS": QgsCoordinateReferenceSystem("EPSG:3857"),
    }
    context = context_of()
    results = run(algorithm_of("guesscity"), given(inputs, tmp_path, "long.mp4", "a.mp4", **more), told, context)
    assert (results["VIDEO_COUNT"], results["SKIPPED_COUNT"], results["UNKNOWN_COUNT"], results["COUNT"]) == (3, 1, 1, 2)
    assert results["CITY"] == "Avila"  # of the first that is of a known one
    assert results["UNKNOWN_REASON"].startswith("long.mp4: None of the 3 cities")
    assert any(line.startswith("broken.mp4 was left out: ") for line in told.said)
    places = QgsProcessingUtils.mapLayerFromString(results["PLACES"], context)
    assert [(row["video"], row["name"]) for row in places.getFeatures()] == [("a.mp4", "Avila"), ("b é.mp4", "Berga")]
    assert places.crs().authid() == "EPSG:3857"
    moved = QgsCoordinateTransform(places.crs(), QgsCoordinateReferenceSystem("EPSG:4326"), QgsProject.instance())
    assert moved.transformBoundingBox(next(places.getFeatures()).geometry().boundingBox()).contains(*AVILA)


def made_up(path: Path, *videos: list[float | None], known: bool = True) -> Path:
    """A file with the cities of videos alone."""
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE places (fid INTEGER PRIMARY KEY, level TEXT, rank INTEGER, probability REAL, known BOOLEAN)")
        for video in videos:
            database.execute("INSERT INTO places (level, rank, probability, known) VALUES ('state', 1, 1.0, ?)", (known,))
            for rank, probability in enumerate(video, 1):
                database.execute(
                    "INSERT INTO places (level, rank, probability, known) VALUES ('city', ?, ?, ?)", (rank, probability, known)
                )
    return path


@pytest.mark.parametrize("share", [0.01, 0.5, 0.55, 0.9, 0.95, 1.0])
def test_the_likely_places_are_the_fewest(tmp_path, share):
    video = [0.5, 0.25, 0.15, 0.05, 0.02]
    chosen = guessed_places.likely_rows(str(made_up(tmp_path / "p.gpkg", video, video)), "city", share)
    # Judged by trying all sets: none with fewer places has as much.
    enough = [number for number in range(1, 6) for some in itertools.combinations(video, number) if sum(some) >= share - 1e-9]
    fewest = min(enough, default=5)
    assert chosen == [2 + number for number in range(fewest)] + [8 + number for number in range(fewest)]


def test_places_that_are_not_rated_are_all_taken_and_those_of_no_known_city_none(tmp_path):
    assert guessed_places.likely_rows(str(made_up(tmp_path / "n é.gpkg", [None] * 4)), "city", 0.9) == [2, 3, 4, 5]
    assert guessed_places.likely_rows(str(made_up(tmp_path / "u.gpkg", [None] * 4, known=False)), "city", 0.9) == []


@pytest.mark.slow
def test_cancelled_it_leaves_nothing(plugin, engine_here, inputs, tmp_path):
    told = Told(cancel_at="Reading long.mp4")
    folder = tmp_path / "new"
    with pytest.raises(QgsProcessingException, match="Cancelled; no places were written"):
        run(algorithm_of("guesscity"), given(inputs, folder, "long.mp4"), told)
    assert time.monotonic() - told.cancelled_s < a_second_s()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"VIDEOS": []}, "Give at least one video"),
        ({"VIDEOS": ["/no/such.mp4"]}, "video /no/such.mp4 is not there"),
        ({"CHECKPOINT": "/no/such"}, "checkpoint /no/such is not there"),
        ({"CHECKPOINT": "geoclip"}, "geoclip tells places and no cities: give a folder that train-city wrote"),
        ({"CHECKPOINT": "{inputs}/checkpoint"}, "is one for 'Geolocate video' and tells no cities: give a folder that train-city wrote"),
        ({"CHECKPOINT": "{inputs}"}, "has no config.json: give a folder that train-city wrote"),
        ({"CHECKPOINT": "{inputs}/damaged"}, "card config.json in"),
        ({"CHECKPOINT": "{inputs}/a.gpx"}, "is not a .safetensors file"),
        ({"FROM": 5, "TO": 2}, "The stretch ends at 2 s, before it begins"),
        ({"OUTPUT": "/tmp/x.shp"}, "must end in .gpkg"),
        ({"OUTPUT": "/tmp/x.gpkg", "PLACES": "/tmp/x.gpkg"}, "All guessed places and Likely places go to the same file"),
        ({"OUTPUT": "/etc/passwd/new/p.gpkg"}, "/etc/passwd is no folder"),
        ({"MOST": 0}, "Probability that they have together|MOST"),
        ({"MOST": 1.5}, "Probability that they have together|MOST"),
        ({"LEVEL": "village"}, "Likely places are|LEVEL"),
    ],
)  # fmt: skip
def test_bad_parameters_are_refused_with_a_sentence(plugin, engine_here, inputs, tmp_path, more, said):
    damaged = inputs / "damaged"
    damaged.mkdir(exist_ok=True)
    (damaged / "config.json").write_text("[")
    (damaged / "model.safetensors").write_text("")
    more = {name: value.format(inputs=inputs) if isinstance(value, str) else value for name, value in more.items()}
    problem = problem_of("guesscity", {**given(inputs, tmp_path), **more})
    assert any(word in problem for word in said.split("|")), problem
    assert not list(tmp_path.iterdir())


def test_what_only_the_engine_sees_is_one_sentence_too(plugin, engine_here, inputs, tmp_path):
    with pytest.raises(QgsProcessingException, match=r"is no CityGuessr checkpoint: give one that 'vidtag train-city' wrote\.$"):
        run(algorithm_of("guesscity"), given(inputs, tmp_path, CHECKPOINT=str(inputs / "checkpoint" / "model.safetensors")))
    area = {"VIDEOS": [str(inputs / "a.mp4")], "EXTENT": "159.93,159.934,-19.222,-19.218", "CHECKPOINT": str(inputs / "cities")}
    with pytest.raises(QgsProcessingException, match="tells cities, not places in a street: give it to 'Guess city'"):
        run(algorithm_of("geolocatevideo"), {**area, "OUTPUT": str(tmp_path / "r.gpkg")})
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".gpkg"]


def test_offline_nothing_is_fetched(plugin, engine_here, inputs, tmp_path, monkeypatch):
    monkeypatch.delenv("VIDTAG_OFFLINE", raising=False)
    settings.set_offline(True)
    try:
        with pytest.raises(QgsProcessingException, match="works offline"):
            run(algorithm_of("guesscity"), given(inputs, tmp_path, CHECKPOINT="nobody/nothing"))
    finally:
        QgsSettings().remove(settings.OFFLINE)


@pytest.mark.slow
def test_the_engine_stays_for_the_next_run(qgis_processing, engine_here, inputs, tmp_path):
    desktop = desktop_with_plugin()
    try:
        run(algorithm_of("guesscity"), given(inputs, tmp_path))
        [first] = workers()
        run(algorithm_of("guesscity"), given(inputs, tmp_path))
        assert workers() == [first]
    finally:
        desktop.plugin.unload()


@pytest.mark.slow
def test_without_a_window(headless, inputs, tmp_path):
    words = [f"VIDEOS={inputs}/a.mp4", f"CHECKPOINT={inputs}/unrated", f"OUTPUT={tmp_path}/all.gpkg", f"PLACES={tmp_path}/likely.gpkg"]
    status, results, text = qgis_run.run([*words, "LEVEL=country"], headless, "vidtag:guesscity")
    assert status == 0, text
    assert (results["CITY"], results["KNOWN"], results["COUNT"], results["PROBABILITY"]) == ("Avila", True, 1, None)
    assert [row["name"] for row in rows(tmp_path / "likely.gpkg")] == ["Isle"]


def test_the_log_says_the_likeliest_three():
    cities = [{"name": name, "probability": share} for name, share in (("A", 0.996), ("B", 0.5), ("C", 0.004), ("D", 0.1))]
    said = {"name": "a.mp4", "known": True, "rated": True, "levels": {"city": cities}}
    assert _video_line(said) == "a.mp4: A >99 %, B 50 %, C <1 %."
    assert _video_line({**said, "known": False}) == "a.mp4: of no known city."


@pytest.mark.slow
def test_the_sample_model_guesses_and_locates_there(plugin, engine_here, inputs, tmp_path):
    model = QgsProcessingModelAlgorithm()
    assert model.fromFile(str(ROOT / "resources" / "models" / "guess_then_locate.model3"))
    assert model.validate()[0], model.validate()[1]
    assert set(model.childAlgorithms()) == {"guess", "locate"}
    model = model.create()
    outputs = {parameter.description(): parameter.name() for parameter in model.destinationParameterDefinitions()}
    assert set(outputs) == {"All guessed places", "Likely places", "Result", "Trajectory"}
    parameters = {
        "videos": [str(inputs / "a.mp4")], "cities": str(inputs / "cities"), "checkpoint": str(inputs / "checkpoint"), "resolution": 100,
        outputs["All guessed places"]: str(tmp_path / "all.gpkg"), outputs["Result"]: str(tmp_path / "r.gpkg"),
        outputs["Trajectory"]: str(tmp_path / "lines.gpkg"), outputs["Likely places"]: QgsProcessing.TEMPORARY_OUTPUT,
    }  # fmt: skip
    context = context_of()
    assert model.checkParameterValues(parameters, context) == (True, "")
    _, done = model.run(parameters, context, Told(), {}, False)
    assert done
    assert layer_of(tmp_path / "lines.gpkg").featureCount() == 5
    [city] = [feature.geometry() for feature in layer_of(tmp_path / "all.gpkg", "places").getFeatures() if feature["name"] == "Avila"]
    frames = list(layer_of(tmp_path / "r.gpkg", "frames").getFeatures())
    assert len(frames) == 6
    assert all(city.buffer(1e-6, 4).contains(frame.geometry()) for frame in frames)
    # Without the layer between the steps QGIS would leave out the area, too, and all would be searched.
    del parameters[outputs["Likely places"]]
    assert not model.checkParameterValues(parameters, context)[0]


@pytest.fixture
def styled(plugin, engine_here, inputs, tmp_path, monkeypatch):
    """The layer of likely places as Processing's dialog loads it."""
    from processing.gui import Postprocessing

    monkeypatch.setattr(Postprocessing, "iface", None, raising=False)

    def loaded(**more) -> QgsVectorLayer:
        context, algorithm = context_of(), algorithm_of("guesscity")
        sink = QgsProcessingOutputLayerDefinition(str(tmp_path / "likely.gpkg"), QgsProject.instance())
        parameters = given(inputs, tmp_path, "a.mp4", "b é.mp4", **{"MOST": 1.0, **more, "PLACES": sink})
        run(algorithm, parameters, context=context)
        assert Postprocessing.handleAlgorithmResults(algorithm, context, Told(), parameters=parameters)
        QApplication.processEvents()
        [layer] = QgsProject.instance().mapLayersByName("Likely places")
        return layer

    return loaded


def classes(layer: QgsVectorLayer) -> dict[tuple[str, str], list[str]]:
    """By video and name of a place, the rules that draw it."""
    found = {}
    context = layer.createExpressionContext()
    for feature in layer.getFeatures():
        context.setFeature(feature)
        drawn = [
            rule.label()
            for rule in layer.renderer().rootRule().descendants()
            if rule.symbol() and QgsExpression(rule.filterExpression()).evaluate(context)
        ]
        found[feature["video"], feature["name"]] = drawn
    return found


@pytest.mark.slow
def test_the_loaded_layer_is_coloured_by_probability_and_says_it(styled):
    layer = styled()
    assert [rule.label() for rule in layer.renderer().rootRule().children() if rule.symbol() is None] == [
        "Probability that the video was taken here"
    ]
    assert classes(layer) == {
        ("a.mp4", "Avila"): ["80–100 %", "City"], ("a.mp4", "Cala"): ["0–20 %", "City"], ("a.mp4", "Berga"): ["0–20 %", "City"],
        ("b é.mp4", "Berga"): ["80–100 %", "City"], ("b é.mp4", "Cala"): ["0–20 %", "City"], ("b é.mp4", "Avila"): ["0–20 %", "City"],
    }  # fmt: skip
    first = next(layer.getFeatures())
    context = layer.createExpressionContext()
    context.setFeature(first)
    tip = QgsExpression.replaceExpressionText(layer.mapTipTemplate(), context)
    assert tip == "<b>Avila, North, Isle, Ocean</b><br>City, place 1 for a.mp4<br>Probability 97 %"
    assert layer.labelsEnabled()
    labels = [rule.settings() for rule in layer.labeling().rootRule().children()]
    assert [QgsExpression(one.fieldName).evaluate(context) for one in labels] == ["Avila 97 %"] * 2
    map_settings = QgsMapSettings()
    map_settings.setLayers([layer])
    map_settings.setDestinationCrs(layer.crs())
    map_settings.setExtent(first.geometry().boundingBox().buffered(0.002))
    map_settings.setOutputSize(QSize(300, 300))
    job = QgsMapRendererSequentialJob(map_settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    corner, inside = image.pixelColor(2, 2), image.pixelColor(150, 100)
    assert corner.name() == "#ffffff"
    assert inside.name() not in ("#ffffff", "#471365")  # a light fill: what lies below shows


@pytest.mark.slow
def test_levels_not_rated_and_unknown_look_different(styled, inputs):
    layer = styled(CHECKPOINT=str(inputs / "unrated"), LEVEL="state")
    assert set(map(tuple, classes(layer).values())) == {("Not rated", "State")}
    whole = layer_of(layer.source().replace("likely", "all").split("|")[0], "places")
    layers.finish(whole, "places")
    assert {of[1] for of in classes(whole).values()} == {"City", "State", "Country", "Continent"}
    known, why = (whole.fields().indexOf(name) for name in ("known", "why"))
    changed = {feature.id(): {known: False, why: "it is foreign"} for feature in whole.getFeatures()}
    assert whole.dataProvider().changeAttributeValues(changed)
    assert {of[0] for of in classes(whole).values()} == {"Of no known city; these are the nearest"}
    context = whole.createExpressionContext()
    context.setFeature(next(whole.getFeatures()))
    assert QgsExpression.replaceExpressionText(whole.mapTipTemplate(), context).endswith("Nearest alone: it is foreign")
    nameless = next(whole.getFeatures())
    for name in ("name", "city", "state", "country", "continent"):
        nameless[name] = "" if name == "name" else None
    context.setFeature(nameless)
    assert QgsExpression.replaceExpressionText(whole.mapTipTemplate(), context).startswith("<b>(no name)</b>")
    assert QgsExpression(whole.labeling().rootRule().children()[0].settings().fieldName).evaluate(context) == "(no name) ?"


def test_the_next_dialog_takes_the_likely_places_as_its_area(plugin, tmp_path):
    """The project's only layer of polygons."""
    from vidtag_qgis.algorithms.inputs import only_area

    layer = QgsVectorLayer("MultiPolygon?crs=EPSG:4326&field=probability:double", "Likely places", "memory")
    QgsProject.instance().addMapLayer(layer)
    assert only_area() == layer.id()


def test_its_page_and_its_model_are_shipped():
    assert "vidtag:guesscity" in (ROOT / "resources" / "help" / "guesscity.html").read_text(encoding="utf-8")
    assert json.dumps("vidtag:guesscity") in (ROOT / "resources" / "models" / "guess_then_locate.model3").read_text(encoding="utf-8")


@pytest.mark.slow
def test_geolocate_video_guesses_the_area_by_itself(plugin, engine_here, inputs, tmp_path):
    parameters = {
        "VIDEOS": [str(inputs / "a.mp4")], "CHECKPOINT": str(inputs / "checkpoint"), "RESOLUTION": 25, "RATE": 2, "OUTPUT": str(tmp_path / "r.gpkg"),
        "GUESS_AREA": True, "CITIES": str(inputs / "cities"),
    }  # fmt: skip
    told = Told()
    results = run(algorithm_of("geolocatevideo"), parameters, told)
    assert results["FRAME_COUNT"] > 0
    [video] = layer_of(tmp_path / "r.gpkg", "videos").getFeatures()
    assert video["area"].startswith("guessed: Avila")
    assert not any("No area is given" in text for text in told.said)
    assert any("Areas were guessed" in text for text in told.said)


def test_an_area_that_is_given_is_not_guessed(plugin, engine_here, inputs, tmp_path):
    asked = {
        "VIDEOS": [str(inputs / "a.mp4")], "CHECKPOINT": str(inputs / "checkpoint"), "OUTPUT": str(tmp_path / "r.gpkg"), "GUESS_AREA": True,
    }  # fmt: skip
    algorithm = algorithm_of("geolocatevideo")
    assert algorithm.checkParameterValues({**asked, "CITIES": str(inputs / "cities")}, context_of()) == (True, "")
    usable, text = algorithm.checkParameterValues({**asked, "EXTENT": "13,13.1,55,55.1 [EPSG:4326]"}, context_of())
    assert (usable, "untick 'Guess the area'" in text) == (False, True)
    usable, text = algorithm.checkParameterValues({**asked, "CITIES": str(inputs / "checkpoint")}, context_of())
    assert (usable, "tells no cities" in text) == (False, True)
