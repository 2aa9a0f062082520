"""What an evaluation says, as JSON, as tables and as a map."""

from __future__ import annotations

import html
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.table import Table

    from ..truth_offset import TruthOffset
    from ..types import Track, VideoResult
    from .comparison import Comparison
    from .confidence import ConfidenceScores

FORMAT_VERSION = 1
UNKNOWN = "–"
MOST_COLUMNS = 5
"""Videos that a table shows side by side."""


@dataclass(frozen=True)
class Confidence:
    """What the confidences are worth: their mean beside the share of frames truly within the radius, ECE and Brier score.

    ``radius_m`` is NaN where videos with different radii are taken together. ``not_rated`` counts the compared frames without a confidence, which none
    of the others are about.
    """

    radius_m: float
    mean: float
    share_within: float
    ece: float
    brier: float
    not_rated: int = 0


@dataclass(frozen=True)
class Accuracy:
    """The paper's metrics (App. E) over the frames that could be compared; see :mod:`.metrics`.

    ``frame_accuracy_percent`` and ``video_accuracy_percent`` are a_r by radius in km. DFD and MRD are means over the videos.
    """

    frames: int
    compared: int
    frame_accuracy_percent: dict[float, float]
    median_m: float
    mean_m: float
    p90_m: float
    phase1_median_m: float
    video_accuracy_percent: dict[float, float]
    video_median_m: float
    dfd_deg: float
    dfd_m: float
    mrd_deg: float
    mrd_m: float
    confidence: Confidence


@dataclass(frozen=True)
class VideoReport:
    """One video: how many of its frames were compared, why the others were not, and how well it did (None for no frame)."""

    name: str
    frames: int
    compared: int
    left_out: dict[str, int]
    note: str
    accuracy: Accuracy | None
    truth_offset: TruthOffset | None = None


@dataclass(frozen=True)
class Report:
    """An evaluation of one or many videos.

    Args:
        source: what was evaluated, for people.
        radii_km: of a_r.
        videos: one by one.
        overall: all compared frames together.
        results: what was compared, for the map.
        truth: one track for all videos, or tracks by name.
        area: the searched area (shapely), where it is known.
        comparisons: the compared frames by video name, for the error layer and the pictures.
        confidence: what probabilities, regions and verdicts are worth; None where the result has none.
    """

    source: str
    radii_km: tuple[float, ...]
    videos: tuple[VideoReport, ...]
    overall: Accuracy
    results: tuple[VideoResult, ...] = field(default=(), repr=False, compare=False)
    truth: Track | Mapping[str, Track] | None = field(default=None, repr=False, compare=False)
    area: Any | None = field(default=None, repr=False, compare=False)
    comparisons: Mapping[str, Comparison] = field(default_factory=dict, repr=False, compare=False)
    confidence: ConfidenceScores | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values: NaN becomes None, lengths are in metres and DFD and MRD in km too."""
        plain: dict[str, Any] = plain_json(
            {
                "format_version": FORMAT_VERSION,
                "source": self.source,
                "radii_km": list(self.radii_km),
                "overall": accuracy_dict(self.overall),
                "confidence": None if self.confidence is None else self.confidence.to_dict(),
                "videos": [
                    {
                        "name": one.name,
                        "frames": one.frames,
                        "compared": one.compared,
                        "left_out": one.left_out,
                        "note": one.note,
                        "truth_offset": None if one.truth_offset is None else one.truth_offset.to_dict(),
                        "accuracy": None if one.accuracy is None else accuracy_dict(one.accuracy),
                    }
                    for one in self.videos
                ],
            }
        )
        return plain

    def columns(self) -> list[tuple[str, Accuracy]]:
        """What a table of the metrics has side by side: each video (up to ``MOST_COLUMNS``), and all together where it is not a single one."""
        columns = [(one.name, one.accuracy) for one in self.videos if one.accuracy is not None]
        if len(columns) == 1:
            return columns
        return [*(columns if len(columns) <= MOST_COLUMNS else []), (f"all {len(columns)} videos", self.overall)]

    def metrics_html(self) -> str:
        """The metrics as an HTML table."""
        columns = self.columns()
        head = "".join(f"<th>{html.escape(name)}</th>" for name, _ in columns)
        rows = zip(*[list(accuracy_rows(accuracy)) for _, accuracy in columns], strict=True)
        body = "\n".join(f"<tr><td>{row[0][0]}</td>{''.join(f'<td>{html.escape(cell)}</td>' for _, cell in row)}</tr>" for row in rows)
        return f"<table><thead><tr><th>metric</th>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"

    def table(self) -> Table:
        """Return the numbers for a terminal: a row a metric, a column a video (up to five), and all together."""
        from rich.markup import escape
        from rich.table import Table

        columns = self.columns()
        table = Table(title=f"Evaluation of {escape(self.source)}", caption=escape("\n".join(self.notes())), caption_justify="left")
        table.add_column("metric (VidTAG, App. E)")
        for name, _ in columns:
            table.add_column(escape(name), justify="right")
        cells = [list(accuracy_rows(accuracy)) for _, accuracy in columns]
        for row in zip(*cells, strict=True):
            table.add_row(row[0][0], *(cell for _, cell in row))
        return table

    def _repr_html_(self) -> str:
        """What a notebook shows: the metrics, and what must be known beside them."""
        return self.metrics_html() + "".join(f"<p>{html.escape(note)}</p>" for note in self.notes())

    def confidence_tables(self) -> list[Table]:
        """Return what the probabilities and the regions are worth, for a terminal; none where the result has none."""
        from .confidence import terminal_tables

        return terminal_tables(self.confidence)

    def notes(self) -> list[str]:
        """Return what people must know beside the numbers: how the truth was laid on the video, what was left out and why, and what was said of videos."""
        from ..export import verdict_sentence

        lines = []
        for one in self.videos:
            prefix = f"{one.name}: " if len(self.videos) > 1 else ""
            lines.append(prefix + one.note)
            if one.truth_offset is not None:
                lines.append(one.truth_offset.note)
            if one.left_out:
                why = "; ".join(f"{count}: {reason}" for reason, count in one.left_out.items())
                lines.append(f"{prefix}{one.frames - one.compared} of {one.frames} frames could not be compared ({why}).")
        lines += [said for result in self.results if (said := verdict_sentence(result))]
        if count := self.overall.confidence.not_rated:
            lines.append(f"{count} of {self.overall.compared} compared frames are not rated: what is told of confidence leaves them out.")
        return lines

    def write_map(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write a picture of the answers, coloured by confidence, beside the truth. Raises InputError where it cannot be written."""
        from ..export import write_map

        write_map(Path(path), self.results, aoi=self.area, truth=self.truth, overwrite=overwrite)


def length_text(metres: float) -> str:
    """Say a length so that it can be read: metres below a kilometre, else kilometres."""
    if not math.isfinite(metres):
        return UNKNOWN
    if metres < 1000.0:
        return f"{metres:.1f} m" if metres < 100.0 else f"{metres:.0f} m"
    return f"{metres / 1000.0:.2f} km"


def accuracy_rows(accuracy: Accuracy) -> Iterator[tuple[str, str]]:
    """Name and value of each metric for people, always the same names in the same order."""

    def number(value: float, digits: int, unit: str = "") -> str:
        return f"{value:.{digits}f}{unit}" if math.isfinite(value) else UNKNOWN

    confidence = accuracy.confidence
    yield "frames compared", f"{accuracy.compared} of {accuracy.frames}"
    for radius, percent in accuracy.frame_accuracy_percent.items():
        yield f"frames within {radius:g} km", number(percent, 1, " %")
    yield "median error", length_text(accuracy.median_m)
    yield "90th percentile", length_text(accuracy.p90_m)
    yield "median error of Phase I", length_text(accuracy.phase1_median_m)
    for radius, percent in accuracy.video_accuracy_percent.items():
        yield f"videos within {radius:g} km", number(percent, 1, " %")
    yield "video error (median)", length_text(accuracy.video_median_m)
    yield "DFD", f"{number(accuracy.dfd_deg, 5, '°')}  {length_text(accuracy.dfd_m)}"
    yield "MRD", f"{number(accuracy.mrd_deg, 5, '°')}  {length_text(accuracy.mrd_m)}"
    yield "confidence radius", length_text(confidence.radius_m)
    yield "mean confidence", number(confidence.mean, 3)
    yield "share truly within it", number(confidence.share_within, 3)
    yield "calibration error (ECE)", number(confidence.ece, 3)
    yield "Brier score", number(confidence.brier, 3)


def accuracy_dict(accuracy: Accuracy) -> dict[str, Any]:
    """Metrics by name, DFD and MRD in km too; NaN stays."""
    values = asdict(accuracy)
    for name in ("frame_accuracy_percent", "video_accuracy_percent"):
        values[name] = {f"{radius:g}": percent for radius, percent in values[name].items()}
    values["dfd_km"], values["mrd_km"] = accuracy.dfd_m / 1000.0, accuracy.mrd_m / 1000.0
    return values


def plain_json(value: Any) -> Any:
    """Values as JSON knows them: keys are texts, tuples lists, and numbers that are not finite None."""
    if isinstance(value, dict):
        return {str(key): plain_json(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain_json(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
