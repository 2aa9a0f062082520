#!/usr/bin/env bash
# Saving a stereo picture (MPO) with its EXIF loses time and place, unless the EXIF is turned into bytes first.
#
# image.save(path, exif=image.getexif()) is how Pillow keeps EXIF, and it does in JPEG, PNG, WebP and TIFF. Expected: in MPO
# as well, which stereo cameras and many phones write under the name .jpg.
# Seen with Pillow 13.0.0: the MPO is written without a word, has no EXIF, and Pillow itself then calls it malformed and
# reads its first picture as a plain JPEG; with exif=image.getexif().tobytes() all is well.
# Since Pillow also opens such a .jpg as MPO, and saves it as MPO where the format is kept, a script that only shrinks a
# folder of pictures takes their positions away.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pillow==13.0.0
"$work/venv/bin/python" - "$work" <<'PY'
import sys, warnings
import PIL
from PIL import Image

given, left = Image.Exif(), Image.new("RGB", (64, 48), (90, 120, 40))
given.get_ifd(0x8769)[0x9003] = "2026:05:01 12:00:00"
given.get_ifd(0x8825).update({1: "N", 2: (55.0, 36.0, 0.0), 3: "E", 4: (13.0, 6.0, 0.0)})


def kept(kind, exif):
    path = f"{sys.argv[1]}/picture.{kind.lower()}"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # writing says nothing
        left.save(path, format=kind, exif=exif, **({"save_all": True, "append_images": [left]} if kind == "MPO" else {}))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        image = Image.open(path)
    with image:
        place = tuple(map(float, image.getexif().get_ifd(0x8825).get(2, ())))
        return image.getexif().get_ifd(0x8769).get(0x9003), place, image.format, [str(one.message)[:43] for one in said]


seen = {(kind, form): kept(kind, given if form == "Exif" else given.tobytes()) for kind in ("JPEG", "PNG", "WEBP", "MPO") for form in ("Exif", "bytes")}
for (kind, form), found in seen.items():
    print(f"Pillow {PIL.__version__}: {kind:5} with exif as {form:5}: {found}")
whole = ("2026:05:01 12:00:00", (55.0, 36.0, 0.0))
assert all(found == (*whole, key[0], []) for key, found in seen.items() if key != ("MPO", "Exif"))
assert seen["MPO", "Exif"][:3] == (None, (), "JPEG") and "malformed MPO" in seen["MPO", "Exif"][3][0], "MPO keeps it now"
PY
echo "As described: only MPO, and only with the object, loses it."
