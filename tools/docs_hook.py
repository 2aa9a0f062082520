"""MkDocs' hook: what the site takes from elsewhere in the checkout, when it is built: the icon, and files or sections that a page shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
_SHOWN = re.compile(r"^<!-- show: (?P<file>[\w.]+)(?: # (?P<section>.+?))? -->$", re.MULTILINE)


def on_files(files: Files, config: Any) -> Files:
    """The plugin's icon is the site's."""
    files.append(File.generated(config, "images/icon.svg", abs_src_path=str(ROOT / "resources" / "icon.svg")))
    return files


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
