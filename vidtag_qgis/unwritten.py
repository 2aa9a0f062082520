"""What a person said and the engine has not written yet: kept as a file each in the user's profile, until it is written or given up.

A file is there before the engine is asked, and goes when it has answered. So neither an engine nor QGIS that is killed loses anything, nor does a full disk
beside the result. What another QGIS has just asked is left to that one.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from qgis.core import QgsApplication

_OURS_S = 600.0
"""Younger files of another QGIS may be on their way to its engine."""


@dataclass
class Entry:
    """One thing that was said.

    Args:
        command: of the engine, "review", "pin" or "landmarks".
        arguments: its arguments.
        session: which QGIS it was said in.
        name: of its file.
        why: the sentence that it was last refused with; empty where it was not.
        at_s: when, seconds since 1970.
    """

    command: str
    arguments: dict[str, Any]
    session: str
    name: str = field(default_factory=lambda: f"{uuid.uuid4().hex}.json")
    why: str = ""
    at_s: float = field(default_factory=time.time)

    @property
    def result(self) -> str:
        """Path of the result that it is about."""
        return str(self.arguments.get("result", ""))


class Unwritten:
    """Those of one profile.

    Args:
        folder: that they lie in; None is the profile's.
    """

    def __init__(self, folder: str = "") -> None:
        self.folder = folder or os.path.join(QgsApplication.qgisSettingsDirPath(), "vidtag", "unwritten")
        self.session = uuid.uuid4().hex
        self._here: dict[str, Entry] = {}

    def add(self, command: str, arguments: dict[str, Any]) -> Entry:
        """Keep something. Where not even that can be written it is kept as long as this QGIS lives."""
        entry = Entry(command, arguments, self.session)
        self._here[entry.name] = entry
        self._write(entry)
        return entry

    def refused(self, entry: Entry, why: str) -> None:
        """It could not be written, for this reason."""
        entry.why = why
        self._here[entry.name] = entry
        self._write(entry)

    def remove(self, entry: Entry) -> None:
        """It is written, or given up."""
        self._here.pop(entry.name, None)
        with suppress(OSError):
            os.remove(os.path.join(self.folder, entry.name))

    def waiting(self, result: str) -> list[Entry]:
        """What is still to be written of a result and is on nobody's way, the oldest first."""
        found = {entry.name: entry for entry in self._read() if entry.name not in self._here}
        found.update(self._here)
        mine = [entry for entry in found.values() if _same(entry.result, result) and self._is_free(entry)]
        return sorted(mine, key=lambda entry: entry.at_s)

    def _is_free(self, entry: Entry) -> bool:
        return bool(entry.why) or (entry.session != self.session and time.time() - entry.at_s > _OURS_S)

    def _read(self) -> list[Entry]:
        found = []
        with suppress(OSError):
            for name in os.listdir(self.folder):
                # A file that somebody else has put there, or that is not whole, is left alone.
                with (
                    suppress(OSError, ValueError, TypeError, KeyError, AttributeError),
                    open(os.path.join(self.folder, name), encoding="utf-8") as file,
                ):
                    values = json.load(file)
                    if (
                        name.endswith(".json")
                        and values["command"] in ("review", "pin", "landmarks")
                        and isinstance(values["arguments"], dict)
                    ):
                        found.append(
                            Entry(
                                values["command"],
                                values["arguments"],
                                str(values["session"]),
                                name,
                                str(values["why"]),
                                float(values["at_s"]),
                            )
                        )
        return found

    def _write(self, entry: Entry) -> None:
        with suppress(OSError):
            os.makedirs(self.folder, exist_ok=True)
            part = os.path.join(self.folder, f".{entry.name}.part")
            with open(part, "w", encoding="utf-8") as file:
                json.dump(asdict(entry), file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, os.path.join(self.folder, entry.name))


def _same(one: str, other: str) -> bool:
    return bool(one) and os.path.normcase(os.path.abspath(one)) == os.path.normcase(os.path.abspath(other))
