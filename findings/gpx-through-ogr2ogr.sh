#!/usr/bin/env bash
# A GPX file that ogr2ogr copies to GPX holds each track twice: once without times, once with.
#
# A receiver's log is copied from GPX to GPX, to cut or to clean it. Expected: the same track with the same points.
# Seen with Debian 12's GDAL 3.6.2: the file has two tracks and twice the points. GDAL reads a track as two layers, "tracks"
# (lines, which have no times) and "track_points" (points, which have), and its GPX writer makes a track of each. Nothing is
# warned of, the exit status is 0, and gpxpy 1.6.2 says twice the length. Giving the layer by name (track_points) helps.
# So a reader that takes the first track has no times, one that joins the tracks has a way that jumps back to its start,
# and one that takes points without a time for the moment of their neighbours puts frames at wrong places.
# Here points without times are left out and counted: tests/test_words.py::test_a_track_that_ogr2ogr_doubled_is_read_once.
set -euo pipefail
command -v ogr2ogr >/dev/null || { echo "Needs gdal-bin."; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check gpxpy==1.6.2
{
  echo '<gpx version="1.1" creator="receiver" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>'
  for second in 0 1 2 3; do
    echo "<trkpt lat=\"48.00$second\" lon=\"16.3\"><time>2026-05-01T10:00:0${second}Z</time></trkpt>"
  done
  echo '</trkseg></trk></gpx>'
} >"$work/log.gpx"
ogr2ogr --version
ogr2ogr -f GPX "$work/copy.gpx" "$work/log.gpx"
ogr2ogr -f GPX "$work/points.gpx" "$work/log.gpx" track_points
"$work/venv/bin/python" - "$work" <<'PY'
import sys
import gpxpy

seen = {}
for name in ("log", "copy", "points"):
    with open(f"{sys.argv[1]}/{name}.gpx", encoding="utf-8") as file:
        tracks = gpxpy.parse(file).tracks
    timed = [[point.time is not None for segment in track.segments for point in segment.points] for track in tracks]
    seen[name] = timed
    print(f"{name}.gpx: {len(tracks)} tracks, points with a time: {[f'{sum(t)} of {len(t)}' for t in timed]}, {sum(t.length_2d() for t in tracks):.0f} m")
assert seen["log"] == seen["points"] == [[True] * 4], "the log or its points are read in another way now"
assert seen["copy"] == [[False] * 4, [True] * 4], "ogr2ogr copies a track in another way now"
PY
echo "As described: expected one track of four timed points, seen two, the first without times."
