"""The database of reference images on disk: a folder that is read where it lies, added to without being made anew, and changed whole or not at all.

``database.json`` says what belongs to it, and is replaced in one step: what it does not name is not there. Each addition is a folder below ``segments``:

- ``codes.npy``: (N, D) int8 descriptors (:mod:`.codes`), mapped when they are searched;
- ``places.npy``: (N, 2) latitude and longitude in degrees, in the same order: along a curve that keeps neighbours together, so that an area is a few slices;
- ``rows.npy``: (N,) headings, times and sequences (``ROW``);
- ``images.sqlite``: what is shown of each: source, author, licence, thumbnail;
- ``local.npy``: (N,) details of each picture (:mod:`vidtag_engine.local_features`), in databases that keep them: then every addition has it;
- ``index``, a folder that may be missing: an index of the codes (:mod:`.cell_index`).

What is removed is a mask beside them. Nothing is ever unpickled.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from ..atomic import making_folder, replacing
from ..geodesy import EARTH_RADIUS_M, haversine_m, wrap_lon
from ..local_features import KINDS, LocalRows, write_local
from ..types import FloatArray, InputError, IntArray
from .addition import ROW, Addition
from .codes import Codes, decode, encode, scale_of
from .descriptor import Descriptor
from .image_table import Known, attribution_in, known_in, look_up, rows_in, sequences_in, write_images
from .images import ReferenceImage
from .manifest import MANIFEST, Manifest, Segment, read_manifest
from .order import along_curve, narrowest_lon_deg
from .work import SEGMENTS, WHITENING, check_free

CODES, PLACES, ROWS, IMAGES, LOCAL = "codes.npy", "places.npy", "rows.npy", "images.sqlite", "local.npy"
_REACH_RESOLUTIONS, _REACH_STEPS = 6.0, 2.0  # as far as a training's targets reach by default
_LONGEST_STEP_S = 60.0  # between images of one drive: longer is a pause


@dataclass(frozen=True)
class Shown:
    """What is shown of a reference.

    Args:
        row: its number in the database.
        image: with its place.
        thumbnail: JPEG, or None.
    """

    row: int
    image: ReferenceImage
    thumbnail: bytes | None


class Store:
    """A database's folder, as it was when it was opened.

    Args:
        folder: of the database.
        manifest: of it.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder, self.manifest = folder, manifest

    @classmethod
    def open(cls, folder: Path | str) -> Store:
        """Open a database. Raises InputError where there is none, or it is damaged."""
        folder = Path(folder).expanduser()
        if not (folder / MANIFEST).is_file():
            raise InputError(f"{folder} is no database of reference images: give the folder that 'vidtag reference build' wrote.")
        found = cls(folder, read_manifest(folder / MANIFEST))
        for segment in found.manifest.segments:
            found.check(segment)
        return found

    @classmethod
    def create(cls, folder: Path, manifest: Manifest, descriptor: Descriptor) -> Store:
        """An empty database in a folder that is new or empty.

        Args:
            folder: made if it is not there.
            manifest: without segments.
            descriptor: what its descriptors are made by.

        Raises:
            InputError: something else lies there, or it cannot be written.
        """
        check_free(folder)
        try:
            (folder / SEGMENTS).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"The database cannot be written to {folder} ({error.strerror or error}): give another folder.") from error
        with replacing(folder / WHITENING) as part:
            save_file({name: value.contiguous() for name, value in descriptor.state_dict().items()}, part)
        now = _now()
        manifest = replace(manifest, created_utc=now, changed_utc=now)
        _write(folder, manifest)
        return cls(folder, manifest)

    @cached_property
    def descriptor(self) -> Descriptor:
        """What its descriptors are made by. Raises InputError where that is damaged."""
        of = self.manifest
        made = Descriptor(of.feature_dim, of.width, of.layout_dim)
        try:
            made.load_state_dict(load_file(self.folder / WHITENING))
        except (OSError, SafetensorError, RuntimeError, KeyError) as error:
            raise InputError(f"{self.folder / WHITENING} is missing or damaged: copy the database again.") from error
        return made.eval()

    @cached_property
    def rows(self) -> NDArray[np.void]:
        """(N,) ``ROW`` of all segments, those too that are removed, in the order of the codes; sequences have the database's numbers."""
        return self._joined(ROWS, np.zeros(0, dtype=ROW))

    @cached_property
    def lat_lon_deg(self) -> FloatArray:
        """(N, 2), likewise."""
        return self._joined(PLACES, np.zeros((0, 2)))

    @cached_property
    def codes(self) -> list[Codes]:
        """(N_i, D) of each segment, mapped."""
        return [self._array(segment, CODES) for segment in self.manifest.segments]

    @cached_property
    def local(self) -> LocalRows | None:
        """Of all rows what tells details of their pictures, mapped; None where the database keeps none."""
        return LocalRows([self._array(segment, LOCAL) for segment in self.manifest.segments]) if self.manifest.local_features else None

    @cached_property
    def there(self) -> NDArray[np.bool_]:
        """(N,) which rows were not removed."""
        parts = [
            ~self._array(segment, segment.removed) if segment.removed else np.ones(segment.rows, dtype=bool)
            for segment in self.manifest.segments
        ]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=bool)

    @property
    def digest(self) -> str:
        """What tells this database, as it is and is read, from others."""
        return hashlib.sha256(json.dumps(self.manifest.to_dict(), sort_keys=True).encode()).hexdigest()

    @cached_property
    def content(self) -> str:
        """What tells its images and their descriptors from those of others, wherever the folder lies and however it was calibrated."""
        of = self.manifest
        told: list[Any] = [of.created_utc, of.scale, [asdict(segment) for segment in of.segments]]
        told += [of.local_features] if of.local_features else []
        return hashlib.sha256(json.dumps(told).encode() + (self.folder / WHITENING).read_bytes()).hexdigest()

    @property
    def licences(self) -> list[str]:
        """Of its images, sorted; what is said of none is left out."""
        return sorted({one for segment in self.manifest.segments for one in segment.licences if one})

    @property
    def extent_deg(self) -> tuple[float, float, float, float]:
        """(min longitude, min latitude, max longitude, max latitude) of its images and their reach; over the antimeridian the third exceeds 180."""
        lat, lon = self.lat_lon_deg[self.there].T
        more_deg = math.degrees(self.reach_m / EARTH_RADIUS_M)
        south, north = max(-90.0, float(lat.min()) - more_deg), min(90.0, float(lat.max()) + more_deg)
        wide_deg = more_deg / max(math.cos(math.radians(max(abs(south), abs(north)))), 1e-3)
        west, east = narrowest_lon_deg(lon)
        wide_in_all_deg = (east - west) % 360.0 + 2.0 * wide_deg
        if wide_in_all_deg >= 360.0:
            return (-180.0, south, 180.0, north)
        begin = float(wrap_lon(np.array([west - wide_deg]))[0])
        return (begin, south, begin + wide_in_all_deg, north)

    @cached_property
    def reach_m(self) -> float:
        """Metres over which an image speaks for places around it.

        Six steps of the grid, and at least twice the way to the next image, so that the ground between two is spoken for by both.
        """
        steps_m, _ = self._steps
        return max(_REACH_RESOLUTIONS * self.manifest.resolution_m, _REACH_STEPS * float(np.median(steps_m)) if len(steps_m) else 0.0)

    @cached_property
    def speed_mps(self) -> float | None:
        """How fast its cameras moved; None where no times tell."""
        steps_m, seconds = self._steps
        known = (seconds > 0) & (seconds < _LONGEST_STEP_S)
        speed = float(steps_m[known].sum() / seconds[known].sum()) if known.any() else 0.0
        return speed if speed > 0 else None

    @cached_property
    def _steps(self) -> tuple[FloatArray, FloatArray]:
        """(P,) metres and (P,) seconds between images that follow each other."""
        of, places = self.rows[self.there], self.lat_lon_deg[self.there]
        order = np.lexsort((of["number"], of["sequence"]))
        of, (lat, lon) = of[order], places[order].T
        together = np.diff(of["sequence"]) == 0
        steps_m = haversine_m(lat[:-1], lon[:-1], lat[1:], lon[1:])
        return steps_m[together], np.diff(of["time_s"])[together]

    def within(self, bounds_deg: tuple[float, float, float, float]) -> IntArray:
        """Rows that are there and lie in (west, south, east, north), in degrees within ±180; over the antimeridian west is more than east."""
        west, south, east, north = bounds_deg
        lat, lon = self.lat_lon_deg.T
        across = (lon >= west) & (lon <= east) if west <= east else (lon >= west) | (lon <= east)
        return np.flatnonzero(self.there & across & (lat >= south) & (lat <= north))

    def descriptors(self, rows: IntArray) -> FloatArray:
        """(n, D) float32 descriptors of some rows, as their codes have them."""
        starts, result = self._starts, np.empty((len(rows), self.descriptor.dim), dtype=np.float32)
        segment = np.searchsorted(starts, rows, side="right") - 1
        for number, codes in enumerate(self.codes):
            own = segment == number
            if own.any():
                result[own] = decode(codes[rows[own] - starts[number]], self.manifest.scale)
        return result

    def codes_of(self, rows: IntArray) -> Codes:
        """(n, D) codes of some rows, rising, read into memory: what is mapped beside would count twice."""
        starts, result = self._starts, np.empty((len(rows), self.descriptor.dim), dtype=np.int8)
        for number, (segment, codes) in enumerate(zip(self.manifest.segments, self.codes, strict=True)):
            first, last = np.searchsorted(rows, starts[number : number + 2])
            own = rows[first:last] - starts[number]
            cuts = np.flatnonzero(np.diff(own) != 1) + 1
            begins = np.concatenate([[0], cuts, [len(own)]])
            with (self.folder / SEGMENTS / segment.name / CODES).open("rb") as file:
                offset = file.seek(0, 2) - codes.nbytes  # of the first row, behind numpy's header
                for begin, end in zip(begins[:-1].tolist(), begins[1:].tolist(), strict=True):
                    if end > begin:
                        file.seek(offset + int(own[begin]) * result.shape[1])
                        file.readinto(result[first + begin : first + end].view(np.uint8).data)
        return result

    def shown(self, rows: Sequence[int]) -> list[Shown]:
        """What is shown of some rows, in their order. Raises InputError where that is damaged."""
        starts, found = self._starts, dict[int, Shown]()
        for number, segment in enumerate(self.manifest.segments):
            own = sorted({int(row) - int(starts[number]) for row in rows if starts[number] <= row < starts[number + 1]})
            of, places = self._array(segment, ROWS), self._array(segment, PLACES)
            for row, image, thumbnail in look_up(self.folder / SEGMENTS / segment.name / IMAGES, own):
                (lat_deg, lon_deg), (heading_deg, time_s) = places[row].tolist(), of[["heading_deg", "time_s"]][row].tolist()
                image = replace(image, lat_deg=lat_deg, lon_deg=lon_deg, heading_deg=heading_deg, time_s=time_s)  # noqa: PLW2901
                found[int(starts[number]) + row] = Shown(int(starts[number]) + row, image, thumbnail)
        if any(int(row) not in found for row in rows):
            raise InputError(f"{self.folder.name} lacks what is shown of some of its images: copy the database again, or build it again.")
        return [found[int(row)] for row in rows]

    def keys(self) -> frozenset[str]:
        """The sequences that its images are of, as their source names them. Raises InputError where that is damaged."""
        return frozenset().union(*(sequences_in(self.folder / SEGMENTS / one.name / IMAGES) for one in self.manifest.segments))

    def rows_of(self, key: str) -> IntArray:
        """The rows of a sequence, named as in :meth:`keys`; rising. Raises InputError where that is damaged."""
        found = [
            start + np.array(rows_in(self.folder / SEGMENTS / segment.name / IMAGES, key), dtype=np.int64)
            for start, segment in zip(self._starts, self.manifest.segments, strict=False)
        ]
        return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)

    def attribution(self) -> list[str]:
        """A line for each platform and licence of its images, with their authors; none for one's own. Raises InputError where that is damaged."""
        return attribution_in([self.folder / SEGMENTS / one.name / IMAGES for one in self.manifest.segments])

    def known(self, *, removed: bool = False) -> Iterator[Known]:
        """What tells images that are there, or that were removed, from others, in no order. Raises InputError where that is damaged."""
        for segment, start in zip(self.manifest.segments, self._starts.tolist(), strict=False):
            for one in known_in(self.folder / SEGMENTS / segment.name / IMAGES):
                if self.there[start + one.row] != removed:
                    yield replace(one, row=start + one.row)

    def add(self, addition: Addition) -> Store:
        """The database with an addition; the folder has it from now on.

        Args:
            addition: its descriptors are of this database's kind.

        Raises:
            InputError: it cannot be written, or another program has changed the database meanwhile.
        """
        rows = addition.rows.copy()
        rows["sequence"] += self.manifest.sequences
        rows["drive"] += self.manifest.drives
        return self._changed(self._with_segment(self.manifest, replace(addition, rows=rows)))

    def remove(self, gone: NDArray[np.bool_]) -> Store:
        """The database without some rows: (N,), True what goes. Arguments and errors as of :meth:`add`."""
        return self._changed(self._without(gone))

    def exchange(self, gone: NDArray[np.bool_], addition: Addition) -> Store:
        """The database with an addition in the place of some rows, in one step: its drives and sequences bear the database's own numbers. Else as :meth:`add`."""
        return self._changed(self._with_segment(self._without(gone), addition))

    def _without(self, gone: NDArray[np.bool_]) -> Manifest:
        """What to say of the database without some rows; the masks are there."""
        starts, segments = self._starts, []
        for number, segment in enumerate(self.manifest.segments):
            own = ~self.there[starts[number] : starts[number + 1]] | gone[starts[number] : starts[number + 1]]
            if own.all():
                continue
            if own.any():
                name = f"removed-{self.manifest.revision + 1}.npy"
                with replacing(self.folder / SEGMENTS / segment.name / name) as part:
                    np.save(part, own)
                segment = replace(segment, removed=name)  # noqa: PLW2901
            segments.append(segment)
        return replace(self.manifest, segments=tuple(segments), calibration={})

    def _with_segment(self, manifest: Manifest, addition: Addition) -> Manifest:
        """What to say of the database with an addition; its folder is there."""
        if not manifest.segments:
            manifest = replace(manifest, scale=scale_of(addition.descriptors))
        if (addition.local is not None) != bool(manifest.local_features):
            raise ValueError("a database has local features of all of its pictures, or of none")
        order = along_curve(*addition.lat_lon_deg.T)
        name, rows = self._next_name(), addition.rows[order]
        with making_folder(self.folder / SEGMENTS / name) as part:
            np.save(part / CODES, encode(addition.descriptors, manifest.scale)[order])
            np.save(part / PLACES, np.ascontiguousarray(addition.lat_lon_deg[order], dtype=np.float64))
            np.save(part / ROWS, rows)
            if addition.local is not None:
                write_local(part / LOCAL, addition.local.take(order), manifest.local_features)
            images = [addition.images[number] for number in order]
            licences = write_images(part / IMAGES, images, [addition.thumbnails[number] for number in order])
        return replace(
            manifest,
            segments=(*manifest.segments, Segment(name, len(rows), "", licences)),
            sequences=int(rows["sequence"].max(initial=manifest.sequences - 1)) + 1,
            drives=int(rows["drive"].max(initial=manifest.drives - 1)) + 1,
            calibration={},  # what was fitted speaks of what was there
        )

    def for_more(self, *, private: bool, area: str) -> Store:
        """The database before an addition: private if that is, and for its area (WKT), too. Errors as of :meth:`add`."""
        changed = replace(self.manifest, private=self.manifest.private or private, area=area)
        return self if changed == self.manifest else self._changed(changed)

    def with_calibration(self, calibration: dict[str, Any]) -> Store:
        """The database with what was fitted on it. Errors as of :meth:`add`."""
        return self._changed(replace(self.manifest, calibration=calibration))

    def _changed(self, manifest: Manifest) -> Store:
        """Make a change take hold, and clear away what belongs to nothing any more."""
        current = read_manifest(self.folder / MANIFEST)
        if current.revision != self.manifest.revision:
            raise InputError(f"{self.folder.name} was changed by another program meanwhile: run the same command again.")
        manifest = replace(manifest, revision=manifest.revision + 1, changed_utc=_now())
        _write(self.folder, manifest)
        kept = {segment.name: segment for segment in manifest.segments}
        for folder in (self.folder / SEGMENTS).iterdir():
            if folder.is_dir() and folder.name.isdigit() and folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)
        for name, segment in kept.items():
            for mask in (self.folder / SEGMENTS / name).glob("removed-*.npy"):
                if mask.name != segment.removed:
                    with contextlib.suppress(OSError):  # a reader may hold it open
                        mask.unlink()
        return Store(self.folder, manifest)

    @cached_property
    def _starts(self) -> IntArray:
        return np.cumsum([0, *(segment.rows for segment in self.manifest.segments)])

    def _next_name(self) -> str:
        """Of a new segment: a number that none has had, finished or not."""
        used = [int(one.name) for one in (self.folder / SEGMENTS).iterdir() if one.name.isdigit()]
        return f"{max(used, default=0) + 1:06d}"

    def _array(self, segment: Segment, name: str) -> NDArray[Any]:
        """One of a segment's arrays, mapped; changes to it stay in memory."""
        path = self.folder / SEGMENTS / segment.name / name
        try:
            # Copy on write: torch takes no arrays that are read-only.
            found: NDArray[Any] = np.load(path, mmap_mode="c", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"{path} is missing or damaged: copy the database again, or build it again.") from error
        return found

    def check(self, segment: Segment) -> None:
        """Raise InputError where a segment's arrays are not what the manifest says."""
        wide = self.descriptor.dim
        codes, places, rows = (self._array(segment, name) for name in (CODES, PLACES, ROWS))
        fits = codes.shape == (segment.rows, wide) and codes.dtype == np.int8
        fits = fits and places.shape == (segment.rows, 2) and places.dtype == np.float64 and bool(np.isfinite(places).all())
        # An area's search reads none of the rows, and they are not read for this either.
        fits = fits and rows.shape == (segment.rows,) and rows.dtype == ROW
        if self.manifest.local_features:
            local = self._array(segment, LOCAL)
            fits = fits and local.shape == (segment.rows,) and local.dtype == KINDS[self.manifest.local_features]
        if segment.removed:
            mask = self._array(segment, segment.removed)
            fits = fits and mask.shape == (segment.rows,) and mask.dtype == np.bool_
        if not fits:
            raise InputError(f"Segment {segment.name} of {self.folder.name} is damaged: copy the database again, or build it again.")

    def _joined(self, name: str, nothing: NDArray[Any]) -> NDArray[Any]:
        """An array of all segments; of a single one it stays where it is."""
        parts = [self._array(segment, name) for segment in self.manifest.segments]
        return parts[0] if len(parts) == 1 else np.concatenate([nothing, *parts])


def _write(folder: Path, manifest: Manifest) -> None:
    with replacing(folder / MANIFEST, "references") as part:
        part.write_text(manifest.to_json() + "\n", encoding="utf-8")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
