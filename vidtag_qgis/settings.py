"""The plugin's settings: Settings > Options > VidTAG, and for the interpreter also Processing > Providers > VidTAG there."""

from __future__ import annotations

import os
import re
from typing import Optional

from qgis.core import QgsSettings
from qgis.PyQt.QtGui import QIcon

from .engine_client.interpreter import cache_folder as usual_cache_folder
from .engine_client.interpreter import works_offline
from .translation import tr

ENGINE_PYTHON = "VIDTAG_ENGINE_PYTHON"
ENGINE_PATH = "VIDTAG_ENGINE_PATH"
CACHE = "vidtag/cache_folder"
KEEP_MIN = "vidtag/keep_engine_min"
OFFLINE = "vidtag/offline"
SCHEDULER = "vidtag/dask_scheduler"
_PREFIX = "Processing/Configuration/"
_PROXY = ("proxyEnabled", "proxyType", "proxyHost", "proxyPort", "proxyUser", "proxyPassword", "noProxyUrls")
# The schemes are those of Dask's own transports; a host in brackets is one of IPv6.
_ADDRESS = re.compile(r"(?:tcp|tls|ws|wss|ucx)://(?:[\w.-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})/?")
_MOST_PORT = 65535


def engine_python() -> str:
    """The interpreter that the user chose for the engine, empty where none."""
    return str(QgsSettings().value(_PREFIX + ENGINE_PYTHON, "") or "")


def set_engine_python(python: str) -> None:
    """Choose the engine's interpreter; empty for none."""
    from processing.core.ProcessingConfig import ProcessingConfig

    QgsSettings().setValue(_PREFIX + ENGINE_PYTHON, python)
    if ENGINE_PYTHON in ProcessingConfig.settings:
        ProcessingConfig.readSettings()


def engine_path() -> str:
    """A folder with the engine's source, for developers; empty where none."""
    return str(QgsSettings().value(_PREFIX + ENGINE_PATH, "") or "")


def chosen_cache() -> str:
    """The cache folder that the user chose; empty for the usual one."""
    return str(QgsSettings().value(CACHE, "") or "")


def cache_folder() -> str:
    """Where environments and the engine's caches lie."""
    return chosen_cache() or str(usual_cache_folder(os.environ))


def set_cache_folder(folder: str) -> None:
    """Choose the cache folder; empty for the usual one."""
    QgsSettings().setValue(CACHE, folder)


def keep_engine_min() -> int:
    """Minutes that an engine without work is kept for the next run; 0 keeps none."""
    return int(QgsSettings().value(KEEP_MIN, 10))


def set_keep_engine_min(minutes: int) -> None:
    """Choose how long an engine without work is kept."""
    QgsSettings().setValue(KEEP_MIN, minutes)


def offline() -> bool:
    """Whether no connection shall be opened: by the setting, or by the variable VIDTAG_OFFLINE."""
    return works_offline(os.environ) or str(QgsSettings().value(OFFLINE, "")).lower() == "true"


def set_offline(on: bool) -> None:
    """Choose whether connections may be opened."""
    QgsSettings().setValue(OFFLINE, on)


def scheduler() -> str:
    """Address of the Dask scheduler whose workers do the work on several videos; empty where this computer does it alone."""
    return str(QgsSettings().value(SCHEDULER, "") or "").strip()


def set_scheduler(address: str) -> None:
    """Choose the Dask scheduler; empty for none."""
    QgsSettings().setValue(SCHEDULER, address.strip())


def scheduler_problem(address: str) -> Optional[str]:
    """What is wrong with a scheduler's address, in one sentence; None where it is one, or empty."""
    found = _ADDRESS.fullmatch(address.strip())
    if not address.strip() or (found is not None and 0 < int(found[1]) <= _MOST_PORT):
        return None
    return tr(
        "{address!r} is no address of a Dask scheduler: give one such as tcp://192.168.1.5:8786, or leave it empty.",
        address=address.strip(),
    )


def proxy() -> dict[str, str]:
    """QGIS's proxy settings, as text."""
    stored = QgsSettings()
    found = {name: stored.value(f"proxy/{name}", "") for name in _PROXY}
    lists = {name: "|".join(map(str, value)) if isinstance(value, list) else str(value or "") for name, value in found.items()}
    return {name: value.lower() if name == "proxyEnabled" else value for name, value in lists.items()}


def register(group: str, icon: QIcon) -> None:
    """Show the settings in QGIS's options."""
    from processing.core.ProcessingConfig import ProcessingConfig, Setting

    ProcessingConfig.settingIcons[group] = icon
    python = tr("The engine's Python (empty: the VIDTAG_ENGINE_PYTHON variable, then the managed environment)")
    source = tr("Folder with the engine's source (empty: the engine installed there)")
    ProcessingConfig.addSetting(Setting(group, ENGINE_PYTHON, python, "", valuetype=Setting.FILE))
    ProcessingConfig.addSetting(Setting(group, ENGINE_PATH, source, "", valuetype=Setting.FOLDER))
    ProcessingConfig.readSettings()


def unregister() -> None:
    """Take the settings out of QGIS's options; their values stay."""
    from processing.core.ProcessingConfig import ProcessingConfig

    for name in (ENGINE_PYTHON, ENGINE_PATH):
        ProcessingConfig.removeSetting(name)
