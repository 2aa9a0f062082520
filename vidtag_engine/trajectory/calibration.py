"""How a checkpoint's answers are read: the temperature of its scores, and what was fitted on held-out videos."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..types import FloatArray, InputError
from .decoder_calibration import DatabaseWeight, PathCalibration
from .ground import TrainingGround
from .novelty import NoveltyDetector
from .out_of_area import OutOfAreaDetector

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


_UNCALIBRATED_MARGIN = 1e-3
# Fewer held-out videos cannot say how a video's frames err together: fitted on two, the decoder moved Seneca's second flight (real) from 18 to 25 m.
LEAST_VIDEOS = 8
UNFITTED_TEMPERATURE = 0.05  # of similarities alone, where nothing could be fitted
# Of the reference database beside the location encoder, likewise: of 1, 2 and 4 it put most frames of a flight (Seneca, tuning direction) within 40 m.
UNFITTED_WEIGHT = 2.0


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
        database_weight: where there is no ``path``, how the reference database is read; None where the checkpoint keeps none.
        speed_mps: likewise, how fast training videos moved; None where that is not known.
        novelty, out_of_area: likewise, what training videos look like and where they were taken; None where that is not known.
        ground: places that the checkpoint can speak of; None in checkpoints that were made before it was kept, and of weights trained by others.
        videos: held out, that ``path`` is fitted on or would have been; 0 where none were.
        of_references: it is of a database of reference images, whose own drives were left out in turn.
        beside: it is of a checkpoint that reads such a database in place of its own frames, which nobody has measured.
    """

    temperature: float
    similarity: str = "phase1"
    n_frames: int = 0
    ece: float = math.nan
    brier: float = math.nan
    log_loss: float = math.nan
    by_radius: tuple[RadiusFit, ...] = ()
    path: PathCalibration | None = None
    database_weight: DatabaseWeight | None = None
    speed_mps: float | None = None
    novelty: NoveltyDetector | None = None
    out_of_area: OutOfAreaDetector | None = None
    ground: TrainingGround | None = None
    videos: int = 0
    of_references: bool = False
    beside: bool = False

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
        if self.beside:
            return (
                "how sure to be of this checkpoint with these reference images was never measured; "
                "give 'vidtag calibrate' both and videos with tracks, or take one of them alone"
            )
        if self.of_references:
            return self._references_cannot_tell
        return "" if self.path is not None and self.path.rated else self._held_out_cannot_tell

    @property
    def _held_out_cannot_tell(self) -> str:
        """Why the videos that were held out did not do."""
        if self.videos >= LEAST_VIDEOS:
            return f"too few of the {self.videos} videos that were held out to calibrate it were found at all; train on more videos, or for longer"
        held_out = f"{self.videos} videos were held out" if self.videos != 1 else "1 video was held out"
        return f"{held_out} to calibrate it, and it takes {LEAST_VIDEOS}; train on more videos, or give some to 'vidtag calibrate'"

    @property
    def _references_cannot_tell(self) -> str:
        """The same of a database of reference images."""
        if not self.videos:
            return "its database has no drive of four images or more, or was changed since 'vidtag reference calibrate' was run last"
        if self.path is not None and self.path.rated:
            return ""
        if self.videos >= LEAST_VIDEOS:
            return f"too few of its {self.videos} drives are found again by the others; add drives of the same streets with 'vidtag reference build'"
        drives = f"{self.videos} drives" if self.videos != 1 else "1 drive"
        return (
            f"its database has {drives} of four images or more, and it takes {LEAST_VIDEOS} to tell; add more with 'vidtag reference build'"
        )

    def confidence(self, mass: ArrayLike) -> FloatArray:
        """Confidences of masses, any shape; NaN stays NaN.

        Add-one (Laplace): n frames cannot speak of more than (n+1)/(n+2). It keeps the order and never gives 0 or 1. Without
        a fit the mass is only kept from being certain.
        """
        known = np.asarray(mass, dtype=np.float64)
        if not self.fitted:
            return np.clip(known, _UNCALIBRATED_MARGIN, 1.0 - _UNCALIBRATED_MARGIN)
        return add_one(np.clip(known, 0.0, 1.0), self.n_frames)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; NaN becomes None."""
        parts: dict[str, Any] = {"path": self.path, "familiarity": self.novelty, "elsewhere": self.out_of_area, "ground": self.ground}
        values = asdict(replace(self, database_weight=None, path=None, novelty=None, out_of_area=None, ground=None))
        values["by_radius"] = [{key: _plain(value) for key, value in entry.items()} for entry in values["by_radius"]]
        left_out = {"database_weight", "path", "novelty", "out_of_area", "ground"}
        plain = {key: _plain(value) for key, value in values.items() if key not in left_out}
        del plain["beside"]  # of a run, and never stored
        if not self.of_references:  # what checkpoints never had
            del plain["of_references"]
        plain |= {"recall": asdict(self.database_weight)} if self.database_weight else {}
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
                database_weight=DatabaseWeight.from_dict(values["recall"]) if values.get("recall") else None,
                speed_mps=None if values.get("speed_mps") is None else float(values["speed_mps"]),
                novelty=NoveltyDetector.from_dict(values["familiarity"]) if values.get("familiarity") else None,
                out_of_area=OutOfAreaDetector.from_dict(values["elsewhere"]) if values.get("elsewhere") else None,
                ground=TrainingGround.from_dict(values["ground"]) if values.get("ground") else None,
                videos=int(values.get("videos") or 0),
                of_references=bool(values.get("of_references", False)),
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


def add_one(mass: FloatArray, n_frames: int) -> FloatArray:
    """Masses as n frames can say them: never less than 1 in n + 2, nor more than n + 1 in n + 2."""
    result: FloatArray = (n_frames * mass + 1.0) / (n_frames + 2.0)
    return result


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
