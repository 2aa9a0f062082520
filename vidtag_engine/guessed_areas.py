"""Where nobody says where to look: each video's area is what CityGuessr proposes, and how likely each proposal is goes into the answer."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from .atomic import write_text
from .batch import default_cache_folder, ends_the_run, sentence_of
from .feedback import Feedback
from .grid import load_aoi
from .guessing import LoadedCities, VideoGuess, guess_from, load_cities
from .inference.city_guess import CityGuess
from .inference.encode import VideoFeatures, encode_video
from .models.backbones import LAYOUT
from .models.city_table import CityTable
from .models.frame_encoder import FrameEncoder
from .own_areas import SearchedArea, TableOfVideos, searched_area
from .registry import Registered, best_for, cities_among, registered
from .settings import GeolocateSettings
from .types import FailedVideo, FloatArray, InputError, VideoError, VideoInfo
from .video import source_digest

MASS, MOST = 0.9, 5
"""The smallest set of cities that holds this much, and never more cities, becomes the area."""
AUTO = "auto"
GUESSED = "Areas were guessed from the pictures, and nothing was looked at outside the proposed cities; the layer videos names them."
WORLDWIDE = "geoclip"
_OUTSIDE = 1e-6  # of the prior: places of the area that lie in no outline, by the grid's own margin
_MOST_KEPT_BYTES = 1_000_000_000  # of features that wait for their video's turn


@dataclass(frozen=True)
class CityPrior:
    """How likely each proposed city is, spread evenly over its places.

    Args:
        outlines: of the cities, in longitude and latitude (x before y).
        probability: of each; together what the video is of any of them.
    """

    outlines: tuple[shapely.Geometry, ...]
    probability: tuple[float, ...]

    @property
    def key(self) -> str:
        """Tells it from others."""
        digest = hashlib.sha256(repr(self.probability).encode())
        for outline in self.outlines:
            digest.update(outline.wkb)
        return digest.hexdigest()

    @property
    def held(self) -> float:
        """Probability that the video is of any of them; what is left is nowhere in the area."""
        return min(1.0, sum(self.probability))

    def __call__(self, lat_lon_deg: FloatArray) -> FloatArray:
        """(M,) weights of places (M, 2)."""
        points = shapely.points(lat_lon_deg[:, 1], lat_lon_deg[:, 0])
        weight = np.full(len(points), _OUTSIDE / max(1, len(points)))
        for outline, probability in zip(self.outlines, self.probability, strict=True):
            shapely.prepare(outline)
            inside = shapely.contains(outline, points)
            if inside.any():
                weight[inside] += probability / int(inside.sum())
        return weight


@dataclass(frozen=True)
class Proposal:
    """What is proposed for a video.

    Args:
        cities: numbers in the table, likeliest first; none where ``why`` says why.
        probability: of each, in whole per cent, as results name it; what it lacks of 1 lies elsewhere.
        why: no area is proposed.
    """

    cities: tuple[int, ...]
    probability: tuple[float, ...]
    why: str = ""


class AreaGuesser:
    """Guesses the areas of a run's videos.

    Args:
        source: of the CityGuessr checkpoint; "auto" is the first among the registered.
        settings: of the run.
        feedback: told while it is loaded.
        by_itself: nobody asked for it: what cannot be guessed is sought elsewhere.
        load: gives the checkpoint.

    Raises:
        InputError: there is no such checkpoint, or none is registered.
    """

    def __init__(
        self,
        source: str,
        settings: GeolocateSettings,
        feedback: Feedback = Feedback(),
        *,
        by_itself: bool = False,
        load: Callable[[str, str, Feedback], LoadedCities] = load_cities,
    ) -> None:
        self.by_itself = by_itself
        self.known = registered()
        if source == AUTO:
            cities = cities_among(self.known)
            if not cities:
                raise InputError(
                    "No checkpoint that tells cities is registered: put one into your folder of checkpoints, or name it with --guess-area."
                )
            source = str(cities[0].path)
        self.loaded: LoadedCities = load(source, settings.device, feedback)
        self.digest = self.loaded.digest
        self.features: dict[Path, VideoFeatures] = {}
        self._kept_bytes = 0
        self._shared: FrameEncoder | None = None
        self._proposals: dict[Path, Proposal] = {}

    @property
    def table(self) -> CityTable:
        """The cities."""
        return self.loaded.guesser.table

    def guess(
        self, infos: Sequence[VideoInfo], table: TableOfVideos, encoder: FrameEncoder | None = None, feedback: Feedback = Feedback()
    ) -> None:
        """Propose an area for each video that has none and no proposal yet. What was guessed of the same bytes and stretch before is read again.

        A video that cannot be looked at has no proposal, and why; the others go on.

        Args:
            infos: of the videos.
            table: has each one's stretch, and areas of their own.
            encoder: that will see their frames afterwards; where it gives the features that are needed here, each frame is encoded once for both.
            feedback: of the whole.
        """
        own = self.loaded.encoder
        self._shared = encoder if encoder is not None and own is not None and _alike(encoder, own) else None
        for number, info in enumerate(infos):
            if info.path in self._proposals or table.area_of(info.path) is not None:
                continue
            told = feedback.part(number / len(infos), (number + 1) / len(infos))
            try:
                self._proposals[info.path] = self._propose(info, table.settings_of(info.path), told)
            except Exception as error:
                if ends_the_run(error):
                    raise
                self._proposals[info.path] = Proposal((), (), sentence_of(error, info.path))

    def checkpoint(self) -> Registered:
        """The registered checkpoint that knows the most of what was proposed.

        Raises:
            InputError: none knows any of it.
        """
        places = [
            (self.table.outlines[city], share)
            for one in self._proposals.values()
            for city, share in zip(one.cities, one.probability, strict=True)
        ]
        best = best_for(self.known, places)
        if best is None:
            names = sorted({self.table.names[0][city] for one in self._proposals.values() for city in one.cities})
            said = f"{', '.join(names[:5])}" if names else "any place"
            raise InputError(f"No registered checkpoint knows {said}: train one with 'vidtag train', or name one with --checkpoint.")
        return best

    def area(self, info: VideoInfo, settings: GeolocateSettings) -> SearchedArea:
        """The proposed area of a video, with its prior.

        Raises:
            VideoError: nothing is proposed, and why.
            InputError: the area has too many points.
        """
        proposal = self._proposals[info.path]
        if proposal.why:
            raise VideoError(proposal.why)
        outlines = tuple(self.table.outlines[city] for city in proposal.cities)
        names = [f"{self.table.names[0][city]} {share:.0%}" for city, share in zip(proposal.cities, proposal.probability, strict=True)]
        aoi = load_aoi(shapely.union_all(outlines).wkt)
        return searched_area(aoi, settings, f"guessed: {', '.join(names)}", CityPrior(outlines, proposal.probability))

    def _propose(self, info: VideoInfo, settings: GeolocateSettings, feedback: Feedback) -> Proposal:
        remembered = self._file(source_digest(info.path), settings)
        if (found := _read(remembered)) is not None:
            return found
        proposal = proposal_of(self._guess(info, settings, feedback).guess)
        text = json.dumps({"cities": proposal.cities, "probability": proposal.probability, "why": proposal.why})
        with contextlib.suppress(InputError, OSError):  # an answer matters more than a faster next time
            remembered.parent.mkdir(parents=True, exist_ok=True)
            write_text(remembered, text)
        return proposal

    def _guess(self, info: VideoInfo, settings: GeolocateSettings, feedback: Feedback) -> VideoGuess:
        """By the video's own frames, which are kept for its turn where the same frame encoder sees it then."""
        if self._shared is None:
            return guess_from(info, self.loaded, None, settings, feedback)
        found = encode_video(info, self._shared, settings, feedback=feedback)
        self._kept_bytes += found.features.nbytes + (found.local.nbytes if found.local is not None else 0)
        if self._kept_bytes <= _MOST_KEPT_BYTES:
            self.features[info.path] = found
        return guess_from(info, self.loaded, found.features, settings, feedback)

    def _file(self, sha256: str, settings: GeolocateSettings) -> Path:
        stretch = json.dumps([settings.rate_hz, settings.from_s, settings.to_s])
        name = hashlib.sha256(f"{sha256} {self.digest} {stretch}".encode()).hexdigest()[:32]
        return default_cache_folder().parent / "guesses" / f"{name}.json"


def area_guesser(
    settings: GeolocateSettings,
    checkpoint: Any,
    *,
    given: bool,
    feedback: Feedback,
    load: Callable[[str, str, Feedback], LoadedCities] = load_cities,
) -> AreaGuesser | None:
    """What guesses areas, where that is asked for; or by itself where nothing says where a worldwide checkpoint shall look, and the user keeps one that can guess.

    Args:
        settings: of the run.
        checkpoint: loaded, or how it was named; "auto" is one of the registered, which the guess picks.
        given: whether an area was given.
        feedback: told while it is loaded.
        load: gives the checkpoint.

    Raises:
        InputError: an area is given and to be guessed as well, or "auto" without a guess.
    """
    if settings.guess_area and given:
        raise InputError("The area is given and is to be guessed as well: leave out one of --aoi and --guess-area.")
    if settings.guess_area:
        return AreaGuesser(settings.guess_area, settings, feedback, load=load)
    if checkpoint == AUTO:
        raise InputError("Only a guessed area says which registered checkpoint fits: add --guess-area, or name the checkpoint.")
    if checkpoint == WORLDWIDE and not given and cities_among(registered()):
        return AreaGuesser(AUTO, settings, feedback, by_itself=True, load=load)
    return None


def give_areas(infos: list[VideoInfo], guesser: AreaGuesser, table: TableOfVideos, failed: list[FailedVideo]) -> list[VideoInfo]:
    """Give each video that has no area of its own the one that is proposed for it.

    Returns:
        The videos that have an area. The others are added to ``failed`` with why; where the guess came by itself they are sought on all land instead.

    Raises:
        VideoError: none is left.
    """
    left = []
    for info in infos:
        if table.area_of(info.path) is None:
            try:
                table.give(info.path, guesser.area(info, table.settings_of(info.path)))
            except InputError as error:
                if not guesser.by_itself:
                    failed.append(FailedVideo(info, str(error), source_digest(info.path)))
                    continue
        left.append(info)
    if not left:
        raise VideoError(failed[-1].why)
    return left


def proposal_of(guess: CityGuess) -> Proposal:
    """The smallest set of cities that holds 90 %, at most five."""
    if guess.why:
        return Proposal((), (), f"{guess.why} So no area can be guessed: give one with --aoi.")
    if not guess.rated:
        return Proposal(
            (), (), "The checkpoint that guesses cities was never calibrated, so nothing says which are likely: give an area with --aoi."
        )
    cities = guess.smallest_set(MASS, MOST)
    shares = np.exp(guess.log_probability[cities])
    return Proposal(tuple(cities), tuple(max(0.01, round(float(share), 2)) for share in shares))


def _alike(one: FrameEncoder, other: FrameEncoder) -> bool:
    """Whether both give the same features, whatever else they tell of a picture."""
    bare = [[name.removesuffix(LAYOUT) for name in encoder.backbone_names] for encoder in (one, other)]
    return bare[0] == bare[1] and one.unit_norm == other.unit_norm


def _read(file: Path) -> Proposal | None:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        return Proposal(tuple(map(int, values["cities"])), tuple(map(float, values["probability"])), str(values["why"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
