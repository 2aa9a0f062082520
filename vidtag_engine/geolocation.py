"""From videos and an area to trajectories: the one place that ties the way together.

video -> frames -> embeddings -> candidates -> trajectory -> layers (paper Sec. 3 and Fig. 5): Phase I retrieval, GeoRefiner, Phase II retrieval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .batch import check_output, default_cache_folder, mean_of_summaries, summary_of, warnings_of_area
from .clustered import check_clustered, clustered
from .command_arguments import GeolocateArguments
from .export import EXPORTERS, check_picture_name, write_map, write_page
from .feedback import Feedback
from .grid import AreaOfInterest, load_aoi
from .guessed_areas import GUESSED
from .keeping import BatchSettings, keeper_of
from .loaded import Loaded, load, provenance_of
from .outputs import check_files
from .own_areas import rows_asked
from .results import Geolocation
from .settings import GeolocateSettings, validated
from .store import shard_of
from .types import InputError, VideoError, VideoResult
from .video import VideoRow, files_of_rows
from .warm import Warm
from .work import GUESS_SHARE, Told, Work, begin

__all__ = ["Loaded", "geolocate", "load", "run_geolocate"]


def geolocate(
    videos: Sequence[Path | str],
    aoi: AreaOfInterest | None,
    checkpoint: Loaded | str,
    output: Path | None = None,
    settings: GeolocateSettings | None = None,
    *,
    images: Sequence[Path | str] = (),
    rows: Sequence[VideoRow] = (),
    batch: BatchSettings | None = None,
    overwrite: bool = False,
    anew: bool = False,
    cache_dir: Path | None = None,
    feedback: Feedback = Feedback(),
    partial: Callable[[VideoResult], None] | None = None,
    warm: Warm | None = None,
) -> Geolocation:
    """Geolocate videos over an area and write the canonical GeoPackage.

    Several videos have a store beside the file, a folder with a file a video: what is finished is there whatever happens, and the GeoPackage is a merge of it,
    made after the first video, every few minutes, and at the end. The same call goes on from there. A video that fails, for whatever reason, is a row of
    ``videos`` that says why. A file that a person edits meanwhile is not replaced: a sibling is written.

    Args:
        videos, images: video files, and folders of images each of which is one sequence.
        rows: of a table of videos, each with what holds of that one alone: see :func:`.video.read_video_table`.
        aoi: area that the answer lies in, but for videos whose row names another; None is the extent that the checkpoint was trained on, or the world's
            land for a worldwide one.
        checkpoint: loaded, or what :func:`load` takes.
        output: path of the GeoPackage; None writes no file, or the store alone.
        settings: defaults where None.
        batch: where the store is, and which of the videos fall to this process.
        overwrite: replace an existing output that other settings made, or that a person has changed; without it that is refused.
        anew: replace an existing result whatever settings made it, unless a person has changed it.
        cache_dir: for gallery embeddings; None is the user's cache folder.
        feedback: of the whole run.
        partial: called with each finished, saved video.
        warm: what earlier calls in this process have left, and this one leaves.

    Raises:
        InputError: bad input; nothing was written.
        CancelledError: stopped; finished videos are kept.
    """
    settings, batch = settings or validated(GeolocateSettings, {}), batch or BatchSettings()
    _check_output(output, settings)
    here = settings
    if batch.cluster is not None:
        check_clustered(checkpoint, settings)
        here = settings.model_copy(update={"device": "cpu"})  # nothing is looked at here, whatever devices the workers have
    run = begin(videos, images, rows, aoi, checkpoint, here, feedback, warm)
    if run.guesser is not None:
        feedback = feedback.part(GUESS_SHARE, 1.0)
    feedback = feedback.saying("Stopped; finished videos are kept, and the same command goes on from there.")
    ways, guesser = run.ways, run.guesser
    provenance = provenance_of(
        settings, run.loaded, run.table.grids(run.area)[0], guesser.digest if guesser else None, ways.digest if ways else None
    )
    keeper = keeper_of(run.table, run.area, run.inputs, provenance, output, batch, overwrite=overwrite, anew=anew or overwrite,
                       keep_scores=settings.keep_scores, feedback=feedback)  # fmt: skip
    told = Told(partial)
    work = Work(run, keeper, settings, cache_dir or default_cache_folder(), feedback, warm, told)
    mine = batch.share(run.inputs)
    try:
        if batch.cluster is not None:
            clustered(work, mine, batch.cluster, str(checkpoint))
        else:
            work.serially(mine)
    except BaseException:
        with suppress(Exception):  # why the run ends matters more than why its file cannot be written
            keeper.close()
        raise
    place = keeper.close()
    found = Geolocation(
        keeper.results, keeper.provenance, keeper.aoi, sum(grid.count for grid in run.table.grids(run.area)), place, keeper.failed, keeper.resumed,
        work.clock.seconds, summaries=keeper.summaries(), store=keeper.folder,
    )  # fmt: skip
    extent = run.loaded.card.training_extent if run.loaded else None
    found.warnings = [
        *keeper.notes,
        *keeper.aoi.notes,
        *([GUESSED] if guesser and run.table.searched(None) else ()),
        *work.notes,
        *([] if told.unknown_ground else warnings_of_area(keeper.aoi.bounds, extent)),
        *told.warnings,
    ]
    worker = output is None and batch.results is not None  # one of several: what it found is looked at when all are done
    if not len(found) and keeper.failed and not worker:
        raise VideoError(keeper.failed[0].why)  # every video that could be opened has a result, or is one of these
    feedback.tell(1.0, "done", place.name if place else "")
    return found


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
    batch = _batch_of(arguments)
    if arguments.output is not None:
        check_output(Path(arguments.output))
    elif copies or arguments.map or arguments.html:
        raise InputError("Copies are made of the whole result: give --output, or make them with 'vidtag export' after 'vidtag merge'.")
    if arguments.map:
        check_picture_name(Path(arguments.map))
    rows = rows_asked(arguments, settings)
    check_files("geolocate", asdict(arguments), also_read=files_of_rows(rows))
    feedback.tell(0.0, "loading", "reading the area and the checkpoint")
    aoi = load_aoi(arguments.aoi, layer=arguments.aoi_layer, crs=arguments.aoi_crs) if arguments.aoi is not None else None
    output = Path(arguments.output) if arguments.output is not None else None
    found = geolocate(
        arguments.videos,
        aoi,
        arguments.checkpoint,
        output,
        settings,
        images=arguments.images,
        rows=rows,
        batch=batch,
        overwrite=arguments.overwrite,
        anew=arguments.anew,
        feedback=feedback,
        partial=(lambda result: partial(summary_of(result))) if partial else None,
        warm=warm,
    )
    for kind, path in copies.items():
        EXPORTERS[kind][1](path, found.results, found.provenance, overwrite=arguments.overwrite)
    if arguments.map:
        write_map(Path(arguments.map), found.results, aoi=aoi or (found.aoi if rows else None), overwrite=arguments.overwrite)
    if arguments.html:
        write_page(Path(arguments.html), found.results, aoi=found.aoi, overwrite=arguments.overwrite)
    if log:
        for line in found.warnings:
            log("warning", line)
        for one in found.failed:
            log("warning", f"{one.info.name} was left out: {one.why}")
    return {
        "output": str(found.output) if found.output else None,
        "results": str(found.store) if found.store else None,
        "videos": found.summaries,
        "frames": sum(video["frames"] for video in found.summaries),
        "located": sum(video["located"] for video in found.summaries),
        "not_rated": sum(video["not_rated"] for video in found.summaries),
        "mean_confidence": mean_of_summaries(found.summaries),
        "confidence_radius_m": settings.radius_m,
        "gallery_points": found.gallery_points,
        "checkpoint": str(found.provenance.checkpoint["name"]),
        "seconds": {part: round(value, 3) for part, value in found.seconds.items()},
        "resumed": found.resumed,
        "skipped": [{"name": one.info.name, "reason": one.why} for one in found.failed],
        "warnings": found.warnings,
        "table_files": [str(row.path) for row in rows],
        "copies": {kind: str(path) for kind, path in copies.items()}
        | {kind: value for kind in ("map", "html") if (value := getattr(arguments, kind))},
    }


def _batch_of(arguments: GeolocateArguments) -> BatchSettings:
    """Where the results of a batch are kept. Raises InputError where that does not fit the other arguments."""
    shard = shard_of(arguments.shard) if arguments.shard is not None else None
    if arguments.output is None and arguments.results is None:
        raise InputError("Nothing says where the result goes: give --output, or --results of a batch.")
    if shard is not None and arguments.results is None:
        raise InputError("A share of the videos is worked on beside others: give --results, the folder that all of them write to.")
    if shard is not None and arguments.output is not None:
        raise InputError("A share of the videos makes no GeoPackage: leave out --output, and run 'vidtag merge' when all are done.")
    if shard is not None and arguments.overwrite:
        raise InputError(
            "With --shard one worker would remove what others have done: empty the results with 'vidtag caches clear', or choose others."
        )
    results = Path(arguments.results) if arguments.results is not None else None
    return BatchSettings(results, shard, arguments.retry_failed, arguments.cluster)
