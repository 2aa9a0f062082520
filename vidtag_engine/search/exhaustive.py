"""Exhaustive search over a streamed gallery: the best points of each frame, and how much of the softmax's mass lies about a place."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..geodesy import chord_m
from ..grid.ellipsoid import ecef_m
from ..types import Candidates, FloatArray, InputError, IntArray
from .embedding_cache import EmbeddedGallery
from .running_softmax import RunningSoftmax

_QUERY_BLOCK = 256  # frames compared at once: what a pass holds does not grow with the video, and stays small beside the networks


def top_k(queries: torch.Tensor, gallery: EmbeddedGallery | HeldGallery, k: int) -> Candidates:
    """The k gallery points with the highest scores for each frame, equal scores by lower point number.

    Args:
        queries: (T, E) unit-normalised, any float type and device. A row that is not finite (a frame without an answer) gets index -1
            and NaN.
        gallery: the points; streamed once.
        k: at most; a gallery of fewer points gives all of them.

    Returns:
        Candidates of (T, min(k, count)), best first.

    Raises:
        InputError: k < 1, or queries of another model's width.
        CancelledError: from the gallery's stream.
    """
    if k < 1:
        raise InputError(f"{k} candidates were asked for; ask for at least 1.")
    asked, usable = checked(queries, gallery)
    k = min(k, gallery.count)
    total = len(asked)
    best_score = torch.full((total, k), -math.inf, device=asked.device)
    best_index = torch.full((total, k), -1, dtype=torch.int64, device=asked.device)
    for start, _, embeddings in gallery.chunks():
        for begin in range(0, total, _QUERY_BLOCK):
            rows = slice(begin, min(begin + _QUERY_BLOCK, total))
            score, local = _chunk_top(asked[rows] @ embeddings.T, k)
            merged = torch.cat([best_score[rows], score], dim=1)
            # Stable, and earlier chunks stand first: ties keep the lower number.
            best_score[rows], order = (part[:, :k] for part in torch.sort(merged, dim=1, descending=True, stable=True))
            best_index[rows] = torch.cat([best_index[rows], local + start], dim=1).gather(1, order)
    best_index[~usable], best_score[~usable] = -1, math.nan
    index = best_index.cpu().numpy()
    lat, lon = np.empty(index.shape), np.empty(index.shape)
    for begin in range(0, total, _QUERY_BLOCK):
        rows = slice(begin, begin + _QUERY_BLOCK)
        lat[rows], lon[rows] = np.moveaxis(gallery.points(index[rows]), -1, 0)
    return Candidates(index, lat, lon, best_score.cpu().numpy())


@dataclass(frozen=True)
class HeldGallery:
    """Points whose embeddings are held already; what :func:`top_k` and :func:`posterior_mass` read of a gallery.

    Args:
        lat_lon_deg: (M, 2) in degrees.
        embeddings: (M, E) unit-normalised.
    """

    lat_lon_deg: FloatArray
    embeddings: torch.Tensor

    @property
    def count(self) -> int:
        """M."""
        return len(self.lat_lon_deg)

    @property
    def dim(self) -> int:
        """E."""
        return self.embeddings.shape[1]

    @property
    def device(self) -> torch.device:
        """Where they are held."""
        return self.embeddings.device

    def points(self, index: IntArray) -> FloatArray:
        """(..., 2) places of points, NaN where an index is below 0."""
        found: FloatArray = np.where(index[..., None] < 0, np.nan, self.lat_lon_deg[index])
        return found

    def chunks(self) -> Iterator[tuple[int, FloatArray, torch.Tensor]]:
        """All in one."""
        yield 0, self.lat_lon_deg, self.embeddings


def checked(queries: torch.Tensor, gallery: EmbeddedGallery | HeldGallery) -> tuple[torch.Tensor, torch.Tensor]:
    """Queries on the gallery's device as float32, unusable rows zeroed, and which rows are usable."""
    if queries.ndim != 2 or queries.shape[1] != gallery.dim:
        shape = tuple(queries.shape)
        raise InputError(
            f"Frame embeddings of shape {shape} do not fit a gallery of {gallery.dim} dimensions; use one checkpoint for both."
        )
    asked = queries.detach().to(gallery.device, torch.float32)
    usable = torch.isfinite(asked).all(dim=1)
    return torch.where(usable[:, None], asked, torch.zeros_like(asked)), usable


def _chunk_top(scores: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The k best columns of each row, best first, ties by lower column: torch.topk alone leaves ties to chance."""
    k = min(k, scores.shape[1])
    value, column = torch.topk(scores, k, dim=1)
    last = value[:, -1:]
    tied = (scores == last).sum(dim=1) > (value == last).sum(dim=1)
    for row in torch.nonzero(tied).flatten().tolist():
        better = int((value[row] > last[row]).sum())
        column[row, better:] = torch.nonzero(scores[row] == last[row]).flatten()[: k - better]
    column, _ = torch.sort(column, dim=1)
    value, order = torch.sort(scores.gather(1, column), dim=1, descending=True, stable=True)
    return value, column.gather(1, order)


def posterior_mass(
    queries: torch.Tensor,
    gallery: EmbeddedGallery | HeldGallery,
    centers: FloatArray,
    radius_m: float | Sequence[float],
    temperature: float | Sequence[float],
) -> FloatArray:
    """Share of softmax(score / temperature) over the whole gallery that lies within a radius of each frame's place.

    One pass for all radii and temperatures; sums are kept in float64 relative to the running maximum, so that no temperature over- or
    underflows.

    Args:
        queries: (T, E) unit-normalised; a row that is not finite gives NaN.
        gallery: the points.
        centers: (T, 2) lat, lon in degrees; NaN gives NaN.
        radius_m: metres, one or several.
        temperature: > 0, one or several.

    Returns:
        (T,) for one radius and one temperature; a sequence of temperatures puts an axis before T, and a sequence of radii an axis before
        T, after that of the temperatures: at most (temperatures, radii, T). Values in 0..1.

    Raises:
        InputError: a temperature or radius that is not positive, shapes that do not fit.
    """

    def of_known(asked: torch.Tensor, places: FloatArray, radii: FloatArray, temperatures: FloatArray) -> FloatArray:
        sums = RunningSoftmax(len(asked), len(radii), temperatures, asked.device)
        for _, lat_lon, embeddings in gallery.chunks():
            _add(sums, asked, ecef_m(places[:, 0], places[:, 1]), chord_m(radii), (lat_lon, embeddings))
        return sums.mass()

    return mass_of(queries, gallery, centers, radius_m, temperature, of_known)


def mass_of(
    queries: torch.Tensor,
    gallery: EmbeddedGallery | HeldGallery,
    centers: FloatArray,
    radius_m: float | Sequence[float],
    temperature: float | Sequence[float],
    of_known: Callable[[torch.Tensor, FloatArray, FloatArray, FloatArray], FloatArray],
) -> FloatArray:
    """What every search's ``posterior_mass`` has about it: arguments checked, frames without an answer left out, the result in the asked shape.

    Args:
        queries, gallery, centers, radius_m, temperature: as :func:`posterior_mass`.
        of_known: gives (K, R, B) of queries (B, E) and centres (B, 2) that are finite, with (R,) radii and (K,) temperatures.

    Raises:
        InputError: as :func:`posterior_mass`.
    """
    radii, temperatures = (np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in (radius_m, temperature))
    if not ((radii > 0).all() and (temperatures > 0).all()):
        raise InputError(f"Radius {radius_m} m and temperature {temperature} must be above 0.")
    asked, usable = checked(queries, gallery)
    places = np.asarray(centers, dtype=np.float64)
    if places.shape != (len(asked), 2):
        raise InputError(f"Centres of shape {places.shape} do not fit {len(asked)} frames; give one latitude and longitude a frame.")
    known = np.flatnonzero(usable.cpu().numpy() & np.isfinite(places).all(axis=1))
    mass = np.full((len(temperatures), len(radii), len(asked)), np.nan)
    mass[:, :, known] = of_known(asked[torch.from_numpy(known).to(asked.device)], places[known], radii, temperatures)
    if np.ndim(radius_m) == 0:
        return mass[:, 0] if np.ndim(temperature) else mass[0, 0]
    return mass if np.ndim(temperature) else mass[0]


def _add(
    sums: RunningSoftmax, queries: torch.Tensor, centres_m: FloatArray, chords_m: FloatArray, chunk: tuple[FloatArray, torch.Tensor]
) -> None:
    """One chunk of a gallery more."""
    lat_lon_deg, embeddings = chunk
    places = ecef_m(lat_lon_deg[:, 0], lat_lon_deg[:, 1])
    # From the chunk's own middle, so that squares of metres are not lost beside squares of the Earth's radius.
    origin = places.mean(axis=0)
    here, there = (torch.from_numpy(one - origin).to(queries.device) for one in (places, centres_m))
    for begin in range(0, len(queries), _QUERY_BLOCK):
        rows = slice(begin, begin + _QUERY_BLOCK)
        square = (there[rows] ** 2).sum(dim=1)[:, None] + (here**2).sum(dim=1)[None, :] - 2 * there[rows] @ here.T
        sums.add(queries[rows] @ embeddings.T, [square <= one**2 for one in chords_m], rows=rows)
