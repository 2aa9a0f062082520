"""Small pictures for the page, all in one manner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

COLOURS = ("#777777", "#0b6fa4", "#c8501e", "#2d7f4f", "#8a5fb0", "#b08a2d", "#40a0a0", "#a04060", "#305080")


def figure(columns: int = 1, rows: int = 1, *, width: float = 4.2, height: float = 3.4) -> tuple[Any, Any]:
    """A figure and its axes as (rows, columns), without a window system."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    made = Figure(figsize=(width * columns, height * rows), layout="constrained")
    FigureCanvasAgg(made)
    return made, made.subplots(rows, columns, squeeze=False)


def save(made: Any, path: Path) -> None:
    """Write a PNG whole or not at all; it says that it is simulated."""
    made.get_layout_engine().set(rect=(0, 0.03, 1, 0.97))  # room for it
    made.text(0.995, 0.005, "simulated", ha="right", va="bottom", fontsize=6, color="#888888")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    made.savefig(part, dpi=90, format="png", metadata={"Software": None})
    part.replace(path)
