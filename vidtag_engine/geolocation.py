"""From videos and an area to trajectories: the one place that ties the way together.

video -> frames -> embeddings -> candidates -> trajectory -> layers (paper Sec. 3 and Fig. 5): Phase I retrieval, GeoRefiner, Phase II retrieval.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from .batch import (
    check_name_free,
    check_output,
    default_cache_folder,
    ends_the_run,
    mean_confidence,
    open_all,
    sentence_of,
    summary_of,
    warnings_of,
)
from .export import EXPORTERS, check_picture_name, read_geopackage, write_map, write_page
from .export.scores_file import scores_path
from .feedback import Feedback
from .grid import AreaOfInterest, load_aoi
from .guessed_areas import AUTO, GUESSED, AreaGuesser, area_guesser, give_areas
from .job import Job
from .loaded import Loaded, load, provenance_of
from .outputs import check_files
from .own_areas import SearchedArea, TableOfVideos, rows_asked, searched_area
from .protocol import GeolocateArguments
from .result_file import ResultFile, earlier_of
from .results import Geolocation
from .road_job import RoadJob
from .settings import GeolocateSettings, validated
from .types import FailedVideo, InputError, VideoError, VideoInfo, VideoResult
from .video import VideoRow, files_of_rows, source_digest
from .warm import Warm
from .ways import NONE, Ways, check_one_video

__all__ = ["Loaded", "geolocate", "load", "run_geolocate"]

_GUESS_SHARE = 0.5  # of the whole time: frames are mostly encoded for the guess and for the street at once


def geolocate(
    videos: Sequence[Path | str],
    aoi: AreaOfInterest | None,
    checkpoint: Loaded | str,
    output: Path | None = None,
    settings: GeolocateSettings | None = None,
    *,
    images: Sequence[Path | str] = (),
    rows: Sequence[VideoRow] = (),
    overwrite: bool = False,
    anew: bool = False,
    cache_dir: Path | None = None,
    feedback: Feedback = Feedback(),
    partial: Callable[[VideoResult], None] | None = None,
    warm: Warm | None = None,
) -> Geolocation:
    """Geolocate videos over an area and write the canonical GeoPackage.

    The file is written anew, whole, after each video, so a cancelled run keeps its finished videos; the same call then goes on from there. A video that
    fails, for whatever reason, is a row of ``videos`` that says why. A file that a person edits meanwhile is not replaced: a sibling is written.

    Args:
        videos, images: video files, and folders of images each of which is one sequence.
        rows: of a table of videos, each with what holds of that one alone: see :func:`.video.read_video_table`.
        aoi: area that the answer lies in, but for videos whose row names another; None is the extent that the checkpoint was trained on, or the world's
            land for a worldwide one.
        checkpoint: loaded, or what :func:`load` takes.
        output: path of the GeoPackage; None writes no file.
        settings: defaults where None.
        overwrite: replace an existing output that other settings made, or that a person has changed; without it that is refused.
        anew: replace an existing result whatever settings made it, unless a person has changed it.
        cache_dir: for gallery embeddings; None is the user's cache folder.
        feedback: of the whole run.
        partial: called with each video as it is finished and saved.
        warm: what earlier calls in this process have left, and this one leaves.

    Raises:
        InputError: bad input; nothing was written.
        CancelledError: stopped; finished videos are in ``output``.
    """
    settings = settings or validated(GeolocateSettings, {})
    _check_output(output, settings)
    table, infos, failed, run, loaded, guesser, ways = _begin(videos, images, rows, aoi, checkpoint, settings, feedback, warm)
    if guesser is not None:
        feedback = feedback.part(_GUESS_SHARE, 1.0)
    feedback = feedback.saying("Stopped; finished videos are kept, and the same command goes on from there.")
    provenance = provenance_of(settings, loaded, table.grids(run)[0], guesser.digest if guesser else None, ways.digest if ways else None)
    anew = anew or overwrite
    file = ResultFile(output, overwrite=overwrite) if output is not None else None
    kept, others = earlier_of(
        file, provenance, {*(one.name for one in infos), *(one.info.name for one in failed)}, anew=anew, any_grid=run is None
    )
    kept = table.still_right(kept, infos)
    aoi, provenance = table.joined(run, provenance, list(kept.values()), output)
    batch = Geolocation(list(kept.values()), provenance, aoi, sum(grid.count for grid in table.grids(run)), output, failed)
    job: Job | RoadJob | None = None
    for area, info in table.in_order(infos, run):
        if job is None or job.aoi is not area.aoi:
            job = _job(loaded, ways, area, settings, cache_dir or default_cache_folder(), feedback, len(infos), job, warm)
        job.settings, job.scores_beside, sha256 = table.settings_of(info.path), file.path if file and settings.keep_scores else None, ""
        try:
            sha256 = source_digest(info.path)
            earlier = kept[sha256] if sha256 in kept and kept[sha256].info.name == info.name else None
            # One whose scores are wanted and are not there is done again.
            if earlier and (output is None or not settings.keep_scores or scores_path(output, sha256).is_file()):
                batch.resumed.append(info.name)
                job.done += 1
                continue
            check_name_free(info, sha256, batch.results)
            seen = guesser.features.pop(info.path, None) if guesser else None
            result = replace(job.run(info, sha256, seen), own=table.own_of(info.path))
        except Exception as error:
            if ends_the_run(error):
                raise
            batch.failed.append(FailedVideo(info, sentence_of(error, info.path), sha256))
            job.done += 1
            continue
        batch.results = [*(one for one in batch.results if one is not earlier), result]
        if file is not None:
            since = time.perf_counter()
            file.write(batch.results, [*batch.failed, *others], provenance, aoi)
            job.clock.add("write", since)
        job.done += 1
        if partial:
            partial(result)
    if file is not None:
        file.tell(batch.results, [*batch.failed, *others], provenance, aoi)
        batch.output = file.path
    batch.seconds = job.clock.seconds if job else {}
    batch.warnings = [
        *(file.notes if file is not None else ()),
        *aoi.notes,
        *([GUESSED] if guesser and any(one.own for one in batch.results) else ()),
        *(job.notes if job else ()),
        *warnings_of(batch.results, aoi.bounds, loaded.card.training_extent if loaded else None, infos=infos),
    ]
    if not batch.results:
        raise VideoError(batch.failed[0].why)  # every video that could be opened has a result, or is one of these
    feedback.tell(1.0, "done", batch.output.name if batch.output else "")
    return batch


def _job(
    loaded: Loaded | None,
    ways: Ways | None,
    area: SearchedArea,
    settings: GeolocateSettings,
    cache_dir: Path,
    feedback: Feedback,
    total: int,
    after: Job | RoadJob | None,
    warm: Warm | None,
) -> Job | RoadJob:
    """What answers the videos of an area: with a checkpoint, or by their ways alone."""
    if isinstance(loaded, Loaded):
        before = after if isinstance(after, Job) else None
        return Job(loaded, area.grid, area.aoi, settings, cache_dir, feedback, total, warm, before, area.prior, ways)
    if ways is None:
        raise ValueError("neither a checkpoint nor roads")
    return RoadJob(ways, area.aoi, settings, feedback, total, after if isinstance(after, RoadJob) else None)


def _begin(
    videos: Sequence[Path | str],
    images: Sequence[Path | str],
    rows: Sequence[VideoRow],
    aoi: AreaOfInterest | None,
    checkpoint: Loaded | str,
    settings: GeolocateSettings,
    feedback: Feedback,
    warm: Warm | None,
) -> tuple[TableOfVideos, list[VideoInfo], list[FailedVideo], SearchedArea | None, Loaded | None, AreaGuesser | None, Ways | None]:
    """Open the videos and the checkpoint, and say where each video is sought. Arguments and errors as of :func:`geolocate`.

    Returns:
        What rows say, the videos, those that fail already, the run's area where a video needs one, the checkpoint, what guessed areas, and the roads.
    """
    _check_without_checkpoint(checkpoint, settings, aoi, rows)
    table = TableOfVideos(rows, settings)
    infos, failed = open_all(videos, images, settings, rows)
    check_one_video(settings, len(infos) + len(failed))
    run = searched_area(aoi, settings) if aoi else None  # before the checkpoint, where it can be: a bad grid is said at once
    ways = Ways(settings) if settings.roads is not None else None
    if checkpoint == NONE:
        return table, infos, failed, table.area_of_run(run, infos, None), None, None, ways
    guesser = area_guesser(settings, checkpoint, given=run is not None, feedback=feedback, load=(warm or Warm()).cities)
    if guesser is not None and checkpoint == AUTO:
        guesser.guess(infos, table, None, feedback.part(0.0, _GUESS_SHARE))
        checkpoint = str(guesser.checkpoint().path)
    loaded = (warm or Warm()).chosen(checkpoint, settings, feedback)
    if loaded.encoder.local is not None:
        loaded.encoder.local.open()  # where it is not there, that is said once, and not of every video after minutes
    if guesser is not None:
        guesser.guess(infos, table, loaded.encoder, feedback.part(0.0, _GUESS_SHARE))
        infos = give_areas(infos, guesser, table, failed)
    run = table.area_of_run(run, infos, loaded.card.training_extent)
    return table, infos, failed, run, loaded, guesser, ways


def _check_without_checkpoint(
    checkpoint: Loaded | str, settings: GeolocateSettings, aoi: AreaOfInterest | None, rows: Sequence[VideoRow]
) -> None:
    """Raise InputError where no checkpoint is asked for, and nothing else can tell a place."""
    if checkpoint != NONE:
        return
    if settings.roads is None:
        raise InputError("Without a checkpoint a video is placed by its way along roads alone: give --roads, or a --checkpoint.")
    if settings.reference is not None:
        raise InputError("Reference images are read without a checkpoint as it is: leave out --checkpoint none.")
    if settings.keep_scores:
        raise InputError("Scores are kept of pictures, and --checkpoint none looks at none: leave out --keep-scores.")
    if aoi is None and (not rows or any(row.area is None for row in rows)) and settings.guess_area is None:
        raise InputError("Without a checkpoint there is no ground that it knows: draw the area that is searched, with --aoi.")
    if settings.guess_area is not None:
        raise InputError("An area is guessed for a checkpoint that then looks into it: with --checkpoint none give --aoi.")


def _check_output(output: Path | None, settings: GeolocateSettings) -> None:
    if output is not None:
        check_output(output)
    elif settings.keep_scores:
        raise InputError("Scores are kept beside the result: with keep_scores give an output.")


def run_geolocate(
    arguments: GeolocateArguments,
    *,
    feedback: Feedback = Feedback(),
    partial: Callable[[dict[str, Any]], None] | None = None,
    log: Callable[[str, str], None] | None = None,
    warm: Warm | None = None,
) -> dict[str, Any]:
    """What the command line and the worker call: text in, plain JSON values out, other formats written too.

    Raises:
        InputError, CancelledError: as :func:`geolocate`.
    """
    settings: GeolocateSettings = validated(
        GeolocateSettings,
        {name: getattr(arguments, name) for name in GeolocateSettings.model_fields},
    )
    copies = {kind: Path(value) for kind in EXPORTERS if (value := getattr(arguments, kind, None))}
    check_output(Path(arguments.output))
    if arguments.map:
        check_picture_name(Path(arguments.map))
    rows = rows_asked(arguments, settings)
    check_files("geolocate", asdict(arguments), also_read=files_of_rows(rows))
    feedback.tell(0.0, "loading", "reading the area and the checkpoint")
    aoi = load_aoi(arguments.aoi, layer=arguments.aoi_layer, crs=arguments.aoi_crs) if arguments.aoi is not None else None
    output = Path(arguments.output)
    batch = geolocate(
        arguments.videos,
        aoi,
        arguments.checkpoint,
        output,
        settings,
        images=arguments.images,
        rows=rows,
        overwrite=arguments.overwrite,
        anew=arguments.anew,
        feedback=feedback,
        partial=(lambda result: partial(summary_of(result))) if partial else None,
        warm=warm,
    )
    assert batch.output is not None  # it was asked for  # nosec B101
    provenance = read_geopackage(batch.output)[1]
    for kind, path in copies.items():
        EXPORTERS[kind][1](path, batch.results, provenance, overwrite=arguments.overwrite)
    if arguments.map:
        write_map(Path(arguments.map), batch.results, aoi=aoi or (batch.aoi if rows else None), overwrite=arguments.overwrite)
    if arguments.html:
        write_page(Path(arguments.html), batch.results, aoi=batch.aoi, overwrite=arguments.overwrite)
    if log:
        for line in batch.warnings:
            log("warning", line)
        for one in batch.failed:
            log("warning", f"{one.info.name} was left out: {one.why}")
    videos = [summary_of(result) for result in batch.results]
    return {
        "output": str(batch.output),
        "videos": videos,
        "frames": sum(len(result.trajectory.time_s) for result in batch.results),
        "located": sum(video["located"] for video in videos),
        "not_rated": sum(video["not_rated"] for video in videos),
        "mean_confidence": mean_confidence(batch.results),
        "confidence_radius_m": settings.radius_m,
        "gallery_points": batch.gallery_points,
        "checkpoint": str(provenance.checkpoint["name"]),
        "seconds": {part: round(value, 3) for part, value in batch.seconds.items()},
        "resumed": batch.resumed,
        "skipped": [{"name": one.info.name, "reason": one.why} for one in batch.failed],
        "warnings": batch.warnings,
        "table_files": [str(row.path) for row in rows],
        "copies": {kind: str(path) for kind, path in copies.items()}
        | {kind: value for kind in ("map", "html") if (value := getattr(arguments, kind))},
    }
