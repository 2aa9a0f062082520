"""The paper's data sets as they lie on disk, with its splits (Sec. 4.1) and galleries (App. D). A new one is a file here and a line in DATASETS."""

from __future__ import annotations

from pathlib import Path

from ..types import LEVELS, InputError
from .base import GALLERIES, City, Dataset, PaperSettings
from .cityguessr68k import CityGuessr68k
from .gama import Gama
from .msls import Msls
from .sequences import LabelledSequence, PlaceLabels, Skips

DATASETS: dict[str, type[Dataset]] = {dataset.name: dataset for dataset in (Msls, Gama, CityGuessr68k)}


def open_dataset(name: str, root: Path | str, *, seed: int = 0) -> Dataset:
    """Open a data set by name; its files are read when its sequences are asked for.

    Args:
        name: of ``DATASETS``, in any case.
        root: the folder it was unpacked to.
        seed: of the splits that are made here (MSLS).

    Raises:
        InputError: no such data set, or nothing there.
    """
    chosen = DATASETS.get(name.lower())
    if chosen is None:
        raise InputError(f"There is no data set {name!r}: choose one of {', '.join(DATASETS)}.")
    return chosen(root, seed=seed)


__all__ = [
    "DATASETS",
    "GALLERIES",
    "LEVELS",
    "City",
    "CityGuessr68k",
    "Dataset",
    "Gama",
    "LabelledSequence",
    "Msls",
    "PaperSettings",
    "PlaceLabels",
    "Skips",
    "open_dataset",
]
