"""The page about the search: two plots and a table, from what the benchmark measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

DOCS = Path(__file__).resolve().parent.parent / "docs"


def write(result: dict[str, Any], docs: Path = DOCS) -> None:
    """Write ``search-measured.md`` and its pictures.

    Args:
        result: of `benchmarks.search.run`.
        docs: the folder.
    """
    pictures = docs / "search"
    pictures.mkdir(parents=True, exist_ok=True)
    metres = [(one["points"], one) for one in result["growth"]]
    areas = [(one["area_km2"], one) for one in result["area_growth"]]
    _plot(pictures / "resolution.png", metres, "points of the fine grid (10 × 10 km at 1 km to 1 m)")
    _plot(pictures / "area.png", areas, "area in km², 10 m grid")
    (docs / "search-measured.md").write_text(_page(result), encoding="utf-8")


def _plot(path: Path, rows: list[tuple[float, dict[str, float]]], label: str) -> None:
    figure = Figure(figsize=(7, 3), layout="constrained")
    for place, (key, said) in enumerate((("seconds", "seconds, 60 frames"), ("embedded", "points embedded"))):
        axes = figure.add_subplot(1, 2, place + 1)
        axes.loglog([at for at, _ in rows], [one[key] for _, one in rows], marker="o")
        axes.set(xlabel=label, ylabel=said)
        axes.xaxis.label.set_fontsize(7)
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110, format="png", metadata={"Software": None})


def _page(result: dict[str, Any]) -> str:
    first, last = result["growth"][0], result["growth"][-1]
    largest = result["area_growth"][-1]
    peers = [
        ("FAISS flat", "peers_points", "peers_embed_s", "faiss_flat"),
        ("FAISS IVF (1,024 lists, 16 probed)", "peers_points", "peers_embed_s", "faiss_ivf"),
    ]
    rows = [
        f"| {name} | {result[points]:,} | {result[embed]:.1f} | {result[key + '_build_s']:.1f} | {result[key + '_s']:.3f} | "
        f"{result[key + '_mb']:.0f} | {result[key + '_agreement']:.1%} |"
        for name, points, embed, key in peers
    ]
    rows.append(
        f"| coarse to fine | {result['ours_build_embedded']:,} + {result['ours_embedded']:,} | (in the next two) | {result['ours_build_s']:.1f} | "
        f"{result['ours_s']:.3f} | {result['ours_mb']:.0f} | {result['ours_agreement']:.1%} |"
    )
    return f"""# The search, measured

Written by `python -m benchmarks search --write-docs`; every figure is from that run. Frames are simulated: embeddings of places with noise beside
them. The weights are GeoCLIP's unless the demo's checkpoint is named.

A grid of more than 20,000 points is not embedded point by point. The area is embedded at the length over which the location encoder is smooth;
each frame's peaks are foreseen between those points and climbed down to the grid's step. With `--continuous` each pick then moves on to the
top of its score between the grid's points.

## How it grows

**With resolution.** Here small grids are searched this way, too. A finer grid adds levels to each climb, and no point to the coarse pass.
From {first["points"]:,} points to {last["points"]:,} the
time goes from {first["seconds"]:.2g} s to {last["seconds"]:.2g} s: seconds grow as N to the power of {result["growth_exponent"]:.2f}.

![Seconds and points embedded by points of the grid](search/resolution.png)

**With area.** What bounds it is the coarse pass. In a small area it is made up to twice as fine as needed, while it stays below some 4,000 points;
beyond that it grows with the area and with 1 / (smooth length)². {largest["area_km2"]:,.0f} km² at 10 m ({largest["points"]:,} points)
took {largest["seconds"]:.0f} s and embedded {largest["embedded"]:,} points. The coarse pass is kept on disc, so a second run over the same
area with the same weights reads it. Beyond 400,000 coarse points every point is compared, and where those are too many a sentence says which resolution fits.

![Seconds and points embedded by area](search/area.png)

## Whether it finds the same

Picks of {result["agreement_frames"]:,} frames beside an exhaustive search in float64 (float32 for all points, float64 for those within 2 · 10⁻⁵
of a frame's best; float32's own error was at most {result["float32_error"]:.1g}): {result["agreement"]:.2%} within one grid step. The farthest pick
lay {result["worst_error_m"]:.0f} m away, and the most that one lost was {result["worst_cosine_lost"]:.1g} of cosine. What is missed are near ties: a
ReLU encoder's scores have creases, with several tops a few steps apart.

## Beside FAISS

The same 50 × 50 km grid of {result["peers_points"]:,} points at 125 m, 60 frames a batch. FAISS searches vectors that exist: all points must be embedded
first, for every area, resolution and checkpoint anew, and a grid ten times as fine has a hundred times as many. Coarse to fine embeds its coarse pass
once (built), and the rest as it goes.

| | points embedded | seconds to embed | seconds to build | seconds a batch | MB of vectors | picks within one step of exact |
| --- | --- | --- | --- | --- | --- | --- |
{chr(10).join(rows)}
"""
