"""Ways to run a backbone on a CPU, side by side: PyTorch eager and compiled, ONNX Runtime and OpenVINO, float32, bfloat16 and int8."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vidtag_engine.models.backbones import BACKBONES
from vidtag_engine.models.openvino_backbone import CompiledBackbone, translate, without_telemetry

NETWORK = "network.xml"
Calibration = Sequence[Tensor]  # (3,h,w) pictures that int8's ranges are read off
Build = Callable[[nn.Module, Calibration, Path], nn.Module]


def eager(module: nn.Module, _calibration: Calibration, _work: Path) -> nn.Module:
    """PyTorch, float32, in our memory layout."""
    return module.to(memory_format=torch.channels_last)


def eager_bf16(module: nn.Module, _calibration: Calibration, _work: Path) -> nn.Module:
    """PyTorch, bfloat16 by autocast."""
    return _Autocast(module.to(memory_format=torch.channels_last))


def compiled(module: nn.Module, calibration: Calibration, _work: Path) -> nn.Module:
    """torch.compile, float32, weights frozen so that it may fold and repack them. It needs a C++ compiler on the user's machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # written into the code that is made; batches run side by side
    try:
        made = torch.compile(module.to(memory_format=torch.channels_last), options={"freezing": True}, dynamic=False)
        with torch.no_grad():
            made(torch.stack([calibration[0], calibration[0]]))
    finally:
        torch.set_num_threads(threads)
    return _Called(made)


def onnx(module: nn.Module, calibration: Calibration, work: Path) -> nn.Module:
    """ONNX Runtime, float32."""
    return _OnnxSession(_onnx_file(module, calibration, work))


def onnx_int8(module: nn.Module, calibration: Calibration, work: Path) -> nn.Module:
    """ONNX Runtime, int8 by static quantisation (weights a channel, activations a tensor)."""
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Pictures(CalibrationDataReader):
        def __init__(self) -> None:
            self._rest = iter(calibration)

        def get_next(self) -> dict[str, np.ndarray] | None:
            picture = next(self._rest, None)
            return None if picture is None else {"pictures": picture[None].numpy()}

    whole, ready, target = _onnx_file(module, calibration, work), work / "ready.onnx", work / "int8.onnx"
    quant_pre_process(whole, ready)
    quantize_static(ready, target, Pictures(), per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
    return _OnnxSession(target)


def openvino(module: nn.Module, calibration: Calibration, work: Path) -> nn.Module:
    """OpenVINO, float32: what is shipped for convolutional backbones."""
    return CompiledBackbone(_translated(module, calibration, work), torch.get_num_threads())


def openvino_bf16(module: nn.Module, calibration: Calibration, work: Path) -> nn.Module:
    """OpenVINO, bfloat16 where the CPU has it."""
    return CompiledBackbone(_translated(module, calibration, work), torch.get_num_threads(), "bf16")


def openvino_int8(module: nn.Module, calibration: Calibration, work: Path) -> nn.Module:
    """OpenVINO, int8 by NNCF's quantisation after training."""
    core, nncf = without_telemetry("openvino"), without_telemetry("nncf")
    network = core.Core().read_model(_translated(module, calibration, work) / NETWORK)
    quantised = nncf.quantize(network, nncf.Dataset([picture[None].numpy() for picture in calibration]), subset_size=len(calibration))
    folder = work / "int8"
    folder.mkdir()
    core.save_model(quantised, folder / NETWORK, compress_to_fp16=False)
    return CompiledBackbone(folder, torch.get_num_threads())


WAYS: dict[str, Build] = {
    "eager": eager,
    "eager_bf16": eager_bf16,
    "compile": compiled,
    "onnxruntime": onnx,
    "onnxruntime_int8": onnx_int8,
    "openvino": openvino,
    "openvino_bf16": openvino_bf16,
    "openvino_int8": openvino_int8,
}
LARGE_WAYS = ("openvino", "openvino_bf16")  # the rest takes too long or too much memory for a ViT-L/14 (eager bfloat16 minutes a picture)


def build(way: str, name: str, calibration: Calibration, work: Path, *, weights: Any = "pretrained") -> nn.Module:
    """A backbone run in one of ``WAYS``: (N,3,h,w) in, (N,D) out, callable from several threads.

    Args:
        way, name: which.
        calibration: prepared pictures.
        work: a folder for the files in between.
        weights: as for the backbones.
    """
    module = BACKBONES[name].build(weights)[0].eval().requires_grad_(False)
    work.mkdir(parents=True, exist_ok=True)
    with quiet():
        return WAYS[way](module, calibration, work)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without what the exporters say on the way."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


class _Called(nn.Module):
    """A function as a module that has a device."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self._function = function
        self.register_buffer("where", torch.empty(0), persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        return self._function(pictures)


class _Autocast(nn.Module):
    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, pictures: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            features: Tensor = self.module(pictures)
        return features.float()


class _OnnxSession(_Called):
    def __init__(self, file: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # batches run side by side
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        super().__init__(lambda pictures: torch.from_numpy(session.run(None, {"pictures": pictures.contiguous().numpy()})[0]))


def _onnx_file(module: nn.Module, calibration: Calibration, work: Path) -> Path:
    """The network in ONNX, for batches of any size."""
    file = work / "network.onnx"
    shapes = ({0: torch.export.Dim.DYNAMIC},)
    example = torch.stack([calibration[0], calibration[0]])
    program = torch.onnx.export(module, (example,), dynamo=True, input_names=["pictures"], dynamic_shapes=shapes, verbose=False)
    assert program is not None
    program.save(file)
    return file


def _translated(module: nn.Module, calibration: Calibration, work: Path) -> Path:
    """The network in OpenVINO's form."""
    translate(module, calibration[0].shape[-1], work / "openvino")
    return work / "openvino"
