"""`vidtag guess` and `--guess-area` on the demo: the command line, the worker, Python, the registry, and what is said where nothing can be guessed."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import shapely
from typer.testing import CliRunner

import vidtag_engine
from tests.test_worker import Child
from vidtag_engine import registry
from vidtag_engine.cli.app import app
from vidtag_engine.feedback import Feedback
from vidtag_engine.geolocation import geolocate
from vidtag_engine.guessed_areas import CityPrior, proposal_of
from vidtag_engine.guessing import guess_city, load_cities
from vidtag_engine.inference.city_guess import CityGuess
from vidtag_engine.models.city_checkpoint import load_city
from vidtag_engine.settings import GeolocateSettings
from vidtag_engine.types import CancelledError, InputError, VideoError
from vidtag_engine.video import read_track

DEMO = Path(__file__).resolve().parent.parent / "resources" / "demo"
CITIES, STREETS, DRIVE = DEMO / "cities", DEMO / "checkpoint", DEMO / "drive.mp4"


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path_factory):
    """No guess of an earlier run is read; networks that are compiled already stay."""
    from vidtag_engine import guessed_areas

    folder = tmp_path_factory.mktemp("cache") / "galleries"
    monkeypatch.setattr(guessed_areas, "default_cache_folder", lambda: folder)
    monkeypatch.setenv(registry.VARIABLE, str(tmp_path_factory.mktemp("none")))


@pytest.fixture(scope="module")
def foreign(tmp_path_factory) -> Path:
    """A video of nothing that anybody drove through."""
    path = tmp_path_factory.mktemp("foreign") / "pattern.mp4"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "mandelbrot=size=448x336:rate=5", "-t", "12", str(path)]
    subprocess.run(command, check=True)
    return path


def run(*arguments: str) -> tuple[int, dict]:
    done = CliRunner().invoke(app, [*arguments, "--json"])
    return done.exit_code, json.loads(done.stdout.strip().splitlines()[-1])


def test_the_demos_drive_and_a_foreign_video(foreign, tmp_path):
    output = tmp_path / "places.gpkg"
    status, said = run("guess", str(DRIVE), str(foreign), "--checkpoint", str(CITIES), "--output", str(output))
    assert status == 0
    drive, pattern = said["videos"]
    assert (drive["known"], drive["rated"], drive["levels"]["city"][0]["name"]) == (True, True, "Sandy Island")
    assert drive["levels"]["city"][0]["probability"] > 0.9
    assert not pattern["known"]
    assert pattern["why"].startswith("None of the 12 cities")
    # Of what is none of them nothing was calibrated.
    assert {place["probability"] for places in pattern["levels"].values() for place in places} == {None}
    rows = json.loads(
        subprocess.run(
            ["ogr2ogr", "-f", "GeoJSON", "/vsistdout/", str(output), "places"], capture_output=True, text=True, check=True
        ).stdout
    )["features"]
    top = {
        row["properties"]["video"]: row["properties"]
        for row in rows
        if row["properties"]["level"] == "city" and row["properties"]["rank"] == 1
    }
    assert top["drive.mp4"]["probability"] == pytest.approx(drive["levels"]["city"][0]["probability"], abs=1e-5)
    assert top["pattern.mp4"]["probability"] is None
    first = next(row for row in rows if row["properties"] == top["drive.mp4"])
    track = read_track(DEMO / "drive.gpx")
    assert shapely.geometry.shape(first["geometry"]).contains(shapely.Point(track.lon_deg[5], track.lat_deg[5]))
    # Alone it ends as a geolocation does that gave nobody a place.
    assert run("guess", str(foreign), "--checkpoint", str(CITIES))[0] == 5


def test_python_and_the_worker_say_the_same(tmp_path):
    here = vidtag_engine.guess(DRIVE, checkpoint=CITIES, to_s=8).videos[0]
    child = Child()
    assert child.receive()["type"] == "hello"
    child.send(type="request", id=1, command="guess", arguments={"checkpoint": str(CITIES), "videos": [str(DRIVE)], "to_s": 8}, protocol=1)
    value = child.until("result", "error")["value"]
    child.end()
    assert value["videos"][0]["levels"] == here.to_dict()["levels"]
    assert value["videos"][0]["frames"] == 8


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"checkpoint": STREETS}, "no CityGuessr checkpoint"),
        ({"checkpoint": "/no/such"}, "does not exist"),
        ({"checkpoint": 3}, "is no checkpoint"),
        ({"checkpoint": CITIES, "resolution_m": 3}, "There is no setting 'resolution_m'"),
        ({"checkpoint": CITIES, "videos": []}, "There is no video"),
        ({"checkpoint": CITIES, "videos": "/no.mp4"}, "no.mp4"),
    ],
)
def test_bad_input_is_a_sentence(given, said):
    given = {"videos": DRIVE, **given}
    with pytest.raises(InputError, match=said):
        vidtag_engine.guess(**given)


def test_a_guess_can_be_stopped():
    with pytest.raises(CancelledError):
        guess_city([DRIVE], load_cities(CITIES), feedback=Feedback(None, lambda: True))


def test_a_guessed_area_finds_the_street(tmp_path):
    settings = GeolocateSettings(resolution_m=25, guess_area=str(CITIES), to_s=20)
    found = geolocate([DRIVE], None, str(STREETS), tmp_path / "g.gpkg", settings)
    report = vidtag_engine.evaluate(found, DEMO / "drive.gpx")
    assert report.overall.median_m < 15.0
    assert found.results[0].own.area.startswith("guessed: Sandy Island")
    assert any("Areas were guessed" in note for note in found.warnings)
    assert found.provenance.settings["guess_area"] == load_cities(CITIES).digest
    assert str(CITIES) not in json.dumps(found.provenance.settings)
    # Given again it is there already; with another checkpoint of cities it is another result.
    again = geolocate([DRIVE], None, str(STREETS), tmp_path / "g.gpkg", settings)
    assert again.resumed == ["drive.mp4"]


def test_what_cannot_be_guessed_is_a_row_that_says_why(foreign, tmp_path):
    settings = GeolocateSettings(resolution_m=25, guess_area=str(CITIES), to_s=6)
    found = geolocate([DRIVE, foreign], None, str(STREETS), tmp_path / "g.gpkg", settings)
    assert [one.info.name for one in found.results] == ["drive.mp4"]
    assert "None of the 12 cities" in found.failed[0].why
    with pytest.raises(VideoError, match="give one with --aoi"):
        geolocate([foreign], None, str(STREETS), None, settings)
    with pytest.raises(InputError, match="leave out one of --aoi and --guess-area"):
        geolocate([DRIVE], vidtag_engine.Area(DEMO / "aoi.geojson"), str(STREETS), None, settings)


def test_the_registry_picks_the_checkpoint_that_knows_the_place(monkeypatch, tmp_path):
    for name, folder in (("streets", STREETS), ("cities", CITIES)):
        (tmp_path / name).symlink_to(folder)
    elsewhere = json.loads((STREETS / "config.json").read_text(encoding="utf-8")) | {
        "name": "elsewhere",
        "training_extent": [10, 50, 11, 51],
    }
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "config.json").write_text(json.dumps(elsewhere), encoding="utf-8")
    shutil.copy(STREETS / "model.safetensors", tmp_path / "elsewhere")
    (tmp_path / "rubbish").mkdir()
    (tmp_path / "rubbish" / "config.json").write_text("[", encoding="utf-8")
    (tmp_path / "rubbish" / "model.safetensors").write_bytes(b"")
    monkeypatch.setenv(registry.VARIABLE, str(tmp_path))
    known = registry.registered()
    assert sorted(one.path.name for one in known) == ["cities", "elsewhere", "streets"]
    found = geolocate([DRIVE], None, "auto", None, GeolocateSettings(resolution_m=25, guess_area="auto", to_s=6))
    assert found.provenance.checkpoint["sha256"] == json.loads((STREETS / "config.json").read_text(encoding="utf-8"))["sha256"]
    assert found.results[0].own.area.startswith("guessed: Sandy Island")
    with pytest.raises(InputError, match="add --guess-area"):
        geolocate([DRIVE], None, "auto", None, GeolocateSettings(resolution_m=25))
    shutil.rmtree(tmp_path / "elsewhere")
    (tmp_path / "streets").unlink()
    with pytest.raises(InputError, match="No registered checkpoint knows Sandy Island"):
        geolocate([DRIVE], None, "auto", None, GeolocateSettings(resolution_m=25, guess_area="auto", to_s=6))
    (tmp_path / "cities").unlink()
    with pytest.raises(InputError, match="No checkpoint that tells cities is registered"):
        geolocate([DRIVE], None, str(STREETS), None, GeolocateSettings(resolution_m=25, guess_area="auto"))


def test_the_smallest_set_of_cities_against_trying_all(tmp_path):
    import itertools

    _, table, _, _ = load_city(CITIES)
    rng = np.random.default_rng(0)
    for _ in range(20):
        shares = rng.dirichlet(np.full(len(table), 0.15))
        guess = CityGuess(table, np.log(shares), rated=True)
        proposal = proposal_of(guess)
        # What it holds is not more than the cities have, to whole per cent each.
        assert sum(proposal.probability) == pytest.approx(sum(shares[city] for city in proposal.cities), abs=0.05)
        sizes = [n for n in range(1, 13) if any(sum(each) >= 0.9 for each in itertools.combinations(shares, n))]
        assert len(proposal.cities) == min(sizes[0], 5)
        assert list(proposal.cities) == sorted(proposal.cities, key=lambda city: -shares[city])
    unrated = CityGuess(table, np.log(shares), rated=False)
    assert "never calibrated" in proposal_of(unrated).why


def test_the_prior_gives_each_city_its_share_whatever_its_size():
    small, large = shapely.box(0, 0, 1, 1), shapely.box(5, 0, 8, 3)
    lon, lat = np.meshgrid(np.arange(0.05, 9.0, 0.1), np.arange(0.05, 3.0, 0.1))
    places = np.stack([lat.ravel(), lon.ravel()], axis=1)
    weight = CityPrior((small, large), (0.7, 0.3))(places)
    inside = [shapely.contains_xy(outline, places[:, 1], places[:, 0]) for outline in (small, large)]
    assert [weight[one].sum() for one in inside] == pytest.approx([0.7, 0.3], abs=1e-4)
    assert weight[~(inside[0] | inside[1])].sum() < 1e-5


def test_a_row_of_a_table_is_guessed_and_located_by_its_own_stretch():
    """Frames are encoded once for both: those of the row's stretch, not of the run's."""
    found = vidtag_engine.geolocate(
        table=[{"file": str(DRIVE), "from": 10, "to": 16}],
        checkpoint=STREETS,
        resolution_m=25,
        guess_area=str(CITIES),
        always_answer=True,
    )
    time_s = found.trajectory.time_s
    assert (len(time_s), time_s.min() >= 10.0, time_s.max() < 16.0) == (6, True, True)
    plain = vidtag_engine.geolocate(
        DRIVE, aoi=DEMO / "aoi.geojson", checkpoint=STREETS, resolution_m=25, from_s=10, to_s=16, always_answer=True
    )
    assert plain.trajectory.lat_deg == pytest.approx(found.trajectory.lat_deg, abs=5e-4)


def test_a_video_that_cannot_be_read_does_not_stop_the_others(tmp_path):
    short = tmp_path / "short.mp4"
    shutil.copy(DRIVE, short)
    rows = [{"file": str(DRIVE), "to": 4}, {"file": str(short), "from": 300, "to": 310}]
    found = vidtag_engine.geolocate(table=rows, checkpoint=STREETS, resolution_m=25, guess_area=str(CITIES))
    assert [one.info.name for one in found.results] == ["drive.mp4"]
    assert "nothing lies after 300 s" in found.failed[0].why


def test_what_lies_elsewhere_keeps_its_share_of_confidence(monkeypatch):
    from vidtag_engine import guessed_areas

    settings = GeolocateSettings(resolution_m=25, guess_area=str(CITIES), to_s=8)
    whole = geolocate([DRIVE], None, str(STREETS), None, settings)
    city = load_cities(CITIES).guesser.table.names[0].index("Sandy Island")
    monkeypatch.setattr(guessed_areas, "proposal_of", lambda _: guessed_areas.Proposal((city,), (0.5,)))
    monkeypatch.setattr(guessed_areas, "_read", lambda _: None)
    half = geolocate([DRIVE], None, str(STREETS), None, settings)
    held = whole.results[0].own.area.rpartition(" ")[2]
    share = float(held.rstrip("%")) / 100
    assert half.trajectory.confidence == pytest.approx(whole.trajectory.confidence * 0.5 / share, rel=1e-3)


@pytest.mark.slow
def test_videomae_at_full_size_from_a_checkpoint_to_a_guess(tmp_path):
    """With random weights: pictures instead of features, written, read and asked through the same door."""
    import torch

    from vidtag_engine.models.city_checkpoint import CityCard, save_city
    from vidtag_engine.models.city_net import CityNet, CityNetConfig
    from vidtag_engine.models.cityguessr import CityGuessrConfig

    _, table, _, _ = load_city(CITIES)
    torch.manual_seed(0)
    net = CityNet(CityNetConfig(encoder="videomae-s", head=CityGuessrConfig(counts=table.counts, feature_dim=384)), "random").eval()
    save_city(net, table, tmp_path / "c", CityCard("random", rate_hz=5.0), half=False)
    again, _, card, _ = load_city(tmp_path / "c")
    clips = torch.randn(1, 16, 3, 224, 224)
    with torch.inference_mode():
        assert torch.equal(again(clips).scores[0], net(clips).scores[0])
    found = guess_city([DRIVE], load_cities(tmp_path / "c"), settings=GeolocateSettings(to_s=4))
    guess = found.videos[0].guess
    assert np.exp(guess.log_probability).sum() == pytest.approx(1.0)
    assert not guess.rated
    assert guess.frames == 1  # clip
    assert any("cannot tell a video of a place that it does not know" in note for note in found.notes)
