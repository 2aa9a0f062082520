"""Around the way: opening a batch, taking up an earlier run, and saying what a user should know of the result."""

from __future__ import annotations

import errno
import logging
import math
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .export import located_mask, read_failed, read_geopackage, read_provenance, verdict_sentence
from .outputs import check_place
from .settings import GeolocateSettings, in_new_names, zone_of
from .trajectory import steps
from .types import CancelledError, FailedVideo, FrameState, InputError, Provenance, TimeSource, VideoError, VideoInfo, VideoResult
from .video import VideoRow, distinct_names, embedded_track, open_source, source_digest

_LOG = logging.getLogger(__name__)


def default_cache_folder() -> Path:
    """Where gallery embeddings are kept: ``VIDTAG_CACHE``, else the user's cache folder."""
    if chosen := os.environ.get("VIDTAG_CACHE"):
        return Path(chosen) / "galleries"
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "vidtag" / "galleries"


def compiled_folder() -> Path:
    """Where the translations of backbones for a CPU are kept."""
    return default_cache_folder().parent / "networks"


@dataclass(frozen=True)
class BatchInput:
    """One video of a batch before it is opened.

    Args:
        name: in the batch, which no other has.
        path: of the file, or of a folder of images.
        kind: "video", "images", or "auto".
        start_time: UTC, as a table says it; None where none does.
    """

    name: str
    path: Path
    kind: str = "auto"
    start_time: datetime | None = None

    def open(self, settings: GeolocateSettings) -> VideoInfo:
        """Look at it without reading it through. Raises InputError, or whatever its file's damage leads to."""
        zone = zone_of(settings.time_zone)
        info = open_source(self.path, kind=self.kind, start_time=self.start_time or settings.start_time, zone=zone)
        return replace(info, name=self.name)

    def unopened(self) -> VideoInfo:
        """What is known of it where it cannot be opened."""
        kind = self.kind if self.kind != "auto" else "images" if self.path.is_dir() else "video"
        return VideoInfo(self.path, self.name, kind, 0, 0, None, datetime(2000, 1, 1, tzinfo=UTC), TimeSource.SYNTHETIC)

    def failed(self, error: Exception) -> FailedVideo:
        """As a row of the result that says why."""
        return FailedVideo(self.unopened(), sentence_of(error, self.path), _digest(self.path))


def batch_inputs(videos: Sequence[Path | str], images: Sequence[Path | str], rows: Sequence[VideoRow] = ()) -> list[BatchInput]:
    """The videos of a batch by names that differ; nothing is opened.

    Args:
        videos, images: as for :func:`.geolocation.geolocate`.
        rows: of a table of videos, none of which is among the others.

    Raises:
        InputError: there is none, or one is given twice.
    """
    wanted: list[tuple[Path, str, datetime | None]] = []
    wanted += [(Path(v), "video", None) for v in videos]
    wanted += [(Path(i), "images", None) for i in images]
    wanted += [(row.path, "auto", row.start_time) for row in rows]
    _check_once(wanted, rows)
    if not wanted:
        raise InputError("There is no video to geolocate: give at least one file or folder.")
    names = distinct_names([(path.name or str(path), path) for path, _, _ in wanted])
    return [BatchInput(name, *one) for name, one in zip(names, wanted, strict=True)]


def first_opened(inputs: Sequence[BatchInput], settings: GeolocateSettings) -> dict[str, VideoInfo]:
    """The first input that can be opened, by its name: where there is none, that is said before any work starts.

    Raises:
        InputError: none can, and what is wrong with the first.
    """
    errors: list[InputError] = []
    for one in inputs:
        try:
            return {one.name: one.open(settings)}
        except Exception as error:
            if ends_the_run(error):
                raise
            errors.append(error if isinstance(error, InputError) else VideoError(sentence_of(error, one.path)))
    raise errors[0]


def open_all(
    videos: Sequence[Path | str], images: Sequence[Path | str], settings: GeolocateSettings
) -> tuple[list[VideoInfo], list[FailedVideo]]:
    """Open every input before any work starts. A single bad input is an error; of several it is noted and the rest goes on. Arguments as of :func:`batch_inputs`."""
    return opened_and_failed(batch_inputs(videos, images), settings)


def opened_and_failed(inputs: Sequence[BatchInput], settings: GeolocateSettings) -> tuple[list[VideoInfo], list[FailedVideo]]:
    """Every input that can be opened, and why the others cannot. Raises InputError where none can."""
    first_opened(inputs, settings)
    opened: list[VideoInfo] = []
    failed: list[FailedVideo] = []
    for one in inputs:
        try:
            opened.append(one.open(settings))
        except Exception as error:
            if ends_the_run(error):
                raise
            failed.append(one.failed(error))
    return opened, failed


def _check_once(wanted: Sequence[tuple[Path, str, datetime | None]], rows: Sequence[VideoRow]) -> None:
    """Raise InputError where a row of a table names what is given beside the table, too: two settings would hold of it."""
    others = {os.path.realpath(path) for path, _, _ in wanted[: len(wanted) - len(rows)]}
    for row in rows:
        if os.path.realpath(row.path) in others:
            raise InputError(f"{row.where[0].upper()}{row.where[1:]} names a video that is given beside the table, too: give it once.")


def ends_the_run(error: Exception) -> bool:
    """Whether an error is not one video's: the user stopped, or memory or disk are full, as they will be for the next video."""
    full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
    return full or isinstance(error, CancelledError | MemoryError | torch.OutOfMemoryError)


def sentence_of(error: Exception, path: Path) -> str:
    """What is said of a video that failed; of an error that nobody foresaw, its kind, too."""
    if isinstance(error, InputError):
        return str(error)
    _LOG.debug("unexpected error in %s", path, exc_info=error)
    said = re.sub(r"\s+", " ", str(error)).strip().rstrip(".")
    what = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return f"{path.name} could not be processed ({what}): convert it with FFmpeg and try again, and report this as a fault of VidTAG."


def earlier_failed(output: Path, known: set[str]) -> list[FailedVideo]:
    """Failed videos of an earlier run to the same output that this one, whose videos have the names ``known``, is not about."""
    return [one for one in read_failed(output) if one.info.name not in known] if output.exists() else []


def check_name_free(name: str, sha256: str, results: Sequence[VideoResult]) -> None:
    """Raise InputError where the output holds another recording of that name: outputs tell videos apart by it."""
    if any(one.info.name == name and one.sha256 != sha256 for one in results):
        raise InputError(f"The output holds another video named {name}: rename this one, or choose another output.")


def _digest(path: Path) -> str:
    """Of a file that could not be opened as a video; empty where its bytes cannot be read either."""
    try:
        return source_digest(path) if path.is_file() else ""
    except (InputError, OSError):
        return ""


def earlier_results(output: Path, provenance: Provenance, *, overwrite: bool, any_grid: bool = False) -> dict[str, VideoResult]:
    """Finished videos of an earlier run of the very same settings, by SHA-256.

    Args:
        output: of it, which need not be there.
        provenance: of this run.
        overwrite: there are none then.
        any_grid: this run's videos have areas of their own each: those that had the earlier run's must be none.
    """
    if overwrite or not output.exists():
        return {}
    check_same_settings(output, provenance, any_grid=any_grid)
    return {result.sha256: result for result in read_geopackage(output)[0]}


def check_same_settings(output: Path, provenance: Provenance, *, any_grid: bool = False) -> None:
    """Raise InputError where a file is there that is no result, or one of other settings. Arguments as of :func:`earlier_results`."""
    if not output.exists():
        return
    try:
        made = read_provenance(output)
    except InputError as error:
        raise InputError(
            f"{output.name} exists and is not a result of this tool: choose another output, or add --overwrite to replace it."
        ) from error
    # Where every video had an area of its own there is no grid of the run that another could differ from.
    grid = made.gallery.get("digest")
    same = (
        in_new_names(made.settings) == provenance.settings
        and ((grid is None and "areas" in made.gallery) or (not any_grid and grid == provenance.gallery.get("digest")))
        and all(made.checkpoint.get(name) == provenance.checkpoint.get(name) for name in ("sha256", "calibration_sha256"))
    )
    if not same:
        raise InputError(f"{output.name} holds results of other settings: choose another output, or add --overwrite to replace it.")


def check_output(output: Path) -> None:
    """Refuse a GeoPackage that cannot be written before hours of work, not after."""
    if output.suffix.lower() != ".gpkg":
        raise InputError(
            f"{output.name} must end in .gpkg: the result is a GeoPackage; give a name such as {output.stem or 'result'}.gpkg,"
            " other formats are options of their own."
        )
    check_place(output)


def warnings_of(
    results: Sequence[VideoResult],
    aoi_bounds: tuple[float, float, float, float],
    training_extent: tuple[float, float, float, float] | None,
    *,
    infos: Sequence[VideoInfo] = (),
) -> list[str]:
    """What a user should know about the answer, a sentence each.

    Args:
        results: of the videos.
        aoi_bounds, training_extent: (minx, miny, maxx, maxy) in degrees.
        infos: the opened videos; a result that was taken up from an earlier run does not say where its file lies.
    """
    paths = {info.name: info.path for info in infos}
    told = any(one.trajectory.verdict and one.trajectory.verdict.state is FrameState.UNKNOWN_GROUND for one in results)
    said = [] if told else warnings_of_area(aoi_bounds, training_extent)
    return said + [sentence for one in results for sentence in warnings_of_video(one, paths.get(one.info.name))]


def warnings_of_area(aoi_bounds: tuple[float, float, float, float], training_extent: tuple[float, float, float, float] | None) -> list[str]:
    """That nothing is known of an area; arguments as of :func:`warnings_of`."""
    if training_extent is None:
        return []
    (west, south, east, north), extent = aoi_bounds, training_extent
    if east < extent[0] or west > extent[2] or north < extent[1] or south > extent[3]:
        return ["The area lies outside the one that the checkpoint was trained on: expect no useful answer there."]
    return []


def warnings_of_video(result: VideoResult, path: Path | None = None) -> list[str]:
    """What a user should know about one answer, a sentence each; ``path`` is where its file lies, if the result does not say it."""
    name, info = result.info.name, result.info
    said = [f"{name}: {note}" for note in info.notes]
    if info.embedded_gps:
        said.append(_of_embedded(replace(info, path=path or info.path)))
    if info.time_source is TimeSource.SYNTHETIC:
        said.append(f"{name} does not say when it was taken: times count from 2000-01-01T00:00:00Z; give --start-time to set them.")
    if sentence := verdict_sentence(result):
        said.append(sentence)
    if result.report.damaged:
        said.append(f"{name}: {result.report.damaged} damaged parts were skipped.")
    return said


def _of_embedded(info: VideoInfo) -> str:
    """What the positions in the file are good for: nothing, where the receiver never had a lock."""
    if embedded_track(info) is None and info.path.exists():
        return f"{info.name} carries a position track ({info.embedded_gps}) without a single fix: there is nothing in it to compare with."
    return (
        f"{info.name} carries its own positions ({info.embedded_gps}); they were not used."
        " To compare with them, evaluate the result with the video itself as the truth."
    )


def mean_confidence(results: Sequence[VideoResult]) -> float | None:
    """Over all located frames that are rated; None where none is."""
    said = np.concatenate([np.zeros(0), *(one.trajectory.confidence[located_mask(one.trajectory)] for one in results)])
    said = said[np.isfinite(said)]
    return round(float(said.mean()), 4) if len(said) else None


def mean_of_summaries(summaries: Sequence[dict[str, Any]]) -> float | None:
    """As :func:`mean_confidence`, of videos' summaries."""
    weights = [(one["mean_confidence"], one["located"] - one["not_rated"]) for one in summaries if one["mean_confidence"] is not None]
    total = sum(weight for _, weight in weights)
    return round(sum(mean * weight for mean, weight in weights) / total, 4) if total else None


def summary_of(result: VideoResult) -> dict[str, Any]:
    """One video in a few plain numbers. ``located`` counts places, ``not_rated`` those of them without a probability."""
    trajectory = result.trajectory
    known = located_mask(trajectory)
    verdict = trajectory.verdict
    unknown_share = verdict.unknown_share if verdict else math.nan
    return {
        "name": result.info.name,
        "frames": len(trajectory.time_s),
        "located": int(known.sum()),
        "not_rated": int((known & ~np.isfinite(trajectory.confidence)).sum()),
        "mean_confidence": mean_confidence([result]),
        "state": verdict.state.value if verdict else None,
        "why": verdict.why if verdict else "",
        "unknown_share": None if math.isnan(unknown_share) else round(unknown_share, 4),
        "length_m": round(float(np.sum(steps(trajectory).length_m)), 1),
        "start_time": result.info.start_time.isoformat(),
        "time_source": result.info.time_source.value,
        "damaged": result.report.damaged,
        "repeated": result.report.repeated,
        "seconds": result.seconds,
    }
