"""A download of reference pictures is killed, and its server broken off, at many moments: is anything lost, or asked for twice?

A real Panoramax server on the loopback holds pictures that are made here. A process searches and fetches them; at a moment of chance, in its search or
once so many more pictures are there, it gets SIGKILL or its server does. The next process goes on in the same folder. In the end every picture must be there as an
undisturbed run has it, byte for byte, and none that was there may have been asked for again, which the server's access log tells.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from vidtag_engine.grid.aoi import AreaOfInterest, load_aoi
from vidtag_engine.reference.consent import download_consent, query_consent
from vidtag_engine.reference.downloads import fetch, is_fetched, picture_path
from vidtag_engine.reference.images import ReferenceImage
from vidtag_engine.reference.sources import Panoramax
from vidtag_engine.reference.web import Web
from vidtag_engine.types import InputError

from .panoramax_server import PanoramaxServer, Shot, picture_bytes, running

TITLE = "panoramax: a download killed and its server broken off at many moments, and resumed (lost and twice must be 0)"
_MOMENTS = 50
_DRIVES, _PICTURES, _LEFT_OVER = 6, 40, 40
_LAT, _LON, _STEP = 48.1372, 11.5740, 1e-4
_ENDED = "had ended before"
_PICTURE = re.compile(r'"GET /api/pictures/([0-9a-f-]{36})/')


def run(seed: int = 0) -> dict[str, Any]:
    """Keys ``panoramax_kills``, ``lost``, ``twice``; beside them what the undisturbed run took."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as temporary, running() as server:
        begun = time.perf_counter()
        for drive in range(_DRIVES):
            server.upload(f"drive {drive}", [picture_bytes(_shot(drive, n), 1000 * drive + n) for n in range(_PICTURES)])
        upload_s = time.perf_counter() - begun
        area = load_aoi(f"{_LON - 1e-3},{_LAT - 1e-3},{_LON + _STEP * _PICTURES + 1e-3},{_LAT + 1e-3}")
        calm, disturbed = Path(temporary) / "calm", Path(temporary) / "disturbed"
        images, search_s, fetch_s = _undisturbed(server, area, calm)
        kinds: dict[str, int] = {}
        twice = 0
        for number in range(_MOMENTS):
            before = {image.image_id for image in images if is_fetched(image, disturbed)}
            asked = len(server.requests())
            # A third of the moments in the search; the others so that some pictures are left for the last one.
            share = max(0.0, len(images) - len(before) - _LEFT_OVER) / (_MOMENTS - number)
            more = None if number % 3 == 0 else rng.randint(0, round(2.0 * share))
            moment = _Moment(disturbed, len(before), more, rng.uniform(0.0, search_s if more is None else 0.02))
            kind = _disturb(server, area, moment, kill=rng.random() < 0.5)
            kinds[kind] = kinds.get(kind, 0) + 1
            twice += len(before & _asked_for(server, asked))
        at_last_kill = sum(is_fetched(image, disturbed) for image in images)
        before = {image.image_id for image in images if is_fetched(image, disturbed)}
        asked = len(server.requests())
        _work(server.url, area, disturbed)
        twice += len(before & _asked_for(server, asked))
        lost = sum(not _same(image, calm, disturbed) for image in images)
        spare = {path.name for path in disturbed.rglob("*") if path.is_file()} - {picture_path(image, disturbed).name for image in images}
    return {
        "panoramax_kills": _MOMENTS - kinds.get(_ENDED, 0),
        "lost": lost + (_DRIVES * _PICTURES - len(images)),
        "twice": twice + len(spare),
        "pictures": len(images),
        "there_at_the_last_kill": at_last_kill,
        "moments": dict(sorted(kinds.items())),
        "upload_s": round(upload_s, 1),
        "search_s": round(search_s, 2),
        "fetch_s": round(fetch_s, 2),
    }


def _shot(drive: int, number: int) -> Shot:
    return Shot(_LAT + 3e-5 * drive, _LON + _STEP * number, 90.0, 1_700_000_000 + 100_000 * drive + 2 * number)


def _undisturbed(server: PanoramaxServer, area: AreaOfInterest, folder: Path) -> tuple[list[ReferenceImage], float, float]:
    """What is found, and the seconds that searching and fetching take."""
    begun = time.perf_counter()
    source = Panoramax(server.url)
    with Web(query_consent(source, area).agreed(yes=True)) as web:
        images = list(source.search(area, web))
    searched = time.perf_counter()
    with Web(download_consent(source, images, folder).agreed(1e6)) as web:
        for _ in fetch(source, images, web, folder):
            pass
    return images, searched - begun, time.perf_counter() - searched


def _work(url: str, area: AreaOfInterest, folder: Path) -> None:
    """Search and fetch, as far as the server lets it."""
    source = Panoramax(url)
    try:
        with Web(query_consent(source, area).agreed(yes=True), tries=2, first_wait_s=0.05) as web:
            images = list(source.search(area, web))
        with Web(download_consent(source, images, folder).agreed(1e6), tries=2, first_wait_s=0.05) as web:
            for _ in fetch(source, images, web, folder):
                pass
    except InputError:
        os._exit(3)


class _Moment:
    """When to break off: once ``more`` pictures are there beside ``before`` (None: at once), and after a while."""

    def __init__(self, folder: Path, before: int, more: int | None, after_s: float) -> None:
        self.folder, self.before, self.more, self.after_s = folder, before, more, after_s

    def wait(self, worker: multiprocessing.process.BaseProcess) -> None:
        while self.more is not None and worker.is_alive() and sum(1 for _ in self.folder.glob("??/*.jpg")) < self.before + self.more:
            time.sleep(0.002)
        time.sleep(self.after_s)


def _disturb(server: PanoramaxServer, area: AreaOfInterest, moment: _Moment, *, kill: bool) -> str:
    """One process, broken off at a moment by its own end or its server's; returns what was broken off."""
    worker = multiprocessing.get_context("fork").Process(target=_work, args=(server.url, area, moment.folder))
    worker.start()
    assert worker.pid is not None
    moment.wait(worker)
    if not worker.is_alive():
        worker.join()
        return _ENDED
    if kill:
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        return "process killed"
    server.stop()
    worker.join()
    server.start()
    return "server killed in the search" if worker.exitcode == 3 else "server killed in the download"


def _asked_for(server: PanoramaxServer, since: int) -> set[str]:
    """Ids of the pictures that the server was asked for since a line of its log."""
    time.sleep(0.2)  # it writes a line when a request has ended
    return {found[1] for line in server.requests()[since:] if (found := _PICTURE.search(line))}


def _same(image: ReferenceImage, calm: Path, disturbed: Path) -> bool:
    path = picture_path(image, disturbed)
    return path.is_file() and path.read_bytes() == picture_path(image, calm).read_bytes()
