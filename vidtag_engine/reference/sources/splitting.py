"""All pictures of a tile from a server that cuts its answers without a word: asked again in parts while an answer may be cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from ...types import InputError
from .tiles import Tile

Span = tuple[datetime, datetime]
SMALLEST_M = 25.0
"""Tiles that are no larger are split by time."""
# No picture was taken outside of these years.
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_LOOKS_ROUND = 50


class Splitter:
    """Asks for a tile, then for its quarters, at last for spans of time.

    Args:
        ask: gives what a server says of a tile, and of a span of time with both its ends (None: of all times).
        limit: how many pictures an answer has at most; asked each time, as a server may lower it.
        host: of the server, for people.
    """

    def __init__(self, ask: Callable[[Tile, Span | None], list[Any]], limit: Callable[[], int], host: str) -> None:
        self._ask, self._limit, self._host = ask, limit, host

    def all_of(self, tile: Tile) -> Iterator[Any]:
        """Every picture's item; some come twice, since neighbours share their sides.

        Raises:
            InputError: more are of one second and one spot than an answer holds.
        """
        items = self._ask(tile, None)
        if not self._may_be_cut(len(items)):
            yield from items
        elif tile.size_m > SMALLEST_M:
            for child in tile.children():
                yield from self.all_of(child)
        else:
            yield from self._within(tile, _FIRST, _LAST)

    def _within(self, tile: Tile, start: datetime, end: datetime) -> Iterator[Any]:
        """A tile too small to split, by the time that its pictures were taken."""
        items = self._ask(tile, (start, end))
        if not self._may_be_cut(len(items)):
            yield from items
        elif end - start > timedelta(seconds=1):
            middle = (start + (end - start) / 2).replace(microsecond=0)
            yield from self._within(tile, start, middle)
            yield from self._within(tile, middle, end)
        elif len(items) < self._limit():
            yield from items
        else:
            west, south, *_ = tile.bounds
            raise InputError(
                f"{self._host} gave {len(items):,} pictures of one second within {tile.size_m:.0f} m at {south:.4f}, {west:.4f} and may have more, "
                "which it cannot be asked for; leave that place out of the area."
            )

    def _may_be_cut(self, count: int) -> bool:
        """Whether more may lie there: as many came as were asked for, or a number so round that a lower limit of the server's own may have cut it."""
        return count >= self._limit() or (count >= _LOOKS_ROUND and count % _LOOKS_ROUND == 0)
