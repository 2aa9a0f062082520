"""The functions that `import vidtag_engine` gives: paths and plain text are accepted here, and validated here.

Every wrong input raises InputError with one sentence that says what to do.
"""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely
from pydantic import BaseModel

from .evaluation import Report, evaluate_geopackage, evaluate_results
from .feedback import Feedback
from .geolocation import geolocate as geolocate_videos
from .grid import AreaOfInterest, load_aoi
from .guessing import Guesses, LoadedCities, guess_city
from .loaded import Loaded
from .loaded import load as load_checkpoint
from .outputs import check_files
from .results import Geolocation
from .settings import GeolocateSettings, validated, zone_of
from .training import TrainResult, TrainSettings, area_of, recipe
from .training import train as train_on
from .training.sources import pair_sources
from .types import InputError, Track, VideoResult
from .video import VideoRow, files_of_rows, find_videos, read_track, read_video_table, video_rows

if TYPE_CHECKING:
    from geopandas import GeoDataFrame, GeoSeries
    from pandas import DataFrame

__all__ = ["Area", "evaluate", "geolocate", "guess", "load", "train"]

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
"""A path, or several; a folder stands for all videos in it and below."""
AreaLike = AreaOfInterest | str | os.PathLike[str] | Mapping[str, Any] | Sequence[float] | Any
"""A vector file, GeoJSON, WKT, ``minx,miny,maxx,maxy`` (text or four numbers), a shapely geometry or a GeoDataFrame."""


def Area(area: AreaLike, *, layer: str | None = None, crs: str | None = None) -> AreaOfInterest:
    """An area of interest, from whatever says where.

    Args:
        area: a vector file, GeoJSON (text or dict), WKT, ``minx,miny,maxx,maxy`` (text or four numbers), a shapely geometry (x = longitude), or a GeoDataFrame
            or GeoSeries.
        layer: of a file with several.
        crs: the coordinates' system, where the input does not say; without it, EPSG:4326.

    Raises:
        InputError: nothing polygonal, no area, an unknown system, numbers that are no place on the globe.

    >>> Area("13.1,55.6,13.3,55.8").bounds
    (13.1, 55.6, 13.3, 55.8)
    >>> Area(Area((13.1, 55.6, 13.3, 55.8)).geometry).bounds
    (13.1, 55.6, 13.3, 55.8)
    """
    if isinstance(area, AreaOfInterest):
        return area
    if isinstance(area, shapely.Geometry):
        return load_aoi(area.wkt, crs=crs)
    if hasattr(area, "to_crs") and hasattr(area, "geometry"):
        return _of_table(area, crs)
    if isinstance(area, Mapping):
        return load_aoi(dict(area), layer=layer, crs=crs)
    if isinstance(area, str | os.PathLike):
        return load_aoi(os.fspath(area), layer=layer, crs=crs)
    try:
        numbers = [float(number) for number in area]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise InputError(
            f"{area!r} is no area: give a vector file, GeoJSON, WKT, four numbers minx, miny, maxx, maxy, or a shapely geometry."
        )
    return load_aoi(",".join(map(repr, numbers)), crs=crs)


def geolocate(
    videos: Paths = (),
    *,
    aoi: AreaLike | None = None,
    checkpoint: Loaded | str | os.PathLike[str] = "geoclip",
    output: str | os.PathLike[str] | None = None,
    images: Paths = (),
    table: str | os.PathLike[str] | DataFrame | Sequence[Mapping[str, Any]] | None = None,
    overwrite: bool = False,
    feedback: Feedback = Feedback(),
    **settings: Any,
) -> Geolocation:
    """Say where videos were taken, frame by frame, within an area, or anywhere on land.

    Args:
        videos: a video or several; a folder stands for all videos in it and below.
        aoi: where the answer lies in, as for :func:`Area`; None is where the checkpoint was trained, or for a worldwide one the world's land.
        checkpoint: a folder, a file, a Hub id, ``geoclip``, or what :func:`load` gave, which saves loading it again.
        output: GeoPackage to write, after each video; None writes nothing. A run that was broken off goes on where its output ends.
        images: a folder of images that is one sequence, or several.
        table: more videos, with what holds of each alone: a file (CSV, GeoPackage, spreadsheet), a pandas table or a list of dicts, with the columns
            ``file`` and, as they are known, ``start_time``, ``from``, ``to`` (seconds) and ``area`` (a file of polygons). Paths are relative to the
            table's folder, those of a table that is no file to the current one.
        overwrite: replace an existing output that other settings made, or that a person has changed.
        feedback: told how far it is, and may stop it.
        **settings: those of :class:`~vidtag_engine.settings.GeolocateSettings`, such as ``resolution_m=25``.

    Returns:
        The videos' results: ``result.trajectory`` of one video, ``result[0]`` and ``result["drive.mp4"]`` of several, ``result.to_geodataframe()``,
        ``result.save("drive.gpkg")``.

    Raises:
        InputError: bad input; nothing was written.
        CancelledError: stopped; finished videos are in ``output``.

    >>> result = geolocate("resources/demo/drive.mp4", aoi="resources/demo/aoi.geojson", checkpoint="resources/demo/checkpoint", resolution_m=25, to_s=3)
    >>> len(result.trajectory.lat_deg)
    3
    >>> result.trajectory.state[0].value
    'located'
    """
    chosen = _settings(GeolocateSettings, settings)
    files, folders, read = _files(videos, "video"), _paths(images, "folder of images"), _checkpoint(checkpoint)
    place = None if output is None else _path(output, "output")
    rows = _rows(table, zone_of(chosen.time_zone))
    inputs = {"videos": [*files, *files_of_rows(rows)], "images": folders, "aoi": aoi, "checkpoint": read}
    if isinstance(table, str | os.PathLike):
        inputs["table"] = table
    _check_files("geolocate", {**inputs, "output": place, "overwrite": overwrite})
    return geolocate_videos(
        files,
        None if aoi is None else Area(aoi),
        read,
        place,
        chosen,
        images=folders,
        rows=rows,
        overwrite=overwrite,
        feedback=feedback,
    )


def evaluate(
    result: Geolocation | Sequence[VideoResult] | str | os.PathLike[str],
    truth: Track | str | os.PathLike[str] | Mapping[str, Track | str | os.PathLike[str]],
    *,
    video: str | None = None,
    answer: str = "auto",
    truth_offset_s: float | str | None = None,
    feedback: Feedback = Feedback(),
) -> Report:
    """Compare a result with the truth: the paper's metrics (App. E), and how honest its chances are.

    Args:
        result: what :func:`geolocate` gave, or the GeoPackage that it wrote.
        truth: a track's file (GPX, CSV, KML, SRT, GeoJSON), a folder of images with EXIF positions, a video with its own track, or one for each video's name.
        video: name of the one to compare, where the result holds several.
        answer: of a GeoPackage: ``auto`` (of each video the one solved with pins, where there is one), ``model`` or ``pinned``.
        truth_offset_s: added to the truth's clock; ``auto`` for what the picture's motion says, where that is sure.
        feedback: asked to stop while videos are looked at.

    Raises:
        InputError: nothing can be compared, and why.
    """
    known = {name: _track(one) for name, one in truth.items()} if isinstance(truth, Mapping) else _track(truth)
    if isinstance(result, str | os.PathLike):
        path = _path(result, "result")
        return evaluate_geopackage(
            path, known, video=video, answer=answer, truth_offset_s=truth_offset_s, videos=_beside(truth), feedback=feedback
        )
    given = list(result) if isinstance(result, Sequence) else []
    results = [one for one in given if isinstance(one, VideoResult)]
    if not results or len(results) < len(given):
        raise InputError(f"{_short(result)} is no result to compare: give what geolocate() gave, or the GeoPackage that it wrote.")
    places = [*(one.info.path for one in results if one.info.path.exists()), *_beside(truth)]
    return evaluate_results(results, known, video=video, truth_offset_s=truth_offset_s, videos=places, feedback=feedback)


def load(checkpoint: str | os.PathLike[str], device: str = "auto", feedback: Feedback = Feedback()) -> Loaded:
    """Load a checkpoint once, for several calls of :func:`geolocate`.

    Args:
        checkpoint: a folder, a file, a Hub id, or ``geoclip``.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        feedback: told where weights have to be fetched first, which may take minutes.

    Raises:
        InputError: the checkpoint or the backbones' weights cannot be had; the sentence says what to do.
    """
    read = _checkpoint(checkpoint)
    return read if isinstance(read, Loaded) else load_checkpoint(read, device, feedback)


def guess(
    videos: Paths = (),
    *,
    checkpoint: LoadedCities | str | os.PathLike[str],
    images: Paths = (),
    feedback: Feedback = Feedback(),
    **settings: Any,
) -> Guesses:
    """Say which of the cities that a checkpoint knows videos were taken in, and its state, country and continent; or that it is none of them.

    Args:
        videos: a video or several; a folder stands for all videos in it and below.
        checkpoint: a folder, a file or a Hub id of what ``vidtag train-city`` wrote, or what ``vidtag_engine.guessing.load_cities`` gave.
        images: a folder of images that is one sequence, or several.
        feedback: told how far it is, and may stop it.
        **settings: ``from_s``, ``to_s``, ``device`` and ``batch_size`` of :class:`~vidtag_engine.settings.GeolocateSettings`.

    Returns:
        ``guesses.videos[0].guess.places(0)`` for a video's likeliest cities, ``guesses.save("places.gpkg")`` for polygons.

    Raises:
        InputError: bad input.
        CancelledError: stopped.

    >>> found = guess("resources/demo/drive.mp4", checkpoint="resources/demo/cities", to_s=3)
    >>> found.videos[0].guess.places(0)[0].names[0]
    'Sandy Island'
    """
    _known(settings, ("from_s", "to_s", "device", "batch_size"))
    chosen = validated(GeolocateSettings, settings)
    if not isinstance(checkpoint, LoadedCities | str | os.PathLike):
        raise InputError(f"{_short(checkpoint)} is no checkpoint: give a folder, a file or a Hub id that 'vidtag train-city' wrote.")
    read = checkpoint if isinstance(checkpoint, LoadedCities) else os.fspath(checkpoint)
    return guess_city(_files(videos, "video"), read, images=_paths(images, "folder of images"), settings=chosen, feedback=feedback)


def train(
    videos: Paths = (),
    truths: Paths = (),
    *,
    output: str | os.PathLike[str],
    aoi: AreaLike | None = None,
    images: Paths = (),
    validation: Paths = (),
    overwrite: bool = False,
    truth_offset_s: float | str | None = None,
    feedback: Feedback = Feedback(),
    **settings: Any,
) -> TrainResult:
    """Train a checkpoint for an area on videos whose way is known; broken off, the same call goes on where it stopped.

    Args:
        videos: with tracks of their own, embedded, beside them under their names, or in ``truths``; a folder stands for all videos in it and below.
        truths: a track for each video, in their order, or folders of tracks named as the videos.
        output: folder of the checkpoint.
        aoi: that it is for, as for :func:`Area`; None is where the tracks lead, and a margin about them.
        images: folders of images with EXIF positions.
        validation: held-out videos, to choose the step and calibrate on; without them a part of ``videos`` is held out.
        overwrite: write into ``output`` also where files of a checkpoint's names there are not this tool's own.
        truth_offset_s: added to the truths' clocks; ``auto`` for what each video's motion says, where that is sure.
        feedback: told how far it is, and may stop it.
        **settings: those of :class:`~vidtag_engine.training.TrainSettings`, such as ``resolution_m=10``, over the ``recipe`` (``recipe="default"``).

    Raises:
        InputError: bad videos, tracks, area or settings.
        CancelledError: stopped; the state is saved.
    """
    name = settings.pop("recipe", "default")
    _known(settings, {*TrainSettings.model_fields, "phase1_steps", "phase2_steps"})
    chosen = recipe(name, **settings)
    given = _paths(videos, "video"), _paths(truths, "track"), _paths(images, "folder of images")
    held_out, place = _paths(validation, "video"), _path(output, "output")
    sources = pair_sources(*given)
    read = {**dict(zip(("videos", "truths", "images"), given, strict=True)), "validation": held_out, "aoi": aoi}
    _check_files("train", {**read, "output": place, "overwrite": overwrite})
    return train_on(
        sources,
        Area(aoi) if aoi is not None else area_of(sources),
        place,
        chosen,
        validation_sources=pair_sources(held_out, held_out) if held_out else [],
        truth_offset_s=truth_offset_s,
        overwrite=overwrite,
        feedback=feedback,
    )


def _of_table(table: GeoDataFrame | GeoSeries, crs: str | None) -> AreaOfInterest:
    """Of a geopandas table: its own system goes before ``crs``."""
    system = table.crs.to_wkt() if table.crs is not None else crs
    return load_aoi(shapely.union_all(table.geometry.to_numpy()).wkt, crs=system)


def _settings(model: type[BaseModel], given: dict[str, Any]) -> Any:
    _known(given, model.model_fields)
    return validated(model, given)


def _known(given: Mapping[str, Any], names: Any) -> None:
    """Raise InputError for a setting that there is not, with the nearest name that there is."""
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, list(names), 1)
            more = f": did you mean {near[0]!r}?" if near else f"; there are {', '.join(sorted(names))}."
            raise InputError(f"There is no setting {name!r}{more}")


def _path(given: Any, what: str) -> Path:
    try:
        text = os.fspath(given)
    except TypeError:
        text = None
    if not isinstance(text, str) or not text or "\0" in text:
        raise InputError(f"{_short(given)} is no path: give the {what} as text or as a path.")
    return Path(text).expanduser()


def _paths(given: Any, what: str) -> list[Path]:
    """One path, or several."""
    if isinstance(given, str | os.PathLike):
        return [_path(given, what)]
    if not isinstance(given, Sequence) and not hasattr(given, "__iter__"):
        raise InputError(f"{_short(given)} is no path: give a {what} as text or as a path, or several in a list.")
    return [_path(one, what) for one in given]


def _rows(given: Any, zone: tzinfo) -> list[VideoRow]:
    """A table of videos: a file, or rows."""
    if given is None:
        return []
    if isinstance(given, str | os.PathLike):
        return read_video_table(_path(given, "table of videos"), zone)
    records = given.to_dict("records") if hasattr(given, "to_dict") else given
    if not isinstance(records, Sequence) or not all(isinstance(one, Mapping) for one in records):
        raise InputError(
            f"{_short(given)} is no table of videos: give a file, a pandas table, or a list of dicts with 'file' and what else is known."
        )
    return video_rows(records, Path(), "the table", zone)


def _files(given: Any, what: str) -> list[Path]:
    """As :func:`_paths`, with every folder's videos in its place."""
    files: list[Path] = []
    for path in _paths(given, what):
        files += find_videos(path, recursive=True) if path.is_dir() else [path]
    return files


def _check_files(command: str, arguments: dict[str, Any]) -> None:
    """Refuse what would take the place of an input, or of what is not this tool's own; an area that is no path or text is no file."""

    def text(value: Any) -> Any:
        return [str(one) for one in value] if isinstance(value, list) else str(value) if isinstance(value, os.PathLike) else value

    plain = {name: text(value) for name, value in arguments.items() if isinstance(value, str | os.PathLike | list | bool)}
    check_files(command, plain)


def _checkpoint(given: Any) -> Loaded | str:
    if isinstance(given, Loaded):
        return given
    if isinstance(given, str | os.PathLike):
        return os.fspath(given)
    raise InputError(f"{_short(given)} is no checkpoint: give a folder, a file, a Hub id, 'geoclip', or what load() gave.")


def _track(given: Any) -> Track:
    return given if isinstance(given, Track) else read_track(_path(given, "truth"))


def _beside(truth: Any) -> list[Path]:
    """Where a result's videos may lie: beside the truth."""
    path = Path(truth) if isinstance(truth, str | os.PathLike) else None
    return [path, path.parent] if path is not None else []


def _short(given: Any) -> str:
    text = repr(given)
    return text if len(text) <= 60 else f"{text[:57]}..."
