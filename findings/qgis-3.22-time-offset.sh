#!/usr/bin/env bash
# QGIS 3.22 reads 12:00+02:00 as 12:00 of no zone: the offset that GDAL hands over is dropped.
#
# A GPX or GeoJSON layer whose times carry an offset. Expected: the moment, 10:00 UTC, in whatever zone it is shown.
# Seen on QGIS 3.22 (Debian 12; GDAL 3.6.2): the attribute is a QDateTime of local time with the digits 12:00 and no
# offset; two rows a second apart by the clock but in different zones look like neighbours. GDAL's own ogrinfo shows
# the offset, so it is lost between the two. Later versions were not tried here: the script says which one it met.
set -euo pipefail
command -v ogrinfo >/dev/null && /usr/bin/python3 -c "import qgis.core" 2>/dev/null || { echo "Needs Debian's gdal-bin and python3-qgis."; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/moments.geojson" <<'JSON'
{"type": "FeatureCollection", "features": [
 {"type": "Feature", "properties": {"taken": "2026-05-01T12:00:00+02:00"}, "geometry": {"type": "Point", "coordinates": [13.1, 55.6]}},
 {"type": "Feature", "properties": {"taken": "2026-05-01T12:00:01Z"}, "geometry": {"type": "Point", "coordinates": [13.1, 55.6]}}]}
JSON
ogrinfo --version
ogrinfo -ro -al "$work/moments.geojson" | grep "taken (DateTime)"
# A zone that neither of the two times is in, so that no agreement is by chance.
TZ=UTC QT_QPA_PLATFORM=offscreen XDG_RUNTIME_DIR=$work /usr/bin/python3 - "$work/moments.geojson" <<'PY'
import sys
from qgis.core import Qgis, QgsApplication, QgsVectorLayer

application = QgsApplication([], False)
application.initQgis()
times = [feature["taken"] for feature in QgsVectorLayer(sys.argv[1], "moments", "ogr").getFeatures()]
said = [time.toUTC().toString("yyyy-MM-ddTHH:mm:ss") for time in times]
print("QGIS", Qgis.QGIS_VERSION, "expected 10:00:00 and 12:00:01 UTC, seen", said, "| time spec", [int(time.timeSpec()) for time in times])
changed = said != ["2026-05-01T12:00:00", "2026-05-01T12:00:01"]
application.exitQgis()
sys.exit("the offset is kept now" if changed else 0)
PY
echo "As described: two hours and a second look like one second."
