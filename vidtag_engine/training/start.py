"""Where the first layer of narrow networks starts from: the features' principal axes, or what tells places apart (learned whitening)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from scipy.linalg import eigh
from scipy.spatial import cKDTree

from ..datasets.training_sequence import TrainingSequence
from ..feedback import Feedback
from ..geodesy import EARTH_RADIUS_M, haversine_m, unit_vectors
from ..models.reference_database import ReferenceDatabase
from ..reference.descriptor import SCALES, bands
from ..types import FloatArray, IntArray
from .aggregation import aggregated
from .settings import TrainSettings

# Of the mean within-place variance; of .01 to 10 the best for nearest neighbours on the isles' dev seed (simulated).
_RIDGE = 0.3
_ANCHORS = 8000  # frames whose neighbours are looked up
_PER_ANCHOR = 4
_MAX_FRAMES = 100_000
_NEAR = 0.3  # of the length over which targets fall off: what counts as one place
_REACH = 3.0  # of that length
_REACH_STEPS = 2.0  # or of the way between frames, so that the ground between two is spoken for by both
_LEAST_DIFFERENCES = 200  # fewer say nothing about thousands of features
# Layouts wider than this are whitened in the span of so many frames, as many numbers as the compact preset's have, nearly (2,880). A matrix of DINOv2-B's
# 18,432 squared takes 2.7 GB, and several would be held.
_WIDEST = 3072


def start_projection(layer: torch.nn.Linear, sequences: Sequence[TrainingSequence], settings: TrainSettings) -> bool:
    """Start the first layer as the settings say; True where it is to stay so.

    Args:
        layer: (D to d).
        sequences: that will be trained on.
        settings: ``whitening``; ``softening_m`` or ``resolution_m`` say how near one place is.
    """
    features = _some_features(sequences)
    if settings.whitening == "places":
        differences = place_differences(sequences, near_m(settings), settings.seed)
        if len(differences) >= _LEAST_DIFFERENCES and layer.in_features >= layer.out_features:
            place_start(layer, features, differences)
            return True
    principal_start(layer, features)
    return False


def whitening_of(sequences: Sequence[TrainingSequence], settings: TrainSettings, feedback: Feedback = Feedback()) -> list[torch.nn.Linear]:
    """What whitens each band of the features, fine to coarse, then of the layouts, if there are any.

    The longest mean is whitened by what tells places apart, where enough videos meet: what differs between drives is strong in it. Little of that is left in
    the differences of means, whose principal axes do better (isles' dev seed, simulated).

    Args:
        sequences: of the training.
        settings: of it; with ``aggregation`` each axis's share is learned, too (see :func:`.aggregation.aggregated`).
        feedback: of that.
    """
    frames = sum(map(len, sequences))
    layouts = [s.layout for s in sequences if s.layout is not None]
    narrowest = min(one.shape[-1] for one in (sequences[0].features, *layouts[:1]))
    width = min(settings.remembered_width, narrowest, max(1, frames // 2))
    # Whole videos, as bands are of videos; evenly out of very many.
    some = sequences[:: -(-frames * len(sequences[0].features) // _MAX_FRAMES)]
    whitening = _band_whitening(some, width, settings)
    if layouts:
        whitening += _layout_whitening([replace(s, features=s.layout[None]) for s in some if s.layout is not None], width, settings)
    return aggregated(whitening, sequences, near_m(settings), settings.seed, feedback) if settings.aggregation else whitening


def _layout_whitening(sequences: Sequence[TrainingSequence], width: int, settings: TrainSettings) -> list[torch.nn.Linear]:
    """As :func:`_band_whitening`; of wide layouts in the span of evenly chosen frames, which is all there is where frames are no more than ``_WIDEST``.

    Bands are sums of frames, so that they can be taken before or after frames are brought into the span.
    """
    wide = sequences[0].features.shape[-1]
    if wide <= _WIDEST:
        return _band_whitening(sequences, width, settings)
    frames = [frame for s in sequences for frame in s.features[0]]
    chosen = np.linspace(0, len(frames) - 1, min(len(frames), _WIDEST)).round().astype(np.int64)
    span = np.linalg.qr(np.stack([frames[number] for number in chosen]).astype(np.float32).T)[0]
    whitening = []
    for narrow in _band_whitening([replace(s, features=s.features.astype(np.float32) @ span) for s in sequences], width, settings):
        layer = torch.nn.Linear(wide, width)
        with torch.no_grad():
            layer.weight.copy_(narrow.weight @ torch.from_numpy(span.T))
            layer.bias.copy_(narrow.bias)
        whitening.append(layer)
    return whitening


def remember(sequences: Sequence[TrainingSequence], settings: TrainSettings, feedback: Feedback = Feedback()) -> ReferenceDatabase:
    """What a checkpoint keeps of its training frames. Arguments as of :func:`whitening_of`."""
    whitening = whitening_of(sequences, settings, feedback)
    videos = [(torch.from_numpy(s.seen), torch.from_numpy(s.lat_lon_deg)) for s in sequences]
    return ReferenceDatabase.remembering(whitening, videos, [s.local for s in sequences])


def _band_whitening(sequences: Sequence[TrainingSequence], width: int, settings: TrainSettings) -> list[torch.nn.Linear]:
    """Of each band of the features, fine to coarse, to ``width`` numbers."""
    whitening = []
    for number in range(len(SCALES)):
        parts = [
            replace(s, features=torch.stack([bands(view)[number] for view in torch.from_numpy(s.features).float()]).numpy())
            for s in sequences
        ]
        layer = torch.nn.Linear(sequences[0].features.shape[-1], width)
        features = _some_features(parts)
        differences = place_differences(parts, near_m(settings), settings.seed) if number == len(SCALES) - 1 else features[:0]
        if len(differences) >= _LEAST_DIFFERENCES:
            place_start(layer, features, differences)
        else:
            principal_start(layer, features)
        whitening.append(layer)
    return whitening


def near_m(settings: TrainSettings) -> float:
    """Metres within which two frames show one place: a part of the length over which targets fall off."""
    return _NEAR * _fall_off_m(settings)


def reach_m(sequences: Sequence[TrainingSequence], settings: TrainSettings) -> float:
    """Metres over which a reference image speaks for places around it: what targets have fallen off over, and at least twice the way to the next frame."""
    steps = [haversine_m(*s.lat_lon_deg[:-1].T, *s.lat_lon_deg[1:].T) for s in sequences if len(s) > 1]
    step_m = float(np.median(np.concatenate(steps))) if steps else 0.0
    return max(_REACH * _fall_off_m(settings), _REACH_STEPS * step_m)


def _fall_off_m(settings: TrainSettings) -> float:
    return settings.softening_m or 2.0 * settings.resolution_m


@torch.no_grad()
def principal_start(layer: torch.nn.Linear, features: FloatArray) -> None:
    """Start a linear layer as a shrunk whitening of the features it will see.

    Pooled network features share a large mean and a few strong directions (exposure, season), which drown what tells places apart: a start that takes
    the mean away and brings the principal axes to like size learns several times faster. Weak axes stay weak, so that few frames' noise is not blown up.

    Args:
        layer: (D to d); its answer has a mean norm of 1. Where d is more than D it is left as it is.
        features: (N, D).
    """
    if layer.in_features < layer.out_features:  # fewer axes than it has outputs
        return
    data = torch.from_numpy(np.asarray(features, dtype=np.float64))
    centred = data - data.mean(dim=0)
    if layer.out_features <= len(data) < layer.in_features:  # a frame's cost instead of a feature's
        _, singular, rows = torch.linalg.svd(centred, full_matrices=False)
        variance, axes = singular**2 / max(1, len(data) - 1), rows.T
    else:
        variance, axes = torch.linalg.eigh(centred.T @ centred / max(1, len(data) - 1))
        variance, axes = variance.flip(0), axes.flip(1)
    variance, axes = variance[: layer.out_features].clamp(min=0), axes[:, : layer.out_features]
    _set(layer, ((axes / (variance + variance.mean() + 1e-12).sqrt()).T).numpy(), data.numpy())


@torch.no_grad()
def place_start(layer: torch.nn.Linear, features: FloatArray, differences: FloatArray) -> None:
    """Start a linear layer as learned whitening (Mikolajczyk and Matas 2007; Radenovic et al. 2018, Sec. 3.3).

    Its axes are the directions in which places differ most, measured by how much one place differs between drives.

    Args:
        layer: (D to d), d not more than D; its answer has a mean norm of 1.
        features: (N, D) of all places.
        differences: (P, D) between two views of one place; see :func:`place_differences`.
    """
    data = np.asarray(features, dtype=np.float64)
    apart = np.asarray(differences, dtype=np.float64)
    within = apart.T @ apart / (2 * len(apart))
    within[np.diag_indices_from(within)] += _RIDGE * np.trace(within) / len(within) + 1e-12
    width = data.shape[1]
    _, axes = eigh(np.cov(data.T), within, subset_by_index=(width - layer.out_features, width - 1))
    _set(layer, axes.T[::-1], data)


def place_differences(sequences: Sequence[TrainingSequence], near_m: float, seed: int = 0) -> FloatArray:
    """(P, D) feature differences between two views of one place: frames of different videos no farther apart than ``near_m``, and altered copies of one frame.

    Args:
        sequences: with their truth.
        near_m: what counts as one place, metres.
        seed: of which frames are looked at, where there are very many.
    """
    plain = np.concatenate([s.features[0] for s in sequences])
    one, other, _ = _meetings(sequences, near_m, seed)
    views = [(s.features[1:] - s.features[:1]).reshape(-1, plain.shape[1]) for s in sequences if s.features.shape[0] > 1]
    found = np.concatenate([plain[one] - plain[other], *views])
    most = _ANCHORS * _PER_ANCHOR
    return found if len(found) <= most else found[np.sort(np.random.default_rng([seed, 6]).permutation(len(found))[:most])]


def drive_differences(sequences: Sequence[TrainingSequence], near_m: float, seed: int = 0) -> FloatArray:
    """(Q, D) mean feature difference of each two videos where they meet: what light, weather and camera do to all frames of a drive.

    Args:
        sequences, near_m, seed: as for :func:`place_differences`; videos that meet in fewer than two pairs of frames say too little.
    """
    plain = np.concatenate([s.features[0] for s in sequences])
    one, other, videos = _meetings(sequences, near_m, seed)
    _, which, count = np.unique(videos, axis=0, return_inverse=True, return_counts=True)
    total = np.zeros((len(count), plain.shape[1]))
    np.add.at(total, which.reshape(-1), plain[one] - plain[other])
    means: FloatArray = (total / count[:, None])[count >= 2].astype(np.float32)
    return means


def _some_features(sequences: Sequence[TrainingSequence]) -> FloatArray:
    """(N, D) features evenly out of all sequences; all of them where they are few."""
    flat = [s.features.reshape(-1, s.features.shape[-1]) for s in sequences]
    stride = -(-sum(map(len, flat)) // _MAX_FRAMES)
    return np.concatenate([part[::stride] for part in flat])


def _meetings(sequences: Sequence[TrainingSequence], near_m: float, seed: int) -> tuple[IntArray, IntArray, IntArray]:
    """Frames of different videos at one place, by their numbers among all, (P,) and (P,), and the videos' numbers (P, 2); a sample where there are very many."""
    rng = np.random.default_rng([seed, 5])
    owner = np.concatenate([np.full(len(s), number) for number, s in enumerate(sequences)])
    places = EARTH_RADIUS_M * unit_vectors(*np.concatenate([s.lat_lon_deg for s in sequences]).T)
    anchors = rng.permutation(len(places))[:_ANCHORS]
    pairs = []
    for anchor, near in zip(anchors, cKDTree(places).query_ball_point(places[anchors], near_m), strict=True):
        others = np.asarray(near)[owner[near] > owner[anchor]]  # each pair of videos from one side
        pairs += [(anchor, other) for other in rng.permutation(others)[:_PER_ANCHOR]]
    found = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1], owner[found]


def _set(layer: torch.nn.Linear, weight: FloatArray, data: FloatArray) -> None:
    mean = data.mean(axis=0)
    weight = weight / max(float(np.linalg.norm((data - mean) @ weight.T, axis=1).mean()), 1e-9)
    layer.weight.copy_(torch.from_numpy(weight).float())
    layer.bias.copy_(torch.from_numpy(-weight @ mean).float())
