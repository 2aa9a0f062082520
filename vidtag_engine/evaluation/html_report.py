"""An evaluation as one HTML file that holds its pictures: to read, to keep, to send."""

from __future__ import annotations

import base64
import html
import io
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..atomic import write_text
from ..calibration.reliability import reliability
from ..export.colours import TRUTH_COLOUR
from ..file_marks import mark_of
from . import metrics
from .confidence import html_tables, reliability_picture
from .report import MOST_COLUMNS, length_text

if TYPE_CHECKING:
    from .report import Report

_INK = "#0b6fa4"
_STYLE = """body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}
img{max-width:100%;height:auto;border:1px solid #ddd}table{border-collapse:collapse}td,th{border-bottom:1px solid #ccc;padding:.25em .8em;text-align:right}
td:first-child,th:first-child{text-align:left}figure{margin:1.5em 0}figcaption,small{color:#555}"""


def write_html(path: Path, report: Report, *, overwrite: bool = False) -> None:
    """Write the report, whole or not at all. Raises InputError where it cannot be written."""
    title = f"Evaluation of {report.source}"
    figures = [
        ("Map: the answers, coloured by confidence, and the truth, dashed.", _map(report)),
        ("Error of each frame along the video.", _errors_picture(report)),
        ("Share of the frames within a distance of the truth.", _cumulative_picture(report)),
    ]
    if (calibrated := _reliability_picture(report)) is not None:
        figures.append(("Confidence said, and the share of frames truly within the radius; on the dashed line both agree.", calibrated))
    confidence = ""
    if report.confidence is not None:
        confidence = html_tables(report.confidence)
        if (by_radius := reliability_picture(report.confidence)) is not None:
            figures.append(("Probability said of lying within each radius, and the share of frames that truly did.", by_radius))
    pictures = "\n".join(
        f'<figure><img alt="{html.escape(text)}" src="data:image/png;base64,{base64.b64encode(png).decode("ascii")}">'
        f"<figcaption>{html.escape(text)}</figcaption></figure>"
        for text, png in figures
    )
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in report.notes())
    write_text(
        path,
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="generator" content="{mark_of("html")}">'
        f'<title>{html.escape(title)}</title><style>{_STYLE}</style></head>\n'
        f"<body>\n<h1>{html.escape(title)}</h1>\n{report.metrics_html()}\n<ul>{notes}</ul>\n{confidence}\n{pictures}\n"
        f"<p><small>Metrics as in VidTAG, App. E. Median error over all frames: {length_text(report.overall.median_m)}. "
        f"Written {datetime.now(UTC):%Y-%m-%d %H:%M} UTC.</small></p>\n</body></html>\n",
        "html",
        overwrite=overwrite,
    )


def _map(report: Report) -> bytes:
    with tempfile.TemporaryDirectory(prefix="vidtag-") as folder:
        picture = Path(folder) / "map.png"
        report.write_map(picture)
        return picture.read_bytes()


def _figure() -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 3.6), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.grid(visible=True, color="#e5e5e5")
    return figure, axes


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _by_video(report: Report) -> list[tuple[Any, Any, Any]]:
    """Result, comparison and errors of each video with compared frames."""
    pairs = [(result, report.comparisons.get(result.info.name)) for result in report.results]
    return [(r, c, metrics.errors_m(c.predicted, c.truth)) for r, c in pairs if c is not None and c.rows is not None and len(c.rows)]


def _errors_picture(report: Report) -> bytes:
    figure, axes = _figure()
    several = _by_video(report)
    for result, one, error_m in several:
        time_s = result.trajectory.time_s[one.rows]
        name = result.info.name.replace("$", r"\$") if 1 < len(several) <= MOST_COLUMNS else None
        axes.plot(time_s, error_m, linewidth=1, marker=".", markersize=3, label=name, color=None if len(several) > 1 else _INK)
    if 1 < len(several) <= MOST_COLUMNS:
        axes.legend(fontsize=8)
    axes.set(xlabel="seconds after the video's start", ylabel="error (m)", ylim=(0, None))
    return _png(figure)


def _cumulative_picture(report: Report) -> bytes:
    figure, axes = _figure()
    error_m = np.sort(np.concatenate([errors for _, _, errors in _by_video(report)]))
    share = 100.0 * np.arange(1, len(error_m) + 1) / len(error_m)
    axes.step(np.concatenate([[0.0], error_m]), np.concatenate([[0.0], share]), where="post", color=_INK)
    axes.axvline(float(np.median(error_m)), color=TRUTH_COLOUR, linestyle=":", label=f"median {length_text(float(np.median(error_m)))}")
    axes.set(xlabel="error (m)", ylabel="frames (%)", xlim=(0, None), ylim=(0, 102))
    axes.legend(fontsize=8, loc="lower right")
    return _png(figure)


def _reliability_picture(report: Report) -> bytes | None:
    """None where no frame has a confidence."""
    found = _by_video(report)
    said = np.concatenate([one.confidence for _, one, _ in found])
    right = np.concatenate([error_m <= one.radius_m for _, one, error_m in found])
    known = np.isfinite(said)
    if not known.any():
        return None
    bins = [entry for entry in reliability(said[known], right[known]) if entry.count]
    figure, axes = _figure()
    axes.plot([0, 1], [0, 1], color="#999999", linestyle="--", linewidth=1)
    axes.scatter(
        [entry.mean_confidence for entry in bins], [entry.share_correct for entry in bins],
        s=[20 + 300 * entry.count / known.sum() for entry in bins], color=_INK, alpha=0.8,
    )  # fmt: skip
    axes.set(xlabel="confidence said (larger dots: more frames)", ylabel="share within the radius", xlim=(0, 1), ylim=(-0.02, 1.02))
    return _png(figure)
