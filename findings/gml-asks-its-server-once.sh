#!/usr/bin/env bash
# Reading a GML file that a WFS gave asks that WFS again, the first time that it is read, and leaves a .gfs file beside it, with which it is not asked any more.
#
# The schemaLocation of such a file is the service's DescribeFeatureType address. A schema at a plain address (app.xsd) is not fetched.
# Expected: opening a local file opens no connection, or does so each time. Whoever looks for connections with a file that was read before sees none.
# Seen with pyogrio 0.13.0 (GDAL 3.12.4): one request, then none; with GML_DOWNLOAD_SCHEMA=NO none from the first time on, and the same feature.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pyogrio==0.13.0 geopandas==1.1.1 shapely==2.1.2
"$work/venv/bin/python" - "$work" <<'PY'
import http.server, pathlib, sys, threading
import pyogrio

asked = []


class Service(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked.append(self.path.split("?")[0])
        self.send_response(404)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
threading.Thread(target=server.serve_forever, daemon=True).start()
host = f"http://127.0.0.1:{server.server_address[1]}"
TEXT = """<?xml version="1.0" encoding="UTF-8"?>
<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs" xmlns:gml="http://www.opengis.net/gml" xmlns:app="http://example.org/app"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://example.org/app {schema}">
<gml:featureMember><app:area fid="a.1"><app:name>a</app:name><app:geom><gml:Polygon srsName="EPSG:4326"><gml:exterior><gml:LinearRing>
<gml:posList>55.6 13.1 55.6 13.3 55.8 13.3 55.6 13.1</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon></app:geom></app:area></gml:featureMember>
</wfs:FeatureCollection>"""
DESCRIBE = f"{host}/wfs?SERVICE=WFS&amp;VERSION=1.1.0&amp;REQUEST=DescribeFeatureType&amp;TYPENAME=app:area"
folder = pathlib.Path(sys.argv[1])


def requests(path):
    before = len(asked)
    assert len(pyogrio.read_dataframe(path)) == 1
    return asked[before:]


served, plain, unasked = folder / "served.gml", folder / "plain.gml", folder / "unasked.gml"
served.write_text(TEXT.format(schema=DESCRIBE))
plain.write_text(TEXT.format(schema=f"{host}/app.xsd"))
unasked.write_text(TEXT.format(schema=DESCRIBE))
seen = {"first": requests(served), "second": requests(served), "app.xsd": requests(plain)}
pyogrio.set_gdal_config_options({"GML_DOWNLOAD_SCHEMA": "NO"})
seen["GML_DOWNLOAD_SCHEMA=NO"] = requests(unasked)
print("pyogrio", pyogrio.__version__, pyogrio.__gdal_version__)
for reading, paths in seen.items():
    print(f"{reading}: asked {paths or 'nothing'}")
print("beside it:", sorted(path.name for path in folder.glob("served.*")))
assert seen == {"first": ["/wfs"], "second": [], "app.xsd": [], "GML_DOWNLOAD_SCHEMA=NO": []}, seen
assert (folder / "served.gfs").exists()
PY
