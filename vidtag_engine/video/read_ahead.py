"""Take the next items in a thread of their own while the last ones are worked on."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Generic, Self, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

Item = TypeVar("Item")
_Put: TypeAlias = tuple[list[Item], BaseException | None]
_LOOK_EVERY_S = 0.05


class ReadAhead(Generic[Item]):
    """Iterate over ``items`` in a thread; a context manager, so that the thread has ended when it is left, whatever happened.

    Decoding and resizing let go of Python's lock, so they run beside the networks. What ``items`` raises is raised here, in its place in the order.

    Args:
        items: what to take; nothing else may touch it until the ``with`` block is left.
        depth: items held at most, so that memory is bounded.
    """

    def __init__(self, items: Iterable[Item], depth: int) -> None:
        self._items, self._stop = items, threading.Event()
        self._queue: queue.Queue[_Put[Item]] = queue.Queue(maxsize=max(1, depth))
        self._thread = threading.Thread(target=self._fill, name="read-ahead", daemon=True)
        self.busy_s = 0.0  # that the thread has worked, waiting for room not counted
        self.waited_s = 0.0  # that the taker has waited for it

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def __iter__(self) -> Iterator[Item]:
        while True:
            since = time.perf_counter()
            items, error = self._queue.get()
            self.waited_s += time.perf_counter() - since
            if error is not None:
                raise error
            if not items:
                return
            yield from items

    def _fill(self) -> None:
        source = iter(self._items)
        try:
            while True:
                since = time.perf_counter()
                try:
                    item = next(source)
                except StopIteration:
                    break
                finally:
                    self.busy_s += time.perf_counter() - since
                if not self._put([item]):
                    return
            self._put([])
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that takes
            self._put([], error)

    def _put(self, items: list[Item], error: BaseException | None = None) -> bool:
        """Wait for room; False once nobody takes any more. No items mean the end."""
        while not self._stop.is_set():
            try:
                self._queue.put((items, error), timeout=_LOOK_EVERY_S)
            except queue.Full:
                continue
            return True
        return False
