"""What is kept of a picture's details: where they are and what they look like, a record of one size a picture, so that files of many can be mapped.

Which network or detector finds them is told by a kind's name, which databases keep. NumPy alone: whoever only reads them needs nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .types import FloatArray, InputError, IntArray

LocalFeaturesKind = Literal["none", "xfeat"]
"""What a training or a database may keep of each picture; none is nothing."""
KINDS: dict[str, np.dtype[np.void]] = {
    "xfeat": np.dtype([("keypoints_px", "<f2", (256, 2)), ("descriptors", "i1", (256, 64))]),
}
"""By kind the record of a picture, 17 kB: keypoints, x before y, in pixels of the picture as it was scaled; and what each looks like, 127 times a unit vector.
Where a picture has fewer the rest are zeros."""

_AT_ONCE = 1_000  # records


class LocalFile:
    """(N,) records in a NumPy file that is open only while some of them are read: a training has a thousand such files, more than may be open at once.

    Args:
        path: of the file. It must lie there as it is whenever records are asked for.
        kind: of the records.

    Raises:
        InputError: there is no such file, or it holds something else.
    """

    def __init__(self, path: Path, kind: str) -> None:
        self.path, self.dtype = path, KINDS[kind]
        try:
            mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError, TypeError) as error:
            raise self._damaged from error
        if not isinstance(mapped, np.memmap) or mapped.ndim != 1 or mapped.dtype != self.dtype:
            raise self._damaged
        self._offset, self._count = mapped.offset, len(mapped)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, rows: IntArray) -> NDArray[np.void]:
        """(n,) records by their places (n,), read into memory. Raises InputError where the file is gone or was cut since."""
        if not len(rows):
            return np.zeros(0, dtype=self.dtype)
        try:
            # What is picked by an array of numbers is a copy, so that nothing holds the map open afterwards.
            return np.asarray(np.memmap(self.path, self.dtype, "r", self._offset, (self._count,))[rows])
        except (OSError, ValueError) as error:
            raise self._damaged from error

    @property
    def _damaged(self) -> InputError:
        return InputError(
            f"{self.path} is missing, damaged or cannot be opened: do the same again, and do not change its folder meanwhile."
        )


class LocalRows:
    """Records of any number of pictures that lie in one or more arrays, in memory, mapped or in files; only those asked for are read.

    Args:
        parts: (N_i,) records of one kind.
        index: (N, 2) of each picture its array and its place in that; None takes all, one array after the other.
    """

    def __init__(self, parts: Sequence[NDArray[np.void] | LocalFile], index: IntArray | None = None) -> None:
        if index is None:
            whole = [np.stack([np.full(len(part), number), np.arange(len(part))], axis=1) for number, part in enumerate(parts)]
            index = np.concatenate([np.zeros((0, 2), dtype=np.int64), *whole])
        self.parts, self.index = tuple(parts), index

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, rows: IntArray) -> NDArray[np.void]:
        """(n,) records of some pictures (n,), read into memory."""
        wanted = self.index[rows]
        found = np.zeros(len(wanted), dtype=self.parts[0].dtype if self.parts else KINDS["xfeat"])
        for number in np.unique(wanted[:, 0]).tolist():
            own = wanted[:, 0] == number
            found[own] = self.parts[number][wanted[own, 1]]
        return found

    def take(self, rows: IntArray) -> LocalRows:
        """Some of the pictures, which are not read yet."""
        return LocalRows(self.parts, self.index[rows])

    @classmethod
    def joined(cls, several: Sequence[LocalRows]) -> LocalRows:
        """One after the other."""
        index, parts = [np.zeros((0, 2), dtype=np.int64)], list[NDArray[np.void] | LocalFile]()
        for one in several:
            index.append(np.stack([one.index[:, 0] + len(parts), one.index[:, 1]], axis=1))
            parts += one.parts
        return cls(parts, np.concatenate(index))

    @property
    def nbytes(self) -> int:
        """Of the records, were they all in memory."""
        return len(self) * (self.parts[0].dtype.itemsize if self.parts else 0)


def write_local(path: Path, rows: LocalRows, kind: str) -> None:
    """Write records as a NumPy array, some at a time: all of a database's do not fit into memory."""
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": np.lib.format.dtype_to_descr(KINDS[kind]), "fortran_order": False, "shape": (len(rows),)}
        )
        for begin in range(0, len(rows), _AT_ONCE):
            file.write(rows[np.arange(begin, min(begin + _AT_ONCE, len(rows)))].tobytes())


@dataclass(frozen=True)
class Rerank:
    """How a frame's most similar references are judged by their details: similarity is raised by what a look at both pictures finds in common.

    Args:
        gain: of similarity, for each step of the natural logarithm of one more than the inliers.
        centre: of that logarithm, at which similarity stays as it is.
        count: of a frame's most similar references that are looked at.
    """

    gain: float
    centre: float
    count: int

    def raised(self, similarity: FloatArray, inliers: IntArray) -> FloatArray:
        """Similarities as they count, of any shape; those whose inliers are negative, as nobody looked, stay as they are."""
        # Of small whole numbers NumPy would take the logarithm in a precision that depends on how small their type is.
        more = np.float32(self.gain) * (np.log1p(np.maximum(inliers, 0), dtype=np.float64).astype(np.float32) - np.float32(self.centre))
        found: FloatArray = np.where(inliers >= 0, similarity + more, similarity).astype(np.float32)
        return found

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Rerank:
        """Read what ``asdict`` wrote. Raises InputError where it cannot be used."""
        found = cls(float(values["gain"]), float(values["centre"]), int(values["count"]))
        if not (math.isfinite(found.gain) and found.gain > 0 and math.isfinite(found.centre) and found.count >= 1):
            raise InputError(f"References are re-ranked by {found}, which cannot be; fit it again with 'vidtag calibrate'.")
        return found
