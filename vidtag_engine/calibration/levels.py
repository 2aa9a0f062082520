"""How often city, state, country and continent of videos are right (CityGuessr, Table 1; VidTAG, Table 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..models.cityguessr import Hierarchy, Mode, labels_of
from ..types import LEVELS, IntArray

TOP = 5


@dataclass(frozen=True)
class LevelScores:
    """Per cent of the videos whose level is known.

    Args:
        top1: whose answer is right, by level, in the mode asked for.
        top5: whose label is among the five best of the level's own head, whatever the mode (published).
        videos: whose label is known, by level.
    """

    top1: dict[str, float]
    top5: dict[str, float]
    videos: dict[str, int]


def level_scores(scores: Sequence[Tensor], labels: IntArray, hierarchy: Hierarchy, mode: Mode = "codependent") -> LevelScores:
    """Judge the scores of V videos.

    Args:
        scores: (V, labels) of each level.
        labels: (V, 4) true labels; below 0 where a level is not known, which is then not judged.
        hierarchy: of the labels.
        mode: as :func:`.cityguessr.labels_of`.
    """
    said = labels_of(scores, hierarchy, mode).numpy()
    top1, top5, counts = {}, {}, {}
    for number, level in enumerate(LEVELS):
        known = labels[:, number] >= 0
        counts[level] = int(known.sum())
        if not known.any():
            top1[level] = top5[level] = float("nan")
            continue
        truth = labels[known, number]
        best = scores[number][torch.from_numpy(known)].topk(min(TOP, scores[number].shape[1]), dim=1).indices.numpy()
        top1[level] = 100.0 * float(np.mean(said[known, number] == truth))
        top5[level] = 100.0 * float(np.mean((best == truth[:, None]).any(axis=1)))
    return LevelScores(top1, top5, counts)
