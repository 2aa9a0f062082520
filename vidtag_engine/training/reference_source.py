"""A database of reference images from a source: search, two questions, sampling, download, and then as from what a person brings."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from ..atomic import replacing
from ..batch import default_cache_folder
from ..datasets import LabelledSequence
from ..feedback import Feedback
from ..grid import AreaOfInterest
from ..reference.consent import DownloadConsent, QueryConsent, download_consent, query_consent
from ..reference.downloads import VIEWS, fetch
from ..reference.images import ReferenceImage
from ..reference.manifest import MANIFEST
from ..reference.panorama import view_of, views
from ..reference.sampling import Sampling, sample
from ..reference.sources import WIDTH_PX, Source
from ..reference.store import Store
from ..reference.web import Web
from ..settings import ReferenceSettings
from ..types import InputError
from .features import Source as FeatureSource
from .home_zone import Home, in_homes
from .reference_build import Built, build

_SEARCH_SHARE, _FETCH_SHARE = 0.05, 0.5  # of the whole time
_VIEWS, _FIELD_OF_VIEW_DEG = 6, 90.0
_PAUSE_S = 300.0  # between images of one sequence: a longer one begins another drive

Ask = Callable[[QueryConsent | DownloadConsent], bool]


@dataclass(frozen=True)
class Answers:
    """What somebody said to the two questions before they were asked.

    Args:
        query: these hosts may be asked about the area.
        download_mb: so many megabytes may be fetched; None: nobody said so.
        ask: puts a question that was not answered before to a person; None where nobody is there, and then there is no yes.
    """

    query: bool = False
    download_mb: float | None = None
    ask: Ask | None = None

    def megabytes(self, question: DownloadConsent) -> float | None:
        """The answer to the second question; None is a no."""
        if question.count and self.download_mb is None and self.ask is not None and self.ask(question):
            return math.ceil(1.5 * question.estimated_mb) + 1.0  # an estimate is no more exact than that
        return self.download_mb


def build_from_source(
    output: Path,
    source: Source,
    area: AreaOfInterest,
    settings: ReferenceSettings,
    answers: Answers,
    *,
    sampling: Sampling = Sampling(),
    width_px: int = WIDTH_PX,
    homes: Sequence[Home] = (),
    cache_folder: Path | None = None,
    feedback: Feedback = Feedback(),
) -> Built:
    """Find a source's pictures in an area, fetch them once somebody has agreed, and make a database of them, or add to one.

    Broken off, the same call goes on: pictures that were fetched stay in the cache, and what is in the database is neither fetched nor added again.

    Args:
        output, settings, homes, feedback: as :func:`.reference_build.build`.
        source: opened; nothing is asked of it before ``answers`` say yes.
        area: images outside are left out.
        answers: to the two questions.
        sampling: which pictures are worth fetching.
        width_px: that is enough.
        cache_folder: of pictures; None is the user's own.

    Raises:
        InputError: nobody agreed, nothing was found, or as :func:`.reference_build.build`.
        FetchError: a host does not answer.
        CancelledError: stopped; what was fetched is kept.
    """
    feedback = feedback.saying("Stopped; what was fetched is kept, and the same command goes on from there.")
    folder = cache_folder or default_pictures_folder()
    store = Store.open(output) if (output / MANIFEST).is_file() else None
    chosen, new = find(source, area, answers, store, sampling=sampling, homes=homes, feedback=feedback.part(0.0, _SEARCH_SHARE))
    _check_licences(new, store, sampling)
    fetched = fetch_agreed(source, new, folder, width_px, answers, feedback.part(_SEARCH_SHARE, _FETCH_SHARE))
    sequences, described = lists_of(fetched, folder)
    if not sequences and store is None:
        raise InputError(f"None of the pictures of {source.title} could be had: try again later.")
    found_settings = settings.model_copy(update={"private": source.private, "every_m": 0.0})
    built = build(
        output,
        sequences,
        found_settings,
        aoi=area,
        homes=homes,
        described=lambda one: described[one.name],
        feedback=feedback.part(_FETCH_SHARE, 1.0),
    )
    return replace(built, there=built.there + len(chosen) - len(new))


def default_pictures_folder() -> Path:
    """Where fetched pictures are kept between runs."""
    return default_cache_folder().parent / "reference-pictures"


def _check_licences(new: Sequence[ReferenceImage], store: Store | None, sampling: Sampling) -> None:
    """Raise InputError, before anything is fetched, where a database would hold pictures under several licences and nobody asked for that."""
    licences = ({image.licence for image in new} | set(store.licences if store else ())) - {""}
    if new and len(licences) > 1 and not sampling.mixed_licences:
        named = ", ".join(sorted(licences))
        raise InputError(
            f"The database would hold pictures under several licences ({named}): build another one, or allow --mixed-licences."
        )


def find(
    source: Source,
    area: AreaOfInterest,
    answers: Answers,
    store: Store | None = None,
    *,
    sampling: Sampling = Sampling(),
    homes: Sequence[Home] = (),
    feedback: Feedback = Feedback(),
) -> tuple[list[ReferenceImage], list[ReferenceImage]]:
    """The pictures of an area that are worth having, after the first question, and those of them that a database has not yet.

    What was removed from it stays out, until its source gives it in another form.

    Arguments and errors as of :func:`build_from_source`.
    """
    there, removed = _in(store) if store else (set(), set())
    chosen = sample(search_area(source, area, answers, feedback), sampling, now_s=time.time())
    home = in_homes(homes, np.array([[one.lat_deg, one.lon_deg] for one in chosen]).reshape(-1, 2))
    new = [image for image, left_out in zip(chosen, home, strict=True) if not left_out and (image.source, image.image_id) not in there]
    return chosen, [image for image in new if (image.source, image.image_id, image.updated) not in removed]


def _in(store: Store) -> tuple[set[tuple[str, str]], set[tuple[str, str, str]]]:
    """Source and id of the pictures that a database has, and with ``updated`` of those that were removed; of a panorama's views that of the panorama, too."""
    there = {(one.source, name) for one in store.known() for name in (one.image_id, one.image_id.rpartition("@")[0])}
    removed = {
        (one.source, name, one.updated) for one in store.known(removed=True) for name in (one.image_id, one.image_id.rpartition("@")[0])
    }
    return there, removed


def search_area(source: Source, area: AreaOfInterest, answers: Answers, feedback: Feedback) -> list[ReferenceImage]:
    """All pictures of an area, after the first question."""
    question = query_consent(source, area)
    agreed = question.agreed(not question.origins or answers.query or (answers.ask is not None and answers.ask(question)))
    with Web(agreed, headers=source.headers) as web:
        found = list(source.search(area, web, feedback))
    if not found:
        raise InputError(f"{source.title} has no pictures in this area: draw a larger one, or take another source.")
    return found


def fetch_agreed(
    source: Source, images: Sequence[ReferenceImage], folder: Path, width_px: int, answers: Answers, feedback: Feedback
) -> list[tuple[ReferenceImage, Path]]:
    """Pictures on this machine, after the second question."""
    question = download_consent(source, images, folder, width_px=width_px)
    with Web(question.agreed(answers.megabytes(question)), headers=source.headers) as web:
        return [
            (one.image, one.path)
            for one in fetch(source, images, web, folder, width_px=width_px, feedback=feedback)
            if one.path is not None
        ]


def lists_of(fetched: Sequence[tuple[ReferenceImage, Path]], folder: Path) -> tuple[list[FeatureSource], dict[str, list[ReferenceImage]]]:
    """Pictures as lists in the order of time, a list a drive and, of panoramas, a direction of view; and what is known of each list's images."""
    by_drive: dict[tuple[str, float], list[tuple[ReferenceImage, Path]]] = {}
    for image, path in fetched:
        for view, own in _cut(image, path, folder) if image.panorama else [(image, path)]:
            offset = float(view.image_id.rpartition("@")[2]) if image.panorama else 0.0
            by_drive.setdefault((f"{image.source} {image.sequence}", offset), []).append((view, own))
    lists: list[FeatureSource] = []
    described: dict[str, list[ReferenceImage]] = {}
    for (drive, offset), members in sorted(by_drive.items()):
        members.sort(key=lambda one: (one[0].time_s if math.isfinite(one[0].time_s) else math.inf, one[0].image_id))
        for number, part in enumerate(_without_pauses(members)):
            first = part[0][0].time_s
            seconds = np.array([one.time_s - first if math.isfinite(one.time_s) else float(place) for place, (one, _) in enumerate(part)])
            name = f"{drive} {offset:g} {number}"
            lists.append(
                LabelledSequence(
                    name, Path("/"), tuple(str(path.resolve()) for _, path in part), "images", seconds,
                    np.array([[one.lat_deg, one.lon_deg] for one, _ in part]), drive,
                )
            )  # fmt: skip
            described[name] = [one for one, _ in part]
    return lists, described


def _without_pauses(members: Sequence[tuple[ReferenceImage, Path]]) -> list[list[tuple[ReferenceImage, Path]]]:
    """Cut where the camera paused: frames in context are compared by their neighbours."""
    parts: list[list[tuple[ReferenceImage, Path]]] = [[members[0]]]
    for before, one in itertools.pairwise(members):
        if not one[0].time_s - before[0].time_s <= _PAUSE_S and math.isfinite(one[0].time_s):
            parts.append([])
        parts[-1].append(one)
    return [part for part in parts if part]


def _cut(image: ReferenceImage, path: Path, folder: Path) -> list[tuple[ReferenceImage, Path]]:
    """A panorama's views as pictures beside it, made once."""
    with Image.open(path) as opened:
        picture = np.array(opened.convert("RGB"))
    found = []
    for view in views(picture, image.heading_deg, count=_VIEWS, field_of_view_deg=_FIELD_OF_VIEW_DEG):
        own = folder / VIEWS / f"{path.stem}-{view.offset_deg:g}.jpg"
        if not own.is_file():
            own.parent.mkdir(parents=True, exist_ok=True)
            with replacing(own) as part:
                Image.fromarray(view.picture).save(part, format="JPEG", quality=92)
        found.append((view_of(image, view, _FIELD_OF_VIEW_DEG), own))
    return found
