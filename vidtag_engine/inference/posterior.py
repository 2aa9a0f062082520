"""A video's frames decoded together over the searched area: the line, how sure to be, what else it could be, and whether it was taken there at all.

Decode, score margin, hypotheses, chances, verdict: in this order for whoever geolocates, draws a heat map or measures; with pins see :mod:`.with_pins`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..geodesy import haversine_m
from ..models import PlaceRecognizer
from ..reference.similarity import Evidence
from ..search import Search
from ..trajectory import Calibration, Decoded, Decoder, PathCalibration, hypotheses, mass_about, out_of_area_score, verdict
from ..trajectory.decoder import Scores
from ..trajectory.decoder_calibration import REFINED, Reads
from ..trajectory.out_of_area import blocks_of_ground, recognised_beyond
from ..trajectory.score_margin import recognition, rivals_from_m, score_margin
from ..trajectory.scores import VideoScores
from ..types import Candidates, FloatArray, FrameState, Hypotheses, IntArray, Verdict
from .emissions import Emissions, FrameScores, Model, ScoredPlaces, no_cosines, similarity_to
from .verdicts import BEST_UNKNOWN, MOST, OUTRUN, Judgement, why_unknown, why_unrated

Prior = Callable[[FloatArray], FloatArray]

_LEAST_SAID = 0.001
_FRAMES = 256  # scored at once
_KNOWN_WITHIN = 1.5  # spacings
_REACH = 0.75  # spacings: half a cell's diagonal


@dataclass(frozen=True)
class Posterior:
    """A video's answer; rows are the frames that have a picture.

    Args:
        final: candidates whose first column is the line.
        line: (T, 2) the line as decoded, before it was moved to finer candidates.
        confidence: (T,) P(the truth lies within the asked radius).
        hypotheses, verdict: see their types.
        scores: that it was decoded from.
        recognised: which kind of video it is, for how sure to be.
        decoded: the posterior itself.
    """

    final: Candidates
    line: FloatArray
    confidence: FloatArray
    hypotheses: Hypotheses
    verdict: Verdict
    scores: FrameScores
    recognised: bool = True
    decoded: Decoded | None = None


@dataclass(frozen=True)
class _Beyond:
    """The training's ground outside the area: which part of all it is, and how frames are scored there."""

    outside: NDArray[np.bool_]
    places: ScoredPlaces


def chances(
    decoder: Decoder,
    decoded: Decoded,
    positions: FloatArray,
    path: PathCalibration,
    radii_m: Sequence[float],
    margin: FloatArray | None,
    recognised: bool = True,
) -> FloatArray:
    """(T, R) calibrated P(the truth lies within each radius of the answer), as :meth:`.PathCalibration.chances` has it.

    Args:
        decoder, decoded: of the video.
        positions: (T, 2) the answer.
        path: what the posterior's mass means.
        radii_m, margin, recognised: as there.
    """
    return path.chances(lambda radii: mass_about(decoded.marginal, decoder, positions, radii), radii_m, margin, recognised)


def believed(path: PathCalibration, decoded: Decoded) -> PathCalibration:
    """What a posterior's mass means: nothing where the pictures gainsay the top speed that it was decoded with, as held-out videos tell of true ones alone."""
    return replace(path, maps=()) if decoded.outruns_limit else path


class PosteriorDecoder:
    """Solves any number of videos over one search.

    Args:
        model: whose embeddings are searched.
        search: prepared, with a cover.
        calibration: of the checkpoint.
        limit_mps: top speed of the cameras, where a person says one.
        prior: where the cameras may be before anything is seen: gives (M,) weights of places (M, 2); None is anywhere alike.
        held: probability that the video was taken in the area at all; the rest is kept from every probability, as that of unknown ground is.
    """

    def __init__(
        self,
        model: Model,
        search: Search,
        calibration: Calibration,
        limit_mps: float | None = None,
        prior: Prior | None = None,
        held: float = 1.0,
    ) -> None:
        self._held = held
        cover = search.cover()
        if cover is None:
            raise ValueError("a search without a cover has nothing to decode over")
        self.cover, self.search, self.calibration = cover, search, calibration
        ground = calibration.ground
        self.known = ground.knows(cover.lat_lon_deg, cover.spacing_m) if ground else np.ones(len(cover.lat_lon_deg), dtype=bool)
        self.unknown_share = float(1.0 - self.known.mean()) if ground else float("nan")
        # Where nothing speaks of any place all are decoded over, for those who want an answer all the same.
        self._places = np.flatnonzero(self.known) if self.known.any() else np.arange(len(self.known))
        path = self._reading()
        self.path = path if limit_mps is None else replace(path, transition=replace(path.transition, limit_mps=limit_mps))
        places = self.cover.lat_lon_deg[self._places]
        weights = prior(places) if prior else None
        self.decoder = Decoder(places, self.cover.spacing_m, self.path.transition, weights, self._reads.directions)
        # The line seeks no more than a place of the cover.
        self.accuracy_m = max(self.path.accuracy_m, self.cover.spacing_m)
        self._model = model
        reads = self._reads
        similarity = similarity_to(
            model, cover.lat_lon_deg, cover.spacing_m, reads.reach_m, reads.neighbours, reads.either_way, reads.directions
        )
        score = no_cosines(cover.lat_lon_deg) if isinstance(model, PlaceRecognizer) else cover.score
        self._scored = ScoredPlaces(cover.lat_lon_deg, score, similarity, reads.sequence_mps, reads.rerank)

    def _reading(self) -> PathCalibration:
        """How videos are decoded over this area. No probability is said by a checkpoint that cannot tell, nor of ground that it does not know."""
        of = self.calibration
        path = of.path or replace(
            PathCalibration.unfitted(of.temperature, self.cover.spacing_m, of.database_weight, of.speed_mps),
            novelty=of.novelty,
            out_of_area=of.out_of_area,
        )
        if of.cannot_tell or not self.known.any():
            return replace(path, maps=())
        return replace(path, unknown_share=1.0 - self._held * (1.0 - self.unknown_share))

    @property
    def _reads(self) -> Reads:
        """How reference images are compared."""
        weight = self.path.database_weight
        return weight.reads if weight else Reads()

    @property
    def seeks_line(self) -> bool:
        """Whether the answer is a line through all frames: its decoding was fitted, or there is a reference database to read and how fast cameras go is known."""
        return self.calibration.path is not None or (self._scored.similarity is not None and self.calibration.speed_mps is not None)

    @cached_property
    def _blocks(self) -> IntArray:
        """(2, M) of the decoder's places."""
        return blocks_of_ground(self.decoder.lat_lon_deg)

    @cached_property
    def _out_of_area(self) -> _Beyond | None:
        return self._ground_outside()

    def read(self, video: Emissions) -> FrameScores:
        """A video's scores over the area, which everything below is asked with: they are computed once."""
        return video.at(self._scored)

    def marginal(self, video: FrameScores, time_s: FloatArray, check: Callable[[], None] = lambda: None) -> sparse.csr_matrix:
        """The posterior of :meth:`decode`, (T, M) over the cover, without a line: its part on known ground; ``check`` is called now and then, to stop it."""
        scores = self._of_states(video)

        def checked(rows: slice) -> FloatArray:
            check()
            return scores(rows)

        found = self.decoder.marginals(checked, time_s, self.path.emission, video.of.cuts)[0]
        kept = 1.0 - float(self.unknown_mass.sum())
        return sparse.csr_matrix((kept * found.data, self._places[found.indices], found.indptr), shape=(found.shape[0], len(self.known)))

    @property
    def unknown_mass(self) -> FloatArray:
        """(M,) of the cover: what every frame's posterior has on unknown ground, spread evenly; nothing where all ground is unknown, or none."""
        unknown = ~self.known if self.known.any() else np.zeros(len(self.known), dtype=bool)
        return np.where(unknown, 1.0 / len(self.known), 0.0)

    def decode(self, video: FrameScores, time_s: FloatArray) -> Decoded:
        """The posterior and the line.

        Args:
            video: as :meth:`read` gives it.
            time_s: (T,) of its frames.
        """
        return self.decoder.decode(
            self._of_states(video),
            time_s,
            self.path.emission,
            cuts=video.of.cuts,
            accuracy_m=self.accuracy_m,
            line_emission=self.path.line_emission,
        )

    def solve(self, video: FrameScores, decoded: Decoded, final: Candidates, radius_m: float) -> Posterior:
        """Everything that is said of a video.

        Args:
            video: as :meth:`decode`.
            decoded: what that gave.
            final: each frame's own candidates.
            radius_m: that confidence is about.
        """
        if self.seeks_line:
            positions = self._on_grid(decoded.lat_lon_deg, final)
            if self.path.at_references and video.references is not None:
                positions = video.refined(positions, REFINED * self.cover.spacing_m, self.path.refine_mps)
        elif self._scored.similarity is not None:
            positions = self._on_grid(self._each_frames_best(video), final)
        else:
            # Where it was never fitted how far to trust the joint answer, each frame keeps its own, and the posterior is told beside it.
            positions = np.stack([final.lat_deg[:, 0], final.lon_deg[:, 0]], axis=1)
        margin, recognised = self.standing(video, decoded)
        path = believed(self.path, decoded)
        unknown = None if self.known.all() or not self.known.any() else self.cover.lat_lon_deg[~self.known]
        found = hypotheses(decoded.marginal, self.decoder, positions, path, margin, recognised, unknown)
        confidence = chances(self.decoder, decoded, positions, path, [radius_m], margin, recognised)[:, 0]
        moved = replace(final, lat_deg=final.lat_deg.copy(), lon_deg=final.lon_deg.copy(), score=final.score.copy())
        moved.lat_deg[:, 0], moved.lon_deg[:, 0] = positions.T
        nearest = self.decoder.nearest(positions)
        for rows in _parts(len(video)):
            scored = video.similarity(rows) if isinstance(self._model, PlaceRecognizer) else None
            own = np.take_along_axis(video.cosines(rows) if scored is None else scored, self._places[nearest[rows, None]], axis=1)
            moved.score[rows, 0] = own[:, 0]
        judgement = self.judge(video, positions)
        said = verdict(
            found,
            state=judgement.state,
            inside=judgement.inside,
            familiarity=judgement.familiarity,
            why=judgement.why or (OUTRUN if decoded.outruns_limit else ""),
            unknown_share=self.unknown_share,
        )
        return Posterior(moved, decoded.lat_lon_deg, confidence, found, said, video, recognised, decoded)

    def evidence(self, video: FrameScores, positions: FloatArray) -> list[list[Evidence]]:
        """Of each frame the reference images that speak for its place (T, 2), as :meth:`.NearestReferences.evidence`; none where no database on disk is read."""
        references = video.references
        if references is None:
            return [[] for _ in range(len(positions))]
        return references.evidence(video.found, positions)

    def standing(self, video: FrameScores, decoded: Decoded) -> tuple[FloatArray | None, bool]:
        """What chances are read beside: (T,) how far the line stands out, and whether the video is recognised on it; None and True where none are said.

        Args:
            video: as :meth:`decode`.
            decoded: what that gave.
        """
        if not self.path.rated:
            return None, True
        apart_m = rivals_from_m(self.decoder, self.accuracy_m, self.path.apart_m)
        found = score_margin(self.decoder, self._scores(video), decoded.lat_lon_deg, apart_m, video.of.cuts)
        similarity = video.read_similarity()
        own = self._of_places(similarity) if similarity is not None else None
        return found, self.path.is_recognised(recognition(self.decoder, own, decoded.lat_lon_deg, apart_m))

    def density(self, decoded: Decoded, lat_lon_deg: FloatArray, place: IntArray) -> FloatArray:
        """(S,) how many times likelier than on an even spread ways are held to be, on average over their frames; unknown ground counts as even.

        Args:
            decoded: of the video.
            lat_lon_deg: (N, 2) places of another decoder.
            place: (S, T) numbers of these, of ways.
        """
        nearest = self.decoder.nearest(lat_lon_deg)
        known = haversine_m(*lat_lon_deg.T, *self.decoder.lat_lon_deg[nearest].T) <= _KNOWN_WITHIN * self.cover.spacing_m
        total, count = np.zeros(len(place)), len(self.decoder.lat_lon_deg)
        for row in range(place.shape[1]):
            share = decoded.marginal[row].toarray().ravel()
            here = place[:, row]
            total += np.where(known[here], count * share[nearest[here]], 1.0)
        return total / max(1, place.shape[1])

    def scores(self, solved: Posterior, frame_index: IntArray, time_s: FloatArray) -> VideoScores:
        """What a video can be solved again from, with pins.

        Args:
            solved: the answer.
            time_s: as it was solved.
            frame_index: (T,) of these frames.
        """
        video = solved.scores
        return VideoScores(
            self.cover.lat_lon_deg,
            self.cover.spacing_m,
            video.read(self.path.database_weight, directed=True)(slice(0, len(video))),
            frame_index,
            time_s,
            solved.line,
            self.path,
            tuple(video.of.cuts),
            solved.recognised,
            None if len(self._places) == len(self.known) else self.known,
            None if self.decoder.prior is None else self.decoder.prior[: len(self._places)],
        )

    def _scores(self, video: FrameScores) -> Scores:
        """What gives the scores of a slice of frames over the decoder's places."""
        return self._of_places(video.read(self.path.database_weight))

    def _of_states(self, video: FrameScores) -> Scores:
        """What gives the scores of a slice of frames in the decoder's states."""
        whole = video.read(self.path.database_weight, directed=True)
        if len(self._places) == len(self.known):
            return whole

        def given(rows: slice) -> FloatArray:
            found = whole(rows)
            return found.reshape(len(found), -1, len(self.known))[:, :, self._places].reshape(len(found), -1)

        return given

    def _of_places(self, whole: Scores) -> Scores:
        """Of scores over the cover those over the decoder's places."""
        return whole if len(self._places) == len(self.known) else lambda rows: whole(rows)[:, self._places]

    def _each_frames_best(self, video: FrameScores) -> FloatArray:
        """(T, 2) the cover's place with the highest score, frame by frame."""
        scores = self._scores(video)
        best = [scores(rows).argmax(axis=1) for rows in _parts(len(video))]
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

    def _ground_outside(self) -> _Beyond | None:
        """The training's ground outside the area; None where the checkpoint does not tell, or knows nothing outside or nothing inside."""
        known = self.path.out_of_area
        if known is None or not known.tells:
            return None
        beyond = known.outside(self.cover.lat_lon_deg, self.cover.spacing_m)
        # Of an area where the checkpoint knows nothing no score was ever learned.
        if not beyond.any() or beyond.all():
            return None
        return _Beyond(beyond, ScoredPlaces.embedded(self._model, known.lat_lon_deg[beyond], known.spacing_m, *self._reads))

    def judge(self, video: FrameScores, positions: FloatArray) -> Judgement:
        """The first of these that holds: nothing speaks of the area or of the answer, the video is novel, it was taken elsewhere; else it is located.

        Args:
            video: as :meth:`decode`.
            positions: (T, 2) the answer.
        """
        of = self.calibration
        if of.ground is not None and not self.known.any():
            return Judgement(FrameState.UNKNOWN_GROUND, why_unknown(of.ground, self.cover.lat_lon_deg))
        inside, outside = self._inside(video)
        novelty = self.path.novelty
        familiar = novelty.p_value(video.of.familiar_by) if novelty is not None else math.nan
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
        if self._lies_beyond_knowledge(video, positions):
            return Judgement(FrameState.UNKNOWN_GROUND, BEST_UNKNOWN, *said)
        return Judgement(FrameState.LOCATED, why_unrated(of) if of.cannot_tell else "", *said)

    def _inside(self, video: FrameScores) -> tuple[float, bool]:
        """P(the video was taken in the area), NaN where nothing tells, and whether it looks taken on other known ground."""
        known, beyond = self.path.out_of_area, self._out_of_area
        if known is None or beyond is None:
            return math.nan, False
        there = video.of.at(beyond.places)
        margin = out_of_area_score(
            self._scores(video), there.read(self.path.database_weight), len(video), self._blocks, known.blocks[:, beyond.outside]
        )
        odds = known.log_odds(margin, beyond.outside, self._recognised_beyond(video, there))
        return known.p_inside(odds), known.is_outside(odds)

    def _recognised_beyond(self, video: FrameScores, there: FrameScores) -> float:
        """How clearly the video is recognised on the known ground outside; 0 where nothing is kept to recognise it by."""
        inner, outer = video.read_similarity(), there.read_similarity()
        if inner is None or outer is None:
            return 0.0
        inner = self._of_places(inner)
        best = [[side(rows).max(axis=1, keepdims=True) for rows in _parts(len(video))] for side in (inner, outer)]
        return recognised_beyond(*(np.concatenate(one) for one in best)) if len(video) else 0.0

    def _lies_beyond_knowledge(self, video: FrameScores, positions: FloatArray) -> bool:
        """Whether most frames find their best place on unknown ground, or were answered there."""
        ground = self.calibration.ground
        if ground is None or self.known.all():
            return False
        if ground.knows(positions, self.cover.spacing_m).mean() < MOST:
            return True
        whole, beyond = video.read(self.path.database_weight), 0
        for rows in _parts(len(video)):
            found = whole(rows)
            beyond += int((found[:, ~self.known].max(axis=1) > found[:, self.known].max(axis=1)).sum())
        return beyond > MOST * len(video)


def _parts(frames: int) -> Iterator[slice]:
    """Slices of so many frames that their scores are looked at together."""
    for begin in range(0, frames, _FRAMES):
        yield slice(begin, min(begin + _FRAMES, frames))
