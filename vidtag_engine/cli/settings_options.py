"""Options of a command that are a settings model's fields: names, defaults and help are spelled there, once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from .options import OPTION_NAMES, rate_of, time_of

_Command = TypeVar("_Command", bound=Callable[..., None])
# What the command line takes as text that people write, and what the settings make of it.
_READ: dict[str, Callable[[Any], Any]] = {"rate_hz": rate_of, "start_time": time_of}


def with_settings(model: type[BaseModel], *, after: str, only: Iterable[str] = ()) -> Callable[[_Command], _Command]:
    """Give a command, which takes ``**settings``, an option for every field of a settings model.

    Args:
        model: each field has a description, which is the option's help.
        after: the command's own parameter that they follow in its help.
        only: fields to take; empty takes all.
    """

    def decorated(command: _Command) -> _Command:
        own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
        place = [p.name for p in own].index(after) + 1
        options = [_option(name, field) for name, field in model.model_fields.items() if not only or name in only]
        parameters = [*own[:place], *options, *own[place:]]
        # Typer reads both.
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {p.name: p.annotation for p in parameters}
        return command

    return decorated


def settings_of(given: dict[str, Any]) -> dict[str, Any]:
    """The options' values as the settings take them.

    Raises:
        InputError: a rate or a time is none.
    """
    return {name: _READ[name](value) if name in _READ else value for name, value in given.items()}


def _option(name: str, field: FieldInfo) -> inspect.Parameter:
    default, kind = field.get_default(), _plain(field.annotation)
    if name == "rate_hz":
        default, kind = f"{default:g}", str
    flags = [] if name not in OPTION_NAMES and kind is not bool else [OPTION_NAMES.get(name, "--" + name.replace("_", "-"))]
    annotation: Any = Annotated[kind, typer.Option(*flags, help=field.description)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _plain(annotation: Any) -> Any:
    """The type that typer is told: choices and times are text, which the settings check."""
    if get_origin(annotation) is Literal:
        return str
    members = get_args(annotation)
    return str | None if datetime in members else annotation
