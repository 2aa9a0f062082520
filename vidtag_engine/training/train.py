"""From videos with tracks to a checkpoint: the one place where training's parts meet."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..calibration import fit_novelty, fit_temperature, typical_speed_mps
from ..calibration.calibrate import calibrate_path, fit_abstention
from ..datasets import Dataset
from ..datasets.training_sequence import TrainingSequence
from ..feedback import Feedback
from ..file_marks import mark_of
from ..grid import AreaOfInterest, Grid, make_grid
from ..models.checkpoint import WEIGHTS_FILE, CheckpointCard, save_pretrained
from ..models.checkpoint_references import clear_orphans, opened
from ..models.device import pick_device
from ..models.frame_encoder import FrameEncoder
from ..models.geoclip import warm_start
from ..models.location_encoder import SIGMA_PRESETS, sigma_for_extent
from ..models.reference_database import ReferenceDatabase
from ..models.vidtag import VidTAG, VidTAGConfig
from ..reference.similarity import NEIGHBOURS
from ..search import HeldGallery, measure_smoothness, posterior_mass
from ..trajectory import LEAST_VIDEOS, UNFITTED_WEIGHT, Calibration, DatabaseWeight, PathCalibration, TrainingGround
from ..truth_offset import TruthOffset, offset_of
from ..types import InputError
from .card import card_of
from .checks import check_output, check_sources
from .curve import draw_curve
from .dataset import split_sequences
from .encode_features import FeatureOptions, encoder_for
from .features import FeatureStore, Source, load_sequences
from .kept_references import keep
from .settings import TrainSettings
from .start import reach_m, remember, start_projection
from .state import TrainingState, write_json
from .streets import hold_out_streets
from .trainer import PhaseRun, Retrieval, Trainer

# More points than this make each validation slower than the steps between two.
_MAX_GRID_POINTS = 60_000
CALIBRATION_RADII = (5.0, 10.0, 20.0)  # times the resolution
_MAX_SCORES = 100_000_000  # frames times grid points held at once to calibrate on


@dataclass(frozen=True)
class TrainResult:
    """A finished run: where the checkpoint lies, its card, the log's rows, and what was added to the truths' clocks, where that was asked for."""

    folder: Path
    card: CheckpointCard
    rows: list[dict[str, Any]]
    truth_offsets: tuple[TruthOffset, ...] = ()


class _Stages:
    """What each stage is given of the whole's feedback."""

    def __init__(self, feedback: Feedback, weights: dict[str, float]) -> None:
        self.feedback = feedback
        self.weights = {name: weight / sum(weights.values()) for name, weight in weights.items()}

    def of(self, stage: str) -> Feedback:
        """One stage's part of it."""
        before = sum(w for n, w in list(self.weights.items())[: list(self.weights).index(stage)])
        return self.feedback.part(before, before + self.weights[stage])


def resolve_sigma(sigma: str | tuple[float, ...], aoi: AreaOfInterest, resolution_m: float) -> tuple[float, ...]:
    """The capsules' sigma: as given, a preset's, or the preset that fits the area's size."""
    if not isinstance(sigma, str):
        return tuple(float(s) for s in sigma)
    name = sigma_for_extent(math.sqrt(aoi.area_m2), resolution_m) if sigma == "auto" else sigma
    if name not in SIGMA_PRESETS:
        raise InputError(f"Sigma {name!r} is unknown; use auto, {', '.join(SIGMA_PRESETS)}, or numbers such as 256,2048,16384.")
    return tuple(float(s) for s in SIGMA_PRESETS[name])


def train(
    sources: Sequence[Source],
    aoi: AreaOfInterest,
    output: Path,
    settings: TrainSettings,
    *,
    validation_sources: Sequence[Source] = (),
    feature_folder: Path | None = None,
    truth_offset_s: float | str | None = None,
    encoder: FrameEncoder | None = None,
    gallery: Grid | None = None,
    dataset: Dataset | None = None,
    overwrite: bool = False,
    feedback: Feedback = Feedback(),
    log: Callable[[str, str], None] | None = None,
) -> TrainResult:
    """Train both phases and save a checkpoint in ``output``.

    Broken off or cancelled, the same call goes on where it stopped: features and states lie in ``output/training``.

    Args:
        sources: videos or image folders with their truth, or a data set's sequences.
        aoi: area that the checkpoint is for: negatives and validation come from it.
        output: checkpoint folder.
        settings: of the run.
        validation_sources: to choose the step and calibrate on; without them a part of ``sources`` is held out.
        feature_folder: where stored features lie; default ``output/training/features``.
        truth_offset_s: added to the truths' clocks; "auto" for what each video's motion says, where that is sure.
        encoder: a built one, else built from the preset.
        gallery: points to validate against and draw negatives around, else a grid over ``aoi``.
        dataset: what the sequences are of; those that cannot be read are then counted and left out, and there are no ``validation_sources``.
        overwrite: write into ``output`` also where files of a checkpoint's names there are not this tool's own.
        feedback: of the whole.
        log: called with "warning" and a sentence for what a person should look at in the tracks, before the work begins.

    Raises:
        InputError: bad sources, area or settings, each in one sentence.
        CancelledError: stopped; the state is saved.
    """
    feedback = feedback.saying("Stopped; what was done is kept, and the same command goes on from there.")
    device = pick_device(settings.device)
    check_output(output, sources, overwrite=overwrite)
    grid = gallery or _training_grid(aoi, settings.resolution_m)
    sigma = resolve_sigma(settings.sigma, aoi, settings.resolution_m)
    for note in check_sources(sources):
        if log:
            log("warning", note)
    work = output / "training"
    options = FeatureOptions.of_training(settings)
    if encoder is None:
        encoder = encoder_for(options, feedback)
    elif options.local_features != "none":
        encoder = encoder.with_local(options.local_features)
    stages = _Stages(feedback, _weights(settings))
    store = FeatureStore(
        feature_folder or work / "features",
        encoder,
        augment=settings.augment,
        views=settings.views,
        seed=settings.seed,
        rate_hz=settings.rate_hz,
        half=dataset is not None,
        truth_offset_s=offset_of(truth_offset_s),
    )
    left_out = dataset.report if dataset else None
    everything = load_sequences(store, [*sources, *validation_sources], stages.of("features"), left_out)
    sequences, given = everything[: len(everything) - len(validation_sources)], everything[len(everything) - len(validation_sources) :]
    settings = settings.model_copy(update={"sigma": sigma})
    state = TrainingState(work, _run_key(settings, everything, grid))
    training, validation, split = sequences, given, "given"
    if not given:
        training, validation, split = split_sequences(sequences, settings.validation_fraction, settings.seed)
    points = np.concatenate(list(grid.chunks()))
    rows: list[dict[str, Any]] = []

    def trainer(on: list[TrainingSequence], against: list[TrainingSequence]) -> Trainer:
        model, fixed = new_model(settings, device, on)
        return Trainer(model, on, against, points, settings, state=state, feedback=feedback, fixed=fixed)

    chosen = trainer(training, validation)
    runs = _both_phases(chosen, "", settings.phase1.steps, settings.phase2.steps, stages, rows)
    unlike: tuple[Trainer, NDArray[np.bool_]] | None = None
    if split != "block" and len(validation) >= LEAST_VIDEOS and settings.hold_out_streets:
        unlike = _without_streets(chosen, validation, runs[0].kept_step, trainer, stages)
    calibration, metrics = calibrate(
        chosen,
        validation,
        settings,
        grid.area_m2,
        stages.of("confidence"),
        whole_videos=split != "block",
        unlike=unlike,
        ground=ground_of(training, settings, aoi),
    )
    metrics |= {"validation": split, "validation_frames": sum(map(len, validation))}
    for phase, run in zip(("phase1", "phase2"), runs, strict=True):
        metrics |= {f"{phase}_best_step": run.best_step, f"{phase}_kept_step": run.kept_step}
    metrics |= {"dataset": dataset.name, "split_seed": dataset.seed} if dataset else {}
    if split == "block" and settings.refit:
        chosen = trainer(sequences, [])
        _both_phases(chosen, "-refit", runs[0].kept_step, runs[1].kept_step, stages, rows)
    calibration = replace(_completed(chosen, calibration, settings), ground=ground_of(chosen.training, settings, aoi))
    card = card_of(output.name, settings, aoi, calibration, metrics, len(sequences), sum(map(len, sequences)))
    card = replace(card, smoothness=measure_smoothness(chosen.model, aoi.bounds).to_dict())
    card = _saved(chosen, output, card, settings, overwrite=overwrite)
    record: dict[str, Any] = {"settings": settings.model_dump(), "metrics": metrics, "calibration": calibration.to_dict(), "rows": rows}
    if truth_offset_s is not None:
        record["truth_offsets"] = [done.to_dict() for done in store.truth_offsets]
    write_json(output / "log.json", {"generator": mark_of("log"), **record}, "log", overwrite=overwrite)
    draw_curve(rows, output / "curve.png", overwrite=overwrite)
    return TrainResult(output, card, rows, tuple(store.truth_offsets))


def _saved(trainer: Trainer, output: Path, card: CheckpointCard, settings: TrainSettings, *, overwrite: bool) -> CheckpointCard:
    """Save with the reference images, which are there before the card that names them. Errors as of :func:`train`."""
    model = trainer.model
    clear_orphans(output)  # of a process that ended between the two
    if isinstance(model.memory, ReferenceDatabase):
        kept = keep(output, model.memory, trainer.training, model.config.frame_encoder, settings.resolution_m, settings.local_features)
        model.remember(opened(output / WEIGHTS_FILE, kept))
        card = replace(card, references=kept)
    return save_pretrained(model, output, card, half=settings.half, overwrite=overwrite)


def _weights(settings: TrainSettings) -> dict[str, float]:
    """Rough shares of the stages in the whole time."""
    return {
        "features": 400.0,
        "phase1": settings.phase1.steps,
        "phase2": settings.phase2.steps,
        "phase1-streets": settings.phase1.steps * settings.hold_out_streets,
        "confidence": 200.0,
        "phase1-refit": settings.phase1.steps * settings.refit,
        "phase2-refit": settings.phase2.steps * settings.refit,
    }


def _without_streets(
    chosen: Trainer,
    validation: list[TrainingSequence],
    steps: int,
    trainer: Callable[[list[TrainingSequence], list[TrainingSequence]], Trainer],
    stages: _Stages,
) -> tuple[Trainer, NDArray[np.bool_]] | None:
    """A like model that did not see some held-out videos' streets, and which videos these are; None where there are none to be held out.

    Phase I alone is trained, as long as the chosen model was: whole videos are decoded by its embeddings.
    """
    training, undriven = hold_out_streets(chosen.training, validation, chosen.settings.seed)
    if not undriven.any():
        return None
    second = trainer(training, [])
    second.feedback = stages.of("phase1-streets")
    second.phase1("phase1-streets", steps)
    return second, undriven


def _completed(trainer: Trainer, calibration: Calibration, settings: TrainSettings) -> Calibration:
    """With what is known without held-out videos, too: training ground, and the reference database's weight; a database that is not read is not kept."""
    if settings.remembered_width and calibration.path is None:
        speed = typical_speed_mps([(s.time_s, s.lat_lon_deg) for s in trainer.training])
        calibration = replace(
            calibration, database_weight=_unfitted_recall(trainer, settings), speed_mps=speed if math.isfinite(speed) else None
        )
    if calibration.database_weight or (calibration.path and calibration.path.database_weight):
        trainer.model.remember(trainer.model.memory or remember(trainer.training, settings, replace(trainer.feedback, progress=None)))
    else:
        trainer.model.remember(None)
    return calibration


def ground_of(training: Sequence[TrainingSequence], settings: TrainSettings, area: AreaOfInterest) -> TrainingGround:
    """What a checkpoint can speak of: the ground about its training places, and the area that further negatives were drawn from."""
    drawn_from = area.geometry if settings.negatives > 0 and settings.phase1_targets == "softened" else None
    return TrainingGround.about(np.concatenate([s.lat_lon_deg for s in training]), reach_m(training, settings), drawn_from)


def _unfitted_recall(trainer: Trainer, settings: TrainSettings) -> DatabaseWeight:
    """As frames were taken: from a street's other side they are compared where held-out videos say how much that tells. Pictures from above have no such side."""
    return DatabaseWeight(UNFITTED_WEIGHT, reach_m(trainer.training, settings), None, NEIGHBOURS)


def _both_phases(
    trainer: Trainer, suffix: str, phase1_steps: int, phase2_steps: int, stages: _Stages, rows: list[dict[str, Any]]
) -> tuple[PhaseRun, PhaseRun]:
    """Run Phase I, then Phase II, and add their rows to the log."""
    trainer.feedback = stages.of(f"phase1{suffix}")
    first = trainer.phase1(f"phase1{suffix}", phase1_steps)
    rows += first.rows
    trainer.feedback = stages.of(f"phase2{suffix}")
    second = trainer.phase2(f"phase2{suffix}", phase2_steps)
    rows += second.rows
    return first, second


def new_model(settings: TrainSettings, device: torch.device, sequences: list[TrainingSequence]) -> tuple[VidTAG, frozenset[str]]:
    """A model with the seed's own start, and the parts of it that stay as they are; a first layer that narrows starts from the training features."""
    torch.manual_seed(settings.seed)
    config = VidTAGConfig.preset(
        settings.preset,
        sigma=tuple(settings.sigma),  # type: ignore[arg-type]
        tempgeo_layers=settings.tempgeo_layers,
        georefiner=settings.phase2.steps > 0,
        dropout=settings.dropout,
        feature_dropout=settings.feature_dropout,
        lone_frames=settings.lone_frames,
        residual=settings.residual,
    )
    model = VidTAG(config)
    if settings.warm_start and settings.preset == "vidtag-l14":
        warm_start(model.location_encoder)
    stays = isinstance(model.projection, torch.nn.Linear) and start_projection(model.projection, sequences, settings)
    return model.to(device), frozenset({"projection"} if stays else ())


def _training_grid(aoi: AreaOfInterest, resolution_m: float) -> Grid:
    """The area's grid, coarser where it would have too many points to retrieve from at each validation."""
    coarse_m = math.sqrt(aoi.area_m2 / _MAX_GRID_POINTS) * 1.02
    # Far too many need not be planned first.
    grid = make_grid(aoi, resolution_m if resolution_m > coarse_m / 4 else coarse_m)
    return grid if grid.count <= _MAX_GRID_POINTS else make_grid(aoi, coarse_m)


def _settings_key(settings: TrainSettings) -> str:
    """What is trained does not depend on what is kept beside it; and a run that an earlier version began goes on."""
    return settings.model_dump_json(exclude={"device", "local_features"})


def _run_key(settings: TrainSettings, sequences: list[TrainingSequence], grid: Grid) -> str:
    """Digest of what a run is made from; a saved state of another run is not continued."""
    digest = hashlib.sha256(_settings_key(settings).encode())
    digest.update(grid.digest.encode())
    for sequence in sequences:
        digest.update(np.ascontiguousarray(sequence.features[:, :1]).tobytes())
        digest.update(sequence.lat_lon_deg.tobytes())
    return digest.hexdigest()


@torch.inference_mode()
def calibrate(
    trainer: Trainer,
    validation: list[TrainingSequence],
    settings: TrainSettings,
    area_m2: float,
    feedback: Feedback = Feedback(),
    *,
    whole_videos: bool = True,
    unlike: tuple[Trainer, NDArray[np.bool_]] | None = None,
    ground: TrainingGround | None = None,
) -> tuple[Calibration, dict[str, Any]]:
    """Fit the confidence's temperature on validation frames and how whole videos are decoded, and say how well they were placed.

    Args:
        trainer: with the trained model.
        validation: held out; may be none.
        settings: of the training.
        area_m2: that its gallery covers.
        feedback: of the fit of whole videos, which takes long.
        whole_videos: those held out are videos of their own, and not blocks out of videos that were trained on, which are of one day with them.
        ground: that the checkpoint can speak of, which videos are decoded over; None is all of the training's area.
        unlike: a trained model that did not see the streets of some of them, and (V,) which, to fit how sure to be with; None: there is but one.

    Returns:
        The calibration (not fitted where there is no validation, and without how videos are decoded where too few were held out) and metrics by phase.
    """
    model = trainer.model
    if not validation:
        seen = [s.features[0] for s in trainer.training]
        known = fit_novelty(seen, [], names=[s.name for s in trainer.training], seed=settings.seed)
        return Calibration(temperature=float(1.0 / model.logit_scale.exp()), novelty=known), {}
    picks = trainer.retrieve(validation, refine=True)
    final = "phase2" if model.has_refiner else "phase1"
    metrics: dict[str, Any] = {
        f"{which}_median_m": round(float(np.median(picks.errors_m(validation, which))), 2) for which in {"phase1", final}
    }
    everything = validation
    validation, picks = _few(validation, picks, _MAX_SCORES // len(trainer.area.points))
    errors_m = picks.errors_m(validation, final)
    centres = np.concatenate(picks.phase2 if model.has_refiner else picks.phase1)
    radii_m = np.asarray(CALIBRATION_RADII) * settings.resolution_m
    gallery = HeldGallery(trainer.area.points, trainer.gallery())
    frames = torch.cat([model.embed_video(torch.from_numpy(s.features[0])) for s in validation])
    # Phase I's scores, around the final picks: they compare the picture with every place. Phase II's compare a place with places, and look alike whether or not
    # the picture has ever been seen.
    calibration = fit_temperature(
        lambda temperatures: posterior_mass(frames, gallery, centres, radii_m.tolist(), temperatures.tolist()).swapaxes(1, 2),
        errors_m[:, None] <= radii_m[None],
        radii_m=radii_m,
    )
    calibration = replace(calibration, videos=len(everything) if whole_videos else 0)
    fitted_with, undriven = unlike or (trainer, None)
    model = fitted_with.model
    if settings.remembered_width:
        model.remember(remember(fitted_with.training, settings, feedback.part(0.0, 0.05)))
        if unlike is not None:
            trainer.model.remember(remember(trainer.training, settings))
        feedback = feedback.part(0.05, 1.0)
    points, spacing_m = trainer.area.points, math.sqrt(area_m2 / len(trainer.area.points))
    cover = points[ground.knows(points, spacing_m)] if ground else points, spacing_m
    options: dict[str, Any] = {
        "reach_m": reach_m(trainer.training, settings),
        "seed": settings.seed,
        "feedback": feedback,
    }
    if calibration.videos < LEAST_VIDEOS:
        database_weight = _unfitted_recall(trainer, settings) if settings.remembered_width else None
        out_of_area, novelty = fit_abstention(model, *cover, trainer.training, everything, database_weight=database_weight, **options)
        return replace(calibration, out_of_area=out_of_area, novelty=novelty), metrics

    def fitted(of: VidTAG, share: Feedback, **more: Any) -> PathCalibration:
        return calibrate_path(
            of, *cover, trainer.training, everything, temperature=calibration.temperature, either_way=settings.layout and settings.either_way,
            sectors=settings.sectors, in_sequence=settings.in_sequence, likelihood_ratios=settings.likelihood_ratios, **options | {"feedback": share} | more,
        )  # fmt: skip

    if unlike is None:
        return replace(calibration, path=fitted(model, feedback)), metrics
    # What will answer decides how scores are read and lines are sought; what that means on streets that nobody drove, the model that did not see them.
    like = fitted(trainer.model, feedback.part(0.0, 0.5))
    path = fitted(model, feedback.part(0.5, 1.0), undriven=undriven, like=like)
    return replace(calibration, path=path), metrics


def _few(validation: list[TrainingSequence], picks: Retrieval, most_frames: int) -> tuple[list[TrainingSequence], Retrieval]:
    """Sequences evenly out of all, with at most about so many frames; all of them where they are few."""
    stride = -(-sum(map(len, validation)) // max(1, most_frames))
    return validation[::stride], Retrieval(picks.phase1[::stride], picks.phase2[::stride])
