#!/usr/bin/env bash
# A search of a Panoramax server is cut at its limit without a word, and a STAC client that pages takes what is left for all of it.
#
# Expected: STAC API says that a server gives a link `next` where there is more, and pystac-client, whose `limit` is the size of a page, follows it: the items
# of a search are all that the box holds, whatever the limit. Seen with geovisio 2.15.1 and pystac-client 0.9.1: of 27 pictures in a box, items() gives 5
# with limit=5, and 10 without a limit at all. The answer holds no link `next`, no number of matches and no word of a cut, and which pictures come is
# no accident either: the nearest to the box's middle, so that a map of them looks like a round place that is covered, with nothing about it. Besides, a
# picture that was taken without a heading comes with one, `view:azimuth`: the direction to the next picture of its sequence. Whoever wants all pictures
# should ask for few at a time, and split every box and span of time whose answer is as long as its limit.
set -euo pipefail
work=$(mktemp -d)
chmod 755 "$work"
as_postgres=()
[ "$(id -u)" -ne 0 ] || as_postgres=(runuser -u postgres --)
programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)
[ -n "$programs" ] && ls /usr/share/postgresql/*/extension/postgis.control >/dev/null 2>&1 || { echo "install postgresql and postgresql-postgis first" >&2; exit 1; }
api=
finish() {
  [ -z "$api" ] || kill "$api" 2>/dev/null || true
  "${as_postgres[@]}" "$programs/pg_ctl" -D "$work/pg/data" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT
mkdir "$work/pg" "$work/files" "$work/home"
[ "$(id -u)" -ne 0 ] || chown postgres "$work/pg"
for one in server client; do python3 -m venv "$work/$one" >/dev/null; done
"$work/server/bin/pip" install -q --disable-pip-version-check geovisio==2.15.1
"$work/client/bin/pip" install -q --disable-pip-version-check pystac-client==0.9.1 Pillow==12.2.0
cd "$work"
free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
database=$(free)
port=$(free)
"${as_postgres[@]}" "$programs/initdb" -D "$work/pg/data" -U gvs --auth=trust --no-sync -E UTF8 --locale=C.UTF-8 >/dev/null
"${as_postgres[@]}" "$programs/pg_ctl" -D "$work/pg/data" -w -l "$work/pg/log" \
  -o "-p $database -c listen_addresses=127.0.0.1 -c unix_socket_directories=$work/pg -c timezone=UTC" start >/dev/null
"$programs/createdb" -h 127.0.0.1 -p "$database" -U gvs geovisio
"$programs/psql" -h 127.0.0.1 -p "$database" -U gvs -d geovisio -q -c "CREATE EXTENSION postgis" -c "ALTER ROLE gvs SET timezone='UTC'"
echo "$("$programs/postgres" --version), PostGIS $("$programs/psql" -h 127.0.0.1 -p "$database" -U gvs -d geovisio -At -c 'SELECT postgis_lib_version()')"
export HOME=$work/home DB_URL=postgres://gvs@127.0.0.1:$database/geovisio FS_URL=$work/files FLASK_APP=geovisio
FLASK_SECRET_KEY=$(printf 'x%.0s' $(seq 64))
export FLASK_SECRET_KEY
"$work/server/bin/python" -m flask db upgrade >"$work/log" 2>&1
"$work/server/bin/python" -m gunicorn -b "127.0.0.1:$port" -w 1 --threads 4 'geovisio:create_app()' >"$work/log" 2>&1 &
api=$!
"$work/client/bin/python" - "http://127.0.0.1:$port" <<'PY'
import io, json, sys, time, urllib.error, urllib.request
from PIL import Image
from pystac_client import Client

root = sys.argv[1]


def ask(path, body=None, kind="application/json"):
    request = urllib.request.Request(root + path, data=body, headers={"Content-Type": kind} if body else {})
    return json.load(urllib.request.urlopen(request, timeout=60))


for _ in range(300):
    try:
        ask("/api/configuration")
        break
    except (OSError, urllib.error.URLError):
        time.sleep(0.2)


def picture(number):
    """27 pictures towards the east, 15 m from one to the next, with a time and without a heading."""
    exif, written, lon = Image.Exif(), io.BytesIO(), 11.574 + 2e-4 * number
    exif.get_ifd(0x8769).update({0x9003: f"2024:05:01 10:00:{number:02d}", 0x9011: "+00:00"})
    minutes = lon % 1 * 60
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 15.0), 3: "E", 4: (11.0, float(int(minutes)), minutes % 1 * 60)})
    Image.new("RGB", (640, 480), (number * 9, 90, 90)).save(written, "JPEG", exif=exif)
    return written.getvalue()


upload = ask("/api/upload_sets", json.dumps({"title": "drive", "estimated_nb_files": 27, "no_split": True, "no_deduplication": True}).encode())["id"]
for number in range(27):
    head = f'--cut\r\nContent-Disposition: form-data; name="file"; filename="{number:02d}.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    ask(f"/api/upload_sets/{upload}/files", head.encode() + picture(number) + b"\r\n--cut--\r\n", "multipart/form-data; boundary=cut")
while not ask(f"/api/upload_sets/{upload}").get("ready"):
    time.sleep(0.2)

box = [11.57, 48.13, 11.584, 48.145]
client = Client.open(root + "/api/")
counts = {limit: len(list(client.search(method="GET", bbox=box, **({"limit": limit} if limit else {})).items())) for limit in (None, 5, 26, 100)}
plain = ask(f"/api/search?bbox={','.join(map(str, box))}&limit=5")
print("items() by limit:", counts)
print("links:", [link["rel"] for link in plain["links"]], "other keys:", sorted(set(plain) - {"features", "links", "type"}))
places = sorted(round((item["geometry"]["coordinates"][0] - 11.574) / 2e-4) for item in plain["features"])
print("which of 0 to 26 came with limit=5:", places)
every = ask(f"/api/search?bbox={','.join(map(str, box))}&limit=100")["features"]
azimuths = {item["properties"].get("view:azimuth") for item in every}
print("view:azimuth of pictures without a heading:", azimuths)
cut = counts[5] == 5 and counts[26] == 26 and counts[100] == 27 and counts[None] == 10
silent = "next" not in {link["rel"] for link in plain["links"]} and not {"numberMatched", "context"} & set(plain)
if not (cut and silent and azimuths == {90} and places == list(range(places[0], places[0] + 5)) and places[0] > 5):
    sys.exit("this has changed: a search is whole, or says that it is not")
PY
echo "As described: cut in the middle, without a word."
