"""Reading ahead gives the same items in the same order, and never leaves its thread behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from vidtag_engine.video import ReadAhead


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "read-ahead"]


def test_the_same_items_in_the_same_order() -> None:
    with ReadAhead(range(1000), 3) as ahead:
        assert list(ahead) == list(range(1000))
    assert not _threads()


def test_an_error_comes_in_its_place() -> None:
    def items() -> Iterator[int]:
        yield from (1, 2)
        raise ValueError("the third")

    with ReadAhead(items(), 8) as ahead:
        source = iter(ahead)
        assert [next(source), next(source)] == [1, 2]
        with pytest.raises(ValueError, match="the third"):
            next(source)
    assert not _threads()


def test_an_item_that_is_an_error_or_nothing_is_an_item_like_others() -> None:
    items = [None, False, ValueError("an item"), 0]
    with ReadAhead(items, 2) as ahead:
        assert list(ahead) == items


def test_no_more_than_depth_items_wait() -> None:
    made = []

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    with ReadAhead(items(), 4) as ahead:
        source = iter(ahead)
        assert next(source) == 0
        time.sleep(0.3)
        # One taken, four waiting, one in hand that finds no room.
        assert len(made) <= 6


def test_leaving_early_ends_the_thread_and_lets_the_items_go() -> None:
    started = time.perf_counter()
    with ReadAhead(iter(int, 1), 2) as ahead:
        assert next(iter(ahead)) == 0
    assert time.perf_counter() - started < 5  # about 10 ms
    assert not _threads()


def test_the_work_of_both_sides_overlaps() -> None:
    def items() -> Iterator[int]:
        for number in range(10):
            time.sleep(0.03)
            yield number

    started = time.perf_counter()
    with ReadAhead(items(), 4) as ahead:
        for _ in ahead:
            time.sleep(0.03)
        spent = time.perf_counter() - started
    assert ahead.busy_s >= 0.3
    assert spent < 0.55  # one after the other would be 0.6 s
