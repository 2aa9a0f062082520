"""The coarse pass: an area embedded at its encoder's smooth length, and what lies between its points foreseen from their neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.spatial import cKDTree

from ..geodesy import wrap_lon
from ..grid.ellipsoid import ecef_m, lat_of_arc_deg, meridian_arc_m, parallel_radius_m
from ..types import FloatArray, IntArray

if TYPE_CHECKING:
    from ..grid.grid import Grid

GOLDEN_ANGLE = float(np.pi * (3 - np.sqrt(5)))
_NEIGHBOURS = 13  # with the point itself: more than the five numbers of a surface, on a side at the border too
_SEAM_DEG = 180.0
_ASIDE = np.linspace(-0.6, 0.6, 5)
# Places of a cell, in steps, at which a surface is looked at for its highest.
OFFSETS = np.stack(np.meshgrid(_ASIDE, _ASIDE), axis=-1).reshape(-1, 2)


def basis(offset: FloatArray) -> FloatArray:
    """Terms of a quadratic surface without its constant: (..., 2) east, north in steps to (..., 5)."""
    east, north = offset[..., 0], offset[..., 1]
    return np.stack([east, north, east**2, east * north, north**2], axis=-1)


def offsets_m(centre: FloatArray, places: FloatArray) -> FloatArray:
    """East and north of places (..., 2) degrees from their centres, in metres; NaN across ±180°, where the encoder's plane ends."""
    turn = places[..., 1] - centre[..., 1]
    turn = np.where(np.abs(turn) > _SEAM_DEG, np.nan, turn)
    north = meridian_arc_m(places[..., 0]) - meridian_arc_m(centre[..., 0])
    return np.stack([np.radians(turn) * parallel_radius_m((places[..., 0] + centre[..., 0]) / 2), north], axis=-1)


def surface_fit(offset: FloatArray) -> FloatArray:
    """What makes quadratic surfaces of differences in score: (n, m, 2) offsets in steps to (n, 5, m); unknown offsets have no say."""
    weight = np.where(np.isfinite(offset).all(axis=-1), np.exp(-0.25 * np.nan_to_num(offset**2).sum(axis=-1)), 0.0)[..., None]
    terms = basis(np.nan_to_num(offset)) * weight
    # A little ridge: three points in a row say nothing of what lies beside them.
    normal = terms.transpose(0, 2, 1) @ terms + 1e-3 * np.eye(5)
    fit: FloatArray = np.linalg.solve(normal, terms.transpose(0, 2, 1)) * weight[:, None, :, 0]
    return fit


@dataclass(frozen=True)
class CoarsePass:
    """A coarse grid's points and how scores run between them.

    Args:
        lat_lon_deg: (N, 2).
        embeddings: (N, E) float32 on the device.
        step_m: distance of neighbours.
        neighbours: (N, m) numbers, each point's own first.
        fit: (N, 5, m), from differences in score to surfaces (in steps).
        drop: (N,) the lowest cosine to a neighbour within 1.5 steps, as if it were one step away: small where it is smooth.
    """

    lat_lon_deg: FloatArray
    embeddings: torch.Tensor
    step_m: float
    neighbours: IntArray
    fit: torch.Tensor
    drop: FloatArray

    def surfaces(self, scores: torch.Tensor) -> torch.Tensor:
        """(B, N) scores to (B, N, 5) surfaces about each point."""
        near = scores[:, torch.from_numpy(self.neighbours).to(scores.device)]
        return torch.einsum("bnm,nkm->bnk", near - scores[..., None], self.fit)

    def peaks(self, scores: torch.Tensor, most: int) -> tuple[IntArray, FloatArray, FloatArray]:
        """Where each frame's scores may peak between the coarse points.

        Two kinds: cells whose foreseen height no neighbour's surpasses, and, as several peaks share a ridge or a broad top, the highest cells
        whatever their neighbours. Climbs that meet are joined later.

        Args:
            scores: (B, N).
            most: of each kind a frame.

        Returns:
            frame, place (., 2) degrees and foreseen score, flat.
        """
        shape = torch.from_numpy(basis(OFFSETS)).to(scores)
        foreseen, where = (self.surfaces(scores) @ shape.T).max(dim=-1)
        height = scores + foreseen.clamp(min=0.0)
        around = height[:, torch.from_numpy(self.neighbours).to(scores.device)[:, :9]].amax(dim=-1)
        many = min(most, height.shape[1])
        tops, top = torch.topk(height.masked_fill(height < around, -torch.inf), many, dim=1)
        _, high = torch.topk(height, many, dim=1)
        point = torch.cat([top, high], dim=1)
        good = torch.cat([torch.isfinite(tops), torch.ones_like(high, dtype=torch.bool)], dim=1).cpu().numpy()
        frame, rank = np.nonzero(good)
        number = point.cpu().numpy()[frame, rank]
        step = OFFSETS[where.cpu().numpy()[frame, number]] * self.step_m
        return frame, shifted(self.lat_lon_deg[number], step), height.double().cpu().numpy()[frame, number]


def shifted(lat_lon_deg: FloatArray, offset_m: FloatArray) -> FloatArray:
    """Places moved east and north by metres; longitudes within ±180, latitudes stop at the poles."""
    pole_m = float(meridian_arc_m(np.array(90.0)))
    lat = lat_of_arc_deg(np.clip(meridian_arc_m(lat_lon_deg[:, 0]) + offset_m[:, 1], -pole_m, pole_m))
    radius = np.maximum(parallel_radius_m((lat_lon_deg[:, 0] + lat) / 2), 1.0)
    return np.stack([lat, wrap_lon(lat_lon_deg[:, 1] + np.degrees(offset_m[:, 0] / radius))], axis=1)


def spiral(centres: FloatArray, away_m: FloatArray) -> FloatArray:
    """(T, 2) degrees to (T, N, 2): places about each centre, so many metres away (N,), each turned by the golden angle from the one before."""
    turn = np.arange(len(away_m)) * GOLDEN_ANGLE
    offset = np.stack([away_m * np.cos(turn), away_m * np.sin(turn)], axis=1)
    places = shifted(np.repeat(centres, len(away_m), axis=0), np.tile(offset, (len(centres), 1)))
    return places.reshape(len(centres), len(away_m), 2)


def coarse_pass(grid: Grid, embeddings: torch.Tensor, step_m: float) -> CoarsePass:
    """Neighbours and surfaces of an embedded coarse grid.

    Args:
        grid: its points.
        embeddings: (N, E).
        step_m: its resolution.
    """
    places = grid.points(0, grid.count)
    where = ecef_m(places[:, 0], places[:, 1])
    most = min(_NEIGHBOURS, len(places))
    neighbours = np.asarray(cKDTree(where).query(where, most)[1]).reshape(len(places), most)
    offset = offsets_m(places[:, None, :], places[neighbours]) / step_m
    offset[np.linalg.norm(np.nan_to_num(offset), axis=-1) > 3.0] = np.nan  # another part of the area
    fit = torch.from_numpy(surface_fit(offset)).to(embeddings)
    distance2 = (offset**2).sum(axis=-1)
    drop = np.zeros(len(places))
    for begin in range(0, len(places), 4096):
        rows = slice(begin, begin + 4096)
        for column in range(1, most):
            near = torch.from_numpy(neighbours[rows, column]).to(embeddings.device)
            cosine = (embeddings[rows] * embeddings[near]).sum(dim=1).double().cpu().numpy()
            far = distance2[rows, column]
            loss = np.where(far < 1.5**2, (1.0 - cosine) / np.maximum(far, 0.25), 0.0)
            drop[rows] = np.maximum(drop[rows], np.nan_to_num(loss))
    return CoarsePass(places, embeddings, step_m, neighbours, fit, drop)
