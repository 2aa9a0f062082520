"""Where in an area a camera went by the shape of its way: motion and a road network alone, no picture, no checkpoint."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from pyproj import Transformer
from scipy import sparse

from ..feedback import Feedback
from ..geodesy import centroid_deg
from ..grid import AreaOfInterest, make_grid
from ..motion import Motion
from ..roads.answer import Candidate, PlacedWays, best_way, candidates, marginal, placed
from ..roads.decoder import RoadDecoder, Ways
from ..roads.fitted import FittedRoads
from ..roads.graph import SPACING_M, build_graph
from ..roads.layer import RoadLayer, read_road_lines
from ..roads.profile import Way
from ..trajectory import Decoder, hypotheses, mass_about, verdict
from ..types import FloatArray, FrameState, Hypotheses, InputError, Verdict

MOST_PLACES = 2_000_000
_CELLS = 25_000
_LEAST_CELL_M = 50.0
_DRAWN = 512
_BLUR = 1.6  # cells
_OF_A_LEAP = 0.25
_LEAST_WAY = 8  # steps of the network, below which a way has no shape
OFF_ROADS = "no way through the roads of the area fits how it turned: it was taken elsewhere, or on ways that the layer lacks."
NOT_RATED = "how sure to be of ways along roads was fitted on drives by car alone."


@dataclass(frozen=True)
class RoadPosterior:
    """What is said of a video by its way; rows are the moments that were asked for.

    Args:
        lat_lon_deg: (T, 2) the line.
        course_deg: (T,) of the street at each place, clockwise from north.
        street: (T,) its name; empty where it has none.
        candidates: the likeliest ways that lie apart, with their places in degrees (T, 2), lat, lon.
        confidence: (T,) P(the truth lies within the asked radius); NaN where nothing calibrated it.
        hypotheses, verdict: see their types.
        marginal: (T, M) over the area's cells.
        fit: how well the network foresees the motion: logarithm of its evidence a step, less a part for each kilometre's leaps; 0 is perfectly. A way through
            the wrong network leaves it again and again; one through the right network does where the layer lacks a street.
    """

    lat_lon_deg: FloatArray
    course_deg: FloatArray
    street: tuple[str, ...]
    candidates: tuple[tuple[Candidate, FloatArray], ...]
    confidence: FloatArray
    hypotheses: Hypotheses
    verdict: Verdict
    marginal: sparse.csr_matrix
    fit: float


class RoadArea:
    """The roads of an area, ready for any number of videos.

    Args:
        aoi: that answers lie in.
        layer: of roads.
        mode: who goes along them, one of :data:`.roads.layer.MODES`.
        fitted: how motion is read, and how sure to be.

    Raises:
        InputError: the layer has no road in the area, or too many for one area.
    """

    def __init__(self, aoi: AreaOfInterest, layer: RoadLayer, mode: str, fitted: FittedRoads) -> None:
        corners = shapely.get_coordinates(aoi.geometry)
        lat, lon = centroid_deg(corners[:, 1], corners[:, 0])
        self.aoi, self.fitted = aoi, fitted
        self.plane = Transformer.from_crs("EPSG:4326", f"+proj=laea +lat_0={lat} +lon_0={lon} +ellps=WGS84", always_xy=True)
        lines = read_road_lines(layer, aoi.geometry, self.plane, mode)
        self.graph = build_graph(lines, SPACING_M, respect_oneway=mode != "walk")
        if not len(self.graph):
            raise InputError(f"The roads of {layer.called} in the area are shorter than {SPACING_M / 2:g} m: give a layer of streets.")
        if len(self.graph) > MOST_PLACES:
            raise InputError(
                f"{layer.called} has {len(self.graph) * SPACING_M / 1000:,.0f} km of road lanes in the area, and at most"
                f" {MOST_PLACES * SPACING_M / 1000:,.0f} are searched at once: draw a smaller area."
            )
        self.roads = RoadDecoder(self.graph, fitted.model)
        step_m = max(_LEAST_CELL_M, math.sqrt(aoi.area_m2 / _CELLS))
        grid = make_grid(aoi, step_m)
        self.cells = Decoder(grid.points(0, grid.count), step_m)
        self.lat_lon_deg = self._degrees(self.graph.xy_m)
        self.cell = self.cells.nearest(self.lat_lon_deg)
        self._blur = _blur(self.cells, step_m)

    def solve(
        self,
        motion: Motion,
        time_s: FloatArray,
        radius_m: float,
        *,
        seed: int = 0,
        weigh: Callable[[PlacedWays], FloatArray] | None = None,
        feedback: Feedback = Feedback(),
    ) -> RoadPosterior:
        """What is said of a video.

        Args:
            motion: of its camera.
            time_s: (T,) moments that are asked for.
            radius_m: that confidence is about.
            seed: of what is drawn.
            weigh: gives how much each drawn way counts by what else is known, such as pictures; None: all alike.
            feedback: told of the decoding; asked to stop.

        Raises:
            InputError: nothing is known of the motion, or the camera did not go far enough for its way to have a shape.
            CancelledError: stopped.
        """
        if not np.isfinite(motion.speed).any() or not np.isfinite(motion.turn_deg).any():
            raise InputError(
                "How the camera moved cannot be told from its pictures, as of one that looks down or aside: give a motion track."
            )
        way = Way.of(motion)
        if way.length * max(one.metres for one in self.roads.guesses(way)) < _LEAST_WAY * self.graph.spacing_m:
            raise InputError("The camera hardly moved, and a way without a length fits everywhere: give a longer stretch.")
        ways = self.roads.decode(way, _DRAWN, seed, feedback)
        found = placed(ways, self.graph, motion.time_s, time_s)
        if weigh is not None:
            share = weigh(found)
            row = np.random.default_rng([seed, 1]).choice(len(share), len(share), p=share / share.sum())
            found = PlacedWays(found.xy_m[row], found.place[row], found.leaps_per_km[row])
        return self.answer(ways, found, radius_m)

    def answer(self, ways: Ways, found: PlacedWays, radius_m: float) -> RoadPosterior:
        """The same of ways that were drawn and placed."""
        path, best = self.fitted.path, best_way(found)
        line = self._degrees(found.xy_m[best])
        over = marginal(found, self.cell, len(self.cells.lat_lon_deg)) @ self._blur
        others = tuple((one, self._degrees(one.xy_m)) for one in candidates(found, self.graph))
        clear = path.is_recognised(others[0][0].share)
        clearness = ways.log_evidence - _OF_A_LEAP * float(found.leaps_per_km[best])
        fit = np.full(len(line), clearness)
        said = hypotheses(over, self.cells, line, path, fit, clear)
        confidence = path.chances(lambda radii: mass_about(over, self.cells, line, radii), [radius_m], fit, clear)[:, 0]
        place = found.place[best]
        off = clearness < self.fitted.least_fit
        state, why = (FrameState.OUTSIDE_AOI, OFF_ROADS) if off else (FrameState.LOCATED, "")
        if not off:
            why = NOT_RATED if not path.rated else _ambiguous(others)
        judged = verdict(said, state=state, inside=math.nan, familiarity=math.nan, why=why, unknown_share=0.0)
        names = tuple(self.graph.names[number] for number in self.graph.name[place].tolist())
        return RoadPosterior(line, self.graph.heading_deg[place] % 360.0, names, others, confidence, said, judged, over, clearness)

    def _degrees(self, xy_m: FloatArray) -> FloatArray:
        """(N, 2) lat, lon of places on the plane."""
        lon, lat = self.plane.transform(xy_m[:, 0], xy_m[:, 1], direction="INVERSE")
        return np.column_stack([lat, lon])


def _blur(cells: Decoder, step_m: float) -> sparse.csr_matrix:
    """(M, M) what a cell's mass means for it and those beside it: maps, lanes and drawn ways are some metres off, and cells have edges."""
    pairs = cells.tree.query_pairs(_BLUR * step_m, output_type="ndarray")
    apart = np.linalg.norm(cells.points_m[pairs[:, 0]] - cells.points_m[pairs[:, 1]], axis=1) / step_m
    weight = np.exp(-2.0 * apart**2)
    count = len(cells.points_m)
    rows = np.concatenate([pairs[:, 0], pairs[:, 1], np.arange(count)])
    columns = np.concatenate([pairs[:, 1], pairs[:, 0], np.arange(count)])
    near = sparse.csr_matrix((np.concatenate([weight, weight, np.ones(count)]), (rows, columns)), shape=(count, count))
    return sparse.diags(1.0 / np.asarray(near.sum(axis=1)).ravel()).dot(near).tocsr().astype(np.float32)


def _ambiguous(others: tuple[tuple[Candidate, FloatArray], ...]) -> str:
    """Said where no way has most of the posterior."""
    if not others or others[0][0].share > 0.5:
        return ""
    return (
        f"its way fits several places of the network: the likeliest has {others[0][0].share:.0%} of what fits; see the layer of candidates."
    )
