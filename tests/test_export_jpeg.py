"""Exported pictures: exiftool's own check finds nothing, and exiftool, GDAL and Pillow read place and time back."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vidtag_engine.export.jpeg import exif_of, write_jpeg
from vidtag_engine.file_marks import own_kind
from vidtag_engine.video.exif import read_stamp

EXIFTOOL = shutil.which("exiftool")
NOON = datetime(2026, 5, 1, 12, 0, 59, 999400, tzinfo=UTC)
PLACES = {
    "north east": (48.776111, 9.177500, NOON),
    "south west": (-33.456789012, -70.648123456, NOON),
    "without a time": (-33.5, 151.2, None),
    "the null island": (0.0, 0.0, NOON),
    "west of the null island": (-1e-9, -1e-9, NOON),
    "west of the antimeridian": (-16.9, 179.9999999999, NOON),
    "the antimeridian from the east": (-16.9, -180.0, NOON),
    "the antimeridian from the west": (-16.9, 180.0, None),
    "a pole": (90.0, -0.0, NOON),
    "the other": (-90.0, 12.0, NOON),
    "seconds that round up": (59.0 + 59 / 60 + 59.9999999 / 3600, -(9.0 + 59.99995 / 3600), NOON),
    "a zone and another day": (1.5, 2.5, datetime(2025, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))),
}


def exported(folder):
    """A picture a place, as :data:`PLACES` has them."""
    image = np.random.default_rng(1).integers(0, 255, (48, 65, 3), dtype=np.uint8)
    for name, (lat_deg, lon_deg, taken) in PLACES.items():
        facts = {"video": "é.mp4", "confidence": 0.5}
        write_jpeg(folder / f"{name}.jpg", image, lat_deg, lon_deg, taken=taken, description="é, frame 3", facts=facts)


@pytest.mark.skipif(EXIFTOOL is None, reason="exiftool is not installed (Debian: libimage-exiftool-perl)")
def test_exiftool_finds_nothing_to_warn_of_and_reads_place_and_time_back(tmp_path):
    exported(tmp_path)
    said = subprocess.run([EXIFTOOL, "-validate", "-warning", "-error", "-a", "-j", tmp_path], capture_output=True, text=True, check=True)
    checked = json.loads(said.stdout)
    assert len(checked) == len(PLACES)
    assert [one for one in checked if one["Validate"] != "OK" or {"Warning", "Error"} & one.keys()] == []
    said = subprocess.run([EXIFTOOL, "-j", "-n", "-G0:1", tmp_path], capture_output=True, text=True, check=True)
    for one in json.loads(said.stdout):
        lat_deg, lon_deg, taken = PLACES[one["File:System:FileName"].removesuffix(".jpg")]
        assert one["Composite:GPSLatitude"] == pytest.approx(lat_deg, abs=3e-9)
        assert one["Composite:GPSLongitude"] == pytest.approx(lon_deg, abs=3e-9)
        assert json.loads(one["EXIF:ExifIFD:UserComment"]) == {
            "video": "é.mp4", "confidence": 0.5, "place": "estimated from the picture by VidTAG",
        }  # fmt: skip
        assert (one["EXIF:ExifIFD:ExifImageWidth"], one["EXIF:ExifIFD:ExifImageHeight"]) == (65, 48)
        assert (one["EXIF:IFD0:XResolution"], one["JFIF:XResolution"]) == (72, 72)
        times = {key: value for key, value in one.items() if key in {"Composite:SubSecDateTimeOriginal", "Composite:GPSDateTime"}}
        if taken is None:
            assert times == {}
            assert not any("Date" in key for key in one if not key.startswith("File:System"))
            continue
        moment = taken.astimezone(UTC)
        milliseconds = moment.microsecond // 1000
        assert times["Composite:SubSecDateTimeOriginal"] == f"{moment:%Y:%m:%d %H:%M:%S}.{milliseconds:03d}+00:00"
        fraction = f".{milliseconds:03d}" if milliseconds else ""
        assert times["Composite:GPSDateTime"] == f"{moment:%Y:%m:%d %H:%M:%S}{fraction}Z"


@pytest.mark.skipif(shutil.which("gdalinfo") is None, reason="gdalinfo is not installed")
def test_gdal_and_our_own_reader_read_them(tmp_path):
    exported(tmp_path)
    for name, (lat_deg, lon_deg, taken) in PLACES.items():
        path = tmp_path / f"{name}.jpg"
        run = subprocess.run(["gdalinfo", "-json", str(path)], capture_output=True, text=True, check=True)
        exif = json.loads(run.stdout)["metadata"][""]
        assert exif["EXIF_ComponentsConfiguration"].split() == ["0x01", "0x02", "0x03", "0x00"]
        assert exif["EXIF_ExifVersion"] == "0232"
        stamp = read_stamp(path)
        if "null island" not in name:  # which readers may take for no place
            assert (stamp.lat_deg, stamp.lon_deg) == pytest.approx((lat_deg, lon_deg), abs=3e-9)
        assert (stamp.taken is None) == (taken is None)
        assert taken is None or abs(stamp.taken - taken) < timedelta(milliseconds=1)
        assert own_kind(path) == "frame"
        with Image.open(path) as picture:
            picture.load()
            assert picture.size == (65, 48)


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_degrees_come_back(lat_deg: float, lon_deg: float) -> None:
    again = Image.Exif()
    again.load(exif_of(lat_deg, lon_deg, (64, 48), taken=None, description="é", facts={}))
    gps = again.get_ifd(0x8825)
    for number, value, signs in ((2, lat_deg, "NS"), (4, lon_deg, "EW")):
        degrees, minutes, seconds = (float(part) for part in gps[number])
        assert 0 <= minutes < 60
        assert 0 <= seconds < 60
        assert gps[number - 1] == signs[value < 0]
        assert degrees + minutes / 60 + seconds / 3600 == pytest.approx(abs(value), abs=2e-9)
    assert 0x9003 not in again.get_ifd(0x8769)  # no time is better than an invented one
