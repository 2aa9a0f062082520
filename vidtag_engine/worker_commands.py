"""What a worker can be asked: for each command a function from its request to its answer. Nothing heavy is imported before one is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import command_arguments
from .worker_job import Job


def _geolocate(job: Job) -> dict[str, Any]:
    arguments = job.arguments(command_arguments.GeolocateArguments)
    from .geolocation import run_geolocate
    from .video import find_videos

    files: list[str] = []
    for path in map(Path, arguments.videos):
        files += [str(found) for found in find_videos(path, recursive=True)] if path.is_dir() else [str(path)]
    arguments = replace(arguments, videos=files)
    return run_geolocate(arguments, feedback=job.feedback, partial=job.partial, log=job.log, warm=job.keeper.warm)


def _heatmap(job: Job) -> dict[str, Any]:
    arguments = job.arguments(command_arguments.HeatmapArguments)
    from .heatmap import run_heatmap

    return run_heatmap(arguments, feedback=job.feedback, log=job.log, warm=job.keeper.warm)


def _reference(job: Job) -> dict[str, Any]:
    arguments = job.arguments(command_arguments.ReferenceArguments)
    from .commands.reference import run_reference

    return run_reference(arguments, feedback=job.feedback, log=job.log)


def _reference_layer(job: Job) -> dict[str, Any]:
    arguments = job.arguments(command_arguments.ReferenceLayerArguments)
    from .commands.reference import run_layer

    return run_layer(arguments, feedback=job.feedback)


def _doctor(job: Job) -> dict[str, Any]:  # noqa: ARG001 - every command takes its job
    from .commands.doctor import run_doctor

    return run_doctor()


def _status(job: Job) -> dict[str, Any]:
    return job.keeper.warm.status()


def _gallery(job: Job) -> dict[str, Any]:
    arguments = job.arguments(command_arguments.GalleryArguments)
    from .commands.gallery import run_gallery

    return run_gallery(arguments, feedback=job.feedback)


def _evaluate(job: Job) -> dict[str, Any]:
    arguments = job.arguments(command_arguments.EvaluateArguments)
    from .commands.evaluate import run_evaluate

    return run_evaluate(arguments, feedback=job.feedback)


def _export(job: Job) -> dict[str, Any]:
    arguments = job.arguments(command_arguments.ExportArguments)
    from .commands.export import run_export

    return run_export(arguments, feedback=job.feedback)


def _report(job: Job) -> dict[str, Any]:
    arguments = job.arguments(command_arguments.ReportArguments)
    from .commands.report import run_report

    return run_report(arguments, feedback=job.feedback)


def _solve(job: Job) -> dict[str, Any]:
    arguments = job.arguments(command_arguments.SolveArguments)
    from .commands.pin import pin_from
    from .commands.solve import run_solve

    pins = None if arguments.pins is None else [pin_from(pin) for pin in arguments.pins]
    output = Path(arguments.output) if arguments.output else None
    return run_solve(Path(arguments.result), output=output, pins=pins, overwrite=arguments.overwrite, feedback=job.feedback)


def _pin(job: Job) -> dict[str, Any]:
    arguments = job.arguments(command_arguments.PinArguments)
    from .commands.pin_actions import run_pin_action

    return run_pin_action(arguments)


def _review(job: Job) -> dict[str, Any]:
    arguments = job.arguments(command_arguments.ReviewArguments)
    from .commands.review import run_review

    return run_review(arguments)


def _landmarks(job: Job) -> dict[str, Any]:
    arguments = job.arguments(command_arguments.LandmarksArguments)
    from .commands.landmarks import run_landmarks

    return run_landmarks(arguments)


def _places(job: Job) -> dict[str, Any]:
    arguments = job.arguments(command_arguments.PlacesArguments)
    from .commands.places import PlacesSession, run_places

    job.keeper.places = job.keeper.places or PlacesSession()
    return run_places(arguments, session=job.keeper.places)


def _match(job: Job) -> dict[str, Any]:
    arguments = job.arguments(command_arguments.MatchArguments)
    from .commands.match import run_match

    return run_match(
        Path(arguments.result), arguments.roads, output=Path(arguments.output) if arguments.output else None, layer=arguments.layer,
        crs=arguments.crs, answer=arguments.answer, overwrite=arguments.overwrite, feedback=job.feedback,
    )  # fmt: skip


def _train(job: Job) -> dict[str, Any]:
    arguments = job.arguments(command_arguments.TrainArguments)
    from .commands.train import run_train

    return run_train(arguments, feedback=job.feedback, log=job.log)


def _guess(job: Job) -> dict[str, Any]:
    arguments = job.arguments(command_arguments.GuessArguments)
    from .guessing import run_guess

    return run_guess(arguments, feedback=job.feedback, partial=job.partial, load=job.keeper.warm.cities)


def _next_steps(job: Job) -> dict[str, Any]:
    arguments = job.arguments(command_arguments.NextStepsArguments)
    from .commands.status import run_status

    return run_status(Path(arguments.result) if arguments.result else None)


def _picture(job: Job) -> dict[str, Any]:
    arguments = job.arguments(command_arguments.PictureArguments)
    from .commands.picture import run_picture

    return run_picture(arguments, feedback=job.feedback)


def _thumbnails(job: Job) -> dict[str, Any]:
    arguments = job.arguments(command_arguments.ThumbnailsArguments)
    from .commands.thumbnails import run_thumbnails

    return run_thumbnails(arguments, feedback=job.feedback)


def _player(job: Job) -> dict[str, Any]:
    kinds: dict[str, type[Any]] = {
        "player-open": command_arguments.PlayerOpenArguments,
        "player-seek": command_arguments.PlayerSeekArguments,
        "player-play": command_arguments.PlayerPlayArguments,
        "player-prepare": command_arguments.PlayerPrepareArguments,
    }
    from .commands.player import answer

    job.keeper.player, value = answer(job.keeper.player, job.arguments(kinds[job.request.command]), job.tell, job.feedback)
    return value


COMMANDS: dict[str, Callable[[Job], dict[str, Any]]] = {
    "geolocate": _geolocate,
    "gallery": _gallery,
    "heatmap": _heatmap,
    "evaluate": _evaluate,
    "export": _export,
    "report": _report,
    "solve": _solve,
    "pin": _pin,
    "review": _review,
    "landmarks": _landmarks,
    "places": _places,
    "match": _match,
    "train": _train,
    "guess": _guess,
    "reference": _reference,
    "reference-layer": _reference_layer,
    "picture": _picture,
    "thumbnails": _thumbnails,
    "player-open": _player,
    "player-seek": _player,
    "player-play": _player,
    "player-prepare": _player,
    "next-steps": _next_steps,
    "doctor": _doctor,
    "status": _status,
}
