"""Areas as text: ``minx,miny,maxx,maxy`` and WKT."""

from __future__ import annotations

import re

import numpy as np
import shapely

from ..types import InputError
from .aoi_geojson import unclosed

_NUMBER = r"\s*(?:[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?nan|[-+]?inf(?:inity)?)\s*"
NUMBERS = re.compile(rf"^{_NUMBER}(?:,{_NUMBER})*$", re.IGNORECASE)
_KINDS = r"(?:MULTI)?(?:POLYGON|POINT|LINESTRING|SURFACE|CURVE)|GEOMETRYCOLLECTION|CURVEPOLYGON|COMPOUNDCURVE|CIRCULARSTRING|TRIANGLE|TIN"
WKT = re.compile(rf"^(?:{_KINDS})\s*(?:ZM|Z|M)?\s*(?:\(|EMPTY)", re.IGNORECASE)
_WORD_OR_POINTS = re.compile(r"([A-Z]{4,})|\(([^()]*)\)", re.IGNORECASE)


def box(text: str) -> shapely.Geometry:
    """The rectangle of four numbers. Raises InputError where they make none."""
    numbers = [float(value) for value in text.split(",")]
    if len(numbers) != 4:
        raise InputError(f"The box {text!r} does not have four numbers; give minx,miny,maxx,maxy (west,south,east,north).")
    minx, miny, maxx, maxy = numbers
    if not np.isfinite(numbers).all():
        raise InputError(f"The box {text!r} has a number that is not finite; give minx,miny,maxx,maxy.")
    if maxx < minx:
        raise InputError(
            f"The box {text!r} has maxx < minx; swap them, or, for a box across ±180°, add 360 to maxx ({maxx + 360:g}, not {maxx:g})."
        )
    if maxy < miny:
        raise InputError(f"The box {text!r} has maxy < miny; give minx,miny,maxx,maxy in this order.")
    return shapely.box(minx, miny, maxx, maxy)


def from_wkt(wkt: str, notes: list[str]) -> shapely.Geometry:
    """The geometry of a text, its rings closed, with a note. Raises InputError where it cannot be read."""
    try:
        return shapely.from_wkt(wkt)
    except shapely.errors.ShapelyError as error:
        mended, closed = _completed(wkt)
        try:
            geometry = shapely.from_wkt(mended)
        except shapely.errors.ShapelyError:
            reason = str(error).strip().splitlines()[0].rstrip(".")
            raise InputError(f"The area of interest is not valid WKT ({reason}); close its rings and brackets.") from error
    if closed:
        notes.append(unclosed("The area of interest"))
    return geometry


def _completed(wkt: str) -> tuple[str, bool]:
    """The text with its rings closed and its lines of one point made two, and whether a ring was closed: GEOS reads nothing of it otherwise."""
    kind, closed = "", False

    def complete(match: re.Match[str]) -> str:
        nonlocal kind, closed
        if match[1]:
            kind = match[1].upper()
            return match[0]
        points = [" ".join(point.split()) for point in match[2].split(",")]
        if kind.endswith("POLYGON") and len(points) > 2 and points[0].split(" ")[:2] != points[-1].split(" ")[:2]:
            closed = True
            return f"({', '.join([*points, points[0]])})"
        return f"({points[0]}, {points[0]})" if kind.endswith("LINESTRING") and len(points) == 1 else match[0]

    return _WORD_OR_POINTS.sub(complete, wkt), closed
