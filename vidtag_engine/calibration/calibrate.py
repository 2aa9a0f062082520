"""How whole videos are decoded, fitted on a trained model's held-out sequences."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..datasets.training_sequence import TrainingSequence
from ..feedback import Feedback
from ..inference import Emissions, FrameScores, ScoredPlaces
from ..local_features import Rerank
from ..models import PlaceRecognizer, VidTAG
from ..reference.database import StoredReferences
from ..reference.similarity import ELSEWHERE, NEIGHBOURS, reach_of
from ..trajectory import DatabaseWeight, NoveltyDetector, OutOfAreaDetector, PathCalibration
from ..trajectory.decoder import Decoder
from ..trajectory.decoder_calibration import REFINED, Reads
from ..types import FloatArray
from .fit_decoder import best_weight, fit_path, typical_speed_mps
from .likelihood import fit_ratio
from .novelty import fit_novelty, with_held_out
from .out_of_area import Searched, fit_out_of_area, training_ground
from .posteriors import FitVideo
from .rerank import fit_rerank

_MOST_VIDEOS = 1_000
_MOST_FRAMES = 64  # of a video
_MOST_HELD = 200_000_000  # scores of all videos, both kinds: 400 MB
_WEIGHTS = (0.0, 1.0, 4.0, 16.0, 64.0, 256.0)  # of the reference database
# Across, of what is hidden about a video: a street that nobody drove has streets beside it that were driven, and they look like it.
_BLOCK_M = 120.0
_CHANCE = 2.0  # standard deviations of a frame's scores over all places, below which similarity is what chance finds
# Where in the whole fit its parts begin and end, and what they are called.
_WEIGHT_SHARE, _PATH_SHARE, _WITHHOLDING_SHARE = (0.0, 0.45), (0.45, 0.85), (0.85, 1.0)  # of the fit's time
_STOPPED = "Stopped while fitting the confidence; run the same command again to go on from there."
_UNSEEN = 5  # one video in so many is expected on ways that no training video went


@torch.inference_mode()
def calibrate_path(
    model: VidTAG | PlaceRecognizer,
    cover_lat_lon_deg: FloatArray,
    spacing_m: float,
    training: Sequence[TrainingSequence],
    validation: Sequence[TrainingSequence],
    *,
    temperature: float,
    reach_m: float,
    undriven: NDArray[np.bool_] | None = None,
    places: FloatArray | None = None,
    novelty: NoveltyDetector | None = None,
    neighbours: int | None = NEIGHBOURS,
    either_way: bool = False,
    sectors: int = 0,
    in_sequence: bool = False,
    likelihood_ratios: bool = True,
    like: PathCalibration | None = None,
    own: Callable[[int], torch.Tensor] | None = None,
    block_m: float | None = None,
    seed: int = 0,
    feedback: Feedback = Feedback(),
) -> PathCalibration:
    """Fit decoding, confidence, regions and abstention.

    Args:
        model: trained, in evaluation; with what it is to remember.
        cover_lat_lon_deg: (M, 2) an even cover of the training area; of it what is known ground, as videos are decoded over that.
        spacing_m: of it.
        training: for speeds, places and what is familiar.
        validation: held out; evenly out of all where there are very many.
        undriven: (V,) which of them went where the model saw no training frame (:func:`.streets.hold_out_streets`). None, or none: the networks saw every
            street, and only the reference images near each are hidden once.
        temperature: where the search for one begins.
        reach_m: over which a reference image speaks for places around it.
        places: (N, 2) of the training, where ``training`` does not hold it.
        novelty: what is known of its features; likewise.
        neighbours: reference images of a frame that are read; None reads all.
        either_way: whether frames are also compared as a street's other way would show them.
        sectors: of directions that are told apart; 0: none.
        in_sequence: whether sequences of frames are compared with those of references, rather than each frame by itself.
        likelihood_ratios: whether similarities are read as likelihood ratios, where the nearest references are read.
        like: fitted with the model that will answer; how it reads scores and seeks lines is taken over, and what follows from it about how sure to be is fitted with
            ``model``, which saw less. None fits both with ``model``.
        own: of held-out videos that are among the reference images: gives (N,) which are of a video, by its number. They are never read for it.
        block_m: across, of what is hidden about a video's frames to see how it fares on a street that nobody drove; None is 120 m, or
            the reach where that is less.
        seed: of everything random.
        feedback: of the whole fit; asked to stop between videos.
    """
    feedback = feedback.saying(_STOPPED)
    flags = np.zeros(len(validation), dtype=bool) if undriven is None else undriven
    some = list(range(0, len(validation), -(-len(validation) // _MOST_VIDEOS)))
    chosen, flags = [_middle(validation[n], _MOST_FRAMES) for n in some], flags[some]
    speed = typical_speed_mps([_path(sequence) for sequence in training])
    sequence_mps = speed if in_sequence and neighbours is not None and math.isfinite(speed) else None
    reach = DatabaseWeight(1.0, reach_m, None, neighbours, either_way, sectors, sequence_mps).reads
    cover = ScoredPlaces.embedded(model, cover_lat_lon_deg, spacing_m, *reach)
    mine = [own(number) if own else None for number in some]
    frames = [
        Emissions(model, s.seen, hidden=rows, keep_features=False, time_s=s.time_s, local=s.local)
        for s, rows in zip(chosen, mine, strict=True)
    ]
    # Held-out videos share their ways with training; new ones may not. Those that do not count as much as there are expected to be of them.
    rare = (~flags).sum() / ((_UNSEEN - 1) * max(1, flags.sum()))
    taken = [_Taken(of, s, bool(far), rare if far else 1.0) for of, s, far in zip(frames, chosen, flags, strict=True)]
    if model.memory is not None and not flags.any():
        aside_m = (block_m or min(reach_m, _BLOCK_M)) / 2.0
        taken += [
            _Taken(_without_street(model, of, s, aside_m), s, True, 1.0 / (_UNSEEN - 1)) for of, s in zip(frames, chosen, strict=True)
        ]
    taken = [taken[number] for number in np.random.default_rng(seed).permutation(len(taken))]
    if like is None:
        rerank = _reranked(model, cover, zip(frames, chosen, strict=True), reach_m, feedback.check)
    else:
        rerank = like.database_weight.rerank if like.database_weight else None
    reach = reach._replace(rerank=rerank)
    cover = replace(cover, rerank=rerank)
    held = _Held(cover)
    least, ratio = None, None
    if like is None and model.memory is not None:
        least = _chance([held.of(one) for one in frames])
    if like is None and likelihood_ratios and model.memory is not None:
        given = [(held.of(one), s.lat_lon_deg) for one, s in zip(frames, chosen, strict=True)]
        ratio = fit_ratio(given, cover_lat_lon_deg, reach_m, 1.0 - 1.0 / _UNSEEN, seed)

    def weighted(weight: float) -> DatabaseWeight | None:
        if like is not None:
            return like.database_weight
        return DatabaseWeight(weight, reach_m, least, neighbours, either_way, sectors, sequence_mps, ratio, rerank) if weight else None

    # Lines go to references by what decodes them; where that compares each frame by itself, also by sequences, whichever does better.
    ways = (None,) if sequence_mps is not None or not math.isfinite(speed) else (None, speed)

    def refiners(one: _Taken) -> tuple[Callable[[FloatArray], FloatArray], ...]:
        """What moves a video's line to reference images."""
        scores = held.of(one.frames)
        return tuple(partial(scores.refined, within_m=REFINED * spacing_m, sequence_mps=way) for way in ways) if scores.references else ()

    def videos(weight: float) -> list[FitVideo]:
        reading = weighted(weight)
        return [
            FitVideo(
                held.of(one.frames).read(reading, directed=reading is not None),
                *_path(one.of),
                one.unseen,
                one.weight,
                held.of(one.frames).read_similarity() if reading else None,
                refiners(one) if reading else (),
            )
            for one in taken
        ]

    places = _places(training) if places is None else places
    options: dict[str, Any] = {"temperature": temperature, "speed_mps": speed}
    # Where nothing else speaks of places, there is nothing to weigh references against.
    weights = (1.0,) if isinstance(model, PlaceRecognizer) else _WEIGHTS if model.memory is not None else (0.0,)
    weights = weights if like is None else (like.database_weight.weight if like.database_weight else 0.0,)
    weight = best_weight(
        cover_lat_lon_deg, spacing_m, videos, weights, directions=reach.directions, feedback=feedback.part(*_WEIGHT_SHARE), **options
    )
    directions = reach.directions if weight else None
    found = fit_path(
        cover_lat_lon_deg,
        spacing_m,
        videos(weight),
        directions=directions,
        refine_mps=ways,
        like=like,
        apart_m=ELSEWHERE * reach_of(reach_m, spacing_m) if weight else None,
        feedback=feedback.part(*_PATH_SHARE),
        **options,
    )
    known = _out_of_area(model, reach, spacing_m, places, taken, held, weighted(weight), seed, feedback.part(*_WITHHOLDING_SHARE))
    detector = with_held_out(novelty, [s.features[0] for s in chosen]) if novelty is not None else _novelty(training, chosen, seed)
    return replace(found, videos=len(chosen), out_of_area=known, novelty=detector, database_weight=weighted(weight))


@torch.inference_mode()
def fit_abstention(
    model: VidTAG | PlaceRecognizer,
    cover_lat_lon_deg: FloatArray,
    spacing_m: float,
    training: Sequence[TrainingSequence],
    validation: Sequence[TrainingSequence],
    *,
    database_weight: DatabaseWeight | None,
    reach_m: float,
    seed: int = 0,
    feedback: Feedback = Feedback(),
) -> tuple[OutOfAreaDetector, NoveltyDetector]:
    """When to withhold, where too few videos are held out to fit how they are decoded.

    Args:
        model, cover_lat_lon_deg, spacing_m, training, reach_m, seed, feedback: as :func:`calibrate_path`.
        validation: held out, or blocks of videos that were; may be none.
        database_weight: how the reference database is read.
    """
    some = [_middle(s, _MOST_FRAMES) for s in validation]
    taken = [
        _Taken(Emissions(model, s.seen, keep_features=False, time_s=s.time_s, local=s.local), s, unseen=False, weight=1.0) for s in some
    ]
    reach = database_weight.reads if database_weight else Reads(reach_m)
    held = _Held(ScoredPlaces.embedded(model, cover_lat_lon_deg, spacing_m, *reach))
    known = _out_of_area(model, reach, spacing_m, _places(training), taken, held, database_weight, seed, feedback.saying(_STOPPED))
    return known, _novelty(training, some, seed)


def _novelty(training: Sequence[TrainingSequence], held_out: Sequence[TrainingSequence], seed: int) -> NoveltyDetector:
    seen = [[s.features[0] for s in part] for part in (training, held_out)]
    return fit_novelty(*seen, names=[s.name for s in (*training, *held_out)], seed=seed)


def _without_street(model: VidTAG | PlaceRecognizer, of: Emissions, video: TrainingSequence, aside_m: float) -> Emissions:
    """The same frames with the reference images near their way hidden, too."""
    # Asked where the model keeps references.
    assert model.memory is not None  # nosec B101
    near = model.memory.near(video.lat_lon_deg, aside_m)
    rows = near if of.hidden is None else near | of.hidden
    return Emissions(model, video.seen, of.queries, rows, keep_features=False, time_s=video.time_s, local=of.local)


def _out_of_area(
    model: VidTAG | PlaceRecognizer,
    reach: Reads,
    spacing_m: float,
    places: FloatArray,
    taken: Sequence[_Taken],
    held: _Held,
    database_weight: DatabaseWeight | None,
    seed: int,
    feedback: Feedback,
) -> OutOfAreaDetector:
    """What out-of-area scores mean."""
    cover_lat_lon_deg = held.cover.lat_lon_deg
    known = training_ground(cover_lat_lon_deg, spacing_m, places)
    # Every place of it is one of the cover's, and scored with that; but where it is very large, each stands for more ground.
    within = Decoder(cover_lat_lon_deg, spacing_m).nearest(known.lat_lon_deg)
    ground = ScoredPlaces.embedded(model, known.lat_lon_deg, known.spacing_m, *reach) if known.spacing_m > spacing_m else None

    def scored() -> Iterator[Searched]:
        for number, one in enumerate(taken):
            feedback.check()
            feedback.tell(number / len(taken), "confidence", "fitting when to withhold an answer")
            every = slice(0, len(one.of))
            own = held.of(one.frames)
            there = one.frames.at(ground) if ground else None
            inner, similar = own.read(database_weight)(every), own.similarity(every)
            outer = there.read(database_weight)(every) if there else inner[:, within]
            beyond = there.similarity(every) if there else None if similar is None else similar[:, within]
            both = None if database_weight is None or similar is None or beyond is None else (similar, beyond)
            yield Searched(inner, outer, one.of.lat_lon_deg, one.weight, both)

    return fit_out_of_area(known, cover_lat_lon_deg, spacing_m, scored(), seed)


@dataclass(frozen=True)
class _Taken:
    """A held-out video that is fitted on: its frames as they are scored, itself, whether its way is one that no training took, and how much it counts."""

    frames: Emissions
    of: TrainingSequence
    unseen: bool
    weight: float


class _Held:
    """Held-out videos' scores over a cover, held in half precision of those asked for first, while there is room."""

    def __init__(self, cover: ScoredPlaces) -> None:
        self.cover, self._room = cover, _MOST_HELD
        self._held: dict[int, FrameScores] = {}

    def of(self, video: Emissions) -> FrameScores:
        """A video's scores; nothing is computed before they are read."""
        if id(video) not in self._held:
            found = video.at(self.cover, self._room, np.float16)
            self._room -= found.size if found.holds else 0
            self._held[id(video)] = found
        return self._held[id(video)]


def _reranked(
    model: VidTAG | PlaceRecognizer,
    cover: ScoredPlaces,
    videos: Iterable[tuple[Emissions, TrainingSequence]],
    reach_m: float,
    before_each: Callable[[], None],
) -> Rerank | None:
    """How references are re-ranked; None where details were not kept of both, or say nothing. Whatever is fitted after this reads what is re-ranked."""
    memory = model.memory
    if memory is None or memory.local is None:
        return None
    # Rows are those of all references, removed ones too.
    places = memory.store.lat_lon_deg if isinstance(memory, StoredReferences) else memory.places_deg
    # These scores are read once, and a video's are let go of before the next one's.
    return fit_rerank(((of.at(cover, 0), s.lat_lon_deg) for of, s in videos), places, reach_m, before_each)


def _chance(videos: Sequence[FrameScores]) -> float:
    """Similarity that chance finds: so many standard deviations over a frame's mean over all places, on average over frames."""
    found = []
    for video in videos:
        similarity = video.similarity(slice(0, len(video)))
        # The model keeps frames: chance is asked of nothing else.
        assert similarity is not None  # nosec B101
        found.append(similarity.mean(axis=1) + _CHANCE * similarity.std(axis=1))
    return float(np.concatenate(found).mean())


def _middle(sequence: TrainingSequence, frames: int) -> TrainingSequence:
    start = max(0, (len(sequence) - frames) // 2)
    return sequence.part(start, start + frames) if len(sequence) > frames else sequence


def _places(sequences: Sequence[TrainingSequence]) -> FloatArray:
    return np.concatenate([s.lat_lon_deg for s in sequences])


def _path(sequence: TrainingSequence) -> tuple[FloatArray, FloatArray]:
    return sequence.time_s, sequence.lat_lon_deg
