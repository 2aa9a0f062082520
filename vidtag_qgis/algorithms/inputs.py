"""Inputs as this plugin's dialogs show them: choices in plain words, and what may be left empty because something else is given in its stead."""

from __future__ import annotations

from typing import Any, Optional

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFile,
    QgsProcessingParameterMultipleLayers,
    QgsProject,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QCoreApplication, QThread

from ..translation import everywhere, mark, tr

OLD_KEYS = {"viterbi": "hmm"}
"""Keys that scripts and models of 0.1.0 say, and what they are called now."""
DETAILS = {"none": mark("None"), "xfeat": mark("XFeat (17 kB a picture)")}
"""What may be kept of pictures beside what they look like as a whole."""
_WIDGET = "vidtag_qgis.gui.choice_widget.ChoiceWidget"  # by name: it is only loaded where there is a dialog


def key_of(words: dict[str, str], value: Any) -> Optional[str]:
    """The key of a choice that a value names as key, as an older key, by its number or by its words in any language; None for anything else."""
    given = OLD_KEYS.get(str(value), str(value))
    if given.isdecimal() and int(given) < len(words):
        return list(words)[int(given)]
    if given in words:
        return given
    return next((key for key, text in words.items() if given in everywhere(text)), None)


class Choice(QgsProcessingParameterEnum):
    """A choice that shows words and is known to scripts and models by keys, as the command line has them; a number is taken as well.

    Args:
        name, text: of the parameter.
        words: what is shown, by key, in English; the first is the default. None has a comma, at which QGIS would part it.
    """

    def __init__(self, name: str, text: str, words: dict[str, str]) -> None:
        shown = [tr(text) for text in words.values()]
        super().__init__(name, text, shown, defaultValue=shown[0], usesStaticStrings=True)
        self.words = words
        self.setMetadata({"widget_wrapper": {"class": _WIDGET}})

    def in_words(self, value: Any) -> Any:
        """The value as the dialog shows it: words in the language of QGIS for a key, a number or words of another; anything else as it is."""
        key = key_of(self.words, value)
        return value if key is None else tr(self.words[key])

    def checkValueIsAcceptable(self, value: Any, context: Optional[QgsProcessingContext] = None) -> bool:
        """Whether it is a key, the words or the number of one of the choices."""
        return key_of(self.words, value) is not None or super().checkValueIsAcceptable(value, context)


class _Either:
    """Of two inputs one must be given. QGIS would write "[optional]" at both, so the check that one is there is the algorithm's own."""

    def checkValueIsAcceptable(self, value: Any, context: Optional[QgsProcessingContext] = None) -> bool:
        """Whether it is empty, or what the parameter takes."""
        return value in (None, "", []) or bool(super().checkValueIsAcceptable(value, context))  # type: ignore[misc]


class EitherFiles(_Either, QgsProcessingParameterMultipleLayers):
    """Several files, or what else is given."""


class EitherFile(_Either, QgsProcessingParameterFile):
    """A file or folder, or what else is given."""


def only_area() -> Optional[str]:
    """The id of the project's only layer of polygons, which is most likely the area that is meant; None where there are several or none.

    The regions of a result are no area to search.
    """
    if QCoreApplication.instance() is None or QThread.currentThread() != QCoreApplication.instance().thread():
        return None  # a step of a model that runs in the background; layers are the main thread's
    layers = [layer for layer in QgsProject.instance().mapLayers().values() if isinstance(layer, QgsVectorLayer)]
    found = [
        layer.id()
        for layer in layers
        if layer.isValid() and layer.geometryType() == QgsWkbTypes.GeometryType.PolygonGeometry and layer.fields().indexOf("aoi_share") < 0
    ]
    return found[0] if len(found) == 1 else None
