"""What the probabilities, the regions and the verdicts are worth, against the truth."""

from __future__ import annotations

import html
import io
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from ..calibration.reliability import ReliabilityBin, brier, ece, reliability
from ..file_marks import mark_of
from ..types import FloatArray, Trajectory, VideoResult

if TYPE_CHECKING:
    from rich.table import Table

    from .comparison import Comparison

_INTERVAL = 0.95
_NO_VERDICT = "no verdict"
_LEVELS = (50, 90)
_SURE = 0.8
_INK = "#0b6fa4"


@dataclass(frozen=True)
class RadiusScore:
    """P(within a radius) against whether it was so.

    Args:
        radius_m: the radius.
        frames: with such a probability and a truth.
        mean, share_within: mean probability, and the share of frames that truly lay within.
        sure, sure_within: frames said to lie within with 80 % or more, and the share of them that truly did; NaN where there are none.
        ece: expected calibration error over ten bins of equal width.
        brier: mean squared error.
        brier_skill: 1 - Brier over that of always saying ``share_within``; above 0 the probabilities tell frames apart. NaN where all frames are alike.
        bins: of the reliability diagram.
    """

    radius_m: float
    frames: int
    mean: float
    share_within: float
    ece: float
    brier: float
    brier_skill: float
    bins: tuple[ReliabilityBin, ...]
    sure: int = 0
    sure_within: float = math.nan


@dataclass(frozen=True)
class RegionScore:
    """How often regions hold the truth.

    Frames of one video are wrong together, so videos are counted: the interval is the binomial one that as many videos as these would fall into
    with 95 % if regions of ``level`` percent held the truth of just as many.

    Args:
        level: 50 or 90.
        frames, videos: with such regions and a truth.
        coverage: mean over the videos of their frames' share whose region holds the truth.
        low, high: of the interval.
        inside_interval: whether ``coverage`` lies in it.
        median_km2: area of the frames' regions.
        mean_parts: of how many parts they are.
    """

    level: int
    frames: int
    videos: int
    coverage: float
    low: float
    high: float
    inside_interval: bool
    median_km2: float
    mean_parts: float


@dataclass(frozen=True)
class ConfidenceScores:
    """Everything about how sure the engine said to be.

    ``states`` counts the videos by verdict, ``not_rated`` the frames with a truth for which no probability within any radius was said: no score is of them.
    """

    radii: tuple[RadiusScore, ...]
    regions: tuple[RegionScore, ...]
    states: dict[str, int]
    not_rated: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Values by name; NaN stays."""
        return asdict(self)


@dataclass(frozen=True)
class SaidOfVideo:
    """What was said of a video's compared frames, beside what was true: plain numbers, so that very many videos can be held.

    Args:
        state: its verdict.
        radii_m: (R,) that probabilities are of.
        within: (n, R) P(the truth lies within each radius); NaN where none was said.
        error_m: (n,) of the answer.
        regions: of the levels 50 and 90, (n, 3) whether each frame's region holds the truth, its area in km² and its parts; NaN where it has none.
    """

    state: str
    radii_m: tuple[float, ...]
    within: FloatArray
    error_m: FloatArray
    regions: dict[int, FloatArray]

    @classmethod
    def of(cls, trajectory: Trajectory, comparison: Comparison) -> SaidOfVideo | None:
        """Of a video and its comparison; None where nothing is said beside its places.

        Frames without an answer or a truth are left out; the verdict still counts.
        """
        from .metrics import errors_m

        found, verdict = trajectory.hypotheses, trajectory.verdict
        if found is None and verdict is None:
            return None
        state = _NO_VERDICT if verdict is None else verdict.state.value
        if found is None or comparison.rows is None or not len(comparison.rows):
            return cls.nothing(state)
        rows = comparison.rows
        regions = {
            level: np.array([_told_of(of[row], truth) for row, truth in zip(rows, comparison.truth, strict=True)])
            for level, of in zip(_LEVELS, (found.region50, found.region90), strict=True)
        }
        within = np.asarray(found.within, dtype=np.float64)[rows]
        return cls(state, tuple(found.radii_m), within, errors_m(comparison.predicted, comparison.truth), regions)

    @classmethod
    def nothing(cls, state: str = _NO_VERDICT) -> SaidOfVideo:
        """Of a video whose frames have no probability and no region."""
        return cls(state, (), np.zeros((0, 0)), np.zeros(0), {level: np.zeros((0, 3)) for level in _LEVELS})

    def __len__(self) -> int:
        return len(self.error_m)

    def part(self, chosen: NDArray[np.bool_]) -> SaidOfVideo:
        """Of some of its frames, (n,)."""
        regions = {level: of[chosen] for level, of in self.regions.items()}
        return replace(self, within=self.within[chosen], error_m=self.error_m[chosen], regions=regions)


def score_confidence(pairs: Sequence[tuple[VideoResult, Comparison]]) -> ConfidenceScores | None:
    """Score videos' hypotheses and verdicts; None where no video has any.

    Args:
        pairs: each video and its comparison. Frames without an answer or a truth are left out; their video's verdict still counts.
    """
    said = [SaidOfVideo.of(result.trajectory, comparison) for result, comparison in pairs]
    if all(one is None for one in said):
        return None
    return scores_of([SaidOfVideo.nothing() if one is None else one for one in said])


def scores_of(said: Sequence[SaidOfVideo]) -> ConfidenceScores:
    """The scores of all videos together."""
    usable = [one for one in said if len(one)]
    radii = sorted({radius for one in usable for radius in one.radii_m})
    scores = [_radius_score(radius, usable) for radius in radii]
    regions = [_region_score(level, usable) for level in _LEVELS]
    return ConfidenceScores(
        tuple(one for one in scores if one.frames),
        tuple(one for one in regions if one is not None),
        dict(sorted(Counter(one.state for one in said).items())),
        sum(int((~np.isfinite(one.within).any(axis=1)).sum()) for one in usable),
    )


def _radius_score(radius_m: float, usable: Sequence[SaidOfVideo]) -> RadiusScore:
    those = [one for one in usable if radius_m in one.radii_m]
    probability = np.concatenate([one.within[:, one.radii_m.index(radius_m)] for one in those])
    within = np.concatenate([one.error_m <= radius_m for one in those])
    known = np.isfinite(probability)
    probability, within = probability[known], within[known]
    if not len(probability):
        return RadiusScore(radius_m, 0, math.nan, math.nan, math.nan, math.nan, math.nan, ())
    share, score = float(within.mean()), brier(probability, within)
    always = share * (1.0 - share)
    sure = probability >= _SURE
    return RadiusScore(
        radius_m=radius_m,
        frames=len(probability),
        mean=float(probability.mean()),
        share_within=share,
        ece=ece(probability, within),
        brier=score,
        brier_skill=1.0 - score / always if always > 0 else math.nan,
        bins=tuple(reliability(probability, within)),
        sure=int(sure.sum()),
        sure_within=float(within[sure].mean()) if sure.any() else math.nan,
    )


def _region_score(level: int, usable: Sequence[SaidOfVideo]) -> RegionScore | None:
    known = [of[np.isfinite(of[:, 0])] for of in (one.regions[level] for one in usable)]
    known = [of for of in known if len(of)]
    if not known:
        return None
    coverage = float(np.mean([of[:, 0].mean() for of in known]))
    low, high = binomial_interval(level / 100.0, len(known))
    _, areas, parts = np.concatenate(known).T
    return RegionScore(
        level=level,
        frames=len(areas),
        videos=len(known),
        coverage=coverage,
        low=low,
        high=high,
        inside_interval=low <= coverage <= high,
        median_km2=float(np.median(areas)),
        mean_parts=float(np.mean(parts)),
    )


def _told_of(region: Any, lat_lon_deg: FloatArray) -> tuple[float, float, float]:
    """Whether a region holds a place, its area in km², and its parts; NaN without a region."""
    from ..export.confidence_tables import area_km2

    if region is None:
        return math.nan, math.nan, math.nan
    return float(_holds(region, lat_lon_deg)), area_km2(region), float(len(shapely.get_parts(region)))


def _holds(region: Any, lat_lon_deg: FloatArray) -> bool:
    """Whether a region, its edge included, holds a place; ±180° are the same."""
    lat, lon = float(lat_lon_deg[0]), float(lat_lon_deg[1])
    return any(region.covers(shapely.Point(lon + turn, lat)) for turn in (0.0, -360.0, 360.0))


def binomial_interval(p: float, n: int) -> tuple[float, float]:
    """Shares of n trials of probability p between which 95 % fall, at least."""
    from scipy.stats import binom

    return tuple(float(count) / n for count in binom.interval(_INTERVAL, n, p))  # type: ignore[return-value]


def radius_rows(scores: ConfidenceScores) -> Iterator[tuple[str, ...]]:
    """Head and rows of the table of radii, for people."""
    yield ("within", "frames", "mean probability", "share truly within", "ECE", "Brier", "Brier skill", "said ≥ 80 %", "of these within")
    for one in scores.radii:
        numbers = (one.mean, one.share_within, one.ece, one.brier, one.brier_skill)
        sure = (str(one.sure), f"{one.sure_within:.3f}" if one.sure else "–")
        yield (f"{one.radius_m:g} m", str(one.frames), *(f"{value:.3f}" if math.isfinite(value) else "–" for value in numbers), *sure)


def bin_rows(scores: ConfidenceScores) -> Iterator[tuple[str, ...]]:
    """Head and rows of the reliability diagrams as a table."""
    yield ("within", "probability said", "frames", "mean probability", "share truly within")
    for one in scores.radii:
        for entry in one.bins:
            between = f"{entry.low * 100:.0f}–{entry.high * 100:.0f} %"
            yield (f"{one.radius_m:g} m", between, str(entry.count), f"{entry.mean_confidence:.3f}", f"{entry.share_correct:.3f}")


def region_rows(scores: ConfidenceScores) -> Iterator[tuple[str, ...]]:
    """Head and rows of the table of regions."""
    yield ("region", "videos", "frames", "holds the truth", "95 % of such sets of videos lie in", "inside", "median area", "parts")
    for one in scores.regions:
        between = f"{one.low * 100:.1f}–{one.high * 100:.1f} %"
        inside = "yes" if one.inside_interval else "no"
        yield (
            f"{one.level} %", str(one.videos), str(one.frames), f"{one.coverage * 100:.1f} %", between, inside,
            f"{one.median_km2:.3g} km²", f"{one.mean_parts:.1f}",
        )  # fmt: skip


def state_text(scores: ConfidenceScores) -> str:
    """Sentences of how many videos were withheld or doubted, and how many frames have no probability."""
    said = "Verdicts by video: " + ", ".join(f"{state.replace('_', ' ')} {count}" for state, count in scores.states.items()) + "."
    return said + (f" Frames that are not rated, and in no table of probabilities: {scores.not_rated}." if scores.not_rated else "")


def reliability_picture(scores: ConfidenceScores) -> bytes | None:
    """Reliability diagrams, one a radius, as a PNG; None where there is no probability. On the dashed line both agree."""
    if not scores.radii:
        return None
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(len(scores.radii), 4)
    rows = math.ceil(len(scores.radii) / columns)
    figure = Figure(figsize=(3.0 * columns, 3.2 * rows), dpi=120, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes = np.atleast_1d(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)).ravel()
    for axis in axes[len(scores.radii) :]:
        axis.set_visible(False)
    for axis, one in zip(axes, scores.radii, strict=False):
        axis.plot([0, 1], [0, 1], color="#999999", linestyle="--", linewidth=1)
        said, right = [entry.mean_confidence for entry in one.bins], [entry.share_correct for entry in one.bins]
        axis.plot(said, right, color=_INK, linewidth=1)
        axis.scatter(said, right, s=[12 + 240 * entry.count / one.frames for entry in one.bins], color=_INK, alpha=0.8)
        axis.set_title(f"within {one.radius_m:g} m (ECE {one.ece:.3f})", fontsize=9)
        axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        axis.grid(visible=True, color="#eeeeee")
    figure.supxlabel("probability said (larger dots: more frames)", fontsize=9)
    figure.supylabel("share truly within", fontsize=9)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": mark_of("reliability")})
    return buffer.getvalue()


def html_tables(scores: ConfidenceScores) -> str:
    """The tables as HTML, for a report of that kind."""
    parts = [f"<h2>Confidence</h2>\n<p>{html.escape(state_text(scores))}</p>"]
    for rows in (radius_rows(scores), region_rows(scores), bin_rows(scores)):
        head, *body = rows
        if body:
            cells = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
            lines = "\n".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in body)
            parts.append(f"<table><thead><tr>{cells}</tr></thead><tbody>\n{lines}\n</tbody></table>")
    return "\n".join(parts)


def terminal_tables(scores: ConfidenceScores | None) -> list[Table]:
    """The tables of radii and of regions for a terminal; none without scores."""
    from rich.table import Table

    tables: list[Table] = []
    if scores is not None:
        both = [list(radius_rows(scores)), list(region_rows(scores))]
        for rows in [rows for rows in both if len(rows) > 1] or both[:1]:
            table = Table(*rows[0])
            for row in rows[1:]:
                table.add_row(*row)
            tables.append(table)
        tables[-1].caption, tables[-1].caption_justify = state_text(scores), "left"
    return tables
