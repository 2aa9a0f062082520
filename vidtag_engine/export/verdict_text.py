"""What is said of a video in a sentence that names it: one wording for the log, the summary and every copy."""

from __future__ import annotations

import re

from ..types import FrameState, VideoResult
from .columns import clean
from .tables import located_mask


def verdict_sentence(result: VideoResult) -> str:
    """Why a video is not located, or why no probability is shown with its places; empty where there is nothing to say.

    Args:
        result: whose verdict's ``why`` is a clause that reads after a colon.
    """
    verdict, name = result.trajectory.verdict, clean(result.info.name)
    if verdict is None:
        return ""
    why = _clause(verdict.why)
    if verdict.state is FrameState.LOCATED:
        return f"{name}: {why}" if why else ""
    said = f"{name} is not located"
    if located_mask(result.trajectory).any():
        said += ", and its best guess is shown all the same"
    return f"{said}: {why}" if why else f"{said}."


def _clause(why: str) -> str:
    """Results of earlier versions hold whole sentences: their first word becomes small; a name with capitals inside stays."""
    why = clean(why).strip()
    if re.match(r"[A-Z][a-z]*\b(?!['’])", why):
        why = why[0].lower() + why[1:]
    return why if not why or why.endswith((".", "!", "?")) else f"{why}."
