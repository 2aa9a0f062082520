"""How long the fit of a checkpoint's confidence takes, and what comes out, beside an earlier build: the same made videos, each fit in a process of its own."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidtag_engine.types import FloatArray, InputError

from .isles_world import ROOT

_TIMES = 3
_SIDE = 72  # places
_SPACING_M = 100.0
_VIDEOS = 40  # of which every third went where the checkpoint saw nothing
_WIDTH = 256  # of embeddings
_REMEMBERED = 3000  # frames
_REACH_M = 200.0
_WAVE_M = 2500.0  # over which looks vary
_METRE_DEG = 111_195.0
_LEAST = 1e-6  # of numbers' differences: those below count as much as it
_ONCE = Path(__file__).with_name("fit_once.py")


def fit_beside(before: Path, seed: int = 0) -> dict[str, Any]:
    """``fit_ratio`` (median seconds of the fit, this build's over the earlier one's, in turns) and ``fit_difference`` (the greatest of the fitted numbers).

    Args:
        before: a checkout of the earlier build.
        seed: of the videos.
    """
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "videos.npz"
        np.savez(path, **made_videos(seed))  # type: ignore[arg-type]  # its stubs take the names for flags
        turns = [[_once(root, path) for root in (ROOT, before.resolve())] for _ in range(_TIMES)]
    new_s, before_s = np.median([[one["fit_s"] for one in turn] for turn in turns], axis=0).tolist()
    return {
        "fit_ratio": round(new_s / before_s, 4),
        "fit_s": round(new_s, 2),
        "fit_before_s": round(before_s, 2),
        "fit_difference": max(difference(turn[0]["fitted"], turn[1]["fitted"]) for turn in turns),
        "fit_videos": _VIDEOS,
    }


def _once(root: Path, path: Path) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", _ONCE.read_text(), str(path)], cwd=root, env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise InputError(f"The build in {root} cannot fit the made videos: what it says stands above; compare with a build that can.")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def difference(one: Any, other: Any) -> float:
    """The greatest relative difference of two trees' numbers; infinite where they differ otherwise. Names that only one of them has are not compared."""
    if isinstance(one, dict) and isinstance(other, dict):
        return max((difference(one[name], other[name]) for name in one.keys() & other.keys()), default=0.0)
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return max(map(difference, one, other), default=0.0)
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) / max(abs(one), abs(other), _LEAST)
    return 0.0 if one == other else math.inf


def made_videos(seed: int) -> dict[str, NDArray[Any]]:
    """Drives over an even cover whose looks vary smoothly and come back, seen through each drive's light and each frame's noise; some streets are remembered."""
    rng = np.random.default_rng(seed)
    lat = 47.0 + np.arange(_SIDE) * _SPACING_M / _METRE_DEG
    east = (np.arange(_SIDE) - _SIDE / 2) * _SPACING_M / _METRE_DEG
    places = np.stack([np.repeat(lat, _SIDE), (east / np.cos(np.radians(lat))[:, None]).ravel()], axis=1)
    scale = np.array([_METRE_DEG, _METRE_DEG * math.cos(math.radians(float(lat.mean())))])
    flat_m = (places - [47.0, 0.0]) * scale
    waves = rng.normal(size=(2, _WIDTH // 2)) * 2 * np.pi / _WAVE_M
    steps = rng.choice([1.0, 2.0], _VIDEOS)
    frames, unseen = rng.integers(20, 41, _VIDEOS), np.arange(_VIDEOS) % 3 == 2
    ways = [_way(rng, int(count), step, flat_m) for count, step in zip(frames, steps, strict=True)]
    near = [way + rng.normal(0, 10.0, way.shape) for way, hidden in zip(ways, unseen, strict=True) if not hidden]
    remembered_m = np.concatenate([*near, rng.uniform(flat_m.min(axis=0), flat_m.max(axis=0), (_REMEMBERED, 2))])[:_REMEMBERED]
    looks = rng.normal(size=(_REMEMBERED, _WIDTH)) / math.sqrt(_WIDTH)
    pairs = np.argwhere(((flat_m[:, None] - remembered_m) ** 2).sum(axis=2) < _REACH_M**2)
    known, first = np.unique(pairs[:, 0], return_index=True)
    nearest = [((way[:, None] - remembered_m) ** 2).sum(axis=2).argmin(axis=1) for way in ways]
    noise = 1.0 / math.sqrt(_WIDTH)
    embedded = [_looks(way, waves) + rng.normal(0, 3.0 * noise, _WIDTH) for way in ways]
    shown = [rng.uniform(0.0, 0.0 if hidden else 1.0, (len(way), 1)) for way, hidden in zip(ways, unseen, strict=True)]
    return {
        "places": places,
        "spacing_m": np.array(_SPACING_M),
        "temperature": np.array(0.05),
        "speed_mps": np.array(10.0),
        "frames": frames,
        "unseen": unseen,
        "time_s": np.concatenate([np.arange(count) * step for count, step in zip(frames, steps, strict=True)]),
        "truth": np.concatenate(ways) / scale + [47.0, 0.0],
        "embeddings": _unit(_looks(flat_m, waves)),
        "queries": _unit(np.concatenate(embedded) + rng.normal(0, 9.0 * noise, (frames.sum(), _WIDTH))),
        "remembered": _unit(looks),
        "looks": _unit(np.concatenate([show * looks[at] for show, at in zip(shown, nearest, strict=True)]) + rng.normal(0, noise, (frames.sum(), _WIDTH))),
        "known": known,
        "first": first,
        "column": pairs[:, 1],
    }  # fmt: skip


def _way(rng: np.random.Generator, frames: int, step_s: float, flat_m: FloatArray) -> FloatArray:
    """(T, 2) metres north and east, turned back at the edges."""
    heading = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.15, frames))
    moved = np.cumsum(rng.uniform(6.0, 14.0) * step_s * np.stack([np.cos(heading), np.sin(heading)], axis=1), axis=0)
    low, wide = flat_m.min(axis=0), np.ptp(flat_m, axis=0)
    over = (rng.uniform(0, 1, 2) * wide + moved) % (2 * wide)
    result: FloatArray = low + np.minimum(over, 2 * wide - over)
    return result


def _looks(flat_m: FloatArray, waves: FloatArray) -> FloatArray:
    phase = flat_m @ waves
    return np.concatenate([np.sin(phase), np.cos(phase)], axis=1) / math.sqrt(waves.shape[1])


def _unit(rows: FloatArray) -> FloatArray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
