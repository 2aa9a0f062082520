"""Motion from a table of sensors, against motion that is known in closed form."""

import numpy as np
import pytest

from vidtag_engine.motion.track import read_motion
from vidtag_engine.types import InputError


def table(tmp_path, header, rows, name="motion.csv"):
    path = tmp_path / name
    path.write_text(header + "\n" + "\n".join(",".join("" if v is None else str(v) for v in row) for row in rows) + "\n", encoding="utf-8")
    return path


def test_headings_over_north_and_speeds_in_kmh(tmp_path):
    """A constant 12 degrees a second from 350 on, 36 km/h, at 7.3 Hz."""
    t = np.arange(0, 10, 1 / 7.3)
    found = read_motion(table(tmp_path, "time_s,heading_deg,speed_kmh", zip(t, (350 + 12 * t) % 360, np.full(len(t), 36.0), strict=True)))
    assert found.metric
    assert found.source == "track"
    assert np.allclose(found.turn_deg[:-1], 12.0)
    assert np.allclose(found.speed, 10.0)
    assert np.allclose(found.turn_std_deg, 2.0)
    assert np.allclose(found.speed_std, 0.05)
    assert np.allclose(np.diff(found.time_s)[:-1], 1.0)
    assert found.time_s[-1] == pytest.approx(t[-1])


def test_rates_are_summed_and_speed_of_its_own_unit_is_a_mean(tmp_path):
    """A rate of 20 sin t turns by 20 (1 - cos t); a speed of t has means of half seconds."""
    t = np.arange(0, 6.0001, 0.02)
    found = read_motion(table(tmp_path, "time_s;yaw_rate_dps;speed".replace(";", ","), zip(t, 20 * np.sin(t), t, strict=True)))
    assert not found.metric
    whole = np.arange(7.0)
    assert np.allclose(found.turn_deg, np.diff(20 * (1 - np.cos(whole))), atol=0.01)
    assert np.allclose(found.speed, whole[:-1] + 0.5, atol=1e-6)


def test_backwards_stays_negative_and_slow_tables_are_spread(tmp_path):
    found = read_motion(table(tmp_path, "time_ms,speed_mps", [(0, -2), (4000, -2), (8000, -2)]))
    assert len(found.speed) == 8
    assert np.allclose(found.speed, -2.0)
    assert np.isnan(found.turn_deg).all()
    assert np.isnan(found.turn_std_deg).all()


def test_own_errors_and_empty_cells(tmp_path):
    rows = [(t, 3 * t if t != 2 else None, 4, 5 if t < 3 else 1, 0.2) for t in range(7)]
    found = read_motion(table(tmp_path, "time_s,heading_deg,speed_mps,heading_std_deg,speed_std_share", rows))
    assert np.allclose(found.turn_deg, 3.0)
    assert np.allclose(found.turn_std_deg, [5, 5, 3, 1, 1, 1])
    assert np.allclose(found.speed_std, 0.2)


def test_silence_is_not_guessed(tmp_path):
    """A table of 2 Hz that is silent for 20 s."""
    t = np.concatenate([np.arange(0, 5, 0.5), np.arange(25, 30, 0.5)])
    found = read_motion(table(tmp_path, "time_s,heading_deg,speed_mps", zip(t, 2 * t, np.ones(len(t)), strict=True)))
    silent = np.isnan(found.turn_deg)
    assert silent[5:24].all()
    assert not silent[:4].any()
    assert not silent[25:].any()
    assert (np.isnan(found.speed) == silent).all()
    assert (np.isnan(found.turn_std_deg) == silent).all()


def test_order_and_repeats_do_not_matter(tmp_path):
    rows = [(3, 30), (0, 0), (1, 10), (1, 10), (2, 20)]
    assert np.allclose(read_motion(table(tmp_path, "elapsed,heading", rows)).turn_deg, 10.0)


def test_semicolons_and_decimal_commas(tmp_path):
    path = tmp_path / "comma.csv"
    path.write_text("time_s;yaw_rate_dps\n0,0;1,5\n1,0;1,5\n2,0;1,5\n", encoding="utf-8")
    assert np.allclose(read_motion(path).turn_deg, 1.5)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("time_s,lat,lon\n0,1,2\n1,1,2\n", "name one heading_deg or yaw_rate_dps"),
        ("heading_deg,speed_mps\n0,1\n1,1\n", "name it time_s"),
        ("time_s,heading_deg\n", "no rows below its header"),
        ("time_s,heading_deg\n0,10\n", "fewer than two moments"),
        ("time_s,heading_deg\n0,north\n1,east\n", "fewer than two moments"),
        ("time_s,heading_deg\nnoon,1\nmidnight,2\n", "write seconds after the video's start"),
        ("time_s,heading_deg\n1700000000,1\n1700000001,2\n", "since 1970"),
        ("time_s,heading_deg,heading_std_deg\n0,1,-1\n1,2,-1\n", "write them from 0 on"),
    ],
)
def test_bad_tables_are_one_clear_sentence(tmp_path, text, says):
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=says) as found:
        read_motion(path)
    assert str(path) in str(found.value)
    assert "\n" not in str(found.value)


def test_what_is_no_file_is_said(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_motion(tmp_path / "none.csv")
