"""Which device the networks run on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ..types import InputError

DEVICE_NAMES = ("auto", "cpu", "cuda", "mps")


def pick_device(name: str = "auto") -> torch.device:
    """The torch device for a setting.

    Args:
        name: "auto" (CUDA, else Apple's Metal, else the CPU), "cpu", "cuda" (also "cuda:1") or "mps".

    Raises:
        InputError: for an unknown name, and for a device this machine does not have.
    """
    wanted = name.strip().lower()
    kind, _, number = wanted.partition(":")
    has_cuda, has_mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if wanted == "auto":
        return torch.device("cuda" if has_cuda else "mps" if has_mps else "cpu")
    if kind not in DEVICE_NAMES or (number and not (kind == "cuda" and number.isdigit())):
        raise InputError(f"Device {name!r} is not known: give auto, cpu, cuda or mps.")
    if kind == "cuda" and not has_cuda:
        raise InputError("Device 'cuda' is not available here (no NVIDIA GPU, or torch was installed without CUDA): give auto or cpu.")
    if kind == "cuda" and number and int(number) >= torch.cuda.device_count():
        raise InputError(f"Device {name!r} is not there: this machine has {torch.cuda.device_count()} CUDA device(s), counted from 0.")
    if kind == "mps" and not has_mps:
        raise InputError("Device 'mps' is not available here (it needs a Mac with Apple silicon): give auto or cpu.")
    return torch.device(wanted)


@contextmanager
def one_thread() -> Iterator[None]:
    """Where hundreds of small tensors follow each other: torch's threads would wait for each other, beside other programs ten times as long as they work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
