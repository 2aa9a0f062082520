"""Where reference images come from. A new source is a file here and a line in SOURCES."""

from __future__ import annotations

from ...types import InputError
from .base import WIDTH_PX, Source, file_of
from .folder import Folder
from .msls import MslsTree
from .panoramax import Panoramax

SOURCES: dict[str, type[Panoramax | Folder | MslsTree]] = {source.name: source for source in (Panoramax, Folder, MslsTree)}


def open_source(name: str, address: str = "") -> Source:
    """A source by name; nothing is asked yet.

    Args:
        name: of ``SOURCES``, in any case.
        address: of a server, where not the source's usual one; of what lies on this machine the folder.

    Raises:
        InputError: no such source, or no such address.
    """
    chosen = SOURCES.get(name.lower())
    if chosen is None:
        raise InputError(f"There is no source {name!r}: choose one of {', '.join(SOURCES)}.")
    return chosen(address) if address else chosen()


__all__ = ["SOURCES", "WIDTH_PX", "Folder", "MslsTree", "Panoramax", "Source", "file_of", "open_source"]
