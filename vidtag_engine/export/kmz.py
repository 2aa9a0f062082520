"""KMZ for Google Earth and its kin: a result's places with the frames' pictures in their balloons, in one file."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np

from ..atomic import replacing
from ..file_marks import mark_of
from ..types import Provenance, VideoResult
from .columns import clean, iso_texts, time_known, utc_times
from .confidence_tables import are_rated
from .kml import add_regions
from .tables import located_mask


def write_kmz(
    path: Path | str,
    results: Sequence[VideoResult],
    provenance: Provenance,
    pictures: Mapping[str, Mapping[int, bytes | None]],
    *,
    regions: bool = False,
) -> None:
    """Write a folder a video with a placemark for each frame that has a place: with its picture, where there is one, time, confidence and state.

    Args:
        path: a .kmz; nothing lies there yet.
        results: videos.
        provenance: of the result.
        pictures: JPEGs by the video's name and the trajectory's row.
        regions: add those of the video and of each frame, switched off, as the KML has them; none of a video that is not rated.

    Raises:
        InputError: it cannot be written.
    """
    import simplekml

    kml = simplekml.Kml(name="VidTAG")
    kml.document.description = f"{mark_of('kml')}. Estimated from the pictures; written {provenance.created_utc:%Y-%m-%d %H:%M} UTC."
    with tempfile.TemporaryDirectory(prefix="vidtag-") as scratch:
        for number, result in enumerate(results):
            folder, t = kml.newfolder(name=clean(result.info.name)), result.trajectory
            moments = iso_texts(utc_times(result, t.time_s)) if time_known(result) else None
            for row in np.flatnonzero(located_mask(t)).tolist():
                point = folder.newpoint(name=f"{t.time_s[row]:.1f} s", coords=[(float(t.lon_deg[row]), float(t.lat_deg[row]))])
                rated = np.isfinite(t.confidence[row])
                said = f"Confidence {t.confidence[row]:.0%} within {t.confidence_radius_m:g} m" if rated else "Not rated"
                picture = pictures.get(result.info.name, {}).get(row)
                shown = ""
                if picture:
                    file = Path(scratch) / f"v{number}_{int(t.frame_index[row])}.jpg"
                    file.write_bytes(picture)
                    shown = f'<img src="{kml.addfile(str(file))}" width="400"><br>'
                point.description = f"{shown}{escape(said)}<br>Frame {int(t.frame_index[row])} of {escape(clean(result.info.name))}"
                if moments is not None:
                    point.timestamp.when = moments[row]
            if regions and are_rated(t):
                add_regions(simplekml, folder, result)
        with replacing(path) as part:
            kml.savekmz(str(part))
