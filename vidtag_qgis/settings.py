"""The plugin's settings: Settings > Options > Processing > Providers > VidTAG."""

from __future__ import annotations

from qgis.core import QgsSettings
from qgis.PyQt.QtGui import QIcon

ENGINE_PYTHON = "VIDTAG_ENGINE_PYTHON"
ENGINE_PATH = "VIDTAG_ENGINE_PATH"
_PREFIX = "Processing/Configuration/"


def engine_python() -> str:
    """The interpreter that the user chose for the engine, empty where none."""
    return str(QgsSettings().value(_PREFIX + ENGINE_PYTHON, "") or "")


def engine_path() -> str:
    """A folder with the engine's source, for developers; empty where none."""
    return str(QgsSettings().value(_PREFIX + ENGINE_PATH, "") or "")


def register(group: str, icon: QIcon) -> None:
    """Show the settings in QGIS's options."""
    from processing.core.ProcessingConfig import ProcessingConfig, Setting

    ProcessingConfig.settingIcons[group] = icon
    python = "The engine's Python (empty: the VIDTAG_ENGINE_PYTHON variable, then the managed environment)"
    source = "Folder with the engine's source (empty: the engine installed there)"
    ProcessingConfig.addSetting(Setting(group, ENGINE_PYTHON, python, "", valuetype=Setting.FILE))
    ProcessingConfig.addSetting(Setting(group, ENGINE_PATH, source, "", valuetype=Setting.FOLDER))
    ProcessingConfig.readSettings()


def unregister() -> None:
    """Take the settings out of QGIS's options; their values stay."""
    from processing.core.ProcessingConfig import ProcessingConfig

    for name in (ENGINE_PYTHON, ENGINE_PATH):
        ProcessingConfig.removeSetting(name)
