#!/usr/bin/env bash
# One time with an offset turns all zone-less times of its column into UTC.
#
# A GeoJSON layer of moments, as people type them: some with an offset, some without. A time without an offset is of an
# unknown zone, and stays naive where the whole column is so. Expected: it stays marked as naive, or the mix is said.
# Seen with pyogrio 0.13.0 (GDAL 3.12.4): beside one row with an offset the naive row comes out as UTC, as certain as the
# others, without a warning; alone in a column the very same text is naive. fiona 1.10.1 (GDAL 3.9.2) keeps them apart.
# So adding a row to a truth layer shifts the other rows by hours.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pyogrio==0.13.0 geopandas==1.2.0 fiona==1.10.1
"$work/venv/bin/python" - "$work" <<'PY'
import json, pathlib, sys, warnings
import fiona, pyogrio

warnings.simplefilter("error")  # a warning would be an answer
work = pathlib.Path(sys.argv[1])


def layer(name, *times):
    point = {"type": "Point", "coordinates": [13.1, 55.6]}
    features = [{"type": "Feature", "properties": {"taken": time}, "geometry": point} for time in times]
    path = work / name
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


naive = "2026-05-01T12:00:02"
alone = pyogrio.read_dataframe(layer("alone.geojson", naive, naive))["taken"]
mixed_path = layer("mixed.geojson", naive, "2026-05-01T12:00:00+02:00")
mixed = pyogrio.read_dataframe(mixed_path)["taken"]
with fiona.open(mixed_path) as source:
    by_fiona = [feature["properties"]["taken"] for feature in source]
print("pyogrio", pyogrio.__version__, "GDAL", ".".join(map(str, pyogrio.__gdal_version__)))
print("  alone:", alone.iloc[0], "| zone:", alone.iloc[0].tzinfo)
print("  beside a row with +02:00:", mixed.iloc[0], "| zone:", mixed.iloc[0].tzinfo)
print("fiona", fiona.__version__, "GDAL", fiona.__gdal_version__, by_fiona)
assert alone.iloc[0].tzinfo is None
assert str(mixed.iloc[0]) == "2026-05-01 12:00:02+00:00", "a naive time beside others is no longer taken for UTC"
assert by_fiona == [naive, "2026-05-01T12:00:00+02:00"]
PY
echo "As described: the same text is naive in one file and UTC in the other."
