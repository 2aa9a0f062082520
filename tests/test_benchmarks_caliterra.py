"""Which pictures of a flight are sought, and which are known for that."""

from pathlib import Path

import numpy as np

from benchmarks.caliterra import APART_S, BLOCKS, Flight


def test_every_picture_is_sought_once_and_none_within_twenty_seconds_is_known(tmp_path: Path):
    lines = ["image,lat,lon,exif_datetime,exif_altitude_m"]
    lines += [f"IMG_{n:03}.jpg,{30.17 + n * 1e-4:.6f},-98.09,2014:10:19 13:{20 + 2 * n // 60}:{2 * n % 60:02},300" for n in range(75)]
    (tmp_path / "gps.csv").write_text("\n".join([lines[0], *lines[:0:-1]]) + "\n", encoding="utf-8")  # in any order
    flight = Flight.read(tmp_path)
    assert flight.names[:2] == ("IMG_000.jpg", "IMG_001.jpg")
    np.testing.assert_array_equal(flight.time_s, 2.0 * np.arange(75))
    blocks = list(flight.blocks())
    assert len(blocks) == BLOCKS
    np.testing.assert_array_equal(np.concatenate([asked for asked, _ in blocks]), np.arange(75))
    for asked, known in blocks:
        apart_s = np.abs(flight.time_s[asked][:, None] - flight.time_s[known][None])
        assert apart_s.min() == APART_S
        left_out = np.setdiff1d(np.arange(75), [*asked, *known])
        assert (np.abs(flight.time_s[asked][:, None] - flight.time_s[left_out][None]).min(axis=0) < APART_S).all()
    assert flight.area.area_m2 > 0
