"""Track readers: positions, times, and fixes without a lock left out."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from PIL import Image

from tests.video_maker import write_video
from vidtag_engine.types import InputError
from vidtag_engine.video import embedded_track, open_source, read_track
from vidtag_engine.video.klv import EG_0104, ST_0601, sets_in

if TYPE_CHECKING:
    from pathlib import Path


def item(key: bytes, kind: bytes, size: int, data: bytes) -> bytes:
    repeat = len(data) // size if size else 0
    return key + kind + struct.pack(">BH", size, repeat) + data + b"\0" * (-len(data) % 4)


def group(key: bytes, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return key + b"\0" + struct.pack(">BH", 4, len(data) // 4) + data


def gps5(positions: list[tuple[float, float]], fix: int = 3, dop: int = 200) -> bytes:
    samples = b"".join(struct.pack(">5i", round(lat * 1e7), round(lon * 1e7), 0, 0, 0) for lat, lon in positions)
    stream = group(
        b"STRM",
        item(b"GPSF", b"L", 4, struct.pack(">I", fix)),
        item(b"GPSP", b"S", 2, struct.pack(">H", dop)),
        item(b"SCAL", b"l", 4, struct.pack(">5i", 10**7, 10**7, 1000, 1000, 100)),
        item(b"GPS5", b"l", 20, samples),
    )
    accelerometer = group(b"STRM", item(b"SCAL", b"s", 2, struct.pack(">h", 418)), item(b"ACCL", b"s", 6, bytes(12)))
    return group(b"DEVC", accelerometer, stream)


def test_gps5_of_a_raw_payload(tmp_path):
    path = tmp_path / "a.raw"
    path.write_bytes(gps5([(1.5, -2.25), (1.5000001, -2.25), (-1.0, 2.0), (91.0, 0.0)]))
    track = read_track(path)
    assert (track.source, track.absolute) == ("GPS5", False)
    assert np.allclose(track.lat_deg, [1.5, 1.5000001, -1.0], atol=1e-9)
    assert np.allclose(track.time_s, [0, 0.25, 0.5])


@pytest.mark.parametrize(("fix", "dop"), [(0, 200), (3, 9999)])
def test_gps5_without_a_lock_is_no_position(fix, dop, tmp_path):
    path = tmp_path / "a.raw"
    path.write_bytes(gps5([(1.5, -2.25)], fix, dop))
    with pytest.raises(InputError, match="never had a lock"):
        read_track(path)


def test_gps9_says_the_lock_of_each_sample(tmp_path):
    scale = struct.pack(">9i", 10**7, 10**7, 1000, 1000, 100, 1, 1000, 100, 1)
    samples = [struct.pack(">7iHH", 10_000_000 * k, 20_000_000, 0, 0, 0, 9000, 0, 150, fix) for k, fix in ((1, 3), (2, 0), (3, 2))]
    data = group(
        b"DEVC",
        group(b"STRM", item(b"TYPE", b"c", 1, b"lllllllSS"), item(b"SCAL", b"l", 4, scale), item(b"GPS9", b"?", 32, b"".join(samples))),
    )
    (tmp_path / "a.raw").write_bytes(data)
    track = read_track(tmp_path / "a.raw")
    assert track.lat_deg.tolist() == [1.0, 3.0]
    assert np.allclose(track.time_s, [0, 2 / 3])


def test_a_payload_cut_short_is_no_crash(tmp_path):
    path = tmp_path / "a.raw"
    whole = gps5([(1.5, -2.25)])
    for length in range(1, len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError):
            read_track(path)


def ber(data: bytes) -> bytes:
    length = len(data)
    return (bytes([length]) if length < 128 else b"\x82" + length.to_bytes(2, "big")) + data


def st_0601(time_us: int, lat: float | None, lon: float) -> bytes:
    lat_code = -(2**31) if lat is None else round(lat / 90 * (2**31 - 1))
    body = b"\x02" + ber(time_us.to_bytes(8, "big")) + b"\x0d" + ber(struct.pack(">i", lat_code))
    body += b"\x0e" + ber(struct.pack(">i", round(lon / 180 * (2**31 - 1)))) + b"\x81\x05" + ber(b"xy")  # a two-byte tag
    packet = ST_0601 + ber(body + b"\x01\x02\0\0")
    checksum = 0
    for i, byte in enumerate(packet[:-2]):
        checksum += byte << (8 * ((i + 1) % 2))
    return packet[:-2] + (checksum & 0xFFFF).to_bytes(2, "big")


def test_st_0601_positions_times_and_checksums():
    good, none = st_0601(1_600_000_000_500_000, 41.5, -83.25), st_0601(1_600_000_001_500_000, None, -83.25)
    broken = bytearray(good)
    broken[30] ^= 1
    rows = list(sets_in(b"junk" + good + bytes(broken) + none + good[:-9]))
    assert len(rows) == 2
    assert rows[0] == (1_600_000_000.5, pytest.approx(41.5, abs=1e-7), pytest.approx(-83.25, abs=1e-7))
    assert rows[1][1] is None


def test_eg_0104_positions():
    keys = {k: bytes.fromhex(v) for k, v in (("lat", "060e2b34010101030701020102040200"), ("lon", "060e2b34010101030701020102060200"))}
    body = (
        keys["lat"]
        + ber(struct.pack(">d", 38.15))
        + b"\x06\x0e\x2b\x34"
        + bytes(12)
        + ber(b"other")
        + keys["lon"]
        + ber(struct.pack(">d", -77.3))
    )
    assert list(sets_in(EG_0104 + ber(body))) == [(None, 38.15, -77.3)]


def test_bare_klv_file(tmp_path):
    path = tmp_path / "a.klv"
    path.write_bytes(st_0601(1_600_000_000_000_000, 41.5, -83.25) + st_0601(1_600_000_001_000_000, 41.6, -83.25))
    track = read_track(path)
    assert (track.source, track.absolute, track.time_s.tolist()) == ("KLV", True, [1.6e9, 1.6e9 + 1])


def test_a_video_without_positions_says_so(tmp_path):
    path = write_video(tmp_path / "a.mp4", 5)
    assert embedded_track(open_source(path)) is None
    with pytest.raises(InputError, match="carries no positions"):
        read_track(path)


def geotagged(
    path: Path,
    lat: tuple[float, float, float],
    ref: str,
    lon: tuple[float, float, float],
    lon_ref: str,
    taken: str | None,
    status: str = "A",
):
    exif = Image.Exif()
    gps = exif.get_ifd(0x8825)
    gps.update({1: ref, 2: lat, 3: lon_ref, 4: lon, 9: status})
    if taken:
        exif.get_ifd(0x8769)[0x9003] = taken
    Image.new("RGB", (8, 8)).save(path, exif=exif)


def test_exif_positions_of_a_folder(tmp_path):
    geotagged(tmp_path / "b.jpg", (10, 30, 36), "S", (20, 15, 0), "W", "2020:01:01 00:00:00")
    geotagged(tmp_path / "a.jpg", (10, 30, 0), "N", (20, 15, 0), "E", "2020:01:01 00:00:09")
    geotagged(tmp_path / "c.jpg", (10, 30, 0), "N", (20, 15, 0), "E", "2020:01:01 00:00:10", status="V")
    track = read_track(tmp_path)
    assert track.source == "EXIF"
    assert track.absolute
    assert track.names == ("b.jpg", "a.jpg")
    assert np.allclose(track.lat_deg, [-10.51, 10.5])
    assert np.allclose(track.lon_deg, [-20.25, 20.25])
    assert track.time_s[0] == datetime(2020, 1, 1, tzinfo=UTC).timestamp()
    info = open_source(tmp_path)
    assert info.embedded_gps == "EXIF"
    assert len(embedded_track(info).time_s) == 2


def test_gpx_times_and_order(tmp_path):
    path = tmp_path / "a.gpx"
    points = [("2020-01-01T00:00:05Z", 1, 2), ("2020-01-01T01:00:00+01:00", 3, 4), ("2020-01-01T00:00:07.250Z", 5, 6)]
    rows = "".join(f'<trkpt lat="{lat}" lon="{lon}"><time>{t}</time></trkpt>' for t, lat, lon in points)
    head = '<gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1">'
    path.write_text(f'{head}<trk><trkseg>{rows}<trkpt lat="9" lon="9"/></trkseg></trk></gpx>')
    track = read_track(path)
    assert (track.time_s - datetime(2020, 1, 1, tzinfo=UTC).timestamp()).tolist() == [0.0, 5.0, 7.25]
    assert track.lat_deg.tolist() == [3, 1, 5]
    for text, words in (
        ("<gpx", "not a GPX"),
        (f"{head}</gpx>", "without a single point"),
        (f'{head}<trk><trkseg><trkpt lat="9" lon="9"/></trkseg></trk></gpx>', "no times"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=words):
            read_track(path)


EPOCH = datetime(2013, 6, 4, 13, 37, 29, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "absolute", "first_s"),
    [
        ("lat,lon,time\n1,2,2013-06-04T13:37:29Z\n", True, EPOCH),
        ("\ufeffTime;Longitude;Latitude\n2013-06-04 15:37:29+02:00;2,0;1,0\n", True, EPOCH),
        ("image\tlat\tlng\texif_datetime\na.jpg\t1\t2\t2013:06:04 13:37:29\n", True, EPOCH),
        (f"timestamp,lat,lon\n{EPOCH:.0f},1,2\n", True, EPOCH),
        (f"timestamp,lat,lon\n{EPOCH * 1000:.0f},1,2\n", True, EPOCH),
        ("time_s,lat_deg,lon_deg\n3.5,1,2\n", False, 3.5),
        ("Latitude (deg),Longitude (deg)\n1,2\n", False, 0.0),
        ("lat,lon,time\n,,\n95,2,2013-06-04T13:37:29Z\n1,2,2013-06-04T13:37:29Z\nnan,2,2013-06-04T13:37:29Z\n", True, EPOCH),
    ],
)
def test_csv_columns_are_found_out(text, absolute, first_s, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(text)
    track = read_track(path)
    assert (track.lat_deg.tolist(), track.lon_deg.tolist(), track.absolute) == ([1.0], [2.0], absolute)
    assert track.time_s[0] == pytest.approx(first_s)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"lat,lon\n", "no rows"),
        (b"a,b\n1,2\n", "no latitude and longitude columns"),
        (b"lat,lon,time\n1,2,yesterday\n", "no row with a usable"),
        (b"lat,lon,time\n1,2,2013-06-04T13:37:29Z\n1,2,5\n", "mixes"),
        (b"\0\1\2lat,lon\n1,2", "not a text table"),
        (b"", "is empty"),
    ],
)
def test_bad_tables_are_refused(data, words, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    with pytest.raises(InputError, match=words) as caught:
        read_track(path)
    assert str(path) in str(caught.value)


def test_drone_subtitles(tmp_path):
    path = tmp_path / "a.srt"
    path.write_text(
        "1\n00:00:00,000 --> 00:00:00,033\n<font>[iso: 100] [latitude: 41.03] [longitude: -83.30] [altitude: 2]</font>\n\n"
        "2\n00:01:01,500 --> 00:01:02,000\n[latitude : 0.0] [longitude : 0.0]\n\n"
        "3\n00:01:02,500 --> 00:01:03,000\nGPS (-83.31, 41.04, 12)\n"
    )
    track = read_track(path)
    assert (track.time_s.tolist(), track.lat_deg.tolist(), track.lon_deg.tolist()) == ([0.0, 62.5], [41.03, 41.04], [-83.3, -83.31])


def test_unknown_kinds_are_refused(tmp_path):
    (tmp_path / "a.doc").write_bytes(b"x")
    for path, kind, words in (
        (tmp_path / "a.doc", "auto", "not a track"),
        (tmp_path / "b.gpx", "auto", "does not exist"),
        (tmp_path / "a.doc", "NMEA", "not known"),
    ):
        with pytest.raises(InputError, match=words):
            read_track(path, kind=kind)


def test_klv_in_a_transport_stream_is_timed_by_the_stream(tmp_path):
    source = write_video(tmp_path / "v.mp4", 90, options={"bf": "0"})
    path = tmp_path / "a.ts"
    with av.open(str(source)) as before, av.open(str(path), "w") as after:
        video = after.add_stream_from_template(before.streams.video[0])
        try:
            data = after.add_data_stream("klv")
        except (AttributeError, ValueError, av.error.FFmpegError) as error:
            pytest.skip(f"this PyAV writes no KLV streams: {error}")
        for number, packet in enumerate(before.demux(before.streams.video[0])):
            if packet.size:
                if number % 30 == 0:
                    row = av.Packet(st_0601(1_600_000_000_000_000, 41.0 + number / 1000, -83.0))
                    row.pts = row.dts = packet.pts
                    row.time_base, row.stream = packet.time_base, data
                    after.mux(row)
                packet.stream = video
                after.mux(packet)
    info = open_source(path)
    assert info.embedded_gps == "KLV"
    track = embedded_track(info)
    assert np.allclose(track.lat_deg, [41.0, 41.03, 41.06], atol=1e-6)
    assert not track.absolute
    assert np.allclose(track.time_s, [0, 1, 2], atol=0.05)
