"""Pictures of a town: pieces and tiles come and go with the camera, lit and dressed for the drive; then what the lens and the air add."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import RenderConfig
from ..mesh import Chunk, QuadBuilder
from ..render import Renderer, View, shade
from ..textures import Textures
from .builder import TownBuilder
from .drives import TownDrive
from .effects import Lens
from .parts import SOLID, Part, part_of
from .skyline import build_skyline
from .traffic import Moving, standing

Bytes = NDArray[np.uint8]
FAR_M = 5000.0
BUILT_REACH_M = 420.0
TILE_REACH_M = 560.0
PIECES_KEPT = 80  # some 7 MB each
TILES_KEPT = 150


@dataclass(frozen=True)
class _NoChunks:
    """A scene whose parts are brought later."""

    textures: Textures
    ground: tuple[Chunk, ...] = ()
    built: tuple[Chunk, ...] = ()


class _Shown:
    """A part on the graphics card."""

    def __init__(self, part: Part, texture: Any) -> None:
        from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
        from vtkmodules.vtkCommonCore import vtkPoints
        from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
        from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

        self.part, self.lit_for = part, -1
        count = len(part.points) // 4
        self._rgb = np.zeros((4 * count, 3), np.uint8)
        self._held = [np.arange(0, 4 * count + 1, 4, dtype=np.int64), np.arange(4 * count, dtype=np.int64)]
        cells, points, self._mesh = vtkCellArray(), vtkPoints(), vtkPolyData()
        cells.SetData(*(numpy_to_vtkIdTypeArray(values) for values in self._held))
        points.SetData(numpy_to_vtk(part.points))
        self._colours, uv = numpy_to_vtk(self._rgb), numpy_to_vtk(part.uv)
        uv.SetName("uv")
        self._mesh.SetPoints(points)
        self._mesh.SetPolys(cells)
        self._mesh.GetPointData().SetScalars(self._colours)
        self._mesh.GetPointData().SetTCoords(uv)
        mapper = vtkPolyDataMapper()
        mapper.SetInputData(self._mesh)
        mapper.SetColorModeToDirectScalars()
        self.actor = vtkActor()
        self.actor.SetMapper(mapper)
        self.actor.SetTexture(texture)
        self.actor.GetProperty().LightingOff()

    def light(self, drive_number: int, drive: TownDrive) -> None:
        """Colour its vertices for a drive, once."""
        if self.lit_for == drive_number:
            return
        part = self.part
        self._rgb[:] = shade(part.normals, drive.conditions.season.dress(part.albedo, part.normals, part.kind), drive.light)
        self._colours.Modified()
        self._mesh.Modified()
        self.lit_for = drive_number


class _Store:
    """Parts by key, made when asked for; those longest unused are dropped beyond ``most``."""

    def __init__(self, make: Callable[[tuple[int, int]], list[_Shown]], drop: Callable[[_Shown], None], most: int) -> None:
        self._make, self._drop, self._most = make, drop, most
        self._kept: OrderedDict[tuple[int, int], list[_Shown]] = OrderedDict()

    def get(self, key: tuple[int, int]) -> list[_Shown]:
        if key not in self._kept:
            self._kept[key] = self._make(key)
        self._kept.move_to_end(key)
        return self._kept[key]

    def trim(self) -> None:
        """Forget the oldest; not while a drive is rendered, whose parts must stay."""
        while len(self._kept) > self._most:
            for shown in self._kept.popitem(last=False)[1]:
                self._drop(shown)


class TownRenderer(Renderer):
    """Draws the drives of one isle. A context manager.

    Args:
        builder: the isle.
        config: size of the pictures; its reach is not used.
    """

    built_reach_m, tile_reach_m = BUILT_REACH_M, TILE_REACH_M
    pieces_kept, tiles_kept = PIECES_KEPT, TILES_KEPT  # at least as many as there are near one drive

    def __init__(self, builder: TownBuilder, config: RenderConfig) -> None:
        super().__init__(_NoChunks(builder.textures), config)
        self._builder = builder
        self._drives = 0
        self._drive: TownDrive | None = None
        self._near: list[_Shown] = []
        self._moving: _Shown | None = None
        self._standing: list[_Shown] = []
        self._pieces = _Store(lambda key: [self._show(part) for part in builder.piece(key)], self._hide, self.pieces_kept)
        self._tiles = _Store(self._make_tile, self._hide, self.tiles_kept)
        self._far = [self._show(part) for part in (builder.land.backdrop(), builder.towers()) if part is not None]
        skyline = build_skyline(builder.field.ways, builder.config.isle_strength)
        self._skyline = [] if skyline is None else [self._show(skyline)]

    def _make_tile(self, cell: tuple[int, int]) -> list[_Shown]:
        part = self._builder.land.tile(cell)
        return [] if part is None else [self._show(part)]

    def _show(self, part: Part) -> _Shown:
        shown = _Shown(part, self._ground if part.on_ground else self._atlas)
        shown.actor.SetVisibility(False)
        self._plotter.renderer.AddActor(shown.actor)
        return shown

    def _hide(self, shown: _Shown) -> None:
        self._plotter.renderer.RemoveActor(shown.actor)
        shown.actor.ReleaseGraphicsResources(self._plotter.render_window)

    def begin(self, drive: TownDrive) -> None:
        """Bring what stands near a drive, dress it, and put the drive's parked vehicles there."""
        self._drive, self._light = drive, drive.light
        self._drives += 1
        for shown in self._near:
            shown.actor.SetVisibility(False)
        path = drive.position_m[:: max(1, len(drive.position_m) // 24)]
        pieces = [shown for key in self._builder.near_pieces(path, self.built_reach_m) for shown in self._pieces.get(key)]
        tiles = [shown for cell in self._builder.near_tiles(path, self.tile_reach_m) for shown in self._tiles.get(cell)]
        self._near = [*(shown for shown in pieces if not (shown.part.sheds and drive.conditions.season.bare)), *tiles]
        self._pieces.trim()
        self._tiles.trim()
        for shown in self._standing:
            self._hide(shown)
        build = standing(
            self._builder.network,
            self._builder.field,
            self._builder.config,
            drive.route,
            drive.position_m,
            drive.traffic_seed,
            drive.parked_share,
        )
        self._standing = self._shown_now(build)
        for shown in (*self._far, *self._skyline):
            shown.light(self._drives, drive)
            shown.actor.SetVisibility(True)

    def _shown_now(self, build: QuadBuilder) -> list[_Shown]:
        """Vehicles, lit and visible at once."""
        part = part_of([(build, SOLID)])
        if part is None or self._drive is None:
            return []
        shown = self._show(part)
        shown.light(self._drives, self._drive)
        shown.actor.SetVisibility(True)
        return [shown]

    def _show_near(self, view: View) -> None:
        """Make visible what is near and not behind."""
        assert self._drive is not None
        position, heading = np.array(view.position_m[:2]), np.deg2rad(view.heading_deg)
        toward = np.array([np.sin(heading), np.cos(heading)])
        for shown in self._skyline:
            shown.actor.SetPosition(*view.position_m)
        for shown in self._near:
            part = shown.part
            offset = np.array(part.centre_m) - position
            distance = float(np.hypot(*offset)) - part.radius_m
            reach = self.tile_reach_m + 150 if part.on_ground else self.built_reach_m
            visible = distance < reach and float(offset @ toward) > -part.radius_m - 4
            shown.actor.SetVisibility(visible)
            if visible:
                shown.light(self._drives, self._drive)

    def drive(self, drive: TownDrive) -> Iterator[Bytes]:
        """The pictures (height, width, 3) uint8 of a drive, one after the other."""
        self.begin(drive)
        moving = Moving(self._builder.network, self._builder.config, drive.path_m, drive.lane_m, drive.traffic_seed)
        lens = Lens(self._config.width_px, self._config.height_px, drive)
        rng = np.random.default_rng([drive.traffic_seed, 3])
        for index, view in enumerate(drive.views(self._builder.network)):
            vehicles = self._shown_now(moving.at(index, float(drive.along[index]), float(drive.time_s[index])))
            picture = self.render(view, rng)
            for shown in vehicles:
                self._hide(shown)
            yield lens.apply(picture, index, rng)


def far_config(width_px: int, height_px: int) -> RenderConfig:
    """Pictures of a size, with room for far hills."""
    return RenderConfig(width_px=width_px, height_px=height_px, far_m=FAR_M)
