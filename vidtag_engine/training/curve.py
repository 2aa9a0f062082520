"""The picture of a training run: loss and validation error against steps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..atomic import replacing
from ..file_marks import mark_of

_FEW = 20  # a line through fewer points is hard to see, and one point has none


@dataclass(frozen=True)
class Judged:
    """What of held-out videos is drawn: the row's key, words for the axis, the key that says which row was best, and whether that is the one with most of it."""

    key: str
    label: str
    by: str
    most: bool = False


METRES = Judged("median_m", "validation median error (m)", "score")


def draw_curve(rows: list[dict[str, Any]], path: Path, judged_by: Judged = METRES, *, step: str = "step", overwrite: bool = False) -> None:
    """Draw the log's rows, a panel a stage: loss on the left axis, on the right how held-out videos were judged.

    A stage of which nothing was measured (it had no steps and no validation) has no panel; without any stage there is no picture.
    """
    rows = [row for row in rows if row["loss"] is not None or judged_by.key in row]
    stages = list(dict.fromkeys(row["stage"] for row in rows))
    if not stages:
        return
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.0 * len(stages), 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    for number, stage in enumerate(stages):
        mine = [row for row in rows if row["stage"] == stage]
        axis = figure.add_subplot(1, len(stages), number + 1)
        lossy = [r for r in mine if r["loss"] is not None]
        judged = [r for r in mine if judged_by.key in r]
        axis.set(title=stage, xlabel=step)
        if lossy:
            axis.plot([r[step] for r in lossy], [r["loss"] for r in lossy], color="#777777", marker="." if len(lossy) < _FEW else "")
            axis.set_ylabel("training loss")
        else:
            axis.set_yticks([])
            axis.set_title(f"{stage}: not trained")
        if judged:
            right = axis.twinx()
            right.plot([r[step] for r in judged], [r[judged_by.key] for r in judged], color="#0b6fa4", marker="o", markersize=3)
            best = (max if judged_by.most else min)(judged, key=lambda r: r[judged_by.by])
            right.axvline(best[step], color="#0b6fa4", linewidth=0.8, linestyle=":")
            right.set_ylabel(judged_by.label, color="#0b6fa4")
            right.set_ylim(bottom=0)
    with replacing(path, "curve", overwrite=overwrite) as part:
        figure.savefig(part, dpi=110, format="png", metadata={"Software": mark_of("curve")})
