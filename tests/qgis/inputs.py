"""Makes inputs for the plugin's tests with the engine's own parts; run by the engine's interpreter.

    python tests/qgis/inputs.py DIR

DIR gets ``checkpoint`` (a compact model with random weights: its answers mean nothing, but all of it runs), ``a.mp4`` and ``b é.mp4`` (6 s)
and ``long.mp4`` (20 min).
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch

from vidtag_engine.models import CheckpointCard, VidTAG, VidTAGConfig, save_pretrained


def clip(path: Path, seconds: int, seed: int) -> None:
    """A small noisy picture that changes twice a second."""
    random = np.random.default_rng(seed)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(2))
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        base = random.integers(0, 255, (12, 16, 3), dtype=np.uint8)
        for index in range(2 * seconds):
            picture = np.kron(np.roll(base, index, axis=1), np.ones((10, 10, 1), np.uint8)).astype(np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def main(folder: Path) -> None:
    """Write everything."""
    torch.manual_seed(0)
    model = VidTAG(VidTAGConfig.preset("vidtag-compact", sigma="site"))
    save_pretrained(model, folder / "checkpoint", CheckpointCard(name="untrained", preset="vidtag-compact"))
    clip(folder / "a.mp4", 6, 1)
    clip(folder / "b é.mp4", 6, 2)
    clip(folder / "long.mp4", 1200, 3)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
