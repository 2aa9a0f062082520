"""Pictures of the real Panoramax server, which runs on this machine's loopback: what is found, what is kept of it, and what survives a kill.

It takes PostGIS and an environment of its own (``tools/run-tests`` sees to both). With ``VIDTAG_PANORAMAX_REQUIRED`` set, that it cannot be started is a
failure; without, the tests are left out and say why.
"""

import io
import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from benchmarks.panoramax_server import EMAIL, Shot, picture_bytes
from tests.panoramax_server import serving
from vidtag_engine.cli.app import app
from vidtag_engine.export import read_geopackage
from vidtag_engine.feedback import Feedback
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.grid.aoi import load_aoi
from vidtag_engine.reference.consent import download_consent, query_consent
from vidtag_engine.reference.downloads import fetch, is_fetched
from vidtag_engine.reference.sources import Panoramax, file_of, open_source
from vidtag_engine.reference.sources.panoramax import read_item
from vidtag_engine.reference.store import Store
from vidtag_engine.reference.web import Agreed, Web
from vidtag_engine.types import InputError

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parent.parent
# Where two tiles of zoom 14 meet lies at 11.5796 degrees east: the street crosses it.
LAT, LON = 48.1372, 11.5760
STREET = [Shot(LAT, LON + 1e-4 * n, 90.0, 1_700_000_000 + 5 * n) for n in range(24)]
BACK = [Shot(LAT + 2e-5, LON + 1e-4 * n, math.nan, 1_720_000_000 - 5 * n) for n in range(23, 17, -1)]
# Nine of one place within four seconds: closer than any box is split.
STANDING = [Shot(LAT + 1e-3, LON, 40.0 * n, 1_710_000_000 + n // 2) for n in range(9)]
ROUND = [Shot(LAT + 5e-4, LON + 1e-4, 123.0, 1_715_000_000, 2048, 1024, panorama=True)]
LARGE = [Shot(LAT + 5e-4, LON + 3e-4, 0.0, 1_716_000_000, 2600, 1700)]
ALL = [*STREET, *BACK, *STANDING, *ROUND, *LARGE]
AREA = f"{LON - 0.001},{LAT - 0.001},{LON + 0.004},{LAT + 0.002}"


@pytest.fixture(scope="module")
def server():
    with serving(STREET, BACK, STANDING, ROUND, LARGE) as running:
        yield running


def found(server, area=AREA, limit=10_000):
    source, area = Panoramax(server.url, limit=limit), load_aoi(area)
    with Web(query_consent(source, area).agreed(yes=True)) as web:
        return list(source.search(area, web))


@pytest.fixture(scope="module")
def images(server):
    return found(server)


def test_all_pictures_are_found_with_what_is_known_of_them(images):
    assert len(images) == len({image.image_id for image in images}) == len(ALL)
    assert len({image.sequence for image in images}) == 5
    by_time = {(round(image.time_s), round(image.lon_deg, 6), image.heading_deg): image for image in images}
    for shot in STREET:
        image = by_time[shot.time_s, round(shot.lon_deg, 6), shot.heading_deg]
        assert image.lat_deg == pytest.approx(shot.lat_deg, abs=1e-6)
        assert (image.source, image.author, image.licence) == ("panoramax", "Default account", "CC-BY-SA-4.0")
        assert image.licence_url == "https://spdx.org/licenses/CC-BY-SA-4.0.html"
        assert image.accuracy_m == 6.0
        assert 60 < image.field_of_view_deg < 70
        assert not image.panorama
    [panorama] = [image for image in images if image.panorama]
    assert (panorama.heading_deg, panorama.field_of_view_deg) == (123.0, 360.0)


def test_a_picture_without_a_heading_has_the_direction_of_travel(images):
    """The server's own doing: the camera wrote none."""
    back = [image for image in images if round(image.time_s) in {round(shot.time_s) for shot in BACK}]
    assert len(back) == len(BACK)
    assert [image.heading_deg for image in back] == pytest.approx([270.0] * len(BACK), abs=1.0)


@pytest.mark.parametrize("limit", [1, 2, 7, 30])
def test_a_low_limit_loses_nothing(server, images, limit):
    """Boxes are split, and what lies closer than any box by time; a server that cuts at its limit says nothing of it."""
    if limit == 1:
        with pytest.raises(InputError, match=r"gave 1 pictures of one second within \d+ m at 48.13"):
            found(server, limit=limit)
        return
    if limit == 2:  # two of a second, and three where one second ends and the next begins: both ends belong to a span
        with pytest.raises(InputError, match="gave 2 pictures of one second"):
            found(server, limit=limit)
        return
    asked = len(server.requests())
    assert {image.image_id for image in found(server, limit=limit)} == {image.image_id for image in images}
    time.sleep(0.2)
    spans = [line for line in server.requests()[asked:] if "datetime=" in line]
    assert bool(spans) == (limit < len(STANDING))


def test_only_the_polygon_is_given_and_only_tiles_are_told(server, images):
    west, east = LON + 0.00045, LON + 0.00125
    triangle = f"POLYGON(({west} {LAT - 1e-4}, {east} {LAT - 1e-4}, {west} {LAT + 2e-3}, {west} {LAT - 1e-4}))"
    asked = len(server.requests())
    inside = found(server, triangle)
    assert {round(image.lon_deg, 6) for image in inside} == {round(LON + 1e-4 * n, 6) for n in range(5, 13)}
    time.sleep(0.2)
    told = [httpx.URL(line.split('"')[1].split()[1]).params["bbox"] for line in server.requests()[asked:] if "/api/search" in line]
    count = 1 << 14
    for box in told:
        west, south, east, north = (float(side) for side in box.split(","))
        assert [(side + 180.0) / 360.0 * count % 1.0 for side in (west, east)] == pytest.approx([0.5, 0.5], abs=0.5)
        assert (east - west) * count / 360.0 == pytest.approx(1.0)
        for side in (west, east):
            assert abs((side + 180.0) / 360.0 * count - round((side + 180.0) / 360.0 * count)) < 1e-4
        assert south < LAT < north
    assert len(told) == query_consent(Panoramax(server.url), load_aoi(triangle)).tiles == 1


def test_the_owners_email_is_published_and_never_kept(server, images, tmp_path):
    published = httpx.get(f"{server.url}/api/search", params={"bbox": AREA, "limit": "1"}, trust_env=False).text
    assert EMAIL in published
    assert not [image for image in images if EMAIL in repr(image) or "Camera 1" in repr(image)]
    assert {field.name for field in fields(images[0])} <= {
        "source", "image_id", "sequence", "lat_deg", "lon_deg", "heading_deg", "time_s", "accuracy_m", "field_of_view_deg", "panorama", "author",
        "licence", "licence_url", "page_url", "files", "updated", "device_lat_deg", "device_lon_deg",
    }  # fmt: skip
    original = httpx.get(images[0].files[-1][1], trust_env=False).content
    assert EMAIL.encode() in original
    downloaded(server, images, tmp_path)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(kept) == len(ALL)
    for path in kept:
        assert EMAIL.encode() not in path.read_bytes()
        with Image.open(path) as picture:
            assert not picture.getexif()
            assert not {"exif", "xmp", "comment"} & set(picture.info)


def downloaded(server, images, folder, most_mb=1000.0, feedback=Feedback()):
    consent = download_consent(Panoramax(server.url), images, folder)
    with Web(consent.agreed(most_mb)) as web:
        return consent, list(fetch(Panoramax(server.url), images, web, folder, feedback=feedback))


def test_pictures_are_fetched_once_and_show_what_was_uploaded(server, images, tmp_path):
    asked, told = len(server.requests()), []
    consent, came = downloaded(server, images, tmp_path, feedback=Feedback(told.append))
    assert (consent.count, consent.kept, consent.licences) == (len(ALL), 0, (("CC-BY-SA-4.0", len(ALL)),))
    assert consent.origins == (server.url,)
    assert (
        f"{len(ALL)} pictures of Panoramax would be fetched, an estimated {consent.estimated_mb} MB, from {server.url}." in consent.text()
    )
    assert all(one.path is not None for one in came)
    assert told[-1].fraction == 1.0
    assert f"{len(ALL)} of {len(ALL)} pictures" in told[-1].message
    assert " left" in told[5].message
    time.sleep(0.2)
    assert sum("/api/pictures/" in line for line in server.requests()[asked:]) == len(ALL)
    assert all("vidtag-engine/" in line and "https://example.org/vidtag" in line for line in server.requests()[asked:])
    again, same = downloaded(server, images, tmp_path)
    assert (again.count, again.kept, again.estimated_mb) == (0, len(ALL), 0)
    assert "nothing is left to fetch" in again.text()
    assert {one.path for one in same} == {one.path for one in came}
    time.sleep(0.2)
    assert sum("/api/pictures/" in line for line in server.requests()[asked:]) == len(ALL)
    shots = {(shot.time_s, round(shot.lon_deg, 6)): (shot, number) for number, shot in enumerate(STREET)}
    for one in came:
        if (key := (round(one.image.time_s), round(one.image.lon_deg, 6))) in shots:
            shot, number = shots[key]
            with Image.open(one.path) as picture, Image.open(io.BytesIO(picture_bytes(shot, number))) as uploaded:
                assert picture.size == (640, 480)
                assert np.abs(np.asarray(picture, float) - np.asarray(uploaded, float)).mean() < 2.0


def test_files_are_no_wider_than_what_was_taken(images):
    """The server enlarges narrow pictures to 2048 pixels, and shows only the middle of a panorama in its thumbnail."""
    sizes = {image.image_id: [width for width, _ in image.files] for image in images}
    [panorama] = [image for image in images if image.panorama]
    [large] = [image for image in images if image.files[-1][0] == 2600]
    assert sizes[panorama.image_id] == [2048]
    assert sizes[large.image_id] == [500, 2048, 2600]
    assert file_of(large)[0] == 2048
    assert file_of(large)[1].endswith("/sd.jpg")
    narrow = [image for image in images if image not in (panorama, large)]
    assert {tuple(sizes[image.image_id]) for image in narrow} == {(500, 640)}
    assert {file_of(image)[1].rsplit("/", 1)[1] for image in narrow} == {"hd.jpg"}
    with Image.open(io.BytesIO(httpx.get(narrow[0].files[-1][1].replace("hd.jpg", "sd.jpg"), trust_env=False).content)) as enlarged:
        assert enlarged.width == 2048


def test_more_than_was_agreed_to_is_refused_and_never_comes(server, images, tmp_path):
    consent = download_consent(Panoramax(server.url), images, tmp_path)
    with pytest.raises(InputError, match=f"an estimated {consent.estimated_mb} MB, over the 0.1 MB that were agreed to"):
        consent.agreed(0.1)
    agreed = Agreed(frozenset(consent.origins), 200_000)
    with (
        Web(agreed) as web,
        pytest.raises(InputError, match=r"ceiling of 0.2 MB for one run is reached: \d+ of 41 pictures are there and are kept"),
    ):
        list(fetch(Panoramax(server.url), images, web, tmp_path))
    kept = sum(is_fetched(image, tmp_path) for image in images)
    assert 0 < kept < len(ALL)
    assert download_consent(Panoramax(server.url), images, tmp_path).kept == kept


def test_a_killed_download_goes_on_with_nothing_lost_and_nothing_twice(server, images, tmp_path):
    """The process is killed at moments of chance, six times; the pictures that were there then are never asked for again."""
    rng = random.Random(0)
    script = (
        "import sys\nfrom pathlib import Path\nsys.path.insert(0, sys.argv[3])\n"
        "from tests_panoramax_child import run\nrun(sys.argv[1], Path(sys.argv[2]), sys.argv[4])\n"
    )
    helper = tmp_path / "helper"
    helper.mkdir()
    (helper / "tests_panoramax_child.py").write_text(CHILD, encoding="utf-8")
    folder, environment = tmp_path / "pictures", {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    asked = len(server.requests())
    for _ in range(KILLS):
        before = {path: path.stat().st_mtime_ns for path in folder.glob("??/*.jpg")}
        child = subprocess.Popen(
            [sys.executable, "-c", script, server.url, str(folder), str(helper), AREA], env=environment, stdout=-1, text=True
        )
        assert child.stdout.readline() == "begun\n"
        enough = len(before) + rng.randint(0, 3)
        while child.poll() is None and len(list(folder.glob("??/*.jpg"))) < enough:
            time.sleep(0.002)
        time.sleep(rng.uniform(0.0, 0.01))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        assert {path: path.stat().st_mtime_ns for path in before} == before
    while_killed = list(folder.glob("??/*.jpg"))
    assert len(while_killed) < len(ALL), "the kills came too late to tell anything"
    for path in while_killed:
        with Image.open(path) as picture:
            picture.load()
    _, came = downloaded(server, images, folder)
    assert {one.image.image_id for one in came if one.path} == {image.image_id for image in images}
    assert len({one.path for one in came}) == len(ALL)
    assert not list(folder.rglob(".vidtag-*")), "what a killed process was writing is cleared away"
    time.sleep(0.2)
    hits = sum("/api/pictures/" in line for line in server.requests()[asked:])
    assert hits <= len(ALL) + 2 * KILLS, "only what two connections had on their way was asked for again"


KILLS = 6
CHILD = """
from vidtag_engine.grid.aoi import load_aoi
from vidtag_engine.reference.consent import download_consent, query_consent
from vidtag_engine.reference.downloads import fetch
from vidtag_engine.reference.sources import Panoramax
from vidtag_engine.reference.web import Web


def run(url, folder, area):
    source, area = Panoramax(url), load_aoi(area)
    with Web(query_consent(source, area).agreed(yes=True)) as web:
        images = list(source.search(area, web))
    consent = download_consent(source, images, folder)
    print("begun", flush=True)
    with Web(consent.agreed(1000.0)) as web:
        for one in fetch(source, images, web, folder):
            pass
"""


def test_what_is_no_panoramax_server_is_told_so(server):
    area = load_aoi(AREA)
    source = open_source("Panoramax", f"{server.url}/api/")
    assert source.api == server.url
    other = Panoramax(server.url)
    other.api = f"{server.url}/api/pages"
    with Web(query_consent(source, area).agreed(yes=True)) as web, pytest.raises(InputError, match="refused to answer .status 400."):
        list(other.search(area, web))
    with pytest.raises(InputError, match="is no address of a Panoramax server"):
        open_source("panoramax", "not a place")
    with pytest.raises(InputError, match="There is no source 'streetview': choose one of panoramax, folder, msls"):
        open_source("streetview")


def test_a_limit_that_the_server_does_not_allow_is_lowered(server, images):
    assert len(found(server, limit=20_000)) == len(images)


def test_items_that_make_no_sense_are_left_out(server):
    area = load_aoi(AREA)
    source = Panoramax(server.url)
    with Web(query_consent(source, area).agreed(yes=True)) as web:
        item = web.json(f"{server.url}/api/search", {"bbox": AREA, "limit": "1"})["features"][0]
    assert read_item(item, server.url) is not None
    for broken in (
        None, [], {}, {**item, "geometry": None}, {**item, "geometry": {"coordinates": ["x", 1]}}, {**item, "geometry": {"coordinates": [1, 91]}},
        {**item, "assets": {}}, {**item, "assets": {"hd": {"href": "file:///etc/passwd"}}}, {**item, "id": 5}, {**item, "properties": []},
    ):  # fmt: skip
        assert read_item(broken, server.url) is None
    inward = {**item, "assets": {"hd": {"href": "http://192.168.1.1/hd.jpg"}}}
    assert read_item(inward, server.url) is not None  # this one is on the local network itself
    assert read_item(inward, "https://api.panoramax.xyz") is None
    odd = read_item({**item, "properties": {**item["properties"], "view:azimuth": 725, "datetime": "soon", "license": 7}}, server.url)
    assert (odd.heading_deg, odd.licence, math.isnan(odd.time_s)) == (5.0, "", True)


def typed(*arguments, status=0):
    done = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    assert done.exit_code == status, done.output
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_from_an_area_to_a_video_found_by_a_platforms_pictures(server, tmp_path, monkeypatch):
    """As it is typed: nothing without a yes, then the question, then the database, then an answer that names whose pictures it is from."""
    monkeypatch.setenv("VIDTAG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("vidtag_engine.commands.reference.default_pictures_folder", lambda: tmp_path / "pictures")
    output, east = tmp_path / "street", f"{LON - 0.001},{LAT - 0.0002},{LON + 0.004},{LAT + 0.0002}"
    asked = (
        "reference", "build", "--source", "panoramax", "--address", server.url, f"--aoi={east}", "--output", output, "--resolution-m", "10",
        "--width", "16", "--spot-m", "5", "--width-px", "500",
    )  # fmt: skip
    refused = typed(*asked, status=2)
    assert "Nobody said yes" in refused["error"]
    assert "--yes-query" in refused["error"]
    assert not output.exists()
    question = typed(*asked, "--yes-query")
    assert question["count"] == len(STREET) + len(BACK)
    assert "CC-BY-SA-4.0 (30)" in question["question"]
    assert not output.exists()
    assert not (tmp_path / "pictures").exists()
    said = typed(*asked, "--yes-query", "--yes-download-mb", 100)
    assert (said["added"], said["drives"], said["licences"], said["private"]) == (30, 2, ["CC-BY-SA-4.0"], False)
    assert "2 drives" in said["not_rated"]
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and EMAIL.encode() in file.read_bytes()]
    again = typed(*asked, "--yes-query", "--yes-download-mb", 100)
    assert (again["added"], again["there"], again["images"]) == (0, 30, 30)

    unknown = tmp_path / "unknown"
    unknown.mkdir()
    rng = np.random.default_rng(0)
    for number, shot in enumerate(STREET[4:20]):
        pixels = np.asarray(Image.open(io.BytesIO(picture_bytes(shot, 4 + number)))).astype(float)
        noisy = np.clip(0.8 * pixels + rng.normal(0, 12, pixels.shape), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(unknown / f"{number:03d}.jpg", quality=85)
    found = tmp_path / "found.gpkg"
    typed(
        "geolocate", "--images", unknown, "--reference", output, "--resolution-m", "10", f"--aoi={east}", "--output", found, "--always-answer",
        "--kml", tmp_path / "found.kml", "--html", tmp_path / "found.html",
    )  # fmt: skip
    for name in ("found.kml", "found.html"):
        assert "Recognised by pictures of Default account (CC-BY-SA-4.0)." in (tmp_path / name).read_text(encoding="utf-8")
    result = read_geopackage(found)[0][0]
    truth = np.array([[shot.lat_deg, shot.lon_deg] for shot in STREET[4:20]])
    error_m = haversine_m(result.trajectory.lat_deg, result.trajectory.lon_deg, *truth.T)
    assert np.median(error_m) < 15.0
    assert {(one.source, one.author, one.licence) for one in result.matches} == {("panoramax", "Default account", "CC-BY-SA-4.0")}
    for one in result.matches:
        assert math.isfinite(one.lat_deg)
        assert max(Image.open(io.BytesIO(one.thumbnail)).size) <= 256


def test_a_panorama_becomes_views_of_one_drive(server, tmp_path, monkeypatch):
    monkeypatch.setattr("vidtag_engine.commands.reference.default_pictures_folder", lambda: tmp_path / "pictures")
    around = f"{LON + 0.00005},{LAT + 0.0004},{LON + 0.00015},{LAT + 0.0006}"
    said = typed(
        "reference", "build", "--source", "panoramax", "--address", server.url, f"--aoi={around}", "--output", tmp_path / "one", "--yes-query",
        "--yes-download-mb", 50, "--width", "8",
    )  # fmt: skip
    assert (said["added"], said["drives"]) == (6, 1)
    shown = Store.open(tmp_path / "one").shown(range(6))
    assert sorted(one.image.heading_deg for one in shown) == pytest.approx(sorted((123.0 + 60.0 * n) % 360.0 for n in range(6)))


def test_what_a_platform_takes_down_leaves_the_database(server, tmp_path, monkeypatch):
    """Last of all: it takes a picture away from the server that the others ask."""
    monkeypatch.setattr("vidtag_engine.commands.reference.default_pictures_folder", lambda: tmp_path / "pictures")
    area = f"--aoi={LON - 0.001},{LAT + 0.0008},{LON + 0.001},{LAT + 0.0012}"
    asked = ("--source", "panoramax", "--address", server.url, area, "--yes-query")
    typed(
        "reference",
        "build",
        *asked,
        "--output",
        tmp_path / "db",
        "--yes-download-mb",
        50,
        "--width",
        "8",
        "--spot-m",
        "0.1",
        "--width-px",
        "500",
    )
    store = Store.open(tmp_path / "db")
    before = [one.image.image_id for one in store.shown(range(len(store.rows)))]
    assert before
    assert typed("reference", "refresh", tmp_path / "db", *asked)["removed"] == 0
    server.take_down(before[0])
    said = typed("reference", "refresh", tmp_path / "db", *asked)
    assert said["removed"] == 1
    store = Store.open(tmp_path / "db")
    assert before[0] not in [one.image.image_id for one in store.shown(np.flatnonzero(store.there).tolist())]
    # A source that gives nothing at all is not taken at its word.
    for image_id in before[1:]:
        server.take_down(image_id)
    assert "no pictures" in typed("reference", "refresh", tmp_path / "db", *asked, status=2)["error"]
