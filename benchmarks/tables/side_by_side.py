"""Trainings side by side, in processes of their own: the networks are so small that a second thread helps one of them little."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from typing import Any

import torch

_MOST = 4  # each holds the world's features
_opened: list[Any] = []  # a worker's own

Task = tuple[Callable[[Any, Any], object], Any]


def side_by_side(make: Callable[[], Any], groups: Sequence[Sequence[Task]]) -> Iterator[Task]:
    """Do tasks that leave their results in the store, as many at a time as there are threads, up to four; yields each that is done.

    Args:
        make: opens in a worker what its tasks are done with; it can be pickled.
        groups: tasks, each a function of the module's own and its second argument; the first is what ``make`` gives. A group's first task is done before its others
            begin, so that what they share is made once.
    """
    threads = torch.get_num_threads()
    workers = max(1, min(_MOST, threads, len(groups)))
    context = multiprocessing.get_context("spawn")  # torch's threads must not be forked
    with ProcessPoolExecutor(workers, context, _open, (make, threads // workers)) as pool:
        waiting = {pool.submit(_do, group[0]): group for group in groups}
        try:
            while waiting:
                for done in wait(waiting, return_when=FIRST_COMPLETED).done:
                    done.result()
                    first, *others = waiting.pop(done)
                    waiting |= {pool.submit(_do, one): [one] for one in others}
                    yield first
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _open(make: Callable[[], Any], threads: int) -> None:
    torch.set_num_threads(threads)
    _opened.append(make())


def _do(task: Task) -> None:
    function, argument = task
    function(_opened[0], argument)
