"""Work that the processes of a Dask cluster do: given to them a few at a time, taken as it is done, and done again where a process dies.

The scheduler reads whatever workers are given, and imports what it names. So this module is a light one, and says by name what workers call.
"""

from __future__ import annotations

import gc
import importlib
import logging
import os
import tempfile
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Generic, NamedTuple, TypeVar

from . import offline
from .feedback import Feedback
from .types import InputError

Item = TypeVar("Item")

LOCAL = "local"
"""Stands for a cluster of this machine's own, which is there as long as the work."""
_CONNECT_S = 10.0
_NO_WORKER_S = 60.0
"""How long there may be no worker: so long a batch system takes to start one, or a nanny to start one again."""
_LOOK_S, _COUNT_EVERY_S = 0.2, 2.0
_TAKE_S = 5.0
_IN_FLIGHT = 2
"""Items that a worker's thread is given: it works on one, and the next one is there when that is done."""
_RETRIES = 1
_CORES_A_WORKER = 4
"""Of a machine without GPU: frames are encoded by several cores at once, which pays up to about so many, and each process holds a model of its own."""
_ALLOWED_FAILURES = 1
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_LEAKED = ("PYTHONHASHSEED", "__DASK_PARENT_PID")
"""What Dask sets for processes that it starts, and leaves in the environment of this one."""
_STOPPED: set[str] = set()


class Answer(NamedTuple, Generic[Item]):
    """What a worker has made of an item.

    Args:
        item: which was given.
        value: made of it; None where it was set aside.
        killed: it was set aside, as every worker process that took it up has died.
    """

    item: Item
    value: Any
    killed: bool = False


def check_installed() -> Any:
    """Dask's package ``distributed``. Raises InputError where it is absent."""
    try:
        import distributed
    except ImportError as error:
        raise InputError(
            'A cluster\'s workers are reached by Dask, which is not installed: pip install "distributed", or leave out --cluster.'
        ) from error
    return distributed


@contextmanager
def connected(address: str, *, gpus: int = 0, feedback: Feedback = Feedback()) -> Iterator[Cluster]:
    """A cluster to work on.

    Args:
        address: of a scheduler, such as ``tcp://host:8786``; or "local", for workers of this machine alone, which end with the context.
        gpus: of this machine, each of which a local worker is for; 0 is none: then there is a worker for each few cores.
        feedback: of the work.

    Raises:
        InputError: Dask is not installed, nothing answers at the address, or no worker comes.
        CancelledError: stopped while it was waited for a worker.
    """
    check_installed()
    if offline.asked():
        raise InputError("VidTAG works offline, and a cluster's workers are reached by connections: leave out --cluster, or --offline.")
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        where = stack.enter_context(_local_cluster(gpus)) if address == LOCAL else address
        client = _client(where)
        stack.callback(client.close)
        cluster = Cluster(client, address, feedback)
        stack.callback(cluster.stop)
        cluster.wait()
        yield cluster


class Cluster:
    """Workers that are there: see :func:`connected`.

    Args:
        client: of Dask.
        address: that the user gave.
        feedback: of the work.
    """

    def __init__(self, client: Any, address: str, feedback: Feedback) -> None:
        self._client, self._address, self._feedback = client, address, feedback
        self._run = uuid.uuid4().hex
        self._flying: dict[str, tuple[Any, tuple[Any, Any]]] = {}
        self._news = threading.Event()
        self._seen_s, self._looked_s = time.monotonic(), float("-inf")
        self.threads = 0

    def wait(self) -> None:
        """Wait for the first worker. Raises InputError where none comes, CancelledError where that is stopped."""
        while not self._count():
            self._feedback.check()
            self._feedback.tell(0.0, "cluster", "waiting for a worker")
            time.sleep(_LOOK_S)

    def map(self, work: str, tasks: Iterable[tuple[Item, Any]]) -> Iterator[Answer[Item]]:
        """Give items to workers and yield what they make of them, in the order in which it is done.

        What was given to a worker that dies is done again by another one. When a process dies, Dask suspects all that it was given; so what was suspected too
        often is done again at the end, one item after the other, and only what then kills its worker by itself is set aside.

        Args:
            work: what workers call, as ``package.module:function``: with the plain values, and with what says whether it shall stop.
            tasks: items, which stay here, with the plain values that workers are given of each; taken as there is room for them.

        Raises:
            InputError: the scheduler or all workers are gone, or the work itself raised one; what was yielded before is not lost.
            CancelledError: stopped. What no worker had begun is taken back, and workers are told to stop.
        """
        suspects: list[tuple[Item, Any]] = []
        for answer, task in self._pass(work, iter(tasks), None):
            if answer.killed:
                suspects.append(task)
            else:
                yield answer
        for answer, _ in self._pass(work, iter(suspects), 1):
            yield answer

    def stop(self) -> None:
        """Take back what is not done, and tell workers to stop."""
        if not self._flying or self._client.status != "running":
            return
        with suppress(Exception):  # what ends the work matters more; a scheduler that is gone has nothing to take back
            self._client.cancel([future for future, _ in self._flying.values()], force=True)
            self._client.run(_stop, self._run, on_error="ignore")
        self._flying.clear()

    def _pass(self, work: str, tasks: Iterator[tuple[Item, Any]], most: int | None) -> Iterator[tuple[Answer[Item], tuple[Item, Any]]]:
        while True:
            self._feedback.check()
            threads = self._count()  # looked at also where it does not matter how many: where none is left, nothing would ever come
            room = most or _IN_FLIGHT * threads
            while len(self._flying) < room and (task := next(tasks, None)) is not None:
                self._give(work, task)
            if not self._flying:
                return
            self._news.wait(_LOOK_S)
            self._news.clear()
            for key, (future, task) in list(self._flying.items()):
                if (answer := self._answer(future, task[0])) is not None:
                    del self._flying[key]
                    future.release()
                    yield answer, task

    def _give(self, work: str, task: tuple[Item, Any]) -> None:
        key = f"vidtag-{uuid.uuid4().hex}"
        try:
            future = self._client.submit(_at_work, work, task[1], self._run, key=key, pure=False, retries=_RETRIES)
        except OSError as error:
            raise self._gone() from error
        self._flying[key] = (future, task)
        future.add_done_callback(lambda _: self._news.set())

    def _answer(self, future: Any, item: Item) -> Answer[Item] | None:
        """What came of an item; None where it is not there yet, or is lost with its worker, and so made again. Raises InputError where the work cannot go on."""
        if self._client.status != "running" or future.status == "cancelled":
            raise self._gone()
        if future.status == "finished":
            with suppress(Exception):  # its worker is slow to send it, or has died since; of what that led to, the next look tells
                return Answer(item, future.result(timeout=_TAKE_S))
        if future.status != "error":
            return None
        failed = future.exception(timeout=_TAKE_S)
        if isinstance(failed, check_installed().KilledWorker):
            return Answer(item, None, killed=True)
        if isinstance(failed, InputError):
            raise failed
        if isinstance(failed.__cause__, ImportError):
            raise InputError(
                f"The scheduler and the workers at {self._address} lack what this command has ({failed.__cause__}): start them in an environment"
                " with the same versions of Python, distributed and vidtag-engine."
            ) from failed
        raise InputError(
            f"A worker of the cluster could not go on ({type(failed).__name__}: {failed}): see its log. What is finished is kept, and the same command goes on."
        ) from failed

    def _count(self) -> int:
        """Threads of all workers, now or when there last was one. Raises InputError where there has been none for long, or there is no scheduler."""
        now_s = time.monotonic()
        if self._client.status != "running":
            raise self._gone()
        if now_s >= self._looked_s + _COUNT_EVERY_S:
            try:
                threads = sum(self._client.nthreads(callback_timeout=_NO_WORKER_S).values())  # else it waits for ever
            except OSError as error:
                raise self._gone() from error
            self._looked_s = now_s
            if threads:
                self.threads, self._seen_s = threads, now_s
        if now_s > self._seen_s + _NO_WORKER_S:
            raise InputError(
                f"The scheduler at {self._address} has had no worker for {_NO_WORKER_S:.0f} s: start some with 'dask worker {self._address} --nthreads 1', and give"
                " the same command again."
            )
        return self.threads

    def _gone(self) -> InputError:
        return InputError(
            f"The scheduler at {self._address} is gone: start it and its workers again, and give the same command; what is finished is kept."
        )


def _at_work(work: str, values: Any, run: str) -> Any:
    """What a worker runs: the function by that name."""
    module, _, function = work.partition(":")
    return getattr(importlib.import_module(module), function)(values, lambda: run in _STOPPED)


def _stop(run: str) -> None:
    """What a worker is told beside its work."""
    _STOPPED.add(run)


def _client(where: Any) -> Any:
    """Of a scheduler. Raises InputError where there is none."""
    try:
        return check_installed().Client(where, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        said = str(error)
    # A client that reached nobody closes itself when it is collected. At the end of the process its loop is gone: that would take it six seconds and a page
    # of complaints; and as long as there is an error, its traceback holds the client.
    gc.collect()
    raise InputError(f"No Dask scheduler answers at {where} ({said}): give its address, such as tcp://host:8786, or 'local'.")


@contextmanager
def _local_cluster(gpus: int) -> Iterator[Any]:
    """Worker processes of this machine, which nobody outside it can reach: one a GPU, else one for each few cores."""
    import dask
    import distributed
    from dask.system import CPU_COUNT
    from distributed.system import MEMORY_LIMIT

    count = gpus or max(1, CPU_COUNT // _CORES_A_WORKER)
    threads = str(max(1, CPU_COUNT // count))  # unless the user says how many
    visible = [one for one in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if one] or [str(number) for number in range(gpus)]
    here = {"host": "127.0.0.1", "dashboard": False, "dashboard_address": "127.0.0.1:0"}
    before = {name: os.environ.get(name) for name in _LEAKED}
    with tempfile.TemporaryDirectory(prefix="vidtag-", ignore_cleanup_errors=True) as folder:
        workers = {
            number: {
                "cls": distributed.Nanny,
                "options": here | {
                    "nthreads": 1,
                    "memory_limit": MEMORY_LIMIT // count,
                    "silence_logs": logging.CRITICAL,
                    "env": {name: os.environ.get(name, threads) for name in _THREADS}
                    | ({"CUDA_VISIBLE_DEVICES": visible[number]} if gpus else {}),
                },
            }
            for number in range(count)
        }  # fmt: skip
        try:
            with (
                # What is set before processes start stays in the environment of this one: by default a single thread for all that computes.
                dask.config.set({"distributed.nanny.pre-spawn-environ": {}, "temporary-directory": folder}),
                distributed.SpecCluster(
                    scheduler={"cls": distributed.Scheduler, "options": here | {"allowed_failures": _ALLOWED_FAILURES}},
                    workers=workers,
                    silence_logs=logging.CRITICAL,
                ) as cluster,
            ):
                yield cluster
        finally:
            for name, value in before.items():
                os.environ.pop(name, None)
                os.environ.update({name: value} if value is not None else {})


@contextmanager
def _quiet() -> Iterator[None]:
    """What goes wrong is said in one sentence, and not by Dask's loggers before."""
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
    before = [one.level for one in loggers]
    for one in loggers:
        one.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for one, level in zip(loggers, before, strict=True):
            one.setLevel(level)
