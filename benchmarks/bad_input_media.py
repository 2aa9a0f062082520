"""Bad input: videos and pictures that are not what their names say."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from PIL import Image

from .bad_input_cases import Case, geolocate

CASES = (
    Case("video: nothing but a cover picture", geolocate("cover.m4a"), ("cover.m4a",)),
    Case("video: a picture with a video's name", geolocate("picture.txt.mp4"), ("picture.txt.mp4",)),
    Case("video: a playlist that names other files", geolocate("list.m3u8"), ("list.m3u8",)),
    Case("images: only raw files of cameras", geolocate(images="raw-pictures"), ("raw-pictures",)),
    Case("images: a picture that says it has 40 gigapixels", geolocate(images="endless-pictures"), ("endless-pictures",)),
)


def make_inputs(folder: Path) -> None:
    """A sound file with a cover, a text, a playlist, raw files, and a header that promises more than anybody holds."""
    import av
    import numpy as np

    with av.open(str(folder / "cover.m4a"), "w", format="mp4") as container:
        audio = container.add_stream("aac", rate=44100, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44100
        container.mux([*audio.encode(frame), *audio.encode(None)])
    (folder / "picture.txt.mp4").write_text("A caption.\n", encoding="utf-8")
    (folder / "list.m3u8").write_text("#EXTM3U\n#EXTINF:4,\ndrive.mp4\n#EXT-X-ENDLIST\n", encoding="utf-8")
    for name in ("raw-pictures", "endless-pictures"):
        (folder / name).mkdir()
    (folder / "raw-pictures" / "IMG_0001.CR2").write_bytes(b"II*\0\x10\0\0\0CR\2\0")
    header = b"IHDR" + struct.pack(">IIBBBBB", 200_000, 200_000, 8, 2, 0, 0, 0)
    chunks = [struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)), b"\0\0\0\0IEND\xaeB\x60\x82"]
    (folder / "endless-pictures" / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    Image.new("RGB", (8, 8)).save(folder / "raw-pictures" / "IMG_0001.THM", format="JPEG")
