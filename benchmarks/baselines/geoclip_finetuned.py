"""GeoCLIP fine-tuned (Vivanco Cepeda et al., NeurIPS 2023), as VidTAG's App. F.4 does it: every frame an image of its own, all else equal."""

from __future__ import annotations

from vidtag_engine.models.location_encoder import GEOCLIP_SIGMA, LocationEncoderConfig
from vidtag_engine.models.vidtag import VidTAGConfig
from vidtag_engine.training.settings import TrainSettings


def geoclip_config(like: VidTAGConfig, *, shipped_location_encoder: bool = False) -> VidTAGConfig:
    """VidTAG without what looks at neighbours: no TempGeo, no GeoRefiner; the same projection, frame MLP and location encoder.

    Args:
        like: the VidTAG that it is compared with.
        shipped_location_encoder: take GeoCLIP's own sizes and σ for the location encoder, so that its shipped weights fit
            (``models.geoclip.warm_start`` then copies them); the compact preset's are too small for them.
    """
    location = like.location
    if shipped_location_encoder:
        location = LocationEncoderConfig(sigma=GEOCLIP_SIGMA)
    return like.model_copy(
        update={"tempgeo": like.tempgeo.model_copy(update={"layers": 0}), "georefiner": None, "location": location},
    )


def geoclip_settings(like: TrainSettings) -> TrainSettings:
    """The same training on single frames: as many a batch, drawn one by one from all videos instead of in clips; no Phase II.

    Args:
        like: the settings of the VidTAG that it is compared with.
    """
    frames = like.phase1.batch_clips * like.clip_frames
    return like.model_copy(
        update={
            "clip_frames": 1,
            "tempgeo_layers": 0,
            "phase1": like.phase1.model_copy(update={"batch_clips": frames}),
            "phase2": like.phase2.model_copy(update={"steps": 0}),
        },
    )
