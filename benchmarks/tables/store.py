"""What was made once is not made again: results on disk under a digest of everything they depend on."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

# Raised when the code changes what a training or an evaluation gives: whatever is stored is then made again.
FORMAT = 1
_EMPTY_BYTES = 64  # of a safetensors file without arrays, and more
Arrays = dict[str, np.ndarray]


class NotStoredError(Exception):
    """Something is asked for that is not done yet, where nothing is to be done anew."""


@dataclass(frozen=True)
class Entry:
    """Plain JSON values, and arrays."""

    values: dict[str, Any]
    arrays: Arrays = field(default_factory=dict)


@dataclass(frozen=True)
class Store:
    """A folder of entries, each a JSON file (with its specification, for people to read) beside a safetensors file.

    Args:
        folder: made when something is kept.
    """

    folder: Path

    def key(self, specification: dict[str, Any]) -> str:
        """Name of an entry."""
        text = json.dumps({"format": FORMAT, **specification}, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    def get(self, specification: dict[str, Any]) -> Entry | None:
        """What was kept under a specification, or None; a damaged entry counts as none."""
        path = self._path(specification)
        try:
            values = json.loads(path.read_text(encoding="utf-8"))["values"]
            return Entry(values, load_file(path.with_suffix(".safetensors")))
        except (OSError, ValueError, KeyError, SafetensorError):
            return None

    def holds(self, specification: dict[str, Any]) -> bool:
        """Whether there are arrays under a specification; nothing of them is read."""
        entry = self._path(specification).with_suffix(".safetensors")
        return entry.is_file() and entry.stat().st_size > _EMPTY_BYTES

    def put(self, specification: dict[str, Any], entry: Entry) -> None:
        """Keep an entry; the JSON file comes last, so that a half written entry is none."""
        path = self._path(specification)
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays, text = path.with_suffix(f".{os.getpid()}.part"), path.with_suffix(f".{os.getpid()}.json.part")
        save_file({name: np.ascontiguousarray(array) for name, array in entry.arrays.items()}, arrays)
        arrays.replace(path.with_suffix(".safetensors"))
        text.write_text(json.dumps({"specification": specification, "values": entry.values}, indent=1, default=str), encoding="utf-8")
        text.replace(path)

    def _path(self, specification: dict[str, Any]) -> Path:
        return self.folder / f"{self.key(specification)}.json"
