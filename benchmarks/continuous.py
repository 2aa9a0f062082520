"""Picks between grid points: a coarse grid with --continuous against a plain one ten times as fine.

Of two picks whose cosines differ in the fifth digit either may lie nearer to the true place, and medians of a few hundred frames swing by some percent. So the
medians come with the interval of their difference over the same frames, drawn again (``difference_m``: 95 %, coarse less fine), and with what the search
itself is asked for: ``cosine_not_lower``, the share of frames whose pick scores at least as high as the fine grid's.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch

from vidtag_engine.geodesy import geodesic_m
from vidtag_engine.grid import load_aoi, make_grid
from vidtag_engine.models.checkpoint import from_pretrained
from vidtag_engine.search import Smoothness, between_points, measure_smoothness, search_over
from vidtag_engine.search.embedder import Embedder

from .search import SITE, noisy_frames

TITLE = "Picks between grid points: a 1 km grid with --continuous against a plain 0.1 km grid (simulated frames), and the demo's checkpoint in the same ratio"
# Checkpoint, area, coarse step, fine step. The demo's encoder is smooth over some 80 m: one coarse grid below that, one above.
_CASES = {
    "geoclip": ("geoclip", "2.20,48.75,2.47,48.93", 1000.0, 100.0),
    "site_80m": (SITE, "159.9168,-19.2293,159.9358,-19.2113", 80.0, 8.0),
    "site_250m": (SITE, "159.9168,-19.2293,159.9358,-19.2113", 250.0, 25.0),
}
_FRAMES = {"geoclip": 600, "site_80m": 300, "site_250m": 300}
_DRAWN, _SAME = 1000, 1e-6
_CANDIDATES = 512


def run(seed: int = 0) -> dict[str, Any]:
    """Median distance from the true places, both ways; the keys without a case are GeoCLIP's."""
    cases = {name: _case(*case, _FRAMES[name], seed) for name, case in _CASES.items()}
    return {key: cases["geoclip"][key] for key in ("coarse_median_m", "fine_median_m", "difference_m", "cosine_not_lower")} | cases


def _case(checkpoint: str, text: str, coarse_m: float, fine_m: float, frames: int, seed: int) -> dict[str, Any]:
    aoi, device = load_aoi(text), torch.device("cpu")
    model, card = from_pretrained(checkpoint)
    smoothness = Smoothness.from_dict(card.smoothness) if card.smoothness else None
    queries, true = noisy_frames(Embedder(model, device), aoi, frames, seed)
    result: dict[str, Any] = {"frames": frames, "smooth_length_m": measure_smoothness(model, aoi.bounds).length_m}
    away_m: dict[str, np.ndarray] = {}
    cosine: dict[str, np.ndarray] = {}
    for name, step_m in (("coarse", coarse_m), ("fine", fine_m)):
        search = search_over(model, make_grid(aoi, step_m), aoi, device, weights_sha256=card.sha256, smoothness=smoothness)
        search.prepare()
        began = time.perf_counter()
        found = search.top_k(queries, min(_CANDIDATES, search.grid.count))
        if name == "coarse":
            result["coarse_grid_median_m"] = float(np.median(geodesic_m(found.lat_deg[:, 0], found.lon_deg[:, 0], *true.T)))
            scores = found.score[:, 0]
            found = between_points(model, device, queries, found, step_m, aoi)
            result["mean_cosine_gained"] = float((found.score[:, 0] - scores).mean())
        result[f"{name}_s"] = time.perf_counter() - began
        away_m[name], cosine[name] = geodesic_m(found.lat_deg[:, 0], found.lon_deg[:, 0], *true.T), found.score[:, 0]
        result[f"{name}_median_m"] = float(np.median(away_m[name]))
        result[f"{name}_mean_cosine"] = float(found.score[:, 0].mean())
    result["difference_m"] = _interval(away_m["coarse"], away_m["fine"], seed)
    result["cosine_not_lower"] = float((cosine["coarse"] >= cosine["fine"] - _SAME).mean())
    return result


def _interval(one: np.ndarray, other: np.ndarray, seed: int) -> list[float]:
    """95 % of the difference of two medians, frames (T,) drawn again in pairs."""
    drawn = np.random.default_rng(seed).integers(0, len(one), (_DRAWN, len(one)))
    difference = np.median(one[drawn], axis=1) - np.median(other[drawn], axis=1)
    return [round(float(value), 2) for value in np.quantile(difference, (0.025, 0.975))]
