"""What a video is decoded from, kept beside the result, so that it can be decoded again with a person's pins.

A folder ``<result>.scores`` holds one safetensors file a video, named by the video's SHA-256: nothing that can execute, and nothing of
a batch to be written twice. Tensors: ``lat_lon_deg`` (M, 2) float64, ``scores`` (T, M), or (T, sectors * M) where states are places and directions,
float16, ``frame_index`` (T,) int64, ``time_s`` (T,) float64, ``line`` (T, 2) float64; where they say something also ``known`` (M,) bool and ``prior``
(K,) float32 over these, which older versions pass over. The header's ``vidtag_scores`` is JSON: format version, spacing, cuts and calibration. A cosine in float16
is off by 0.0002 at most below 0.5, and scores that references have a share in by as much more as these weigh: a few hundredths of any temperature fitted so far.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..atomic import replacing
from ..file_marks import own_kind
from ..trajectory import PathCalibration
from ..trajectory.scores import VideoScores
from ..types import InputError

FORMAT_VERSION = 3
# What older versions read, where there is nothing that they would pass over.
_LAST_WITHOUT_DIRECTIONS, _LAST_WITHOUT_LIMIT = 2, 1
_HEADER = "vidtag_scores"


def scores_folder(result: Path) -> Path:
    """Where the scores of a result's videos lie."""
    return result.with_suffix(".scores")


def scores_path(result: Path, sha256: str) -> Path:
    """The file of one video of a result."""
    return scores_folder(result) / f"{sha256[:32]}.safetensors"


def write_scores(result: Path, sha256: str, kept: VideoScores) -> Path:
    """Write one video's file, whole or not at all; the folder is made.

    Args:
        result: the GeoPackage that it belongs to.
        sha256: of the video.
        kept: its scores.

    Returns:
        the file's path.

    Raises:
        InputError: it cannot be written.
        ValueError: the shapes do not fit.
    """
    from safetensors.numpy import save

    frames, states = np.shape(kept.scores)
    weight = kept.calibration.database_weight
    places = len(kept.lat_lon_deg)
    # Where references are read by direction and count for nothing, states are places alone.
    directed = weight is not None and weight.directions is not None and states == weight.sectors * places
    shapes = (np.shape(kept.lat_lon_deg), np.shape(kept.frame_index), np.shape(kept.time_s), np.shape(kept.line))
    if shapes != ((places, 2), (frames,), (frames,), (frames, 2)) or not (directed or states == places):
        raise ValueError(f"places, frame numbers, times and line have shapes {shapes} for scores of {frames} frames over {states} states")
    tensors: dict[str, np.ndarray] = {
        "lat_lon_deg": np.ascontiguousarray(kept.lat_lon_deg, dtype=np.float64),
        "scores": np.ascontiguousarray(kept.scores, dtype=np.float16),
        "frame_index": np.ascontiguousarray(kept.frame_index, dtype=np.int64),
        "time_s": np.ascontiguousarray(kept.time_s, dtype=np.float64),
        "line": np.ascontiguousarray(kept.line, dtype=np.float64),
    }
    for name, values, kind in (("known", kept.known, np.bool_), ("prior", kept.prior, np.float32)):
        if values is not None:
            tensors[name] = np.ascontiguousarray(values, dtype=kind)
    calibration = replace(kept.calibration, novelty=None, out_of_area=None)
    limited = kept.calibration.transition.limit_mps is not None
    header = {
        "version": FORMAT_VERSION if directed else _LAST_WITHOUT_DIRECTIONS if limited else _LAST_WITHOUT_LIMIT,
        "spacing_m": kept.spacing_m,
        "cuts": [int(row) for row in kept.cuts],
        "recognised": kept.recognised,
        "calibration": calibration.to_dict(),
    }
    path = scores_path(result, sha256)
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(f"Cannot make the folder {path.parent} ({error.strerror}): choose another place for the result.") from error
    with replacing(path, "scores") as part:
        part.write_bytes(save(tensors, {_HEADER: json.dumps(header, allow_nan=False)}))
    return path


def share_scores(result: Path, output: Path) -> bool:
    """Have a copy of a result share its scores, which are never written in place: links, so that they take no room twice.

    Args:
        result: where they lie.
        output: the copy.

    Returns:
        False where links cannot be made, as on another disk: the copy then has no scores.
    """
    found, folder = sorted(scores_folder(result).glob("*.safetensors")), scores_folder(output)
    try:
        if found:
            folder.mkdir(exist_ok=True)
        for path in found:
            link = folder / path.name
            if link.exists() and own_kind(link) != "scores":
                return False
            if not link.exists() or not link.samefile(path):
                with replacing(link) as part:
                    part.hardlink_to(path)
    except (OSError, InputError):
        return False
    return True


def read_scores(path: Path) -> VideoScores:
    """Read what :func:`write_scores` wrote.

    Raises:
        InputError: it is not there, damaged, or of a newer format.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise InputError(f"The scores {path.name} are not there: run geolocate again with --keep-scores --overwrite; its pins are kept.")
    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads(file.metadata()[_HEADER])
            if header["version"] > FORMAT_VERSION:
                raise InputError(f"The scores {path.name} were written by a newer VidTAG; update VidTAG.")
            there = [name for name in ("known", "prior") if name in file.keys()]  # noqa: SIM118 - no mapping
            tensors = {name: file.get_tensor(name) for name in ("lat_lon_deg", "scores", "frame_index", "time_s", "line", *there)}
            calibration = PathCalibration.from_dict(header["calibration"])
        return VideoScores(
            **tensors,
            spacing_m=float(header["spacing_m"]),
            calibration=calibration,
            cuts=tuple(header["cuts"]),
            recognised=bool(header.get("recognised", True)),
        )
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"The scores {path.name} are damaged ({error}); run geolocate again with --keep-scores --overwrite; its pins are kept."
        ) from error
