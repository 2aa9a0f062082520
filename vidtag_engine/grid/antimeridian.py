"""Polygons in degrees that cross ±180° without being split there.

The rule: a side that is longer than half a turn is read as the short one, across ±180°. A polygon that is to be wider than half a turn therefore
has corners on the way (or is a box by its four numbers). A side of exactly a whole turn joins -180 to 180, one and the same meridian: where the
polygon is sound as it stands (the world's box, Antarctica down to the pole) it stays so.
"""

from __future__ import annotations

import numpy as np
import shapely

from .reproject import closed_ring, unwound, wrap_polygons


def uncrossed(polygon: shapely.Polygon, turn: float = 360.0) -> shapely.Geometry | None:
    """The polygon with continuous longitudes, which may leave ±180°; None where no side of it crosses.

    Args:
        polygon: x = longitude.
        turn: of the system's angles, 360 for degrees.
    """
    rings = [shapely.get_coordinates(ring) * (360.0 / turn) for ring in (polygon.exterior, *polygon.interiors)]
    steps = np.concatenate([np.abs(np.diff(ring[:, 0])) for ring in rings])
    long = steps > 180.0 + 1e-9
    if not np.isfinite(steps).all() or not long.any():
        return None
    if np.all(np.abs(steps[long] - 360.0) < 1e-9) and shapely.is_valid(polygon):
        return None
    lines = [unwound(ring[:, 0]) for ring in rings]
    if any(line[0] != line[-1] for line in lines):  # around the axis: what such a ring encloses reaches to its pole
        whole, *holes = (wrap_polygons(closed_ring(ring[:, 0], ring[:, 1], None)) for ring in rings)
        area = shapely.difference(whole, shapely.union_all(holes)) if holes else whole
    else:
        middle = (lines[0].min() + lines[0].max()) / 2
        near = [line + 360.0 * np.rint((middle - (line.min() + line.max()) / 2) / 360.0) for line in lines]
        shell, *holes = (np.stack([line, ring[:, 1]], axis=-1) for line, ring in zip(near, rings, strict=True))
        area = shapely.Polygon(shell, holes)
    return shapely.transform(area, lambda xy: xy * (turn / 360.0))
