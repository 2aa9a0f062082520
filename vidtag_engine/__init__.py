"""Where was this video taken, and along which way: the engine behind VidTAG for QGIS.

>>> import vidtag_engine as vidtag
>>> vidtag.Area("13.1,55.6,13.3,55.8").bounds
(13.1, 55.6, 13.3, 55.8)

Names are looked up when they are first used, so that importing the package costs nothing.
"""

import importlib as _importlib
import typing as _typing

__version__ = "0.1.0"

# Where each name of the package's front door lives.
_NAMES = {
    "geolocate": "front_door",
    "evaluate": "front_door",
    "guess": "front_door",
    "train": "front_door",
    "load": "front_door",
    "Area": "front_door",
    "Geolocation": "results",
    "Feedback": "feedback",
    "Progress": "types",
    "Trajectory": "types",
    "VideoResult": "types",
    "InputError": "types",
    "CancelledError": "types",
}
__all__ = ["__version__", *_NAMES]  # noqa: PLE0604 - text, as it has to be


def __getattr__(name: str) -> _typing.Any:
    """A name of the front door, from where it lives."""
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(_importlib.import_module(f".{_NAMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES})
