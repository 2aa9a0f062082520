"""The folder that the documentation's commands are run in: the demo, under every name that its pages use."""

from __future__ import annotations

import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import geopandas
import gpxpy
import shapely

import vidtag_engine as vidtag
from vidtag_engine.settings import ReferenceSettings
from vidtag_engine.training import TrainingSource
from vidtag_engine.training.reference_build import build

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "resources" / "demo"
EXAMPLE = ROOT / "resources" / "example"
_BEGIN = datetime(2026, 2, 17, 5, 59, 55)  # noqa: DTZ001 - when the demo's drive was taken, UTC
_FIELD = shapely.box(-83.3087, 41.0342, -83.3026, 41.0388)  # of the real flights
_PIECES, _PIECE_S = 8, 4  # "vidtag calibrate" asks for eight videos


def prepared(folder: Path) -> Path:
    """A new folder with the demo, and the same once more as the town, the videos and the checkpoint of a reader's own."""
    place = folder / "vidtag-demo"
    shutil.copytree(DEMO, place)
    for name in ("town", "area"):
        shutil.copy(DEMO / "aoi.geojson", place / f"{name}.geojson")
    (place / "field.geojson").write_text(shapely.to_geojson(_FIELD), encoding="utf-8")
    shutil.copytree(DEMO / "checkpoint", place / "my-town")
    for name in ("drives", "others", "clips", "photos"):
        (place / name).mkdir()
    shutil.copy(DEMO / "drive.mp4", place / "clips" / "drive.mp4")
    for number, name in enumerate(("monday", "tuesday")):
        _cut(place / "drives" / f"{name}.mp4", 12 * number, 8)
        shutil.copy(DEMO / "drive.gpx", place / "drives" / f"{name}.gpx")
    shutil.copytree(DEMO / "cities", place / "my-cities")
    drives = [TrainingSource(video, video.with_suffix(".gpx"), "video") for video in sorted((place / "drives").glob("*.mp4"))]
    build(place / "my-references", drives, ReferenceSettings(resolution_m=25.0))
    labels = "video,city,state,country,continent\nmonday.mp4,Sandy Island,,,\ntuesday.mp4,Sandy Reach,,,\n"
    (place / "cities.csv").write_text(labels, encoding="utf-8")
    shutil.copy(DEMO / "drive.mp4", place / "holiday.mp4")
    (place / "drives.csv").write_text("file\ndrive.mp4\n", encoding="utf-8")
    shutil.copy(DEMO / "drive.mp4", place / "walk.mp4")
    return place


def with_roads(place: Path) -> None:
    """A layer of roads under both names that pages use, and an area inside an archive."""
    track = gpxpy.parse((DEMO / "drive.gpx").read_text(encoding="utf-8")).tracks[0].segments[0].points
    roads = geopandas.GeoDataFrame(geometry=[shapely.LineString([(p.longitude, p.latitude) for p in track])], crs=4326)
    for name in ("roads", "streets"):
        roads.to_file(place / f"{name}.gpkg", engine="pyogrio")
    (place / "town").mkdir()
    geopandas.read_file(DEMO / "aoi.geojson").to_file(place / "town" / "area.shp", engine="pyogrio")
    shutil.make_archive(str(place / "areas"), "zip", place, "town")
    shutil.rmtree(place / "town")
    pins = geopandas.GeoDataFrame({"frame_index": [12], "here": [True]}, geometry=[shapely.Point(159.9268, -19.2195)], crs=4326)
    pins.to_file(place / "pins.gpkg", engine="pyogrio")


def with_others(place: Path) -> None:
    """Videos with tracks for the fit of confidence; a real flight with its own."""
    for number in range(_PIECES):
        name = place / "others" / f"{number}"
        _cut(name.with_suffix(".mp4"), _PIECE_S * number, _PIECE_S)
        shutil.copy(DEMO / "drive.gpx", name.with_suffix(".gpx"))
    for name in ("flight1.mp4", "flight1.gpx"):
        shutil.copy(EXAMPLE / name, place / name)
    shutil.copy(EXAMPLE / "flight1.mp4", place / "my.mp4")


def with_result(place: Path) -> None:
    """What an earlier run left: a result whose scores are kept."""
    vidtag.geolocate(
        place / "drive.mp4",
        aoi=place / "aoi.geojson",
        checkpoint=place / "checkpoint",
        resolution_m=25,
        keep_scores=True,
        output=place / "drive.gpkg",
    )
    shutil.copy(place / "drive.gpkg", place / "batch.gpkg")


def _cut(path: Path, from_s: float, length_s: float) -> None:
    """A part of the demo's drive, dated when it was taken, so that the whole drive's track fits."""
    date = f"{_BEGIN + timedelta(seconds=from_s):%Y-%m-%dT%H:%M:%S}.000000Z"
    command = ["ffmpeg", "-v", "error", "-y", "-ss", str(from_s), "-i", str(DEMO / "drive.mp4"), "-t", str(length_s)]
    subprocess.run([*command, "-c:v", "libx264", "-crf", "18", "-metadata", f"creation_time={date}", str(path)], check=True)
