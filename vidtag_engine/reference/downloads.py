"""Pictures on their way to this machine: each one whole or not at all, none twice, and nothing of it but what can be seen.

The folder's own files say what is done: a picture that was fetched has a name that follows from its source, id and width, and takes that name in one step.
A process that is killed at any moment has therefore lost nothing but what was on its way.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import queue
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageOps

from ..atomic import clear_left_behind, replacing
from ..feedback import Feedback
from ..types import FetchError, InputError
from .images import ReferenceImage
from .sources.base import WIDTH_PX, Source, file_of
from .web import CONNECTIONS_A_HOST, CeilingError, UnreachableError, VanishedError, Web, origin

VIEWS = "views"
"""Folder beside the pictures in which those lie that are cut out of panoramas."""
MOST_PICTURE_BYTES = 60_000_000
MOST_PIXELS = 100_000_000
_QUALITY = 92
_FORMATS = ("JPEG", "WEBP", "PNG")
_SHORTEST_SIDE_PX = 32
# After so many of its pictures in a row a host is taken for down, or every one of many thousands would wait for all of its tries.
_MOST_UNREACHABLE = 3
_POLL_S = 0.1
_BROKEN = (OSError, ValueError, SyntaxError, KeyError, TypeError, EOFError, ZeroDivisionError, MemoryError, Image.DecompressionBombError)


@dataclass(frozen=True)
class Fetched:
    """One picture of a download.

    Args:
        image: which.
        path: of the JPEG on this machine, upright, without any metadata (of one's own the file itself, as it is); None where it could not be had.
        why: one sentence then.
        vanished: the host says that it is there no more.
    """

    image: ReferenceImage
    path: Path | None
    why: str = ""
    vanished: bool = False


def picture_path(image: ReferenceImage, folder: Path, *, width_px: int = WIDTH_PX) -> Path:
    """Where a picture lies once it is fetched; one's own lies where it is, and is not copied."""
    width, address = file_of(image, width_px)
    if not origin(address):
        return Path(address)
    return _kept_path(image, width, folder)


def forget(image: ReferenceImage, folder: Path) -> None:
    """Remove what is kept of one form of a picture, its views too; ``image.updated`` tells which. What another program reads right now stays."""
    for width, address in image.files:
        path = _kept_path(image, width, folder)
        for one in (path, *(folder / VIEWS).glob(f"{path.stem}-*.jpg")) if origin(address) else ():
            with contextlib.suppress(OSError):
                one.unlink()


def _kept_path(image: ReferenceImage, width: int, folder: Path) -> Path:
    """A picture that was blurred anew is another one: what was fetched before never stands for it."""
    told = [image.source, image.image_id, width, *([image.updated] if image.updated else [])]
    digest = hashlib.blake2b(json.dumps(told).encode(), digest_size=16).hexdigest()
    return folder / digest[:2] / f"{digest}.jpg"


def is_fetched(image: ReferenceImage, folder: Path, *, width_px: int = WIDTH_PX) -> bool:
    """Whether it lies there: what does is whole."""
    return picture_path(image, folder, width_px=width_px).is_file()


def fetch(
    source: Source,
    images: Sequence[ReferenceImage],
    web: Web,
    folder: Path,
    *,
    width_px: int = WIDTH_PX,
    feedback: Feedback = Feedback(),
) -> Iterator[Fetched]:
    """Fetch pictures, two at once from a host, and give each as it comes; those that are there already come first, and are not asked for again.

    Args:
        source: that gave them.
        images: which; of one that is named twice only the first counts.
        web: what was agreed to.
        folder: where they are kept; made where it is not there. Several runs may share it.
        width_px: that is enough, where a platform has several.
        feedback: told how far it is and how long it will take.

    Raises:
        InputError: as many bytes came as were agreed to, or the disk is full. What came before was given, and is kept.
        CancelledError: whoever waits stopped it; likewise.
    """
    unique = list({(image.source, image.image_id): image for image in reversed(images)}.values())[::-1]
    missing, total = [], len(unique)
    for image in unique:
        path = picture_path(image, folder, width_px=width_px)
        if path.is_file():
            yield Fetched(image, path)
        elif path == Path(file_of(image, width_px)[1]):
            yield Fetched(image, None, f"{path} is not there any more.", vanished=True)
            total -= 1
        else:
            missing.append(image)
    for shard in folder.glob("??"):
        clear_left_behind(shard)
    run = _Run(source, web, folder, width_px)
    progress = _Progress(total, total - len(missing), web, feedback)
    try:
        run.start(missing)
        progress.tell()
        while (one := run.next(feedback)) is not None:
            progress.count(fetched=one.path is not None)
            yield one
        if run.problem is not None:
            raise run.problem
    except CeilingError as error:
        most_mb = (web.agreed.most_bytes or 0) / 1e6
        raise InputError(
            f"The ceiling of {most_mb:g} MB for one run is reached: {progress.kept:,} of {total:,} pictures are there and are kept; "
            "run the same again for the others, or allow more."
        ) from error
    finally:
        run.stop()


def cleaned(data: bytes) -> bytes:
    """A picture from who knows where as a JPEG of our own making: upright, with nothing of what its file holds beside the picture.

    A camera may have written its owner's e-mail into it, and a stranger anything at all.

    Raises:
        InputError: it is no picture, or one of too many pixels.
    """
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            size = image.size
            upright = ImageOps.exif_transpose(image).convert("RGB") if _fits(size) else None
    except _BROKEN as error:
        raise InputError("it is no whole picture") from error
    if upright is None:
        raise InputError(f"it has {size[0]} × {size[1]} pixels")
    upright.info.clear()  # Pillow would write a comment that it read
    written = io.BytesIO()
    upright.save(written, "JPEG", quality=_QUALITY)
    return written.getvalue()


def _fits(size: tuple[int, int]) -> bool:
    return size[0] * size[1] <= MOST_PIXELS and min(size) >= _SHORTEST_SIDE_PX


class _StoppedError(Exception):
    """Nobody waits for this picture any more."""


@dataclass
class _Host:
    """What is to come from one host."""

    waiting: deque[ReferenceImage] = field(default_factory=deque)
    unreachable: int = 0


class _Run:
    """Threads that fetch, two a host."""

    def __init__(self, source: Source, web: Web, folder: Path, width_px: int) -> None:
        self.source, self.web, self.folder, self.width_px = source, web, folder, width_px
        self.problem: Exception | None = None
        self._done: queue.SimpleQueue[Fetched | None] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self._running = 0

    def start(self, images: Sequence[ReferenceImage]) -> None:
        hosts: dict[str, _Host] = {}
        for image in images:
            hosts.setdefault(origin(file_of(image, self.width_px)[1]), _Host()).waiting.append(image)
        for host in hosts.values():
            for _ in range(min(CONNECTIONS_A_HOST, len(host.waiting))):
                self._threads.append(threading.Thread(target=self._work, args=(host,), daemon=True))
        self._running = len(self._threads)
        for thread in self._threads:
            thread.start()

    def next(self, feedback: Feedback) -> Fetched | None:
        """The next picture; None once every thread has ended."""
        while self._running:
            feedback.check()
            try:
                one = self._done.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if one is not None:
                return one
            self._running -= 1
        return None

    def stop(self) -> None:
        """Let the threads end, which they do within a moment."""
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _check(self) -> None:
        if self._ended.is_set():
            raise _StoppedError

    def _work(self, host: _Host) -> None:
        try:
            while not self._ended.is_set():
                try:
                    image = host.waiting.popleft()
                except IndexError:
                    return
                self._done.put(self._one(image, host))
        except _StoppedError:
            pass
        except Exception as error:  # noqa: BLE001 - raised again where somebody waits
            self.problem = self.problem or error
            self._ended.set()
        finally:
            self._done.put(None)

    def _one(self, image: ReferenceImage, host: _Host) -> Fetched:
        """Fetch one. Raises CeilingError, _StoppedError, and InputError where it cannot be written."""
        if host.unreachable >= _MOST_UNREACHABLE:
            return Fetched(image, None, "Its host did not answer for others.")
        path, address = picture_path(image, self.folder, width_px=self.width_px), file_of(image, self.width_px)[1]
        try:
            address = self.source.locate(address, self.web, self._check)
            data = self.web.get(address, most_bytes=MOST_PICTURE_BYTES, check=self._check)
        except UnreachableError as error:
            host.unreachable += 1
            return Fetched(image, None, str(error))
        except FetchError as error:
            return Fetched(image, None, str(error), vanished=isinstance(error, VanishedError))
        host.unreachable = 0
        try:
            clean = cleaned(data)
        except InputError as error:
            return Fetched(image, None, f"What came for {image.image_id} was not taken: {error}.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"Cannot write {path}: {error.strerror}; choose another folder.") from error
        with replacing(path) as part:
            part.write_bytes(clean)
        return Fetched(image, path)


class _Progress:
    """How far a download is, in words."""

    def __init__(self, total: int, kept: int, web: Web, feedback: Feedback) -> None:
        self.total, self.kept, self._web, self._feedback = total, kept, web, feedback
        self._seen, self._came, self._begun_s = kept, 0, time.monotonic()

    def count(self, *, fetched: bool) -> None:
        self._seen += 1
        self._came += 1
        self.kept += fetched
        self.tell()

    def tell(self) -> None:
        left, spent_s = self.total - self._seen, time.monotonic() - self._begun_s
        eta = f", about {_duration(left * spent_s / self._came)} left" if left and self._came else ""
        words = f"{self._seen:,} of {self.total:,} pictures, {self._web.received_bytes / 1e6:,.1f} MB{eta}"
        self._feedback.tell(self._seen / self.total if self.total else 1.0, "download", words)


def _duration(seconds: float) -> str:
    minutes = seconds / 60.0
    return f"{seconds:.0f} s" if seconds < 90 else f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
