"""The ``geoclip`` preset against the package ``geoclip``: its ``predict`` on its gallery of 100,000 places, a frame after the first.

Both have the same CLIP ViT-L/14 (random weights, float32) and the trained heads of the wheel, and name five places of the same picture file. The
package embeds its gallery anew for every picture; ours has it embedded, and a first frame has paid for that (``embed_gallery_s``). Each side's
image part is CLIP with its MLP, timed within the same call; retrieval is the rest of the call. ``retrieval_speedup`` is of one picture alone as
``predict`` takes it; in a video all frames are searched at once (``retrieval_speedup_video``: each of 60 frames).
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from vidtag_engine.grid import points_grid
from vidtag_engine.models.frame_encoder import FrameEncoder, build_frame_encoder
from vidtag_engine.models.geoclip import GeoCLIP, geoclip_gallery, load_geoclip
from vidtag_engine.search import EmbeddedGallery, top_k

TITLE = "geoclip: the package's predict on its 100,000 places over ours, a picture after the first"
ROUNDS, TOP, VIDEO_FRAMES = 2, 5, 60
WARM_UP_PLACES = 2_048  # of the package's gallery: all of it would take minutes on one core


def run(seed: int = 0) -> dict[str, Any]:
    """Measure both in turn; the ratios are medians of the pairs'."""
    package, encoder = packages_and_ours(seed)
    model = load_geoclip()
    gallery = EmbeddedGallery(model, points_grid(geoclip_gallery()), "cpu", weights_sha256="", cache_dir=None)
    started = time.perf_counter()
    gallery.prepare()
    embed_gallery_s = time.perf_counter() - started
    theirs, ours, agreeing = [], [], 0
    with tempfile.TemporaryDirectory() as temporary:
        for number in range(ROUNDS + 1):  # the first is a warm-up, of the package over a few places
            path = Path(temporary) / f"{number}.png"
            Image.fromarray(_picture(seed + number)).save(path)
            whole = package.gps_gallery
            package.gps_gallery = whole if number else whole[:WARM_UP_PLACES]
            place, *their_s = _package_predicts(package, path)
            package.gps_gallery = whole
            found, *our_s = _we_predict(encoder, model, gallery, path)
            if number:
                theirs.append(their_s)
                ours.append(our_s)
                agreeing += bool(np.allclose(place, found, atol=1e-4))
    video_s = _video_retrieval_s(gallery, seed)
    (their_image, their_rest), (our_image, our_rest) = np.array(theirs).T, np.array(ours).T
    return {
        "retrieval_speedup": round(float(np.median(their_rest / our_rest)), 1),
        "retrieval_speedup_video": round(float(np.median(their_rest)) / video_s, 1),
        "speedup": round(float(np.median((their_image + their_rest) / (our_image + our_rest))), 2),
        "image_speedup": round(float(np.median(their_image / our_image)), 2),
        "their_image_s": round(float(np.median(their_image)), 3),
        "their_retrieval_s": round(float(np.median(their_rest)), 3),
        "our_image_s": round(float(np.median(our_image)), 3),
        "our_retrieval_ms": round(1e3 * float(np.median(our_rest)), 2),
        "our_retrieval_video_ms": round(1e3 * video_s, 3),
        "embed_gallery_s": round(embed_gallery_s, 2),
        "places": gallery.count,
        "same_place": agreeing,
        "pictures": len(ours),
        "threads": torch.get_num_threads(),
    }


def packages_and_ours(seed: int) -> tuple[Any, FrameEncoder]:
    """The package's model and our frame encoder with the same random CLIP, offline. Offsets and norms are moved too, so that they matter."""
    from geoclip import GeoCLIP as Package

    torch.manual_seed(seed)
    package = Package(clip_pretrained=False).eval()
    with torch.no_grad():
        for parameter in package.image_encoder.CLIP.vision_model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.02)
    encoder = build_frame_encoder("geoclip", weights="random")
    onto_open_clip(package.image_encoder.CLIP.state_dict(), encoder)
    return package, encoder


def onto_open_clip(theirs: dict[str, torch.Tensor], ours: FrameEncoder) -> None:
    """Lay the CLIP vision weights of transformers into our encoder under open_clip's names."""
    vision = {key.removeprefix("vision_model."): value for key, value in theirs.items() if key.startswith("vision_model.")}
    state = {
        "class_embedding": vision.pop("embeddings.class_embedding"),
        "conv1.weight": vision.pop("embeddings.patch_embedding.weight"),
        "positional_embedding": vision.pop("embeddings.position_embedding.weight"),
        "proj": theirs["visual_projection.weight"].T,
    }
    for a, b in (("pre_layrnorm", "ln_pre"), ("post_layernorm", "ln_post")):
        state |= {f"{b}.{part}": vision.pop(f"{a}.{part}") for part in ("weight", "bias")}
    names = {
        "layer_norm1": "ln_1",
        "layer_norm2": "ln_2",
        "mlp.fc1": "mlp.c_fc",
        "mlp.fc2": "mlp.c_proj",
        "self_attn.out_proj": "attn.out_proj",
    }
    for layer in range(24):
        here, there = f"encoder.layers.{layer}", f"transformer.resblocks.{layer}"
        for part in ("weight", "bias"):
            state |= {f"{there}.{b}.{part}": vision.pop(f"{here}.{a}.{part}") for a, b in names.items()}
            state[f"{there}.attn.in_proj_{part}"] = torch.cat([vision.pop(f"{here}.self_attn.{x}_proj.{part}") for x in "qkv"])
    if set(vision) - {"embeddings.position_ids"}:
        raise RuntimeError(f"weights that are not carried over: {sorted(vision)}")
    ours.backbones[0].load_state_dict(state)


def _picture(seed: int) -> np.ndarray:
    """Large patches of colour, 640 x 480."""
    patches = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return np.kron(patches, np.ones((40, 40, 1), np.uint8))


def _package_predicts(package: Any, path: Path) -> tuple[np.ndarray, float, float]:
    """The first place, seconds of the image part and of the rest."""
    marks: list[float] = []
    hooks = [
        package.image_encoder.register_forward_pre_hook(lambda *_: marks.append(time.perf_counter())),
        package.image_encoder.register_forward_hook(lambda *_: marks.append(time.perf_counter())),
    ]
    started = time.perf_counter()
    places, _ = package.predict(str(path), TOP)
    whole = time.perf_counter() - started
    for hook in hooks:
        hook.remove()
    image = marks[1] - started  # reading and preparing the picture too
    return places[0].numpy(), image, whole - image


@torch.inference_mode()
def _we_predict(encoder: FrameEncoder, model: GeoCLIP, gallery: EmbeddedGallery, path: Path) -> tuple[np.ndarray, float, float]:
    """The same of ours."""
    started = time.perf_counter()
    with Image.open(path) as opened:
        image = np.asarray(opened.convert("RGB"))
    features = np.concatenate(list(encoder.encode_images([image])))
    query = model.embed_video(torch.from_numpy(features))
    between = time.perf_counter()
    found = top_k(query, gallery, TOP)
    ended = time.perf_counter()
    return np.array([found.lat_deg[0, 0], found.lon_deg[0, 0]]), between - started, ended - between


@torch.inference_mode()
def _video_retrieval_s(gallery: EmbeddedGallery, seed: int) -> float:
    """Seconds of a frame where all of a video's are searched at once."""
    queries = torch.randn(VIDEO_FRAMES, gallery.dim, generator=torch.Generator().manual_seed(seed))
    queries = torch.nn.functional.normalize(queries, dim=1)
    spent = []
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        top_k(queries, gallery, TOP)
        spent.append(time.perf_counter() - started)
    return float(np.median(spent[1:])) / VIDEO_FRAMES
