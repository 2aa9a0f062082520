"""MkDocs' hook: what the site takes from elsewhere in the checkout, when it is built: the icon, files or sections that a page shows, and notebooks, executed."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import notebook_page  # noqa: E402 - a file beside this one, which MkDocs loads by its path

_SHOWN = re.compile(r"^<!-- show: (?P<file>[\w.]+)(?: # (?P<section>.+?))? -->$", re.MULTILINE)


def on_files(files: Files, config: Any) -> Files:
    """The plugin's icon is the site's; each notebook is executed and gets a page, beside itself."""
    files.append(File.generated(config, "images/icon.svg", abs_src_path=str(ROOT / "resources" / "icon.svg")))
    for one in [file for file in files if file.src_uri.endswith(".ipynb")]:
        path = Path(str(one.abs_src_path))
        text, pictures = notebook_page.page(notebook_page.executed(path), path.stem)
        files.append(File.generated(config, one.src_uri.removesuffix("ipynb") + "md", content=text))
        folder = one.src_uri.rpartition("/")[0]
        for name, png in pictures.items():
            files.append(File.generated(config, f"{folder}/{name}".lstrip("/"), content=png))
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
