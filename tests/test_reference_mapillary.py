"""Mapillary as its Graph API is published, against a server of our own: nobody here has run it against the service."""

import io
import json
import math
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image

from tests.web_server import serving
from vidtag_engine.grid.aoi import load_aoi
from vidtag_engine.reference.consent import download_consent, query_consent
from vidtag_engine.reference.downloads import fetch
from vidtag_engine.reference.sources import SOURCES, Mapillary, needs_token, offered, open_source
from vidtag_engine.reference.sources.mapillary import read_item
from vidtag_engine.reference.sources.tiles import touched
from vidtag_engine.reference.web import Web, origin
from vidtag_engine.types import InputError

TOKEN = "MLY|invented|0123456789"
AREA = load_aoi("11.570,48.130,11.590,48.145")


def items():
    rng = np.random.default_rng(0)
    made = []
    for number, (lon, lat) in enumerate(np.round(rng.uniform((11.568, 48.128), (11.592, 48.147), (60, 2)), 7).tolist()):
        made.append({
            "id": str(1000 + number), "geometry": {"type": "Point", "coordinates": [lon + 1e-4, lat]},
            "computed_geometry": {"type": "Point", "coordinates": [lon, lat]}, "captured_at": 1_600_000_000_000 + 1000 * number,
            "compass_angle": 10.0, "computed_compass_angle": 725.5, "is_pano": False, "camera_type": "perspective", "sequence": f"s{number % 4}",
            "creator": {"username": "someone", "id": "7"}, "width": 4000, "height": 3000,
        })  # fmt: skip
    del made[0]["computed_geometry"], made[0]["computed_compass_angle"]
    made[1] |= {"is_pano": True, "camera_type": "spherical", "width": 4000, "height": 2000}
    made[2] |= {"is_pano": True, "camera_type": "perspective"}
    return made


class Graph:
    """``/images`` and ``/ID``, with a token alone; pictures lie on another host."""

    def __init__(self):
        self.items, self.pictures = items(), ""
        picture = io.BytesIO()
        Image.new("RGB", (64, 48), (9, 90, 9)).save(picture, "JPEG")
        self.picture = picture.getvalue()

    def answers(self):
        def images(handler):
            if handler.headers.get("Authorization") != f"OAuth {TOKEN}":
                return 401, {}, b'{"error": {}}'
            asked = {name: values[0] for name, values in parse_qs(urlsplit(handler.path).query).items()}
            west, south, east, north = (float(side) for side in asked["bbox"].split(","))
            assert (east - west) * (north - south) < 0.01
            inside = [
                one
                for one in self.items
                if west <= one["geometry"]["coordinates"][0] - 1e-4 <= east and south <= one["geometry"]["coordinates"][1] <= north
            ]
            return 200, {}, json.dumps({"data": inside[: int(asked["limit"])]}).encode()

        def one(handler):
            if handler.headers.get("Authorization") != f"OAuth {TOKEN}":
                return 401, {}, b""
            number = urlsplit(handler.path).path[1:]
            return 200, {}, json.dumps({"thumb_2048_url": f"{self.pictures}/{number}.jpg?signature=x", "id": number}).encode()

        images.whole = one.whole = True
        return {"/images": images} | {f"/{item['id']}": one for item in self.items}


@pytest.fixture
def graph():
    graph = Graph()
    with (
        serving({f"/{item['id']}.jpg": lambda _: (200, {}, graph.picture) for item in graph.items}) as (pictures, seen),
        serving(graph.answers()) as (
            address,
            told,
        ),
    ):
        graph.pictures, graph.seen, graph.address, graph.told = pictures, seen, address, told
        yield graph


def source_of(graph, **more):
    return Mapillary(TOKEN, api=graph.address, leads_to=(origin(graph.pictures),), **more)


def found(graph, **more):
    source = source_of(graph, **more)
    with Web(query_consent(source, AREA).agreed(yes=True), headers=source.headers) as web:
        return list(source.search(AREA, web))


@pytest.mark.parametrize("limit", [5, 1000])
def test_all_pictures_in_the_area_are_found(graph, limit):
    images = {image.image_id: image for image in found(graph, limit=limit)}
    west, south, east, north = AREA.bounds
    inside = [item for n, item in enumerate(graph.items) if n > 2 and west <= item["computed_geometry"]["coordinates"][0] <= east
              and south <= item["computed_geometry"]["coordinates"][1] <= north]  # fmt: skip
    assert {item["id"] for item in inside} == set(images) - {"1000", "1001"}
    assert "1002" not in images, "a panorama that does not show all around"
    assert (len(graph.told.asked) > len(touched(AREA))) == (limit == 5)
    for item in inside:
        image = images[item["id"]]
        assert [image.lon_deg, image.lat_deg] == item["computed_geometry"]["coordinates"]
        assert [image.device_lon_deg, image.device_lat_deg] == item["geometry"]["coordinates"]
        assert (image.heading_deg, image.author, image.licence, image.source) == (5.5, "someone", "CC-BY-SA-4.0", "mapillary")
        assert image.time_s == item["captured_at"] / 1000


def test_addresses_are_asked_for_anew_and_the_token_goes_nowhere_else(graph, tmp_path):
    images, source = found(graph)[:10], source_of(graph)
    consent = download_consent(source, images, tmp_path)
    assert set(consent.origins) == {graph.address, graph.pictures}
    with Web(consent.agreed(100), headers=source.headers) as web:
        came = list(fetch(source, images, web, tmp_path))
    assert all(one.path is not None for one in came)
    assert len(graph.seen.asked) == 10
    assert all("signature=x" in path for path in graph.seen.paths)
    assert not [sent for sent in graph.seen.headers if "Authorization" in sent]
    assert not [path for path in graph.told.paths if "MLY" in path]
    assert TOKEN not in repr(images) + repr(consent) + consent.text() + repr(source) + repr(vars(consent))
    assert "signature" not in repr(images)


def test_without_a_token_that_is_taken(graph):
    for none in ("", "  ", "with\nlines"):
        with pytest.raises(InputError, match="asks for a token of your own"):
            Mapillary(none)
    source = Mapillary("MLY|wrong", api=graph.address)
    with Web(query_consent(source, AREA).agreed(yes=True), headers=source.headers) as web, pytest.raises(InputError) as raised:
        list(source.search(AREA, web))
    assert str(raised.value) == "Mapillary refused the question or the token (status 401); look whether the token is valid."


def test_it_is_switched_off():
    assert "mapillary" in SOURCES
    assert offered() == ("panoramax", "folder", "msls")
    assert not needs_token("mapillary")
    with pytest.raises(InputError, match="Mapillary is switched off: whether its present terms"):
        open_source("Mapillary")


def test_odd_items():
    one = items()[5]
    for odd in (None, {}, {**one, "computed_geometry": {"coordinates": [500, 1]}}, {**one, "id": ""}, {**one, "computed_geometry": 7}):
        assert read_item(odd, "https://graph.mapillary.com") is None
    bare = read_item({"id": 5, "geometry": {"coordinates": [1.0, 2.0]}}, "https://graph.mapillary.com")
    assert (bare.image_id, bare.sequence, bare.author) == ("5", "5", "")
    assert math.isnan(bare.heading_deg)
    assert math.isnan(bare.time_s)
    assert (bare.lat_deg, bare.lon_deg) == (2.0, 1.0)
    assert math.isnan(bare.device_lat_deg + 0.0 * bare.device_lon_deg), "one place alone"
    for broken in ({"coordinates": "here"}, {"coordinates": [None, None]}, None):
        other = read_item({**one, "geometry": broken}, "https://graph.mapillary.com")
        assert other is None or math.isnan(other.device_lat_deg)
    assert bare.files == (
        (1024, "https://graph.mapillary.com/5?fields=thumb_1024_url"),
        (2048, "https://graph.mapillary.com/5?fields=thumb_2048_url"),
    )
