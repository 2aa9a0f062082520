"""The worker's command "pin": set, list, change and remove pins, with answers that JSON can say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..command_arguments import PinArguments
from ..export.pins import PinRow
from ..export.review_file import review_path
from ..types import InputError
from .pin import list_pins, pin_from, remove_meant, run_change, run_pin, run_remove

ACTIONS = ("add", "list", "change", "remove")


def pin_values(pin: PinRow) -> dict[str, Any]:
    """A pin as JSON has it, with its kind."""
    return {**vars(pin), "when": pin.when.isoformat() if pin.when else None, "kind": pin.kind}


def run_pin_action(arguments: PinArguments) -> dict[str, Any]:
    """Do what ``action`` says.

    Returns:
        ``review``, the path of the review file, and ``pin`` (as it was written, is now or was), or ``pins`` of "list". After "add" also the pin's
        ``number``, ``time_s`` and ``video``.

    Raises:
        InputError: the pin does not fit, there is none, or the review file cannot be written.
    """
    result = Path(arguments.result)
    said: dict[str, Any] = {"review": str(review_path(result))}
    if arguments.action == "list":
        return {**said, "pins": [pin_values(pin) for pin in list_pins(result)]}
    if arguments.action == "remove":
        if arguments.pin is None or arguments.number is None:
            return {**said, "pin": pin_values(run_remove(result, arguments.number))}
        gone = remove_meant(result, arguments.number, arguments.pin)
        return {**said, "pin": arguments.pin if gone is None else pin_values(gone)}
    if arguments.action not in ACTIONS:
        raise InputError(f"Pins know no {arguments.action!r}: choose {', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}.")
    if not arguments.pin or (arguments.action == "change" and arguments.number is None):
        raise InputError(
            f"It is not said what to {arguments.action}: give the pin{'' if arguments.action == 'add' else ' and its number'}."
        )
    if arguments.action == "change" and arguments.number is not None:
        return {**said, "pin": pin_values(run_change(result, arguments.number, arguments.pin))}
    written = run_pin(result, pin_from(arguments.pin))
    return {**said, "number": written.number, "time_s": written.time_s, "video": written.video, "pin": pin_values(written)}
