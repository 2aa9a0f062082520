"""Plays a video in a window: pictures come from an engine of its own, through a file that both map; the window never waits."""

from __future__ import annotations

import collections
import glob
import os
import shutil
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any, Optional

from qgis.PyQt.QtCore import QObject, Qt, QTimer, pyqtSignal
from qgis.PyQt.QtGui import QImage

from .. import engine
from ..engine_client import EngineCancelledError, EngineClient, EngineError, EngineInputError
from ..engine_client.command_arguments import PlayerOpenArguments, PlayerPlayArguments, PlayerPrepareArguments, PlayerSeekArguments
from ..engine_client.frame_ring import FrameRing
from ..translation import tr, translated
from .pictures import IDLE_S, STOP_S, PictureRequest, VideoMissingError, places_of

SLOTS, LEAST_PX, LONGEST_PX, PLAYED_PX = 8, 640, 1280, 960
PREPARE_AFTER_S = 0.05
LATE_S = 0.04
"""A picture that is later than this is not shown while the next one waits already."""
TICK_MS = 4
SPEEDS = (1.0, 2.0, 4.0)


@dataclass(frozen=True)
class _Wish:
    number: int
    video: PictureRequest
    time_s: float
    rate: float = 0.0
    step: int = 0


class Player(QObject):
    """One video at a time. ``close()`` must be called: it stops the engine and removes the file.

    ``opened`` carries the video's length in seconds; ``shown`` a picture and its time, ready to be painted; ``failed`` a sentence, and whether it would help
    to say where the video is; ``damaged`` a time that has no picture; ``playing_changed`` the speed, 0 for a pause. Signals come in the thread that made it.
    """

    opened = pyqtSignal(float)
    shown = pyqtSignal(QImage, float)
    painted = pyqtSignal(float)
    failed = pyqtSignal(str, bool)
    damaged = pyqtSignal(float)
    playing_changed = pyqtSignal(float)
    _arrived = pyqtSignal(int, object, float)
    _failed = pyqtSignal(int, str, bool)
    _ended = pyqtSignal(int)
    _opened = pyqtSignal(object, float)

    def __init__(self, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self.duration_s, self.time_s, self.rate, self.longest_px = 0.0, 0.0, 0.0, LONGEST_PX
        self.late, self.played = 0, 0
        self._video: Optional[PictureRequest] = None
        self._changed = threading.Condition()
        self._wish: Optional[_Wish] = None
        self._number = 0
        self._steps = 0
        self._ring_written = 0
        self._closing = False
        self._client: Optional[EngineClient] = None
        self._ring: Optional[FrameRing] = None
        self._folder = ""
        self._open: Optional[tuple[Any, ...]] = None
        self._original: dict[tuple[Any, ...], tuple[str, Optional[tuple[int, int]]]] = {}
        self._thread: Optional[threading.Thread] = None
        self._queue: collections.deque[tuple[int, dict[str, Any]]] = collections.deque()
        self._began: Optional[tuple[float, float]] = None
        self._done = False
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._arrived.connect(self._take)
        self._failed.connect(self._fail)
        self._ended.connect(self._end)
        self._opened.connect(self._know)

    @property
    def engine_pid(self) -> Optional[int]:
        """Number of the engine's process, None where none runs."""
        client = self._client
        return None if client is None else client.pid

    def open(self, video: PictureRequest) -> None:
        """Choose the video; nothing is started before the first picture is wanted.

        Args:
            video: which, and where it may lie; its time does not matter.
        """
        if self._video is None or self._video.key[:3] != video.key[:3]:
            self.pause()
            self.duration_s = 0.0
        self._video = video

    def fit(self, room_px: float) -> None:
        """Make the next pictures no larger than their room, whose longer side is so many of the screen's pixels."""
        self.longest_px = int(min(LONGEST_PX, max(LEAST_PX, room_px)))

    def seek(self, time_s: float) -> None:
        """Show the picture on screen at a time, in place of all asked for before; a video that plays goes on from there."""
        self.time_s, self._steps = self._within(time_s), 0
        if self.rate:
            self.play(self.rate)
        else:
            self._want(0.0)

    def step(self, count: int) -> None:
        """Show the picture so many after the one that is shown, or before it where ``count`` is below 0."""
        self.pause()
        self._steps += count
        self._want(0.0)

    def play(self, rate: float = 1.0) -> None:
        """Play on from where it stands; ``rate`` 1 is the video's own speed, below 0 backwards."""
        if self._video is None:
            return
        if rate > 0 and self.duration_s and self.time_s >= self.duration_s - 0.1:
            self.time_s = 0.0
        before, self.rate, self._steps = self.rate, rate, 0
        self._want(rate)
        self._began, self._done = None, False
        self._timer.start(TICK_MS)
        if before != rate:
            self.playing_changed.emit(rate)

    def pause(self) -> None:
        """Stand at the picture that is shown."""
        if self.rate:
            self.rate = 0.0
            self._timer.stop()
            self._want(None)
            self.playing_changed.emit(0.0)

    def toggle(self) -> None:
        """Play, or pause."""
        self.pause() if self.rate else self.play()

    def faster(self, direction: int) -> None:
        """One of the keys J (-1) and L (1): play that way, or faster where it does so already."""
        speed = abs(self.rate) if self.rate * direction > 0 else 0.0
        self.play(direction * next((one for one in SPEEDS if one > speed), SPEEDS[-1]))

    def forget(self) -> None:
        """Want nothing any more."""
        self.pause()
        self._video = None
        self._want(None)

    def close(self) -> None:
        """Stop the thread and the engine and remove the file; takes a second at most."""
        self._timer.stop()
        self.rate = 0.0
        with self._changed:
            self._closing, self._wish = True, None
            self._move_on()
            thread = self._thread
        if thread is not None:
            thread.join(STOP_S)
        self._drop_ring()

    # Wishes, in the window's thread.

    def _within(self, time_s: float) -> float:
        return max(0.0, min(time_s, self.duration_s) if self.duration_s else time_s)

    def _want(self, rate: Optional[float]) -> None:
        with self._changed:
            self._move_on()
            self._queue.clear()
            self._wish = None
            if self._closing or self._video is None or rate is None:
                return
            self._wish = _Wish(self._number, self._video, self.time_s, rate, self._steps)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="vidtag-player", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _move_on(self) -> None:
        """What the engine does now is of no use any more; it sees that in the file within a picture's time."""
        self._number += 1
        ring = self._ring
        if ring is not None:
            ring.wish = self._number
            ring.clock_s = self.time_s
        self._changed.notify_all()

    def _take(self, number: int, image: object, time_s: float) -> None:
        if number == self._number and isinstance(image, QImage):
            self._show_now(image, time_s)

    def _show_now(self, image: QImage, time_s: float) -> None:
        if self.rate or self._steps:  # else it stands at the moment that was asked for, which the picture may have begun before
            self.time_s, self._steps = time_s, 0
        if image.isNull():
            self.damaged.emit(time_s)
        else:
            self.shown.emit(image, time_s)

    def _fail(self, number: int, sentence: str, locatable: bool) -> None:
        if number == self._number:
            self._timer.stop()
            if self.rate:
                self.rate = 0.0
                self.playing_changed.emit(0.0)
            self.failed.emit(sentence, locatable)

    def _know(self, key: tuple[Any, ...], duration_s: float) -> None:
        if self._video is not None and key == (self._video.told, self._video.video):
            self.duration_s = duration_s
            self.opened.emit(duration_s)

    def _end(self, number: int) -> None:
        if number == self._number:
            self._done = True

    def _tick(self) -> None:
        """Show what is due. The clock begins with the first picture, and waits for pictures where the engine is slower than the video."""
        now_s = time.perf_counter()
        with self._changed:
            ring = self._ring
            if not self._queue or ring is None:
                if self._done:
                    self.pause()
                return
            if self._began is None:
                self._began = (now_s, self._queue[0][1]["time_s"])
            began_s, from_s = self._began
            at_s = from_s + (now_s - began_s) * self.rate
            way = 1.0 if self.rate > 0 else -1.0
            due: Optional[dict[str, Any]] = None
            while self._queue and (at_s - self._queue[0][1]["time_s"]) * way >= -TICK_MS / 2000.0 * abs(self.rate):
                if due is not None and due["number"] is not None:
                    self.late += 1
                    ring.released = max(ring.released, due["number"] + 1)
                due = self._queue.popleft()[1]
            ring.clock_s = at_s
            if due is None:
                return
            image = _image(ring, due)
        behind_s = (at_s - due["time_s"]) * way / abs(self.rate)
        self.played += 1
        self.late += behind_s > LATE_S
        if behind_s > 0.5:
            self._began = (now_s, due["time_s"])
        self._show_now(image, due["time_s"])

    # The engine, in a thread of its own.

    def _work(self) -> None:
        near: Optional[_Wish] = None
        while True:
            with self._changed:
                idle_s = IDLE_S if near is None else PREPARE_AFTER_S
                if not (self._closing or self._wish):
                    self._changed.wait(idle_s)
                closing, wish = self._closing, self._wish
                self._wish = None
            if closing or (wish is None and near is None):
                self._let_go()
            if closing:
                return
            if wish is None and near is not None:
                near = near if self._prepare(near) else None
            elif wish is not None:
                near = wish if self._serve(wish) else None

    def _serve(self, wish: _Wish) -> bool:
        try:
            self._show(wish)
        except EngineCancelledError:
            return False
        except EngineError as error:
            self._open = None
            self._tell(self._failed, wish.number, translated(str(error)), isinstance(error, EngineInputError))
            return False
        except Exception as error:  # noqa: BLE001 - a thread has nobody else to tell
            self._open = None
            self._tell(
                self._failed,
                wish.number,
                tr("A fault of VidTAG: {kind}: {error}. Please report it.", kind=type(error).__name__, error=error),
                False,
            )
            return False
        return True

    def _show(self, wish: _Wish) -> None:
        ring = self._ready(wish)
        if ring is None or self._number != wish.number:
            return
        if wish.rate:
            arguments = PlayerPlayArguments(
                from_s=wish.time_s, wish=wish.number, rate=wish.rate, longest_px=min(PLAYED_PX, self.longest_px)
            )
            answer = self._ask("player-play", asdict(arguments), lambda told: self._queued(wish.number, told))
            if answer.get("ended"):
                self._tell(self._ended, wish.number)
            return
        answer = self._ask("player-seek", asdict(PlayerSeekArguments(wish.time_s, wish.number, self.longest_px, wish.step)))
        if not answer.get("stale"):
            self._tell(self._arrived, wish.number, _image(ring, answer), answer["time_s"])

    def _queued(self, number: int, told: dict[str, Any]) -> None:
        self._count(told)
        with self._changed:
            if number == self._number:
                self._queue.append((number, told))
            elif self._ring is not None and told["number"] is not None:
                self._ring.released = told["number"] + 1

    def _prepare(self, near: _Wish) -> bool:
        """Whether another idle moment may be of use."""
        try:
            arguments = PlayerPrepareArguments(near_s=near.time_s, wish=self._number)
            return bool(self._ask("player-prepare", asdict(arguments)).get("more"))
        except EngineError:
            self._open = None  # the next wish says what is wrong
            return False

    def _ready(self, wish: _Wish) -> Optional[FrameRing]:
        """The ring, with the wish's video open."""
        key = (wish.video.told, wish.video.video)
        if self._client is not None and not self._client.running:
            self._let_go()
        if self._client is None:
            self._client = EngineClient(engine.interpreter(), own_folders=engine.qgis_folders(), cancelled=lambda: self._closing)
        known, mark = self._original.get(key, ("", None))
        same = mark is not None and _mark_of(known) == mark
        if self._ring is not None and self._open == key and (same or not os.path.exists(known)):  # of one that has gone the engine tells
            self._ring.released = self._ring_written
            return self._ring
        # Another file that has come to its place is looked at as any other is.
        places = [known] if same else places_of(wish.video)
        if not places:
            raise VideoMissingError(tr("The video {file} was not found: say where it is.", file=wish.video.video.file))
        self._drop_ring()
        _clear_left()
        self._folder = tempfile.mkdtemp(prefix="vidtag-player-", dir=_quick_folder())
        self._ring = _make_ring(os.path.join(self._folder, "pictures"))
        self._ring.wish, self._ring_written = self._number, 0
        digest = None if same else wish.video.video.sha256 or None
        answer = self._ask("player-open", asdict(PlayerOpenArguments(ring=self._ring.path, videos=places, sha256=digest)))
        _unname(self._ring.path)
        self._original[key], self._open = (answer["video"], _mark_of(answer["video"])), key
        self._tell(self._opened, key, float(answer["duration_s"]))
        return self._ring

    def _ask(self, command: str, arguments: dict[str, Any], on_partial: Any = None) -> dict[str, Any]:
        client = self._client
        if client is None:
            raise EngineCancelledError(tr("The viewer was closed."))
        try:
            answer = client.request(command, arguments, on_partial=on_partial or self._count)
        except EngineError:
            if not client.running:  # it has ended, or was ended: the next wish starts it again
                self._let_go()
            raise
        self._count(answer)
        return answer

    def _count(self, told: dict[str, Any]) -> None:
        if told.get("number") is not None:
            self._ring_written = told["number"] + 1

    def _tell(self, signal: Any, *values: Any) -> None:
        with self._changed:
            if not self._closing:
                signal.emit(*values)

    def _let_go(self) -> None:
        client, self._client, self._open = self._client, None, None
        if client is not None:
            client.close()

    def _drop_ring(self) -> None:
        with self._changed:
            ring, self._ring, folder, self._folder = self._ring, None, self._folder, ""
            self._open = None
            self._queue.clear()
        if ring is not None:
            ring.close()
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def _image(ring: FrameRing, told: dict[str, Any]) -> QImage:
    """The picture in a slot, which is free again then."""
    if told.get("number") is None:
        return QImage()
    width, height = told["width_px"], told["height_px"]
    pixels = ring.get(told["number"], width * height * 4)
    ring.released = max(ring.released, told["number"] + 1)
    return QImage(pixels, width, height, width * 4, QImage.Format.Format_RGB32).copy()


def _quick_folder() -> Optional[str]:
    """A folder in memory where the system has one; None for the usual one of temporary files."""
    for folder in (os.environ.get("XDG_RUNTIME_DIR", ""), "/dev/shm"):  # noqa: S108  # nosec B108 - a private folder is made in it
        if folder and os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > 2 * SLOTS * LONGEST_PX * LONGEST_PX * 4:
            return folder
    return None


def _make_ring(path: str) -> FrameRing:
    try:
        return FrameRing.create(path, SLOTS, LONGEST_PX * LONGEST_PX * 4)
    except OSError as error:
        raise EngineInputError(
            tr("There is no room for the viewer's pictures ({strerror}): free some space for temporary files.", strerror=error.strerror)
        ) from error


def _mark_of(path: str) -> Optional[tuple[int, int]]:
    """Size and time of a file, by which another one is told from it; None where it is gone."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _unname(path: str) -> None:
    """Both have it mapped: without a name it goes with them, however they end. Windows keeps the name until the viewer is closed."""
    try:
        os.unlink(path)
        os.rmdir(os.path.dirname(path))
    except OSError:
        return


def _clear_left() -> None:
    """Remove what a QGIS that was killed has left where a mapped file keeps its name; one that is in use stays there."""
    if os.name == "nt":
        for folder in glob.glob(os.path.join(tempfile.gettempdir(), "vidtag-player-*")):
            shutil.rmtree(folder, ignore_errors=True)
