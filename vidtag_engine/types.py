"""What flows through the engine: plain frozen dataclasses with units in their names.

Order of coordinates: latitude before longitude in every array here (``(..., 2)`` arrays are ``[lat_deg, lon_deg]``, WGS 84);
shapely geometries keep x = longitude before y = latitude.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]
LEVELS = ("city", "state", "country", "continent")
"""Of places' names, from the finest on; labels, names and scores of four levels are in this order everywhere."""


class InputError(ValueError):
    """Bad input. The message is one sentence that names the input and says what to do; it is shown as it is."""

    exit_status: ClassVar[int] = 2
    """What a command ends with."""


class VideoError(InputError):
    """A video or a picture that is there and cannot be read."""

    exit_status = 3


class FetchError(InputError):
    """Something that has to be fetched once, and cannot be: there is no network, or not under that name."""

    exit_status = 4


class UnwrittenError(InputError):
    """What a person said makes sense and cannot be written for now: the disk is full, the file is locked or gone. Said again later it may be."""


class CancelledError(Exception):
    """The user stopped the work. What was finished before is kept."""

    exit_status: ClassVar[int] = 130


class TimeSource(str, Enum):
    """Where a video's start time comes from."""

    ARGUMENT = "argument"
    CONTAINER = "container"
    CONTAINER_END = "container_end"  # the file says when recording ended, as Android phones write it: so much earlier as it is long
    EXIF = "exif"
    SYNTHETIC = "synthetic"  # unknown: a flagged base, 2000-01-01T00:00:00Z


class FrameState(str, Enum):
    """Whether a frame has an answer, and if not, why."""

    LOCATED = "located"
    DAMAGED = "damaged"  # its stretch of the video cannot be decoded
    OUTSIDE_AOI = "outside_aoi"  # by all that is known, the video was not taken in the area that was searched
    UNFAMILIAR = "unfamiliar"  # unlike anything that the checkpoint was trained on
    UNKNOWN_GROUND = "unknown_ground"  # nothing that the checkpoint knows can speak of the places that were searched


@dataclass(frozen=True)
class Progress:
    """How far a long job is: ``fraction`` of the whole job in 0..1, the stage's name, and a line for people."""

    fraction: float
    stage: str
    message: str = ""


ProgressCallback = Callable[[Progress], None]
CancelCheck = Callable[[], bool]


@dataclass(frozen=True)
class VideoInfo:
    """What is known of one input sequence before its frames are read.

    Args:
        path: the video file, or the folder of images.
        name: for people and attributes; unique within a batch (the file's name, with a part of its folder where needed).
        kind: ``"video"`` or ``"images"``.
        width_px, height_px: upright size, rotation applied, with square pixels.
        duration_s: of the whole video; None where the container does not say.
        start_time: UTC, of time_s = 0.
        time_source: where ``start_time`` comes from.
        embedded_gps: name of a position track inside the file ("GPS5", "EXIF", "KLV"), else None. Never used for the answer.
        rotation_deg: clockwise rotation applied to make the picture upright.
        variable_frame_rate: whether frames are unevenly spaced, where the container says.
        notes: what a user should know of how it was read, a sentence each.
    """

    path: Path
    name: str
    kind: str
    width_px: int
    height_px: int
    duration_s: float | None
    start_time: datetime
    time_source: TimeSource
    embedded_gps: str | None = None
    rotation_deg: int = 0
    variable_frame_rate: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Frame:
    """One sampled picture. ``image`` is (height, width, 3) uint8 RGB, upright; None where ``state`` is not LOCATED.

    ``index`` counts the sampled frames from 0; ``time_s`` is the picture's own timestamp, seconds after the video's start.
    """

    index: int
    time_s: float
    image: NDArray[np.uint8] | None
    state: FrameState = FrameState.LOCATED


@dataclass(frozen=True)
class DecodeReport:
    """What reading a video took: pictures decoded and given out, packets or files skipped as damaged, and the stretches lost.

    ``repeated``: pictures that were not encoded, since they show what the last encoded one showed.
    """

    decoded: int
    sampled: int
    damaged: int
    damaged_stretches_s: tuple[tuple[float, float], ...] = ()
    repeated: int = 0


@dataclass(frozen=True)
class Track:
    """A timed sequence of positions (truth to train on or compare with), in time order.

    Args:
        time_s: (N,) seconds; since the Unix epoch where ``absolute``, else since the video's start.
        lat_deg, lon_deg: (N,) WGS 84.
        absolute: whether ``time_s`` is Unix time.
        source: "GPX", "CSV", "KML", "GeoJSON", "SRT", "EXIF", "GPS5", "KLV", "layer".
        names: (N,) file names where positions belong to named images (EXIF, CSV), else None.
        note: what of the file was left out or assumed, in whole sentences for people; empty where there is nothing to say.
    """

    time_s: FloatArray
    lat_deg: FloatArray
    lon_deg: FloatArray
    absolute: bool
    source: str
    names: tuple[str, ...] | None = None
    note: str = ""


@dataclass(frozen=True)
class Candidates:
    """The k best gallery points of each frame, best first.

    Args:
        index: (T, k) int64 point numbers in the gallery's own order.
        lat_deg, lon_deg: (T, k).
        score: (T, k) float32 cosine.
    """

    index: IntArray
    lat_deg: FloatArray
    lon_deg: FloatArray
    score: FloatArray


@dataclass(frozen=True)
class Hypotheses:
    """What else it could be, and how sure to be: a row a frame that has a picture. Regions are shapely (multi)polygons, x = longitude, y = latitude.

    Args:
        radii_m: (R,) of ``within``.
        within: (T, R) calibrated P(the truth lies within each radius of the position); NaN where there is no picture, or nothing calibrated it.
        entropy_bits: (T,) of the posterior over the area's places; 0: one place has it all.
        runner_up_lat_deg, runner_up_lon_deg: (T,) the best other place outside the position's own peak; NaN where there is none.
        runner_up_share: (T,) of the posterior that lies about it, beside ``position_share`` about the position itself.
        position_share: (T,).
        region50, region90: (T,) the smallest regions that hold the truth with 50 and 90 % (conformal, by video); None where there is no picture.
        best_lat_deg, best_lon_deg: (T,) the position that would have been given, also where the answer is withheld.
        overall50, overall90: what the frames' regions cover together; None where that was not asked for.
    """

    radii_m: tuple[float, ...]
    within: FloatArray
    entropy_bits: FloatArray
    runner_up_lat_deg: FloatArray
    runner_up_lon_deg: FloatArray
    runner_up_share: FloatArray
    position_share: FloatArray
    region50: tuple[Any, ...]
    region90: tuple[Any, ...]
    best_lat_deg: FloatArray
    best_lon_deg: FloatArray
    overall50: Any = None
    overall90: Any = None


@dataclass(frozen=True)
class Verdict:
    """What is said of a whole video.

    Args:
        state: LOCATED, UNKNOWN_GROUND, OUTSIDE_AOI or UNFAMILIAR.
        inside: calibrated probability that it was taken in the area, not on other ground that the checkpoint knows, with even odds before; NaN where nothing tells.
        familiarity: share of new videos of the training's kind that are expected to be as unlike it as this one or more (a p-value).
        within: (R,) mean of the frames'.
        entropy_bits: mean of the frames'.
        region50, region90: union of the frames' regions; None where there is none.
        why: one sentence for people where the answer is withheld, or where no probability is shown with it; else empty.
        unknown_share: share of the searched area of which nothing can speak, and which keeps that share of every probability; NaN where the checkpoint does not say
            what it knows.
    """

    state: FrameState
    inside: float
    familiarity: float
    within: tuple[float, ...]
    entropy_bits: float
    region50: Any
    region90: Any
    why: str = ""
    unknown_share: float = float("nan")


@dataclass(frozen=True)
class Trajectory:
    """One video's answer: a row a sampled frame, all arrays (T,).

    Frames without an answer have NaN positions and confidence, and ``state`` says why.

    Args:
        frame_index: the sampled frame's number.
        time_s: its timestamp, seconds after the video's start.
        lat_deg, lon_deg: final position (Phase II, or Phase I where there is no refiner).
        confidence: P(the truth lies within ``confidence_radius_m`` of the position), calibrated; NaN where nothing calibrated it.
        score: cosine of the final pick.
        runner_up_m: distance to the best candidate farther than ``confidence_radius_m`` away; NaN where there is none.
        phase1_lat_deg, phase1_lon_deg: the first retrieval's position.
        state: of FrameState values.
        hypotheses: regions, runners-up and probabilities; None where the search gave no posterior.
        verdict: of the whole video; None likewise.
        course_deg: course over ground, clockwise from true north, in [0, 360); NaN where the line does not tell it, and where nothing is given. It is the
            heading of a camera that looks ahead; one that looks aside or back has another.

        street: name of the street that each frame lies on, where roads were given; empty where none is known. One a frame, or none at all.

    Raises:
        ValueError: ``course_deg`` or ``street`` is not a row a frame.
    """

    frame_index: IntArray
    time_s: FloatArray
    lat_deg: FloatArray
    lon_deg: FloatArray
    confidence: FloatArray
    score: FloatArray
    runner_up_m: FloatArray
    phase1_lat_deg: FloatArray
    phase1_lon_deg: FloatArray
    state: tuple[FrameState, ...]
    confidence_radius_m: float
    hypotheses: Hypotheses | None = None
    verdict: Verdict | None = None
    course_deg: FloatArray = field(default_factory=lambda: np.zeros(0))
    street: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """No course is given: none is known. Streets likewise."""
        if not self.street:
            object.__setattr__(self, "street", ("",) * len(self.frame_index))
        elif len(self.street) != len(self.frame_index):
            raise ValueError(f"street has {len(self.street)} rows for {len(self.frame_index)} frames")
        if not len(self.course_deg):
            object.__setattr__(self, "course_deg", np.full(len(self.frame_index), np.nan))
        elif len(self.course_deg) != len(self.frame_index):
            raise ValueError(f"course_deg has {len(self.course_deg)} rows for {len(self.frame_index)} frames")


@dataclass(frozen=True)
class OwnSettings:
    """What a table of videos said of one of them; None where the settings of the run hold.

    Args:
        start_time: UTC, of the first frame.
        from_s, to_s: the stretch, seconds after the video's start.
        area: name of the area that it was searched for in.
        grid_digest: of that area's grid.
    """

    start_time: datetime | None = None
    from_s: float | None = None
    to_s: float | None = None
    area: str | None = None
    grid_digest: str | None = None


@dataclass(frozen=True)
class Match:
    """A reference image that speaks for a frame's answer.

    Args:
        frame_index: of the frame.
        rank: from 1 on, the most similar first.
        source, image_id: which image, as its source names it.
        similarity: cosine of both descriptors.
        margin: how much more similar it is than the most similar one elsewhere; where none elsewhere is among the nearest, than the last of these.
        lat_deg, lon_deg, heading_deg: where it was taken and looks; NaN where that is not to be told.
        taken: day on which it was taken (UTC), ISO 8601; empty where that is not known or not to be told.
        author, licence, licence_url, page_url: as its licence asks.
        thumbnail: JPEG; None where there is none, or it is not to be passed on.
        inliers: details that frame and image have in common, by which the best images are re-ranked; None where nobody looked.
    """

    frame_index: int
    rank: int
    source: str
    image_id: str
    similarity: float
    margin: float
    lat_deg: float = math.nan
    lon_deg: float = math.nan
    heading_deg: float = math.nan
    taken: str = ""
    author: str = ""
    licence: str = ""
    licence_url: str = ""
    page_url: str = ""
    thumbnail: bytes | None = None
    inliers: int | None = None


@dataclass(frozen=True)
class CandidateWay:
    """One of the ways through a road network that a video may have gone, as its motion tells.

    Args:
        rank: from 1 on, the likeliest first.
        share: of all ways that fit, that go about there. It is no calibrated probability.
        lat_deg, lon_deg: (T,) places of the frames that have a picture, in their order.
        streets: names, in the order in which they are driven; empty where none has one.
    """

    rank: int
    share: float
    lat_deg: FloatArray
    lon_deg: FloatArray
    streets: tuple[str, ...] = ()


@dataclass(frozen=True)
class VideoResult:
    """One finished video: what it was, its answer, how it was read, and the digest of its bytes.

    ``pinned`` says that the answer was solved with a person's pins, and is not the model's alone. ``own`` is what held of this video alone. ``matches``
    are the reference images that speak for its frames' places. ``candidates`` are the ways that fit its motion, where roads were given.
    """

    info: VideoInfo
    trajectory: Trajectory
    report: DecodeReport
    sha256: str
    seconds: dict[str, float] = field(default_factory=dict)
    pinned: bool = False
    own: OwnSettings | None = None
    matches: tuple[Match, ...] = ()
    candidates: tuple[CandidateWay, ...] = ()


@dataclass(frozen=True)
class FailedVideo:
    """A video of a batch that has no result.

    Args:
        info: what is known of it: its file, kind and name; a width of 0 where it could not be opened.
        why: one sentence for people.
        sha256: of its bytes; empty where they cannot be read.
    """

    info: VideoInfo
    why: str
    sha256: str = ""


@dataclass(frozen=True)
class Provenance:
    """What made a result, for the chain of custody: no user name, no absolute path.

    Args:
        settings: the validated settings as plain JSON values.
        checkpoint: name, preset and SHA-256 of the weights.
        gallery: kind, resolution_m, count, digest of grid and area.
        versions: of the engine and the libraries that matter.
        seed: of everything random.
        created_utc: when the result was written.
    """

    settings: dict[str, Any]
    checkpoint: dict[str, Any]
    gallery: dict[str, Any]
    versions: dict[str, str]
    seed: int
    created_utc: datetime
