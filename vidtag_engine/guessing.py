"""From videos to the cities that they may be of: the one place that ties this way together, as `geolocation` does that of streets."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from .batch import compiled_folder, ends_the_run, open_all, sentence_of
from .export.places_file import PlaceRow, write_places
from .feedback import Feedback
from .inference.city_guess import CityCalibration, CityGuess, CityGuesser, clips_of
from .inference.encode import encode_video
from .models.city_checkpoint import CityCard, load_city
from .models.device import pick_device
from .models.frame_encoder import FrameEncoder, build_frame_encoder, weights_to_fetch
from .models.videomae import prepare
from .offline import asked
from .outputs import check_files
from .settings import GeolocateSettings, validated
from .types import LEVELS, FailedVideo, FloatArray, FrameState, InputError, VideoError, VideoInfo
from .video import FrameReader, find_videos, source_digest

if TYPE_CHECKING:
    from .command_arguments import GuessArguments

NO_FRAME = "{name} has no readable frame in the stretch asked for: check that it plays, or choose another stretch."
_MOST = 5  # places a level that are told
_MOST_PICTURES = 4_000  # of one video for VideoMAE-S, whose pictures are held: a quarter of an hour at five a second


@dataclass(frozen=True)
class LoadedCities:
    """A CityGuessr checkpoint ready to use.

    Args:
        guesser: the network, its cities and its calibration.
        card: of the checkpoint.
        encoder: of frames; None for VideoMAE-S, which takes pictures.
    """

    guesser: CityGuesser
    card: CityCard
    encoder: FrameEncoder | None

    @property
    def digest(self) -> str:
        """Of all that a guess depends on."""
        calibration = self.guesser.calibration.to_dict()
        return hashlib.sha256(f"{self.card.sha256} {sorted(calibration.items())!r}".encode()).hexdigest()


@dataclass(frozen=True)
class VideoGuess:
    """One video's guess.

    Args:
        info: of the video.
        sha256: of its bytes.
        guess: the cities.
        seconds: ``encode`` (with decoding), ``guess``.
    """

    info: VideoInfo
    sha256: str
    guess: CityGuess
    seconds: dict[str, float]

    def to_dict(self, most: int = _MOST) -> dict[str, Any]:
        """Plain JSON values: of each level the likeliest places, with None where no probability can be told."""
        guess = self.guess
        levels = {
            level: [
                {"rank": place.rank, "name": place.names[0], "in": list(place.names[1:]), "probability": _number(place.probability)}
                for place in guess.places(number, most)
            ]
            for number, level in enumerate(LEVELS)
        }
        return {
            "name": self.info.name, "sha256": self.sha256, "frames": guess.frames, "known": not guess.why, "why": guess.why, "rated": guess.rated,
            "foreign_p": _number(guess.foreign_p), "levels": levels, "seconds": self.seconds,
        }  # fmt: skip


@dataclass
class Guesses:
    """The guesses of a run.

    Args:
        videos: that could be read.
        failed: that could not, and why.
        notes: what a user should know, a sentence each.
    """

    videos: list[VideoGuess]
    failed: list[FailedVideo] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def save(self, path: Path | str, *, overwrite: bool = False) -> Path:
        """Write the places as polygons: a GeoPackage with the layer ``places``, a row a video, level and rank, which QGIS finds styled.

        Raises:
            InputError: another ending, or it cannot be written.
        """
        path = Path(path)
        write_places(path, [row for video in self.videos for row in rows_of(video)], overwrite=overwrite)
        return path


def load_cities(checkpoint: str | Path, device: str = "auto", feedback: Feedback = Feedback()) -> LoadedCities:
    """Load a CityGuessr checkpoint and the frame encoder that it was trained on.

    Args:
        checkpoint: folder, file or Hub id.
        device: that it runs on.
        feedback: told where weights have to be fetched first.

    Raises:
        InputError: it, or the frame encoder's weights, cannot be had; the sentence says what to do.
    """
    place = pick_device(device)
    net, table, card, arrays = load_city(checkpoint, place)
    try:
        calibration = CityCalibration.from_dict(card.calibration, arrays)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"The calibration of checkpoint {checkpoint} is damaged ({error!r}): get it again.") from error
    guesser = CityGuesser(net, table, calibration)
    preset = net.config.frame_encoder
    if not preset:
        return LoadedCities(guesser, card, None)
    if (said := weights_to_fetch(preset)) and not asked():
        feedback.tell(0.0, "fetching", said)
    return LoadedCities(guesser, card, build_frame_encoder(preset, place, compiled_folder=compiled_folder()))


def guess_city(
    videos: Sequence[Path | str],
    checkpoint: LoadedCities | str | Path,
    *,
    images: Sequence[Path | str] = (),
    settings: GeolocateSettings | None = None,
    feedback: Feedback = Feedback(),
    partial: Callable[[VideoGuess], None] | None = None,
) -> Guesses:
    """Guess the city of each of some videos.

    Args:
        videos: files.
        checkpoint: a loaded one, or where it lies.
        images: folders that are one sequence each.
        settings: stretch, device and batch size; the rate is the checkpoint's own.
        feedback: of the whole.
        partial: called with each video's guess.

    Raises:
        InputError: bad input; of several videos those that cannot be read are in ``failed`` instead.
        CancelledError: stopped.
    """
    settings = settings or validated(GeolocateSettings, {})
    infos, failed = open_all(videos, images, settings)
    loaded = checkpoint if isinstance(checkpoint, LoadedCities) else load_cities(checkpoint, settings.device, feedback)
    settings = settings.model_copy(update={"rate_hz": loaded.card.rate_hz})
    found: list[VideoGuess] = []
    for number, info in enumerate(infos):
        told = feedback.part(number / len(infos), (number + 1) / len(infos))
        try:
            found.append(guess_from(info, loaded, None, settings, told))
        except Exception as error:
            if ends_the_run(error) or (len(infos) == 1 and not failed):
                raise
            failed.append(FailedVideo(info, sentence_of(error, info.path), ""))
            continue
        if partial:
            partial(found[-1])
    return Guesses(found, failed, _notes(loaded, found))


def guess_from(
    info: VideoInfo, loaded: LoadedCities, features: FloatArray | None, settings: GeolocateSettings, feedback: Feedback
) -> VideoGuess:
    """Guess one video.

    Args:
        info: of it.
        loaded: the checkpoint.
        features: (T, D) of the checkpoint's frame encoder, where they are there; else they are made.
        settings: of the video.
        feedback: of it.

    Raises:
        VideoError: it has no readable frame.
        CancelledError: stopped.
    """
    since = time.perf_counter()
    if loaded.encoder is None:
        features, video = None, _clips(info, settings.model_copy(update={"rate_hz": loaded.card.rate_hz}), feedback)
    else:
        if features is None:
            features = encode_video(info, loaded.encoder, settings, feedback=feedback.part(0.0, 0.98)).features
        if not len(features):
            raise VideoError(NO_FRAME.format(name=info.path.name))
        features = np.ascontiguousarray(features[:, : loaded.encoder.feature_dim])
        video = torch.from_numpy(features)
    encoded = time.perf_counter()
    guess = loaded.guesser.guess(video, features)
    seconds = {"encode": round(encoded - since, 3), "guess": round(time.perf_counter() - encoded, 3)}
    feedback.tell(1.0, "guess", info.name)
    return VideoGuess(info, source_digest(info.path), guess, seconds)


def _clips(info: VideoInfo, settings: GeolocateSettings, feedback: Feedback) -> torch.Tensor:
    """(N, 16, 3, 224, 224) for VideoMAE-S."""
    pictures: list[Any] = []
    with FrameReader(info, settings.rate_hz, settings.from_s, settings.to_s, feedback) as reader:
        for frame in reader:
            if frame.image is not None and frame.state is FrameState.LOCATED and len(pictures) < _MOST_PICTURES:
                pictures.append(_small(frame.image))
            feedback.tell(min(1.0, len(pictures) / reader.expected_frames) if reader.expected_frames else 0.0, "frames", info.name)
    if not pictures:
        raise VideoError(NO_FRAME.format(name=info.path.name))
    return torch.stack([prepare([pictures[number] for number in clip]) for clip in clips_of(len(pictures))])


def _small(image: Any) -> Any:
    """A picture no larger than is needed, so that many can be held: squeezed to the network's square already."""
    from PIL import Image

    from .models.videomae import SIZE_PX

    return np.asarray(Image.fromarray(image).resize((SIZE_PX, SIZE_PX), Image.Resampling.BILINEAR))


def rows_of(video: VideoGuess, most: int = _MOST) -> list[PlaceRow]:
    """The rows of a video in the layer ``places``: of each level the likeliest, the coarsest level first so that cities are drawn on top."""
    table, rows = video.guess.table, []
    for level in reversed(range(len(LEVELS))):
        for place in video.guess.places(level, most):
            names = (*("",) * level, *place.names)
            rows.append(
                PlaceRow(
                    video.info.name, video.sha256, LEVELS[level], place.rank, names, place.probability, not video.guess.why, video.guess.why,
                    table.outline_of(level, place.label),
                )
            )  # fmt: skip
    return rows


def _notes(loaded: LoadedCities, found: Sequence[VideoGuess]) -> list[str]:
    calibration, notes = loaded.guesser.calibration, []
    if not calibration.fitted:
        notes.append("Not rated: too few videos were held out when this checkpoint was trained to say how sure to be.")
    if calibration.foreign is None:
        notes.append(
            "This checkpoint cannot tell a video of a place that it does not know; the places are the likeliest of those that it knows."
        )
    unknown = [one.info.name for one in found if one.guess.why]
    if unknown:
        notes.append(f"Of no city that the checkpoint knows: {', '.join(unknown[:5])}{' and others' if len(unknown) > 5 else ''}.")
    return notes


def _number(value: float) -> float | None:
    return None if value != value else round(float(value), 6)  # noqa: PLR0124 - JSON has no NaN


def run_guess(
    arguments: GuessArguments,
    *,
    feedback: Feedback = Feedback(),
    partial: Callable[[dict[str, Any]], None] | None = None,
    load: Callable[[str, str, Feedback], LoadedCities] = load_cities,
) -> dict[str, Any]:
    """What the command line and the worker call: text in, plain JSON values out, the GeoPackage written too where one is asked for.

    ``load`` gives the checkpoint; a process that stays has it from the last request.

    Raises:
        InputError, CancelledError: as :func:`guess_city`.
    """
    settings: GeolocateSettings = validated(
        GeolocateSettings,
        {name: getattr(arguments, name) for name in ("from_s", "to_s", "device", "batch_size")},
    )
    check_files("guess", asdict(arguments))
    files: list[Path] = []
    for path in map(Path, arguments.videos):
        files += find_videos(path, recursive=True) if path.is_dir() else [path]
    feedback.tell(0.0, "checkpoint", "reading the checkpoint")
    loaded = load(arguments.checkpoint, settings.device, feedback)
    found = guess_city(
        files, loaded, images=[Path(one) for one in arguments.images], settings=settings, feedback=feedback,
        partial=(lambda one: partial(one.to_dict())) if partial else None,
    )  # fmt: skip
    output = found.save(Path(arguments.output), overwrite=arguments.overwrite) if arguments.output else None
    return {
        "videos": [one.to_dict() for one in found.videos],
        "failed": [{"name": one.info.name, "why": one.why} for one in found.failed],
        "cities": len(loaded.guesser.table),
        "notes": found.notes,
        "output": str(output) if output else None,
    }
