"""What a broken-off training needs to go on: tensors in safetensors, the rest in JSON, each written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ..atomic import replacing, write_text


def write_json(path: Path, value: Any, kind: str | None = None, *, overwrite: bool = False) -> None:
    """Write JSON whole or not at all; arguments and errors as for :func:`~vidtag_engine.atomic.replacing`."""
    write_text(path, json.dumps(value, indent=1), kind, overwrite=overwrite)


def optimiser_tensors(model: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's state by the parameters' names."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return {
        f"optimiser.{names[id(parameter)]}.{key}": torch.as_tensor(value).detach().cpu().contiguous()
        for parameter, entries in optimiser.state.items()
        for key, value in entries.items()
    }


def restore_optimiser(model: nn.Module, optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put back what :func:`optimiser_tensors` gave."""
    parameters = dict(model.named_parameters())
    for full_name, value in tensors.items():
        if not full_name.startswith("optimiser."):
            continue
        name, key = full_name.removeprefix("optimiser.").rsplit(".", 1)
        parameter = parameters[name]
        optimiser.state[parameter][key] = value if key == "step" else value.to(parameter.device)


class TrainingState:
    """A folder's saved stages, one pair of files a stage; a stage whose last step is saved is finished and only loaded.

    Args:
        folder: of the run; made if absent.
        run_key: digest of settings and data: a state of another run is never continued.
    """

    def __init__(self, folder: Path, run_key: str) -> None:
        self.folder, self.run_key = folder, run_key
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, stage: str, meta: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        """Save a stage. The tensors' file names its own step, so that a crash between the two files shows."""
        path = self.folder / f"{stage}.safetensors"
        with replacing(path) as part:
            save_file(tensors, part, metadata={"step": str(meta["step"])})
        write_json(self.folder / f"{stage}.json", {"run_key": self.run_key, **meta})

    def load(self, stage: str) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
        """A saved stage; None where there is none, or it is another run's or damaged."""
        path = self.folder / f"{stage}.safetensors"
        try:
            meta = json.loads((self.folder / f"{stage}.json").read_text(encoding="utf-8"))
            if meta.get("run_key") != self.run_key:
                return None
            with safe_open(path, framework="pt") as handle:
                label = handle.metadata() or {}
            return (meta, load_file(path)) if label.get("step") == str(meta["step"]) else None
        except (OSError, ValueError, KeyError, SafetensorError):
            return None
