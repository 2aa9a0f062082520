"""What of a checkpoint answers: all that ships, or a part of it, so that what each part adds can be measured."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import replace

from ..loaded import Loaded
from ..models import GeoCLIP, PlaceRecognizer, VidTAG
from ..trajectory import Calibration, DatabaseWeight
from ..types import InputError

SHIPPED, NETWORKS, NETWORKS_DECODED, REFERENCES = METHODS = ("shipped", "networks", "networks-decoded", "references")
"""``shipped``: what ``vidtag geolocate`` answers: networks and reference images, decoded together. ``networks``: both retrievals by the networks alone, each frame
by itself, as in the paper. ``networks-decoded``: the networks, decoded, without reference images. ``references``: reference images, decoded, all cosines 0."""


def reading(loaded: Loaded, method: str) -> Loaded:
    """A checkpoint as a method reads it.

    The decoder of ``networks-decoded`` and ``references`` is the checkpoint's own, fitted on both kinds of evidence. What its probabilities mean was never fitted
    for one kind: these methods say none, and withhold on unknown ground alone.

    Args:
        loaded: a checkpoint, a database of reference images, or both.
        method: of ``METHODS``.

    Raises:
        InputError: there is no such method, or the checkpoint has no such part.
    """
    if method not in METHODS:
        raise InputError(f"There is no method {method!r}: choose one of {', '.join(METHODS)}.")
    if isinstance(loaded.model, PlaceRecognizer):
        if method in {NETWORKS, NETWORKS_DECODED}:
            raise InputError(f"{loaded.card.name} is a database of reference images and has no networks: take --method shipped.")
        return loaded
    # Details need not be found where no references are re-ranked by them.
    encoder = loaded.encoder.with_local("") if loaded.encoder.local is not None else loaded.encoder
    if method == NETWORKS:
        return loaded if encoder is loaded.encoder else replace(loaded, encoder=encoder)
    if method == NETWORKS_DECODED:
        model, calibration = _without_references(loaded.model), _unrated(loaded.calibration, None)
        return replace(loaded, model=model, encoder=encoder, calibration=calibration, references="")
    return _references_alone(loaded) if method == REFERENCES else loaded


def _without_references(model: VidTAG | GeoCLIP) -> VidTAG | GeoCLIP:
    """A model that shares its networks and keeps no references."""
    if not isinstance(model, VidTAG) or model.memory is None:
        return model
    bare = copy.copy(model)
    bare._modules = dict(model._modules)  # noqa: SLF001
    bare.memory = None
    return bare


def _references_alone(loaded: Loaded) -> Loaded:
    """What a checkpoint keeps of reference images, read and decoded as it reads them, with no networks."""
    calibration, memory = loaded.calibration, loaded.model.memory
    weight = calibration.path.database_weight if calibration.path else calibration.database_weight
    if memory is None or weight is None:
        raise InputError(f"{loaded.card.name} reads no reference images: give some with --reference, or take --method networks-decoded.")
    model = PlaceRecognizer(memory, weight.reach_m, loaded.card.preset).to(loaded.device).eval()
    # Places are embedded otherwise than by the networks, whose stored embeddings bear the weights' digest.
    card = replace(loaded.card, sha256=hashlib.sha256(f"references of {loaded.card.sha256} {loaded.references}".encode()).hexdigest())
    return replace(loaded, model=model, card=card, calibration=_unrated(calibration, weight))


def _unrated(calibration: Calibration, weight: DatabaseWeight | None) -> Calibration:
    """The same decoding, which says nothing of how sure to be, of novelty or of other places: those were fitted with all evidence."""
    path = calibration.path
    if path is not None:
        path = replace(path, maps=(), unrecognised_maps=(), recognised_from=None, novelty=None, out_of_area=None, database_weight=weight)
    return replace(calibration, path=path, novelty=None, out_of_area=None, database_weight=weight, videos=0)
