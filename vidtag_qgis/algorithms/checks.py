"""What is checked before an algorithm runs. Each check returns the sentence to show, or None."""

from __future__ import annotations

import json
import os
import pathlib
import re
import sqlite3
from contextlib import closing
from typing import Any, Iterable, Optional

from qgis.core import QgsProcessing, QgsProcessingOutputLayerDefinition, QgsProcessingUtils, QgsProperty

from ..frames import newer_schema
from ..translation import mark, tr

MAX_WRITTEN_POINTS = 10_000_000
"""About a gigabyte as a layer; more is counted, but not for looking at."""
WORLDWIDE = "geoclip"
CITY_FOLDER = mark("give a folder that train-city wrote, on the command line")
NO_CHECKPOINT = "none"
"""By the way along roads alone."""
CITIES = "cityguessr"
"""The preset, in its card, of a checkpoint that tells cities."""
MOTIONS = ("walk", "bicycle", "car", "drone")
MOST_KMH = 1200.0
"""What the engine takes as a top speed (see its settings)."""
DATABASE = "database.json"
"""What a folder with a database of reference images holds."""
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w./-]+)?\Z")
_PICKLES = (".pt", ".pth", ".ckpt", ".bin", ".pkl")
_DATABASE = re.compile(r"dbname='?([^'\s]+(?:[^']*[^'\s])?)'?\s+table=(?:\"([^\"]+)\"|(\S+))")


def check_videos(videos: list[str], folder: str, images: str, *, others: bool = False) -> Optional[str]:
    """At least one input, unless there are ``others``, and each of them there and readable."""
    if not videos and not folder and not images and not others:
        return tr("Give at least one video, a folder of videos or a folder of images.")
    for video in videos:
        if os.path.isdir(video):
            return tr("{video} is a folder: give it as the folder of videos.", video=video)
        if not os.path.isfile(video):
            return tr("The video {video} is not there: correct its path or take it off the list.", video=video)
        if not os.access(video, os.R_OK):
            return tr("The video {video} cannot be read: change its permissions or take it off the list.", video=video)
        if os.path.getsize(video) == 0:
            return tr("The video {video} is empty: copy it again or take it off the list.", video=video)
    return check_folder(folder, tr("folder of videos")) or check_folder(images, tr("folder of images"))


def check_checkpoint(checkpoint: str, folder: str = mark("choose the folder that 'Train for an area' has written")) -> Optional[str]:  # noqa: PLR0911
    """The worldwide model, a Hub id, or a checkpoint that is there and looks like one; ``folder`` says what else to give in the place of a folder."""
    if checkpoint == WORLDWIDE:
        return None
    if os.path.isdir(checkpoint):
        lacking = [name for name in ("config.json", "model.safetensors") if not os.path.isfile(os.path.join(checkpoint, name))]
        if lacking:
            return tr(
                "The checkpoint folder {checkpoint} has no {lacking}: {folder}.",
                checkpoint=checkpoint,
                lacking=lacking[0],
                folder=tr(folder),
            )
        return None
    if checkpoint.lower().endswith(_PICKLES):
        return tr(
            "The checkpoint {checkpoint} can carry programs and is not opened: give a .safetensors file or a checkpoint folder.",
            checkpoint=checkpoint,
        )
    if os.path.isfile(checkpoint):
        return (
            None
            if checkpoint.lower().endswith(".safetensors")
            else tr("The checkpoint {checkpoint} is not a .safetensors file: choose another.", checkpoint=checkpoint)
        )
    if _HUB_ID.match(checkpoint):
        return None
    return tr(
        "The checkpoint {checkpoint} is not there: give a checkpoint folder, a .safetensors file, a Hub id or geoclip.",
        checkpoint=checkpoint,
    )


def check_ways(
    *, roads: bool, track: str, without_checkpoint: bool, together: bool, motion: Optional[str], videos: Optional[int] = None
) -> Optional[str]:
    """What the shape of a video's way is compared with, and how.

    Args:
        roads: whether some are given.
        track: the motion track's file; empty for none.
        without_checkpoint: whether roads alone are to tell.
        together: whether all frames of a video are located together.
        motion: the top speed as it is given.
        videos: how many are given; None where that is not known yet.
    """
    if not roads:
        if without_checkpoint:
            return tr(
                "Without a checkpoint a video is located by its way along roads alone: give a layer under 'Roads', or choose a checkpoint."
            )
        return tr("A motion track is compared with roads: give a layer under 'Roads', or leave the motion track empty.") if track else None
    if not together:
        return tr(
            "A way along roads has a shape where frames are located together: choose that under 'Frames are located', or leave out the roads."
        )
    if motion is not None and motion.lower() == "drone":
        return tr("A drone does not follow roads: leave out the roads, or choose another top speed.")
    if track and videos is not None and videos > 1:
        return tr(
            "The motion track is of one video, and {videos} are given: give that one alone, or leave the motion track empty.", videos=videos
        )
    return check_files([track], tr("motion track")) if track else None


def check_city_checkpoint(checkpoint: str) -> Optional[str]:
    """A checkpoint of cities that is there; of a single file and of a Hub's the engine says whether it is one of cities."""
    wanted = tr(CITY_FOLDER)
    if checkpoint == WORLDWIDE:
        return tr("{checkpoint} tells places and no cities: {wanted}.", checkpoint=WORLDWIDE, wanted=wanted)
    if (problem := check_checkpoint(checkpoint, CITY_FOLDER)) or not os.path.isdir(checkpoint):
        return problem
    try:
        with open(os.path.join(checkpoint, "config.json"), encoding="utf-8") as card:
            preset = json.load(card).get("preset")
    except (OSError, ValueError, AttributeError):
        return tr("The card config.json in {checkpoint} cannot be read: {wanted}.", checkpoint=checkpoint, wanted=wanted)
    return (
        None
        if preset == CITIES
        else tr(
            "The checkpoint {checkpoint} is one for 'Geolocate video' and tells no cities: {wanted}.", checkpoint=checkpoint, wanted=wanted
        )
    )


def check_reference(path: str) -> Optional[str]:
    """A database of reference images; an empty path is fine."""
    if not path or os.path.isfile(os.path.join(path, DATABASE)):
        return None
    if not os.path.isdir(path):
        return tr("The reference images {path} are not there: give the folder that 'Build reference database' wrote.", path=path)
    return tr("The folder {path} holds no reference images: give the one that 'Build reference database' wrote.", path=path)


def check_database_folder(path: str) -> Optional[str]:
    """A database goes into a folder of its own, or one that holds a database, or where one was begun; what begins with a dot does not count."""
    held = [name for name in os.listdir(path) if not name.startswith(".")] if os.path.isdir(path) else []
    if not held or DATABASE in held or "building" in held:
        return None
    return tr(
        "The folder {path} holds other files ({other}): choose a new or an empty one for the database.", path=path, other=sorted(held)[0]
    )


def check_homes(lines: Iterable[str]) -> Optional[str]:
    """Home zones are latitude, longitude and metres."""
    for line in lines:
        try:
            lat_deg, lon_deg, radius_m = map(float, line.split(","))
            fits = abs(lat_deg) <= 90.0 and abs(lon_deg) <= 180.0 and 0.0 < radius_m < 1e6
        except ValueError:
            fits = False
        if not fits:
            return tr("{line!r} is no home zone: give latitude, longitude and metres, such as 55.7047,13.1910,300, one a line.", line=line)
    return None


def check_lasting(output: str, what: str) -> Optional[str]:
    """A folder that hours of work go to, and that stays when QGIS is closed; ``what`` it is to hold."""
    temporary = os.path.realpath(QgsProcessingUtils.tempFolder())
    if not output or output == QgsProcessing.TEMPORARY_OUTPUT:
        return tr("Where shall the {what} go? Choose a folder for it: a temporary one would be lost when QGIS is closed.", what=what)
    if os.path.realpath(output).startswith(temporary + os.sep):
        return tr(
            "The {what} folder {output} is a temporary one, which is lost when QGIS is closed: choose another.", what=what, output=output
        )
    if os.path.isfile(output):
        return tr("The output {output} is a file: give a folder for the {what}.", output=output, what=what)
    return None


def check_result(path: str) -> Optional[str]:
    """A GeoPackage that "Geolocate video" wrote."""
    if not os.path.isfile(path):
        return tr("The result {path} is not there: give the GeoPackage that 'Geolocate video' wrote.", path=path)
    wanted = ("videos", "frames", "gpkg_metadata")
    try:
        tables = _tables(path)
    except sqlite3.OperationalError as error:
        return tr("The result {path} cannot be read ({error}): close it elsewhere, or give another.", path=path, error=error)
    except sqlite3.Error:
        return tr("The result {path} is no GeoPackage: give the one that 'Geolocate video' wrote.", path=path)
    if not tables.issuperset(wanted):
        return tr(
            "The GeoPackage {path} is no result of 'Geolocate video': it has no layer {layer}.",
            path=path,
            layer=next(n for n in wanted if n not in tables),
        )
    return newer_schema(path)


def check_answer(path: str, answer: str) -> Optional[str]:
    """The pinned answer is there where it is asked for; the result was checked before."""
    if answer != "pinned" or "frames_pinned" in _tables(path):
        return None
    return tr(
        "The result {path} has no pinned answer: run 'Solve with pins' and give the result that it writes, or choose another answer.",
        path=path,
    )


def check_scores(path: str) -> Optional[str]:
    """A result whose scores were kept beside it."""
    folder = os.path.splitext(path)[0] + ".scores"
    if os.path.isdir(folder) and any(name.endswith(".safetensors") for name in os.listdir(folder)):
        return None
    return tr(
        "The result {path} has no scores beside it, in {folder}: run 'Geolocate video' again with 'Keep scores for pins', or give the "
        "result that this one was copied from.",
        path=path,
        folder=folder,
    )


def _tables(path: str) -> set[str]:
    """Names of a GeoPackage's tables. Raises sqlite3.Error where it cannot be read."""
    with closing(sqlite3.connect(f"{pathlib.Path(path).resolve().as_uri()}?mode=ro", uri=True)) as database:
        return {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def check_geopackage_name(path: Optional[str]) -> Optional[str]:
    """A result to write ends in .gpkg; None (temporary) is fine."""
    if path and not path.lower().endswith(".gpkg"):
        return tr("The result {path} must end in .gpkg: it is a GeoPackage. Other formats are outputs of their own.", path=path)
    return None


def check_files(paths: Iterable[str], what: str) -> Optional[str]:
    """Input files are there and can be read."""
    for path in paths:
        if not os.path.isfile(path):
            return tr("The {what} {path} is not there: correct its path or take it off the list.", what=what, path=path)
        if not os.access(path, os.R_OK) or os.path.getsize(path) == 0:
            return tr("The {what} {path} is empty or cannot be read: give another.", what=what, path=path)
    return None


def check_folder(path: str, what: str) -> Optional[str]:
    """An input folder is there and holds something; an empty path is fine."""
    if path and not os.path.isdir(path):
        return tr("The {what} {path} is not there: correct its path or leave it empty.", what=what, path=path)
    return tr("The {what} {path} is empty: choose another.", what=what, path=path) if path and not os.listdir(path) else None


def check_destinations(destinations: dict[str, Any]) -> Optional[str]:
    """No two outputs in one file: QGIS and the engine would overwrite one with the other and say nothing."""
    seen: dict[tuple[str, str], str] = {}
    for label, value in destinations.items():
        target = target_of(value)
        if target is None:
            continue
        path, table = target
        for (other_path, other_table), other in seen.items():
            # Tables of one database are told apart by name, but the engine writes its own file anew as a whole.
            if other_path == path and not (table and other_table and table != other_table):
                return tr(
                    "{other} and {label} go to the same file, {path}: one would overwrite the other. Give each a file of its own.",
                    other=other,
                    label=label,
                    path=path,
                )
        seen[path, table] = label
    return None


def check_inputs_stay(inputs: dict[str, str], outputs: dict[str, Any]) -> Optional[str]:
    """No output takes the place of an input's file, nor of another output; inputs may share a file."""
    problems = (check_destinations({label: path, **outputs}) for label, path in inputs.items() if path)
    return next(filter(None, problems), None)


def check_truth_offset(text: Optional[str]) -> Optional[str]:
    """An offset is a number of seconds, or auto."""
    if text is None or text.lower() == "auto":
        return None
    try:
        fits = abs(float(text)) <= 86400.0  # a day; not a number compares as False
    except ValueError:
        fits = False
    return (
        None
        if fits
        else tr("The truth offset {text!r} is not a number of seconds up to a day: give one such as 2.5 or -2.5, or auto.", text=text)
    )


def check_motion(text: Optional[str]) -> Optional[str]:
    """A top speed is one of the names, or km/h."""
    if text is None or text.lower() in MOTIONS:
        return None
    try:
        fits = 0.0 < float(text) <= MOST_KMH
    except ValueError:
        fits = False
    return (
        None
        if fits
        else tr(
            "The top speed {text!r} is none: give {names}, or a number in km/h up to {most:g}.",
            text=text,
            names=", ".join(MOTIONS),
            most=MOST_KMH,
        )
    )


def check_folders(paths: Iterable[str]) -> Optional[str]:
    """The folder of every output is there or can be made, and can be written to."""
    for path in paths:
        folder = os.path.dirname(os.path.abspath(path))
        if os.path.isdir(path):
            return tr("The output {path} is a folder: give the path of a file.", path=path)
        while not os.path.exists(folder) and os.path.dirname(folder) != folder:
            folder = os.path.dirname(folder)
        if not os.path.isdir(folder) or not os.access(folder, os.W_OK):
            return tr(
                "The output {path} cannot be written: {folder} is no folder that you may write to. Choose another.",
                path=path,
                folder=folder,
            )
    return None


def is_asked(value: Any) -> bool:
    """Whether an output is asked for. QGIS's batch panel gives a definition without a path for a cell that is left empty."""
    if isinstance(value, QgsProcessingOutputLayerDefinition):
        value = value.sink
    if isinstance(value, QgsProperty):
        value = value.staticValue() if value.propertyType() == QgsProperty.Type.StaticProperty else True
    return value not in (None, "")


def target_of(value: Any) -> Optional[tuple[str, str]]:
    """File and table that an output's value names; None where it is temporary or left out."""
    if isinstance(value, QgsProcessingOutputLayerDefinition):
        value = value.sink
    if isinstance(value, QgsProperty):
        value = value.staticValue()
    if not isinstance(value, str) or not value.strip() or value == QgsProcessing.TEMPORARY_OUTPUT or value.startswith("memory:"):
        return None
    text, table = value.strip(), ""
    if text.startswith(("ogr:", "postgis:", "spatialite:", "postgres:")):
        match = _DATABASE.search(text)
        if match is None:
            return text, ""
        text, table = match[1], match[2] or match[3]
    return os.path.normcase(os.path.realpath(text)), table
