"""How a test drive lies to what training drove: the same way, only the other way, never, or across it. Every figure of accuracy and confidence is split so."""

from __future__ import annotations

from dataclasses import dataclass

from vidtag_engine.evaluation.ways import DrivenWays, majority

from .isles_world import TEST_SPLITS, Drive, IslesWorld


@dataclass(frozen=True)
class DriveSplit:
    """Where a drive belongs.

    Args:
        split: its frames' majority.
        frames: (T,) of each frame.
    """

    split: str
    frames: tuple[str, ...]


def splits_of(world: IslesWorld, *splits: str) -> dict[str, DriveSplit]:
    """By a test drive's name, how it lies to the world's training drives.

    Args:
        world: with its truths.
        splits: of the drives asked about; none: all test drives.
    """
    ways = DrivenWays.of_tracks([drive.sequence.lat_lon_deg for drive in world.of("train")])
    return {drive.sequence.name: split_of(drive, ways) for drive in world.of(*(splits or TEST_SPLITS))}


def split_of(drive: Drive, ways: DrivenWays) -> DriveSplit:
    """How one drive lies to training."""
    frames = ways.frames(drive.sequence.lat_lon_deg)
    return DriveSplit(majority(frames), frames)
