"""What a car's camera sees at ten pictures a second on a long drive: traffic that moves steadily, a shaking mount, a bonnet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from ..long_drives import LongDrive
from ..mesh import QuadBuilder
from ..render import View
from ..streets import Floats, Network, SmoothField
from ..world import ROAD_LIFT_M
from .builder import TownBuilder
from .conditions import draw_conditions
from .drives import TownDrive, draw_camera
from .effects import Lens
from .render import TownRenderer
from .traffic import add_vehicle

Bytes = NDArray[np.uint8]
BONNET_SHARE, LEAD_SHARE = 1 / 3, 0.3  # of the drives
SHAKE_DEG = 0.12  # of the mount on a rough street
DIVE_DEG_PER_MPS2 = 0.35  # a car's nose goes down as it brakes


@dataclass(frozen=True)
class LongTownDrive(TownDrive):
    """A long drive on an isle, to be rendered.

    Args:
        plan: its truth.
        bonnet: whether the car's own bonnet is in the picture.
        lead_car: whether a vehicle goes ahead.
    """

    plan: LongDrive
    bonnet: bool
    lead_car: bool

    def views(self, network: Network) -> Iterator[View]:
        """What the camera sees at every picture; it shakes with the street and nods with the brakes."""
        rng = np.random.default_rng([self.traffic_seed, 8])
        count = len(self.time_s)
        rough = SHAKE_DEG * np.clip(self.speed_mps / 12, 0.08, 1.3)
        shake = gaussian_filter1d(rng.normal(size=(3, count)), 0.8, axis=1) * 1.6 * rough
        nod = DIVE_DEG_PER_MPS2 * gaussian_filter1d(np.gradient(self.speed_mps, self.time_s), 0.3 * self.frame_rate_hz)
        for index, view in enumerate(super().views(network)):
            pitch, roll, yaw = shake[:, index]
            yield replace(
                view, heading_deg=view.heading_deg + 0.5 * yaw, pitch_deg=view.pitch_deg + pitch + nod[index], roll_deg=view.roll_deg + roll
            )


def drive_of_plan(builder: TownBuilder, name: str, plan: LongDrive, rate_hz: float, rng: np.random.Generator) -> LongTownDrive:
    """A planned drive with weather, camera and traffic.

    Args:
        builder: the isle, whose streets are the plan's edges.
        name: of its files.
        plan: where it goes and when.
        rate_hz: pictures a second.
        rng: everything else.
    """
    conditions = draw_conditions(builder.town, builder.config, rng)
    time_s = np.arange(int(plan.duration_s * rate_hz + 1e-6) + 1) / rate_hz
    position = np.stack([np.interp(time_s, plan.time_s, values) for values in (plan.x_m, plan.y_m)], axis=1)
    heading = np.interp(time_s, plan.time_s, np.unwrap(np.deg2rad(plan.heading_deg)))
    reach = np.arange(plan.path_along_m[0], plan.path_along_m[-1], 1.0)
    path = np.stack([np.interp(reach, plan.path_along_m, plan.path_m[:, axis]) for axis in (0, 1)], axis=1)
    streets = [builder.network.streets[number] for number in plan.edges]
    ways = [
        (street.start, street.end) if ahead else (street.end, street.start) for street, ahead in zip(streets, plan.forward, strict=True)
    ]
    plain = not (plan.turns_back or plan.reverses)
    return LongTownDrive(
        name, "long", (ways[0][0], *(way[1] for way in ways)), conditions.start_time, rate_hz, time_s, position, np.rad2deg(heading) % 360, 1.75,
        draw_camera(builder.config, rng), conditions.light, int(rng.integers(2**31)),
        float(rng.uniform(0.02, 0.15)) if plain else 0.0,  # whoever turns in the street looks for room
        builder.town.name, (0.0, float(len(path))), np.interp(time_s, plan.time_s, plan.speed_mps), np.rad2deg(np.gradient(heading, time_s)),
        np.interp(time_s, plan.time_s, plan.along_m) - reach[0], path, conditions, round(rng.uniform(22, 29)), 90,
        plan, bool(rng.random() < BONNET_SHARE), bool(rng.random() < LEAD_SHARE) and plain,
    )  # fmt: skip


class SteadyTraffic:
    """Vehicles that come along steadily, unlike those of drives whose pictures are seconds apart.

    Args:
        network: of the isle.
        drive: whose way they share.
    """

    def __init__(self, network: Network, drive: LongTownDrive, strength: float) -> None:
        self._network, self._drive = network, drive
        rng = np.random.default_rng([drive.traffic_seed, 4])
        self._gap = SmoothField(rng, 40.0)
        last = float(drive.time_s[-1])
        count = rng.poisson(strength * rng.uniform(0.02, 0.2) * last)
        self._met_s = rng.uniform(0, last + 5, count)
        self._mps, self._aside = rng.uniform(6, 13, count), rng.uniform(-0.2, 0.4, count)
        self._met_at = np.interp(self._met_s, drive.time_s, drive.along)

    def at(self, index: int) -> QuadBuilder:
        """Vehicles at a picture."""
        drive, build = self._drive, QuadBuilder()
        now, along = float(drive.time_s[index]), float(drive.along[index])
        if drive.lead_car:
            gap = 15 + 4 * float(self._gap(np.array([now, 0.0])))
            self._add(build, along + max(gap, 7.5), 0.0, 0, oncoming=False)
        place = self._met_at + self._mps * (self._met_s - now)
        for number in np.flatnonzero((place > along - 6) & (place < along + 130)):
            self._add(build, float(place[number]), 2 * drive.lane_m + self._aside[number], 1 + int(number), oncoming=True)
        return build

    def _add(self, build: QuadBuilder, at: float, left_m: float, number: int, *, oncoming: bool) -> None:
        """One vehicle, the same on every picture; none where the way is not known."""
        path = self._drive.path_m
        index = int(at)
        if not 2 <= index < len(path) - 3:
            return
        point = path[index] + (at - index) * (path[index + 1] - path[index])
        tangent = path[index + 2] - path[index - 1]
        tangent = tangent / (np.hypot(*tangent) + 1e-9)
        point = point + left_m * np.array([-tangent[1], tangent[0]])
        base = np.array([*point, float(self._network.terrain.height_m(point)) + ROAD_LIFT_M])
        yaw = float(np.arctan2(tangent[1], tangent[0])) + (np.pi if oncoming else 0.0)
        add_vehicle(build, base, yaw, np.random.default_rng([self._drive.traffic_seed, 5, number]))


class Bonnet:
    """The car's own bonnet at the lower edge of the picture, with the sky in its paint.

    Args:
        width_px, height_px: of the pictures.
        seed: of its shape and colour.
    """

    def __init__(self, width_px: int, height_px: int, seed: int) -> None:
        rng = np.random.default_rng([seed, 9])
        x, y = np.linspace(-1, 1, width_px), np.arange(height_px)[:, None]
        top = height_px * (rng.uniform(0.84, 0.92) + rng.uniform(0.03, 0.09) * (x - rng.uniform(-0.15, 0.15)) ** 2)
        self._first = int(top.min()) - 1
        self._share = np.clip(y - top, 0, 1)[self._first :, :, None].astype(np.float32)
        depth = np.clip((y - top) / (height_px - self._first), 0, 1)[self._first :, :, None]
        paint = np.array(
            ((0.08, 0.08, 0.09), (0.85, 0.85, 0.84), (0.45, 0.06, 0.06), (0.12, 0.16, 0.3), (0.5, 0.52, 0.54))[rng.integers(5)]
        )
        self._paint = (paint * (0.8 - 0.3 * depth)).astype(np.float32)

    def cover(self, picture: Bytes) -> Bytes:
        """A picture (h, w, 3) with the bonnet before it."""
        rows = picture.shape[0] - self._first
        bright = float(picture[: picture.shape[0] // 3].mean())
        mirrored = picture[rows - 1 :: -1] if rows <= picture.shape[0] // 3 else picture[:rows][::-1]
        bonnet = self._paint * bright + 0.18 * mirrored
        seen = picture.copy()
        lower = picture[self._first :] * (1 - self._share) + bonnet * self._share
        seen[self._first :] = np.clip(lower, 0, 255).astype(np.uint8)
        return seen


class LongRenderer(TownRenderer):
    """Draws long drives of one isle. A context manager.

    What stands farther than ``built_reach_m`` or beside the picture is left out: thousands of pictures a drive must be cheap.
    """

    built_reach_m, tile_reach_m = 240.0, 400.0
    pieces_kept, tiles_kept = 2000, 2000  # a drive is kilometres long, and all that is near it stays

    def _show_near(self, view: View) -> None:
        """Make visible what is near and within the picture's angle."""
        assert self._drive is not None
        position, heading = np.array(view.position_m[:2]), np.deg2rad(view.heading_deg)
        half = np.deg2rad(view.field_of_view_deg / 2 + 2)
        toward, right = np.array([np.sin(heading), np.cos(heading)]), np.array([np.cos(heading), -np.sin(heading)])
        for shown in self._skyline:
            shown.actor.SetPosition(*view.position_m)
        offset = self._middles - position
        distance = np.hypot(*offset.T) - self._radii
        beside = np.abs(offset @ right) * np.cos(half) - (offset @ toward) * np.sin(half)
        visible = (distance < self._reach_m) & ((distance < 4) | (beside < self._radii)) & (offset @ toward > -self._radii - 4)
        for shown, is_seen in zip(self._near, visible, strict=True):
            shown.actor.SetVisibility(bool(is_seen))
            if is_seen:
                shown.light(self._drives, self._drive)

    def begin(self, drive: TownDrive) -> None:
        """As for other drives; notes where things are, so that thousands of pictures need not ask them."""
        super().begin(drive)
        parts = [shown.part for shown in self._near]
        self._middles, self._radii = np.array([part.centre_m for part in parts]), np.array([part.radius_m for part in parts])
        self._reach_m: Floats = np.array([self.tile_reach_m if part.on_ground else self.built_reach_m for part in parts])

    def drive(self, drive: TownDrive) -> Iterator[Bytes]:
        """The pictures (height, width, 3) uint8 of a :class:`LongTownDrive`, one after the other."""
        assert isinstance(drive, LongTownDrive)
        self.begin(drive)
        network, config = self._builder.network, self._config
        traffic = SteadyTraffic(network, drive, self._builder.config.traffic_strength)
        lens = Lens(config.width_px, config.height_px, drive)
        bonnet = Bonnet(config.width_px, config.height_px, drive.traffic_seed) if drive.bonnet else None
        rng = np.random.default_rng([drive.traffic_seed, 3])
        for index, view in enumerate(drive.views(network)):
            vehicles = self._shown_now(traffic.at(index))
            picture = self.render(view, rng)
            for shown in vehicles:
                self._hide(shown)
            picture = lens.apply(picture, index, rng)
            yield picture if bonnet is None else bonnet.cover(picture)
