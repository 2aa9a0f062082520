"""The kinds of bad input: the files that are wrong, and the command lines that meet them.

All paths are relative to one working folder, so that the sentences read as a user would see them.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

SECONDS = 4
START = "2026-05-01T12:00:00"
WEST, SOUTH, EAST, NORTH = 159.930, -19.220, 159.934, -19.216
FIELD = f"{WEST},{SOUTH},{EAST},{NORTH}"
READ_ONLY, FULL, SMALL_FILES = "a disk that is read only", "a disk that is full", "a limit of 64 KB a file"


@dataclass(frozen=True)
class Case:
    """One kind of bad input.

    Args:
        name: what is wrong.
        words: the command line after ``vidtag``.
        names: what the sentence must name.
        surroundings: READ_ONLY and FULL hold for the folder ``disk``, SMALL_FILES for the whole process; else empty.
        cold: run in a process started anew instead of one forked after the imports.
    """

    name: str
    words: tuple[str, ...]
    names: tuple[str, ...]
    surroundings: str = ""
    cold: bool = False


def _words(command: str, positional: tuple[str, ...], options: dict[str, str | None]) -> tuple[str, ...]:
    """``from_="9"`` is ``--from 9``; None leaves a default out."""
    given = [word for name, value in options.items() if value is not None for word in (f"--{name.strip('_').replace('_', '-')}", value)]
    return (command, *positional, *given)


def geolocate(*videos: str, **options: str | None) -> tuple[str, ...]:
    """A command line that would work, but for what is given."""
    defaults = {"aoi": FIELD, "checkpoint": "tiny", "resolution_m": "40", "output": "found.gpkg"}
    return _words("geolocate", videos, {**defaults, **options})


def heatmap(*videos: str, **options: str | None) -> tuple[str, ...]:
    """Likewise."""
    return _words("heatmap", videos, {"aoi": FIELD, "checkpoint": "tiny", "resolution_m": "40", "output": "found.tif", **options})


def train(**options: str | None) -> tuple[str, ...]:
    """Likewise."""
    defaults = {"video": "drive.mp4", "truth": "drive.gpx", "aoi": FIELD, "resolution_m": "40", "output": "learned"}
    return _words("train", (), {**defaults, **options})


def evaluate(result: str, **options: str | None) -> tuple[str, ...]:
    """Likewise."""
    return _words("evaluate", (result,), {"truth": "drive.gpx", **options})


def gallery(**options: str | None) -> tuple[str, ...]:
    """Likewise."""
    return _words("gallery", (), {"aoi": FIELD, "resolution_m": "40", "output": "grid.gpkg", **options})


CONTROLS = (
    ("geolocate", geolocate("drive.mp4", output="result.gpkg")),
    ("evaluate", evaluate("result.gpkg", map="map.png")),
    ("gallery", gallery()),
)

V = "drive.mp4"
_NAN_GEOJSON = '{"type": "Polygon", "coordinates": [[[0, 0], [1, NaN], [1, 1], [0, 0]]]}'
CASES = (
    # Videos and images
    Case("video: no such file", geolocate("absent.mp4"), ("absent.mp4",), cold=True),
    Case("video: a text file", geolocate("text.mp4"), ("text.mp4",)),
    Case("video: an empty file", geolocate("empty.mp4"), ("empty.mp4",)),
    Case("video: an MP4 cut off before its index (moov)", geolocate("cut.mp4"), ("cut.mp4", "moov")),
    Case("video: only sound in it", geolocate("sound.mp4"), ("sound.mp4", "audio")),
    Case("video: no frame in it", geolocate("no-frames.mp4"), ("no-frames.mp4",)),
    Case("video: every frame damaged", geolocate("rotten.mp4"), ("rotten.mp4",)),
    Case("video: a folder of pictures, not of videos", geolocate("pictures"), ("pictures", "--images")),
    Case("video: a folder without videos", geolocate("notes"), ("notes",)),
    Case("video: none given", geolocate(), ("video",)),
    Case("images: no such folder", geolocate(images="absent-photos"), ("absent-photos",)),
    Case("images: a folder without images", geolocate(images="notes"), ("notes",)),
    Case("images: a file instead of a folder", geolocate(images=V), (V,)),
    Case("images: every image damaged", geolocate(images="rotten-pictures"), ("rotten-pictures",)),
    # Stretch, rate, time
    Case("--from beyond the video's end", geolocate(V, from_="600"), (V, "600")),
    Case("--from not before --to", geolocate(V, from_="3", to="1"), ("--from", "--to")),
    Case("--from below zero", geolocate(V, from_="-3"), ("--from", "-3")),
    Case("--fps 0", geolocate(V, fps="0"), ("--fps", "0")),
    Case("--fps nan", geolocate(V, fps="nan"), ("--fps", "nan")),
    Case("--fps that is a word", geolocate(V, fps="often"), ("--fps", "often")),
    Case("--start-time that is no time", geolocate(V, start_time="yesterday"), ("--start-time", "yesterday")),
    Case("--batch-size 0", geolocate(V, batch_size="0"), ("--batch-size", "0")),
    Case("--confidence-radius-m below zero", geolocate(V, confidence_radius_m="-1"), ("--confidence-radius-m", "-1")),
    # Area
    Case("area: no such file", geolocate(V, aoi="absent.geojson"), ("absent.geojson",)),
    Case("area: damaged GeoJSON file", geolocate(V, aoi="damaged.geojson"), ("damaged.geojson",)),
    Case("area: damaged GeoJSON text", gallery(aoi='{"type": "Polygon", "coordinates": [[[1, 2], '), ("area of interest", "JSON")),
    Case("area: a text file", geolocate(V, aoi="notes/note.txt"), ("note.txt",)),
    Case("area: an empty polygon", gallery(aoi="POLYGON EMPTY"), ("area of interest",)),
    Case("area: a layer without features", gallery(aoi="no-features.geojson"), ("no-features.geojson",)),
    Case("area: points, no polygon", gallery(aoi="points.geojson"), ("points.geojson", "Point")),
    Case("area: without any extent", gallery(aoi="159.93,-19.22,159.93,-19.21"), ("area of interest",)),
    Case("area: WKT with a typing error", gallery(aoi="POLYGON((0 0, 1 0, 1 1, 0 0)"), ("area of interest", "WKT")),
    Case("area: neither a file nor numbers nor WKT", gallery(aoi="the old town"), ("the old town",)),
    Case("area: unknown coordinate system", gallery(aoi_crs="EPSG:999999"), ("EPSG:999999",)),
    Case("area: box with maxx < minx", gallery(aoi="160,-20,159,-19"), ("160,-20,159,-19", "maxx")),
    Case("area: box of three numbers", gallery(aoi="160,-20,161"), ("160,-20,161",)),
    Case("area: box with a NaN", gallery(aoi="159,nan,160,-19"), ("159,nan,160,-19",)),
    Case("area: WKT with a NaN", gallery(aoi="POLYGON((0 0, 1 nan, 1 1, 0 0))"), ("area of interest", "finite")),
    Case("area: GeoJSON with a NaN", gallery(aoi=_NAN_GEOJSON), ("area of interest", "finite")),
    Case("area: box outside the world", gallery(aoi="10,80,20,100"), ("area of interest", "90")),
    Case("area: metres without a coordinate system", gallery(aoi="500000,7870000,501000,7871000"), ("area of interest",)),
    Case("area: layer that the file does not have", gallery(aoi="layers.gpkg", aoi_layer="harbour"), ("harbour", "layers.gpkg", "town")),
    Case("area: several layers with polygons and none chosen", gallery(aoi="layers.gpkg"), ("layers.gpkg", "town", "fields")),
    # Grid
    Case("grid: more points than fit", geolocate(V, aoi="0,0,5,5", resolution_m="1"), ("1 m", "points")),
    Case("grid: more points than fit, to be written", gallery(aoi="0,0,20,20", resolution_m="20"), ("20 m", "points")),
    Case("grid: resolution 0", geolocate(V, resolution_m="0"), ("--resolution-m", "0")),
    Case("grid: resolution below zero", gallery(resolution_m="-10"), ("-10",)),
    Case("grid: resolution that is a word", geolocate(V, resolution_m="fine"), ("--resolution-m", "fine"), cold=True),
    Case("grid: unknown kind", gallery(grid="hexagons"), ("hexagons",)),
    Case("grid: the paper's grid over an area too large for it", geolocate(V, aoi="0,0,20,20", grid="latlon"), ("latlon", "equal-earth")),
    # Heat map
    Case("heat map: an output that is no GeoTIFF", heatmap(V, output="found.png"), ("found.png", ".tif")),
    Case("heat map: too many cells", heatmap(V, cell_m="0.1"), ("0.1 m", "--cell-m")),
    Case("heat map: an area too large", heatmap(V, aoi="0,0,20,20"), ("heat map", "smaller area")),
    Case("heat map: bands of an unknown kind", heatmap(V, bands="seconds"), ("bands", "seconds")),
    Case("heat map: a map's system that is unknown", heatmap(V, crs="EPSG:999999"), ("EPSG:999999",)),
    # Checkpoint and device
    Case("checkpoint: no such folder", geolocate(V, checkpoint="absent"), ("absent",)),
    Case("checkpoint: an empty folder", geolocate(V, checkpoint="notes"), ("notes",)),
    Case("checkpoint: a pickle (.pth)", geolocate(V, checkpoint="pickled.pth"), ("pickled.pth", "pickle")),
    Case("checkpoint: a pickle named .safetensors", geolocate(V, checkpoint="disguised.safetensors"), ("disguised.safetensors", "pickle")),
    Case("checkpoint: one bit of the weights flipped", geolocate(V, checkpoint="flipped"), ("flipped", "SHA-256")),
    Case("checkpoint: weights cut off", geolocate(V, checkpoint="cut"), ("cut",)),
    Case("checkpoint: a tensor missing", geolocate(V, checkpoint="lacking"), ("lacking", "logit_scale")),
    Case("checkpoint: config.json is no JSON", geolocate(V, checkpoint="bad-json"), ("bad-json", "JSON")),
    Case("checkpoint: config.json with impossible sizes", geolocate(V, checkpoint="bad-sizes"), ("bad-sizes",)),
    Case("checkpoint: calibration with a negative temperature", geolocate(V, checkpoint="bad-calibration"), ("calibration", "temperature")),
    Case("checkpoint: safetensors of another program", geolocate(V, checkpoint="foreign.safetensors"), ("foreign.safetensors",)),
    Case("checkpoint: a preset that has no weights", geolocate(V, checkpoint="vidtag-l14"), ("vidtag-l14",)),
    Case("checkpoint: a Hub id, offline", geolocate(V, checkpoint="nobody/nothing"), ("nobody/nothing",)),
    Case("checkpoint: geoclip without CLIP's weights, offline", geolocate(V, checkpoint="geoclip"), ("CLIP",)),
    Case("device: cuda on a machine without", geolocate(V, device="cuda"), ("cuda",)),
    Case("device: unknown", geolocate(V, device="toaster"), ("toaster",)),
    # Outputs
    Case("output: not .gpkg", geolocate(V, output="found.shp"), ("found.shp", ".gpkg")),
    Case("output: in a folder that is not there", geolocate(V, output="absent/found.gpkg"), ("absent",)),
    Case("output: a folder", geolocate(V, output="folder.gpkg"), ("folder.gpkg",)),
    Case("output: in a folder that cannot be written to", geolocate(V, output="disk/found.gpkg"), ("disk",), READ_ONLY),
    Case("output: no room on the disk", geolocate(V, output="disk/found.gpkg"), ("found.gpkg", "full"), FULL),
    Case("output: larger than a file may be", geolocate(V, output="found.gpkg"), ("found.gpkg", "full"), SMALL_FILES),
    Case("output: of other settings, without --overwrite", geolocate(V, output="result.gpkg", fps="2"), ("result.gpkg", "--overwrite")),
    Case("output: somebody else's GeoPackage", geolocate(V, output="layers.gpkg"), ("layers.gpkg", "--overwrite")),
    Case("output: KML in a folder that is not there", geolocate(V, kml="absent/found.kml"), ("found.kml", "absent")),
    Case("output: map with a suffix that is no picture", geolocate(V, map="map.doc"), ("map.doc",)),
    Case("output: grid in a folder that is not there", gallery(output="absent/grid.gpkg"), ("absent",)),
    Case("output: grid, no room on the disk", gallery(output="disk/grid.gpkg", resolution_m="2"), ("grid.gpkg",), FULL),
    # Evaluation
    Case("evaluate: no such result", evaluate("absent.gpkg"), ("absent.gpkg",), cold=True),
    Case("evaluate: result is no GeoPackage", evaluate("text.gpkg"), ("text.gpkg",)),
    Case("evaluate: result is another program's", evaluate("layers.gpkg"), ("layers.gpkg",)),
    Case("evaluate: no such truth", evaluate("result.gpkg", truth="absent.gpx"), ("absent.gpx",)),
    Case("evaluate: truth of another time", evaluate("result.gpkg", truth="elsewhen.gpx"), ("result.gpkg", "track")),
    Case("evaluate: truth is a video without positions", evaluate("result.gpkg", truth=V), (V,)),
    Case("evaluate: CSV without coordinates", evaluate("result.gpkg", truth="no-places.csv"), ("no-places.csv", "lat")),
    Case("evaluate: a video that is not in the result", evaluate("result.gpkg", video="other.mp4"), ("other.mp4", V)),
    Case("evaluate: map in a folder that is not there", evaluate("result.gpkg", map="absent/map.png"), ("map.png", "absent")),
    # Training
    Case("train: nothing to train on", train(video=None, truth=None), ("--video",)),
    Case("train: no such video", train(video="absent.mp4"), ("absent.mp4",)),
    Case("train: video without a track", train(video="lonely/lonely.mp4", truth=None), ("lonely.mp4",)),
    Case("train: two tracks for one video", (*train(), "--truth", "elsewhen.gpx"), ("2 tracks", "1 video")),
    Case("train: no such track", train(truth="absent.gpx"), ("absent.gpx",)),
    Case("train: track without a fix", train(truth="no-fixes.gpx"), ("no-fixes.gpx",)),
    Case("train: damaged GPX", train(truth="damaged.gpx"), ("damaged.gpx",)),
    Case("train: track without times", train(truth="no-times.gpx"), ("no-times.gpx",)),
    Case("train: track of another time", train(truth="elsewhen.gpx"), ("track",)),
    Case("train: a folder of pictures without positions", train(video=None, truth=None, images="pictures"), ("pictures",)),
    Case("train: unknown preset", train(preset="vidtag-huge"), ("vidtag-huge",)),
    Case("train: unknown sigma", train(sigma="village"), ("village",)),
    Case("train: unknown recipe", train(recipe="cake"), ("cake",)),
    Case("train: fewer than no steps", train(phase1_steps="-1"), ("steps", "-1")),
    Case("train: resolution 0", train(resolution_m="0"), ("--resolution-m", "0")),
    Case("train: output is a file", train(output="text.mp4"), ("text.mp4",)),
    Case("train: output cannot be written to", train(output="disk/learned"), ("disk",), READ_ONLY),
    # Words
    Case("an option that does not exist", (*geolocate(V), "--bitrate", "5"), ("--bitrate", "--help")),
    Case("the area not given", gallery(aoi=None), ("--aoi",)),
    Case("a command that does not exist", ("locate", V), ("locate",)),
)


def make_inputs(folder: Path, seed: int = 0) -> None:
    """Fill the working folder: good inputs to compare with, and every broken one."""
    for name in ("notes", "pictures", "rotten-pictures", "lonely", "folder.gpkg", "disk"):
        (folder / name).mkdir()
    (folder / "notes" / "note.txt").write_text("Nothing to see here.\n", encoding="utf-8")
    _make_videos(folder, np.random.default_rng(seed))
    _make_tracks(folder)
    _make_areas(folder)
    _make_checkpoints(folder, seed)


def _make_videos(folder: Path, rng: np.random.Generator) -> None:
    from PIL import Image

    ground = np.kron(rng.integers(0, 255, (24, 24, 3), dtype=np.uint8), np.ones((16, 16, 1), np.uint8))
    good = folder / "drive.mp4"
    with av.open(str(good), "w") as container:
        container.metadata["creation_time"] = f"{START}Z"
        stream = container.add_stream("libx264", rate=1, options={"crf": "10"})
        stream.width = stream.height = 160
        stream.pix_fmt = "yuv420p"
        for step in range(SECONDS):
            picture = np.ascontiguousarray(ground[20 * step : 20 * step + 160, :160])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            Image.fromarray(picture).save(folder / "pictures" / f"{step}.jpg")
            (folder / "rotten-pictures" / f"{step}.jpg").write_bytes(b"\xff\xd8" + rng.bytes(500))
        container.mux(stream.encode(None))
    data = good.read_bytes()
    shutil.copy(good, folder / "lonely" / "lonely.mp4")
    (folder / "text.mp4").write_text("This is no video, whatever its name says.\n" * 50, encoding="utf-8")
    (folder / "empty.mp4").write_bytes(b"")
    start = data.index(b"mdat")
    length = int.from_bytes(data[start - 4 : start], "big")
    (folder / "cut.mp4").write_bytes(data[: start + length // 2])
    (folder / "rotten.mp4").write_bytes(data[: start + 4] + rng.bytes(length - 8) + data[start - 4 + length :])
    with av.open(str(folder / "sound.mp4"), "w") as container:
        audio = container.add_stream("aac", rate=44100, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44100
        container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    with av.open(str(folder / "no-frames.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=1)
        stream.width = stream.height = 160
        stream.pix_fmt = "yuv420p"
        container.start_encoding()


def _make_tracks(folder: Path) -> None:
    def gpx(year: int, *, times: bool = True) -> str:
        points = "".join(
            f'<trkpt lat="{-19.218 + 0.0002 * second}" lon="159.932">'
            + (f"<time>{year}{START[4:-1]}{second}Z</time>" if times else "")
            + "</trkpt>"
            for second in range(SECONDS)
        )
        return f'<gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>{points}</trkseg></trk></gpx>'

    texts = {
        "drive.gpx": gpx(2026),
        "elsewhen.gpx": gpx(2019),
        "no-times.gpx": gpx(2026, times=False),
        "damaged.gpx": gpx(2026)[:-60],
        "no-fixes.gpx": '<gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg/></trk></gpx>',
        "no-places.csv": "time,speed\n2026-05-01T12:00:00Z,4\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def _make_areas(folder: Path) -> None:
    import geopandas
    import shapely

    field = shapely.box(WEST, SOUTH, EAST, NORTH)
    polygon = json.dumps(
        {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": field.__geo_interface__}]}
    )
    (folder / "damaged.geojson").write_text(polygon[: len(polygon) // 2], encoding="utf-8")
    (folder / "no-features.geojson").write_text('{"type": "FeatureCollection", "features": []}', encoding="utf-8")
    geopandas.GeoSeries([field.centroid], crs="EPSG:4326").to_file(folder / "points.geojson")
    for layer in ("town", "fields"):
        geopandas.GeoSeries([field], crs="EPSG:4326").to_file(folder / "layers.gpkg", layer=layer)
    (folder / "text.gpkg").write_text("This is no GeoPackage.\n" * 100, encoding="utf-8")
    with sqlite3.connect(folder / "layers.gpkg") as database:
        database.execute("PRAGMA journal_mode=DELETE")


def _make_checkpoints(folder: Path, seed: int) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    from vidtag_engine.models import VidTAG, VidTAGConfig
    from vidtag_engine.models.checkpoint import CheckpointCard, save_pretrained, tensors_sha256

    torch.manual_seed(seed)
    tiny = folder / "tiny"
    save_pretrained(VidTAG(VidTAGConfig.preset("vidtag-compact", sigma="site")), tiny, CheckpointCard("tiny", "vidtag-compact"))
    config = json.loads((tiny / "config.json").read_text(encoding="utf-8"))
    weights = (tiny / "model.safetensors").read_bytes()
    tensors = load_file(tiny / "model.safetensors")

    def broken(name: str, *, card: str | None = None, data: bytes = weights) -> Path:
        (folder / name).mkdir()
        (folder / name / "config.json").write_text(card or json.dumps(config), encoding="utf-8")
        (folder / name / "model.safetensors").write_bytes(data)
        return folder / name

    broken("flipped", data=weights[:-5] + bytes([weights[-5] ^ 1]) + weights[-4:])
    broken("cut", data=weights[: len(weights) // 2])
    broken("bad-json", card=json.dumps(config)[:-40])
    sizes = {**config["config"], "frame_mlp": {"width": -1}, "feature_dim": -1}
    broken("bad-sizes", card=json.dumps({**config, "config": sizes}))
    broken("bad-calibration", card=json.dumps({**config, "calibration": {"temperature": -1.0, "similarity": "phase1", "n_frames": 1}}))
    left = {name: value for name, value in tensors.items() if name != "logit_scale"}
    lacking = broken("lacking", card=json.dumps({**config, "sha256": tensors_sha256(left)}))
    save_file(left, lacking / "model.safetensors")
    save_file({"a": torch.zeros(3)}, folder / "foreign.safetensors")
    torch.save({"a": torch.zeros(3)}, folder / "pickled.pth")
    shutil.copy(folder / "pickled.pth", folder / "disguised.safetensors")
