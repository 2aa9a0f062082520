"""From a decoded video to what is said of each frame: how sure, where else, and the regions that hold the truth."""

from __future__ import annotations

import math
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse

from ..geodesy import EARTH_RADIUS_M, unit_vectors
from ..types import FloatArray, FrameState, Hypotheses, IntArray, Verdict
from .decoder import Decoder
from .decoder_calibration import PathCalibration
from .regions import Outliner, highest

RADII_M = (25.0, 100.0, 500.0, 1000.0)
_PEAK = 2.0  # a place's own peak, in the line's accuracies
_FRAMES = 16  # whose regions are drawn at once


def mass_about(marginal: sparse.csr_matrix, decoder: Decoder, centres: FloatArray, radii_m: FloatArray) -> FloatArray:
    """(T, R) mass within radii of each frame's centre; a place's mass lies evenly over a disc of its cell's area.

    Args:
        marginal: (T, M) sparse rows.
        decoder: whose places they are of.
        centres: (T, 2) lat, lon; NaN gives NaN.
        radii_m: (R,).
    """
    radii = np.asarray(radii_m, dtype=np.float64)
    points = unit_vectors(centres[:, 0], centres[:, 1]) * EARTH_RADIUS_M
    result = np.full((len(points), len(radii)), np.nan)
    known = np.flatnonzero(np.isfinite(points).all(axis=1))
    for begin in range(0, len(known), _FRAMES):
        rows = known[begin : begin + _FRAMES]
        result[rows] = _mass_about(marginal, decoder, rows, points[rows], radii)
    return np.clip(result, 0.0, 1.0)


def _mass_about(marginal: sparse.csr_matrix, decoder: Decoder, rows: IntArray, points_m: FloatArray, radii_m: FloatArray) -> FloatArray:
    """(B, R) as :func:`mass_about`, of some frames about points (B, 3)."""
    cell_m = decoder.spacing_m / np.sqrt(np.pi)
    apart, shares = [], []
    for row, point_m in zip(rows, points_m, strict=True):
        place, share = _row(marginal, row)
        apart2_m2 = decoder.apart2_m2(point_m, place)
        near = np.flatnonzero(apart2_m2 <= (radii_m.max(initial=0.0) + cell_m) ** 2)
        apart.append(np.sqrt(apart2_m2[near]))
        shares.append(share[near])
    apart_m, mass, frame = np.concatenate(apart), np.concatenate(shares), np.repeat(np.arange(len(rows)), [len(one) for one in apart])
    result = np.empty((len(rows), len(radii_m)))
    for column, radius_m in enumerate(radii_m):
        part = (apart_m <= radius_m - cell_m).astype(np.float64)
        rim = np.flatnonzero(np.abs(apart_m - radius_m) < cell_m)
        part[rim] = overlap(apart_m[rim], cell_m, float(radius_m))
        result[:, column] = np.bincount(frame, mass * part, len(rows))
    return result


def _row(marginal: sparse.csr_matrix, row: int) -> tuple[IntArray, FloatArray]:
    """Numbers of a frame's places, and their shares."""
    begin, end = marginal.indptr[row : row + 2]
    return marginal.indices[begin:end], marginal.data[begin:end]


def overlap(apart: FloatArray, own: float, other: float) -> FloatArray:
    """Share of a disc of radius ``own`` that lies within a disc of radius ``other``, their middles ``apart``.

    The lens of two circles; see Weisstein, "Circle-Circle Intersection".
    """
    d = np.maximum(np.asarray(apart, dtype=np.float64), 1e-9)
    first = np.arccos(np.clip((d**2 + own**2 - other**2) / (2 * d * own), -1.0, 1.0))
    second = np.arccos(np.clip((d**2 + other**2 - own**2) / (2 * d * other), -1.0, 1.0))
    lens = own**2 * (first - np.sin(2 * first) / 2) + other**2 * (second - np.sin(2 * second) / 2)
    result: FloatArray = lens / (np.pi * own**2)
    return result


def hypotheses(
    marginal: sparse.csr_matrix,
    decoder: Decoder,
    positions: FloatArray,
    calibration: PathCalibration,
    margin: FloatArray | None = None,
    recognised: bool = True,
    unknown_lat_lon_deg: FloatArray | None = None,
) -> Hypotheses:
    """What is said of each frame.

    Args:
        marginal: (T, M) of the decoded video.
        decoder: that decoded it.
        positions: (T, 2) the answer.
        calibration: what the mass means.
        margin, recognised: as for :meth:`.PathCalibration.chances`.
        unknown_lat_lon_deg: (U, 2) the searched area's other places, which nothing speaks of; they belong to regions that known ground cannot fill.
    """
    frames = marginal.shape[0]
    chance = calibration.chances(lambda radii: mass_about(marginal, decoder, positions, radii), RADII_M, margin, recognised)
    peak_m = max(calibration.accuracy_m, 2.0 * decoder.spacing_m)
    runner_up, entropy = np.full((frames, 2), np.nan), np.zeros(frames)
    points = unit_vectors(positions[:, 0], positions[:, 1]) * EARTH_RADIUS_M
    known = len(decoder.points_m)
    everywhere = decoder.lat_lon_deg if unknown_lat_lon_deg is None else np.concatenate([decoder.lat_lon_deg, unknown_lat_lon_deg])
    outliner = Outliner(everywhere, decoder.spacing_m)
    levels = np.array(calibration.levels(recognised))
    overall = np.zeros((len(levels), len(everywhere)), dtype=bool)
    drawn: list[Future[NDArray[np.object_]]] = []
    with ThreadPoolExecutor(1) as aside:  # draws what was chosen while the next is being chosen
        for begin in range(0, frames, _FRAMES):
            chosen = np.zeros((min(_FRAMES, frames - begin), *overall.shape), dtype=bool)
            for row, of in enumerate(chosen, begin):
                place, share = _row(marginal, row)
                entropy[row] = -(share * np.log2(np.maximum(share, 1e-30))).sum(dtype=np.float64)
                of[:, place] = highest(share, levels)
                far = decoder.apart2_m2(points[row], place) > (_PEAK * peak_m) ** 2
                if far.any():
                    runner_up[row] = decoder.lat_lon_deg[place[np.where(far, share, -1.0).argmax()]]
            chosen[:, levels >= 1.0, :known] = True
            chosen[:, levels > 1.0] = True
            overall |= chosen.any(axis=0)
            if len(drawn) > 1:
                drawn[-2].result()  # no more than two wait, with their places
            drawn.append(aside.submit(outliner.outlines, chosen.reshape(-1, overall.shape[1])))
        regions = np.concatenate([one.result() for one in drawn]).reshape(-1, len(levels))
    united = outliner.outlines(overall)
    return Hypotheses(
        radii_m=RADII_M,
        within=chance,
        entropy_bits=entropy,
        runner_up_lat_deg=runner_up[:, 0],
        runner_up_lon_deg=runner_up[:, 1],
        runner_up_share=mass_about(marginal, decoder, runner_up, np.array([peak_m]))[:, 0],
        position_share=mass_about(marginal, decoder, positions, np.array([peak_m]))[:, 0],
        region50=tuple(regions[:, 0]),
        region90=tuple(regions[:, 1]),
        best_lat_deg=positions[:, 0].copy(),
        best_lon_deg=positions[:, 1].copy(),
        overall50=united[0],
        overall90=united[1],
    )


def spread(of: Hypotheses, located: NDArray[np.bool_]) -> Hypotheses:
    """Rows of frames with a picture put among all sampled frames.

    Args:
        of: a row a frame with a picture.
        located: (T,) bool, which of all frames have one.
    """

    def among(values: FloatArray) -> FloatArray:
        column = np.full((len(located), *values.shape[1:]), np.nan)
        column[located] = values
        return column

    def shapes(values: tuple[shapely.Geometry, ...]) -> tuple[shapely.Geometry | None, ...]:
        given = iter(values)
        return tuple(next(given) if one else None for one in located)

    numbers = ("within", "entropy_bits", "runner_up_lat_deg", "runner_up_lon_deg", "runner_up_share", "position_share")
    columns = {name: among(getattr(of, name)) for name in (*numbers, "best_lat_deg", "best_lon_deg")}
    return Hypotheses(
        radii_m=of.radii_m,
        region50=shapes(of.region50),
        region90=shapes(of.region90),
        overall50=of.overall50,
        overall90=of.overall90,
        **columns,
    )


def verdict(
    of: Hypotheses, *, state: FrameState, inside: float, familiarity: float, why: str = "", unknown_share: float = math.nan
) -> Verdict:
    """What is said of the whole video.

    Args:
        of: its frames.
        state, inside, familiarity, why, unknown_share: as :class:`Verdict`.
    """
    return Verdict(
        state=state,
        inside=inside,
        familiarity=familiarity,
        within=tuple(float(value) for value in of.within[np.isfinite(of.within).all(axis=1)].mean(axis=0))
        if np.isfinite(of.within).any()
        else (math.nan,) * len(of.radii_m),
        entropy_bits=float(np.nanmean(of.entropy_bits)),
        region50=of.overall50,
        region90=of.overall90,
        why=why,
        unknown_share=unknown_share,
    )
