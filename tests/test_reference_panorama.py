"""Views cut from a panorama show what a camera in its place would have: every pixel's ray is worked out anew here, by rotation matrices."""

import math

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from vidtag_engine.reference.images import ReferenceImage
from vidtag_engine.reference.panorama import view_of, views
from vidtag_engine.types import InputError


def colour(direction):
    """Of a direction (..., 3: east, up, north): smooth over the sphere, and nowhere the same twice."""
    return np.stack([128 + 100 * np.sin(2 * direction[..., n] + n) * direction[..., (n + 1) % 3] for n in range(3)], axis=-1)


def sphere(width):
    """An equirectangular picture of it whose middle looks north."""
    turn = ((np.arange(width) + 0.5) / width - 0.5) * 2 * math.pi
    tilt = (0.5 - (np.arange(width // 2) + 0.5) / (width // 2)) * math.pi
    turn, tilt = np.meshgrid(turn, tilt)
    return colour(np.stack([np.cos(tilt) * np.sin(turn), np.sin(tilt), np.cos(tilt) * np.cos(turn)], axis=-1)).round().astype(np.uint8)


def rays(heading_deg, view_deg, size):
    """Unit rays of a level pinhole camera, by its intrinsic matrix and a rotation about the vertical."""
    focal = size / 2 / math.tan(math.radians(view_deg / 2))
    inverse = np.linalg.inv(np.array([[focal, 0, size / 2], [0, focal, size / 2], [0, 0, 1]]))
    column, row = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
    right, down, ahead = np.moveaxis(np.stack([column, row, np.ones_like(row)], axis=-1) @ inverse.T, -1, 0)
    a = math.radians(heading_deg)
    direction = np.stack([ahead * math.sin(a) + right * math.cos(a), -down, ahead * math.cos(a) - right * math.sin(a)], axis=-1)
    return direction / np.linalg.norm(direction, axis=-1, keepdims=True)


@pytest.mark.parametrize(("count", "view_deg"), [(4, 90.0), (6, 75.0), (1, 110.0), (5, 40.0)])
def test_every_pixel_is_the_rays(count, view_deg):
    for view in views(sphere(2048), 0.0, count=count, field_of_view_deg=view_deg, size_px=96):
        expected = colour(rays(view.offset_deg, view_deg, 96))
        assert view.picture.shape == (96, 96, 3)
        assert np.abs(view.picture - expected).max() < 2.0


def test_against_scipy_on_noise_at_the_seam_and_the_poles():
    """Interpolated by other people's code, with a seam that wraps."""
    panorama = np.random.default_rng(0).integers(0, 256, (64, 128, 3), dtype=np.uint8)
    for view in views(panorama, 0.0, count=3, field_of_view_deg=130.0, size_px=200):
        east, up, north = np.moveaxis(rays(view.offset_deg, 130.0, 200), -1, 0)
        column = (np.arctan2(east, north) / (2 * math.pi) + 0.5) * 128 - 0.5
        row = (0.5 - np.arcsin(up) / math.pi) * 64 - 0.5
        wrapped = np.concatenate([panorama[:, -1:], panorama, panorama[:, :1]], axis=1).astype(float)
        expected = np.stack([map_coordinates(wrapped[..., n], [row, column + 1], order=1, mode="nearest") for n in range(3)], axis=-1)
        assert np.abs(view.picture - expected).max() < 1.0


def test_headings_go_around_from_the_middles():
    made = views(sphere(256), 350.0, count=4, size_px=32)
    assert [view.heading_deg for view in made] == [350.0, 80.0, 170.0, 260.0]
    assert [view.offset_deg for view in made] == [0.0, 90.0, 180.0, 270.0]
    assert all(math.isnan(view.heading_deg) for view in views(sphere(256), count=2, size_px=32))


def test_a_fine_panorama_is_averaged_and_does_not_flicker():
    """Black and white columns of a pixel each are grey in views of far fewer pixels."""
    stripes = np.zeros((2048, 4096, 3), np.uint8)
    stripes[:, ::2] = 255
    [view] = views(stripes, 0.0, count=1, size_px=64)
    assert abs(float(view.picture.mean()) - 127.5) < 2.0
    assert float(view.picture.std()) < 8.0


def test_a_views_record():
    panorama = ReferenceImage(
        "panoramax", "a", "s", 48.0, 11.0, 300.0, 5.0, panorama=True, field_of_view_deg=360.0, author="N", licence="L", files=((2048, "x"),)
    )
    made = views(sphere(256), panorama.heading_deg, count=6, size_px=32)
    records = [view_of(panorama, view, 90.0) for view in made]
    assert [record.heading_deg for record in records] == [300.0, 0.0, 60.0, 120.0, 180.0, 240.0]
    assert [record.image_id for record in records] == ["a@0", "a@60", "a@120", "a@180", "a@240", "a@300"]
    assert {(record.panorama, record.field_of_view_deg, record.files, record.author, record.licence) for record in records} == {
        (False, 90.0, (), "N", "L")
    }


@pytest.mark.parametrize("wrong", [{"count": 0}, {"field_of_view_deg": 180.0}, {"field_of_view_deg": 0.0}, {"size_px": 0}])
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(InputError):
        views(sphere(64), 0.0, **wrong)
    with pytest.raises(InputError, match="does not show all around"):
        views(np.zeros((100, 150, 3), np.uint8))
