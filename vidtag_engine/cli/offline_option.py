"""The option ``--offline``, which every command has, before its name or after it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from ..offline import asked, begin

OfflineOption = Annotated[
    bool,
    typer.Option(
        "--offline", help="Open no connection: what would have to be fetched is refused, with what to put where. Or set VIDTAG_OFFLINE=1."
    ),
]


def begin_where_asked(option: bool) -> None:
    """Work offline from here on, where the option or the variable says so."""
    if option or asked():
        begin()


def give_offline(app: typer.Typer) -> None:
    """Give the option to every command of the application; after all of them are registered."""
    for group in app.registered_groups:
        if group.typer_instance is not None:
            give_offline(group.typer_instance)
    for command in app.registered_commands:
        if command.callback is not None:
            command.callback = _with_offline(command.callback)


def _with_offline(command: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(command)
    def run(*arguments: Any, offline: bool = False, **options: Any) -> Any:
        begin_where_asked(offline)
        return command(*arguments, **options)

    own = inspect.signature(command, eval_str=True)
    option = inspect.Parameter("offline", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=OfflineOption)
    parameters = [*own.parameters.values(), option]
    # Typer reads both.
    run.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run
