"""The kinds of tracks and clocks: how each file is made, and how near its positions must be read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from . import track_files as make
from .track_files import FIXES, LOCAL, START, Drive

Maker = Callable[[Drive, Path], Path]


@dataclass(frozen=True)
class Kind:
    """One kind of track or clock.

    Args:
        name: for people.
        make: writes the track.
        clock: of the video that it is laid on, a name in ``CLOCKS``; "pictures" is the folder itself.
        within_m: what the format's own resolution allows.
        step_s: between fixes.
    """

    name: str
    make: Maker
    clock: str = "dated"
    within_m: float = 0.15
    step_s: float = 1.0


def _iso(form: str, hours: int = 0) -> Callable[[float, float, float, Any], str]:
    """A row of time, latitude and longitude with the moment in a form, so many hours ahead of UTC."""
    return lambda _, lat, lon, moment: f"{moment + timedelta(hours=hours):{form}},{lat},{lon}"


def _table(header: str, row: Callable[[float, float, float, Any], str], name: str = "a.csv") -> Maker:
    return lambda drive, folder: make.table(drive, folder, header, row, name=name)


def _seconds(header: str, scale: float) -> Maker:
    """A column of numbers in a unit."""
    return _table(f"{header},lat,lon", lambda t, lat, lon, _: f"{t * scale:.10g},{lat},{lon}")


def _unix(header: str, scale: int) -> Maker:
    return _table(f"{header},lat,lon", lambda _, lat, lon, moment: f"{int(moment.timestamp()) * scale},{lat},{lon}")


def _moments(form: str, hours: int = 0) -> Maker:
    return _table("time,lat,lon", _iso(form, hours))


def _subtitles(text: str, comma: bool = False, name: str = "DJI_0001.SRT") -> Maker:
    """Numbers with seven decimals, and a decimal comma where asked for."""

    def block(lat: float, lon: float) -> str:
        numbers = {"lat": f"{lat:.7f}", "lon": f"{lon:.7f}", "south": f"{-lat:.7f}", "west": f"{-lon:.7f}"}
        return text.format(**{key: value.replace(".", ",") if comma else value for key, value in numbers.items()})

    return lambda drive, folder: make.subtitles(drive, folder, block, name=name)


def _quoted(cell: str) -> str:
    """A cell of a CSV that has quotes in it."""
    return '"' + cell.replace('"', '""') + '"'


def _with_void(made: Path, head: int) -> Path:
    """A row of 0, 0 after each row of a CSV."""
    lines = made.read_text().splitlines()
    made.write_text("\n".join(lines[:head] + [line for row in lines[head:] for line in (row, re.sub(r",.*", ",0,0", row))]) + "\n")
    return made


def _gpx_void(drive: Drive, folder: Path) -> Path:
    point = r'<trkpt lat="0" lon="0"><time>2026-05-01T12:00:08.5Z</time></trkpt>'
    return make.gpx_rewritten(drive, folder, lambda text: text.replace("</trkseg>", f"{point}</trkseg>"))


def _coord_times(drive: Drive, folder: Path) -> Path:
    line = {"type": "LineString", "coordinates": [[lon, lat] for _, lat, lon in drive.rows()]}
    properties = {"coordTimes": [f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in drive.moments()]}
    path = folder / "a.geojson"
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": [{"type": "Feature", "properties": properties, "geometry": line}]})
    )
    return path


def _geojson(key: str, scale: float) -> Maker:
    def write(drive: Drive, folder: Path) -> Path:
        path = folder / "a.geojson"
        path.write_text(make.geojson_points(drive, [{key: t * scale} for t in drive.time_s.tolist()]))
        return path

    return write


def _klv(name: str, **how: bool) -> Maker:
    def write(drive: Drive, folder: Path) -> Path:
        path = folder / name
        path.write_bytes(b"".join(make.klv_sets(drive, **how)))
        return path

    return write


def _wide(drive: Drive, folder: Path) -> Path:
    """As exiftool -csv -ee -G3 writes a video's fixes: one row."""
    groups = ["Main", *(f"Doc{n}" for n in range(1, FIXES))]
    cells = {f"{group}:SampleTime": f"{t:.2f} s" for group, t in zip(groups, drive.time_s, strict=True)}
    for tag, values, letters in (("GPSLatitude", drive.lat, "NS"), ("GPSLongitude", drive.lon, "EW")):
        cells |= {f"{group}:{tag}": make.dms(float(value), letters).replace('"', '""') for group, value in zip(groups, values, strict=True)}
    path = folder / "a.csv"
    path.write_text(",".join(["SourceFile", *cells]) + "\n" + ",".join(["a.mp4", *(f'"{cell}"' for cell in cells.values())]) + "\n")
    return path


def _utf16(drive: Drive, folder: Path) -> Path:
    path = _moments("%Y-%m-%dT%H:%M:%SZ")(drive, folder)
    path.write_text(path.read_text().replace(",", "\t"), encoding="utf-16")
    return path


GPX = (
    Kind("GPX 1.1, gpxpy", make.gpx),
    Kind("GPX 1.0, gpxpy", lambda d, f: make.gpx(d, f, version="1.0")),
    Kind("GPX of several segments", lambda d, f: make.gpx(d, f, cuts=(6, 12))),
    Kind("GPX of several tracks", lambda d, f: make.gpx(d, f, cuts=(6, 12), tracks=True)),
    Kind("GPX way points", lambda d, f: make.gpx(d, f, kind="waypoints")),
    Kind("GPX route", lambda d, f: make.gpx(d, f, kind="route")),
    Kind(
        "GPX with white space in its times",
        lambda d, f: make.gpx_rewritten(d, f, lambda s: re.sub(r"<time>(.*?)<", r"<time>\n   \1\n <", s)),
    ),
    Kind(
        "GPX with an offset in its times",
        lambda d, f: make.gpx_rewritten(d, f, lambda s: re.sub(r"T(12)(:\d\d:\d\d)Z", lambda m: f"T{12 + LOCAL}{m[2]}+02:00", s)),
    ),
    Kind("GPX with a fix of 0, 0", _gpx_void),
    Kind("GPX, GPSBabel", lambda d, f: make.babel(d, f, "gpx", "babel.gpx")),
    Kind("GPX 1.0, GPSBabel", lambda d, f: make.babel(d, f, "gpx,gpxver=1.0", "babel.gpx")),
    Kind("GPX, GDAL", lambda d, f: make.ogr(d, f, "GPX", "ogr.gpx")),
    Kind("GPX of this tool", lambda d, f: make.own(d, f, "gpx")),
)
KML = (
    Kind("KML gx:Track, simplekml", make.kml),
    Kind("KML gx:MultiTrack, simplekml", lambda d, f: make.kml(d, f, multi=True)),
    Kind("KMZ gx:Track, simplekml", lambda d, f: make.kml(d, f, zipped=True)),
    Kind("KML points with time stamps, simplekml", lambda d, f: make.kml(d, f, points=True)),
    Kind("KML points with time stamps, GDAL", lambda d, f: make.ogr(d, f, "LIBKML", "ogr.kml")),
    Kind("KML, GPSBabel", lambda d, f: make.babel(d, f, "kml,track=1,points=0", "babel.kml")),
    Kind("KML of this tool", lambda d, f: make.own(d, f, "kml")),
)
GEOJSON = (
    Kind("GeoJSON points, GDAL", lambda d, f: make.ogr(d, f, "GeoJSON", "ogr.geojson")),
    Kind("GeoJSON points with an offset, GDAL", lambda d, f: make.ogr(d, f, "GeoJSON", "ogr.geojson", times=make.local_iso)),
    Kind("GeoJSON line with coordTimes", _coord_times),
    Kind("GeoJSON points with time_s", _geojson("time_s", 1)),
    Kind("GeoJSON points with time_ms", _geojson("time_ms", 1000)),
    Kind("GeoJSON of this tool", lambda d, f: make.own(d, f, "geojson")),
)
CSV_UNITS = (
    Kind("CSV time_s", _seconds("time_s", 1)),
    Kind("CSV time(millisecond)", _seconds("time(millisecond)", 1e3)),
    Kind("CSV timestamp_ms of the video", _seconds("timestamp_ms", 1e3)),
    Kind("CSV time_us", _seconds("time_us", 1e6)),
    Kind("CSV t [ms]", _seconds("t [ms]", 1e3)),
    Kind("CSV elapsed (min)", _seconds("elapsed (min)", 1 / 60)),
    Kind("CSV Time [s]", _seconds("Time [s]", 1)),
    Kind("CSV time, small numbers", _seconds("time", 1)),
    Kind("CSV elapsed, hours and minutes", _table("elapsed,lat,lon", lambda t, lat, lon, _: f"00:00:{t:06.3f},{lat},{lon}")),
    Kind("CSV Unix seconds", _unix("timestamp", 1)),
    Kind("CSV timestamp_ms, Unix", _unix("timestamp_ms", 1000)),
    Kind("CSV unix_us", _unix("unix_us", 10**6)),
    Kind("CSV epoch (ns)", _unix("epoch (ns)", 10**9)),
    Kind("CSV rows a second apart", _table("lat,lon", lambda _, lat, lon, __: f"{lat},{lon}")),
)
CSV_MOMENTS = (
    Kind("CSV ISO, Z", _moments("%Y-%m-%dT%H:%M:%SZ")),
    Kind("CSV ISO, +02:00", _moments("%Y-%m-%dT%H:%M:%S+02:00", LOCAL)),
    Kind("CSV … UTC", _moments("%Y-%m-%d %H:%M:%S UTC")),
    Kind("CSV 2026/05/01 12:00:00", _moments("%Y/%m/%d %H:%M:%S")),
    Kind("CSV 01.05.2026 12:00:00", _moments("%d.%m.%Y %H:%M:%S")),
    Kind("CSV without a zone", _moments("%Y-%m-%d %H:%M:%S")),
    Kind("CSV exif_datetime", _table("exif_datetime,lat,lon", _iso("%Y:%m:%d %H:%M:%S"))),
    Kind("CSV date and time", _table("date,time,lat,lon", _iso("%Y-%m-%d,%H:%M:%S"))),
    Kind("CSV 20260501 and 120000", _table("Date,UTC time,lat,lon", _iso("%Y%m%d,%H%M%S"))),
    Kind("CSV decimal commas", _table("time;lat;lon", lambda _, lat, lon, m: f"{m:%Y-%m-%d %H:%M:%S};{lat};{lon}".replace(".", ","))),
    Kind("CSV as a spreadsheet saves Unicode text", _utf16),
    Kind("CSV with fixes of 0, 0", lambda d, f: _with_void(_moments("%Y-%m-%dT%H:%M:%SZ")(d, f), 1)),
)
CSV_PROGRAMS = (
    Kind("CSV, GPSBabel", lambda d, f: make.babel(d, f, "unicsv,utc=0,format=y", "babel.csv")),
    Kind("CSV AS_XY, GDAL", lambda d, f: make.ogr(d, f, "CSV", "ogr.csv", "-lco", "GEOMETRY=AS_XY")),
    Kind("CSV AS_WKT, GDAL", lambda d, f: make.ogr(d, f, "CSV", "ogr.csv", "-lco", "GEOMETRY=AS_WKT")),
    Kind("CSV AS_XY with an offset, GDAL", lambda d, f: make.ogr(d, f, "CSV", "ogr.csv", "-lco", "GEOMETRY=AS_XY", times=make.local_iso)),
    Kind("CSV of this tool", lambda d, f: make.own(d, f, "csv")),
    Kind("CSV of this tool without a start", lambda d, f: make.own(d, f, "csv", known=False)),
    Kind("exiftool -csv of pictures", make.exiftool_table, within_m=0.5),
    Kind("exiftool -csv -n of pictures", lambda d, f: make.exiftool_table(d, f, "-n")),
    Kind("exiftool -csv -ee -G3, a row of documents", _wide),
    Kind(
        "exiftool -p with SampleTime",
        _table(
            "SourceFile,GPSDateTime,SampleTime,GPSLatitude,GPSLongitude",
            lambda t,
            lat,
            lon,
            m: f"a.mp4,{m:%Y:%m:%d %H:%M:%S.000Z},{t:.2f} s,{_quoted(make.dms(lat, 'NS'))},{_quoted(make.dms(lon, 'EW'))}",
        ),
    ),
    Kind(
        "gopro-telemetry",
        _table(
            "cts,date,GPS (Lat.) [deg],GPS (Long.) [deg],GPS (Alt.) [m],GPS (2D speed) [m/s],GPS (3D speed) [m/s],fix,precision",
            lambda t, lat, lon, m: f"{t * 1e3:.3f},{m:%Y-%m-%dT%H:%M:%S.000Z},{lat},{lon},1,2,3,3,150",
        ),
    ),
    Kind(
        "flight log with a counter and a clock",
        _table(
            "time(millisecond),datetime(utc),latitude,longitude",
            lambda t, lat, lon, m: f"{5000 + t * 1e3:.0f},{m:%Y-%m-%d %H:%M:%S},{lat},{lon}",
        ),
    ),
    Kind(
        "data logger with N/S and E/W",
        _table("INDEX,DATE,TIME,LATITUDE N/S,LONGITUDE E/W", lambda t, lat, lon, m: f"{t:.0f},{m:%Y/%m/%d},{m:%H:%M:%S},{-lat}S,{-lon}W"),
    ),
    Kind("CSV of picture names", _table("image,lat,lon", lambda t, lat, lon, _: f"{int(t):02}.jpg,{lat},{lon}"), clock="undated pictures"),
)
SRT = (
    Kind("SRT [latitude: ] [longitude: ]", _subtitles("[iso: 100] [latitude: {lat}] [longitude: {lon}] [rel_alt: 1.5 abs_alt: 2.5]")),
    Kind(
        "SRT [latitude : ] [longtitude : ]",
        _subtitles("<font size=36>[latitude : {lat}] [longtitude : {lon}] [altitude: 2.0]</font>", name="a.srt"),
    ),
    Kind("SRT with decimal commas", _subtitles("[latitude: {lat}] [longitude: {lon}]", comma=True)),
    Kind("SRT GPS(lon,lat,alt)", _subtitles("HOME(1.0,2.0) GPS({lon},{lat},20)")),
    Kind("SRT GPS (lon, lat, alt), decimal commas", _subtitles("F/2,8, SS 206,14, GPS ({lon}, {lat}, 20), D 1,5m", comma=True)),
    Kind("SRT GPS(W: , S: )", _subtitles("HOME(W: 1.0, N: 2.0) GPS(W: {west}, S: {south}, 259.54m)")),
    Kind("SRT lat: lon:", _subtitles("lat: {lat}, lon: {lon}, alt: 20")),
)
INSIDE = (
    Kind("GPMF GPS5", make.gpmf, step_s=0.05),
    Kind("GPMF GPS5 whose first fix is 0, 0", lambda d, f: make.gpmf(d, f, lock=False), step_s=0.05),
    Kind("GPMF GPS9", lambda d, f: make.gpmf(d, f, nine=True), step_s=0.05),
    Kind("KLV ST 0601", _klv("a.klv")),
    Kind("KLV EG 0104", _klv("a.klv", universal=True)),
    Kind("KLV ST 0601 with fixes of 0, 0", _klv("a.klv", void=True)),
    Kind("KLV ST 0601 in a transport stream", make.transport_stream, clock="itself"),
    Kind("EXIF, UTC", make.pictures, clock="pictures"),
    Kind("EXIF with an offset", lambda d, f: make.pictures(d, f, offset="+02:00"), clock="pictures"),
    Kind("EXIF that begins at the third picture", lambda d, f: make.pictures(d, f, first=2), clock="pictures"),
    Kind("EXIF without times", lambda d, f: make.pictures(d, f, dated=False), clock="undated pictures"),
    Kind("EXIF in a local zone", lambda d, f: make.pictures(d, f, local=True), clock="pictures in Stockholm"),
    Kind("EXIF pictures for a video", make.pictures),
)
CLOCKED = (
    Kind("Android: dated at the end", make.gpx, clock="android"),
    Kind("MP4 whose pictures begin at 2.5 s", make.gpx, clock="later mp4"),
    Kind("Matroska whose pictures begin at 2.5 s", make.gpx, clock="later mkv"),
    Kind("Apple's creation date with an offset", make.gpx, clock="apple"),
    Kind("Matroska's date", make.gpx, clock="mkv"),
    Kind("a start time in a local zone", make.gpx, clock="given in Stockholm"),
    Kind("a start time in UTC", make.gpx, clock="given"),
    Kind("a video without a date", make.gpx, clock="undated"),
)
KINDS = (*GPX, *KML, *GEOJSON, *CSV_UNITS, *CSV_MOMENTS, *CSV_PROGRAMS, *SRT, *INSIDE, *CLOCKED)
# Seconds of the video at which positions are asked for, in fixes' steps.
MOMENTS = np.array([3.0, 9.0, 17.0])
DATE = f"{START:%Y-%m-%dT%H:%M:%SZ}"
