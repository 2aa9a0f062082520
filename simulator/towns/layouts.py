"""A drive's files: video and GPX, pictures as in MSLS, pictures as in CityGuessr68k, and the tables that go with them.

Every picture is rendered once; videos and both kinds of pictures come from it. A drive's record (``.json``) is written last: where it
lies, the drive is whole.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pyproj import Transformer

from ..streets import Floats
from ..write import receiver_error_m, replace_file, replace_text, write_gpx, write_video
from .builder import TownBuilder
from .drives import TownDrive
from .isles import WORLD_ISLES
from .labels import Geography, city_of, scene_shares, text_vector

LAYOUTS = ("videos", "msls", "cityguessr")
# Where MSLS keeps a split: the part of the data set, and whether its pictures are queries or the database.
MSLS_PLACES = {
    "train": ("train_val", "database"),
    "val": ("train_val", "query"),
    "test": ("test", "query"),
    "test_unseen": ("test", "database"),
}


def truth_of(builder: TownBuilder, drive: TownDrive) -> Floats:
    """WGS 84 position (n, 2) of every picture: exact, but for training drives, whose receivers wander."""
    xy = drive.position_m
    if drive.split == "train":
        xy = xy + receiver_error_m(len(xy), drive.traffic_seed, builder.config.gps_noise_m)
    return builder.network.to_lat_lon(xy)


def record_of(builder: TownBuilder, drive: TownDrive) -> dict[str, Any]:
    """All that the tables need to know of a drive."""
    geography, town, conditions = Geography(), builder.town, drive.conditions
    city = city_of(builder, drive.position_m)
    truth, exact = truth_of(builder, drive), builder.network.to_lat_lon(drive.position_m)
    return {
        "name": drive.name, "split": drive.split, "isle": town.name, "video": f"{drive.split}/{drive.name}.mp4", "truth": f"{drive.split}/{drive.name}.gpx",
        "start_time": drive.start_time.isoformat().replace("+00:00", "Z"), "frame_rate_hz": drive.frame_rate_hz, "frames": len(drive.time_s),
        "length_m": round(drive.length_m, 1), "route": list(drive.route), "window_m": list(drive.window_m),
        "city": city, "state": town.state, "country": town.country, "continent": town.continent, "labels": list(geography.labels(town, city)),
        "scenes": [round(float(share), 5) for share in scene_shares(builder, drive.position_m)],
        "weather": conditions.weather, "falling": round(conditions.falling, 3), "snow": round(conditions.season.snow, 3),
        "sun_elevation_deg": round(drive.light.sun_elevation_deg, 2), "traffic_seed": drive.traffic_seed,
        "lat_lon": [[round(float(lat), 8), round(float(lon), 8)] for lat, lon in truth],
        "exact_lat_lon": [[round(float(lat), 8), round(float(lon), 8)] for lat, lon in exact],
        "heading_deg": [round(float(value), 2) for value in drive.heading_deg],
    }  # fmt: skip


def record_path(output: Path, drive: TownDrive) -> Path:
    """Where a drive's record lies."""
    return output / drive.split / f"{drive.name}.json"


def write_drive(
    output: Path, builder: TownBuilder, drive: TownDrive, pictures: Iterable[NDArray[np.uint8]], layouts: Iterable[str]
) -> None:
    """Write all files of a drive; the record comes last."""
    folders = [of(output, drive) for layout, of in (("msls", msls_folder), ("cityguessr", cityguessr_folder)) if layout in layouts]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)

    def saved() -> Iterator[NDArray[np.uint8]]:
        for index, picture in enumerate(pictures):
            if folders:
                _save_pictures(picture, drive, index, folders)
            yield picture

    if "videos" in layouts:
        write_video(output / drive.split / f"{drive.name}.mp4", saved(), drive, crf=drive.crf)
    else:
        for _ in saved():
            pass
    heights = builder.network.terrain.height_m(drive.position_m)
    write_gpx(output / drive.split / f"{drive.name}.gpx", drive, truth_of(builder, drive), heights)
    text = json.dumps(record_of(builder, drive)) + "\n"
    replace_text(record_path(output, drive), text)


def msls_folder(output: Path, drive: TownDrive) -> Path:
    """Folder of a drive's pictures in MSLS's layout: an isle is a city."""
    part, kind = MSLS_PLACES[drive.split]
    return output / "msls" / part / drive.isle / kind / "images"


def cityguessr_folder(output: Path, drive: TownDrive) -> Path:
    """Folder of a drive's pictures in CityGuessr68k's layout."""
    return output / "cityguessr" / "frames" / drive.split / drive.name


def picture_key(name: str, index: int) -> str:
    """MSLS's key of a picture."""
    return f"{name}_{index:03d}"


def _save_pictures(picture: NDArray[np.uint8], drive: TownDrive, index: int, folders: list[Path]) -> None:
    """Encode once; the second place is a link to the same bytes where the disk allows it."""
    memory = BytesIO()
    Image.fromarray(picture).save(memory, "JPEG", quality=drive.jpeg_quality)
    paths = [
        folder / (f"{picture_key(drive.name, index)}.jpg" if folder.name == "images" else f"{index + 1:04d}.jpg") for folder in folders
    ]
    replace_file(paths[0], lambda part: part.write_bytes(memory.getvalue()))
    for path in paths[1:]:
        path.unlink(missing_ok=True)
        try:
            os.link(paths[0], path)
        except OSError:
            shutil.copyfile(paths[0], path)


def _table(path: Path, header: list[str], rows: list[list[Any]]) -> None:
    """A CSV with a running number in front, as pandas writes it."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["", *header])
    writer.writerows([[number, *row] for number, row in enumerate(rows)])
    replace_text(path, text.getvalue())


def write_msls_tables(output: Path, records: list[dict[str, Any]]) -> None:
    """``raw.csv``, ``seq_info.csv`` and ``postprocessed.csv`` of every folder."""
    places = sorted({(*MSLS_PLACES[record["split"]], record["isle"]) for record in records})
    for part, kind, isle in places:
        chosen = [record for record in records if (*MSLS_PLACES[record["split"]], record["isle"]) == (part, kind, isle)]
        to_metres = Transformer.from_crs("EPSG:4326", _metric_crs(chosen[0]), always_xy=True)
        raw, sequence, processed = [], [], []
        clusters: dict[tuple[int, int], int] = {}
        for record in chosen:
            start_ms = round(np.datetime64(record["start_time"].rstrip("Z")).astype("datetime64[ms]").astype(np.int64))
            for index, ((lat, lon), heading) in enumerate(zip(record["lat_lon"], record["heading_deg"], strict=True)):
                key = picture_key(record["name"], index)
                east, north = to_metres.transform(lon, lat)
                cell = (int(east // 25), int(north // 25))
                raw.append([key, f"{lon:.8f}", f"{lat:.8f}", heading, int(start_ms + 1000 * index / record["frame_rate_hz"]), False])
                sequence.append([key, record["name"], index])
                processed.append([key, f"{east:.3f}", f"{north:.3f}", clusters.setdefault(cell, len(clusters)), False, False, "Forward"])
        folder = output / "msls" / part / isle / kind
        _table(folder / "raw.csv", ["key", "lon", "lat", "ca", "captured_at", "pano"], raw)
        _table(folder / "seq_info.csv", ["key", "sequence_key", "frame_number"], sequence)
        _table(
            folder / "postprocessed.csv",
            ["key", "easting", "northing", "unique_cluster", "control_panel", "night", "view_direction"],
            processed,
        )


def _metric_crs(record: dict[str, Any]) -> str:
    """Metres for an isle: its UTM zone, by the isle's centre so that all its pictures share one."""
    isle = WORLD_ISLES[record["isle"]]
    zone = min(60, int((isle.longitude_deg + 180) // 6) + 1)
    return f"EPSG:{32600 + zone if isle.latitude_deg >= 0 else 32700 + zone}"


def write_cityguessr_tables(output: Path, records: list[dict[str, Any]]) -> None:
    """A text file a split, and who belongs to whom."""
    folder = output / "cityguessr"
    for split in sorted({record["split"] for record in records}):
        lines = []
        for record in (record for record in records if record["split"] == split):
            text = text_vector(", ".join(record[level] for level in ("city", "state", "country", "continent")))
            numbers = [*(f"{value:.6f}" for value in text), *(f"{value:.5f}" for value in record["scenes"])]
            lines.append(",".join([f"frames/{split}/{record['name']}", *map(str, record["labels"]), *numbers]))
        replace_text(folder / f"{split}.txt", "\n".join(lines) + "\n")
    geography = Geography()
    for name, content in (("hierarchy_mappings.json", geography.mappings()), ("names.json", geography.names())):
        replace_text(folder / name, json.dumps(content, indent=1) + "\n")
