"""A database of flights that a person has, and a video found by it with no checkpoint: the whole way, as commands give it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from io import BytesIO
from pathlib import Path

import numpy as np
import pyogrio
import pytest
from PIL import Image
from shapely.geometry import box, mapping
from typer.testing import CliRunner

from tests.world_maker import LAT0_DEG, LON0_DEG, SIZE_M, aoi_text, fly, ground, place_of
from vidtag_engine.cli.app import app
from vidtag_engine.export import read_geopackage
from vidtag_engine.feedback import Feedback
from vidtag_engine.file_marks import own_kind
from vidtag_engine.geodesy import courses_deg, haversine_m
from vidtag_engine.geolocation import geolocate
from vidtag_engine.grid import load_aoi
from vidtag_engine.loaded import load, load_references
from vidtag_engine.reference.store import Store
from vidtag_engine.settings import GeolocateSettings, ReferenceSettings
from vidtag_engine.training import TrainingSource
from vidtag_engine.training.home_zone import HomeZone
from vidtag_engine.training.reference_build import build
from vidtag_engine.types import CancelledError, InputError

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parent.parent
FRAMES = 24
STEP_M = 10.0


def ways(count: int, seed: int = 0) -> list[list[tuple[float, float]]]:
    """Straight ways across the world, there and back, near each other."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        y_m = 60.0 + 280.0 * (number % 5) / 4 + rng.uniform(-6, 6)
        found.append([(40.0, y_m), (360.0, y_m + rng.uniform(-10, 10))])
    return found


@pytest.fixture(scope="module")
def flights(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("flights")
    world = ground()
    for number, way in enumerate(ways(11)):
        fly(folder / f"flight{number:02d}.mp4", way, FRAMES, world=world)
    return folder


def sources(folder: Path, count: int = 10, first: int = 0) -> list[TrainingSource]:
    return [TrainingSource(folder / f"flight{n:02d}.mp4", folder / f"flight{n:02d}.gpx", "video") for n in range(first, first + count)]


@pytest.fixture(scope="module")
def database(flights, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("references") / "field"
    built = build(output, sources(flights), ReferenceSettings(resolution_m=STEP_M, width=24), aoi=load_aoi(aoi_text()))
    assert (built.added, built.there, built.left_out) == (10 * FRAMES, 0, {})
    return output


def command(*arguments: str, status: int = 0) -> dict:
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == status, done.output
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_a_video_is_found_by_the_database_alone_with_probabilities(database, flights, tmp_path):
    output = tmp_path / "found.gpkg"
    said = command(
        "geolocate", str(flights / "flight10.mp4"), "--reference", str(database), "--resolution-m", "10", "--output", str(output)
    )
    assert said["checkpoint"] == "field"
    frames = pyogrio.read_dataframe(output, layer="frames")
    truth = np.array(pyogrio.read_dataframe(flights / "flight10.gpx", layer="track_points").geometry.get_coordinates())
    error_m = haversine_m(frames.geometry.y.to_numpy(), frames.geometry.x.to_numpy(), truth[:, 1], truth[:, 0])
    assert np.median(error_m) < 2.5 * STEP_M
    # Ten drives can speak: a chance is said of each frame, and it is neither nothing nor certain.
    assert frames.confidence.between(0.05, 0.99).all()
    provenance = json.loads(_provenance(output))
    store = Store.open(database)
    assert provenance["checkpoint"]["references"] == store.digest
    assert load(str(database)).calibration.path.database_weight.either_way
    # The folder stands where a checkpoint does, too, and says the same.
    again = tmp_path / "again.gpkg"
    command("geolocate", str(flights / "flight10.mp4"), "--checkpoint", str(database), "--resolution-m", "10", "--output", str(again))
    same = pyogrio.read_dataframe(again, layer="frames")
    assert (same.geometry == frames.geometry).all()
    np.testing.assert_array_equal(same.confidence, frames.confidence)


def test_frames_keep_the_images_that_speak_for_them_and_whose_owner_says_so_their_places(database, flights, tmp_path):
    store, video = Store.open(database), str(flights / "flight10.mp4")
    found = {}
    for name, more in (("kept", []), ("shared", ["--share-places"])):
        output = tmp_path / f"{name}.gpkg"
        command("geolocate", video, "--reference", str(database), "--resolution-m", "10", "--output", str(output), *more)
        found[name] = read_geopackage(output)[0][0]
    kept, shared = (one.matches for one in found.values())
    assert len(kept) == len(shared) >= FRAMES
    assert [(one.frame_index, one.rank, one.image_id) for one in kept] == [(one.frame_index, one.rank, one.image_id) for one in shared]
    # One's own: neither where nor what is told.
    assert all(np.isnan([one.lat_deg, one.lon_deg, one.heading_deg]).all() and not one.taken and one.thumbnail is None for one in kept)
    shown = {one.image.image_id: one for one in store.shown(range(len(store.rows)))}
    at = dict(
        zip(
            found["shared"].trajectory.frame_index,
            zip(found["shared"].trajectory.lat_deg, found["shared"].trajectory.lon_deg, strict=False),
            strict=False,
        )
    )
    for one in shared:
        image = shown[one.image_id]
        assert (one.lat_deg, one.lon_deg, one.thumbnail) == (image.image.lat_deg, image.image.lon_deg, image.thumbnail)
        assert haversine_m(one.lat_deg, one.lon_deg, *at[one.frame_index]) <= store.reach_m + STEP_M
    firsts = [one for one in shared if one.rank == 1]
    assert np.mean([one.margin > 0 for one in firsts]) > 0.5
    layer = pyogrio.read_dataframe(tmp_path / "kept.gpkg", layer="matches")
    assert layer.geometry.is_empty.all() or layer.geometry.isna().all()
    # Each image's picture is there once, in its first row; older results have it in every row, and say the same.
    images = {one.image_id: one.thumbnail for one in shared}
    assert len(images) < len(shared)
    with closing(sqlite3.connect(tmp_path / "shared.gpkg")) as opened, opened:
        kept_rows = opened.execute(
            "SELECT image_id, min(fid), thumbnail FROM matches WHERE thumbnail IS NOT NULL GROUP BY image_id"
        ).fetchall()
        (pictures,) = opened.execute("SELECT count(*) FROM matches WHERE substr(thumbnail, 1, 2) = x'FFD8'").fetchone()
        firsts = dict(opened.execute("SELECT image_id, min(fid) FROM matches GROUP BY image_id"))
        assert {image_id: fid for image_id, fid, _ in kept_rows} == firsts
        opened.executemany(
            "UPDATE matches SET thumbnail = ? WHERE image_id = ?", [(picture, image_id) for image_id, picture in images.items()]
        )
    assert pictures == len(images)
    assert read_geopackage(tmp_path / "shared.gpkg")[0][0].matches == shared


def test_a_checkpoint_reads_a_database_in_place_of_its_own_frames_and_says_no_probability(database, flights, tmp_path):
    checkpoint = ROOT / "resources" / "demo" / "checkpoint"
    output = tmp_path / "both.gpkg"
    said = command(
        "geolocate", str(flights / "flight10.mp4"), "--checkpoint", str(checkpoint), "--reference", str(database), "--resolution-m", "10",
        f"--aoi={aoi_text()}", "--output", str(output), "--always-answer",
    )  # fmt: skip
    assert said["checkpoint"] == load(str(checkpoint)).card.name
    assert said["not_rated"] == FRAMES
    result = read_geopackage(output)[0][0]
    assert result.matches
    assert json.loads(_provenance(output))["checkpoint"]["references"] == Store.open(database).digest
    alone = load(str(checkpoint))
    both = load_references(str(database), checkpoint=alone)
    # The checkpoint itself stays as it was, for whoever asks it next.
    assert alone.model.memory is not both.model.memory
    assert not alone.references
    assert "was never measured" in both.calibration.cannot_tell
    assert both.calibration.ground.knows(Store.open(database).lat_lon_deg).all()
    assert both.calibration.ground.knows(alone.calibration.ground.lat_lon_deg).all()


def _provenance(path: Path) -> str:
    with closing(sqlite3.connect(path)) as opened:
        rows = opened.execute("SELECT metadata FROM gpkg_metadata WHERE mime_type = 'application/json'").fetchall()
    return next(text for (text,) in rows if "checkpoint" in text)


def test_every_image_has_its_place_its_way_and_a_thumbnail(database, flights):
    store = Store.open(database)
    shown = store.shown(range(len(store.rows)))
    for one in shown[::17]:
        assert one.image.source == "own"
        assert one.image.author == one.image.licence == ""
        picture = Image.open(BytesIO(one.thumbnail))
        assert max(picture.size) <= 256
        assert not picture.getexif()
    east = np.array([one.image.heading_deg for one in shown])
    assert (np.abs(east - 90.0) < 5.0).all()
    times = np.array([one.image.time_s for one in shown])
    assert np.isfinite(times).all()
    places = np.array([[one.image.lat_deg, one.image.lon_deg] for one in shown])
    np.testing.assert_array_equal(places, store.lat_lon_deg)
    assert not (database / "building").exists()


def test_what_is_there_is_not_added_again_and_more_is(database, flights, tmp_path):
    folder = tmp_path / "field"
    shutil.copytree(database, folder)
    settings = ReferenceSettings(resolution_m=STEP_M, calibrate=False)
    built = build(folder, sources(flights, 11), settings)
    assert (built.added, built.there) == (FRAMES, 10)
    assert len(Store.open(folder).rows) == 11 * FRAMES
    # What was fitted speaks of what was there before.
    loaded = load(str(folder))
    assert "was changed since 'vidtag reference calibrate'" in loaded.calibration.cannot_tell
    assert command("reference", "calibrate", str(folder))["not_rated"] == ""


def test_ones_own_drives_make_a_shared_database_private(flights, tmp_path):
    shared = ReferenceSettings(resolution_m=STEP_M, width=24, calibrate=False, private=False)
    assert not build(tmp_path / "db", sources(flights, 1), shared).store.manifest.private
    more = build(tmp_path / "db", sources(flights, 2), shared.model_copy(update={"private": True}))
    assert more.added == FRAMES
    assert Store.open(tmp_path / "db").manifest.private


def test_a_database_that_grows_is_for_both_areas(flights, tmp_path):
    settings = ReferenceSettings(resolution_m=STEP_M, width=24, calibrate=False)
    low, middle, high = (place_of(np.array([x_m]), np.array([x_m]))[0] for x_m in (0.0, 200.0, SIZE_M))
    west = load_aoi(f"{low[1]},{low[0]},{middle[1]},{high[0]}")
    east = load_aoi(f"{middle[1]},{low[0]},{high[1]},{high[0]}")
    one = build(tmp_path / "db", sources(flights, 1), settings, aoi=west).store
    assert load_aoi(one.manifest.area).bounds == pytest.approx(west.bounds)
    both = build(tmp_path / "db", sources(flights, 1, 1), settings, aoi=east).store
    assert load_aoi(both.manifest.area).bounds == pytest.approx((low[1], low[0], high[1], high[0]))
    # Somebody who names no area adds what may lie anywhere.
    assert build(tmp_path / "db", sources(flights, 1, 2), settings).store.manifest.area == ""


def test_somebody_elses_folder_is_refused_before_the_work_and_left_alone(flights, tmp_path):
    settings = ReferenceSettings(resolution_m=STEP_M, width=24, calibrate=False)
    for name in ("letter.txt", "building/plans.txt"):
        folder = tmp_path / name.replace("/", "-")
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text("Dear Ann")
        with pytest.raises(InputError, match="give a new folder"):
            build(folder, sources(flights, 1), settings)
        assert [one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()] == [name]
    # What lies beside our parts in the folder of a database is left there, too.
    folder = tmp_path / "db"
    build(folder, sources(flights, 1), settings)
    (folder / "building").mkdir()
    (folder / "building" / "plans.txt").write_text("Dear Ann")
    build(folder, sources(flights, 2), settings)
    assert [one.name for one in (folder / "building").iterdir()] == ["plans.txt"]


def test_few_drives_find_but_say_no_probability(flights, tmp_path):
    output = tmp_path / "few"
    said = command(
        "reference", "build", "--video", str(flights / "flight00.mp4"), "--truth", str(flights / "flight00.gpx"), "--output", str(output),
        "--resolution-m", "10", "--width", "24",
    )  # fmt: skip
    assert "1 drive" in said["not_rated"]
    found = tmp_path / "found.gpkg"
    said = command("geolocate", str(flights / "flight05.mp4"), "--reference", str(output), "--resolution-m", "10", "--output", str(found))
    assert said["mean_confidence"] is None
    assert said["not_rated"] == FRAMES
    assert "add more with 'vidtag reference build'" in said["videos"][0]["why"]
    frames = pyogrio.read_dataframe(found, layer="frames")
    assert frames.confidence.isna().all()
    assert len(frames)


def test_home_zones_and_areas_leave_images_out(flights, tmp_path):
    middle = place_of(np.array([200.0]), np.array([60.0]))[0]
    west = load_aoi(f"{LON0_DEG},{LAT0_DEG},{place_of(np.array([300.0]), np.array([0.0]))[0][1]},{LAT0_DEG + 0.01}")
    settings = ReferenceSettings(resolution_m=STEP_M, width=24, calibrate=False)
    built = build(tmp_path / "db", sources(flights, 2), settings, aoi=west, homes=[HomeZone(float(middle[0]), float(middle[1]), 50.0)])
    places = built.store.lat_lon_deg
    assert haversine_m(*places.T, *middle).min() > 50.0
    assert places[:, 1].max() < west.bounds[2]
    assert built.added + sum(built.left_out.values()) == 2 * FRAMES
    assert set(built.left_out) == {"outside the area", "in home zones"}
    with pytest.raises(InputError, match="larger area"):
        build(tmp_path / "none", sources(flights, 1), settings, aoi=load_aoi("0,0,1,1"))


def test_broken_off_it_goes_on_with_what_was_finished(flights, tmp_path):
    settings = ReferenceSettings(resolution_m=STEP_M, width=24, calibrate=False)
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 40

    with pytest.raises(CancelledError, match="goes on"):
        build(tmp_path / "db", sources(flights, 3), settings, feedback=Feedback(None, stop))
    kept = {file: file.stat().st_mtime_ns for file in (tmp_path / "db" / "building").iterdir()}
    assert kept
    assert build(tmp_path / "db", sources(flights, 3), settings).added == 3 * FRAMES


def test_a_damaged_video_of_many_is_left_out(flights, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes((flights / "flight00.mp4").read_bytes()[:200])
    given = [*sources(flights, 2), TrainingSource(broken, flights / "flight00.gpx", "video")]
    built = build(tmp_path / "db", given, ReferenceSettings(resolution_m=STEP_M, width=24, calibrate=False))
    assert built.added == 2 * FRAMES
    assert sum(built.left_out.values()) == 1


def test_pruning_by_home_and_the_layer_to_look_at(database, tmp_path):
    folder = tmp_path / "field"
    shutil.copytree(database, folder)
    middle = place_of(np.array([200.0]), np.array([60.0]))[0]
    before, half = Store.open(database).lat_lon_deg, np.array([2e-4, 1e-3])
    garden = tmp_path / "garden.geojson"
    garden.write_text(json.dumps(mapping(box(*(middle - half)[::-1], *(middle + half)[::-1]))))
    said = command("reference", "prune", str(folder), "--home", f"{middle[0]},{middle[1]},60", "--home", str(garden))
    near, inside = haversine_m(*before.T, *middle) <= 60.0, (np.abs(before - middle) <= half).all(axis=1)
    assert (near & ~inside).any()
    assert (inside & ~near).any()
    assert said["removed"] == (near | inside).sum()
    assert said["images"] == 10 * FRAMES - said["removed"]
    assert "calibrate" in said["not_rated"]
    command("reference", "prune", str(folder), status=2)
    layer = tmp_path / "layer.gpkg"
    said = command("reference", "layer", str(folder), "--output", str(layer))
    assert own_kind(layer) == "images"
    images, gaps = (pyogrio.read_dataframe(layer, layer=name) for name in ("images", "gaps"))
    assert len(images) == said["images"]
    assert (images.age_days > 0).all()
    assert images.heading_deg.between(80, 100).all()
    # A gap is where no image lies within reach: asked of the points themselves.
    store = Store.open(folder)
    from shapely import points

    rng = np.random.default_rng(0)
    places = place_of(*rng.uniform(0, SIZE_M, (2, 400)))
    alone = np.array([haversine_m(*store.lat_lon_deg[store.there].T, *place).min() for place in places]) > store.reach_m
    inside = gaps.geometry.iloc[0].contains(points(places[:, 1], places[:, 0])) if len(gaps) else np.zeros(400, bool)
    assert np.mean(alone == inside) > 0.95


def test_courses_are_those_of_the_way():
    north, east = np.array([0.0, 0.001, 0.002, 0.002, 0.002]), np.array([0.0, 0.0, 0.0, 0.001, 0.001])
    found = courses_deg(north, east)
    np.testing.assert_allclose(found[[0, 1, 3]], [0.0, 0.0, 90.0], atol=0.5)
    assert 30 < found[2] < 60
    assert np.isnan(found[4])
    assert np.isnan(courses_deg(np.zeros(1), np.zeros(1))).all()
    assert np.isnan(courses_deg(np.zeros(3), np.zeros(3))).all()


def test_what_reference_images_cannot_do_is_a_sentence(database, flights, tmp_path):
    video = flights / "flight10.mp4"
    with pytest.raises(InputError, match="between grid points"):
        geolocate([video], None, str(database), None, GeolocateSettings(resolution_m=STEP_M, continuous=True))
    with pytest.raises(InputError, match="far larger"):
        geolocate([video], load_aoi("-170,-60,170,70"), str(database), None, GeolocateSettings(resolution_m=STEP_M))
    with pytest.raises(InputError, match="no database"):
        load_references(str(tmp_path))
    with pytest.raises(InputError, match="does not exist"):
        load(str(tmp_path / "nothing"))
