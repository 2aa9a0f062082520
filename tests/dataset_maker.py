"""Tiny copies of the paper's data sets as their archives unpack, written without the loaders' help; and stand-ins for the networks."""

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from PIL import Image

LAT0, LON0, SPAN = 52.30, 4.80, 0.2  # the square whose places colours stand for


def colour_of(lat: float, lon: float) -> tuple[int, int, int]:
    """Red says how far north, green how far east."""
    return round(255 * (lat - LAT0) / SPAN), round(255 * (lon - LON0) / SPAN), 128


def write_jpeg(path: Path, colour: tuple[int, int, int] = (90, 90, 90)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (32, 24), colour).save(path, quality=95)
    return path


def write_table(path: Path, header: list[str], rows: list[list], encoding: str = "utf-8") -> Path:
    """A table as pandas writes it: an index column without a name comes first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding=encoding) as handle:
        writer = csv.writer(handle)
        writer.writerow(["", *header])
        writer.writerows([number, *row] for number, row in enumerate(rows))
    return path


class MslsWriter:
    """Collects the images of a part (query or database) of a city and writes them."""

    def __init__(self, root: Path, city: str, part: str, top: str = "train_val") -> None:
        self.folder = root / top / city / part
        self.raw: list[list] = []
        self.info: list[list] = []

    def add(self, key, sequence, number, lat, lon, captured_at, *, file=True, raw=True) -> None:
        if raw:
            self.raw.append([key, lon, lat, 12.5, captured_at, False])
        self.info.append([key, sequence, number])
        if file:
            known = all(isinstance(value, float) for value in (lat, lon)) and LAT0 <= lat <= LAT0 + SPAN and LON0 <= lon <= LON0 + SPAN
            write_jpeg(self.folder / "images" / f"{key}.jpg", colour_of(lat, lon) if known else (90, 90, 90))

    def write(self, **options) -> None:
        write_table(self.folder / "raw.csv", ["key", "lon", "lat", "ca", "captured_at", "pano"], self.raw, **options)
        write_table(self.folder / "seq_info.csv", ["key", "sequence_key", "frame_number"], self.info, **options)


def write_msls(root: Path, cities: dict[str, tuple[float, float]], sequences: int, frames: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Whole cities without traps; half of the sequences in query. Returns the (T, 2) truth by "city/sequence"."""
    truth = {}
    for number, (city, (lat0, lon0)) in enumerate(cities.items()):
        rng = np.random.default_rng([seed, number])
        parts = {part: MslsWriter(root, city, part) for part in ("query", "database")}
        for count in range(sequences):
            key = f"seq{count:03d}"
            start, step = rng.uniform(0.03, 0.17, 2), rng.uniform(-5e-4, 5e-4, 2)
            places = np.round(np.array([lat0, lon0]) + start + step * np.arange(frames)[:, None], 7)
            truth[f"{city}/{key}"] = places
            for t, (lat, lon) in enumerate(places):
                part = parts["query" if count % 2 else "database"]
                part.add(f"{city}{count}x{t}", key, t, float(lat), float(lon), 1_409_056_938_000 + 1000 * t)
        for part in parts.values():
            part.write()
    return truth


def write_info(path: Path, **info) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(info), encoding="utf-8")
    return path


def fix(lat, lon, timestamp, speed=3.2) -> dict:
    return {"latitude": lat, "longitude": lon, "speed": speed, "course": -1, "timestamp": timestamp}


class ColourEncoder:
    """Stands in for the frame encoder: a picture's features are its mean colour."""

    backbone_names = ("colour",)
    weights_source = {"colour": "none"}  # noqa: RUF012
    feature_dim, layout_dim, local = 3, 0, None

    def __init__(self) -> None:
        self.encoded = 0

    def preprocess(self, image):
        return (image.reshape(-1, 3).mean(axis=0, dtype=np.float64).astype(np.float32) / 255,)

    def encode_prepared(self, prepared, batch_size=None, feedback=None):
        for (colour,) in prepared:
            self.encoded += 1
            yield colour[None]


def plane(lat_lon: np.ndarray) -> np.ndarray:
    """Unit vectors in which the nearest place has the highest cosine: the square around its middle, tilted up."""
    flat = (np.asarray(lat_lon, dtype=np.float64) - [LAT0 + SPAN / 2, LON0 + SPAN / 2]) / SPAN
    vectors = np.concatenate([flat, np.ones((len(flat), 1))], axis=1)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class ColourModel(torch.nn.Module):
    """Stands in for VidTAG: reads the place from the colour; its refiner gives each frame the embedding of the frame before, in its own video."""

    def __init__(self, *, refiner: bool = True) -> None:
        super().__init__()
        self.has_refiner = refiner
        self.config = SimpleNamespace(embedding_dim=3)
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.memory = None

    def embed_video(self, features):
        colour = features.double().numpy()
        places = np.stack([LAT0 + SPAN * colour[:, 0], LON0 + SPAN * colour[:, 1]], axis=1)
        return torch.from_numpy(plane(places)).float()

    def embed_locations(self, lat_lon_deg):
        return torch.from_numpy(plane(lat_lon_deg.numpy())).float()

    def video_context(self, features, frames):
        return frames

    def refine_video(self, gps, frames):
        return torch.cat([gps[:1], gps[:-1]])


def colour_checkpoint(*, refiner: bool = True, **metrics) -> SimpleNamespace:
    """What ``geolocate.load`` gives."""
    card = SimpleNamespace(name="colours", sha256="0" * 64, metrics=metrics)
    return SimpleNamespace(
        model=ColourModel(refiner=refiner), card=card, encoder=ColourEncoder(), device=torch.device("cpu"), references=""
    )
