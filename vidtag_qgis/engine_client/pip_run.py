"""Run pip as a child: the user's own index, proxy and CA settings and nothing else of QGIS's; progress from what it prints; clear sentences."""

from __future__ import annotations

import os
import queue
import re
import subprocess  # nosec B404
import sys
import tempfile
import threading
import time
from typing import IO, Callable, Mapping, Optional, Sequence

from . import platforms
from .errors import EnvironmentSetupError, SetupCancelledError
from .pip_errors import explain
from .python_finder import StandalonePython, check_python, clean_variables

KEPT_PIP_VARIABLES = (
    "INDEX_URL", "EXTRA_INDEX_URL", "FIND_LINKS", "NO_INDEX", "TRUSTED_HOST", "CERT", "CLIENT_CERT", "PROXY", "CONFIG_FILE", "CACHE_DIR",
    "CONSTRAINT", "DEFAULT_TIMEOUT", "TIMEOUT", "RETRIES", "KEYRING_PROVIDER", "USE_FEATURE",
)  # fmt: skip
"""Where packages come from is the user's business; where and how they are installed is ours (a PIP_TARGET would break the environment)."""
UV_VERSION = "3.12"
POLL_S = 0.1
STOP_GRACE_S = 2.0
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
_UNITS = {"B": 1e-6, "bytes": 1e-6, "kB": 1e-3, "MB": 1.0, "GB": 1e3}


def pip_environment(
    inherited: Mapping[str, str],
    temporary: str,
    proxies: Optional[Mapping[str, str]] = None,
    own_folders: Sequence[str] = (),
    platform: str = sys.platform,
) -> dict[str, str]:
    """Environment variables for venv and pip.

    Args:
        inherited: of this process.
        temporary: a folder on the environment's disk: pip unpacks gigabytes, for which /tmp is often too small.
        proxies: variables of QGIS's proxy (``proxy_variables``); they come before inherited ones.
        own_folders: QGIS's own folders, taken off PATH.
        platform: ``sys.platform`` of the machine that they are for.
    """
    variables = clean_variables(inherited, own_folders)
    variables.update({f"PIP_{name}": inherited[f"PIP_{name}"] for name in KEPT_PIP_VARIABLES if inherited.get(f"PIP_{name}")})
    variables.update(PIP_USER="0", PIP_NO_INPUT="1", PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_COLOR="1")
    for name in ("TEMP", "TMP") if platform == "win32" else ("TMPDIR",):
        variables[name] = temporary
    for name, value in (proxies or {}).items():
        for spelling in (name.upper(), name.lower()):  # curl's and requests' habits differ
            variables[spelling] = value
    return variables


def proxy_variables(values: Mapping[str, str]) -> dict[str, str]:
    """QGIS's proxy as environment variables.

    Args:
        values: QGIS's settings below ``proxy/``: proxyEnabled, proxyType, proxyHost, proxyPort, proxyUser, proxyPassword, noProxyUrls.

    Returns:
        Nothing where there is no proxy, or where it is the system's own, which pip finds by itself.

    Raises:
        EnvironmentSetupError: a kind of proxy that pip does not speak.
    """
    if str(values.get("proxyEnabled", "")).lower() not in {"true", "1"} or not values.get("proxyHost"):
        return {}
    kind = values.get("proxyType", "HttpProxy")
    if kind == "DefaultProxy":
        return {}
    if kind == "Socks5Proxy":
        raise EnvironmentSetupError(
            "QGIS uses a SOCKS proxy, which pip cannot use without help. Set an HTTP proxy in Settings > Options > Network, or install from a "
            "folder of wheels."
        )
    from urllib.parse import quote

    user = quote(values.get("proxyUser", ""), safe="")
    secret = quote(values.get("proxyPassword", ""), safe="")
    login = f"{user}:{secret}@" if user and secret else f"{user}@" if user else ""
    port = values.get("proxyPort", "")
    address = f"http://{login}{values['proxyHost']}{f':{port}' if port and port != '0' else ''}"
    found = {"HTTP_PROXY": address, "HTTPS_PROXY": address}
    hosts = [re.sub(r"^\w+://|/.*$", "", entry.strip()) for entry in re.split(r"[|,;]", values.get("noProxyUrls", "")) if entry.strip()]
    if hosts:
        found["NO_PROXY"] = ",".join(hosts)
    return found


def without_credentials(text: str) -> str:
    """The text with names and passwords taken out of addresses: logs are made to be shown to others."""
    return _CREDENTIALS.sub("", text)


def fetch_python(
    uv: str,
    proxies: Optional[Mapping[str, str]] = None,
    own_folders: Sequence[str] = (),
    cancelled: Callable[[], bool] = lambda: False,
) -> StandalonePython:
    """Have ``uv`` fetch a Python for this user, from where uv is configured to; nothing else on the machine changes.

    Args:
        uv: the program (``find_uv``).
        proxies: variables of QGIS's proxy.
        own_folders: QGIS's own folders, taken off PATH.
        cancelled: asked about ten times a second.

    Raises:
        EnvironmentSetupError: it failed; the sentence says why.
        SetupCancelledError: ``cancelled`` said so.
    """
    lines: list[str] = []
    home, temporary = os.path.expanduser("~"), tempfile.gettempdir()
    variables = pip_environment(os.environ, temporary, proxies, own_folders)
    if run_logged([uv, "python", "install", UV_VERSION], variables, home, lines.append, cancelled):
        said = "\n".join(lines)
        reason = explain(said) or f"uv could not fetch Python {UV_VERSION}: {lines[-1] if lines else 'it printed nothing'}"
        raise EnvironmentSetupError(reason, said)
    run_logged([uv, "python", "find", "--managed-python", UV_VERSION], variables, home, lines.append, cancelled)
    return check_python(lines[-1].strip() if lines else "", own_folders=own_folders)


class PipProgress:
    """How far pip is, from the lines it prints with ``--progress-bar raw``.

    Args:
        packages: how many packages are expected.
        megabytes: how much is expected to come over the network or from the cache.
    """

    def __init__(self, packages: int, megabytes: float) -> None:
        self._packages = max(1, packages)
        self._megabytes = max(1.0, megabytes)
        self._seen: set[str] = set()
        self._done_mb = 0.0
        self._current_mb = 0.0
        self._name = ""
        self.installing = 0
        self.fraction = 0.0
        self.message = ""

    def feed(self, line: str) -> bool:
        """Take one line; True where it is for progress alone and not for the log."""
        text = line.strip()
        raw = re.fullmatch(r"Progress (\d+) of (\d+)", text)
        if raw:
            self._current_mb = int(raw.group(1)) / 1e6
            self.message = f"Downloading {self._name}: {self._current_mb:.0f} of {int(raw.group(2)) / 1e6:.0f} MB"
            self._advance(0.05 + 0.55 * (self._done_mb + self._current_mb) / self._megabytes, 0.6)
            return True
        local = re.match(r"Processing (.+\.whl)(?: \(from .*\))?$", text)
        if local and os.path.isfile(local.group(1)):
            self._done_mb += os.path.getsize(local.group(1)) / 1e6
            self.message = f"Reading {os.path.basename(local.group(1)).split('-')[0]}"
            self._advance(0.05 + 0.55 * self._done_mb / self._megabytes, 0.6)
            return False
        if text.startswith("Processing "):  # the engine's own source: a folder, whose path may hold spaces
            self.message = "Preparing VidTAG's engine"
            return False
        collecting = re.match(r"(?:Collecting|Requirement already satisfied:) ([^\s<>=!~;(\[]+)", text)
        if collecting:
            self._seen.add(collecting.group(1).lower())
            self.message = f"Looking up {collecting.group(1)}"
            self._advance(0.05 * len(self._seen) / self._packages, 0.05)
            return False
        file = re.match(r"(Downloading|Using cached) (\S+\.(?:whl|tar\.gz|zip)) \(([\d.]+) (bytes|[kMG]?B)\)", text)
        if file:
            if self._name:
                self._done_mb += self._current_mb
            self._name = os.path.basename(file.group(2)).split("-")[0]
            self._current_mb = float(file.group(3)) * _UNITS[file.group(4)]
            if file.group(1) == "Using cached":
                self._advance(0.05 + 0.55 * (self._done_mb + self._current_mb) / self._megabytes, 0.6)
            self.message = f"{file.group(1)} {self._name} ({file.group(3)} {file.group(4)})"
            return False
        if text.startswith("Installing collected packages:"):
            self.installing = text.count(",") + 1
            self.message = f"Installing {self.installing} packages"
            self._advance(0.6, 0.6)
        return False

    def installed(self, count: int) -> None:
        """So many of the packages to install are there now."""
        if self.installing:
            self.message = f"Installing packages: {min(count, self.installing)} of {self.installing}"
            self._advance(0.6 + 0.4 * count / self.installing, 1.0)

    def _advance(self, fraction: float, limit: float) -> None:
        self.fraction = max(self.fraction, min(fraction, limit))


def run_logged(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: str,
    on_line: Callable[[str], None],
    cancelled: Callable[[], bool],
    on_tick: Callable[[], None] = lambda: None,
) -> int:
    """Run a command and hand on what it prints, line by line; stops it and all it started when cancelled.

    Raises:
        SetupCancelledError: ``cancelled`` said so.
        EnvironmentSetupError: it cannot be started.

    Returns:
        Its exit status.
    """
    options = platforms.popen_options()
    try:
        # A list without a shell: the Python that the user agreed to, and arguments of our own.
        process = subprocess.Popen(  # nosec B603
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=dict(environment),
            **options,
        )
    except OSError as error:
        raise EnvironmentSetupError(f"{command[0]} cannot be started ({error.strerror or error}).") from error
    lines: queue.Queue[Optional[str]] = queue.Queue()
    reader = threading.Thread(target=_read, args=(process.stdout, lines), name="vidtag-pip", daemon=True)
    reader.start()
    ticked_s = time.monotonic()
    try:
        while True:
            if cancelled():
                raise SetupCancelledError("Cancelled. What is done is kept: the next time it goes on from there.")
            if time.monotonic() - ticked_s > 1.0:
                ticked_s = time.monotonic()
                on_tick()
            try:
                line = lines.get(timeout=POLL_S)
            except queue.Empty:
                continue
            if line is None:
                break
            on_line(line)
        process.wait()
    finally:
        platforms.stop(process, STOP_GRACE_S)
        reader.join(2.0)
        if process.stdout is not None and not reader.is_alive():
            process.stdout.close()
    return process.returncode


def _read(stream: IO[bytes], lines: queue.Queue) -> None:
    for line in iter(lambda: stream.readline(1 << 16), b""):
        lines.put(without_credentials(line.decode("utf-8", errors="replace").rstrip()))
    lines.put(None)
