"""A gallery with its embeddings: computed once, kept in memory or on disc, and streamed in chunks.

A cache file is never trusted blindly: its name, header, size and every block's digest must fit (`cache_file`), and its first rows must be
what this model gives now. Whatever does not fit is computed again, and the file is rewritten.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from ..feedback import Feedback
from ..grid.grid import Grid
from ..types import FloatArray, InputError, IntArray
from .cache_file import CacheKey, CacheReader, CacheWriter, make_room, open_cache

DEFAULT_CHUNK = 16_384
_CPU_PIECE = 2_048
DEFAULT_CACHE_LIMIT_BYTES = 20 * 1024**3
DEFAULT_MEMORY_LIMIT_BYTES = 256 * 1024**2
_PROBE = 8  # rows compared with the model before a cache file is used
_PROBE_TOLERANCE = 1e-3  # between devices and library versions; another model's unit vectors differ by about 1

Chunk = tuple[int, FloatArray, torch.Tensor]


class LocationModel(Protocol):
    """What a gallery needs of a model."""

    def embed_locations(self, lat_lon_deg: torch.Tensor) -> torch.Tensor:
        """(n, 2) float64 lat, lon in degrees → (n, E) unit-normalised."""
        ...

    def parameters(self) -> Iterator[Any]:
        """The weights (their device is where points are sent)."""
        ...


class EmbeddedGallery:
    """Grid points and their embeddings, in chunks of a fixed order; memory does not grow with their number.

    The first pass computes, or reads the disc cache. Later passes read memory where everything fits ``memory_limit_bytes``, else the
    disc cache, else compute again.

    Args:
        model: gives the embeddings, already on ``device``.
        grid: the points.
        device: where to compute and where chunks are given out.
        weights_sha256: of the checkpoint, the cache's key beside the grid's digest.
        cache_dir: folder for caches; None keeps nothing on disc.
        chunk: points in a chunk.
        memory_limit_bytes: keep the embeddings in memory up to this size.
        cache_limit_bytes: for all caches in the folder together; the longest unused are deleted first.
        feedback: told after each chunk; asked to stop before each, which leaves no partial file.
        half: keep float16 on disc and in memory (scores differ by about 1e-4): for coarse galleries, whose winners are looked at again.
    """

    def __init__(
        self,
        model: LocationModel,
        grid: Grid,
        device: torch.device | str,
        *,
        weights_sha256: str,
        cache_dir: Path | None,
        chunk: int = DEFAULT_CHUNK,
        memory_limit_bytes: int = DEFAULT_MEMORY_LIMIT_BYTES,
        cache_limit_bytes: int = DEFAULT_CACHE_LIMIT_BYTES,
        feedback: Feedback = Feedback(),
        half: bool = False,
    ) -> None:
        self.grid = grid
        self.device = torch.device(device)
        self.notes: list[str] = []
        self.computed_points = 0  # by the model so far, over all passes: 0 after a pass means that the cache served it
        self.feedback = feedback
        self._model = model
        self._cache_dir = cache_dir
        self._chunk = chunk
        self._cache_limit_bytes = cache_limit_bytes
        self._probe = self._embed(grid.points(0, _PROBE))
        self.dim = int(self._probe.shape[1])
        self._key = CacheKey(weights_sha256, grid.plan_digest, grid.count, self.dim, chunk, "<f2" if half else "<f4")
        self._half = half
        self._in_memory: list[torch.Tensor] | None = None
        self._fits_memory = self.size_bytes <= memory_limit_bytes

    @property
    def count(self) -> int:
        """Number of points."""
        return self.grid.count

    @property
    def size_bytes(self) -> int:
        """Of all embeddings together."""
        return self.count * self._key.row_bytes

    def prepare(self) -> None:
        """Embed everything now, with progress, so that searching later only reads."""
        for _ in self.chunks():
            pass

    def points(self, index: IntArray) -> FloatArray:
        """Points by number, (...) → (..., 2) lat, lon in degrees; NaN where the number is negative."""
        return self.grid.at(index.ravel()).reshape(*index.shape, 2)

    def chunks(self) -> Iterator[Chunk]:
        """All chunks as (index of the first point, (n, 2) float64 lat, lon, (n, E) float32 unit-normalised embeddings on the device).

        Raises:
            CancelledError: when asked to stop.
            InputError: the model gives embeddings that are not numbers.
        """
        # Closed with this generator, so that a pass that is given up leaves no half file.
        with contextlib.closing(self._blocks()) as blocks:
            for block, embeddings in enumerate(blocks):
                start = block * self._chunk
                stop = start + len(embeddings)
                yield start, self.grid.points(start, stop), embeddings.float()
                self.feedback.tell(stop / self.count, "gallery", f"{stop:,} of {self.count:,} points")

    def _blocks(self) -> Generator[torch.Tensor, None, None]:
        """Embeddings block by block from memory, the disc cache or the model."""
        if self._in_memory is not None:
            for embeddings in self._in_memory:
                self.feedback.check()
                yield embeddings
            return
        reader = self._open()
        writer: CacheWriter | None = None if reader is not None else self._new_writer(None, 0)
        kept: list[torch.Tensor] = []
        try:
            for block in range(self._key.blocks):
                self.feedback.check()
                stored = reader.read(block) if reader is not None else None
                if stored is None:
                    if reader is not None and writer is None:
                        self._note("A cached gallery was damaged; it is computed again.")
                        writer = self._new_writer(reader, block)
                    start = block * self._chunk
                    embeddings = self._embed(self.grid.points(start, start + self._key.rows(block)))
                    embeddings = embeddings.half() if self._half else embeddings
                    self.computed_points += len(embeddings)
                else:
                    embeddings = torch.from_numpy(stored).to(self.device)
                writer = self._written(writer, embeddings, last=block == self._key.blocks - 1)
                if self._fits_memory:
                    kept.append(embeddings)
                    self._in_memory = kept if block == self._key.blocks - 1 else None
                yield embeddings
        finally:
            if writer is not None:
                writer.abort()
            if reader is not None:
                reader.close()

    def _open(self) -> CacheReader | None:
        """The cache file, if its first rows are what the model gives now."""
        if self._cache_dir is None:
            return None
        reader = open_cache(self._cache_dir, self._key)
        if reader is None:
            return None
        first = reader.read(0)
        probe = self._probe.cpu().numpy()
        if first is not None and not np.allclose(first[: len(probe)], probe, atol=_PROBE_TOLERANCE):
            self._note("A cached gallery does not belong to this model; it is computed again.")
            reader.close()
            return None
        return reader

    def _new_writer(self, reader: CacheReader | None, good_blocks: int) -> CacheWriter | None:
        """A cache file begun, with the good blocks of a damaged one; None, and a note, where it cannot be."""
        if self._cache_dir is None:
            return None
        writer: CacheWriter | None = None
        try:
            self._cache_dir.mkdir(parents=True, exist_ok=True)
            refusal = make_room(self._cache_dir, self._key, self._cache_limit_bytes)
            if refusal is not None:
                self._note(refusal)
                return None
            writer = CacheWriter(self._cache_dir, self._key)
            for block in range(good_blocks):
                good = reader.read(block) if reader is not None else None
                if good is None:
                    writer.abort()
                    return None
                writer.append(good)
        except (OSError, InputError) as error:
            self._give_up(writer, error)
            return None
        return writer

    def _written(self, writer: CacheWriter | None, embeddings: torch.Tensor, *, last: bool) -> CacheWriter | None:
        """Add a block, and with the last one make the file real. The writer, or None once the disc has failed."""
        if writer is None:
            return None
        try:
            writer.append(embeddings.cpu().numpy())
            if last:
                writer.commit()
        except (OSError, InputError) as error:
            self._give_up(writer, error)
            return None
        return writer

    def _give_up(self, writer: CacheWriter | None, error: OSError | InputError) -> None:
        """Work on without a cache: an answer matters more than a faster next time."""
        if writer is not None:
            writer.abort()
        self._note(
            f"The gallery's embeddings could not be kept on disc ({getattr(error, 'strerror', None) or error}); the work goes on without."
        )

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)
            warnings.warn(sentence, RuntimeWarning, stacklevel=2)

    @torch.inference_mode()
    def _embed(self, lat_lon_deg: FloatArray) -> torch.Tensor:
        points = torch.from_numpy(lat_lon_deg)
        if self.device.type != "mps":  # which has no float64; models bring points there themselves
            points = points.to(self.device)
        # On a CPU in pieces whose hidden layers stay in its cache (a sixth faster than a chunk at once, and in an eighth of the memory).
        pieces = points.split(_CPU_PIECE if self.device.type == "cpu" else len(points))
        embeddings = torch.cat([self._model.embed_locations(piece).float() for piece in pieces])
        if not bool(torch.isfinite(embeddings).all()):
            raise InputError(
                "The model gives embeddings that are not numbers for places in this area; its checkpoint is damaged, take another."
            )
        return embeddings
