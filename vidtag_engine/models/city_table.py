"""The cities that a CityGuessr checkpoint knows: names and parents of all four levels, and where each city lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from ..types import LEVELS, FloatArray, InputError
from .cityguessr import Hierarchy

_DECIMALS = 5  # of degrees: a metre


@dataclass(frozen=True)
class CityTable:
    """What the labels of the four levels stand for.

    Args:
        names: of city, state, country and continent, each in the order of the labels; empty texts where a level has no name.
        hierarchy: what lies in what.
        lat_lon_deg: (cities, 2) centres.
        outlines: of the cities, in longitude and latitude (x before y); no two need to be apart.
    """

    names: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]
    hierarchy: Hierarchy
    lat_lon_deg: FloatArray
    outlines: tuple[shapely.Geometry, ...]

    def __len__(self) -> int:
        return len(self.names[0])

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Labels of each level."""
        city, state, country, continent = map(len, self.names)
        return city, state, country, continent

    @property
    def chains(self) -> FloatArray:
        """(cities, 4) int: the labels of all levels of every city."""
        parents = (self.hierarchy.state_of_city, self.hierarchy.country_of_state, self.hierarchy.continent_of_country)
        state, country, continent = (one.numpy() for one in parents)
        return np.stack([np.arange(len(self)), state, country[state], continent[country[state]]], axis=1)

    def chain_names(self, city: int) -> tuple[str, str, str, str]:
        """The names of a city and of what it lies in."""
        found = [self.names[level][label] for level, label in enumerate(self.chains[city])]
        return found[0], found[1], found[2], found[3]

    def outline_of(self, level: int, label: int) -> shapely.Geometry:
        """What is known of a place: its cities' outlines as one geometry."""
        chains = self.chains
        return shapely.union_all([self.outlines[city] for city in np.flatnonzero(chains[:, level] == label)])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, but for the outlines."""
        return {
            "names": {level: list(names) for level, names in zip(LEVELS, self.names, strict=True)},
            **self.hierarchy.to_dict(),
            "lat_lon_deg": [[round(float(lat), 6), round(float(lon), 6)] for lat, lon in self.lat_lon_deg],
        }

    def outlines_wkb(self) -> bytes:
        """The outlines in one, to a metre."""
        return bytes(shapely.GeometryCollection([shapely.set_precision(outline, 10.0**-_DECIMALS) for outline in self.outlines]).wkb)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], outlines_wkb: bytes) -> CityTable:
        """Read what ``to_dict`` and ``outlines_wkb`` wrote.

        Raises:
            InputError: its parts do not fit each other.
        """
        try:
            names = tuple(tuple(str(name) for name in values["names"][level]) for level in LEVELS)
            parents = [[int(label) for label in values[key]] for key in ("state_of_city", "country_of_state", "continent_of_country")]
            centres = np.array(values["lat_lon_deg"], dtype=np.float64).reshape(-1, 2)
            outlines = tuple(shapely.get_parts(shapely.from_wkb(outlines_wkb)))
        except (KeyError, TypeError, ValueError, AttributeError, shapely.GEOSException) as error:
            raise InputError(f"The table of cities is damaged ({type(error).__name__}: {error}): get the checkpoint again.") from error
        counts = [len(level) for level in names]
        fits = len(centres) == len(outlines) == counts[0] and all(counts) and bool(np.isfinite(centres).all())
        for level, of in enumerate(parents):
            fits = fits and len(of) == counts[level] and all(0 <= label < counts[level + 1] for label in of)
        if not fits:
            raise InputError("The table of cities contradicts itself: get the checkpoint again.")
        return cls((names[0], names[1], names[2], names[3]), Hierarchy.of(*parents), centres, outlines)


def table_of(chains: Sequence[tuple[str, str, str, str]], lat_lon_deg: FloatArray, outlines: Sequence[shapely.Geometry]) -> CityTable:
    """A table of cities that are named with all that they lie in; labels follow the order of the names.

    The same name within two parents is two labels.

    Args:
        chains: (city, state, country, continent) of each city, all different.
        lat_lon_deg, outlines: of each.
    """
    order = sorted(range(len(chains)), key=lambda city: tuple(reversed(chains[city])))
    kinds: list[list[tuple[str, ...]]] = [list(dict.fromkeys(chains[city][level:] for city in order)) for level in range(4)]
    number = [{kind: place for place, kind in enumerate(level)} for level in kinds]
    parents = [[number[level + 1][kind[1:]] for kind in kinds[level]] for level in range(3)]
    names = [tuple(kind[0] for kind in level) for level in kinds]
    return CityTable(
        (names[0], names[1], names[2], names[3]),
        Hierarchy.of(*parents),
        np.asarray(lat_lon_deg)[order],
        tuple(outlines[city] for city in order),
    )
