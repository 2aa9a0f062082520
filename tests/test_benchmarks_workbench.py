"""The benchmark of the viewer: its video is what it says, and plain seeking finds the right picture in it."""

from __future__ import annotations

import av
import numpy as np
import pytest
from PIL import Image

from benchmarks import workbench
from vidtag_engine.types import InputError


def test_the_clip_is_what_the_benchmark_says(tmp_path, monkeypatch):
    monkeypatch.setattr(workbench, "SECONDS", 2)
    rng = np.random.default_rng(3)
    for number in range(3):
        Image.fromarray(rng.integers(0, 255, (72, 96, 3), dtype=np.uint8)).save(tmp_path / f"{number}.jpg")
    clip = workbench.write_clip(tmp_path / "clip.mp4", tmp_path, 0)
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        frames = [(frame.time, frame.pict_type, frame.width, frame.height) for frame in container.decode(stream)]
        assert stream.codec_context.name == "h264"
    assert [time_s for time_s, *_ in frames] == pytest.approx([n / 25 for n in range(50)])
    assert [size for _, _, *size in frames] == [[1920, 1080]] * 50
    kinds = [av.video.frame.PictureType(kind).name for _, kind, *_ in frames]
    assert kinds[0] == "I"
    assert kinds.count("I") == 1
    assert "B" in kinds
    taken = workbench.pyav_ms(clip, [1.5, 0.2])
    assert taken[0] > taken[1] > 0  # further into the group takes longer


def test_what_is_not_known_is_said(tmp_path):
    with pytest.raises(InputError, match="The row 'jump' is not known; there are click, hover"):
        workbench.run(rows="jump")
    with pytest.raises(InputError, match="holds no picture that ends in .jpg"):
        workbench.write_clip(tmp_path / "clip.mp4", tmp_path, 0)
