"""Splitting loses nothing, whatever the limit and however dense the place: against a server in memory that cuts as the real one does."""

import re
from datetime import UTC, datetime

import numpy as np
import pytest

from vidtag_engine.feedback import Feedback
from vidtag_engine.grid.aoi import load_aoi
from vidtag_engine.reference.sources import Panoramax
from vidtag_engine.reference.sources.tiles import Tile, touched
from vidtag_engine.reference.web import RefusedError
from vidtag_engine.types import CancelledError, InputError

AREA = load_aoi("11.545,48.125,11.605,48.155")


class Server:
    """Pictures in a box, the nearest to its middle, as many as the limit or its own lower one, and not a word of more.

    Args:
        lon_lat_deg: (N, 2).
        time_s: (N,).
        own_limit: that it silently keeps to; ``most``: that it refuses to go beyond.
    """

    def __init__(self, lon_lat_deg, time_s, *, own_limit=10**9, most=10**9):
        self.places, self.times, self.own_limit, self.most = lon_lat_deg, time_s, own_limit, most
        self.boxes = []

    def json(self, address, params, check=lambda: None):
        check()
        assert address == "https://api.panoramax.xyz/api/search"
        west, south, east, north = (float(side) for side in params["bbox"].split(","))
        self.boxes.append((west, south, east, north))
        if int(params["limit"]) > self.most:
            raise RefusedError("too many", 400)
        x, y = self.places.T
        inside = (x >= west) & (x <= east) & (y >= south) & (y <= north)
        if "datetime" in params:
            start, end = (
                datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() for text in re.sub("Z", "", params["datetime"]).split("/")
            )
            inside &= (self.times >= start) & (self.times <= end)
        rows = np.flatnonzero(inside)
        rows = rows[np.argsort(np.hypot(x[rows] - (west + east) / 2, y[rows] - (south + north) / 2))]
        return {"features": [self.item(row) for row in rows[: min(int(params["limit"]), self.own_limit)]]}

    def item(self, row):
        when = datetime.fromtimestamp(float(self.times[row]), UTC).isoformat()
        return {
            "id": str(row), "collection": "c", "geometry": {"coordinates": self.places[row].tolist()}, "properties": {"datetime": when},
            "assets": {"hd": {"href": f"https://one.example.org/{row}.jpg"}},
        }  # fmt: skip


def city(count, seed=0):
    """Streets, one square where many stand, and pictures on the very sides of tiles."""
    rng = np.random.default_rng(seed)
    spread = rng.uniform((11.54, 48.12), (11.61, 48.16), (count, 2))
    square = np.array([11.5754, 48.1374]) + rng.normal(0, 1e-5, (count // 4, 2))
    sides = np.array([(tile.bounds[0], tile.bounds[1]) for tile in touched(AREA)])
    places = np.round(np.concatenate([spread, square, sides]), 7)
    return places, rng.integers(1_500_000_000, 1_700_000_000, len(places)).astype(float)


def expected(places):
    west, south, east, north = AREA.bounds
    inside = (places[:, 0] >= west) & (places[:, 0] <= east) & (places[:, 1] >= south) & (places[:, 1] <= north)
    return {str(row) for row in np.flatnonzero(inside)}


@pytest.mark.parametrize("limit", [3, 17, 100, 1000, 10_000])
def test_all_are_found_once_at_every_limit(limit):
    server = Server(*city(2000))
    found = [image.image_id for image in Panoramax(limit=limit).search(AREA, server)]
    assert len(found) == len(set(found))
    assert set(found) == expected(server.places)


@pytest.mark.parametrize("own_limit", [100, 500, 1000])
def test_a_server_that_quietly_keeps_to_a_lower_limit_is_seen_through(own_limit):
    """No server says that it gave fewer than it was asked for; a number so round is taken for that."""
    server = Server(*city(4000), own_limit=own_limit)
    assert {image.image_id for image in Panoramax().search(AREA, server)} == expected(server.places)
    assert (
        max(len(server.json("https://api.panoramax.xyz/api/search", {"bbox": "11,48,12,49", "limit": "10000"})["features"]), 0) == own_limit
    )


def test_a_server_that_refuses_the_limit_is_asked_for_less():
    server = Server(*city(3000), most=1000)
    source = Panoramax()
    assert {image.image_id for image in source.search(AREA, server)} == expected(server.places)
    assert source.limit == 1000
    with pytest.raises(RefusedError):
        list(Panoramax(limit=900).search(AREA, Server(*city(10), most=10)))


def test_exactly_a_round_number_in_one_second_is_no_error():
    places = np.tile([[11.5754, 48.1374]], (200, 1))
    found = list(Panoramax().search(AREA, Server(places, np.full(200, 1_600_000_000.0))))
    assert len(found) == 200


def test_a_crowd_of_one_second_is_an_error_with_its_count():
    places = np.tile([[11.5754, 48.1374]], (60, 1))
    with pytest.raises(
        InputError, match=r"api.panoramax.xyz gave 50 pictures of one second within \d+ m at 48.137., 11.575. and may have more"
    ):
        list(Panoramax(limit=50).search(AREA, Server(places, np.full(60, 1_600_000_000.0))))
    apart = 1_600_000_000.0 + 3.0 * np.arange(60)
    assert len(list(Panoramax(limit=50).search(AREA, Server(places, apart)))) == 60


def test_no_box_tells_more_than_tiles_do():
    """Every box is a tile that the area lies in or a part of one that was full, never one that follows the outline."""
    triangle = load_aoi("POLYGON((11.545 48.125, 11.605 48.125, 11.545 48.155, 11.545 48.125))")
    server = Server(*city(2000))
    list(Panoramax(limit=50).search(triangle, server))
    tiles = {tuple(round(side, 9) for side in tile.bounds): tile for tile in touched(triangle)}
    expected_boxes = []

    def follow(tile):
        expected_boxes.append(tuple(round(side, 9) for side in tile.bounds))
        x, y = server.places.T
        west, south, east, north = expected_boxes[-1]
        count = int(((x >= west) & (x <= east) & (y >= south) & (y <= north)).sum())
        if min(count, 50) >= 50 and tile.size_m > 25:
            for child in tile.children():
                follow(child)

    for tile in tiles.values():
        follow(tile)
    assert set(server.boxes) == set(expected_boxes)
    assert all(isinstance(tile, Tile) for tile in tiles.values())


def test_it_can_be_stopped_and_says_how_far_it_is():
    told = []
    list(Panoramax().search(AREA, Server(*city(500)), Feedback(told.append)))
    assert told[0].fraction == 0.0
    assert told[-1].fraction == 1.0
    assert told[-1].message.endswith("pictures found")
    with pytest.raises(CancelledError):
        list(Panoramax().search(AREA, Server(*city(500)), Feedback(cancelled=lambda: True)))
