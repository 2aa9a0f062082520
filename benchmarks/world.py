"""Search of the world's land without an area: how often the beam finds the winner, how long it takes, what its coarse gallery takes on disk.

A query is the embedding of a known place with noise beside it, as frames have. Half of the places lie anywhere on land, half where people take
pictures: near those of GeoCLIP's own gallery. Comparing every place of the world at 100 m cannot be done, so
the winner is the better of two: the highest peak within 6 km of the true place, and whatever the beam itself found. At a noise where
the true place is no longer the world's best, the first is only a lower bound; the exhaustive search of a smaller land is beside it.
"""

from __future__ import annotations

import math
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vidtag_engine.geodesy import geodesic_m
from vidtag_engine.grid import AreaOfInterest, area_without_aoi, load_aoi, make_grid
from vidtag_engine.grid.lattice import Lattice
from vidtag_engine.grid.wide_grid import WideGrid
from vidtag_engine.models.checkpoint import from_pretrained
from vidtag_engine.models.geoclip import geoclip_gallery
from vidtag_engine.search import EmbeddedGallery, top_k
from vidtag_engine.search.beam import BEAM, COARSE_POINTS, BeamSearch
from vidtag_engine.search.climb import Climbers, climb
from vidtag_engine.search.coarse import shifted
from vidtag_engine.types import FloatArray, IntArray

TITLE = "World search: recall of the beam by noise, seconds with and without the cached coarse gallery, its size"
RESOLUTION_M = 100.0
NOISES = (1.0, 2.0, 3.0)
FRAMES = 30  # a noise and a kind of place
_CALL = 30  # queries a call: as many as a video of half a minute has frames
_NEAR_M = 6_000.0
_SMALL, _SMALL_STEP_M = "-10,36,8,46", 4_000.0  # south-western Europe: exhaustive at 4 km, as the beam at 4 km


def run(seed: int = 0, *, quick: bool = False) -> dict[str, Any]:
    """All of it; ``quick`` with a coarse gallery of a fifth and fewer queries."""
    model, card = from_pretrained("geoclip")
    rng = np.random.default_rng(seed)
    pictures = geoclip_gallery()
    points = COARSE_POINTS // 5 if quick else COARSE_POINTS
    frames = 10 if quick else FRAMES
    land = area_without_aoi(None)
    result: dict[str, Any] = {"resolution_m": RESOLUTION_M, "beam": BEAM}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("seconds_first", "seconds_cached"):
            began = time.perf_counter()
            grid = WideGrid(RESOLUTION_M, land)
            search = BeamSearch(model, grid, "cpu", weights_sha256=card.sha256, coarse_points=points, cache_dir=Path(folder))
            search.prepare()
            result[name.replace("seconds", "prepare_seconds")] = time.perf_counter() - began
            query = _queries(search, _places(grid, "land", 30, rng, pictures), 1.5, seed)
            search.top_k(query, 512)
            result[name] = time.perf_counter() - began
        result["coarse_points"], result["coarse_step_km"] = search.coarse_points, search.coarse_step_m / 1000
        result["cache_mb"] = sum(file.stat().st_size for file in Path(folder).iterdir()) / 1e6
        result["recall_by_noise"] = {
            f"{kind} {noise:g}": _recall(search, _places(grid, kind, frames, rng, pictures), noise, seed)
            for kind in ("land", "pictures")
            for noise in NOISES
        }
    rows = list(result["recall_by_noise"].values())
    result["recall"] = float(np.mean([row["recall"] for row in rows]))
    result["recall_where_exhaustive"] = _small(model, card.sha256, seed, frames)
    return result


def _places(grid: WideGrid, kind: str, number: int, rng: np.random.Generator, pictures: FloatArray) -> FloatArray:
    """(n, 2) places on land (even by area), or within a kilometre of where pictures were taken."""
    if kind == "pictures":
        inside = pictures[grid.bounds.inside(pictures)]
        chosen: FloatArray = inside[rng.permutation(len(inside))[:number]] + rng.normal(0, 0.004, (number, 2))
        return chosen
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, 20 * number)))
    any_where = np.stack([lat, rng.uniform(-180, 180, 20 * number)], axis=1)
    return any_where[grid.bounds.inside(any_where)][:number]


def _queries(search: BeamSearch, places: FloatArray, noise: float, seed: int) -> torch.Tensor:
    true = search._embed(places, double=True)  # noqa: SLF001
    extra = torch.from_numpy(np.random.default_rng(seed).normal(size=true.shape))
    extra *= noise / extra.norm(dim=1, keepdim=True)
    return torch.nn.functional.normalize(true + extra, dim=1).float()


def _recall(search: BeamSearch, places: FloatArray, noise: float, seed: int) -> dict[str, float]:
    """Share of queries whose beam ends as high as the best place about the true one, and where."""
    queries = _queries(search, places, noise, seed)
    found = [search.top_k(part, 1) for part in queries.split(_CALL)]
    lat, lon, score = (np.concatenate([getattr(one, name)[:, 0] for one in found]) for name in ("lat_deg", "lon_deg", "score"))
    best = _best_near(search, places, queries)
    away = geodesic_m(lat, lon, places[:, 0], places[:, 1])
    return {
        "cosine": float((search._embed(places) * queries).sum(dim=1).mean()),  # noqa: SLF001
        "recall": float((score >= best - 1e-4).mean()),
        "within_1km": float((away <= 1000).mean()),
        "cosine_lost": float(np.maximum(best - score, 0).mean()),
    }


def _best_near(search: BeamSearch, places: FloatArray, queries: torch.Tensor) -> FloatArray:
    """(n,) the highest score within some 6 km of each place: every kilometre compared, then climbed from the best three."""
    reach = np.arange(-_NEAR_M, _NEAR_M + 1, 1000.0)
    offset = np.stack(np.meshgrid(reach, reach), axis=-1).reshape(-1, 2)
    around = search.grid.bounds.moved_in(shifted(np.repeat(places, len(offset), axis=0), np.tile(offset, (len(places), 1))))
    embedded = search._embed(around).reshape(len(places), len(offset), -1)  # noqa: SLF001
    score, column = torch.einsum("ne,nme->nm", queries, embedded).topk(3, dim=1)
    frame: IntArray = np.repeat(np.arange(len(places)), 3)
    start = around.reshape(len(places), -1, 2)[frame, column.numpy().ravel()]
    climbers = Climbers(frame, start, score.numpy().ravel().astype(float), score.numpy().ravel().astype(float))
    for step_m in (1000.0 / 3, RESOLUTION_M):
        climbers = climb(climbers, queries, Lattice(step_m, search.grid.bounds), search._embed, double=False)  # noqa: SLF001
    frame, _, found = search._settled(climbers, queries)  # noqa: SLF001
    best = np.full(len(places), -1.0)
    np.maximum.at(best, frame, found)
    return best


def _small(model: Any, sha256: str, seed: int, frames: int) -> dict[str, float]:
    """A land small enough to compare every point, searched by a beam as narrow beside it as the world's."""
    aoi = _on_land(load_aoi(_SMALL))
    grid = WideGrid(_SMALL_STEP_M, aoi)
    share = aoi.area_m2 / area_without_aoi(None).area_m2
    search = BeamSearch(
        model,
        grid,
        "cpu",
        weights_sha256=sha256,
        coarse_points=round(COARSE_POINTS * share),
        beam=[math.ceil(beam * share) for beam in BEAM],
    )
    gallery = EmbeddedGallery(model, make_grid(aoi, _SMALL_STEP_M), "cpu", weights_sha256=sha256, cache_dir=None, half=True)
    rng = np.random.default_rng(seed)
    every = gallery.grid.at(rng.integers(0, gallery.count, frames))
    said: dict[str, float] = {"points": gallery.count, "coarse_points": search.coarse_points}
    for noise in NOISES:
        queries = _queries(search, every, noise, seed)
        found, best = search.top_k(queries, 1).score[:, 0], top_k(queries, gallery, 1).score[:, 0]
        # The two grids' points lie apart: half a step between them costs some hundredths of the cosine.
        said[f"as high, noise {noise:g}"] = float((found >= 0.9 * best).mean())
    return said


def _on_land(aoi: AreaOfInterest) -> AreaOfInterest:
    import shapely

    return load_aoi(shapely.to_wkt(shapely.intersection(area_without_aoi(None).geometry, aoi.geometry), rounding_precision=-1))
