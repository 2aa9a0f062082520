"""What ``vidtag status`` says to people."""

from __future__ import annotations

import shlex
from typing import Any

STATUS_EXAMPLES = """Examples:

    vidtag status drive.gpkg

    vidtag status drive.gpkg --json
"""
_MOST_VIDEOS = 30


def status_text(found: dict[str, Any]) -> str:
    """A status in lines: the result, its videos, and the next steps with their commands."""
    lines: list[str] = []
    result = found["result"]
    if result is not None:
        confidence = result["mean_confidence"]
        rated = "not rated" if confidence is None else f"mean confidence {confidence:.0%}"
        pins = f", {result['pins']} pin{'' if result['pins'] == 1 else 's'}" if result["pins"] else ""
        lines.append(f"{result['output']}: {result['located']:,} of {result['frames']:,} frames located, {rated}{pins}")
        for video in result["videos"][:_MOST_VIDEOS]:
            why = f": {video['why']}" if video["why"] else ""
            lines.append(f"  {video['name']}: {video['state'].replace('_', ' ')}, {video['located']} of {video['frames']} frames{why}")
        if len(result["videos"]) > _MOST_VIDEOS:
            lines.append(f"  and {len(result['videos']) - _MOST_VIDEOS} more (--json lists all)")
    lines.append("Next:" if found["next"] else "Nothing is left to do.")
    lines += [f"  {number}. {step['why']}\n     {shlex.join(step['command'])}" for number, step in enumerate(found["next"], 1)]
    return "\n".join(lines)
