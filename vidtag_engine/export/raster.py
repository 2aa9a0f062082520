"""A probability over an area as a GeoTIFF: where its cells lie, and the file, written whole or not at all."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from ..atomic import replacing, write_text
from ..file_marks import mark_of
from ..geodesy import wrap_lon
from ..types import FloatArray, InputError
from .geopackage_tables import style_text

_BORDER_STEPS = 400  # of a side's longest, when the area's border is brought to the map
_DEGREE_M = 111_194.9
_EARTH_M = 6_371_007.2
_TILE = 256


@dataclass(frozen=True)
class RasterPlan:
    """Cells over an area.

    Args:
        crs: of the map.
        origin: x of the west and y of the north edge, map units.
        step: width and height of a cell, map units.
        shape: rows, columns.
        inside: (rows, columns) bool, cells whose middle lies in the area.
        lat_lon_deg: (Q, 2) middles of the cells inside, row by row.
        area_m2: (Q,) on the ground.
    """

    crs: CRS
    origin: tuple[float, float]
    step: tuple[float, float]
    shape: tuple[int, int]
    inside: np.ndarray
    lat_lon_deg: FloatArray
    area_m2: FloatArray

    def parts(self, side: int) -> Iterator[FloatArray]:
        """Middles (Q, 2) of the first part of every cell inside, then of the second, and so on: ``side`` × ``side`` parts a cell."""
        to_degrees = Transformer.from_crs(self.crs, "EPSG:4326", always_xy=True)
        rows, columns = np.nonzero(self.inside)
        for number in range(side * side):
            down, across = ((one + 0.5) / side for one in divmod(number, side))
            lon, lat = to_degrees.transform(
                self.origin[0] + (columns + across) * self.step[0], self.origin[1] - (rows + down) * self.step[1]
            )
            found = np.stack([lat, wrap_lon(lon)], axis=1)
            # A cell at the edge of what the system reaches may have parts beyond.
            yield np.where(np.isfinite(found).all(axis=1, keepdims=True), found, self.lat_lon_deg)


def map_system(crs: str | None, geometry: shapely.Geometry) -> CRS:
    """The map's system: any that PROJ knows, or where None Lambert's equal-area plane about the area's middle, whole across ±180° and at a pole.

    (Equal Earth about another meridian than Greenwich cannot be told in a GeoTIFF: there is no key for it.)

    Raises:
        InputError: unknown, or longitudes for an area across ±180°.
    """
    west, south, east, north = geometry.bounds
    across = west <= -180.0 and east >= 180.0
    if crs is None:
        return CRS.from_user_input(
            f"+proj=laea +lat_0={(south + north) / 2:.6f} +lon_0={_middle_lon(geometry):.6f} +datum=WGS84 +units=m +type=crs"
        )
    try:
        system = CRS.from_user_input(crs)
    except CRSError as error:
        raise InputError(f"The map's coordinate system {crs[:80]!r} is unknown; give for example EPSG:3857, or leave it out.") from error
    if system.is_geographic and across:
        raise InputError(f"The area crosses ±180°, where a map in {crs} ends; leave --crs out, or give a projected system.")
    return system


def plan_raster(geometry: shapely.Geometry, system: CRS, cell_m: float, *, most_cells: int, widen: bool = False) -> RasterPlan:
    """Lay cells of about ``cell_m`` × ``cell_m`` over an area.

    Args:
        geometry: (multi)polygon in longitude and latitude.
        system: of the map.
        cell_m: side of a cell in metres, > 0; in degrees it is that at the area's middle latitude.
        most_cells: inside and outside the area together.
        widen: take wider cells where there would be more than that.

    Raises:
        InputError: more cells than that, or a system that does not reach the area.
    """
    west, south, east, north = geometry.bounds
    there = Transformer.from_crs("EPSG:4326", system, always_xy=True)
    border = shapely.get_coordinates(shapely.segmentize(geometry, max(east - west, north - south) / _BORDER_STEPS))
    x, y = there.transform(border[:, 0], border[:, 1])
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError(f"The map's coordinate system {system.name} does not reach the whole area; take another, or leave --crs out.")
    for _ in range(20):
        step = _step(system, cell_m, (south + north) / 2)
        columns, rows = (max(1, math.ceil(float(np.ptp(v)) / s - 1e-9)) for v, s in ((x, step[0]), (y, step[1])))
        if rows * columns <= most_cells:
            break
        wider_m = _rounded_up(cell_m * math.sqrt(rows * columns / most_cells))
        if not widen:
            raise InputError(
                f"Cells of {cell_m:g} m make a map of {columns:,} × {rows:,}, more than the {most_cells:,} cells that fit;"
                f" take --cell-m {wider_m:g} or more, or a smaller area."
            )
        cell_m = wider_m * (1.0 if wider_m > cell_m else 1.05)
    return _filled(geometry, system, (float(x.min()), float(y.max())), step, (rows, columns))


def _step(system: CRS, cell_m: float, lat_deg: float) -> tuple[float, float]:
    """Width and height of a cell in map units."""
    if system.is_geographic:
        high = cell_m / _DEGREE_M
        return high / max(math.cos(math.radians(lat_deg)), 0.01), high
    return (cell_m / system.axis_info[0].unit_conversion_factor,) * 2


def _filled(
    geometry: shapely.Geometry, system: CRS, origin: tuple[float, float], step: tuple[float, float], shape: tuple[int, int]
) -> RasterPlan:
    """Which cells lie in the area, where, and how large each is on the ground."""
    back = Transformer.from_crs(system, "EPSG:4326", always_xy=True)
    column, row = np.meshgrid(np.arange(shape[1]), np.arange(shape[0]))
    x, y = (origin[0] + (column + 0.5) * step[0]).ravel(), (origin[1] - (row + 0.5) * step[1]).ravel()
    lon, lat = back.transform(x, y)
    known = np.isfinite(lon) & np.isfinite(lat)
    geometry = shapely.from_wkb(shapely.to_wkb(geometry))  # what is prepared may not be asked by two threads at once, so it is a copy
    shapely.prepare(geometry)
    inside = np.zeros(len(x), dtype=bool)
    inside[known] = shapely.intersects_xy(geometry, wrap_lon(lon[known]), lat[known])
    if not inside.any():  # an area narrower than a cell: the cell of a place in it
        place = shapely.point_on_surface(geometry)
        px, py = Transformer.from_crs("EPSG:4326", system, always_xy=True).transform(place.x, place.y)
        inside[int(np.argmin((x - px) ** 2 + (y - py) ** 2))] = True
    x, y, lat, lon = x[inside], y[inside], lat[inside], lon[inside]
    metres = []
    for east, north in ((0.01 * step[0], 0.0), (0.0, 0.01 * step[1])):
        (lon0, lat0), (lon1, lat1) = back.transform(x - east, y - north), back.transform(x + east, y + north)
        metres.append((np.radians(wrap_lon(lon1 - lon0)) * _EARTH_M * np.cos(np.radians(lat)), np.radians(lat1 - lat0) * _EARTH_M))
    area_m2 = np.abs(metres[0][0] * metres[1][1] - metres[0][1] * metres[1][0]) / 0.02**2
    return RasterPlan(system, origin, step, shape, inside.reshape(shape), np.stack([lat, wrap_lon(lon)], axis=1), area_m2)


def write_raster(
    path: Path | str,
    plan: RasterPlan,
    bands: Iterable[tuple[str, Mapping[str, str], FloatArray]],
    count: int,
    tags: Mapping[str, Any],
    *,
    overwrite: bool = False,
) -> None:
    """Write a GeoTIFF of 32-bit floats, NaN (its nodata value) outside the area, and a QGIS style of the same name beside it unless there is one.

    Args:
        path: ends in .tif or .tiff; its folder exists.
        plan: where the cells lie.
        bands: description, tags and (Q,) values of each band; taken one at a time.
        count: how many there are.
        tags: of the file; what is no text becomes JSON.
        overwrite: replace what is there also where it is no heat map.

    Raises:
        InputError: it cannot be written. Nothing is left behind.
    """
    import rasterio
    from rasterio.errors import RasterioError

    path = Path(path)
    profile = {
        "driver": "GTiff", "dtype": "float32", "count": count, "height": plan.shape[0], "width": plan.shape[1], "crs": plan.crs.to_wkt(),
        "transform": rasterio.Affine(plan.step[0], 0.0, plan.origin[0], 0.0, -plan.step[1], plan.origin[1]), "nodata": math.nan, "tiled": True,
        "blockxsize": _TILE, "blockysize": _TILE, "compress": "deflate", "predictor": 3, "interleave": "band", "BIGTIFF": "IF_SAFER",
    }  # fmt: skip
    with replacing(path, "heatmap", overwrite=overwrite) as part:
        try:
            with rasterio.open(part, "w", **profile) as file:
                file.update_tags(TIFFTAG_SOFTWARE=mark_of("heatmap"))
                file.update_tags(**{name: value if isinstance(value, str) else json.dumps(value) for name, value in tags.items()})
                for number, (description, band_tags, values) in enumerate(bands, start=1):
                    picture = np.full(plan.shape, np.nan, dtype=np.float32)
                    picture[plan.inside] = values
                    file.write(picture, number)
                    file.set_band_description(number, description)
                    file.update_tags(number, **band_tags)
            # What GDAL could not tell in the file it puts beside it, where it would be lost.
            part.with_name(f"{part.name}.aux.xml").unlink(missing_ok=True)
            # A full disk may only show when the file is read again.
            with rasterio.open(part) as file:
                file.read(count)
                known = bool(file.crs)
        except RasterioError as error:
            raise OSError(str(error).partition("\n")[0]) from error
        if not known:
            raise InputError(f"The coordinate system {plan.crs.name} cannot be told in a GeoTIFF; take another, or leave --crs out.")
    style = path.with_suffix(".qml")
    if not style.exists():
        write_text(style, style_text("heatmap"))


def write_raster_picture(
    path: Path | str, plan: RasterPlan, values: FloatArray, geometry: shapely.Geometry, title: str, *, overwrite: bool = False
) -> None:
    """Draw one band with the area's outline as a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    picture = np.full(plan.shape, np.nan)
    picture[plan.inside] = values
    (left, top), (wide, high), (rows, columns) = plan.origin, plan.step, plan.shape
    figure = Figure(figsize=(8, 6), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    image = axes.imshow(picture, extent=(left, left + columns * wide, top - rows * high, top), cmap="viridis", interpolation="nearest")
    there = Transformer.from_crs("EPSG:4326", plan.crs, always_xy=True)
    for ring in shapely.get_rings(shapely.get_parts(geometry)):
        axes.plot(*there.transform(*np.asarray(ring.coords).T[:2]), color="black", linewidth=0.8)
    axes.set_title(title, fontsize=9)
    axes.set_xticks([])
    axes.set_yticks([])
    figure.colorbar(image, ax=axes, label="probability in a cell")
    with replacing(path, "heatmap-picture", overwrite=overwrite) as part:
        figure.savefig(part, format="png", metadata={"Software": mark_of("heatmap-picture")})


def _middle_lon(geometry: shapely.Geometry) -> float:
    """Of the narrowest band of longitudes that holds the area, which may cross ±180°."""
    bounds = shapely.bounds(shapely.get_parts(geometry))
    order = np.argsort(bounds[:, 0])
    west, east = bounds[order, 0], np.maximum.accumulate(bounds[order, 2])
    gaps = np.append(west[1:] - east[:-1], west[0] + 360.0 - east[-1])
    widest = int(np.argmax(gaps))
    first = west[(widest + 1) % len(west)]
    return float(wrap_lon(np.array(first + (360.0 - gaps[widest]) / 2)))


def _rounded_up(value: float) -> float:
    """To two digits, upwards."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(value / unit - 1e-9) * unit
