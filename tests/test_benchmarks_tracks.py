"""Every kind of track and clock is read right: the benchmark itself, with the figures that are promised."""

from __future__ import annotations

import shutil

import pytest

from benchmarks import tracks


@pytest.mark.slow
def test_every_kind_of_track_and_clock_is_read_right():
    if missing := [name for name in ("ffmpeg", "exiftool", "ogr2ogr") if shutil.which(name) is None]:
        pytest.skip(f"not installed here: {', '.join(missing)}")
    result = tracks.run()
    assert result["wrong"] == {}
    assert result["right"] == result["kinds"] >= 60
