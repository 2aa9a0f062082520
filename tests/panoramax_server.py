"""A Panoramax server with some drives, for tests; where none can be started they are skipped, or fail where VIDTAG_PANORAMAX_REQUIRED is set."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence

import pytest

from benchmarks.panoramax_server import PanoramaxServer, Shot, picture_bytes, why_not


@contextlib.contextmanager
def serving(*drives: Sequence[Shot]) -> Iterator[PanoramaxServer]:
    """A server with a sequence for each drive; its pictures are those of ``picture_bytes``, numbered by drive (hundreds) and place in it."""
    if reason := why_not():
        if os.environ.get("VIDTAG_PANORAMAX_REQUIRED"):
            pytest.fail(f"The Panoramax server is required here: {reason}")
        pytest.skip(reason)
    with PanoramaxServer() as running:
        for number, shots in enumerate(drives):
            running.upload(f"drive {number}", [picture_bytes(shot, 100 * number + n) for n, shot in enumerate(shots)])
        yield running
