"""MkDocs' hook: the pages that show a file of the checkout, or a section of one, take it as it is when the site is built."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_SHOWN = re.compile(r"^<!-- show: (?P<file>[\w.]+)(?: # (?P<section>.+?))? -->$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put each ``<!-- show: FILE # Section -->`` line's text in its place; links to docs/ become links between pages."""
    return _SHOWN.sub(lambda found: _text(found["file"], found["section"]), markdown)


def _text(file: str, section: str | None) -> str:
    text = (ROOT / file).read_text(encoding="utf-8")
    if section:
        parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
        text = dict(zip(parts[1::2], parts[2::2], strict=True))[section]
    else:
        text = re.sub(r"\A# .*\n", "", text)  # the page has a title of its own
    return re.sub(r"\[([^\]]*)\]\(docs/", r"[\1](", text).strip()
