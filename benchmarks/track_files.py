"""Files of positions of every kind, made by independent writers where there is one, from a drive whose every position is known."""

from __future__ import annotations

import json
import struct
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import gpxpy.gpx
import numpy as np
import simplekml
from PIL import Image

from vidtag_engine.export import EXPORTERS
from vidtag_engine.types import DecodeReport, FrameState, Provenance, TimeSource, Trajectory, VideoInfo, VideoResult

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
FIXES = 21
LOCAL = 2  # hours of summer time in Stockholm ahead of UTC
Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Drive:
    """Positions at known times: south and west, so that signs matter, and ever faster, so that times do."""

    step_s: float = 1.0
    time_s: Array = field(init=False)
    lat: Array = field(init=False)
    lon: Array = field(init=False)

    def __post_init__(self) -> None:
        n = np.arange(FIXES, dtype=np.float64)
        object.__setattr__(self, "time_s", n * self.step_s)
        object.__setattr__(self, "lat", np.round(-33.6 + 1e-4 * n + 3e-6 * n * n, 7))
        object.__setattr__(self, "lon", np.round(-70.25 + 1.5e-4 * n, 7))

    def rows(self) -> list[tuple[float, float, float]]:
        """(time_s, latitude, longitude) of every fix."""
        return list(zip(self.time_s.tolist(), self.lat.tolist(), self.lon.tolist(), strict=True))

    def moments(self) -> list[datetime]:
        """UTC of every fix."""
        return [START + timedelta(seconds=t) for t in self.time_s.tolist()]


def tool(*words: str | Path) -> str:
    """Run a program; what it says on standard output. Raises RuntimeError with what it says where it fails."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{words[0]}: {done.stderr[-300:]}")
    return done.stdout


def local_iso(moment: datetime) -> str:
    """With Stockholm's offset."""
    return (moment + timedelta(hours=LOCAL)).strftime("%Y-%m-%dT%H:%M:%S+02:00")


# GPX


def gpx_points(drive: Drive) -> list[gpxpy.gpx.GPXTrackPoint]:
    """Track points of gpxpy."""
    return [gpxpy.gpx.GPXTrackPoint(lat, lon, time=when) for (_, lat, lon), when in zip(drive.rows(), drive.moments(), strict=True)]


def gpx(drive: Drive, folder: Path, *, version: str = "1.1", cuts: tuple[int, ...] = (), tracks: bool = False, kind: str = "track") -> Path:
    """By gpxpy: cut into segments (or tracks), or as way points or a route."""
    document, points = gpxpy.gpx.GPX(), gpx_points(drive)
    if kind == "waypoints":
        document.waypoints = [gpxpy.gpx.GPXWaypoint(p.latitude, p.longitude, time=p.time) for p in points]
    elif kind == "route":
        route = gpxpy.gpx.GPXRoute()
        route.points = [gpxpy.gpx.GPXRoutePoint(p.latitude, p.longitude, time=p.time) for p in points]
        document.routes = [route]
    else:
        edges = [0, *cuts, len(points)]
        segments = [gpxpy.gpx.GPXTrackSegment(points[a:b]) for a, b in pairwise(edges)]
        document.tracks = [gpxpy.gpx.GPXTrack() for _ in (segments if tracks else [0])]
        for number, segment in enumerate(segments):
            document.tracks[number if tracks else 0].segments.append(segment)
    path = folder / "a.gpx"
    path.write_text(document.to_xml(version=version))
    return path


def gpx_rewritten(drive: Drive, folder: Path, change: Callable[[str], str]) -> Path:
    """What gpxpy writes, with its times written in another way."""
    path = gpx(drive, folder)
    path.write_text(change(path.read_text()))
    return path


def babel(drive: Drive, folder: Path, kind: str, name: str) -> Path:
    """What GPSBabel makes of gpxpy's file."""
    path = folder / name
    tool("gpsbabel", "-t", "-i", "gpx", "-f", gpx(drive, folder), "-o", kind, "-F", path)
    return path


# GDAL


def geojson_points(drive: Drive, properties: Iterable[dict[str, Any]]) -> str:
    """Points with properties."""
    features = [
        {"type": "Feature", "properties": each, "geometry": {"type": "Point", "coordinates": [lon, lat]}}
        for (_, lat, lon), each in zip(drive.rows(), properties, strict=True)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})


def ogr(drive: Drive, folder: Path, driver: str, name: str, *options: str, times: Callable[[datetime], str] | None = None) -> Path:
    """What ogr2ogr makes of points with a field ``time`` (``timestamp`` for KML, as its driver wants it)."""
    source, path = folder / "source.geojson", folder / name
    write = times or (lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
    key = "timestamp" if driver == "LIBKML" else "time"
    source.write_text(geojson_points(drive, [{key: write(moment)} for moment in drive.moments()]))
    tool("ogr2ogr", "-f", driver, path, source, *options)
    return path


# KML


def kml(drive: Drive, folder: Path, *, multi: bool = False, zipped: bool = False, points: bool = False) -> Path:
    """By simplekml: a gx:Track, a gx:MultiTrack, or points with time stamps; as KML or KMZ."""
    document = simplekml.Kml()
    times = [moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in drive.moments()]
    places = [(lon, lat, 12.5) for _, lat, lon in drive.rows()]
    if points:
        for time, place in zip(times, places, strict=True):
            document.newpoint(coords=[place]).timestamp.when = time
    else:
        parts = (slice(0, 8), slice(8, None)) if multi else (slice(None),)
        holder = document.newgxmultitrack() if multi else document
        for part in parts:
            track = holder.newgxtrack()
            track.newwhen(times[part])
            track.newgxcoord(places[part])
    path = folder / ("a.kmz" if zipped else "a.kml")
    (document.savekmz if zipped else document.save)(str(path))
    return path


# This tool's own exports


def own(drive: Drive, folder: Path, kind: str, *, known: bool = True) -> Path:
    """What this tool writes of a result whose answer is the drive."""
    count, nothing = len(drive.time_s), np.full(len(drive.time_s), np.nan)
    source = TimeSource.CONTAINER if known else TimeSource.SYNTHETIC
    info = VideoInfo(Path("a.mp4"), "a.mp4", "video", 64, 32, float(count), START, source)
    trajectory = Trajectory(
        frame_index=np.arange(count), time_s=drive.time_s, lat_deg=drive.lat, lon_deg=drive.lon, confidence=np.full(count, 0.5),
        score=np.ones(count, dtype=np.float32), runner_up_m=nothing, phase1_lat_deg=drive.lat + 1, phase1_lon_deg=drive.lon,
        state=(FrameState.LOCATED,) * count, confidence_radius_m=100.0,
    )  # fmt: skip
    result = VideoResult(info=info, trajectory=trajectory, report=DecodeReport(count, count, 0, ()), sha256="ab" * 32, seconds={})
    provenance = Provenance(settings={}, checkpoint={}, gallery={}, versions={}, seed=0, created_utc=START)
    suffix, write = EXPORTERS[kind]
    path = folder / f"own{suffix}"
    write(path, [result], provenance, overwrite=True)
    return path


# Tables and subtitles


def table(drive: Drive, folder: Path, header: str, row: Callable[[float, float, float, datetime], str], *, name: str = "a.csv") -> Path:
    """A text table; ``row`` takes time_s, latitude, longitude and the moment."""
    lines = [row(t, lat, lon, moment) for (t, lat, lon), moment in zip(drive.rows(), drive.moments(), strict=True)]
    path = folder / name
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def subtitles(drive: Drive, folder: Path, text: Callable[[float, float], str], *, name: str = "DJI_0001.SRT") -> Path:
    """A subtitle a fix; ffmpeg reads and writes it, as it does when it takes one out of a video."""
    blocks = []
    for number, (t, lat, lon) in enumerate(drive.rows()):
        span = " --> ".join(f"00:00:{int(s):02},{round(s % 1 * 1000):03}" for s in (t, t + 0.9))
        blocks.append(f"{number + 1}\n{span}\n{text(lat, lon)}\n")
    (folder / "source.srt").write_text("\n".join(blocks))
    written = folder / "written.srt"
    tool("ffmpeg", "-v", "error", "-y", "-i", folder / "source.srt", "-c", "srt", written)
    return written.rename(folder / name)


def dms(value: float, letters: str) -> str:
    """As exiftool prints it."""
    size = abs(value)
    minutes = size % 1 * 60
    return f"{int(size)} deg {int(minutes)}' {minutes % 1 * 60:.4f}\" {letters[value < 0]}"


# Telemetry inside files


def gpmf(drive: Drive, folder: Path, *, nine: bool = False, lock: bool = True) -> Path:
    """A GoPro payload of one second, written by the format's description: a GPS5 or GPS9 stream."""
    rows = drive.rows()[:20]
    if nine:
        data = b"".join(struct.pack(">7iHH", round(lat * 1e7), round(lon * 1e7), 0, 0, 0, 9000, 0, 150, 3) for _, lat, lon in rows)
        items = [(b"SCAL", b"l", 4, struct.pack(">9i", 10**7, 10**7, 1000, 1000, 100, 1, 1000, 100, 1)), (b"GPS9", b"?", 32, data)]
    else:
        data = b"".join(struct.pack(">5i", round(lat * 1e7), round(lon * 1e7), 0, 0, 0) for _, lat, lon in rows)
        data = data if lock else bytes(20) + data[20:]  # the first has no position yet
        scale = struct.pack(">5i", 10**7, 10**7, 1000, 1000, 100)
        items = [
            (b"GPSF", b"L", 4, struct.pack(">I", 3)),
            (b"GPSP", b"S", 2, struct.pack(">H", 200)),
            (b"SCAL", b"l", 4, scale),
            (b"GPS5", b"l", 20, data),
        ]
    stream = b"".join(
        key + kind + struct.pack(">BH", size, len(data) // size) + data + b"\0" * (-len(data) % 4) for key, kind, size, data in items
    )
    for key in (b"STRM", b"DEVC"):
        stream = key + b"\0" + struct.pack(">BH", 4, len(stream) // 4) + stream
    path = folder / "a.raw"
    path.write_bytes(stream)
    return path


def klv_sets(drive: Drive, *, universal: bool = False, void: bool = False) -> list[bytes]:
    """A MISB set a fix: ST 0601 with its checksum, or EG 0104; ``void`` puts a 0, 0 before each."""
    sets = []
    for (_, lat, lon), moment in zip(drive.rows(), drive.moments(), strict=True):
        stamp = round(moment.timestamp() * 1e6).to_bytes(8, "big")
        places = [(0.0, 0.0), (lat, lon)] if void else [(lat, lon)]
        sets.append(b"".join((_universal if universal else _local)(stamp, *place) for place in places))
    return sets


def _ber(data: bytes) -> bytes:
    return (bytes([len(data)]) if len(data) < 128 else b"\x82" + len(data).to_bytes(2, "big")) + data


def _local(stamp: bytes, lat: float, lon: float) -> bytes:
    body = b"\x02" + _ber(stamp) + b"\x0d" + _ber(struct.pack(">i", round(lat / 90 * (2**31 - 1))))
    body += b"\x0e" + _ber(struct.pack(">i", round(lon / 180 * (2**31 - 1)))) + b"\x01\x02"
    packet = bytes.fromhex("060e2b34020b01010e01030101000000") + bytes([len(body) + 2]) + body
    total = sum(byte << (8 * ((i + 1) % 2)) for i, byte in enumerate(packet))
    return packet + (total & 0xFFFF).to_bytes(2, "big")


def _universal(stamp: bytes, lat: float, lon: float) -> bytes:
    keys = ("060e2b34010101030702010101050000", "060e2b34010101030701020102040200", "060e2b34010101030701020102060200")
    values = (stamp, struct.pack(">d", lat), struct.pack(">d", lon))
    body = b"".join(bytes.fromhex(key) + _ber(value) for key, value in zip(keys, values, strict=True))
    return bytes.fromhex("060e2b34020101010e01010201010000") + _ber(body)


def pictures(drive: Drive, folder: Path, *, offset: str = "", first: int = 0, dated: bool = True, local: bool = False) -> Path:
    """A folder of pictures whose tags exiftool writes; those before ``first`` have no position."""
    place = folder / "pictures"
    place.mkdir()
    rows = []
    for number, ((_, lat, lon), moment) in enumerate(zip(drive.rows(), drive.moments(), strict=True)):
        name = place / f"{number:02}.jpg"
        Image.new("RGB", (16, 8), (number, 0, 0)).save(name)
        taken = f"{moment + timedelta(hours=LOCAL if offset or local else 0):%Y:%m:%d %H:%M:%S}"
        row = {"SourceFile": str(name), "DateTimeOriginal": taken, "OffsetTimeOriginal": offset} if dated else {"SourceFile": str(name)}
        if number >= first:
            row |= {"GPSLatitude": str(abs(lat)), "GPSLatitudeRef": "S", "GPSLongitude": str(abs(lon)), "GPSLongitudeRef": "W"}
        rows.append({key: value for key, value in row.items() if value})
    (folder / "tags.json").write_text(json.dumps(rows))
    tool("exiftool", "-q", "-overwrite_original", "-n", f"-json={folder / 'tags.json'}", place)
    return place


def exiftool_table(drive: Drive, folder: Path, *words: str) -> Path:
    """What exiftool -csv says of the pictures."""
    place = pictures(drive, folder)
    path = folder / "a.csv"
    path.write_text(tool("exiftool", "-csv", *words, "-GPSLatitude", "-GPSLongitude", "-DateTimeOriginal", place))
    return path


def transport_stream(drive: Drive, folder: Path) -> Path:
    """A video with a synchronous KLV stream: a set a second, at the picture's own time."""
    source, path = folder / "source.mp4", folder / "a.ts"
    tool("ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"testsrc=size=64x32:rate=5:duration={FIXES}", "-bf", "0", source)
    sets = klv_sets(drive)
    with av.open(str(source)) as before, av.open(str(path), "w") as after:
        pictures_in = before.streams.video[0]
        video, data = after.add_stream_from_template(pictures_in), after.add_data_stream("klv")
        for number, packet in enumerate(packet for packet in before.demux(pictures_in) if packet.size):
            if number % 5 == 0:
                row = av.Packet(sets[number // 5])
                row.pts = row.dts = packet.pts
                row.time_base, row.stream = packet.time_base, data
                after.mux(row)
            packet.stream = video
            after.mux(packet)
    return path
