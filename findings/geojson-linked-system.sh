#!/usr/bin/env bash
# GDAL calls a GeoJSON's coordinates WGS 84 degrees where it cannot get the system that the file links to, without an error.
#
# GeoJSON of 2008 may say its coordinate system by a link ("crs": {"type": "link", "properties": {"href": ...}}), which GDAL
# follows. Expected offline, or once the address is gone: an error, or a layer without a system. Seen with pyogrio 0.13.0
# (GDAL 3.12.4): the layer is in EPSG:4326, whatever its numbers are, with neither an exception nor a warning, and so is one
# whose system has a name that PROJ does not know. The metres of this one lie at longitude 500,000.
# It matters because the same file is right on the desk with a network and elsewhere wrong in the field.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pyogrio==0.13.0 numpy==2.2.6
"$work/venv/bin/python" - "$work" <<'PY'
import json, sys, warnings
import pyogrio

ring = [[500000, 5000000], [505000, 5000000], [505000, 5004000], [500000, 5000000]]
systems = {
    "named": {"type": "name", "properties": {"name": "EPSG:32633"}},
    "unknown name": {"type": "name", "properties": {"name": "EPSG:999999"}},
    # Port 9 of this machine, where nothing answers: as good as no network.
    "linked": {"type": "link", "properties": {"href": "http://127.0.0.1:9/epsg/32633.wkt", "type": "ogcwkt"}},
}
seen = {}
for name, crs in systems.items():
    path = f"{sys.argv[1]}/{name}.geojson"
    feature = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    with open(path, "w") as file:
        json.dump({"type": "FeatureCollection", "crs": crs, "features": [feature]}, file)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        info = pyogrio.read_info(path)
    seen[name] = info["crs"], len(said)
    print(f"{name}: system {info['crs']}, bounds {info['total_bounds']}, warnings {[str(one.message) for one in said]}")
print("pyogrio", pyogrio.__version__, "GDAL", ".".join(map(str, pyogrio.__gdal_version__)))
sys.exit(0 if seen["linked"] == seen["unknown name"] == ("EPSG:4326", 0) and seen["named"][0] == "EPSG:32633" else "this has changed")
PY
echo "As described: what cannot be fetched is called WGS 84."
