"""What a video's posterior means: how scores are read, and how its mass becomes probabilities and regions. Fitted by video, kept in the checkpoint's card."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np

from ..directions import LEAST_SECTORS, MOST_SECTORS, Directions
from ..local_features import Rerank
from ..types import FloatArray, InputError
from .decoder import EmissionModel
from .novelty import NoveltyDetector
from .out_of_area import OutOfAreaDetector
from .transition import TransitionModel

# What a card calls each of these: its keys are older than their names here.
EMISSION_KEYS = {"outlier_probability": "blind", "error_correlation": "shared", "correlation_time_s": "memory_s"}
TRANSITION_KEYS = {"restart_probability": "jump", "inverse_process_noise": "steady"}
_MAP_KEYS = {"margin_slope": "lead"}
_KEYS = {
    "emission": "evidence", "transition": "motion", "line_emission": "line_evidence", "margin_range": "leads", "novelty": "familiarity",
    "out_of_area": "elsewhere", "database_weight": "recall",
}  # fmt: skip
_LEAST_MASS = 1e-4
_MOST_ACCURACY = 6.0  # spacings, of an unfitted line; as much as Seneca's reach is in its grid's steps


@dataclass(frozen=True)
class RadiusMap:
    """Mass within a radius, and the line's score margin, to probability: a logistic, never beyond what the videos it was fitted on can say.

    Args:
        radius_m: within.
        slope: of the mass's log odds; not negative.
        intercept: in log odds.
        margin_slope: of the margin (:func:`.score_margin.score_margin`); not negative.
    """

    radius_m: float
    slope: float
    intercept: float
    margin_slope: float = 0.0


class Reads(NamedTuple):
    """How reference images are compared, as :meth:`.ScoredPlaces.embedded` takes it; see :class:`DatabaseWeight`. None are, where ``reach_m`` is None."""

    reach_m: float | None = None
    neighbours: int | None = None
    either_way: bool = False
    directions: Directions | None = None
    sequence_mps: float | None = None
    rerank: Rerank | None = None


@dataclass(frozen=True)
class LikelihoodRatio:
    """How many times likelier a similarity is where a reference image shows the frame's place than where it shows another.

    Similarities count above what chance finds for the frame (:func:`.descriptor.chance_level`). In a share of the frames no reference image shows the place; there
    no similarity is likelier than another, and so no frame speaks against a place without bound.

    Args:
        slope, intercept: of the ratio's natural logarithm, a line in the similarity.
        shown_share: of the frames, whose place some reference image shows.
    """

    slope: float
    intercept: float
    shown_share: float

    def read(self, above: FloatArray) -> FloatArray:
        """The logarithm of the ratio, in units of similarity, of similarities above chance; any shape."""
        shown = np.float32(math.log(self.shown_share) + self.intercept) + np.float32(self.slope) * above
        found: FloatArray = np.logaddexp(np.float32(math.log(1.0 - self.shown_share)), shown) / np.float32(self.slope)
        return found

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LikelihoodRatio:
        """Read what ``asdict`` wrote. Raises InputError where it cannot be used."""
        found = cls(*(float(values[name]) for name in ("slope", "intercept", "shown_share")))
        if not (math.isfinite(found.slope) and found.slope > 0 and math.isfinite(found.intercept) and 0.0 < found.shown_share < 1.0):
            raise InputError(f"Similarities are read by {found}, which is no likelihood ratio; fit it again with 'vidtag calibrate'.")
        return found


@dataclass(frozen=True)
class DatabaseWeight:
    """How the reference database is read beside the location encoder.

    Args:
        weight: of its similarities beside the cosines.
        reach_m: metres over which a reference image speaks for places around it.
        least: similarity below which it is not read, as it is what chance finds: the place may have been seen from another lane, or only its neighbours were.
            None reads all.
        neighbours: nearest reference images of a frame that are read; None reads all, as checkpoints did that were made before this was here.
        either_way: frames are also compared as a street's other way would show them.
        sectors: of directions that are told apart; 0: none.
        sequence_mps: usual speed of cameras, at which sequences of frames are compared with those of references; None compares each frame by itself.
        ratio: what similarities say, in place of ``least``. None takes them as they are.
        rerank: how a frame's best references are judged by their details; None does not look at them, as checkpoints did that were made before this was here.
    """

    weight: float
    reach_m: float
    least: float | None = None
    neighbours: int | None = None
    either_way: bool = False
    sectors: int = 0
    sequence_mps: float | None = None
    ratio: LikelihoodRatio | None = None
    rerank: Rerank | None = None

    @property
    def directions(self) -> Directions | None:
        """What a state has beside its place; the nearest references alone tell of it."""
        return Directions(self.sectors) if self.sectors and self.neighbours is not None else None

    @property
    def reads(self) -> Reads:
        """What is compared."""
        return Reads(self.reach_m, self.neighbours, self.either_way, self.directions, self.sequence_mps, self.rerank)

    def read(self, similarity: FloatArray, chance: FloatArray) -> FloatArray:
        """What the similarities of frames to places (B, M) add to their cosines.

        Args:
            similarity: (B, M).
            chance: (B,) what chance finds for each frame.
        """
        result: FloatArray
        if self.ratio is None:
            result = self.weight * (similarity if self.least is None else np.maximum(similarity, self.least))
        else:
            result = self.weight * self.ratio.read(similarity - chance[:, None])
        return result

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> DatabaseWeight:
        """Read what ``asdict`` wrote. Raises InputError where it cannot be used."""
        least, neighbours, sequence_mps = (values.get(name) for name in ("least", "neighbours", "sequence_mps"))
        found = cls(
            float(values["weight"]),
            float(values["reach_m"]),
            None if least is None else float(least),
            None if neighbours is None else int(neighbours),
            bool(values.get("either_way", False)),
            int(values.get("sectors", 0)),
            None if sequence_mps is None else float(sequence_mps),
            LikelihoodRatio.from_dict(values["ratio"]) if values.get("ratio") else None,
            Rerank.from_dict(values["rerank"]) if values.get("rerank") else None,
        )
        positive = [found.weight, found.reach_m, *(() if found.sequence_mps is None else (found.sequence_mps,))]
        if (
            not all(math.isfinite(number) and number > 0 for number in positive)
            or not math.isfinite(found.least or 0.0)
            or (found.neighbours is not None and found.neighbours < 1)
            or not (found.sectors == 0 or MOST_SECTORS >= found.sectors >= LEAST_SECTORS)
        ):
            raise InputError(
                f"The reference database is read by {found}, where positive numbers are needed; fit it again with 'vidtag train'."
            )
        return found


REFINED = 1.2  # spacings that a place moves to its reference image at most


@dataclass(frozen=True)
class PathCalibration:
    """How a checkpoint's videos are decoded.

    Args:
        emission, transition, accuracy_m: of the decoder.
        spacing_m: of the cover that it was fitted on.
        videos: that it was fitted on.
        maps: by radius, rising; only radii within which some videos' truths lay. Of videos that are recognised.
        level50, level90: mass of the regions that held the truth with 50 and 90 % (conformal, by video); 1 is all known ground.
        unrecognised_maps, unrecognised50, unrecognised90: the same of videos that are not recognised (Mondrian conformal prediction: a fit a kind of video).
        recognised_from: how clearly (:func:`.recognition`) a video's places must be recognised for it to be of the first kind; None: all are of one kind.
        novelty: what training videos look like; None where that was not stored.
        out_of_area: where training videos were taken; None likewise.
        database_weight: of the reference images; None where the checkpoint keeps none, or none that help.
        line_emission: that the line is sought by, where another makes better lines than the one that makes honest posteriors.
        margin_range: between which nearly all margins lay that the maps were fitted on; others count as the nearer one.
        unknown_share: of the searched area, that is unknown ground; it keeps this share of every probability.
        at_references: the line's places are moved to the reference images beside them that are most like the frames (``REFINED`` spacings at most).
        refine_mps: usual speed that sequences of frames are compared at for that, as what drives saw one after the other tells neighbouring images apart; None
            goes by what was decoded.
        apart_m: from the line: beyond, it is another place, which margins and recognition are over (:func:`.rivals_from_m`). None is one and a half accuracies.
    """

    emission: EmissionModel
    transition: TransitionModel
    accuracy_m: float
    spacing_m: float
    videos: int
    maps: tuple[RadiusMap, ...]
    level50: float
    level90: float
    novelty: NoveltyDetector | None = None
    out_of_area: OutOfAreaDetector | None = None
    database_weight: DatabaseWeight | None = None
    line_emission: EmissionModel | None = None
    margin_range: tuple[float, float] = (0.0, 0.0)
    unrecognised_maps: tuple[RadiusMap, ...] = ()
    unrecognised50: float = 1.0
    unrecognised90: float = 1.0
    recognised_from: float | None = None
    unknown_share: float = 0.0
    at_references: bool = False
    refine_mps: float | None = None
    apart_m: float | None = None

    @property
    def rated(self) -> bool:
        """Whether held-out videos say what a mass means."""
        return bool(self.maps)

    def is_recognised(self, clearly: float) -> bool:
        """Whether a video's places are recognised clearly enough for it to be of the first kind; NaN is not."""
        return self.recognised_from is None or clearly >= self.recognised_from

    def levels(self, recognised: bool = True) -> tuple[float, float]:
        """Masses on known ground of the regions that hold the truth with 50 and 90 %, of either kind of video.

        Unknown ground keeps its share: what lies on known ground must be so much likelier to be held there. More than 1 is asked where unknown ground belongs to
        the region, too.
        """
        own = (self.level50, self.level90) if recognised else (self.unrecognised50, self.unrecognised90)
        asked = [share / max(1e-9, 1.0 - self.unknown_share) for share in (0.5, 0.9)]
        level50, level90 = (float(np.interp(share, (0.5, 0.9, 1.0), (*own, 1.0))) if share <= 1.0 else math.inf for share in asked)
        return level50, level90

    def chances(
        self,
        mass_within: Callable[[FloatArray], FloatArray],
        radii_m: Sequence[float],
        margin: FloatArray | None = None,
        recognised: bool = True,
    ) -> FloatArray:
        """(T, R) P(the truth lies within each radius), never less than within a smaller one; NaN where nothing was fitted that says so.

        A map between two radii is in between (by their logarithms). Below the smallest radius that has a map, that one's probability is shared out as the mass is.

        Args:
            mass_within: gives the (T, R) posterior mass within radii.
            radii_m: (R,).
            margin: (T,) of the line; None where it is known otherwise, as from a person, that it has no rival.
            recognised: which kind the video is of.
        """
        radii, fitted_m = np.asarray(radii_m, dtype=np.float64), np.array([one.radius_m for one in self.maps])
        if not self.rated:
            return np.full_like(mass_within(radii), np.nan, dtype=np.float64)
        chance = self._chances(mass_within, np.append(fitted_m, radii), margin, recognised)
        # A larger disc holds the smaller; whatever else is asked, the radii that were fitted decide between which a chance lies.
        known = np.maximum.accumulate(chance[:, : len(fitted_m)], axis=1)
        edges = np.pad(known, ((0, 0), (1, 1)), constant_values=((0.0, 0.0), (0.0, 1.0)))
        least, most = edges[:, np.searchsorted(fitted_m, radii, side="right")], edges[:, 1 + np.searchsorted(fitted_m, radii, side="left")]
        found: FloatArray = (1.0 - self.unknown_share) * np.clip(chance[:, len(fitted_m) :], least, most)
        return found

    def _chances(
        self, mass_within: Callable[[FloatArray], FloatArray], radii: FloatArray, margin: FloatArray | None, recognised: bool
    ) -> FloatArray:
        """Each radius by itself, as if the video had been taken on known ground."""
        maps = self.maps if recognised else self.unrecognised_maps or self.maps
        smallest = maps[0].radius_m
        mass = mass_within(np.append(np.maximum(radii, smallest), smallest))
        own = mass_within(radii)
        log_radii = np.log([one.radius_m for one in maps])
        chance = np.empty(own.shape)
        for column, radius_m in enumerate(np.maximum(radii, smallest)):
            slope = np.interp(math.log(radius_m), log_radii, [one.slope for one in maps])
            intercept = np.interp(math.log(radius_m), log_radii, [one.intercept for one in maps])
            ahead = np.interp(math.log(radius_m), log_radii, [one.margin_slope for one in maps])
            over = self.margin_range[1] if margin is None else np.clip(margin, *self.margin_range)
            said = 1.0 / (1.0 + np.exp(-(slope * log_odds(mass[:, column]) + ahead * over + intercept)))
            # Add-one: n videos cannot speak of more than (n + 1) / (n + 2).
            chance[:, column] = np.clip(said, 1.0 / (self.videos + 2.0), (self.videos + 1.0) / (self.videos + 2.0))
        below = radii < smallest
        chance[:, below] *= own[:, below] / np.maximum(mass[:, -1:], 1e-9)
        return np.clip(chance, 0.0, 1.0)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values under the keys that checkpoints have had from the first."""
        values = asdict(replace(self, novelty=None, out_of_area=None))
        values |= {"emission": _with_keys(self.emission, EMISSION_KEYS), "transition": _with_keys(self.transition, TRANSITION_KEYS)}
        if self.transition.limit_mps is None:  # a person's word on a run, which no checkpoint has
            del values["transition"]["limit_mps"]
        values["line_emission"] = _with_keys(self.line_emission, EMISSION_KEYS) if self.line_emission else None
        values |= {name: [_with_keys(one, _MAP_KEYS) for one in getattr(self, name)] for name in ("maps", "unrecognised_maps")}
        values |= {name: part.to_dict() if part else None for name, part in (("novelty", self.novelty), ("out_of_area", self.out_of_area))}
        return {_KEYS.get(name, name): value for name, value in values.items()}

    @classmethod
    def unfitted(
        cls, temperature: float, spacing_m: float, database_weight: DatabaseWeight | None = None, speed_mps: float | None = None
    ) -> PathCalibration:
        """What a checkpoint without one is decoded by: its frames' errors are taken as shared, and nothing is known of other places or of novelty.

        Args:
            temperature: of the softmax over cosines.
            spacing_m: of the cover.
            database_weight: of the reference images.
            speed_mps: of training videos; None where it is not known. Where both are there a line is sought too, by frames that each count in full.
        """
        emission = EmissionModel(temperature * (1.0 + database_weight.weight if database_weight else 1.0), error_correlation=1.0)
        found = cls(emission, TransitionModel(), 2.0 * spacing_m, spacing_m, 0, (), 0.5, 0.9, database_weight=database_weight)
        if database_weight is None or speed_mps is None:
            return found
        # Cosines and similarity are read as one score, their weighted mean twice over.
        line = EmissionModel(temperature * (1.0 + database_weight.weight) / 2.0)
        # On a cover far finer than the reach a line that sought no more than the reach would settle between two places.
        accuracy_m = float(np.clip(database_weight.reach_m, 2.0 * spacing_m, _MOST_ACCURACY * spacing_m))
        return replace(found, transition=TransitionModel(speed_mps), line_emission=line, accuracy_m=accuracy_m)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PathCalibration:
        """Read what ``to_dict`` wrote. Raises InputError where it cannot be used."""
        try:
            found = cls(
                emission=EmissionModel(**_from_keys(values["evidence"], EMISSION_KEYS)),
                transition=TransitionModel(**_from_keys(values["motion"], TRANSITION_KEYS)),
                accuracy_m=float(values["accuracy_m"]),
                spacing_m=float(values["spacing_m"]),
                videos=int(values["videos"]),
                maps=_maps(values["maps"]),
                level50=float(values["level50"]),
                level90=float(values["level90"]),
                novelty=NoveltyDetector.from_dict(values["familiarity"]) if values.get("familiarity") else None,
                out_of_area=OutOfAreaDetector.from_dict(values["elsewhere"]) if values.get("elsewhere") else None,
                database_weight=DatabaseWeight.from_dict(values["recall"]) if values.get("recall") else None,
                line_emission=EmissionModel(**_from_keys(values["line_evidence"], EMISSION_KEYS)) if values.get("line_evidence") else None,
                margin_range=_range(values.get("leads", (0.0, 0.0))),
                **_unrecognised(values),
                unknown_share=float(values.get("unknown_share", 0.0)),
                at_references=bool(values.get("at_references", False)),
                refine_mps=None if values.get("refine_mps") is None else float(values["refine_mps"]),
                apart_m=None if values.get("apart_m") is None else float(values["apart_m"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(
                f"The checkpoint's calibration of paths cannot be read ({type(error).__name__}: {error}); fit it again with 'vidtag train'."
            ) from error
        numbers = [found.emission.temperature, found.accuracy_m, found.spacing_m, found.transition.speed_mps]
        numbers += [found.line_emission.temperature] if found.line_emission else []
        numbers += [one for one in (found.refine_mps, found.apart_m) if one is not None]
        numbers += [found.transition.limit_mps] if found.transition.limit_mps is not None else []
        if not all(math.isfinite(number) and number > 0 for number in numbers):
            raise InputError(
                f"The checkpoint's calibration of paths has {numbers}, where positive numbers are needed; fit it again with 'vidtag train'."
            )
        return found


def _with_keys(record: Any, keys: Mapping[str, str]) -> dict[str, Any]:
    """A dataclass's values under a card's keys."""
    return {keys.get(name, name): value for name, value in asdict(record).items()}


def _from_keys(values: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, float]:
    """The other way."""
    names = {key: name for name, key in keys.items()}
    return {names.get(key, key): float(value) for key, value in values.items()}


def _maps(values: Sequence[Mapping[str, Any]]) -> tuple[RadiusMap, ...]:
    names = {_MAP_KEYS.get(field.name, field.name) for field in fields(RadiusMap)}
    return tuple(RadiusMap(**_from_keys({key: value for key, value in one.items() if key in names}, _MAP_KEYS)) for one in values)


def _unrecognised(values: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of the kind of video that is not recognised; nothing of checkpoints that have one kind alone."""
    if not values.get("unrecognised_maps") or values.get("recognised_from") is None:
        return {}
    levels = {name: float(values[name]) for name in ("unrecognised50", "unrecognised90", "recognised_from")}
    return {"unrecognised_maps": _maps(values["unrecognised_maps"]), **levels}


def _range(values: Sequence[Any]) -> tuple[float, float]:
    low, high = map(float, values)
    if not math.isfinite(low) or not math.isfinite(high) or low > high:
        raise ValueError(f"a range from {low} to {high}")
    return low, high


def log_odds(mass: FloatArray) -> FloatArray:
    """Log odds of masses, kept finite."""
    safe = np.clip(np.asarray(mass, dtype=np.float64), _LEAST_MASS, 1.0 - _LEAST_MASS)
    result: FloatArray = np.log(safe / (1.0 - safe))
    return result
