"""Which videos a batch is of, and which of them fall to which of several workers."""

from __future__ import annotations

import hashlib
import heapq
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..atomic import write_text
from ..types import InputError

_SHARD = re.compile(r"(\d+)/(\d+)")


@dataclass(frozen=True)
class WantedVideo:
    """A video that a batch is to answer.

    Args:
        video: its name in the batch.
        path: where it lies below what all videos of the batch have in common, with ``/``.
        size_bytes: of the file, or of all images of a sequence.
    """

    video: str
    path: str
    size_bytes: int


@dataclass(frozen=True)
class Inventory:
    """All videos of a batch, in the order in which they were given."""

    videos: tuple[WantedVideo, ...]

    @classmethod
    def of(cls, named: Sequence[tuple[str, Path]]) -> Inventory:
        """Of videos by name, wherever on this machine they lie; one that is gone has no bytes."""
        places = [Path(os.path.abspath(path)) for _, path in named]  # noqa: PTH100 - a link is named as it is given
        common = Path(os.path.commonpath([str(path.parent) for path in places])) if _one_disk(places) else None
        return cls(
            tuple(
                WantedVideo(name, (path.relative_to(common) if common else path).as_posix(), _size_bytes(path))
                for (name, _), path in zip(named, places, strict=True)
            )
        )

    def save(self, store: Path) -> None:
        """Note in a store which videos are wanted; equal lists of several workers are one file."""
        text = json.dumps({"videos": [vars(one) for one in self.videos]}, ensure_ascii=False, indent=0)
        folder = store / "inventory"
        folder.mkdir(exist_ok=True)
        path = folder / f"{hashlib.sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}.json"
        if not path.is_file():
            write_text(path, text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))

    @staticmethod
    def wanted_in(store: Path) -> list[WantedVideo]:
        """All videos that runs on a store were to answer, each once, in the order of the first list that has it."""
        found: dict[str, WantedVideo] = {}
        for path in sorted((store / "inventory").glob("*.json"), key=lambda one: (one.stat().st_mtime_ns, one.name)):
            try:
                for row in json.loads(path.read_text(encoding="utf-8"))["videos"]:
                    found.setdefault(str(row["video"]), WantedVideo(str(row["video"]), str(row["path"]), int(row["size_bytes"])))
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise InputError(
                    f"{path.name} in the store {store.name} is damaged ({error}): delete it, and run geolocate again."
                ) from error
        return list(found.values())


def shard_of(text: str) -> tuple[int, int]:
    """The number of a worker, from 1 on, and how many there are, of text such as ``3/40``. Raises InputError for any other."""
    found = _SHARD.fullmatch(text.strip())
    number, count = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= number <= count:
        raise InputError(f"{text!r} is no share of the videos: give which one of how many, counted from 1, such as 3/40.")
    return number, count


def share_out(videos: Sequence[WantedVideo], count: int) -> list[int]:
    """The number, from 1 on, of the worker that each video falls to: about as many bytes to each.

    The largest first, each to whoever has the least so far. It follows from paths and sizes alone, so that every worker finds the same by itself.
    """
    shares = [(0, number) for number in range(1, count + 1)]
    falls_to = [0] * len(videos)
    for at in sorted(range(len(videos)), key=lambda at: (-videos[at].size_bytes, videos[at].path, videos[at].video)):
        held_bytes, number = heapq.heappop(shares)
        falls_to[at] = number
        heapq.heappush(shares, (held_bytes + max(1, videos[at].size_bytes), number))
    return falls_to


def _one_disk(places: Sequence[Path]) -> bool:
    return len({path.drive for path in places}) == 1


def _size_bytes(path: Path) -> int:
    try:
        if path.is_dir():
            return sum(one.stat().st_size for one in path.iterdir() if one.is_file())
        return path.stat().st_size
    except OSError:
        return 0
