"""What went wrong in pip or venv, as one sentence that says what to do."""

from __future__ import annotations

import re
from typing import Optional

_AGAIN = "then create again."
_NETWORK = (
    "Failed to establish a new connection|NameResolutionError|Temporary failure in name resolution|getaddrinfo failed|nodename nor servname|"
    "Connection refused|Network is unreachable|ConnectTimeoutError|Read timed out|ReadTimeoutError|Connection (?:aborted|reset)|IncompleteRead|"
    "RemoteDisconnected|dns error|failed to lookup address"
)
# The first that fits is taken: a package that cannot be found because the network is away is no missing package.
_KNOWN = (
    (
        r"No space left on device|\[Errno 28\]|not enough space|WinError 112",
        "The disk is full: free some space, or move the cache folder to another disk, " + _AGAIN,
    ),
    (
        r"407 Proxy|ProxyError|Tunnel connection failed|Cannot connect to proxy",
        "The proxy refuses the connection: check its host, name and password in Settings > Options > Network, " + _AGAIN,
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError|SSLCertVerificationError",
        "The server's certificate is not trusted: where your network checks traffic, give pip its CA (`pip config set global.cert FILE`, or the "
        "variable PIP_CERT), " + _AGAIN,
    ),
    (
        r"(?:401|403) (?:Client )?Error|401 Unauthorized|403 Forbidden|User for ",
        "The package index refuses you: check its address and your login in pip's configuration, " + _AGAIN,
    ),
    (
        _NETWORK,
        "The package index cannot be reached: check the network and, in Settings > Options > Network, the proxy, then create again: it goes on "
        "where it stopped.",
    ),
    (
        r"ensurepip is not available|No module named '?(?:venv|ensurepip)",
        "This Python cannot make environments: on Debian and Ubuntu run `sudo apt install python3-venv`, " + _AGAIN,
    ),
    (r"No module named '?pip", "The environment has no pip: remove it, " + _AGAIN),
    (
        r"Permission denied|\[Errno 13\]|WinError 5\b",
        "A file may not be written: choose a cache folder of your own, and close other programs that use the environment.",
    ),
    (
        r"ResolutionImpossible|conflicting dependencies",
        "The packages that the index offers do not fit together: a constraint in pip's configuration may be the reason; the log names it.",
    ),
)
_MISSING = re.compile(r"(?:No matching distribution found for|Could not find a version that satisfies the requirement) ([^\s(]+)")


def explain(output: str, offline: bool = False) -> Optional[str]:
    """What to do, from the end of what pip or venv printed; None where it is none of the known troubles.

    Args:
        output: what it printed.
        offline: whether packages come from a folder of wheels.
    """
    for pattern, sentence in _KNOWN:
        if re.search(pattern, output, re.IGNORECASE):
            return sentence
    missing = _MISSING.search(output)
    if missing is None:
        return None
    if offline:
        return f"The folder of wheels has no {missing.group(1)} for this system and Python: add its wheel to the folder, {_AGAIN}"
    if "(from versions: none)" in output:
        return (
            f"The package index names no version of {missing.group(1)} for this system: it cannot be reached, or does not have it. Check the network "
            f"and the index in pip's configuration, {_AGAIN}"
        )
    return (
        f"The package index has no {missing.group(1)} for this system and Python: check the index in pip's configuration, or choose another "
        f"Python, {_AGAIN}"
    )
