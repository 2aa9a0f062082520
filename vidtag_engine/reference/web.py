"""The only way to the network: to hosts that somebody agreed to, politely, and never more bytes than were allowed."""

from __future__ import annotations

import email.utils
import functools
import importlib.metadata
import json
import re
import threading
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

from .. import __version__
from ..offline import asked
from ..types import FetchError, InputError

CONNECTIONS_A_HOST = 2
_TRIES = 6
_LONGEST_WAIT_S = 120.0
_LONGEST_ANSWER_S = 600.0
_MOST_REDIRECTS = 5
_MOST_JSON_BYTES = 512_000_000
_STEP_S = 0.1
# What a server says when it is busy or being mended; anything else will be the same the next time.
_BUSY = {408, 425, 429, 500, 502, 503, 504}
_GONE = {404, 410}
_HOST = re.compile(r"[a-z0-9._:-]+")


class UnreachableError(FetchError):
    """A host does not answer, or goes on saying that it is busy."""


class VanishedError(FetchError):
    """A host says that there is no such thing any more."""


class CeilingError(InputError):
    """As many bytes came as were agreed to."""


@dataclass(frozen=True)
class Agreed:
    """What somebody said yes to (``consent.py`` makes these).

    Args:
        origins: as of :func:`origin`; nothing else is asked, also where a host leads on to another. ``https://*.host`` stands for all within that host.
        most_bytes: that may come in this run; None where that is not bounded.
    """

    origins: frozenset[str]
    most_bytes: int | None = None


def origin(address: str) -> str:
    """``https://host`` or ``http://host:port`` of an address, in small letters, without the scheme's own port; empty where it is no web address."""
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, TypeError):
        return ""
    if url.scheme not in {"http", "https"} or not url.host:
        return ""
    host = url.raw_host.decode("ascii")  # a name in other letters in the form that the network knows: it may look like another's
    if not _HOST.fullmatch(host):
        return ""
    host = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}[url.scheme]
    return f"{url.scheme}://{host}" + ("" if url.port in {None, usual} else f":{url.port}")


def shown(one: str) -> str:
    """An origin for people: the host, and what is unusual about it."""
    return one.removeprefix("https://")


@functools.cache
def user_agent() -> str:
    """Who asks, with an address where those who run a server find us; no name of a user or a machine."""
    try:
        urls = importlib.metadata.metadata("vidtag-engine").get_all("Project-URL") or []
        homes = dict(entry.split(", ", 1) for entry in urls)
    except importlib.metadata.PackageNotFoundError:  # a checkout
        project = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        homes = project["urls"]
    return f"vidtag-engine/{__version__} (+{homes.get('Homepage', 'https://pypi.org/project/vidtag-engine')})"


class Web:
    """A context: within it hosts may be asked, by several threads at once.

    Args:
        agreed: which hosts, and how many bytes.
        first_wait_s: before the second try; each further wait is twice as long, or what the server's Retry-After says.
        tries: of one address.
        headers: by origin, what is sent to it beside the usual: a token, say. No other host ever gets it.

    Raises:
        FetchError: the engine works offline.
    """

    def __init__(
        self, agreed: Agreed, *, first_wait_s: float = 1.0, tries: int = _TRIES, headers: Mapping[str, Mapping[str, str]] | None = None
    ) -> None:
        self.agreed, self.received_bytes = agreed, 0
        self._first_wait_s, self._tries, self._headers = first_wait_s, tries, dict(headers or {})
        self._lock = threading.Lock()
        self._free: dict[str, threading.Semaphore] = {}
        if agreed.origins:
            self._refuse_offline(", ".join(sorted(map(shown, agreed.origins))))
        self._client = httpx.Client(headers={"User-Agent": user_agent()}, timeout=httpx.Timeout(60.0, connect=15.0), follow_redirects=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def json(self, address: str, params: Mapping[str, str], check: Callable[[], object] = lambda: None) -> Any:
        """Ask for JSON; ``check`` and errors as of :meth:`get`.

        Raises:
            FetchError: the host was not agreed to, does not answer, refuses, or answers with something else.
        """
        data = self.get(address, params=params, most_bytes=_MOST_JSON_BYTES, check=check)
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            raise FetchError(f"{shown(origin(address))} answered with something that is no JSON; is it a server of this kind?") from error

    def get(
        self, address: str, *, params: Mapping[str, str] | None = None, most_bytes: int, check: Callable[[], object] = lambda: None
    ) -> bytes:
        """Fetch one address, again where that may help.

        Args:
            address: http or https.
            params: of the query.
            most_bytes: of the answer.
            check: called often; what it raises ends the work.

        Raises:
            CeilingError: with these, more bytes would have come than were agreed to in this run.
            UnreachableError: no whole answer after all tries.
            VanishedError: there is no such thing.
            FetchError: the host was not agreed to, or refuses, or the answer is too long.
        """
        wait_s, why = self._first_wait_s, ""
        for number in range(self._tries):
            check()
            try:
                return self._once(address, params, most_bytes, check)
            except _AgainError as again:
                why = str(again)
                if number + 1 < self._tries:
                    _sleep(max(wait_s, again.wait_s), check)
                    wait_s = min(2.0 * wait_s, _LONGEST_WAIT_S)
        raise UnreachableError(f"{shown(origin(address))} does not answer ({why}); look whether it is up, and run the same again later.")

    def _once(self, address: str, params: Mapping[str, str] | None, most_bytes: int, check: Callable[[], object]) -> bytes:
        """One try, through as many hosts as it leads. Raises _AgainError where another may help."""
        for _ in range(_MOST_REDIRECTS):
            asked_host = self._allowed(address)
            free = self._connections(asked_host)
            while not free.acquire(timeout=_STEP_S):
                check()
            try:
                with self._client.stream("GET", address, params=params or None, headers=self._headers.get(asked_host)) as response:
                    if response.next_request is None:
                        return self._body(response, shown(asked_host), most_bytes, check)
                    address, params = str(response.next_request.url), None
            except httpx.TransportError as error:
                raise _AgainError(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from error
            except (httpx.InvalidURL, httpx.DecodingError) as error:
                raise FetchError(f"{shown(asked_host)} sent an answer that cannot be read ({error}).") from error
            finally:
                free.release()
        raise FetchError(f"{shown(origin(address))} leads on and on; give another address.")

    def _body(self, response: httpx.Response, host: str, most_bytes: int, check: Callable[[], object]) -> bytes:
        if response.status_code in _BUSY:
            raise _AgainError(f"status {response.status_code}", _retry_after_s(response, host))
        if response.status_code in _GONE:
            raise VanishedError(f"{host} has it no longer (status {response.status_code}).")
        if response.status_code != httpx.codes.OK:
            raise RefusedError(f"{host} refused to answer (status {response.status_code}).", response.status_code)
        parts, length, until = [], 0, time.monotonic() + _LONGEST_ANSWER_S
        for part in response.iter_bytes():
            check()
            length += len(part)
            self._count(len(part))
            if length > most_bytes:
                raise FetchError(f"{host} sent more than {most_bytes / 1e6:g} MB for one answer, which was not taken.")
            if time.monotonic() > until:
                raise _AgainError("it sends too slowly")
            parts.append(part)
        return b"".join(parts)

    def _count(self, more: int) -> None:
        with self._lock:
            self.received_bytes += more
            over = self.agreed.most_bytes is not None and self.received_bytes > self.agreed.most_bytes
        if over:
            raise CeilingError("The ceiling of one run is reached.")

    def _connections(self, one: str) -> threading.Semaphore:
        with self._lock:
            return self._free.setdefault(one, threading.Semaphore(CONNECTIONS_A_HOST))

    def _allowed(self, address: str) -> str:
        """The origin that may be asked; raises FetchError where nobody agreed to it."""
        one = origin(address)
        self._refuse_offline(shown(one) or address)
        # Whoever agreed to a host in the clear did not disagree with the same host enciphered.
        if one and (
            {one, one.replace("https://", "http://", 1)} & self.agreed.origins or any(_within(one, many) for many in self.agreed.origins)
        ):
            return one
        raise FetchError(f"{shown(one) or repr(address[:80])} would have to be asked, which nobody agreed to; nothing was sent there.")

    @staticmethod
    def _refuse_offline(what: str) -> None:
        if asked():
            raise FetchError(f"{what} lies on the network, and VidTAG works offline: take pictures from a folder, or leave out --offline.")


class RefusedError(FetchError):
    """A host answered, and not with what was asked for."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


class _AgainError(Exception):
    """It may go well the next time."""

    def __init__(self, why: str, wait_s: float = 0.0) -> None:
        super().__init__(why)
        self.wait_s = wait_s


def _within(one: str, many: str) -> bool:
    """Whether an origin is one of ``https://*.host``."""
    return many.startswith("https://*.") and one.startswith("https://") and one.endswith(many.removeprefix("https://*"))


def _retry_after_s(response: httpx.Response, host: str) -> float:
    """What the server asks us to wait: seconds or a date; 0 where it says nothing that can be read. Raises UnreachableError where it is very long."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdigit():
        wait_s = float(text)
    else:
        try:
            wait_s = email.utils.parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return 0.0
    if wait_s > _LONGEST_WAIT_S:
        raise UnreachableError(f"{host} asks to be left alone for {wait_s / 60:.0f} minutes; run the same again after that.")
    return max(0.0, wait_s)


def _sleep(seconds: float, check: Callable[[], object]) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        check()
        time.sleep(min(_STEP_S, left))
