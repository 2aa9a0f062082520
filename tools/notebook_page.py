"""A notebook as a page: executed as it is stored, in a copy of the demo, and shown with what its cells gave. A cell that fails fails the page.

    python tools/notebook_page.py docs/notebook.ipynb        execute it, and print the page

It runs in the environment of ``tools/environment.py docs``, which has Jupyter's kernel beside all that the engine's has.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbclient
import nbformat

ROOT = Path(__file__).resolve().parent.parent
_CELL_S = 300
_ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[^\n]*\r(?!\n)")  # colours, and what a progress bar has written over


def executed(path: Path) -> Any:
    """The notebook with its outputs.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory(prefix="vidtag-notebook-") as folder:
        place = Path(folder) / "vidtag-demo"
        shutil.copytree(ROOT / "resources" / "demo", place)
        client = nbclient.NotebookClient(notebook, timeout=_CELL_S, kernel_name="python3", resources={"metadata": {"path": str(place)}})
        client.execute(env={**os.environ, "PYTHONPATH": str(ROOT)})
    return notebook


def page(notebook: Any, stem: str) -> tuple[str, dict[str, bytes]]:
    """An executed notebook as Markdown, and its pictures by name."""
    parts: list[str] = []
    pictures: dict[str, bytes] = {}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "text/html" in data:
                # A blank line would end the raw HTML.
                parts.append('<div class="output">\n' + re.sub(r"\n\s*\n", "\n", data["text/html"]).strip() + "\n</div>")
            elif "image/png" in data:
                name = f"{stem}-{len(pictures) + 1}.png"
                pictures[name] = base64.b64decode(data["image/png"])
                parts.append(f"![{cell.metadata.get('alt', 'What the cell draws')}]({name})")
            elif text := _ESCAPE.sub("", output.get("text") or data.get("text/plain", "")).strip():
                parts.append(f"```text\n{text}\n```")
    return "\n\n".join(parts) + "\n", pictures


if __name__ == "__main__":
    print(page(executed(Path(sys.argv[1])), Path(sys.argv[1]).stem)[0])
