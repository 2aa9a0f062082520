"""A picture with a place, as every source gives it."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class ReferenceImage:
    """One reference image, before it is fetched.

    Only what is named here is ever kept of what a platform publishes: what it gives beyond that may name people and their devices.

    Args:
        source: name of the source that gave it, as in the registry.
        image_id: of the source's own; one source never gives two pictures the same.
        sequence: the source's name of the drive or walk that it belongs to; a picture by itself is one of its own.
        lat_deg, lon_deg: where it was taken.
        heading_deg: where its middle looks, clockwise from north, 0 to 360; NaN where that is not known.
        time_s: when it was taken, seconds since 1970 (UTC); NaN where that is not known.
        accuracy_m: of the place, as its source says; NaN where it says nothing.
        field_of_view_deg: across; NaN where that is not known.
        panorama: whether it shows all around, as an equirectangular picture of 360 by 180 degrees.
        author: as the licence asks it to be named; empty for one's own.
        licence: SPDX identifier where there is one, else the source's word; empty where nothing is said.
        licence_url: its text.
        page_url: where people look at it.
        updated: what its source says of when the picture or what is known of it was last changed, as it says it: another text is another picture, which may have
            been blurred anew. Empty where it says nothing.
        files: (width in pixels, address or path) of what can be fetched; a width of 0 is not known.
        device_lat_deg, device_lon_deg: where the camera itself said that it was, beside a place that its platform worked out; NaN where there is one place alone.
            To look at: nothing is reckoned with it.
    """

    source: str
    image_id: str
    sequence: str
    lat_deg: float
    lon_deg: float
    heading_deg: float = math.nan
    time_s: float = math.nan
    accuracy_m: float = math.nan
    field_of_view_deg: float = math.nan
    panorama: bool = False
    author: str = ""
    licence: str = ""
    licence_url: str = ""
    page_url: str = ""
    updated: str = ""
    files: tuple[tuple[int, str], ...] = ()
    device_lat_deg: float = math.nan
    device_lon_deg: float = math.nan
