"""A video's frames decoded together over the searched area: the line, how sure to be, what else it could be, and whether it was taken there at all.

Beside `geolocate`, and called by it and the heat map alone: `trajectory` knows arrays, `gallery` and `models` know scores, and here they meet.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

from .export.scores_file import VideoScores
from .gallery import Search
from .geodesy import haversine_m
from .models import GeoCLIP, VidTAG
from .models.memory import Likeness
from .trajectory import (
    Calibration,
    Decoded,
    Decoder,
    PathCalibration,
    cuts,
    hypotheses,
    lead_beyond,
    mass_about,
    verdict,
)
from .trajectory.decoder import Scores
from .trajectory.elsewhere import blocks_of_ground
from .trajectory.lead import line_lead
from .types import Candidates, FloatArray, FrameState, Hypotheses, IntArray, Verdict
from .verdicts import BEST_UNKNOWN, MOST, Judgement, why_unknown, why_unrated

_LEAST_SAID = 0.001
_FRAMES = 256  # scored at once
_REACH = 0.75  # spacings: half a cell's diagonal


@dataclass(frozen=True)
class Solved:
    """A video's answer; rows are the frames that have a picture.

    Args:
        final: candidates whose first column is the line.
        line: (T, 2) the line as decoded, before it was moved to finer candidates.
        queries: (T, E) frame embeddings that it was solved from.
        confidence: (T,) P(the truth lies within the asked radius).
        hypotheses, verdict: see their types.
        recognised: share of the frames that are recognised on the line.
    """

    final: Candidates
    line: FloatArray
    queries: torch.Tensor
    confidence: FloatArray
    hypotheses: Hypotheses
    verdict: Verdict
    recognised: float = 0.0


@dataclass(frozen=True)
class _Beyond:
    """The training's ground outside the area: which part of all it is, its embeddings and what is remembered of it."""

    outside: NDArray[np.bool_]
    embeddings: torch.Tensor
    recalled: Likeness | None

    def score(self, queries: torch.Tensor) -> FloatArray:
        """(B, N) cosines."""
        found: FloatArray = (queries.to(self.embeddings) @ self.embeddings.T).float().cpu().numpy()
        return found


class VideoSolver:
    """Solves any number of videos over one search.

    Args:
        model: whose embeddings are searched.
        search: prepared, with a cover.
        calibration: of the checkpoint.
    """

    def __init__(self, model: VidTAG | GeoCLIP, search: Search, calibration: Calibration) -> None:
        cover = search.cover()
        if cover is None:
            raise ValueError("a search without a cover has nothing to decode over")
        self.cover, self.search, self.calibration = cover, search, calibration
        ground = calibration.ground
        self.known = ground.knows(cover.lat_lon_deg, cover.spacing_m) if ground else np.ones(len(cover.lat_lon_deg), dtype=bool)
        self.unknown_share = float(1.0 - self.known.mean()) if ground else float("nan")
        # Where nothing speaks of any place all are decoded over, for those who want an answer all the same.
        self._places = np.flatnonzero(self.known) if self.known.any() else np.arange(len(self.known))
        self.path = self._reading()
        self.decoder = Decoder(self.cover.lat_lon_deg[self._places], self.cover.spacing_m, self.path.motion)
        # The line seeks no more than a place of the cover.
        self.accuracy_m = max(self.path.accuracy_m, self.cover.spacing_m)
        self._model = model
        self._recalled = self._remembered(self.cover.lat_lon_deg, self.cover.spacing_m)

    def _reading(self) -> PathCalibration:
        """How videos are decoded over this area. No probability is said by a checkpoint that cannot tell, nor of ground that it does not know."""
        of = self.calibration
        path = of.path or replace(
            PathCalibration.unfitted(of.temperature, self.cover.spacing_m, of.recall, of.speed_mps),
            familiarity=of.familiarity,
            elsewhere=of.elsewhere,
        )
        if of.cannot_tell or not self.known.any():
            return replace(path, maps=())
        return replace(path, unknown_share=self.unknown_share)

    @property
    def seeks_line(self) -> bool:
        """Whether the answer is a line through all frames: its decoding was fitted, or what is remembered can be read and how fast cameras go is known."""
        return self.calibration.path is not None or (self._recalled is not None and self.calibration.speed_mps is not None)

    @cached_property
    def _blocks(self) -> IntArray:
        """(2, M) of the decoder's places."""
        return blocks_of_ground(self.decoder.lat_lon_deg)

    @cached_property
    def _elsewhere(self) -> _Beyond | None:
        return self._ground_outside(self._model)

    def marginal(
        self, queries: torch.Tensor, features: FloatArray, time_s: FloatArray, check: Callable[[], None] = lambda: None
    ) -> sparse.csr_matrix:
        """The posterior of :meth:`decode`, (T, M) over the cover, without a line: its part on known ground; ``check`` is called now and then, to stop it."""
        scores = self._scores(queries, features)

        def checked(rows: slice) -> FloatArray:
            check()
            return scores(rows)

        found = self.decoder.marginals(checked, time_s, self.path.evidence, cuts(self._plain(features)))[0]
        kept = 1.0 - float(self.unknown_mass.sum())
        return sparse.csr_matrix((kept * found.data, self._places[found.indices], found.indptr), shape=(found.shape[0], len(self.known)))

    @property
    def unknown_mass(self) -> FloatArray:
        """(M,) of the cover: what every frame's posterior has on unknown ground, spread evenly; nothing where all ground is unknown, or none."""
        unknown = ~self.known if self.known.any() else np.zeros(len(self.known), dtype=bool)
        return np.where(unknown, 1.0 / len(self.known), 0.0)

    def decode(self, queries: torch.Tensor, features: FloatArray, time_s: FloatArray) -> Decoded:
        """The posterior and the line.

        Args:
            queries: (T, E) frame embeddings.
            features: (T, D) backbone features, which show cuts, as the frame encoder gives them: with the layout after them where it says that.
            time_s: (T,).
        """
        return self.decoder.decode(
            self._scores(queries, features),
            time_s,
            self.path.evidence,
            cuts=cuts(self._plain(features)),
            accuracy_m=self.accuracy_m,
            line_evidence=self.path.line_evidence,
        )

    def solve(self, queries: torch.Tensor, features: FloatArray, decoded: Decoded, final: Candidates, radius_m: float) -> Solved:
        """Everything that is said of a video.

        Args:
            queries, features: as :meth:`decode`.
            decoded: what that gave.
            final: each frame's own candidates.
            radius_m: that confidence is about.
        """
        if self.seeks_line:
            positions = self._on_grid(decoded.lat_lon_deg, final)
        elif self._recalled is not None:
            positions = self._on_grid(self._each_frames_best(queries, features), final)
        else:
            # Where it was never fitted how far to trust the joint answer, each frame keeps its own, and the posterior is told beside it.
            positions = np.stack([final.lat_deg[:, 0], final.lon_deg[:, 0]], axis=1)
        lead, recognised = self.standing(queries, features, decoded)
        unknown = None if self.known.all() or not self.known.any() else self.cover.lat_lon_deg[~self.known]
        found = hypotheses(decoded.marginal, self.decoder, positions, self.path, lead, recognised, unknown)

        def mass(radii: FloatArray) -> FloatArray:
            return mass_about(decoded.marginal, self.decoder, positions, radii)

        confidence = self.path.chances(mass, [radius_m], lead, recognised)[:, 0]
        moved = replace(final, lat_deg=final.lat_deg.copy(), lon_deg=final.lon_deg.copy(), score=final.score.copy())
        moved.lat_deg[:, 0], moved.lon_deg[:, 0] = positions.T
        nearest = self.decoder.nearest(positions)
        for begin in range(0, len(queries), _FRAMES):
            rows = slice(begin, begin + _FRAMES)
            own = np.take_along_axis(self.cover.score(queries[rows]), self._places[nearest[rows, None]], axis=1)
            moved.score[rows, 0] = own[:, 0]
        judgement = self.judge(positions, queries, features)
        said = verdict(
            found,
            state=judgement.state,
            inside=judgement.inside,
            familiarity=judgement.familiarity,
            why=judgement.why,
            unknown_share=self.unknown_share,
        )
        return Solved(moved, decoded.lat_lon_deg, queries, confidence, found, said, recognised)

    def standing(self, queries: torch.Tensor, features: FloatArray, decoded: Decoded) -> tuple[FloatArray | None, float]:
        """What chances are read beside: (T,) how far the line stands out, and the share of its frames that are recognised; None and 0 where none are said.

        Args:
            queries, features: as :meth:`decode`.
            decoded: what that gave.
        """
        if not self.path.rated:
            return None, 0.0
        found = line_lead(self.decoder, self._scores(queries, features), decoded.lat_lon_deg, self.accuracy_m, cuts(self._plain(features)))
        return found, self._recognised_share(features, decoded.lat_lon_deg)

    def scores(self, solved: Solved, features: FloatArray, frame_index: IntArray, time_s: FloatArray) -> VideoScores:
        """What a video can be solved again from, with pins.

        Args:
            solved: the answer.
            features, time_s: as they were solved.
            frame_index: (T,) of these frames.
        """
        return VideoScores(
            self.cover.lat_lon_deg,
            self.cover.spacing_m,
            self._scores(solved.queries, features, self.cover.score, self._recalled)(slice(0, len(solved.queries))),
            frame_index,
            time_s,
            solved.line,
            self.path,
            tuple(cuts(self._plain(features))),
            solved.recognised,
        )

    def _plain(self, features: FloatArray) -> FloatArray:
        """Without what follows the features."""
        return features[:, : self._model.config.feature_dim]

    def _remembered(self, lat_lon_deg: FloatArray, spacing_m: float) -> Likeness | None:
        """What tells how much frames look like what the checkpoint remembers of places; None where it does not, or where that is not read."""
        memory = self._model.memory if isinstance(self._model, VidTAG) else None
        if memory is None or self.path.recall is None:
            return None
        return memory.over(lat_lon_deg, spacing_m, self.path.recall.reach_m)

    def _scores(
        self,
        queries: torch.Tensor,
        features: FloatArray,
        score: Callable[[torch.Tensor], FloatArray] | None = None,
        recalled: Likeness | None = None,
    ) -> Scores:
        """What gives the scores of a slice of frames over the decoder's places, or over others: cosines, and what is remembered."""
        if score is None:
            whole = self._scores(queries, features, self.cover.score, self._recalled)
            return whole if len(self._places) == len(self.known) else lambda rows: whole(rows)[:, self._places]
        recall, frames = self.path.recall, self._in_context(features)
        if recalled is None or recall is None or frames is None:
            return lambda rows: score(queries[rows])
        return lambda rows: score(queries[rows]) + recall.read(recalled(frames[rows]).cpu().numpy())

    def _in_context(self, features: FloatArray) -> torch.Tensor | None:
        """Frames as the memory compares them; None where the checkpoint remembers nothing."""
        memory = self._model.memory if isinstance(self._model, VidTAG) else None
        return memory.in_context(torch.from_numpy(features).to(memory.embeddings.device)) if memory is not None else None

    def _recognised_share(self, features: FloatArray, line: FloatArray) -> float:
        """Share of the frames that look more like what is remembered about their place on the line (T, 2) than chance finds anywhere."""
        recall, recalled, frames = self.path.recall, self._recalled, self._in_context(features)
        if recall is None or recalled is None or frames is None:
            return 0.0
        return recall.recognised_share(lambda rows: recalled(frames[rows]).cpu().numpy(), self._places[self.decoder.nearest(line)])

    def _each_frames_best(self, queries: torch.Tensor, features: FloatArray) -> FloatArray:
        """(T, 2) the cover's place with the highest score, frame by frame."""
        scores, count = self._scores(queries, features), len(queries)
        best = [scores(slice(row, min(row + _FRAMES, count))).argmax(axis=1) for row in range(0, count, _FRAMES)]
        places: FloatArray = self.decoder.lat_lon_deg[np.concatenate(best)]
        return places

    def _on_grid(self, positions: FloatArray, final: Candidates) -> FloatArray:
        """The line's places; where the cover is coarser than the grid, each frame's best candidate of those within a place's reach."""
        if self.cover.spacing_m <= 1.5 * self.search.grid.resolution_m:
            return positions
        apart_m = haversine_m(positions[:, :1], positions[:, 1:], final.lat_deg, final.lon_deg)
        near = np.less_equal(np.nan_to_num(apart_m, nan=np.inf), _REACH * self.cover.spacing_m)
        first = near.argmax(axis=1)  # candidates come best first
        rows = np.arange(len(positions))
        best = np.stack([final.lat_deg[rows, first], final.lon_deg[rows, first]], axis=1)
        result: FloatArray = np.where(near.any(axis=1, keepdims=True), best, positions)
        return result

    def _ground_outside(self, model: VidTAG | GeoCLIP) -> _Beyond | None:
        """The training's ground outside the area; None where the checkpoint does not tell, or knows nothing outside or nothing inside."""
        known = self.path.elsewhere
        if known is None or not known.tells:
            return None
        beyond = known.outside(self.cover.lat_lon_deg, self.cover.spacing_m)
        # Of an area where the checkpoint knows nothing no lead was ever learned.
        if not beyond.any() or beyond.all():
            return None
        places = known.lat_lon_deg[beyond]
        with torch.inference_mode():
            embeddings = model.embed_locations(torch.from_numpy(places))
        return _Beyond(beyond, embeddings, self._remembered(places, known.spacing_m))

    def judge(self, positions: FloatArray, queries: torch.Tensor, features: FloatArray) -> Judgement:
        """The first of these that holds: nothing speaks of the area or of the answer, the video is strange, it was taken elsewhere; else it is located.

        Args:
            positions: (T, 2) the answer.
            queries, features: as :meth:`decode`.
        """
        of = self.calibration
        if of.ground is not None and not self.known.any():
            return Judgement(FrameState.UNKNOWN_GROUND, why_unknown(of.ground, self.cover.lat_lon_deg))
        inside, outside = self._inside(queries, features)
        novelty = self.path.familiarity
        familiar = novelty.p_value(self._plain(features)) if novelty is not None else math.nan
        if of.cannot_tell:  # few videos do for a verdict, not for a number
            said, share, inside_said = (math.nan, math.nan), "", ""
        else:
            said, inside_said = (inside, familiar), f": the chance that it was taken in the area is {inside:.1%}"
            rare = f"1 of {round(1.0 / familiar):,}" if familiar >= _LEAST_SAID else f"fewer than 1 of {round(1.0 / _LEAST_SAID):,}"
            share = f" ({rare} videos from its area look so unlike)"
        if novelty is not None and novelty.is_novel(familiar):
            return Judgement(FrameState.UNFAMILIAR, f"it looks unlike anything this checkpoint was trained on{share}.", *said)
        if outside:
            return Judgement(FrameState.OUTSIDE_AOI, f"it looks taken in another place that the checkpoint knows{inside_said}.", *said)
        if self._lies_beyond_knowledge(positions, queries, features):
            return Judgement(FrameState.UNKNOWN_GROUND, BEST_UNKNOWN, *said)
        return Judgement(FrameState.LOCATED, why_unrated(of) if of.cannot_tell else "", *said)

    def _inside(self, queries: torch.Tensor, features: FloatArray) -> tuple[float, bool]:
        """P(the video was taken in the area), NaN where nothing tells, and whether it looks taken on other known ground."""
        known, beyond = self.path.elsewhere, self._elsewhere
        if known is None or beyond is None:
            return math.nan, False
        inner, outer = self._scores(queries, features), self._scores(queries, features, beyond.score, beyond.recalled)
        lead = lead_beyond(inner, outer, len(queries), self._blocks, known.blocks[:, beyond.outside])
        odds = known.log_odds(lead, beyond.outside)
        return known.p_inside(odds), known.is_outside(odds)

    def _lies_beyond_knowledge(self, positions: FloatArray, queries: torch.Tensor, features: FloatArray) -> bool:
        """Whether most frames find their best place on unknown ground, or were answered there."""
        ground = self.calibration.ground
        if ground is None or self.known.all():
            return False
        if ground.knows(positions, self.cover.spacing_m).mean() < MOST:
            return True
        whole, beyond = self._scores(queries, features, self.cover.score, self._recalled), 0
        for begin in range(0, len(queries), _FRAMES):
            found = whole(slice(begin, begin + _FRAMES))
            beyond += int((found[:, ~self.known].max(axis=1) > found[:, self.known].max(axis=1)).sum())
        return beyond > MOST * len(queries)
