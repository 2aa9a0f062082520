"""The embeddings of one gallery in one file: written whole or not at all, checked block by block, bounded in total.

Layout: one line of JSON (what it holds), the blocks as raw little-endian numbers, then 16 bytes of BLAKE2b for every block, then the digest
of header and block digests. Anything that does not fit is not read: the caller computes again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..atomic import clear_left_behind, replacing
from ..types import CancelledError, FloatArray

SUFFIX = ".vtgallery"
_DIGEST_BYTES = 16
_LARGEST_HEADER = 4096
_FORMAT = "vidtag-embeddings-2"


@dataclass(frozen=True)
class CacheKey:
    """What a cache file holds: whose embeddings, of which points, in what shape. Two equal keys mean equal numbers."""

    weights_sha256: str
    plan_digest: str
    count: int
    dim: int
    block: int
    dtype: str = "<f4"

    @property
    def row_bytes(self) -> int:
        """Of one embedding."""
        return self.dim * np.dtype(self.dtype).itemsize

    @property
    def file_name(self) -> str:
        """A name made of the key alone."""
        text = json.dumps([_FORMAT, asdict(self)], sort_keys=True).encode()
        return hashlib.sha256(text).hexdigest()[:40] + SUFFIX

    @property
    def header(self) -> bytes:
        """The file's first line."""
        return json.dumps({"format": _FORMAT, **asdict(self)}, sort_keys=True).encode() + b"\n"

    @property
    def blocks(self) -> int:
        """Number of blocks; the last may be short."""
        return math.ceil(self.count / self.block)

    @property
    def file_bytes(self) -> int:
        """Exact size of a whole file."""
        return len(self.header) + self.count * self.row_bytes + (self.blocks + 1) * _DIGEST_BYTES

    def rows(self, block: int) -> int:
        """Points in a block."""
        return min(self.block, self.count - block * self.block)


def _digest(*parts: Any) -> bytes:
    total = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for part in parts:
        total.update(part)
    return total.digest()


class CacheReader:
    """An open cache file that fits its key. Keeps its own handle: replacing the file does not disturb it.

    Use `open_cache`, which returns None for anything that is not such a file.
    """

    def __init__(self, handle: IO[bytes], key: CacheKey, digests: bytes) -> None:
        self._handle, self._key, self._digests = handle, key, digests

    def read(self, block: int) -> FloatArray | None:
        """One block (n, dim) as it was stored, or None where its bytes are not those that were written."""
        key = self._key
        shape = (key.rows(block), key.dim)
        try:
            self._handle.seek(len(key.header) + block * key.block * key.row_bytes)
            raw = bytearray(shape[0] * key.row_bytes)
            if self._handle.readinto(raw) != len(raw):  # type: ignore[attr-defined]
                return None
        except OSError:
            return None
        if _digest(raw) != self._digests[block * _DIGEST_BYTES : (block + 1) * _DIGEST_BYTES]:
            return None
        return np.frombuffer(raw, dtype=key.dtype).reshape(shape)

    def close(self) -> None:
        """Let go of the file."""
        self._handle.close()


def open_cache(folder: Path, key: CacheKey) -> CacheReader | None:
    """The cache for a key if there is one whose size, header and table of digests are right; else None."""
    path = folder / key.file_name
    try:
        handle = path.open("rb")
    except OSError:
        return None
    try:
        if os.fstat(handle.fileno()).st_size == key.file_bytes and handle.read(len(key.header)) == key.header:
            handle.seek(key.file_bytes - (key.blocks + 1) * _DIGEST_BYTES)
            table = handle.read()
            digests, seal = table[:-_DIGEST_BYTES], table[-_DIGEST_BYTES:]
            if _digest(key.header, digests) == seal:
                with contextlib.suppress(OSError):
                    os.utime(path)  # used now: the oldest files go first
                return CacheReader(handle, key, digests)
    except OSError:
        handle.close()  # a file that cannot be read is no cache: its embeddings are computed again
        return None
    handle.close()
    return None


class CacheWriter:
    """Writes a cache file, whole or not at all: it is there after `commit`; `abort` leaves nothing behind. Raises OSError or InputError where the disk fails."""

    def __init__(self, folder: Path, key: CacheKey) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._key = key
        self._digests: list[bytes] = []
        with contextlib.ExitStack() as stack:
            part = stack.enter_context(replacing(folder / key.file_name))
            self._handle = stack.enter_context(part.open("wb"))
            self._handle.write(key.header)
            self._file = stack.pop_all()

    def append(self, embeddings: FloatArray) -> None:
        """The next block."""
        raw = np.ascontiguousarray(embeddings, dtype=self._key.dtype).data.cast("B")
        self._digests.append(_digest(raw))
        self._handle.write(raw)

    def commit(self) -> None:
        """All blocks are there: make the file real."""
        if len(self._digests) != self._key.blocks:
            raise RuntimeError("a cache file was committed before it was whole")
        table = b"".join(self._digests)
        self._handle.write(table + _digest(self._key.header, table))
        self._file.close()

    def abort(self) -> None:
        """Remove what was written; harmless after a commit."""
        given_up = CancelledError()
        with contextlib.suppress(OSError):
            self._file.__exit__(CancelledError, given_up, None)


def make_room(folder: Path, key: CacheKey, limit_bytes: int) -> str | None:
    """Delete the longest unused caches until a new one fits the limit.

    Args:
        folder: where the caches lie.
        key: of the new file.
        limit_bytes: for all caches together.

    Returns:
        None if there is room, else a sentence that says why not; then nothing was deleted in vain.
    """
    size = key.file_bytes
    if size > limit_bytes:
        limit = f"the cache limit of {limit_bytes / 1e9:,.2f} GB"
        return f"The gallery's embeddings take {size / 1e9:,.2f} GB, more than {limit}; they are not kept."
    clear_left_behind(folder)
    files: list[tuple[float, int, Path]] = []
    for path in folder.glob(f"*{SUFFIX}"):
        with contextlib.suppress(OSError):
            stat = path.stat()
            files.append((stat.st_mtime, stat.st_size, path))
    mine = folder / key.file_name
    total = sum(file_size for _, file_size, path in files if path != mine)
    evictable = [entry for entry in sorted(files) if entry[2] != mine]
    if size > shutil.disk_usage(folder).free + total:
        return f"The disc has no room for the gallery's embeddings ({size / 1e9:,.2f} GB); they are not kept."
    for _, file_size, path in evictable:
        if total + size <= limit_bytes and size <= shutil.disk_usage(folder).free:
            break
        with contextlib.suppress(OSError):
            path.unlink()
        total -= file_size
    return None
