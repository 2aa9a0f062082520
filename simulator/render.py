"""Pictures of an isle, rendered offscreen on the CPU (no X server needed).

VTK draws lit colours and depth; sky, haze, exposure and sensor noise are added in numpy. Light is baked into the vertices once a drive.
On a bare Debian: ``apt-get install libosmesa6 libgl1`` (VTK's wheels load OSMesa or EGL at run time).
"""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from .config import RenderConfig
from .mesh import Chunk, Floats, QuadBuilder
from .textures import Textures

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Light:
    """Sun, sky, air and camera response of one drive.

    Args:
        sun_azimuth_deg: clockwise from north.
        sun_elevation_deg: above the horizon.
        cloud_cover: 0 clear to 1 overcast.
        visibility_m: distance at which haze hides 63 %.
        exposure_ev: stops over or under.
        warmth: white balance, −1 blue to 1 orange.
        contrast, saturation: of the camera's response; 1 is neutral.
        noise: standard deviation of sensor noise, of 255.
        cloud_shift: where the clouds are, in periods of their texture.
    """

    sun_azimuth_deg: float
    sun_elevation_deg: float
    cloud_cover: float
    visibility_m: float
    exposure_ev: float
    warmth: float
    contrast: float
    saturation: float
    noise: float
    cloud_shift: tuple[float, float]

    def sun_direction(self) -> Floats:
        """Unit vector (3,) to the sun: east, north, up."""
        azimuth, elevation = np.deg2rad(self.sun_azimuth_deg), np.deg2rad(self.sun_elevation_deg)
        flat = np.cos(elevation)
        return np.array([flat * np.sin(azimuth), flat * np.cos(azimuth), np.sin(elevation)], np.float32)

    def low_sun(self) -> float:
        """1 at the horizon, 0 when the sun stands high."""
        return float(np.clip(1 - self.sun_elevation_deg / 35, 0, 1))

    def sun_colour(self) -> Floats:
        """Light from the sun (3,), weaker under clouds, redder when low."""
        low = self.low_sun()
        colour = np.array([1.0, 0.95 - 0.25 * low, 0.86 - 0.45 * low])
        return (0.8 * (1 - 0.9 * self.cloud_cover) * (1 - 0.45 * low**2) * colour).astype(np.float32)

    def sky_colours(self) -> tuple[Floats, Floats]:
        """Horizon and zenith (3,), 0..1."""
        low, cover = self.low_sun(), self.cloud_cover
        horizon = np.array([0.74, 0.83, 0.92]) * (1 - low) + np.array([0.93, 0.76, 0.6]) * low
        zenith = np.array([0.25, 0.47, 0.8]) * (1 - 0.35 * low)
        grey = np.array([0.72, 0.74, 0.77]) * (1 - 0.25 * low)
        mix = 0.85 * cover
        return (horizon * (1 - mix) + grey * mix).astype(np.float32), (zenith * (1 - mix) + 0.88 * grey * mix).astype(np.float32)

    def gains(self) -> NDArray[np.float64]:
        """What the camera multiplies its channels (3,) by: an automatic exposure for this light, then its own error and white balance."""
        seen = float((0.9 * self.ambient() + 0.35 * self.sun_colour()).mean())
        balance = np.array([1 + 0.1 * self.warmth, 1.0, 1 - 0.12 * self.warmth])
        return balance * (0.92 / seen) ** 0.75 * 2**self.exposure_ev

    def ambient(self) -> Floats:
        """Light from the sky (3,) on a surface that faces up."""
        horizon, zenith = self.sky_colours()
        ambient: Floats = ((0.78 + 0.2 * self.cloud_cover) * (0.6 * horizon + 0.4 * zenith) + 0.06).astype(np.float32)
        return ambient


@dataclass(frozen=True)
class View:
    """A camera: position (3,) east, north, up in metres; heading clockwise from north; pitch up; horizontal field of view."""

    position_m: tuple[float, float, float]
    heading_deg: float
    pitch_deg: float
    roll_deg: float
    field_of_view_deg: float

    def axes(self) -> NDArray[np.float64]:
        """Rows: right, up, forward."""
        heading, pitch, roll = (np.deg2rad(v) for v in (self.heading_deg, self.pitch_deg, self.roll_deg))
        forward = np.array([np.sin(heading) * np.cos(pitch), np.cos(heading) * np.cos(pitch), np.sin(pitch)])
        right = np.array([np.cos(heading), -np.sin(heading), 0.0])
        up = np.cross(right, forward)
        return np.stack([np.cos(roll) * right + np.sin(roll) * up, np.cos(roll) * up - np.sin(roll) * right, forward])


class Scene(Protocol):
    """What a renderer draws: chunks of ground and of what is built, and the pictures they are dressed in."""

    @property
    def ground(self) -> tuple[Chunk, ...]:
        """Terrain and roads, textured with the ground noise."""

    @property
    def built(self) -> tuple[Chunk, ...]:
        """Everything else, textured with the atlas."""

    @property
    def textures(self) -> Textures:
        """The pictures."""


def shade(normals: Floats, albedo: Floats, light: Light) -> Bytes:
    """Colours of lit surfaces (n, 3) uint8: sun by angle, sky by how far they face up, light back from the ground."""
    ambient, sun = light.ambient(), light.sun_colour()
    up = 0.5 + 0.5 * normals[:, 2:]
    facing = np.clip(normals @ light.sun_direction(), 0, None)[:, None]
    bounce = 0.22 * (sun * max(0.15, float(light.sun_direction()[2])) + ambient) * (1 - up)
    lit = albedo * (ambient * (0.5 + 0.5 * up) + sun * facing + bounce)
    return (255 * np.clip(lit, 0, 1)).astype(np.uint8)


def _choose_window() -> None:
    """Where there is no display, take OSMesa if its library is there: VTK else tries X first and complains."""
    if os.environ.get("DISPLAY") or os.environ.get("VTK_DEFAULT_OPENGL_WINDOW"):
        return
    for name in ("libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so"):
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        os.environ["VTK_DEFAULT_OPENGL_WINDOW"] = "vtkOSOpenGLRenderWindow"
        return


class Renderer:
    """Draws views of a world. A context manager; one light at a time.

    Args:
        world: what to draw.
        config: picture size and reach.
    """

    def __init__(self, world: Scene, config: RenderConfig) -> None:
        _choose_window()
        os.environ.setdefault("LP_NUM_THREADS", "1")
        import pyvista as pv

        self._pv, self._config, self._world = pv, config, world
        size = (config.width_px, config.height_px)
        self._plotter: Any = pv.Plotter(off_screen=True, window_size=size, lighting="none")
        self._plotter.render_window.SetMultiSamples(0)
        self._plotter.set_background((0, 0, 0))
        self._atlas, self._ground = (self._texture(image) for image in (world.textures.atlas, world.textures.ground))
        self._chunks = [(chunk, *self._add(chunk, self._ground)) for chunk in world.ground]
        self._first_built = len(self._chunks)
        self._chunks += [(chunk, *self._add(chunk, self._atlas)) for chunk in world.built]
        self._centres = np.array([chunk.centre_m for chunk, _, _ in self._chunks])
        half = np.array([config.chunk_m] * self._first_built + [config.chunk_m / 2] * len(world.built))
        self._half_diagonal = half * np.sqrt(2) + 8
        self._reach = np.array([config.ground_reach_m] * self._first_built + [config.building_reach_m] * len(world.built))
        self._reach += self._half_diagonal
        self._stale = np.ones(len(self._chunks), bool)
        self._extra: list[Any] = []
        self._rays: tuple[tuple[float, float], Floats] = ((0.0, 0.0), np.zeros((0, 3), np.float32))
        y, x = np.linspace(-1, 1, config.height_px)[:, None], np.linspace(-1, 1, config.width_px)
        self._vignette = (1 - 0.1 * (x * x + y * y)).astype(np.float32).ravel()
        self._grain = np.random.default_rng(5).standard_normal(4 * config.height_px * config.width_px, np.float32)
        self._light: Light | None = None
        self._plotter.show(auto_close=False, interactive=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Free the window and what it holds."""
        self._plotter.close()

    def _texture(self, image: Bytes) -> Any:
        texture = self._pv.Texture(image)
        texture.SetMipmap(True)
        texture.SetInterpolate(True)
        texture.SetRepeat(True)
        texture.SetMaximumAnisotropicFiltering(1)  # more costs seconds a frame in Mesa's software rasteriser
        return texture

    def _add(self, chunk: Chunk, texture: Any) -> tuple[Any, Any]:
        """A mesh and its actor, invisible and unlit."""
        count = len(chunk.points) // 4
        faces = np.concatenate([np.full((count, 1), 4), np.arange(4 * count).reshape(count, 4)], axis=1).ravel()
        mesh = self._pv.PolyData(chunk.points, faces)
        mesh.point_data["rgb"] = np.zeros((len(chunk.points), 3), np.uint8)
        mesh.active_texture_coordinates = chunk.uv
        actor = self._plotter.add_mesh(
            mesh, scalars="rgb", rgb=True, texture=texture, lighting=False, copy_mesh=False, render=False, reset_camera=False
        )
        actor.SetVisibility(False)
        return mesh, actor

    def set_light(self, light: Light, extras: QuadBuilder | None = None) -> None:
        """Light the world anew; ``extras`` (parked cars of this drive) replace those of the drive before."""
        self._light = light
        self._stale[:] = True
        for actor in self._extra:
            self._plotter.remove_actor(actor, render=False, reset_camera=False)
        self._extra = []
        for chunk in extras.chunks(400.0) if extras is not None else ():
            mesh, actor = self._add(chunk, self._atlas)
            mesh["rgb"][:] = shade(chunk.normals, chunk.albedo, light)
            actor.SetVisibility(True)
            self._extra.append(actor)

    def render(self, view: View, rng: np.random.Generator) -> Bytes:
        """A picture (height, width, 3) uint8 RGB; ``rng`` makes its sensor noise."""
        if self._light is None:
            raise RuntimeError("set_light comes before render.")
        self._show_near(view)
        config = self._config
        axes = view.axes()
        position = np.array(view.position_m)
        camera = self._plotter.camera
        camera.position, camera.focal_point, camera.up = tuple(position), tuple(position + axes[2]), tuple(axes[1])
        half_width = np.tan(np.deg2rad(view.field_of_view_deg) / 2)
        half_height = half_width * config.height_px / config.width_px
        camera.view_angle = float(np.rad2deg(2 * np.arctan(half_height)))
        camera.clipping_range = (config.near_m, config.far_m)
        colour, distance = self._grab()
        rays = self._camera_rays(float(half_width), float(half_height))
        develop(colour, distance, rays, axes.astype(np.float32), self._light, self._world.textures.clouds, float(position[2]))
        return self._expose(colour, self._light, rng)

    def _camera_rays(self, half_width: float, half_height: float) -> Floats:
        """Unit rays (3, h·w) along right, up, forward, bottom row first; kept for the next picture of the same camera."""
        key = (half_width, half_height)
        if self._rays[0] != key:
            x = np.linspace(-half_width, half_width, self._config.width_px, dtype=np.float32)
            y = np.linspace(-half_height, half_height, self._config.height_px, dtype=np.float32)
            rays = np.stack([*np.meshgrid(x, y), np.ones((y.size, x.size), np.float32)]).reshape(3, -1)
            self._rays = (key, rays / np.linalg.norm(rays, axis=0))
        return self._rays[1]

    def _expose(self, colour: Floats, light: Light, rng: np.random.Generator) -> Bytes:
        """Camera response: exposure, white balance, saturation, contrast, vignette, highlights that roll off, noise."""
        gains = light.gains()
        grey = np.full(colour.shape[1], 0.42 * (1 - light.contrast), np.float32)
        for channel in range(3):
            grey += np.float32(light.contrast * (1 - light.saturation) / 3 * gains[channel]) * colour[channel]
        start = int(rng.integers(self._grain.size - grey.size))
        grain = np.float32(light.noise) * self._grain[start : start + grey.size]
        picture = np.empty((grey.size, 3), np.uint8)
        for channel in range(3):
            plane = np.float32(light.contrast * light.saturation * gains[channel]) * colour[channel]
            plane += grey
            plane *= self._vignette
            over = np.maximum(plane - np.float32(0.7), 0)
            over *= over
            plane -= np.float32(0.55) * over
            plane *= 255
            plane += grain
            np.clip(plane, 0, 255, out=plane)
            picture[:, channel] = plane
        return picture.reshape(self._config.height_px, self._config.width_px, 3)[::-1]

    def _show_near(self, view: View) -> None:
        """Make visible what is near and not behind, lighting it if it was not yet lit under this light."""
        assert self._light is not None
        offset = self._centres - np.array(view.position_m[:2])
        heading = np.deg2rad(view.heading_deg)
        ahead = offset @ np.array([np.sin(heading), np.cos(heading)])
        visible = (np.hypot(*offset.T) < self._reach) & (ahead > -self._half_diagonal)
        for index, (chunk, mesh, actor) in enumerate(self._chunks):
            actor.SetVisibility(bool(visible[index]))
            if visible[index] and self._stale[index]:
                mesh["rgb"][:] = shade(chunk.normals, chunk.albedo, self._light)
                mesh.GetPointData().GetAbstractArray("rgb").Modified()
                mesh.Modified()
                self._stale[index] = False

    def _grab(self) -> tuple[Floats, Floats]:
        """Colours (3, h·w) in 0..1 and distances along the axis (h·w,), infinite where nothing was drawn; bottom row first."""
        from vtkmodules.util.numpy_support import vtk_to_numpy
        from vtkmodules.vtkCommonCore import vtkFloatArray, vtkUnsignedCharArray

        config, window = self._config, self._plotter.render_window
        window.Render()
        pixels, depths = vtkUnsignedCharArray(), vtkFloatArray()
        corners = (0, 0, config.width_px - 1, config.height_px - 1)
        window.GetPixelData(*corners, 0, pixels, 0)
        window.GetZbufferData(*corners, depths)
        colour = vtk_to_numpy(pixels).reshape(-1, 3).T * np.float32(1 / 255)
        z = vtk_to_numpy(depths).ravel()
        near, far = np.float32(config.near_m), np.float32(config.far_m)
        distance = near * far / (far - z * (far - near))
        distance[z >= 1.0] = np.inf
        return np.ascontiguousarray(colour), distance


def _sky(rays: Floats, light: Light, clouds: Floats) -> Floats:
    """Colours (n, 3) of the sky along unit rays (n, 3)."""
    horizon, zenith = light.sky_colours()
    height = np.clip(rays[:, 2:], 0, 1)
    colour = horizon + (zenith - horizon) * (1 - (1 - height) ** 3)
    plane = rays[:, :2] / np.maximum(rays[:, 2:], 0.04)
    size = clouds.shape[0]
    cell = ((plane * 0.11 + np.array(light.cloud_shift, np.float32)) * size).astype(np.int64) % size
    density = np.clip((clouds[cell[:, 1], cell[:, 0]] - (0.95 - 0.95 * light.cloud_cover)) / 0.28, 0, 1)[:, None] * np.clip(
        height * 9, 0, 1
    )
    toward = np.clip(rays @ light.sun_direction(), 0, 1)[:, None]
    white = np.clip(light.ambient() * 0.75 + light.sun_colour() * (0.45 + 0.3 * toward), 0, 1)
    colour = colour * (1 - 0.8 * density) + white * (0.8 * density)
    glow = (0.35 * toward**12 + 1.6 * toward**600) * (1 - light.cloud_cover)
    return colour + glow * light.sun_colour()


def _sea(rays: Floats, light: Light, eye_m: float) -> tuple[Floats, Floats]:
    """Colours (n, 3) and distances (n,) of the sea along rays that go down and meet nothing."""
    horizon, zenith = light.sky_colours()
    distance: Floats = (eye_m / np.maximum(-rays[:, 2], 1e-4)).astype(np.float32)
    fresnel = np.clip((1 + rays[:, 2:]) ** 5, 0, 1)
    water = np.array([0.06, 0.3, 0.36], np.float32) * (0.4 + light.sun_colour().mean())
    return water * (1 - 0.7 * fresnel) + 0.7 * fresnel * (0.6 * horizon + 0.4 * zenith), distance


def develop(colour: Floats, distance: Floats, rays: Floats, axes: Floats, light: Light, clouds: Floats, eye_m: float) -> None:
    """Add sky, sea and haze to what was drawn, in place. Planes, not pixels: contiguous arrays are several times as fast here.

    Args:
        colour: (3, n) lit colours.
        distance: (n,) metres, infinite where nothing was drawn.
        rays: (3, n) unit rays along the camera's right, up, forward.
        axes: (3, 3) rows right, up, forward in the world.
        light: of the drive.
        clouds: (k, k) repeating texture.
        eye_m: height above the sea.
    """
    empty = ~np.isfinite(distance)
    rise = _combine(axes[:, 2], rays)
    above = np.flatnonzero(empty & (rise >= 0))
    below = np.flatnonzero(empty & (rise < 0))
    if below.size:
        water, distance[below] = _sea(rays[:, below].T @ axes, light, max(eye_m, 1.0))
        colour[:, below] = water.T
    sun, horizon = light.sun_colour(), light.sky_colours()[0]
    toward = np.maximum(_combine(axes @ light.sun_direction(), rays), 0)
    left = np.exp(distance * np.float32(-1 / light.visibility_m))
    gone = 1 - left
    sunlit = toward * toward * toward * gone * np.float32(0.25 * (1 - light.cloud_cover))
    for channel in range(3):
        colour[channel] *= left
        colour[channel] += horizon[channel] * gone
        colour[channel] += sun[channel] * sunlit
    if above.size:
        colour[:, above] = _sky(rays[:, above].T @ axes, light, clouds).T


def _combine(weights: Floats, planes: Floats) -> Floats:
    """Weighted sum (n,) of three planes (3, n)."""
    return weights[0] * planes[0] + weights[1] * planes[1] + weights[2] * planes[2]
