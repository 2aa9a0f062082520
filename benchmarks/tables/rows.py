"""The trainings that several tables share, under the names that the tables give them."""

from __future__ import annotations

from dataclasses import replace

from ..isles_settings import OURS, PAPER
from ..isles_world import BACKBONE_NAMES
from .runs import Run

FIRST, SECOND = BACKBONE_NAMES
GEOCLIP = Run("geoclip_ft", varies="geoclip_ft", method="geoclip", options=PAPER, refiner=None)
GEOCLIP_SHIPPED = replace(GEOCLIP, row="geoclip_ft_shipped", shipped_location=True)
PLANET = Run("planet", varies="planet", method="planet", options=PAPER)
ISNS = Run("isns", varies="isns", method="isns", options=PAPER)
GEODECODER = Run("geodecoder", varies="geodecoder", method="geodecoder", options=PAPER)
HEAD_FIRST = Run("head_first", varies="head_first", method="classification", options=PAPER, backbones=(FIRST,))
HEAD_SECOND = Run("head_second", varies="head_second", method="classification", options=PAPER, backbones=(SECOND,))
VIDTAG = Run("paper", varies="paper", options=PAPER)
SHIPPED = Run("ours", varies="ours", options=OURS)

# The main table's rows (Tables 1 and 2).
MAIN = {
    "PlaNet": PLANET,
    "ISNs": ISNS,
    "GeoDecoder": GEODECODER,
    "first backbone (classification)": HEAD_FIRST,
    "second backbone (classification)": HEAD_SECOND,
    "GeoCLIP fine-tuned": GEOCLIP,
    "GeoCLIP fine-tuned, its own location encoder": GEOCLIP_SHIPPED,
    "VidTAG as in the paper": VIDTAG,
    "ours, retrieval alone": SHIPPED,
}
