"""What a training keeps of the frames that it saw: a database of reference images in the checkpoint's folder, read as any other is."""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..atomic import making_folder
from ..datasets.training_sequence import TrainingSequence
from ..geodesy import courses_deg
from ..models.checkpoint_references import PREFIX, CardReferences
from ..models.reference_database import ReferenceDatabase, thinned_by
from ..reference.addition import ROW, Addition
from ..reference.descriptor import Descriptor
from ..reference.images import ReferenceImage
from ..reference.manifest import Manifest
from ..reference.store import Store
from ..types import FloatArray
from .reference_parts import OWN


def keep(
    output: Path,
    memory: ReferenceDatabase,
    sequences: Sequence[TrainingSequence],
    frame_encoder: str,
    resolution_m: float,
    local_features: str = "none",
) -> CardReferences:
    """Write a training's frames as the database of its checkpoint, whole or not at all.

    They are private: no names, days or pictures are in it, only descriptors, places and the way's headings. Where the memory has the pictures' details, these are
    in it, too, and from them a picture can be sketched roughly.

    Args:
        output: the checkpoint's folder.
        memory: made of the sequences (:meth:`.reference_database.ReferenceDatabase.remembering`).
        sequences: of the training, in that order.
        frame_encoder: preset of it.
        resolution_m: of the training.
        local_features: kind of what the memory has of the pictures' details, if it has any.

    Returns:
        What the checkpoint's card says of it.

    Raises:
        InputError: it cannot be written.
    """
    output.mkdir(parents=True, exist_ok=True)
    stride = thinned_by(sum(map(len, sequences)))
    kept = [np.arange(0, len(one), stride) for one in sequences]
    rows = np.zeros(sum(map(len, kept)), dtype=ROW)
    rows["time_s"], rows["heading_deg"] = (
        math.nan,
        np.concatenate([_headings_deg(one)[of] for one, of in zip(sequences, kept, strict=True)]),
    )
    rows["drive"] = rows["sequence"] = np.repeat(np.arange(len(kept)), [len(of) for of in kept])
    rows["number"] = np.concatenate([np.arange(len(of)) for of in kept])
    images: list[ReferenceImage] = []
    for one, of in zip(sequences, kept, strict=True):
        key = _key(one)
        images += [
            ReferenceImage(OWN, f"{key}/{number}", key, lat, lon)
            for number, (lat, lon) in zip(of.tolist(), one.lat_lon_deg[of].tolist(), strict=True)
        ]
    places = np.concatenate([one.lat_lon_deg[of] for one, of in zip(sequences, kept, strict=True)])
    descriptor = Descriptor.of(list(memory.cpu().whitening))  # type: ignore[arg-type]
    width = memory.shape[1]
    manifest = Manifest(output.name, frame_encoder, memory.feature_dim, width, memory.layout_dim, 1.0, resolution_m, private=True)
    manifest = replace(manifest, local_features=local_features if memory.local is not None else "")
    name = PREFIX + secrets.token_hex(4)
    with making_folder(output / name) as part:
        store = Store.create(part, manifest, descriptor)
        store = store.add(Addition(memory.embeddings.numpy(), places, rows, images, [None] * len(images), memory.local))
        content = store.content
    return CardReferences(name, content)


def _headings_deg(one: TrainingSequence) -> FloatArray:
    return courses_deg(*one.lat_lon_deg.T)


def _key(one: TrainingSequence) -> str:
    """What tells a sequence from others, by its content."""
    seen = np.ascontiguousarray(one.features[0])
    return hashlib.sha256(seen.tobytes() + one.lat_lon_deg.tobytes()).hexdigest()[:20]
