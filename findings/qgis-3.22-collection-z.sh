#!/usr/bin/env bash
# A KML placemark that holds a pin and a polygon is an empty geometry in QGIS 3.22, because the two have heights.
#
# Google Earth keeps a pin and the area about it in one <MultiGeometry>, and KML's coordinates nearly always have a third
# number. GDAL reads a GEOMETRYCOLLECTION Z. Expected: QGIS shows its parts, as it does of a collection without heights, or
# says that it cannot. Seen on QGIS 3.22 (Debian 12; GDAL 3.6.2): the layer is valid, of type GeometryCollectionZ, has one
# feature, and that feature's geometry is empty; no message. The same in GeoJSON: with a third number nothing, without it all.
# Whoever takes an area of interest from such a layer gets none. Later versions were not tried: the script says which it met.
set -euo pipefail
command -v ogrinfo >/dev/null && /usr/bin/python3 -c "import qgis.core" 2>/dev/null || { echo "Needs Debian's gdal-bin and python3-qgis."; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for z in "" ",30"; do
    cat >"$work/area$z.kml" <<KML
<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><MultiGeometry>
<Point><coordinates>10,45$z</coordinates></Point>
<Polygon><outerBoundaryIs><LinearRing><coordinates>10,45$z 10.1,45$z 10.1,45.1$z 10,45$z</coordinates></LinearRing></outerBoundaryIs></Polygon>
</MultiGeometry></Placemark></Document></kml>
KML
    sed "s/Z/${z}/g" >"$work/area$z.geojson" <<'JSON'
{"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [10,45Z]},
 {"type": "Polygon", "coordinates": [[[10,45Z], [10.1,45Z], [10.1,45.1Z], [10,45Z]]]}]}
JSON
done
ogrinfo --version
ogrinfo -ro -al "$work/area,30.kml" | grep "GEOMETRYCOLLECTION Z"
QT_QPA_PLATFORM=offscreen XDG_RUNTIME_DIR=$work /usr/bin/python3 - "$work" <<'PY'
import sys
from qgis.core import Qgis, QgsApplication, QgsVectorLayer, QgsWkbTypes

application = QgsApplication([], False)
application.initQgis()
seen = {}
for name in ("area.geojson", "area,30.geojson", "area,30.kml"):
    layer = QgsVectorLayer(f"{sys.argv[1]}/{name}", "area", "ogr")
    [feature] = layer.getFeatures()
    seen[name] = (layer.isValid(), QgsWkbTypes.displayString(layer.wkbType()), layer.featureCount(), feature.geometry().isEmpty())
    print("QGIS", Qgis.QGIS_VERSION, name, "valid, type, features, empty:", seen[name])
del feature, layer
application.exitQgis()
expected = {
    "area.geojson": (True, "GeometryCollection", 1, False),
    "area,30.geojson": (True, "GeometryCollectionZ", 1, True),
    "area,30.kml": (True, "GeometryCollectionZ", 1, True),
}
sys.exit(0 if seen == expected else "this has changed")
PY
echo "As described: with heights the collection's geometry is empty."
