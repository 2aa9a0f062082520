"""One temperature, fitted on validation frames, that makes the mass within R a probability.

The softmax mass within R of a pick should equal P(truth within R of the pick), at every R asked about at once. There is one number to
fit, the temperature, by log loss against targets smoothed as in Platt (1999): with n frames of which all are right the target is
(n+1)/(n+2), so that few frames cannot drive the temperature to zero. Nothing here depends on the gallery's size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..types import FloatArray, InputError
from .elsewhere import Elsewhere
from .familiarity import Familiarity
from .ground import TrainingGround
from .path_calibration import PathCalibration, Recall

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MassAt = Callable[[FloatArray], FloatArray]

# Cosines differ by 1e-4 between neighbours of a fine grid and by 1 at most: outside these bounds softmax is one-hot or flat.
TEMPERATURE_BOUNDS = (1e-4, 10.0)
_COARSE, _FINE, _FINE_ROUNDS = 26, 9, 2
_UNCALIBRATED_MARGIN = 1e-3
_NEVER_CERTAIN = 1e-12
# Fewer held-out videos cannot say how a video's frames err together: fitted on two, the decoder moved Seneca's second flight (real) from 18 to 25 m.
LEAST_VIDEOS = 8


@dataclass(frozen=True)
class ReliabilityBin:
    """Frames whose confidence lies in [low, high): how many, their mean confidence, and the share that was right."""

    low: float
    high: float
    count: int
    mean_confidence: float
    share_correct: float


@dataclass(frozen=True)
class RadiusFit:
    """How a calibration does at one radius, on the frames it was fitted on."""

    radius_m: float
    share_correct: float
    mean_confidence: float
    brier: float


@dataclass(frozen=True)
class Calibration:
    """How a mass becomes a confidence; kept in the checkpoint's card.

    Args:
        temperature: of the softmax over the gallery.
        similarity: whose scores the softmax is over: "phase1" (frames to locations) or "phase2" (refined to locations).
        n_frames: validation frames it was fitted on; 0 means that it was not fitted.
        ece, brier, log_loss: of the confidences on those same frames, all radii together; NaN where not fitted.
        by_radius: the same, radius by radius.
        path: how whole videos are decoded and what their posterior means; None in checkpoints that were made without it.
        recall: where there is no ``path``, how what the checkpoint remembers is read; None where it remembers nothing.
        speed_mps: likewise, how fast training videos moved; None where that is not known.
        familiarity, elsewhere: likewise, what training videos look like and where they were taken; None where that is not known.
        ground: places that the checkpoint can speak of; None in checkpoints that were made before it was kept, and of weights trained by others.
        videos: held out, that ``path`` is fitted on or would have been; 0 where none were.
    """

    temperature: float
    similarity: str = "phase1"
    n_frames: int = 0
    ece: float = math.nan
    brier: float = math.nan
    log_loss: float = math.nan
    by_radius: tuple[RadiusFit, ...] = ()
    path: PathCalibration | None = None
    recall: Recall | None = None
    speed_mps: float | None = None
    familiarity: Familiarity | None = None
    elsewhere: Elsewhere | None = None
    ground: TrainingGround | None = None
    videos: int = 0

    @property
    def fitted(self) -> bool:
        """Whether validation frames stand behind it."""
        return self.n_frames > 0

    @property
    def cannot_tell(self) -> str:
        """Why no probability is shown with this checkpoint's answers, as a clause; empty where one is."""
        if self.ground is None and (self.path is not None or self.fitted):
            return "it was made before checkpoints kept what they know; 'vidtag calibrate' mends that without training"
        if self.ground is None:
            return "its confidence was never calibrated for an area; train a checkpoint for yours with 'vidtag train'"
        if self.path is None or not self.path.rated:
            held_out = f"{self.videos} videos were held out" if self.videos != 1 else "1 video was held out"
            return f"{held_out} to calibrate it, and it takes {LEAST_VIDEOS}; train on more videos, or give some to 'vidtag calibrate'"
        return ""

    def confidence(self, mass: ArrayLike) -> FloatArray:
        """Confidences of masses, any shape; NaN stays NaN.

        Add-one (Laplace): n frames cannot speak of more than (n+1)/(n+2). It keeps the order and never gives 0 or 1. Without
        a fit the mass is only kept from being certain.
        """
        known = np.asarray(mass, dtype=np.float64)
        if not self.fitted:
            return np.clip(known, _UNCALIBRATED_MARGIN, 1.0 - _UNCALIBRATED_MARGIN)
        return _add_one(np.clip(known, 0.0, 1.0), self.n_frames)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; NaN becomes None."""
        parts: dict[str, Any] = {"path": self.path, "familiarity": self.familiarity, "elsewhere": self.elsewhere, "ground": self.ground}
        values = asdict(replace(self, recall=None, path=None, familiarity=None, elsewhere=None, ground=None))
        values["by_radius"] = [{key: _plain(value) for key, value in entry.items()} for entry in values["by_radius"]]
        plain = {key: _plain(value) for key, value in values.items() if key not in {*parts, "recall"}}
        plain |= {"recall": asdict(self.recall)} if self.recall else {}
        return plain | {name: part.to_dict() for name, part in parts.items() if part is not None}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Calibration:
        """Read what ``to_dict`` wrote. Raises InputError where there is no usable temperature."""
        try:
            by_radius = tuple(
                RadiusFit(**{key: _number(entry[key]) for key in ("radius_m", "share_correct", "mean_confidence", "brier")})
                for entry in values.get("by_radius") or ()
            )
            found = cls(
                temperature=float(values["temperature"]),
                similarity=str(values.get("similarity", "phase1")),
                n_frames=int(values.get("n_frames") or 0),
                ece=_number(values.get("ece")),
                brier=_number(values.get("brier")),
                log_loss=_number(values.get("log_loss")),
                by_radius=by_radius,
                path=PathCalibration.from_dict(values["path"]) if values.get("path") else None,
                recall=Recall.from_dict(values["recall"]) if values.get("recall") else None,
                speed_mps=None if values.get("speed_mps") is None else float(values["speed_mps"]),
                familiarity=Familiarity.from_dict(values["familiarity"]) if values.get("familiarity") else None,
                elsewhere=Elsewhere.from_dict(values["elsewhere"]) if values.get("elsewhere") else None,
                ground=TrainingGround.from_dict(values["ground"]) if values.get("ground") else None,
                videos=int(values.get("videos") or 0),
            )
        except InputError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(
                f"The checkpoint's calibration cannot be read ({type(error).__name__}: {error}); fit it again with 'vidtag train'."
            ) from error
        if not (math.isfinite(found.temperature) and found.temperature > 0 and found.n_frames >= 0):
            raise InputError(
                f"The checkpoint's calibration has temperature {found.temperature} and {found.n_frames} frames, where a positive"
                " temperature is needed; fit it again with 'vidtag train'."
            )
        if found.speed_mps is not None and not (math.isfinite(found.speed_mps) and found.speed_mps > 0):
            raise InputError(
                f"The checkpoint's calibration has a speed of {found.speed_mps} m/s, where a positive one is needed; fit it again with"
                " 'vidtag train'."
            )
        if found.similarity not in {"phase1", "phase2"}:
            raise InputError(
                f"The checkpoint's calibration names the similarity {found.similarity!r}, where 'phase1' or 'phase2' is needed;"
                " fit it again with 'vidtag train'."
            )
        return found


def fit_temperature(
    mass_at: MassAt,
    correct: NDArray[np.bool_],
    *,
    radii_m: ArrayLike | None = None,
    similarity: str = "phase1",
    bounds: tuple[float, float] = TEMPERATURE_BOUNDS,
) -> Calibration:
    """Fit the temperature at which the mass within each radius matches how often the truth lies there.

    Args:
        mass_at: takes (K,) temperatures and gives (K, n_frames, n_radii) masses around the picks; called three times.
        correct: (n_frames, n_radii), whether the truth lies within each radius of the pick.
        radii_m: (n_radii,) for the record.
        similarity: what the scores are, for the record: "phase1" or "phase2".
        bounds: of the temperature.

    Raises:
        InputError: no frame has a mass and a truth.
        ValueError: the shapes do not fit.
    """
    correct = np.asarray(correct, dtype=bool)
    if correct.ndim != 2:
        raise ValueError(f"correct must be (n_frames, n_radii), not {correct.shape}")
    radii = np.full(correct.shape[1], np.nan) if radii_m is None else np.asarray(radii_m, dtype=np.float64)
    if radii.shape != correct.shape[1:]:
        raise ValueError(f"{radii.size} radii for {correct.shape[1]} columns")

    temperatures = np.geomspace(*bounds, _COARSE)
    best, mass = _lowest_loss(mass_at, temperatures, correct)
    for _ in range(_FINE_ROUNDS):
        low, high = temperatures[max(best - 1, 0)], temperatures[min(best + 1, len(temperatures) - 1)]
        temperatures = np.geomspace(low, high, _FINE)
        best, mass = _lowest_loss(mass_at, temperatures, correct)

    known = np.isfinite(mass).all(axis=1)
    mass, correct = mass[known], correct[known]
    said = _add_one(np.clip(mass, 0.0, 1.0), len(mass))
    fits = tuple(
        RadiusFit(float(radii[r]), float(correct[:, r].mean()), float(said[:, r].mean()), brier(said[:, r], correct[:, r]))
        for r in range(len(radii))
    )
    return Calibration(
        temperature=float(temperatures[best]),
        similarity=similarity,
        n_frames=len(mass),
        ece=ece(said, correct),
        brier=brier(said, correct),
        log_loss=log_loss(said, correct),
        by_radius=fits,
    )


def reliability(confidence: ArrayLike, correct: ArrayLike, bins: int = 10) -> list[ReliabilityBin]:
    """Reliability table over bins of equal width; empty bins are left out, and frames whose confidence is NaN."""
    said, right = _pairs(confidence, correct)
    place = np.minimum((said * bins).astype(int), bins - 1)
    table = []
    for number in range(bins):
        here = place == number
        if here.any():
            low, high = number / bins, (number + 1) / bins
            table.append(ReliabilityBin(low, high, int(here.sum()), float(said[here].mean()), float(right[here].mean())))
    return table


def ece(confidence: ArrayLike, correct: ArrayLike, bins: int = 10) -> float:
    """Expected calibration error: |mean confidence - share correct| over bins of equal width, weighted by count; NaN for none."""
    table = reliability(confidence, correct, bins)
    count = sum(entry.count for entry in table)
    if not count:
        return math.nan
    return sum(entry.count * abs(entry.mean_confidence - entry.share_correct) for entry in table) / count


def brier(confidence: ArrayLike, correct: ArrayLike) -> float:
    """Mean squared difference between confidence and what was (1 or 0); NaN for none."""
    said, right = _pairs(confidence, correct)
    return float(np.mean((said - right) ** 2)) if said.size else math.nan


def log_loss(confidence: ArrayLike, correct: ArrayLike) -> float:
    """Mean negative log likelihood in nats; NaN for none."""
    said, right = _pairs(confidence, correct)
    return float(np.mean(_cross_entropy(said, right))) if said.size else math.nan


def _add_one(mass: FloatArray, n_frames: int) -> FloatArray:
    result: FloatArray = (n_frames * mass + 1.0) / (n_frames + 2.0)
    return result


def _cross_entropy(said: FloatArray, target: FloatArray) -> FloatArray:
    safe = np.clip(said, _NEVER_CERTAIN, 1.0 - _NEVER_CERTAIN)
    result: FloatArray = -(target * np.log(safe) + (1.0 - target) * np.log1p(-safe))
    return result


def _lowest_loss(mass_at: MassAt, temperatures: FloatArray, correct: NDArray[np.bool_]) -> tuple[int, FloatArray]:
    """Index of the best temperature, and the masses (n_frames, n_radii) there."""
    mass = np.asarray(mass_at(temperatures), dtype=np.float64)
    if mass.shape != (len(temperatures), *correct.shape):
        raise ValueError(f"mass_at gave {mass.shape} where {(len(temperatures), *correct.shape)} is needed")
    known = np.isfinite(mass).all(axis=(0, 2))
    n_frames = int(known.sum())
    if not n_frames or not correct.shape[1]:
        raise InputError("There is no validation frame with both a position and a truth to fit the confidence on: give a longer track.")
    right = correct[known].sum(axis=0)
    # Platt's targets, then the same add-one that the confidence gets: the optimum is where the mass itself equals Platt's target.
    target = np.where(correct[known], (right + 1.0) / (right + 2.0), 1.0 / (n_frames - right + 2.0))
    said = _add_one(np.clip(mass[:, known], 0.0, 1.0), n_frames)
    loss = _cross_entropy(said, _add_one(target, n_frames)[None]).mean(axis=(1, 2))
    # A flat stretch (every radius holds the whole gallery) says nothing: take its middle, not its most confident end.
    tied = np.flatnonzero(loss <= loss.min() + 1e-12)
    best = int(tied[len(tied) // 2])
    return best, mass[best]


def _pairs(confidence: ArrayLike, correct: ArrayLike) -> tuple[FloatArray, FloatArray]:
    said, right = np.broadcast_arrays(np.asarray(confidence, dtype=np.float64), np.asarray(correct, dtype=np.float64))
    known = np.isfinite(said) & np.isfinite(right)
    return said[known], right[known]


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
