"""Where reference images come from. A new source is a file here and a line in SOURCES."""

from __future__ import annotations

from ...types import InputError
from .base import WIDTH_PX, Source, file_of
from .folder import Folder
from .mapillary import Mapillary
from .msls import MslsTree
from .panoramax import Panoramax

SOURCES: dict[str, type[Panoramax | Folder | MslsTree]] = {source.name: source for source in (Panoramax, Folder, MslsTree)}
# Sources that are made and not to be used: why, in a sentence for people. Whoever owns this project takes an entry away after reading the terms.
OFF = {
    Mapillary.name: "Mapillary is switched off: whether its present terms let pictures be learnt from and kept has not been looked up, and what is here "
    "for it was never run against the service; take panoramax, or a folder."
}


def open_source(name: str, address: str = "") -> Source:
    """A source by name; nothing is asked yet.

    Args:
        name: of ``SOURCES``, in any case.
        address: of a server, where not the source's usual one; of what lies on this machine the folder.

    Raises:
        InputError: no such source, one that is switched off, or no such address.
    """
    if name.lower() in OFF:
        raise InputError(OFF[name.lower()])
    chosen = SOURCES.get(name.lower())
    if chosen is None:
        raise InputError(f"There is no source {name!r}: choose one of {', '.join(SOURCES)}.")
    return chosen(address) if address else chosen()


__all__ = ["OFF", "SOURCES", "WIDTH_PX", "Folder", "Mapillary", "MslsTree", "Panoramax", "Source", "file_of", "open_source"]
