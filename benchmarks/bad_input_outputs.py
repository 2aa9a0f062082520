"""Kinds of bad input: outputs that would take the place of what must be kept."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from vidtag_engine.file_marks import mark_geopackage

from .bad_input_cases import Case, evaluate, gallery, geolocate, heatmap, train

V = "drive.mp4"
CASES = (
    Case("output: a grid over a result", gallery(output="result.gpkg"), ("result.gpkg", "--overwrite")),
    Case("output: a grid over somebody's GeoPackage", gallery(output="layers.gpkg"), ("layers.gpkg", "mark", "--overwrite")),
    Case("output: GPX over the receiver's own log", geolocate(V, gpx="drive.gpx"), ("drive.gpx", "mark", "--overwrite")),
    Case("output: KML over somebody's KML", geolocate(V, kml="theirs.kml"), ("theirs.kml", "mark", "--overwrite")),
    Case("output: the area's own file, also with --overwrite",
         (*geolocate(V, aoi="layers.gpkg", aoi_layer="town", output="layers.gpkg"), "--overwrite"), ("layers.gpkg", "input")),
    Case("output: the video itself, also with --overwrite", (*geolocate(V, csv="drive.mp4"), "--overwrite"), (V, "input")),
    Case("output: a result that a person has added a layer to", geolocate(V, output="noted.gpkg"), ("noted.gpkg", "my notes")),
    Case("output: a pipe", gallery(output="pipe.gpkg"), ("pipe.gpkg", "pipe")),
    Case("heat map: over somebody's GeoTIFF", heatmap(V, output="theirs.tif"), ("theirs.tif", "mark", "--overwrite")),
    Case("heat map: its picture over another picture", heatmap(V, png="map.png"), ("map.png", "--overwrite")),
    Case("evaluate: errors over the result", evaluate("result.gpkg", map="map.png", errors="result.gpkg"), ("result.gpkg", "input")),
    Case("evaluate: report over somebody's page", evaluate("result.gpkg", map="map.png", html="theirs.html"), ("theirs.html", "--overwrite")),
    Case("export: CSV over somebody's table", ("export", "result.gpkg", "--csv", "no-places.csv"), ("no-places.csv", "--overwrite")),
    Case("export: two copies of one name", ("export", "result.gpkg", "--csv", "one.txt", "--kml", "one.txt"), ("one.txt", "two outputs")),
    Case("export: a frame over a photograph", ("export", "result.gpkg", "--frames", "photos", "--videos", V), ("drive.mp4_000001.jpg", "--overwrite")),
    Case("match: the roads as output, also with --overwrite",
         ("match", "result.gpkg", "--roads", "layers.gpkg", "--output", "layers.gpkg", "--overwrite"), ("layers.gpkg", "input")),
    Case("train: output holds another program's model", train(output="another-model"), ("another-model", "config.json", "--overwrite")),
)  # fmt: skip


def make_inputs(folder: Path) -> None:
    """Files of a person's, and a result that one has worked in."""
    (folder / "theirs.kml").write_text('<?xml version="1.0"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document/></kml>\n')
    (folder / "theirs.html").write_text("<!DOCTYPE html><html><head><title>Mine</title></head></html>\n")
    (folder / "another-model").mkdir()
    (folder / "another-model" / "config.json").write_text('{"architectures": ["CLIPModel"], "model_type": "clip"}\n')
    (folder / "photos").mkdir()
    shutil.copy(folder / "pictures" / "1.jpg", folder / "photos" / "drive.mp4_000001.jpg")
    os.mkfifo(folder / "pipe.gpkg")
    _make_raster(folder / "theirs.tif")
    _make_noted(folder / "noted.gpkg")


def _make_raster(path: Path) -> None:
    import numpy as np
    import rasterio

    with rasterio.open(path, "w", driver="GTiff", width=4, height=4, count=1, dtype="uint8", crs="EPSG:4326",
                       transform=rasterio.Affine(0.1, 0, 10, 0, -0.1, 50)) as file:  # fmt: skip
        file.write(np.ones((1, 4, 4), np.uint8))


def _make_noted(path: Path) -> None:
    import geopandas
    import shapely

    for layer in ("frames", "my notes"):
        geopandas.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(159.932, -19.218)], crs="EPSG:4326").to_file(path, layer=layer)
    with closing(sqlite3.connect(path)) as database, database:
        mark_geopackage(database, "result")
