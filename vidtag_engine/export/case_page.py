"""A video of a result as one page to hand over: where it was taken, frame by frame, by what, and what that is worth. It asks for nothing from outside.

The page holds its pictures and its drawings; it has no script, and its policy forbids every connection.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Sequence
from pathlib import Path

from ..atomic import write_text
from ..file_marks import mark_of
from ..types import FloatArray
from .case_content import BOX, CaseContent, Drawing, Fact, Figure, Reference

_STYLE = """:root{color-scheme:light dark;--ink:#222;--soft:#555;--ground:#fff;--line:#ccc;--raised:#f5f5f2}
@media (prefers-color-scheme:dark){:root{--ink:#e6e6e6;--soft:#aaa;--ground:#17191c;--line:#44484d;--raised:#24272b}}
*{box-sizing:border-box}body{font:16px/1.5 sans-serif;max-width:70em;margin:1.5em auto;padding:0 1em;color:var(--ink);background:var(--ground)}
h1{font-size:1.6em;overflow-wrap:anywhere}h2{font-size:1.2em;margin-top:1.6em}img{max-width:100%;height:auto}
table{border-collapse:collapse}th,td{border-bottom:1px solid var(--line);padding:.25em .8em .25em 0;text-align:left;vertical-align:top;overflow-wrap:anywhere}
th{font-weight:normal;color:var(--soft);white-space:nowrap}figure{margin:1em 0;padding:1em;background:var(--raised);break-inside:avoid}
.frame{display:flex;flex-wrap:wrap;gap:1em}.frame>*{flex:1 1 14em}.frame>img,.frame>svg{flex:0 1 auto;max-width:30em}figcaption{margin-top:.5em}
.match{display:flex;gap:.6em;align-items:flex-start;font-size:.875em;color:var(--soft)}.match img{width:8em}.soft{color:var(--soft)}
svg{background:#fbfbf8;border:1px solid var(--line)}@media print{:root{--ink:#000;--ground:#fff;--raised:#fff}body{max-width:none}}"""


def write_case_page(path: Path, content: CaseContent, *, overwrite: bool = False) -> None:
    """Write the page, whole or not at all.

    Args:
        path: an .html.
        content: that it shows.
        overwrite: replace what is there also where it is no such page of this tool.

    Raises:
        InputError: it cannot be written.
    """
    way = "<p>There is nothing to draw: the video has no place.</p>"
    if content.map_png is not None:
        way = f'<p><img alt="Map of the way, coloured by confidence" src="data:image/png;base64,{_b64(content.map_png)}"></p>'
    body = [
        f"<h1>{_h(content.title)}</h1>",
        *(f"<p>{_h(sentence)}</p>" for sentence in content.answer),
        "<h2>The case</h2>", _facts(content.case),
        "<h2>The way</h2>", way,
        "<h2>Frame by frame</h2>", f'<p class="soft">{_h(content.about_frames)}</p>', *map(_figure, content.figures),
        "<h2>How it was found</h2>", _facts(content.method),
        "<h2>What to bear in mind</h2>", "<ul>" + "".join(f"<li>{_h(sentence)}</li>" for sentence in content.caveats) + "</ul>",
    ]  # fmt: skip
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode("utf-8")).digest()).decode("ascii")
    page = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="generator" content="{mark_of("page")}">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
        f"style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'\">"
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>{_h(content.name)}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n" + "\n".join(body) + "\n</body></html>\n"
    )
    write_text(path, page, "page", overwrite=overwrite)


def _figure(figure: Figure) -> str:
    picture = (
        f'<img alt="The frame" src="data:image/jpeg;base64,{_b64(figure.picture)}">'
        if figure.picture
        else '<p class="soft">No picture.</p>'
    )
    drawing = "" if figure.drawing is None else _drawing(figure.drawing)
    return f'<figure><div class="frame">{picture}{drawing}<div>{_facts(figure.facts)}{"".join(map(_reference, figure.references))}</div></div></figure>'


def _reference(reference: Reference) -> str:
    picture = f'<img alt="A reference image" src="data:image/jpeg;base64,{_b64(reference.picture)}">' if reference.picture else ""
    return f'<div class="match">{picture}<span>{_h(reference.text)}</span></div>'


def _drawing(drawing: Drawing) -> str:
    parts = [
        f'<path fill="{colour}" fill-rule="evenodd" d="{"".join(_ring(ring) for ring in rings)}"/>' for colour, rings in drawing.regions
    ]
    way = " ".join(f"{x:.1f},{y:.1f}" for x, y in drawing.way)
    parts.append(f'<polyline points="{way}" fill="none" stroke="#444" stroke-width="1.5"/>')
    if drawing.place is not None:
        x, y = drawing.place
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="#d01c8b" stroke="#fff" stroke-width="1.5"/>')
    parts.append(f'<text x="6" y="{BOX - 6}" font-size="11" fill="#333">{_h(drawing.scale)}</text>')
    return (
        f'<svg role="img" aria-label="The frame on the way" width="{BOX}" height="{BOX}" viewBox="0 0 {BOX} {BOX}">{"".join(parts)}</svg>'
    )


def _ring(ring: FloatArray) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in ring) + "Z"


def _facts(facts: Sequence[Fact]) -> str:
    return "<table>" + "".join(f'<tr><th scope="row">{_h(fact.name)}</th><td>{_value(fact)}</td></tr>' for fact in facts) + "</table>"


def _value(fact: Fact) -> str:
    value = _h(fact.value)
    if fact.link:
        return f'<a rel="noreferrer" href="{_h(fact.link)}">{value}</a>'
    return f"<code>{value}</code>" if fact.code else value


def _h(text: str) -> str:
    return html.escape(text)


def _b64(data: bytes | None) -> str:
    return base64.b64encode(data or b"").decode("ascii")
