"""What a process that answers request after request keeps, so that the next one is there at once: a checkpoint, its networks, and an area."""

from __future__ import annotations

import ctypes
import gc
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from .feedback import Feedback
from .grid import WideGrid
from .guessing import LoadedCities, load_cities
from .loaded import Loaded, load, load_references
from .models import PlaceRecognizer
from .search import Search, Smoothness, search_over
from .types import InputError

if TYPE_CHECKING:
    from .grid import AreaOfInterest, Grid
    from .inference import PosteriorDecoder
    from .settings import GeolocateSettings

_MOST_BYTES = 2 * 10**9
"""Of the whole process, at rest: beyond it the area is let go, which is computed again sooner than a checkpoint is loaded."""


class _Relay:
    """Passes what an area's search tells and asks on to the request under way; a search keeps what it was made with."""

    def __init__(self) -> None:
        self.of = Feedback()
        self.feedback = Feedback(lambda step: self.of.tell(step.fraction, step.stage, step.message), self._check)

    def _check(self) -> bool:
        self.of.check()  # says with the request's own words that it was stopped
        return False


@dataclass
class KeptArea:
    """An area's search, and what decodes videos over it.

    Args:
        search: of the area, with all that it has embedded.
        decoders: by what else they depend on.
    """

    search: Search
    decoders: dict[Any, PosteriorDecoder] = field(default_factory=dict)


class Warm:
    """One checkpoint and one area, the last ones. Nothing that a request is answered with differs from what a new process would answer.

    Not for several threads at once: a worker answers one request at a time.
    """

    def __init__(self) -> None:
        self._checkpoint: tuple[Any, Loaded] | None = None
        self._cities: tuple[Any, LoadedCities] | None = None
        self._area: tuple[Any, KeptArea, _Relay] | None = None

    def checkpoint(self, source: str, device: str, feedback: Feedback = Feedback()) -> Loaded:
        """The checkpoint, loaded only where it is another than the last one, or its files have changed since. Arguments and errors as :func:`.loaded.load`."""
        key = (source, device, *_stamps(source))
        if self._checkpoint is None or self._checkpoint[0] != key:
            self._checkpoint = self._area = None  # before the new one: two at once may not fit the memory
            self._checkpoint = (key, load(source, device, feedback))
        return self._checkpoint[1]

    def chosen(self, checkpoint: Loaded | str, settings: GeolocateSettings, feedback: Feedback = Feedback()) -> Loaded:
        """What videos are geolocated with: the checkpoint, the database of reference images that the settings name, or both. Errors as of :func:`.loaded.load`."""
        # A database by itself stands where a checkpoint does: geoclip, which is meant where none is named, reads none.
        alone = settings.reference is not None and checkpoint == "geoclip"
        named: Loaded | str = settings.reference if alone and settings.reference else checkpoint
        loaded = self.checkpoint(named, settings.device, feedback) if isinstance(named, str) else named
        if settings.reference is None or alone:
            return loaded
        return load_references(settings.reference, settings.device, feedback, loaded)

    def cities(self, source: str, device: str, feedback: Feedback = Feedback()) -> LoadedCities:
        """A checkpoint that tells cities, likewise; it stays beside the other. Arguments and errors as :func:`.guessing.load_cities`."""
        key = (source, device, *_stamps(source))
        if self._cities is None or self._cities[0] != key:
            self._cities = None
            self._cities = (key, load_cities(source, device, feedback))
        return self._cities[1]

    def area(
        self,
        loaded: Loaded,
        grid: Grid | WideGrid,
        aoi: AreaOfInterest,
        settings: GeolocateSettings,
        cache_dir: Path,
        feedback: Feedback,
    ) -> KeptArea:
        """An area's search, made only where the area, its grid or the checkpoint is another than the last one. Arguments as of :func:`.search.search_over`."""
        alone = isinstance(loaded.model, PlaceRecognizer)
        if alone:
            _check_for_references(loaded, grid, settings)

        def made(told: Feedback) -> KeptArea:
            smoothness = Smoothness.from_dict(loaded.card.smoothness) if loaded.card.smoothness else None
            found = search_over(
                loaded.model,
                grid,
                aoi,
                loaded.device,
                weights_sha256=loaded.card.sha256,
                exhaustive=settings.exhaustive or alone,
                smoothness=smoothness,
                cache_dir=cache_dir,
                feedback=told,
            )
            return KeptArea(found)

        if self._checkpoint is None or self._checkpoint[1] is not loaded:
            return made(feedback)
        key = (aoi.geometry.wkb, settings.resolution_m, settings.grid, settings.exhaustive, cache_dir)
        if self._area is None or self._area[0] != key:
            self._area = None
            relay = _Relay()
            relay.of = feedback
            self._area = (key, made(relay.feedback), relay)
        self._area[2].of = feedback
        return self._area[1]

    def rest(self) -> None:
        """Give back what is of no use between requests; called when there has been none for a while."""
        if self._checkpoint is not None:
            self._checkpoint[1].encoder.rest()
        if self._cities is not None and self._cities[1].encoder is not None:
            self._cities[1].encoder.rest()
        give_back()
        if self._area is not None and memory_bytes() > _MOST_BYTES:
            self._area = None
            give_back()

    def status(self) -> dict[str, Any]:
        """``memory_mb`` of the process, and what it keeps, None where it keeps none: ``checkpoint`` by its name, and ``gallery_points`` of the area."""
        return {
            "memory_mb": round(memory_bytes() / 2**20),
            "checkpoint": self._checkpoint[1].card.name if self._checkpoint else None,
            "gallery_points": int(self._area[1].search.grid.count) if self._area else None,
        }


def _check_for_references(loaded: Loaded, grid: Grid | WideGrid, settings: GeolocateSettings) -> None:
    """Raise InputError for what a database of reference images cannot do by itself."""
    if settings.continuous:
        raise InputError("Reference images say nothing between grid points: leave out --continuous, or take a finer --resolution-m.")
    if isinstance(grid, WideGrid):
        west, south, east, north = loaded.card.training_extent or (-180.0, -90.0, 180.0, 90.0)
        raise InputError(
            f"The area is far larger than that of the reference images: give one within {west:.4f},{south:.4f},{east:.4f},{north:.4f}, or a coarser resolution."
        )


def memory_bytes() -> int:
    """What the process has in memory."""
    return int(psutil.Process().memory_info().rss)


def give_back() -> None:
    """Return freed memory to the system, where the C library keeps it (glibc)."""
    gc.collect()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library returns it by itself
            ctypes.CDLL(None).malloc_trim(0)


def _stamps(source: str) -> tuple[Any, ...]:
    """What tells a checkpoint's files from others that are put in their place; nothing of one that is known by its name."""
    path = Path(source).expanduser()
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    found = []
    for file in files:
        with suppress(OSError):
            state = file.stat()
            found.append((file.name, state.st_mtime_ns, state.st_size, state.st_ino))
    return tuple(found)
