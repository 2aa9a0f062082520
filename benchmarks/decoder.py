"""The decoder against GeoRefiner alone and against usual smoothers: simulated isles and Seneca's real flights.

Ratios are decoder / GeoRefiner alone; gains are percentage points. Beside them: per-frame argmax of Phase I, a running median and a Kalman smoother (RTS) of
GeoRefiner's answers.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pykalman import KalmanFilter
from scipy.ndimage import median_filter

from vidtag_engine.geolocation import load
from vidtag_engine.grid import load_aoi
from vidtag_engine.types import FloatArray

from . import seneca
from .isles import METHODS
from .isles_paths import open_lab, open_paths
from .isles_world import TEST_SPLITS
from .recordings import recordings
from .tables.scores import scores
from .tables.shipped import place_shipped

TITLE = "Decoder against GeoRefiner alone: isles (simulated) and Seneca (real)"
_METRE_DEG = 111_195.0
_WINDOW = 5
_ACCELERATION_MPS2 = 1.0
_SHOWN = {"a0.5km": "a05km", "a1km": "a1km", "median_km": "median_km", "dfd_km": "dfd_km"}


def run(seed: int | str = 0, *, quick: bool = False, world: Path | None = None, layout: bool = True) -> dict[str, Any]:
    """Both; Seneca is left out with --quick and --no-layout.

    Args:
        seed: of the world.
        quick: a small world and budget.
        world: a folder with a rendered world, instead of the benchmark's own.
        layout: remembered frames are also compared by what stands where in them.
    """
    result = isles(seed, quick=quick, world=world, layout=layout)
    return result if quick or not layout else result | real()


def isles(seed: int | str, *, quick: bool, world: Path | None, layout: bool = True) -> dict[str, Any]:
    """Every test drive, each way."""
    lab, _ = open_lab(seed, quick=quick, world=world, layout=layout)
    paths = open_paths(lab)
    placed = lab.place(METHODS["ours_alone"], splits=TEST_SPLITS)
    spread_m = 1000 * scores(placed.drives, placed.predicted)["median_km"]
    times = [drive.sequence.time_s for drive in placed.drives]
    ways: dict[str, Sequence[FloatArray]] = {
        "argmax": placed.phase1,
        "georefiner": placed.predicted,
        "median_filter": [running_median(places) for places in placed.predicted],
        "kalman": [kalman(places, time_s, spread_m) for places, time_s in zip(placed.predicted, times, strict=True)],
        "decoder": place_shipped(lab).predicted,
    }
    found = {name: scores(placed.drives, places) for name, places in ways.items()}
    alone, ours = found["georefiner"], found["decoder"]
    return {
        "simulated_drives": len(placed.drives),
        "isles_dfd_ratio": round(ours["dfd_km"] / alone["dfd_km"], 4),
        "isles_a05km_gain": round(ours["a0.5km"] - alone["a0.5km"], 3),
        "isles_median_ratio": round(ours["median_km"] / alone["median_km"], 4),
        **{f"isles_{name}": {short: round(one[long], 3) for long, short in _SHOWN.items()} for name, one in found.items()},
        "isles_calibration": {
            key: value for key, value in paths.calibration.to_dict().items() if key in {"evidence", "motion", "accuracy_m"}
        },
    }


def real(learn: str = "flight1", find: str = "flight2", seed: int = 0) -> dict[str, Any]:
    """Seneca: the same checkpoint, with and without the decoder."""
    folder, area = recordings("seneca"), load_aoi(seneca.AOI)
    with tempfile.TemporaryDirectory() as temporary:
        loaded = load(str(seneca.checkpoint_of(learn, Path(temporary) / "checkpoint", seed)), "cpu")
        ways = {
            name: seneca.place(folder, find, loaded, area, Path(temporary) / f"{name}.gpkg", decoder=decoder)
            for name, decoder in (("georefiner", "none"), ("decoder", "hmm"))
        }
    alone, ours = ways["georefiner"], ways["decoder"]
    # A single flight holds out too few videos for the decoder to be fitted: then there is nothing to show of it.
    fitted = loaded.calibration.path.to_dict() if loaded.calibration.path else {}
    return {
        "seneca_median_ratio": round(ours["median_m"] / alone["median_m"], 4),
        "seneca_a25m_gain": round(100 * (ours["within_25m"] - alone["within_25m"]), 3),
        "seneca_georefiner": alone,
        "seneca_decoder": ours,
        "seneca_calibration": {key: fitted[key] for key in ("evidence", "motion", "accuracy_m", "videos", "level90") if key in fitted},
    }


def running_median(places: FloatArray) -> FloatArray:
    """Median of five frames, in the plane."""
    return _in_plane(places, lambda flat: median_filter(flat, size=(min(_WINDOW, len(flat)), 1), mode="nearest"))


def kalman(places: FloatArray, time_s: FloatArray, spread_m: float) -> FloatArray:
    """Rauch-Tung-Striebel smoother of a constant velocity.

    Args:
        places: (T, 2).
        time_s: (T,).
        spread_m: standard deviation of the answers.
    """
    if len(places) < 2:
        return places
    steps = np.maximum(np.diff(time_s), 1e-3)
    move = np.stack([np.block([[np.eye(2), s * np.eye(2)], [np.zeros((2, 2)), np.eye(2)]]) for s in steps])
    push = np.stack([np.array([[s**3 / 3, s**2 / 2], [s**2 / 2, s]]) for s in steps]) * _ACCELERATION_MPS2**2
    noise = np.stack([np.kron(one, np.eye(2)) for one in push])

    def smooth(flat: FloatArray) -> FloatArray:
        model = KalmanFilter(
            transition_matrices=move,
            transition_covariance=noise,
            observation_matrices=np.eye(2, 4),
            observation_covariance=spread_m**2 * np.eye(2),
            initial_state_mean=np.array([*flat[0], 0.0, 0.0]),
            initial_state_covariance=np.diag([spread_m**2, spread_m**2, 400.0, 400.0]),
        )
        result: FloatArray = model.smooth(flat)[0][:, :2]
        return result

    return _in_plane(places, smooth)


def _in_plane(places: FloatArray, change: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Do something to a path in metres about its first place."""
    origin = places[0]
    scale = np.array([_METRE_DEG, _METRE_DEG * max(np.cos(np.radians(origin[0])), 1e-3)])
    offset = places - origin
    offset[:, 1] = (offset[:, 1] + 180.0) % 360.0 - 180.0
    moved = origin + change(offset * scale) / scale
    moved[:, 0] = np.clip(moved[:, 0], -90.0, 90.0)
    moved[:, 1] = (moved[:, 1] + 180.0) % 360.0 - 180.0
    return moved
