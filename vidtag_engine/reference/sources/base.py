"""What every source of reference images gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar, Protocol

from ...feedback import Feedback
from ...grid.aoi import AreaOfInterest
from ..images import ReferenceImage
from ..web import Web

WIDTH_PX = 2048
"""Of the pictures that are fetched, where there is a choice: place recognition looks at fewer pixels than that."""


class Source(Protocol):
    """A platform, or what the user has.

    Args:
        name: in the registry, in files, and on the command line.
        title: for people.
        attribution: the sentence that stands wherever its pictures are used, beside each one's author and licence; empty where there is none.
        private: whether its pictures are the user's own, which are left out of whatever is passed on.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    attribution: ClassVar[str]
    private: ClassVar[bool]

    @property
    def origins(self) -> tuple[str, ...]:
        """Which hosts a search asks (as of ``web.origin``); none for what lies on this machine."""

    @property
    def leads_to(self) -> tuple[str, ...]:
        """Hosts of pictures that their addresses do not name, as of ``Agreed.origins``."""

    @property
    def headers(self) -> Mapping[str, Mapping[str, str]]:
        """By origin, what is sent to it alone, as ``Web`` takes it."""

    def search(self, area: AreaOfInterest, web: Web, feedback: Feedback = Feedback()) -> Iterator[ReferenceImage]:
        """The pictures in an area: only those inside of it, each id once, in no particular order.

        Args:
            area: where.
            web: what was agreed to.
            feedback: told how far it is.

        Raises:
            InputError: not all of them can be had; nothing is left out without a word.
            FetchError: a host does not answer, or was not agreed to.
            CancelledError: whoever waits stopped it.
        """

    def locate(self, address: str, web: Web, check: Callable[[], object]) -> str:
        """Where a file lies whose address the record has: the same, unless such addresses expire.

        Raises:
            FetchError: it cannot be found out.
        """


class Plain:
    """What most sources have in common: no secrets, and addresses that stay."""

    leads_to: tuple[str, ...] = ()

    @property
    def headers(self) -> Mapping[str, Mapping[str, str]]:
        """Nothing."""
        return {}

    def locate(self, address: str, web: Web, check: Callable[[], object]) -> str:  # noqa: ARG002
        """The same."""
        return address


def file_of(image: ReferenceImage, width_px: int = WIDTH_PX) -> tuple[int, str]:
    """Which of a picture's files to fetch, as (width, address): the narrowest that is wide enough, else the widest; one of unknown width last.

    Raises:
        ValueError: it has none.
    """
    enough = [one for one in image.files if one[0] >= width_px]
    return min(enough) if enough else max(image.files)
