"""Run by :mod:`.fit_beside` in each build, by that build's own modules: fit the confidence on a saved set of videos, and say how long it took and what came out."""

import dataclasses
import importlib
import json
import sys
import time
from typing import Any

import numpy as np

try:
    fit: Any = importlib.import_module("vidtag_engine.calibration")
except ImportError:  # builds up to 6d11c56
    fit = importlib.import_module("vidtag_engine.trajectory.fit")

WEIGHTS = (0.0, 1.0, 4.0, 16.0)
LEAST = 0.3  # likeness that chance finds
KNOWN = {field.name for field in dataclasses.fields(fit.FitVideo)}


def fit_videos(kept: dict[str, Any], weight: float) -> list[Any]:
    """The saved videos, whose scores are computed as they are read, as those of most videos are where there are many."""

    def video(frames: slice, unseen: bool) -> Any:
        queries, looks = kept["queries"][frames], kept["looks"][frames]

        def similarity(rows: slice) -> Any:
            alike = looks[rows] @ kept["remembered"].T
            found = np.zeros((len(alike), len(kept["places"])), dtype=np.float32)
            for one, of_frame in zip(alike, found, strict=True):
                of_frame[kept["known"]] = np.maximum.reduceat(one[kept["column"]], kept["first"])
            return found

        def scores(rows: slice) -> Any:
            cosines = queries[rows] @ kept["embeddings"].T
            return cosines + weight * np.maximum(similarity(rows), LEAST) if weight else cosines

        given = {"scores": scores, "time_s": kept["time_s"][frames], "lat_lon_deg": kept["truth"][frames], "unseen": unseen}
        given["similarity"] = similarity if weight else None
        return fit.FitVideo(**{name: value for name, value in given.items() if name in KNOWN})

    ends = np.cumsum(kept["frames"])
    return [video(slice(end - frames, end), bool(unseen)) for end, frames, unseen in zip(ends, kept["frames"], kept["unseen"], strict=True)]


def main(path: str) -> None:
    """One fit."""
    with np.load(path) as file:
        kept = dict(file)
    options = {"temperature": float(kept["temperature"]), "speed_mps": float(kept["speed_mps"])}
    places, spacing_m = kept["places"], float(kept["spacing_m"])
    began = time.perf_counter()
    weight = fit.best_weight(places, spacing_m, lambda weight: fit_videos(kept, weight), WEIGHTS, **options)
    found = fit.fit_path(places, spacing_m, fit_videos(kept, weight), **options)
    took_s = time.perf_counter() - began
    print(json.dumps({"fit_s": took_s, "fitted": {"weight": weight, **found.to_dict()}}))


main(sys.argv[1])
