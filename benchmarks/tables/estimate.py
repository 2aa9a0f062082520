"""How long the tables will take, said before they begin."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch

from ..isles_settings import Budget
from .runs import Run

# Seconds a step of 512 frames takes on one core of the reference machine (AVX2); measured.
_PHASE1_S = {"vidtag": 0.27, "geoclip": 0.17, "planet": 0.03, "isns": 0.06, "geodecoder": 0.8, "classification": 0.02}
_PHASE2_S, _SHIPPED_S, _NEGATIVES_S, _CAPSULE_S = 0.42, 1.1, 0.04, 0.03
_SETUP_S, _VALIDATION_S, _PLACING_S = 2.0, 0.8, 4.0
_RENDER_S, _ENCODE_S = 0.2, 0.08  # a frame; Table 6's other second encoder encodes all of them again
_MATRIX_S = 0.025  # that the reference core takes for a product of two 1024² matrices


def speed() -> float:
    """How much slower than the reference a core of this machine is."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        matrix = torch.randn(1024, 1024)
        matrix @ matrix
        started = time.process_time()
        for _ in range(4):
            matrix @ matrix
        return max(0.2, (time.process_time() - started) / 4 / _MATRIX_S)
    finally:
        torch.set_num_threads(threads)


def core_seconds(run: Run, budget: Budget) -> float:
    """Training and placing of a run on the reference core."""
    settings = run.settings(budget)
    frames = settings.phase1.batch_clips * settings.clip_frames / 512
    step = _PHASE1_S[run.method] + _SHIPPED_S * run.shipped_location
    if run.method == "vidtag":
        sigma = settings.sigma
        step += _CAPSULE_S * (len(sigma) - 3 if not isinstance(sigma, str) else 0) + _NEGATIVES_S * settings.negatives / 512
    second = settings.phase2.steps * _PHASE2_S if run.method == "vidtag" and run.refiner else 0.0
    validations = settings.phase1.steps / settings.validate_every
    return frames * (settings.phase1.steps * step + second) + validations * _VALIDATION_S + _SETUP_S + _PLACING_S


def world_core_seconds(frames: int, *, rendered: bool, encoded: bool) -> float:
    """Making a world and its features on the reference core, where they are not there yet."""
    return frames * (_RENDER_S * (not rendered) + 2 * _ENCODE_S * (not encoded))


def minutes(weights: Sequence[float]) -> float:
    """Of core seconds on this machine; two threads do not do twice as much."""
    threads = torch.get_num_threads()
    return sum(weights) * speed() / (threads**0.8) / 60
