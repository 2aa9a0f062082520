"""The networks: frames and coordinates into one space. One file a module of the paper.

Names are loaded when first asked for, so that a command that needs no network does not wait for torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# ruff: noqa: TC004  (__getattr__ gives them at run time)
if TYPE_CHECKING:
    from .checkpoint import CheckpointCard, from_pretrained, save_pretrained
    from .device import pick_device
    from .frame_encoder import FrameEncoder, build_frame_encoder, weights_to_fetch
    from .geoclip import GeoCLIP, geoclip_gallery, load_geoclip
    from .georefiner import GeoRefiner, GeoRefinerConfig
    from .location_encoder import SIGMA_PRESETS, LocationEncoder, LocationEncoderConfig, sigma_for_extent
    from .place_recognizer import PlaceRecognizer
    from .tempgeo import TempGeo, TempGeoConfig
    from .vidtag import VidTAG, VidTAGConfig

_HOME = {
    "CheckpointCard": "checkpoint",
    "from_pretrained": "checkpoint",
    "save_pretrained": "checkpoint",
    "pick_device": "device",
    "FrameEncoder": "frame_encoder",
    "build_frame_encoder": "frame_encoder",
    "weights_to_fetch": "frame_encoder",
    "GeoCLIP": "geoclip",
    "geoclip_gallery": "geoclip",
    "load_geoclip": "geoclip",
    "GeoRefiner": "georefiner",
    "GeoRefinerConfig": "georefiner",
    "SIGMA_PRESETS": "location_encoder",
    "LocationEncoder": "location_encoder",
    "LocationEncoderConfig": "location_encoder",
    "sigma_for_extent": "location_encoder",
    "PlaceRecognizer": "place_recognizer",
    "TempGeo": "tempgeo",
    "TempGeoConfig": "tempgeo",
    "VidTAG": "vidtag",
    "VidTAGConfig": "vidtag",
}

__all__ = [
    "SIGMA_PRESETS",
    "CheckpointCard",
    "FrameEncoder",
    "GeoCLIP",
    "GeoRefiner",
    "GeoRefinerConfig",
    "LocationEncoder",
    "LocationEncoderConfig",
    "PlaceRecognizer",
    "TempGeo",
    "TempGeoConfig",
    "VidTAG",
    "VidTAGConfig",
    "build_frame_encoder",
    "from_pretrained",
    "geoclip_gallery",
    "load_geoclip",
    "pick_device",
    "save_pretrained",
    "sigma_for_extent",
    "weights_to_fetch",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
