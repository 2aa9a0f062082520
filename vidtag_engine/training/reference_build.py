"""A database of reference images from what a person has: videos with tracks, photographs with places, a place-recognition data set."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import shapely

from ..batch import compiled_folder
from ..calibration.references import calibrate_references
from ..datasets import Skips
from ..feedback import Feedback
from ..grid import AreaOfInterest, load_aoi
from ..models.device import pick_device
from ..models.frame_encoder import FrameEncoder, build_frame_encoder, encoder_of, has_layout, weights_to_fetch
from ..reference.descriptor import Descriptor
from ..reference.manifest import MANIFEST, Manifest
from ..reference.store import Store
from ..reference.work import WORK, check_free, clear_work
from ..settings import ReferenceSettings
from ..types import InputError
from ..video import open_source, source_digest
from .cluster_features import encode_on_cluster
from .encode_features import FeatureOptions
from .features import FeatureStore, Source, TrainingSource, listed_digest, load_sequences
from .home_zone import Home
from .reference_parts import Batches, Described, Kept, by_drive
from .settings import recipe
from .start import whitening_of

THUMBNAIL_PX = 256  # on the longer side
_FEATURES_SHARE = 0.75  # of the whole time
_CLUSTER_SHARE = 0.9  # of that, where a cluster encodes


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
    homes: Sequence[Home] = (),
    described: Described | None = None,
    cluster: str | None = None,
    feedback: Feedback = Feedback(),
) -> Built:
    """Make a database, or add to one, and fit how sure to be of what it says.

    Images are added in batches of some ``BATCH_IMAGES``, so that memory does not grow with the database; what is whitened is fitted on the first batch of a new
    one, and then holds for all. Broken off or cancelled, the same call goes on where it stopped: finished batches are in the database, finished sources of the
    next one wait in ``output/building``. What is in the database already is not added again.

    Args:
        output: the database's folder.
        sources: videos or folders of images with their tracks, or lists of images with places.
        settings: of the build; of a database that is there already, what it was made with holds.
        aoi: images outside are left out; None takes all.
        homes: images there are left out.
        described: what is known of the images of a list, one each, such as a platform's authors and licences; None: they are the person's own.
        cluster: address of a Dask scheduler, or "local": its workers encode the sources before; None does it here.
        feedback: of the whole.

    Raises:
        InputError: bad sources or output, in one sentence.
        CancelledError: stopped; what was done is kept.
    """
    feedback = feedback.saying("Stopped; finished sources are kept, and the same command goes on from there.")
    store = Store.open(output) if (output / MANIFEST).is_file() else None
    if store is None:
        check_free(output)  # before the work of hours
    features = open_features(output, store, settings, feedback)
    known = store.keys() if store else frozenset[str]()
    left_out = Skips()
    keyed = _keyed(sources, left_out)
    new = [(key, source) for key, source in keyed if key not in known]
    there = len(keyed) - len(new)
    encoding = feedback.part(0.0, _FEATURES_SHARE)
    if cluster and new:
        new = _encoded_on(cluster, new, output, store, settings, left_out, encoding.part(0.0, _CLUSTER_SHARE))
        encoding = encoding.part(_CLUSTER_SHARE, 1.0)
    batches = Batches(
        lambda first: _with_area(store, settings, aoi) if store else _created(output, settings, features.encoder, first, aoi),
        described,
        settings,
    )
    dropped: Counter[str] = Counter()
    number = 0
    for together in by_drive(new, described):
        chosen = []
        for key, source in together:
            part = encoding.part(number / len(new), (number + 1) / len(new))
            # One damaged video of many is no reason to stop.
            for sequence in load_sequences(features, [source], part, left_out if len(sources) > 1 else None):
                chosen.append(Kept.of(key, source, sequence, aoi, homes, settings.every_m))
                dropped.update(chosen[-1].left_out)
            number += 1
        if batches.take(chosen):
            encoding.tell(number / len(new), "database", f"{batches.added:,} images are in it")
    feedback.tell(_FEATURES_SHARE, "database", "whitening and writing")
    batches.finish()
    dropped.update(left_out.counts)
    store = batches.store or store
    if store is None:
        raise InputError(f"None of the pictures is of use ({_told(dropped)}): give a larger area, or other videos or photographs.")
    if not store.manifest.calibration and settings.calibrate:
        store = calibrated(store, feedback=feedback.part(_FEATURES_SHARE + 0.05, 1.0))
    clear_work(output)
    feedback.tell(1.0, "done", output.name)
    return Built(store, batches.added, there, {why: count for why, count in dropped.items() if count})


def open_features(output: Path, store: Store | None, settings: ReferenceSettings, feedback: Feedback) -> FeatureStore:
    """Where a build's or refresh's finished sources wait, with the encoder that a database was made with, or is to be.

    Raises:
        InputError: the database is of another version's encoder, or the folder cannot be written.
    """
    preset = store.manifest.frame_encoder if store else encoder_of(settings.preset)
    if said := weights_to_fetch(preset):
        feedback.tell(0.0, "fetching", said)
    encoder = build_frame_encoder(preset, pick_device(settings.device), compiled_folder=compiled_folder(), layout=has_layout(preset))
    encoder = encoder.with_local(store.manifest.local_features if store else settings.local_features)
    _check_encoder(store, encoder)
    _make(output)
    return FeatureStore(
        output / WORK, encoder, augment="none", views=0, seed=0, rate_hz=settings.rate_hz, half=True, thumbnail_px=THUMBNAIL_PX
    )


def _encoded_on(
    cluster: str,
    new: Sequence[tuple[str, Source]],
    output: Path,
    store: Store | None,
    settings: ReferenceSettings,
    left_out: Skips,
    feedback: Feedback,
) -> list[tuple[str, Source]]:
    """Let a cluster encode sources; returns those that did not kill its processes, and would not this one. What failed otherwise is tried here again."""
    preset = store.manifest.frame_encoder if store else encoder_of(settings.preset)
    kind = (store.manifest.local_features if store else settings.local_features) or "none"
    options = FeatureOptions(preset, has_layout(preset), kind, rate_hz=settings.rate_hz, thumbnail_px=THUMBNAIL_PX, device=settings.device)
    done = encode_on_cluster([source for _, source in new], options, output / WORK, cluster, feedback=feedback)
    whys = dict(done.failed)
    for source in done.set_aside:
        if len(new) == 1:
            raise InputError(whys[source.name])
        left_out.add("sources that cannot be read", f"{source.name}: {whys[source.name]}")
    aside = {id(source) for source in done.set_aside}
    return [(key, source) for key, source in new if id(source) not in aside]


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


def _created(output: Path, settings: ReferenceSettings, encoder: FrameEncoder, first: Sequence[Kept], aoi: AreaOfInterest | None) -> Store:
    """An empty database, its descriptors whitened by what is going to be its first images."""
    sequences = [one.sequence for one in first]
    training = recipe("default", preset=settings.preset, resolution_m=settings.resolution_m, remembered_width=settings.width)
    descriptor = Descriptor.of(whitening_of(sequences, training))
    manifest = Manifest(
        output.name, encoder_of(settings.preset), encoder.feature_dim, descriptor.dim // len(descriptor.whitening), encoder.layout_dim, 1.0,
        settings.resolution_m, settings.private, area="" if aoi is None else _wkt(aoi.geometry),
        local_features=encoder.local.kind if encoder.local else "",
    )  # fmt: skip
    return Store.create(output, manifest, descriptor)


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
