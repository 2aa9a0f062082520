"""What `import vidtag_engine` gives: three lines, and one sentence for whatever is wrong."""

import subprocess
import sys
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely

import vidtag_engine as vidtag
from vidtag_engine.export import read_geopackage

DEMO = Path(__file__).resolve().parent.parent / "resources" / "demo"
AOI = DEMO / "aoi.geojson"
GIVEN = {"aoi": AOI, "checkpoint": DEMO / "checkpoint", "resolution_m": 25, "device": "cpu"}


@pytest.fixture(scope="module")
def found():
    return vidtag.geolocate(str(DEMO / "drive.mp4"), **{**GIVEN, "aoi": str(AOI), "checkpoint": str(DEMO / "checkpoint")})


def test_importing_costs_nothing_and_all_names_are_there():
    script = (
        "import sys, vidtag_engine as v; heavy = {'torch', 'numpy', 'geopandas', 'pydantic'} & set(sys.modules); assert not heavy, heavy;"
        "assert set(v.__all__) <= set(dir(v)); [getattr(v, name) for name in v.__all__]"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=DEMO.parent.parent)
    with pytest.raises(AttributeError, match="has no attribute 'geolocalise'"):
        vidtag.geolocalise  # noqa: B018
    stub = (Path(vidtag.__file__).parent / "__init__.pyi").read_text()
    assert all(f" as {name}\n" in stub for name in vidtag._NAMES)
    assert (Path(vidtag.__file__).parent / "py.typed").is_file()


def test_three_lines_from_a_video_to_its_error(found, tmp_path):
    assert found.output is None
    assert found.failed == []
    assert np.isfinite(found.trajectory.lat_deg).all()
    assert vidtag.evaluate(found, str(DEMO / "drive.gpx")).overall.median_m < 10.0
    saved = found.save(str(tmp_path / "drive.gpkg"))
    results, made = read_geopackage(saved)
    np.testing.assert_array_equal(results[0].trajectory.lat_deg, found.trajectory.lat_deg)
    assert made.settings["resolution_m"] == 25.0
    assert vidtag.evaluate(saved, DEMO / "drive.gpx").overall == vidtag.evaluate(found, {"drive.mp4": DEMO / "drive.gpx"}).overall


@pytest.mark.parametrize("layer", ["frames", "trajectory", "videos", "regions"])
def test_a_layer_as_a_table_is_the_files_own(found, tmp_path, layer):
    table = found.to_geodataframe(layer)
    kept = geopandas.read_file(found.save(tmp_path / "drive.gpkg"), layer=layer, engine="pyogrio")
    assert table.crs.to_epsg() == 4326
    assert list(table.columns) == list(kept.columns)
    assert len(table) == len(kept)
    multi = [geometry if geometry is None or geometry.geom_type.startswith(("Multi", "Point")) else shapely.multilinestrings([geometry])
             for geometry in table.geometry] if layer != "regions" else [shapely.union_all([geometry]) for geometry in table.geometry]  # fmt: skip
    assert all(shapely.equals(one, other) for one, other in zip(multi, kept.geometry, strict=True) if one is not None)


@pytest.mark.parametrize("name", ["drive.kml", "drive.gpx", "drive.geojson", "drive.csv", "drive.png"])
def test_it_saves_itself_as_the_names_ending_says(found, tmp_path, name):
    assert found.save(tmp_path / name).stat().st_size > 0
    with pytest.raises(vidtag.InputError, match=r"has no ending that says what to write: give one of \.gpkg, \.png, \.html, \.kml"):
        found.save(tmp_path / "drive.xlsx")
    with pytest.raises(vidtag.InputError, match="There is no layer 'points'"):
        found.to_geodataframe("points")


def test_no_input_and_nothing_that_a_person_changed_is_replaced(found, tmp_path):
    area = tmp_path / "area.gpkg"
    geopandas.read_file(AOI).to_file(area, engine="pyogrio")
    before = area.read_bytes()
    with pytest.raises(vidtag.InputError, match=r"area\.gpkg"):
        vidtag.geolocate(DEMO / "drive.mp4", **{**GIVEN, "aoi": area}, output=area, overwrite=True)
    with pytest.raises(vidtag.InputError, match=r"area\.gpkg"):
        found.save(area)
    assert area.read_bytes() == before
    result = found.save(tmp_path / "drive.gpkg")
    found.save(result)  # as it was written: it may be written again
    notes = geopandas.GeoDataFrame({"note": ["mine"]}, geometry=[shapely.Point(1, 2)], crs=4326)
    notes.to_file(result, layer="my notes", engine="pyogrio")
    changed = result.read_bytes()
    with pytest.raises(vidtag.InputError, match=r"A person has changed drive\.gpkg"):
        found.save(result)
    assert result.read_bytes() == changed
    assert found.save(result, overwrite=True) == result


def test_a_folder_is_its_videos_and_several_are_told_apart_by_name(found, tmp_path):
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes((DEMO / "drive.mp4").read_bytes())
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    several = vidtag.geolocate(tmp_path, **GIVEN, to_s=2)
    assert [one.info.name for one in several] == ["a.mp4", "b.mp4"]
    assert [one.info.name for one in several.failed] == ["broken.mp4"]
    assert several["b.mp4"] is several[1] is several[-1]
    assert several[0:1] == [several[0]]
    with pytest.raises(vidtag.InputError, match="There are 2 videos: take the trajectory of one"):
        several.trajectory  # noqa: B018
    with pytest.raises(vidtag.InputError, match=r"There is no result for 'c\.mp4': choose one of a\.mp4, b\.mp4"):
        several["c.mp4"]


def test_an_area_is_whatever_says_where():
    asked = vidtag.Area(AOI)
    polygon = asked.geometry
    table = geopandas.GeoSeries([polygon], crs=4326)
    for given in (
        str(AOI),
        AOI.read_text(),
        polygon.wkt,
        polygon,
        table,
        table.to_frame("geometry"),
        shapely.geometry.mapping(polygon),
        asked,
    ):
        assert shapely.equals(vidtag.Area(given).geometry, polygon)
    utm = table.to_crs(table.estimate_utm_crs())
    assert vidtag.Area(utm).geometry.symmetric_difference(polygon).area < 1e-5 * polygon.area  # sides are straight in either system
    assert vidtag.Area([1, 2, 3, 4]).bounds == vidtag.Area("1,2,3,4").bounds == (1.0, 2.0, 3.0, 4.0)


WRONG = [
    (lambda _: vidtag.geolocate("absent.mp4", **GIVEN), "absent.mp4"),
    (lambda _: vidtag.geolocate([], **GIVEN), "There is no video to geolocate"),
    (lambda _: vidtag.geolocate(3, **GIVEN), "^3 is no path: give a video as text or as a path, or several in a list"),
    (lambda _: vidtag.geolocate([None], **GIVEN), "^None is no path: give the video as text"),
    (lambda _: vidtag.geolocate("", **GIVEN), "^'' is no path"),
    (lambda _: vidtag.geolocate("a.mp4", resolution=25), "There is no setting 'resolution': did you mean 'resolution_m'"),
    (lambda _: vidtag.geolocate("a.mp4", zoom=25), "There is no setting 'zoom'; there are always_answer,"),
    (lambda _: vidtag.geolocate("a.mp4", resolution_m="near"), "Setting resolution_m is not usable"),
    (lambda _: vidtag.geolocate("a.mp4", aoi=3), "^3 is no area: give a vector file"),
    (lambda _: vidtag.geolocate("a.mp4", aoi=[1, 2, 3]), "is no area"),
    (lambda _: vidtag.geolocate("a.mp4", aoi="absent.geojson"), "absent.geojson"),
    (lambda _: vidtag.geolocate("a.mp4", checkpoint=3), "^3 is no checkpoint: give a folder"),
    (lambda _: vidtag.geolocate(DEMO / "drive.mp4", aoi=AOI, checkpoint="absent/place"), "absent/place"),
    (lambda _: vidtag.geolocate("a.mp4", output=3), "^3 is no path: give the output"),
    (lambda _: vidtag.geolocate("a.mp4", output="a.txt"), r"a\.txt must end in \.gpkg"),
    (lambda _: vidtag.geolocate("a.mp4", keep_scores=True), "with keep_scores give an output"),
    (lambda found: vidtag.evaluate(found, 3), "^3 is no path: give the truth"),
    (lambda found: vidtag.evaluate(found, "absent.gpx"), "absent.gpx"),
    (lambda found: vidtag.evaluate(found, {"other.mp4": DEMO / "drive.gpx"}), "None of the videos"),
    (lambda _: vidtag.evaluate(3, DEMO / "drive.gpx"), "^3 is no result to compare"),
    (lambda _: vidtag.evaluate([1], DEMO / "drive.gpx"), "is no result to compare"),
    (lambda _: vidtag.evaluate("absent.gpkg", DEMO / "drive.gpx"), "absent.gpkg"),
    (lambda _: vidtag.load("absent/place"), "absent/place"),
    (lambda _: vidtag.load(3), "^3 is no checkpoint: give a folder"),
    (lambda _: vidtag.train([], output="x"), "There is nothing to train on"),
    (lambda _: vidtag.train("a.mp4", output="x", steps=3), "There is no setting 'steps'"),
    (lambda _: vidtag.train("a.mp4", output="x", recipe="best"), "Recipe 'best' is unknown"),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_whatever_is_wrong_is_one_sentence(found, number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    act, said = WRONG[number]
    with pytest.raises(vidtag.InputError, match=said) as caught:
        act(found)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
