"""An unpacked MSLS as reference pictures: what its tables say of each, once, inside the area."""

import math

import pytest

from tests.dataset_maker import write_msls, write_table
from vidtag_engine.grid.aoi import load_aoi
from vidtag_engine.reference.consent import query_consent
from vidtag_engine.reference.sources import MslsTree, open_source
from vidtag_engine.reference.web import Web
from vidtag_engine.types import InputError


def found(folder, area):
    source, area = open_source("msls", str(folder)), load_aoi(area)
    with Web(query_consent(source, area).agreed(yes=False)) as web:
        return {image.image_id: image for image in source.search(area, web)}


def test_every_picture_with_a_place_is_one(tmp_path):
    truth = write_msls(tmp_path, {"goa": (15.3, 73.9), "zurich": (47.3, 8.5)}, sequences=4, frames=20)
    images = found(tmp_path, "73,15,75,16")
    assert len(images) == 80
    for count in range(4):
        for t, (lat, lon) in enumerate(truth[f"goa/seq{count:03d}"]):
            image = images[f"goa{count}x{t}"]
            assert (image.lat_deg, image.lon_deg, image.sequence, image.source) == (lat, lon, f"seq{count:03d}", "msls")
            assert image.time_s == 1_409_056_938 + t
            assert image.files[0][1].endswith(f"/images/goa{count}x{t}.jpg")
    first = truth["goa/seq000"][0]
    assert "goa0x0" in found(tmp_path, f"{first[1] - 1e-6},{first[0] - 1e-6},{first[1] + 1e-6},{first[0] + 1e-6}")


def test_what_has_no_place_no_file_or_is_a_panorama_is_left_out(tmp_path):
    write_msls(tmp_path, {"goa": (15.3, 73.9)}, sequences=1, frames=6)
    part = tmp_path / "train_val" / "goa" / "database"
    said = [("370", "False"), ("", "False"), ("-1.0", "False"), ("20", "True"), ("20", "False"), ("20", "False")]
    rows = [[f"goa0x{t}", 73.95, 15.35, heading, 1_409_056_938_000, panorama] for t, (heading, panorama) in enumerate(said)]
    rows[4][1] = "-1.0"
    write_table(part / "raw.csv", ["key", "lon", "lat", "ca", "captured_at", "pano"], rows)
    (part / "images" / "goa0x5.jpg").unlink()
    images = found(tmp_path, "73,15,75,16")
    assert sorted(images) == ["goa0x0", "goa0x1", "goa0x2"]
    assert images["goa0x0"].heading_deg == 10.0
    assert math.isnan(images["goa0x1"].heading_deg)
    assert math.isnan(images["goa0x2"].heading_deg)
    (part / "raw.csv").unlink()
    assert found(tmp_path, "73,15,75,16") == {}


def test_another_folder_is_refused(tmp_path):
    for folder in (str(tmp_path), ""):
        with pytest.raises(InputError, match="unpack its archives into one folder and give that"):
            MslsTree(folder)
