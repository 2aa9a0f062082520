"""Features of many videos, made before they are trained or evaluated on, so that the encoding can be shared out over machines."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..atomic import claimed, clear_left_behind
from ..batch import compiled_folder, ends_the_run, sentence_of
from ..datasets import LabelledSequence
from ..feedback import Feedback
from ..models.device import pick_device
from ..models.frame_encoder import FrameEncoder, build_frame_encoder, encoder_of, weights_to_fetch
from ..settings import CityTrainSettings
from ..store import Inventory, WantedVideo, share_out
from ..types import InputError, Progress
from .features import FeatureStore, Source, StoreError, TrainingSource
from .settings import TrainSettings

_TOLD_AFTER_S = 5.0
"""Seconds of encoding before the time that is left is told: it is guessed from them."""


@dataclass(frozen=True)
class FeatureOptions:
    """All that decides a source's features besides the source, as plain values that another process can be sent.

    Args:
        frame_encoder: its preset, as :func:`.models.frame_encoder.encoder_of` gives it.
        layout: whether what stands where in the picture is kept, too.
        local_features: kind of what is kept of the pictures' details; "none" keeps nothing.
        augment, views, seed: of the altered copies.
        rate_hz: frames a second taken from videos; None takes every picture.
        thumbnail_px: of the longer side of a JPEG that is kept of each picture; 0 keeps none.
        device: that it is encoded on; features have the same names on all.
    """

    frame_encoder: str
    layout: bool = False
    local_features: str = "none"
    augment: str = "none"
    views: int = 0
    seed: int = 0
    rate_hz: float | None = 1.0
    thumbnail_px: int = 0
    device: str = "auto"

    @classmethod
    def of_training(cls, settings: TrainSettings) -> FeatureOptions:
        """Those that ``vidtag train`` looks up with these settings."""
        return cls(
            encoder_of(settings.preset), settings.layout, settings.local_features, settings.augment, settings.views, settings.seed, settings.rate_hz,
            device=settings.device,
        )  # fmt: skip

    @classmethod
    def of_city_training(cls, settings: CityTrainSettings) -> FeatureOptions:
        """Those that ``vidtag train-city`` looks up with these settings."""
        return cls(encoder_of(settings.preset), rate_hz=settings.rate_hz, device=settings.device)


@dataclass(frozen=True)
class Encoded:
    """What became of one source.

    Args:
        files: names of its files in the folder.
        pictures: that its features are of.
        new: whether it was encoded now; else they were there.
    """

    files: tuple[str, ...]
    pictures: int
    new: bool


@dataclass
class EncodedFeatures:
    """What a run gave.

    Args:
        folder: of the features.
        sources: how many fell to this run.
        encoded, there: names of sources that were encoded now, and whose features were there.
        failed: names of sources that could not be encoded, and why, one sentence each.
        set_aside: of these the sources on which processes of a cluster died.
        elsewhere: names of sources that other processes are at work on.
        pictures: of those encoded now.
        seconds: that the run took.
    """

    folder: Path
    sources: int
    encoded: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    set_aside: list[Source] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    pictures: int = 0
    seconds: float = 0.0

    def note(self, name: str, one: Encoded) -> None:
        """Count what became of a source."""
        (self.encoded if one.new else self.there).append(name)
        self.pictures += one.pictures if one.new else 0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "output": str(self.folder),
            "sources": self.sources,
            "encoded": len(self.encoded),
            "there": len(self.there),
            "failed": [{"name": name, "why": why} for name, why in self.failed],
            "elsewhere": self.elsewhere,
            "pictures": self.pictures,
            "seconds": round(self.seconds, 1),
        }


def encoder_for(options: FeatureOptions, feedback: Feedback = Feedback()) -> FrameEncoder:
    """A new frame encoder that makes such features.

    Args:
        options: of the features.
        feedback: told where weights have to be fetched first.

    Raises:
        InputError: there is no such encoder, or its weights cannot be had.
    """
    device = pick_device(options.device)
    if said := weights_to_fetch(options.frame_encoder):
        feedback.tell(0.0, "fetching", said)
    encoder = build_frame_encoder(options.frame_encoder, device, compiled_folder=compiled_folder(), layout=options.layout)
    return encoder if options.local_features == "none" else encoder.with_local(options.local_features)


def store_for(folder: Path, options: FeatureOptions, encoder: FrameEncoder) -> FeatureStore:
    """The features in a folder that are made with such options. Raises OSError where the folder cannot be made."""
    return FeatureStore(
        folder, encoder, augment=options.augment, views=options.views, seed=options.seed, rate_hz=options.rate_hz, half=True,
        thumbnail_px=options.thumbnail_px,
    )  # fmt: skip


def encode_source(
    source: Source, options: FeatureOptions, folder: Path, encoder: FrameEncoder | None = None, feedback: Feedback = Feedback()
) -> Encoded | None:
    """Store one source's features, unless they are there: plain values in, files out, so that any process of any machine may do it.

    Args:
        source: a video, a folder of images, or a data set's sequence; a truth that it names is not read.
        options: of the features.
        folder: that features are stored in, as ``--features`` of a training names it.
        encoder: a built one for these options, else one that this process has, or builds and keeps for the next source.
        feedback: of this source.

    Returns:
        What became of it; None where another process is at work on it.

    Raises:
        InputError: it cannot be read, or has no readable frame.
        StoreError: nothing can be written to the folder.
        CancelledError: ``feedback`` said so; of this source nothing is written then.
    """
    store = store_for(folder, options, encoder or kept_encoder(options))
    content = store.content_of(source)
    files = store.files_of(content)
    names = tuple(path.name for path in files if path is not None)
    if (pictures := store.count(content)) is not None:
        return Encoded(names, pictures, new=False)
    with ExitStack() as stack:
        try:
            held = stack.enter_context(claimed(files[0].with_suffix(".lock")))
        except OSError as error:
            raise StoreError(f"Features cannot be stored in {folder.name} ({error.strerror or error}): choose another folder.") from error
        if not held:
            return None
        if (pictures := store.count(content)) is not None:
            return Encoded(names, pictures, new=False)
        return Encoded(names, store.encode(content, feedback), new=True)


def encode_features(
    sources: Sequence[Source],
    options: FeatureOptions,
    folder: Path,
    *,
    shard: tuple[int, int] | None = None,
    encoder: FrameEncoder | None = None,
    feedback: Feedback = Feedback(),
) -> EncodedFeatures:
    """Store the features of many sources; broken off, the same call goes on where it stopped, and several processes may share a folder.

    Args:
        sources: videos, folders of images, or a data set's sequences; one that is named twice is encoded once.
        options: of the features.
        folder: that features are stored in; made if absent.
        shard: the number of this worker, from 1 on, and how many there are; it does its share of the sources alone.
        encoder: a built one for these options.
        feedback: of the whole.

    Returns:
        What became of the sources; one that cannot be encoded is listed, and the rest goes on.

    Raises:
        InputError: the encoder's weights cannot be had, or nothing can be written to the folder.
        CancelledError: stopped; finished sources are kept.
    """
    feedback = feedback.saying("Stopped; features of finished videos are kept, and the same command goes on from there.")
    since_s = time.monotonic()
    make_folder(folder)
    mine = shared_out(sources, shard)
    done = EncodedFeatures(folder, len(mine))
    if mine:
        encoder = encoder or encoder_for(options, feedback)
    pace = Pace(sum(wanted.size_bytes for _, wanted in mine), len(mine), feedback)

    def attempt(source: Source, wanted: WantedVideo) -> bool:
        """Encode one; False where another process is at work on it."""
        feedback.check()
        try:
            one = encode_source(source, options, folder, encoder, pace.of(wanted))
        except Exception as error:
            if ends_the_run(error) or isinstance(error, StoreError):
                raise
            done.failed.append((wanted.video, sentence_of(error, path_of(source))))
            pace.finished(wanted, encoded=False)
            return True
        if one is None:
            return False
        done.note(wanted.video, one)
        pace.finished(wanted, encoded=one.new)
        return True

    held = [(source, wanted) for source, wanted in mine if not attempt(source, wanted)]
    # What other processes were at work on when its turn came: done by now, or left to them.
    done.elsewhere = [wanted.video for source, wanted in held if not attempt(source, wanted)]
    done.seconds = time.monotonic() - since_s
    feedback.tell(1.0, "done", f"{len(done.encoded):,} encoded")
    return done


class Pace:
    """How far a run is, by the bytes of its sources, and how long what is left will take at the rate so far.

    Args:
        total_bytes: of all sources.
        count: of sources.
        feedback: of the whole.
    """

    def __init__(self, total_bytes: int, count: int, feedback: Feedback) -> None:
        self._total_bytes, self._count, self._feedback = max(1, total_bytes), count, feedback
        self._done_bytes = self._number = self._encoded_bytes = 0
        self._encoding_s = 0.0
        self._since_s = time.monotonic()

    def of(self, wanted: WantedVideo) -> Feedback:
        """What is given to the encoding of a source."""
        self._since_s = time.monotonic()

        def told(step: Progress) -> None:
            now_bytes = wanted.size_bytes * step.fraction
            spent_s = self._encoding_s + time.monotonic() - self._since_s
            self._tell(wanted.video, self._done_bytes + now_bytes, self._encoded_bytes + now_bytes, spent_s)

        return replace(self._feedback, progress=told if self._feedback.progress else None)

    def finished(self, wanted: WantedVideo, *, encoded: bool) -> None:
        """Count a source. What was there, or failed, says nothing of how fast encoding is."""
        self._done_bytes += wanted.size_bytes
        self._number += 1
        now_s = time.monotonic()
        if encoded:
            self._encoded_bytes += wanted.size_bytes
            self._encoding_s += now_s - self._since_s
        self._since_s = now_s
        self._tell(wanted.video, self._done_bytes, self._encoded_bytes, self._encoding_s)

    def _tell(self, name: str, done_bytes: float, encoded_bytes: float, spent_s: float) -> None:
        left = ""
        if spent_s > _TOLD_AFTER_S and encoded_bytes > 0:
            left = f", about {duration_text((self._total_bytes - done_bytes) * spent_s / encoded_bytes)} left"
        said = f"{name}: {min(self._number + 1, self._count):,} of {self._count:,}{left}"
        self._feedback.tell(min(1.0, done_bytes / self._total_bytes), "features", said)


def duration_text(seconds: float) -> str:
    """A time span for people: ``40 s``, ``12 min`` or ``3 h 20 min``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min"


def kept_encoder(options: FeatureOptions) -> FrameEncoder:
    """The frame encoder of a process that encodes one source after another: the last one, where it makes such features. Errors as :func:`encoder_for`."""
    return _kept_encoder(FeatureOptions(options.frame_encoder, options.layout, options.local_features, device=options.device))


_kept_encoder = lru_cache(maxsize=1)(encoder_for)


def make_folder(folder: Path) -> None:
    """Make a folder for features, and clear what processes left in it that were killed. Raises InputError where that cannot be."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file, not a folder for features: give another --output.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {folder} for features cannot be made ({error.strerror or error}): give another --output.") from error
    clear_left_behind(folder)


def path_of(source: Source) -> Path:
    """Of a video or folder of images, or a data set's first image."""
    return Path(source.paths[0]) if isinstance(source, LabelledSequence) else source.path


def _once(sources: Sequence[Source]) -> list[Source]:
    """Each source once, in the order given: two trainings may share a video, or a folder hold one that is named beside it."""
    found: dict[Any, Source] = {}
    for source in sources:
        key = source.name if isinstance(source, LabelledSequence) else (source.path.absolute(), source.kind)
        found.setdefault(key, source)
    return list(found.values())


def shared_out(sources: Sequence[Source], shard: tuple[int, int] | None) -> list[tuple[Source, WantedVideo]]:
    """The sources of a worker, each once, with their sizes; all of them where there is but one worker."""
    sources = _once(sources)
    wanted = _wanted(sources)
    pairs = list(zip(sources, wanted, strict=True))
    if shard is None:
        return pairs
    number, count = shard
    return [pair for pair, falls_to in zip(pairs, share_out(wanted, count), strict=True) if falls_to == number]


def _wanted(sources: Sequence[Source]) -> list[WantedVideo]:
    """Names and sizes of sources; a data set's lists of images count by their images, whose files need not be asked for that."""
    own = [source for source in sources if isinstance(source, TrainingSource)]
    listed = iter(Inventory.of([(source.name, source.path) for source in own]).videos if own else ())
    return [
        next(listed)
        if isinstance(source, TrainingSource)
        else WantedVideo(source.name, source.name, len(source.paths) if source.kind == "images" else _size_bytes(source))
        for source in sources
    ]


def _size_bytes(source: LabelledSequence) -> int:
    try:
        return Path(source.paths[0]).stat().st_size
    except OSError:
        return 0
