"""Several videos in one run: the folder of their results, its page, what goes on after a failure, a death or a cancel, and who does the work."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from qgis import utils
from qgis.core import QgsProcessingException, QgsSettings

from tests.qgis.common import Told, algorithm_of, context_of, desktop_with_plugin, layer_of, problem_of, run, workers
from vidtag_qgis import compat, engine, settings

pytestmark = pytest.mark.qgis
SMALL = "159.931,159.933,-19.221,-19.219 [EPSG:4326]"
ADDRESS = "tcp://192.168.1.5:8786"


@pytest.fixture
def scheduler():
    """An address in the options; what a test says of a network goes with it."""
    settings.set_scheduler(ADDRESS)
    yield ADDRESS
    for name in (settings.SCHEDULER, settings.OFFLINE):
        QgsSettings().remove(name)


def batch(inputs: Path, output: Path, *videos: str, **more: object) -> dict:
    return {
        "VIDEOS": [str(inputs / video) for video in videos], "EXTENT": SMALL, "CHECKPOINT": str(inputs / "checkpoint"), "RESOLUTION": 50, "RATE": 1,
        "OUTPUT": str(output), **more,
    }  # fmt: skip


def states_of(output: str | Path) -> dict[str, str]:
    return {str(row["video"]): str(row["state"]) for row in layer_of(output, "videos").getFeatures()}


@pytest.mark.slow
def test_a_batch_names_its_folder_and_its_page_and_a_single_video_has_none(plugin, engine_here, inputs, tmp_path):
    told, alone = Told(), Told()
    results = run(algorithm_of("geolocatevideo"), batch(inputs, tmp_path / "both é.gpkg", "a.mp4", "b é.mp4"), told)
    folder = tmp_path / "both é.results"
    assert results["RESULTS"] == str(folder)
    assert len(list(folder.glob("results/*/*.gpkg"))) == 2
    page = folder / "index.html"
    assert f"The batch's page: {page.as_uri()}" in told.said
    assert "b é.mp4" in page.read_text(encoding="utf-8")
    assert run(algorithm_of("geolocatevideo"), batch(inputs, tmp_path / "one.gpkg", "a.mp4"), alone)["RESULTS"] == ""
    assert not any("page" in line for line in alone.said)


@pytest.mark.slow
def test_what_failed_is_tried_again_when_that_is_asked_for(plugin, engine_here, inputs, tmp_path):
    """The video's size and time stay what they were, so that only the wish to try it again brings it back."""
    good = (inputs / "b é.mp4").read_bytes()
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(os.urandom(len(good)))
    os.utime(bad, (1_700_000_000, 1_700_000_000))
    given = {**batch(inputs, tmp_path / "o.gpkg", "a.mp4"), "VIDEOS": [str(inputs / "a.mp4"), str(bad)], "RESUME": True}
    told = Told()
    first = run(algorithm_of("geolocatevideo"), given, told)
    assert (first["SKIPPED_COUNT"], states_of(first["OUTPUT"])["bad.mp4"]) == (1, "failed")
    assert any(line.startswith("bad.mp4 was left out: ") for line in told.said)
    bad.write_bytes(good)
    os.utime(bad, (1_700_000_000, 1_700_000_000))
    assert run(algorithm_of("geolocatevideo"), given)["SKIPPED_COUNT"] == 1
    again = run(algorithm_of("geolocatevideo"), {**given, "RETRY_FAILED": True})
    assert (again["SKIPPED_COUNT"], again["VIDEO_COUNT"]) == (0, 2)
    assert "failed" not in states_of(again["OUTPUT"]).values()


class Killing(Told):
    """Ends the engine, as the system does for want of memory, when it hears a word."""

    def hear(self, text: str) -> None:
        super().hear(text)
        if text.startswith("a.mp4: ") and not self.cancelled_s:
            self.cancelled_s = 1.0
            [worker] = workers()
            os.kill(worker, signal.SIGKILL)


@pytest.mark.slow
def test_an_engine_that_dies_in_a_batch_is_started_again_and_goes_on(qgis_processing, engine_here, inputs, tmp_path):
    desktop = desktop_with_plugin()
    try:
        run(algorithm_of("geolocatevideo"), batch(inputs, tmp_path / "before.gpkg", "a.mp4"))  # the engine that stays
        told = Killing()
        results = run(algorithm_of("geolocatevideo"), batch(inputs, tmp_path / "o.gpkg", "a.mp4", "b é.mp4"), told)
        assert any("is started again, and goes on after 1 finished video" in line for line in told.said)
        assert [line.split(": ")[0] for line in told.said if "frames located" in line] == ["a.mp4", "b é.mp4"]  # each once
        assert set(states_of(results["OUTPUT"])) == {"a.mp4", "b é.mp4"}
        assert len(list(Path(results["RESULTS"]).glob("results/*/*.gpkg"))) == 2
    finally:
        desktop.plugin.unload()


@pytest.mark.slow
def test_without_an_engine_that_stays_the_log_says_where_finished_videos_are(plugin, engine_here, inputs, tmp_path):
    told = Killing()
    with pytest.raises(QgsProcessingException, match="ended before it answered"):
        run(algorithm_of("geolocatevideo"), batch(inputs, tmp_path / "o.gpkg", "a.mp4", "long.mp4"), told)
    assert told.said[-1] == f"1 finished video is kept in {tmp_path / 'o.gpkg'}"


@pytest.mark.slow
def test_a_cancelled_batch_says_what_is_kept_and_goes_on(plugin, engine_here, inputs, tmp_path):
    """The second video is in the folder, whether or not a merge came after it."""
    output = tmp_path / "o.gpkg"
    with pytest.raises(QgsProcessingException, match="2 finished videos are kept in ") as raised:
        run(algorithm_of("geolocatevideo"), batch(inputs, output, "a.mp4", "b é.mp4", "long.mp4"), Told(cancel_at="b é.mp4: "))
    place = str(raised.value).split(" kept in ")[1].split(", ")[0]
    assert place in {str(output), str(tmp_path / "o.results")}
    assert len(list(tmp_path.glob("o.results/results/*/*.gpkg"))) == 2
    assert not list(tmp_path.rglob(".vidtag-*"))
    told = Told()
    results = run(algorithm_of("geolocatevideo"), batch(inputs, output, "a.mp4", "b é.mp4", RESUME=True), told)
    assert (results["VIDEO_COUNT"], set(states_of(output))) == (2, {"a.mp4", "b é.mp4"})
    assert not any("frames located" in line for line in told.said)  # nothing was done again


def test_the_sentence_of_what_is_kept(plugin, tmp_path):
    """The result may lack what was finished since its last merge."""
    output, results = tmp_path / "o.gpkg", tmp_path / "o.results"
    assert engine.what_is_kept(["a.mp4"], str(output)) == ""
    with closing(sqlite3.connect(output)) as database, database:
        database.execute("CREATE TABLE videos (video TEXT)")
        database.execute("INSERT INTO videos VALUES ('a.mp4')")
    assert engine.what_is_kept([], str(output)) == ""
    assert engine.what_is_kept(["a.mp4"], str(output)) == f"1 finished video is kept in {output}"
    results.mkdir()
    said = engine.what_is_kept(["a.mp4", "b.mp4", "c.mp4"], str(output))
    assert said == (
        f"3 finished videos are kept in {results}, 1 of them so far in o.gpkg: run again with 'Go on from an existing result' (RESUME=true)."
    )


def asked(parameters: dict, monkeypatch) -> tuple[str | None, list[str]]:
    """The scheduler that the engine would be asked to use, and what is told before; the call is broken off then."""
    algorithm, told, heard = algorithm_of("geolocatevideo"), Told(), []

    def ask(_self, _command, arguments, _feedback, **_):
        heard.append(arguments.cluster)
        raise KeyboardInterrupt

    monkeypatch.setattr(type(algorithm), "ask", ask)
    usable, text = algorithm.checkParameterValues(parameters, context_of())
    assert usable, text
    with pytest.raises(KeyboardInterrupt):
        algorithm.work(parameters, context_of(), told)
    return heard[0], told.said


@pytest.fixture
def given(plugin, engine_here, tmp_path):
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(b"checks do not open it")
    return {"EXTENT": SMALL, "RESOLUTION": 50, "OUTPUT": str(tmp_path / "o.gpkg"), "VIDEOS": [str(tmp_path / "a.mp4")]}


def test_a_scheduler_does_the_work_on_several_videos_alone(given, scheduler, tmp_path, monkeypatch):
    said = f"The workers of the Dask scheduler {scheduler} do the work."
    several = [str(tmp_path / name) for name in ("a.mp4", "b.mp4")]
    table = tmp_path / "table.csv"
    table.write_text("file,from\na.mp4,0\nb.mp4,0\n")
    for more in ({"VIDEOS": several}, {"VIDEOS": None, "FOLDER": str(tmp_path)}, {"VIDEOS": None, "TABLE": str(table)}):
        address, told = asked({**given, **more}, monkeypatch)
        assert (address, said in told) == (scheduler, True), more
    address, told = asked(given, monkeypatch)
    assert address is None
    assert not any("scheduler" in line for line in told)
    settings.set_scheduler("")
    assert asked({**given, "VIDEOS": several}, monkeypatch)[0] is None


def test_rows_of_a_layer_are_counted(given, scheduler, tmp_path, monkeypatch):
    from qgis.core import QgsFeature, QgsProject, QgsVectorLayer

    layer = QgsVectorLayer("None?field=file:string", "drives", "memory")
    QgsProject.instance().addMapLayer(layer)
    for name, expected in (("a.mp4", None), ("b.mp4", scheduler)):
        feature = QgsFeature(layer.fields())
        feature.setAttributes([str(tmp_path / name)])
        layer.dataProvider().addFeatures([feature])
        assert asked({**given, "VIDEOS": None, "TABLE": layer}, monkeypatch)[0] == expected


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({}, "'Work offline' opens no connection"), ({"KEEP_SCORES": True}, "scores for pins are kept by this computer"),
        ({"GUESS_AREA": True, "EXTENT": None}, "areas are guessed by this computer"),
    ],
)  # fmt: skip
def test_what_the_scheduler_cannot_do_is_done_here_and_the_log_says_so(given, scheduler, tmp_path, monkeypatch, more, why):
    settings.set_offline(not more)
    address, told = asked({**given, "VIDEOS": [str(tmp_path / name) for name in ("a.mp4", "b.mp4")], **more}, monkeypatch)
    assert address is None
    assert [line for line in told if "scheduler" in line] == [
        f"The Dask scheduler {ADDRESS} is not asked, as {why}: all work is done here."
    ]


def test_an_address_that_is_none_is_refused_where_it_would_be_used(given, scheduler, tmp_path):
    settings.set_scheduler("192.168.1.5")
    assert problem_of("geolocatevideo", given) == ""
    said = problem_of("geolocatevideo", {**given, "FOLDER": str(tmp_path)})
    assert said.startswith("Settings > Options > VidTAG: '192.168.1.5' is no address of a Dask scheduler: give one such as tcp://")


@pytest.mark.parametrize(
    "address",
    ["", " ", "tcp://192.168.1.5:8786", "tls://head.example:8786", "tcp://[fe80::1]:8786", "wss://head:443/", "tcp://localhost:1"],
)
def test_addresses(address):
    assert settings.scheduler_problem(address) is None


@pytest.mark.parametrize(
    "address",
    ["head", "head:8786", "tcp://head", "tcp://:8786", "tcp://head:0", "tcp://head:65536", "http://head:8786", "tcp://a b:1", "local", "tcp://h:1/x"],
)  # fmt: skip
def test_no_addresses(address):
    assert "is no address of a Dask scheduler" in settings.scheduler_problem(address)


def test_the_retry_is_folded_away_and_off(plugin, given):
    algorithm = algorithm_of("geolocatevideo")
    definition = algorithm.parameterDefinition("RETRY_FAILED")
    assert (definition.description(), definition.defaultValue()) == ("Try failed videos again", False)
    assert algorithm._arguments(given, context_of()).retry_failed is False
    assert algorithm._arguments({**given, "RETRY_FAILED": True}, context_of()).retry_failed is True
    assert algorithm.outputDefinition("RESULTS").type() == "outputFolder"


def test_the_page_is_a_link_where_the_log_has_links(monkeypatch):
    """In a window alone: a terminal shows the address as it is."""
    plain, formatted = Told(), []
    address = "file:///tmp/o%20%C3%A9.results/index.html"
    compat.push_link(plain, "The batch's page:", "/tmp/o é.results/index.html")
    assert plain.said == [f"The batch's page: {address}"]
    rich = SimpleNamespace(pushFormattedMessage=lambda html, text: formatted.append((html, text)))
    monkeypatch.setattr(utils, "iface", object())
    compat.push_link(rich, "The batch's page:", "/tmp/o é.results/index.html")
    [(html, text)] = formatted
    assert text == plain.said[0]
    assert html == f'The batch&#x27;s page: <a href="{address}">/tmp/o é.results/index.html</a>'
