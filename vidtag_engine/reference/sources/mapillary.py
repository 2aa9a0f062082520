"""Mapillary by its Graph API v4: made from what is published of it, tried against a server of our own, and never run against the service.

A box may have an area of at most 0.01 square degrees, and its answer is not paged, so it is split as Panoramax's is. Addresses of pictures hold a
signature and expire: a picture's own address is asked for when it is fetched, and never kept. The token goes into the header of what is asked of the
API, and into nothing else: no address, no file, no message.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import quote

import shapely

from ...feedback import Feedback
from ...grid.aoi import AreaOfInterest
from ...types import FetchError, InputError
from ..images import ReferenceImage
from ..web import RefusedError, Web, origin, shown
from .checked import WRONG, number, text
from .splitting import Span, Splitter
from .tiles import Tile, touched

API = "https://graph.mapillary.com"
LIMIT = 1_000
"""Of at most 2,000; answers of that many are known to time out."""
PICTURE_HOSTS = ("https://*.fbcdn.net",)
_FIELDS = "id,geometry,computed_geometry,compass_angle,computed_compass_angle,captured_at,is_pano,camera_type,sequence,creator,width,height"
_AROUND = {"spherical", "equirectangular"}
_WIDTHS_PX = (1024, 2048)
_DENIED = {400, 401, 403}


class Mapillary:
    """Pictures of Mapillary.

    Args:
        token: of the user's own application there; from standard input or QGIS's authentication, never from a command line.
        api: address of the API; empty is Mapillary's.
        limit: pictures in one answer.
        leads_to: hosts that pictures lie on, as ``Agreed.origins``; None are Mapillary's.

    Raises:
        InputError: there is no token.
    """

    name: ClassVar[str] = "mapillary"
    title: ClassVar[str] = "Mapillary"
    attribution: ClassVar[str] = "Pictures: Mapillary contributors, CC BY-SA 4.0."
    private: ClassVar[bool] = False

    def __init__(self, token: str, *, api: str = "", limit: int = LIMIT, leads_to: tuple[str, ...] | None = None) -> None:
        self.api, self.limit, self._token = (api or API).rstrip("/"), limit, token.strip()
        self.leads_to = PICTURE_HOSTS if leads_to is None else leads_to
        if not self._token or not self._token.isascii() or not self._token.isprintable():
            raise InputError("Mapillary asks for a token of your own: make one in its developer's settings, and give it on standard input.")

    @property
    def origins(self) -> tuple[str, ...]:
        """The API."""
        return (origin(self.api),)

    @property
    def headers(self) -> Mapping[str, Mapping[str, str]]:
        """The token, for the API alone."""
        return {origin(self.api): {"Authorization": f"OAuth {self._token}"}}

    def search(self, area: AreaOfInterest, web: Web, feedback: Feedback = Feedback()) -> Iterator[ReferenceImage]:
        """The pictures in an area; see ``base.Source``. Places and headings are those that Mapillary worked out from the pictures, where it did."""
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

    def locate(self, address: str, web: Web, check: Callable[[], object]) -> str:
        """Where a picture lies for the next hours. Raises FetchError where the API does not say."""
        answer = web.json(address, {}, check)
        found = [value for name, value in answer.items() if name.startswith("thumb_")] if isinstance(answer, dict) else []
        if len(found) != 1 or not isinstance(found[0], str):
            raise FetchError(f"{shown(origin(self.api))} does not say where the picture lies.")
        return found[0]

    def _ask(self, tile: Tile, span: Span | None, web: Web, feedback: Feedback) -> list[Any]:
        params = {"fields": _FIELDS, "bbox": ",".join(f"{side:.9f}" for side in tile.bounds), "limit": str(self.limit)}
        if span is not None:
            # Whether the end belongs to the span is not published.
            ends = (span[0], span[1] + timedelta(seconds=1))
            params |= {
                name: end.strftime("%Y-%m-%dT%H:%M:%SZ") for name, end in zip(("start_captured_at", "end_captured_at"), ends, strict=True)
            }
        try:
            answer = web.json(f"{self.api}/images", params, feedback.check)
        except RefusedError as error:
            if error.status not in _DENIED:
                raise
            raise InputError(
                f"Mapillary refused the question or the token (status {error.status}); look whether the token is valid."
            ) from error
        if not isinstance(answer, dict) or not isinstance(answer.get("data"), list):
            raise FetchError(f"{shown(origin(self.api))} did not answer as the published Graph API does.")
        return list(answer["data"])


def read_item(item: Any, api: str) -> ReferenceImage | None:
    """A picture of a search's answer; None where it cannot be used. Only what is named here is looked at.

    Args:
        item: as the server gives it, whatever that is.
        api: the API's address.
    """
    try:
        computed, own = item.get("computed_geometry"), item.get("geometry")
        lon_deg, lat_deg = (float(value) for value in (computed or own)["coordinates"][:2])
        device_lon_deg, device_lat_deg = (number(value) for value in own["coordinates"][:2]) if computed and own else (math.nan, math.nan)
        image_id, width_px, height_px = text(str(item["id"])), int(item.get("width") or 0), int(item.get("height") or 0)
        around = bool(item.get("is_pano"))
        whole = not around or (item.get("camera_type") in _AROUND and abs(width_px - 2 * height_px) <= 0.02 * width_px)
        if not image_id or not whole or not (abs(lat_deg) <= 90.0 and abs(lon_deg) <= 180.0):
            return None
        heading = number(item.get("computed_compass_angle"))
        name = text((item.get("creator") or {}).get("username"))
        path = quote(image_id, safe="")
        return ReferenceImage(
            source=Mapillary.name,
            image_id=image_id,
            sequence=text(item.get("sequence")) or image_id,
            lat_deg=lat_deg,
            lon_deg=lon_deg,
            heading_deg=(number(item.get("compass_angle")) if math.isnan(heading) else heading) % 360.0,
            time_s=number(item.get("captured_at")) / 1000.0,
            field_of_view_deg=360.0 if around else math.nan,
            panorama=around,
            author=name,
            licence="CC-BY-SA-4.0",
            licence_url="https://creativecommons.org/licenses/by-sa/4.0/",
            page_url=f"https://www.mapillary.com/app/?pKey={path}",
            files=tuple((width, f"{api}/{path}?fields=thumb_{width}_url") for width in _WIDTHS_PX),
            device_lat_deg=device_lat_deg,
            device_lon_deg=device_lon_deg,
        )
    except WRONG:
        return None
