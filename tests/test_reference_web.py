"""The way to the network: only to hosts that were agreed to, as often as helps, no sooner than the server wants, and not at all offline."""

import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.web_server import serving
from vidtag_engine import offline
from vidtag_engine.feedback import Feedback
from vidtag_engine.reference import web as module
from vidtag_engine.reference.web import Agreed, CeilingError, RefusedError, UnreachableError, VanishedError, Web, origin, user_agent
from vidtag_engine.types import CancelledError, FetchError

ROOT = Path(__file__).resolve().parent.parent


def web(*addresses, most_bytes=None, tries=4):
    return Web(Agreed(frozenset(origin(one) for one in addresses), most_bytes), first_wait_s=0.01, tries=tries)


def ok(body=b"{}"):
    return lambda _: (200, {}, body)


def test_origins():
    assert origin("HTTPS://Example.ORG:443/a?b") == "https://example.org"
    assert origin("http://example.org:8080") == "http://example.org:8080"
    assert origin("http://user:word@example.org/") == "http://example.org"
    assert origin("http://[::1]:5/") == "http://[::1]:5"
    assert origin("https://ex\u0430mple.org") == "https://xn--exmple-4nf.org"
    for other in ("file:///etc/passwd", "example.org", "", "http://", "ftp://example.org", "javascript:1", "https://not a host"):
        assert origin(other) == ""


def test_nothing_is_asked_that_was_not_agreed_to():
    with serving({"/a": ok()}) as (address, told), web("https://example.org") as asking:
        with pytest.raises(FetchError, match=r"127.0.0.1:\d+ would have to be asked, which nobody agreed to"):
            asking.json(f"{address}/a", {})
        with pytest.raises(FetchError, match="nobody agreed to"):
            asking.get("file:///etc/passwd", most_bytes=10)
        assert told.asked == []
    with Web(Agreed(frozenset())) as asking, pytest.raises(FetchError, match="nobody agreed to"):
        asking.get("https://example.org", most_bytes=10)


def test_no_host_leads_on_to_another():
    with serving({"/secret": ok()}) as (other, told), serving({
        "/same": lambda _: (302, {"Location": "/there"}, b""),
        "/there": ok(b"7"),
        "/other": lambda _: (302, {"Location": f"{other}/secret"}, b""),
        "/round": lambda _: (302, {"Location": "/round"}, b""),
        "/odd": lambda _: (302, {"Location": "file:///etc/passwd"}, b""),
    }) as (address, _), web(address) as asking:  # fmt: skip
        assert asking.json(f"{address}/same", {"a": "b"}) == 7
        with pytest.raises(FetchError, match="nobody agreed to"):
            asking.get(f"{address}/other", most_bytes=10)
        assert told.asked == []
        with pytest.raises(FetchError, match="leads on and on"):
            asking.get(f"{address}/round", most_bytes=10)
        with pytest.raises(FetchError):
            asking.get(f"{address}/odd", most_bytes=10)
    with (
        serving({"/secret": ok(b"1")}) as (other, told),
        serving({"/other": lambda _: (302, {"Location": f"{other}/secret"}, b"")}) as (
            address,
            _,
        ),
        web(address, other) as asking,
    ):
        assert asking.get(f"{address}/other", most_bytes=10) == b"1"


def test_a_header_goes_to_its_own_host_alone():
    with (
        serving({"/end": ok(b"1")}) as (other, told),
        serving({"/own": lambda _: (302, {"Location": f"{other}/end"}, b"")}) as (address, own),
    ):
        agreed = Agreed(frozenset({origin(address), origin(other)}))
        with Web(agreed, headers={origin(address): {"Authorization": "OAuth secret"}}) as asking:
            assert asking.get(f"{address}/own", most_bytes=10) == b"1"
        assert own.headers[0]["Authorization"] == "OAuth secret"
        assert "Authorization" not in told.headers[0]


def test_all_hosts_within_one():
    with Web(Agreed(frozenset({"https://*.example.net"})), tries=1) as asking:
        for inside in ("https://a.example.net/x", "https://a.b.example.net/x"):
            assert asking._allowed(inside) == origin(inside)
        for outside in (
            "https://example.net", "https://badexample.net", "http://a.example.net", "https://a.example.net:8443", "https://a.example.net.org",
            "https://example.org/a.example.net", "https://example.org#.example.net", "https://a.example.net@example.org",
        ):  # fmt: skip
            with pytest.raises(FetchError, match="nobody agreed to"):
                asking._allowed(outside)


def test_busy_and_broken_servers_are_asked_again():
    answers = {
        "/busy": lambda number: (503, {}, b"") if number < 2 else (200, {}, b"1"),
        "/broken": lambda number: None if number < 2 else (200, {}, b"2"),
        "/down": lambda _: (500, {}, b""),
        "/gone": lambda _: (410, {}, b""),
        "/closed": lambda _: (403, {}, b""),
        "/words": ok(b"<html>"),
    }
    with serving(answers) as (address, told), web(address) as asking:
        assert asking.json(f"{address}/busy", {}) == 1
        assert asking.json(f"{address}/broken", {}) == 2
        with pytest.raises(UnreachableError, match=r"does not answer \(status 500\); look whether it is up"):
            asking.get(f"{address}/down", most_bytes=10)
        with pytest.raises(VanishedError):
            asking.get(f"{address}/gone", most_bytes=10)
        with pytest.raises(RefusedError, match="status 403"):
            asking.get(f"{address}/closed", most_bytes=10)
        with pytest.raises(FetchError, match="no JSON"):
            asking.json(f"{address}/words", {})
        assert [told.paths.count(path) for path in answers] == [3, 3, 4, 1, 1, 1]
        waits = [later - sooner for (path, sooner), (_, later) in zip(told.asked, told.asked[1:], strict=False) if path == "/down"][:3]
        assert all(wait >= least for wait, least in zip(waits, (0.01, 0.02, 0.04), strict=True))
        assert {sent["User-Agent"] for sent in told.headers} == {user_agent()}
    with web(address) as asking, pytest.raises(UnreachableError, match="ConnectError"):
        asking.get(f"{address}/busy", most_bytes=10)


def test_the_server_says_how_long_to_wait():
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    answers = {
        "/seconds": lambda number: (429, {"Retry-After": "1"}, b"") if not number else (200, {}, b"1"),
        "/date": lambda number: (503, {"Retry-After": later}, b"") if not number else (200, {}, b"1"),
        "/nonsense": lambda number: (503, {"Retry-After": "soon"}, b"") if not number else (200, {}, b"1"),
        "/hours": lambda _: (429, {"Retry-After": "7200"}, b""),
    }
    with serving(answers) as (address, told), web(address) as asking:
        for path in ("seconds", "date", "nonsense"):
            assert asking.get(f"{address}/{path}", most_bytes=10) == b"1"
        times = [moment for _, moment in told.asked]
        assert times[1] - times[0] >= 1.0
        assert times[5] - times[4] < 0.5
        with pytest.raises(UnreachableError, match="asks to be left alone for 120 minutes"):
            asking.get(f"{address}/hours", most_bytes=10)
        assert told.paths.count("/hours") == 1
        assert told.paths.count("/date") == 2


def test_answers_have_a_ceiling_each_and_together():
    with serving({"/a": ok(b"x" * 1000)}) as (address, _), web(address, most_bytes=1500) as asking:
        with pytest.raises(FetchError, match="sent more than"):
            asking.get(f"{address}/a", most_bytes=999)
        with pytest.raises(CeilingError):
            asking.get(f"{address}/a", most_bytes=1000)


def test_two_connections_a_host():
    with serving({"/a": ok()}) as (address, told), web(address) as asking:
        told.slow_s = 0.05
        threads = [threading.Thread(target=asking.get, args=(f"{address}/a",), kwargs={"most_bytes": 10}) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(told.asked) == 8
        assert told.most_at_once == 2


def test_a_stop_ends_the_waiting():
    stop_at = time.monotonic() + 0.3
    with serving({"/a": lambda _: (429, {"Retry-After": "60"}, b"")}) as (address, _), web(address) as asking:
        with pytest.raises(CancelledError, match="Stopped"):
            asking.json(f"{address}/a", {}, Feedback(cancelled=lambda: time.monotonic() > stop_at).check)
        assert time.monotonic() < stop_at + 2.0


def test_offline_nothing_is_opened(monkeypatch):
    with serving({"/a": ok()}) as (address, told):
        asking = web(address)
        monkeypatch.setenv(offline.VARIABLE, "1")
        for ask in (lambda: web(address), lambda: asking.json(f"{address}/a", {})):
            with pytest.raises(FetchError, match="and VidTAG works offline: take pictures from a folder, or leave out --offline"):
                ask()
        with Web(Agreed(frozenset())):
            pass
        assert told.asked == []


def test_loading_it_and_asking_the_questions_opens_no_connection():
    """In a process of its own, in which any socket is the end."""
    script = (
        "import sys\n"
        "def hook(event, arguments):\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo', 'socket.sendto'):\n"
        "        print(event, arguments); sys.stdout.flush(); import os; os._exit(9)\n"
        "sys.addaudithook(hook)\n"
        "from vidtag_engine.grid.aoi import load_aoi\n"
        "from vidtag_engine.reference.consent import download_consent, query_consent\n"
        "from vidtag_engine.reference.sources import open_source\n"
        "from vidtag_engine.reference.images import ReferenceImage\n"
        "from vidtag_engine.reference.web import Web\n"
        "from vidtag_engine.types import InputError\n"
        "from pathlib import Path\n"
        "source, area = open_source('panoramax'), load_aoi('11.57,48.13,11.58,48.14')\n"
        "question = query_consent(source, area)\n"
        "image = ReferenceImage('panoramax', 'a', 's', 48.0, 11.0, files=((2048, 'https://example.org/a.jpg'),))\n"
        "more = download_consent(source, [image], Path('none'))\n"
        "for ask in (lambda: question.agreed(yes=False), lambda: more.agreed(None), lambda: more.agreed(0.1)):\n"
        "    try:\n"
        "        Web(ask())\n"
        "    except InputError as error:\n"
        "        print('refused')\n"
        "try:\n"
        "    next(source.search(area, Web(more.agreed(10))))\n"
        "except InputError as error:\n"
        "    print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.splitlines()[:3] == ["refused"] * 3
    assert run.stdout.splitlines()[3].startswith("api.panoramax.xyz would have to be asked, which nobody agreed to")


def test_who_asks_is_named_as_in_the_plugins_metadata(monkeypatch):
    homepage = next(line for line in (ROOT / "metadata.txt").read_text(encoding="utf-8").splitlines() if line.startswith("homepage="))
    assert user_agent().endswith(f"(+{homepage.removeprefix('homepage=')})")
    monkeypatch.setattr(module.importlib.metadata, "metadata", lambda _: _Metadata())
    user_agent.cache_clear()
    assert user_agent().endswith("(+https://example.org/installed)")
    user_agent.cache_clear()


class _Metadata:
    def get_all(self, name):
        assert name == "Project-URL"
        return ["Tracker, https://example.org/t", "Homepage, https://example.org/installed"]
