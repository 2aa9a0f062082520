#!/usr/bin/env python3
"""Write docs/reference's made pages: the Processing algorithms (from resources/help), the command line, and the Python functions (from docstrings).

    tools/make_docs.py [FOLDER]

Run it in the engine's environment, after tools/make_help.py where an algorithm changed. A test says when a page is old.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import inspect
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

_MADE = "<!-- Made by tools/make_docs.py: change what it is made from, and run it again. -->\n"
PYTHON = (
    ("The front door", ("front_door.geolocate", "front_door.evaluate", "front_door.train", "front_door.load", "front_door.Area")),
    ("Results", ("results.Geolocation", "types.VideoResult", "types.Trajectory", "types.Hypotheses", "types.Verdict")),
    ("Settings", ("settings.GeolocateSettings", "training.TrainSettings", "training.recipe", "feedback.Feedback")),
    ("Heat map", ("heatmap.heatmap", "settings.HeatmapSettings")),
    ("Beneath it", ("geolocation.geolocate", "training.train", "evaluation.evaluate_geopackage", "grid.load_aoi", "export.read_geopackage",
                    "video.read_track", "models.from_pretrained", "models.save_pretrained")),
)  # fmt: skip
"""The functions and classes that the Python page tells of, by section."""


def algorithms_page() -> str:
    """The help pages that tools/make_help.py made from the algorithms themselves, one section each."""
    parts = [
        _MADE,
        "# Processing algorithms\n",
        "All are in the toolbox's group *VidTAG*, in the Model Designer, and in `qgis_process` as `vidtag:name`. Names in capitals are the parameters' "
        "keys for models, scripts and `qgis_process`. Each dialog's *Help* button opens the same text.\n",
    ]
    pages = sorted((ROOT / "resources" / "help").glob("*.html"), key=lambda path: (path.stem != "geolocatevideo", path.stem))
    return "\n".join([*parts, *(_algorithm(page.stem, page.read_text(encoding="utf-8")) for page in pages)])


def _algorithm(name: str, page: str) -> str:
    """One help page as Markdown; tables and paragraphs stay HTML, which Markdown takes as it is."""
    body = page.partition("<body>")[2].partition("</body>")[0].strip()
    body = re.sub(r"<h2>The engine</h2>\n<p>.*?</p>\n?", "", body)  # told once, on a page of its own
    body = re.sub(r"<h1>(.*?)</h1>", rf"## \1 {{ #{name} }}\n\n`vidtag:{name}`\n", body)
    body = re.sub(r"<h2>(.*?)</h2>", lambda found: f"\n### {found[1]} {{ #{name}-{_slug(found[1])} }}\n", body)
    body = re.sub(r"<pre>(.*?)</pre>", lambda found: f"```text\n{_plain(found[1])}\n```\n", body, flags=re.DOTALL)
    picture = f"![The dialog](../images/{name}.png)\n" if (ROOT / "docs" / "images" / f"{name}.png").is_file() else ""
    return body.replace(f"`vidtag:{name}`\n", f"`vidtag:{name}`\n\n{picture}", 1) + "\n"


def cli_page() -> str:
    """Every command of ``vidtag`` with its arguments and options, as the command line itself declares them."""
    from typer.main import get_command

    from vidtag_engine.cli.app import app

    parts = [_MADE, "# Command line\n", "`vidtag COMMAND --help` says the same on a terminal.\n"]
    root: Any = get_command(app)
    for name, command in sorted(root.commands.items()):
        members = getattr(command, "commands", None)
        if members is None:
            parts.append(_command(name, command))
            continue
        parts.append(f"## vidtag {name}\n\n{inspect.cleandoc(command.help or '')}\n")
        parts += [_command(f"{name} {member}", members[member]) for member in sorted(members)]
    return "\n".join(parts)


def _command(name: str, command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and p.name != "help" and not p.hidden]
    usage = [f"vidtag {name}"]
    usage += [
        f"{p.name.upper()}{'...' if p.nargs == -1 else ''}" if p.required else f"[{p.name.upper()}{'...' if p.nargs == -1 else ''}]"
        for p in arguments
    ]
    usage += [f"{p.opts[0]} …" for p in options if p.required]
    usage += ["[OPTIONS]"] if any(not p.required for p in options) else []
    rows = [f"| `{p.name.upper()}` | {_cell(p.help)} | {'required' if p.required else ''} |" for p in arguments]
    rows += [f"| {_names(p)} | {_cell(p.help)} | {_default(p)} |" for p in options]
    parts = [f"## vidtag {name}\n", inspect.cleandoc(command.help or ""), f"\n```text\n{' '.join(usage)}\n```\n"]
    parts += ["| | what | default |", "|---|---|---|", *rows, ""]
    examples = [line.strip() for line in (command.epilog or "").splitlines() if line.strip().startswith("vidtag ")]
    if examples:
        parts.append("For example:\n\n```text\n" + "\n".join(examples) + "\n```")
    return "\n".join(parts) + "\n"


def _names(option: Any) -> str:
    return ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])


def _default(option: Any) -> str:
    value = option.default
    if option.required:
        return "required"
    if callable(value) or value is None or value is False or isinstance(value, list | tuple):
        return ""
    return f"`{option.opts[0].strip('-') if option.is_flag else value}`"


def python_page() -> str:
    """The functions that scripts may call, with signatures and docstrings."""
    parts = [
        _MADE,
        "# Python\n",
        "The names of the front door are `vidtag_engine`'s own (`import vidtag_engine as vidtag`); [From Python](../how-to/python.md) has examples. "
        "Whatever is wrong with an input raises `vidtag.InputError` with one sentence.\n",
    ]
    for title, names in PYTHON:
        parts.append(f"## {title}\n")
        for dotted in names:
            module, _, name = f"vidtag_engine.{dotted}".rpartition(".")
            parts.append(_described(f"{module}.{name}", getattr(importlib.import_module(module), name)))
    return "\n".join(parts)


def _described(dotted: str, thing: Any) -> str:
    name = dotted.rpartition(".")[2]
    fields = getattr(thing, "model_fields", None)
    shown = (
        {key: f"{field.get_default(call_default_factory=False)!r}" for key, field in fields.items() if not field.is_required()}
        if fields
        else {}
    )
    text = [f"### {name} {{ #{dotted} }}\n", f"`{dotted}`\n"]
    if inspect.isfunction(thing):
        lines = [f"    {parameter}," for parameter in _parameters(thing)]
        returns = inspect.signature(thing).return_annotation
        text.append("```python\n" + "\n".join([f"{name}(", *lines, f") -> {returns}"]) + "\n```\n")
    told = inspect.getdoc(thing) or ""
    if fields and all(field.description for field in fields.values()):
        told += "\n\nArgs:\n" + "\n".join(f"    {key}: {field.description}" for key, field in fields.items())
    text.append(_docstring(told, shown))
    return "\n".join(text)


def _parameters(function: Any) -> list[str]:
    """As they are declared, the bare ``*`` before those that are given by name alone."""
    found: list[str] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in found:
            found.append("*")
        found.append(str(parameter).replace("'", "") if parameter.default is parameter.empty else _declared(parameter))
    return found


def _declared(parameter: inspect.Parameter) -> str:
    default = parameter.default
    bare = (
        dataclasses.is_dataclass(default) and not isinstance(default, type) and default == type(default)()
    )  # repr would spell out every field
    return f"{parameter.name}: {parameter.annotation} = {f'{type(default).__name__}()' if bare else repr(default)}"


def _docstring(text: str, defaults: dict[str, str]) -> str:
    """Google's style as Markdown: sections in bold, their entries as a list."""
    lines: list[str] = []
    section = ""
    for line in re.sub(r":\w+:`~?", "`", text.replace("``", "`")).splitlines():
        if re.fullmatch(r"(Args|Returns|Raises|Yields):", line):
            section = line[:-1]
            lines += ["", f"**{'Arguments' if section == 'Args' else section}**", ""]
        elif section and (entry := re.fullmatch(r" {4}([\w, *]+): (.*)", line)):
            names = ", ".join(f"`{name.strip()}`" for name in entry[1].split(","))
            default = defaults.get(entry[1].strip())
            lines.append(f"- {names}{f' (`{default}`)' if default else ''}: {entry[2]}")
        elif section and line.strip():
            lines.append(f"  {line.strip()}" if lines and lines[-1].startswith(("- ", "  ")) else line.strip())
        else:
            lines.append(line)
    page = "\n".join(lines) + "\n"
    return re.sub(r"(?m)(?:^>>> .*\n(?:(?!>>>|\n).*\n)*)+", lambda found: f"```pycon\n{found[0]}```\n", page)


def _slug(text: str) -> str:
    return re.sub(r"\W+", "-", text.lower())


def _plain(text: str) -> str:
    import html

    return html.unescape(text)


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|").replace("<", "&lt;")


PAGES = {"algorithms.md": algorithms_page, "cli.md": cli_page, "python.md": python_page}


def main() -> None:
    """Write all pages, to docs/reference or the folder given."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "reference", help="where to write them")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (folder / name).write_text(re.sub(r"\n{3,}", "\n\n", page()).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
