"""Panoramax: open street-level pictures, by its federation's catalogue or any one instance.

What its search does that nobody would guess, seen on geovisio 2.15.1 (tests/test_reference_panoramax.py holds it): it never pages, says no total, and
cuts at its limit without a word, nearest to the box's middle first; a polygon by POST is refused; EXIF data are published whole, with the
owner's e-mail where a camera wrote one; a picture without a heading of its own has the direction of travel as one; and its ``sd`` file is always
2048 pixels wide, enlarged where the original has fewer. So a box is split while its answer is as long as the limit, and few fields are kept.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote

import shapely

from ...feedback import Feedback
from ...grid.aoi import AreaOfInterest
from ...types import InputError
from ..images import ReferenceImage
from ..web import RefusedError, VanishedError, Web, origin, shown
from .base import WIDTH_PX
from .tiles import Tile, touched

CATALOGUE = "https://api.panoramax.xyz"
LIMIT = 10_000
"""The most that geovisio gives in one answer."""
_LOWER_LIMIT = 1_000
_SMALLEST_M = 25.0
_LOOKS_ROUND = 50
_SD_PX, _THUMB_PX = 2048, 500
_LONGEST_TEXT = 300
# No picture was taken outside of these years.
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_WRONG = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)


class Panoramax:
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
        shapely.prepare(area.geometry)
        for number, tile in enumerate(tiles):
            feedback.tell(number / len(tiles), "search", f"{len(seen):,} pictures found")
            for item in self._in_tile(tile, web, feedback):
                image = read_item(item, self.api)
                if image is None or image.image_id in seen or not shapely.intersects_xy(area.geometry, image.lon_deg, image.lat_deg):
                    continue
                seen.add(image.image_id)
                yield image
        feedback.tell(1.0, "search", f"{len(seen):,} pictures found")

    def _in_tile(self, tile: Tile, web: Web, feedback: Feedback) -> Iterator[Any]:
        items = self._ask(tile, None, web, feedback)
        if not self._may_be_cut(len(items)):
            yield from items
        elif tile.size_m > _SMALLEST_M:
            for child in tile.children():
                yield from self._in_tile(child, web, feedback)
        else:
            yield from self._in_time(tile, _FIRST, _LAST, web, feedback)

    def _in_time(self, tile: Tile, start: datetime, end: datetime, web: Web, feedback: Feedback) -> Iterator[Any]:
        """A tile too small to split on, by the time that its pictures were taken. Both ends belong to a span: whoever asks drops what comes twice."""
        items = self._ask(tile, (start, end), web, feedback)
        if not self._may_be_cut(len(items)):
            yield from items
        elif end - start > timedelta(seconds=1):
            middle = (start + (end - start) / 2).replace(microsecond=0)
            yield from self._in_time(tile, start, middle, web, feedback)
            yield from self._in_time(tile, middle, end, web, feedback)
        elif len(items) < self.limit:
            yield from items
        else:
            west, south, *_ = tile.bounds
            raise InputError(
                f"{shown(origin(self.api))} gave {len(items):,} pictures of one second within {tile.size_m:.0f} m at {south:.4f}, {west:.4f} and may have more, "
                "which it cannot be asked for; leave that place out of the area."
            )

    def _may_be_cut(self, count: int) -> bool:
        """Whether more may lie there: as many came as were asked for, or a number so round that a lower limit of the server's own may have cut it."""
        return count >= self.limit or (count >= _LOOKS_ROUND and count % _LOOKS_ROUND == 0)

    def _ask(self, tile: Tile, span: tuple[datetime, datetime] | None, web: Web, feedback: Feedback) -> list[Any]:
        params = {"bbox": ",".join(f"{side:.9f}" for side in tile.bounds), "limit": str(self.limit)}
        if span is not None:
            params["datetime"] = "/".join(moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in span)
        try:
            answer = web.json(f"{self.api}/api/search", params, feedback)
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
        view_deg = _number(camera.get("field_of_view"))
        width_px, height_px = (int(value) for value in camera.get("sensor_array_dimensions") or (0, 0))
        panorama = view_deg == 360.0
        files = _files(item["assets"], width_px, api, panorama=panorama)
        image_id = _text(item["id"])
        whole = not panorama or not width_px or abs(width_px - 2 * height_px) <= 0.02 * width_px
        if not files or not image_id or not whole or not (abs(lat_deg) <= 90.0 and abs(lon_deg) <= 180.0):
            return None
        return ReferenceImage(
            source=Panoramax.name,
            image_id=image_id,
            sequence=_text(item.get("collection")) or image_id,
            lat_deg=lat_deg,
            lon_deg=lon_deg,
            heading_deg=_number(properties.get("view:azimuth")) % 360.0,
            time_s=_time_s(properties.get("datetime")),
            accuracy_m=_number(properties.get("quality:horizontal_accuracy")),
            field_of_view_deg=view_deg,
            panorama=panorama,
            author=_author(item),
            licence=_text(properties.get("license")),
            licence_url=_licence_url(item),
            page_url=f"{api}/#focus=pic&pic={quote(image_id, safe='')}",
            files=files,
        )
    except _WRONG:
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
            return _text(one.get("name"))
    return _text(item["properties"].get("geovisio:producer"))


def _licence_url(item: Any) -> str:
    addresses = (_text(link.get("href")) for link in item.get("links") or () if link.get("rel") == "license")
    return next((address for address in addresses if origin(address)), "")


def _text(value: Any) -> str:
    """One line of text, whatever it was."""
    return (
        " ".join("".join(sign if sign.isprintable() else " " for sign in value).split())[:_LONGEST_TEXT] if isinstance(value, str) else ""
    )


def _number(value: Any) -> float:
    number = float(value) if isinstance(value, int | float) else math.nan
    return number if math.isfinite(number) else math.nan


def _time_s(value: Any) -> float:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return math.nan
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
