"""What ships of ways on roads: its file, what it says of clear, ambiguous and foreign ways, and how it is fitted."""

import numpy as np

from benchmarks.odometry_fit import clear_from
from vidtag_engine.roads.fitted import FittedRoads, fitted_roads


def chance(mass: float, fit: float, clear: bool) -> float:
    path = fitted_roads().path
    # The cells that mass lies in are 50 m wide: little of it lies within 25 m.
    within = lambda radii: mass * np.minimum(1.0, np.asarray(radii) / 120.0)[None]  # noqa: E731
    return float(path.chances(within, [500.0], np.array([fit]), clear)[0, 0])


def test_what_ships_is_fitted_and_reads_as_it_was_written():
    shipped = fitted_roads()
    assert shipped.path.rated
    assert "simulated" in shipped.fitted_on
    assert FittedRoads.from_dict(shipped.to_dict()) == shipped


def test_a_clear_way_that_fits_is_said_and_one_that_does_not_fit_is_not():
    assert chance(0.999, -0.4, clear=True) > 0.9
    assert chance(0.999, -1.8, clear=True) < 0.5
    assert chance(0.3, -0.6, clear=False) < 0.6


def test_nothing_is_said_of_what_nobody_fitted():
    path = FittedRoads.unfitted().path
    assert np.isnan(path.chances(lambda radii: np.ones((1, len(radii))), [500.0], np.array([0.0]))).all()


def test_clear_is_what_is_nearly_always_right():
    share, right = np.array([0.2, 0.5, 0.7, 0.9, 1.0]), np.array([0.0, 0.0, 1.0, 0.99, 1.0])
    assert clear_from(share, right) == 0.7
    assert clear_from(share, np.zeros(5)) == 1.0
