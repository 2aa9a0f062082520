"""Which city a video was taken in, from its features: ranked places at four levels, how sure to be of them, and whether it is any of them at all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from scipy.special import stdtr
from torch import Tensor

from ..models.city_net import CityNet
from ..models.city_table import CityTable
from ..models.cityguessr import frames_of_video, product_log_probabilities
from ..trajectory.novelty import NoveltyDetector
from ..types import FloatArray

CLIP_FRAMES, EVERY = 16, 5  # published
_MOST_FRAMES = 4096  # of one video at once
_RARE = 0.02  # p-value below which a video counts as foreign: drives of known isles (tuning seed) raised 2 % false alarms
_FLOOR = 1e-9


@dataclass(frozen=True)
class ForeignDetector:
    """Tells videos of places that were not trained on.

    Two distances are looked at: how novel the frames are (:class:`.NoveltyDetector`), and how far the video lies from every known place along the axes that tell
    known places apart (linear discriminant analysis). Either alone misses whole isles that the other one sees.

    Args:
        novelty: of the frames.
        axes: (K, D) discriminant axes of videos' mean features.
        centres: (P, K) of the places along them.
        usual: (2, 2) mean and deviation of the logarithms of both distances among held-out videos.
        spread: deviation of the sum of both, so standardised, among them.
        videos: held out.
    """

    novelty: NoveltyDetector
    axes: FloatArray
    centres: FloatArray
    usual: FloatArray
    spread: float
    videos: int

    def distances(self, features: FloatArray) -> FloatArray:
        """(2,) logarithms of both distances of one video's features (T, D)."""
        along = np.asarray(features, dtype=np.float32).mean(axis=0) @ self.axes.T
        nearest = float(np.square(along - self.centres).sum(axis=1).min())
        return np.log(np.maximum([self.novelty.novelty_score(features), nearest], _FLOOR))

    def p_value(self, features: FloatArray) -> float:
        """Share of new videos of known places that are expected to lie as far away or farther, by Student's prediction of the next one."""
        return float(self.p_values(self.distances(features)[None])[0])

    def p_values(self, distances: FloatArray) -> FloatArray:
        """The same of many videos' distances (V, 2)."""
        total = ((distances - self.usual[0]) / self.usual[1]).sum(axis=1)
        tail: FloatArray = stdtr(self.videos - 1, -total / (self.spread * math.sqrt(1.0 + 1.0 / self.videos)))
        return tail

    def to_dict(self) -> dict[str, Any]:
        """JSON values, but for the arrays."""
        return {"usual": self.usual.tolist(), "spread": self.spread, "videos": self.videos}

    def arrays(self) -> dict[str, FloatArray]:
        """The arrays, by name: float32, and what the novelty detector keeps as float16."""
        known = self.novelty
        own = {"axes": self.axes, "centres": self.centres}
        half = {"mean": known.mean, "novelty_axes": known.axes, "novelty_centres": known.centres}
        return {name: np.asarray(a, np.float32) for name, a in own.items()} | {name: np.asarray(a, np.float16) for name, a in half.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], arrays: Mapping[str, FloatArray]) -> ForeignDetector:
        """Read what ``to_dict`` and ``arrays`` gave."""
        mean, axes, centres = (np.asarray(arrays[name], np.float32) for name in ("mean", "novelty_axes", "novelty_centres"))
        usual = np.asarray(values["usual"], dtype=np.float64).reshape(2, 2)
        novelty = NoveltyDetector(mean, axes, centres, np.zeros(0))
        return cls(
            novelty, np.asarray(arrays["axes"]), np.asarray(arrays["centres"]), usual, float(values["spread"]), int(values["videos"])
        )


@dataclass(frozen=True)
class CityCalibration:
    """What held-out videos say of a checkpoint's scores.

    Args:
        temperature: that scores are divided by.
        videos: held out; 0 where it was not fitted, and no probability is shown.
        foreign: tells other places; None where that cannot be told.
        ece, brier: of the best city's probability on the same videos; NaN where not fitted.
    """

    temperature: float = 1.0
    videos: int = 0
    foreign: ForeignDetector | None = None
    ece: float = math.nan
    brier: float = math.nan

    @property
    def fitted(self) -> bool:
        """Whether probabilities may be shown."""
        return self.videos > 0

    def log_probabilities(self, scores: Tensor) -> Tensor:
        """(V, C) scores of cities to log probabilities. V held-out videos cannot speak of less than one in V + 2, which is shared by all cities."""
        probability = (scores / self.temperature).softmax(dim=1)
        if not self.fitted:
            return probability.log()
        share = 1.0 / (self.videos + 2.0)
        return ((1.0 - share) * probability + share / scores.shape[1]).log()

    def arrays(self) -> dict[str, FloatArray]:
        """What is too large for JSON."""
        return self.foreign.arrays() if self.foreign else {}

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; NaN becomes None."""
        numbers = {name: (value if math.isfinite(value := getattr(self, name)) else None) for name in ("ece", "brier")}
        foreign = self.foreign.to_dict() if self.foreign else None
        return {"temperature": self.temperature, "videos": self.videos, "foreign": foreign, **numbers}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], arrays: Mapping[str, FloatArray]) -> CityCalibration:
        """Read what ``to_dict`` wrote, with the foreign detector's arrays; an empty one is not fitted."""
        foreign = ForeignDetector.from_dict(values["foreign"], arrays) if values.get("foreign") else None
        ece, brier = (math.nan if values.get(name) is None else float(values[name]) for name in ("ece", "brier"))
        return cls(float(values.get("temperature", 1.0)), int(values.get("videos", 0)), foreign, ece, brier)


@dataclass(frozen=True)
class GuessedPlace:
    """A place that a video may be of.

    Args:
        level: 0 city, 1 state, 2 country, 3 continent.
        label: its number in the table.
        rank: from 1 on, within its level.
        names: of it and of what it lies in, the finest first.
        probability: that the video was taken there; NaN where that cannot be told, as of a video that is of no known city.
    """

    level: int
    label: int
    rank: int
    names: tuple[str, ...]
    probability: float


@dataclass(frozen=True)
class CityGuess:
    """What is known of one video's city.

    Args:
        table: of the cities.
        log_probability: (cities,) that add up to one; a ranking alone where ``rated`` is False.
        rated: whether they are probabilities.
        foreign_p: share of videos of known places that are as foreign; NaN where that cannot be told.
        why: no answer is given, and why; empty where one is.
    """

    table: CityTable
    log_probability: FloatArray
    rated: bool
    foreign_p: float = math.nan
    why: str = ""
    frames: int = field(default=0, compare=False)

    def level(self, level: int) -> FloatArray:
        """(labels,) probabilities of a level: the sums over their cities."""
        sums = np.bincount(self.table.chains[:, level], np.exp(self.log_probability), self.table.counts[level])
        return np.minimum(sums, 1.0)  # no rounding makes a probability of more

    def places(self, level: int, most: int = 5) -> list[GuessedPlace]:
        """The likeliest places of a level, best first."""
        shares, told = self.level(level), self.rated and not self.why  # of a foreign video nothing is calibrated
        order = np.argsort(-shares, kind="stable")[:most]
        found = []
        for rank, label in enumerate(order, 1):
            city = int(np.flatnonzero(self.table.chains[:, level] == label)[0])
            names = self.table.chain_names(city)[level:]
            found.append(GuessedPlace(level, int(label), rank, names, float(shares[label]) if told else math.nan))
        return found

    def smallest_set(self, mass: float = 0.9, most: int = 5) -> list[int]:
        """The fewest cities that hold a mass, likeliest first; never more than ``most``."""
        order = np.argsort(-self.log_probability, kind="stable")
        held = np.cumsum(np.exp(self.log_probability[order]))
        return [int(city) for city in order[: min(most, int(np.searchsorted(held, mass - 1e-12)) + 1)]]


class CityGuesser:
    """A checkpoint ready to guess.

    Args:
        net: on its device.
        table: of its cities.
        calibration: of its scores.
    """

    def __init__(self, net: CityNet, table: CityTable, calibration: CityCalibration) -> None:
        self.net, self.table, self.calibration = net.eval(), table, calibration
        self.device = next(net.parameters()).device

    @torch.inference_mode()
    def scores(self, videos: Sequence[Tensor]) -> Tensor:
        """(V, cities) on the CPU: each city's log probability times those of all that it lies in, which is better calibrated than the city's head alone.

        Args:
            videos: (T, D) features of each, or clips (N, 16, 3, 224, 224) of pictures for VideoMAE-S, whose answers' logarithms are averaged.
        """
        rows = []
        hierarchy = self.table.hierarchy
        for video in videos:
            pictures = self.net.config.encoder == "videomae-s"
            thinned = video if pictures else video[:: -(-len(video) // _MOST_FRAMES)][None].float()
            output = self.net(thinned.to(self.device))
            found = product_log_probabilities([one.float().cpu() for one in output.scores], hierarchy)
            rows.append(found.mean(dim=0))
        return torch.stack(rows)

    def guess(self, video: Tensor, features: FloatArray | None = None) -> CityGuess:
        """Guess one video.

        Args:
            video: as one of :meth:`scores`.
            features: (T, D) that the foreign detector looks at; None: ``video`` itself.
        """
        log_probability = self.calibration.log_probabilities(self.scores([video]).double())[0].numpy()
        foreign, p_value = self.calibration.foreign, math.nan
        seen = video.float().numpy() if features is None else features
        if foreign is not None and self.net.config.encoder != "videomae-s":
            p_value = foreign.p_value(seen)
        why = ""
        if p_value < _RARE:
            share = "less than 0.01" if p_value < 1e-4 else f"{100 * p_value:.2g}"
            why = f"None of the {len(self.table)} cities that this checkpoint knows: of their videos {share} % look so foreign."
        return CityGuess(self.table, log_probability, self.calibration.fitted, p_value, why, len(video))


def clips_of(count: int, most: int = 8) -> list[list[int]]:
    """Which frames VideoMAE-S sees of a video of so many: clips of sixteen, every fifth frame, side by side in time, at most so many evenly out of all."""
    span = CLIP_FRAMES * EVERY
    starts = list(range(0, max(1, count - span + 1), span))
    chosen = [starts[round(place)] for place in np.linspace(0, len(starts) - 1, min(most, len(starts)))]
    return [[min(start + number, count - 1) for number in frames_of_video(min(span, count), EVERY, CLIP_FRAMES)] for start in chosen]
