"""Work on a Dask cluster, with a scheduler and workers that are processes of their own: all is done, whatever dies."""

import os
import sys
import time
from itertools import islice

import pytest

from tests.cluster_work import DOUBLE, LETHAL, LONG, Processes
from vidtag_engine import cluster
from vidtag_engine.cluster import connected
from vidtag_engine.feedback import Feedback
from vidtag_engine.types import CancelledError, InputError

pytest.importorskip("distributed")


@pytest.fixture
def processes(tmp_path):
    started = Processes(tmp_path)
    yield started
    started.end()


def test_all_is_done_with_little_of_it_on_its_way(processes):
    processes.begin_workers(1)
    taken = []
    with connected(processes.address) as workers:
        found = workers.map(DOUBLE, ((taken.append(number) or number, number) for number in range(40)))
        first = list(islice(found, 3))
        assert len(taken) <= 3 + 2 * workers.threads
        rest = list(found)
    assert {one.item: one.value for one in first + rest} == {number: 2 * number for number in range(40)}


def test_what_kills_its_worker_is_set_aside_and_nothing_beside_it(processes):
    """With a single worker, whatever waits beside the lethal item is suspected as often as that is."""
    processes.begin_workers(1, "--nanny")
    with connected(processes.address) as workers:
        found = list(workers.map(LETHAL, [(number, number) for number in range(10, 18)]))
    assert sorted(one.item for one in found) == list(range(10, 18))
    assert [one.item for one in found if one.killed] == [13]


def test_a_scheduler_that_is_lost_ends_it_in_one_sentence(processes):
    processes.begin_workers(1)
    with connected(processes.address) as workers:
        found = workers.map(DOUBLE, [(number, number) for number in range(1000)])
        next(found)
        processes.scheduler.kill()
        with pytest.raises(InputError, match=r"The scheduler at tcp://127.0.0.1:\d+ is gone: start it and its workers again"):
            list(found)


def test_a_stop_reaches_the_workers(processes, tmp_path):
    processes.begin_workers(1)
    asked = Feedback(cancelled=(tmp_path / "begun").exists, stopped="Stopped; what is done is kept.")
    with pytest.raises(CancelledError, match="what is done is kept"), connected(processes.address, feedback=asked) as workers:
        list(workers.map(LONG, [(1, str(tmp_path))]))
    deadline_s = time.monotonic() + 10
    while not (tmp_path / "stopped").exists():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def test_workers_that_never_come(processes, monkeypatch):
    monkeypatch.setattr(cluster, "_NO_WORKER_S", 1.0)
    with (
        pytest.raises(InputError, match="has had no worker for 1 s: start some with 'dask worker tcp://127.0.0.1"),
        connected(processes.address),
    ):
        pass


def test_suspects_are_not_waited_for_when_no_worker_is_left(processes, monkeypatch):
    """What is done again one by one is asked of workers, too: where the last one is gone for good, nobody would ever answer."""
    processes.begin_workers(1)  # without a nanny, so that it stays away
    with connected(processes.address) as workers:
        monkeypatch.setattr(cluster, "_NO_WORKER_S", 2.0)
        with pytest.raises(InputError, match="has had no worker for 2 s"):
            list(workers._pass(LETHAL, iter([(13, 13)]), 1))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nobody", "foo://127.0.0.1:1"])
def test_an_address_where_no_scheduler_is(address, monkeypatch, capfd):
    monkeypatch.setattr(cluster, "_CONNECT_S", 1.0)
    with pytest.raises(InputError, match=f"No Dask scheduler answers at {address}"), connected(address):
        pass
    assert "Traceback" not in capfd.readouterr().err


def test_without_dask_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match='pip install "distributed"'), connected("local"):
        pass


def test_offline_no_cluster_is_asked(monkeypatch):
    monkeypatch.setenv("VIDTAG_OFFLINE", "1")
    with pytest.raises(InputError, match="VidTAG works offline, and a cluster's workers are reached by connections"), connected("local"):
        pass


def test_local_workers_leave_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = dict(os.environ)
    with connected("local") as workers:
        assert [one.value for one in workers.map(DOUBLE, [(1, 1), (2, 2)])] != []
        assert list(tmp_path.iterdir())
    assert list(tmp_path.iterdir()) == []
    assert dict(os.environ) == before


def test_a_local_worker_sees_its_own_gpu(monkeypatch):
    """As :func:`connected` is told of two, which this machine need not have."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-5")
    with connected("local", gpus=2) as workers:
        while workers._client.nthreads().__len__() < 2:
            time.sleep(0.1)
        assert sorted(workers._client.run(os.getenv, "CUDA_VISIBLE_DEVICES").values()) == ["3", "GPU-5"]
