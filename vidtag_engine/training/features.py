"""Backbone features, computed once and stored (App. I: this is what makes training hours instead of days)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from torch import Tensor

from ..atomic import replacing
from ..datasets import LabelledSequence, Skips
from ..datasets.training_sequence import TrainingSequence
from ..feedback import Feedback
from ..local_features import LocalFile, LocalRows
from ..models.frame_encoder import FrameEncoder
from ..models.xfeat import XFeat
from ..truth_offset import TruthOffset, apply_offset
from ..types import FrameState, InputError, Track, VideoInfo
from ..video import FrameReader, ImageFolder, ReadAhead, frame_names, open_source, read_track, source_digest
from ..video.align_track import align_track
from .augment import augmented_views

_FRAMES_AHEAD = 4
_THUMBNAIL_QUALITY = 75
_FORMAT = 2  # raised when pictures are prepared in another way: stored features are then made again


@dataclass(frozen=True)
class TrainingSource:
    """A video (or folder of images) and where its truth lies; no truth path means what is embedded in it."""

    path: Path
    truth: Path | None
    kind: str = "auto"

    @property
    def name(self) -> str:
        """For people."""
        return self.path.name


Source = TrainingSource | LabelledSequence
# Number of a frame, its time, its picture (None where it is damaged), and how far the whole is.
_Shown = tuple[int, float, "np.ndarray | None", float]


class StoreError(InputError):
    """Features cannot be written: no other source would fare better."""


@dataclass(frozen=True)
class Content:
    """What features are made of.

    Args:
        digest: what tells it from others.
        rate_hz: frames a second that are taken; None takes every picture.
        frames: gives the frames, once for each call.
        name: for people.
        info: of the video or folder of images; None of a data set's list of images.
    """

    digest: str
    rate_hz: float | None
    frames: Callable[[Feedback], Iterator[_Shown]]
    name: str
    info: VideoInfo | None


class FeatureStore:
    """Features on disk, one safetensors file per video, encoder and kind of views; where the encoder also finds local features, those beside it.

    Args:
        folder: where files lie; made if absent.
        encoder: computes what is missing.
        augment, views, seed: of the altered copies.
        rate_hz: frames a second taken from videos; of a data set's image lists every image is taken.
        half: keep features in half precision in memory too, as they are stored (a data set's would fill 5 to 25 GB).
        thumbnail_px: of the longer side of a JPEG that is kept of each picture; 0 keeps none.
        truth_offset_s: added to the truths' clocks; "auto" for what each video's motion says, where that is sure. What was done to each is in
            ``truth_offsets``, in the order in which they were read.
    """

    def __init__(
        self, folder: Path, encoder: FrameEncoder, *, augment: str, views: int, seed: int, rate_hz: float | None, half: bool = False,
        truth_offset_s: float | str | None = None, thumbnail_px: int = 0,
    ) -> None:  # fmt: skip
        self.thumbnail_px = thumbnail_px
        self.truth_offset_s, self.truth_offsets = truth_offset_s, list[TruthOffset]()
        self.folder, self.encoder, self.half = folder, encoder, half
        self.augment, self.views, self.seed, self.rate_hz = augment, views if augment != "none" else 0, seed, rate_hz
        folder.mkdir(parents=True, exist_ok=True)

    def sequence(self, source: Source, feedback: Feedback = Feedback()) -> TrainingSequence | None:
        """Return the source's features and truth; None where no frame has a true place.

        Raises:
            InputError: the source or its truth cannot be read.
            CancelledError: ``feedback`` said so.
        """
        content = self.content_of(source)
        if isinstance(source, LabelledSequence):
            return self._image_list(source, content, feedback) if content.info is None else self._video(content, source.track, feedback)
        assert content.info is not None  # a folder of images has one, too  # nosec B101
        track = read_track(source.truth or source.path)
        if self.truth_offset_s is not None:
            track, done = apply_offset(track, content.info, self.truth_offset_s, content.info.path, feedback=feedback)
            self.truth_offsets.append(done)
        return self._video(content, track, feedback)

    def content_of(self, source: Source) -> Content:
        """What a source's features are made of; nothing is decoded yet. Raises InputError where it cannot be read."""
        if isinstance(source, LabelledSequence) and source.kind == "images":
            return Content(listed_digest(source), None, partial(_list_frames, source), source.name, None)
        if isinstance(source, LabelledSequence):
            info = open_source(source.paths[0], kind="video")
            digest, name = listed_digest(source), source.name
        else:
            info = open_source(source.path, kind=source.kind)
            digest, name = source_digest(info.path), info.name
        return Content(digest, self.rate_hz, partial(_video_frames, info, self.rate_hz), name, info)

    def files_of(self, content: Content) -> tuple[Path, Path | None]:
        """Where features lie or are to lie, and the local features of the same pictures; None where these are not to be found."""
        made_from = {
            "format": _FORMAT,
            "content": content.digest,
            "encoder": [*self.encoder.backbone_names, *map(str, self.encoder.weights_source.values())],
            "rate_hz": content.rate_hz,
            "views": [self.augment, self.views, self.seed] if self.views else [],
        }
        if self.thumbnail_px:
            made_from["thumbnail_px"] = self.thumbnail_px
        path = self.folder / f"{_digest(made_from)}.safetensors"
        extractor = self.encoder.local
        if extractor is None:
            return path, None
        # Local features have a name of their own: where the others are there already, those alone are made.
        return path, self.folder / f"{_digest(made_from | {'local_features': [extractor.kind, extractor.version]})}.npy"

    def count(self, content: Content) -> int | None:
        """How many pictures' features are stored, whole; None where they are not, and would be made."""
        return stored_count(*self.files_of(content), self.encoder.local.kind if self.encoder.local else "none")

    def encode(self, content: Content, feedback: Feedback = Feedback()) -> int:
        """Store the features of what has none stored; returns how many pictures have some.

        Raises:
            InputError: it has no readable frame.
            StoreError: they cannot be written.
            CancelledError: ``feedback`` said so; nothing is written of this one.
        """
        return self._features(content, feedback)[0].shape[1]

    def _video(self, content: Content, track: Track, feedback: Feedback) -> TrainingSequence | None:
        """A video or folder of images, its frames placed by a track."""
        info, name = content.info, content.name
        assert info is not None  # what no video is has been left out before  # nosec B101
        features, layout, time_s, thumbnails, local = self._features(content, feedback)
        lat, lon, _ = align_track(track, info, time_s, frame_names(info, time_s))
        known = np.isfinite(lat) & np.isfinite(lon)
        if not known.any():
            return None
        places = np.stack([lat, lon], axis=1)[known]
        shown = tuple(thumbnails[row] for row in np.flatnonzero(known)) if thumbnails else ()
        local = None if local is None else local.take(np.flatnonzero(known))
        return TrainingSequence(
            name, features[:, known], places, time_s[known], None if layout is None else layout[known], shown, local=local
        )

    def _image_list(self, source: LabelledSequence, content: Content, feedback: Feedback) -> TrainingSequence:
        """A data set's list of images, every one with its own place; damaged ones are left out."""
        # The images' numbers stand for their times: those are the data set's business and may be corrected without encoding anew.
        features, layout, number, thumbnails, local = self._features(content, feedback)
        kept = np.rint(number).astype(np.int64)
        return TrainingSequence(source.name, features, source.lat_lon_deg[kept], source.time_s[kept], layout, thumbnails, kept, local)

    def _features(
        self, content: Content, feedback: Feedback
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray, tuple[bytes, ...], LocalRows | None]:
        """(V, T, D) features, (T, L) layout if the encoder gives one, (T,) times, (T,) thumbnails if they are kept, (T,) local features if they are found.

        They are from the store, or computed now from the frames, which are not touched otherwise.
        """
        (path, local), extractor, name, frames = self.files_of(content), self.encoder.local, content.name, content.frames(feedback)
        details: list[np.ndarray] = []
        if (stored := _load(path)) is not None:
            if extractor is not None and local is not None and not _is_whole(local, extractor.kind, stored["features"].shape[1]):
                for _, _, image, fraction in frames:
                    if image is not None:
                        details.append(extractor(image))
                    feedback.tell(fraction, "features", name)
                _save_local(local, details)
            return self._in_memory(stored["features"]), stored.get("layout"), stored["time_s"], _parted(stored), _in_file(local, extractor)
        thumbnails: list[bytes] = []
        times: list[float] = []

        def prepared() -> Iterator[tuple[float, float, list[tuple[Tensor, ...]]]]:
            for index, time_s, image, fraction in frames:
                if image is not None:
                    if self.thumbnail_px:
                        thumbnails.append(thumbnail_of(image, self.thumbnail_px))
                    if extractor is not None:
                        details.append(extractor(image))
                    views = [image, *augmented_views(image, self.augment, self.views, (self.seed, index))]
                    yield time_s, fraction, [self.encoder.preprocess(view) for view in views]

        with ReadAhead(prepared(), _FRAMES_AHEAD) as ahead:

            def pictures() -> Iterator[tuple[Tensor, ...]]:
                for time_s, fraction, views in ahead:
                    times.append(time_s)
                    yield from views
                    feedback.tell(fraction, "features", name)

            blocks = list(self.encoder.encode_prepared(pictures(), feedback=feedback))
        if not times:
            raise InputError(f"{name} has no readable frame: check that it plays, or leave it out.")
        stacked = np.concatenate(blocks).reshape(len(times), self.views + 1, -1).transpose(1, 0, 2)
        # Half precision is exact enough for unit vectors and halves the store.
        halved, time_s = stacked.astype(np.float16), np.asarray(times)
        arrays = {"features": np.ascontiguousarray(halved[..., : self.encoder.feature_dim]), "time_s": time_s}
        if self.encoder.layout_dim:
            arrays["layout"] = np.ascontiguousarray(halved[0, :, self.encoder.feature_dim :])
        if thumbnails:
            arrays["thumbnails"] = np.frombuffer(b"".join(thumbnails), dtype=np.uint8)
            arrays["thumbnail_ends"] = np.cumsum([len(one) for one in thumbnails])
        if local is not None:
            _save_local(local, details)
        _save(path, arrays)
        return self._in_memory(arrays["features"]), arrays.get("layout"), time_s, tuple(thumbnails), _in_file(local, extractor)

    def _in_memory(self, features: np.ndarray) -> np.ndarray:
        return features if self.half else features.astype(np.float32)


def thumbnail_of(image: np.ndarray, longer_px: int) -> bytes:
    """JPEG of a picture (height, width, 3) RGB, no larger than so many pixels either way; it bears nothing but the picture."""
    small = Image.fromarray(image)
    small.thumbnail((longer_px, longer_px))
    written = BytesIO()
    small.save(written, format="JPEG", quality=_THUMBNAIL_QUALITY)
    return written.getvalue()


def _parted(stored: dict[str, np.ndarray]) -> tuple[bytes, ...]:
    """The thumbnails of a stored file."""
    if "thumbnails" not in stored or "thumbnail_ends" not in stored:
        return ()
    ends = stored["thumbnail_ends"].tolist()
    written = stored["thumbnails"].tobytes()
    return tuple(written[begin:end] for begin, end in zip([0, *ends[:-1]], ends, strict=True))


def _video_frames(info: VideoInfo, rate_hz: float | None, feedback: Feedback) -> Iterator[_Shown]:
    """The sampled frames of a video or folder of images."""
    with FrameReader(info, rate_hz=rate_hz, feedback=feedback) as reader:
        expected, taken = reader.expected_frames, 0
        for frame in reader:
            image = frame.image if frame.state is FrameState.LOCATED else None
            taken += image is not None
            yield frame.index, frame.time_s, image, min(1.0, taken / expected) if expected else 0.0


def _list_frames(source: LabelledSequence, feedback: Feedback) -> Iterator[_Shown]:
    """Every image of a list, in its order, under its number."""
    paths = tuple(source.paths)
    images = ImageFolder(paths, (None,) * len(paths), source.time_s, None)
    for number in range(len(paths)):
        feedback.check()
        yield number, float(number), images.load(number), (number + 1) / len(paths)


def listed_digest(source: LabelledSequence) -> str:
    """What tells a data set's sequence from others: its files' names, sizes and times of change, not their bytes.

    A million images need not be read again to know that their features are stored; a folder that was moved keeps them.

    Raises:
        InputError: a file is gone.
    """
    digest = hashlib.sha256(source.kind.encode())
    for path in source.paths:
        try:
            seen = path.stat()
        except OSError as error:
            raise InputError(f"{path.name} of {source.name} cannot be read ({error.strerror}): check that it is still there.") from error
        digest.update(f"{path.name}|{seen.st_size}|{seen.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _digest(made_from: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(made_from).encode()).hexdigest()[:24]


def _load(path: Path) -> dict[str, np.ndarray] | None:
    """A stored file, or None where there is none or it is damaged (then it is made again)."""
    try:
        stored = load_file(path)
    except (OSError, SafetensorError):
        return None
    return stored if {"features", "time_s"} <= set(stored) and stored["features"].ndim == 3 else None


def stored_count(path: Path, local: Path | None, kind: str) -> int | None:
    """How many pictures' features a file holds; None where it is not whole, or that of their local features of a kind is not, where there is to be one."""
    if (stored := _load(path)) is None:
        return None
    count = int(stored["features"].shape[1])
    return None if local is not None and not _is_whole(local, kind, count) else count


def _is_whole(local: Path, kind: str, count: int) -> bool:
    """Whether local features of so many pictures are stored."""
    try:
        return len(LocalFile(local, kind)) == count
    except InputError:
        return False


def _in_file(local: Path | None, extractor: XFeat | None) -> LocalRows | None:
    """Stored local features, which stay in their file; None where there are to be none."""
    return None if local is None or extractor is None else LocalRows([LocalFile(local, extractor.kind)])


def _save_local(local: Path, details: list[np.ndarray]) -> None:
    """Write whole or not at all."""
    try:
        with replacing(local) as part, part.open("wb") as file:  # to a name, NumPy would add an ending
            np.save(file, np.array(details))
    except InputError as error:
        raise StoreError(f"Features cannot be stored in {local.parent.name}: {str(error).removeprefix('Cannot write ')}") from error


def _save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write whole or not at all."""
    try:
        with replacing(path) as part:
            save_file(arrays, part)
    except InputError as error:
        raise StoreError(f"Features cannot be stored in {path.parent.name}: {str(error).removeprefix('Cannot write ')}") from error


def load_sequences(
    store: FeatureStore,
    sources: Sequence[Source],
    feedback: Feedback = Feedback(),
    left_out: Skips | None = None,
) -> list[TrainingSequence]:
    """Every source's features and truth, in order, with feedback over all of them.

    Args:
        store: computes what it has not stored.
        sources: videos, folders of images, or a data set's sequences.
        feedback: over all sources.
        left_out: where given, a source that cannot be used is counted there and left out: one damaged video of 45,000 is no reason to stop.

    Raises:
        InputError: a source cannot be read or has no frame with a true place (without ``left_out``), or nothing can be stored.
    """
    sequences: list[TrainingSequence] = []
    for number, source in enumerate(sources):
        try:
            sequence = store.sequence(source, feedback.part(number / len(sources), (number + 1) / len(sources)))
            why = "its track does not overlap it in time; check start times or leave it out."
        except InputError as error:
            if left_out is None or isinstance(error, StoreError):
                raise
            sequence, why = None, str(error)
        if sequence is not None:
            sequences.append(sequence)
        elif left_out is None:
            raise InputError(f"No frame of {source.name} has a true position: {why}")
        else:
            left_out.add("sequences that cannot be read or placed", f"{source.name}: {why}")
    return sequences
