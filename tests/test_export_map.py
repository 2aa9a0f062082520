"""The map picture: what is on it, that metres are equal, that odd inputs still give one."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from matplotlib.figure import Figure
from PIL import Image
from pyproj import Geod

from tests.export_cases import NAN, drive, every_kind, video
from vidtag_engine.export import write_map
from vidtag_engine.export.map_plane import Plane
from vidtag_engine.types import InputError, Track


@pytest.fixture
def figures(monkeypatch):
    """The figures as they are saved, to be looked at."""
    seen = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (seen.append(self), save(self, *a, **k))[1])
    return seen


def truth_of(result, shift=1e-4):
    t = result.trajectory
    return Track(t.time_s, t.lat_deg + shift, t.lon_deg, absolute=False, source="GPX")


def test_a_map_of_two_videos_with_area_and_truth(tmp_path, figures):
    results = [drive("one ü"), drive("two", seed=5, gap=slice(12, 15))]
    write_map(tmp_path / "m.png", results, aoi=shapely.box(159.925, -19.225, 159.935, -19.210), truth=truth_of(results[0]), title="Drives")
    with Image.open(tmp_path / "m.png") as picture:
        assert min(picture.size) > 700
        used = {colour for _, colour in picture.convert("RGB").getcolors(1 << 24)}
    for colour in ("#ece51b", "#471365", "#d55e00"):
        assert tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)) in used
    axes = figures[0].axes[0]
    assert axes.get_title() == "Drives"
    assert {text.get_text() for text in axes.get_legend().get_texts()} == {"Area searched", "Truth", "Start", "End"}
    texts = {text.get_text() for text in axes.texts}
    assert {"one ü", "two"} <= texts
    assert any(text.endswith((" m", " km")) for text in texts)
    assert axes.get_aspect() == 1


def test_the_scale_bar_is_as_long_as_it_says(tmp_path, figures):
    write_map(tmp_path / "m.png", [drive()])
    axes = figures[0].axes[0]
    (bar,) = [patch for patch in axes.patches if patch.get_zorder() == 10]
    x = bar.get_xy()[:, 0]
    number, unit = next(text.get_text() for text in axes.texts if text.get_text().endswith("m")).split()
    assert x.max() - x.min() == pytest.approx(float(number) * (1000 if unit == "km" else 1))


@pytest.mark.parametrize(("lat", "lon"), [(0, 0), (-19.2, 159.9), (78, 15), (10, 180), (89.5, 0)])
def test_metres_are_equal_in_both_directions_and_north_is_up(lat, lon):
    geod = Geod(ellps="WGS84")
    east = geod.fwd(lon, lat, 90, 1000)
    north = geod.fwd(lon, lat, 0, 1000)
    result = video("v", [lat, east[1], north[1]], [lon, east[0], north[0]], [1, 1, 1])
    plane = Plane.around([result], [], None)
    origin, to_east, to_north = plane.xy(result.trajectory.lat_deg, result.trajectory.lon_deg)
    np.testing.assert_allclose(np.hypot(*(to_east - origin)), 1000, rtol=2e-3)
    np.testing.assert_allclose(np.hypot(*(to_north - origin)), 1000, rtol=2e-3)
    assert (to_north - origin)[1] > 990
    assert plane.lat_lon(*to_east) == pytest.approx((east[1], (east[0] + 180) % 360 - 180), abs=1e-7)


def test_an_area_cut_at_the_antimeridian_is_whole_again():
    cut = shapely.union_all([shapely.box(179, 9, 180, 12), shapely.box(-180, 9, -178.5, 12)])
    plane = Plane.around([], [], cut)
    shape = plane.geometry(cut)
    assert shape.geom_type == "Polygon"
    geod = Geod(ellps="WGS84")
    area = abs(geod.geometry_area_perimeter(shapely.segmentize(shapely.box(179, 9, 181.5, 12), 0.01))[0])
    assert shape.area == pytest.approx(area, rel=2e-3)


def test_a_small_way_in_a_large_area_gets_an_overview(tmp_path, figures):
    write_map(tmp_path / "m.png", [drive()], aoi=shapely.box(159, -20, 161, -18))
    axes = figures[0].axes[0]
    left, right = axes.get_xlim()
    assert right - left < 5000
    assert len(axes.child_axes) == 1


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg", ".jpg"])
def test_formats(tmp_path, suffix):
    write_map(tmp_path / f"m{suffix}", [drive(count=5)])
    assert (tmp_path / f"m{suffix}").stat().st_size > 1000


@pytest.mark.parametrize("number", range(7))
def test_odd_videos_alone(tmp_path, number):
    result = every_kind()[number]
    if result.info.name in ("none.mp4", "empty.mp4"):
        with pytest.raises(InputError, match="nothing to draw"):
            write_map(tmp_path / "m.png", [result])
        write_map(tmp_path / "m.png", [result], aoi=shapely.box(0, 0, 1, 1).difference(shapely.box(0.4, 0.4, 0.6, 0.6)))
    else:
        write_map(tmp_path / "m.png", [result])
    assert (tmp_path / "m.png").exists()


def test_the_whole_world(tmp_path, figures):
    rng = np.random.default_rng(1)
    result = video("w $x$ %", rng.uniform(-80, 80, 20), rng.uniform(-180, 180, 20), rng.uniform(0, 1, 20))
    write_map(
        tmp_path / "m.png",
        [result],
        aoi=shapely.box(-180, -90, 180, 90),
        truth={"w": Track(np.arange(3.0), np.zeros(3), np.full(3, NAN), absolute=False, source="CSV")},
    )
    left, right = figures[0].axes[0].get_xlim()
    assert 3e7 < right - left < 5e7
    assert math.isfinite(left)


def test_unknown_format_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"\.png"):
        write_map(tmp_path / "m.bmp", [drive()])
