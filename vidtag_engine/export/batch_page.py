"""A batch of many videos as one page for the browser: a row a video, which can be sorted and filtered. It asks for nothing from outside.

What looks and acts is in ``batch_page.html`` beside this file; here its data are written, row by row, so that a batch of any size takes little memory.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote

from ..atomic import replacing
from ..file_marks import mark_of
from ..types import FrameState
from .colours import CLASS_COLOURS, EDGES, NOT_RATED, OUTLINE, QUESTIONS, STATES, class_label, class_of
from .columns import clean
from .line_thumbnail import BOX_HEIGHT, BOX_WIDTH, line_thumbnail
from .tables import FAILED

MISSING = "missing"
"""State of a video that is wanted and not done yet."""
_NO_VERDICT = ""
_LOCATED_COLOUR = "#0b6fa4"
_WORDS = {
    FrameState.LOCATED.value: "Located",
    **{state: words for state, (_, words) in STATES.items()},
    FAILED: "Failed",
    MISSING: "Not done yet",
    _NO_VERDICT: "No verdict",
}
_TEMPLATE = "batch_page.html"
_MARKER = re.compile(r"@@([A-Z_]+)@@")
# What ends a script or begins a comment in HTML; the two line ends are none in JSON, but were in older JavaScript.
_IN_HTML = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


@dataclass(frozen=True)
class BatchRow:
    """One video of a batch, as its page shows it.

    Args:
        video: its name, unique in the batch.
        state: the verdict's ``FrameState`` value, "failed", or "missing" where it is wanted and not done yet; None: there is no verdict.
        why: what the verdict or the error says.
        mean_confidence: mean probability, 0..1, that the camera was within the confidence radius; None: not rated.
        confidence_radius_m: the radius in metres that the confidence speaks of; None: not known.
        frames, located: how many frames there are, and how many of them have a place.
        length_m: length of the line in metres; None: not known.
        start_time: ISO 8601, UTC where it names no offset; None where only a made-up time is known.
        duration_s: duration in seconds; None: not known.
        lines: parts of the line, each of (lon_deg, lat_deg), cut at ±180°.
        area: name of the area that was searched for this video alone; None: that of the batch.
    """

    video: str
    state: str | None
    why: str = ""
    mean_confidence: float | None = None
    confidence_radius_m: float | None = None
    frames: int = 0
    located: int = 0
    length_m: float | None = None
    start_time: str | None = None
    duration_s: float | None = None
    lines: tuple[tuple[tuple[float, float], ...], ...] = ()
    area: str | None = None


def write_batch_page(
    path: Path | str, rows: Iterable[BatchRow], *, title: str, output: str | None, created_utc: datetime, overwrite: bool = False
) -> None:
    """Write the page, whole or not at all. ``rows`` is read once, and no more than one of its rows is held.

    Args:
        path: an .html.
        rows: the videos, in the order in which the page first shows them.
        title: the heading.
        output: the result's file, by its name or its relative path from the page's folder, with "/" between folders; None: the page links to none.
        created_utc: the moment that the page says it was written at; UTC where it has no time zone.
        overwrite: replace what is there also where it is no such page of this tool.

    Raises:
        InputError: it cannot be written.
    """
    with replacing(path, "page", overwrite=overwrite) as part:
        _write(part, rows, title=title, output=output, created_utc=created_utc)


def _write(part: Path, rows: Iterable[BatchRow], *, title: str, output: str | None, created_utc: datetime) -> None:
    # The counts stand at the top and are known at the end: until then the rows wait in a file without a name on the same disk.
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="", dir=part.parent) as waiting:
        counts = _write_rows(waiting, rows)
        texts = {
            "MARK": mark_of("page"),
            "TITLE": html.escape(_text(title)),
            "RESULT": _result_link(output),
            "CREATED": _minutes(created_utc),
            "COUNT": f"{counts.total():,} video{'' if counts.total() == 1 else 's'}",
            "COUNTS": _counts_html(counts),
            "LEGEND": _legend_html(),
            "COLOURS": _colour_rules(),
            "FACTS": _json({"states": _words_of(counts), "not_rated": NOT_RATED, "box": [BOX_WIDTH, BOX_HEIGHT]}),
        }
        before, after = _filled(texts)
        with part.open("w", encoding="utf-8", newline="") as page:
            page.write(before)
            waiting.seek(0)
            shutil.copyfileobj(waiting, page)
            page.write(after)


def _write_rows(handle: TextIO, rows: Iterable[BatchRow]) -> Counter[str]:
    """Write the rows as elements of a JSON array, a line each, and count their states."""
    counts: Counter[str] = Counter()
    for number, row in enumerate(rows):
        handle.write(",\n" if number else "\n")
        handle.write(_json(_row_values(row)))
        counts[_state(row)] += 1
    return counts


def _row_values(row: BatchRow) -> list[Any]:
    """What the page holds of a video. Its script names these places once, in the same order."""
    rated = _finite(row.mean_confidence)
    drawn = line_thumbnail(row.lines)
    values = [
        _text(row.video),
        _state(row),
        _text(row.why),
        None if rated is None else round(rated, 4),
        None if rated is None else class_of(rated),
        _significant(row.confidence_radius_m, 4),
        int(row.frames),
        int(row.located),
        _significant(row.length_m, 6),
        _seconds(row.start_time),
        _significant(row.duration_s, 6),
        None if drawn is None else drawn.path,
        None if drawn is None else _significant(drawn.box_width_m, 4),
        _text(row.area) if row.area else None,
    ]
    while values[-1] is None:  # the script reads what is not there as not known
        values.pop()
    return values


def _state(row: BatchRow) -> str:
    return _NO_VERDICT if row.state is None else _text(row.state)


def _words_of(counts: Counter[str]) -> list[list[str]]:
    """The states that there are with their words: the known ones in their order, then others under their own names."""
    known = [[state, words] for state, words in _WORDS.items() if state in counts]
    return known + [[state, state] for state in sorted(counts) if state not in _WORDS]


def _text(text: str) -> str:
    """Text that a page can hold, on one line: half characters, undecodable bytes, control characters and those that turn the direction are gone."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return clean(re.sub(r"\s+", " ", whole))


def _finite(number: float | None) -> float | None:
    return float(number) if number is not None and math.isfinite(number) else None


def _significant(number: float | None, digits: int) -> float | int | None:
    """A number with its first digits alone, whole where it is whole; None for what is no finite number."""
    known = _finite(number)
    if known is None:
        return None
    short = float(f"{known:.{digits}g}")
    return int(short) if short.is_integer() else short


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _minutes(moment: datetime) -> str:
    return f"{_utc(moment):%Y-%m-%d %H:%M} UTC"


def _seconds(start_time: str | None) -> str | None:
    """A moment in UTC to the second, so that the texts sort as the moments do; as it is where it is none that can be read."""
    if not start_time:
        return None
    try:
        return f"{_utc(datetime.fromisoformat(start_time)):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError):
        return _text(start_time)


def _json(value: Any) -> str:
    """Compact JSON that a script element of HTML can hold, whatever its strings say."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(_IN_HTML)


def _result_link(output: str | None) -> str:
    if output is None:
        return ""
    try:
        name = output.encode("utf-8", "surrogateescape")  # bytes that are no UTF-8 are quoted as they lie on the disk
    except UnicodeEncodeError:
        name = _text(output).encode("utf-8")
    # "./" before it, so that no name is read as a scheme or a host.
    return f'Result: <a href="./{html.escape(quote(name))}">{html.escape(_text(output))}</a>. '


def _counts_html(counts: Counter[str]) -> str:
    items = [
        f'<li data-state="{html.escape(state)}"><i class="swatch{_state_class(state)}"></i>{html.escape(words)} <b>{counts[state]:,}</b></li>'
        for state, words in _words_of(counts)
    ]
    return "\n".join(items)


def _legend_html() -> str:
    classes = "".join(f'<li><i class="swatch c{i}"></i>{html.escape(class_label(i))}</li>' for i in range(len(EDGES) + 1))
    question = QUESTIONS["videos"][0].lower() + QUESTIONS["videos"][1:]
    said = f"Colour of a line: {question}. Dotted: a best guess of a video that is not located."
    return f"<p>{html.escape(said)}</p><ul>{classes}</ul>"


def _state_class(state: str) -> str:
    return f" s-{state}" if state in _WORDS and state else ""


def _colour_rules() -> str:
    """The colours of every output as rules of the style: c0 and on are the classes of confidence, s- and a state's name the states."""
    states = {FrameState.LOCATED.value: _LOCATED_COLOUR, **{state: colour for state, (colour, _) in STATES.items()}}
    rules = [f".c{i}{{background:{colour};stroke:{colour}}}" for i, colour in enumerate(CLASS_COLOURS)]
    rules += [f".s-{state}{{background:{colour};border-color:{colour}}}" for state, colour in states.items()]
    return "\n".join([*rules, f".casing{{stroke:{OUTLINE}}}"])


def _filled(texts: dict[str, str]) -> tuple[str, str]:
    """The page before its rows and after them.

    The style and the script are allowed by their digests alone, so that no text of a video could ever act, were it taken for markup.
    """
    template = (resources.files(__package__) / _TEMPLATE).read_text(encoding="utf-8").replace("@@COLOURS@@", texts["COLOURS"])
    for name, tag in (("STYLE_DIGEST", "<style>"), ("SCRIPT_DIGEST", "<script>")):
        text = template.split(tag, 1)[1].split(tag.replace("<", "</"), 1)[0]
        texts[name] = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    before, after = template.split("@@ROWS@@")
    return _MARKER.sub(lambda found: texts[found[1]], before), _MARKER.sub(lambda found: texts[found[1]], after)
