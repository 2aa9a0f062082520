"""Panoramax: open street-level pictures, by its federation's catalogue or any one instance.

What its search does that nobody would guess, seen on geovisio 2.15.1 (tests/test_reference_panoramax.py holds it): it never pages, says no total, and
cuts at its limit without a word, nearest to the box's middle first; a polygon by POST is refused; EXIF data are published whole, with the
owner's e-mail where a camera wrote one; a picture without a heading of its own has the direction of travel as one; and its ``sd`` file is always
2048 pixels wide, enlarged where the original has fewer. Nothing but ``updated`` tells that a picture was blurred anew (no digest, no ``ETag``, no
``Last-Modified``), and it changes with other things, too: tags, the place. So a box is split while its answer is as long as the limit, and few fields are kept.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import quote

import shapely

from ...feedback import Feedback
from ...grid.aoi import AreaOfInterest
from ...types import InputError
from ..images import ReferenceImage
from ..web import RefusedError, VanishedError, Web, origin, shown
from .base import WIDTH_PX, Plain
from .checked import WRONG, number, text, time_s
from .splitting import Span, Splitter
from .tiles import Tile, touched

CATALOGUE = "https://api.panoramax.xyz"
LIMIT = 10_000
"""The most that geovisio gives in one answer."""
_LOWER_LIMIT = 1_000
_SD_PX, _THUMB_PX = 2048, 500


class Panoramax(Plain):
    """Pictures of a Panoramax server.

    Args:
        api: address of an instance; without one, the catalogue of all of them.
        limit: pictures in one answer.

    Raises:
        InputError: the address is none.
    """

    name: ClassVar[str] = "panoramax"
    title: ClassVar[str] = "Panoramax"
    attribution: ClassVar[str] = "Pictures: Panoramax contributors, each under the licence that is named with it."
    private: ClassVar[bool] = False

    def __init__(self, api: str = CATALOGUE, *, limit: int = LIMIT) -> None:
        given = api.strip().rstrip("/").removesuffix("/api")
        self.api = given if "://" in given else f"https://{given}"
        self.limit = limit
        if not origin(self.api):
            raise InputError(f"{api[:100]!r} is no address of a Panoramax server; give one such as {CATALOGUE}.")

    @property
    def origins(self) -> tuple[str, ...]:
        """The server."""
        return (origin(self.api),)

    def search(self, area: AreaOfInterest, web: Web, feedback: Feedback = Feedback()) -> Iterator[ReferenceImage]:
        """The pictures in an area; see ``base.Source``. Asked are whole map tiles, and the parts of those that hold many.

        Left out are panoramas that do not show all around: nothing says where in the sphere their pixels lie.
        """
        tiles, seen = touched(area), set[str]()
        splitter = Splitter(lambda tile, span: self._ask(tile, span, web, feedback), lambda: self.limit, shown(origin(self.api)))
        shapely.prepare(area.geometry)
        for done, tile in enumerate(tiles):
            feedback.tell(done / len(tiles), "search", f"{len(seen):,} pictures found")
            for item in splitter.all_of(tile):
                image = read_item(item, self.api)
                if image is None or image.image_id in seen or not shapely.intersects_xy(area.geometry, image.lon_deg, image.lat_deg):
                    continue
                seen.add(image.image_id)
                yield image
        feedback.tell(1.0, "search", f"{len(seen):,} pictures found")

    def _ask(self, tile: Tile, span: Span | None, web: Web, feedback: Feedback) -> list[Any]:
        params = {"bbox": ",".join(f"{side:.9f}" for side in tile.bounds), "limit": str(self.limit)}
        if span is not None:
            params["datetime"] = "/".join(moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in span)
        try:
            answer = web.json(f"{self.api}/api/search", params, feedback.check)
        except VanishedError:
            answer = None
        except RefusedError as error:
            if error.status != 400 or self.limit <= _LOWER_LIMIT:
                raise
            self.limit = _LOWER_LIMIT  # another server may allow less, and says so
            return self._ask(tile, span, web, feedback)
        if not isinstance(answer, dict) or not isinstance(answer.get("features"), list):
            raise InputError(f"{shown(origin(self.api))} does not answer as a Panoramax server does; give the address of one.")
        return list(answer["features"])


def read_item(item: Any, api: str) -> ReferenceImage | None:
    """A picture of a search's answer; None where it cannot be used.

    Only what is named here is looked at; what the server publishes beyond that, EXIF data above all, is never kept.

    Args:
        item: as the server gives it, whatever that is.
        api: the server's address.
    """
    try:
        properties = item["properties"]
        lon_deg, lat_deg = (float(value) for value in item["geometry"]["coordinates"][:2])
        camera = properties.get("pers:interior_orientation") or {}
        view_deg = number(camera.get("field_of_view"))
        width_px, height_px = (int(value) for value in camera.get("sensor_array_dimensions") or (0, 0))
        panorama = view_deg == 360.0
        files = _files(item["assets"], width_px, api, panorama=panorama)
        image_id = text(item["id"])
        whole = not panorama or not width_px or abs(width_px - 2 * height_px) <= 0.02 * width_px
        if not files or not image_id or not whole or not (abs(lat_deg) <= 90.0 and abs(lon_deg) <= 180.0):
            return None
        return ReferenceImage(
            source=Panoramax.name,
            image_id=image_id,
            sequence=text(item.get("collection")) or image_id,
            lat_deg=lat_deg,
            lon_deg=lon_deg,
            heading_deg=number(properties.get("view:azimuth")) % 360.0,
            time_s=time_s(properties.get("datetime")),
            accuracy_m=number(properties.get("quality:horizontal_accuracy")),
            field_of_view_deg=view_deg,
            panorama=panorama,
            author=_author(item),
            licence=text(properties.get("license")),
            licence_url=_licence_url(item),
            page_url=f"{api}/#focus=pic&pic={quote(image_id, safe='')}",
            updated=text(properties.get("updated")),
            files=files,
        )
    except WRONG:
        return None


def _files(assets: Any, width_px: int, api: str, *, panorama: bool) -> tuple[tuple[int, str], ...]:
    """Widths and addresses, narrow ones first. The ``sd`` file of a narrow original shows no more than that, and a panorama's ``thumb`` shows its middle alone."""
    addresses = {name: str(assets[name]["href"]) for name in ("thumb", "sd", "hd") if name in assets}
    files = [(_THUMB_PX, addresses["thumb"])] if "thumb" in addresses and not panorama else []
    if "sd" in addresses and not ("hd" in addresses and 0 < width_px <= WIDTH_PX):
        files.append((_SD_PX, addresses["sd"]))
    if "hd" in addresses:
        files.append((max(0, width_px), addresses["hd"]))
    return tuple(sorted((width, address) for width, address in files if _reachable(address, api)))


def _reachable(address: str, api: str) -> bool:
    """Whether a file may be fetched from there: no server sends us into the local network, unless it is there itself."""
    there = origin(address)
    return bool(there) and len(address) < 2_000 and (there == origin(api) or not _is_local(there) or _is_local(origin(api)))


def _is_local(one: str) -> bool:
    host = one.split("://", 1)[1].rsplit("]", 1)[0].strip("[") if "[" in one else one.split("://", 1)[1].split(":", 1)[0]
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or "." not in host or host.endswith((".localhost", ".local", ".internal"))


def _author(item: Any) -> str:
    for one in item.get("providers") or ():
        if "producer" in one.get("roles", ()):
            return text(one.get("name"))
    return text(item["properties"].get("geovisio:producer"))


def _licence_url(item: Any) -> str:
    addresses = (text(link.get("href")) for link in item.get("links") or () if link.get("rel") == "license")
    return next((address for address in addresses if origin(address)), "")
