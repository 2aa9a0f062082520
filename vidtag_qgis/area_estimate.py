"""How large an area is, how many gallery points it makes and how long they take: at once and without the engine, which counts exactly later."""

from __future__ import annotations

import math
from typing import Optional

from qgis.core import QgsCoordinateReferenceSystem, QgsCoordinateTransformContext, QgsDistanceArea, QgsGeometry, QgsSettings

from .aoi import ELLIPSOID
from .translation import filled, tr

RATE = "vidtag/gallery_points_per_s"
MAX_POINTS = 100_000_000
"""The engine's own limit; it counts exactly once the run has started."""
WIDE_M2, WIDE_POINTS = 400_000e6, 400_000
"""Beyond both, the engine locates videos without making every point: it looks about the likeliest of some coarse places."""


def area_m2(geometry: QgsGeometry, crs: QgsCoordinateReferenceSystem, context: QgsCoordinateTransformContext) -> float:
    """Size of a polygon on the ellipsoid; 0 where it is none yet. One that crosses itself is measured as it will be mended."""
    whole = geometry if geometry.isNull() or geometry.isGeosValid() else geometry.makeValid()
    if whole.isNull() or whole.isEmpty():
        return 0.0
    measure = QgsDistanceArea()
    measure.setSourceCrs(crs, context)
    measure.setEllipsoid(ELLIPSOID)
    size = measure.measureArea(whole)
    return size if math.isfinite(size) else 0.0


def remember_rate(points: float, seconds: float) -> None:
    """Remember how fast this machine computes gallery points, as 'Gallery grid' has measured it."""
    if points > 0 and seconds > 0:
        QgsSettings().setValue(RATE, points / seconds)


def points_per_s() -> Optional[float]:
    """Gallery points a second on this machine, None where it was never measured."""
    stored = QgsSettings().value(RATE)
    try:
        rate = float(stored)
    except (TypeError, ValueError):
        return None
    return rate if math.isfinite(rate) and rate > 0 else None


def sentence(size_m2: float, resolution_m: float) -> str:
    """Area, number of points and time for people; where the engine would refuse it, why and what to do."""
    if size_m2 <= 0:
        return tr("Click the corners of the area; a click with the right button ends it.")
    digits = 3 if size_m2 < 1e6 else 1 if size_m2 < 1e9 else 0
    text = filled(f"{{size:,.{digits}f}} km²", {"size": size_m2 / 1e6})
    points = size_m2 / resolution_m**2
    if points > MAX_POINTS and is_wide(size_m2, resolution_m):
        wide = tr(
            "{size}, about {points:,.0f} gallery points: 'Geolocate video' makes the likeliest alone, 'Gallery grid' at most {most:,}."
        )
        return wide.format(size=text, points=points, most=MAX_POINTS)
    problem = check_point_count(size_m2, resolution_m)
    if problem is not None:
        return f"{text}. {problem}"  # two sentences
    rate = points_per_s()
    if rate is None:
        unknown = tr(
            "{size}, about {points:,.0f} gallery points. How long they take is known once 'Gallery grid' has measured it with your checkpoint."
        )
        return unknown.format(size=text, points=points)
    return tr(
        "{size}, about {points:,.0f} gallery points, at most about {time} to compute them once.",
        size=text,
        points=points,
        time=_duration(points / rate),
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return tr("{seconds:,.0f} s", seconds=max(1.0, seconds))
    return tr("{seconds:,.0f} min", seconds=seconds / 60) if seconds < 90 * 60 else tr("{hours:.1f} h", hours=seconds / 3600)


def is_wide(size_m2: float, resolution_m: float) -> bool:
    """Whether an area is so large that videos are located in it without making every gallery point; ``size_m2`` may be NaN (unknown)."""
    return size_m2 > WIDE_M2 and size_m2 / resolution_m**2 > WIDE_POINTS


def check_point_count(area_m2: float, resolution_m: float, most: int = MAX_POINTS, *, written: bool = False) -> Optional[str]:
    """Neither an absurd number of gallery points nor none, or none that can be ``written`` as a layer; ``area_m2`` may be NaN (unknown)."""
    points = area_m2 / resolution_m**2
    if points > most:
        fitting = math.ceil(math.sqrt(area_m2 / most) * 1.02)
        return (
            tr(
                "An area of {area:,.0f} km² at {resolution:g} m makes about {points:,.0f} gallery points; at most {most:,} are written as a layer; leave it "
                "out to count only. Take a resolution of {fitting:,} m or more, or a smaller area.",
                area=area_m2 / 1e6,
                resolution=resolution_m,
                points=points,
                most=most,
                fitting=fitting,
            )
            if written
            else tr(
                "An area of {area:,.0f} km² at {resolution:g} m makes about {points:,.0f} gallery points; at most {most:,} are possible. Take a resolution of "
                "{fitting:,} m or more, or a smaller area.",
                area=area_m2 / 1e6,
                resolution=resolution_m,
                points=points,
                most=most,
                fitting=fitting,
            )
        )
    if points < 1:
        finer_m = max(1.0, math.sqrt(area_m2) / 10)
        return tr(
            "The area ({area_m2:,.0f} m²) is smaller than one step of the grid at {resolution_m:g} m: take a resolution below "
            "{fitting:,.0f} m, or a larger area.",
            area_m2=area_m2,
            resolution_m=resolution_m,
            fitting=finer_m,
        )
    return None
