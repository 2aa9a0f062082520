"""What a geolocation gives back."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from .export import EXPORTERS, as_geodataframe, check_picture_name, page_body, result_tables, write_map, write_page
from .grid import AreaOfInterest
from .result_file import ResultFile
from .screen import open_page
from .types import FailedVideo, InputError, Provenance, Trajectory, VideoResult

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

_LAYERS = ("frames", "trajectory", "videos", "regions")


@dataclass(eq=False)
class Geolocation(Sequence[VideoResult]):
    """The finished videos of a run, by number or by name.

    Args:
        results: finished videos, those of an earlier, broken-off run, too; of a batch each is read when it is asked for.
        provenance: what made them.
        aoi: the area that was searched.
        gallery_points: in the grid.
        output: the GeoPackage; None where none was asked for.
        failed: videos that have no result, and why.
        resumed: names taken over from the earlier run.
        seconds: by part: decode (beside the networks, so not part of the sum), wait (of the networks for it), encode, gallery, search, write.
        warnings: what a user should know, a sentence each.
        summaries: of every video, in a few plain numbers.
        store: the folder of a batch's results; None of a single video.
    """

    results: Sequence[VideoResult]
    provenance: Provenance
    aoi: AreaOfInterest
    gallery_points: int
    output: Path | None = None
    failed: list[FailedVideo] = field(default_factory=list)
    resumed: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    summaries: list[dict[str, Any]] = field(default_factory=list)
    store: Path | None = None

    def __len__(self) -> int:
        """Videos that have a result."""
        return len(self.results)

    def __iter__(self) -> Iterator[VideoResult]:
        """In order."""
        return iter(self.results)

    @overload
    def __getitem__(self, which: int | str) -> VideoResult: ...
    @overload
    def __getitem__(self, which: slice) -> list[VideoResult]: ...
    def __getitem__(self, which: int | str | slice) -> VideoResult | list[VideoResult]:
        """A video by its number or its name. Raises InputError where there is none of that name."""
        if not isinstance(which, str):
            return self.results[which] if isinstance(which, int) else list(self.results[which])
        found = next((one for one in self.results if which in {one.info.name, one.info.path.name}), None)
        if found is None:
            raise InputError(f"There is no result for {which!r}: choose one of {self._names()}.")
        return found

    @property
    def trajectory(self) -> Trajectory:
        """Of the only video. Raises InputError where there are several."""
        if len(self.results) != 1:
            raise InputError(
                f"There are {len(self)} videos: take the trajectory of one, such as result[0].trajectory; they are {self._names()}."
            )
        return self.results[0].trajectory

    def to_geodataframe(self, layer: str = "frames") -> GeoDataFrame:
        """A layer of the result as a table in EPSG:4326, with the GeoPackage's own columns.

        Args:
            layer: ``frames`` (a point a frame), ``trajectory`` (a line a step), ``videos`` (a line a video) or ``regions``.

        Raises:
            InputError: there is no such layer.
        """
        if layer not in _LAYERS:
            raise InputError(f"There is no layer {layer!r}: choose one of {', '.join(_LAYERS)}.")
        return as_geodataframe(result_tables(self.results, aoi=self.aoi, failed=self.failed)[layer])

    def save(self, path: Path | str, *, overwrite: bool = False) -> Path:
        """Write the result whole; the name's ending says as what.

        Args:
            path: ending in .gpkg (everything), .kml, .gpx, .geojson, .csv, .png (a map picture) or .html (a page with the map).
            overwrite: replace what is not this tool's own file of that kind, or a result that a person has changed.

        Returns:
            The path that was written.

        Raises:
            InputError: another ending, or it cannot be written.
        """
        path = Path(path)
        copies = dict(EXPORTERS.values())
        kind = path.suffix.lower()
        if kind == ".gpkg":
            # As a run writes it: what a person has changed there, or is changing, stays.
            file = ResultFile(path, overwrite=overwrite)
            file.check()
            file.write(self.results, self.failed, self.provenance, self.aoi)
            return file.path
        if kind == ".png":
            check_picture_name(path)
            write_map(path, self.results, aoi=self.aoi, overwrite=overwrite)
        elif kind == ".html":
            write_page(path, self.results, aoi=self.aoi, overwrite=overwrite)
        elif kind in copies:
            copies[kind](path, self.results, self.provenance, overwrite=overwrite)
        else:
            raise InputError(f"{path.name} has no ending that says what to write: give one of .gpkg, .png, .html, {', '.join(copies)}.")
        return path

    def show(self, path: Path | str | None = None) -> Path:
        """Write the page with the map, and open it in the browser where there is a screen; nothing leaves the computer.

        Args:
            path: ending in .html; without it, in a new folder among the system's temporary ones, where it stays until the system clears them.

        Returns:
            The page's path.

        Raises:
            InputError: there is nothing to draw, or it cannot be written.
        """
        page = self.save(path if path is not None else Path(tempfile.mkdtemp(prefix="vidtag-")) / "trajectory.html")
        open_page(page)
        return page

    def _repr_html_(self) -> str:
        """What a notebook shows: the map, and a row a video."""
        return page_body(self.results, aoi=self.aoi)

    def _names(self) -> str:
        return ", ".join(one.info.name for one in self.results) or "none"
