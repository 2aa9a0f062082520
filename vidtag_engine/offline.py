"""Work without a network: nothing opens a connection, and what would have to be fetched is refused before the work, with what to put where instead.

The variable ``VIDTAG_OFFLINE`` asks for it, which ``vidtag --offline`` and QGIS's setting set. Whoever would fetch asks :func:`asked` first. A process of
our own also begins with :func:`begin`: the libraries' own switches, and a hook under Python's sockets for whatever else might try.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import sys
from collections.abc import Iterator
from typing import Any

VARIABLE = "VIDTAG_OFFLINE"
_NO = {"", "0", "false", "no", "off"}
# What huggingface_hub, transformers and PROJ read when they are imported or first used. PROJ would fetch finer grids of datums where PROJ_NETWORK=ON.
_SWITCHES = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "PROJ_NETWORK": "OFF"}
_INTERNET = {socket.AF_INET, socket.AF_INET6}
_NAMES_ASKED = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"}


def asked() -> bool:
    """Whether this process shall open no connection."""
    return os.environ.get(VARIABLE, "").strip().lower() not in _NO


def begin() -> None:
    """Work offline from here on, to the end of the process and in all that it starts; for a process's beginning, before the libraries are loaded."""
    os.environ[VARIABLE] = "1"
    os.environ.update(_SWITCHES)
    if _refuse not in _hooks:
        _hooks.append(_refuse)
        sys.addaudithook(_refuse)


@contextlib.contextmanager
def hub_offline() -> Iterator[None]:
    """Within it Hugging Face's library looks at its cache alone, also where it was loaded before."""
    from huggingface_hub import constants

    name = "HF_HUB_OFFLINE"
    before, online = os.environ.get(name), constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True  # read once at import
    os.environ[name] = "1"
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = online
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


_hooks: list[Any] = []
"""Python cannot take an audit hook away, so there is one at most."""


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Fail as a machine without a network does, which every library can take."""
    if not event.startswith("socket.") or not asked():
        return
    if event in _NAMES_ASKED or (event in {"socket.connect", "socket.sendto", "socket.sendmsg"} and arguments[0].family in _INTERNET):
        raise OSError(errno.ENETUNREACH, "VidTAG works offline")
