"""How the Seneca benchmark tells a flight's strips, and what it says of several trainings."""

import numpy as np

from benchmarks.seneca import Placed, over_seeds, strips

_M_DEG = 1.0 / 111_195.0


def _mown(lengths: tuple[int, ...]) -> np.ndarray:
    """Strips up and down a field at the equator, 10 m between pictures and 30 m between strips."""
    lat, lon, north = [], [], True
    for number, count in enumerate(lengths):
        along = np.arange(count) * 10.0
        lat += list(along if north else along[::-1])
        lon += [30.0 * number] * count
        north = not north
    return np.stack([lat, lon], axis=1) * _M_DEG


def test_strips_begin_where_a_flight_turns_back():
    found = strips(_mown((9, 9, 9)))
    assert found[[4, 13, 22]].tolist() == [0, 1, 2]
    assert (np.diff(found) >= 0).all()
    assert found.max() == 2


def test_the_interval_is_of_medians_without_each_strip():
    path, rng = _mown((9, 9, 9)), np.random.default_rng(3)
    placed = [Placed(path, rng.uniform(0.0, 40.0, 27)) for _ in range(5)]
    found, strip = over_seeds(placed), strips(path)
    assert found["median_of_seeds_m"] == round(float(np.median([np.median(one.errors_m) for one in placed])), 2)
    expected = [
        np.median([np.median([error for error, own in zip(one.errors_m, strip, strict=True) if own != out]) for one in placed])
        for out in (0, 1, 2)
    ]
    assert found["leave_strip_out_m"] == [round(float(min(expected)), 2), round(float(max(expected)), 2)]
    assert found["strips"] == 3
