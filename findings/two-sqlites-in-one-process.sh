#!/usr/bin/env bash
# Reading a GeoPackage with GDAL takes the log of a transaction away that Python's sqlite3 has open in the same process.
#
# A program edits a GeoPackage through sqlite3 (in WAL mode, as QGIS leaves it) and looks at one of its layers with pyogrio
# meanwhile. Expected: SQLite is made for this; a reader never harms a writer, in another process it does not.
# Seen with pyogrio 0.13.0 (GDAL 3.12.4): after the read the files -wal and -shm are gone. GDAL brings an SQLite of its own,
# POSIX locks belong to the process and not to the library, so GDAL takes itself for the only user and clears up. The writer
# goes on in a file that has no name any more: its COMMIT succeeds, no other program sees what was committed, and it is lost
# if the process ends before it closes the database. fiona and rasterio bring their own SQLite likewise.
# What keeps edits: never read by GDAL while a connection of sqlite3 is open on the same file, or read in another process.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pyogrio==0.13.0 geopandas==1.2.0
cat >"$work/edit.py" <<'PY'
import os, sqlite3, subprocess, sys

import geopandas, pyogrio, shapely

path, how = sys.argv[1:]
geopandas.GeoDataFrame({"number": [0]}, geometry=[shapely.Point(13.1, 55.6)], crs="EPSG:4326").to_file(path, layer="pins", driver="GPKG")
database = sqlite3.connect(path, isolation_level=None)
database.execute("PRAGMA journal_mode = WAL")
# The index's triggers call functions that GDAL alone has.
for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
    database.execute(f'DROP TRIGGER "{name}"')
database.execute("BEGIN IMMEDIATE")
database.execute("INSERT INTO pins (number) VALUES (1)")
if how == "same":
    pyogrio.read_dataframe(path, layer="pins")
else:
    subprocess.run([sys.executable, "-c", "import pyogrio, sys; pyogrio.read_dataframe(sys.argv[1], layer='pins')", path], check=True)
log = os.path.exists(path + "-wal")
database.execute("COMMIT")
seen = subprocess.run(
    [sys.executable, "-c", "import sqlite3, sys; print(len(sqlite3.connect(sys.argv[1]).execute('SELECT * FROM pins').fetchall()))", path],
    check=True, capture_output=True, text=True,
).stdout.strip()
print(f"GDAL {'.'.join(map(str, pyogrio.__gdal_version__))}, sqlite3 {sqlite3.sqlite_version}, read in the {how} process: "
      f"the log is {'there' if log else 'gone'}; committed rows 2, another program sees {seen}", flush=True)
os._exit(0)  # the process ends without closing, as when it is killed
PY
rows() { python3 -c "import sqlite3, sys; print(len(sqlite3.connect(sys.argv[1]).execute('SELECT * FROM pins').fetchall()))" "$1"; }
for how in other same; do
  "$work/venv/bin/python" "$work/edit.py" "$work/$how.gpkg" $how
  echo "  after the end of that process: $(rows "$work/$how.gpkg") rows"
done
[ "$(rows "$work/other.gpkg")" = 2 ] || { echo "A reader in another process harms the writer now."; exit 1; }
[ "$(rows "$work/same.gpkg")" = 1 ] || { echo "A reader in the same process harms no writer now."; exit 1; }
echo "As described: one of two committed rows is lost where GDAL read in the same process."
