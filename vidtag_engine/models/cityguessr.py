"""CityGuessr: city, state, country and continent of a whole video (Kulkarni, Nayak and Shah, ECCV 2024).

Four heads on a video's feature, a self-cross attention over their joined scores, and two small networks that read a scene and a text out of it, which only training
asks for. The encoder before it is a plug: VideoMAE-S (:mod:`.videomae`), or the frozen frame features that VidTAG has anyway.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

from ..settings import Parts

SCENES = 16
_ATTENTION_WIDTH, _ATTENTION_HEADS = 6, 2
_SCENE_WIDTHS, _TEXT_WIDTH = (256, 128, 64, 32, 16), 466

Mode = Literal["independent", "codependent", "product"]
"""How labels of the four levels are told from the scores; see :func:`labels_of`."""


class CityGuessrConfig(BaseModel):
    """The network's shape.

    Args:
        counts: labels of city, state, country and continent.
        feature_dim: width D of a video's feature.
        text_dim: width of the text target; the last layer of the text network is as wide.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    counts: tuple[int, int, int, int]
    feature_dim: int = Field(384, ge=1)
    text_dim: int = Field(512, ge=1)


@dataclass(frozen=True)
class CityGuessrOutput:
    """What it makes of B videos.

    Args:
        scores: (B, labels) of each of the four levels, before softmax.
        scene: (B, 16) before softmax.
        text: (B, text_dim), compared by its cosine.
    """

    scores: tuple[Tensor, Tensor, Tensor, Tensor]
    scene: Tensor
    text: Tensor


class SelfCrossAttention(nn.Module):
    """Attention among the scores of all levels: each score is a token of one number.

    Query, key and value are linear in it, 6 wide, and go through multi-head attention (2 heads, with projections of its own) and back to one number. There is no
    residual, no norm and no position: tokens differ by their value alone, so equal scores get equal answers.
    """

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(1, _ATTENTION_WIDTH) for _ in range(3))
        self.attention = nn.MultiheadAttention(_ATTENTION_WIDTH, _ATTENTION_HEADS, batch_first=True)
        self.back = nn.Linear(_ATTENTION_WIDTH, 1)

    def forward(self, scores: Tensor) -> Tensor:
        """(B, N) scores to (B, N)."""
        tokens = scores[:, :, None]
        mixed, _ = self.attention(self.query(tokens), self.key(tokens), self.value(tokens), need_weights=False)
        return self.back(mixed)[:, :, 0]


class CityGuessr(nn.Module):
    """See the module.

    Args:
        config: of its shape.
    """

    def __init__(self, config: CityGuessrConfig) -> None:
        super().__init__()
        self.config = config
        joined = sum(config.counts)
        self.heads = nn.ModuleList(nn.Linear(config.feature_dim, count) for count in config.counts)
        self.attention = SelfCrossAttention()
        self.scene = _perceptron((joined, *_SCENE_WIDTHS, SCENES))
        self.text = _perceptron((joined, _TEXT_WIDTH, config.text_dim))

    def forward(self, features: Tensor) -> CityGuessrOutput:
        """Videos' features (B, D) to their scores."""
        city, state, country, continent = (head(features) for head in self.heads)
        scores = (city, state, country, continent)
        attended = self.attention(torch.cat(scores, dim=1))
        return CityGuessrOutput(scores, self.scene(attended), self.text(attended))


def _perceptron(widths: Sequence[int]) -> nn.Sequential:
    """Linear layers with ReLU between them."""
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def cityguessr_loss(
    output: CityGuessrOutput,
    labels: Tensor,
    scene: Tensor | None,
    text: Tensor | None,
    *,
    parts: Parts = "full",
    text_reduction: Literal["sum", "mean"] = "sum",
) -> Tensor:
    """Cross-entropy of the four levels and of the scene, less the cosine of the text with its target; all weigh one.

    Args:
        output: of B videos.
        labels: (B, 4) numbers of city, state, country and continent; below 0 where a level is not known, which then has no loss.
        scene: (B, 16) soft scene labels; None where there are none: its loss is off.
        text: (B, text_dim) targets; None where there are none.
        parts: which losses count.
        text_reduction: of the cosines over the batch. ``sum`` is the published one: at the published batch of 12 the text weighs twelve times what a mean would.

    Returns:
        The loss, one number.
    """
    known = [labels[:, level] >= 0 for level in range(len(output.scores))]
    parts_of = zip(output.scores, labels.unbind(dim=1), known, strict=True)
    total = sum(
        (functional.cross_entropy(one[there], label[there]) for one, label, there in parts_of if bool(there.any())),
        output.scores[0].sum() * 0.0,
    )
    if scene is not None and parts in {"sca", "full"}:
        total = total + functional.cross_entropy(output.scene, scene)
    if text is not None and parts in {"sca_text", "full"}:
        cosines = functional.cosine_similarity(output.text, text, dim=1)
        total = total - (cosines.sum() if text_reduction == "sum" else cosines.mean())
    return total


@dataclass(frozen=True)
class Hierarchy:
    """What lies in what.

    Args:
        state_of_city, country_of_state, continent_of_country: the parent's number of each label.
    """

    state_of_city: Tensor
    country_of_state: Tensor
    continent_of_country: Tensor

    @classmethod
    def of(cls, *parents: Sequence[int]) -> Hierarchy:
        """From three lists of numbers, in the order of the fields."""
        return cls(*(torch.tensor(list(one), dtype=torch.int64) for one in parents))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {name: getattr(self, name).tolist() for name in ("state_of_city", "country_of_state", "continent_of_country")}

    def chain(self, cities: Tensor) -> Tensor:
        """(B,) cities to (B, 4) labels of all levels."""
        states = self.state_of_city[cities]
        countries = self.country_of_state[states]
        return torch.stack([cities, states, countries, self.continent_of_country[countries]], dim=1)


def labels_of(scores: Sequence[Tensor], hierarchy: Hierarchy, mode: Mode = "codependent") -> Tensor:
    """(B, 4) labels of B videos.

    Args:
        scores: (B, labels) of each level.
        hierarchy: of the labels.
        mode: ``independent``: the best of each level by itself. ``codependent`` (published): the best city, and what it lies in. ``product``: the city whose own
            probability times those of all that it lies in is highest, and what it lies in.
    """
    if mode == "independent":
        return torch.stack([one.argmax(dim=1) for one in scores], dim=1)
    if mode == "codependent":
        return hierarchy.chain(scores[0].argmax(dim=1))
    return hierarchy.chain(product_log_probabilities(scores, hierarchy).argmax(dim=1))


def product_log_probabilities(scores: Sequence[Tensor], hierarchy: Hierarchy) -> Tensor:
    """(B, cities): the sum over the levels of a city's and its parents' log probabilities, normalised over the cities."""
    chains = hierarchy.chain(torch.arange(scores[0].shape[1], device=scores[0].device))
    total = torch.stack([one.log_softmax(dim=1)[:, chains[:, level]] for level, one in enumerate(scores)]).sum(dim=0)
    return total.log_softmax(dim=1)


def frames_of_video(count: int, every: int = 5, wanted: int = 16) -> list[int]:
    """Which of a video's frames, in the order of time, are read: every fifth from the first on, sixteen of them (published).

    Where there are fewer, the last ones are read again, so that the number stays. The published code sorts frames by name (1, 10, 100, 11, …) and so reads them in
    another order than that of time; here it is that of time.

    Args:
        count: frames that there are, at the data set's rate; at least one.
        every: step.
        wanted: frames.

    Raises:
        ValueError: there is no frame.
    """
    if count < 1:
        raise ValueError("a video without a frame")
    return [min(number * every, count - 1) for number in range(wanted)]
