"""The engine as an algorithm uses it: one call with QGIS's settings, feedback and exceptions."""

from __future__ import annotations

import os
import pathlib
import shutil
import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import Any, Callable, Optional

from qgis.core import QgsApplication, QgsProcessingException, QgsProcessingFeedback, QgsProcessingUtils, QgsProject
from qgis.PyQt.QtCore import QCoreApplication, QStandardPaths, QThread

from . import settings
from .engine_client import (
    EngineCancelledError,
    EngineError,
    EngineInterpreter,
    EngineNotFoundError,
    WarmEngine,
    find_interpreter,
    run_request,
)
from .places import ENGINE_SOURCE
from .translation import tr, translated
from .wording import percent_text, stage_text

RESULTS = ".results"
"""Ending of the folder beside a batch's result that holds a file a video, from which the engine makes the result."""

_WARM: list[WarmEngine] = []
"""The engine that a QGIS with windows keeps; none in ``qgis_process``, which ends after its run."""


def keep_warm() -> WarmEngine:
    """From now on an engine stays for the next request."""
    if not _WARM:
        _WARM.append(WarmEngine(60.0 * settings.keep_engine_min()))
    return _WARM[0]


def warm() -> Optional[WarmEngine]:
    """The engine that stays, None where none does."""
    return _WARM[0] if _WARM else None


def let_go() -> None:
    """Stop the engine that stays, for good: QGIS closes, or the plugin is taken away."""
    while _WARM:
        _WARM.pop().close()


def request(python: EngineInterpreter, command: str, arguments: dict[str, Any], **others: Any) -> dict[str, Any]:
    """Do one request, in the engine that stays where there is one; arguments and errors as ``run_request``."""
    ask = run_request if (kept := warm()) is None else kept.request
    return ask(python, command, arguments, own_folders=qgis_folders(), **others)


def interpreter(python: Optional[str] = None) -> EngineInterpreter:
    """The engine's interpreter by QGIS's settings, or by what is typed in their place; raises EngineNotFoundError. Starts nothing."""
    chosen = settings.engine_python() if python is None else python
    found = find_interpreter(chosen, settings.engine_path(), setting_cache=settings.chosen_cache(), own_source=str(ENGINE_SOURCE))
    return replace(found, offline=settings.offline())


def not_found() -> Optional[str]:
    """Why the engine cannot run, None where it was found."""
    try:
        interpreter()
    except EngineNotFoundError as error:
        return translated(str(error))
    return None


def run(
    command: str,
    arguments: dict[str, Any],
    feedback: QgsProcessingFeedback,
    *,
    when_cancelled: str = "",
    words: Callable[[str], str] = translated,
) -> dict[str, Any]:
    """Do one request; progress and log go to ``feedback``, whose cancel stops the engine within a second.

    Args:
        when_cancelled: what to tell after a cancel; empty where the request names its finished videos itself.
        words: what puts the engine's sentences, which name the command line's options, in the words of who reads them.

    Raises:
        QgsProcessingException: with one sentence for the user; after a cancel it names the file with the finished videos.
    """
    told: set[str] = set()
    finished: list[str] = []  # also those of an engine that has ended and was started again
    output = str(arguments.get("output") or "") if command == "geolocate" else ""

    def on_progress(fraction: float, stage: str, message: str) -> None:
        feedback.setProgress(100.0 * fraction)
        text = words(stage_text(stage, message))
        if text and text not in told:  # stages come again with each video and block
            told.add(text)
            feedback.setProgressText(text)

    def on_log(level: str, text: str) -> None:
        text = words(text)
        if text not in told:
            told.add(text)
            (feedback.pushWarning if level == "warning" else feedback.pushInfo)(text)

    def on_partial(value: dict[str, Any]) -> None:
        finished.append(str(value.get("name", "")))
        feedback.pushInfo(_video_line(value))

    try:
        return request(
            interpreter(),
            command,
            arguments,
            cancelled=lambda: _cancelled(feedback),
            on_progress=on_progress,
            on_log=on_log,
            on_partial=on_partial,
        )
    except EngineCancelledError as error:
        kept = what_is_kept(finished, output)
        told_last = f"{tr('Cancelled.')} {kept}" if kept else tr("Cancelled; no video was finished, so nothing was written.")
        raise QgsProcessingException(when_cancelled or told_last) from error
    except EngineError as error:
        if error.detail:
            feedback.pushDebugInfo(error.detail)
        if kept := what_is_kept(finished, output):
            feedback.pushWarning(kept)
        raise QgsProcessingException(words(str(error))) from error


def qgis_folders() -> list[str]:
    """QGIS's own folders, where it brings its own libraries. On Linux it lies in the system's, which the engine needs too."""
    prefix = QgsApplication.prefixPath()
    if sys.platform == "win32":  # C:/Program Files/QGIS 3.40/apps/qgis
        return [os.path.dirname(os.path.dirname(prefix))]
    if sys.platform == "darwin":  # /Applications/QGIS.app/Contents/MacOS
        return [os.path.dirname(prefix)]
    return []


def keep(output: str) -> str:
    """Where a result that must outlive this session lies: itself, or a copy of it where ``output`` is temporary.

    Raises:
        OSError: no place for a copy could be written to.
    """
    temporary = os.path.realpath(QgsProcessingUtils.tempFolder())
    if os.path.commonpath([temporary, os.path.realpath(output)]) != temporary:
        return output
    documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    folder = QgsProject.instance().homePath() or os.path.join(documents, "VidTAG")
    os.makedirs(folder, exist_ok=True)
    place = os.path.join(folder, f"VidTAG kept {datetime.now().astimezone():%Y-%m-%d %H%M%S}.gpkg")
    for ending in (".scores", RESULTS):
        folder_beside = os.path.splitext(output)[0] + ending
        if os.path.isdir(folder_beside):
            # What a stopped process held or was writing belongs to nobody any more.
            passed_over = shutil.ignore_patterns("*.lock", "locks", ".vidtag-*")
            shutil.copytree(folder_beside, os.path.splitext(place)[0] + ending, ignore=passed_over)
    review = os.path.splitext(output)[0] + ".review.gpkg"
    if os.path.isfile(review):
        shutil.copyfile(review, os.path.splitext(place)[0] + ".review.gpkg")
    shutil.copyfile(output, place + ".part")
    os.replace(place + ".part", place)
    return place


def _cancelled(feedback: QgsProcessingFeedback) -> bool:
    # In qgis_process the algorithm holds the main thread, and an interrupt reaches the feedback only through its events.
    if QThread.currentThread() == QCoreApplication.instance().thread():
        QCoreApplication.processEvents()
    return feedback.isCanceled()


def what_is_kept(finished: list[str], output: str) -> str:
    """A sentence on where the finished videos of a run that broke off lie; empty where there is nothing.

    Args:
        finished: names of the videos.
        output: the result's path.

    A batch has each in a file of its own at once, and in the result by the next merge.
    """
    if not finished or not os.path.exists(output):
        return ""
    count = len(set(finished))
    merged = len(set(finished) & _videos_in(output))
    try:
        place = keep(output)
    except OSError as problem:
        values = {"count": count, "output": output, "problem": problem}
        if count == 1:
            return tr("1 finished video is in {output}, a temporary file: copy it before you close QGIS ({problem}).", **values)
        return tr("{count} finished videos are in {output}, a temporary file: copy it before you close QGIS ({problem}).", **values)
    results = os.path.splitext(place)[0] + RESULTS
    if merged == count or not os.path.isdir(results):
        return (
            tr("1 finished video is kept in {place}", place=place)
            if count == 1
            else tr("{count} finished videos are kept in {place}", count=count, place=place)
        )
    so_far = {"count": count, "merged": merged, "file": os.path.basename(place), "results": results}
    if count == 1:
        return tr(
            "1 finished video is kept in {results}, {merged} of them so far in {file}: run again with 'Go on from an existing result' (RESUME=true).",
            **so_far,
        )
    return tr(
        "{count} finished videos are kept in {results}, {merged} of them so far in {file}: run again with 'Go on from an existing result' (RESUME=true).",
        **so_far,
    )


def _videos_in(output: str) -> set[str]:
    """Names of the videos in a result; none where it cannot be read."""
    try:
        with closing(sqlite3.connect(f"{pathlib.Path(output).resolve().as_uri()}?mode=ro", uri=True)) as database:
            return {str(name) for (name,) in database.execute("SELECT video FROM videos")}
    except (OSError, sqlite3.Error):
        return set()


def _video_line(video: dict[str, Any]) -> str:
    if "levels" in video:
        return _guess_line(video)
    values = {"name": video.get("name", "?"), "located": video.get("located", "?"), "frames": video.get("frames", "?")}
    confidence = video.get("mean_confidence")
    if confidence is not None:
        return tr("{name}: {located} of {frames} frames located, mean confidence {confidence:.2f}.", confidence=confidence, **values)
    if video.get("located"):
        return tr("{name}: {located} of {frames} frames located, not rated.", **values)
    return tr("{name}: {located} of {frames} frames located.", **values)


def _guess_line(video: dict[str, Any]) -> str:
    """The likeliest cities of a video whose city was guessed."""
    if not video["known"]:
        return tr("{name}: of no known city.", name=video["name"])
    cities = [f"{city['name']} {percent_text(city['probability'])}".rstrip() for city in video["levels"]["city"][:3]]
    named = {"name": video["name"], "cities": ", ".join(cities)}
    return tr("{name}: {cities}.", **named) if video["rated"] else tr("{name}: {cities}, not rated.", **named)
