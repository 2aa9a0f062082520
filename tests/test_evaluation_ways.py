"""How frames lie to what was driven before, by geometry that is known."""

import numpy as np
import pytest
from pyproj import Geod

from vidtag_engine.evaluation.ways import CROSSING, NEVER_DRIVEN, OTHER_WAY, SAME_WAY, DrivenWays, courses_deg, majority

GEOD = Geod(ellps="WGS84")
START = (-19.0, 179.999)  # streets below lead across 180 degrees


def street(course_deg: float, frames: int = 20, *, aside_m: float = 0.0, along_m: float = 0.0, step_m: float = 15.0) -> np.ndarray:
    """(T, 2) of a straight street that leads through one place, moved to its right and along."""
    lon, lat, _ = GEOD.fwd(START[1], START[0], course_deg + 90.0, aside_m)
    places = [GEOD.fwd(lon, lat, course_deg, along_m + step_m * (n - frames / 2))[:2] for n in range(frames)]
    return np.array(places)[:, ::-1]


@pytest.mark.parametrize("course_deg", [0.0, 45.0, 90.0, 181.0, 300.0])
def test_courses_are_those_of_the_geodesic(course_deg: float) -> None:
    apart = (courses_deg(street(course_deg)) - course_deg + 180.0) % 360.0 - 180.0
    assert np.abs(apart).max() < 0.5


def test_a_vehicle_that_stands_has_the_course_it_moved_with() -> None:
    track = street(90.0, 6)
    stood = np.concatenate([track[:3], np.repeat(track[3:4], 4, axis=0), track[4:]])
    assert courses_deg(stood) == pytest.approx(np.full(len(stood), 90.0), abs=0.5)
    assert np.isnan(courses_deg(np.repeat(track[:1], 3, axis=0))).all()
    assert np.isnan(courses_deg(track[:1])).all()


@pytest.mark.parametrize(
    ("turned_deg", "aside_m", "split"),
    [
        (0.0, 0.0, SAME_WAY),
        (40.0, 0.0, SAME_WAY),
        (50.0, 0.0, CROSSING),
        (90.0, 0.0, CROSSING),
        (130.0, 0.0, CROSSING),
        (140.0, 0.0, OTHER_WAY),
        (180.0, 0.0, OTHER_WAY),
        (0.0, 20.0, SAME_WAY),
        (180.0, 20.0, OTHER_WAY),
        (0.0, 35.0, CROSSING),  # near, but not on the same street
        (180.0, 45.0, CROSSING),
        (0.0, 60.0, NEVER_DRIVEN),
        (90.0, 60.0, NEVER_DRIVEN),
    ],
)
def test_a_frame_lies_to_training_as_its_distance_and_course_say(turned_deg: float, aside_m: float, split: str) -> None:
    trained = street(75.0, 41)
    # Three frames about the place where both streets meet, or lie so far beside each other.
    drive = street(75.0 + turned_deg, 3, aside_m=aside_m, along_m=5.0, step_m=4.0)
    if turned_deg == 90.0 and aside_m:
        lon, lat, _ = GEOD.fwd(*trained[20, ::-1], 75.0 + 90.0, aside_m + 15.0)
        drive = np.array([GEOD.fwd(lon, lat, 75.0 + 90.0, metres)[1::-1] for metres in (0.0, 4.0, 8.0)])
    assert DrivenWays.of_tracks([trained]).frames(drive) == (split,) * 3


def test_one_frame_the_same_way_outweighs_all_the_other_way_and_one_across_spoils_the_other_way() -> None:
    drive, there, back, across = street(75.0, 3), street(75.0, 41), street(255.0, 41), street(345.0, 41)
    assert set(DrivenWays.of_tracks([back, there]).frames(drive)) == {SAME_WAY}
    assert set(DrivenWays.of_tracks([back]).frames(drive)) == {OTHER_WAY}
    assert CROSSING in DrivenWays.of_tracks([back, across]).frames(drive)


def test_courses_are_not_taken_from_one_training_drive_to_the_next() -> None:
    # If the tracks were one, the first drive's last frame would look north, to where the second begins.
    there, elsewhere = street(90.0, 3), street(90.0, 3, aside_m=-500.0)
    assert set(DrivenWays.of_tracks([there, elsewhere]).frames(there)) == {SAME_WAY}
    assert DrivenWays.of_tracks([]).frames(there) == (NEVER_DRIVEN,) * 3


def test_a_drive_takes_what_most_of_its_frames_are_and_a_tie_is_crossing() -> None:
    assert majority([SAME_WAY] * 3 + [OTHER_WAY] * 2 + [CROSSING] * 2) == SAME_WAY
    assert majority([SAME_WAY, NEVER_DRIVEN]) == CROSSING
    assert majority([OTHER_WAY, OTHER_WAY, NEVER_DRIVEN, NEVER_DRIVEN, SAME_WAY]) == CROSSING
    assert majority([]) == CROSSING
