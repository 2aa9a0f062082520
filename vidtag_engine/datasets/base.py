"""What every data set answers: its splits, its galleries (App. D), and what it left out."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from ..grid import AreaOfInterest, Grid, points_grid
from ..types import FloatArray, InputError
from .regions import PADDING_DEG, Region, area_of, regions_grid, training_regions
from .sequences import LabelledSequence, PlaceLabels, Skips
from .tables import check_root

GALLERIES = ("grid", "validation", "training", "centres")


@dataclass(frozen=True)
class PaperSettings:
    """How the paper trained and evaluated on a data set (App. A, D.1).

    Args:
        resolution_m: step of the gallery's grid.
        epochs, decay: of Phase I; Phase II has 100 epochs and 0.95 everywhere.
        rate_hz: frames a second taken from videos.
    """

    resolution_m: float
    epochs: int
    decay: float
    rate_hz: float = 1.0


@dataclass(frozen=True)
class City:
    """A city's centre and what it lies in."""

    labels: PlaceLabels
    lat_deg: float
    lon_deg: float


class Dataset(ABC):
    """A data set on disk. Nothing is read before it is asked for, and everything only once.

    Args:
        root: the folder it was unpacked to.
        seed: of the splits that are made here.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    splits: ClassVar[tuple[str, ...]] = ("train", "val")
    paper: ClassVar[PaperSettings]
    default_gallery: ClassVar[str] = "grid"

    def __init__(self, root: Path | str, *, seed: int = 0) -> None:
        self.root, self.seed = Path(root), seed
        self.report = Skips()
        self._read: dict[str, list[LabelledSequence]] = {}
        self._regions: list[Region] | None = None
        check_root(self.root, self.title)

    @property
    def cities(self) -> tuple[City, ...]:
        """The cities that frames are placed in, where a data set knows no finer places; else none."""
        return ()

    @abstractmethod
    def _read_split(self, split: str) -> dict[str, list[LabelledSequence]]:
        """Read a split, and whatever others come with it: sequences by split. What is left out is counted in ``report``."""

    def sequences(self, split: str) -> list[LabelledSequence]:
        """The sequences of a split, in a fixed order.

        Raises:
            InputError: there is no such split, or nothing in it can be used; the sentence says what was missing.
        """
        if split not in self.splits:
            raise InputError(f"{self.title} has no split {split!r}: choose one of {', '.join(self.splits)}.")
        if split not in self._read:
            self._read |= self._read_split(split)
        if not self._read[split]:
            why = " ".join(self.report.lines()) or "Nothing was found."
            raise InputError(
                f"The split {split} of {self.title} in {self.root} holds no usable sequence: {why} Check that it was unpacked whole."
            )
        return self._read[split]

    def regions(self) -> list[Region]:
        """Padded boxes around the training data (App. D.1, steps 1 to 3), none of which overlap."""
        if self._regions is None:
            self._regions, outliers = training_regions(self.sequences("train"), PADDING_DEG)
            self.report.add(
                "training positions far from any sizable group, left out of the gallery's area", "App. D.1 skips outliers", outliers
            )
        return self._regions

    def area(self) -> AreaOfInterest:
        """All regions as one area of many parts, to train on."""
        return area_of(self.regions())

    def gallery(self, kind: str | None = None, *, resolution_m: float | None = None, grid: str = "latlon") -> Grid:
        """The points to retrieve from.

        Args:
            kind: ``"grid"`` (App. D.1): every region of the training data filled evenly; ``"validation"`` (D.2): the very places of the
                validation frames; ``"training"``: those of the training frames; ``"centres"``: city centres (Sec. 5.3). None is the paper's choice.
            resolution_m: step of the grid; None is the paper's.
            grid: the paper's ``"latlon"``, or ``"equal-earth"``.

        Raises:
            InputError: no such gallery here, or bad data.
        """
        kind = kind or self.default_gallery
        if kind not in GALLERIES:
            raise InputError(f"There is no gallery {kind!r}: choose one of {', '.join(GALLERIES)}.")
        if kind == "grid":
            return regions_grid(self.regions(), resolution_m or self.paper.resolution_m, grid)
        if kind == "centres":
            return self._centres()
        return points_grid(places_of(self.sequences("val" if kind == "validation" else "train")))

    def _centres(self) -> Grid:
        if not self.cities:
            raise InputError(
                f"{self.title} has frames with positions and no city centres: choose the gallery grid, validation or training."
            )
        return points_grid(np.array([[city.lat_deg, city.lon_deg] for city in self.cities]))

    def training_grid(self) -> Grid | None:
        """Points that training validates against where that is no grid over ``area``; else None."""
        return None


def places_of(sequences: list[LabelledSequence]) -> FloatArray:
    """All places of all sequences, (N, 2) lat, lon in degrees."""
    return np.concatenate([sequence.lat_lon_deg for sequence in sequences])


def split_within(sequences: list[LabelledSequence], fraction: float, seed: int) -> tuple[list[LabelledSequence], list[LabelledSequence]]:
    """Split into training and validation by whole sequences, within each region.

    Each region draws from its own random stream, so that adding or leaving out a region changes no other.

    Args:
        sequences: all of them.
        fraction: of each region's sequences for validation; at least one of two or more.
        seed: the same seed gives the same split.
    """
    by_region: dict[str, list[LabelledSequence]] = {}
    for sequence in sorted(sequences, key=lambda s: s.name):
        by_region.setdefault(sequence.region, []).append(sequence)
    training: list[LabelledSequence] = []
    validation: list[LabelledSequence] = []
    for region, members in sorted(by_region.items()):
        rng = np.random.default_rng([seed, zlib.crc32(region.encode())])
        count = min(max(1, round(fraction * len(members))), len(members) - 1)
        held = set(rng.permutation(len(members))[:count].tolist())
        for number, sequence in enumerate(members):
            (validation if number in held else training).append(sequence)
    return training, validation
