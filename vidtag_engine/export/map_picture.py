"""A picture of the map that a person can read: the way, how sure of it the engine is, and the truth where it is known."""

from __future__ import annotations

import math
import textwrap
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from PIL import ExifTags, Image

from ..atomic import replacing
from ..file_marks import mark_of
from ..geodesy import wrap_lon
from ..trajectory.steps import parts, steps
from ..types import FrameState, InputError, Track, VideoResult
from .colours import AOI_COLOUR, CLASS_COLOURS, COLOURS, EDGES, NOT_RATED, NOT_RATED_WORDS, OUTLINE, REGION_COLOURS, STATES, TRUTH_COLOUR
from .columns import clean
from .confidence_tables import LEVELS, are_rated, video_regions
from .map_plane import Plane
from .tables import located_mask
from .verdict_text import verdict_sentence

_MARGIN = 0.06
_MIN_SPAN_M = 50.0
_LEAST_SHAPE = 0.75  # short side over long: no slit of a map for a straight road
_OVERVIEW_FROM = 5.0  # the area over the way
_DPI = 150
_MOST_WHYS = 3
_BANNER_PT, _TITLE_PT = 8.5, 11.0
_FORMATS = {".png", ".pdf", ".svg", ".jpg", ".jpeg"}
Truth = Track | Sequence[Track] | Mapping[str, Track]


def check_picture_name(path: Path) -> None:
    """Refuse a map picture of a kind that is not drawn. Raises InputError."""
    if path.suffix.lower() not in _FORMATS:
        raise InputError(f"Cannot write {path}: it is no kind of picture that is drawn; give a name that ends in .png, .pdf, .svg or .jpg.")


def _marked(path: Path) -> dict[str, Any]:
    """What savefig needs to mark a picture of the kind that the name says."""
    if path.suffix.lower() in {".jpg", ".jpeg"}:
        exif = Image.Exif()
        exif[ExifTags.Base.Software] = mark_of("map")
        return {"pil_kwargs": {"exif": exif}}
    return {"metadata": {"Software" if path.suffix.lower() == ".png" else "Creator": mark_of("map")}}


def write_map(
    path: Path | str,
    results: Sequence[VideoResult],
    *,
    aoi: Any | None = None,
    truth: Truth | None = None,
    title: str | None = None,
    overwrite: bool = False,
) -> None:
    """Draw all videos on one map, north up, metres alike in both directions, with a scale bar.

    Args:
        path: a .png, .pdf, .svg or .jpg.
        results: their lines take the colour of their confidence; breaks stay open, a lone frame is a dot. Their 90 % regions are shaded;
            why an answer is withheld, or has no probability, stands in a banner.
        aoi: outline of the searched area, a shapely geometry or an object with one as ``geometry``.
        truth: one track, several, or tracks by video name; drawn dashed.
        title: above the map; by default the videos' names.
        overwrite: replace what is there also where it is no map picture of this tool.

    Raises:
        InputError: there is nothing to draw, or the picture cannot be written.
    """
    path = Path(path)
    check_picture_name(path)
    tracks = _tracks(truth)
    outline = None if aoi is None else getattr(aoi, "geometry", aoi)
    plane = Plane.around(results, tracks, outline)

    # The object interface with its own canvas: no global state, no display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 7.5), dpi=_DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(facecolor="#f7f7f5")
    for number, track in enumerate(tracks):
        _draw_truth(axes, plane, track, "Truth" if number == 0 else None)
    for number, result in enumerate(results):
        _draw_video(axes, plane, result, number if len(results) > 1 else None)
    _draw_regions(axes, plane, results)
    rings = [] if outline is None else _rings(plane, outline)
    overview = _draw_aoi(axes, rings)
    _frame(axes, plane)
    _scale_bar(axes)
    if overview:
        _overview(axes, rings, plane, results)
    _legend(figure, axes, results, title)
    _draw_banner(figure, axes, results)
    with replacing(path, "map", overwrite=overwrite) as part, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a name in a script that no font here has shows as boxes
        figure.savefig(part, dpi=_DPI, bbox_inches="tight", pad_inches=0.12, **_marked(path))


def _tracks(truth: Truth | None) -> list[Track]:
    if truth is None:
        return []
    if isinstance(truth, Track):
        return [truth]
    return list(truth.values() if isinstance(truth, Mapping) else truth)


def _rings(plane: Plane, outline: Any) -> list[Any]:
    """Outer and inner rings of the area, (n, 2) metres each."""
    polygons = [part for part in shapely.get_parts(plane.geometry(outline)) if part.geom_type == "Polygon"]
    return [np.array(ring.coords) for part in polygons for ring in (part.exterior, *part.interiors)]


def _area_patch(rings: list[Any], width: float) -> Any:
    return _patch(rings, facecolor="white", edgecolor=AOI_COLOUR, linewidth=width, zorder=1, label="Area searched")


def _patch(rings: list[Any], **look: Any) -> Any:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Outline

    return PathPatch(Outline.make_compound_path(*[Outline(ring, closed=True) for ring in rings]), **look)


def _draw_regions(axes: Any, plane: Plane, results: Sequence[VideoResult]) -> None:
    """Where each video that is rated lies with 90 %: a light shade, so that several hypotheses are seen as such."""
    label: str | None = "90 % region"
    for result in filter(lambda one: are_rated(one.trajectory), results):
        for level, region in video_regions(result.trajectory):
            rings = _rings(plane, region) if level == max(LEVELS) else []
            if rings:
                colour = REGION_COLOURS[level]
                axes.add_patch(_patch(rings, facecolor=f"{colour}55", edgecolor=colour, linewidth=0.7, zorder=2, label=label))
                label = None


def _draw_banner(figure: Any, axes: Any, results: Sequence[VideoResult]) -> None:
    """Why an answer is withheld, given in spite of a doubt, or given without a probability; in the colour of the first state that is no answer.

    It stands between title and map, which it would cover.
    """
    from matplotlib.transforms import offset_copy

    said = [(_plain(sentence), result.trajectory.verdict) for result in results if (sentence := verdict_sentence(result))]
    if not said:
        return
    whys = [sentence for sentence, _ in said]
    states = [verdict.state.value for _, verdict in said if verdict is not None and verdict.state is not FrameState.LOCATED]
    edge = STATES[states[0]][0] if states else CLASS_COLOURS[NOT_RATED]
    shown = whys[:_MOST_WHYS] + ([f"and {len(whys) - _MOST_WHYS} more"] if len(whys) > _MOST_WHYS else [])
    text = "\n".join(textwrap.fill(why, 88) for why in shown)
    box = {"boxstyle": "round,pad=0.4", "facecolor": "#fff4ee" if states else "white", "edgecolor": edge}
    above = offset_copy(axes.transAxes, fig=figure, y=_BANNER_PT, units="points")
    axes.text(0.5, 1.0, text, transform=above, ha="center", va="bottom", fontsize=_BANNER_PT, linespacing=1.2, zorder=12, bbox=box)
    # The lines, what the box adds above and below them, and a gap on both sides.
    axes.set_title(axes.get_title(), fontsize=_TITLE_PT, pad=_BANNER_PT * (1.25 * (text.count("\n") + 1) + 2.4))


def _draw_aoi(axes: Any, rings: list[Any]) -> bool:
    """Draw the area; True where it is so much larger than the way that the map shows the way, and the whole goes into a corner."""
    if not rings:
        return False
    way = axes.dataLim.frozen()
    has_way = bool(np.isfinite(way.extents).all())
    axes.add_patch(_area_patch(rings, 1.2))  # widens dataLim
    extent = np.ptp(np.concatenate(rings), axis=0).max()
    if not has_way or extent < _OVERVIEW_FROM * max(way.width, way.height, _MIN_SPAN_M):
        return False
    axes.dataLim.set(way)
    return True


def _overview(axes: Any, rings: list[Any], plane: Plane, results: Sequence[VideoResult]) -> None:
    """The whole area in the corner that hides the fewest frames, with a frame where the map is."""
    from matplotlib.patches import Rectangle

    points = np.concatenate(rings)
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    places = [plane.xy(r.trajectory.lat_deg, r.trajectory.lon_deg)[located_mask(r.trajectory)] for r in results]
    across, up = ((np.concatenate([np.zeros((0, 2)), *places]) - (left, bottom)) / (right - left, top - bottom)).T
    # The scale bar keeps the fourth corner.
    corners = {"NE": (0.74, 0.74), "NW": (0.01, 0.74), "SE": (0.74, 0.01)}
    hidden = {name: ((np.abs(across - x - 0.125) < 0.15) & (np.abs(up - y - 0.125) < 0.15)).sum() for name, (x, y) in corners.items()}
    corner = min(corners, key=lambda name: hidden[name])
    inset = axes.inset_axes((*corners[corner], 0.25, 0.25), zorder=11, facecolor="#f7f7f5")
    inset.add_patch(_area_patch(rings, 0.8))
    frame = Rectangle((left, bottom), right - left, top - bottom, fill=False, edgecolor=TRUTH_COLOUR, linewidth=1.4, zorder=3)
    inset.add_patch(frame)
    least = 0.04 * np.ptp(points, axis=0).max()  # so that a small frame is still seen
    if right - left < least:
        inset.plot((left + right) / 2, (bottom + top) / 2, marker="o", markersize=5, color=TRUTH_COLOUR, zorder=4)
    margin = 0.05 * np.ptp(points, axis=0).max()
    inset.set_xlim(points[:, 0].min() - margin, points[:, 0].max() + margin)
    inset.set_ylim(points[:, 1].min() - margin, points[:, 1].max() + margin)
    inset.set_aspect("equal", anchor=corner)
    inset.set_xticks([])
    inset.set_yticks([])


def _draw_truth(axes: Any, plane: Plane, track: Track, label: str | None) -> None:
    """Above the answer, thin: where both agree, both are seen."""
    xy = plane.xy(track.lat_deg, track.lon_deg)
    axes.plot(xy[:, 0], xy[:, 1], linestyle=(0, (5, 3)), linewidth=1.4, color=TRUTH_COLOUR, label=label, zorder=6)


def _draw_video(axes: Any, plane: Plane, result: VideoResult, number: int | None) -> None:
    """One video's line, lone dots, markers and, where it has a number among several, its name."""
    t = result.trajectory
    known = located_mask(t)
    rows = np.flatnonzero(known)
    if not len(rows):
        return
    xy = np.full((len(known), 2), np.nan)
    xy[known] = plane.xy(t.lat_deg[known], t.lon_deg[known])
    _draw_steps(axes, plane, result, xy)
    axes.update_datalim(xy[known])
    if len(rows) > 1:
        axes.plot(*xy[rows[0]], marker="^", markersize=10, color="white", markeredgecolor="black", zorder=8, linestyle="")
        axes.plot(*xy[rows[-1]], marker="s", markersize=8, color="black", markeredgecolor="white", zorder=7, linestyle="")
    if number is not None:
        axes.annotate(
            _plain(result.info.name), xy[rows[len(rows) // 2]], xytext=(12, 8 - 12 * (number % 3)), textcoords="offset points",
            fontsize=8, zorder=9, annotation_clip=True,
            bbox={"boxstyle": "round,pad=0.2", "facecolor": "white", "alpha": 0.8, "edgecolor": "none"},
        )  # fmt: skip


def _draw_steps(axes: Any, plane: Plane, result: VideoResult, xy: Any) -> None:
    from matplotlib.collections import LineCollection

    t = result.trajectory
    s = steps(t)
    # On a map of the world, no line runs across the whole of it to come in again on the other side.
    offset = wrap_lon(t.lon_deg - plane.lon_deg)
    whole = plane.local | (np.abs(offset[s.from_row] - offset[s.to_row]) <= 180.0)
    lines = np.stack([xy[s.from_row], xy[s.to_row]], axis=1)[whole]
    colours, norm = _colours()
    if len(lines):
        axes.add_collection(LineCollection(lines, colors=OUTLINE, linewidths=4.4, capstyle="round", zorder=4), autolim=False)
        line = LineCollection(lines, cmap=colours, norm=norm, linewidths=3.0, capstyle="round", zorder=5)
        line.set_array(np.ma.masked_invalid(s.confidence[whole]))
        axes.add_collection(line, autolim=False)
    alone = np.array([part.start for part in parts(t) if part.stop - part.start == 1], dtype=int)
    axes.scatter(
        *xy[alone].T, c=t.confidence[alone], s=46, cmap=colours, norm=norm, edgecolors=OUTLINE, linewidths=0.8, zorder=6, plotnonfinite=True
    )


def _colours() -> tuple[Any, Any]:
    from matplotlib.colors import BoundaryNorm, ListedColormap

    colours = ListedColormap(list(COLOURS)).with_extremes(bad=CLASS_COLOURS[NOT_RATED])
    return colours, BoundaryNorm([*EDGES, 1.0], len(COLOURS))


def _frame(axes: Any, plane: Plane) -> None:
    """Equal metres, a margin, and no bare projected numbers at the edges but the centre's coordinates."""
    box = axes.dataLim
    span = max(box.width, box.height, _MIN_SPAN_M)
    half = [max(extent, span * _LEAST_SHAPE) * (0.5 + _MARGIN) for extent in (box.width, box.height)]
    mid = ((box.x0 + box.x1) / 2.0, (box.y0 + box.y1) / 2.0)
    axes.set_xlim(mid[0] - half[0], mid[0] + half[0])
    axes.set_ylim(mid[1] - half[1], mid[1] + half[1])
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_color("#bbbbbb")
    lat, lon = plane.lat_lon(*mid)
    axes.set_xlabel(f"Centre {_angle(lat, 'NS')} {_angle(lon, 'EW')}, north up", fontsize=8, color="#555555")


def _angle(value: float, letters: str) -> str:
    return f"{abs(value):.4f}° {letters[0] if value >= 0 else letters[1]}"


def _scale_bar(axes: Any) -> None:
    """A bar of 1, 2 or 5 times a power of ten, about a quarter of the map's width."""
    left, right = axes.get_xlim()
    bottom, top = axes.get_ylim()
    wanted = (right - left) / 4.0
    power = 10.0 ** math.floor(math.log10(wanted))
    length = max(step * power for step in (1, 2, 5) if step * power <= wanted)
    x, y, height = left + (right - left) * 0.04, bottom + (top - bottom) * 0.04, (top - bottom) * 0.008
    axes.fill([x, x + length, x + length, x], [y, y, y + height, y + height], color="black", zorder=10)
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    axes.text(x + length / 2, y + height * 2, text, ha="center", va="bottom", fontsize=9, zorder=10,
              bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "alpha": 0.7, "edgecolor": "none"})  # fmt: skip


def _legend(figure: Any, axes: Any, results: Sequence[VideoResult], title: str | None) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.lines import Line2D

    colours, norm = _colours()
    sure = np.concatenate([np.zeros(0), *(result.trajectory.confidence[located_mask(result.trajectory)] for result in results)])
    if np.isfinite(sure).any():
        bar = figure.colorbar(ScalarMappable(norm, colours), ax=axes, shrink=0.6, pad=0.02, ticks=[*EDGES, 1.0])
        bar.ax.set_yticklabels([f"{edge * 100:.0f} %" for edge in (*EDGES, 1.0)], fontsize=8)
        radii = {result.trajectory.confidence_radius_m for result in results}
        within = f" to be within {next(iter(radii)):g} m" if len(radii) == 1 else ""
        bar.set_label(f"Confidence{within}", fontsize=9)
    handles = list(axes.get_legend_handles_labels()[0])
    if np.isnan(sure).any():
        look = {"color": CLASS_COLOURS[NOT_RATED], "markeredgecolor": OUTLINE, "markersize": 8}
        handles.append(Line2D([], [], marker="o", linestyle="", label=NOT_RATED_WORDS, **look))
    if any(located_mask(result.trajectory).sum() > 1 for result in results):
        handles += [
            Line2D([], [], marker="^", color="white", markeredgecolor="black", markersize=9, linestyle="", label="Start"),
            Line2D([], [], marker="s", color="black", markeredgecolor="white", markersize=8, linestyle="", label="End"),
        ]
    if handles:
        axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.035), ncols=4, fontsize=8, frameon=False)
    names = [_plain(result.info.name) for result in results]
    axes.set_title(title or (", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")), fontsize=_TITLE_PT)


def _plain(name: str) -> str:
    """A name that matplotlib does not take for mathematics."""
    return clean(name).replace("$", r"\$")
