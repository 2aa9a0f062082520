"""Where the camera was at any moment: between the sampled frames of a result, along the line of those that are located."""

from __future__ import annotations

import bisect
import statistics
from typing import Optional, Sequence

from qgis.core import QgsPointXY

from .frames import FrameRow

_LONGEST_STEPS = 5.0
"""Frames further apart than so many usual steps have a gap between them, across which nothing is drawn."""


class Line:
    """The located frames of one video.

    Args:
        rows: its frames in the order of time.
    """

    def __init__(self, rows: Sequence[FrameRow]) -> None:
        self._rows = rows
        self._times = [row.time_s for row in rows]
        steps = [step for number, after in enumerate(self._times[1:]) if (step := after - self._times[number]) > 0.0]
        self._longest_s = _LONGEST_STEPS * statistics.median(steps) if steps else 0.0

    def row_at(self, time_s: float) -> int:
        """The sampled frame on screen then: the latest one not after it; -1 where there is none at all."""
        return max(bisect.bisect_right(self._times, time_s + 1e-3) - 1, 0) if self._rows else -1

    def place_at(self, time_s: float) -> Optional[QgsPointXY]:
        """The camera's place in the layer's coordinate system; None within a gap, and where the frames have none."""
        before = self.row_at(time_s)
        if before < 0:
            return None
        here = self._rows[before]
        if here.point is None or time_s <= here.time_s + 1e-3:
            return here.point
        if before + 1 == len(self._rows):
            return here.point if time_s - here.time_s <= self._longest_s else None
        there = self._rows[before + 1]
        if there.point is None or there.time_s - here.time_s > self._longest_s:
            return None
        share = (time_s - here.time_s) / (there.time_s - here.time_s)
        return QgsPointXY(
            here.point.x() + share * (there.point.x() - here.point.x()), here.point.y() + share * (there.point.y() - here.point.y())
        )

    def nearest(self, place: QgsPointXY, reach: float, points: Sequence[Optional[QgsPointXY]]) -> Optional[float]:
        """When the camera was nearest to a place, seconds; None where it never was within reach.

        Args:
            place, reach: in the system of ``points``.
            points: the rows' places there.
        """
        times = self.visits(place, reach, points)
        return min(times, key=lambda visit: visit[1])[0] if times else None

    def visits(self, place: QgsPointXY, reach: float, points: Sequence[Optional[QgsPointXY]]) -> list[tuple[float, float]]:
        """Every time the camera came within reach of a place: (seconds when it was nearest, how near), in the order of time."""
        near: list[tuple[int, float, float]] = []
        for number, point in enumerate(points):
            if point is None:
                continue
            after = points[number + 1] if number + 1 < len(points) else None
            step_s = self._times[number + 1] - self._times[number] if after is not None else 0.0
            share, distance = (
                _along(point, after, place) if after is not None and step_s <= self._longest_s else (0.0, point.distance(place))
            )
            if distance <= reach:
                near.append((number, self._times[number] + share * step_s, distance))
        found: list[tuple[float, float]] = []
        last = -2
        for number, time_s, distance in near:
            if number - last > 1:
                found.append((time_s, distance))
            elif distance < found[-1][1]:
                found[-1] = (time_s, distance)
            last = number
        return found


def clock(time_s: float) -> str:
    """Minutes, seconds and tenths, as 1:02.5."""
    tenths = int(time_s * 10 + 1e-6)
    return f"{tenths // 600:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"


def _along(begin: QgsPointXY, end: QgsPointXY, place: QgsPointXY) -> tuple[float, float]:
    """Share of the way from begin to end where it is nearest to the place, and how far it is there."""
    x, y = end.x() - begin.x(), end.y() - begin.y()
    squared = x * x + y * y
    share = 0.0 if squared == 0.0 else min(1.0, max(0.0, ((place.x() - begin.x()) * x + (place.y() - begin.y()) * y) / squared))
    return share, QgsPointXY(begin.x() + share * x, begin.y() + share * y).distance(place)
