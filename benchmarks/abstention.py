"""Is it said when a video was not taken where it is searched for, or is unlike anything trained on? Isles (simulated), and real recordings by name.

Outside: each isle is cut in two through the middle of its drives; one half is searched, drives of the other half are outside (500 m of margin), its own are inside.
Foreign: what is familiar is learned on every second isle, drives of the others are foreign. An alarm is either verdict.
Sure: neither alarm is given, and the drive is said to lie within 500 m of its line with more than even chances.
Small areas: discs about every third drive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import rankdata

from vidtag_engine.geodesy import haversine_m
from vidtag_engine.models.frame_encoder import FrameEncoder
from vidtag_engine.solve import UNFAMILIAR_BELOW
from vidtag_engine.training import recipe
from vidtag_engine.training.path import PlaceScores
from vidtag_engine.training.start import start_projection
from vidtag_engine.trajectory import RADII_M, Decoder, Elsewhere, Familiarity, fit_familiarity, lead_beyond
from vidtag_engine.types import FloatArray
from vidtag_engine.video import FrameReader, open_source

from .calibration import answered
from .isles_paths import Paths, open_lab, open_paths
from .isles_settings import OURS
from .isles_world import TEST_SPLITS, IslesWorld, sequences_of
from .recordings import DATA

TITLE = "Abstention: outside the area, foreign isles (simulated); Lund, GoPro and KLV (real)"
FILES = {
    "lund": "lund/walk.mp4",
    "gopro": "gopro/max-heromode.mp4",
    "klv": "klv/aphill_klv_10s.ts",
    "klv_h264": "klv/h264_klv.ts",
    "klv_1fps": "klv/aphill_240_1fps_crf32.mp4",
}
_MARGIN_M = 500.0
_AXES = 256  # of the compact preset's first layer
_REAL_S = 60.0
_SURE_M = 500.0
_SMALL_M = (500.0, 1000.0, 2000.0)  # radii of small areas
_EVERY = 3  # one test drive in so many is searched for in them


def run(seed: int | str = 0, *, quick: bool = False, world: Path | None = None, layout: bool = True) -> dict[str, Any]:
    """Flagged shares, false alarms and how well the two kinds are told apart.

    Args:
        seed: of the world.
        quick: a small world and budget.
        world: a folder with a rendered world, instead of the benchmark's own.
        layout: remembered frames are also compared by what stands where in them.
    """
    lab, encoder = open_lab(seed, quick=quick, world=world, layout=layout)
    paths = open_paths(lab)
    inside, outside = halves(paths)
    unseen, _ = halves(paths, "test_unseen")
    foreign_p, familiar_p = foreign(lab.world)
    assert paths.calibration.familiarity is not None
    foreign_auroc, outside_auroc = auroc(familiar_p, foreign_p), auroc(inside.ahead, outside.ahead)
    foreign_alarms = float(np.mean(familiar_p < UNFAMILIAR_BELOW))
    return {
        "outside_videos": len(outside.ahead),
        "foreign_videos": len(foreign_p),
        "inside_videos": len(inside.ahead),
        "outside_aoi_flagged": round(outside.flagged, 4),
        "foreign_flagged": round(float(np.mean(foreign_p < UNFAMILIAR_BELOW)), 4),
        "outside_sure": round(outside.sure, 4),
        "inside_sure": round(inside.sure, 4),
        "false_alarms": round(max(inside.flagged, foreign_alarms), 4),
        "false_alarms_outside": round(inside.flagged, 4),
        "false_alarms_foreign": round(foreign_alarms, 4),
        "false_alarms_unseen_streets": round(unseen.flagged, 4),
        **{f"false_alarms_area_{radius_m / 1000:g}km": round(share, 4) for radius_m, share in small_areas(paths, seed).items()},
        "auroc": round(min(foreign_auroc, outside_auroc), 4),
        "auroc_outside": round(outside_auroc, 4),
        "auroc_foreign": round(foreign_auroc, 4),
        "outside_at_5_percent": round(at_false_alarms(inside.ahead, outside.ahead, 0.05), 4),
        "foreign_at_5_percent": round(at_false_alarms(familiar_p, foreign_p, 0.05), 4),
        "real": real(paths.calibration.familiarity, encoder),
    }


@dataclass(frozen=True)
class Group:
    """Drives searched for where they were taken, or where they were not.

    Args:
        ahead: (N,) log odds of having been taken inside.
        flagged: share that is withheld.
        sure: share that is not, and said to lie within 500 m of its line with more than even chances, on average over frames.
    """

    ahead: FloatArray
    flagged: float
    sure: float

    @classmethod
    def of(cls, found: Sequence[tuple[float, bool, float]]) -> Group:
        """From a drive's log odds, whether it is withheld, and its mean chance."""
        ahead, flagged, chance = np.array(found, dtype=np.float64).reshape(-1, 3).T
        return cls(ahead, float(flagged.mean()), float(np.mean((flagged == 0) & (chance > 0.5))))


def halves(paths: Paths, split: str = "test") -> tuple[Group, Group]:
    """Drives searched for in the half of their town that they were taken in, and in the other.

    Args:
        paths: calibrated.
        split: of the drives: ``test``, or ``test_unseen``, on streets that no training drive took.
    """
    known, ground = known_ground(paths)
    familiarity = paths.calibration.familiarity
    assert familiarity is not None
    found: dict[bool, list[tuple[float, bool, float]]] = {True: [], False: []}
    isle_of = np.array([_nearest_isle(paths.lab.world, place) for place in paths.lat_lon_deg])
    for isle in paths.lab.world.isles:
        drives = paths.lab.world.of(split, isle=isle)
        cells = np.flatnonzero(isle_of == isle)
        if not drives or not len(cells):
            continue
        middles = np.array([drive.sequence.lat_lon_deg.mean(axis=0) for drive in drives])
        axis = int(np.ptp(middles, axis=0).argmax())
        cut = float(np.median(middles[:, axis]))
        scores = [(paths.scores(drive), paths.scores(drive, ground)) for drive in drives]
        for side in (1.0, -1.0):
            area = cells[side * (paths.lat_lon_deg[cells, axis] - cut) >= 0]
            if not len(area):
                continue
            beyond = known.outside(paths.lat_lon_deg[area], paths.decoder.spacing_m)
            half = replace(paths, decoder=Decoder(paths.lat_lon_deg[area], paths.decoder.spacing_m, paths.calibration.motion))
            for drive, (inner, outer) in zip(drives, scores, strict=True):
                truth = drive.sequence.lat_lon_deg
                apart_m = haversine_m(truth[:, :1], truth[:, 1:], *paths.lat_lon_deg[area].T).min(axis=1)
                within = bool((side * (truth[:, axis] - cut) >= 0).all() and (apart_m < 2 * paths.decoder.spacing_m).all())
                if not within and apart_m.min() < _MARGIN_M:
                    continue
                lead = lead_beyond(inner[:, area].__getitem__, outer[:, beyond].__getitem__, len(drive.sequence))
                odds = known.log_odds(lead, beyond)
                flagged = known.is_outside(odds) or familiarity.p_value(drive.sequence.features[0]) < UNFAMILIAR_BELOW
                chance = answered(half, drive, inner[:, area])[1][:, RADII_M.index(_SURE_M)].mean()
                found[within].append((-odds, flagged, float(chance)))
    return Group.of(found[True]), Group.of(found[False])


def small_areas(paths: Paths, seed: int | str) -> dict[float, float]:
    """Share of test drives flagged as outside that are searched for in a disc about them, a little off, by its radius in metres."""
    known, ground = known_ground(paths)
    rng = np.random.default_rng(seed if isinstance(seed, int) else 0)
    flags: dict[float, list[bool]] = {radius_m: [] for radius_m in _SMALL_M}
    for drive in paths.lab.world.of("test")[::_EVERY]:
        truth, inner, outer = drive.sequence.lat_lon_deg, paths.scores(drive), paths.scores(drive, ground)
        middle = truth.mean(axis=0)
        half_m = float(haversine_m(*middle, *truth.T).max())
        for radius_m, found in flags.items():
            north, east = rng.uniform(-0.5, 0.5, 2) * radius_m / 111_195.0
            centre = middle + np.array([north, east / np.cos(np.radians(middle[0]))])
            area = haversine_m(*centre, *paths.lat_lon_deg.T) < radius_m + half_m
            beyond = known.outside(paths.lat_lon_deg[area], paths.decoder.spacing_m)
            lead = lead_beyond(inner[:, area].__getitem__, outer[:, beyond].__getitem__, len(truth))
            found.append(known.is_outside(known.log_odds(lead, beyond)))
    return {radius_m: float(np.mean(found)) for radius_m, found in flags.items()}


def known_ground(paths: Paths) -> tuple[Elsewhere, PlaceScores]:
    """Where the model was trained, and the scores over it."""
    known = paths.calibration.elsewhere
    assert known is not None
    reach_m = paths.calibration.recall.reach_m if paths.calibration.recall else known.spacing_m
    return known, PlaceScores(paths.model, known.lat_lon_deg, known.spacing_m, reach_m)


def _nearest_isle(world: IslesWorld, place: FloatArray) -> str:
    """The isle whose box's middle is nearest: isles lie far apart."""
    boxes = {name: area.bounds for name, area in world.areas.items()}
    return min(
        boxes,
        key=lambda name: float(
            haversine_m(
                place[0], place[1], np.asarray((boxes[name][1] + boxes[name][3]) / 2), np.asarray((boxes[name][0] + boxes[name][2]) / 2)
            )
        ),
    )


def foreign(world: IslesWorld) -> tuple[FloatArray, FloatArray]:
    """p-values of test drives on isles never seen, and on the isles that were learned; each isle is foreign once."""
    foreign_p, familiar_p = [], []
    for part in (0, 1):
        learned = {name for number, name in enumerate(world.isles) if number % 2 == part}
        training = sequences_of([drive for drive in world.of("train") if drive.isle in learned])
        first = torch.nn.Linear(training[0].features.shape[-1], _AXES)
        start_projection(first, training, recipe("default", **{key: value for key, value in OURS.items() if key != "recipe"}))
        known = fit_familiarity(
            [sequence.features[0] for sequence in training],
            [drive.sequence.features[0] for drive in world.of("val") if drive.isle in learned],
            axes=first.weight.detach().numpy(),
        )
        for drive in world.of(*TEST_SPLITS):
            if drive.isle not in learned:
                foreign_p.append(known.p_value(drive.sequence.features[0]))
            elif drive.split == "test":
                familiar_p.append(known.p_value(drive.sequence.features[0]))
    return np.array(foreign_p), np.array(familiar_p)


def real(familiarity: Familiarity, encoder: FrameEncoder) -> dict[str, Any]:
    """The real recordings put to what the isles taught: p-value and verdict by name; those that are absent are left out."""
    result = {}
    for name, file in FILES.items():
        if not (DATA / file).is_file():
            continue
        info = open_source(DATA / file, kind="video")
        with FrameReader(info, rate_hz=0.5, to_s=_REAL_S) as reader:
            pictures = [encoder.preprocess(frame.image) for frame in reader if frame.image is not None]
        features = np.concatenate(list(encoder.encode_prepared(iter(pictures))))[:, : encoder.feature_dim]
        p_value = familiarity.p_value(features)
        result[name] = {"frames": len(features), "p_value": round(p_value, 4), "flagged": bool(p_value < UNFAMILIAR_BELOW)}
    return result


def auroc(usual: FloatArray, odd: FloatArray) -> float:
    """Chance that an odd video has a lower value than a usual one, ties half (Mann-Whitney)."""
    ranks = rankdata(np.concatenate([usual, odd]))
    over = ranks[: len(usual)].sum() - len(usual) * (len(usual) + 1) / 2
    return float(over / (len(usual) * len(odd)))


def at_false_alarms(usual: FloatArray, odd: FloatArray, share: float) -> float:
    """Share of odd videos below the value that so many usual ones lie below: what the best threshold would flag."""
    return float(np.mean(odd < np.quantile(usual, share)))
