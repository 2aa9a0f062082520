"""Features that the workers of a Dask cluster make: plain values out, and files into the folder, by the workers themselves where they see it."""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .. import __version__
from ..atomic import claimed, hidden_folder, replacing
from ..batch import ends_the_run, sentence_of
from ..cluster import LOCAL, Cluster, connected
from ..datasets import LabelledSequence
from ..feedback import Feedback
from ..models.device import pick_device
from ..store import WantedVideo
from ..types import InputError
from .encode_features import (
    Encoded,
    EncodedFeatures,
    FeatureOptions,
    Pace,
    encode_source,
    kept_encoder,
    make_folder,
    path_of,
    shared_out,
    store_for,
)
from .features import Source, StoreError, TrainingSource, stored_count

ENCODE = f"{__name__}:encode"
"""How workers are told what to do."""
_KILLED = (
    "Every process of the cluster that worked on {name} died, so it was set aside: look whether it plays, and how much memory a worker has."
)
_ONE_AT_A_TIME = threading.Lock()


def encode(task: dict[str, Any], stopped: Callable[[], bool]) -> dict[str, Any]:
    """Encode one source, as a worker.

    Args:
        task: ``version`` of the engine that asks; ``options`` as of :class:`.encode_features.FeatureOptions`; the ``source``; the ``folder`` of features, and the
            name of the ``mark`` in it by which a worker knows that it sees the same one; and whether to ``send`` what a worker that does not see it makes.
        stopped: whether nobody waits for it any more.

    Returns:
        ``files``, their names, with ``pictures`` and ``new`` as of :class:`.encode_features.Encoded`. Of a worker that does not see the folder ``files`` alone, or
        where it is to send them their ``contents``, too. ``why`` alone where the source cannot be encoded; nothing where another process is at work on it.

    Raises:
        InputError: this worker cannot encode any source.
        CancelledError: stopped.
    """
    if task["version"] != __version__:
        raise InputError(
            f"The worker on {socket.gethostname()} has vidtag-engine {__version__}, and {task['version']} asks: install the same version on all machines."
        )
    source, options, folder = _source_of(task["source"]), FeatureOptions(**task["options"]), Path(task["folder"])
    with _ONE_AT_A_TIME:  # also where a worker has several threads: a model encodes one video at a time
        encoder = kept_encoder(options)
        try:
            if (folder / task["mark"]).is_dir():
                one = encode_source(source, options, folder, encoder, Feedback(cancelled=stopped))
                return asdict(one) if one is not None else {}
            with tempfile.TemporaryDirectory(prefix="vidtag-") as own:
                if not task["send"]:
                    store = store_for(Path(own), options, encoder)
                    return {"files": tuple(path.name for path in store.files_of(store.content_of(source)) if path is not None)}
                one = encode_source(source, options, Path(own), encoder, Feedback(cancelled=stopped))
                assert one is not None  # nobody else knows this folder  # nosec B101
                return asdict(one) | {"contents": {name: (Path(own) / name).read_bytes() for name in one.files}}
        except Exception as error:
            if ends_the_run(error) or isinstance(error, StoreError):
                raise
            return {"why": sentence_of(error, path_of(source))}


def encode_on_cluster(
    sources: Sequence[Source],
    options: FeatureOptions,
    folder: Path,
    address: str,
    *,
    shard: tuple[int, int] | None = None,
    feedback: Feedback = Feedback(),
) -> EncodedFeatures:
    """As :func:`.encode_features.encode_features`, by the workers of a Dask cluster; files are the same.

    Workers find the sources at the same paths as this machine. Those that see the folder write to it; what others make is sent here.

    Args:
        sources, options, folder, shard, feedback: as there.
        address: as of :func:`.cluster.connected`.

    Raises:
        InputError, CancelledError: as there, and where the cluster is not there or cannot go on; what is finished is kept.
    """
    feedback = feedback.saying("Stopped; features of finished videos are kept, and the same command goes on from there.")
    since_s = time.monotonic()
    make_folder(folder)
    mine = shared_out(sources, shard)
    done = EncodedFeatures(folder, len(mine))
    if mine:
        pace = Pace(sum(wanted.size_bytes for _, wanted in mine), len(mine), feedback)
        gpus = torch.cuda.device_count() if address == LOCAL and pick_device(options.device).type == "cuda" else 0
        try:
            mark = hidden_folder(folder)
        except OSError as error:
            raise StoreError(f"Features cannot be stored in {folder.name} ({error.strerror or error}): choose another folder.") from error
        try:
            with connected(address, gpus=gpus, feedback=feedback) as cluster:
                _Run(cluster, options, folder, mark.name, done, pace).all(mine)
        finally:
            shutil.rmtree(mark, ignore_errors=True)
    done.seconds = time.monotonic() - since_s
    feedback.tell(1.0, "done", f"{len(done.encoded):,} encoded")
    return done


_Item = tuple[Source, WantedVideo]


@dataclass
class _Run:
    """The sources of a run on their way to workers and back."""

    cluster: Cluster
    options: FeatureOptions
    folder: Path
    mark: str
    done: EncodedFeatures
    pace: Pace
    unseen: list[tuple[_Item, tuple[str, ...]]] = field(default_factory=list)
    held: list[_Item] = field(default_factory=list)
    locks: dict[int, ExitStack] = field(default_factory=dict)

    def all(self, mine: Sequence[_Item]) -> None:
        """Encode all."""
        self._shared(mine)
        self._sent()
        # What other processes were at work on when its turn came: done by now, or left to them.
        again, self.held = self.held, []
        self._shared(again)
        self._sent()
        self.done.elsewhere = [wanted.video for _, wanted in self.held]

    def _shared(self, items: Sequence[_Item]) -> None:
        """By workers that write to the folder; those that do not see it say which files they would make."""
        for item, value, killed in self.cluster.map(ENCODE, ((item, self._task(item, send=False)) for item in items)):
            if value is not None and "files" in value and "new" not in value:
                self.unseen.append((item, value["files"]))
            else:
                self._take(item, value, killed=killed)

    def _sent(self) -> None:
        """By workers that send what they make, each held here from when it is given to one until it is stored."""
        waiting, self.unseen = self.unseen, []
        try:
            for item, value, killed in self.cluster.map(ENCODE, self._unless_there(waiting)):
                if value and "contents" in value:
                    self._store(value.pop("contents"))
                self._take(item, value, killed=killed)
                self.locks.pop(id(item)).close()
        finally:
            for lock in self.locks.values():
                lock.close()
            self.locks.clear()

    def _unless_there(self, waiting: Sequence[tuple[_Item, tuple[str, ...]]]) -> Iterator[tuple[_Item, dict[str, Any]]]:
        for item, names in waiting:
            with ExitStack() as stack:
                path, *local = (self.folder / name for name in names)
                if not stack.enter_context(claimed(path.with_suffix(".lock"))):
                    self.held.append(item)
                    continue
                count = stored_count(path, local[0] if local else None, self.options.local_features)
                if count is not None:
                    self._take(item, asdict(Encoded(names, count, new=False)), killed=False)
                    continue
                self.locks[id(item)] = stack.pop_all()
            yield item, self._task(item, send=True)

    def _store(self, contents: dict[str, bytes]) -> None:
        # The features come last: where they are, the local features of the same pictures are, too.
        for name in reversed(contents):
            try:
                with replacing(self.folder / Path(name).name) as part:
                    part.write_bytes(contents[name])
            except InputError as error:
                said = str(error).removeprefix("Cannot write ")
                raise StoreError(f"Features cannot be stored in {self.folder.name}: {said}") from error

    def _take(self, item: _Item, value: dict[str, Any] | None, *, killed: bool) -> None:
        """Note what became of a source."""
        source, wanted = item
        new = False
        if killed or value is None:
            self.done.failed.append((wanted.video, _KILLED.format(name=wanted.video)))
            self.done.set_aside.append(source)
        elif not value:
            self.held.append(item)
            return
        elif "why" in value:
            self.done.failed.append((wanted.video, value["why"]))
        else:
            one = Encoded(tuple(value["files"]), value["pictures"], value["new"])
            self.done.note(wanted.video, one)
            new = one.new
        self.pace.finished(wanted, encoded=new)

    def _task(self, item: _Item, *, send: bool) -> dict[str, Any]:
        """A source as :func:`encode` takes it."""
        source = item[0]
        if isinstance(source, LabelledSequence):
            plain = {"name": source.name, "root": str(source.root.absolute()), "files": list(source.files), "kind": source.kind}
        else:
            plain = {"path": str(source.path.absolute()), "kind": source.kind}
        options, folder = asdict(self.options), str(self.folder.absolute())
        return {"version": __version__, "options": options, "source": plain, "folder": folder, "mark": self.mark, "send": send}


def _source_of(plain: dict[str, Any]) -> Source:
    """A source without its truth, which features do not depend on."""
    if "path" in plain:
        return TrainingSource(Path(plain["path"]), None, plain["kind"])
    files = tuple(plain["files"])
    times_s = np.arange(len(files), dtype=np.float64)
    return LabelledSequence(plain["name"], Path(plain["root"]), files, plain["kind"], times_s, np.full((len(files), 2), np.nan))
