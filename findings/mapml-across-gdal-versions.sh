#!/usr/bin/env bash
# A MapML file that one GDAL writes another one refuses: 3.12 does not open those of 3.9, nor 3.9 those of 3.12.
#
# MapML is one of GDAL's drivers in both versions, for reading and for writing, and a file names no version of the format.
# Expected: what a driver wrote its later versions still read. Two readers in one Python environment bring a GDAL each.
# Seen with fiona 1.10.1 (GDAL 3.9.2) and pyogrio 0.13.0 (GDAL 3.12): each reads its own file, and neither the other's;
# pyogrio says that the file is "not recognized as being in a supported file format".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check fiona==1.10.1 pyogrio==0.13.0 geopandas==1.1.1 shapely==2.1.2
"$work/venv/bin/python" - "$work" <<'PY'
import pathlib, sys
import fiona, geopandas, pyogrio, shapely
from fiona.errors import FionaError

folder = pathlib.Path(sys.argv[1])
print("fiona", fiona.__version__, fiona.__gdal_version__, "| pyogrio", pyogrio.__version__, pyogrio.__gdal_version__)
square = shapely.box(13.1, 55.6, 13.3, 55.8)
old, new = folder / "old.mapml", folder / "new.mapml"
with fiona.open(old, "w", driver="MapML", schema={"geometry": "Polygon", "properties": {"name": "str"}}, crs="EPSG:4326", allow_unsupported_drivers=True) as layer:
    layer.write({"geometry": shapely.geometry.mapping(square), "properties": {"name": "a"}})
pyogrio.write_dataframe(geopandas.GeoDataFrame({"name": ["a"]}, geometry=[square], crs=4326), new, driver="MapML")


def by_fiona(path):
    try:
        with fiona.open(path, driver="MapML", allow_unsupported_drivers=True) as layer:
            return len(list(layer))
    except FionaError as error:
        return str(error).replace(str(folder), "")


def by_pyogrio(path):
    try:
        return len(pyogrio.read_dataframe(path))
    except pyogrio.errors.DataSourceError as error:
        return str(error).replace(str(folder), "")


found = {name: (by_fiona(path), by_pyogrio(path)) for name, path in {"of 3.9": old, "of 3.12": new}.items()}
for name, (fiona_says, pyogrio_says) in found.items():
    print(f"{name:8} fiona: {fiona_says}   pyogrio: {pyogrio_says}")
assert found["of 3.9"][0] == 1 and "not recognized" in found["of 3.9"][1], found
assert found["of 3.12"][1] == 1 and isinstance(found["of 3.12"][0], str), found
PY
echo "As described: each GDAL reads its own MapML alone."
