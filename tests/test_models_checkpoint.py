"""Checkpoints: what is written comes back, and every kind of damage is refused by name and reason."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from vidtag_engine.models import pick_device
from vidtag_engine.models.checkpoint import CheckpointCard, from_pretrained, save_pretrained, tensors_sha256
from vidtag_engine.models.georefiner import GeoRefinerConfig
from vidtag_engine.models.location_encoder import LocationEncoderConfig
from vidtag_engine.models.tempgeo import TempGeoConfig
from vidtag_engine.models.vidtag import VidTAG, VidTAGConfig
from vidtag_engine.types import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

CARD = CheckpointCard(
    name="isle",
    preset="vidtag-compact",
    training_extent=(159.9, -19.3, 160.0, -19.2),
    calibration={"temperature": 0.05},
    licence="GPL-2.0-or-later",
    metrics={"median_m": 12.5, "unmeasured": float("nan")},
)


@pytest.fixture
def model() -> VidTAG:
    torch.manual_seed(0)
    config = VidTAGConfig(
        frame_encoder="vidtag-compact",
        feature_dim=6,
        mlp=(5,),
        tempgeo=TempGeoConfig(width=6, heads=2, ffn=8),
        location=LocationEncoderConfig(sigma=(16.0, 2.0**14), frequencies=4, hidden=(5,), embedding_dim=4),
        georefiner=GeoRefinerConfig(embedding_dim=4, context_dim=4, width=4, heads=2, ffn=4),
    )
    return VidTAG(config).eval()


@pytest.fixture
def folder(model: VidTAG, tmp_path: Path) -> Path:
    save_pretrained(model, tmp_path / "isle", CARD)
    return tmp_path / "isle"


def state_of(source: Path) -> dict[str, torch.Tensor]:
    return from_pretrained(source)[0].state_dict()


def test_the_papers_preset_in_the_shapes_of_before_comes_back(model: VidTAG, tmp_path: Path) -> None:
    """Sinusoids, another inner width, and an encoder that is shown the middle of a picture: as the card says, not as the preset is today."""
    before = VidTAG(model.config.model_copy(update={"frame_encoder": "vidtag-l14"}))
    save_pretrained(before, tmp_path / "before", CARD, half=False)
    card = json.loads((tmp_path / "before" / "config.json").read_text())
    assert (card["config"]["tempgeo"]["positions"], card["config"]["tempgeo"]["ffn"]) == ("sinusoidal", 8)
    loaded, card = from_pretrained(tmp_path / "before")
    assert card.preset == loaded.config.frame_encoder == "vidtag-l14"
    torch.testing.assert_close(loaded.state_dict(), before.state_dict(), rtol=0, atol=0)


def test_a_checkpoint_comes_back(model: VidTAG, tmp_path: Path) -> None:
    written = save_pretrained(model, tmp_path / "exact", CARD, half=False)
    loaded, card = from_pretrained(tmp_path / "exact")
    torch.testing.assert_close(loaded.state_dict(), model.state_dict(), rtol=0, atol=0)
    assert not loaded.training
    assert all(p.requires_grad for p in loaded.parameters())
    assert card.config == loaded.config.model_dump(mode="json")
    assert (card.sigma, card.training_extent, card.calibration) == ((16.0, 2.0**14), CARD.training_extent, {"temperature": 0.05})
    assert card.metrics == {"median_m": 12.5, "unmeasured": None}
    assert card.sha256 == written.sha256 == tensors_sha256(model.state_dict())
    assert card.created_utc.endswith("+00:00")
    assert sorted(p.name for p in (tmp_path / "exact").iterdir()) == ["config.json", "model.safetensors"]


def test_half_precision_spares_what_it_would_harm(model: VidTAG, folder: Path) -> None:
    stored = load_file(folder / "model.safetensors")
    assert {value.dtype for name, value in stored.items() if name.endswith("weight") and value.ndim == 2} == {torch.float16}
    loaded = from_pretrained(folder)[0]
    assert {value.dtype for value in loaded.state_dict().values()} == {torch.float32}
    torch.testing.assert_close(
        loaded.location_encoder.capsules[1].frequencies, model.location_encoder.capsules[1].frequencies, rtol=0, atol=0
    )
    places = torch.tensor([[-19.22, 159.93], [-19.2201, 159.93]], dtype=torch.float64)
    torch.testing.assert_close(loaded.embed_locations(places), model.embed_locations(places), atol=3e-3, rtol=0)


def test_saving_is_stable_and_the_digest_is_of_the_weights(model: VidTAG, folder: Path, tmp_path: Path) -> None:
    first = from_pretrained(folder)[1].sha256
    loaded, card = from_pretrained(folder)
    assert save_pretrained(loaded, tmp_path / "again", card).sha256 == first
    with torch.no_grad():
        model.logit_scale += 1e-3
    assert save_pretrained(model, tmp_path / "other", CARD).sha256 != first


def test_a_single_file_is_a_whole_checkpoint(model: VidTAG, folder: Path, tmp_path: Path) -> None:
    save_pretrained(model, tmp_path / "isle.safetensors", CARD)
    for file in (tmp_path / "isle.safetensors", folder / "model.safetensors"):
        loaded, card = from_pretrained(str(file))
        assert card.name == "isle"
        torch.testing.assert_close(loaded.state_dict(), state_of(folder), rtol=0, atol=0)


def test_saving_over_an_old_one_leaves_other_files_alone(model: VidTAG, folder: Path) -> None:
    (folder / "curve.png").write_bytes(b"picture")
    with torch.no_grad():
        model.logit_scale.fill_(1.5)
    save_pretrained(model, folder, CARD)
    assert from_pretrained(folder)[0].logit_scale.item() == 1.5
    assert sorted(p.name for p in folder.iterdir()) == ["config.json", "curve.png", "model.safetensors"]


def test_a_failed_save_leaves_nothing_behind(model: VidTAG, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InputError, match="cannot be written"):
        save_pretrained(model, tmp_path / "file", CARD)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def _card(folder: Path, **changes: object) -> None:
    plain = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(plain | changes))


def _config(folder: Path, **changes: object) -> None:
    _card(folder, config=json.loads((folder / "config.json").read_text())["config"] | changes)


def _tensors(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    """Change tensors and make the digest fit, so that only the later checks can tell."""
    # Copies: older safetensors write into the very file that its tensors are mapped from.
    tensors = {name: tensor.clone() for name, tensor in load_file(folder / "model.safetensors").items()}
    change(tensors)
    save_file(tensors, folder / "model.safetensors")
    _card(folder, sha256=tensors_sha256(tensors))


def _flip_last_byte(folder: Path) -> None:
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-1] ^= 0xFF
    (folder / "model.safetensors").write_bytes(data)


def _cut(folder: Path) -> None:
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[: len(data) // 2])


def _huge_header(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", 1 << 62) + b"{}")


def _write(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


def _remove(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


WEIGHTS, JSON = "model.safetensors", "config.json"
DAMAGE: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "weights missing": (_remove(WEIGHTS), "isle", "has no model.safetensors"),
    "config missing": (_remove(JSON), "isle", "has no config.json"),
    "a bit flipped": (_flip_last_byte, WEIGHTS, "SHA-256"),
    "cut short": (_cut, WEIGHTS, "cut short or damaged"),
    "empty": (_write(WEIGHTS, b""), WEIGHTS, "cut short or damaged"),
    "text instead": (_write(WEIGHTS, b"<html>404</html>" * 9), WEIGHTS, "not a readable safetensors"),
    "header beyond the file": (_huge_header, WEIGHTS, "not a readable safetensors"),
    "pickle under that name": (lambda f: torch.save({"a": torch.ones(1)}, f / WEIGHTS), WEIGHTS, "pickle"),
    "other digest": (lambda f: _card(f, sha256="0" * 64), WEIGHTS, "SHA-256"),
    "tensor missing": (lambda f: _tensors(f, lambda t: t.pop("logit_scale")), WEIGHTS, "lacks the tensor 'logit_scale'"),
    "tensor too many": (lambda f: _tensors(f, lambda t: t.update(extra=torch.ones(1))), WEIGHTS, "unknown tensor 'extra'"),
    "shape": (lambda f: _tensors(f, lambda t: t.update(logit_scale=torch.ones(2))), WEIGHTS, r"'logit_scale' has shape \(2,\)"),
    "not a number": (
        lambda f: _tensors(f, lambda t: t.update(logit_scale=torch.tensor(float("nan")))),
        WEIGHTS,
        "'logit_scale' holds values",
    ),
    "integers": (lambda f: _tensors(f, lambda t: t.update(logit_scale=torch.tensor(3))), WEIGHTS, "'logit_scale' holds values"),
    "no JSON": (_write(JSON, b"{"), JSON, "no valid JSON"),
    "JSON of something else": (_write(JSON, b"[]"), JSON, "format version None"),
    "not UTF-8": (_write(JSON, b"\xff\xfe\x00"), JSON, "cannot be read as text"),
    "deep JSON": (_write(JSON, b"[" * 200_000), JSON, "no valid JSON"),
    "huge JSON": (_write(JSON, b" " * (2 << 20)), JSON, "too large"),
    "newer format": (lambda f: _card(f, format_version=99), JSON, "99.*update this program"),
    "unknown preset": (lambda f: _card(f, preset="vidtag-xl"), JSON, "preset"),
    "extent of three": (lambda f: _card(f, training_extent=[1, 2, 3]), JSON, "training_extent"),
    "config of unknown keys": (lambda f: _config(f, surprise=1), JSON, "surprise"),
    "config out of bounds": (lambda f: _config(f, feature_dim=10**12), JSON, "feature_dim"),
    "config that does not fit": (lambda f: _config(f, projection_dim=3), JSON, "tempgeo.width"),
    "config of other sizes": (lambda f: _config(f, mlp=[6]), WEIGHTS, "has shape"),
    "sigma of another": (lambda f: _card(f, sigma=[1.0]), JSON, "contradicts itself"),
    "preset of another": (lambda f: _card(f, preset="vidtag-l14"), JSON, "contradicts itself"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_refused_by_name_and_reason(kind: str, folder: Path) -> None:
    damage, named, reason = DAMAGE[kind]
    damage(folder)
    with pytest.raises(InputError, match=f"(?s){reason}") as caught:
        from_pretrained(folder)
    message = str(caught.value)
    assert named in message
    assert "\n" not in message
    assert message.endswith(".")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_flipped_byte_is_refused_or_harmless(folder: Path, data: st.DataObject) -> None:
    whole = (folder / WEIGHTS).read_bytes()
    expected = state_of(folder)
    place, bits = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(1, 255))
    (folder / WEIGHTS).write_bytes(whole[:place] + bytes([whole[place] ^ bits]) + whole[place + 1 :])
    try:
        found = state_of(folder)
    except InputError:  # anything else fails the test
        return
    finally:
        (folder / WEIGHTS).write_bytes(whole)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


class _Trap:
    """Unpickled, it writes a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.target,)


@pytest.mark.parametrize("name", ["model.pth", "model.ckpt", "model.safetensors", "model.bin"])
def test_a_pickle_is_never_opened(name: str, tmp_path: Path) -> None:
    torch.save({"trap": _Trap(tmp_path / "sprung")}, tmp_path / name)
    with pytest.raises(InputError, match="pickle file, which can run code"):
        from_pretrained(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


def test_a_foreign_safetensors_file_is_told_apart(tmp_path: Path) -> None:
    save_file({"weight": torch.ones(2)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match=r"other\.safetensors is a safetensors file, but not of this program"):
        from_pretrained(tmp_path / "other.safetensors")


@pytest.mark.parametrize("source", ["no/such/folder/here", "nowhere.safetensors", "/no/such/place", ""])
def test_nothing_there(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"does not exist|has no model\.safetensors"):
        from_pretrained(source)


def test_presets_without_weights_say_what_to_do() -> None:
    with pytest.raises(InputError, match="vidtag train --preset vidtag-l14.*geoclip"):
        from_pretrained("vidtag-l14")


def test_a_hub_id_offline_gives_one_sentence(tmp_path: Path) -> None:
    """In a process of its own: the Hub's library reads its offline switch when it is imported."""
    code = (
        "from vidtag_engine.models import from_pretrained\ntry:\n    from_pretrained('somebody/some-isle')\n"
        "except Exception as e:\n    print(type(e).__name__, e)"
    )
    environment = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "PYTHONPATH": str(Path.cwd()), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.count("\n") == 1
    assert done.stdout.startswith("FetchError Checkpoint 'somebody/some-isle' is no local path, and the Hub gives nothing")


def test_a_compact_checkpoint_is_at_most_20_mb(tmp_path: Path) -> None:
    save_pretrained(VidTAG(VidTAGConfig.preset("vidtag-compact")), tmp_path / "c", CARD)
    assert sum(p.stat().st_size for p in (tmp_path / "c").iterdir()) <= 20e6


def test_geoclip_by_name_and_as_a_checkpoint(tmp_path: Path) -> None:
    model, card = from_pretrained("geoclip")
    assert (card.preset, card.licence, card.sigma) == ("geoclip", "MIT", (1.0, 16.0, 256.0))
    assert not model.has_refiner
    assert model.logit_scale.exp().item() == pytest.approx(39.69, abs=0.01)
    save_pretrained(model, tmp_path / "g", card, half=False)
    again, again_card = from_pretrained(tmp_path / "g")
    torch.testing.assert_close(again.state_dict(), model.state_dict(), rtol=0, atol=0)
    assert again_card.sha256 == card.sha256


@pytest.mark.parametrize("name", ["tpu", "cuda:x", "cpu:1", ""])
def test_unknown_devices_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="auto, cpu, cuda or mps"):
        pick_device(name)


def test_devices() -> None:
    assert pick_device("CPU").type == "cpu"
    assert pick_device("auto").type in {"cpu", "cuda", "mps"}
    for name, there in (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available())):
        if not there:
            with pytest.raises(InputError, match=f"'{name}' is not available here"):
                pick_device(name)


def test_a_checkpoint_whose_writing_was_cut_between_its_files_is_still_one(model, tmp_path) -> None:
    """New weights beside the card of the checkpoint before, and the other way round: the weights say themselves whose they are."""
    save_pretrained(model, tmp_path / "old", replace(CARD, created_utc="2026-01-01T00:00:00+00:00"), half=False)
    new = save_pretrained(model, tmp_path / "new", replace(CARD, name="new", created_utc="2026-02-01T00:00:00+00:00"))
    shutil.copy(tmp_path / "new" / "model.safetensors", tmp_path / "old")
    assert from_pretrained(tmp_path / "old")[1].name == new.name


def test_anothers_model_is_not_replaced(model, tmp_path) -> None:
    (tmp_path / "config.json").write_text('{"architectures": ["CLIPModel"]}')
    with pytest.raises(InputError, match=r"config.json exists.*--overwrite"):
        save_pretrained(model, tmp_path, CARD)
    assert [one.name for one in tmp_path.iterdir()] == ["config.json"]
    save_pretrained(model, tmp_path, CARD, overwrite=True)
    assert from_pretrained(tmp_path)[1].name == CARD.name
