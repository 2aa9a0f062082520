"""The overhead benchmark where a user has worked in the area before: its gallery is cached, and decoding runs ahead of the networks.

Both sides run the backbones in the same engine and in the same way: ``ratio`` in PyTorch as the overhead benchmark, ``ratio_openvino`` in OpenVINO (what is
shipped), where the networks take less than half of the time and all else weighs the more. ``job_over_pytorch`` is neither: the whole job as shipped over
the networks alone in PyTorch. ``least_ratio`` is what decoding and preparing alone leave possible where the networks fill every core.
"""

from __future__ import annotations

from typing import Any

from .overhead import measure

ROUNDS = 3
TITLE = "Overhead, the second time: the whole job (60 frames, 40,000 points cached) over its two backbones alone"


def run(seed: int = 0) -> dict[str, Any]:
    """Keys ``ratio``, ``ratio_openvino`` and ``job_over_pytorch``, and of each engine the rest of :mod:`.overhead`'s."""
    slow, fast = (measure(seed, cached=True, translated=translated, rounds=ROUNDS) for translated in (False, True))
    return {
        "ratio": slow["ratio"],
        "ratio_openvino": fast["ratio"],
        "job_over_pytorch": round(fast["whole_s"] / slow["backbones_s"], 3),
        "pytorch": slow,
        "openvino": fast,
    }
