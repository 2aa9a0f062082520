"""Tables of positions: units, zones and the headers of other programs; nothing is dropped or guessed without a word."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from vidtag_engine.training.sources import pair_sources
from vidtag_engine.types import InputError
from vidtag_engine.video import read_track

if TYPE_CHECKING:
    from pathlib import Path

OWN = (
    '<?xml version="1.0"?><gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1" creator="VidTAG"><trk><trkseg>'
    '<trkpt lat="1" lon="2"><time>2026-05-01T12:00:00Z</time></trkpt></trkseg></trk></gpx>'
)
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC).timestamp()


def table(tmp_path: Path, text: str, name: str = "a.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("header", "second", "last"),
    [
        ("time(millisecond)", "1500", "3000"),
        ("timestamp_ms", "1500", "3000"),
        ("time_us", "1500000", "3000000"),
        ("TimeUS", "1500000", "3000000"),
        ("t [ms]", "1500", "3000"),
        ("t (µs)", "1500000", "3000000"),
        ("elapsed (min)", "0.025", "0.05"),
        ("time_ns", "1500000000", "3000000000"),
        ("Time [s]", "1.5", "3"),
        ("seconds", "1.5", "3"),
        ("cts", "1500", "3000"),
        ("SampleTime", "1.50 s", "0:00:03"),
        ("video_time_s", "1.5", "3"),
        ("elapsed", "00:00:01.5", "00:00:03"),
        ("timestamp", "1.5", "3"),
    ],
)
def test_units_in_names_are_honoured(header, second, last, tmp_path):
    path = table(tmp_path, f"{header};lat;lon\n0;1;2\n{second};3;4\n{last};5;6\n")
    track = read_track(path)
    assert not track.absolute
    np.testing.assert_allclose(track.time_s, [0, 1.5, 3])
    assert track.lat_deg.tolist() == [1, 3, 5]


@pytest.mark.parametrize("scale", [("timestamp_ms", 1e3), ("unix_us", 1e6), ("epoch (ns)", 1e9), ("time_s", 1), ("time(millisecond)", 1e3)])
def test_large_numbers_are_unix_times_in_the_unit_of_the_name(scale, tmp_path):
    name, times = scale
    track = read_track(table(tmp_path, f"{name},lat,lon\n{NOON * times:.0f},1,2\n"))
    assert track.absolute
    assert track.time_s[0] == pytest.approx(NOON, abs=1e-3)


@pytest.mark.parametrize("name", ["frame", "tow", "iTOW", "time_boot_ms", "time_xyz", "timecode", "FrameCnt", "GPS week", "clock"])
def test_an_unknown_column_of_times_is_refused_by_its_name(name, tmp_path):
    with pytest.raises(InputError, match="no column with times") as caught:
        read_track(table(tmp_path, f"{name},lat,lon\n0,1,2\n1,3,4\n"))
    assert repr(name) in str(caught.value)


def test_small_numbers_under_a_clocks_name_are_no_seconds(tmp_path):
    with pytest.raises(InputError, match="'utc' holds '120000.00'"):
        read_track(table(tmp_path, "utc,lat,lon\n120000.00,1,2\n"))
    with pytest.raises(InputError, match="needs its date"):
        read_track(table(tmp_path, "time,lat,lon\n12:00:00,1,2\n"))
    with pytest.raises(InputError, match="'date' holds '2026-05-01'"):
        read_track(table(tmp_path, "date,lat,lon\n2026-05-01,1,2\n"))


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-01T12:00:00Z", "2026-05-01T14:00:00+02:00", "2026/05/01 12:00:00", "2026-05-01 12:00:00 UTC", "2026:05:01 12:00:00",
        "2026:05:01 14:00:00.000+02:00", "20260501T120000Z", "1.5.2026 12:00", "2026-05-01 14:00:00+02", "2026-05-01 12:00:00 GMT", "20260501120000",
    ],
)  # fmt: skip
def test_moments_in_every_writing(text, tmp_path):
    track = read_track(table(tmp_path, f"time;lat;lon\n2026-05-01T12:00:00Z;1;2\n{text};3;4\n"))
    assert track.time_s.tolist() == [NOON, NOON]
    assert not track.note


@pytest.mark.parametrize(
    ("header", "day", "clock"),
    [
        ("date,time", "2026-05-01", "12:00:00"), ("Date,UTC time", "2026/05/01", "12:00:00.000"), ("GPSDateStamp,GPSTimeStamp", "2026:05:01", "12:00:00"),
        ("date,time", "20260501", "120000"), ("date,time", "2026-05-01", "14:00:00+02:00"), ("DATE,TIME", "1.5.2026", "12:00"),
    ],
)  # fmt: skip
def test_a_date_and_a_time_of_day_belong_together(header, day, clock, tmp_path):
    assert read_track(table(tmp_path, f"{header},lat,lon\n{day},{clock},1,2\n")).time_s.tolist() == [NOON]


def test_what_is_dropped_is_counted(tmp_path):
    rows = "2026-05-01T12:00:00Z,1,2\n05/01/2026 12:00,1,2\n2026-05-01T12:00:01Z,,2\n2026-05-01T12:00:02Z,0,0\n2026-05-01T12:00:02Z,95,0\n"
    track = read_track(table(tmp_path, f"time,lat,lon\n{rows}"))
    assert len(track.time_s) == 1
    assert "1 of 5 rows of a.csv have no time that can be read, such as '05/01/2026 12:00'" in track.note
    assert "1 of 5 rows of a.csv have no position" in track.note
    assert "1 of 3 positions of a.csv are 0, 0" in track.note
    assert "1 of 3 positions of a.csv are outside" in track.note
    assert "one second apart" in read_track(table(tmp_path, "lat,lon\n1,2\n")).note


def test_headers_of_other_programs(tmp_path):
    exiftool = """SourceFile,GPSDateTime,SampleTime,GPSLatitude,GPSLongitude
a.mp4,2026:05:01 12:00:00.000Z,0 s,"51 deg 30' 0.00"" N","0 deg 7' 30.00"" W"
a.mp4,2026:05:01 12:00:02.000Z,2.00 s,"51 deg 30' 36.00"" S","0 deg 7' 30.00"" E"
"""
    track = read_track(table(tmp_path, exiftool))
    assert (track.time_s.tolist(), track.lat_deg.tolist(), track.lon_deg.tolist()) == ([0, 2], [51.5, -51.51], [-0.125, 0.125])
    unsigned = "SourceFile,GPSLatitude,GPSLatitudeRef,GPSLongitude,GPSLongitudeRef\na.jpg,51.5,South,0.125,W\n"
    track = read_track(table(tmp_path, unsigned))
    assert (track.names, track.lat_deg.tolist(), track.lon_deg.tolist()) == (("a.jpg",), [-51.5], [-0.125])
    gopro = """cts,date,GPS (Lat.) [deg],GPS (Long.) [deg],GPS (Alt.) [m],GPS (2D speed) [m/s],GPS (3D speed) [m/s],fix,precision
0,2026-05-01T12:00:00.000Z,33.1,-117.3,1,2,3,3,150
55.5,2026-05-01T12:00:00.055Z,33.2,-117.3,1,2,3,0,9999
111,2026-05-01T12:00:00.111Z,33.3,-117.3,1,2,3,3,150
"""
    track = read_track(table(tmp_path, gopro))
    assert (track.time_s.tolist(), track.lat_deg.tolist()) == ([0, 0.111], [33.1, 33.3])
    wide = """SourceFile,Main:GPSLatitude,Doc1:GPSLatitude,Doc1:GPSLongitude,Main:GPSLongitude,Main:SampleTime,Doc1:SampleTime
a.mp4,51.5 N,51.6 N,2 W,1 W,0 s,1.2 s
"""
    track = read_track(table(tmp_path, wide))
    assert (track.time_s.tolist(), track.lat_deg.tolist(), track.lon_deg.tolist()) == ([0, 1.2], [51.5, 51.6], [-1, -2])


def test_a_flight_logs_counter_refines_its_clock(tmp_path):
    rows = "".join(f"{ms},2026-05-01 12:00:0{(ms + 700) // 1000},{ms / 1000},2\n" for ms in range(0, 3000, 100))
    track = read_track(table(tmp_path, f"time(millisecond),datetime(utc),latitude,longitude\n{rows}"))
    assert track.absolute
    np.testing.assert_allclose(track.time_s - NOON, 0.7 + track.lat_deg, atol=0.1)
    np.testing.assert_allclose(np.diff(track.time_s), 0.1, atol=1e-6)


def test_rows_of_several_videos_are_never_mixed_by_their_seconds(tmp_path):
    head = "video,frame_index,time_s,time_utc,lat_deg,lon_deg\n"
    with pytest.raises(InputError, match="several videos"):
        read_track(table(tmp_path, head + "a.mp4,0,0,,1,2\nb.mp4,0,0,,3,4\n"))
    track = read_track(table(tmp_path, head + "a.mp4,0,0,2026-05-01T12:00:00Z,1,2\nb.mp4,0,0,2026-05-01T12:00:09Z,3,4\n"))
    assert (track.absolute, track.time_s.tolist()) == (True, [NOON, NOON + 9])


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("[latitude: 55,123456] [longitude: 13,654321]", (55.123456, 13.654321)),
        ("[latitude : 55.123456] [longtitude : -13.654321]", (55.123456, -13.654321)),
        ("latitude: 55, longitude: 13", (55, 13)),
        ("GPS(13.1,55.6,20)", (55.6, 13.1)),
        ("GPS (13,1000, 55,6000, 20)", (55.6, 13.1)),
        ("GPS(13,1;55,6;20)", (55.6, 13.1)),
        ("GPS(13,1,55,6,20)", (55.6, 13.1)),
        ("HOME(W: 83.2, N: 41.0) GPS(W: 83.306747, N: 41.03, 259.54m)", (41.03, -83.306747)),
    ],
)
def test_subtitles_of_every_dialect(text, position, tmp_path):
    path = table(tmp_path, f"1\n00:00:01,500 --> 00:00:02,000\n{text}\n", "a.SRT")
    track = read_track(path)
    assert (track.time_s[0], track.lat_deg[0], track.lon_deg[0]) == (1.5, *position)


def test_gpx_times_with_white_space(tmp_path):
    points = [("\n  2026-05-01T12:00:00Z\n ", 1), (" 2026-05-01T12:00:01,5z", 2), ("soon", 3)]
    rows = "".join(f'<trkseg><trkpt lat="{lat}" lon="2"><time>{time}</time></trkpt></trkseg>' for time, lat in points)
    path = table(tmp_path, f'<gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1"><trk>{rows}</trk></gpx>', "a.gpx")
    track = read_track(path)
    assert (track.time_s.tolist(), track.lat_deg.tolist()) == ([NOON, NOON + 1.5], [1, 2])
    assert "1 of 3 points" in track.note


def test_kml_and_geojson_refuse_what_is_no_track(tmp_path):
    for name, text, words in (
        ("a.kml", "<kml", "not a KML file that"),
        ("a.kml", "<svg/>", "not a KML file"),
        ("a.kml", '<!DOCTYPE kml [<!ENTITY a "b">]><kml>&a;</kml>', "entities"),
        ("a.kml", "<kml><Placemark><Point><coordinates>1,2</coordinates></Point></Placemark></kml>", "no position with a time"),
        ("a.kmz", "PK\3\4nothing", "not a KML"),
        ("a.geojson", "{", "not GeoJSON"),
        ("a.geojson", "[]", "no points"),
        ("a.geojson", json.dumps({"type": "FeatureCollection", "features": [], "crs": {"properties": {"name": "EPSG:3857"}}}), "degrees"),
    ):
        with pytest.raises(InputError, match=words):
            read_track(table(tmp_path, text, name))


def test_a_folder_pairs_by_every_kind_of_track_in_any_case(tmp_path):
    names = {"DJI_0001": ".GPX", "DJI_0002": ".SRT", "DJI_0003": ".csv", "DJI_0004": ".KML", "dji_0005": ".geojson"}
    for name, suffix in names.items():
        (tmp_path / f"{name.upper()}.MP4").write_bytes(b"x")
        (tmp_path / f"{name}{suffix}").write_bytes(b"x")
    pairs = {source.path.stem: source.truth.name for source in pair_sources([tmp_path], [tmp_path])}
    assert pairs == {name.upper(): f"{name}{suffix}" for name, suffix in names.items()}
    # An answer of this tool is no receiver's track: one that lies beside it goes first, and a lone one is told of.
    own = (tmp_path / "DJI_0003.gpx", tmp_path / "DJI_0008.gpx")
    for path in own:
        path.write_text(OWN)
    (tmp_path / "DJI_0008.MP4").write_bytes(b"x")
    pairs = {source.path.stem: source.truth.name for source in pair_sources([tmp_path], [tmp_path])}
    assert (pairs["DJI_0003"], pairs["DJI_0008"]) == ("DJI_0003.csv", "DJI_0008.gpx")
    assert "no truth" in read_track(own[1]).note
    (tmp_path / "DJI_0009.MP4").write_bytes(b"x")
    with pytest.raises(InputError, match=r"DJI_0009\.MP4 has no track"):
        pair_sources([tmp_path], [tmp_path])
