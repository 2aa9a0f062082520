"""Bad input about tracks and times: units, clocks and tables that are no tracks."""

from __future__ import annotations

from pathlib import Path

from .bad_input_cases import Case, evaluate, geolocate, train

_FIXES = 9


def _rows(header: str, times: list[str]) -> str:
    return "\n".join([header, *(f"{time},{-19.2185 + n * 1e-4:.5f},{159.932 + n * 1e-4:.5f}" for n, time in enumerate(times))]) + "\n"


def make_inputs(folder: Path) -> None:
    """Tables and tracks in a folder of their own; the drive that they would belong to lasts four seconds."""
    place = folder / "tracks"
    place.mkdir()
    count = range(_FIXES)
    texts = {
        "frames.csv": _rows("frame,lat,lon", [str(n) for n in count]),
        "tow.csv": _rows("tow,lat,lon", [str(345_600 + n) for n in count]),
        "boot.csv": _rows("time_boot_ms,lat,lon", [str(n * 500) for n in count]),
        "unit.csv": _rows("time_s,lat,lon", [str(n * 500) for n in count]),
        "clock.csv": _rows("time,lat,lon", [f"12:00:0{n}" for n in count]),
        "months.csv": _rows("time,lat,lon", [f"05/01/2026 12:00:0{n}" for n in count]),
        "days.csv": _rows("date,lat,lon", ["2026-05-01" for _ in count]),
        "videos.csv": "video,time_s,lat,lon\na.mp4,0,-19.218,159.932\nb.mp4,0,-19.218,159.933\n",
        "void.csv": "time_s,lat,lon\n0,0,0\n1,0,0\n",
        "untimed.kml": "<kml><Placemark><Point><coordinates>159.932,-19.218</coordinates></Point></Placemark></kml>",
        "entities.kml": '<!DOCTYPE kml [<!ENTITY a "b">]><kml>&a;</kml>',
        "metres.geojson": '{"type": "FeatureCollection", "crs": {"type": "name", "properties": {"name": "EPSG:3857"}}, "features": []}',
        "untimed.geojson": '{"type": "LineString", "coordinates": [[159.932, -19.218], [159.933, -19.218]]}',
        "broken.geojson": '{"type": "FeatureCollection"',
        "talk.srt": "1\n00:00:01,000 --> 00:00:02,000\nGood morning.\n",
    }
    for name, text in texts.items():
        (place / name).write_text(text, encoding="utf-8")


def _truth(name: str) -> tuple[str, ...]:
    return evaluate("result.gpkg", truth=f"tracks/{name}")


CASES = (
    Case("train: a table that counts frames", train(truth="tracks/frames.csv"), ("frames.csv", "'frame'", "time_s")),
    Case("train: a table in seconds of the GPS week", train(truth="tracks/tow.csv"), ("tow.csv", "'tow'")),
    Case("evaluate: a table in milliseconds since an autopilot's start", _truth("boot.csv"), ("boot.csv", "'time_boot_ms'")),
    Case("train: milliseconds under the name of seconds", train(truth="tracks/unit.csv"), ("4000 s", "drive.mp4", "unit")),
    Case("evaluate: milliseconds under the name of seconds", _truth("unit.csv"), ("4000 s", "drive.mp4", "unit")),
    Case("evaluate: times of day without a date", _truth("clock.csv"), ("clock.csv", "'12:00:00'", "date")),
    Case("evaluate: days and months in an unclear order", _truth("months.csv"), ("months.csv", "'05/01/2026 12:00:00'")),
    Case("evaluate: days without times", _truth("days.csv"), ("days.csv", "'date'")),
    Case("evaluate: seconds of several videos in one table", _truth("videos.csv"), ("videos.csv", "several videos")),
    Case("train: a receiver that never had a lock", train(truth="tracks/void.csv"), ("void.csv",)),
    Case("evaluate: KML without times", _truth("untimed.kml"), ("untimed.kml", "gx:Track")),
    Case("evaluate: KML with entities of its own", _truth("entities.kml"), ("entities.kml",)),
    Case("evaluate: GeoJSON in metres", _truth("metres.geojson"), ("metres.geojson", "EPSG:4326")),
    Case("evaluate: a GeoJSON line without times", _truth("untimed.geojson"), ("untimed.geojson", "coordTimes")),
    Case("evaluate: damaged GeoJSON", _truth("broken.geojson"), ("broken.geojson",)),
    Case("train: subtitles without positions", train(truth="tracks/talk.srt"), ("talk.srt",)),
    Case("--time-zone that is none", geolocate("drive.mp4", start_time="2026-05-01 14:00", time_zone="Middle/Earth"), ("Middle/Earth",)),
)
