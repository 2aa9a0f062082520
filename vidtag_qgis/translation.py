"""Words of the windows in the language of QGIS, where there is a translation."""

from __future__ import annotations

from qgis.PyQt.QtCore import QCoreApplication

CONTEXT = "VidTAG"


def tr(text: str) -> str:
    """The text in the language of QGIS; as it is where nobody has translated it. Values are put in afterwards, by ``format``."""
    return QCoreApplication.translate(CONTEXT, text)
