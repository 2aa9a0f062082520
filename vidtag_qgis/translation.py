"""Words in the language of QGIS, where there is a translation.

The plugin's own are marked where they stand, by ``tr`` or, in tables, by ``mark``. Sentences that come whole from the engine, or from the client that
starts it, are known again by their English patterns, see ``translated``: neither needs Qt for it, and what they write to logs and results stays English.
"""

from __future__ import annotations

import re
import string

# It reads the plugin's own files alone.
import xml.etree.ElementTree as ET  # nosec B405
from functools import cache
from typing import Any, Optional

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QLocale, QTranslator

from .places import RESOURCES

CONTEXT = "VidTAG"
ENGINE_CONTEXT = "VidTAG engine"
I18N = RESOURCES / "i18n"
_LANGUAGE: list[str] = []
"""Language of the translation that is in use; empty where there is none."""
_SENTENCE_END = re.compile(r"(?<=[.!?]) (?=[A-Z'{])")


def mark(text: str) -> str:
    """The text as it is: marks what stands in a table, to be given to ``tr`` when it is shown."""
    return text


def tr(text: str, /, **values: Any) -> str:
    """The text in the language of QGIS; as it is where nobody has translated it.

    Args:
        text: a whole sentence or name. ``{name:,}`` stands for a value, which a translation may put elsewhere.
        values: to put in; numbers have the language's separators. None: braces are left alone.
    """
    return filled(QCoreApplication.translate(CONTEXT, text), values)


def filled(text: str, values: dict[str, Any]) -> str:
    """A template with its values, numbers as the language in use writes them."""
    return _Filling().vformat(text, (), values) if values else text


class _Filling(string.Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        shown = str(format(value, format_spec))
        if not _LANGUAGE or isinstance(value, bool) or not isinstance(value, (int, float)) or not format_spec:
            return shown
        return shown.translate(_separators(_LANGUAGE[-1]))


@cache
def _separators(language: str) -> dict[int, str]:
    locale = QLocale(language)
    return {ord(","): str(locale.groupSeparator()), ord("."): str(locale.decimalPoint())}


def translated(text: str) -> str:
    """A sentence of the engine or its client in the language of QGIS; several are translated one by one. What is not known stays as it is."""
    if not _LANGUAGE or not text:
        return text
    whole = _known(text)
    if whole is not None:
        return whole
    sentences = [_known(one) for one in _SENTENCE_END.split(text)]
    return " ".join(sentences) if None not in sentences else text  # type: ignore[arg-type]


def _known(text: str) -> Optional[str]:
    """The translation of the pattern that fits with the most letters of its own."""
    for pattern, translation in _patterns(_LANGUAGE[-1]):
        if (found := pattern.fullmatch(text)) is not None:
            # A value may be a sentence or a clause of the engine's, or words of the plugin that were put into it; names of files rarely have spaces.
            values = {name: _value(value) if " " in value else value for name, value in found.groupdict().items()}
            return _Filling().vformat(translation, (), values)
    return None


def _value(text: str) -> str:
    known = translated(text)
    return QCoreApplication.translate(CONTEXT, text) if known == text else known


@cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], str]]:
    """What the engine's sentences look like, those that say the most first, and what they are called."""
    known = messages(language).get(ENGINE_CONTEXT, {})
    letters = {source: sum(len(own) for own, *_ in string.Formatter().parse(source)) for source in known}
    return [(_pattern(source), known[source]) for source in sorted(known, key=lambda one: -letters[one]) if known[source]]


def _pattern(source: str) -> re.Pattern[str]:
    parts = []
    for own, name, _, _ in string.Formatter().parse(source):
        parts.append(re.escape(own))
        if name is not None:
            parts.append(f"(?P<{name}>.+?)")
    return re.compile("".join(parts), re.DOTALL)


@cache
def messages(language: str) -> dict[str, dict[str, str]]:
    """By context what a language's ``.ts`` says for each English text."""
    # A file of our own.
    contexts = ET.parse(I18N / f"vidtag_{language}.ts").getroot().iter("context")  # noqa: S314  # nosec B314
    return {
        str(context.findtext("name")): {str(one.findtext("source")): one.findtext("translation") or "" for one in context.iter("message")}
        for context in contexts
    }


@cache
def everywhere(text: str) -> frozenset[str]:
    """The text and all of its translations: what a model or script may hold that was made in another language."""
    languages = [path.stem.partition("_")[2] for path in I18N.glob("vidtag_*.ts")]
    return frozenset([text, *(messages(language)[CONTEXT].get(text) or text for language in languages)])


def install(language: str = "") -> Optional[QTranslator]:
    """Take the translation for QGIS's language, or for this one; None where there is none, as for English. What it gives must be kept, and removed at the end."""
    language = (language or str(QgsApplication.locale() or "")).split("_")[0].split("-")[0].lower()
    file = I18N / f"vidtag_{language}.qm"
    translator = QTranslator()
    if not file.is_file() or not translator.load(str(file)):
        return None
    QCoreApplication.installTranslator(translator)
    _LANGUAGE.append(language)
    return translator


def remove(translator: Optional[QTranslator]) -> None:
    """Take a translation away again."""
    if translator is not None:
        QCoreApplication.removeTranslator(translator)
        _LANGUAGE.pop()
