"""How motion on roads is read and what its posterior means: as fitted on simulated drives (``python -m benchmarks odometry --fit``)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from importlib import resources
from typing import Any

from ..trajectory import EmissionModel, PathCalibration, TransitionModel
from .decoder import RoadModel

FILE = "fitted.json"
_CELL_M = 50.0


@dataclass(frozen=True)
class FittedRoads:
    """A model of motion on roads, and the meaning of its posterior.

    Args:
        model: how motion is read.
        path: what masses and levels of the posterior mean; nothing where it was never fitted.
        least_fit: logarithm of evidence a step, below which a way does not fit the network.
        fitted_on: in words, for the record.
    """

    model: RoadModel
    path: PathCalibration
    least_fit: float
    fitted_on: str

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"model": asdict(self.model), "path": self.path.to_dict(), "least_fit": self.least_fit, "fitted_on": self.fitted_on}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> FittedRoads:
        """Read what :meth:`to_dict` wrote; what the model has since is as it is by default."""
        known = {field.name for field in fields(RoadModel)}
        model = RoadModel(**{name: value for name, value in values["model"].items() if name in known})
        model = replace(model, speeds_mps=(float(model.speeds_mps[0]), float(model.speeds_mps[1])))
        return cls(model, PathCalibration.from_dict(values["path"]), float(values["least_fit"]), str(values["fitted_on"]))

    @classmethod
    def unfitted(cls, model: RoadModel | None = None) -> FittedRoads:
        """Of a model whose posterior nobody compared with truths."""
        path = PathCalibration(EmissionModel(1.0), TransitionModel(), 2.0 * _CELL_M, _CELL_M, 0, (), 0.5, 0.9)
        return cls(model or RoadModel(), path, float("-inf"), "")


def fitted_roads() -> FittedRoads:
    """What ships."""
    file = resources.files(__package__) / FILE
    return FittedRoads.from_dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else FittedRoads.unfitted()
