"""Heat maps: cells that lie where they say, sums of 1, the peak at the pick, and bad input on the way."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
import torch
from pyproj import Geod, Transformer
from scipy import sparse

from vidtag_engine.command_arguments import HeatmapArguments
from vidtag_engine.export import map_system, plan_raster, write_raster
from vidtag_engine.feedback import Feedback
from vidtag_engine.geodesy import geodesic_m
from vidtag_engine.geolocation import geolocate, load
from vidtag_engine.grid import load_aoi, make_grid
from vidtag_engine.heatmap import _Together, run_heatmap
from vidtag_engine.settings import GeolocateSettings
from vidtag_engine.trajectory import PathCalibration
from vidtag_engine.types import CancelledError, InputError

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "resources" / "demo"
AREAS = {
    "plain": "13.0,45.0,13.2,45.1",
    "parts with a hole": "MULTIPOLYGON(((10 45,10.08 45.02,10.07 45.08,10 45.06,10 45),(10.03 45.03,10.05 45.035,10.04 45.05,10.03 45.03)),"
    "((10.1 45,10.14 45,10.13 45.05,10.1 45)))",
    "across the seam": "179.95,-17,180.05,-16.92",
    "far north": "20,80,20.5,80.08",
    "a pole": "-180,89.9,180,90",
}


@pytest.mark.parametrize("name", AREAS)
@pytest.mark.parametrize("crs", [None, "EPSG:4326", "+proj=laea +lat_0=90 +lon_0=20"])
def test_cells_cover_the_area(name, crs):
    aoi = load_aoi(AREAS[name])
    if crs == "EPSG:4326" and name == "across the seam":
        with pytest.raises(InputError, match="±180"):
            map_system(crs, aoi.geometry)
        return
    if crs == "EPSG:4326" and name == "a pole":
        return  # a pole is a line there
    plan = plan_raster(aoi.geometry, map_system(crs, aoi.geometry), math.sqrt(aoi.area_m2 / 4000), most_cells=1_000_000)
    assert plan.area_m2.sum() == pytest.approx(aoi.area_m2, rel=0.02)
    assert plan.inside.sum() == len(plan.area_m2) == len(plan.lat_lon_deg)
    assert shapely.intersects_xy(aoi.geometry, plan.lat_lon_deg[:, 1], plan.lat_lon_deg[:, 0]).all()
    # A cell's middle, by pyproj from its row and column.
    rows, columns = np.nonzero(plan.inside)
    x, y = plan.origin[0] + (columns + 0.5) * plan.step[0], plan.origin[1] - (rows + 0.5) * plan.step[1]
    lon, lat = Transformer.from_crs(plan.crs, "EPSG:4326", always_xy=True).transform(x, y)
    np.testing.assert_allclose(plan.lat_lon_deg[:, 0], lat, atol=1e-9)
    # A cell's area, by geodesics around it.
    corner = Transformer.from_crs(plan.crs, "EPSG:4326", always_xy=True)
    one = len(x) // 2
    around = [(x[one] + a * plan.step[0] / 2, y[one] + b * plan.step[1] / 2) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    area, _ = Geod(ellps="WGS84").polygon_area_perimeter(*corner.transform(*np.array(around).T))
    assert plan.area_m2[one] == pytest.approx(abs(area), rel=0.01)


def test_too_many_cells_are_refused_or_widened():
    aoi = load_aoi(AREAS["plain"])
    system = map_system(None, aoi.geometry)
    with pytest.raises(InputError, match="--cell-m") as caught:
        plan_raster(aoi.geometry, system, 1.0, most_cells=10_000)
    fitting = float(str(caught.value).split("--cell-m ")[1].split(" ")[0])
    assert plan_raster(aoi.geometry, system, fitting, most_cells=10_000).inside.size <= 10_000
    assert 5_000 < plan_raster(aoi.geometry, system, 1.0, most_cells=10_000, widen=True).inside.size <= 10_000
    assert plan_raster(aoi.geometry, system, 1e6, most_cells=10).inside.tolist() == [[True]]
    with pytest.raises(InputError, match="EPSG:999999"):
        map_system("EPSG:999999", aoi.geometry)


def test_a_file_that_fails_leaves_nothing(tmp_path):
    aoi = load_aoi(AREAS["plain"])
    plan = plan_raster(aoi.geometry, map_system(None, aoi.geometry), 500.0, most_cells=10_000)

    def bands():
        yield "one", {}, plan.area_m2
        raise CancelledError

    with pytest.raises(CancelledError):
        write_raster(tmp_path / "map.tif", plan, bands(), 2, {})
    assert not list(tmp_path.iterdir())


def test_a_system_that_a_geotiff_cannot_tell_is_refused(tmp_path):
    aoi = load_aoi(AREAS["plain"])
    plan = plan_raster(aoi.geometry, map_system("+proj=eqearth +lon_0=13", aoi.geometry), 500.0, most_cells=10_000)
    with pytest.raises(InputError, match="GeoTIFF"):
        write_raster(tmp_path / "map.tif", plan, [("one", {}, plan.area_m2)], 1, {})
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Maps of two seconds of the demo drive, by frame and as one, each frame by itself and decoded together."""
    folder = tmp_path_factory.mktemp("maps")
    said = {}
    for bands, crs, resolution_m, decoder, cell_m in (
        ("frames", None, 25.0, "none", 20.0), ("video", "EPSG:4326", 25.0, "none", 20.0), ("frames", "EPSG:3857", 4.0, "none", 20.0),
        ("frames", None, 25.0, "hmm", 20.0), ("video", None, 25.0, "hmm", 10.0), ("video", "EPSG:4326", 25.0, "hmm", 90.0),
    ):  # fmt: skip
        key = f"{bands} {resolution_m:g}" if decoder == "none" else f"{bands} decoded {cell_m:g}"
        said[key] = run_heatmap(
            HeatmapArguments(
                output=str(folder / f"{key}.tif"), aoi=str(DEMO / "aoi.geojson"), video=str(DEMO / "drive.mp4"), checkpoint=str(DEMO / "checkpoint"),
                resolution_m=resolution_m, to_s=1.9, bands=bands, crs=crs, device="cpu", cell_m=cell_m, decoder=decoder, png=str(folder / f"{key}.png"),
            )
        )  # fmt: skip
    return said


@pytest.mark.slow
def test_every_band_sums_to_one_inside_and_is_nothing_outside(made):
    aoi = load_aoi(DEMO / "aoi.geojson")
    for key, said in made.items():
        with rasterio.open(said["output"]) as file:
            values = file.read()
            assert file.count == said["bands"] == (2 if key.startswith("frames") else 1)
            assert math.isnan(file.nodata)
            to_degrees = Transformer.from_crs(file.crs, "EPSG:4326", always_xy=True)
            rows, columns = np.indices(file.shape)
            lon, lat = to_degrees.transform(*rasterio.transform.xy(file.transform, rows.ravel(), columns.ravel()))
        inside = shapely.intersects_xy(aoi.geometry, lon, lat).reshape(values.shape[1:])
        for band in values:
            np.testing.assert_array_equal(np.isfinite(band), inside)
            assert np.nansum(band.astype(np.float64)) == pytest.approx(1.0, abs=1e-5)
            assert np.nanmin(band) >= 0.0
        assert Path(said["png"]).read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_peak_is_at_the_pick_and_the_map_is_the_softmax(made, tmp_path):
    loaded = load(str(DEMO / "checkpoint"), "cpu")
    settings = GeolocateSettings(resolution_m=25.0, to_s=1.9, device="cpu")
    trajectory = (
        geolocate([DEMO / "drive.mp4"], load_aoi(DEMO / "aoi.geojson"), loaded, tmp_path / "drive.gpkg", settings).results[0].trajectory
    )
    second = loaded.calibration.similarity == "phase2"
    lat, lon = (trajectory.lat_deg, trajectory.lon_deg) if second else (trajectory.phase1_lat_deg, trajectory.phase1_lon_deg)
    peaks = np.array(made["frames 25"]["peaks_lat_lon_deg"])
    assert geodesic_m(lat, lon, *peaks.T).max() < 25 + 20
    # Exhaustive at 25 m and from the coarse pass at 4 m: the same map but for the system.
    for key in ("frames 25", "frames 4"):
        with rasterio.open(made[key]["output"]) as file:
            row, column = np.unravel_index(np.nanargmax(file.read(1)), file.shape)
            x, y = file.xy(row, column)
            there = Transformer.from_crs(file.crs, "EPSG:4326", always_xy=True).transform(x, y)
            assert geodesic_m(there[1], there[0], *peaks[0]) < 45
    # One band for all is the frames' mean (cells lie elsewhere in the other system).
    with rasterio.open(made["frames 25"]["output"]) as file, rasterio.open(made["video 25"]["output"]) as whole:
        mean = (file.read(1) + file.read(2)) / 2
        assert np.nanmax(mean) == pytest.approx(np.nanmax(whole.read(1)), rel=0.15)


@pytest.mark.slow
def test_decoded_together_the_map_is_what_line_and_regions_were_taken_from(made, tmp_path):
    loaded, output = load(str(DEMO / "checkpoint"), "cpu"), tmp_path / "drive.gpkg"
    settings = GeolocateSettings(resolution_m=25.0, to_s=1.9, device="cpu")
    trajectory = geolocate([DEMO / "drive.mp4"], load_aoi(DEMO / "aoi.geojson"), loaded, output, settings).results[0].trajectory
    regions = geopandas.read_file(output, layer="regions")
    peaks = np.array(made["frames decoded 20"]["peaks_lat_lon_deg"])
    for moment, (lat_deg, lon_deg) in zip(trajectory.time_s, peaks, strict=True):
        likeliest = regions[np.isclose(regions["time_s"], moment) & (regions["level"] == 50)].union_all()
        assert shapely.intersects_xy(likeliest.buffer(1e-4), lon_deg, lat_deg)
    path = loaded.calibration.path
    assert path is not None
    with rasterio.open(made["frames decoded 20"]["output"]) as file:
        to_degrees = Transformer.from_crs(file.crs, "EPSG:4326", always_xy=True)
        lon, lat = to_degrees.transform(*rasterio.transform.xy(file.transform, *map(np.ravel, np.indices(file.shape))))
        for band in (1, 2):
            mass = np.nan_to_num(file.read(band).astype(np.float64)).ravel()
            of_frame = regions[np.isclose(regions["time_s"], trajectory.time_s[band - 1]) & (regions["level"] == 90)]
            held = mass[shapely.intersects_xy(of_frame.union_all(), lon, lat)].sum()
            # A region has the level of its kind of video.
            assert min(abs(held - path.level90), abs(held - path.unrecognised90)) < 0.03


@pytest.mark.parametrize("cell_m", [12.5, 25.0, 50.0])
@pytest.mark.parametrize("crs", [None, "EPSG:4326"])
def test_places_are_laid_into_cells_without_a_pattern_of_their_own(cell_m, crs):
    """Cells lie askew to the places that frames are decoded over; what is even stays even, and a lone place's cell is the peak."""
    aoi = load_aoi(DEMO / "aoi.geojson")
    grid = make_grid(aoi, 25.0)
    places = np.concatenate(list(grid.chunks()))
    plan = plan_raster(aoi.geometry, map_system(crs, aoi.geometry), cell_m, most_cells=1_000_000)
    solver = SimpleNamespace(
        cover=SimpleNamespace(lat_lon_deg=places), path=PathCalibration.unfitted(0.07, 25.0), unknown_mass=np.zeros(len(places))
    )
    job = SimpleNamespace(feedback=Feedback())
    lone = len(places) // 2
    mass = sparse.csr_matrix(np.stack([np.full(len(places), 1.0 / len(places)), np.arange(len(places)) == lone]).astype(np.float64))
    laid = _Together(job, plan, solver, mass)
    (even, _), (alone, peak) = laid.frames()
    density = even / plan.area_m2 * plan.area_m2.sum()
    middle = shapely.intersects_xy(aoi.geometry.buffer(-2 * cell_m / 111_195), plan.lat_lon_deg[:, 1], plan.lat_lon_deg[:, 0])
    low, high = np.quantile(density[middle], [0.05, 0.95])
    assert 0.8 < low < high < 1.25
    assert even.sum() == pytest.approx(1.0)
    assert alone.sum() == pytest.approx(1.0)
    assert geodesic_m(*plan.lat_lon_deg[peak], *places[lone]) < 0.75 * cell_m
    mean, _ = laid.mean()
    np.testing.assert_allclose(mean, (even + alone) / 2, atol=1e-12)


@pytest.mark.slow
def test_no_mass_is_lost_in_cells_finer_or_coarser_than_what_frames_are_decoded_over(made):
    about = made["frames decoded 20"]["peaks_lat_lon_deg"][0]
    shares = []
    for key in ("video decoded 10", "video decoded 90"):
        with rasterio.open(made[key]["output"]) as file:
            values = np.nan_to_num(file.read(1).astype(np.float64)).ravel()
            to_degrees = Transformer.from_crs(file.crs, "EPSG:4326", always_xy=True)
            lon, lat = to_degrees.transform(*rasterio.transform.xy(file.transform, *map(np.ravel, np.indices(file.shape))))
        assert values.sum() == pytest.approx(1.0, abs=1e-5)
        shares.append([values[geodesic_m(about[0], about[1], lat, lon) < radius_m].sum() for radius_m in (200.0, 400.0, 800.0)])
    np.testing.assert_allclose(*shares, atol=0.1)


@pytest.mark.slow
def test_tags_tell_what_made_it_and_gdal_reads_them(made, tmp_path):
    said = made["frames 25"]
    info = json.loads(subprocess.run(["gdalinfo", "-json", said["output"]], capture_output=True, text=True, check=True).stdout)
    card = json.loads((DEMO / "checkpoint" / "config.json").read_text())
    tags = info["metadata"][""]
    assert tags["vidtag_checkpoint_sha256"] == card["sha256"]
    assert float(tags["vidtag_temperature"]) == card["calibration"]["temperature"]
    assert (
        tags["vidtag_video_sha256"]
        == subprocess.run(["sha256sum", DEMO / "drive.mp4"], capture_output=True, text=True, check=True).stdout[:64]
    )
    assert json.loads(tags["vidtag_settings"])["resolution_m"] == 25.0
    assert str(ROOT) not in json.dumps(tags)
    assert [band["description"].split(" (")[0] for band in info["bands"]] == ["drive.mp4 0.000 s", "drive.mp4 1.000 s"]
    assert "Lambert Azimuthal" in info["coordinateSystem"]["wkt"]
    assert Path(said["output"]).with_suffix(".qml").read_text(encoding="utf-8").startswith("<!DOCTYPE qgis")


@pytest.mark.slow
def test_the_command_line(tmp_path):
    command = [
        sys.executable, "-m", "vidtag_engine", "heatmap", str(DEMO / "drive.mp4"), "--aoi", str(DEMO / "aoi.geojson"), "--checkpoint", str(DEMO / "checkpoint"),
        "--resolution-m", "40", "--to", "0.9", "--output", str(tmp_path / "map.tif"), "--json",
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout)
    assert (said["bands"], said["cell_m"]) == (1, pytest.approx(40.0, rel=0.01))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.qml", "map.tif"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"output": "map.png"}, "tif"),
        ({"png": "map.jpg"}, "png"),
        ({"video": None}, "exactly one"),
        ({"bands": "seconds"}, "bands"),
        ({"decoder": "kalman"}, "decoder"),
        ({"cell_m": -1.0}, "cell_m"),
        ({"output": "absent/map.tif"}, "absent"),
        ({"crs": "EPSG:999999"}, "EPSG:999999"),
        ({"aoi": "-10,40,30,60"}, "too large for a heat map"),
        ({"cell_m": 0.1}, "--cell-m"),
    ],
)
def test_bad_input_is_one_sentence(change, word, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {
        "output": "map.tif", "aoi": str(DEMO / "aoi.geojson"), "video": str(DEMO / "drive.mp4"), "checkpoint": str(DEMO / "checkpoint"), "device": "cpu",
        **change,
    }  # fmt: skip
    with pytest.raises(InputError, match=word) as caught:
        run_heatmap(HeatmapArguments(**given))
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_scores_off_the_coarse_pass_are_the_embedded_ones():
    """The map's numbers from surfaces against embedding every cell."""
    from vidtag_engine.search.coarse_to_fine import CoarseToFine

    loaded = load(str(DEMO / "checkpoint"), "cpu")
    aoi = load_aoi(DEMO / "aoi.geojson")
    search = CoarseToFine(loaded.model, make_grid(aoi, 2.0), aoi, "cpu", weights_sha256=loaded.card.sha256)
    plan = plan_raster(aoi.geometry, map_system(None, aoi.geometry), 40.0, most_cells=100_000)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        places = loaded.model.embed_locations(torch.from_numpy(plan.lat_lon_deg))
        noise = torch.randn(8, places.shape[1], generator=generator)
        queries = torch.nn.functional.normalize(places[::200][:8] + 0.7 * noise / noise.norm(dim=1, keepdim=True), dim=1)
        found, expected = search.scorer(plan.lat_lon_deg)(queries), queries @ places.T
    assert not search.exhaustive
    assert (found - expected).abs().mean() < 0.005
    assert (found - expected).abs().max() < 0.08
