"""The engine's sentences in a dialog's words: it names options of the command line, which nobody sees in QGIS."""

from __future__ import annotations

import re
from typing import Mapping, Optional

from .translation import mark, tr, translated

_PARAMETERS = {
    "overwrite": ("OVERWRITE",), "aoi": ("AOI",), "checkpoint": ("CHECKPOINT",), "resolution-m": ("RESOLUTION",), "fps": ("RATE",), "from": ("FROM",),
    "to": ("TO",), "start-time": ("START_TIME",), "time-zone": ("TIME_ZONE",), "images": ("IMAGES",), "video": ("VIDEOS", "VIDEO"),
    "videos": ("VIDEOS", "VIDEO"), "truth": ("TRUTH_FILE", "TRACKS"), "keep-scores": ("KEEP_SCORES",), "decoder": ("DECODER",), "device": ("DEVICE",),
    "batch-size": ("BATCH_SIZE",), "seed": ("SEED",), "grid": ("GRID",), "exhaustive": ("EXHAUSTIVE",), "bands": ("BANDS",), "crs": ("OUTPUT_CRS",),
    "cell-m": ("CELL",), "confidence-radius-m": ("CONFIDENCE_RADIUS",), "always-answer": ("ALWAYS_ANSWER",), "answer": ("ANSWER",),
    "continuous": ("CONTINUOUS",), "encode-all": ("ENCODE_ALL",), "output": ("OUTPUT",), "kml": ("KML",), "gpx": ("GPX",), "geojson": ("GEOJSON",),
    "csv": ("CSV",), "map": ("MAP",), "frames": ("FRAMES",), "least-confidence": ("LEAST_CONFIDENCE",), "quality": ("QUALITY",), "preset": ("PRESET",),
    "recipe": ("RECIPE",), "sigma": ("SIGMA",), "augment": ("AUGMENT",), "views": ("VIEWS",), "validation": ("VALIDATION",), "pins": ("PINS",),
    "phase1-steps": ("PHASE1_STEPS",), "phase2-steps": ("PHASE2_STEPS",), "html": ("REPORT",), "json": ("JSON",), "errors": ("ERRORS",), "png": ("PNG",),
    "roads": ("ROADS",), "roads-layer": ("ROADS",), "roads-crs": ("ROADS",), "motion-track": ("MOTION_TRACK",),
    "result": ("RESULT",), "motion": ("MOTION",), "table": ("TABLE",),
    "guess-area": ("GUESS_AREA",), "reference": ("REFERENCE",), "share-places": ("SHARE_PLACES",), "source": ("SOURCE",), "address": ("ADDRESS",),
    "yes-query": ("YES_QUERY",), "yes-download-mb": ("YES_DOWNLOAD_MB",), "home": ("HOMES",), "spot-m": ("SPOT",), "per-sequence": ("PER_SEQUENCE",),
    "oldest-years": ("OLDEST_YEARS",), "mixed-licences": ("MIXED_LICENCES",), "local-features": ("LOCAL_FEATURES",),
    "width-px": ("WIDTH_PX",), "width": ("WIDTH",), "every-m": ("EVERY",), "retry-failed": ("RETRY_FAILED",),
}  # fmt: skip
"""The parameters of the dialogs by the options that they stand for; the first that a dialog has is the one."""
_ALGORITHMS = {
    "geolocate": mark("Geolocate video"), "gallery": mark("Gallery grid"), "heatmap": mark("Similarity heat map"), "evaluate": mark("Evaluate trajectory"),
    "export": mark("Export trajectory"), "solve": mark("Solve with pins"), "match": mark("Match roads"), "train": mark("Train for an area"),
    "guess": mark("Guess city"),
    "doctor": mark("Check the engine"), "reference build": mark("Build reference database"), "reference calibrate": mark("Build reference database"),
    "reference layer": mark("Reference images as a layer"),
}  # fmt: skip
_STAGES = {
    "loading": mark("Reading the area and the checkpoint."), "frames": mark("Reading {subject}."), "gallery": mark("Computing the candidate places."),
    "search": mark("Locating {subject}."), "writing": mark("Writing {subject}."), "done": "", "points": mark("Writing the points."),
    "time": mark("Measuring how long the places and frames take."), "map": mark("Making the heat map."), "comparing": mark("Comparing with the truth."),
    "evaluate": mark("Comparing with the truth."), "videos": mark("Looking for the videos."), "features": mark("Reading the videos and their tracks."),
    "phase1": mark("Training Phase I, the retrieval."), "phase2": mark("Training Phase II, the refinement."),
    "phase1-streets": mark("Training Phase I again without some streets, to calibrate on them."),
    "phase1-refit": mark("Training Phase I again, with the videos that were held out."),
    "phase2-refit": mark("Training Phase II again, with the videos that were held out."), "confidence": mark("Calibrating the confidence."),
    "aggregation": mark("Learning how the layout is weighed."),
    "solve": mark("Solving with the pins."), "match": mark("Laying the line on the roads."), "checkpoint": mark("Reading the checkpoint."),
    "report": mark("Making the folder to hand over."), "pictures": mark("Making small pictures of {subject}."),
    "guess": mark("Telling the city of {subject}."), "train": mark("Training."), "database": mark("Writing the database."), "asking": mark("Looking for pictures."),
    "odometry": mark("Telling how the camera moved in {subject}."), "follow": mark("Following points from picture to picture."),
    "motion": mark("Telling turns and speeds."), "roads": mark("Comparing the way of {subject} with the roads."),
    "download": mark("Fetching the pictures."), "images": mark("Writing the layers."), "merge": mark("Merging the results into one file."),
    "resuming": mark("Passing over videos that are done."), "cluster": mark("Giving the videos to the scheduler's workers."),
}  # fmt: skip
"""What is told of each stage of the engine's work; its own messages count within the stage, and are no sentences."""
STATES = {
    "outside_aoi": mark("not in this area"), "unfamiliar": mark("unlike what was trained on"), "unknown_ground": mark("unknown ground"), "damaged": "damaged",
}  # fmt: skip
"""Why a frame has no place, in the words of the styles' legends."""
_LOCATED, _NO_STATE = mark("located"), mark("no state")
_PICTURES = re.compile(r"[\d,]+ pictures found\b")
"""What the engine says while it looks for reference images, not for the place of a video."""
_OPTIONS = {"offline": mark("'Work offline' in the options"), "cluster": mark("'Dask scheduler' in the options")}
"""What is a setting on the options page, and no parameter of a dialog."""
_PIP = ("no-deps", "upgrade", "user")
"""Options of a command that a sentence tells to run as it is."""
_OPTION = re.compile(r"(?<![\w-])--([a-z][a-z0-9-]*)(?: ([a-z0-9][\w-]*))?")
_COMMAND = re.compile(rf"'?\bvidtag ({'|'.join(_ALGORITHMS)})\b(?!-)'?|\b(run|with) ({'|'.join(_ALGORITHMS)})\b(?!-)")


def in_words(text: str, labels: Mapping[str, str], choices: Mapping[str, Mapping[str, str]]) -> str:
    """A sentence of the engine in the language of QGIS, with the dialog's names for options, their choices and commands.

    Args:
        text: the sentence.
        labels: what the dialog calls its parameters, by their names.
        choices: of parameters that are choices, the words by the keys that the command line has.
    """

    def option(found: re.Match[str]) -> str:
        name, value = found[1], found[2]
        if name in _PIP:
            return found[0]
        if name in _OPTIONS:
            return tr(_OPTIONS[name]) if value is None else f"{tr(_OPTIONS[name])} {value}"
        parameter = next((one for one in _PARAMETERS.get(name, ()) if one in labels), "")
        shown = f"'{labels[parameter]}'" if parameter else f"'{name.replace('-', ' ')}'"
        if value is None:
            return shown
        words = choices.get(parameter, {}).get(value)
        return f"{shown} '{words}'" if words else f"{shown} {value}"

    def command(found: re.Match[str]) -> str:
        return f"'{tr(_ALGORITHMS[found[1]])}'" if found[1] else f"{found[2]} '{tr(_ALGORITHMS[found[3]])}'"

    return _OPTION.sub(option, _COMMAND.sub(command, translated(text)))


def stage_text(stage: str, message: str) -> str:
    """The sentence for the log as a stage of the work begins; empty where there is nothing to tell.

    Args:
        stage: the engine's name for it.
        message: what the engine says of its progress, such as "drive.mp4: frame 12".
    """
    subject = message.rsplit(": frame ", 1)[0]
    if stage == "search" and _PICTURES.match(message):
        stage = "asking"
    if stage in _STAGES:
        return tr(_STAGES[stage], subject=subject or tr("the videos"))
    text = translated(message) or stage
    return f"{begun(text)}{'' if text.endswith(('.', '…')) else '.'}"


def begun(text: str) -> str:
    """A text as a sentence begins."""
    return f"{text[:1].upper()}{text[1:]}"


def state_text(state: str) -> str:
    """A frame's state in words."""
    words = {**STATES, "located": _LOCATED, "": _NO_STATE}.get(state)
    return state if words is None else tr(words)


def percent_text(probability: Optional[float]) -> str:
    """A probability as the labels of the map have it: never 0 or 100 %, which nothing is; empty where there is none."""
    if probability is None:
        return ""
    percent = round(100.0 * probability)
    return "<1 %" if percent < 1 else ">99 %" if percent > 99 else f"{percent} %"
