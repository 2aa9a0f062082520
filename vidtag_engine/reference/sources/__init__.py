"""Where reference images come from. A new source is a file here and a line in SOURCES."""

from __future__ import annotations

from ...types import InputError
from .base import WIDTH_PX, Source, file_of
from .folder import Folder
from .mapillary import Mapillary
from .msls import MslsTree
from .panoramax import Panoramax

_ADDRESSED: dict[str, type[Panoramax | Folder | MslsTree]] = {source.name: source for source in (Panoramax, Folder, MslsTree)}
SOURCES: dict[str, type[Source]] = {**_ADDRESSED, Mapillary.name: Mapillary}
# Sources that are made and not to be used: why, in a sentence for people. Whoever owns this project takes an entry away after reading the terms, and says the
# same in the plugin (algorithms/build_reference.py).
OFF = {
    Mapillary.name: "Mapillary is switched off: whether its present terms let pictures be learnt from and kept has not been looked up, and what is here "
    "for it was never run against the service; take panoramax, or a folder."
}


def offered() -> tuple[str, ...]:
    """Names of the sources that can be opened."""
    return tuple(name for name in SOURCES if name not in OFF)


def needs_token(name: str) -> bool:
    """Whether a source asks for a token of the user's own; no where there is none of that name that can be opened."""
    return name.lower() in offered() and name.lower() not in _ADDRESSED


def open_source(name: str, address: str = "", token: str | None = None) -> Source:
    """A source by name; nothing is asked yet.

    Args:
        name: of ``SOURCES``, in any case.
        address: of a server, where not the source's usual one; of what lies on this machine the folder.
        token: of the user's own, where the source asks for one.

    Raises:
        InputError: no such source, one that is switched off, or no such address; no token where one is asked for.
    """
    if name.lower() in OFF:
        raise InputError(OFF[name.lower()])
    if needs_token(name):
        if address:  # a token goes to whom it belongs
            raise InputError("Mapillary has one address, and the token is sent nowhere else: leave --address out.")
        return Mapillary(token or "")
    chosen = _ADDRESSED.get(name.lower())
    if chosen is None:
        raise InputError(f"There is no source {name!r}: choose one of {', '.join(offered())}.")
    return chosen(address) if address else chosen()


__all__ = [
    "OFF",
    "SOURCES",
    "WIDTH_PX",
    "Folder",
    "Mapillary",
    "MslsTree",
    "Panoramax",
    "Source",
    "file_of",
    "needs_token",
    "offered",
    "open_source",
]
