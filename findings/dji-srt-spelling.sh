#!/usr/bin/env bash
# Subtitles of DJI drones that say "longtitude" are read as the meridian of Greenwich.
#
# Several DJI models spell it so in the .SRT beside each video, some with a space before the colon; other writers of this
# format use a decimal comma. Expected: the position, or an error that says that there is none.
# Seen with dji-telemetry 1.0.1: what its patterns do not match is 0.0, without a word. A flight in Sweden starts at
# 55.6 N 0 E in the North Sea and still has a length and a speed; with the space or the comma it is in the Gulf of Guinea.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check dji-telemetry==1.0.1
"$work/venv/bin/python" - "$work" <<'PY'
import pathlib, sys, warnings
from dji_telemetry.parser import parse_srt

warnings.simplefilter("error")
DIALECTS = {
    "as documented": "[latitude: 55.60{i}] [longitude: 13.10{i}]",
    "longtitude": "[latitude : 55.60{i}] [longtitude : 13.10{i}]",
    "longtitude, no space": "[latitude: 55.60{i}] [longtitude: 13.10{i}]",
    "decimal comma": "[latitude: 55,60{i}] [longitude: 13,10{i}]",
}
found = {}
for name, words in DIALECTS.items():
    blocks = [f"{i + 1}\n00:00:0{i},000 --> 00:00:0{i + 1},000\n[iso : 100] {words.format(i=i)} [rel_alt: 20.0 abs_alt: 60.0]\n" for i in range(3)]
    path = pathlib.Path(sys.argv[1]) / "DJI_0001.SRT"
    path.write_text("\n".join(blocks))
    flight = parse_srt(path)
    found[name] = flight.start_coordinates
    print(f"{name:22} {flight.start_coordinates} {len(flight.frames)} frames, {flight.total_distance:.0f} m")
assert found == {"as documented": (55.6, 13.1), "longtitude": (0, 0), "longtitude, no space": (55.6, 0), "decimal comma": (0, 0)}
PY
echo "As described: three of four dialects are somewhere else, and nothing says so."
