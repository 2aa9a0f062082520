"""CityGuessr68k (Kulkarni et al., ECCV 2024) as its archives unpack.

    {train,val}_labels*.txt      a line a video: frame_dir,city,state,country,continent,<512 text floats>,<16 scene floats>, no header; or the name alone
    labels_list.csv              names: city,state,country,continent
    hierarchy_mappings.json      three objects city -> state, state -> country, country -> continent (texts to numbers)
    videos/{split}/{City}/{City}_{number}/{frame}.jpg    frames 1.jpg, 2.jpg, ... 100.jpg

The texts may lie in the folder itself or in ``meta``, the frames also without ``videos`` or the split. The data set has no positions: the paper gives every
frame of a video its city's centre and retrieves from the 166 centres (Sec. 5.3, App. K), but not where these come from. So they are asked for, as
``city_centres.csv``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..grid import AreaOfInterest, Grid
from ..types import FloatArray, InputError
from .base import City, Dataset, PaperSettings
from .regions import PADDING_DEG, area_of, training_regions
from .sequences import LabelledSequence, PlaceLabels, usable_place
from .tables import images_in, number, read_json, read_lines, read_rows

_META = (".", "meta")
_CENTRES = ("city_centres.csv", "city_centers.csv")
_TEXT, _SCENES = 512, 16
_LABELLED, _FULL = 5, 5 + _TEXT + _SCENES


@dataclass(frozen=True)
class _Line:
    """A line of a split's text: the video's folder as written, its labels where given, its scene, and what its labels read as (512 float16, 1 kB a video)."""

    path: str
    labels: PlaceLabels | None
    scene: FloatArray | None
    text: NDArray[np.float16] | None = None

    @property
    def video(self) -> str:
        return _parts(self.path)[-1]

    @property
    def city_name(self) -> str:
        """``Abu_Dhabi_0012`` is a video of Abu_Dhabi."""
        return self.video.rpartition("_")[0] or self.video


class CityGuessr68k(Dataset):
    """CityGuessr68k: 68,269 videos of about 100 frames in 166 cities."""

    name = "cityguessr68k"
    title = "CityGuessr68k"
    splits = ("train", "val", "test")  # the data set has no third text; a copy with one may
    # There is no grid: the resolution only says at which scale places count as one.
    paper = PaperSettings(resolution_m=25_000.0, epochs=100, decay=0.95)
    default_gallery = "centres"

    def __init__(self, root: Path | str, *, seed: int = 0) -> None:
        super().__init__(root, seed=seed)
        self._centres_by_name = self._read_centres()
        self._parents = self._read_parents()
        self._names = self._read_names()
        self._text: dict[str, list[_Line]] = {}

    @property
    def hierarchy(self) -> tuple[dict[str, int], ...]:
        """City to state, state to country and country to continent, by their numbers as text; empty where the data set comes without."""
        return self._parents

    @cached_property
    def cities(self) -> tuple[City, ...]:
        """The cities that training and validation name, by number or name."""
        found: dict[int | str, City] = {}
        for split in ("train", "val"):
            for line in self._lines(split):
                labels = self._labels(line)
                if labels.city not in found and self._fits(labels):
                    found[labels.city] = City(labels, *self._centre(labels, line))
        return tuple(found[key] for key in sorted(found, key=lambda key: (str(type(key)), key)))

    def names_of_labels(self) -> dict[int | str, tuple[str, str, str, str]]:
        """Names of city, state, country and continent by the city's label.

        They are what labels_list.csv says of the name that its videos' folders have, else that name and the labels themselves.
        """
        found: dict[int | str, tuple[str, str, str, str]] = {}
        for split in ("train", "val"):
            for line in self._lines(split):
                labels = self._labels(line)
                listed = self._names.get(_plain(line.city_name))
                if labels.city not in found:
                    above = listed or labels
                    city = str(listed.city) if listed else line.city_name.replace("_", " ")
                    found[labels.city] = (city, str(above.state), str(above.country), str(above.continent))
        return found

    def area(self) -> AreaOfInterest:
        """A little around every city centre."""
        around = [
            LabelledSequence(
                str(c.labels.city), self.root, (), "images", np.zeros(1), np.array([[c.lat_deg, c.lon_deg]]), region=str(c.labels.city)
            )
            for c in self.cities
        ]
        return area_of(training_regions(around, PADDING_DEG)[0])

    def training_grid(self) -> Grid | None:
        """The centres: there is nothing between them."""
        return self.gallery("centres")

    def _read_split(self, split: str) -> dict[str, list[LabelledSequence]]:
        sequences = [self._sequence(line, split) for line in self._lines(split)]
        return {split: [sequence for sequence in sequences if sequence is not None]}

    def _lines(self, split: str) -> list[_Line]:
        """A split's text, read once."""
        if split not in self._text:
            self._text[split] = self._read_lines(split)
        return self._text[split]

    def _read_lines(self, split: str) -> list[_Line]:
        paths = [path for folder in _META for path in sorted((self.root / folder).glob(f"{split}*.txt"))]
        if not paths:
            raise InputError(
                f"{self.root} has no {split}_labels*.txt, neither in itself nor in meta: unpack CityGuessr68k's meta archive into it."
            )
        return [_parse(text, f"{paths[0].name}, line {place}") for place, text in enumerate(read_lines(paths[0]), 1)]

    def _sequence(self, line: _Line, split: str) -> LabelledSequence | None:
        """A video's frames, all of them at its city's centre; None, counted, where it has no frames or contradicting labels."""
        labels = self._labels(line)
        if not self._fits(labels):
            self.report.add("videos whose labels contradict hierarchy_mappings.json", line.video)
            return None
        folder = self._frames_folder(line, split)
        images = images_in(self.root / folder) if folder is not None else []
        if not images:
            self.report.add("videos without frames on disk", f"{split}/{line.video}")
            return None
        return LabelledSequence(
            f"{split}/{line.video}",
            self.root,
            tuple(f"{folder}/{image}" for image in images),
            "images",
            np.arange(len(images), dtype=np.float64),
            np.tile(self._centre(labels, line), (len(images), 1)),
            region=line.city_name,
            labels=labels,
            scene=line.scene,
            text=line.text,
        )

    def _labels(self, line: _Line) -> PlaceLabels:
        """A video's labels: its line's numbers, else the names that labels_list.csv gives its city, else the city's name alone."""
        return line.labels or self._names.get(_plain(line.city_name)) or PlaceLabels(line.city_name, "", "", "")

    def _centre(self, labels: PlaceLabels, line: _Line) -> tuple[float, float]:
        """The centre of a video's city, by its number or its name. Raises InputError where the table has neither."""
        centres = self._centres_by_name
        centre = centres.get(_plain(str(labels.city))) or centres.get(_plain(line.city_name))
        if centre is None:
            raise InputError(
                f"{_CENTRES[0]} in {self.root} has no row for the city {labels.city} ({line.city_name}): add its number or name, latitude and longitude."
            )
        return centre

    def _fits(self, labels: PlaceLabels) -> bool:
        """Whether numbered labels agree with the hierarchy; there may be none."""
        if not self._parents or not isinstance(labels.city, int):
            return True
        chain = (labels.city, labels.state, labels.country, labels.continent)
        return all(step.get(str(child)) == parent for step, child, parent in zip(self._parents, chain, chain[1:], strict=False))

    def _frames_folder(self, line: _Line, split: str) -> str | None:
        """Folder of a video's frames below the root. A path of the machine that the text was written on is looked for by its last parts."""
        parts, city = _parts(line.path), line.city_name
        tails = ["/".join(parts[-count:]) for count in range(min(len(parts), 4), 0, -1)]
        for choice in (f"{split}/{city}/{line.video}", *tails, f"{city}/{line.video}"):
            for base in ("videos/", ""):
                if (self.root / f"{base}{choice}").is_dir():
                    return f"{base}{choice}"
        return None

    def _file(self, *names: str) -> Path | None:
        return next((path for name in names for folder in _META if (path := self.root / folder / name).is_file()), None)

    def _read_centres(self) -> dict[str, tuple[float, float]]:
        """Centres by number or name. Raises InputError where they are missing or no places."""
        path = self._file(*_CENTRES)
        if path is None:
            raise InputError(
                f"CityGuessr68k names cities and gives no positions: put {_CENTRES[0]} with the columns city, lat, lon and a row for each city"
                f" (its number or its name) into {self.root}."
            )
        centres: dict[str, tuple[float, float]] = {}
        for city, lat_text, lon_text in read_rows(path, ("city", ("lat", "latitude"), ("lon", "lng", "longitude"))):
            lat, lon = number(lat_text), number(lon_text)
            if not usable_place(lat, lon):
                raise InputError(
                    f"{path.name} gives {city!r} no usable latitude and longitude ({lat_text!r}, {lon_text!r}): correct that row."
                )
            centres[_plain(city)] = (lat, lon)
        return centres

    def _read_parents(self) -> tuple[dict[str, int], ...]:
        """The three mappings; empty where there is no file. Raises InputError for a file of another form."""
        path = self._file("hierarchy_mappings.json", "misc/hierarchy_mappings.json")
        if path is None:
            return ()
        mappings: Any = read_json(path)
        fits = isinstance(mappings, list) and len(mappings) == 3
        if not fits or not all(isinstance(one, dict) and all(isinstance(value, int) for value in one.values()) for one in mappings):
            raise InputError(
                f"{path.name} does not hold three objects of numbers (city to state, state to country, country to continent): copy it again."
            )
        return tuple(mappings)

    def _read_names(self) -> dict[str, PlaceLabels]:
        """Names of every city's state, country and continent, for texts without numbers; empty where there is no file."""
        path = self._file("labels_list.csv")
        if path is None:
            return {}
        return {_plain(row[0]): PlaceLabels(*row) for row in read_rows(path, ("city", ("state", "province"), "country", "continent"))}


def _parse(text: str, where: str) -> _Line:
    """One line of a split's text. Raises InputError where it is none."""
    fields = [part.strip() for part in text.split(",")]
    if not _parts(fields[0]):
        raise InputError(f"{where} names no folder of frames: unpack CityGuessr68k's meta archive again.")
    if len(fields) == 1:
        return _Line(fields[0], None, None)
    if len(fields) not in {_LABELLED, _FULL}:
        raise InputError(
            f"{where} has {len(fields)} fields instead of {_FULL} (or {_LABELLED}, or 1): unpack CityGuessr68k's meta archive again."
        )
    try:
        city, state, country, continent = (int(field) for field in fields[1:_LABELLED])
        numbers = np.array(fields[_LABELLED:], dtype=np.float64)
    except ValueError:
        raise InputError(f"{where} has a label that is no number: unpack CityGuessr68k's meta archive again.") from None
    labels = PlaceLabels(city, state, country, continent)
    if not len(numbers):
        return _Line(fields[0], labels, None)
    if not math.isfinite(float(numbers.sum())):
        raise InputError(f"{where} has a scene or text label that is not finite: unpack CityGuessr68k's meta archive again.")
    return _Line(fields[0], labels, numbers[_TEXT:], numbers[:_TEXT].astype(np.float16))


def _parts(path: str) -> list[str]:
    """Parts of a path of any system, never leading upwards."""
    return [part for part in path.replace("\\", "/").split("/") if part not in {"", ".", ".."}]


def _plain(name: str) -> str:
    """A city's name or number, whatever the case and whether words are parted by spaces or underscores."""
    return " ".join(name.replace("_", " ").casefold().split())
