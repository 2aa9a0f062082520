"""Makes flights and a database of reference images for the plugin's tests; run by the engine's interpreter.

    python tests/qgis/reference_inputs.py DIR

DIR gets ``flights`` with ``flight00.mp4`` to ``flight02.mp4`` and their tracks, ``unknown.mp4``, which flies near the second one, and ``field``, a private
database of the three: too few for a probability.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.world_maker import aoi_text, fly, ground
from vidtag_engine.command_arguments import ReferenceArguments
from vidtag_engine.commands.reference import run_reference


def main(folder: Path) -> None:
    """Write everything."""
    flights, world = folder / "flights", ground()
    flights.mkdir()
    for number in range(3):
        y_m = 80.0 + 110.0 * number
        fly(flights / f"flight{number:02d}.mp4", [(40.0, y_m), (360.0, y_m + 5.0)], 16, world=world)
    fly(folder / "unknown.mp4", [(60.0, 192.0), (340.0, 194.0)], 12, world=world)
    run_reference(ReferenceArguments(output=str(folder / "field"), videos=[str(flights)], aoi=aoi_text(), resolution_m=10.0, width=24))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
