"""Pictures come whole, once, clean, and no more of them than was agreed to."""

import io
import threading
import time

import numpy as np
import pytest
from PIL import Image

from tests.web_server import serving
from vidtag_engine.feedback import Feedback
from vidtag_engine.reference import downloads
from vidtag_engine.reference.downloads import cleaned, fetch, is_fetched, picture_path
from vidtag_engine.reference.images import ReferenceImage
from vidtag_engine.reference.sources import Panoramax
from vidtag_engine.reference.web import Agreed, Web, origin
from vidtag_engine.types import CancelledError, InputError


def jpeg(width=320, height=240, seed=0, kind="JPEG", **more):
    written = io.BytesIO()
    coarse = Image.fromarray(np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8))
    coarse.resize((width, height), Image.Resampling.BICUBIC).save(written, kind, **more)
    return written.getvalue()


def plain(side):
    written = io.BytesIO()
    Image.new("RGB", (side, side)).save(written, "PNG")
    return written.getvalue()


def image(address, name="a"):
    return ReferenceImage("panoramax", name, "s", 48.0, 11.0, files=((2048, f"{address}/{name}"),))


def web(address, *, most_bytes=None, tries=2):
    return Web(Agreed(frozenset({origin(address)}), most_bytes), first_wait_s=0.01, tries=tries)


def kept(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_each_comes_once_and_the_next_run_asks_for_none(tmp_path):
    with serving({f"/{n}": lambda _: (200, {}, jpeg()) for n in range(20)}) as (address, told), web(address) as asking:
        told.slow_s = 0.01
        images = [image(address, str(n)) for n in range(20)]
        came = list(fetch(Panoramax(), [*images, *images[:5]], asking, tmp_path))
        assert sorted(one.image.image_id for one in came) == sorted(one.image_id for one in images)
        assert {one.path for one in came} == {picture_path(one, tmp_path) for one in images} == set(kept(tmp_path))
        assert told.most_at_once == 2
        again = list(fetch(Panoramax(), images, asking, tmp_path))
        assert [one.image for one in again] == images
        assert len(told.asked) == 20


def test_what_a_file_holds_beside_its_picture_is_not_kept():
    exif = Image.Exif()
    exif[0x013B], exif[0x0112] = "someone@example.org", 6
    data = jpeg(320, 240, exif=exif, comment=b"someone@example.org", xmp=b"<someone@example.org/>") + b"someone@example.org, and a video"
    assert data.count(b"someone@example.org") == 4
    clean = cleaned(data)
    assert b"someone" not in clean
    with Image.open(io.BytesIO(clean)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (240, 320)), "upright, as the orientation said"
    with Image.open(io.BytesIO(cleaned(jpeg(kind="PNG")))) as picture:
        assert (picture.format, picture.mode) == ("JPEG", "RGB")


def test_what_is_no_picture_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "MOST_PIXELS", 300_000)
    monkeypatch.setattr(downloads, "MOST_PICTURE_BYTES", 400_000)
    bodies = {
        "words": b"<html>no</html>", "half": jpeg()[:4000], "empty": b"", "gif": jpeg(kind="GIF"), "tiny": jpeg(8, 8), "bomb": plain(2000),
        "long": b"x" * 500_000, "good": jpeg(),
    }  # fmt: skip
    with (
        serving({f"/{name}": lambda _, body=body: (200, {}, body) for name, body in bodies.items()}) as (address, _),
        web(address) as asking,
    ):
        came = {
            one.image.image_id: one for one in fetch(Panoramax(), [image(address, name) for name in [*bodies, "gone"]], asking, tmp_path)
        }
    assert {name for name, one in came.items() if one.path} == {"good"}
    assert kept(tmp_path) == [came["good"].path]
    assert {name for name, one in came.items() if one.vanished} == {"gone"}
    assert came["words"].why == "What came for words was not taken: it is no whole picture."
    assert "2000 × 2000 pixels" in came["bomb"].why
    assert "sent more than 0.4 MB" in came["long"].why


def test_a_connection_that_breaks_off_is_tried_again(tmp_path):
    with serving({"/a": lambda number: None if not number else (200, {}, jpeg())}) as (address, told), web(address) as asking:
        [one] = fetch(Panoramax(), [image(address)], asking, tmp_path)
        assert is_fetched(one.image, tmp_path)
        assert len(told.asked) == 2


def test_a_host_that_is_down_does_not_hold_up_the_others(tmp_path):
    with serving({}) as (dead, _):
        pass
    with serving({f"/{n}": lambda _: (200, {}, jpeg()) for n in range(5)}) as (address, _):
        images = [image(dead, f"dead {n}") for n in range(40)] + [image(address, str(n)) for n in range(5)]
        with Web(Agreed(frozenset({origin(dead), origin(address)})), first_wait_s=0.05, tries=3) as asking:
            begun = time.monotonic()
            came = list(fetch(Panoramax(), images, asking, tmp_path))
            assert time.monotonic() - begun < 3.0
    assert sum(one.path is not None for one in came) == 5
    whys = [one.why for one in came if one.path is None]
    assert len(whys) == 40
    assert sum("does not answer (ConnectError" in why for why in whys) in {3, 4}
    assert sum(why == "Its host did not answer for others." for why in whys) in {36, 37}


def test_the_ceiling_of_a_run_keeps_what_is_there(tmp_path):
    body = jpeg()
    with serving({f"/{n}": lambda _: (200, {}, body) for n in range(10)}) as (address, _):
        images = [image(address, str(n)) for n in range(10)]
        with (
            web(address, most_bytes=int(4.5 * len(body))) as asking,
            pytest.raises(InputError, match=r"The ceiling of 0.\d+ MB .* \d of 10 pictures"),
        ):
            list(fetch(Panoramax(), images, asking, tmp_path))
        assert asking.received_bytes < 7 * len(body)
        assert 2 <= len(kept(tmp_path)) <= 4
        with web(address, most_bytes=10 * len(body)) as asking:
            assert all(one.path for one in fetch(Panoramax(), images, asking, tmp_path))
            assert asking.received_bytes <= 8 * len(body)


def test_a_stop_keeps_what_is_there_and_ends_the_threads(tmp_path):
    with serving({f"/{n}": lambda _: (200, {}, jpeg()) for n in range(50)}) as (address, told), web(address) as asking:
        told.slow_s = 0.02
        stop, seen = threading.Event(), []
        feedback = Feedback(
            lambda step: seen.append(step) or (len(seen) > 5 and stop.set()), stop.is_set, "Stopped; what was fetched is kept."
        )
        with pytest.raises(CancelledError, match="Stopped; what was fetched is kept"):
            list(fetch(Panoramax(), [image(address, str(n)) for n in range(50)], asking, tmp_path, feedback=feedback))
        asked = len(told.asked)
        assert 5 <= asked < 20
        assert len(kept(tmp_path)) >= 5
        assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".vidtag")]
        time.sleep(0.1)
        assert len(told.asked) == asked


def test_nobody_who_looks_away_leaves_threads_behind(tmp_path):
    with serving({f"/{n}": lambda _: (200, {}, jpeg()) for n in range(50)}) as (address, told), web(address) as asking:
        told.slow_s = 0.02
        coming = fetch(Panoramax(), [image(address, str(n)) for n in range(50)], asking, tmp_path)
        next(coming)
        coming.close()
        assert len(told.asked) < 10
        assert not [thread for thread in threading.enumerate() if "_work" in thread.name]


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with (
        serving({"/a": lambda _: (200, {}, jpeg())}) as (address, _),
        web(address) as asking,
        pytest.raises(InputError, match="Cannot write"),
    ):
        list(fetch(Panoramax(), [image(address)], asking, tmp_path / "file"))


def test_progress_tells_how_long_it_will_take(tmp_path):
    told = []
    with serving({f"/{n}": lambda _: (200, {}, jpeg()) for n in range(6)}) as (address, server), web(address) as asking:
        server.slow_s = 0.02
        list(fetch(Panoramax(), [image(address, str(n)) for n in range(6)], asking, tmp_path, feedback=Feedback(told.append)))
    assert [step.message.split(",")[0] for step in told] == [f"{n} of 6 pictures" for n in range(7)]
    assert all(" s left" in step.message for step in told[1:6])
    assert (told[-1].fraction, " left" in told[-1].message, told[0].stage) == (1.0, False, "download")
    assert downloads._duration(100) == "2 min"
    assert downloads._duration(3 * 3600) == "3.0 h"
