"""Table 9: σ of the location encoder's capsules."""

from __future__ import annotations

from dataclasses import replace

from vidtag_engine.models.location_encoder import SIGMA_PRESETS

from .bench import Bench
from .rows import VIDTAG
from .runs import Run
from .table import Table
from .variants import variants_table

NUMBER = "9"
PAPER_SETS = ((0, 3, 8), (0, 4, 7), (0, 4, 8), (0, 4, 9), (0, 5, 8), (1, 4, 8), (2, 4, 8))
SETS: dict[str, tuple[float, ...]] = {
    **{", ".join(f"2^{power}" for power in powers): tuple(2.0**power for power in powers) for powers in PAPER_SETS},
    "city: 2^4, 2^8, 2^11": SIGMA_PRESETS["city"],
    "site: 2^8, 2^11, 2^14": SIGMA_PRESETS["site"],
    "2^0, 2^3, 2^8 and a finer 2^11": (1.0, 8.0, 256.0, 2048.0),
    "2^0, 2^3, 2^8 and a finer 2^13": (1.0, 8.0, 256.0, 8192.0),
}
ROWS = {
    name: VIDTAG
    if sigma == SIGMA_PRESETS["globe"]
    else replace(VIDTAG, row=f"9_sigma_{number}", options={**VIDTAG.options, "sigma": sigma})
    for number, (name, sigma) in enumerate(SETS.items())
}


def runs(bench: Bench) -> list[Run]:  # noqa: ARG001
    return list(ROWS.values())


def make(bench: Bench) -> Table:
    notes = (
        "The first is the paper's and our globe set. One wavelength on the ground is 17,244 km / σ: 67 km at 2^8, 8.4 km at 2^11, 2.1 km at 2^13. Isles of 5 to"
        " 25 km all over the globe need both ends.",
    )
    return variants_table(bench, NUMBER, "σ of the location encoder", ROWS, notes)
