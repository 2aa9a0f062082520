"""How long and how fast a row is trained: until neither another learning rate nor twice the steps would give it more. The same for every row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

GAIN_POINTS = 1.0  # of accuracy, below which twice the steps are not worth it
_WIDENED = 3  # times that a grid of rates grows on a side

Score = Callable[[float, int], float]
"""Accuracy in per cent of a peak learning rate and a number of steps."""


def rate_at(number: int) -> float:
    """Rates a factor of about 3 apart: 1e0, 3e0, 1e1 and so on; the number of 1e-4 is -8."""
    return float(f"{3 if number % 2 else 1}e{number // 2}")


RATES = tuple(range(-9, -3))  # numbers of 3e-5 to 1e-2


@dataclass(frozen=True)
class End:
    """Where a row's training ends.

    Args:
        rate, steps: chosen.
        accuracy: that they gave, in per cent.
        bracketed: whether the rate did better than one on either side of it with these steps.
        enough: whether twice the steps gained less than a point; not where the budget ended before.
        tried: rate, steps and accuracy of all trainings.
    """

    rate: float
    steps: int
    accuracy: float
    bracketed: bool
    enough: bool
    tried: tuple[dict[str, float], ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**self.__dict__, "tried": list(self.tried)}


def to_the_end(score: Score, first_steps: int, most_steps: int, rates: Sequence[int] = RATES, gain: float = GAIN_POINTS) -> End:
    """Choose rate and steps by accuracy on held-out drives.

    All rates are tried with the first number of steps; the grid is widened until the best lies inside. With that rate the steps are doubled until this gains less
    than ``gain`` points. As longer trainings want other rates, its neighbours are then tried with as many steps; if one of them is better, all goes on from there.

    Args:
        score: trains a row and gives its accuracy; asked for the same again and again.
        first_steps: of the first trainings.
        most_steps: that any training may take.
        rates: numbers of :func:`rate_at`.
        gain: points.
    """
    known: dict[tuple[int, int], float] = {}

    def of(number: int, steps: int) -> float:
        if (number, steps) not in known:
            known[number, steps] = score(rate_at(number), steps)
        return known[number, steps]

    steps = first_steps
    best, bracketed = _bracketed(of, list(rates), steps)
    while True:
        enough = False
        while 2 * steps <= most_steps and not enough:
            enough = of(best, 2 * steps) - of(best, steps) < gain
            steps = steps if enough else 2 * steps
        chosen = best
        if steps > first_steps:
            best, bracketed = _bracketed(of, [best - 1, best, best + 1], steps)
        if best == chosen:
            break
    tried = tuple({"rate": rate_at(number), "steps": count, "accuracy": round(value, 3)} for (number, count), value in known.items())
    return End(rate_at(best), steps, round(of(best, steps), 3), bracketed, enough, tried)


def _bracketed(of: Callable[[int, int], float], numbers: list[int], steps: int) -> tuple[int, bool]:
    """The number of the best rate, of equals the lowest; and whether it lies inside of those that were tried."""
    for _ in range(2 * _WIDENED):
        best = max(numbers, key=lambda number: (of(number, steps), -number))
        if best == numbers[0]:
            numbers.insert(0, best - 1)
        elif best == numbers[-1]:
            numbers.append(best + 1)
        else:
            return best, True
    return max(numbers, key=lambda number: (of(number, steps), -number)), False
