"""Coarse-to-fine search: how few points it embeds, how long it takes, and whether it finds what the exhaustive float64 search finds."""

from __future__ import annotations

import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vidtag_engine.gallery import AreaOfInterest, Grid, load_aoi, make_grid
from vidtag_engine.gallery.coarse_to_fine import CoarseToFine
from vidtag_engine.gallery.lattice import Embedder
from vidtag_engine.geodesy import geodesic_m
from vidtag_engine.models.checkpoint import from_pretrained

TITLE = "Coarse-to-fine search: points embedded, seconds, agreement with a float64 exhaustive oracle, growth with resolution"
SITE = str(Path(__file__).resolve().parent.parent / "resources" / "demo" / "checkpoint")
# Checkpoint, area, resolution: about 1, 5, 20 and 50 km with GeoCLIP, the demo's isle with its own checkpoint.
_AGREEMENT = (
    ("geoclip", "2.30,48.85,2.3137,48.859", 10.0),
    ("geoclip", "2.30,48.80,2.368,48.845", 40.0),
    ("geoclip", "2.20,48.75,2.47,48.93", 160.0),
    ("geoclip", "2.00,48.60,2.68,49.05", 400.0),
    (SITE, "159.9168,-19.2293,159.9358,-19.2113", 10.0),
)
_NOISE = (0.3, 1.0, 2.0, 4.0)
_FRAMES, _SIZE_FRAMES, _BLOCK = 2000, 60, 256


def run(seed: int = 0) -> dict[str, Any]:
    """Size, agreement and growth."""
    result: dict[str, Any] = {}
    for name, checkpoint, text, resolution_m in (
        ("geoclip_50km_10m", "geoclip", "2.0,48.6,2.68,49.05", 10.0),
        ("site_2km_2m", SITE, "159.9200,-19.2290,159.9390,-19.2110", 2.0),
    ):
        result[name] = _size(checkpoint, text, resolution_m, seed)
    agreed = [_agreement(*case, seed=seed) for case in _AGREEMENT]
    frames = sum(int(one["frames"]) for one in agreed)
    result["agreement"] = sum(one["agreeing"] for one in agreed) / frames
    result["agreement_frames"] = frames
    result["worst_error_m"] = max(one["worst_error_m"] for one in agreed)
    result["worst_cosine_lost"] = max(one["worst_cosine_lost"] for one in agreed)
    result["agreement_by_area"] = agreed
    steps = (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0)
    growth = [_size("geoclip", "2.25,48.80,2.386,48.89", step, seed) for step in steps]
    points, seconds = (np.log([one[key] for one in growth]) for key in ("points", "seconds"))
    result["growth_exponent"] = float(np.polyfit(points, seconds, 1)[0])
    result["growth"] = growth
    return result


def _queries(embed: Embedder, places: np.ndarray, noise: np.ndarray, seed: int) -> torch.Tensor:
    """(T, E) float32: embeddings of places with noise beside them, as frames have."""
    true = embed(places, double=True)
    extra = torch.from_numpy(np.random.default_rng(seed).normal(size=true.shape))
    extra *= torch.from_numpy(noise)[:, None] / extra.norm(dim=1, keepdim=True)
    return torch.nn.functional.normalize(true + extra, dim=1).float()


def _search(checkpoint: str, aoi: AreaOfInterest, grid: Grid) -> tuple[CoarseToFine, Embedder]:
    model, card = from_pretrained(checkpoint)
    return CoarseToFine(model, grid, aoi, "cpu", weights_sha256=card.sha256), Embedder(model, torch.device("cpu"))


def _size(checkpoint: str, text: str, resolution_m: float, seed: int) -> dict[str, float]:
    aoi = load_aoi(text)
    began = time.perf_counter()
    grid = make_grid(aoi, resolution_m)
    planned_s = time.perf_counter() - began
    place = grid.at(np.linspace(grid.count * 0.4, grid.count * 0.6, _SIZE_FRAMES).astype(np.int64))
    model, _ = from_pretrained(checkpoint)
    queries = _queries(Embedder(model, torch.device("cpu")), place, np.full(_SIZE_FRAMES, 1.5), seed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    search, _ = _search(checkpoint, aoi, grid)
    search.top_k(queries, 512)
    return {
        "points": grid.count,
        "embedded": search.embedded,
        "embedded_fraction": search.embedded / grid.count,
        "seconds": time.perf_counter() - began,
        "plan_seconds": planned_s,
        "extra_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
    }


def _agreement(checkpoint: str, text: str, resolution_m: float, *, seed: int) -> dict[str, float]:
    aoi = load_aoi(text)
    grid = make_grid(aoi, resolution_m)
    search, embed = _search(checkpoint, aoi, grid)
    rng = np.random.default_rng(seed)
    west, south, east, north = aoi.bounds
    places = np.stack([rng.uniform(south, north, _FRAMES), rng.uniform(west, east, _FRAMES)], axis=1)
    queries = _queries(embed, places, rng.choice(_NOISE, _FRAMES), seed)
    best, number = torch.full((_FRAMES,), -2.0, dtype=torch.float64), np.zeros(_FRAMES, dtype=np.int64)
    start = 0
    for chunk in grid.chunks(8192):
        embeddings = embed(chunk, double=True)
        for begin in range(0, _FRAMES, _BLOCK):
            rows = slice(begin, begin + _BLOCK)
            value, column = (queries[rows].double() @ embeddings.T).max(dim=1)
            higher = value > best[rows]
            number[rows] = np.where(higher.numpy(), column.numpy() + start, number[rows])
            best[rows] = torch.where(higher, value, best[rows])
        start += len(chunk)
    found = search.top_k(queries, 1)
    truth = grid.at(number)
    away = geodesic_m(truth[:, 0], truth[:, 1], found.lat_deg[:, 0], found.lon_deg[:, 0])
    own = (embed(grid.at(found.index[:, 0]), double=True) * queries.double()).sum(dim=1)
    return {
        "resolution_m": resolution_m,
        "points": grid.count,
        "frames": _FRAMES,
        "agreeing": int((away <= 1.1 * resolution_m).sum()),
        "worst_error_m": float(away.max()),
        "worst_cosine_lost": float((best - own).max()),
        "exhaustive": float(search.report.exhaustive),
    }
