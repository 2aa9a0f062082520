"""Coarse-to-fine search: how few points it embeds, how long it takes, and whether it finds what the exhaustive float64 search finds."""

from __future__ import annotations

import math
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vidtag_engine.geodesy import EARTH_RADIUS_M, geodesic_m
from vidtag_engine.grid import AreaOfInterest, Grid, load_aoi, make_grid
from vidtag_engine.models.checkpoint import from_pretrained
from vidtag_engine.search.climb import dots
from vidtag_engine.search.coarse_to_fine import CoarseToFine
from vidtag_engine.search.embedder import Embedder

from . import search_page, search_peers

TITLE = "Coarse-to-fine search: points embedded, seconds, agreement with a float64 exhaustive oracle, growth, and FAISS beside it"
SITE = str(Path(__file__).resolve().parent.parent / "resources" / "demo" / "checkpoint")
CITY = "2.0,48.6,2.68,49.05"
# Checkpoint, area, resolution, frames: about 1 and 5 km with GeoCLIP, the demo's isle with its own checkpoint. 50 km: `_beside_faiss`.
_AGREEMENT = (
    ("geoclip", "2.30,48.85,2.3137,48.859", 10.0, 4000),
    ("geoclip", "2.30,48.80,2.368,48.845", 40.0, 3700),
    (SITE, "159.9168,-19.2293,159.9358,-19.2113", 10.0, 2000),
)
_CITY_RESOLUTION_M, _CITY_FRAMES = 125.0, 300
_RESOLUTIONS_M = (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0)
_AREAS_KM2 = (1.0, 10.0, 100.0, 1e3, 1e4, 1e5)
_NOISE = (0.3, 1.0, 2.0, 4.0)
_SIZE_FRAMES, _BLOCK = 60, 256
_UNSURE = 2e-5  # in cosine: points that float32 sees so near the best are compared in float64


def run(seed: int = 0, *, write_docs: bool = False) -> dict[str, Any]:
    """Size, agreement, FAISS and growth; ``write_docs`` writes the page and its two pictures."""
    result: dict[str, Any] = {}
    for name, checkpoint, text, resolution_m in (
        ("geoclip_50km_10m", "geoclip", CITY, 10.0),
        ("site_2km_2m", SITE, "159.9200,-19.2290,159.9390,-19.2110", 2.0),
    ):
        result[name] = _size(checkpoint, text, resolution_m, seed)
    peers, city = _beside_faiss(seed)
    agreed = [*(_agreement(*case, seed=seed) for case in _AGREEMENT), city]
    frames = sum(int(one["frames"]) for one in agreed)
    result["agreement"] = sum(one["agreeing"] for one in agreed) / frames
    result["agreement_frames"] = frames
    for key in ("worst_error_m", "worst_cosine_lost", "float32_error"):
        result[key] = max(one[key] for one in agreed)
    result["agreement_by_area"] = agreed
    result |= peers
    growth = [_size("geoclip", "2.25,48.80,2.386,48.89", step, seed) for step in _RESOLUTIONS_M]
    areas = [{"area_km2": area} | _size("geoclip", _square(area), 10.0, seed) for area in _AREAS_KM2]
    result["growth_exponent"] = _exponent(growth)
    result["area_growth_exponent"] = _exponent(areas)
    result["growth"], result["area_growth"] = growth, areas
    if write_docs:
        search_page.write(result)
    return result


def _exponent(growth: list[dict[str, float]]) -> float:
    """Seconds as a power of the number of grid points."""
    points, seconds = (np.log([one[key] for one in growth]) for key in ("points", "seconds"))
    return float(np.polyfit(points, seconds, 1)[0])


def _square(area_km2: float) -> str:
    """Bounds of a square about Paris."""
    half_deg = math.degrees(math.sqrt(area_km2) * 500.0 / EARTH_RADIUS_M)
    wide_deg = half_deg / math.cos(math.radians(48.8))
    return f"{2.3 - wide_deg},{48.8 - half_deg},{2.3 + wide_deg},{48.8 + half_deg}"


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


def noisy_frames(embed: Embedder, aoi: AreaOfInterest, number: int, seed: int) -> tuple[torch.Tensor, np.ndarray]:
    """Queries (T, E) from anywhere in an area, more and less noisy, and their true places (T, 2) degrees."""
    rng = np.random.default_rng(seed)
    west, south, east, north = aoi.bounds
    places = np.stack([rng.uniform(south, north, number), rng.uniform(west, east, number)], axis=1)
    return _queries(embed, places, rng.choice(_NOISE, number), seed), places


def _oracle(embed: Embedder, grid: Grid, queries: torch.Tensor, embeddings: torch.Tensor) -> tuple[np.ndarray, np.ndarray, float]:
    """Exhaustive search: numbers and float64 scores of the best points, and float32's error.

    Every point is compared in float32, and those within _UNSURE of a frame's best again in float64, embeddings included.
    """
    number, best, error = np.zeros(len(queries), np.int64), np.zeros(len(queries)), 0.0
    for begin in range(0, len(queries), _BLOCK):
        rows = slice(begin, begin + _BLOCK)
        score = queries[rows] @ embeddings.T
        frame, point = torch.nonzero(score >= score.amax(dim=1, keepdim=True) - _UNSURE, as_tuple=True)
        near, slot = np.unique(point.numpy(), return_inverse=True)
        exact = dots(queries[rows], frame.numpy(), embed(grid.at(near), double=True), slot[:, None])[:, 0]
        error = max(error, float(np.abs(exact - score[frame, point].numpy()).max()))
        order = np.lexsort((point.numpy(), -exact, frame.numpy()))
        _, first = np.unique(frame.numpy()[order], return_index=True)
        number[rows], best[rows] = point.numpy()[order[first]], exact[order[first]]
    return number, best, error


def _agreement(checkpoint: str, text: str, resolution_m: float, frames: int, *, seed: int) -> dict[str, float]:
    aoi = load_aoi(text)
    grid = make_grid(aoi, resolution_m)
    search, embed = _search(checkpoint, aoi, grid)
    queries, _ = noisy_frames(embed, aoi, frames, seed)
    number, best, error = _oracle(embed, grid, queries, torch.cat([embed(chunk) for chunk in grid.chunks()]))
    return _compared(search, embed, queries, number, best) | {"float32_error": error}


def _compared(search: CoarseToFine, embed: Embedder, queries: torch.Tensor, number: np.ndarray, best: np.ndarray) -> dict[str, float]:
    """What a search finds beside what the oracle found."""
    grid, found = search.grid, search.top_k(queries, 1)
    truth = grid.at(number)
    away = geodesic_m(truth[:, 0], truth[:, 1], found.lat_deg[:, 0], found.lon_deg[:, 0])
    own = (embed(grid.at(found.index[:, 0]), double=True) * queries.double()).sum(dim=1).numpy()
    return {
        "resolution_m": grid.resolution_m,
        "points": grid.count,
        "frames": len(queries),
        "agreeing": int((away <= 1.1 * grid.resolution_m).sum()),
        "worst_error_m": float(away.max()),
        "worst_cosine_lost": float((best - own).max()),
        "exhaustive": float(search.report.exhaustive),
    }


def _beside_faiss(
    seed: int, text: str = CITY, resolution_m: float = _CITY_RESOLUTION_M, frames: int = _CITY_FRAMES
) -> tuple[dict[str, float], dict[str, float]]:
    """FAISS and coarse-to-fine over one grid, and how coarse-to-fine agrees there."""
    aoi = load_aoi(text)
    grid = make_grid(aoi, resolution_m)
    search, embed = _search("geoclip", aoi, grid)
    queries, _ = noisy_frames(embed, aoi, frames, seed)
    began = time.perf_counter()
    embeddings = torch.cat([embed(chunk) for chunk in grid.chunks()])
    embed_s = time.perf_counter() - began
    number, best, error = _oracle(embed, grid, queries, embeddings)
    peers = search_peers.run(embeddings.numpy(), queries.numpy(), _SIZE_FRAMES, lambda found: _agreeing(grid, number, found))
    began = time.perf_counter()
    search.prepare()
    prepared = time.perf_counter()
    embedded = search.embedded
    search.top_k(queries[:_SIZE_FRAMES], 1)
    ours = {"ours_build_s": prepared - began, "ours_s": time.perf_counter() - prepared, "ours_embedded": search.embedded - embedded}
    ours |= {"ours_build_embedded": embedded, "ours_mb": embedded * embeddings.shape[1] * 4 / 1e6}
    compared = _compared(search, embed, queries, number, best) | {"float32_error": error}
    ours["ours_agreement"] = compared["agreeing"] / frames
    return {"peers_points": grid.count, "peers_embed_s": embed_s} | peers | ours, compared


def _agreeing(grid: Grid, number: np.ndarray, found: np.ndarray) -> float:
    """Share of picks within one step of the oracle's."""
    truth, place = grid.at(number), grid.at(found)
    return float((geodesic_m(*truth.T, *place.T) <= 1.1 * grid.resolution_m).mean())
