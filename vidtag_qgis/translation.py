"""Words of the windows in the language of QGIS, where there is a translation."""

from __future__ import annotations

from typing import Optional

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QTranslator

from .places import RESOURCES

CONTEXT = "VidTAG"
I18N = RESOURCES / "i18n"


def tr(text: str) -> str:
    """The text in the language of QGIS; as it is where nobody has translated it. Values are put in afterwards, by ``format``."""
    return QCoreApplication.translate(CONTEXT, text)


def install(language: str = "") -> Optional[QTranslator]:
    """Take the translation for QGIS's language, or for this one; None where there is none, as for English. What it gives must be kept, and removed at the end."""
    language = (language or str(QgsApplication.locale() or "")).split("_")[0].split("-")[0].lower()
    file = I18N / f"vidtag_{language}.qm"
    translator = QTranslator()
    if not file.is_file() or not translator.load(str(file)):
        return None
    QCoreApplication.installTranslator(translator)
    return translator


def remove(translator: Optional[QTranslator]) -> None:
    """Take a translation away again."""
    if translator is not None:
        QCoreApplication.removeTranslator(translator)
