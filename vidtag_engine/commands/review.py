"""The command "review": judge, remark on and mark frames and stretches of a result's videos, beside it."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..command_arguments import ReviewArguments
from ..export.moments import VideoMoments, read_moments, video_named
from ..export.review_file import review_path
from ..export.review_rows import STATES, ReviewRow, add_row, change_row, judgements, read_review, remove_row
from ..types import InputError, UnwrittenError

ACTIONS = ("add", "change", "remove", "list", "states")
_FIELDS = {"video", "sha256", "from_s", "to_s", "state", "bookmark", "comment", "who", "when"}


def run_review(arguments: ReviewArguments) -> dict[str, Any]:
    """Do what ``action`` says.

    Returns:
        ``review``, the path of the review file, and ``row`` (as it was written, is now or was); of "list" ``rows``, of "states" ``videos`` (``video``,
        ``sha256``, a row a frame ``frame_index``, ``time_s``, ``state``, ``number`` and ``bookmark``, and ``counts`` by state); of both ``problems``,
        a sentence on each row that cannot be understood.

    Raises:
        InputError: the row does not fit the result, there is none, or the review file cannot be written.
    """
    result, action = Path(arguments.result), arguments.action
    if action not in ACTIONS:
        raise InputError(f"A review knows no {action!r}: choose {', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}.")
    said: dict[str, Any] = {"review": str(review_path(result))}
    if action == "remove":
        gone = remove_row(result, arguments.number, arguments.row)
        return {**said, "row": arguments.row if gone is None else _plain(gone)}
    if action == "add":
        return {**said, "row": row_values(add_review(result, arguments.row or {}))}
    rows, problems = read_review(review_path(result))
    if action == "change":
        return {**said, "row": row_values(_changed(result, arguments, rows, problems))}
    videos = read_moments(result)  # says what is wrong with the result
    if action == "list":
        return {**said, "rows": [row_values(row) for row in rows], "problems": problems}
    return {**said, "videos": [_states(rows, video) for video in videos], "problems": problems}


def add_review(result: Path, values: dict[str, Any]) -> ReviewRow:
    """Add a row (see :class:`~vidtag_engine.command_arguments.ReviewArguments`) and return it as it was written.

    Raises:
        UnwrittenError: the result is gone or holds another video by now, or the review file cannot be written.
        InputError: it does not fit the result, or says nothing.
    """
    asked = _row_from(values, ReviewRow("", math.nan, math.nan))
    try:
        videos = read_moments(result)
    except InputError as error:  # the result is gone, or is being replaced
        raise UnwrittenError(str(error)) from error
    if asked.sha256 and asked.sha256 not in {one.sha256 for one in videos}:
        raise UnwrittenError(
            f"{result.name} no longer holds the video {asked.video} that this was said of: put the result of that video back."
        )
    row = _fitted(asked, videos, result.name)
    return replace(row, number=add_row(result, row))


def row_values(row: ReviewRow) -> dict[str, Any]:
    """A row as JSON has it."""
    return {**vars(row), "when": row.when.isoformat() if row.when else None}


def _changed(result: Path, arguments: ReviewArguments, rows: list[ReviewRow], problems: list[str]) -> ReviewRow:
    """A row that somebody has made impossible in another program is not guessed at: it is told what is wrong with it."""
    before = next((row for row in rows if row.number == arguments.number), None)
    if before is None:
        broken = [one for one in problems if one.startswith(f"Row {arguments.number} ")]
        there = ", ".join(str(row.number) for row in rows[-20:]) or "none"
        raise InputError(
            broken[0] if broken else f"{review_path(result).name} has no row {arguments.number}: give the number of one ({there})."
        )
    given = arguments.row or {}
    row = _row_from({"when": None, **given}, before)
    if set(given) & {"video", "sha256", "from_s", "to_s"}:
        row = _fitted(row, read_moments(result), result.name)
    _check_says(row)
    row = replace(row, when=row.when if given.get("when") else datetime.now(UTC))
    change_row(result, row)
    return row


def _row_from(values: dict[str, Any], before: ReviewRow) -> ReviewRow:
    """A row with the values that are given in place of those before; a state of None or "" takes the judgement back."""
    if strange := sorted(set(values) - _FIELDS):
        raise InputError(f"A review has no {strange[0]!r}: it has {', '.join(sorted(_FIELDS))}.")
    known = {name: value for name, value in values.items() if value is not None or name == "state"}
    try:
        for name in {"from_s", "to_s"} & set(known):
            known[name] = float(known[name])
        if "when" in known:
            moment = datetime.fromisoformat(str(known["when"]))
            known["when"] = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"A review cannot be understood ({error}): give from_s and to_s in seconds, and when as 2026-05-01T09:30:00Z."
        ) from error
    if "from_s" in known and "to_s" not in known and not before.to_s > before.from_s:  # a frame, and no stretch whose beginning moves
        known["to_s"] = known["from_s"]
    known |= {"state": known.get("state") or None} if "state" in known else {}
    if known.get("state") not in {None, *STATES}:
        raise InputError(f"There is no state {known['state']!r}: choose {', '.join(STATES[:-1])} or {STATES[-1]}, or none.")
    return replace(before, **known)


def _fitted(row: ReviewRow, videos: list[VideoMoments], source: str) -> ReviewRow:
    """The row with its video's name and digest and when it was said. Raises InputError where it does not fit the result."""
    video = video_named(videos, row.video, row.sha256, source)
    if not (math.isfinite(row.from_s) and math.isfinite(row.to_s)):
        raise InputError("A review does not say its moment: give from_s, and for a stretch to_s, in seconds after the video's start.")
    if not 0 <= row.from_s <= row.to_s <= video.end_s + 1.0:
        raise InputError(
            f"{row.from_s:g} to {row.to_s:g} s is no stretch of {video.name}: give two times from 0 to {video.end_s:g} s, the earlier first."
        )
    _check_says(row)
    return replace(row, video=video.name, sha256=video.sha256, when=row.when or datetime.now(UTC))


def _check_says(row: ReviewRow) -> None:
    if row.state is None and not row.bookmark and not row.comment.strip():
        raise InputError("A review says nothing so: give a state, a comment or a bookmark, or remove its row.")


def _states(rows: list[ReviewRow], video: VideoMoments) -> dict[str, Any]:
    held, marked = judgements(rows, video)
    states = [None if row is None else row.state for row in held]
    return {
        "video": video.name,
        "sha256": video.sha256,
        "frame_index": video.frame_index.tolist(),
        "time_s": video.time_s.tolist(),
        "state": states,
        "number": [None if row is None else row.number for row in held],
        "bookmark": marked,
        "counts": {state: Counter(states)[state] for state in STATES},
    }


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """What was in a row, under the names of the others; columns of other programs' included, blobs left out."""
    named = {("number" if name == "fid" else name): value for name, value in values.items() if not isinstance(value, bytes)}
    return {**named, "bookmark": bool(named.get("bookmark"))}
