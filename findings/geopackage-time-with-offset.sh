#!/usr/bin/env bash
# geopandas writes a zone into a GeoPackage's times, which the format does not allow: QGIS 3.22 then shows them hours off.
#
# A GeoPackage's DATETIME is a text in UTC that ends in Z. A table whose times have the zone +02:00 is written with
# geopandas' own writer. Expected: the times are converted to UTC on the way, as they are known moments.
# Seen: pyogrio 0.13.0 (GDAL 3.12.4) writes 2026-05-01T12:00:00.250+02:00 without a word, and warns of non-conformant
# content when it reads its own file; Debian 12's QGIS 3.22 reads 12:00 without a zone. In SQL such texts also sort by
# their digits: of two moments in different zones the later one comes first below.
# Converting with .dt.tz_convert("UTC") before writing is what keeps tracks and videos together.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pyogrio==0.13.0 geopandas==1.2.0
"$work/venv/bin/python" - "$work" <<'PY'
import sqlite3, sys, warnings
from contextlib import closing

import geopandas, pandas, pyogrio, shapely

path = f"{sys.argv[1]}/track.gpkg"
times = pandas.to_datetime(["2026-05-01T12:00:00.250+02:00"])
track = geopandas.GeoDataFrame({"taken": times}, geometry=[shapely.Point(13.1, 55.6)], crs="EPSG:4326")
with warnings.catch_warnings():
    warnings.simplefilter("error")  # writing says nothing
    track.to_file(path, layer="track", driver="GPKG")
    utc = track.assign(taken=pandas.to_datetime(["2026-05-01T11:00:00Z"]))
    utc.to_file(path, layer="track", driver="GPKG", mode="a")
with closing(sqlite3.connect(path)) as database:
    texts = [text for (text,) in database.execute("SELECT taken FROM track ORDER BY fid")]
    by_sql = [text for (text,) in database.execute("SELECT taken FROM track ORDER BY taken")]
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    pyogrio.read_dataframe(path)
print("pyogrio", pyogrio.__version__, "GDAL", ".".join(map(str, pyogrio.__gdal_version__)))
print("  written:", texts, "| expected: each ends in Z")
print("  sorted by SQL:", by_sql, "| the first of these is an hour later than the second" if by_sql != texts else "")
print("  read again:", [str(one.message).split(",")[0] for one in said])
assert texts == ["2026-05-01T12:00:00.250+02:00", "2026-05-01T11:00:00Z"], "times are converted now"
assert any("Non-conformant" in str(one.message) for one in said), "reading says nothing now"
PY
if /usr/bin/python3 -c "import qgis.core" 2>/dev/null; then
  TZ=UTC QT_QPA_PLATFORM=offscreen XDG_RUNTIME_DIR=$work /usr/bin/python3 - "$work/track.gpkg" <<'PY'
import sys
from qgis.core import Qgis, QgsApplication, QgsVectorLayer

application = QgsApplication([], False)
application.initQgis()
first = next(QgsVectorLayer(sys.argv[1] + "|layername=track", "track", "ogr").getFeatures())["taken"]
print("QGIS", Qgis.QGIS_VERSION, "reads", first.toUTC().toString("yyyy-MM-ddTHH:mm:ss"), "UTC; it is 10:00:00")
application.exitQgis()
PY
fi
echo "As described: the zone is in the file, where only UTC may be."
