"""What the viewer keeps of a video: decoders that stand in it, stretches whose packets are known, and what tells the file from another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from .packet_index import PacketIndex
    from .planned_decoder import PacketReader


@dataclass
class Stand:
    """A decoder and where it stands.

    Args:
        context: with the pictures that the next ones lean on.
        container: what the context came from.
        window: whose packets it has been fed.
        entry: position where it began.
        next: position of the next packet.
        awaited: timestamps of what was fed and has not come out.
    """

    context: Any
    container: Any
    window: int = -1
    entry: int = 0
    next: int = 0
    awaited: list[int] = field(default_factory=list)
    fit: bool = False


@dataclass(frozen=True)
class Window:
    """A stretch of the video whose packets are known.

    Args:
        number: of the stretch, in the order of time.
        index: of its packets.
        shown, shown_s: positions of the packets whose pictures are shown, in the order of showing, and their times.
        entries: positions where decoding may begin.
        needed: (N + 1,) packets before each position that others lean on.
        reader: gives the packets; None where they cannot be planned with.
    """

    number: int
    index: PacketIndex
    shown: NDArray[np.integer[Any]]
    shown_s: NDArray[np.floating[Any]]
    entries: NDArray[np.integer[Any]]
    needed: NDArray[np.integer[Any]]
    reader: PacketReader | None


def mark_of(path: Path) -> tuple[int, int] | None:
    """Size and time of a file, which change where somebody writes to it or replaces it; None where it is gone."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
