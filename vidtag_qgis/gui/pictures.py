"""Pictures of frames for the windows: one engine that stays, asked from a thread of its own; the window never waits."""

from __future__ import annotations

import collections
import os
import shutil
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional

from qgis.PyQt.QtCore import QObject, pyqtSignal

from .. import engine
from ..engine_client import EngineCancelledError, EngineClient, EngineError, EngineInputError
from ..engine_client.command_arguments import PictureArguments
from ..frames import VideoFile
from ..translation import tr, translated
from ..video_places import candidates

KEPT_PICTURES = 200
IDLE_S = 120.0
"""After so long without a question the engine is let go; the next one starts it again within a second or two."""
PATIENCE_S = 0.3
"""A picture that takes longer is given up where another one is wanted meanwhile."""
STOP_S = 5.0


@dataclass(frozen=True)
class PictureRequest:
    """Which picture.

    Args:
        result: what tells the result from others, such as its layer's id.
        video: of it.
        time_s: seconds after the video's start.
        folders: where the video may lie.
        told: its path as the user said it, or empty; then it is looked for nowhere else.
    """

    result: str
    video: VideoFile
    time_s: float
    folders: tuple[str, ...]
    told: str = ""

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells it from the pictures of other videos and results."""
        return (self.result, self.video, self.told, round(self.time_s, 4))


class Pictures(QObject):
    """Gives pictures in the background, the latest wish first. Signals come in the thread that made it.

    ``shown`` carries the request and the picture's file, empty where the video is damaged there; ``failed`` the request, a sentence, and whether it
    would help to say where the video is. ``close()`` must be called: it stops the engine and removes the pictures.
    """

    shown = pyqtSignal(object, str)
    failed = pyqtSignal(object, str, bool)

    def __init__(self, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self.folder = tempfile.mkdtemp(prefix="vidtag-pictures-")
        self._changed = threading.Condition()
        self._wanted: Optional[PictureRequest] = None
        self._ahead: list[PictureRequest] = []
        self._closing = False
        self._client: Optional[EngineClient] = None
        self._known: dict[tuple[str, VideoFile], str] = {}
        self._kept: collections.OrderedDict[tuple[Any, ...], str] = collections.OrderedDict()
        self._count = 0
        self._hasty_since_s: Optional[float] = None
        self._thread: Optional[threading.Thread] = None

    @property
    def engine_pid(self) -> Optional[int]:
        """Number of the engine's process, None where none runs."""
        client = self._client
        return None if client is None else client.pid

    def want(self, request: PictureRequest, ahead: tuple[PictureRequest, ...] = ()) -> None:
        """Ask for a picture in place of all asked for before, and then, while nothing else is wanted, for those of ``ahead``."""
        with self._changed:
            if self._closing:
                return
            self._wanted, self._ahead = request, list(ahead)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="vidtag-pictures", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def forget(self) -> None:
        """Want nothing any more."""
        with self._changed:
            self._wanted, self._ahead = None, []

    def close(self) -> None:
        """Stop the thread and the engine and remove the pictures; takes a second at most where the engine is busy."""
        with self._changed:
            self._closing = True
            self._wanted, self._ahead = None, []
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(STOP_S)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _work(self) -> None:
        while True:
            with self._changed:
                while not (self._closing or self._wanted or self._ahead):
                    if not self._changed.wait(IDLE_S):
                        break
                closing, request, loud = self._closing, self._wanted, self._wanted is not None
                self._wanted = None
                if request is None and self._ahead:
                    request = self._ahead.pop(0)
            if closing or request is None:
                self._let_go()
            if closing:
                return
            if request is not None:
                self._serve(request, loud)

    def _serve(self, request: PictureRequest, loud: bool) -> None:
        """Get one picture, and tell it where it is the one that is wanted."""
        try:
            path = self._picture(request)
        except EngineCancelledError:
            return
        except EngineError as error:
            if loud:
                self._tell(self.failed, request, translated(str(error)), isinstance(error, EngineInputError))
            return
        except Exception as error:  # noqa: BLE001 - a thread has nobody else to tell
            self._tell(
                self.failed,
                request,
                tr("A fault of VidTAG: {kind}: {error}. Please report it.", kind=type(error).__name__, error=error),
                False,
            )
            return
        if loud:
            self._tell(self.shown, request, path)

    def _tell(self, signal: Any, *values: Any) -> None:
        with self._changed:
            if not self._closing:
                signal.emit(*values)

    def _picture(self, request: PictureRequest) -> str:
        with self._changed:
            kept = self._kept.get(request.key)
            if kept is not None:
                self._kept.move_to_end(request.key)
                return kept
            known = self._known.get((request.told, request.video))
        places = [known] if known and os.path.exists(known) else places_of(request)
        if not places:
            raise VideoMissingError(tr("The video {file} was not found: say where it is.", file=request.video.file))
        self._count += 1
        arguments = PictureArguments(
            output=os.path.join(self.folder, f"{self._count}.jpg"),
            time_s=request.time_s,
            videos=places,
            sha256=None if places == [known] else request.video.sha256 or None,
            kind=request.video.kind,
        )
        # Reading a long video through for its digest is done once, and not given up.
        answer = self._ask(asdict(arguments), patient=arguments.sha256 is not None)
        self._keep(request, answer["video"], answer["file"] or "")
        return answer["file"] or ""

    def _keep(self, request: PictureRequest, video: str, path: str) -> None:
        with self._changed:
            self._known[request.told, request.video] = video
            self._kept[request.key] = path
            while len(self._kept) > KEPT_PICTURES:
                _, old = self._kept.popitem(last=False)
                if old:
                    Path(old).unlink(missing_ok=True)

    def _ask(self, arguments: dict[str, Any], *, patient: bool) -> dict[str, Any]:
        if self._client is None:
            self._client = EngineClient(engine.interpreter(), own_folders=engine.qgis_folders(), cancelled=self._stop_asked)
        self._hasty_since_s = None if patient else time.monotonic()
        try:
            return self._client.request("picture", arguments)
        except EngineError:
            if not self._client.running:  # it has ended, or was ended: the next question starts it again
                self._let_go()
            raise
        finally:
            self._hasty_since_s = None

    def _stop_asked(self) -> bool:
        """Whether what the engine does now is of no use any more."""
        since_s = self._hasty_since_s
        return self._closing or (since_s is not None and self._wanted is not None and time.monotonic() - since_s > PATIENCE_S)

    def _let_go(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


def places_of(request: PictureRequest) -> list[str]:
    """Where the request's video may lie, the likeliest first."""
    if request.told:
        return [request.told] if os.path.exists(request.told) else []
    return candidates(request.video.file, request.folders)


class VideoMissingError(EngineInputError):
    """The video is in none of the folders."""
