#!/usr/bin/env bash
# fiona does not find the inside of an archive in the current folder: zip://areas.zip!town/area.geojson opens with a folder before the name, and not without.
#
# The first part of such an address is taken for a host's name, as in https://host/path, and the ! behind it is not read.
# Expected: zip://areas.zip!… names the archive in the current folder, as zip://./areas.zip!… does, and as pyogrio reads it.
# Seen with fiona 1.10.1: DriverError, "Failed to open dataset: /vsizip/areas.zip!town/area.geojson".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check fiona==1.10.1 pyogrio==0.13.0 geopandas==1.1.1 shapely==2.1.2
cd "$work"
"$work/venv/bin/python" - <<'PY'
import json, pathlib, zipfile
import fiona, pyogrio
from fiona.errors import FionaError

square = {"type": "Polygon", "coordinates": [[[13.1, 55.6], [13.3, 55.6], [13.3, 55.8], [13.1, 55.6]]]}
text = json.dumps({"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name": "a"}, "geometry": square}]})
pathlib.Path("folder").mkdir()
for place in ("areas.zip", "folder/areas.zip"):
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("town/area.geojson", text)


def by_fiona(address):
    try:
        with fiona.open(address) as layer:
            return len(list(layer))
    except FionaError:
        return None


print("fiona", fiona.__version__, fiona.__gdal_version__, "| pyogrio", pyogrio.__version__, pyogrio.__gdal_version__)
seen = {}
for archive in ("areas.zip", "./areas.zip", "folder/areas.zip", f"{pathlib.Path.cwd()}/areas.zip"):
    address = f"zip://{archive}!town/area.geojson"
    seen[archive.replace(str(pathlib.Path.cwd()), "…")] = (by_fiona(address), len(pyogrio.read_dataframe(address)))
for archive, counts in seen.items():
    print(f"zip://{archive}!town/area.geojson: fiona {counts[0]}, pyogrio {counts[1]} features")
assert seen == {"areas.zip": (None, 1), "./areas.zip": (1, 1), "folder/areas.zip": (1, 1), "…/areas.zip": (1, 1)}, seen
PY
