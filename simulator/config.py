"""Settings of isles, drives and pictures: frozen, with units in their names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class IsleConfig:
    """One isle: where it lies and what its town is like.

    Args:
        name: short name, used in file names and the manifest.
        latitude_deg, longitude_deg: WGS 84 centre of the town.
        half_length_m, half_width_m: semi-axes of the town's outline before it is roughened.
        street_spacing_m: mean distance between parallel streets.
        node_jitter: how far crossings stray from a regular grid, as a share of the spacing.
        removed_share: share of the grid's streets that is left out, so that blocks are irregular.
        coast_margin_m: from the last crossing to the sea.
        hill_height_m, hill_wavelength_m: amplitude and scale of the terrain.
        quarter_count: number of quarter centres; there are fewer looks than centres, so looks come back across town.
        quarter_reach_m: over what distance one quarter's look fades into the next.
        landmark_spacing_m: mean distance along a street between unusual things (kiosk, statue, mural, ...).
        world_seed: added to the seed on the command line, so that isles differ under one seed.
    """

    name: str
    latitude_deg: float
    longitude_deg: float
    half_length_m: float = 1520.0
    half_width_m: float = 850.0
    street_spacing_m: float = 290.0
    node_jitter: float = 0.2
    removed_share: float = 0.16
    coast_margin_m: float = 170.0
    hill_height_m: float = 16.0
    hill_wavelength_m: float = 800.0
    quarter_count: int = 11
    quarter_reach_m: float = 190.0
    landmark_spacing_m: float = 75.0
    world_seed: int = 0


@dataclass(frozen=True)
class RenderConfig:
    """How a picture is made."""

    width_px: int = 448
    height_px: int = 336
    near_m: float = 0.4
    far_m: float = 1500.0
    building_reach_m: float = 420.0
    ground_reach_m: float = 1300.0
    chunk_m: float = 120.0


@dataclass(frozen=True)
class DrivesConfig:
    """How many drives there are and how they go.

    Args:
        train_frames: training pictures asked for; whole drives are added until every street has been driven in both directions and
            this number is reached (streets come first).
        train_length_m: length of a training drive, (least, most).
        validation_count, test_count: number of drives in those splits, each with its own light.
        frame_rate_hz: pictures a second in training, validation and test videos.
        demo_frame_rate_hz, demo_duration_s: of the one demonstration drive.
        gps_noise_m: standard deviation of the slowly wandering error of the training truth; other truths are exact.
    """

    train_frames: int = 3000
    train_length_m: tuple[float, float] = (800.0, 1300.0)
    validation_count: int = 3
    test_count: int = 6
    frame_rate_hz: float = 1.0
    demo_frame_rate_hz: float = 4.0
    demo_duration_s: float = 39.0
    gps_noise_m: float = 1.5
    cruise_speed_mps: tuple[float, float] = (10.0, 15.0)


# Sandy Island stood on charts from 1876 to 2012; an expedition found open sea.
ISLES = {"sandy-island": IsleConfig(name="sandy-island", latitude_deg=-19.22, longitude_deg=159.93)}
