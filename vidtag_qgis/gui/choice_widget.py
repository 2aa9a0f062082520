"""QGIS's own widget of a choice, which also shows what is told by key or number.

Saved batches, the history and models of 0.1.0 hold keys, such as ``none``. QGIS's widget knows only the words that it shows, and puts the default in the place
of all else without a word: whoever opened such a batch would run something else than was saved.
"""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingModelChildParameterSource
from qgis.gui import QgsGui, QgsProcessingGui

from ..algorithms.inputs import Choice


class ChoiceWidget:
    """Named by a parameter's metadata: Processing calls it for the parameter's widget, which it makes as for any other parameter."""

    def __new__(cls, parameter: Choice, dialog: Any, _row: int = 0, _col: int = 0) -> Any:
        """The widget wrapper of QGIS, with the two ways in which a dialog tells it a value going through the words."""
        registry, kind = QgsGui.processingGuiRegistry(), dialog.__class__.__name__
        if kind == "ModelerParametersDialog":
            wrapper = registry.createModelerParameterWidget(dialog.model, dialog.childId, parameter, dialog.context)
            show = wrapper.setWidgetValue
            wrapper.setWidgetValue = lambda value: show(_sources_in_words(parameter, value))
        else:
            batch = kind == "BatchAlgorithmDialog"
            shown_in = QgsProcessingGui.WidgetType.Batch if batch else QgsProcessingGui.WidgetType.Standard
            wrapper = registry.createParameterWidgetWrapper(parameter, shown_in)
            take = wrapper.setParameterValue
            wrapper.setParameterValue = lambda value, context: take(parameter.in_words(value), context)
        wrapper.setDialog(dialog)
        return wrapper


def _sources_in_words(parameter: Choice, value: Any) -> Any:
    """What a model's step is given, one source or several."""
    for source in value if isinstance(value, (list, tuple)) else [value]:
        # The enumeration's own name moved in 3.34 and left none behind, so it is asked of a value.
        if source.source() == QgsProcessingModelChildParameterSource.fromStaticValue("").source():
            source.setStaticValue(parameter.in_words(source.staticValue()))
    return value
