"""Mapillary Street-level Sequences (Warburg et al., CVPR 2020) as its archives unpack.

    {train_val|test}/{city}/{query|database}/images/{key}.jpg
    {train_val|test}/{city}/{query|database}/raw.csv        ,key,lon,lat,ca,captured_at,pano
    {train_val|test}/{city}/{query|database}/seq_info.csv   ,key,sequence_key,frame_number

VidTAG takes query and database together and splits anew by sequence (Sec. 4.1). Which share it holds out, and whether by city, it does not say; since its
gallery comes from training data alone and 98 % of the validation frames lie within 25 km, validation must come from the same cities. Decided: a tenth of each
city's sequences, seeded. Sequences have at least 16 frames (App. C). The test cities' positions are not part of the archives; they are read where a
``raw.csv`` lies there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..types import InputError
from .base import Dataset, PaperSettings, split_within
from .sequences import LabelledSequence, clock, usable_place
from .tables import moment_s, names_in, number, read_rows, subfolders

VALIDATION_SHARE = 0.1
MIN_FRAMES = 16
_PARTS = ("database", "query")


@dataclass(frozen=True)
class _Frame:
    """A usable image of a sequence."""

    number: int
    captured_s: float | None
    file: str
    lat_deg: float
    lon_deg: float


class Msls(Dataset):
    """MSLS: about 19,000 sequences of 1.4 million images in the 24 cities that have positions.

    Args:
        root, seed: as for every data set.
        min_frames: shorter sequences are left out.
    """

    name = "msls"
    title = "MSLS"
    splits = ("train", "val", "test")
    paper = PaperSettings(resolution_m=100.0, epochs=600, decay=0.99)

    def __init__(self, root: Path | str, *, seed: int = 0, min_frames: int = MIN_FRAMES) -> None:
        super().__init__(root, seed=seed)
        self.min_frames = min_frames

    def _read_split(self, split: str) -> dict[str, list[LabelledSequence]]:
        folder = self.root / ("test" if split == "test" else "train_val")
        cities = subfolders(folder)
        if not cities:
            raise InputError(
                f"{self.root} has no folder {folder.name} with a folder for each city in it: unpack MSLS's archives into one folder and give that."
            )
        found = [sequence for city in cities for sequence in self._city(folder / city)]
        if split == "test":
            return {"test": found}
        training, validation = split_within(found, VALIDATION_SHARE, self.seed)
        return {"train": training, "val": validation}

    def _city(self, folder: Path) -> list[LabelledSequence]:
        """A city's sequences, query and database together."""
        frames: dict[str, dict[str, _Frame]] = {}
        for part in _PARTS:
            if (folder / part).is_dir():
                self._part(folder, part, frames)
        sequences = []
        for key, members in sorted(frames.items()):
            name = f"{folder.name}/{key}"
            if len(members) < self.min_frames:
                self.report.add(f"sequences of fewer than {self.min_frames} usable images", name)
                continue
            ordered = sorted(members.values(), key=lambda frame: (frame.number, frame.file))
            sequences.append(
                LabelledSequence(
                    name,
                    self.root,
                    tuple(frame.file for frame in ordered),
                    "images",
                    clock([frame.captured_s for frame in ordered]),
                    np.array([[frame.lat_deg, frame.lon_deg] for frame in ordered]),
                    region=folder.name,
                )
            )
        return sequences

    def _part(self, city: Path, part: str, frames: dict[str, dict[str, _Frame]]) -> None:
        """Add the usable images of query or database to ``frames``: by sequence, then by image key."""
        folder = city / part
        label = f"{city.name}/{part}"
        for needed in ("raw.csv", "seq_info.csv"):
            if not (folder / needed).is_file():
                self.report.add(f"parts of cities without {needed}", label)
                return
        known = {
            key: (number(lat), number(lon), moment_s(captured))
            for key, lon, lat, captured in read_rows(folder / "raw.csv", ("key", "lon", "lat", "captured_at"))
        }
        on_disk = names_in(folder / "images")
        base = (folder / "images").relative_to(self.root).as_posix()
        for key, sequence, order in read_rows(folder / "seq_info.csv", ("key", ("sequence_key", "sequence_id"), "frame_number")):
            image = f"{label}/{key}"
            lat, lon, captured_s = known.get(key, (float("nan"), float("nan"), None))
            place = number(order)
            members = frames.setdefault(sequence, {})
            if key not in known:
                self.report.add("images that raw.csv does not name", image)
            elif not usable_place(lat, lon):
                self.report.add("images without a usable position", image)
            elif f"{key}.jpg" not in on_disk:
                self.report.add("images whose file is missing", f"{image}.jpg")
            elif not sequence or not np.isfinite(place):
                self.report.add("images without a sequence or a frame number", image)
            elif key in members:
                self.report.add("images named twice", image)
            else:
                members[key] = _Frame(int(place), captured_s, f"{base}/{key}.jpg", lat, lon)
