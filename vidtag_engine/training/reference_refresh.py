"""What has become of a platform's pictures since they came into a database: those that are gone leave it, those that were changed are made anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from ..datasets import Skips
from ..feedback import Feedback
from ..grid import AreaOfInterest
from ..reference.addition import Addition
from ..reference.consent import download_consent
from ..reference.downloads import forget, is_fetched, picture_path
from ..reference.image_table import Known
from ..reference.images import ReferenceImage
from ..reference.sources import WIDTH_PX, Source
from ..reference.sources.checked import time_s
from ..reference.store import Store
from ..reference.work import clear_work
from ..settings import ReferenceSettings
from .features import Source as FeatureSource
from .features import load_sequences
from .reference_build import key_of, open_features
from .reference_parts import Batches, Kept, by_drive
from .reference_source import Answers, default_pictures_folder, fetch_agreed, lists_of, search_area

_SEARCH_SHARE, _FETCH_SHARE = 0.1, 0.5  # of the whole time


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did.

    Args:
        store: the database as it is now.
        removed: images that their platform does not give any more.
        replaced: images that it has changed, made anew.
        changed_removed: images that it has changed and that were not fetched again: what was blurred since must not stay as it was.
    """

    store: Store
    removed: int
    replaced: int
    changed_removed: int


def refresh(
    output: Path,
    source: Source,
    area: AreaOfInterest,
    answers: Answers,
    *,
    width_px: int = WIDTH_PX,
    cache_folder: Path | None = None,
    feedback: Feedback = Feedback(),
) -> Refreshed:
    """Bring a database's pictures of an area to what their source gives now; :func:`.reference_source.build_from_source` adds what is new.

    Pictures that it does not give any more are removed. Those that it has changed since are fetched anew where somebody agrees, take the old ones' place, and
    are removed where nobody does or they cannot be had. Each change of the database is one step: broken off, the same call goes on with what is left.

    Args:
        output: the database's folder.
        source: opened; nothing is asked of it before ``answers`` say yes.
        area: what is looked at.
        answers: to the two questions; no answer to the second one is a no.
        width_px: as the database was built with.
        cache_folder: of pictures; None is the user's own. What it holds of a changed picture's earlier form is deleted.
        feedback: of the whole.

    Raises:
        InputError: nobody agreed to the first question; more would be fetched than was agreed to; or the source gives nothing at all there, which may be its fault.
        FetchError: a host does not answer.
        CancelledError: stopped; what was done is kept.
    """
    feedback = feedback.saying("Stopped; what was done is kept, and the same command goes on from there.")
    store, folder = Store.open(output), cache_folder or default_pictures_folder()
    now = _Now(source.name, {image.image_id: image for image in search_area(source, area, answers, feedback.part(0.0, _SEARCH_SHARE))})
    gone, changed = _compared(store, now, area)
    # A licence that the database does not have yet is not brought into it by the way.
    wanted = [image for image in changed.values() if image.licence in (store.licences or [""])]
    question = download_consent(source, wanted, folder, width_px=width_px)
    most_mb = answers.megabytes(question)
    if most_mb is None:
        wanted = [image for image in wanted if is_fetched(image, folder, width_px=width_px)]
    else:
        question.agreed(most_mb)  # or nothing is changed
    removed = int(gone.sum())
    store = store.remove(gone) if removed else store
    told = replace(answers, download_mb=most_mb, ask=None)
    came = fetch_agreed(source, wanted, folder, width_px, told, feedback.part(_SEARCH_SHARE, _FETCH_SHARE)) if wanted else []
    replaced = 0
    if changed:
        for one in store.known():
            if now.has_changed(one, store):
                forget(replace(changed[now.picture(one.image_id)], updated=one.updated), folder)
    if came:
        beside = _beside(store, now, {image.image_id for image, _ in came}, folder, width_px)
        store, replaced = _replaced(store, came, beside, now, folder, feedback.part(_FETCH_SHARE, 1.0))
    left = np.zeros(len(store.there), dtype=bool)
    for one in store.known() if changed else ():
        left[one.row] = now.has_changed(one, store)
    store = store.remove(left) if left.any() else store
    clear_work(output)
    return Refreshed(store, removed, replaced, int(left.sum()))


@dataclass(frozen=True)
class _Now:
    """What a platform gives of an area.

    Args:
        name: of the source.
        given: by id.
    """

    name: str
    given: dict[str, ReferenceImage]

    def picture(self, image_id: str) -> str:
        """Id of the picture that an image is of: views of a panorama bear its id and where they look."""
        return image_id if image_id in self.given else image_id.rpartition("@")[0] or image_id

    def has_changed(self, one: Known, store: Store) -> bool:
        """Whether the platform gives another form of it. What is of a time when that was not kept is known by the age of the database."""
        image = self.given.get(self.picture(one.image_id)) if one.source == self.name else None
        if image is None or image.updated == one.updated or time_s(image.updated) == time_s(one.updated):
            return False
        return bool(one.updated) or time_s(image.updated) > time_s(store.manifest.created_utc)


def _compared(store: Store, now: _Now, area: AreaOfInterest) -> tuple[NDArray[np.bool_], dict[str, ReferenceImage]]:
    """(N,) which images of an area are not given any more, and by id the pictures that are given in another form."""
    inside = shapely.contains_xy(area.geometry, *store.lat_lon_deg.T[::-1])
    gone, changed = np.zeros(len(store.there), dtype=bool), dict[str, ReferenceImage]()
    for one in store.known():
        if now.has_changed(one, store):
            changed[now.picture(one.image_id)] = now.given[now.picture(one.image_id)]
        elif one.source == now.name and now.picture(one.image_id) not in now.given:
            gone[one.row] = inside[one.row]
    return gone, changed


def _beside(store: Store, now: _Now, came: set[str], folder: Path, width_px: int) -> list[tuple[ReferenceImage, Path]]:
    """Pictures of the same drives that lie on this machine: an image is described in the context of those before and after it."""
    drives = {now.given[image_id].sequence for image_id in came}
    others = {now.picture(one.image_id) for one in store.known() if one.source == now.name} & set(now.given) - came
    images = [now.given[image_id] for image_id in sorted(others) if now.given[image_id].sequence in drives]
    return [(image, picture_path(image, folder, width_px=width_px)) for image in images if is_fetched(image, folder, width_px=width_px)]


def _replaced(
    store: Store,
    came: Sequence[tuple[ReferenceImage, Path]],
    beside: Sequence[tuple[ReferenceImage, Path]],
    now: _Now,
    folder: Path,
    feedback: Feedback,
) -> tuple[Store, int]:
    """The database with pictures made anew in the old ones' place, a batch at a time, and how many images that are."""
    settings = ReferenceSettings(every_m=0.0, calibrate=False)
    lists, described = lists_of([*came, *beside], folder)
    features = open_features(store.folder, store, settings, feedback)
    anew = {image.image_id for image, _ in came}

    def known(one: FeatureSource) -> Sequence[ReferenceImage]:
        return described[one.name]

    batches = Batches(lambda _: store, known, settings, lambda database, addition: _exchanged(database, addition, now))
    done = 0
    for together in by_drive([(key_of(one), one) for one in lists], known):
        chosen = []
        for key, one in together:
            part = feedback.part(done / len(lists), (done + 1) / len(lists))
            for sequence in load_sequences(features, [one], part, Skips()):  # what cannot be read is not replaced, and removed
                numbers = sequence.numbers if sequence.numbers is not None else np.arange(len(sequence))
                rows = [row for row, at in enumerate(numbers.tolist()) if now.picture(described[one.name][at].image_id) in anew]
                chosen.append(Kept(key, one, sequence, np.array(rows, dtype=np.int64), 0, 0, 0))
            done += 1
        batches.take(chosen)
    batches.finish()
    return batches.store or store, batches.added


def _exchanged(store: Store, addition: Addition, now: _Now) -> Store:
    """An addition in the place of the images that it shows anew: of the same drive and sequence, at the same place in that."""
    pictures = {now.picture(image.image_id) for image in addition.images}
    old = [one for one in store.known() if one.source == now.name and now.picture(one.image_id) in pictures]
    gone = np.zeros(len(store.there), dtype=bool)
    gone[[one.row for one in old]] = True
    by_id = {now.picture(one.image_id): one for one in old} | {one.image_id: one for one in old}
    rows, images = addition.rows.copy(), []
    for row, image in enumerate(addition.images):
        # A picture that shows all around now, or no more, has other views than it had.
        one = by_id.get(image.image_id) or by_id[now.picture(image.image_id)]
        rows[["drive", "sequence", "number"]][row] = store.rows[["drive", "sequence", "number"]][one.row]
        images.append(replace(image, sequence=one.sequence))
    return store.exchange(gone, replace(addition, rows=rows, images=images))
