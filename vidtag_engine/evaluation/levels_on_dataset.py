"""A CityGuessr checkpoint on CityGuessr68k: top-1 and top-5 of city, state, country and continent, in the three modes (its Table 1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..batch import default_cache_folder
from ..calibration.levels import LevelScores, level_scores
from ..datasets import Dataset
from ..feedback import Feedback
from ..guessing import LoadedCities
from ..models.cityguessr import Mode
from ..training.city_data import numbered
from ..training.city_run import labelled_videos
from ..training.city_trainer import labels_of_videos, scores_of
from ..types import LEVELS, InputError
from .report import plain_json

if TYPE_CHECKING:
    from rich.table import Table

MODES: tuple[Mode, ...] = ("codependent", "independent", "product")
"""The published default first."""


@dataclass(frozen=True)
class LevelsReport:
    """A checkpoint's levels on a split.

    Args:
        dataset, split: names.
        checkpoint: name and digest of the weights.
        videos: evaluated.
        modes: the scores in each mode.
        left_out: what was left out of the data set.
        notes: what people must know beside the numbers.
    """

    dataset: str
    split: str
    checkpoint: dict[str, str]
    videos: int
    modes: dict[str, LevelScores]
    left_out: dict[str, dict[str, int | str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; NaN becomes None."""
        modes = {mode: {"top1": one.top1, "top5": one.top5, "videos": one.videos} for mode, one in self.modes.items()}
        result: dict[str, Any] = plain_json({**{name: getattr(self, name) for name in self.__dataclass_fields__}, "modes": modes})
        return result

    def table(self) -> Table:
        """For a terminal: a row a level."""
        from rich.markup import escape
        from rich.table import Table

        table = Table(title=escape(f"{self.checkpoint['name']} on {self.dataset} ({self.split})"), caption=escape("\n".join(self.lines())))
        table.add_column(f"{self.videos:,} videos, % right")
        for mode in self.modes:
            table.add_column(mode, justify="right")
        table.add_column("among the best 5", justify="right")
        for level in LEVELS:
            each = [f"{one.top1[level]:.1f}" for one in self.modes.values()]
            table.add_row(level, *each, f"{next(iter(self.modes.values())).top5[level]:.1f}")
        return table

    def lines(self) -> Iterator[str]:
        """What was left out, and the notes, a sentence each."""
        for reason, said in self.left_out.items():
            yield f"Left out: {said['count']:,} {reason} (for example {said['example']})."
        yield from self.notes


def evaluate_levels(
    dataset: Dataset, loaded: LoadedCities, split: str = "val", *, feature_folder: Path | None = None, feedback: Feedback = Feedback()
) -> LevelsReport:
    """Evaluate a checkpoint on a split of CityGuessr68k. A city is known by its name and those of what it lies in.

    Args:
        dataset: opened.
        loaded: the checkpoint.
        split: the paper evaluates on ``val``.
        feature_folder: of backbone features; None is the user's cache folder.
        feedback: of the whole.

    Raises:
        InputError: a data set without cities, or none of its cities is known.
        CancelledError: stopped; features are kept.
    """
    feedback = feedback.saying("Stopped; features are kept, and the same command goes on from there.")
    folder = feature_folder or default_cache_folder().parent / "features" / dataset.name
    found, _ = labelled_videos(dataset, split, loaded.encoder, folder, loaded.card.rate_hz, feedback)
    videos = numbered(found, loaded.guesser.table)
    known = [video for video in videos if any(label >= 0 for label in video.labels)]
    if not known:
        raise InputError(f"The checkpoint knows none of the cities of {dataset.title}: evaluate one that was trained on it.")
    scores, labels = scores_of(loaded.guesser.net, known), labels_of_videos(known)
    notes = []
    if strangers := sum(video.labels[0] < 0 for video in videos):
        notes.append(f"{strangers:,} videos are of cities that the checkpoint does not know; their city is not judged.")
    return LevelsReport(
        dataset=dataset.name,
        split=split,
        checkpoint={"name": loaded.card.name, "sha256": loaded.card.sha256},
        videos=len(known),
        modes={mode: level_scores(scores, labels, loaded.guesser.table.hierarchy, mode) for mode in MODES},
        left_out=dataset.report.to_dict(),
        notes=tuple(notes),
    )
