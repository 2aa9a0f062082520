"""Memory of the viewer's engine by how many decoders stand in the video: the workbench's 60 s of 1080p H.264 with a key picture every 250.

Each count is a process of its own that opens the video, shows a picture and sets up so many decoders; its proportional set size (PSS) is the kernel's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from .isles_world import ROOT
from .workbench import write_clip

TITLE = "viewer_memory: memory of the viewer's engine with 0 to 16 decoders (1080p H.264, GOP 250, 60 s)"
COUNTS = (0, 4, 8, 16)
_CHILD = """
import json, sys
from pathlib import Path
from vidtag_engine.video import open_source, player
from vidtag_engine.video.container import open_container, video_stream
from vidtag_engine.video.decoder_memory import decoder_bytes
def pss_mib():
    rows = dict(line.split(":") for line in Path("/proc/self/smaps_rollup").read_text().splitlines()[1:])
    return int(rows["Pss"].split()[0]) / 1024
path, count = Path(sys.argv[1]), int(sys.argv[2])
one = player.Player(open_source(path))
allowed = one._most_stands
if count:
    one.at(0.5)
    one._most_stands = min(count, allowed)
    while one.prepare(0.5):
        pass
with open_container(path) as container:
    each = decoder_bytes(video_stream(container, path).codec_context) / 2**20
print(json.dumps({"decoders": len(one._stands), "allowed": allowed, "pss_mib": round(pss_mib()), "reckoned_mib": round(each, 1)}))
"""


def run(seed: int = 0, world: Path | None = None) -> dict[str, Any]:
    """Measure.

    Args:
        seed: of the video's noise.
        world: a folder of JPEG pictures that the camera wanders over; None takes those of the isles in the docs.

    Returns:
        ``pss_mib_N`` for N decoders, ``most_decoders`` that the budget allows, and ``reckoned_mib`` of one.
    """
    keys: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        clip = write_clip(Path(scratch) / "clip.mp4", world or ROOT / "docs" / "phantom-isles", seed)
        for count in COUNTS:
            command = [sys.executable, "-c", _CHILD, str(clip), str(count)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            found = json.loads(done.stdout.splitlines()[-1])
            keys[f"pss_mib_{found['decoders']}"] = found["pss_mib"]
            keys |= {"most_decoders": found["allowed"], "reckoned_mib": found["reckoned_mib"]}
    return keys
