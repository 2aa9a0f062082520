"""The Processing algorithm "Status and next steps"."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, ClassVar, Optional

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputBoolean,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterFile,
)

from .. import engine
from ..engine_client.command_arguments import NextStepsArguments
from ..translation import mark, tr
from .base import VidTAGAlgorithm

_HELP = mark("""Says how a result stands and what to do next, for scripts and agents that drive QGIS: each step has a word that stays the same (id), why in a \
sentence, the command line, and the algorithm with its parameters. Capitals in values stand for what only you know.

Without a result it says how to begin. Without an engine the only step is to create its environment. Nothing is written.""")
SETUP = {
    "id": "create-environment",
    "command": [],
    "algorithm": "",
    "parameters": {},
    "ready": False,
    "videos": [],
}


class Status(VidTAGAlgorithm):
    """A result in, JSON out."""

    ID, TITLE, TEXT = "status", mark("Status and next steps"), _HELP
    SUMMARY = mark("How a result stands and what to do next, as JSON for scripts and agents.")
    TAGS = ("status", "next", "steps", "todo", "script", "agent", "json", "headless", "automation")
    READS = ("RESULT",)
    WRITES: ClassVar[dict[str, str]] = {}

    def declare(self) -> None:
        """Declare inputs and outputs."""
        self.add(
            QgsProcessingParameterFile("RESULT", tr("Result"), QgsProcessingParameterFile.Behavior.File, optional=True),
            tr("The GeoPackage that 'Geolocate video' wrote. Empty: how to begin."),
        )
        self.addOutput(QgsProcessingOutputString("STATUS", tr("Status (JSON)")))
        self.addOutput(QgsProcessingOutputString("NEXT", tr("Word of the next step; empty where nothing is left to do")))
        self.addOutput(QgsProcessingOutputString("WHY", tr("Why it is the next")))
        self.addOutput(QgsProcessingOutputNumber("STEPS", tr("Steps")))
        self.addOutput(QgsProcessingOutputBoolean("READY", tr("The engine can run")))

    def canExecute(self) -> tuple[bool, str]:
        """Always: it says what is missing."""
        return True, ""

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        """The engine says what is wrong with a result."""
        return None

    def work(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Ask the engine, or say that there is none."""
        why = engine.not_found()
        if why is None:
            result = self.result(parameters, context) or None
            found = engine.run("next-steps", asdict(NextStepsArguments(result)), feedback)
        else:
            found = {"format": "vidtag-status/1", "engine": None, "result": None, "next": [{**SETUP, "why": why}]}
        steps = found["next"]
        text = json.dumps(found, ensure_ascii=False)
        feedback.pushInfo(json.dumps(found, ensure_ascii=False, indent=1))
        first = steps[0] if steps else {"id": "", "why": ""}
        return {"STATUS": text, "NEXT": first["id"], "WHY": first["why"], "STEPS": len(steps), "READY": why is None}
