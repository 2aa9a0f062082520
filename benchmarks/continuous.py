"""Picks between grid points: a coarse grid with --continuous against a plain one ten times as fine."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch

from vidtag_engine.gallery import Smoothness, between_points, load_aoi, make_grid, measure_smoothness, search_over
from vidtag_engine.gallery.lattice import Embedder
from vidtag_engine.geodesy import geodesic_m
from vidtag_engine.models.checkpoint import from_pretrained

from .search import SITE, noisy_frames

TITLE = "Picks between grid points: a 1 km grid with --continuous against a plain 0.1 km grid (simulated frames), and the demo's checkpoint in the same ratio"
# Checkpoint, area, coarse step, fine step. The demo's encoder is smooth over some 80 m: one coarse grid below that, one above.
_CASES = {
    "geoclip": ("geoclip", "2.20,48.75,2.47,48.93", 1000.0, 100.0),
    "site_80m": (SITE, "159.9168,-19.2293,159.9358,-19.2113", 80.0, 8.0),
    "site_250m": (SITE, "159.9168,-19.2293,159.9358,-19.2113", 250.0, 25.0),
}
_FRAMES = 300
_CANDIDATES = 512


def run(seed: int = 0) -> dict[str, Any]:
    """Median distance from the true places, both ways; the keys without a case are GeoCLIP's."""
    cases = {name: _case(*case, seed) for name, case in _CASES.items()}
    return {key: cases["geoclip"][key] for key in ("coarse_median_m", "fine_median_m")} | cases


def _case(checkpoint: str, text: str, coarse_m: float, fine_m: float, seed: int) -> dict[str, float]:
    aoi, device = load_aoi(text), torch.device("cpu")
    model, card = from_pretrained(checkpoint)
    smoothness = Smoothness.from_dict(card.smoothness) if card.smoothness else None
    queries, true = noisy_frames(Embedder(model, device), aoi, _FRAMES, seed)
    result: dict[str, float] = {"smooth_length_m": measure_smoothness(model, aoi.bounds).length_m}
    for name, step_m in (("coarse", coarse_m), ("fine", fine_m)):
        search = search_over(model, make_grid(aoi, step_m), aoi, device, weights_sha256=card.sha256, smoothness=smoothness)
        search.prepare()
        began = time.perf_counter()
        found = search.top_k(queries, min(_CANDIDATES, search.grid.count))
        result[f"{name}_grid_median_m"] = _median_m(found.lat_deg[:, 0], found.lon_deg[:, 0], true)
        if name == "coarse":
            scores = found.score[:, 0]
            found = between_points(model, device, queries, found, step_m, aoi)
            result["mean_cosine_gained"] = float((found.score[:, 0] - scores).mean())
        result[f"{name}_s"] = time.perf_counter() - began
        result[f"{name}_median_m"] = _median_m(found.lat_deg[:, 0], found.lon_deg[:, 0], true)
        result[f"{name}_mean_cosine"] = float(found.score[:, 0].mean())
    del result["fine_grid_median_m"]
    return result


def _median_m(lat_deg: np.ndarray, lon_deg: np.ndarray, true: np.ndarray) -> float:
    return float(np.median(geodesic_m(lat_deg, lon_deg, *true.T)))
