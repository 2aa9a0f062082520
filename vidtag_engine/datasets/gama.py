"""The GAMa split (Vyas et al., ECCV 2022) of BDD100K (Yu et al., CVPR 2020) as their archives unpack.

    info/100k/{train,val}/{video}.json    startTime, endTime (ms) and locations[] or gps[]: latitude, longitude, speed, course, timestamp (ms; -1 = missing)
    videos/100k/{train,val}/{video}.mov
    list/train_day.list                   a line a video: name and number of frames
    list/val_day_vid.list                 a line a video: name, with or without the number of frames

Folders may also lie without ``100k``, or below ``bdd100k``. The paper takes the split from GAMa (Sec. 4.1) and has about 38 frames a video (App. A): one a second.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from ..types import FloatArray, InputError
from .base import Dataset, PaperSettings
from .sequences import LabelledSequence, usable_place
from .tables import first_folder, names_in, number, read_json, read_lines

LISTS = {"train": ("train_day.list", "train.list"), "val": ("val_day_vid.list", "val_day_vid_1.list", "val.list")}
_LIST_FOLDERS = ("list", "lists", "GAMa/list", "GAMa_dataset/list", ".")
_BASES = ("", "bdd100k/")
_VIDEO_SUFFIXES = (".mov", ".mp4")
_FIELDS = ("locations", "gps")
_MISSING = -1.0


class Gama(Dataset):
    """GAMa's day-time videos of BDD100K, each of about 40 s with a fix a second."""

    name = "gama"
    title = "GAMa (BDD100K)"
    paper = PaperSettings(resolution_m=500.0, epochs=100, decay=0.95)

    def _read_split(self, split: str) -> dict[str, list[LabelledSequence]]:
        info, videos = self._folders("info"), self._folders("videos")
        listed = list(dict.fromkeys(line.split()[0] for line in read_lines(self._list(split))))
        sequences = []
        for name in (listed_name.removesuffix(".mov") for listed_name in listed):
            described = info.get(f"{name}.json")
            video = next((videos[name + suffix] for suffix in _VIDEO_SUFFIXES if name + suffix in videos), None)
            if video is None:
                self.report.add("videos of the list whose file is missing", name)
            elif described is None:
                self.report.add("videos without a file in info", name)
            elif (sequence := self._sequence(name, video, described)) is not None:
                sequences.append(sequence)
        return {split: sequences}

    def _list(self, split: str) -> Path:
        """The split's list of videos. Raises InputError where there is none."""
        for name in LISTS[split]:
            for folder in _LIST_FOLDERS:
                if (path := self.root / folder / name).is_file():
                    return path
        raise InputError(f"{self.root} has no {LISTS[split][0]}: copy the folder list of GAMa's archive into it.")

    def _folders(self, what: str) -> dict[str, Path]:
        """Every file of info or videos by name; BDD100K's own train and val do not matter. Raises InputError where the folder is missing."""
        found: dict[str, Path] = {}
        for base in _BASES:
            for deeper in ("", "100k/"):
                for split in ("train", "val"):
                    folder = first_folder(self.root, [f"{base}{what}/{deeper}{split}"])
                    if folder is not None:
                        found |= {name: folder / name for name in names_in(folder)}
        if not found:
            raise InputError(
                f"{self.root} has no {what}/100k/train or {what}/100k/val with files in it: unpack BDD100K's {what} archive into it."
            )
        return found

    def _sequence(self, name: str, video: Path, described: Path) -> LabelledSequence | None:
        """A video with its fixes; None, counted, where it has none that can be used."""
        try:
            info = read_json(described)
        except InputError:
            self.report.add("videos whose file in info is damaged", described.name)
            return None
        time_s, places, reason = read_fixes(info)
        if not len(time_s):
            self.report.add(reason, name)
            return None
        return LabelledSequence(name, self.root, (video.relative_to(self.root).as_posix(),), "video", time_s, places)


def read_fixes(info: Any) -> tuple[FloatArray, FloatArray, str]:
    """Positions of a video from its info file.

    Args:
        info: the parsed file. Of ``locations`` and ``gps`` the one with more usable fixes counts; -1, 0, 0 and what is no place on Earth are missing.

    Returns:
        (N,) seconds after the video's start, rising; (N, 2) lat, lon; and where N is 0, which videos these are, for the count of what is left out.
    """
    if not isinstance(info, dict) or not any(info.get(field) for field in _FIELDS):
        return np.zeros(0), np.zeros((0, 2)), "videos without any GPS record"
    choices = [_usable(info.get(field)) for field in _FIELDS]
    fixes = max(choices, key=len)
    if not fixes:
        return np.zeros(0), np.zeros((0, 2)), "videos without a usable GPS fix"
    start_ms = number(info.get("startTime"), missing=_MISSING)
    if not math.isfinite(start_ms):
        start_ms = min(fixes)
    moments = sorted(fixes)
    return (np.array(moments) - start_ms) / 1000.0, np.array([fixes[moment] for moment in moments]), ""


def _usable(entries: Any) -> dict[float, tuple[float, float]]:
    """(lat, lon) by timestamp in ms, of the entries that have all three; of equal timestamps the first counts."""
    found: dict[float, tuple[float, float]] = {}
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict):
            continue
        moment_ms = number(entry.get("timestamp"), missing=_MISSING)
        lat, lon = (number(entry.get(axis), missing=_MISSING) for axis in ("latitude", "longitude"))
        if math.isfinite(moment_ms) and usable_place(lat, lon):
            found.setdefault(moment_ms, (lat, lon))
    return found
