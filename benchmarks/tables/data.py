"""What a training sees of the world: its sequences, and the points that it validates on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch

from vidtag_engine.datasets.training_sequence import TrainingSequence
from vidtag_engine.training.settings import TrainSettings
from vidtag_engine.training.start import principal_start, start_projection
from vidtag_engine.types import FloatArray

from ..isles_settings import VALIDATION_RESOLUTION_M
from ..isles_world import Drive, IslesWorld, centres_grid, sequences_of

_START_FRAMES = 8000  # enough for the principal axes that the first layer starts from


@dataclass(frozen=True)
class RunData:
    """The part of a world that trainings with the same backbones, isle and target share.

    Args:
        world: seen through the run's backbones.
        isle: None for all.
        target: ``frames`` or ``cities``.
    """

    world: IslesWorld
    isle: str | None
    target: str

    @property
    def feature_dim(self) -> int:
        """Width of the features."""
        return sum(width for _, width in self.world.backbones)

    @cached_property
    def training(self) -> list[Drive]:
        """Training drives, with the run's targets as their places."""
        return self._targets(self.world.of("train", isle=self.isle))

    @cached_property
    def validation(self) -> list[Drive]:
        """Validation drives, likewise."""
        return self._targets(self.world.of("val", isle=self.isle))

    @cached_property
    def points(self) -> FloatArray:
        """(G, 2): what validation retrieves from."""
        cities = self.target == "cities"
        grid = centres_grid(self.world.cities(self.isle)) if cities else self.world.grid(VALIDATION_RESOLUTION_M, self.isle)
        return np.concatenate(list(grid.chunks()))

    @cached_property
    def _start(self) -> dict[tuple[int, str, int], tuple[dict[str, torch.Tensor], bool]]:
        return {}

    def start(self, layer: torch.nn.Linear, settings: TrainSettings) -> bool:
        """Start a first layer as training does, computed once for like rows; True where it is to stay so."""
        key = (layer.out_features, settings.whitening, settings.seed if settings.whitening == "places" else 0)
        if key not in self._start:
            sequences, stays = sequences_of(self.training), False
            if settings.whitening == "places":
                stays = start_projection(layer, sequences, settings)
            else:
                flat = np.concatenate([s.features[0] for s in sequences])
                principal_start(layer, flat[:: -(-len(flat) // _START_FRAMES)])
            self._start[key] = ({name: value.clone() for name, value in layer.state_dict().items()}, stays)
        state, stays = self._start[key]
        layer.load_state_dict(state)
        return stays

    def _targets(self, drives: Sequence[Drive]) -> list[Drive]:
        if self.target != "cities":
            return list(drives)
        centre = {city.labels: (city.lat_deg, city.lon_deg) for city in self.world.cities(self.isle)}
        return [replace(d, sequence=_at(d.sequence, centre[d.labels])) for d in drives if d.labels in centre]


def _at(sequence: TrainingSequence, place: tuple[float, float]) -> TrainingSequence:
    return replace(sequence, lat_lon_deg=np.tile(np.asarray(place), (len(sequence), 1)))
