"""What a video's posterior means: how scores are read, and how its mass becomes probabilities and regions. Fitted by video, kept in the checkpoint's card."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from ..types import FloatArray, InputError
from .decoder import EmissionModel, TransitionModel
from .novelty import NoveltyDetector
from .out_of_area import OutOfAreaDetector

_LEAST_MASS = 1e-4
_MOST_ACCURACY = 6.0  # spacings, of an unfitted line; as much as Seneca's reach is in its grid's steps


@dataclass(frozen=True)
class RadiusMap:
    """Mass within a radius, and the line's lead over places elsewhere, to probability: a logistic, never beyond what the videos it was fitted on can say.

    Args:
        radius_m: within.
        slope: of the mass's log odds; not negative.
        intercept: in log odds.
        lead: slope of the lead (:func:`.lead.score_margin`); not negative.
    """

    radius_m: float
    slope: float
    intercept: float
    lead: float = 0.0


@dataclass(frozen=True)
class DatabaseWeight:
    """How the checkpoint's remembered frames are read beside the location encoder.

    Args:
        weight: of their scores beside the cosines.
        reach_m: metres over which a remembered frame speaks for places around it.
        least: score below which it is not read, as it is what chance finds: the place may have been remembered from another lane, or only its neighbours were.
            None reads all.
    """

    weight: float
    reach_m: float
    least: float | None = None

    def read(self, likeness: FloatArray) -> FloatArray:
        """What the scores of places (B, M) by memory add to their cosines."""
        result: FloatArray = self.weight * (likeness if self.least is None else np.maximum(likeness, self.least))
        return result

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> DatabaseWeight:
        """Read what ``asdict`` wrote. Raises InputError where it cannot be used."""
        least = values.get("least")
        found = cls(float(values["weight"]), float(values["reach_m"]), None if least is None else float(least))
        if not all(math.isfinite(number) and number > 0 for number in (found.weight, found.reach_m)) or not math.isfinite(
            found.least or 0.0
        ):
            raise InputError(
                f"What the checkpoint remembers is read by {found}, where positive numbers are needed; fit it again with 'vidtag train'."
            )
        return found


@dataclass(frozen=True)
class PathCalibration:
    """How a checkpoint's videos are decoded.

    Args:
        evidence, motion, accuracy_m: of the decoder.
        spacing_m: of the cover that it was fitted on.
        videos: that it was fitted on.
        maps: by radius, rising; only radii within which some videos' truths lay. Of videos that are recognised.
        level50, level90: mass of the regions that held the truth with 50 and 90 % (conformal, by video); 1 is all known ground.
        unrecognised_maps, unrecognised50, unrecognised90: the same of videos that are not recognised (Mondrian conformal prediction: a fit a kind of video).
        recognised_from: how clearly (:func:`.lead.recognition`) a video's places must be recognised for it to be of the first kind; None: all are of one kind.
        familiarity: what training videos look like; None where that was not stored.
        elsewhere: where training videos were taken; None likewise.
        recall: of what the checkpoint remembers; None where it remembers nothing, or nothing that helps.
        line_evidence: that the line is sought by, where another makes better lines than the one that makes honest posteriors.
        leads: between which nearly all leads lay that the maps were fitted on; others count as the nearer one.
        unknown_share: of the searched area, that is unknown ground; it keeps this share of every probability.
    """

    evidence: EmissionModel
    motion: TransitionModel
    accuracy_m: float
    spacing_m: float
    videos: int
    maps: tuple[RadiusMap, ...]
    level50: float
    level90: float
    familiarity: NoveltyDetector | None = None
    elsewhere: OutOfAreaDetector | None = None
    recall: DatabaseWeight | None = None
    line_evidence: EmissionModel | None = None
    leads: tuple[float, float] = (0.0, 0.0)
    unrecognised_maps: tuple[RadiusMap, ...] = ()
    unrecognised50: float = 1.0
    unrecognised90: float = 1.0
    recognised_from: float | None = None
    unknown_share: float = 0.0

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
        lead: FloatArray | None = None,
        recognised: bool = True,
    ) -> FloatArray:
        """(T, R) P(the truth lies within each radius), never less than within a smaller one; NaN where nothing was fitted that says so.

        A map between two radii is in between (by their logarithms). Below the smallest radius that has a map, that one's probability is shared out as the mass is.

        Args:
            mass_within: gives the (T, R) posterior mass within radii.
            radii_m: (R,).
            lead: (T,) of the line; None where it is known otherwise, as from a person, that it has no rival.
            recognised: which kind the video is of.
        """
        radii, fitted_m = np.asarray(radii_m, dtype=np.float64), np.array([one.radius_m for one in self.maps])
        if not self.rated:
            return np.full_like(mass_within(radii), np.nan, dtype=np.float64)
        chance = self._chances(mass_within, np.append(fitted_m, radii), lead, recognised)
        # A larger disc holds the smaller; whatever else is asked, the radii that were fitted decide between which a chance lies.
        known = np.maximum.accumulate(chance[:, : len(fitted_m)], axis=1)
        edges = np.pad(known, ((0, 0), (1, 1)), constant_values=((0.0, 0.0), (0.0, 1.0)))
        least, most = edges[:, np.searchsorted(fitted_m, radii, side="right")], edges[:, 1 + np.searchsorted(fitted_m, radii, side="left")]
        found: FloatArray = (1.0 - self.unknown_share) * np.clip(chance[:, len(fitted_m) :], least, most)
        return found

    def _chances(
        self, mass_within: Callable[[FloatArray], FloatArray], radii: FloatArray, lead: FloatArray | None, recognised: bool
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
            ahead = np.interp(math.log(radius_m), log_radii, [one.lead for one in maps])
            over = self.leads[1] if lead is None else np.clip(lead, *self.leads)
            said = 1.0 / (1.0 + np.exp(-(slope * log_odds(mass[:, column]) + ahead * over + intercept)))
            # Add-one: n videos cannot speak of more than (n + 1) / (n + 2).
            chance[:, column] = np.clip(said, 1.0 / (self.videos + 2.0), (self.videos + 1.0) / (self.videos + 2.0))
        below = radii < smallest
        chance[:, below] *= own[:, below] / np.maximum(mass[:, -1:], 1e-9)
        return np.clip(chance, 0.0, 1.0)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        values = asdict(replace(self, familiarity=None, elsewhere=None))
        values |= {name: list(values[name]) for name in ("maps", "unrecognised_maps")}
        parts = {"familiarity": self.familiarity, "elsewhere": self.elsewhere}
        return values | {name: part.to_dict() if part else None for name, part in parts.items()}

    @classmethod
    def unfitted(
        cls, temperature: float, spacing_m: float, recall: DatabaseWeight | None = None, speed_mps: float | None = None
    ) -> PathCalibration:
        """What a checkpoint without one is decoded by: its frames' errors are taken as shared, and nothing is known of other places or strange videos.

        Args:
            temperature: of the softmax over cosines.
            spacing_m: of the cover.
            recall: of what the checkpoint remembers.
            speed_mps: of training videos; None where it is not known. Where both are there a line is sought too, by frames that each count in full.
        """
        evidence = EmissionModel(temperature * (1.0 + recall.weight if recall else 1.0), shared=1.0)
        found = cls(evidence, TransitionModel(), 2.0 * spacing_m, spacing_m, 0, (), 0.5, 0.9, recall=recall)
        if recall is None or speed_mps is None:
            return found
        # Cosines and likeness are read as one score, their weighted mean twice over.
        line = EmissionModel(temperature * (1.0 + recall.weight) / 2.0)
        # On a cover far finer than the reach a line that sought no more than the reach would settle between two places.
        accuracy_m = float(np.clip(recall.reach_m, 2.0 * spacing_m, _MOST_ACCURACY * spacing_m))
        return replace(found, motion=TransitionModel(speed_mps), line_evidence=line, accuracy_m=accuracy_m)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PathCalibration:
        """Read what ``to_dict`` wrote. Raises InputError where it cannot be used."""
        try:
            found = cls(
                evidence=_evidence(values["evidence"]),
                motion=TransitionModel(**{key: float(value) for key, value in values["motion"].items()}),
                accuracy_m=float(values["accuracy_m"]),
                spacing_m=float(values["spacing_m"]),
                videos=int(values["videos"]),
                maps=_maps(values["maps"]),
                level50=float(values["level50"]),
                level90=float(values["level90"]),
                familiarity=NoveltyDetector.from_dict(values["familiarity"]) if values.get("familiarity") else None,
                elsewhere=OutOfAreaDetector.from_dict(values["elsewhere"]) if values.get("elsewhere") else None,
                recall=DatabaseWeight.from_dict(values["recall"]) if values.get("recall") else None,
                line_evidence=_evidence(values["line_evidence"]) if values.get("line_evidence") else None,
                leads=_range(values.get("leads", (0.0, 0.0))),
                **_unrecognised(values),
                unknown_share=float(values.get("unknown_share", 0.0)),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(
                f"The checkpoint's calibration of paths cannot be read ({type(error).__name__}: {error}); fit it again with 'vidtag train'."
            ) from error
        numbers = [found.evidence.temperature, found.accuracy_m, found.spacing_m, found.motion.speed_mps]
        numbers += [found.line_evidence.temperature] if found.line_evidence else []
        if not all(math.isfinite(number) and number > 0 for number in numbers):
            raise InputError(
                f"The checkpoint's calibration of paths has {numbers}, where positive numbers are needed; fit it again with 'vidtag train'."
            )
        return found


def _maps(values: Sequence[Mapping[str, Any]]) -> tuple[RadiusMap, ...]:
    names = {field.name for field in fields(RadiusMap)}
    return tuple(RadiusMap(**{key: float(value) for key, value in one.items() if key in names}) for one in values)


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


def _evidence(values: Mapping[str, Any]) -> EmissionModel:
    return EmissionModel(**{key: float(value) for key, value in values.items()})


def log_odds(mass: FloatArray) -> FloatArray:
    """Log odds of masses, kept finite."""
    safe = np.clip(np.asarray(mass, dtype=np.float64), _LEAST_MASS, 1.0 - _LEAST_MASS)
    result: FloatArray = np.log(safe / (1.0 - safe))
    return result
