"""The simulated isles as CityGuessr sees them, on two levels of detail: the isle as the city (as in the paper), and its districts, which are harder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vidtag_engine.datasets import PlaceLabels
from vidtag_engine.models.city_table import CityTable
from vidtag_engine.training.city_data import Chain, LabelledVideo, of_sequence, table_from_videos
from vidtag_engine.types import IntArray

from .isles_world import TEST_SPLITS, Drive, IslesWorld

DETAILS = ("isle", "district")


@dataclass(frozen=True)
class CityWorld:
    """Drives with the names of one level of detail.

    Args:
        world: with drives whose labels are these.
        own: the world as it is.
        table: of the training drives' cities.
    """

    world: IslesWorld
    own: IslesWorld
    table: CityTable

    def videos(self, *splits: str, isles: Sequence[str] | None = None) -> list[LabelledVideo]:
        """The drives of splits, of some isles or all."""
        return [video_of(drive) for drive in self.drives(*splits, isles=isles)]

    def drives(self, *splits: str, isles: Sequence[str] | None = None) -> list[Drive]:
        """Those of cities that training knows; the districts of a test drive may be none of them."""
        known = {self.table.chain_names(city) for city in range(len(self.table))}
        return [drive for drive in self.world.of(*splits) if chain_of(drive) in known and (isles is None or drive.isle in isles)]

    def test(self) -> list[Drive]:
        """What results are reported on."""
        return self.drives(*TEST_SPLITS)

    def truth(self, drives: Sequence[Drive]) -> IntArray:
        """(V,) numbers of the drives' cities."""
        number = {self.table.chain_names(city): city for city in range(len(self.table))}
        return np.array([number[chain_of(drive)] for drive in drives])


def city_world(world: IslesWorld, detail: str) -> CityWorld:
    """A world on a level of detail."""
    own = world
    if detail == "isle":
        drives = tuple(replace(drive, labels=replace(drive.labels, city=drive.isle.replace("-", " ").title())) for drive in world.drives)
        # Stored trainings of the one must not be taken for those of the other.
        world = replace(world, drives=drives, digest=f"{world.digest} isles as cities")
    return CityWorld(world, own, table_from_videos([video_of(drive) for drive in world.of("train")]))


def chain_of(drive: Drive) -> Chain:
    """Names of a drive's city and what it lies in."""
    labels: PlaceLabels = drive.labels
    return (str(labels.city), str(labels.state), str(labels.country), str(labels.continent))


def video_of(drive: Drive) -> LabelledVideo:
    """A drive as CityGuessr's training takes it."""
    return of_sequence(drive.sequence, chain_of(drive), drive.scene)
