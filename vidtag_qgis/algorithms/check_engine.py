"""The Processing algorithm "Check the engine"."""

from __future__ import annotations

import configparser
import html
import os
import platform
from typing import Any, ClassVar, Optional

from qgis.core import (
    Qgis,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputBoolean,
    QgsProcessingOutputString,
    QgsProcessingParameterFileDestination,
)
from qgis.PyQt.QtCore import QT_VERSION_STR

from .. import engine
from ..engine_client.environment_files import write_whole
from ..engine_client.file_marks import mark_of
from ..places import METADATA
from ..translation import mark, tr
from . import checks
from .base import VidTAGAlgorithm

_HELP = mark("""Says what is installed, which device computes, which weights are found, and what to do about what is missing.

The report has no user name and no file names: paste it into an issue when something does not work. It runs without an engine, too, and then \
says why there is none.""")


class CheckEngine(VidTAGAlgorithm):
    """Nothing in; a report on engine, device, weights and versions out."""

    ID, TITLE, TEXT = "checkengine", mark("Check the engine"), _HELP
    SUMMARY = mark("What is installed, which device, which weights, which versions: a report to paste into an issue.")
    TAGS = ("doctor", "check", "install", "version", "report", "issue", "device", "gpu", "cuda", "weights", "diagnose")
    WRITES: ClassVar[dict[str, str]] = {"OUTPUT": "html"}

    def declare(self) -> None:
        """Declare the outputs."""
        self.overwrite()
        self.add(
            QgsProcessingParameterFileDestination("OUTPUT", tr("Report"), "HTML (*.html)", optional=True),
            tr("The report as a page; its text is an output of its own."),
        )
        self.addOutput(QgsProcessingOutputBoolean("READY", tr("Ready to geolocate with checkpoints of your own")))
        for name, text in (("REPORT", tr("Report (text)")), ("ENGINE_VERSION", tr("Engine")), ("DEVICE", tr("Device"))):
            self.addOutput(QgsProcessingOutputString(name, text))

    def canExecute(self) -> tuple[bool, str]:
        """Always: it is here to say what is wrong."""
        return True, ""

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        """What is wrong with the parameters."""
        output = self.file_out(parameters, "OUTPUT", context)
        return checks.check_folders([output]) if output else None

    def work(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Ask the engine, or say why that cannot be."""
        doctor: Optional[dict[str, Any]] = None
        failure = engine.not_found()
        if failure is None:
            try:
                doctor = engine.run("doctor", {}, feedback, when_cancelled=tr("Cancelled."))
            except QgsProcessingException as error:
                if feedback.isCanceled():
                    raise
                failure = str(error)
        report = report_text(doctor, failure)
        feedback.pushInfo(report)
        ready = bool(doctor and doctor["ok"])
        outputs: dict[str, Any] = {"READY": ready, "REPORT": report, "ENGINE_VERSION": "", "DEVICE": ""}
        if doctor:
            outputs["ENGINE_VERSION"] = doctor["versions"]["vidtag-engine"]
            outputs["DEVICE"] = (doctor["device"] or {}).get("auto", "")
        if path := self.file_out(parameters, "OUTPUT", context):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            write_whole(path, page(report, ready))
            outputs["OUTPUT"] = path
        return outputs


def report_text(doctor: Optional[dict[str, Any]], failure: Optional[str]) -> str:
    """The report as Markdown, in English whatever the language of QGIS: it is made to be pasted into an issue. Home folders are written as ~."""
    lines = [
        f"VidTAG {_plugin_version()} in QGIS {Qgis.QGIS_VERSION}, Qt {QT_VERSION_STR}, Python {platform.python_version()}, {platform.platform()}",
        "",
    ]
    if failure is None:
        found = engine.interpreter()
        lines.append(f"Engine's Python: {found.python} (from {found.source})")
    if failure:
        lines.append(f"**No engine:** {failure}")
    if doctor:
        lines += [*_versions(doctor), *_device(doctor), *_weights(doctor), ""]
        lines += [f"- {sentence}" for sentence in doctor["advice"]]
        lines.append(f"**{doctor['readiness']}**")
    home = os.path.expanduser("~")
    text = "\n".join(lines)
    return text.replace(home, "~") if len(home) > 1 else text


def page(report: str, ready: bool) -> str:
    """The report as an HTML page whose text can be selected and copied."""
    title = "VidTAG: ready" if ready else "VidTAG: not ready"
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="generator" content="{mark_of("html")}"><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n'
        f"<p>To report a fault, copy everything below into the issue.</p>\n<pre>{html.escape(report)}</pre>\n</body></html>\n"
    )


def _versions(doctor: dict[str, Any]) -> list[str]:
    rows = [f"| {name} | {version or 'missing'} |" for name, version in doctor["versions"].items()]
    return ["", "| part | version |", "|---|---|", *rows]


def _device(doctor: dict[str, Any]) -> list[str]:
    device = doctor["device"]
    if not device:
        return []
    return [
        "",
        f"Device: {device['auto']} ({device['name']}), {device['precision']}, {device['threads']} threads, {device['memory_gb']} GB",
    ]


def _weights(doctor: dict[str, Any]) -> list[str]:
    rows = [f"| {entry['name']} | {entry['use']} | {'found' if entry['found'] else 'not found'} |" for entry in doctor["weights"]]
    return ["", "| weights | for | state |", "|---|---|---|", *rows] if rows else []


def _plugin_version() -> str:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(METADATA, encoding="utf-8")
    return parser.get("general", "version", fallback="(unknown version)")
