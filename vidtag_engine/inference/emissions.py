"""How a video's frames score at places: the evidence that whole videos are decoded by, computed once a video.

Two kinds of evidence add up: the cosine of a frame's embedding with a place's location embedding (paper Sec. 3), and the frame's similarity to what the model
keeps of its training frames (:mod:`vidtag_engine.models.reference_database`). Inference, the fit of confidence and the benchmarks all read scores from here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from ..directions import Directions, over_places
from ..local_features import LocalRows, Rerank
from ..models import GeoCLIP, PlaceRecognizer, VidTAG
from ..models.reference_database import PlaceSimilarity
from ..reference.along import Moments
from ..reference.codes import Neighbours
from ..reference.local_matching import LocalFrames
from ..reference.similarity import Details, NearestReferences, side_by_side
from ..trajectory import DatabaseWeight, cuts
from ..trajectory.decoder import Scores
from ..types import FloatArray

Model = VidTAG | GeoCLIP | PlaceRecognizer

_CHUNK = 8192  # places embedded at once
_FRAMES = 256  # scored at once
MOST_HELD = 32_000_000  # scores of both kinds: 128 MB


@dataclass(frozen=True)
class ScoredPlaces:
    """Places that frames can be scored at.

    Args:
        lat_lon_deg: (M, 2) in degrees.
        score: (B, E) frame embeddings to (B, M) cosines.
        similarity: what tells how similar frames are to what the model keeps of these places; None where it keeps nothing, or where that is not read.
        sequence_mps: usual speed that sequences of frames are compared at; None compares each frame by itself.
        rerank: how a frame's best references are judged by their details; None does not look at them.
    """

    lat_lon_deg: FloatArray
    score: Callable[[torch.Tensor], FloatArray]
    similarity: PlaceSimilarity | NearestReferences | None = None
    sequence_mps: float | None = None
    rerank: Rerank | None = None

    @classmethod
    @torch.inference_mode()
    def embedded(
        cls,
        model: Model,
        lat_lon_deg: FloatArray,
        spacing_m: float,
        reach_m: float | None,
        neighbours: int | None = None,
        either_way: bool = False,
        directions: Directions | None = None,
        sequence_mps: float | None = None,
        rerank: Rerank | None = None,
    ) -> ScoredPlaces:
        """Places by their own location embeddings.

        Args:
            model: of both kinds of evidence.
            lat_lon_deg: (M, 2) an even cover.
            spacing_m: of the cover.
            reach_m: over which a kept frame speaks for places around it; None reads the cosines alone.
            neighbours: of a frame that are read; None reads all that is kept.
            either_way: whether frames are also compared as a street's other way would show them.
            directions: that similarity tells apart.
            sequence_mps, rerank: see the class.
        """
        similarity = similarity_to(model, lat_lon_deg, spacing_m, reach_m, neighbours, either_way, directions)
        if isinstance(model, PlaceRecognizer):
            return cls(lat_lon_deg, no_cosines(lat_lon_deg), similarity, sequence_mps, rerank)
        parts = np.array_split(lat_lon_deg, -(-len(lat_lon_deg) // _CHUNK) or 1)
        embeddings = torch.cat([model.embed_locations(torch.from_numpy(part)) for part in parts])

        @torch.inference_mode()
        def score(queries: torch.Tensor) -> FloatArray:
            found: FloatArray = (queries.to(embeddings) @ embeddings.T).float().cpu().numpy()
            return found

        return cls(lat_lon_deg, score, similarity, sequence_mps, rerank)


def similarity_to(
    model: Model,
    lat_lon_deg: FloatArray,
    spacing_m: float,
    reach_m: float | None,
    neighbours: int | None = None,
    either_way: bool = False,
    directions: Directions | None = None,
) -> PlaceSimilarity | NearestReferences | None:
    """What tells how similar frames are to what the model keeps of places (M, 2); None where it keeps nothing, or ``reach_m`` is None.

    Args:
        neighbours: of a frame that are read; None reads all that is kept.
        either_way: whether frames are also compared as a street's other way would show them.
        directions: that are told apart.
    """
    references = model.memory
    if references is None or reach_m is None:
        return None
    return references.over(lat_lon_deg, spacing_m, reach_m, neighbours, either_way=either_way, directions=directions)


def no_cosines(lat_lon_deg: FloatArray) -> Callable[[torch.Tensor], FloatArray]:
    """What scores places (M, 2) where no location encoder says anything of them."""
    return lambda queries: np.zeros((len(queries), len(lat_lon_deg)), dtype=np.float32)


class Emissions:
    """A video's frames as they are scored, whatever the places.

    Args:
        model: on any device.
        features: (T, D) of all the video's frames, in order, with the layout after them where the model keeps it.
        queries: (T, E) their embeddings, where they are there already.
        hidden: (N,) kept training frames that are not read for this video.
        keep_features: False where scores alone are asked for, as of the many videos of a fit: features are as large as all else.
        time_s: (T,) of the frames; None where they are no sequence.
        local: (T,) what tells details of them; None where nothing was found that does. Another :class:`Emissions` of the same frames may lend its own.
    """

    @torch.inference_mode()
    def __init__(
        self,
        model: Model,
        features: FloatArray | torch.Tensor,
        queries: torch.Tensor | None = None,
        hidden: torch.Tensor | None = None,
        *,
        keep_features: bool = True,
        time_s: FloatArray | None = None,
        local: LocalRows | LocalFrames | None = None,
    ) -> None:
        self.time_s = time_s
        self.local = LocalFrames(local) if isinstance(local, LocalRows) else local
        given = torch.as_tensor(features)
        plain = given[:, : model.config.feature_dim] if keep_features else given[:0, : model.config.feature_dim].clone()
        self.features: FloatArray = plain.cpu().numpy()
        self.queries = model.embed_video(given) if queries is None else queries
        self.hidden = hidden
        references = model.memory
        self.in_context = references.in_context(given.to(model.device)) if references is not None else None
        self._chance = references.chance if references is not None else None
        self.mirrored = references.mirrored(given.to(model.device)) if references is not None else None
        # What says how familiar the video is: the features, or what the database has of them where nothing else is kept.
        self.familiar_by = self.queries.cpu().numpy() if isinstance(model, PlaceRecognizer) else self.features

    def __len__(self) -> int:
        return len(self.queries)

    @cached_property
    @torch.inference_mode()
    def chance(self) -> FloatArray:
        """(T,) float32 similarity that chance finds for each frame among all that the model keeps; asked only where it keeps something."""
        # Whoever asks has seen that the model keeps references.
        assert self._chance is not None  # nosec B101
        assert self.in_context is not None  # nosec B101
        found: FloatArray = self._chance(self.in_context).float().cpu().numpy()
        return found

    @cached_property
    def cuts(self) -> list[int]:
        """Rows that begin a new shot, by what the features show."""
        return list(cuts(self.features))

    def at(self, places: ScoredPlaces, most_held: int = MOST_HELD, dtype: type = np.float32) -> FrameScores:
        """These frames' scores at places; see :class:`FrameScores`."""
        return FrameScores(self, places, most_held, dtype)


class FrameScores:
    """A video's scores at places; each kind is computed once and held, where both are no more than ``most_held`` numbers, else slice by slice as asked.

    Args:
        of: the video.
        places: M of them.
        most_held: numbers, both kinds together.
        dtype: that they are held in; they are given as float32.
    """

    def __init__(self, of: Emissions, places: ScoredPlaces, most_held: int = MOST_HELD, dtype: type = np.float32) -> None:
        self.of, self._places, self._dtype = of, places, dtype
        self._compares = places.similarity is not None and of.in_context is not None
        similarity = places.similarity
        directions = similarity.directions if isinstance(similarity, NearestReferences) else None
        self._layers = directions.count if directions and self._compares else 1
        self.size = (1 + self._compares * self._layers) * len(of) * len(places.lat_lon_deg)
        self.holds = self.size <= most_held

    def __len__(self) -> int:
        return len(self.of)

    def cosines(self, rows: slice) -> FloatArray:
        """(B, M) float32 cosines of a slice of frames with the places."""
        return _single(self._cosines[rows]) if self.holds else self._places.score(self.of.queries[rows])

    def similarity(self, rows: slice) -> FloatArray | None:
        """(B, M) float32 similarity of a slice of frames to what the model keeps of the places, in any direction; None where there is none."""
        found = self._directed(rows)
        return None if found is None else over_places(found, len(self._places.lat_lon_deg))

    def _directed(self, rows: slice) -> FloatArray | None:
        """(B, L M) float32 of the same by direction."""
        if not self._compares:
            return None
        return _single(self._similarity[rows]) if self.holds else self._similar(rows)

    def read(self, database_weight: DatabaseWeight | None, *, directed: bool = False) -> Scores:
        """What gives the (B, M) scores of a slice of frames: cosines, and the similarity as ``database_weight`` reads it.

        Args:
            database_weight: None reads the cosines alone.
            directed: gives those of every state (B, L M), by direction, where directions are told apart.
        """

        def given(rows: slice) -> FloatArray:
            cosines, similarity = self.cosines(rows), None
            if database_weight is not None:
                similarity = self._directed(rows) if directed else self.similarity(rows)
            if similarity is None or database_weight is None:
                return np.tile(cosines, self._layers) if directed else cosines
            return np.tile(cosines, self._layers if directed else 1) + database_weight.read(similarity, self.of.chance[rows])

        return given

    def read_similarity(self) -> Scores | None:
        """What gives the (B, M) similarity of a slice of frames; None where there is none."""
        if not self._compares:
            return None

        def given(rows: slice) -> FloatArray:
            found = self.similarity(rows)
            # There is something to compare with.
            assert found is not None  # nosec B101
            return found

        return given

    @cached_property
    def _cosines(self) -> FloatArray:
        return self._whole(lambda rows: self._places.score(self.of.queries[rows]))

    @cached_property
    def _similarity(self) -> FloatArray:
        return self._whole(self._similar, self._layers)

    def _whole(self, part: Callable[[slice], FloatArray], layers: int = 1) -> FloatArray:
        found: FloatArray = np.empty((len(self.of), layers * len(self._places.lat_lon_deg)), dtype=self._dtype)
        for begin in range(0, len(found), _FRAMES):
            rows = slice(begin, min(begin + _FRAMES, len(found)))
            found[rows] = part(rows)
        return found

    @property
    def references(self) -> NearestReferences | None:
        """What finds the nearest reference images; None where none are read, or all at once."""
        similarity = self._places.similarity
        return similarity if self._compares and isinstance(similarity, NearestReferences) else None

    @cached_property
    def found(self) -> Neighbours:
        """The reference images that are nearest to each frame, as :meth:`.NearestReferences.found`; asked only where there are :attr:`references`."""
        return side_by_side(self._sides)

    def refined(self, lat_lon_deg: FloatArray, within_m: float, sequence_mps: float | None = None) -> FloatArray:
        """(T, 2) the frames' places, each moved to the reference image near it that is most like the frame; asked only where there are :attr:`references`.

        Args:
            lat_lon_deg: (T, 2) in degrees.
            within_m: how far a place moves at most.
            sequence_mps: usual speed that sequences of frames are compared at for this; None asks what the frames were decoded by.
        """
        references, of, moments = self._asked, self.of, self._moments(sequence_mps)
        if moments is None or of.in_context is None:
            return references.refined(self.found, lat_lon_deg, within_m)
        along = references.along(self._sides, lat_lon_deg, within_m, of.in_context, moments, of.hidden, of.mirrored, self._places.rerank)
        return references.refined(along, lat_lon_deg, within_m)

    @property
    def _asked(self) -> NearestReferences:
        # Whoever asks has seen that there are references.
        assert self.references is not None  # nosec B101
        return self.references

    @cached_property
    @torch.inference_mode()
    def _sides(self) -> list[Neighbours]:
        of = self.of
        # Where there are references, frames are in context.
        assert of.in_context is not None  # nosec B101
        by = self._places.rerank
        details = Details(of.local, by) if of.local is not None and by is not None else None
        return self._asked.sides(of.in_context, of.hidden, of.mirrored, self._moments(self._places.sequence_mps), details)

    def looked_at(self, count: int) -> Neighbours | None:
        """Each frame's references the same way, with the inliers of its most similar ones, (T, k); None where frames or references have no details."""
        found = self._asked.looked_at(self._sides[0], self.of.local, count) if self.of.local is not None else None
        return None if found is None or found.inliers is None else found

    def _moments(self, sequence_mps: float | None) -> Moments | None:
        """What sequences are compared by; None compares each frame by itself."""
        if not sequence_mps or self.of.time_s is None:
            return None
        return Moments(np.asarray(self.of.time_s, dtype=np.float64), sequence_mps, tuple(self.of.cuts))

    @torch.inference_mode()
    def _similar(self, rows: slice) -> FloatArray:
        similarity, in_context = self._places.similarity, self.of.in_context
        # Asked only where there are both.
        assert similarity is not None  # nosec B101
        assert in_context is not None  # nosec B101
        if isinstance(similarity, NearestReferences):
            return np.asarray(similarity.spread(self.found.part(rows)))
        found: FloatArray = similarity(in_context[rows], self.of.hidden).cpu().numpy()
        return found


def _single(scores: FloatArray) -> FloatArray:
    return scores.astype(np.float32, copy=False)
