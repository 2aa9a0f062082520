"""Show of a result only what is sure enough, and of a stretch of time: by a rule of the layers' style.

A filter of the layers' rows would be refused while a layer is edited, would empty attribute tables, and would make QGIS read the file anew at each step of a
slider. A rule is none of these: the style's first rule, which all others stand under, lets rows through.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Optional

from qgis.core import QgsProject, QgsRuleBasedRenderer, QgsVectorLayer

from .edits import file_of, real

KINDS = ("frames", "trajectory", "regions", "matches")
"""Layers of a result that are filtered, where they have the fields for it."""
_TIMES = (("time_s", "time_s"), ("from_time_s", "to_time_s"))


@dataclass(frozen=True)
class MapFilter:
    """What is shown.

    Args:
        least_confidence: 0 to 1; 0 is all.
        not_rated: also what has no confidence, where ``least_confidence`` is above 0.
        from_s, to_s: stretch of the video, seconds after its start; None is open.
        video: that the stretch is of, others are shown whole; empty for all.
    """

    least_confidence: float = 0.0
    not_rated: bool = True
    from_s: Optional[float] = None
    to_s: Optional[float] = None
    video: str = ""

    def expression(self, fields: Iterable[str]) -> str:
        """As QGIS's expression for a layer with these fields; empty where it lets all through."""
        there, parts, times = set(fields), [], []
        if self.least_confidence > 0 and "confidence" in there:
            enough = f'"confidence" >= {self.least_confidence:g}'
            parts.append(f'({enough} or "confidence" is null)' if self.not_rated else enough)
        begin, end = next((pair for pair in _TIMES if there >= set(pair)), ("", ""))
        if begin and self.from_s is not None:
            times.append(f'"{end}" >= {self.from_s:.3f}')
        if begin and self.to_s is not None:
            times.append(f'"{begin}" <= {self.to_s:.3f}')
        if times and self.video and "video" in there:
            name = self.video.replace("'", "''")
            times = [f"(\"video\" <> '{name}' or ({' and '.join(times)}))"]
        return " and ".join([*parts, *times])


def layers_of(geopackage: str) -> list[QgsVectorLayer]:
    """The project's layers of a result that can be filtered: those whose style has rules."""
    path = real(geopackage) if geopackage else ""
    layers = (layer for layer in QgsProject.instance().mapLayers().values() if isinstance(layer, QgsVectorLayer))
    return [layer for layer in layers if path and file_of(layer) == path and isinstance(layer.renderer(), QgsRuleBasedRenderer)]


def show_only(layers: Iterable[QgsVectorLayer], wanted: MapFilter) -> None:
    """Let each layer draw only what the filter lets through; a filter that lets all through takes an older one away."""
    for layer in layers:
        renderer = layer.renderer()
        if not isinstance(renderer, QgsRuleBasedRenderer):
            continue
        expression = wanted.expression(layer.fields().names())
        root = renderer.rootRule()
        if root.filterExpression() != expression:
            root.setFilterExpression(expression)
            layer.triggerRepaint()
