#!/usr/bin/env bash
# White space around the time of a GPX point: one reader gives the time, two lose it without a word.
#
# GPX's <time> is an xsd:dateTime, and XML Schema strips white space around such a value: a file that a pretty-printer
# has broken into lines says the same as before. Expected: every reader gives 12:00:00.250 UTC.
# Seen: gpxpy 1.6.2 gives None, pyogrio 0.13.0 (GDAL 3.12.4) gives NaT, and neither warns; GDAL 3.6.2 (Debian 12) reads it.
# A log whose points lost their times still draws a line on the map, so nobody notices that nothing can be matched by time.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check gpxpy==1.6.2 pyogrio==0.13.0 geopandas==1.2.0
cat >"$work/log.gpx" <<'GPX'
<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="made by hand" xmlns="http://www.topografix.com/GPX/1/1">
  <trk><trkseg>
    <trkpt lat="55.6" lon="13.1">
      <time>
        2026-05-01T12:00:00.250Z
      </time>
    </trkpt>
    <trkpt lat="55.7" lon="13.1"><time>2026-05-01T12:00:01.250Z</time></trkpt>
  </trkseg></trk>
</gpx>
GPX
"$work/venv/bin/python" - "$work/log.gpx" <<'PY'
import sys
import gpxpy, pyogrio

points = gpxpy.parse(open(sys.argv[1])).tracks[0].segments[0].points
by_gpxpy = [None if p.time is None else p.time.isoformat() for p in points]
frame = pyogrio.read_dataframe(sys.argv[1], layer="track_points")
by_pyogrio = [None if value is None or value != value else value.isoformat() for value in frame["time"]]
print("expected: 2026-05-01T12:00:00.250+00:00 for the first point, by every reader")
print("gpxpy 1.6.2:", by_gpxpy)
print("pyogrio", pyogrio.__version__, "with GDAL", ".".join(map(str, pyogrio.__gdal_version__)), by_pyogrio)
assert by_gpxpy[0] is None and by_gpxpy[1] is not None, "gpxpy reads the time now"
assert by_pyogrio[0] is None and by_pyogrio[1] is not None, "pyogrio's GDAL reads the time now"
PY
if command -v ogrinfo >/dev/null; then
  ogrinfo --version
  ogrinfo -ro -al "$work/log.gpx" track_points | grep "time (DateTime)"
fi
echo "As described: two readers lose the first time, without a warning."
