"""Videos of the simulated isles decoded as the engine does it: one model, one cover, every test drive. What `decoder`, `calibration` and `abstention` share."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import shapely
import torch
from numpy.typing import NDArray

from vidtag_engine.batch import compiled_folder
from vidtag_engine.calibration.calibrate import calibrate_path
from vidtag_engine.cli.terminal import progress_bar
from vidtag_engine.datasets.training_sequence import TrainingSequence
from vidtag_engine.feedback import Feedback
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.inference import Emissions, PosteriorDecoder, ScoredPlaces
from vidtag_engine.models.frame_encoder import FrameEncoder, build_frame_encoder
from vidtag_engine.models.place_recognizer import PlaceRecognizer, PlaceRecognizerConfig
from vidtag_engine.models.reference_database import ReferenceDatabase
from vidtag_engine.models.vidtag import VidTAG
from vidtag_engine.training import TrainSettings
from vidtag_engine.training.start import reach_m, remember, start_projection
from vidtag_engine.training.streets import hold_out_streets
from vidtag_engine.training.trainer import Trainer
from vidtag_engine.trajectory import UNFITTED_TEMPERATURE, Calibration, Decoded, Decoder, PathCalibration, TrainingGround
from vidtag_engine.types import FloatArray, ProgressCallback

from .code_digest import code_digest
from .isles_settings import BUDGETS, RESOLUTION_M, VALIDATION_RESOLUTION_M
from .isles_world import RUNS, Drive, load_world, make_world, sequences_of, world_folder
from .tables.lab import Lab
from .tables.rows import SHIPPED
from .tables.runs import Run
from .tables.store import Entry

# Whatever stands in these decides the lines.
_CODE = code_digest(
    "vidtag_engine/trajectory",
    "vidtag_engine/inference",
    "vidtag_engine/calibration",
    "vidtag_engine/training/start.py",
    "vidtag_engine/training/streets.py",
    "vidtag_engine/models/reference_database.py",
    "benchmarks/isles_paths.py",
)


@dataclass(frozen=True)
class Paths:
    """A trained model, calibrated on the world's held-out drives, over one cover of all isles.

    Args:
        lab: whose world and model.
        model: ours.
        lat_lon_deg: (M, 2) the gallery that results are reported on.
        cover: its scores.
        calibration: fitted on the validation drives, and those held out for it alone, over the same gallery.
        decoder: over the cover.
        whole: the calibration as a checkpoint has it, with the training ground.
    """

    lab: Lab
    model: VidTAG | PlaceRecognizer
    lat_lon_deg: FloatArray
    cover: ScoredPlaces
    calibration: PathCalibration
    decoder: Decoder
    whole: Calibration

    def solver(self, lat_lon_deg: FloatArray | None = None) -> PosteriorDecoder:
        """What ships, over the gallery, or over a part of it as the area to be searched."""
        places = self.lat_lon_deg if lat_lon_deg is None else lat_lon_deg
        area: Any = _Area(self.model, places, self.decoder.spacing_m)
        return PosteriorDecoder(self.model, area, self.whole)

    def isle_of_places(self) -> NDArray[np.str_]:
        """(M,) the isle that each place of the gallery lies on: its box's middle is the nearest, and isles lie far apart."""
        world = self.lab.world
        middles = np.array([[(box[1] + box[3]) / 2, (box[0] + box[2]) / 2] for box in (world.areas[name].bounds for name in world.isles)])
        apart_m = haversine_m(self.lat_lon_deg[:, :1], self.lat_lon_deg[:, 1:], middles[:, 0], middles[:, 1])
        return np.array(world.isles)[apart_m.argmin(axis=1)]

    def isle_solvers(self) -> dict[str, PosteriorDecoder]:
        """What ships, over each isle by itself."""
        isle = self.isle_of_places()
        return {name: self.solver(self.lat_lon_deg[isle == name]) for name in self.lab.world.isles}

    def seen(self, drive: Drive) -> Emissions:
        """A drive's frames, as a solver reads them."""
        return Emissions(self.model, drive.sequence.seen, time_s=drive.sequence.time_s)

    def scores(self, drive: Drive, over: ScoredPlaces | None = None) -> FloatArray:
        """(T, M) over the cover, or over other places."""
        found: FloatArray = self.seen(drive).at(over or self.cover).read(self.calibration.database_weight)(slice(0, len(drive.sequence)))
        return found

    def decoded(self, drives: Sequence[Drive]) -> Iterator[Decoded]:
        """Each drive's posterior and line."""
        for drive in drives:
            yield self.decode(drive, self.scores(drive))

    def decode(self, drive: Drive, scores: FloatArray) -> Decoded:
        """A drive's posterior and line from its scores over the cover."""
        fitted = self.calibration
        return self.decoder.decode(
            scores, drive.sequence.time_s, fitted.emission, accuracy_m=fitted.accuracy_m, line_emission=fitted.line_emission
        )


class _Area:
    """An area to search that is given by places of an even cover: the part of a search that whole videos are decoded over."""

    def __init__(self, model: VidTAG | PlaceRecognizer, lat_lon_deg: FloatArray, spacing_m: float) -> None:
        score = ScoredPlaces.embedded(model, lat_lon_deg, spacing_m, None).score
        self._cover = SimpleNamespace(lat_lon_deg=lat_lon_deg, spacing_m=spacing_m, score=score)
        self.grid = SimpleNamespace(resolution_m=spacing_m)

    def cover(self) -> Any:
        """The places and what scores frames over them."""
        return self._cover


def open_lab(seed: int | str, *, quick: bool, world: Path | None, layout: bool = False) -> tuple[Lab, FrameEncoder]:
    """The world of a seed, made where it is absent, or a rendered one, and its encoder; ``layout``: which also says what stands where in a picture."""
    size = "quick" if quick else "full"
    folder = world or world_folder(str(seed), size)
    if world is None:
        make_world(folder, str(seed), size)
    encoder = build_frame_encoder("vidtag-compact", compiled_folder=compiled_folder(), layout=layout)
    with progress_bar() as bar:
        isles = load_world(folder, encoder, bar, calibration=True)
        return Lab(isles, BUDGETS[size], RUNS, bar), encoder


Reads = Literal["both", "networks", "references"]


class ReferencesAlone(PlaceRecognizer):
    """A training's frames with no network beside them: every cosine is 0.

    Args:
        memory: the frames.
        like: of whose features.
    """

    def __init__(self, memory: ReferenceDatabase, like: VidTAG) -> None:
        torch.nn.Module.__init__(self)
        self.config = PlaceRecognizerConfig(like.config.frame_encoder, like.config.feature_dim, memory.layout_dim)
        self.memory: Any = memory


def open_paths(lab: Lab, training_seed: int = 0, run: Run = SHIPPED, reads: Reads = "both") -> Paths:
    """Train ours and calibrate it, or read both from the store.

    Args:
        lab: whose world, budget and store.
        training_seed: of it.
        run: ours.
        reads: networks and references, or the ones without the others.
    """
    with _bar() as bar:
        lab.progress = bar
        model, _ = lab.train(replace(run, seed=training_seed))
    assert isinstance(model, VidTAG)
    grid = lab.world.grid(RESOLUTION_M)
    places, spacing_m = np.concatenate(list(grid.chunks())), math.sqrt(grid.area_m2 / grid.count)
    training = sequences_of(lab.world.of("train"))
    settings = run.settings(lab.budget)
    shown = _reading(model, training, settings, reads)
    reach = reach_m(training, settings)
    specification = {"calibration": made_from(lab, training_seed, run, reads)}
    entry = lab.store.get(specification)
    if entry is None:
        with _bar() as bar:
            held_out = sequences_of(lab.world.of("val", "calibration"))
            unlike, undriven, temperature = _without_streets(lab, run, training_seed, training, held_out, settings, reads)
            fitted = calibrate_path(
                unlike,
                places,
                spacing_m,
                training,
                held_out,
                temperature=temperature,
                reach_m=reach,
                undriven=undriven,
                feedback=Feedback(bar),
            )
        entry = Entry({"calibration": fitted.to_dict()}, {})
        lab.store.put(specification, entry)
    calibration = PathCalibration.from_dict(entry.values["calibration"])  # as a checkpoint holds it, whether it was fitted now or before
    decoder = Decoder(places, spacing_m, calibration.transition)
    isles = shapely.union_all([area.geometry for area in lab.world.areas.values()])
    ground = TrainingGround.about(np.concatenate([s.lat_lon_deg for s in training]), reach, isles)
    whole = Calibration(calibration.emission.temperature, n_frames=1, path=calibration, ground=ground, videos=calibration.videos)
    return Paths(lab, shown, places, ScoredPlaces.embedded(shown, places, spacing_m, reach), calibration, decoder, whole)


def _reading(model: VidTAG, training: list[TrainingSequence], settings: TrainSettings, reads: Reads) -> VidTAG | PlaceRecognizer:
    """What of a model and of what it saw is read."""
    if reads == "networks":
        return model
    memory = remember(training, settings)
    if reads == "references":
        return ReferencesAlone(memory, model).eval()
    model.remember(memory)
    return model


def _without_streets(
    lab: Lab,
    run: Run,
    training_seed: int,
    training: list[TrainingSequence],
    held_out: list[TrainingSequence],
    settings: TrainSettings,
    reads: Reads,
) -> tuple[VidTAG | PlaceRecognizer, NDArray[np.bool_], float]:
    """The like model that `vidtag train` fits confidence with, trained as long as ours was: some held-out drives' streets are not in it. And its temperature."""
    first, trained = lab.train(replace(run, seed=training_seed, refiner=None))
    assert isinstance(first, VidTAG)
    kept, undriven = hold_out_streets(training, held_out, training_seed)
    if reads == "references":  # no network is asked
        return _reading(first, kept, settings, reads), undriven, UNFITTED_TEMPERATURE
    specification = {"without_streets": made_from(lab, training_seed, run) | {"shipped": code_digest("vidtag_engine/training/streets.py")}}
    entry = lab.store.get(specification)
    settings = settings.model_copy(update={"seed": training_seed})
    torch.manual_seed(training_seed)
    model = VidTAG(first.config)
    if entry is None:
        stays = isinstance(model.projection, torch.nn.Linear) and start_projection(model.projection, kept, settings)
        points = np.concatenate(list(lab.world.grid(VALIDATION_RESOLUTION_M).chunks()))
        trainer = Trainer(model, kept, [], points, settings, fixed=frozenset({"projection"} if stays else ()))
        trainer.phase1("phase1", int(trained["kept_step"]))
        lab.store.put(specification, Entry({}, {name: tensor.detach().numpy() for name, tensor in model.state_dict().items()}))
    else:
        model.load_state_dict({name: torch.from_numpy(array) for name, array in entry.arrays.items()})
    model.eval()
    return _reading(model, kept, settings, reads), undriven, float(1.0 / model.logit_scale.detach().exp())


def _bar() -> contextlib.AbstractContextManager[ProgressCallback | None]:
    """A bar, but in the process that the terminal belongs to alone."""
    return contextlib.nullcontext() if multiprocessing.parent_process() else progress_bar()


def made_from(lab: Lab, training_seed: int, run: Run = SHIPPED, reads: Reads = "both") -> dict[str, Any]:
    """Plain values that decide how ours, trained with a seed, decodes."""
    rates = run.settings(lab.budget).model_dump(exclude={"device", "remembered_width", "layout", "seed"})
    layout = lab.world.drives[0].sequence.layout is not None
    return {
        "shipped": _CODE,
        "rates": rates,
        "seed": training_seed,
        "world": lab.world.digest,
        "layout": layout,
        "calibration": [drive.sequence.name for drive in lab.world.of("calibration")],
        "resolution_m": RESOLUTION_M,
        "reads": reads,
    } | ({"code": lab.kept.code} if lab.kept else {})
