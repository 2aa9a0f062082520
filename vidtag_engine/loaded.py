"""A checkpoint ready to use, and the record of what a run is made with."""

from __future__ import annotations

import copy
import hashlib
import importlib.metadata
import json
import platform
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from . import __version__
from .batch import compiled_folder
from .feedback import Feedback
from .grid import Grid, WideGrid
from .models import GeoCLIP, PlaceRecognizer, VidTAG, build_frame_encoder, from_pretrained, pick_device, weights_to_fetch
from .models.checkpoint import CheckpointCard
from .models.frame_encoder import FrameEncoder
from .offline import asked
from .reference.database import StoredReferences
from .reference.manifest import MANIFEST
from .reference.similarity import NEIGHBOURS
from .reference.store import Store
from .roads.fitted import fitted_roads
from .settings import GeolocateSettings
from .trajectory import UNFITTED_TEMPERATURE, UNFITTED_WEIGHT, Calibration, DatabaseWeight, TrainingGround
from .types import InputError, Provenance

_NO_CHECKPOINT: dict[str, Any] = {"name": "none", "preset": "none", "sha256": "", "backbones": {}, "licence": ""}


@dataclass(frozen=True)
class Loaded:
    """A checkpoint ready to use, or a database of reference images, or both.

    Args:
        model: on its device.
        card: of the checkpoint; of a database alone, what stands for it.
        encoder: that makes the features which the model takes.
        device: where it runs.
        calibration: how its scores are read.
        references: digest of the database of reference images that is read; empty: none.
    """

    model: VidTAG | GeoCLIP | PlaceRecognizer
    card: CheckpointCard
    encoder: FrameEncoder
    device: torch.device
    calibration: Calibration
    references: str = ""


def provenance_of(
    settings: GeolocateSettings, loaded: Loaded | None, grid: Grid | WideGrid, guessed_by: str | None = None, roads: str | None = None
) -> Provenance:
    """What made the result, without user names or absolute paths.

    Args:
        settings, grid: of the run.
        loaded: the checkpoint; None where it had no part in it, and how ways along roads are read stands for it.
        guessed_by: digest of what guessed the areas.
        roads: digest of the roads, and of the track of motion, that ways were compared with.
    """
    more = ({"guess_area": guessed_by} if guessed_by else {}) | ({"roads": roads} if roads else {})
    if loaded is None:
        return _provenance(settings, more, _NO_CHECKPOINT | {"calibration_sha256": _digest_of(fitted_roads().to_dict())}, grid)
    card = loaded.card
    return _provenance(
        settings,
        more,
        {
            "name": card.name,
            "preset": card.preset,
            "sha256": card.sha256,
            # The same weights may have been calibrated anew, and then say other things.
            "calibration_sha256": _digest_of(_calibration_of(loaded)),
            "backbones": {name: str(source) for name, source in loaded.encoder.weights_source.items()},
            "licence": card.licence,
        }
        | ({"references": loaded.references} if loaded.references else {}),
        grid,
    )


def _digest_of(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _provenance(settings: GeolocateSettings, more: dict[str, Any], checkpoint: dict[str, Any], grid: Grid | WideGrid) -> Provenance:
    """The record, with versions and the time."""
    libraries = ("torch", "timm", "open_clip_torch", "av", "pyproj", "shapely", "geopandas")
    versions = {"vidtag-engine": __version__, "python": platform.python_version()}
    versions |= {name: importlib.metadata.version(name) for name in libraries}
    return Provenance(
        settings=settings.result_key() | more,
        checkpoint=checkpoint,
        gallery=grid.to_summary(),
        versions=versions,
        seed=settings.seed,
        created_utc=datetime.now(UTC),
    )


def _calibration_of(loaded: Loaded) -> dict[str, Any]:
    """What the card says of how scores are read, with the database that is read."""
    memory = loaded.model.memory
    beside = loaded.card.references.beside.get(memory.store.content) if isinstance(memory, StoredReferences) else None
    return beside or loaded.card.calibration


def load(checkpoint: str, device: str = "auto", feedback: Feedback = Feedback()) -> Loaded:
    """Load a checkpoint (folder, file, Hub id or the preset ``geoclip``) and the frame encoder that it was trained on.

    Args:
        checkpoint: see above; or the folder of a database of reference images, which is read with no checkpoint (:func:`load_references`).
        device: that it runs on.
        feedback: told where weights have to be fetched first, which may take minutes.

    Raises:
        InputError: the checkpoint or the backbones' weights cannot be had; the sentence says what to do.
    """
    if (Path(checkpoint).expanduser() / MANIFEST).is_file():
        return load_references(checkpoint, device, feedback)
    place = pick_device(device)
    model, card = from_pretrained(checkpoint, place)
    calibration = (
        Calibration.from_dict(card.calibration)
        if card.calibration
        else Calibration(temperature=float(1.0 / model.logit_scale.detach().exp()))
    )
    memory = model.memory if isinstance(model, VidTAG) else None
    layout_dim = memory.layout_dim if memory is not None else 0
    if (said := weights_to_fetch(card.preset)) and not asked():
        feedback.tell(0.0, "fetching", said)
    encoder = build_frame_encoder(card.preset, place, compiled_folder=compiled_folder(), layout=bool(layout_dim))
    if encoder.layout_dim != layout_dim:
        raise InputError(
            f"Checkpoint {card.name} remembers pictures by a layout of {layout_dim} numbers, and this version makes {encoder.layout_dim}: train it again."
        )
    found = Loaded(model.eval(), card, encoder, place, calibration)
    if not isinstance(memory, StoredReferences):
        return found
    if memory.store.content == card.references.content:
        return _seeing_details(replace(found, references=memory.store.digest))
    _check_filled(memory.store)
    # Images were added to its own database, or removed from it, since it was calibrated.
    return _seeing_details(_with_references(found, memory.store, unfitted_references(memory.store)))


def load_references(database: str, device: str = "auto", feedback: Feedback = Feedback(), checkpoint: Loaded | None = None) -> Loaded:
    """Open a database of reference images, to be read with no checkpoint, or in place of the training frames that one keeps.

    Args:
        database: folder that ``vidtag reference build`` wrote.
        device: that the frame encoder runs on.
        feedback: told where weights have to be fetched first.
        checkpoint: trained on the same frame encoder; what it says of places is then weighed with what the references say. Before ``vidtag calibrate`` has
            measured how sure to be of the two together, no probability is shown, and they are weighed by a default.

    Raises:
        InputError: there is no such database, it is damaged or empty, or of another frame encoder.
    """
    store = Store.open(database)
    of, place = store.manifest, pick_device(device)
    _check_filled(store)
    calibration = Calibration.from_dict(of.calibration) if of.calibration else unfitted_references(store)
    if checkpoint is not None:
        return _seeing_details(_with_references(checkpoint, store, calibration))
    weight = (calibration.path.database_weight if calibration.path else None) or calibration.database_weight
    if weight is None:
        raise InputError(f"{store.folder.name} does not say how it is read: run 'vidtag reference calibrate' on it.")
    if (said := weights_to_fetch(of.frame_encoder)) and not asked():
        feedback.tell(0.0, "fetching", said)
    encoder = build_frame_encoder(of.frame_encoder, place, compiled_folder=compiled_folder(), layout=bool(of.layout_dim))
    if (encoder.feature_dim, encoder.layout_dim) != (of.feature_dim, of.layout_dim):
        raise InputError(f"{store.folder.name} was made by another version's frame encoder: build it again.")
    model = PlaceRecognizer(StoredReferences(store), weight.reach_m).to(place).eval()
    card = CheckpointCard(
        of.name,
        of.frame_encoder,  # type: ignore[arg-type]
        training_extent=store.extent_deg,
        calibration=of.calibration,
        licence=" and ".join(store.licences) or "not stated",
        metrics={"resolution_m": of.resolution_m, "rate_hz": 1.0},
        created_utc=of.changed_utc,
        sha256=store.digest,
    )
    return _seeing_details(Loaded(model, card, encoder, place, calibration, store.digest))


def _seeing_details(loaded: Loaded) -> Loaded:
    """With a frame encoder that finds local features of the database's kind where references are re-ranked by them, and no others.

    What finds them need not be installed before a picture is looked at: much is done with a checkpoint that looks at none.

    Raises:
        InputError: the kind is not known.
    """
    path, memory = loaded.calibration.path, loaded.model.memory
    weight = (path.database_weight if path else None) or loaded.calibration.database_weight
    kind = memory.store.manifest.local_features if isinstance(memory, StoredReferences) and weight and weight.rerank else ""
    return replace(loaded, encoder=loaded.encoder.with_local(kind, lazy=True)) if kind or loaded.encoder.local is not None else loaded


def _check_filled(store: Store) -> None:
    if not store.there.any():
        raise InputError(f"{store.folder.name} holds no reference images: add some with 'vidtag reference build'.")


def unfitted_references(store: Store) -> Calibration:
    """How a database is read whose confidence was not fitted since it was changed."""
    reach_m = store.reach_m
    ground = TrainingGround.about(store.lat_lon_deg[store.there], reach_m, None)
    weight = DatabaseWeight(1.0, reach_m, None, NEIGHBOURS, bool(store.manifest.layout_dim))
    return Calibration(UNFITTED_TEMPERATURE, database_weight=weight, speed_mps=store.speed_mps, ground=ground, videos=0, of_references=True)


def _with_references(checkpoint: Loaded, store: Store, calibration: Calibration) -> Loaded:
    """A checkpoint that reads a database in place of its own frames."""
    of, model = store.manifest, checkpoint.model
    if not isinstance(model, VidTAG):
        raise InputError(f"{checkpoint.card.name} reads no reference images: give a checkpoint that 'vidtag train' wrote, or none.")
    own = (model.config.frame_encoder, model.config.feature_dim)
    if own != (of.frame_encoder, of.feature_dim):
        raise InputError(f"{checkpoint.card.name} and {store.folder.name} are of different frame encoders: build the database anew.")
    encoder = checkpoint.encoder
    if encoder.layout_dim != of.layout_dim:
        encoder = build_frame_encoder(of.frame_encoder, checkpoint.device, compiled_folder=compiled_folder(), layout=bool(of.layout_dim))
    # A model of its own, which shares all else: the checkpoint may be asked without the database later.
    model = copy.copy(model)
    model._modules = dict(model._modules)  # noqa: SLF001
    model.memory = cast(Any, StoredReferences(store).to(checkpoint.device))  # read likewise
    if fitted := checkpoint.card.references.beside.get(store.content):
        both = Calibration.from_dict(fitted)
    else:
        both = _unmeasured(checkpoint.calibration, calibration, store)
    return replace(checkpoint, model=model, encoder=encoder, calibration=both, references=store.digest)


def _unmeasured(trained: Calibration, calibration: Calibration, store: Store) -> Calibration:
    """How a checkpoint and a database are read together that were never calibrated so: by similarities as they are, as no likelihood ratio is known of them."""
    weight = (trained.path.database_weight if trained.path else None) or trained.database_weight
    read = DatabaseWeight(weight.weight if weight else UNFITTED_WEIGHT, store.reach_m, None, NEIGHBOURS)
    # What either of them knows is known ground; how videos of neither look is what training saw.
    grounds = [one for one in (trained.ground, calibration.ground) if one is not None]
    ground = replace(
        grounds[0], lat_lon_deg=np.concatenate([one.lat_lon_deg for one in grounds]), reach_m=min(one.reach_m for one in grounds)
    )
    novelty = (trained.path.novelty if trained.path else None) or trained.novelty
    speed_mps = (trained.path.transition.speed_mps if trained.path else None) or trained.speed_mps or store.speed_mps
    return replace(
        trained,
        path=None,
        database_weight=read,
        speed_mps=speed_mps,
        ground=ground,
        novelty=novelty,
        out_of_area=None,
        videos=0,
        beside=True,
    )
