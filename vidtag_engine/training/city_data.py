"""What CityGuessr trains on: videos with the numbers of their city, state, country and continent, and the table that says what these stand for."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..datasets.training_sequence import TrainingSequence
from ..geodesy import centroid_deg, haversine_m
from ..models.city_table import CityTable, table_of
from ..models.text_targets import sentence_of, text_targets
from ..places import Place, built_up_radius_m, cities_at, city_cells, ground_about
from ..types import FloatArray, InputError
from .city_trainer import CityVideo

Chain = tuple[str, str, str, str]
_COLUMNS = ("video", "city", "state", "country", "continent")
_MARGIN_M = 300.0  # about the training places of a city that no gazetteer names
_UNKNOWN = -1


@dataclass(frozen=True)
class LabelledVideo:
    """A video before its labels are numbers.

    Args:
        name: for people.
        frames: (T, D) features, or what reads pictures by their numbers.
        count: frames.
        chain: names of its city, state, country and continent; empty texts for a level without a name.
        lat_lon_deg: (T, 2) where its frames were taken; (1, 2) its city's centre where that alone is known.
        scene, text: targets, where a data set has them.
    """

    name: str
    frames: FloatArray | Callable[[Sequence[int]], Tensor]
    count: int
    chain: Chain
    lat_lon_deg: FloatArray
    scene: FloatArray | None = None
    text: FloatArray | None = None

    def read(self, numbers: Sequence[int]) -> Tensor:
        """Some frames by their numbers."""
        if callable(self.frames):
            return self.frames(numbers)
        return torch.from_numpy(np.asarray(self.frames[list(numbers)], dtype=np.float32))


def named_by_gazetteer(sequences: Sequence[TrainingSequence]) -> list[tuple[TrainingSequence, Place]]:
    """Sequences with the city that most of their frames were taken in, by the gazetteer; those at sea are left out.

    Raises:
        InputError: none is in a city.
    """
    found = []
    for sequence in sequences:
        counts = Counter(place for place in cities_at(sequence.lat_lon_deg) if place is not None)
        if counts:
            found.append((sequence, counts.most_common(1)[0][0]))
    if not found:
        raise InputError("No frame was taken near a town that the gazetteer knows: give --labels, a table with the city of each video.")
    return found


def chain_of(place: Place) -> Chain:
    """The names of a place of the gazetteer, which may know no state."""
    return (place.city, place.state or "", place.country, place.continent)


def read_labels(path: Path) -> dict[str, Chain]:
    """A table of labels (CSV with the columns video, city, state, country, continent), by the video's name without its folder.

    Raises:
        InputError: it cannot be read, lacks a column or names a video twice with other cities.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows = list(csv.DictReader(handle))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"The table of labels {path.name} cannot be read ({error}): give a CSV in UTF-8.") from error
    if not rows or any(column not in rows[0] for column in _COLUMNS[:2]):
        raise InputError(f"The table of labels {path.name} needs the columns {', '.join(_COLUMNS)} and a row for each video.")
    found: dict[str, Chain] = {}
    for number, row in enumerate(rows, 2):
        city, state, country, continent = ((row.get(column) or "").strip() for column in _COLUMNS[1:])
        name = Path((row["video"] or "").strip()).name
        if not name or not city:
            raise InputError(f"Line {number} of {path.name} lacks a video or a city: fill them in, or leave the line out.")
        chain = (city, state, country, continent)
        if found.setdefault(name, chain) != chain:
            raise InputError(f"Line {number} of {path.name} names {name} a second time, with another city: keep one of the lines.")
    return found


def table_from_videos(videos: Sequence[LabelledVideo]) -> CityTable:
    """The cities of videos whose places are known.

    Each city's centre is that of its frames. Its outline is the ground within 300 m of them that is nearer to this centre than to any other: of ground where
    nobody drove nothing is known, and a wider area would only make the streets in it less sure.

    Raises:
        InputError: there are fewer than two cities.
    """
    by_chain: dict[Chain, list[FloatArray]] = {}
    for video in videos:
        by_chain.setdefault(video.chain, []).append(video.lat_lon_deg)
    if len(by_chain) < 2:
        raise InputError("All videos are of one city: there is nothing to tell apart. Give videos of two cities or more.")
    centres, radii = [], []
    for parts in by_chain.values():
        places = np.concatenate(parts)
        centre = centroid_deg(places[:, 0], places[:, 1])
        centres.append(centre)
        radii.append(float(haversine_m(places[:, 0], places[:, 1], np.array(centre[0]), np.array(centre[1])).max()) + _MARGIN_M)
    places = np.array(centres)
    cells = city_cells(places, np.array(radii))
    driven = [ground_about(np.concatenate(parts), _MARGIN_M) for parts in by_chain.values()]
    return table_of(list(by_chain), places, [cell.intersection(ground) for cell, ground in zip(cells, driven, strict=True)])


def table_from_places(places: Sequence[Place]) -> CityTable:
    """The cities that the gazetteer names, each with its own centre, and as outline the part of its built-up disc that is nearest to it.

    The packages give a city as a point and a population: the disc is the one that so many people build up (see :func:`.places.built_up_radius_m`).

    Raises:
        InputError: there are fewer than two cities.
    """
    by_chain = {chain_of(place): place for place in places}
    if len(by_chain) < 2:
        raise InputError("All videos are of one city: there is nothing to tell apart. Give videos of two cities or more.")
    centres = np.array([[place.lat_deg, place.lon_deg] for place in by_chain.values()])
    radii = np.array([built_up_radius_m(place.population or 0) for place in by_chain.values()])
    return table_of(list(by_chain), centres, city_cells(centres, radii))


def numbered(videos: Sequence[LabelledVideo], table: CityTable, text_encoder: str | None = None) -> list[CityVideo]:
    """Videos with the numbers of a table's labels. A city that the table does not know has the number -1, and so has each level above it that is not known.

    Args:
        videos: of the table's cities, or of others to judge on.
        table: of the cities.
        text_encoder: makes the text targets of videos that bring none (see :func:`.text_targets.text_targets`); None makes none.
    """
    chains = [table.chain_names(city) for city in range(len(table))]
    labels = {chain[level:]: int(table.chains[city][level]) for city, chain in enumerate(chains) for level in range(4)}
    targets: dict[Chain, Tensor] = {}
    if text_encoder is not None and any(video.text is None for video in videos):
        different = list(dict.fromkeys(video.chain for video in videos))
        targets = dict(zip(different, text_targets([sentence_of(*chain) for chain in different], text_encoder), strict=True))
    found = []
    for video in videos:
        city, state, country, continent = (labels.get(video.chain[level:], _UNKNOWN) for level in range(4))
        text = targets.get(video.chain) if video.text is None else torch.from_numpy(np.asarray(video.text, dtype=np.float32))
        scene = None if video.scene is None else torch.from_numpy(np.asarray(video.scene, dtype=np.float32))
        found.append(CityVideo(video.name, video.count, video.read, (city, state, country, continent), scene, text))
    return found


def of_sequence(sequence: TrainingSequence, chain: Chain, scene: FloatArray | None = None) -> LabelledVideo:
    """A sequence of stored features with its names."""
    return LabelledVideo(sequence.name, sequence.features[0], len(sequence), chain, sequence.lat_lon_deg, scene)
