"""Which reference images speak for a video's answer, and what of them may be passed on with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from .inference import Posterior, PosteriorDecoder
from .loaded import Loaded
from .reference.database import StoredReferences
from .reference.similarity import Evidence
from .reference.store import Shown, Store
from .types import FrameState, IntArray, Match, Trajectory


def matches_of(
    loaded: Loaded, solver: PosteriorDecoder, solved: Posterior, frame_index: IntArray, trajectory: Trajectory, *, share_places: bool
) -> tuple[Match, ...]:
    """The best reference images of each located frame; none where no database on disk is read.

    Args:
        loaded: with the database.
        solver, solved: that the answer is from.
        frame_index: (T,) of its frames.
        trajectory: the answer as it is given; of frames whose answer is withheld nothing is told.
        share_places: tell places and show thumbnails of one's own images, too; else of a platform's openly licensed ones alone.
    """
    references = loaded.model.memory
    if not isinstance(references, StoredReferences):
        return ()
    store = references.store
    located = {int(index) for index, state in zip(trajectory.frame_index, trajectory.state, strict=True) if state is FrameState.LOCATED}
    positions = np.stack([solved.final.lat_deg[:, 0], solved.final.lon_deg[:, 0]], axis=1)
    found = [
        (int(index), rank, one)
        for index, of_frame in zip(frame_index, solver.evidence(solved.scores, positions), strict=True)
        if int(index) in located
        for rank, one in enumerate(of_frame, 1)
    ]
    shown = store.shown([one.row for _, _, one in found])
    return tuple(
        _match(index, rank, speaks, one, shared=share_places or is_shared(store, one))
        for (index, rank, speaks), one in zip(found, shown, strict=True)
    )


def is_shared(store: Store, one: Shown) -> bool:
    """Whether an image's place and picture may be passed on: it is a platform's, under a licence, or its owner has said that the database is no secret."""
    from .reference.sources import SOURCES

    source = SOURCES.get(one.image.source)
    platforms = source is not None and not source.private and bool(one.image.licence)
    return platforms or not store.manifest.private


def _match(index: int, rank: int, speaks: Evidence, one: Shown, *, shared: bool) -> Match:
    image, inliers = one.image, speaks.inliers if speaks.inliers >= 0 else None
    bare = Match(index, rank, image.source, image.image_id, round(speaks.similarity, 4), round(speaks.margin, 4), inliers=inliers)
    if not shared:
        return bare
    taken = datetime.fromtimestamp(image.time_s, UTC).date().isoformat() if np.isfinite(image.time_s) else ""
    return replace(
        bare, lat_deg=image.lat_deg, lon_deg=image.lon_deg, heading_deg=image.heading_deg, taken=taken, author=image.author,
        licence=image.licence, licence_url=image.licence_url, page_url=image.page_url, thumbnail=one.thumbnail,
    )  # fmt: skip
