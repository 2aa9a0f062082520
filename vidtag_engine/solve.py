"""A video's frames decoded together over the searched area: the line, how sure to be, what else it could be, and whether it was taken there at all.

Beside `geolocate`, and called by it and the heat map alone: `trajectory` knows arrays, `gallery` and `models` know scores, and here they meet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

from .export.scores_file import VideoScores
from .gallery import Search
from .geodesy import haversine_m
from .models import GeoCLIP, VidTAG
from .models.memory import Likeness
from .trajectory import Calibration, Decoded, Decoder, PathCalibration, cuts, hypotheses, lead_beyond, mass_about, spread, verdict
from .trajectory.decoder import Scores
from .trajectory.lead import line_lead
from .types import Candidates, FloatArray, FrameState, Hypotheses, IntArray, Trajectory, Verdict

# Of the training's kind are as strange. On the dev isles it tells 94 % of foreign drives; with those that look taken outside, false alarms are to stay within 5 %.
UNFAMILIAR_BELOW = 0.01
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
    """

    final: Candidates
    line: FloatArray
    queries: torch.Tensor
    confidence: FloatArray
    hypotheses: Hypotheses
    verdict: Verdict


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
        self.path = calibration.path or PathCalibration.unfitted(
            calibration.temperature, self.cover.spacing_m, calibration.recall, calibration.speed_mps
        )
        self.decoder = Decoder(self.cover.lat_lon_deg, self.cover.spacing_m, self.path.motion)
        # The line seeks no more than a place of the cover.
        self.accuracy_m = max(self.path.accuracy_m, self.cover.spacing_m)
        self._model = model
        self._recalled = self._remembered(self.cover.lat_lon_deg, self.cover.spacing_m)

    @property
    def seeks_line(self) -> bool:
        """Whether the answer is a line through all frames: its decoding was fitted, or what is remembered can be read and how fast cameras go is known."""
        return self.calibration.path is not None or (self._recalled is not None and self.calibration.speed_mps is not None)

    @cached_property
    def _elsewhere(self) -> _Beyond | None:
        return self._ground_outside(self._model)

    def marginal(
        self, queries: torch.Tensor, features: FloatArray, time_s: FloatArray, check: Callable[[], None] = lambda: None
    ) -> sparse.csr_matrix:
        """The posterior of :meth:`decode`, (T, M) over the cover, without a line; ``check`` is called now and then, to stop it."""
        scores = self._scores(queries, features)

        def checked(rows: slice) -> FloatArray:
            check()
            return scores(rows)

        return self.decoder.marginals(checked, time_s, self.path.evidence, cuts(self._plain(features)))[0]

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
        lead = None
        if self.calibration.path is not None:
            lead = line_lead(
                self.decoder, self._scores(queries, features), decoded.lat_lon_deg, self.accuracy_m, cuts(self._plain(features))
            )
        found = hypotheses(decoded.marginal, self.decoder, positions, self.path, lead)

        def mass(radii: FloatArray) -> FloatArray:
            return mass_about(decoded.marginal, self.decoder, positions, radii)

        if self.calibration.path is None:  # what was fitted is each frame's own posterior
            own = self.search.posterior_mass(queries, positions, radius_m, self.calibration.temperature)
            confidence = self.calibration.confidence(own)
        else:
            confidence = self.path.chances(mass, [radius_m], lead)[:, 0]
        moved = replace(final, lat_deg=final.lat_deg.copy(), lon_deg=final.lon_deg.copy(), score=final.score.copy())
        moved.lat_deg[:, 0], moved.lon_deg[:, 0] = positions.T
        nearest = self.decoder.nearest(positions)
        for begin in range(0, len(queries), _FRAMES):
            rows = slice(begin, begin + _FRAMES)
            moved.score[rows, 0] = np.take_along_axis(self.cover.score(queries[rows]), nearest[rows, None], axis=1)[:, 0]
        return Solved(moved, decoded.lat_lon_deg, queries, confidence, found, self._verdict(found, queries, features))

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
            self._scores(solved.queries, features)(slice(0, len(solved.queries))),
            frame_index,
            time_s,
            solved.line,
            self.path,
            tuple(cuts(self._plain(features))),
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
        """What gives the scores of a slice of frames over the cover, or over other places: cosines, and what is remembered."""
        score, recalled = (score, recalled) if score else (self.cover.score, self._recalled)
        recall = self.path.recall
        memory = self._model.memory if isinstance(self._model, VidTAG) else None
        if recalled is None or recall is None or memory is None:
            return lambda rows: score(queries[rows])
        frames = memory.in_context(torch.from_numpy(features).to(memory.embeddings.device))
        return lambda rows: score(queries[rows]) + recall.read(recalled(frames[rows]).cpu().numpy())

    def _each_frames_best(self, queries: torch.Tensor, features: FloatArray) -> FloatArray:
        """(T, 2) the cover's place with the highest score, frame by frame."""
        scores, count = self._scores(queries, features), len(queries)
        best = [scores(slice(row, min(row + _FRAMES, count))).argmax(axis=1) for row in range(0, count, _FRAMES)]
        places: FloatArray = self.cover.lat_lon_deg[np.concatenate(best)]
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

    def _verdict(self, found: Hypotheses, queries: torch.Tensor, features: FloatArray) -> Verdict:
        inside = familiar = float("nan")
        outside = False
        known, beyond = self.path.elsewhere, self._elsewhere
        if known is not None and beyond is not None:
            lead = lead_beyond(
                self._scores(queries, features), self._scores(queries, features, beyond.score, beyond.recalled), len(queries)
            )
            odds = known.log_odds(lead, beyond.outside)
            inside, outside = known.p_inside(odds), known.is_outside(odds)
        if self.path.familiarity is not None:
            familiar = self.path.familiarity.p_value(self._plain(features))
        state, why = FrameState.LOCATED, ""
        if familiar < UNFAMILIAR_BELOW:
            state = FrameState.UNFAMILIAR
            share = f"{familiar:.1%}" if familiar >= _LEAST_SAID else f"less than {_LEAST_SAID:.1%}"
            why = f"Of videos like the checkpoint's training {share} are expected to be as unlike it as this one."
        elif outside:
            state = FrameState.OUTSIDE_AOI
            why = (
                f"It looks taken in another place that the checkpoint knows: the probability that it was taken in the area is {inside:.1%}."
            )
        return verdict(found, state=state, inside=inside, familiarity=familiar, why=why)


def with_hypotheses(trajectory: Trajectory, solved: Solved, *, always_answer: bool) -> Trajectory:
    """The trajectory with what is said beside it; where the verdict withholds the answer, positions are NaN and the state says why.

    Args:
        trajectory: of all sampled frames, the answer in place.
        solved: of those that have a picture.
        always_answer: withhold nothing.
    """
    located = np.array([one is FrameState.LOCATED for one in trajectory.state])
    whole = replace(trajectory, hypotheses=spread(solved.hypotheses, located), verdict=solved.verdict)
    if always_answer or solved.verdict.state is FrameState.LOCATED:
        return whole
    names = ("lat_deg", "lon_deg", "confidence", "score", "runner_up_m", "phase1_lat_deg", "phase1_lon_deg")
    nothing: dict[str, Any] = {name: np.full(len(located), np.nan) for name in names}
    states = tuple(solved.verdict.state if one else state for one, state in zip(located, trajectory.state, strict=True))
    return replace(whole, state=states, **nothing)
