#!/usr/bin/env bash
# The times of a KML gx:Track are gone once GDAL has read it: a line with a beginning and an end is left.
#
# A gx:Track gives each point its own <when>; this is what it is for, and what phones and drone apps export.
# Expected: a point or a vertex with its time (a measure, or a layer of points as GDAL's GPX driver has).
# Seen: GDAL 3.6.2 (Debian 12) and pyogrio 0.13.0 (GDAL 3.12.4) give one LineString Z and the columns begin and end; how
# fast the way between was driven cannot be told any more. fiona 1.10.1 does not open KML unless its driver is asked for.
# The vehicle below stands for nine seconds and passes all of its way in the last one: by the line alone it is half way
# after five seconds, three kilometres from where it stood.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pyogrio==0.13.0 geopandas==1.2.0
cat >"$work/track.kml" <<'KML'
<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2">
  <Document><Placemark><name>drive</name>
    <gx:Track>
      <when>2026-05-01T12:00:00Z</when><when>2026-05-01T12:00:09Z</when><when>2026-05-01T12:00:10Z</when>
      <gx:coord>13.10 55.60 0</gx:coord><gx:coord>13.10 55.60 0</gx:coord><gx:coord>13.20 55.60 0</gx:coord>
    </gx:Track>
  </Placemark></Document>
</kml>
KML
"$work/venv/bin/python" - "$work/track.kml" <<'PY'
import sys
import pyogrio

layers = pyogrio.list_layers(sys.argv[1])
frame = pyogrio.read_dataframe(sys.argv[1])
row = frame.iloc[0]
print("pyogrio", pyogrio.__version__, "GDAL", ".".join(map(str, pyogrio.__gdal_version__)))
print("layers:", layers.tolist(), "| rows:", len(frame), "|", row.geometry.wkt, "|", row["begin"], row["end"])
assert len(layers) == 1 and len(frame) == 1 and row.geometry.geom_type == "LineString" and not row.geometry.has_m
assert str(row["begin"]).startswith("2026-05-01 12:00:00") and str(row["end"]).startswith("2026-05-01 12:00:10")
assert "12:00:09" not in frame.to_csv(), "the time of the second point is kept now"
PY
if command -v ogrinfo >/dev/null; then
  ogrinfo --version
  ogrinfo -ro -al "$work/track.kml" | tee "$work/said" | grep -E "LINESTRING|begin|end" || true
  if grep -q "12:00:09" "$work/said"; then echo "ogrinfo keeps the time of the second point now"; exit 1; fi
fi
echo "As described: of three times two are left, and no vertex has one."
