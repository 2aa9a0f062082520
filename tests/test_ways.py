"""Videos placed by the shape of their way alone, from the command line to the GeoPackage."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import av
import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import Transformer

from vidtag_engine.command_arguments import GeolocateArguments
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.geolocation import run_geolocate
from vidtag_engine.types import InputError

TO_DEGREES = Transformer.from_crs("+proj=laea +lat_0=50 +lon_0=8 +ellps=WGS84", "EPSG:4326", always_xy=True)
SPEED_MPS = 9.0


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A bent town as a layer, a drive's places through it, its motion as a phone tells it, and a video of nothing."""
    folder = tmp_path_factory.mktemp("town")
    rng = np.random.default_rng(4)
    side, block = 8, 170.0
    at = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), axis=-1) * block + rng.uniform(-45, 45, (side, side, 2))
    edges = {}
    for i in range(side):
        for j in range(side):
            for k, m in ((i + 1, j), (i, j + 1)):
                if k < side and m < side and rng.random() < 0.85:
                    edges[(i, j), (k, m)] = f"Street {len(edges)}"
    lines = [shapely.LineString(np.column_stack(TO_DEGREES.transform(*np.array([at[a], at[b]]).T))) for a, b in edges]
    geopandas.GeoDataFrame({"name": list(edges.values()), "highway": "residential"}, geometry=lines, crs=4326).to_file(
        folder / "roads.gpkg", layer="roads"
    )
    around = {}
    for a, b in edges:
        around.setdefault(a, []).append(b)
        around.setdefault(b, []).append(a)
    route = [(2, 2), around[(2, 2)][0]]
    while len(route) < 12:
        route.append(around[route[-1]][int(rng.integers(len(around[route[-1]])))])
        if route[-1] == route[-3]:
            route.pop()
    xy = np.array([at[one] for one in route])
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    time_s = np.arange(0, along[-1] / SPEED_MPS, 0.5)
    place = np.stack([np.interp(time_s * SPEED_MPS, along, xy[:, axis]) for axis in (0, 1)], axis=1)
    ahead = np.stack([np.interp(time_s * SPEED_MPS + 4.0, along, xy[:, axis]) for axis in (0, 1)], axis=1)
    behind = np.stack([np.interp(time_s * SPEED_MPS - 4.0, along, xy[:, axis]) for axis in (0, 1)], axis=1)
    heading = np.degrees(np.arctan2(*(ahead - behind).T)) % 360
    rows = [f"{t:.1f},{(h + 77) % 360:.2f},{SPEED_MPS * (1 + 0.05 * rng.normal()):.2f}" for t, h in zip(time_s, heading, strict=True)]
    (folder / "track.csv").write_text("time_s,heading_deg,speed_mps\n" + "\n".join(rows) + "\n", encoding="utf-8")
    with av.open(str(folder / "drive.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=2)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in time_s:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), format="rgb24")))
        container.mux(stream.encode(None))
    lon, lat = TO_DEGREES.transform(*place.T)
    west, south = TO_DEGREES.transform(-200, -200)
    east, north = TO_DEGREES.transform(side * block + 200, side * block + 200)
    names = [edges.get((a, b), edges.get((b, a))) for a, b in pairwise(route)]
    return folder, f"{west},{south},{east},{north}", time_s, lat, lon, names


def arguments(town, output: Path, **more) -> GeolocateArguments:
    folder, aoi = town[:2]
    given = {
        "videos": [str(folder / "drive.mp4")],
        "roads": str(folder / "roads.gpkg"),
        "motion_track": str(folder / "track.csv"),
        "checkpoint": "none",
    }
    return GeolocateArguments(str(output), **({"aoi": aoi} | given | more))


def test_a_drive_is_placed_by_its_track_and_the_roads_alone(town, tmp_path):
    _, _, time_s, lat, lon, names = town
    said = run_geolocate(arguments(town, tmp_path / "found.gpkg"))
    assert said["checkpoint"] == "none"
    frames = geopandas.read_file(tmp_path / "found.gpkg", layer="frames")
    assert (frames["state"] == "located").all()
    true = np.interp(frames["time_s"], time_s, lat), np.interp(frames["time_s"], time_s, lon)
    error_m = haversine_m(frames.geometry.y.to_numpy(), frames.geometry.x.to_numpy(), *true)
    assert np.median(error_m) < 20
    assert (error_m < 60).mean() > 0.95
    record = json.dumps(said)
    assert names[0] not in record


def test_the_same_command_goes_on_and_another_layer_is_refused(town, tmp_path):
    output = tmp_path / "found.gpkg"
    run_geolocate(arguments(town, output))
    assert run_geolocate(arguments(town, output))["resumed"] == ["drive.mp4"]
    folder = town[0]
    roads = geopandas.read_file(folder / "roads.gpkg")
    roads.iloc[:-1].to_file(tmp_path / "fewer.gpkg", layer="roads")
    with pytest.raises(InputError, match="results of other settings"):
        run_geolocate(arguments(town, output, roads=str(tmp_path / "fewer.gpkg")))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"roads": None, "motion_track": None}, "give --roads"),
        ({"roads": None}, "without roads to compare it with"),
        ({"aoi": None}, "draw the area"),
        ({"keep_scores": True}, "leave out --keep-scores"),
        ({"reference": "somewhere"}, "leave out --checkpoint none"),
        ({"motion": "drone"}, "does not follow roads"),
        ({"aoi": "20,20,20.1,20.1"}, "lies in the area"),
        ({"decoder": "none"}, "take --decoder hmm"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(town, tmp_path, more, said):
    with pytest.raises(InputError, match=said) as error:
        run_geolocate(arguments(town, tmp_path / "found.gpkg", **more))
    assert "\n" not in str(error.value)
    assert not (tmp_path / "found.gpkg").exists()


def test_a_track_is_one_videos(town, tmp_path):
    folder = town[0]
    second = tmp_path / "second.mp4"
    second.write_bytes((folder / "drive.mp4").read_bytes())
    with pytest.raises(InputError, match="one video's"):
        run_geolocate(arguments(town, tmp_path / "found.gpkg", videos=[str(folder / "drive.mp4"), str(second)]))


def test_a_camera_that_stands_is_said_to(town, tmp_path):
    folder = town[0]
    rows = "\n".join(f"{t},90,0" for t in range(400))
    (tmp_path / "stands.csv").write_text(f"time_s,heading_deg,speed_mps\n{rows}\n", encoding="utf-8")
    with pytest.raises(InputError, match="hardly moved"):
        run_geolocate(arguments(town, tmp_path / "found.gpkg", motion_track=str(tmp_path / "stands.csv")))
    assert folder.exists()


def test_the_command_line_takes_it(town, tmp_path):
    folder, aoi = town[:2]
    given = [
        "geolocate",
        str(folder / "drive.mp4"),
        f"--aoi={aoi}",
        "--roads",
        str(folder / "roads.gpkg"),
        "--motion-track",
        str(folder / "track.csv"),
    ]
    command = [sys.executable, "-m", "vidtag_engine", *given, "--checkpoint", "none", "--output", str(tmp_path / "found.gpkg")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "found.gpkg").is_file()
    assert "Traceback" not in done.stderr


def test_a_track_that_ends_before_the_video_is_refused(town, tmp_path):
    folder, time_s = town[0], town[2]
    lines = (folder / "track.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "half.csv").write_text("\n".join(lines[: len(time_s) // 2]) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="longer track"):
        run_geolocate(arguments(town, tmp_path / "found.gpkg", motion_track=str(tmp_path / "half.csv")))
    assert not (tmp_path / "found.gpkg").exists()


def test_a_motion_that_nobody_can_tell_is_no_standing(town, tmp_path):
    rows = "\n".join(f"{second},{second}," for second in range(400))
    (tmp_path / "turns.csv").write_text(f"time_s,heading_deg,speed_mps\n{rows}\n", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be told"):
        run_geolocate(arguments(town, tmp_path / "found.gpkg", motion_track=str(tmp_path / "turns.csv")))


def test_a_walk_is_placed_and_not_rated_as_nobody_measured_walks(town, tmp_path):
    output = tmp_path / "found.gpkg"
    run_geolocate(arguments(town, output, motion="walk"))
    frames = geopandas.read_file(output, layer="frames")
    assert (frames["state"] == "located").all()
    assert frames["confidence"].isna().all()


def test_ways_that_do_not_fit_are_no_candidates(town, tmp_path):
    """A drive that turns all the time, as no street of the town does."""
    rows = "\n".join(f"{second},{(37 * second) % 360},9" for second in range(400))
    (tmp_path / "spins.csv").write_text(f"time_s,heading_deg,speed_mps\n{rows}\n", encoding="utf-8")
    output = tmp_path / "found.gpkg"
    said = run_geolocate(arguments(town, output, motion_track=str(tmp_path / "spins.csv")))
    assert said["located"] == 0
    assert "candidates" not in set(pyogrio.list_layers(output)[:, 0])
