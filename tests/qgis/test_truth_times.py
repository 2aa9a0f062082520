"""Times of a truth layer with and without zones, in each kind of file that people open in QGIS."""

from __future__ import annotations

import csv
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from qgis.core import QgsProject, QgsVectorLayer

from tests.qgis.common import Told
from tests.qgis.test_grid_evaluate_export import context_of
from vidtag_qgis.truth import write_truth

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC).timestamp()
TIMES = {
    "utc": ["2026-05-01T12:00:00Z", "2026-05-01T12:00:10Z"],
    "stockholm": ["2026-05-01T14:00:00+02:00", "2026-05-01T14:00:10+02:00"],
    "india": ["2026-05-01T17:30:00+05:30", "2026-05-01T17:30:10+05:30"],
    "new york": ["2026-05-01T08:00:00-04:00", "2026-05-01T08:00:10-04:00"],
    "no zone": ["2026-05-01T12:00:00", "2026-05-01T12:00:10"],
}
LINES = [[13.0, 55.0], [13.1, 55.0]]


def geojson(folder: Path, times: list[str]) -> Path:
    path = folder / "truth.geojson"
    points = [
        {"type": "Feature", "properties": {"time": time, "n": n}, "geometry": {"type": "Point", "coordinates": [13 + n / 10, 55]}}
        for n, time in enumerate(times)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": points}))
    return path


def opened(kind: str, folder: Path, times: list[str]) -> QgsVectorLayer:
    source = geojson(folder, times)
    if kind == "geojson":
        layer = QgsVectorLayer(str(source), "truth", "ogr")
    elif kind == "gpkg":
        path = folder / "truth.gpkg"
        subprocess.run(["ogr2ogr", "-f", "GPKG", "-nln", "fixes", str(path), str(source)], check=True, capture_output=True)
        layer = QgsVectorLayer(f"{path}|layername=fixes", "truth", "ogr")
    else:
        path = folder / "truth.csv"
        path.write_text("lat,lon,time\n" + "".join(f"55,{13 + n / 10},{time}\n" for n, time in enumerate(times)))
        detect = "yes" if kind == "csv detected" else "no"
        layer = QgsVectorLayer(f"{path.as_uri()}?xField=lon&yField=lat&crs=EPSG:4326&detectTypes={detect}", "truth", "delimitedtext")
    assert layer.isValid()
    QgsProject.instance().addMapLayer(layer)
    return layer


def written(layer: QgsVectorLayer, folder: Path, *fields: str) -> list[tuple[float, float]]:
    told = Told()
    write_truth(layer, str(folder / "t.csv"), *(fields or ("", "")), context_of(), told, layer)
    rows = list(csv.DictReader((folder / "t.csv").open(encoding="utf-8")))
    return [(unix_s(row["time"]), round(float(row["lon"]), 6)) for row in rows]


def unix_s(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


@pytest.mark.parametrize("zone", TIMES)
@pytest.mark.parametrize("kind", ["gpkg", "geojson", "csv detected", "csv text"])
def test_zones_of_a_truth_layer_are_honoured(plugin, kind, zone, tmp_path):
    rows = written(opened(kind, tmp_path, TIMES[zone]), tmp_path)
    assert rows == [(NOON, 13.0), (NOON + 10, 13.1)]


@pytest.mark.parametrize("zone", TIMES)
def test_lines_from_a_start_to_an_end(plugin, zone, tmp_path):
    start, end = TIMES[zone]
    line = {
        "type": "Feature",
        "properties": {"start_time": start, "end_time": end},
        "geometry": {"type": "LineString", "coordinates": LINES},
    }
    path = tmp_path / "lines.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [line]}))
    layer = QgsVectorLayer(str(path), "truth", "ogr")
    assert [time for time, _ in written(layer, tmp_path)] == [NOON, NOON + 10]


def test_what_has_no_time_is_counted(plugin, tmp_path):
    layer, told = opened("csv text", tmp_path, ["2026-05-01T12:00:00Z", "", ""]), Told()
    assert write_truth(layer, str(tmp_path / "t.csv"), "", "", context_of(), told, layer) == 1
    assert any("2 features of the truth 'truth'" in text for text in told.said)
