"""What decides a training of CityGuessr."""

from __future__ import annotations

from typing import Any

from ..settings import CityTrainSettings, validated
from ..types import InputError

PAPER: dict[str, Any] = {
    "encoder": "videomae-s",
    "epochs": 12,
    "weight_decay": 0.0,
    "schedule": "constant",
    "dropout": 0.0,
    "drawn_clips": False,
    "rate_hz": 5.0,
}
"""What the published training does otherwise: VideoMAE-S, Adam at 1e-3, twelve epochs, the same sixteen frames in each."""


def city_recipe(name: str, **changes: Any) -> CityTrainSettings:
    """A recipe's settings, changed where asked: ``default`` or ``paper``.

    Raises:
        InputError: no such recipe, or a setting that cannot be.
    """
    if name not in {"default", "paper"}:
        raise InputError(f"Recipe {name!r} is unknown: use default or paper.")
    given = {key: value for key, value in changes.items() if value is not None}
    settings: CityTrainSettings = validated(CityTrainSettings, {**(PAPER if name == "paper" else {}), **given})
    return settings
