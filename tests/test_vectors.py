"""Vector sources: formats that only fiona opens, addresses and archives as typed, and nothing that leads elsewhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import fiona
import geopandas
import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
from shapely.geometry import mapping

from tests.test_architecture import third_party
from vidtag_engine.commands.doctor import run_doctor
from vidtag_engine.grid import load_aoi
from vidtag_engine.types import InputError
from vidtag_engine.vectors import OLD_DRIVERS, TYPED_DRIVERS, open_vector

ROOT = Path(__file__).resolve().parents[1]
SQUARE = shapely.box(5.0, 45.0, 5.1, 45.1)
LINE = shapely.LineString([(5.0, 45.0), (5.1, 45.05), (5.2, 45.0)])


GDALS = ("pyogrio", "fiona", "rasterio")


def write_old(path, driver, geometry):
    """With fiona's own GDAL, which still writes these formats."""
    schema = {"geometry": geometry.geom_type, "properties": {"name": "str"}}
    with fiona.open(path, "w", driver=driver, crs="EPSG:4326", schema=schema, allow_unsupported_drivers=True) as layer:
        layer.write({"geometry": mapping(geometry), "properties": {"name": "a"}})
    return path


def write_tiger(path):
    """Complete chains, by the columns of the Census Bureau's record type 1; GDAL wants 500 bytes at least."""
    records = []
    for number in range(6):
        record = [" "] * 228
        x, y = 5.0 + number / 100, 45.0
        for start, text in [
            (1, "1"), (2, "0002"), (6, f"{1001 + number:>10}"), (16, "1"), (17, "A"), (20, "Main"), (56, "A41"),
            (191, f"{round(x * 1e6):>+10}"), (201, f"{round(y * 1e6):>+9}"),
            (210, f"{round((x + 0.01) * 1e6):>+10}"), (220, f"{round((y + 0.01) * 1e6):>+9}"),
        ]:  # fmt: skip
            record[start - 1 : start - 1 + len(text)] = text
        records.append("".join(record) + "\r\n")
    path.write_bytes("".join(records).encode())
    return path


def write_new(path, geometry=SQUARE, **more):
    pyogrio.write_dataframe(geopandas.GeoDataFrame({"name": ["a"]}, geometry=[geometry], crs=4326), path, **more)
    return path


@pytest.fixture
def served(tmp_path):
    """A folder, its address, and what was asked of the server."""
    folder, log = tmp_path / "served", tmp_path / "log"
    folder.mkdir()
    process = subprocess.Popen([sys.executable, ROOT / "tests" / "range_server.py", folder, log], stdout=subprocess.PIPE, text=True)
    try:
        port = process.stdout.readline().strip()
        yield folder, f"http://127.0.0.1:{port}", lambda: log.read_text().split() if log.exists() else []
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_each_listed_driver_is_in_fionas_wheel():
    with fiona.Env() as environment:
        assert set(TYPED_DRIVERS) <= set(environment.drivers())
    assert set(OLD_DRIVERS) <= set(TYPED_DRIVERS)


@pytest.mark.parametrize(("driver", "name"), [("Geoconcept", "area.gxt"), ("MapML", "area.mapml")])
def test_an_area_in_a_format_that_pyogrio_does_not_open(tmp_path, driver, name):
    path = write_old(tmp_path / name, driver, SQUARE)
    if driver != "MapML" or pyogrio.__gdal_version__ >= (3, 12, 0):  # GDAL 3.11 still knows the older MapML
        with pytest.raises(pyogrio.errors.DataSourceError):
            pyogrio.list_layers(path)
    area = load_aoi(path)
    assert shapely.equals(area.geometry, SQUARE)
    assert area.notes == ()


@pytest.mark.parametrize("form", ["Geoconcept", "TIGER"])
def test_lines_in_a_format_that_pyogrio_does_not_open(tmp_path, form):
    path = write_old(tmp_path / "l.gxt", form, LINE) if form == "Geoconcept" else write_tiger(tmp_path / "TGR01001.RT1")
    with pytest.raises(pyogrio.errors.DataSourceError):
        pyogrio.list_layers(path)
    source = open_vector(str(path), "The roads")
    layer = next(name for name, kind in source.layers.items() if kind and "LineString" in kind)
    lines = shapely.get_parts(source.read(layer))
    if form == "Geoconcept":
        np.testing.assert_allclose(shapely.get_coordinates(lines), shapely.get_coordinates(LINE))
    else:
        assert len(lines) == 6
        np.testing.assert_allclose(shapely.get_coordinates(lines[1]), [(5.01, 45.0), (5.02, 45.01)])
        assert "NAD83" in source.crs(layer)
        assert len(source.read(layer, (5.051, 45.0, 5.06, 45.01))) == 1


def test_addresses_and_archives_as_typed(tmp_path, served, monkeypatch):
    folder, address, asked = served
    write_new(folder / "area.gpkg")
    write_new(tmp_path / "side.shp")
    write_old(tmp_path / "old.gxt", "Geoconcept", SQUARE)
    with zipfile.ZipFile(folder / "many.zip", "w") as archive:
        archive.write(folder / "area.gpkg", "a/area.gpkg")
        archive.write(tmp_path / "old.gxt", "old.gxt")
        for suffix in ("shp", "shx", "dbf", "prj"):
            archive.write(tmp_path / f"side.{suffix}", f"in/side.{suffix}")
    local = folder / "many.zip"
    for inside in ("a/area.gpkg", "in/side.shp", "old.gxt"):
        for text in (f"zip://{local}!{inside}", f"/vsizip/{local}/{inside}", f"zip+{address}/many.zip!{inside}"):
            assert shapely.equals(load_aoi(text).geometry, SQUARE), text
    monkeypatch.chdir(folder)
    assert shapely.equals(load_aoi("zip://many.zip!in/side.shp").geometry, SQUARE)
    monkeypatch.chdir(folder.parent)
    assert shapely.equals(load_aoi(f"zip://{folder.name}/many.zip!in/side.shp").geometry, SQUARE)
    assert shapely.equals(load_aoi(f"{address}/area.gpkg").geometry, SQUARE)
    assert shapely.equals(load_aoi(f"zip+{address}/many.zip!a/area.gpkg|layername=area").geometry, SQUARE)
    # GDAL also asks what else lies in the folder.
    assert {path.split("/")[1].partition(".")[0] for path in asked()} <= {"", "area", "many"}


def test_no_link_inside_a_file_is_followed(tmp_path, served):
    folder, address, asked = served
    write_new(folder / "area.gpkg")
    layer = '<OGRVRTLayer name="area"><SrcDataSource{}>{}</SrcDataSource></OGRVRTLayer>'
    vrt = "<OGRVRTDataSource>" + layer + "</OGRVRTDataSource>"
    query = '<OGRVRTLayer name="a"><SrcDataSource>area.gpkg</SrcDataSource><SrcSQL>SELECT * FROM area</SrcSQL></OGRVRTLayer>'
    write_new(tmp_path / "area.gpkg")
    (tmp_path / "inner.xml").write_text(vrt.format("", f"{address}/area.gpkg"))
    contents = {
        "plain.vrt": vrt.format("", f"{address}/area.gpkg"),
        "vsi.vrt": vrt.format("", f"/vsicurl/{address}/area.gpkg"),
        "entity.vrt": vrt.format("", f"{address}/area.gpkg".replace("/", "&#47;")),
        "nested.vrt": vrt.format(' relativeToVRT="1"', "inner.xml"),
        "mixed.vrt": "<OGRVRTDataSource>"
        + layer.format("", "area.gpkg")
        + layer.format("", f"{address}/area.gpkg")
        + "</OGRVRTDataSource>",
        "query.vrt": f"<OGRVRTDataSource>{query}</OGRVRTDataSource>",
        "chain.gdalg.json": json.dumps({"type": "gdal_streamed_alg", "command_line": f"gdal vector convert {address}/area.gpkg -"}),
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
        with pytest.raises(InputError, match="virtual source|chain of commands") as caught:
            load_aoi(tmp_path / name)
        assert name in str(caught.value), name
    assert asked() == []
    (tmp_path / "here.vrt").write_text(vrt.format(' relativeToVRT="1"', "area.gpkg"))
    assert shapely.equals(load_aoi(tmp_path / "here.vrt").geometry, SQUARE)


def test_what_an_address_holds_leads_nowhere_else(tmp_path, served):
    folder, address, asked = served
    write_new(folder / "area.gpkg")
    (folder / "away.vrt").write_text(
        f'<OGRVRTDataSource><OGRVRTLayer name="area"><SrcDataSource>{address}/area.gpkg</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
    )
    crs = {"type": "link", "properties": {"href": f"{address}/system", "type": "ogcwkt"}}
    (folder / "linked.geojson").write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": [
        {"type": "Feature", "properties": {}, "geometry": mapping(SQUARE)}]}))  # fmt: skip
    for name in ("away.vrt", "linked.geojson", "none.gpkg"):
        with pytest.raises(InputError, match=rf"{name} cannot be opened at this address .*GPKG") as caught:
            load_aoi(f"{address}/{name}")
        assert str(caught.value).count("\n") == 0
    assert {"/area.gpkg", "/system"}.isdisjoint(asked())


def test_what_neither_opens_is_one_sentence_and_no_more(tmp_path):
    (tmp_path / "area.gxt").write_text("//$DELIMITER nothing\n")
    command = "import sys; from vidtag_engine.grid import load_aoi; load_aoi(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", command, tmp_path / "area.gxt"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[0].startswith("Traceback")  # nothing that a library says goes before it
    assert "InputError: The area of interest area.gxt is not a vector file that can be read (" in done.stderr.splitlines()[-1]


def test_the_docs_say_which_module_uses_which_gdal():
    page = (ROOT / "docs" / "engine-environment.md").read_text()
    section = page.partition("## Three GDALs\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("|")]
    told = {row[0]: set(re.findall(r"`([\w/]+)`", row[3])) for row in rows if row[0] in GDALS}
    engine = ROOT / "vidtag_engine"
    imported = {path.relative_to(engine).with_suffix("").as_posix(): third_party(path) for path in engine.rglob("*.py")}
    assert told == {library: {module for module, names in imported.items() if library in names} for library in GDALS}


def test_the_doctor_shows_all_three_gdals():
    found = {name: version for name, version in run_doctor()["versions"].items() if name.startswith("GDAL")}
    assert found == {
        "GDAL of pyogrio": pyogrio.__gdal_version_string__,
        "GDAL of fiona": fiona.__gdal_version__,
        "GDAL of rasterio": rasterio.__gdal_version__,
    }


@pytest.mark.parametrize("variable", ["GDAL_HTTP_TIMEOUT", "PROJ_DATA", "PROJ_LIB"])
def test_what_the_environment_reaches(variable):
    """As the docs say of it."""
    command = """
import pyogrio, rasterio, rasterio.crs, fiona, fiona.crs, pyproj
from fiona._env import get_gdal_config as of_fiona
from rasterio._env import get_gdal_config as of_rasterio
def known(system, code):
    try:
        return bool(system(code).to_wkt())
    except Exception:
        return False
print([str(get("GDAL_HTTP_TIMEOUT")) for get in (pyogrio.get_gdal_config_option, of_fiona, of_rasterio)])
pyogrio.set_gdal_config_options({"GDAL_HTTP_TIMEOUT": "8"})
print([str(get("GDAL_HTTP_TIMEOUT")) for get in (pyogrio.get_gdal_config_option, of_fiona, of_rasterio)])
print([known(one, 32633) for one in (pyproj.CRS.from_epsg, fiona.crs.CRS.from_epsg, rasterio.crs.CRS.from_epsg)])
"""
    environment = {name: value for name, value in os.environ.items() if name not in {"PROJ_DATA", "PROJ_LIB", "GDAL_HTTP_TIMEOUT"}}
    done = subprocess.run(
        [sys.executable, "-c", command], env={**environment, variable: "5"}, capture_output=True, text=True, check=True, timeout=120
    )
    first, second, systems = done.stdout.splitlines()
    if variable == "GDAL_HTTP_TIMEOUT":
        assert (first, second, systems) == ("['5', '5', '5']", "['8', '5', '5']", "[True, True, True]")
    else:
        assert systems == "[True, False, False]"
