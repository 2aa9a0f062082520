"""What a table of videos says of each: its stretch, and an area of its own beside the run's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from .batch import BatchInput
from .command_arguments import GeolocateArguments
from .export import read_areas, read_provenance
from .grid import AreaOfInterest, Grid, WideGrid, area_without_aoi, join_areas, load_aoi, plan_grid
from .settings import GeolocateSettings, validated, zone_of
from .types import FloatArray, InputError, OwnSettings, Provenance, VideoInfo, VideoResult
from .video import VideoRow, read_video_table, source_digest, video_rows

_Named = TypeVar("_Named", BatchInput, VideoInfo)
"""A video that has a name and a path, opened or not."""


@dataclass(frozen=True)
class SearchedArea:
    """An area and its grid.

    Args:
        aoi, grid: of it.
        name: that results call it by; empty: the run's, which has none.
        prior: where in it the video may be before anything is seen; None is anywhere alike.
    """

    aoi: AreaOfInterest
    grid: Grid | WideGrid
    name: str = ""
    prior: AreaPrior | None = None


class AreaPrior(Protocol):
    """Where in an area a video may be before anything is seen."""

    @property
    def key(self) -> str:
        """Tells it from others."""

    @property
    def held(self) -> float:
        """Probability that the video was taken in the area at all."""

    def __call__(self, lat_lon_deg: FloatArray) -> FloatArray:
        """(M,) weights of places (M, 2)."""


def searched_area(aoi: AreaOfInterest, settings: GeolocateSettings, name: str = "", prior: AreaPrior | None = None) -> SearchedArea:
    """An area with the grid that the settings ask for. Raises InputError where it has too many points."""
    return SearchedArea(aoi, plan_grid(aoi, settings.resolution_m, settings.grid, exhaustive=settings.exhaustive), name, prior)


def rows_asked(arguments: GeolocateArguments, settings: GeolocateSettings) -> list[VideoRow]:
    """The rows of the table that a request names or holds; none where it has none. Raises InputError as :func:`.video.read_video_table`."""
    zone = zone_of(settings.time_zone)
    if arguments.table_rows is not None:
        return video_rows(arguments.table_rows, Path(), arguments.table or "the table", zone)
    return read_video_table(arguments.table, zone) if arguments.table else []


class TableOfVideos:
    """What the rows of a table say of the videos of a run.

    Args:
        rows: of the table; none is fine.
        settings: of the run, which a row's own go before.

    Raises:
        InputError: an area cannot be used, or a stretch ends before it begins; the sentence names the row.
    """

    def __init__(self, rows: Sequence[VideoRow], settings: GeolocateSettings) -> None:
        self._settings = settings
        self._rows = {row.path: row for row in rows}
        self._areas: dict[str, SearchedArea] = {}  # by what the rows say
        for row in rows:
            self.settings_of(row.path)
            if row.area is not None and row.area not in self._areas:
                self._areas[row.area] = self._area(row, row.area)

    def give(self, path: Path, area: SearchedArea) -> SearchedArea:
        """Give a video that has none an area of its own; returned under a name that no other area has, or as an equal one that another video has."""
        equal = next((one for one in self._areas.values() if one.name == area.name and one.grid.digest == area.grid.digest), None)
        if equal is None:
            equal = replace(area, name=_free(area.name, {one.name for one in self._areas.values()}))
            self._areas[equal.name] = equal
        known = self._rows.get(path)
        self._rows[path] = replace(known, area=equal.name) if known else VideoRow(path, "", area=equal.name)
        return equal

    def settings_of(self, path: Path) -> GeolocateSettings:
        """The run's settings with the row's stretch. Raises InputError where it ends before it begins."""
        row = self._rows.get(path)
        if row is None or (row.from_s is None and row.to_s is None):
            return self._settings
        own = {name: value for name, value in (("from_s", row.from_s), ("to_s", row.to_s)) if value is not None}
        try:
            found: GeolocateSettings = validated(GeolocateSettings, {**self._settings.model_dump(), **own})
        except InputError as error:
            raise InputError(f"{_begin(row.where)} with the settings of the run: {error}") from error
        return found

    def area_of_run(
        self, asked: SearchedArea | None, infos: Sequence[_Named], extent: tuple[float, float, float, float] | None
    ) -> SearchedArea | None:
        """The area of videos that have none of their own: what was asked for, else where the checkpoint was trained (``extent``); None where all have one."""
        if all(self.area_of(info.path) for info in infos):
            return None
        return asked or searched_area(area_without_aoi(extent), self._settings)

    def area_of(self, path: Path) -> SearchedArea | None:
        """The area that the row names; None where it names none."""
        row = self._rows.get(path)
        return None if row is None or row.area is None else self._areas[row.area]

    def own_of(self, path: Path) -> OwnSettings | None:
        """What is told of it beside the result; None where the run's settings hold."""
        row, area = self._rows.get(path), self.area_of(path)
        if row is None:
            return None
        own = OwnSettings(row.start_time, row.from_s, row.to_s, *((area.name, area.grid.digest) if area else ()))
        return None if own == OwnSettings() else own

    def in_order(self, infos: Sequence[_Named], run: SearchedArea | None) -> Iterator[tuple[SearchedArea, _Named]]:
        """The videos with their areas, those of one area after each other, so that each is prepared once."""
        areas = [area for info in infos if (area := self.area_of(info.path) or run) is not None]
        for name in dict.fromkeys(area.name for area in areas):
            yield from ((area, info) for area, info in zip(areas, infos, strict=True) if area.name == name)

    def still_right(self, earlier: dict[str, VideoResult], infos: Sequence[_Named]) -> dict[str, VideoResult]:
        """Of an earlier run's results, by SHA-256, those that this run would not make otherwise: of other videos, or with the same row."""
        paths = {info.name: info.path for info in infos}

        def is_right(sha256: str, one: VideoResult) -> bool:
            path = paths.get(one.info.name)
            return path is None or _same(one.own, self.own_of(path)) or source_digest(path) != sha256

        return {sha256: one for sha256, one in earlier.items() if is_right(sha256, one)}

    def joined(
        self, run: SearchedArea | None, provenance: Provenance, kept: Sequence[VideoResult], output: Path | None
    ) -> tuple[AreaOfInterest, Provenance]:
        """All that the results were searched over, and the record with each own area's grid beside the run's: ``areas`` of its ``gallery``, by name.

        Args:
            run: of videos without an area of their own; None where there is none.
            provenance: the record, with the run's grid.
            kept: results of an earlier run, which stay in the output.
            output: where they are.
        """
        named = {one.own.area: one.own.grid_digest for one in kept if one.own and one.own.area}
        self.agree(named)
        own = {area.name: area for area in self._areas.values()}
        if run is not None and not own and not named:
            return run.aoi, provenance
        shapes: dict[str, AreaOfInterest] = {}
        grids: dict[str, Any] = {}
        if named and output is not None:
            shapes = {name: AreaOfInterest(shape, 0.0) for name, shape in read_areas(output).items() if name in named}
            grids = {name: grid for name, grid in read_provenance(output).gallery.get("areas", {}).items() if name in named}
        gallery = provenance.gallery if run else {name: provenance.gallery[name] for name in ("kind", "resolution_m")}
        gallery = {**gallery, "areas": {**grids, **{name: area.grid.to_summary() for name, area in own.items()}}}
        aoi = join_areas(run.aoi if run else None, {**shapes, **{name: area.aoi for name, area in own.items()}})
        return aoi, replace(provenance, gallery=gallery)

    def searched(self, run: SearchedArea | None) -> list[SearchedArea]:
        """All areas of this run, the run's own first."""
        return [*([run] if run else []), *self._areas.values()]

    def record_of(self, provenance: Provenance, own: SearchedArea | None) -> Provenance:
        """The record of one video: with its own area's grid, and no other video's."""
        gallery = {name: value for name, value in provenance.gallery.items() if name != "areas"}
        return replace(provenance, gallery=gallery | ({"areas": {own.name: own.grid.to_summary()}} if own else {}))

    def grids(self, run: SearchedArea | None) -> list[Grid | WideGrid]:
        """Of all areas of this run, the run's own first."""
        return [area.grid for area in self.searched(run)]

    def _area(self, row: VideoRow, area: str) -> SearchedArea:
        try:
            found = searched_area(load_aoi(area), self._settings)
        except InputError as error:
            raise InputError(f"{_begin(row.where)}, column area: {error}") from error
        return replace(found, name=_free(Path(area.partition("|")[0]).stem, {one.name for one in self._areas.values()}))

    def agree(self, kept: Mapping[str, str | None]) -> None:
        """Call areas as results that stay do, by name and grid's digest: an equal one by the same name, another one by no name of theirs."""
        known = {digest: name for name, digest in kept.items() if digest}
        for key, area in self._areas.items():
            self._areas[key] = replace(area, name=known.get(area.grid.digest, area.name))
        for key, area in self._areas.items():  # only then is it known which names are left
            if kept.get(area.name, area.grid.digest) != area.grid.digest:
                self._areas[key] = replace(area, name=_free(area.name, {*kept, *(one.name for one in self._areas.values())}))


def _same(one: OwnSettings | None, other: OwnSettings | None) -> bool:
    """Whether they mean the same; an area is what it is, whatever its name."""
    bare = [replace(own, area=None) if own else OwnSettings() for own in (one, other)]
    return bare[0] == bare[1]


def _free(name: str, taken: set[str]) -> str:
    number = 1
    free = name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free


def _begin(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]
