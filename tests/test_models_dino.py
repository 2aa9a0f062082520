"""DINOv2's small and base presets at full size, with random weights: no trained ones are to be had where tests run. What they see, answer and are part of."""

from __future__ import annotations

import ast
import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn

from tests.world_maker import aoi_text, fly, ground
from vidtag_engine.command_arguments import ReferenceArguments, TrainArguments
from vidtag_engine.commands.train import run_train
from vidtag_engine.geolocation import geolocate
from vidtag_engine.grid import load_aoi
from vidtag_engine.loaded import load, load_references
from vidtag_engine.models.backbones import BACKBONES, FETCHED, weights_folder
from vidtag_engine.models.checkpoint import CheckpointCard, Preset, from_pretrained, save_pretrained
from vidtag_engine.models.frame_encoder import FRAME_ENCODER_PRESETS, FrameEncoder, build_frame_encoder, has_layout, weights_to_fetch
from vidtag_engine.models.openvino_backbone import CompiledBackbone, weights_digest
from vidtag_engine.models.vidtag import VIDTAG_PRESETS, VidTAG, VidTAGConfig
from vidtag_engine.reference.descriptor import Descriptor
from vidtag_engine.reference.store import Store
from vidtag_engine.settings import CityTrainSettings, GeolocateSettings, ReferenceSettings, TrainedPreset
from vidtag_engine.training import TrainingSource, recipe
from vidtag_engine.training.reference_build import build
from vidtag_engine.types import FetchError, FloatArray, InputError

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
PRESETS = {"vidtag-dino-s": ("dinov2-vit-s14", 384, 22.0), "vidtag-dino-b": ("dinov2-vit-b14", 768, 86.0)}
"""By preset its backbone, the width of its answer, and its parameters in millions (DINOv2's own page has 21 and 86)."""
EDGES = ((0, 3), (2, 6), (5, 8), (8, 11), (10, 14), (13, 16))
"""Columns of 16 patches under each of six cells: a sixth is 2.7 patches, and a cell has all that it touches."""
EACH = pytest.mark.parametrize("preset", PRESETS)


def shaken(network: nn.Module, seed: int = 0) -> nn.Module:
    """Weights under which pictures and places in them matter: timm starts the blocks' scales at 0.00001, and the answers to all pictures are then the same."""
    draws = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in network.named_parameters():
            if name.endswith("gamma"):
                value.fill_(1.0)
            elif value.ndim > 1:
                value.normal_(0.0, 0.06, generator=draws)
            elif name.endswith("bias"):
                value.zero_()
    return network


def pictures(count: int) -> list[np.ndarray]:
    draws = np.random.default_rng(0)
    return [np.kron(draws.integers(0, 256, (6, 8, 3), dtype=np.uint8), np.ones((20, 30, 1), np.uint8)) for _ in range(count)]


@pytest.fixture(params=PRESETS)
def with_layout(request: pytest.FixtureRequest) -> FrameEncoder:
    """Each with its layout, whose plain network is ``backbones[0].network``."""
    encoder = build_frame_encoder(request.param, weights="random", layout=True)
    shaken(encoder.backbones[0])
    return encoder


def tokens_of(encoder: FrameEncoder, images: list[np.ndarray]) -> FloatArray:
    """(N, 257, D): timm's own tokens after the final norm, the class token first."""
    network: nn.Module = encoder.backbones[0].network  # type: ignore[assignment]
    with torch.no_grad():
        tokens: FloatArray = network.forward_features(torch.stack([encoder.preprocess(image)[0] for image in images])).numpy()  # type: ignore[operator]
    return tokens


def pooled(patches: FloatArray) -> FloatArray:
    """(N, 256, D) patch tokens, row by row, to means (N, D, 4, 6) by hand."""
    squares = patches.reshape(len(patches), 16, 16, -1)
    rows = [[squares[:, 4 * row : 4 * row + 4, a:b].mean(axis=(1, 2)) for a, b in EDGES] for row in range(4)]
    return np.stack([np.stack(row, axis=2) for row in rows], axis=2)


@EACH
def test_the_answer_is_the_class_token_of_the_whole_picture(preset: str) -> None:
    backbone, width, millions = PRESETS[preset]
    encoder = build_frame_encoder(preset, weights="random")
    shaken(encoder.backbones[0])
    assert encoder.weights_source == {backbone: "random"}
    assert (encoder.feature_dim, encoder.layout_dim) == (width, 0)
    assert sum(p.numel() for p in encoder.parameters()) / 1e6 == pytest.approx(millions, abs=0.5)
    images = pictures(3)
    prepared = torch.stack([encoder.preprocess(image)[0] for image in images])
    assert prepared.shape == (3, 3, 224, 224)
    found = np.concatenate(list(encoder.encode_images(images)))
    with torch.no_grad():
        expected = encoder.backbones[0].get_intermediate_layers(prepared, n=1, return_prefix_tokens=True, norm=True)[0][1][:, 0].numpy()
    assert found.shape == (3, width)
    assert np.linalg.norm(expected, axis=1).min() > 2, "not of norm one by itself"
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-5)
    assert (found @ found.T)[np.triu_indices(3, 1)].max() < 0.999, "pictures differ"


@EACH
def test_pixels_are_brought_to_imagenets_mean_and_deviation(preset: str) -> None:
    (prepared,) = build_frame_encoder(preset, weights="random").preprocess(np.full((90, 160, 3), (255, 0, 51), np.uint8))
    expected = ((1.0 - 0.485) / 0.229, -0.456 / 0.224, (0.2 - 0.406) / 0.225)
    np.testing.assert_allclose(prepared.amin(dim=(1, 2)), expected, atol=1e-5)
    np.testing.assert_allclose(prepared.amax(dim=(1, 2)), expected, atol=1e-5)


def test_the_layout_is_the_final_patch_tokens_pooled_by_hand(with_layout: FrameEncoder) -> None:
    width, images = with_layout.feature_dim, pictures(2)
    assert with_layout.layout_dim == 24 * width
    found = np.concatenate(list(with_layout.encode_images(images)))
    assert found.shape == (2, 25 * width)
    tokens = tokens_of(with_layout, images)
    np.testing.assert_allclose(found[:, :width], tokens[:, 0] / np.linalg.norm(tokens[:, 0], axis=1, keepdims=True), atol=1e-5)
    cells = pooled(tokens[:, 1:]).reshape(2, -1)
    np.testing.assert_allclose(found[:, width:], cells / np.linalg.norm(cells, axis=1, keepdims=True), atol=1e-5)


def test_a_layout_is_mirrored_as_tokens_with_their_columns_turned_round(with_layout: FrameEncoder) -> None:
    """Not as the mirrored picture's tokens, which have other positions."""
    width, images = with_layout.feature_dim, pictures(2)
    found = torch.from_numpy(np.concatenate(list(with_layout.encode_images(images))))
    patches = tokens_of(with_layout, images)[:, 1:]
    turned = patches.reshape(2, 16, 16, width)[:, :, ::-1].reshape(2, 256, width)
    cells = pooled(turned).reshape(2, -1)
    cells /= np.linalg.norm(cells, axis=1, keepdims=True)
    torch.manual_seed(0)
    descriptor = Descriptor(width, 8, with_layout.layout_dim)
    expected = descriptor.in_context(torch.cat([found[:, :width], torch.from_numpy(cells)], dim=1))
    mirrored = descriptor.mirrored(found)
    assert mirrored is not None
    torch.testing.assert_close(mirrored, expected, atol=1e-5, rtol=0)
    assert (mirrored - descriptor.in_context(found)).abs().max() > 0.01


@pytest.fixture
def lay_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Lays a file of weights as they are published, of 518 pixels' positions, where a person would; caches are empty and nothing is asked for."""
    from huggingface_hub import constants

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("VIDTAG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    def lay(backbone: str) -> Path:
        name = FETCHED[backbone][1].removeprefix("timm/")
        network = shaken(timm.create_model(name, pretrained=False, num_classes=0))
        assert network.pos_embed.shape[1] == 1 + 37 * 37
        file = weights_folder() / f"{name}.safetensors"
        file.parent.mkdir(parents=True, exist_ok=True)
        save_file(network.state_dict(), file)
        return file

    return lay


@EACH
def test_weights_laid_by_hand_are_loaded_and_their_positions_interpolated(preset: str, lay_weights: Callable[[str], Path]) -> None:
    backbone, _, _ = PRESETS[preset]
    file = lay_weights(backbone)
    assert not weights_to_fetch(preset)
    encoder = build_frame_encoder(preset)
    assert encoder.weights_source == {backbone: str(file)}
    # Another way to the same: the network keeps 37 x 37 positions, and interpolates them for each picture.
    name = FETCHED[backbone][1].removeprefix("timm/")
    whole = timm.create_model(name, pretrained=False, num_classes=0, dynamic_img_size=True, checkpoint_path=str(file)).eval()
    images = pictures(2)
    with torch.no_grad():
        expected = whole(torch.stack([encoder.preprocess(image)[0] for image in images])).numpy()
    found = np.concatenate(list(encoder.encode_images(images)))
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-4)


@EACH
@pytest.mark.parametrize("layout", [False, True])
def test_weights_that_are_missing_are_told_in_a_sentence(
    preset: str, layout: bool, lay_weights: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lay_weights is not None  # for its empty folders
    backbone, _, _ = PRESETS[preset]
    what, hub_id = FETCHED[backbone]
    assert weights_to_fetch(preset) == f"the weights of {what} from Hugging Face, once"
    file = weights_folder() / f"{hub_id.removeprefix('timm/')}.safetensors"
    put = f"put the model.safetensors of Hugging Face's {hub_id} at {file}."
    with pytest.raises(FetchError) as unreachable:
        build_frame_encoder(preset, layout=layout)
    assert str(unreachable.value) == (
        f"The weights of {what} cannot be loaded (they are neither in the cache nor reachable): go online once, or {put}"
    )
    monkeypatch.setenv("VIDTAG_OFFLINE", "1")
    with pytest.raises(FetchError) as offline:
        build_frame_encoder(preset, layout=layout)
    assert str(offline.value) == f"The weights of {what} are not on this machine, and VidTAG works offline: {put}"
    monkeypatch.delenv("VIDTAG_OFFLINE")
    file.parent.mkdir(parents=True)
    file.write_bytes(b"damaged")
    with pytest.raises(FetchError, match="what lies there cannot be read"):
        build_frame_encoder(preset, layout=layout)


def test_presets_with_a_layout() -> None:
    assert [name for name in FRAME_ENCODER_PRESETS if has_layout(name)] == ["vidtag-compact", "vidtag-dino-s", "vidtag-dino-b"]
    assert not has_layout("vidtag-huge")
    with pytest.raises(InputError, match="geoclip .* use one of vidtag-compact, vidtag-dino-s, vidtag-dino-b, or leave"):
        build_frame_encoder("geoclip", weights="random", layout=True)


@pytest.mark.parametrize("form", ["finetune", "build_reference"])
def test_the_plugins_forms_offer_every_trained_preset(form: str) -> None:
    """Read, not imported: the plugin runs in QGIS alone."""
    tree = ast.parse((ROOT / "vidtag_qgis" / "algorithms" / f"{form}.py").read_text(encoding="utf-8"))
    (told,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "_PRESETS"
    )
    # The words are marked to be translated.
    offered = {
        ast.literal_eval(key): ast.literal_eval(getattr(value, "args", [value])[0])
        for key, value in zip(told.keys, told.values, strict=True)
    }
    assert set(offered) == set(get_args(TrainedPreset))
    assert len(set(offered.values())) == len(offered)


def test_every_trained_preset_has_sizes_and_a_place_in_cards() -> None:
    assert set(get_args(TrainedPreset)) == set(VIDTAG_PRESETS)
    assert {VidTAGConfig.preset(name).frame_encoder for name in VIDTAG_PRESETS} <= set(get_args(Preset))
    assert set(get_args(Preset)) == set(FRAME_ENCODER_PRESETS)


@EACH
def test_settings_take_it_as_they_take_the_compact_preset(preset: str) -> None:
    compact, taken = recipe("default"), recipe("default", preset=preset)
    assert taken.model_dump() == compact.model_dump() | {"preset": preset}
    assert (taken.layout, taken.residual, taken.lone_frames, taken.whitening) == (True, True, True, "places")
    assert not recipe("default", preset=preset, remembered_width=0).layout
    assert not recipe("paper", preset=preset).layout
    assert recipe("default", preset=TrainArguments(output="x", preset=preset).preset).preset == preset
    assert ReferenceSettings(preset=ReferenceArguments(output="x", preset=preset).preset).preset == preset  # type: ignore[arg-type]
    assert CityTrainSettings(preset=preset).preset == preset  # type: ignore[arg-type]
    with pytest.raises(InputError, match="'vidtag-compact', 'vidtag-dino-s', 'vidtag-dino-b' or 'vidtag-l14'"):
        recipe("default", preset="vidtag-huge")


@EACH
def test_its_networks_are_the_compact_ones_on_other_features(preset: str, tmp_path: Path) -> None:
    options = {"residual": True, "lone_frames": True, "sigma": "site"}
    config = VidTAGConfig.preset(preset, **options)  # type: ignore[arg-type]
    compact = VidTAGConfig.preset("vidtag-compact", **options)  # type: ignore[arg-type]
    width = PRESETS[preset][1]
    assert config == compact.model_copy(update={"frame_encoder": preset, "feature_dim": width})
    model = VidTAG(config).eval()
    features = nn.functional.normalize(torch.randn(1, 5, width, generator=torch.Generator().manual_seed(0)), dim=-1)
    assert model.embed_frames(features).shape == (1, 5, 256)
    card = save_pretrained(model, tmp_path / "kept", CheckpointCard("kept", "vidtag-compact"), half=False)
    assert card.preset == preset
    again, said = from_pretrained(tmp_path / "kept")
    assert said.preset == preset
    torch.testing.assert_close(again.embed_video(features[0]), model.embed_video(features[0]))
    with pytest.raises(InputError, match=f"preset without published weights: .* train one with 'vidtag train --preset {preset}'"):
        from_pretrained(preset)


@pytest.mark.slow
def test_it_is_translated_to_the_same_answers_and_other_weights_elsewhere(tmp_path: Path) -> None:
    if importlib.util.find_spec("openvino") is None:  # not imported, which its telemetry would report
        pytest.skip("OpenVINO has no wheel for this machine; everything runs in PyTorch")
    name, images = "dinov2-vit-s14-layout", pictures(2)

    def encoder(seed: int) -> FrameEncoder:
        module = shaken(BACKBONES[name].build("random")[0], seed)
        return FrameEncoder({name: module}, {name: "a file"}, compiled_folder=tmp_path)

    first, other = encoder(0), encoder(1)
    assert weights_digest(first.backbones[0]) == weights_digest(encoder(0).backbones[0]) != weights_digest(other.backbones[0])
    for one in (first, other):
        expected = np.concatenate(list(one.encode_images(images)))
        one.compile_backbones()
        assert isinstance(one.backbones[0], CompiledBackbone)
        np.testing.assert_allclose(np.concatenate(list(one.encode_images(images))), expected, atol=1e-5)
    assert len(list(tmp_path.iterdir())) == 2
    again = encoder(0)
    assert isinstance(again.backbones[0], nn.Module)
    next(again.encode_images(images))  # at once, a translation of these very weights being there
    assert isinstance(again.backbones[0], CompiledBackbone)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_training_a_database_and_answers_by_both(lay_weights: Callable[[str], Path], tmp_path: Path) -> None:
    """With untrained weights laid as trained ones would be: that everything fits together, not that anything is found."""
    lay_weights("dinov2-vit-s14")
    world, area = ground(), load_aoi(aoi_text())
    for number, y_m in enumerate((100.0, 105.0, 200.0)):
        fly(tmp_path / f"flight{number}.mp4", [(60.0, y_m), (340.0, y_m)], 8, world=world)
    videos, truths = ([str(tmp_path / f"flight{number}.{kind}") for number in range(2)] for kind in ("mp4", "gpx"))
    arguments = TrainArguments(
        str(tmp_path / "trained"), aoi_text(), videos, truths, preset="vidtag-dino-s", resolution_m=20.0, phase1_steps=4, phase2_steps=2
    )
    assert run_train(arguments)["sources"] == 2
    assert json.loads((tmp_path / "trained" / "config.json").read_text())["preset"] == "vidtag-dino-s"
    trained = load(str(tmp_path / "trained"), "cpu")
    assert trained.model.memory is not None
    assert (trained.model.memory.feature_dim, trained.model.memory.layout_dim) == (384, 9216)

    sources = [TrainingSource(Path(video), Path(truth), "video") for video, truth in zip(videos, truths, strict=True)]
    built = build(tmp_path / "database", sources, ReferenceSettings(preset="vidtag-dino-s", resolution_m=20.0, width=8), aoi=area)
    manifest = Store.open(tmp_path / "database").manifest
    assert (built.added, manifest.frame_encoder, manifest.feature_dim, manifest.layout_dim) == (16, "vidtag-dino-s", 384, 9216)
    for number, found in enumerate((trained, load_references(tmp_path / "database", "cpu"))):
        batch = geolocate([tmp_path / "flight2.mp4"], area, found, tmp_path / f"{number}.gpkg", GeolocateSettings(resolution_m=20.0))
        assert len(batch.results[0].trajectory.time_s) == 8
