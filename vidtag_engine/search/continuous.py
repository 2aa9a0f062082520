"""Between grid points: each pick moved to the optimum of its score, by quadratic steps on the location encoder itself.

A step looks at the nine places about where it stands, goes to the highest of them or to the top of the quadratic surface
through them, and becomes shorter where that is near. It asks for no derivative: an encoder of ReLU layers has none at its kinks, and between them its
second derivative misses most of how a score bends.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from ..feedback import Feedback
from ..grid.aoi import AreaOfInterest
from ..grid.ellipsoid import ecef_m
from ..grid.lattice import Bounds
from ..types import Candidates, FloatArray, IntArray
from .climb import dots, foreseen_peak
from .coarse import GOLDEN_ANGLE, shifted
from .embedder import Embedder
from .embedding_cache import LocationModel

_ASIDE = np.array([-1.0, 0.0, 1.0])
_STENCIL = np.stack(np.meshgrid(_ASIDE, _ASIDE), axis=-1).reshape(-1, 2)
_CENTRE = 4
_FIRST, _FINER, _FINEST = 1 / 3, 4.0, 1 / 500  # steps, of the reach
_MOST_STEPS = 40
_FRAMES = 64  # between two looks at whether the user has stopped
_RIVALS = 4
_APART = 1.5  # grid steps: of two candidates so near, only the better one can be a peak
_HALF_CELL = 0.71  # grid steps: a peak lies at most so far from a grid point
_BENT = 2.0  # a frame's score bends more than the encoder's own cosine does, by what the frame brings beside its place


def between_points(
    model: LocationModel,
    device: torch.device | str,
    queries: torch.Tensor,
    found: Candidates,
    resolution_m: float,
    aoi: AreaOfInterest,
    feedback: Feedback = Feedback(),
) -> Candidates:
    """A search's candidates, the first of each frame moved to the highest place about it.

    Where the grid is coarser than the encoder is smooth, the highest peak may stand between points that are not the best ones. So other
    peaks among the candidates are climbed too, as far as a peak half a cell away from them could surpass the first.

    Args:
        model: the location encoder's, on ``device``.
        device: where to compute.
        queries: (T, E) unit-normalised, as the search was asked.
        found: (T, k) what it gave.
        resolution_m: of its grid; a pick moves by at most a step east or west and a step north or south.
        aoi: no place leaves it.
        feedback: asked to stop at each step.

    Returns:
        ``found`` with another place and score in the first column, never a lower score. Where another candidate's peak won, that candidate
        comes first. ``index`` still names grid points.
    """
    embed, bounds = Embedder(model, torch.device(device)), Bounds(aoi)
    order = np.tile(np.arange(found.index.shape[1]), (len(found.index), 1))
    place, score = np.stack([found.lat_deg[:, 0], found.lon_deg[:, 0]], axis=1), found.score[:, 0].astype(np.float64)
    good = np.flatnonzero(found.index[:, 0] >= 0)
    for begin in range(0, len(good), _FRAMES):
        feedback.check()
        rows = good[begin : begin + _FRAMES]
        asked = queries[torch.from_numpy(rows).to(queries.device)]
        place[rows], score[rows] = polish(embed, bounds, asked, place[rows], resolution_m)
        loss = _BENT * _cell_loss(embed, place[rows], resolution_m)
        frame, column = _rivals(found, rows, score[rows] - loss, resolution_m)
        if not len(frame):
            continue
        start = np.stack([found.lat_deg[rows[frame], column], found.lon_deg[rows[frame], column]], axis=1)
        other, height = polish(embed, bounds, asked[torch.from_numpy(frame).to(asked.device)], start, resolution_m)
        for number in np.lexsort((height,)):  # the highest of a frame last
            row = rows[frame[number]]
            if height[number] > score[row]:
                place[row], score[row] = other[number], height[number]
                order[row] = np.r_[column[number], np.delete(np.arange(order.shape[1]), column[number])]
    arrays = {name: np.take_along_axis(getattr(found, name), order, axis=1) for name in ("index", "lat_deg", "lon_deg", "score")}
    arrays["lat_deg"][:, 0], arrays["lon_deg"][:, 0], arrays["score"][:, 0] = place[:, 0], place[:, 1], score
    return dataclasses.replace(found, **arrays)


def polish(embed: Embedder, bounds: Bounds, queries: torch.Tensor, places: FloatArray, reach_m: float) -> tuple[FloatArray, FloatArray]:
    """Places moved to the nearest top of their queries' scores, in float64.

    Args:
        embed: gives embeddings.
        bounds: the area; a place outside counts as the nearest place of its border.
        queries: (n, E).
        places: (n, 2) degrees, inside the area.
        reach_m: how far a place may go east or west, and north or south.

    Returns:
        (n, 2) degrees and (n,) scores, none lower than at ``places``.
    """

    def at(which: IntArray, offset: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Places (a, m, 2) and scores (a, m) of some queries at offsets in metres."""
        there = bounds.moved_in(shifted(np.repeat(places[which], offset.shape[1], axis=0), offset.reshape(-1, 2)))
        slots = np.arange(len(there)).reshape(offset.shape[:2])
        return there.reshape(offset.shape), dots(queries, which, embed(there, double=True), slots)

    offset, result, score = np.zeros((len(places), 2)), places.copy(), np.full(len(places), -np.inf)
    step_m, active = np.full(len(places), reach_m * _FIRST), np.arange(len(places))
    for turn in range(_MOST_STEPS):
        if not len(active):
            break
        stencil = _STENCIL @ _turned(turn * GOLDEN_ANGLE)  # along a kink few directions lead up
        here, length = offset[active], step_m[active, None]
        tried = np.clip(here[:, None] + length[:, None] * stencil, -reach_m, reach_m)
        there, values = at(active, tried)
        move, _, _ = foreseen_peak((tried - here[:, None]) / length[:, None], values - values[:, _CENTRE, None])
        top = np.clip(here + move * length, -reach_m, reach_m)[:, None]
        top_place, top_value = at(active, top)
        tried, there, values = (np.concatenate(pair, axis=1) for pair in ((tried, top), (there, top_place), (values, top_value)))
        # Ties go to where it stands: nothing moves on a plain.
        best = np.where(values.max(axis=1) > values[:, _CENTRE], values.argmax(axis=1), _CENTRE)
        every = np.arange(len(active))
        offset[active], result[active], score[active] = tried[every, best], there[every, best], values[every, best]
        stayed = np.abs(tried[every, best] - here).max(axis=1) < length[:, 0] / 2
        step_m[active[stayed]] /= _FINER
        active = active[step_m[active] > reach_m * _FINEST]
    return result, score


def _turned(angle: float) -> FloatArray:
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def _cell_loss(embed: Embedder, places: FloatArray, resolution_m: float) -> FloatArray:
    """(n,) how much of its height a peak may lose half a cell away: what the encoder itself loses about these places."""
    turn = np.pi / 4 * np.arange(8)
    aside = _HALF_CELL * resolution_m * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    around = shifted(np.repeat(places, len(turn), axis=0), np.tile(aside, (len(places), 1)))
    own, near = embed(places), embed(around).reshape(len(places), len(turn), -1)
    loss: FloatArray = 1.0 - torch.einsum("ne,nme->nm", own, near).amin(dim=1).double().cpu().numpy()
    return loss


def _rivals(found: Candidates, rows: IntArray, least: FloatArray, resolution_m: float) -> tuple[IntArray, IntArray]:
    """Candidates other than the first that may stand beside a higher peak: place in ``rows``, and column; best first, few a frame."""
    frames, columns = [], []
    for place, row in enumerate(rows):
        able = np.r_[0, 1 + np.flatnonzero(found.score[row, 1:] >= least[place])]
        where = ecef_m(found.lat_deg[row, able], found.lon_deg[row, able])
        kept = [0]
        for number in range(1, len(able)):
            if len(kept) > _RIVALS:
                break
            # Best first: what lies beside a better candidate stands on its slope.
            if (np.linalg.norm(where[:number] - where[number], axis=1) > _APART * resolution_m).all():
                kept.append(number)
        frames += [place] * (len(kept) - 1)
        columns += [int(able[number]) for number in kept[1:]]
    return np.array(frames, dtype=np.int64), np.array(columns, dtype=np.int64)
