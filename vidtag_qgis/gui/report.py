"""The doctor's report as text that can be copied into an issue: in English for whoever reads it there, whatever the language of QGIS."""

from __future__ import annotations

from typing import Any

from qgis.core import Qgis
from qgis.PyQt.QtCore import QT_VERSION_STR, QSysInfo

from ..engine_client import EngineError, EngineInterpreter
from ..translation import translated


def report_text(interpreter: EngineInterpreter, report: dict[str, Any]) -> str:
    """What is installed, device and weights, line by line."""
    ready = "The engine is ready." if report.get("ok") else "The engine starts, but is not complete: see below."
    lines = [str(report.get("readiness") or ready), ""]
    lines += _surroundings(interpreter)
    device = report.get("device") or {}
    if device:
        lines.append(f"Device: {device.get('auto')} ({device.get('name')}), {device.get('precision')}, {device.get('memory_gb')} GB")
    lines += [f"{name}: {version or 'missing'}" for name, version in report.get("versions", {}).items()]
    lines += [f"Weights {row['name']}: {'found' if row['found'] else 'not found'} ({row['use']})" for row in report.get("weights", [])]
    lines += [f"- {advice}" for advice in report.get("advice", [])]
    return "\n".join(lines)


def error_text(error: EngineError, interpreter: object = None) -> str:
    """The sentence first, then what helps whoever reads the report."""
    lines = [translated(str(error)), ""]
    lines += _surroundings(interpreter) if isinstance(interpreter, EngineInterpreter) else _surroundings(None)
    return "\n".join([*lines, *(["", error.detail] if error.detail else [])])


def _surroundings(interpreter: object) -> list[str]:
    lines = [f"QGIS {Qgis.QGIS_VERSION}, Qt {QT_VERSION_STR}, {QSysInfo.prettyProductName()}"]
    if isinstance(interpreter, EngineInterpreter):
        lines.append(f"Engine's Python: {interpreter.python} (from {interpreter.source})")
        if interpreter.engine_path:
            lines.append(f"Engine's source: {interpreter.engine_path}")
    return lines
