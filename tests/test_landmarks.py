"""A camera's place by landmarks, against scenes that are made by geodesics and matrices: exact without noise, honest with it, and silent about nothing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from pyproj import Geod

from benchmarks.landmarks import HEIGHT_PX, WIDTH_PX, holds, lens_seen, lens_told, measure, scene
from vidtag_engine.commands.landmark_lens import lens_by_others
from vidtag_engine.landmarks import Landmark, locate_camera
from vidtag_engine.types import InputError

GEOD = Geod(ellps="WGS84")
FOCAL_PX = 1500.0
FOV_DEG = 2 * math.degrees(math.atan(WIDTH_PX / 2 / FOCAL_PX))


def seen_from(lat, lon, bearing, places, focal_px=FOCAL_PX):
    """Landmarks on the horizon of a level camera, exactly, by geodesics alone."""
    azimuth = [GEOD.inv(lon, lat, other_lon, other_lat)[0] for other_lat, other_lon in places]
    return [
        Landmark(WIDTH_PX / 2 + focal_px * math.tan(math.radians(a - bearing)), HEIGHT_PX / 2, *place)
        for a, place in zip(azimuth, places, strict=True)
    ]


def around(lat, lon, *ways):
    """Places at azimuths and distances."""
    return [GEOD.fwd(lon, lat, azimuth, away_m)[1::-1] for azimuth, away_m in ways]


def off_m(place, lat, lon):
    return GEOD.inv(place.lon_deg, place.lat_deg, lon, lat)[2]


@pytest.mark.parametrize(("lat", "lon"), [(59.3, 18.1), (-33.9, 179.9995), (0.0, 0.0), (78.2, 15.6)])
@pytest.mark.parametrize("bearing", [0.0, 100.0, 359.0])
def test_exact_clicks_give_the_exact_place(lat, lon, bearing):
    ways = ((bearing - 25, 150), (bearing - 5, 900), (bearing + 12, 300), (bearing + 28, 2000))
    clicks = seen_from(lat, lon, bearing, around(lat, lon, *ways))
    for fov_deg in (FOV_DEG, None):  # the prior of the lens pulls a little
        found = locate_camera(clicks, WIDTH_PX, HEIGHT_PX, fov_deg=fov_deg)
        [place] = found.places
        assert off_m(place, lat, lon) < (0.01 if fov_deg else 2.0)
        assert abs((place.bearing_deg - bearing + 180) % 360 - 180) < (0.001 if fov_deg else 0.2)
        assert place.fov_deg == pytest.approx(FOV_DEG, abs=1e-6 if fov_deg else 0.5)
        assert place.distance_m == pytest.approx([away_m for _, away_m in ways], abs=0.05 if fov_deg else 4)
        assert np.abs(place.residual_px).max() < (0.01 if fov_deg else 1)
        assert (found.notes, found.suspect) == ((), None)


def test_far_landmarks_are_on_the_ellipsoid():
    """Mountains at 60 km: on a plane that is laid about them the camera would be metres off."""
    clicks = seen_from(46.0, 7.0, 200.0, around(46.0, 7.0, (180, 60_000), (195, 20_000), (215, 45_000), (225, 9_000)))
    [place] = locate_camera(clicks, WIDTH_PX, HEIGHT_PX, fov_deg=FOV_DEG).places
    assert off_m(place, 46.0, 7.0) < 0.5


def test_the_ellipse_is_that_of_many_clicks():
    """Its axes and azimuth against the spread of places from clicks drawn again and again, which knows nothing of a Jacobian."""
    exact = seen_from(59.3, 18.1, 40.0, around(59.3, 18.1, (15, 200), (35, 700), (62, 350)))
    rng = np.random.default_rng(4)
    places = []
    for _ in range(400):
        noisy = [replace(one, x_px=one.x_px + 3 * rng.normal()) for one in exact]
        places.append(locate_camera(noisy, WIDTH_PX, HEIGHT_PX, fov_deg=FOV_DEG, tilt_deg=0).places[0])
    [told] = locate_camera(exact, WIDTH_PX, HEIGHT_PX, fov_deg=FOV_DEG, tilt_deg=0).places
    azimuth, _, away = GEOD.inv([18.1] * 400, [59.3] * 400, [one.lon_deg for one in places], [one.lat_deg for one in places])
    spread = np.cov(np.array([np.sin(np.radians(azimuth)), np.cos(np.radians(azimuth))]) * away)
    values, axes = np.linalg.eigh(spread)
    assert told.semi_major_m == pytest.approx(math.sqrt(4.605 * values[1]), rel=0.15)
    assert told.semi_minor_m == pytest.approx(math.sqrt(4.605 * values[0]), rel=0.15)
    turned = math.degrees(math.atan2(axes[0, 1], axes[1, 1])) - told.azimuth_deg
    assert abs((turned + 90) % 180 - 90) < 5
    assert np.mean([holds(one, (59.3, 18.1)) for one in places]) == pytest.approx(0.9, abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize(("count", "known"), [(3, True), (4, True), (5, True), (4, False), (5, False)])
def test_cover_and_error_over_many_cameras(count, known):
    found = measure(np.random.default_rng(11), count, known=known, trials=300)
    assert found["cover_90"] == pytest.approx(0.9, abs=0.05)
    assert found["error_share"] < 0.02
    assert found["refused"] + found["ambiguous"] < 0.06


@pytest.mark.slow
@pytest.mark.parametrize(("lens", "most"), [(lens_told, 0.08), (lens_seen, 0.02)])
def test_three_landmarks_do_where_something_else_tells_of_the_lens(lens, most):
    found = measure(np.random.default_rng(12), 3, known=False, trials=200, lens=lens)
    assert found["cover_90"] == pytest.approx(0.9, abs=0.06)
    assert found["error_share"] < most
    assert found["refused"] + found["ambiguous"] < 0.25


def test_a_lens_is_told_by_other_frames_and_by_nothing_doubtful():
    ways = ((-25, 150), (-5, 900), (12, 300), (28, 2000))
    clicks = seen_from(59.3, 18.1, 0.0, around(59.3, 18.1, *ways))
    size_px = (float(WIDTH_PX), float(HEIGHT_PX))
    options = {"noise_px": 3.0, "tilt_deg": 2.0}
    lens = lens_by_others([(clicks, size_px)], **options)
    assert lens.focal_share == pytest.approx(FOCAL_PX / WIDTH_PX, rel=0.01)
    assert lens.spread < 0.1
    twice = lens_by_others([(clicks, size_px), (clicks, size_px)], **options)
    assert twice.spread < lens.spread
    smaller = [replace(one, x_px=one.x_px / 2, y_px=one.y_px / 2) for one in clicks]  # the same, clicked in a smaller picture
    assert lens_by_others([(smaller, (960.0, 540.0))], noise_px=1.5, tilt_deg=2.0).focal_share == pytest.approx(lens.focal_share, rel=1e-3)
    wrong = [clicks[0], replace(clicks[1], x_px=clicks[1].x_px + 300), *clicks[2:]]
    assert lens_by_others([(clicks[:3], size_px), (wrong, size_px)], **options) is None


def test_an_upright_picture_has_the_lens_of_the_same_picture_on_its_side():
    """A telephone's lens is common whichever way it is held: what is known of it is said along the picture's longer side."""
    ways = ((-12, 150), (-3, 900), (6, 300), (13, 2000))
    clicks = seen_from(59.3, 18.1, 0.0, around(59.3, 18.1, *ways))
    upright = [replace(one, x_px=one.x_px - WIDTH_PX / 2 + HEIGHT_PX / 2, y_px=WIDTH_PX / 2) for one in clicks]
    [place] = locate_camera(upright, HEIGHT_PX, WIDTH_PX).places
    [lying] = locate_camera(clicks, WIDTH_PX, HEIGHT_PX).places
    assert (place.focal_share, place.focal_spread) == pytest.approx((lying.focal_share, lying.focal_spread), rel=1e-4)
    assert off_m(place, lying.lat_deg, lying.lon_deg) < 0.1
    assert place.fov_deg < lying.fov_deg


def test_a_wrong_click_is_named():
    rng = np.random.default_rng(2)
    named = 0
    for _ in range(10):
        clicks, _, _, fov_deg = scene(rng, 6)
        wrong = int(rng.integers(6))
        x_px = clicks[wrong].x_px
        clicks[wrong] = replace(clicks[wrong], x_px=x_px + (200 if x_px < WIDTH_PX / 2 else -200))
        found = locate_camera(clicks, WIDTH_PX, HEIGHT_PX, fov_deg=fov_deg)
        assert found.suspect in {wrong, None}
        named += found.suspect == wrong
        if found.suspect is not None:
            assert f"landmark {wrong + 1} does not fit the others" in found.notes[-1]
    assert named >= 8
    clicks = seen_from(59.3, 18.1, 0.0, around(59.3, 18.1, (-25, 150), (-5, 900), (12, 300), (28, 2000)))
    clicks[1] = replace(clicks[1], x_px=clicks[1].x_px + 300)
    found = locate_camera(clicks, WIDTH_PX, HEIGHT_PX, fov_deg=FOV_DEG)  # any one of four may be the wrong one
    assert found.suspect is None
    assert "the landmarks do not fit together" in found.notes[-1]


def test_what_fixes_no_place_is_said():
    """On the circle through three landmarks every place sees them under the same angles."""
    middle = (59.3, 18.1)
    circle = around(*middle, (-20, 400), (0, 400), (25, 400))
    [camera] = around(*middle, (180, 400))
    with pytest.raises(InputError, match="would be known to .* m only.*near one circle"):
        locate_camera(seen_from(*camera, 0.0, circle), WIDTH_PX, HEIGHT_PX, fov_deg=FOV_DEG)
    [nearer] = around(*middle, (180, 100))
    assert off_m(locate_camera(seen_from(*nearer, 0.0, circle), WIDTH_PX, HEIGHT_PX, fov_deg=FOV_DEG).places[0], *nearer) < 0.1
    line = around(*middle, (10, 300), (10, 600), (10, 1200))
    with pytest.raises(InputError, match="in one line"):
        locate_camera(seen_from(*middle, 0.0, line), WIDTH_PX, HEIGHT_PX, fov_deg=FOV_DEG)
    ways = around(*middle, (-12, 900), (2, 1100), (14, 1000))
    with pytest.raises(InputError, match="give the camera's field of view, or a fourth landmark"):
        locate_camera(seen_from(*middle, 0.0, ways, focal_px=2000), WIDTH_PX, HEIGHT_PX)


def test_every_place_that_fits_is_told():
    """Two places that see four landmarks alike within the noise: both are in the answer, or the misfit of one is far the larger."""
    rng = np.random.default_rng(3)
    told = 0
    for _ in range(60):
        clicks, truth, _, fov_deg = scene(rng, 3)
        try:
            found = locate_camera(clicks, WIDTH_PX, HEIGHT_PX, fov_deg=fov_deg)
        except InputError:
            continue
        # What is answered alone is near the truth: no mirror image is taken in silence.
        if found.ambiguous:
            assert "fit 2 places" in found.notes[0] or "fit 3 places" in found.notes[0]
        else:
            told += 1
            assert off_m(found.places[0], *truth) < 4 * found.places[0].semi_major_m
    assert told > 50


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"landmarks": 2}, r"Too few landmarks to find a place by \(2\): give at least three"),
        ({"x_px": 5000}, r"Landmark 1 at 5000,540 lies outside the picture of 1920 × 1080 px"),
        ({"lat_deg": 95}, "Landmark 1 at 95,.* is not on Earth"),
        ({"x_px": math.nan}, "outside the picture"),
        ({"fov_deg": 190}, "field of view of 190°"),
        ({"noise_px": 0}, "positive number of pixels"),
        ({"width_px": 0}, "A picture of 0 × 1080 px"),
        ({"same": True}, "Landmarks 1 and 2 lie at the same place"),
        ({"lat_deg": 10.0}, "km apart, and no picture shows both"),
    ],
)
def test_impossible_landmarks_are_refused_with_one_sentence(change, says):
    clicks = seen_from(59.3, 18.1, 0.0, around(59.3, 18.1, (-25, 150), (-5, 900), (12, 300)))
    clicks[0] = replace(clicks[0], **{name: value for name, value in change.items() if name in {"x_px", "lat_deg"}})
    if "same" in change:
        clicks[1] = replace(clicks[1], lat_deg=clicks[0].lat_deg, lon_deg=clicks[0].lon_deg)
    width = change.get("width_px", WIDTH_PX)
    options = {name: change[name] for name in ("fov_deg", "noise_px") if name in change}
    with pytest.raises(InputError, match=says):
        locate_camera(clicks[: change.get("landmarks")], width, HEIGHT_PX, **options)
