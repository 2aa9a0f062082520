"""A result as one page for the browser: the map and what is said of each video. It holds its picture, and asks for nothing from outside."""

from __future__ import annotations

import base64
import html
import tempfile
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from ..atomic import write_text
from ..file_marks import mark_of
from ..types import VideoResult
from .candidates_table import streets_text
from .columns import clean
from .map_picture import write_map
from .matches_table import attribution
from .tables import located_mask
from .verdict_text import verdict_sentence

_STYLE = """body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}
img{max-width:100%;height:auto}table{border-collapse:collapse}td,th{border-bottom:1px solid #ccc;padding:.25em .8em;text-align:left}"""


def page_body(results: Sequence[VideoResult], *, aoi: Any | None = None) -> str:
    """The map, a table with a row a video, why a video has no place or no probability, and the streets of its way, as HTML.

    Raises:
        InputError: there is nothing to draw: no place, and no area.
    """
    with tempfile.TemporaryDirectory(prefix="vidtag-") as folder:
        picture = Path(folder) / "map.png"
        write_map(picture, results, aoi=aoi)
        png = base64.b64encode(picture.read_bytes()).decode("ascii")
    rows = "\n".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in _row(one)) + "</tr>" for one in results)
    said = "".join(f"<p>{html.escape(sentence)}</p>\n" for one in results if (sentence := verdict_sentence(one)))
    said += "".join(f"<p>{html.escape(sentence)}</p>\n" for one in results if (sentence := _along(one)))
    said += f"<p>{html.escape(named)}</p>\n" if (named := attribution(results)) else ""
    return (
        f'<p><img alt="Map of the way, coloured by confidence" src="data:image/png;base64,{png}"></p>\n'
        f"<table><thead><tr><th>video</th><th>frames</th><th>located</th><th>mean confidence</th></tr></thead><tbody>\n{rows}\n</tbody></table>\n{said}"
    )


def write_page(path: Path | str, results: Sequence[VideoResult], *, aoi: Any | None = None, overwrite: bool = False) -> None:
    """Write the page, whole or not at all.

    Args:
        path: an .html.
        results: videos.
        aoi: outline of the searched area, as for the map picture.
        overwrite: replace what is there also where it is no such page of this tool.

    Raises:
        InputError: there is nothing to draw, or it cannot be written.
    """
    title = html.escape(", ".join(one.info.name for one in results))
    write_text(
        Path(path),
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="generator" content="{mark_of("page")}">'
        f"<title>{title}</title><style>{_STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n{page_body(results, aoi=aoi)}</body></html>\n",
        "page",
        overwrite=overwrite,
    )


def _along(result: VideoResult) -> str:
    """The sentence that names the streets of a video's way, in their order; empty where none is known."""
    t = result.trajectory
    names = [name for name, located in zip(t.street, located_mask(t).tolist(), strict=True) if located and name]
    passed = streets_text([name for name, _ in groupby(names)])
    return f"{clean(result.info.name)} goes along: {passed}." if passed else ""


def _row(result: VideoResult) -> tuple[str, str, str, str]:
    located = located_mask(result.trajectory)
    rated = result.trajectory.confidence[located & np.isfinite(result.trajectory.confidence)]
    mean = f"{rated.mean():.0%}" if len(rated) else "not rated" if located.any() else "-"
    return result.info.name, str(len(located)), str(int(located.sum())), mean
