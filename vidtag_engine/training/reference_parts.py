"""Sources on their way into a database of reference images: chosen, described, and added a segment at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
import torch

from ..datasets.training_sequence import TrainingSequence
from ..geodesy import courses_deg, haversine_m
from ..grid import AreaOfInterest
from ..local_features import LocalRows
from ..reference.addition import ROW, Addition
from ..reference.descriptor import Descriptor
from ..reference.images import ReferenceImage
from ..reference.store import Store
from ..settings import ReferenceSettings
from ..types import FloatArray, IntArray
from ..video import open_source
from .features import Source, TrainingSource
from .home_zone import Home, in_homes

OWN = "own"  # the source of what a person brings
BATCH_IMAGES = 25_000
"""Of so many images features and pictures are in memory at once, or of one drive where that has more. To fit what whitens them takes 0.15 MB for each."""

Described = Callable[[Source], Sequence[ReferenceImage]]


@dataclass(frozen=True)
class Kept:
    """A source's frames that go into the database.

    Args:
        key, source, sequence: the whole source.
        rows: (K,) which of its frames, in their order.
        outside, home, stood: how many are left out: outside the area, in a home zone, and as near to the frame before that they show the same.
    """

    key: str
    source: Source
    sequence: TrainingSequence
    rows: IntArray
    outside: int
    home: int
    stood: int

    @classmethod
    def of(
        cls, key: str, source: Source, sequence: TrainingSequence, aoi: AreaOfInterest | None, homes: Sequence[Home], every_m: float
    ) -> Kept:
        """Choose by area, home zones and distance along the way."""
        places = sequence.lat_lon_deg
        inside = shapely.contains_xy(aoi.geometry, places[:, 1], places[:, 0]) if aoi else np.ones(len(places), dtype=bool)
        home = in_homes(homes, places)
        rows: list[int] = []
        for row in np.flatnonzero(inside & ~home).tolist():
            if not rows or haversine_m(*places[rows[-1]], *places[row]) >= every_m:
                rows.append(row)
        stood = int((inside & ~home).sum()) - len(rows)
        return cls(key, source, sequence, np.array(rows, dtype=np.int64), int((~inside).sum()), int((inside & home).sum()), stood)

    @property
    def left_out(self) -> dict[str, int]:
        """Why its other frames are not in the database, counted."""
        return {"outside the area": self.outside, "in home zones": self.home, "where the camera stood": self.stood}


@dataclass(frozen=True)
class Part:
    """A source's frames as the database takes them, without the features that they are made from.

    Args:
        drive: what tells its drive from others.
        descriptors: (K, D), each frame in the context of its whole source, whatever is kept of that.
        lat_lon_deg: (K, 2).
        images: (K,) what is known of each.
        thumbnails: (K,) JPEG of each, or None.
        local: (K,) what tells details of each, where the database keeps that; it stays on the disk until it is added.
    """

    drive: str
    descriptors: FloatArray
    lat_lon_deg: FloatArray
    images: list[ReferenceImage]
    thumbnails: list[bytes | None]
    local: LocalRows | None = None

    @classmethod
    def of(cls, one: Kept, descriptor: Descriptor, described: Described | None, settings: ReferenceSettings) -> Part:
        """Describe a source's frames."""
        sequence = one.sequence
        descriptors: FloatArray = descriptor.in_context(torch.from_numpy(sequence.seen))[one.rows].numpy()
        thumbnails = [sequence.thumbnails[row] if sequence.thumbnails else None for row in one.rows]
        images = _described(one, described, settings)
        local = sequence.local.take(one.rows) if sequence.local is not None else None
        return cls(drive_of(one.key, one.source, described), descriptors, sequence.lat_lon_deg[one.rows], images, thumbnails, local)


def addition_of(parts: Sequence[Part]) -> Addition:
    """Parts as a database takes them at once."""
    rows = np.zeros(sum(len(one.images) for one in parts), dtype=ROW)
    drives: dict[str, int] = {}
    begin = 0
    for number, one in enumerate(parts):
        part = slice(begin, begin + len(one.images))
        rows["time_s"][part] = [image.time_s for image in one.images]
        rows["heading_deg"][part] = [image.heading_deg for image in one.images]
        rows["drive"][part] = drives.setdefault(one.drive, len(drives))
        rows["sequence"][part] = number
        rows["number"][part] = np.arange(len(one.images))
        begin = part.stop
    local = [one.local for one in parts if one.local is not None]
    return Addition(
        np.concatenate([one.descriptors for one in parts]),
        np.concatenate([one.lat_lon_deg for one in parts]),
        rows,
        [image for one in parts for image in one.images],
        [picture for one in parts for picture in one.thumbnails],
        LocalRows.joined(local) if local else None,
    )


class Batches:
    """Adds sources to a database, as many at once as memory shall hold.

    Args:
        opened: makes or opens the database, given the first sources that go into it; asked once, before the first of them is described.
        described, settings: as of :func:`.reference_build.build`.
        add: how a database takes an addition.
    """

    def __init__(
        self,
        opened: Callable[[Sequence[Kept]], Store],
        described: Described | None,
        settings: ReferenceSettings,
        add: Callable[[Store, Addition], Store] = Store.add,
    ) -> None:
        self._opened, self._described, self._settings, self._added_to = opened, described, settings, add
        self.store: Store | None = None
        self.added = 0
        self._whole: list[Kept] = []  # with their features, until the descriptors are made
        self._parts: list[Part] = []  # until they are a segment

    def take(self, sources: Sequence[Kept]) -> bool:
        """Sources that are to be added at once, such as all views of a drive; True where the database has grown.

        Raises:
            InputError: the database cannot be written.
        """
        self._whole += [one for one in sources if len(one.rows)]
        if sum(len(one.sequence) for one in self._whole) < BATCH_IMAGES:
            return False
        self._describe()
        # Of sources that hardly touch the area little is kept: many small segments would slow down every search.
        return self._add() if 2 * sum(len(one.images) for one in self._parts) >= BATCH_IMAGES else False

    def finish(self) -> None:
        """Add what is left. Errors as of :meth:`take`."""
        self._describe()
        self._add()

    def _describe(self) -> None:
        if self._whole:
            self.store = self.store or self._opened(self._whole)
            self._parts += [Part.of(one, self.store.descriptor, self._described, self._settings) for one in self._whole]
            self._whole.clear()

    def _add(self) -> bool:
        if not self._parts or self.store is None:
            return False
        self.store = self._added_to(self.store, addition_of(self._parts))
        self.added += sum(len(one.images) for one in self._parts)
        self._parts.clear()
        return True


def by_drive(keyed: Sequence[tuple[str, Source]], described: object) -> list[list[tuple[str, Source]]]:
    """Sources, those of one drive together, in the order in which drives first come."""
    found: dict[str, list[tuple[str, Source]]] = {}
    for key, source in keyed:
        found.setdefault(drive_of(key, source, described), []).append((key, source))
    return list(found.values())


def drive_of(key: str, source: Source, described: object) -> str:
    """What tells a drive from others: views of its panoramas are lists of their own, and of one region."""
    several = described is not None and not isinstance(source, TrainingSource) and source.region
    return str(several or key)


def _described(one: Kept, described: Described | None, settings: ReferenceSettings) -> list[ReferenceImage]:
    """What is known of the frames that are kept, a record each; ``sequence`` is the source's key, by which it is known again."""
    if described is None:
        return _own_images(one, settings)
    known = list(described(one.source))
    numbers = one.sequence.numbers if one.sequence.numbers is not None else np.arange(len(one.sequence))
    return [replace(known[number], sequence=one.key) for number in numbers[one.rows].tolist()]


def _own_images(one: Kept, settings: ReferenceSettings) -> list[ReferenceImage]:
    """What is known of a person's own frames, a record a frame that is kept; headings of videos are those of the way."""
    sequence = one.sequence
    lat, lon = sequence.lat_lon_deg.T
    heading = courses_deg(lat, lon) if isinstance(one.source, TrainingSource) else np.full(len(lat), math.nan)
    began_s = _began_s(one.source)
    return [
        ReferenceImage(
            OWN, f"{one.key}/{row}", one.key, float(lat[row]), float(lon[row]), float(heading[row]), began_s + float(sequence.time_s[row]),
            author=settings.author, licence=settings.licence,
        )
        for row in one.rows
    ]  # fmt: skip


def _began_s(source: Source) -> float:
    """When a source began, seconds since 1970 (UTC); NaN where nothing says so."""
    if not isinstance(source, TrainingSource):
        return math.nan
    start = open_source(source.path, kind=source.kind).start_time
    return start.timestamp() if start is not None else math.nan
