"""Phase I retrieval, GeoRefiner and Phase II retrieval (paper Sec. 3, Fig. 5), for any number of videos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..models import GeoCLIP, PlaceRecognizer, VidTAG
from ..types import Candidates, FloatArray


@dataclass(frozen=True)
class Retrieved:
    """What both phases found for a video.

    Args:
        frames: (T, E) frame embeddings, by which Phase I searches.
        first: Phase I's candidates.
        refined: (T, E) GeoRefiner's location embeddings, by which Phase II searches; None of a model that has no GeoRefiner.
        final: Phase II's candidates; those of Phase I where nothing refines them.
    """

    frames: torch.Tensor
    first: Candidates
    refined: torch.Tensor | None
    final: Candidates


@torch.inference_mode()
def retrieve(
    model: VidTAG | GeoCLIP | PlaceRecognizer,
    videos: Sequence[torch.Tensor],
    find: Callable[[torch.Tensor], Candidates],
    *,
    refine: bool = True,
    before_search: Callable[[int, list[torch.Tensor]], None] = lambda *_: None,
    check: Callable[[], None] = lambda: None,
) -> list[Retrieved]:
    """Retrieve places for the frames of videos; the gallery is gone through once a phase, for all videos together.

    Args:
        model: in evaluation mode, with or without TempGeo and GeoRefiner.
        videos: (T, D) backbone features of each.
        find: gives the candidates of queries (Q, E), best first.
        refine: run GeoRefiner and Phase II where the model has them.
        before_search: told a phase's number, 1 or 2, and its queries, (T, E) a video, before they are searched by.
        check: called before each video is embedded, to stop there.

    Returns:
        What was found for each video, in order.
    """
    if not videos:
        return []
    frames = []
    for features in videos:
        check()
        frames.append(model.embed_video(features))
    before_search(1, frames)
    first = _by_video(find, frames)
    if isinstance(model, PlaceRecognizer) or not (refine and model.has_refiner):
        return [Retrieved(own, found, None, found) for own, found in zip(frames, first, strict=True)]
    refined = []
    for features, own, found in zip(videos, frames, first, strict=True):
        check()
        picks = model.embed_locations(torch.from_numpy(best_places(found)))
        refined.append(model.refine_video(picks, model.video_context(features, own)))
    before_search(2, refined)
    return [Retrieved(*parts) for parts in zip(frames, first, refined, _by_video(find, refined), strict=True)]


def best_places(found: Candidates) -> FloatArray:
    """(T, 2) latitude and longitude of each frame's best candidate, in degrees."""
    places: FloatArray = np.stack([found.lat_deg[:, 0], found.lon_deg[:, 0]], axis=1)
    return places


def _by_video(find: Callable[[torch.Tensor], Candidates], queries: list[torch.Tensor]) -> list[Candidates]:
    """The candidates of each video, all sought in one pass."""
    found, ends = find(torch.cat(queries)), np.cumsum([len(part) for part in queries])[:-1]
    columns = (np.split(one, ends) for one in (found.index, found.lat_deg, found.lon_deg, found.score))
    return [Candidates(*parts) for parts in zip(*columns, strict=True)]
