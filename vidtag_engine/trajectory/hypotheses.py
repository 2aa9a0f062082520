"""From a decoded video to what is said of each frame: how sure, where else, and the regions that hold the truth."""

from __future__ import annotations

import math
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

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
_MANY = 0.3  # of all places
_FRAMES = 16  # whose regions are drawn at once


def mass_about(
    marginal: sparse.csr_matrix, decoder: Decoder, centres: FloatArray, radii_m: FloatArray, frames: IntArray | None = None
) -> FloatArray:
    """(T, R) mass within radii of each frame's centre; a place's mass lies evenly over a disc of its cell's area.

    Args:
        marginal: (T, M) sparse rows.
        decoder: whose places they are of.
        centres: (T, 2) lat, lon; NaN gives NaN.
        radii_m: (R,).
        frames: (N,) whose rows alone are reckoned; None are all.
    """
    radii = np.asarray(radii_m, dtype=np.float64)
    points = unit_vectors(centres[:, 0], centres[:, 1]) * EARTH_RADIUS_M
    result = np.full((len(points), len(radii)), np.nan)
    asked = np.arange(len(points)) if frames is None else frames
    known = asked[np.isfinite(points[asked]).all(axis=1)]
    for begin in range(0, len(known), _FRAMES):
        rows = known[begin : begin + _FRAMES]
        result[rows] = _mass_about(marginal, decoder, rows, points[rows], radii)
    return np.clip(result[asked], 0.0, 1.0)


def _mass_about(marginal: sparse.csr_matrix, decoder: Decoder, rows: IntArray, points_m: FloatArray, radii_m: FloatArray) -> FloatArray:
    """(B, R) as :func:`mass_about`, of some frames about points (B, 3)."""
    cell_m = decoder.spacing_m / np.sqrt(np.pi)
    apart, shares = [], []
    every, dense = np.arange(len(decoder.points_m)), np.zeros(len(decoder.points_m), dtype=marginal.dtype)
    for row, point_m in zip(rows, points_m, strict=True):
        place, share = _row(marginal, row)
        # Where most places have a share, all are gone through faster than those are picked out.
        many = len(place) > _MANY * len(every)
        apart2_m2 = decoder.apart2_m2(point_m, every if many else place)
        near = np.flatnonzero(apart2_m2 <= (radii_m.max(initial=0.0) + cell_m) ** 2)
        apart.append(np.sqrt(apart2_m2[near]))
        if many:
            dense[place] = share
            shares.append(dense[near])
            dense[place] = 0.0
        else:
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


class HypothesesMemory:
    """What was found of frames, for the next time that the same video is solved: of a frame whose marginal and position stay, nothing is found anew."""

    def __init__(self) -> None:
        self._key: tuple[Any, ...] = ()
        self._stale = np.zeros(0, dtype=bool)
        self._positions: FloatArray = np.zeros((0, 2))
        self._version: IntArray | None = None
        self._kept: dict[str, NDArray[Any]] = {}
        self._masses: dict[float, tuple[FloatArray, NDArray[np.bool_]]] = {}  # by radius: (T,) masses, and the rows that are not up to date

    def stale(self, version: IntArray | None, positions: FloatArray, key: tuple[Any, ...]) -> NDArray[np.bool_]:
        """(T,) the frames that are to be looked at: of another version, moved, or all where the ``key``, that frames have in common, is another one."""
        same = self._key == key and len(self._positions) == len(positions) and bool(self._kept)
        changed = np.ones(len(positions), dtype=bool)
        if same and version is not None and self._version is not None:
            changed = version != self._version
        old = (
            ~np.isclose(positions, self._positions, rtol=0, atol=0, equal_nan=True).all(axis=1)
            if same
            else np.ones(len(positions), dtype=bool)
        )
        stale: NDArray[np.bool_] = old | changed
        self._version = None if version is None else version.copy()
        self._key, self._positions = (), positions.copy()  # were this broken off, all would be looked at the next time
        if not same:
            self._kept, self._masses = {}, {}
        for _, behind in self._masses.values():
            behind[stale] = True
        self._stale = stale
        return stale

    def done(self, key: tuple[Any, ...], kept: dict[str, NDArray[Any]]) -> None:
        """All frames were looked at."""
        self._key, self._kept = key, kept

    def merged(self, name: str, values: NDArray[Any]) -> NDArray[Any]:
        """Values (T, ...), of which only those of stale frames are filled, with what was kept of the others."""
        if (kept := self._kept.get(name)) is not None:
            values[~self._stale] = kept[~self._stale]
        return values

    def mass(self, marginal: sparse.csr_matrix, decoder: Decoder, centres: FloatArray, radii_m: FloatArray) -> FloatArray:
        """As :func:`mass_about` of the positions; a radius that was asked for before is not reckoned again."""
        for radius_m in radii_m:
            self._masses.setdefault(float(radius_m), (np.empty(len(centres)), np.ones(len(centres), dtype=bool)))
        asked = [radius_m for radius_m in dict.fromkeys(map(float, radii_m)) if self._masses[radius_m][1].any()]
        if asked:
            rows = np.flatnonzero(np.any([self._masses[radius_m][1] for radius_m in asked], axis=0))
            found = mass_about(marginal, decoder, centres, np.array(asked), rows)
            for column, radius_m in enumerate(asked):
                masses, behind = self._masses[radius_m]
                masses[rows] = found[:, column]
                behind[:] = False
        return np.column_stack([self._masses[float(radius_m)][0] for radius_m in radii_m])


def hypotheses(
    marginal: sparse.csr_matrix,
    decoder: Decoder,
    positions: FloatArray,
    calibration: PathCalibration,
    margin: FloatArray | None = None,
    recognised: bool = True,
    unknown_lat_lon_deg: FloatArray | None = None,
    *,
    memory: HypothesesMemory | None = None,
    version: IntArray | None = None,
) -> Hypotheses:
    """What is said of each frame.

    Args:
        marginal: (T, M) of the decoded video.
        decoder: that decoded it.
        positions: (T, 2) the answer.
        calibration: what the mass means.
        margin, recognised: as for :meth:`.PathCalibration.chances`.
        unknown_lat_lon_deg: (U, 2) the searched area's other places, which nothing speaks of; they belong to regions that known ground cannot fill.
        memory: of the last time that this video was solved over this decoder; it is brought up to date.
        version: (T,) numbers of the frames' marginals: where one is that of the last time, so is the marginal. None: all are others.
    """
    frames, levels = marginal.shape[0], np.array(calibration.levels(recognised))
    peak_m = max(calibration.accuracy_m, 2.0 * decoder.spacing_m)
    runner_up, entropy = np.full((frames, 2), np.nan), np.zeros(frames)
    points = unit_vectors(positions[:, 0], positions[:, 1]) * EARTH_RADIUS_M
    known = len(decoder.points_m)
    everywhere = decoder.lat_lon_deg if unknown_lat_lon_deg is None else np.concatenate([decoder.lat_lon_deg, unknown_lat_lon_deg])
    outliner = Outliner(everywhere, decoder.spacing_m)
    memory = memory or HypothesesMemory()
    key = (levels.tobytes(), peak_m, len(everywhere))
    stale = memory.stale(version, positions, key)
    # All radii that are asked about below at once, as most of the time goes into what is near.
    fitted_m = [one.radius_m for one in (*calibration.maps, *calibration.unrecognised_maps)] if calibration.rated else []
    memory.mass(marginal, decoder, positions, np.array([*RADII_M, *fitted_m, peak_m]))
    chance = calibration.chances(lambda radii: memory.mass(marginal, decoder, positions, radii), RADII_M, margin, recognised)
    packed = np.zeros((frames, len(levels), (len(everywhere) + 7) // 8), dtype=np.uint8)
    regions = np.full((frames, len(levels)), None, dtype=object)
    looked_at = np.flatnonzero(stale)
    drawn: list[Future[NDArray[np.object_]]] = []
    with ThreadPoolExecutor(1) as aside:  # draws what was chosen while the next is being chosen
        for begin in range(0, len(looked_at), _FRAMES):
            rows = looked_at[begin : begin + _FRAMES]
            chosen = np.zeros((len(rows), len(levels), len(everywhere)), dtype=bool)
            for row, of in zip(rows.tolist(), chosen, strict=True):
                place, share = _row(marginal, row)
                entropy[row] = -(share * np.log2(np.maximum(share, 1e-30))).sum(dtype=np.float64)
                of[:, place] = highest(share, levels)
                far = decoder.apart2_m2(points[row], place) > (_PEAK * peak_m) ** 2
                if far.any():
                    runner_up[row] = decoder.lat_lon_deg[place[np.where(far, share, -1.0).argmax()]]
            chosen[:, levels >= 1.0, :known] = True
            chosen[:, levels > 1.0] = True
            packed[rows] = np.packbits(chosen, axis=2)
            if len(drawn) > 1:
                drawn[-2].result()  # no more than two wait, with their places
            drawn.append(aside.submit(outliner.outlines, chosen.reshape(-1, len(everywhere))))
        for number, one in enumerate(drawn):
            regions[looked_at[number * _FRAMES : (number + 1) * _FRAMES]] = one.result().reshape(-1, len(levels))
    share = np.full(frames, np.nan)
    share[looked_at] = mass_about(marginal, decoder, runner_up, np.array([peak_m]), looked_at)[:, 0]
    kept = {"entropy": entropy, "runner_up": runner_up, "share": share, "packed": packed, "regions": regions}
    kept = {name: memory.merged(name, values) for name, values in kept.items()}
    memory.done(key, kept)
    overall = np.unpackbits(np.bitwise_or.reduce(packed, axis=0), axis=1, count=len(everywhere)).astype(bool)
    united = outliner.outlines(overall)
    return Hypotheses(
        radii_m=RADII_M,
        within=chance,
        entropy_bits=entropy.copy(),
        runner_up_lat_deg=runner_up[:, 0].copy(),
        runner_up_lon_deg=runner_up[:, 1].copy(),
        runner_up_share=share.copy(),
        position_share=memory.mass(marginal, decoder, positions, np.array([peak_m]))[:, 0],
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
