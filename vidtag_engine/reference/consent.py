"""The two questions that are asked before anything is: whom to ask about which area, and how much to fetch under which licences.

They are data, so that a terminal, options without a terminal, and QGIS can each put them in their own way. Only a yes makes the ``Agreed`` without which
:class:`~.web.Web` opens no connection.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..geodesy import geodesic_m
from ..grid.aoi import AreaOfInterest
from ..types import InputError
from .downloads import is_fetched
from .images import ReferenceImage
from .sources.base import WIDTH_PX, Source, file_of
from .sources.tiles import boxes, touched
from .web import Agreed, origin, shown

BYTES_A_PIXEL = 0.25
"""Of JPEG as platforms give it: two bits for each pixel, which is generous for streets."""
NOT_STATED = "no licence stated"
_MOST_BOXES_SHOWN = 4


@dataclass(frozen=True)
class QueryConsent:
    """The first question: may these hosts be asked about this area?

    Args:
        title: of the source, for people.
        origins: of the hosts; empty where the source lies on this machine and nothing is asked.
        boxes: west, south, east, north in degrees of the ground that they are told of, whole map tiles.
        tiles: how many.
    """

    title: str
    origins: tuple[str, ...]
    boxes: tuple[tuple[float, float, float, float], ...]
    tiles: int

    def text(self) -> str:
        """The question, for people."""
        if not self.origins:
            return f"{self.title}: nothing is asked over the network."
        return (
            f"{_joined(self.origins)} would be asked which pictures of {self.title} there are. The server learns this machine's network address and "
            f"the map tiles that the area lies in ({self.tiles:,} of zoom 14: {self._ground()}), not the outline. No picture is fetched yet."
        )

    def agreed(self, yes: bool) -> Agreed:
        """What may be asked after the answer.

        Raises:
            InputError: the answer is no, and there is something to ask.
        """
        if self.origins and not yes:
            raise InputError(f"{self.text()} Nobody said yes to that: say so with --yes-query.")
        return Agreed(frozenset(self.origins))

    def _ground(self) -> str:
        told = [
            f"{_side(south, 'NS')} to {_side(north, 'NS')}, {_side(west, 'EW')} to {_side(east, 'EW')}, "
            f"{_km(south, west, south, east):.1f} × {_km(south, west, north, west):.1f} km"
            for west, south, east, north in self.boxes[:_MOST_BOXES_SHOWN]
        ]
        more = len(self.boxes) - len(told)
        return "; ".join(told) + (f"; and {more} more such boxes" if more else "")


@dataclass(frozen=True)
class DownloadConsent:
    """The second question: may so many pictures be fetched, from these hosts and under these licences?

    Args:
        title: of the source, for people.
        origins: of the hosts that the pictures lie on.
        count: of pictures that would be fetched.
        kept: of pictures that lie on this machine: one's own, and what an earlier run fetched.
        estimated_bytes: of those to fetch: from their sizes in pixels, no more exact than that.
        licences: (licence, number of pictures), the most frequent first; of all pictures, the kept ones too.
        attribution: the source's own sentence.
    """

    title: str
    origins: tuple[str, ...]
    count: int
    kept: int
    estimated_bytes: int
    licences: tuple[tuple[str, int], ...]
    attribution: str

    @property
    def estimated_mb(self) -> int:
        """In whole megabytes, rounded up."""
        return math.ceil(self.estimated_bytes / 1e6)

    def text(self) -> str:
        """The question, for people."""
        have = f" {self.kept:,} more lie on this machine already." if self.kept else ""
        if not self.count:
            return f"{self.title}: nothing is left to fetch, {self.kept:,} lie on this machine already."
        licences = ", ".join(f"{licence} ({count:,})" for licence, count in self.licences)
        return (
            f"{self.count:,} pictures of {self.title} would be fetched, an estimated {self.estimated_mb:,} MB, from {_joined(self.origins)}.{have} "
            f"Licences: {licences}. {self.attribution}"
        ).strip()

    def agreed(self, most_mb: float | None) -> Agreed:
        """What may be fetched after the answer.

        Args:
            most_mb: a yes is a ceiling, which holds for what really comes; None is a no.

        Raises:
            InputError: the answer is no, or the estimate is over the ceiling.
        """
        if not self.count:
            return Agreed(frozenset(), 0)
        if most_mb is None:
            raise InputError(f"{self.text()} Nobody said yes to that: say so with --yes-download-mb {self.estimated_mb}.")
        if not most_mb >= self.estimated_bytes / 1e6:
            raise InputError(
                f"{self.count:,} pictures of {self.title} are an estimated {self.estimated_mb:,} MB, over the {most_mb:g} MB that were agreed to: "
                f"allow --yes-download-mb {self.estimated_mb}, or draw a smaller area."
            )
        return Agreed(frozenset(self.origins), int(most_mb * 1e6))


def query_consent(source: Source, area: AreaOfInterest) -> QueryConsent:
    """The first question of a search. Nothing is asked over the network for it.

    Raises:
        InputError: the area is too large, or beyond the map.
    """
    if not source.origins:
        return QueryConsent(source.title, (), (), 0)
    tiles = touched(area)
    return QueryConsent(source.title, source.origins, boxes(tiles), len(tiles))


def download_consent(source: Source, images: Sequence[ReferenceImage], folder: Path, *, width_px: int = WIDTH_PX) -> DownloadConsent:
    """The second question.

    Args:
        source: that gave the pictures.
        images: what was found and sampled.
        folder: where fetched pictures are kept.
        width_px: as :func:`~.downloads.fetch` gets it.
    """
    missing = [image for image in images if not is_fetched(image, folder, width_px=width_px)]
    addresses = [file_of(image, width_px)[1] for image in missing]
    return DownloadConsent(
        title=source.title,
        origins=tuple(sorted({*(origin(address) for address in addresses), *(source.leads_to if missing else ())})),
        count=len(missing),
        kept=len(images) - len(missing),
        estimated_bytes=sum(estimated_bytes(image, width_px=width_px) for image in missing),
        licences=licences_of(images),
        attribution=source.attribution,
    )


def licences_of(images: Sequence[ReferenceImage]) -> tuple[tuple[str, int], ...]:
    """Each licence and how many pictures have it, the most frequent first."""
    counted = Counter(image.licence or NOT_STATED for image in images)
    return tuple(sorted(counted.items(), key=lambda entry: (-entry[1], entry[0])))


def estimated_bytes(image: ReferenceImage, *, width_px: int = WIDTH_PX) -> int:
    """Of the file that would be fetched: by its width, as three to four where it is flat and one to two where it shows all around."""
    width = file_of(image, width_px)[0] or WIDTH_PX
    return round(width * width * (0.5 if image.panorama else 0.75) * BYTES_A_PIXEL)


def _joined(origins: Sequence[str]) -> str:
    return ", ".join(map(shown, origins))


def _side(degrees: float, letters: str) -> str:
    return f"{abs(degrees):.3f}° {letters[degrees < 0]}"


def _km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    return float(geodesic_m(*(np.array(value) for value in (lat1, lon1, lat2, lon2)))) / 1000.0
