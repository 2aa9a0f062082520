"""What an evaluation on a data set says, as JSON and as tables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..types import FrameState
from .comparison import Comparison
from .confidence import ConfidenceScores, SaidOfVideo, scores_of, terminal_tables
from .evaluate import accuracy_of
from .methods import NETWORKS
from .report import UNKNOWN, Accuracy, accuracy_dict, accuracy_rows, plain_json
from .ways import WAYS, majority

if TYPE_CHECKING:
    from rich.table import Table

_SAID_OF = {
    "shipped": "what 'vidtag geolocate' answers: all that the checkpoint has, decoded together",
    NETWORKS: "the networks alone, frame by frame, as in the paper",
    "networks-decoded": "the networks, decoded, without reference images",
    "references": "reference images, decoded, without the networks",
}


@dataclass(frozen=True)
class Answer:
    """A sequence's answer beside its truth.

    Args:
        comparison: with a place for every frame, withheld or not.
        said: of how sure to be; None where nothing is said.
        state: of its verdict.
        why: not located.
        ways: (n,) how each frame lies to what was driven, of ``WAYS``; empty where that is not known.
    """

    comparison: Comparison
    said: SaidOfVideo | None = None
    state: FrameState = FrameState.LOCATED
    why: str = ""
    ways: tuple[str, ...] = ()


@dataclass(frozen=True)
class WayReport:
    """The frames that lie one way to what was driven.

    Args:
        frames: of all videos.
        videos: most of whose frames lie so.
        withheld_percent: of the frames.
        accuracy: of the frames; what is told of videos, DFD and MRD, is of those ``videos``.
        confidence: what probabilities and regions are worth there; None where none are said.
    """

    frames: int
    videos: int
    withheld_percent: float
    accuracy: Accuracy
    confidence: ConfidenceScores | None


@dataclass(frozen=True)
class DatasetReport:
    """What a checkpoint is worth on a split of a data set.

    Args:
        dataset, split: names.
        checkpoint: name and digest of the weights, and of the reference images where some are read.
        method: what of the checkpoint answered, of :data:`.methods.METHODS`.
        area: where each sequence was sought: ``region`` (its own) or ``all``.
        gallery: its kind, number of points and digest; where each region was searched by itself, those of each as ``areas``.
        sequences: evaluated.
        accuracy: over all their frames, each with the best guess where the answer would be withheld.
        answered: over the videos whose answer would not be withheld; None where that is all of them, or none.
        withheld: by the verdict's state, how many videos and frames would have no answer, with an example and why.
        confidence: what probabilities, regions and verdicts are worth; None where none are said.
        ways: by how frames lie to what was driven (:mod:`.ways`); empty where that is not known.
        regions: by city or area: sequences, frames, per cent of the frames within 1 km, median error in metres.
        levels_percent: of the videos, whose city, state, country and continent were right (Table 3); empty without such labels.
        left_out: what was left out of the data set: counts and an example by reason.
        notes: what people must know beside the numbers.
    """

    dataset: str
    split: str
    checkpoint: dict[str, str]
    method: str
    area: str
    gallery: dict[str, Any]
    sequences: int
    accuracy: Accuracy
    answered: Accuracy | None = None
    withheld: dict[str, dict[str, Any]] = field(default_factory=dict)
    confidence: ConfidenceScores | None = None
    ways: dict[str, WayReport] = field(default_factory=dict)
    regions: dict[str, dict[str, float]] = field(default_factory=dict)
    levels_percent: dict[str, float] = field(default_factory=dict)
    left_out: dict[str, dict[str, int | str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; NaN becomes None."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        values |= {
            "accuracy": accuracy_dict(self.accuracy),
            "answered": None if self.answered is None else accuracy_dict(self.answered),
            "confidence": None if self.confidence is None else self.confidence.to_dict(),
            "ways": {
                way: {
                    "frames": one.frames,
                    "videos": one.videos,
                    "withheld_percent": one.withheld_percent,
                    "accuracy": accuracy_dict(one.accuracy),
                    "confidence": None if one.confidence is None else one.confidence.to_dict(),
                }
                for way, one in self.ways.items()
            },
        }
        result: dict[str, Any] = plain_json(values)
        return result

    def table(self) -> Table:
        """For a terminal: a row a metric; a column for all frames, for those that are answered, and for each way that they lie to what was driven."""
        from rich.markup import escape
        from rich.table import Table

        table = Table(title=escape(f"{self.checkpoint['name']} on {self.dataset} ({self.split})"), caption=escape("\n".join(self.lines())))
        columns = [(f"{self.sequences:,} sequences", self.accuracy)]
        columns += [("answered", self.answered)] if self.answered is not None else []
        columns += [(way.replace("_", " "), one.accuracy) for way, one in self.ways.items()]
        table.add_column("metric (VidTAG, App. E)")
        for name, _ in columns:
            table.add_column(name, justify="right")
        for row in zip(*(accuracy_rows(accuracy) for _, accuracy in columns), strict=True):
            values = [value for _, value in row]
            if set(values) != {UNKNOWN}:  # of networks alone there is no confidence
                table.add_row(row[0][0], *values)
        if self.withheld:
            percent = [100.0 * sum(of["frames"] for of in self.withheld.values()) / max(1, self.accuracy.frames)]
            percent += [0.0] if self.answered is not None else []
            percent += [one.withheld_percent for one in self.ways.values()]
            table.add_row("frames withheld", *(f"{value:.1f} %" for value in percent))
        for level, right in self.levels_percent.items():
            table.add_row(f"videos in the right {level}", f"{right:.1f} %")
        return table

    def confidence_tables(self) -> list[Table]:
        """What the probabilities and the regions are worth, for a terminal; none where there are none."""
        return terminal_tables(self.confidence)

    def lines(self) -> Iterator[str]:
        """What answered, where, what was withheld and left out, and the notes, a sentence each."""
        yield f"Method {self.method}: {_SAID_OF[self.method]}."
        where = "Each sequence is sought in its own region. " if self.area == "region" else ""
        yield f"{where}Gallery: {self.gallery['kind']}, {self.gallery['count']:,} points."
        for state, said in self.withheld.items():
            yield f"Withheld, {state.replace('_', ' ')}: {said['videos']:,} videos, {said['frames']:,} frames (for example {said['example']})."
        for reason, said in self.left_out.items():
            yield f"Left out: {said['count']:,} {reason} (for example {said['example']})."
        yield from self.notes


def withheld_of(answers: Mapping[str, Answer]) -> dict[str, dict[str, Any]]:
    """By state, how many videos and frames have no answer, and one with why."""
    found: dict[str, dict[str, Any]] = {}
    for name, one in answers.items():
        if one.state is not FrameState.LOCATED:
            of = found.setdefault(one.state.value, {"videos": 0, "frames": 0, "example": f"{name}: {one.why.rstrip('.')}"})
            of["videos"] += 1
            of["frames"] += one.comparison.frames
    return dict(sorted(found.items()))


def answered_of(answers: Mapping[str, Answer], radii_km: Sequence[float]) -> Accuracy | None:
    """Of the videos that are answered; None where that is all of them, or none."""
    kept = [one.comparison for one in answers.values() if one.state is FrameState.LOCATED]
    return accuracy_of(kept, radii_km) if kept and len(kept) < len(answers) else None


def confidence_of(answers: Sequence[Answer]) -> ConfidenceScores | None:
    """Of all answers together; None where none says how sure to be."""
    said = [one.said for one in answers if one.said is not None]
    return scores_of(said) if said else None


def ways_of(answers: Mapping[str, Answer], radii_km: Sequence[float]) -> dict[str, WayReport]:
    """The answers by how their frames lie to what was driven; ways that none lies are left out."""
    found = {}
    mostly = {name: majority(one.ways) for name, one in answers.items() if one.ways}
    for way in WAYS:
        parts = [_part(one, way) for one in answers.values() if way in one.ways]
        if not parts:
            continue
        frames = sum(one.comparison.frames for one in parts)
        withheld = sum(one.comparison.frames for one in parts if one.state is not FrameState.LOCATED)
        videos = [answers[name].comparison for name, most in mostly.items() if most == way]
        accuracy = _of_videos(accuracy_of([one.comparison for one in parts], radii_km), videos, radii_km)
        found[way] = WayReport(frames, len(videos), 100.0 * withheld / frames, accuracy, confidence_of(parts))
    return found


def _part(of: Answer, way: str) -> Answer:
    """An answer's frames that lie one way."""
    chosen, whole = np.array([one == way for one in of.ways]), of.comparison
    comparison = replace(
        whole,
        predicted=whole.predicted[chosen],
        truth=whole.truth[chosen],
        phase1=whole.phase1[chosen],
        confidence=whole.confidence[chosen],
        frames=int(chosen.sum()),
        rows=None if whole.rows is None else whole.rows[chosen],
    )
    return replace(of, comparison=comparison, said=of.said.part(chosen) if of.said is not None and len(of.said) else of.said)


def _of_videos(frames: Accuracy, videos: Sequence[Comparison], radii_km: Sequence[float]) -> Accuracy:
    """An accuracy of frames, with what is told of videos, whole."""
    if not videos:
        return replace(
            frames, video_accuracy_percent=dict.fromkeys(radii_km, math.nan), video_median_m=math.nan, dfd_deg=math.nan, dfd_m=math.nan,
            mrd_deg=math.nan, mrd_m=math.nan,
        )  # fmt: skip
    whole = accuracy_of(videos, radii_km)
    names = ("video_accuracy_percent", "video_median_m", "dfd_deg", "dfd_m", "mrd_deg", "mrd_m")
    return replace(frames, **{name: getattr(whole, name) for name in names})
