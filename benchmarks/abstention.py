"""Is it said when a video was not taken where it is searched for, or when a checkpoint cannot know? Isles (simulated), and real recordings by name.

Disjoint: drives are searched for in a copy of their town far out at sea, of which no training speaks. Halves: each isle is cut in two through the middle of its
drives; a drive is searched for in its own half, and in the other (500 m of margin). Few videos: what one isle's 1, 2, 5 or 18 drives teach is put to drives of
other isles, to held-out ones of their own streets (for one video: to its own held-out blocks), and to the real recordings. Such checkpoints show no probability.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vidtag_engine.calibration import fit_novelty
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.inference import PosteriorDecoder, chances
from vidtag_engine.models.frame_encoder import FrameEncoder
from vidtag_engine.training.dataset import split_sequences
from vidtag_engine.trajectory import LEAST_VIDEOS, RADII_M, TrainingGround
from vidtag_engine.types import FloatArray, FrameState
from vidtag_engine.video import FrameReader, open_source

from .isles_paths import Paths, open_lab, open_paths
from .isles_settings import TRAINING_SEEDS
from .isles_world import TEST_SPLITS, Drive, IslesWorld
from .recordings import DATA
from .splits import splits_of

TITLE = "Abstention: unknown ground, other halves, few videos (isles, simulated); Lund, GoPro and KLV (real)"
FILES = {
    "lund": "lund/walk.mp4",
    "gopro": "gopro/max-heromode.mp4",
    "klv": "klv/aphill_klv_10s.ts",
    "klv_h264": "klv/h264_klv.ts",
    "klv_1fps": "klv/aphill_240_1fps_crf32.mp4",
}
_MARGIN_M = 500.0
_REAL_S = 60.0
_SURE = RADII_M.index(500.0)
_AWAY_DEG = 2.0  # of longitude, into the sea
_DISJOINT = 100  # drives
_FEW = (1, 2, 5, 18)
_DRAWS = 3  # of so many videos, an isle
_FOREIGN = 20  # drives of other isles, a draw
_OWN_M = 50.0  # from the few videos, of a drive on their streets


def run(seed: int | str = 0, *, quick: bool = False, world: Path | None = None, layout: bool = True) -> dict[str, Any]:
    """Shares withheld and kept, pooled over three trainings.

    Args:
        seed: of the world.
        quick: a small world and budget.
        world: a folder with a rendered world, instead of the benchmark's own.
        layout: remembered frames are also compared by what stands where in them.
    """
    lab, encoder = open_lab(seed, quick=quick, world=world, layout=layout)
    split_of = {name: one.split for name, one in splits_of(lab.world, *TEST_SPLITS).items()}
    far: list[tuple[bool, bool]] = []
    found: dict[str, dict[bool, list[tuple[bool, bool]]]] = {}
    for training_seed in TRAINING_SEEDS:
        paths = open_paths(lab, training_seed)
        if training_seed == TRAINING_SEEDS[0]:
            far = list(disjoint(paths))
        for name, within, withheld, sure in halves(paths):
            found.setdefault(split_of[name], {True: [], False: []})[within].append((withheld, sure))
    result: dict[str, Any] = {"simulated": True, "disjoint_drives": len(far)}
    result |= dict(zip(("disjoint_withheld", "disjoint_by_look"), np.mean(far, axis=0).round(4).tolist(), strict=True))
    for split, sides in found.items():
        result |= {f"{key}_{split}": value for key, value in _shares(sides).items()}
    result |= _shares({side: [one for sides in found.values() for one in sides[side]] for side in (True, False)})
    return result | few_videos(lab.world, real_features(encoder))


def _shares(sides: dict[bool, list[tuple[bool, bool]]]) -> dict[str, Any]:
    withheld, sure = (np.array(sides[False], dtype=float).reshape(-1, 2)).T
    alarms = np.array(sides[True], dtype=float).reshape(-1, 2)[:, 0]
    shares = {"wrong_half_withheld": withheld, "wrong_half_sure": sure, "own_false_alarms": alarms}
    counts = {"wrong_half_drives": len(withheld), "own_half_drives": len(alarms)}
    return counts | {name: round(float(one.mean()), 4) if len(one) else None for name, one in shares.items()}


def disjoint(paths: Paths) -> Iterator[tuple[bool, bool]]:
    """Of drives searched for where no training speaks: whether they are withheld; and whether reference frames' reach and novelty alone would have it so."""
    isle = paths.isle_of_places()
    memory, database_weight = paths.model.memory, paths.calibration.database_weight
    assert memory is not None
    reach_m = database_weight.reach_m if database_weight else paths.decoder.spacing_m
    seen = TrainingGround.about(memory.places_deg, reach_m)
    drives = paths.lab.world.of("test")
    for name in paths.lab.world.isles:
        area = paths.lat_lon_deg[isle == name] + np.array([0.0, _AWAY_DEG])
        solver = paths.solver(area)
        nothing_seen = not seen.knows(area, paths.decoder.spacing_m).any()
        mine = [drive for drive in drives if drive.isle == name]
        for drive in mine[: -(-_DISJOINT // len(paths.lab.world.isles))]:
            withheld, _ = verdict_of(paths, solver, drive)
            novelty = paths.calibration.novelty
            assert novelty is not None
            yield withheld, nothing_seen or novelty.is_novel(novelty.p_value(drive.sequence.features[0]))


def halves(paths: Paths) -> Iterator[tuple[str, bool, bool, bool]]:
    """Name, whether the searched half is the drive's own, whether it is withheld, and whether it is given with even chances within 500 m, of each drive and half."""
    isle_of = paths.isle_of_places()
    for isle in paths.lab.world.isles:
        drives = paths.lab.world.of(*TEST_SPLITS, isle=isle)
        cells = np.flatnonzero(isle_of == isle)
        middles = np.array([drive.sequence.lat_lon_deg.mean(axis=0) for drive in drives])
        axis = int(np.ptp(middles, axis=0).argmax())
        cut = float(np.median(middles[:, axis]))
        for side in (1.0, -1.0):
            area = paths.lat_lon_deg[cells[side * (paths.lat_lon_deg[cells, axis] - cut) >= 0]]
            solver = paths.solver(area)
            for drive in drives:
                truth = drive.sequence.lat_lon_deg
                apart_m = haversine_m(truth[:, :1], truth[:, 1:], *area.T).min(axis=1)
                within = bool((side * (truth[:, axis] - cut) >= 0).all() and (apart_m < 2 * paths.decoder.spacing_m).all())
                if within or apart_m.min() >= _MARGIN_M:
                    yield drive.sequence.name, within, *verdict_of(paths, solver, drive)


def verdict_of(paths: Paths, solver: PosteriorDecoder, drive: Drive) -> tuple[bool, bool]:
    """Whether a drive is withheld; and whether it is given, with even chances or better, on average over frames, that it lies within 500 m."""
    video = solver.read(paths.seen(drive))
    decoded = solver.decode(video, drive.sequence.time_s)
    if solver.judge(video, decoded.lat_lon_deg).state is not FrameState.LOCATED:
        return True, False
    margin, recognised = solver.standing(video, decoded)
    chance = chances(solver.decoder, decoded, decoded.lat_lon_deg, solver.path, RADII_M, margin, recognised)
    return False, bool(chance[:, _SURE].mean() >= 0.5)


def few_videos(world: IslesWorld, recordings: dict[str, FloatArray]) -> dict[str, Any]:
    """What checkpoints of few videos withhold by novelty, as `vidtag train` fits it; by how many videos."""
    result: dict[str, Any] = {"few_video_rated": min(_FEW) >= LEAST_VIDEOS}
    for count in _FEW:
        foreign: list[bool] = []
        own: list[bool] = []
        real: list[bool] = []
        for number, isle in enumerate(world.isles):
            for draw in range(_DRAWS):
                rng = np.random.default_rng([number, draw, count])
                training = [drive.sequence for drive in world.of("train", isle=isle)]
                some = [training[at] for at in rng.permutation(len(training))[:count]]
                kept, held_out, _ = split_sequences(some, 0.15, 0)
                names = [one.name for one in (*kept, *held_out)]
                novelty = fit_novelty([one.features[0] for one in kept], [one.features[0] for one in held_out], names=names)

                def withheld(features: Sequence[FloatArray], novelty: Any = novelty) -> list[bool]:
                    return [bool(novelty.is_novel(novelty.p_value(one))) for one in features]

                ground = TrainingGround.about(np.concatenate([one.lat_lon_deg for one in some]), _OWN_M)
                near = [one.sequence for one in world.of("test", "val", isle=isle) if ground.knows(one.sequence.lat_lon_deg).mean() > 0.8]
                own += withheld([one.features[0] for one in (held_out if count == 1 else near)])
                others = [drive.sequence.features[0] for drive in world.of("test") if drive.isle != isle]
                foreign += withheld([others[at] for at in rng.permutation(len(others))[:_FOREIGN]])
                real += withheld(list(recordings.values()))
        result |= {
            f"few_video_foreign_{count}": round(float(np.mean(foreign)), 4),
            f"few_video_own_kept_{count}": round(1 - float(np.mean(own)), 4),
        }
        result |= {f"few_video_real_{count}": round(float(np.mean(real)), 4) if real else None, f"few_video_own_drives_{count}": len(own)}
    return result


def real_features(encoder: FrameEncoder) -> dict[str, FloatArray]:
    """Features of the real recordings by name; those that are absent are left out."""
    result: dict[str, FloatArray] = {}
    for name, file in FILES.items():
        if not (DATA / file).is_file():
            continue
        info = open_source(DATA / file, kind="video")
        with FrameReader(info, rate_hz=0.5, to_s=_REAL_S) as reader:
            pictures = [encoder.preprocess(frame.image) for frame in reader if frame.image is not None]
        features = np.concatenate(list(encoder.encode_prepared(iter(pictures))))[:, : encoder.feature_dim]
        result[name] = features
    return result
