#!/usr/bin/env bash
# A colour TIFF of 16 bits with its colours one after the other: Pillow makes another picture of it, without a word.
#
# Multispectral and near-infrared cameras, and everything that GDAL writes with INTERLEAVE=BAND, store one colour's pixels,
# then the next one's. Expected: Pillow gives the 8-bit picture as it does for the same samples pixel by pixel, or an error.
# Seen with Pillow 13.0.0: without compression the three-band file opens as RGB, loads, and is wrong by up to 247 of 255
# levels; with LZW the very same samples are right; with a fourth band it is a ValueError. GDAL (rasterio 1.4.4) and
# FFmpeg (PyAV 18.1.0) read all of them, FFmpeg to a level. Whoever feeds networks from such a folder trains on noise.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pillow==13.0.0 rasterio==1.4.4 av==18.1.0 numpy==2.4.6
"$work/venv/bin/python" - "$work" <<'PY'
import sys, warnings
import av, numpy, PIL, rasterio
from PIL import Image

warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
blocks = numpy.random.default_rng(0).integers(0, 65535, (4, 4, 6), dtype=numpy.uint16)
samples = numpy.kron(blocks, numpy.ones((1, 10, 10), dtype=numpy.uint16))
path, seen = f"{sys.argv[1]}/picture.tif", {}


def by_pillow(_):
    return numpy.asarray(Image.open(path).convert("RGB"))


def by_ffmpeg(_):
    with av.open(path) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


def by_gdal(_):
    with rasterio.open(path) as source:
        return (source.read([1, 2, 3]) >> 8).transpose(1, 2, 0)


for bands, order, packed in ((3, "PIXEL", "NONE"), (3, "BAND", "NONE"), (3, "BAND", "LZW"), (4, "BAND", "NONE")):
    with rasterio.open(path, "w", driver="GTiff", width=60, height=40, count=bands, dtype="uint16", photometric="RGB", interleave=order, compress=packed) as target:
        target.write(samples[:bands])
    expected = (samples[:3] >> 8).transpose(1, 2, 0).astype(int)
    for reader in (by_pillow, by_ffmpeg, by_gdal):
        try:
            found = int(abs(reader(None).astype(int) - expected).max())
        except ValueError as error:
            found = f"ValueError({str(error)!r})"
        seen[bands, order, packed, reader.__name__] = found
    print(f"{bands} bands by {order}, compression {packed}: wrong by", {r.__name__: seen[bands, order, packed, r.__name__] for r in (by_pillow, by_ffmpeg, by_gdal)})
print("Pillow", PIL.__version__, "| PyAV", av.__version__, "| GDAL", rasterio.__gdal_version__)
assert seen[3, "PIXEL", "NONE", "by_pillow"] == 0 and seen[3, "BAND", "LZW", "by_pillow"] == 0
assert seen[3, "BAND", "NONE", "by_pillow"] > 100, "Pillow reads it now"
assert str(seen[4, "BAND", "NONE", "by_pillow"]).startswith("ValueError"), "Pillow reads four bands now"
assert all(value == 0 for key, value in seen.items() if key[-1] == "by_gdal")
PY
echo "As described: one file in four is another picture, one is none."
