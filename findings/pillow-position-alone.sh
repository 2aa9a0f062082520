#!/usr/bin/env bash
# EXIF that holds nothing but a position is dropped by Pillow in PNG and AVIF, and makes an MPO that Pillow calls malformed.
#
# Positions from a track are put into pictures that have no EXIF yet: exif = Image.Exif(), its GPS part filled through
# get_ifd, image.save(path, exif=exif). Expected: the picture has the position, or there is an error.
# Seen with Pillow 13.0.0: such an object counts no tags of its own and is therefore false, and each writer asks in another
# way. JPEG and WebP write the position; PNG and AVIF write a picture without it, MPO one whose index is blank, none says a
# word. One tag more, such as a date, and all five keep it. TIFF loses the position either way.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pillow==13.0.0
"$work/venv/bin/python" - "$work" <<'PY'
import sys, warnings
import PIL
from PIL import Image

picture = Image.new("RGB", (64, 48), (90, 120, 40))
PLACE = {1: "N", 2: (55.0, 36.0, 0.0), 3: "E", 4: (13.0, 6.0, 0.0)}


def kept(kind, dated):
    exif, path = Image.Exif(), f"{sys.argv[1]}/picture.{kind.lower()}"
    exif.get_ifd(0x8825).update(PLACE)
    if dated:
        exif[306] = "2026:05:01 12:00:00"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # writing says nothing
        picture.save(path, format=kind, exif=exif, **({"save_all": True, "append_images": [picture]} if kind == "MPO" else {}))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with Image.open(path) as image:
            return dict(image.getexif().get_ifd(0x8825)) == PLACE, any("malformed" in str(one.message) for one in said)


alone, dated = ({kind: kept(kind, more) for kind in ("JPEG", "WEBP", "PNG", "AVIF", "MPO", "TIFF")} for more in (False, True))
print(f"Pillow {PIL.__version__}: position kept, and malformed by Pillow's own word")
print("  position alone:     ", alone)
print("  position and a date:", dated)
assert alone == {"JPEG": (True, False), "WEBP": (True, False), "PNG": (False, False), "AVIF": (False, False), "MPO": (False, True), "TIFF": (False, False)}
assert dated == {kind: (kind != "TIFF", False) for kind in alone}
PY
echo "As described: the same call keeps the position in two formats of six."
