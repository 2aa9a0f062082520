"""The demo drive (simulated), which no training saw: the whole method, and per-frame retrieval with the same weights beside it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vidtag_engine.batch import mean_confidence
from vidtag_engine.evaluation import evaluate_geopackage
from vidtag_engine.geodesy import geodesic_m
from vidtag_engine.geolocation import geolocate, load
from vidtag_engine.grid import load_aoi, make_grid
from vidtag_engine.models import VidTAG
from vidtag_engine.settings import GeolocateSettings
from vidtag_engine.training import TrainingSource
from vidtag_engine.training.features import FeatureStore

TITLE = "Demo drive (simulated, unseen): median error, whole method and frame by frame"
DEMO = Path(__file__).resolve().parent.parent / "resources" / "demo"
RESOLUTION_M = 25.0


def run(seed: int = 0) -> dict[str, Any]:
    """Geolocate the demo drive."""
    area = load_aoi(DEMO / "aoi.geojson")
    loaded = load(str(DEMO / "checkpoint"), "cpu")
    with tempfile.TemporaryDirectory() as temporary:
        output = Path(temporary) / "demo.gpkg"
        batch = geolocate([DEMO / "drive.mp4"], area, loaded, output, GeolocateSettings(resolution_m=RESOLUTION_M, seed=seed))
        report = evaluate_geopackage(output, DEMO / "drive.gpx")
        store = FeatureStore(Path(temporary), loaded.encoder, augment="none", views=0, seed=seed, rate_hz=1.0)
        drive = store.sequence(TrainingSource(DEMO / "drive.mp4", DEMO / "drive.gpx"))
    assert drive is not None
    # Each frame as a video of its own: TempGeo sees no neighbour, and there is no GeoRefiner.
    points = np.concatenate(list(make_grid(area, RESOLUTION_M).chunks()))
    with torch.inference_mode():
        assert isinstance(loaded.model, VidTAG)
        gallery = loaded.model.embed_locations(torch.from_numpy(points))
        alone = loaded.model.embed_frames(torch.from_numpy(drive.features[0])[:, None])[:, 0]
        picks = points[(alone @ gallery.T).argmax(dim=1).numpy()]
    errors_m = geodesic_m(*picks.T, *drive.lat_lon_deg.T)
    return {
        "median_m": round(report.overall.median_m, 1),
        "per_frame_median_m": round(float(np.median(errors_m)), 1),
        "frames": len(errors_m),
        "dfd_m": round(report.overall.dfd_m, 1),
        "mean_confidence": mean_confidence(batch.results),
        "confidence_radius_m": batch.results[0].trajectory.confidence_radius_m,
    }
