"""Which of the pictures that a source has are worth fetching: the newest from each spot and in each direction."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..types import InputError
from .consent import NOT_STATED, licences_of
from .images import ReferenceImage

_M_A_DEGREE = 111_195.0
_YEAR_S = 365.25 * 86_400.0


@dataclass(frozen=True)
class Sampling:
    """How pictures are chosen.

    Args:
        spot_m: side of the squares of ground that are told apart.
        heading_deg: width of the sectors of heading that are told apart within a square, from north on; a divisor of 360. Panoramas look everywhere and
            are a sector of their own, and so are pictures whose heading is not known.
        per_spot: of one square and sector, so many pictures, each of another sequence: what another day shows helps more than the next second.
        per_sequence: at most so many of one sequence, so that one long drive does not make up the database; None for all.
        oldest_years: pictures that were taken longer ago are left out, and those whose time is not known; None for all.
        licences: only these; empty for all. ``NOT_STATED`` stands for none.
        mixed_licences: whether what is chosen may have several licences.

    Raises:
        InputError: a number is out of its range.
    """

    spot_m: float = 10.0
    heading_deg: float = 45.0
    per_spot: int = 1
    per_sequence: int | None = None
    oldest_years: float | None = None
    licences: tuple[str, ...] = ()
    mixed_licences: bool = False

    def __post_init__(self) -> None:
        if not self.spot_m >= 0.1:
            raise InputError(f"Spots of {self.spot_m:g} m are too small; give at least 0.1.")
        if not 1.0 <= self.heading_deg <= 360.0 or not math.isclose(round(360.0 / self.heading_deg) * self.heading_deg, 360.0):
            raise InputError(f"Sectors of {self.heading_deg:g}° do not fill the circle; give a divisor of 360, such as 45.")
        if self.per_spot < 1 or (self.per_sequence is not None and self.per_sequence < 1):
            raise InputError("No picture would be chosen: allow at least one of each spot and each sequence.")
        if self.oldest_years is not None and not self.oldest_years > 0:
            raise InputError(f"An age of at most {self.oldest_years:g} years leaves nothing; give more than 0.")


def sample(images: Iterable[ReferenceImage], how: Sampling = Sampling(), *, now_s: float) -> list[ReferenceImage]:
    """Choose pictures: the newest come first, and one is taken unless its spot, its sector or its sequence has its share.

    What comes out depends on the pictures alone, not on the order that a server gave them in.

    Args:
        images: of any sources.
        how: the rules.
        now_s: that ages count from, seconds since 1970.

    Returns:
        The chosen ones, newest first, those without a time last.

    Raises:
        InputError: they have several licences, and nobody asked for that.
    """
    chosen: list[ReferenceImage] = []
    on_spot: dict[tuple[object, ...], set[tuple[str, str]]] = {}
    of_sequence: Counter[tuple[str, str]] = Counter()
    for image in sorted(_allowed(images, how, now_s), key=_newest_first):
        sequence, taken = (image.source, image.sequence), on_spot.setdefault(_spot(image, how), set())
        full = how.per_sequence is not None and of_sequence[sequence] >= how.per_sequence
        if full or sequence in taken or len(taken) >= how.per_spot:
            continue
        taken.add(sequence)
        of_sequence[sequence] += 1
        chosen.append(image)
    if not how.mixed_licences:
        refuse_mixed(chosen)
    return chosen


def refuse_mixed(images: Sequence[ReferenceImage]) -> None:
    """Raises InputError, naming them, where pictures have more than one licence: what is made of them all has to keep to each."""
    licences = licences_of(images)
    if len(licences) > 1:
        named = ", ".join(f"{licence} ({count:,})" for licence, count in licences)
        raise InputError(f"These pictures have several licences, {named}: choose which to take, or say that all may be mixed.")


def _allowed(images: Iterable[ReferenceImage], how: Sampling, now_s: float) -> Iterable[ReferenceImage]:
    since_s = -math.inf if how.oldest_years is None else now_s - how.oldest_years * _YEAR_S
    for image in images:
        in_time = how.oldest_years is None or image.time_s >= since_s
        if in_time and (not how.licences or (image.licence or NOT_STATED) in how.licences):
            yield image


def _newest_first(image: ReferenceImage) -> tuple[float, str, str]:
    return (-image.time_s if math.isfinite(image.time_s) else math.inf, image.source, image.image_id)


def _spot(image: ReferenceImage, how: Sampling) -> tuple[object, ...]:
    """Square of ground and sector. Squares lie in rows along the parallels, so that they are as wide as they are high at every latitude."""
    row = math.floor(image.lat_deg * _M_A_DEGREE / how.spot_m)
    along_m = _M_A_DEGREE * math.cos(math.radians(row * how.spot_m / _M_A_DEGREE))
    column = math.floor(image.lon_deg * along_m / how.spot_m)
    if image.panorama or not math.isfinite(image.heading_deg):
        return row, column, image.panorama, None
    return row, column, False, math.floor(image.heading_deg % 360.0 / how.heading_deg)
