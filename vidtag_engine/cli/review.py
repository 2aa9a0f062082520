"""The command ``vidtag review``: a thin face of `commands.review`."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer

from ..types import InputError
from .options import JsonOption
from .terminal import plain_errors

REVIEW_EXAMPLES = """Examples:

    vidtag review drive.gpkg

    vidtag review drive.gpkg --from-s 12 --to-s 20 --accept

    vidtag review drive.gpkg --from-s 25 --unsure --comment "two churches look like this"

    vidtag review drive.gpkg --remove 2
"""


def review(
    result: Annotated[Path, typer.Argument(help="GeoPackage that geolocate wrote.")],
    *,
    video: Annotated[str | None, typer.Option(help="Its name in the result, where that holds several.")] = None,
    from_s: Annotated[float | None, typer.Option(help="The moment, or where the stretch begins, seconds after the video's start.")] = None,
    to_s: Annotated[float | None, typer.Option(help="Where the stretch ends. Without it a moment is meant.")] = None,
    accept: Annotated[bool, typer.Option("--accept", help="The place is right.")] = False,
    unsure: Annotated[bool, typer.Option("--unsure", help="It may be right.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="The place is wrong.")] = False,
    bookmark: Annotated[bool, typer.Option("--bookmark", help="Find the moment again.")] = False,
    comment: Annotated[str, typer.Option(help="In your own words.")] = "",
    who: Annotated[str | None, typer.Option(help="Who says so. Without it nobody is named.")] = None,
    remove: Annotated[int | None, typer.Option(help="Number of a review to remove.")] = None,
    json: JsonOption = False,
) -> None:
    """Judge moments and stretches, comment on them, or list what was judged. It is kept beside the result, in its review file."""
    with plain_errors(json=json):
        from ..commands.review import run_review

        judged = [state for state, given in (("accepted", accept), ("unsure", unsure), ("rejected", reject)) if given]
        if len(judged) > 1:
            raise InputError("A moment has one judgement: give one of --accept, --unsure and --reject.")
        row = {
            "video": video, "from_s": from_s, "to_s": to_s, "state": judged[0] if judged else None, "bookmark": bookmark or None,
            "comment": comment or None, "who": who,
        }  # fmt: skip
        new = bool(judged or bookmark or comment)
        if not new and from_s is not None:
            raise InputError("Nothing is said of the moment: give --accept, --unsure, --reject, --bookmark or --comment.")
        action = "remove" if remove is not None else "add" if new else "list"
        said = run_review(result, action, row if new else None, remove)
    if json:
        print(json_module.dumps(said, ensure_ascii=False))
        return
    for one in said["rows"]:
        print(_line(one))
    for name, counts in said["frames"].items():
        print(f"{name}: " + ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in counts.items() if count))


def _line(row: dict[str, Any]) -> str:
    until = f" to {row['to_s']:g}" if row["to_s"] > row["from_s"] else ""
    said = [row["state"], "bookmark" if row["bookmark"] else "", row["comment"], row["who"] and f"({row['who']})"]
    return f"{row['number']}. {row['video']}, {row['from_s']:g}{until} s: {' · '.join(filter(None, said))}"
