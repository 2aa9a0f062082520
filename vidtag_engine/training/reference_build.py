"""A database of reference images from what a person has: videos with tracks, photographs with places, a place-recognition data set."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import shapely
import torch
from numpy.typing import NDArray

from ..batch import compiled_folder
from ..calibration.references import calibrate_references
from ..datasets import Skips
from ..datasets.training_sequence import TrainingSequence
from ..feedback import Feedback
from ..geodesy import WGS84, haversine_m
from ..grid import AreaOfInterest, load_aoi
from ..models.device import pick_device
from ..models.frame_encoder import FrameEncoder, build_frame_encoder, weights_to_fetch
from ..reference.descriptor import Descriptor
from ..reference.images import ReferenceImage
from ..reference.manifest import MANIFEST, Manifest
from ..reference.store import ROW, Addition, Store
from ..reference.work import WORK, check_free, clear_work
from ..settings import ReferenceSettings
from ..types import FloatArray, InputError, IntArray
from ..video import open_source, source_digest
from .features import FeatureStore, Source, TrainingSource, listed_digest, load_sequences
from .settings import recipe
from .start import whitening_of

OWN = "own"  # the source of what a person brings
THUMBNAIL_PX = 256  # on the longer side
_FEATURES_SHARE = 0.75  # of the whole time
_LEAST_MOVE_M = 0.5  # from the frame before to the one after: less is a receiver's noise


@dataclass(frozen=True)
class HomeZone:
    """Ground whose pictures nobody is to see.

    Args:
        lat_deg, lon_deg: of its middle.
        radius_m: around it.
    """

    lat_deg: float
    lon_deg: float
    radius_m: float

    @classmethod
    def of(cls, text: str) -> HomeZone:
        """``LAT,LON,METRES``. Raises InputError where it is not that."""
        try:
            lat, lon, radius_m = map(float, text.split(","))
        except ValueError as error:
            raise InputError(f"{text!r} is no home zone: give latitude, longitude and metres, such as 55.7047,13.1910,300.") from error
        if not (abs(lat) <= 90.0 and abs(lon) <= 180.0 and 0.0 < radius_m < 1e6):
            raise InputError(f"{text!r} is no home zone: latitude comes first, and the metres are between 0 and 1,000,000.")
        return cls(lat, lon, radius_m)

    def holds(self, lat_lon_deg: FloatArray) -> NDArray[np.bool_]:
        """(T,) whether places (T, 2) lie in it."""
        lat, lon = lat_lon_deg.T
        found: NDArray[np.bool_] = haversine_m(lat, lon, np.array(self.lat_deg), np.array(self.lon_deg)) <= self.radius_m
        return found


@dataclass(frozen=True)
class Built:
    """What a build gave.

    Args:
        store: the database as it is now.
        added: images.
        there: sources that were in it already.
        left_out: why images or sources are not in it, counted.
    """

    store: Store
    added: int
    there: int
    left_out: dict[str, int]


def build(
    output: Path,
    sources: Sequence[Source],
    settings: ReferenceSettings,
    *,
    aoi: AreaOfInterest | None = None,
    homes: Sequence[HomeZone] = (),
    described: Callable[[Source], Sequence[ReferenceImage]] | None = None,
    feedback: Feedback = Feedback(),
) -> Built:
    """Make a database, or add to one, and fit how sure to be of what it says.

    Broken off or cancelled, the same call goes on where it stopped: finished sources wait in ``output/building``. What is in the database already is not added
    again.

    Args:
        output: the database's folder.
        sources: videos or folders of images with their tracks, or lists of images with places.
        settings: of the build; of a database that is there already, what it was made with holds.
        aoi: images outside are left out; None takes all.
        homes: images there are left out.
        described: what is known of the images of a list, one each, such as a platform's authors and licences; None: they are the person's own.
        feedback: of the whole.

    Raises:
        InputError: bad sources or output, in one sentence.
        CancelledError: stopped; what was done is kept.
    """
    feedback = feedback.saying("Stopped; finished sources are kept, and the same command goes on from there.")
    store = Store.open(output) if (output / MANIFEST).is_file() else None
    if store is None:
        check_free(output)  # before the work of hours
    preset = store.manifest.frame_encoder if store else settings.preset
    if said := weights_to_fetch(preset):
        feedback.tell(0.0, "fetching", said)
    encoder = build_frame_encoder(
        preset, pick_device(settings.device), compiled_folder=compiled_folder(), layout=preset == "vidtag-compact"
    )
    _check_encoder(store, encoder)
    _make(output)
    known = store.keys() if store else frozenset[str]()
    left_out = Skips()
    keyed = _keyed(sources, left_out)
    new = [(key, source) for key, source in keyed if key not in known]
    features = FeatureStore(
        output / WORK, encoder, augment="none", views=0, seed=0, rate_hz=settings.rate_hz, half=True, thumbnail_px=THUMBNAIL_PX
    )
    loaded = []
    for number, (key, source) in enumerate(new):
        part = feedback.part(_FEATURES_SHARE * number / len(new), _FEATURES_SHARE * (number + 1) / len(new))
        # One damaged video of many is no reason to stop.
        loaded += [(key, source, one) for one in load_sequences(features, [source], part, left_out if len(sources) > 1 else None)]
    kept = [_Kept.of(key, source, sequence, aoi, homes, settings.every_m) for key, source, sequence in loaded]
    dropped = {
        "outside the area": sum(one.outside for one in kept),
        "in home zones": sum(one.home for one in kept),
        "where the camera stood": sum(one.stood for one in kept),
        **left_out.counts,
    }
    kept = [one for one in kept if len(one.rows)]
    if kept:
        feedback.tell(_FEATURES_SHARE, "database", "whitening and writing")
        store = _with_area(store, settings, aoi) if store else _created(output, settings, encoder, kept, aoi)
        store = store.add(_addition(store, kept, described, settings))
    elif store is None:
        raise InputError(f"None of the pictures is of use ({_told(dropped)}): give a larger area, or other videos or photographs.")
    if not store.manifest.calibration and settings.calibrate:
        store = calibrated(store, feedback=feedback.part(_FEATURES_SHARE + 0.05, 1.0))
    clear_work(output)
    feedback.tell(1.0, "done", output.name)
    return Built(store, sum(len(one.rows) for one in kept), len(keyed) - len(new), {why: count for why, count in dropped.items() if count})


def calibrated(store: Store, *, seed: int = 0, feedback: Feedback = Feedback()) -> Store:
    """The database with how sure to be of what it says: fitted on its own drives, or what is read where there are too few of these.

    Raises:
        InputError: it cannot be written.
        CancelledError: stopped; the database is whole, and not rated.
    """
    area = load_aoi(store.manifest.area) if store.manifest.area else area_of_images(store)
    found = calibrate_references(store, area, seed=seed, feedback=feedback)
    return store.with_calibration(found.to_dict())


def _with_area(store: Store, settings: ReferenceSettings, aoi: AreaOfInterest | None) -> Store:
    """A database that is added to: for both areas, or for wherever its images lie. It is private before what is private is in it."""
    area = "" if aoi is None or not store.manifest.area else _wkt(shapely.union(shapely.from_wkt(store.manifest.area), aoi.geometry))
    return store.for_more(private=settings.private, area=area)


def _wkt(area: shapely.Geometry) -> str:
    return str(shapely.to_wkt(area, rounding_precision=7))


def area_of_images(store: Store) -> AreaOfInterest:
    """The box about a database's images and their reach."""
    return load_aoi(",".join(f"{one:.7f}" for one in store.extent_deg))


def _keyed(sources: Sequence[Source], left_out: Skips) -> list[tuple[str, Source]]:
    """Sources with what tells them from others. One of several that cannot be read is counted; of a single one it is an error."""
    found = []
    for source in sources:
        try:
            found.append((key_of(source), source))
        except InputError as error:
            if len(sources) == 1:
                raise
            left_out.add("sources that cannot be read", f"{source.name}: {error}")
    return found


def key_of(source: Source) -> str:
    """What tells a source from others, by its content: the start of its images' ids in the database."""
    if not isinstance(source, TrainingSource):
        return listed_digest(source)[:20]
    truth = source.truth.read_bytes() if source.truth and source.truth.is_file() else b""
    content = source_digest(open_source(source.path, kind=source.kind).path)
    return hashlib.sha256(content.encode() + truth).hexdigest()[:20]


@dataclass(frozen=True)
class _Kept:
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
        cls, key: str, source: Source, sequence: TrainingSequence, aoi: AreaOfInterest | None, homes: Sequence[HomeZone], every_m: float
    ) -> _Kept:
        """Choose by area, home zones and distance along the way."""
        places = sequence.lat_lon_deg
        inside = shapely.contains_xy(aoi.geometry, places[:, 1], places[:, 0]) if aoi else np.ones(len(places), dtype=bool)
        home = np.zeros(len(places), dtype=bool)
        for zone in homes:
            home |= zone.holds(places)
        rows: list[int] = []
        for row in np.flatnonzero(inside & ~home).tolist():
            if not rows or haversine_m(*places[rows[-1]], *places[row]) >= every_m:
                rows.append(row)
        stood = int((inside & ~home).sum()) - len(rows)
        return cls(key, source, sequence, np.array(rows, dtype=np.int64), int((~inside).sum()), int((inside & home).sum()), stood)


def _created(output: Path, settings: ReferenceSettings, encoder: FrameEncoder, kept: Sequence[_Kept], aoi: AreaOfInterest | None) -> Store:
    """An empty database, its descriptors whitened by what is going to be its first images."""
    sequences = [one.sequence for one in kept]
    training = recipe("default", preset=settings.preset, resolution_m=settings.resolution_m, remembered_width=settings.width)
    descriptor = Descriptor.of(whitening_of(sequences, training))
    manifest = Manifest(
        output.name, settings.preset, encoder.feature_dim, descriptor.dim // len(descriptor.whitening), encoder.layout_dim, 1.0,
        settings.resolution_m, settings.private, area="" if aoi is None else _wkt(aoi.geometry),
    )  # fmt: skip
    return Store.create(output, manifest, descriptor)


def _addition(
    store: Store, kept: Sequence[_Kept], described: Callable[[Source], Sequence[ReferenceImage]] | None, settings: ReferenceSettings
) -> Addition:
    """Sources as the database takes them: each frame described in the context of its whole source, whatever is kept of that."""
    rows = np.zeros(sum(len(one.rows) for one in kept), dtype=ROW)
    descriptors = np.empty((len(rows), store.descriptor.dim), dtype=np.float32)
    places = np.empty((len(rows), 2))
    images: list[ReferenceImage] = []
    thumbnails: list[bytes | None] = []
    drives: dict[str, int] = {}
    begin = 0
    for number, one in enumerate(kept):
        part, sequence = slice(begin, begin + len(one.rows)), one.sequence
        descriptors[part] = store.descriptor.in_context(torch.from_numpy(sequence.seen))[one.rows].numpy()
        taken = _described(one, described, settings)
        places[part] = sequence.lat_lon_deg[one.rows]
        rows["time_s"][part] = [image.time_s for image in taken]
        rows["heading_deg"][part] = [image.heading_deg for image in taken]
        rows["drive"][part] = drives.setdefault(_drive(one, described), len(drives))
        rows["sequence"][part] = number
        rows["number"][part] = np.arange(len(one.rows))
        images += taken
        thumbnails += [sequence.thumbnails[row] if sequence.thumbnails else None for row in one.rows]
        begin = part.stop
    return Addition(descriptors, places, rows, images, thumbnails)


def _drive(one: _Kept, described: object) -> str:
    """What tells a drive from others: views of its panoramas are lists of their own, and of one region."""
    several = described is not None and not isinstance(one.source, TrainingSource) and one.source.region
    return str(several or one.key)


def _described(
    one: _Kept, described: Callable[[Source], Sequence[ReferenceImage]] | None, settings: ReferenceSettings
) -> list[ReferenceImage]:
    """What is known of the frames that are kept, a record each; ``sequence`` is the source's key, by which it is known again."""
    if described is None:
        return _own_images(one, settings)
    known = list(described(one.source))
    numbers = one.sequence.numbers if one.sequence.numbers is not None else np.arange(len(one.sequence))
    return [replace(known[number], sequence=one.key) for number in numbers[one.rows].tolist()]


def _own_images(one: _Kept, settings: ReferenceSettings) -> list[ReferenceImage]:
    """What is known of a person's own frames, a record a frame that is kept; headings of videos are those of the way."""
    sequence = one.sequence
    lat, lon = sequence.lat_lon_deg.T
    heading = headings_deg(lat, lon) if isinstance(one.source, TrainingSource) else np.full(len(lat), math.nan)
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


def headings_deg(lat_deg: FloatArray, lon_deg: FloatArray) -> FloatArray:
    """(T,) course over ground at successive places, clockwise from north: along the chord from the place before to the one after; NaN where nothing moves."""
    if len(lat_deg) < 2:
        return np.full(len(lat_deg), math.nan)
    before, after = np.maximum(np.arange(len(lat_deg)) - 1, 0), np.minimum(np.arange(len(lat_deg)) + 1, len(lat_deg) - 1)
    azimuth, _, moved_m = WGS84.inv(lon_deg[before], lat_deg[before], lon_deg[after], lat_deg[after])
    found: FloatArray = np.where(np.asarray(moved_m) > _LEAST_MOVE_M, np.asarray(azimuth) % 360.0, math.nan)
    return found


def _check_encoder(store: Store | None, encoder: FrameEncoder) -> None:
    if store and (encoder.feature_dim, encoder.layout_dim) != (store.manifest.feature_dim, store.manifest.layout_dim):
        raise InputError(f"{store.folder.name} was made by another version's frame encoder: build it again in a new folder.")


def _make(output: Path) -> None:
    try:
        (output / WORK).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The database cannot be written to {output} ({error.strerror or error}): give another folder.") from error


def _told(dropped: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {why}" for why, count in dropped.items() if count) or "no source gave one"
