"""Judge moments and stretches of a result's videos, comment on them, and find them again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from ..export import read_geopackage
from ..export.review_file import review_path
from ..export.review_table import STATES, ReviewRow, add_review, change_review, read_review, remove_review, states_at
from ..types import InputError, VideoResult

ACTIONS = ("list", "add", "change", "remove")
_WORDS = ("state", "bookmark", "comment", "who")


def run_review(result: Path, action: str = "list", row: dict[str, Any] | None = None, number: int | None = None) -> dict[str, Any]:
    """Do one thing with the judgements of a result.

    Args:
        result: GeoPackage that geolocate wrote.
        action: one of ``ACTIONS``.
        row: what is added, or changed: ``state``, ``bookmark``, ``comment``, ``who``; and for a new one ``from_s``, ``to_s`` (a moment where it is left out) and
            ``video`` or ``sha256``, which may be left out where the result holds one video, and ``when`` (ISO 8601), else now. The same row is added once.
        number: of the row that is changed or removed.

    Returns:
        ``review``, the file's path; ``number`` of the row that was meant, or None; ``rows``, all there are then; and ``frames``: of each video how many frames
        are accepted, unsure, rejected and not judged.

    Raises:
        InputError: it does not fit the result, or the file cannot be written.
    """
    results = read_geopackage(result)[0]
    given = {name: value for name, value in (row or {}).items() if value is not None}
    meant: int | None = number
    if action == "add":
        meant = add_review(result, _new(given, results, result.name)).number
    elif action in ("change", "remove"):
        if number is None:
            raise InputError(f"Which review is meant? Give its number: vidtag review {result.name} lists them.")
        if action == "remove":
            remove_review(result, number)
        else:
            change_review(result, number, **{name: given[name] for name in _WORDS if name in given})
    elif action != "list":
        raise InputError(f"There is no action {action!r}: give one of {', '.join(ACTIONS)}.")
    rows = read_review(result)
    return {
        "review": str(review_path(result)),
        "number": meant,
        "rows": [asdict(one) | {"when": None if one.when is None else one.when.isoformat()} for one in rows],
        "frames": {one.info.name: _counts(rows, one) for one in results},
    }


def _new(given: dict[str, Any], results: list[VideoResult], source: str) -> ReviewRow:
    """A row of a video that the result holds, within it."""
    named = given.get("sha256") or given.get("video")
    found = [one for one in results if named in (None, one.sha256, one.info.name)]
    if len(found) != 1:
        names = ", ".join(one.info.name for one in results) or "none"
        raise InputError(f"{source} does not hold just one video {named or ''}".rstrip() + f": say which one is meant ({names}).")
    video = found[0]
    if "from_s" not in given:
        raise InputError("The review does not say its moment: give seconds after the video's start.")
    from_s = float(given["from_s"])
    try:
        when = datetime.fromisoformat(given["when"]) if "when" in given else None
    except ValueError as error:
        raise InputError(f"The moment {given['when']!r} cannot be understood: give ISO 8601, such as 2026-05-01T10:00:00Z.") from error
    words = {name: given[name] for name in _WORDS if name in given}
    row = ReviewRow(video.info.name, video.sha256, from_s, float(given.get("to_s", from_s)), when=when, **words)
    end_s = max([video.info.duration_s or 0.0, *video.trajectory.time_s[-1:].tolist()])
    if row.to_s > end_s + 0.5:
        raise InputError(f"The moment {row.to_s:g} s lies beyond {video.info.name}, which ends at {end_s:g} s: give an earlier one.")
    return row


def _counts(rows: list[ReviewRow], video: VideoResult) -> dict[str, int]:
    judged = np.array(states_at(rows, video.sha256, video.trajectory.time_s.tolist()), dtype=object)
    counts = {state: int((judged == state).sum()) for state in STATES}
    return counts | {"not_judged": int((judged == "").sum())}
