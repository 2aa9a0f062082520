"""Dual frame encoder (paper 3.1): frozen backbones side by side, their answers concatenated and unit-normalised."""

from __future__ import annotations

import contextlib
import copy
import functools
import itertools
import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ..feedback import Feedback
from ..types import FloatArray, InputError
from ..video.near_duplicates import Repeats
from .backbones import BACKBONES, LAYOUT, WHOLE, BackboneSpec, Weights, to_fetch
from .device import one_thread
from .openvino_backbone import CompiledBackbone, is_translated, translate, translation_folder, weights_digest
from .xfeat import XFeat, local_extractor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from numpy.typing import NDArray


def batch_size_for(device: torch.device) -> int:
    """Pictures encoded at once where nobody says: what suits the device, and on CUDA what its free memory holds."""
    size = _BATCH.get(device.type, 4)
    if device.type == "cuda":
        free_bytes, _ = torch.cuda.mem_get_info(device)
        size = max(1, min(size, free_bytes // _CUDA_PICTURE_BYTES))
    return size


@dataclass(frozen=True)
class FrameEncoderPreset:
    """Backbones in the order of concatenation; whether the answer is unit-normalised (GeoCLIP's image MLP wants CLIP's own scale)."""

    backbones: tuple[str, ...]
    unit_norm: bool


FRAME_ENCODER_PRESETS: dict[str, FrameEncoderPreset] = {
    "vidtag-l14": FrameEncoderPreset(("clip-vit-l14", "dinov2-vit-l14"), unit_norm=True),
    "vidtag-compact": FrameEncoderPreset(("efficientnet-lite0", "efficientnet-lite2"), unit_norm=True),
    "geoclip": FrameEncoderPreset(("clip-vit-l14",), unit_norm=False),
    # As above, but that the whole picture is squeezed into the square, as in the paper. "vidtag-l14" alone means what checkpoints of before were trained on.
    f"vidtag-l14{WHOLE}": FrameEncoderPreset((f"clip-vit-l14{WHOLE}", f"dinov2-vit-l14{WHOLE}"), unit_norm=True),
    "vidtag-dino-s": FrameEncoderPreset(("dinov2-vit-s14",), unit_norm=True),
    "vidtag-dino-b": FrameEncoderPreset(("dinov2-vit-b14",), unit_norm=True),
}
# Frames a forward pass. Larger ones gain nothing on a CPU and cost memory.
_BATCH = {"cuda": 32, "mps": 8, "cpu": 2}
# Of a ViT-L/14 in bfloat16, counted generously from its layers' sizes: 257 tokens of 4,096 hidden values, a few copies at once.
_CUDA_PICTURE_BYTES = 64 * 2**20
_CPU_STREAMS = 4
# Pictures after which a translation, once made, has paid for itself.
_COMPILE_AFTER = 200
_LOG = logging.getLogger(__name__)


class FrameEncoder(nn.Module):
    """Frozen backbones: pictures in, one feature vector a picture out.

    Args:
        modules: by name, in the order of concatenation.
        sources: by name, where the weights come from.
        unit_norm: whether ``forward`` normalises.
        compiled_folder: where a CPU's faster translations of the backbones are kept (see ``compiled``); None: none are made.
    """

    local: XFeat | None = None
    """What finds pictures' local features beside the backbones; ``forward`` knows nothing of them."""

    def __init__(
        self, modules: dict[str, nn.Module], sources: dict[str, str], *, unit_norm: bool = True, compiled_folder: Path | None = None
    ) -> None:
        super().__init__()
        self._compiled_folder, self._encoded = compiled_folder, 0
        self.backbone_names = tuple(modules)
        self.weights_source = dict(sources)
        self.unit_norm = unit_norm
        # channels_last makes convolutions a fifth faster on a CPU and leaves a ViT as it is.
        with one_thread():
            self.backbones = nn.ModuleList(modules.values()).to(memory_format=torch.channels_last)
        self.requires_grad_(False)
        self.eval()

    @property
    def feature_dim(self) -> int:
        """Width of the features."""
        return sum(spec.feature_dim for spec in self._specs)

    @property
    def layout_dim(self) -> int:
        """Numbers that follow the features in ``forward``'s answer and say what stands where; 0 where the encoder gives none."""
        return sum(spec.layout_dim for spec in self._specs)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(itertools.chain(self.parameters(), self.buffers())).device

    @property
    def _specs(self) -> list[BackboneSpec]:
        return [BACKBONES[name] for name in self.backbone_names]

    def train(self, mode: bool = True) -> FrameEncoder:  # noqa: ARG002
        """Stays in evaluation mode: the backbones are frozen (paper 3.1), their batch statistics too."""
        super().train(False)
        return self

    def preprocess(self, image: NDArray[np.uint8]) -> tuple[Tensor, ...]:
        """One picture, ready for each backbone.

        Shorter side to the backbone's size (bicubic, antialiased) and centre crop, or the whole picture squeezed; then the backbone's mean and deviation.

        Args:
            image: (H,W,3) uint8 RGB, upright.

        Returns:
            One (3,h,w) float32 tensor a backbone.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
            raise ValueError(f"a picture is (H, W, 3) uint8, not {image.shape} {image.dtype}")
        return tuple(_prepare(image, spec) for spec in self._specs)

    def with_local(self, kind: str, *, lazy: bool = False) -> FrameEncoder:
        """The same encoder, its networks shared, that also finds local features of a kind; with "none" or nothing one that does not.

        Args:
            kind: of :data:`.local_features.KINDS`.
            lazy: whether what finds them is opened only for the first picture, which then raises where it cannot be, or by :meth:`.xfeat.XFeat.open`.

        Raises:
            InputError: the kind's package is not installed or not the right one, or the kind is not known.
        """
        found = copy.copy(self)
        found.local = local_extractor(kind, self.device)
        if found.local is not None and not lazy:
            found.local.open()
        return found

    def repeats(self) -> Repeats:
        """Tells repeats among pictures prepared for the first backbone."""
        return Repeats(self._specs[0].std)

    @torch.no_grad()
    def forward(self, batches: tuple[Tensor, ...]) -> Tensor:
        """Features of a batch: one (N,3,h,w) tensor a backbone in, (N, feature_dim + layout_dim) float32 out. bf16 on CUDA, fp32 elsewhere."""
        device = self.device
        on_cuda = device.type == "cuda"
        # As the weights lie. OpenVINO on a CPU would only turn the pictures back.
        layout = torch.channels_last if on_cuda else torch.preserve_format
        with torch.autocast(device.type, torch.bfloat16, enabled=on_cuda):
            placed = (batch.to(device, memory_format=layout) for batch in batches)
            parts = [module(batch).float() for module, batch in zip(self.backbones, placed, strict=True)]
        widths = [spec.feature_dim for spec in self._specs]
        features = torch.cat([part[:, :width] for part, width in zip(parts, widths, strict=True)], dim=-1)
        features = F.normalize(features, dim=-1) if self.unit_norm else features
        if not self.layout_dim:
            return features
        where = torch.cat([part[:, width:] for part, width in zip(parts, widths, strict=True)], dim=-1)
        return torch.cat([features, F.normalize(where, dim=-1)], dim=-1)

    def encode_images(
        self, images: Iterable[NDArray[np.uint8]], batch_size: int | None = None, feedback: Feedback = Feedback()
    ) -> Iterator[FloatArray]:
        """Features of any number of (H,W,3) uint8 RGB pictures; else as ``encode_prepared``."""
        return self.encode_prepared(map(self.preprocess, images), batch_size, feedback)

    def encode_prepared(
        self, prepared: Iterable[tuple[Tensor, ...]], batch_size: int | None = None, feedback: Feedback = Feedback()
    ) -> Iterator[FloatArray]:
        """Features of any number of pictures, a batch at a time.

        Args:
            prepared: ``preprocess``'s answers (which any thread may have made); taken one by one, never more than a few batches are held.
            batch_size: None: what suits the device.
            feedback: asked to stop before every batch.

        Yields:
            (n, feature_dim + layout_dim) float32.

        Raises:
            CancelledError: once ``feedback`` says so.
        """
        size = batch_size or batch_size_for(self.device)
        source = iter(prepared)
        batches = iter(lambda: list(itertools.islice(source, size)), [])
        compile_after = 0 if all(folder and is_translated(folder) for folder in self._translations()) else _COMPILE_AFTER
        with _streams(self.device) as pool:
            under_way: deque[Future[FloatArray]] = deque()
            for batch in batches:
                feedback.check()
                self._encoded += len(batch)
                if self._compiled_folder is not None and self._encoded > compile_after:
                    while under_way:
                        yield under_way.popleft().result()
                    self.compile_backbones()
                under_way.append(pool.submit(self._encode, batch))
                if len(under_way) == pool.width:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()

    def compile_backbones(self) -> None:
        """From here on in OpenVINO what is faster there: translated once, then loaded. What cannot be stays as it is; off a CPU nothing changes."""
        for number, (name, folder) in enumerate(zip(self.backbone_names, self._translations(), strict=True)):
            if folder is None or isinstance(self.backbones[number], CompiledBackbone):
                continue
            try:
                if not is_translated(folder):
                    translate(self.backbones[number], BACKBONES[name].size_px, folder)
                self.backbones[number] = CompiledBackbone(folder, torch.get_num_threads())
            except (OSError, InputError, RuntimeError, ImportError) as error:
                _LOG.info("%s stays in PyTorch: %s", name, error)
        self._compiled_folder = None

    def rest(self) -> None:
        """Give back the memory that only encoding needs; the next picture takes it again. Not while one is being encoded."""
        for backbone in self.backbones:
            if isinstance(backbone, CompiledBackbone):
                backbone.rest()

    def _translations(self) -> list[Path | None]:
        """The folder of each backbone's translation; None where there is to be none."""
        cache = self._compiled_folder if self.device.type == "cpu" else None
        if not cache:
            return [None for _ in self.backbone_names]
        return [
            translation_folder(cache, name, BACKBONES[name].source, self._digests.get(name, "")) if BACKBONES[name].compiles else None
            for name in self.backbone_names
        ]

    @functools.cached_property
    def _digests(self) -> dict[str, str]:
        """By name, of translated backbones' weights that no version tells from others; asked for before they are translated, the weights being gone after."""
        named = zip(self.backbone_names, self.backbones, strict=True)
        return {name: weights_digest(module) for name, module in named if BACKBONES[name].compiles and BACKBONES[name].source is None}

    def _encode(self, prepared: list[tuple[Tensor, ...]]) -> FloatArray:
        features: FloatArray = self.forward(tuple(torch.stack(parts) for parts in zip(*prepared, strict=True))).cpu().numpy()
        return features


class _Pool(ThreadPoolExecutor):
    """Threads that each work on a batch of their own."""

    def __init__(self, width: int, torch_threads: int) -> None:
        super().__init__(width, "encode", torch.set_num_threads, (torch_threads,))
        self.width = width


@contextlib.contextmanager
def _streams(device: torch.device) -> Iterator[_Pool]:
    """As many batches at once as pay: several on a CPU, where a network's threads mostly wait for each other between many small layers; else one.

    Measured on two cores: EfficientNet-Lite0 and -Lite2 take 2.8 s for 60 frames in two streams of one thread, and 4.0 s in one of two.
    """
    threads = torch.get_num_threads()
    width = min(_CPU_STREAMS, threads) if device.type == "cpu" else 1
    try:
        with _Pool(width, max(1, threads // width)) as pool:
            yield pool
    finally:
        torch.set_num_threads(threads)  # what threads made later start with


def _prepare(image: NDArray[np.uint8], spec: BackboneSpec) -> Tensor:
    """(H,W,3) to the (3,size,size) that the backbone takes, see ``FrameEncoder.preprocess``."""
    pixels = _squeezed(image, spec.size_px) if spec.whole else _cropped(image, spec.size_px)
    # Not with torch: its threads would take the cores from the networks that run beside this.
    scaled = pixels / np.float32(255.0)
    scaled -= np.asarray(spec.mean, np.float32)[:, None, None]
    scaled /= np.asarray(spec.std, np.float32)[:, None, None]
    return torch.from_numpy(np.ascontiguousarray(scaled))


def _squeezed(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """The whole picture in a square. torch's bicubic differs from Pillow's by two grey levels at most, seldom by one, and takes a fifth of its time."""
    whole = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None]
    pixels: NDArray[np.uint8] = F.interpolate(whole, (size, size), mode="bicubic", antialias=True)[0].numpy()
    return pixels


def _cropped(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Shorter side to ``size``, centre crop: in one step, so that a very long picture costs no more than a square one."""
    picture = Image.fromarray(image)
    width, height = picture.size
    short = min(width, height)
    across, down = (size * width // short, size * height // short)
    left, top = (across - size) // 2, (down - size) // 2
    box = (left * width / across, top * height / down, (left + size) * width / across, (top + size) * height / down)
    return np.asarray(picture.resize((size, size), Image.Resampling.BICUBIC, box=box)).transpose(2, 0, 1)


def build_frame_encoder(
    preset: str,
    device: torch.device | str = "cpu",
    *,
    weights: Weights = "pretrained",
    compiled_folder: Path | None = None,
    layout: bool = False,
) -> FrameEncoder:
    """The frame encoder of a preset.

    Args:
        preset: "vidtag-l14-whole", "vidtag-compact", "vidtag-dino-s", "vidtag-dino-b" or "geoclip"; see :func:`encoder_of`.
        device: where it runs.
        weights: "random" only for tests of shapes and cost.
        compiled_folder: see :class:`FrameEncoder`.
        layout: the answer also says what stands where in the picture; only where :func:`has_layout` says so.

    Raises:
        InputError: for an unknown preset, for a layout where there is none, and where weights cannot be had (the sentence says where to put the file).
    """
    if preset not in FRAME_ENCODER_PRESETS:
        raise InputError(f"Preset {preset!r} is not known: give one of {', '.join(FRAME_ENCODER_PRESETS)}.")
    chosen = FRAME_ENCODER_PRESETS[preset]
    *first, last = chosen.backbones
    if layout and not has_layout(preset):
        able = ", ".join(name for name in FRAME_ENCODER_PRESETS if has_layout(name))
        raise InputError(
            f"The backbones of {preset} do not say what stands where in the picture: use one of {able}, or leave the layout out."
        )
    names = (*first, last + LAYOUT) if layout else chosen.backbones
    cache = compiled_folder if weights == "pretrained" and torch.device(device).type == "cpu" else None
    built = {name: _translated(name, cache) or BACKBONES[name].build(weights) for name in names}
    encoder = FrameEncoder(
        {name: module for name, (module, _) in built.items()},
        {name: source for name, (_, source) in built.items()},
        unit_norm=chosen.unit_norm,
        compiled_folder=compiled_folder if weights == "pretrained" else None,
    )
    return encoder.to(device)


def encoder_of(preset: str) -> str:
    """The frame encoder that a new training or database of a preset takes; what is there already names its own."""
    return preset + WHOLE if preset + WHOLE in FRAME_ENCODER_PRESETS else preset


def has_layout(preset: str) -> bool:
    """Whether a preset's frame encoder can also say what stands where in the picture; its last backbone does."""
    chosen = FRAME_ENCODER_PRESETS.get(encoder_of(preset))
    return chosen is not None and chosen.backbones[-1] + LAYOUT in BACKBONES


def weights_to_fetch(preset: str) -> str:
    """A line for people where a preset's weights would have to be fetched first, else empty; nothing is built or asked for."""
    chosen = FRAME_ENCODER_PRESETS.get(preset)
    missing = to_fetch(chosen.backbones) if chosen else []
    return f"the weights of {' and '.join(missing)} from Hugging Face, once" if missing else ""


def _translated(name: str, cache: Path | None) -> tuple[nn.Module, str] | None:
    """A backbone's translation and its weights' source, where it lies on the disk: building it in PyTorch as well would take half a second for nothing."""
    source = BACKBONES[name].source
    folder = translation_folder(cache, name, source) if cache is not None and source is not None else None
    if folder is None or source is None or not is_translated(folder):
        return None
    try:
        return CompiledBackbone(folder, torch.get_num_threads()), source
    except (OSError, RuntimeError, ImportError) as error:
        _LOG.info("%s is built in PyTorch: %s", name, error)
        return None
