"""A world of stored features without pictures: several isles whose looks vary smoothly and come back, seen through each drive's light and each frame's noise."""

from dataclasses import dataclass

import numpy as np

from benchmarks.isles_world import Drive, IslesWorld, box_around
from vidtag_engine.datasets import PlaceLabels
from vidtag_engine.datasets.training_sequence import TrainingSequence
from vidtag_engine.geodesy import wrap_lon

M_PER_DEG = 111_320.0
SCENES = tuple(f"scene{n}" if n != 9 else "forest_road" for n in range(16))
CENTRES = {"north": (61.0, -27.5), "south": (-30.6, -19.5), "seam": (-19.0, 180.0)}
BACKBONES = (("efficientnet-lite0", 160), ("efficientnet-lite2", 160))


@dataclass(frozen=True)
class Maker:
    """How hard it is: half the side of a town, wavelength of looks, strength of light and noise."""

    half_m: float = 2500.0
    wavelength_m: float = 1500.0
    light: float = 0.3
    noise: float = 0.6
    isle: float = 1.0
    drives: tuple[tuple[str, int], ...] = (("train", 24), ("val", 4), ("test", 6), ("test_unseen", 2))
    frames: int = 12

    def world(self, seed: int = 0) -> IslesWorld:
        drives = [drive for number, name in enumerate(CENTRES) for drive in self._drives(name, np.random.default_rng([seed, number]), seed)]
        areas = {
            name: box_around(np.concatenate([d.sequence.lat_lon_deg for d in drives if d.isle == name and d.split == "train"]))
            for name in CENTRES
        }
        return IslesWorld(f"made-{self}-{seed}", tuple(drives), areas, BACKBONES, SCENES)

    def _drives(self, isle: str, rng: np.random.Generator, seed: int) -> list[Drive]:
        looks = np.random.default_rng([seed, 99])
        width = sum(count for _, count in BACKBONES)
        waves = looks.normal(size=(2, 32)) * 2 * np.pi / self.wavelength_m
        mixing = looks.normal(size=(64, width)) / 8
        own = rng.normal(size=width) * self.isle / np.sqrt(width) * 3
        made = []
        for split, count in self.drives:
            for number in range(count):
                metres = self._path(rng)
                phase = metres @ waves
                look = np.concatenate([np.sin(phase), np.cos(phase)], axis=1) @ mixing
                features = look + own + rng.normal(size=width) * self.light + rng.normal(size=(self.frames, width)) * self.noise
                features /= np.linalg.norm(features, axis=1, keepdims=True)
                made.append(self._drive(isle, f"{isle}-{split}-{number}", split, metres, features.astype(np.float32)))
        return made

    def _path(self, rng: np.random.Generator) -> np.ndarray:
        """(T, 2) metres east and north: a straight street, 40 m a frame."""
        start, heading = rng.uniform(-self.half_m, self.half_m, 2), rng.uniform(0, 2 * np.pi)
        if start @ [np.cos(heading), np.sin(heading)] > 0:
            heading += np.pi
        return start + 40.0 * np.arange(self.frames)[:, None] * [np.cos(heading), np.sin(heading)]

    def _drive(self, isle: str, name: str, split: str, metres: np.ndarray, features: np.ndarray) -> Drive:
        lat0, lon0 = CENTRES[isle]
        lat = lat0 + metres[:, 1] / M_PER_DEG
        lon = wrap_lon(lon0 + metres[:, 0] / (M_PER_DEG * np.cos(np.radians(lat0))))
        east = metres[:, 0].mean() > 0
        labels = PlaceLabels(f"{isle}-{'east' if east else 'west'}", isle, "here" if isle == "north" else "there", "sea")
        scene = np.full(16, 0.02)
        scene[4 if east else 9] = 0.7
        sequence = TrainingSequence(name, features[None], np.stack([lat, lon], axis=1), np.arange(self.frames, dtype=float))
        return Drive(sequence, split, isle, labels, scene)
