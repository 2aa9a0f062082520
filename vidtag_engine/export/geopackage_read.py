"""The canonical result read back: for resuming a batch, for evaluating, and for making other formats from it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ..geopackage_metadata import records_of, schema_refusal, stored_schema
from ..types import DecodeReport, FailedVideo, FrameState, InputError, Provenance, TimeSource, Trajectory, Verdict, VideoInfo, VideoResult
from .candidates_table import read_candidates
from .confidence_tables import FRAME_COLUMNS, WITHIN, read_hypotheses
from .matches_table import read_matches
from .point_blob import lat_lon_of, wkb_of
from .provenance import from_json
from .tables import FAILED, own_from

_FRAME_COLUMNS = ("frame_index", "time_s", "state", "confidence", "score", "runner_up_m", "phase1_lat_deg", "phase1_lon_deg", "geom")
COURSE = "course_deg"
"""Column of ``frames`` that there is from schema 4.4 on."""
STREET = "street"
"""Column of ``frames`` that there is from schema 4.6 on."""
FRAMES_PINNED, TRAJECTORY_PINNED, REGIONS_PINNED = "frames_pinned", "trajectory_pinned", "regions_pinned"
"""Layers that solving with pins puts beside the model's own."""
ANSWERS = ("auto", "model", "pinned")
"""Which answer to read: the pinned one of a video that has one, the model's own, or as the first and refused where no video has one."""
_LAST_WITHOUT_FAILED = 2  # schema
Columns = dict[str, tuple[Any, ...]]
Regions = dict[tuple[int | None, int], Any]


def read_geopackage(path: Path | str) -> tuple[list[VideoResult], Provenance]:
    """Return the results and provenance that ``write_geopackage`` wrote.

    Videos that failed are left out; :func:`read_failed` gives them. ``VideoInfo.path`` is the bare file name: the folder is not kept. Times are
    exact to the millisecond, everything else as written.

    Raises:
        InputError: the file is missing, damaged, not a VidTAG result, or of a newer schema.
    """
    results, _, provenance = _read(Path(path), pinned=False)
    return results, provenance


def read_failed(path: Path | str) -> list[FailedVideo]:
    """The videos of a result's batch that failed, as they were written; none in schema 1 and 2. Raises InputError as read_geopackage."""
    path = Path(path)
    with closing(open_result(path)) as database:
        try:
            schema = from_json(records_of(database)[-1])[1]
            query = "SELECT video, file, kind, why, sha256, duration_s FROM videos WHERE state = ? ORDER BY fid"
            rows = database.execute(query, (FAILED,)).fetchall() if schema.major > _LAST_WITHOUT_FAILED else []
        except (sqlite3.Error, KeyError, TypeError, ValueError, IndexError) as error:
            raise InputError(f"{path} is damaged or not a VidTAG result ({error}); run geolocate again.") from error
    unknown = datetime(2000, 1, 1, tzinfo=UTC)
    return [
        FailedVideo(VideoInfo(Path(file), video, kind, 0, 0, duration_s, unknown, TimeSource.SYNTHETIC), why or "", sha256 or "")
        for video, file, kind, why, sha256, duration_s in rows
    ]


def read_answers(path: Path | str, answer: str = "auto") -> tuple[list[VideoResult], Provenance]:
    """As ``read_geopackage``, with the answer that was solved with pins where there is one.

    Args:
        path: of the GeoPackage.
        answer: "auto": the pinned answer of each video that has one, else the model's. "pinned": likewise, and refused where no video has one.
            "model": the model's own of every video.

    Raises:
        InputError: as ``read_geopackage``; or there is no pinned answer.
    """
    if answer not in ANSWERS:
        raise InputError(f"There is no answer {answer!r}: choose {', '.join(ANSWERS[:-1])} or {ANSWERS[-1]}.")
    own, pinned, provenance = _read(Path(path), pinned=answer != "model")
    if answer == "pinned" and not pinned:
        raise InputError(
            f"{Path(path).name} has no pinned answer: run 'vidtag solve' first (in QGIS 'Solve with pins'), or take the model's answer."
        )
    return [pinned.get(one.info.name, one) for one in own], provenance


def _read(path: Path, *, pinned: bool) -> tuple[list[VideoResult], dict[str, VideoResult], Provenance]:
    """The model's results; by name those that were solved with pins, if they are asked for; the provenance."""
    with closing(open_result(path)) as database:
        try:
            provenance = _provenance(path, database)
            names = database.execute("SELECT * FROM videos ORDER BY fid")
            columns = [entry[0] for entry in names.description]
            videos = [video for row in names.fetchall() if (video := dict(zip(columns, row, strict=True))).get("state") != FAILED]
            frames, regions = _frames_by_video(database, "frames"), _regions_by_video(database, "regions")
            matches, ways = read_matches(database), read_candidates(database)
            results = [
                replace(
                    _result(video, frames.get(name, {}), regions.get(name, {})),
                    matches=matches.get(name, ()),
                    candidates=ways.get(name, ()),
                )
                for video in videos
                if (name := video["video"]) is not None
            ]
            solved = _solved(database, videos) if pinned else {}
        except (sqlite3.Error, KeyError, TypeError, ValueError, IndexError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{path} is damaged or not a VidTAG result ({error}); run geolocate again.") from error
    return results, solved, provenance


def _solved(database: sqlite3.Connection, videos: Sequence[dict[str, Any]]) -> dict[str, VideoResult]:
    """The videos that were solved with pins, by name. What the model said of the video as a whole does not hold for them."""
    if not _has(database, FRAMES_PINNED):
        return {}
    frames, regions = _frames_by_video(database, FRAMES_PINNED), _regions_by_video(database, REGIONS_PINNED)
    model = {"state": None}
    found = [_result({**video, **model}, frames[name], regions.get(name, {})) for video in videos if (name := video["video"]) in frames]
    return {one.info.name: replace(one, pinned=True) for one in found}


def _has(database: sqlite3.Connection, layer: str) -> bool:
    return database.execute("SELECT 1 FROM gpkg_contents WHERE table_name = ?", (layer,)).fetchone() is not None


def read_aoi(path: Path | str) -> Any | None:
    """The searched area kept in a result, as a shapely geometry; None where none was kept. Raises InputError as read_geopackage."""
    import shapely

    path = Path(path)
    with closing(open_result(path)) as database:
        try:
            if not _has(database, "aoi"):
                return None
            row = database.execute("SELECT geom FROM aoi ORDER BY fid").fetchone()
        except sqlite3.Error as error:
            raise InputError(f"{path} is damaged or not a VidTAG result ({error}); run geolocate again.") from error
    return shapely.from_wkb(wkb_of(row[0])) if row and row[0] else None


def read_areas(path: Path | str) -> dict[str, Any]:
    """The areas that single videos were searched for in, as shapely geometries by name; none before schema 4.1. Raises InputError as read_geopackage."""
    import shapely

    path = Path(path)
    with closing(open_result(path)) as database:
        try:
            rows = database.execute("SELECT name, geom FROM aoi ORDER BY fid").fetchall()[1:] if _has(database, "aoi") else []
            return {name: shapely.from_wkb(wkb_of(geom)) for name, geom in rows if name and geom}
        except (sqlite3.Error, ValueError) as error:
            raise InputError(f"{path} is damaged or not a VidTAG result ({error}); run geolocate again.") from error


def read_provenance(path: Path | str) -> Provenance:
    """The record of a result, without the rest. Raises InputError as read_geopackage."""
    with closing(open_result(Path(path))) as database:
        return _provenance(Path(path), database)


def open_result(path: Path) -> sqlite3.Connection:
    """A result to read from, as a database; close it. Raises InputError where it is none, or of a newer schema."""
    if not path.is_file():
        raise InputError(f"{path} is not there; give a GeoPackage that geolocate wrote.")
    try:
        database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        raise InputError(f"{path} is not a GeoPackage ({error}); give one that geolocate wrote.") from error
    if why := schema_refusal(str(path), stored_schema(database)):
        database.close()
        raise InputError(why)
    return database


def _provenance(path: Path, database: sqlite3.Connection) -> Provenance:
    texts = records_of(database)
    if not texts:
        raise InputError(f"{path} is not a VidTAG result: it holds no provenance; give a GeoPackage that geolocate wrote.")
    return from_json(texts[-1])[0]


def _frames_by_video(database: sqlite3.Connection, layer: str) -> dict[str, Columns]:
    """Columns of a layer of frames by video: one pass, however many videos there are. Earlier schemas have fewer of them."""
    there = {name for (name,) in database.execute("SELECT name FROM pragma_table_info(?)", (layer,))}
    names = (*_FRAME_COLUMNS, *(name for name in (*FRAME_COLUMNS, COURSE, STREET) if name in there))
    found: dict[str, list[tuple[Any, ...]]] = {}
    for video, *row in database.execute(f"SELECT video, {', '.join(names)} FROM {layer} ORDER BY fid"):  # noqa: S608 - constants  # nosec B608
        found.setdefault(video, []).append(tuple(row))
    return {video: dict(zip(names, zip(*rows, strict=True), strict=True)) for video, rows in found.items()}


def _regions_by_video(database: sqlite3.Connection, layer: str) -> dict[str, Regions]:
    """Geometries by frame number (None: the whole video) and level, by video; none in schema 1."""
    import shapely

    found: dict[str, Regions] = {}
    if _has(database, layer):
        rows = database.execute(f"SELECT video, frame_index, level, geom FROM {layer} ORDER BY fid")  # noqa: S608 - a constant  # nosec B608
        for video, index, level, blob in rows:
            found.setdefault(video, {})[index, level] = shapely.from_wkb(wkb_of(blob))
    return found


def _result(row: dict[str, Any], frames: Columns, regions: Regions) -> VideoResult:
    stretches = json.loads(row["damaged_stretches_s"])
    return VideoResult(
        info=VideoInfo(
            path=Path(row["file"]),
            name=row["video"],
            kind=row["kind"],
            width_px=row["width_px"],
            height_px=row["height_px"],
            duration_s=row["duration_s"],
            start_time=datetime.fromisoformat(row["base_time"]).astimezone(UTC),
            time_source=TimeSource(row["time_source"]),
            embedded_gps=row["embedded_gps"],
            rotation_deg=row["rotation_deg"],
            variable_frame_rate=bool(row["variable_frame_rate"]),
        ),
        trajectory=_trajectory(row, frames, regions),
        report=DecodeReport(
            row["decoded"], row["sampled"], row["damaged"], tuple((float(a), float(b)) for a, b in stretches), row.get("repeated") or 0
        ),
        sha256=row["sha256"],
        seconds=json.loads(row["processing_s"]),
        own=own_from(row.get("own_settings"), row.get("area")),
    )


def _trajectory(row: dict[str, Any], frames: Columns, regions: Regions) -> Trajectory:
    index = frames.get("frame_index", ())
    numbers = {name: _floats(frames.get(name, ())) for name in _FRAME_COLUMNS if name not in {"frame_index", "state", "geom"}}
    lat_lon = np.array([lat_lon_of(blob) for blob in frames.get("geom", ())], dtype=np.float64).reshape(-1, 2)
    unknown = (None,) * len(index)
    return Trajectory(
        frame_index=np.array(index, dtype=np.int64),
        lat_deg=lat_lon[:, 0],
        lon_deg=lat_lon[:, 1],
        state=tuple(FrameState(value) for value in frames.get("state", ())),
        confidence_radius_m=float(row["confidence_radius_m"]),
        hypotheses=read_hypotheses({name: _floats(frames.get(name, unknown)) for name in FRAME_COLUMNS}, regions, index),
        verdict=_verdict(row, regions),
        course_deg=_floats(frames.get(COURSE, unknown)),  # no such column before schema 4.4
        street=tuple(name or "" for name in frames.get(STREET, unknown)),
        **numbers,
    )


def _verdict(row: dict[str, Any], regions: Regions) -> Verdict | None:
    if row.get("state") is None:
        return None
    inside, familiarity, entropy_bits = _floats([row["inside"], row["familiarity"], row["entropy_bits"]]).tolist()
    return Verdict(
        state=FrameState(row["state"]),
        inside=inside,
        familiarity=familiarity,
        within=tuple(_floats([row[name] for name in WITHIN]).tolist()),
        entropy_bits=entropy_bits,
        region50=regions.get((None, 50)),
        region90=regions.get((None, 90)),
        why=row["why"] or "",
        unknown_share=float(_floats([row.get("unknown_share")])[0]),  # no such column before schema 4
    )


def _floats(values: Sequence[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
