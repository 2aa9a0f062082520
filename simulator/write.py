"""Videos, truths and the manifest on disk. Every file is written beside its place and then moved there."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from shapely.geometry import mapping

from .config import DrivesConfig, RenderConfig
from .drives import Drive, parked_cars, plan_drives
from .render import Renderer
from .streets import Floats
from .world import World

LICENCE = "CC0-1.0"


def receiver_error_m(count: int, seed: int, spread_m: float) -> Floats:
    """A slowly wandering error (count, 2) of a satellite receiver, of standard deviation ``spread_m``."""
    rng = np.random.default_rng([seed, 2])
    white = rng.normal(size=(count + 40, 2))
    slow = gaussian_filter1d(white, 5.0, axis=0)[20:-20] * np.sqrt(2 * np.sqrt(np.pi) * 5.0)
    return spread_m * slow


def truth_lat_lon(world: World, drive: Drive, config: DrivesConfig) -> Floats:
    """WGS 84 position (n, 2) of every picture as its GPX says: exact, but for training drives, whose receivers wander."""
    xy = drive.position_m
    if drive.split == "train":
        xy = xy + receiver_error_m(len(xy), drive.traffic_seed, config.gps_noise_m)
    return world.network.to_lat_lon(xy)


def write_gpx(path: Path, drive: Drive, lat_lon_deg: Floats, height_m: Floats) -> None:
    """A track with a fix for every picture, times to the millisecond."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<gpx version="1.1" creator="Phantom Isles (simulated)" xmlns="http://www.topografix.com/GPX/1/1">',
        f"<trk><name>{drive.name}</name><trkseg>",
    ]
    for time_s, (lat, lon), height in zip(drive.time_s, lat_lon_deg, height_m, strict=True):
        stamp = (drive.start_time + timedelta(seconds=float(time_s))).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        lines.append(f'<trkpt lat="{lat:.8f}" lon="{lon:.8f}"><ele>{height:.2f}</ele><time>{stamp}</time></trkpt>')
    lines.append("</trkseg></trk></gpx>\n")
    replace_file(path, lambda part: part.write_text("\n".join(lines), encoding="utf-8"))


def write_video(path: Path, pictures: Iterable[NDArray[np.uint8]], drive: Drive, crf: int = 24) -> None:
    """H.264 in MP4; ``creation_time`` is the moment of the first picture."""

    def encode(part: Path) -> None:
        with av.open(str(part), "w", format="mp4") as container:
            container.metadata["creation_time"] = drive.start_time.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
            container.metadata["comment"] = "Simulated: Phantom Isles"
            stream: Any = None
            for picture in pictures:
                if stream is None:
                    stream = container.add_stream("libx264", rate=Fraction(drive.frame_rate_hz).limit_denominator(1000))
                    stream.height, stream.width, stream.pix_fmt = picture.shape[0], picture.shape[1], "yuv420p"
                    stream.options = {"crf": str(crf), "preset": "veryfast", "g": "10", "bf": "2"}
                    stream.codec_context.thread_count = 1
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())

    replace_file(path, encode)


def replace_file(path: Path, fill: Callable[[Path], Any]) -> None:
    """Let ``fill`` write a file beside ``path`` and then move it there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    fill(part)
    part.replace(path)


def replace_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    replace_file(path, lambda part: part.write_text(text, encoding="utf-8"))


def files_of(drive: Drive) -> tuple[str, str]:
    """Names of a drive's video and truth below the output folder."""
    return f"{drive.split}/{drive.name}.mp4", f"{drive.split}/{drive.name}.gpx"


def render_drive(renderer: Renderer, world: World, drive: Drive) -> Iterable[NDArray[np.uint8]]:
    """The pictures of a drive, one after the other."""
    renderer.set_light(drive.light, parked_cars(world, drive))
    rng = np.random.default_rng([drive.traffic_seed, 3])
    for view in drive.views(world.network):
        yield renderer.render(view, rng)


def manifest(world: World, drives: list[Drive], config: DrivesConfig, render: RenderConfig) -> dict[str, Any]:
    """What was made, from which settings (with their hash)."""
    settings = {name: dataclasses.asdict(part) for name, part in (("isle", world.config), ("drives", config), ("render", render))}
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
    rows = []
    for drive in drives:
        video, truth = files_of(drive)
        rows.append(
            {
                "name": drive.name,
                "split": drive.split,
                "video": video,
                "truth": truth,
                "start_time": drive.start_time.isoformat().replace("+00:00", "Z"),
                "frame_rate_hz": drive.frame_rate_hz,
                "frames": len(drive.time_s),
                "length_m": round(drive.length_m, 1),
                "lane_m": round(drive.lane_m, 2),
                "route": list(drive.route),
                "camera": dataclasses.asdict(drive.camera),
                "light": dataclasses.asdict(drive.light),
            }  # fmt: skip
        )
    return {"simulated": True, "licence": LICENCE, "seed": world.seed, "settings_sha256": digest, "settings": settings, "drives": rows}


def write_isle(
    output: Path, world: World, drives: DrivesConfig, render: RenderConfig, progress: Callable[[str], None] = print
) -> dict[str, Any]:
    """Render and write everything below ``output``; the manifest comes last. Returns it."""
    plans = plan_drives(world, drives, world.seed)
    area = {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "properties": {"name": world.config.name}, "geometry": mapping(world.area_of_interest())}],
    }
    replace_file(output / "aoi.geojson", lambda part: part.write_text(json.dumps(area, indent=1) + "\n", encoding="utf-8"))
    with Renderer(world, render) as renderer:
        for number, drive in enumerate(plans, 1):
            video, truth = files_of(drive)
            if (output / video).exists() and (output / truth).exists():
                continue  # of a run that was broken off: each file is written whole, the truth last
            write_video(output / video, render_drive(renderer, world, drive), drive, crf=26 if drive.name == "demo" else 24)
            heights = world.network.terrain.height_m(drive.position_m)
            write_gpx(output / truth, drive, truth_lat_lon(world, drive, drives), heights)
            progress(f"{number}/{len(plans)} {video}: {len(drive.time_s)} pictures, {drive.length_m:.0f} m")
    made = manifest(world, plans, drives, render)
    replace_file(output / "drives.json", lambda part: part.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8"))
    return made
