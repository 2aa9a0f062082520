"""Checkpoints: safetensors and JSON, nothing that can execute. A folder, a single file, a Hub id or the name "geoclip".

A folder holds ``model.safetensors`` (the tensors) and ``config.json`` (the card). The card also lies in the metadata of
``model.safetensors``, which is therefore a whole checkpoint by itself, but for the reference images that lie beside it in a folder of their own
(:mod:`.checkpoint_references`).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import re
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import torch
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..atomic import replacing
from ..offline import asked
from ..types import FetchError, InputError
from .backbones import NoDraws
from .checkpoint_references import PREFIX, CardReferences, clear_orphans, named_by, opened, weights_of
from .device import one_thread
from .geoclip import GEOCLIP_LICENCE, GeoCLIP, GeoCLIPConfig, load_geoclip
from .vidtag import VIDTAG_PRESETS, VidTAG, VidTAGConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..reference.database import StoredReferences

FORMAT_VERSION = 1
WITH_REFERENCES = 2
"""The format's version of checkpoints that lack something without the folder of their reference images."""
CONFIG_FILE, WEIGHTS_FILE = "config.json", "model.safetensors"
Preset = Literal["vidtag-l14-whole", "vidtag-l14", "vidtag-compact", "vidtag-dino-s", "vidtag-dino-b", "geoclip"]
METADATA_KEY = "vidtag_card"
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w./-]+)?")
_PICKLE_ENDINGS = {".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle"}
_PICKLE_STARTS = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_MAX_CONFIG_BYTES = 1 << 20


@dataclass(frozen=True)
class CheckpointCard:
    """What a checkpoint is. ``save_pretrained`` fills in config, sigma, created_utc and sha256.

    Args:
        name: for people and provenance.
        preset: which frame encoder feeds it: "vidtag-l14-whole", "vidtag-l14" (pictures' middles, until 0.1), "vidtag-compact", "vidtag-dino-s", "vidtag-dino-b"
            or "geoclip".
        config: the network's configuration as plain JSON values.
        training_extent: (minx, miny, maxx, maxy) in degrees of where it was trained; None = the whole world.
        sigma: of the location encoder.
        calibration: what turns scores into confidence (see trajectory/calibration).
        smoothness: of the location encoder, by place (see search/smoothness); empty: it is measured when a search needs it.
        licence: of the weights.
        metrics: measured on validation.
        created_utc: ISO 8601.
        sha256: of the tensors as stored (names, types, shapes and values).
        references: the reference images that lie beside the weights, and databases of them that it was calibrated with.
        format_version: of this card.
    """

    name: str
    preset: Preset
    config: dict[str, Any] = field(default_factory=dict)
    training_extent: tuple[float, float, float, float] | None = None
    sigma: tuple[float, ...] = ()
    calibration: dict[str, Any] = field(default_factory=dict)
    smoothness: dict[str, Any] = field(default_factory=dict)
    licence: str = "unknown"
    metrics: dict[str, Any] = field(default_factory=dict)
    created_utc: str = ""
    sha256: str = ""
    references: CardReferences = field(default_factory=CardReferences)
    format_version: int = FORMAT_VERSION


def save_pretrained(
    model: VidTAG | GeoCLIP, folder: str | Path, card: CheckpointCard, *, half: bool = True, overwrite: bool = False
) -> CheckpointCard:
    """Write a checkpoint, each file whole or not at all.

    Args:
        model: its weights and configuration are written.
        folder: made if it is not there, other files in it are left alone; a path that ends in .safetensors becomes a single file.
        card: name, preset, extent, calibration, licence and metrics; the rest is filled in.
        half: matrices as float16. Fourier frequencies, places and small tensors stay float32: in half precision places would move.
        overwrite: replace files of these names also where they are not a checkpoint's of this tool.

    Returns:
        The card as written.

    Raises:
        InputError: it cannot be written, or would replace what is not this tool's own.
    """
    path = Path(folder)
    tensors = {name: on_disk(name, value, half=half) for name, value in weights_of(model).items()}
    card = replace(
        card,
        preset=cast(Preset, model.config.frame_encoder),
        config=model.config.model_dump(mode="json"),
        sigma=tuple(model.config.location.sigma),
        created_utc=card.created_utc or datetime.now(UTC).isoformat(timespec="seconds"),
        sha256=tensors_sha256(tensors),
        format_version=WITH_REFERENCES if card.references.folder else FORMAT_VERSION,
    )
    text = json.dumps(finite(asdict(card)), indent=2, allow_nan=False)
    write_checkpoint(path, tensors, text, overwrite=overwrite)
    return card


def write_checkpoint(path: Path, tensors: dict[str, Tensor], card: str, *, overwrite: bool) -> None:
    """Write tensors with their card, and the card beside them in a folder, both or none.

    The reference images of the checkpoint whose place it takes go, unless a file beside still names them or they were changed since.

    Args:
        path: a folder, made if it is not there, or a single file that ends in .safetensors.
        tensors: as they are stored.
        card: as JSON.
        overwrite: replace files of these names also where they are not a checkpoint's of this tool.

    Raises:
        InputError: it cannot be written, or would replace what is not this tool's own.
    """
    single = path.suffix == ".safetensors"
    target = path if single else path / WEIGHTS_FILE
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The checkpoint cannot be written to {path} ({error.strerror or error}): give another folder.") from error
    before = set[str]()
    with contextlib.suppress(OSError):
        before = named_by(*([target] if single else [target, path / CONFIG_FILE]))
    with contextlib.ExitStack() as both:
        weights = both.enter_context(replacing(target, "weights", overwrite=overwrite))
        save_file(tensors, weights, metadata={METADATA_KEY: card, "format": "pt"})
        if not single:
            both.enter_context(replacing(path / CONFIG_FILE, "card", overwrite=overwrite)).write_text(card + "\n", encoding="utf-8")
    clear_orphans(target.parent, before)


def from_pretrained(source: str | Path, device: torch.device | str = "cpu") -> tuple[VidTAG | GeoCLIP, CheckpointCard]:
    """Load a checkpoint, in evaluation mode.

    Args:
        source: a folder, a .safetensors file, a Hub id ("owner/name", "owner/name@revision"), or "geoclip".
        device: where the model goes.

    Raises:
        InputError: where there is none, or it is damaged, foreign or a pickle; the sentence names the file and the reason.
    """
    text = str(source)
    path = Path(source).expanduser()
    if text == "geoclip" and not path.exists():
        return _zero_shot(device)
    if text in VIDTAG_PRESETS and not path.exists():
        raise InputError(
            f"{text!r} is a preset without published weights: give a checkpoint's folder, train one with 'vidtag train --preset {text}', "
            "or use 'geoclip', which works worldwide."
        )
    if path.is_dir():
        return _load(path / WEIGHTS_FILE, path / CONFIG_FILE, device)
    if path.is_file():
        return _load(path, None, device)
    if isinstance(source, str) and is_hub_id(text):
        folder = from_hub(text)
        return _load(folder / WEIGHTS_FILE, folder / CONFIG_FILE, device)
    raise InputError(f"Checkpoint {text!r} does not exist: give a folder, a .safetensors file, a Hub id (owner/name) or 'geoclip'.")


def stored_in_half(model: VidTAG | GeoCLIP, card: CheckpointCard) -> bool:
    """Whether a loaded checkpoint's matrices were stored as float16, by its digest: written again so, it has the same."""
    return tensors_sha256({name: on_disk(name, value, half=True) for name, value in weights_of(model).items()}) == card.sha256


def tensors_sha256(tensors: dict[str, Tensor]) -> str:
    """Digest of names, types, shapes and values, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def is_hub_id(text: str) -> bool:
    """Whether a text can be a Hub id ("owner/name", "owner/name@revision")."""
    return bool(_HUB_ID.fullmatch(text))


def _zero_shot(device: torch.device | str) -> tuple[GeoCLIP, CheckpointCard]:
    model = load_geoclip(device)
    card = CheckpointCard(
        name="geoclip",
        preset="geoclip",
        config=model.config.model_dump(mode="json"),
        sigma=tuple(model.config.location.sigma),
        licence=GEOCLIP_LICENCE,
        sha256=tensors_sha256(model.state_dict()),
    )
    return model, card


@one_thread()
def _load(weights: Path, config: Path | None, device: torch.device | str) -> tuple[VidTAG | GeoCLIP, CheckpointCard]:
    metadata, tensors = read_weights(weights)
    if config is None:
        if METADATA_KEY not in metadata:
            raise InputError(f"{weights} is a safetensors file, but not of this program (it has no card): give a VidTAG checkpoint.")
        card = _parse_card(metadata[METADATA_KEY], weights)
    else:
        card = _parse_card(read_config(config), config)
    digest = tensors_sha256(tensors)
    if digest != card.sha256 and config is not None and METADATA_KEY in metadata:
        # A process that ended between the two files of a new checkpoint leaves the cards of two: the weights bear their own.
        own = _parse_card(metadata[METADATA_KEY], weights)
        if own.sha256 == digest and own.created_utc != card.created_utc:
            config, card = None, own
    named = config or weights
    build = _builder(card, named)
    if digest != card.sha256:
        raise InputError(f"Checkpoint {weights} is damaged: its SHA-256 is not the one in {named.name}; copy or train it again.")
    with torch.device("meta"), NoDraws():  # no memory is taken before every shape is known to fit
        model = build()
    check_tensors(tensors, model.state_dict(), weights)
    model.load_state_dict({name: value.float() for name, value in tensors.items()}, assign=True)
    if isinstance(model, VidTAG) and (references := opened(weights, card.references)) is not None:
        _check_references(references, model, named)
        model.memory = references
    return model.to(device).eval(), card


def _check_references(references: StoredReferences, model: VidTAG, named: Path) -> None:
    of = references.store.manifest
    if (of.frame_encoder, of.feature_dim) != (model.config.frame_encoder, model.config.feature_dim):
        raise InputError(f"Checkpoint {named} and its reference images are of different frame encoders: get the checkpoint again.")


def _builder(card: CheckpointCard, named: Path) -> Callable[[], VidTAG | GeoCLIP]:
    """What makes the model of a card, its configuration checked."""
    kind = GeoCLIPConfig if card.preset == "geoclip" else VidTAGConfig
    try:
        config: GeoCLIPConfig | VidTAGConfig = kind.model_validate(card.config)
    except ValidationError as error:
        raise InputError(f"Checkpoint {named} has an invalid configuration: {first_error(error)}; get it again.") from error
    if config.frame_encoder != card.preset or tuple(config.location.sigma) != tuple(card.sigma):
        raise InputError(f"Checkpoint {named} contradicts itself: preset and sigma differ from those in its config; get it again.")
    if isinstance(config, GeoCLIPConfig):
        return partial(GeoCLIP, config)
    return partial(VidTAG, config)


def read_config(config: Path, most_bytes: int = _MAX_CONFIG_BYTES) -> str:
    """A card's text. Raises InputError where it is not there, too large or no text."""
    if not config.is_file():
        raise InputError(f"Checkpoint folder {config.parent} has no {CONFIG_FILE}: give the folder that 'vidtag train' wrote.")
    if config.stat().st_size > most_bytes:
        raise InputError(f"{config} is too large to be a checkpoint's configuration: get the checkpoint again.")
    try:
        return config.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{config} cannot be read as text: get the checkpoint again.") from error


def _parse_card(text: str, named: Path) -> CheckpointCard:
    try:
        plain = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{named} holds no valid JSON: the checkpoint is damaged, get it again.") from error
    if isinstance(plain, dict) and plain.get("preset") == "cityguessr":
        raise InputError(
            f"{named} tells cities, not places in a street: give it to 'vidtag guess' or --guess-area, and a VidTAG checkpoint here."
        )
    version = plain.get("format_version") if isinstance(plain, dict) else None
    if version not in (FORMAT_VERSION, WITH_REFERENCES):
        hint = "update this program" if isinstance(version, int) and version > WITH_REFERENCES else "give a VidTAG checkpoint"
        raise InputError(f"{named} has format version {version!r}, and {FORMAT_VERSION} is understood: {hint}.")
    try:
        return TypeAdapter(CheckpointCard).validate_python(plain)
    except ValidationError as error:
        raise InputError(f"Checkpoint {named} has an invalid card: {first_error(error)}; get it again.") from error


def read_weights(weights: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Metadata and tensors of a safetensors file. Raises InputError where it is none; a pickle is never opened."""
    if not weights.is_file():
        raise InputError(f"Checkpoint folder {weights.parent} has no {weights.name}: give the folder that 'vidtag train' wrote.")
    with weights.open("rb") as handle:
        start = handle.read(8)
    if weights.suffix.lower() in _PICKLE_ENDINGS or start.startswith(_PICKLE_STARTS):
        raise InputError(f"{weights} is a pickle file, which can run code and is never opened: give a safetensors checkpoint.")
    try:
        with safe_open(weights, framework="pt") as handle:
            return handle.metadata() or {}, {name: handle.get_tensor(name).clone() for name in handle.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{weights} is not a readable safetensors file (cut short or damaged): copy or train it again.") from error


def check_tensors(given: dict[str, Tensor], own: dict[str, Tensor], weights: Path) -> None:
    """Raise InputError where the tensors of a file are not those of a model, in name, shape and kind, or not finite."""
    for name in sorted(own.keys() - given.keys()):
        raise InputError(f"Checkpoint {weights} lacks the tensor {name!r}: it is damaged or of another model, get it again.")
    for name in sorted(given.keys() - own.keys()):
        raise InputError(f"Checkpoint {weights} has the unknown tensor {name!r}: it is of another model, get the right one.")
    for name, tensor in given.items():
        if tensor.shape != own[name].shape:
            raise InputError(
                f"Checkpoint {weights}: tensor {name!r} has shape {tuple(tensor.shape)} instead of {tuple(own[name].shape)}; get it again."
            )
        if not tensor.is_floating_point() or not bool(torch.isfinite(tensor).all()):
            raise InputError(f"Checkpoint {weights}: tensor {name!r} holds values that are no numbers; train or get it again.")


def from_hub(hub_id: str) -> Path:
    """Folder of a checkpoint that lies on Hugging Face, fetched once. Raises FetchError where it cannot be had."""
    from huggingface_hub import snapshot_download

    repo, _, revision = hub_id.partition("@")
    try:
        return Path(
            snapshot_download(
                repo, revision=revision or None, allow_patterns=[CONFIG_FILE, WEIGHTS_FILE, f"{PREFIX}*/*"], local_files_only=asked()
            )
        )
    except Exception as error:
        if asked():
            raise FetchError(
                f"Checkpoint {hub_id!r} is neither a local path nor in the cache, and VidTAG works offline: copy its folder ({CONFIG_FILE} and "
                f"{WEIGHTS_FILE}) to this machine and give its path."
            ) from error
        raise FetchError(
            f"Checkpoint {hub_id!r} is no local path, and the Hub gives nothing under that name (offline, unknown or private): "
            "check the name, go online once, or give a local folder."
        ) from error


def on_disk(name: str, value: Tensor, *, half: bool) -> Tensor:
    """A tensor as a checkpoint stores it: matrices in half precision where that is asked for and holds them."""
    value = value.detach().cpu().float().contiguous()
    if not half or value.ndim < 2 or name.endswith((".frequencies", ".lat_lon_deg")):
        return value
    smaller = value.half()
    return smaller if bool(torch.isfinite(smaller).all()) else value


def finite(value: Any) -> Any:
    """JSON has no NaN: a metric that could not be measured becomes null."""
    if isinstance(value, dict):
        return {str(key): finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def first_error(error: ValidationError) -> str:
    """The first thing that is wrong, for people."""
    entry = error.errors()[0]
    return f"{'.'.join(map(str, entry['loc'])) or 'the whole'}: {entry['msg'].lower()}"
