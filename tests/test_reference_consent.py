"""The two questions say whom, what, how much, and a no is a no; the area that is told is whole tiles."""

import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from vidtag_engine.grid.aoi import AreaOfInterest, load_aoi
from vidtag_engine.reference.consent import BYTES_A_PIXEL, QueryConsent, download_consent, estimated_bytes, query_consent
from vidtag_engine.reference.downloads import picture_path
from vidtag_engine.reference.images import ReferenceImage
from vidtag_engine.reference.sources import Panoramax
from vidtag_engine.reference.sources.tiles import ZOOM, Tile, boxes, touched
from vidtag_engine.types import InputError

AREA = "11.5712,48.1301,11.5788,48.1399"


def image(name="a", width=2048, licence="CC-BY-SA-4.0", host="https://pictures.example.org", **more):
    return ReferenceImage("panoramax", name, "s", 48.0, 11.0, licence=licence, files=((width, f"{host}/{name}.jpg"),), **more)


def test_the_first_question_names_the_host_and_whole_tiles():
    consent = query_consent(Panoramax(), load_aoi(AREA))
    assert consent.origins == ("https://api.panoramax.xyz",)
    [box] = consent.boxes
    assert shapely.box(*box).contains(shapely.box(*map(float, AREA.split(","))))
    assert consent.text() == (
        "api.panoramax.xyz would be asked which pictures of Panoramax there are. The server learns this machine's network address and the map tiles that the "
        f"area lies in ({consent.tiles} of zoom 14: 48.122° N to 48.151° N, 11.558° E to 11.580° E, 1.6 × 3.3 km), not the outline. No picture is fetched yet."
    )
    assert consent.agreed(yes=True).origins == frozenset(consent.origins)
    assert consent.agreed(yes=True).most_bytes is None
    with pytest.raises(InputError, match="say so with --yes-query"):
        consent.agreed(yes=False)


def test_two_areas_of_the_same_tiles_are_told_alike():
    first, second = (query_consent(Panoramax(), load_aoi(area)) for area in (AREA, "11.5651,48.1251,11.5793,48.1499"))
    assert first == second


def test_a_source_on_this_machine_asks_nothing():
    consent = QueryConsent("Folder", (), (), 0)
    assert consent.text() == "Folder: nothing is asked over the network."
    assert consent.agreed(yes=False).origins == frozenset()


def test_the_second_question_has_the_numbers(tmp_path):
    images = [image(str(n)) for n in range(1500)] + [
        image("ign", licence="etalab-2.0", host="https://other.example.org"),
        image("none", licence=""),
    ]
    consent = download_consent(Panoramax(), images, tmp_path)
    assert consent.estimated_bytes == 1502 * 2048 * 1536 * BYTES_A_PIXEL
    assert (consent.count, consent.kept, consent.estimated_mb) == (1502, 0, 1182)
    assert consent.text() == (
        "1,502 pictures of Panoramax would be fetched, an estimated 1,182 MB, from other.example.org, pictures.example.org. "
        "Licences: CC-BY-SA-4.0 (1,500), etalab-2.0 (1), no licence stated (1). "
        "Pictures: Panoramax contributors, each under the licence that is named with it."
    )
    with pytest.raises(InputError, match="say so with --yes-download-mb 1182"):
        consent.agreed(None)
    for too_few in (1181, 0, math.nan, -5):
        with pytest.raises(InputError, match="1,502 pictures of Panoramax are an estimated 1,182 MB, over the .* MB that were agreed to"):
            consent.agreed(too_few)
    agreed = consent.agreed(1182)
    assert (agreed.origins, agreed.most_bytes) == ({"https://other.example.org", "https://pictures.example.org"}, 1_182_000_000)
    for one in images[:2]:
        path = picture_path(one, tmp_path)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    later = download_consent(Panoramax(), images, tmp_path)
    assert (later.count, later.kept, dict(later.licences)["CC-BY-SA-4.0"]) == (1500, 2, 1500)
    assert "2 more lie on this machine already." in later.text()
    nothing = download_consent(Panoramax(), images[:2], tmp_path)
    assert nothing.agreed(None).most_bytes == 0
    assert nothing.text() == "Panoramax: nothing is left to fetch, 2 lie on this machine already."


def test_estimates():
    assert estimated_bytes(image(width=1024)) == 1024 * 768 * BYTES_A_PIXEL
    assert estimated_bytes(image(panorama=True)) == 2048 * 1024 * BYTES_A_PIXEL
    assert estimated_bytes(image(width=0)) == estimated_bytes(image(width=2048))
    several = replace(image(), files=((500, "https://a.org/t"), (2048, "https://a.org/s"), (8000, "https://a.org/h")))
    assert estimated_bytes(several, width_px=320) == 500 * 375 * BYTES_A_PIXEL


def test_tiles_are_those_of_web_maps():
    """Against the projection that defines them, by PROJ."""
    project = Transformer.from_crs(4326, 3857, always_xy=True)
    edge = 20_037_508.342789244
    rng = np.random.default_rng(0)
    for lon, lat in zip(rng.uniform(-179, 179, 50), rng.uniform(-84, 84, 50), strict=True):
        x, y = project.transform(lon, lat)
        [tile] = touched(AreaOfInterest(shapely.MultiPolygon([shapely.box(lon, lat, lon + 1e-9, lat + 1e-9)]), 1.0))
        assert (tile.column, tile.row) == (int((x + edge) / (2 * edge) * 2**ZOOM), int((edge - y) / (2 * edge) * 2**ZOOM))
        west, south, east, north = tile.bounds
        assert west <= lon <= east
        assert south <= lat <= north
        corners = [project.transform(*corner) for corner in ((west, south), (east, north))]
        assert tile.size_m == pytest.approx((corners[1][0] - corners[0][0]) * math.cos(math.radians((south + north) / 2)), rel=1e-6)


def test_children_fill_a_tile():
    tile = Tile(14, 8718, 5684)
    children = list(tile.children())
    assert shapely.union_all([shapely.box(*child.bounds) for child in children]).equals(shapely.box(*tile.bounds))
    assert {side for child in children for side in child.bounds} >= set(tile.bounds)


def test_an_area_of_two_places_across_the_antimeridian_tells_only_of_those():
    area = load_aoi("179.995,-17.0,180.005,-16.99")
    told = boxes(touched(area))
    assert len(told) == 2
    assert all(east - west < 0.05 for west, _, east, _ in told)
    triangle = load_aoi("POLYGON((11 48, 11.5 48, 11 48.5, 11 48))")
    tiles = touched(triangle)
    inside = shapely.union_all([shapely.box(*tile.bounds) for tile in tiles])
    assert inside.contains(triangle.geometry)
    assert inside.area < 1.2 * triangle.geometry.area


@pytest.mark.parametrize("area", ["5,45,15,55", "-180,-80,180,80", "0,0,3,3"])
def test_too_large_an_area_is_refused(area):
    with pytest.raises(InputError, match="draw"):
        query_consent(Panoramax(), load_aoi(area))


def test_beyond_the_map():
    with pytest.raises(InputError, match="beyond 85 degrees of latitude"):
        query_consent(Panoramax(), load_aoi("10,86,11,87"))
