"""The user's own pictures: places from EXIF data and from names, one sequence a folder, nothing asked and nothing copied."""

import math

import numpy as np
import pytest
from PIL import Image
from pyproj import Transformer

from benchmarks.panoramax_server import Shot, picture_bytes
from vidtag_engine.feedback import Feedback
from vidtag_engine.grid.aoi import load_aoi
from vidtag_engine.reference.consent import download_consent, query_consent
from vidtag_engine.reference.downloads import fetch
from vidtag_engine.reference.sources import Folder, open_source
from vidtag_engine.reference.web import Agreed, Web
from vidtag_engine.types import CancelledError, InputError

AREA = load_aoi("11.5,48.1,11.6,48.2")


def put(folder, name, shot=None):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if shot is None:
        Image.fromarray(np.zeros((60, 80, 3), np.uint8)).save(path)
    else:
        path.write_bytes(picture_bytes(shot, 0))
    return path


def found(folder, feedback=Feedback(), area=AREA):
    source = open_source("folder", str(folder))
    with Web(query_consent(source, area).agreed(yes=False)) as web:
        return {image.image_id: image for image in source.search(area, web, feedback)}


def test_places_from_exif(tmp_path):
    put(tmp_path, "drive/a.jpg", Shot(48.15, 11.55, 275.0, 1_700_000_000))
    put(tmp_path, "drive/b.JPG", Shot(48.1501, 11.55, math.nan, 1_700_000_005))
    put(tmp_path, "walk/c.jpg", Shot(48.16, 11.56, 10.0, 1_700_000_010, 400, 200, panorama=True))
    put(tmp_path, "walk/elsewhere.jpg", Shot(48.3, 11.56, 10.0, 1_700_000_010))
    put(tmp_path, ".hidden/d.jpg", Shot(48.16, 11.56, 10.0, 1_700_000_010))
    put(tmp_path, "nowhere.png")
    (tmp_path / "words.jpg").write_text("no picture")
    told = []
    images = found(tmp_path, Feedback(told.append))
    assert set(images) == {"drive/a.jpg", "drive/b.JPG", "walk/c.jpg"}
    assert told[-1].message == "3 pictures found, 2 without a place left out"
    one = images["drive/a.jpg"]
    assert (one.source, one.sequence, one.heading_deg, one.time_s) == ("folder", "drive", 275.0, 1_700_000_000)
    assert (one.lat_deg, one.lon_deg) == pytest.approx((48.15, 11.55), abs=1e-7)
    assert (one.author, one.licence, one.files) == ("", "", ((640, str(tmp_path / "drive" / "a.jpg")),))
    assert math.isnan(images["drive/b.JPG"].heading_deg)
    assert (images["walk/c.jpg"].panorama, images["walk/c.jpg"].field_of_view_deg) == (True, 360.0)
    assert not one.panorama


def test_places_from_names(tmp_path):
    east, north = Transformer.from_crs(4326, 32632, always_xy=True).transform(11.57, 48.17)
    put(tmp_path, f"@{east:.2f}@{north:.2f}@32@U@48.15@11.55@pano7@3@275@0@0@@202107@@.jpg")
    put(tmp_path, f"@{east:.2f}@{north:.2f}@32@U@@@pano8@@-90@@@@20210704_101500@@.jpg")
    put(tmp_path, f"@{east:.2f}@{north:.2f}@@@@@pano9@@@@@@@@.jpg")  # in no zone: nobody knows where
    put(tmp_path, "@.jpg")
    first, second = sorted(found(tmp_path).values(), key=lambda image: image.time_s)
    assert (first.lat_deg, first.lon_deg, first.heading_deg) == (48.15, 11.55, 275.0)
    assert (second.lat_deg, second.lon_deg) == pytest.approx((48.17, 11.57), abs=1e-6)
    assert second.heading_deg == 270.0
    assert (first.time_s, second.time_s) == (1_625_097_600.0, 1_625_393_700.0)
    south = Transformer.from_crs(4326, 32756, always_xy=True).transform(151.2, -33.87)
    put(tmp_path, f"sydney/@{south[0]:.2f}@{south[1]:.2f}@56@H@@@.jpg")
    [sydney] = found(tmp_path, area=load_aoi("151,-34,152,-33")).values()
    assert (sydney.lat_deg, sydney.lon_deg) == pytest.approx((-33.87, 151.2), abs=1e-6)


def test_nothing_is_asked_and_nothing_is_copied(tmp_path):
    path = put(tmp_path, "own/a.jpg", Shot(48.15, 11.55, 275.0, 1_700_000_000))
    gone = put(tmp_path, "own/b.jpg", Shot(48.151, 11.55, 275.0, 1_700_000_000))
    images, source = list(found(tmp_path / "own").values()), Folder(str(tmp_path / "own"))
    gone.unlink()
    consent = download_consent(source, images[:1], tmp_path / "cache")
    assert consent.text() == "own pictures: nothing is left to fetch, 1 lie on this machine already."
    with Web(consent.agreed(None)) as web:
        first, second = fetch(source, images, web, tmp_path / "cache")
    assert (first.path, second.path, second.vanished) == (path, None, True)
    assert "is not there any more" in second.why
    assert not (tmp_path / "cache").exists()
    assert source.private


def test_what_cannot_be_used_is_said(tmp_path):
    with pytest.raises(InputError, match="is no folder; give one with pictures in it"):
        open_source("folder", str(tmp_path / "none"))
    with pytest.raises(InputError, match="The source is no folder"):
        open_source("folder")
    with pytest.raises(InputError, match="holds no pictures"):
        found(tmp_path)
    put(tmp_path, "a.png")
    with pytest.raises(InputError, match="None of the 1 pictures in .* has a place"):
        found(tmp_path)
    with pytest.raises(CancelledError):
        list(Folder(str(tmp_path)).search(AREA, Web(Agreed(frozenset())), Feedback(cancelled=lambda: True)))
