"""Letters for PDFs: DejaVu Sans, which lies in matplotlib, and of this computer's fonts those that have what it lacks."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from fontTools.ttLib import TTCollection, TTFont, TTLibError
from matplotlib import font_manager

BODY = "Body"
_MOST_OTHERS = 4
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"
_FIRST_SHAPED = "\u0590"
"""Hebrew begins here, after the scripts whose letters stand one behind the other. Others after it that do so lose nothing but time."""


@dataclass(frozen=True)
class Fonts:
    """What a document is written with.

    Args:
        files: family, style ("" or "B"), file, and number in it where it is a collection.
        others: families that have letters which the first lacks.
        missing: letters that none of them has.
        shaped: whether letters are of a script that is written from the right, joined or stacked, so that HarfBuzz has to place them.
    """

    files: tuple[tuple[str, str, Path, int], ...]
    others: tuple[str, ...]
    missing: frozenset[str]
    shaped: bool = False

    @property
    def note(self) -> str:
        """What is to be said of letters that are missing; empty where none is."""
        if not self.missing:
            return ""
        return (
            f"No font of the computer that made this PDF has the letters that stand here as {_UNKNOWN}: the page beside this file shows them. "
            "Install a font such as Noto Sans of that script, and make the folder again."
        )

    def written(self, text: str) -> str:
        """A text whose missing letters are marked as such, rather than left out in silence."""
        text = "".join(" " if one in "\t\r\n\v\f" else one for one in text)
        return "".join(_UNKNOWN if one in self.missing else one for one in text) if self.missing else text


def fonts_for(text: str) -> Fonts:
    """Fonts that have every letter of a text, as far as this computer has such."""
    # What a subset leaves out of a font's tables is none of the user's business.
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    files = [(BODY, "", folder / "DejaVuSans.ttf", 0), (BODY, "B", folder / "DejaVuSans-Bold.ttf", 0)]
    missing = {one for one in text if one.isprintable() and not one.isspace()} - _letters(files[0][2], 0)
    others: list[str] = []
    if missing:
        for path, number, letters in _of_this_computer(missing):
            if not missing & letters or len(others) == _MOST_OTHERS:
                continue
            missing -= letters
            others.append(f"Other{len(others)}")
            files += [(others[-1], style, path, number) for style in ("", "B")]
    return Fonts(tuple(files), tuple(others), frozenset(missing), any(one >= _FIRST_SHAPED and one.isalpha() for one in text))


def _of_this_computer(wanted: set[str]) -> Iterable[tuple[Path, int, set[str]]]:
    """Fonts with any of the letters, those with most first; their names decide between equals, so that the same computer always takes the same."""
    found = []
    for name in sorted({*font_manager.findSystemFonts(fontext="ttf"), *font_manager.findSystemFonts(fontext="otf")}):
        path = Path(name)
        letters = _letters(path, 0) & wanted
        if letters:
            found.append((path, 0, letters))
    return sorted(found, key=lambda one: (-len(one[2]), one[0].name))


def _letters(path: Path, number: int) -> set[str]:
    """The letters that a font draws by outlines; none where it cannot be read, or draws by coloured pictures."""
    try:
        if path.suffix.lower() in (".ttc", ".otc"):
            with TTCollection(str(path), lazy=True) as collection:
                return _drawn(collection.fonts[number])
        with TTFont(str(path), lazy=True) as font:
            return _drawn(font)
    except (TTLibError, OSError, KeyError, ValueError, AssertionError, IndexError):
        return set()


def _drawn(font: TTFont) -> set[str]:
    if not {"glyf", "CFF "} & set(font.keys()):
        return set()
    return {chr(code) for code in font.getBestCmap() or {}}
