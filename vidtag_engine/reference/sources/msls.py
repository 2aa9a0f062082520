"""Mapillary Street-level Sequences (Warburg et al., CVPR 2020) as its archives unpack, as reference pictures.

{train_val|test}/{city}/{query|database}/images/{key}.jpg
{train_val|test}/{city}/{query|database}/raw.csv        ,key,lon,lat,ca,captured_at,pano
{train_val|test}/{city}/{query|database}/seq_info.csv   ,key,sequence_key,frame_number
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import shapely

from ...datasets.sequences import usable_place
from ...datasets.tables import moment_s, names_in, number, read_rows, subfolders
from ...feedback import Feedback
from ...grid.aoi import AreaOfInterest
from ...types import InputError
from ..images import ReferenceImage
from ..web import Web
from .base import Plain

_SPLITS, _PARTS = ("train_val", "test"), ("database", "query")


class MslsTree(Plain):
    """The pictures of an unpacked MSLS that have places: its test cities' are not in the archives.

    Args:
        folder: with ``train_val`` or ``test`` in it.

    Raises:
        InputError: it has neither.
    """

    name: ClassVar[str] = "msls"
    title: ClassVar[str] = "Mapillary Street-level Sequences"
    attribution: ClassVar[str] = (
        "Pictures: Mapillary Street-level Sequences (Warburg et al., CVPR 2020), for research, under the terms that came with them."
    )
    private: ClassVar[bool] = True

    def __init__(self, folder: str = "") -> None:
        self.folder = Path(folder).expanduser()
        self.parts = [self.folder / split / city / part for split in _SPLITS for city in subfolders(self.folder / split) for part in _PARTS]
        if not folder or not any((part / "seq_info.csv").is_file() for part in self.parts):
            raise InputError(
                f"{folder or 'The source'} has no train_val or test with MSLS's cities in it: unpack its archives into one folder and give that."
            )

    @property
    def origins(self) -> tuple[str, ...]:
        """No host."""
        return ()

    def search(self, area: AreaOfInterest, web: Web | None = None, feedback: Feedback = Feedback()) -> Iterator[ReferenceImage]:  # noqa: ARG002
        """The pictures in an area; see ``base.Source``. Left out are those without a file, a place or a sequence, and panoramas, which were cropped.

        Raises:
            InputError: a table cannot be read.
            CancelledError: whoever waits stopped it.
        """
        shapely.prepare(area.geometry)
        seen: set[str] = set()
        for number_of_part, part in enumerate(self.parts):
            feedback.tell(number_of_part / len(self.parts), "search", f"{len(seen):,} pictures found")
            for image in _of_part(part, feedback):
                if image.image_id not in seen and shapely.intersects_xy(area.geometry, image.lon_deg, image.lat_deg):
                    seen.add(image.image_id)
                    yield image
        feedback.tell(1.0, "search", f"{len(seen):,} pictures found")


def _of_part(part: Path, feedback: Feedback) -> Iterator[ReferenceImage]:
    """Pictures of a city's query or database; none where its tables are not there."""
    if not (part / "raw.csv").is_file() or not (part / "seq_info.csv").is_file():
        return
    sequences = {key: sequence for key, sequence in read_rows(part / "seq_info.csv", ("key", ("sequence_key", "sequence_id")))}  # noqa: C416 - for the types
    on_disk = names_in(part / "images")
    for key, lon, lat, heading, captured, panorama in read_rows(part / "raw.csv", ("key", "lon", "lat", "ca", "captured_at", "pano")):
        feedback.check()
        lat_deg, lon_deg, time_s = number(lat), number(lon), moment_s(captured)
        flat = panorama.lower() not in {"true", "1", "1.0"}
        if flat and sequences.get(key) and usable_place(lat_deg, lon_deg) and f"{key}.jpg" in on_disk:
            yield ReferenceImage(
                source=MslsTree.name,
                image_id=key,
                sequence=sequences[key],
                lat_deg=lat_deg,
                lon_deg=lon_deg,
                heading_deg=number(heading, missing=-1.0) % 360.0,
                time_s=float("nan") if time_s is None else time_s,
                files=((0, str(part / "images" / f"{key}.jpg")),),
            )
