"""What an odometer that looks at the video would say of a drive: its true motion, with stated errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vidtag_engine.motion.record import Motion

from .long_drives import LongDrive

INTERVAL_S = 1.0
BIAS_TIME_S = 60.0  # over which a gyroscope's drift forgets itself
UNIT_FACTOR = 3.0  # between the smallest and the largest unit of speed


@dataclass(frozen=True)
class MotionNoise:
    """Errors of an observed motion.

    Args:
        turn_std_deg: standard deviation of the independent error of every interval's turn.
        drift_dps: standard deviation of a slowly drifting bias of turns, degrees a second.
        gain_std: of the logarithm of one factor for all turns of a drive, as a wrong field of view brings it.
        speed_std: of the logarithm of an independent factor of every interval's speed.
        scale_drift: of the logarithm of the unit of speed, which walks at random, after a minute.
        unit_mps: between which the unit of speed lies; for odometry on pictures it is the camera's height over the road.
        source: what the motion is told to be of.
    """

    turn_std_deg: float
    drift_dps: float
    gain_std: float
    speed_std: float
    scale_drift: float
    unit_mps: tuple[float, float] = (UNIT_FACTOR**-0.5, UNIT_FACTOR**0.5)
    source: str = "track"


EXACT = MotionNoise(turn_std_deg=1.5, drift_dps=0.05, gain_std=0.02, speed_std=0.08, scale_drift=0.03)
# Of rendered drives, read by the odometry that ships.
MEASURED = MotionNoise(0.35, 0.01, 0.07, 0.14, 0.05, (1.15, 2.6), "video")
PRESETS = {"exact": EXACT, "measured": MEASURED}


def observed_motion(drive: LongDrive, noise: MotionNoise, rng: np.random.Generator) -> Motion:
    """A drive's motion over intervals of a second, its speed in an unknown unit.

    Args:
        drive: the truth.
        noise: errors.
        rng: draws them, and the unit.
    """
    count = int((drive.time_s[-1] - drive.time_s[0]) / INTERVAL_S + 1e-6)
    time_s = drive.time_s[0] + INTERVAL_S * np.arange(count + 1)
    heading = np.rad2deg(np.interp(time_s, drive.time_s, np.unwrap(np.deg2rad(drive.heading_deg))))
    keep = np.exp(-INTERVAL_S / BIAS_TIME_S)
    bias = np.empty(count)
    bias[0] = rng.normal(0, noise.drift_dps)
    for index in range(1, count):
        bias[index] = keep * bias[index - 1] + rng.normal(0, noise.drift_dps * np.sqrt(1 - keep**2))
    turn = np.diff(heading) * np.exp(rng.normal(0, noise.gain_std)) + INTERVAL_S * bias + rng.normal(0, noise.turn_std_deg, count)
    true_mps = np.diff(np.interp(time_s, drive.time_s, drive.along_m)) / INTERVAL_S
    unit_mps = np.exp(rng.uniform(*np.log(noise.unit_mps)))
    walk = np.cumsum(rng.normal(0, noise.scale_drift * np.sqrt(INTERVAL_S / 60), count))
    speed = true_mps / unit_mps * np.exp(rng.normal(0, noise.speed_std, count) + walk)
    ones = np.ones(count)
    return Motion(time_s, turn, noise.turn_std_deg * ones, speed, noise.speed_std * ones, metric=False, source=noise.source)
