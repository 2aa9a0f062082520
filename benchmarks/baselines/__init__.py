"""The methods that VidTAG is compared with (paper Sec. 5.1, App. F), on the same stored features. One file a method."""

from .classification import LinearHead
from .frame_classifier import FrameClassifier, LabelledFrames, fit_classifier
from .geoclip_finetuned import geoclip_config, geoclip_settings
from .geodecoder import GeoDecoder
from .isns import ISNs
from .planet import PlaNet
from .retrieval import retrieve
from .s2_cells import Cells, hierarchy, parents, point_cells, s2_cells

__all__ = [
    "Cells",
    "FrameClassifier",
    "GeoDecoder",
    "ISNs",
    "LabelledFrames",
    "LinearHead",
    "PlaNet",
    "fit_classifier",
    "geoclip_config",
    "geoclip_settings",
    "hierarchy",
    "parents",
    "point_cells",
    "retrieve",
    "s2_cells",
]
