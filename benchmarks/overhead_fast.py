"""The overhead benchmark where a user has worked in the area before: its gallery is cached, and decoding runs ahead of the networks.

Both sides run the backbones in the same engine and in the same way: ``ratio`` in PyTorch as the overhead benchmark, ``ratio_openvino`` in OpenVINO, where
the networks take a quarter of the time and all else weighs the more.
"""

from __future__ import annotations

from typing import Any

from .overhead import measure

TITLE = "Overhead, the second time: the whole job (60 frames, 40,000 points cached) over its two backbones alone"


def run(seed: int = 0) -> dict[str, Any]:
    """Keys ``ratio`` and ``ratio_openvino``, and of each the rest of :mod:`.overhead`'s."""
    slow, fast = (measure(seed, cached=True, translated=translated) for translated in (False, True))
    return {"ratio": slow["ratio"], "ratio_openvino": fast["ratio"], "pytorch": slow, "openvino": fast}
