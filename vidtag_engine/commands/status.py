"""Where the work on a result stands, and what to do next, for people, scripts and agents: a step names why, the command, and the Processing algorithm."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from .. import __version__
from ..export.geopackage_read import FRAMES_PINNED
from ..export.pins import read_pins
from ..export.review_file import review_path
from ..export.scores_file import scores_path
from ..geopackage_metadata import schema_refusal, stored_schema
from ..types import InputError

FORMAT = "vidtag-status/1"
UNSURE = 0.5
"""Mean confidence below which somebody should look at the frames."""
_MOST_NAMED = 20
_WITHHELD = {
    "outside_aoi": ("another-area", "{count} by all that is known taken outside the searched area: search another one, or set pins where you know better."),
    "unfamiliar": (
        "more-references", "{count} unlike all that the checkpoint knows: train it for the area, or recognise places by reference images of it."
    ),
    "unknown_ground": (
        "more-references", "{count} on ground that the checkpoint knows nothing of: build a database of reference images of the area, and give it."
    ),
}  # fmt: skip


@dataclass(frozen=True)
class NextStep:
    """Something to do.

    Args:
        id: a word that stays the same from version to version.
        why: one sentence.
        command: the command line; capitals stand for what only the user knows.
        algorithm: of QGIS's Processing that does the same.
        parameters: of it; capitals in values stand for what only the user knows.
        ready: whether nothing is left to fill in.
        videos: that it is about, the first twenty; empty for all.
    """

    id: str
    why: str
    command: list[str]
    algorithm: str
    parameters: dict[str, Any] = field(default_factory=dict)
    ready: bool = True
    videos: list[str] = field(default_factory=list)


def run_status(result: Path | None = None) -> dict[str, Any]:
    """How a result stands.

    Args:
        result: GeoPackage of a geolocation; None where there is none yet.

    Returns:
        Plain JSON values: ``format``, ``engine`` (its version), ``result`` (``output``, ``schema``, ``counts`` by state, ``frames``, ``located``, ``not_rated``,
        ``mean_confidence``, ``videos`` with a row each, ``pins``, ``solved``, ``review``), None without a result; and ``next``, steps as of :class:`NextStep`, the
        first one first.

    Raises:
        InputError: it is no result.
    """
    told: dict[str, Any] = {"format": FORMAT, "engine": __version__, "result": None}
    if result is None:
        begin = NextStep(
            "geolocate", "There is no result yet: locate videos within an area.",
            ["vidtag", "geolocate", "VIDEO", "--aoi", "AREA", "--checkpoint", "CHECKPOINT", "--output", "RESULT.gpkg"],
            "vidtag:geolocatevideo", {"VIDEOS": ["VIDEO"], "AOI": "AREA", "CHECKPOINT": "CHECKPOINT", "OUTPUT": "RESULT.gpkg"}, ready=False,
        )  # fmt: skip
        return told | {"next": [asdict(begin)]}
    schema = _schema(result)
    videos = _videos(result)
    pins = read_pins(review_path(result), whole_only=True)
    # A result's own layers bear the moment of its run, so the file's time tells when it was solved last.
    solved_at = result.stat().st_mtime if _table_changed(result, FRAMES_PINNED) else None
    told["result"] = {
        "output": str(result),
        "schema": schema,
        "counts": dict(Counter(one["state"] for one in videos)),
        **{name: sum(one[name] for one in videos) for name in ("frames", "located", "not_rated")},
        "mean_confidence": _mean(videos),
        "videos": [{name: value for name, value in one.items() if name != "sha256"} for one in videos],
        "pins": len(pins),
        "solved": solved_at is not None,
        "review": review_path(result).name if review_path(result).exists() else None,
    }
    set_at = _table_changed(review_path(result), "pins")
    unsolved = bool(pins) and (solved_at is None or (set_at is not None and datetime.fromisoformat(set_at).timestamp() > solved_at))
    return told | {"next": [asdict(step) for step in _steps(result, videos, unsolved=unsolved)]}


def _steps(result: Path, videos: list[dict[str, Any]], *, unsolved: bool) -> Iterable[NextStep]:
    name = str(result)
    failed = [one for one in videos if one["state"] == "failed"]
    if failed:
        yield NextStep(
            "retry-failed", f"{_count(failed)} could not be read: the column why says what is wrong; mend that, and try them again.",
            ["vidtag", "geolocate", "VIDEOS", "--aoi", "AREA", "--output", name, "--retry-failed"], "vidtag:geolocatevideo",
            {"VIDEOS": ["VIDEOS"], "OUTPUT": name, "RESUME": True, "RETRY_FAILED": True}, ready=False, videos=_names(failed),
        )  # fmt: skip
    if unsolved:
        lacking = [one for one in videos if not one["scores"] and one["state"] != "failed"]
        if lacking and len(lacking) == len(videos) - len(failed):
            yield NextStep(
                "keep-scores", "Pins are set, and no scores were kept to solve with: locate the videos again and keep them.",
                ["vidtag", "geolocate", "VIDEOS", "--aoi", "AREA", "--output", name, "--keep-scores", "--overwrite"], "vidtag:geolocatevideo",
                {"VIDEOS": ["VIDEOS"], "OUTPUT": name, "KEEP_SCORES": True, "OVERWRITE": True}, ready=False,
            )  # fmt: skip
        else:
            yield NextStep(
                "solve",
                "Pins have been set since it was solved last: solve with them.",
                ["vidtag", "solve", name],
                "vidtag:solvewithpins",
                {"RESULT": name},
            )
    for state, (step, why) in _WITHHELD.items():
        these = [one for one in videos if one["state"] == state]  # an answer that was asked for all the same is not rated
        if these and step == "another-area":
            yield NextStep(
                step, why.format(count=f"{_count(these)} {_was(these)}"), ["vidtag", "geolocate", "VIDEOS", "--aoi", "ANOTHER_AREA", "--output", "ANOTHER.gpkg"],
                "vidtag:geolocatevideo", {"VIDEOS": ["VIDEOS"], "AOI": "ANOTHER_AREA", "OUTPUT": "ANOTHER.gpkg"}, ready=False, videos=_names(these),
            )  # fmt: skip
        elif these:
            yield NextStep(
                step, why.format(count=f"{_count(these)} {_is(these)}"), ["vidtag", "reference", "build", "--images", "IMAGES", "--output", "DATABASE"],
                "vidtag:buildreferencedatabase", {"IMAGES": "IMAGES", "OUTPUT": "DATABASE"}, ready=False, videos=_names(these),
            )  # fmt: skip
    not_rated = [one for one in videos if one["not_rated"] and one["state"] not in _WITHHELD]
    if not_rated:
        yield NextStep(
            "calibrate", f"{_count(not_rated)} {_has(not_rated)} places without a probability, as nothing has calibrated one: calibrate the checkpoint.",
            ["vidtag", "calibrate", "CHECKPOINT", "--video", "VIDEOS", "--truth", "TRACKS"], "", {}, ready=False, videos=_names(not_rated),
        )  # fmt: skip
    unsure = [one for one in videos if one["mean_confidence"] is not None and one["mean_confidence"] < UNSURE]
    if unsure:
        yield NextStep(
            "check", f"{_count(unsure)} {_has(unsure)} a mean confidence below {UNSURE:.0%}: look at the frames beside the map, and set pins where you know better.",
            ["vidtag", "pin", name, "--video", "VIDEO", "--time-s", "SECONDS", "--at", "LAT,LON"], "", {}, ready=False, videos=_names(unsure),
        )  # fmt: skip
    if any(one["located"] for one in videos):
        yield NextStep(
            "export", "Export it for other programs.", ["vidtag", "export", name, "--kml", str(result.with_suffix(".kml"))], "vidtag:exporttrajectory",
            {"RESULT": name, "KML": str(result.with_suffix(".kml"))},
        )  # fmt: skip


def _videos(result: Path) -> list[dict[str, Any]]:
    """A row a video; of what an older result does not say, None or 0."""
    with closing(_opened(result)) as database:
        database.row_factory = sqlite3.Row
        rows = [dict(row) for row in database.execute("SELECT * FROM videos ORDER BY fid")]
        counted = "SELECT video, count(*) FROM frames WHERE coalesce(state, 'located') = 'located' AND confidence IS NULL GROUP BY video"
        not_rated = dict(database.execute(counted).fetchall())
    return [
        {
            "name": str(row["video"]),
            "state": str(row.get("state") or "located"),
            "why": row.get("why") or "",
            "frames": int(row.get("frames") or 0),
            "located": int(row.get("located") or 0),
            "not_rated": int(not_rated.get(row["video"], 0)),
            "mean_confidence": row.get("mean_confidence"),
            "scores": bool(row.get("sha256")) and scores_path(result, str(row["sha256"])).is_file(),
            "sha256": row.get("sha256") or "",
        }
        for row in rows
    ]


def _schema(result: Path) -> str:
    """Its version; raises InputError where it is no result that this version reads."""
    if not result.is_file():
        raise InputError(f"The result {result} is not there: give a GeoPackage that geolocate wrote.")
    try:
        with closing(_opened(result)) as database:
            schema = stored_schema(database)
            if not database.execute("SELECT 1 FROM gpkg_contents WHERE table_name = 'videos'").fetchone():
                raise InputError(f"{result} is no result: give a GeoPackage that geolocate wrote.")
    except sqlite3.Error as error:
        raise InputError(f"{result} is damaged or no result ({error}): give a GeoPackage that geolocate wrote.") from error
    if why := schema_refusal(str(result), schema):
        raise InputError(why)
    return "" if schema is None else str(schema)


def _mean(videos: list[dict[str, Any]]) -> float | None:
    """Of the frames that are rated."""
    rated = [(one["mean_confidence"], one["located"] - one["not_rated"]) for one in videos if one["mean_confidence"] is not None]
    total = sum(count for _, count in rated)
    return round(sum(value * count for value, count in rated) / total, 4) if total else None


def _table_changed(path: Path, table: str) -> str | None:
    """When a layer was written last, ISO 8601; None where it is not there."""
    if not path.is_file():
        return None
    try:
        with closing(_opened(path)) as database:
            row = database.execute("SELECT last_change FROM gpkg_contents WHERE table_name = ?", (table,)).fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else str(row[0])


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)


def _names(videos: list[dict[str, Any]]) -> list[str]:
    return [one["name"] for one in videos[:_MOST_NAMED]]


def _count(videos: list[dict[str, Any]]) -> str:
    return f"{len(videos)} video{'' if len(videos) == 1 else 's'}"


def _was(videos: list[dict[str, Any]]) -> str:
    return "was" if len(videos) == 1 else "were"


def _is(videos: list[dict[str, Any]]) -> str:
    return "is" if len(videos) == 1 else "are"


def _has(videos: list[dict[str, Any]]) -> str:
    return "has" if len(videos) == 1 else "have"
