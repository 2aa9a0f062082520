"""CityGuessr checkpoints: a folder with ``config.json`` (the card) and ``model.safetensors`` (the tensors), or that one file, which bears the card too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import TypeAdapter, ValidationError

from ..types import FloatArray, InputError
from .backbones import NoDraws
from .checkpoint import (
    CONFIG_FILE,
    METADATA_KEY,
    WEIGHTS_FILE,
    check_tensors,
    finite,
    first_error,
    from_hub,
    is_hub_id,
    on_disk,
    read_config,
    read_weights,
    tensors_sha256,
    write_checkpoint,
)
from .city_net import CityNet, CityNetConfig
from .city_table import CityTable
from .device import one_thread

PRESET = "cityguessr"
"""Stands in the card where a VidTAG checkpoint has its preset, and tells the two apart."""
FORMAT_VERSION = 1
_MAX_CARD_BYTES = 16 << 20  # names of a hundred thousand cities
_CALIBRATION, _OUTLINES = "calibration.", "cities.outlines"


@dataclass(frozen=True)
class CityCard:
    """What a CityGuessr checkpoint is. ``save_city`` fills in what follows from the network and the table.

    Args:
        name: for people.
        preset: "cityguessr".
        config: the network's shape as plain JSON values.
        cities: the table, as :meth:`.city_table.CityTable.to_dict` writes it.
        training_extent: (minx, miny, maxx, maxy) in degrees that holds all its cities.
        rate_hz: frames a second that it was trained on; None: every frame.
        calibration: what turns scores into probabilities, and tells what it does not know; empty: neither can be told.
        licence: of the weights.
        metrics: measured on held-out videos.
        created_utc: ISO 8601.
        sha256: of the tensors as stored.
        format_version: of this card.
    """

    name: str
    preset: str = PRESET
    config: dict[str, Any] = field(default_factory=dict)
    cities: dict[str, Any] = field(default_factory=dict)
    training_extent: tuple[float, float, float, float] | None = None
    rate_hz: float | None = 1.0
    calibration: dict[str, Any] = field(default_factory=dict)
    licence: str = "unknown"
    metrics: dict[str, Any] = field(default_factory=dict)
    created_utc: str = ""
    sha256: str = ""
    format_version: int = FORMAT_VERSION


def save_city(
    net: CityNet,
    table: CityTable,
    folder: str | Path,
    card: CityCard,
    arrays: Mapping[str, FloatArray] | None = None,
    *,
    half: bool = True,
    overwrite: bool = False,
) -> CityCard:
    """Write a checkpoint, each file whole or not at all.

    Args:
        net: its weights and shape are written.
        table: what its labels stand for.
        folder: made if it is not there; a path that ends in .safetensors becomes a single file.
        card: name, rate, calibration, licence and metrics; the rest is filled in.
        arrays: of its calibration, which are too large for the card.
        half: matrices as float16.
        overwrite: replace files of these names also where they are not a checkpoint's of this tool.

    Returns:
        The card as written.

    Raises:
        InputError: it cannot be written, or would replace what is not this tool's own.
    """
    path = Path(folder)
    tensors = {name: on_disk(name, value, half=half) for name, value in net.state_dict().items()}
    tensors |= {f"{_CALIBRATION}{name}": torch.from_numpy(np.array(array, order="C")) for name, array in (arrays or {}).items()}
    tensors[_OUTLINES] = torch.frombuffer(bytearray(table.outlines_wkb()), dtype=torch.uint8)
    bounds = [outline.bounds for outline in table.outlines]
    west, south, east, north = (float(pick(side)) for pick, side in zip((min, min, max, max), zip(*bounds, strict=True), strict=True))
    card = replace(
        card,
        config=net.config.model_dump(mode="json"),
        cities=table.to_dict(),
        training_extent=(west, south, east, north),
        created_utc=card.created_utc or datetime.now(UTC).isoformat(timespec="seconds"),
        sha256=tensors_sha256(tensors),
    )
    text = json.dumps(finite(asdict(card)), allow_nan=False)
    write_checkpoint(path, tensors, text, overwrite=overwrite)
    return card


@one_thread()
def load_city(source: str | Path, device: torch.device | str = "cpu") -> tuple[CityNet, CityTable, CityCard, dict[str, FloatArray]]:
    """Load a checkpoint, in evaluation mode.

    Args:
        source: a folder, a .safetensors file or a Hub id ("owner/name", "owner/name@revision").
        device: where the network goes.

    Returns:
        The network, what its labels stand for, the card, and the arrays of the calibration.

    Raises:
        InputError: where there is none, or it is damaged, of VidTAG, foreign or a pickle; the sentence names the file and the reason.
    """
    weights, config = _files_of(source)
    metadata, tensors = read_weights(weights)
    if config is None and METADATA_KEY not in metadata:
        raise InputError(f"{weights} is a safetensors file, but not of this program (it has no card): give a CityGuessr checkpoint.")
    named = config or weights
    card = parse_city_card(metadata[METADATA_KEY] if config is None else read_config(config, _MAX_CARD_BYTES), named)
    digest = tensors_sha256(tensors)
    if digest != card.sha256 and config is not None and METADATA_KEY in metadata:
        # A process that ended between the two files of a new checkpoint leaves the cards of two: the weights bear their own.
        own = parse_city_card(metadata[METADATA_KEY], weights)
        card = own if own.sha256 == digest and own.created_utc != card.created_utc else card
    if digest != card.sha256:
        raise InputError(f"Checkpoint {weights} is damaged: its SHA-256 is not the one in {named.name}; copy or train it again.")
    try:
        shape = CityNetConfig.model_validate(card.config)
        with torch.device("meta"), NoDraws():  # no memory is taken before every shape is known to fit
            net = CityNet(shape, "empty")
    except (ValidationError, ValueError) as error:
        why = first_error(error) if isinstance(error, ValidationError) else str(error)
        raise InputError(f"Checkpoint {named} has an invalid configuration: {why}; get it again.") from error
    outlines = tensors.pop(_OUTLINES, None)
    if outlines is None or outlines.dtype != torch.uint8:
        raise InputError(f"Checkpoint {weights} lacks its cities' outlines: it is damaged, get it again.")
    table = CityTable.from_dict(card.cities, outlines.numpy().tobytes())
    if table.counts != shape.head.counts:
        raise InputError(f"Checkpoint {named} contradicts itself: its table has other numbers of places than its network; get it again.")
    kept = {name: tensors.pop(name) for name in list(tensors) if name.startswith(_CALIBRATION)}
    check_tensors(tensors, net.state_dict(), weights)
    net.load_state_dict({name: value.float() for name, value in tensors.items()}, assign=True)
    return net.to(device).eval(), table, card, {name.removeprefix(_CALIBRATION): value.numpy() for name, value in kept.items()}


def read_city_card(source: str | Path) -> CityCard | None:
    """The card of a folder or file; None where no CityGuessr checkpoint lies there. Tensors are not looked at."""
    path = Path(source).expanduser()
    try:
        if path.is_dir():
            text = read_config(path / CONFIG_FILE, _MAX_CARD_BYTES)
        elif path.is_file():
            text = read_weights(path)[0].get(METADATA_KEY, "")
        else:
            return None
        return parse_city_card(text, path)
    except InputError:
        return None


def parse_city_card(text: str, named: Path) -> CityCard:
    """A card's text. Raises InputError where it is none."""
    try:
        plain = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{named} holds no valid JSON: the checkpoint is damaged, get it again.") from error
    if not isinstance(plain, dict) or plain.get("preset") != PRESET:
        raise InputError(f"{named} is no CityGuessr checkpoint: give one that 'vidtag train-city' wrote.")
    if plain.get("format_version") != FORMAT_VERSION:
        raise InputError(
            f"{named} has format version {plain.get('format_version')!r}, and {FORMAT_VERSION} is understood: update this program."
        )
    try:
        return TypeAdapter(CityCard).validate_python(plain)
    except ValidationError as error:
        raise InputError(f"Checkpoint {named} has an invalid card: {first_error(error)}; get it again.") from error


def _files_of(source: str | Path) -> tuple[Path, Path | None]:
    """Weights and card of a source; no card where the weights bear it."""
    path = Path(source).expanduser()
    if path.is_dir():
        return path / WEIGHTS_FILE, path / CONFIG_FILE
    if path.is_file():
        return path, None
    if isinstance(source, str) and is_hub_id(source):
        folder = from_hub(source)
        return folder / WEIGHTS_FILE, folder / CONFIG_FILE
    raise InputError(f"Checkpoint {str(source)!r} does not exist: give a folder, a .safetensors file or a Hub id (owner/name).")
